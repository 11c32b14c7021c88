//! Closes references and makes the document.
//!
//! A reference is looked up in the raw tree, and what it finds is resolved on the way, so only what
//! is needed can form a cycle. A value that refers to its own key means the value below it
//! (`path = ${path} "more"`).

use crate::cursor::source_name;
use crate::document::{Node, Origin, Value};
use crate::error::{ErrorKind, HoconError};
use crate::includes::Includes;
use crate::raw::{Fields, Item, Piece, Raw, Reference, array_index};
use crate::{DEPTH_MAX, TEXT_BYTES_MAX, VALUES_MAX};

/// Deepest chain of references, and nesting inside them, that is followed.
const RECURSION_MAX: usize = 2 * DEPTH_MAX;

pub(crate) fn resolve(
    root: &Item,
    sources: &[String],
    includes: &dyn Includes,
) -> Result<Value, HoconError> {
    let mut resolver =
        Resolver { root, sources, includes, active: Vec::new(), values: 0, bytes: 0, recursion: 0 };
    let mut path = Vec::new();
    let value = resolver.item(root, &mut path, None)?;
    let root = value.unwrap_or(Value { node: Node::Object(Vec::new()), origin: root.origin });
    resolver.check_depth(&root, 0)?;
    Ok(root)
}

/// A key whose value is being made.
struct Active<'a> {
    path: Vec<&'a str>,
    /// The layer that is being resolved.
    layer: &'a Item,
    /// What the layers below it gave.
    below: Option<Value>,
}

struct Resolver<'a> {
    root: &'a Item,
    sources: &'a [String],
    includes: &'a dyn Includes,
    active: Vec<Active<'a>>,
    values: usize,
    bytes: usize,
    recursion: usize,
}

type Found = Result<Option<Value>, HoconError>;

impl<'a> Resolver<'a> {
    fn error(&self, origin: Origin, kind: ErrorKind) -> HoconError {
        let source_name = source_name(origin.source, self.sources);
        HoconError { source_name, line: origin.line, column: 0, kind }
    }

    fn charge(&mut self, bytes: usize, origin: Origin) -> Result<(), HoconError> {
        self.values += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.values > VALUES_MAX || self.bytes > TEXT_BYTES_MAX {
            return Err(self.error(origin, ErrorKind::TooMuch("values after substitution")));
        }
        Ok(())
    }

    fn charge_copy(&mut self, value: &Value) -> Result<(), HoconError> {
        let bytes = match &value.node {
            Node::String(text) => text.len(),
            _ => 0,
        };
        self.charge(bytes, value.origin)?;
        match &value.node {
            Node::Array(items) => items.iter().try_for_each(|item| self.charge_copy(item)),
            Node::Object(fields) => fields.iter().try_for_each(|(_, item)| self.charge_copy(item)),
            _ => Ok(()),
        }
    }

    /// What references put together is no deeper than what can be written in one piece: whatever
    /// walks a value recurses as deep as it is.
    fn check_depth(&self, value: &Value, depth: usize) -> Result<(), HoconError> {
        // As the parser counts: an array opens a level even if nothing is in it.
        let is_array = matches!(value.node, Node::Array(_));
        if depth + usize::from(is_array) > DEPTH_MAX {
            return Err(self.error(value.origin, ErrorKind::TooMuch("levels of nesting")));
        }
        match &value.node {
            Node::Array(items) => items.iter().try_for_each(|v| self.check_depth(v, depth + 1)),
            Node::Object(fields) => {
                fields.iter().try_for_each(|(_, v)| self.check_depth(v, depth + 1))
            }
            _ => Ok(()),
        }
    }

    /// The value of `item`, which stands at `path`; none when it is an undefined optional one.
    fn item(&mut self, item: &'a Item, path: &mut Vec<&'a str>, below: Option<&Value>) -> Found {
        self.recursion += 1;
        if self.recursion > RECURSION_MAX {
            return Err(self.error(item.origin, ErrorKind::TooMuch("levels of nesting")));
        }
        let result = self.item_unbounded(item, path, below)?;
        self.recursion -= 1;
        Ok(result)
    }

    fn item_unbounded(
        &mut self,
        item: &'a Item,
        path: &mut Vec<&'a str>,
        below: Option<&Value>,
    ) -> Found {
        let bytes = if let Raw::String(text) = &item.raw { text.len() } else { 0 };
        self.charge(bytes, item.origin)?;
        let node = match &item.raw {
            Raw::Null => Node::Null,
            Raw::Bool(value) => Node::Bool(*value),
            Raw::Int(value) => Node::Int(*value),
            Raw::Float(value) => Node::Float(*value),
            Raw::String(text) => Node::String(text.clone()),
            Raw::Array(items) => Node::Array(self.array(items, path)?),
            Raw::Object(fields) => Node::Object(self.object(fields, path)?),
            Raw::Stack(layers) => return self.stack(layers, item.origin, path),
            Raw::Reference(_) | Raw::Concat(_) => return self.layer(item, path, below),
        };
        Ok(Some(Value { node, origin: item.origin }))
    }

