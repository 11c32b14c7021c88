//! Packets on their way out: into the outbox of a connection, and from there to its socket.

use rookery_codec::Version;

use super::Shard;
use super::timers::Timer;
use crate::conn::ConnState;
use crate::ids::{ConnKey, Now};
use crate::outbox::Outbox;

impl Shard {
    /// Appends a packet to a connection's outbox and marks it dirty; false when it is larger than
    /// the client takes, MQTT-5.0 [MQTT-3.1.2-24].
    #[inline]
    pub(super) fn write(
        &mut self,
        key: ConnKey,
        encode: impl FnOnce(&mut Vec<u8>, Version),
    ) -> bool {
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return true };
        let version = conn.version;
        let writer = conn.out.writer(&mut self.pool);
        let start = writer.len();
        encode(writer, version);
        let max = conn.packet_size_max as usize;
        if max != 0 && writer.len() - start > max {
            writer.truncate(start);
            // An outbox that holds nothing keeps no buffer.
            conn.out.advance(0, &mut self.pool);
            return false;
        }
        self.outbox_bytes += writer.len() - start;
        let sent = (self.observer.is_tracing && conn.traced != 0)
            .then(|| writer.get(start..).map(<[u8]>::to_vec))
            .flatten();
        conn.traffic.sent_packet();
        if !conn.is_dirty {
            conn.is_dirty = true;
            self.effects.dirty.push(key);
        }
        self.metrics().packets_sent.inc();
        if let Some(sent) = sent {
            self.trace_sent(key, &sent);
        }
        true
    }

    /// The bytes a connection still has to be sent.
    pub fn outbox(&mut self, key: ConnKey) -> Option<&mut Outbox> {
        self.conns.get_checked(key.slot, key.generation).map(|conn| &mut conn.out)
    }

    /// The driver takes a dirty connection off the list to write it.
    pub fn begin_flush(&mut self, key: ConnKey) -> Option<&Outbox> {
        let conn = self.conns.get_checked(key.slot, key.generation)?;
        conn.is_dirty = false;
        (!conn.is_held).then_some(&conn.out)
    }

    /// The driver wrote `n` bytes of a connection; returns how many are left.
    #[inline]
    pub fn flushed(&mut self, now: Now, key: ConnKey, n: usize) -> usize {
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return 0 };
        conn.out.advance(n, &mut self.pool);
        self.outbox_bytes = self.outbox_bytes.saturating_sub(n);
        conn.traffic.sent(n);
        let left = conn.out.len();
        if left == 0 {
            conn.blocked_since_ms = 0;
        } else if n > 0 || conn.blocked_since_ms == 0 {
            conn.blocked_since_ms = now.mono_ms.max(1);
            if !conn.is_block_armed {
                conn.is_block_armed = true;
                self.wheel
                    .arm(now.mono_ms + self.config.limits.send_timeout_ms, Timer::Blocked(key));
            }
        }
        let has_room = left < self.config.limits.outbox_high_water_bytes / 2;
        let was_congested = conn.is_congested && has_room;
        if was_congested {
            conn.is_congested = false;
        }
        let (slot, state) = (conn.session, conn.state);
        let may_resume = has_room
            && conn.is_paused
            && state == ConnState::Connected
            && conn.deferred.as_ref().is_none_or(|d| d.queue.is_empty());
        if was_congested && state == ConnState::Connected {
            self.pump(now, slot);
        }
        if may_resume {
            self.resume(key);
        }
        if let Some(metrics) = self.shared.metrics.get(usize::from(self.index)) {
            metrics.bytes_sent.add(n as u64);
        }
        left
    }
}
