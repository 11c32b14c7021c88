//! Whole runs against the relay, and against servers that refuse.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail like tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread;

use rookery_bench::{BenchConfig, BenchError, Mode, Phase, ProtocolVersion, Report, run};

/// A relay process; ends with the test.
struct Relay {
    process: Child,
    address: String,
}

impl Relay {
    fn start() -> Relay {
        let mut process = Command::new(env!("CARGO_BIN_EXE_rookery-relay"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut address).unwrap();
        Relay { process, address: address.trim().to_owned() }
    }

    fn run(&self, config: BenchConfig) -> Report {
        let config = BenchConfig { addresses: vec![self.address.clone()], ..config };
        run(&config, &mut |_| true).unwrap()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A run that ends by count, not by the clock.
fn counted(messages: u64) -> BenchConfig {
    BenchConfig {
        messages,
        warm_up_s: 0.0,
        duration_s: 60.0,
        drain_s: 20.0,
        ..BenchConfig::default()
    }
}

#[track_caller]
fn assert_nothing_went_wrong(report: &Report, messages: u64) {
    assert_eq!(report.sent, messages);
    let faults =
        [report.lost, report.duplicates, report.errors, report.disconnects, report.skipped];
    assert_eq!(faults, [0; 5], "{}", report.to_json());
}

#[test]
fn pairs_deliver_every_message_once_in_each_version_and_qos() {
    let relay = Relay::start();
    for protocol in [ProtocolVersion::V31, ProtocolVersion::V311, ProtocolVersion::V5] {
        for qos in 0..=2 {
            let report = relay.run(BenchConfig { protocol, qos, publishers: 5, ..counted(2000) });
            assert_nothing_went_wrong(&report, 2000);
            assert_eq!((report.connected, report.subscriptions), (10, 5));
        }
    }
}

#[test]
fn a_number_of_messages_is_counted_whole_without_a_warm_up() {
    let relay = Relay::start();
    for qos in 0..=2 {
        let report = relay.run(BenchConfig { qos, warm_up_s: 60.0, ..counted(50) });
        assert_nothing_went_wrong(&report, 50);
        assert_eq!(report.received, 50);
    }
}

#[test]
fn payloads_larger_than_the_read_buffer_arrive_whole() {
    let relay = Relay::start();
    let report = relay.run(BenchConfig {
        payload_bytes: 700_000,
        window: 2,
        qos: 1,
        publishers: 2,
        ..counted(20)
    });
    assert_nothing_went_wrong(&report, 20);
}

#[test]
fn fan_out_waits_for_every_subscriber() {
    let relay = Relay::start();
    let report = relay.run(BenchConfig {
        mode: Mode::Fanout,
        publishers: 2,
        subscribers: 7,
        window: 3,
        ..counted(300)
    });
    assert_nothing_went_wrong(&report, 300);
    assert_eq!(report.subscriptions, 14);
}

#[test]
fn open_loop_sends_all_and_measures_its_own_lag() {
    let relay = Relay::start();
    for qos in 0..=1 {
        let report = relay.run(BenchConfig { qos, rate: 5000.0, publishers: 10, ..counted(500) });
        assert_nothing_went_wrong(&report, 500);
        assert_eq!(report.lag_us.count, 500);
    }
}

#[test]
fn topics_are_subscribed_by_name_or_by_wildcard() {
    let relay = Relay::start();
    for (subscribe_wildcard, subscriptions) in [(false, 4000), (true, 4)] {
        let report = relay.run(BenchConfig {
            publishers: 4,
            topics: 4000,
            subscribe_wildcard,
            ..counted(8000)
        });
        assert_nothing_went_wrong(&report, 8000);
        assert_eq!(report.subscriptions, subscriptions);
    }
}

#[test]
fn quiet_connections_hold_their_subscriptions() {
    let relay = Relay::start();
    let report = relay.run(BenchConfig {
        mode: Mode::Conn,
        idle_connections: 100,
        idle_subscriptions: 5001,
        duration_s: 0.0,
        ..BenchConfig::default()
    });
    assert_eq!((report.connected, report.subscriptions, report.errors), (100, 5001, 0));
}

#[test]
fn churn_counts_whole_cycles() {
    let relay = Relay::start();
    let report = relay.run(BenchConfig { mode: Mode::Churn, publishers: 4, ..counted(200) });
    assert!(report.cycles >= 200, "{}", report.cycles);
    assert_eq!((report.errors, report.latency_us.count), (0, report.cycles));
}

#[test]
fn the_caller_can_end_a_run() {
    let relay = Relay::start();
    let config = BenchConfig {
        addresses: vec![relay.address.clone()],
        duration_s: 3600.0,
        warm_up_s: 0.0,
        ..BenchConfig::default()
    };
    let report = run(&config, &mut |progress| progress.phase != Phase::Measure).unwrap();
    assert!(report.stopped_early);
}

#[test]
fn a_refused_connection_names_the_address() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    for mode in [Mode::Pairs, Mode::Churn] {
        let config =
            BenchConfig { mode, addresses: vec![address.clone()], ..BenchConfig::default() };
        let error = run(&config, &mut |_| true).unwrap_err();
        assert!(matches!(error, BenchError::Connect { .. }), "{error:?}");
        assert!(error.to_string().contains(&address), "{error}");
    }
}

/// A server that answers packet after packet with what it is given, then closes.
fn scripted(answers: Vec<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut buffer = [0; 1024];
        for answer in answers {
            if socket.read(&mut buffer).unwrap_or(0) == 0 || socket.write_all(&answer).is_err() {
                return;
            }
        }
    });
    address
}

