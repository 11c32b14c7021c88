//! What was promised to whom, and what came.

use std::collections::{BTreeMap, HashMap, HashSet};

use rookery_codec::{ParsedFilter, QoS, filter_matches, parse_filter};

use super::client::Taken;
use super::world::World;

struct Published {
    publisher: usize,
    qos: QoS,
    /// Delayed or sent twice: it may come after younger ones.
    is_unordered: bool,
    is_delayed: bool,
    is_acked: bool,
    /// Durable sessions that have to get it, with the QoS of the delivery.
    owed: Vec<(usize, QoS)>,
    /// Shared subscriptions of which one member has to get it.
    owed_groups: Vec<(String, QoS)>,
}

/// All messages of one run.
#[derive(Default)]
pub struct Ledger {
    messages: BTreeMap<u64, Published>,
    /// Confirmed subscriptions of durable sessions: (client, filter) and QoS.
    subscriptions: BTreeMap<(usize, String), QoS>,
    taken: HashMap<(usize, u64), usize>,
    newest: HashMap<(usize, usize, String, QoS), u64>,
    first: HashSet<(usize, u64)>,
    exactly_once: HashSet<(usize, u64)>,
    pub context: String,
    /// The store refuses writes: what it refused may come twice or late.
    is_lenient: bool,
}

impl Ledger {
    pub fn new(context: String, is_lenient: bool) -> Self {
        Self { context, is_lenient, ..Self::default() }
    }

    pub fn subscribed(&mut self, client: usize, filter: String, qos: QoS) {
        self.subscriptions.insert((client, filter), qos);
    }

    pub fn published(
        &mut self,
        number: u64,
        publisher: usize,
        topic: &str,
        qos: QoS,
        is_delayed: bool,
    ) {
        let mut owed: BTreeMap<usize, QoS> = BTreeMap::new();
        let mut groups: BTreeMap<String, QoS> = BTreeMap::new();
        for ((client, filter), granted) in &self.subscriptions {
            let parsed = parse_filter(filter).unwrap();
            if !filter_matches(parsed.filter(), topic) {
                continue;
            }
            let granted = (*granted).min(qos);
            match parsed {
                ParsedFilter::Shared { group, .. } => {
                    let least = groups.entry(group.into()).or_insert(granted);
                    *least = (*least).min(granted);
                }
                _ => {
                    let best = owed.entry(*client).or_insert(granted);
                    *best = (*best).max(granted);
                }
            }
        }
        let keeps = |(_, qos): &(usize, QoS)| *qos != QoS::AtMostOnce;
        let message = Published {
            publisher,
            qos,
            is_unordered: is_delayed,
            is_delayed,
            is_acked: false,
            owed: owed.into_iter().filter(keeps).collect(),
            owed_groups: groups.into_iter().filter(|(_, q)| *q != QoS::AtMostOnce).collect(),
        };
        self.messages.insert(number, message);
    }

    pub fn resent(&mut self, number: u64) {
        if let Some(message) = self.messages.get_mut(&number) {
            message.is_unordered = true;
        }
    }

    /// A PUBACK or PUBREC came: what it promises is in the store.
    pub fn acked(&mut self, number: u64, world: &World) {
        let Some(message) = self.messages.get_mut(&number) else { return };
        message.is_acked = true;
        let is_owed = !message.owed.is_empty() || !message.owed_groups.is_empty();
        assert!(
            !is_owed || message.is_delayed || world.store.ever_committed.contains(&number),
            "{}: message {number} was acknowledged before it was committed",
            self.context
        );
    }

    pub fn taken(&mut self, client: usize, is_durable: bool, is_shared: bool, taken: &Taken) {
        let Some(message) = self.messages.get(&taken.number).filter(|_| !taken.retain) else {
            return;
        };
        *self.taken.entry((client, taken.number)).or_insert(0) += 1;
        assert!(taken.qos <= message.qos);
        // At QoS 0 or 1, before the subscription had QoS 2, it may have come more often.
        let is_once = taken.qos == QoS::ExactlyOnce && is_durable && !self.is_lenient;
        assert!(
            !is_once || self.exactly_once.insert((client, taken.number)),
            "{}: QoS 2 message {} came twice to {client}",
            self.context,
            taken.number
        );
        if is_shared
            || message.is_unordered
            || !self.first.insert((client, taken.number))
            || self.is_lenient
        {
            return;
        }
        let lane = (client, message.publisher, taken.topic.clone(), taken.qos);
        let newest = self.newest.entry(lane).or_insert(0);
        assert!(
            *newest < taken.number,
            "{}: {client} got {taken:?} after {newest} of the same publisher {}, topic and QoS",
            self.context,
            message.publisher
        );
        *newest = taken.number;
    }

    /// The end: everything acknowledged has come.
    pub fn check_all_came(&self, members: &[usize]) {
        // The store may refuse a delayed message when its time has come: there is nobody to tell.
        let is_promised = |m: &Published| m.is_acked && !(m.is_delayed && self.is_lenient);
        for (number, message) in self.messages.iter().filter(|(_, m)| is_promised(m)) {
            for (client, qos) in &message.owed {
                assert!(
                    self.taken.contains_key(&(*client, *number)),
                    "{}: acknowledged message {number} ({qos:?}) never came to {client}",
                    self.context
                );
            }
            for (group, qos) in &message.owed_groups {
                let came: usize =
                    members.iter().filter_map(|c| self.taken.get(&(*c, *number))).sum();
                assert!(
                    came > 0,
                    "{}: acknowledged message {number} came to no member of {group}",
                    self.context
                );
                let is_once = *qos == QoS::ExactlyOnce && !self.is_lenient;
                assert!(
                    !is_once || came == 1,
                    "{}: QoS 2 message {number} came {came} times to {group}",
                    self.context
                );
            }
        }
    }

    pub fn acked_count(&self) -> usize {
        self.messages
            .values()
            .filter(|m| m.is_acked && !(m.owed.is_empty() && m.owed_groups.is_empty()))
            .count()
    }
}
