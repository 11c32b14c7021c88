//! Random rules and random messages against a small independent model.
//!
//! The model shares no code with the crate: it computes on the tree that the test made, and knows
//! EMQX's rules of comparison a second time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test")]

mod chains;
mod meaning;
mod tree;

use meaning::{Meaning, model, within_json};
use proptest::prelude::*;
use rookery_rules::{
    Column, Context, Event, Invalid, Map, Record, World, compile, encode_json_map,
};
use serde_json::{Value as Json, json};
use tree::{ELEMENT_PATHS, PATHS, Tree, is_beyond_the_model, sql};

/// The rows of a rule, each as JSON; `Err` when it fails.
fn rows(sql: &str, payload: &str) -> Result<Vec<Json>, ()> {
    let rule = compile(sql).expect(sql);
    let message = Record::new(Event::MessagePublish).with(Column::Payload, payload);
    let context = Context::new(&message, World::at(0, 1));
    let outcome = rule.evaluate(&context).map_err(|_| ())?;
    let json = |row: &Map<'_>| {
        let mut out = Vec::new();
        encode_json_map(row, Invalid::Refuse, 1 << 20, &mut out).map_err(|_| ())?;
        Ok(serde_json::from_slice(&out).expect("JSON"))
    };
    outcome.rows().iter().map(json).collect()
}

/// What `SELECT … AS r` gives.
fn evaluated(sql: &str, payload: &str) -> Meaning {
    Ok(rows(sql, payload)?.first().and_then(|row| row.get("r")).cloned())
}

