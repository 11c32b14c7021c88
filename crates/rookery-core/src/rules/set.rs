//! The rules of a node, ready to run; replaced as a whole.
//!
//! Rules have numbers, by which the subscription trie names them. A rule that is replaced by one
//! with other filters gets another number: while shards change over, a message meets either the
//! old rule or the new one, never both and never none.

use std::collections::HashMap;
use std::sync::Arc;

use rookery_rules::{Event, Rule, RuleError, compile};

use super::counters::RuleCounters;
use super::fields::ActionFields;
use super::local_time::LocalTime;
use super::republish::Republish;
use super::sink::ActionSink;
use crate::message::{Origin, Publisher};

/// What becomes of a result.
#[derive(Debug, Clone)]
pub enum Output {
    /// A message.
    Republish(Arc<Republish>),
    /// A line in the log.
    Console,
    /// Work for an action on a connector.
    Action {
        /// The action.
        sink: Arc<dyn ActionSink>,
        /// What it wants of a result.
        fields: Arc<ActionFields>,
    },
}

impl Output {
    /// Whether it does the same with a result.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Console, Self::Console) => true,
            (Self::Republish(one), Self::Republish(other)) => one == other,
            (
                Self::Action { sink, fields },
                Self::Action { sink: other_sink, fields: other_fields },
            ) => {
                std::ptr::addr_eq(Arc::as_ptr(sink), Arc::as_ptr(other_sink))
                    && fields == other_fields
            }
            _ => false,
        }
    }
}

/// A rule as it is put in.
#[derive(Debug, Clone)]
pub struct RuleDraft {
    /// Its id.
    pub id: String,
    /// Its SQL.
    pub sql: String,
    /// Whether it runs; if not it keeps its counters.
    pub enable: bool,
    /// What becomes of its results.
    pub outputs: Vec<Output>,
}

/// Why a set of rules cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleSetError {
    /// A rule whose SQL is wrong.
    #[error("rule {id:?}: {error}")]
    Sql {
        /// The rule.
        id: String,
        /// What is wrong, and where.
        error: RuleError,
    },
    /// Two rules with one id.
    #[error("rule {0:?} is there twice")]
    Twice(String),
}

/// A rule that runs.
#[derive(Debug)]
pub struct ActiveRule {
    /// Its id.
    pub id: Arc<str>,
    pub(crate) rule: Arc<Rule>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) counters: Arc<RuleCounters>,
    /// Who publishes what it republishes.
    pub(crate) publisher: Arc<Publisher>,
    /// Where that comes from, when the rule is the first of a chain.
    pub(crate) origin: Arc<Origin>,
}

/// Events that rules can select from.
const EVENTS: usize = 14;

/// The place of an event in a set; none for messages by topic and sources, which have other ways.
const fn place(event: Event) -> Option<usize> {
    Some(match event {
        Event::MessageDelivered => 0,
        Event::MessageAcked => 1,
        Event::MessageDropped => 2,
        Event::DeliveryDropped => 3,
        Event::ClientConnected => 4,
        Event::ClientDisconnected => 5,
        Event::ClientConnack => 6,
        Event::ClientPing => 7,
        Event::CheckAuthnComplete => 8,
        Event::CheckAuthzComplete => 9,
        Event::SessionSubscribed => 10,
        Event::SessionUnsubscribed => 11,
        Event::AlarmActivated => 12,
        Event::AlarmDeactivated => 13,
        _ => return None,
    })
}

/// What a set knows of the world outside.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// How far local time is ahead of UTC.
    pub local_time: LocalTime,
    /// What `getenv` may read; the names come without the prefix `EMQXVAR_`.
    pub variables: Vec<(String, String)>,
    /// Messages of the node itself (`$SYS`) are not for rules.
    pub ignores_sys: bool,
}

/// The rules of a node.
#[derive(Debug, Default)]
pub struct RuleSet {
    by_number: Vec<Option<Arc<ActiveRule>>>,
    by_event: [Vec<u32>; EVENTS],
    by_source: HashMap<Box<str>, Vec<u32>>,
    /// All rules, those that do not run included.
    known: HashMap<Arc<str>, Known>,
    pub(crate) around: Surroundings,
}

/// What is kept of a rule from one set to the next.
#[derive(Debug)]
struct Known {
    sql: Box<str>,
    rule: Arc<Rule>,
    counters: Arc<RuleCounters>,
    /// Its number, while it runs.
    number: Option<u32>,
}

/// What stands in the trie: filter and number.
type InTrie = Vec<(String, u32)>;

