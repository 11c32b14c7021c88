//! Looking closer at a running node: traces, slow subscriptions, spans.

use std::sync::Arc;
use std::sync::mpsc::channel;

use rookery_core::config::BrokerConfig;
use rookery_core::effects::Command;
use rookery_core::observe::{ObserveConfig, SlowRow};

use super::Node;
use crate::api::NodeError;

impl Node {
    /// Replaces what is looked at closer. Every worker has it when this returns.
    ///
    /// # Errors
    ///
    /// The node stops meanwhile.
    pub fn set_observe(&self, observe: ObserveConfig) -> Result<(), NodeError> {
        let observe = Arc::new(observe);
        self.change_config(|current| BrokerConfig { observe, ..current.clone() })
    }

    /// The slowest subscriptions, the slowest first; `forget` empties the list.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn slow_subs(&self, forget: bool) -> Result<Vec<SlowRow>, NodeError> {
        let (reply, answers) = channel();
        for shard in 0..self.shared.shards() {
            self.command(shard, Command::SlowSubs { forget, reply: reply.clone() })?;
        }
        let mut rows = Vec::new();
        for _ in 0..self.shared.shards() {
            rows.append(&mut self.wait(&answers)?);
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.latency_ms));
        let slow = self.config.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        rows.truncate(slow.observe.slow_subs.map_or(0, |slow| slow.top_k_num));
        Ok(rows)
    }
}
