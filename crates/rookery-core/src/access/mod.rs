//! Access control: who may connect, who may publish and subscribe to what.
//!
//! Owns rules and bans in the form that a check needs, counters of clients that come and go or
//! fail to log in, and the answers kept per connection. Knows no connection and asks nobody:
//! `shard` does, with what it finds here.

mod bans;
mod cache;
mod certificate;
mod compiled;
mod config;
mod counters;
mod crowd;
mod error;
mod judge;
mod links;
mod network;
mod pattern;
mod quick;
mod rules;
mod subject;
mod table;
#[cfg(test)]
mod tests;
mod who;

pub use bans::BanTable;
pub use cache::{ANSWERS_MAX, AnswerCache};
pub use certificate::field_of;
pub use compiled::Compiled;
pub use config::{
    AclAction, AclRule, AclSource, AclSourceKind, AclTopic, AclWho, AclWhoKind,
    AuthorizationConfig, Ban, BanKind, DenyAction, FlappingConfig, LoginBackoffConfig,
    PeerCertField, Permission,
};
pub use counters::{FlappingTable, LoginBackoff};
pub use crowd::{Crowd, is_crowded};
pub use error::AccessError;
pub use judge::{Judge, Judgement, is_reserved};
pub use links::{LinkAccept, LinkCounters, LinkEntry, LinkGate};
pub use network::Network;
pub use rules::{Hit, RuleTable};
pub use subject::{Subject, checked_topic};
pub use table::{AccessTable, Explanation, Origin, Outcome};
