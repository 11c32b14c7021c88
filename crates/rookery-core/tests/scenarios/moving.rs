//! Sessions that move between two nodes, with everything that the lanes would carry.

use std::sync::Arc;

use proptest::prelude::*;
use rookery_codec::{AckKind, Connect, Publish, QoS, SubscriptionOptions, Version};
use rookery_core::effects::{LogLevel, ShardMessage, UpEvent};
use rookery_core::moving::copy::{CopiedMessage, SessionCopy};
use rookery_core::moving::{Following, Move, MoveStep};
use rookery_core::shadow::{Mark, ShadowMessage};
use rookery_core::store_port::Outcome;

use super::stage::{Actor, Stage};
use crate::v5;

const A: usize = 0;
const B: usize = 1;
const NAMES: [&str; 2] = ["a@n", "b@n"];

fn coming(id: &str, clean_start: bool) -> Connect<'_> {
    let mut connect = Connect { clean_start, ..v5(id) };
    connect.properties.session_expiry_interval_s = Some(3600);
    connect
}

/// Two nodes.
struct Pair {
    nodes: [Stage; 2],
    /// What is under way to each.
    under_way: [Vec<ShardMessage>; 2],
    /// They do not reach each other.
    is_cut: bool,
}

impl Pair {
    fn new() -> Self {
        let mut nodes = [Stage::new(), Stage::new()];
        for node in &mut nodes {
            node.config(|c| c.durable = true);
            node.nodes(1);
        }
        Self { nodes, under_way: [Vec::new(), Vec::new()], is_cut: false }
    }

    /// Puts what a node has to say on its way.
    fn collect(&mut self, from: usize) {
        let to = 1 - from;
        for message in self.nodes[from].for_nodes() {
            match message {
                ShardMessage::Move(step) => self.carry(from, *step),
                ShardMessage::Following(following) if !self.is_cut => {
                    let Following { client_id, item, .. } = *following;
                    let mut bytes = Vec::new();
                    CopiedMessage::of(&item).encode(&mut bytes);
                    let message = CopiedMessage::decode(&mut rookery_codec::Fields(&bytes));
                    let message = Box::new(message.unwrap());
                    self.under_way[to].push(ShardMessage::Follow { client_id, message });
                }
                _ => {}
            }
        }
    }

    fn carry(&mut self, from: usize, Move { node, mut step }: Move) {
        let to = 1 - from;
        let settled = |ask, client_id: Arc<str>, silent| {
            let step = MoveStep::Settled { ask, client_id, silent };
            ShardMessage::Move(Box::new(Move { node: None, step }))
        };
        if self.is_cut {
            if let MoveStep::Ask { ask: ask @ 1.., client_id, .. } = step {
                let silent = vec![NAMES[to].into()];
                self.under_way[from].push(settled(ask, client_id, silent));
            }
            return;
        }
        match (&node, &mut step) {
            // The lanes close the question.
            (None, MoveStep::GiveUp { .. }) => return,
            (_, MoveStep::Nothing { ask }) => {
                let step = settled(*ask, "c".into(), Vec::new());
                self.under_way[to].push(step);
                return;
            }
            (_, MoveStep::Ask { is_above, .. } | MoveStep::Held { is_above, .. }) => {
                *is_above = to > from;
            }
            _ => {}
        }
        let answers = match &step {
            MoveStep::Copy { ask, client_id, .. } => Some(settled(*ask, client_id.clone(), vec![])),
            _ => None,
        };
        let node = Some(NAMES[from].into());
        self.under_way[to].push(ShardMessage::Move(Box::new(Move { node, step })));
        self.under_way[to].extend(answers);
    }

    /// The next thing that is under way to a node arrives.
    fn arrive(&mut self, at: usize) -> bool {
        self.collect(A);
        self.collect(B);
        if self.under_way[at].is_empty() {
            return false;
        }
        let message = self.under_way[at].remove(0);
        self.nodes[at].hear(message);
        true
    }

    fn settle(&mut self) {
        while self.arrive(A) || self.arrive(B) {}
    }

