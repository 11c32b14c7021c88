//! A compiled rule: nodes in one vector that name each other by number.

use crate::column::Column;
use crate::compare::Comparison;
use crate::functions::{Function, Regular};
use crate::syntax::ast::Arithmetic;

/// Where a node is in [`Program::nodes`].
pub(crate) type NodeId = u32;

/// A run of entries of one of the program's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub first: u32,
    pub count: u32,
}

impl Span {
    pub fn of<T>(self, list: &[T]) -> &[T] {
        let first = self.first as usize;
        list.get(first..first + self.count as usize).unwrap_or_default()
    }
}

#[derive(Debug)]
pub(crate) enum Node {
    Undefined,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Box<[u8]>),
    Column(Column),
    /// What was put under this name before; the column when nothing was.
    Local(u32, Option<Column>),
    /// Steps from a node.
    Path(NodeId, Span),
    /// Steps from the payload.
    PayloadPath(Span),
    Slice(NodeId, i64, i64),
    Range(i64, i64),
    List(Span),
    Negate(NodeId),
    Not(NodeId),
    And(Span),
    Or(Span),
    Compare(Comparison, NodeId, NodeId),
    /// The first part, and the [`Program::terms`] that are joined to it from the left.
    Arithmetic(NodeId, Span),
    In {
        left: NodeId,
        list: Span,
        negated: bool,
    },
    /// Pairs of conditions and results.
    Case {
        arms: Span,
        otherwise: Option<NodeId>,
    },
    /// Pairs of values and results.
    Switch {
        on: NodeId,
        arms: Span,
        otherwise: Option<NodeId>,
    },
    Call {
        function: &'static Function,
        arguments: Span,
        regex: Option<u32>,
    },
}

#[derive(Debug)]
pub(crate) enum Step {
    Key(Box<[u8]>),
    Index(i64),
    IndexOf(NodeId),
    Head,
    Tail,
}

/// One thing that is selected.
#[derive(Debug)]
pub(crate) enum Item {
    Everything,
    Value(Selected),
}

#[derive(Debug)]
pub(crate) struct Selected {
    pub node: NodeId,
    /// Its key in the result, and the steps below that.
    pub key: Box<[u8]>,
    pub steps: Span,
    /// Where later expressions find it, when one of them looks.
    pub local: Option<Local>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Local {
    pub slot: u32,
    /// What steps below the name go into when nothing was put there before.
    pub column: Option<Column>,
}

#[derive(Debug)]
pub(crate) enum Body {
    Select(Vec<Item>),
    Foreach {
        /// What is computed before, and under which names.
        before: Vec<Selected>,
        /// The array.
        over: Selected,
        /// The slot of the element.
        element: u32,
        /// The key of the element when there is no `DO`.
        name: Box<[u8]>,
        each: Vec<Item>,
        condition: Option<NodeId>,
    },
}

#[derive(Debug)]
pub(crate) struct Program {
    pub nodes: Vec<Node>,
    /// Children of nodes that have any number of them.
    pub children: Vec<NodeId>,
    /// Operators, each with what stands behind it.
    pub terms: Vec<(Arithmetic, NodeId)>,
    pub steps: Vec<Step>,
    pub regexes: Vec<Regular>,
    pub body: Body,
    pub condition: Option<NodeId>,
    /// Whether the condition needs nothing that is selected.
    pub condition_first: bool,
    /// How many names are put.
    pub locals: u32,
}
