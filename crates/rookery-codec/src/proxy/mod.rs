//! The PROXY protocol, versions 1 and 2: what a balancer says about the client before its bytes.
//!
//! Owns the header: recognising it, its addresses and the values (TLVs) that matter to a broker.
//! It does **not** own the decision whom to believe, the time-out, or what follows the header.
//!
//! **Invariants.** A header is whole or nothing: [`parse_proxy_header`] says `Ok(None)` until its
//! last byte is there, and refuses at the first byte that cannot belong to one. A checksum that is
//! present is right. Nothing above [`HEADER_BYTES_MAX`] is waited for.

mod crc32c;
mod tlv;
mod v1;
mod v2;

use std::net::SocketAddr;

pub use tlv::{Ssl, Values};

/// Longest header taken. Version 2 allows 65,551 bytes, but it is read before anybody is known;
/// addresses, server name and what a balancer tells of a certificate need a few hundred.
pub const HEADER_BYTES_MAX: usize = 8_192;

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyHeader {
    /// 1 or 2.
    pub version: u8,
    /// Whom it speaks of.
    pub endpoints: Endpoints,
    /// What it adds (version 2 only).
    pub values: Values,
}

/// Whom a connection is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoints {
    /// LOCAL: the proxy itself connected, for a health check; the socket's own addresses hold.
    Local,
    /// UNKNOWN or UNSPEC: made for somebody whose address the proxy does not know.
    Unspecified,
    /// TCP or UDP over IPv4 or IPv6.
    Inet {
        /// The client.
        source: SocketAddr,
        /// What it connected to.
        destination: SocketAddr,
    },
    /// UNIX sockets: their paths, without the padding.
    Unix {
        /// The client's, often empty.
        source: Box<[u8]>,
        /// What it connected to.
        destination: Box<[u8]>,
    },
}

/// Why the bytes are no PROXY header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The connection begins with something else, such as MQTT.
    #[error("no PROXY header")]
    Absent,
    /// It begins like a header and breaks a rule.
    #[error("malformed PROXY header: {0}")]
    Malformed(&'static str),
    /// It claims to be longer than [`HEADER_BYTES_MAX`].
    #[error("PROXY header of {0} bytes is above the limit")]
    TooLong(usize),
    /// The CRC32c in it is not that of its bytes.
    #[error("PROXY header with a wrong checksum")]
    Checksum,
}

impl ProxyError {
    /// The words without numbers, for a log that wants fixed texts.
    #[must_use]
    pub const fn detail(&self) -> &'static str {
        match self {
            Self::Absent => "no PROXY header",
            Self::Malformed(detail) => detail,
            Self::TooLong(_) => "PROXY header above the limit",
            Self::Checksum => "PROXY header with a wrong checksum",
        }
    }
}

/// Reads the header at the start of `input` and says how long it is; `Ok(None)` means that more
/// bytes are needed.
///
/// # Errors
///
/// The input cannot become a header any more.
pub fn parse_proxy_header(input: &[u8]) -> Result<Option<(ProxyHeader, usize)>, ProxyError> {
    if begins_like(input, v2::SIGNATURE) {
        v2::parse(input)
    } else if begins_like(input, v1::SIGNATURE) {
        v1::parse(input)
    } else {
        Err(ProxyError::Absent)
    }
}

/// Whether `input` is `signature` as far as both go.
fn begins_like(input: &[u8], signature: &[u8]) -> bool {
    input.iter().zip(signature).all(|(byte, want)| byte == want)
}
