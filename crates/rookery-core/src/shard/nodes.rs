//! Messages to and from other nodes of the cluster, and acknowledgements that wait for them.
//!
//! A message is matched where it entered, goes once to each node that has somebody for it, and is
//! delivered there to sessions of that node alone. Rules and hooks have seen it where it entered.
//! PUBACK and PUBREC leave when every such node has it in memory, or when the driver says that it
//! has waited long enough.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rookery_codec::{AckKind, QoS};

use super::Shard;
use super::deliver::Source;
use super::gate::GateAction;
use super::promising::{Exchange, answers_publish};
use super::shadow::Held;
use crate::conn::ConnState;
use crate::effects::ShardMessage;
use crate::ids::{ConnKey, Now, SessionKey};
use crate::message::Message;
use crate::router::{Feed, Matched, NODES_SHARD, SharedGroup, Subscriber};
use crate::session::Will;

/// An acknowledgement that waits for other nodes; what it promises of the store is decided.
#[derive(Debug)]
struct Waiting {
    turn: u64,
    conn: ConnKey,
    action: GateAction,
    is_stored: bool,
}

#[derive(Debug)]
pub(super) struct Nodes {
    /// The latest message went to other nodes, with QoS 1 or 2.
    pub(super) is_told: bool,
    /// Something of this turn has to be taken by other nodes.
    is_wanted: bool,
    /// Number of this turn among those.
    turn: u64,
    /// All turns up to this one were taken.
    pub(super) taken: u64,
    /// Of one connection in order; of all about in the order of turns.
    waiting: VecDeque<Waiting>,
    /// Retained messages of other nodes whose writes are not committed: ticket, node, number.
    pub(super) unstored: VecDeque<(u64, u64, u64)>,
    /// Wills without a session, by when they are due on the monotonic clock.
    pub(super) wills_due: BTreeMap<(u64, u64), Will>,
    pub(super) wills_made: u64,
}

impl Default for Nodes {
    fn default() -> Self {
        Self {
            is_told: false,
            is_wanted: false,
            turn: 1,
            taken: 0,
            waiting: VecDeque::new(),
            unstored: VecDeque::new(),
            wills_due: BTreeMap::new(),
            wills_made: 0,
        }
    }
}

impl Nodes {
    /// Number of this turn.
    pub(super) const fn turn(&self) -> u64 {
        self.turn
    }

    pub(super) fn wait(&mut self, turn: u64, conn: ConnKey, action: GateAction, is_stored: bool) {
        self.waiting.push_back(Waiting { turn, conn, action, is_stored });
    }

    /// Answers to publishers that wait for exactly that turn say that nothing is promised; the QoS 2
    /// exchanges among them.
    pub(super) fn refuse(&mut self, turn: u64) -> Vec<Exchange> {
        let mut exchanges = Vec::new();
        for waiting in self.waiting.iter_mut().filter(|waiting| waiting.turn == turn) {
            let Some((kind, packet_id)) = answers_publish(&waiting.action) else { continue };
            waiting.is_stored = false;
            if kind == AckKind::PubRec {
                exchanges.push((waiting.conn, packet_id));
            }
        }
        exchanges
    }
}

impl Shard {
    /// A message whose receivers are elsewhere in the cluster.
    #[cold]
    pub(super) fn send_to_nodes(&mut self, message: ShardMessage) {
        let is_promised = match &message {
            ShardMessage::Deliver { message, .. } | ShardMessage::DeliverShared { message, .. } => {
                message.qos != QoS::AtMostOnce
            }
            ShardMessage::Following(following) => {
                following.item.message.as_ref().is_some_and(|m| m.qos != QoS::AtMostOnce)
            }
            _ => false,
        };
        if is_promised {
            self.wait_for_nodes();
        }
        self.effects.to_nodes.push(message);
    }

    /// The acknowledgement of the latest message waits for what this turn has for other nodes.
    pub(super) fn wait_for_nodes(&mut self) {
        self.nodes.is_told = true;
        self.nodes.is_wanted = true;
    }

    /// An acknowledgement of a message that other nodes get as well.
    #[cold]
    pub(super) fn gate_behind_nodes(
        &mut self,
        now: Now,
        key: ConnKey,
        ticket: u64,
        action: GateAction,
    ) {
        self.nodes.is_told = false;
        let turn = self.nodes.turn;
        if turn > self.nodes.taken {
            self.gate_later(key, ticket, turn, action);
        } else {
            // The lanes are closed: nobody is waited for.
            self.gate(now, key, ticket, action);
        }
    }

    /// Ends the turn for other nodes: the number under which what went to them is to be reported
    /// as [taken](ShardMessage::NodesTook), if somebody waits for that.
    pub fn end_turn_for_nodes(&mut self) -> Option<u64> {
        self.nodes.is_told = false;
        if !std::mem::take(&mut self.nodes.is_wanted) {
            return None;
        }
        self.nodes.turn += 1;
        Some(self.nodes.turn - 1)
    }

    /// Whether other nodes have to be told of subscriptions.
    #[must_use]
    pub fn has_route_changes(&self) -> bool {
        self.shared.router.has_route_changes(Feed::Nodes) || self.shared.links.has_changes()
    }

