//! What the rows of a list are sorted by, side by side in memory: a list of a hundred thousand is
//! sorted without a look at what the rows are about, which lies all over the memory.

use std::cmp::Ordering;

/// Where a row stands in a list: by a number or the beginning of a text first, then by two texts,
/// then by a number that no two rows have in common.
#[derive(Copy, Clone, Debug, Default)]
pub struct SortBy<'a> {
    head: u128,
    /// What it is sorted by, if that is a text.
    pub first: &'a str,
    /// What tells equal ones apart.
    pub second: &'a str,
    tie: u128,
}

impl<'a> SortBy<'a> {
    /// By a text, then by another one.
    #[must_use]
    pub fn texts(first: &'a str, second: &'a str, tie: u128) -> Self {
        Self { head: beginning(first), first, second, tie }
    }

    /// By a text that may be absent: then it comes before all others.
    #[must_use]
    pub fn name(name: Option<&'a str>, second: &'a str, tie: u128) -> Self {
        let head = name.map_or(0, |name| (1 << 120) | (beginning(name) >> 8));
        Self { head, first: name.unwrap_or_default(), second, tie }
    }

    /// By a number, then by two texts.
    #[must_use]
    pub fn number(number: u64, first: &'a str, second: &'a str, tie: u128) -> Self {
        Self { head: u128::from(number), first, second, tie }
    }

    /// By a number that may be unknown, then by two texts: what is unknown comes before all others.
    #[must_use]
    pub fn maybe(number: Option<u64>, first: &'a str, second: &'a str, tie: u128) -> Self {
        let head = number.map_or(0, |number| (1 << 64) | u128::from(number));
        Self { head, first, second, tie }
    }

    /// Which of two stands first.
    #[must_use]
    pub fn compare(&self, other: &Self, is_descending: bool) -> Ordering {
        let order = self.head.cmp(&other.head).then_with(|| {
            self.first
                .cmp(other.first)
                .then_with(|| self.second.cmp(other.second))
                .then_with(|| self.tie.cmp(&other.tie))
        });
        if is_descending { order.reverse() } else { order }
    }
}

/// The first bytes of a text as a number that orders as they do.
fn beginning(text: &str) -> u128 {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(text.as_bytes()).for_each(|(to, from)| *to = *from);
    u128::from_be_bytes(bytes)
}

/// Rows with what they are sorted by.
#[derive(Clone, Debug)]
pub struct Keys<T> {
    /// The texts of all rows, one behind the other.
    texts: String,
    rows: Vec<(Key, T)>,
}

#[derive(Copy, Clone, Debug)]
struct Key {
    head: u128,
    tie: u128,
    start: usize,
    first_bytes: u32,
    second_bytes: u32,
}

impl Key {
    fn sort_by<'a>(&self, texts: &'a str) -> SortBy<'a> {
        let middle = self.start + self.first_bytes as usize;
        let end = middle + self.second_bytes as usize;
        let first = texts.get(self.start..middle).unwrap_or_default();
        let second = texts.get(middle..end).unwrap_or_default();
        SortBy { head: self.head, first, second, tie: self.tie }
    }
}

impl<T> Default for Keys<T> {
    fn default() -> Self {
        Self { texts: String::new(), rows: Vec::new() }
    }
}

impl<T> Keys<T> {
    /// Adds a row.
    #[allow(clippy::cast_possible_truncation)] // texts of MQTT have less than 64 KB
    pub fn push(&mut self, by: &SortBy<'_>, item: T) {
        let start = self.texts.len();
        self.texts.push_str(by.first);
        self.texts.push_str(by.second);
        let key = Key {
            head: by.head,
            tie: by.tie,
            start,
            first_bytes: by.first.len() as u32,
            second_bytes: by.second.len() as u32,
        };
        self.rows.push((key, item));
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Bytes that the texts take.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        self.texts.len()
    }

