//! SUBSCRIBE and UNSUBSCRIBE. MQTT-5.0 sections 3.8 to 3.11.

use rookery_codec::{
    ParsedFilter, QoS, ReasonCode, SubAck, Subscribe, SubscribeFilter, SubscriptionOptions,
    UnsubAck, Unsubscribe, UserProperties, Version, check_topic_filter, parse_filter,
};

use rookery_rules::Event;

use super::authorize::Ruling;
use super::gate::GateAction;
use super::hooks::filter_reason;
use super::{Fault, Shard, Step};
use crate::effects::{FilterVerdict, Question, SubscriptionInfo, UpEvent, Verdict};
use crate::ids::{ConnKey, Now};
use crate::persist;
use crate::retained::RetainedCursor;
use crate::rewrite::fill;
use crate::router::{SubOpts, Subscriber};
use crate::session::{Replay, Subscription};

impl Shard {
    /// Answers every filter with its own reason code, MQTT-5.0 [MQTT-3.8.4-6].
    pub(super) fn handle_subscribe(
        &mut self,
        now: Now,
        key: ConnKey,
        first: u8,
        body: &[u8],
        subscribe: &Subscribe<'_>,
    ) -> Result<Step, Fault> {
        // What waited for answers about its filters was counted when it came.
        let answer = self.filter_verdict.take();
        if self.verdicts.is_empty() && answer.is_none() {
            self.metrics().subscribe_received.inc();
        }
        let Some(slot) = self.slot_of(key) else { return Ok(Step::End) };
        if subscribe.len() > self.config.limits.filters_per_packet {
            return Err(Fault::new(
                ReasonCode::QUOTA_EXCEEDED,
                "too many topic filters in one SUBSCRIBE",
            ));
        }
        self.refuse_unanswerable(key, subscribe.len())?;
        let Some(rulings) = self.rule_filters(now, key, slot, subscribe, (first, body)) else {
            return Ok(Step::Next);
        };
        let is_offence = |ruling: &Ruling| match ruling {
            Ruling::Deny { is_closed } => self.ends_on_denial(*is_closed),
            _ => false,
        };
        if rulings.iter().any(is_offence) {
            self.metrics().authorization_deny.inc();
            self.metrics().subscribe_auth_error.inc();
            return Ok(self.end_denied(now, key));
        }
        if self.config.hooks.subscribe && answer.is_none() {
            let Some(question) = self.subscribe_question(slot, subscribe) else {
                return Ok(Step::End);
            };
            return Ok(self.ask_filters(now, key, (first, body), question));
        }
        let before = self.effects.store_ops.len();
        let sub_id = subscribe.subscription_identifier.unwrap_or(0);
        let mut codes = Vec::with_capacity(subscribe.len());
        let mut replays = Vec::new();
        let mut has_failed = false;
        for (at, (wanted, ruling)) in subscribe.filters().zip(rulings).enumerate() {
            let said = changed(answer.as_ref(), at);
            let is_allowed = ruling == Ruling::Allow;
            let result =
                self.subscribe_as(now, slot, &wanted, said, sub_id, is_allowed, &mut replays)?;
            has_failed |= result.is_err_and(|reason| reason != ReasonCode::NOT_AUTHORIZED);
            codes.push(self.subscribe_code(key, result));
        }
        self.metrics().subscribe_error.add(u64::from(has_failed));
        let bytes = self.suback(key, subscribe, &codes);
        let ticket = self.ticket_since(before);
        self.gate(now, key, ticket, GateAction::Subscribed { bytes, replays });
        Ok(Step::Next)
    }

