//! What happened, as plain values: it can wait for its turn and cross threads.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rookery_rules::{Column, Event, Source, Value, decode_json};

use super::columns::{of_message, optional, time};
use crate::message::{Message, MessageParts};

/// The value of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// Nothing is known.
    Unknown,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A word of ours.
    Word(&'static str),
    /// Text, or octets that are none.
    Text(Box<[u8]>),
    /// JSON of an array, a map or anything else; events of one packet share it.
    Json(Arc<[u8]>),
}

impl Fact {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Unknown => Value::Undefined,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int((*value).into()),
            Self::Float(value) => Value::Float(*value),
            Self::Word(word) => Value::from(*word),
            Self::Text(bytes) => Value::borrowed(bytes),
            Self::Json(json) => decode_json(json).unwrap_or_default(),
        }
    }
}

impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Text(text.as_bytes().into())
    }
}

impl From<u64> for Fact {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Fact {
    fn from(is_so: bool) -> Self {
        Self::Bool(is_so)
    }
}

impl From<SocketAddr> for Fact {
    fn from(address: SocketAddr) -> Self {
        Self::from(address.to_string().as_str())
    }
}

impl From<IpAddr> for Fact {
    fn from(address: IpAddr) -> Self {
        Self::from(address.to_string().as_str())
    }
}

impl<T> From<Option<T>> for Fact
where
    Self: From<T>,
{
    fn from(known: Option<T>) -> Self {
        known.map_or(Self::Unknown, Self::from)
    }
}

/// A JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// An event, or a message that a source brought in.
#[derive(Debug, Clone)]
pub struct Happening {
    /// What happened.
    pub event: Event,
    /// When, ms since 1970; 0 until rules look at it.
    pub at_ms: u64,
    /// The source that brought it, such as `mqtt:name`.
    pub source: Option<Box<str>>,
    /// The message it is about.
    pub message: Option<Arc<Message>>,
    columns: Vec<Column>,
    facts: Vec<Fact>,
}

impl Happening {
    /// An event of which nothing is known but its name.
    #[must_use]
    pub const fn new(event: Event) -> Self {
        Self {
            event,
            at_ms: 0,
            source: None,
            message: None,
            columns: Vec::new(),
            facts: Vec::new(),
        }
    }

    /// The same about a message.
    #[must_use]
    pub fn about(mut self, message: Arc<Message>) -> Self {
        self.message = Some(message);
        self
    }

    /// Sets a column that was not set before.
    #[must_use]
    pub fn with(mut self, column: Column, fact: impl Into<Fact>) -> Self {
        self.set(column, fact);
        self
    }

    /// Sets a column that was not set before.
    pub fn set(&mut self, column: Column, fact: impl Into<Fact>) {
        self.columns.push(column);
        self.facts.push(fact.into());
    }

    /// Sets a column, in the place of what was there.
    pub(crate) fn replace(&mut self, column: Column, fact: Fact) {
        match self.columns.iter().position(|have| *have == column) {
            Some(at) => {
                if let Some(slot) = self.facts.get_mut(at) {
                    *slot = fact;
                }
            }
            None => self.set(column, fact),
        }
    }

    fn fact(&self, column: Column) -> Option<&Fact> {
        let at = self.columns.iter().position(|have| *have == column)?;
        self.facts.get(at)
    }

    /// The client that results belong to.
    pub(crate) fn client_id(&self) -> Option<&[u8]> {
        match (self.fact(Column::ClientId), &self.message) {
            (Some(Fact::Text(id)), _) => Some(id),
            (None, Some(message)) => Some(message.from.client_id.as_bytes()),
            _ => None,
        }
    }
}

/// The columns of a [`Happening`] at one node.
pub(crate) struct HappeningColumns<'a> {
    what: &'a Happening,
    parts: Option<MessageParts<'a>>,
    node: &'a str,
    /// Of a source `*` stands for what it brought, not for all that sources may bring.
    columns: Option<Vec<Column>>,
}

impl<'a> HappeningColumns<'a> {
    pub(crate) fn new(what: &'a Happening, node: &'a str) -> Self {
        let parts = what.message.as_deref().map(Message::parts);
        let columns = (what.event == Event::Source).then(|| {
            let mut columns = what.columns.clone();
            for column in [Column::Event, Column::Timestamp, Column::Node] {
                if !columns.contains(&column) {
                    columns.push(column);
                }
            }
            columns
        });
        Self { what, parts, node, columns }
    }
}

impl Source for HappeningColumns<'_> {
    fn event(&self) -> Event {
        self.what.event
    }

    fn column(&self, column: Column) -> Value<'_> {
        if let Some(fact) = self.what.fact(column) {
            return fact.value();
        }
        match column {
            Column::Event => Value::from(self.what.event.name()),
            Column::Timestamp => time(self.what.at_ms),
            Column::Node => Value::from(self.node),
            column => self.of_message(column),
        }
    }

    fn columns(&self) -> &[Column] {
        self.columns.as_deref().unwrap_or_else(|| self.what.event.columns())
    }
}

impl HappeningColumns<'_> {
    fn of_message(&self, column: Column) -> Value<'_> {
        let (Some(parts), Some(message)) = (&self.parts, &self.what.message) else {
            return Value::Undefined;
        };
        match column {
            Column::FromClientId | Column::ClientId => Value::from(&*message.from.client_id),
            Column::FromUsername | Column::Username => optional(message.from.username.as_deref()),
            column => of_message(parts, column),
        }
    }
}
