//! Numbers under which the routes of other nodes stand in the trie.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use rookery_cluster::frame::Route;
use rookery_cluster::routes::RouteTable;
use rookery_core::router::{LINKS_FROM, Weight};
use rookery_core::shared::Shared;

/// Places of the trie looked at in one slice.
const SLICE: usize = 1024;
/// How long a number still stands for its peer when its routes are taken out: workers may have matched
/// messages before.
const LATE_MS: u64 = 10_000;

/// A number whose routes are taken out.
struct Late {
    number: u16,
    peer: u64,
    until_ms: u64,
}

/// The table of routes, as far as other nodes are concerned.
pub(super) struct Numbers {
    shared: Arc<Shared>,
    /// Whose routes they are; a peer whose routes are told anew has two.
    peers: HashMap<u16, u64>,
    /// Whose routes are taken out, and how far that is.
    retiring: VecDeque<(u16, u32)>,
    late: VecDeque<Late>,
    next: u16,
    pub(super) now_ms: u64,
}

impl Numbers {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            peers: HashMap::new(),
            retiring: VecDeque::new(),
            late: VecDeque::new(),
            next: 0,
            now_ms: 0,
        }
    }

    /// The peer that a number stands for, or stood for a moment ago.
    pub(super) fn peer(&self, number: u16) -> Option<u64> {
        let late = || self.late.iter().find(|late| late.number == number).map(|late| late.peer);
        self.peers.get(&number).copied().or_else(late)
    }

    /// The table on behalf of a peer.
    pub(super) fn of(&mut self, peer: u64) -> ForPeer<'_> {
        ForPeer { numbers: self, peer }
    }

    pub(super) fn is_busy(&self) -> bool {
        !self.retiring.is_empty()
    }

    /// Takes routes of those that are gone out, a slice at a time.
    pub(super) fn work(&mut self) {
        let Some((number, from)) = self.retiring.front_mut() else { return };
        match self.shared.router.clear_routes(*number, *from, SLICE) {
            Some(next) => *from = next,
            None => drop(self.retiring.pop_front()),
        }
    }

    /// Takes all routes out at once.
    pub(super) fn clear(&mut self) {
        let gone: Vec<u16> = self.peers.drain().map(|(number, _)| number).collect();
        self.retiring.extend(gone.into_iter().map(|number| (number, 0)));
        while self.is_busy() {
            self.work();
        }
    }
}

pub(super) struct ForPeer<'a> {
    numbers: &'a mut Numbers,
    peer: u64,
}

impl RouteTable for ForPeer<'_> {
    fn number(&mut self) -> Option<u16> {
        let numbers = &mut *self.numbers;
        while numbers.late.front().is_some_and(|late| late.until_ms <= numbers.now_ms) {
            numbers.late.pop_front();
        }
        let is_used = |number: &u16| {
            numbers.peers.contains_key(number)
                || numbers.retiring.iter().any(|(gone, _)| gone == number)
                || numbers.late.iter().any(|late| late.number == *number)
        };
        let mut all = (0..u16::MAX).map(|n| numbers.next.wrapping_add(n));
        let number = all.find(|n| *n < LINKS_FROM && !is_used(n))?;
        numbers.next = number.wrapping_add(1);
        numbers.peers.insert(number, self.peer);
        Some(number)
    }

    fn set(&mut self, number: u16, routes: &[Route<'_>], each: &mut dyn FnMut(Route<'_>, u32)) {
        let items =
            routes.iter().map(|route| (route.group, route.filter, Weight::from_bits(route.weight)));
        self.numbers.shared.router.set_routes(number, items, |group, filter, was, is| {
            each(Route { group, filter, weight: is.bits() }, was.bits());
        });
    }

    fn retire(&mut self, number: u16) {
        let numbers = &mut *self.numbers;
        if let Some(peer) = numbers.peers.remove(&number) {
            numbers.retiring.push_back((number, 0));
            numbers.late.push_back(Late { number, peer, until_ms: numbers.now_ms + LATE_MS });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_for_its_peer_until_nobody_can_have_matched_it() {
        let mut numbers = Numbers::new(Arc::new(Shared::new(1, 1, 1)));
        let first = numbers.of(7).number().unwrap_or_default();
        numbers.of(7).retire(first);
        while numbers.is_busy() {
            numbers.work();
        }
        assert_eq!(numbers.peer(first), Some(7));
        numbers.next = first;
        numbers.now_ms = LATE_MS - 1;
        assert!(numbers.of(8).number().is_some_and(|number| number != first));
        numbers.next = first;
        numbers.now_ms = LATE_MS;
        assert_eq!(numbers.of(9).number(), Some(first));
        assert_eq!(numbers.peer(first), Some(9));
    }
}
