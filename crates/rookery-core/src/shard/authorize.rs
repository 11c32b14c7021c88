//! Whether a client may do something with a topic: rules here, answers of Python where they end.

use rookery_codec::{ParsedFilter, Publish, ReasonCode, Subscribe, parse_filter};
use rookery_rules::Event;
use smallvec::SmallVec;

use super::{Shard, Step};
use crate::access::{
    ANSWERS_MAX, DenyAction, Explanation, Judge, Judgement, Origin, Permission, RuleTable, Subject,
    checked_topic,
};
use crate::conn::{Action, Conn, ConnectRequest, DeferredPacket, OpenQuestion};
use crate::effects::{AskId, ClientInfo, CloseCause, Question, Verdict};
use crate::ids::{ConnKey, Now};
use crate::message::Publisher;
use crate::session::Session;

/// What is known about an action.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Ruling {
    /// The client may.
    Allow,
    /// It may not. A topic that is closed to everybody is no offence.
    Deny { is_closed: bool },
    /// Python has to be asked: the source of this number, or hooks.
    Ask(Option<u16>),
}

/// Rulings about the filters of a SUBSCRIBE, in order.
pub(super) type Rulings = SmallVec<[Ruling; 8]>;

impl Shard {
    /// Whether somebody may be denied something. The only cost where nothing is configured.
    #[inline]
    pub(super) fn guards(&self, key: ConnKey) -> bool {
        self.is_guarding && self.conns.get(key.slot).is_some_and(|c| !c.is_superuser)
    }

    /// Recomputed when settings change, and set when a client brings rules of its own.
    pub(super) fn must_guard(&self) -> bool {
        self.has_own_rules
            || !self.rules.is_open()
            || self.config.hooks.authorize
            || self.rules_want(Event::CheckAuthzComplete)
    }

    fn judge<'a>(&'a self, own: Option<&'a RuleTable>) -> Judge<'a> {
        Judge {
            table: &self.rules,
            own,
            is_sys_open: self.config.sys_topics_open,
            has_hooks: self.config.hooks.authorize,
            links: &self.config.links,
        }
    }

