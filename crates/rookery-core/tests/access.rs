//! Access control seen by clients: rules, denials, bans, quotas, back-off, enhanced authentication.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod scenarios {
    pub mod stage;
}

use std::sync::Arc;

use rookery_codec::{Auth, Connect, Publish, QoS, ReasonCode, SubscriptionOptions, Version, Will};
use rookery_core::access::{
    AclAction, AclRule, AclSource, AclSourceKind, AclTopic, AclWho, AclWhoKind,
    AuthorizationConfig, Ban, BanKind, DenyAction, FlappingConfig, LoginBackoffConfig,
    PeerCertField, Permission,
};
use rookery_core::config::Admission;
use rookery_core::conn::Action;
use rookery_core::effects::{
    Admittance, AskId, CloseCause, Command, PeerCertificate, Question, UpEvent, Verdict,
};
use scenarios::stage::{Actor, Stage};

const NONE: [&str; 0] = [];

fn v5(id: &str) -> Connect<'_> {
    Connect::new(Version::V5, id)
}

fn named<'a>(id: &'a str, username: &'a str) -> Connect<'a> {
    Connect { username: Some(username), password: Some(b"p"), ..v5(id) }
}

fn message<'a>(topic: &'a str, qos: QoS, packet_id: u16) -> Publish<'a> {
    Publish { topic, qos, packet_id, payload: b"m", ..Publish::default() }
}

fn rule(permission: Permission, topics: &[&str]) -> AclRule {
    AclRule {
        permission,
        qos: vec![0, 1, 2],
        topics: topics
            .iter()
            .map(|text| AclTopic { text: (*text).into(), is_literal: false })
            .collect(),
        ..AclRule::default()
    }
}

fn allow(topics: &[&str]) -> AclRule {
    rule(Permission::Allow, topics)
}

fn deny(topics: &[&str]) -> AclRule {
    rule(Permission::Deny, topics)
}

fn rules(rules: Vec<AclRule>) -> AclSource {
    AclSource { name: "file".into(), kind: AclSourceKind::Rules, rules }
}

fn ask() -> AclSource {
    AclSource { name: "http".into(), kind: AclSourceKind::Ask, rules: vec![] }
}

fn authorize(
    stage: &mut Stage,
    sources: Vec<AclSource>,
    change: impl FnOnce(&mut AuthorizationConfig),
) {
    let mut authorization = AuthorizationConfig { sources, ..AuthorizationConfig::default() };
    change(&mut authorization);
    stage.config(|c| {
        c.authorization = Arc::new(authorization);
        c.hooks.deadline_ms = 5000;
    });
}

fn ban(stage: &mut Stage, kind: BanKind, who: &str, until_ms: Option<u64>) {
    let ban = Ban { kind, who: who.into(), until_ms, reason: String::new() };
    stage.config(|c| c.bans = [ban].into());
}

/// Connects while authentication is asked for, and gives the answer.
fn login(stage: &mut Stage, connect: &Connect<'_>, verdict: Verdict) -> Actor {
    let mut actor = stage.connect(connect);
    let mut asked = stage.questions();
    if let Some((id, _)) = asked.pop() {
        stage.answer(id, verdict);
        actor.greeting = actor.take(stage).first().cloned().unwrap_or_default();
    }
    actor
}

fn admit(change: impl FnOnce(&mut Admittance)) -> Verdict {
    let mut admittance = Admittance::default();
    change(&mut admittance);
    Verdict::Admit(Box::new(admittance))
}

#[test]
fn a_denied_publish_is_answered_by_version_and_qos() {
    let cases = [
        (Version::V5, QoS::AtMostOnce, &NONE[..]),
        (Version::V5, QoS::AtLeastOnce, &["PUBACK 1 0x87"]),
        (Version::V5, QoS::ExactlyOnce, &["PUBREC 1 0x87"]),
        (Version::V311, QoS::AtMostOnce, &NONE[..]),
        (Version::V311, QoS::AtLeastOnce, &["PUBACK 1 0x00"]),
        (Version::V311, QoS::ExactlyOnce, &["PUBREC 1 0x00"]),
    ];
    for (version, qos, want) in cases {
        let mut stage = Stage::new();
        authorize(&mut stage, vec![rules(vec![deny(&["secret/#"])])], |_| {});
        let mut listener = stage.connect(&v5("listener"));
        listener.subscribe(&mut stage, "#", SubscriptionOptions::default());
        let mut a = stage.connect(&Connect::new(version, "a"));
        a.send(&mut stage, |out| {
            message("secret/x", qos, if qos == QoS::AtMostOnce { 0 } else { 1 })
                .encode(version, out)
        });
        assert_eq!(a.take(&mut stage), want, "{version:?} {qos:?}");
        assert!(!a.is_closed(&stage));
        a.send(&mut stage, |out| message("open", QoS::AtMostOnce, 0).encode(version, out));
        assert_eq!(listener.take(&mut stage), ["PUBLISH open 0"], "only what is allowed arrives");
        assert_eq!(stage.metric("authorization.deny"), 1);
        assert!(stage.questions().is_empty(), "rules need nobody");
    }
}

