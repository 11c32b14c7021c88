//! What two nodes tell each other about a replica.
//!
//! One direction of it: the one who tells sends [`ReplicaFrame::Digest`], [`ReplicaFrame::Leaves`] and
//! [`ReplicaFrame::Entries`]; the one who is told answers with the others.

use rookery_codec::Fields;

use super::GROUPS;
use super::version::{Key, Version};
use crate::frame::{FrameError, put_text};

/// The kinds of these frames, counted from the first of their space.
mod kind {
    pub(super) const DIGEST: u8 = 0;
    pub(super) const LEAVES: u8 = 1;
    pub(super) const ENTRIES: u8 = 2;
    pub(super) const DIFFER: u8 = 3;
    pub(super) const HAS: u8 = 4;
    pub(super) const KEPT: u8 = 5;
}

/// What a frame is about: nodes hold more than one thing alike.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Space {
    /// Retained messages.
    Retained,
    /// What is to be published later.
    Pledges,
}

impl Space {
    const ALL: [Self; 2] = [Self::Retained, Self::Pledges];

    /// The kinds of its frames begin here.
    const fn first_kind(self) -> u8 {
        match self {
            Self::Retained => 60,
            Self::Pledges => 70,
        }
    }

    /// Which one a kind belongs to, and what it is there.
    pub(crate) fn of(kind: u8) -> Option<(Self, u8)> {
        let is_it = |space: &Self| kind.checked_sub(space.first_kind()).is_some_and(|n| n < 10);
        let space = Self::ALL.into_iter().find(is_it)?;
        Some((space, kind - space.first_kind()))
    }

    pub(crate) const fn kind(self, frame: &ReplicaFrame<'_>) -> u8 {
        self.first_kind() + frame.kind()
    }
}

/// A sum for each group, or for each part of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums(Box<[u64; GROUPS]>);

impl Default for Sums {
    fn default() -> Self {
        Self(Box::new([0; GROUPS]))
    }
}

impl Sums {
    pub(super) fn add(&mut self, at: u8, number: u64) {
        if let Some(sum) = self.0.get_mut(usize::from(at)) {
            *sum = sum.wrapping_add(number);
        }
    }

    pub(super) fn take_off(&mut self, at: u8, number: u64) {
        if let Some(sum) = self.0.get_mut(usize::from(at)) {
            *sum = sum.wrapping_sub(number);
        }
    }

    /// Adds those of another part.
    pub fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0.iter()).for_each(|(to, from)| *to = to.wrapping_add(*from));
    }

    /// Appends them as they are in a frame.
    pub(super) fn encode(&self) -> Vec<u8> {
        self.0.iter().flat_map(|sum| sum.to_le_bytes()).collect()
    }

    /// Where they differ from those in a frame.
    pub(super) fn differ(&self, encoded: &[u8]) -> Bits {
        let mut bits = Bits::default();
        let theirs = encoded.chunks_exact(8);
        for ((at, ours), theirs) in (0..=u8::MAX).zip(self.0.iter()).zip(theirs) {
            if ours.to_le_bytes() != *theirs {
                bits.set(at);
            }
        }
        bits
    }
}

const SUMS_BYTES: usize = GROUPS * 8;

/// Some of the groups, or of the parts of a group.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits([u8; GROUPS / 8]);

impl Bits {
    pub(super) fn set(&mut self, at: u8) {
        if let Some(octet) = self.0.get_mut(usize::from(at / 8)) {
            *octet |= 1 << (at % 8);
        }
    }

    /// Whether one is among them.
    #[must_use]
    pub fn has(&self, at: u8) -> bool {
        self.0.get(usize::from(at / 8)).is_some_and(|octet| octet & 1 << (at % 8) != 0)
    }

    /// Which they are.
    pub(super) fn each(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |at| self.has(*at))
    }
}

/// One frame; borrowed from what was read.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ReplicaFrame<'a> {
    /// The sums of all groups.
    Digest(&'a [u8]),
    /// The sums of the parts of a group.
    Leaves {
        /// The group.
        group: u8,
        /// Its sums.
        sums: &'a [u8],
    },
    /// What is new; answered with [`ReplicaFrame::Kept`].
    Entries {
        /// Rises.
        number: u64,
        /// [`entries`] takes it apart.
        items: &'a [u8],
    },
    /// Where the sums of groups differ.
    Differ {
        /// Deletions up to this time may have been forgotten there.
        purged: u64,
        /// The groups.
        groups: Bits,
    },
    /// All versions of some parts of a group: those that differ.
    Has {
        /// The group.
        group: u8,
        /// The parts.
        leaves: Bits,
        /// Keys and versions.
        items: &'a [u8],
    },
    /// Everything up to this frame of entries is kept.
    Kept(u64),
}

