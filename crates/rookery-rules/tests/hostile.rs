//! Rules and messages that mean harm: everything ends, within bounds of time, memory and stack.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test")]

use std::cell::Cell;

use rookery_rules::{
    CHAIN_MAX, Column, Context, DEPTH_MAX, EvalError, Event, Map, Outcome, Record, SQL_BYTES_MAX,
    Source, Template, Text, Value, World, compile,
};

fn run(sql: &str, payload: &str) -> Result<usize, EvalError> {
    let rule = compile(sql).unwrap_or_else(|error| panic!("{error}"));
    let message = Record::new(Event::MessagePublish).with(Column::Payload, payload);
    let context = Context::new(&message, World::at(0, 1));
    rule.evaluate(&context).map(|outcome| outcome.rows().len())
}

/// Runs on a stack as small as a thread may have.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(test)
        .expect("thread")
        .join()
        .expect("no panic");
}

#[test]
fn deep_and_long_expressions_are_refused_or_fit_the_stack() {
    on_a_small_stack(|| {
        let deep: [fn(usize) -> String; 7] = [
            |n| format!("{}1{}", "(".repeat(n), ")".repeat(n)),
            |n| format!("{}1{}", "[".repeat(n), "]".repeat(n)),
            |n| format!("{}1", "not ".repeat(n)),
            |n| format!("{}1", "- ".repeat(n)),
            |n| format!("{}true{}", "(true and ".repeat(n), ")".repeat(n)),
            |n| format!("{}1{}", "abs(".repeat(n), ")".repeat(n)),
            |n| format!("a{}", "[b".repeat(n) + &"]".repeat(n)),
        ];
        for expression in deep {
            for levels in [10, DEPTH_MAX - 4, DEPTH_MAX * 4, 8_000] {
                let sql = format!("SELECT {} AS x FROM \"#\"", expression(levels));
                if let Ok(rule) = compile(&sql) {
                    let message = Record::new(Event::MessagePublish);
                    let context = Context::new(&message, World::at(0, 1));
                    let _ = rule.evaluate(&context);
                    assert!(levels < DEPTH_MAX, "{levels} levels compiled");
                }
            }
        }
    });
    assert!(compile(&"x".repeat(SQL_BYTES_MAX + 1)).is_err());
    assert!(compile(&format!("SELECT {} FROM \"#\"", vec!["1"; 20_000].join(","))).is_err());
}

#[test]
fn a_chain_is_bounded_by_its_length_and_needs_no_stack() {
    on_a_small_stack(|| {
        let chains: [fn(usize) -> String; 6] = [
            |n| format!("1{}", " + 1".repeat(n)),
            |n| format!("1{}", " - 1 + 1".repeat(n / 2)),
            |n| format!("1{}", " * 1".repeat(n)),
            |n| format!("true{}", " and true".repeat(n)),
            |n| format!("qos = 7{}", " or qos = 7".repeat(n)),
            |n| format!("'a'{}", " + 'b'".repeat(n)),
        ];
        for chain in chains {
            for (more, fits) in [(500, true), (CHAIN_MAX - 2, true), (CHAIN_MAX, false)] {
                let sql = format!("SELECT {} AS x FROM \"#\"", chain(more));
                match compile(&sql) {
                    Ok(rule) => {
                        let message = Record::new(Event::MessagePublish);
                        let context = Context::new(&message, World::at(0, 1));
                        assert_eq!(rule.evaluate(&context).map(|made| made.rows().len()), Ok(1));
                        assert!(fits, "{more} more parts compiled: {}", chain(1));
                    }
                    Err(error) => {
                        assert!(!fits, "{more} more parts are refused: {error}");
                        assert!(error.to_string().contains("4096"), "{error}");
                    }
                }
            }
        }
    });
}

#[test]
fn values_that_grow_deeper_with_every_step_are_refused() {
    on_a_small_stack(|| {
        let steps = vec!["[a] AS a"; 2000].join(",");
        assert_eq!(run(&format!("SELECT 1 AS a, {steps} FROM \"#\""), ""), Err(EvalError::TooDeep));
        let key = vec!["k"; 100].join(".");
        let nest = format!("map_put('{key}', a, map_new()) AS a");
        let sql = format!("SELECT 1 AS a, {} FROM \"#\"", vec![nest; 20].join(","));
        assert_eq!(run(&sql, ""), Err(EvalError::TooDeep));
    });
}

