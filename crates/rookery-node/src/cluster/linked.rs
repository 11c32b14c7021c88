//! What linked clusters told one node of the cluster, for the others.
//!
//! A linked cluster tells its routes over one connection, to whichever node takes it. That node
//! tells them on as it tells its own routes: [`RouteSource`], one [`RouteSender`] for each peer, and
//! a [`RouteMirror`] there. So each node sends messages over the link by itself, and when the node
//! dies that has the connection, only what is told anew elsewhere has to be learned.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use rookery_cluster::frame::{self, FRAME_BYTES_MAX, Frame, Route};
use rookery_cluster::routes::{RouteMirror, RouteSender, RouteSource, RouteTable};
use rookery_core::router::Weight;
use rookery_core::shared::Shared;

use super::DIGEST_MS;
use super::carrier::Carrier;
use super::peer::Peer;
use super::socket::{Broken, UNSENT_MAX};

/// Places of the trie looked at in one slice.
const SLICE: usize = 4096;

/// Routes of links on their way to one peer, and from it.
#[derive(Default)]
pub(super) struct Linked {
    sender: RouteSender,
    mirror: RouteMirror,
    digest_at_ms: u64,
}

impl Linked {
    /// The peer listens, and understands.
    pub(super) fn connected(&mut self, source: &RouteSource, now_ms: u64) {
        self.sender.connected(source, None);
        self.digest_at_ms = now_ms;
    }

    pub(super) fn disconnected(&mut self) {
        self.sender.disconnected();
    }

    /// The peer wants everything again.
    pub(super) fn wanted(&mut self) {
        self.sender.wanted();
    }

    /// Takes what the peer tells; whether it has to tell everything anew.
    pub(super) fn take(
        &mut self,
        mut frames: &[u8],
        numbers: &mut LinkNumbers,
    ) -> Result<bool, Broken> {
        let mut is_wanted = false;
        while !frames.is_empty() {
            let Some((frame, length)) = frame::next(frames, FRAME_BYTES_MAX)? else {
                return Err(Broken::new("protocol", "half a frame about routes of links"));
            };
            is_wanted |= self.mirror.take(frame, numbers)?;
            frames = frames.get(length..).unwrap_or_default();
        }
        Ok(is_wanted)
    }

    /// The connection from the peer is gone.
    pub(super) fn lost(&mut self, numbers: &mut LinkNumbers) {
        self.mirror.disconnected(numbers);
    }

    /// The peer is gone.
    pub(super) fn forget(&mut self, numbers: &mut LinkNumbers) {
        self.mirror.forget(numbers);
    }
}

/// A route of a link as it is told.
fn route<'a>(cluster: &'a str, filter: &'a str, weight: Weight) -> Route<'a> {
    Route { group: Some(cluster), filter, weight: weight.bits() }
}

/// What linked clusters told this node up to now.
pub(super) fn found(shared: &Shared) -> RouteSource {
    let mut source = RouteSource::default();
    track(shared, &mut source);
    source
}

fn track(shared: &Shared, source: &mut RouteSource) {
    shared.links.track(|cluster, topic| source.found(route(cluster, topic, Weight::SOME)));
}

impl Carrier {
    /// Notes what changed of the routes that linked clusters told this node.
    pub(super) fn note_link_routes(&mut self) {
        if !self.shared.links.has_changes() {
            return;
        }
        let taken = self.shared.links.take_changes();
        for change in &taken.changes {
            let cluster = change.group.as_deref().unwrap_or_default();
            let was = change.was.bits();
            self.link_source.change(route(cluster, &change.filter, change.is), was);
        }
        if taken.is_lost {
            self.link_source.restart();
            track(&self.shared, &mut self.link_source);
        }
    }

