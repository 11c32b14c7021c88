//! What a link keeps on disk while it is down.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use rookery_codec::QoS;
use rookery_node::links::LinkConfig;
use support::linked::{Cluster, connected, link, next, subscribe};
use support::{Client, Dir};

/// As [`link`], and what waits is kept on disk.
fn keeping(from: &str, to: &str, port: u16) -> LinkConfig {
    LinkConfig { store_bytes_max: 1 << 30, ..link(from, to, &[port], &["t/#"]) }
}

fn publish(cluster: &Cluster, numbers: std::ops::Range<u32>) {
    let mut writer = cluster.client("writer");
    for n in numbers {
        writer.publish("t/1", QoS::AtLeastOnce, 1, &n.to_be_bytes());
        writer.read().expect("PUBACK");
    }
}

/// Reads until this number came; every number has to come, in order, none but repeated.
fn read_all(reader: &mut Client, mut expected: u32, last: u32) {
    while expected <= last {
        let (_, payload, _) = next(reader);
        let n = u32::from_be_bytes(*payload.first_chunk().unwrap());
        assert!(n <= expected, "{n} came where {expected} was to come");
        expected = expected.max(n + 1);
    }
}

#[test]
fn an_outage_loses_nothing_though_both_sides_start_anew() {
    let dir = Dir::new();
    let eu = Cluster::new("eu");
    let us = Cluster::on_disk("us", 0, None, Some(&dir.0));
    let (eu_port, us_port) = (eu.port(), us.port());
    us.apply(vec![keeping("us", "eu", eu_port)]);
    eu.apply(vec![keeping("eu", "us", us_port)]);
    connected(&eu, &us);
    us.wait("eu", "both agreed", |s| s.store.as_deref() == Some("agreed"));
    let mut reader = eu.client("reader");
    subscribe(&mut reader, "t/#");
    us.wait("eu", "the route came", |s| s.routes == 1);
    publish(&us, 0..10);
    read_all(&mut reader, 0, 9);
    // What its clients want is known still: they go behind the link.
    drop(eu);
    drop(reader);
    us.wait("eu", "it is gone", |s| s.status == "disconnected");
    publish(&us, 10..200);
    us.wait("eu", "all are on disk", |s| s.stored == 190 && s.dropped == 0);
    drop(us);

    let us = Cluster::on_disk("us", us_port, None, Some(&dir.0));
    us.apply(vec![keeping("us", "eu", eu_port)]);
    us.wait("eu", "they are found, and what is wanted", |s| s.stored == 190 && s.routes == 1);
    publish(&us, 200..300);
    us.wait("eu", "what came then is there as well", |s| s.stored == 290);

    let eu = Cluster::with("eu", eu_port, None);
    let mut reader = eu.client("reader");
    subscribe(&mut reader, "t/#");
    eu.apply(vec![keeping("eu", "us", us_port)]);
    read_all(&mut reader, 10, 299);
    connected(&eu, &us);
    us.wait("eu", "nothing is left on disk", |s| s.stored == 0 && s.inflight == 0);
    publish(&us, 300..310);
    read_all(&mut reader, 300, 309);
    reader.fence();
}

#[test]
fn nothing_is_kept_for_a_side_that_does_not_agree() {
    let dir = Dir::new();
    let eu = Cluster::new("eu");
    let us = Cluster::on_disk("us", 0, None, Some(&dir.0));
    us.apply(vec![keeping("us", "eu", eu.port())]);
    eu.apply(vec![link("eu", "us", &[us.port()], &["t/#"])]);
    connected(&eu, &us);
    us.wait("eu", "it is said", |s| s.store.as_deref() == Some("not_agreed"));
    assert_eq!(eu.status("us").store, None);
    drop(eu);
    us.wait("eu", "it is gone", |s| s.status == "disconnected");
    publish(&us, 0..10);
    assert_eq!(us.status("eu").stored, 0);
    // What a link kept goes with it.
    assert!(dir.0.join("links/to-eu").is_dir());
    us.apply(vec![]);
    assert!(!dir.0.join("links/to-eu").exists());
}
