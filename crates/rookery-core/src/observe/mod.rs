//! Looking closer at some of what a shard does: traces of clients, slow subscriptions, spans.
//!
//! All of it is off on most nodes and then costs one predictable branch where it could begin. What
//! is on is bounded: by the number of traces, by rows kept, by events made per second.

mod describe;
mod slow;
mod span;
mod trace;

use std::net::IpAddr;
use std::sync::Arc;

use rookery_codec::filter_matches;
use smallvec::SmallVec;

pub use describe::describe;
pub(crate) use describe::{describe_connect, describe_encoded};
pub use slow::{SlowRow, SlowStats, SlowSubsConfig, SlowTable};
pub use span::{SpanConfig, SpanEvent, TraceParent};
pub use trace::{TraceConfig, TraceEvent, TraceMatch};

/// Events of traces and spans that a shard makes in a second; what is above is counted.
pub const EVENTS_PER_SECOND_MAX: u32 = 10_000;
/// Traces at once: one bit each in a connection's mark.
pub const TRACES_MAX: usize = 64;
/// Bytes of a payload that an event carries.
pub const PAYLOAD_BYTES_MAX: usize = 1024;

/// What a node is told to look at.
#[derive(Clone, Debug, Default)]
pub struct ObserveConfig {
    /// Traces that run; those above [`TRACES_MAX`] do not.
    pub traces: Vec<TraceConfig>,
    /// Slow subscriptions; none = they are not measured.
    pub slow_subs: Option<SlowSubsConfig>,
    /// Spans of messages; none = none are made.
    pub spans: Option<SpanConfig>,
}

/// The part of a shard that looks.
#[derive(Debug)]
pub struct Observer {
    /// What it is told.
    pub config: Arc<ObserveConfig>,
    /// Something of it is on.
    pub is_on: bool,
    /// A trace runs.
    pub is_tracing: bool,
    /// Slow subscriptions are measured.
    pub is_timing: bool,
    /// Spans are made.
    pub is_spanning: bool,
    /// Events that this second still takes.
    pub left: u32,
    /// The slowest subscriptions.
    pub slow: SlowTable,
    random: u64,
}

impl Default for Observer {
    fn default() -> Self {
        let seed = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0);
        Self {
            config: Arc::default(),
            is_on: false,
            is_tracing: false,
            is_timing: false,
            is_spanning: false,
            left: EVENTS_PER_SECOND_MAX,
            slow: SlowTable::default(),
            random: seed,
        }
    }
}

impl Observer {
    /// One with these orders.
    #[must_use]
    pub fn of(config: Arc<ObserveConfig>) -> Self {
        let mut observer = Self::default();
        observer.set(config);
        observer
    }

    /// Takes other orders.
    pub fn set(&mut self, config: Arc<ObserveConfig>) {
        self.is_tracing = !config.traces.is_empty();
        self.is_timing = config.slow_subs.is_some();
        self.is_spanning = config.spans.is_some();
        self.is_on = self.is_tracing || self.is_timing || self.is_spanning;
        match &config.slow_subs {
            Some(slow) => self.slow.set(slow),
            None => self.slow.clear(),
        }
        self.config = config;
    }

    /// A new second.
    pub fn refill(&mut self) {
        self.left = EVENTS_PER_SECOND_MAX;
    }

    /// Whether one more event may be made.
    pub fn may_emit(&mut self) -> bool {
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }

    /// The traces that a client belongs to, one bit each.
    #[must_use]
    pub fn mask_of(&self, client_id: &str, peer: Option<IpAddr>) -> u64 {
        self.mask(|of| match of {
            TraceMatch::ClientId(wanted) => **wanted == *client_id,
            TraceMatch::IpAddress(wanted) => {
                peer.is_some_and(|peer| peer.to_canonical() == wanted.to_canonical())
            }
            TraceMatch::Topic(_) => false,
        })
    }

    /// The traces that a topic belongs to.
    #[must_use]
    pub fn mask_of_topic(&self, topic: &str) -> u64 {
        self.mask(|of| match of {
            TraceMatch::Topic(filter) => filter_matches(filter, topic),
            _ => false,
        })
    }

    /// The traces about exactly this filter or topic, for SUBSCRIBE and UNSUBSCRIBE.
    #[must_use]
    pub fn mask_of_filter(&self, filter: &str) -> u64 {
        self.mask(|of| match of {
            TraceMatch::Topic(wanted) => **wanted == *filter || filter_matches(wanted, filter),
            _ => false,
        })
    }

    fn mask(&self, is_meant: impl Fn(&TraceMatch) -> bool) -> u64 {
        let traces = self.config.traces.iter().take(TRACES_MAX).enumerate();
        traces.fold(0, |mask, (at, trace)| mask | (u64::from(is_meant(&trace.of)) << at))
    }

    /// The numbers of the traces in a mask.
    #[must_use]
    pub fn ids(&self, mask: u64) -> SmallVec<[u32; 2]> {
        let traces = self.config.traces.iter().take(TRACES_MAX).enumerate();
        traces.filter(|(at, _)| mask & (1 << at) != 0).map(|(_, trace)| trace.id).collect()
    }

    /// A number that nobody can guess from the last one without effort (splitmix64), never 0.
    pub fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{EVENTS_PER_SECOND_MAX, ObserveConfig, Observer, TraceConfig, TraceMatch};

    fn observer(of: Vec<TraceMatch>) -> Observer {
        let traces = (10..).zip(of).map(|(id, of)| TraceConfig { id, of }).collect();
        let mut observer = Observer::default();
        observer.set(Arc::new(ObserveConfig { traces, ..ObserveConfig::default() }));
        observer
    }

    #[test]
    fn a_client_belongs_to_the_traces_of_its_name_and_its_address() {
        let observer = observer(vec![
            TraceMatch::ClientId("a".into()),
            TraceMatch::IpAddress("10.0.0.1".parse().unwrap()),
            TraceMatch::Topic("a".into()),
        ]);
        let mapped = "::ffff:10.0.0.1".parse().unwrap();
        assert_eq!(observer.ids(observer.mask_of("a", Some(mapped))).as_slice(), [10, 11]);
        assert_eq!(observer.ids(observer.mask_of("b", None)).as_slice(), [0_u32; 0]);
    }

    #[test]
    fn a_topic_belongs_to_the_traces_whose_filter_it_matches() {
        let observer =
            observer(vec![TraceMatch::Topic("a/#".into()), TraceMatch::ClientId("a/b".into())]);
        assert_eq!(observer.ids(observer.mask_of_topic("a/b")).as_slice(), [10]);
        assert_eq!(observer.mask_of_topic("b"), 0);
        assert_eq!(observer.ids(observer.mask_of_filter("a/#")).as_slice(), [10]);
    }

    #[test]
    fn a_second_takes_so_many_events() {
        let mut observer = observer(vec![TraceMatch::ClientId("a".into())]);
        let made = (0..2 * EVENTS_PER_SECOND_MAX).filter(|_| observer.may_emit()).count();
        assert_eq!(made, EVENTS_PER_SECOND_MAX as usize);
        observer.refill();
        assert!(observer.may_emit());
    }
}