    /// Tells peers what there is to tell; whether there is more.
    pub(super) fn tell_link_routes(&mut self) -> bool {
        let mut is_busy = false;
        let (shared, source) = (&self.shared, &self.link_source);
        for peer in &mut self.peers {
            let Peer { lanes, linked, .. } = peer;
            let Some(lane) = lanes.first_mut().filter(|lane| lane.is_open()) else { continue };
            let Some(connection) = lane.connection.as_mut() else { continue };
            let mut frames = Vec::new();
            if linked.sender.has_news(source) && connection.unsent() < UNSENT_MAX {
                linked.sender.tell(source, &mut frames, |from, each| {
                    shared.links.routes_here(&shared.router, from, SLICE, |cluster, topic| {
                        each(route(cluster, topic, Weight::SOME));
                    })
                });
                is_busy |= linked.sender.has_news(source);
            } else if self.now_ms >= linked.digest_at_ms + DIGEST_MS {
                linked.digest_at_ms = self.now_ms;
                linked.sender.check(source, &mut frames);
            }
            if !frames.is_empty() {
                connection.put(&Frame::Links(&frames));
            }
        }
        is_busy
    }
}

/// One set of routes of a cluster.
struct Set {
    /// Under which they stand in the trie.
    number: u16,
    routes: usize,
}

/// Where routes of links stand that peers told.
pub(super) struct LinkNumbers {
    shared: Arc<Shared>,
    /// By the number of the mirror, then by cluster.
    tables: HashMap<u16, BTreeMap<Box<str>, Set>>,
    /// What is taken out, and how far that is.
    retiring: VecDeque<(u16, u32)>,
}

impl LinkNumbers {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, tables: HashMap::new(), retiring: VecDeque::new() }
    }

    pub(super) fn is_busy(&self) -> bool {
        !self.retiring.is_empty()
    }

    /// Takes routes of those that are gone out, a slice at a time.
    pub(super) fn work(&mut self) {
        let Some((number, from)) = self.retiring.front_mut() else { return };
        match self.shared.router.clear_routes(*number, *from, SLICE) {
            Some(next) => *from = next,
            None => {
                self.shared.links.copies.end(*number);
                self.retiring.pop_front();
            }
        }
    }

    /// Takes all routes out at once.
    pub(super) fn clear(&mut self) {
        let tables: Vec<u16> = self.tables.keys().copied().collect();
        tables.into_iter().for_each(|table| self.retire(table));
        while self.is_busy() {
            self.work();
        }
    }
}

impl RouteTable for LinkNumbers {
    fn number(&mut self) -> Option<u16> {
        let number = (0..u16::MAX).find(|number| !self.tables.contains_key(number))?;
        self.tables.insert(number, BTreeMap::new());
        Some(number)
    }

    fn set(&mut self, number: u16, routes: &[Route<'_>], each: &mut dyn FnMut(Route<'_>, u32)) {
        let Some(table) = self.tables.get_mut(&number) else { return };
        for of_cluster in routes.chunk_by(|a, b| a.group == b.group) {
            let Some(cluster) = of_cluster.first().and_then(|route| route.group) else { continue };
            if !table.contains_key(cluster) {
                // Without a number the sum will not fit, and all is told once more later.
                let Some(number) = self.shared.links.copies.begin(cluster) else { continue };
                table.insert(cluster.into(), Set { number, routes: 0 });
            }
            let Some(set) = table.get_mut(cluster) else { continue };
            let items = of_cluster.iter().map(|route| {
                let weight = if route.weight == 0 { Weight::NONE } else { Weight::SOME };
                (None, route.filter, weight)
            });
            let mut count = set.routes;
            self.shared.router.set_routes(set.number, items, |_, filter, was, is| {
                count += usize::from(!is.is_none());
                count = count.saturating_sub(usize::from(!was.is_none()));
                each(route(cluster, filter, is), was.bits());
            });
            set.routes = count;
            self.shared.links.copies.count(set.number, count);
        }
    }

    fn retire(&mut self, number: u16) {
        let sets = self.tables.remove(&number).into_iter().flatten();
        self.retiring.extend(sets.map(|(_, set)| (set.number, 0)));
    }
}
