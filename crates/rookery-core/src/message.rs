//! An application message inside the broker: immutable, held once, shared by reference.

use std::sync::Arc;

use rookery_codec::{Fields, QoS};

use crate::ids::MessageId;
use crate::retained::RetainedEntry;

/// Who published a message.
#[derive(Debug, PartialEq, Eq)]
pub struct Publisher {
    /// Client identifier.
    pub client_id: Arc<str>,
    /// User name.
    pub username: Option<Arc<str>>,
}

/// Where a message entered, when that was not this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The node of this cluster that took it.
    pub node: Option<Arc<str>>,
    /// The cluster link it came over.
    pub link: Option<Arc<str>>,
    /// The rules that made it, one republishing to the next: a chain of them has to end.
    pub rules: Box<[Arc<str>]>,
}

impl Origin {
    /// Of a message that rules of this node made.
    #[must_use]
    pub const fn of_rules(rules: Box<[Arc<str>]>) -> Self {
        Self { node: None, link: None, rules }
    }
}

/// Between ids of rules in the store; no id has it.
const BETWEEN_RULES: char = '\n';

/// Messages up to this size (topic, properties, payload) need one allocation, not two.
pub(crate) const INLINE_BYTES: usize = 128;

/// Topic, properties and payload behind each other.
#[derive(Debug)]
enum Data {
    Inline { len: u8, bytes: [u8; INLINE_BYTES] },
    Outside(Vec<u8>),
}

impl Data {
    /// Copies the parts, into `room` if they are large.
    #[inline]
    fn of(parts: [&[u8]; 3], mut room: Vec<u8>) -> Self {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        if len > INLINE_BYTES {
            room.clear();
            room.reserve_exact(len);
            for part in parts {
                room.extend_from_slice(part);
            }
            return Self::Outside(room);
        }
        let mut bytes = [0; INLINE_BYTES];
        let len = fill(&mut bytes, parts);
        Self::Inline { len, bytes }
    }

    /// The same in the place of another: what is not needed of it is not written.
    #[inline]
    fn set(&mut self, parts: [&[u8]; 3]) {
        match self {
            Self::Inline { len, bytes }
                if parts.iter().map(|part| part.len()).sum::<usize>() <= INLINE_BYTES =>
            {
                *len = fill(bytes, parts);
            }
            Self::Inline { .. } => *self = Self::of(parts, Vec::new()),
            Self::Outside(room) => *self = Self::of(parts, std::mem::take(room)),
        }
    }

    #[inline]
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Outside(bytes) => bytes,
        }
    }
}

/// Copies the parts behind each other, as far as there is room; returns how many octets.
#[inline]
fn fill(bytes: &mut [u8; INLINE_BYTES], parts: [&[u8]; 3]) -> u8 {
    let mut len = 0;
    for part in parts {
        let Some(place) = bytes.get_mut(len..len + part.len()) else { break };
        place.copy_from_slice(part);
        len += part.len();
    }
    #[allow(clippy::cast_possible_truncation)] // at most `INLINE_BYTES`
    let len = len as u8;
    len
}

/// An application message. Topic, properties and payload lie behind each other.
#[derive(Debug)]
pub struct Message {
    /// Identity for life.
    pub id: MessageId,
    /// When it was taken, ms since 1970.
    pub timestamp_ms: u64,
    /// When it expires, ms since 1970; 0 = never.
    pub expires_at_ms: u64,
    /// Number in the durable log; 0 = not durable.
    pub seq: u64,
    /// QoS as published.
    pub qos: QoS,
    /// RETAIN as published.
    pub retain: bool,
    /// Made by the node itself (`$SYS`).
    pub sys: bool,
    /// Who published it.
    pub from: Arc<Publisher>,
    /// Where it entered; none = here, from a client.
    pub origin: Option<Arc<Origin>>,
    topic_len: u32,
    properties_len: u32,
    data: Data,
}

/// The parts of a message that is being made.
#[derive(Clone, Debug)]
pub struct MessageParts<'a> {
    /// Identity.
    pub id: MessageId,
    /// Wall clock, ms.
    pub timestamp_ms: u64,
    /// Expiry, ms since 1970; 0 = never.
    pub expires_at_ms: u64,
    /// Durable log number or 0.
    pub seq: u64,
    /// QoS as published.
    pub qos: QoS,
    /// RETAIN as published.
    pub retain: bool,
    /// Made by the node itself.
    pub sys: bool,
    /// Topic name.
    pub topic: &'a str,
    /// Forwardable properties, encoded (MQTT-5.0 section 3.3.2.3).
    pub properties: &'a [u8],
    /// Payload.
    pub payload: &'a [u8],
}

