//! What other threads hand to a worker: one locked list, one wake-up per batch.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use rookery_core::effects::{ConnMeta, ShardMessage};
use rookery_core::ids::SessionKey;
use rustix::event::EventfdFlags;

use crate::listen::Listener;
use crate::transport::Transport;

/// One thing for a worker to do.
pub(crate) enum Item {
    /// For the shard.
    Shard(ShardMessage),
    /// A connection whose session lives on this worker.
    Connection(Box<Transport>, Arc<ConnMeta>),
    /// The store finished a ticket.
    Committed(u64, bool),
    /// The store read messages.
    Bodies(SessionKey, Vec<(u64, Option<Arc<[u8]>>)>),
    /// Take in clients of this listener; the number names it at the reactor.
    Listen(u16, Arc<Listener>),
    /// Take in no more clients of the listener with this number and end those that there are;
    /// then say so.
    Unlisten(u16, Sender<()>),
    /// Check again whether the certificates of this listener's clients hold.
    Recheck(Arc<str>),
    /// Finish the turn and end the thread.
    Stop,
}

/// The inbox of one worker.
pub(crate) struct Inbox {
    items: Mutex<Vec<Item>>,
    wake: OwnedFd,
    is_asleep: AtomicBool,
    len: AtomicUsize,
}

/// Items above which the workers stop taking new input from clients.
const OVERFULL: usize = 65_536;

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
            waiting.extend(items);
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
    }

    /// Whether more waits than the worker may be given.
    #[inline]
    pub(crate) fn is_overfull(&self) -> bool {
        self.len.load(Ordering::Relaxed) > OVERFULL
    }

    /// Makes the descriptor unreadable again.
    pub(crate) fn clear_wake(&self) {
        let mut count = [0; 8];
        let _ = rustix::io::read(&self.wake, &mut count);
    }
}
