//! A worker's side of the life of listeners: taking one in, letting one go, and looking again at
//! the clients of one. What concerns all clients of a listener is done a slice per turn, so that the
//! clients of others do not notice.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use rookery_core::effects::CloseCause;
use rookery_core::ids::{ConnKey, Now};
use rustix::event::epoll;

use crate::listen::Listener;
use crate::worker::{INBOX_TOKEN, Worker};

/// Connections looked at in one turn when all of a listener are to be ended.
const ENDED_PER_TURN: u32 = 256;
/// Connections whose certificate is checked again in one turn; a check costs two signatures.
const CHECKED_PER_TURN: u32 = 16;

/// A walk over all connections of a listener.
pub(crate) struct Walk {
    listener: Arc<str>,
    next_slot: u32,
    purpose: Purpose,
}

enum Purpose {
    /// End them; then say so.
    End(Sender<()>),
    /// End those whose certificate does not hold any more.
    Recheck,
}

impl Walk {
    /// Looks at every client of `listener` again.
    pub(crate) fn recheck(listener: Arc<str>) -> Self {
        Self { listener, next_slot: 0, purpose: Purpose::Recheck }
    }
}

impl Worker {
    /// Takes in clients of a listener from now on.
    pub(crate) fn listen(&mut self, token: u16, listener: Arc<Listener>) {
        let place = usize::from(token);
        if self.listeners.len() <= place {
            self.listeners.resize_with(place + 1, || None);
        }
        let flags = epoll::EventFlags::IN | epoll::EventFlags::EXCLUSIVE;
        let data = epoll::EventData::new_u64(INBOX_TOKEN - 1 - u64::from(token));
        // Without a descriptor for it the other workers still take its clients.
        let _ = epoll::add(&self.epoll, &*listener.socket, data, flags);
        if let Some(place) = self.listeners.get_mut(place) {
            *place = Some(listener);
        }
    }

    /// Takes in no more clients of a listener and begins to end those that there are.
    pub(crate) fn unlisten(&mut self, token: u16, reply: Sender<()>) {
        let place = self.listeners.get_mut(usize::from(token));
        let Some(listener) = place.and_then(Option::take) else { return };
        let _ = epoll::delete(&self.epoll, &*listener.socket);
        let listener = listener.id.clone();
        self.walks.push_back(Walk { listener, next_slot: 0, purpose: Purpose::End(reply) });
    }

    /// Takes the next step of the first walk; true when more is left.
    pub(crate) fn walk_on(&mut self, now: Now) -> bool {
        let Some(mut walk) = self.walks.pop_front() else { return false };
        let is_check = matches!(walk.purpose, Purpose::Recheck);
        let count = if is_check { CHECKED_PER_TURN } else { ENDED_PER_TURN };
        let (keys, next) = self.shard.of_listener(&walk.listener, walk.next_slot, count);
        for key in keys {
            if !is_check {
                self.shard.end(now, key, CloseCause::ListenerStopped);
            } else if !self.is_admissible(key) {
                self.shard.counters().tls_clients_revoked.inc();
                self.shard.end(now, key, CloseCause::CertificateRevoked);
            }
        }
        match (next, walk.purpose) {
            (Some(next), purpose) => {
                walk.next_slot = next;
                walk.purpose = purpose;
                self.walks.push_front(walk);
            }
            (None, Purpose::End(reply)) => {
                // Nobody may be waiting for it any more.
                let _ = reply.send(());
            }
            (None, Purpose::Recheck) => {}
        }
        !self.walks.is_empty()
    }

    fn is_admissible(&mut self, key: ConnKey) -> bool {
        let wrap = self.transport(key).and_then(|t| t.wrap.as_ref());
        wrap.and_then(|wrap| wrap.tls.as_ref())
            .is_none_or(|tls| tls.is_handshaking() || tls.is_admissible())
    }
}
