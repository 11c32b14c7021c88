//! Linked clusters: what their clients publish under `$LINK/`, and messages for them.
//!
//! A message that came over a link is delivered to whoever subscribed in this cluster and crosses no
//! other link. So any number of clusters may be linked with each other and a message goes round in no
//! circle. It is retained, and rules and hooks see it, where the link says so.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rookery_codec::{Publish, PublishProperties, QoS, ReasonCode, Subscribe, levels};
use rookery_links::message::{self, LinkMessage, STATE};
use rookery_links::receiver::Violation;
use rookery_links::receiver::error::{DISABLED, UNKNOWN_CLUSTER};
use rookery_links::topics::{PREFIX, Purpose, parse};

use super::deliver::Source;
use super::{Fault, Shard, Step};
use crate::access::{Judgement, LinkEntry, Permission};
use crate::conn::Action;
use crate::effects::{CloseCause, ForLinks};
use crate::ids::{ConnKey, MessageId, Now, SessionKey};
use crate::message::{Message, MessageParts, Origin, Publisher};
use crate::router::Matched;

/// What publishes answers of the protocol.
const ANSWERER: &str = "$link";

/// What the acknowledgements of this turn promise: a link has the message on disk.
#[derive(Debug, Default)]
pub(super) struct Promise {
    /// The latest message went to one, with QoS 1 or 2.
    pub(super) is_latest: bool,
    /// Some message of this turn did.
    pub(super) is_made: bool,
}

impl Shard {
    /// A PUBLISH to a topic of the link protocol.
    #[cold]
    pub(super) fn handle_link(
        &mut self,
        now: Now,
        key: ConnKey,
        slot: u32,
        topic: &str,
        publish: &Publish<'_>,
    ) -> Result<Step, Fault> {
        let action = Action::Publish(publish.qos as u8, publish.retain);
        let is_allowed = self.is_link_open(key, action, topic);
        let Some((purpose, cluster)) = parse(topic).filter(|_| is_allowed) else {
            return Ok(self.deny_publish(now, key, publish, ReasonCode::NOT_AUTHORIZED));
        };
        let linked = match purpose {
            Purpose::Message => self.read_linked(now, key, cluster, publish),
            _ => None,
        };
        if let Some((entry, message, false)) = &linked
            && entry.is_shown
            && self.config.hooks.publish
        {
            self.defer_message(now, key, message, publish.qos, publish.packet_id);
            return Ok(Step::Next);
        }
        let before = self.effects.store_ops.len();
        if publish.qos != QoS::AtMostOnce
            && !self.open_exchange(now, key, slot, publish.qos, publish.packet_id)?
        {
            return Ok(Step::Next);
        }
        match purpose {
            Purpose::Route => self.take_routes(now, key, cluster, publish)?,
            Purpose::Message | Purpose::Response => {}
        }
        if let Some((entry, message, is_state)) = linked {
            self.take_linked(now, &entry, &message, is_state);
        }
        self.answer_publish(now, key, publish.qos, publish.packet_id, 1, before);
        Ok(Step::Next)
    }

    fn is_link_open(&self, key: ConnKey, action: Action, topic: &str) -> bool {
        let judgement = self.judgement(key, action, topic);
        matches!(judgement, Judgement::Decided(Permission::Allow, ..))
    }

    /// Whether the client of a session may read a topic of the link protocol.
    #[cold]
    pub(super) fn may_read_link(&self, slot: u32, filter: &str) -> bool {
        let conn = self.sessions.get(slot).and_then(|session| session.conn);
        conn.is_some_and(|key| self.is_link_open(key, Action::Subscribe(0), filter))
    }

