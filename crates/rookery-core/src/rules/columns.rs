//! The columns of messages, read in place.

use std::net::SocketAddr;

use rookery_codec::PublishProperties;
use rookery_rules::{Column, Event, Source, Text, Value};

use crate::ids::Now;
use crate::message::{MessageParts, Publisher};

/// A message that is being published.
pub(crate) struct PublishedColumns<'a> {
    pub(crate) parts: &'a MessageParts<'a>,
    pub(crate) from: &'a Publisher,
    /// Address of the publisher, when it is a client of this shard.
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) attrs: &'a [(Box<str>, Box<str>)],
    pub(crate) now: Now,
    pub(crate) node: &'a str,
    /// The cluster that it came from.
    pub(crate) link: Option<&'a str>,
}

impl Source for PublishedColumns<'_> {
    fn event(&self) -> Event {
        Event::MessagePublish
    }

    fn column(&self, column: Column) -> Value<'_> {
        match column {
            Column::Event => Value::from("message.publish"),
            Column::ClientId => Value::from(&*self.from.client_id),
            Column::Username => optional(self.from.username.as_deref()),
            Column::PeerHost => host(self.peer),
            Column::PeerName => name(self.peer),
            Column::ClientAttrs => attributes(self.attrs),
            Column::Timestamp => time(self.now.unix_ms),
            Column::Node => Value::from(self.node),
            Column::OriginLink => optional(self.link),
            other => of_message(self.parts, other),
        }
    }
}

/// A column that says nothing about who sent or receives a message.
pub(crate) fn of_message<'a>(parts: &MessageParts<'a>, column: Column) -> Value<'a> {
    match column {
        Column::Id => Value::from(format!("{:032X}", parts.id.0)),
        Column::Topic => Value::from(parts.topic),
        Column::Payload => Value::borrowed(parts.payload),
        Column::QoS => Value::Int((parts.qos as u8).into()),
        Column::PublishReceivedAt => time(parts.timestamp_ms),
        Column::Flags => {
            let mut flags = vec![
                ("retain".into(), Value::Bool(parts.retain)),
                ("dup".into(), Value::Bool(false)),
            ];
            if parts.sys {
                flags.push(("sys".into(), Value::Bool(true)));
            }
            map(flags)
        }
        Column::PubProps => properties(parts),
        _ => Value::Undefined,
    }
}

/// What forwards of a message carry, under MQTT's names as EMQX writes them.
fn properties<'a>(parts: &MessageParts<'a>) -> Value<'a> {
    let list = PublishProperties::from_list(parts.properties).unwrap_or_default();
    let mut found: Vec<(Text<'a>, Value<'a>)> = Vec::new();
    if let Some(indicator) = list.payload_format_indicator {
        found.push(("Payload-Format-Indicator".into(), Value::Int(indicator.into())));
    }
    if parts.expires_at_ms != 0 {
        let seconds = parts.expires_at_ms.saturating_sub(parts.timestamp_ms) / 1000;
        found.push(("Message-Expiry-Interval".into(), Value::Int(seconds.into())));
    }
    if let Some(topic) = list.response_topic {
        found.push(("Response-Topic".into(), Value::from(topic)));
    }
    if let Some(data) = list.correlation_data {
        found.push(("Correlation-Data".into(), Value::borrowed(data)));
    }
    if let Some(kind) = list.content_type {
        found.push(("Content-Type".into(), Value::from(kind)));
    }
    // EMQX has the map whether the message has such properties or not.
    let pairs: Vec<(&'a str, &'a str)> = list.user_properties.iter().collect();
    let entries = pairs.iter().map(|(key, value)| (Text::from(*key), Value::from(*value)));
    found.push(("User-Property".into(), map(entries.collect())));
    if !pairs.is_empty() {
        let items = pairs.iter().map(|(key, value)| {
            map(vec![("key".into(), Value::from(*key)), ("value".into(), Value::from(*value))])
        });
        let items = Value::array(items.collect()).unwrap_or_default();
        found.push(("User-Property-Pairs".into(), items));
    }
    map(found)
}

/// A map that is known not to be deep.
pub(crate) fn map<'a>(entries: Vec<(Text<'a>, Value<'a>)>) -> Value<'a> {
    Value::map(entries).unwrap_or_default()
}

pub(crate) fn optional(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Undefined, Value::from)
}

pub(crate) fn attributes(attrs: &[(Box<str>, Box<str>)]) -> Value<'_> {
    map(attrs.iter().map(|(name, value)| ((&**name).into(), Value::from(&**value))).collect())
}

pub(crate) fn time<'a>(unix_ms: u64) -> Value<'a> {
    Value::Int(unix_ms.into())
}

fn host<'a>(peer: Option<SocketAddr>) -> Value<'a> {
    peer.map_or(Value::Undefined, |peer| Value::from(peer.ip().to_string()))
}

fn name<'a>(peer: Option<SocketAddr>) -> Value<'a> {
    peer.map_or(Value::Undefined, |peer| Value::from(peer.to_string()))
}
