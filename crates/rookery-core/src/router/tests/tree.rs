//! Matching, merging, counting and listing.

use std::collections::{BTreeMap, BTreeSet};

use rookery_codec::{QoS, filter_matches};

use super::*;

#[test]
fn filters_match_as_the_specification_says() {
    let cases: &[(&str, &str, bool)] = &[
        ("a", "a", true),
        ("a", "b", false),
        ("a", "a/", false),
        ("a/#", "a", true),
        ("a/#", "a/", true),
        ("a/#", "a/b/c", true),
        ("a/#", "ab", false),
        ("#", "a", true),
        ("#", "/", true),
        ("#", "$SYS/x", false),
        ("+", "$SYS", false),
        ("+/x", "$SYS/x", false),
        ("$SYS/#", "$SYS/x", true),
        ("$SYS/+", "$SYS/x", true),
        ("a/+", "a/$b", true),
        ("+", "/", false),
        ("+/+", "/", true),
        ("/+", "/", true),
        ("/+", "/x", true),
        ("/", "/", true),
        ("//", "//", true),
        ("//", "/", false),
        ("+/+/+", "//", true),
        ("a/+/c", "a//c", true),
        ("a/+", "a", false),
        ("+/#", "a", true),
        ("+/#", "a/b", true),
        ("/#", "/", true),
        ("/#", "a", false),
        ("a/b/#", "a", false),
        ("ä/+", "ä/ß", true),
    ];
    for (filter, topic, expected) in cases {
        assert_eq!(filter_matches(filter, topic), *expected, "model: {filter} {topic}");
        let router = Router::new();
        router.subscribe(filter, subscriber(1));
        assert_eq!(!router.matches(topic).is_empty(), *expected, "{filter} {topic}");
    }
}

#[test]
fn overlapping_subscriptions_of_a_session_become_one_target() {
    let router = Router::new();
    let opts = |qos, no_local, rap| SubOpts::new(qos, no_local, rap, 0);
    let sub = |sub_id, opts| Subscriber { durable_id: 9, sub_id, opts, ..subscriber(1) };
    router.subscribe("a/b", sub(7, opts(QoS::AtLeastOnce, true, false)));
    router.subscribe("a/+", sub(0, opts(QoS::AtMostOnce, true, true)));
    router.subscribe("a/#", sub(9, opts(QoS::ExactlyOnce, false, false)));
    router.subscribe("#", sub(7, opts(QoS::AtMostOnce, true, false)));
    router.subscribe("#", subscriber(2));
    let matched = router.matches("a/b");
    let [two, one] = &matched.targets[..] else { panic!("{matched:?}") };
    assert_eq!((two.key, one.key), (key(2).min(key(1)), key(1).max(key(2))));
    let (one, two) = if one.key == key(1) { (one, two) } else { (two, one) };
    assert_eq!(one.opts.qos(), QoS::ExactlyOnce);
    assert!(!one.opts.no_local());
    assert!(one.opts.retain_as_published());
    assert_eq!(one.durable_id, 9);
    assert_eq!(matched.durable, 1);
    let mut ids = matched.sub_ids(one).to_vec();
    ids.sort_unstable();
    assert_eq!(ids, [7, 7, 9]);
    assert!(matched.sub_ids(two).is_empty());
    router.unsubscribe("a/#", key(1));
    let matched = router.matches("a/b/c");
    assert_eq!(
        matched.sub_ids(&matched.targets[0]).len(),
        usize::from(matched.targets[0].key == key(1))
    );
    assert!(size_of::<Target>() <= 24);
    assert!(size_of::<Subscriber>() <= 24);
}

#[test]
fn options_survive_packing() {
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        for bits in 0..16u8 {
            let opts = SubOpts::new(qos, bits & 1 != 0, bits & 2 != 0, bits >> 2);
            let read = (opts.qos(), opts.no_local(), opts.retain_as_published());
            assert_eq!(read, (qos, bits & 1 != 0, bits & 2 != 0));
            assert_eq!(opts.retain_handling(), bits >> 2);
        }
    }
}

#[test]
fn targets_of_a_shard_are_one_range() {
    let router = Router::new();
    for session in (0..50).rev() {
        router.subscribe("t", subscriber(session));
    }
    let matched = router.matches("t");
    assert!(matched.targets.is_sorted_by_key(|target| target.key));
    let shards = matched.by_shard().map(|(shard, range)| (shard, range.len())).collect::<Vec<_>>();
    assert_eq!(shards, [(0, 17), (1, 17), (2, 16)]);
    for (shard, range) in matched.by_shard() {
        assert_eq!(matched.targets_of(shard).len(), range.len());
    }
    assert!(matched.targets_of(3).is_empty());
}

