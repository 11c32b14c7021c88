//! Which change of a key is the latest, for keys that several writers change at once.
//!
//! Writers number their changes where they happen, but hand over whole batches: two changes may
//! arrive in the other order. That is a matter of one turn of a writer, so only recent keys are
//! remembered, and nothing of it is on disk: what the log holds is in order.

use std::mem;

use hashbrown::HashMap;

use crate::keys::KeyHasher;

/// Keys of a generation; two are remembered, at 24 bytes a key.
const GENERATION: usize = 1 << 16;

/// The latest change of recent keys.
#[derive(Default)]
pub(crate) struct Orders {
    hasher: KeyHasher,
    young: HashMap<[u64; 2], u64>,
    old: HashMap<[u64; 2], u64>,
    /// What the group that is being written replaced.
    replaced: Vec<([u64; 2], Option<u64>)>,
}

impl Orders {
    /// Whether the change is the latest of its key so far.
    pub(crate) fn admit(&mut self, table: u8, key: &[u8], order: u64) -> bool {
        let hash = self.hasher.hash(table, key);
        let before = self.young.get(&hash).or_else(|| self.old.get(&hash)).copied();
        if before > Some(order) {
            return false;
        }
        self.young.insert(hash, order);
        self.replaced.push((hash, before));
        true
    }

    /// The group was written, or was not.
    pub(crate) fn settle(&mut self, is_stored: bool) {
        let replaced = mem::take(&mut self.replaced);
        if !is_stored {
            for (hash, before) in replaced.into_iter().rev() {
                match before {
                    Some(before) => self.young.insert(hash, before),
                    None => self.young.remove(&hash),
                };
            }
        }
        if self.young.len() >= GENERATION {
            self.old = mem::take(&mut self.young);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{GENERATION, Orders};

    #[test]
    fn an_earlier_change_that_comes_late_is_left_out() {
        let mut orders = Orders::default();
        assert!(orders.admit(1, b"a", 5));
        assert!(!orders.admit(1, b"a", 4));
        assert!(orders.admit(2, b"a", 4), "another table");
        orders.settle(true);
        assert!(orders.admit(1, b"a", 9) && orders.admit(1, b"b", 1));
        orders.settle(false);
        assert!(orders.admit(1, b"a", 6), "9 was not written");
        assert!(!orders.admit(1, b"a", 5));
        for n in 0..GENERATION as u32 {
            assert!(orders.admit(3, &n.to_le_bytes(), 7));
        }
        orders.settle(true);
        assert!(!orders.admit(1, b"a", 5), "the last generation counts");
    }
}