    fn come(&mut self, at: usize, clean_start: bool) -> Actor {
        let mut actor = self.nodes[at].open();
        let connect = coming("c", clean_start);
        actor.version = connect.version;
        actor.send(&mut self.nodes[at], |out| connect.encode(out));
        self.settle();
        actor.greeting = actor.take(&mut self.nodes[at]).join(", ");
        actor
    }

    fn publish(&mut self, at: usize, payload: &str, qos: QoS) {
        // Nobody else knows this one.
        self.nodes[at].nodes(0);
        let mut publisher = self.nodes[at].connect(&v5(&format!("p{payload}{at}")));
        self.nodes[at].nodes(1);
        send(&mut publisher, &mut self.nodes[at], payload, qos);
    }

    /// Nodes that meet again compare what they have.
    fn meet(&mut self) {
        self.is_cut = false;
        for at in [A, B] {
            let step = MoveStep::List { shard: 0, from: 0 };
            let node = Some(NAMES[1 - at].into());
            self.nodes[at].hear(ShardMessage::Move(Box::new(Move { node, step })));
        }
        self.settle();
    }

    /// A node that is emptied offers what it has to the other one.
    fn leave(&mut self, from: usize) {
        let node = Some(NAMES[1 - from].into());
        let step = MoveStep::Leave { most: 100 };
        self.nodes[from].hear(ShardMessage::Move(Box::new(Move { node, step })));
        self.settle();
    }

    fn sessions(&self) -> [usize; 2] {
        [self.nodes[A].sessions(), self.nodes[B].sessions()]
    }
}

fn send(publisher: &mut Actor, stage: &mut Stage, payload: &str, qos: QoS) {
    let publish = Publish {
        topic: "t",
        payload: payload.as_bytes(),
        qos,
        packet_id: u16::from(qos != QoS::AtMostOnce),
        ..Publish::default()
    };
    let version = publisher.version;
    publisher.send(stage, |out| publish.encode(version, out));
    publisher.lose(stage);
}

fn subscribe(actor: &mut Actor, stage: &mut Stage, qos: QoS) {
    actor.subscribe(stage, "t", SubscriptionOptions { qos, ..SubscriptionOptions::default() });
    actor.take(stage);
}

fn warnings(stage: &Stage) -> Vec<&str> {
    let texts = stage.events.iter().filter_map(|event| match event {
        UpEvent::Log(LogLevel::Warning, text) => Some(&**text),
        _ => None,
    });
    texts.collect()
}

#[test]
fn a_session_comes_with_what_is_in_flight_and_is_forgotten_where_it_was() {
    let mut pair = Pair::new();
    let mut first = pair.come(A, false);
    assert_eq!(first.greeting, "CONNACK 0x00");
    subscribe(&mut first, &mut pair.nodes[A], QoS::ExactlyOnce);
    pair.publish(A, "one", QoS::ExactlyOnce);
    pair.publish(A, "two", QoS::AtLeastOnce);
    assert_eq!(first.take(&mut pair.nodes[A]), ["PUBLISH t 2 id 1", "PUBLISH t 1 id 2"]);
    first.ack(&mut pair.nodes[A], AckKind::PubRec, 1);
    assert_eq!(first.take(&mut pair.nodes[A]), ["PUBREL 1 0x00"]);

    let second = pair.come(B, false);
    assert_eq!(second.greeting, "CONNACK 0x00 present, PUBLISH t 1 id 2 dup, PUBREL 1 0x00");
    assert_eq!(first.take(&mut pair.nodes[A]), ["DISCONNECT 0x8e"]);
    assert!(first.is_closed(&pair.nodes[A]));
    assert_eq!(pair.sessions(), [0, 1]);
    assert_eq!(pair.nodes[A].figure("session.takenover"), 1);
    assert_eq!(pair.nodes[B].figure("session.resumed"), 1);
}

