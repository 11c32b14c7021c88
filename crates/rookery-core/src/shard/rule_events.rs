//! Events for rules, made where the facts are. Each costs one branch while no rule wants it.

use std::sync::Arc;

use rookery_codec::{Packet, ReasonCode, UserProperties, UserPropertiesBuf};
use rookery_rules::{Column, Event};

use super::rules::{Decided, attributes};
use super::{Fault, Shard, Step};
use crate::access::{Judgement, Origin};
use crate::config::Admission;
use crate::conn::{Action, ConnectRequest};
use crate::effects::CloseCause;
use crate::ids::{ConnKey, Now, SessionKey};
use crate::message::Message;
use crate::rules::{Fact, Happening, properties};
use crate::session::Subscription;

impl Shard {
    /// Handles a packet whose properties belong to the events that it leads to.
    pub(super) fn handle_noted(
        &mut self,
        now: Now,
        key: ConnKey,
        first: u8,
        body: &[u8],
        packet: &Packet<'_>,
    ) -> Result<Step, Fault> {
        self.rule_engine.properties = self.properties_of(packet);
        let step = match packet {
            Packet::Subscribe(packet) => self.handle_subscribe(now, key, first, body, packet),
            Packet::Unsubscribe(packet) => self.handle_unsubscribe(now, key, first, body, packet),
            Packet::Disconnect(packet) => self.handle_disconnect(now, key, packet),
            _ => Ok(Step::Next),
        };
        self.rule_engine.properties = None;
        step
    }

    /// What a rule wants to know of a packet.
    fn properties_of(&self, packet: &Packet<'_>) -> Option<Fact> {
        match packet {
            Packet::Subscribe(packet) if self.rules_want(Event::SessionSubscribed) => {
                let id = ("Subscription-Identifier", packet.subscription_identifier);
                Some(properties::of_numbers(&[id], packet.user_properties))
            }
            Packet::Unsubscribe(packet) if self.rules_want(Event::SessionUnsubscribed) => {
                Some(properties::of_numbers(&[], packet.user_properties))
            }
            Packet::Disconnect(packet) if self.rules_want(Event::ClientDisconnected) => {
                Some(properties::of_disconnect(packet))
            }
            _ => None,
        }
    }

    /// Properties of the packet that is being handled.
    fn packet_properties(&self) -> Fact {
        self.rule_engine.properties.clone().unwrap_or_else(properties::none)
    }

    /// What a CONNECT leaves for the events that it leads to.
    pub(super) fn properties_to_keep(&self, user: UserProperties<'_>) -> UserPropertiesBuf {
        let wanted = [Event::ClientConnected, Event::ClientConnack];
        if wanted.into_iter().any(|event| self.rules_want(event)) {
            properties::kept(user)
        } else {
            UserPropertiesBuf::new()
        }
    }

    /// `client.connected`.
    pub(super) fn note_connected(&mut self, slot: u32, key: ConnKey) {
        let is_wanted = self.rules_want(Event::ClientConnected);
        let properties = is_wanted.then(|| self.connect_properties(slot, key));
        if let Some(access) = self.conns.get_mut(key.slot).and_then(|conn| conn.access.as_mut()) {
            access.user_properties = UserPropertiesBuf::new();
        }
        let Some(properties) = properties else { return };
        if let Some(what) = self.session_happening(Event::ClientConnected, slot) {
            self.note(what.with(Column::ConnProps, properties));
        }
    }

    fn connect_properties(&self, slot: u32, key: ConnKey) -> Fact {
        let (Some(session), Some(conn)) = (self.sessions.get(slot), self.conns.get(key.slot))
        else {
            return properties::none();
        };
        if session.proto_ver != 5 {
            return properties::none();
        }
        let numbers = [
            ("Session-Expiry-Interval", Some(session.expiry_s)),
            ("Receive-Maximum", Some(u32::from(conn.window))),
        ];
        let user = conn.access.as_ref().map(|access| access.user_properties.as_ref());
        properties::of_numbers(&numbers, user.unwrap_or_default())
    }

    /// `client.disconnected`; the session has lost its connection `key` already.
    pub(super) fn note_disconnected(
        &mut self,
        now: Now,
        slot: u32,
        key: Option<ConnKey>,
        cause: CloseCause,
    ) {
        if !self.rules_want(Event::ClientDisconnected) {
            return;
        }
        let conn = key.and_then(|key| self.conns.get(key.slot));
        let attrs = conn.and_then(|conn| conn.access.as_ref());
        let attrs = attributes(attrs.map_or(&[][..], |access| &access.grant.attrs));
        if let Some(mut what) = self.session_happening(Event::ClientDisconnected, slot) {
            what.replace(Column::ClientAttrs, attrs);
            let what = what
                .with(Column::Reason, Fact::Word(cause.name()))
                .with(Column::DisconnProps, self.packet_properties())
                .with(Column::DisconnectedAt, now.unix_ms);
            self.note(what);
        }
    }

    /// `client.connack`.
    pub(super) fn note_connack(&mut self, key: ConnKey, client_id: &str, reason: ReasonCode) {
        if !self.rules_want(Event::ClientConnack) {
            return;
        }
        let slot = self.conns.get(key.slot).map(|conn| conn.session);
        let has_session = reason == ReasonCode::SUCCESS;
        let what = match slot.filter(|_| has_session) {
            Some(slot) => self.session_happening(Event::ClientConnack, slot).map(|what| {
                let properties = self.connect_properties(slot, key);
                what.with(Column::ConnProps, properties)
            }),
            None => self.connecting_happening(Event::ClientConnack, key, client_id),
        };
        if let Some(what) = what {
            self.note(what.with(Column::ReasonCode, Fact::Word(reason.name())));
        }
    }

