//! What a function is given, and the budget that it works on.

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

use super::convert::to_text;
use super::{Out, Regular};
use crate::context::Context;
use crate::error::EvalError;
use crate::messages::{self, Said};
use crate::value::{Array, Map, Text, Value};
use crate::{ARRAY_ITEMS_MAX, BYTES_PER_WORK, FREE_WORK, TEXT_BYTES_MAX, WORK_MAX};

/// What is left of the work that one message may cost a rule.
#[derive(Debug)]
pub(crate) struct Work {
    units: u64,
    left: Cell<u64>,
}

impl Work {
    /// `for_all`: what is left to all rules of the message.
    pub fn new(for_all: u64) -> Self {
        let units = for_all.clamp(FREE_WORK, WORK_MAX);
        Self { units, left: Cell::new(units) }
    }

    /// What was done, all of what there was when it was not enough.
    pub fn done(&self) -> u64 {
        self.units - self.left.get()
    }

    pub fn spend(&self, units: u64) -> Result<(), EvalError> {
        let left = self.left.get().checked_sub(units);
        self.left.set(left.unwrap_or_default());
        match left {
            Some(_) => Ok(()),
            None if self.units == WORK_MAX => Err(EvalError::TooMuchWork),
            None => Err(EvalError::TooMuchWorkTogether),
        }
    }

    pub fn spend_bytes(&self, bytes: usize) -> Result<(), EvalError> {
        self.spend(u64::try_from(bytes / BYTES_PER_WORK).unwrap_or(u64::MAX))
    }

    /// Names and values that are kept or copied cost the memory they take; what they hold is shared.
    pub fn spend_entries(&self, count: usize) -> Result<(), EvalError> {
        self.spend_bytes(count.saturating_mul(size_of::<(Text<'_>, Value<'_>)>()))
    }

    /// A key is looked for from entry to entry; text is decoded.
    pub fn spend_step(&self, value: &Value<'_>) -> Result<(), EvalError> {
        self.spend(match value {
            Value::Map(map) => 1 + map.entries().len() as u64 / 8,
            Value::Text(text) => 1 + text.bytes().len() as u64,
            _ => 1,
        })
    }
}

/// A function that runs.
pub(crate) type Run = for<'a> fn(&Call<'_, 'a, '_>) -> Out<'a>;

/// One call: `'a` is what values may borrow from.
pub(crate) struct Call<'e, 'a, 'm> {
    pub name: &'static str,
    pub arguments: &'e [Value<'a>],
    pub context: &'a Context<'m>,
    pub work: &'e Work,
    /// The second argument, when it is written down in the rule.
    pub regex: Option<&'e Regular>,
}

