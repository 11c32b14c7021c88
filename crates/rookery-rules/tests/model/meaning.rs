//! What an expression means, told a second time on `serde_json` values.

use std::cell::Cell;
use std::cmp::Ordering;

use serde_json::{Value as Json, json};

use super::tree::Tree;

thread_local! {
    /// Whether a number grew larger than floats hold exactly.
    static BEYOND: Cell<bool> = const { Cell::new(false) };
}

/// Nothing is `None`; a rule that fails is `Err`.
pub type Meaning = Result<Option<Json>, ()>;

/// What `tell` says, unless a number grew on the way so large that JSON ends where rules go on.
pub fn within_json<T>(tell: impl FnOnce() -> T) -> Option<T> {
    BEYOND.set(false);
    let told = tell();
    (!BEYOND.get()).then_some(told)
}

/// What `tree` means where `scope` has the names.
pub fn model(tree: &Tree, scope: &Json) -> Meaning {
    let is = |tree: &Tree| Ok::<_, ()>(model(tree, scope)? == Some(json!(true)));
    Ok(Some(match tree {
        Tree::Int(number) => json!(number),
        Tree::Text(text) => json!(text),
        Tree::Bool(value) => json!(value),
        Tree::Path(path) => return Ok(walk(path, scope)),
        Tree::Sum(first, rest) => {
            let mut sum = model(first, scope)?;
            for (sign, part) in rest {
                let part = model(part, scope)?;
                sum = Some(match sign {
                    '+' => add(sum, part)?,
                    _ => numbers(sum, part, i128::checked_sub, |a, b| a - b)?,
                });
            }
            return Ok(sum);
        }
        Tree::Times(op, a, b) => times(op, model(a, scope)?, model(b, scope)?)?,
        Tree::Negate(a) => numbers(Some(json!(0)), model(a, scope)?, i128::checked_sub, |_, b| -b)?,
        Tree::Compare(op, a, b) => json!(compare(op, model(a, scope)?, model(b, scope)?)?),
        Tree::And(parts) => json!(!any_is(false, parts, scope)?),
        Tree::Or(parts) => json!(any_is(true, parts, scope)?),
        Tree::Not(a) => json!(model(a, scope)? == Some(json!(false))),
        Tree::In(a, list, is_not) => {
            let wanted = model(a, scope)?;
            let mut is_there = false;
            for item in list {
                if is_same(&wanted, &model(item, scope)?) {
                    is_there = true;
                    break;
                }
            }
            json!(is_there != *is_not)
        }
        Tree::Case(a, b, c) => return model(if is(a)? { b } else { c }, scope),
        Tree::Switch(parts) => {
            let [on, when, then, otherwise] = &**parts;
            let fits = is_same(&model(on, scope)?, &model(when, scope)?);
            return model(if fits { then } else { otherwise }, scope);
        }
        Tree::List(items) => {
            let items =
                items.iter().map(|item| model(item, scope)).collect::<Result<Vec<_>, _>>()?;
            Json::Array(items.into_iter().map(|item| item.unwrap_or(json!("undefined"))).collect())
        }
        Tree::Coalesce(a, b) => match model(a, scope)? {
            None | Some(Json::Null) => match model(b, scope)? {
                Some(Json::Null) | None => return Ok(None),
                some => return Ok(some),
            },
            some => {
                model(b, scope)?;
                return Ok(some);
            }
        },
        Tree::Strlen(a) => match model(a, scope)? {
            Some(Json::String(text)) => json!(text.chars().count()),
            _ => return Err(()),
        },
    }))
}

