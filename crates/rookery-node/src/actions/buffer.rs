//! The queue of one action: shards put into it, one task of Python takes out of it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, Weak};

use rookery_core::rules::fields::ActionFields;
use rookery_core::rules::sink::{ActionItem, ActionSink, DropReason, Outcome, RuleTally};
use rookery_rules::{Value, decode_json};

use super::hub::{Hub, lock};
use super::keys::{Entry, Queue, Step};
use super::spill::{Share, Spill, bytes_on_disk};
use super::{BufferSpec, Counters, HAND_OVER_BYTES_MAX, ITEM_BYTES_MAX};
use crate::api::NodeError;

/// Items that are moved before the lock is let go, so that shards get in between.
const STEPS_MAX: usize = 256;
/// Items that one call of [`ActionBuffer::expire`] drops at most.
const EXPIRED_MAX: usize = 16_384;

/// An item that was taken.
pub type Taken = Arc<Entry>;

/// What a take brought.
#[derive(Debug, Default)]
pub struct Batch {
    /// The items, in flight from now on.
    pub items: Vec<Taken>,
    /// Whether another take may find something at once.
    pub has_more: bool,
}

/// The queue of one action.
pub struct ActionBuffer {
    number: u32,
    id: Box<str>,
    hub: Arc<Hub>,
    me: Weak<Self>,
    state: Mutex<State>,
    files: Mutex<Option<Spill>>,
}

impl fmt::Debug for ActionBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActionBuffer").field("id", &self.id).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct State {
    spec: Option<BufferSpec>,
    is_paused: bool,
    queue: Queue,
    /// Octets of the queue, in flight included.
    queue_bytes: u64,
    /// On their way to the files; newer than what is there.
    pending: VecDeque<Entry>,
    pending_bytes: u64,
    /// Items that are being written.
    writing: u64,
    writing_bytes: u64,
    on_disk: u64,
    disk_bytes: u64,
    /// Whether the thread that has the files was asked for a turn.
    is_turn_asked: bool,
    /// Whether it is known that a take may find something.
    is_told: bool,
    is_disk_bad: bool,
    last_number: u64,
    last_batch: u64,
    counters: Counters,
}

/// How items ended, to be counted for their rules when the lock is let go.
#[derive(Debug, Default)]
struct Ended {
    entries: Vec<(Entry, DropReason)>,
}

impl Ended {
    fn count(self) {
        for (entry, reason) in &self.entries {
            entry.rule.count(Outcome::Dropped(*reason), 1);
        }
    }
}

/// A take between two times that the lock is let go.
#[derive(Debug)]
struct Taking {
    max_items: usize,
    max_bytes: usize,
    /// Octets that may still come; the first item may have any number.
    room: usize,
    items: Vec<Taken>,
}

impl State {
    fn spec(&self) -> Option<&BufferSpec> {
        self.spec.as_ref()
    }

    /// Items that wait for their turn on disk, or on their way there or back.
    fn spilled(&self) -> u64 {
        self.pending.len() as u64 + self.writing + self.on_disk
    }

    fn has_room(&self, cost: u64) -> bool {
        self.spec().is_some_and(|spec| self.queue_bytes + cost <= spec.max_buffer_bytes)
    }

    /// Puts an item where it belongs; gives it back when there is no room.
    fn put(&mut self, entry: Entry) -> Result<(), Entry> {
        let cost = entry.cost();
        // What is newer than items on disk has to queue behind them.
        if self.spilled() == 0 && self.has_room(cost) {
            self.push(entry);
            return Ok(());
        }
        let Some(spec) = self.spec() else { return Err(entry) };
        let on_disk = bytes_on_disk(&entry);
        let spilled = self.disk_bytes + self.writing_bytes + self.pending_bytes + on_disk;
        if spec.spill_dir.is_none()
            || cost > spec.max_buffer_bytes
            || spilled > spec.max_spill_bytes
            || self.pending_bytes + self.writing_bytes + on_disk > HAND_OVER_BYTES_MAX
        {
            return Err(entry);
        }
        self.pending_bytes += on_disk;
        self.pending.push_back(entry);
        Ok(())
    }

