//! The way from a rule to an action on a connector.
//!
//! A shard gathers what the rules of one turn have for an action and offers it at once. What the
//! action then does with it (queue it, spill it, refuse it) happens behind [`ActionSink`]; how it
//! ended comes back into the counters of the rule, its [`RuleTally`].

use std::fmt::Debug;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Takes what rules have for one action.
pub trait ActionSink: Send + Sync + Debug {
    /// Takes the results of one turn of one shard and leaves `items` empty.
    ///
    /// It never waits for the network or for Python. What does not fit is dropped and counted.
    fn offer(&self, now_unix_ms: u64, items: &mut Vec<ActionItem>);
}

/// One result of a rule for one action.
#[derive(Debug, Clone)]
pub struct ActionItem {
    /// Items of one key keep their order: [`order_key`] of the client that the row came from,
    /// or 0 for none.
    pub key: u64,
    /// The rule it came from.
    pub rule: Arc<RuleTally>,
    /// What [`ActionFields::encode`](super::fields::ActionFields::encode) wrote.
    pub fields: Box<[u8]>,
}

/// The key that keeps the order of what comes from one client.
///
/// Two clients with the same key only wait for each other.
#[must_use]
pub fn order_key(client_id: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(client_id);
    hasher.finish().max(1)
}

/// Why an item was given up. The names are those of EMQX's metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// It waited longer than the request's time to live.
    Expired,
    /// The buffer was full, or the disk.
    QueueFull,
    /// There is no such action any more.
    ResourceNotFound,
    /// The action is stopped.
    ResourceStopped,
    /// Anything else.
    Other,
}

/// How an item ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was sent.
    Success,
    /// It was tried and cannot be sent.
    Failed,
    /// It was given up.
    Dropped(DropReason),
}

/// A rule as those see it who work for it later: its id, and how its actions ended.
///
/// It outlives the set of rules it was made for; a new set takes over the tally of a rule with
/// the same id, or what is on its way would count for nobody.
#[derive(Debug)]
pub struct RuleTally {
    id: Box<str>,
    success: AtomicU64,
    out_of_service: AtomicU64,
    unknown: AtomicU64,
    discarded: AtomicU64,
}

/// What a [`RuleTally`] counted, under EMQX's names with `actions.` in front.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActionCounts {
    /// Actions that succeeded.
    pub success: u64,
    /// `failed.out_of_service`: the action was stopped or is gone.
    pub out_of_service: u64,
    /// `failed.unknown`: it was tried in vain.
    pub unknown: u64,
    /// Expired, or there was no room.
    pub discarded: u64,
}

impl ActionCounts {
    /// `failed`: all that failed.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.out_of_service + self.unknown
    }
}

impl RuleTally {
    /// A tally for the rule `id`, with nothing counted.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self {
            id: id.into(),
            success: AtomicU64::new(0),
            out_of_service: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
            discarded: AtomicU64::new(0),
        }
    }

    /// The id of the rule.
    #[must_use]
    pub const fn id(&self) -> &str {
        &self.id
    }

    /// Counts `count` actions that ended like `outcome`.
    pub fn count(&self, outcome: Outcome, count: u64) {
        let counter = match outcome {
            Outcome::Success => &self.success,
            Outcome::Failed => &self.unknown,
            Outcome::Dropped(DropReason::ResourceNotFound | DropReason::ResourceStopped) => {
                &self.out_of_service
            }
            Outcome::Dropped(DropReason::Expired | DropReason::QueueFull | DropReason::Other) => {
                &self.discarded
            }
        };
        counter.fetch_add(count, Ordering::Relaxed);
    }

    /// What was counted since the start or the last [`Self::reset`].
    #[must_use]
    pub fn counts(&self) -> ActionCounts {
        ActionCounts {
            success: self.success.load(Ordering::Relaxed),
            out_of_service: self.out_of_service.load(Ordering::Relaxed),
            unknown: self.unknown.load(Ordering::Relaxed),
            discarded: self.discarded.load(Ordering::Relaxed),
        }
    }

    /// Counts from zero again.
    pub fn reset(&self) {
        for counter in [&self.success, &self.out_of_service, &self.unknown, &self.discarded] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_have_keys_and_nobody_has_none() {
        assert_eq!(order_key(b"press-7"), order_key(b"press-7"));
        assert_ne!(order_key(b"press-7"), order_key(b"press-8"));
        assert_ne!(order_key(b""), 0);
    }

    #[test]
    fn an_end_is_counted_once_under_its_name() {
        let tally = RuleTally::new("r1");
        tally.count(Outcome::Success, 5);
        tally.count(Outcome::Failed, 1);
        tally.count(Outcome::Dropped(DropReason::ResourceStopped), 2);
        tally.count(Outcome::Dropped(DropReason::ResourceNotFound), 1);
        tally.count(Outcome::Dropped(DropReason::Expired), 4);
        tally.count(Outcome::Dropped(DropReason::QueueFull), 2);
        tally.count(Outcome::Dropped(DropReason::Other), 1);
        let counts = tally.counts();
        let expected = ActionCounts { success: 5, out_of_service: 3, unknown: 1, discarded: 7 };
        assert_eq!(counts, expected);
        assert_eq!(counts.failed(), 4);
        tally.reset();
        assert_eq!(tally.counts(), ActionCounts::default());
        assert_eq!(tally.id(), "r1");
    }
}
