//! Values: JSON's kinds, octets that need not be text, and `undefined`.
//!
//! Text borrows from the message or from the rule where it can, and is shared otherwise: cloning
//! a value never copies what it holds. Arrays and maps know how deep they are, so that nothing
//! that walks a value (encoding, comparing, dropping) can run out of stack, and how much there is to
//! walk: what is shared within one can be more than memory could hold.

use std::rc::Rc;

use crate::BYTES_PER_WORK;
use crate::error::EvalError;

/// Deepest nesting of a value, 128 of which JSON may bring in.
pub const VALUE_DEPTH_MAX: u32 = 192;

/// One value of a rule.
#[derive(Debug, Clone, Default)]
pub enum Value<'a> {
    /// Nothing there: a column or key that does not exist.
    #[default]
    Undefined,
    /// JSON's `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number. EMQX's have no limit; these hold every 64-bit number, signed or not, and
    /// what is computed from them up to 127 bits.
    Int(i128),
    /// A number with a fraction.
    Float(f64),
    /// Octets, UTF-8 where they are text.
    Text(Text<'a>),
    /// An array.
    Array(Rc<Array<'a>>),
    /// A map.
    Map(Rc<Map<'a>>),
}

/// Octets that are borrowed or shared.
#[derive(Debug, Clone)]
pub enum Text<'a> {
    /// Of the message or of the rule.
    Borrowed(&'a [u8]),
    /// Made by the evaluation.
    Shared(Rc<Vec<u8>>),
}

impl Text<'_> {
    /// The octets.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }

    fn weight(&self) -> u64 {
        1 + (self.bytes().len() / BYTES_PER_WORK) as u64
    }

    /// Whether both are the same octets in memory.
    pub(crate) fn is_same(&self, other: &Text<'_>) -> bool {
        std::ptr::eq(self.bytes(), other.bytes())
    }

    /// The text, when it is UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes()).ok()
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::Borrowed(text.as_bytes())
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self::Shared(Rc::new(text.into_bytes()))
    }
}

/// The elements of an array.
#[derive(Debug, Clone, Default)]
pub struct Array<'a> {
    items: Vec<Value<'a>>,
    depth: u32,
    weight: u64,
}

impl<'a> Array<'a> {
    /// The elements in order.
    #[must_use]
    pub fn items(&self) -> &[Value<'a>] {
        &self.items
    }
}

/// The entries of a map, in the order in which they were put.
#[derive(Debug, Clone, Default)]
pub struct Map<'a> {
    entries: Vec<(Text<'a>, Value<'a>)>,
    depth: u32,
    weight: u64,
}

impl<'a> Map<'a> {
    /// The entries in order; no key is there twice.
    #[must_use]
    pub fn entries(&self) -> &[(Text<'a>, Value<'a>)] {
        &self.entries
    }

    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<&Value<'a>> {
        self.entries.iter().find(|(have, _)| have.bytes() == key).map(|(_, value)| value)
    }

    /// Puts `value` under `key`, in the place of what was there.
    ///
    /// # Errors
    ///
    /// [`EvalError::TooDeep`] when the map would be deeper than [`VALUE_DEPTH_MAX`].
    pub fn put(&mut self, key: Text<'a>, value: Value<'a>) -> Result<(), EvalError> {
        self.depth = self.depth.max(one_deeper(value.depth())?);
        // What it takes the place of stays counted: less work is never promised.
        self.weight = self.weight.saturating_add(key.weight()).saturating_add(value.weight());
        match self.entries.iter_mut().find(|(have, _)| *have == key) {
            Some((_, slot)) => *slot = value,
            None => self.entries.push((key, value)),
        }
        Ok(())
    }

    /// A map of entries whose keys are known to differ.
    pub(crate) fn of_distinct(entries: Vec<(Text<'a>, Value<'a>)>) -> Result<Self, EvalError> {
        let inner = entries.iter().map(|(_, value)| value.depth()).max().unwrap_or(0);
        let weights =
            entries.iter().map(|(key, value)| key.weight().saturating_add(value.weight()));
        let weight = weights.fold(0, u64::saturating_add);
        Ok(Self { depth: one_deeper(inner)?, entries, weight })
    }
}

const fn one_deeper(depth: u32) -> Result<u32, EvalError> {
    if depth >= VALUE_DEPTH_MAX { Err(EvalError::TooDeep) } else { Ok(depth + 1) }
}

