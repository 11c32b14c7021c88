//! The way to worker processes of plugins: here the other end of the socket is a thread.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use rookery_codec::{Packet, QoS, ReasonCode, Version};
use rookery_core::config::{BrokerConfig, HookSwitches};
use rookery_core::effects::{Answer, AskId, Question, UpEvent, Verdict};
use rookery_core::ids::MessageId;
use rookery_core::message::{Message, MessageParts, Publisher};
use rookery_node::plugins::hook::{bit, number_of};
use rookery_node::plugins::wire::{self, Down};
use rookery_node::plugins::{Failure, PluginBridge, PluginRoute};
use support::{Client, config, start};

fn asking() -> BrokerConfig {
    let mut broker = config();
    broker.hooks =
        HookSwitches { publish: true, deadline_ms: 3_600_000, ..HookSwitches::default() };
    broker
}

fn route(id: u32, deadline_ms: u64, failure: Failure) -> PluginRoute {
    PluginRoute {
        id,
        name: format!("plugin-{id}"),
        hooks: bit(number_of("message.publish").unwrap()),
        topics: Vec::new(),
        workers: 1,
        deadline_ms,
        failure: [failure; 5],
        open_max: 1000,
        bytes_max: 1 << 20,
    }
}

/// A worker: the end of its socket.
struct Worker(UnixStream);

impl Worker {
    fn attach(bridge: &PluginBridge, plugin: u32) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        bridge.attach(plugin, 0, ours.into());
        Self(theirs)
    }

    fn ready(bridge: &PluginBridge, plugin: u32) -> Self {
        let worker = Self::attach(bridge, plugin);
        bridge.begin(plugin, 0);
        worker
    }

    /// Waits for the next question.
    fn asked(&mut self) -> AskId {
        self.next().unwrap()
    }

    /// The same; none when the node closed the socket.
    fn next(&mut self) -> Option<AskId> {
        self.next_message().map(|(id, _)| id)
    }

    /// The same with the payload that it is about.
    fn next_message(&mut self) -> Option<(AskId, Box<[u8]>)> {
        let mut buffer = Vec::new();
        loop {
            if let Some((kind, body, _)) = wire::next_frame(&buffer).unwrap() {
                let Down::Event(event) = wire::take_down(kind, body).unwrap() else { panic!() };
                let UpEvent::Ask(id, Question::Publish { message }) = *event else {
                    panic!("{event:?}")
                };
                return Some((id, message.payload().into()));
            }
            let mut byte = [0];
            self.0.read_exact(&mut byte).ok()?;
            buffer.push(byte[0]);
        }
    }

    fn answer(&mut self, id: AskId, verdict: Verdict) {
        let mut out = Vec::new();
        wire::put_answer(&mut out, &Answer { id, verdict });
        self.0.write_all(&out).unwrap();
    }
}

fn puback(client: &mut Client) -> ReasonCode {
    let frame = client.read().unwrap();
    let Packet::PubAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
    ack.reason
}

const REFUSED: ReasonCode = ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR;
const TAKEN: ReasonCode = ReasonCode::NO_MATCHING_SUBSCRIBERS;

#[test]
fn plugins_are_asked_in_order_until_one_refuses() {
    let node = start(asking(), 2, None);
    let bridge = node.open_plugins().unwrap();
    bridge.set_routes(vec![route(1, 3_600_000, Failure::Deny), route(2, 3_600_000, Failure::Deny)]);
    let (mut first, mut second) = (Worker::ready(&bridge, 1), Worker::ready(&bridge, 2));
    let mut client = Client::new(&node, Version::V5, "client");
    client.publish("t", QoS::AtLeastOnce, 1, b"m");
    let id = first.asked();
    first.answer(id, Verdict::Allow);
    let id = second.asked();
    second.answer(id, Verdict::Deny(ReasonCode::NOT_AUTHORIZED));
    assert_eq!(puback(&mut client), ReasonCode::NOT_AUTHORIZED);
}

#[test]
fn what_is_configured_answers_for_a_plugin_that_is_late_or_gone() {
    for (failure, expected) in
        [(Failure::Deny, REFUSED), (Failure::Ignore, TAKEN), (Failure::Allow, TAKEN)]
    {
        let node = start(asking(), 1, None);
        let bridge = node.open_plugins().unwrap();
        bridge.set_routes(vec![route(1, 50, failure)]);
        let mut worker = Worker::ready(&bridge, 1);
        let mut client = Client::new(&node, Version::V5, "client");
        client.publish("t", QoS::AtLeastOnce, 1, b"m");
        let late = worker.asked();
        assert_eq!(puback(&mut client), expected);
        worker.answer(late, Verdict::Drop); // nobody listens any more
        client.publish("t", QoS::AtLeastOnce, 1, b"m");
        worker.asked();
        drop(worker);
        assert_eq!(puback(&mut client), expected);
        client.publish("t", QoS::AtLeastOnce, 1, b"m");
        assert_eq!(puback(&mut client), expected);
        let figures = bridge.figures();
        assert!(figures[0].late >= 1 && !figures[0].is_attached);
    }
}

