//! Routes of other nodes against a naive model, and what other nodes are told of this one.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rookery_codec::filter_matches;

use super::*;

type Route = (Option<String>, String);

#[derive(Clone, Debug)]
enum Op {
    Set { node: u16, route: Route, weight: u32 },
    Clear { node: u16, slice: usize },
    Subscribe { route: Route, session: u32 },
    Unsubscribe { route: Route, session: u32 },
    Connected { route: Route, session: u32, is_connected: bool },
    Publish { topic: String },
}

fn routes() -> impl Strategy<Value = Route> {
    let group = prop::option::of(prop::sample::select(vec!["g".to_owned(), "h".to_owned()]));
    let filters = ["a", "a/b", "a/+", "a/#", "+", "#", "+/b", "$x/#", "a//b", "ä/b"];
    (group, prop::sample::select(filters.map(str::to_owned).to_vec()))
}

fn ops() -> impl Strategy<Value = Op> {
    let topics = ["a", "a/b", "b", "$x/y", "a//b", "ä/b", "c/b", "a/b/c"].map(str::to_owned);
    prop_oneof![
        3 => (0..4u16, routes(), 0..6u32)
            .prop_map(|(node, route, weight)| Op::Set { node, route, weight }),
        1 => (0..4u16, 1..9usize).prop_map(|(node, slice)| Op::Clear { node, slice }),
        2 => (routes(), 0..4u32).prop_map(|(route, session)| Op::Subscribe { route, session }),
        2 => (routes(), 0..4u32).prop_map(|(route, session)| Op::Unsubscribe { route, session }),
        1 => (routes(), 0..4u32, any::<bool>()).prop_map(|(route, session, is_connected)| {
            Op::Connected { route, session, is_connected }
        }),
        3 => prop::sample::select(topics.to_vec()).prop_map(|topic| Op::Publish { topic }),
    ]
}

#[derive(Default)]
struct Model {
    remote: BTreeMap<(u16, Route), Weight>,
    /// Whether it is connected.
    local: BTreeMap<(Route, u32), bool>,
    /// What a follower of the changes knows.
    told: BTreeMap<Route, Weight>,
}

impl Model {
    fn check(&self, matched: &Matched, topic: &str) {
        let nodes = self
            .remote
            .keys()
            .filter(|(_, (group, filter))| group.is_none() && filter_matches(filter, topic));
        let expected: BTreeSet<u32> = nodes.map(|(node, _)| u32::from(*node)).collect();
        let found: Vec<u32> =
            matched.targets_of(NODES_SHARD).iter().map(|target| target.key.slot).collect();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{topic}");
        assert!(matched.local().iter().all(|target| target.key.shard < NODES_SHARD));

        let remote = self.remote.keys().map(|(_, route)| route);
        let shared = remote.chain(self.local.keys().map(|(route, _)| route)).filter_map(|route| {
            let group = route.0.clone()?;
            filter_matches(&route.1, topic).then(|| (group, route.1.clone()))
        });
        let expected: BTreeSet<_> = shared.collect();
        let found: BTreeSet<_> = matched
            .groups
            .iter()
            .map(|at| (at.name().to_owned(), at.filter().to_owned()))
            .collect();
        assert_eq!(found, expected, "{topic}");
        for at in &matched.groups {
            self.check_picks(&at.group);
        }
    }

    /// In as many turns as there are connected members each of them is chosen once.
    fn check_picks(&self, group: &SharedGroup) {
        let route = (Some(group.name().to_owned()), group.filter().to_owned());
        let mut expected = BTreeMap::<SessionKey, usize>::new();
        for ((_, session), is_connected) in self.local.iter().filter(|((at, _), _)| *at == route) {
            if *is_connected {
                *expected.entry(key(*session)).or_default() += 1;
            }
        }
        for ((node, _), weight) in self.remote.iter().filter(|((_, at), _)| *at == route) {
            let count = weight.connected();
            if count > 0 {
                *expected.entry(node_key(*node)).or_default() += count;
            }
        }
        let mut found = BTreeMap::<SessionKey, usize>::new();
        for _ in 0..expected.values().sum::<usize>() {
            let picked = group.pick(SharedStrategy::RoundRobin, PickContext::default(), &[]);
            let mut key = picked.unwrap().key;
            if key.shard == NODES_SHARD {
                key.generation = 0;
            }
            *found.entry(key).or_default() += 1;
        }
        assert_eq!(found, expected, "{route:?}");
        let here = group.pick_here(SharedStrategy::RoundRobin, PickContext::default(), &[]);
        assert!(here.is_none_or(|sub| sub.key.shard != NODES_SHARD));
    }

