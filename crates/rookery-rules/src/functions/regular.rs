//! Regular expressions.
//!
//! The `regex` crate takes time linear in the text, whatever the expression; for that it has no
//! look-around and no back-references. How much for each octet depends on the expression: up to a
//! step for each of its parts, which is what a search is charged. Expressions that are written down
//! in a rule are compiled with it; others are compiled on each call, which costs a good part of the
//! message's work.

use std::borrow::Cow;
use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind};

use super::{Call, Function, Out, differs};
use crate::REGEX_BYTES_MAX;
use crate::error::EvalError;
use crate::messages::{self, Said};
use crate::value::Value;

/// Most octets of an expression.
const PATTERN_BYTES_MAX: usize = 4096;
/// What compiling one costs in units of work.
const COMPILE_WORK: u64 = 50_000;
/// Deepest nesting of an expression.
const NEST_MAX: u32 = 64;
/// Octets for which a search is charged the parts of its expression once. Few expressions need a step
/// for each part of them, and none needs more.
const BYTES_PER_SEARCH: u64 = 16;
/// The same of a search that also says where its groups are.
const BYTES_PER_CAPTURE: u64 = 2;

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

/// An expression that was compiled, and what a search with it costs.
#[derive(Debug, Clone)]
pub(crate) struct Regular {
    regex: Regex,
    /// How many places of the expression a search may be at, at the same time.
    parts: u64,
    /// Whether a search may look far beyond what it finds, each time anew.
    looks_far: bool,
}

impl Regular {
    /// Compiles an expression within its bounds; the error says what is wrong with it.
    pub(crate) fn compile(pattern: &[u8]) -> Result<Self, Said> {
        let Ok(pattern) = std::str::from_utf8(pattern) else {
            return Err(messages::regex_not_utf8());
        };
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(messages::regex_too_long(PATTERN_BYTES_MAX));
        }
        let regex = RegexBuilder::new(pattern)
            .size_limit(REGEX_BYTES_MAX)
            .dfa_size_limit(REGEX_BYTES_MAX)
            .nest_limit(NEST_MAX)
            .build();
        let regex = regex.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => messages::regex_too_large(),
            // The last line says what; those before draw where.
            error => {
                let text = error.to_string();
                messages::regex_wrong(text.lines().last().unwrap_or_default().trim())
            }
        })?;
        let parsed = ParserBuilder::new().utf8(false).nest_limit(NEST_MAX).build().parse(pattern);
        let tree = parsed.map_err(|_| messages::regex_too_large())?;
        Ok(Self { regex, parts: parts(&tree), looks_far: looks_far(&tree, false) })
    }

    /// Units of work of a search through `bytes` octets.
    const fn search_work(&self, bytes: usize, bytes_per_step: u64) -> u64 {
        (bytes as u64).saturating_mul(self.parts.saturating_add(4)) / bytes_per_step
    }

    /// The same of a search that says where each of its groups is: they are kept for each place.
    fn capture_work(&self, bytes: usize) -> u64 {
        let groups = self.regex.captures_len() as u64;
        self.search_work(bytes, BYTES_PER_CAPTURE).saturating_mul(groups)
    }
}

/// Places in an expression, with those of what is repeated.
fn parts(tree: &Hir) -> u64 {
    match tree.kind() {
        HirKind::Empty => 0,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(_) | HirKind::Look(_) => 1,
        HirKind::Capture(group) => parts(&group.sub).saturating_add(2),
        HirKind::Repetition(repeated) => {
            let times = repeated.max.unwrap_or(repeated.min.saturating_add(1)).max(1);
            (parts(&repeated.sub).saturating_add(1)).saturating_mul(times.into())
        }
        HirKind::Concat(all) | HirKind::Alternation(all) => {
            all.iter().map(|part| parts(part).saturating_add(1)).fold(0, u64::saturating_add)
        }
    }
}

