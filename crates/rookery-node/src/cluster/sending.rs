//! A message finds its lane: that of its publisher, to a peer or to where what is for a lost node waits.

use std::sync::Arc;

use rookery_cluster::frame;
use rookery_codec::QoS;
use rookery_core::message::Message;

use super::carrier::Carrier;

impl Carrier {
    #[allow(clippy::cast_possible_truncation)] // numbers of nodes have 16 bits
    pub(super) fn peer_of(&self, number: u32) -> Option<u64> {
        self.numbers.peer(number as u16).map(|id| self.living(id))
    }

    fn put(
        &mut self,
        at: usize,
        shared: Option<(&str, &str)>,
        message: &Message,
        needs: &mut Vec<(u64, u16, u64)>,
    ) {
        let Some(peer) = self.peers.get_mut(at) else { return };
        let is_given_up = peer.is_given_up(self.now_ms);
        let number = lane_of(&message.from.client_id, peer.lanes.len());
        let Some(lane) = peer.lanes.get_mut(number) else { return };
        if is_given_up && lane.sender.is_full() {
            lane.sender.refuse();
            return;
        }
        let is_droppable = message.qos == QoS::AtMostOnce;
        let encoded = &self.encoded;
        let is_put = lane.sender.push(shared, is_droppable, |out| out.extend_from_slice(encoded));
        if is_put && !is_droppable {
            add(needs, (peer.id, lane.number, lane.sender.pending()));
        }
    }

    /// The id under which a node is known that a number of its routes stands for. One that is back with
    /// its store is one node, by its old routes and by its new ones.
    fn living(&self, id: u64) -> u64 {
        let orphan = self.orphans.iter().find(|orphan| orphan.id == id);
        let back = orphan.filter(|orphan| orphan.moved_to() == Some(&*orphan.name));
        let peer =
            back.and_then(|orphan| self.peers.iter().find(|peer| peer.is.name == orphan.name));
        let again = || {
            let name = &back?.name;
            self.orphans.iter().find(|one| one.name == *name && !one.is_moved()).map(|one| one.id)
        };
        peer.map(|peer| peer.id).or_else(again).unwrap_or(id)
    }

    /// The id of a node by its name: of what is left of it while it is not known where its sessions are.
    pub(super) fn known_as(&self, name: &str) -> Option<u64> {
        let mut orphans = self.orphans.iter().filter(|orphan| orphan.name == name);
        let waiting = orphans.clone().rfind(|orphan| !orphan.is_moved()).map(|orphan| orphan.id);
        let peer = || self.peers.iter().find(|peer| peer.is.name == name).map(|peer| peer.id);
        waiting.or_else(peer).or_else(|| orphans.next_back().map(|orphan| orphan.id))
    }

    /// Puts a message, encoded as it is, on a lane of a peer, or where what is for a lost one waits.
    pub(super) fn put_for(
        &mut self,
        id: u64,
        shared: Option<(&str, &str)>,
        message: &Message,
        needs: &mut Vec<(u64, u16, u64)>,
    ) {
        if let Some(at) = self.peers.iter().position(|peer| peer.id == id) {
            return self.put(at, shared, message, needs);
        }
        let Some(orphan) = self.orphans.iter_mut().find(|orphan| orphan.id == id) else { return };
        let number = lane_of(&message.from.client_id, orphan.lanes.len());
        let is_promised = message.qos != QoS::AtMostOnce;
        let Some(to) = orphan.moved_to().map(str::to_owned) else {
            let Some(lane) = orphan.lanes.get_mut(number) else { return };
            let encoded = &self.encoded;
            let is_put = lane.push(shared, !is_promised, |out| out.extend_from_slice(encoded));
            if is_put && is_promised {
                add(needs, (id, u16::try_from(number).unwrap_or_default(), lane.pending()));
            }
            return;
        };
        let origin = Arc::<str>::from(orphan.name.as_str());
        let encoded = std::mem::take(&mut self.encoded);
        self.redirect(&to, number, frame::Item { shared, message: &encoded }, &origin);
        self.encoded = encoded;
        if !is_promised {
            return;
        }
        let peer = self.peers.iter().find(|peer| peer.is.name == to);
        let need = match peer.and_then(|peer| Some((peer.id, peer.lanes.get(number)?))) {
            Some((id, lane)) => (id, lane.number, lane.sender.pending()),
            None => self.mark_here(),
        };
        add(needs, need);
    }
}

/// An acknowledgement waits for a batch on the lane of a peer.
fn add(needs: &mut Vec<(u64, u16, u64)>, need: (u64, u16, u64)) {
    if needs.last() != Some(&need) {
        needs.push(need);
    }
}

/// The lane of a publisher: always the same one, so that its messages keep their order.
#[allow(clippy::cast_possible_truncation)]
fn lane_of(client_id: &str, lanes: usize) -> usize {
    let hash = client_id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    });
    ((hash >> 32) as usize).checked_rem(lanes).unwrap_or(0)
}
