//! The sessions of this node on a second one, its *partner*: who that is, what it gets, and who waits for it.
//!
//! A **stream** begins with the choice of a partner. First every worker says that it ships its writes from
//! now on; when all have, none of them has anything in its inbox that was not shipped, or it is in front of
//! the order to list its sessions, which follows. When all sessions are listed and kept the stream is
//! *whole*: acknowledgements wait for the partner from then on.
//!
//! A stream ends when the partner is gone, cannot keep it, or has not confirmed for [`LATE_MS`]: then nobody
//! waits any more, and another one begins.

use std::collections::VecDeque;

use rookery_cluster::frame::Frame;
use rookery_cluster::shadow::{Chunk, Part, SHADOW, ShadowFrame, partner};
use rookery_core::effects::{LogLevel, ShardMessage, UpEvent};
use rookery_core::shadow::ShadowMessage;

use super::PartnerStatus;
use super::carrier::{Carrier, random};
use super::outlet::Shipped;
use super::peer::{Lane, Peer};
use crate::inbox::Item;
use crate::outlet::{NOTHING, PROMISES, WRITES};

/// How long the partner may take to keep something.
const LATE_MS: u64 = 5000;
/// Before another stream is begun after one that failed.
const RETRY_MS: u64 = 1000;
/// After the partner could not keep one.
const UNABLE_MS: u64 = 30_000;
/// Bytes of listed sessions that are not kept, before more are listed.
const LISTED_BYTES_MAX: usize = 1 << 20;
/// Bytes that are not kept, above which publishers have to wait.
const SHIPPED_BYTES_MAX: usize = 64 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// There is no stream until then.
    Off {
        retry_at_ms: u64,
    },
    /// So many workers have not said that they ship.
    Opening(usize),
    /// Sessions are being listed.
    Listing,
    /// All is there; kept up to that chunk at least.
    Closing(u64),
    Whole,
}

struct UnderWay {
    number: u64,
    bytes: usize,
    is_listed: bool,
    at_ms: u64,
}

/// What a worker waits for.
#[derive(Clone, Copy)]
struct Wait {
    ticket: u64,
    /// The chunk that has to be kept; [`ALL`]: the copy has to be whole.
    chunk: u64,
    /// Whoever published is refused at that time; none: when the stream ends nobody waits any more.
    refused_at_ms: Option<u64>,
}

/// See [`Wait::chunk`].
const ALL: u64 = u64::MAX;

/// What the partner says of a stream: how far it is stored, or that it cannot be.
pub(super) struct Kept {
    stream: u64,
    number: Option<u64>,
}

impl Kept {
    pub(super) fn of(frame: ShadowFrame<'_>) -> Option<Self> {
        match frame {
            ShadowFrame::Kept { stream, number } => Some(Self { stream, number: Some(number) }),
            ShadowFrame::Unable { stream } => Some(Self { stream, number: None }),
            ShadowFrame::Partner { .. }
            | ShadowFrame::Adopted { .. }
            | ShadowFrame::Settled { .. }
            | ShadowFrame::Store { .. } => None,
        }
    }
}

/// Of one worker's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listing {
    From(u32),
    Asked,
    Done,
}

pub(super) struct Partner {
    stage: Stage,
    stream: u64,
    /// Of this node.
    store_id: u64,
    /// Its [`Peer::id`].
    peer: u64,
    name: String,
    /// Of the latest chunk.
    number: u64,
    kept: u64,
    under_way: VecDeque<UnderWay>,
    bytes: usize,
    listed_bytes: usize,
    waits: Vec<VecDeque<Wait>>,
    listings: Vec<Listing>,
    /// There is no other member that could keep anything.
    pub(super) is_alone: bool,
    since_ms: u64,
    unconfirmed: u64,
    restarts: u64,
    last_error: String,
}

