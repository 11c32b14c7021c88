//! Where workers put what other nodes get.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rookery_core::effects::ShardMessage;
use rustix::event::EventfdFlags;

use super::control::Order;

/// Bytes above which workers stop taking new input from clients.
const OVERFULL_BYTES: usize = 64 << 20;

/// What a worker has for other nodes from one turn.
pub(crate) struct Sent {
    pub(crate) worker: u16,
    /// The number under which the worker wants to know that it was taken.
    pub(crate) turn: Option<u64>,
    pub(crate) messages: Vec<ShardMessage>,
}

#[derive(Default)]
pub(super) struct Waiting {
    pub(super) sent: Vec<Sent>,
    pub(super) orders: Vec<Order>,
    bytes: usize,
}

/// The inbox of the lanes' thread.
pub(crate) struct Outlet {
    waiting: Mutex<Waiting>,
    wake: OwnedFd,
    is_asleep: AtomicBool,
    bytes: AtomicUsize,
    /// A lane is full: publishers have to wait.
    is_held: AtomicBool,
}

impl Outlet {
    pub(super) fn new() -> std::io::Result<Self> {
        let wake = rustix::event::eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Self {
            waiting: Mutex::default(),
            wake,
            is_asleep: AtomicBool::new(false),
            bytes: AtomicUsize::new(0),
            is_held: AtomicBool::new(false),
        })
    }

    /// Adds what a turn has for other nodes, and wakes the thread: nothing but news of routes too.
    pub(crate) fn push(&self, sent: Sent) {
        if !sent.messages.is_empty() || sent.turn.is_some() {
            let bytes: usize = sent.messages.iter().map(ShardMessage::bytes).sum();
            let mut waiting = self.lock();
            waiting.bytes += bytes;
            self.bytes.store(waiting.bytes, Ordering::Relaxed);
            waiting.sent.push(sent);
        }
        self.wake();
    }

    pub(super) fn order(&self, order: Order) {
        self.lock().orders.push(order);
        self.wake();
    }

    pub(crate) fn wake(&self) {
        if self.is_asleep.swap(false, Ordering::SeqCst) {
            // A full counter means that it is readable already.
            let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether publishers have to wait.
    pub(crate) fn is_overfull(&self) -> bool {
        self.is_held.load(Ordering::Relaxed) || self.bytes.load(Ordering::Relaxed) > OVERFULL_BYTES
    }

    pub(super) fn hold(&self, is_held: bool) {
        self.is_held.store(is_held, Ordering::Relaxed);
    }

    /// The thread is about to sleep; false when something came meanwhile.
    pub(super) fn fall_asleep(&self) -> bool {
        self.is_asleep.store(true, Ordering::SeqCst);
        let waiting = self.lock();
        let is_empty = waiting.sent.is_empty() && waiting.orders.is_empty();
        if !is_empty {
            self.is_asleep.store(false, Ordering::SeqCst);
        }
        is_empty
    }

    pub(super) fn take(&self) -> Waiting {
        if !self.is_asleep.swap(false, Ordering::SeqCst) {
            let mut count = [0; 8];
            let _ = rustix::io::read(&self.wake, &mut count);
        }
        let mut waiting = self.lock();
        self.bytes.store(0, Ordering::Relaxed);
        std::mem::take(&mut *waiting)
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
