//! The store port in memory: what is committed survives a crash, what waits does not.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rookery_core::persist;
use rookery_core::session::{Subscription, Will};
use rookery_core::shard::{RestoredMessage, RestoredSession};
use rookery_core::store_port::{Op, Outcome};

struct Batch {
    shard: usize,
    ticket: u64,
    ops: Vec<Op>,
    outcome: Outcome,
}

#[derive(Clone, Copy)]
struct Claim {
    flags: u8,
    packet_id: Option<u16>,
    released: bool,
    group: u32,
}

/// Tables, messages, claims, and the batches on their way.
#[derive(Default)]
pub struct SimStore {
    tables: BTreeMap<(u8, Vec<u8>), Vec<u8>>,
    messages: BTreeMap<u64, Arc<[u8]>>,
    claims: BTreeMap<u64, BTreeMap<u64, Claim>>,
    waiting: VecDeque<Batch>,
    /// What passes of batches that could not be written.
    kept: Vec<Op>,
    /// The latest change of each key that several shards write.
    orders: BTreeMap<(u8, Vec<u8>), u64>,
    seq_max: u64,
    /// Payloads of all messages that ever were committed.
    pub ever_committed: std::collections::HashSet<u64>,
}

/// What recovery finds.
pub struct Recovered {
    pub sessions: Vec<RestoredSession>,
    pub delayed: Vec<(u64, rookery_core::message::Message)>,
    pub retained: Vec<rookery_core::message::Message>,
    pub lone_wills: Vec<(String, Will)>,
    /// What belongs to no session: it was written before the session was.
    pub leftovers: Vec<Op>,
    pub alive_at_ms: u64,
    pub next_seq: u64,
    pub next_durable_id: u64,
}

impl SimStore {
    pub fn submit(&mut self, shard: usize, ticket: u64, ops: Vec<Op>, outcome: Outcome) {
        self.waiting.push_back(Batch { shard, ticket, ops, outcome });
    }

    /// Commits the oldest batch; shard, ticket and what became of it.
    pub fn commit(&mut self) -> Option<(usize, u64, Outcome)> {
        let mut batch = self.waiting.pop_front()?;
        // A batch that is allowed when the store is full is never refused for want of room.
        if batch.outcome == Outcome::Freed && batch.ops.iter().all(Op::passes) {
            batch.outcome = Outcome::Stored;
        }
        if batch.outcome != Outcome::Stored {
            batch.ops.retain(Op::passes);
        }
        if batch.outcome == Outcome::Refused {
            self.kept.append(&mut batch.ops);
        } else {
            let kept = std::mem::take(&mut self.kept);
            kept.into_iter().chain(batch.ops).for_each(|op| self.apply(op));
        }
        Some((batch.shard, batch.ticket, batch.outcome))
    }

    pub fn crash(&mut self) {
        self.waiting.clear();
        self.kept.clear();
        self.orders.clear();
    }

    /// A committed message that some session still needs.
    pub fn read(&self, seq: u64) -> Option<Arc<[u8]>> {
        self.messages.get(&seq).cloned()
    }

    /// Claims of sessions on messages: session, message.
    pub fn claims(&self) -> Vec<(u64, u64)> {
        let claims = self.claims.iter();
        claims.flat_map(|(session, of)| of.keys().map(|seq| (*session, *seq))).collect()
    }

    /// Topic and identity of each retained message, as stored.
    pub fn retained(&self) -> Vec<(String, rookery_core::ids::MessageId)> {
        let messages = self.rows(persist::RETAINED);
        let messages =
            messages.map(|(_, v)| rookery_core::message::Message::from_bytes(v).unwrap());
        messages.map(|m| (m.topic().to_owned(), m.id)).collect()
    }

