//! Any sequence of changes against a list of filters.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rookery_codec::{QoS, filter_matches};

use super::*;

#[derive(Clone, Debug)]
enum Op {
    Subscribe { filter: String, session: u32, sub_id: u32, qos: u8, no_local: bool, rap: bool },
    Unsubscribe { filter: String, session: u32 },
    Join { group: u8, filter: String, session: u32 },
    Leave { group: u8, filter: String, session: u32 },
    Connected { group: u8, filter: String, session: u32, connected: bool },
    Publish { topic: String },
}

fn filters() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["a", "b", "", "$x", "+", "+"]);
    (prop::collection::vec(level, 1..4), any::<bool>()).prop_map(|(mut levels, has_hash)| {
        if has_hash {
            levels.push("#");
        }
        if levels.len() > 3 {
            levels.remove(0);
        }
        let filter = levels.join("/");
        if filter.is_empty() { "a".to_owned() } else { filter }
    })
}

fn topics() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["a", "b", "", "$x", "unknown"]);
    prop::collection::vec(level, 1..5).prop_map(|levels| levels.join("/"))
}

fn ops() -> impl Strategy<Value = Op> {
    let session = 0..6u32;
    prop_oneof![
        (filters(), session.clone(), 0..4u32, 0..3u8, any::<bool>(), any::<bool>()).prop_map(
            |(filter, session, sub_id, qos, no_local, rap)| Op::Subscribe {
                filter,
                session,
                sub_id,
                qos,
                no_local,
                rap
            }
        ),
        (filters(), session.clone())
            .prop_map(|(filter, session)| Op::Unsubscribe { filter, session }),
        (0..2u8, filters(), session.clone()).prop_map(|(group, filter, session)| Op::Join {
            group,
            filter,
            session
        }),
        (0..2u8, filters(), session.clone()).prop_map(|(group, filter, session)| Op::Leave {
            group,
            filter,
            session
        }),
        (0..2u8, filters(), session, any::<bool>()).prop_map(
            |(group, filter, session, connected)| Op::Connected {
                group,
                filter,
                session,
                connected
            }
        ),
        topics().prop_map(|topic| Op::Publish { topic }),
        topics().prop_map(|topic| Op::Publish { topic }),
    ]
}

/// What the router should hold.
#[derive(Default)]
struct Model {
    plain: BTreeMap<(String, u32), Subscriber>,
    shared: BTreeMap<(u8, String, u32), bool>,
}

impl Model {
    fn check_topic(&self, matched: &Matched, topic: &str) {
        let mut expected = BTreeMap::<SessionKey, (SubOpts, Vec<u32>)>::new();
        for ((filter, _), sub) in &self.plain {
            if filter_matches(filter, topic) {
                let entry = expected.entry(sub.key).or_insert((sub.opts, Vec::new()));
                entry.0 = entry.0.merged(sub.opts);
                entry.1.extend(Some(sub.sub_id).filter(|id| *id != 0));
            }
        }
        let found = matched.targets.iter().map(|target| {
            let mut ids = matched.sub_ids(target).to_vec();
            ids.sort_unstable();
            (target.key, (target.opts, ids))
        });
        for (_, ids) in expected.values_mut() {
            ids.sort_unstable();
        }
        assert_eq!(found.collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>(), "{topic}");

        let expected = self.shared.keys().filter(|(_, filter, _)| filter_matches(filter, topic));
        let expected = expected.map(|(group, filter, _)| (format!("g{group}"), filter.clone()));
        let found = matched.groups.iter().map(|at| (at.name().to_owned(), at.filter().to_owned()));
        let found_set = found.clone().collect::<BTreeSet<_>>();
        assert_eq!(found.count(), found_set.len());
        assert_eq!(found_set, expected.collect::<BTreeSet<_>>());
        for at in &matched.groups {
            self.check_group(&at.group);
        }
    }

    fn check_group(&self, group: &SharedGroup) {
        let of_group = self.shared.iter().filter(|((name, filter, _), _)| {
            format!("g{name}") == group.name() && filter == group.filter()
        });
        let members = of_group.map(|((_, _, session), on)| (key(*session), *on));
        let members = members.collect::<BTreeMap<_, _>>();
        let connected = members.values().filter(|on| **on).count();
        assert_eq!((group.len(), group.connected()), (members.len(), connected));
        let mut tried = Vec::new();
        while let Some(sub) = group.pick(SharedStrategy::RoundRobin, PickContext::default(), &tried)
        {
            assert_eq!(members[&sub.key], tried.len() < connected, "connected members first");
            assert!(!tried.contains(&sub.key));
            tried.push(sub.key);
        }
        assert_eq!(tried.len(), members.len());
    }

    fn counts(&self) -> (usize, usize, usize) {
        let filters = self.plain.keys().map(|(filter, _)| filter);
        let filters = filters.chain(self.shared.keys().map(|(_, filter, _)| filter));
        let distinct = filters.collect::<BTreeSet<_>>().len();
        (self.plain.len() + self.shared.len(), self.shared.len(), distinct)
    }
}

fn apply(router: &Router, model: &mut Model, op: &Op) {
    match op.clone() {
        Op::Subscribe { filter, session, sub_id, qos, no_local, rap } => {
            let qos = QoS::from_u8(qos).unwrap_or_default();
            let opts = SubOpts::new(qos, no_local, rap, 0);
            let sub = Subscriber { sub_id, opts, ..subscriber(session) };
            let is_new = router.subscribe(&filter, sub);
            assert_eq!(is_new, model.plain.insert((filter, session), sub).is_none());
        }
        Op::Unsubscribe { filter, session } => {
            let was_there = router.unsubscribe(&filter, key(session));
            assert_eq!(was_there, model.plain.remove(&(filter, session)).is_some());
        }
        Op::Join { group, filter, session } => {
            let is_new =
                router.subscribe_shared(&format!("g{group}"), &filter, subscriber(session));
            assert_eq!(is_new, model.shared.insert((group, filter, session), true).is_none());
        }
        Op::Leave { group, filter, session } => {
            let was_there = router.unsubscribe_shared(&format!("g{group}"), &filter, key(session));
            assert_eq!(was_there, model.shared.remove(&(group, filter, session)).is_some());
        }
        Op::Connected { group, filter, session, connected } => {
            let name = format!("g{group}");
            let is_member = router.set_connected(&name, &filter, key(session), connected);
            let member = model.shared.get_mut(&(group, filter, session));
            assert_eq!(is_member, member.is_some());
            member.into_iter().for_each(|member| *member = connected);
        }
        Op::Publish { .. } => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_changes_matches_as_a_list_of_filters_would(
        ops in prop::collection::vec(ops(), 1..120)
    ) {
        let router = Router::new();
        let baseline = router.memory_bytes();
        let mut cache = MatchCache::new(4, 20);
        let mut model = Model::default();
        for op in &ops {
            apply(&router, &mut model, op);
            if let Op::Publish { topic } = op {
                model.check_topic(cache.matches(&router, topic), topic);
                model.check_topic(&router.matches(topic), topic);
            }
            let counts = (router.subscriptions(), router.shared_subscriptions(), router.topics());
            prop_assert_eq!(counts, model.counts());
        }
        for (filter, session) in model.plain.keys() {
            router.unsubscribe(filter, key(*session));
        }
        for (group, filter, session) in model.shared.keys() {
            router.unsubscribe_shared(&format!("g{group}"), filter, key(*session));
        }
        prop_assert_eq!(router.places_in_use(), (0, 0));
        prop_assert_eq!(router.memory_bytes(), baseline);
    }
}
