//! Text. Lengths and positions count what a reader sees as one character, as in EMQX.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::{Call, Function, Out, differs, print, same, unescape};
use crate::error::EvalError;
use crate::messages;
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    same(
        "ascii",
        (1, 1),
        ascii,
        &[
            ("ascii('a')", "97"),
            ("ascii('abc')", "97"),
            ("ascii('')", "ascii: the string is empty"),
        ],
    ),
    same(
        "concat",
        (1, 2),
        concat,
        &[
            ("concat('Name:', 'John')", "\"Name:John\""),
            ("concat('n', 1)", "\"n1\""),
            ("concat(['a', 1, true])", "\"a1true\""),
        ],
    ),
    same(
        "find",
        (2, 3),
        find,
        &[
            ("find('..., Value: 1.2', 'Value:')", "\"Value: 1.2\""),
            ("find('..., Value: 1.2', 'Data')", "\"\""),
            ("find('Front, Middle, End', ', ', 'trailing')", "\", End\""),
        ],
    ),
    same(
        "join_to_string",
        (1, 2),
        join_to_string,
        &[
            ("join_to_string(', ', ['a', 'b', 'c'])", "\"a, b, c\""),
            ("join_to_string(['a', 1])", "\"a, 1\""),
        ],
    ),
    same(
        "join_to_sql_values_string",
        (1, 1),
        join_to_sql_values_string,
        &[
            ("join_to_sql_values_string(['a', 1, [2]])", "\"'a', 1, '[2]'\""),
            ("join_to_sql_values_string(['it''s'])", r#""'it\\'s'""#),
        ],
    ),
    same("lower", (1, 1), lower, &[("lower('Hello')", "\"hello\""), ("lower('ÄÖ')", "\"äö\"")]),
    same("ltrim", (1, 1), |c| trim(c, true, false), &[("ltrim('  hello  ')", "\"hello  \"")]),
    same(
        "pad",
        (2, 4),
        pad,
        &[
            ("pad('hello', 8)", "\"hello   \""),
            ("pad('hello', 8, 'leading')", "\"   hello\""),
            ("pad('hello', 8, 'both')", "\" hello  \""),
            ("pad('hello', 8, 'trailing', 'abc')", "\"helloabcabcabc\""),
        ],
    ),
    same(
        "replace",
        (3, 4),
        replace,
        &[
            ("replace('ab..cd..ef', '..', '**')", "\"ab**cd**ef\""),
            ("replace('ab..cd..ef', '..', '**', 'leading')", "\"ab**cd..ef\""),
            ("replace('ab..cd..ef', '..', '**', 'trailing')", "\"ab..cd**ef\""),
        ],
    ),
    same("reverse", (1, 1), reverse, &[("reverse('hello')", "\"olleh\"")]),
    same(
        "rm_prefix",
        (2, 2),
        rm_prefix,
        &[
            ("rm_prefix('foo/bar', 'foo/')", "\"bar\""),
            ("rm_prefix('foo/bar', 'xxx/')", "\"foo/bar\""),
        ],
    ),
    same("rtrim", (1, 1), |c| trim(c, false, true), &[("rtrim('  hello  ')", "\"  hello\"")]),
    same(
        "split",
        (2, 3),
        split,
        &[
            ("split('a;;b;c;', ';')", r#"["a","b","c"]"#),
            ("split('a;;b', ';', 'notrim')", r#"["a","","b"]"#),
            ("split('a;b;c', ';', 'leading')", r#"["a","b;c"]"#),
            ("split('a;b;c', ';', 'trailing')", r#"["a;b","c"]"#),
            ("split(';a', ';', 'leading_notrim')", r#"["","a"]"#),
        ],
    ),
    differs(
        "sprintf",
        (1, 32),
        print::sprintf,
        &[
            ("sprintf('hello, ~s!', 'steve')", "\"hello, steve!\""),
            ("sprintf('~.2f|~5w|~-5w|~p~n', 3.14159, 7, 7, 'x')", r#""3.14|    7|7    |\"x\"\n""#),
        ],
        "values print as JSON where Erlang prints its own terms; ~c ~w ~p ~s ~b ~f ~e ~g ~n ~~ with width, precision and pad are known",
    ),
    differs(
        "sprintf_s",
        (2, 2),
        print::sprintf_s,
        &[("sprintf_s('~s-~s', ['a', 1])", "\"a-1\"")],
        "as sprintf",
    ),
    same("strlen", (1, 1), strlen, &[("strlen('hello')", "5"), ("strlen('你好')", "2")]),
    same(
        "substr",
        (2, 3),
        substr,
        &[
            ("substr('hello world', 6)", "\"world\""),
            ("substr('hello world!', 6, 5)", "\"world\""),
            ("substr('hello', -3, 2)", "\"ll\""),
        ],
    ),
    same(
        "tokens",
        (2, 3),
        tokens,
        &[
            ("tokens('a,b;c,,d', ',;')", r#"["a","b","c","d"]"#),
            ("tokens(unescape('a\\rb\\nc'), ';', 'nocrlf')", r#"["a","b","c"]"#),
        ],
    ),
    same("trim", (1, 1), |c| trim(c, true, true), &[("trim('  hello  ')", "\"hello\"")]),
    same(
        "unescape",
        (1, 1),
        unescape::unescape,
        &[
            (r"unescape('a\n\x41')", r#""a\nA""#),
            (r"unescape('\q')", r#"unescape: "\\q" is no escape"#),
        ],
    ),
    same("upper", (1, 1), upper, &[("upper('hello')", "\"HELLO\"")]),
];

fn ascii<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    match c.bytes(0)?.first() {
        Some(byte) => Ok(Value::Int((*byte).into())),
        None => c.fail(messages::string_empty()),
    }
}

/// Several values as one text, with `between` between them.
pub(crate) fn joined<'a>(c: &Call<'_, 'a, '_>, values: &[Value<'a>], between: &[u8]) -> Out<'a> {
    let mut out = Vec::new();
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(between);
        }
        c.put_text(value, &mut out)?;
    }
    c.make(out)
}

fn concat<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    match c.count() {
        1 => joined(c, c.array(0)?.items(), b""),
        _ => joined(c, c.arguments, b""),
    }
}

fn join_to_string<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    match c.count() {
        1 => joined(c, c.array(0)?.items(), b", "),
        _ => joined(c, c.array(1)?.items(), c.bytes(0)?),
    }
}

/// Values for `VALUES (…)` of an SQL statement, quoted as EMQX quotes them.
fn join_to_sql_values_string<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let mut out = Vec::new();
    for (at, value) in c.array(0)?.items().iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(b", ");
        }
        match value {
            Value::Undefined | Value::Null => out.extend_from_slice(b"NULL"),
            Value::Text(_) | Value::Array(_) | Value::Map(_) => {
                let mut text = Vec::new();
                c.put_text(value, &mut text)?;
                out.push(b'\'');
                for byte in text {
                    if matches!(byte, b'\'' | b'\\') {
                        out.push(b'\\');
                    }
                    out.push(byte);
                }
                out.push(b'\'');
            }
            value => c.put_text(value, &mut out)?,
        }
        c.fits(out.len())?;
    }
    c.make(out)
}

fn find<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let (text, pattern) = (c.text(0)?, c.text(1)?);
    let at = match c.word(2, "leading")? {
        "leading" => text.find(pattern),
        "trailing" => text.rfind(pattern),
        other => return c.unknown_word(other),
    };
    match at {
        Some(at) => c.part(0, at..text.len()),
        None => Ok(Value::from("")),
    }
}

fn lower<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    c.make(c.text(0)?.to_lowercase())
}

fn upper<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    c.make(c.text(0)?.to_uppercase())
}

