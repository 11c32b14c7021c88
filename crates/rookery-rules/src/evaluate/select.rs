//! What a rule puts together: the result of `SELECT`, and of `FOREACH` for each element.

use smallvec::SmallVec;

use super::Evaluation;
use crate::error::EvalError;
use crate::path::{self, Place};
use crate::program::{Body, Item, NodeId, Selected, Span};
use crate::rule::Outcome;
use crate::value::{Map, Text, Value};

/// Names that are looked at, or copied, in one unit of work.
const ENTRIES_PER_WORK: u64 = 8;

impl<'a> Evaluation<'a, '_> {
    /// Runs the whole program; what it took is gone for the other rules of the message.
    pub fn run(mut self) -> Result<Outcome<'a>, EvalError> {
        let outcome = self.outcome();
        self.context.take_work(self.work.done());
        outcome
    }

    fn outcome(&mut self) -> Result<Outcome<'a>, EvalError> {
        let program = self.program;
        if program.condition_first && !self.holds(program.condition)? {
            return Ok(Outcome::NoMatch);
        }
        self.locals.resize(program.locals as usize, Value::Undefined);
        match &program.body {
            Body::Select(items) => {
                let mut row = Map::default();
                self.put_items(items, &mut row)?;
                if !program.condition_first && !self.holds(program.condition)? {
                    return Ok(Outcome::NoMatch);
                }
                Ok(Outcome::Row(row))
            }
            Body::Foreach { before, over, element, name, each, condition } => {
                let mut selected = Map::default();
                for item in before {
                    self.put_item(item, &mut selected)?;
                }
                let array = self.put_item(over, &mut selected)?;
                if !program.condition_first && !self.holds(program.condition)? {
                    return Ok(Outcome::NoMatch);
                }
                let Value::Array(array) = array else { return Ok(Outcome::NoMatch) };
                let found = Elements { slot: *element, name, each, condition: *condition };
                self.rows(array.items(), &found, &selected)
            }
        }
    }

    fn holds(&self, condition: Option<NodeId>) -> Result<bool, EvalError> {
        condition.map_or(Ok(true), |condition| self.is_true(condition))
    }

    fn rows(
        &mut self,
        items: &[Value<'a>],
        elements: &Elements<'a>,
        selected: &Map<'a>,
    ) -> Result<Outcome<'a>, EvalError> {
        let before = self.locals.clone();
        // What the rows have in common when `DO` does not say what is in them.
        let mut common = None;
        let mut rows = Vec::new();
        for item in items {
            self.work.spend(1 + before.len() as u64 / ENTRIES_PER_WORK)?;
            // A name that `DO` gives is not there for the next element.
            self.locals.clone_from(&before);
            self.set_local(elements.slot, item.clone());
            if !self.holds(elements.condition)? {
                continue;
            }
            let row = if elements.each.is_empty() {
                let common = match &mut common {
                    Some(common) => common,
                    none => none.insert(self.common(selected)?),
                };
                self.work.spend_entries(common.entries().len() + 1)?;
                let mut row = Map::clone(common);
                row.put(Text::Borrowed(elements.name), item.clone())?;
                row
            } else {
                let mut row = Map::default();
                self.put_items(elements.each, &mut row)?;
                self.work.spend_entries(row.entries().len())?;
                row
            };
            rows.push(row);
        }
        Ok(if rows.is_empty() { Outcome::NoMatch } else { Outcome::Rows(rows) })
    }

    /// All columns, and what was selected in front of the array.
    fn common(&self, selected: &Map<'a>) -> Result<Map<'a>, EvalError> {
        let mut row = Map::default();
        self.put_columns(&mut row)?;
        for (key, value) in selected.entries() {
            self.spend_on_row(&row)?;
            row.put(key.clone(), value.clone())?;
        }
        Ok(row)
    }

    fn put_items(&mut self, items: &'a [Item], row: &mut Map<'a>) -> Result<(), EvalError> {
        for item in items {
            match item {
                Item::Everything => self.put_columns(row)?,
                Item::Value(selected) => {
                    self.put_item(selected, row)?;
                }
            }
        }
        Ok(())
    }

    /// Every column that has a value.
    fn put_columns(&self, row: &mut Map<'a>) -> Result<(), EvalError> {
        let columns = self.context.columns();
        self.work.spend(columns.len() as u64)?;
        for column in columns {
            let value: Value<'a> = self.context.column(*column, &self.work)?;
            if !value.is_undefined() {
                self.spend_on_row(row)?;
                row.put(Text::from(column.name()), value)?;
            }
        }
        Ok(())
    }

    /// Puts one value where it goes and where later ones find it; returns it.
    fn put_item(
        &mut self,
        selected: &'a Selected,
        row: &mut Map<'a>,
    ) -> Result<Value<'a>, EvalError> {
        let value = self.value(selected.node)?;
        let places = self.places(selected.steps)?;
        if value.is_undefined() {
            return Ok(value);
        }
        if let Some(local) = selected.local {
            let now = self.locals.get(local.slot as usize).cloned().unwrap_or_default();
            let base = match (now, local.column) {
                (Value::Undefined, Some(column)) if !places.is_empty() => {
                    self.context.column(column, &self.work)?
                }
                (now, _) => now,
            };
            let put = path::put(base, &places, value.clone(), &self.work)?;
            self.set_local(local.slot, put);
        }
        self.spend_on_row(row)?;
        if places.is_empty() {
            row.put(Text::Borrowed(&selected.key), value.clone())?;
        } else {
            let base = row.get(&selected.key).cloned().unwrap_or_default();
            let put = path::put(base, &places, value.clone(), &self.work)?;
            row.put(Text::Borrowed(&selected.key), put)?;
        }
        Ok(value)
    }

    /// A key is looked for among those that are there.
    fn spend_on_row(&self, row: &Map<'a>) -> Result<(), EvalError> {
        self.work.spend(row.entries().len() as u64 / ENTRIES_PER_WORK)
    }

    fn places(&self, steps: Span) -> Result<SmallVec<[Place<'a>; 4]>, EvalError> {
        let steps = steps.of(&self.program.steps);
        steps.iter().map(|step| Ok(self.step(step)?.unwrap_or(Place::Index(0)))).collect()
    }

    fn set_local(&mut self, slot: u32, value: Value<'a>) {
        if let Some(local) = self.locals.get_mut(slot as usize) {
            *local = value;
        }
    }
}

/// What `FOREACH` does with each element.
struct Elements<'a> {
    slot: u32,
    name: &'a [u8],
    each: &'a [Item],
    condition: Option<NodeId>,
}