    /// What the SUBACK of a client says that speaks for a cluster to which there is no link, or one
    /// that is switched off.
    pub(super) fn link_objection(
        &self,
        key: ConnKey,
        subscribe: &Subscribe<'_>,
        codes: &[u8],
    ) -> Option<&'static str> {
        let wanted = subscribe.filters().next().map(|wanted| wanted.filter)?;
        if !wanted.starts_with(PREFIX) || codes != [ReasonCode::NOT_AUTHORIZED.0] {
            return None;
        }
        let (_, cluster) = parse(wanted)?;
        let conn = self.conns.get(key.slot)?;
        let is_known = conn.is_authenticated || conn.meta.cert.is_some();
        let is_told = is_known && conn.problem_information;
        match self.config.links.get(cluster).filter(|_| is_told) {
            None => is_told.then_some(UNKNOWN_CLUSTER),
            Some(entry) => (!entry.is_enabled).then_some(DISABLED),
        }
    }

    fn take_routes(
        &mut self,
        now: Now,
        key: ConnKey,
        cluster: &str,
        publish: &Publish<'_>,
    ) -> Result<(), Fault> {
        let mut session = self.link_sessions.remove(&key);
        let shared = self.shared.clone();
        let taken =
            shared.links.take(&shared.router, cluster, &mut session, publish.payload, now.mono_ms);
        if let Some(session) = session {
            self.link_sessions.insert(key, session);
        }
        let answer = taken.map_err(|violation| {
            if self.observer.is_tracing {
                let words = violation.to_string();
                self.trace_conn(key, ("LINK", "link_protocol_violation"), None, words);
            }
            Fault::new(ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR, words_of(&violation))
        })?;
        if let Some(answer) = answer {
            self.answer_link(now, cluster, &publish.properties, &answer);
        }
        Ok(())
    }

    /// Publishes an answer where the client asked for it, if that is where it may read.
    fn answer_link(
        &mut self,
        now: Now,
        cluster: &str,
        asked: &PublishProperties<'_>,
        payload: &[u8],
    ) {
        let Some(topic) = asked.response_topic else { return };
        if parse(topic) != Some((Purpose::Response, cluster)) {
            return;
        }
        let mut properties = Vec::new();
        let correlation_data = asked.correlation_data;
        PublishProperties { correlation_data, ..PublishProperties::default() }
            .forward_into(&mut properties);
        let parts = MessageParts {
            id: self.message_id(now),
            timestamp_ms: now.unix_ms,
            expires_at_ms: 0,
            seq: 0,
            qos: QoS::AtLeastOnce,
            retain: false,
            sys: true,
            topic,
            properties: &properties,
            payload,
        };
        let from = Arc::new(Publisher { client_id: ANSWERER.into(), username: None });
        let message = Arc::new(Message::new(&parts, from, None));
        let matched = self.cache.matches(&self.shared.router, topic).clone();
        self.route_matched(now, &mut Source::of(&message), None, &matched);
    }

    /// A message of another cluster; true if it tells what is retained there. Nothing if it is none
    /// that may come, which is counted.
    fn read_linked(
        &mut self,
        now: Now,
        key: ConnKey,
        cluster: &str,
        publish: &Publish<'_>,
    ) -> Option<(Arc<LinkEntry>, Arc<Message>, bool)> {
        let entry = self.config.links.get(cluster).cloned()?;
        let zone = self.conns.get(key.slot).map_or(0, |conn| conn.meta.zone);
        let mqtt = self.mqtt(zone);
        let limits = message::limits(mqtt.max_packet_size as usize);
        let levels_max = mqtt.max_topic_levels;
        let plain = message::unpack(publish.payload, limits);
        let linked = plain.as_deref().map(|plain| message::read(plain, limits));
        let wanted = match linked {
            Ok(Ok(linked)) if levels(linked.topic) <= levels_max => {
                is_wanted(&entry, linked.topic).then_some(linked)
            }
            _ => None,
        };
        let Some(linked) = wanted else {
            entry.counters.refused.fetch_add(1, Ordering::Relaxed);
            self.metrics().messages_dropped.inc();
            return None;
        };
        entry.counters.received.fetch_add(1, Ordering::Relaxed);
        let Some(message) = message_of(now, &entry, &linked) else {
            self.metrics().messages_dropped.inc();
            return None;
        };
        let mut properties = publish.properties.user_properties.iter();
        let is_state = properties.any(|(name, value)| (name, value) == STATE);
        Some((entry, Arc::new(message), is_state))
    }

    /// Delivers a message of another cluster.
    fn take_linked(
        &mut self,
        now: Now,
        entry: &LinkEntry,
        message: &Arc<Message>,
        is_state: bool,
    ) -> usize {
        let mut source = Source::of(message);
        if source.parts.retain && entry.keeps_retained {
            let topic = message.topic();
            let age = |message: &Message| (message.timestamp_ms, message.id);
            let kept = self.shared.retained.get(topic).map(|kept| age(&kept));
            let last = kept.max(self.shared.links.deletions.of(topic));
            // That something is gone is no news where there is nothing.
            let is_idle = is_state && kept.is_none() && message.payload().is_empty();
            if last.is_none_or(|last| last < age(message)) && !is_idle {
                self.retain(now, &mut source);
            } else if is_state {
                // It is known here, or something later is.
                return 0;
            }
        }
        if is_state && !entry.keeps_retained {
            return 0;
        }
        self.metrics().messages_publish.inc();
        let matched = self.cache.matches(&self.shared.router, message.topic()).clone();
        if entry.is_shown && !matched.rules.is_empty() {
            self.run_rules(now, &source, None, &matched.rules);
        }
        self.route_matched(now, &mut Source::of(message), None, &matched)
    }

    /// Takes a message that hooks have seen: as of a client here, or as of its link.
    pub(super) fn take_seen(
        &mut self,
        now: Now,
        message: &Arc<Message>,
        from: Option<SessionKey>,
    ) -> usize {
        let link = message.origin.as_ref().and_then(|origin| origin.link.as_deref());
        let Some(link) = link else {
            return self.take_message(now, &mut Source::of(message), from);
        };
        match self.config.links.get(link).cloned() {
            Some(entry) => self.take_linked(now, &entry, message, false),
            None => 0,
        }
    }

    /// Ends connections of actors whose link was taken away or switched off.
    pub(super) fn end_closed_links(&mut self, now: Now) {
        let links = &self.config.links;
        let is_closed = |cluster: &str| !links.get(cluster).is_some_and(|entry| entry.is_enabled);
        let closed: Vec<ConnKey> = self
            .link_sessions
            .iter()
            .filter(|(_, session)| is_closed(session.cluster()))
            .map(|(key, _)| *key)
            .collect();
        for key in closed {
            let detail = "the link is gone or disabled";
            self.send_disconnect(key, ReasonCode::ADMINISTRATIVE_ACTION, Some(detail));
            self.end_connection(now, key, CloseCause::Kicked, true);
        }
    }

    /// A message that linked clusters want, unless it came from one.
    #[cold]
    pub(super) fn send_to_links(
        &mut self,
        source: &mut Source<'_>,
        matched: &Arc<Matched>,
        range: (u32, u32),
    ) {
        if source.origin.is_some_and(|origin| origin.link.is_some()) {
            return;
        }
        if source.parts.qos != QoS::AtMostOnce && self.shared.links.keeps() {
            self.link_promise = Promise { is_latest: true, is_made: true };
        }
        let (message, matched) = (source.keep(&mut self.messages), matched.clone());
        self.effects.to_links.push(ForLinks { message, matched, range });
    }
}

