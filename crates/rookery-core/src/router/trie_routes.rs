//! Routes of the cluster in the trie.

use super::arena::NIL;
use super::routes::Weight;
use super::trie::Trie;

/// Filters that another node has, with those of shared subscriptions, and where to go on.
pub(super) type RoutesOf = (Vec<String>, Vec<(String, String)>, Option<u32>);

impl Trie {
    /// What this node has for a filter.
    pub(super) fn local_weight(&self, group: Option<&str>, filter: &str) -> Weight {
        match group {
            Some(group) => self.group(group, filter).map_or(Weight::NONE, |group| group.weight()),
            None => match self.find(filter) {
                Some(id) if !self.subscribers(id).is_empty() => Weight::SOME,
                _ => Weight::NONE,
            },
        }
    }

    /// What this node has, from a place on; looks at no more than `visits` places.
    pub(super) fn local_routes(
        &self,
        from: u32,
        visits: usize,
        each: &mut impl FnMut(Option<&str>, &str, Weight),
    ) -> Option<u32> {
        let end = self.end_of(from, visits);
        for at in from..end {
            let has_subscribers = !self.subscribers(at).is_empty();
            let groups = self.groups(at);
            if !has_subscribers && groups.is_empty() {
                continue;
            }
            let filter = self.filter_text(at);
            if has_subscribers {
                each(None, &filter, Weight::SOME);
            }
            for group in groups {
                let weight = group.weight();
                if !weight.is_none() {
                    each(Some(group.name()), &filter, weight);
                }
            }
        }
        self.next_from(end)
    }

    /// What stands under some numbers, without shared subscriptions.
    pub(super) fn plain_routes_of(
        &self,
        numbers: &[u16],
        from: u32,
        visits: usize,
        mut each: impl FnMut(u16, &str),
    ) -> Option<u32> {
        let end = self.end_of(from, visits);
        for at in from..end {
            let mut found = self.remotes(at).iter().filter(|n| numbers.contains(n)).peekable();
            if found.peek().is_some() {
                let filter = self.filter_text(at);
                found.for_each(|number| each(*number, &filter));
            }
        }
        self.next_from(end)
    }

    /// What another node has, from a place on.
    pub(super) fn routes_of(&self, node: u16, from: u32, visits: usize) -> RoutesOf {
        let (mut plain, mut groups) = (Vec::new(), Vec::new());
        let end = self.end_of(from, visits);
        for at in from..end {
            if self.remotes(at).contains(&node) {
                plain.push(self.filter_text(at));
            }
            for group in self.groups(at) {
                if !group.remote(node).is_none() {
                    groups.push((group.name().to_owned(), self.filter_text(at)));
                }
            }
        }
        (plain, groups, self.next_from(end))
    }

    /// Notes whether another node has a filter: what it had, and whether match results change.
    pub(super) fn set_route(&mut self, filter: &str, node: u16, is_there: bool) -> (Weight, bool) {
        let id = if is_there { Some(self.find_or_add(filter)) } else { self.find(filter) };
        let Some(id) = id else { return (Weight::NONE, false) };
        let is_change = self.change_remotes(id, node, is_there);
        if !is_there {
            self.prune(id);
        }
        let was = if is_there == is_change { Weight::NONE } else { Weight::SOME };
        (was, is_change)
    }

    /// Notes how many members of a shared subscription another node has: what it had, and whether
    /// match results change.
    pub(super) fn set_remote_members(
        &mut self,
        name: &str,
        filter: &str,
        node: u16,
        weight: Weight,
    ) -> (Weight, bool) {
        if weight.is_none() && self.group(name, filter).is_none() {
            return (Weight::NONE, false);
        }
        let id = self.find_or_add(filter);
        let (group, is_new) = self.find_or_add_group(id, name, filter);
        let was = group.set_remote(node, weight);
        let is_gone = group.is_empty() && !group.has_remotes();
        if is_gone {
            self.drop_group(id, name, filter);
            self.prune(id);
        }
        (was, is_new || is_gone)
    }

    fn end_of(&self, from: u32, visits: usize) -> u32 {
        let end = (from as usize).saturating_add(visits).min(self.places());
        u32::try_from(end).unwrap_or(NIL)
    }

    fn next_from(&self, end: u32) -> Option<u32> {
        Some(end).filter(|at| (*at as usize) < self.places())
    }
}
