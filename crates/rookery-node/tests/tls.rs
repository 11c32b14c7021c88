//! MQTT over TLS: handshakes of every shape, their bounds, and certificates that change under way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use rookery_core::effects::UpEvent;
use rookery_node::Node;
use rookery_node::api::{CertificateOutcome, NodeError, TlsConfig, TlsVersion};
use support::pki::{Pki, TlsClient, address, listener, start_with, try_start};
use support::{DEADLINE, figure, until};

const YEAR: i32 = 2080;

fn server(pki: &Pki, settings: TlsConfig, workers: usize) -> Node {
    pki.write_server(&pki.issue("localhost", 1, YEAR));
    start_with(vec![listener("ssl:default", Some(settings))], workers)
}

#[test]
fn messages_of_any_size_pass_in_both_versions_and_between_workers() {
    let pki = Pki::new("CA");
    let node = server(&pki, pki.settings(), 3);
    let at = address(&node, "ssl:default");
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = pki.client_of(None, &[version]);
        for (n, size) in [0, 1, 4_000, 16_384, 70_000, 900_000].into_iter().enumerate() {
            let payload: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
            let mut subscriber =
                TlsClient::connect(at, &config, &format!("subscriber-{n}")).unwrap();
            subscriber.subscribe("any/size");
            let mut publisher = TlsClient::connect(at, &config, &format!("publisher-{n}")).unwrap();
            for packet_id in 1..=3 {
                publisher.publish("any/size", packet_id, &payload);
            }
            for _ in 0..3 {
                assert!(subscriber.receive() == payload, "{version:?} {size}");
            }
        }
    }
    assert_eq!(figure(&node, "tls.handshake.ok"), 24);
}

#[test]
fn a_handshake_may_come_byte_by_byte() {
    let pki = Pki::new("CA");
    let node = server(&pki, pki.settings(), 1);
    let mut client = TlsClient::raw(address(&node, "ssl:default"), &pki.client(None));
    while client.tls.is_handshaking() {
        while client.tls.wants_write() {
            let mut out = Vec::new();
            client.tls.write_tls(&mut out).unwrap();
            for byte in out {
                client.socket.write_all(&[byte]).unwrap();
            }
        }
        if client.tls.wants_read() {
            client.tls.read_tls(&mut client.socket).unwrap();
            client.tls.process_new_packets().unwrap();
        }
    }
    client
        .send(|out| rookery_codec::Connect::new(rookery_codec::Version::V5, "slow").encode(out))
        .unwrap();
    assert!(client.read().unwrap().is_some());
    client.ping().unwrap();
}

#[test]
fn keys_can_be_updated_while_connected() {
    let pki = Pki::new("CA");
    let node = server(&pki, pki.settings(), 1);
    let at = address(&node, "ssl:default");
    let mut client = TlsClient::connect(at, &pki.client(None), "updates").unwrap();
    for _ in 0..5 {
        client.tls.refresh_traffic_keys().unwrap();
        client.ping().unwrap();
    }
}

#[test]
fn half_handshakes_are_bounded_counted_and_end() {
    let pki = Pki::new("CA");
    pki.write_server(&pki.issue("localhost", 1, YEAR));
    let settings = TlsConfig { handshake_timeout_ms: 300, ..pki.settings() };
    let node = start_with(vec![listener("ssl:default", Some(settings))], 1);
    let at = address(&node, "ssl:default");
    let mut silent: Vec<TcpStream> = (0..50).map(|_| TcpStream::connect(at).unwrap()).collect();
    for (n, socket) in silent.iter_mut().enumerate() {
        // Nothing, the head of a record, a ClientHello that claims to be long.
        let begun: &[u8] =
            [&[][..], &[0x16, 3, 1], &[0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc]][n % 3];
        socket.write_all(begun).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
    }
    for socket in &mut silent {
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest);
    }
    until("all are counted", || figure(&node, "tls.handshake.timeout") == 50);
    until("it is counted", || figure(&node, "unauthenticated.count") == 0);
    TlsClient::connect(at, &pki.client(None), "after").unwrap().ping().unwrap();
}

