//! `+ - * / DIV MOD` and the sign.

use std::rc::Rc;

use crate::TEXT_BYTES_MAX;
use crate::error::EvalError;
use crate::functions::Work;
use crate::messages;
use crate::syntax::ast::Arithmetic;
use crate::value::{Text, Value};

type Out<'a> = Result<Value<'a>, EvalError>;

/// `left OP right`. `+` joins text when one side is text.
pub(super) fn apply<'a>(
    how: Arithmetic,
    left: Value<'a>,
    right: Value<'a>,
    work: &Work,
) -> Out<'a> {
    if how == Arithmetic::Add && (is_text(&left) || is_text(&right)) {
        return join(left, &right, work);
    }
    match (how, &left, &right) {
        (Arithmetic::IntegerDivide, Value::Int(left), Value::Int(right)) => {
            integer_divide(*left, *right)
        }
        (Arithmetic::Remainder, Value::Int(left), Value::Int(right)) => remainder(*left, *right),
        (Arithmetic::IntegerDivide | Arithmetic::Remainder, ..) => Err(wrong(how, &left, &right)),
        (_, Value::Int(left), Value::Int(right)) if how != Arithmetic::Divide => {
            let result = match how {
                Arithmetic::Add => left.checked_add(*right),
                Arithmetic::Subtract => left.checked_sub(*right),
                _ => left.checked_mul(*right),
            };
            result.map(Value::Int).ok_or(EvalError::Overflow)
        }
        _ => floats(how, &left, &right),
    }
}

const fn is_text(value: &Value<'_>) -> bool {
    matches!(value, Value::Text(_))
}

/// Text that nobody else has grows in its place: a chain costs what it adds, not its length again
/// with every part.
fn join<'a>(left: Value<'a>, right: &Value<'a>, work: &Work) -> Out<'a> {
    let (mut out, have) = match own(left) {
        Ok(text) => {
            let have = text.len();
            (text, have)
        }
        Err(left) => {
            let mut out = Vec::new();
            work.spend(left.weight())?;
            crate::functions::to_text(&left, &mut out)?;
            (out, 0)
        }
    };
    work.spend(right.weight())?;
    crate::functions::to_text(right, &mut out)?;
    if out.len() > TEXT_BYTES_MAX {
        return Err(EvalError::TooLarge(TEXT_BYTES_MAX));
    }
    work.spend_bytes(out.len() - have)?;
    Ok(Value::owned(out))
}

/// The octets of a text that only `value` has; otherwise `value` itself.
fn own(value: Value<'_>) -> Result<Vec<u8>, Value<'_>> {
    let Value::Text(Text::Shared(octets)) = value else { return Err(value) };
    Rc::try_unwrap(octets).map_err(|shared| Value::Text(Text::Shared(shared)))
}

fn floats<'a>(how: Arithmetic, left: &Value<'a>, right: &Value<'a>) -> Out<'a> {
    let (Some(a), Some(b)) = (float(left), float(right)) else {
        return Err(wrong(how, left, right));
    };
    let number = match how {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        _ if b == 0.0 => return Err(EvalError::function("/", messages::division_by_zero())),
        _ => a / b,
    };
    if number.is_finite() {
        Ok(Value::Float(number))
    } else {
        Err(EvalError::function(sign(how), messages::result_no_number()))
    }
}

fn float(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

const fn sign(how: Arithmetic) -> &'static str {
    match how {
        Arithmetic::Add => "+",
        Arithmetic::Subtract => "-",
        Arithmetic::Multiply => "*",
        Arithmetic::Divide => "/",
        Arithmetic::IntegerDivide => "div",
        Arithmetic::Remainder => "mod",
    }
}

fn wrong(how: Arithmetic, left: &Value<'_>, right: &Value<'_>) -> EvalError {
    let message = messages::cannot_be_done(messages::kind(left), messages::kind(right));
    EvalError::function(sign(how), message)
}

pub(crate) fn integer_divide<'a>(left: i128, right: i128) -> Out<'a> {
    divide("div", left, right, i128::checked_div)
}

pub(crate) fn remainder<'a>(left: i128, right: i128) -> Out<'a> {
    divide("mod", left, right, i128::checked_rem)
}

fn divide<'a>(
    name: &'static str,
    left: i128,
    right: i128,
    how: fn(i128, i128) -> Option<i128>,
) -> Out<'a> {
    if right == 0 {
        return Err(EvalError::function(name, messages::division_by_zero()));
    }
    how(left, right).map(Value::Int).ok_or(EvalError::Overflow)
}

pub(super) fn negate(value: Value<'_>) -> Out<'_> {
    match value {
        Value::Int(number) => number.checked_neg().map(Value::Int).ok_or(EvalError::Overflow),
        Value::Float(number) => Ok(Value::Float(-number)),
        other => {
            Err(EvalError::function("-", messages::cannot_be_done_with(messages::kind(&other))))
        }
    }
}
