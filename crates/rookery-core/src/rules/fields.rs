//! The parts of a rule's result that an action wants, as octets.
//!
//! An action says once which parts it sends: texts with placeholders, single values, the whole
//! row. They are worked out in the shard, where the row is, and travel as one block, which can be
//! queued or lie on disk without anybody looking into it.
//!
//! Each field is one tag and its payload: eight octets for numbers, or a length of four octets and
//! that many more; numbers are little-endian.

use rookery_rules::{
    EvalError, Invalid, Map, Parts, Template, Value, encode_json, encode_json_map,
};

const UNDEFINED: u8 = 0;
const NULL: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const INT: u8 = 4;
const FLOAT: u8 = 5;
const TEXT: u8 = 6;
const JSON: u8 = 7;
const LENGTH_BYTES: usize = 4;

/// One part of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// Text with placeholders.
    Text(Template),
    /// The value of a template that is one placeholder, as it is: a number stays a number. Any
    /// other template is text.
    Value(Template),
    /// The whole row as JSON.
    Row,
}

/// The parts of a result that an action wants, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActionFields {
    /// The parts.
    pub fields: Vec<Field>,
}

/// One part of a result, read back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FieldValue<'a> {
    /// Nothing was there.
    Undefined,
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text, or octets that are none.
    Text(&'a [u8]),
    /// JSON: an array, a map, or a whole number of more than 64 bits.
    Json(&'a [u8]),
}

impl ActionFields {
    /// Writes the parts of `row` at the end of `out`, which may grow by `bytes_max`.
    ///
    /// # Errors
    ///
    /// [`EvalError::TooLarge`], then `out` is as it was.
    pub fn encode<'a>(
        &self,
        row: &Map<'a>,
        bytes_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), EvalError> {
        self.encode_of(&Parts::alone(), row, bytes_max, out)
    }

    /// The same for one of the results of a message.
    ///
    /// # Errors
    ///
    /// The same, or that the message may not cost more work.
    pub fn encode_of<'a>(
        &self,
        parts: &Parts<'a, '_>,
        row: &Map<'a>,
        bytes_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), EvalError> {
        let start = out.len();
        let limit = start.saturating_add(bytes_max.min(u32::MAX as usize));
        for field in &self.fields {
            let written = match field {
                Field::Text(template) => text(template, parts, row, limit, out),
                Field::Value(template) => match template.value(parts, row) {
                    Ok(Some(value)) => one(&value, limit, out),
                    Ok(None) => text(template, parts, row, limit, out),
                    Err(error) => Err(error),
                },
                Field::Row => {
                    sized(JSON, out, |out| encode_json_map(row, Invalid::Replace, limit, out))
                }
            };
            if written.is_err() || out.len() > limit {
                out.truncate(start);
                written?;
                return Err(EvalError::TooLarge(bytes_max));
            }
        }
        Ok(())
    }
}

fn text<'a>(
    template: &Template,
    parts: &Parts<'a, '_>,
    row: &Map<'a>,
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), EvalError> {
    sized(TEXT, out, |out| template.render_of(parts, row, limit.saturating_sub(out.len()), out))
}

