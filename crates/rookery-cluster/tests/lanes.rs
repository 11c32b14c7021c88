//! A lane over connections that are cut, simulated by seed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail like tests")]

use std::collections::VecDeque;

use proptest::prelude::*;
use rookery_cluster::frame::{Frame, items, next};
use rookery_cluster::lane::{LaneError, LaneLimits, LaneReceiver, LaneSender};

/// A small generator: a seed is a run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % n
    }
}

/// One connection: bytes on their way, in order. An old one may still deliver.
#[derive(Default)]
struct Wire {
    data: VecDeque<Vec<u8>>,
    taken: VecDeque<u64>,
    is_open: bool,
}

struct World {
    chance: Chance,
    limits: LaneLimits,
    sender: LaneSender,
    receiver: LaneReceiver,
    wires: Vec<Wire>,
    made: u64,
    got: Vec<u64>,
    dropped: Vec<u64>,
}

impl World {
    fn new(seed: u64) -> Self {
        let limits = LaneLimits { batch_bytes: 200, queue_bytes: 4000, window_bytes: 900 };
        Self {
            chance: Chance(seed),
            limits,
            sender: LaneSender::new(limits),
            receiver: LaneReceiver::default(),
            wires: Vec::new(),
            made: 0,
            got: Vec::new(),
            dropped: Vec::new(),
        }
    }

    /// Message n; odd ones may be dropped.
    fn publish(&mut self) {
        for _ in 0..self.chance.below(6) {
            let is_droppable = self.chance.below(2) == 0;
            if self.sender.is_full() && !is_droppable {
                // The publisher has to wait.
                continue;
            }
            self.made += 1;
            let id = self.made;
            let size = self.chance.below(80) as usize;
            let write = |out: &mut Vec<u8>| {
                out.extend_from_slice(&id.to_le_bytes());
                out.resize(out.len() + size, 0);
            };
            if !self.sender.push(None, is_droppable, write) {
                assert!(is_droppable, "only what may be dropped is");
                self.dropped.push(id);
            }
        }
        self.sender.seal();
        let one_turn = 6 * 120;
        assert!(self.sender.queued_bytes() <= self.limits.queue_bytes * 5 / 4 + one_turn);
    }

    fn cut(&mut self) {
        let Some(wire) = self.wires.last_mut().filter(|wire| wire.is_open) else { return };
        wire.is_open = false;
        // Some of what is under way is lost, always its end; the rest may come late.
        let data = self.chance.below(wire.data.len() as u64 + 1) as usize;
        wire.data.truncate(data);
        wire.taken.clear();
        self.sender.disconnected();
    }

    fn connect(&mut self) {
        self.cut();
        self.receiver.connected(7, self.sender.taken());
        self.sender.connected(self.receiver.last()).unwrap();
        self.wires.push(Wire { is_open: true, ..Wire::default() });
    }

    fn write(&mut self) {
        let Some(wire) = self.wires.last_mut().filter(|wire| wire.is_open) else { return };
        while self.chance.below(4) != 0
            && let Some(batch) = self.sender.next_batch()
        {
            wire.data.push_back(batch.to_vec());
        }
        let under_way: usize = wire.data.iter().map(Vec::len).sum();
        assert!(under_way <= self.limits.window_bytes + 400);
    }

    fn read(&mut self) {
        if self.wires.is_empty() {
            return;
        }
        let at = self.chance.below(self.wires.len() as u64) as usize;
        let at = if self.chance.below(2) == 0 { self.wires.len() - 1 } else { at };
        let wire = &mut self.wires[at];
        let Some(bytes) = wire.data.pop_front() else { return };
        let (frame, _) = next(&bytes, 1 << 20).unwrap().unwrap();
        let Frame::Batch { seq, items: body } = frame else { panic!("{frame:?}") };
        if self.receiver.batch(seq).unwrap() {
            for item in items(body) {
                let id = item.unwrap().message.first_chunk().copied().unwrap();
                self.got.push(u64::from_le_bytes(id));
            }
        }
        if wire.is_open {
            wire.taken.push_back(self.receiver.last());
        }
    }

    fn confirm(&mut self) {
        let Some(wire) = self.wires.last_mut().filter(|wire| wire.is_open) else { return };
        if let Some(seq) = wire.taken.pop_front() {
            self.sender.took(seq).unwrap();
        }
    }

    fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            match self.chance.below(20) {
                0 => self.cut(),
                1 | 2 => self.connect(),
                3..=6 => self.publish(),
                7..=10 => self.write(),
                11..=15 => self.read(),
                _ => self.confirm(),
            }
        }
        // In the end the network holds.
        self.connect();
        while self.sender.queued_bytes() > 0 {
            self.write();
            for _ in 0..4 {
                self.read();
                self.confirm();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn nothing_is_lost_doubled_or_out_of_order(seed: u64) {
        let mut world = World::new(seed);
        world.run(600);
        let expected: Vec<u64> =
            (1..=world.made).filter(|id| world.dropped.binary_search(id).is_err()).collect();
        prop_assert_eq!(&world.got, &expected);
        prop_assert_eq!(world.sender.counts().dropped, world.dropped.len() as u64);
        prop_assert_eq!(world.sender.taken(), world.receiver.last());
    }
}

fn push(sender: &mut LaneSender, bytes: usize, is_droppable: bool) -> bool {
    let is_there = sender.push(None, is_droppable, |out| out.resize(out.len() + bytes, 0));
    sender.seal();
    is_there
}

#[test]
fn a_lane_without_a_connection_drops_qos_0_and_then_is_full() {
    let limits = LaneLimits { queue_bytes: 1000, ..LaneLimits::default() };
    let mut sender = LaneSender::new(limits);
    while sender.queued_bytes() <= 500 {
        assert!(push(&mut sender, 100, true));
    }
    assert!(!push(&mut sender, 100, true));
    assert!(!sender.is_full());
    while !sender.is_full() {
        assert!(push(&mut sender, 100, false));
    }
    assert_eq!(sender.counts().dropped, 1);
    assert!(sender.next_batch().is_none(), "nobody is there");
}

#[test]
fn what_waits_for_a_process_that_is_gone_is_counted_and_numbers_begin_anew() {
    let mut sender = LaneSender::new(LaneLimits::default());
    sender.connected(0).unwrap();
    (0..3).for_each(|_| assert!(push(&mut sender, 10, false)));
    assert!(sender.next_batch().is_some());
    sender.took(1).unwrap();
    sender.reset();
    assert_eq!((sender.counts().dropped, sender.queued_bytes(), sender.last()), (2, 0, 0));
    sender.connected(0).unwrap();
    push(&mut sender, 10, false);
    let (frame, _) = next(sender.next_batch().unwrap(), 1 << 20).unwrap().unwrap();
    assert!(matches!(frame, Frame::Batch { seq: 1, .. }));
}

#[test]
fn who_has_forgotten_the_other_goes_on_where_it_stands() {
    let mut sender = LaneSender::new(LaneLimits::default());
    let mut receiver = LaneReceiver::default();
    receiver.connected(7, sender.taken());
    sender.connected(receiver.last()).unwrap();
    (0..3).for_each(|_| assert!(push(&mut sender, 10, false)));
    while sender.next_batch().is_some() {}
    (1..=3).for_each(|seq| assert_eq!(receiver.batch(seq), Ok(true)));
    sender.took(2).unwrap();

    // The receiver has forgotten: it takes what was not taken for sure.
    let mut forgetful = LaneReceiver::default();
    forgetful.connected(7, sender.taken());
    sender.connected(forgetful.last()).unwrap();
    assert!(sender.next_batch().is_some());
    assert_eq!(forgetful.batch(3), Ok(true));

    // The sender has: its numbers begin anew, in another stream.
    let mut fresh = LaneSender::new(LaneLimits::default());
    receiver.connected(8, fresh.taken());
    fresh.connected(receiver.last()).unwrap();
    push(&mut fresh, 10, false);
    assert!(fresh.next_batch().is_some());
    assert_eq!(receiver.batch(1), Ok(true));
}

#[test]
fn a_side_that_says_what_cannot_be_is_told() {
    let mut sender = LaneSender::new(LaneLimits::default());
    sender.connected(0).unwrap();
    push(&mut sender, 10, false);
    assert_eq!(sender.took(1), Err(LaneError::NeverSent(1)), "it was not written yet");
    let mut receiver = LaneReceiver::default();
    assert_eq!(receiver.batch(2), Err(LaneError::Gap { expected: 1, got: 2 }));
    assert_eq!(receiver.batch(1), Ok(true));
    assert_eq!(receiver.batch(1), Ok(false));
}
