//! Rules seen by clients: what they republish, what they count, what they see. One shard.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "scenarios/stage.rs"]
mod stage;

use std::sync::{Arc, Mutex};

use rookery_codec::{
    Ack, AckKind, Connect, Disconnect, Publish, PublishProperties, QoS, Subscribe,
    SubscribeFiltersBuf, SubscriptionOptions, Unsubscribe, UnsubscribeFiltersBuf,
    UserPropertiesBuf, Version, Will,
};
use rookery_core::effects::{Command, UpEvent};
use rookery_core::rules::fields::{ActionFields, Field, FieldValue, decode};
use rookery_core::rules::sink::{ActionItem, ActionSink};
use rookery_core::rules::{
    Fact, Happening, LocalTime, Output, Republish, RepublishSpec, RuleDraft, Surroundings,
};
use rookery_core::store_port::Op;
use rookery_rules::{Column, Event, Template};
use stage::{Actor, Stage};

fn v5(id: &str) -> Connect<'_> {
    Connect::new(Version::V5, id)
}

fn at(qos: QoS) -> SubscriptionOptions {
    SubscriptionOptions { qos, ..SubscriptionOptions::default() }
}

fn message<'a>(topic: &'a str, payload: &'a str) -> Publish<'a> {
    Publish { topic, payload: payload.as_bytes(), ..Publish::default() }
}

fn republish(topic: &str, payload: &str) -> Output {
    with(|spec| {
        spec.topic = topic.into();
        spec.payload = payload.into();
    })
}

fn with(change: impl FnOnce(&mut RepublishSpec)) -> Output {
    let mut spec = RepublishSpec::default();
    change(&mut spec);
    Output::Republish(Arc::new(Republish::new(&spec).unwrap()))
}

fn rule(id: &str, sql: &str, outputs: Vec<Output>) -> RuleDraft {
    RuleDraft { id: id.into(), sql: sql.into(), enable: true, outputs }
}

/// A stage with one client that sees everything, and one that publishes.
fn scene(drafts: Vec<RuleDraft>) -> (Stage, Actor, Actor) {
    let mut stage = Stage::new();
    let mut watcher = stage.connect(&v5("watcher"));
    watcher.subscribe(&mut stage, "#", at(QoS::AtLeastOnce));
    watcher.take(&mut stage);
    let press = stage.connect(&v5("press"));
    stage.rules(drafts);
    (stage, watcher, press)
}

fn send(stage: &mut Stage, actor: &mut Actor, packet: &Publish<'_>) {
    let version = actor.version;
    actor.send(stage, |out| packet.encode(version, out));
}