    /// What a row is sorted by.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<(SortBy<'_>, &T)> {
        let (key, item) = self.rows.get(index)?;
        Some((key.sort_by(&self.texts), item))
    }

    /// Calls for each row in turn, and leaves none.
    pub fn drain(&mut self, mut each: impl FnMut(&SortBy<'_>, T)) {
        for (key, item) in self.rows.drain(..) {
            each(&key.sort_by(&self.texts), item);
        }
        self.texts.clear();
    }

    /// Brings the row that belongs to a place to it, those that come before it before it and the
    /// others behind it, each side in no order.
    pub fn select(&mut self, place: usize, is_descending: bool) {
        if place < self.rows.len() {
            let texts = &self.texts;
            self.rows.select_nth_unstable_by(place, |(a, _), (b, _)| {
                a.sort_by(texts).compare(&b.sort_by(texts), is_descending)
            });
        }
    }

    /// Sorts the rows from a place on.
    pub fn sort_from(&mut self, place: usize, is_descending: bool) {
        let texts = &self.texts;
        if let Some(rows) = self.rows.get_mut(place..) {
            rows.sort_unstable_by(|(a, _), (b, _)| {
                a.sort_by(texts).compare(&b.sort_by(texts), is_descending)
            });
        }
    }

    /// Keeps the first rows only, and no texts of the others.
    pub fn truncate(&mut self, rows: usize) {
        if rows >= self.rows.len() {
            return;
        }
        self.rows.truncate(rows);
        let mut texts = String::with_capacity(self.texts.len() / 2);
        for (key, _) in &mut self.rows {
            let by = key.sort_by(&self.texts);
            let start = texts.len();
            texts.push_str(by.first);
            texts.push_str(by.second);
            key.start = start;
        }
        self.texts = texts;
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::{Keys, SortBy};

    fn is_before(a: SortBy<'_>, b: SortBy<'_>) -> bool {
        a.compare(&b, false) == Ordering::Less && a.compare(&b, true) == Ordering::Greater
    }

    #[test]
    fn texts_stand_as_their_bytes_do_however_long_they_are() {
        let ordered = [
            "",
            "\u{1}",
            "a",
            "a\0",
            "a\0\0",
            "a/1",
            "a/10",
            "a/2",
            "own/here-0000007",
            "own/here-00000070",
            "own/here-00000071/x",
            "own/here-0000008",
            "z",
            "é",
        ];
        for (at, a) in ordered.iter().enumerate() {
            for b in ordered.iter().skip(at + 1) {
                assert!(is_before(SortBy::texts(a, "", 1), SortBy::texts(b, "", 0)), "{a:?} {b:?}");
                let names = (SortBy::name(Some(a), "", 1), SortBy::name(Some(b), "", 0));
                assert!(is_before(names.0, names.1), "{a:?} {b:?}");
            }
            assert!(is_before(SortBy::name(None, "", 1), SortBy::name(Some(a), "", 0)), "{a:?}");
        }
    }

    #[test]
    fn equal_ones_stand_by_the_second_text_and_then_by_the_tie() {
        assert!(is_before(SortBy::texts("t", "a", 9), SortBy::texts("t", "b", 1)));
        assert!(is_before(SortBy::texts("t", "a", 1), SortBy::texts("t", "a", 2)));
        assert!(is_before(SortBy::number(1, "b", "", 0), SortBy::number(2, "a", "", 0)));
        assert!(is_before(SortBy::number(1, "a", "b", 0), SortBy::number(1, "b", "a", 0)));
    }

    #[test]
    fn rows_that_are_left_keep_their_texts() {
        let mut keys = Keys::default();
        for name in ["d", "b", "a", "c"] {
            keys.push(&SortBy::texts(name, "and more", 0), name);
        }
        keys.select(2, false);
        keys.truncate(2);
        assert_eq!(keys.text_bytes(), 2 * "aand more".len());
        keys.sort_from(0, false);
        let rows: Vec<_> =
            (0..2).filter_map(|n| keys.get(n)).map(|(by, row)| (by.first, *row)).collect();
        assert_eq!(rows, [("a", "a"), ("b", "b")]);
    }
}
