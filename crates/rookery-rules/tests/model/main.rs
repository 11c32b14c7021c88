//! Random rules against a small independent model, which works on `serde_json` values.
//!
//! The model shares no code with the crate: it computes on the tree that the test made, and knows
//! EMQX's rules of comparison a second time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test")]

use std::cell::Cell;
use std::cmp::Ordering;

use proptest::prelude::*;
use rookery_rules::{Column, Context, Event, Invalid, Record, Value, World, compile, encode_json};
use serde_json::{Value as Json, json};

#[derive(Debug, Clone)]
enum Tree {
    Int(i32),
    Text(String),
    Bool(bool),
    Path(&'static str),
    Sum(Box<Tree>, Vec<(char, Tree)>),
    Multiply(Box<Tree>, Box<Tree>),
    Compare(&'static str, Box<Tree>, Box<Tree>),
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
    Case(Box<Tree>, Box<Tree>, Box<Tree>),
    List(Vec<Tree>),
    Coalesce(Box<Tree>, Box<Tree>),
    Strlen(Box<Tree>),
}

thread_local! {
    /// Whether a number grew larger than floats hold exactly.
    static BEYOND: Cell<bool> = const { Cell::new(false) };
}

/// Nothing is `None`; a rule that fails is `Err`.
type Result_ = Result<Option<Json>, ()>;

fn sql(tree: &Tree) -> String {
    match tree {
        Tree::Int(number) => format!("({number})"),
        Tree::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Tree::Bool(value) => value.to_string(),
        Tree::Path(path) => (*path).to_owned(),
        Tree::Sum(first, rest) => {
            let rest = rest.iter().map(|(sign, part)| format!(" {sign} {}", sql(part)));
            format!("({}{})", sql(first), rest.collect::<String>())
        }
        Tree::Multiply(a, b) => format!("({} * {})", sql(a), sql(b)),
        Tree::Compare(op, a, b) => format!("({} {op} {})", sql(a), sql(b)),
        Tree::And(parts) => format!("({})", joined(parts, " AND ")),
        Tree::Or(parts) => format!("({})", joined(parts, " OR ")),
        Tree::Not(a) => format!("(NOT {})", sql(a)),
        Tree::Case(a, b, c) => format!("CASE WHEN {} THEN {} ELSE {} END", sql(a), sql(b), sql(c)),
        Tree::List(items) => format!("[{}]", joined(items, ", ")),
        Tree::Coalesce(a, b) => format!("coalesce({}, {})", sql(a), sql(b)),
        Tree::Strlen(a) => format!("strlen({})", sql(a)),
    }
}

fn joined(parts: &[Tree], with: &str) -> String {
    parts.iter().map(sql).collect::<Vec<_>>().join(with)
}

fn model(tree: &Tree, payload: &Json) -> Result_ {
    let is = |tree: &Tree| Ok::<_, ()>(model(tree, payload)? == Some(json!(true)));
    Ok(Some(match tree {
        Tree::Int(number) => json!(number),
        Tree::Text(text) => json!(text),
        Tree::Bool(value) => json!(value),
        Tree::Path(path) => return Ok(walk(path, payload)),
        Tree::Sum(first, rest) => {
            let mut sum = model(first, payload)?;
            for (sign, part) in rest {
                let part = model(part, payload)?;
                sum = Some(match sign {
                    '+' => add(sum, part)?,
                    _ => numbers(sum, part, i128::checked_sub, |a, b| a - b)?,
                });
            }
            return Ok(sum);
        }
        Tree::Multiply(a, b) => {
            numbers(model(a, payload)?, model(b, payload)?, i128::checked_mul, |a, b| a * b)?
        }
        Tree::Compare(op, a, b) => {
            json!(compare(op, model(a, payload)?, model(b, payload)?)?)
        }
        Tree::And(parts) => {
            for part in parts {
                if !is(part)? {
                    return Ok(Some(json!(false)));
                }
            }
            json!(true)
        }
        Tree::Or(parts) => {
            for part in parts {
                if is(part)? {
                    return Ok(Some(json!(true)));
                }
            }
            json!(false)
        }
        Tree::Not(a) => json!(model(a, payload)? == Some(json!(false))),
        Tree::Case(a, b, c) => return model(if is(a)? { b } else { c }, payload),
        Tree::List(items) => {
            let items =
                items.iter().map(|item| model(item, payload)).collect::<Result<Vec<_>, _>>()?;
            Json::Array(items.into_iter().map(|item| item.unwrap_or(json!("undefined"))).collect())
        }
        Tree::Coalesce(a, b) => match model(a, payload)? {
            None | Some(Json::Null) => match model(b, payload)? {
                Some(Json::Null) | None => return Ok(None),
                some => return Ok(some),
            },
            some => {
                model(b, payload)?;
                return Ok(some);
            }
        },
        Tree::Strlen(a) => match model(a, payload)? {
            Some(Json::String(text)) => json!(text.chars().count()),
            _ => return Err(()),
        },
    }))
}

fn walk(path: &str, payload: &Json) -> Option<Json> {
    let mut value = payload;
    for step in path.strip_prefix("payload.")?.split(['.', '[']) {
        value = match step.strip_suffix(']') {
            Some(index) => {
                let items = value.as_array()?;
                let index: i64 = index.parse().ok()?;
                let at = if index > 0 { index - 1 } else { items.len() as i64 + index };
                items.get(usize::try_from(at).ok()?)?
            }
            None => value.get(step)?,
        };
    }
    Some(value.clone())
}

fn word(value: &Option<Json>) -> Option<String> {
    match value {
        None => Some("undefined".into()),
        Some(Json::Null) => Some("null".into()),
        Some(Json::Bool(value)) => Some(value.to_string()),
        _ => None,
    }
}

fn text(value: &Option<Json>) -> Option<String> {
    Some(match value {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) if number.is_f64() => {
            let text = format!("{:.10}", number.as_f64()?);
            let text = text.trim_end_matches('0');
            if text.ends_with('.') { format!("{text}0") } else { text.to_owned() }
        }
        value => match (word(value), value) {
            (Some(word), _) => word,
            (None, Some(value)) => value.to_string(),
            (None, None) => return None,
        },
    })
}

fn add(a: Option<Json>, b: Option<Json>) -> Result<Json, ()> {
    if matches!(a, Some(Json::String(_))) || matches!(b, Some(Json::String(_))) {
        // Lists inside are written by another hand, floats as JSON has them.
        return Ok(json!(format!("{}{}", text(&a).ok_or(())?, text(&b).ok_or(())?)));
    }
    numbers(a, b, i128::checked_add, |a, b| a + b)
}

fn numbers(
    a: Option<Json>,
    b: Option<Json>,
    ints: fn(i128, i128) -> Option<i128>,
    floats: fn(f64, f64) -> f64,
) -> Result<Json, ()> {
    let (Some(Json::Number(a)), Some(Json::Number(b))) = (a, b) else { return Err(()) };
    if let (Some(a), Some(b)) = (a.as_i128(), b.as_i128()) {
        let result = ints(a, b).ok_or(())?;
        // Here JSON ends, and rules go on.
        BEYOND.set(BEYOND.get() || result.abs() >= 1 << 53);
        return Ok(json!(i64::try_from(result).map_err(|_| ())?));
    }
    let result = floats(a.as_f64().ok_or(())?, b.as_f64().ok_or(())?);
    if result.is_finite() { Ok(json!(result)) } else { Err(()) }
}

fn compare(op: &str, a: Option<Json>, b: Option<Json>) -> Result<bool, ()> {
    let order = match (&a, &b) {
        (None, None) => Ordering::Equal,
        (None, _) | (_, None) => return Ok(false),
        (Some(Json::Number(_)), Some(Json::String(text))) => order(&a, &Some(number(text)?)),
        (Some(Json::String(text)), Some(Json::Number(_))) => order(&Some(number(text)?), &b),
        (Some(Json::String(left)), _) if word(&b).is_some() => {
            left.cmp(&word(&b).unwrap_or_default())
        }
        (_, Some(Json::String(right))) if word(&a).is_some() => {
            word(&a).unwrap_or_default().cmp(right)
        }
        _ => order(&a, &b),
    };
    Ok(match op {
        "=" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        ">" => order.is_gt(),
        "<=" => order.is_le(),
        _ => order.is_ge(),
    })
}

fn number(text: &str) -> Result<Json, ()> {
    if let Ok(number) = text.parse::<i64>() {
        return Ok(json!(number));
    }
    let plain = text.starts_with(|c: char| c.is_ascii_digit());
    text.parse::<f64>()
        .ok()
        .filter(|number| plain && number.is_finite())
        .map(|n| json!(n))
        .ok_or(())
}

fn order(a: &Option<Json>, b: &Option<Json>) -> Ordering {
    let rank = |value: &Option<Json>| match value {
        Some(Json::Number(_)) => 0,
        None | Some(Json::Null | Json::Bool(_)) => 1,
        Some(Json::Object(_)) => 2,
        Some(Json::Array(_)) => 3,
        Some(Json::String(_)) => 4,
    };
    match (a, b) {
        (Some(Json::Number(a)), Some(Json::Number(b))) => match (a.as_i128(), b.as_i128()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
        },
        (Some(Json::String(a)), Some(Json::String(b))) => a.cmp(b),
        (Some(Json::Array(a)), Some(Json::Array(b))) => {
            let some = |value: &Json| Some(value.clone());
            let first = a.iter().zip(b).map(|(a, b)| order(&some(a), &some(b))).find(|o| o.is_ne());
            first.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        _ => rank(a).cmp(&rank(b)).then_with(|| word(a).cmp(&word(b))),
    }
}

fn leaf() -> impl Strategy<Value = Tree> {
    prop_oneof![
        (-9..10).prop_map(Tree::Int),
        "[a-z0-9' ]{0,4}".prop_map(Tree::Text),
        any::<bool>().prop_map(Tree::Bool),
        proptest::sample::select(vec![
            "payload.i",
            "payload.f",
            "payload.t",
            "payload.n",
            "payload.l[1]",
            "payload.l[-1]",
            "payload.m.k",
            "payload.none.k",
            "payload.l[9]",
            "payload.d",
        ])
        .prop_map(Tree::Path),
    ]
}

fn sum(part: impl Strategy<Value = Tree> + Clone, most: usize) -> impl Strategy<Value = Tree> {
    let sign = proptest::sample::select(vec!['+', '-']);
    let rest = proptest::collection::vec((sign, part.clone()), 1..most);
    (part, rest).prop_map(|(first, rest)| Tree::Sum(Box::new(first), rest))
}

/// Chains of hundreds of parts without parentheses, each inside the other: `a + b > c AND … OR …`.
fn chains() -> impl Strategy<Value = String> {
    let number = || prop_oneof![(0..10).prop_map(Tree::Int), Just(Tree::Path("payload.i"))];
    let op = proptest::sample::select(vec!["=", "<", ">="]);
    let product = (number(), number()).prop_map(|(a, b)| format!("{} * {}", sql(&a), sql(&b)));
    let part = prop_oneof![number().prop_map(|tree| sql(&tree)), product];
    let sum = proptest::collection::vec((proptest::sample::select(vec!["+", "-"]), part), 1..12);
    let sum = sum.prop_map(|parts| {
        let text = parts.iter().map(|(sign, part)| format!("{sign} {part} "));
        text.collect::<String>().trim_start_matches(['+', '-', ' ']).trim_end().to_owned()
    });
    let compared = (sum.clone(), op, sum).prop_map(|(a, op, b)| format!("{a} {op} {b}"));
    let word = prop_oneof![1 => Just("OR"), 3 => Just("AND")];
    proptest::collection::vec((word, compared), 1..200).prop_map(|parts| {
        let text = parts.iter().map(|(word, part)| format!("{word} {part} "));
        let text = text.collect::<String>();
        text.trim_start_matches("OR ").trim_start_matches("AND ").trim_end().to_owned()
    })
}

/// The same, understood word by word: first what OR divides, then AND, then the signs.
fn model_of_chains(text: &str) -> bool {
    let product = |text: &str| -> i64 {
        let factor = |word: &str| match word.trim() {
            "payload.i" => 7,
            number => number.trim_matches(['(', ')']).parse::<i64>().expect("a number"),
        };
        text.split('*').map(factor).product()
    };
    let sum = |text: &str| -> i64 {
        let text = text.replace("- ", "+ -1 * ");
        text.split('+').map(product).sum()
    };
    let compared = |text: &str| {
        let at = text.find(['=', '<', '>']).expect("an operator");
        let (left, right) = text.split_at(at);
        let (left, op) = (sum(left), if right.starts_with(">=") { 2 } else { 1 });
        let (op, right) = right.split_at(op);
        let right = sum(right);
        match op {
            "=" => left == right,
            "<" => left < right,
            _ => left >= right,
        }
    };
    text.split(" OR ").any(|all| all.split(" AND ").all(compared))
}

fn tree() -> impl Strategy<Value = Tree> {
    leaf().prop_recursive(5, 32, 3, |inner| {
        let pair = || (inner.clone(), inner.clone()).prop_map(|(a, b)| (Box::new(a), Box::new(b)));
        let op = proptest::sample::select(vec!["=", "!=", "<", ">", "<=", ">="]);
        prop_oneof![
            sum(inner.clone(), 4),
            pair().prop_map(|(a, b)| Tree::Multiply(a, b)),
            (op, pair()).prop_map(|(op, (a, b))| Tree::Compare(op, a, b)),
            proptest::collection::vec(inner.clone(), 2..5).prop_map(Tree::And),
            proptest::collection::vec(inner.clone(), 2..5).prop_map(Tree::Or),
            inner.clone().prop_map(|a| Tree::Not(Box::new(a))),
            (pair(), inner.clone()).prop_map(|((a, b), c)| Tree::Case(a, b, Box::new(c))),
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Tree::List),
            pair().prop_map(|(a, b)| Tree::Coalesce(a, b)),
            inner.prop_map(|a| Tree::Strlen(Box::new(a))),
        ]
    })
}

/// Whether a list holds nothing somewhere, or joins with text: both are spelled out elsewhere.
fn is_beyond_the_model(tree: &Tree) -> bool {
    let below: Vec<&Tree> = match tree {
        Tree::List(items) => return !items.is_empty(),
        Tree::Sum(first, rest) => {
            std::iter::once(&**first).chain(rest.iter().map(|(_, part)| part)).collect()
        }
        Tree::And(parts) | Tree::Or(parts) => parts.iter().collect(),
        Tree::Multiply(a, b) | Tree::Compare(_, a, b) | Tree::Coalesce(a, b) => vec![a, b],
        Tree::Not(a) | Tree::Strlen(a) => vec![a],
        Tree::Case(a, b, c) => vec![a, b, c],
        _ => vec![],
    };
    below.into_iter().any(|tree| matches!(tree, Tree::List(_)) || is_beyond_the_model(tree))
}

fn evaluated(sql: &str, payload: &str) -> Result_ {
    let rule = compile(sql).expect(sql);
    let message = Record::new(Event::MessagePublish).with(Column::Payload, payload);
    let context = Context::new(&message, World::at(0, 1));
    let outcome = rule.evaluate(&context).map_err(|_| ())?;
    let row = outcome.rows().first().cloned().unwrap_or_default();
    let value = row.get(b"r").cloned().unwrap_or(Value::Undefined);
    if value.is_undefined() {
        return Ok(None);
    }
    let mut out = Vec::new();
    encode_json(&value, Invalid::Refuse, 1 << 20, &mut out).map_err(|_| ())?;
    Ok(Some(serde_json::from_slice(&out).expect("JSON")))
}

const PAYLOAD: &str = r#"{"i":7,"f":2.5,"t":"12","n":null,"l":[1,"b"],"m":{"k":"x"},"d":"1.5"}"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_rule_evaluates_to_what_the_model_says(tree in tree()) {
        prop_assume!(!is_beyond_the_model(&tree));
        let payload: Json = serde_json::from_str(PAYLOAD).expect("JSON");
        let sql = format!("SELECT {} AS r FROM \"#\"", sql(&tree));
        BEYOND.set(false);
        let expected = model(&tree, &payload);
        prop_assume!(!BEYOND.get());
        let found = evaluated(&sql, PAYLOAD);
        let same = match (&expected, &found) {
            // Numbers may be written as 1.0 or 1.
            (Ok(Some(Json::Number(a))), Ok(Some(Json::Number(b)))) => a.as_f64() == b.as_f64(),
            (a, b) => a == b,
        };
        prop_assert!(same, "{sql}: {found:?}, the model says {expected:?}");
    }

    #[test]
    fn a_condition_matches_when_the_model_says_true(tree in tree()) {
        prop_assume!(!is_beyond_the_model(&tree));
        let payload: Json = serde_json::from_str(PAYLOAD).expect("JSON");
        let sql = format!("SELECT 1 AS r FROM \"#\" WHERE {}", sql(&tree));
        BEYOND.set(false);
        let expected = model(&tree, &payload).map(|value| (value == Some(json!(true))).then(|| json!(1)));
        prop_assume!(!BEYOND.get());
        prop_assert_eq!(evaluated(&sql, PAYLOAD), expected, "{}", sql);
    }

    #[test]
    fn a_payload_means_what_another_decoder_says(bytes in any::<Vec<u8>>()) {
        let ours = rookery_rules::decode_json(&bytes).is_some();
        prop_assert_eq!(ours, serde_json::from_slice::<Json>(&bytes).is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_long_chain_means_what_the_model_says(text in chains()) {
        let sql = format!("SELECT {text} AS r FROM \"#\"");
        prop_assume!(sql.len() <= rookery_rules::SQL_BYTES_MAX);
        prop_assert_eq!(evaluated(&sql, PAYLOAD), Ok(Some(json!(model_of_chains(&text)))), "{}", sql);
    }
}