#[test]
fn what_is_no_tls_is_answered_with_an_alert_and_counted() {
    let pki = Pki::new("CA");
    let node = server(&pki, pki.settings(), 1);
    let at = address(&node, "ssl:default");
    for bytes in [&b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"[..], &[0x10, 0x0c, 0, 4, b'M'], &[0xff; 64]]
    {
        let mut socket = TcpStream::connect(at).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        assert_eq!(answer.first(), Some(&0x15), "no alert: {answer:?}");
    }
    until("it is counted", || figure(&node, "tls.handshake.failed") == 3);
}

#[test]
fn only_the_versions_of_the_settings_are_spoken() {
    let pki = Pki::new("CA");
    let only = |version| TlsConfig { versions: vec![version], ..pki.settings() };
    let node = server(&pki, only(TlsVersion::V13), 1);
    let at = address(&node, "ssl:default");
    let old = pki.client_of(None, &[&rustls::version::TLS12]);
    let new = pki.client_of(None, &[&rustls::version::TLS13]);
    assert!(TlsClient::connect(at, &old, "old").is_err());
    TlsClient::connect(at, &new, "new").unwrap();
}

#[test]
fn who_has_to_show_a_certificate_shows_the_right_one() {
    let pki = Pki::new("CA");
    pki.write("crl.pem", &pki.crl(&[9]));
    let settings = TlsConfig { crlfile: Some(pki.path("crl.pem")), ..pki.mutual_settings() };
    let node = server(&pki, settings, 1);
    let at = address(&node, "ssl:default");
    let right = pki.issue("device", 8, YEAR);
    let wrong = [
        pki.issue("revoked", 9, YEAR),
        pki.issue("expired", 10, 2001),
        Pki::new("other").issue("device", 8, YEAR),
    ];
    TlsClient::connect(at, &pki.client(Some(&right)), "right").unwrap();
    for pair in &wrong {
        assert!(TlsClient::connect(at, &pki.client(Some(pair)), "wrong").is_err());
    }
    assert!(TlsClient::connect(at, &pki.client(None), "none").is_err());
    until("it is counted", || figure(&node, "tls.handshake.failed") == 4);
}

#[test]
fn a_certificate_that_need_not_be_shown_has_to_hold_when_it_is() {
    let pki = Pki::new("CA");
    let settings = TlsConfig { fail_if_no_peer_cert: false, ..pki.mutual_settings() };
    let node = server(&pki, settings, 1);
    let at = address(&node, "ssl:default");
    TlsClient::connect(at, &pki.client(None), "none").unwrap();
    let foreign = Pki::new("other").issue("device", 8, YEAR);
    assert!(TlsClient::connect(at, &pki.client(Some(&foreign)), "foreign").is_err());
}

#[test]
fn certificates_change_while_clients_stay() {
    let pki = Pki::new("CA");
    let node = server(&pki, pki.settings(), 2);
    let at = address(&node, "ssl:default");
    let config = pki.client(None);
    let mut before = TlsClient::connect(at, &config, "before").unwrap();
    assert_eq!(node.certificates()[0].subject, "CN=localhost");

    // The watcher sees the files; nobody gives an order.
    pki.write_server(&pki.issue("renewed", 2, YEAR));
    until("the new one is used", || node.certificates()[0].subject == "CN=renewed");
    // Without a ticket: with one the client is not shown the certificate again.
    let mut after = TlsClient::connect(at, &pki.client(None), "after").unwrap();
    let shown = after.tls.peer_certificates().unwrap()[0].to_vec();
    assert!(shown.windows(7).any(|w| w == b"renewed"));
    before.ping().unwrap();

    // A bad file keeps the old one in use and says so.
    pki.write("server.pem", "no certificate");
    let outcomes = node.reload_certificates();
    let CertificateOutcome::Failed(error) = &outcomes[0].1 else { panic!("{outcomes:?}") };
    let text = error.to_string();
    assert!(text.contains("ssl:default") && text.contains("certfile"), "{text}");
    let mut again = TlsClient::connect(at, &config, "again").unwrap();
    for client in [&mut before, &mut after, &mut again] {
        client.ping().unwrap();
    }
    let events = node.drain(1000);
    let told: Vec<bool> = events
        .iter()
        .filter_map(|event| match event {
            UpEvent::Certificates { is_taken, .. } => Some(*is_taken),
            _ => None,
        })
        .collect();
    assert!(told.contains(&true) && told.contains(&false), "{told:?}");
}

#[test]
fn revoking_ends_the_client_and_its_ticket_is_worth_nothing() {
    let pki = Pki::new("CA");
    pki.write("crl.pem", &pki.crl(&[]));
    let settings = TlsConfig { crlfile: Some(pki.path("crl.pem")), ..pki.mutual_settings() };
    let node = server(&pki, settings, 2);
    let at = address(&node, "ssl:default");
    let config = pki.client(Some(&pki.issue("stolen", 7, YEAR)));
    let other = pki.client(Some(&pki.issue("honest", 8, YEAR)));
    let mut stolen = TlsClient::connect(at, &config, "stolen").unwrap();
    let mut honest = TlsClient::connect(at, &other, "honest").unwrap();
    // With a ticket the handshake is short.
    let resumed = TlsClient::connect(at, &config, "stolen-2").unwrap();
    assert_eq!(resumed.tls.handshake_kind(), Some(rustls::HandshakeKind::Resumed));

    pki.write("crl.pem", &pki.crl(&[7]));
    assert_eq!(stolen.expect_disconnect(), 0x98);
    until("both are gone", || figure(&node, "tls.clients.revoked") == 2);
    assert!(TlsClient::connect(at, &config, "stolen-3").is_err());
    honest.ping().unwrap();
}

#[test]
fn what_is_wrong_with_a_file_is_said_in_one_line() {
    let pki = Pki::new("CA");
    let failure = |settings: TlsConfig| {
        let error = try_start(vec![listener("ssl:a", Some(settings))], 1).expect_err("it failed");
        assert!(matches!(error, NodeError::Tls { .. }), "{error:?}");
        let text = error.to_string();
        assert!(!text.contains('\n') && text.contains("ssl:a"), "{text}");
        text
    };
    let good = pki.issue("localhost", 1, YEAR);
    assert!(failure(pki.settings()).contains("certfile"));
    pki.write_server(&pki.issue("localhost", 1, 2001));
    assert!(failure(pki.settings()).contains("has expired on 2001-12-31"));
    pki.write_server(&good);
    pki.write("server.key", &pki.issue("other", 2, YEAR).key);
    let text = failure(pki.settings());
    assert!(text.contains("keyfile") && text.contains("does not belong to"), "{text}");
    pki.write("server.key", &good.cert);
    assert!(failure(pki.settings()).contains("swapped"));
    pki.write_server(&good);
    pki.write("ca.pem", &Pki::new("another").ca_pem());
    let signed = TlsConfig { cacertfile: Some(pki.path("ca.pem")), ..pki.settings() };
    assert!(failure(signed).contains("does not sign"));
    assert!(failure(TlsConfig { depth: 7, ..pki.settings() }).contains("depth"));
    let psk = TlsConfig { ciphers: vec!["PSK-AES256-CBC-SHA".into()], ..pki.settings() };
    assert!(failure(psk).contains("pre-shared keys"));
}

#[test]
fn a_listener_without_certificate_waits_for_one_beside_the_others() {
    let pki = Pki::new("CA");
    // Not even the directory is there.
    let settings = TlsConfig {
        certfile: pki.path("late/er/server.pem"),
        keyfile: pki.path("late/er/server.key"),
        ..pki.settings()
    };
    let listeners = vec![listener("tcp:default", None), listener("ssl:default", Some(settings))];
    let node = start_with(listeners, 1);
    let failed = node.listeners()[1].error.clone().expect("it does not stand");
    assert!(failed.contains("server.pem"), "{failed}");
    std::fs::create_dir_all(pki.path("late/er")).unwrap();
    let pair = pki.issue("localhost", 1, YEAR);
    std::fs::write(pki.path("late/er/server.key"), &pair.key).unwrap();
    std::fs::write(pki.path("late/er/server.pem"), &pair.cert).unwrap();
    until("it stands", || node.listeners()[1].error.is_none());
    TlsClient::connect(address(&node, "ssl:default"), &pki.client(None), "late").unwrap();
}