fn one(value: &Value<'_>, limit: usize, out: &mut Vec<u8>) -> Result<(), EvalError> {
    match value {
        Value::Undefined => out.push(UNDEFINED),
        Value::Null => out.push(NULL),
        Value::Bool(false) => out.push(FALSE),
        Value::Bool(true) => out.push(TRUE),
        Value::Int(number) => match i64::try_from(*number) {
            Ok(number) => {
                out.push(INT);
                out.extend_from_slice(&number.to_le_bytes());
            }
            Err(_) => return sized(JSON, out, |out| json(value, limit, out)),
        },
        Value::Float(number) => {
            out.push(FLOAT);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Text(text) => {
            return sized(TEXT, out, |out| {
                let bytes = text.bytes();
                if out.len().saturating_add(bytes.len()) > limit {
                    return Err(EvalError::TooLarge(limit));
                }
                out.extend_from_slice(bytes);
                Ok(())
            });
        }
        Value::Array(_) | Value::Map(_) => return sized(JSON, out, |out| json(value, limit, out)),
    }
    Ok(())
}

fn json(value: &Value<'_>, limit: usize, out: &mut Vec<u8>) -> Result<(), EvalError> {
    encode_json(value, Invalid::Replace, limit, out)
}

/// A tag, a length, and what `write` writes.
fn sized(
    tag: u8,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), EvalError>,
) -> Result<(), EvalError> {
    out.push(tag);
    let at = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    write(out)?;
    let length = out.len() - at - LENGTH_BYTES;
    // What is longer than a length can say is above the caller's limit, who takes it back.
    let length = u32::try_from(length).map_err(|_| EvalError::TooLarge(u32::MAX as usize))?;
    if let Some(place) = out.get_mut(at..at + LENGTH_BYTES) {
        place.copy_from_slice(&length.to_le_bytes());
    }
    Ok(())
}

/// The parts that [`ActionFields::encode`] wrote. What it did not write ends the list.
#[must_use]
pub const fn decode(fields: &[u8]) -> Fields<'_> {
    Fields { rest: fields }
}

/// Whether `fields` are parts from the first octet to the last.
#[must_use]
pub fn is_whole(fields: &[u8]) -> bool {
    let mut parts = decode(fields);
    while parts.next().is_some() {}
    parts.rest.is_empty()
}

