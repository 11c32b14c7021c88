//! Events for rules, made where the facts are. Each costs one branch while no rule wants it.

use std::sync::Arc;

use rookery_codec::ReasonCode;
use rookery_rules::{Column, Event};

use super::Shard;
use super::rules::{Decided, attributes};
use crate::access::{Judgement, Origin};
use crate::config::Admission;
use crate::conn::{Action, ConnectRequest};
use crate::effects::CloseCause;
use crate::ids::{ConnKey, Now};
use crate::message::Message;
use crate::rules::{Fact, Happening};
use crate::session::Subscription;

/// No user properties, and nothing else.
const NO_PROPERTIES: &[u8] = br#"{"User-Property":{}}"#;

fn no_properties() -> Fact {
    Fact::Json(NO_PROPERTIES.into())
}

impl Shard {
    /// `client.connected`.
    pub(super) fn note_connected(&mut self, slot: u32, key: ConnKey) {
        if !self.rules_want(Event::ClientConnected) {
            return;
        }
        let properties = self.connect_properties(slot, key);
        if let Some(what) = self.session_happening(Event::ClientConnected, slot) {
            self.note(what.with(Column::ConnProps, properties));
        }
    }

    fn connect_properties(&self, slot: u32, key: ConnKey) -> Fact {
        let (Some(session), Some(conn)) = (self.sessions.get(slot), self.conns.get(key.slot))
        else {
            return no_properties();
        };
        if session.proto_ver != 5 {
            return no_properties();
        }
        let json = format!(
            r#"{{"Session-Expiry-Interval":{},"Receive-Maximum":{},"User-Property":{{}}}}"#,
            session.expiry_s, conn.window
        );
        Fact::Json(json.into_bytes().into())
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
                .with(Column::DisconnProps, no_properties())
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
                .with(Column::Username, Fact::maybe(request.username.as_deref()))
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
    pub(super) fn note_subscription(&mut self, slot: u32, topic: &str, made: Option<Subscription>) {
        let event =
            if made.is_some() { Event::SessionSubscribed } else { Event::SessionUnsubscribed };
        if !self.rules_want(event) {
            return;
        }
        let Some(what) = self.session_happening(event, slot) else { return };
        let what = what.with(Column::Topic, topic);
        let what = match made {
            Some(subscription) => {
                let id = match subscription.sub_id {
                    0 => String::new(),
                    id => format!(r#""Subscription-Identifier":{id},"#),
                };
                let json = format!(r#"{{{id}"User-Property":{{}}}}"#);
                what.with(Column::QoS, u64::from(subscription.opts.qos() as u8))
                    .with(Column::SubProps, Fact::Json(json.into_bytes().into()))
            }
            None => what.with(Column::UnsubProps, no_properties()),
        };
        self.note(what);
    }

    /// `message.delivered`, `message.acked`, `delivery.dropped`: something about one receiver.
    pub(super) fn note_receiver(
        &mut self,
        event: Event,
        slot: u32,
        message: &Arc<Message>,
        qos: Option<u8>,
        reason: Option<&'static str>,
    ) {
        let Some(session) = self.sessions.get(slot) else { return };
        let mut what = Happening::new(event)
            .about(message.clone())
            .with(Column::ClientId, &*session.publisher.client_id)
            .with(Column::Username, Fact::maybe(session.publisher.username.as_deref()))
            .with(Column::PeerHost, &*session.meta.peer.ip().to_string())
            .with(Column::PeerName, &*session.meta.peer.to_string());
        if let Some(qos) = qos {
            what.set(Column::QoS, u64::from(qos));
        }
        if let Some(reason) = reason {
            what.set(Column::Reason, Fact::Word(reason));
        }
        if event == Event::MessageAcked {
            what.set(Column::PubackProps, no_properties());
        }
        self.note(what);
    }

    /// `message.dropped`.
    pub(super) fn note_dropped(&mut self, message: &Arc<Message>, reason: &'static str) {
        let what = Happening::new(Event::MessageDropped).about(message.clone());
        self.note(what.with(Column::Reason, Fact::Word(reason)));
    }
}
