//! What stops a run.

use std::io;

/// The reason a run could not be made or finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The configuration contradicts itself or a value is out of range.
    #[error("configuration: {0}")]
    Config(String),
    /// An address could not be resolved.
    #[error("cannot resolve {address}: {source}")]
    Resolve {
        /// The address as given.
        address: String,
        /// The resolver's answer.
        source: io::Error,
    },
    /// A TCP connection could not be made.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// The broker's address.
        address: String,
        /// The system's answer.
        source: io::Error,
    },
    /// TLS or WebSocket could not be agreed on.
    #[error("{address}: {why}")]
    Handshake {
        /// The broker's address.
        address: String,
        /// What TLS or WebSocket said.
        why: String,
    },
    /// The broker refused a CONNECT.
    #[error("{address} refused the connection with CONNACK code {code:#04x} ({meaning})")]
    Refused {
        /// The broker's address.
        address: String,
        /// Return code (3.x) or reason code (5.0).
        code: u8,
        /// What the code says.
        meaning: &'static str,
    },
    /// The broker refused a subscription.
    #[error("{address} refused a subscription with SUBACK code {code:#04x}")]
    SubscribeRefused {
        /// The broker's address.
        address: String,
        /// The first failing code of the SUBACK.
        code: u8,
    },
    /// The broker closed a connection before the run could start.
    #[error("{address} closed connection {connection} before it was ready")]
    ClosedDuringSetUp {
        /// The broker's address.
        address: String,
        /// Index of the connection.
        connection: usize,
    },
    /// Not every connection was ready in time.
    #[error("only {ready} of {wanted} connections were ready after {seconds} s")]
    SetUpTimeout {
        /// Connections that were ready.
        ready: usize,
        /// Connections asked for.
        wanted: usize,
        /// The limit.
        seconds: f64,
    },
    /// The process may not open enough sockets.
    #[error(
        "{needed} file descriptors are needed but the hard limit is {limit}; raise it with `ulimit -Hn {needed}`"
    )]
    FileLimit {
        /// Descriptors needed by this run.
        needed: u64,
        /// The hard limit of the process.
        limit: u64,
    },
    /// A system call failed.
    #[error("{what}: {source}")]
    Io {
        /// The operation.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

impl BenchError {
    pub(crate) fn io(what: &'static str) -> impl FnOnce(rustix::io::Errno) -> BenchError {
        move |errno| BenchError::Io { what, source: errno.into() }
    }
}
