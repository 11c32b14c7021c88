//! Writes and syncs that fail, quotas and full queues.

use std::sync::Arc;
use std::time::Duration;

use super::harness::{Waiter, ack, delete, open, open_with, options, publish, put};
use super::mem_disk::{Crash, MemDisk};
use crate::format::HEADER_BYTES;
use crate::{Batch, CommitError, Op, Store, StoreOptions, SyncPolicy};

#[test]
fn a_full_disk_refuses_and_recovers() {
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    opened.commit(0, vec![put(1, b"one")]).unwrap();
    for room in [0, 1, 30] {
        disk.leave(Some(room));
        assert_eq!(opened.commit(3, vec![put(2, &[2; 100])]), Err(CommitError::DiskFull));
    }
    disk.leave(None);
    opened.commit(3, vec![put(3, b"three")]).unwrap();
    let mut reopened = open(&disk.after(Crash::Kill));
    let keys: Vec<_> = reopened.state().keys.into_values().collect();
    assert_eq!(keys, vec![b"one".to_vec(), b"three".to_vec()]);
    assert_eq!(reopened.recovered.epoch, 3, "the epoch was not lost with the refused batch");
    let report = &reopened.recovered.report;
    assert_eq!((&report.corrupt, &report.truncated_tail), (&vec![], &None));
}

