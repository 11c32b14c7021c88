//! What the broker's own code costs per message, without sockets: publishers send batches, their
//! subscribers get and acknowledge them. Prints CPU nanoseconds per message, the least and the
//! median of several runs.
//!
//! `cargo run --release -p rookery-core --example message_path`

use std::hint::black_box;
use std::sync::Arc;

use rookery_codec::{
    Ack, AckKind, Connect, Publish, QoS, Subscribe, SubscribeFiltersBuf, SubscriptionOptions,
    Version,
};
use rookery_core::config::{Admission, BrokerConfig, ZoneConfig};
use rookery_core::effects::ConnMeta;
use rookery_core::ids::{ConnKey, Now};
use rookery_core::shard::Shard;
use rookery_core::shared::Shared;

const PAIRS: usize = 100;
const WINDOW: u16 = 16;
const ROUNDS: usize = 400;
const RUNS: usize = 15;

struct Client {
    key: ConnKey,
    next_id: u16,
    input: Vec<u8>,
    publishes: Vec<u8>,
}

struct Scene {
    shard: Shard,
    now: Now,
    version: Version,
}

impl Scene {
    fn new(version: Version) -> Option<Self> {
        let zone = ZoneConfig { name: "default".into(), ..ZoneConfig::default() };
        let config = BrokerConfig {
            zones: vec![zone],
            admission: Admission::Everyone,
            ..BrokerConfig::default()
        };
        let now = Now { mono_ms: 1000, unix_ms: 1_700_000_000_000 };
        let shared = Arc::new(Shared::new(1, 1, 1));
        let shard = Shard::new(0, shared, Arc::new(config), now).ok()?;
        Some(Self { shard, now, version })
    }

    fn connect(&mut self, client_id: &str) -> Option<Client> {
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
        let key = self.shard.accept(self.now, Arc::new(meta))?;
        let mut bytes = Vec::new();
        Connect::new(self.version, client_id).encode(&mut bytes);
        self.shard.receive(self.now, key, &bytes);
        self.flush();
        Some(Client { key, next_id: 1, input: Vec::new(), publishes: Vec::new() })
    }

    fn subscribe(&mut self, client: &Client, topic: &str, qos: QoS) {
        let mut filters = SubscribeFiltersBuf::default();
        filters.push(topic, SubscriptionOptions { qos, ..SubscriptionOptions::default() });
        let mut bytes = Vec::new();
        Subscribe::new(1, &filters).encode(self.version, &mut bytes);
        self.shard.receive(self.now, client.key, &bytes);
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

    fn send(&mut self, client: &Client) {
        let taken = self.shard.receive(self.now, client.key, &client.input);
        assert_eq!(taken, client.input.len(), "the broker takes everything");
    }
}

/// The next `WINDOW` acknowledgements of a client.
fn acknowledge(client: &mut Client, version: Version, kind: AckKind) {
    client.input.clear();
    let mut id = client.next_id;
    for _ in 0..WINDOW {
        Ack { packet_id: id, ..Ack::default() }.encode(kind, version, &mut client.input);
        id = if id == u16::MAX { 1 } else { id + 1 };
    }
}

fn advance(client: &mut Client) {
    for _ in 0..WINDOW {
        client.next_id = if client.next_id == u16::MAX { 1 } else { client.next_id + 1 };
    }
}

/// CPU time of this thread; on a busy machine the clock on the wall measures the others.
fn cpu_ns() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(f64::NAN)
}

fn round(scene: &mut Scene, pairs: &mut [(Client, Client)], qos: QoS) {
    let version = scene.version;
    for (publisher, _) in pairs.iter_mut() {
        std::mem::swap(&mut publisher.input, &mut publisher.publishes);
        scene.send(publisher);
        std::mem::swap(&mut publisher.input, &mut publisher.publishes);
    }
    black_box(scene.flush());
    let answers: &[AckKind] = match qos {
        QoS::AtMostOnce => &[],
        QoS::AtLeastOnce => &[AckKind::PubAck],
        QoS::ExactlyOnce => &[AckKind::PubRec, AckKind::PubComp],
    };
    for kind in answers {
        if *kind == AckKind::PubComp {
            for (publisher, _) in pairs.iter_mut() {
                publisher.next_id = 1;
                acknowledge(publisher, version, AckKind::PubRel);
                scene.send(publisher);
            }
        }
        for (_, subscriber) in pairs.iter_mut() {
            acknowledge(subscriber, version, *kind);
            scene.send(subscriber);
        }
        black_box(scene.flush());
    }
    if qos != QoS::AtMostOnce {
        pairs.iter_mut().for_each(|(_, subscriber)| advance(subscriber));
    }
}

fn measure(name: &str, version: Version, qos: QoS) -> Option<()> {
    let mut scene = Scene::new(version)?;
    let mut pairs = Vec::new();
    for n in 0..PAIRS {
        let topic = format!("bench/{n}");
        let mut publisher = scene.connect(&format!("publisher-{n}"))?;
        let subscriber = scene.connect(&format!("subscriber-{n}"))?;
        scene.subscribe(&subscriber, &topic, qos);
        for packet_id in 1..=WINDOW {
            let packet_id = if qos == QoS::AtMostOnce { 0 } else { packet_id };
            let publish =
                Publish { topic: &topic, payload: &[7; 64], qos, packet_id, ..Publish::default() };
            publish.encode(version, &mut publisher.publishes);
        }
        pairs.push((publisher, subscriber));
    }
    let mut runs: Vec<f64> = (0..RUNS)
        .map(|_| {
            let begun = cpu_ns();
            (0..ROUNDS).for_each(|_| round(&mut scene, &mut pairs, qos));
            let messages = ROUNDS * PAIRS * usize::from(WINDOW);
            #[allow(clippy::cast_precision_loss)] // far below 2^52
            let per_message = (cpu_ns() - begun) / messages as f64;
            per_message
        })
        .collect();
    runs.sort_by(f64::total_cmp);
    let (least, median) = (runs.first()?, runs.get(RUNS / 2)?);
    println!("{name:<16} {least:>6.0} ns/message at least, {median:>6.0} in the middle");
    Some(())
}

fn main() {
    for (words, version) in [("3.1.1", Version::V311), ("5.0", Version::V5)] {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let name = format!("{words}, QoS {}", qos as u8);
            if measure(&name, version, qos).is_none() {
                println!("{name}: a client was refused");
            }
        }
    }
}
