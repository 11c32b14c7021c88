//! Looking through a worker's sessions for the management plane, a slice per turn: messages flow on
//! while a list of a hundred thousand clients is filtered, counted or read.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use rookery_core::ids::Now;
use rookery_core::message::Message;
use rookery_core::query::{
    ClientHit, ClientQuery, ClientSort, ClientView, SubscriptionCursor, SubscriptionHit,
    SubscriptionQuery, SubscriptionRest, SubscriptionSort, SubscriptionView,
};
use rookery_core::sorting::Keys;

use crate::worker::Worker;

/// How long a worker looks in one turn.
const SLICE: Duration = Duration::from_micros(500);
/// Places looked at between two looks at the clock.
const VISITS: u32 = 256;
/// Rows made between two looks at the clock.
const ROWS: usize = 32;
/// Rows that are sent at once to whoever sorts them.
const PART: usize = 1024;
/// Bytes of their texts above which they are sent though they are fewer.
const PART_BYTES: usize = 256 * 1024;

/// A look through one worker's sessions or messages.
pub(crate) struct Scan {
    what: What,
    /// Dead when nobody waits for the answer any more.
    asker: Weak<()>,
}

/// Part of a page of subscriptions: of this session, behind so many, so many.
pub(crate) type SubscriptionPart = (SubscriptionHit, usize, usize);

pub(crate) enum What {
    /// Find clients: all, or from a slot on until there are enough.
    Clients {
        query: Arc<ClientQuery>,
        next: u32,
        enough: usize,
        found: Vec<ClientHit>,
        reply: Sender<(Vec<ClientHit>, Option<u32>)>,
    },
    /// What clients that are wanted are sorted by, for whoever sorts them: sent a part at a time,
    /// and nothing after the last one.
    ClientKeys {
        query: Arc<ClientQuery>,
        sort: ClientSort,
        next: u32,
        keys: Keys<(u16, ClientHit)>,
        reply: Sender<Keys<(u16, ClientHit)>>,
    },
    /// Read clients that were found.
    ClientRows { wanted: Vec<ClientHit>, rows: Vec<Option<ClientView>>, reply: Sender<Rows> },
    /// Find subscriptions.
    Subscriptions {
        query: Arc<SubscriptionQuery>,
        at: SubscriptionCursor,
        found: Vec<SubscriptionHit>,
        reply: Sender<Vec<SubscriptionHit>>,
    },
    /// What subscriptions that are wanted are sorted by, as for clients.
    SubscriptionKeys {
        query: Arc<SubscriptionQuery>,
        sort: SubscriptionSort,
        at: SubscriptionCursor,
        keys: Keys<SubscriptionRest>,
        reply: Sender<Keys<SubscriptionRest>>,
    },
    /// Read subscriptions that were found.
    SubscriptionRows {
        query: Arc<SubscriptionQuery>,
        /// The last one comes first.
        wanted: Vec<SubscriptionPart>,
        rows: Vec<SubscriptionView>,
        reply: Sender<Vec<SubscriptionView>>,
    },
    /// Find delayed messages.
    Delayed { next: usize, found: Vec<Delayed>, reply: Sender<(Now, Vec<Delayed>)> },
}

/// Clients in the order in which they were wanted; none for one that is gone.
pub(crate) type Rows = Vec<Option<ClientView>>;
/// A delayed message and its time (mono ms).
pub(crate) type Delayed = (u64, Arc<Message>);

impl Scan {
    pub(crate) fn new(what: What, asker: &Arc<()>) -> Self {
        Self { what, asker: Arc::downgrade(asker) }
    }
}

impl Worker {
    /// Goes on with the first scan for a while; true when more is left.
    pub(crate) fn scan_on(&mut self, now: Now) -> bool {
        if self.scans.is_empty() {
            return false;
        }
        let end = Instant::now() + SLICE;
        while let Some(mut scan) = self.scans.pop_front() {
            if scan.asker.strong_count() == 0 {
                continue;
            }
            let is_through = loop {
                if self.step(&mut scan.what) {
                    break true;
                }
                if Instant::now() >= end {
                    break false;
                }
            };
            if !is_through {
                // Short ones need not wait for a long one.
                self.scans.push_back(scan);
                return true;
            }
            answer(now, scan.what);
        }
        false
    }

    /// A few steps; true when it is through.
    fn step(&self, what: &mut What) -> bool {
        let shard = &self.shard;
        match what {
            What::Clients { query, next, enough, found, .. } => {
                let visits = VISITS.min(u32::try_from(*enough - found.len()).unwrap_or(VISITS));
                let following = shard.find_clients(query, *next, visits.max(1), found);
                *next = following.unwrap_or(u32::MAX);
                following.is_none() || found.len() >= *enough
            }
            What::ClientKeys { query, sort, next, keys, reply } => {
                let following = shard.read_clients(query, *sort, *next, VISITS, keys);
                *next = following.unwrap_or_default();
                if let Some(part) = take_part(keys, following.is_none()) {
                    let _ = reply.send(part);
                }
                following.is_none()
            }
            What::ClientRows { wanted, rows, .. } => {
                let part = wanted.iter().skip(rows.len()).take(ROWS);
                let made: Vec<_> =
                    part.map(|hit| shard.client_view(hit.slot, hit.generation)).collect();
                rows.extend(made);
                rows.len() >= wanted.len()
            }
            What::Subscriptions { query, at, found, .. } => {
                !shard.find_subscriptions(query, at, VISITS as usize, found)
            }
            What::SubscriptionKeys { query, sort, at, keys, reply } => {
                let is_more = shard.read_subscriptions(query, *sort, at, VISITS as usize, keys);
                if let Some(part) = take_part(keys, !is_more) {
                    let _ = reply.send(part);
                }
                !is_more
            }
            What::SubscriptionRows { query, wanted, rows, .. } => {
                let Some((hit, skip, take)) = wanted.last_mut() else { return true };
                let part = (*take).min(ROWS * 4);
                shard.subscription_views(query, *hit, *skip, part, rows);
                *skip += part;
                *take -= part;
                if *take == 0 {
                    wanted.pop();
                }
                wanted.is_empty()
            }
            What::Delayed { next, found, .. } => {
                match shard.find_delayed(*next, VISITS as usize, found) {
                    Some(following) => {
                        *next = following;
                        false
                    }
                    None => true,
                }
            }
        }
    }
}

/// What is sent to whoever sorts it: enough, or the last of it.
fn take_part<T>(keys: &mut Keys<T>, is_last: bool) -> Option<Keys<T>> {
    let is_enough = keys.len() >= PART || keys.text_bytes() >= PART_BYTES;
    (is_enough || is_last && !keys.is_empty()).then(|| std::mem::take(keys))
}

/// Whoever asked may have given up.
fn answer(now: Now, what: What) {
    match what {
        What::Clients { next, found, reply, .. } => {
            let _ = reply.send((found, Some(next).filter(|next| *next != u32::MAX)));
        }
        // Everything was sent: none is left.
        What::ClientKeys { keys, reply, .. } => drop(reply.send(keys)),
        What::SubscriptionKeys { keys, reply, .. } => drop(reply.send(keys)),
        What::ClientRows { rows, reply, .. } => drop(reply.send(rows)),
        What::Subscriptions { found, reply, .. } => drop(reply.send(found)),
        What::SubscriptionRows { rows, reply, .. } => drop(reply.send(rows)),
        What::Delayed { found, reply, .. } => drop(reply.send((now, found))),
    }
}