#[test]
fn a_denied_filter_is_answered_and_others_of_the_packet_are_made() {
    for (version, code) in [(Version::V5, 0x87), (Version::V311, 0x80)] {
        let mut stage = Stage::new();
        let sources = vec![rules(vec![deny(&["secret/#"]), allow(&["#"])])];
        authorize(&mut stage, sources, |c| c.no_match = Permission::Deny);
        let mut a = stage.connect(&Connect::new(version, "a"));
        for (filter, want) in [
            ("secret/x", code),
            ("$share/g/secret/x", code),
            ("open/+", 0),
            ("$queue/open", 0),
            ("$none/x", code),
        ] {
            a.subscribe(&mut stage, filter, SubscriptionOptions::default());
            a.take(&mut stage);
            assert_eq!(a.suback, [want], "{filter}");
        }
    }
}

#[test]
fn a_denial_ends_the_connection_where_that_is_configured() {
    for version in [Version::V5, Version::V311] {
        let mut stage = Stage::new();
        let disconnect = |c: &mut AuthorizationConfig| c.deny_action = DenyAction::Disconnect;
        authorize(&mut stage, vec![rules(vec![deny(&["secret/#"])])], disconnect);
        let told: &[&str] = if version == Version::V5 { &["DISCONNECT 0x87"] } else { &[] };
        let mut a = stage.connect(&Connect::new(version, "a"));
        a.send(&mut stage, |out| message("secret/x", QoS::AtMostOnce, 0).encode(version, out));
        assert_eq!(a.take(&mut stage), told);
        assert!(a.is_closed(&stage));
        let mut b = stage.connect(&Connect::new(version, "b"));
        b.subscribe(&mut stage, "secret/x", SubscriptionOptions::default());
        assert_eq!(b.take(&mut stage), told);
        assert!(b.is_closed(&stage) && b.suback.is_empty());
        let causes = stage.events.iter().filter(
            |e| matches!(e, UpEvent::Disconnected(_, cause) if *cause == CloseCause::DeniedAction),
        );
        assert_eq!(causes.count(), 2);
    }
}

#[test]
fn sys_topics_are_one_switch_and_no_offence() {
    let mut stage = Stage::new();
    stage.is_local = false;
    authorize(&mut stage, vec![], |c| c.deny_action = DenyAction::Disconnect);
    let mut a = stage.connect(&v5("a"));
    let mut read = |stage: &mut Stage, filter: &str| {
        a.subscribe(stage, filter, SubscriptionOptions::default());
        a.take(stage);
        assert!(!a.is_closed(stage));
        a.suback.clone()
    };
    assert_eq!(read(&mut stage, "$SYS/#"), [0x87]);
    stage.config(|c| c.sys_topics_open = true);
    assert_eq!(read(&mut stage, "$SYS/#"), [0]);
    assert_eq!(read(&mut stage, "$LINK/#"), [0x87]);
}

#[test]
fn a_will_is_a_publish() {
    let will = |topic| Will { topic, payload: b"w", ..Will::default() };
    let mut stage = Stage::new();
    let own = AclRule { action: AclAction::Publish, ..allow(&["wills/${clientid}"]) };
    let sources = vec![rules(vec![own, AclRule { action: AclAction::Subscribe, ..allow(&["#"]) }])];
    authorize(&mut stage, sources, |c| c.no_match = Permission::Deny);
    let mut watcher = stage.connect(&v5("watcher"));
    watcher.subscribe(&mut stage, "wills/#", SubscriptionOptions::default());
    for id in ["a", "b"] {
        let mut client = stage.connect(&Connect { will: Some(will("wills/a")), ..v5(id) });
        assert_eq!(client.greeting, "CONNACK 0x00");
        client.lose(&mut stage);
    }
    assert_eq!(watcher.take(&mut stage), ["PUBLISH wills/a 0"]);
}

