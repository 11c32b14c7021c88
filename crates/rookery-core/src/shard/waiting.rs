//! QoS 2 messages of MQTT 3.x clients above `mqtt.max_awaiting_rel`.
//!
//! A v5 client is told with PUBREC 0x93. 3.x has no such answer and no Receive Maximum to warn it
//! by: its messages wait unanswered for a PUBREL of those before them, as many again as may be
//! open, in no more octets than one packet may have. A client that goes on without releasing any
//! is disconnected; what was not answered it sends again.

use std::collections::VecDeque;

use rookery_codec::{ReasonCode, Version};

use super::{Fault, Shard};
use crate::ids::{ConnKey, Now};

impl Shard {
    /// Whether a QoS 2 PUBLISH waits, which it does from then on.
    pub(super) fn has_to_wait(
        &mut self,
        now: Now,
        key: ConnKey,
        first: u8,
        body: &[u8],
    ) -> Result<bool, Fault> {
        let Some(conn) = self.conns.get(key.slot) else { return Ok(false) };
        // One that was let through and is handled anew with answers about its topic goes on.
        if conn.version == Version::V5 || !self.verdicts.is_empty() {
            return Ok(false);
        }
        if conn.waiting.is_some() {
            self.release_waiting(now, key);
        }
        let Some(conn) = self.conns.get(key.slot) else { return Ok(false) };
        let (slot, mqtt) = (conn.session, self.mqtt(conn.meta.zone));
        let (max, bytes_max) = (mqtt.max_awaiting_rel, mqtt.max_packet_size as usize);
        if conn.waiting.is_none() && self.awaiting(slot) < max {
            return Ok(false);
        }
        // A repetition of what was taken is answered again; what cannot be read is refused there.
        if packet_id(body).is_none_or(|id| self.is_awaiting_rel(slot, id)) {
            return Ok(false);
        }
        let Some(conn) = self.conns.get_mut(key.slot) else { return Ok(false) };
        let waiting = conn.waiting.get_or_insert_default();
        let bytes = waiting.iter().map(|(_, body)| body.len()).sum::<usize>() + body.len();
        if waiting.len() >= max || (!waiting.is_empty() && bytes > bytes_max) {
            self.metrics().messages_dropped_receive_maximum.inc();
            return Err(Fault::new(
                ReasonCode::RECEIVE_MAXIMUM_EXCEEDED,
                "more QoS 2 messages without PUBREL than mqtt.max_awaiting_rel",
            ));
        }
        waiting.push_back((first, body.into()));
        Ok(true)
    }

    /// Takes what waits, in order, as far as there is room.
    pub(super) fn release_waiting(&mut self, now: Now, key: ConnKey) {
        loop {
            let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return };
            let (slot, zone) = (conn.session, conn.meta.zone);
            let has_any = conn.waiting.as_deref().is_some_and(|waiting| !waiting.is_empty());
            if !has_any || self.awaiting(slot) >= self.mqtt(zone).max_awaiting_rel {
                return;
            }
            let Some(conn) = self.conns.get_mut(key.slot) else { return };
            let next = conn.waiting.as_deref_mut().and_then(VecDeque::pop_front);
            if conn.waiting.as_deref().is_some_and(VecDeque::is_empty) {
                conn.waiting = None;
            }
            let Some((first, body)) = next else { return };
            if let Err(fault) = self.handle_publish(now, key, first, &body) {
                self.count_fault(first);
                self.fault(now, key, fault);
                return;
            }
        }
    }

    fn awaiting(&self, slot: u32) -> usize {
        let ids = self.sessions.get(slot).and_then(|session| session.awaiting_rel.as_ref());
        ids.map_or(0, |ids| ids.len())
    }
}

/// The packet identifier of a PUBLISH of MQTT 3.x with a QoS.
fn packet_id(body: &[u8]) -> Option<u16> {
    let (topic_len, rest) = body.split_first_chunk::<2>()?;
    let rest = rest.get(usize::from(u16::from_be_bytes(*topic_len))..)?;
    Some(u16::from_be_bytes(*rest.first_chunk::<2>()?))
}
