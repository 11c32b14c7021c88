//! What the broker's own code costs per message, without sockets: publishers send batches, their
//! subscribers get and acknowledge them. Prints CPU nanoseconds per message, the least and the
//! median of several runs.
//!
//! `cargo run --release -p rookery-core --example message_path -- '5.0, QoS 1'`

mod stage;

use std::hint::black_box;

use rookery_codec::{Ack, AckKind, Publish, QoS, Version};
use rookery_core::ids::ConnKey;
use stage::{Failure, Stage, measured};

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

impl Client {
    const fn new(key: ConnKey) -> Self {
        Self { key, next_id: 1, input: Vec::new(), publishes: Vec::new() }
    }
}

fn send(stage: &mut Stage, client: &Client) {
    let taken = stage.shard.receive(stage.now, client.key, &client.input);
    assert_eq!(taken, client.input.len(), "the broker takes everything");
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

fn round(stage: &mut Stage, pairs: &mut [(Client, Client)], qos: QoS) {
    let version = stage.version;
    for (publisher, _) in pairs.iter_mut() {
        std::mem::swap(&mut publisher.input, &mut publisher.publishes);
        send(stage, publisher);
        std::mem::swap(&mut publisher.input, &mut publisher.publishes);
    }
    black_box(stage.flush());
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
                send(stage, publisher);
            }
        }
        for (_, subscriber) in pairs.iter_mut() {
            acknowledge(subscriber, version, *kind);
            send(stage, subscriber);
        }
        black_box(stage.flush());
    }
    if qos != QoS::AtMostOnce {
        pairs.iter_mut().for_each(|(_, subscriber)| advance(subscriber));
    }
}

fn measure(name: &str, version: Version, qos: QoS) -> Result<(), Failure> {
    let mut stage = Stage::new(version)?;
    let mut pairs = Vec::new();
    for n in 0..PAIRS {
        let topic = format!("bench/{n}");
        let mut publisher = Client::new(stage.connect(&format!("publisher-{n}"))?);
        let subscriber = Client::new(stage.connect(&format!("subscriber-{n}"))?);
        stage.subscribe(subscriber.key, &topic, qos);
        for packet_id in 1..=WINDOW {
            let packet_id = if qos == QoS::AtMostOnce { 0 } else { packet_id };
            let publish =
                Publish { topic: &topic, payload: &[7; 64], qos, packet_id, ..Publish::default() };
            publish.encode(version, &mut publisher.publishes);
        }
        pairs.push((publisher, subscriber));
    }
    let messages = ROUNDS * PAIRS * usize::from(WINDOW);
    let (least, median) = measured(RUNS, messages, || {
        (0..ROUNDS).for_each(|_| round(&mut stage, &mut pairs, qos));
    });
    println!("{name:<16} {least:>6.0} ns/message at least, {median:>6.0} in the middle");
    Ok(())
}

fn main() -> Result<(), Failure> {
    let only = std::env::args().nth(1).unwrap_or_default();
    for (words, version) in [("3.1.1", Version::V311), ("5.0", Version::V5)] {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let name = format!("{words}, QoS {}", qos as u8);
            if name.starts_with(&only) {
                measure(&name, version, qos)?;
            }
        }
    }
    Ok(())
}
