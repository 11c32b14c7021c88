//! From one kind of data to another.

use super::{Call, Function, Out, math, same};
use crate::TEXT_BYTES_MAX;
use crate::compare;
use crate::error::EvalError;
use crate::json::{self, Invalid};
use crate::messages;
use crate::value::Value;

/// Most digits behind the point that Erlang writes.
const DECIMALS_MAX: usize = 253;

pub(super) const TABLE: &[Function] = &[
    same(
        "bool",
        (1, 1),
        bool,
        &[
            ("bool(true)", "true"),
            ("bool(0)", "false"),
            ("bool('false')", "false"),
            ("bool(20)", "bool: 20 is neither true nor false"),
        ],
    ),
    same(
        "float",
        (1, 2),
        float,
        &[
            ("float(20)", "20.0"),
            ("float('3.14e4')", "31400.0"),
            ("float('3.1415926', 3)", "3.142"),
            ("float('x')", "\"x\" is not a number"),
        ],
    ),
    same(
        "float2str",
        (2, 2),
        float2str,
        &[
            ("float2str(0.1, 5)", "\"0.1\""),
            ("float2str(0.1, 20)", "\"0.10000000000000000555\""),
            ("float2str(0.100001, 5)", "\"0.1\""),
            ("float2str(20.2, 17)", "\"20.19999999999999929\""),
        ],
    ),
    same(
        "int",
        (1, 1),
        int,
        &[
            ("int(true)", "1"),
            ("int(3.14)", "3"),
            ("int(-3.14)", "-4"),
            ("int('+200')", "200"),
            ("int('0010')", "10"),
            ("int('3.1415e2')", "314"),
            ("int('-100+200')", "\"-100+200\" is not a number"),
        ],
    ),
    same(
        "str",
        (1, 1),
        str,
        &[
            ("str(100)", "\"100\""),
            ("str(0.300000004)", "\"0.300000004\""),
            ("str(3.14159265359)", "\"3.1415926536\""),
            ("str(true)", "\"true\""),
            (r#"str(json_decode('{"msg": "hello"}'))"#, r#""{\"msg\":\"hello\"}""#),
        ],
    ),
    same(
        "str_utf8",
        (1, 1),
        str_utf8,
        &[
            ("str_utf8(1234)", "\"1234\""),
            (
                "str_utf8(hexstr2bin('FF'))",
                "octets that are not UTF-8 cannot become JSON; use bin2hexstr or base64_encode",
            ),
        ],
    ),
    same(
        "str_utf16_le",
        (1, 1),
        str_utf16_le,
        &[
            ("sqlserver_bin2hexstr(str_utf16_le('a\u{e9}\u{1f321}'))", "\"0x6100E9003CD821DF\""),
            (
                "str_utf16_le(hexstr2bin('FF'))",
                "octets that are not UTF-8 cannot become JSON; use bin2hexstr or base64_encode",
            ),
        ],
    ),
    same(
        "map",
        (1, 1),
        map,
        &[
            (r#"map('{"a": 1}')"#, r#"{"a":1}"#),
            ("map('[1]')", "map: argument 1 is string, not a map"),
        ],
    ),
];

/// What `value` is as text, the way EMQX joins and prints values.
pub(crate) fn to_text(value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), EvalError> {
    match value {
        Value::Text(text) => out.extend_from_slice(text.bytes()),
        Value::Float(number) => out.extend_from_slice(compact(*number, 10).as_bytes()),
        other => json_or_word(other, out)?,
    }
    if out.len() > TEXT_BYTES_MAX { Err(EvalError::TooLarge(TEXT_BYTES_MAX)) } else { Ok(()) }
}

fn json_or_word(value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), EvalError> {
    match value.atom() {
        Some(word) => out.extend_from_slice(word.as_bytes()),
        None => json::encode(value, Invalid::Refuse, TEXT_BYTES_MAX, out)?,
    }
    Ok(())
}

/// `number` with at most `decimals` digits behind the point, and no zeros at the end but one.
pub(super) fn compact(number: f64, decimals: usize) -> String {
    let mut text = format!("{number:.decimals$}");
    if text.contains('.') {
        let kept = text.trim_end_matches('0').len();
        text.truncate(kept);
        if text.ends_with('.') {
            text.push('0');
        }
    }
    text
}

fn str<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    if let Value::Text(_) = c.value(0) {
        return Ok(c.value(0).clone());
    }
    let mut out = Vec::new();
    c.put_text(c.value(0), &mut out)?;
    c.make(out)
}

fn str_utf8<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let value = str(c)?;
    match &value {
        Value::Text(text) if text.as_str().is_none() => Err(EvalError::NotText),
        _ => Ok(value),
    }
}

fn str_utf16_le<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let value = str_utf8(c)?;
    let Value::Text(text) = &value else { return Ok(value) };
    let units = text.as_str().ok_or(EvalError::NotText)?.encode_utf16();
    let out: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    if out.len() > TEXT_BYTES_MAX {
        return Err(EvalError::TooLarge(TEXT_BYTES_MAX));
    }
    c.make(out)
}

fn bool<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    match c.value(0) {
        Value::Bool(value) => Ok(Value::Bool(*value)),
        Value::Int(number @ (0 | 1)) => Ok(Value::Bool(*number == 1)),
        Value::Text(text) if text.bytes() == b"true" => Ok(Value::Bool(true)),
        Value::Text(text) if text.bytes() == b"false" => Ok(Value::Bool(false)),
        value => {
            let mut shown = Vec::new();
            c.put_text(value, &mut shown)?;
            let shown: String = String::from_utf8_lossy(&shown).chars().take(32).collect();
            c.fail(messages::neither_true_nor_false(shown))
        }
    }
}

fn int<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let number = match c.value(0) {
        Value::Bool(value) => return Ok(Value::Int((*value).into())),
        Value::Text(text) => compare::number(text)?,
        value => value.clone(),
    };
    match number {
        Value::Float(number) => math::int_of(number.floor()),
        Value::Int(number) => Ok(Value::Int(number)),
        _ => Ok(Value::Int(c.int(0)?)),
    }
}

fn float<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let number = match c.value(0) {
        Value::Text(text) => compare::number(text)?,
        value => value.clone(),
    };
    let number = match number {
        Value::Int(number) => number as f64,
        Value::Float(number) => number,
        _ => c.float(0)?,
    };
    if c.count() < 2 {
        return Ok(Value::Float(number));
    }
    let decimals = decimals(c)?;
    Ok(Value::Float(compact(number, decimals).parse().unwrap_or(number)))
}

fn decimals(c: &Call<'_, '_, '_>) -> Result<usize, EvalError> {
    let decimals = c.size(1)?;
    if decimals > DECIMALS_MAX {
        return c.fail(messages::at_most_decimals(DECIMALS_MAX));
    }
    Ok(decimals)
}

fn float2str<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    c.make(compact(c.float(0)?, decimals(c)?))
}

fn map<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    Ok(Value::Map(c.map(0)?))
}