impl MessageParts<'_> {
    /// Octets of topic, properties and payload.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.topic.len() + self.properties.len() + self.payload.len()
    }
}

impl Message {
    /// Copies the parts into one allocation.
    #[inline]
    #[must_use]
    pub fn new(
        parts: &MessageParts<'_>,
        from: Arc<Publisher>,
        origin: Option<Arc<Origin>>,
    ) -> Self {
        Self::in_room(parts, from, origin, Vec::new())
    }

    /// The same; a large message is put into `room`.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // a packet is at most 256 MiB
    pub(crate) fn in_room(
        parts: &MessageParts<'_>,
        from: Arc<Publisher>,
        origin: Option<Arc<Origin>>,
        room: Vec<u8>,
    ) -> Self {
        let data = Data::of([parts.topic.as_bytes(), parts.properties, parts.payload], room);
        Self {
            id: parts.id,
            timestamp_ms: parts.timestamp_ms,
            expires_at_ms: parts.expires_at_ms,
            seq: parts.seq,
            qos: parts.qos,
            retain: parts.retain,
            sys: parts.sys,
            from,
            origin,
            topic_len: parts.topic.len() as u32,
            properties_len: parts.properties.len() as u32,
            data,
        }
    }

    /// Becomes the message of these parts; what it was is gone.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // a packet is at most 256 MiB
    pub(crate) fn refill(
        &mut self,
        parts: &MessageParts<'_>,
        from: Arc<Publisher>,
        origin: Option<Arc<Origin>>,
    ) {
        self.id = parts.id;
        self.timestamp_ms = parts.timestamp_ms;
        self.expires_at_ms = parts.expires_at_ms;
        self.seq = parts.seq;
        self.qos = parts.qos;
        self.retain = parts.retain;
        self.sys = parts.sys;
        self.from = from;
        self.origin = origin;
        self.topic_len = parts.topic.len() as u32;
        self.properties_len = parts.properties.len() as u32;
        self.data.set([parts.topic.as_bytes(), parts.properties, parts.payload]);
    }

    /// Topic name.
    #[must_use]
    pub fn topic(&self) -> &str {
        let bytes = self.data.as_slice().get(..self.topic_len as usize).unwrap_or_default();
        debug_assert!(std::str::from_utf8(bytes).is_ok());
        // Checking again costs 5 % of a QoS 1 delivery (measured).
        // SAFETY: both constructors take these bytes from a `&str`, and nothing changes them.
        #[allow(unsafe_code)]
        unsafe {
            std::str::from_utf8_unchecked(bytes)
        }
    }

    /// Forwardable v5 properties, encoded, without their length.
    #[must_use]
    pub fn properties(&self) -> &[u8] {
        let start = self.topic_len as usize;
        self.data.as_slice().get(start..start + self.properties_len as usize).unwrap_or_default()
    }

    /// Payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.data
            .as_slice()
            .get((self.topic_len + self.properties_len) as usize..)
            .unwrap_or_default()
    }

    /// Bytes held.
    #[must_use]
    pub fn size(&self) -> usize {
        self.room() + size_of::<Self>()
    }

    /// The size of the second allocation of a large message; 0 of a small one.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        match &self.data {
            Data::Inline { .. } => 0,
            Data::Outside(room) => room.capacity(),
        }
    }

    /// Whether it is past its Message Expiry Interval.
    #[must_use]
    pub fn is_expired(&self, unix_ms: u64) -> bool {
        self.expires_at_ms != 0 && self.expires_at_ms <= unix_ms
    }

    /// A copy that differs in topic, RETAIN flag and durable number.
    #[must_use]
    pub fn with(&self, topic: &str, retain: bool, seq: u64) -> Self {
        Self::new(
            &MessageParts {
                id: self.id,
                timestamp_ms: self.timestamp_ms,
                expires_at_ms: self.expires_at_ms,
                seq,
                qos: self.qos,
                retain,
                sys: self.sys,
                topic,
                properties: self.properties(),
                payload: self.payload(),
            },
            self.from.clone(),
            self.origin.clone(),
        )
    }

    /// Its parts.
    #[must_use]
    pub fn parts(&self) -> MessageParts<'_> {
        MessageParts {
            id: self.id,
            timestamp_ms: self.timestamp_ms,
            expires_at_ms: self.expires_at_ms,
            seq: self.seq,
            qos: self.qos,
            retain: self.retain,
            sys: self.sys,
            topic: self.topic(),
            properties: self.properties(),
            payload: self.payload(),
        }
    }

    /// Encodes for the store. Version 1: fixed head, client id, user name, origin, then the data.
    /// Version 2 has the rules that made it before the data.
    #[must_use]
    pub fn to_bytes(&self) -> Arc<[u8]> {
        let mut out = Vec::with_capacity(96 + self.data.as_slice().len());
        self.encode_into(&mut out);
        out.into()
    }

    /// Appends what [`Message::to_bytes`] makes.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        let rules = self.origin.as_deref().map_or(&[][..], |origin| &origin.rules);
        out.push(if rules.is_empty() { 1 } else { 2 });
        out.push(self.qos as u8 | u8::from(self.retain) << 2 | u8::from(self.sys) << 3);
        out.extend_from_slice(&self.id.0.to_le_bytes());
        out.extend_from_slice(&self.timestamp_ms.to_le_bytes());
        out.extend_from_slice(&self.expires_at_ms.to_le_bytes());
        out.extend_from_slice(&self.seq.to_le_bytes());
        out.extend_from_slice(&self.topic_len.to_le_bytes());
        out.extend_from_slice(&self.properties_len.to_le_bytes());
        put_text(out, Some(&self.from.client_id));
        put_text(out, self.from.username.as_deref());
        put_text(out, self.origin.as_ref().and_then(|o| o.node.as_deref()));
        put_text(out, self.origin.as_ref().and_then(|o| o.link.as_deref()));
        if !rules.is_empty() {
            put_text(out, Some(&join(rules)));
        }
        out.extend_from_slice(self.data.as_slice());
    }

    /// The inverse of [`Message::to_bytes`]; `None` when the bytes are not one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let encoded = Encoded::read(bytes)?;
        Some(Self::new(&encoded.parts, Arc::new(encoded.publisher()), encoded.origin()))
    }
}

