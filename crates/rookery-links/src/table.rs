//! What one other cluster wants: topic filters, and the actors there that said so.
//!
//! Each actor has a lane, a bit in the entry of every route that it told; a route is there as long
//! as one of its bits is set. So several nodes of the other cluster may tell the same, and when one
//! of them is gone, what only it told goes with it. The table of each cluster stands by itself.
//!
//! **Bounds.** [`ROUTES_MAX`] routes, [`LANES`] actors. Forgetting an actor is done in slices.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::operation::{Actor, Change};

/// Actors of one cluster at a time: its nodes, and those that were restarted in the last moment.
pub const LANES: u32 = 64;

/// Routes of one cluster.
pub const ROUTES_MAX: usize = 4 << 20;

/// How long an actor is believed without a sign of it.
pub const TTL_MS: u64 = 30_000;

/// How long what an earlier start of an actor told is kept: the later one has told by then what of
/// it is wanted still, and meanwhile no message is missed.
pub const GRACE_MS: u64 = 10_000;

/// Why an actor is not taken.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActorError {
    /// There is, or was, a later one of this name.
    #[error("the actor has a lower incarnation than one that was here before")]
    Stale,
    /// It was never here, or so long ago that it was forgotten.
    #[error("the actor has not introduced itself")]
    Unknown,
    /// There is no lane left.
    #[error("the other cluster has too many actors")]
    TooMany,
}

#[derive(Debug)]
struct Known {
    incarnation: u64,
    lane: u32,
    until_ms: u64,
}

/// A route of a topic: none stands for one that is named as the topic.
type Route = (Option<Box<str>>, u64);

/// The routes of one other cluster.
#[derive(Debug, Default)]
pub struct RouteTable {
    actors: BTreeMap<Box<str>, Known>,
    routes: BTreeMap<Box<str>, Vec<Route>>,
    count: usize,
    refused: u64,
    /// Lanes of actors that are gone, that the running pass takes out.
    wiping: u64,
    /// The same, for later passes, and from when on.
    retired: Vec<(u64, u64)>,
    /// Actors tell their routes elsewhere as well.
    is_one_of_many: bool,
    /// The pass has come so far.
    cursor: Option<Box<str>>,
}

impl RouteTable {
    /// How many routes there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Routes that found no room.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// Whether an actor that comes back may have told others of this cluster what changed: then it
    /// has to tell everything.
    pub const fn set_is_one_of_many(&mut self, is: bool) {
        self.is_one_of_many = is;
    }

    /// An actor introduces itself; whether it has to tell everything.
    ///
    /// # Errors
    ///
    /// It is an earlier one than is known, or there is no lane for it.
    pub fn introduce(&mut self, actor: Actor<'_>, now_ms: u64) -> Result<bool, ActorError> {
        let until_ms = now_ms + TTL_MS;
        if let Some(known) = self.actors.get_mut(actor.name) {
            if known.incarnation > actor.incarnation {
                return Err(ActorError::Stale);
            }
            known.until_ms = until_ms;
            if known.incarnation == actor.incarnation && !self.is_one_of_many {
                return Ok(false);
            }
        }
        // What an earlier one told is taken out bit by bit, and the new one tells into a lane of its
        // own.
        self.forget(actor.name, now_ms + GRACE_MS);
        let gone = self.retired.iter().fold(self.wiping, |all, (_, bit)| all | bit);
        let used = self.actors.values().fold(gone, |all, a| all | 1 << a.lane);
        let lane = used.trailing_ones();
        if lane >= LANES {
            return Err(ActorError::TooMany);
        }
        let known = Known { incarnation: actor.incarnation, lane, until_ms };
        self.actors.insert(actor.name.into(), known);
        Ok(true)
    }

    /// An actor gives a sign of life.
    ///
    /// # Errors
    ///
    /// It is none that introduced itself, or an earlier one.
    pub fn renew(&mut self, actor: Actor<'_>, now_ms: u64) -> Result<(), ActorError> {
        let known = self.actors.get_mut(actor.name).ok_or(ActorError::Unknown)?;
        match known.incarnation.cmp(&actor.incarnation) {
            std::cmp::Ordering::Equal => known.until_ms = now_ms + TTL_MS,
            std::cmp::Ordering::Greater => return Err(ActorError::Stale),
            std::cmp::Ordering::Less => return Err(ActorError::Unknown),
        }
        Ok(())
    }