/// Whether one of them is true, or is not, as `wanted` says; those behind it are not looked at.
fn any_is(wanted: bool, parts: &[Tree], scope: &Json) -> Result<bool, ()> {
    for part in parts {
        if (model(part, scope)? == Some(json!(true))) == wanted {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Text on the way that is JSON is read as JSON.
fn walk(path: &str, scope: &Json) -> Option<Json> {
    let mut value = scope.clone();
    for step in path.split(['.', '[']) {
        if let Json::String(text) = &value {
            value = serde_json::from_str(text).ok().filter(|inner: &Json| !inner.is_string())?;
        }
        value = match step.strip_suffix(']') {
            Some(index) => {
                let items = value.as_array()?;
                let index: i64 = index.parse().ok()?;
                let at = if index > 0 { index - 1 } else { items.len() as i64 + index };
                items.get(usize::try_from(at).ok()?)?.clone()
            }
            None => value.get(step)?.clone(),
        };
    }
    Some(value)
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
        return Ok(json!(format!("{}{}", text(&a).ok_or(())?, text(&b).ok_or(())?)));
    }
    numbers(a, b, i128::checked_add, |a, b| a + b)
}

/// `/` makes a float of whole numbers too; `DIV` and `MOD` take these alone and go towards zero.
fn times(op: &str, a: Option<Json>, b: Option<Json>) -> Result<Json, ()> {
    if op == "*" {
        return numbers(a, b, i128::checked_mul, |a, b| a * b);
    }
    let (Some(Json::Number(a)), Some(Json::Number(b))) = (a, b) else { return Err(()) };
    if b.as_f64() == Some(0.0) {
        return Err(());
    }
    if op == "/" {
        let quotient = a.as_f64().ok_or(())? / b.as_f64().ok_or(())?;
        return if quotient.is_finite() { Ok(json!(quotient)) } else { Err(()) };
    }
    let (Some(a), Some(b)) = (a.as_i64(), b.as_i64()) else { return Err(()) };
    let (size, by) = (a.unsigned_abs(), b.unsigned_abs());
    let (quotient, rest) = (size / by, size % by);
    let (found, is_below) =
        if op == "DIV" { (quotient, (a < 0) != (b < 0)) } else { (rest, a < 0) };
    let found = i64::try_from(found).map_err(|_| ())?;
    Ok(json!(if is_below { -found } else { found }))
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
        "!=" | "<>" => order.is_ne(),
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

/// Whether both are the same one, of the same kind: 1 is not 1.0.
fn is_same(a: &Option<Json>, b: &Option<Json>) -> bool {
    match (a, b) {
        (Some(Json::Number(a)), Some(Json::Number(b))) => {
            a.is_f64() == b.is_f64() && a.as_f64() == b.as_f64()
        }
        (Some(Json::Array(a)), Some(Json::Array(b))) => {
            let each = a.iter().zip(b).all(|(a, b)| is_same(&Some(a.clone()), &Some(b.clone())));
            a.len() == b.len() && each
        }
        (Some(Json::Object(a)), Some(Json::Object(b))) => {
            let same = |key: &String, value: &Json| {
                b.get(key).is_some_and(|other| is_same(&Some(value.clone()), &Some(other.clone())))
            };
            a.len() == b.len() && a.iter().all(|(key, value)| same(key, value))
        }
        _ => a == b,
    }
}

fn order(a: &Option<Json>, b: &Option<Json>) -> Ordering {
    let rank = |value: &Option<Json>| match value {
        Some(Json::Number(_)) => 0,
        None | Some(Json::Null | Json::Bool(_)) => 1,
        Some(Json::Object(_)) => 2,
        Some(Json::Array(_)) => 3,
        Some(Json::String(_)) => 4,
    };
    let some = |value: &Json| Some(value.clone());
    match (a, b) {
        (Some(Json::Number(a)), Some(Json::Number(b))) => match (a.as_i128(), b.as_i128()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
        },
        (Some(Json::String(a)), Some(Json::String(b))) => a.cmp(b),
        (Some(Json::Array(a)), Some(Json::Array(b))) => {
            let first = a.iter().zip(b).map(|(a, b)| order(&some(a), &some(b))).find(|o| o.is_ne());
            first.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        // The smaller one first, then by all keys, then by what is under them.
        (Some(Json::Object(a)), Some(Json::Object(b))) => {
            let keys = |of: &serde_json::Map<String, Json>| {
                let mut keys: Vec<_> = of.keys().cloned().collect();
                keys.sort();
                keys
            };
            let (left, right) = (keys(a), keys(b));
            let mut values =
                left.iter().map(|key| order(&a.get(key).cloned(), &b.get(key).cloned()));
            let values = values.find(|o| o.is_ne()).unwrap_or(Ordering::Equal);
            a.len().cmp(&b.len()).then_with(|| left.cmp(&right)).then(values)
        }
        _ => rank(a).cmp(&rank(b)).then_with(|| word(a).cmp(&word(b))),
    }
}
