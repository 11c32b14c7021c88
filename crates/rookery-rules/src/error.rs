//! What is wrong with a rule's text, and what went wrong with one message.

use std::fmt;

use thiserror::Error;

/// A rule that cannot be compiled, with the place in its SQL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct RuleError {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to write instead, when that is known.
    pub hint: Option<String>,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// An error of the text before its place is counted in lines.
#[derive(Debug)]
pub(crate) struct Mistake {
    /// Where it begins, in octets.
    pub at: usize,
    pub message: String,
    pub hint: Option<String>,
}

impl Mistake {
    pub fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), hint: None }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
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
    #[error("{function}: {message}")]
    Function {
        /// The function or operator.
        function: &'static str,
        /// What is wrong.
        message: String,
    },
    /// A number was compared with text that is no number.
    #[error("{0:?} is not a number")]
    NotANumber(String),
    /// A whole number became larger than 127 bits.
    #[error("integer overflow")]
    Overflow,
    /// A value would be nested too deeply.
    #[error("value is nested deeper than {}", crate::VALUE_DEPTH_MAX)]
    TooDeep,
    /// An array would have too many elements.
    #[error("array has more than {} elements", crate::ARRAY_ITEMS_MAX)]
    TooManyItems,
    /// The evaluation took more steps than a message may cost.
    #[error("rule did more work than one message may cost")]
    TooMuchWork,
    /// A result would be too large.
    #[error("result is larger than {0} octets")]
    TooLarge(usize),
    /// Octets that are not UTF-8 where text is needed.
    #[error("octets that are not UTF-8 cannot become JSON; use bin2hexstr or base64_encode")]
    NotText,
}

impl EvalError {
    pub(crate) fn function(function: &'static str, message: impl Into<String>) -> Self {
        Self::Function { function, message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_characters() {
        let error = Mistake::new(13, "no").placed("SELECT\n é, ü ?");
        assert_eq!((error.line, error.column), (2, 5));
        assert_eq!(error.to_string(), "line 2, column 5: no");
    }
}