    /// Takes what an actor tells; `each` learns of topics that are wanted now or not any more.
    ///
    /// # Errors
    ///
    /// As [`RouteTable::renew`]; then nothing is taken.
    pub fn apply<'a>(
        &mut self,
        actor: Actor<'_>,
        now_ms: u64,
        changes: &[Change<'a>],
        mut each: impl FnMut(&'a str, bool),
    ) -> Result<(), ActorError> {
        self.renew(actor, now_ms)?;
        let Some(lane) = self.actors.get(actor.name).map(|known| 1 << known.lane) else {
            return Err(ActorError::Unknown);
        };
        for change in changes {
            let is_change = if change.is_there {
                self.add(change.topic, change.route, lane)
            } else {
                self.remove(change.topic, change.route, lane)
            };
            if is_change {
                each(change.topic, change.is_there);
            }
        }
        Ok(())
    }

    /// Whether the topic was not wanted before.
    fn add(&mut self, topic: &str, route: &str, lane: u64) -> bool {
        let name = (route != topic).then_some(route);
        if let Some(routes) = self.routes.get_mut(topic) {
            if let Some((_, bits)) = routes.iter_mut().find(|(known, _)| known.as_deref() == name) {
                *bits |= lane;
                return false;
            }
            if self.count >= ROUTES_MAX {
                self.refused += 1;
                return false;
            }
            routes.push((name.map(Box::from), lane));
            self.count += 1;
            return false;
        }
        if self.count >= ROUTES_MAX {
            self.refused += 1;
            return false;
        }
        self.routes.insert(topic.into(), vec![(name.map(Box::from), lane)]);
        self.count += 1;
        true
    }

    /// Whether the topic is not wanted any more.
    fn remove(&mut self, topic: &str, route: &str, lane: u64) -> bool {
        let Some(routes) = self.routes.get_mut(topic) else { return false };
        let name = (route != topic).then_some(route);
        let Some(at) = routes.iter().position(|(known, _)| known.as_deref() == name) else {
            return false;
        };
        if let Some((_, bits)) = routes.get_mut(at) {
            *bits &= !lane;
            if *bits == 0 {
                routes.swap_remove(at);
                self.count -= 1;
            }
        }
        let is_gone = routes.is_empty();
        if is_gone {
            self.routes.remove(topic);
        }
        is_gone
    }

    fn forget(&mut self, name: &str, from_ms: u64) {
        if let Some(gone) = self.actors.remove(name) {
            self.retired.push((from_ms, 1 << gone.lane));
        }
    }

    /// Forgets actors of whom nothing was heard, and looks at `visits` topics for what only those
    /// that are gone had told. Whether there is more to do.
    pub fn collect(&mut self, now_ms: u64, visits: usize, mut each: impl FnMut(&str)) -> bool {
        let late: Vec<Box<str>> = self
            .actors
            .iter()
            .filter(|(_, a)| a.until_ms <= now_ms)
            .map(|(n, _)| n.clone())
            .collect();
        late.iter().for_each(|name| self.forget(name, now_ms));
        if self.wiping == 0 {
            let due = self.retired.extract_if(.., |(from_ms, _)| *from_ms <= now_ms);
            self.wiping = due.fold(0, |all, (_, bit)| all | bit);
            self.cursor = None;
        }
        if self.wiping == 0 {
            return false;
        }
        let keep = !self.wiping;
        let from = self.cursor.take();
        let range = (from.as_deref().map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let (mut seen, mut last, mut gone) = (0, None, Vec::new());
        for (topic, routes) in self.routes.range_mut::<str, _>(range).take(visits) {
            seen += 1;
            last = Some(topic);
            let before = routes.len();
            routes.iter_mut().for_each(|(_, bits)| *bits &= keep);
            routes.retain(|(_, bits)| *bits != 0);
            self.count -= before - routes.len();
            if routes.is_empty() {
                gone.push(topic.clone());
            }
        }
        let last = last.cloned();
        for topic in gone {
            self.routes.remove(&topic);
            each(&topic);
        }
        if seen < visits {
            self.wiping = 0;
        } else {
            self.cursor = last;
        }
        self.wiping != 0 || self.retired.iter().any(|(from_ms, _)| *from_ms <= now_ms)
    }

    /// When somebody has to be forgotten, if nothing is heard of them.
    #[must_use]
    pub fn due_ms(&self) -> Option<u64> {
        if self.wiping != 0 {
            return Some(0);
        }
        let gone = self.retired.iter().map(|(from_ms, _)| *from_ms);
        self.actors.values().map(|known| known.until_ms).chain(gone).min()
    }

    /// Every topic that is wanted.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.routes.keys().map(|topic| &**topic)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn actor(name: &str, incarnation: u64) -> Actor<'_> {
        Actor { name, incarnation }
    }

    fn add<'a>(topic: &'a str, route: &'a str) -> Change<'a> {
        Change { topic, route, is_there: true }
    }

    fn delete<'a>(topic: &'a str, route: &'a str) -> Change<'a> {
        Change { topic, route, is_there: false }
    }

    #[derive(Default)]
    struct Stage {
        table: RouteTable,
        /// What a router would hold that only learns of changes.
        wanted: BTreeSet<String>,
    }

    impl Stage {
        fn tell(&mut self, who: Actor<'_>, now_ms: u64, changes: &[Change<'_>]) {
            let wanted = &mut self.wanted;
            self.table
                .apply(who, now_ms, changes, |topic, is_there| {
                    if is_there {
                        wanted.insert(topic.to_owned())
                    } else {
                        wanted.remove(topic)
                    };
                })
                .unwrap();
        }

        fn collect(&mut self, now_ms: u64, visits: usize) {
            let wanted = &mut self.wanted;
            while self.table.collect(now_ms, visits, |topic| {
                wanted.remove(topic);
            }) {}
        }

        fn check(&self, topics: &[&str]) {
            assert_eq!(self.table.topics().collect::<Vec<_>>(), topics);
            assert_eq!(self.wanted.iter().map(String::as_str).collect::<Vec<_>>(), topics);
        }
    }