    fn push(&mut self, mut entry: Entry) {
        self.last_number += 1;
        entry.number = self.last_number;
        self.queue_bytes += entry.cost();
        self.queue.push(entry);
    }

    /// Items made before this time are too old.
    fn expired_before(&self, now_unix_ms: u64) -> u64 {
        match self.spec().map_or(0, |spec| spec.request_ttl_ms) {
            0 => 0,
            ttl => now_unix_ms.saturating_sub(ttl),
        }
    }

    fn expire(&mut self, now_unix_ms: u64, max: usize, ended: &mut Ended) {
        let before = self.expired_before(now_unix_ms);
        for _ in 0..max {
            let Some(entry) = self.queue.pop_expired(before) else { return };
            self.drop_entry(entry, DropReason::Expired, ended);
        }
    }

    fn drop_entry(&mut self, entry: Entry, reason: DropReason, ended: &mut Ended) {
        self.queue_bytes -= entry.cost();
        self.refuse(entry, reason, ended);
    }

    /// Counts an item that is not in the queue.
    fn refuse(&mut self, entry: Entry, reason: DropReason, ended: &mut Ended) {
        self.counters.end(Outcome::Dropped(reason), 1);
        ended.entries.push((entry, reason));
    }

    /// Some steps of a take; whether it is over.
    fn take_some(
        &mut self,
        batch: u64,
        now_unix_ms: u64,
        taking: &mut Taking,
        ended: &mut Ended,
    ) -> bool {
        let before = self.expired_before(now_unix_ms);
        for _ in 0..STEPS_MAX {
            if taking.items.len() >= taking.max_items {
                return true;
            }
            match self.queue.step(batch, taking.room, before) {
                Step::Taken(entry) => {
                    let room = taking.room.min(taking.max_bytes);
                    taking.room = room.saturating_sub(entry.fields.len());
                    taking.items.push(entry);
                }
                Step::Expired(entry) => self.drop_entry(entry, DropReason::Expired, ended),
                Step::Moved => {}
                Step::TooLarge | Step::Nothing => return true,
            }
        }
        false
    }

    /// Whether who takes has to be told; then it is taken as told.
    fn must_tell(&mut self) -> bool {
        let must = !self.is_told && self.queue.has_more();
        self.is_told |= must;
        must
    }

    /// Whether the thread that has the files has to be asked for a turn; then it is taken as asked.
    fn must_turn(&mut self) -> bool {
        let must = !self.is_turn_asked && (!self.pending.is_empty() || self.must_refill());
        self.is_turn_asked |= must;
        must
    }

    /// Whether so little is in memory that more should come from disk.
    fn must_refill(&self) -> bool {
        self.on_disk > 0 && self.spec().is_some_and(|s| self.queue_bytes <= s.max_buffer_bytes / 2)
    }
}

