//! What a worker does for connections that are wrapped: TLS handshakes, answers of the layers,
//! and their bounds in time and number.

use std::mem;

use rookery_core::effects::{CloseCause, LogLevel, UpEvent};
use rookery_core::ids::{ConnKey, Now};

use crate::transport::{CLOSED, Incoming, Transport};
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
            .is_some_and(|wrap| wrap.is_in_tls_handshake());
        if !is_in_handshake {
            return true;
        }
        let may = self.handshakes_left > 0;
        self.handshakes_left = self.handshakes_left.saturating_sub(1);
        may
    }

    /// Reads through the layers of a connection (or its bare socket) and notes what they found out.
    pub(crate) fn read_wrapped(
        &mut self,
        now: Now,
        key: ConnKey,
        buffer: &mut [u8],
        at: usize,
    ) -> Incoming {
        let mut wire = mem::take(&mut self.wire);
        wire.now_ms = now.mono_ms;
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
        let header = wrap.header.take();
        let handshake = wrap.ws.as_mut().and_then(|ws| ws.news.take());
        let tls = wrap.tls.as_deref_mut();
        let established = tls.filter(|tls| tls.is_just_established());
        let news = established.map(|tls| {
            let may_stay = tls.announce();
            (tls.peer(), may_stay)
        });
        if let Some(handshake) = handshake {
            self.learn_from_handshake(key, &handshake);
        }
        if let Some((header, guard)) = header
            && !self.learn_from_proxy(key, &header, &guard)
        {
            return false;
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

    /// MQTT bytes came out of a layer by themselves.
    pub(crate) fn take_kept(&mut self, now: Now, key: ConnKey) {
        if self.transport(key).is_some_and(|t| !t.partial.is_empty()) {
            self.offer_partial(now, key);
        } else {
            self.check_held(now, key);
        }
        self.note_unread(key);
    }

    /// Sees to it that input in a layer is read in the next turn: the kernel will not tell of it.
    pub(crate) fn note_unread(&mut self, key: ConnKey) {
        let is_ready = |t: &mut Box<Transport>| t.has_input() && !t.is_paused && !t.is_closing;
        if self.transport(key).is_some_and(is_ready) {
            self.unread.push(key);
        }
    }

    /// Goes on where an earlier turn stopped.
    pub(crate) fn read_on(&mut self, now: Now) {
        for key in mem::take(&mut self.unread) {
            if self.transport(key).is_some_and(|t| t.has_input() && !t.is_paused) {
                self.read(now, key);
            }
        }
    }

    /// Answers of the layers leave even if no packet follows; a peer that closed in a layer is gone.
    pub(crate) fn answer_layers(&mut self, now: Now, key: ConnKey) {
        let Some(transport) = self.transport(key) else { return };
        // What was held for a handshake does not count any more when that is over.
        let is_counted = transport.is_in_handshake() || transport.unadmitted > 0;
        let Some(wrap) = transport.wrap.as_mut() else { return };
        let (pending, is_ended) = (wrap.pending(), wrap.is_ended);
        if wrap.ws.as_mut().is_some_and(|ws| mem::take(&mut ws.is_over)) {
            self.refuse(now, key, CLOSED);
        }
        if pending > ANSWERS_MAX {
            self.drop_connection(now, key, CloseCause::Overload);
        } else if is_ended {
            self.drop_connection(now, key, CloseCause::TcpClosed);
        } else {
            if pending > 0 {
                self.flush(now, key);
            }
            if is_counted {
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
            self.shard.counters().websocket_refused.inc();
            self.complain(key, LogLevel::Info, "WebSocket handshake refused", reason);
        }
        self.shard.lost(now, key, CloseCause::TcpClosed);
    }

    /// TLS failed: the alert is on its way, the connection is over.
    pub(crate) fn tls_failed(&mut self, now: Now, key: ConnKey, error: &rustls::Error) {
        let wrap = self.transport(key).and_then(|t| t.wrap.as_ref());
        let was_in_handshake = wrap.is_some_and(|wrap| wrap.is_in_tls_handshake());
        if was_in_handshake {
            self.shard.counters().tls_handshake_failed.inc();
            let reason = crate::tls::explain::handshake(error);
            self.complain(key, LogLevel::Info, "TLS handshake failed", &reason);
        }
        self.close_gently(now, key, CloseCause::TcpError);
    }

    /// Ends connections whose layers are not through in time, or heard nothing for too long.
    pub(crate) fn end_late_layers(&mut self, now: Now) {
        let mut due = Vec::new();
        self.layers_due.take_due(now.mono_ms, &mut due);
        for key in due {
            let Some(wrap) = self.transport(key).and_then(|t| t.wrap.as_deref()) else { continue };
            let Some(deadline_ms) = wrap.deadline_ms() else { continue };
            if deadline_ms > now.mono_ms {
                self.layers_due.arm(deadline_ms, key);
                continue;
            }
            let (awaits_proxy, is_in_tls) = (wrap.awaits_proxy(), wrap.is_in_tls_handshake());
            let counters = self.shard.counters();
            if awaits_proxy {
                counters.proxy_timeout.inc();
                let reason = "not there within proxy_protocol_timeout";
                self.complain(key, LogLevel::Info, "PROXY header refused", reason);
            } else if is_in_tls {
                counters.tls_handshake_timeout.inc();
                let reason = "not finished within handshake_timeout";
                self.complain(key, LogLevel::Info, "TLS handshake failed", reason);
            } else {
                counters.websocket_idle.inc();
            }
            self.drop_connection(now, key, CloseCause::IdleTimeout);
        }
    }

    /// A line about a peer that never became a client, a few per second.
    pub(crate) fn complain(&mut self, key: ConnKey, level: LogLevel, what: &str, reason: &str) {
        let Some(meta) = self.shard.meta(key) else { return };
        if self.complaints_left == 0 {
            return;
        }
        self.complaints_left -= 1;
        let text = format!("{what}: {reason} (peer {}, listener {})", meta.peer, meta.listener);
        self.up.push_all([UpEvent::Log(level, text.into())]);
    }
}
