//! Time: keep alive, idle connections, stalled peers, session and will expiry, delayed messages.

use std::sync::Arc;

use rookery_codec::{ReasonCode, Version};

use super::Shard;
use crate::conn::ConnState;
use crate::effects::CloseCause;
use crate::ids::{ConnKey, Now, SessionKey};
use crate::persist;

/// A store that could not write is asked again this often.
const ASK_AGAIN_MS: u64 = 1000;
/// Delayed messages sent in one tick.
const DELAYED_SLICE: usize = 1000;
/// A session's timer fires at least this often while the client is away: a distant deadline
/// would keep one entry per disconnect in the wheel until it comes.
const SESSION_TIMER_MAX_MS: u64 = 200_000;

/// What a timer is about; whether it still applies is looked up when it fires.
#[derive(Copy, Clone, Debug)]
pub(super) enum Timer {
    /// CONNECT is due.
    Idle(ConnKey),
    /// The keep alive is over.
    KeepAlive(ConnKey, u8),
    /// The peer takes no bytes.
    Blocked(ConnKey),
    /// What the client has not acknowledged may have to go out again.
    Retry(ConnKey),
    /// A client above its rate may send again.
    Rate(ConnKey),
    /// What its authentication granted is over.
    Expire(ConnKey),
    /// Enhanced authentication has to be over.
    Exchange(ConnKey),
    /// The session expires or its will is due.
    Session(SessionKey),
}

impl Shard {
    /// Handles what is due; the driver calls it at least every quarter second.
    pub fn tick(&mut self, now: Now) {
        let mut due = std::mem::take(&mut self.due);
        self.wheel.take_due(now.mono_ms, &mut due);
        for timer in due.drain(..) {
            match timer {
                Timer::Idle(key) => self.idle_due(now, key),
                Timer::KeepAlive(key, round) => self.keep_alive_due(now, key, round),
                Timer::Blocked(key) => self.blocked_due(now, key),
                Timer::Retry(key) => self.retry_due(now, key),
                Timer::Rate(key) => self.rate_due(key),
                Timer::Expire(key) => self.expire_due(now, key),
                Timer::Exchange(key) => self.exchange_due(now, key),
                Timer::Session(key) => self.session_due(now, key),
            }
        }
        self.due = due;
        self.settle_moved(now);
        self.send_delayed(now);
        self.send_wills(now);
        self.expire_questions(now);
        self.ask_again(now);
    }

    /// What was put off for a store that could not write waits for its next batch. If no client
    /// causes one, an empty one shows whether it can write again.
    fn ask_again(&mut self, now: Now) {
        if self.wants_ticket && now.mono_ms >= self.asked_again_ms + ASK_AGAIN_MS {
            self.asked_again_ms = now.mono_ms;
            self.wants_ticket = false;
            self.is_asking_again = true;
        }
    }

    fn idle_due(&mut self, now: Now, key: ConnKey) {
        if self
            .conns
            .get_checked(key.slot, key.generation)
            .is_some_and(|c| c.state == ConnState::New)
        {
            self.report_refused(
                key,
                "",
                CloseCause::IdleTimeout,
                "no CONNECT within mqtt.idle_timeout",
            );
            self.end_connection(now, key, CloseCause::IdleTimeout, true);
        }
    }

