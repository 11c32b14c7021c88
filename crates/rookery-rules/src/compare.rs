//! How two values compare: EMQX's rules on top of Erlang's order of terms.

use std::cmp::Ordering;

use crate::error::EvalError;
use crate::value::{Text, Value};

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// `=~`: the topic on the left matches the filter on the right.
    Matches,
}

/// `left OP right`.
///
/// `undefined` compares with nothing but itself; text beside a number is read as a number; a
/// boolean or `null` beside text compares by its name.
pub(crate) fn compare(
    how: Comparison,
    left: &Value<'_>,
    right: &Value<'_>,
) -> Result<bool, EvalError> {
    if how == Comparison::Matches {
        return Ok(match (left, right) {
            (Value::Text(topic), Value::Text(filter)) => topic_matches(topic, filter),
            _ => false,
        });
    }
    let order = match (left, right) {
        (Value::Undefined, Value::Undefined) => Ordering::Equal,
        (Value::Undefined, _) | (_, Value::Undefined) => return Ok(false),
        (Value::Int(_) | Value::Float(_), Value::Text(text)) => order(left, &number(text)?),
        (Value::Text(text), Value::Int(_) | Value::Float(_)) => order(&number(text)?, right),
        (Value::Text(text), other) | (other, Value::Text(text)) => match other.atom() {
            Some(name) => {
                let order = text.bytes().cmp(name.as_bytes());
                if matches!(left, Value::Text(_)) { order } else { order.reverse() }
            }
            None => self::order(left, right),
        },
        _ => self::order(left, right),
    };
    Ok(match how {
        Comparison::Equal => order == Ordering::Equal,
        Comparison::NotEqual => order != Ordering::Equal,
        Comparison::Less => order == Ordering::Less,
        Comparison::LessOrEqual => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        Comparison::GreaterOrEqual => order != Ordering::Less,
        Comparison::Matches => false,
    })
}

/// Whether `topic` reaches `filter`; false when either is not well formed.
pub(crate) fn topic_matches(topic: &Text<'_>, filter: &Text<'_>) -> bool {
    let (Some(topic), Some(filter)) = (topic.as_str(), filter.as_str()) else { return false };
    rookery_codec::check_topic_filter(filter).is_ok()
        && rookery_codec::filter_matches(filter, topic)
}

/// The number that `text` spells, as Erlang's `binary_to_integer` and `binary_to_float` read it.
pub(crate) fn number(text: &Text<'_>) -> Result<Value<'static>, EvalError> {
    let not_a_number =
        || EvalError::NotANumber(String::from_utf8_lossy(text.bytes()).chars().take(32).collect());
    let text = text.as_str().ok_or_else(not_a_number)?;
    if let Ok(number) = text.parse::<i128>() {
        return Ok(Value::Int(number));
    }
    let digits = text.trim_start_matches(['+', '-']);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(not_a_number());
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Value::Float(number)),
        _ => Err(not_a_number()),
    }
}

/// Erlang's order of terms: numbers, words, maps, lists, octets.
pub(crate) fn order(left: &Value<'_>, right: &Value<'_>) -> Ordering {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => left.cmp(right),
        (Value::Float(left), Value::Float(right)) => {
            left.partial_cmp(right).unwrap_or(Ordering::Equal)
        }
        (Value::Int(left), Value::Float(right)) => int_and_float(*left, *right),
        (Value::Float(left), Value::Int(right)) => int_and_float(*right, *left).reverse(),
        (Value::Text(left), Value::Text(right)) => left.bytes().cmp(right.bytes()),
        (Value::Array(left), Value::Array(right)) => {
            let each = left.items().iter().zip(right.items());
            each.map(|(left, right)| order(left, right))
                .find(|order| order.is_ne())
                .unwrap_or_else(|| left.items().len().cmp(&right.items().len()))
        }
        (Value::Map(left), Value::Map(right)) => maps(left.entries(), right.entries()),
        _ => rank(left).cmp(&rank(right)).then_with(|| left.atom().cmp(&right.atom())),
    }
}

