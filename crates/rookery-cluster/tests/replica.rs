//! Replicas that are written at several nodes while connections are cut, slow and made anew, and
//! clocks jump: simulated by seed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail like tests")]

use std::collections::{BTreeMap, HashMap, VecDeque};

use proptest::prelude::*;
use rookery_cluster::frame::{Frame, next};
use rookery_cluster::replica::{
    Bits, EntryOf, HybridClock, Key, Replica, ReplicaFrame, ReplicaSender, ReplicaSource, Space,
    Sums, Version, What, answer, entries, key_of, put_deleted, put_value,
};

/// A small generator: a seed is a run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % n
    }
}

/// A value: its name and something.
type Value = (String, u64);

#[derive(Default)]
struct Holder {
    name: &'static str,
    replica: Replica<Value>,
    clock: HybridClock,
    /// How far its wall clock is ahead.
    ahead_ms: u64,
}

impl Holder {
    fn write(&mut self, name: &str, value: Option<u64>, unix_ms: u64) -> (Key, Version) {
        let version =
            Version { time: self.clock.next(unix_ms + self.ahead_ms), node: self.name.into() };
        let what = value.map_or(What::Deleted, |value| What::Value((name.to_owned(), value)));
        self.replica.set(key_of(name), version.clone(), what, unix_ms);
        (key_of(name), version)
    }

    fn apply(&mut self, items: &[u8], unix_ms: u64) {
        for entry in entries(items) {
            let entry = entry.unwrap();
            let (key, what) = match entry.what {
                EntryOf::Deleted(key) => (key, What::Deleted),
                EntryOf::Value(bytes) => {
                    let (value, name) = bytes.split_first_chunk().unwrap();
                    let name = String::from_utf8(name.to_vec()).unwrap();
                    (key_of(&name), What::Value((name, u64::from_le_bytes(*value))))
                }
            };
            self.clock.see(entry.version.time);
            if self.replica.is_news(&key, &entry.version, what == What::Deleted) {
                self.replica.set(key, entry.version, what, unix_ms);
            }
        }
    }

    fn values(&self) -> BTreeMap<Key, Value> {
        let mut found = BTreeMap::new();
        for name in NAMES {
            if let Some((_, What::Value(value))) = self.replica.get(&key_of(name)) {
                found.insert(key_of(name), value.clone());
            }
        }
        found
    }
}

impl ReplicaSource for Holder {
    fn sums(&self) -> Sums {
        self.replica.sums().clone()
    }
    fn leaves(&self, group: u8) -> Sums {
        self.replica.leaves(group)
    }
    fn versions(&self, group: u8, leaves: &Bits, each: &mut dyn FnMut(&Key, &Version)) {
        self.replica.versions(group, leaves, each);
    }
    fn newer(
        &self,
        group: u8,
        leaves: &Bits,
        than: &HashMap<Key, Version>,
        each: &mut dyn FnMut(Key, u64, bool),
    ) {
        self.replica.newer(group, leaves, than, each);
    }
    fn put(&self, key: &Key, out: &mut Vec<u8>) {
        match self.replica.get(key) {
            Some((version, What::Deleted)) => put_deleted(out, key, version),
            Some((version, What::Value((name, value)))) => put_value(out, version, |out| {
                out.extend_from_slice(&value.to_le_bytes());
                out.extend_from_slice(name.as_bytes());
            }),
            Some((_, What::Absent)) | None => {}
        }
    }
    fn purged(&self) -> u64 {
        self.replica.purged()
    }
    fn time(&self) -> u64 {
        self.clock.last()
    }
}

const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "ü/1"];

/// One direction between two nodes.
struct Link {
    from: usize,
    to: usize,
    sender: ReplicaSender,
    is_open: bool,
    told: VecDeque<u8>,
    answers: VecDeque<u8>,
    /// What was written, with the number of the change there.
    expected: Vec<(u64, Key, Version)>,
}

fn pop(bytes: &mut VecDeque<u8>) -> Option<Vec<u8>> {
    let all = bytes.make_contiguous();
    let (_, len) = next(all, 1 << 24).unwrap()?;
    Some(bytes.drain(..len).collect())
}

struct World {
    chance: Chance,
    holders: Vec<Holder>,
    links: Vec<Link>,
    unix_ms: u64,
    made: u64,
}

