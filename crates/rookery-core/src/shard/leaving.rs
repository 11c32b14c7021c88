//! Ended sessions whose shared messages others have to get, while the bodies are only in the log.
//!
//! Until they are read, record and claims of the session stay on disk: a crash brings it back.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Shard;
use super::queue::FETCH_MAX;
use crate::ids::SessionKey;
use crate::message::Message;
use crate::persist;
use crate::session::Queued;
use crate::store_port::Op;

/// What is left of such a session.
#[derive(Debug)]
pub(super) struct Leaving {
    durable_id: u64,
    client_id: Arc<str>,
    /// In order of delivery.
    moving: VecDeque<Queued>,
}

impl Leaving {
    pub(super) fn new(durable_id: u64, client_id: &Arc<str>, moving: VecDeque<Queued>) -> Self {
        Self { durable_id, client_id: client_id.clone(), moving }
    }
}

impl Shard {
    /// Gives away what can be, asks for the next bodies, and forgets the session when none is left.
    pub(super) fn leave(&mut self, key: SessionKey, mut leaving: Leaving) {
        while leaving.moving.front().is_some_and(|item| item.message.is_some()) {
            let Some(item) = leaving.moving.pop_front() else { break };
            self.give_away(leaving.durable_id, key, item);
        }
        let missing = leaving.moving.iter().filter(|item| item.message.is_none());
        let missing: Vec<u64> = missing.take(FETCH_MAX).map(|item| item.seq).collect();
        if !missing.is_empty() {
            self.effects.store_reads.push((key, missing));
            self.leaving.insert(key, leaving);
            return;
        }
        // The client may have begun a session anew, whose record has taken the old one's place.
        if !self.clients.contains_key(&leaving.client_id) {
            self.effects.store_ops.push(persist::delete_session(&leaving.client_id));
        }
        self.effects.store_ops.push(Op::DropSession { session: leaving.durable_id });
    }

    /// Bodies were read; false when they are not for such a session.
    pub(super) fn read_for_leaving(
        &mut self,
        key: SessionKey,
        bodies: &[(u64, Option<Arc<[u8]>>)],
    ) -> bool {
        let Some(mut leaving) = self.leaving.remove(&key) else { return false };
        for item in leaving.moving.iter_mut().filter(|item| item.message.is_none()) {
            let body = bodies.iter().find(|(seq, _)| *seq == item.seq);
            let Some((_, bytes)) = body else { continue };
            item.message =
                bytes.as_ref().and_then(|bytes| Message::from_bytes(bytes)).map(Arc::new);
        }
        // What was asked for and is not there: damaged, or gone with its time.
        let was_asked = |seq| bodies.iter().any(|(asked, _)| *asked == seq);
        leaving.moving.retain(|item| item.message.is_some() || !was_asked(item.seq));
        self.leave(key, leaving);
        true
    }
}
