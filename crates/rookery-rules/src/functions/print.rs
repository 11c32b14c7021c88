//! `sprintf`, with the control sequences of Erlang's `io:format`: `~F.P.PadC`.

use super::string::characters;
use super::{Call, Out};
use crate::TEXT_BYTES_MAX;
use crate::error::EvalError;
use crate::json::{self, Invalid};
use crate::messages;
use crate::value::Value;

/// Widest field and most digits.
const FIELD_MAX: usize = 1024;

pub(super) fn sprintf<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let format = c.text(0)?;
    print(c, format, c.arguments.get(1..).unwrap_or_default())
}

pub(super) fn sprintf_s<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let format = c.text(0)?;
    print(c, format, c.array(1)?.items())
}

/// What stands between `~` and the letter.
#[derive(Default)]
struct Field {
    left: bool,
    width: Option<usize>,
    precision: Option<usize>,
    pad: Option<char>,
}

fn print<'a>(c: &Call<'_, 'a, '_>, format: &str, values: &[Value<'a>]) -> Out<'a> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('~') {
        out.push_str(before);
        let (field, letter, after) = field(c, after)?;
        rest = after;
        match letter {
            '~' => out.push('~'),
            'n' => out.push('\n'),
            letter => {
                let Some(value) = values.next() else { return c.fail(messages::too_few_values()) };
                if letter != 'i' {
                    let text = show(c, letter, &field, value)?;
                    padded(c, &text, &field, &mut out)?;
                }
            }
        }
        c.fits(out.len())?;
    }
    out.push_str(rest);
    if values.next().is_some() {
        return c.fail(messages::too_many_values());
    }
    c.make(out)
}

fn field<'t>(c: &Call<'_, '_, '_>, text: &'t str) -> Result<(Field, char, &'t str), EvalError> {
    let mut field = Field::default();
    let mut rest = text;
    if let Some(after) = rest.strip_prefix('-') {
        field.left = true;
        rest = after;
    }
    let number = |rest: &mut &'t str| -> Result<Option<usize>, EvalError> {
        let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(length);
        *rest = after;
        if digits.is_empty() {
            return Ok(None);
        }
        match digits.parse() {
            Ok(number) if number <= FIELD_MAX => Ok(Some(number)),
            _ => c.fail(messages::field_too_wide(FIELD_MAX)),
        }
    };
    field.width = number(&mut rest)?;
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        field.precision = number(&mut rest)?;
        if let Some(after) = rest.strip_prefix('.') {
            let mut characters = after.chars();
            field.pad = characters.next();
            rest = characters.as_str();
        }
    }
    rest = rest.trim_start_matches(['t', 'l']);
    let mut characters = rest.chars();
    match characters.next() {
        Some(letter) => Ok((field, letter, characters.as_str())),
        None => c.fail(messages::format_ends()),
    }
}

fn show<'a>(
    c: &Call<'_, 'a, '_>,
    letter: char,
    field: &Field,
    value: &Value<'a>,
) -> Result<String, EvalError> {
    let bad = || {
        let message = messages::does_not_print(letter, messages::kind(value));
        EvalError::function(c.name, message)
    };
    let mut out = Vec::new();
    match (letter, value) {
        ('s', _) => {
            c.put_text(value, &mut out)?;
            let text = String::from_utf8_lossy(&out).into_owned();
            return Ok(match field.precision {
                Some(most) => text.chars().take(most).collect(),
                None => text,
            });
        }
        ('p' | 'w', _) => {
            c.work.spend(value.weight())?;
            json::encode(value, Invalid::Replace, TEXT_BYTES_MAX, &mut out)?;
        }
        ('c', Value::Int(number)) => {
            let character = u32::try_from(*number).ok().and_then(char::from_u32);
            return character.map(String::from).ok_or_else(bad);
        }
        ('b' | 'B', Value::Int(number)) => {
            return radix(*number, field.precision.unwrap_or(10), letter == 'B').ok_or_else(bad);
        }
        ('f', Value::Float(number)) => {
            return Ok(format!("{number:.*}", field.precision.unwrap_or(6)));
        }
        ('e', Value::Float(number)) => {
            let digits = field.precision.unwrap_or(6).saturating_sub(1);
            return Ok(exponent(&format!("{number:.digits$e}")));
        }
        ('g', Value::Float(number)) => {
            let size = number.abs();
            let digits = field.precision.unwrap_or(6);
            return Ok(if (0.1..10_000.0).contains(&size) {
                format!("{number:.*}", digits.saturating_sub(1))
            } else {
                exponent(&format!("{number:.*e}", digits.saturating_sub(1)))
            });
        }
        _ => return Err(bad()),
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// `1.5e2` as C and Erlang write it: `1.5e+02`.
fn exponent(text: &str) -> String {
    let Some((digits, power)) = text.split_once('e') else { return text.to_owned() };
    let (sign, power) = match power.strip_prefix('-') {
        Some(power) => ('-', power),
        None => ('+', power),
    };
    format!("{digits}e{sign}{power:0>2}")
}

fn radix(number: i128, base: usize, upper: bool) -> Option<String> {
    let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base))?;
    let mut left = number.unsigned_abs();
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(left % u128::from(base)).ok()?;
        digits.push(char::from_digit(digit, base)?);
        left /= u128::from(base);
        if left == 0 {
            break;
        }
    }
    if number < 0 {
        digits.push('-');
    }
    let text: String = digits.into_iter().rev().collect();
    Some(if upper { text.to_uppercase() } else { text })
}

fn padded(
    c: &Call<'_, '_, '_>,
    text: &str,
    field: &Field,
    out: &mut String,
) -> Result<(), EvalError> {
    let missing = field.width.unwrap_or(0).saturating_sub(characters(c, text)?);
    let pad = field.pad.unwrap_or(' ');
    let fill = std::iter::repeat_n(pad, missing);
    if field.left {
        out.push_str(text);
        out.extend(fill);
    } else {
        out.extend(fill);
        out.push_str(text);
    }
    Ok(())
}
