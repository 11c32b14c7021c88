//! A client that goes while packets of it wait for answers: they are handled as if it were there.

use std::sync::Arc;

use rookery_codec::{Connect, Disconnect, QoS, ReasonCode, Version, Will};
use rookery_core::effects::{AskId, Question, Verdict};
use rookery_core::message::Message;

use super::stage::{Actor, Stage};
use crate::{message, qos, v5};

fn with_will(id: &str) -> Connect<'_> {
    let will = Will { topic: "will", payload: b"w", ..Will::default() };
    Connect { will: Some(will), ..v5(id) }
}

/// A node whose hooks look at messages, and somebody who gets them all.
fn asking() -> (Stage, Actor) {
    let mut stage = Stage::new();
    stage.config(|c| {
        c.hooks.publish = true;
        c.hooks.deadline_ms = 1000;
    });
    let mut watcher = stage.connect(&v5("watcher"));
    watcher.subscribe(&mut stage, "#", qos(QoS::AtMostOnce));
    watcher.take(&mut stage);
    (stage, watcher)
}

fn publish(actor: &mut Actor, stage: &mut Stage) {
    actor.send(stage, |out| message("m", QoS::AtMostOnce, 0).encode(Version::V5, out));
}

fn say_goodbye(actor: &mut Actor, stage: &mut Stage) {
    actor.send(stage, |out| Disconnect::default().encode(Version::V5, out));
}

#[test]
fn its_message_is_delivered_and_a_goodbye_behind_it_counts() {
    for (says_goodbye, wanted) in
        [(true, vec!["PUBLISH m 0"]), (false, vec!["PUBLISH m 0", "PUBLISH will 0"])]
    {
        let (mut stage, mut watcher) = asking();
        let mut client = stage.connect(&with_will("c"));
        publish(&mut client, &mut stage);
        if says_goodbye {
            say_goodbye(&mut client, &mut stage);
        }
        client.lose(&mut stage);
        assert_eq!(watcher.take(&mut stage), Vec::<String>::new(), "not decided");
        let asked = stage.questions();
        assert_eq!(asked.len(), 1);
        stage.answer(asked[0].0, Verdict::Allow);
        client.lose(&mut stage); // the driver is done with it
        for (id, _) in stage.questions() {
            stage.answer(id, Verdict::Allow); // about the will
        }
        assert_eq!(watcher.take(&mut stage), wanted);
        assert_eq!((stage.connected(), stage.sessions()), (1, 1));
    }
}

#[test]
fn it_waits_no_longer_than_the_deadline() {
    let (mut stage, mut watcher) = asking();
    let mut client = stage.connect(&with_will("c"));
    publish(&mut client, &mut stage);
    say_goodbye(&mut client, &mut stage);
    client.lose(&mut stage);
    stage.pass(1500);
    assert_eq!(watcher.take(&mut stage), Vec::<String>::new(), "dropped, and no will");
    assert_eq!((stage.connected(), stage.sessions()), (1, 1));
}

#[test]
fn whoever_comes_again_meanwhile_gets_no_will_of_its_own() {
    let (mut stage, mut watcher) = asking();
    let mut client = stage.connect(&with_will("c"));
    publish(&mut client, &mut stage);
    say_goodbye(&mut client, &mut stage);
    client.lose(&mut stage);
    let asked = stage.questions();
    let again = stage.connect(&with_will("c"));
    assert_eq!(again.greeting, "CONNACK 0x00");
    assert!(client.is_closed(&stage), "the driver is told");
    client.lose(&mut stage);
    stage.answer(asked[0].0, Verdict::Allow);
    assert_eq!(watcher.take(&mut stage), Vec::<String>::new());
    assert_eq!((stage.connected(), stage.sessions()), (2, 2));
}

/// A client with a will that is gone; what hooks are asked about it.
fn gone(stage: &mut Stage) -> (AskId, Arc<Message>) {
    let mut client = stage.connect(&with_will("c"));
    client.lose(stage);
    let mut asked = stage.questions();
    assert_eq!(asked.len(), 1);
    let Some((id, Question::Publish { message })) = asked.pop() else { panic!("no question") };
    assert_eq!((message.topic(), message.payload()), ("will", &b"w"[..]));
    assert_eq!(&*message.from.client_id, "c");
    (id, message)
}

#[test]
fn hooks_are_asked_about_a_will() {
    for (verdict, wanted) in [
        (Verdict::Allow, vec!["PUBLISH will 0"]),
        (Verdict::Ignore, vec!["PUBLISH will 0"]),
        (Verdict::Drop, vec![]),
        (Verdict::Deny(ReasonCode::NOT_AUTHORIZED), vec![]),
    ] {
        let (mut stage, mut watcher) = asking();
        let (id, _) = gone(&mut stage);
        assert_eq!(watcher.take(&mut stage), Vec::<String>::new(), "not decided");
        stage.answer(id, verdict);
        assert_eq!(watcher.take(&mut stage), wanted);
        stage.answer(id, Verdict::Allow);
        assert_eq!(watcher.take(&mut stage), Vec::<String>::new(), "decided once");
    }
}

#[test]
fn hooks_put_another_message_in_the_place_of_a_will() {
    let (mut stage, mut watcher) = asking();
    let (id, message) = gone(&mut stage);
    stage.answer(id, Verdict::Replace(Arc::new(message.with("other", false, 0))));
    assert_eq!(watcher.take(&mut stage), ["PUBLISH other 0"]);
}

#[test]
fn a_will_that_nobody_answers_about_is_treated_as_configured() {
    for (allows, wanted) in [(true, vec!["PUBLISH will 0"]), (false, vec![])] {
        let (mut stage, mut watcher) = asking();
        stage.config(|c| {
            c.hooks.publish = true;
            c.hooks.deadline_ms = 1000;
            c.hooks.unanswered_allows = allows;
        });
        let (id, _) = gone(&mut stage);
        stage.pass(1500);
        assert_eq!(watcher.take(&mut stage), wanted);
        stage.answer(id, Verdict::Allow);
        assert_eq!(watcher.take(&mut stage), Vec::<String>::new(), "too late");
    }
}

#[test]
fn a_will_is_published_although_its_client_has_come_again() {
    let (mut stage, mut watcher) = asking();
    let (id, _) = gone(&mut stage);
    let again = stage.connect(&v5("c"));
    assert_eq!(again.greeting, "CONNACK 0x00");
    stage.answer(id, Verdict::Allow);
    assert_eq!(watcher.take(&mut stage), ["PUBLISH will 0"]);
}
