//! What other threads hand to a worker: one locked list, one wake-up per batch.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use rookery_core::effects::{ConnMeta, ShardMessage};
use rookery_core::ids::SessionKey;
use rookery_core::store_port::Outcome;
use rustix::event::EventfdFlags;

use crate::cluster::Outlet;
use crate::links::LinkOutlet;
use crate::listen::Listener;
use crate::scan::Scan;
use crate::transport::Transport;

/// One thing for a worker to do.
pub(crate) enum Item {
    /// For the shard.
    Shard(ShardMessage),
    /// A connection whose session lives on this worker.
    Connection(Box<Transport>, Arc<ConnMeta>),
    /// The store finished a ticket.
    Committed(u64, Outcome),
    /// Another node keeps everything up to a ticket, or is not waited for any more.
    Shipped(u64),
    /// Nor is it kept there, and whoever published is to know.
    Unconfirmed(u64),
    /// The links have everything up to a ticket.
    Kept(u64),
    /// The store read messages.
    Bodies(SessionKey, Vec<(u64, Option<Arc<[u8]>>)>),
    /// Take in clients of this listener; the number names it at the reactor.
    Listen(u16, Arc<Listener>),
    /// Take in no more clients of the listener with this number and end those that there are;
    /// then say so.
    Unlisten(u16, Sender<()>),
    /// Check again whether the certificates of this listener's clients hold.
    Recheck(Arc<str>),
    /// Look through sessions for the management plane.
    Scan(Box<Scan>),
    /// Where messages to other nodes go from now on.
    Lanes(Option<Arc<Outlet>>),
    /// Where messages to linked clusters go from now on.
    Links(Option<Arc<LinkOutlet>>),
    /// Say that everything before this was taken in.
    Fence(Sender<()>),
    /// Finish the turn and end the thread.
    Stop,
}

/// The inbox of one worker.
pub(crate) struct Inbox {
    items: Mutex<Vec<Item>>,
    wake: OwnedFd,
    is_asleep: AtomicBool,
    len: AtomicUsize,
    bytes: AtomicUsize,
}

/// Items above which the workers stop taking new input from clients.
const OVERFULL: usize = 65_536;
/// Bytes of messages above which they do: a few items may be large. What one turn of all workers
/// adds comes on top.
const OVERFULL_BYTES: usize = 64 << 20;

impl Item {
    /// Bytes of messages that wait with it.
    fn bytes(&self) -> usize {
        match self {
            Self::Shard(message) => message.bytes(),
            Self::Bodies(_, bodies) => {
                bodies.iter().map(|(_, body)| body.as_ref().map_or(0, |body| body.len())).sum()
            }
            Self::Connection(..)
            | Self::Committed(..)
            | Self::Shipped(_)
            | Self::Unconfirmed(_)
            | Self::Kept(_)
            | Self::Listen(..)
            | Self::Unlisten(..)
            | Self::Recheck(_)
            | Self::Scan(_)
            | Self::Lanes(_)
            | Self::Links(_)
            | Self::Fence(_)
            | Self::Stop => 0,
        }
    }
}

impl Inbox {
    /// An empty inbox.
    ///
    /// # Errors
    ///
    /// No descriptor for the wake-up is left.
    pub(crate) fn new() -> std::io::Result<Self> {
        let wake = rustix::event::eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Self {
            items: Mutex::default(),
            wake,
            is_asleep: AtomicBool::new(false),
            len: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        })
    }

    /// Readable when the worker was woken.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Adds items and wakes the worker if it sleeps.
    pub(crate) fn push_all(&self, items: impl IntoIterator<Item = Item>) {
        {
            let mut waiting = self.items.lock().unwrap_or_else(PoisonError::into_inner);
            let mut bytes = self.bytes.load(Ordering::Relaxed);
            waiting.extend(items.into_iter().inspect(|item| bytes += item.bytes()));
            self.bytes.store(bytes, Ordering::Relaxed);
            self.len.store(waiting.len(), Ordering::Relaxed);
        }
        if self.is_asleep.swap(false, Ordering::SeqCst) {
            // A full counter means that it is readable already.
            let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
        }
    }

    /// Adds one item.
    pub(crate) fn push(&self, item: Item) {
        self.push_all([item]);
    }

    /// The worker is about to sleep; false when something came meanwhile.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.is_asleep.store(true, Ordering::SeqCst);
        let is_empty = self.items.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        if !is_empty {
            self.is_asleep.store(false, Ordering::SeqCst);
        }
        is_empty
    }

    /// The worker is awake; takes what is there into `into` (which has to be empty).
    pub(crate) fn take(&self, into: &mut Vec<Item>) {
        self.is_asleep.store(false, Ordering::SeqCst);
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *items, into);
        self.len.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
    }

    /// Whether more waits than the worker may be given.
    #[inline]
    pub(crate) fn is_overfull(&self) -> bool {
        self.len.load(Ordering::Relaxed) > OVERFULL
            || self.bytes.load(Ordering::Relaxed) > OVERFULL_BYTES
    }

    /// Makes the descriptor unreadable again.
    pub(crate) fn clear_wake(&self) {
        let mut count = [0; 8];
        let _ = rustix::io::read(&self.wake, &mut count);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rookery_codec::QoS;
    use rookery_core::effects::{Command, ShardMessage};
    use rookery_core::ids::MessageId;
    use rookery_core::message::{Message, MessageParts, Publisher};

    use super::{Inbox, Item, OVERFULL, OVERFULL_BYTES};

    fn message(payload: &[u8]) -> Item {
        let parts = MessageParts {
            id: MessageId(0),
            timestamp_ms: 0,
            expires_at_ms: 0,
            seq: 0,
            qos: QoS::AtMostOnce,
            retain: false,
            sys: false,
            topic: "t",
            properties: &[],
            payload,
        };
        let from = Arc::new(Publisher { client_id: "c".into(), username: None });
        let message = Box::new(Message::new(&parts, from, None));
        Item::Shard(ShardMessage::Command(Command::Publish { message, reply: None }))
    }

    #[test]
    fn an_inbox_is_overfull_by_items_or_by_bytes() {
        for (payload, most) in [(&[0; 1 << 20][..], OVERFULL_BYTES >> 20), (&[], OVERFULL)] {
            let inbox = Inbox::new().unwrap();
            inbox.push_all((0..most - 1).map(|_| message(payload)));
            assert!(!inbox.is_overfull());
            (0..2).for_each(|_| inbox.push(message(payload)));
            assert!(inbox.is_overfull());
            let mut taken = Vec::new();
            inbox.take(&mut taken);
            assert_eq!(taken.len(), most + 1);
            assert!(!inbox.is_overfull(), "what was taken does not count");
        }
    }
}