impl<'e, 'a> Call<'e, 'a, '_> {
    pub fn count(&self) -> usize {
        self.arguments.len()
    }

    pub fn value(&self, at: usize) -> &'e Value<'a> {
        self.arguments.get(at).unwrap_or(&Value::Undefined)
    }

    pub fn fail<T>(&self, message: Said) -> Result<T, EvalError> {
        Err(EvalError::function(self.name, message))
    }

    fn wrong<T>(&self, at: usize, wanted: Said) -> Result<T, EvalError> {
        self.fail(messages::wrong_argument(at + 1, messages::kind(self.value(at)), wanted))
    }

    pub fn int(&self, at: usize) -> Result<i128, EvalError> {
        match self.value(at) {
            Value::Int(number) => Ok(*number),
            _ => self.wrong(at, messages::an_integer()),
        }
    }

    /// A length or a position that is not negative.
    pub fn size(&self, at: usize) -> Result<usize, EvalError> {
        match usize::try_from(self.int(at)?) {
            Ok(size) => Ok(size),
            Err(_) => self.wrong(at, messages::a_size()),
        }
    }

    pub fn float(&self, at: usize) -> Result<f64, EvalError> {
        match self.value(at) {
            Value::Int(number) => Ok(*number as f64),
            Value::Float(number) => Ok(*number),
            _ => self.wrong(at, messages::a_number()),
        }
    }

    pub fn bytes(&self, at: usize) -> Result<&'e [u8], EvalError> {
        match self.value(at) {
            Value::Text(text) => {
                self.work.spend_bytes(text.bytes().len())?;
                Ok(text.bytes())
            }
            _ => self.wrong(at, messages::a_string()),
        }
    }

    pub fn text(&self, at: usize) -> Result<&'e str, EvalError> {
        match std::str::from_utf8(self.bytes(at)?) {
            Ok(text) => Ok(text),
            Err(_) => self.wrong(at, messages::utf8()),
        }
    }

    /// An optional word, such as a direction.
    pub fn word(&self, at: usize, otherwise: &'static str) -> Result<&'e str, EvalError> {
        if at < self.count() { self.text(at) } else { Ok(otherwise) }
    }

    pub fn unknown_word<T>(&self, word: &str) -> Result<T, EvalError> {
        self.fail(messages::no_option(shortened(word, 32)))
    }

    pub fn array(&self, at: usize) -> Result<&'e Rc<Array<'a>>, EvalError> {
        match self.value(at) {
            Value::Array(array) => {
                self.work.spend(array.items().len() as u64)?;
                Ok(array)
            }
            _ => self.wrong(at, messages::an_array()),
        }
    }

    /// A map, or text that is a JSON object.
    pub fn map(&self, at: usize) -> Result<Rc<Map<'a>>, EvalError> {
        let decoded = match self.value(at) {
            Value::Map(map) => {
                self.work.spend(map.entries().len() as u64)?;
                return Ok(map.clone());
            }
            Value::Text(_) => self.decoded(at)?,
            _ => None,
        };
        match decoded {
            Some(Value::Map(map)) => Ok(map),
            _ => self.wrong(at, messages::a_map()),
        }
    }

    /// Text as JSON; nothing when it is none.
    pub fn decoded(&self, at: usize) -> Result<Option<Value<'a>>, EvalError> {
        let Value::Text(text) = self.value(at) else { return self.wrong(at, messages::a_string()) };
        self.work.spend(text.bytes().len() as u64)?;
        crate::context::read_text(text)
    }

    /// Part of the argument `at`, which borrows where the argument does.
    pub fn part(&self, at: usize, range: Range<usize>) -> Out<'a> {
        match self.value(at) {
            Value::Text(Text::Borrowed(bytes)) => {
                Ok(Value::borrowed(bytes.get(range).unwrap_or_default()))
            }
            Value::Text(Text::Shared(bytes)) => {
                self.make(bytes.get(range).unwrap_or_default().to_vec())
            }
            _ => self.wrong(at, messages::a_string()),
        }
    }

    /// A value at the end of `out`, as text.
    pub fn put_text(&self, value: &Value<'a>, out: &mut Vec<u8>) -> Result<(), EvalError> {
        self.work.spend(value.weight())?;
        to_text(value, out)
    }

    /// A new text.
    pub fn make(&self, bytes: impl Into<Vec<u8>>) -> Out<'a> {
        let bytes = bytes.into();
        self.fits(bytes.len())?;
        self.work.spend_bytes(bytes.len())?;
        Ok(Value::owned(bytes))
    }

    /// A new array.
    pub fn list(&self, items: Vec<Value<'a>>) -> Out<'a> {
        if items.len() > ARRAY_ITEMS_MAX {
            return Err(EvalError::TooManyItems);
        }
        self.work.spend(items.len() as u64)?;
        Value::array(items)
    }

    /// Whether a text of `bytes` octets may be made; asked before it is.
    pub fn fits(&self, bytes: usize) -> Result<(), EvalError> {
        if bytes > TEXT_BYTES_MAX { Err(EvalError::TooLarge(TEXT_BYTES_MAX)) } else { Ok(()) }
    }
}

/// The beginning of a text, in quotes.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    format!("{:?}", text.chars().take(most).collect::<String>())
}
