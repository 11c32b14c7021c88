//! Frames about sessions that a second node keeps: see `docs/internals/sessions-in-a-cluster.md`.
//!
//! What is kept goes as items of a lane ([`SHADOW`] stands in the place of the share name), in order and
//! again after a cut. These frames say how far that is; each says all there is to say, so none is missed
//! for long.

use rookery_codec::Fields;

use crate::frame::put_text;

/// Stands in the place of a share name, which no share name can be: the item is for the shadow.
pub const SHADOW: &str = "/shadow";
/// The same: the item is for sessions that were adopted from the node in the filter's place.
pub const ORPHAN: &str = "/orphan";

/// Kinds of these frames.
pub const KIND_FIRST: u8 = 80;
/// The last one.
pub const KIND_LAST: u8 = 89;

mod kind {
    pub(super) const KEPT: u8 = 80;
    pub(super) const UNABLE: u8 = 81;
    pub(super) const PARTNER: u8 = 82;
    pub(super) const ADOPTED: u8 = 83;
    pub(super) const STORE: u8 = 84;
    pub(super) const SETTLED: u8 = 85;
}

/// What nodes tell each other about shadows.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ShadowFrame<'a> {
    /// Everything up to this chunk of the stream is stored.
    Kept {
        /// The stream.
        stream: u64,
        /// The chunk.
        number: u64,
    },
    /// The stream cannot be kept.
    Unable {
        /// The stream.
        stream: u64,
    },
    /// Who keeps all sessions of the node that says so; empty: nobody does at the moment.
    Partner {
        /// Its name.
        name: &'a str,
    },
    /// The sessions of a lost node are at the node that says so, as far as it had them.
    Adopted {
        /// The lost node.
        name: &'a str,
        /// Of its start that was lost.
        incarnation: u64,
    },
    /// Which store the node has that says so: with another one than before it has lost its disk.
    Store {
        /// A number that no other store has; 0: it has none.
        id: u64,
    },
    /// The routes of those [sessions](Self::Adopted) have been told.
    Settled {
        /// The lost node.
        name: &'a str,
        /// Of its start that was lost.
        incarnation: u64,
    },
}

impl<'a> ShadowFrame<'a> {
    #[allow(clippy::option_option)] // well-formed, then known
    pub(crate) fn read(kind: u8, r: &mut Fields<'a>) -> Option<Option<Self>> {
        Some(Some(match kind {
            kind::KEPT => Self::Kept { stream: r.u64()?, number: r.u64()? },
            kind::UNABLE => Self::Unable { stream: r.u64()? },
            kind::PARTNER => Self::Partner { name: r.short_text()? },
            kind::ADOPTED => Self::Adopted { name: r.short_text()?, incarnation: r.u64()? },
            kind::STORE => Self::Store { id: r.u64()? },
            kind::SETTLED => Self::Settled { name: r.short_text()?, incarnation: r.u64()? },
            _ => return Some(None),
        }))
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Kept { stream, number } => {
                out.extend_from_slice(&stream.to_le_bytes());
                out.extend_from_slice(&number.to_le_bytes());
            }
            Self::Unable { stream } => out.extend_from_slice(&stream.to_le_bytes()),
            Self::Partner { name } => put_text(out, name),
            Self::Store { id } => out.extend_from_slice(&id.to_le_bytes()),
            Self::Adopted { name, incarnation } | Self::Settled { name, incarnation } => {
                put_text(out, name);
                out.extend_from_slice(&incarnation.to_le_bytes());
            }
        }
    }

    pub(crate) const fn kind(&self) -> u8 {
        match self {
            Self::Kept { .. } => kind::KEPT,
            Self::Unable { .. } => kind::UNABLE,
            Self::Partner { .. } => kind::PARTNER,
            Self::Adopted { .. } => kind::ADOPTED,
            Self::Store { .. } => kind::STORE,
            Self::Settled { .. } => kind::SETTLED,
        }
    }
}

/// What a chunk of a stream is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A stream begins: all sessions follow, then what changes.
    Begin,
    /// Operations of the store.
    Ops,
    /// All sessions were told.
    Whole,
}

/// A chunk of a stream.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// The stream.
    pub stream: u64,
    /// Rises by one.
    pub number: u64,
    /// What it is.
    pub part: Part,
    /// Operations, in a form that only the store knows.
    pub ops: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// Reads one.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut r = Fields(bytes);
        let (stream, number) = (r.u64()?, r.u64()?);
        let part = match r.u8()? {
            0 => Part::Begin,
            1 => Part::Ops,
            2 => Part::Whole,
            _ => return None,
        };
        Some(Self { stream, number, part, ops: r.rest() })
    }

    /// Appends it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.stream.to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        out.push(match self.part {
            Part::Begin => 0,
            Part::Ops => 1,
            Part::Whole => 2,
        });
        out.extend_from_slice(self.ops);
    }
}

/// The node that keeps what a node has: of those that can, the one with the highest weight of both
/// names, so that partners spread over the cluster and all find the same one.
#[must_use]
pub fn partner<'a>(me: &str, others: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let weight = |name: &str| {
        let octets = me.bytes().chain([0]).chain(name.bytes());
        let hash = octets.fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
            (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
        });
        // The low bits of such a sum follow the last octet too closely.
        hash ^ (hash >> 29)
    };
    others.max_by_key(|name| (weight(name), *name))
}
