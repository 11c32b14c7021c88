//! What EMQX documents of `acl.conf`, as tables, and rules against an evaluator that looks at all.

use proptest::prelude::*;

use super::*;
use crate::conn::Action;

const PUB: Action = Action::Publish(1, false);
const SUB: Action = Action::Subscribe(0);

fn subject<'a>(attrs: &'a [(Box<str>, Box<str>)]) -> Subject<'a> {
    Subject {
        client_id: "c1",
        username: Some("u1"),
        peer: Some("192.0.2.7".parse().unwrap()),
        listener: "tcp:default",
        zone: "default",
        cert_common_name: None,
        attrs,
        is_authenticated: false,
        is_superuser: false,
        is_local: false,
    }
}

fn topic(text: &str) -> AclTopic {
    match text.strip_prefix("eq ") {
        Some(literal) => AclTopic { text: literal.into(), is_literal: true },
        None => AclTopic { text: text.into(), is_literal: false },
    }
}

fn rule(permission: Permission, who: AclWho, topics: &[&str]) -> AclRule {
    AclRule {
        permission,
        who,
        qos: vec![0, 1, 2],
        topics: topics.iter().map(|text| topic(text)).collect(),
        all_topics: topics.is_empty(),
        ..AclRule::default()
    }
}

fn allow(topics: &[&str]) -> AclRule {
    rule(Permission::Allow, AclWho::default(), topics)
}

fn deny(topics: &[&str]) -> AclRule {
    rule(Permission::Deny, AclWho::default(), topics)
}

fn who(kind: AclWhoKind, values: &[&str]) -> AclWho {
    AclWho { kind, values: values.iter().map(|v| (*v).into()).collect(), ..AclWho::default() }
}

fn regex_who(kind: AclWhoKind, value: &str) -> AclWho {
    AclWho { is_regex: true, ..who(kind, &[value]) }
}

fn check(rules: &[AclRule], action: Action, topic: &str) -> Option<Permission> {
    let attrs = [("dept".into(), "7".into()), ("bad".into(), "a/b".into())];
    let table = RuleTable::compile("file", rules).unwrap();
    table.check(&subject(&attrs), action, topic).map(|hit| hit.permission)
}

#[test]
fn a_filter_of_a_rule_and_a_published_topic() {
    let cases = [
        ("a/b", "a/b", true),
        ("a/b", "a/c", false),
        ("a/+", "a/b", true),
        ("a/+", "a/b/c", false),
        ("a/#", "a", true),
        ("a/#", "a/b/c", true),
        ("a/#", "ab", false),
        ("+/#", "a", true),
        ("a/+/#", "a", false),
        ("a/+/#", "a/b", true),
        ("#", "a", true),
        ("#", "$SYS/a", false),
        ("+/a", "$SYS/a", false),
        ("$SYS/#", "$SYS/a", true),
        ("$SYS/+/x", "$SYS/a/x", true),
        ("/+", "/a", true),
        ("+", "a", true),
        ("eq a/b", "a/b", true),
        ("eq a/+", "a/b", false),
        ("d/${clientid}/#", "d/c1/x", true),
        ("d/${clientid}/#", "d/c2/x", false),
        ("d/x-${username}", "d/x-u1", true),
        ("${clientid}", "c1", true),
        ("d/${cert_common_name}", "d/", false),
        ("+/${clientid}/x", "d/c1/x", true),
        ("d/+/${clientid}/#", "d/e/c1", true),
        ("d/${client_attrs.dept}/+", "d/7/x", true),
        ("d/${client_attrs.none}", "d/", false),
        ("d/${client_attrs.bad}", "d/a/b", false),
        ("${zone}/a", "default/a", true),
        ("eq d/${clientid}", "d/c1", true),
        ("d/${unknown}", "d/${unknown}", true),
    ];
    for (filter, name, want) in cases {
        let got = check(&[allow(&[filter])], PUB, name).is_some();
        assert_eq!(got, want, "{filter} {name}");
    }
}

