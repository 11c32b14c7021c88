//! Rules of this shard: what they see, and what they want done.

use std::collections::VecDeque;
use std::sync::Arc;

use rookery_rules::{Column, Event};

use super::Shard;
use super::deliver::Source;
use crate::config::HookSwitches;
use crate::ids::{ConnKey, Now, SessionKey};
use crate::rules::columns::PublishedColumns;
use crate::rules::happening::{Happening, HappeningColumns, quoted};
use crate::rules::republish::Draft;
use crate::rules::run::{Complaints, Run, Spent, Wanted};
use crate::rules::{Fact, RuleSet};

/// Events for rules that are looked at in one slice of work.
const HAPPENINGS_SLICE: usize = 1024;
/// Events for rules that wait; more are left out and counted.
const HAPPENINGS_MAX: usize = 65_536;

/// Whether somebody, hook or rule, wants to know of what happens very often.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) delivered: bool,
    pub(super) acked: bool,
    pub(super) dropped: bool,
    pub(super) delivery_dropped: bool,
    /// Rules only.
    pub(super) authz: bool,
    pub(super) ping: bool,
}

/// What was decided about a topic, until all that the packet asks for is decided.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) action: &'static str,
    pub(super) topic: Box<str>,
    pub(super) is_allowed: bool,
    pub(super) source: Arc<str>,
}

/// Rules and what they need between two messages.
#[derive(Debug, Default)]
pub(super) struct RuleEngine {
    pub(super) set: Arc<RuleSet>,
    pub(super) told: Told,
    /// Events that rules look at when nothing else is under way: what they republish must not
    /// come between the steps of what happened.
    pub(super) happenings: VecDeque<Happening>,
    pub(super) decided: Vec<Decided>,
    /// Properties of the packet that is being handled, for the events that it leads to.
    pub(super) properties: Option<Fact>,
    draft: Draft,
    complaints: Complaints,
    /// By the message that is being carried out, and all that it leads to.
    spent: Spent,
    /// How many republished messages are being taken, one inside the other.
    depth: u32,
    seed: u64,
}

impl RuleEngine {
    pub(super) fn new(seed: u64, hooks: HookSwitches) -> Self {
        let mut engine = Self { seed, ..Self::default() };
        engine.tell_whom(hooks);
        engine
    }

    /// Works out anew whom what happens is told.
    pub(super) fn tell_whom(&mut self, hooks: HookSwitches) {
        let wants = |event| !self.set.on(event).is_empty();
        self.told = Told {
            delivered: hooks.delivered || wants(Event::MessageDelivered),
            acked: hooks.acked || wants(Event::MessageAcked),
            dropped: hooks.dropped || wants(Event::MessageDropped),
            delivery_dropped: hooks.dropped || wants(Event::DeliveryDropped),
            authz: wants(Event::CheckAuthzComplete),
            ping: wants(Event::ClientPing),
        };
    }
}

impl Shard {
    /// Takes other rules, whole.
    pub(super) fn take_rules(&mut self, set: Arc<RuleSet>) {
        self.rule_engine.set = set;
        // Sinks of actions that are gone are let go of once they have what is theirs.
        self.effects.actions.retain(|(_, items)| !items.is_empty());
        self.rule_engine.tell_whom(self.config.hooks);
        self.is_guarding = self.must_guard();
    }

    /// Whether a rule selects from an event.
    pub(super) fn rules_want(&self, event: Event) -> bool {
        !self.rule_engine.set.on(event).is_empty()
    }

