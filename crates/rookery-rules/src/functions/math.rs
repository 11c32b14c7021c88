//! Numbers.

use super::{Call, Function, Out, same};
use crate::error::EvalError;
use crate::messages;
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    same("abs", (1, 1), abs, &[("abs(-12)", "12"), ("abs(-1.2)", "1.2")]),
    same("acos", (1, 1), |c| of(c, f64::acos), &[("acos(0.5)", "1.0471975511965979")]),
    same("acosh", (1, 1), |c| of(c, f64::acosh), &[("acosh(1)", "0.0")]),
    same("asin", (1, 1), |c| of(c, f64::asin), &[("asin(0.5)", "0.5235987755982989")]),
    same("asinh", (1, 1), |c| of(c, f64::asinh), &[("asinh(0)", "0.0")]),
    same("atan", (1, 1), |c| of(c, f64::atan), &[("atan(0.5)", "0.4636476090008061")]),
    same("atanh", (1, 1), |c| of(c, f64::atanh), &[("atanh(0)", "0.0")]),
    same("ceil", (1, 1), |c| whole(c, f64::ceil), &[("ceil(0.8)", "1"), ("ceil(3)", "3")]),
    same("cos", (1, 1), |c| of(c, f64::cos), &[("cos(0.5)", "0.8775825618903728")]),
    same("cosh", (1, 1), |c| of(c, f64::cosh), &[("cosh(0)", "1.0")]),
    same(
        "exp",
        (1, 1),
        |c| of(c, f64::exp),
        &[("exp(1)", "2.718281828459045"), ("exp(9999)", "exp: the result is no number")],
    ),
    same("floor", (1, 1), |c| whole(c, f64::floor), &[("floor(3.6)", "3"), ("floor(-3.6)", "-4")]),
    same("fmod", (2, 2), fmod, &[("fmod(6.5, 2.5)", "1.5"), ("fmod(-32, 5)", "-2.0")]),
    same(
        "log",
        (1, 1),
        |c| of(c, f64::ln),
        &[("log(1)", "0.0"), ("log(0)", "log: the result is no number")],
    ),
    same("log10", (1, 1), |c| of(c, f64::log10), &[("log10(100)", "2.0")]),
    same(
        "log2",
        (1, 1),
        |c| of(c, f64::log2),
        &[("log2(8)", "3.0"), ("log2(8.5)", "3.0874628412503395")],
    ),
    same("round", (1, 1), |c| whole(c, f64::round), &[("round(4.5)", "5"), ("round(-1.5)", "-2")]),
    same("power", (2, 2), power, &[("power(2, 3)", "8.0")]),
    same("sin", (1, 1), |c| of(c, f64::sin), &[("sin(0.5)", "0.479425538604203")]),
    same("sinh", (1, 1), |c| of(c, f64::sinh), &[("sinh(0)", "0.0")]),
    same(
        "sqrt",
        (1, 1),
        |c| of(c, f64::sqrt),
        &[("sqrt(9)", "3.0"), ("sqrt(-1)", "sqrt: the result is no number")],
    ),
    same("tan", (1, 1), |c| of(c, f64::tan), &[("tan(0.5)", "0.5463024898437905")]),
    same("tanh", (1, 1), |c| of(c, f64::tanh), &[("tanh(0)", "0.0")]),
    same(
        "div",
        (2, 2),
        div,
        &[("div(7, 2)", "3"), ("7 div -2", "-3"), ("7 div 0", "div: division by zero")],
    ),
    same("mod", (2, 2), modulo, &[("mod(7, 4)", "3"), ("-7 mod 4", "-3")]),
    same("eq", (2, 2), equal, &[("eq(1, 1.0)", "true"), ("eq('a', 'b')", "false")]),
];

/// A number that JSON can hold: infinity and what is no number fail, as in Erlang.
fn finite<'a>(c: &Call<'_, 'a, '_>, number: f64) -> Out<'a> {
    if number.is_finite() { Ok(Value::Float(number)) } else { c.fail(messages::result_no_number()) }
}

fn of<'a>(c: &Call<'_, 'a, '_>, function: fn(f64) -> f64) -> Out<'a> {
    finite(c, function(c.float(0)?))
}

fn whole<'a>(c: &Call<'_, 'a, '_>, function: fn(f64) -> f64) -> Out<'a> {
    match c.value(0) {
        Value::Int(number) => Ok(Value::Int(*number)),
        _ => int_of(function(c.float(0)?)),
    }
}

/// The whole number that `number` is.
pub(super) fn int_of<'a>(number: f64) -> Out<'a> {
    if number.abs() >= 1e38 {
        return Err(EvalError::Overflow);
    }
    Ok(Value::Int(number as i128))
}

fn abs<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    match c.value(0) {
        Value::Int(number) => number.checked_abs().map(Value::Int).ok_or(EvalError::Overflow),
        _ => Ok(Value::Float(c.float(0)?.abs())),
    }
}

fn fmod<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    finite(c, c.float(0)? % c.float(1)?)
}

fn power<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    finite(c, c.float(0)?.powf(c.float(1)?))
}

fn div<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    crate::evaluate::arithmetic::integer_divide(c.int(0)?, c.int(1)?)
}

fn modulo<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    crate::evaluate::arithmetic::remainder(c.int(0)?, c.int(1)?)
}

fn equal<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    Ok(Value::Bool(crate::compare::order(c.value(0), c.value(1)).is_eq()))
}
