//! The subscription trie.
//!
//! Nodes lie in one pool and name each other by number. A node stands for the levels from the root
//! to it; exact children are found in one hash table by (parent, level), the two wildcard children
//! are in the node. Only the text of each distinct level is kept, once.
//!
//! **Invariants.** A node other than the root has a subscription, a group, a rule, a route or a child: filters that
//! went leave nothing behind. No operation recurses; each costs the number of levels of its filter.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::DefaultHashBuilder;

use super::arena::{Arena, NIL};
use super::keyed_list::KeyedList;
use super::level_names::LevelNames;
use super::node::{Change, HASH, Node, PLUS, ROOT, Step, Subs, SubsAt, steps};
use super::routes::NodeSets;
use super::shared::SharedGroup;
use super::subscriber::Subscriber;
use super::tables::Tables;
use crate::ids::SessionKey;

/// Estimated bytes of a member in a shared group.
const MEMBER_BYTES: usize = size_of::<Subscriber>() * 3 / 2;

#[derive(Debug)]
pub(super) struct Trie {
    nodes: Arena<Node>,
    edges: Tables,
    hasher: DefaultHashBuilder,
    names: LevelNames,
    singles: Arena<Subscriber>,
    lists: Arena<KeyedList<Subscriber>>,
    groups: Arena<KeyedList<Arc<SharedGroup>>>,
    /// Numbers of the rules that see the messages of a filter.
    rules: Arena<Vec<u32>>,
    /// Nodes of the cluster that have subscribers.
    node_sets: NodeSets,
    counts: Counts,
    /// Heap bytes of `lists`, `groups`, `rules` and what they hold.
    list_bytes: usize,
}

/// How much a trie holds.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) filters: usize,
    pub(super) subscriptions: usize,
    pub(super) shared: usize,
    pub(super) groups: usize,
    /// Distinct filters that other nodes have.
    pub(super) routes: usize,
}

fn edge_hash(hasher: &DefaultHashBuilder, parent: u32, level: u32) -> u64 {
    hasher.hash_one(u64::from(parent) << 32 | u64::from(level))
}

fn rooted() -> Arena<Node> {
    let mut nodes = Arena::new();
    nodes.insert(Node::default());
    nodes
}

impl Trie {
    pub(super) fn new() -> Self {
        Self {
            nodes: rooted(),
            edges: Tables::new(),
            hasher: DefaultHashBuilder::default(),
            names: LevelNames::new(),
            singles: Arena::new(),
            lists: Arena::new(),
            groups: Arena::new(),
            rules: Arena::new(),
            node_sets: NodeSets::default(),
            counts: Counts::default(),
            list_bytes: 0,
        }
    }

    pub(super) const fn counts(&self) -> Counts {
        self.counts
    }

    pub(super) fn node(&self, id: u32) -> &Node {
        self.nodes.get(id)
    }

    pub(super) fn level_number(&self, level: &[u8]) -> Option<u32> {
        self.names.get(level)
    }

    /// The exact child of a node.
    pub(super) fn child(&self, parent: u32, level: u32) -> Option<u32> {
        let hash = edge_hash(&self.hasher, parent, level);
        let is_child = |id: &u32| {
            let node = self.nodes.get(*id);
            node.parent == parent && node.level == level
        };
        self.edges.of(hash).find(hash, is_child).copied()
    }

    /// The subscribers of a node.
    pub(super) fn subscribers(&self, id: u32) -> &[Subscriber] {
        match self.nodes.get(id).subs.at() {
            SubsAt::None => &[],
            SubsAt::Single(at) => std::slice::from_ref(self.singles.get(at)),
            SubsAt::List(at) => self.lists.get(at).as_slice(),
        }
    }

    /// The shared groups of a node.
    pub(super) fn groups(&self, id: u32) -> &[Arc<SharedGroup>] {
        match self.nodes.get(id).groups {
            NIL => &[],
            at => self.groups.get(at).as_slice(),
        }
    }

    /// The rules of a node.
    pub(super) fn rules(&self, id: u32) -> &[u32] {
        match self.nodes.get(id).rules {
            NIL => &[],
            at => self.rules.get(at),
        }
    }

    /// The nodes of the cluster that have subscribers of a node's filter.
    pub(super) fn remotes(&self, id: u32) -> &[u16] {
        match self.nodes.get(id).routes {
            0 => &[],
            set => self.node_sets.nodes(set),
        }
    }

