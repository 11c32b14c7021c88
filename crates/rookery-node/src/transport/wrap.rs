//! The layers between a socket and its MQTT bytes: PROXY header, TLS and WebSocket, outermost
//! first.
//!
//! Layers work in buffers of the thread ([`Wire`]); a connection owns bytes only while a record
//! is incomplete or the kernel did not take everything.

use std::io::{ErrorKind, IoSlice};
use std::sync::Arc;

use rookery_codec::proxy::ProxyHeader;
use rookery_codec::ws::Deflater;

use super::proxy::{ProxyRead, ProxyStage};
use super::websocket::WebSocket;
use super::{Incoming, receive};
use crate::guard::Guard;
use crate::socket::Socket;
use crate::tls::session::{READ_BYTES_MAX, TlsEnd, TlsSession};

/// Bytes that are sealed at once. More would only wait in memory instead of in the outbox.
pub(crate) const SEAL_BYTES_MAX: usize = 64 * 1024;
/// What is kept of a buffer of the thread between turns.
const WIRE_KEPT_MAX: usize = 128 * 1024;

/// Buffers of one thread for what is between the layers.
#[derive(Default)]
pub(crate) struct Wire {
    /// Bytes off the socket, before the outermost layer took them.
    pub(super) input: Vec<u8>,
    /// Bytes between two layers on their way out.
    plain: Vec<u8>,
    /// Bytes for the socket.
    pub(crate) output: Vec<u8>,
    /// Compresses messages of WebSockets that agreed to it.
    deflater: Option<Box<Deflater>>,
    /// The time of this turn.
    pub(crate) now_ms: u64,
}

/// The layers of one connection, outermost first.
pub(crate) struct Wrap {
    /// PROXY header that is still to come.
    proxy: Option<Box<ProxyStage>>,
    /// PROXY header that came; taken once by the worker.
    pub(crate) header: Option<(Box<ProxyHeader>, Arc<Guard>)>,
    /// TLS.
    pub(crate) tls: Option<Box<TlsSession>>,
    /// WebSocket.
    pub(crate) ws: Option<Box<WebSocket>>,
    /// Bytes for the socket that the kernel did not take.
    unsent: Vec<u8>,
    /// The peer said in a layer that nothing more comes.
    pub(crate) is_ended: bool,
}

/// How sending went.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Sent {
    /// Nothing is left.
    All,
    /// The kernel takes no more.
    Blocked,
    /// The socket or a layer failed.
    Failed,
}

impl Wrap {
    /// The layers of a connection; none when there are none.
    pub(crate) fn new(
        proxy: Option<Box<ProxyStage>>,
        tls: Option<Box<TlsSession>>,
        ws: Option<Box<WebSocket>>,
    ) -> Option<Box<Self>> {
        if proxy.is_none() && tls.is_none() && ws.is_none() {
            return None;
        }
        Some(Box::new(Self { proxy, header: None, tls, ws, unsent: Vec::new(), is_ended: false }))
    }

    /// Whether nothing is left to do between socket and MQTT.
    pub(crate) fn is_done(&self) -> bool {
        self.proxy.is_none() && self.header.is_none() && self.tls.is_none() && self.ws.is_none()
    }

    /// Whether the PROXY header is still to come.
    pub(crate) fn awaits_proxy(&self) -> bool {
        self.proxy.is_some()
    }