impl Partner {
    /// `store_id`: without a store there is nothing to keep.
    pub(super) fn new(workers: usize, store_id: Option<u64>) -> Self {
        Self {
            stage: Stage::Off { retry_at_ms: if store_id.is_some() { 0 } else { u64::MAX } },
            store_id: store_id.unwrap_or_default(),
            stream: 0,
            peer: 0,
            name: String::new(),
            number: 0,
            kept: 0,
            under_way: VecDeque::new(),
            bytes: 0,
            listed_bytes: 0,
            waits: (0..workers).map(|_| VecDeque::new()).collect(),
            listings: vec![Listing::Done; workers],
            is_alone: true,
            since_ms: 0,
            unconfirmed: 0,
            restarts: 0,
            last_error: String::new(),
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.stage == Stage::Whole
    }

    /// Whether publishers have to wait for it.
    pub(super) fn is_overfull(&self) -> bool {
        self.bytes > SHIPPED_BYTES_MAX
    }

    /// Whom others are told of: nobody, as long as something is missing there.
    fn told(&self) -> &str {
        if self.is_whole() { &self.name } else { "" }
    }

    pub(super) fn frame(&self) -> Frame<'_> {
        Frame::Shadow(ShadowFrame::Partner { name: self.told() })
    }

    /// Which store this node has.
    pub(super) fn store_frame(&self) -> Frame<'static> {
        Frame::Shadow(ShadowFrame::Store { id: self.store_id })
    }

    /// When something is due that nobody wakes the thread for.
    pub(super) fn due_ms(&self) -> Option<u64> {
        let stream = match self.stage {
            Stage::Off { retry_at_ms } => {
                (retry_at_ms != 0 && retry_at_ms != u64::MAX).then_some(retry_at_ms)
            }
            _ => self.under_way.front().map(|first| first.at_ms + LATE_MS),
        };
        let first = self.waits.iter().filter_map(|waits| waits.front());
        stream.into_iter().chain(first.filter_map(|wait| wait.refused_at_ms)).min()
    }

    /// Whether what a worker waits for is kept.
    fn is_kept(&self, wait: &Wait) -> bool {
        if wait.chunk == ALL { self.is_whole() } else { wait.chunk <= self.kept }
    }

    pub(super) fn status(&self) -> PartnerStatus {
        PartnerStatus {
            name: match self.stage {
                Stage::Off { .. } => String::new(),
                _ => self.name.clone(),
            },
            is_whole: self.is_whole(),
            since_ms: self.since_ms,
            lag: self.number - self.kept,
            lag_bytes: self.bytes as u64,
            unconfirmed: self.unconfirmed,
            restarts: self.restarts,
            last_error: self.last_error.clone(),
        }
    }
}

impl Carrier {
    /// Begins a stream, goes on with it, or gives it up: as the time has come.
    pub(super) fn watch_partner(&mut self) {
        let now_ms = self.now_ms;
        self.refuse_late();
        match self.partner.stage {
            Stage::Off { retry_at_ms } => {
                if now_ms >= retry_at_ms {
                    self.begin_stream();
                }
                return;
            }
            _ if !self.peers.iter().any(|peer| peer.id == self.partner.peer) => {
                self.end_stream("gone: the node does not run", now_ms);
                return;
            }
            _ => {}
        }
        let is_late =
            self.partner.under_way.front().is_some_and(|first| now_ms >= first.at_ms + LATE_MS);
        if is_late {
            self.partner.unconfirmed += 1;
            let text = "late: the node did not confirm within five seconds";
            self.end_stream(text, now_ms + RETRY_MS);
        } else {
            self.list_more();
        }
    }

    fn begin_stream(&mut self) {
        let is_able = |peer: &&Peer| peer.has_shadow && peer.lanes.iter().all(Lane::is_open);
        let names = self.peers.iter().filter(is_able).map(|peer| peer.is.name.as_str());
        let Some(name) = partner(&self.me.name, names).map(str::to_owned) else { return };
        let Some(peer) = self.peers.iter().find(|peer| peer.is.name == name) else { return };
        let Ok(octets) = random() else { return };
        let stream = octets.first_chunk().map_or(1, |eight| u64::from_le_bytes(*eight) | 1);
        let mine = &mut self.partner;
        (mine.stream, mine.peer, mine.name) = (stream, peer.id, name);
        (mine.number, mine.kept, mine.bytes, mine.listed_bytes) = (0, 0, 0, 0);
        mine.listings.fill(Listing::From(0));
        mine.stage = Stage::Opening(mine.listings.len());
        mine.since_ms = self.unix_ms;
        let store_id = mine.store_id.to_le_bytes();
        self.put_chunk(Part::Begin, &store_id, false);
        self.outlet.want(WRITES);
        for items in &mut self.for_workers {
            items.push(Item::Shard(ShardMessage::Shadow(Box::new(ShadowMessage::Open))));
        }
    }

