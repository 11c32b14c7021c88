//! `mqtt.retry_interval`: packets that go out again while the client is connected.

use rookery_codec::{AckKind, Connect, QoS, Version};

use super::stage::{Actor, Stage};
use crate::{message, qos, v5};

fn subscriber(stage: &mut Stage, version: Version) -> (Actor, Actor) {
    let mut a = stage.connect(&Connect::new(version, "a"));
    a.subscribe(stage, "t", qos(QoS::ExactlyOnce));
    let publisher = stage.connect(&v5("publisher"));
    (a, publisher)
}

fn publish(stage: &mut Stage, publisher: &mut Actor, level: QoS, id: u16) {
    publisher.send(stage, |out| message("t", level, id).encode(Version::V5, out));
}

#[test]
fn what_a_3x_client_does_not_acknowledge_comes_again_until_it_does() {
    for version in [Version::V31, Version::V311] {
        let mut stage = Stage::new();
        stage.mqtt(|m| m.retry_interval_ms = 4000);
        let (mut a, mut publisher) = subscriber(&mut stage, version);
        publish(&mut stage, &mut publisher, QoS::AtLeastOnce, 1);
        publish(&mut stage, &mut publisher, QoS::ExactlyOnce, 2);
        assert_eq!(a.take(&mut stage), ["PUBLISH t 1 id 1", "PUBLISH t 2 id 2"]);
        stage.pass(3500);
        assert_eq!(a.take(&mut stage), Vec::<String>::new(), "not before the interval is over");
        stage.pass(3000);
        assert_eq!(a.take(&mut stage), ["PUBLISH t 1 id 1 dup", "PUBLISH t 2 id 2 dup"]);
        a.ack(&mut stage, AckKind::PubAck, 1);
        a.ack(&mut stage, AckKind::PubRec, 2);
        assert_eq!(a.take(&mut stage), ["PUBREL 2 0x00"]);
        stage.pass(7000);
        assert_eq!(a.take(&mut stage), ["PUBREL 2 0x00"], "MQTT-3.1.1 [MQTT-4.3.3-1]");
        a.ack(&mut stage, AckKind::PubComp, 2);
        stage.pass(20_000);
        assert_eq!(a.take(&mut stage), Vec::<String>::new());
    }
}

#[test]
fn nothing_comes_again_over_mqtt_5_or_without_an_interval() {
    for (version, interval_ms) in [(Version::V5, 1000), (Version::V311, 0)] {
        let mut stage = Stage::new();
        stage.mqtt(|m| m.retry_interval_ms = interval_ms);
        let (mut a, mut publisher) = subscriber(&mut stage, version);
        publish(&mut stage, &mut publisher, QoS::AtLeastOnce, 1);
        assert_eq!(a.take(&mut stage), ["PUBLISH t 1 id 1"]);
        stage.pass(30_000);
        assert_eq!(a.take(&mut stage), Vec::<String>::new(), "MQTT-5.0 [MQTT-4.4.0-1]");
    }
}
