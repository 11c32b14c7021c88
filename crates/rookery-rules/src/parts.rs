//! What the templates of a rule's outputs look into.

use std::cell::RefCell;

use crate::WORK_MAX;
use crate::context::{Context, read_text};
use crate::error::EvalError;
use crate::functions::Work;
use crate::path::{self, Place};
use crate::value::{Map, Text, Value};

/// Most texts whose JSON is kept.
const KEPT_MAX: usize = 16;

/// Looks into the results of one rule, for all of its outputs.
///
/// Text that is JSON, such as the payload, is decoded once and not for each placeholder and each
/// row; what that takes is part of the work that the message may cost.
#[derive(Debug)]
pub struct Parts<'a, 'm> {
    context: Option<&'a Context<'m>>,
    work: Work,
    /// The texts are held too: none of them can make room for another one.
    decoded: RefCell<Vec<(Text<'a>, Value<'a>)>>,
}

impl<'a, 'm> Parts<'a, 'm> {
    /// Of results of a message that `context` is about.
    #[must_use]
    pub fn of(context: &'a Context<'m>) -> Self {
        let work = Work::new(context.work_left());
        Self { context: Some(context), work, decoded: RefCell::default() }
    }

    /// Of a result that no message led to.
    #[must_use]
    pub fn alone() -> Self {
        Self { context: None, work: Work::new(WORK_MAX), decoded: RefCell::default() }
    }

    /// The value at the end of `steps`.
    pub(crate) fn look_up<'s>(
        &self,
        row: &Map<'a>,
        key: &[u8],
        steps: impl Iterator<Item = Place<'s>>,
    ) -> Result<Value<'a>, EvalError> {
        self.spend(|work| work.spend(1 + row.entries().len() as u64 / 8))?;
        let mut value = row.get(key).cloned().unwrap_or_default();
        for step in steps {
            if let Value::Text(text) = &value {
                value = self.json(text)?;
            }
            match &value {
                Value::Map(_) | Value::Array(_) => {}
                _ => return Ok(Value::Undefined),
            }
            self.spend(|work| work.spend_step(&value))?;
            value = path::get(&value, step);
        }
        Ok(value)
    }

    fn json(&self, text: &Text<'a>) -> Result<Value<'a>, EvalError> {
        if let Some(payload) = self.context.and_then(|context| context.payload_at(text)) {
            return payload.cloned();
        }
        let mut decoded = self.decoded.borrow_mut();
        if let Some((_, value)) = decoded.iter().find(|(have, _)| have.is_same(text)) {
            return Ok(value.clone());
        }
        self.spend(|work| work.spend(text.bytes().len() as u64))?;
        let value = read_text(text)?.unwrap_or_default();
        if decoded.len() >= KEPT_MAX {
            decoded.remove(0);
        }
        decoded.push((text.clone(), value.clone()));
        Ok(value)
    }

    /// What is done here is gone for the other rules of the message.
    fn spend(&self, how: impl FnOnce(&Work) -> Result<(), EvalError>) -> Result<(), EvalError> {
        let before = self.work.done();
        let enough = how(&self.work);
        if let Some(context) = self.context {
            context.take_work(self.work.done() - before);
        }
        enough
    }
}
