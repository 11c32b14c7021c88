//! Columns as functions, the way rules named them before version 4.

use super::{Call, Function, Out, same};
use crate::column::Column;
use crate::messages;
use crate::path::{self, Place};
use crate::value::{Text, Value};

pub(super) const TABLE: &[Function] = &[
    same("clientid", (0, 0), |c| column(c, Column::ClientId), &[("clientid()", "\"c_emqx\"")]),
    same(
        "clientip",
        (0, 0),
        |c| column(c, Column::PeerHost),
        &[("clientip()", "\"192.168.0.10\"")],
    ),
    same("flag", (1, 1), flag, &[("flag('retain')", "false")]),
    same(
        "flags",
        (0, 0),
        |c| column(c, Column::Flags),
        &[("flags()", r#"{"retain":false,"dup":false}"#)],
    ),
    same(
        "msgid",
        (0, 0),
        |c| column(c, Column::Id),
        &[("msgid()", "\"0005E27C1D24E44FF440000017520000\"")],
    ),
    same("null", (0, 0), null, &[("is_null(null())", "true")]),
    same(
        "payload",
        (0, 1),
        payload,
        &[("payload()", r#""{\"msg\": \"hello\"}""#), ("payload('msg')", "\"hello\"")],
    ),
    same(
        "peerhost",
        (0, 0),
        |c| column(c, Column::PeerHost),
        &[("peerhost()", "\"192.168.0.10\"")],
    ),
    same("qos", (0, 0), |c| column(c, Column::QoS), &[("qos()", "1")]),
    same(
        "topic",
        (0, 1),
        topic,
        &[
            ("topic()", "\"t/a\""),
            ("topic(2)", "\"a\""),
            ("topic(3)", "topic: there is no level 3"),
        ],
    ),
    same("username", (0, 0), |c| column(c, Column::Username), &[("username()", "\"u_emqx\"")]),
];

fn column<'a>(c: &Call<'_, 'a, '_>, column: Column) -> Out<'a> {
    c.context.column(column, c.work)
}

fn null<'a>(_: &Call<'_, 'a, '_>) -> Out<'a> {
    Ok(Value::Undefined)
}

fn flag<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    Ok(path::get(&c.context.column(Column::Flags, c.work)?, Place::Key(c.bytes(0)?)))
}

fn payload<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    if c.count() == 0 {
        return column(c, Column::Payload);
    }
    let mut value: Value<'a> = c.context.payload()?.clone();
    for key in c.bytes(0)?.split(|byte| *byte == b'.') {
        c.work.spend_step(&value)?;
        value = path::get(&value, Place::Key(key));
    }
    Ok(value)
}

fn topic<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let topic = c.context.column(Column::Topic, c.work)?;
    if c.count() == 0 {
        return Ok(topic);
    }
    let level = c.int(0)?;
    let found = match &topic {
        Value::Text(text) => {
            let levels = text.bytes().split(|byte| *byte == b'/');
            let at = usize::try_from(level - 1).ok();
            at.and_then(|at| levels.into_iter().nth(at)).map(<[u8]>::to_vec)
        }
        _ => return Ok(Value::Undefined),
    };
    match found {
        Some(level) => Ok(Value::Text(Text::Shared(std::rc::Rc::new(level)))),
        None => c.fail(messages::no_level(level)),
    }
}