#[test]
fn a_filter_of_a_rule_and_a_requested_filter() {
    // rule, request, whether an allow rule covers it, whether a deny rule stops it
    let cases = [
        ("a/#", "a/#", true, true),
        ("a/#", "a/+/b", true, true),
        ("a/#", "a", true, true),
        ("a/+", "a/+", true, true),
        ("a/+", "a/#", false, true),
        ("+/#", "#", false, true),
        ("a/b", "a/+", false, false),
        ("#", "#", true, true),
        ("#", "$SYS/#", false, false),
        ("#", "+/x", true, true),
        ("eq #", "#", true, true),
        ("eq #", "a/#", false, false),
        ("eq +/#", "+/#", true, true),
        ("$SYS/#", "$SYS/#", true, true),
        ("$SYS/+", "$SYS/#", false, true),
    ];
    for (filter, request, allows, denies) in cases {
        let got = check(&[allow(&[filter])], SUB, request).is_some();
        assert_eq!(got, allows, "allow {filter} {request}");
        let got = check(&[deny(&[filter])], SUB, request).is_some();
        assert_eq!(got, denies, "deny {filter} {request}");
    }
}

#[test]
fn whom_a_rule_is_about() {
    use AclWhoKind::{ClientAttr, ClientId, IpAddr, Listener, Username, Zone};
    let attr = |value| AclWho { attr: "dept".into(), ..who(ClientAttr, &[value]) };
    let all =
        |kind, members: &[AclWho]| AclWho { kind, members: members.to_vec(), ..AclWho::default() };
    let (mine, other) = (who(Username, &["u1"]), who(ClientId, &["c9"]));
    let cases = [
        (AclWho::default(), true),
        (who(Username, &["u1"]), true),
        (who(Username, &["u"]), false),
        (who(Username, &["a", "u1"]), true),
        (who(Username, &[]), false),
        (who(ClientId, &["c1"]), true),
        (who(ClientId, &["u1"]), false),
        (regex_who(Username, "^u"), true),
        (regex_who(Username, "1"), true),
        (regex_who(Username, "^1"), false),
        (regex_who(ClientId, "^c[0-9]$"), true),
        (who(IpAddr, &["192.0.2.0/24"]), true),
        (who(IpAddr, &["10.0.0.0/8", "192.0.2.7"]), true),
        (who(IpAddr, &["10.0.0.0/8"]), false),
        (attr("7"), true),
        (attr("8"), false),
        (who(Zone, &["default"]), true),
        (who(Listener, &["ssl:default"]), false),
        (all(AclWhoKind::And, &[mine.clone(), other.clone()]), false),
        (all(AclWhoKind::Or, &[mine.clone(), other.clone()]), true),
        (all(AclWhoKind::And, &[]), true),
        (all(AclWhoKind::Or, &[]), false),
        (all(AclWhoKind::And, &[all(AclWhoKind::Or, &[other, mine.clone()]), mine]), true),
    ];
    for (about, want) in cases {
        let rules = [rule(Permission::Allow, about.clone(), &[])];
        assert_eq!(check(&rules, PUB, "t").is_some(), want, "{about:?}");
    }
    let nameless = Subject { username: None, peer: None, ..subject(&[]) };
    for about in [regex_who(Username, ""), who(IpAddr, &["0.0.0.0/0", "::/0"])] {
        let table = RuleTable::compile("f", &[rule(Permission::Allow, about, &[])]).unwrap();
        assert_eq!(table.check(&nameless, PUB, "t"), None, "what is missing fits nothing");
    }
}

#[test]
fn qos_and_retain_conditions() {
    let conditions =
        |action, qos: &[u8], retain| AclRule { action, qos: qos.to_vec(), retain, ..allow(&["#"]) };
    use AclAction::{All, Publish, Subscribe};
    let cases = [
        (conditions(Publish, &[0, 1, 2], None), PUB, true),
        (conditions(Publish, &[0, 1, 2], None), SUB, false),
        (conditions(Subscribe, &[0, 1, 2], None), SUB, true),
        (conditions(Subscribe, &[1], None), SUB, false),
        (conditions(Subscribe, &[1], None), Action::Subscribe(1), true),
        (conditions(All, &[1], None), PUB, true),
        (conditions(Publish, &[0, 2], None), PUB, false),
        (conditions(Publish, &[1], Some(true)), PUB, false),
        (conditions(Publish, &[1], Some(true)), Action::Publish(1, true), true),
        (conditions(Publish, &[1], Some(false)), PUB, true),
        // RETAIN is no property of SUBSCRIBE.
        (conditions(All, &[0], Some(true)), SUB, true),
    ];
    for (rule, action, want) in cases {
        let got = check(std::slice::from_ref(&rule), action, "t").is_some();
        assert_eq!(got, want, "{rule:?} {action:?}");
    }
}

