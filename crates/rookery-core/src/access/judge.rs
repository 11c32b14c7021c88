//! The whole decision: what is closed by itself, rules of the client's own, sources.

use std::sync::Arc;

use super::links::LinkGate;
use super::rules::RuleTable;
use super::table::{AccessTable, Explanation, Origin, Outcome};
use super::{Permission, Subject};
use crate::conn::Action;

/// What decides about a client's topics.
#[derive(Copy, Clone, Debug)]
pub struct Judge<'a> {
    /// The sources.
    pub table: &'a AccessTable,
    /// Rules of the client's own, looked at before every source.
    pub own: Option<&'a RuleTable>,
    /// Whether ordinary clients may read `$SYS/#`.
    pub is_sys_open: bool,
    /// Whether hooks are asked when no rule fits.
    pub has_hooks: bool,
    /// The linked clusters.
    pub links: &'a LinkGate,
}

/// What was decided, or who has to be asked.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Judgement {
    /// It may or may not.
    Decided(Permission, Origin, u32),
    /// A source of Python; none = hooks.
    Ask(Option<u16>),
}

impl Judge<'_> {
    /// Looks at a topic name, or at a topic filter without its prefix. `from` is the number of the
    /// first source to look at; above 0 what stands before the sources is left out.
    #[inline]
    #[must_use]
    pub fn decide(
        &self,
        from: usize,
        subject: &Subject<'_>,
        action: Action,
        topic: &str,
    ) -> Judgement {
        if is_closed(action, topic) {
            return self.decide_closed(from, subject, action, topic);
        }
        if subject.is_superuser {
            return Judgement::Decided(Permission::Allow, Origin::Superuser, 0);
        }
        let own = self.own.filter(|_| from == 0).and_then(|own| own.check(subject, action, topic));
        let outcome = match own {
            Some(hit) => Outcome::Decided { origin: Origin::ClientAcl, hit },
            None => self.table.check(from, subject, action, topic),
        };
        let is_sys_closed = is_sys(topic) && !self.is_sys_open && !subject.is_local;
        match outcome {
            Outcome::Decided { hit, .. }
                if is_sys_closed && hit.permission == Permission::Allow && !hit.names_dollar =>
            {
                Judgement::Decided(Permission::Deny, Origin::SysTopics, 0)
            }
            Outcome::Decided { origin, hit } => {
                Judgement::Decided(hit.permission, origin, hit.line)
            }
            Outcome::Ask(source) => Judgement::Ask(Some(source)),
            Outcome::NoMatch if is_sys_closed => {
                Judgement::Decided(Permission::Deny, Origin::SysTopics, 0)
            }
            Outcome::NoMatch if self.has_hooks => Judgement::Ask(None),
            Outcome::NoMatch => Judgement::Decided(self.table.no_match, Origin::NoMatch, 0),
        }
    }

    /// What is closed to everybody but those who speak for a linked cluster.
    #[cold]
    fn decide_closed(
        &self,
        from: usize,
        subject: &Subject<'_>,
        action: Action,
        topic: &str,
    ) -> Judgement {
        let denied = Judgement::Decided(Permission::Deny, Origin::Reserved, 0);
        match self.links.accepts(subject, action, topic) {
            None => return denied,
            Some(true) => return Judgement::Decided(Permission::Allow, Origin::Link, 0),
            Some(false) => {}
        }
        let own = self.own.filter(|_| from == 0).and_then(|own| own.check(subject, action, topic));
        let outcome = match own {
            Some(hit) => Outcome::Decided { origin: Origin::ClientAcl, hit },
            None => self.table.check(from, subject, action, topic),
        };
        match outcome {
            Outcome::Decided { origin, hit }
                if hit.permission == Permission::Allow && hit.names_dollar =>
            {
                Judgement::Decided(Permission::Allow, origin, hit.line)
            }
            _ => denied,
        }
    }

    /// The decision in words; nobody is asked, so hooks count as not there.
    #[must_use]
    pub fn explain(
        &self,
        from: usize,
        subject: &Subject<'_>,
        action: Action,
        topic: &str,
    ) -> Explanation {
        let judge = Self { has_hooks: false, ..*self };
        match judge.decide(from, subject, action, topic) {
            Judgement::Decided(permission, origin, line) => {
                let verdict = match permission {
                    Permission::Allow => "allow",
                    Permission::Deny => "deny",
                };
                Explanation { verdict, source: self.word(origin), line }
            }
            Judgement::Ask(source) => {
                let source = source.map_or_else(|| "".into(), |number| self.table.name(number));
                Explanation { verdict: "ask", source, line: 0 }
            }
        }
    }

    fn word(&self, origin: Origin) -> Arc<str> {
        match origin {
            Origin::Superuser => "superuser".into(),
            Origin::ClientAcl => "client_acl".into(),
            Origin::SysTopics => "sys_topics".into(),
            Origin::Reserved => "reserved".into(),
            Origin::Link => "link".into(),
            Origin::NoMatch => "no_match".into(),
            Origin::Source(number) => self.table.name(number),
        }
    }
}

/// Topics under which only the server itself publishes.
#[must_use]
pub fn is_reserved(topic: &str) -> bool {
    topic.starts_with('$')
        && (is_sys(topic)
            || topic.starts_with("$share/")
            || topic.starts_with("$queue/")
            || topic.starts_with("$LINK/"))
}

/// Whether a client may not do it whatever the rules say.
#[inline]
fn is_closed(action: Action, topic: &str) -> bool {
    match action {
        Action::Publish(..) => is_reserved(topic),
        Action::Subscribe(_) => topic.starts_with("$LINK/"),
    }
}

#[inline]
fn is_sys(topic: &str) -> bool {
    topic.strip_prefix("$SYS").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
