//! What a rule reads: the columns of one message or event, and the world around it.
//!
//! One [`Context`] serves all rules of a message: the payload is decoded when the first of them
//! asks for a part of it, and never when none does.

use std::cell::{Cell, OnceCell, RefCell};

use smallvec::SmallVec;

use crate::MESSAGE_WORK_MAX;
use crate::column::Column;
use crate::error::EvalError;
use crate::event::Event;
use crate::functions::Work;
use crate::json;
use crate::value::{Map, Text, Value};

/// Where columns come from. The node implements it on its own message, without copying.
pub trait Source {
    /// What happened.
    fn event(&self) -> Event;

    /// The value of `column`, [`Value::Undefined`] when there is none. Asked for only when a rule
    /// uses it; may be asked again.
    fn column(&self, column: Column) -> Value<'_>;

    /// The columns that `*` stands for, in order.
    fn columns(&self) -> &[Column] {
        self.event().columns()
    }
}

/// What a rule may ask about the world. There is no clock and no source of chance in here.
#[derive(Debug, Clone, Copy)]
pub struct World<'m> {
    /// Nanoseconds since 1970, for `now_timestamp()` and the like.
    pub now_unix_ns: i128,
    /// Seconds that local time is ahead of UTC.
    pub local_offset_s: i32,
    /// Chance for `random()` and `uuid_v4()`; another one for each message.
    pub seed: u64,
    /// What `getenv` may read; the names come without the prefix `EMQXVAR_`.
    pub variables: &'m [(String, String)],
}

impl World<'_> {
    /// The world at `now_unix_ns`, at UTC, without variables.
    #[must_use]
    pub const fn at(now_unix_ns: i128, seed: u64) -> Self {
        Self { now_unix_ns, local_offset_s: 0, seed, variables: &[] }
    }
}

/// One message or event, for all rules that see it.
pub struct Context<'m> {
    source: &'m dyn Source,
    pub(crate) world: World<'m>,
    payload: OnceCell<Result<Value<'m>, EvalError>>,
    /// Columns that the source had to make, for whoever asks next.
    made: RefCell<SmallVec<[(Column, Value<'m>); 4]>>,
    random: Cell<u64>,
    /// How far a draw moves it on.
    random_step: u64,
    decoded: Cell<u32>,
    work_left: Cell<u64>,
}

impl<'m> Context<'m> {
    /// The columns of `source`. Nothing is read before a rule asks.
    #[must_use]
    pub fn new(source: &'m dyn Source, world: World<'m>) -> Self {
        // Seeds of messages that follow one another are near: where a stream begins and how it goes
        // on is each its own, so that none is a part of another.
        let random = Cell::new(mixed(world.seed));
        let random_step = mixed(!world.seed) | 1;
        Self {
            source,
            world,
            payload: OnceCell::new(),
            made: RefCell::default(),
            random,
            random_step,
            decoded: Cell::new(0),
            work_left: Cell::new(MESSAGE_WORK_MAX),
        }
    }

    /// The same with less work for its rules: what is left of [`MESSAGE_WORK_MAX`].
    #[must_use]
    pub fn with_work(self, units: u64) -> Self {
        self.work_left.set(units);
        self
    }

    /// Units of work that are left to the rules.
    #[must_use]
    pub fn work_left(&self) -> u64 {
        self.work_left.get()
    }

    pub(crate) fn take_work(&self, units: u64) {
        self.work_left.set(self.work_left.get().saturating_sub(units));
    }

    /// The value of `column`. One that has to be made is made once for all rules, and costs the
    /// first that asks what there is of it.
    pub(crate) fn column(&self, column: Column, work: &Work) -> Result<Value<'m>, EvalError> {
        let made = self.made.borrow().iter().find(|(have, _)| *have == column).cloned();
        if let Some((_, value)) = made {
            return Ok(value);
        }
        let value = self.source.column(column);
        if matches!(value, Value::Map(_) | Value::Array(_) | Value::Text(Text::Shared(_))) {
            self.made.borrow_mut().push((column, value.clone()));
            work.spend(value.weight())?;
        }
        Ok(value)
    }

    pub(crate) fn columns(&self) -> &'m [Column] {
        self.source.columns()
    }

    /// The payload as JSON; [`Value::Undefined`] when it is none.
    pub(crate) fn payload(&self) -> Result<&Value<'m>, EvalError> {
        let payload = self.payload.get_or_init(|| {
            self.decoded.set(self.decoded.get() + 1);
            match self.source.column(Column::Payload) {
                Value::Text(text) => read_text(&text).map(Option::unwrap_or_default),
                // A test may give the payload as it is once decoded.
                other => Ok(other),
            }
        });
        payload.as_ref().map_err(Clone::clone)
    }

    /// The payload as JSON, when `text` is the payload itself: it costs nobody to look into it again.
    pub(crate) fn payload_at(&self, text: &Text<'_>) -> Option<Result<&Value<'m>, EvalError>> {
        match self.source.column(Column::Payload) {
            Value::Text(payload) if text.is_same(&payload) => Some(self.payload()),
            _ => None,
        }
    }

    /// How often the payload was decoded: never, or once.
    #[must_use]
    pub fn payloads_decoded(&self) -> u32 {
        self.decoded.get()
    }

    /// The next number of a stream that the seed decides (SplitMix64).
    pub(crate) fn random(&self) -> u64 {
        let state = self.random.get().wrapping_add(self.random_step);
        self.random.set(state);
        mixed(state)
    }
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("event", &self.source.event()).finish_non_exhaustive()
    }
}

