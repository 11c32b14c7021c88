//! Peers that answer questions of hooks beside the management plane.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};

use rookery_codec::{Connect, Packet, QoS, ReasonCode, Version};
use rookery_core::config::{Admission, BrokerConfig, HookSwitches};
use rookery_core::effects::{Answer, Question, UpEvent, Verdict};
use rookery_node::{HookPeer, Hookpoint, Node};
use support::{Client, config, figure, start, until};

fn asking(deadline_ms: u64, unanswered_allows: bool) -> BrokerConfig {
    let mut broker = config();
    broker.hooks =
        HookSwitches { publish: true, deadline_ms, unanswered_allows, ..HookSwitches::default() };
    broker
}

/// Longer than any test runs.
const NEVER_MS: u64 = 3_600_000;

fn topic_of(question: &Question) -> &str {
    let Question::Publish { message } = question else { panic!("{question:?}") };
    message.topic()
}

/// Answers by topic: `no/…` is denied, everything else allowed. Returns how many it answered.
fn decide(peer: &HookPeer, is_over: &AtomicBool) -> usize {
    let mut answered = 0;
    while !is_over.load(Ordering::Acquire) {
        let answers = peer.drain(64).into_iter().map(|event| {
            let UpEvent::Ask(id, question) = event else { panic!("{event:?}") };
            let is_denied = topic_of(&question).starts_with("no/");
            let verdict =
                if is_denied { Verdict::Deny(ReasonCode::NOT_AUTHORIZED) } else { Verdict::Allow };
            Answer { id, verdict }
        });
        let answers: Vec<Answer> = answers.collect();
        answered += answers.len();
        if answers.is_empty() {
            std::thread::yield_now();
        } else {
            peer.answer(answers);
        }
    }
    answered
}

/// Publishes with QoS 1 and returns what the broker says to it.
fn puback(client: &mut Client, topic: &str) -> ReasonCode {
    client.publish(topic, QoS::AtLeastOnce, 1, b"m");
    let frame = client.read().unwrap();
    let Packet::PubAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
    ack.reason
}

/// Questions that came up to the management plane.
fn questions(node: &Node) -> Vec<UpEvent> {
    node.drain(10_000).into_iter().filter(|e| matches!(e, UpEvent::Ask(..))).collect()
}

#[test]
fn a_peer_on_a_thread_answers_for_its_hookpoint_until_it_is_detached() {
    let node = start(asking(NEVER_MS, false), 2, None);
    let peer = node.attach_peer().unwrap();
    node.give_hookpoint(Hookpoint::Publish, Some(&peer));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let deciding = scope.spawn(|| decide(&peer, &is_over));
        let mut clients: Vec<Client> =
            (0..8).map(|n| Client::new(&node, Version::V5, &format!("c{n}"))).collect();
        for client in &mut clients {
            assert_eq!(puback(client, "yes/1"), ReasonCode::NO_MATCHING_SUBSCRIBERS);
            assert_eq!(puback(client, "no/1"), ReasonCode::NOT_AUTHORIZED);
        }
        is_over.store(true, Ordering::Release);
        assert_eq!(deciding.join().unwrap(), 16);
        assert_eq!(questions(&node).len(), 0, "nothing passes the management plane");
        node.give_hookpoint(Hookpoint::Publish, None);
        clients[0].publish("no/2", QoS::AtLeastOnce, 1, b"m");
        let mut asked = Vec::new();
        until("the management plane is asked", || {
            asked.extend(questions(&node));
            !asked.is_empty()
        });
        assert_eq!(peer.drain(10).len(), 0);
        let UpEvent::Ask(id, _) = asked.remove(0) else { panic!() };
        node.answer(vec![Answer { id, verdict: Verdict::Allow }]);
        let frame = clients[0].read().unwrap();
        let Packet::PubAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
        assert_eq!(ack.reason, ReasonCode::NO_MATCHING_SUBSCRIBERS);
    });
}

#[test]
fn a_peer_that_dies_leaves_the_answer_of_the_deadline() {
    for (unanswered_allows, expected) in [
        (false, ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR),
        (true, ReasonCode::NO_MATCHING_SUBSCRIBERS),
    ] {
        let node = start(asking(200, unanswered_allows), 1, None);
        let peer = node.attach_peer().unwrap();
        node.give_hookpoint(Hookpoint::Publish, Some(&peer));
        let mut client = Client::new(&node, Version::V5, "client");
        // One question it took and never answers, one that it never saw.
        client.publish("t", QoS::AtLeastOnce, 1, b"m");
        until("it is asked", || !peer.drain(1).is_empty());
        drop(peer);
        let frame = client.read().unwrap();
        let Packet::PubAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
        assert_eq!(ack.reason, expected);
        assert_eq!(puback(&mut client, "t"), expected);
        assert_eq!(questions(&node).len(), 0, "nobody else decides in its place");
        assert_eq!(figure(&node, "events.dropped"), 1);
        // Another peer may take over.
        let next = node.attach_peer().unwrap();
        node.give_hookpoint(Hookpoint::Publish, Some(&next));
        client.publish("t", QoS::AtLeastOnce, 1, b"m");
        until("the next one is asked", || !next.drain(1).is_empty());
    }
}

#[test]
fn nobody_gets_in_while_the_peer_that_authenticates_is_dead() {
    let mut broker = asking(200, false);
    broker.hooks.publish = false;
    broker.admission = Admission::Ask;
    let node = start(broker, 1, None);
    let peer = node.attach_peer().unwrap();
    node.give_hookpoint(Hookpoint::Authenticate, Some(&peer));
    drop(peer);
    let mut client = Client::raw(&node);
    client.set_version(Version::V5);
    client.send(|out| Connect::new(Version::V5, "client").encode(out));
    let frame = client.read().unwrap();
    let Packet::ConnAck(ack) = frame.packet() else { panic!("{:?}", frame.packet()) };
    assert!(ack.reason.is_error(), "{:?}", ack.reason);
    client.expect_close();
}