/// EMQX 5's default file.
fn default_file() -> Vec<AclRule> {
    let dashboard = AclRule {
        action: AclAction::Subscribe,
        line: 1,
        ..rule(Permission::Allow, regex_who(AclWhoKind::Username, "^dashboard$"), &["$SYS/#"])
    };
    let local = AclRule {
        line: 2,
        ..rule(Permission::Allow, who(AclWhoKind::IpAddr, &["127.0.0.1"]), &["$SYS/#", "#"])
    };
    let closed =
        AclRule { action: AclAction::Subscribe, line: 3, ..deny(&["$SYS/#", "eq #", "eq +/#"]) };
    vec![dashboard, local, closed, AclRule { line: 4, ..allow(&[]) }]
}

fn judged(subject: &Subject<'_>, is_sys_open: bool, action: Action, topic: &str) -> (String, u32) {
    let source = |name: &str, rules| AclSource { name: name.into(), rules, ..AclSource::default() };
    let config = AuthorizationConfig {
        sources: vec![source("file", default_file())],
        no_match: Permission::Deny,
        ..AuthorizationConfig::default()
    };
    let table = AccessTable::compile(&config).unwrap();
    let judge = Judge {
        table: &table,
        own: None,
        is_sys_open,
        has_hooks: false,
        links: &LinkGate::default(),
    };
    let said = judge.explain(0, subject, action, checked_topic(action, topic, true));
    (format!("{} {}", said.verdict, said.source), said.line)
}

#[test]
fn the_default_file() {
    let anybody = subject(&[]);
    let dashboard = Subject { username: Some("dashboard"), ..anybody };
    let local = Subject { peer: Some("127.0.0.1".parse().unwrap()), ..anybody };
    let superuser = Subject { is_superuser: true, ..anybody };
    let cases = [
        (dashboard, SUB, "$SYS/brokers", "allow file", 1),
        (local, SUB, "$SYS/brokers", "allow file", 2),
        (anybody, SUB, "$SYS/brokers", "deny file", 3),
        (anybody, SUB, "#", "deny file", 3),
        (anybody, SUB, "$share/g/#", "deny file", 3),
        (anybody, SUB, "$queue/+/#", "deny file", 3),
        (anybody, SUB, "$exclusive/a", "allow file", 4),
        (anybody, SUB, "a/#", "allow file", 4),
        (anybody, PUB, "a", "allow file", 4),
        (anybody, PUB, "$delayed/5/a", "allow file", 4),
        (superuser, SUB, "#", "allow superuser", 0),
        (superuser, PUB, "$SYS/a", "deny reserved", 0),
        (superuser, SUB, "$LINK/a", "deny reserved", 0),
        (anybody, PUB, "$LINK/a", "deny reserved", 0),
        (anybody, PUB, "$delayed/5/$SYS/a", "deny reserved", 0),
    ];
    for (who, action, topic, want, line) in cases {
        assert_eq!(judged(&who, false, action, topic), (want.into(), line), "{action:?} {topic}");
    }
}

#[test]
fn only_a_rule_that_names_sys_opens_it() {
    let anybody = subject(&[]);
    let decide = |rules: Vec<AclRule>, is_sys_open, is_local| {
        let source = AclSource { name: "file".into(), rules, ..AclSource::default() };
        let config =
            AuthorizationConfig { sources: vec![source], ..AuthorizationConfig::default() };
        let table = AccessTable::compile(&config).unwrap();
        let judge = Judge {
            table: &table,
            own: None,
            is_sys_open,
            has_hooks: true,
            links: &LinkGate::default(),
        };
        let said = judge.explain(0, &Subject { is_local, ..anybody }, SUB, "$SYS/a");
        format!("{} {}", said.verdict, said.source)
    };
    assert_eq!(decide(vec![], false, false), "deny sys_topics");
    assert_eq!(decide(vec![], true, false), "allow no_match");
    assert_eq!(decide(vec![], false, true), "allow no_match");
    assert_eq!(decide(vec![allow(&[])], false, false), "deny sys_topics");
    assert_eq!(decide(vec![allow(&["#"])], false, false), "deny sys_topics");
    assert_eq!(decide(vec![allow(&["$SYS/#"])], false, false), "allow file");
    assert_eq!(decide(vec![deny(&["$SYS/#"])], true, true), "deny file");
}

