//! What is wrong with a rule's text, and what went wrong with one message.

use std::fmt;

use thiserror::Error;

use crate::messages::{self, Said};

/// A rule that cannot be compiled, with the place in its SQL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct RuleError {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: Said,
    /// What to write instead, when that is known.
    pub hint: Option<Said>,
}

impl RuleError {
    /// All of it as one text.
    #[must_use]
    pub fn said(&self) -> Said {
        let placed = messages::at_place(self.line, self.column, self.message.clone());
        match &self.hint {
            Some(hint) => messages::with_hint(placed, hint.clone()),
            None => placed,
        }
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.said().fmt(f)
    }
}

/// An error of the text before its place is counted in lines.
#[derive(Debug)]
pub(crate) struct Mistake {
    /// Where it begins, in octets.
    pub at: usize,
    pub message: Said,
    pub hint: Option<Said>,
}

impl Mistake {
    pub const fn new(at: usize, message: Said) -> Self {
        Self { at, message, hint: None }
    }

    pub fn hint(mut self, hint: Said) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The error as the caller sees it; `sql` is the text it is about.
    pub fn placed(self, sql: &str) -> RuleError {
        let mut at = self.at.min(sql.len());
        while !sql.is_char_boundary(at) {
            at -= 1;
        }
        let before = sql.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        RuleError {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            message: self.message,
            hint: self.hint,
        }
    }
}

/// Why a rule failed on a message. EMQX counts it as `failed.exception`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A function was given a value it does not take.
    Function {
        /// The function or operator.
        function: &'static str,
        /// What is wrong.
        message: Said,
    },
    /// A number was compared with text that is no number.
    NotANumber(String),
    /// A whole number became larger than 127 bits.
    Overflow,
    /// A value would be nested too deeply.
    TooDeep,
    /// An array would have too many elements.
    TooManyItems,
    /// Text or a payload is JSON with more values or levels than a rule may look into.
    JsonTooLarge,
    /// The evaluation took more steps than a message may cost.
    TooMuchWork,
    /// All rules of a message took more steps than it may cost.
    TooMuchWorkTogether,
    /// A result would be too large.
    TooLarge(usize),
    /// Octets that are not UTF-8 where text is needed.
    NotText,
}

impl EvalError {
    pub(crate) const fn function(function: &'static str, message: Said) -> Self {
        Self::Function { function, message }
    }

    /// What went wrong.
    #[must_use]
    pub fn said(&self) -> Said {
        match self {
            Self::Function { function, message } => {
                messages::function_failed(*function, message.clone())
            }
            Self::NotANumber(text) => messages::not_a_number(format!("{text:?}")),
            Self::Overflow => messages::overflow(),
            Self::TooDeep => messages::value_too_deep(crate::VALUE_DEPTH_MAX),
            Self::TooManyItems => messages::too_many_items(crate::ARRAY_ITEMS_MAX),
            Self::JsonTooLarge => {
                messages::json_too_large(crate::JSON_VALUES_MAX, crate::json::JSON_DEPTH_MAX)
            }
            Self::TooMuchWork => messages::too_much_work(),
            Self::TooMuchWorkTogether => messages::too_much_work_together(),
            Self::TooLarge(most) => messages::too_large(*most),
            Self::NotText => messages::not_text(),
        }
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.said().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_characters() {
        let error = Mistake::new(13, messages::no_parts()).placed("SELECT\n é, ü ?");
        assert_eq!((error.line, error.column), (2, 5));
        assert!(error.to_string().starts_with("line 2, column 5: only a column"));
    }
}