    fn local_routes(&self) -> BTreeMap<Route, Weight> {
        let mut counts = BTreeMap::<Route, (usize, usize)>::new();
        for ((route, _), is_connected) in &self.local {
            let count = counts.entry(route.clone()).or_default();
            *(if *is_connected { &mut count.0 } else { &mut count.1 }) += 1;
        }
        let weights = counts.into_iter().map(|((group, filter), (connected, away))| {
            let weight = group.as_ref().map_or(Weight::SOME, |_| Weight::of(connected, away));
            ((group, filter), weight)
        });
        weights.collect()
    }

    fn follow(&mut self, router: &Router) {
        let taken = router.take_route_changes(Feed::Nodes);
        assert!(!taken.is_lost);
        for change in taken.changes {
            let route = (change.group.map(String::from), String::from(change.filter));
            let was = match change.is.is_none() {
                true => self.told.remove(&route),
                false => self.told.insert(route, change.is),
            };
            assert_eq!(was.unwrap_or_default(), change.was);
        }
        assert_eq!(self.told, self.local_routes());
        let mut listed = BTreeMap::new();
        let mut from = Some(0);
        while let Some(at) = from {
            from = router.local_routes(at, 3, |group, filter, weight| {
                listed.insert((group.map(str::to_owned), filter.to_owned()), weight);
            });
        }
        assert_eq!(listed, self.told);
    }

    fn apply(&mut self, router: &Router, op: Op) {
        match op {
            Op::Set { node, route, weight } => {
                let weight = match (&route.0, weight) {
                    (_, 0) => Weight::NONE,
                    (None, _) => Weight::SOME,
                    (Some(_), bits) => Weight::from_bits(bits),
                };
                let item = [(route.0.as_deref(), &*route.1, weight)];
                let mut had = None;
                router.set_routes(node, item, |_, _, was, _| had = Some(was));
                let was = match weight.is_none() {
                    true => self.remote.remove(&(node, route)),
                    false => self.remote.insert((node, route), weight),
                };
                assert_eq!(had, Some(was.unwrap_or_default()));
            }
            Op::Clear { node, slice } => {
                let mut from = Some(0);
                while let Some(at) = from {
                    from = router.clear_routes(node, at, slice);
                }
                self.remote.retain(|(at, _), _| *at != node);
            }
            Op::Subscribe { route, session } => {
                match &route.0 {
                    None => router.subscribe(&route.1, subscriber(session)),
                    Some(group) => router.subscribe_shared(group, &route.1, subscriber(session)),
                };
                self.local.insert((route, session), true);
            }
            Op::Unsubscribe { route, session } => {
                match &route.0 {
                    None => router.unsubscribe(&route.1, key(session)),
                    Some(group) => router.unsubscribe_shared(group, &route.1, key(session)),
                };
                self.local.remove(&(route, session));
            }
            Op::Connected { route, session, is_connected } => {
                let Some(group) = &route.0 else { return };
                if router.set_connected(group, &route.1, key(session), is_connected) {
                    self.local.insert((route, session), is_connected);
                }
            }
            Op::Publish { .. } => {}
        }
    }
}

