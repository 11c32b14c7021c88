//! What the acknowledgement of a PUBLISH promises, `durability.acknowledge`, and what becomes of it when
//! other nodes do not confirm in time, `durability.unconfirmed`.

use rookery_codec::AckKind;

use super::Shard;
use super::gate::GateAction;
use crate::config::{Acknowledge, Unconfirmed};
use crate::ids::{ConnKey, Now};

impl Shard {
    /// The ticket that PUBACK or PUBREC of a message waits for, of which this was written.
    #[inline]
    pub(super) fn promised_ticket(&self, before: usize) -> u64 {
        match self.config.acknowledge {
            Acknowledge::Durable => self.ticket_since(before),
            Acknowledge::Memory => 0,
        }
    }

    /// Whether what other nodes sent is taken once it is here, stored or not.
    pub(super) fn takes_at_once(&self) -> bool {
        self.config.acknowledge == Acknowledge::Memory
    }

    /// Whether a message is refused that other nodes do not confirm.
    #[must_use]
    pub fn must_be_confirmed(&self) -> bool {
        self.config.unconfirmed == Unconfirmed::Refuse
            && self.config.acknowledge == Acknowledge::Durable
            && self.config.durable
    }

    /// Everything up to a ticket is stored here or will be, and nowhere else.
    pub fn left_unconfirmed(&mut self, ticket: u64) {
        self.unconfirmed = self.unconfirmed.max(ticket);
    }

    /// Whether that is an answer to a publisher who must not rely on this node alone.
    pub(super) fn is_unconfirmed(&self, ticket: u64, action: &GateAction) -> bool {
        ticket <= self.unconfirmed && answers_publish(action).is_some()
    }

    /// Other nodes did not take what they had to in time.
    pub(super) fn nodes_missed(&mut self, now: Now, turn: u64) {
        if self.must_be_confirmed() {
            for (key, packet_id) in self.nodes.refuse(turn) {
                let slot = self.conns.get_checked(key.slot, key.generation).map(|c| c.session);
                let session = slot.and_then(|slot| self.sessions.get(slot)).map(|s| s.key);
                if let Some(session) = session {
                    self.forget_exchange(now, session, packet_id);
                }
            }
        }
        self.nodes_took(now, turn);
    }
}

/// The kind and packet identifier of an answer to a PUBLISH.
pub(super) fn answers_publish(action: &GateAction) -> Option<(AckKind, u16)> {
    match action {
        GateAction::Ack { kind: kind @ (AckKind::PubAck | AckKind::PubRec), packet_id, .. } => {
            Some((*kind, *packet_id))
        }
        _ => None,
    }
}

/// A connection and the QoS 2 exchange on it.
pub(super) type Exchange = (ConnKey, u16);
