//! A compiled rule and what it makes of a message.

use crate::context::Context;
use crate::error::EvalError;
use crate::evaluate::Evaluation;
use crate::event::Event;
use crate::program::Program;
use crate::value::Map;

/// A compiled rule. It can be shared between threads.
#[derive(Debug)]
pub struct Rule {
    pub(crate) filters: Vec<String>,
    pub(crate) events: Vec<Event>,
    pub(crate) sources: Vec<String>,
    pub(crate) program: Program,
}

/// What a rule makes of a message.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// The condition is not met, or `FOREACH` found nothing.
    NoMatch,
    /// What `SELECT` selected.
    Row(Map<'a>),
    /// What `FOREACH` made, in order; at least one.
    Rows(Vec<Map<'a>>),
}

impl<'a> Outcome<'a> {
    /// The results, each of which every action gets.
    #[must_use]
    pub fn rows(&self) -> &[Map<'a>] {
        match self {
            Self::NoMatch => &[],
            Self::Row(row) => std::slice::from_ref(row),
            Self::Rows(rows) => rows,
        }
    }
}

impl Rule {
    /// The topic filters whose messages it sees.
    #[must_use]
    pub fn filters(&self) -> &[String] {
        &self.filters
    }

    /// The events that it sees, messages by topic filter apart.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The sources whose messages it sees, as they are written: `$bridges/mqtt:name`.
    #[must_use]
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Runs the rule on one message or event.
    ///
    /// What comes out borrows from the rule and from the message. Nothing is allocated when a
    /// condition that needs nothing of what is selected is false, save for decoding the payload,
    /// once for all rules that share `context`.
    ///
    /// # Errors
    ///
    /// What the rule fails with on this message; EMQX counts that as `failed.exception`.
    pub fn evaluate<'a>(&'a self, context: &'a Context<'_>) -> Result<Outcome<'a>, EvalError> {
        Evaluation::new(&self.program, context).run()
    }
}

const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Rule>();
};