fn trim<'a>(c: &Call<'_, 'a, '_>, left: bool, right: bool) -> Out<'a> {
    let text = c.text(0)?;
    let first = if left { text.len() - text.trim_start().len() } else { 0 };
    let last = if right { text.trim_end().len() } else { text.len() };
    c.part(0, first..last.max(first))
}

fn pad<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let (text, length) = (c.text(0)?, c.size(1)?);
    let missing = length.saturating_sub(characters(c, text)?);
    let filler = c.word(3, " ")?;
    c.fits(text.len().saturating_add(missing.saturating_mul(filler.len())))?;
    let (before, after) = match c.word(2, "trailing")? {
        "trailing" => (0, missing),
        "leading" => (missing, 0),
        "both" => (missing / 2, missing - missing / 2),
        other => return c.unknown_word(other),
    };
    c.make([&filler.repeat(before), text, &filler.repeat(after)].concat())
}

fn replace<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let (text, pattern, with) = (c.text(0)?, c.text(1)?, c.text(2)?);
    let how = c.word(3, "all")?;
    if pattern.is_empty() {
        return Ok(c.value(0).clone());
    }
    let once = |at: Option<usize>| match at {
        Some(at) => {
            let before = text.get(..at).unwrap_or_default();
            let after = text.get(at + pattern.len()..).unwrap_or_default();
            [before, with, after].concat()
        }
        None => text.to_owned(),
    };
    c.make(match how {
        "all" => {
            c.work.spend_bytes(text.len() * 4)?;
            let grown = text.matches(pattern).count().saturating_mul(with.len());
            c.fits(text.len().saturating_add(grown))?;
            text.replace(pattern, with)
        }
        "leading" => once(text.find(pattern)),
        "trailing" => once(text.rfind(pattern)),
        other => return c.unknown_word(other),
    })
}