#[test]
fn what_comes_for_the_session_while_it_moves_goes_with_it() {
    let mut pair = Pair::new();
    let mut first = pair.come(A, false);
    subscribe(&mut first, &mut pair.nodes[A], QoS::ExactlyOnce);
    let mut second = pair.nodes[B].connect(&coming("c", false));
    for step in 0..6 {
        pair.publish(A, &format!("{step}"), QoS::ExactlyOnce);
        if !pair.arrive(A) {
            pair.arrive(B);
        }
    }
    pair.settle();
    pair.publish(A, "last", QoS::ExactlyOnce);
    pair.settle();
    let mut before: Vec<String> = first.received(&mut pair.nodes[A]);
    let after = second.received(&mut pair.nodes[B]);
    // What was sent on the old connection and not acknowledged comes again.
    before.retain(|message| !after.contains(message));
    assert_eq!(before, [""; 0]);
    assert_eq!(after, ["t 0", "t 1", "t 2", "t 3", "t 4", "t 5", "t last"]);
    // Nobody sends here any more.
    pair.nodes[A].pass(10_000);
    pair.publish(A, "late", QoS::ExactlyOnce);
    pair.settle();
    assert_eq!(second.received(&mut pair.nodes[B]), [""; 0]);
}

/// As from a third node.
fn from_node() -> ShardMessage {
    let parts = rookery_core::message::MessageParts {
        id: rookery_core::ids::MessageId(7),
        timestamp_ms: 1,
        expires_at_ms: 0,
        seq: 0,
        qos: QoS::ExactlyOnce,
        retain: false,
        sys: false,
        topic: "t",
        properties: &[],
        payload: b"both",
    };
    let from = rookery_core::message::Publisher { client_id: "p".into(), username: None };
    let message = rookery_core::message::Message::new(&parts, Arc::new(from), None);
    ShardMessage::FromNode { message: Arc::new(message), group: None }
}

#[test]
fn a_message_that_reaches_both_nodes_comes_once() {
    let mut pair = Pair::new();
    let mut first = pair.come(A, false);
    subscribe(&mut first, &mut pair.nodes[A], QoS::ExactlyOnce);
    let mut second = pair.come(B, false);
    // It knows of both subscriptions.
    for at in [B, A] {
        pair.nodes[at].hear(from_node());
    }
    pair.settle();
    assert_eq!(second.received(&mut pair.nodes[B]), ["t both"]);
}

#[test]
fn a_message_is_taken_when_it_is_where_it_was_handed_on_to() {
    let mark = Mark { peer: 3, lane: 0, seq: 9 };
    let marks = |messages: &[ShardMessage]| {
        let told = messages.iter().filter(|message| {
            let ShardMessage::Shadow(message) = message else { return false };
            matches!(**message, ShadowMessage::Mark(told) if told == mark)
        });
        told.count()
    };
    let mut pair = Pair::new();
    let mut first = pair.come(A, false);
    subscribe(&mut first, &mut pair.nodes[A], QoS::ExactlyOnce);
    let _second = pair.come(B, false);
    let node = &mut pair.nodes[A];
    let stored = || ShardMessage::Shadow(Box::new(ShadowMessage::Mark(mark)));
    // Nobody wants what is only stored.
    node.hear(stored());
    assert_eq!(marks(&node.for_nodes()), 1);
    node.hear(from_node());
    node.hear(stored());
    let told = node.for_nodes();
    assert!(matches!(told[..], [ShardMessage::Following(_)]), "{told:?}");
    node.hear(ShardMessage::NodesTook(1));
    assert_eq!(marks(&node.for_nodes()), 1);
}

#[test]
fn a_clean_start_ends_the_session_on_the_other_node() {
    let mut pair = Pair::new();
    let mut first = pair.come(A, false);
    let second = pair.come(B, true);
    assert_eq!(second.greeting, "CONNACK 0x00");
    assert_eq!(first.take(&mut pair.nodes[A]), ["DISCONNECT 0x8e"]);
    assert_eq!(pair.sessions(), [0, 1]);
    assert_eq!(pair.nodes[A].figure("session.discarded"), 1);
}