#[test]
fn a_will_that_would_never_be_sent_later_is_refused_as_a_publish_is() {
    let connect = |stage: &mut Stage, topic: &str| {
        let will = Will { topic, payload: b"w", ..Will::default() };
        stage.connect(&Connect { will: Some(will), ..v5("c") }).greeting.clone()
    };
    let publish = |stage: &mut Stage, topic: &str| {
        let mut client = stage.connect(&v5("p"));
        client.send(stage, |out| message(topic, QoS::AtLeastOnce, 1).encode(Version::V5, out));
        client.take(stage).join(" ")
    };
    let mut stage = Stage::new();
    for (topic, code) in [
        ("$delayed/5/t", "0x00"),
        ("$delayed/x/t", "0x90"),
        ("$delayed/5/", "0x90"),
        ("$delayed/999999999999/t", "0x90"),
        ("$delayed/18446744073709551615/t", "0x90"),
        ("$delayed/5/$SYS/t", "0x87"),
    ] {
        assert_eq!(connect(&mut stage, topic), format!("CONNACK {code}"), "{topic}");
        let said = publish(&mut stage, topic);
        let is_taken = said.starts_with("PUBACK 1") && !said.contains("0x9");
        let is_as_wanted =
            if code == "0x00" { is_taken } else { said == format!("PUBACK 1 {code}") };
        assert!(is_as_wanted, "{topic}: {said}");
    }
    stage.config(|c| c.delayed.enable = false);
    assert_eq!(connect(&mut stage, "$delayed/5/t"), "CONNACK 0x90");
    assert_eq!(publish(&mut stage, "$delayed/5/t"), "PUBACK 1 0x90");
}

#[test]
fn rules_of_the_authentication_come_first_and_a_superuser_needs_none() {
    let mut stage = Stage::new();
    stage.admission(Admission::Ask);
    authorize(&mut stage, vec![rules(vec![deny(&["#"])])], |_| {});
    let mut own = login(
        &mut stage,
        &v5("own"),
        admit(|a| {
            a.acl = Some(vec![allow(&["mine/${client_attrs.dept}"])]);
            a.client_attrs = vec![("dept".into(), "7".into())];
        }),
    );
    let publish = |stage: &mut Stage, client: &mut Actor, topic: &str| {
        client.send(stage, |out| message(topic, QoS::AtLeastOnce, 1).encode(Version::V5, out));
        client.take(stage).join(" ")
    };
    assert_eq!(publish(&mut stage, &mut own, "mine/7"), "PUBACK 1 0x10");
    assert_eq!(publish(&mut stage, &mut own, "mine/8"), "PUBACK 1 0x87");
    let mut root = login(&mut stage, &v5("root"), admit(|a| a.is_superuser = true));
    assert_eq!(publish(&mut stage, &mut root, "any"), "PUBACK 1 0x10");
    let (reply, answer) = std::sync::mpsc::channel();
    let command = |client_id: &str| Command::CheckAcl {
        client_id: client_id.into(),
        action: Action::Publish(1, false),
        topic: "mine/7".into(),
        reply: reply.clone(),
    };
    for (id, want) in [("own", Some("client_acl")), ("root", Some("superuser")), ("none", None)] {
        stage.command(command(id));
        let said = answer.recv().unwrap();
        assert_eq!(said.as_ref().map(|e| &*e.source), want, "{id}");
    }
    let rows = stage.events.iter().filter_map(|event| match event {
        UpEvent::Connected(info) => Some((info.is_superuser, info.client_attrs.len())),
        _ => None,
    });
    assert_eq!(rows.collect::<Vec<_>>(), [(false, 1), (true, 0)]);
}

#[test]
fn own_rules_count_where_no_source_is_configured() {
    let mut stage = Stage::new();
    stage.admission(Admission::Ask);
    let mut a = login(&mut stage, &v5("a"), admit(|a| a.acl = Some(vec![deny(&["secret"])])));
    a.send(&mut stage, |out| message("secret", QoS::AtLeastOnce, 1).encode(Version::V5, out));
    assert_eq!(a.take(&mut stage), ["PUBACK 1 0x87"]);
    let wrong = AclRule {
        who: AclWho { kind: AclWhoKind::IpAddr, values: vec!["x".into()], ..AclWho::default() },
        ..allow(&["a"])
    };
    let refused = login(&mut stage, &v5("b"), admit(|a| a.acl = Some(vec![wrong])));
    assert_eq!(refused.greeting, "CONNACK 0x87", "rules that cannot be used admit nobody");
}

