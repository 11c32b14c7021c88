//! How much a client may send: token buckets that say when to read on.
//!
//! A client above its rate is not read for a while: TCP holds it back, nothing is dropped and
//! nobody is disconnected. Owns the arithmetic; who is held back and for how long is the shard's.

use std::time::Duration;

/// Rates of the clients of one listener. 0 stands for no bound.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientRates {
    /// PUBLISH packets per second and client.
    pub messages_rate: f64,
    /// PUBLISH packets that may come at once; 0 = one second's worth.
    pub messages_burst: u32,
    /// Bytes of packets per second and client.
    pub bytes_rate: f64,
    /// Bytes that may come at once; 0 = one second's worth.
    pub bytes_burst: u64,
}

impl ClientRates {
    /// Whether anything is bounded.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.messages_rate > 0.0 || self.bytes_rate > 0.0
    }
}

/// One token, less what adding up fractions may lose.
const ONE_TOKEN: f64 = 1.0 - 1e-6;

/// A bucket that fills at a rate. What is taken may exceed what is there: the debt delays the
/// next one, so that a packet larger than the bucket is not stuck for ever.
#[derive(Clone, Copy, Debug)]
pub struct TokenBucket {
    /// Tokens per ms; 0 = no bound.
    per_ms: f64,
    capacity: f64,
    tokens: f64,
    filled_at_ms: u64,
}

impl TokenBucket {
    /// A full bucket of `burst` tokens, or of one second's worth of `rate`. It holds half a second's
    /// worth at least: timers are coarser than a small bucket would need.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn new(rate: f64, burst: u64, now_ms: u64) -> Self {
        let rate = if rate.is_finite() { rate.max(0.0) } else { 0.0 };
        let capacity = if burst == 0 { rate } else { (burst as f64).max(rate / 2.0) };
        let capacity = capacity.max(1.0);
        Self { per_ms: rate / 1000.0, capacity, tokens: capacity, filled_at_ms: now_ms }
    }

    /// Adds what has come in since the last call.
    #[allow(clippy::cast_precision_loss)]
    fn fill(&mut self, now_ms: u64) {
        let elapsed_ms = now_ms.saturating_sub(self.filled_at_ms);
        if elapsed_ms > 0 {
            self.filled_at_ms = now_ms;
            self.tokens = (self.tokens + elapsed_ms as f64 * self.per_ms).min(self.capacity);
        }
    }

    /// Time until one token is there; zero when it is. Also zero without a bound.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn wait(&mut self, now_ms: u64) -> Duration {
        if self.per_ms == 0.0 {
            return Duration::ZERO;
        }
        self.fill(now_ms);
        if self.tokens >= ONE_TOKEN {
            return Duration::ZERO;
        }
        Duration::from_millis(((1.0 - self.tokens) / self.per_ms).ceil() as u64)
    }

    /// Takes `n` tokens, be it on credit.
    #[allow(clippy::cast_precision_loss)]
    pub fn take(&mut self, n: u64) {
        if self.per_ms != 0.0 {
            self.tokens -= n as f64;
        }
    }
}

/// The buckets of one client.
#[derive(Debug)]
pub struct Limiter {
    messages: TokenBucket,
    bytes: TokenBucket,
    /// A timer will let it read on.
    pub(crate) is_waiting: bool,
}

impl Limiter {
    /// Full buckets; none when nothing is bounded.
    #[must_use]
    pub fn new(rates: &ClientRates, now_ms: u64) -> Option<Box<Self>> {
        rates.is_bounded().then(|| {
            Box::new(Self {
                messages: TokenBucket::new(
                    rates.messages_rate,
                    u64::from(rates.messages_burst),
                    now_ms,
                ),
                bytes: TokenBucket::new(rates.bytes_rate, rates.bytes_burst, now_ms),
                is_waiting: false,
            })
        })
    }

    /// Takes what a packet costs; the time to wait first when it cannot be taken now.
    #[inline]
    pub fn take(&mut self, now_ms: u64, is_publish: bool, len: usize) -> Result<(), Duration> {
        let mut wait = self.bytes.wait(now_ms);
        if is_publish {
            wait = wait.max(self.messages.wait(now_ms));
        }
        if !wait.is_zero() {
            return Err(wait);
        }
        self.bytes.take(len as u64);
        if is_publish {
            self.messages.take(1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ClientRates, Limiter, TokenBucket};

    #[test]
    fn no_rate_is_no_limiter() {
        assert!(Limiter::new(&ClientRates::default(), 0).is_none());
        let negative = ClientRates { messages_rate: -1.0, ..ClientRates::default() };
        assert!(Limiter::new(&negative, 0).is_none());
    }

    #[test]
    fn a_large_packet_passes_and_delays_the_next() {
        let rates = ClientRates { bytes_rate: 100.0, ..ClientRates::default() };
        let mut limiter = Limiter::new(&rates, 0).unwrap();
        assert_eq!(limiter.take(0, true, 1100), Ok(()));
        let wait = limiter.take(0, true, 1).unwrap_err();
        assert_eq!(wait.as_millis(), 10_010);
        assert!(limiter.take(10_009, true, 1).is_err());
        assert_eq!(limiter.take(10_010, true, 1), Ok(()));
    }

    #[test]
    fn only_publish_costs_messages() {
        let rates = ClientRates { messages_rate: 1.0, ..ClientRates::default() };
        let mut limiter = Limiter::new(&rates, 0).unwrap();
        assert_eq!(limiter.take(0, true, 5), Ok(()));
        assert!(limiter.take(0, true, 5).is_err());
        for _ in 0..100 {
            assert_eq!(limiter.take(0, false, 5), Ok(()));
        }
    }

    proptest! {
        /// Whatever the steps, what passes stays within capacity plus rate times time, and a
        /// bucket that is always asked gives nearly all of it.
        #[test]
        fn the_rate_holds(
            rate in 1_u32..5000, burst in 0_u64..10_000, steps in proptest::collection::vec(1_u64..400, 1..200),
        ) {
            let rate = f64::from(rate);
            let mut bucket = TokenBucket::new(rate, burst, 0);
            let (mut now, mut passed) = (0, 0_u64);
            for step in steps {
                now += step;
                while bucket.wait(now).is_zero() {
                    bucket.take(1);
                    passed += 1;
                }
            }
            let at_once = if burst == 0 { rate } else { rate.max(burst as f64) };
            let most = rate * (now as f64 / 1000.0) + at_once;
            prop_assert!(passed as f64 <= most + 1.0, "{passed} > {most}");
            let least = rate * (now as f64 / 1000.0) - 1.0;
            prop_assert!(passed as f64 >= least.min(most) , "{passed} < {least}");
        }

        /// Waiting as long as was said suffices.
        #[test]
        fn a_wait_is_long_enough(rate in 1_u32..100_000, taken in 1_u64..1_000_000) {
            let mut bucket = TokenBucket::new(f64::from(rate) / 10.0, 0, 0);
            bucket.take(taken);
            let wait = bucket.wait(0);
            let then = u64::try_from(wait.as_millis()).unwrap();
            prop_assert!(bucket.wait(then).is_zero());
        }
    }
}
