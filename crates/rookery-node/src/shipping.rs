//! What tickets wait for beside the store, as a worker sees it: writes of sessions on their way to the
//! node that keeps them as well, and messages on their way to links that keep them.
//!
//! A ticket is reported to the shard when it is stored here and those have it too. The lanes say when
//! that is, or that it is not waited for any more ([`Item::Shipped`]): they are asked for every ticket that
//! waits, and answer each. So does the thread of the links ([`Item::Kept`]).
//!
//! [`Item::Shipped`]: crate::inbox::Item::Shipped
//! [`Item::Kept`]: crate::inbox::Item::Kept

use std::collections::VecDeque;
use std::sync::Arc;

use rookery_core::ids::Now;
use rookery_core::shadow::{Listed, Shown, is_shared};
use rookery_core::store_port::{Op, Outcome};
use rookery_store::{encode_op, smallvec};

use crate::cluster::{Outlet, Shipped};
use crate::links::LinkOutlet;
use crate::outlet::{NOTHING, PROMISES};
use crate::worker::Worker;

/// Tickets that wait for somebody else than the store.
#[derive(Debug, Default)]
pub(crate) struct Shipping {
    /// Shipped and not confirmed.
    waiting: VecDeque<u64>,
    /// What links have to keep.
    for_links: VecDeque<u64>,
    /// Stored here, in the order in which the store said so.
    stored: VecDeque<(u64, Outcome)>,
}

impl Shipping {
    /// A ticket waits for the links; 0: none does.
    pub(crate) fn wait_for_links(&mut self, ticket: u64) {
        if ticket != 0 {
            self.for_links.push_back(ticket);
        }
    }

    /// The first ticket that somebody is waited for with.
    fn first(&self) -> u64 {
        let first = |tickets: &VecDeque<u64>| tickets.front().copied().unwrap_or(u64::MAX);
        first(&self.waiting).min(first(&self.for_links))
    }
}

fn drop_until(tickets: &mut VecDeque<u64>, ticket: u64) {
    while tickets.front().is_some_and(|first| *first <= ticket) {
        tickets.pop_front();
    }
}

impl Worker {
    /// What the other node gets of a turn, if it gets anything.
    pub(crate) fn ship(&mut self, ticket: u64, ops: &[Op]) -> Option<Shipped> {
        let shown = std::mem::take(&mut self.shard.effects.shown);
        let lanes = self.lanes.as_ref()?;
        let (wants, is_strict) = (lanes.wants(), self.shard.must_be_confirmed());
        let mut shipped = Shipped { is_strict, ..Shipped::default() };
        if wants == NOTHING {
            // There is nobody to ship to, but somebody may come.
            let is_waiting = is_strict && ops.iter().any(is_shared);
            shipped.ticket = if is_waiting { ticket } else { 0 };
            self.shipping.waiting.extend(is_waiting.then_some(ticket));
            return is_waiting.then_some(shipped);
        }
        for shown in shown {
            match shown {
                Shown::Open => shipped.is_open = true,
                Shown::Slice { ops, next } => {
                    ops.into_iter().for_each(|listed| self.ship_listed(listed, &mut shipped));
                    shipped.listed = Some(next);
                }
            }
        }
        let before = shipped.bytes.len();
        for op in ops.iter().filter(|op| is_shared(op)) {
            encode_op(op, &mut shipped.bytes);
        }
        if (wants == PROMISES || is_strict) && shipped.bytes.len() > before {
            shipped.ticket = ticket;
            self.shipping.waiting.push_back(ticket);
        }
        let is_something = !shipped.bytes.is_empty() || shipped.is_open || shipped.listed.is_some();
        is_something.then_some(shipped)
    }

    /// A message that is in the store alone is read here: what happens to it meanwhile comes behind.
    fn ship_listed(&self, listed: Listed, shipped: &mut Shipped) {
        let op = match listed {
            Listed::Op(op) => op,
            Listed::Stored { seq, claim } => {
                let Some(store) = &self.store else { return };
                // One that cannot be read is as lost here as it is there.
                let Ok(Some(message)) = store.read(seq) else { return };
                Op::Publish { seq, message, refs: smallvec![claim], is_moved: true }
            }
        };
        encode_op(&op, &mut shipped.bytes);
    }

    /// The store finished a ticket.
    pub(crate) fn stored(&mut self, now: Now, ticket: u64, outcome: Outcome) {
        if self.shipping.stored.is_empty() && self.shipping.first() > ticket {
            self.shard.committed(now, ticket, outcome);
        } else {
            self.shipping.stored.push_back((ticket, outcome));
        }
    }

    /// The other node has everything up to a ticket, or is not waited for.
    pub(crate) fn shipped(&mut self, now: Now, ticket: u64) {
        drop_until(&mut self.shipping.waiting, ticket);
        self.report_stored(now);
    }

    /// Links have everything up to a ticket.
    pub(crate) fn kept_by_links(&mut self, now: Now, ticket: u64) {
        drop_until(&mut self.shipping.for_links, ticket);
        self.report_stored(now);
    }

    fn report_stored(&mut self, now: Now) {
        let first = self.shipping.first();
        while let Some((ticket, outcome)) =
            self.shipping.stored.front().copied().filter(|(ticket, _)| *ticket < first)
        {
            self.shipping.stored.pop_front();
            self.shard.committed(now, ticket, outcome);
        }
    }

    /// Links begin or end.
    pub(crate) fn take_links(&mut self, now: Now, links: Option<Arc<LinkOutlet>>) {
        self.links = links;
        if self.links.is_none() {
            self.kept_by_links(now, u64::MAX);
        }
    }

    /// The lanes to other nodes are opened or closed.
    pub(crate) fn take_lanes(&mut self, now: Now, lanes: Option<Arc<Outlet>>) {
        self.lanes = lanes;
        if self.lanes.is_none() {
            self.shipped(now, u64::MAX);
        }
    }
}
