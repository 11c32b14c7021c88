//! Before CONNECT and above the rate: who is kept waiting, and who gives way.

use rookery_codec::packet_type;

use super::Shard;
use super::timers::Timer;
use crate::conn::ConnState;
use crate::effects::{CloseCause, UpEvent};
use crate::ids::{ConnKey, Now};

/// Entries of the lobby above which those that went on are taken out.
const LOBBY_SLACK: usize = 1024;

impl Shard {
    /// Sees to it that one more connection without CONNECT may come: when there are too many, the
    /// oldest gives way. An honest client needs a round trip or two; whoever holds connections
    /// open without a word only ever displaces its own.
    pub(super) fn make_room(&mut self, now: Now) -> bool {
        let max = self.config.limits.unauthenticated_connections;
        while self.unauthenticated >= max {
            let Some(key) = self.lobby.pop_front() else { return false };
            let conn = self.conns.get_checked(key.slot, key.generation);
            if conn.is_some_and(|conn| conn.state == ConnState::New) {
                self.metrics().overload_evicted.inc();
                self.end_connection(now, key, CloseCause::Overload, false);
                self.effects.close.push((key, false));
            }
        }
        true
    }

    pub(super) fn enter_lobby(&mut self, key: ConnKey) {
        if self.lobby.len() > 2 * self.unauthenticated + LOBBY_SLACK {
            let conns = &mut self.conns;
            self.lobby.retain(|key| {
                conns
                    .get_checked(key.slot, key.generation)
                    .is_some_and(|conn| conn.state == ConnState::New)
            });
        }
        self.lobby.push_back(key);
    }

    /// Takes what a packet costs its client; false when the client has to wait, and will be read
    /// again by itself.
    pub(super) fn has_tokens(&mut self, now: Now, key: ConnKey, first: u8, len: usize) -> bool {
        let deferred_max = self.config.limits.deferred_packets;
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return true };
        // A packet that is not taken is offered again and must not be paid for twice.
        let is_full = conn.deferred.as_ref().is_some_and(|d| d.is_full(deferred_max));
        if conn.state != ConnState::Connected || is_full {
            return true;
        }
        let Some(limiter) = conn.limiter.as_mut() else { return true };
        let Err(wait) = limiter.take(now.mono_ms, packet_type(first) == 3, len) else {
            return true;
        };
        conn.is_paused = true;
        if !limiter.is_waiting {
            limiter.is_waiting = true;
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            self.wheel.arm(now.mono_ms.saturating_add(wait_ms), Timer::Rate(key));
            self.metrics().limiter_paused.inc();
        }
        false
    }

    /// The tokens have come in.
    pub(super) fn rate_due(&mut self, key: ConnKey) {
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return };
        let Some(limiter) = conn.limiter.as_mut() else { return };
        limiter.is_waiting = false;
        if conn.state == ConnState::Connected {
            self.resume(key);
        }
    }

    /// Tells that a client did not get in.
    pub(super) fn report_refused(
        &mut self,
        key: ConnKey,
        client_id: &str,
        cause: CloseCause,
        detail: &'static str,
    ) {
        if self.observer.is_tracing {
            let words = format!("{}: {detail}", cause.name());
            self.trace_conn(key, ("CONNECTION", "client_refused"), None, words);
        }
        if let Some(conn) = self.conns.get(key.slot) {
            let event = UpEvent::Refused {
                peer: conn.meta.peer,
                listener: conn.meta.listener.clone(),
                client_id: client_id.into(),
                cause,
                detail,
            };
            self.effects.up.push(event);
        }
    }
}