#[test]
fn python_is_asked_where_rules_end_and_its_answer_is_kept() {
    let mut stage = Stage::new();
    let sources = vec![rules(vec![allow(&["free"])]), ask()];
    authorize(&mut stage, sources, |c| c.cache_excludes = vec!["fresh/#".into()]);
    let mut a = stage.connect(&named("a", "u"));
    let publish = |stage: &mut Stage, a: &mut Actor, topic: &str| {
        a.send(stage, |out| message(topic, QoS::AtLeastOnce, 1).encode(Version::V5, out));
        stage.questions()
    };
    assert!(publish(&mut stage, &mut a, "free").is_empty());
    assert_eq!(a.take(&mut stage), ["PUBACK 1 0x10"]);
    let asked = publish(&mut stage, &mut a, "t");
    let [(id, Question::Authorize { source, client, topic, qos, .. })] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!(
        (source.as_deref(), &*client.client_id, &**topic, *qos),
        (Some("http"), "a", "t", 1)
    );
    stage.answer(*id, Verdict::Deny(ReasonCode::NOT_AUTHORIZED));
    assert_eq!(a.take(&mut stage), ["PUBACK 1 0x87"]);
    assert!(publish(&mut stage, &mut a, "t").is_empty(), "kept");
    assert_eq!(a.take(&mut stage), ["PUBACK 1 0x87"]);
    stage.pass(60_000);
    assert_eq!(publish(&mut stage, &mut a, "t").len(), 1, "its time is over");
    stage.pass(6000);
    assert_eq!(a.take(&mut stage), ["PUBACK 1 0x87"], "nobody answered");
    let asked = publish(&mut stage, &mut a, "t");
    assert_eq!(asked.len(), 1, "what nobody said is not kept");
    stage.answer(asked[0].0, Verdict::Allow);
    stage.command(Command::PurgeAclCache { client_id: Some("a".into()) });
    let asked = publish(&mut stage, &mut a, "t");
    assert_eq!(asked.len(), 1, "purged");
    stage.answer(asked[0].0, Verdict::Allow);
    stage.command(Command::PurgeAclCache { client_id: None });
    let asked = publish(&mut stage, &mut a, "t");
    assert_eq!(asked.len(), 1, "purged for all");
    stage.answer(asked[0].0, Verdict::Allow);
    for _ in 0..2 {
        let asked = publish(&mut stage, &mut a, "fresh/t");
        assert_eq!(asked.len(), 1, "excluded");
        stage.answer(asked[0].0, Verdict::Allow);
    }
    authorize(&mut stage, vec![ask()], |_| {});
    assert_eq!(publish(&mut stage, &mut a, "t").len(), 1, "other rules");
    assert_eq!(stage.metric("packets.publish.received"), 10, "counted once, however often handled");
}

#[test]
fn a_subscribe_waits_for_all_its_answers() {
    let mut stage = Stage::new();
    authorize(&mut stage, vec![ask()], |c| c.cache_enable = false);
    let mut a = stage.connect(&v5("a"));
    let mut filters = rookery_codec::SubscribeFiltersBuf::default();
    let names: Vec<String> = (0..600).map(|n| format!("t/{n}")).collect();
    for name in &names {
        filters.push(name, SubscriptionOptions::default());
    }
    filters.push("$share/g/t/1", SubscriptionOptions::default());
    a.send(&mut stage, |out| rookery_codec::Subscribe::new(7, &filters).encode(Version::V5, out));
    let asked = stage.questions();
    assert_eq!(asked.len(), 600, "a topic is asked about once");
    for (n, (id, _)) in asked.into_iter().enumerate() {
        assert!(a.take(&mut stage).is_empty() && a.suback.is_empty());
        let denied = Verdict::Deny(ReasonCode::NOT_AUTHORIZED);
        stage.answer(id, if n == 1 { denied } else { Verdict::Allow });
    }
    a.take(&mut stage);
    assert_eq!(a.suback.len(), 601);
    let denied = a.suback.iter().enumerate().filter(|(_, code)| **code != 0).map(|(n, _)| n);
    assert_eq!(denied.collect::<Vec<_>>(), [1, 600]);
    assert!(stage.questions().is_empty());
}

#[test]
fn hooks_are_asked_when_no_rule_fits() {
    let mut stage = Stage::new();
    authorize(&mut stage, vec![rules(vec![deny(&["no"])])], |_| {});
    stage.config(|c| c.hooks.authorize = true);
    let mut a = stage.connect(&v5("a"));
    a.send(&mut stage, |out| message("no", QoS::AtLeastOnce, 1).encode(Version::V5, out));
    assert_eq!(a.take(&mut stage), ["PUBACK 1 0x87"]);
    a.send(&mut stage, |out| message("yes", QoS::AtLeastOnce, 2).encode(Version::V5, out));
    let asked = stage.questions();
    assert!(matches!(&asked[..], [(_, Question::Authorize { source: None, .. })]), "{asked:?}");
}

