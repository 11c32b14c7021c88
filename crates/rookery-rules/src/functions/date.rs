//! Dates and times: RFC 3339, and formats with `%Y` and the like.

use super::calendar::Civil;
use super::{Call, Function, Out, absent, differs, same, shortened};
use crate::error::EvalError;
use crate::messages;
use crate::value::Value;

const NO_MONGO: &str = "there is no MongoDB action";
/// Longest format.
const FORMAT_BYTES_MAX: usize = 1024;

pub(super) const TABLE: &[Function] = &[
    same(
        "date_to_unix_ts",
        (3, 4),
        date_to_unix_ts,
        &[
            (
                "date_to_unix_ts('second', '%Y-%m-%d %H:%M:%S%:z', '2024-02-23 15:00:00+08:00')",
                "1708671600",
            ),
            (
                "date_to_unix_ts('second', 14400, '%Y-%m-%d %H:%M:%S', '2024-02-23 15:00:00')",
                "1708686000",
            ),
            (
                "date_to_unix_ts('millisecond', 'Z', '%Y-%m-%dT%H:%M:%S.%3N', '2024-02-23T15:00:00.125')",
                "1708700400125",
            ),
            (
                "date_to_unix_ts('second', '%Y-%m-%d', '2023-02-29')",
                "date_to_unix_ts: there is no such day or time",
            ),
        ],
    ),
    same(
        "format_date",
        (3, 4),
        format_date,
        &[
            (
                "format_date('millisecond', '+08:00', '%Y-%m-%d %H:%M:%S.%6N%z', 1708933353472)",
                "\"2024-02-26 15:42:33.472000+0800\"",
            ),
            (
                "format_date('millisecond', '+08:20:30', '%Y-%m-%d %H:%M:%S.%3N%::z', 1708933353472)",
                "\"2024-02-26 16:03:03.472+08:20:30\"",
            ),
            ("format_date('second', 0, '%Y-%m-%d')", "\"2024-02-26\""),
        ],
    ),
    same(
        "now_rfc3339",
        (0, 1),
        now_rfc3339,
        &[
            ("now_rfc3339()", "\"2024-02-26T15:42:33+08:00\""),
            ("now_rfc3339('millisecond')", "\"2024-02-26T15:42:33.472+08:00\""),
        ],
    ),
    same(
        "now_timestamp",
        (0, 1),
        now_timestamp,
        &[("now_timestamp()", "1708933353"), ("now_timestamp('microsecond')", "1708933353472000")],
    ),
    same(
        "rfc3339_to_unix_ts",
        (1, 2),
        rfc3339_to_unix_ts,
        &[
            ("rfc3339_to_unix_ts('2024-02-23T15:56:30+08:00')", "1708674990"),
            (
                "rfc3339_to_unix_ts('2024-02-23T15:56:30.535904509Z', 'nanosecond')",
                "1708703790535904509",
            ),
            (
                "rfc3339_to_unix_ts('yesterday')",
                "rfc3339_to_unix_ts: \"yesterday\" is not written so",
            ),
        ],
    ),
    same(
        "timezone_to_offset_seconds",
        (1, 1),
        timezone_to_offset_seconds,
        &[
            ("timezone_to_offset_seconds('+08:00')", "28800"),
            ("timezone_to_offset_seconds('-0130')", "-5400"),
            ("timezone_to_offset_seconds('local')", "28800"),
        ],
    ),
    same(
        "timezone_to_second",
        (1, 1),
        timezone_to_offset_seconds,
        &[("timezone_to_second('Z')", "0")],
    ),
    differs(
        "unix_ts_to_rfc3339",
        (1, 2),
        unix_ts_to_rfc3339,
        &[
            ("unix_ts_to_rfc3339(1708671600)", "\"2024-02-23T15:00:00+08:00\""),
            (
                "unix_ts_to_rfc3339(1708671600766, 'millisecond')",
                "\"2024-02-23T15:00:00.766+08:00\"",
            ),
        ],
        "years 0 to 9999",
    ),
    absent("mongo_date", NO_MONGO),
];

#[derive(Clone, Copy)]
struct Unit {
    ns: i128,
    digits: usize,
}

fn unit(c: &Call<'_, '_, '_>, at: usize) -> Result<Unit, EvalError> {
    Ok(match c.word(at, "second")? {
        "second" => Unit { ns: 1_000_000_000, digits: 0 },
        "millisecond" => Unit { ns: 1_000_000, digits: 3 },
        "microsecond" => Unit { ns: 1000, digits: 6 },
        "nanosecond" => Unit { ns: 1, digits: 9 },
        other => return c.unknown_word(other),
    })
}

fn in_ns(c: &Call<'_, '_, '_>, at: usize, unit: Unit) -> Result<i128, EvalError> {
    c.int(at)?.checked_mul(unit.ns).ok_or(EvalError::Overflow)
}