/// The message; none if it came too late.
fn message_of(now: Now, entry: &LinkEntry, linked: &LinkMessage<'_>) -> Option<Message> {
    let expires_at_ms = linked
        .expiry_interval_s
        .map_or(0, |seconds| linked.timestamp_ms + u64::from(seconds) * 1000);
    if expires_at_ms != 0 && expires_at_ms <= now.unix_ms {
        return None;
    }
    let from = Publisher {
        client_id: linked.from.unwrap_or(&entry.name).into(),
        username: linked.username.map(Into::into),
    };
    let origin = Origin { node: None, link: Some(entry.name.clone()), rules: Box::default() };
    let parts = MessageParts {
        id: MessageId(u128::from_be_bytes(linked.id)),
        timestamp_ms: linked.timestamp_ms,
        expires_at_ms,
        seq: 0,
        // A link promises no more, and a message may come twice.
        qos: linked.qos.min(QoS::AtLeastOnce),
        retain: linked.retain,
        sys: false,
        topic: linked.topic,
        properties: &linked.properties,
        payload: linked.payload,
    };
    Some(Message::new(&parts, Arc::new(from), Some(Arc::new(origin))))
}

/// Whether a message on this topic may come over a link.
fn is_wanted(entry: &LinkEntry, topic: &str) -> bool {
    let is_closed = ["$LINK/", "$share/", "$queue/"].iter().any(|word| topic.starts_with(word));
    entry.is_enabled
        && !is_closed
        && entry.topics.iter().any(|filter| rookery_codec::filter_matches(filter, topic))
}

/// The words of a violation without its details.
const fn words_of(violation: &Violation) -> &'static str {
    match violation {
        Violation::Payload(_) => "a payload that is none of the link protocol",
        Violation::Actor(_) => "the actor of the link is stale, unknown or one too many",
        Violation::NotIntroduced => "the actor of the link has not introduced itself",
        Violation::Gone => "the link is gone or disabled",
        _ => "a violation of the link protocol",
    }
}