#[test]
fn a_ban_refuses_and_ends() {
    let cases = [
        (BanKind::ClientId, "c"),
        (BanKind::Username, "u"),
        (BanKind::ClientIdRe, "^c$"),
        (BanKind::UsernameRe, "^u"),
    ];
    for (kind, who) in cases {
        for (version, code) in [(Version::V5, "0x8a"), (Version::V311, "0x87")] {
            let mut stage = Stage::new();
            let connect = Connect { username: Some("u"), ..Connect::new(version, "c") };
            let mut standing = stage.connect(&connect);
            let mut other = stage.connect(&v5("other"));
            let until_ms = stage.unix_ms() + 10_000;
            ban(&mut stage, kind, who, Some(until_ms));
            stage.turn();
            let told: &[&str] = if version == Version::V5 { &["DISCONNECT 0x98"] } else { &[] };
            assert_eq!(standing.take(&mut stage), told, "{kind}");
            assert!(standing.is_closed(&stage) && !other.is_closed(&stage));
            assert_eq!(other.take(&mut stage), NONE);
            assert_eq!(stage.connect(&connect).greeting, format!("CONNACK {code}"), "{kind}");
            stage.pass(10_000);
            assert_eq!(stage.connect(&connect).greeting, "CONNACK 0x00", "it is over");
        }
    }
}

#[test]
fn a_banned_address_is_closed_before_connect() {
    let mut stage = Stage::new();
    stage.peer = "192.0.2.7:999".parse().unwrap();
    let a = stage.connect(&v5("a"));
    ban(&mut stage, BanKind::PeerHostNet, "192.0.2.0/24", None);
    stage.turn();
    assert!(a.is_closed(&stage));
    assert!(stage.try_open().is_none());
    stage.peer = "192.0.3.7:999".parse().unwrap();
    assert!(stage.try_open().is_some());
    assert_eq!((stage.metric("banned.refused"), stage.metric("banned.disconnected")), (1, 1));
}

#[test]
fn a_client_that_comes_and_goes_is_told_of() {
    let mut stage = Stage::new();
    stage.config(|c| {
        c.flapping = FlappingConfig { enable: true, window_ms: 60_000, max_count: 3, ban_ms: 1 };
    });
    for _ in 0..3 {
        stage.connect(&named("a", "u")).lose(&mut stage);
        stage.connect(&v5("b"));
    }
    let told: Vec<_> = stage
        .events
        .iter()
        .filter_map(|event| match event {
            UpEvent::Flapping { client_id, username, .. } => {
                Some((client_id.to_string(), username.as_deref().map(str::to_owned)))
            }
            _ => None,
        })
        .collect();
    assert_eq!(told, [("a".to_owned(), Some("u".to_owned()))]);
}

#[test]
fn failed_logins_are_refused_without_asking() {
    let mut stage = Stage::new();
    stage.peer = "192.0.2.7:999".parse().unwrap();
    stage.admission(Admission::Ask);
    stage.config(|c| {
        c.hooks.deadline_ms = 5000;
        c.login_backoff =
            LoginBackoffConfig { failures: 2, block_ms: 1000, ..LoginBackoffConfig::default() };
    });
    let wrong = || Verdict::Deny(ReasonCode::BAD_USER_NAME_OR_PASSWORD);
    for _ in 0..5 {
        let busy = Verdict::Deny(ReasonCode::SERVER_BUSY);
        assert_eq!(login(&mut stage, &named("a", "u"), busy).greeting, "CONNACK 0x89");
    }
    for _ in 0..2 {
        assert_eq!(login(&mut stage, &named("a", "u"), wrong()).greeting, "CONNACK 0x86");
    }
    assert_eq!(stage.connect(&named("a", "u")).greeting, "CONNACK 0x89");
    assert!(stage.questions().is_empty(), "nobody was asked");
    assert_eq!(login(&mut stage, &named("b", "v"), Verdict::Allow).greeting, "CONNACK 0x00");
    stage.pass(1000);
    assert_eq!(login(&mut stage, &named("a", "u"), Verdict::Allow).greeting, "CONNACK 0x00");
    let counted = ["authentication.backoff.refused", "authentication.backoff.blocks"];
    assert_eq!(counted.map(|name| stage.metric(name)), [1, 1]);
}

