//! What is on the wire between two nodes.
//!
//! A frame is its length (four octets, little endian, itself not counted), its kind (one octet)
//! and its body. Texts and lists carry their length in front. Kinds and fields are only added;
//! a kind that is not known is an error, so who needs a new one says so in its Hello.

use rookery_codec::{Fields, check_topic_filter};

use crate::moves::{self, MoveFrame};
use crate::replica::{ReplicaFrame, Space};
use crate::shadow::{self, ShadowFrame};

/// The version of everything here that a Hello names.
pub const PROTOCOL: u16 = 1;

/// The largest frame before the other side has shown that it knows the secret.
pub const HANDSHAKE_BYTES_MAX: usize = 1024;

/// The largest frame at all: the largest message of MQTT and what is around it.
pub const FRAME_BYTES_MAX: usize = 268_435_455 + (1 << 20);

/// The longest name of a node.
pub const NAME_BYTES_MAX: usize = 255;

const LENGTH: usize = 4;

/// Why bytes are no frame.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Longer than may be at this moment.
    #[error("a frame of {0} bytes is larger than may be")]
    TooLarge(usize),
    /// A kind nobody knows.
    #[error("a frame of the unknown kind {0}")]
    Kind(u8),
    /// Too short, too long, or not text where text has to be.
    #[error("a frame of kind {0} that is not well-formed")]
    Malformed(u8),
}

/// Who a node is at one time: a restart is another incarnation.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// Its name.
    pub name: &'a str,
    /// Rises with every start.
    pub incarnation: u64,
}

/// The first frame of a connection.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Hello<'a> {
    /// Version of the protocol.
    pub protocol: u16,
    /// Who opens the connection.
    pub from: Identity<'a>,
    /// Whom it means to reach.
    pub to: Identity<'a>,
    /// Number of the lane, from 0 on.
    pub lane: u16,
    /// How many lanes there are.
    pub lanes: u16,
    /// Names the stream of batches: numbers of another one mean something else.
    pub stream: u64,
    /// Batches up to this one are not sent again.
    pub taken: u64,
    /// Random.
    pub nonce: [u8; 32],
}

/// Why a connection is not taken.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It meant somebody else, or an earlier start of this node.
    NotMe,
    /// This node does not know of the other one, yet or any more.
    Unknown,
    /// It speaks another version.
    Protocol,
    /// A code of a later version.
    Other(u8),
}

impl Refusal {
    const fn code(self) -> u8 {
        match self {
            Self::NotMe => 1,
            Self::Unknown => 2,
            Self::Protocol => 3,
            Self::Other(code) => code,
        }
    }

    const fn of(code: u8) -> Self {
        match code {
            1 => Self::NotMe,
            2 => Self::Unknown,
            3 => Self::Protocol,
            code => Self::Other(code),
        }
    }
}

