//! The rules of one source: in order, found by user name or client identifier where they name one.

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::error::AccessError;
use super::pattern::{Strictness, TopicPattern};
use super::quick::{Fingerprint, Needs};
use super::who::{IndexKey, Who};
use super::{AclAction, AclRule, Permission, Subject};
use crate::conn::Action;

/// Rules of one source. A check costs the rules that are about everybody and those that are about
/// this client; a hundred thousand others, each about one client, cost nothing.
#[derive(Debug, Default)]
pub struct RuleTable {
    rules: Box<[Rule]>,
    /// The topics of the rules that have to be looked at for every client, in order.
    general: Box<[Entry]>,
    by_username: HashMap<Box<str>, SmallVec<[u32; 2]>>,
    by_client_id: HashMap<Box<str>, SmallVec<[u32; 2]>>,
}

/// A topic of a rule, small enough that a hundred of them are looked at in no time.
#[derive(Copy, Clone, Debug)]
struct Entry {
    needs: Needs,
    actions: u16,
    /// Place of the rule.
    rule: u32,
}

/// A rule that fitted.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Hit {
    /// What it says.
    pub permission: Permission,
    /// Its line.
    pub line: u32,
    /// It names `$`-topics; a rule for all topics does not open what is closed by itself.
    pub names_dollar: bool,
}

#[derive(Debug)]
struct Rule {
    permission: Permission,
    /// One bit per action, QoS and RETAIN, see [`bit_of`].
    actions: u16,
    line: u32,
    /// Telling whether the client is meant costs more than telling whether the topic is.
    is_who_costly: bool,
    who: Who,
    /// None: all of them, those with `$` in front included.
    topics: Option<Box<[TopicPattern]>>,
}

/// Places for PUBLISH with QoS 0 to 2 without and with RETAIN, then SUBSCRIBE with QoS 0 to 2.
#[inline]
fn bit_of(action: Action) -> u16 {
    1 << match action {
        Action::Publish(qos, retain) => u16::from(qos.min(2)) + if retain { 3 } else { 0 },
        Action::Subscribe(qos) => 6 + u16::from(qos.min(2)),
    }
}

fn bits_of(rule: &AclRule) -> u16 {
    let mut bits = 0;
    for qos in rule.qos.iter().copied().filter(|qos| *qos <= 2) {
        if rule.action != AclAction::Subscribe {
            for retain in [false, true] {
                if rule.retain.is_none_or(|wanted| wanted == retain) {
                    bits |= bit_of(Action::Publish(qos, retain));
                }
            }
        }
        if rule.action != AclAction::Publish {
            bits |= bit_of(Action::Subscribe(qos));
        }
    }
    bits
}

impl Rule {
    fn compile(rule: &AclRule) -> Result<Self, AccessError> {
        let topics: Result<Box<[_]>, _> = rule.topics.iter().map(TopicPattern::compile).collect();
        let who = Who::compile(&rule.who)?;
        Ok(Self {
            permission: rule.permission,
            actions: bits_of(rule),
            line: rule.line,
            is_who_costly: who.is_costly(),
            who,
            topics: if rule.all_topics { None } else { Some(topics?) },
        })
    }

    /// What tells at a glance that it does not fit, one for each topic.
    fn entries(&self, place: u32) -> Vec<Entry> {
        let entry = |needs| Entry { needs, actions: self.actions, rule: place };
        match &self.topics {
            None => vec![entry(Needs::default())],
            Some(topics) => topics.iter().map(|topic| entry(Needs::of(topic))).collect(),
        }
    }

    #[inline]
    fn check(&self, subject: &Subject<'_>, bit: u16, topic: &str) -> Option<Hit> {
        if self.actions & bit == 0 || (!self.is_who_costly && !self.who.fits(subject)) {
            return None;
        }
        let strictness = match self.permission {
            Permission::Allow => Strictness::Covers,
            Permission::Deny => Strictness::Touches,
        };
        let names_dollar = match &self.topics {
            None => false,
            Some(topics) => topics
                .iter()
                .find(|pattern| pattern.matches(topic, subject, strictness))?
                .names_dollar(),
        };
        if self.is_who_costly && !self.who.fits(subject) {
            return None;
        }
        Some(Hit { permission: self.permission, line: self.line, names_dollar })
    }
}

impl RuleTable {
    /// Makes rules ready.
    ///
    /// # Errors
    ///
    /// The first rule with a regular expression, network or topic that is none; the error names
    /// `source` and the rule's line.
    pub fn compile(source: &str, rules: &[AclRule]) -> Result<Self, AccessError> {
        let compiled: Result<Box<[Rule]>, _> = rules
            .iter()
            .map(|rule| Rule::compile(rule).map_err(|error| error.at(source, rule.line)))
            .collect();
        let mut table = Self { rules: compiled?, ..Self::default() };
        let mut general = Vec::new();
        for (place, rule) in (0_u32..).zip(&table.rules) {
            let (map, names) = match rule.who.index_key() {
                Some(IndexKey::Username(names)) => (&mut table.by_username, names),
                Some(IndexKey::ClientId(names)) => (&mut table.by_client_id, names),
                None => {
                    general.extend(rule.entries(place));
                    continue;
                }
            };
            for name in names {
                map.entry_ref(name).or_default().push(place);
            }
        }
        table.general = general.into();
        Ok(table)
    }

    /// Number of rules.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The first rule that fits.
    #[must_use]
    pub fn check(&self, subject: &Subject<'_>, action: Action, topic: &str) -> Option<Hit> {
        let bit = bit_of(action);
        let print = Fingerprint::of(topic);
        let may_fit = |entry: &Entry| entry.actions & bit != 0 && entry.needs.admit(print);
        let mut general = &*self.general;
        let mut named = subject.username.map_or(&[][..], |name| list(&self.by_username, name));
        let mut own = list(&self.by_client_id, subject.client_id);
        loop {
            // The lists are ascending: the smallest head is the next rule in order.
            let next = match (named.first(), own.first()) {
                (None, None) => break,
                (a, b) => [a, b].into_iter().flatten().min().copied()?,
            };
            while let Some((entry, rest)) = general.split_first().filter(|(e, _)| e.rule < next) {
                general = rest;
                if may_fit(entry)
                    && let Some(hit) = self.check_at(entry.rule, subject, bit, topic)
                {
                    return Some(hit);
                }
            }
            let list = if named.first() == Some(&next) { &mut named } else { &mut own };
            *list = list.get(1..).unwrap_or_default();
            if let Some(hit) = self.check_at(next, subject, bit, topic) {
                return Some(hit);
            }
        }
        let mut left = general.iter().filter(|entry| may_fit(entry));
        left.find_map(|entry| self.check_at(entry.rule, subject, bit, topic))
    }

    #[inline]
    fn check_at(&self, place: u32, subject: &Subject<'_>, bit: u16, topic: &str) -> Option<Hit> {
        self.rules.get(place as usize)?.check(subject, bit, topic)
    }
}

#[inline]
fn list<'a>(map: &'a HashMap<Box<str>, SmallVec<[u32; 2]>>, name: &str) -> &'a [u32] {
    if map.is_empty() {
        return &[];
    }
    map.get(name).map_or(&[], |places| places.as_slice())
}
