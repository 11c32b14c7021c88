//! One timer wheel per shard: arming is O(1), firing is by slices of a quarter second.
//!
//! A timer is not cancelled: whoever handles it looks whether it still applies and arms
//! again if the deadline moved. A connection therefore owns one entry whatever its traffic.

/// Length of a slot in ms: the precision of every timer.
pub const SLOT_MS: u64 = 256;
const SLOTS: usize = 1024;

/// Timers by deadline.
#[derive(Debug)]
pub struct Wheel<T> {
    slots: Vec<Vec<(u64, T)>>,
    /// First slot number (time / `SLOT_MS`) not handled.
    next: u64,
    len: usize,
}

impl<T> Wheel<T> {
    /// A wheel whose time starts at `now_ms`.
    #[must_use]
    pub fn new(now_ms: u64) -> Self {
        Self { slots: (0..SLOTS).map(|_| Vec::new()).collect(), next: now_ms / SLOT_MS, len: 0 }
    }

    /// Fires `item` at the first `take_due` at or after `deadline_ms`.
    #[allow(clippy::cast_possible_truncation)]
    pub fn arm(&mut self, deadline_ms: u64, item: T) {
        // Round up, never early; beyond the horizon it waits in the last slot and is armed again there.
        let number = deadline_ms.div_ceil(SLOT_MS).clamp(self.next, self.next + SLOTS as u64 - 1);
        if let Some(slot) = self.slots.get_mut((number % SLOTS as u64) as usize) {
            slot.push((deadline_ms, item));
            self.len += 1;
        }
    }

    /// Appends to `due` what is due at `now_ms`.
    #[allow(clippy::cast_possible_truncation)]
    pub fn take_due(&mut self, now_ms: u64, due: &mut Vec<T>) {
        let last = now_ms / SLOT_MS;
        while self.next <= last {
            let index = (self.next % SLOTS as u64) as usize;
            let taken = self.slots.get_mut(index).map(std::mem::take).unwrap_or_default();
            self.next += 1;
            self.len -= taken.len();
            for (deadline, item) in taken {
                if deadline > now_ms {
                    self.arm(deadline, item);
                } else {
                    due.push(item);
                }
            }
        }
    }

    /// Timers armed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none is armed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{SLOT_MS, Wheel};

    proptest! {
        #[test]
        fn each_timer_fires_once_and_never_early(
            deadlines in proptest::collection::vec(0_u64..1_000_000, 1..50),
            steps in proptest::collection::vec(1_u64..50_000, 1..100),
        ) {
            let mut wheel = Wheel::new(0);
            for (i, d) in deadlines.iter().enumerate() {
                wheel.arm(*d, i);
            }
            let mut now = 0;
            let mut fired = vec![None; deadlines.len()];
            let mut due = Vec::new();
            for step in steps.into_iter().chain([2_000_000]) {
                now += step;
                wheel.take_due(now, &mut due);
                for i in due.drain(..) {
                    prop_assert!(fired[i].is_none());
                    prop_assert!(deadlines[i] <= now);
                    fired[i] = Some(now);
                }
                for (i, d) in deadlines.iter().enumerate() {
                    if fired[i].is_none() {
                        prop_assert!(*d + SLOT_MS > now, "late: {d} at {now}");
                    }
                }
            }
            prop_assert!(wheel.is_empty());
        }
    }
}
