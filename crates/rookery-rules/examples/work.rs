//! What a unit of work takes: `cargo run --release -p rookery-rules --example work`.
//!
//! Each line is an expression that costs much, most of them on payloads of 400 KB: the units that it is charged, the
//! time that it takes, and what all the work of one message would take in it.

use std::hint::black_box;
use std::time::Instant;

use rookery_rules::{
    Column, Context, Event, MESSAGE_WORK_MAX, Record, Rule, WORK_MAX, World, compile,
};

const BYTES: usize = 400 << 10;
/// Of what costs most for each octet.
const COINS: usize = 8 << 10;
const ROUNDS: usize = 7;

fn payloads() -> [(&'static str, String); 4] {
    let text = "lorem ipsum 12:34 dolor=sit; ".repeat(BYTES / 29);
    let same = format!("{}!", "a".repeat(BYTES));
    let items: Vec<_> =
        (0..BYTES / 40).map(|n| format!(r#"{{"k":{n},"t":"v{}"}}"#, n % 7)).collect();
    // Many states of an automaton that tells them apart.
    let mut seed = 1_u64;
    let coins = (0..COINS).map(|_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if seed >> 40 & 1 == 1 { 'a' } else { 'b' }
    });
    let json = format!(r#"{{"a":[{}]}}"#, items.join(","));
    [("text", text), ("same", same), ("coin", coins.collect()), ("json", json)]
}

const EXPRESSIONS: &[(&str, &str)] = &[
    ("text", "regex_match(payload, '([a-z]+ )+[0-9]+:[0-9]+ nothing')"),
    ("text", r"regex_match(payload, '(\w+\s)+x$')"),
    ("text", "regex_replace(payload, '([a-z]+)', '<&>')"),
    ("text", "regex_extract(payload, '(.*)(d.*)=(s.*);(.*)$')"),
    ("same", "regex_match(payload, '(a*)*b')"),
    ("same", "regex_match(payload, '(.*a){20}')"),
    ("same", "regex_match(payload, '(a|aa)+$')"),
    ("same", "regex_extract(payload, '(a?){30}(a+)$')"),
    ("same", r"regex_match(payload, '[ab]{0,200}[^a]x')"),
    ("same", r"regex_match(payload, '(\w{1,3}){1,3}[^a]')"),
    ("coin", "regex_match(payload, '(a|b)*a(a|b){10}c')"),
    ("coin", "regex_match(payload, '(a|b)*a(a|b){100}c')"),
    ("coin", "regex_match(payload, '(a|b)*a(a|b){500}c')"),
    ("coin", "regex_extract(payload, '^((a|b)*a(a|b){10})')"),
    ("coin", "regex_extract(payload, '^((a|b)*a(a|b){40})')"),
    ("coin", "regex_replace(payload, 'a(?:.*c)?', 'x')"),
    ("coin", "regex_replace(payload, 'a+', 'x')"),
    ("coin", r"regex_replace(payload, '(a)(b)', '\2')"),
    ("coin", r"regex_match('x', concat('\w{40}', ''))"),
    ("coin", "regex_match('x', concat('[ab]{900}', ''))"),
    ("text", "sha256(payload)"),
    ("text", "hash('sha512', payload)"),
    ("text", "md5(payload)"),
    ("text", "zip(payload)"),
    ("text", "gzip(payload)"),
    ("text", "unzip(zip(payload))"),
    ("text", "base64_encode(payload)"),
    ("text", "bin2hexstr(payload)"),
    ("text", "reverse(payload)"),
    ("text", "upper(payload)"),
    ("text", "tokens(payload, ' ')"),
    ("text", "split(payload, ' ')"),
    ("text", "replace(payload, 'o', '00')"),
    ("text", "find(payload, 'nothing')"),
    ("text", "strlen(payload)"),
    ("text", "subbits(payload, 3, 100000)"),
    ("text", "payload = concat(payload, '')"),
    ("json", "payload.a[9000].t"),
    ("json", "json_decode(payload)"),
    ("json", "json_encode(payload.a)"),
    ("json", "payload.a = payload.a"),
    ("json", "str(payload.a)"),
    ("json", "contains('x', payload.a)"),
    ("json", "map_to_entries(payload)"),
];

fn rule(expression: &str) -> Option<Rule> {
    let sql = format!("SELECT {expression} AS x FROM \"#\"");
    compile(&sql).map_err(|error| println!("{expression}: {error}")).ok()
}

fn main() {
    let payloads = payloads();
    let Some(decoded) = rule("payload.a") else { return };
    println!("{:>10} {:>10} {:>9} {:>12}", "units", "us", "ns/unit", "a message ms");
    let mut worst: f64 = 0.0;
    for (kind, expression) in EXPRESSIONS {
        let Some(rule) = rule(expression) else { continue };
        let Some((_, payload)) = payloads.iter().find(|(name, _)| name == kind) else { continue };
        let message = Record::new(Event::MessagePublish).with(Column::Payload, payload.as_str());
        let context = Context::new(&message, World::at(0, 1));
        // What the message pays once for all rules.
        let _ = black_box(decoded.evaluate(&context));
        let context = context.with_work(WORK_MAX);
        let failed = black_box(rule.evaluate(&context)).is_err();
        // The fastest of some: others may use the machine as well.
        let ns = (0..ROUNDS).map(|_| {
            let context = Context::new(&message, World::at(0, 1));
            let _ = black_box(decoded.evaluate(&context));
            let start = Instant::now();
            let _ = black_box(rule.evaluate(&context));
            start.elapsed().as_nanos()
        });
        let ns = ns.min().unwrap_or_default() as f64;
        let units = (WORK_MAX - context.work_left()) as f64;
        let each = ns / units;
        worst = worst.max(each);
        let all = each * MESSAGE_WORK_MAX as f64 / 1e6;
        let mark = if failed { " (too much)" } else { "" };
        println!("{units:>10.0} {:>10.0} {each:>9.1} {all:>12.1}  {expression}{mark}", ns / 1e3);
    }
    println!(
        "worst: {worst:.1} ns a unit, {:.0} ms a message",
        worst * MESSAGE_WORK_MAX as f64 / 1e6
    );
}