impl<'a> Value<'a> {
    /// An array of `items`.
    ///
    /// # Errors
    ///
    /// [`EvalError::TooDeep`] when it would be deeper than [`VALUE_DEPTH_MAX`].
    pub fn array(items: Vec<Self>) -> Result<Self, EvalError> {
        let inner = items.iter().map(Value::depth).max().unwrap_or(0);
        let weight = items.iter().map(Value::weight).fold(0, u64::saturating_add);
        Ok(Self::Array(Rc::new(Array { depth: one_deeper(inner)?, items, weight })))
    }

    /// A map of `entries`; of equal keys the last one counts.
    ///
    /// # Errors
    ///
    /// [`EvalError::TooDeep`] when it would be deeper than [`VALUE_DEPTH_MAX`].
    pub fn map(entries: Vec<(Text<'a>, Self)>) -> Result<Self, EvalError> {
        Ok(Self::Map(Rc::new(Map::of_distinct(last_of_each(entries))?)))
    }

    /// Text of the message or of the rule.
    #[must_use]
    pub const fn borrowed(bytes: &'a [u8]) -> Self {
        Self::Text(Text::Borrowed(bytes))
    }

    /// Text made by the evaluation.
    #[must_use]
    pub fn owned(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Text(Text::Shared(Rc::new(bytes.into())))
    }

    /// Whether nothing is there. JSON's `null` is something.
    #[must_use]
    pub const fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined)
    }

    pub(crate) fn depth(&self) -> u32 {
        match self {
            Self::Array(array) => array.depth,
            Self::Map(map) => map.depth,
            _ => 0,
        }
    }

    /// Units of work of walking all of it.
    pub(crate) fn weight(&self) -> u64 {
        match self {
            Self::Text(text) => text.weight(),
            Self::Array(array) => array.weight.saturating_add(1),
            Self::Map(map) => map.weight.saturating_add(1),
            _ => 1,
        }
    }

    /// The name of a value that is one word in Erlang: EMQX compares it with text by its name.
    pub(crate) const fn atom(&self) -> Option<&'static str> {
        match self {
            Self::Undefined => Some("undefined"),
            Self::Null => Some("null"),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            _ => None,
        }
    }
}

/// Looks for equal keys in pairs up to this many entries, in a set above.
const SMALL_MAP: usize = 16;

fn last_of_each<'a>(mut entries: Vec<(Text<'a>, Value<'a>)>) -> Vec<(Text<'a>, Value<'a>)> {
    if entries.len() <= SMALL_MAP {
        let mut at = 0;
        while at < entries.len() {
            let later = entries.get(at + 1..).unwrap_or_default();
            let key = entries.get(at).map(|entry| &entry.0);
            if later.iter().any(|entry| Some(&entry.0) == key) {
                entries.remove(at);
            } else {
                at += 1;
            }
        }
        return entries;
    }
    let mut keep = vec![false; entries.len()];
    {
        let mut seen = std::collections::HashSet::with_capacity(entries.len());
        for (entry, keep) in entries.iter().zip(&mut keep).rev() {
            *keep = seen.insert(entry.0.bytes());
        }
    }
    let mut keep = keep.into_iter();
    entries.retain(|_| keep.next().unwrap_or(false));
    entries
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value.into())
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::borrowed(value.as_bytes())
    }
}

impl<'a> From<&Text<'a>> for Value<'a> {
    fn from(text: &Text<'a>) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::owned(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_keys_the_last_one_counts_in_small_and_large_maps() {
        for size in [4_u32, 40] {
            let entries =
                (0..size).map(|n| (Text::from(format!("k{}", n % 2)), Value::Int(n.into())));
            let Ok(Value::Map(map)) = Value::map(entries.collect()) else { panic!("not a map") };
            assert_eq!(map.entries().len(), 2);
            assert!(matches!(map.get(b"k1"), Some(Value::Int(n)) if *n == i128::from(size - 1)));
        }
    }

    #[test]
    fn a_value_that_grows_too_deep_is_refused() {
        let mut value = Value::Null;
        let mut depth = 0;
        while let Ok(deeper) = Value::array(vec![value.clone()]) {
            value = deeper;
            depth += 1;
        }
        assert_eq!(depth, VALUE_DEPTH_MAX);
    }
}