/// A link to `eu`, which accepts one of three, and one to `off` that is switched off.
fn links() -> LinkGate {
    let entry = |name: &str, is_enabled, accept| {
        std::sync::Arc::new(LinkEntry {
            name: name.into(),
            number: 0xFF00,
            is_enabled,
            topics: vec!["t".into()],
            accept,
            is_shown: false,
            keeps_retained: false,
            counters: std::sync::Arc::default(),
        })
    };
    let by_name = LinkAccept { username: Some("link-eu".into()), ..LinkAccept::default() };
    let by_cert = LinkAccept { cert_common_name: Some("link-us".into()), ..LinkAccept::default() };
    let prefix = Some(Box::from("asia:"));
    let both = LinkAccept { client_id_prefix: prefix, ..by_name.clone() };
    let entries = [
        entry("eu", true, by_name.clone()),
        entry("us", true, by_cert),
        entry("asia", true, both),
        entry("off", false, by_name),
        entry("nobody", true, LinkAccept::default()),
    ];
    LinkGate(entries.into())
}

#[test]
fn only_who_is_accepted_speaks_for_a_linked_cluster() {
    let stranger = subject(&[]);
    let claims = Subject { username: Some("link-eu"), ..stranger };
    let known = Subject { is_authenticated: true, ..claims };
    let asia = Subject { client_id: "asia:msg:1", ..known };
    let cert = Subject { cert_common_name: Some("link-us"), ..stranger };
    let other = Subject { is_authenticated: true, ..stranger };
    let superuser = Subject { is_superuser: true, ..other };
    let (all, named) = (vec![allow(&[]), allow(&["#"])], vec![allow(&["$LINK/#"])]);
    let cases = [
        (known, PUB, "$LINK/cluster/route/eu", &all, "allow link"),
        (known, PUB, "$LINK/cluster/msg/eu", &all, "allow link"),
        (known, SUB, "$LINK/cluster/resp/eu/n@h", &all, "allow link"),
        // Where only the node itself speaks, and what is not for them.
        (known, PUB, "$LINK/cluster/resp/eu/n@h", &all, "deny reserved"),
        (known, SUB, "$LINK/cluster/route/eu", &all, "deny reserved"),
        (known, SUB, "$LINK/cluster/resp/eu/+", &all, "deny reserved"),
        (known, SUB, "$LINK/#", &named, "deny reserved"),
        (known, PUB, "$LINK/other", &named, "deny reserved"),
        (known, PUB, "$LINK/cluster/msg/us", &all, "deny reserved"),
        // A name that nobody checked.
        (claims, PUB, "$LINK/cluster/msg/eu", &all, "deny reserved"),
        (claims, PUB, "$LINK/cluster/msg/eu", &named, "deny reserved"),
        (cert, PUB, "$LINK/cluster/msg/us", &all, "allow link"),
        (Subject { ..cert }, PUB, "$LINK/cluster/msg/eu", &all, "deny reserved"),
        (
            Subject { username: Some("link-eu"), ..cert },
            PUB,
            "$LINK/cluster/msg/eu",
            &all,
            "deny reserved",
        ),
        // All that is given has to fit.
        (known, PUB, "$LINK/cluster/msg/asia", &all, "deny reserved"),
        (asia, PUB, "$LINK/cluster/msg/asia", &all, "allow link"),
        // What is switched off is closed.
        (known, PUB, "$LINK/cluster/route/off", &all, "deny reserved"),
        (known, SUB, "$LINK/cluster/resp/off/n@h", &all, "deny reserved"),
        (known, SUB, "$LINK/cluster/resp/off/n@h", &named, "deny reserved"),
        (known, PUB, "$LINK/cluster/msg/nobody", &all, "deny reserved"),
        // A rule has to name the topics; that nothing is denied does not suffice.
        (other, PUB, "$LINK/cluster/msg/eu", &all, "deny reserved"),
        (superuser, PUB, "$LINK/cluster/msg/eu", &all, "deny reserved"),
        (other, PUB, "$LINK/cluster/msg/eu", &named, "allow file"),
        (other, PUB, "$LINK/cluster/route/unknown", &named, "allow file"),
        (stranger, PUB, "$LINK/cluster/msg/eu", &named, "deny reserved"),
    ];
    let links = links();
    for (who, action, topic, rules, want) in cases {
        let source =
            AclSource { name: "file".into(), rules: rules.clone(), ..AclSource::default() };
        let config =
            AuthorizationConfig { sources: vec![source], ..AuthorizationConfig::default() };
        let table = AccessTable::compile(&config).unwrap();
        let judge =
            Judge { table: &table, own: None, is_sys_open: true, has_hooks: false, links: &links };
        let said = judge.explain(0, &who, action, topic);
        assert_eq!(format!("{} {}", said.verdict, said.source), want, "{who:?} {action:?} {topic}");
    }
}