#[test]
fn of_two_that_connect_at_once_the_later_one_stays() {
    for order in 0..32 {
        let mut pair = Pair::new();
        let mut old = pair.come(A, false);
        old.lose(&mut pair.nodes[A]);
        let mut nowhere = Pair::new();
        for (pair, expected) in [(&mut pair, true), (&mut nowhere, false)] {
            let mut one = pair.nodes[A].connect(&coming("c", false));
            let mut two = pair.nodes[B].connect(&coming("c", false));
            for turn in 0..10 {
                pair.arrive(usize::from(order >> (turn % 5) & 1 == 1));
            }
            pair.settle();
            let said = [one.take(&mut pair.nodes[A]), two.take(&mut pair.nodes[B])];
            let is_in = |words: &[String], greeting: &str| {
                let was = words.iter().any(|w| w.starts_with("CONNACK 0x00"));
                (was || greeting.starts_with("CONNACK 0x00"))
                    && !words.iter().any(|w| w.starts_with("DISCONNECT"))
            };
            let stay = [is_in(&said[0], &one.greeting), is_in(&said[1], &two.greeting)];
            let alive = stay.iter().filter(|stays| **stays).count();
            assert_eq!(
                alive,
                1,
                "{order} {expected}: {said:?} {:?}",
                [&one.greeting, &two.greeting]
            );
            assert_eq!(pair.sessions().iter().sum::<usize>(), 1, "{order}: {said:?}");
        }
    }
}

#[test]
fn a_copy_that_is_not_stored_leaves_the_session_where_it_is() {
    let mut pair = Pair::new();
    let mut first = pair.come(A, false);
    subscribe(&mut first, &mut pair.nodes[A], QoS::AtLeastOnce);
    first.lose(&mut pair.nodes[A]);
    pair.publish(A, "kept", QoS::AtLeastOnce);
    pair.nodes[B].store = Outcome::Freed;
    let second = pair.come(B, false);
    assert_eq!(second.greeting, "CONNACK 0x97");
    assert_eq!(pair.sessions(), [1, 0]);
    pair.nodes[B].store = Outcome::Stored;
    let mut third = pair.come(B, false);
    assert_eq!(third.greeting, "CONNACK 0x00 present, PUBLISH t 1 id 1");
    third.ack(&mut pair.nodes[B], AckKind::PubAck, 1);
    assert_eq!(pair.sessions(), [0, 1]);
}

#[test]
fn a_node_that_did_not_answer_hands_over_what_it_has_queued() {
    let mut pair = Pair::new();
    let mut first = pair.come(A, false);
    subscribe(&mut first, &mut pair.nodes[A], QoS::ExactlyOnce);
    pair.publish(A, "sent", QoS::ExactlyOnce);
    first.take(&mut pair.nodes[A]);
    first.lose(&mut pair.nodes[A]);
    pair.publish(A, "queued", QoS::ExactlyOnce);
    pair.is_cut = true;
    pair.nodes[A].pass(1000);
    pair.nodes[B].pass(2000);
    let mut second = pair.come(B, false);
    assert_eq!(second.greeting, "CONNACK 0x00");
    let told = warnings(&pair.nodes[B]);
    assert!(told[0].contains("begins a new session: node a@n did not say in time"), "{told:?}");
    pair.meet();
    assert_eq!(pair.sessions(), [0, 1]);
    // The one that the client may have seen is not sent again.
    assert_eq!(second.received(&mut pair.nodes[B]), ["t queued"]);
    let told = warnings(&pair.nodes[B]);
    assert!(told[1].contains("1 of its messages go on here"), "{told:?}");
    pair.meet();
    assert_eq!(second.received(&mut pair.nodes[B]), [""; 0]);
}

#[test]
fn of_two_that_began_in_the_same_millisecond_one_stays_when_nodes_meet() {
    let mut pair = Pair::new();
    pair.is_cut = true;
    let _first = pair.come(A, false);
    let _second = pair.come(B, false);
    assert_eq!(pair.sessions(), [1, 1]);
    pair.meet();
    assert_eq!(pair.sessions().iter().sum::<usize>(), 1, "{:?}", pair.sessions());
}

