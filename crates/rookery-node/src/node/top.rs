//! The first rows of an order, of however many are shown.

use std::cmp::Ordering;

/// Keeps the rows of a page and those before it, and at most as many again: a list of a hundred
/// thousand is never held whole for its first page.
pub(super) struct Top<T, F> {
    kept: Vec<T>,
    end: usize,
    order: F,
    /// Whether `kept[end - 1]` is the last one that can stand on the page.
    is_cut: bool,
    seen: usize,
}

/// Cutting costs time: not for less than so many rows.
const SLACK: usize = 256;

impl<T, F: Fn(&T, &T) -> Ordering> Top<T, F> {
    /// For the page of `limit` rows behind `offset`. `order` finds no two rows equal.
    pub(super) fn new(offset: usize, limit: usize, order: F) -> Self {
        let end = offset.saturating_add(limit);
        Self { kept: Vec::new(), end, order, is_cut: false, seen: 0 }
    }

    pub(super) fn push(&mut self, row: T) {
        self.seen += 1;
        let last = if self.is_cut { self.kept.get(self.end.wrapping_sub(1)) } else { None };
        if self.end == 0 || last.is_some_and(|last| (self.order)(last, &row).is_le()) {
            return;
        }
        self.kept.push(row);
        if self.kept.len() >= self.end.saturating_add(self.end.max(SLACK)) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.end > 0 && self.end < self.kept.len() {
            self.kept.select_nth_unstable_by(self.end - 1, &self.order);
            self.kept.truncate(self.end);
            self.is_cut = true;
        }
    }

    /// The page, and how many rows there were in all.
    pub(super) fn into_page(mut self, offset: usize) -> (Vec<T>, usize) {
        self.cut();
        // What stands before the page need not be sorted.
        if offset > 0 && offset < self.kept.len() {
            self.kept.select_nth_unstable_by(offset, &self.order);
        }
        let mut page: Vec<T> = self.kept.into_iter().skip(offset).collect();
        page.sort_unstable_by(&self.order);
        (page, self.seen)
    }
}

/// Cuts a page out of rows, in an order or as they come.
pub(super) enum Cut<T, F> {
    Sorted(Top<T, F>),
    AsTheyCome { rows: Vec<T>, offset: usize, limit: usize, seen: usize },
}

impl<T, F: Fn(&T, &T) -> Ordering> Cut<T, F> {
    pub(super) fn new(offset: usize, limit: usize, order: Option<F>) -> Self {
        match order {
            Some(order) => Self::Sorted(Top::new(offset, limit, order)),
            None => Self::AsTheyCome { rows: Vec::new(), offset, limit, seen: 0 },
        }
    }

    pub(super) fn push(&mut self, row: T) {
        match self {
            Self::Sorted(top) => top.push(row),
            Self::AsTheyCome { rows, offset, limit, seen } => {
                if *seen >= *offset && rows.len() < *limit {
                    rows.push(row);
                }
                *seen += 1;
            }
        }
    }

    /// Whether rows that come later stand on no page up to this one.
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::AsTheyCome { rows, limit, .. } if rows.len() >= *limit)
    }

    /// The page, and how many rows were shown in all.
    pub(super) fn into_page(self, offset: usize) -> (Vec<T>, usize) {
        match self {
            Self::Sorted(top) => top.into_page(offset),
            Self::AsTheyCome { rows, seen, .. } => (rows, seen),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Top;

    #[test]
    fn a_page_is_that_of_the_whole_list_sorted() {
        let rows = || (0..10_000_u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20);
        let mut sorted: Vec<u64> = rows().collect();
        sorted.sort_unstable();
        for (offset, limit) in [(0, 1), (0, 20), (980, 20), (9_990, 50), (20_000, 20), (0, 0)] {
            let mut top = Top::new(offset, limit, u64::cmp);
            rows().for_each(|row| top.push(row));
            assert!(top.kept.len() <= 2 * (offset + limit).max(super::SLACK));
            let (page, count) = top.into_page(offset);
            let expected: Vec<u64> = sorted.iter().copied().skip(offset).take(limit).collect();
            assert_eq!((page, count), (expected, 10_000));
        }
    }
}
