//! The end of connections and sessions: DISCONNECT, takeover, wills, clean-up in slices.

use std::collections::VecDeque;

use rookery_codec::{Disconnect, ParsedFilter, ReasonCode, Version, parse_filter};

use super::leaving::Leaving;
use super::{Fault, Shard, Step};
use crate::conn::{ConnState, DeferredPacket};
use crate::effects::{CloseCause, SessionEvent, UpEvent};
use crate::ids::{ConnKey, Now, SessionKey};
use crate::persist;
use crate::session::{Queued, Session, Subscription};
use crate::store_port::Op;

/// Subscriptions taken out of the trie in one turn.
const CLEANUP_SLICE: usize = 2000;
/// Packet type, MQTT-5.0 table 2-1.
const DISCONNECT: u8 = 14;

/// Subscriptions of an ended session that still have to leave the trie.
#[derive(Debug)]
pub(super) struct Cleanup {
    key: SessionKey,
    durable_id: u64,
    mountpoint: std::sync::Arc<str>,
    filters: Vec<(Box<str>, Subscription)>,
}

impl Cleanup {
    pub(super) fn new(
        key: SessionKey,
        durable_id: u64,
        mountpoint: std::sync::Arc<str>,
        filters: Vec<(Box<str>, Subscription)>,
    ) -> Self {
        Self { key, durable_id, mountpoint, filters }
    }
}

impl Shard {
    /// MQTT-5.0 section 3.14.
    pub(super) fn handle_disconnect(
        &mut self,
        now: Now,
        key: ConnKey,
        disconnect: &Disconnect<'_>,
    ) -> Result<Step, Fault> {
        self.metrics().disconnect_received.inc();
        if disconnect.server_reference.is_some() || is_server_reason(disconnect.reason) {
            // MQTT-5.0 sections 3.14.2.1 and 3.14.2.2.5.
            return Err(Fault::new(
                ReasonCode::PROTOCOL_ERROR,
                "DISCONNECT with what only a server sends",
            ));
        }
        let Some(conn) = self.conns.get(key.slot) else { return Ok(Step::End) };
        let (slot, zone) = (conn.session, conn.meta.zone);
        let max_expiry = self.mqtt(zone).max_session_expiry_interval_s;
        let Some(session) = self.sessions.get_mut(slot) else { return Ok(Step::End) };
        if let Some(expiry_s) = disconnect.session_expiry_interval_s {
            // MQTT-5.0 [MQTT-3.1.2-23] and section 3.14.2.2.2: zero cannot become more than zero.
            if session.expiry_s == 0 && expiry_s != 0 {
                return Err(Fault::new(
                    ReasonCode::PROTOCOL_ERROR,
                    "session expiry interval raised from 0 by DISCONNECT",
                ));
            }
            session.expiry_s = expiry_s.min(max_expiry);
        }
        // MQTT-5.0 [MQTT-3.14.4-3], MQTT-3.1.1 [MQTT-3.14.4-3]: only a normal end discards the will.
        if disconnect.reason == ReasonCode::NORMAL_DISCONNECTION {
            self.discard_will(now, slot);
        }
        self.end_connection(now, key, CloseCause::Normal, true);
        Ok(Step::End)
    }

    /// The will is not to be published: forgets it here, and other nodes need not know it any more.
    pub(super) fn discard_will(&mut self, now: Now, slot: u32) {
        if let Some(client_id) = self.forget_will(slot) {
            self.release_will(now, &client_id, true);
        }
    }

    /// Forgets the will, in memory and on disk; the client, if there was one.
    pub(super) fn forget_will(&mut self, slot: u32) -> Option<std::sync::Arc<str>> {
        let session = self.sessions.get_mut(slot)?;
        session.will.take()?;
        let client_id = session.publisher.client_id.clone();
        if self.config.durable {
            self.effects.store_ops.push(persist::delete_will(&client_id));
        }
        Some(client_id)
    }

