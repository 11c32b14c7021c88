//! The system, and what is not there.

use super::{Call, Function, Out, absent, differs};
use crate::value::Value;

const NO_STATE: &str = "a rule keeps nothing from one message to the next";
const OLD: &str = "undocumented, and about a column that no event has";

pub(super) const TABLE: &[Function] = &[
    differs(
        "getenv",
        (1, 1),
        getenv,
        &[("getenv('CITY')", "\"Lund\""), ("is_null(getenv('HOME'))", "true")],
        "reads what the node took from variables that begin with EMQXVAR_ when it started",
    ),
    absent(
        "jq",
        "jq programs can run without end and cannot be bounded by their text; FOREACH, paths and the functions of maps and arrays are bounded",
    ),
    absent("ai_completion", "no rule waits for a service"),
    absent("contains_topic", OLD),
    absent("contains_topic_match", OLD),
    absent("kv_store_del", NO_STATE),
    absent("kv_store_get", NO_STATE),
    absent("kv_store_put", NO_STATE),
    absent("maptab_lookup", NO_STATE),
    absent("proc_dict_del", NO_STATE),
    absent("proc_dict_get", NO_STATE),
    absent("proc_dict_put", NO_STATE),
];

fn getenv<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let name = c.text(0)?;
    let found = c.context.world.variables.iter().find(|(have, _)| have == name);
    Ok(found.map_or(Value::Undefined, |(_, value)| Value::from(value.as_str())))
}
