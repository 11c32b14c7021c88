//! A flag that a background thread waits for.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::queue::lock;

#[derive(Default)]
struct State {
    is_raised: bool,
    is_closed: bool,
}

#[derive(Default)]
pub(crate) struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

impl Signal {
    /// Lets the waiting thread run once more.
    pub(crate) fn raise(&self) {
        let mut state = lock(&self.state);
        if !state.is_raised {
            state.is_raised = true;
            self.changed.notify_all();
        }
    }

    /// Ends the waiting thread.
    pub(crate) fn close(&self) {
        lock(&self.state).is_closed = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.state).is_closed
    }

    /// Waits until raised and lowers the flag; `false` when closed.
    pub(crate) fn wait(&self) -> bool {
        let mut state = lock(&self.state);
        while !state.is_raised && !state.is_closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_raised = false;
        !state.is_closed
    }

    /// Waits for the whole time, raised or not; `false` when closed meanwhile.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        let state = lock(&self.state);
        let (state, _) = self
            .changed
            .wait_timeout_while(state, time, |state| !state.is_closed)
            .unwrap_or_else(PoisonError::into_inner);
        !state.is_closed
    }
}
