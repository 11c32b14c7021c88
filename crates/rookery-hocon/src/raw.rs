//! The tree as it was read: references are still open.

use std::collections::HashMap;

use crate::document::Origin;

/// Objects up to this size are searched from front to back.
const LINEAR_MAX: usize = 12;

/// A value that may still hold references.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) raw: Raw,
    pub(crate) origin: Origin,
}

/// See [`Item`].
#[derive(Debug, Clone)]
pub(crate) enum Raw {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(String),
    Array(Vec<Item>),
    Object(Fields),
    Reference(Reference),
    /// Pieces of one value, at least one of them a reference.
    Concat(Vec<Piece>),
    /// Values of one key in the order they were written, where merging has to wait.
    Stack(Vec<Item>),
}

/// `${a.b}` or `${?a.b}`.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) path: Vec<String>,
    pub(crate) is_optional: bool,
    /// Inside an included file: where its root hangs. The path is looked up there first.
    pub(crate) prefix: Vec<String>,
}

/// One piece of a concatenation with the blanks before it.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) blanks: String,
    pub(crate) item: Item,
    /// Unquoted text as it stood: `1.0` stays `1.0` in the middle of text.
    pub(crate) written: Option<String>,
}

impl Raw {
    /// Whether merging with it has to wait until references are closed.
    fn is_open(&self) -> bool {
        matches!(self, Raw::Reference(_) | Raw::Concat(_) | Raw::Stack(_))
    }
}

/// The members of an object, in order of first appearance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    entries: Vec<(String, Item)>,
    index: HashMap<String, usize>,
}

impl Fields {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Item)> {
        self.entries.iter().map(|(key, item)| (key.as_str(), item))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Item> {
        self.position(key).and_then(|at| self.entries.get(at)).map(|(_, item)| item)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Item> {
        let at = self.position(key)?;
        self.entries.get_mut(at).map(|(_, item)| item)
    }

    fn position(&self, key: &str) -> Option<usize> {
        if self.entries.len() > LINEAR_MAX {
            self.index.get(key).copied()
        } else {
            self.entries.iter().position(|(name, _)| name == key)
        }
    }

    /// Put `item` on top of what `key` holds.
    pub(crate) fn put(&mut self, key: String, item: Item) {
        if let Some(below) = self.get_mut(&key) {
            let hole = Item { raw: Raw::Null, origin: item.origin };
            let old = std::mem::replace(below, hole);
            *below = overlay(old, item);
            return;
        }
        self.entries.push((key, item));
        let count = self.entries.len();
        if count == LINEAR_MAX + 1 {
            self.index =
                self.entries.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)).collect();
        } else if count > LINEAR_MAX
            && let Some((name, _)) = self.entries.last()
        {
            self.index.insert(name.clone(), count - 1);
        }
    }

    /// Every member of `other` on top of these.
    pub(crate) fn merge(&mut self, other: Fields) {
        for (key, item) in other.entries {
            self.put(key, item);
        }
    }

    fn all_are_indexes(&self) -> bool {
        !self.entries.is_empty() && self.entries.iter().all(|(key, _)| array_index(key).is_some())
    }
}

/// The 0-based position that a 1-based index key names.
pub(crate) fn array_index(key: &str) -> Option<usize> {
    if key.len() > 6 || !key.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    key.parse::<usize>().ok()?.checked_sub(1)
}

/// `above` over `below`, as two values of one key behave.
pub(crate) fn overlay(below: Item, above: Item) -> Item {
    let origin = above.origin;
    match (below.raw, above.raw) {
        (Raw::Object(mut fields), Raw::Object(more)) => {
            fields.merge(more);
            Item { raw: Raw::Object(fields), origin }
        }
        (Raw::Array(items), Raw::Object(patch)) if patch.all_are_indexes() => {
            Item { raw: Raw::Array(patched(items, patch)), origin }
        }
        (Raw::Stack(mut layers), raw) if raw.is_open() || matches!(raw, Raw::Object(_)) => {
            layers.push(Item { raw, origin });
            Item { raw: Raw::Stack(layers), origin }
        }
        (old, raw) if raw.is_open() || (old.is_open() && matches!(raw, Raw::Object(_))) => {
            let layers = vec![Item { raw: old, origin: below.origin }, Item { raw, origin }];
            Item { raw: Raw::Stack(layers), origin }
        }
        (_, raw) => Item { raw, origin },
    }
}

fn patched(mut items: Vec<Item>, patch: Fields) -> Vec<Item> {
    let mut entries: Vec<(usize, Item)> = patch
        .entries
        .into_iter()
        .filter_map(|(key, item)| array_index(&key).map(|at| (at, item)))
        .collect();
    entries.sort_by_key(|(at, _)| *at);
    for (at, item) in entries {
        match items.get_mut(at) {
            Some(slot) => {
                let hole = Item { raw: Raw::Null, origin: item.origin };
                let old = std::mem::replace(slot, hole);
                *slot = overlay(old, item);
            }
            // A gap closes: the element comes right after the last one.
            None => items.push(item),
        }
    }
    items
}
