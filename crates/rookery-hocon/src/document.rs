//! What comes out: a tree of plain values with their origins.

use std::fmt::Write as _;

/// Where a value was written.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// Index into [`Document::sources`].
    pub source: u32,
    /// Line, from 1.
    pub line: u32,
}

/// A value without its origin.
#[derive(Clone, PartialEq, Debug)]
pub enum Node {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number without fraction that fits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text, quoted or not.
    String(String),
    /// `[ … ]`.
    Array(Vec<Value>),
    /// `{ … }`, in the order of first appearance.
    Object(Vec<(String, Value)>),
}

/// A value and where it was written.
#[derive(Clone, PartialEq, Debug)]
pub struct Value {
    /// The value.
    pub node: Node,
    /// Where its key stands, for objects made of several pieces the last one.
    pub origin: Origin,
}

impl Value {
    /// The member `key` of an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        match &self.node {
            Node::Object(fields) => fields.iter().find(|(name, _)| name == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The value at a path of keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }
}

/// An `include` that may find nothing, and found nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    /// The file as it is named there.
    pub name: String,
    /// Where the `include` stands.
    pub origin: Origin,
}

/// A parsed document: the root is always an object.
#[derive(Clone, PartialEq, Debug)]
pub struct Document {
    /// The root object.
    pub root: Value,
    /// Files in the order they were read; the first is the one given to [`crate::parse`].
    pub sources: Vec<String>,
    /// Files that were to be included and are not there, in the order of reading.
    pub missing: Vec<Missing>,
}

impl Document {
    /// The document as JSON, without origins.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        write_plain(&self.root, &mut out);
        out
    }

    /// The document as JSON with origins: `{"sources": […], "missing": […], "root": V}` where every
    /// value `V` is `[source, line, value]`, the values inside objects and arrays are such triples
    /// too, and a file that is missing is `[source, line, name]`.
    #[must_use]
    pub fn to_json_with_origins(&self) -> String {
        let mut out = String::from("{\"sources\":[");
        for (index, source) in self.sources.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            write_text(source, &mut out);
        }
        out.push_str("],\"missing\":[");
        for (index, Missing { name, origin }) in self.missing.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            // Writing to a String cannot fail.
            let _ = write!(out, "[{},{},", origin.source, origin.line);
            write_text(name, &mut out);
            out.push(']');
        }
        out.push_str("],\"root\":");
        write_with_origin(&self.root, &mut out);
        out.push('}');
        out
    }
}

// Both writers recurse as deep as the document is: DEPTH_MAX at most.

fn write_plain(value: &Value, out: &mut String) {
    write_node(&value.node, out, write_plain);
}

fn write_with_origin(value: &Value, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(out, "[{},{},", value.origin.source, value.origin.line);
    write_node(&value.node, out, write_with_origin);
    out.push(']');
}

fn write_node(node: &Node, out: &mut String, write_value: fn(&Value, &mut String)) {
    match node {
        Node::Null => out.push_str("null"),
        Node::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Node::Int(value) => {
            let _ = write!(out, "{value}");
        }
        Node::Float(value) => {
            let _ = write!(out, "{value:?}");
        }
        Node::String(text) => write_text(text, out),
        Node::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Node::Object(fields) => {
            out.push('{');
            for (index, (key, item)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write_value(item, out);
            }
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