    fn array(
        &mut self,
        items: &'a [Item],
        path: &mut Vec<&'a str>,
    ) -> Result<Vec<Value>, HoconError> {
        let mut values = Vec::with_capacity(items.len());
        // Elements have no path that a reference could name.
        path.push("");
        for item in items {
            values.extend(self.item(item, path, None)?);
        }
        path.pop();
        Ok(values)
    }

    fn object(
        &mut self,
        fields: &'a Fields,
        path: &mut Vec<&'a str>,
    ) -> Result<Vec<(String, Value)>, HoconError> {
        let mut values = Vec::with_capacity(fields.len());
        for (key, item) in fields.iter() {
            path.push(key);
            if let Some(value) = self.item(item, path, None)? {
                values.push((key.to_owned(), value));
            }
            path.pop();
        }
        Ok(values)
    }

    fn stack(&mut self, layers: &'a [Item], origin: Origin, path: &mut Vec<&'a str>) -> Found {
        let mut value: Option<Value> = None;
        for layer in layers {
            let Some(above) = self.layer(layer, path, value.as_ref())? else { continue };
            value = Some(match value {
                Some(below) => overlay(below, above),
                None => above,
            });
        }
        Ok(value.map(|value| Value { origin, ..value }))
    }

    /// One layer of a key, with what is below it at hand for references to the key itself.
    fn layer(&mut self, layer: &'a Item, path: &mut Vec<&'a str>, below: Option<&Value>) -> Found {
        // An element of an array has no path, so it cannot be reached again under one.
        let has_path = !path.contains(&"");
        if has_path && self.active.iter().any(|active| active.path == *path) {
            return Err(self.error(layer.origin, ErrorKind::Cycle(path.join("."))));
        }
        if let Some(below) = below {
            self.check_depth(below, path.len())?;
            self.charge_copy(below)?;
        }
        if has_path {
            self.active.push(Active { path: path.clone(), layer, below: below.cloned() });
        }
        let result = match &layer.raw {
            Raw::Reference(reference) => self.reference(reference, layer.origin),
            Raw::Concat(pieces) => self.concat(pieces, layer.origin, path),
            _ => self.item(layer, path, None),
        };
        if has_path {
            self.active.pop();
        }
        Ok(result?.map(|value| Value { origin: layer.origin, ..value }))
    }

    // -- references -----------------------------------------------------------------

    fn reference(&mut self, reference: &'a Reference, origin: Origin) -> Found {
        if !reference.prefix.is_empty() {
            let relative: Vec<&'a str> =
                reference.prefix.iter().chain(&reference.path).map(String::as_str).collect();
            if let Some(value) = self.lookup(&relative)? {
                return Ok(Some(value));
            }
        }
        let path: Vec<&'a str> = reference.path.iter().map(String::as_str).collect();
        if let Some(value) = self.lookup(&path)? {
            return Ok(Some(value));
        }
        let name = reference.path.join(".");
        if let Some(text) = self.includes.variable(&name) {
            self.charge(text.len(), origin)?;
            return Ok(Some(Value { node: Node::String(text), origin }));
        }
        if reference.is_optional {
            return Ok(None);
        }
        Err(self.error(origin, ErrorKind::Undefined(name)))
    }

