//! What a caller relies on while nothing fails.

use std::sync::Arc;
use std::thread;

use super::harness::{Model, Waiter, ack, open, open_with, options, publish, put};
use super::mem_disk::{Crash, MemDisk};
use crate::{Batch, CommitError, Op, Store, StoreError, StoreOptions, SyncPolicy};

#[test]
fn closing_leaves_a_mark_that_the_next_start_sees() {
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    assert!(opened.recovered.report.clean_shutdown, "a new directory");
    opened.commit(0, vec![put(1, b"one")]).unwrap();
    assert!(!open(&disk.after(Crash::Kill)).recovered.report.clean_shutdown);
    opened.store.clone().close().unwrap();
    let disk = disk.after(Crash::PowerLoss);
    assert!(open(&disk).recovered.report.clean_shutdown);
    assert_eq!(opened.commit(0, vec![put(2, b"two")]), Err(CommitError::Closed));
    opened.store.read_async(0, 9, vec![4]);
    let answer = opened.waiter.wait(|answers| answers.reads.get(&(0, 9)).cloned());
    assert_eq!(answer, vec![(4, Err(StoreError::Closed))]);
}

#[test]
fn messages_are_read_back_until_no_session_needs_them() {
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    opened.commit(0, vec![publish(1, &[1, 2], 5000), publish(2, &[], 10)]).unwrap();
    assert_eq!(opened.store.read(1).unwrap().map(|message| message.len()), Some(5000));
    assert_eq!(opened.store.read(2).unwrap(), None);
    opened.commit(0, vec![ack(1, 1)]).unwrap();
    opened.store.read_async(3, 77, vec![1, 2]);
    let answer = opened.waiter.wait(|answers| answers.reads.get(&(3, 77)).cloned());
    assert_eq!(answer[0].1.as_ref().unwrap().as_ref().map(|message| message.len()), Some(5000));
    assert_eq!(answer[1], (2, Ok(None)));
    opened.commit(0, vec![Op::Release { session: 2, seq: 1 }]).unwrap();
    assert_eq!(opened.store.read(1).unwrap(), None);
    assert_eq!(opened.store.stats().messages, 1, "its packet identifier is still needed");
    opened.commit(0, vec![Op::DropSession { session: 2 }]).unwrap();
    opened.commit(0, vec![]).unwrap();
    assert_eq!(open(&disk.after(Crash::Kill)).state(), Model::default());
}

#[test]
fn two_shards_write_at_once() {
    const TICKETS: u64 = 500;
    let disk = MemDisk::default();
    let waiter = Arc::new(Waiter::default());
    let (store, recovered) = Store::open_on(
        Arc::new(disk.clone()),
        None,
        StoreOptions { segment_bytes: 64 << 10, ..options(SyncPolicy::Always) },
        waiter.clone(),
    )
    .unwrap();
    drop(recovered); // compaction runs beside
    thread::scope(|scope| {
        for shard in 0..2u16 {
            let (store, waiter) = (&store, &waiter);
            scope.spawn(move || {
                let session = u64::from(shard);
                for ticket in 1..=TICKETS {
                    let seq = store.next_seq();
                    let key = u32::from(shard) * 1000 + ticket as u32 % 10;
                    let ops = vec![put(key, &ticket.to_le_bytes()), publish(seq, &[session], 300)];
                    store.submit(shard, ticket * 2 - 1, Batch { epoch: 0, ops });
                    let ops = if ticket % 10 == 0 { vec![] } else { vec![ack(session, seq)] };
                    store.submit(shard, ticket * 2, Batch { epoch: 0, ops });
                    if ticket % 16 == 0 {
                        waiter.ticket(shard, ticket * 2).unwrap();
                    }
                }
                waiter.ticket(shard, TICKETS * 2).unwrap();
            });
        }
    });
    let stats = store.stats();
    assert_eq!(stats.commits, 4 * TICKETS);
    assert!(stats.syncs <= stats.commits && stats.backlog_bytes == 0);
    let found = open(&disk.after(Crash::PowerLoss)).state();
    assert_eq!(found.keys.len(), 20);
    assert!(found.keys.values().all(|value| value[0..8] > [0; 8][..]));
    assert_eq!(found.messages.len() as u64, 2 * TICKETS / 10);
    assert!(found.messages.values().flatten().all(|message| message.len() == 300));
}

#[test]
fn a_batch_larger_than_a_segment_has_one_of_its_own() {
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    opened.commit(0, vec![put(1, &[1; 100])]).unwrap();
    opened.commit(0, vec![put(2, &[2; 100_000])]).unwrap();
    opened.commit(0, vec![put(3, &[3; 100])]).unwrap();
    assert_eq!(disk.files("log").len(), 3);
    assert_eq!(open(&disk.after(Crash::Kill)).state().keys.len(), 3);
}

#[test]
fn options_that_cannot_work_are_refused() {
    let waiter = Arc::new(Waiter::default());
    for segment_bytes in [0, 8191, (1 << 30) + 1] {
        let options = StoreOptions { segment_bytes, ..StoreOptions::new("/nonexistent/x") };
        let error = Store::open(options, waiter.clone()).err();
        assert!(matches!(error, Some(StoreError::Options(_))), "{error:?}");
    }
    assert!(open_with(&MemDisk::default(), options(SyncPolicy::Always)).is_ok());
}

#[test]
fn of_two_changes_of_a_key_the_later_one_stays_whichever_comes_last() {
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    let change = |order, key: u8, value: Option<&[u8]>| Op::Ordered {
        order,
        table: crate::Table(1),
        key: Box::new([key]),
        value: value.map(Box::from),
    };
    opened.commit(0, vec![change(2, 1, Some(b"two")), change(3, 2, None)]).unwrap();
    opened.commit(0, vec![change(1, 1, Some(b"one")), change(0, 2, Some(b"zero"))]).unwrap();
    opened.commit(0, vec![change(5, 3, Some(b"five"))]).unwrap();
    opened.commit(0, vec![change(4, 3, None)]).unwrap();
    let mut reopened = open(&disk.after(Crash::Kill));
    let values: Vec<_> = reopened.state().keys.into_values().collect();
    assert_eq!(values, [b"two".to_vec(), b"five".to_vec()]);
}
