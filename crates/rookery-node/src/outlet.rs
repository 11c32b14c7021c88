//! The inbox of a thread that takes what workers send elsewhere: other nodes, linked clusters.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::event::EventfdFlags;

/// Bytes above which workers stop taking new input from clients.
const OVERFULL_BYTES: usize = 64 << 20;

/// What a worker hands over.
pub(crate) trait Load {
    /// Bytes that wait with it; none if it is nothing but a wake-up.
    fn load(&self) -> Option<usize>;
}

/// What waits to be taken.
pub(crate) struct Waiting<S, O> {
    pub(crate) sent: Vec<S>,
    pub(crate) orders: Vec<O>,
    bytes: usize,
}

impl<S, O> Default for Waiting<S, O> {
    fn default() -> Self {
        Self { sent: Vec::new(), orders: Vec::new(), bytes: 0 }
    }
}

/// The inbox.
pub(crate) struct Outlet<S, O> {
    waiting: Mutex<Waiting<S, O>>,
    wake: OwnedFd,
    is_asleep: AtomicBool,
    bytes: AtomicUsize,
    /// Publishers have to wait.
    is_held: AtomicBool,
    /// Writes of sessions are wanted, and whether acknowledgements wait for them: [`NOTHING`] and so on.
    wants: AtomicU8,
}

/// Writes are not shipped.
pub(crate) const NOTHING: u8 = 0;
/// Writes are shipped.
pub(crate) const WRITES: u8 = 1;
/// Writes are shipped, and what they promise waits for the other node.
pub(crate) const PROMISES: u8 = 2;

impl<S: Load, O> Outlet<S, O> {
    pub(crate) fn new() -> std::io::Result<Self> {
        let wake = rustix::event::eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Self {
            waiting: Mutex::default(),
            wake,
            is_asleep: AtomicBool::new(false),
            bytes: AtomicUsize::new(0),
            is_held: AtomicBool::new(false),
            wants: AtomicU8::new(NOTHING),
        })
    }

    /// Adds what a turn has, and wakes the thread.
    pub(crate) fn push(&self, sent: S) {
        if let Some(bytes) = sent.load() {
            let mut waiting = self.lock();
            waiting.bytes += bytes;
            self.bytes.store(waiting.bytes, Ordering::Relaxed);
            waiting.sent.push(sent);
        }
        self.wake();
    }

    pub(crate) fn order(&self, order: O) {
        self.lock().orders.push(order);
        self.wake();
    }

    pub(crate) fn wake(&self) {
        if self.is_asleep.swap(false, Ordering::SeqCst) {
            // A full counter means that it is readable already.
            let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting<S, O>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether publishers have to wait.
    pub(crate) fn is_overfull(&self) -> bool {
        self.is_held.load(Ordering::Relaxed) || self.bytes.load(Ordering::Relaxed) > OVERFULL_BYTES
    }

    /// What is wanted of the writes of sessions.
    pub(crate) fn wants(&self) -> u8 {
        self.wants.load(Ordering::SeqCst)
    }

    pub(crate) fn want(&self, wants: u8) {
        self.wants.store(wants, Ordering::SeqCst);
    }

    pub(crate) fn hold(&self, is_held: bool) {
        self.is_held.store(is_held, Ordering::Relaxed);
    }

    /// The thread is about to sleep; false when something came meanwhile.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.is_asleep.store(true, Ordering::SeqCst);
        let waiting = self.lock();
        let is_empty = waiting.sent.is_empty() && waiting.orders.is_empty();
        if !is_empty {
            self.is_asleep.store(false, Ordering::SeqCst);
        }
        is_empty
    }

    pub(crate) fn take(&self) -> Waiting<S, O> {
        if !self.is_asleep.swap(false, Ordering::SeqCst) {
            let mut count = [0; 8];
            let _ = rustix::io::read(&self.wake, &mut count);
        }
        let mut waiting = self.lock();
        self.bytes.store(0, Ordering::Relaxed);
        std::mem::take(&mut *waiting)
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
