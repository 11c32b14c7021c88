//! From SQL to a tree.
//!
//! # Why a parser of our own
//!
//! The maintained parser for Rust is `sqlparser` (Apache-2.0; 0.63, several releases a
//! year). Its expressions carry most of EMQX's dialect, and its custom dialects reach some of the
//! rest (`mod`, `div`). What was found when it was tried on the dialect, with seven of its own:
//!
//! - `payload.a[1..3]` and `[1..5]` are lexed as the numbers `1.` and `.3`; no hook of a dialect
//!   comes before that. `null()`, `payload.1`, and columns named `interval` or `exists` do not
//!   parse either.
//! - A sum of 32,000 terms, which fits into 64 KB of SQL, parses within its recursion limit to a
//!   tree whose release overflows a stack of 2 MB: the process aborts. Whoever may test a rule
//!   could end the broker.
//! - It takes subqueries, windows, casts, intervals and some eighty other kinds of expression that
//!   would each have to be refused, with a place that not every node of its tree keeps.
//! - 69,000 lines would go into a broker that needs 950 of them.
//!
//! So the text is read here; `docs/internals/rule-sql.md` has what a switch would cost. What a rule
//! means is compared with an independent model (`tests/model.rs`) and fuzzed
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