impl RuleSet {
    /// The set that comes after this one. A rule that stays the same is the same, one whose SQL
    /// does keeps its program, and each keeps its counters.
    ///
    /// # Errors
    ///
    /// The first rule that cannot be used.
    pub fn next(
        &self,
        drafts: Vec<RuleDraft>,
        around: Surroundings,
        shards: u16,
    ) -> Result<Self, RuleSetError> {
        let mut next = Self { around, ..Self::default() };
        let mut numbers = Numbers { taken: self, next: 0 };
        for draft in drafts {
            let old = self.known.get_key_value(draft.id.as_str());
            let rule = match old {
                Some((_, old)) if *old.sql == draft.sql => old.rule.clone(),
                _ => match compile(&draft.sql) {
                    Ok(rule) => Arc::new(rule),
                    Err(error) => return Err(RuleSetError::Sql { id: draft.id, error }),
                },
            };
            let id = old.map_or_else(|| draft.id.as_str().into(), |(id, _)| id.clone());
            let counters = match old {
                Some((_, old)) => old.counters.clone(),
                None => Arc::new(RuleCounters::new(&id, shards)),
            };
            let running = old.and_then(|(_, old)| Some((old.number?, self.get(old.number?)?)));
            let number = draft.enable.then(|| match running {
                Some((number, old)) if old.rule.filters() == rule.filters() => number,
                _ => numbers.free(),
            });
            let sql = draft.sql.as_str().into();
            let known = Known { sql, rule: rule.clone(), counters: counters.clone(), number };
            if next.known.insert(id.clone(), known).is_some() {
                return Err(RuleSetError::Twice(draft.id));
            }
            let Some(number) = number else { continue };
            next.add(
                number,
                match running {
                    Some((_, old)) if old.is_same(&rule, &draft.outputs) => old.clone(),
                    _ => Arc::new(ActiveRule::new(id, draft.outputs, rule, counters)),
                },
            );
        }
        Ok(next)
    }

    fn add(&mut self, number: u32, rule: Arc<ActiveRule>) {
        for event in rule.rule.events() {
            if let Some(list) = place(*event).and_then(|at| self.by_event.get_mut(at))
                && !list.contains(&number)
            {
                list.push(number);
            }
        }
        for source in rule.rule.sources() {
            let list = self.by_source.entry(source_name(source).into()).or_default();
            if !list.contains(&number) {
                list.push(number);
            }
        }
        let at = number as usize;
        if self.by_number.len() <= at {
            self.by_number.resize(at + 1, None);
        }
        if let Some(slot) = self.by_number.get_mut(at) {
            *slot = Some(rule);
        }
    }

    #[allow(clippy::cast_possible_truncation)] // there are no 2^32 rules
    fn numbered(&self) -> impl Iterator<Item = (u32, &Arc<ActiveRule>)> {
        let all = self.by_number.iter().enumerate();
        all.filter_map(|(number, rule)| Some((number as u32, rule.as_ref()?)))
    }

    /// Filters and numbers that stand in the trie for this set and not for `other`.
    #[must_use]
    pub fn filters_beyond(&self, other: &Self) -> InTrie {
        let mut beyond = Vec::new();
        for (number, rule) in self.numbered() {
            // A number goes from set to set only with the same filters.
            if other.get(number).is_none() {
                beyond.extend(rule.rule.filters().iter().map(|filter| (filter.clone(), number)));
            }
        }
        beyond
    }

    /// The rule of a number.
    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<&Arc<ActiveRule>> {
        self.by_number.get(number as usize)?.as_ref()
    }

    /// The rules that select from an event.
    #[must_use]
    pub(crate) fn on(&self, event: Event) -> &[u32] {
        place(event).and_then(|at| self.by_event.get(at)).map_or(&[], Vec::as_slice)
    }

    /// The rules that select from a source.
    #[must_use]
    pub(crate) fn on_source(&self, source: &str) -> &[u32] {
        self.by_source.get(source_name(source)).map_or(&[], Vec::as_slice)
    }

    /// The counters of a rule.
    #[must_use]
    pub fn counters(&self, id: &str) -> Option<&Arc<RuleCounters>> {
        self.known.get(id).map(|known| &known.counters)
    }

    /// All rules with their counters, in no order.
    pub fn all_counters(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<RuleCounters>)> {
        self.known.iter().map(|(id, known)| (id, &known.counters))
    }
}

/// Numbers that neither the old set nor the new one uses.
struct Numbers<'a> {
    taken: &'a RuleSet,
    next: u32,
}

impl Numbers<'_> {
    fn free(&mut self) -> u32 {
        while self.taken.get(self.next).is_some() {
            self.next += 1;
        }
        self.next += 1;
        self.next - 1
    }
}

impl ActiveRule {
    fn new(
        id: Arc<str>,
        outputs: Vec<Output>,
        rule: Arc<Rule>,
        counters: Arc<RuleCounters>,
    ) -> Self {
        let publisher = Arc::new(Publisher { client_id: id.clone(), username: None });
        let origin = Arc::new(Origin::of_rules([id.clone()].into()));
        Self { id, rule, outputs, counters, publisher, origin }
    }

    /// Whether it would be made again of this.
    fn is_same(&self, rule: &Arc<Rule>, outputs: &[Output]) -> bool {
        Arc::ptr_eq(&self.rule, rule)
            && self.outputs.len() == outputs.len()
            && self.outputs.iter().zip(outputs).all(|(one, other)| one.is_same(other))
    }
}

