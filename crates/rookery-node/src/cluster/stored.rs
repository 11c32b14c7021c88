//! What came from another node is told as taken when it is stored here: so whoever publishes there has an
//! acknowledgement that this node's end does not break.
//!
//! Each worker that gets promised messages of a batch gets a [`Mark`] behind them, and gives it back when
//! what it wrote for them is in the store, and at the partner where there is one.

use rookery_core::effects::ShardMessage;
use rookery_core::shadow::{Mark, ShadowMessage};

use super::carrier::Carrier;
use super::incoming::ForWorkers;
use super::peer::Incoming;
use crate::inbox::Item;

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
        if left > 0 {
            incoming.unstored.push_back((mark.seq, left));
        }
    }
}

impl Incoming {
    /// The last batch of which all is stored, and of all before it.
    pub(super) fn stored(&self) -> u64 {
        self.unstored.front().map_or(self.receiver.last(), |(seq, _)| seq - 1)
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
        let peer = self.peers.iter_mut().find(|peer| peer.id == mark.peer);
        let lane = peer.and_then(|peer| peer.incoming.get_mut(usize::from(mark.lane)));
        let Some(incoming) = lane else { return };
        if let Some((_, left)) = incoming.unstored.iter_mut().find(|(seq, _)| *seq == mark.seq) {
            *left -= 1;
        }
        while incoming.unstored.front().is_some_and(|(_, left)| *left == 0) {
            incoming.unstored.pop_front();
            incoming.is_ack_due = true;
        }
    }
}