    /// Whether TLS is not agreed on yet.
    pub(crate) fn is_in_tls_handshake(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// Reads once; MQTT bytes come to the front of `room`, or to the end of `partial`. What the
    /// layers have to answer waits for [`Wrap::send`].
    pub(crate) fn read(
        &mut self,
        socket: &Socket,
        room: &mut [u8],
        partial: &mut Vec<u8>,
        wire: &mut Wire,
    ) -> Incoming {
        if let Some(proxy) = self.proxy.as_deref_mut() {
            return match proxy.read(socket, room) {
                ProxyRead::Complete(header) => {
                    self.header = Some((header, proxy.guard.clone()));
                    self.proxy = None;
                    Incoming::Nothing
                }
                ProxyRead::Partial => Incoming::Nothing,
                ProxyRead::Closed => Incoming::Closed,
                ProxyRead::Failed => Incoming::Failed,
                ProxyRead::Refused(error) => Incoming::ProxyRefused(error),
            };
        }
        if let Some(ws) = self.ws.as_deref_mut().filter(|ws| ws.has_raw()) {
            return ws.inflate(partial);
        }
        let incoming = match self.tls.as_deref_mut() {
            Some(tls) => read_tls(tls, socket, room, wire, &mut self.unsent, &mut self.is_ended),
            None => receive(socket, room),
        };
        match (incoming, self.ws.as_mut()) {
            (Incoming::Data(n), Some(ws)) if n > 0 => match room.get_mut(..n) {
                Some(bytes) => match ws.take(bytes, wire.now_ms) {
                    Incoming::Kept => ws.inflate(partial),
                    // Frames without MQTT bytes: a ping is no sign of life of the client.
                    Incoming::Data(0) => Incoming::Nothing,
                    incoming => incoming,
                },
                None => Incoming::Failed,
            },
            (incoming, _) => incoming,
        }
    }

    /// Whether a layer that comes before CONNECT is not through yet.
    pub(crate) fn is_in_handshake(&self) -> bool {
        self.awaits_proxy()
            || self.is_in_tls_handshake()
            || self.ws.as_ref().is_some_and(|ws| !ws.is_open())
    }

    /// When the layers have to be through, or to have heard from the peer, in ms of the monotonic
    /// clock; none when they wait for nothing.
    pub(crate) fn deadline_ms(&self) -> Option<u64> {
        if let Some(proxy) = &self.proxy {
            return Some(proxy.deadline_ms());
        }
        match &self.tls {
            Some(tls) if tls.is_handshaking() => Some(tls.deadline_ms()),
            _ => self.ws.as_ref().and_then(|ws| ws.idle_deadline_ms()),
        }
    }

    /// Whether something waits to be sent besides the outbox.
    pub(crate) fn has_output(&self) -> bool {
        !self.unsent.is_empty() || self.ws.as_ref().is_some_and(|ws| !ws.replies.is_empty())
    }

    /// Bytes kept for this connection by its layers.
    pub(crate) fn held(&self) -> usize {
        self.unsent.capacity()
            + self.proxy.as_ref().map_or(0, |proxy| proxy.held())
            + self.tls.as_ref().map_or(0, |tls| tls.held())
            + self.ws.as_ref().map_or(0, |ws| ws.held())
    }

    /// Bytes of answers that wait for a peer that does not read.
    pub(crate) fn pending(&self) -> usize {
        self.unsent.len() + self.ws.as_ref().map_or(0, |ws| ws.replies.len())
    }

    /// Seals the replies of the layers and `slices` (`len` bytes together) and sends them. The
    /// bytes count as sent: what the kernel does not take waits here.
    pub(crate) fn send(
        &mut self,
        socket: &Socket,
        slices: &[IoSlice<'_>],
        len: usize,
        wire: &mut Wire,
    ) -> Sent {
        wire.output.clear();
        if self.seal(slices, len, wire).is_err() {
            return Sent::Failed;
        }
        let written = if self.unsent.is_empty() { write(socket, &wire.output) } else { Ok(0) };
        let Ok(written) = written else { return Sent::Failed };
        let rest = wire.output.get(written..).unwrap_or_default();
        self.unsent.extend_from_slice(rest);
        wire.trim();
        if self.unsent.is_empty() { Sent::All } else { Sent::Blocked }
    }

    /// Sends what the kernel did not take before.
    pub(crate) fn send_unsent(&mut self, socket: &Socket) -> Sent {
        if self.unsent.is_empty() {
            return Sent::All;
        }
        let Ok(written) = write(socket, &self.unsent) else { return Sent::Failed };
        if written == self.unsent.len() {
            self.unsent = Vec::new();
            return Sent::All;
        }
        self.unsent.drain(..written);
        Sent::Blocked
    }

    fn seal(&mut self, slices: &[IoSlice<'_>], len: usize, wire: &mut Wire) -> Result<(), ()> {
        let Some(tls) = self.tls.as_deref_mut() else {
            if let Some(ws) = self.ws.as_mut() {
                let slices = slices.iter().map(|s| &**s);
                ws.wrap(slices, len, &mut wire.deflater, &mut wire.output);
            } else {
                slices.iter().for_each(|s| wire.output.extend_from_slice(s));
            }
            return Ok(());
        };
        if tls.is_handshaking() {
            // Nothing of MQTT can be due before the handshake is over.
            return Ok(());
        }
        let plain = match (self.ws.as_mut(), slices) {
            (None, [one]) => &**one,
            (ws, _) => {
                wire.plain.clear();
                match ws {
                    Some(ws) => {
                        let slices = slices.iter().map(|s| &**s);
                        ws.wrap(slices, len, &mut wire.deflater, &mut wire.plain);
                    }
                    None => slices.iter().for_each(|s| wire.plain.extend_from_slice(s)),
                }
                wire.plain.as_slice()
            }
        };
        if plain.is_empty() { Ok(()) } else { tls.seal(plain, &mut wire.output) }
    }

    /// The last word of TLS, as far as the kernel takes it: close_notify.
    pub(crate) fn say_goodbye(&mut self, socket: &Socket, wire: &mut Wire) {
        if let Some(tls) = self.tls.as_deref_mut()
            && self.unsent.is_empty()
        {
            wire.output.clear();
            tls.seal_end(&mut wire.output);
            let _ = write(socket, &wire.output);
        }
    }
}

impl Wire {
    /// Gives back what an unusually large turn took.
    fn trim(&mut self) {
        for buffer in [&mut self.plain, &mut self.output] {
            if buffer.capacity() > WIRE_KEPT_MAX {
                *buffer = Vec::new();
            }
        }
    }
}

/// Reads ciphertext and opens it. Answers of TLS itself go out at once: they do not wait for
/// a turn to end, and no outbox knows them.
fn read_tls(
    tls: &mut TlsSession,
    socket: &Socket,
    room: &mut [u8],
    wire: &mut Wire,
    unsent: &mut Vec<u8>,
    is_ended: &mut bool,
) -> Incoming {
    let held = tls.begin_read(&mut wire.input);
    let limit = READ_BYTES_MAX.min(room.len());
    let Some(free) = wire.input.get_mut(held..limit).filter(|free| !free.is_empty()) else {
        // A message of the handshake that is larger than any sane one.
        return Incoming::Failed;
    };
    let incoming = receive(socket, free);
    let Incoming::Data(n) = incoming else { return incoming };
    wire.output.clear();
    let input = wire.input.get_mut(..held + n).unwrap_or_default();
    let opened = tls.open(input, room, &mut wire.output);
    if !wire.output.is_empty() {
        let written = if unsent.is_empty() { write(socket, &wire.output) } else { Ok(0) };
        match written {
            Ok(written) => unsent.extend_from_slice(wire.output.get(written..).unwrap_or_default()),
            Err(_) => return Incoming::Failed,
        }
    }
    match opened.end {
        None if opened.len == 0 => Incoming::Nothing,
        None => Incoming::Data(opened.len),
        Some(TlsEnd::Closed) if opened.len == 0 => Incoming::Closed,
        Some(TlsEnd::Closed) => {
            *is_ended = true;
            Incoming::Data(opened.len)
        }
        Some(TlsEnd::Failed(error)) => Incoming::TlsFailed(error),
    }
}

fn write(socket: &Socket, bytes: &[u8]) -> std::io::Result<usize> {
    if bytes.is_empty() {
        return Ok(0);
    }
    match socket.write(bytes) {
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(0),
        result => result,
    }
}
