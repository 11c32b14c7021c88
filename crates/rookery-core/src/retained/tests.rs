//! Retained messages against an ordered map, and wildcard reads while the set changes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rookery_codec::filter_matches;

use super::order::compare;
use super::*;

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    topic: String,
    value: usize,
}

impl RetainedEntry for Entry {
    fn topic(&self) -> &str {
        &self.topic
    }

    fn size(&self) -> usize {
        self.value
    }
}

fn entry(topic: &str, value: usize) -> Arc<Entry> {
    Arc::new(Entry { topic: topic.to_owned(), value })
}

fn retain(topics: &[&str]) -> Retained<Entry> {
    let retained = Retained::new();
    for topic in topics {
        retained.insert(entry(topic, 1));
    }
    retained
}

fn read_all(retained: &Retained<Entry>, filter: &str, limit: usize) -> Vec<String> {
    let (mut cursor, mut found) = (RetainedCursor::default(), Vec::new());
    let mut slices = 0;
    loop {
        let before = found.len();
        let more = retained.scan(filter, &mut cursor, limit, &mut found);
        assert!(found.len() - before <= limit.max(1));
        slices += 1;
        assert!(slices < 100_000, "a read ends");
        if !more {
            break;
        }
    }
    let mut topics = found.iter().map(|entry| entry.topic.clone()).collect::<Vec<_>>();
    topics.sort();
    topics
}

#[test]
fn the_last_message_of_a_topic_is_the_one_retained() {
    let retained = Retained::new();
    assert_eq!(retained.insert(entry("a/b", 5)), None);
    assert_eq!(retained.insert(entry("a/b", 7)), Some(entry("a/b", 5)));
    assert_eq!(retained.get("a/b"), Some(entry("a/b", 7)));
    assert_eq!((retained.len(), retained.bytes()), (1, 7));
    assert_eq!(retained.remove("a/x"), None);
    assert_eq!(retained.remove("a/b"), Some(entry("a/b", 7)));
    assert_eq!(retained.remove("a/b"), None);
    assert_eq!(retained.get("a/b"), None);
    assert_eq!((retained.len(), retained.bytes()), (0, 0));
}

#[test]
fn wildcards_read_what_the_specification_says() {
    let retained =
        retain(&["a", "a/b", "a/b/c", "a/c/c", "a!", "a!/b", "/", "//", "$SYS/x", "$", "b/$y"]);
    let cases: &[(&str, &[&str])] = &[
        ("#", &["/", "//", "a", "a!", "a!/b", "a/b", "a/b/c", "a/c/c", "b/$y"]),
        ("+", &["a", "a!"]),
        ("+/+", &["/", "a!/b", "a/b", "b/$y"]),
        ("a/#", &["a", "a/b", "a/b/c", "a/c/c"]),
        ("a/+", &["a/b"]),
        ("a/+/c", &["a/b/c", "a/c/c"]),
        ("+/b/#", &["a!/b", "a/b", "a/b/c"]),
        ("/#", &["/", "//"]),
        ("//#", &["/", "//"]),
        ("+/+/+", &["//", "a/b/c", "a/c/c"]),
        ("$SYS/#", &["$SYS/x"]),
        ("$SYS/+", &["$SYS/x"]),
        ("+/x", &[]),
        ("a/b", &["a/b"]),
        ("nothing/#", &[]),
        ("zzz/+/x", &[]),
    ];
    for (filter, expected) in cases {
        assert_eq!(read_all(&retained, filter, 3), *expected, "{filter}");
    }
}

#[test]
fn a_subtree_is_one_range_of_the_order() {
    let mut topics = ["a!", "a/b", "a", "a/b/c", "a\u{1}", "a/", "ab", "a/b!", "a//x", "a\u{0}"];
    topics.sort_by(|a, b| compare(a.as_bytes(), b.as_bytes()));
    assert_eq!(topics, ["a", "a/", "a//x", "a/b", "a/b/c", "a/b!", "a\u{0}", "a\u{1}", "a!", "ab"]);
    let long = |end: &str| format!("0123456789abcdef{end}");
    assert!(compare(long("/x").as_bytes(), long("!").as_bytes()).is_lt());
    assert!(compare(long("").as_bytes(), long("/").as_bytes()).is_lt());
    assert!(compare(long("y").as_bytes(), long("x1").as_bytes()).is_gt());
}

