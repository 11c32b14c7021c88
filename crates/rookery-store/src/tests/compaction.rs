//! Compaction gives space back and survives a crash at each of its steps.

use super::harness::{Model, Opened, ack, delete, open, open_with, options, publish, put};
use super::mem_disk::{Crash, MemDisk};
use crate::compact::compact_once;
use crate::{Op, SyncPolicy};

/// Commits a history in which most of what is written dies; returns what is left.
fn churn(opened: &mut Opened) -> Model {
    let mut model = Model::default();
    let mut commit = |opened: &mut Opened, ops: Vec<Op>| {
        model.apply(&ops);
        opened.commit(0, ops).unwrap();
    };
    let mut seqs = Vec::new();
    for round in 0..60u32 {
        let seq = opened.store.next_seq();
        seqs.push(seq);
        let ops = vec![
            put(round % 7, &[round as u8; 150]),
            put(1000 + round, &[1; 40]),
            publish(seq, &[1, 2, 3], 200),
            Op::Assign { session: 2, seq, packet_id: round as u16 + 1 },
        ];
        commit(opened, ops);
        commit(opened, vec![ack(1, seq), Op::Release { session: 2, seq }]);
        if round % 10 == 9 {
            commit(opened, vec![Op::DropSession { session: 3 }]);
        }
        if round % 5 != 0 {
            commit(opened, vec![delete(1000 + round), ack(2, seq)]);
        }
    }
    commit(opened, seqs.iter().take(50).map(|seq| ack(3, *seq)).collect());
    model
}

fn compact_all(opened: &Opened) {
    while compact_once(opened.store.inner()).unwrap() {}
}

#[test]
fn dead_records_leave_the_disk_and_live_ones_stay() {
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    let model = churn(&mut opened);
    let before = opened.store.stats();
    compact_all(&opened);
    let after = opened.store.stats();
    assert!(after.segments < before.segments, "{before:?} {after:?}");
    assert!(after.bytes_on_disk < before.bytes_on_disk / 2, "{before:?} {after:?}");
    for (seq, message) in &model.messages {
        assert_eq!(opened.store.read(*seq).unwrap().map(|m| m.to_vec()), *message);
    }
    let mut reopened = open(&disk.after(Crash::Kill));
    assert_eq!(reopened.state(), model);
    assert_eq!(reopened.recovered.report.corrupt, vec![]);
}

#[test]
fn what_is_deleted_leaves_nothing_behind() {
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    for round in 0..200 {
        let seq = opened.store.next_seq();
        opened.commit(0, vec![put(round, &[0; 100]), publish(seq, &[9], 100)]).unwrap();
        opened.commit(0, vec![delete(round), ack(9, seq)]).unwrap();
    }
    opened.commit(0, vec![Op::DropSession { session: 9 }]).unwrap();
    // The active segment is not compacted: a restart and a large record seal it.
    opened.commit(0, vec![put(1, &[0; 4000])]).unwrap();
    opened.commit(0, vec![put(1, &[0; 4000])]).unwrap();
    compact_all(&opened);
    let stats = opened.store.stats();
    assert!(stats.segments <= 3, "{stats:?}");
    assert_eq!((stats.keys, stats.messages), (1, 0));
}

#[test]
fn sequence_numbers_and_epochs_outlive_the_records_that_carried_them() {
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    for _ in 0..100 {
        let seq = opened.store.next_seq();
        opened.commit(7, vec![publish(seq, &[1], 300)]).unwrap();
        opened.commit(7, vec![ack(1, seq)]).unwrap();
    }
    compact_all(&opened);
    let reopened = open(&disk.after(Crash::Kill));
    assert_eq!(reopened.recovered.epoch, 7);
    assert_eq!(reopened.recovered.next_seq, 101);
}

#[test]
fn a_crash_at_any_step_of_a_compaction_loses_nothing() {
    for sync in [SyncPolicy::Always, SyncPolicy::Never] {
        let mut steps = 0;
        loop {
            let disk = MemDisk::default();
            let mut opened = open_with(&disk, options(sync)).unwrap();
            let model = churn(&mut opened);
            disk.die_after(steps);
            while compact_once(opened.store.inner()).is_ok_and(|did| did) {}
            let is_over = !disk.is_dead();
            let crashes: &[Crash] = match sync {
                SyncPolicy::Always => &[Crash::Kill, Crash::PowerLoss],
                // Nothing was promised to survive; that is checked with random histories.
                _ => &[Crash::Kill],
            };
            for crash in crashes {
                let mut reopened = open(&disk.after(*crash));
                assert_eq!(reopened.state(), model, "{crash:?} after {steps} steps");
                assert_eq!(reopened.recovered.report.corrupt, vec![]);
                compact_all(&reopened);
                let mut again = open(&disk.after(*crash));
                assert_eq!(again.state(), model, "{crash:?} after {steps} steps, compacted");
            }
            if is_over {
                assert!(steps > 10, "compaction takes steps: {steps}");
                break;
            }
            steps += 1;
        }
    }
}

#[test]
fn a_failed_sync_makes_the_segment_be_written_anew() {
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    opened.commit(0, vec![put(1, b"before")]).unwrap();
    disk.fail_syncs(true);
    assert!(opened.store.inner().sync_dirty().is_err());
    disk.fail_syncs(false);
    // The kernel may call the next sync a success without having written anything.
    opened.commit(0, vec![put(2, b"after")]).unwrap();
    assert_eq!(disk.files("log").len(), 2, "the writer goes on in another segment");
    compact_all(&opened);
    opened.store.inner().sync_dirty().unwrap();
    let mut reopened = open(&disk.after(Crash::PowerLoss));
    assert_eq!(reopened.state().keys.len(), 2);
}

#[test]
fn a_segment_that_rots_while_open_is_left_for_recovery() {
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    churn(&mut opened);
    let path = disk.files("log").swap_remove(0);
    let mut bytes = disk.bytes(&path);
    bytes[5000] ^= 1;
    disk.set_bytes(&path, bytes);
    let mut errors = 0;
    while compact_once(opened.store.inner()).unwrap_or_else(|_| {
        errors += 1;
        true
    }) {}
    assert_eq!(errors, 1);
    assert!(disk.files("log").contains(&path));
}
