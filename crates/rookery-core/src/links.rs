//! What linked clusters want, for all shards of a node.
//!
//! A cluster tells its routes to one node here, over one connection. The others learn them over the
//! lanes of the cluster: each of these sets stands in the router under a number of its own, so that
//! it can be taken out when its node is gone, and [`Copies`] knows which link each number means.

mod deletions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rookery_links::receiver::{Receiver, Session, Violation};

pub use deletions::{AGE_MS, Age, DELETIONS_MAX, Deletion, Deletions};

use crate::router::{LINK_COPIES_FROM, RouteChanges, Router, Tracking, Weight};

/// Places of the trie looked at in one slice.
const SLICE: usize = 1024;

/// What linked clusters told, and what of it stands in the router.
///
/// The lock is held while both are changed, so that they say the same.
#[derive(Debug, Default)]
pub struct Links {
    receiver: Mutex<Receiver>,
    /// What changed, for the other nodes of the cluster.
    feed: Tracking,
    /// An actor of another cluster came.
    has_news: AtomicBool,
    /// Some link keeps messages on disk.
    keeps: AtomicBool,
    /// What other nodes of the cluster told.
    pub copies: Copies,
    /// What was deleted of what is retained.
    pub deletions: Deletions,
}

impl Links {
    /// What was told.
    pub fn lock(&self) -> MutexGuard<'_, Receiver> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a payload of a cluster's route topic: [`Receiver::take`].
    ///
    /// # Errors
    ///
    /// The connection has to end.
    pub fn take(
        &self,
        router: &Router,
        cluster: &str,
        session: &mut Option<Session>,
        payload: &[u8],
        now_ms: u64,
    ) -> Result<Option<Vec<u8>>, Violation> {
        let mut changes: Vec<(u16, String, bool)> = Vec::new();
        let mut receiver = self.lock();
        let answer =
            receiver.take(cluster, session, payload, now_ms, |link, topic, is_there| {
                changes.push((link, topic.to_owned(), is_there));
            })?;
        if answer.is_some() {
            self.has_news.store(true, Ordering::Release);
        }
        for of_link in changes.chunk_by(|a, b| a.0 == b.0) {
            let Some((link, ..)) = of_link.first() else { continue };
            let items = of_link.iter().map(|(_, topic, is_there)| {
                (None, topic.as_str(), if *is_there { Weight::SOME } else { Weight::NONE })
            });
            // Who walks over the router after the feed was read finds what the feed told.
            router.set_routes(*link, items, |_, topic, was, is| {
                self.feed.note(Some(cluster), topic, was, is);
            });
        }
        Ok(answer)
    }

    /// Forgets actors of whom nothing was heard, a slice at a time; whether there is more to do.
    pub fn collect(&self, router: &Router, now_ms: u64) -> bool {
        let mut gone: Vec<(u16, String)> = Vec::new();
        let mut receiver = self.lock();
        let is_busy =
            receiver.collect(now_ms, SLICE, |link, topic| gone.push((link, topic.to_owned())));
        for (link, topic) in &gone {
            let item = (None, topic.as_str(), Weight::NONE);
            let name = receiver.links().find(|(_, number)| number == link).map(|(name, _)| name);
            router.set_routes(*link, [item], |_, topic, was, is| {
                self.feed.note(name, topic, was, is);
            });
        }
        is_busy
    }

    /// Takes everything out of the router that links wanted that are gone, a slice at a time.
    pub fn clear(&self, router: &Router, links: &[u16]) {
        for link in links {
            let mut from = Some(0);
            while let Some(at) = from {
                from = router.clear_routes(*link, at, SLICE);
            }
        }
        if !links.is_empty() {
            self.feed.lose();
        }
    }

    /// Whether the thread of the links has something to look at in [`Links::lock`], or to write.
    #[inline]
    #[must_use]
    pub fn has_news(&self) -> bool {
        self.has_news.load(Ordering::Acquire) || self.deletions.has_unwritten()
    }

    /// Whether it has something to look at; it looks now.
    #[must_use]
    pub fn take_news(&self) -> bool {
        self.has_news.swap(false, Ordering::AcqRel)
    }