/// One frame; borrowed from what was read.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Who is there.
    Hello(Hello<'a>),
    /// What the one who was called shows, and asks for.
    Challenge {
        /// Random.
        nonce: [u8; 32],
        /// That it knows the secret.
        proof: [u8; 32],
    },
    /// That the caller knows the secret.
    Proof([u8; 32]),
    /// The lane is open.
    Welcome {
        /// The last batch that was taken of this lane.
        taken: u64,
        /// The version of the caller's routes that is known here; none = tell all.
        routes: Option<u64>,
        /// This node understands [`Frame::Replica`] of every space.
        has_replica: bool,
        /// This node can keep the sessions of another one.
        has_shadow: bool,
        /// This node understands [`Frame::Links`].
        has_links: bool,
        /// This node understands [`Frame::Shadow`].
        knows_shadows: bool,
    },
    /// The lane is not open.
    Refused(Refusal),
    /// Messages.
    Batch {
        /// Rises by one.
        seq: u64,
        /// [`items`] takes it apart.
        items: &'a [u8],
    },
    /// All batches up to this one were taken.
    Taken(u64),
    /// Are you there?
    Ping,
    /// I am.
    Pong,
    /// All routes follow, in place of those that were told before.
    RoutesBegin,
    /// Routes.
    Routes {
        /// What is known with them; as before within a whole listing.
        version: u64,
        /// [`routes`] takes it apart.
        items: &'a [u8],
    },
    /// Those were all.
    RoutesEnd,
    /// What should be known by now.
    RoutesDigest {
        /// The version.
        version: u64,
        /// [`crate::routes::hash`] of each, added up.
        digest: u64,
        /// How many.
        count: u64,
    },
    /// Tell all routes: what is known is not that.
    RoutesWanted,
    /// Frames about routes, as above, but of what linked clusters told the caller: the group of
    /// each route is the cluster.
    Links(&'a [u8]),
    /// Tell all of those.
    LinksWanted,
    /// About what all nodes hold.
    Replica(Space, ReplicaFrame<'a>),
    /// A session moves.
    Move(MoveFrame<'a>),
    /// About sessions that a second node keeps.
    Shadow(ShadowFrame<'a>),
}

mod kind {
    pub(super) const HELLO: u8 = 1;
    pub(super) const CHALLENGE: u8 = 2;
    pub(super) const PROOF: u8 = 3;
    pub(super) const WELCOME: u8 = 4;
    pub(super) const REFUSED: u8 = 5;
    pub(super) const BATCH: u8 = 10;
    pub(super) const TAKEN: u8 = 11;
    pub(super) const PING: u8 = 12;
    pub(super) const PONG: u8 = 13;
    pub(super) const ROUTES_BEGIN: u8 = 20;
    pub(super) const ROUTES: u8 = 21;
    pub(super) const ROUTES_END: u8 = 22;
    pub(super) const ROUTES_DIGEST: u8 = 23;
    pub(super) const ROUTES_WANTED: u8 = 24;
    pub(super) const LINKS: u8 = 30;
    pub(super) const LINKS_WANTED: u8 = 31;
}

/// Flags of a Welcome. A node that does not know one of them tells all its routes, and no more.
const ROUTES_KNOWN: u8 = 1;
const HAS_REPLICA: u8 = 2;
const HAS_SHADOW: u8 = 4;
const HAS_LINKS: u8 = 8;
const KNOWS_SHADOWS: u8 = 16;

/// The first frame of what was read and how long it is; none when more is needed.
///
/// # Errors
///
/// It is larger than `max`, of an unknown kind, or not well-formed.
pub fn next(bytes: &[u8], max: usize) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    let Some(head) = bytes.first_chunk::<LENGTH>() else { return Ok(None) };
    let len = u32::from_le_bytes(*head) as usize;
    if len > max {
        return Err(FrameError::TooLarge(len));
    }
    let Some(whole) = bytes.get(LENGTH..LENGTH + len) else { return Ok(None) };
    let Some((kind, body)) = whole.split_first() else { return Err(FrameError::Malformed(0)) };
    let frame = Frame::decode(*kind, body)?;
    Ok(Some((frame, LENGTH + len)))
}

/// How long the first frame is with everything, once its length is there.
#[must_use]
pub fn length(bytes: &[u8]) -> Option<usize> {
    bytes.first_chunk::<LENGTH>().map(|head| LENGTH + u32::from_le_bytes(*head) as usize)
}

impl<'a> Frame<'a> {
    fn decode(kind: u8, body: &'a [u8]) -> Result<Self, FrameError> {
        let mut r = Fields(body);
        let frame = Self::read(kind, &mut r).ok_or(FrameError::Malformed(kind))?;
        match frame {
            None => Err(FrameError::Kind(kind)),
            Some(_) if !r.0.is_empty() => Err(FrameError::Malformed(kind)),
            Some(frame) => Ok(frame),
        }
    }

    #[allow(clippy::option_option)] // known at all, then well-formed
    fn read(kind: u8, r: &mut Fields<'a>) -> Option<Option<Self>> {
        Some(Some(match kind {
            kind::HELLO => Self::Hello(Hello {
                protocol: r.u16()?,
                from: r.identity()?,
                to: r.identity()?,
                lane: r.u16()?,
                lanes: r.u16()?,
                stream: r.u64()?,
                taken: r.u64()?,
                nonce: r.array()?,
            }),
            kind::CHALLENGE => Self::Challenge { nonce: r.array()?, proof: r.array()? },
            kind::PROOF => Self::Proof(r.array()?),
            kind::WELCOME => {
                let (taken, flags, version) = (r.u64()?, r.u8()?, r.u64()?);
                let routes = (flags & ROUTES_KNOWN != 0).then_some(version);
                let has_replica = flags & HAS_REPLICA != 0;
                let (has_shadow, has_links) = (flags & HAS_SHADOW != 0, flags & HAS_LINKS != 0);
                let knows_shadows = flags & KNOWS_SHADOWS != 0;
                Self::Welcome { taken, routes, has_replica, has_shadow, has_links, knows_shadows }
            }
            kind::REFUSED => Self::Refused(Refusal::of(r.u8()?)),
            kind::BATCH => Self::Batch { seq: r.u64()?, items: r.rest() },
            kind::TAKEN => Self::Taken(r.u64()?),
            kind::PING => Self::Ping,
            kind::PONG => Self::Pong,
            kind::ROUTES_BEGIN => Self::RoutesBegin,
            kind::ROUTES => Self::Routes { version: r.u64()?, items: r.rest() },
            kind::ROUTES_END => Self::RoutesEnd,
            kind::ROUTES_DIGEST => {
                Self::RoutesDigest { version: r.u64()?, digest: r.u64()?, count: r.u64()? }
            }
            kind::ROUTES_WANTED => Self::RoutesWanted,
            kind::LINKS => Self::Links(r.rest()),
            kind::LINKS_WANTED => Self::LinksWanted,
            moves::KIND_FIRST..=moves::KIND_LAST => match MoveFrame::read(kind, r)? {
                Some(frame) => Self::Move(frame),
                None => return Some(None),
            },
            shadow::KIND_FIRST..=shadow::KIND_LAST => match ShadowFrame::read(kind, r)? {
                Some(frame) => Self::Shadow(frame),
                None => return Some(None),
            },
            kind => {
                let Some((space, kind)) = Space::of(kind) else { return Some(None) };
                let Some(frame) = ReplicaFrame::read(kind, r)? else { return Some(None) };
                Self::Replica(space, frame)
            }
        }))
    }

    /// Appends it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = open(out, self.kind());
        match self {
            Self::Hello(hello) => {
                out.extend_from_slice(&hello.protocol.to_le_bytes());
                for identity in [hello.from, hello.to] {
                    put_text(out, identity.name);
                    out.extend_from_slice(&identity.incarnation.to_le_bytes());
                }
                out.extend_from_slice(&hello.lane.to_le_bytes());
                out.extend_from_slice(&hello.lanes.to_le_bytes());
                out.extend_from_slice(&hello.stream.to_le_bytes());
                out.extend_from_slice(&hello.taken.to_le_bytes());
                out.extend_from_slice(&hello.nonce);
            }
            Self::Challenge { nonce, proof } => {
                out.extend_from_slice(nonce);
                out.extend_from_slice(proof);
            }
            Self::Proof(proof) => out.extend_from_slice(proof),
            Self::Welcome { taken, routes, has_replica, has_shadow, has_links, knows_shadows } => {
                out.extend_from_slice(&taken.to_le_bytes());
                let flags = [
                    (routes.is_some(), ROUTES_KNOWN),
                    (*has_replica, HAS_REPLICA),
                    (*has_shadow, HAS_SHADOW),
                    (*has_links, HAS_LINKS),
                    (*knows_shadows, KNOWS_SHADOWS),
                ];
                out.push(flags.iter().filter(|(is, _)| *is).fold(0, |all, (_, flag)| all | flag));
                out.extend_from_slice(&routes.unwrap_or_default().to_le_bytes());
            }
            Self::Refused(refusal) => out.push(refusal.code()),
            Self::Batch { seq, items } | Self::Routes { version: seq, items } => {
                out.extend_from_slice(&seq.to_le_bytes());
                out.extend_from_slice(items);
            }
            Self::Taken(seq) => out.extend_from_slice(&seq.to_le_bytes()),
            Self::RoutesDigest { version, digest, count } => {
                for word in [version, digest, count] {
                    out.extend_from_slice(&word.to_le_bytes());
                }
            }
            Self::Links(frames) => out.extend_from_slice(frames),
            Self::Replica(_, frame) => frame.write(out),
            Self::Move(frame) => frame.encode(out),
            Self::Shadow(frame) => frame.encode(out),
            Self::Ping
            | Self::Pong
            | Self::RoutesBegin
            | Self::RoutesEnd
            | Self::RoutesWanted
            | Self::LinksWanted => {}
        }
        close(out, start);
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Hello(_) => kind::HELLO,
            Self::Challenge { .. } => kind::CHALLENGE,
            Self::Proof(_) => kind::PROOF,
            Self::Welcome { .. } => kind::WELCOME,
            Self::Refused(_) => kind::REFUSED,
            Self::Batch { .. } => kind::BATCH,
            Self::Taken(_) => kind::TAKEN,
            Self::Ping => kind::PING,
            Self::Pong => kind::PONG,
            Self::RoutesBegin => kind::ROUTES_BEGIN,
            Self::Routes { .. } => kind::ROUTES,
            Self::RoutesEnd => kind::ROUTES_END,
            Self::RoutesDigest { .. } => kind::ROUTES_DIGEST,
            Self::RoutesWanted => kind::ROUTES_WANTED,
            Self::Links(_) => kind::LINKS,
            Self::LinksWanted => kind::LINKS_WANTED,
            Self::Replica(space, frame) => space.kind(frame),
            Self::Move(frame) => frame.kind(),
            Self::Shadow(frame) => frame.kind(),
        }
    }
}

fn open(out: &mut Vec<u8>, kind: u8) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH]);
    out.push(kind);
    start
}