    fn suback(&self, key: ConnKey, subscribe: &Subscribe<'_>, codes: &[u8]) -> Vec<u8> {
        let version = self.conns.get(key.slot).map_or(Version::V311, |c| c.version);
        let suback = SubAck {
            packet_id: subscribe.packet_id,
            reason_string: self.link_objection(key, subscribe, codes),
            user_properties: UserProperties::default(),
            codes,
        };
        let mut bytes = Vec::new();
        suback.encode(version, &mut bytes);
        // MQTT-5.0 [MQTT-3.9.2-1]: rather without the words than not at all.
        if suback.reason_string.is_some() && !self.takes(key, bytes.len()) {
            bytes.clear();
            SubAck { reason_string: None, ..suback }.encode(version, &mut bytes);
        }
        bytes
    }

    /// SUBACK and UNSUBACK have a code for each filter and cannot be made smaller. Nothing is done
    /// that the client cannot be told, MQTT-5.0 [MQTT-3.1.2-24], [MQTT-3.8.4-1].
    fn refuse_unanswerable(&self, key: ConnKey, filters: usize) -> Result<(), Fault> {
        // Packet Identifier, no properties, codes.
        let rest = 3 + filters;
        let length = u32::try_from(rest).map_or(4, rookery_codec::varint::len);
        if self.takes(key, 1 + length + rest) {
            return Ok(());
        }
        Err(Fault::new(
            ReasonCode::PACKET_TOO_LARGE,
            "the answer is larger than the client's Maximum Packet Size",
        ))
    }

    /// Whether a packet is within what the client takes.
    fn takes(&self, key: ConnKey, bytes: usize) -> bool {
        let max = self.conns.get(key.slot).map_or(0, |conn| conn.packet_size_max as usize);
        max == 0 || bytes <= max
    }

    /// One filter, or what hooks put in its place.
    #[allow(clippy::too_many_arguments)]
    fn subscribe_as(
        &mut self,
        now: Now,
        slot: u32,
        wanted: &SubscribeFilter<'_>,
        said: Changed<'_>,
        sub_id: u32,
        is_allowed: bool,
        replays: &mut Vec<Replay>,
    ) -> Result<Result<QoS, ReasonCode>, Fault> {
        let (filter, options) = match said {
            Changed::No => (wanted.filter, wanted.options),
            Changed::To(info) => (&*info.topic, options_of(info)),
            Changed::Refused(reason) => return Ok(Err(filter_reason(reason, true))),
        };
        self.subscribe_one(now, slot, filter, options, sub_id, is_allowed, replays)
    }

    fn subscribe_question(&self, slot: u32, subscribe: &Subscribe<'_>) -> Option<Question> {
        let wanted = subscribe.filters().map(|wanted| SubscriptionInfo {
            topic: wanted.filter.into(),
            qos: wanted.options.qos as u8,
            nl: wanted.options.no_local,
            rap: wanted.options.retain_as_published,
            rh: wanted.options.retain_handling,
        });
        let client_id = self.sessions.get(slot)?.publisher.client_id.clone();
        Some(Question::Subscribe { client_id, wanted: wanted.collect() })
    }

    fn subscribe_code(&self, key: ConnKey, result: Result<QoS, ReasonCode>) -> u8 {
        match result {
            Ok(qos) => qos as u8,
            Err(reason) => {
                let is_v5 = self.conns.get(key.slot).is_some_and(|c| c.version == Version::V5);
                // MQTT-3.1.1 [MQTT-3.9.3-2]: 3.x knows one failure only.
                if is_v5 { reason.0 } else { 0x80 }
            }
        }
    }