impl World {
    fn new(seed: u64, nodes: usize) -> Self {
        let holder = |name| Holder { name, ..Holder::default() };
        let pairs = (0..nodes).flat_map(|a| (0..nodes).map(move |b| (a, b)));
        let link = |(from, to)| Link {
            from,
            to,
            sender: ReplicaSender::new(Space::Retained, 0),
            is_open: false,
            told: VecDeque::new(),
            answers: VecDeque::new(),
            expected: Vec::new(),
        };
        Self {
            chance: Chance(seed),
            holders: ["n1", "n2", "n3"].into_iter().take(nodes).map(holder).collect(),
            links: pairs.filter(|(a, b)| a != b).map(link).collect(),
            unix_ms: 1_700_000_000_000,
            made: 0,
        }
    }

    fn pick_link(&mut self) -> usize {
        self.chance.below(self.links.len() as u64) as usize
    }

    fn write(&mut self) {
        let at = self.chance.below(self.holders.len() as u64) as usize;
        let name = NAMES[self.chance.below(NAMES.len() as u64) as usize];
        self.made += 1;
        let value = (self.chance.below(3) != 0).then_some(self.made);
        let (key, version) = self.holders[at].write(name, value, self.unix_ms);
        for link in self.links.iter_mut().filter(|link| link.from == at) {
            if let Some(change) = link.sender.changed(key) {
                link.expected.push((change, key, version.clone()));
            }
        }
    }

    fn open(&mut self, at: usize) {
        self.cut(at);
        self.links[at].is_open = true;
        self.links[at].sender.connected();
    }

    fn cut(&mut self, at: usize) {
        let link = &mut self.links[at];
        link.is_open = false;
        link.told.clear();
        link.answers.clear();
        link.sender.disconnected();
    }

    fn tell(&mut self, at: usize) {
        let link = &mut self.links[at];
        if link.is_open && link.sender.has_news() {
            let mut out = Vec::new();
            link.sender.write(&self.holders[link.from], &mut out);
            link.told.extend(out);
        }
    }

    fn take(&mut self, at: usize) {
        let link = &mut self.links[at];
        let Some(bytes) = pop(&mut link.told) else { return };
        let Frame::Replica(Space::Retained, frame) = next(&bytes, 1 << 24).unwrap().unwrap().0
        else {
            panic!()
        };
        let mut out = Vec::new();
        if let Some((number, items)) =
            answer(Space::Retained, frame, &self.holders[link.to], &mut out).unwrap()
        {
            self.holders[link.to].apply(items, self.unix_ms);
            Frame::Replica(Space::Retained, ReplicaFrame::Kept(number)).encode(&mut out);
        }
        link.answers.extend(out);
    }

    fn hear(&mut self, at: usize) {
        let link = &mut self.links[at];
        let Some(bytes) = pop(&mut link.answers) else { return };
        let Frame::Replica(Space::Retained, frame) = next(&bytes, 1 << 24).unwrap().unwrap().0
        else {
            panic!()
        };
        let heard = link.sender.hear(frame, &self.holders[link.from]).unwrap();
        for (key, time) in heard.outdated {
            self.holders[link.from].replica.drop_value(&key, time);
        }
        let kept = link.sender.kept();
        let there = &self.holders[link.to].replica;
        link.expected.retain(|(change, key, version)| {
            if *change > kept {
                return true;
            }
            // What was said to be kept is there, or something later.
            let (known, _) = there.get(key).unwrap_or_else(|| panic!("{key:?} is not there"));
            assert!(known >= version);
            false
        });
    }

    fn step(&mut self) {
        self.unix_ms += self.chance.below(20);
        let at = self.pick_link();
        match self.chance.below(24) {
            0 => self.cut(at),
            1 => self.open(at),
            2..=4 => self.write(),
            5 => self.links[at].sender.check(),
            6 => {
                let at = self.chance.below(self.holders.len() as u64) as usize;
                self.holders[at].ahead_ms = self.chance.below(3) * 3_600_000;
            }
            7..=11 => self.tell(at),
            12..=17 => self.take(at),
            _ => self.hear(at),
        }
    }

