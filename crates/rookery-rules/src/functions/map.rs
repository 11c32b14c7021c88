//! Maps. What is text and a JSON object counts as one.

use std::rc::Rc;

use super::{Call, Function, Out, convert, differs, same};
use crate::DEPTH_MAX;
use crate::error::EvalError;
use crate::messages;
use crate::path::{self, Place};
use crate::value::{Map, Text, Value};

const ORDER: &str = "keys stay in the order in which they came; EMQX's order is not defined";

pub(super) const TABLE: &[Function] = &[
    same(
        "map_get",
        (2, 3),
        map_get,
        &[
            (r#"map_get('msg', json_decode('{"msg": "hello"}'))"#, "\"hello\""),
            (r#"map_get('a.b', '{"a":{"b":2}}')"#, "2"),
            (r#"map_get('data', json_decode('{}'), [])"#, "[]"),
        ],
    ),
    differs(
        "map_keys",
        (1, 1),
        map_keys,
        &[(r#"map_keys('{"b": 1, "a": 2}')"#, r#"["b","a"]"#)],
        ORDER,
    ),
    same("map_new", (0, 0), map_new, &[("map_new()", "{}")]),
    same(
        "map_put",
        (3, 3),
        map_put,
        &[
            (r#"map_put('b', 1, json_decode('{"a": 1}'))"#, r#"{"a":1,"b":1}"#),
            ("map_put('a.b', 2, map_new())", r#"{"a":{"b":2}}"#),
        ],
    ),
    same("map_size", (1, 1), map_size, &[(r#"map_size('{"a": 1}')"#, "1")]),
    differs(
        "map_to_entries",
        (1, 1),
        map_to_entries,
        &[(r#"map_to_entries('{"a": 1}')"#, r#"[{"key":"a","value":1}]"#)],
        ORDER,
    ),
    differs(
        "map_to_redis_hset_args",
        (1, 1),
        map_to_redis_hset_args,
        &[(r#"map_to_redis_hset_args('{"a": 1, "b": 2.50, "c": []}')"#, r#"["a","1","b","2.5"]"#)],
        "an array of names and values; EMQX's begins with a mark for its own Redis action",
    ),
    differs(
        "map_values",
        (1, 1),
        map_values,
        &[(r#"map_values('{"a": 1, "b": 2}')"#, "[1,2]")],
        ORDER,
    ),
    same(
        "mget",
        (2, 3),
        mget,
        &[
            (r#"mget(['a', 'b'], json_decode('{"a": {"b": 1}}'))"#, "1"),
            (r#"mget('a.b', '{"a.b": 3}')"#, "3"),
            ("mget('c', map_new(), 'no')", "\"no\""),
        ],
    ),
    same(
        "mput",
        (3, 3),
        mput,
        &[
            (r#"mput(['a', 'b'], 2, json_decode('{"c": 1}'))"#, r#"{"c":1,"a":{"b":2}}"#),
            ("mput('a.b', 2, map_new())", r#"{"a.b":2}"#),
        ],
    ),
];

/// `a.b.c` as steps.
fn dotted<'k>(c: &Call<'_, '_, '_>, key: &'k [u8]) -> Result<Vec<Place<'k>>, EvalError> {
    let places: Vec<_> = key.split(|byte| *byte == b'.').map(Place::Key).collect();
    if places.len() > DEPTH_MAX {
        return c.fail(messages::key_too_long(DEPTH_MAX));
    }
    Ok(places)
}

/// A key, or an array of keys.
fn keys<'k, 'a>(c: &'k Call<'_, 'a, '_>, at: usize) -> Result<Vec<Place<'k>>, EvalError> {
    let Value::Array(array) = c.value(at) else { return Ok(vec![Place::Key(c.bytes(at)?)]) };
    if array.items().len() > DEPTH_MAX {
        return c.fail(messages::too_many_keys(DEPTH_MAX));
    }
    let keys = array.items().iter().map(|key| match key {
        Value::Text(text) => Ok(Place::Key(text.bytes())),
        other => c.fail(messages::key_is(messages::kind(other))),
    });
    keys.collect()
}

fn get<'a>(c: &Call<'_, 'a, '_>, map: Rc<Map<'a>>, places: &[Place<'_>]) -> Out<'a> {
    places.iter().try_fold(Value::Map(map), |value, place| {
        c.work.spend_step(&value)?;
        Ok(path::get(&value, *place))
    })
}

fn or_else<'a>(c: &Call<'_, 'a, '_>, value: Value<'a>) -> Out<'a> {
    Ok(if value.is_undefined() { c.value(2).clone() } else { value })
}

fn map_get<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    if c.value(1).is_undefined() {
        return Ok(c.value(2).clone());
    }
    let places = dotted(c, c.bytes(0)?)?;
    let value = get(c, c.map(1)?, &places)?;
    or_else(c, value)
}

fn mget<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let value = get(c, c.map(1)?, &keys(c, 0)?)?;
    or_else(c, value)
}

fn map_put<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let places = dotted(c, c.bytes(0)?)?;
    path::put(Value::Map(c.map(2)?), &places, c.value(1).clone(), c.work)
}

fn mput<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    path::put(Value::Map(c.map(2)?), &keys(c, 0)?, c.value(1).clone(), c.work)
}

fn map_new<'a>(_: &Call<'_, 'a, '_>) -> Out<'a> {
    Ok(Value::Map(Rc::default()))
}

fn map_size<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    Ok(Value::Int(c.map(0)?.entries().len() as i128))
}

fn map_keys<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let map = c.map(0)?;
    c.list(map.entries().iter().map(|(key, _)| Value::from(key)).collect())
}

fn map_values<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let map = c.map(0)?;
    c.list(map.entries().iter().map(|(_, value)| value.clone()).collect())
}

fn map_to_entries<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let map = c.map(0)?;
    let entries = map.entries().iter().map(|(key, value)| {
        Value::map(vec![
            (Text::from("key"), Value::from(key)),
            (Text::from("value"), value.clone()),
        ])
    });
    c.list(entries.collect::<Result<_, _>>()?)
}

fn map_to_redis_hset_args<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let map = c.map(0)?;
    let mut items = Vec::new();
    for (key, value) in map.entries() {
        let shown = match value {
            Value::Text(_) => value.clone(),
            Value::Float(number) => c.make(convert::compact(*number, 6))?,
            Value::Int(_) | Value::Bool(_) => {
                let mut out = Vec::new();
                c.put_text(value, &mut out)?;
                c.make(out)?
            }
            // What Redis cannot hold in a field is left out, as in EMQX.
            _ => continue,
        };
        items.extend([Value::from(key), shown]);
    }
    c.list(items)
}