#[test]
fn what_is_held_is_asked_of_the_next_process() {
    let node = start(asking(), 1, None);
    let bridge = node.open_plugins().unwrap();
    bridge.set_routes(vec![route(1, 3_600_000, Failure::Deny)]);
    let old = Worker::ready(&bridge, 1);
    bridge.hold(1);
    let mut client = Client::new(&node, Version::V5, "client");
    client.publish("t", QoS::AtLeastOnce, 1, b"m");
    drop(old);
    let mut new = Worker::attach(&bridge, 1);
    bridge.begin(1, 0);
    let id = new.asked();
    new.answer(id, Verdict::Allow);
    assert_eq!(puback(&mut client), TAKEN);
    let figures = bridge.figures()[0];
    assert_eq!((figures.asked, figures.answered), (1, 1), "it was asked what waited for it");
}

#[test]
fn a_worker_that_talks_nonsense_is_dropped() {
    let node = start(asking(), 1, None);
    let bridge = node.open_plugins().unwrap();
    bridge.set_routes(vec![route(1, 3_600_000, Failure::Ignore)]);
    let mut worker = Worker::ready(&bridge, 1);
    let mut client = Client::new(&node, Version::V5, "client");
    client.publish("t", QoS::AtLeastOnce, 1, b"m");
    worker.asked();
    worker.0.write_all(&[0xFF; 64]).unwrap();
    assert_eq!(puback(&mut client), TAKEN);
    bridge.close();
    client.publish("t", QoS::AtLeastOnce, 1, b"m");
    support::until("the management plane is asked", || !node.drain(10).is_empty());
}

#[test]
fn only_the_first_waits_for_a_plugin_that_hangs_until_it_answers_again() {
    let node = start(asking(), 1, None);
    let bridge = node.open_plugins().unwrap();
    bridge.set_routes(vec![route(1, 300, Failure::Deny)]);
    let mut worker = Worker::ready(&bridge, 1);
    let mut client = Client::new(&node, Version::V5, "client");
    for id in 1..=30 {
        client.publish("t", QoS::AtLeastOnce, id, b"m");
        assert_eq!(puback(&mut client), REFUSED);
    }
    // Had each of them waited, each would be late.
    let figures = bridge.figures()[0];
    assert_eq!((figures.late, figures.failed), (1, 29));
    let answering = std::thread::spawn(move || {
        while let Some(id) = worker.next() {
            worker.answer(id, Verdict::Allow);
        }
    });
    for id in 31.. {
        client.publish("t", QoS::AtLeastOnce, id, b"m");
        if puback(&mut client) == TAKEN {
            break;
        }
    }
    client.publish("t", QoS::AtLeastOnce, 65_000, b"m");
    assert_eq!(puback(&mut client), TAKEN);
    bridge.close();
    answering.join().unwrap();
}

#[test]
fn an_answer_larger_than_a_packet_may_be_is_none() {
    for (failure, expected) in [(Failure::Deny, REFUSED), (Failure::Ignore, TAKEN)] {
        let mut broker = asking();
        broker.zones[0].mqtt.max_packet_size = 1000;
        let node = start(broker, 1, None);
        let bridge = node.open_plugins().unwrap();
        bridge.set_routes(vec![route(1, 3_600_000, failure), route(2, 3_600_000, failure)]);
        let (mut first, mut second) = (Worker::ready(&bridge, 1), Worker::ready(&bridge, 2));
        let mut client = Client::new(&node, Version::V5, "client");
        client.publish("t", QoS::AtLeastOnce, 1, b"m");
        let id = first.asked();
        first.answer(id, Verdict::Replace(message(1000)));
        if failure == Failure::Ignore {
            // The next one sees what there was before.
            let (id, seen) = second.next_message().unwrap();
            assert_eq!(&*seen, b"m");
            second.answer(id, Verdict::Replace(message(999)));
        }
        assert_eq!(puback(&mut client), expected);
        let figures = bridge.figures();
        assert_eq!((figures[0].answered, figures[0].failed), (0, 1));
        assert_eq!(figures[1].failed, 0, "what fits is taken");
        let told = |events: Vec<UpEvent>| {
            events.iter().any(|event| {
                matches!(event, UpEvent::Log(_, text)
                    if text.contains("plugin-1") && text.contains("1001 bytes"))
            })
        };
        support::until("the log has its size", || told(node.drain(100)));
    }
}

/// One to `t`, with a payload of so many bytes.
fn message(bytes: usize) -> Arc<Message> {
    let payload = vec![b'x'; bytes];
    let parts = MessageParts {
        id: MessageId(0),
        timestamp_ms: 0,
        expires_at_ms: 0,
        seq: 0,
        qos: QoS::AtLeastOnce,
        retain: false,
        sys: false,
        topic: "t",
        properties: &[],
        payload: &payload,
    };
    let from = Arc::new(Publisher { client_id: "client".into(), username: None });
    Arc::new(Message::new(&parts, from, None))
}