#[test]
fn a_slice_looks_at_a_bounded_number_of_topics() {
    let retained = Retained::new();
    for n in 0..20_000 {
        retained.insert(entry(&format!("dev/{n}/state/deep"), 1));
    }
    let (mut cursor, mut found) = (RetainedCursor::default(), Vec::new());
    let mut slices = 1;
    while retained.scan("dev/+/other", &mut cursor, 1, &mut found) {
        slices += 1;
    }
    assert!(found.is_empty());
    assert!(slices >= 20_000 / VISITS_MIN, "{slices}");
}

#[test]
fn a_read_leaps_over_what_cannot_match() {
    let retained = Retained::new();
    for n in 0..20_000 {
        retained.insert(entry(&format!("noise/{n}"), 1));
        retained.insert(entry(&format!("a/{}/x{n}", n % 10), 1));
    }
    retained.insert(entry("a/5/wanted", 1));
    retained.insert(entry("zoo/5/wanted", 1));
    let (mut cursor, mut found) = (RetainedCursor::default(), Vec::new());
    // 10 branches of `a` and the roots in 16 stripes: a few hundred steps, not 40,000.
    let mut slices = 1;
    while retained.scan("+/+/wanted", &mut cursor, 100, &mut found) {
        slices += 1;
    }
    assert_eq!(found.len(), 2);
    let bound = 20_000 * 2 / (100 * VISITS_PER_RESULT);
    assert!(slices < bound + 10, "{slices}");
    let (mut cursor, mut found) = (RetainedCursor::default(), Vec::new());
    assert!(!retained.scan("a/+/wanted", &mut cursor, 300, &mut found));
    assert_eq!(found.len(), 1);
}

#[test]
fn what_stays_is_read_once_while_the_rest_changes() {
    let retained = Retained::new();
    for n in 0..300 {
        retained.insert(entry(&format!("keep/{n}"), 1));
        retained.insert(entry(&format!("go/{n}"), 1));
    }
    let (mut cursor, mut found) = (RetainedCursor::default(), Vec::new());
    let mut round = 0;
    while retained.scan("+/+", &mut cursor, 7, &mut found) {
        retained.remove(&format!("go/{}", round * 7 % 300));
        retained.insert(entry(&format!("new/{round}"), 1));
        retained.insert(entry(&format!("keep/{}", round % 300), 2));
        round += 1;
    }
    let kept = found.iter().filter(|entry| entry.topic.starts_with("keep")).collect::<Vec<_>>();
    let distinct = kept.iter().map(|entry| &entry.topic).collect::<BTreeSet<_>>();
    assert_eq!((kept.len(), distinct.len()), (300, 300));
}

#[test]
fn a_sweep_takes_out_exactly_what_is_over() {
    let retained = Retained::new();
    let baseline = retained.overhead_bytes();
    for n in 0..1000 {
        let topic = if n % 2 == 0 { format!("$x/{n}") } else { format!("y/{n}") };
        retained.insert(entry(&topic, n));
    }
    let sweep = |is_over: fn(&Entry) -> bool| {
        let (mut cursor, mut out) = (SweepCursor::default(), Vec::new());
        while retained.sweep(&mut cursor, 64, is_over, &mut out) {}
        out
    };
    assert_eq!(sweep(|entry| entry.value % 3 == 0).len(), 334);
    assert_eq!(retained.len(), 666);
    assert_eq!(retained.bytes(), (0..1000).filter(|n| n % 3 != 0).sum::<usize>());
    assert_eq!(retained.get("y/3"), None);
    assert_eq!(retained.get("$x/4"), Some(entry("$x/4", 4)));
    assert_eq!(sweep(|_| true).len(), 666);
    assert_eq!((retained.len(), retained.bytes()), (0, 0));
    assert_eq!(retained.overhead_bytes(), baseline);
}

