//! Rules in EMQX's SQL dialect: compiled once, evaluated for each message, without I/O.
//!
//! ```
//! use rookery_rules::{Column, Context, Event, Record, Template, World, compile};
//!
//! let rule = compile(r#"SELECT payload.t AS t, clientid FROM "line/3/#" WHERE payload.t > 80"#)?;
//! assert_eq!(rule.filters(), ["line/3/#"]);
//!
//! let message = Record::new(Event::MessagePublish)
//!     .with(Column::ClientId, "press-7")
//!     .with(Column::Payload, r#"{"t": 81.5}"#);
//! let context = Context::new(&message, World::at(0, 1));
//! let topic = Template::parse("alarm/${clientid}")?;
//! for row in rule.evaluate(&context)?.rows() {
//!     let mut out = Vec::new();
//!     topic.render(row, 65_535, &mut out)?;
//!     assert_eq!(out, b"alarm/press-7");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layout
//!
//! - [`compile`], [`Rule`], [`Outcome`]: the way in and what comes out; [`Template`] for outputs, with [`Parts`]
//! - [`Context`], [`Source`], [`World`]: what a rule reads; [`Record`] for tests of rules
//! - [`Event`], [`EVENTS`], [`Column`]: what there is to select from
//! - [`functions`]: every function that EMQX documents, with examples that a test runs
//! - [`messages`]: what is said about rules, by key
//! - `syntax` reads text into a tree, `compile` makes it a `program`, `evaluate` runs that
//!
//! # Cost
//!
//! Columns are asked for one by one and borrowed. A `WHERE` that needs nothing of what is selected
//! runs first, and allocates nothing when it is false, save that the first rule of a message that
//! looks into the payload has it decoded, for all of them.
//!
//! # Bounds
//!
//! Everything a rule or a message can make large has a limit here, and an evaluation has a budget
//! of work: [`WORK_MAX`] units, one for each node that is evaluated and one for each
//! [`BYTES_PER_WORK`] octets that a function reads or writes. Regular expressions are linear in
//! their text. What is too much is an error of that rule for that message. All rules of a message
//! together have [`MESSAGE_WORK_MAX`]; when that is gone each may still take [`FREE_WORK`], so that
//! those which cost little run beside those which cost too much.
//!
//! # Where it differs from EMQX
//!
//! - `WHERE` runs before `SELECT` when it can: a rule whose selection would fail on a message that
//!   does not match fails in EMQX, and does not match here.
//! - In `WHERE` a value that is not a boolean does not match; in EMQX some of them fail the rule.
//! - Values without `AS` that are not paths are named by their text; EMQX makes up a name.
//! - Whole numbers have 127 bits and not any number of them.
//! - Maps keep the order of their keys.
//! - [`functions`] lists what differs by function.
//!
//! **Invariants:** nothing panics, whatever the rule and the message; evaluation depends on
//! nothing but the rule, the columns and the [`World`].
#![forbid(unsafe_code)]

mod column;
mod compare;
mod compile;
mod context;
mod error;
mod evaluate;
mod event;
pub mod functions;
mod json;
pub mod messages;
mod parts;
mod path;
mod program;
mod rule;
mod syntax;
mod template;
mod value;

pub use column::Column;
pub use compile::compile;
pub use context::{Context, Record, Source, World};
pub use error::{EvalError, RuleError};
pub use event::{EVENTS, Event, EventInfo, TestColumn, Texts};
pub use json::{
    Invalid, JSON_VALUES_MAX, decode as decode_json, encode as encode_json,
    encode_map as encode_json_map,
};
pub use parts::Parts;
pub use rule::{Outcome, Rule};
pub use template::{Template, TemplateError};
pub use value::{Array, Map, Text, VALUE_DEPTH_MAX, Value};

/// Most octets of a rule's SQL.
pub const SQL_BYTES_MAX: usize = 64 << 10;
/// Deepest nesting of an expression, and most parts of a path.
pub const DEPTH_MAX: usize = 128;
/// Most parts of one chain, such as `a OR b OR c` or `a + b - c`: it is no nesting.
pub const CHAIN_MAX: usize = 4096;
/// Most parts of all expressions of a rule together.
pub const NODES_MAX: usize = 16_384;
/// Most sources behind FROM.
pub const FROM_MAX: usize = 128;
/// Most elements of an array that a rule makes.
pub const ARRAY_ITEMS_MAX: usize = 65_536;
/// Most octets of one value that a function makes, and of what a decompression yields.
pub const TEXT_BYTES_MAX: usize = 4 << 20;
/// Units of work that a rule may take for one message.
pub const WORK_MAX: u64 = 1_000_000;
/// Units of work that all rules together may take for one message.
pub const MESSAGE_WORK_MAX: u64 = 2_000_000;
/// Units of work that a rule may take for a message whose rules have had all of theirs.
pub const FREE_WORK: u64 = 256;
/// Octets read or written that count as one unit of work.
pub const BYTES_PER_WORK: usize = 32;
/// Most octets of a compiled regular expression.
pub const REGEX_BYTES_MAX: usize = 256 << 10;
