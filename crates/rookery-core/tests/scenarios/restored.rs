//! What is known of clients that are away after a restart, and of those whose records are older.

use rookery_codec::Connect;
use rookery_core::config::ZoneConfig;
use rookery_core::persist::read_session;
use rookery_core::query::{ClientQuery, ClientSort};

use super::stage::Stage;
use crate::v5;

fn lasting(id: &str) -> Connect<'_> {
    let mut connect = Connect { keep_alive_s: 77, username: Some("plant"), ..v5(id) };
    connect.properties.session_expiry_interval_s = Some(3600);
    connect
}

/// A node that keeps sessions, with a second zone.
fn durable() -> Stage {
    let mut stage = Stage::new();
    stage.config(|c| {
        c.durable = true;
        c.zones.push(ZoneConfig { name: "field".into(), ..ZoneConfig::default() });
    });
    stage
}

/// A session as the first version of the record has it: nothing of its connection.
fn old_record(id: &str, created_at_ms: u64) -> (Vec<u8>, Vec<u8>) {
    let mut value = vec![1];
    value.extend_from_slice(&7_u64.to_le_bytes()); // number
    value.extend_from_slice(&3600_u32.to_le_bytes()); // expiry
    value.extend_from_slice(&created_at_ms.to_le_bytes());
    value.extend_from_slice(&(created_at_ms + 5).to_le_bytes()); // disconnected
    value.extend_from_slice(&3_u64.to_le_bytes()); // generation
    value.extend_from_slice(&0_u32.to_le_bytes()); // zone
    value.push(4);
    value.extend_from_slice(&u32::MAX.to_le_bytes()); // no user name
    value.extend_from_slice(&0_u32.to_le_bytes()); // no mountpoint
    value.extend_from_slice(&11_u32.to_le_bytes());
    value.extend_from_slice(b"tcp:default");
    (id.as_bytes().to_vec(), value)
}

#[test]
fn a_restart_shows_a_client_that_is_away_as_before() {
    for (peer, lives_on) in [("192.0.2.7:50412", true), ("[2001:db8::7]:50412", false)] {
        let mut stage = durable();
        stage.peer = peer.parse().unwrap();
        stage.listener = |meta| meta.zone = 1;
        let mut client = stage.connect(&lasting("c"));
        stage.pass(5000);
        if !lives_on {
            client.lose(&mut stage);
        }
        let before = stage.clients(&ClientQuery::default()).remove(0);
        stage.config(|c| c.zones.insert(1, ZoneConfig { name: "a".into(), ..c.zones[0].clone() }));
        stage.restart(&stage.stored_sessions());
        let after = stage.clients(&ClientQuery::default()).remove(0);
        assert_eq!(after.peer, Some(stage.peer));
        assert_eq!((after.keepalive_s, after.clean_start), (Some(77), Some(true)));
        assert_eq!(after.connected_at_ms, before.connected_at_ms);
        assert_eq!(after.connected_at_ms, after.created_at_ms);
        assert_eq!(after.disconnected_at_ms, stage.unix_ms());
        assert_eq!(after.zone.as_deref(), Some("field"));
        assert_eq!((after.username.as_deref(), after.proto_ver), (Some("plant"), 5));
        assert!(!after.connected);
    }
}

#[test]
fn a_zone_that_is_gone_leaves_its_sessions_to_the_first_one() {
    let mut stage = durable();
    stage.listener = |meta| meta.zone = 1;
    stage.connect(&lasting("c"));
    stage.config(|c| c.zones.truncate(1));
    stage.restart(&stage.stored_sessions());
    assert_eq!(stage.clients(&ClientQuery::default())[0].zone.as_deref(), Some("default"));
}

#[test]
fn what_an_older_record_does_not_hold_is_unknown() {
    let mut stage = durable();
    stage.connect(&lasting("new"));
    let mut records = stage.stored_sessions();
    records.push(old_record("old", 1_600_000_000_000));
    stage.restart(&records);

    let named = |id: &str| ClientQuery { client_ids: vec![id.into()], ..Default::default() };
    let old = stage.clients(&named("old")).remove(0);
    assert_eq!((old.peer, old.keepalive_s, old.clean_start), (None, None, None));
    assert_eq!((old.connected_at_ms, old.created_at_ms), (0, 1_600_000_000_000));
    assert_eq!(old.disconnected_at_ms, 1_600_000_000_005);
    assert_eq!(old.listener.as_deref(), Some("tcp:default"));

    let found = |query: &ClientQuery| -> Vec<String> {
        stage.clients(query).iter().map(|client| client.client_id.to_string()).collect()
    };
    let queries = [
        ClientQuery { connected_ms: (None, Some(u64::MAX)), ..Default::default() },
        ClientQuery { connected_ms: (Some(0), None), ..Default::default() },
        ClientQuery { clean_start: Some(true), ..Default::default() },
        ClientQuery { ip: Some(stage.peer.ip()), ..Default::default() },
    ];
    for query in &queries {
        assert_eq!(found(query), ["new"], "{query:?}");
    }
    for query in [
        ClientQuery { clean_start: Some(false), ..Default::default() },
        ClientQuery { ip: Some([0, 0, 0, 0].into()), ..Default::default() },
    ] {
        assert!(found(&query).is_empty(), "{query:?}");
    }
    for sort in [ClientSort::ConnectedAt, ClientSort::KeepAlive] {
        let query = ClientQuery { sort: Some(sort), ..Default::default() };
        assert_eq!(found(&query), ["old", "new"], "{sort:?}");
        assert_eq!(found(&ClientQuery { is_descending: true, ..query }), ["new", "old"]);
    }
}

#[test]
fn an_older_record_is_whole_again_once_its_client_came_back() {
    let mut stage = durable();
    stage.restart(&[old_record("c", 1_600_000_000_000)]);
    let connect = Connect { clean_start: false, ..lasting("c") };
    stage.connect(&connect);
    stage.restart(&stage.stored_sessions());
    let client = stage.clients(&ClientQuery::default()).remove(0);
    assert_eq!((client.keepalive_s, client.clean_start), (Some(77), Some(false)));
    assert_eq!((client.connected_at_ms, client.peer), (stage.unix_ms(), Some(stage.peer)));
}

#[test]
fn a_record_that_ends_too_early_is_none() {
    let mut stage = durable();
    stage.connect(&lasting("c"));
    let (key, value) = stage.stored_sessions().remove(0);
    let (_, old) = old_record("c", 1);
    assert!(read_session(b"c", &old).is_some());
    assert!(read_session(&key, &value).is_some());
    for record in [&old, &value] {
        assert!(read_session(b"c", &record[..record.len() - 1]).is_none());
    }
}
