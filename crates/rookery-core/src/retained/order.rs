//! The order of topic names in which every subtree is one range.
//!
//! Byte by byte, `/` before everything else: `a`, `a/b`, `a/b/c`, `a!`. That is the order of lists
//! of levels, so a topic comes before those below it and they before all others.

use std::cmp::Ordering;

/// Comes right after `/` in the order: `t` with this appended bounds everything below `t`.
pub(super) const AFTER_SUBTREE: u8 = 0;

/// Comes first in the order: `t` with this appended is the least key above `t`.
pub(super) const FIRST_BELOW: u8 = b'/';

const fn rank(byte: u8) -> u8 {
    if byte == b'/' {
        0
    } else if byte < b'/' {
        byte + 1
    } else {
        byte
    }
}

/// Compares two topic names.
pub(super) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let common = a.len().min(b.len());
    let whole = common & !7;
    let words = a.chunks_exact(8).zip(b.chunks_exact(8));
    let same = words.take_while(|(x, y)| x == y).count() * 8;
    let from = same.min(whole);
    for (x, y) in a[from..common].iter().zip(&b[from..common]) {
        if x != y {
            return rank(*x).cmp(&rank(*y));
        }
    }
    a.len().cmp(&b.len())
}
