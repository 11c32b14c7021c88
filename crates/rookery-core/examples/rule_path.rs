//! What rules cost the broker's own code, without sockets: a message with one subscriber alone,
//! beside 1,000 rules that want nothing of it, and with a rule that looks into its JSON and
//! republishes it to another subscriber. Prints CPU nanoseconds per message, the median of several
//! runs.
//!
//! `cargo run --release -p rookery-core --example rule_path`

use std::hint::black_box;
use std::sync::Arc;

use rookery_codec::{
    Connect, Publish, Subscribe, SubscribeFiltersBuf, SubscriptionOptions, Version,
};
use rookery_core::config::{Admission, BrokerConfig, ZoneConfig};
use rookery_core::effects::{ConnMeta, ShardMessage};
use rookery_core::ids::{ConnKey, Now};
use rookery_core::rules::{Output, Republish, RepublishSpec, RuleDraft, RuleSet, Surroundings};
use rookery_core::shard::Shard;
use rookery_core::shared::Shared;

const PAIRS: usize = 100;
const WINDOW: usize = 16;
const ROUNDS: usize = 200;
const RUNS: usize = 15;
const PAYLOAD: &[u8] = br#"{"t": 81.5, "unit": "C", "line": 3, "ok": true}"#;
const QUIET: usize = 100;

type Failure = Box<dyn std::error::Error>;

struct Scene {
    shard: Shard,
    now: Now,
    publishers: Vec<(ConnKey, Vec<u8>)>,
}

impl Scene {
    /// Pairs of publisher and subscriber on `topic/n`, watchers of what rules make, and rules.
    fn new(topic: &str, rules: Vec<RuleDraft>) -> Result<Self, Failure> {
        let zone = ZoneConfig { name: "default".into(), ..ZoneConfig::default() };
        let config = BrokerConfig {
            zones: vec![zone],
            admission: Admission::Everyone,
            ..BrokerConfig::default()
        };
        let now = Now { mono_ms: 1000, unix_ms: 1_700_000_000_000 };
        let shared = Arc::new(Shared::new(1, 1, 1));
        let shard = Shard::new(0, shared.clone(), Arc::new(config), now)?;
        let mut scene = Self { shard, now, publishers: Vec::new() };
        for n in 0..PAIRS {
            let topic = format!("{topic}/{n}");
            let publisher = scene.connect(&format!("publisher-{n}"))?;
            let subscriber = scene.connect(&format!("subscriber-{n}"))?;
            scene.subscribe(subscriber, &topic);
            let watcher = scene.connect(&format!("watcher-{n}"))?;
            scene.subscribe(watcher, &format!("alarm/publisher-{n}"));
            let mut bytes = Vec::new();
            for _ in 0..WINDOW {
                Publish { topic: &topic, payload: PAYLOAD, ..Publish::default() }
                    .encode(Version::V311, &mut bytes);
            }
            scene.publishers.push((publisher, bytes));
        }
        let before = RuleSet::default();
        let set = Arc::new(before.next(rules, Surroundings::default(), 1)?);
        let filters = set.filters_beyond(&before);
        let filters: Vec<(&str, u32)> = filters.iter().map(|(f, n)| (f.as_str(), *n)).collect();
        shared.router.add_rules(&filters);
        scene.shard.inbox(now, ShardMessage::Rules(set));
        Ok(scene)
    }

    fn connect(&mut self, client_id: &str) -> Result<ConnKey, Failure> {
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
        Connect::new(Version::V311, client_id).encode(&mut bytes);
        self.shard.receive(self.now, key, &bytes);
        self.flush();
        Ok(key)
    }

    fn subscribe(&mut self, key: ConnKey, topic: &str) {
        let mut filters = SubscribeFiltersBuf::default();
        filters.push(topic, SubscriptionOptions::default());
        let mut bytes = Vec::new();
        Subscribe::new(1, &filters).encode(Version::V311, &mut bytes);
        self.shard.receive(self.now, key, &bytes);
        self.flush();
    }

    /// Writes what there is to write, as a worker does at the end of its turn.
    fn flush(&mut self) -> usize {
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

    fn round(&mut self) {
        for (key, bytes) in &self.publishers {
            self.shard.receive(self.now, *key, bytes);
        }
        black_box(self.flush());
        self.shard.effects.up.clear();
    }

    /// Nanoseconds per message.
    fn measure(&mut self) -> f64 {
        let mut runs: Vec<f64> = (0..RUNS)
            .map(|_| {
                let begun = cpu_ns();
                (0..ROUNDS).for_each(|_| self.round());
                #[allow(clippy::cast_precision_loss)] // far below 2^52
                let messages = (ROUNDS * PAIRS * WINDOW) as f64;
                (cpu_ns() - begun) / messages
            })
            .collect();
        runs.sort_by(f64::total_cmp);
        runs.get(RUNS / 2).copied().unwrap_or(f64::NAN)
    }
}

/// CPU time of this thread; on a busy machine the clock on the wall measures the others.
fn cpu_ns() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(f64::NAN)
}

/// Rules that want nothing of what is published here.
fn quiet(count: usize) -> Vec<RuleDraft> {
    let one = |n| RuleDraft {
        id: format!("quiet-{n}"),
        sql: format!(r#"SELECT * FROM "quiet/{n}/+" WHERE payload.t > {n}"#),
        enable: true,
        outputs: vec![Output::Console],
    };
    (0..count).map(one).collect()
}

fn main() -> Result<(), Failure> {
    let show = |name: &str, rules: usize, ns: f64| {
        println!("{name:<52} {rules:>7} rules {ns:>8.0} ns/check");
    };
    let alone = Scene::new("bench", Vec::new())?.measure();
    show("a message with one subscriber", 0, alone);
    let beside = Scene::new("bench", quiet(1000))?.measure();
    show("the same beside rules that want nothing", 1000, beside);
    let spec = RepublishSpec { topic: "alarm/${clientid}".into(), ..RepublishSpec::default() };
    let mut rules = quiet(QUIET - 1);
    rules.push(RuleDraft {
        id: "hot".into(),
        sql: r#"SELECT payload.t AS t, payload, clientid FROM "line/#" WHERE payload.t > 80"#
            .into(),
        enable: true,
        outputs: vec![Output::Republish(Arc::new(Republish::new(&spec)?))],
    });
    let both = Scene::new("line", rules)?.measure();
    show("a message, a rule and what it republishes", 0, both);
    show("a rule and its republish on top of two messages", QUIET, both - 2.0 * alone);
    println!("beside 1,000 rules that want nothing: {:.3} of the cost alone", beside / alone);
    Ok(())
}