#[test]
fn a_failed_write_leaves_no_part_of_its_batch() {
    for is_cut_failing in [false, true] {
        let disk = MemDisk::default();
        let mut opened = open(&disk);
        opened.commit(0, vec![put(1, b"one")]).unwrap();
        disk.fail_writes(true);
        disk.fail_cuts(is_cut_failing);
        let result = opened.commit(0, vec![put(2, &[2; 100])]);
        assert_eq!(result, Err(CommitError::Io { errno: Some(5) }));
        disk.fail_writes(false);
        disk.fail_cuts(false);
        opened.commit(0, vec![put(3, b"three")]).unwrap();
        let expected = vec![b"one".to_vec(), b"three".to_vec()];
        let mut reopened = open(&disk.after(Crash::Kill));
        assert_eq!(reopened.state().keys.into_values().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_failed_sync_fails_its_batches_and_the_next_go_elsewhere() {
    let disk = MemDisk::default();
    let mut opened = open_with(&disk, options(SyncPolicy::Always)).unwrap();
    opened.commit(0, vec![put(1, b"one")]).unwrap();
    disk.fail_syncs(true);
    assert_eq!(opened.commit(0, vec![put(2, b"two")]), Err(CommitError::Io { errno: Some(5) }));
    disk.fail_syncs(false);
    opened.commit(0, vec![put(3, b"three")]).unwrap();
    assert_eq!(disk.files("log").len(), 2);
    let mut reopened = open(&disk.after(Crash::PowerLoss));
    let values: Vec<_> = reopened.state().keys.into_values().collect();
    assert_eq!(values, vec![b"one".to_vec(), b"three".to_vec()]);
}

#[test]
fn a_failed_background_sync_is_reported() {
    let disk = MemDisk::default();
    let interval = SyncPolicy::Interval(Duration::from_millis(1));
    let mut opened = open_with(&disk, options(interval)).unwrap();
    disk.fail_syncs(true);
    opened.commit(0, vec![put(1, b"one")]).unwrap();
    opened.waiter.wait(|answers| (!answers.degraded.is_empty()).then_some(()));
    disk.fail_syncs(false);
    opened.commit(0, vec![put(2, b"two")]).unwrap();
    assert!(opened.store.stats().errors > 0);
}

#[test]
fn the_quota_refuses_growth_and_lets_what_frees_through() {
    let disk = MemDisk::default();
    let quota = StoreOptions { bytes_max: 16 << 10, ..options(SyncPolicy::Never) };
    let mut opened = open_with(&disk, quota).unwrap();
    let mut seqs = Vec::new();
    let refused = loop {
        let seq = opened.store.next_seq();
        match opened.commit(0, vec![publish(seq, &[1], 500)]) {
            Ok(()) => seqs.push(seq),
            Err(error) => break error,
        }
    };
    assert_eq!(refused, CommitError::QuotaExceeded);
    // A new segment's header may come on top.
    assert!(opened.store.stats().bytes_on_disk <= (16 << 10) + HEADER_BYTES);
    opened.commit(0, seqs.iter().map(|seq| ack(1, *seq)).collect()).unwrap();
    opened.commit(0, vec![delete(1)]).unwrap();
    while crate::compact::compact_once(opened.store.inner()).unwrap() {}
    let seq = opened.store.next_seq();
    opened.commit(0, vec![publish(seq, &[1], 500)]).unwrap();
}

#[test]
fn a_store_that_was_full_takes_the_first_message_after_it_was_drained() {
    let disk = MemDisk::default();
    let quota = StoreOptions { bytes_max: 16 << 10, ..options(SyncPolicy::Never) };
    let mut opened = open_with(&disk, quota).unwrap();
    opened.release_compaction();
    let mut seqs = Vec::new();
    loop {
        let seq = opened.store.next_seq();
        match opened.commit(0, vec![publish(seq, &[1], 500)]) {
            Ok(()) => seqs.push(seq),
            Err(error) => break assert_eq!(error, CommitError::QuotaExceeded),
        }
    }
    for seq in seqs {
        opened.commit(0, vec![ack(1, seq)]).unwrap();
    }
    // The background gives back what the removals freed; nothing has to be refused for that.
    while opened.store.stats().bytes_on_disk > 2 * HEADER_BYTES {
        std::thread::yield_now();
    }
    let seq = opened.store.next_seq();
    opened.commit(0, vec![publish(seq, &[1], 500)]).unwrap();
    assert_eq!(opened.store.stats().refused, 1);
}

#[test]
fn a_full_queue_refuses_in_order_and_never_blocks() {
    let disk = MemDisk::default();
    let waiter = Arc::new(Waiter::default());
    let small = StoreOptions { queue_bytes_max: 4096, ..options(SyncPolicy::Never) };
    let (store, _recovered) = Store::open_on(Arc::new(disk), None, small, waiter.clone()).unwrap();
    // With the index held the writer cannot finish a group: the queue fills.
    let index = crate::queue::lock(&store.inner().index);
    let batch = |ops| Batch { epoch: 0, ops };
    for ticket in 1..=20 {
        store.submit(0, ticket, batch(vec![put(ticket as u32, &[0; 1000])]));
    }
    assert!(store.backlog_bytes() <= 4096);
    store.submit(0, 21, batch(vec![ack(1, 1)]));
    drop(index);
    let answers: Vec<_> = (1..=21).map(|ticket| waiter.ticket(0, ticket)).collect();
    assert_eq!(answers[..3], [Ok(()); 3]);
    assert_eq!(answers[3..20], [Err(CommitError::QueueFull); 17]);
    assert_eq!(answers[20], Ok(()), "what frees is let through");
    assert_eq!(store.backlog_bytes(), 0);
}

#[test]
fn what_frees_is_carried_out_although_its_batch_is_refused() {
    let disk = MemDisk::default();
    let quota = StoreOptions { bytes_max: 16 << 10, ..options(SyncPolicy::Never) };
    let mut opened = open_with(&disk, quota).unwrap();
    opened
        .commit(0, vec![put(1, b"one"), publish(1, &[7], 100), publish(2, &[7, 8], 100)])
        .unwrap();
    let moved = |seq| match publish(seq, &[9], 100) {
        Op::Publish { seq, message, refs, .. } => {
            Op::Publish { seq, message, refs, is_moved: true }
        }
        other => other,
    };
    let refused = vec![ack(7, 1), put(2, &[0; 20_000]), moved(3), delete(1), ack(7, 2), ack(8, 2)];
    assert_eq!(opened.commit(0, refused), Err(CommitError::QuotaExceeded));
    let mut reopened = open(&disk.after(Crash::Kill));
    let state = reopened.state();
    assert!(state.keys.is_empty());
    assert_eq!(state.messages.keys().collect::<Vec<_>>(), [&3]);
}

#[test]
fn what_a_full_disk_did_not_take_goes_first_when_it_takes_again() {
    let disk = MemDisk::default();
    // Too little to set something aside for removals.
    disk.leave(Some(10_000));
    let mut opened = open(&disk);
    opened.commit(0, vec![put(1, b"old"), publish(1, &[7], 10)]).unwrap();
    disk.leave(Some(0));
    for ops in [vec![ack(7, 1), put(2, b"x")], vec![delete(1)]] {
        assert_eq!(opened.commit(0, ops), Err(CommitError::DiskFull));
    }
    disk.leave(None);
    // The key is set again meanwhile: what was refused before must not take it away.
    opened.commit(0, vec![put(1, b"new")]).unwrap();
    let mut reopened = open(&disk.after(Crash::Kill));
    let state = reopened.state();
    assert_eq!(state.keys.into_values().collect::<Vec<_>>(), [b"new".to_vec()]);
    assert!(state.messages.is_empty(), "the acknowledgement was kept");
}

#[test]
fn what_a_full_disk_did_not_take_is_written_at_the_end_too() {
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    opened.commit(0, vec![publish(1, &[7], 10)]).unwrap();
    disk.leave(Some(0));
    assert_eq!(opened.commit(0, vec![ack(7, 1)]), Err(CommitError::DiskFull));
    disk.leave(None);
    opened.store.close().unwrap();
    assert!(open(&disk.after(Crash::Kill)).state().messages.is_empty());
}

#[test]
fn refusing_and_accepting_are_told_once_each() {
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    disk.leave(Some(0));
    for _ in 0..3 {
        assert_eq!(opened.commit(0, vec![put(1, &[0; 500])]), Err(CommitError::DiskFull));
    }
    disk.leave(None);
    for _ in 0..3 {
        opened.commit(0, vec![put(1, &[0; 500])]).unwrap();
    }
    let told = opened.waiter.wait(|answers| Some(answers.room.clone()));
    assert_eq!(told, [Err(CommitError::DiskFull), Ok(())]);
}

#[test]
fn a_lower_epoch_is_fenced_also_after_a_restart() {
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    opened.commit(5, vec![put(1, b"five")]).unwrap();
    opened.commit(6, vec![]).unwrap();
    let fenced = Err(CommitError::Fenced { epoch: 5, highest: 6 });
    assert_eq!(opened.commit(5, vec![put(1, b"late")]), fenced);
    let mut reopened = open(&disk.after(Crash::Kill));
    assert_eq!(reopened.recovered.epoch, 6);
    assert_eq!(reopened.commit(5, vec![Op::DropSession { session: 1 }]), fenced);
    assert_eq!(reopened.state().keys.into_values().next(), Some(b"five".to_vec()));
}

#[test]
fn a_disk_without_a_free_byte_takes_writes_again_when_its_only_segment_was_drained() {
    for drain_at_once in [false, true] {
        let disk = MemDisk::default();
        // All of it is in the segment that is written to.
        let large = StoreOptions { segment_bytes: 1 << 20, ..options(SyncPolicy::Never) };
        let mut opened = open_with(&disk, large.clone()).unwrap();
        opened.release_compaction();
        let seqs: Vec<u64> = (0..200).map(|_| opened.store.next_seq()).collect();
        for seq in &seqs {
            opened.commit(0, vec![publish(*seq, &[1], 1000)]).unwrap();
        }
        disk.leave(Some(0));
        let more = opened.store.next_seq();
        assert_eq!(opened.commit(0, vec![publish(more, &[1], 1000)]), Err(CommitError::DiskFull));
        let acks: Vec<Op> = seqs.iter().map(|seq| ack(1, *seq)).collect();
        let batches: Vec<Vec<Op>> = match drain_at_once {
            true => vec![acks],
            false => acks.into_iter().map(|ack| vec![ack]).collect(),
        };
        for batch in batches {
            // Refused or not: what frees is carried out.
            let _ = opened.commit(0, batch);
        }
        let mut took = 0;
        for _ in 0..10_000 {
            let seq = opened.store.next_seq();
            took += u32::from(opened.commit(0, vec![publish(seq, &[1], 1000)]).is_ok());
            if took == 50 {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(took, 50, "the room of what was drained is used again");
        let mut reopened = open_with(&disk.after(Crash::Kill), large).unwrap();
        let state = reopened.state();
        assert_eq!(state.messages.len(), 50);
        assert!(seqs.iter().all(|seq| !state.messages.contains_key(seq)));
    }
}