fn civil(c: &Call<'_, '_, '_>, unix_ns: i128, offset_s: i32) -> Result<Civil, EvalError> {
    match Civil::from_unix_ns(unix_ns, offset_s) {
        Some(civil) => Ok(civil),
        None => c.fail(messages::time_outside()),
    }
}

/// Seconds ahead of UTC: `Z`, `local`, `+08:00`, `+0800`, `+08`, `+08:00:00`, or a number.
fn offset(c: &Call<'_, '_, '_>, at: usize) -> Result<i32, EvalError> {
    if let Value::Int(seconds) = c.value(at) {
        return match i32::try_from(*seconds) {
            Ok(seconds) if seconds.abs() < 86_400 => Ok(seconds),
            _ => c.fail(messages::offset_too_large()),
        };
    }
    match c.text(at)? {
        "Z" | "z" => Ok(0),
        "local" => Ok(c.context.world.local_offset_s),
        text => match signed_offset(text) {
            Some((seconds, "")) => Ok(seconds),
            _ => c.fail(messages::no_offset(shortened(text, 16))),
        },
    }
}

/// An offset at the beginning of `text`, and what follows.
fn signed_offset(text: &str) -> Option<(i32, &str)> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, mut rest) = digits(rest, 2)?;
    let mut seconds = hours * 3600;
    for unit in [60, 1] {
        let after_colon = rest.strip_prefix(':').unwrap_or(rest);
        let Some((number, after)) = digits(after_colon, 2).filter(|(number, _)| *number < 60)
        else {
            break;
        };
        seconds += number * unit;
        rest = after;
    }
    Some((sign * i32::try_from(seconds).ok()?, rest))
}

/// A number of exactly `count` digits, and what follows.
fn digits(text: &str, count: usize) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    let all = digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((digits.parse().ok().filter(|_| all)?, rest))
}

fn write_offset(offset_s: i32, colons: usize, out: &mut String) {
    let sign = if offset_s < 0 { '-' } else { '+' };
    let seconds = offset_s.unsigned_abs();
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    out.push_str(&match colons {
        0 => format!("{sign}{hour:02}{minute:02}"),
        1 => format!("{sign}{hour:02}:{minute:02}"),
        _ => format!("{sign}{hour:02}:{minute:02}:{second:02}"),
    });
}

fn rfc3339<'a>(c: &Call<'_, 'a, '_>, unix_ns: i128, unit: Unit) -> Out<'a> {
    let offset_s = c.context.world.local_offset_s;
    let Civil { year, month, day, hour, minute, second, nanosecond } = civil(c, unix_ns, offset_s)?;
    let mut out = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if unit.digits > 0 {
        let fraction = format!("{nanosecond:09}");
        out.push('.');
        out.push_str(fraction.get(..unit.digits).unwrap_or_default());
    }
    write_offset(offset_s, 1, &mut out);
    c.make(out)
}

fn now_rfc3339<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    rfc3339(c, c.context.world.now_unix_ns, unit(c, 0)?)
}

fn unix_ts_to_rfc3339<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let unit = unit(c, 1)?;
    rfc3339(c, in_ns(c, 0, unit)?, unit)
}

fn now_timestamp<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    Ok(Value::Int(c.context.world.now_unix_ns.div_euclid(unit(c, 0)?.ns)))
}

fn timezone_to_offset_seconds<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    Ok(Value::Int(offset(c, 0)?.into()))
}

fn rfc3339_to_unix_ts<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let text = c.text(0)?;
    let ns = parse_rfc3339(text);
    match ns {
        Some(ns) => Ok(Value::Int(ns.div_euclid(unit(c, 1)?.ns))),
        None => c.fail(messages::not_written_so(shortened(text, 40))),
    }
}

fn parse_rfc3339(text: &str) -> Option<i128> {
    let mut civil = Civil::default();
    let (year, rest) = digits(text, 4)?;
    civil.year = year.into();
    let rest = number(rest, '-', &mut civil.month)?;
    let rest = number(rest, '-', &mut civil.day)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (hour, rest) = digits(rest, 2)?;
    civil.hour = hour;
    let rest = number(rest, ':', &mut civil.minute)?;
    let mut rest = number(rest, ':', &mut civil.second)?;
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
        let (shown, after) = fraction.split_at(length);
        civil.nanosecond = format!("{shown:0<9}").get(..9)?.parse().ok()?;
        rest = after;
    }
    let offset_s = match rest {
        "Z" | "z" => 0,
        rest => match signed_offset(rest)? {
            (offset_s, "") => offset_s,
            _ => return None,
        },
    };
    Some(civil.unix_ns()? - i128::from(offset_s) * 1_000_000_000)
}

fn number<'t>(text: &'t str, before: char, into: &mut u32) -> Option<&'t str> {
    let (number, rest) = digits(text.strip_prefix(before)?, 2)?;
    *into = number;
    Some(rest)
}