#[test]
fn the_quota_counts_connected_clients() {
    for (version, code) in [(Version::V5, "CONNACK 0x97"), (Version::V311, "CONNACK 0x88")] {
        let mut stage = Stage::new();
        stage.config(|c| c.max_connections = 2);
        let connect = |id| Connect { clean_start: false, ..Connect::new(version, id) };
        let mut a = stage.connect(&connect("a"));
        stage.connect(&connect("b"));
        assert_eq!(stage.connect(&connect("c")).greeting, code, "3.x is told 0x03");
        let again = stage.connect(&connect("a"));
        assert!(again.greeting.starts_with("CONNACK 0x00"), "it has a place: {}", again.greeting);
        assert!(a.is_closed(&stage) && stage.connected() == 2);
        a = again;
        a.lose(&mut stage);
        assert_eq!(stage.connected(), 1);
        assert_eq!(stage.connect(&connect("c")).greeting, "CONNACK 0x00");
        assert_eq!(stage.metric("connections.quota.refused"), 1);
    }
}

#[test]
fn a_crowd_is_told_when_it_begins_and_when_it_ends() {
    let mut stage = Stage::new();
    let told = |stage: &mut Stage| -> Vec<(u64, usize)> {
        let of = |event: &UpEvent| match event {
            UpEvent::Crowded { turn, connected, max: 5 } => Some((*turn, *connected)),
            _ => None,
        };
        let told = stage.events.iter().filter_map(of).collect();
        stage.events.clear();
        told
    };
    let bound = |c: &mut rookery_core::config::BrokerConfig| {
        (c.max_connections, c.crowded_from, c.crowded_until) = (5, 4, 3);
    };
    stage.config(bound);
    let mut clients: Vec<_> =
        ["a", "b", "c", "d", "e"].iter().map(|id| stage.connect(&v5(id))).collect();
    assert_eq!(told(&mut stage), [(1, 4)]);
    for mut client in clients.drain(2..) {
        client.lose(&mut stage);
    }
    assert_eq!(told(&mut stage), [(2, 2)], "3 is not fewer than 3");
    stage.config(|c| (c.crowded_from, c.crowded_until) = (2, 2));
    stage.turn();
    assert_eq!(told(&mut stage), [(3, 2)], "other settings are held against who is there");
    // Whoever takes over its own connection is not one more.
    stage.connect(&v5("a"));
    assert_eq!(told(&mut stage), []);
}

#[test]
fn what_was_granted_ends() {
    let mut stage = Stage::new();
    stage.admission(Admission::Ask);
    let until_ms = stage.unix_ms() + 5000;
    let will = Will { topic: "gone", payload: b"w", ..Will::default() };
    let mut watcher = login(&mut stage, &v5("watcher"), Verdict::Allow);
    watcher.subscribe(&mut stage, "gone", SubscriptionOptions::default());
    let grant = || admit(|a| a.expire_at_ms = Some(until_ms));
    let mut a = login(&mut stage, &Connect { will: Some(will), ..v5("a") }, grant());
    stage.pass(4000);
    assert_eq!(a.take(&mut stage), NONE);
    stage.pass(1500);
    assert_eq!(a.take(&mut stage), ["DISCONNECT 0x87"]);
    assert_eq!(watcher.take(&mut stage), ["PUBLISH gone 0"]);
    assert_eq!(login(&mut stage, &v5("b"), grant()).greeting, "CONNACK 0x87", "too late");
}

#[test]
fn authentication_may_give_another_client_identifier() {
    let mut stage = Stage::new();
    stage.admission(Admission::Ask);
    let will = Will { topic: "w", payload: b"w", ..Will::default() };
    let rename = |id: &'static str| admit(move |a| a.client_id = Some(id.into()));
    let a = login(&mut stage, &Connect { will: Some(will), ..v5("asked") }, rename("given"));
    assert_eq!(a.greeting, "CONNACK 0x00");
    let (reply, answer) = std::sync::mpsc::channel();
    for id in ["given", "asked"] {
        stage.command(Command::Client { client_id: id.into(), reply: reply.clone() });
    }
    assert_eq!(answer.recv().unwrap().map(|c| c.connected), Some(true));
    assert!(answer.recv().unwrap().is_none());
    assert_eq!(login(&mut stage, &v5("x"), rename("")).greeting, "CONNACK 0x85");
    ban(&mut stage, BanKind::ClientId, "banned", None);
    assert_eq!(login(&mut stage, &v5("x"), rename("banned")).greeting, "CONNACK 0x8a");
}

