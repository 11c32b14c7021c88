//! Random histories with crashes against the model.

use proptest::prelude::*;

use super::harness::{Model, Opened, ack, delete, open_with, options, publish, put};
use super::mem_disk::{Crash, MemDisk};
use crate::compact::compact_once;
use crate::{Op, SyncPolicy};

#[derive(Debug, Clone)]
enum Step {
    /// Operations by number; sequence numbers are those published before.
    Batch(Vec<(u8, u8, u8, u8)>),
    Compact,
    Close,
    Crash(Crash),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => prop::collection::vec(any::<(u8, u8, u8, u8)>(), 1..12).prop_map(Step::Batch),
        3 => Just(Step::Compact),
        1 => Just(Step::Close),
        1 => Just(Step::Crash(Crash::Kill)),
        1 => Just(Step::Crash(Crash::PowerLoss)),
    ]
}

fn operation(opened: &Opened, published: &mut Vec<u64>, (kind, a, b, c): (u8, u8, u8, u8)) -> Op {
    let session = u64::from(a % 5);
    let at = published.len().saturating_sub(1 + usize::from(b) % 24);
    let seq = published.get(at).copied().unwrap_or(1);
    match kind % 16 {
        0..=3 => put(u32::from(a % 32), &vec![b; usize::from(c)]),
        4 => delete(u32::from(a % 32)),
        5..=8 => {
            let seq = opened.store.next_seq();
            published.push(seq);
            let sessions: Vec<u64> = (0..5).filter(|bit| a & (1 << bit) != 0).collect();
            publish(seq, &sessions, usize::from(c) * 2)
        }
        9 => Op::Assign { session, seq, packet_id: 1 + u16::from(c) },
        10 => Op::Release { session, seq },
        11 if c % 4 == 0 => Op::DropSession { session },
        _ => ack(session, seq),
    }
}

fn run(sync: SyncPolicy, steps: Vec<Step>, is_held: bool) {
    let mut disk = MemDisk::default();
    let mut opened = Some(open_with(&disk, options(sync)).unwrap());
    let mut published = Vec::new();
    // The state after each batch: without `Always` a power failure goes back to one of them.
    let mut history = vec![Model::default()];
    for step in steps {
        let now = opened.as_mut().unwrap();
        match step {
            Step::Batch(numbers) => {
                let ops: Vec<Op> =
                    numbers.into_iter().map(|n| operation(now, &mut published, n)).collect();
                let mut model = history.last().unwrap().clone();
                model.apply(&ops);
                history.push(model);
                now.commit(0, ops).unwrap();
            }
            // With the hold the background thread is out of the way: every run is the same.
            Step::Compact if is_held => while compact_once(now.store.inner()).unwrap() {},
            Step::Compact => {
                now.release_compaction();
            }
            Step::Close | Step::Crash(_) => {
                let crash = match step {
                    Step::Crash(crash) => crash,
                    _ => Crash::Kill,
                };
                if matches!(step, Step::Close) {
                    now.store.clone().close().unwrap();
                }
                disk = disk.after(crash);
                drop(opened.take());
                let mut next = open_with(&disk, options(sync)).unwrap();
                assert_eq!(next.recovered.report.corrupt, vec![]);
                if matches!(step, Step::Close) {
                    assert!(next.recovered.report.clean_shutdown);
                }
                let found = next.state();
                let is_exact = crash == Crash::Kill || sync == SyncPolicy::Always;
                let at = history.iter().rposition(|model| *model == found);
                let at = at.expect("the state after some batch");
                if is_exact {
                    assert_eq!(found, *history.last().unwrap());
                }
                history.truncate(at + 1);
                opened = Some(next);
            }
        }
    }
}

proptest! {
    #[test]
    fn synced_state_survives_everything(steps in prop::collection::vec(step(), 1..120)) {
        run(SyncPolicy::Always, steps, true);
    }

    #[test]
    fn unsynced_state_survives_a_kill_and_is_consistent_after_a_power_failure(
        steps in prop::collection::vec(step(), 1..120)
    ) {
        run(SyncPolicy::Never, steps, true);
    }

    #[test]
    fn compaction_in_the_background_changes_nothing(
        steps in prop::collection::vec(step(), 1..120)
    ) {
        run(SyncPolicy::Always, steps, false);
    }
}