    /// Nobody waits for the partner any more.
    fn end_stream(&mut self, why: &str, retry_at_ms: u64) {
        self.outlet.want(NOTHING);
        let mine = &mut self.partner;
        let was_whole = mine.is_whole();
        mine.stage = Stage::Off { retry_at_ms: retry_at_ms.max(1) };
        mine.under_way.clear();
        (mine.bytes, mine.listed_bytes) = (0, 0);
        mine.since_ms = self.unix_ms;
        mine.restarts += 1;
        mine.last_error = why.to_owned();
        for (waits, items) in mine.waits.iter_mut().zip(&mut self.for_workers) {
            if waits.iter().any(|wait| wait.refused_at_ms.is_some()) {
                // Another copy may be whole in time.
                waits.iter_mut().for_each(|wait| wait.chunk = ALL);
            } else if let Some(wait) = waits.drain(..).next_back() {
                items.push(Item::Shipped(wait.ticket));
            }
        }
        self.refuse_late();
        if was_whole {
            let name = &self.partner.name;
            let text = format!(
                "node {name} keeps the sessions of this one no more ({why}); acknowledgements \
                 promise this node's disk alone until another copy is whole"
            );
            self.up.push_all([UpEvent::Log(LogLevel::Warning, text.into())]);
            self.tell_partner();
        }
    }

    /// Tells everybody who keeps the sessions of this node.
    fn tell_partner(&mut self) {
        for peer in &mut self.peers {
            peer.tell_on_lane(&self.partner.frame());
        }
    }

    fn put_chunk(&mut self, part: Part, ops: &[u8], is_listed: bool) {
        let mine = &mut self.partner;
        let peer = self.peers.iter_mut().find(|peer| peer.id == mine.peer);
        let Some(lane) = peer.and_then(|peer| peer.lanes.first_mut()) else { return };
        if part != Part::Begin {
            mine.number += 1;
            let (number, bytes, at_ms) = (mine.number, ops.len() + 64, self.now_ms);
            mine.under_way.push_back(UnderWay { number, bytes, is_listed, at_ms });
            mine.bytes += bytes;
            mine.listed_bytes += if is_listed { bytes } else { 0 };
        }
        let chunk = Chunk { stream: mine.stream, number: mine.number, part, ops };
        lane.sender.push(Some((SHADOW, "")), false, |out| chunk.encode(out));
    }

    /// Writes of a worker.
    pub(super) fn ship(&mut self, worker: u16, shipped: Shipped) {
        let at = usize::from(worker);
        let is_wanted = !matches!(self.partner.stage, Stage::Off { .. });
        if is_wanted
            && shipped.is_open
            && let Stage::Opening(left) = self.partner.stage
        {
            let left = left.saturating_sub(1);
            self.partner.stage = if left == 0 { Stage::Listing } else { Stage::Opening(left) };
        }
        if is_wanted
            && let Some(next) = shipped.listed
            && let Some(listing) = self.partner.listings.get_mut(at)
        {
            *listing = next.map_or(Listing::Done, Listing::From);
        }
        if is_wanted && !shipped.bytes.is_empty() {
            self.put_chunk(Part::Ops, &shipped.bytes, shipped.listed.is_some());
        }
        if shipped.ticket == 0 {
            return;
        }
        let is_strict = shipped.is_strict && !self.partner.is_alone;
        let refused_at_ms = is_strict.then_some(self.now_ms + LATE_MS);
        let ticket = shipped.ticket;
        if (is_wanted || is_strict)
            && let Some(waits) = self.partner.waits.get_mut(at)
        {
            let is_enough = !is_strict || self.partner.stage == Stage::Whole;
            let chunk = if is_enough { self.partner.number } else { ALL };
            waits.push_back(Wait { ticket, chunk, refused_at_ms });
        } else if let Some(items) = self.for_workers.get_mut(at) {
            items.push(Item::Shipped(ticket));
        }
    }

