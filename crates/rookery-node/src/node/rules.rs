//! The rules of a running node.

use std::sync::Arc;
use std::sync::mpsc::channel;

use rookery_core::effects::{Command, ShardMessage};
use rookery_core::rules::fields::ActionFields;
use rookery_core::rules::{
    Happening, Output, Republish, RepublishSpec, RuleCounts, RuleDraft, RuleSet, RuleSetError,
    Surroundings,
};

use super::{Node, lock};
use crate::api::{NodeError, RuleProblem};
use crate::inbox::Item;

/// A rule as it is put in.
#[derive(Debug, Clone)]
pub struct RuleSpec {
    /// Its id.
    pub id: String,
    /// Its SQL.
    pub sql: String,
    /// Whether it runs.
    pub enable: bool,
    /// What becomes of its results.
    pub outputs: Vec<OutputSpec>,
}

/// What becomes of a result.
#[derive(Debug, Clone)]
pub enum OutputSpec {
    /// A message.
    Republish(RepublishSpec),
    /// A line in the log.
    Console,
    /// Work for an action that is open.
    Action {
        /// The action.
        id: String,
        /// What it wants of a result.
        fields: ActionFields,
    },
}

impl Node {
    /// Replaces all rules, at once and whole. Every worker has them when this returns.
    ///
    /// # Errors
    ///
    /// A rule that cannot be used, or that names an action which is not open; then nothing
    /// changes. Or the node stops meanwhile.
    pub fn put_rules(&self, specs: Vec<RuleSpec>, around: Surroundings) -> Result<(), NodeError> {
        self.check_running()?;
        let drafts = specs.into_iter().map(|spec| self.draft(spec)).collect::<Result<_, _>>()?;
        let mut current = lock(&self.rules);
        let next = current.next(drafts, around, self.shared.shards()).map_err(problem)?;
        let next = Arc::new(next);
        let (added, gone) = (next.filters_beyond(&current), current.filters_beyond(&next));
        // A shard that meets a number which is not in its set passes over it: first the trie
        // learns of the new ones, then the shards take the set, then the old ones leave the trie.
        self.shared.router.add_rules(&borrowed(&added));
        let has_all = self.send_rules(&next);
        self.shared.router.remove_rules(&borrowed(&gone));
        *current = next;
        has_all
    }

    fn send_rules(&self, set: &Arc<RuleSet>) -> Result<(), NodeError> {
        let (reply, applied) = channel();
        for inbox in self.inboxes.iter() {
            let rules = Item::Shard(ShardMessage::Rules(set.clone()));
            inbox.push_all([rules, Item::Fence(reply.clone())]);
        }
        self.inboxes.iter().try_for_each(|_| self.wait(&applied))
    }

    fn draft(&self, spec: RuleSpec) -> Result<RuleDraft, NodeError> {
        let refuse =
            |detail: String| RuleProblem { id: spec.id.clone(), place: None, detail }.into();
        let output = |output| match output {
            OutputSpec::Console => Ok(Output::Console),
            OutputSpec::Republish(republish) => match Republish::new(&republish) {
                Ok(republish) => Ok(Output::Republish(Arc::new(republish))),
                Err(error) => Err(refuse(format!("republish: {error}"))),
            },
            OutputSpec::Action { id, fields } => match self.actions().sink(&id) {
                Some(sink) => Ok(Output::Action { sink, fields: Arc::new(fields) }),
                None => Err(refuse(format!("there is no action {id:?}"))),
            },
        };
        let outputs = spec.outputs.into_iter().map(output).collect::<Result<_, NodeError>>()?;
        Ok(RuleDraft { id: spec.id, sql: spec.sql, enable: spec.enable, outputs })
    }

    /// What each rule counted.
    #[must_use]
    pub fn rule_counters(&self) -> Vec<(String, RuleCounts)> {
        let set = lock(&self.rules).clone();
        set.all_counters().map(|(id, counters)| (id.to_string(), counters.counts())).collect()
    }

    /// Lets a rule count from zero again.
    ///
    /// # Errors
    ///
    /// There is no such rule.
    pub fn reset_rule_counters(&self, id: &str) -> Result<(), NodeError> {
        let set = lock(&self.rules).clone();
        set.counters(id).ok_or_else(|| NodeError::NoRule(id.into()))?.reset();
        Ok(())
    }

    /// Gives rules an event, or what a source brought in; how many rules had a result. What
    /// happens to one client or source stays in order.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn happen(&self, what: Happening) -> Result<usize, NodeError> {
        let owner = self.shared.shard_of(what.source.as_deref().unwrap_or_default());
        let (reply, answer) = channel();
        self.command(owner, Command::Happen { what: Box::new(what), reply: Some(reply) })?;
        self.wait(&answer)
    }
}

fn borrowed(items: &[(String, u32)]) -> Vec<(&str, u32)> {
    items.iter().map(|(filter, number)| (filter.as_str(), *number)).collect()
}

fn problem(error: RuleSetError) -> RuleProblem {
    match error {
        RuleSetError::Sql { id, error } => {
            RuleProblem { id, place: Some((error.line, error.column)), detail: error.to_string() }
        }
        RuleSetError::Twice(id) => RuleProblem { id, place: None, detail: "is there twice".into() },
        other => RuleProblem { id: String::new(), place: None, detail: other.to_string() },
    }
}