    /// Whether linked clusters have to be told of subscriptions.
    #[must_use]
    pub fn has_route_changes_for_links(&self) -> bool {
        self.shared.router.has_route_changes(Feed::Links) || self.shared.links.has_news()
    }

    /// Other nodes took everything up to a turn.
    pub(super) fn nodes_took(&mut self, now: Now, turn: u64) {
        if turn == u64::MAX {
            self.settle_all(now);
        }
        self.nodes.taken = self.nodes.taken.max(turn);
        let taken = self.nodes.taken;
        self.followed(taken);
        while self.nodes.waiting.front().is_some_and(|waiting| waiting.turn <= taken) {
            let Some(waiting) = self.nodes.waiting.pop_front() else { return };
            let key = waiting.conn;
            let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { continue };
            conn.behind_nodes -= 1;
            // MQTT-5.0 [MQTT-3.14.4-1]: nothing follows a DISCONNECT.
            if conn.state == ConnState::Connected {
                conn.gated = conn.gated.saturating_sub(waiting.action.holds_quota());
                self.run_gate(now, key, waiting.action, waiting.is_stored);
            }
        }
    }

    /// A message of another node: those who subscribed here get it, and nobody else.
    pub(super) fn deliver_from_node(
        &mut self,
        now: Now,
        message: &Arc<Message>,
        group: Option<&(Box<str>, Box<str>)>,
    ) {
        if let Some((name, filter)) = group {
            self.deliver_to_group(now, message, name, filter);
            return;
        }
        let matched = self.cache.matches(&self.shared.router, message.topic()).clone();
        if self.waits_for_room(message, matched.durable != 0) {
            self.travel.held.push_back(Held::Message(message.clone(), None));
            return;
        }
        let mut source = Source::of(message);
        // The publisher may have a session here as well, for a moment: No Local holds for it.
        let from = self.clients.get(&message.from.client_id).copied();
        let from = from.and_then(|slot| self.sessions.get(slot)).map(|session| session.key);
        if source.parts.qos != QoS::AtMostOnce && self.config.durable {
            self.log_from_node(&mut source, &matched, &mut [], from);
        }
        self.deliver_here(now, &mut source, from, &matched);
    }

    /// What the store would have to take waits while it refuses. The other node's credit bounds that.
    fn waits_for_room(&self, message: &Message, is_durable: bool) -> bool {
        let is_logged = is_durable && message.qos != QoS::AtMostOnce && self.config.durable;
        is_logged && self.travel.has_refused
    }

    /// Whoever published it cannot be refused from here, so a full store does not refuse it either: it is
    /// stored as soon as there is room, and the other node keeps it until then.
    fn log_from_node(
        &mut self,
        source: &mut Source<'_>,
        matched: &Matched,
        picks: &mut [(Subscriber, Arc<SharedGroup>)],
        from: Option<SessionKey>,
    ) {
        self.is_moving = true;
        self.log_durably(source, matched, picks, from);
        self.is_moving = false;
    }

    fn deliver_here(
        &mut self,
        now: Now,
        source: &mut Source<'_>,
        from: Option<SessionKey>,
        matched: &Arc<Matched>,
    ) {
        let mut start = 0;
        for (shard, targets) in matched.by_shard() {
            #[allow(clippy::cast_possible_truncation)]
            let end = start + targets.len() as u32;
            if shard == self.index {
                for target in targets {
                    let ids = matched.sub_ids(target);
                    self.deliver_one(now, target.key, target.opts, ids, source, from, None);
                    if target.durable_id != 0 {
                        self.drop_claim_of_gone(target.key, target.durable_id, source.parts.seq);
                    }
                }
            } else if shard < NODES_SHARD {
                self.announce_unstored(shard, source.parts.seq);
                let (message, matched) = (source.keep(&mut self.messages), matched.clone());
                let range = (start, end);
                self.forward(shard, ShardMessage::Deliver { message, matched, range });
            }
            start = end;
        }
    }

    /// The copy of a shared subscription that another node chose this one for.
    fn deliver_to_group(&mut self, now: Now, message: &Arc<Message>, name: &str, filter: &str) {
        let context = self.pick_context(&message.from.client_id, message.topic());
        let group = self.shared.router.shared_group(name, filter);
        let strategy = self.config.shared_strategy;
        let picked = group.and_then(|group| {
            group.pick_here(strategy, context, &[]).map(|member| (member, group))
        });
        let Some((member, group)) = picked else {
            // The last member here left while the message was on its way.
            self.metrics().messages_dropped.inc();
            self.metrics().messages_dropped_no_subscribers.inc();
            return;
        };
        if self.waits_for_room(message, member.durable_id != 0) {
            let group = Some(Box::new((name.into(), filter.into())));
            self.travel.held.push_back(Held::Message(message.clone(), group));
            return;
        }
        let mut source = Source::of(message);
        let mut picks = [(member, group)];
        if source.parts.qos != QoS::AtMostOnce && self.config.durable {
            self.log_from_node(&mut source, &Matched::default(), &mut picks, None);
        }
        let [(member, group)] = picks;
        self.hand_to_member(now, &mut source, &member, group, None);
    }
}
