//! A session as one node gives it to another: everything that MQTT keeps between connections.

use std::sync::Arc;

use rookery_codec::Fields;

use crate::ids::MessageId;
use crate::inflight::{Entry, Stage};
use crate::message::{Message, put_text};
use crate::router::SubOpts;
use crate::session::{Queued, Session, Subscription};

const VERSION: u8 = 1;

/// A session.
#[derive(Debug, Default)]
pub struct SessionCopy {
    /// Client identifier.
    pub client_id: Arc<str>,
    /// Its epoch: the generation of its latest connect.
    pub generation: u64,
    /// See [`super::Moves::took`].
    pub took: u64,
    /// When it was made, ms since 1970.
    pub created_at_ms: u64,
    /// Messages dropped from its queue.
    pub dropped: u64,
    /// The packet identifier to go on with.
    pub next_id: u16,
    /// Subscriptions by the filter as the client wrote it.
    pub subscriptions: Vec<(Box<str>, Subscription)>,
    /// Messages that are not settled, oldest first.
    pub inflight: Vec<(u16, Stage, CopiedMessage)>,
    /// Messages that wait, next first, with their priority.
    pub queue: Vec<(u8, CopiedMessage)>,
    /// Inbound QoS 2 packet identifiers waiting for PUBREL.
    pub awaiting_rel: Vec<u16>,
    /// What it got lately and may get again, see [`super::Seen`].
    pub seen: Vec<(MessageId, u64)>,
    /// Its record in the store of the node that it was on; empty: of an earlier version.
    pub record: Box<[u8]>,
}

/// A message of a session.
#[derive(Clone, Debug, Default)]
pub struct CopiedMessage {
    /// The message; none once the client owns it (PUBREC).
    pub message: Option<Arc<Message>>,
    /// QoS to deliver with.
    pub qos: u8,
    /// RETAIN flag to deliver with.
    pub retain: bool,
    /// Subscription Identifiers to deliver with.
    pub sub_ids: Vec<u32>,
    /// Share name and topic filter of the shared subscription it came through.
    pub group: Option<(Box<str>, Box<str>)>,
}

impl CopiedMessage {
    /// As it is.
    #[must_use]
    pub fn of(item: &Queued) -> Self {
        Self {
            message: item.message.clone(),
            qos: item.qos,
            retain: item.retain,
            sub_ids: item.sub_ids.as_slice().to_vec(),
            group: item.group.as_ref().map(|g| (g.name().into(), g.filter().into())),
        }
    }

    /// Appends it; the message itself comes last.
    #[allow(clippy::cast_possible_truncation)] // as many identifiers as subscriptions
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.qos | u8::from(self.retain) << 2);
        out.extend_from_slice(&(self.sub_ids.len() as u32).to_le_bytes());
        for id in &self.sub_ids {
            out.extend_from_slice(&id.to_le_bytes());
        }
        put_text(out, self.group.as_ref().map(|(name, _)| &**name));
        put_text(out, self.group.as_ref().map(|(_, filter)| &**filter));
        let start = out.len();
        out.extend_from_slice(&u32::MAX.to_le_bytes());
        if let Some(message) = &self.message {
            message.encode_into(out);
            let len = (out.len() - start - 4) as u32;
            if let Some(place) = out.get_mut(start..start + 4) {
                place.copy_from_slice(&len.to_le_bytes());
            }
        }
    }

    /// The inverse; none when the bytes are not one.
    #[must_use]
    pub fn decode(r: &mut Fields<'_>) -> Option<Self> {
        let flags = r.u8().filter(|flags| flags & 3 < 3 && flags < &8)?;
        let count = r.u32()?;
        let ids = r.take((count as usize).checked_mul(4)?)?;
        let sub_ids = ids.as_chunks::<4>().0.iter().map(|four| u32::from_le_bytes(*four)).collect();
        let group = match (r.text()?, r.text()?) {
            (Some(name), Some(filter)) => Some((name.into(), filter.into())),
            (None, None) => None,
            _ => return None,
        };
        let message = match r.bytes()? {
            Some(bytes) => Some(Arc::new(read_message(bytes)?)),
            None => None,
        };
        Some(Self { message, qos: flags & 3, retain: flags & 4 != 0, sub_ids, group })
    }
}

/// Its number in the other node's log means nothing here.
fn read_message(bytes: &[u8]) -> Option<Message> {
    let mut message = Message::from_bytes(bytes)?;
    message.seq = 0;
    Some(message)
}