#[test]
fn a_confirmation_that_is_lost_is_found_when_nodes_meet() {
    let mut pair = Pair::new();
    let mut first = pair.come(A, false);
    subscribe(&mut first, &mut pair.nodes[A], QoS::ExactlyOnce);
    first.lose(&mut pair.nodes[A]);
    pair.publish(A, "one", QoS::ExactlyOnce);
    let mut second = pair.nodes[B].connect(&coming("c", false));
    while pair.sessions() != [1, 1] {
        assert!(pair.arrive(A) || pair.arrive(B));
    }
    pair.is_cut = true;
    pair.settle();
    pair.collect(B);
    pair.under_way = [Vec::new(), Vec::new()];
    assert_eq!(pair.sessions(), [1, 1]);
    pair.publish(A, "meanwhile", QoS::ExactlyOnce);
    pair.meet();
    assert_eq!(pair.sessions(), [0, 1]);
    assert_eq!(second.received(&mut pair.nodes[B]), ["t one", "t meanwhile"]);
}

#[test]
fn sessions_of_clients_that_are_away_go_to_another_node_and_no_others() {
    let mut pair = Pair::new();
    let mut here = pair.come(A, false);
    subscribe(&mut here, &mut pair.nodes[A], QoS::AtLeastOnce);
    pair.leave(A);
    assert_eq!(pair.sessions(), [1, 0], "the client is connected");
    here.lose(&mut pair.nodes[A]);
    pair.publish(A, "before", QoS::AtLeastOnce);
    pair.nodes[B].config(|c| c.limits.sessions = 1);
    pair.nodes[B].nodes(0);
    let other = pair.nodes[B].connect(&coming("other", true));
    pair.nodes[B].nodes(1);
    pair.leave(A);
    assert_eq!(pair.sessions(), [1, 1], "there is no place for it");
    pair.nodes[B].config(|c| c.limits.sessions = 0);
    pair.nodes[B].store = Outcome::Freed;
    pair.leave(A);
    assert_eq!(pair.sessions(), [1, 1], "it could not be stored there");
    pair.nodes[B].store = Outcome::Stored;
    pair.nodes[B].pass(1000);
    pair.leave(A);
    assert_eq!(pair.sessions(), [0, 2]);
    let mut client = pair.come(B, false);
    assert_eq!(client.greeting, "CONNACK 0x00 present, PUBLISH t 1 id 1");
    client.ack(&mut pair.nodes[B], AckKind::PubAck, 1);
    drop(other);
}

#[test]
fn a_session_goes_without_its_client_with_what_came_meanwhile() {
    let mut pair = Pair::new();
    let mut client = pair.come(A, false);
    subscribe(&mut client, &mut pair.nodes[A], QoS::ExactlyOnce);
    client.lose(&mut pair.nodes[A]);
    pair.publish(A, "before", QoS::AtLeastOnce);
    let step = MoveStep::Leave { most: 1 };
    let node = Some(NAMES[B].into());
    pair.nodes[A].hear(ShardMessage::Move(Box::new(Move { node, step })));
    for n in 0..6 {
        pair.publish(A, &format!("{n}"), QoS::ExactlyOnce);
        if !pair.arrive(A) {
            pair.arrive(B);
        }
    }
    pair.settle();
    assert_eq!(pair.sessions(), [0, 1]);
    pair.publish(B, "after", QoS::AtLeastOnce);
    let mut client = pair.nodes[B].open();
    client.version = Version::V5;
    client.send(&mut pair.nodes[B], |out| coming("c", false).encode(out));
    let got = client.received(&mut pair.nodes[B]);
    assert_eq!(got, ["t before", "t 0", "t 1", "t 2", "t 3", "t 4", "t 5", "t after"]);
}

/// What happens to a session before it moves.
#[derive(Clone, Debug)]
enum Happens {
    Publish(u8),
    Settle,
    Inbound,
    Away,
    Back,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        5 => (0_u8..3).prop_map(Happens::Publish),
        3 => Just(Happens::Settle),
        1 => Just(Happens::Inbound),
        1 => Just(Happens::Away),
        1 => Just(Happens::Back),
    ]
}