    fn keep_alive_due(&mut self, now: Now, key: ConnKey, round: u8) {
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return };
        let is_meant = conn.keep_alive_round == round;
        if conn.state != ConnState::Connected || conn.keep_alive_ms == 0 || !is_meant {
            return;
        }
        // Silence of a client that is not read is ours, not its own.
        let heard_at_ms = if conn.is_held_back() { now.mono_ms } else { conn.heard_at_ms };
        let deadline = heard_at_ms + u64::from(conn.keep_alive_ms);
        if deadline > now.mono_ms {
            self.wheel.arm(deadline, Timer::KeepAlive(key, round));
            return;
        }
        // MQTT-5.0 [MQTT-3.1.2-22], MQTT-3.1.1 [MQTT-3.1.2-24].
        self.send_disconnect(key, ReasonCode::KEEP_ALIVE_TIMEOUT, None);
        self.end_connection(now, key, CloseCause::KeepaliveTimeout, true);
    }

    fn blocked_due(&mut self, now: Now, key: ConnKey) {
        let timeout = self.config.limits.send_timeout_ms;
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return };
        conn.is_block_armed = false;
        if conn.blocked_since_ms == 0 || conn.out.is_empty() {
            return;
        }
        let deadline = conn.blocked_since_ms + timeout;
        if deadline > now.mono_ms {
            conn.is_block_armed = true;
            self.wheel.arm(deadline, Timer::Blocked(key));
            return;
        }
        self.metrics().overload_send_timeout.inc();
        self.end_connection(now, key, CloseCause::SendTimeout, false);
        self.effects.close.push((key, false));
    }

    /// Sees to it that the session is looked at when its will is due or it expires. At most one
    /// timer counts: others that were armed for a later time do nothing.
    pub(super) fn arm_session(&mut self, now: Now, slot: u32) {
        let Some(session) = self.sessions.get_mut(slot).filter(|s| s.conn.is_none()) else {
            return;
        };
        let expires = match session.expiry_s {
            u32::MAX => u64::MAX,
            expiry_s => session.disconnected_at_ms + u64::from(expiry_s) * 1000,
        };
        let will = session.will.as_ref().map_or(0, |w| w.due_at_ms);
        let due_at_ms = if will == 0 { expires } else { expires.min(will) };
        if due_at_ms == u64::MAX {
            return;
        }
        let left = due_at_ms.saturating_sub(now.unix_ms).min(SESSION_TIMER_MAX_MS);
        let at_ms = (now.mono_ms + left).max(1);
        if session.timer_ms == 0 || at_ms < session.timer_ms {
            session.timer_ms = at_ms;
            self.wheel.arm(at_ms, Timer::Session(session.key));
        }
    }

    fn session_due(&mut self, now: Now, key: SessionKey) {
        let Some(session) = self.sessions.get_checked16(key.slot, key.generation) else { return };
        if session.timer_ms > now.mono_ms {
            return;
        }
        session.timer_ms = 0;
        if session.conn.is_some() {
            return;
        }
        if session.will.as_ref().is_some_and(|w| w.due_at_ms != 0 && w.due_at_ms <= now.unix_ms) {
            self.publish_will(now, key.slot);
        }
        let Some(session) = self.sessions.get_checked16(key.slot, key.generation) else { return };
        let deadline_ms = session.disconnected_at_ms + u64::from(session.expiry_s) * 1000;
        if session.expiry_s != u32::MAX && deadline_ms <= now.unix_ms {
            self.end_session_in(now, key.slot);
        } else {
            self.arm_session(now, key.slot);
        }
    }

    fn send_delayed(&mut self, now: Now) {
        for _ in 0..DELAYED_SLICE {
            let Some(delayed) = self.delayed.pop_due(now.mono_ms) else { return };
            if !self.removed_delayed.is_empty() && self.removed_delayed.remove(&delayed.message.id)
            {
                continue;
            }
            self.shared.delayed.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
            if self.config.durable {
                self.effects.store_ops.push(persist::delete_delayed(&delayed.message));
            }
            if self.is_delayed_overtaken(&delayed.message) {
                continue;
            }
            self.release_delayed(now, &delayed.message);
            let message = delayed.message.with(delayed.message.topic(), delayed.message.retain, 0);
            self.publish_kept(now, &Arc::new(message));
        }
    }

    /// Forgets QoS 2 identifiers whose PUBREL never came; called now and then by the driver.
    pub fn expire_awaiting_rel(&mut self, now: Now) {
        let mut forgotten = Vec::new();
        let mut freed = Vec::new();
        for slot in 0..self.sessions.slots() {
            let Some(session) = self.sessions.get(slot) else { continue };
            let timeout = self.mqtt(session.meta.zone).await_rel_timeout_ms;
            let is_v5 = session.proto_ver == Version::V5 as u8;
            let (durable_id, conn) = (session.durable_id, session.conn);
            // Only where exactly-once can still be kept: a connected client that stays silent about it.
            if timeout == 0 || session.conn.is_none() || is_v5 {
                continue;
            }
            let Some(ids) = self.sessions.get_mut(slot).and_then(|s| s.awaiting_rel.as_mut())
            else {
                continue;
            };
            let before = ids.len();
            ids.retain(|id, since| {
                let keep = *since + timeout > now.mono_ms;
                if !keep {
                    forgotten.push((durable_id, *id));
                }
                keep
            });
            if ids.len() < before {
                freed.extend(conn);
            }
        }
        for (durable_id, packet_id) in forgotten {
            self.metrics().messages_dropped_await_pubrel_timeout.inc();
            if durable_id != 0 {
                self.effects.store_ops.push(persist::delete_awaiting_rel(durable_id, packet_id));
            }
        }
        freed.into_iter().for_each(|key| self.release_waiting(now, key));
    }
}
