//! The calendar: days, and times of day, before and after 1970.

/// A moment of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Civil {
    pub year: i64,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    pub nanosecond: u32,
}

/// Years that are written with four digits.
const YEARS: std::ops::RangeInclusive<i64> = 0..=9999;
const DAY_S: i128 = 86_400;
const SECOND_NS: i128 = 1_000_000_000;

/// Days from 1970-01-01 to a day of the Gregorian calendar (years begin in March here, so that the
/// day that comes and goes is the last one).
fn days(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = i64::from((month + 9) % 12);
    let of_year = (153 * from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn days_of_month(year: i64, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}

impl Civil {
    /// The moment `unix_ns` at a place `offset_s` ahead of UTC; nothing outside the years 0 to 9999.
    pub fn from_unix_ns(unix_ns: i128, offset_s: i32) -> Option<Self> {
        let local = unix_ns.checked_add(i128::from(offset_s) * SECOND_NS)?;
        let seconds = local.div_euclid(SECOND_NS);
        let of_day = u32::try_from(seconds.rem_euclid(DAY_S)).ok()?;
        let from_march_0 = i64::try_from(seconds.div_euclid(DAY_S)).ok()?.checked_add(719_468)?;
        let era = from_march_0.div_euclid(146_097);
        let of_era = from_march_0.rem_euclid(146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month =
            u32::try_from(if from_march < 10 { from_march + 3 } else { from_march - 9 }).ok()?;
        let year = year + era * 400 + i64::from(month <= 2);
        if !YEARS.contains(&year) {
            return None;
        }
        Some(Self {
            year,
            month,
            day: u32::try_from(of_year - (153 * from_march + 2) / 5 + 1).ok()?,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            nanosecond: u32::try_from(local.rem_euclid(SECOND_NS)).ok()?,
        })
    }

    /// Nanoseconds since 1970 of this moment at UTC; nothing when there is no such moment.
    pub fn unix_ns(&self) -> Option<i128> {
        let there = YEARS.contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=days_of_month(self.year, self.month)).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second < 61;
        if !there {
            return None;
        }
        let seconds = i128::from(days(self.year, self.month, self.day)) * DAY_S
            + i128::from(self.hour * 3600 + self.minute * 60 + self.second);
        Some(seconds * SECOND_NS + i128::from(self.nanosecond))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_there_and_back_through_four_centuries() {
        let mut at = -11_676_096_000_i128; // 1600-01-01
        while at < 4_102_444_800 {
            let civil = Civil::from_unix_ns(at * SECOND_NS + 5, 0).expect("a day");
            assert_eq!(civil.unix_ns(), Some(at * SECOND_NS + 5), "{civil:?}");
            at += DAY_S - 1;
        }
        let leap = Civil::from_unix_ns(951_782_400 * SECOND_NS, 0).expect("a day");
        assert_eq!((leap.year, leap.month, leap.day), (2000, 2, 29));
    }

    #[test]
    fn what_is_no_day_is_nothing() {
        let day = Civil { year: 2023, month: 2, day: 29, ..Civil::default() };
        assert_eq!(day.unix_ns(), None);
        assert_eq!(Civil::from_unix_ns(i128::MAX, 0), None);
        assert_eq!(Civil::from_unix_ns(i128::MIN, -1), None);
    }
}
