//! What rules cost the broker's own code, without sockets: a message with one subscriber alone,
//! beside 1,000 rules that want nothing of it, and with a rule that looks into its JSON and
//! republishes it to another subscriber; and what it costs to change one of many rules. Prints CPU
//! nanoseconds per message or change, the median of several runs.
//!
//! `cargo run --release -p rookery-core --example rule_path`

mod stage;

use std::hint::black_box;
use std::sync::Arc;

use rookery_codec::{Publish, QoS, Version};
use rookery_core::effects::ShardMessage;
use rookery_core::ids::ConnKey;
use rookery_core::rules::{Output, Republish, RepublishSpec, RuleDraft, RuleSet, Surroundings};
use stage::{Failure, Stage, measured};

const PAIRS: usize = 100;
const WINDOW: usize = 16;
const ROUNDS: usize = 200;
const RUNS: usize = 15;
const PAYLOAD: &[u8] = br#"{"t": 81.5, "unit": "C", "line": 3, "ok": true}"#;
const QUIET: usize = 100;
const CHANGES: usize = 20;

struct Scene {
    stage: Stage,
    publishers: Vec<(ConnKey, Vec<u8>)>,
}

impl Scene {
    /// Pairs of publisher and subscriber on `topic/n`, watchers of what rules make, and rules.
    fn new(topic: &str, rules: Vec<RuleDraft>) -> Result<Self, Failure> {
        let mut stage = Stage::new(Version::V311)?;
        let mut publishers = Vec::new();
        for n in 0..PAIRS {
            let topic = format!("{topic}/{n}");
            let publisher = stage.connect(&format!("publisher-{n}"))?;
            let subscriber = stage.connect(&format!("subscriber-{n}"))?;
            stage.subscribe(subscriber, &topic, QoS::AtMostOnce);
            let watcher = stage.connect(&format!("watcher-{n}"))?;
            stage.subscribe(watcher, &format!("alarm/publisher-{n}"), QoS::AtMostOnce);
            let mut bytes = Vec::new();
            for _ in 0..WINDOW {
                Publish { topic: &topic, payload: PAYLOAD, ..Publish::default() }
                    .encode(Version::V311, &mut bytes);
            }
            publishers.push((publisher, bytes));
        }
        let before = RuleSet::default();
        let set = Arc::new(before.next(rules, Surroundings::default(), 1)?);
        let filters = set.filters_beyond(&before);
        let filters: Vec<(&str, u32)> = filters.iter().map(|(f, n)| (f.as_str(), *n)).collect();
        stage.shared.router.add_rules(&filters);
        stage.shard.inbox(stage.now, ShardMessage::Rules(set));
        Ok(Self { stage, publishers })
    }

    fn round(&mut self) {
        for (key, bytes) in &self.publishers {
            self.stage.shard.receive(self.stage.now, *key, bytes);
        }
        black_box(self.stage.flush());
        self.stage.shard.effects.up.clear();
    }

    /// Nanoseconds per message.
    fn measure(&mut self) -> f64 {
        let messages = ROUNDS * PAIRS * WINDOW;
        measured(RUNS, messages, || (0..ROUNDS).for_each(|_| self.round())).1
    }
}

/// Rules that want nothing of what is published here.
fn quiet(count: usize) -> Vec<RuleDraft> {
    let one = |n| RuleDraft {
        id: format!("quiet-{n}"),
        sql: format!(r#"SELECT * FROM "quiet/{n}/+" WHERE payload.t > {n}"#),
        enable: true,
        outputs: vec![Output::Console],
    };
    (0..count).map(one).collect()
}

/// Nanoseconds for a set in which one rule is another, and for one of which nothing is known.
fn change(count: usize) -> Result<(f64, f64), Failure> {
    let empty = RuleSet::default();
    let make = |set: &RuleSet, rules: Vec<RuleDraft>| set.next(rules, Surroundings::default(), 1);
    let first = make(&empty, quiet(count))?;
    let next = |from: &RuleSet| {
        let mut rules = quiet(count);
        if let Some(rule) = rules.last_mut() {
            rule.sql = r#"SELECT 1 AS x FROM "other""#.into();
        }
        if let Ok(set) = make(from, rules) {
            black_box((set.filters_beyond(from), from.filters_beyond(&set)));
        }
    };
    let each = |from: &RuleSet| measured(RUNS, CHANGES, || (0..CHANGES).for_each(|_| next(from))).1;
    Ok((each(&first), each(&empty)))
}

fn main() -> Result<(), Failure> {
    let show = |name: &str, rules: usize, ns: f64| {
        println!("{name:<52} {rules:>7} rules {ns:>8.0} ns/check");
    };
    let (changed, anew) = change(500)?;
    println!("one of 500 rules changes: {changed:.0} ns, {:.3} of all anew", changed / anew);
    let alone = Scene::new("bench", Vec::new())?.measure();
    show("a message with one subscriber", 0, alone);
    let beside = Scene::new("bench", quiet(1000))?.measure();
    show("the same beside rules that want nothing", 1000, beside);
    let spec = RepublishSpec { topic: "alarm/${clientid}".into(), ..RepublishSpec::default() };
    let mut rules = quiet(QUIET - 1);
    rules.push(RuleDraft {
        id: "hot".into(),
        sql: r#"SELECT payload.t AS t, payload, clientid FROM "line/#" WHERE payload.t > 80"#
            .into(),
        enable: true,
        outputs: vec![Output::Republish(Arc::new(Republish::new(&spec)?))],
    });
    let both = Scene::new("line", rules)?.measure();
    show("a message, a rule and what it republishes", 0, both);
    show("a rule and its republish on top of two messages", QUIET, both - 2.0 * alone);
    println!("beside 1,000 rules that want nothing: {:.3} of the cost alone", beside / alone);
    Ok(())
}