    /// Whether acknowledgements of messages for links wait until those have them: some link keeps
    /// messages on disk.
    #[inline]
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.keeps.load(Ordering::Acquire)
    }

    /// The thread of the links says so.
    pub fn set_keeps(&self, keeps: bool) {
        self.keeps.store(keeps, Ordering::Release);
    }

    /// Notes from now on what other nodes have to know of the routes that came to this one, and
    /// tells those that are here: cluster and topic.
    pub fn track(&self, mut each: impl FnMut(&str, &str)) {
        let mut receiver = self.lock();
        receiver.set_is_one_of_many(true);
        self.feed.set(true);
        for (name, _) in receiver.links() {
            let topics = receiver.table(name).into_iter().flat_map(|table| table.topics());
            topics.for_each(|topic| each(name, topic));
        }
    }

    /// The inverse; what waits is forgotten.
    pub fn untrack(&self) {
        self.lock().set_is_one_of_many(false);
        self.feed.set(false);
    }

    /// Whether other nodes have to be told of changes.
    #[inline]
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.feed.has_changes()
    }

    /// Takes the changes that wait; the group of each is the cluster.
    #[must_use]
    pub fn take_changes(&self) -> RouteChanges {
        self.feed.take()
    }

    /// The topic filters that a cluster wants, whichever node it told them to.
    #[must_use]
    pub fn routes(&self, router: &Router, cluster: &str) -> BTreeSet<Box<str>> {
        let own = self.lock().links().find(|(name, _)| *name == cluster).map(|(_, number)| number);
        let copies = self.copies.all().into_iter();
        let copies = copies.filter(|(_, copy)| &*copy.cluster == cluster).map(|(number, _)| number);
        let numbers: Vec<u16> = own.into_iter().chain(copies).collect();
        let mut found = BTreeSet::new();
        let mut from = Some(0);
        while let Some(at) = from {
            from = router.routes_of(&numbers, at, SLICE, |_, topic| {
                found.insert(topic.into());
            });
        }
        found
    }

    /// A part of the routes that came to this node, from a place on: [`Router::routes_of`].
    pub fn routes_here(
        &self,
        router: &Router,
        from: u32,
        visits: usize,
        mut each: impl FnMut(&str, &str),
    ) -> Option<u32> {
        let links: Vec<(u16, Box<str>)> =
            self.lock().links().map(|(name, number)| (number, name.into())).collect();
        let numbers: Vec<u16> = links.iter().map(|(number, _)| *number).collect();
        router.routes_of(&numbers, from, visits, |number, topic| {
            if let Some((_, name)) = links.iter().find(|(known, _)| *known == number) {
                each(name, topic);
            }
        })
    }
}

/// One set of routes that another node told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Whose routes they are.
    pub cluster: Box<str>,
    /// How many.
    pub routes: usize,
}

/// The numbers of what other nodes of the cluster told of links.
#[derive(Debug, Default)]
pub struct Copies {
    sets: Mutex<Sets>,
    version: AtomicU64,
}

#[derive(Debug, Default)]
struct Sets {
    by_number: BTreeMap<u16, Copy>,
    /// Numbers are taken in turn, so that what was matched with one that is free again means
    /// nothing else.
    taken: u16,
}

impl Copies {
    fn lock(&self) -> MutexGuard<'_, Sets> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number for routes of a cluster; none when there is none left.
    pub fn begin(&self, cluster: &str) -> Option<u16> {
        let mut sets = self.lock();
        let places = u16::MAX - LINK_COPIES_FROM;
        let mut all = (1..=places).map(|n| LINK_COPIES_FROM + (sets.taken + n) % places);
        let number = all.find(|number| !sets.by_number.contains_key(number))?;
        sets.taken = number - LINK_COPIES_FROM;
        sets.by_number.insert(number, Copy { cluster: cluster.into(), routes: 0 });
        self.version.fetch_add(1, Ordering::Release);
        Some(number)
    }

    /// Notes how many routes there are now.
    pub fn count(&self, number: u16, routes: usize) {
        if let Some(copy) = self.lock().by_number.get_mut(&number) {
            copy.routes = routes;
        }
    }

    /// Gives a number back under which nothing is left.
    pub fn end(&self, number: u16) {
        self.lock().by_number.remove(&number);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Rises with every number that is taken or given back.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<(u16, Copy)> {
        self.lock().by_number.iter().map(|(number, copy)| (*number, copy.clone())).collect()
    }

    /// How many routes of a cluster other nodes told.
    #[must_use]
    pub fn routes(&self, cluster: &str) -> usize {
        let of_it = |copy: &&Copy| &*copy.cluster == cluster;
        self.lock().by_number.values().filter(of_it).map(|copy| copy.routes).sum()
    }
}
