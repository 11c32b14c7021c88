//! What kind of data a value is.

use super::{Call, Function, Out, differs, same};
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    same(
        "is_array",
        (1, 1),
        |c| is(c, |v| matches!(v, Value::Array(_))),
        &[("is_array([1, 2])", "true"), ("is_array('[1, 2]')", "false")],
    ),
    same(
        "is_bool",
        (1, 1),
        |c| is(c, |v| matches!(v, Value::Bool(_))),
        &[("is_bool(true)", "true"), ("is_bool('true')", "false")],
    ),
    same(
        "is_float",
        (1, 1),
        |c| is(c, |v| matches!(v, Value::Float(_))),
        &[("is_float(123.4)", "true"), ("is_float(123)", "false")],
    ),
    same(
        "is_int",
        (1, 1),
        |c| is(c, |v| matches!(v, Value::Int(_))),
        &[("is_int(123)", "true"), ("is_int(123.4)", "false")],
    ),
    same(
        "is_map",
        (1, 1),
        |c| is(c, |v| matches!(v, Value::Map(_))),
        &[(r#"is_map(json_decode('{"value": 1}'))"#, "true"), ("is_map([])", "false")],
    ),
    same(
        "is_null",
        (1, 1),
        |c| is(c, |v| v.is_undefined()),
        &[("is_null(not_there)", "true"), (r#"is_null(map_get('b', '{"b": null}'))"#, "false")],
    ),
    same(
        "is_not_null",
        (1, 1),
        |c| is(c, |v| !v.is_undefined()),
        &[("is_not_null(clientid)", "true")],
    ),
    same(
        "is_null_var",
        (1, 1),
        |c| is(c, is_nothing),
        &[
            ("is_null_var(not_there)", "true"),
            (r#"is_null_var(map_get('b', '{"b": null}'))"#, "true"),
        ],
    ),
    same(
        "is_not_null_var",
        (1, 1),
        |c| is(c, |v| !is_nothing(v)),
        &[(r#"is_not_null_var(map_get('b', '{"b": null}'))"#, "false")],
    ),
    same(
        "is_num",
        (1, 1),
        |c| is(c, |v| matches!(v, Value::Int(_) | Value::Float(_))),
        &[("is_num(1)", "true"), ("is_num('1')", "false")],
    ),
    same(
        "is_str",
        (1, 1),
        |c| is(c, |v| matches!(v, Value::Text(_))),
        &[("is_str('123')", "true"), ("is_str(123)", "false")],
    ),
    differs(
        "is_empty",
        (1, 1),
        is_empty,
        &[
            ("is_empty([])", "true"),
            (r#"is_empty('{"key": 1}')"#, "false"),
            ("is_empty(not_there)", "false"),
        ],
        "what is neither an array, a map nor JSON text is not empty; in EMQX it fails the rule",
    ),
];

fn is<'a>(c: &Call<'_, 'a, '_>, test: fn(&Value<'_>) -> bool) -> Out<'a> {
    Ok(Value::Bool(test(c.value(0))))
}

const fn is_nothing(value: &Value<'_>) -> bool {
    matches!(value, Value::Undefined | Value::Null)
}

fn is_empty<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let decoded;
    let value = match c.value(0) {
        Value::Text(text) if text.bytes().is_empty() => return Ok(Value::Bool(true)),
        Value::Text(_) => {
            decoded = c.decoded(0)?.unwrap_or_default();
            &decoded
        }
        value => value,
    };
    Ok(Value::Bool(match value {
        Value::Array(array) => array.items().is_empty(),
        Value::Map(map) => map.entries().is_empty(),
        _ => false,
    }))
}
