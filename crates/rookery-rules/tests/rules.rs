//! What rules make of messages: statements as a person writes them, results as JSON.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test")]

use rookery_rules::{
    Column, Context, EvalError, Event, Invalid, Outcome, Record, Value, World, compile,
    decode_json, encode_json, messages,
};

const PAYLOAD: &str = r#"{
    "x": 8, "y": 1.5, "name": "sensor_1", "on": true, "none": null, "text": "{\"in\":[5]}",
    "a": {"b": [{"c": 1}, {"c": 2}, {"c": 3}]},
    "sensors": [{"idx": 0, "name": "t0"}, {"idx": 1, "name": "t1"}, {"idx": 2, "name": "t2"}]
}"#;

fn message() -> Record<'static> {
    Record::new(Event::MessagePublish)
        .with(Column::ClientId, "c1")
        .with(Column::Username, "eric")
        .with(Column::Topic, "t/a/b")
        .with(Column::QoS, 1_i64)
        .with(Column::Payload, PAYLOAD)
        .with(Column::PubProps, decode_json(br#"{"User-Property":{"foo":"bar"}}"#).expect("JSON"))
}

/// The rows as JSON, `no match`, or the error.
fn run(sql: &str) -> String {
    let rule = match compile(sql) {
        Ok(rule) => rule,
        Err(error) => return error.to_string(),
    };
    let message = message();
    let context = Context::new(&message, World::at(1_000_000_000, 1));
    match rule.evaluate(&context) {
        Err(error) => error.to_string(),
        Ok(Outcome::NoMatch) => "no match".to_owned(),
        Ok(outcome) => {
            let rows = outcome.rows().iter().map(|row| {
                let mut out = Vec::new();
                let row = Value::Map(std::rc::Rc::new(row.clone()));
                encode_json(&row, Invalid::Replace, 1 << 20, &mut out).expect("fits");
                String::from_utf8(out).expect("UTF-8")
            });
            rows.collect::<Vec<_>>().join("\n")
        }
    }
}

fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<_> = cases
        .iter()
        .map(|(sql, expected)| (sql, expected, run(sql)))
        .filter(|(_, expected, found)| found != *expected)
        .map(|(sql, expected, found)| format!("{sql}\n  is   {found}\n  want {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn select_picks_names_and_transforms() {
    check(&[
        (r#"SELECT clientid, payload.x as x FROM "t/#""#, r#"{"clientid":"c1","x":8}"#),
        (r#"SELECT payload.a.b[1].c FROM "t/#""#, r#"{"payload":{"a":{"b":[{"c":1}]}}}"#),
        (r#"SELECT payload.a.b[-1].c as last FROM "t/#""#, r#"{"last":3}"#),
        (r#"SELECT payload.a.b[2..3] as some FROM "t/#""#, r#"{"some":[{"c":2},{"c":3}]}"#),
        (r#"SELECT [1..3] as r, payload.a.b[qos].c as i FROM "t/#""#, r#"{"r":[1,2,3],"i":1}"#),
        (r#"SELECT (upper(clientid) + '_U') as cid FROM "t/#""#, r#"{"cid":"C1_U"}"#),
        (
            r#"SELECT (payload.x + 2) * 2 as num, payload.x / 2 as half FROM "t/#""#,
            r#"{"num":20,"half":4.0}"#,
        ),
        (r#"SELECT payload.x as a.b.c, 'k' as a.b.d FROM "t/#""#, r#"{"a":{"b":{"c":8,"d":"k"}}}"#),
        (r#"SELECT pub_props.'User-Property'.foo as foo FROM "t/#""#, r#"{"foo":"bar"}"#),
        (r#"SELECT payload.text.in[1] as deep FROM "t/#""#, r#"{"deep":5}"#),
        (r#"SELECT nothing as n, payload.nothing as m, 1 as one FROM "t/#""#, r#"{"one":1}"#),
        (r#"SELECT upper(clientid) FROM "t/#""#, r#"{"upper(clientid)":"C1"}"#),
        (r#"SELECT 'x' FROM "t/#""#, r#"{"x":"x"}"#),
        (r#"select CLIENTID as c, clientid as C from "t/#";"#, r#"{"C":"c1"}"#),
    ]);
}

#[test]
fn an_alias_is_seen_by_what_comes_later() {
    check(&[
        (
            r#"SELECT payload.x as a, a + 1 as b FROM "t/#" WHERE b = 9 and a = 8"#,
            r#"{"a":8,"b":9}"#,
        ),
        (
            r#"SELECT 'other' as clientid FROM "t/#" WHERE clientid = 'other'"#,
            r#"{"clientid":"other"}"#,
        ),
        (r#"SELECT nothing as clientid FROM "t/#" WHERE clientid = 'c1'"#, "{}"),
        (
            r#"SELECT payload.a as m, 'STEVE' as m.b[1].c, 7 as m.b[tail], m as n FROM "t/#" WHERE m.b[-1] = 7"#,
            r#"{"m":{"b":[{"c":"STEVE"},{"c":2},{"c":3},7]},"n":{"b":[{"c":"STEVE"},{"c":2},{"c":3},7]}}"#,
        ),
    ]);
    let row = run(r#"SELECT payload, 0 as payload.x FROM "t/#""#);
    assert!(row.starts_with(r#"{"payload":{"x":0,"y":1.5,"#), "{row}");
}

#[test]
fn everything_is_every_column_that_has_a_value() {
    let row = run(r#"SELECT *, payload.x as x FROM "t/#""#);
    assert!(
        row.starts_with(r#"{"event":"message.publish","clientid":"c1","username":"eric""#),
        "{row}"
    );
    assert!(row.ends_with(r#","x":8}"#), "{row}");
}

#[test]
fn conditions_compare_as_in_emqx() {
    let holds = [
        "payload.x > 7",
        "payload.name = \"sensor_1\"",
        "payload.x = '8' and payload.y >= 1.5",
        "payload.on",
        "payload.on = 'true'",
        "not payload.on = false",
        "payload.nothing = undefined",
        "is_null(payload.nothing) and not is_null(payload.none)",
        "topic =~ 't/+/b'",
        "payload.x in (1, 8)",
        "payload.x not in (1, 2)",
        "clientid = 'c1' or payload.a.b > 3",
        "payload.x mod 3 = 2 and payload.x div 3 = 2",
        "payload.x <> 9 and payload.x != 9",
        "case when payload.x > 7 then 7 else 0 end = 7",
        "case payload.x when 8 then true else false end",
        "-payload.x < -7",
    ];
    let fails = [
        "payload.x > 8",
        "payload.nothing > 1",
        "payload.nothing != 1",
        "payload.name",
        "not payload.name",
        "payload.x in ('8')",
        "false or payload.none = undefined",
    ];
    for (conditions, expected) in [(&holds[..], "{\"qos\":1}"), (&fails[..], "no match")] {
        for condition in conditions {
            assert_eq!(
                run(&format!("SELECT qos FROM \"#\" WHERE {condition}")),
                expected,
                "{condition}"
            );
        }
    }
}

#[test]
fn foreach_makes_a_row_of_each_element() {
    check(&[
        (
            r#"FOREACH payload.sensors as sensor DO clientid, upper(sensor.name) as name, sensor.idx as idx INCASE sensor.idx >= 1 FROM "t/#""#,
            "{\"clientid\":\"c1\",\"name\":\"T1\",\"idx\":1}\n{\"clientid\":\"c1\",\"name\":\"T2\",\"idx\":2}",
        ),
        (
            r#"FOREACH payload.a.b DO item.c FROM "t/#" WHERE qos = 1"#,
            "{\"item\":{\"c\":1}}\n{\"item\":{\"c\":2}}\n{\"item\":{\"c\":3}}",
        ),
        (
            r#"FOREACH 10 as base, [1, 2] as n DO base + n as sum FROM "t/#""#,
            "{\"sum\":11}\n{\"sum\":12}",
        ),
        (r#"FOREACH payload.sensors DO item.idx as i INCASE item.idx > 9 FROM "t/#""#, "no match"),
        (r#"FOREACH payload.x DO item FROM "t/#""#, "no match"),
        (
            r#"FOREACH payload.sensors as s DO s.idx as i FROM "t/#" WHERE length(s) = 4"#,
            "no match",
        ),
        (
            r#"FOREACH [1, 2] as n DO case when n = 1 then 'first' end as k, coalesce(k, 'none') as l FROM "t/#""#,
            "{\"k\":\"first\",\"l\":\"first\"}\n{\"l\":\"none\"}",
        ),
    ]);
    let rows = run(r#"FOREACH payload.a.b as e FROM "t/#""#);
    assert!(
        rows.lines().all(|row| row.starts_with("{\"event\"") && row.contains("\"e\":{\"c\":")),
        "{rows}"
    );
}

#[test]
fn case_may_stand_before_a_parenthesis() {
    let sql = "SELECT case (payload.x + 1) when 9 then 'nine' else 'other' end as x FROM \"#\"";
    assert_eq!(run(sql), "{\"x\":\"nine\"}");
}

#[test]
fn what_is_wrong_has_a_place_and_advice() {
    check(&[
        ("SELECT", "line 1, column 7: expected an expression, found the end"),
        (
            "SELECT * FROM t",
            "line 1, column 15: expected a topic filter or an event in quotes, found \"t\" (write FROM \"t/#\")",
        ),
        (
            "SELECT * FROM t/#",
            "line 1, column 17: '#' means nothing here (topic filters stand in quotes: FROM \"t/#\")",
        ),
        (
            "SELECT *\nFROM \"t/#\" WHERE a is null",
            "line 2, column 20: expected the end, found \"is\" (use is_null(x) or is_not_null(x))",
        ),
        (
            "SELECT uper(a) as b FROM \"#\"",
            "line 1, column 8: there is no function uper (did you mean upper?)",
        ),
        ("SELECT strlen() FROM \"#\"", "line 1, column 8: strlen takes 1 arguments, not 0"),
        (
            "SELECT * FROM \"a/#/b\"",
            "line 1, column 15: no topic filter: wildcard `#` is not allowed there",
        ),
        (
            "SELECT regex_match(a, '(') as b FROM \"#\"",
            "line 1, column 23: no regular expression: error: unclosed group",
        ),
        ("SELECT 'abc FROM \"#\"", "line 1, column 8: this quote is never closed"),
        ("UPDATE x", "line 1, column 1: expected SELECT or FOREACH, found \"UPDATE\""),
    ]);
    let error = compile("SELECT * FROM \"$events/client/conected\"").expect_err("no event");
    assert!(error.hint.is_some_and(|hint| hint.to_string().contains("$events/client/connected")));
    let error = compile("SELECT jq('.', payload) FROM \"#\"").expect_err("no jq");
    assert_eq!(error.message.to_string(), "jq is not available");
}

#[test]
fn sources_are_told_apart() {
    let sql = r#"SELECT * FROM "t/#", "$events/client_connected", '$events/client/connected', "$bridges/mqtt:b", "a/+""#;
    let rule = compile(sql).expect("rule");
    assert_eq!(rule.filters(), ["t/#", "a/+"]);
    assert_eq!(rule.events(), [Event::ClientConnected]);
    assert_eq!(rule.sources(), ["$bridges/mqtt:b"]);
}

#[test]
fn the_payload_is_decoded_once_for_all_rules_and_only_when_one_needs_it() {
    let message = message();
    let context = Context::new(&message, World::at(0, 1));
    let rules = [
        "SELECT clientid FROM \"#\"",
        "SELECT payload.x FROM \"#\"",
        "SELECT payload.y FROM \"#\" WHERE payload.x > 1",
    ];
    let rules: Vec<_> = rules.iter().map(|sql| compile(sql).expect("rule")).collect();
    rules[0].evaluate(&context).expect("runs");
    assert_eq!(context.payloads_decoded(), 0);
    for rule in &rules {
        rule.evaluate(&context).expect("runs");
    }
    assert_eq!(context.payloads_decoded(), 1);
}

#[test]
fn a_payload_that_is_no_json_has_no_parts() {
    let message = message().with(Column::Payload, Value::borrowed(b"\xff\xfe"));
    let context = Context::new(&message, World::at(0, 1));
    let rule = compile("SELECT payload.x as x, payload FROM \"#\"").expect("rule");
    let outcome = rule.evaluate(&context).expect("runs");
    assert_eq!(outcome.rows()[0].entries().len(), 1);
}

#[test]
fn a_test_fills_in_what_it_does_not_say() {
    let mut record = Event::ClientConnected.example(5);
    assert!(record.merge_json(br#"{"clientid":"mine","unknown":1}"#));
    assert!(!record.merge_json(b"[]"));
    let context = Context::new(&record, World::at(0, 1));
    let rule =
        compile(r#"SELECT clientid, keepalive FROM "$events/client/connected""#).expect("rule");
    let outcome = rule.evaluate(&context).expect("runs");
    assert!(matches!(outcome.rows()[0].get(b"clientid"), Some(Value::Text(_))));
    assert!(matches!(outcome.rows()[0].get(b"keepalive"), Some(Value::Int(60))));
}

#[test]
fn a_rule_that_fails_says_why() {
    assert_eq!(run("SELECT 1 FROM \"#\" WHERE payload.name > 1"), "\"sensor_1\" is not a number");
    assert_eq!(
        run("SELECT 1 / 0 as x FROM \"#\""),
        EvalError::Function { function: "/", message: messages::division_by_zero() }.to_string()
    );
    assert_eq!(
        run("SELECT payload.x - 'a' as x FROM \"#\""),
        "-: cannot be done with integer and string"
    );
}
