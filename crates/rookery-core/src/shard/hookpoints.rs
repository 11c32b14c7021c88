//! What hooks are told: each hookpoint has its switch, so that a node without hooks pays one branch.

use std::sync::Arc;

use rookery_codec::{Ack, QoS, ReasonCode};
use rookery_rules::{Column, Event};

use super::Shard;
use super::deliver::Source;
use crate::conn::ConnectRequest;
use crate::effects::{SessionEvent, UpEvent};
use crate::ids::{ConnKey, Now, SessionKey};
use crate::message::Message;
use crate::rules::{Fact, properties};

impl Shard {
    /// `client.connect`: a CONNECT without a fault was read.
    #[inline]
    pub(super) fn tell_connect(&mut self, now: Now, key: ConnKey, request: &ConnectRequest) {
        if !self.config.hooks.connect_events {
            return;
        }
        if let Some(conn) = self.conns.get(key.slot) {
            let info = self.connecting_info(now, conn, request);
            self.effects.up.push(UpEvent::Connect(Box::new(info)));
        }
    }

    /// `client.connack`.
    #[inline]
    pub(super) fn tell_connack(&mut self, key: ConnKey, client_id: &str, reason: ReasonCode) {
        self.note_connack(key, client_id, reason);
        if !self.config.hooks.connect_events {
            return;
        }
        if let Some(conn) = self.conns.get(key.slot) {
            let event = UpEvent::ConnAck {
                client_id: client_id.into(),
                peer: conn.meta.peer,
                listener: conn.meta.listener.clone(),
                reason,
            };
            self.effects.up.push(event);
        }
    }

    /// `session.*`.
    #[inline]
    pub(super) fn tell_session(&mut self, slot: u32, event: SessionEvent) {
        if !self.config.hooks.session_events {
            return;
        }
        if let Some(info) = self.client_info(slot) {
            self.effects.up.push(UpEvent::Session(event, Box::new(info)));
        }
    }

    /// `message.puback`; `slot` is the publisher's session.
    #[inline]
    pub(super) fn tell_puback(&mut self, slot: u32, source: &mut Source<'_>, reason: ReasonCode) {
        if !self.config.hooks.puback || source.parts.qos != QoS::AtLeastOnce {
            return;
        }
        if let Some(session) = self.sessions.get(slot) {
            let client_id = session.publisher.client_id.clone();
            self.effects.up.push(UpEvent::PubAck {
                client_id,
                message: source.keep(&mut self.messages),
                reason,
            });
        }
    }

    /// The same of a message that hooks have seen.
    #[inline]
    pub(super) fn tell_puback_of(
        &mut self,
        key: ConnKey,
        message: &Arc<Message>,
        reason: ReasonCode,
    ) {
        if self.config.hooks.puback
            && let Some(slot) = self.conns.get(key.slot).map(|conn| conn.session)
        {
            self.tell_puback(slot, &mut Source::of(message), reason);
        }
    }

    /// `message.delivered`; `slot` is the receiver's session.
    #[inline]
    pub(super) fn tell_delivered(&mut self, slot: u32, message: Option<&Arc<Message>>, qos: u8) {
        if let (true, Some(message)) = (self.rule_engine.told.delivered, message) {
            self.tell_delivered_to(slot, message, qos);
        }
    }

    #[inline(never)]
    fn tell_delivered_to(&mut self, slot: u32, message: &Arc<Message>, qos: u8) {
        if self.rules_want(Event::MessageDelivered) {
            let about = [(Column::QoS, u64::from(qos).into())];
            self.note_receiver(Event::MessageDelivered, slot, message, about);
        }
        if !self.config.hooks.delivered {
            return;
        }
        if let Some(session) = self.sessions.get(slot) {
            let client_id = session.publisher.client_id.clone();
            self.effects.up.push(UpEvent::Delivered { client_id, message: message.clone(), qos });
        }
    }

    /// `message.acked`; the session needs the message no longer.
    #[inline]
    pub(super) fn tell_acked(&mut self, slot: u32, message: Option<Arc<Message>>, ack: &Ack<'_>) {
        let Some(message) = message else { return };
        if !self.rule_engine.told.acked {
            self.messages.give_back(message);
            return;
        }
        if self.rules_want(Event::MessageAcked) {
            let properties = properties::of_ack(ack);
            let about = [(Column::PubackProps, properties)];
            self.note_receiver(Event::MessageAcked, slot, &message, about);
        }
        if !self.config.hooks.acked {
            return;
        }
        if let Some(session) = self.sessions.get(slot) {
            let client_id = session.publisher.client_id.clone();
            self.effects.up.push(UpEvent::Acked { client_id, message });
        }
    }

    /// `message.dropped`.
    #[inline]
    pub(super) fn tell_dropped(
        &mut self,
        source: &mut Source<'_>,
        from: Option<SessionKey>,
        reason: &'static str,
    ) {
        if self.rule_engine.told.dropped {
            let message = source.keep(&mut self.messages);
            self.tell_dropped_message(&message, from, reason);
        }
    }

    /// `message.dropped`, of a message that hooks took.
    #[inline]
    pub(super) fn tell_hook_dropped(&mut self, slot: u32, message: &Arc<Message>) {
        if self.rule_engine.told.dropped {
            let from = self.sessions.get(slot).map(|session| session.key);
            self.tell_dropped_message(message, from, "blocked_by_hook");
        }
    }

    /// The same of a will, whose session may be over.
    pub(super) fn tell_hook_dropped_will(&mut self, message: &Arc<Message>) {
        if self.rule_engine.told.dropped {
            let slot = self.clients.get(&message.from.client_id);
            let from = slot.and_then(|slot| self.sessions.get(*slot)).map(|session| session.key);
            self.tell_dropped_message(message, from, "blocked_by_hook");
        }
    }

    #[inline(never)]
    fn tell_dropped_message(
        &mut self,
        message: &Arc<Message>,
        from: Option<SessionKey>,
        reason: &'static str,
    ) {
        if self.rules_want(Event::MessageDropped) {
            self.note_dropped(message, from, reason);
        }
        if self.config.hooks.dropped {
            self.effects.up.push(UpEvent::Dropped { message: message.clone(), reason });
        }
    }

    /// `delivery.dropped`; `slot` is the receiver's session.
    #[inline]
    pub(super) fn tell_delivery_dropped(
        &mut self,
        slot: u32,
        message: Option<Arc<Message>>,
        reason: &'static str,
    ) {
        let Some(message) = message.filter(|_| self.rule_engine.told.delivery_dropped) else {
            return;
        };
        if self.rules_want(Event::DeliveryDropped) {
            let about = [(Column::Reason, Fact::Word(reason))];
            self.note_receiver(Event::DeliveryDropped, slot, &message, about);
        }
        if !self.config.hooks.dropped {
            return;
        }
        if let Some(session) = self.sessions.get(slot) {
            let client_id = session.publisher.client_id.clone();
            self.effects.up.push(UpEvent::DeliveryDropped { client_id, message, reason });
        }
    }
}
