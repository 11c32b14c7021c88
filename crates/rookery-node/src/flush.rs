//! Writing outboxes to sockets.

use std::io::{ErrorKind, IoSlice};

use rookery_core::effects::CloseCause;
use rookery_core::ids::{ConnKey, Now};
use rookery_core::outbox::Outbox;
use rustix::event::epoll;

use crate::socket::Socket;
use crate::transport::{SEAL_BYTES_MAX, Sent, Wire, Wrap};
use crate::worker::Worker;

/// Slices of one vectored write.
const SLICES_MAX: usize = 64;

/// How a write went.
enum Written {
    Bytes(usize),
    Failed,
}

impl Worker {
    /// Writes what a connection still has to be sent, as far as the kernel takes it.
    pub(crate) fn flush(&mut self, now: Now, key: ConnKey) {
        let Some(transport) = self.transports.get_mut(key.slot as usize).and_then(Option::as_mut)
        else {
            return;
        };
        if transport.generation != key.generation {
            return;
        }
        if transport.wrap.is_some() {
            self.flush_wrapped(now, key);
            return;
        }
        let Some(outbox) = self.shard.begin_flush(key) else { return };
        if outbox.is_empty() {
            self.written_all(now, key);
            return;
        }
        match write(&transport.socket, outbox) {
            Written::Bytes(n) => {
                let left = self.shard.flushed(now, key, n);
                if left == 0 {
                    self.written_all(now, key);
                } else {
                    self.want_write(key, true);
                }
            }
            Written::Failed => self.drop_connection(now, key, CloseCause::TcpError),
        }
    }

    fn flush_wrapped(&mut self, now: Now, key: ConnKey) {
        let mut wire = std::mem::take(&mut self.wire);
        self.flush_through(now, key, &mut wire);
        self.wire = wire;
    }

    /// Sends through the layers of a connection.
    fn flush_through(&mut self, now: Now, key: ConnKey, wire: &mut Wire) {
        loop {
            let Some(transport) =
                self.transports.get_mut(key.slot as usize).and_then(Option::as_mut)
            else {
                return;
            };
            let Some(wrap) = transport.wrap.as_deref_mut() else { return };
            let mut sent = wrap.send_unsent(&transport.socket);
            if sent == Sent::All && wrap.has_output() {
                // Answers of the layers leave even while the outbox is held back.
                sent = wrap.send(&transport.socket, &[], 0, wire);
            }
            let mut len = 0;
            if sent == Sent::All {
                let Some(outbox) = self.shard.begin_flush(key) else { return };
                if outbox.is_empty() {
                    self.written_all(now, key);
                    return;
                }
                (sent, len) = send_through(wrap, &transport.socket, outbox, wire);
            } else {
                let _ = self.shard.begin_flush(key);
            }
            if sent == Sent::Failed {
                self.drop_connection(now, key, CloseCause::TcpError);
                return;
            }
            let left = self.shard.flushed(now, key, len);
            if sent == Sent::Blocked {
                self.want_write(key, true);
                return;
            }
            if left == 0 {
                self.written_all(now, key);
                return;
            }
        }
    }

    fn written_all(&mut self, now: Now, key: ConnKey) {
        let Some(transport) = self.transport(key) else { return };
        if transport.wants_write {
            self.want_write(key, false);
        }
        if self.transport(key).is_some_and(|t| t.is_closing) {
            self.finish_close(now, key);
        }
    }

    /// Arms or disarms write interest: only after the kernel refused bytes.
    fn want_write(&mut self, key: ConnKey, wants: bool) {
        let Some(transport) = self.transport(key) else { return };
        if transport.wants_write != wants {
            transport.wants_write = wants;
            self.set_interest(key);
        }
    }

    pub(crate) fn set_interest(&mut self, key: ConnKey) {
        let is_paused = self.shard.is_paused(key);
        let Some(transport) = self.transport(key) else { return };
        transport.is_paused = is_paused;
        let mut flags = epoll::EventFlags::empty();
        if !is_paused && !transport.is_closing {
            flags |= epoll::EventFlags::IN | epoll::EventFlags::RDHUP;
        }
        if transport.wants_write {
            flags |= epoll::EventFlags::OUT;
        }
        let data = epoll::EventData::new_u64(key.to_u64());
        let Some(Some(transport)) = self.transports.get_mut(key.slot as usize) else { return };
        if !transport.is_detached {
            let _ = epoll::modify(&self.epoll, &transport.socket, data, flags);
        } else if !is_paused {
            transport.is_detached = false;
            let _ = epoll::add(&self.epoll, &transport.socket, data, flags);
        }
    }

    /// The shard wants a connection closed.
    pub(crate) fn close(&mut self, now: Now, key: ConnKey, after_flush: bool) {
        let has_output = self.shard.outbox(key).is_some_and(|o| !o.is_empty());
        let Some(transport) = self.transport(key) else {
            // Its peer went while packets of it waited for answers.
            self.shard.closed(now, key, CloseCause::TcpClosed);
            return;
        };
        if after_flush && (has_output || transport.has_output()) {
            transport.is_closing = true;
            self.set_interest(key);
            self.flush(now, key);
        } else if after_flush {
            self.finish_close(now, key);
        } else {
            self.drop_connection(now, key, CloseCause::TcpClosed);
        }
    }

    fn finish_close(&mut self, now: Now, key: ConnKey) {
        self.close_gently(now, key, CloseCause::TcpClosed);
    }

    /// Closes so that the peer can read the last words.
    pub(crate) fn close_gently(&mut self, now: Now, key: ConnKey, cause: CloseCause) {
        self.shard.closed(now, key, cause);
        if let Some(mut transport) = self.take_transport(key) {
            let _ = epoll::delete(&self.epoll, &transport.socket);
            if let Some(wrap) = transport.wrap.as_deref_mut() {
                wrap.say_goodbye(&transport.socket, &mut self.wire);
            }
            self.lingering.push(now.mono_ms, transport.socket);
        }
    }
}

#[inline]
fn write(socket: &Socket, outbox: &Outbox) -> Written {
    let result = match outbox.contiguous() {
        Some(bytes) => socket.write(bytes),
        None => {
            let mut slices: Vec<IoSlice<'_>> = Vec::with_capacity(SLICES_MAX);
            outbox.slices(&mut slices, SLICES_MAX);
            socket.write_vectored(&slices)
        }
    };
    match result {
        Ok(n) => Written::Bytes(n),
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Written::Bytes(0)
        }
        Err(_) => Written::Failed,
    }
}

/// Seals and sends the front of an outbox; how it went and how much of it that was.
fn send_through(
    wrap: &mut Wrap,
    socket: &Socket,
    outbox: &Outbox,
    wire: &mut Wire,
) -> (Sent, usize) {
    if let Some(bytes) = outbox.contiguous() {
        let bytes = bytes.get(..SEAL_BYTES_MAX).unwrap_or(bytes);
        let sent = wrap.send(socket, &[IoSlice::new(bytes)], bytes.len(), wire);
        return (sent, bytes.len());
    }
    let mut slices: Vec<IoSlice<'_>> = Vec::with_capacity(SLICES_MAX);
    outbox.slices(&mut slices, SLICES_MAX);
    let mut left = SEAL_BYTES_MAX;
    let mut parts = Vec::with_capacity(slices.len());
    for slice in &slices {
        let part = slice.get(..left).unwrap_or(slice);
        left -= part.len();
        parts.push(IoSlice::new(part));
        if left == 0 {
            break;
        }
    }
    let len = SEAL_BYTES_MAX - left;
    (wrap.send(socket, &parts, len, wire), len)
}
