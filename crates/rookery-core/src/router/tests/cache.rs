//! The match cache: never stale, never too large.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rookery_codec::QoS;

use super::*;

#[test]
fn a_cached_result_follows_every_change() {
    let router = Router::new();
    let mut cache = MatchCache::new(100, 1000);
    let topic = "a/b/c";
    let filters = ["a/b/c", "#", "+/b/c", "a/#", "a/+/c", "a/b/+", "a/b/#", "a/b/c/#"];
    assert!(cache.matches(&router, topic).is_empty());
    for (n, filter) in filters.iter().enumerate() {
        router.subscribe(filter, subscriber(n as u32));
        assert_eq!(cache.matches(&router, topic).targets.len(), n + 1, "{filter}");
        let stale = cache.counts().stale;
        router.subscribe(filter, subscriber(n as u32));
        assert_eq!(cache.matches(&router, topic).targets.len(), n + 1, "{filter}");
        assert_eq!(cache.counts().stale, stale, "an unchanged subscription spoils nothing");
    }
    let opts = SubOpts::new(QoS::ExactlyOnce, false, false, 0);
    router.subscribe("a/#", Subscriber { opts, ..subscriber(3) });
    let matched = Arc::clone(cache.matches(&router, topic));
    assert!(matched.targets.iter().any(|target| target.opts == opts));
    router.subscribe_shared("g", "+/+/c", subscriber(1));
    assert_eq!(cache.matches(&router, topic).groups.len(), 1);
    router.unsubscribe_shared("g", "+/+/c", key(1));
    assert_eq!(cache.matches(&router, topic).groups.len(), 0);
    for (n, filter) in filters.iter().enumerate() {
        router.unsubscribe(filter, key(n as u32));
        assert_eq!(cache.matches(&router, topic).targets.len(), filters.len() - n - 1, "{filter}");
    }
    // A sibling's exact filter is no reason to search again (it may share a counter, rarely).
    let stale = cache.counts().stale;
    let siblings = (0..20).map(|n| format!("a/b/d{n}")).collect::<Vec<_>>();
    let kept = siblings.iter().filter(|sibling| {
        let before = cache.counts().hits;
        router.subscribe(sibling, subscriber(1));
        cache.matches(&router, topic);
        cache.counts().hits > before
    });
    assert!(kept.count() > 10);
    assert!(cache.counts().stale >= stale);
}

#[test]
fn a_cache_stays_within_its_bounds_and_right() {
    let router = Router::new();
    for session in 0..60 {
        router.subscribe("big/#", subscriber(session));
        router.subscribe(&format!("big/{session}/+"), subscriber(1000 + session));
    }
    for session in 0..200 {
        router.subscribe("huge", subscriber(session));
    }
    let mut cache = MatchCache::new(16, 150);
    for step in 0..2000u32 {
        let n = step * 31 % 53;
        let topic = match step % 5 {
            0 => format!("big/{n}/x"),
            1 => "huge".to_owned(),
            2 => "often".to_owned(),
            _ => format!("nobody/{n}"),
        };
        let expected = router.matches(&topic).targets.len();
        assert_eq!(cache.matches(&router, &topic).targets.len(), expected);
        assert!(cache.len() <= 16);
        assert!(cache.targets() <= 150);
        if step % 50 == 0 {
            router.subscribe(&format!("other/{step}/+"), subscriber(step));
            router.unsubscribe("big/#", key(step / 50));
        }
    }
    assert!(cache.counts().evicted > 0 && cache.counts().hits > 0);
    cache.clear();
    assert_eq!((cache.len(), cache.targets()), (0, 0));
    assert_eq!(cache.matches(&router, "huge").targets.len(), 200);
}

#[test]
fn long_topics_do_not_fill_the_memory() {
    let router = Router::new();
    router.subscribe("long/#", subscriber(1));
    let mut cache = MatchCache::new(1 << 17, 1 << 20);
    let tail = "x".repeat(60_000);
    let mut most = 0;
    for n in 0..1_500 {
        assert_eq!(cache.matches(&router, &format!("long/{n}/{tail}")).targets.len(), 1);
        assert_eq!(cache.matches(&router, "short").targets.len(), 0);
        most = most.max(cache.topic_bytes());
    }
    assert!((16 << 20..=32 << 20).contains(&most), "{most}");
    let mut cache = MatchCache::new(4, 100);
    for n in 0..100 {
        cache.matches(&router, &format!("long/{n:03}/{}", &tail[..1000]));
    }
    assert_eq!(cache.topic_bytes(), 4 * 1009, "what gives way is taken off");
}

#[test]
fn a_subscription_is_seen_by_every_thread_once_it_was_made() {
    const ROUNDS: u32 = 3000;
    let router = Router::new();
    let made = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut cache = MatchCache::new(64, 10_000);
                loop {
                    let at_least = made.load(Ordering::Acquire);
                    let found = cache.matches(&router, "t/x").targets.len();
                    assert!(found as u32 >= at_least.min(ROUNDS), "{found} of {at_least}");
                    let exact = cache.matches(&router, "t/y").targets.len();
                    assert!(exact <= 1);
                    if at_least >= ROUNDS {
                        break;
                    }
                }
            });
        }
        scope.spawn(|| {
            for session in 0..ROUNDS {
                router.subscribe("t/+/#", subscriber(session));
                router.unsubscribe("t/+/#", key(session));
                router.subscribe("t/x", subscriber(session));
                made.store(session + 1, Ordering::Release);
            }
        });
    });
    assert_eq!(router.subscriptions(), ROUNDS as usize);
}