impl ActionBuffer {
    pub(super) fn new(number: u32, id: &str, hub: Arc<Hub>) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            number,
            id: id.into(),
            hub,
            me: me.clone(),
            state: Mutex::default(),
            files: Mutex::default(),
        })
    }

    /// Its number among the buffers of the node.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// The id of the action.
    #[must_use]
    pub const fn id(&self) -> &str {
        &self.id
    }

    /// Begins with these limits, or goes on with them.
    pub(super) fn open(&self, spec: BufferSpec) -> Result<(), NodeError> {
        let mut files = lock(&self.files);
        if let Some(dir) = &spec.spill_dir {
            match files.as_mut() {
                Some(spill) if spill.dir() == dir => spill.limit(spec.max_spill_bytes),
                // What is on disk is read before anything newer goes somewhere else.
                Some(_) if lock(&self.state).spilled() > 0 => {
                    let path = format!("actions.{}.resource_opts", self.id);
                    let detail = format!("items wait on disk, not in {}", dir.display());
                    return Err(NodeError::Config { path, detail });
                }
                _ => {
                    let what = "open a directory for spilled items";
                    let opened = Spill::open(dir, spec.max_spill_bytes);
                    let opened = opened.map_err(|source| NodeError::Io { what, source })?;
                    if let Some(mut left) = files.replace(opened) {
                        left.clear();
                    }
                }
            }
        }
        let mut state = lock(&self.state);
        if state.spec.is_none() {
            state.counters = Counters::default();
            state.is_paused = false;
        }
        state.spec = Some(spec);
        state.queue.give_all_back();
        // Whoever takes from now on has to be told of what is here.
        state.is_told = false;
        let must_tell = state.must_tell();
        drop(state);
        self.tell(must_tell);
        Ok(())
    }

    fn tell(&self, must_tell: bool) {
        if must_tell {
            self.hub.tell(self.number);
        }
    }

    fn ask_turn(&self, must_turn: bool) {
        if must_turn && !self.me.upgrade().is_some_and(|me| self.hub.ask_turn(me)) {
            lock(&self.state).is_turn_asked = false;
        }
    }

    /// The next items, oldest first, none whose key is in flight already: up to `max_items`, and
    /// up to `max_bytes` of fields unless the first item alone has more.
    #[must_use]
    pub fn take(&self, now_unix_ms: u64, max_items: usize, max_bytes: usize) -> Batch {
        let mut taking = Taking { max_items, max_bytes, room: usize::MAX, items: Vec::new() };
        let mut state = lock(&self.state);
        state.last_batch += 1;
        let batch = state.last_batch;
        loop {
            let mut ended = Ended::default();
            let is_over = state.take_some(batch, now_unix_ms, &mut taking, &mut ended);
            let mut must_turn = false;
            if is_over {
                state.is_told = state.queue.has_more();
                must_turn = state.must_turn();
            }
            let has_more = state.is_told;
            drop(state);
            ended.count();
            if is_over {
                self.ask_turn(must_turn);
                return Batch { items: taking.items, has_more };
            }
            state = lock(&self.state);
        }
    }

    /// Says how items in flight ended; numbers that are not in flight are ignored.
    pub fn settle(&self, numbers: &[u64], outcome: Outcome) {
        let mut settled = Vec::with_capacity(numbers.len());
        for numbers in numbers.chunks(STEPS_MAX) {
            let mut state = lock(&self.state);
            for number in numbers {
                if let Some(entry) = state.queue.settle(*number) {
                    state.queue_bytes -= entry.cost();
                    state.counters.end(outcome, 1);
                    settled.push(entry);
                }
            }
        }
        let (must_tell, must_turn) = {
            let mut state = lock(&self.state);
            (state.must_tell(), state.must_turn())
        };
        self.tell(must_tell);
        self.ask_turn(must_turn);
        for entry in settled {
            entry.rule.count(outcome, 1);
        }
    }

    /// Puts items in flight back to where they were.
    pub fn give_back(&self, numbers: &[u64]) {
        let mut state = lock(&self.state);
        for number in numbers {
            state.queue.give_back(*number);
        }
        let must_tell = state.must_tell();
        drop(state);
        self.tell(must_tell);
    }

    /// Drops what waited too long, a bounded part of it; how many items that were.
    pub fn expire(&self, now_unix_ms: u64) -> usize {
        let mut count = 0;
        while count < EXPIRED_MAX {
            let mut ended = Ended::default();
            let mut state = lock(&self.state);
            state.expire(now_unix_ms, STEPS_MAX, &mut ended);
            let must_turn = state.must_turn();
            drop(state);
            let dropped = ended.entries.len();
            count += dropped;
            ended.count();
            self.ask_turn(must_turn);
            if dropped < STEPS_MAX {
                break;
            }
        }
        count
    }

    /// Refuses what comes from now on, or takes it again. What waits already stays.
    pub fn pause(&self, is_paused: bool) {
        lock(&self.state).is_paused = is_paused;
    }

    /// Offers rows as a rule would, each a JSON object; how many were offered. Others are dropped
    /// and counted.
    pub fn offer_rows(
        &self,
        now_unix_ms: u64,
        rows: &[&str],
        fields: &ActionFields,
        rule: &str,
        key: u64,
    ) -> usize {
        let rule = Arc::new(RuleTally::new(rule));
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(Value::Map(row)) = decode_json(row.as_bytes()) else { continue };
            let mut out = Vec::new();
            if fields.encode(&row, ITEM_BYTES_MAX, &mut out).is_ok() {
                items.push(ActionItem { key, rule: rule.clone(), fields: out.into() });
            }
        }
        let offered = items.len();
        let bad = rows.len() - offered;
        if bad > 0 {
            let mut state = lock(&self.state);
            state.counters.matched += bad as u64;
            state.counters.end(Outcome::Dropped(DropReason::Other), bad as u64);
        }
        self.offer(now_unix_ms, &mut items);
        offered
    }

    /// Counts what only the sender knows.
    pub fn count(&self, retried: u64, received: u64) {
        let mut state = lock(&self.state);
        state.counters.retried += retried;
        state.counters.received += received;
    }

    /// What became of its items.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let state = lock(&self.state);
        Counters {
            queuing: state.queue.waiting() as u64 + state.spilled(),
            inflight: state.queue.in_flight() as u64,
            queuing_bytes: state.queue_bytes + state.pending_bytes + state.writing_bytes,
            spilled_bytes: state.disk_bytes,
            ..state.counters
        }
    }

    /// Counts from zero; what waits or is in flight counts as matched.
    pub fn reset_counters(&self) {
        let mut state = lock(&self.state);
        let here = state.queue.waiting() as u64 + state.spilled() + state.queue.in_flight() as u64;
        state.counters = Counters { matched: here, ..Counters::default() };
    }

    /// Drops and counts everything, and gives memory and disk back. May be called twice.
    pub(super) fn close(&self) {
        let stopped = Outcome::Dropped(DropReason::ResourceStopped);
        let (drained, pending) = {
            let mut state = lock(&self.state);
            state.spec = None;
            let drained = state.queue.drain();
            let pending = std::mem::take(&mut state.pending);
            (state.queue_bytes, state.pending_bytes) = (0, 0);
            let count = drained.waiting.len() + drained.in_flight.len() + pending.len();
            state.counters.end(stopped, count as u64);
            (drained, pending)
        };
        for entry in drained.waiting.iter().chain(&pending) {
            entry.rule.count(stopped, 1);
        }
        for entry in &drained.in_flight {
            entry.rule.count(stopped, 1);
        }
        // The thread that has the files finishes its turn first.
        let mut files = lock(&self.files);
        if let Some(spill) = files.take() {
            let shares = spill.close();
            let mut state = lock(&self.state);
            state.disk_bytes = 0;
            state.lose(&shares, DropReason::ResourceStopped);
        }
    }

    /// One turn of the thread that has the files: writes what is handed over, brings back what
    /// there is room for. Whether it wants another.
    pub(super) fn turn(&self) -> bool {
        let mut files = lock(&self.files);
        let mut state = lock(&self.state);
        let Some(spill) = files.as_mut() else {
            // Closed: nothing waits for the disk, see `close`.
            state.is_turn_asked = false;
            return false;
        };
        // Room came before the disk was needed.
        while state.on_disk == 0
            && let Some(cost) = state.pending.front().map(Entry::cost)
            && state.has_room(cost)
            && let Some(entry) = state.pending.pop_front()
        {
            state.pending_bytes -= bytes_on_disk(&entry);
            state.push(entry);
        }
        let must_tell = state.must_tell();
        let mut batch = std::mem::take(&mut state.pending);
        state.writing = batch.len() as u64;
        state.writing_bytes = std::mem::take(&mut state.pending_bytes);
        drop(state);
        self.tell(must_tell);
        let has_written = !batch.is_empty();
        if has_written {
            self.write(spill, &mut batch);
        }
        let has_read = self.refill(spill);
        let mut state = lock(&self.state);
        state.is_turn_asked = !state.pending.is_empty() || (has_read && state.must_refill());
        state.is_turn_asked
    }

    fn write(&self, spill: &mut Spill, batch: &mut VecDeque<Entry>) {
        let written = spill.write(batch);
        let mut ended = Ended::default();
        let mut state = lock(&self.state);
        state.on_disk += state.writing - batch.len() as u64;
        state.disk_bytes = spill.bytes();
        (state.writing, state.writing_bytes) = (0, 0);
        for entry in batch.drain(..) {
            state.refuse(entry, DropReason::QueueFull, &mut ended);
        }
        let was_bad = std::mem::replace(&mut state.is_disk_bad, written.is_err());
        drop(state);
        let count = ended.entries.len();
        ended.count();
        if let Err(error) = written
            && !was_bad
        {
            let dir = spill.dir().display();
            self.hub.warn(format!(
                "action {}: {count} items were dropped, {dir} cannot be written to: {error}",
                self.id
            ));
        }
    }

    /// Brings items back from disk; whether there were any.
    fn refill(&self, spill: &mut Spill) -> bool {
        let (room, is_empty) = {
            let state = lock(&self.state);
            if !state.must_refill() {
                return false;
            }
            let max = state.spec().map_or(0, |spec| spec.max_buffer_bytes);
            (max.saturating_sub(state.queue_bytes), state.queue_bytes == 0)
        };
        let found = spill.read(room, is_empty);
        let mut ended = Ended::default();
        let mut state = lock(&self.state);
        let has_read = !found.entries.is_empty() || !found.lost.is_empty();
        state.disk_bytes = spill.bytes();
        state.on_disk -= found.entries.len() as u64;
        for entry in found.entries {
            if state.spec.is_some() {
                state.push(entry);
            } else {
                state.refuse(entry, DropReason::ResourceStopped, &mut ended);
            }
        }
        let lost = state.lose(&found.lost, DropReason::Other);
        let must_tell = state.must_tell();
        drop(state);
        self.tell(must_tell);
        ended.count();
        if let Some(problem) = found.problem {
            self.hub.warn(format!("action {}: {lost} items are lost: {problem}", self.id));
        }
        has_read
    }

    fn put_all(&self, now_unix_ms: u64, items: &mut Vec<ActionItem>) -> (bool, bool) {
        let mut ended = Ended::default();
        let mut state = lock(&self.state);
        state.counters.matched += items.len() as u64;
        let closed = match (&state.spec, state.is_paused) {
            (None, _) => Some(DropReason::ResourceNotFound),
            (Some(_), true) => Some(DropReason::ResourceStopped),
            (Some(_), false) => None,
        };
        let mut may_expire = true;
        for item in items.drain(..) {
            let entry = Entry {
                number: 0,
                key: item.key,
                made_at_ms: now_unix_ms,
                rule: item.rule,
                fields: item.fields,
            };
            if let Some(reason) = closed {
                state.refuse(entry, reason, &mut ended);
                continue;
            }
            let Err(entry) = state.put(entry) else { continue };
            // What nobody can send any more need not be in the way of what is new.
            if std::mem::take(&mut may_expire) {
                state.expire(now_unix_ms, STEPS_MAX, &mut ended);
            }
            if let Err(entry) = state.put(entry) {
                state.refuse(entry, DropReason::QueueFull, &mut ended);
            }
        }
        let told = (state.must_tell(), state.must_turn());
        drop(state);
        ended.count();
        told
    }
}

impl State {
    /// Items on disk are gone.
    fn lose(&mut self, shares: &[Share], reason: DropReason) -> u64 {
        let mut lost = 0;
        for (rule, count) in shares.iter().filter(|(_, count)| *count > 0) {
            rule.count(Outcome::Dropped(reason), *count);
            lost += count;
        }
        self.counters.end(Outcome::Dropped(reason), lost);
        self.on_disk = self.on_disk.saturating_sub(lost);
        lost
    }
}

impl ActionSink for ActionBuffer {
    fn offer(&self, now_unix_ms: u64, items: &mut Vec<ActionItem>) {
        let (must_tell, must_turn) = self.put_all(now_unix_ms, items);
        self.tell(must_tell);
        self.ask_turn(must_turn);
    }
}
