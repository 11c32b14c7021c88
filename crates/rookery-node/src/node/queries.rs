//! Lists for the management plane: filtered, sorted, counted and cut where the data is, so that
//! only a page crosses to whoever asked.
//!
//! A page is made in two rounds: every worker names what is wanted (a slot, and what it is sorted
//! by), the calling thread sorts and cuts, and the workers are asked for the rows of the page. What is
//! sorted comes a part at a time and is sorted here, where it holds up no message.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use rookery_core::query::{
    ClientHit, ClientQuery, ClientSort, ClientView, SubscriptionCursor, SubscriptionHit,
    SubscriptionQuery, SubscriptionSort, SubscriptionView,
};
use rookery_core::sorting::Keys;

use super::top::Top;
use super::{Node, REPLY_TIMEOUT};
use crate::api::NodeError;
use crate::inbox::Item;
use crate::scan::{Scan, SubscriptionPart, What};

/// Lists that are made at the same time; others wait for their turn.
const SCANS_MAX: usize = 4;

/// Bounds how many lists are made at once.
#[derive(Debug, Default)]
pub(super) struct Scans {
    running: Mutex<usize>,
    ended: Condvar,
    refused: AtomicU64,
}

/// The right to look; also tells the workers that somebody waits for the answer.
pub(super) struct Turn<'a> {
    scans: &'a Scans,
    asker: Arc<()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.scans.running.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.scans.ended.notify_one();
    }
}

impl Scans {
    pub(super) fn begin(&self) -> Result<Turn<'_>, NodeError> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |running: &mut usize| *running >= SCANS_MAX;
        let waited = self.ended.wait_timeout_while(running, REPLY_TIMEOUT, is_full);
        let (mut running, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() && *running >= SCANS_MAX {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(NodeError::Busy);
        }
        *running += 1;
        Ok(Turn { scans: self, asker: Arc::new(()) })
    }

    /// Lists refused because too many were being made.
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// Some rows of a list and how many it has.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// All that are wanted, on this page or not.
    pub count: usize,
}

impl Node {
    /// A page of the clients that are wanted, connected or not: `limit` of them behind `offset`.
    /// Without an order they come as they lie in memory; who comes or goes meanwhile may be missed.
    ///
    /// # Errors
    ///
    /// The node is stopping, or too many lists are being made.
    pub fn clients_page(
        &self,
        query: ClientQuery,
        offset: usize,
        limit: usize,
    ) -> Result<Page<ClientView>, NodeError> {
        let turn = self.scans.begin()?;
        let mut query = query;
        dedupe(&mut query.client_ids);
        if let Some(sort) = query.sort {
            return self.sorted_clients(&turn, query, sort, offset, limit);
        }
        let query = Arc::new(query);
        let mut hits: Vec<(u16, ClientHit)> = Vec::new();
        for (shard, (found, _)) in (0..).zip(self.ask_all(&turn, |reply| What::Clients {
            query: query.clone(),
            next: 0,
            enough: usize::MAX,
            found: Vec::new(),
            reply,
        })?) {
            hits.extend(found.into_iter().map(|hit| (shard, hit)));
        }
        let count = hits.len();
        let page: Vec<_> = hits.into_iter().skip(offset).take(limit).collect();
        Ok(Page { rows: self.client_rows(&turn, page)?, count })
    }

    fn sorted_clients(
        &self,
        turn: &Turn<'_>,
        query: ClientQuery,
        sort: ClientSort,
        offset: usize,
        limit: usize,
    ) -> Result<Page<ClientView>, NodeError> {
        let top = Top::new(offset, limit, query.is_descending);
        let query = Arc::new(query);
        let (reply, answer) = channel();
        for shard in 0..self.shared.shards() {
            let (query, keys, reply) = (query.clone(), Keys::default(), reply.clone());
            self.scan(turn, shard, What::ClientKeys { query, sort, next: 0, keys, reply })?;
        }
        drop(reply);
        let top = self.sorted(top, &answer)?;
        let (page, count) = top.into_page(offset, |_, hit| hit);
        Ok(Page { rows: self.client_rows(turn, page)?, count })
    }

    /// Takes in what every worker sends until each has sent its last part.
    fn sorted<T>(&self, mut top: Top<T>, answer: &Receiver<Keys<T>>) -> Result<Top<T>, NodeError> {
        let mut working = self.shared.shards();
        while working > 0 {
            let mut part = self.wait(answer)?;
            if part.is_empty() {
                working -= 1;
            }
            part.drain(|by, item| top.push(by, || item));
        }
        Ok(top)
    }

    fn client_rows(
        &self,
        turn: &Turn<'_>,
        page: Vec<(u16, ClientHit)>,
    ) -> Result<Vec<ClientView>, NodeError> {
        let mut wanted: Vec<Vec<ClientHit>> = vec![Vec::new(); self.inboxes.len()];
        let shards: Vec<u16> = page.iter().map(|(shard, _)| *shard).collect();
        for (shard, hit) in page {
            if let Some(wanted) = wanted.get_mut(usize::from(shard)) {
                wanted.push(hit);
            }
        }
        let mut wanted = wanted.into_iter();
        let answers = self.ask_all(turn, |reply| What::ClientRows {
            wanted: wanted.next().unwrap_or_default(),
            rows: Vec::new(),
            reply,
        })?;
        let mut rows: Vec<_> = answers.into_iter().map(Vec::into_iter).collect();
        let next = |shard: &u16| rows.get_mut(usize::from(*shard))?.next()?;
        Ok(shards.iter().filter_map(next).collect())
    }