    /// Whether somebody here subscribed to a node's filter; rules and other nodes are nobody.
    fn has_local(&self, id: u32) -> bool {
        !matches!(self.nodes.get(id).subs.at(), SubsAt::None)
            || self.groups(id).iter().any(|group| !group.is_empty())
    }

    /// The node of a filter, if it is there.
    pub(super) fn find(&self, filter: &str) -> Option<u32> {
        let mut at = ROOT;
        for step in steps(filter) {
            at = match step {
                Step::Plus => Some(self.nodes.get(at).plus).filter(|id| *id != NIL)?,
                Step::Hash => Some(self.nodes.get(at).hash).filter(|id| *id != NIL)?,
                Step::Exact(level) => self.child(at, self.names.get(level)?)?,
            };
        }
        Some(at)
    }

    /// The node of a filter, made at need.
    pub(super) fn find_or_add(&mut self, filter: &str) -> u32 {
        let mut at = ROOT;
        for step in steps(filter) {
            at = match step {
                Step::Plus => self.wildcard_child(at, PLUS),
                Step::Hash => self.wildcard_child(at, HASH),
                Step::Exact(level) => self.exact_child(at, level),
            };
        }
        at
    }

    fn wildcard_child(&mut self, parent: u32, level: u32) -> u32 {
        let node = self.nodes.get(parent);
        let present = if level == PLUS { node.plus } else { node.hash };
        if present != NIL {
            return present;
        }
        let id = self.nodes.insert(Node { parent, level, ..Node::default() });
        let node = self.nodes.get_mut(parent);
        *(if level == PLUS { &mut node.plus } else { &mut node.hash }) = id;
        id
    }

    fn exact_child(&mut self, parent: u32, text: &[u8]) -> u32 {
        if let Some(level) = self.names.get(text)
            && let Some(id) = self.child(parent, level)
        {
            return id;
        }
        let level = self.names.acquire(text);
        let id = self.nodes.insert(Node { parent, level, ..Node::default() });
        self.nodes.get_mut(parent).children += 1;
        let (nodes, hasher) = (&self.nodes, &self.hasher);
        self.edges.insert(edge_hash(hasher, parent, level), id, |id| {
            let node = nodes.get(*id);
            edge_hash(hasher, node.parent, node.level)
        });
        id
    }

    /// Takes away a node that nothing needs, and then its parents.
    pub(super) fn prune(&mut self, mut id: u32) {
        while id != ROOT && self.nodes.get(id).is_unused() {
            let Node { parent, level, .. } = *self.nodes.get(id);
            match level {
                PLUS => self.nodes.get_mut(parent).plus = NIL,
                HASH => self.nodes.get_mut(parent).hash = NIL,
                _ => {
                    let (nodes, hasher) = (&self.nodes, &self.hasher);
                    self.edges.remove(edge_hash(hasher, parent, level), id, |id| {
                        let node = nodes.get(*id);
                        edge_hash(hasher, node.parent, node.level)
                    });
                    self.names.release(level);
                    self.nodes.get_mut(parent).children -= 1;
                }
            }
            self.nodes.remove(id);
            id = parent;
        }
        if self.nodes.len() == 1 {
            self.nodes = rooted();
        }
    }

    pub(super) fn insert(&mut self, filter: &str, sub: Subscriber) -> Change {
        let id = self.find_or_add(filter);
        let had_filter = self.has_local(id);
        let change = match self.nodes.get(id).subs.at() {
            SubsAt::None => {
                self.nodes.get_mut(id).subs = Subs(self.singles.insert(sub));
                Change::Added
            }
            SubsAt::Single(at) => {
                let present = self.singles.get_mut(at);
                if present.key == sub.key {
                    Change::replacing(present, sub)
                } else {
                    let mut list = KeyedList::default();
                    list.push(self.singles.remove(at));
                    list.push(sub);
                    self.list_bytes += list.heap_bytes();
                    self.nodes.get_mut(id).subs = Subs(self.lists.insert(list) | Subs::LIST);
                    Change::Added
                }
            }
            SubsAt::List(at) => {
                let list = self.lists.get_mut(at);
                if let Some(present) = list.get_mut(&sub.key) {
                    Change::replacing(present, sub)
                } else {
                    self.list_bytes -= list.heap_bytes();
                    list.push(sub);
                    self.list_bytes += list.heap_bytes();
                    Change::Added
                }
            }
        };
        if change == Change::Added {
            self.counts.subscriptions += 1;
            self.counts.filters += usize::from(!had_filter);
        }
        change
    }