/// Writes the length of a frame that was begun at `start`.
#[allow(clippy::cast_possible_truncation)] // who adds to a frame sees to its size
fn close(out: &mut [u8], start: usize) {
    let len = (out.len() - start - LENGTH) as u32;
    if let Some(place) = out.get_mut(start..start + LENGTH) {
        place.copy_from_slice(&len.to_le_bytes());
    }
}

/// Begins a batch; [`end_batch`] says which one it is.
pub fn begin_batch(out: &mut Vec<u8>) {
    let _ = open(out, kind::BATCH);
    out.extend_from_slice(&[0; 8]);
}

/// Ends the batch that is all of `out`.
pub fn end_batch(out: &mut [u8], seq: u64) {
    if let Some(place) = out.get_mut(LENGTH + 1..LENGTH + 9) {
        place.copy_from_slice(&seq.to_le_bytes());
    }
    close(out, 0);
}

/// One message of a batch.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Share name and topic filter if one member of a shared subscription gets it.
    pub shared: Option<(&'a str, &'a str)>,
    /// The message, in a form that only its receiver knows.
    pub message: &'a [u8],
}

/// Appends one message to a batch; `write` appends its bytes.
#[allow(clippy::cast_possible_truncation)] // a message is at most 256 MiB
pub fn put_item(out: &mut Vec<u8>, shared: Option<(&str, &str)>, write: impl FnOnce(&mut Vec<u8>)) {
    put_optional(out, shared.map(|(group, _)| group));
    if let Some((_, filter)) = shared {
        put_text(out, filter);
    }
    let at = out.len();
    out.extend_from_slice(&[0; LENGTH]);
    write(out);
    let len = (out.len() - at - LENGTH) as u32;
    if let Some(place) = out.get_mut(at..at + LENGTH) {
        place.copy_from_slice(&len.to_le_bytes());
    }
}