impl SessionCopy {
    /// The session as it is. Messages have to be in memory; those that have expired are left out.
    #[must_use]
    pub fn of(session: &Session, unix_ms: u64) -> Self {
        let is_alive = |item: &Queued| {
            item.message.as_ref().is_some_and(|message| !message.is_expired(unix_ms))
        };
        let entries = session.inflight.entries().iter();
        let entries = entries.filter(|entry: &&Entry| {
            entry.stage != Stage::Settled
                && (entry.stage == Stage::Released || entry.item.message.is_some())
        });
        let waiting = session.queue.iter_from(0).filter(|(_, item)| is_alive(item));
        let mut awaiting_rel: Vec<u16> =
            session.awaiting_rel.iter().flat_map(|ids| ids.keys().copied()).collect();
        awaiting_rel.sort_unstable();
        let seen = session.moves.as_ref().and_then(|moves| moves.seen.as_ref());
        Self {
            client_id: session.publisher.client_id.clone(),
            generation: session.generation,
            took: session.moves.as_ref().map_or(0, |moves| moves.took),
            created_at_ms: session.created_at_ms,
            dropped: session.dropped,
            next_id: session.inflight.next_id(),
            subscriptions: session.subscriptions.iter().map(|(f, s)| (f.clone(), *s)).collect(),
            inflight: entries
                .map(|entry| (entry.packet_id, entry.stage, CopiedMessage::of(&entry.item)))
                .collect(),
            queue: waiting.map(|(priority, item)| (priority, CopiedMessage::of(item))).collect(),
            awaiting_rel,
            seen: seen.map_or_else(Vec::new, |seen| seen.names().collect()),
            record: Box::default(),
        }
    }

    /// Encodes it: a version, then fixed fields, then lists with their lengths in front.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // all of them are bounded
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        put_text(&mut out, Some(&self.client_id));
        for word in [self.generation, self.took, self.created_at_ms, self.dropped] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.next_id.to_le_bytes());
        out.extend_from_slice(&(self.subscriptions.len() as u32).to_le_bytes());
        for (filter, subscription) in &self.subscriptions {
            put_text(&mut out, Some(filter));
            out.push(subscription.opts.bits());
            out.extend_from_slice(&subscription.sub_id.to_le_bytes());
        }
        out.extend_from_slice(&(self.inflight.len() as u32).to_le_bytes());
        for (packet_id, stage, item) in &self.inflight {
            out.extend_from_slice(&packet_id.to_le_bytes());
            out.push(code_of(*stage));
            item.encode(&mut out);
        }
        out.extend_from_slice(&(self.queue.len() as u32).to_le_bytes());
        for (priority, item) in &self.queue {
            out.push(*priority);
            item.encode(&mut out);
        }
        out.extend_from_slice(&(self.awaiting_rel.len() as u32).to_le_bytes());
        for id in &self.awaiting_rel {
            out.extend_from_slice(&id.to_le_bytes());
        }
        out.extend_from_slice(&(self.seen.len() as u32).to_le_bytes());
        for (id, name) in &self.seen {
            out.extend_from_slice(&id.0.to_le_bytes());
            out.extend_from_slice(&name.to_le_bytes());
        }
        out.extend_from_slice(&(self.record.len() as u32).to_le_bytes());
        out.extend_from_slice(&self.record);
        out
    }

    /// The inverse of [`SessionCopy::to_bytes`]; none when the bytes are not one. What a later
    /// version appends is passed over.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut r = Fields(bytes);
        (r.u8()? == VERSION).then_some(())?;
        let mut copy = Self {
            client_id: r.text()??.into(),
            generation: r.u64()?,
            took: r.u64()?,
            created_at_ms: r.u64()?,
            dropped: r.u64()?,
            next_id: r.u16()?,
            ..Self::default()
        };
        for _ in 0..r.u32()? {
            let filter = r.text()??.into();
            let opts = SubOpts::from_bits(r.u8()?);
            copy.subscriptions.push((filter, Subscription { opts, sub_id: r.u32()? }));
        }
        for _ in 0..r.u32()? {
            let packet_id = r.u16().filter(|id| *id != 0)?;
            copy.inflight.push((packet_id, stage_of(r.u8()?)?, CopiedMessage::decode(&mut r)?));
        }
        for _ in 0..r.u32()? {
            copy.queue.push((r.u8()?, CopiedMessage::decode(&mut r)?));
        }
        for _ in 0..r.u32()? {
            copy.awaiting_rel.push(r.u16()?);
        }
        for _ in 0..r.u32()? {
            let id = MessageId(u128::from_le_bytes(r.array()?));
            copy.seen.push((id, r.u64()?));
        }
        if !r.0.is_empty() {
            let len = r.u32()?;
            copy.record = r.take(len as usize)?.into();
        }
        Some(copy)
    }
}

const UNSENT: u8 = 0;
const SENT: u8 = 1;
const RELEASED: u8 = 2;

const fn code_of(stage: Stage) -> u8 {
    match stage {
        Stage::Gated | Stage::Unsent => UNSENT,
        Stage::Sent | Stage::Resend => SENT,
        Stage::Released | Stage::Settled => RELEASED,
    }
}

const fn stage_of(code: u8) -> Option<Stage> {
    match code {
        UNSENT => Some(Stage::Unsent),
        SENT => Some(Stage::Sent),
        RELEASED => Some(Stage::Released),
        _ => None,
    }
}
