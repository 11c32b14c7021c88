//! One socket and what its bytes are wrapped in.

mod proxy;
mod websocket;
mod wrap;

use std::io::ErrorKind;

pub(crate) use proxy::ProxyStage;
pub(crate) use websocket::{CLOSED, Handshake, WebSocket};
pub(crate) use wrap::{SEAL_BYTES_MAX, Sent, Wire, Wrap};

use rookery_codec::proxy::ProxyError;

use crate::listen::Membership;
use crate::socket::Socket;

/// A connected socket with the bytes that are on neither side of it yet.
pub(crate) struct Transport {
    pub(crate) socket: Socket,
    /// Distinguishes users of a slot in the worker's table.
    pub(crate) generation: u32,
    /// MQTT bytes of a packet that is not complete, or that may not be handled yet.
    pub(crate) partial: Vec<u8>,
    /// The kernel refused bytes: write interest is armed.
    pub(crate) wants_write: bool,
    /// Reading is held back.
    pub(crate) is_paused: bool,
    /// To be closed once everything is written.
    pub(crate) is_closing: bool,
    /// The peer hung up while reading is held back: the socket is out of epoll.
    pub(crate) is_detached: bool,
    /// Bytes that count as held for a client that is not admitted.
    pub(crate) unadmitted: usize,
    /// The layers around MQTT; none for plain MQTT.
    pub(crate) wrap: Option<Box<Wrap>>,
    /// Counts the connection at its listener as long as it lives.
    pub(crate) member: Membership,
}

/// What came off a socket.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// So many MQTT bytes stand at the front of the buffer.
    Data(usize),
    /// MQTT bytes, if any, were added to `Transport::partial`; more input may wait in a layer.
    Kept,
    /// Nothing to handle now.
    Nothing,
    /// The peer closed.
    Closed,
    /// The socket failed.
    Failed,
    /// The wrapping was broken or refused; what answers it is pending.
    Refused(&'static str),
    /// What should be a PROXY header is none.
    ProxyRefused(ProxyError),
    /// TLS could not be agreed on or was broken; the alert is on its way.
    TlsFailed(rustls::Error),
}

impl Transport {
    /// A connection that was just accepted.
    pub(crate) fn new(socket: Socket, wrap: Option<Box<Wrap>>, member: Membership) -> Self {
        Self {
            socket,
            generation: 0,
            partial: Vec::new(),
            wants_write: false,
            is_paused: false,
            is_closing: false,
            is_detached: false,
            unadmitted: 0,
            wrap,
            member,
        }
    }

    /// Reads once into `buffer` from `at` on, past all layers: for a connection that has none.
    #[inline]
    pub(crate) fn read_bare(&self, buffer: &mut [u8], at: usize) -> Incoming {
        let Some(room) = buffer.get_mut(at..) else { return Incoming::Nothing };
        receive(&self.socket, room)
    }

    /// Reads once into `buffer` from `at` on; MQTT bytes then stand at `at`.
    pub(crate) fn read(&mut self, buffer: &mut [u8], at: usize, wire: &mut Wire) -> Incoming {
        let Some(room) = buffer.get_mut(at..) else { return Incoming::Nothing };
        match self.wrap.as_deref_mut() {
            None => receive(&self.socket, room),
            Some(wrap) => wrap.read(&self.socket, room, &mut self.partial, wire),
        }
    }

    /// Whether input waits in a layer, of which the kernel knows nothing.
    pub(crate) fn has_input(&self) -> bool {
        let ws = self.wrap.as_ref().and_then(|wrap| wrap.ws.as_ref());
        ws.is_some_and(|ws| ws.has_raw())
    }

    /// Whether its layers have something to send besides the outbox.
    pub(crate) fn has_output(&self) -> bool {
        self.wrap.as_ref().is_some_and(|wrap| wrap.has_output())
    }

    /// Whether a layer that comes before MQTT is not through yet.
    pub(crate) fn is_in_handshake(&self) -> bool {
        self.wrap.as_ref().is_some_and(|wrap| wrap.is_in_handshake())
    }

    /// Bytes kept for it, the outbox apart.
    pub(crate) fn held(&self) -> usize {
        self.partial.capacity() + self.wrap.as_ref().map_or(0, |wrap| wrap.held())
    }
}

#[inline]
fn receive(socket: &Socket, room: &mut [u8]) -> Incoming {
    match socket.read(room) {
        Ok(0) => Incoming::Closed,
        Ok(n) => Incoming::Data(n),
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Incoming::Nothing
        }
        Err(_) => Incoming::Failed,
    }
}
