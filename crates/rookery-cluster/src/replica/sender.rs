//! Tells one other node what it does not have.
//!
//! On a new connection both ends compare sums over what they hold: of all groups of keys, then of the
//! parts of the groups that differ, then the versions of the parts that do. What is newer here is sent.
//! From then on changes are sent as they are made. A round like the first one is made now and then,
//! and when more changes wait than are kept in mind.
//!
//! **Bounds.** What waits is keys, at most [`CHANGES_MAX`] changes and what one group brings; values are
//! looked up when they are sent. No more than [`WINDOW_BYTES`] are under way.

use std::collections::{HashMap, VecDeque};

use super::frames::{Bits, ReplicaFrame, Space, Sums, put_version, versions};
use super::version::{Key, Version};
use crate::frame::{Frame, FrameError};

/// Changes that wait to be sent.
pub const CHANGES_MAX: usize = 65_536;
/// Bytes that were sent and are not kept yet.
pub const WINDOW_BYTES: usize = 1 << 20;
/// Bytes of entries in one frame, about.
const FRAME_BYTES: usize = 32 << 10;

/// What a node holds, as the exchange sees it.
pub trait ReplicaSource {
    /// The sums of all groups.
    fn sums(&self) -> Sums;
    /// The sums of the parts of a group.
    fn leaves(&self, group: u8) -> Sums;
    /// The versions in some parts of a group.
    fn versions(&self, group: u8, leaves: &Bits, each: &mut dyn FnMut(&Key, &Version));
    /// As [`super::Replica::newer`].
    fn newer(
        &self,
        group: u8,
        leaves: &Bits,
        than: &HashMap<Key, Version>,
        each: &mut dyn FnMut(Key, u64, bool),
    );
    /// Appends the latest version of a key as an entry, if there is something to tell of it.
    fn put(&self, key: &Key, out: &mut Vec<u8>);
    /// Deletions up to this time may have been forgotten.
    fn purged(&self) -> u64;
    /// A time that no change has had so far, but every later one will be behind.
    fn time(&self) -> u64;
}

/// The other side says what cannot be.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplicaError {
    /// A list that is none.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// It answers what was not asked.
    #[error("an answer to something that was not asked about replicated entries")]
    NotAsked,
    /// It kept what was never sent.
    #[error("entries up to {0} were kept, but never sent")]
    NeverSent(u64),
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Nobody listens.
    Silent,
    /// A round is to begin.
    Due,
    /// The sums were sent.
    Asked,
    /// Groups that differ are gone through.
    Groups,
    /// The other one had everything at the end of the last round, and is told what changes.
    Following,
}

#[derive(Debug)]
struct UnderWay {
    number: u64,
    bytes: usize,
    /// Changes up to this one are in it or in earlier ones.
    changes: u64,
}

/// Tells one other node.
#[derive(Debug)]
pub struct ReplicaSender {
    space: Space,
    stage: Stage,
    /// Numbers the changes.
    changes: u64,
    /// Changes that the round under way stands for.
    covered: u64,
    /// Nothing was left out since the last round.
    is_whole: bool,
    /// Changes were left out that no round stands for.
    is_behind: bool,
    /// Changes up to this one are kept there.
    kept: u64,
    /// The same as far as changes that were sent one by one are concerned.
    kept_of_sent: u64,
    waiting: VecDeque<(u64, Key)>,
    groups: VecDeque<u8>,
    /// The group whose versions were asked for.
    asked: Option<u8>,
    found: VecDeque<Key>,
    /// The last frame with what a round found.
    found_in: u64,
    under_way: VecDeque<UnderWay>,
    under_way_bytes: usize,
    numbers: u64,
    /// All changes up to this time were there at the end of some round.
    in_step: u64,
    /// The time at the begin of the round.
    round_time: u64,
    purged_there: u64,
}

impl ReplicaSender {
    /// For a node that was in step with this one at a time; 0 = never.
    #[must_use]
    pub fn new(space: Space, in_step: u64) -> Self {
        Self {
            space,
            stage: Stage::Silent,
            changes: 0,
            covered: 0,
            is_whole: false,
            is_behind: false,
            kept: 0,
            kept_of_sent: 0,
            waiting: VecDeque::new(),
            groups: VecDeque::new(),
            asked: None,
            found: VecDeque::new(),
            found_in: 0,
            under_way: VecDeque::new(),
            under_way_bytes: 0,
            numbers: 0,
            in_step,
            round_time: 0,
            purged_there: 0,
        }
    }

