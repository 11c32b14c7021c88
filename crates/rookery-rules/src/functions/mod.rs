//! Every function that EMQX documents: present, different or absent, with examples.
//!
//! The table is what the reference page of functions is written from; a test runs each example of
//! it. One file holds one family.

mod array;
mod bit;
mod bit_sequence;
mod calendar;
mod call;
mod compress;
mod condition;
mod convert;
mod date;
mod encode;
mod hash;
mod kind;
mod map;
mod math;
mod message;
mod other;
mod print;
mod random;
mod regular;
mod string;
mod unescape;

pub(crate) use call::{Call, Run, Work, shortened};
pub(crate) use convert::to_text;
pub(crate) use regular::Regular;

use crate::error::EvalError;
use crate::value::Value;

type Out<'a> = Result<Value<'a>, EvalError>;

/// How a function relates to EMQX's of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The same.
    Present,
    /// There, and not quite the same.
    Different(&'static str),
    /// Not there.
    Absent(&'static str),
}

/// A function of a rule.
#[derive(Debug)]
pub struct Function {
    /// The name, in small letters; SQL does not mind the case.
    pub name: &'static str,
    /// Least number of arguments.
    pub arguments_min: usize,
    /// Greatest number of arguments.
    pub arguments_max: usize,
    /// How it relates to EMQX's.
    pub status: Status,
    /// Expressions and their results as JSON.
    pub examples: &'static [(&'static str, &'static str)],
    pub(crate) run: Option<Run>,
}

/// Functions that belong together.
#[derive(Debug)]
pub struct Family {
    /// What they are about.
    pub title: crate::Texts,
    /// The functions.
    pub functions: &'static [Function],
}

const fn family(en: &'static str, zh: &'static str, functions: &'static [Function]) -> Family {
    Family { title: crate::Texts { en, zh }, functions }
}

/// All functions, absent ones too.
pub const FAMILIES: &[Family] = &[
    family("Mathematics", "数学", math::TABLE),
    family("Kinds of data", "数据类型判断", kind::TABLE),
    family("Conversion", "数据类型转换", convert::TABLE),
    family("Text", "字符串", string::TABLE),
    family("Regular expressions", "正则表达式", regular::TABLE),
    family("Maps", "映射", map::TABLE),
    family("Arrays", "数组", array::TABLE),
    family("Hashes", "哈希", hash::TABLE),
    family("Compression", "压缩与解压", compress::TABLE),
    family("Bits of numbers", "位操作", bit::TABLE),
    family("Bits of octets", "位序列", bit_sequence::TABLE),
    family("Encoding", "编解码", encode::TABLE),
    family("Date and time", "日期与时间", date::TABLE),
    family("Chance and identifiers", "随机数与标识符", random::TABLE),
    family("Conditions", "条件", condition::TABLE),
    family("The message", "消息字段", message::TABLE),
    family("Others", "其他", other::TABLE),
];

/// The function `name`, an absent one too.
#[must_use]
pub fn find(name: &str) -> Option<&'static Function> {
    FAMILIES.iter().flat_map(|family| family.functions).find(|function| function.name == name)
}

/// The name of a function that is there and close to `name`.
pub(crate) fn closest(name: &str) -> Option<&'static str> {
    let there = FAMILIES.iter().flat_map(|family| family.functions).filter(|f| f.run.is_some());
    let near = there.map(|function| (distance(name, function.name), function.name));
    near.filter(|(distance, _)| *distance <= 2).min().map(|(_, name)| name)
}

/// How many letters are to be changed, put in or taken out; short names only.
fn distance(left: &str, right: &str) -> usize {
    if left.len() > 32 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, a) in left.bytes().enumerate() {
        let mut diagonal = at;
        let mut last = at + 1;
        let mut next = vec![last];
        for (b, above) in right.bytes().zip(row.iter().skip(1)) {
            last = (diagonal + usize::from(a != b)).min(above + 1).min(last + 1);
            diagonal = *above;
            next.push(last);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

const fn same(
    name: &'static str,
    arguments: (usize, usize),
    run: Run,
    examples: &'static [(&'static str, &'static str)],
) -> Function {
    let (arguments_min, arguments_max) = arguments;
    Function {
        name,
        arguments_min,
        arguments_max,
        status: Status::Present,
        examples,
        run: Some(run),
    }
}

const fn differs(
    name: &'static str,
    arguments: (usize, usize),
    run: Run,
    examples: &'static [(&'static str, &'static str)],
    how: &'static str,
) -> Function {
    let mut function = same(name, arguments, run, examples);
    function.status = Status::Different(how);
    function
}

const fn absent(name: &'static str, why: &'static str) -> Function {
    Function {
        name,
        arguments_min: 0,
        arguments_max: 0,
        status: Status::Absent(why),
        examples: &[],
        run: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Event, Invalid, World, compile, encode_json};

    /// The result of `expression` as JSON, or its error.
    pub(super) fn result(expression: &str) -> String {
        let rule = match compile(&format!("SELECT {expression} AS r FROM \"#\"")) {
            Ok(rule) => rule,
            Err(error) => return error.to_string(),
        };
        let record = Event::MessagePublish.example(1_645_002_753_259);
        let mut world = World::at(1_708_933_353_472_000_000, 7);
        world.local_offset_s = 28_800;
        let variables = [("CITY".to_owned(), "Lund".to_owned())];
        world.variables = &variables;
        let context = Context::new(&record, world);
        let outcome = match rule.evaluate(&context) {
            Ok(outcome) => outcome,
            Err(error) => return error.to_string(),
        };
        let mut out = Vec::new();
        let row = outcome.rows().first().cloned().unwrap_or_default();
        let value = row.get(b"r").cloned().unwrap_or_default();
        match encode_json(&value, Invalid::Refuse, 1 << 20, &mut out) {
            Ok(()) => String::from_utf8(out).expect("JSON is UTF-8"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_example_is_true() {
        let mut wrong = Vec::new();
        for function in FAMILIES.iter().flat_map(|family| family.functions) {
            for (expression, expected) in function.examples {
                let found = result(expression);
                if found != *expected {
                    wrong.push(format!("{expression} is {found}, not {expected}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn every_function_that_is_there_has_an_example_that_uses_it() {
        for function in FAMILIES.iter().flat_map(|family| family.functions) {
            let uses = |(expression, _): &(&str, &str)| {
                expression.contains(&format!("{}(", function.name))
            };
            let shown = function.examples.iter().any(uses);
            assert_eq!(shown, function.run.is_some(), "{}", function.name);
        }
    }

    #[test]
    fn no_name_is_there_twice() {
        let mut names: Vec<_> =
            FAMILIES.iter().flat_map(|family| family.functions).map(|f| f.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn wrong_arguments_are_an_error_and_never_a_panic() {
        let odd =
            ["undefined", "null()", "true", "-1", "1.5", "''", "'é'", "[]", "map_new()", "[1..3]"];
        for function in FAMILIES.iter().flat_map(|family| family.functions) {
            for count in function.arguments_min..=function.arguments_max.min(4) {
                for shift in 0..odd.len() {
                    let arguments: Vec<_> =
                        (0..count).map(|at| odd[(shift + at * 3) % odd.len()]).collect();
                    let _ = result(&format!("{}({})", function.name, arguments.join(",")));
                }
            }
        }
    }

    #[test]
    fn a_name_with_a_slip_is_recognised() {
        assert_eq!(closest("uper"), Some("upper"));
        assert_eq!(closest("lenght"), Some("length"));
        assert_eq!(closest("something_else"), None);
    }
}
