//! Counters of the topics that an operator picked, EMQX's topic metrics.
//!
//! A shard holds a table only while a topic is counted: otherwise a message costs one branch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashMap;
use rookery_codec::QoS;

/// Counters of one topic; every shard adds to them.
#[derive(Debug, Default)]
pub struct TopicCounts {
    received: [AtomicU64; 3],
    sent: [AtomicU64; 3],
    dropped: AtomicU64,
}

/// What was counted of a topic.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicSample {
    /// Messages published, by QoS.
    pub received: [u64; 3],
    /// Deliveries to clients, by the QoS of the delivery.
    pub sent: [u64; 3],
    /// Messages that nobody had subscribed to.
    pub dropped: u64,
}

fn add(counters: &[AtomicU64; 3], qos: QoS) {
    let [qos0, qos1, qos2] = counters;
    let counter = match qos {
        QoS::AtMostOnce => qos0,
        QoS::AtLeastOnce => qos1,
        QoS::ExactlyOnce => qos2,
    };
    counter.fetch_add(1, Ordering::Relaxed);
}

impl TopicCounts {
    /// What was counted so far.
    #[must_use]
    pub fn sample(&self) -> TopicSample {
        let read =
            |counters: &[AtomicU64; 3]| counters.each_ref().map(|c| c.load(Ordering::Relaxed));
        TopicSample {
            received: read(&self.received),
            sent: read(&self.sent),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }
}

/// The topics that are counted.
#[derive(Clone, Debug, Default)]
pub struct TopicTable(HashMap<Box<str>, Arc<TopicCounts>>);

impl TopicTable {
    /// A table of these topics; those that `old` has keep their counters.
    #[must_use]
    pub fn of(topics: &[String], old: &Self) -> Self {
        let counters = |topic: &String| old.0.get(topic.as_str()).cloned().unwrap_or_default();
        Self(topics.iter().map(|topic| (topic.as_str().into(), counters(topic))).collect())
    }

    /// Whether no topic is counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A message was published.
    #[inline]
    pub fn received(&self, topic: &str, qos: QoS) {
        if let Some(counts) = self.0.get(topic) {
            add(&counts.received, qos);
        }
    }

    /// A message was sent to a client.
    #[inline]
    pub fn sent(&self, topic: &str, qos: QoS) {
        if let Some(counts) = self.0.get(topic) {
            add(&counts.sent, qos);
        }
    }

    /// A message found nobody.
    pub fn dropped(&self, topic: &str) {
        if let Some(counts) = self.0.get(topic) {
            counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Every topic with what was counted, in the order of their names.
    #[must_use]
    pub fn samples(&self) -> Vec<(String, TopicSample)> {
        let mut samples: Vec<_> =
            self.0.iter().map(|(topic, counts)| (topic.to_string(), counts.sample())).collect();
        samples.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        samples
    }
}
