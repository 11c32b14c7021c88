//! Acknowledgements of a worker's turn that wait for what other nodes have taken.

use rookery_core::effects::ShardMessage;

use super::carrier::Carrier;
use super::replicated::PLEDGES;
use super::stored::HERE;
use crate::inbox::Item;

/// What a worker waits for.
pub(super) struct Turn {
    pub(super) number: u64,
    pub(super) deadline_ms: u64,
    /// Peer, lane, batch.
    pub(super) needs: Vec<(u64, u16, u64)>,
}

impl Carrier {
    /// Tells workers what other nodes have taken by now.
    pub(super) fn release_turns(&mut self) {
        let (peers, orphans, now_ms) = (&self.peers, &self.orphans, self.now_ms);
        let stored_here = self.here.stored();
        // Of a node that is gone nothing is expected.
        let is_taken = |(id, lane, seq): &(u64, u16, u64)| {
            if *id == HERE {
                return *seq <= stored_here;
            }
            let peer = peers.iter().find(|peer| peer.id == *id);
            if *lane >= PLEDGES {
                return peer.is_none_or(|peer| peer.tellers.is_kept(*lane, *seq));
            }
            let lane = peer.and_then(|peer| peer.lanes.get(usize::from(*lane)));
            let is_orphan = || orphans.iter().any(|orphan| orphan.holds(*id));
            lane.map_or_else(|| !is_orphan(), |lane| lane.sender.taken() >= *seq)
        };
        let mut unconfirmed = 0;
        for (turns, inbox) in self.turns.iter_mut().zip(self.inboxes.iter()) {
            let mut done = None;
            while let Some(turn) = turns.front()
                && (turn.deadline_ms <= now_ms || turn.needs.iter().all(is_taken))
            {
                let (mut replicas, mut messages) = (0, 0);
                for (_, lane, _) in turn.needs.iter().filter(|need| !is_taken(need)) {
                    *(if *lane >= PLEDGES { &mut replicas } else { &mut messages }) += 1;
                }
                unconfirmed += replicas;
                if messages == 0 {
                    done = Some(ShardMessage::NodesTook(turn.number));
                } else {
                    let missed = ShardMessage::NodesMissed(turn.number);
                    inbox.push_all(done.take().into_iter().chain([missed]).map(Item::Shard));
                }
                turns.pop_front();
            }
            if let Some(done) = done {
                inbox.push(Item::Shard(done));
            }
        }
        if unconfirmed > 0 {
            self.note_unconfirmed(unconfirmed);
        }
    }
}