    pub(super) fn remove(&mut self, filter: &str, key: SessionKey) -> bool {
        let Some(id) = self.find(filter) else { return false };
        let subs = match self.nodes.get(id).subs.at() {
            SubsAt::Single(at) if self.singles.get(at).key == key => {
                self.singles.remove(at);
                Subs(NIL)
            }
            SubsAt::List(at) => {
                let list = self.lists.get_mut(at);
                let before = list.heap_bytes();
                if list.remove(&key).is_none() {
                    return false;
                }
                self.list_bytes -= before;
                if let [last] = *list.as_slice() {
                    self.lists.remove(at);
                    Subs(self.singles.insert(last))
                } else {
                    self.list_bytes += list.heap_bytes();
                    Subs(at | Subs::LIST)
                }
            }
            _ => return false,
        };
        self.nodes.get_mut(id).subs = subs;
        self.counts.subscriptions -= 1;
        self.forget_filter(id);
        true
    }

    /// After something was taken from a node that had a filter.
    fn forget_filter(&mut self, id: u32) {
        if !self.has_local(id) {
            self.counts.filters -= 1;
            self.prune(id);
        }
    }

    /// Whether somebody subscribed to a filter.
    pub(super) fn has_filter(&self, filter: &str) -> bool {
        self.find(filter).is_some_and(|id| self.has_local(id))
    }

    pub(super) fn group(&self, name: &str, filter: &str) -> Option<&Arc<SharedGroup>> {
        let id = self.find(filter)?;
        match self.nodes.get(id).groups {
            NIL => None,
            at => self.groups.get(at).get(name),
        }
    }

    /// The second value tells whether the group is new, so that match results change.
    pub(super) fn insert_shared(
        &mut self,
        name: &str,
        filter: &str,
        sub: Subscriber,
    ) -> (bool, bool) {
        let id = self.find_or_add(filter);
        let had_filter = self.has_local(id);
        let (group, is_new_group) = self.find_or_add_group(id, name, filter);
        let is_new = group.insert(sub);
        self.counts.shared += usize::from(is_new);
        self.list_bytes += if is_new { MEMBER_BYTES } else { 0 };
        self.counts.filters += usize::from(!had_filter);
        (is_new, is_new_group)
    }

    /// The second value tells whether the group is gone, so that match results change.
    pub(super) fn remove_shared(
        &mut self,
        name: &str,
        filter: &str,
        key: SessionKey,
    ) -> (bool, bool) {
        let Some(id) = self.find(filter) else { return (false, false) };
        let at = self.nodes.get(id).groups;
        if at == NIL {
            return (false, false);
        }
        let list = self.groups.get_mut(at);
        let Some(group) = list.get(name) else { return (false, false) };
        if !group.remove(key) {
            return (false, false);
        }
        self.counts.shared -= 1;
        self.list_bytes -= MEMBER_BYTES;
        if !group.is_empty() {
            return (true, false);
        }
        let is_gone = !group.has_remotes();
        if is_gone {
            self.drop_group(id, name, filter);
        }
        self.forget_filter(id);
        (true, is_gone)
    }

    /// Takes an empty group off a node.
    pub(super) fn drop_group(&mut self, id: u32, name: &str, filter: &str) {
        let at = self.nodes.get(id).groups;
        let list = self.groups.get_mut(at);
        self.list_bytes -= list.heap_bytes() + group_bytes(name, filter);
        list.remove(name);
        self.list_bytes += list.heap_bytes();
        self.counts.groups -= 1;
        if list.is_empty() {
            self.groups.remove(at);
            self.nodes.get_mut(id).groups = NIL;
        }
    }

    /// The group of a filter, made at need; whether it is new.
    pub(super) fn find_or_add_group(
        &mut self,
        id: u32,
        name: &str,
        filter: &str,
    ) -> (&SharedGroup, bool) {
        let at = match self.nodes.get(id).groups {
            NIL => {
                let at = self.groups.insert(KeyedList::default());
                self.nodes.get_mut(id).groups = at;
                at
            }
            at => at,
        };
        let list = self.groups.get_mut(at);
        let is_new = list.get(name).is_none();
        if is_new {
            self.list_bytes += group_bytes(name, filter);
            self.list_bytes -= list.heap_bytes();
            list.push(Arc::new(SharedGroup::new(name, filter)));
            self.list_bytes += list.heap_bytes();
            self.counts.groups += 1;
        }
        // It was pushed last if it is new.
        let group = if is_new { list.as_slice().last() } else { list.get(name) };
        #[allow(clippy::expect_used)]
        (group.expect("it was just looked up or pushed"), is_new)
    }