/// What SplitMix64 makes of a state; no two states become the same.
const fn mixed(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Text as JSON; nothing when it is none.
pub(crate) fn read_text<'a>(text: &Text<'a>) -> Result<Option<Value<'a>>, EvalError> {
    Ok(match text {
        Text::Borrowed(bytes) => json::read(bytes)?,
        // The octets do not live as long as the result.
        Text::Shared(bytes) => json::read(bytes)?.and_then(|value| detach(&value)),
    })
}

/// A copy that borrows nothing. As deep as the value is, which is bounded.
pub(crate) fn detach<'a>(value: &Value<'_>) -> Option<Value<'a>> {
    Some(match value {
        Value::Undefined => Value::Undefined,
        Value::Null => Value::Null,
        Value::Bool(value) => Value::Bool(*value),
        Value::Int(value) => Value::Int(*value),
        Value::Float(value) => Value::Float(*value),
        Value::Text(Text::Borrowed(bytes)) => Value::owned(*bytes),
        Value::Text(Text::Shared(bytes)) => Value::Text(Text::Shared(bytes.clone())),
        Value::Array(array) => {
            Value::array(array.items().iter().map(detach).collect::<Option<_>>()?).ok()?
        }
        Value::Map(map) => {
            let mut copy = Vec::with_capacity(map.entries().len());
            for (key, value) in map.entries() {
                copy.push((Text::Shared(std::rc::Rc::new(key.bytes().to_vec())), detach(value)?));
            }
            Value::Map(std::rc::Rc::new(Map::of_distinct(copy).ok()?))
        }
    })
}

/// Columns with values that a person or a test wrote down.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    event: Event,
    columns: Vec<Column>,
    values: Vec<Value<'a>>,
}

impl<'a> Record<'a> {
    /// Nothing but the event's name.
    #[must_use]
    pub fn new(event: Event) -> Self {
        let name = Value::from(event.name());
        Self { event, columns: vec![Column::Event], values: vec![name] }
    }

    /// Sets one column.
    #[must_use]
    pub fn with(mut self, column: Column, value: impl Into<Value<'a>>) -> Self {
        self.set(column, value.into());
        self
    }

    /// Sets one column.
    pub fn set(&mut self, column: Column, value: Value<'a>) {
        match self.columns.iter().position(|have| *have == column) {
            Some(at) => {
                if let Some(slot) = self.values.get_mut(at) {
                    *slot = value;
                }
            }
            None => {
                self.columns.push(column);
                self.values.push(value);
            }
        }
    }

    /// Puts the entries of the JSON object `context` in the place of columns of the same name.
    ///
    /// Keys that no source has as a column are left out. A payload that is a JSON object or array
    /// stays one, as in EMQX's `/rule_test`.
    ///
    /// Returns whether `context` is a JSON object.
    pub fn merge_json(&mut self, context: &'a [u8]) -> bool {
        let Some(Value::Map(map)) = json::decode(context) else { return false };
        for (key, value) in map.entries() {
            if let Some(column) = key.as_str().and_then(Column::from_name) {
                self.set(column, value.clone());
            }
        }
        true
    }
}

impl Source for Record<'_> {
    fn event(&self) -> Event {
        self.event
    }

    fn column(&self, column: Column) -> Value<'_> {
        let at = self.columns.iter().position(|have| *have == column);
        at.and_then(|at| self.values.get(at)).cloned().unwrap_or_default()
    }

    fn columns(&self) -> &[Column] {
        &self.columns
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn what_messages_draw_is_not_drawn_again_by_the_next() {
        let record = Record::new(Event::MessagePublish);
        let mut drawn = HashSet::new();
        for message in 0..1000_u64 {
            // As a shard steps its seed from message to message.
            let seed = message.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let context = Context::new(&record, World::at(0, seed));
            drawn.extend((0..32).map(|_| context.random()));
        }
        assert_eq!(drawn.len(), 32_000);
    }
}
