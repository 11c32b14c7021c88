//! Random expressions, as a tree that was never text, and the text of each.

use proptest::prelude::*;

#[derive(Debug, Clone)]
pub enum Tree {
    Int(i32),
    Text(String),
    Bool(bool),
    Path(&'static str),
    Sum(Box<Tree>, Vec<(char, Tree)>),
    /// `*`, `/`, `DIV` or `MOD`.
    Times(&'static str, Box<Tree>, Box<Tree>),
    Negate(Box<Tree>),
    Compare(&'static str, Box<Tree>, Box<Tree>),
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
    /// The list, and whether it is `NOT IN`.
    In(Box<Tree>, Vec<Tree>, bool),
    Case(Box<Tree>, Box<Tree>, Box<Tree>),
    /// `CASE a WHEN b THEN c ELSE d END`.
    Switch(Box<[Tree; 4]>),
    List(Vec<Tree>),
    Coalesce(Box<Tree>, Box<Tree>),
    Strlen(Box<Tree>),
}

pub fn sql(tree: &Tree) -> String {
    match tree {
        Tree::Int(number) => format!("({number})"),
        Tree::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Tree::Bool(value) => value.to_string(),
        Tree::Path(path) => (*path).to_owned(),
        Tree::Sum(first, rest) => {
            let rest = rest.iter().map(|(sign, part)| format!(" {sign} {}", sql(part)));
            format!("({}{})", sql(first), rest.collect::<String>())
        }
        Tree::Times(op, a, b) => format!("({} {op} {})", sql(a), sql(b)),
        Tree::Negate(a) => format!("(-({}))", sql(a)),
        Tree::Compare(op, a, b) => format!("({} {op} {})", sql(a), sql(b)),
        Tree::And(parts) => format!("({})", joined(parts, " AND ")),
        Tree::Or(parts) => format!("({})", joined(parts, " OR ")),
        Tree::Not(a) => format!("(NOT {})", sql(a)),
        Tree::In(a, list, is_not) => {
            let not = if *is_not { "NOT " } else { "" };
            format!("({} {not}IN ({}))", sql(a), joined(list, ", "))
        }
        Tree::Case(a, b, c) => format!("CASE WHEN {} THEN {} ELSE {} END", sql(a), sql(b), sql(c)),
        Tree::Switch(parts) => {
            let [on, when, then, otherwise] = parts.each_ref().map(sql);
            format!("CASE {on} WHEN {when} THEN {then} ELSE {otherwise} END")
        }
        Tree::List(items) => format!("[{}]", joined(items, ", ")),
        Tree::Coalesce(a, b) => format!("coalesce({}, {})", sql(a), sql(b)),
        Tree::Strlen(a) => format!("strlen({})", sql(a)),
    }
}

fn joined(parts: &[Tree], with: &str) -> String {
    parts.iter().map(sql).collect::<Vec<_>>().join(with)
}

/// Paths into what [`super::document`] makes.
pub const PATHS: [&str; 14] = [
    "payload.i",
    "payload.f",
    "payload.t",
    "payload.n",
    "payload.l",
    "payload.l[1]",
    "payload.l[-1]",
    "payload.l[9]",
    "payload.m",
    "payload.m.k",
    "payload.none.k",
    "payload.d",
    "payload.j.k[2]",
    "payload.m.l[1].k",
];

/// Paths that the elements of a `FOREACH` have too.
pub const ELEMENT_PATHS: [&str; 6] = ["e", "e.k", "e.l[1]", "e.m.k", "payload.i", "payload.t"];

fn leaf(paths: &'static [&'static str]) -> impl Strategy<Value = Tree> {
    prop_oneof![
        2 => (-9..10).prop_map(Tree::Int),
        1 => "[a-z0-9' é]{0,4}".prop_map(Tree::Text),
        1 => any::<bool>().prop_map(Tree::Bool),
        3 => proptest::sample::select(paths).prop_map(Tree::Path),
    ]
}

fn sum(part: impl Strategy<Value = Tree> + Clone) -> impl Strategy<Value = Tree> {
    let sign = proptest::sample::select(vec!['+', '-']);
    let rest = proptest::collection::vec((sign, part.clone()), 1..4);
    (part, rest).prop_map(|(first, rest)| Tree::Sum(Box::new(first), rest))
}

/// An expression over these paths.
pub fn tree(paths: &'static [&'static str]) -> impl Strategy<Value = Tree> {
    leaf(paths).prop_recursive(5, 32, 3, |inner| {
        let pair = || (inner.clone(), inner.clone()).prop_map(|(a, b)| (Box::new(a), Box::new(b)));
        let several = |most| proptest::collection::vec(inner.clone(), 2..most);
        let op = proptest::sample::select(vec!["=", "!=", "<>", "<", ">", "<=", ">="]);
        let times = proptest::sample::select(vec!["*", "*", "/", "DIV", "MOD"]);
        let list = proptest::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            sum(inner.clone()),
            (times, pair()).prop_map(|(op, (a, b))| Tree::Times(op, a, b)),
            inner.clone().prop_map(|a| Tree::Negate(Box::new(a))),
            (op, pair()).prop_map(|(op, (a, b))| Tree::Compare(op, a, b)),
            several(5).prop_map(Tree::And),
            several(5).prop_map(Tree::Or),
            inner.clone().prop_map(|a| Tree::Not(Box::new(a))),
            (inner.clone(), list, any::<bool>()).prop_map(|(a, list, is_not)| Tree::In(
                Box::new(a),
                list,
                is_not
            )),
            (pair(), inner.clone()).prop_map(|((a, b), c)| Tree::Case(a, b, Box::new(c))),
            [inner.clone(), inner.clone(), inner.clone(), inner.clone()]
                .prop_map(|parts| Tree::Switch(Box::new(parts))),
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Tree::List),
            pair().prop_map(|(a, b)| Tree::Coalesce(a, b)),
            inner.prop_map(|a| Tree::Strlen(Box::new(a))),
        ]
    })
}

/// Whether a list holds nothing somewhere, or joins with text: both are spelled out elsewhere.
pub fn is_beyond_the_model(tree: &Tree) -> bool {
    let below: Vec<&Tree> = match tree {
        Tree::List(items) => return !items.is_empty(),
        Tree::Sum(first, rest) => {
            std::iter::once(&**first).chain(rest.iter().map(|(_, part)| part)).collect()
        }
        Tree::And(parts) | Tree::Or(parts) => parts.iter().collect(),
        Tree::In(a, list, _) => std::iter::once(&**a).chain(list).collect(),
        Tree::Switch(parts) => parts.iter().collect(),
        Tree::Times(_, a, b) | Tree::Compare(_, a, b) | Tree::Coalesce(a, b) => vec![a, b],
        Tree::Not(a) | Tree::Strlen(a) | Tree::Negate(a) => vec![a],
        Tree::Case(a, b, c) => vec![a, b, c],
        Tree::Int(_) | Tree::Text(_) | Tree::Bool(_) | Tree::Path(_) => vec![],
    };
    below.into_iter().any(is_beyond_the_model)
}
