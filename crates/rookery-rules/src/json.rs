//! JSON in and out, with bounds.
//!
//! Decoding borrows text that has no escapes. The parser is `serde_json`; what it hands over is
//! counted, and a document with more than [`JSON_VALUES_MAX`] values or [`JSON_DEPTH_MAX`] levels
//! fails the rule that looks into it.

use std::cell::Cell;
use std::fmt;
use std::io::Write as _;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use crate::error::EvalError;
use crate::value::{Map, Text, Value};

/// Most values, keys not counted, of one JSON document.
pub const JSON_VALUES_MAX: usize = 131_072;

/// Most levels of arrays and maps of one JSON document: the bound of `serde_json`.
pub const JSON_DEPTH_MAX: usize = 127;

/// How `serde_json` begins to say that a document is deeper; it has no kind of its own for it.
const TOO_DEEP: &str = "recursion limit exceeded";

/// The value that `bytes` spell, or nothing when they are not one JSON document within the bounds.
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<Value<'_>> {
    read(bytes).unwrap_or_default()
}

/// The value that `bytes` spell, or nothing when they are not one JSON document.
///
/// # Errors
///
/// [`EvalError::JsonTooLarge`]: what was read until it went beyond the bounds is JSON.
pub fn read(bytes: &[u8]) -> Result<Option<Value<'_>>, EvalError> {
    let mut input = serde_json::Deserializer::from_slice(bytes);
    let left = Cell::new(JSON_VALUES_MAX);
    match (Seed { left: &left }).deserialize(&mut input) {
        Ok(value) => Ok(input.end().ok().map(|()| value)),
        // The count stands still at nothing only when one more was wanted.
        Err(error) if left.get() == 0 || error.to_string().starts_with(TOO_DEEP) => {
            Err(EvalError::JsonTooLarge)
        }
        Err(_) => Ok(None),
    }
}

