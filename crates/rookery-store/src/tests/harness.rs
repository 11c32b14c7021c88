//! Opening on a memory disk, waiting for tickets, and the model.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar, Mutex};

use super::mem_disk::MemDisk;
use crate::queue::lock;
use crate::{
    Batch, CommitError, Completion, MessageRef, Op, ReadResult, Recovered, RecoveredRef, Store,
    StoreError, StoreOptions, SyncPolicy, Table,
};

#[derive(Default)]
pub(super) struct Answers {
    pub(super) stored: HashMap<u16, u64>,
    pub(super) failed: HashMap<(u16, u64), CommitError>,
    pub(super) reads: HashMap<(u16, u64), Vec<(u64, ReadResult)>>,
    pub(super) degraded: Vec<StoreError>,
    /// Beginnings and ends of the time without room.
    pub(super) room: Vec<Result<(), CommitError>>,
}

/// Keeps every answer.
#[derive(Default)]
pub(super) struct Waiter {
    pub(super) answers: Mutex<Answers>,
    changed: Condvar,
}

impl Completion for Waiter {
    fn committed(&self, shard: u16, ticket: u64, result: Result<(), CommitError>) {
        let mut answers = lock(&self.answers);
        match result {
            Ok(()) => {
                let before = answers.stored.insert(shard, ticket);
                assert!(before < Some(ticket), "tickets of a shard rise");
            }
            Err(error) => {
                let stored = answers.stored.get(&shard).copied();
                assert!(stored < Some(ticket), "an error comes before a later success");
                answers.failed.insert((shard, ticket), error);
            }
        }
        self.changed.notify_all();
    }

    fn read_done(&self, shard: u16, token: u64, messages: Vec<(u64, ReadResult)>) {
        lock(&self.answers).reads.insert((shard, token), messages);
        self.changed.notify_all();
    }

    fn refusing(&self, error: CommitError) {
        lock(&self.answers).room.push(Err(error));
    }

    fn accepting(&self) {
        lock(&self.answers).room.push(Ok(()));
    }

    fn degraded(&self, error: StoreError) {
        lock(&self.answers).degraded.push(error);
        self.changed.notify_all();
    }
}

impl Waiter {
    pub(super) fn wait<T>(&self, mut done: impl FnMut(&Answers) -> Option<T>) -> T {
        let mut answers = lock(&self.answers);
        loop {
            if let Some(value) = done(&answers) {
                return value;
            }
            answers = self.changed.wait(answers).unwrap();
        }
    }

    pub(super) fn ticket(&self, shard: u16, ticket: u64) -> Result<(), CommitError> {
        self.wait(|answers| match answers.failed.get(&(shard, ticket)) {
            Some(error) => Some(Err(*error)),
            None => (answers.stored.get(&shard) >= Some(&ticket)).then_some(Ok(())),
        })
    }
}

pub(super) struct Opened {
    pub(super) store: Store,
    pub(super) recovered: Recovered,
    pub(super) waiter: Arc<Waiter>,
    ticket: u64,
}

pub(super) fn options(sync: SyncPolicy) -> StoreOptions {
    StoreOptions { sync, segment_bytes: 8192, ..StoreOptions::new("/mem") }
}

pub(super) fn open_with(disk: &MemDisk, options: StoreOptions) -> Result<Opened, StoreError> {
    let waiter = Arc::new(Waiter::default());
    let disk = Arc::new(disk.clone());
    let (store, recovered) = Store::open_on(disk, None, options, waiter.clone())?;
    Ok(Opened { store, recovered, waiter, ticket: 0 })
}

pub(super) fn open(disk: &MemDisk) -> Opened {
    open_with(disk, options(SyncPolicy::Never)).unwrap()
}

impl Opened {
    /// Submits and waits.
    pub(super) fn commit(&mut self, epoch: u64, ops: Vec<Op>) -> Result<(), CommitError> {
        self.ticket += 1;
        self.store.submit(0, self.ticket, Batch { epoch, ops });
        self.waiter.ticket(0, self.ticket)
    }

