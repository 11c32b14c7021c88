//! Items of actions in files: how one that waits on disk is written.
//!
//! A file begins with [`FILE_HEAD`]. Each record is the length of its body, the CRC-32 of the body,
//! and the body: key, time, number of the rule in a table that is kept elsewhere, fields. Numbers
//! are little-endian. Reading trusts nothing: a file may have been cut short or written over.

use super::fields;

/// What a file begins with; the last octets are the version.
pub const FILE_HEAD: [u8; 8] = *b"RKITEM\x00\x01";
/// Octets of a record on top of its fields.
pub const RECORD_BYTES: usize = HEAD_BYTES + BODY_BYTES_MIN;
/// Most octets of the fields of one record.
pub const FIELDS_BYTES_MAX: usize = 512 << 20;

const HEAD_BYTES: usize = 8;
const BODY_BYTES_MIN: usize = 20;

/// One item in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// The key that keeps its order.
    pub key: u64,
    /// When it was made, in ms since 1970.
    pub made_at_ms: u64,
    /// Which rule of the file's table it came from.
    pub rule: u32,
    /// Its fields.
    pub fields: &'a [u8],
}

/// What the beginning of some octets is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read<'a> {
    /// A record, and how many octets it takes.
    Record(Record<'a>, usize),
    /// The beginning of a record; so many octets are needed at least.
    More(usize),
    /// No record.
    Broken,
}

/// What the beginning of some octets is, whatever the records are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framed<'a> {
    /// The body of a record, and how many octets it takes.
    Body(&'a [u8], usize),
    /// The beginning of a record; so many octets are needed at least.
    More(usize),
    /// No record.
    Broken,
}

/// Appends a record: the length of its body, the CRC-32 of it, and what `write` appends.
pub fn put_framed(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD_BYTES]);
    write(out);
    let body = out.get(start + HEAD_BYTES..).unwrap_or_default();
    let crc = crc32fast::hash(body);
    #[allow(clippy::cast_possible_truncation)] // the caller sees to its size
    let length = body.len() as u32;
    if let Some([head, ..]) = out.get_mut(start..).map(|o| o.as_chunks_mut::<HEAD_BYTES>().0) {
        *head = u64::to_le_bytes(u64::from(length) | u64::from(crc) << 32);
    }
}

/// Reads the record at the beginning of `bytes`, whose body is as long as `lengths` allow.
#[must_use]
pub fn read_framed(bytes: &[u8], lengths: std::ops::RangeInclusive<usize>) -> Framed<'_> {
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD_BYTES>() else {
        return Framed::More(HEAD_BYTES);
    };
    let head = u64::from_le_bytes(*head);
    let length = (head & u64::from(u32::MAX)) as usize;
    if !lengths.contains(&length) {
        return Framed::Broken;
    }
    let Some(body) = rest.get(..length) else { return Framed::More(HEAD_BYTES + length) };
    if u64::from(crc32fast::hash(body)) == head >> 32 {
        Framed::Body(body, HEAD_BYTES + length)
    } else {
        Framed::Broken
    }
}

impl Record<'_> {
    /// Writes the record at the end of `out`; false when it is too large, then `out` is as it was.
    #[must_use]
    pub fn encode(&self, out: &mut Vec<u8>) -> bool {
        if self.fields.len() > FIELDS_BYTES_MAX {
            return false;
        }
        put_framed(out, |out| {
            out.extend_from_slice(&self.key.to_le_bytes());
            out.extend_from_slice(&self.made_at_ms.to_le_bytes());
            out.extend_from_slice(&self.rule.to_le_bytes());
            out.extend_from_slice(self.fields);
        });
        true
    }
}

/// Reads the record at the beginning of `bytes`.
#[must_use]
pub fn read(bytes: &[u8]) -> Read<'_> {
    match read_framed(bytes, BODY_BYTES_MIN..=BODY_BYTES_MIN + FIELDS_BYTES_MAX) {
        Framed::More(needed) => Read::More(needed),
        Framed::Broken => Read::Broken,
        Framed::Body(body, taken) => match record(body) {
            Some(record) if fields::is_whole(record.fields) => Read::Record(record, taken),
            _ => Read::Broken,
        },
    }
}

fn record(body: &[u8]) -> Option<Record<'_>> {
    let (key, rest) = body.split_first_chunk()?;
    let (made_at_ms, rest) = rest.split_first_chunk()?;
    let (rule, fields) = rest.split_first_chunk()?;
    Some(Record {
        key: u64::from_le_bytes(*key),
        made_at_ms: u64::from_le_bytes(*made_at_ms),
        rule: u32::from_le_bytes(*rule),
        fields,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn example() -> Vec<u8> {
        let mut out = Vec::new();
        // A text of three octets, and `true`.
        let fields = &[6, 3, 0, 0, 0, b'a', b'b', b'c', 3];
        assert!(Record { key: 7, made_at_ms: 9, rule: 2, fields }.encode(&mut out));
        out
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let mut bytes = example();
        let length = bytes.len();
        assert_eq!(length, RECORD_BYTES + 9);
        bytes.extend_from_slice(b"what follows");
        let Read::Record(record, taken) = read(&bytes) else { panic!("no record") };
        assert_eq!((record.key, record.made_at_ms, record.rule, taken), (7, 9, 2, length));
        assert_eq!(fields::decode(record.fields).count(), 2);
    }

    #[test]
    fn what_is_cut_short_asks_for_more_and_what_was_changed_is_broken() {
        let bytes = example();
        for cut in 0..bytes.len() {
            let needed = if cut < HEAD_BYTES { HEAD_BYTES } else { bytes.len() };
            assert_eq!(read(&bytes[..cut]), Read::More(needed), "{cut}");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x40;
            assert!(!matches!(read(&changed), Read::Record(..)), "{at}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&bytes);
        }
    }
}
