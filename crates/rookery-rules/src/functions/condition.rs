//! The first value that is something.

use super::{Call, Function, Out, same};
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    same(
        "coalesce",
        (1, 16),
        |c| first(c, false),
        &[
            ("coalesce(not_there, 0)", "0"),
            ("coalesce('', 0)", "\"\""),
            ("coalesce([not_there, 2])", "2"),
        ],
    ),
    same(
        "coalesce_ne",
        (1, 16),
        |c| first(c, true),
        &[("coalesce_ne('', 'x')", "\"x\""), ("coalesce_ne(clientid, 'x')", "\"c_emqx\"")],
    ),
];

fn first<'a>(c: &Call<'_, 'a, '_>, not_empty: bool) -> Out<'a> {
    let values = match c.value(0) {
        Value::Array(array) if c.count() == 1 => array.items(),
        _ => c.arguments,
    };
    let something = |value: &&Value<'a>| match value {
        Value::Undefined | Value::Null => false,
        Value::Text(text) => !(not_empty && text.bytes().is_empty()),
        _ => true,
    };
    Ok(values.iter().find(something).cloned().unwrap_or_default())
}
