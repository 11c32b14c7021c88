//! Reading and writing along a path: `a.b[1]`.
//!
//! Text on the way that is JSON is read as JSON, as in EMQX.

use std::rc::Rc;

use crate::ARRAY_ITEMS_MAX;
use crate::context::read_text;
use crate::error::EvalError;
use crate::functions::Work;
use crate::value::{Map, Text, Value};

/// A step whose index is known.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'s> {
    Key(&'s [u8]),
    Index(i64),
    Head,
    Tail,
}

/// What is one step below `value`, borrowed where `value` holds it.
pub(crate) fn get<'a>(value: &Value<'a>, place: Place<'_>) -> Value<'a> {
    match value {
        Value::Text(text) => match (decode_text(text), place) {
            (Some(Value::Text(_)) | None, _) => Value::Undefined,
            (Some(inner), place) => get(&inner, place),
        },
        Value::Map(map) => match place {
            Place::Key(key) => map.get(key).cloned().unwrap_or_default(),
            _ => Value::Undefined,
        },
        Value::Array(array) => match place {
            Place::Index(index) => {
                let items = array.items();
                position(index, items.len())
                    .and_then(|at| items.get(at))
                    .cloned()
                    .unwrap_or_default()
            }
            _ => Value::Undefined,
        },
        _ => Value::Undefined,
    }
}

/// Text as JSON; nothing when it is none.
pub(crate) fn decode_text<'a>(text: &Text<'a>) -> Option<Value<'a>> {
    read_text(text).unwrap_or_default()
}

/// Where the element with the 1-based `index` is; a negative one counts from the end.
pub(crate) fn position(index: i64, length: usize) -> Option<usize> {
    let from_one = usize::try_from(index.unsigned_abs()).ok()?;
    if from_one == 0 || from_one > length {
        return None;
    }
    Some(if index > 0 { from_one - 1 } else { length - from_one })
}

/// `base` with `value` at the end of `places`. `undefined` changes nothing. It copies `base` level by
/// level, and decodes it where it is text.
pub(crate) fn put<'a>(
    base: Value<'a>,
    places: &[Place<'_>],
    value: Value<'a>,
    work: &Work,
) -> Result<Value<'a>, EvalError> {
    if value.is_undefined() {
        return Ok(base);
    }
    let Some((place, below)) = places.split_first() else { return Ok(value) };
    work.spend(1)?;
    match &base {
        // Once for what is below it, and once to write into it.
        Value::Text(text) => work.spend(2 * text.bytes().len() as u64)?,
        Value::Array(array) => work.spend_entries(array.items().len())?,
        Value::Map(map) => work.spend_entries(map.entries().len())?,
        _ => {}
    }
    // Recursion is as deep as the path, and a path has a bound.
    let inner = match below {
        [] => value,
        _ => put(get(&base, *place), below, value, work)?,
    };
    match place {
        Place::Key(key) => put_key(base, key, inner),
        place => put_index(base, *place, inner),
    }
}

fn put_key<'a>(base: Value<'a>, key: &[u8], value: Value<'a>) -> Result<Value<'a>, EvalError> {
    let base = match base {
        Value::Text(text) => decode_text(&text).unwrap_or_default(),
        other => other,
    };
    let mut map = match base {
        Value::Map(map) => map,
        _ => Rc::new(Map::default()),
    };
    Rc::make_mut(&mut map).put(Text::Shared(Rc::new(key.to_vec())), value)?;
    Ok(Value::Map(map))
}

/// Beside the ends only an element that is there can be set.
fn put_index<'a>(
    base: Value<'a>,
    place: Place<'_>,
    value: Value<'a>,
) -> Result<Value<'a>, EvalError> {
    let base = match base {
        Value::Text(text) => decode_text(&text).unwrap_or_default(),
        other => other,
    };
    let mut items = match base {
        Value::Array(array) => array.items().to_vec(),
        // EMQX makes an array with one element out of what is none.
        _ => return Value::array(vec![value]),
    };
    if items.len() >= ARRAY_ITEMS_MAX {
        return Err(EvalError::TooManyItems);
    }
    match place {
        Place::Head => items.insert(0, value),
        Place::Tail => items.push(value),
        Place::Index(index) => {
            let at = position(index, items.len());
            if let Some(slot) = at.and_then(|at| items.get_mut(at)) {
                *slot = value;
            }
        }
        Place::Key(_) => {}
    }
    Value::array(items)
}