    /// Lets a rule see the messages of a filter; true if it did not before.
    pub(super) fn insert_rule(&mut self, filter: &str, number: u32) -> bool {
        let id = self.find_or_add(filter);
        let at = match self.nodes.get(id).rules {
            NIL => {
                let at = self.rules.insert(Vec::new());
                self.nodes.get_mut(id).rules = at;
                at
            }
            at => at,
        };
        let list = self.rules.get_mut(at);
        if list.contains(&number) {
            return false;
        }
        self.list_bytes -= rule_list_bytes(list);
        list.push(number);
        self.list_bytes += rule_list_bytes(list);
        true
    }

    /// The inverse of [`Trie::insert_rule`]; true if it was there.
    pub(super) fn remove_rule(&mut self, filter: &str, number: u32) -> bool {
        let Some(id) = self.find(filter) else { return false };
        let at = self.nodes.get(id).rules;
        if at == NIL {
            return false;
        }
        let list = self.rules.get_mut(at);
        let Some(place) = list.iter().position(|have| *have == number) else { return false };
        self.list_bytes -= rule_list_bytes(list);
        list.swap_remove(place);
        list.shrink_to_fit();
        self.list_bytes += rule_list_bytes(list);
        if list.is_empty() {
            self.rules.remove(at);
            self.nodes.get_mut(id).rules = NIL;
            self.prune(id);
        }
        true
    }

    /// Nodes that have a filter, in the order of their numbers from `from` on; looks at no more
    /// than `visits` places. Also the number to go on from.
    pub(super) fn filters_from(
        &self,
        from: u32,
        limit: usize,
        visits: usize,
    ) -> (Vec<(String, usize)>, Option<u32>) {
        let mut found = Vec::new();
        let mut at = from;
        for _ in self.nodes.iter().skip(from as usize).take(visits) {
            if found.len() == limit {
                break;
            }
            if self.has_local(at) {
                let shared = self.groups(at).iter().map(|group| group.len()).sum::<usize>();
                found.push((self.filter_text(at), self.subscribers(at).len() + shared));
            }
            at += 1;
        }
        let next = Some(at).filter(|at| (*at as usize) < self.nodes.places());
        (found, next)
    }

    pub(super) fn filter_text(&self, mut id: u32) -> String {
        let mut levels = Vec::new();
        while id != ROOT {
            let node = self.nodes.get(id);
            levels.push(match node.level {
                PLUS => b"+",
                HASH => b"#",
                level => self.names.text(level),
            });
            id = node.parent;
        }
        levels.reverse();
        String::from_utf8_lossy(&levels.join(&b'/')).into_owned()
    }

    /// Places of nodes, used or not.
    pub(super) fn places(&self) -> usize {
        self.nodes.places()
    }

    /// Notes whether another node has a node's filter; whether that is a change.
    pub(super) fn change_remotes(&mut self, id: u32, node: u16, is_there: bool) -> bool {
        let set = self.nodes.get(id).routes;
        let Some(new) = self.node_sets.replace(set, node, is_there) else { return false };
        self.nodes.get_mut(id).routes = new;
        match (set, new) {
            (0, _) => self.counts.routes += 1,
            (_, 0) => self.counts.routes -= 1,
            _ => {}
        }
        true
    }

    /// Distinct sets of nodes.
    #[cfg(test)]
    pub(super) fn distinct_node_sets(&self) -> usize {
        self.node_sets.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.nodes.memory_bytes()
            + self.edges.memory_bytes()
            + self.names.memory_bytes()
            + self.singles.memory_bytes()
            + self.lists.memory_bytes()
            + self.groups.memory_bytes()
            + self.rules.memory_bytes()
            + self.node_sets.memory_bytes()
            + self.list_bytes
    }

    /// Nodes and level names in use, the root not counted.
    pub(super) fn places_in_use(&self) -> (usize, usize) {
        (self.nodes.len() - 1, self.names.len())
    }
}

fn rule_list_bytes(list: &Vec<u32>) -> usize {
    list.capacity() * size_of::<u32>()
}

fn group_bytes(name: &str, filter: &str) -> usize {
    size_of::<SharedGroup>() + name.len() + filter.len()
}