#[test]
fn sources_in_order_and_on_behind_one() {
    let source = |name: &str, rules| AclSource { name: name.into(), rules, ..AclSource::default() };
    let ask = AclSource { name: "http".into(), kind: AclSourceKind::Ask, rules: vec![] };
    let sources = vec![source("a", vec![deny(&["a"])]), ask, source("b", vec![allow(&["b"])])];
    let config = AuthorizationConfig {
        sources,
        no_match: Permission::Deny,
        ..AuthorizationConfig::default()
    };
    let table = AccessTable::compile(&config).unwrap();
    let own = RuleTable::compile("client_acl", &[AclRule { line: 7, ..allow(&["mine"]) }]).unwrap();
    let judge = Judge {
        table: &table,
        own: Some(&own),
        is_sys_open: false,
        has_hooks: false,
        links: &LinkGate::default(),
    };
    let cases = [
        (None, "a", "deny a 0"),
        (None, "mine", "allow client_acl 7"),
        (None, "b", "ask http 0"),
        (Some("http"), "b", "allow b 0"),
        (Some("http"), "mine", "deny no_match 0"),
        (Some("b"), "b", "deny no_match 0"),
        (Some("a"), "a", "ask http 0"),
    ];
    for (after, topic, want) in cases {
        let from = after.map_or(0, |name| table.behind(name).unwrap());
        let said = judge.explain(from, &subject(&[]), PUB, topic);
        assert_eq!(
            format!("{} {} {}", said.verdict, said.source, said.line),
            want,
            "{after:?} {topic}"
        );
    }
    assert_eq!(table.behind("none"), None);
    assert!(!table.is_open() && AccessTable::default().is_open());
}

#[test]
fn what_is_wrong_with_a_rule_is_named() {
    let wrong = [
        (rule(Permission::Allow, regex_who(AclWhoKind::Username, "(?=a)"), &[]), "look-around"),
        (rule(Permission::Allow, regex_who(AclWhoKind::Username, r"(a)\1"), &[]), "backreferences"),
        (rule(Permission::Allow, who(AclWhoKind::IpAddr, &["10.0.0.0/99"]), &[]), "no CIDR"),
        (allow(&["a/#/b"]), "wildcard"),
        (allow(&["a/${clientid}#"]), "wildcard"),
        (allow(&[""]), "empty"),
    ];
    for (rule, words) in wrong {
        let rules = [allow(&[]), AclRule { line: 12, ..rule }];
        let error = RuleTable::compile("file", &rules).unwrap_err();
        assert_eq!(error.path, "authorization.sources.file");
        assert!(error.detail.starts_with("line 12: ") && error.detail.contains(words), "{error}");
    }
}

