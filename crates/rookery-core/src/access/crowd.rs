//! Whether the node has nearly as many clients as it may.

use std::sync::atomic::{AtomicU64, Ordering};

/// Between the watermarks nothing changes, so that a number that swings there tells nothing.
///
/// Shards note connects and disconnects at once. Every turn has a number, odd while it is crowded:
/// whoever hears of turns out of order keeps to the highest.
#[derive(Debug, Default)]
pub struct Crowd {
    turns: AtomicU64,
}

impl Crowd {
    /// The number of the turn that `connected` clients make, if they make one. It is crowded from
    /// `high` on, until there are fewer than `low`; `high` 0 means never.
    ///
    /// To be asked again after a turn: the number of clients may have changed meanwhile, seen by
    /// somebody for whom there was none yet to undo.
    pub fn turn(&self, high: usize, low: usize, connected: impl Fn() -> usize) -> Option<u64> {
        let turns = self.turns.load(Ordering::SeqCst);
        let must_turn = if is_crowded(turns) {
            high == 0 || connected() < low
        } else {
            high != 0 && connected() >= high
        };
        if !must_turn {
            return None;
        }
        let next = turns + 1;
        let order = Ordering::SeqCst;
        self.turns.compare_exchange(turns, next, order, order).ok().map(|_| next)
    }
}

/// What a turn of this number leads to.
#[must_use]
pub fn is_crowded(turn: u64) -> bool {
    turn % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_the_watermarks_nothing_turns() {
        let crowd = Crowd::default();
        let turns = [(79, None), (80, Some(1)), (100, None), (75, None), (79, None), (74, Some(2))];
        for (connected, expected) in turns {
            assert_eq!(crowd.turn(80, 75, || connected), expected, "{connected}");
        }
        assert_eq!(crowd.turn(80, 75, || 79), None);
    }

    #[test]
    fn without_a_bound_it_is_never_crowded() {
        let crowd = Crowd::default();
        assert_eq!(crowd.turn(0, 0, || 1000), None);
        assert_eq!(crowd.turn(10, 9, || 1000), Some(1));
        assert_eq!(crowd.turn(0, 0, || 1000), Some(2));
        assert_eq!(crowd.turn(0, 0, || 1000), None);
    }
}