    #[test]
    fn a_route_stays_as_long_as_one_actor_wants_it() {
        let mut stage = Stage::default();
        let (one, two) = (actor("one", 1), actor("two", 1));
        assert_eq!(stage.table.introduce(one, 0), Ok(true));
        assert_eq!(stage.table.introduce(two, 0), Ok(true));
        stage.tell(one, 0, &[add("a", "a"), add("b", "+"), add("b", "b")]);
        stage.tell(two, 0, &[add("a", "a")]);
        stage.tell(one, 0, &[delete("a", "a"), delete("b", "+"), delete("b", "other")]);
        stage.check(&["a", "b"]);
        assert_eq!(stage.table.len(), 2);
        stage.tell(two, 0, &[delete("a", "a")]);
        stage.check(&["b"]);
    }

    #[test]
    fn incarnations_only_rise() {
        let mut stage = Stage::default();
        assert_eq!(stage.table.introduce(actor("n", 5), 0), Ok(true));
        assert_eq!(stage.table.introduce(actor("n", 5), 0), Ok(false), "the same goes on");
        assert_eq!(stage.table.introduce(actor("n", 4), 0), Err(ActorError::Stale));
        assert_eq!(stage.table.renew(actor("n", 4), 0), Err(ActorError::Stale));
        assert_eq!(stage.table.renew(actor("n", 6), 0), Err(ActorError::Unknown));
        assert_eq!(stage.table.renew(actor("m", 5), 0), Err(ActorError::Unknown));
        stage.tell(actor("n", 5), 0, &[add("old", "old"), add("both", "both")]);
        assert_eq!(stage.table.introduce(actor("n", 6), 0), Ok(true), "a later one tells all");
        stage.collect(GRACE_MS - 1, 1);
        stage.check(&["both", "old"]);
        stage.tell(actor("n", 6), 0, &[add("both", "both")]);
        assert_eq!(stage.table.due_ms(), Some(GRACE_MS));
        stage.collect(GRACE_MS, 1);
        stage.check(&["both"]);
    }

    #[test]
    fn an_actor_that_may_have_told_others_tells_everything_again() {
        let mut stage = Stage::default();
        stage.table.set_is_one_of_many(true);
        assert_eq!(stage.table.introduce(actor("n", 5), 0), Ok(true));
        stage.tell(actor("n", 5), 0, &[add("a", "a"), add("b", "b")]);
        assert_eq!(stage.table.introduce(actor("n", 5), 1), Ok(true), "it comes back");
        stage.tell(actor("n", 5), 1, &[add("b", "b"), add("c", "c")]);
        stage.check(&["a", "b", "c"]);
        stage.collect(GRACE_MS + 1, 8);
        stage.check(&["b", "c"]);
    }

    /// EMQX #16269: after an actor was forgotten it has to tell everything again.
    #[test]
    fn an_actor_that_was_forgotten_tells_everything_again() {
        let mut stage = Stage::default();
        assert_eq!(stage.table.introduce(actor("n", 5), 0), Ok(true));
        stage.tell(actor("n", 5), 0, &[add("a", "a")]);
        stage.collect(TTL_MS - 1, 8);
        stage.check(&["a"]);
        stage.collect(TTL_MS, 8);
        stage.check(&[]);
        assert_eq!(stage.table.renew(actor("n", 5), TTL_MS), Err(ActorError::Unknown));
        assert_eq!(stage.table.introduce(actor("n", 5), TTL_MS), Ok(true));
    }