/// Whether a repetition without an end stands where a match may be found without it: then looking
/// whether it can be longer may go through the rest of the text, for nothing.
fn looks_far(tree: &Hir, may_be_left_out: bool) -> bool {
    match tree.kind() {
        HirKind::Repetition(repeated) => {
            (repeated.max.is_none() && may_be_left_out) || looks_far(&repeated.sub, true)
        }
        HirKind::Capture(group) => looks_far(&group.sub, may_be_left_out),
        HirKind::Concat(all) => all.iter().any(|part| looks_far(part, may_be_left_out)),
        HirKind::Alternation(all) => all.iter().any(|part| looks_far(part, true)),
        _ => false,
    }
}

fn expression<'e>(c: &Call<'e, '_, '_>) -> Result<Cow<'e, Regular>, EvalError> {
    if let Some(regex) = c.regex {
        return Ok(Cow::Borrowed(regex));
    }
    let pattern = c.bytes(1)?;
    c.work.spend(COMPILE_WORK)?;
    Regular::compile(pattern).map(Cow::Owned).or_else(|message| c.fail(message))
}

fn regex_match<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let bytes = c.bytes(0)?;
    let expression = expression(c)?;
    c.work.spend(expression.search_work(bytes.len(), BYTES_PER_SEARCH))?;
    Ok(Value::Bool(expression.regex.is_match(bytes)))
}

fn regex_replace<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let (bytes, with) = (c.bytes(0)?, c.bytes(2)?);
    let expression = expression(c)?;
    let pieces = pieces(with);
    let mut replaced = Replaced { expression: &expression, bytes, out: Vec::new(), first: 0 };
    // Where groups are is found out only when the replacement names one.
    if pieces.iter().any(|piece| matches!(piece, Piece::Group(1..))) {
        c.work.spend(expression.capture_work(bytes.len()))?;
        for found in expression.regex.captures_iter(bytes) {
            let Some(whole) = found.get(0) else { continue };
            c.work.spend(found.len() as u64)?;
            let group = |group| found.get(group).map_or(&[][..], |found| found.as_bytes());
            replaced.put(c, whole.range(), &pieces, group)?;
        }
    } else {
        c.work.spend(expression.search_work(bytes.len(), BYTES_PER_SEARCH))?;
        for whole in expression.regex.find_iter(bytes) {
            replaced.put(c, whole.range(), &pieces, |_| whole.as_bytes())?;
        }
    }
    let Replaced { mut out, first, .. } = replaced;
    out.extend_from_slice(bytes.get(first..).unwrap_or_default());
    c.make(out)
}

/// A text that is being made of `bytes`.
struct Replaced<'e> {
    expression: &'e Regular,
    bytes: &'e [u8],
    out: Vec<u8>,
    /// What is before it is done.
    first: usize,
}

impl Replaced<'_> {
    /// Puts `pieces` in the place of what was found at `whole`.
    fn put<'g>(
        &mut self,
        c: &Call<'_, '_, '_>,
        whole: Range<usize>,
        pieces: &[Piece<'_>],
        group: impl Fn(usize) -> &'g [u8],
    ) -> Result<(), EvalError> {
        if self.expression.looks_far {
            let rest = self.bytes.len() - whole.end;
            c.work.spend(self.expression.search_work(rest, BYTES_PER_SEARCH))?;
        }
        let before = self.bytes.get(self.first..whole.start).unwrap_or_default();
        self.out.extend_from_slice(before);
        self.first = whole.end;
        for piece in pieces {
            self.out.extend_from_slice(match piece {
                Piece::Plain(text) => text,
                Piece::Group(number) => group(*number),
            });
            c.fits(self.out.len())?;
        }
        c.work.spend(1 + pieces.len() as u64)
    }
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
    let expression = expression(c)?;
    c.work.spend(expression.search_work(bytes.len(), BYTES_PER_SEARCH))?;
    let Some(whole) = expression.regex.find(bytes) else { return c.list(Vec::new()) };
    // Where the groups are is looked for in what was found.
    c.work.spend(expression.capture_work(whole.len()))?;
    let Some(found) = expression.regex.captures_at(bytes, whole.start()) else {
        return c.list(Vec::new());
    };
    let groups = found.iter().skip(1).map(|group| match group {
        Some(group) => c.part(0, group.range()),
        None => Ok(Value::from("")),
    });
    c.list(groups.collect::<Result<_, _>>()?)
}