#[test]
fn a_rule_republishes_what_meets_its_condition_and_nothing_else() {
    let sql = r#"SELECT payload.t AS t, clientid FROM "line/3/#" WHERE payload.t > 80"#;
    let (mut stage, mut watcher, mut press) =
        scene(vec![rule("hot", sql, vec![republish("alarm/${clientid}", "${t} degrees")])]);
    for (topic, payload) in [
        ("line/3/a", r#"{"t": 81.5}"#),
        ("line/3/a", r#"{"t": 80}"#),
        ("line/3/a", "no JSON"),
        ("line/4/a", r#"{"t": 99}"#),
    ] {
        send(&mut stage, &mut press, &message(topic, payload));
    }
    // Before the message itself, as in EMQX.
    assert_eq!(
        watcher.received(&mut stage),
        [
            "alarm/press 81.5 degrees",
            r#"line/3/a {"t": 81.5}"#,
            r#"line/3/a {"t": 80}"#,
            "line/3/a no JSON",
            r#"line/4/a {"t": 99}"#,
        ]
    );
    let counts = stage.counts("hot");
    assert_eq!((counts.matched, counts.passed, counts.failed), (3, 1, 2));
    assert_eq!((counts.failed_no_result, counts.failed_exception), (2, 0));
    assert_eq!((counts.actions_total, counts.actions_success), (1, 1));
}

#[test]
fn every_row_of_a_foreach_is_a_message_and_an_empty_payload_is_the_row() {
    let sql = r#"FOREACH payload.s DO item.n AS n, topic AS of INCASE item.n <> 2 FROM "t""#;
    let (mut stage, mut watcher, mut press) =
        scene(vec![rule("each", sql, vec![republish("n/${n}", "")])]);
    send(&mut stage, &mut press, &message("t", r#"{"s":[{"n":1},{"n":2},{"n":3}]}"#));
    send(&mut stage, &mut press, &message("t", r#"{"s":[]}"#));
    let received = watcher.received(&mut stage);
    assert_eq!(received[..2], [r#"n/1 {"n":1,"of":"t"}"#, r#"n/3 {"n":3,"of":"t"}"#]);
    let counts = stage.counts("each");
    assert_eq!((counts.passed, counts.failed_no_result, counts.actions_total), (1, 1, 2));
}

#[test]
fn a_rule_that_cannot_be_evaluated_is_counted_and_told_and_the_message_goes_on() {
    let sql = r#"SELECT 1 / payload.zero AS x FROM "t""#;
    let (mut stage, mut watcher, mut press) =
        scene(vec![rule("div", sql, vec![republish("never", "")])]);
    for _ in 0..50 {
        send(&mut stage, &mut press, &message("t", r#"{"zero":0}"#));
    }
    assert_eq!(watcher.received(&mut stage).len(), 50);
    let counts = stage.counts("div");
    assert_eq!((counts.matched, counts.failed_exception, counts.passed), (50, 50, 0));
    let told = stage.events.iter().filter(|e| matches!(e, UpEvent::Log(_, t) if t.contains("div")));
    assert_eq!(told.count(), 10, "complaints of one second are bounded");
}

#[test]
fn what_a_republish_cannot_do_is_a_failed_action() {
    let outputs = vec![
        republish("${payload.topic}", "x"),
        with(|spec| {
            spec.topic = "ok".into();
            spec.qos = "${payload.qos}".into();
        }),
    ];
    let (mut stage, mut watcher, mut press) =
        scene(vec![rule("r", r#"SELECT * FROM "t""#, outputs)]);
    send(&mut stage, &mut press, &message("t", r#"{"topic":"a/#","qos":7}"#));
    let counts = stage.counts("r");
    assert_eq!(
        (counts.actions_total, counts.actions_failed, counts.actions_failed_unknown),
        (2, 2, 2)
    );
    send(&mut stage, &mut press, &message("t", r#"{"topic":"a/b","qos":1}"#));
    let counts = stage.counts("r");
    assert_eq!((counts.actions_total, counts.actions_success, counts.actions_failed), (4, 2, 2));
    let words = watcher.take(&mut stage);
    assert!(words.contains(&"PUBLISH a/b 0".to_owned()), "{words:?}");
    assert!(words.contains(&"PUBLISH ok 1 id 1".to_owned()), "{words:?}");
}

#[test]
fn qos_retain_and_properties_come_from_the_result() {
    let output = with(|spec| {
        spec.topic = "out".into();
        spec.user_properties = "${up}".into();
        spec.mqtt_properties = vec![
            ("Content-Type".into(), "text/${kind}".into()),
            ("Message-Expiry-Interval".into(), "${ttl}".into()),
            ("Response-Topic".into(), "${missing}".into()),
        ];
    });
    let original = with(|spec| {
        spec.topic = "same".into();
        spec.user_properties = "${pub_props.'User-Property'}".into();
    });
    let sql = r#"SELECT payload, 2 AS qos, true AS retain, 'plain' AS kind, 60 AS ttl,
        map_put('a', 'b', map_new()) AS up FROM "in""#;
    let (mut stage, _, mut press) = scene(vec![rule("r", sql, vec![output, original])]);
    let mut own = UserPropertiesBuf::default();
    own.push("k", "v");
    let properties =
        PublishProperties { user_properties: own.as_ref(), ..PublishProperties::default() };
    send(&mut stage, &mut press, &Publish { properties, ..message("in", "p") });
    let mut late = stage.connect(&v5("late"));
    late.subscribe(&mut stage, "out", at(QoS::ExactlyOnce));
    assert_eq!(late.take(&mut stage), ["PUBLISH out 2 id 1 retain"]);
    late.subscribe(&mut stage, "same", at(QoS::ExactlyOnce));
    assert_eq!(late.take(&mut stage), ["PUBLISH same 2 id 2 retain"]);
    // A day later the one with an expiry interval is gone.
    stage.pass(61_000);
    let mut later = stage.connect(&v5("later"));
    later.subscribe(&mut stage, "+", at(QoS::ExactlyOnce));
    assert_eq!(later.take(&mut stage), ["PUBLISH same 2 id 1 retain"]);
}

#[test]
fn a_chain_of_rules_goes_through_each_rule_once() {
    let (mut stage, mut watcher, mut press) = scene(vec![
        rule("a", r#"SELECT * FROM "a""#, vec![republish("b", "${payload}a")]),
        rule("b", r#"SELECT * FROM "b""#, vec![republish("a", "${payload}b")]),
    ]);
    send(&mut stage, &mut press, &message("a", "-"));
    assert_eq!(watcher.received(&mut stage), ["a -ab", "b -a", "a -"]);
    let (a, b) = (stage.counts("a"), stage.counts("b"));
    assert_eq!((a.passed, a.actions_success, a.actions_failed), (2, 1, 1));
    assert_eq!((b.passed, b.actions_success, b.actions_failed), (1, 1, 0));
}

#[test]
fn a_chain_of_rules_is_at_most_eight_long() {
    let chain = |n: u32| {
        let sql = format!(r#"SELECT * FROM "t/{n}""#);
        rule(&format!("r{n}"), &sql, vec![republish(&format!("t/{}", n + 1), "x")])
    };
    let (mut stage, mut watcher, mut press) = scene((0..12).map(chain).collect());
    send(&mut stage, &mut press, &message("t/0", "x"));
    assert_eq!(watcher.received(&mut stage).len(), 9);
    assert_eq!(stage.counts("r7").actions_success, 1);
    assert_eq!((stage.counts("r8").passed, stage.counts("r8").actions_failed), (1, 1));
    assert_eq!(stage.counts("r9").matched, 0);
}

const TEN: &str = r#"{"a":[1,2,3,4,5,6,7,8,9,10]}"#;

#[test]
fn what_one_message_leads_to_is_bounded_in_octets_and_in_messages() {
    let all = r#"FOREACH payload.a AS i DO payload FROM "t""#;
    let copies = rule("copies", all, vec![republish("copy", "${payload}")]);
    let (mut stage, mut watcher, mut press) = scene(vec![copies]);
    let pad = "x".repeat(100_000);
    let payload = format!(r#"{{"a":[{}],"pad":"{pad}"}}"#, ["1"; 1000].join(","));
    send(&mut stage, &mut press, &message("t", &payload));
    watcher.received(&mut stage);
    let counts = stage.counts("copies");
    assert_eq!(counts.actions_total, 1000);
    assert!((300..350).contains(&counts.actions_success), "{counts:?}");
    assert_eq!(counts.actions_success + counts.actions_failed, 1000);

    let level = |n: u32| {
        let sql = format!(r#"FOREACH payload.a AS i DO i FROM "t/{n}""#);
        let next = republish(&format!("t/{}", n + 1), TEN);
        rule(&format!("r{n}"), &sql, vec![next])
    };
    let (mut stage, _watcher, mut press) = scene((0..6).map(level).collect());
    send(&mut stage, &mut press, &message("t/0", TEN));
    let made: u64 = (0..6).map(|n| stage.counts(&format!("r{n}")).actions_success).sum();
    assert_eq!(made, 10_000);
    send(&mut stage, &mut press, &message("t/5", r#"{"a":[1,2]}"#));
    let made: u64 = (0..6).map(|n| stage.counts(&format!("r{n}")).actions_success).sum();
    assert_eq!(made, 10_002, "the next message has its own bound");
}

#[test]
fn what_one_message_gives_to_actions_is_bounded_counted_and_told() {
    let kept = Arc::new(Collector::default());
    let fields =
        ActionFields { fields: vec![Field::Value(Template::parse("${i}").expect("template"))] };
    let act = Output::Action { sink: kept.clone(), fields: Arc::new(fields) };
    let each = r#"FOREACH payload.a AS i DO i FROM "t""#;
    let one = r#"SELECT 1 AS i FROM "t""#;
    let drafts = vec![rule("each", each, vec![act.clone()]), rule("last", one, vec![act])];
    let (mut stage, mut watcher, mut press) = scene(drafts);
    let payload = format!(r#"{{"a":[{}1]}}"#, "1,".repeat(59_999));
    send(&mut stage, &mut press, &message("t", &payload));
    assert_eq!(watcher.received(&mut stage).len(), 1, "the message itself goes on");
    let counts = stage.counts("each");
    assert_eq!((counts.actions_total, counts.actions_failed), (60_000, 50_000));
    assert_eq!(counts.actions_failed_unknown, 50_000);
    assert_eq!(stage.counts("last").actions_failed, 1, "what other rules make of it counts too");
    assert_eq!(kept.0.lock().unwrap().len(), 10_000);
    let why = "one message may lead to 10,000 messages and results for actions";
    assert!(stage.events.iter().any(|e| matches!(e, UpEvent::Log(_, t) if t.contains(why))));

    send(&mut stage, &mut press, &message("t", r#"{"a":[1,2]}"#));
    assert_eq!(kept.0.lock().unwrap().len(), 10_003);
    assert_eq!(stage.counts("last").actions_failed, 1, "the next message has its own bound");
}

#[test]
fn what_one_message_costs_all_its_rules_is_bounded_and_counted() {
    let costly = r#"SELECT sha256(payload) AS hash, payload FROM "t/#""#;
    let mut drafts: Vec<_> = (0..100).map(|n| rule(&format!("r{n}"), costly, vec![])).collect();
    // What it leads to costs the same message.
    let again = r#"SELECT payload FROM "t/#""#;
    drafts.push(rule("again", again, vec![republish("u", "${payload}")]));
    drafts.push(rule("then", r#"SELECT sha256(payload) AS hash FROM "u""#, vec![]));
    let (mut stage, mut watcher, mut press) = scene(drafts);
    let payload = "x".repeat(400_000);
    for round in 1..=2_u64 {
        send(&mut stage, &mut press, &message("t/1", &payload));
        let counts: Vec<_> = (0..100).map(|n| stage.counts(&format!("r{n}"))).collect();
        let passed: u64 = counts.iter().map(|count| count.passed).sum();
        let failed: u64 = counts.iter().map(|count| count.failed_exception).sum();
        assert_eq!(passed + failed, 100 * round);
        // The second message has as much as the first.
        assert!(passed >= 10 * round && failed >= 10 * round, "{passed} passed, {failed} failed");
        assert_eq!(stage.counts("again").passed, round, "it costs next to nothing");
        let then = stage.counts("then");
        assert_eq!((then.matched, then.failed_exception), (round, round));
        assert_eq!(watcher.received(&mut stage).len(), 2);
    }
    let why = "rules of this message did all the work that it may cost";
    assert!(stage.events.iter().any(|e| matches!(e, UpEvent::Log(_, t) if t.contains(why))));
}

#[test]
fn what_placeholders_look_into_costs_the_message_and_the_payload_is_read_once() {
    // The payload is JSON that everybody reads; in it is text that is JSON, another one in each row.
    let each = r#"FOREACH payload.a AS i DO payload, concat(i, payload.j) AS j FROM "t""#;
    let many = "${payload.n}".repeat(2_000);
    let reads = rule("reads", each, vec![republish("r/${payload.n}", &many)]);
    let fields =
        ActionFields { fields: vec![Field::Value(Template::parse("${j.x}").expect("template"))] };
    let kept = Arc::new(Collector::default());
    let act = Output::Action { sink: kept, fields: Arc::new(fields) };
    let property = with(|spec| {
        spec.topic = "p".into();
        spec.mqtt_properties = vec![("Content-Type".into(), "${j.x}".into())];
    });
    let decodes = rule("decodes", each, vec![act, property]);
    let (mut stage, mut watcher, mut press) = scene(vec![reads, decodes]);
    let inner = format!("[{}0]", "0,".repeat(20_000));
    let items = ["\" \""; 100].join(",");
    let payload = format!(r#"{{"n":7,"j":"{inner}","a":[{items}]}}"#);
    send(&mut stage, &mut press, &message("t", &payload));
    let received = watcher.received(&mut stage);
    assert!(received[0].starts_with("r/7 777"), "{}", &received[0][..20]);
    let counts = stage.counts("reads");
    assert_eq!((counts.actions_total, counts.actions_failed), (100, 0), "nothing is decoded anew");
    let counts = stage.counts("decodes");
    assert_eq!(counts.actions_total, 200);
    assert!((100..200).contains(&counts.actions_failed), "{counts:?}");
    let says_why = |t: &str| t.contains("did all the work") || t.contains("did more work");
    assert!(stage.events.iter().any(|e| matches!(e, UpEvent::Log(_, t) if says_why(t))));
    // The next message has its own budget.
    send(&mut stage, &mut press, &message("t", r#"{"n":7,"j":"{}","a":[" "]}"#));
    assert_eq!(stage.counts("decodes").actions_failed, counts.actions_failed);
}

#[test]
fn what_one_message_may_not_lead_to_is_not_made_first() {
    // Each row is the whole message again: 4 GB, if all of them were written.
    let rows = r#"FOREACH payload.a FROM "t""#;
    let shout = rule("shout", rows, vec![Output::Console]);
    let copies = rule("copies", rows, vec![republish("copy/${payload}", "${.}")]);
    let large = rule("large", rows, vec![republish("large", "${.}")]);
    let (mut stage, mut watcher, mut press) = scene(vec![copies, shout, large]);
    let pad = "y".repeat(60_000);
    let payload = format!(r#"{{"a":[{}],"x":"{pad}"}}"#, vec!["15000"; 15_000].join(","));
    send(&mut stage, &mut press, &message("t", &payload));
    watcher.received(&mut stage);
    for id in ["copies", "shout", "large"] {
        let counts = stage.counts(id);
        assert_eq!(counts.actions_total, 15_000, "{id}");
        assert!(counts.actions_failed > 14_000, "{id}: {counts:?}");
        assert_eq!(counts.actions_success + counts.actions_failed, 15_000, "{id}");
    }
}

#[test]
fn a_rule_publishes_nowhere_where_no_client_may() {
    let (mut stage, mut watcher, mut press) = scene(vec![
        rule("late", r#"SELECT * FROM "t""#, vec![republish("$delayed/x/late", "x")]),
        rule("link", r#"SELECT * FROM "t""#, vec![republish("$LINK/cluster/x", "x")]),
    ]);
    send(&mut stage, &mut press, &message("t", "x"));
    assert_eq!(watcher.received(&mut stage), ["t x"]);
    for id in ["late", "link"] {
        let counts = stage.counts(id);
        assert_eq!((counts.actions_success, counts.actions_failed), (0, 1), "{id}");
    }
}

#[test]
fn a_loop_over_delayed_messages_and_over_events_ends_too() {
    let (mut stage, mut watcher, mut press) = scene(vec![
        rule("later", r#"SELECT * FROM "t""#, vec![republish("$delayed/1/t", "again")]),
        rule(
            "told",
            r#"SELECT * FROM "$events/message_delivered" WHERE topic =~ 'echo/#' OR topic = 'start'"#,
            vec![republish("echo/${topic}", "e")],
        ),
    ]);
    send(&mut stage, &mut press, &message("t", "x"));
    assert_eq!(watcher.received(&mut stage), ["t x"]);
    stage.pass(5_000);
    assert_eq!(watcher.received(&mut stage), ["t again"]);
    let counts = stage.counts("later");
    assert_eq!((counts.actions_success, counts.actions_failed), (1, 1));
    send(&mut stage, &mut press, &message("start", "x"));
    stage.pass(2_000);
    assert_eq!(watcher.received(&mut stage), ["start x", "echo/start e"]);
    assert_eq!(stage.counts("told").actions_failed, 1);
}

#[test]
fn direct_dispatch_goes_past_rules_and_is_not_retained() {
    let direct = with(|spec| {
        spec.topic = "b".into();
        spec.retain = "true".into();
        spec.direct_dispatch = true;
    });
    let (mut stage, mut watcher, mut press) = scene(vec![
        rule("a", r#"SELECT * FROM "a""#, vec![direct]),
        rule("b", r#"SELECT * FROM "b""#, vec![republish("c", "x")]),
    ]);
    send(&mut stage, &mut press, &message("a", "-"));
    assert_eq!(watcher.received(&mut stage), ["b -", "a -"]);
    assert_eq!(stage.counts("b").matched, 0);
}

#[test]
fn rules_see_wills_delayed_messages_once_and_messages_without_subscriber() {
    let mut stage = Stage::new();
    stage.rules(vec![rule("all", r##"SELECT topic FROM "#" WHERE clientid = 'w'"##, vec![])]);
    let will = Will { topic: "gone", payload: b"x", ..Will::default() };
    let mut client = stage.connect(&Connect { will: Some(will), ..v5("w") });
    send(&mut stage, &mut client, &message("nobody", "x"));
    assert_eq!(stage.counts("all").passed, 1);
    send(&mut stage, &mut client, &message("$delayed/2/later", "x"));
    assert_eq!(stage.counts("all").passed, 1, "not when it comes");
    stage.pass(3_000);
    assert_eq!(stage.counts("all").passed, 2, "but when it is due");
    client.lose(&mut stage);
    assert_eq!(stage.counts("all").passed, 3);
    assert_eq!(stage.metric("messages.dropped.no_subscribers"), 3, "rules are no subscribers");
}

#[test]
fn messages_of_the_node_are_for_rules_that_name_them() {
    let draft = |id: &str, filter: &str| rule(id, &format!(r#"SELECT * FROM "{filter}""#), vec![]);
    let mut stage = Stage::new();
    stage.config(|config| config.node_name = "n@h".into());
    stage.rules(vec![draft("all", "#"), draft("sys", "$SYS/brokers/+/clients/#")]);
    stage.connect(&v5("c"));
    assert_eq!((stage.counts("all").matched, stage.counts("sys").matched), (0, 1));
    let around = Surroundings { ignores_sys: true, ..Surroundings::default() };
    stage.rules_in(vec![draft("sys", "$SYS/brokers/+/clients/#")], around);
    stage.connect(&v5("d"));
    assert_eq!(stage.counts("sys").matched, 1);
}

#[test]
fn an_acknowledgement_covers_what_rules_made_of_the_message() {
    let mut stage = Stage::new();
    stage.config(|config| config.durable = true);
    let mut keeper = v5("keeper");
    keeper.properties.session_expiry_interval_s = Some(3600);
    let mut keeper = stage.connect(&keeper);
    keeper.subscribe(&mut stage, "kept/#", at(QoS::AtLeastOnce));
    let mut press = stage.connect(&v5("press"));
    stage.rules(vec![rule(
        "keep",
        r#"SELECT * FROM "in""#,
        vec![with(|spec| {
            spec.topic = "kept/x".into();
            spec.qos = "1".into();
        })],
    )]);
    stage.written.clear();
    let packet = Publish { qos: QoS::AtLeastOnce, packet_id: 1, ..message("in", "m") };
    send(&mut stage, &mut press, &packet);
    assert_eq!(
        press.take(&mut stage),
        ["PUBACK 1 0x10"],
        "nobody subscribed to the message itself"
    );
    let stored = stage.written.iter().filter(|(op, _)| matches!(op, Op::Publish { .. }));
    assert_eq!(stored.count(), 1);
    // A store that refuses it refuses the message.
    stage.store = rookery_core::store_port::Outcome::Refused;
    let packet = Publish { qos: QoS::AtLeastOnce, packet_id: 2, ..message("in", "m") };
    send(&mut stage, &mut press, &packet);
    assert_eq!(press.take(&mut stage), ["PUBACK 2 0x97"]);
}

#[test]
fn rules_are_replaced_while_messages_flow_and_each_message_meets_one_of_them() {
    let version = |n: u32| {
        // Other filters, so another number in the trie, and every time another program.
        let filter = ["t/+", "t/#", "t/x"][n as usize % 3];
        rule("r", &format!(r#"SELECT {n} AS n FROM "{filter}""#), vec![republish("o", "${n}")])
    };
    let (mut stage, mut watcher, mut press) = scene(vec![version(0)]);
    for n in 0..30 {
        stage.rules(vec![version(n)]);
        send(&mut stage, &mut press, &message("t/x", "m"));
        assert_eq!(watcher.received(&mut stage), [format!("o {n}"), "t/x m".into()]);
    }
    assert_eq!(stage.counts("r").passed, 30, "counters outlive the set");
    let disabled = RuleDraft { enable: false, ..version(1) };
    stage.rules(vec![disabled]);
    send(&mut stage, &mut press, &message("t/x", "m"));
    assert_eq!(watcher.received(&mut stage), ["t/x m"]);
    assert_eq!(stage.counts("r").matched, 30);
}

#[derive(Debug, Default)]
struct Collector(Mutex<Vec<ActionItem>>);

impl ActionSink for Collector {
    fn offer(&self, _: u64, items: &mut Vec<ActionItem>) {
        self.0.lock().unwrap().append(items);
    }
}

#[test]
fn actions_get_the_parts_of_a_result_that_they_want_and_the_order_of_clients() {
    let sink = Arc::new(Collector::default());
    let template = |text: &str| Template::parse(text).unwrap();
    let fields = ActionFields {
        fields: vec![Field::Text(template("v=${v}")), Field::Value(template("${v}")), Field::Row],
    };
    let action = Output::Action { sink: sink.clone(), fields: Arc::new(fields) };
    let sql = r#"SELECT payload.v AS v FROM "t""#;
    let (mut stage, _, mut press) = scene(vec![rule("r", sql, vec![action, Output::Console])]);
    let mut other = stage.connect(&v5("other"));
    send(&mut stage, &mut press, &message("t", r#"{"v":1}"#));
    send(&mut stage, &mut press, &message("t", r#"{"v":"x"}"#));
    send(&mut stage, &mut other, &message("t", r#"{}"#));
    let items = sink.0.lock().unwrap();
    let first: Vec<FieldValue<'_>> = decode(&items[0].fields).collect();
    let expected = [FieldValue::Text(b"v=1"), FieldValue::Int(1), FieldValue::Json(br#"{"v":1}"#)];
    assert_eq!(first, expected);
    assert_eq!(items.len(), 3);
    assert_eq!(items[0].key, items[1].key);
    assert_ne!(items[0].key, items[2].key);
    assert_eq!(items[0].rule.id(), "r");
    let lines = stage.events.iter().filter_map(|event| match event {
        UpEvent::Log(_, text) if text.starts_with("rule.console") => Some(&**text),
        _ => None,
    });
    assert_eq!(lines.clone().next(), Some(r#"rule.console: rule "r": {"v":1}"#));
    assert_eq!(lines.count(), 3);
    let counts = stage.counts("r");
    // The console is through; what became of the others is for the action to say.
    assert_eq!((counts.actions_total, counts.actions_success), (6, 3));
}

/// What a rule on an event republishes.
fn told(from: &str, select: &str, script: impl FnOnce(&mut Stage)) -> Vec<String> {
    let mut stage = Stage::new();
    let mut watcher = stage.connect(&v5("watcher"));
    watcher.subscribe(&mut stage, "told", at(QoS::AtMostOnce));
    watcher.take(&mut stage);
    let sql = format!(r#"SELECT {select} FROM "{from}" WHERE clientid <> 'watcher'"#);
    stage.rules(vec![rule("e", &sql, vec![republish("told", "")])]);
    script(&mut stage);
    watcher.received(&mut stage)
}

#[test]
fn events_of_clients_and_sessions_are_told() {
    let come_and_go = |stage: &mut Stage| {
        let connect = Connect { username: Some("u"), keep_alive_s: 30, ..v5("c") };
        let mut client = stage.connect(&connect);
        let version = client.version;
        client.send(stage, |out| Disconnect::default().encode(version, out));
    };
    assert_eq!(
        told("$events/client_connected", "clientid, username, keepalive, proto_ver", come_and_go),
        [r#"told {"clientid":"c","username":"u","keepalive":30,"proto_ver":5}"#]
    );
    assert_eq!(
        told("$events/client_disconnected", "event, reason, clientid", come_and_go),
        [r#"told {"event":"client.disconnected","reason":"normal","clientid":"c"}"#]
    );
    assert_eq!(
        told("$events/client_connack", "reason_code, keepalive", come_and_go),
        [r#"told {"reason_code":"success","keepalive":30}"#]
    );
    assert_eq!(
        told("$events/auth/check_authn_complete", "reason_code, is_anonymous", come_and_go),
        [r#"told {"reason_code":"success","is_anonymous":true}"#]
    );
    let subscribe = |stage: &mut Stage| {
        let mut client = stage.connect(&v5("c"));
        client.subscribe(stage, "a/+", at(QoS::AtLeastOnce));
    };
    assert_eq!(
        told("$events/session_subscribed", "topic, qos", subscribe),
        [r#"told {"topic":"a/+","qos":1}"#]
    );
    assert_eq!(
        told("$events/auth/check_authz_complete", "topic, action, result, authz_source", subscribe),
        [r#"told {"topic":"a/+","action":"subscribe","result":"allow","authz_source":"default"}"#]
    );
}

#[test]
fn events_of_messages_are_told() {
    let deliver = |stage: &mut Stage| {
        let mut receiver = stage.connect(&v5("c"));
        receiver.subscribe(stage, "t", at(QoS::AtLeastOnce));
        let mut press = stage.connect(&v5("press"));
        let packet = Publish { qos: QoS::AtLeastOnce, packet_id: 1, ..message("t", "m") };
        send(stage, &mut press, &packet);
        receiver.ack(stage, AckKind::PubAck, 1);
    };
    let columns = "event, from_clientid, clientid, topic, payload, qos";
    for event in ["delivered", "acked"] {
        assert_eq!(
            told(&format!("$events/message_{event}"), columns, deliver),
            [format!(
                r#"told {{"event":"message.{event}","from_clientid":"press","clientid":"c","topic":"t","payload":"m","qos":1}}"#
            )]
        );
    }
    let drop = |stage: &mut Stage| {
        let mut press = stage.connect(&v5("press"));
        send(stage, &mut press, &message("nowhere", "m"));
    };
    assert_eq!(
        told("$events/message_dropped", "reason, topic, clientid", drop),
        [r#"told {"reason":"no_subscribers","topic":"nowhere","clientid":"press"}"#]
    );
    let echo = |stage: &mut Stage| {
        let mut press = stage.connect(&v5("press"));
        let options = SubscriptionOptions { no_local: true, ..at(QoS::AtMostOnce) };
        press.subscribe(stage, "own", options);
        send(stage, &mut press, &message("own", "m"));
    };
    assert_eq!(
        told("$events/delivery_dropped", "reason, topic, clientid, from_clientid", echo),
        [r#"told {"reason":"no_local","topic":"own","clientid":"press","from_clientid":"press"}"#]
    );
}

#[test]
fn alarms_and_sources_come_in_from_outside() {
    let (mut stage, mut watcher, _) = scene(vec![
        rule(
            "alarm",
            r#"SELECT name FROM "$events/sys/alarm_activated""#,
            vec![republish("a", "")],
        ),
        rule("in", r#"SELECT * FROM "$bridges/mqtt:m" WHERE qos = 1"#, vec![republish("i", "")]),
    ]);
    let alarm = Happening::new(Event::AlarmActivated).with(Column::Name, "disk");
    let (reply, answer) = std::sync::mpsc::channel();
    stage.command(Command::Happen { what: Box::new(alarm), reply: Some(reply.clone()) });
    assert_eq!(answer.recv(), Ok(1));
    for qos in [1, 0] {
        let mut what = Happening::new(Event::Source)
            .with(Column::Topic, "far")
            .with(Column::QoS, Fact::Int(qos))
            .with(Column::Payload, "p");
        what.source = Some("mqtt:m".into());
        what.at_ms = 7;
        stage.command(Command::Happen { what: Box::new(what), reply: Some(reply.clone()) });
        assert_eq!(answer.recv(), Ok(usize::try_from(qos).unwrap()));
    }
    let received = watcher.received(&mut stage);
    assert_eq!(received[0], r#"a {"name":"disk"}"#);
    assert!(
        received[1].starts_with(r#"i {"topic":"far","qos":1,"payload":"p","event":"#),
        "{received:?}"
    );
}

/// Properties of a packet, and how an event shows them.
fn properties() -> (UserPropertiesBuf, &'static str) {
    let mut properties = UserPropertiesBuf::new();
    properties.push("k", "1");
    properties.push("k", "2");
    let shown = r#""User-Property":{"k":"2"},"User-Property-Pairs":[{"key":"k","value":"1"},{"key":"k","value":"2"}]"#;
    (properties, shown)
}

#[test]
fn events_of_clients_have_the_properties_of_the_packet_that_led_to_them() {
    let (given, shown) = properties();
    let connect = |stage: &mut Stage| {
        let mut connect = v5("c");
        connect.properties.user_properties = given.as_ref();
        stage.connect(&connect);
    };
    for event in ["client_connected", "client_connack"] {
        assert_eq!(
            told(
                &format!("$events/{event}"),
                "conn_props.'User-Property-Pairs'[2].value AS v",
                connect
            ),
            [r#"told {"v":"2"}"#]
        );
    }
    let leave = |stage: &mut Stage| {
        let mut client = stage.connect(&v5("c"));
        let packet = Disconnect {
            reason_string: Some("night"),
            user_properties: given.as_ref(),
            ..Disconnect::default()
        };
        client.send(stage, |out| packet.encode(Version::V5, out));
        // Of another client, which says nothing.
        let mut client = stage.connect(&v5("d"));
        client.send(stage, |out| Disconnect::default().encode(Version::V5, out));
    };
    assert_eq!(
        told("$events/client_disconnected", "disconn_props AS p", leave),
        [
            format!(r#"told {{"p":{{"Reason-String":"night",{shown}}}}}"#),
            r#"told {"p":{"User-Property":{}}}"#.to_owned(),
        ]
    );
}

#[test]
fn events_of_subscriptions_and_messages_have_the_properties_of_the_packet() {
    let (given, shown) = properties();
    let subscribe = |stage: &mut Stage| {
        let mut client = stage.connect(&v5("c"));
        let mut filters = SubscribeFiltersBuf::default();
        filters.push("a", at(QoS::AtLeastOnce));
        let mut packet = Subscribe::new(1, &filters);
        (packet.subscription_identifier, packet.user_properties) = (Some(7), given.as_ref());
        client.send(stage, |out| packet.encode(Version::V5, out));
        let mut filters = UnsubscribeFiltersBuf::default();
        filters.push("a");
        let mut packet = Unsubscribe::new(2, &filters);
        packet.user_properties = given.as_ref();
        client.send(stage, |out| packet.encode(Version::V5, out));
    };
    assert_eq!(
        told("$events/session_subscribed", "sub_props AS p", subscribe),
        [format!(r#"told {{"p":{{"Subscription-Identifier":7,{shown}}}}}"#)]
    );
    assert_eq!(
        told("$events/session_unsubscribed", "topic, qos, unsub_props AS p", subscribe),
        [format!(r#"told {{"topic":"a","qos":1,"p":{{{shown}}}}}"#)]
    );
    let acknowledge = |stage: &mut Stage| {
        let mut client = stage.connect(&v5("c"));
        client.subscribe(stage, "t", at(QoS::AtLeastOnce));
        let mut press = stage.connect(&v5("press"));
        let packet = Publish { qos: QoS::AtLeastOnce, packet_id: 1, ..message("t", "m") };
        send(stage, &mut press, &packet);
        let ack = Ack { packet_id: 1, user_properties: given.as_ref(), ..Ack::default() };
        client.send(stage, |out| ack.encode(AckKind::PubAck, Version::V5, out));
    };
    assert_eq!(
        told("$events/message_acked", "puback_props AS p", acknowledge),
        [format!(r#"told {{"p":{{{shown}}}}}"#)]
    );
    let drop = |stage: &mut Stage| {
        let mut press = stage.connect(&v5("press"));
        let mut packet = message("nowhere", "m");
        packet.properties.user_properties = given.as_ref();
        send(stage, &mut press, &packet);
    };
    assert_eq!(
        told("$events/message_dropped", "peerhost, peername, pub_props AS p", drop),
        [format!(
            r#"told {{"peerhost":"127.0.0.1","peername":"127.0.0.1:40000","p":{{{shown}}}}}"#
        )]
    );
}

#[test]
fn a_message_meets_each_rule_once_while_rules_change() {
    let (mut stage, _, mut press) = scene(vec![
        rule("changes", r#"SELECT 1 AS x FROM "t""#, vec![Output::Console]),
        rule("stays", r#"SELECT 1 AS x FROM "+""#, vec![Output::Console]),
        rule("goes on", r#"SELECT 1 AS x FROM "t""#, vec![]),
    ]);
    send(&mut stage, &mut press, &message("t", "m"));
    let after = vec![
        rule("changes", r#"SELECT 2 AS x FROM "t/#""#, vec![Output::Console]),
        rule("stays", r#"SELECT 1 AS x FROM "+""#, vec![Output::Console]),
        rule("goes on", r#"SELECT 2 AS x FROM "t""#, vec![]),
    ];
    stage.rules_while(after, Surroundings::default(), |stage| {
        send(stage, &mut press, &message("t", "m"));
    });
    send(&mut stage, &mut press, &message("t", "m"));
    for id in ["changes", "stays", "goes on"] {
        assert_eq!(stage.counts(id).passed, 5, "{id}");
    }
}

#[test]
fn local_time_changes_when_it_changes_and_not_with_the_next_rules() {
    let (mut stage, mut watcher, mut press) = scene(Vec::new());
    let winter = vec![(1_700_000_001, 3600)];
    let around =
        Surroundings { local_time: LocalTime::new(7200, winter), ..Surroundings::default() };
    let sql = r#"SELECT unix_ts_to_rfc3339(0) AS t FROM "t""#;
    stage.rules_in(vec![rule("r", sql, vec![republish("at", "${t}")])], around);
    send(&mut stage, &mut press, &message("t", "m"));
    assert_eq!(watcher.received(&mut stage)[0], "at 1970-01-01T02:00:00+02:00");
    stage.pass(1000);
    send(&mut stage, &mut press, &message("t", "m"));
    assert_eq!(watcher.received(&mut stage)[0], "at 1970-01-01T01:00:00+01:00");
}