    /// The other node listens.
    pub fn connected(&mut self) {
        self.disconnected();
        self.stage = Stage::Due;
    }

    /// It does not any more.
    pub fn disconnected(&mut self) {
        self.stage = Stage::Silent;
        self.is_whole = false;
        self.waiting.clear();
        self.stop_round();
        self.under_way.clear();
        self.under_way_bytes = 0;
    }

    fn stop_round(&mut self) {
        self.groups.clear();
        self.found.clear();
        self.asked = None;
        self.found_in = 0;
    }

    /// A key changed; the number of the change if the other node listens.
    pub fn changed(&mut self, key: Key) -> Option<u64> {
        self.changes += 1;
        if self.stage == Stage::Silent {
            return None;
        }
        if self.waiting.len() >= CHANGES_MAX {
            // A round that begins later finds them.
            self.waiting.clear();
            self.is_whole = false;
            self.is_behind = true;
            self.check();
        }
        self.waiting.push_back((self.changes, key));
        Some(self.changes)
    }

    /// Time to compare again.
    pub fn check(&mut self) {
        if self.stage == Stage::Following {
            self.stage = Stage::Due;
        }
    }

    /// Changes up to this one are kept there.
    #[must_use]
    pub const fn kept(&self) -> u64 {
        self.kept
    }

    /// Until when the other node is known to have had every change, as a time of the clock.
    #[must_use]
    pub const fn in_step(&self) -> u64 {
        self.in_step
    }

    /// Whether it has everything but what is under way.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether there is something to write at once.
    #[must_use]
    pub fn has_news(&self) -> bool {
        let has_entries = !self.waiting.is_empty() || !self.found.is_empty();
        match self.stage {
            Stage::Silent => false,
            Stage::Due => true,
            Stage::Groups
                if self.asked.is_none() && self.found.is_empty() && !self.groups.is_empty() =>
            {
                true
            }
            _ => has_entries && self.under_way_bytes < WINDOW_BYTES,
        }
    }

    /// Appends what there is to say, as far as there is credit.
    pub fn write(&mut self, source: &impl ReplicaSource, out: &mut Vec<u8>) {
        match self.stage {
            Stage::Silent => return,
            Stage::Due => {
                self.stop_round();
                self.is_behind = false;
                self.covered = self.changes;
                self.round_time = source.time();
                Frame::Replica(self.space, ReplicaFrame::Digest(&source.sums().encode()))
                    .encode(out);
                self.stage = Stage::Asked;
            }
            Stage::Groups if self.asked.is_none() && self.found.is_empty() => {
                if let Some(group) = self.groups.pop_front() {
                    let sums = source.leaves(group).encode();
                    Frame::Replica(self.space, ReplicaFrame::Leaves { group, sums: &sums })
                        .encode(out);
                    self.asked = Some(group);
                }
            }
            _ => {}
        }
        while self.under_way_bytes < WINDOW_BYTES
            && !(self.waiting.is_empty() && self.found.is_empty())
        {
            self.write_entries(source, out);
        }
    }

    fn write_entries(&mut self, source: &impl ReplicaSource, out: &mut Vec<u8>) {
        self.numbers += 1;
        let number = self.numbers;
        let mut items = Vec::new();
        let mut changes = self.under_way.back().map_or(self.kept_of_sent, |last| last.changes);
        while items.len() < FRAME_BYTES {
            if let Some((change, key)) = self.waiting.pop_front() {
                changes = change;
                source.put(&key, &mut items);
            } else if let Some(key) = self.found.pop_front() {
                self.found_in = number;
                source.put(&key, &mut items);
            } else {
                break;
            }
        }
        Frame::Replica(self.space, ReplicaFrame::Entries { number, items: &items }).encode(out);
        // A frame without entries has its price, too: each is answered.
        let bytes = items.len().max(64);
        self.under_way.push_back(UnderWay { number, bytes, changes });
        self.under_way_bytes += bytes;
    }

