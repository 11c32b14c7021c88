//! Routes of one node at another one, simulated by seed against what the first one has.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail like tests")]

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;
use rookery_cluster::frame::{Frame, Route, next};
use rookery_cluster::routes::{RouteMirror, RouteSender, RouteSource, RouteTable};

struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % n
    }
}

type Key = (Option<String>, String);

/// Every route there may be.
fn places() -> impl Iterator<Item = Key> {
    let groups = [None, Some("g0".to_owned()), Some("g1".to_owned())];
    groups.into_iter().flat_map(|group| (0..12).map(move |n| (group.clone(), format!("t/{n}"))))
}

#[derive(Default)]
struct Table {
    kept: BTreeMap<(u16, Key), u32>,
    made: u16,
}

impl RouteTable for Table {
    fn number(&mut self) -> Option<u16> {
        self.made += 1;
        Some(self.made)
    }

    fn set(&mut self, number: u16, routes: &[Route<'_>], each: &mut dyn FnMut(Route<'_>, u32)) {
        for route in routes {
            let key = (number, (route.group.map(str::to_owned), route.filter.to_owned()));
            let was = match route.weight {
                0 => self.kept.remove(&key),
                weight => self.kept.insert(key, weight),
            };
            each(*route, was.unwrap_or(0));
        }
    }

    fn retire(&mut self, number: u16) {
        self.kept.retain(|(at, _), _| *at != number);
    }
}

#[derive(Default)]
struct World {
    have: BTreeMap<Key, u32>,
    /// Changes that the source was not told yet.
    waiting: VecDeque<(Key, u32, u32)>,
    source: RouteSource,
    sender: RouteSender,
    wire: VecDeque<Vec<u8>>,
    is_connected: bool,
    mirror: RouteMirror,
    table: Table,
    wanted: usize,
    /// Since when a route is there and told: it may not be missing any more.
    settled: BTreeMap<Key, u32>,
}

impl World {
    fn change(&mut self, chance: &mut Chance) {
        let group = (chance.below(3) == 0).then(|| format!("g{}", chance.below(2)));
        let weight = match (&group, chance.below(3)) {
            (_, 0) => 0,
            (None, _) => 2,
            (Some(_), _) => chance.below(6) as u32,
        };
        let key = (group, format!("t/{}", chance.below(12)));
        let was = self.have.get(&key).copied().unwrap_or(0);
        if was == weight {
            return;
        }
        match weight {
            0 => drop(self.have.remove(&key)),
            _ => drop(self.have.insert(key.clone(), weight)),
        }
        self.settled.remove(&key);
        self.waiting.push_back((key, was, weight));
    }

    fn note(&mut self) {
        for ((group, filter), was, weight) in self.waiting.drain(..) {
            let route = Route { group: group.as_deref(), filter: &filter, weight };
            self.source.change(route, was);
        }
    }

    fn tell(&mut self, chance: &mut Chance) {
        self.note();
        // The table may change between the notes and the slice.
        if chance.below(3) == 0 {
            self.change(chance);
        }
        let size = 1 + chance.below(9) as usize;
        let have = &self.have;
        let mut out = Vec::new();
        self.sender.tell(&self.source, &mut out, |from, each| {
            // A route keeps its place while it is there.
            for key in places().skip(from as usize).take(size) {
                if let Some(weight) = have.get(&key) {
                    each(Route { group: key.0.as_deref(), filter: &key.1, weight: *weight });
                }
            }
            let next = from as usize + size;
            (next < places().count()).then_some(next as u32)
        });
        if chance.below(4) == 0 {
            self.sender.check(&self.source, &mut out);
        }
        let mut rest = out.as_slice();
        while let Ok(Some((_, len))) = next(rest, 1 << 20) {
            self.wire.push_back(rest[..len].to_vec());
            rest = &rest[len..];
        }
    }

    fn read(&mut self) {
        let Some(bytes) = self.wire.pop_front() else { return };
        let (frame, _) = next(&bytes, 1 << 20).unwrap().unwrap();
        if self.mirror.take(frame, &mut self.table).unwrap() {
            self.wanted += 1;
            self.sender.wanted();
        }
        let is_calm =
            self.waiting.is_empty() && self.wire.is_empty() && !self.sender.has_news(&self.source);
        if matches!(frame, Frame::RoutesDigest { .. }) && self.wanted == 0 && is_calm {
            self.settled = self.in_use();
            self.settled.retain(|key, weight| self.have.get(key) == Some(weight));
        }
    }

    fn in_use(&self) -> BTreeMap<Key, u32> {
        let numbers: Vec<u16> = self.mirror.numbers().collect();
        let kept = self.table.kept.iter().filter(|((at, _), _)| numbers.contains(at));
        kept.map(|((_, key), weight)| (key.clone(), *weight)).collect()
    }

    fn cut(&mut self) {
        if self.is_connected {
            self.is_connected = false;
            self.wire.clear();
            self.sender.disconnected();
            self.mirror.disconnected(&mut self.table);
        }
    }

    fn connect(&mut self) {
        self.cut();
        self.is_connected = true;
        self.sender.connected(&self.source, self.mirror.version());
    }

    fn settle(&mut self, chance: &mut Chance) {
        self.wire.clear();
        self.connect();
        for _ in 0..3 {
            while self.sender.has_news(&self.source) || !self.waiting.is_empty() {
                self.note();
                self.tell(chance);
                while !self.wire.is_empty() {
                    self.read();
                }
            }
            let mut out = Vec::new();
            self.note();
            self.tell(&mut Chance(1));
            self.sender.check(&self.source, &mut out);
            if !out.is_empty() {
                self.wire.push_back(out);
            }
            while !self.wire.is_empty() {
                self.read();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn a_mirror_comes_to_what_the_source_has(seed: u64) {
        let mut chance = Chance(seed);
        let mut world = World::default();
        for _ in 0..400 {
            match chance.below(24) {
                0 => world.cut(),
                1 => world.connect(),
                2 if chance.below(6) == 0 => {
                    // Changes were lost on the way to the source.
                    world.waiting.clear();
                    world.source.restart();
                    for ((group, filter), weight) in &world.have {
                        let route = Route { group: group.as_deref(), filter, weight: *weight };
                        world.source.found(route);
                    }
                }
                3..=8 => world.change(&mut chance),
                9..=14 => world.tell(&mut chance),
                _ => world.read(),
            }
            let in_use = world.in_use();
            for key in world.settled.keys() {
                prop_assert!(in_use.contains_key(key), "{key:?} was known and is there");
            }
        }
        world.settle(&mut chance);
        prop_assert_eq!(world.in_use(), world.have.clone());
        prop_assert_eq!(world.mirror.count(), world.have.len() as u64);
        prop_assert_eq!(world.mirror.numbers().count(), 1);
        world.mirror.forget(&mut world.table);
        prop_assert!(world.table.kept.is_empty());
    }
}

#[test]
fn a_mirror_that_differs_asks_for_everything() {
    let mut chance = Chance(3);
    let mut world = World::default();
    (0..30).for_each(|_| world.change(&mut chance));
    world.settle(&mut chance);
    assert_eq!(world.wanted, 0);
    world.table.kept.clear();
    let (group, filter) = world.have.keys().next().unwrap().clone();
    world.have.remove(&(group.clone(), filter.clone()));
    world.waiting.push_back(((group, filter), 2, 0));
    world.settle(&mut chance);
    assert!(world.wanted > 0);
    assert_eq!(world.in_use(), world.have);
}