    /// `client.ping`.
    pub(super) fn note_ping(&mut self, key: ConnKey) {
        if !self.rule_engine.told.ping {
            return;
        }
        let slot = self.conns.get(key.slot).map(|conn| conn.session);
        let what = slot.and_then(|slot| self.session_happening(Event::ClientPing, slot));
        if let Some(what) = what {
            self.note(what);
        }
    }

    /// `client.check_authn_complete`.
    pub(super) fn note_authenticated(
        &mut self,
        key: ConnKey,
        request: &ConnectRequest,
        reason: ReasonCode,
    ) {
        if !self.rules_want(Event::CheckAuthnComplete) {
            return;
        }
        // Whom nobody was asked about is nobody.
        let is_asked = self.config.admission == Admission::Ask
            || request.is_hook_asked
            || request.method.is_some();
        let event = Event::CheckAuthnComplete;
        if let Some(what) = self.connecting_happening(event, key, &request.client_id) {
            let what = what
                .with(Column::Username, request.username.as_deref())
                .with(Column::ReasonCode, Fact::Word(reason.name()))
                .with(Column::IsSuperuser, Fact::Bool(request.is_superuser))
                .with(Column::IsAnonymous, Fact::Bool(!is_asked))
                .with(Column::ClientAttrs, attributes(&request.grant.attrs));
            self.note(what);
        }
    }

    /// Keeps what was decided about a topic until the whole packet is decided.
    pub(super) fn note_ruling(
        &mut self,
        judgement: Judgement,
        action: Action,
        topic: &str,
        answer: Option<(bool, bool)>,
    ) {
        let (is_allowed, source): (bool, Arc<str>) = match (judgement, answer) {
            (Judgement::Decided(permission, origin, _), _) => {
                let word = match origin {
                    Origin::Superuser => "superuser".into(),
                    Origin::ClientAcl => "client_info".into(),
                    Origin::SysTopics => "sys_topics".into(),
                    Origin::Reserved => "reserved".into(),
                    Origin::Link => "link".into(),
                    Origin::NoMatch => "default".into(),
                    Origin::Source(number) => self.rules.name(number),
                };
                (permission == crate::access::Permission::Allow, word)
            }
            (Judgement::Ask(_), Some((allowed, true))) => (allowed, "cache".into()),
            (Judgement::Ask(Some(number)), Some((allowed, _))) => {
                (allowed, self.rules.name(number))
            }
            (Judgement::Ask(None), Some((allowed, _))) => (allowed, "hook".into()),
            (Judgement::Ask(_), None) => return,
        };
        let action = match action {
            Action::Publish(..) => "publish",
            Action::Subscribe(_) => "subscribe",
        };
        self.rule_engine.decided.push(Decided { action, topic: topic.into(), is_allowed, source });
    }

    /// `client.check_authz_complete` of everything that a packet asked for, unless it waits for
    /// answers and is looked at anew.
    pub(super) fn note_rulings(&mut self, key: ConnKey, is_complete: bool) {
        let decided = std::mem::take(&mut self.rule_engine.decided);
        let Some(slot) = self.conns.get(key.slot).map(|conn| conn.session) else { return };
        if !is_complete {
            return;
        }
        for ruling in decided {
            let Some(what) = self.session_happening(Event::CheckAuthzComplete, slot) else {
                return;
            };
            let result = if ruling.is_allowed { "allow" } else { "deny" };
            let what = what
                .with(Column::Topic, &*ruling.topic)
                .with(Column::Action, Fact::Word(ruling.action))
                .with(Column::AuthzSource, &*ruling.source)
                .with(Column::Result, Fact::Word(result));
            self.note(what);
        }
    }

    /// `session.subscribed` and `session.unsubscribed`.
    pub(super) fn note_subscription(
        &mut self,
        event: Event,
        slot: u32,
        topic: &str,
        subscription: Subscription,
    ) {
        if !self.rules_want(event) {
            return;
        }
        let column = match event {
            Event::SessionSubscribed => Column::SubProps,
            _ => Column::UnsubProps,
        };
        let Some(what) = self.session_happening(event, slot) else { return };
        let what = what
            .with(Column::Topic, topic)
            .with(Column::QoS, u64::from(subscription.opts.qos() as u8))
            .with(column, self.packet_properties());
        self.note(what);
    }

    /// `message.delivered`, `message.acked`, `delivery.dropped`: something about one receiver.
    pub(super) fn note_receiver(
        &mut self,
        event: Event,
        slot: u32,
        message: &Arc<Message>,
        about: [(Column, Fact); 1],
    ) {
        let Some(session) = self.sessions.get(slot) else { return };
        let mut what = Happening::new(event)
            .about(message.clone())
            .with(Column::ClientId, &*session.publisher.client_id)
            .with(Column::Username, session.publisher.username.as_deref())
            .with(Column::PeerHost, session.meta.known_peer().map(|peer| peer.ip()))
            .with(Column::PeerName, session.meta.known_peer());
        for (column, fact) in about {
            what.set(column, fact);
        }
        self.note(what);
    }

    /// `message.dropped`; `from` is the session of the client that published it here.
    pub(super) fn note_dropped(
        &mut self,
        message: &Arc<Message>,
        from: Option<SessionKey>,
        reason: &'static str,
    ) {
        let mut what = Happening::new(Event::MessageDropped)
            .about(message.clone())
            .with(Column::Reason, Fact::Word(reason));
        let session = from.and_then(|key| self.sessions.get(key.slot).filter(|s| s.key == key));
        if let Some(session) = session {
            what.set(Column::PeerHost, session.meta.known_peer().map(|peer| peer.ip()));
            what.set(Column::PeerName, session.meta.known_peer());
        }
        self.note(what);
    }
}
