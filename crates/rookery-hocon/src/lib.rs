//! HOCON as EMQX 5 writes it: from text to a tree in which every value knows its file and line.
//!
//! # Layout
//!
//! - [`parse`]: the way in; [`Document`], [`Value`], [`Node`]: what comes out
//! - `parser` reads text into a raw tree (`raw`) in which references are still open
//! - `resolve` closes them: `${a.b}`, `${?a}`, self references, environment
//! - [`Includes`]: where other files and variables come from; [`FileIncludes`] reads real ones
//!
//! # What is understood
//!
//! Keys as paths (`a.b."c.d"`), `=`, `:`, `+=`, `{` without either; newlines as commas; comments
//! with `#` and `//`; quoted text with JSON's escapes, triple quotes, EMQX's indented triple quotes
//! (`"""~` … `~"""`); objects that merge; arrays, their concatenation, and patches of an element by
//! its 1-based index (`authentication.1.enable = false`); `${a}`, `${?a}` with the environment
//! behind; `include "file"`, `include file("…")`, `include required(…)`. Durations, sizes and
//! percentages are text: what they mean is the schema's business.
//!
//! Where EMQX's parser and the specification differ: `@` may stand in unquoted text (EMQX); arrays
//! and objects go on after a newline (EMQX); blanks between words of one value are kept
//! (specification); text does not go on after a newline (specification).
//!
//! # Why a parser of our own
//!
//! Measured on a file of 300 listeners with what PyPI had, Python 3.11, one core: pyhocon 0.3.63
//! 0.04 MB/s, hocon-parser 1.14 0.02 MB/s, pulse-pyhocon 0.2 2.5 MB/s, zig-hocon 0.5 13 MB/s; this
//! one 20 MB/s. pyhocon, hocon2 and pulse-pyhocon fail on quoted keys inside paths, array indexes,
//! array concatenation and deep nesting; pyhocon and hocon2 turn `15s` into other types; zig-hocon
//! and hocon-parser refuse `emqx@127.0.0.1` without quotes, and zig-hocon arrays that go on after a
//! newline; an element set by index replaces its array there, EMQX's indented triple quotes stay as
//! they are, and what comes out does not say in which file and line a value was written.
//!
//! **Invariants:** nothing panics and nothing grows without bound, whatever the text: nesting, the
//! number of files, of values and of bytes after substitution have limits.
#![forbid(unsafe_code)]

mod cursor;
mod document;
mod error;
mod includes;
mod parser;
mod raw;
mod resolve;
mod text;

pub use document::{Document, Missing, Node, Origin, Value};
pub use error::{ErrorKind, HoconError};
pub use includes::{FileIncludes, Included, Includes, NoIncludes};

/// Most keys and arrays on the way to a value.
pub const DEPTH_MAX: usize = 128;
/// Most files in one document, and most that it may miss.
pub const FILES_MAX: usize = 256;
/// Most bytes of all files together.
pub const INPUT_BYTES_MAX: usize = 64 << 20;
/// Most values after substitution.
pub const VALUES_MAX: usize = 1_000_000;
/// Most bytes of text after substitution.
pub const TEXT_BYTES_MAX: usize = 256 << 20;

/// Parse `text`, which came from `source` (a path, or a name for messages).
///
/// # Errors
///
/// The first thing that is wrong, with its place.
pub fn parse(
    text: &str,
    source: &str,
    resolver: &mut dyn Includes,
) -> Result<Document, HoconError> {
    let read = parser::parse(text, source, resolver)?;
    let root = resolve::resolve(&read.root, &read.sources, resolver)?;
    Ok(Document { root, sources: read.sources, missing: read.missing })
}