/// The messages of a batch. An error is the last there is.
pub fn items(body: &[u8]) -> impl Iterator<Item = Result<Item<'_>, FrameError>> {
    let mut r = Fields(body);
    each(move || {
        if r.0.is_empty() {
            return None;
        }
        let item = read_item(&mut r).ok_or(FrameError::Malformed(kind::BATCH));
        if item.is_err() {
            r.0 = &[];
        }
        Some(item)
    })
}

fn each<T>(next: impl FnMut() -> Option<T>) -> impl Iterator<Item = T> {
    std::iter::from_fn(next)
}

fn read_item<'a>(r: &mut Fields<'a>) -> Option<Item<'a>> {
    let shared = match r.optional()? {
        Some(group) => Some((group, r.short_text()?)),
        None => None,
    };
    let len = r.u32()? as usize;
    Some(Item { shared, message: r.take(len)? })
}

/// One route.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Route<'a> {
    /// The share name of a shared subscription.
    pub group: Option<&'a str>,
    /// The topic filter, without `$share/<name>/`.
    pub filter: &'a str,
    /// How many; 0: it is gone.
    pub weight: u32,
}

/// Appends a route to a list of them.
pub fn put_route(out: &mut Vec<u8>, route: Route<'_>) {
    put_optional(out, route.group);
    put_text(out, route.filter);
    out.extend_from_slice(&route.weight.to_le_bytes());
}

/// The routes of a list. An error is the last there is.
pub fn routes(body: &[u8]) -> impl Iterator<Item = Result<Route<'_>, FrameError>> {
    let mut r = Fields(body);
    each(move || {
        if r.0.is_empty() {
            return None;
        }
        let route = read_route(&mut r).ok_or(FrameError::Malformed(kind::ROUTES));
        if route.is_err() {
            r.0 = &[];
        }
        Some(route)
    })
}

fn read_route<'a>(r: &mut Fields<'a>) -> Option<Route<'a>> {
    let (group, filter, weight) = (r.optional()?, r.short_text()?, r.u32()?);
    check_topic_filter(filter).ok()?;
    Some(Route { group, filter, weight })
}

/// Appends a text with its length; MQTT has none that is longer than 65,535 octets.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    debug_assert!(text.len() <= usize::from(u16::MAX));
    out.extend_from_slice(&(text.len() as u16).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Appends whether there is a text, and the text.
fn put_optional(out: &mut Vec<u8>, text: Option<&str>) {
    out.push(u8::from(text.is_some()));
    if let Some(text) = text {
        put_text(out, text);
    }
}

/// What frames are made of.
trait Parts<'a> {
    #[allow(clippy::option_option)] // well-formed, then there
    fn optional(&mut self) -> Option<Option<&'a str>>;
    fn identity(&mut self) -> Option<Identity<'a>>;
}

impl<'a> Parts<'a> for Fields<'a> {
    fn optional(&mut self) -> Option<Option<&'a str>> {
        match self.u8()? {
            0 => Some(None),
            1 => self.short_text().map(Some),
            _ => None,
        }
    }

    fn identity(&mut self) -> Option<Identity<'a>> {
        let name = self.short_text()?;
        let is_name = !name.is_empty() && name.len() <= NAME_BYTES_MAX;
        let incarnation = self.u64()?;
        is_name.then_some(Identity { name, incarnation })
    }
}
