//! The driver: shards, the queues between them, sockets and the store.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::IoSlice;
use std::sync::Arc;

use rookery_core::config::BrokerConfig;
use rookery_core::effects::{CloseCause, ConnMeta, ShardMessage};
use rookery_core::ids::{ConnKey, Now, SessionKey};
use rookery_core::shard::Shard;
use rookery_core::shared::Shared;
use rookery_core::store_port::Outcome;

use super::rng::Rng;
use super::store::SimStore;

/// A transport connection as its client sees it.
#[derive(Default)]
pub struct Socket {
    /// Bytes for the client.
    pub received: Vec<u8>,
    /// Bytes that the broker did not take yet.
    pub held: Vec<u8>,
    /// The broker closed it, or it broke.
    pub is_closed: bool,
    is_paused: bool,
    is_closing: bool,
    place: Option<(usize, ConnKey)>,
}

struct Read {
    shard: usize,
    ticket: u64,
    key: SessionKey,
    seqs: Vec<u64>,
}

/// One node, simulated.
pub struct World {
    pub shared: Arc<Shared>,
    pub shards: Vec<Shard>,
    pub store: SimStore,
    pub now: Now,
    pub sockets: BTreeMap<usize, Socket>,
    config: Arc<BrokerConfig>,
    inboxes: Vec<VecDeque<ShardMessage>>,
    answers: Vec<VecDeque<(u64, Outcome)>>,
    reads: VecDeque<Read>,
    by_key: HashMap<(usize, ConnKey), usize>,
    next_socket: usize,
    /// Percentage of batches that the store refuses.
    pub refusals: usize,
    /// Whether a client may be slow to take bytes.
    pub partial_writes: bool,
}

impl World {
    pub fn new(count: u16, config: BrokerConfig) -> Self {
        let now = Now { mono_ms: 1000, unix_ms: 1_700_000_000_000 };
        let shared = Arc::new(Shared::new(count, 1, 1).with_placement(0));
        let config = Arc::new(config);
        let mut world = Self {
            shared,
            shards: Vec::new(),
            store: SimStore::default(),
            now,
            sockets: BTreeMap::new(),
            config,
            inboxes: Vec::new(),
            answers: Vec::new(),
            reads: VecDeque::new(),
            by_key: HashMap::new(),
            next_socket: 0,
            refusals: 0,
            partial_writes: true,
        };
        world.make_shards(count);
        world
    }

    fn make_shards(&mut self, count: u16) {
        let make = |i| Shard::new(i, self.shared.clone(), self.config.clone(), self.now).unwrap();
        self.shards = (0..count).map(make).collect();
        self.inboxes = (0..count).map(|_| VecDeque::new()).collect();
        self.answers = (0..count).map(|_| VecDeque::new()).collect();
        self.reads.clear();
        self.by_key.clear();
    }

    /// Everything in memory is lost; the node starts again from what is committed.
    pub fn crash(&mut self) {
        self.store.crash();
        self.sockets.values_mut().for_each(|s| s.is_closed = true);
        let count = self.shared.shards();
        let mut found = self.store.recover();
        self.shared = Arc::new(
            Shared::new(count, found.next_seq, found.next_durable_id)
                .with_placement(found.next_seq),
        );
        self.make_shards(count);
        for message in found.retained {
            self.shared.retained.insert(Arc::new(message));
        }
        for session in found.sessions.drain(..) {
            let owner = usize::from(self.shared.shard_of(&session.record.client_id));
            self.shards[owner].restore_session(self.now, session, found.alive_at_ms);
        }
        for (due_at_ms, message) in found.delayed {
            self.shards[0].restore_delayed(self.now, due_at_ms, message);
        }
        for (client_id, will) in found.lone_wills {
            self.shards[0].restore_will(self.now, &client_id, &will);
        }
        self.shards[0].effects.store_ops.extend(found.leftovers);
        (0..self.shards.len()).for_each(|i| self.finish_turn(i, None));
    }