    /// A new connection takes the session of an old one, or ends it. MQTT-5.0 [MQTT-3.1.4-3].
    pub(super) fn take_over(&mut self, now: Now, slot: u32, clean_start: bool) {
        let Some(session) = self.sessions.get(slot) else { return };
        let ends_anyway = session.expiry_s == 0;
        if let Some(old) = session.conn {
            let cause = if clean_start { CloseCause::Discarded } else { CloseCause::TakenOver };
            if clean_start {
                self.metrics().session_discarded.inc();
                self.tell_session(slot, SessionEvent::Discarded);
            } else {
                self.metrics().session_takenover.inc();
                self.tell_session(slot, SessionEvent::TakenOver);
            }
            if self.has_said_goodbye(old) {
                self.discard_will(now, slot);
            }
            self.send_disconnect(old, ReasonCode::SESSION_TAKEN_OVER, None);
            self.end_connection(now, old, cause, true);
        } else if !clean_start {
            // MQTT-5.0 [MQTT-3.1.3-9]: the delayed will is not sent when the session goes on.
            self.discard_will(now, slot);
        }
        if clean_start && !ends_anyway {
            self.end_session_in(now, slot);
        }
    }

    /// Whether a normal DISCONNECT waits behind a question. MQTT-5.0 section 3.14.2.1: the reason is
    /// left out, or 0x00.
    fn has_said_goodbye(&self, key: ConnKey) -> bool {
        let deferred = self.conns.get(key.slot).and_then(|conn| conn.deferred.as_ref());
        deferred.and_then(|d| d.queue.back()).is_some_and(|packet| match packet {
            DeferredPacket::Raw { first, body } => {
                first >> 4 == DISCONNECT && body.first().is_none_or(|reason| *reason == 0)
            }
            _ => false,
        })
    }

