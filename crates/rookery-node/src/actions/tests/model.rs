//! Any sequence of what can happen to a buffer, against a model that remembers everything.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    /// Items by key and size.
    Offer(Vec<(u64, usize)>),
    Take(usize, usize),
    /// One of the batches in flight; what happens to each of its items.
    End(usize, Vec<u8>),
    Turn,
    Reset,
}

fn any_step() -> impl Strategy<Value = Step> {
    let offered = proptest::collection::vec((0..5_u64, 0..300_usize), 1..12);
    prop_oneof![
        3 => offered.prop_map(Step::Offer),
        3 => (1..12_usize, 1..2000_usize).prop_map(|(items, bytes)| Step::Take(items, bytes)),
        3 => (0..8_usize, proptest::collection::vec(0..5_u8, 1..12))
            .prop_map(|(batch, ends)| Step::End(batch, ends)),
        2 => Just(Step::Turn),
        1 => Just(Step::Reset),
    ]
}

#[derive(Default)]
struct Model {
    /// Key of each item that was offered.
    keys: BTreeMap<u64, u64>,
    ended: BTreeSet<u64>,
    batches: Vec<Vec<Taken>>,
    /// The last item of each key that was sent, when nothing of it was given back since.
    sent: BTreeMap<u64, u64>,
    /// What the buffer says it dropped before the last reset.
    dropped: u64,
}

impl Model {
    fn offer(&mut self, buffer: &ActionBuffer, rule: &Arc<RuleTally>, offered: &[(u64, usize)]) {
        let mut items = Vec::new();
        for (key, padding) in offered {
            let name = self.keys.len() as u64;
            self.keys.insert(name, *key);
            items.push(item(rule, *key, name, *padding));
        }
        buffer.offer(1000, &mut items);
    }

    fn take(&mut self, buffer: &ActionBuffer, max_items: usize, max_bytes: usize) -> bool {
        let batch = buffer.take(1000, max_items, max_bytes);
        assert!(batch.items.len() <= max_items);
        let size: usize = batch.items.iter().map(|taken| taken.fields().len()).sum();
        assert!(size <= max_bytes || batch.items.len() == 1, "{size} octets");
        let busy: BTreeSet<_> = self
            .batches
            .iter()
            .flatten()
            .map(|taken| taken.key())
            .filter(|key| *key != 0)
            .collect();
        let mut last = BTreeMap::new();
        for taken in &batch.items {
            let (name, key) = (name_of(taken), taken.key());
            assert_eq!(self.keys.get(&name), Some(&key), "as it was offered");
            assert!(!self.ended.contains(&name), "{name} came twice");
            assert!(!busy.contains(&key), "client {key} is in flight in another batch");
            assert!(key == 0 || last.insert(key, name).is_none_or(|last| last < name), "order");
            assert!(key == 0 || self.sent.get(&key).is_none_or(|sent| *sent < name), "order");
        }
        let has_some = !batch.items.is_empty();
        if has_some {
            self.batches.push(batch.items);
        }
        has_some
    }

    /// A sender ends the items of a batch in order, and gives back from some item of a key on.
    fn end(&mut self, buffer: &ActionBuffer, batch: usize, ends: &[u8]) {
        if self.batches.is_empty() {
            return;
        }
        let batch = self.batches.remove(batch % self.batches.len());
        let mut stays = BTreeSet::new();
        for (taken, end) in batch.iter().zip(ends.iter().cycle()) {
            let (name, key) = (name_of(taken), taken.key());
            if *end == 0 || stays.contains(&key) {
                if key != 0 {
                    stays.insert(key);
                }
                buffer.give_back(&[taken.number()]);
                continue;
            }
            let outcome = if *end == 1 { Outcome::Failed } else { Outcome::Success };
            buffer.settle(&[taken.number(), u64::MAX], outcome);
            buffer.settle(&[taken.number()], Outcome::Failed);
            assert!(self.ended.insert(name), "{name} ended twice");
            if key != 0 {
                self.sent.insert(key, name);
            }
        }
    }

    fn check(&self, buffer: &ActionBuffer, max_memory: u64, max_disk: u64) {
        let counters = check_sum(buffer);
        let in_flight: usize = self.batches.iter().map(Vec::len).sum();
        assert_eq!(counters.inflight, in_flight as u64);
        let gone = self.ended.len() as u64 + self.dropped + counters.dropped();
        assert_eq!(gone + counters.queuing + counters.inflight, self.keys.len() as u64);
        assert!(counters.queuing_bytes <= max_memory + HAND_OVER_BYTES_MAX.min(max_disk));
        // A file that is begun has its head.
        assert!(counters.spilled_bytes <= max_disk + 8, "{counters:?}");
    }
}

fn run(steps: &[Step], spec: &BufferSpec, is_roomy: bool) {
    let (buffer, rule) = (alone(spec.clone()), rule());
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Offer(offered) => model.offer(&buffer, &rule, offered),
            Step::Take(items, bytes) => {
                model.take(&buffer, *items, *bytes);
            }
            Step::End(batch, ends) => model.end(&buffer, *batch, ends),
            Step::Turn => {
                buffer.turn();
            }
            Step::Reset => {
                model.dropped += buffer.counters().dropped();
                buffer.reset_counters();
            }
        }
        model.check(&buffer, spec.max_buffer_bytes, spec.max_spill_bytes);
    }
    // In the end everything comes out.
    loop {
        while !model.batches.is_empty() {
            model.end(&buffer, 0, &[2]);
        }
        buffer.turn();
        if !model.take(&buffer, 100, 100_000) && buffer.counters().queuing == 0 {
            break;
        }
    }
    model.check(&buffer, spec.max_buffer_bytes, spec.max_spill_bytes);
    let counters = buffer.counters();
    assert_eq!((counters.queuing, counters.inflight, counters.queuing_bytes), (0, 0, 0));
    if is_roomy {
        assert_eq!(model.ended.len(), model.keys.len(), "nothing is lost below the bounds");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn in_memory(steps in proptest::collection::vec(any_step(), 0..60)) {
        run(&steps, &memory(1 << 30), true);
        run(&steps, &memory(2000), false);
    }

    #[test]
    fn on_disk(steps in proptest::collection::vec(any_step(), 0..60)) {
        let scratch = Scratch::new();
        run(&steps, &spilling(2000, scratch.path(), 1 << 30), true);
        run(&steps, &spilling(600, scratch.path(), 3000), false);
    }
}
