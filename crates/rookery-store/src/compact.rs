//! The compactor thread: writes what is still needed of old segments into one new file that
//! takes their place.
//!
//! The new file keeps the place of the old ones in the order of replay, so nothing about
//! order changes. It is complete and synced, and so is everything written that it relies on,
//! before it is renamed over the first of them; the others are named in its header and
//! removed at the next start if a crash comes first.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::error::StoreError;
use crate::format::{HEADER_BYTES, Header};
use crate::index::{Index, Segment, SegmentState, SeqRange, Slot};
use crate::inner::Inner;
use crate::queue::lock;
use crate::rewrite::Rewrite;

/// After a failure.
const RETRY: Duration = Duration::from_secs(1);
/// Small neighbours are put together up to this part of a segment.
const MERGE_PART: u64 = 2;

/// A segment (or several neighbours) to be rewritten.
pub(crate) struct Plan {
    /// With their valid sizes, in order.
    pub(crate) sources: Vec<(Arc<Segment>, Header, u64)>,
    /// Of the new file.
    pub(crate) header: Header,
    /// Older segments: their messages, and what is worked into them.
    pub(crate) older: Vec<(SeqRange, u64)>,
}

/// The thread.
pub(crate) fn run(inner: &Inner) {
    while inner.compaction.wait() {
        while inner.holds.load(Ordering::Acquire) == 0 && !inner.compaction.is_closed() {
            match compact_once(inner) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    inner.degrade(error);
                    if !inner.compaction.pause(RETRY) {
                        return;
                    }
                    break;
                }
            }
        }
    }
}

/// Rewrites what is most worth it; `false` when nothing is.
pub(crate) fn compact_once(inner: &Inner) -> Result<bool, StoreError> {
    let Some(plan) = plan(inner) else { return Ok(false) };
    if inner.is_dir_unsynced.load(Ordering::Acquire) {
        sync_dir(inner)?;
    }
    let Some(rewrite) = Rewrite::new(inner, plan) else { return Ok(false) };
    rewrite.run()?;
    Ok(true)
}

pub(crate) fn sync_dir(inner: &Inner) -> Result<(), StoreError> {
    let result = inner.disk.sync_dir(&inner.options.dir);
    inner.is_dir_unsynced.store(result.is_err(), Ordering::Release);
    let name = inner.options.dir.display();
    result.map_err(|error| StoreError::io(format!("sync {name}"), &error))
}

/// How many bytes a rewrite would give back, without rewriting anything else first.
///
/// Only what died since the last rewrite counts: a rewrite never makes itself necessary.
fn dead_bytes(index: &Index, state: &SegmentState) -> u64 {
    apparent_dead_bytes(index, state).saturating_sub(state.overhead)
}

/// The same without the experience of the last rewrite.
pub(crate) fn apparent_dead_bytes(index: &Index, state: &SegmentState) -> u64 {
    let dead = state.bytes.saturating_sub(HEADER_BYTES).saturating_sub(state.live);
    let is_settled_needed = index.order.range(..state.header.ordinal).any(|(_, slot)| {
        index.segments.get(slot).is_some_and(|older| {
            older.published.overlaps_range(state.settled)
                && older.header.rewritten_at < state.lsn_max
        })
    });
    if is_settled_needed { dead.saturating_sub(state.settled_bytes) } else { dead }
}

fn plan(inner: &Inner) -> Option<Plan> {
    let quota = inner.options.bytes_max;
    let is_tight = quota > 0 && inner.bytes_on_disk.load(Ordering::Relaxed) > quota - quota / 4;
    let index = lock(&inner.index);
    let mut best: Option<(u64, u64)> = None;
    for (ordinal, slot) in &index.order {
        let Some(state) = index.segments.get(slot) else { continue };
        if state.segment.is_poisoned.load(Ordering::Acquire) && !state.is_quarantined {
            // Until it is written anew, nothing else may be dropped that it supersedes.
            return state.is_sealed.then(|| make_plan(inner, &index, &[*slot]));
        }
        if !state.is_sealed || state.is_quarantined {
            continue;
        }
        let dead = dead_bytes(&index, state);
        let body = state.bytes.saturating_sub(HEADER_BYTES);
        let part = dead * 1000 / body.max(1);
        let is_whole = body == 0 || (dead > 0 && dead + state.overhead >= body);
        let is_worth = is_whole || part >= 500 || (is_tight && part >= 100);
        let score = if is_whole { 1001 } else { part };
        if is_worth && best.is_none_or(|(_, best)| score > best) {
            best = Some((*ordinal, score));
        }
    }
    let chosen = best.map(|(ordinal, _)| ordinal).or_else(|| many_small(inner, &index))?;
    let slots = with_neighbours(inner, &index, chosen);
    Some(make_plan(inner, &index, &slots))
}

/// What a rewrite of the segment would leave, about.
fn kept_bytes(index: &Index, state: &SegmentState) -> u64 {
    state.bytes.saturating_sub(dead_bytes(index, state)).saturating_sub(HEADER_BYTES)
}

fn is_small(inner: &Inner, index: &Index, state: &SegmentState) -> bool {
    let limit = inner.options.segment_bytes / MERGE_PART / 2;
    state.is_sealed
        && !state.is_quarantined
        && !state.segment.is_poisoned.load(Ordering::Acquire)
        && kept_bytes(index, state) < limit
}

/// The first of three neighbours that are small: many short runs leave many short files.
fn many_small(inner: &Inner, index: &Index) -> Option<u64> {
    let mut run = (0, 0u64);
    for (ordinal, slot) in &index.order {
        let state = index.segments.get(slot)?;
        let is_tiny =
            is_small(inner, index, state) && state.bytes < inner.options.segment_bytes / 8;
        run = match (is_tiny, run.0) {
            (false, _) => (0, 0),
            (true, 0) => (1, *ordinal),
            (true, count) => (count + 1, run.1),
        };
        if run.0 == 3 {
            return Some(run.1);
        }
    }
    None
}

/// The chosen segment with the small ones that follow it directly, up to a segment's size.
fn with_neighbours(inner: &Inner, index: &Index, chosen: u64) -> Vec<Slot> {
    let limit = inner.options.segment_bytes / MERGE_PART;
    let mut slots = Vec::new();
    let mut kept = 0;
    for slot in index.order.range(chosen..).map(|(_, slot)| *slot) {
        let Some(state) = index.segments.get(&slot) else { break };
        let size = kept_bytes(index, state);
        if !slots.is_empty() && (!is_small(inner, index, state) || kept + size > limit) {
            break;
        }
        kept += size;
        slots.push(slot);
    }
    slots
}

fn make_plan(inner: &Inner, index: &Index, slots: &[Slot]) -> Plan {
    let states = || slots.iter().filter_map(|slot| index.segments.get(slot));
    let first = states().map(|state| state.header.ordinal).min().unwrap_or_default();
    let header = Header {
        ordinal_last: states().map(|s| s.header.ordinal_last).max().unwrap_or(first),
        // What is dropped may hold the highest of these.
        epoch: index.epoch,
        next_seq: inner.next_seq.load(Ordering::Acquire),
        lsn: index.lsn,
        rewritten_at: index.lsn,
        ..Header::fresh(first)
    };
    let older = index.order.range(..first).filter_map(|(_, slot)| index.segments.get(slot));
    Plan {
        sources: states().map(|s| (Arc::clone(&s.segment), s.header, s.bytes)).collect(),
        header,
        older: older.map(|state| (state.published, state.header.rewritten_at)).collect(),
    }
}