    /// One filter. The inner error is its reason code, the outer one ends the connection.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn subscribe_one(
        &mut self,
        now: Now,
        slot: u32,
        requested: &str,
        options: SubscriptionOptions,
        sub_id: u32,
        is_allowed: bool,
        replays: &mut Vec<Replay>,
    ) -> Result<Result<QoS, ReasonCode>, Fault> {
        let rewritten = self.rewrite_filter(slot, requested);
        let text = rewritten.as_deref().unwrap_or(requested);
        let Ok(parsed) = parse_filter(text) else {
            return Ok(Err(ReasonCode::TOPIC_FILTER_INVALID));
        };
        if let Some(reason) = self.filter_objection(slot, text, parsed) {
            return Ok(Err(reason));
        }
        let is_shared = matches!(parsed, ParsedFilter::Shared { .. });
        if is_shared && options.no_local {
            // MQTT-5.0 [MQTT-3.8.3-4].
            return Err(Fault::new(
                ReasonCode::PROTOCOL_ERROR,
                "No Local on a shared subscription",
            ));
        }
        self.note_decision(slot, parsed, is_allowed);
        if !is_allowed {
            return Ok(Err(ReasonCode::NOT_AUTHORIZED));
        }
        let Some(session) = self.sessions.get(slot) else {
            return Ok(Err(ReasonCode::UNSPECIFIED_ERROR));
        };
        let mqtt = self.mqtt(session.meta.zone);
        let (max_qos, upgrades) = (mqtt.max_qos_allowed, mqtt.upgrade_qos);
        let qos = options.qos.min(QoS::from_u8(max_qos).unwrap_or(QoS::ExactlyOnce));
        let opts = SubOpts::new(
            qos,
            options.no_local,
            options.retain_as_published,
            options.retain_handling,
        )
        .upgrading(upgrades);
        let subscription = Subscription { opts, sub_id };
        let Some(is_new) = self.install(slot, text, parsed, subscription) else {
            return Ok(Err(ReasonCode::QUOTA_EXCEEDED));
        };
        let wants_retained = match options.retain_handling {
            0 => true,
            1 => is_new,
            _ => false,
        };
        // Retained messages are not sent for shared subscriptions, MQTT-5.0 section 4.8.2.
        if wants_retained && !is_shared {
            let mountpoint = self
                .sessions
                .get(slot)
                .map_or_else(Default::default, |s| s.meta.mountpoint.clone());
            let plain = plain_filter(parsed);
            replays.push(Replay {
                filter: format!("{mountpoint}{plain}").into(),
                cursor: RetainedCursor::default(),
                subscription,
            });
        }
        self.notice_subscribed(now, slot, text, subscription, is_new);
        Ok(Ok(qos))
    }

    /// Counts a decision, and tells it where it is traced.
    fn note_decision(&mut self, slot: u32, parsed: ParsedFilter<'_>, is_allowed: bool) {
        if self.observer.is_tracing
            && (!is_allowed || self.is_guarding)
            && let Some(key) = self.sessions.get(slot).and_then(|s| s.conn)
        {
            self.trace_ruling(key, "subscribe", plain_filter(parsed), is_allowed);
        }
        let metrics = self.metrics();
        if !is_allowed {
            metrics.authorization_deny.inc();
            metrics.subscribe_auth_error.inc();
        } else if self.is_guarding {
            metrics.authorization_allow.inc();
        }
    }

    pub(super) fn rewrite_filter(&self, slot: u32, filter: &str) -> Option<String> {
        if self.rewriter.is_empty() {
            return None;
        }
        let publisher = &self.sessions.get(slot)?.publisher;
        // The prefix of a shared subscription stays.
        let plain = plain_filter(parse_filter(filter).ok()?);
        let new = self.rewriter.apply(
            false,
            plain,
            &publisher.client_id,
            publisher.username.as_deref(),
        )?;
        let prefix = filter.get(..filter.len() - plain.len())?;
        Some(format!("{prefix}{new}"))
    }

    fn filter_objection(
        &self,
        slot: u32,
        text: &str,
        parsed: ParsedFilter<'_>,
    ) -> Option<ReasonCode> {
        let session = self.sessions.get(slot)?;
        let mqtt = self.mqtt(session.meta.zone);
        let plain = plain_filter(parsed);
        if check_topic_filter(plain).is_err()
            || rookery_codec::levels(plain) > mqtt.max_topic_levels
        {
            return Some(ReasonCode::TOPIC_FILTER_INVALID);
        }
        if !mqtt.wildcard_subscription && plain.contains(['+', '#']) {
            return Some(ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED);
        }
        match parsed {
            ParsedFilter::Shared { .. } if !mqtt.shared_subscription => {
                return Some(ReasonCode::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED);
            }
            ParsedFilter::Exclusive(_) if !mqtt.exclusive_subscription => {
                return Some(ReasonCode::TOPIC_FILTER_INVALID);
            }
            _ => {}
        }
        if plain.starts_with("$LINK/") && !self.may_read_link(slot, plain) {
            return Some(ReasonCode::NOT_AUTHORIZED);
        }
        let max = mqtt.max_subscriptions;
        let is_full = max != 0
            && session.subscriptions.len() >= max
            && !session.subscriptions.contains_key(text);
        is_full.then_some(ReasonCode::QUOTA_EXCEEDED)
    }

    /// Puts a subscription into session, trie and store; whether it is new, `None` when it is taken.
    pub(super) fn install(
        &mut self,
        slot: u32,
        text: &str,
        parsed: ParsedFilter<'_>,
        subscription: Subscription,
    ) -> Option<bool> {
        let before = self.enlist(slot, text, parsed, subscription)?;
        let committed = self.committed;
        if let Some(session) = self.sessions.get(slot)
            && session.durable_id != 0
            // What is on disk already needs no room there.
            && (before != Some(subscription) || session.subscribed_ticket > committed)
        {
            let op = persist::put_subscription(session.durable_id, text, subscription);
            self.effects.store_ops.push(op);
            self.note_subscribed(slot);
        }
        Some(before.is_none())
    }

    /// Puts a subscription into session and trie; the one of the same filter before it, `None`
    /// when it is taken.
    fn enlist(
        &mut self,
        slot: u32,
        text: &str,
        parsed: ParsedFilter<'_>,
        subscription: Subscription,
    ) -> Option<Option<Subscription>> {
        let session = self.sessions.get_mut(slot)?;
        let subscriber = Subscriber {
            key: session.key,
            durable_id: session.durable_id,
            sub_id: subscription.sub_id,
            opts: subscription.opts,
        };
        let mountpoint = session.meta.mountpoint.clone();
        let mounted = |filter: &str| format!("{mountpoint}{filter}");
        match parsed {
            ParsedFilter::Shared { group, filter } if mountpoint.is_empty() => {
                self.shared.router.subscribe_shared(group, filter, subscriber);
            }
            ParsedFilter::Shared { group, filter } => {
                self.shared.router.subscribe_shared(group, &mounted(filter), subscriber);
            }
            ParsedFilter::Exclusive(topic) => {
                if !self.shared.take_exclusive(&mounted(topic), session.key) {
                    return None;
                }
                self.shared.router.subscribe(&mounted(topic), subscriber);
            }
            ParsedFilter::Plain(filter) if mountpoint.is_empty() => {
                self.shared.router.subscribe(filter, subscriber);
            }
            ParsedFilter::Plain(filter) => {
                self.shared.router.subscribe(&mounted(filter), subscriber);
            }
        }
        let before = session.subscriptions.insert(text.into(), subscription);
        if before.is_none() && session.durable_id != 0 {
            self.metrics().durable_subscriptions.inc();
        }
        Some(before)
    }

    /// Puts a recovered subscription back; store and retained messages are not touched.
    pub(super) fn install_restored(
        &mut self,
        slot: u32,
        text: &str,
        parsed: ParsedFilter<'_>,
        subscription: Subscription,
    ) {
        self.enlist(slot, text, parsed, subscription);
        if let (ParsedFilter::Shared { group, filter }, Some(session)) =
            (parsed, self.sessions.get(slot))
        {
            let filter = format!("{}{filter}", session.meta.mountpoint);
            self.shared.router.set_connected(group, &filter, session.key, false);
        }
    }

    /// Tells the shared groups of a session whether its client is there.
    pub(super) fn set_shared_presence(&mut self, slot: u32, is_connected: bool) {
        let Some(session) = self.sessions.get(slot) else { return };
        for text in session
            .subscriptions
            .keys()
            .filter(|f| f.starts_with("$share/") || f.starts_with("$queue/"))
        {
            if let Ok(ParsedFilter::Shared { group, filter }) = parse_filter(text) {
                let filter = format!("{}{filter}", session.meta.mountpoint);
                self.shared.router.set_connected(group, &filter, session.key, is_connected);
            }
        }
    }

    /// Takes filters back; each is answered, MQTT-5.0 [MQTT-3.11.3-1].
    pub(super) fn handle_unsubscribe(
        &mut self,
        now: Now,
        key: ConnKey,
        first: u8,
        body: &[u8],
        unsubscribe: &Unsubscribe<'_>,
    ) -> Result<Step, Fault> {
        let answer = self.filter_verdict.take();
        if answer.is_none() {
            self.metrics().unsubscribe_received.inc();
        }
        let Some(conn) = self.conns.get(key.slot) else { return Ok(Step::End) };
        let (slot, version) = (conn.session, conn.version);
        if unsubscribe.len() > self.config.limits.filters_per_packet {
            return Err(Fault::new(
                ReasonCode::QUOTA_EXCEEDED,
                "too many topic filters in one UNSUBSCRIBE",
            ));
        }
        self.refuse_unanswerable(key, unsubscribe.len())?;
        if self.config.hooks.unsubscribe && answer.is_none() {
            let Some(session) = self.sessions.get(slot) else { return Ok(Step::End) };
            let client_id = session.publisher.client_id.clone();
            let filters = unsubscribe.filters().map(Box::from).collect();
            let question = Question::Unsubscribe { client_id, filters };
            return Ok(self.ask_filters(now, key, (first, body), question));
        }
        let before = self.effects.store_ops.len();
        let mut codes = Vec::with_capacity(unsubscribe.len());
        for (at, requested) in unsubscribe.filters().enumerate() {
            let requested = match changed(answer.as_ref(), at) {
                Changed::No => requested,
                Changed::To(info) => &info.topic,
                Changed::Refused(reason) => {
                    codes.push(filter_reason(reason, false).0);
                    continue;
                }
            };
            let rewritten = self.rewrite_filter(slot, requested);
            let text = rewritten.as_deref().unwrap_or(requested);
            codes.push(self.unsubscribe_one(now, slot, text).0);
        }
        if codes.contains(&ReasonCode::TOPIC_FILTER_INVALID.0) {
            self.metrics().unsubscribe_error.inc();
        }
        let unsuback = UnsubAck {
            packet_id: unsubscribe.packet_id,
            reason_string: None,
            user_properties: UserProperties::default(),
            codes: &codes,
        };
        let mut bytes = Vec::new();
        unsuback.encode(version, &mut bytes);
        let ticket = self.ticket_since(before);
        self.gate(now, key, ticket, GateAction::Unsubscribed { bytes });
        Ok(Step::Next)
    }

    pub(super) fn unsubscribe_one(&mut self, now: Now, slot: u32, text: &str) -> ReasonCode {
        if parse_filter(text).is_err() {
            return ReasonCode::TOPIC_FILTER_INVALID;
        }
        let Some(session) = self.sessions.get_mut(slot) else {
            return ReasonCode::UNSPECIFIED_ERROR;
        };
        let Some(subscription) = session.subscriptions.remove(text) else {
            return ReasonCode::NO_SUBSCRIPTION_EXISTED;
        };
        let (key, durable_id, mountpoint) =
            (session.key, session.durable_id, session.meta.mountpoint.clone());
        self.forget_subscription(text, &mountpoint, key, durable_id);
        self.notice_unsubscribed(now, slot, text, subscription);
        ReasonCode::SUCCESS
    }

    /// `auto_subscribe.topics`, made on every successful CONNECT.
    pub(super) fn auto_subscribe(&mut self, now: Now, slot: u32) {
        let config = self.config.clone();
        for auto in &config.auto_subscribe {
            let (Some(session), Some(peer)) = (self.sessions.get(slot), self.peer_of(slot)) else {
                return;
            };
            let key = session.conn;
            let publisher = &session.publisher;
            let values = [
                ("clientid", &*publisher.client_id),
                ("username", publisher.username.as_deref().unwrap_or("")),
                ("host", &peer.ip().to_string()),
                ("port", &peer.port().to_string()),
            ];
            let filter = fill(&auto.topic, &values);
            let options = SubscriptionOptions {
                qos: QoS::from_u8(auto.qos).unwrap_or(QoS::AtMostOnce),
                no_local: auto.nl,
                retain_as_published: auto.rap,
                retain_handling: auto.rh,
            };
            let mut replays = Vec::new();
            let done = self.subscribe_one(now, slot, &filter, options, 0, true, &mut replays);
            if let (Ok(Ok(_)), Some(key)) = (done, key) {
                self.start_replays(key, replays);
            }
        }
    }

    fn notice_subscribed(
        &mut self,
        now: Now,
        slot: u32,
        text: &str,
        subscription: Subscription,
        is_new: bool,
    ) {
        if self.config.hooks.subscription_events
            && let Some(session) = self.sessions.get(slot)
        {
            let event = UpEvent::Subscribed(
                session.publisher.client_id.clone(),
                info_of(text, subscription),
            );
            self.effects.up.push(event);
        }
        self.notice_subscription(now, slot, text, Some((subscription, is_new)));
        self.note_subscription(Event::SessionSubscribed, slot, text, subscription);
    }

    fn notice_unsubscribed(&mut self, now: Now, slot: u32, text: &str, subscription: Subscription) {
        if self.config.hooks.subscription_events
            && let Some(session) = self.sessions.get(slot)
        {
            self.effects
                .up
                .push(UpEvent::Unsubscribed(session.publisher.client_id.clone(), text.into()));
        }
        self.notice_subscription(now, slot, text, None);
        self.note_subscription(Event::SessionUnsubscribed, slot, text, subscription);
    }
}