#[test]
fn names_of_a_certificate() {
    let mut stage = Stage::new();
    stage.cert = Some(Arc::new(PeerCertificate {
        common_name: Some("device-7".into()),
        der: Some(b"abc".as_slice().into()),
        ..PeerCertificate::default()
    }));
    stage.mqtt(|m| {
        m.peer_cert_as_username = PeerCertField::Cn;
        m.peer_cert_as_clientid = PeerCertField::Md5;
    });
    stage.connect(&named("a", "u"));
    let [.., UpEvent::Connected(info)] = &stage.events[..] else { panic!("{:?}", stage.events) };
    assert_eq!(&*info.client_id, "900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(info.username.as_deref(), Some("device-7"));
    let cert = info.cert.as_ref().unwrap();
    assert_eq!((cert.common_name.as_deref(), &cert.der), (Some("device-7"), &None));
}

#[test]
fn a_listener_may_ask_for_no_authentication() {
    let mut stage = Stage::new();
    stage.admission(Admission::Ask);
    stage.enable_authn = false;
    assert_eq!(stage.connect(&v5("a")).greeting, "CONNACK 0x00");
    assert!(stage.questions().is_empty());
}

fn scram(stage: &mut Stage) -> Connect<'static> {
    stage.admission(Admission::Ask);
    stage.config(|c| {
        c.auth_methods = vec!["SCRAM".into()];
        c.hooks.deadline_ms = 60_000;
    });
    let mut connect = v5("a");
    connect.properties.authentication_method = Some("SCRAM");
    connect.properties.authentication_data = Some(b"first");
    connect
}

fn step<'a>(reason: ReasonCode, method: &'a str, data: &'a [u8]) -> Auth<'a> {
    Auth { reason, method: Some(method), data: Some(data), ..Auth::default() }
}

fn go_on(data: &[u8]) -> Verdict {
    Verdict::Continue { data: data.into(), reason_string: None }
}

fn only(stage: &mut Stage) -> (AskId, String) {
    let asked = stage.questions();
    let [(id, question)] = &asked[..] else { panic!("{asked:?}") };
    let (kind, detail) = match question {
        Question::Authenticate { detail, .. } => ("authenticate", detail),
        Question::AuthContinue { detail, .. } => ("continue", detail),
        other => panic!("{other:?}"),
    };
    let data = String::from_utf8_lossy(detail.data.as_deref().unwrap_or_default()).into_owned();
    (*id, format!("{kind} {} {data}", detail.method.as_deref().unwrap_or_default()))
}

#[test]
fn enhanced_authentication_at_connect_and_again() {
    const GO_ON: ReasonCode = ReasonCode::CONTINUE_AUTHENTICATION;
    let mut stage = Stage::new();
    let connect = scram(&mut stage);
    let mut a = stage.connect(&connect);
    let (id, asked) = only(&mut stage);
    assert_eq!(asked, "authenticate SCRAM first");
    stage.answer(id, go_on(b"challenge"));
    assert_eq!(a.take(&mut stage), ["AUTH 0x18 SCRAM challenge"]);
    a.send(&mut stage, |out| step(GO_ON, "SCRAM", b"proof").encode(out));
    let (id, asked) = only(&mut stage);
    assert_eq!(asked, "continue SCRAM proof");
    stage.answer(id, admit(|a| a.auth_data = Some(b"signature".as_slice().into())));
    assert_eq!(a.take(&mut stage), ["CONNACK 0x00"]);

    a.send(&mut stage, |out| step(ReasonCode::RE_AUTHENTICATE, "SCRAM", b"2nd").encode(out));
    let (id, asked) = only(&mut stage);
    assert_eq!(asked, "authenticate SCRAM 2nd");
    a.send(&mut stage, |out| message("t", QoS::AtLeastOnce, 9).encode(Version::V5, out));
    assert_eq!(a.take(&mut stage), ["PUBACK 9 0x10"], "life goes on meanwhile");
    stage.answer(id, go_on(b"c2"));
    assert_eq!(a.take(&mut stage), ["AUTH 0x18 SCRAM c2"]);
    a.send(&mut stage, |out| step(GO_ON, "SCRAM", b"p2").encode(out));
    let (id, asked) = only(&mut stage);
    assert_eq!(asked, "continue SCRAM p2");
    stage.answer(id, admit(|a| a.acl = Some(vec![deny(&["t"])])));
    assert_eq!(a.take(&mut stage), ["AUTH 0x00 SCRAM "]);
    a.send(&mut stage, |out| message("t", QoS::AtLeastOnce, 9).encode(Version::V5, out));
    assert_eq!(a.take(&mut stage), ["PUBACK 9 0x87"], "it is somebody else now");

    a.send(&mut stage, |out| step(ReasonCode::RE_AUTHENTICATE, "SCRAM", b"3rd").encode(out));
    let (id, _) = only(&mut stage);
    stage.answer(id, Verdict::Deny(ReasonCode::BAD_USER_NAME_OR_PASSWORD));
    assert_eq!(a.take(&mut stage), ["DISCONNECT 0x87"]);
}