    #[test]
    fn a_sign_of_life_keeps_what_was_told() {
        let mut stage = Stage::default();
        let live = actor("live", 1);
        assert_eq!(stage.table.introduce(live, 0), Ok(true));
        assert_eq!(stage.table.introduce(actor("dead", 1), 0), Ok(true));
        stage.tell(live, 0, &[add("a", "a"), add("b", "b")]);
        stage.tell(actor("dead", 1), 0, &[add("b", "b"), add("c", "c")]);
        assert_eq!(stage.table.due_ms(), Some(TTL_MS));
        stage.table.renew(live, 20_000).unwrap();
        stage.collect(TTL_MS, 1);
        stage.check(&["a", "b"]);
        assert_eq!(stage.table.due_ms(), Some(20_000 + TTL_MS));
    }

    #[test]
    fn there_is_a_lane_for_each_actor_or_none() {
        let mut table = RouteTable::default();
        let names: Vec<String> = (0..=LANES).map(|n| n.to_string()).collect();
        for name in &names[..LANES as usize] {
            assert_eq!(table.introduce(actor(name, 1), 0), Ok(true));
        }
        let last = actor(&names[LANES as usize], 1);
        assert_eq!(table.introduce(last, 0), Err(ActorError::TooMany));
        while table.collect(TTL_MS, 8, |_| {}) {}
        assert_eq!(table.introduce(last, TTL_MS), Ok(true));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Introduce(usize, u64),
        Change(usize, usize, usize, bool),
        Slice,
        Wait(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            1 => (0..3_usize, 0..3_u64).prop_map(|(who, more)| Step::Introduce(who, more)),
            8 => (0..3_usize, 0..4_usize, 0..2_usize, any::<bool>())
                .prop_map(|(who, topic, route, is_there)| Step::Change(who, topic, route, is_there)),
            2 => Just(Step::Slice),
            1 => (0..20_000_u64).prop_map(Step::Wait),
        ];
        proptest::collection::vec(step, 0..120)
    }

    /// By actor: its incarnation, until when it is believed, and what it told.
    type Model = std::collections::HashMap<usize, (u64, u64, BTreeSet<(usize, usize)>)>;

    proptest! {
        #[test]
        fn the_table_holds_what_the_living_told(steps in steps()) {
            let names = ["one", "two", "three"];
            let topics = ["a", "b", "c", "d"];
            let routes = ["x", "y"];
            let mut stage = Stage::default();
            let mut model = Model::new();
            let mut now = 0;
            for step in steps {
                match step {
                    Step::Introduce(who, more) => {
                        let known = model.get(&who).map(|known| known.0);
                        let incarnation = known.unwrap_or(1) + more;
                        let is_new = stage.table.introduce(actor(names[who], incarnation), now).unwrap();
                        prop_assert_eq!(is_new, known != Some(incarnation));
                        let told = if is_new { BTreeSet::new() } else { model[&who].2.clone() };
                        model.insert(who, (incarnation, now + TTL_MS, told));
                    }
                    Step::Change(who, topic, route, is_there) => {
                        let Some((incarnation, until, told)) = model.get_mut(&who) else { continue };
                        *until = now + TTL_MS;
                        let change = Change { topic: topics[topic], route: routes[route], is_there };
                        if is_there { told.insert((topic, route)) } else { told.remove(&(topic, route)) };
                        let who = actor(names[who], *incarnation);
                        stage.tell(who, now, &[change]);
                    }
                    Step::Slice => {
                        let wanted = &mut stage.wanted;
                        stage.table.collect(now, 2, |topic| { wanted.remove(topic); });
                        model.retain(|_, known| known.1 > now);
                    }
                    Step::Wait(ms) => {
                        now += ms;
                        stage.collect(now, 2);
                        model.retain(|_, known| known.1 > now);
                    }
                }
            }
            stage.collect(now, 1);
            model.retain(|_, known| known.1 > now);
            // What earlier starts told is kept for a while.
            for (who, (incarnation, ..)) in &model {
                stage.table.renew(actor(names[*who], *incarnation), now).unwrap();
            }
            stage.collect(now + GRACE_MS, 1);
            let all: BTreeSet<_> = model.values().flat_map(|known| known.2.iter()).collect();
            prop_assert_eq!(stage.table.len(), all.len());
            let wanted: BTreeSet<&str> = all.iter().map(|(topic, _)| topics[*topic]).collect();
            stage.check(&wanted.into_iter().collect::<Vec<_>>());
        }
    }
}