proptest! {
    #[test]
    fn nodes_get_what_they_have_filters_for_and_learn_what_changes(
        ops in prop::collection::vec(ops(), 1..60),
    ) {
        let router = Router::new();
        let mut cache = MatchCache::new(4, 100);
        let mut model = Model::default();
        router.track_routes(Feed::Nodes, |_, _, _| {});
        for op in ops {
            if let Op::Publish { topic } = &op {
                model.check(cache.matches(&router, topic), topic);
            }
            model.apply(&router, op);
            model.follow(&router);
            let plain = model.local.keys().filter(|((group, _), _)| group.is_none()).count();
            prop_assert_eq!(router.subscriptions(), model.local.len());
            prop_assert_eq!(router.shared_subscriptions(), model.local.len() - plain);
            let filters: BTreeSet<_> = model.local.keys().map(|((_, filter), _)| filter).collect();
            prop_assert_eq!(router.topics(), filters.len(), "filters of other nodes do not count");
            let remote = model.remote.keys().filter(|(_, (group, _))| group.is_none());
            let remote: BTreeSet<_> = remote.map(|(_, (_, filter))| filter).collect();
            prop_assert_eq!(router.routes(), remote.len());
        }
        for node in 0..4 {
            model.apply(&router, Op::Clear { node, slice: 2 });
        }
        for (route, session) in model.local.clone().into_keys() {
            model.apply(&router, Op::Unsubscribe { route, session });
        }
        prop_assert_eq!(router.places_in_use(), (0, 0), "nothing is left behind");
        prop_assert_eq!(router.distinct_node_sets(), 0);
    }
}

#[test]
fn a_node_that_is_alone_notes_nothing() {
    let router = Router::new();
    router.subscribe("a", subscriber(1));
    assert!(!router.has_route_changes(Feed::Nodes));
    let mut found = Vec::new();
    router.track_routes(Feed::Nodes, |_, filter, weight| found.push((filter.to_owned(), weight)));
    assert_eq!(found, [("a".to_owned(), Weight::SOME)]);
    router.subscribe("a", subscriber(2));
    assert!(!router.has_route_changes(Feed::Nodes), "only the first and the last count");
    router.unsubscribe("a", key(1));
    router.unsubscribe("a", key(2));
    assert!(router.has_route_changes(Feed::Nodes));
    assert_eq!(router.take_route_changes(Feed::Nodes).changes.len(), 1);
    router.untrack_routes(Feed::Nodes);
    router.subscribe("b", subscriber(1));
    assert!(!router.has_route_changes(Feed::Nodes));
}

#[test]
fn many_routes_to_the_same_nodes_share_one_set() {
    let router = Router::new();
    let filters: Vec<String> = (0..1000).map(|n| format!("d/{n}/#")).collect();
    for node in 0..3 {
        let items = filters.iter().map(|filter| (None, &**filter, Weight::SOME));
        router.set_routes(node, items, |_, _, _, _| {});
    }
    assert_eq!((router.routes(), router.distinct_node_sets()), (1000, 1));
    assert_eq!(router.matches("d/7/x").targets_of(NODES_SHARD).len(), 3);
}

#[test]
fn linked_clusters_stand_beside_nodes_and_learn_by_themselves() {
    let router = Router::new();
    let items = || [(None, "a/#", Weight::SOME)];
    for number in [0, LINKS_FROM + 1, 3, LINKS_FROM] {
        router.set_routes(number, items(), |_, _, _, _| {});
    }
    router.subscribe("a/b", subscriber(1));
    let matched = router.matches("a/b");
    let slots = |shard| matched.targets_of(shard).iter().map(|t| t.key.slot).collect::<Vec<_>>();
    assert_eq!(slots(NODES_SHARD), [0, 3]);
    assert_eq!(slots(LINKS_SHARD), [u32::from(LINKS_FROM), u32::from(LINKS_FROM) + 1]);
    assert_eq!((matched.local().len(), matched.targets.len()), (1, 5));

    router.track_routes(Feed::Nodes, |_, _, _| {});
    router.track_routes(Feed::Links, |_, _, _| {});
    router.subscribe("c", subscriber(1));
    assert_eq!(router.take_route_changes(Feed::Links).changes.len(), 1);
    assert!(!router.has_route_changes(Feed::Links));
    router.untrack_routes(Feed::Links);
    router.subscribe("d", subscriber(1));
    assert_eq!(router.take_route_changes(Feed::Nodes).changes.len(), 2);
    assert!(!router.has_route_changes(Feed::Links));
}
