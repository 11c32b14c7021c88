//! What a rule counts.
//!
//! Each shard writes its own cell, so that counting takes no locked instruction and no cache line
//! travels between processors. How actions on connectors ended is counted later and elsewhere, in
//! the [`RuleTally`].

use std::sync::{Arc, Mutex, PoisonError};

use super::sink::RuleTally;
use crate::metrics::Counter;

/// The part of one shard.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct RuleCell {
    pub(crate) passed: Counter,
    pub(crate) exception: Counter,
    pub(crate) no_result: Counter,
    /// Results that were handed to outputs.
    pub(crate) actions: Counter,
    /// Those of outputs of the shard itself that went well, and that did not.
    pub(crate) success: Counter,
    pub(crate) unknown: Counter,
}

/// What a rule counted, under EMQX's names.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleCounts {
    /// Messages and events that the rule looked at.
    pub matched: u64,
    /// Those that had a result.
    pub passed: u64,
    /// Those that had none; the sum of the next two.
    pub failed: u64,
    /// The rule could not be evaluated.
    pub failed_exception: u64,
    /// The condition was not met.
    pub failed_no_result: u64,
    /// Results given to outputs.
    pub actions_total: u64,
    /// Outputs that did their work.
    pub actions_success: u64,
    /// Outputs that did not; the sum of the next two.
    pub actions_failed: u64,
    /// The action was stopped or is gone.
    pub actions_failed_out_of_service: u64,
    /// Anything else.
    pub actions_failed_unknown: u64,
    /// Expired, or there was no room.
    pub actions_discarded: u64,
}

impl RuleCounts {
    fn since(self, base: &Self) -> Self {
        let less = |a: u64, b: u64| a.saturating_sub(b);
        let exception = less(self.failed_exception, base.failed_exception);
        let no_result = less(self.failed_no_result, base.failed_no_result);
        let passed = less(self.passed, base.passed);
        let out_of_service =
            less(self.actions_failed_out_of_service, base.actions_failed_out_of_service);
        let unknown = less(self.actions_failed_unknown, base.actions_failed_unknown);
        Self {
            // Not counted but summed: so the parts add up at any moment.
            matched: passed + exception + no_result,
            passed,
            failed: exception + no_result,
            failed_exception: exception,
            failed_no_result: no_result,
            actions_total: less(self.actions_total, base.actions_total),
            actions_success: less(self.actions_success, base.actions_success),
            actions_failed: out_of_service + unknown,
            actions_failed_out_of_service: out_of_service,
            actions_failed_unknown: unknown,
            actions_discarded: less(self.actions_discarded, base.actions_discarded),
        }
    }
}

/// The counters of one rule. They outlive the set of rules that it belongs to.
#[derive(Debug)]
pub struct RuleCounters {
    cells: Box<[RuleCell]>,
    tally: Arc<RuleTally>,
    /// What was there at the last reset: cells have one writer, which is not who resets.
    base: Mutex<RuleCounts>,
}

impl RuleCounters {
    /// Nothing counted yet, by `shards` shards.
    #[must_use]
    pub fn new(id: &str, shards: u16) -> Self {
        Self {
            cells: (0..shards.max(1)).map(|_| RuleCell::default()).collect(),
            tally: Arc::new(RuleTally::new(id)),
            base: Mutex::default(),
        }
    }

    /// What a shard writes to.
    #[inline]
    pub(crate) fn cell(&self, shard: u16) -> &RuleCell {
        // One for each shard of the node, which has one at least.
        &self.cells[usize::from(shard) % self.cells.len()]
    }

    /// How actions on connectors ended.
    #[must_use]
    pub const fn tally(&self) -> &Arc<RuleTally> {
        &self.tally
    }

    fn sums(&self) -> RuleCounts {
        let ended = self.tally.counts();
        let mut sums = RuleCounts {
            actions_success: ended.success,
            actions_failed_out_of_service: ended.out_of_service,
            actions_failed_unknown: ended.unknown,
            actions_discarded: ended.discarded,
            ..RuleCounts::default()
        };
        for cell in &self.cells {
            sums.passed += cell.passed.get();
            sums.failed_exception += cell.exception.get();
            sums.failed_no_result += cell.no_result.get();
            sums.actions_total += cell.actions.get();
            sums.actions_success += cell.success.get();
            sums.actions_failed_unknown += cell.unknown.get();
        }
        sums
    }

    /// What was counted since the start or the last reset.
    #[must_use]
    pub fn counts(&self) -> RuleCounts {
        let base = *self.base.lock().unwrap_or_else(PoisonError::into_inner);
        self.sums().since(&base)
    }

    /// Counts from zero again.
    pub fn reset(&self) {
        let mut base = self.base.lock().unwrap_or_else(PoisonError::into_inner);
        *base = self.sums();
    }
}

#[cfg(test)]
mod tests {
    use super::super::sink::Outcome;
    use super::*;

    #[test]
    fn parts_add_up_over_shards_and_resets() {
        let counters = RuleCounters::new("r", 2);
        for shard in [0, 1, 1] {
            counters.cell(shard).passed.inc();
            counters.cell(shard).actions.inc();
        }
        counters.cell(0).exception.inc();
        counters.cell(1).no_result.add(4);
        counters.cell(1).success.inc();
        counters.tally().count(Outcome::Success, 2);
        let counts = counters.counts();
        assert_eq!((counts.matched, counts.passed, counts.failed), (8, 3, 5));
        assert_eq!((counts.failed_exception, counts.failed_no_result), (1, 4));
        assert_eq!((counts.actions_total, counts.actions_success), (3, 3));
        counters.reset();
        assert_eq!(counters.counts(), RuleCounts::default());
        counters.cell(0).no_result.inc();
        assert_eq!((counters.counts().matched, counters.counts().failed), (1, 1));
    }
}