/// What [`Message::to_bytes`] made, taken apart and not copied.
#[derive(Clone, Debug)]
pub struct Encoded<'a> {
    /// The message.
    pub parts: MessageParts<'a>,
    client_id: &'a str,
    username: Option<&'a str>,
    node: Option<&'a str>,
    link: Option<&'a str>,
    rules: Option<&'a str>,
}

impl<'a> Encoded<'a> {
    /// `None` when the bytes are no message.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut r = Fields(bytes);
        let version = r.u8().filter(|version| (1..=2).contains(version))?;
        let flags = *r.take(1)?.first()?;
        let id = MessageId(u128::from_le_bytes(r.take(16)?.try_into().ok()?));
        let timestamp_ms = r.u64()?;
        let expires_at_ms = r.u64()?;
        let seq = r.u64()?;
        let topic_len = r.u32()?;
        let properties_len = r.u32()?;
        let client_id = r.text()?.unwrap_or_default();
        let username = r.text()?;
        let node = r.text()?;
        let link = r.text()?;
        let rules = if version == 2 { r.text()? } else { None };
        let topic = std::str::from_utf8(r.take(topic_len as usize)?).ok()?;
        let properties = r.take(properties_len as usize)?;
        let parts = MessageParts {
            id,
            timestamp_ms,
            expires_at_ms,
            seq,
            qos: QoS::from_u8(flags & 3)?,
            retain: flags & 4 != 0,
            sys: flags & 8 != 0,
            topic,
            properties,
            payload: r.0,
        };
        Some(Self { parts, client_id, username, node, link, rules })
    }

    /// Who published it.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        Publisher { client_id: self.client_id.into(), username: self.username.map(Arc::from) }
    }

    /// Whether this one published it.
    #[must_use]
    pub fn is_from(&self, publisher: &Publisher) -> bool {
        *publisher.client_id == *self.client_id && publisher.username.as_deref() == self.username
    }

    /// Where it entered.
    #[must_use]
    pub fn origin(&self) -> Option<Arc<Origin>> {
        let rules: Box<[Arc<str>]> = self
            .rules
            .map_or_else(Box::default, |ids| ids.split(BETWEEN_RULES).map(Arc::from).collect());
        let has_origin = self.node.is_some() || self.link.is_some() || !rules.is_empty();
        has_origin.then(|| {
            Arc::new(Origin {
                node: self.node.map(Arc::from),
                link: self.link.map(Arc::from),
                rules,
            })
        })
    }
}

impl RetainedEntry for Message {
    fn topic(&self) -> &str {
        Message::topic(self)
    }
    fn size(&self) -> usize {
        Message::size(self)
    }
}

fn join(rules: &[Arc<str>]) -> String {
    let mut text = String::new();
    for (at, id) in rules.iter().enumerate() {
        if at > 0 {
            text.push(BETWEEN_RULES);
        }
        text.push_str(id);
    }
    text
}

/// Appends an optional text with its length.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn put_text(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => out.extend_from_slice(&u32::MAX.to_le_bytes()),
        Some(text) => {
            out.extend_from_slice(&(text.len() as u32).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        }
    }
}