    fn subject<'a>(&'a self, conn: &'a Conn, publisher: &'a Publisher) -> Subject<'a> {
        let meta = &*conn.meta;
        Subject {
            client_id: &publisher.client_id,
            username: publisher.username.as_deref(),
            peer: Some(meta.peer.ip()),
            listener: &meta.listener,
            zone: self.zone_name(meta.zone),
            cert_common_name: meta.cert.as_ref().and_then(|cert| cert.common_name.as_deref()),
            attrs: conn.access.as_ref().map_or(&[], |access| &access.grant.attrs),
            is_authenticated: conn.is_authenticated,
            is_superuser: conn.is_superuser,
            is_local: meta.is_local,
        }
    }

    pub(super) fn zone_name(&self, zone: u16) -> &str {
        self.config.zones.get(usize::from(zone)).map_or("default", |zone| &zone.name)
    }

    /// What rules and kept answers say. `topic` is the one that rules look at.
    fn ruling(&mut self, now: Now, key: ConnKey, action: Action, topic: &str) -> Ruling {
        let judgement = self.judgement(key, action, topic);
        if self.rule_engine.told.authz && matches!(judgement, Judgement::Decided(..)) {
            self.note_ruling(judgement, action, topic, None);
        }
        let source = match judgement {
            Judgement::Decided(Permission::Allow, ..) => return Ruling::Allow,
            Judgement::Decided(Permission::Deny, origin, _) => {
                let is_closed = matches!(origin, Origin::SysTopics | Origin::Reserved);
                return Ruling::Deny { is_closed };
            }
            Judgement::Ask(source) => source,
        };
        let given = self.verdicts.get(&(action, Box::from(topic))).copied();
        let answer = match given {
            Some(allowed) => Some(allowed),
            None => self.kept_answer(now, key, action, topic),
        };
        if self.rule_engine.told.authz
            && let Some(allowed) = answer
        {
            let is_kept = given.is_none();
            self.note_ruling(judgement, action, topic, Some((allowed, is_kept)));
        }
        match answer {
            Some(true) => Ruling::Allow,
            Some(false) => Ruling::Deny { is_closed: false },
            None => Ruling::Ask(source),
        }
    }

    pub(super) fn judgement(&self, key: ConnKey, action: Action, topic: &str) -> Judgement {
        let denied = Judgement::Decided(Permission::Deny, Origin::NoMatch, 0);
        let Some(conn) = self.conns.get(key.slot) else { return denied };
        let Some(session) = self.sessions.get(conn.session) else { return denied };
        let own = conn.access.as_ref().and_then(|access| access.grant.acl.as_ref());
        let subject = self.subject(conn, &session.publisher);
        self.judge(own).decide(0, &subject, action, topic)
    }

    fn kept_answer(&mut self, now: Now, key: ConnKey, action: Action, topic: &str) -> Option<bool> {
        let epoch = self.answers_epoch;
        let conn = self.conns.get_mut(key.slot)?;
        let answers = conn.deferred.as_mut().map(|deferred| &mut deferred.answers);
        let kept = answers.and_then(|answers| answers.get(epoch, now.mono_ms, action, topic));
        let metrics = self.metrics();
        match kept {
            Some(_) => metrics.authorization_cache_hit.inc(),
            None => metrics.authorization_cache_miss.inc(),
        }
        kept
    }

    /// Keeps an answer for the next packets.
    pub(super) fn keep_answer(
        &mut self,
        now: Now,
        key: ConnKey,
        (action, topic): (Action, Box<str>),
        allowed: bool,
    ) {
        let max = self.rules.cache_max.min(ANSWERS_MAX);
        let Some(conn) = self.conns.get(key.slot) else { return };
        let Some(session) = self.sessions.get(conn.session) else { return };
        if max == 0 || self.rules.is_excluded(&self.subject(conn, &session.publisher), &topic) {
            return;
        }
        let until_ms = now.mono_ms + self.rules.cache_ttl_ms;
        let epoch = self.answers_epoch;
        if let Some(deferred) = self.conns.get_mut(key.slot).and_then(|c| c.deferred.as_mut()) {
            deferred.answers.insert(epoch, max, (action, topic), allowed, until_ms);
        }
    }

    /// Whether a PUBLISH may go on now; if not it was denied and answered, or waits for answers.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn is_authorized(
        &mut self,
        now: Now,
        key: ConnKey,
        topic: &str,
        publish: &Publish<'_>,
        first: u8,
        body: &[u8],
    ) -> bool {
        let action = Action::Publish(publish.qos as u8, publish.retain);
        let checked = checked_topic(action, topic, self.config.delayed.enable);
        let ruling = self.ruling(now, key, action, checked);
        if self.rule_engine.told.authz {
            self.note_rulings(key, !matches!(ruling, Ruling::Ask(_)));
        }
        match ruling {
            Ruling::Allow => {
                self.metrics().authorization_allow.inc();
                if self.observer.is_tracing {
                    self.trace_ruling(key, "publish", checked, true);
                }
                return true;
            }
            Ruling::Deny { is_closed } => {
                self.metrics().authorization_deny.inc();
                if self.observer.is_tracing {
                    self.trace_ruling(key, "publish", checked, false);
                }
                if self.ends_on_denial(is_closed) {
                    self.metrics().publish_auth_error.inc();
                    self.metrics().messages_dropped.inc();
                    self.end_denied(now, key);
                } else {
                    self.deny_publish(now, key, publish, ReasonCode::NOT_AUTHORIZED);
                }
            }
            Ruling::Ask(source) => {
                self.ask_topics(now, key, &[(action, checked, source)], first, body)
            }
        }
        false
    }

    /// Rulings about all filters of a SUBSCRIBE; `None` when Python is asked and the packet waits.
    pub(super) fn rule_filters(
        &mut self,
        now: Now,
        key: ConnKey,
        slot: u32,
        subscribe: &Subscribe<'_>,
        (first, body): (u8, &[u8]),
    ) -> Option<Rulings> {
        let mut rulings = Rulings::new();
        let mut unknown: Vec<(Action, Box<str>, Option<u16>)> = Vec::new();
        for wanted in subscribe.filters() {
            let rewritten = self.rewrite_filter(slot, wanted.filter);
            let text = rewritten.as_deref().unwrap_or(wanted.filter);
            let action = Action::Subscribe(wanted.options.qos as u8);
            // What is no filter is answered as such.
            let ruling = match parse_filter(text).as_ref().map(ParsedFilter::filter) {
                Ok(plain) => {
                    let ruling = self.ruling(now, key, action, plain);
                    if let Ruling::Ask(source) = ruling {
                        unknown.push((action, plain.into(), source));
                    }
                    ruling
                }
                Err(_) => Ruling::Allow,
            };
            rulings.push(ruling);
        }
        if self.rule_engine.told.authz {
            self.note_rulings(key, unknown.is_empty());
        }
        if unknown.is_empty() {
            return Some(rulings);
        }
        let asked: Vec<_> = unknown.iter().map(|(a, t, s)| (*a, &**t, *s)).collect();
        self.ask_topics(now, key, &asked, first, body);
        None
    }

    /// Whether a denial ends the connection.
    pub(super) fn ends_on_denial(&self, is_closed: bool) -> bool {
        self.rules.deny_action == DenyAction::Disconnect && !is_closed
    }

    /// Ends the connection of a client that did what it may not.
    pub(super) fn end_denied(&mut self, now: Now, key: ConnKey) -> Step {
        let detail = "not authorized, and authorization.deny_action is disconnect";
        self.send_disconnect(key, ReasonCode::NOT_AUTHORIZED, Some(detail));
        self.end_connection(now, key, CloseCause::DeniedAction, true);
        Step::End
    }

    /// Asks about topics; the packet waits and is handled anew when all are answered.
    fn ask_topics(
        &mut self,
        now: Now,
        key: ConnKey,
        topics: &[(Action, &str, Option<u16>)],
        first: u8,
        body: &[u8],
    ) {
        let Some(slot) = self.conns.get(key.slot).map(|c| c.session) else { return };
        let mut open = Vec::with_capacity(topics.len());
        for (action, topic, source) in topics {
            if open
                .iter()
                .any(|known: &OpenQuestion| known.action == *action && *known.topic == **topic)
            {
                continue;
            }
            let Some(client) = self.client_info(slot) else { return };
            let id = self.next_ask(key);
            let is_of_hooks = source.is_none();
            open.push(OpenQuestion { id, action: *action, topic: (*topic).into(), is_of_hooks });
            self.ask(now, id, self.authorize_question(client, *action, topic, *source));
        }
        if let Some(deferred) = self.conns.get_mut(key.slot).and_then(|c| c.deferred.as_mut()) {
            let known = Vec::with_capacity(open.len());
            deferred.push(DeferredPacket::Authorize { open, known, first, body: body.into() });
        }
    }

    /// No source had an opinion: hooks are asked under the same number.
    pub(super) fn ask_hooks(&mut self, now: Now, id: AskId, action: Action, topic: &str) {
        let Some(slot) = self.conns.get(id.conn.slot).map(|c| c.session) else { return };
        let Some(client) = self.client_info(slot) else { return };
        self.ask(now, id, self.authorize_question(client, action, topic, None));
    }

    /// Whether an answer about a topic lets the client go on.
    pub(super) fn allows(&self, verdict: &Verdict) -> bool {
        match verdict {
            Verdict::Allow | Verdict::AllowSuperuser => true,
            Verdict::Ignore => self.rules.no_match == Permission::Allow,
            _ => false,
        }
    }

    fn authorize_question(
        &self,
        client: ClientInfo,
        action: Action,
        topic: &str,
        source: Option<u16>,
    ) -> Question {
        let (publish, qos, retain) = match action {
            Action::Publish(qos, retain) => (true, qos, retain),
            Action::Subscribe(qos) => (false, qos, false),
        };
        Question::Authorize {
            source: source.map(|number| Box::from(&*self.rules.name(number))),
            client_id: client.client_id.clone(),
            username: client.username.clone(),
            client: Box::new(client),
            publish,
            topic: topic.into(),
            qos,
            retain,
        }
    }

    /// Whether a client that is about to be admitted may publish its will: allowed, denied, or the
    /// question to ask.
    pub(super) fn rule_will(
        &mut self,
        now: Now,
        key: ConnKey,
        request: &ConnectRequest,
    ) -> Result<bool, Question> {
        let (Some((message, _)), Some(conn)) = (&request.will, self.conns.get(key.slot)) else {
            return Ok(true);
        };
        if request.is_superuser || !(self.is_guarding || request.grant.acl.is_some()) {
            return Ok(true);
        }
        let action = Action::Publish(message.qos as u8, message.retain);
        let topic = checked_topic(action, message.topic(), self.config.delayed.enable);
        let subject = Subject {
            attrs: &request.grant.attrs,
            is_superuser: false,
            ..self.subject(conn, &request.publisher)
        };
        match self.judge(request.grant.acl.as_ref()).decide(0, &subject, action, topic) {
            Judgement::Decided(permission, ..) => Ok(permission == Permission::Allow),
            Judgement::Ask(source) => {
                let client = self.connecting_info(now, conn, request);
                Err(self.authorize_question(client, action, topic, source))
            }
        }
    }

    /// What the rules say about a connected client; nobody is asked.
    pub(super) fn explain(
        &self,
        client_id: &str,
        action: Action,
        topic: &str,
    ) -> Option<Explanation> {
        let session = self.sessions.get(*self.clients.get(client_id)?)?;
        let conn = self.conns.get(session.conn?.slot)?;
        let own = conn.access.as_ref().and_then(|access| access.grant.acl.as_ref());
        let subject = self.subject(conn, &session.publisher);
        let topic = checked_topic(action, topic, self.config.delayed.enable);
        Some(self.judge(own).explain(0, &subject, action, topic))
    }

    /// Forgets answers about a client, or about all.
    pub(super) fn purge_answers(&mut self, client_id: Option<&str>) {
        let Some(client_id) = client_id else {
            self.answers_epoch += 1;
            return;
        };
        let key = self.clients.get(client_id).and_then(|slot| self.sessions.get(*slot)?.conn);
        let conn = key.and_then(|key| self.conns.get_mut(key.slot));
        if let Some(deferred) = conn.and_then(|conn| conn.deferred.as_mut()) {
            deferred.answers.clear();
        }
    }

    /// A client's row for management and hooks.
    pub(super) fn client_info(&self, slot: u32) -> Option<ClientInfo> {
        let session = self.sessions.get(slot)?;
        Some(self.info(session, session.conn))
    }

    /// The same, with what the connection `key` knows.
    pub(super) fn info(&self, session: &Session, key: Option<ConnKey>) -> ClientInfo {
        let mut info = session.info();
        info.zone = Some(self.zone_name(session.meta.zone).into());
        if let Some(conn) = key.and_then(|key| self.conns.get(key.slot)) {
            info.is_superuser = conn.is_superuser;
            if let Some(access) = &conn.access {
                info.client_attrs.clone_from(&access.grant.attrs);
            }
        }
        info
    }
}
