//! A queue that holds more than the outbox of its client may.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use rookery_codec::{AckKind, Connect, Packet, QoS, Version};
use support::{Client, config, start, until};

const MESSAGES: u16 = 100;
/// With 32 of them in the window the outbox passes its mark of 1 MiB.
const PAYLOAD_BYTES: usize = 50_000;

#[test]
fn a_client_that_comes_back_gets_all_of_a_queue_larger_than_its_outbox() {
    let node = start(config(), 1, None);
    let mut keeper = Connect::new(Version::V5, "keeper");
    keeper.clean_start = false;
    keeper.properties.session_expiry_interval_s = Some(3600);
    let (mut client, _) = Client::connect(&node, &keeper);
    client.subscribe(&["d/#".to_owned()], QoS::AtLeastOnce);
    drop(client);
    until("it is away", || node.client("keeper").unwrap().is_some_and(|c| !c.connected));
    let mut publisher = Client::new(&node, Version::V5, "publisher");
    for n in 0..MESSAGES {
        let mut payload = vec![0; PAYLOAD_BYTES];
        payload[..2].copy_from_slice(&n.to_be_bytes());
        publisher.publish(&format!("d/{n}"), QoS::AtLeastOnce, n + 1, &payload);
        publisher.read().unwrap();
    }

    let (mut client, present) = Client::connect(&node, &keeper);

    assert!(present);
    for n in 0..MESSAGES {
        let frame = client.read().unwrap();
        let Packet::Publish(publish) = frame.packet() else { panic!("{:?}", frame.packet()) };
        assert_eq!(publish.payload[..2], n.to_be_bytes());
        client.ack(AckKind::PubAck, publish.packet_id);
    }
    client.fence();
}