    /// Runs rules on a message that is about to be delivered.
    #[inline(never)]
    pub(super) fn run_rules(
        &mut self,
        now: Now,
        source: &Source<'_>,
        from: Option<SessionKey>,
        numbers: &[u32],
    ) {
        let set = Arc::clone(&self.rule_engine.set);
        if source.parts.sys && set.around.ignores_sys {
            return;
        }
        let session = from.and_then(|key| self.sessions.get(key.slot).filter(|s| s.key == key));
        let conn = session.and_then(|s| s.conn).and_then(|key| self.conns.get(key.slot));
        let access = conn.and_then(|conn| conn.access.as_deref());
        let columns = PublishedColumns {
            parts: &source.parts,
            from: source.publisher,
            peer: session.and_then(|session| session.meta.known_peer()),
            attrs: access.map_or(&[], |access| &access.grant.attrs),
            now,
            node: &self.config.node_name,
            link: source.origin.and_then(|origin| origin.link.as_deref()),
        };
        let engine = &mut self.rule_engine;
        let mut wanted = Wanted::default();
        let mut run = Run {
            set: &set,
            shard: self.index,
            now,
            chain: source.origin.map_or(&[], |origin| &origin.rules),
            link: source.origin.and_then(|origin| origin.link.as_ref()),
            properties: source.parts.properties,
            client_id: Some(source.publisher.client_id.as_bytes()),
            messages_made: &mut self.messages_made,
            seed: &mut engine.seed,
            draft: &mut engine.draft,
            pool: &mut self.messages,
            actions: &mut self.effects.actions,
            up: &mut self.effects.up,
            complaints: &mut engine.complaints,
            spent: &mut engine.spent,
        };
        run.all(&columns, numbers, &mut wanted);
        self.carry_out(now, wanted);
    }

    /// Publishes what rules made.
    fn carry_out(&mut self, now: Now, wanted: Wanted) {
        // What a rule makes of a message that the store has is new to the store.
        let was_moving = std::mem::take(&mut self.is_moving);
        self.rule_engine.depth += 1;
        for made in wanted.republished {
            let topic = made.message.topic();
            if topic.starts_with('$') && self.dollar_objection(now, topic).is_some() {
                made.rule.counters.cell(self.index).unknown.inc();
                let what = format!("nothing may be published to {topic:?}");
                let (complaints, up) = (&mut self.rule_engine.complaints, &mut self.effects.up);
                complaints.say(now, up, &made.rule.id, &what);
                self.messages.give_back(made.message);
                continue;
            }
            let mut source = Source::of(&made.message);
            if made.is_direct {
                let topic = source.parts.topic;
                let matched = self.cache.matches(&self.shared.router, topic).clone();
                self.metrics().messages_publish.inc();
                self.route_matched(now, &mut source, None, &matched);
            } else {
                self.take_message(now, &mut source, None);
            }
            drop(source);
            made.rule.counters.cell(self.index).success.inc();
            self.messages.give_back(made.message);
        }
        self.is_moving = was_moving;
        self.rule_engine.depth -= 1;
        if self.rule_engine.depth == 0 {
            self.rule_engine.spent = Spent::default();
        }
    }

    /// Keeps an event for the rules that select from it.
    pub(super) fn note(&mut self, what: Happening) {
        if self.rule_engine.happenings.len() < HAPPENINGS_MAX {
            self.rule_engine.happenings.push_back(what);
        } else {
            self.metrics().rule_events_dropped.inc();
        }
    }

    /// Runs rules on a slice of the events that wait; true when more are left.
    pub(super) fn run_happenings(&mut self, now: Now) -> bool {
        for _ in 0..HAPPENINGS_SLICE {
            let Some(what) = self.rule_engine.happenings.pop_front() else { return false };
            self.happen(now, what);
        }
        !self.rule_engine.happenings.is_empty()
    }

