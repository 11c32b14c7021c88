//! Bits of whole numbers.

use super::{Call, Function, Out, differs, same};
use crate::error::EvalError;
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    same(
        "bitand",
        (2, 2),
        |c| of(c, |a, b| a & b),
        &[("bitand(10, 8)", "8"), ("bitand(-10, -8)", "-16")],
    ),
    same("bitnot", (1, 1), bitnot, &[("bitnot(10)", "-11"), ("bitnot(-12)", "11")]),
    same(
        "bitor",
        (2, 2),
        |c| of(c, |a, b| a | b),
        &[("bitor(10, 8)", "10"), ("bitor(-10, -8)", "-2")],
    ),
    differs(
        "bitsl",
        (2, 2),
        bitsl,
        &[("bitsl(8, 2)", "32"), ("bitsl(-8, 2)", "-32"), ("bitsl(1, 127)", "integer overflow")],
        "what needs more than 127 bits fails",
    ),
    same("bitsr", (2, 2), bitsr, &[("bitsr(8, 4)", "0"), ("bitsr(-8, 6)", "-1")]),
    same(
        "bitxor",
        (2, 2),
        |c| of(c, |a, b| a ^ b),
        &[("bitxor(10, 8)", "2"), ("bitxor(-10, -8)", "14")],
    ),
];

fn of<'a>(c: &Call<'_, 'a, '_>, function: fn(i128, i128) -> i128) -> Out<'a> {
    Ok(Value::Int(function(c.int(0)?, c.int(1)?)))
}

fn bitnot<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    Ok(Value::Int(!c.int(0)?))
}

fn bitsl<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    shift(c.int(0)?, c.int(1)?)
}

fn bitsr<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    shift(c.int(0)?, c.int(1)?.saturating_neg())
}

/// `number` to the left by `by` bits, to the right when that is negative.
fn shift<'a>(number: i128, by: i128) -> Out<'a> {
    if by <= 0 {
        let by = u32::try_from(by.unsigned_abs()).unwrap_or(127).min(127);
        return Ok(Value::Int(number >> by));
    }
    let by = u32::try_from(by).unwrap_or(128);
    let shifted = number.checked_shl(by).filter(|shifted| by < 127 && shifted >> by == number);
    match shifted {
        Some(shifted) => Ok(Value::Int(shifted)),
        None if number == 0 => Ok(Value::Int(0)),
        None => Err(EvalError::Overflow),
    }
}