    pub fn keys_of(&self, table: rookery_core::store_port::Table) -> usize {
        self.tables.keys().filter(|(t, _)| *t == table.0).count()
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Put { table, key, value } => {
                self.tables.insert((table.0, key.into()), value.into());
            }
            Op::Delete { table, key } => {
                self.tables.remove(&(table.0, key.into()));
            }
            Op::Ordered { order, table, key, value } => {
                let key = (table.0, key.into_vec());
                let latest = self.orders.entry(key.clone()).or_default();
                if *latest > order {
                    return;
                }
                *latest = order;
                match value {
                    Some(value) => self.tables.insert(key, value.into()),
                    None => self.tables.remove(&key),
                };
            }
            Op::Publish { seq, message, refs, .. } => {
                assert!(seq != 0 && !self.messages.contains_key(&seq), "seq {seq} is used twice");
                self.seq_max = self.seq_max.max(seq);
                let body = rookery_core::message::Message::from_bytes(&message).unwrap();
                self.ever_committed.insert(super::client::number_of(body.payload()));
                self.messages.insert(seq, message);
                for claim in &refs {
                    let claims = self.claims.entry(claim.session).or_default();
                    let (flags, group) = (claim.flags, claim.meta);
                    let fresh = Claim { flags, packet_id: None, released: false, group };
                    assert!(
                        claims.insert(seq, fresh).is_none(),
                        "two claims of one session on one message"
                    );
                }
            }
            Op::Assign { session, seq, packet_id } => {
                if let Some(claim) = self.claims.get_mut(&session).and_then(|c| c.get_mut(&seq)) {
                    claim.packet_id = Some(packet_id);
                }
            }
            Op::Release { session, seq } => {
                if let Some(claim) = self.claims.get_mut(&session).and_then(|c| c.get_mut(&seq)) {
                    claim.released = true;
                }
            }
            Op::Ack { session, seq } => {
                if let Some(claims) = self.claims.get_mut(&session) {
                    claims.remove(&seq);
                }
                self.sweep(seq);
            }
            Op::DropSession { session } => {
                let gone: Vec<u64> = self
                    .claims
                    .remove(&session)
                    .into_iter()
                    .flatten()
                    .map(|(seq, _)| seq)
                    .collect();
                gone.into_iter().for_each(|seq| self.sweep(seq));
            }
        }
    }

    fn sweep(&mut self, seq: u64) {
        if !self.claims.values().any(|claims| claims.contains_key(&seq)) {
            self.messages.remove(&seq);
        }
    }

    fn rows(&self, table: rookery_core::store_port::Table) -> impl Iterator<Item = (&[u8], &[u8])> {
        let of_table = self.tables.iter().filter(move |((t, _), _)| *t == table.0);
        of_table.map(|((_, k), v)| (k.as_slice(), v.as_slice()))
    }

    /// What a restart finds.
    pub fn recover(&self) -> Recovered {
        let mut subscriptions: BTreeMap<u64, Vec<(String, Subscription)>> = BTreeMap::new();
        for (key, value) in self.rows(persist::SUBSCRIPTIONS) {
            let (id, filter, subscription) = persist::read_subscription(key, value).unwrap();
            subscriptions.entry(id).or_default().push((filter, subscription));
        }
        let mut awaiting: BTreeMap<u64, Vec<u16>> = BTreeMap::new();
        for (key, _) in self.rows(persist::AWAITING_REL) {
            let (id, packet_id) = persist::read_awaiting_rel(key).unwrap();
            awaiting.entry(id).or_default().push(packet_id);
        }
        let wills = self.rows(persist::WILLS).map(|(k, v)| persist::read_will(k, v).unwrap());
        let mut wills: BTreeMap<String, Will> = wills.collect();
        let used = self.claims.keys().chain(subscriptions.keys()).chain(awaiting.keys());
        let mut next_durable_id = 1 + used.max().copied().unwrap_or(0);
        let mut sessions = Vec::new();
        for (key, value) in self.rows(persist::SESSIONS) {
            let record = persist::read_session(key, value).unwrap();
            let id = record.durable_id;
            next_durable_id = next_durable_id.max(id + 1);
            let messages =
                self.claims.get(&id).into_iter().flatten().map(|(seq, claim)| RestoredMessage {
                    seq: *seq,
                    flags: claim.flags,
                    packet_id: claim.packet_id,
                    released: claim.released,
                    group: claim.group,
                });
            sessions.push(RestoredSession {
                subscriptions: subscriptions.remove(&id).unwrap_or_default(),
                messages: messages.collect(),
                awaiting_rel: awaiting.remove(&id).unwrap_or_default(),
                will: wills.remove(&record.client_id),
                record,
            });
        }
        let known: Vec<u64> = sessions.iter().map(|s| s.record.durable_id).collect();
        let lone = self.claims.iter().filter(|(id, of)| !of.is_empty() && !known.contains(id));
        let mut leftovers: Vec<Op> = lone.map(|(id, _)| Op::DropSession { session: *id }).collect();
        for (id, filters) in subscriptions {
            leftovers
                .extend(filters.iter().map(|(filter, _)| persist::delete_subscription(id, filter)));
        }
        for (id, packet_ids) in awaiting {
            leftovers.extend(
                packet_ids.iter().map(|packet_id| persist::delete_awaiting_rel(id, *packet_id)),
            );
        }
        let meta = |(k, v): (&[u8], &[u8])| {
            (k == persist::META_ALIVE).then(|| u64::from_le_bytes(v.try_into().unwrap()))
        };
        Recovered {
            sessions,
            delayed: self
                .rows(persist::DELAYED)
                .map(|(_, v)| persist::read_delayed(v).unwrap())
                .collect(),
            retained: self
                .rows(persist::RETAINED)
                .map(|(_, v)| rookery_core::message::Message::from_bytes(v).unwrap())
                .collect(),
            leftovers,
            lone_wills: wills.into_iter().collect(),
            alive_at_ms: self.rows(persist::META).find_map(meta).unwrap_or(0),
            next_seq: self.seq_max + 1,
            next_durable_id,
        }
    }
}
