//! A topic filter against an ordered set of topic names: match, or where the next match may be.
//!
//! Whatever lies between a topic that does not match and the place named here cannot match either,
//! so a read leaps over it (a skip scan).

use std::cmp::Ordering;

use super::order::compare;

/// A topic filter, split into levels.
#[derive(Debug)]
pub(super) struct ScanFilter<'a> {
    /// Without a closing `#`.
    levels: Vec<&'a [u8]>,
    has_hash: bool,
    /// Topics that begin with `$` as well.
    takes_all: bool,
}

/// What a topic name says about the search.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Next<'a> {
    /// The topic matches; the next candidate is the next topic.
    Match,
    /// Nothing after the topic matches.
    End,
    /// The next candidate is after everything at and below the topic's first `len` bytes.
    PastSubtree { len: usize },
    /// The next candidate begins with the topic's first `len` bytes (that end in `/`, or none) and
    /// then this level.
    Below { len: usize, level: &'a [u8] },
    /// The next candidate is below the topic.
    Inside,
    /// The next candidate is after all topics that begin with `$`.
    PastSystem,
}

fn is_plus(level: &[u8]) -> bool {
    level == b"+"
}

impl<'a> ScanFilter<'a> {
    pub(super) fn new(filter: &'a str) -> Self {
        let mut levels = filter.as_bytes().split(|byte| *byte == b'/').collect::<Vec<_>>();
        let has_hash = levels.last().is_some_and(|level| *level == b"#");
        if has_hash {
            levels.pop();
        }
        Self { levels, has_hash, takes_all: false }
    }

    /// Every topic, whatever it begins with.
    pub(super) const fn everything() -> Self {
        Self { levels: Vec::new(), has_hash: true, takes_all: true }
    }

    /// Whether the filter is one topic name.
    pub(super) fn is_exact(&self) -> bool {
        !self.has_hash && !self.levels.iter().any(|level| is_plus(level))
    }

    /// `levels` if every matching topic has the filter's first so many levels.
    pub(super) fn fixed_levels(&self, levels: usize) -> Option<usize> {
        let fixed = self.levels.get(..levels)?;
        (!fixed.iter().any(|level| is_plus(level))).then_some(levels)
    }

    /// A key that no matching topic comes before: the levels up to the first wildcard.
    pub(super) fn first_key(&self, key: &mut Vec<u8>) {
        key.clear();
        for (at, level) in self.levels.iter().take_while(|level| !is_plus(level)).enumerate() {
            if at > 0 {
                key.push(b'/');
            }
            key.extend_from_slice(level);
        }
    }

    pub(super) fn check(&self, topic: &[u8]) -> Next<'a> {
        if self.takes_all {
            return Next::Match;
        }
        let first = self.levels.first();
        // MQTT-5.0 [MQTT-4.7.2-1]: a leading wildcard does not match a topic that begins with `$`.
        if first.is_none_or(|level| is_plus(level)) && topic.first() == Some(&b'$') {
            return Next::PastSystem;
        }
        let mut last_plus_end = None;
        // Where the current level begins; beyond the topic's end when it has no more levels.
        let mut begin = 0;
        for level in &self.levels {
            let Some(rest) = topic.get(begin..) else {
                // The topic ended before the filter.
                return Next::Inside;
            };
            let len = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
            if is_plus(level) {
                last_plus_end = Some(begin + len);
            } else {
                match compare(&rest[..len], level) {
                    Ordering::Equal => {}
                    Ordering::Less => return Next::Below { len: begin, level },
                    Ordering::Greater => return past(last_plus_end),
                }
            }
            begin += len + 1;
        }
        // `a/#` includes the parent level `a` (MQTT-5.0 §4.7.1.2).
        if self.has_hash || begin > topic.len() { Next::Match } else { past(last_plus_end) }
    }
}

/// Nothing more below the last `+`: its level must change, or there is none and this is the end.
fn past<'a>(last_plus_end: Option<usize>) -> Next<'a> {
    last_plus_end.map_or(Next::End, |len| Next::PastSubtree { len })
}