#[test]
fn a_filter_with_many_subscribers_loses_them_one_by_one() {
    let router = Router::new();
    let baseline = router.memory_bytes();
    for session in 0..1000 {
        assert!(router.subscribe("t/+", subscriber(session)));
        assert!(!router.subscribe("t/+", subscriber(session)));
    }
    assert_eq!((router.subscriptions(), router.topics()), (1000, 1));
    let mut left = (0..1000).collect::<BTreeSet<u32>>();
    for step in 0..1000 {
        let session = step * 379 % 1000;
        assert!(router.unsubscribe("t/+", key(session)));
        assert!(!router.unsubscribe("t/+", key(session)));
        left.remove(&session);
        if step % 97 == 0 || left.len() < 20 {
            let matched = matched_sessions(&router, "t/x").into_iter().collect::<BTreeSet<_>>();
            assert_eq!(matched, left);
        }
    }
    assert_eq!(router.memory_bytes(), baseline);
}

#[test]
fn nothing_is_left_when_everything_has_gone() {
    let router = Router::new();
    let baseline = router.memory_bytes();
    let long = "x".repeat(100);
    let filter = |n: u32| match n % 4 {
        0 => format!("dev/{n}/temp"),
        1 => format!("+/{n}/{long}/#"),
        2 => format!("a/b/c/{}", n / 8),
        _ => format!("{n}"),
    };
    for n in 0..5000 {
        let group = format!("g{}", n % 3);
        assert!(router.subscribe(&filter(n), subscriber(n)));
        router.subscribe_shared(&group, &filter(n), subscriber(n));
    }
    assert!(router.memory_bytes() > baseline + 5000 * 50);
    for n in 0..5000 {
        let n = n * 7 % 5000;
        let group = format!("g{}", n % 3);
        assert!(router.unsubscribe(&filter(n), key(n)));
        assert!(router.unsubscribe_shared(&group, &filter(n), key(n)));
    }
    assert_eq!(router.memory_bytes(), baseline);
    assert_eq!(router.places_in_use(), (0, 0));
    assert_eq!((router.subscriptions(), router.topics(), router.shared_groups()), (0, 0, 0));
}

#[test]
fn removing_what_is_not_there_changes_nothing() {
    let router = Router::new();
    router.subscribe("a/b/c", subscriber(1));
    for filter in ["a", "a/b", "a/b/c/d", "a/b/#", "a/+/c", "x", "a/b/c/#"] {
        assert!(!router.unsubscribe(filter, key(1)));
        assert!(!router.unsubscribe_shared("g", filter, key(1)));
    }
    assert!(!router.unsubscribe("a/b/c", key(2)));
    assert!(!router.unsubscribe_shared("g", "a/b/c", key(1)));
    assert_eq!(matched_sessions(&router, "a/b/c"), [1]);
}

#[test]
fn a_deep_filter_is_no_problem() {
    let router = Router::new();
    let deep = "/".repeat(60_000);
    router.subscribe(&deep, subscriber(1));
    router.subscribe(&format!("{deep}+/#"), subscriber(2));
    assert_eq!(matched_sessions(&router, &deep), [1, 2]);
    assert_eq!(matched_sessions(&router, &format!("{deep}x/y")), [2]);
    router.unsubscribe(&deep, key(1));
    router.unsubscribe(&format!("{deep}+/#"), key(2));
    assert_eq!(router.places_in_use(), (0, 0));
}

#[test]
fn batches_do_what_single_calls_do() {
    let router = Router::new();
    let filters = (0..BATCH * 2 + 5).map(|n| format!("f/{n}")).collect::<Vec<_>>();
    let at =
        |n: usize| FilterRef { group: n.is_multiple_of(5).then_some("g"), filter: &filters[n] };
    let items = (0..filters.len()).map(|n| (at(n), subscriber(1))).collect::<Vec<_>>();
    assert!(router.subscribe_many(&items).iter().all(|is_new| *is_new));
    assert!(!router.subscribe_many(&items).iter().any(|is_new| *is_new));
    assert_eq!(router.subscriptions(), filters.len());
    let items = (0..filters.len()).map(at).collect::<Vec<_>>();
    assert_eq!(router.unsubscribe_many(&items, key(2)), 0);
    assert_eq!(router.unsubscribe_many(&items, key(1)), filters.len());
    assert_eq!(router.unsubscribe_many(&items, key(1)), 0);
    assert_eq!(router.subscriptions(), 0);
}

#[test]
fn a_listing_shows_every_lasting_filter_once_while_others_come_and_go() {
    let router = Router::new();
    for n in 0..500 {
        router.subscribe(&format!("keep/{n}/+/#"), subscriber(n));
        router.subscribe(&format!("go/{n}"), subscriber(n));
    }
    router.subscribe("keep/1/+/#", subscriber(501));
    router.subscribe_shared("g", "keep/1/+/#", subscriber(502));
    let mut seen = BTreeMap::new();
    let (mut from, mut round) = (None, 0);
    loop {
        let page = router.list_filters(from, 7);
        assert!(page.filters.len() <= 7);
        for (filter, count) in page.filters.into_iter().filter(|(f, _)| f.starts_with("keep")) {
            assert_eq!(seen.insert(filter, count), None);
        }
        router.unsubscribe(&format!("go/{}", round % 500), key(round % 500));
        router.subscribe(&format!("new/{round}"), subscriber(round));
        round += 1;
        assert!(round < 5000, "a listing ends");
        match page.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    assert_eq!(seen.len(), 500);
    assert_eq!(seen["keep/1/+/#"], 3);
}
