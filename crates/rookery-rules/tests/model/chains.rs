//! Long chains without parentheses, and their meaning by their text alone.

use proptest::prelude::*;

use super::tree::{Tree, sql};

/// Chains of hundreds of parts without parentheses, each inside the other: `a + b > c AND … OR …`.
pub fn chains() -> impl Strategy<Value = String> {
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
pub fn model_of_chains(text: &str) -> bool {
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