/// A subscription's row for management and hooks.
pub(crate) fn info_of(text: &str, subscription: Subscription) -> SubscriptionInfo {
    SubscriptionInfo {
        topic: text.into(),
        qos: subscription.opts.qos() as u8,
        nl: subscription.opts.no_local(),
        rap: subscription.opts.retain_as_published(),
        rh: subscription.opts.retain_handling(),
    }
}

/// The filter proper.
pub(super) fn plain_filter(parsed: ParsedFilter<'_>) -> &str {
    match parsed {
        ParsedFilter::Plain(filter)
        | ParsedFilter::Shared { filter, .. }
        | ParsedFilter::Exclusive(filter) => filter,
    }
}

/// What hooks made of a filter.
enum Changed<'a> {
    No,
    To(&'a SubscriptionInfo),
    Refused(ReasonCode),
}

/// What became of the filter at a place of the packet. Less than one answer for each is none.
fn changed(answer: Option<&Verdict>, at: usize) -> Changed<'_> {
    match answer {
        Some(Verdict::Filters(filters)) => match filters.get(at) {
            Some(FilterVerdict::Take(info)) => Changed::To(info),
            Some(FilterVerdict::Refuse(reason)) => Changed::Refused(*reason),
            None => Changed::No,
        },
        Some(Verdict::Deny(reason)) => Changed::Refused(*reason),
        _ => Changed::No,
    }
}

fn options_of(info: &SubscriptionInfo) -> SubscriptionOptions {
    let is_shared = matches!(parse_filter(&info.topic), Ok(ParsedFilter::Shared { .. }));
    SubscriptionOptions {
        qos: QoS::from_u8(info.qos).unwrap_or(QoS::AtMostOnce),
        // MQTT-5.0 [MQTT-3.8.3-4]: not the client's mistake where a hook made it a shared one.
        no_local: info.nl && !is_shared,
        retain_as_published: info.rap,
        retain_handling: info.rh.min(2),
    }
}
