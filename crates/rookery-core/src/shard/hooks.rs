//! Questions to hooks and what waits for their answers.
//!
//! A connection's packets stay in order: while one waits, later ones queue behind it, and
//! when too many wait the driver stops reading. PUBLISH packets of one client are asked
//! about in a pipeline, so that a batching hook sees many at once.

use std::sync::Arc;

use rookery_codec::{AckKind, Publish, QoS, ReasonCode, Version};

use super::gate::GateAction;
use super::publish::ack_reason;
use super::wills::is_of_will;
use super::{Fault, Shard, Step};
use crate::access::Permission;
use crate::conn::{ConnState, DeferredPacket, OpenQuestion};
use crate::effects::{Answer, AskId, Question, UpEvent, Verdict};
use crate::ids::{ConnKey, Now};
use crate::message::{Message, MessageParts};

impl Shard {
    /// Sends a question up and notes its deadline.
    pub(super) fn ask(&mut self, now: Now, id: AskId, question: Question) {
        let deadline_ms = now.mono_ms + self.config.hooks.deadline_ms.max(1);
        self.ask_deadlines.push_back((deadline_ms, id));
        self.effects.up.push(UpEvent::Ask(id, question));
    }

    pub(super) fn next_ask(&mut self, key: ConnKey) -> AskId {
        let shard = self.index;
        let number = self.conns.get_mut(key.slot).map_or(0, |conn| {
            let deferred = conn.deferred.get_or_insert_default();
            // 0 and 1 were the questions about CONNECT and its will.
            deferred.asked = deferred.asked.wrapping_add(1).max(2);
            deferred.asked
        });
        AskId { shard, conn: key, number }
    }

    /// Questions past their deadline get the configured answer.
    pub(super) fn expire_questions(&mut self, now: Now) {
        while self.ask_deadlines.front().is_some_and(|(deadline, _)| *deadline <= now.mono_ms) {
            let Some((_, id)) = self.ask_deadlines.pop_front() else { return };
            let verdict = if self.config.hooks.unanswered_allows {
                Verdict::Allow
            } else {
                Verdict::Deny(ReasonCode::SERVER_BUSY)
            };
            if self.is_open(id) {
                self.metrics().hook_timeouts.inc();
                self.take_answer(now, Answer { id, verdict }, false);
            }
        }
    }

    fn is_open(&mut self, id: AskId) -> bool {
        if is_of_will(id) {
            return self.is_will_open(id);
        }
        let Some(conn) = self.conns.get_checked(id.conn.slot, id.conn.generation) else {
            return false;
        };
        let is_connect = conn.state == ConnState::Deciding;
        let exchange = conn.access.as_ref().and_then(|access| access.exchange);
        if exchange.is_some_and(|exchange| exchange.asked == Some(id.number)) {
            return true;
        }
        conn.deferred.as_ref().is_some_and(|deferred| {
            (is_connect && deferred.asked == id.number)
                || deferred.queue.iter().any(|packet| match packet {
                    DeferredPacket::Publish { id: asked, verdict, .. } => {
                        *asked == id && verdict.is_none()
                    }
                    DeferredPacket::Authorize { open, .. } => {
                        open.iter().any(|asked| asked.id == id)
                    }
                    DeferredPacket::Filters { id: asked, verdict, .. } => {
                        *asked == id && verdict.is_none()
                    }
                    DeferredPacket::Raw { .. } => false,
                })
        })
    }

    /// An answer came; what it unblocks goes on.
    pub(super) fn answered(&mut self, now: Now, answer: Answer) {
        self.take_answer(now, answer, true);
    }

