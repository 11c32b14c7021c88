//! The records inside a frame: one for each operation.

use crate::format::Bytes;
use crate::ops::Op;

const PUT: u8 = 1;
const DELETE: u8 = 2;
const PUBLISH: u8 = 3;
const ASSIGN: u8 = 4;
const RELEASE: u8 = 5;
const ACK: u8 = 6;
const DROP_SESSION: u8 = 7;
const EPOCH: u8 = 8;

/// A publish record without references and message.
pub(crate) const PUBLISH_BYTES: u64 = 1 + 8 + 1 + 4 + 4 + 4;
/// One reference in a publish record.
pub(crate) const REF_BYTES: u64 = 16;
/// The publish record's message was left out: every session has released it.
const HUSK: u8 = 1;
const REF_RELEASED: u8 = 1;

/// One session's claim with all that is known about it; also the in-memory form, 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RefState {
    pub(crate) meta: u32,
    /// 0 is none: packet identifiers begin at 1 (MQTT-5.0 [MQTT-2.2.1-3]).
    pub(crate) packet_id: u16,
    pub(crate) flags: u8,
    pub(crate) is_released: bool,
}

/// The references of a publish record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refs<'a>(&'a [u8]);

impl Iterator for Refs<'_> {
    type Item = (u64, RefState);

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = Bytes(self.0);
        let session = bytes.u64()?;
        let flags = bytes.u8()?;
        let state = bytes.u8()?;
        let packet_id = bytes.u16()?;
        let meta = bytes.u32()?;
        self.0 = bytes.0;
        let is_released = state & REF_RELEASED != 0;
        Some((session, RefState { meta, packet_id, flags, is_released }))
    }
}

/// A record as it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Record<'a> {
    Put {
        table: u8,
        key: &'a [u8],
        value: &'a [u8],
    },
    Delete {
        table: u8,
        key: &'a [u8],
    },
    Publish {
        seq: u64,
        refs: Refs<'a>,
        /// Offset, from the body's start, of the message's checksum; the message follows it.
        message_at: usize,
        message: &'a [u8],
    },
    Assign {
        session: u64,
        seq: u64,
        packet_id: u16,
    },
    Release {
        session: u64,
        seq: u64,
    },
    Ack {
        session: u64,
        seq: u64,
    },
    DropSession {
        session: u64,
        /// No reference that the session held had a lower sequence number.
        seq_first: u64,
    },
    Epoch(u64),
}

/// A record with its place in the frame's body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed<'a> {
    pub(crate) record: Record<'a>,
    pub(crate) at: usize,
    pub(crate) raw: &'a [u8],
}

/// Reads the records of a frame's body. Ends early on bytes that are no record: `is_sound`
/// tells, though a frame that passed its checksum holds what this program wrote.
pub(crate) struct Records<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { body, at: 0 }
    }

    /// Whether everything up to here could be read.
    pub(crate) fn is_sound(&self) -> bool {
        self.at == self.body.len()
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Placed<'a>;

    fn next(&mut self) -> Option<Placed<'a>> {
        let rest = self.body.get(self.at..)?;
        let mut bytes = Bytes(rest);
        let record = read_record(&mut bytes, self.body.len())?;
        let size = rest.len() - bytes.0.len();
        let at = self.at;
        self.at += size;
        Some(Placed { record, at, raw: rest.get(..size)? })
    }
}

fn read_record<'a>(bytes: &mut Bytes<'a>, body_bytes: usize) -> Option<Record<'a>> {
    let record = match bytes.u8()? {
        PUT => {
            let table = bytes.u8()?;
            let key_bytes = bytes.u32()? as usize;
            let value_bytes = bytes.u32()? as usize;
            Record::Put { table, key: bytes.take(key_bytes)?, value: bytes.take(value_bytes)? }
        }
        DELETE => {
            let table = bytes.u8()?;
            let key_bytes = bytes.u32()? as usize;
            Record::Delete { table, key: bytes.take(key_bytes)? }
        }
        PUBLISH => {
            let seq = bytes.u64()?;
            bytes.u8()?; // a husk has no session that would ask for the message
            let count = bytes.u32()? as usize;
            let refs = Refs(bytes.take(count.checked_mul(REF_BYTES as usize)?)?);
            let message_bytes = bytes.u32()? as usize;
            let message_at = body_bytes - bytes.0.len();
            bytes.take(4)?;
            let message = bytes.take(message_bytes)?;
            Record::Publish { seq, refs, message_at, message }
        }
        ASSIGN => {
            Record::Assign { session: bytes.u64()?, seq: bytes.u64()?, packet_id: bytes.u16()? }
        }
        RELEASE => Record::Release { session: bytes.u64()?, seq: bytes.u64()? },
        ACK => Record::Ack { session: bytes.u64()?, seq: bytes.u64()? },
        DROP_SESSION => Record::DropSession { session: bytes.u64()?, seq_first: bytes.u64()? },
        EPOCH => Record::Epoch(bytes.u64()?),
        _ => return None,
    };
    Some(record)
}

