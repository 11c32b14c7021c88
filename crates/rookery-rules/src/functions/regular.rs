//! Regular expressions.
//!
//! The `regex` crate takes time linear in the text, whatever the expression; for that it has no
//! look-around and no back-references. Expressions that are written down in a rule are compiled
//! with it; others are compiled on each call, which costs a good part of the message's work.

use std::borrow::Cow;

use regex::bytes::{Regex, RegexBuilder};

use super::{Call, Function, Out, differs};
use crate::REGEX_BYTES_MAX;
use crate::error::EvalError;
use crate::messages::{self, Said};
use crate::value::Value;

/// Most octets of an expression.
const PATTERN_BYTES_MAX: usize = 4096;
/// What compiling one costs in units of work.
const COMPILE_WORK: u64 = 50_000;

const HOW: &str = "linear in time: no look-around, no back-references inside an expression; \\d \\w \\s know Unicode";

pub(super) const TABLE: &[Function] = &[
    differs(
        "regex_match",
        (2, 2),
        regex_match,
        &[
            (r"regex_match('123', '^\d+$')", "true"),
            (r"regex_match('a23', '^\d+$')", "false"),
            ("regex_match(clientid, concat('^c_', 'e'))", "true"),
        ],
        HOW,
    ),
    differs(
        "regex_replace",
        (3, 3),
        regex_replace,
        &[
            (r"regex_replace('hello 123', '\d+', 'world')", "\"hello world\""),
            (r"regex_replace('a;b; c', ';\s*', ',')", "\"a,b,c\""),
            (r"regex_replace('ab', '(a)(b)', '\2\1&')", "\"baab\""),
        ],
        HOW,
    ),
    differs(
        "regex_extract",
        (2, 2),
        regex_extract,
        &[
            (r"regex_extract('Number: 12345', '(\d+)')", r#"["12345"]"#),
            (r"regex_extract('none', '(\d+)')", "[]"),
            (r"regex_extract('2021-05-20', '(\d{4})-(\d{2})-(\d{2})')", r#"["2021","05","20"]"#),
        ],
        HOW,
    ),
];

/// Compiles an expression within its bounds; the error says what is wrong with it.
pub(crate) fn compile(pattern: &[u8]) -> Result<Regex, Said> {
    let Ok(pattern) = std::str::from_utf8(pattern) else {
        return Err(messages::regex_not_utf8());
    };
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(messages::regex_too_long(PATTERN_BYTES_MAX));
    }
    let regex = RegexBuilder::new(pattern)
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_BYTES_MAX)
        .nest_limit(64)
        .build();
    regex.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => messages::regex_too_large(),
        // The last line says what; those before draw where.
        error => {
            let text = error.to_string();
            messages::regex_wrong(text.lines().last().unwrap_or_default().trim())
        }
    })
}

fn expression<'e>(c: &Call<'e, '_, '_>) -> Result<Cow<'e, Regex>, EvalError> {
    if let Some(regex) = c.regex {
        return Ok(Cow::Borrowed(regex));
    }
    let pattern = c.bytes(1)?;
    c.work.spend(COMPILE_WORK)?;
    compile(pattern).map(Cow::Owned).or_else(|message| c.fail(message))
}

fn regex_match<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let bytes = c.bytes(0)?;
    c.work.spend_bytes(bytes.len())?;
    Ok(Value::Bool(expression(c)?.is_match(bytes)))
}

fn regex_replace<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let (bytes, with) = (c.bytes(0)?, c.bytes(2)?);
    let regex = expression(c)?;
    let pieces = pieces(with);
    let mut out = Vec::with_capacity(bytes.len());
    let mut first = 0;
    for found in regex.captures_iter(bytes) {
        let Some(whole) = found.get(0) else { continue };
        out.extend_from_slice(bytes.get(first..whole.start()).unwrap_or_default());
        first = whole.end();
        for piece in &pieces {
            out.extend_from_slice(match piece {
                Piece::Plain(text) => text,
                Piece::Group(group) => found.get(*group).map_or(&[], |found| found.as_bytes()),
            });
            c.fits(out.len())?;
        }
        c.work.spend(1 + pieces.len() as u64)?;
    }
    out.extend_from_slice(bytes.get(first..).unwrap_or_default());
    c.make(out)
}

enum Piece<'t> {
    Plain(&'t [u8]),
    Group(usize),
}

/// The replacement as Erlang reads it: `&` and `\0` are all that was found, `\1` is a group,
/// `\&` and `\\` are themselves.
fn pieces(with: &[u8]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = with;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'&' | b'\\')) {
        let (before, after) = rest.split_at(at);
        pieces.push(Piece::Plain(before));
        let (piece, used) = match after {
            [b'&', ..] => (Piece::Group(0), 1),
            [_, digit @ b'0'..=b'9', ..] => (Piece::Group(usize::from(digit - b'0')), 2),
            [_, b'&' | b'\\', ..] => (Piece::Plain(after.get(1..2).unwrap_or_default()), 2),
            _ => (Piece::Plain(after.get(..1).unwrap_or_default()), 1),
        };
        pieces.push(piece);
        rest = after.get(used..).unwrap_or_default();
    }
    pieces.push(Piece::Plain(rest));
    pieces
}

fn regex_extract<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let bytes = c.bytes(0)?;
    c.work.spend_bytes(bytes.len())?;
    let regex = expression(c)?;
    let Some(found) = regex.captures(bytes) else { return c.list(Vec::new()) };
    let groups = found.iter().skip(1).map(|group| match group {
        Some(group) => c.part(0, group.range()),
        None => Ok(Value::from("")),
    });
    c.list(groups.collect::<Result<_, _>>()?)
}
