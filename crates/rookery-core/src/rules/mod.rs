//! Rules in the broker: what a rule hands over to an action, and how.
//!
//! - [`sink`]: where the results of rules go that an action on a connector is to send
//! - [`fields`]: which parts of a result an action wants, and how they are written as octets

pub mod fields;
pub mod sink;