fn int_and_float(int: i128, float: f64) -> Ordering {
    let near = int as f64;
    match near.partial_cmp(&float) {
        Some(Ordering::Equal) if near.abs() < 1e38 => {
            let exact = float as i128;
            int.cmp(&exact)
        }
        Some(order) => order,
        None => Ordering::Less,
    }
}

const fn rank(value: &Value<'_>) -> u8 {
    match value {
        Value::Int(_) | Value::Float(_) => 0,
        Value::Undefined | Value::Null | Value::Bool(_) => 1,
        Value::Map(_) => 2,
        Value::Array(_) => 3,
        Value::Text(_) => 4,
    }
}

type Entries<'e, 'a> = &'e [(Text<'a>, Value<'a>)];

fn sorted<'e, 'a>(entries: Entries<'e, 'a>) -> Vec<&'e (Text<'a>, Value<'a>)> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by(|left, right| left.0.bytes().cmp(right.0.bytes()));
    sorted
}

/// Maps compare by size, then by their keys in order, then by the values of these.
fn maps(left: Entries<'_, '_>, right: Entries<'_, '_>) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| {
        let (left, right) = (sorted(left), sorted(right));
        let keys = left.iter().zip(&right).map(|(l, r)| l.0.bytes().cmp(r.0.bytes()));
        let values = left.iter().zip(&right).map(|(l, r)| order(&l.1, &r.1));
        keys.chain(values).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    })
}

/// Whether two values are the same one: 1 and 1.0 are not.
pub(crate) fn identical(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => left == right,
        (Value::Float(left), Value::Float(right)) => left == right,
        (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => false,
        (Value::Array(left), Value::Array(right)) => {
            left.items().len() == right.items().len()
                && left.items().iter().zip(right.items()).all(|(l, r)| identical(l, r))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.entries().len() == right.entries().len()
                && sorted(left.entries())
                    .iter()
                    .zip(&sorted(right.entries()))
                    .all(|(l, r)| l.0 == r.0 && identical(&l.1, &r.1))
        }
        _ => order(left, right).is_eq(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(left: &Value<'_>, how: Comparison, right: &Value<'_>, expected: bool) {
        assert_eq!(compare(how, left, right), Ok(expected), "{left:?} {how:?} {right:?}");
    }

    #[test]
    fn numbers_words_and_text_compare_as_in_emqx() {
        use Comparison::{Equal, Greater, Less, NotEqual};
        let one = Value::Int(1);
        check(&one, Equal, &Value::Float(1.0), true);
        check(&one, Equal, &Value::from("1"), true);
        check(&Value::from("1.5"), Greater, &one, true);
        check(&Value::Bool(true), Equal, &Value::from("true"), true);
        check(&Value::from("null"), Equal, &Value::Null, true);
        check(&Value::Undefined, Equal, &Value::Undefined, true);
        check(&Value::Undefined, NotEqual, &one, false);
        check(&Value::Undefined, Equal, &Value::Null, false);
        check(&one, Less, &Value::Bool(false), true);
        check(&Value::Float(-0.0), Equal, &Value::Float(0.0), true);
        check(
            &Value::Int(i128::from(u64::MAX)),
            Equal,
            &Value::Float(1.8446744073709552e19),
            false,
        );
        assert!(compare(Less, &one, &Value::from("x")).is_err());
    }

    #[test]
    fn a_topic_matches_a_filter() {
        check(&Value::from("t/a"), Comparison::Matches, &Value::from("t/#"), true);
        check(&Value::from("$SYS/a"), Comparison::Matches, &Value::from("#"), false);
        check(&Value::from("t"), Comparison::Matches, &Value::from("t/#/x"), false);
        check(&Value::Int(1), Comparison::Matches, &Value::from("#"), false);
    }
}