fn refused(answers: &[&[u8]], protocol: ProtocolVersion) -> BenchError {
    let answers = answers.iter().map(|answer| answer.to_vec()).collect();
    let config = BenchConfig {
        mode: Mode::Sub,
        subscribers: 1,
        protocol,
        addresses: vec![scripted(answers)],
        ..BenchConfig::default()
    };
    run(&config, &mut |_| true).unwrap_err()
}

#[test]
fn refusals_are_told_with_their_code() {
    let error = refused(&[&[0x20, 2, 0, 5]], ProtocolVersion::V311);
    assert!(matches!(error, BenchError::Refused { code: 5, .. }), "{error:?}");
    assert!(error.to_string().contains("not authorized"), "{error}");

    let error = refused(&[&[0x20, 3, 0, 0x86, 0]], ProtocolVersion::V5);
    assert!(matches!(error, BenchError::Refused { code: 0x86, .. }), "{error:?}");

    let error = refused(&[&[0x20, 2, 0, 0], &[0x90, 3, 0, 1, 0x80]], ProtocolVersion::V311);
    assert!(matches!(error, BenchError::SubscribeRefused { code: 0x80, .. }), "{error:?}");

    let error = refused(&[], ProtocolVersion::V311);
    assert!(matches!(error, BenchError::ClosedDuringSetUp { .. }), "{error:?}");
}

#[test]
fn a_broker_that_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = BenchConfig {
        addresses: vec![listener.local_addr().unwrap().to_string()],
        set_up_timeout_s: 0.05,
        ..BenchConfig::default()
    };
    let error = run(&config, &mut |_| true).unwrap_err();
    assert!(matches!(error, BenchError::SetUpTimeout { ready: 0, wanted: 2, .. }), "{error:?}");
}

#[test]
fn too_many_connections_for_the_limit_name_the_number_needed() {
    let config = BenchConfig {
        mode: Mode::Conn,
        idle_connections: 16_000_000,
        addresses: vec!["127.0.0.1:1".to_owned()],
        ..BenchConfig::default()
    };
    match run(&config, &mut |_| true) {
        Err(BenchError::FileLimit { needed, limit }) => {
            assert!(needed > 16_000_000 && limit < needed);
        }
        // The limit of this machine is higher still; nothing listens on the port.
        Err(BenchError::Connect { .. }) => {}
        other => panic!("{other:?}"),
    }
}
