//! A rule runs on a payload without a panic, within its work, and twice with the same rows, which are JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_fuzz::{parts, row_json};
use rookery_rules::{Column, Context, Event, EvalError, Record, Rule, Value, World, compile};

/// So little that no input takes long: what is beyond it is an error like others.
const WORK: u64 = 2_000;

fuzz_target!(|data: &[u8]| {
    let [sql, payload] = parts(data);
    let Ok(sql) = std::str::from_utf8(sql) else { return };
    let Ok(rule) = compile(sql) else { return };
    assert_eq!(rows(&rule, payload), rows(&rule, payload), "the same twice");
});

fn rows(rule: &Rule, payload: &[u8]) -> Result<Vec<Option<serde_json::Value>>, EvalError> {
    let message = Record::new(Event::MessagePublish)
        .with(Column::ClientId, "press-7")
        .with(Column::Topic, "line/3/a")
        .with(Column::Payload, Value::borrowed(payload));
    let context = Context::new(&message, World::at(1_700_000_000_000_000_000, 1)).with_work(WORK);
    let outcome = rule.evaluate(&context);
    assert!(context.payloads_decoded() <= 1);
    Ok(outcome?.rows().iter().map(row_json).collect())
}
