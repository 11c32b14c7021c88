//! Rules in the trie: they see messages, and are nobody's subscription.

use super::*;

#[test]
fn a_rule_is_found_once_whatever_its_filters_and_is_no_subscription() {
    let router = Router::new();
    router.add_rules(&[("a/+", 7), ("a/#", 7), ("a/b", 3), ("$SYS/#", 9)]);
    assert_eq!(*router.matches("a/b").rules, [3, 7]);
    assert_eq!(*router.matches("a").rules, [7]);
    assert_eq!(*router.matches("$SYS/x").rules, [9]);
    assert!(router.matches("c").rules.is_empty());
    assert!(router.matches("a/b").is_empty(), "nobody is subscribed");
    assert_eq!((router.subscriptions(), router.topics()), (0, 0));
    assert!(!router.has_filter("a/b"));
    assert!(router.list_filters(None, 10).filters.is_empty());

    router.subscribe("a/b", subscriber(1));
    assert_eq!((router.subscriptions(), router.topics()), (1, 1));
    assert_eq!(*router.matches("a/b").rules, [3, 7]);
    router.unsubscribe("a/b", key(1));
    assert_eq!(*router.matches("a/b").rules, [3, 7], "the filter is still that of a rule");
}

#[test]
fn rules_that_went_leave_nothing_behind() {
    let router = Router::new();
    let baseline = router.memory_bytes();
    let filters: Vec<String> = (0..600).map(|n| format!("f/{}/{}/+", n % 7, n)).collect();
    let items: Vec<(&str, u32)> = filters.iter().map(String::as_str).zip(0..).collect();
    router.add_rules(&items);
    router.add_rules(&items);
    assert!(router.memory_bytes() > baseline);
    assert_eq!(*router.matches("f/3/3/x").rules, [3]);
    router.remove_rules(&items);
    router.remove_rules(&items);
    assert_eq!(router.places_in_use(), (0, 0));
    assert!(router.matches("f/3/3/x").rules.is_empty());
}

#[test]
fn a_cached_result_learns_of_rules_that_come_and_go() {
    let router = Router::new();
    let mut cache = MatchCache::new(8, 100);
    assert!(cache.matches(&router, "t/x").rules.is_empty());
    for filter in ["t/x", "t/+", "+/x", "#"] {
        router.add_rules(&[(filter, 5)]);
        assert_eq!(*cache.matches(&router, "t/x").rules, [5], "{filter}");
        router.remove_rules(&[(filter, 5)]);
        assert!(cache.matches(&router, "t/x").rules.is_empty(), "{filter}");
    }
    let misses = cache.counts().misses;
    assert!(cache.matches(&router, "t/x").rules.is_empty());
    assert_eq!(cache.counts().misses, misses);
}