#[test]
fn arrays_and_texts_are_bounded() {
    assert_eq!(run("SELECT [1..99999999999] AS a FROM \"#\"", ""), Err(EvalError::TooManyItems));
    assert!(matches!(
        run("SELECT pad('x', 99999999999) AS a FROM \"#\"", ""),
        Err(EvalError::TooLarge(_))
    ));
    let double = vec!["a + a AS a"; 60].join(",");
    let error = run(&format!("SELECT 'x' AS a, {double} FROM \"#\""), "").expect_err("too large");
    assert!(matches!(error, EvalError::TooLarge(_) | EvalError::TooMuchWork), "{error}");
    let grow = vec!["replace(a, 'x', 'xxxxxxxx') AS a"; 20].join(",");
    let error = run(&format!("SELECT 'x' AS a, {grow} FROM \"#\""), "").expect_err("too large");
    assert!(matches!(error, EvalError::TooLarge(_) | EvalError::TooMuchWork), "{error}");
}

#[test]
fn loops_are_bounded() {
    let work = "FOREACH [1..60000] AS n DO strlen(payload) + strlen(payload) + strlen(payload) AS l FROM \"#\"";
    assert_eq!(run(work, &"x".repeat(10_000)), Err(EvalError::TooMuchWork));
    let rows = run(
        "FOREACH payload.a DO item AS i FROM \"#\"",
        &format!("{{\"a\":[{}0]}}", "0,".repeat(50_000)),
    );
    assert_eq!(rows, Ok(50_001));
    let copies = "FOREACH [1..60000] AS n DO [1..60000] AS l FROM \"#\"";
    assert_eq!(run(copies, ""), Err(EvalError::TooMuchWork));
    let compares =
        "FOREACH payload.a AS n DO n FROM \"#\" WHERE payload.a IN (payload.a, [1], payload.a)";
    assert!(run(compares, &format!("{{\"a\":[{}0]}}", "0,".repeat(50_000))).is_ok());
}

#[test]
fn bombs_do_not_unpack() {
    let sql = "SELECT unzip(zip(pad('', 3000000))) AS a, unzip(zip(concat(a, a))) AS b FROM \"#\"";
    let error = run(sql, "").expect_err("too large");
    assert!(matches!(error, EvalError::TooLarge(_) | EvalError::TooMuchWork), "{error}");
}

#[test]
fn expressions_that_are_catastrophes_elsewhere_are_linear_or_refused() {
    let text = "a".repeat(100_000) + "!";
    for pattern in ["(a+)+$", "(a|aa)+$", "(a*)*b", "(.*a){20}", "^(([a-z])+.)+[A-Z]([a-z])+$"] {
        let sql = format!("SELECT 1 AS x FROM \"#\" WHERE regex_match(payload, '{pattern}')");
        let ended = run(&sql, &text);
        assert!(matches!(ended, Ok(_) | Err(EvalError::TooMuchWork)), "{pattern}: {ended:?}");
    }
    for pattern in ["((a{1000}){1000}){1000}", "(a)\\1", "\\p{L}{5000}"] {
        let error = compile(&format!("SELECT regex_match(payload, '{pattern}') FROM \"#\""));
        assert!(error.is_err(), "{pattern}");
    }
    let dynamic =
        "FOREACH [1..60000] AS n DO regex_match(payload, concat('a{', n + '}')) AS x FROM \"#\"";
    assert_eq!(run(dynamic, "a"), Err(EvalError::TooMuchWork));
    assert!(compile("SELECT regex_match(payload, concat('(', payload)) AS x FROM \"#\"").is_ok());
}

#[test]
fn payloads_that_mean_harm_are_not_looked_into() {
    const LOOK: &str = "SELECT payload.a AS a FROM \"#\" WHERE is_null(payload.a)";
    for payload in [
        "[".repeat(1_000_000),
        format!("{{\"a\":{}", "{\"a\":".repeat(100_000)),
        format!("{{\"a\":[{}0]}}", "0,".repeat(1_000_000)),
    ] {
        assert_eq!(run(LOOK, &payload), Err(EvalError::JsonTooLarge));
        assert_eq!(run("SELECT 1 AS a FROM \"#\"", &payload), Ok(1));
    }
    assert_eq!(run(LOOK, &"1".repeat(1_000_000)), Ok(1));
    let keys: Vec<_> = (0..100_000).map(|n| format!("\"k{}\":{n}", n % 50_000)).collect();
    let many = format!("{{{}}}", keys.join(","));
    assert_eq!(run("SELECT 1 AS a FROM \"#\" WHERE payload.k7 = 50007", &many), Ok(1));
}