fn reverse<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let text = c.text(0)?;
    if has_one_octet_each(text) {
        let mut bytes = text.as_bytes().to_vec();
        bytes.reverse();
        return c.make(bytes);
    }
    c.work.spend(text.len() as u64)?;
    c.make(text.graphemes(true).rev().collect::<String>())
}

fn rm_prefix<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let (bytes, prefix) = (c.bytes(0)?, c.bytes(1)?);
    let first = if bytes.starts_with(prefix) { prefix.len() } else { 0 };
    c.part(0, first..bytes.len())
}

fn split<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let (text, separator) = (c.text(0)?, c.text(1)?);
    let how = c.word(2, "all")?;
    let (what, keep_empty) = match how.strip_suffix("notrim") {
        Some(what) => (what.trim_end_matches('_'), true),
        None => (how, false),
    };
    let found: Vec<usize> = match what {
        _ if separator.is_empty() => Vec::new(),
        "" | "all" => text.match_indices(separator).map(|(at, _)| at).collect(),
        "leading" => text.find(separator).into_iter().collect(),
        "trailing" => text.rfind(separator).into_iter().collect(),
        _ => return c.unknown_word(how),
    };
    let mut ranges = Vec::with_capacity(found.len() + 1);
    let mut first = 0;
    for at in found {
        ranges.push(first..at);
        first = at + separator.len();
    }
    ranges.push(first..text.len());
    parts(c, ranges.into_iter().filter(|range| keep_empty || !range.is_empty()))
}

/// What a part of a text costs that is made a value of its own.
const PART_WORK: u64 = 4;

/// An array of parts of the first argument.
fn parts<'a>(c: &Call<'_, 'a, '_>, ranges: impl Iterator<Item = Range<usize>>) -> Out<'a> {
    let mut items = Vec::new();
    for range in ranges {
        c.work.spend(PART_WORK)?;
        items.push(c.part(0, range)?);
        if items.len() > crate::ARRAY_ITEMS_MAX {
            return Err(EvalError::TooManyItems);
        }
    }
    c.list(items)
}

fn tokens<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let (text, separators) = (c.text(0)?, c.text(1)?);
    let lines = match c.word(2, "")? {
        "" => false,
        "nocrlf" => true,
        other => return c.unknown_word(other),
    };
    c.work.spend_bytes(text.len().saturating_mul(4 + separators.len()))?;
    let splits = |ch: char| separators.contains(ch) || (lines && matches!(ch, '\r' | '\n'));
    let mut first = 0;
    let mut ranges = Vec::new();
    for (at, found) in text.match_indices(splits) {
        ranges.push(first..at);
        first = at + found.len();
    }
    ranges.push(first..text.len());
    parts(c, ranges.into_iter().filter(|range| !range.is_empty()))
}

/// How many characters `text` has, to the eye.
pub(super) fn characters(c: &Call<'_, '_, '_>, text: &str) -> Result<usize, EvalError> {
    if has_one_octet_each(text) {
        return Ok(text.len());
    }
    // Where one character ends is looked up for each.
    c.work.spend(text.len() as u64)?;
    Ok(text.graphemes(true).count())
}

/// Whether each octet is a character: `\r\n` is one.
fn has_one_octet_each(text: &str) -> bool {
    text.is_ascii() && !text.contains('\r')
}

fn strlen<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    Ok(Value::Int(characters(c, c.text(0)?)? as i128))
}

fn substr<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let text = c.text(0)?;
    let length = characters(c, text)?;
    let start = match c.int(1)? {
        start if start < 0 => {
            // From the end, as far as there is something.
            length.saturating_sub(usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX))
        }
        start => usize::try_from(start).unwrap_or(usize::MAX).min(length),
    };
    let end = if c.count() > 2 { start.saturating_add(c.size(2)?).min(length) } else { length };
    let place = |character: usize| {
        if length == text.len() {
            return Ok(character);
        }
        c.work.spend(text.len() as u64)?;
        Ok(text.grapheme_indices(true).nth(character).map_or(text.len(), |(at, _)| at))
    };
    c.part(0, place(start)?..place(end)?)
}