impl<'a> ReplicaFrame<'a> {
    /// The frame of a kind; none if it is of another sort, or not well-formed.
    #[allow(clippy::option_option)] // known at all, then well-formed
    pub(crate) fn read(kind: u8, r: &mut Fields<'a>) -> Option<Option<Self>> {
        Some(Some(match kind {
            kind::DIGEST => Self::Digest(r.take(SUMS_BYTES)?),
            kind::LEAVES => Self::Leaves { group: r.u8()?, sums: r.take(SUMS_BYTES)? },
            kind::ENTRIES => Self::Entries { number: r.u64()?, items: r.rest() },
            kind::DIFFER => Self::Differ { purged: r.u64()?, groups: Bits(r.array()?) },
            kind::HAS => Self::Has { group: r.u8()?, leaves: Bits(r.array()?), items: r.rest() },
            kind::KEPT => Self::Kept(r.u64()?),
            _ => return Some(None),
        }))
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Digest(sums) => out.extend_from_slice(sums),
            Self::Leaves { group, sums } => {
                out.push(*group);
                out.extend_from_slice(sums);
            }
            Self::Entries { number, items } => {
                out.extend_from_slice(&number.to_le_bytes());
                out.extend_from_slice(items);
            }
            Self::Differ { purged, groups } => {
                out.extend_from_slice(&purged.to_le_bytes());
                out.extend_from_slice(&groups.0);
            }
            Self::Has { group, leaves, items } => {
                out.push(*group);
                out.extend_from_slice(&leaves.0);
                out.extend_from_slice(items);
            }
            Self::Kept(number) => out.extend_from_slice(&number.to_le_bytes()),
        }
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Digest(_) => kind::DIGEST,
            Self::Leaves { .. } => kind::LEAVES,
            Self::Entries { .. } => kind::ENTRIES,
            Self::Differ { .. } => kind::DIFFER,
            Self::Has { .. } => kind::HAS,
            Self::Kept(_) => kind::KEPT,
        }
    }
}

/// What became of a key.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum EntryOf<'a> {
    /// It was deleted.
    Deleted(Key),
    /// Its value, in a form that only its receiver knows; that names the key, too.
    Value(&'a [u8]),
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Of which version.
    pub version: Version,
    /// What it is.
    pub what: EntryOf<'a>,
}

fn put_version_of(out: &mut Vec<u8>, version: &Version) {
    out.extend_from_slice(&version.time.to_le_bytes());
    put_text(out, &version.node);
}

/// Appends a deletion.
pub fn put_deleted(out: &mut Vec<u8>, key: &Key, version: &Version) {
    out.push(0);
    put_version_of(out, version);
    out.extend_from_slice(key);
}

/// Appends a value; `write` appends its octets.
#[allow(clippy::cast_possible_truncation)] // a message is at most 256 MiB
pub fn put_value(out: &mut Vec<u8>, version: &Version, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(1);
    put_version_of(out, version);
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let len = (out.len() - at - 4) as u32;
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&len.to_le_bytes());
    }
}

/// Appends a key and its version.
pub fn put_version(out: &mut Vec<u8>, key: &Key, version: &Version) {
    out.extend_from_slice(key);
    put_version_of(out, version);
}

fn read_version(r: &mut Fields<'_>) -> Option<Version> {
    Some(Version { time: r.u64()?, node: r.short_text()?.into() })
}

fn read_entry<'a>(r: &mut Fields<'a>) -> Option<Entry<'a>> {
    let kind = r.u8()?;
    let version = read_version(r)?;
    let what = match kind {
        0 => EntryOf::Deleted(r.array()?),
        1 => {
            let len = r.u32()? as usize;
            EntryOf::Value(r.take(len)?)
        }
        _ => return None,
    };
    Some(Entry { version, what })
}

/// The parts of a list, `read` one by one. An error is the last there is.
fn each<'a, T>(
    body: &'a [u8],
    kind: u8,
    read: impl Fn(&mut Fields<'a>) -> Option<T>,
) -> impl Iterator<Item = Result<T, FrameError>> {
    let mut r = Fields(body);
    std::iter::from_fn(move || {
        if r.0.is_empty() {
            return None;
        }
        let item = read(&mut r).ok_or(FrameError::Malformed(kind));
        if item.is_err() {
            r.0 = &[];
        }
        Some(item)
    })
}

/// The changes of a list. An error is the last there is.
pub fn entries(body: &[u8]) -> impl Iterator<Item = Result<Entry<'_>, FrameError>> {
    each(body, kind::ENTRIES, read_entry)
}

/// The keys and versions of a list. An error is the last there is.
pub(super) fn versions(body: &[u8]) -> impl Iterator<Item = Result<(Key, Version), FrameError>> {
    each(body, kind::HAS, |r| Some((r.array()?, read_version(r)?)))
}
