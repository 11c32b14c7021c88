//! The first rows of an order, of however many are shown.

use rookery_core::sorting::{Keys, SortBy};

/// Keeps the rows of a page and those before it, and at most as many again: a list of a hundred
/// thousand is never held whole for its first page.
pub(super) struct Top<T> {
    kept: Keys<T>,
    end: usize,
    is_descending: bool,
    /// Whether `kept[end - 1]` is the last one that can stand on the page.
    is_cut: bool,
    seen: usize,
}

/// Cutting costs time: not for less than so many rows.
const SLACK: usize = 256;

impl<T> Top<T> {
    /// For the page of `limit` rows behind `offset`.
    pub(super) fn new(offset: usize, limit: usize, is_descending: bool) -> Self {
        let end = offset.saturating_add(limit);
        Self { kept: Keys::default(), end, is_descending, is_cut: false, seen: 0 }
    }

    /// Shows a row; it is made if it may stand on the page.
    pub(super) fn push(&mut self, by: &SortBy<'_>, row: impl FnOnce() -> T) {
        self.seen += 1;
        let last = if self.is_cut { self.kept.get(self.end.wrapping_sub(1)) } else { None };
        let is_behind = |(last, _): (SortBy<'_>, &T)| last.compare(by, self.is_descending).is_le();
        if self.end == 0 || last.is_some_and(is_behind) {
            return;
        }
        self.kept.push(by, row());
        if self.kept.len() >= self.end.saturating_add(self.end.max(SLACK)) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.end > 0 && self.end < self.kept.len() {
            self.kept.select(self.end - 1, self.is_descending);
            self.kept.truncate(self.end);
            self.is_cut = true;
        }
    }

    /// The page, made of what the rows are sorted by and what came with them, and how many rows
    /// there were in all.
    pub(super) fn into_page<R>(
        mut self,
        offset: usize,
        mut row: impl FnMut(&SortBy<'_>, T) -> R,
    ) -> (Vec<R>, usize) {
        self.cut();
        // What stands before the page need not be sorted.
        if offset > 0 {
            self.kept.select(offset, self.is_descending);
        }
        self.kept.sort_from(offset, self.is_descending);
        let mut page = Vec::with_capacity(self.kept.len().saturating_sub(offset));
        let mut place = 0;
        self.kept.drain(|by, item| {
            if place >= offset {
                page.push(row(by, item));
            }
            place += 1;
        });
        (page, self.seen)
    }
}

/// Cuts a page out of rows, in an order or as they come.
pub(super) enum Cut<T> {
    Sorted(Top<T>),
    AsTheyCome { rows: Vec<T>, offset: usize, limit: usize, seen: usize },
}

impl<T> Cut<T> {
    /// `is_descending` is none without an order.
    pub(super) fn new(offset: usize, limit: usize, is_descending: Option<bool>) -> Self {
        match is_descending {
            Some(is_descending) => Self::Sorted(Top::new(offset, limit, is_descending)),
            None => Self::AsTheyCome { rows: Vec::new(), offset, limit, seen: 0 },
        }
    }

    /// Whether rows that come later stand on no page up to this one.
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::AsTheyCome { rows, limit, .. } if rows.len() >= *limit)
    }

    /// Shows a row; it is made if it may stand on the page.
    pub(super) fn push(&mut self, by: &SortBy<'_>, row: impl FnOnce() -> T) {
        match self {
            Self::Sorted(top) => top.push(by, row),
            Self::AsTheyCome { rows, offset, limit, seen } => {
                if *seen >= *offset && rows.len() < *limit {
                    rows.push(row());
                }
                *seen += 1;
            }
        }
    }

    /// The page, and how many rows were shown in all.
    pub(super) fn into_page(self, offset: usize) -> (Vec<T>, usize) {
        match self {
            Self::Sorted(top) => top.into_page(offset, |_, row| row),
            Self::AsTheyCome { rows, seen, .. } => (rows, seen),
        }
    }
}

#[cfg(test)]
mod tests {
    use rookery_core::sorting::SortBy;

    use super::Top;

    #[test]
    fn a_page_is_that_of_the_whole_list_sorted() {
        let rows = || (0..10_000_u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20);
        for is_descending in [false, true] {
            let mut sorted: Vec<u64> = rows().collect();
            sorted.sort_unstable();
            if is_descending {
                sorted.reverse();
            }
            for (offset, limit) in [(0, 1), (0, 20), (980, 20), (9_990, 50), (20_000, 20), (0, 0)] {
                let mut top = Top::new(offset, limit, is_descending);
                for row in rows() {
                    let text = format!("{row:020}");
                    top.push(&SortBy::texts(&text, "", 0), || row);
                    assert!(top.kept.len() <= 2 * (offset + limit).max(super::SLACK));
                }
                let (page, count) = top.into_page(offset, |by, row| (by.first.to_owned(), row));
                let expected = sorted.iter().skip(offset).take(limit);
                let expected: Vec<_> = expected.map(|row| (format!("{row:020}"), *row)).collect();
                assert_eq!((page, count), (expected, 10_000));
            }
        }
    }
}
