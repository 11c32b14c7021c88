//! The channel to the management plane: batches of events, one descriptor to wait on.
//!
//! Any peer may drain it and answer questions by their number; an in-process event loop and
//! a bridge to another process look the same from here.

use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rookery_core::effects::UpEvent;
use rustix::event::EventfdFlags;

/// Events kept while nobody drains.
const EVENTS_MAX: usize = 65_536;
/// Questions come on top of events up to here: clients wait for them. Whoever takes none for so
/// long answers none in time, and one that is left out gets the answer of its deadline too.
const QUESTIONS_MAX: usize = 4 * EVENTS_MAX;

/// Whether nothing that comes later makes up for the loss: clients wait for questions, and what
/// holds until it is said to be over is said once.
fn is_told_once(event: &UpEvent) -> bool {
    let is_state =
        matches!(event, UpEvent::Crowded { .. } | UpEvent::Store { .. } | UpEvent::Links);
    is_state || matches!(event, UpEvent::Ask(..))
}

/// Events on their way up.
pub(crate) struct Upstream {
    events: Mutex<VecDeque<UpEvent>>,
    wake: OwnedFd,
    dropped: AtomicU64,
}

impl Upstream {
    pub(crate) fn new() -> std::io::Result<Self> {
        let wake = rustix::event::eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Self { events: Mutex::default(), wake, dropped: AtomicU64::new(0) })
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.wake.as_raw_fd()
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Adds the events of a turn; wakes the reader if there were none before.
    pub(crate) fn push_all(&self, batch: impl IntoIterator<Item = UpEvent>) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let was_empty = events.is_empty();
        for event in batch {
            let max = if is_told_once(&event) { QUESTIONS_MAX } else { EVENTS_MAX };
            if events.len() < max {
                events.push_back(event);
            } else {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
        if was_empty && !events.is_empty() {
            let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
        }
    }

    /// Takes up to `max` events; the descriptor stays readable while more are there.
    pub(crate) fn drain(&self, max: usize) -> Vec<UpEvent> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let n = events.len().min(max);
        let batch: Vec<UpEvent> = events.drain(..n).collect();
        if events.is_empty() {
            let mut count = [0; 8];
            let _ = rustix::io::read(&self.wake, &mut count);
            if events.capacity() > 4096 {
                events.shrink_to(64);
            }
        }
        batch
    }

    /// Counts events that nobody is there for.
    pub(crate) fn leave_out(&self, count: u64) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
    }

    /// Events that found no room.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
