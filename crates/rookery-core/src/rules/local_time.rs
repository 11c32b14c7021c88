//! How far local time is ahead of UTC, now and later.

/// What local time is ahead of UTC, with the changes that are known beforehand, such as those of
/// summer time: each holds from its moment on, without anybody saying so then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalTime {
    first_s: i32,
    /// From when (seconds since 1970), and by how many seconds; in order.
    changes: Box<[(i64, i32)]>,
}

impl LocalTime {
    /// `first_s` seconds ahead of UTC until the first of `changes`, each of which says from when
    /// on (seconds since 1970) it is by how many seconds.
    #[must_use]
    pub fn new(first_s: i32, mut changes: Vec<(i64, i32)>) -> Self {
        changes.sort_by_key(|(from_s, _)| *from_s);
        Self { first_s, changes: changes.into() }
    }

    /// Seconds ahead of UTC at a time.
    #[inline]
    #[must_use]
    pub fn offset_s(&self, unix_ms: u64) -> i32 {
        if self.changes.is_empty() {
            return self.first_s;
        }
        let now_s = i64::try_from(unix_ms / 1000).unwrap_or(i64::MAX);
        let later = self.changes.partition_point(|(from_s, _)| *from_s <= now_s);
        later.checked_sub(1).and_then(|at| self.changes.get(at)).map_or(self.first_s, |(_, s)| *s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_holds_from_its_second_on() {
        let time = LocalTime::new(3600, vec![(2000, 3600), (1000, 7200)]);
        for (unix_ms, offset_s) in
            [(0, 3600), (999_999, 3600), (1_000_000, 7200), (1_999_999, 7200), (2_000_000, 3600)]
        {
            assert_eq!(time.offset_s(unix_ms), offset_s, "{unix_ms}");
        }
        assert_eq!(LocalTime::default().offset_s(u64::MAX), 0);
        assert_eq!(LocalTime::new(-60, Vec::new()).offset_s(5), -60);
    }
}
