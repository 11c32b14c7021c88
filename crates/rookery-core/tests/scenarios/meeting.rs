//! One client that connects to several nodes at the same moment, with the lanes as they are: what one node
//! tells another comes in order, whenever it comes.

use std::collections::VecDeque;
use std::sync::Arc;

use proptest::prelude::*;
use rookery_cluster::moves::{Asks, Question, Settled};
use rookery_codec::Connect;
use rookery_core::effects::ShardMessage;
use rookery_core::moving::{Move, MoveStep};

use super::stage::{Actor, Stage};
use crate::v5;

const NODES: usize = 3;
const NAMES: [&str; NODES] = ["a@n", "b@n", "c@n"];

struct Meeting {
    nodes: Vec<Stage>,
    asks: Vec<Asks>,
    /// From, to.
    lanes: [[VecDeque<MoveStep>; NODES]; NODES],
    actors: Vec<(usize, Actor)>,
}

impl Meeting {
    fn new() -> Self {
        let node = |_| {
            let mut node = Stage::new();
            node.config(|c| c.durable = true);
            node.nodes(NODES - 1);
            node
        };
        Self {
            nodes: (0..NODES).map(node).collect(),
            asks: (0..NODES).map(|_| Asks::default()).collect(),
            lanes: Default::default(),
            actors: Vec::new(),
        }
    }

    fn connect(&mut self, at: usize) {
        let mut actor = self.nodes[at].open();
        let mut connect = Connect { clean_start: false, ..v5("c") };
        connect.properties.session_expiry_interval_s = Some(3600);
        actor.version = connect.version;
        actor.send(&mut self.nodes[at], |out| connect.encode(out));
        self.actors.push((at, actor));
        self.collect(at);
    }

    /// What a node has to say goes on its lanes.
    fn collect(&mut self, at: usize) {
        for message in self.nodes[at].for_nodes() {
            let ShardMessage::Move(step) = message else { continue };
            let Move { node, step } = *step;
            match (node, step) {
                (None, MoveStep::Ask { ask, epoch, is_clean, client_id, .. }) => {
                    for to in (0..NODES).filter(|to| *to != at) {
                        let (client_id, is_above) = (client_id.clone(), false);
                        let step = MoveStep::Ask { ask, epoch, is_clean, is_above, client_id };
                        self.lanes[at][to].push_back(step);
                    }
                    let waiting = (0..NODES).filter(|to| *to != at).map(|to| to as u64);
                    let question = Question { ask, epoch, is_clean, client_id };
                    let settled = self.asks[at].ask(question, waiting.collect(), 1000);
                    assert_eq!(settled, None);
                }
                (None, MoveStep::GiveUp { ask, .. }) => drop(self.asks[at].close(ask)),
                (Some(node), step) => {
                    let to = NAMES.iter().position(|name| **name == *node).unwrap();
                    self.lanes[at][to].push_back(step);
                }
                (None, step) => panic!("{step:?}"),
            }
        }
    }

    /// The next thing on a lane arrives, as the thread of the lanes takes it.
    fn arrive(&mut self, from: usize, to: usize) -> bool {
        let Some(step) = self.lanes[from][to].pop_front() else { return false };
        let is_above = to > from;
        let mut settled = None;
        let step = match step {
            MoveStep::Nothing { ask } => {
                settled = self.asks[to].answered(ask, from as u64, false, |_| true);
                None
            }
            MoveStep::Coming { .. } => None,
            MoveStep::Refused { ask, client_id } => {
                let is_open = self.asks[to].close(ask).is_some();
                is_open.then_some((None, MoveStep::Refused { ask, client_id }))
            }
            MoveStep::Copy { ask, client_id, bytes } => {
                settled = self.asks[to].answered(ask, from as u64, true, |_| true);
                Some((Some(from), MoveStep::Copy { ask, client_id, bytes }))
            }
            MoveStep::Ask { ask, epoch, is_clean, client_id, .. } => {
                let step = MoveStep::Ask { ask, epoch, is_clean, is_above, client_id };
                Some((Some(from), step))
            }
            MoveStep::Held { shard, next, items, .. } => {
                Some((Some(from), MoveStep::Held { shard, next, is_above, items }))
            }
            step => Some((Some(from), step)),
        };
        if let Some((node, step)) = step {
            self.hear(to, node, step);
        }
        if let Some(Settled { question: Question { ask, client_id, .. }, .. }) = settled {
            let silent = Vec::new();
            self.hear(to, None, MoveStep::Settled { ask, client_id, silent });
        }
        true
    }

    fn hear(&mut self, at: usize, from: Option<usize>, step: MoveStep) {
        let node: Option<Arc<str>> = from.map(|from| NAMES[from].into());
        self.nodes[at].hear(ShardMessage::Move(Box::new(Move { node, step })));
        self.collect(at);
    }

    fn settle(&mut self) {
        while (0..NODES * NODES).any(|lane| self.arrive(lane / NODES, lane % NODES)) {}
    }

    fn sessions(&self) -> usize {
        self.nodes.iter().map(Stage::sessions).sum()
    }

    fn connected(&self) -> usize {
        self.actors.iter().filter(|(at, actor)| !actor.is_closed(&self.nodes[*at])).count()
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000, failure_persistence: None, ..ProptestConfig::default()
    })]

    /// All of it in one millisecond of clocks that are the same: of two connects one stays. Of three it may be
    /// none: one gives way to a question of another that has given up itself, and whose session it has taken
    /// has ended its connection by then.
    #[test]
    fn one_session_and_one_connection_stay(
        steps in prop::collection::vec((0..2 * NODES, 0..NODES), 0..40),
        apart in 0..=NODES,
    ) {
        let mut meeting = Meeting::new();
        let mut has_come: [bool; NODES] = std::array::from_fn(|at| at == apart);
        for (what, other) in steps {
            if what < NODES {
                meeting.arrive(what, other);
            } else if !std::mem::replace(&mut has_come[other], true) {
                meeting.connect(other);
            }
        }
        for at in (0..NODES).filter(|at| !has_come[*at]) {
            meeting.connect(at);
        }
        meeting.settle();
        prop_assert_eq!(meeting.sessions(), 1);
        let connected = meeting.connected();
        prop_assert!(connected == 1 || apart == NODES && connected == 0, "{}", connected);
    }
}
