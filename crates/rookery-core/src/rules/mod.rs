//! Rules in the broker: which messages and events they see, what they make of them, and where
//! that goes.
//!
//! - [`set`]: all rules of a node, replaced as a whole; their numbers stand in the subscription trie
//! - `columns`, [`happening`]: what rules read of messages and of events
//! - `run`: runs rules and gathers what they want done
//! - [`republish`]: a result becomes a message
//! - [`sink`]: where the results of rules go that an action on a connector is to send
//! - [`fields`]: which parts of a result an action wants, and how they are written as octets
//! - [`local_time`]: how far local time is ahead of UTC
//! - [`record`]: an item that waits on disk
//! - [`counters`]: what a rule counts
//! - `properties`: properties of packets in events
//! - [`trial`]: what comes out of a rule for columns that a person wrote down
//!
//! **Invariants.** A message that no rule wants pays one look at a length, an event that no rule
//! wants one branch. A chain of rules that republish to each other ends.

pub(crate) mod columns;
pub mod counters;
pub mod fields;
pub mod happening;
pub mod local_time;
pub(crate) mod properties;
pub mod record;
pub mod republish;
pub(crate) mod run;
pub mod set;
pub mod sink;
pub mod trial;

pub use counters::{RuleCounters, RuleCounts};
pub use happening::{Fact, Happening};
pub use local_time::LocalTime;
pub use republish::{Republish, RepublishError, RepublishSpec};
pub use set::{Output, RuleDraft, RuleSet, RuleSetError, Surroundings};
