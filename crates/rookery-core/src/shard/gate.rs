//! Packets that promise durability wait here until their writes are committed.
//!
//! Acknowledgements of one connection keep their order (MQTT-5.0 [MQTT-4.6.0-2] and
//! following): one that waits for nothing waits behind one that does.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rookery_codec::{AckKind, ReasonCode, Version, encode_ack};

use super::Shard;
use crate::conn::ConnState;
use crate::effects::CloseCause;
use crate::ids::{ConnKey, MessageId, Now, SessionKey};
use crate::inflight::Stage;
use crate::message::Message;
use crate::persist;
use crate::pledges::key_of_delayed;
use crate::session::Replay;
use crate::store_port::{Op, Outcome};

/// What happens when a ticket is committed.
#[derive(Debug)]
pub(super) enum GateAction {
    /// An acknowledgement leaves.
    Ack { kind: AckKind, packet_id: u16, reason: ReasonCode },
    /// A SUBACK leaves, then retained messages follow.
    Subscribed { bytes: Vec<u8>, replays: Vec<Replay> },
    /// An UNSUBACK leaves.
    Unsubscribed { bytes: Vec<u8> },
    /// A QoS 2 PUBLISH leaves.
    Publish { packet_id: u16 },
}

impl GateAction {
    /// Whether the client's quota (Receive Maximum) waits for it. PUBREC does not free it:
    /// such a packet is counted as one that waits for PUBREL.
    #[inline]
    pub(super) fn holds_quota(&self) -> u32 {
        u32::from(matches!(self, Self::Ack { kind: AckKind::PubAck, .. }))
    }

    /// Whether the writes it waits for are carried out even by a full store: it is put off then,
    /// not refused.
    fn passes(&self) -> bool {
        match self {
            Self::Ack { kind, .. } => matches!(kind, AckKind::PubRel | AckKind::PubComp),
            Self::Subscribed { .. } => false,
            Self::Unsubscribed { .. } | Self::Publish { .. } => true,
        }
    }
}

/// A retained message in memory whose write is not committed yet.
#[derive(Debug)]
pub(super) struct UnstoredRetained {
    pub(super) ticket: u64,
    pub(super) message: Arc<Message>,
    pub(super) replaced: Option<Arc<Message>>,
}

/// One waiting packet.
#[derive(Debug)]
pub(super) struct Gate {
    ticket: u64,
    conn: ConnKey,
    /// The client's session: a slot alone may belong to somebody else by then.
    session: SessionKey,
    /// It waits only for its turn behind others of the connection.
    is_free: bool,
    /// The turn that other nodes have to take after that; 0 = none.
    nodes: u64,
    action: GateAction,
}

/// A delayed message in memory whose write is not committed yet.
#[derive(Debug)]
pub(super) struct UnstoredDelayed {
    pub(super) ticket: u64,
    pub(super) id: MessageId,
}

/// A connection whose CONNACK waits for its session's record.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) ticket: u64,
    pub(super) conn: ConnKey,
    pub(super) session: SessionKey,
    /// The session was made for this connection.
    pub(super) is_new: bool,
    /// Its record needs no room: an earlier session ends, none begins.
    pub(super) passes: bool,
    /// The session is on disk: that there is no room for more of it is no reason to refuse it.
    pub(super) may_go_on: bool,
}

impl Shard {
    /// The ticket to wait for if writes were added since the list had `before` entries; 0 = none.
    #[inline]
    pub(super) fn ticket_since(&self, before: usize) -> u64 {
        if self.effects.store_ops.len() > before { self.ticket } else { 0 }
    }