    /// `is_given`: somebody said so. What holds because nobody said anything is not kept.
    fn take_answer(&mut self, now: Now, answer: Answer, is_given: bool) {
        if is_of_will(answer.id) {
            self.will_decided(now, answer.id, answer.verdict);
            return;
        }
        let key = answer.id.conn;
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return };
        let exchange = conn.access.as_ref().and_then(|access| access.exchange);
        match conn.state {
            ConnState::Deciding
                if conn.deferred.as_ref().is_some_and(|d| d.asked == answer.id.number) =>
            {
                self.decided(now, key, answer.verdict, is_given);
            }
            ConnState::Connected if exchange.is_some_and(|e| e.asked == Some(answer.id.number)) => {
                self.re_authenticated(now, key, answer.verdict);
            }
            ConnState::Connected => {
                self.note_answer(now, answer, is_given);
                self.go_on(now, key);
            }
            ConnState::New | ConnState::Deciding | ConnState::Exchanging | ConnState::Closing => {}
        }
    }

    fn note_answer(&mut self, now: Now, answer: Answer, is_given: bool) {
        let key = answer.id.conn;
        let Some(deferred) = self.conns.get_mut(key.slot).and_then(|c| c.deferred.as_mut()) else {
            return;
        };
        let mut asked_about = None;
        let has_hooks = self.config.hooks.authorize;
        for packet in &mut deferred.queue {
            match packet {
                DeferredPacket::Publish { id, verdict, .. }
                | DeferredPacket::Filters { id, verdict, .. }
                    if *id == answer.id =>
                {
                    *verdict = Some(answer.verdict);
                    return;
                }
                DeferredPacket::Authorize { open, known, .. } => {
                    let Some(at) = open.iter().position(|asked| asked.id == answer.id) else {
                        continue;
                    };
                    let is_ignored = matches!(answer.verdict, Verdict::Ignore);
                    if let (true, true, Some(asked)) = (is_ignored, has_hooks, open.get_mut(at))
                        && !asked.is_of_hooks
                    {
                        asked.is_of_hooks = true;
                        let (action, topic) = (asked.action, asked.topic.clone());
                        self.ask_hooks(now, answer.id, action, &topic);
                        return;
                    }
                    let OpenQuestion { action, topic, .. } = open.swap_remove(at);
                    let allowed = match answer.verdict {
                        Verdict::Ignore => self.rules.no_match == Permission::Allow,
                        ref verdict => matches!(verdict, Verdict::Allow | Verdict::AllowSuperuser),
                    };
                    known.push(((action, topic.clone()), allowed));
                    asked_about = Some(((action, topic), allowed));
                    break;
                }
                _ => {}
            }
        }
        if let Some((asked, allowed)) = asked_about.filter(|_| is_given) {
            self.keep_answer(now, key, asked, allowed);
        }
    }

    /// Handles waiting packets from the front as far as their answers are known.
    fn go_on(&mut self, now: Now, key: ConnKey) {
        let limit = self.config.limits.deferred_packets;
        loop {
            let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return };
            if conn.state != ConnState::Connected {
                return;
            }
            let Some(deferred) = conn.deferred.as_mut() else { return };
            let is_ready = deferred.queue.front().is_some_and(|packet| match packet {
                DeferredPacket::Publish { verdict, .. }
                | DeferredPacket::Filters { verdict, .. } => verdict.is_some(),
                DeferredPacket::Authorize { open, .. } => open.is_empty(),
                DeferredPacket::Raw { .. } => true,
            });
            if !is_ready {
                break;
            }
            let Some(packet) = deferred.pop() else { break };
            // What the packet defers anew belongs before what came after it.
            let mut rest = std::mem::take(&mut deferred.queue);
            let result = match packet {
                DeferredPacket::Publish { message, qos, packet_id, verdict, .. } => {
                    self.finish_publish(now, key, &message, qos, packet_id, verdict)
                }
                DeferredPacket::Authorize { first, body, known, .. } => {
                    self.verdicts.extend(known);
                    let done = self.handle(now, key, first, &body).map(|_| ());
                    self.verdicts.clear();
                    done
                }
                DeferredPacket::Filters { first, body, known, verdict, .. } => {
                    self.verdicts.extend(known);
                    self.filter_verdict = verdict;
                    let done = self.handle(now, key, first, &body).map(|_| ());
                    self.filter_verdict = None;
                    self.verdicts.clear();
                    done
                }
                DeferredPacket::Raw { first, body } => {
                    self.handle(now, key, first, &body).map(|_| ())
                }
            };
            if let Err(fault) = result {
                self.fault(now, key, fault);
                return;
            }
            if let Some(deferred) = self.conns.get_mut(key.slot).and_then(|c| c.deferred.as_mut()) {
                deferred.queue.append(&mut rest);
            }
        }
        let Some(conn) = self.conns.get(key.slot) else { return };
        let waiting = conn.deferred.as_ref().map_or(0, |d| d.queue.len());
        let has_room = conn.deferred.as_ref().is_none_or(|d| !d.is_full(limit / 2 + 1));
        let ended_by = conn.deferred.as_ref().and_then(|d| d.ended_by);
        if let Some(cause) = ended_by.filter(|_| waiting == 0) {
            self.closed(now, key, cause);
            return;
        }
        if conn.is_paused && has_room {
            self.resume(key);
        }
    }

    /// Lets the driver read a connection again.
    pub(super) fn resume(&mut self, key: ConnKey) {
        if let Some(conn) = self.conns.get_checked(key.slot, key.generation)
            && conn.is_paused
            && !conn.is_held_back()
        {
            conn.is_paused = false;
            self.effects.resume.push(key);
        }
    }

    /// A packet of a client that has been asked about before.
    pub(super) fn defer_or_handle(
        &mut self,
        now: Now,
        key: ConnKey,
        first: u8,
        body: &[u8],
    ) -> Result<Step, Fault> {
        let limit = self.config.limits.deferred_packets;
        let Some(conn) = self.conns.get_mut(key.slot) else { return Ok(Step::End) };
        let Some(deferred) = conn.deferred.as_mut() else {
            return self.handle(now, key, first, body);
        };
        if deferred.queue.is_empty() {
            return self.handle(now, key, first, body);
        }
        if deferred.is_full(limit) {
            conn.is_paused = true;
            return Ok(Step::Hold);
        }
        let is_pipelined = first >> 4 == 3
            && self.config.hooks.publish
            && !self.is_guarding
            && deferred.queue.iter().all(|p| matches!(p, DeferredPacket::Publish { .. }));
        if is_pipelined {
            return self.handle(now, key, first, body);
        }
        deferred.push(DeferredPacket::Raw { first, body: body.into() });
        Ok(Step::Next)
    }

    /// Asks hooks about the filters of a packet, which waits and is handled anew.
    pub(super) fn ask_filters(
        &mut self,
        now: Now,
        key: ConnKey,
        (first, body): (u8, &[u8]),
        question: Question,
    ) -> Step {
        let id = self.next_ask(key);
        let known = self.verdicts.iter().map(|(asked, allowed)| (asked.clone(), *allowed));
        let packet = DeferredPacket::Filters {
            id,
            known: known.collect(),
            verdict: None,
            first,
            body: body.into(),
        };
        if let Some(deferred) = self.conns.get_mut(key.slot).and_then(|c| c.deferred.as_mut()) {
            deferred.push(packet);
        }
        self.ask(now, id, question);
        Step::Next
    }

    /// Asks `message.publish` hooks and keeps the message meanwhile.
    pub(super) fn defer_publish(
        &mut self,
        now: Now,
        key: ConnKey,
        slot: u32,
        topic: &str,
        publish: &Publish<'_>,
    ) -> Result<Step, Fault> {
        let Some(session) = self.sessions.get(slot) else { return Ok(Step::End) };
        let publisher = session.publisher.clone();
        let expires_at_ms =
            self.expiry_of(now, session.meta.zone, publish.properties.message_expiry_interval_s);
        let mut properties = Vec::new();
        publish.properties.forward_into(&mut properties);
        let id = self.message_id(now);
        if self.observer.is_spanning {
            self.span_publish(now, slot, id.0, publish, topic, &mut properties);
        }
        let parts = MessageParts {
            id,
            timestamp_ms: now.unix_ms,
            expires_at_ms,
            seq: 0,
            qos: publish.qos,
            retain: publish.retain,
            sys: false,
            topic,
            properties: &properties,
            payload: publish.payload,
        };
        let message = Arc::new(Message::new(&parts, publisher, None));
        self.defer_message(now, key, &message, publish.qos, publish.packet_id);
        Ok(Step::Next)
    }

    /// The same with the message made; QoS and identifier are those of the packet it came in.
    pub(super) fn defer_message(
        &mut self,
        now: Now,
        key: ConnKey,
        message: &Arc<Message>,
        qos: QoS,
        packet_id: u16,
    ) {
        let (id, message) = (self.next_ask(key), message.clone());
        if let Some(deferred) = self.conns.get_mut(key.slot).and_then(|c| c.deferred.as_mut()) {
            let (message, verdict) = (message.clone(), None);
            deferred.push(DeferredPacket::Publish { id, message, qos, packet_id, verdict });
        }
        self.ask(now, id, Question::Publish { message });
    }

    fn finish_publish(
        &mut self,
        now: Now,
        key: ConnKey,
        message: &Arc<Message>,
        qos: QoS,
        packet_id: u16,
        verdict: Option<Verdict>,
    ) -> Result<(), Fault> {
        let Some(slot) = self.conns.get(key.slot).map(|c| c.session) else { return Ok(()) };
        let before = self.effects.store_ops.len();
        // A repetition of what was accepted before stays accepted.
        let is_known = qos == QoS::ExactlyOnce && self.is_awaiting_rel(slot, packet_id);
        if let (Some(Verdict::Deny(reason)), false) = (&verdict, is_known) {
            let reason = puback_reason(*reason);
            let is_v5 = self.conns.get(key.slot).is_some_and(|c| c.version == Version::V5);
            if is_v5 || qos != QoS::ExactlyOnce {
                self.metrics().messages_dropped.inc();
                self.tell_hook_dropped(slot, message);
                self.tell_puback_of(key, message, reason);
                let kind = if qos == QoS::AtLeastOnce { AckKind::PubAck } else { AckKind::PubRec };
                if qos != QoS::AtMostOnce {
                    self.gate(now, key, 0, GateAction::Ack { kind, packet_id, reason });
                }
                return Ok(());
            }
        }
        if qos != QoS::AtMostOnce && !self.open_exchange(now, key, slot, qos, packet_id)? {
            return Ok(());
        }
        let from = self.sessions.get(slot).map(|s| s.key);
        let reached = match verdict {
            Some(Verdict::Replace(replacement)) => self.take_seen(now, &replacement, from),
            Some(Verdict::Drop | Verdict::Deny(_)) => {
                self.metrics().messages_dropped.inc();
                self.tell_hook_dropped(slot, message);
                1
            }
            _ => self.take_seen(now, message, from),
        };
        self.tell_puback_of(key, message, ack_reason(reached));
        self.answer_publish(now, key, qos, packet_id, reached, before);
        Ok(())
    }
}

/// A hook may say anything; SUBACK and UNSUBACK know some reasons only, MQTT-5.0 sections 3.9.3 and
/// 3.11.3.
pub(super) fn filter_reason(reason: ReasonCode, is_subscribe: bool) -> ReasonCode {
    match reason.0 {
        0x80 | 0x83 | 0x87 | 0x8F | 0x91 => reason,
        0x97 | 0x9E | 0xA1 | 0xA2 if is_subscribe => reason,
        _ => ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR,
    }
}

/// A hook may say anything; PUBACK and PUBREC know some reasons only, MQTT-5.0 section 3.4.2.1.
fn puback_reason(reason: ReasonCode) -> ReasonCode {
    match reason.0 {
        0x80 | 0x83 | 0x87 | 0x90 | 0x91 | 0x97 | 0x99 => reason,
        _ => ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR,
    }
}