/// A value that a payload may have: floats have a fraction, which is written in one way only.
fn value() -> impl Strategy<Value = Json> + Clone {
    let leaf = prop_oneof![
        3 => (-20..21).prop_map(|number| json!(number)),
        1 => (-20..21).prop_map(|number| json!(f64::from(number) + 0.25)),
        2 => "[a-z0-9.é]{0,3}".prop_map(|text| json!(text)),
        1 => any::<bool>().prop_map(|value| json!(value)),
        1 => Just(Json::Null),
        1 => Just(json!(r#"{"k":[1,{"k":"2"}]}"#)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let key = proptest::sample::select(vec!["k", "l", "m", "k2"]);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            proptest::collection::hash_map(key, inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
    .boxed()
}

/// A payload: what paths look for is there or not, and of any kind.
fn document() -> impl Strategy<Value = Json> {
    let key = proptest::sample::select(vec!["i", "f", "t", "n", "l", "m", "d", "j"]);
    let typical = json!({
        "i": 7, "f": 2.5, "t": "12", "n": null, "l": [1, "b"], "m": {"k": "x"}, "d": "1.5",
        "j": "{\"k\":[1,2]}",
    });
    proptest::collection::hash_map(key, value(), 0..5).prop_map(move |changes| {
        let mut document = typical.clone();
        for (key, value) in changes {
            document[key] = value;
        }
        document
    })
}

fn same(a: &Meaning, b: &Meaning) -> bool {
    match (a, b) {
        // Numbers may be written as 1.0 or 1.
        (Ok(Some(Json::Number(a))), Ok(Some(Json::Number(b)))) => a.as_f64() == b.as_f64(),
        (a, b) => a == b,
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_global_rejects: 10 * cases, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(4000))]

    #[test]
    fn a_rule_evaluates_to_what_the_model_says(tree in tree::tree(&PATHS), payload in document()) {
        prop_assume!(!is_beyond_the_model(&tree));
        let text = payload.to_string();
        let scope = json!({ "payload": payload });
        let sql = format!("SELECT {} AS r FROM \"#\"", sql(&tree));
        let Some(expected) = within_json(|| model(&tree, &scope)) else { return Ok(()) };
        let found = evaluated(&sql, &text);
        prop_assert!(same(&expected, &found), "{sql} of {text}: {found:?}, the model says {expected:?}");
    }

    #[test]
    fn a_condition_matches_when_the_model_says_true(tree in tree::tree(&PATHS), payload in document()) {
        prop_assume!(!is_beyond_the_model(&tree));
        let text = payload.to_string();
        let scope = json!({ "payload": payload });
        let sql = format!("SELECT 1 AS r FROM \"#\" WHERE {}", sql(&tree));
        let Some(expected) = within_json(|| model(&tree, &scope)) else { return Ok(()) };
        let expected = expected.map(|value| (value == Some(json!(true))).then(|| json!(1)));
        prop_assert_eq!(evaluated(&sql, &text), expected, "{} of {}", sql, text);
    }

    #[test]
    fn a_foreach_makes_the_rows_that_the_model_says(
        each in tree::tree(&ELEMENT_PATHS),
        incase in proptest::option::of(tree::tree(&ELEMENT_PATHS)),
        condition in proptest::option::of(tree::tree(&PATHS)),
        items in proptest::option::of(proptest::collection::vec(value(), 0..6)),
        payload in document(),
    ) {
        let trees = [Some(&each), incase.as_ref(), condition.as_ref()];
        prop_assume!(!trees.into_iter().flatten().any(is_beyond_the_model));
        let mut payload = payload;
        if let Some(items) = items {
            payload["l"] = Json::Array(items);
        }
        let text = payload.to_string();
        let clause = |word: &str, tree: &Option<Tree>| {
            tree.as_ref().map_or_else(String::new, |tree| format!(" {word} {}", sql(tree)))
        };
        let sql = format!(
            "FOREACH payload.l AS e DO e.k AS x, {} AS r{} FROM \"#\"{}",
            sql(&each), clause("INCASE", &incase), clause("WHERE", &condition),
        );
        let expected = within_json(|| foreach(&each, &incase, &condition, &payload));
        let Some(expected) = expected else { return Ok(()) };
        prop_assert_eq!(rows(&sql, &text), expected, "{} of {}", sql, text);
    }

    #[test]
    fn a_payload_means_what_another_decoder_says(bytes in any::<Vec<u8>>()) {
        let ours = rookery_rules::decode_json(&bytes).is_some();
        prop_assert_eq!(ours, serde_json::from_slice::<Json>(&bytes).is_ok());
    }

    #[test]
    fn a_payload_is_written_as_it_was_read(payload in value()) {
        let sql = "SELECT payload.r AS r FROM \"#\"";
        let text = json!({ "r": payload }).to_string();
        prop_assert_eq!(evaluated(sql, &text), Ok(Some(payload)));
    }
}

/// The rows of `FOREACH payload.l AS e DO e.k AS x, each AS r INCASE … WHERE …`.
fn foreach(
    each: &Tree,
    incase: &Option<Tree>,
    condition: &Option<Tree>,
    payload: &Json,
) -> Result<Vec<Json>, ()> {
    let holds = |tree: &Option<Tree>, scope: &Json| match tree {
        Some(tree) => Ok::<_, ()>(model(tree, scope)? == Some(json!(true))),
        None => Ok(true),
    };
    if !holds(condition, &json!({ "payload": payload }))? {
        return Ok(vec![]);
    }
    let mut rows = Vec::new();
    for element in payload["l"].as_array().unwrap_or(&vec![]) {
        let scope = json!({ "payload": payload, "e": element });
        if holds(incase, &scope)? {
            let mut row = json!({});
            for (name, tree) in [("x", &Tree::Path("e.k")), ("r", each)] {
                if let Some(value) = model(tree, &scope)? {
                    row[name] = value;
                }
            }
            rows.push(row);
        }
    }
    Ok(rows)
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn a_long_chain_means_what_the_model_says(text in chains::chains()) {
        let sql = format!("SELECT {text} AS r FROM \"#\"");
        prop_assume!(sql.len() <= rookery_rules::SQL_BYTES_MAX);
        let expected = Ok(Some(json!(chains::model_of_chains(&text))));
        prop_assert_eq!(evaluated(&sql, r#"{"i":7}"#), expected, "{}", sql);
    }
}
