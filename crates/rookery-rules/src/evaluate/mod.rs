//! Runs a program on the columns of one message.

pub(crate) mod arithmetic;
mod select;

use smallvec::SmallVec;

use crate::ARRAY_ITEMS_MAX;
use crate::compare::{compare, identical};
use crate::context::Context;
use crate::error::EvalError;
use crate::functions::{Call, Work};
use crate::messages;
use crate::path::{self, Place};
use crate::program::{Node, NodeId, Program, Span, Step};
use crate::value::Value;

type Out<'a> = Result<Value<'a>, EvalError>;

/// One run. `'a` is what values borrow from: the rule and the message.
pub(crate) struct Evaluation<'a, 'm> {
    program: &'a Program,
    context: &'a Context<'m>,
    work: Work,
    /// What was put under the names of the program; allocates when there are more than four.
    locals: SmallVec<[Value<'a>; 4]>,
}

impl<'a, 'm> Evaluation<'a, 'm> {
    pub fn new(program: &'a Program, context: &'a Context<'m>) -> Self {
        Self { program, context, work: Work::new(context.work_left()), locals: SmallVec::new() }
    }

    fn node(&self, id: NodeId) -> &'a Node {
        const MISSING: Node = Node::Undefined;
        self.program.nodes.get(id as usize).unwrap_or(&MISSING)
    }

