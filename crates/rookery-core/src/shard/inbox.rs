//! What reaches a shard beside the packets of clients: messages of others, settings, time for slow work.

use std::sync::Arc;

use super::{SettingsError, Shard};
use crate::config::BrokerConfig;
use crate::effects::ShardMessage;
use crate::ids::Now;
use crate::rewrite::Rewriter;

impl Shard {
    /// A message of another shard or of the management plane.
    pub fn inbox(&mut self, now: Now, message: ShardMessage) {
        match message {
            ShardMessage::Deliver { message, matched, range } => {
                self.deliver_forwarded(now, &message, &matched, range);
                self.messages.give_back(message);
            }
            ShardMessage::DeliverShared { message, member, group } => {
                self.deliver_to_member(now, &message, &member, group);
                self.messages.give_back(message);
            }
            ShardMessage::FromNode { message, group } => {
                self.deliver_from_node(now, &message, group.as_deref());
                self.messages.give_back(message);
            }
            ShardMessage::Unstored(seq) => self.expect_unstored(seq),
            ShardMessage::Settled { seqs, is_stored } => self.settle_foreign(&seqs, is_stored),
            ShardMessage::NodesTook(turn) => self.nodes_took(now, turn),
            ShardMessage::NodesMissed(turn) => self.nodes_missed(now, turn),
            ShardMessage::Replica(message) => self.hear_replica(now, *message),
            ShardMessage::Move(step) => self.take_step(now, *step),
            ShardMessage::Follow { client_id, message } => {
                self.take_following(now, &client_id, *message);
            }
            // On its way to another node, not from one.
            ShardMessage::Following(_) => {}
            ShardMessage::Pledge(message) => self.hear_pledge(now, *message),
            ShardMessage::Shadow(message) => self.hear_shadow(now, *message),
            ShardMessage::Answer(answer) => self.answered(now, answer),
            ShardMessage::Command(command) => self.command(now, command),
            // The node has refused what cannot be used.
            ShardMessage::Config(config) => drop(self.apply(now, config)),
            ShardMessage::Rules(set) => self.take_rules(set),
        }
    }

    /// Takes other settings, whole or not at all.
    pub(super) fn apply(
        &mut self,
        now: Now,
        config: Arc<BrokerConfig>,
    ) -> Result<(), SettingsError> {
        let rewriter = Rewriter::new(&config.rewrite)?;
        let rules = self.shared.compiled.rules(&config.authorization)?;
        let bans = self.shared.compiled.bans(&config.bans)?;
        if !Arc::ptr_eq(&rules, &self.rules) {
            self.answers_epoch += 1;
        }
        if !Arc::ptr_eq(&bans, &self.bans) {
            self.ban_sweep = (!bans.is_empty()).then_some(0);
        }
        self.observe(&config.observe);
        (self.rewriter, self.rules, self.bans, self.config) = (rewriter, rules, bans, config);
        self.is_guarding = self.must_guard();
        self.rule_engine.tell_whom(self.config.hooks);
        self.tell_crowd();
        if !self.link_sessions.is_empty() {
            self.end_closed_links(now);
        }
        Ok(())
    }

    /// A slice of work that was put off; true when more is left.
    pub fn work(&mut self, now: Now) -> bool {
        if !self.handed.is_empty() {
            self.admit_handed(now);
        }
        self.clean_up_slice();
        self.replay_slice(now);
        let is_sweeping = self.sweep_banned(now);
        let has_happenings = !self.rule_engine.happenings.is_empty() && self.run_happenings(now);
        is_sweeping || has_happenings || !self.cleanup.is_empty() || !self.replay_ready.is_empty()
    }

    /// Publishes the gauges; called about once per second.
    pub fn publish_gauges(&mut self) {
        self.refill_observer();
        let metrics = self.metrics();
        metrics.outbox_bytes.set(self.outbox_bytes as u64);
        metrics.queued_bytes.set(self.queued_bytes as u64);
        metrics.sessions.set(self.sessions.len() as u64);
        metrics.delayed.set((self.delayed.len() - self.removed_delayed.len()) as u64);
    }

    /// Frees buffers that idle; called when nothing happened for a while.
    pub fn trim(&mut self) {
        self.pool.shrink();
        self.messages.shrink();
    }

    /// Notes on disk that the node runs: after a crash, down-time counts from here.
    pub fn heartbeat(&mut self, now: Now) {
        let value = now.unix_ms.to_le_bytes();
        self.effects.store_ops.push(crate::store_port::Op::Put {
            table: crate::persist::META,
            key: crate::persist::META_ALIVE.into(),
            value: value.into(),
        });
    }
}