    /// A client connects to some worker.
    pub fn connect(&mut self, rng: &mut Rng) -> usize {
        let shard = rng.below(self.shards.len());
        let meta = ConnMeta {
            peer: ([127, 0, 0, 1], 40_000).into(),
            local: ([127, 0, 0, 1], 1883).into(),
            listener: "tcp:default".into(),
            zone: 0,
            mountpoint: "".into(),
            is_local: true,
            enable_authn: true,
            quick_deny_anonymous: false,
            rates: None,
            cert: None,
            handover: None,
        };
        let id = self.next_socket;
        self.next_socket += 1;
        let key = self.shards[shard].accept(self.now, Arc::new(meta)).unwrap();
        self.sockets.insert(id, Socket { place: Some((shard, key)), ..Socket::default() });
        self.by_key.insert((shard, key), id);
        id
    }

    /// Bytes of a client arrive.
    pub fn send(&mut self, socket: usize, bytes: &[u8]) {
        let Some(s) = self.sockets.get_mut(&socket).filter(|s| !s.is_closed) else { return };
        s.held.extend_from_slice(bytes);
        self.offer(socket);
    }

    fn offer(&mut self, socket: usize) {
        let Some(s) = self.sockets.get_mut(&socket) else { return };
        let Some((shard, key)) = s.place.filter(|_| !s.is_closed && !s.is_paused && !s.is_closing)
        else {
            return;
        };
        let held = std::mem::take(&mut s.held);
        let consumed = self.shards[shard].receive(self.now, key, &held);
        let is_paused = self.shards[shard].is_paused(key);
        let s = self.sockets.get_mut(&socket).unwrap();
        s.held = held[consumed..].to_vec();
        s.is_paused = is_paused;
    }

    /// The client's end of a connection is gone.
    pub fn break_off(&mut self, socket: usize) {
        let Some(s) = self.sockets.get_mut(&socket) else { return };
        if let (false, Some((shard, key))) = (s.is_closed, s.place) {
            s.is_closed = true;
            self.by_key.remove(&(shard, key));
            self.shards[shard].closed(self.now, key, CloseCause::TcpClosed);
        }
    }

    /// One turn of one worker, with as much of what waits for it as the dice say.
    pub fn turn(&mut self, shard: usize, rng: Option<&mut Rng>) {
        let mut rng = rng;
        let share =
            |n: usize, rng: &mut Option<&mut Rng>| rng.as_mut().map_or(n, |r| r.below(n + 1));
        for _ in 0..share(self.inboxes[shard].len(), &mut rng) {
            let message = self.inboxes[shard].pop_front().unwrap();
            self.shards[shard].inbox(self.now, message);
        }
        for _ in 0..share(self.answers[shard].len(), &mut rng) {
            let (ticket, outcome) = self.answers[shard].pop_front().unwrap();
            self.shards[shard].committed(self.now, ticket, outcome);
            self.read_for(shard, ticket);
        }
        self.shards[shard].tick(self.now);
        self.shards[shard].work(self.now);
        self.finish_turn(shard, rng);
    }

    fn read_for(&mut self, shard: usize, ticket: u64) {
        let (ready, later): (VecDeque<Read>, _) =
            self.reads.drain(..).partition(|r| r.shard == shard && r.ticket <= ticket);
        self.reads = later;
        for read in ready {
            let bodies = read.seqs.iter().map(|seq| (*seq, self.store.read(*seq))).collect();
            self.shards[shard].bodies(self.now, read.key, bodies);
        }
    }