    /// Whoever published is refused what was not confirmed in time.
    fn refuse_late(&mut self) {
        let (mine, now_ms) = (&mut self.partner, self.now_ms);
        let mut is_any = false;
        for (waits, items) in mine.waits.iter_mut().zip(&mut self.for_workers) {
            while let Some(wait) = waits.front() {
                let item = match wait.refused_at_ms {
                    Some(at_ms) if at_ms <= now_ms => Item::Unconfirmed(wait.ticket),
                    // It came while nobody was to be refused, in front of one or behind it.
                    None if wait.chunk == ALL => Item::Shipped(wait.ticket),
                    _ => break,
                };
                is_any |= matches!(item, Item::Unconfirmed(_));
                items.push(item);
                waits.pop_front();
            }
        }
        mine.unconfirmed += u64::from(is_any);
    }

    /// Whether there are other members. With none nobody is waited for.
    pub(super) fn note_alone(&mut self, is_alone: bool) {
        self.partner.is_alone = is_alone;
        if is_alone {
            for (waits, items) in self.partner.waits.iter_mut().zip(&mut self.for_workers) {
                items.extend(waits.drain(..).next_back().map(|wait| Item::Shipped(wait.ticket)));
            }
        }
    }

    /// Has workers list more of their sessions, as far as the partner keeps up.
    fn list_more(&mut self) {
        let mine = &mut self.partner;
        match mine.stage {
            Stage::Listing => {}
            Stage::Closing(number) if mine.kept >= number => {
                mine.stage = Stage::Whole;
                mine.since_ms = self.unix_ms;
                mine.last_error.clear();
                self.outlet.want(PROMISES);
                let text = format!("node {} keeps the sessions of this one as well", mine.name);
                self.up.push_all([UpEvent::Log(LogLevel::Info, text.into())]);
                self.tell_partner();
                self.release_kept();
                return;
            }
            _ => return,
        }
        if mine.listings.iter().all(|listing| *listing == Listing::Done) {
            self.put_chunk(Part::Whole, &[], false);
            self.partner.stage = Stage::Closing(self.partner.number);
            return;
        }
        if mine.listed_bytes > LISTED_BYTES_MAX {
            return;
        }
        for (listing, items) in mine.listings.iter_mut().zip(&mut self.for_workers) {
            if let Listing::From(from) = *listing {
                *listing = Listing::Asked;
                let list = Box::new(ShadowMessage::List { from });
                items.push(Item::Shard(ShardMessage::Shadow(list)));
            }
        }
    }

    /// What the partner says.
    pub(super) fn hear_partner(&mut self, Kept { stream, number }: Kept) {
        if stream != self.partner.stream || matches!(self.partner.stage, Stage::Off { .. }) {
            return;
        }
        match number {
            Some(number) => self.note_kept(number),
            None => {
                let text = "unable: the node cannot store it, see its log";
                self.end_stream(text, self.now_ms + UNABLE_MS);
            }
        }
    }

    fn note_kept(&mut self, number: u64) {
        let mine = &mut self.partner;
        mine.kept = mine.kept.max(number.min(mine.number));
        while let Some(first) = mine.under_way.front().filter(|first| first.number <= number) {
            mine.bytes -= first.bytes;
            mine.listed_bytes -= if first.is_listed { first.bytes } else { 0 };
            mine.under_way.pop_front();
        }
        self.release_kept();
    }

    /// Tells workers what they need not wait for any more.
    fn release_kept(&mut self) {
        for at in 0..self.partner.waits.len() {
            let mut done = None;
            while let Some(wait) = self.partner.waits.get(at).and_then(VecDeque::front)
                && self.partner.is_kept(wait)
            {
                done = Some(wait.ticket);
                self.partner.waits.get_mut(at).and_then(VecDeque::pop_front);
            }
            if let Some(items) = self.for_workers.get_mut(at) {
                items.extend(done.map(Item::Shipped));
            }
        }
    }
}
