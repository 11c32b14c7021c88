//! What came from another node is told as taken when it is stored here: so whoever publishes there has an
//! acknowledgement that this node's end does not break.
//!
//! Each worker that gets promised messages of a batch gets a [`Mark`] behind them, and gives it back when
//! what it wrote for them is in the store, and at the partner where there is one.

use std::collections::VecDeque;

use rookery_core::effects::ShardMessage;
use rookery_core::shadow::{Mark, ShadowMessage};

use super::carrier::Carrier;
use super::incoming::ForWorkers;
use super::peer::Incoming;
use crate::inbox::Item;

/// In the place of a peer's number: messages of this node itself, which it takes in the place of a lost one.
pub(super) const HERE: u64 = 0;

/// Batches of which workers have not stored something, and how many workers.
#[derive(Default)]
pub(super) struct Unstored(VecDeque<(u64, u32)>);

impl Unstored {
    /// So many workers get something of a batch.
    pub(super) fn expect(&mut self, seq: u64, workers: u32) {
        if workers > 0 {
            self.0.push_back((seq, workers));
        }
    }

    /// One of them has stored it; whether batches are stored with that.
    fn settle(&mut self, seq: u64) -> bool {
        if let Some((_, left)) = self.0.iter_mut().find(|(of, _)| *of == seq) {
            *left -= 1;
        }
        let before = self.0.len();
        while self.0.front().is_some_and(|(_, left)| *left == 0) {
            self.0.pop_front();
        }
        self.0.len() < before
    }

    /// The last batch of which all is stored, and of all before it; `last` is the one that came last.
    pub(super) fn stored(&self, last: u64) -> u64 {
        self.0.front().map_or(last, |(seq, _)| seq - 1)
    }
}

/// What this node takes in the place of a lost one.
#[derive(Default)]
pub(super) struct Here {
    last: u64,
    unstored: Unstored,
}

impl Here {
    pub(super) fn stored(&self) -> u64 {
        self.unstored.stored(self.last)
    }
}

impl ForWorkers<'_> {
    /// A worker got something that is promised, of the batch that is being taken.
    pub(super) fn promise(&mut self, worker: u16) {
        if self.is_durable && !self.promised.contains(&worker) {
            self.promised.push(worker);
        }
    }

    /// The same for all of them.
    pub(super) fn promise_all(&mut self) {
        (0..).zip(0..self.items.len()).for_each(|(worker, _)| self.promise(worker));
    }

    /// Has the workers say when what they got of a batch is stored.
    pub(super) fn mark(&mut self, incoming: &mut Incoming, mark: Mark) {
        let mut left = 0;
        for worker in self.promised.drain(..) {
            let Some(items) = self.items.get_mut(usize::from(worker)) else { continue };
            let message = Box::new(ShadowMessage::Mark(mark));
            items.push(Item::Shard(ShardMessage::Shadow(message)));
            left += 1;
        }
        incoming.unstored.expect(mark.seq, left);
    }
}

impl Incoming {
    /// The last batch of which all is stored, and of all before it.
    pub(super) fn stored(&self) -> u64 {
        self.unstored.stored(self.receiver.last())
    }

    /// What the other node is to be told as taken, if that is news.
    pub(super) fn news(&mut self) -> Option<u64> {
        if !std::mem::take(&mut self.is_ack_due) || self.stored() <= self.told {
            return None;
        }
        (self.told, self.untold) = (self.stored(), 0);
        Some(self.told)
    }
}

impl Carrier {
    /// A worker has stored what it got of a batch.
    pub(super) fn note_stored(&mut self, mark: Mark) {
        if mark.peer == HERE {
            self.here.unstored.settle(mark.seq);
            return;
        }
        let peer = self.peers.iter_mut().find(|peer| peer.id == mark.peer);
        let lane = peer.and_then(|peer| peer.incoming.get_mut(usize::from(mark.lane)));
        let Some(incoming) = lane else { return };
        incoming.is_ack_due |= incoming.unstored.settle(mark.seq);
    }

    /// What workers were given is waited for: peer, lane and batch as an acknowledgement needs it.
    pub(super) fn mark_here(&mut self) -> (u64, u16, u64) {
        self.here.last += 1;
        let seq = self.here.last;
        let mut workers = 0;
        for items in &mut self.for_workers {
            let mark = Box::new(ShadowMessage::Mark(Mark { peer: HERE, lane: 0, seq }));
            items.push(Item::Shard(ShardMessage::Shadow(mark)));
            workers += 1;
        }
        self.here.unstored.expect(seq, workers);
        (HERE, 0, seq)
    }
}
