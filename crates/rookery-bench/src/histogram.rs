//! A latency histogram with fixed buckets: 64 to each power of two (1.6 %).

use serde::Serialize;

const SUB_BITS: u32 = 6;
const SUB: u64 = 1 << SUB_BITS;
const BUCKETS: usize = ((64 - SUB_BITS as usize) + 1) << SUB_BITS;

/// Counts of nanosecond values; recording is a few instructions and never allocates.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    count: u64,
    sum: u64,
    min: u64,
    max: u64,
}

/// The part of a histogram that a report shows, in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Values recorded.
    pub count: u64,
    /// Smallest value.
    pub min: f64,
    /// Mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p99_9: f64,
    /// Largest value.
    pub max: f64,
}

impl Histogram {
    pub(crate) fn new() -> Histogram {
        Histogram { counts: vec![0; BUCKETS], count: 0, sum: 0, min: u64::MAX, max: 0 }
    }

    fn bucket(value: u64) -> usize {
        if value < SUB {
            return value as usize;
        }
        let shift = 63 - value.leading_zeros() - SUB_BITS;
        (((u64::from(shift) + 1) << SUB_BITS) + ((value >> shift) - SUB)) as usize
    }

    /// Largest value that falls into `bucket`.
    fn upper(bucket: usize) -> u64 {
        let bucket = bucket as u64;
        if bucket < SUB {
            return bucket;
        }
        let shift = (bucket >> SUB_BITS) - 1;
        let low = (SUB + (bucket & (SUB - 1))) << shift;
        low + ((1 << shift) - 1)
    }

    #[inline]
    pub(crate) fn record(&mut self, nanoseconds: u64) {
        if let Some(slot) = self.counts.get_mut(Self::bucket(nanoseconds)) {
            *slot += 1;
        }
        self.count += 1;
        self.sum = self.sum.saturating_add(nanoseconds);
        self.min = self.min.min(nanoseconds);
        self.max = self.max.max(nanoseconds);
    }

    fn percentile(&self, share: f64) -> u64 {
        let wanted = ((self.count as f64) * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Self::upper(bucket).min(self.max);
            }
        }
        self.max
    }

    pub(crate) fn percentiles(&self) -> Percentiles {
        if self.count == 0 {
            return Percentiles::default();
        }
        let us = |nanoseconds: u64| nanoseconds as f64 / 1e3;
        Percentiles {
            count: self.count,
            min: us(self.min),
            mean: us(self.sum) / self.count as f64,
            p50: us(self.percentile(0.5)),
            p90: us(self.percentile(0.9)),
            p99: us(self.percentile(0.99)),
            p99_9: us(self.percentile(0.999)),
            max: us(self.max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_falls_into_a_bucket_that_bounds_it_within_two_percent() {
        for value in (0..64).flat_map(|bit| [1u64 << bit, (1u64 << bit) | 1, (1u64 << bit) - 1]) {
            let bucket = Histogram::bucket(value);
            assert!(bucket < BUCKETS);
            let upper = Histogram::upper(bucket);
            assert!(upper >= value && upper - value <= value / 32, "{value} {upper}");
        }
        assert!(Histogram::bucket(u64::MAX) < BUCKETS);
    }

    #[test]
    fn percentiles_of_a_ramp() {
        let mut histogram = Histogram::new();
        for value in 1..=100_000u64 {
            histogram.record(value);
        }
        let result = histogram.percentiles();
        assert_eq!((result.count, result.min, result.max), (100_000, 0.001, 100.0));
        assert!((result.p50 - 50.0).abs() < 1.0, "{result:?}");
        assert!((result.p99 - 99.0).abs() < 2.0, "{result:?}");
    }

    #[test]
    fn nothing_recorded_is_all_zero() {
        assert_eq!(Histogram::new().percentiles(), Percentiles::default());
    }
}