    /// Lets the background compaction run although `recovered` is kept.
    pub(super) fn release_compaction(&self) {
        self.store.inner().holds.store(0, std::sync::atomic::Ordering::Release);
        self.store.inner().compaction.raise();
    }

    /// The stored state as a model, read from the files.
    pub(super) fn state(&mut self) -> Model {
        let mut model = Model::default();
        let keys = &mut model.keys;
        let count = self.recovered.for_each(|table, key, value| {
            let before = keys.insert((table.0, key.to_vec()), value.to_vec());
            assert_eq!(before, None, "a key comes once");
        });
        assert_eq!(count.unwrap(), model.keys.len() as u64);
        for (session, refs) in &self.recovered.sessions {
            assert!(refs.is_sorted_by(|a, b| a.seq < b.seq));
            for one in refs {
                let message = self.store.read(one.seq).unwrap().map(|message| message.to_vec());
                model.messages.insert(one.seq, message);
            }
            model.sessions.insert(*session, refs.iter().map(|one| (one.seq, *one)).collect());
        }
        model
    }
}

/// What the store promises, without files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) keys: BTreeMap<(u8, Vec<u8>), Vec<u8>>,
    /// `None` when every session has released it.
    pub(super) messages: BTreeMap<u64, Option<Vec<u8>>>,
    pub(super) sessions: BTreeMap<u64, BTreeMap<u64, RecoveredRef>>,
}

impl Model {
    pub(super) fn apply(&mut self, ops: &[Op]) {
        for op in ops {
            self.apply_one(op);
        }
        self.sessions.retain(|_, refs| !refs.is_empty());
        let sessions = &self.sessions;
        self.messages.retain(|seq, message| {
            let mut refs = sessions.values().filter_map(|refs| refs.get(seq)).peekable();
            let is_held = refs.peek().is_some();
            if refs.all(|one| one.released) {
                *message = None;
            }
            is_held
        });
    }

    fn apply_one(&mut self, op: &Op) {
        match op {
            Op::Put { table, key, value } => {
                self.keys.insert((table.0, key.to_vec()), value.to_vec());
            }
            Op::Delete { table, key } => {
                self.keys.remove(&(table.0, key.to_vec()));
            }
            Op::Ordered { .. } => unreachable!("the model knows no order"),
            Op::Publish { seq, message, refs, .. } => {
                self.messages.insert(*seq, Some(message.to_vec()));
                for &MessageRef { session, flags, meta } in refs {
                    let one =
                        RecoveredRef { seq: *seq, flags, meta, packet_id: None, released: false };
                    self.sessions.entry(session).or_default().insert(*seq, one);
                }
            }
            Op::Assign { session, seq, packet_id } => {
                if let Some(one) = self.one(*session, *seq) {
                    one.packet_id = Some(*packet_id);
                }
            }
            Op::Release { session, seq } => {
                if let Some(one) = self.one(*session, *seq) {
                    one.released = true;
                }
            }
            Op::Ack { session, seq } => {
                self.sessions.get_mut(session).map(|refs| refs.remove(seq));
            }
            Op::DropSession { session } => {
                self.sessions.remove(session);
            }
        }
    }

    fn one(&mut self, session: u64, seq: u64) -> Option<&mut RecoveredRef> {
        self.sessions.get_mut(&session)?.get_mut(&seq)
    }
}

pub(super) fn put(key: u32, value: &[u8]) -> Op {
    Op::Put { table: Table(1), key: Box::from(key.to_le_bytes()), value: Box::from(value) }
}

pub(super) fn delete(key: u32) -> Op {
    Op::Delete { table: Table(1), key: Box::from(key.to_le_bytes()) }
}

pub(super) fn publish(seq: u64, sessions: &[u64], bytes: usize) -> Op {
    let refs = sessions.iter().map(|&session| MessageRef {
        session,
        flags: session as u8,
        meta: seq as u32,
    });
    let message = (0..bytes).map(|at| (seq as usize + at) as u8).collect();
    Op::Publish { seq, message, refs: refs.collect(), is_moved: false }
}

pub(super) fn ack(session: u64, seq: u64) -> Op {
    Op::Ack { session, seq }
}