    /// The transport is gone (peer closed, error) or the driver finished closing it.
    ///
    /// What a client sent before it went is handled first: a DISCONNECT, which discards the will
    /// (MQTT-5.0 [MQTT-3.14.4-3]), may wait behind a question about a PUBLISH. The answer comes, or its
    /// deadline.
    pub fn closed(&mut self, now: Now, key: ConnKey, cause: CloseCause) {
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return };
        let is_of_peer = matches!(cause, CloseCause::TcpClosed | CloseCause::TcpError);
        if is_of_peer
            && conn.state == ConnState::Connected
            && let Some(deferred) = conn.deferred.as_mut()
            && !deferred.queue.is_empty()
            && deferred.ended_by.is_none()
        {
            deferred.ended_by = Some(cause);
            return;
        }
        self.end_connection(now, key, cause, false);
        self.forget(key);
    }

    /// The transport cannot carry MQTT any more but still has something to send.
    pub fn lost(&mut self, now: Now, key: ConnKey, cause: CloseCause) {
        self.end_connection(now, key, cause, true);
    }

    /// Ends a connection of whatever state. `flush` keeps the socket until the outbox is empty.
    pub(super) fn end_connection(
        &mut self,
        now: Now,
        key: ConnKey,
        cause: CloseCause,
        flush: bool,
    ) {
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return };
        let state = conn.state;
        let slot = conn.session;
        let is_announced = conn.is_announced;
        conn.deferred = None;
        conn.aliases = None;
        if self.observer.is_tracing && state == ConnState::Connected {
            let words = cause.name().to_owned();
            self.trace_conn(key, ("CONNECTION", "client_disconnected"), None, words);
        }
        if state != ConnState::Closing {
            if state.is_before_admission() {
                self.unauthenticated = self.unauthenticated.saturating_sub(1);
                self.metrics().unauthenticated.set(self.unauthenticated as u64);
            }
            if let Some(conn) = self.conns.get_mut(key.slot) {
                conn.state = ConnState::Closing;
            }
            if flush {
                self.effects.close.push((key, true));
            }
        }
        if state == ConnState::Connected {
            self.client_gone(now, slot, cause, is_announced);
        }
    }

    /// A client lost its connection: will, notices, and what becomes of the session.
    fn client_gone(&mut self, now: Now, slot: u32, cause: CloseCause, is_announced: bool) {
        self.leave_place();
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let key = session.conn.take();
        session.disconnected_at_ms = now.unix_ms;
        let expiry_s = session.expiry_s;
        // Whose CONNACK never left was never connected, to whoever watches.
        if is_announced {
            self.metrics().client_disconnected.inc();
            if let Some(session) = self.sessions.get(slot) {
                let info = Box::new(self.info(session, key));
                self.effects.up.push(UpEvent::Disconnected(info, cause));
            }
            self.notice_disconnected(now, slot, key, cause);
            self.note_disconnected(now, slot, key, cause);
        }
        self.note_flapping(now, slot, cause);
        self.will_on_close(now, slot, cause);
        if expiry_s == 0 {
            self.end_session_in(now, slot);
            return;
        }
        self.park(slot);
        self.arm_session(now, slot);
    }

    /// Counts a disconnect that was not the node's own doing.
    fn note_flapping(&mut self, now: Now, slot: u32, cause: CloseCause) {
        let is_ours = matches!(
            cause,
            CloseCause::ServerShutdown
                | CloseCause::Kicked
                | CloseCause::Moved
                | CloseCause::Banned
                | CloseCause::Expired
        );
        if !self.config.flapping.enable || is_ours {
            return;
        }
        let Some(session) = self.sessions.get(slot) else { return };
        let client_id = session.publisher.client_id.clone();
        let (username, peer) = (session.publisher.username.clone(), session.meta.peer);
        if self.flapping.note(&self.config.flapping, now.mono_ms, &client_id) {
            self.metrics().flapping_detected.inc();
            self.effects.up.push(UpEvent::Flapping { client_id, username, peer });
        }
    }

    /// The session waits for its client: shared messages go to others, durable bodies leave memory.
    fn park(&mut self, slot: u32) {
        self.redispatch_shared(slot, false);
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let mut freed = 0;
        for item in session.queue.iter_mut() {
            if item.seq != 0 && item.message.is_some() && item.group.is_none() {
                freed += item.size();
                item.message = None;
                freed -= item.size();
            }
        }
        for entry in session.inflight.iter_mut() {
            if entry.item.seq != 0 && entry.item.group.is_none() {
                entry.item.message = None;
            }
        }
        if session.durable_id != 0 {
            let zone = self.config.zones.get(usize::from(session.meta.zone));
            let op = persist::put_session(session, zone.map_or("default", |zone| &zone.name));
            self.effects.store_ops.push(op);
        }
        self.queued_bytes = self.queued_bytes.saturating_sub(freed);
    }

    fn will_on_close(&mut self, now: Now, slot: u32, cause: CloseCause) {
        let Some(session) = self.sessions.get_mut(slot) else { return };
        // A graceful stop is no failure of the client: its will stays pending and is decided after the restart.
        if cause == CloseCause::ServerShutdown {
            return;
        }
        let Some(will) = session.will.as_mut() else { return };
        // A taken-over session goes on: a delayed will is void, MQTT-5.0 [MQTT-3.1.3-9].
        if cause == CloseCause::TakenOver && will.delay_s > 0 && session.expiry_s > 0 {
            self.discard_will(now, slot);
            return;
        }
        if will.delay_s == 0 || session.expiry_s == 0 {
            self.publish_will(now, slot);
            return;
        }
        let delay_s = will.delay_s.min(session.expiry_s);
        will.due_at_ms = now.unix_ms + u64::from(delay_s) * 1000;
        if self.config.durable {
            let op = persist::put_will(&session.publisher.client_id, will);
            self.effects.store_ops.push(op);
        }
        self.pledge_will(now, slot);
    }

    /// Ends a session whatever state it is in.
    pub(super) fn end_session_in(&mut self, now: Now, slot: u32) {
        self.end_departure(slot);
        if self.sessions.get(slot).is_some_and(|s| s.will.is_some()) && !self.is_stopping {
            self.publish_will(now, slot);
        }
        let moving = self.redispatch_shared(slot, true);
        self.tell_session(slot, SessionEvent::Terminated);
        let Some(session) = self.sessions.remove(slot) else { return };
        self.clients.remove(&session.publisher.client_id);
        self.shared.sessions.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        self.metrics().session_terminated.inc();
        self.metrics().sessions.set(self.sessions.len() as u64);
        self.drop_session_state(*session, moving);
    }

    pub(super) fn drop_session_state(&mut self, session: Session, moving: VecDeque<Queued>) {
        let mut queue = session.queue;
        let freed: usize = queue.drain().iter().map(Queued::size).sum();
        self.queued_bytes = self.queued_bytes.saturating_sub(freed);
        if session.durable_id != 0 {
            let leaving = Leaving::new(session.durable_id, &session.publisher.client_id, moving);
            self.leave(session.key, leaving);
            if let Some(ids) = &session.awaiting_rel {
                for packet_id in ids.keys() {
                    self.effects
                        .store_ops
                        .push(persist::delete_awaiting_rel(session.durable_id, *packet_id));
                }
            }
        }
        let filters: Vec<_> = session.subscriptions.into_iter().collect();
        if filters.is_empty() {
            return;
        }
        let (key, durable_id, mountpoint) =
            (session.key, session.durable_id, session.meta.mountpoint.clone());
        self.cleanup.push_back(Cleanup::new(key, durable_id, mountpoint, filters));
        if self.cleanup.len() == 1 {
            self.clean_up_slice();
        }
    }

    /// Takes a slice of ended sessions' subscriptions out of the trie.
    pub(super) fn clean_up_slice(&mut self) {
        let mut budget = CLEANUP_SLICE;
        while budget > 0 {
            let Some(cleanup) = self.cleanup.front_mut() else { return };
            let Some((filter, _)) = cleanup.filters.pop() else {
                self.cleanup.pop_front();
                continue;
            };
            let (key, durable_id, mountpoint) =
                (cleanup.key, cleanup.durable_id, cleanup.mountpoint.clone());
            if cleanup.filters.is_empty() {
                self.cleanup.pop_front();
            }
            self.forget_subscription(&filter, &mountpoint, key, durable_id);
            budget -= 1;
        }
    }

    /// Takes one subscription out of trie and store.
    pub(super) fn forget_subscription(
        &mut self,
        text: &str,
        mountpoint: &str,
        key: SessionKey,
        durable_id: u64,
    ) {
        let mounted = |filter: &str| format!("{mountpoint}{filter}");
        match parse_filter(text) {
            Ok(ParsedFilter::Shared { group, filter }) => {
                self.shared.router.unsubscribe_shared(group, &mounted(filter), key);
            }
            Ok(ParsedFilter::Exclusive(topic)) => {
                self.shared.router.unsubscribe(&mounted(topic), key);
                self.shared.release_exclusive(&mounted(topic), key);
            }
            Ok(ParsedFilter::Plain(filter)) if mountpoint.is_empty() => {
                self.shared.router.unsubscribe(filter, key);
            }
            Ok(ParsedFilter::Plain(filter)) => {
                self.shared.router.unsubscribe(&mounted(filter), key);
            }
            Err(_) => {}
        }
        if durable_id != 0 {
            self.metrics().durable_subscriptions.sub(1);
            self.effects.store_ops.push(persist::delete_subscription(durable_id, text));
        }
    }

    /// Ends all connections for a graceful stop, MQTT-5.0 section 3.14.2.1 (0x8B).
    pub(super) fn shut_down(&mut self, now: Now) {
        self.is_stopping = true;
        for slot in 0..self.conns.slots() {
            let Some(conn) = self.conns.get(slot) else { continue };
            let key = ConnKey { slot, generation: self.conns.generation(slot) };
            if conn.state == ConnState::Connected && conn.version == Version::V5 {
                self.send_disconnect(key, ReasonCode::SERVER_SHUTTING_DOWN, None);
            }
            self.end_connection(now, key, CloseCause::ServerShutdown, true);
        }
        self.persist_memory_only();
    }

    /// Writes what only memory holds of durable sessions: queued QoS 0 messages and packet identifiers.
    fn persist_memory_only(&mut self) {
        let mut ops = Vec::new();
        for slot in 0..self.sessions.slots() {
            let Some(session) = self.sessions.get_mut(slot) else { continue };
            if session.durable_id == 0 {
                continue;
            }
            let durable_id = session.durable_id;
            for item in session.queue.iter_mut().filter(|i| i.seq == 0) {
                ops.extend(super::groups::log_for_one(&self.shared, durable_id, item));
            }
            for entry in session.inflight.iter_mut() {
                if entry.item.seq == 0 {
                    ops.extend(super::groups::log_for_one(
                        &self.shared,
                        durable_id,
                        &mut entry.item,
                    ));
                }
                ops.push(Op::Assign {
                    session: durable_id,
                    seq: entry.item.seq,
                    packet_id: entry.packet_id,
                });
            }
        }
        self.effects.store_ops.append(&mut ops);
    }
}

/// Reasons of DISCONNECT that only a server gives, MQTT-5.0 table 3-10.
fn is_server_reason(reason: ReasonCode) -> bool {
    matches!(reason.0, 0x87 | 0x89 | 0x8B | 0x8D..=0x8F | 0x9A..=0xA2)
}
