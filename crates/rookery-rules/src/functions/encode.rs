//! Octets as text and back, JSON.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Call, Function, Out, absent, same};
use crate::TEXT_BYTES_MAX;
use crate::error::EvalError;
use crate::json::{self, Invalid};
use crate::messages;

const NO_REGISTRY: &str = "there is no schema registry";
const NO_TERMS: &str = "Erlang's external terms have no use outside Erlang";

pub(super) const TABLE: &[Function] = &[
    same(
        "base64_decode",
        (1, 3),
        base64_decode,
        &[
            ("base64_decode('aGVsbG8=')", "\"hello\""),
            ("base64_decode('_-8', 'urlsafe', 'no_padding') = hexstr2bin('FFEF')", "true"),
            ("base64_decode('?')", "base64_decode: the text is not base64"),
        ],
    ),
    same(
        "base64_encode",
        (1, 3),
        base64_encode,
        &[
            ("base64_encode('hello')", "\"aGVsbG8=\""),
            ("base64_encode(hexstr2bin('FFEF'), 'urlsafe', 'no_padding')", "\"_-8\""),
        ],
    ),
    same("bin2hexstr", (1, 1), bin2hexstr, &[("bin2hexstr(zip('hello'))", "\"CB48CDC9C90700\"")]),
    same(
        "hexstr2bin",
        (1, 1),
        hexstr2bin,
        &[
            ("hexstr2bin('68656C6c6F')", "\"hello\""),
            ("hexstr2bin('ABC') = hexstr2bin('0ABC')", "true"),
            ("hexstr2bin('xy')", "hexstr2bin: the text is not hexadecimal"),
        ],
    ),
    same(
        "json_decode",
        (1, 1),
        json_decode,
        &[
            (r#"map_get('a', json_decode('{"a": 1}'))"#, "1"),
            ("json_decode('{')", "json_decode: the text is not JSON"),
        ],
    ),
    same(
        "json_encode",
        (1, 1),
        json_encode,
        &[("json_encode([1, 2, 3])", "\"[1,2,3]\""), ("json_encode('a')", r#""\"a\"""#)],
    ),
    same(
        "sqlserver_bin2hexstr",
        (1, 1),
        sqlserver_bin2hexstr,
        &[("sqlserver_bin2hexstr('hello')", "\"0x68656C6C6F\"")],
    ),
    absent("schema_check", NO_REGISTRY),
    absent("schema_decode", NO_REGISTRY),
    absent("schema_encode", NO_REGISTRY),
    absent("sparkplug_decode", NO_REGISTRY),
    absent("sparkplug_encode", NO_REGISTRY),
    absent("term_decode", NO_TERMS),
    absent("term_encode", NO_TERMS),
];

fn engine(c: &Call<'_, '_, '_>) -> Result<GeneralPurpose, EvalError> {
    let (mut alphabet, mut padding) = (&alphabet::STANDARD, true);
    for at in 1..c.count() {
        match c.text(at)? {
            "urlsafe" => alphabet = &alphabet::URL_SAFE,
            "standard" => alphabet = &alphabet::STANDARD,
            "no_padding" => padding = false,
            other => return c.unknown_word(other),
        }
    }
    let config = GeneralPurposeConfig::new()
        .with_encode_padding(padding)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    Ok(GeneralPurpose::new(alphabet, config))
}

fn base64_encode<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let bytes = c.bytes(0)?;
    c.fits(bytes.len().saturating_mul(4) / 3)?;
    c.make(engine(c)?.encode(bytes))
}

fn base64_decode<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    // Erlang skips blanks between the letters.
    let letters: Vec<u8> =
        c.bytes(0)?.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    match engine(c)?.decode(letters) {
        Ok(bytes) => c.make(bytes),
        Err(_) => c.fail(messages::no_base64()),
    }
}

/// Two digits for each octet.
pub(super) fn hexadecimal(bytes: &[u8], upper: bool) -> String {
    let digits = if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    let digit = |value: u8| char::from(digits.get(usize::from(value)).copied().unwrap_or(b'0'));
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

fn bin2hexstr<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let bytes = c.bytes(0)?;
    c.fits(bytes.len().saturating_mul(2))?;
    c.make(hexadecimal(bytes, true))
}

fn sqlserver_bin2hexstr<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let bytes = c.bytes(0)?;
    c.fits(bytes.len().saturating_mul(2))?;
    c.make(format!("0x{}", hexadecimal(bytes, true)))
}

fn hexstr2bin<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let digits = c.bytes(0)?.iter().map(|digit| char::from(*digit).to_digit(16));
    let Some(mut digits) = digits.collect::<Option<Vec<u32>>>() else {
        return c.fail(messages::no_hexadecimal());
    };
    if digits.len() % 2 == 1 {
        digits.insert(0, 0);
    }
    let octets = digits.chunks_exact(2).map(|pair| {
        let value = pair.iter().fold(0, |value, digit| value << 4 | digit);
        u8::try_from(value).unwrap_or_default()
    });
    c.make(octets.collect::<Vec<u8>>())
}

fn json_decode<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    match c.decoded(0)? {
        Some(value) => Ok(value),
        None => c.fail(messages::no_json()),
    }
}

fn json_encode<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let mut out = Vec::new();
    c.work.spend(c.value(0).weight().saturating_mul(4))?;
    json::encode(c.value(0), Invalid::Refuse, TEXT_BYTES_MAX, &mut out)?;
    c.make(out)
}