    fn settle(&mut self) {
        (0..self.links.len())
            .filter(|at| !self.links[*at].is_open)
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|at| self.open(at));
        for _ in 0..4 {
            for at in 0..self.links.len() {
                self.links[at].sender.check();
                for _ in 0..1000 {
                    self.tell(at);
                    self.take(at);
                    self.hear(at);
                    if self.links[at].sender.is_whole() && !self.links[at].sender.has_news() {
                        break;
                    }
                }
                while !self.links[at].told.is_empty() || !self.links[at].answers.is_empty() {
                    self.take(at);
                    self.hear(at);
                }
                assert!(self.links[at].sender.is_whole());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn replicas_become_equal_whatever_happened_between_them(seed: u64, nodes in 2..4_usize) {
        let mut world = World::new(seed, nodes);
        for _ in 0..500 {
            world.step();
        }
        world.settle();
        let first = &world.holders[0];
        for other in &world.holders[1..] {
            prop_assert_eq!(first.values(), other.values());
            prop_assert_eq!(first.replica.sums(), other.replica.sums());
        }
        for link in &world.links {
            prop_assert!(link.expected.is_empty(), "all is kept in the end");
        }
    }
}

fn pair() -> World {
    World::new(1, 2)
}

fn value_of<'a>(world: &'a World, at: usize, name: &str) -> Option<&'a Value> {
    match world.holders[at].replica.get(&key_of(name)) {
        Some((_, What::Value(value))) => Some(value),
        _ => None,
    }
}

#[test]
fn only_what_differs_is_sent() {
    let mut world = pair();
    for n in 0..3000 {
        let name = format!("many/{n}");
        let (key, version) = world.holders[0].write(&name, Some(n), world.unix_ms);
        if n != 17 {
            world.holders[1].replica.set(key, version, What::Value((name, n)), world.unix_ms);
        }
    }
    world.open(0);
    let mut told = 0;
    while !world.links[0].sender.is_whole() {
        world.tell(0);
        told += world.links[0].told.len();
        world.take(0);
        world.hear(0);
    }
    assert!(told < 6000, "two lists of sums and one entry, not {told} bytes");
    assert_eq!(value_of(&world, 1, "many/17").unwrap().1, 17);
}

#[test]
fn what_was_deleted_long_ago_does_not_come_back_with_a_node_that_was_away() {
    let mut world = pair();
    world.holders[0].write("a", Some(1), world.unix_ms);
    world.holders[0].write("b", Some(2), world.unix_ms);
    world.settle();
    assert!(value_of(&world, 1, "a").is_some());

    // The second one is away; meanwhile the deletion is forgotten, and it writes something itself.
    (0..2).for_each(|at| world.cut(at));
    world.unix_ms += 1000;
    world.holders[0].write("a", None, world.unix_ms);
    world.holders[1].write("c", Some(3), world.unix_ms);
    world.unix_ms += 1_000_000;
    let (before, now) = (world.unix_ms - 1000, world.unix_ms);
    assert_eq!(world.holders[0].replica.purge(before, 100, 100, now), [key_of("a")]);
    world.settle();
    for at in 0..2 {
        assert!(value_of(&world, at, "a").is_none());
        assert!(value_of(&world, at, "b").is_some());
        assert!(value_of(&world, at, "c").is_some());
    }
}

#[test]
fn deletions_are_forgotten_when_they_are_old_or_too_many() {
    let mut holder = Holder { name: "n", ..Holder::default() };
    for n in 0..10 {
        holder.write(&format!("d/{n}"), None, 1000 + n);
    }
    holder.write("d/0", Some(1), 2000);
    assert_eq!(holder.replica.purge(0, 7, 100, 3000).len(), 2, "the first one is a value again");
    assert_eq!(holder.replica.deletions(), 7);
    assert_eq!(holder.replica.purge(1005, 7, 100, 3000).len(), 2);
    let forgotten = Version { time: HybridClock::at(1002), node: "n".into() };
    assert!(!holder.replica.is_news(&key_of("d/2"), &forgotten, true), "it is not heard of again");
}

#[test]
fn more_changes_than_are_kept_in_mind_are_found_by_a_round() {
    let mut world = pair();
    world.settle();
    for n in 0..70_000 {
        let (key, version) = world.holders[0].write(NAMES[n % 12], Some(n as u64), world.unix_ms);
        let change = world.links[0].sender.changed(key).unwrap();
        if n % 1000 == 0 {
            world.links[0].expected.push((change, key, version));
        }
    }
    assert!(!world.links[0].sender.is_whole());
    world.settle();
    assert_eq!(world.holders[0].values(), world.holders[1].values());
    assert!(world.links[0].expected.is_empty());
}

#[test]
fn an_answer_that_nobody_asked_for_is_an_error() {
    let mut world = pair();
    let source = &world.holders[0];
    let sender = &mut world.links[0].sender;
    assert!(sender.hear(ReplicaFrame::Kept(1), source).is_err());
    let mut out = Vec::new();
    assert!(answer(Space::Retained, ReplicaFrame::Kept(1), source, &mut out).is_err());
    assert!(entries(&[9, 9]).next().unwrap().is_err());
}
