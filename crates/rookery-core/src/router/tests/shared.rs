//! The choice of a member of a shared subscription.

use std::collections::BTreeSet;
use std::sync::Arc;

use rookery_codec::QoS;

use super::*;

fn group_of(router: &Router, topic: &str) -> Arc<SharedGroup> {
    let matched = router.matches(topic);
    Arc::clone(&matched.groups[0].group)
}

fn picks(group: &SharedGroup, strategy: SharedStrategy, count: u64) -> Vec<u32> {
    (0..count)
        .filter_map(|random| {
            let ctx = PickContext { random, ..PickContext::default() };
            group.pick(strategy, ctx, &[]).map(|sub| sub.key.slot)
        })
        .collect()
}

#[test]
fn connected_members_share_in_turn_and_absent_ones_only_fill_in() {
    let router = Router::new();
    for session in 0..5 {
        assert!(router.subscribe_shared("g", "t/#", subscriber(session)));
    }
    assert_eq!(router.matches("t").groups[0].name(), "g");
    assert_eq!(router.matches("t").groups[0].filter(), "t/#");
    let group = group_of(&router, "t/1");
    let mut turns = picks(&group, SharedStrategy::RoundRobin, 10);
    turns.sort_unstable();
    assert_eq!(turns, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    for session in [0, 1, 3] {
        assert!(router.set_connected("g", "t/#", key(session), false));
        assert!(router.set_connected("g", "t/#", key(session), false));
    }
    assert_eq!((group.len(), group.connected()), (5, 2));
    for strategy in [SharedStrategy::RoundRobin, SharedStrategy::Random, SharedStrategy::Local] {
        let chosen = picks(&group, strategy, 8).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(chosen, BTreeSet::from([2, 4]), "{strategy:?}");
    }
    let exclude = [key(2), key(4)];
    let chosen = group.pick(SharedStrategy::RoundRobin, PickContext::default(), &exclude);
    assert!(chosen.is_some_and(|sub| [0, 1, 3].contains(&sub.key.slot)));
    router.set_connected("g", "t/#", key(2), false);
    router.set_connected("g", "t/#", key(4), false);
    assert_eq!(picks(&group, SharedStrategy::Random, 5).len(), 5);
    let all = (0..5).map(key).collect::<Vec<_>>();
    assert!(group.pick(SharedStrategy::Random, PickContext::default(), &all).is_none());
    router.set_connected("g", "t/#", key(3), true);
    assert_eq!(picks(&group, SharedStrategy::HashTopic, 3), [3, 3, 3]);
    assert!(!router.set_connected("g", "t/#", key(9), true));
    assert!(!router.set_connected("h", "t/#", key(3), true));
}

#[test]
fn a_sticky_group_keeps_its_member_until_it_leaves_or_disconnects() {
    let router = Router::new();
    for session in 0..4 {
        router.subscribe_shared("g", "t", subscriber(session));
    }
    let group = group_of(&router, "t");
    let first = picks(&group, SharedStrategy::Sticky, 20);
    assert!(first.iter().all(|chosen| *chosen == first[0]));
    router.set_connected("g", "t", key(first[0]), false);
    let second = picks(&group, SharedStrategy::Sticky, 20);
    assert!(second.iter().all(|chosen| *chosen == second[0] && *chosen != first[0]));
    // Subscribing again with other options is not leaving.
    let opts = SubOpts::new(QoS::AtLeastOnce, false, false, 0);
    router.subscribe_shared("g", "t", Subscriber { opts, ..subscriber(second[0]) });
    assert_eq!(picks(&group, SharedStrategy::Sticky, 1), [second[0]]);
    router.unsubscribe_shared("g", "t", key(second[0]));
    let third = picks(&group, SharedStrategy::Sticky, 20);
    assert!(third.iter().all(|chosen| *chosen == third[0] && *chosen != second[0]));
}

#[test]
fn strategies_look_at_what_they_are_named_after() {
    let router = Router::new();
    for session in 0..6 {
        router.subscribe_shared("g", "t", subscriber(session));
    }
    let group = group_of(&router, "t");
    let pick = |strategy, ctx| group.pick(strategy, ctx, &[]).map(|sub| sub.key);
    for local_shard in 0..3 {
        let ctx = PickContext { local_shard, ..PickContext::default() };
        for _ in 0..4 {
            assert_eq!(pick(SharedStrategy::Local, ctx).map(|key| key.shard), Some(local_shard));
        }
    }
    let ctx = PickContext { local_shard: 9, ..PickContext::default() };
    assert!(pick(SharedStrategy::Local, ctx).is_some());
    let by_client = |publisher_hash, noise| {
        let ctx = PickContext { publisher_hash, topic_hash: noise, random: noise, local_shard: 0 };
        pick(SharedStrategy::HashClientId, ctx)
    };
    let by_topic = |topic_hash, noise| {
        let ctx = PickContext { publisher_hash: noise, topic_hash, random: noise, local_shard: 0 };
        pick(SharedStrategy::HashTopic, ctx)
    };
    for hash in 0..6 {
        assert_eq!(by_client(hash, 0), by_client(hash, 5));
        assert_eq!(by_topic(hash, 0), by_topic(hash, 5));
    }
    let all = (0..6).map(|hash| by_topic(hash, 0)).collect::<BTreeSet<_>>();
    assert_eq!(all.len(), 6);
}
