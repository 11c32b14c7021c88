//! Every function of rules takes whatever it is given: octets, text and JSON of any kind.
//!
//! The first two octets choose the function and how many arguments it gets, the third which of them
//! are JSON; the arguments follow, each ended by [`rookery_fuzz::BETWEEN`]. What they are is compiled
//! once, so that an input costs no more than its function.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rookery_fuzz::{BETWEEN, row_json};
use rookery_rules::functions::{FAMILIES, Status};
use rookery_rules::{Column, Context, Event, Record, Rule, Value, World, compile, decode_json};

const WORK: u64 = 2_000;
const NAMES: [&str; 4] = ["clientid", "username", "peerhost", "payload"];
const COLUMNS: [Column; 4] =
    [Column::ClientId, Column::Username, Column::PeerHost, Column::Payload];

/// Of each function a rule for each number of arguments that it takes, up to four.
static RULES: LazyLock<Vec<Vec<Rule>>> = LazyLock::new(|| {
    let there = FAMILIES
        .iter()
        .flat_map(|family| family.functions)
        .filter(|function| !matches!(function.status, Status::Absent(_)));
    let rules = there.map(|function| {
        let most = function.arguments_max.min(NAMES.len());
        let with = |count: usize| {
            compile(&format!("SELECT {}({}) AS r FROM \"#\"", function.name, NAMES[..count].join(",")))
        };
        (function.arguments_min..=most).filter_map(|count| with(count).ok()).collect::<Vec<_>>()
    });
    let rules: Vec<_> = rules.filter(|rules| !rules.is_empty()).collect();
    assert!(rules.len() > 100, "functions are called by columns");
    rules
});

fuzz_target!(|data: &[u8]| {
    let [which, count, is_json, rest @ ..] = data else { return };
    let rules = &RULES[*which as usize % RULES.len()];
    let rule = &rules[*count as usize % rules.len()];
    let mut message = Record::new(Event::MessagePublish);
    let arguments = rest.split(|octet| *octet == BETWEEN);
    for (at, (column, argument)) in COLUMNS.into_iter().zip(arguments).enumerate() {
        let json = (is_json >> at & 1 == 1).then(|| decode_json(argument)).flatten();
        message.set(column, json.unwrap_or_else(|| Value::borrowed(argument)));
    }
    let world = World::at(1_700_000_000_000_000_000, 1);
    let context = Context::new(&message, world).with_work(WORK);
    if let Ok(outcome) = rule.evaluate(&context) {
        outcome.rows().iter().for_each(|row| drop(row_json(row)));
    }
});
