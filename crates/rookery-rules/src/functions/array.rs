//! Arrays. Positions count from 1.

use super::{Call, Function, Out, same};
use crate::compare::identical;
use crate::messages;
use crate::value::{Array, Value};

pub(super) const TABLE: &[Function] = &[
    same(
        "contains",
        (2, 2),
        contains,
        &[
            ("contains(2, [1, 2, 3])", "true"),
            ("contains(2, [1, 2.0])", "false"),
            ("contains([1, 2], [[1, 2]])", "true"),
        ],
    ),
    same(
        "first",
        (1, 1),
        first,
        &[("first(['John', 'David'])", "\"John\""), ("first([])", "first: the array is empty")],
    ),
    same("last", (1, 1), last, &[("last(['John', 'David'])", "\"David\"")]),
    same("length", (1, 1), length, &[("length([1, 2, 3, 4])", "4"), ("length([])", "0")]),
    same(
        "nth",
        (2, 2),
        nth,
        &[("nth(1, [1, 2, 3])", "1"), ("nth(4, [1, 2, 3])", "nth: there is no element 4")],
    ),
    same(
        "sublist",
        (2, 3),
        sublist,
        &[
            ("sublist(3, [1, 2, 3, 4])", "[1,2,3]"),
            ("sublist(2, 10, [1, 2, 3, 4])", "[2,3,4]"),
            ("sublist(9, 1, [1])", "[]"),
        ],
    ),
];

fn contains<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let wanted = c.value(0);
    let array = c.value(1).weight();
    let each = wanted.weight().saturating_mul(c.array(1)?.items().len() as u64);
    c.work.spend(array.min(each))?;
    Ok(Value::Bool(c.array(1)?.items().iter().any(|item| identical(item, wanted))))
}

fn or_empty<'a>(c: &Call<'_, 'a, '_>, item: Option<&Value<'a>>) -> Out<'a> {
    match item {
        Some(item) => Ok(item.clone()),
        None => c.fail(messages::array_empty()),
    }
}

fn first<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    or_empty(c, c.array(0)?.items().first())
}

fn last<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    or_empty(c, c.array(0)?.items().last())
}

fn length<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    Ok(Value::Int(c.array(0)?.items().len() as i128))
}

fn nth<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let at = c.int(0)?;
    let item = usize::try_from(at - 1).ok().and_then(|at| c.array(1).ok()?.items().get(at));
    match item {
        Some(item) => Ok(item.clone()),
        None => {
            c.array(1)?;
            c.fail(messages::no_element(at))
        }
    }
}

fn sublist<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let (skip, take, array): (usize, usize, &Array<'a>) = match c.count() {
        2 => (0, c.size(0)?, c.array(1)?),
        _ => match c.size(0)?.checked_sub(1) {
            Some(skip) => (skip, c.size(1)?, c.array(2)?),
            None => return c.fail(messages::positions_from_one()),
        },
    };
    c.list(array.items().iter().skip(skip).take(take).cloned().collect())
}
