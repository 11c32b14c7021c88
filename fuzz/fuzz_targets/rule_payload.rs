//! A payload is JSON to rules when it is to another decoder, and means the same when written.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rookery_rules::{
    Column, Context, Event, Invalid, Record, Rule, Value, World, compile, decode_json, encode_json,
};

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let rules = [
        "SELECT payload.a.b[1] AS x, payload.c AS payload.a.d FROM \"#\" WHERE payload.a > 1 OR true",
        "FOREACH payload.list AS e DO e.k, str(e) AS s INCASE is_not_null(e) FROM \"#\"",
        "SELECT map_keys(payload) AS k, gunzip(payload) AS g FROM \"#\"",
        "SELECT unzip(payload) AS u FROM \"#\"",
        "SELECT subbits(payload, 3, 40, 'integer', 'signed', 'little') AS b FROM \"#\"",
        "SELECT base64_decode(payload) AS b, regex_extract(payload, '(\\w+)=(\\w*)') AS r FROM \"#\"",
        "SELECT rfc3339_to_unix_ts(payload) AS t FROM \"#\"",
        "SELECT sprintf(payload, 1, 'x') AS t, unescape(payload) AS e FROM \"#\"",
    ];
    rules.iter().filter_map(|sql| compile(sql).ok()).collect()
});

fuzz_target!(|bytes: &[u8]| {
    let other = serde_json::from_slice::<serde_json::Value>(bytes).ok();
    let ours = decode_json(bytes);
    assert_eq!(ours.is_some(), other.is_some());
    if let (Some(ours), Some(other)) = (ours, other) {
        let mut out = Vec::new();
        if encode_json(&ours, Invalid::Refuse, 1 << 20, &mut out).is_ok() {
            let again: serde_json::Value = serde_json::from_slice(&out).expect("own JSON");
            assert_eq!(again, other);
        }
    }
    let message =
        Record::new(Event::MessagePublish).with(Column::Payload, Value::borrowed(bytes));
    let context = Context::new(&message, World::at(0, 1));
    for rule in RULES.iter() {
        let _ = rule.evaluate(&context);
    }
    assert!(context.payloads_decoded() <= 1);
});