#[test]
fn templates_are_bounded() {
    let template = Template::parse(&"${a}".repeat(1000)).expect("template");
    let message = Record::new(Event::MessagePublish).with(Column::Payload, "x");
    let context = Context::new(&message, World::at(0, 1));
    let rule = compile("SELECT pad('', 100000) AS a FROM \"#\"").expect("rule");
    let outcome = rule.evaluate(&context).expect("runs");
    let Outcome::Row(row) = outcome else { panic!("one row") };
    let row: Map<'_> = row;
    let mut out = Vec::new();
    assert_eq!(template.render(&row, 1 << 20, &mut out), Err(EvalError::TooLarge(1 << 20)));
    assert!(out.len() < 2 << 20);
}

#[test]
fn comparing_costs_what_is_in_the_values_even_what_is_there_twice() {
    // A value of 2^40 parts, that hold each other.
    let twice = vec!["[a, a] AS a"; 40].join(",");
    for condition in ["a = a", "a IN (a)", "contains(a, [a])", "case a when a then true end"] {
        let sql = format!("SELECT 1 AS a, {twice} FROM \"#\" WHERE {condition}");
        assert_eq!(run(&sql, ""), Err(EvalError::TooMuchWork), "{condition}");
    }
    for printed in ["str(a)", "concat(a, '')", "sprintf('~p', a)", "'' + a", "json_encode(a)"] {
        let sql = format!("SELECT 1 AS a, {twice}, {printed} AS b FROM \"#\"");
        assert_eq!(run(&sql, ""), Err(EvalError::TooMuchWork), "{printed}");
    }
    let inner = format!("{{\"a\":[[{}0]]}}", "0,".repeat(50_000));
    let compared = "FOREACH [1..60000] AS n DO payload.a = payload.a AS same FROM \"#\"";
    assert_eq!(run(compared, &inner), Err(EvalError::TooMuchWork));
}

#[test]
fn an_expression_costs_what_it_may_take_for_each_octet() {
    let coins: String = (0..400_000_u32)
        .map(|n| if n.wrapping_mul(2_654_435_761) >> 20 & 1 == 1 { 'a' } else { 'b' })
        .collect();
    for expression in [
        "regex_match(payload, '(a|b)*a(a|b){500}c')",
        "regex_extract(payload, '^((a|b)*a(a|b){40})')",
        // Each match looks at all that follows.
        "regex_replace(payload, 'a(?:.*c)?', 'x')",
    ] {
        let sql = format!("SELECT {expression} AS x FROM \"#\"");
        assert_eq!(run(&sql, &coins), Err(EvalError::TooMuchWork), "{expression}");
        assert_eq!(run(&sql, &coins[..200]), Ok(1), "{expression}");
    }
    for expression in ["regex_match(payload, '^[ab]+$')", "regex_replace(payload, 'a+', 'x')"] {
        let sql = format!("SELECT {expression} AS x FROM \"#\"");
        assert_eq!(run(&sql, &coins), Ok(1), "{expression}");
    }
}

#[test]
fn groups_cost_what_it_takes_to_keep_them_and_only_when_they_are_wanted() {
    let groups = format!("(?:{})*", vec!["(a)"; 500].join("|"));
    let text = "a".repeat(3_000);
    for (expression, ended) in [
        (format!("regex_replace(payload, '{groups}', 'x')"), Ok(1)),
        (format!("regex_replace(payload, '{groups}', '[&]')"), Ok(1)),
        (format!("regex_replace(payload, '{groups}', '\\1')"), Err(EvalError::TooMuchWork)),
        (format!("regex_extract(payload, '{groups}')"), Err(EvalError::TooMuchWork)),
    ] {
        let sql = format!("SELECT {expression} AS x FROM \"#\"");
        assert_eq!(run(&sql, &text), ended, "{expression}");
    }
    // Usual ones still go through usual payloads.
    let line = "2021-05-20 12:30 press-7 t=81.5; ".repeat(200);
    let usual = r"regex_replace(payload, '(\d+)-(\d+)-(\d+)', '\3.\2.\1')";
    assert_eq!(run(&format!("SELECT {usual} AS x FROM \"#\""), &line), Ok(1));
}

#[test]
fn a_row_of_very_many_names_costs_looking_for_them() {
    let names: Vec<_> = (0..3_000).map(|n| format!("1 AS n{n}")).collect();
    let each = format!("FOREACH [1..5000] AS x DO {} FROM \"#\"", names.join(","));
    assert_eq!(run(&each, ""), Err(EvalError::TooMuchWork));
}

