//! Acknowledgements: PUBACK, PUBREC, PUBREL, PUBCOMP. MQTT-5.0 section 4.3.

use rookery_codec::{Ack, AckKind, ReasonCode};

use super::Shard;
use super::gate::GateAction;
use crate::ids::{ConnKey, Now};
use crate::inflight::Stage;
use crate::persist;
use crate::store_port::Op;

impl Shard {
    pub(super) fn slot_of(&self, key: ConnKey) -> Option<u32> {
        self.conns.get(key.slot).map(|c| c.session)
    }

    /// A QoS 1 message is settled, with or without success.
    #[inline]
    pub(super) fn handle_puback(&mut self, now: Now, key: ConnKey, ack: &Ack<'_>) {
        self.metrics().puback_received.inc();
        let Some(slot) = self.slot_of(key) else { return };
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let settled = session.inflight.settle_if(ack.packet_id, |entry| entry.item.qos == 1);
        let Some((item, sent_ms)) = settled else {
            let is_in_use = session.inflight.get_mut(ack.packet_id).is_some();
            let metrics = self.metrics();
            if is_in_use { &metrics.puback_inuse } else { &metrics.puback_missed }.inc();
            return;
        };
        self.metrics().messages_acked.inc();
        if self.observer.is_timing {
            self.time_settled(now, slot, &item, sent_ms);
        }
        self.settle_stored(slot, item.seq);
        self.tell_acked(slot, item.message, ack);
        self.pump(now, slot);
    }

    /// First half of a QoS 2 delivery. An error ends it here, MQTT-5.0 section 4.3.3 and [MQTT-4.8.2-6].
    #[inline]
    pub(super) fn handle_pubrec(&mut self, now: Now, key: ConnKey, ack: &Ack<'_>) {
        self.metrics().pubrec_received.inc();
        let Some(slot) = self.slot_of(key) else { return };
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let durable_id = session.durable_id;
        let found = session.inflight.get_mut(ack.packet_id);
        let is_in_use = found.is_some();
        let Some(entry) = found.filter(|e| e.item.qos == 2) else {
            let metrics = self.metrics();
            if is_in_use { &metrics.pubrec_inuse } else { &metrics.pubrec_missed }.inc();
            // MQTT-5.0 section 3.6.2.1: nothing is known under this identifier.
            let reason = ReasonCode::PACKET_IDENTIFIER_NOT_FOUND;
            self.gate(
                now,
                key,
                0,
                GateAction::Ack { kind: AckKind::PubRel, packet_id: ack.packet_id, reason },
            );
            return;
        };
        if ack.reason.is_error() {
            let item = session.inflight.settle(ack.packet_id);
            self.settle_stored(slot, item.map_or(0, |i| i.seq));
            self.pump(now, slot);
            return;
        }
        let seq = entry.item.seq;
        let timed = self.observer.is_timing.then(|| (entry.item.clone(), entry.sent_ms));
        let message = entry.item.message.take();
        let is_waiting = matches!(entry.stage, Stage::Unsent | Stage::Resend);
        entry.age = 0;
        if !is_waiting {
            entry.stage = Stage::Released;
        }
        if is_waiting {
            session.inflight.set_stage(ack.packet_id, Stage::Released);
        }
        // The client has it; hooks are told at once, the message is not kept for PUBCOMP.
        self.tell_acked(slot, message, ack);
        let before = self.effects.store_ops.len();
        if seq != 0 {
            self.effects.store_ops.push(Op::Release { session: durable_id, seq });
        }
        let ticket = self.ticket_since(before);
        let action = GateAction::Ack {
            kind: AckKind::PubRel,
            packet_id: ack.packet_id,
            reason: ReasonCode::SUCCESS,
        };
        self.gate(now, key, ticket, action);
        if let Some((item, sent_ms)) = timed {
            self.time_settled(now, slot, &item, sent_ms);
        }
    }

    /// Second half of a QoS 2 reception: the identifier is free again.
    #[inline]
    pub(super) fn handle_pubrel(&mut self, now: Now, key: ConnKey, ack: &Ack<'_>) {
        self.metrics().pubrel_received.inc();
        let Some(slot) = self.slot_of(key) else { return };
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let known =
            session.awaiting_rel.as_mut().and_then(|ids| ids.remove(&ack.packet_id)).is_some();
        let durable_id = session.durable_id;
        let before = self.effects.store_ops.len();
        // Unknown ones too: an earlier connection's removal may not be on disk yet, and an
        // identifier that came back after a crash would swallow the message that uses it next.
        if durable_id != 0 {
            self.effects.store_ops.push(persist::delete_awaiting_rel(durable_id, ack.packet_id));
        }
        let reason =
            if known { ReasonCode::SUCCESS } else { ReasonCode::PACKET_IDENTIFIER_NOT_FOUND };
        if !known {
            self.metrics().pubrel_missed.inc();
        }
        let ticket = self.ticket_since(before);
        self.gate(
            now,
            key,
            ticket,
            GateAction::Ack { kind: AckKind::PubComp, packet_id: ack.packet_id, reason },
        );
        if self.conns.get(key.slot).is_some_and(|conn| conn.waiting.is_some()) {
            self.release_waiting(now, key);
        }
    }

    /// A QoS 2 delivery is complete.
    #[inline]
    pub(super) fn handle_pubcomp(&mut self, now: Now, key: ConnKey, ack: &Ack<'_>) {
        self.metrics().pubcomp_received.inc();
        let Some(slot) = self.slot_of(key) else { return };
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let settled = session.inflight.settle_if(ack.packet_id, |e| e.stage == Stage::Released);
        let Some((item, _)) = settled else {
            let is_in_use = session.inflight.get_mut(ack.packet_id).is_some();
            let metrics = self.metrics();
            if is_in_use { &metrics.pubcomp_inuse } else { &metrics.pubcomp_missed }.inc();
            return;
        };
        self.metrics().messages_acked.inc();
        self.settle_stored(slot, item.seq);
        self.tell_acked(slot, item.message, ack);
        self.pump(now, slot);
    }
}