    fn finish_turn(&mut self, shard: usize, mut rng: Option<&mut Rng>) {
        loop {
            let resumed = std::mem::take(&mut self.shards[shard].effects.resume);
            if resumed.is_empty() {
                break;
            }
            for key in resumed {
                if let Some(&socket) = self.by_key.get(&(shard, key)) {
                    self.sockets.get_mut(&socket).unwrap().is_paused = false;
                    self.offer(socket);
                }
            }
        }
        self.hand_over(shard);
        if let Some((ticket, ops)) = self.shards[shard].end_turn() {
            let is_refused = rng.as_mut().is_some_and(|r| r.chance(self.refusals));
            let outcome = match (is_refused, rng.as_mut().is_some_and(|r| r.chance(50))) {
                (false, _) => Outcome::Stored,
                (true, true) => Outcome::Freed,
                (true, false) => Outcome::Refused,
            };
            for (key, seqs) in std::mem::take(&mut self.shards[shard].effects.store_reads) {
                self.reads.push_back(Read { shard, ticket, key, seqs });
            }
            self.store.submit(shard, ticket, ops, outcome);
        }
        for to in 0..self.inboxes.len() {
            let messages = std::mem::take(&mut self.shards[shard].effects.to_shards[to]);
            self.inboxes[to].extend(messages);
        }
        self.shards[shard].effects.up.clear();
        for _ in 0..3 {
            for key in std::mem::take(&mut self.shards[shard].effects.dirty) {
                self.flush(shard, key, rng.as_deref_mut());
            }
        }
        for (key, after_flush) in std::mem::take(&mut self.shards[shard].effects.close) {
            if after_flush {
                if let Some(&socket) = self.by_key.get(&(shard, key)) {
                    self.sockets.get_mut(&socket).unwrap().is_closing = true;
                }
                self.flush(shard, key, None);
            }
            self.close(shard, key);
        }
    }

    fn hand_over(&mut self, shard: usize) {
        for (key, to) in std::mem::take(&mut self.shards[shard].effects.migrate) {
            let Some(meta) = self.shards[shard].meta(key) else { continue };
            self.shards[shard].migrated(key);
            let Some(socket) = self.by_key.remove(&(shard, key)) else { continue };
            let to = usize::from(to);
            let new = self.shards[to].accept(self.now, meta).unwrap();
            self.by_key.insert((to, new), socket);
            let s = self.sockets.get_mut(&socket).unwrap();
            s.place = Some((to, new));
            s.is_paused = false;
            self.offer(socket);
        }
    }

    fn flush(&mut self, shard: usize, key: ConnKey, rng: Option<&mut Rng>) {
        let Some(outbox) = self.shards[shard].begin_flush(key) else { return };
        let mut slices: Vec<IoSlice<'_>> = Vec::new();
        outbox.slices(&mut slices, usize::MAX);
        let bytes: Vec<u8> = slices.iter().flat_map(|s| s.iter().copied()).collect();
        assert_eq!(bytes.len(), outbox.len());
        let is_slow = self.partial_writes;
        let part =
            rng.filter(|_| is_slow).and_then(|r| r.chance(20).then(|| r.below(bytes.len() + 1)));
        let take = part.unwrap_or(bytes.len());
        if let Some(&socket) = self.by_key.get(&(shard, key)) {
            self.sockets.get_mut(&socket).unwrap().received.extend_from_slice(&bytes[..take]);
        }
        self.shards[shard].flushed(self.now, key, take);
    }

    fn close(&mut self, shard: usize, key: ConnKey) {
        if let Some(socket) = self.by_key.remove(&(shard, key)) {
            self.sockets.get_mut(&socket).unwrap().is_closed = true;
        }
        self.shards[shard].closed(self.now, key, CloseCause::TcpClosed);
    }

    /// Sockets whose bytes wait are written (the peer is ready again).
    pub fn flush_all(&mut self) {
        let mut keys: Vec<_> = self.by_key.keys().copied().collect();
        keys.sort_unstable_by_key(|(shard, key)| (*shard, *key));
        for (shard, key) in keys {
            if self.shards[shard].outbox(key).is_some_and(|o| !o.is_empty()) {
                self.flush(shard, key, None);
            }
        }
    }

    /// The store finishes a batch.
    pub fn commit(&mut self) -> bool {
        let Some((shard, ticket, outcome)) = self.store.commit() else { return false };
        self.answers[shard].push_back((ticket, outcome));
        true
    }

    pub fn advance(&mut self, ms: u64) {
        self.now.mono_ms += ms;
        self.now.unix_ms += ms;
    }

    /// Lets everything that waits happen.
    pub fn settle(&mut self) {
        for _ in 0..6 {
            while self.commit() {}
            (0..self.shards.len()).for_each(|i| self.turn(i, None));
            self.flush_all();
        }
    }

    pub fn open_sockets(&self) -> usize {
        self.sockets.values().filter(|s| !s.is_closed).count()
    }
}
