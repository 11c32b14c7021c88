//! Cost of a check of access control: prints CPU nanoseconds per check, the median of several runs.
//!
//! `cargo run --release -p rookery-core --example access_bench`

use std::hint::black_box;
use std::time::Instant;

use rookery_core::access::{
    AccessTable, AclRule, AclSource, AclTopic, AclWho, AclWhoKind, AuthorizationConfig, Judge,
    LinkGate, Permission, Subject,
};
use rookery_core::conn::Action;

const CHECKS: u32 = 200_000;
const RUNS: usize = 7;

fn rule(who: AclWho, topic: &str) -> AclRule {
    AclRule {
        permission: Permission::Allow,
        who,
        qos: vec![0, 1, 2],
        topics: vec![AclTopic { text: topic.into(), is_literal: false }],
        ..AclRule::default()
    }
}

fn who(kind: AclWhoKind, value: &str, is_regex: bool) -> AclWho {
    AclWho { kind, values: vec![value.into()], is_regex, ..AclWho::default() }
}

fn everybody() -> AclWho {
    AclWho::default()
}

/// A file as people write it: a few addresses and expressions, placeholders, the rest filters.
fn mixed(n: usize) -> AclRule {
    match n % 10 {
        0 => rule(who(AclWhoKind::IpAddr, "10.1.0.0/16", false), "admin/#"),
        1 => rule(who(AclWhoKind::Username, &format!("^svc-{n}-"), true), "services/#"),
        2 => rule(everybody(), &format!("device/${{clientid}}/{n}/#")),
        3 => rule(everybody(), &format!("+/status/{n}")),
        4 => rule(who(AclWhoKind::ClientId, &format!("gateway-{n}"), false), "#"),
        _ => rule(everybody(), &format!("plant/{n}/+/state")),
    }
}

/// CPU time of this thread; on a busy machine the clock on the wall measures the others.
fn cpu_ns() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(f64::NAN)
}

fn measure(name: &str, rules: Vec<AclRule>, topic: &str) {
    let made = Instant::now();
    let count = rules.len();
    let source = AclSource { name: "file".into(), rules, ..AclSource::default() };
    let config = AuthorizationConfig {
        sources: vec![source],
        no_match: Permission::Deny,
        ..AuthorizationConfig::default()
    };
    let Ok(table) = AccessTable::compile(&config) else {
        println!("{name}: the rules cannot be used");
        return;
    };
    let made_ms = made.elapsed().as_millis();
    let judge = Judge {
        table: &table,
        own: None,
        is_sys_open: false,
        has_hooks: false,
        links: &LinkGate::default(),
    };
    let subject = Subject {
        client_id: "device-000017",
        username: Some("user-000017"),
        peer: "192.0.2.7".parse().ok(),
        listener: "ssl:default",
        zone: "default",
        cert_common_name: None,
        attrs: &[],
        is_authenticated: true,
        is_superuser: false,
        is_local: false,
    };
    let mut runs: Vec<f64> = (0..RUNS)
        .map(|_| {
            let begun = cpu_ns();
            for _ in 0..CHECKS {
                let said = judge.decide(
                    0,
                    black_box(&subject),
                    Action::Publish(1, false),
                    black_box(topic),
                );
                black_box(said);
            }
            (cpu_ns() - begun) / f64::from(CHECKS)
        })
        .collect();
    runs.sort_by(f64::total_cmp);
    let median = runs.get(RUNS / 2).copied().unwrap_or_default();
    let said = judge.explain(0, &subject, Action::Publish(1, false), topic);
    println!(
        "{name:<52} {count:>7} rules {median:>8.0} ns/check  {} made in {made_ms} ms",
        said.verdict
    );
}

fn main() {
    let literal = |n| rule(everybody(), &format!("plant/line/{n}/state"));
    let own = |n| rule(who(AclWhoKind::Username, &format!("user-{n:06}"), false), "own/#");
    measure("no rule", Vec::new(), "plant/line/99/state");
    measure("100 topics, the last fits", (0..100).map(literal).collect(), "plant/line/99/state");
    measure("100 topics, none fits", (0..100).map(literal).collect(), "plant/line/none/state");
    measure("100 mixed rules, the last fits", (0..100).map(mixed).collect(), "plant/99/7/state");
    measure("100 mixed rules, none fits", (0..100).map(mixed).collect(), "plant/none/7/state");
    measure("one rule per user, own fits", (0..100_000).map(own).collect(), "own/x");
    let both = (0..100).map(mixed).chain((0..100_000).map(own)).collect();
    measure("100 mixed rules, then one per user, own fits", both, "own/x");
}
