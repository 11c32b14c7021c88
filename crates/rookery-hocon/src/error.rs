//! What can be wrong with a text, and where.

use thiserror::Error;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Something else had to stand here.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What may stand here.
        expected: &'static str,
        /// What does.
        found: String,
    },
    /// A character that unquoted text may not hold.
    #[error("`{0}` cannot stand in text without quotes: write the text in double quotes")]
    NeedsQuotes(char),
    /// A quoted text that does not end, or not on its line.
    #[error("a quoted text begins here and does not end{0}")]
    Unterminated(&'static str),
    /// A backslash with something that JSON does not know behind it.
    #[error("`\\{0}` is not an escape: use \\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\uXXXX")]
    BadEscape(String),
    /// A substitution without `?` that nothing defines.
    #[error(
        "${{{0}}} is not defined, neither here nor in the environment; ${{?{0}}} makes it optional"
    )]
    Undefined(String),
    /// A substitution that needs itself.
    #[error("${{{0}}} refers to itself")]
    Cycle(String),
    /// Arrays, objects and text side by side in one value.
    #[error("an array, an object and text cannot be put together in one value")]
    MixedConcatenation,
    /// `include` of something that cannot be included.
    #[error("include {0:?}: {1}")]
    Include(String, String),
    /// One of the crate's limits.
    #[error("too much: {0}")]
    TooMuch(&'static str),
}

/// What is wrong, with the place where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{source_name}:{}: {kind}", place(*.line, *.column))]
pub struct HoconError {
    /// File or name given to [`crate::parse`].
    pub source_name: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1; 0 when only the line is known.
    pub column: u32,
    /// What is wrong.
    pub kind: ErrorKind,
}

fn place(line: u32, column: u32) -> String {
    if column == 0 { line.to_string() } else { format!("{line}:{column}") }
}
