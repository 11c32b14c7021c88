//! The tree of a rule, as it was written.

use crate::compare::Comparison;

/// An expression and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expr {
    pub at: usize,
    pub end: usize,
    /// Levels from here to the deepest leaf, from 1.
    pub height: usize,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    /// A column or an alias.
    Name(String),
    /// Something with `.key` and `[index]` behind it.
    Path(Box<Expr>, Vec<Step>),
    /// `base[first..last]`.
    Slice(Box<Expr>, i64, i64),
    /// `[first..last]`.
    Range(i64, i64),
    List(Vec<Expr>),
    Negate(Box<Expr>),
    Not(Box<Expr>),
    /// Two or more, side by side: a long chain is wide and not high.
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// What the chain begins with, then each operator with what stands behind it, from the left.
    Arithmetic(Box<Expr>, Vec<(Arithmetic, Expr)>),
    In {
        left: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    Case {
        on: Option<Box<Expr>>,
        arms: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Call(String, Vec<Expr>),
}

impl Kind {
    /// The height of the highest part.
    pub fn height(&self) -> usize {
        let highest = |parts: &[Expr]| parts.iter().map(|part| part.height).max().unwrap_or(0);
        match self {
            Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Text(_) => 0,
            Self::Name(_) | Self::Range(..) => 0,
            Self::Path(base, steps) => {
                let indexes = steps.iter().map(|step| match step {
                    Step::IndexOf(index) => index.height,
                    _ => 0,
                });
                indexes.fold(base.height, usize::max)
            }
            Self::Slice(base, ..) => base.height,
            Self::And(parts) | Self::Or(parts) => highest(parts),
            Self::List(parts) | Self::Call(_, parts) => highest(parts),
            Self::Negate(inner) | Self::Not(inner) => inner.height,
            Self::Compare(_, left, right) => left.height.max(right.height),
            Self::Arithmetic(first, rest) => {
                rest.iter().map(|(_, part)| part.height).fold(first.height, usize::max)
            }
            Self::In { left, list, .. } => left.height.max(highest(list)),
            Self::Case { on, arms, otherwise } => {
                let ends = [on, otherwise].into_iter().flatten().map(|part| part.height);
                let arms = arms.iter().map(|(when, then)| when.height.max(then.height));
                arms.chain(ends).max().unwrap_or(0)
            }
        }
    }
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Key(String),
    /// From 1; negative ones count from the end.
    Index(i64),
    /// The element whose index another value says.
    IndexOf(Expr),
    /// `[head]`: before the first element. Only an alias can have it.
    Head,
    /// `[tail]`: behind the last element. Only an alias can have it.
    Tail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    IntegerDivide,
    Remainder,
}

/// Where a value goes: `as a.b[1]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alias {
    pub at: usize,
    pub name: String,
    pub steps: Vec<Step>,
}

/// One thing that is selected.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    /// `*`: every column.
    Everything,
    Value(Expr, Option<Alias>),
}

/// One source and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct From {
    pub at: usize,
    pub text: String,
}

/// A whole rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statement {
    /// What `FOREACH` goes through, or what `SELECT` selects.
    pub items: Vec<Item>,
    pub foreach: Option<Foreach>,
    pub from: Vec<From>,
    pub condition: Option<Expr>,
}

/// What only `FOREACH` has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Foreach {
    /// `DO`; empty when it is not there.
    pub each: Vec<Item>,
    /// `INCASE`.
    pub condition: Option<Expr>,
}
