//! Writing outboxes to sockets.

use std::io::{ErrorKind, IoSlice, Write};
use std::net::TcpStream;

use rookery_core::effects::CloseCause;
use rookery_core::ids::{ConnKey, Now};
use rookery_core::outbox::Outbox;
use rustix::event::epoll;

use crate::worker::Worker;

/// Slices of one vectored write.
const SLICES_MAX: usize = 64;
/// Framed WebSocket bytes per round.
const FRAME_BYTES_MAX: usize = 64 * 1024;

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
        if transport.ws.is_some() {
            self.flush_websocket(now, key);
            return;
        }
        let Some(outbox) = self.shard.begin_flush(key) else { return };
        if outbox.is_empty() {
            self.written_all(now, key);
            return;
        }
        match write(&transport.stream, outbox) {
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

    fn flush_websocket(&mut self, now: Now, key: ConnKey) {
        loop {
            let Some(transport) =
                self.transports.get_mut(key.slot as usize).and_then(Option::as_mut)
            else {
                return;
            };
            let Some(ws) = transport.ws.as_mut() else { return };
            if !ws.pending.is_empty() {
                match (&transport.stream).write(&ws.pending) {
                    Ok(n) => {
                        ws.pending.drain(..n);
                    }
                    Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                    Err(_) => {
                        self.drop_connection(now, key, CloseCause::TcpError);
                        return;
                    }
                }
                if !ws.pending.is_empty() {
                    let _ = self.shard.begin_flush(key);
                    let _ = self.shard.flushed(now, key, 0);
                    self.want_write(key, true);
                    return;
                }
                ws.pending.shrink_to(0);
            }
            let Some(outbox) = self.shard.begin_flush(key) else { return };
            if outbox.is_empty() {
                self.written_all(now, key);
                return;
            }
            let mut slices = Vec::new();
            outbox.slices(&mut slices, SLICES_MAX);
            let mut len = 0;
            let taken = slices.iter().take_while(|s| {
                let fits = len == 0 || len + s.len() <= FRAME_BYTES_MAX;
                if fits {
                    len += s.len();
                }
                fits
            });
            let taken: Vec<&[u8]> = taken.map(|s| &**s).collect();
            ws.wrap(taken.into_iter(), len);
            let _ = self.shard.flushed(now, key, len);
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
            let _ = epoll::modify(&self.epoll, &transport.stream, data, flags);
        } else if !is_paused {
            transport.is_detached = false;
            let _ = epoll::add(&self.epoll, &transport.stream, data, flags);
        }
    }

    /// The shard wants a connection closed.
    pub(crate) fn close(&mut self, now: Now, key: ConnKey, after_flush: bool) {
        let has_output = self.shard.outbox(key).is_some_and(|o| !o.is_empty());
        let Some(transport) = self.transport(key) else {
            return;
        };
        let has_frames = transport.ws.as_ref().is_some_and(|ws| !ws.pending.is_empty());
        if after_flush && (has_output || has_frames) {
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
        self.shard.closed(now, key, CloseCause::TcpClosed);
        if let Some(transport) = self.take_transport(key) {
            let _ = epoll::delete(&self.epoll, &transport.stream);
            self.lingering.push(now.mono_ms, transport.stream);
        }
    }
}

#[inline]
fn write(mut stream: &TcpStream, outbox: &Outbox) -> Written {
    let result = match outbox.contiguous() {
        Some(bytes) => stream.write(bytes),
        None => {
            let mut slices: Vec<IoSlice<'_>> = Vec::with_capacity(SLICES_MAX);
            outbox.slices(&mut slices, SLICES_MAX);
            stream.write_vectored(&slices)
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