#[test]
fn nothing_is_left_when_everything_has_gone() {
    let retained = Retained::new();
    let baseline = retained.overhead_bytes();
    for n in 0..10_000 {
        retained.insert(entry(&format!("a/{}/{n}", n % 7), 1));
    }
    assert!(retained.overhead_bytes() < baseline + 10_000 * 40);
    for n in 0..10_000 {
        assert!(retained.remove(&format!("a/{}/{n}", n % 7)).is_some());
    }
    assert_eq!(retained.overhead_bytes(), baseline);
}

#[test]
fn readers_and_writers_may_run_together() {
    let retained = Retained::new();
    for n in 0..500 {
        retained.insert(entry(&format!("keep/{n}"), 1));
    }
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let retained = &retained;
            scope.spawn(move || {
                for n in 0..2000 {
                    retained.insert(entry(&format!("w{writer}/{}", n % 50), n));
                    if n % 3 == 0 {
                        retained.remove(&format!("w{writer}/{}", n % 50));
                    }
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..20 {
                assert_eq!(read_all(&retained, "keep/+", 50).len(), 500);
            }
        });
    });
    assert!(retained.len() >= 500 && retained.len() <= 600);
    let all = read_all(&retained, "#", 1000);
    assert_eq!(all.len(), retained.len());
}

fn topics() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["a", "b", "", "$x", "ab", "a!", "b\u{1}"]);
    prop::collection::vec(level, 1..5).prop_map(|levels| levels.join("/"))
}

fn filters() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["a", "b", "", "$x", "ab", "a!", "+", "+", "+"]);
    (prop::collection::vec(level, 0..4), any::<bool>()).prop_map(|(mut levels, has_hash)| {
        if has_hash || levels.is_empty() {
            levels.push("#");
        }
        levels.join("/")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_set_reads_as_a_list_of_topics_would(
        changes in prop::collection::vec((topics(), 0..4usize), 1..200),
        filters in prop::collection::vec(filters(), 1..10),
        limit in 1..20usize,
    ) {
        let retained = Retained::<Entry>::new();
        let mut model = BTreeMap::new();
        for (topic, value) in changes {
            if value == 0 {
                let removed = retained.remove(&topic).map(|entry| entry.value);
                prop_assert_eq!(removed, model.remove(&topic));
            } else {
                let old = retained.insert(entry(&topic, value)).map(|entry| entry.value);
                prop_assert_eq!(old, model.insert(topic, value));
            }
        }
        prop_assert_eq!(retained.len(), model.len());
        prop_assert_eq!(retained.bytes(), model.values().sum::<usize>());
        for filter in filters {
            let expected = model.keys().filter(|topic| filter_matches(&filter, topic));
            let found = read_all(&retained, &filter, limit);
            prop_assert_eq!(found, expected.cloned().collect::<Vec<_>>(), "{}", filter);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn numbers_keep_their_order_through_any_changes(
        changes in prop::collection::vec((0..3000u32, prop::bool::weighted(0.7)), 1..4000),
        probes in prop::collection::vec((0..3000u32, 0..3000u32), 1..20),
    ) {
        let names = (0..3000).map(|id| format!("{:02}/{:03}", id / 100, id % 100)).collect::<Vec<_>>();
        let name = |id: u32| names[id as usize].as_bytes();
        let mut ids = super::sorted_ids::SortedIds::default();
        let mut model = BTreeSet::new();
        for (id, is_added) in changes {
            if is_added && model.insert(id) {
                ids.insert(id, name(id), name);
            } else if !is_added && model.remove(&id) {
                ids.remove(ids.lower_bound(name(id), name));
            }
        }
        let mut place = ids.lower_bound(b"", name);
        let mut found = Vec::new();
        while let Some(id) = ids.get(place) {
            found.push(id);
            place = ids.after(place);
        }
        prop_assert_eq!(&found, &model.iter().copied().collect::<Vec<_>>());
        for (a, b) in probes {
            let (from, to) = (a.min(b), a.max(b));
            let start = ids.lower_bound(name(from), name);
            let end = ids.lower_bound_from(start, name(to), name);
            prop_assert_eq!(ids.get(end), model.range(to..).next().copied());
        }
    }
}