    /// Runs `action` when `ticket` is committed and everything before it of this connection has run.
    #[inline]
    pub(super) fn gate(&mut self, now: Now, key: ConnKey, ticket: u64, action: GateAction) {
        let committed = self.committed;
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return };
        if ticket.max(conn.gate_ticket) <= committed && conn.behind_nodes == 0 {
            self.run_gate(now, key, action, true);
            return;
        }
        self.gate_later(key, ticket, 0, action);
    }

    /// The same when `action` waits for sure; `nodes` is the turn that other nodes have to take.
    pub(super) fn gate_later(&mut self, key: ConnKey, ticket: u64, nodes: u64, action: GateAction) {
        let committed = self.committed;
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return };
        let is_free = ticket == 0;
        let ticket = ticket.max(conn.gate_ticket);
        if ticket <= committed {
            conn.gated += action.holds_quota();
            conn.behind_nodes += 1;
            self.nodes.wait(nodes, key, action, true);
            return;
        }
        let Some(session) = self.sessions.get(conn.session).map(|s| s.key) else { return };
        conn.gate_ticket = ticket;
        conn.gated += action.holds_quota();
        self.gates.push_back(Gate { ticket, conn: key, session, is_free, nodes, action });
    }

    /// The writes of this turn with their ticket, if there are any. Reads need a ticket too, be
    /// it of an empty batch: what they ask for may still be on its way into the log, and is
    /// there when the ticket is committed. So does what was put off, now and then, and what links
    /// have to keep.
    pub fn end_turn(&mut self) -> Option<(u64, Vec<Op>)> {
        self.end_unstored_turn();
        if self.is_asking_again {
            self.probe_store();
        }
        let is_for_links = std::mem::take(&mut self.link_promise).is_made;
        let has_work = !self.effects.store_ops.is_empty() || !self.effects.store_reads.is_empty();
        if !has_work && !self.is_asking_again && !is_for_links {
            return None;
        }
        self.is_asking_again = false;
        let ticket = self.ticket;
        self.effects.links_ticket = if is_for_links { ticket } else { 0 };
        self.ticket += 1;
        Some((ticket, std::mem::take(&mut self.effects.store_ops)))
    }

    /// What the store refused is not retained: the message before it comes back.
    fn settle_retained(&mut self, ticket: u64, is_stored: bool) {
        while self.unstored.retained.front().is_some_and(|u| u.ticket <= ticket) {
            let Some(unstored) = self.unstored.retained.pop_front() else { return };
            // In a cluster other nodes may have it by now.
            let is_shared = self.shared.replicated.get().is_some();
            if is_stored || unstored.ticket < ticket || is_shared {
                continue;
            }
            let topic = unstored.message.topic();
            let is_refused = |message: &Arc<Message>| message.id == unstored.message.id;
            if !self.shared.retained.get(topic).as_ref().is_some_and(is_refused) {
                // Replaced meanwhile: should that be refused as well, this one must not come back.
                let mut later = self.unstored.retained.iter_mut();
                if let Some(later) = later.find(|l| l.replaced.as_ref().is_some_and(is_refused)) {
                    later.replaced = unstored.replaced;
                }
                continue;
            }
            match unstored.replaced {
                Some(replaced) => self.shared.retained.insert(replaced),
                None => self.shared.retained.remove(topic),
            };
        }
    }

    /// What the store refused is not delayed either: the publisher was told so.
    fn settle_delayed(&mut self, now: Now, ticket: u64, is_stored: bool) {
        let mut refused = Vec::new();
        while self.unstored.delayed.front().is_some_and(|u| u.ticket <= ticket) {
            let Some(unstored) = self.unstored.delayed.pop_front() else { break };
            if !is_stored && unstored.ticket == ticket {
                refused.push(unstored.id);
            }
        }
        if refused.is_empty() {
            return;
        }
        refused.sort_unstable();
        for id in &refused {
            self.release_pledge(now, &key_of_delayed(*id), true);
        }
        let before = self.delayed.len();
        self.delayed.retain(|d| refused.binary_search(&d.message.id).is_err());
        // Those that were taken back meanwhile are counted off already.
        let taken_back = refused.iter().filter(|id| self.removed_delayed.remove(*id)).count();
        let gone = (before - self.delayed.len()).saturating_sub(taken_back);
        self.shared.delayed.fetch_sub(gone, Ordering::Relaxed);
    }

    /// Puts off what only waits for writes that the store has not refused but not done either: they
    /// come in front of its next batch. Everything of that kind behind it on the same connection
    /// waits as well, so that the order stays.
    fn put_off(&mut self, ticket: u64) {
        let is_due = |g: &Gate| g.ticket == ticket && !g.is_free && g.action.passes();
        let waiting: HashSet<ConnKey> =
            self.gates.iter().filter(|g| is_due(g)).map(|g| g.conn).collect();
        if waiting.is_empty() {
            return;
        }
        let (mut late, in_time): (VecDeque<Gate>, VecDeque<Gate>) = std::mem::take(&mut self.gates)
            .into_iter()
            .partition(|g| g.ticket >= ticket && g.action.passes() && waiting.contains(&g.conn));
        self.gates = in_time;
        for gate in &mut late {
            gate.ticket = self.ticket;
            gate.is_free = false;
            if let Some(conn) = self.conns.get_checked(gate.conn.slot, gate.conn.generation) {
                conn.gate_ticket = self.ticket;
            }
        }
        self.gates.append(&mut late);
        self.wants_ticket = true;
    }

    /// The store finished a ticket (and all before it).
    pub fn committed(&mut self, now: Now, ticket: u64, outcome: Outcome) {
        self.committed = self.committed.max(ticket);
        let is_stored = outcome == Outcome::Stored;
        self.settle_unstored(now, ticket, is_stored);
        self.settle_retained(ticket, is_stored);
        self.settle_delayed(now, ticket, is_stored);
        self.confirm_foreign(ticket);
        self.release_held(now, ticket, outcome);
        self.confirm_stored(ticket, outcome);
        self.note_outcome(now, ticket, outcome);
        self.keep_promises();
        if outcome == Outcome::Refused {
            self.put_off(ticket);
        }
        while self.gates.front().is_some_and(|g| g.ticket <= ticket) {
            let Some(gate) = self.gates.pop_front() else { return };
            let is_stored =
                is_stored || gate.is_free || gate.ticket < ticket || gate.action.passes();
            let is_stored =
                is_stored && (gate.is_free || !self.is_unconfirmed(gate.ticket, &gate.action));
            if !is_stored
                && let GateAction::Ack { kind: AckKind::PubRec, packet_id, .. } = gate.action
            {
                self.forget_exchange(now, gate.session, packet_id);
            }
            let Some(conn) = self.conns.get_checked(gate.conn.slot, gate.conn.generation) else {
                continue;
            };
            if gate.nodes > self.nodes.taken || conn.behind_nodes != 0 {
                conn.behind_nodes += 1;
                self.nodes.wait(gate.nodes, gate.conn, gate.action, is_stored);
                continue;
            }
            // MQTT-5.0 [MQTT-3.14.4-1]: nothing follows a DISCONNECT.
            if conn.state == ConnState::Connected {
                conn.gated = conn.gated.saturating_sub(gate.action.holds_quota());
                self.run_gate(now, gate.conn, gate.action, is_stored);
            }
        }
    }

    /// Lets connections write whose session is on disk by now; ends those whose session is not.
    fn release_held(&mut self, now: Now, ticket: u64, outcome: Outcome) {
        while self.held.front().is_some_and(|held| held.ticket <= ticket) {
            let Some(mut held) = self.held.pop_front() else { return };
            let key = held.conn;
            let SessionKey { slot, generation, .. } = held.session;
            match outcome {
                _ if outcome == Outcome::Stored || held.ticket < ticket => {
                    if let Some(session) = self.sessions.get_checked16(slot, generation) {
                        session.is_recorded = session.durable_id != 0;
                    }
                }
                _ if held.may_go_on => self.record_later(now, held.session),
                Outcome::Freed if held.passes => {}
                Outcome::Refused if held.passes => {
                    held.ticket = self.ticket;
                    self.wants_ticket = true;
                    self.held.push_back(held);
                    continue;
                }
                _ => {
                    self.refuse_session(now, key, held.is_new);
                    continue;
                }
            }
            let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { continue };
            conn.is_held = false;
            if !conn.is_dirty {
                conn.is_dirty = true;
                self.effects.dirty.push(key);
            }
            self.announce(now, key);
        }
    }

    /// A QoS 2 message was not stored: the client may send it again as a new one.
    pub(super) fn forget_exchange(&mut self, now: Now, key: SessionKey, packet_id: u16) {
        if let Some(session) = self.sessions.get_checked16(key.slot, key.generation) {
            if let Some(ids) = session.awaiting_rel.as_mut() {
                ids.remove(&packet_id);
            }
            // An earlier connection may have got it onto the disk.
            if session.durable_id != 0 {
                let op = persist::delete_awaiting_rel(session.durable_id, packet_id);
                self.effects.store_ops.push(op);
            }
        }
        // It may have sent it again meanwhile, on a new connection: that got no further either.
        let is_repetition = |gate: &Gate| {
            let same = matches!(gate.action, GateAction::Ack { kind: AckKind::PubRec, packet_id: id, .. } if id == packet_id);
            same && gate.session == key
        };
        while let Some(gate) =
            self.gates.iter().position(is_repetition).and_then(|at| self.gates.remove(at))
        {
            if self
                .conns
                .get_checked(gate.conn.slot, gate.conn.generation)
                .is_some_and(|c| c.state == ConnState::Connected)
            {
                self.refuse_storage(now, gate.conn, AckKind::PubRec, packet_id);
            }
        }
    }

    pub(super) fn run_gate(&mut self, now: Now, key: ConnKey, action: GateAction, is_stored: bool) {
        match action {
            GateAction::Ack { kind, packet_id, reason } => {
                if is_stored {
                    self.send_ack(key, kind, packet_id, reason);
                } else {
                    self.refuse_storage(now, key, kind, packet_id);
                }
            }
            GateAction::Unsubscribed { bytes } => {
                if self.write(key, |out, _| out.extend_from_slice(&bytes)) {
                    self.metrics().unsuback_sent.inc();
                }
            }
            GateAction::Subscribed { bytes, replays } => {
                if is_stored {
                    if self.write(key, |out, _| out.extend_from_slice(&bytes)) {
                        self.metrics().suback_sent.inc();
                    }
                    self.start_replays(key, replays);
                } else {
                    self.send_disconnect(
                        key,
                        ReasonCode::QUOTA_EXCEEDED,
                        Some("the store takes no more"),
                    );
                    self.end_connection(now, key, CloseCause::Overload, true);
                }
            }
            GateAction::Publish { packet_id } => {
                let Some(conn) = self.conns.get(key.slot) else { return };
                let slot = conn.session;
                let Some(session) = self.sessions.get_mut(slot) else { return };
                let Some(entry) =
                    session.inflight.get_mut(packet_id).filter(|e| e.stage == Stage::Gated)
                else {
                    return;
                };
                entry.stage = Stage::Sent;
                let item = entry.item.clone();
                if !self.send_publish(now, key, &item, packet_id, false) {
                    self.pump(now, slot);
                }
            }
        }
    }

    /// Writes an acknowledgement.
    #[inline]
    pub(super) fn send_ack(
        &mut self,
        key: ConnKey,
        kind: AckKind,
        packet_id: u16,
        reason: ReasonCode,
    ) {
        let metrics = self.metrics();
        match kind {
            AckKind::PubAck => metrics.puback_sent.inc(),
            AckKind::PubRec => metrics.pubrec_sent.inc(),
            AckKind::PubRel => metrics.pubrel_sent.inc(),
            AckKind::PubComp => metrics.pubcomp_sent.inc(),
        }
        // Five octets: a client that takes no such packet was not let in.
        self.write(key, |out, version| encode_ack(kind, packet_id, reason, version, out));
    }

    /// The store refused: the publisher must not believe the message is safe.
    fn refuse_storage(&mut self, now: Now, key: ConnKey, kind: AckKind, packet_id: u16) {
        self.metrics().messages_dropped_quota_exceeded.inc();
        let Some(conn) = self.conns.get(key.slot) else { return };
        let version = conn.version;
        if version == Version::V5 && matches!(kind, AckKind::PubAck | AckKind::PubRec) {
            self.send_ack(key, kind, packet_id, ReasonCode::QUOTA_EXCEEDED);
        } else {
            // 3.x has no negative acknowledgement.
            self.end_connection(now, key, CloseCause::Overload, true);
        }
    }
}
