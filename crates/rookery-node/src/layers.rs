//! What a worker does for connections that are wrapped: TLS handshakes, answers of the layers,
//! and their bounds in time and number.

use std::mem;

use rookery_core::effects::{CloseCause, LogLevel, UpEvent};
use rookery_core::ids::{ConnKey, Now};

use crate::transport::Incoming;
use crate::worker::Worker;

/// Steps of TLS handshakes per turn and worker. A step costs up to a millisecond of signing, so a
/// storm of them must not keep admitted clients waiting; epoll reports again what was left.
pub(crate) const HANDSHAKES_PER_TURN: usize = 16;
/// Lines per second and worker about handshakes that failed; all are counted.
pub(crate) const COMPLAINTS_MAX: u32 = 5;
/// Bytes of answers that may wait for a peer that sends without taking anything.
const ANSWERS_MAX: usize = 1 << 20;

impl Worker {
    /// Whether a wrapped connection may be read in this turn.
    pub(crate) fn may_read_wrapped(&mut self, key: ConnKey) -> bool {
        let is_in_handshake = self
            .transport(key)
            .and_then(|t| t.wrap.as_ref())
            .is_some_and(|wrap| wrap.is_in_handshake());
        if !is_in_handshake {
            return true;
        }
        let may = self.handshakes_left > 0;
        self.handshakes_left = self.handshakes_left.saturating_sub(1);
        may
    }

    /// Reads through the layers of a connection (or its bare socket) and notes what they found out.
    pub(crate) fn read_wrapped(&mut self, key: ConnKey, buffer: &mut [u8], at: usize) -> Incoming {
        let mut wire = mem::take(&mut self.wire);
        let incoming = match self.transport(key) {
            Some(transport) => transport.read(buffer, at, &mut wire),
            None => Incoming::Nothing,
        };
        self.wire = wire;
        if self.note_news(key) { incoming } else { Incoming::Closed }
    }

    /// Notes what the layers found out about the peer; false when it may not stay.
    fn note_news(&mut self, key: ConnKey) -> bool {
        let Some(wrap) = self.transport(key).and_then(|t| t.wrap.as_deref_mut()) else {
            return true;
        };
        // A WebSocket through a proxy or from a web page does not count as a client of this machine.
        let is_foreign = wrap.ws.as_mut().is_some_and(|ws| mem::take(&mut ws.is_foreign));
        let tls = wrap.tls.as_deref_mut();
        let established = tls.filter(|tls| tls.is_just_established());
        let news = established.map(|tls| {
            let may_stay = tls.announce();
            (tls.peer(), may_stay)
        });
        if is_foreign {
            self.shard.mark_remote(key);
        }
        match news {
            None => true,
            Some((_, false)) => {
                self.shard.counters().tls_handshake_failed.inc();
                false
            }
            Some((certificate, true)) => {
                self.shard.counters().tls_handshake_ok.inc();
                if let Some(certificate) = certificate {
                    self.shard.set_certificate(key, certificate);
                }
                true
            }
        }
    }

    /// Answers of the layers leave even if no packet follows; a peer that closed in a layer is gone.
    pub(crate) fn answer_layers(&mut self, now: Now, key: ConnKey) {
        let Some(transport) = self.transport(key) else { return };
        let is_in_handshake = transport.is_in_handshake();
        let Some(wrap) = transport.wrap.as_ref() else { return };
        let (pending, is_ended) = (wrap.pending(), wrap.is_ended);
        if pending > ANSWERS_MAX {
            self.drop_connection(now, key, CloseCause::Overload);
        } else if is_ended {
            self.drop_connection(now, key, CloseCause::TcpClosed);
        } else {
            if pending > 0 {
                self.flush(now, key);
            }
            if is_in_handshake {
                self.check_held(now, key);
            }
        }
    }

    /// A broken or refused WebSocket: its answer goes out, then it closes.
    pub(crate) fn refuse(&mut self, now: Now, key: ConnKey, reason: &'static str) {
        let Some(transport) = self.transport(key) else { return };
        let ws = transport.wrap.as_ref().and_then(|wrap| wrap.ws.as_ref());
        let was_open = ws.is_some_and(|ws| ws.is_open());
        transport.is_closing = true;
        if !was_open {
            self.complain(key, LogLevel::Info, "WebSocket handshake refused", reason);
        }
        self.shard.lost(now, key, CloseCause::TcpClosed);
    }

    /// TLS failed: the alert is on its way, the connection is over.
    pub(crate) fn tls_failed(&mut self, now: Now, key: ConnKey, error: &rustls::Error) {
        let was_in_handshake = self.transport(key).is_some_and(|t| t.is_in_handshake());
        if was_in_handshake {
            self.shard.counters().tls_handshake_failed.inc();
            let reason = crate::tls::explain::handshake(error);
            self.complain(key, LogLevel::Info, "TLS handshake failed", &reason);
        }
        self.close_gently(now, key, CloseCause::TcpError);
    }

    /// Ends connections whose layers are not through in time.
    pub(crate) fn end_late_handshakes(&mut self, now: Now) {
        let mut due = Vec::new();
        self.layers_due.take_due(now.mono_ms, &mut due);
        for key in due {
            if !self.transport(key).is_some_and(|t| t.is_in_handshake()) {
                continue;
            }
            self.shard.counters().tls_handshake_timeout.inc();
            let reason = "not finished within handshake_timeout";
            self.complain(key, LogLevel::Info, "TLS handshake failed", reason);
            self.drop_connection(now, key, CloseCause::IdleTimeout);
        }
    }

    /// A line about a peer that never became a client, a few per second.
    fn complain(&mut self, key: ConnKey, level: LogLevel, what: &str, reason: &str) {
        let Some(meta) = self.shard.meta(key) else { return };
        if self.complaints_left == 0 {
            return;
        }
        self.complaints_left -= 1;
        let text = format!("{what}: {reason} (peer {}, listener {})", meta.peer, meta.listener);
        self.up.push_all([UpEvent::Log(level, text.into())]);
    }
}