#[test]
fn what_breaks_an_exchange() {
    const GO_ON: ReasonCode = ReasonCode::CONTINUE_AUTHENTICATION;
    type Case = (&'static str, fn(&mut Vec<u8>), &'static str);
    let cases: [Case; 4] = [
        ("other method", |out| step(GO_ON, "PLAIN", b"").encode(out), "CONNACK 0x8c"),
        ("no method", |out| Auth { reason: GO_ON, ..Auth::default() }.encode(out), "CONNACK 0x8c"),
        ("0x19", |out| step(ReasonCode::RE_AUTHENTICATE, "SCRAM", b"").encode(out), "CONNACK 0x82"),
        ("PUBLISH", |out| message("t", QoS::AtMostOnce, 0).encode(Version::V5, out), ""),
    ];
    for (name, send, want) in cases {
        let mut stage = Stage::new();
        let connect = scram(&mut stage);
        let mut a = stage.connect(&connect);
        let (id, _) = only(&mut stage);
        stage.answer(id, go_on(b"c"));
        a.take(&mut stage);
        a.send(&mut stage, send);
        assert_eq!(a.take(&mut stage).join(" "), want, "{name}");
        assert!(a.is_closed(&stage) && stage.questions().is_empty(), "{name}");
    }
}

#[test]
fn an_exchange_has_a_deadline_and_few_steps() {
    let mut stage = Stage::new();
    let connect = scram(&mut stage);
    let mut slow = stage.connect(&connect);
    let (id, _) = only(&mut stage);
    stage.answer(id, go_on(b"c"));
    slow.take(&mut stage);
    stage.pass(15_500);
    assert_eq!(slow.take(&mut stage), ["CONNACK 0x87"]);

    let mut endless = stage.connect(&connect);
    for _ in 0..17 {
        let (id, _) = only(&mut stage);
        stage.answer(id, go_on(b"more"));
        assert_eq!(endless.take(&mut stage), ["AUTH 0x18 SCRAM more"]);
        endless.send(&mut stage, |out| {
            step(ReasonCode::CONTINUE_AUTHENTICATION, "SCRAM", b"again").encode(out);
        });
    }
    assert_eq!(endless.take(&mut stage), ["CONNACK 0x87"]);
}

#[test]
fn auth_of_a_connected_client_keeps_its_rules() {
    let again = ReasonCode::RE_AUTHENTICATE;
    let mut stage = Stage::new();
    let mut plain = stage.connect(&v5("plain"));
    plain.send(&mut stage, |out| step(again, "SCRAM", b"").encode(out));
    assert_eq!(plain.take(&mut stage), ["DISCONNECT 0x82"], "no method was agreed on");

    let connect = scram(&mut stage);
    let connected = |stage: &mut Stage| login(stage, &connect, Verdict::Allow);
    let mut other = connected(&mut stage);
    other.send(&mut stage, |out| step(again, "PLAIN", b"").encode(out));
    assert_eq!(other.take(&mut stage), ["DISCONNECT 0x82"]);
    let mut early = connected(&mut stage);
    let go_on_code = ReasonCode::CONTINUE_AUTHENTICATION;
    early.send(&mut stage, |out| step(go_on_code, "SCRAM", b"").encode(out));
    assert_eq!(early.take(&mut stage), ["DISCONNECT 0x82"]);
    let mut twice = connected(&mut stage);
    twice.send(&mut stage, |out| step(again, "SCRAM", b"").encode(out));
    twice.send(&mut stage, |out| step(again, "SCRAM", b"").encode(out));
    assert_eq!(twice.take(&mut stage), ["DISCONNECT 0x82"]);
    let mut slow = connected(&mut stage);
    stage.questions();
    slow.send(&mut stage, |out| step(again, "SCRAM", b"").encode(out));
    let (id, _) = only(&mut stage);
    stage.answer(id, go_on(b"c"));
    stage.pass(15_500);
    assert_eq!(slow.take(&mut stage), ["AUTH 0x18 SCRAM c", "DISCONNECT 0x87"]);
}

#[test]
fn a_method_that_is_not_configured_is_refused() {
    let mut stage = Stage::new();
    let mut connect = scram(&mut stage);
    connect.properties.authentication_method = Some("PLAIN");
    assert_eq!(stage.connect(&connect).greeting, "CONNACK 0x8c");
}