/// The parts of one item; see [`decode`].
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = FieldValue<'a>;

    fn next(&mut self) -> Option<FieldValue<'a>> {
        let (&tag, rest) = self.rest.split_first()?;
        let (value, rest) = match tag {
            UNDEFINED => (FieldValue::Undefined, rest),
            NULL => (FieldValue::Null, rest),
            FALSE => (FieldValue::Bool(false), rest),
            TRUE => (FieldValue::Bool(true), rest),
            INT => {
                let (number, rest) = rest.split_first_chunk()?;
                (FieldValue::Int(i64::from_le_bytes(*number)), rest)
            }
            FLOAT => {
                let (number, rest) = rest.split_first_chunk()?;
                (FieldValue::Float(f64::from_le_bytes(*number)), rest)
            }
            TEXT | JSON => {
                let (length, rest) = rest.split_first_chunk()?;
                let (bytes, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                if tag == TEXT {
                    (FieldValue::Text(bytes), rest)
                } else {
                    (FieldValue::Json(bytes), rest)
                }
            }
            _ => return None,
        };
        self.rest = rest;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rookery_rules::{Text, decode_json};

    use super::*;

    fn template(text: &str) -> Template {
        Template::parse(text).expect(text)
    }

    fn with_row(json: &str, check: impl FnOnce(&Map<'_>)) {
        let Some(Value::Map(row)) = decode_json(json.as_bytes()) else { panic!("no map: {json}") };
        check(&row);
    }

    #[test]
    fn values_keep_their_kind_and_texts_are_text() {
        let fields = ActionFields {
            fields: vec![
                Field::Text(template("n=${n}")),
                Field::Value(template("${n}")),
                Field::Value(template("${big}")),
                Field::Value(template("${f}")),
                Field::Value(template("${t}")),
                Field::Value(template("${a}")),
                Field::Value(template("${no}")),
                Field::Value(template("${z}")),
                Field::Value(template("${y}")),
                Field::Value(template("${a[1]}/${n}")),
                Field::Row,
            ],
        };
        let json = concat!(
            r#"{"n":-7,"big":18446744073709551615,"f":1.5,"t":"x","a":[1,{"b":2}],"#,
            r#""z":null,"y":true}"#
        );
        with_row(json, |row| {
            let mut out = b"before".to_vec();
            fields.encode(row, 1000, &mut out).expect("fits");
            let written = out.strip_prefix(b"before").expect("what was there stays");
            assert!(is_whole(written));
            let read: Vec<_> = decode(written).collect();
            let expected = [
                FieldValue::Text(b"n=-7"),
                FieldValue::Int(-7),
                FieldValue::Json(b"18446744073709551615"),
                FieldValue::Float(1.5),
                FieldValue::Text(b"x"),
                FieldValue::Json(br#"[1,{"b":2}]"#),
                FieldValue::Undefined,
                FieldValue::Null,
                FieldValue::Bool(true),
                FieldValue::Text(b"1/-7"),
                FieldValue::Json(json.as_bytes()),
            ];
            assert_eq!(read, expected);
        });
    }

    #[test]
    fn what_is_too_large_leaves_nothing() {
        for field in [Field::Row, Field::Value(template("${t}")), Field::Text(template("${t}"))] {
            let fields = ActionFields { fields: vec![Field::Text(template("ok")), field] };
            with_row(r#"{"t":"0123456789012345678901234567890123456789"}"#, |row| {
                let mut out = b"before".to_vec();
                assert!(fields.encode(row, 40, &mut out).is_err());
                assert_eq!(out, b"before");
                fields.encode(row, 100, &mut out).expect("fits");
            });
        }
    }

    #[test]
    fn what_was_cut_short_ends_the_list() {
        let fields = ActionFields { fields: vec![Field::Row, Field::Value(template("${n}"))] };
        with_row(r#"{"n":1}"#, |row| {
            let mut out = Vec::new();
            fields.encode(row, 100, &mut out).expect("fits");
            let cut = out.get(..out.len() - 1).expect("longer");
            assert_eq!(decode(cut).count(), 1);
            assert!(!is_whole(cut));
            assert!(!is_whole(&[9]));
        });
    }

    fn any_value() -> impl Strategy<Value = Value<'static>> {
        let leaf = prop_oneof![
            Just(Value::Undefined),
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i128>().prop_map(|number| Value::Int(number / 2)),
            any::<i64>().prop_map(|number| Value::Int(number.into())),
            any::<f64>().prop_filter("JSON has none", |f| f.is_finite()).prop_map(Value::Float),
            proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::owned),
        ];
        leaf.prop_recursive(2, 8, 4, |inner| {
            proptest::collection::vec(inner, 0..4)
                .prop_map(|items| Value::array(items).expect("flat"))
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(values in proptest::collection::vec(any_value(), 0..8)) {
            let mut row = Map::default();
            let mut fields = ActionFields::default();
            for (at, value) in values.iter().enumerate() {
                row.put(Text::from(format!("c{at}")), value.clone()).expect("flat");
                fields.fields.push(Field::Value(template(&format!("${{c{at}}}"))));
            }
            let mut out = Vec::new();
            fields.encode(&row, 1 << 20, &mut out).expect("fits");
            let read: Vec<_> = decode(&out).collect();
            prop_assert_eq!(read.len(), values.len());
            for (read, value) in read.iter().zip(&values) {
                let mut json = Vec::new();
                encode_json(value, Invalid::Replace, 1 << 20, &mut json).expect("fits");
                match (read, value) {
                    (FieldValue::Undefined, Value::Undefined)
                    | (FieldValue::Null, Value::Null) => {}
                    (FieldValue::Bool(read), Value::Bool(value)) => prop_assert_eq!(read, value),
                    (FieldValue::Int(read), Value::Int(value)) => {
                        prop_assert_eq!(i128::from(*read), *value);
                    }
                    (FieldValue::Float(read), Value::Float(value)) => {
                        prop_assert_eq!(read.to_bits(), value.to_bits());
                    }
                    (FieldValue::Text(read), Value::Text(value)) => {
                        prop_assert_eq!(*read, value.bytes());
                    }
                    (FieldValue::Json(read), Value::Int(_) | Value::Array(_)) => {
                        prop_assert_eq!(*read, json.as_slice());
                    }
                    (read, value) => prop_assert!(false, "{:?} of {:?}", read, value),
                }
            }
        }

        #[test]
        fn any_octets_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&bytes).count();
            let _ = is_whole(&bytes);
        }
    }
}