/// A message with very many user properties, which are put together whenever somebody asks.
struct ManyProperties {
    payload: String,
    made: Cell<u32>,
}

impl Source for ManyProperties {
    fn event(&self) -> Event {
        Event::MessagePublish
    }

    fn column(&self, column: Column) -> Value<'_> {
        match column {
            Column::Payload => Value::from(self.payload.as_str()),
            Column::PubProps => {
                self.made.set(self.made.get() + 1);
                let entries = (0..1_000).map(|n| (Text::from(format!("k{n}")), Value::Null));
                let user = Value::map(entries.collect()).expect("flat");
                Value::map(vec![("User-Property".into(), user)]).expect("flat")
            }
            _ => Value::Undefined,
        }
    }
}

#[test]
fn a_column_that_has_to_be_made_is_made_once_and_charged() {
    let items = vec!["1"; 10_000].join(",");
    let message =
        ManyProperties { payload: format!("{{\"items\":[{items}]}}"), made: Cell::new(0) };
    let context = Context::new(&message, World::at(0, 1));
    for sql in [
        "FOREACH payload.items AS item FROM \"#\"",
        "FOREACH payload.items AS item DO pub_props, pub_props.'User-Property' AS u FROM \"#\"",
        "FOREACH payload.items AS item DO pub_props FROM \"#\"",
    ] {
        let before = context.work_left();
        let rule = compile(sql).expect("rule");
        assert_eq!(rule.evaluate(&context).expect("runs").rows().len(), 10_000, "{sql}");
        assert!(before - context.work_left() > 20_000, "rows cost the memory they take");
    }
    assert_eq!(message.made.get(), 1);
    let one = compile("SELECT pub_props FROM \"#\"").expect("rule");
    let fresh = Context::new(&message, World::at(0, 1)).with_work(500);
    assert_eq!(one.evaluate(&fresh).err(), Some(EvalError::TooMuchWorkTogether));
}

#[test]
fn writing_into_a_value_costs_what_is_copied_at_each_level() {
    let entries: Vec<_> = (0..10_000).map(|n| format!("\"k{n}\":{n}")).collect();
    let payload = format!("{{\"in\":{{{}}}}}", entries.join(","));
    for copies in
        ["1 AS p.in.x, p AS q", "map_put('in.x', n, p) AS q", "mput(['in', 'x'], n, p) AS q"]
    {
        let sql =
            format!("FOREACH json_decode(payload) AS p, [1..60000] AS n DO {copies} FROM \"#\"");
        assert_eq!(run(&sql, &payload), Err(EvalError::TooMuchWork), "{copies}");
    }
    // Text within JSON that is JSON is decoded by each of these.
    let nested = format!("{{\"in\":\"[{}0]\"}}", "0,".repeat(50_000));
    for read in ["payload('in.x')", "map_get('in.x', p)", "mget(['in', 'x'], p)"] {
        let sql =
            format!("FOREACH json_decode(payload) AS p, [1..60000] AS n DO {read} AS q FROM \"#\"");
        assert_eq!(run(&sql, &nested), Err(EvalError::TooMuchWork), "{read}");
    }
}

#[test]
fn all_rules_of_a_message_share_what_it_may_cost() {
    let costly = compile("SELECT sha256(payload) AS h FROM \"#\"").expect("rule");
    let cheap = compile("SELECT clientid FROM \"#\" WHERE payload.t > 80").expect("rule");
    let payload = format!("{{\"t\":81,\"x\":\"{}\"}}", "x".repeat(400_000));
    let message = Record::new(Event::MessagePublish).with(Column::Payload, payload.as_str());
    let context = Context::new(&message, World::at(0, 1));
    let results: Vec<_> = (0..250).map(|_| costly.evaluate(&context).err()).collect();
    let ran = results.iter().filter(|error| error.is_none()).count();
    assert!((1..250).contains(&ran), "{ran} ran");
    let failed = EvalError::TooMuchWorkTogether;
    let fails = |error: &Option<EvalError>| error.as_ref() == Some(&failed);
    assert!(results[ran..].iter().all(fails), "one after the other");
    assert_eq!(context.work_left(), 0);
    // What costs little runs beside those that cost too much.
    assert_eq!(cheap.evaluate(&context).expect("runs").rows().len(), 1);
    assert_eq!(failed.said().key(), "too_much_work_together");
}