    /// Runs rules on an event, or on what a source brought in; how many had a result.
    pub(super) fn happen(&mut self, now: Now, mut what: Happening) -> usize {
        if what.at_ms == 0 {
            what.at_ms = now.unix_ms;
        }
        let set = Arc::clone(&self.rule_engine.set);
        let numbers = match &what.source {
            Some(source) => set.on_source(source),
            None => set.on(what.event),
        };
        let message = what.message.as_deref();
        if numbers.is_empty() || (message.is_some_and(|m| m.sys) && set.around.ignores_sys) {
            return 0;
        }
        let columns = HappeningColumns::new(&what, &self.config.node_name);
        let engine = &mut self.rule_engine;
        let mut wanted = Wanted::default();
        let mut run = Run {
            set: &set,
            shard: self.index,
            now,
            chain: message.and_then(|m| m.origin.as_deref()).map_or(&[], |o| &o.rules),
            link: message.and_then(|m| m.origin.as_deref()).and_then(|o| o.link.as_ref()),
            properties: message.map_or(&[], |message| message.properties()),
            client_id: what.client_id(),
            messages_made: &mut self.messages_made,
            seed: &mut engine.seed,
            draft: &mut engine.draft,
            pool: &mut self.messages,
            actions: &mut self.effects.actions,
            up: &mut self.effects.up,
            complaints: &mut engine.complaints,
            spent: &mut engine.spent,
        };
        run.all(&columns, numbers, &mut wanted);
        let passed = wanted.passed;
        self.carry_out(now, wanted);
        passed
    }

    /// Gives actions what the rules of this turn have for them.
    pub fn offer_actions(&mut self, now: Now) {
        for (sink, items) in &mut self.effects.actions {
            if !items.is_empty() {
                sink.offer(now.unix_ms, items);
                items.clear();
            }
        }
    }

    /// What is known of a session's client.
    pub(super) fn session_happening(&self, event: Event, slot: u32) -> Option<Happening> {
        let session = self.sessions.get(slot)?;
        let latest = session.latest();
        let conn = session.conn.and_then(|key| self.conns.get(key.slot));
        let mut what = Happening::new(event)
            .with(Column::ClientId, &*session.publisher.client_id)
            .with(Column::Username, session.publisher.username.as_deref())
            .with(Column::PeerHost, session.meta.known_peer().map(|peer| peer.ip()))
            .with(Column::PeerName, session.meta.known_peer())
            .with(Column::SockName, session.meta.known_local())
            .with(Column::MountPoint, &*session.meta.mountpoint)
            .with(Column::ProtoName, Fact::Word(proto_name(session.proto_ver)))
            .with(Column::ProtoVer, u64::from(session.proto_ver))
            .with(Column::KeepAlive, latest.map(|latest| u64::from(latest.keep_alive_s)))
            .with(Column::CleanStart, latest.map(|latest| latest.clean_start))
            .with(Column::ExpiryInterval, u64::from(session.expiry_s))
            .with(Column::IsBridge, Fact::Bool(false))
            .with(Column::ConnectedAt, latest.map(|latest| latest.connected_at_ms));
        let attrs = conn.and_then(|conn| conn.access.as_ref());
        let attrs = attrs.map_or(&[][..], |access| &access.grant.attrs);
        what.set(Column::ClientAttrs, attributes(attrs));
        Some(what)
    }

    /// What is known of a client before it has a session.
    pub(super) fn connecting_happening(
        &self,
        event: Event,
        key: ConnKey,
        client_id: &str,
    ) -> Option<Happening> {
        let conn = self.conns.get(key.slot)?;
        let version = conn.version as u8;
        Some(
            Happening::new(event)
                .with(Column::ClientId, client_id)
                .with(Column::PeerHost, conn.meta.peer.ip())
                .with(Column::PeerName, conn.meta.peer)
                .with(Column::SockName, conn.meta.local)
                .with(Column::ProtoName, Fact::Word(proto_name(version)))
                .with(Column::ProtoVer, u64::from(version)),
        )
    }
}

/// Attributes as a JSON object.
pub(super) fn attributes(attrs: &[(Box<str>, Box<str>)]) -> Fact {
    let entries = attrs.iter().map(|(name, value)| format!("{}:{}", quoted(name), quoted(value)));
    let json = format!("{{{}}}", entries.collect::<Vec<_>>().join(","));
    Fact::Json(json.into_bytes().into())
}

const fn proto_name(version: u8) -> &'static str {
    if version == 3 { "MQIsdp" } else { "MQTT" }
}