/// An upper bound of the bytes that [`write_op`] appends.
pub(crate) fn op_bytes(op: &Op) -> u64 {
    match op {
        Op::Put { key, value, .. } => 10 + key.len() as u64 + value.len() as u64,
        Op::Delete { key, .. } => 6 + key.len() as u64,
        Op::Ordered { key, value, .. } => {
            10 + key.len() as u64 + value.as_ref().map_or(0, |value| value.len() as u64)
        }
        Op::Publish { message, refs, .. } => {
            PUBLISH_BYTES + refs.len() as u64 * REF_BYTES + message.len() as u64
        }
        Op::Assign { .. } => 19,
        Op::Release { .. } | Op::Ack { .. } | Op::DropSession { .. } => 17,
    }
}

fn len_u32(bytes: &[u8]) -> [u8; 4] {
    // A batch is refused as too large long before a part of it passes 32 bits.
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()
}

/// Appends an operation. `seq_first` is what a `DropSession` record carries.
pub(crate) fn write_op(out: &mut Vec<u8>, op: &Op, seq_first: u64) {
    match op {
        Op::Put { table, key, value } | Op::Ordered { table, key, value: Some(value), .. } => {
            out.extend_from_slice(&[PUT, table.0]);
            out.extend_from_slice(&len_u32(key));
            out.extend_from_slice(&len_u32(value));
            out.extend_from_slice(key);
            out.extend_from_slice(value);
        }
        Op::Delete { table, key } | Op::Ordered { table, key, value: None, .. } => {
            out.extend_from_slice(&[DELETE, table.0]);
            out.extend_from_slice(&len_u32(key));
            out.extend_from_slice(key);
        }
        Op::Publish { seq, message, refs, .. } => {
            let refs = refs.iter().map(|one| {
                let (meta, flags) = (one.meta, one.flags);
                (one.session, RefState { meta, packet_id: 0, flags, is_released: false })
            });
            write_publish(out, *seq, refs, Some(message));
        }
        Op::Assign { session, seq, packet_id } => {
            write_pair(out, ASSIGN, *session, *seq);
            out.extend_from_slice(&packet_id.to_le_bytes());
        }
        Op::Release { session, seq } => write_pair(out, RELEASE, *session, *seq),
        Op::Ack { session, seq } => write_pair(out, ACK, *session, *seq),
        Op::DropSession { session } => write_pair(out, DROP_SESSION, *session, seq_first),
    }
}

fn write_pair(out: &mut Vec<u8>, tag: u8, session: u64, number: u64) {
    out.push(tag);
    out.extend_from_slice(&session.to_le_bytes());
    out.extend_from_slice(&number.to_le_bytes());
}

/// Appends an epoch record.
pub(crate) fn write_epoch(out: &mut Vec<u8>, epoch: u64) {
    out.push(EPOCH);
    out.extend_from_slice(&epoch.to_le_bytes());
}

/// Appends a publish record (without a message: a husk) and returns the offset in `out` of
/// its message's checksum.
pub(crate) fn write_publish(
    out: &mut Vec<u8>,
    seq: u64,
    refs: impl Iterator<Item = (u64, RefState)>,
    message: Option<&[u8]>,
) -> usize {
    out.push(PUBLISH);
    out.extend_from_slice(&seq.to_le_bytes());
    out.push(if message.is_some() { 0 } else { HUSK });
    let count_at = out.len();
    out.extend_from_slice(&[0; 4]);
    let mut count = 0u32;
    for (session, state) in refs {
        count += 1;
        out.extend_from_slice(&session.to_le_bytes());
        out.extend_from_slice(&[state.flags, u8::from(state.is_released) * REF_RELEASED]);
        out.extend_from_slice(&state.packet_id.to_le_bytes());
        out.extend_from_slice(&state.meta.to_le_bytes());
    }
    if let Some(field) = out.get_mut(count_at..count_at + 4) {
        field.copy_from_slice(&count.to_le_bytes());
    }
    let message = message.unwrap_or_default();
    out.extend_from_slice(&len_u32(message));
    let message_at = out.len();
    out.extend_from_slice(&crc32fast::hash(message).to_le_bytes());
    out.extend_from_slice(message);
    message_at
}