    fn children(&self, span: Span) -> &'a [NodeId] {
        span.of(&self.program.children)
    }

    fn is_true(&self, id: NodeId) -> Result<bool, EvalError> {
        Ok(matches!(self.value(id)?, Value::Bool(true)))
    }

    /// The value of a node. Recursion is as deep as the tree was high, which is bounded.
    fn value(&self, id: NodeId) -> Out<'a> {
        self.work.spend(1)?;
        Ok(match self.node(id) {
            Node::Undefined => Value::Undefined,
            Node::Bool(value) => Value::Bool(*value),
            Node::Int(number) => Value::Int(*number),
            Node::Float(number) => Value::Float(*number),
            Node::Text(text) => Value::borrowed(text),
            Node::Column(column) => self.context.column(*column, &self.work)?,
            Node::Local(slot, column) => match self.locals.get(*slot as usize) {
                Some(Value::Undefined) | None => match column {
                    Some(column) => self.context.column(*column, &self.work)?,
                    None => Value::Undefined,
                },
                Some(value) => value.clone(),
            },
            Node::PayloadPath(steps) => {
                let payload: &Value<'a> = self.context.payload()?;
                return self.walk(payload, *steps);
            }
            Node::Path(base, steps) => return self.walk(&self.value(*base)?, *steps),
            Node::Slice(base, first, last) => return self.slice(*base, *first, *last),
            Node::Range(first, last) => return self.range(*first, *last),
            Node::List(items) => {
                let items = self.children(*items).iter().map(|item| self.value(*item));
                Value::array(items.collect::<Result<_, _>>()?)?
            }
            Node::Negate(inner) => return arithmetic::negate(self.value(*inner)?),
            Node::Not(inner) => Value::Bool(matches!(self.value(*inner)?, Value::Bool(false))),
            Node::And(parts) => Value::Bool(!self.any_is(false, *parts)?),
            Node::Or(parts) => Value::Bool(self.any_is(true, *parts)?),
            Node::Compare(how, left, right) => {
                let (left, right) = (self.value(*left)?, self.value(*right)?);
                self.spend_on(&left, &right)?;
                Value::Bool(compare(*how, &left, &right)?)
            }
            Node::Arithmetic(first, rest) => {
                let mut value = self.value(*first)?;
                for (how, right) in rest.of(&self.program.terms) {
                    value = arithmetic::apply(*how, value, self.value(*right)?, &self.work)?;
                }
                value
            }
            Node::In { left, list, negated } => Value::Bool(self.is_in(*left, *list)? != *negated),
            Node::Case { arms, otherwise } => return self.case(*arms, *otherwise),
            Node::Switch { on, arms, otherwise } => return self.switch(*on, *arms, *otherwise),
            Node::Call { function, arguments, regex } => {
                let values: SmallVec<[Value<'a>; 4]> = self
                    .children(*arguments)
                    .iter()
                    .map(|argument| self.value(*argument))
                    .collect::<Result<_, _>>()?;
                let regex = regex.and_then(|at| self.program.regexes.get(at as usize));
                let Some(run) = function.run else { return Ok(Value::Undefined) };
                return run(&Call {
                    name: function.name,
                    arguments: &values,
                    context: self.context,
                    work: &self.work,
                    regex,
                });
            }
        })
    }

    /// Whether one of them is true, or is not, as `wanted` says; those behind it are not looked at.
    fn any_is(&self, wanted: bool, parts: Span) -> Result<bool, EvalError> {
        for part in self.children(parts) {
            if self.is_true(*part)? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Comparing costs as much as the smaller value is large, with all that is in it.
    fn spend_on(&self, left: &Value<'a>, right: &Value<'a>) -> Result<(), EvalError> {
        self.work.spend(left.weight().min(right.weight()))
    }

    fn step(&self, step: &'a Step) -> Result<Option<Place<'a>>, EvalError> {
        Ok(Some(match step {
            Step::Key(key) => Place::Key(key),
            Step::Index(index) => Place::Index(*index),
            Step::Head => Place::Head,
            Step::Tail => Place::Tail,
            Step::IndexOf(index) => match self.value(*index)? {
                Value::Int(index) => Place::Index(i64::try_from(index).unwrap_or(0)),
                _ => return Ok(None),
            },
        }))
    }

    fn walk(&self, from: &Value<'a>, steps: Span) -> Out<'a> {
        let mut value = None;
        for step in steps.of(&self.program.steps) {
            let here = value.as_ref().unwrap_or(from);
            self.work.spend_step(here)?;
            let Some(place) = self.step(step)? else { return Ok(Value::Undefined) };
            let next = path::get(here, place);
            if next.is_undefined() {
                return Ok(next);
            }
            value = Some(next);
        }
        Ok(value.unwrap_or_else(|| from.clone()))
    }

    fn slice(&self, base: NodeId, first: i64, last: i64) -> Out<'a> {
        let Value::Array(array) = self.value(base)? else {
            return Err(EvalError::function("[..]", messages::part_of_no_array()));
        };
        let length = i64::try_from(array.items().len()).unwrap_or(i64::MAX);
        let place = |index: i64| match index {
            0 => Err(EvalError::function("[..]", messages::positions_from_one())),
            index if index < 0 => Ok(length.saturating_add(index).saturating_add(1)),
            index => Ok(index),
        };
        let (first, last) = (place(first)?, place(last)?);
        if first < 1 {
            return Err(EvalError::function("[..]", messages::array_shorter()));
        }
        let skip = usize::try_from(first - 1).unwrap_or(usize::MAX);
        let take = usize::try_from(last - first + 1).unwrap_or(0);
        self.work.spend(array.items().len() as u64)?;
        Value::array(array.items().iter().skip(skip).take(take).cloned().collect())
    }

    fn range(&self, first: i64, last: i64) -> Out<'a> {
        let count = i128::from(last) - i128::from(first) + 1;
        let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
        if count > ARRAY_ITEMS_MAX {
            return Err(EvalError::TooManyItems);
        }
        self.work.spend(count as u64)?;
        Value::array((first..=last).map(Value::from).collect())
    }

    fn is_in(&self, left: NodeId, list: Span) -> Result<bool, EvalError> {
        let left = self.value(left)?;
        for item in self.children(list) {
            let item = self.value(*item)?;
            self.spend_on(&left, &item)?;
            if identical(&left, &item) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn otherwise(&self, otherwise: Option<NodeId>) -> Out<'a> {
        otherwise.map_or(Ok(Value::Undefined), |node| self.value(node))
    }

    fn case(&self, arms: Span, otherwise: Option<NodeId>) -> Out<'a> {
        for arm in self.children(arms).chunks_exact(2) {
            if let [when, then] = arm
                && self.is_true(*when)?
            {
                return self.value(*then);
            }
        }
        self.otherwise(otherwise)
    }

    fn switch(&self, on: NodeId, arms: Span, otherwise: Option<NodeId>) -> Out<'a> {
        let on = self.value(on)?;
        for arm in self.children(arms).chunks_exact(2) {
            if let [when, then] = arm {
                let when = self.value(*when)?;
                self.spend_on(&on, &when)?;
                if identical(&on, &when) {
                    return self.value(*then);
                }
            }
        }
        self.otherwise(otherwise)
    }
}