    fn lookup(&mut self, path: &[&'a str]) -> Found {
        let own = self.active.iter().rposition(|active| path.starts_with(&active.path));
        let Some(own) = own else { return self.descend(self.root, path, 0) };
        let Some(active) = self.active.get(own) else { return Ok(None) };
        let (layer, length) = (active.layer, active.path.len());
        // Only from inside the key itself does its name mean what is below.
        let came_back = self.active.iter().skip(own).any(|at| !at.path.starts_with(&active.path));
        if came_back && path.len() == length {
            return Err(self.error(layer.origin, ErrorKind::Cycle(path.join("."))));
        }
        if path.len() > length && matches!(layer.raw, Raw::Object(_)) {
            // A neighbour in the same layer stands above what is below the layer.
            if let Some(value) = self.descend(layer, path, length)? {
                return Ok(Some(value));
            }
        }
        let rest = path.get(length..).unwrap_or(&[]);
        let below = self.active.get(own).and_then(|active| active.below.as_ref());
        let found = below.and_then(|value| value.at(rest)).cloned();
        if let Some(value) = &found {
            self.charge_copy(value)?;
        }
        Ok(found)
    }

    /// The value at `path`, whose first `done` keys lead to `start`.
    fn descend(&mut self, start: &'a Item, path: &[&'a str], done: usize) -> Found {
        let mut item = start;
        for (index, key) in path.iter().enumerate().skip(done) {
            match &item.raw {
                Raw::Object(fields) => match fields.get(key) {
                    Some(next) => item = next,
                    None => return Ok(None),
                },
                Raw::Reference(_) | Raw::Concat(_) | Raw::Stack(_) => {
                    let mut at = path.get(..index).unwrap_or(&[]).to_vec();
                    let whole = self.item(item, &mut at, None)?;
                    let rest = path.get(index..).unwrap_or(&[]);
                    return Ok(whole.as_ref().and_then(|value| value.at(rest)).cloned());
                }
                _ => return Ok(None),
            }
        }
        let mut at = path.to_vec();
        self.item(item, &mut at, None)
    }

    fn concat(&mut self, pieces: &'a [Piece], origin: Origin, path: &mut Vec<&'a str>) -> Found {
        let mut values: Vec<(&'a Piece, Option<Value>)> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let value = match &piece.item.raw {
                Raw::Reference(reference) => self.reference(reference, piece.item.origin)?,
                _ => self.item(&piece.item, path, None)?,
            };
            values.push((piece, value));
        }
        let defined = || values.iter().filter_map(|(_, value)| value.as_ref());
        let count = defined().count();
        let arrays = defined().filter(|value| matches!(value.node, Node::Array(_))).count();
        let objects = defined().filter(|value| matches!(value.node, Node::Object(_))).count();
        if count == 0 {
            return Ok(None);
        }
        let node = if arrays == count {
            Node::Array(values.into_iter().filter_map(|(_, v)| v).flat_map(elements).collect())
        } else if objects == count {
            let merged = values.into_iter().filter_map(|(_, v)| v).reduce(overlay);
            return Ok(merged.map(|value| Value { origin, ..value }));
        } else if arrays == 0 && objects == 0 {
            let text = joined(&values);
            self.charge(text.len(), origin)?;
            Node::String(text)
        } else {
            return Err(self.error(origin, ErrorKind::MixedConcatenation));
        };
        Ok(Some(Value { node, origin }))
    }
}

fn elements(value: Value) -> Vec<Value> {
    match value.node {
        Node::Array(items) => items,
        _ => Vec::new(),
    }
}

fn joined(values: &[(&Piece, Option<Value>)]) -> String {
    let mut text = String::new();
    for (piece, value) in values {
        text.push_str(&piece.blanks);
        match (&piece.written, value.as_ref().map(|value| &value.node)) {
            (Some(written), _) => text.push_str(written),
            (None, Some(Node::String(part))) => text.push_str(part),
            (None, Some(Node::Bool(part))) => text.push_str(if *part { "true" } else { "false" }),
            (None, Some(Node::Int(part))) => text.push_str(&part.to_string()),
            (None, Some(Node::Float(part))) => text.push_str(&format!("{part:?}")),
            (None, Some(Node::Null)) => text.push_str("null"),
            (None, _) => {}
        }
    }
    text
}

/// `above` over `below`; the same rules as in the raw tree.
fn overlay(below: Value, above: Value) -> Value {
    let origin = above.origin;
    match (below.node, above.node) {
        (Node::Object(mut fields), Node::Object(more)) => {
            for (key, value) in more {
                match fields.iter_mut().find(|(name, _)| *name == key) {
                    Some((_, slot)) => {
                        let old = std::mem::replace(slot, Value { node: Node::Null, origin });
                        *slot = overlay(old, value);
                    }
                    None => fields.push((key, value)),
                }
            }
            Value { node: Node::Object(fields), origin }
        }
        (Node::Array(mut items), Node::Object(patch))
            if !patch.is_empty() && patch.iter().all(|(key, _)| array_index(key).is_some()) =>
        {
            let mut entries: Vec<(usize, Value)> = patch
                .into_iter()
                .filter_map(|(key, value)| array_index(&key).map(|at| (at, value)))
                .collect();
            entries.sort_by_key(|(at, _)| *at);
            for (at, value) in entries {
                match items.get_mut(at) {
                    Some(slot) => {
                        let old = std::mem::replace(slot, Value { node: Node::Null, origin });
                        *slot = overlay(old, value);
                    }
                    None => items.push(value),
                }
            }
            Value { node: Node::Array(items), origin }
        }
        (_, node) => Value { node, origin },
    }
}
