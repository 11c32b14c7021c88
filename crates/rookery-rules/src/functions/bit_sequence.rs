//! Bits of octets.

use super::{Call, Function, Out, differs, same};
use crate::messages;
use crate::value::Value;

/// Most bits of a whole number that is taken out of octets.
const INT_BITS_MAX: usize = 127;

pub(super) const TABLE: &[Function] = &[
    same("bitsize", (1, 1), bitsize, &[("bitsize('abc')", "24"), ("bitsize('你好')", "48")]),
    same("bytesize", (1, 1), bytesize, &[("bytesize('你好')", "6")]),
    differs(
        "subbits",
        (2, 6),
        subbits,
        &[
            ("subbits(hexstr2bin('9F4E58'), 16)", "40782"),
            ("subbits(base64_decode('n05Y'), 9, 4)", "4"),
            ("subbits(hexstr2bin('9F4E58'), 1, 16, 'integer', 'signed', 'big')", "-24754"),
            ("subbits(hexstr2bin('9F4E58'), 1, 16, 'integer', 'unsigned', 'little')", "20127"),
            (
                "subbits(hexstr2bin('9F4E58'), 1, 16, 'float', 'unsigned', 'big')",
                "-0.00713348388671875",
            ),
            ("subbits('abc', 9, 8, 'bits', 'unsigned', 'big')", "\"b\""),
            ("subbits('abc', 25, 8)", "\"undefined\""),
        ],
        "numbers have up to 127 bits; 'bits' gives whole octets only",
    ),
];

fn bytesize<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    Ok(Value::Int(c.bytes(0)?.len() as i128))
}

fn bitsize<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    Ok(Value::Int(c.bytes(0)?.len() as i128 * 8))
}

fn subbits<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let bytes = c.bytes(0)?;
    let (start, wanted) = match c.count() {
        2 => (1, c.size(1)?),
        _ => (c.size(1)?, c.size(2)?),
    };
    let Some(first) = start.checked_sub(1) else { return c.fail(messages::positions_from_one()) };
    let total = bytes.len().saturating_mul(8);
    if first >= total {
        return Ok(Value::Undefined);
    }
    // What is not there is not taken, as in EMQX.
    let count = wanted.min(total - first);
    let signed = match c.word(4, "unsigned")? {
        "signed" => true,
        "unsigned" => false,
        other => return c.unknown_word(other),
    };
    let little = match c.word(5, "big")? {
        "little" => true,
        "big" => false,
        other => return c.unknown_word(other),
    };
    match c.word(3, "integer")? {
        "bits" => {
            if !first.is_multiple_of(8) || !count.is_multiple_of(8) {
                return c.fail(messages::whole_octets());
            }
            c.part(0, first / 8..(first + count) / 8)
        }
        "integer" if count > INT_BITS_MAX => c.fail(messages::at_most_bits(INT_BITS_MAX)),
        "integer" => Ok(Value::Int(integer(bytes, first, count, signed, little))),
        "float" => float(c, bits(bytes, first, count.min(64), little), count),
        other => c.unknown_word(other),
    }
}

/// `count` bits, at most 127, from the bit `first` on. Little-endian takes whole octets from the
/// end and leaves what is over to the highest one, as Erlang does.
fn bits(bytes: &[u8], first: usize, count: usize, little: bool) -> u128 {
    let bit = |at: usize| {
        let byte = bytes.get(at / 8).copied().unwrap_or_default();
        u128::from(byte >> (7 - at % 8) & 1)
    };
    let run = |from: usize, count: usize| {
        (from..from + count).fold(0_u128, |value, at| (value << 1) | bit(at))
    };
    if !little {
        return run(first, count);
    }
    let mut value = 0;
    let mut taken = 0;
    while taken < count {
        let octet = (count - taken).min(8);
        value |= run(first + taken, octet) << taken;
        taken += octet;
    }
    value
}

fn integer(bytes: &[u8], first: usize, count: usize, signed: bool, little: bool) -> i128 {
    let value = bits(bytes, first, count, little);
    let value = i128::try_from(value).unwrap_or(i128::MAX);
    let negative = signed && count > 0 && value >> (count - 1) & 1 == 1;
    if negative { value - (1_i128 << count) } else { value }
}

fn float<'a>(c: &Call<'_, 'a, '_>, bits: u128, count: usize) -> Out<'a> {
    let bits = u64::try_from(bits).unwrap_or(u64::MAX);
    let number = match count {
        16 => half(bits),
        32 => f64::from(f32::from_bits(u32::try_from(bits).unwrap_or(u32::MAX))),
        64 => f64::from_bits(bits),
        _ => return c.fail(messages::float_bits()),
    };
    // Erlang has no infinity and nothing that is no number: the pattern does not match.
    if number.is_finite() { Ok(Value::Float(number)) } else { c.fail(messages::bits_no_number()) }
}

/// A number of 16 bits. IEEE 754 binary16.
fn half(bits: u64) -> f64 {
    let sign = if bits >> 15 & 1 == 1 { -1.0 } else { 1.0 };
    let exponent = bits >> 10 & 0x1f;
    let fraction = (bits & 0x3ff) as f64 / 1024.0;
    match exponent {
        0 => sign * fraction * 2_f64.powi(-14),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        exponent => {
            let power = i32::try_from(exponent).unwrap_or_default() - 15;
            sign * (1.0 + fraction) * 2_f64.powi(power)
        }
    }
}
