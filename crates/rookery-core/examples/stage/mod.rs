//! One shard with clients and without sockets, and how long it takes.
#![allow(dead_code)] // each example uses its part

use std::hint::black_box;
use std::sync::Arc;

use rookery_codec::{Connect, QoS, Subscribe, SubscribeFiltersBuf, SubscriptionOptions, Version};
use rookery_core::config::{Admission, BrokerConfig, ZoneConfig};
use rookery_core::effects::ConnMeta;
use rookery_core::ids::{ConnKey, Now};
use rookery_core::shard::Shard;
use rookery_core::shared::Shared;

pub type Failure = Box<dyn std::error::Error>;

/// A shard that lets everybody in.
pub struct Stage {
    pub shard: Shard,
    pub shared: Arc<Shared>,
    pub now: Now,
    pub version: Version,
}

impl Stage {
    /// Its clients speak `version`.
    pub fn new(version: Version) -> Result<Self, Failure> {
        let zone = ZoneConfig { name: "default".into(), ..ZoneConfig::default() };
        let config = BrokerConfig {
            zones: vec![zone],
            admission: Admission::Everyone,
            ..BrokerConfig::default()
        };
        let now = Now { mono_ms: 1000, unix_ms: 1_700_000_000_000 };
        let shared = Arc::new(Shared::new(1, 1, 1));
        let shard = Shard::new(0, shared.clone(), Arc::new(config), now)?;
        Ok(Self { shard, shared, now, version })
    }

    pub fn connect(&mut self, client_id: &str) -> Result<ConnKey, Failure> {
        let meta = ConnMeta {
            peer: ([127, 0, 0, 1], 40_000).into(),
            local: ([127, 0, 0, 1], 1883).into(),
            listener: "tcp:default".into(),
            zone: 0,
            mountpoint: "".into(),
            is_local: true,
            enable_authn: true,
            cert: None,
            quick_deny_anonymous: false,
            rates: None,
            handover: None,
        };
        let key = self.shard.accept(self.now, Arc::new(meta)).ok_or("a client was refused")?;
        let mut bytes = Vec::new();
        Connect::new(self.version, client_id).encode(&mut bytes);
        self.shard.receive(self.now, key, &bytes);
        self.flush();
        Ok(key)
    }

    pub fn subscribe(&mut self, key: ConnKey, topic: &str, qos: QoS) {
        let mut filters = SubscribeFiltersBuf::default();
        filters.push(topic, SubscriptionOptions { qos, ..SubscriptionOptions::default() });
        let mut bytes = Vec::new();
        Subscribe::new(1, &filters).encode(self.version, &mut bytes);
        self.shard.receive(self.now, key, &bytes);
        self.flush();
    }

    /// Writes what there is to write, as a worker does at the end of its turn; how many octets.
    pub fn flush(&mut self) -> usize {
        let dirty = std::mem::take(&mut self.shard.effects.dirty);
        let mut written = 0;
        for key in &dirty {
            let Some(out) = self.shard.begin_flush(*key) else { continue };
            let n = out.len();
            black_box(out.contiguous());
            self.shard.flushed(self.now, *key, n);
            written += n;
        }
        self.shard.effects.dirty = dirty;
        self.shard.effects.dirty.clear();
        written
    }
}

/// CPU time of this thread; on a busy machine the clock on the wall measures the others.
fn cpu_ns() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(f64::NAN)
}

/// Nanoseconds of CPU time per message: the least and the median of several runs.
pub fn measured(runs: usize, messages: usize, mut run: impl FnMut()) -> (f64, f64) {
    let mut found: Vec<f64> = (0..runs)
        .map(|_| {
            let begun = cpu_ns();
            run();
            #[allow(clippy::cast_precision_loss)] // far below 2^52
            let per_message = (cpu_ns() - begun) / messages as f64;
            per_message
        })
        .collect();
    found.sort_by(f64::total_cmp);
    let at = |place: usize| found.get(place).copied().unwrap_or(f64::NAN);
    (at(0), at(runs / 2))
}