    /// Takes an answer.
    ///
    /// # Errors
    ///
    /// It is none to anything that was said.
    pub fn hear(
        &mut self,
        frame: ReplicaFrame<'_>,
        source: &impl ReplicaSource,
    ) -> Result<Heard, ReplicaError> {
        let mut outdated = Vec::new();
        match frame {
            ReplicaFrame::Differ { purged, groups } if self.stage == Stage::Asked => {
                self.purged_there = purged;
                self.groups = groups.each().collect();
                self.stage = Stage::Groups;
            }
            ReplicaFrame::Has { group, leaves, items } if self.asked == Some(group) => {
                self.asked = None;
                outdated = self.compare(group, &leaves, items, source)?;
            }
            ReplicaFrame::Kept(number) if number <= self.numbers => self.take(number),
            ReplicaFrame::Kept(number) => return Err(ReplicaError::NeverSent(number)),
            _ => return Err(ReplicaError::NotAsked),
        }
        Ok(Heard { outdated, is_in_step: self.settle() })
    }

    /// What the other node lacks is sent. But what it had when it was in step, and lacks although
    /// it may have forgotten deletions made since, was deleted.
    fn compare(
        &mut self,
        group: u8,
        leaves: &Bits,
        items: &[u8],
        source: &impl ReplicaSource,
    ) -> Result<Vec<(Key, u64)>, ReplicaError> {
        let there = versions(items).collect::<Result<HashMap<Key, Version>, FrameError>>()?;
        let (in_step, has_forgotten) = (self.in_step, self.in_step < self.purged_there);
        let (mut outdated, found) = (Vec::new(), &mut self.found);
        source.newer(group, leaves, &there, &mut |key, time, is_missing| {
            if is_missing && has_forgotten && time <= in_step {
                outdated.push((key, time));
            } else {
                found.push_back(key);
            }
        });
        Ok(outdated)
    }

    fn take(&mut self, number: u64) {
        while let Some(first) = self.under_way.front().filter(|first| first.number <= number) {
            self.under_way_bytes -= first.bytes;
            self.kept_of_sent = self.kept_of_sent.max(first.changes);
            self.under_way.pop_front();
        }
        if self.is_whole {
            self.kept = self.kept.max(self.kept_of_sent);
        }
    }

    /// Whether a round is over by now.
    fn settle(&mut self) -> bool {
        let is_over = self.stage == Stage::Groups
            && self.groups.is_empty()
            && self.asked.is_none()
            && self.found.is_empty()
            && self.under_way.front().is_none_or(|first| first.number > self.found_in);
        if is_over {
            self.kept = self.kept.max(self.covered);
            self.in_step = self.in_step.max(self.round_time);
            self.is_whole = !self.is_behind;
            self.stage = if self.is_behind { Stage::Due } else { Stage::Following };
            if self.is_whole {
                self.kept = self.kept.max(self.kept_of_sent);
            }
        }
        is_over
    }
}

/// What an answer led to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Values here, with the times of their versions, that others have deleted long ago.
    pub outdated: Vec<(Key, u64)>,
    /// The other node has everything that there was when the round began.
    pub is_in_step: bool,
}

/// Answers what another node says of what it holds; entries are for the caller.
///
/// # Errors
///
/// It is an answer, and belongs to the other direction.
pub fn answer<'a>(
    space: Space,
    frame: ReplicaFrame<'a>,
    source: &impl ReplicaSource,
    out: &mut Vec<u8>,
) -> Result<Option<(u64, &'a [u8])>, ReplicaError> {
    match frame {
        ReplicaFrame::Digest(sums) => {
            let groups = source.sums().differ(sums);
            let purged = source.purged();
            Frame::Replica(space, ReplicaFrame::Differ { purged, groups }).encode(out);
        }
        ReplicaFrame::Leaves { group, sums } => {
            let leaves = source.leaves(group).differ(sums);
            let mut items = Vec::new();
            source.versions(group, &leaves, &mut |key, version| {
                put_version(&mut items, key, version);
            });
            Frame::Replica(space, ReplicaFrame::Has { group, leaves, items: &items }).encode(out);
        }
        ReplicaFrame::Entries { number, items } => return Ok(Some((number, items))),
        _ => return Err(ReplicaError::NotAsked),
    }
    Ok(None)
}