/// The meaning of rules written down as plainly as can be.
fn naive(rules: &[AclRule], who: &Subject<'_>, action: Action, topic: &str) -> Option<usize> {
    let fits_who = |about: &AclWho| match about.kind {
        AclWhoKind::Username => who.username.is_some_and(|u| about.values.iter().any(|v| v == u)),
        AclWhoKind::ClientId => about.values.iter().any(|v| v == who.client_id),
        _ => true,
    };
    let fits_action = |rule: &AclRule| match action {
        Action::Publish(qos, retain) => {
            rule.action != AclAction::Subscribe
                && rule.qos.contains(&qos)
                && rule.retain.is_none_or(|wanted| wanted == retain)
        }
        Action::Subscribe(qos) => rule.action != AclAction::Publish && rule.qos.contains(&qos),
    };
    let fits_topic = |rule: &AclRule, filter: &AclTopic| {
        let missing = filter.text.contains("${username}") && who.username.is_none();
        let text = filter.text.replace("${clientid}", who.client_id);
        let text = text.replace("${username}", who.username.unwrap_or_default());
        if missing {
            return false;
        }
        if filter.is_literal {
            return text == topic;
        }
        let covers = !rookery_codec::filter_matches(&text, topic)
            || rule.permission == Permission::Deny
            || topic.split('/').zip(text.split('/')).all(|(have, want)| have != "#" || want == "#");
        rookery_codec::filter_matches(&text, topic) && covers
    };
    rules.iter().position(|rule| {
        fits_who(&rule.who)
            && fits_action(rule)
            && (rule.all_topics || rule.topics.iter().any(|filter| fits_topic(rule, filter)))
    })
}

fn any_rule() -> impl Strategy<Value = AclRule> {
    let level = prop::sample::select(vec!["a", "b", "+", "${clientid}", "${username}", "$SYS"]);
    let topic = (prop::collection::vec(level, 1..4), any::<bool>(), 0..4_u8);
    let topic = topic.prop_map(|(levels, is_multi, literal)| {
        let tail = if is_multi { "/#" } else { "" };
        AclTopic { text: format!("{}{tail}", levels.join("/")), is_literal: literal == 0 }
    });
    let kind =
        prop::sample::select(vec![AclWhoKind::All, AclWhoKind::Username, AclWhoKind::ClientId]);
    let name = prop::sample::select(vec!["c1", "c2", "u1", "u2"]);
    let about =
        (kind, prop::collection::vec(name, 1..3)).prop_map(|(kind, values)| who(kind, &values));
    let action =
        prop::sample::select(vec![AclAction::Publish, AclAction::Subscribe, AclAction::All]);
    let qos = prop::sample::subsequence(vec![0_u8, 1, 2], 1..=3);
    let permission = prop::sample::select(vec![Permission::Allow, Permission::Deny]);
    let retain = prop::sample::select(vec![None, Some(false), Some(true)]);
    let topics = prop::collection::vec(topic, 0..3);
    (permission, about, action, qos, retain, topics).prop_map(
        |(permission, who, action, qos, retain, topics)| AclRule {
            permission,
            who,
            action,
            qos,
            retain,
            all_topics: topics.is_empty(),
            topics,
            line: 0,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_index_finds_what_looking_at_every_rule_finds(
        rules in prop::collection::vec(any_rule(), 0..12),
        client_id in prop::sample::select(vec!["c1", "c2", "c3"]),
        username in prop::sample::select(vec![None, Some("u1"), Some("u2")]),
        levels in prop::collection::vec(prop::sample::select(vec!["a", "b", "c1", "u1", "$SYS"]), 1..4),
        wild in 0..4_u8,
        qos in 0..3_u8,
        retain: bool,
    ) {
        let rules: Vec<AclRule> =
            (0..).zip(rules).map(|(line, rule)| AclRule { line, ..rule }).collect();
        let mut topic = levels.join("/");
        let action = if wild == 0 { Action::Publish(qos, retain) } else { Action::Subscribe(qos) };
        match wild {
            2 => topic.push_str("/#"),
            3 => topic.push_str("/+"),
            _ => {}
        }
        let who = Subject { client_id, username, ..subject(&[]) };
        let table = RuleTable::compile("file", &rules).unwrap();
        let got = table.check(&who, action, &topic).map(|hit| hit.line as usize);
        prop_assert_eq!(got, naive(&rules, &who, action, &topic), "{:?} {}", action, topic);
    }

    #[test]
    fn no_topic_is_a_panic(text: String, topic: String, literal: bool) {
        let pattern = AclTopic { text, is_literal: literal };
        let rules = [AclRule { topics: vec![pattern], all_topics: false, ..allow(&[]) }];
        if let Ok(table) = RuleTable::compile("file", &rules) {
            let _ = table.check(&subject(&[]), PUB, &topic);
            let _ = table.check(&subject(&[]), SUB, &topic);
        }
        let _ = checked_topic(PUB, &topic, true);
        let _ = checked_topic(SUB, &topic, true);
    }
}
