//! The PROXY header in front of everything else.
//!
//! Bytes are looked at in the kernel's buffer first and taken out only as far as they belong to
//! the header, so that the layers behind it find theirs untouched.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use rookery_codec::proxy::{HEADER_BYTES_MAX, ProxyError, ProxyHeader, parse_proxy_header};

use crate::guard::Guard;
use crate::socket::Socket;

/// A connection whose PROXY header is not complete.
pub(crate) struct ProxyStage {
    /// What came of it.
    head: Vec<u8>,
    deadline_ms: u64,
    /// The rules of the listener, for the client that the header names.
    pub(super) guard: Arc<Guard>,
}

/// How far the header is.
#[derive(Debug)]
pub(crate) enum ProxyRead {
    /// More has to come.
    Partial,
    /// It is there and has left the socket.
    Complete(Box<ProxyHeader>),
    /// The peer closed.
    Closed,
    /// The socket failed.
    Failed,
    /// It is none.
    Refused(ProxyError),
}

impl ProxyStage {
    /// The header has to be there at `deadline_ms`.
    pub(crate) const fn new(deadline_ms: u64, guard: Arc<Guard>) -> Self {
        Self { head: Vec::new(), deadline_ms, guard }
    }

    pub(crate) const fn deadline_ms(&self) -> u64 {
        self.deadline_ms
    }

    pub(crate) fn held(&self) -> usize {
        self.head.capacity()
    }

    /// Takes what is there of the header; `room` is only used meanwhile.
    pub(crate) fn read(&mut self, socket: &Socket, room: &mut [u8]) -> ProxyRead {
        match self.advance(socket, room) {
            Ok(read) => read,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                ProxyRead::Partial
            }
            Err(_) => ProxyRead::Failed,
        }
    }

    fn advance(&mut self, socket: &Socket, room: &mut [u8]) -> io::Result<ProxyRead> {
        let known = self.head.len();
        let limit = (HEADER_BYTES_MAX - known).min(room.len());
        let room = room.get_mut(..limit).unwrap_or_default();
        let seen = socket.peek(room)?;
        if seen == 0 {
            return Ok(ProxyRead::Closed);
        }
        self.head.extend_from_slice(room.get(..seen).unwrap_or_default());
        let (found, len) = match parse_proxy_header(&self.head) {
            Ok(Some((header, len))) => (ProxyRead::Complete(Box::new(header)), len),
            Ok(None) => (ProxyRead::Partial, self.head.len()),
            Err(error) => return Ok(ProxyRead::Refused(error)),
        };
        // What was peeked is there: this cannot block and cannot be short.
        let own = len.saturating_sub(known);
        let taken = socket.read(room.get_mut(..own).unwrap_or_default())?;
        if taken == own { Ok(found) } else { Ok(ProxyRead::Failed) }
    }
}