struct Seed<'c> {
    left: &'c Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<Value<'de>, D::Error> {
        let Some(left) = self.left.get().checked_sub(1) else {
            return Err(D::Error::custom("too many values"));
        };
        self.left.set(left);
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Int(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Int(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value<'de>, E> {
        Ok(Value::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value<'de>, E> {
        Ok(Value::owned(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Value<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = input.next_element_seed(Seed { left: self.left })? {
            items.push(item);
        }
        Value::array(items).map_err(A::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Value<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = input.next_key_seed(Key)? {
            entries.push((key, input.next_value_seed(Seed { left: self.left })?));
        }
        Value::map(entries).map_err(A::Error::custom)
    }
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Text<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<Text<'de>, D::Error> {
        input.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Text<'de>, E> {
        Ok(Text::from(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Text<'de>, E> {
        Ok(Text::from(key.to_owned()))
    }
}

/// What becomes of octets that are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invalid {
    /// [`EvalError::NotText`], as `json_encode` does.
    Refuse,
    /// U+FFFD in their place, as the whole result `${.}` does.
    Replace,
}

/// Writes `value` as JSON at the end of `out`, which may grow to `bytes_max`.
///
/// An entry that is `undefined` is left out, an element and the whole become the text
/// `"undefined"`, as in EMQX.
///
/// # Errors
///
/// [`EvalError::TooLarge`], and [`EvalError::NotText`] when `invalid` says so.
pub fn encode(
    value: &Value<'_>,
    invalid: Invalid,
    bytes_max: usize,
    out: &mut Vec<u8>,
) -> Result<(), EvalError> {
    // Recursion ends: a value knows its depth and refuses to be deeper (`VALUE_DEPTH_MAX`).
    match value {
        Value::Undefined => out.extend_from_slice(b"\"undefined\""),
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Float(number) => float(*number, out),
        Value::Text(text) => string(text.bytes(), invalid, out)?,
        Value::Array(array) => {
            out.push(b'[');
            for (at, item) in array.items().iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                encode(item, invalid, bytes_max, out)?;
            }
            out.push(b']');
        }
        Value::Map(map) => entries(map.entries(), invalid, bytes_max, out)?,
    }
    if out.len() > bytes_max { Err(EvalError::TooLarge(bytes_max)) } else { Ok(()) }
}

/// Writes a whole row as JSON at the end of `out`, which may grow to `bytes_max`.
///
/// # Errors
///
/// Those of [`encode`].
pub fn encode_map(
    row: &Map<'_>,
    invalid: Invalid,
    bytes_max: usize,
    out: &mut Vec<u8>,
) -> Result<(), EvalError> {
    entries(row.entries(), invalid, bytes_max, out)?;
    if out.len() > bytes_max { Err(EvalError::TooLarge(bytes_max)) } else { Ok(()) }
}

pub(crate) fn entries(
    entries: &[(Text<'_>, Value<'_>)],
    invalid: Invalid,
    bytes_max: usize,
    out: &mut Vec<u8>,
) -> Result<(), EvalError> {
    out.push(b'{');
    let mut first = true;
    for (key, value) in entries.iter().filter(|(_, value)| !value.is_undefined()) {
        if !first {
            out.push(b',');
        }
        first = false;
        string(key.bytes(), invalid, out)?;
        out.push(b':');
        encode(value, invalid, bytes_max, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// Writes the shortest number that reads back as `number`; what JSON cannot say becomes `null`.
pub(crate) fn float(number: f64, out: &mut Vec<u8>) {
    if number.is_finite() {
        let _ = write!(out, "{number:?}");
    } else {
        out.extend_from_slice(b"null");
    }
}

fn string(bytes: &[u8], invalid: Invalid, out: &mut Vec<u8>) -> Result<(), EvalError> {
    out.push(b'"');
    for chunk in bytes.utf8_chunks() {
        escape(chunk.valid(), out);
        if !chunk.invalid().is_empty() {
            if invalid == Invalid::Refuse {
                return Err(EvalError::NotText);
            }
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    out.push(b'"');
    Ok(())
}

fn escape(text: &str, out: &mut Vec<u8>) {
    let mut plain = 0;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let short: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0x08 => b"\\b",
            0x0c => b"\\f",
            0..=0x1f => b"",
            _ => continue,
        };
        out.extend_from_slice(bytes.get(plain..at).unwrap_or_default());
        if short.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.extend_from_slice(short);
        }
        plain = at + 1;
    }
    out.extend_from_slice(bytes.get(plain..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(text: &str) -> String {
        let mut out = Vec::new();
        let value = decode(text.as_bytes()).expect("JSON");
        encode(&value, Invalid::Refuse, 1 << 20, &mut out).expect("fits");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn json_means_itself() {
        for text in [
            r#"{"a":[1,2.5,-3,null,true,"x"],"b":{}}"#,
            "18446744073709551615",
            "-9223372036854775808",
            r#""\"\\\n\u0001é""#,
            "[]",
        ] {
            assert_eq!(there_and_back(text), text);
        }
        assert_eq!(there_and_back(r#"{"a":1,"a":2}"#), r#"{"a":2}"#);
        assert_eq!(there_and_back("1e3"), "1000.0");
    }

    #[test]
    fn what_is_not_one_document_is_nothing() {
        for text in ["", "{", "1 2", "{'a':1}", "nul", "\u{feff}1", "[1,]", "1e999"] {
            assert!(decode(text.as_bytes()).is_none(), "{text}");
        }
        assert!(decode(b"\"\xff\"").is_none());
    }

    #[test]
    fn a_document_is_bounded_in_depth_and_in_values() {
        assert!(decode("[".repeat(200_000).as_bytes()).is_none());
        let deep = |levels| "[".repeat(levels) + &"]".repeat(levels);
        assert!(matches!(read(deep(JSON_DEPTH_MAX).as_bytes()), Ok(Some(_))));
        assert_eq!(read(deep(JSON_DEPTH_MAX + 1).as_bytes()).err(), Some(EvalError::JsonTooLarge));
        assert!(decode(("[".repeat(200) + &"]".repeat(200)).as_bytes()).is_none());
        let many = format!("[{}0]", "0,".repeat(JSON_VALUES_MAX));
        assert!(decode(many.as_bytes()).is_none());
        assert_eq!(read(many.as_bytes()).err(), Some(EvalError::JsonTooLarge));
        assert!(matches!(read(b"[1, 2"), Ok(None)));
    }

    #[test]
    fn octets_that_are_not_text_are_refused_or_replaced() {
        let value = Value::borrowed(b"a\xff");
        let mut out = Vec::new();
        assert_eq!(encode(&value, Invalid::Refuse, 100, &mut out), Err(EvalError::NotText));
        out.clear();
        encode(&value, Invalid::Replace, 100, &mut out).expect("replaced");
        assert_eq!(out, "\"a\u{fffd}\"".as_bytes());
    }
}
