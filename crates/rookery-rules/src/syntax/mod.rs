//! From SQL to a tree.
//!
//! # Why a parser of our own
//!
//! The maintained parser for Rust is `sqlparser` (Apache-2.0; tried in 0.63). Its own lexer does
//! not read the dialect; fed with the tokens of ours, behind a front that cuts `FOREACH`, it reads
//! every statement as this one does. So it could be used. What stands against it:
//!
//! - What is wrong with a text is an English sentence there. Here it is a key that stays, with
//!   values, a Chinese text and often advice, which the editor, REST and `check-config` show.
//! - A release of a dependency could change what a rule may say.
//! - To release its tree of a long sum overflows a stack of 2 MB, which ends the process: a bound on
//!   chains would have to stand before it.
//!
//! `docs/internals/rule-sql.md` has the trial, what a switch would cost, and when to look again.
//! What a rule means is compared with an independent model (`tests/model.rs`) and fuzzed
//! (`fuzz/fuzz_targets/rule_sql.rs`).
//!
//! **Invariants:** recursion and the height of the tree are bounded by [`crate::DEPTH_MAX`], the
//! width of a chain by [`crate::CHAIN_MAX`], its size by [`crate::NODES_MAX`]; what walks the tree
//! needs no more stack than what built it.

pub(crate) mod ast;
mod expression;
mod lexer;
mod statement;

pub(crate) use statement::parse;
