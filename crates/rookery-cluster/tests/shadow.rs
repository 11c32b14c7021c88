//! Streams of chunks, and who keeps them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail like tests")]

use proptest::prelude::*;
use rookery_cluster::frame::{self, Frame};
use rookery_cluster::lane::{LaneLimits, LaneReceiver, LaneSender};
use rookery_cluster::shadow::{Chunk, Part, SHADOW, partner};

fn chunks(batch: &[u8]) -> (u64, Vec<(u64, Vec<u8>)>) {
    let (Frame::Batch { seq, items }, _) = frame::next(batch, 1 << 20).unwrap().unwrap() else {
        panic!("a batch");
    };
    let items = frame::items(items).map(|item| {
        let item = item.unwrap();
        assert_eq!(item.shared, Some((SHADOW, "")));
        let chunk = Chunk::read(item.message).unwrap();
        assert_eq!((chunk.stream, chunk.part), (9, Part::Ops));
        (chunk.number, chunk.ops.to_vec())
    });
    (seq, items.collect())
}

proptest! {
    /// Whatever connections do, and whenever the receiver says what it took.
    #[test]
    fn chunks_come_once_and_in_order(steps in prop::collection::vec(0_u8..6, 1..200)) {
        let limits = LaneLimits { batch_bytes: 40, window_bytes: 200, ..LaneLimits::default() };
        let (mut sender, mut receiver) = (LaneSender::new(limits), LaneReceiver::default());
        let (mut number, mut got) = (0_u64, Vec::new());
        receiver.connected(1, 0);
        for step in steps.into_iter().chain([3, 4, 4, 4, 4, 4, 4, 4, 4]) {
            match step {
                0 | 1 => {
                    number += 1;
                    let ops = number.to_le_bytes();
                    let chunk = Chunk { stream: 9, number, part: Part::Ops, ops: &ops };
                    sender.push(Some((SHADOW, "")), false, |out| chunk.encode(out));
                }
                2 => sender.disconnected(),
                3 => sender.connected(receiver.last()).unwrap(),
                _ => {
                    sender.seal();
                    while let Some(batch) = sender.next_batch() {
                        let (seq, found) = chunks(batch);
                        if receiver.batch(seq).unwrap() {
                            got.extend(found);
                        }
                    }
                    if step == 4 {
                        sender.took(receiver.last()).unwrap();
                    }
                }
            }
        }
        while !sender.give_up().is_empty() {}
        let whole: Vec<_> = (1..=got.len() as u64).map(|n| (n, n.to_le_bytes().to_vec())).collect();
        prop_assert_eq!(got, whole);
    }

    #[test]
    fn bytes_that_are_no_chunk_are_none(bytes in prop::collection::vec(any::<u8>(), 0..17)) {
        prop_assert!(Chunk::read(&bytes).is_none());
    }
}

#[test]
fn partners_are_the_same_for_all_and_spread() {
    let names: Vec<String> = (1..=9).map(|n| format!("rookery@10.0.0.{n}")).collect();
    let mut chosen = std::collections::HashMap::<&str, usize>::new();
    for me in &names {
        let others = || names.iter().filter(|name| *name != me).map(String::as_str);
        let found = partner(me, others()).unwrap();
        assert_ne!(found, me);
        assert_eq!(Some(found), partner(me, others().rev()), "whatever the order");
        // Who was not chosen may leave.
        let rest = others().filter(|name| *name == found || name.ends_with('1'));
        assert_eq!(Some(found), partner(me, rest));
        *chosen.entry(found).or_default() += 1;
    }
    assert!(chosen.len() >= 4, "{chosen:?}");
    assert_eq!(partner("a", std::iter::empty()), None);
}