fn live(pair: &mut Pair, at: usize, steps: &[Happens]) -> Option<Actor> {
    let mut client = Some(pair.come(at, false));
    let mut inbound = 100;
    if let Some(client) = &mut client {
        subscribe(client, &mut pair.nodes[at], QoS::ExactlyOnce);
    }
    for (n, step) in steps.iter().enumerate() {
        match (step, &mut client) {
            (Happens::Publish(qos), _) => {
                pair.publish(at, &n.to_string(), QoS::from_u8(*qos).unwrap());
            }
            (Happens::Settle, Some(client)) => {
                for word in client.take(&mut pair.nodes[at]) {
                    let parts: Vec<&str> = word.split(' ').collect();
                    let stage = &mut pair.nodes[at];
                    match parts.as_slice() {
                        ["PUBLISH", _, "1", "id", id, ..] if n % 2 == 0 => {
                            client.ack(stage, AckKind::PubAck, id.parse().unwrap());
                        }
                        ["PUBLISH", _, "2", "id", id, ..] => {
                            client.ack(stage, AckKind::PubRec, id.parse().unwrap());
                        }
                        ["PUBREL", id, _] if n % 3 == 0 => {
                            client.ack(stage, AckKind::PubComp, id.parse().unwrap());
                        }
                        _ => {}
                    }
                }
            }
            (Happens::Inbound, Some(client)) => {
                inbound += 1;
                let publish = Publish {
                    topic: "elsewhere",
                    qos: QoS::ExactlyOnce,
                    packet_id: inbound,
                    ..Publish::default()
                };
                let version = client.version;
                client.send(&mut pair.nodes[at], |out| publish.encode(version, out));
            }
            (Happens::Away, Some(_)) => {
                client.take().unwrap().lose(&mut pair.nodes[at]);
            }
            (Happens::Back, None) => client = Some(pair.come(at, false)),
            _ => {}
        }
    }
    client
}

/// What a client that comes back is sent, and what it has open. Bodies that have to be read come later:
/// PUBLISH and what is no PUBLISH are in order each.
fn outcome(pair: &mut Pair, at: usize) -> (Vec<String>, Vec<String>) {
    let mut client = pair.come(at, false);
    let greeting = client.greeting.split(", ").map(str::to_owned);
    let (mut words, rest): (Vec<String>, Vec<String>) =
        greeting.partition(|word| word.starts_with("PUBLISH"));
    let stage = &mut pair.nodes[at];
    for id in 101..110 {
        client.ack(stage, AckKind::PubRel, id);
    }
    words.extend(client.take(stage));
    pair.publish(at, "after", QoS::ExactlyOnce);
    words.extend(client.take(&mut pair.nodes[at]));
    (rest, words)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn a_session_behaves_on_another_node_as_where_it_was(
        steps in prop::collection::vec(happens(), 0..40),
    ) {
        let (mut stays, mut moves) = (Pair::new(), Pair::new());
        live(&mut stays, A, &steps);
        live(&mut moves, A, &steps);
        prop_assert_eq!(outcome(&mut stays, A), outcome(&mut moves, B));
        prop_assert_eq!(moves.sessions(), [0, 1]);
    }

    #[test]
    fn a_session_that_went_without_its_client_behaves_as_where_it_was(
        steps in prop::collection::vec(happens(), 0..40),
    ) {
        let (mut stays, mut goes) = (Pair::new(), Pair::new());
        for pair in [&mut stays, &mut goes] {
            if let Some(mut client) = live(pair, A, &steps) {
                client.lose(&mut pair.nodes[A]);
            }
            pair.settle();
        }
        goes.leave(A);
        prop_assert_eq!(goes.sessions(), [0, 1]);
        prop_assert_eq!(outcome(&mut stays, A), outcome(&mut goes, B));
    }

    #[test]
    fn bytes_that_are_no_session_are_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = SessionCopy::from_bytes(&[&[1][..], &bytes].concat());
    }
}