/// `mqtt:name` of `$bridges/mqtt:name` and of `$sources/mqtt:name`.
fn source_name(source: &str) -> &str {
    let bare = source.strip_prefix("$bridges/").or_else(|| source.strip_prefix("$sources/"));
    bare.unwrap_or(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(id: &str, sql: &str) -> RuleDraft {
        RuleDraft { id: id.into(), sql: sql.into(), enable: true, outputs: Vec::new() }
    }

    fn next(set: &RuleSet, drafts: Vec<RuleDraft>) -> RuleSet {
        set.next(drafts, Surroundings::default(), 1).expect("rules")
    }

    #[test]
    fn what_changes_its_filters_gets_another_number_and_keeps_its_counters() {
        let first = next(
            &RuleSet::default(),
            vec![draft("a", r#"SELECT * FROM "t/1""#), draft("b", r#"SELECT * FROM "t/2", "t/3""#)],
        );
        assert_eq!(first.filters_beyond(&RuleSet::default()).len(), 3);
        let second = next(
            &first,
            vec![
                draft("b", r#"SELECT 1 AS x FROM "t/2", "t/3""#),
                draft("a", r#"SELECT * FROM "u""#),
            ],
        );
        assert_eq!(second.filters_beyond(&first), [("u".to_owned(), 2)]);
        assert_eq!(first.filters_beyond(&second), [("t/1".to_owned(), 0)]);
        assert!(second.get(0).is_none() && second.get(1).is_some());
        let counters = |set: &RuleSet| Arc::as_ptr(set.counters("a").expect("a"));
        assert_eq!(counters(&first), counters(&second));
        let third = next(&second, vec![draft("c", r#"SELECT * FROM "v""#)]);
        assert_eq!(third.filters_beyond(&second), [("v".to_owned(), 0)]);
    }

    #[test]
    fn a_change_of_one_rule_leaves_the_others_as_they_are() {
        let console =
            |id: &str, sql: &str| RuleDraft { outputs: vec![Output::Console], ..draft(id, sql) };
        let all = || -> Vec<RuleDraft> {
            let sql = |n| format!(r#"SELECT * FROM "t/{n}/+", "u/{n}" WHERE payload.t > {n}"#);
            (0..500).map(|n| console(&format!("r{n}"), &sql(n))).collect()
        };
        let mut drafts = all();
        drafts[7].enable = false;
        let first = next(&RuleSet::default(), drafts);
        let mut drafts = all();
        drafts[7].enable = false;
        drafts[3].sql = r#"SELECT 1 AS x FROM "other""#.into();
        drafts[4].outputs.push(Output::Console);
        let second = next(&first, drafts);
        assert_eq!(second.filters_beyond(&first), [("other".to_owned(), 499)]);
        let gone = [("t/3/+".to_owned(), 3), ("u/3".to_owned(), 3)];
        assert_eq!(first.filters_beyond(&second), gone);
        let made_again: Vec<&str> = second
            .numbered()
            .filter(|(number, rule)| !first.get(*number).is_some_and(|old| Arc::ptr_eq(old, rule)))
            .map(|(_, rule)| &*rule.id)
            .collect();
        assert_eq!(made_again, ["r4", "r3"]);
        for (id, counters) in second.all_counters() {
            assert!(Arc::ptr_eq(counters, first.counters(id).expect("counters")), "{id}");
        }
        let program = |set: &RuleSet, id: &str| set.known[id].rule.clone();
        assert!(Arc::ptr_eq(&program(&first, "r4"), &program(&second, "r4")));
        assert!(Arc::ptr_eq(&program(&first, "r7"), &program(&second, "r7")), "switched off");
    }

    #[test]
    fn events_and_sources_are_found_by_name() {
        let set = next(
            &RuleSet::default(),
            vec![draft(
                "e",
                r#"SELECT * FROM "$events/client_connected", "$events/client/connected", "$bridges/mqtt:m""#,
            )],
        );
        assert_eq!(set.on(Event::ClientConnected), [0]);
        assert!(set.on(Event::MessageAcked).is_empty());
        assert_eq!(set.on_source("mqtt:m"), [0]);
        assert_eq!(set.on_source("$sources/mqtt:m"), [0]);
        assert!(set.on_source("mqtt:n").is_empty());
        assert!(set.filters_beyond(&RuleSet::default()).is_empty());
    }

    #[test]
    fn one_wrong_rule_refuses_the_set_and_says_where() {
        let around = Surroundings::default();
        let wrong = vec![draft("a", r#"SELECT * FROM "t""#), draft("w", "SELECT\n nothing")];
        let Err(RuleSetError::Sql { id, error }) = RuleSet::default().next(wrong, around, 1) else {
            panic!("taken")
        };
        assert_eq!((id.as_str(), error.line), ("w", 2));
        let twice = vec![draft("a", r#"SELECT * FROM "t""#); 2];
        let around = Surroundings::default();
        assert!(matches!(RuleSet::default().next(twice, around, 1), Err(RuleSetError::Twice(_))));
    }
}
