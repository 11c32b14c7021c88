//! What becomes of refused batches: what is kept of them, and whether the store counts as full.

use std::time::{Duration, Instant};

use crate::error::CommitError;
use crate::ops::Op;
use crate::record::op_bytes;

/// Bytes of operations kept of batches that could not be written at all. Nearly each is the
/// removal of something that is stored already, so there are not more of them than the store has
/// entries; this bounds what a disk that stays full costs in memory.
const KEPT_BYTES_MAX: u64 = 32 << 20;
/// Without a refusal for this long, any batch that is stored ends the state.
const CALM: Duration = Duration::from_secs(30);

/// What passes of the batches that a failed write refused, in their order. It goes in front of
/// the next group, so that nothing overtakes it.
#[derive(Default)]
pub(crate) struct Kept {
    ops: Vec<Op>,
    bytes: u64,
    /// Operations that found no room here: what they would have removed comes back with a restart.
    pub(crate) left_out: u64,
}

impl Kept {
    pub(crate) fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Keeps what passes of `ops`.
    pub(crate) fn keep(&mut self, ops: Vec<Op>) {
        for op in ops.into_iter().filter(Op::passes) {
            let bytes = op_bytes(&op) + size_of::<Op>() as u64;
            if self.bytes + bytes > KEPT_BYTES_MAX {
                self.left_out += 1;
                continue;
            }
            self.bytes += bytes;
            self.ops.push(op);
        }
    }

    /// All of it was written.
    pub(crate) fn clear(&mut self) {
        self.ops = Vec::new();
        self.bytes = 0;
    }
}

/// Whether the store refuses. A store at its limit takes small batches and refuses large ones in
/// turn: it counts as accepting only when as much was stored in one go as was refused, or after a
/// time without refusals.
#[derive(Default)]
pub(crate) struct Fullness {
    state: Option<Refusing>,
}

struct Refusing {
    /// The largest batch that was refused.
    bytes: u64,
    /// Stored since the last refusal.
    stored: u64,
    last: Instant,
}

impl Fullness {
    /// Whether the store counts as full.
    pub(crate) fn is_refusing(&self) -> bool {
        self.state.is_some()
    }

    /// A batch was refused; whether that begins the state.
    pub(crate) fn refused(&mut self, error: CommitError, bytes: u64) -> bool {
        if !error.is_trouble() {
            return false;
        }
        let last = Instant::now();
        match &mut self.state {
            Some(state) => {
                *state = Refusing { bytes: state.bytes.max(bytes), stored: 0, last };
                false
            }
            None => {
                self.state = Some(Refusing { bytes, stored: 0, last });
                true
            }
        }
    }

    /// Batches that need room were stored; whether that ends the state.
    pub(crate) fn stored(&mut self, bytes: u64) -> bool {
        let Some(state) = &mut self.state else { return false };
        state.stored = state.stored.saturating_add(bytes);
        let is_over = state.stored >= state.bytes || state.last.elapsed() >= CALM;
        if is_over {
            self.state = None;
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::{Fullness, KEPT_BYTES_MAX, Kept};
    use crate::{CommitError, Op};

    #[test]
    fn a_store_that_takes_only_small_batches_still_counts_as_full() {
        let mut fullness = Fullness::default();
        assert!(!fullness.stored(10), "it was not full");
        assert!(!fullness.refused(CommitError::Closed, 10), "no trouble of the disk");
        assert!(fullness.refused(CommitError::DiskFull, 1000));
        assert!(!fullness.refused(CommitError::DiskFull, 500), "told once");
        assert!(!fullness.stored(400));
        assert!(!fullness.refused(CommitError::QuotaExceeded, 500), "counted anew from here");
        assert!(!fullness.stored(999));
        assert!(fullness.stored(1));
        assert!(!fullness.stored(5000), "told once");
    }

    #[test]
    fn what_is_kept_of_refused_batches_is_bounded() {
        let mut kept = Kept::default();
        let acks = (0..1 << 20).map(|seq| Op::Ack { session: 1, seq });
        kept.keep(acks.collect());
        let (len, left_out) = (kept.ops().len(), kept.left_out);
        assert!(len as u64 * (17 + size_of::<Op>() as u64) <= KEPT_BYTES_MAX);
        assert!(len > 100_000 && len as u64 + left_out == 1 << 20);
        kept.clear();
        kept.keep(vec![Op::Ack { session: 1, seq: 1 }]);
        assert_eq!((kept.ops().len(), kept.left_out), (1, left_out));
    }
}
