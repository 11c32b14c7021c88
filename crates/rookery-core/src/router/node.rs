//! A node of the trie, and the levels of a filter that lead to it.

use super::arena::NIL;
use super::subscriber::Subscriber;

/// The root's number.
pub(super) const ROOT: u32 = 0;

/// In place of a level's number: the wildcards.
pub(super) const PLUS: u32 = NIL - 1;
pub(super) const HASH: u32 = NIL - 2;

#[derive(Debug)]
pub(super) struct Node {
    pub(super) parent: u32,
    /// In the level names, or [`PLUS`] or [`HASH`].
    pub(super) level: u32,
    pub(super) plus: u32,
    pub(super) hash: u32,
    /// Number of exact children.
    pub(super) children: u32,
    pub(super) subs: Subs,
    /// In the trie's groups.
    pub(super) groups: u32,
    /// In the trie's lists of rules.
    pub(super) rules: u32,
    /// In the trie's sets of nodes; 0: no other node.
    pub(super) routes: u32,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            parent: NIL,
            level: NIL,
            plus: NIL,
            hash: NIL,
            children: 0,
            subs: Subs(NIL),
            groups: NIL,
            rules: NIL,
            routes: 0,
        }
    }
}

impl Node {
    pub(super) const fn is_unused(&self) -> bool {
        self.subs.0 == NIL
            && self.groups == NIL
            && self.rules == NIL
            && self.routes == 0
            && self.children == 0
            && self.plus == NIL
            && self.hash == NIL
    }
}

/// Where a node's subscribers are: none, in the trie's singles, or in its lists (high bit).
#[derive(Copy, Clone, Debug)]
pub(super) struct Subs(pub(super) u32);

pub(super) enum SubsAt {
    None,
    Single(u32),
    List(u32),
}

impl Subs {
    pub(super) const LIST: u32 = 1 << 31;

    pub(super) const fn at(self) -> SubsAt {
        match self.0 {
            NIL => SubsAt::None,
            id if id & Self::LIST != 0 => SubsAt::List(id & !Self::LIST),
            id => SubsAt::Single(id),
        }
    }
}

/// One level of a filter.
pub(super) enum Step<'a> {
    Exact(&'a [u8]),
    Plus,
    Hash,
}

/// The levels of a filter. A `#` that is not last matches nothing anyway and is taken as text.
pub(super) fn steps(filter: &str) -> impl Iterator<Item = Step<'_>> {
    let mut levels = filter.split('/').peekable();
    std::iter::from_fn(move || {
        let level = levels.next()?;
        Some(match level {
            "+" => Step::Plus,
            "#" if levels.peek().is_none() => Step::Hash,
            _ => Step::Exact(level.as_bytes()),
        })
    })
}

/// What an insertion did.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Added,
    Replaced,
    /// The same subscription was there already: match results stay as they are.
    Unchanged,
}

impl Change {
    pub(super) fn replacing(present: &mut Subscriber, sub: Subscriber) -> Self {
        if *present == sub {
            return Self::Unchanged;
        }
        *present = sub;
        Self::Replaced
    }
}