/// One piece of a format.
enum Piece {
    Plain(char),
    Letter(char),
    /// Digits of the fraction of a second.
    Fraction(usize),
    /// Colons of the offset.
    Offset(usize),
}

/// The pieces of a format; what is no placeholder is itself.
fn pieces(c: &Call<'_, '_, '_>, format: &str) -> Result<Vec<Piece>, EvalError> {
    if format.len() > FORMAT_BYTES_MAX {
        return c.fail(messages::format_too_long(FORMAT_BYTES_MAX));
    }
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        const KNOWN: [(&str, Piece); 12] = [
            ("%Y", Piece::Letter('Y')),
            ("%m", Piece::Letter('m')),
            ("%d", Piece::Letter('d')),
            ("%H", Piece::Letter('H')),
            ("%M", Piece::Letter('M')),
            ("%S", Piece::Letter('S')),
            ("%N", Piece::Fraction(9)),
            ("%3N", Piece::Fraction(3)),
            ("%6N", Piece::Fraction(6)),
            ("%z", Piece::Offset(0)),
            ("%:z", Piece::Offset(1)),
            ("%::z", Piece::Offset(2)),
        ];
        let found =
            KNOWN.into_iter().find_map(|(name, piece)| Some((rest.strip_prefix(name)?, piece)));
        let (after, piece) = found.unwrap_or_else(|| {
            (rest.get(first.len_utf8()..).unwrap_or_default(), Piece::Plain(first))
        });
        pieces.push(piece);
        rest = after;
    }
    Ok(pieces)
}

fn format_date<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let unit = unit(c, 0)?;
    let offset_s = offset(c, 1)?;
    let unix_ns = if c.count() > 3 { in_ns(c, 3, unit)? } else { c.context.world.now_unix_ns };
    let civil = civil(c, unix_ns, offset_s)?;
    let mut out = String::new();
    for piece in pieces(c, c.text(2)?)? {
        match piece {
            Piece::Plain(character) => out.push(character),
            Piece::Letter('Y') => out.push_str(&format!("{:04}", civil.year)),
            Piece::Letter(letter) => {
                let number = match letter {
                    'm' => civil.month,
                    'd' => civil.day,
                    'H' => civil.hour,
                    'M' => civil.minute,
                    _ => civil.second,
                };
                out.push_str(&format!("{number:02}"));
            }
            Piece::Fraction(digits) => {
                let fraction = format!("{:09}", civil.nanosecond);
                out.push_str(fraction.get(..digits).unwrap_or_default());
            }
            Piece::Offset(colons) => write_offset(offset_s, colons, &mut out),
        }
    }
    c.make(out)
}

fn date_to_unix_ts<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let unit = unit(c, 0)?;
    let (given, at) = if c.count() > 3 { (Some(offset(c, 1)?), 2) } else { (None, 1) };
    let text = c.text(at + 1)?;
    let mut civil = Civil { month: 1, day: 1, ..Civil::default() };
    let mut written = None;
    let mut rest = text;
    for piece in pieces(c, c.text(at)?)? {
        // With an offset of its own the call may leave out the one in the text.
        if matches!(piece, Piece::Offset(_)) && given.is_some() && rest.is_empty() {
            continue;
        }
        let Some(after) = read(&piece, rest, &mut civil, &mut written) else {
            return c.fail(messages::not_the_format());
        };
        rest = after;
    }
    let Some(unix_ns) = civil.unix_ns() else { return c.fail(messages::no_such_time()) };
    let offset_s = i128::from(written.unwrap_or(0)) + i128::from(given.unwrap_or(0));
    Ok(Value::Int((unix_ns - offset_s * 1_000_000_000).div_euclid(unit.ns)))
}

/// Reads one piece; returns what follows.
fn read<'t>(
    piece: &Piece,
    text: &'t str,
    civil: &mut Civil,
    offset_s: &mut Option<i32>,
) -> Option<&'t str> {
    match piece {
        Piece::Plain(character) => text.strip_prefix(*character),
        Piece::Letter('Y') => {
            let (year, rest) = digits(text, 4)?;
            civil.year = year.into();
            Some(rest)
        }
        Piece::Letter(letter) => {
            let (number, rest) = digits(text, 2)?;
            *match letter {
                'm' => &mut civil.month,
                'd' => &mut civil.day,
                'H' => &mut civil.hour,
                'M' => &mut civil.minute,
                _ => &mut civil.second,
            } = number;
            Some(rest)
        }
        Piece::Fraction(count) => {
            let (number, rest) = digits(text, *count)?;
            let scale = 10_u32.pow(u32::try_from(9 - count).ok()?);
            civil.nanosecond = number.checked_mul(scale)?;
            Some(rest)
        }
        Piece::Offset(_) => {
            let (seconds, rest) = signed_offset(text)?;
            *offset_s = Some(seconds);
            Some(rest)
        }
    }
}