    /// At most `limit` clients that are wanted from a cursor on (0: the beginning), as they lie in
    /// memory, and the cursor of the next ones (0: there are none).
    ///
    /// # Errors
    ///
    /// As for [`Node::clients_page`].
    #[allow(clippy::cast_possible_truncation)]
    pub fn clients_after(
        &self,
        query: ClientQuery,
        cursor: u64,
        limit: usize,
    ) -> Result<(Vec<ClientView>, u64), NodeError> {
        let turn = self.scans.begin()?;
        let query = Arc::new(ClientQuery { sort: None, ..query });
        let (mut shard, mut next) = ((cursor >> 32) as u16, cursor as u32);
        let mut page: Vec<(u16, ClientHit)> = Vec::new();
        // One more is looked for: a cursor is given where there is somebody to be found with it.
        let wanted = limit.saturating_add(1);
        while shard < self.shared.shards() && page.len() < wanted {
            let (reply, answer) = channel();
            let enough = wanted - page.len();
            let (query, found) = (query.clone(), Vec::new());
            self.scan(&turn, shard, What::Clients { query, next, enough, found, reply })?;
            let (found, rest) = self.wait(&answer)?;
            page.extend(found.into_iter().map(|hit| (shard, hit)));
            (shard, next) = rest.map_or((shard + 1, 0), |next| (shard, next));
        }
        let following = page
            .get(limit)
            .map_or(0, |(shard, hit)| (u64::from(*shard) << 32) | u64::from(hit.slot));
        page.truncate(limit);
        Ok((self.client_rows(&turn, page)?, following))
    }

    /// A page of the subscriptions that are wanted, of clients that are there or away.
    ///
    /// # Errors
    ///
    /// As for [`Node::clients_page`].
    pub fn subscriptions_page(
        &self,
        query: SubscriptionQuery,
        offset: usize,
        limit: usize,
    ) -> Result<Page<SubscriptionView>, NodeError> {
        let turn = self.scans.begin()?;
        if let Some(sort) = query.sort {
            return self.sorted_subscriptions(&turn, query, sort, offset, limit);
        }
        let query = Arc::new(query);
        let found = self.ask_all(&turn, |reply| What::Subscriptions {
            query: query.clone(),
            at: SubscriptionCursor::default(),
            found: Vec::new(),
            reply,
        })?;
        let count = found.iter().flatten().map(|hit| hit.count as usize).sum();
        let mut parts = cut(&found, offset, limit).into_iter();
        let rows = self.ask_all(&turn, |reply| What::SubscriptionRows {
            query: query.clone(),
            wanted: parts.next().unwrap_or_default(),
            rows: Vec::new(),
            reply,
        })?;
        Ok(Page { rows: rows.into_iter().flatten().collect(), count })
    }

    fn sorted_subscriptions(
        &self,
        turn: &Turn<'_>,
        query: SubscriptionQuery,
        sort: SubscriptionSort,
        offset: usize,
        limit: usize,
    ) -> Result<Page<SubscriptionView>, NodeError> {
        let top = Top::new(offset, limit, query.is_descending);
        let query = Arc::new(query);
        let (reply, answer) = channel();
        for shard in 0..self.shared.shards() {
            let (query, at) = (query.clone(), SubscriptionCursor::default());
            let (keys, reply) = (Keys::default(), reply.clone());
            self.scan(turn, shard, What::SubscriptionKeys { query, sort, at, keys, reply })?;
        }
        drop(reply);
        let top = self.sorted(top, &answer)?;
        let (rows, count) = top.into_page(offset, |by, rest| sort.view(by, rest));
        Ok(Page { rows, count })
    }

    /// Asks every worker at once; the answers in their order.
    pub(super) fn ask_all<T>(
        &self,
        turn: &Turn<'_>,
        mut what: impl FnMut(std::sync::mpsc::Sender<T>) -> What,
    ) -> Result<Vec<T>, NodeError> {
        let mut answers = Vec::with_capacity(self.inboxes.len());
        for shard in 0..self.shared.shards() {
            let (reply, answer) = channel();
            self.scan(turn, shard, what(reply))?;
            answers.push(answer);
        }
        answers.iter().map(|answer| self.wait(answer)).collect()
    }

    fn scan(&self, turn: &Turn<'_>, shard: u16, what: What) -> Result<(), NodeError> {
        self.check_running()?;
        let inbox = self.inboxes.get(usize::from(shard)).ok_or(NodeError::Stopping)?;
        inbox.push(Item::Scan(Box::new(Scan::new(what, &turn.asker))));
        Ok(())
    }
}

fn dedupe(names: &mut Vec<Box<str>>) {
    names.sort_unstable();
    names.dedup();
}

/// Which subscriptions of which session each worker has to read, the last one first.
fn cut(found: &[Vec<SubscriptionHit>], offset: usize, limit: usize) -> Vec<Vec<SubscriptionPart>> {
    let (mut skip, mut left) = (offset, limit);
    let mut parts = Vec::with_capacity(found.len());
    for hits in found {
        let mut wanted: Vec<SubscriptionPart> = Vec::new();
        for hit in hits {
            let count = hit.count as usize;
            let passed = skip.min(count);
            skip -= passed;
            let take = (count - passed).min(left);
            left -= take;
            if take > 0 {
                wanted.push((*hit, passed, take));
            }
        }
        wanted.reverse();
        parts.push(wanted);
    }
    parts
}
