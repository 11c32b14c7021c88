//! What the thread is told about a plugin, and what it tells about its workers.

use super::hook::{HookNumber, QUESTIONS, bit};

/// What holds when a plugin does not answer.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// Refuse: login, action or message.
    Deny,
    /// As though the plugin had no opinion: the next one is asked, in the end what is configured
    /// decides; a message goes on as it is.
    Ignore,
    /// Admit or allow, and ask nobody else; a message goes on as it is.
    Allow,
}

/// A plugin that runs, as the thread sees it.
#[derive(Clone, Debug)]
pub struct PluginRoute {
    /// Its number, never used again for another one.
    pub id: u32,
    /// What it is called in the log.
    pub name: String,
    /// The hookpoints it has, a bit each.
    pub hooks: u32,
    /// Topic Filters to which its `message.*` hooks are limited; empty = every topic.
    pub topics: Vec<String>,
    /// Number of its worker processes.
    pub workers: u16,
    /// How long an answer may take.
    pub deadline_ms: u64,
    /// What holds without an answer, by the number of the question.
    pub failure: [Failure; QUESTIONS],
    /// Most questions that wait for an answer of one worker.
    pub open_max: usize,
    /// Most bytes that wait to be taken by one worker.
    pub bytes_max: usize,
}

impl PluginRoute {
    pub(super) fn has(&self, hook: HookNumber) -> bool {
        self.hooks & bit(hook) != 0
    }

    pub(super) fn wants(&self, hook: HookNumber, topic: Option<&str>) -> bool {
        self.has(hook)
            && topic.is_none_or(|topic| {
                let fits = |filter: &String| rookery_codec::filter_matches(filter, topic);
                self.topics.is_empty() || self.topics.iter().any(fits)
            })
    }
}

/// Counters of one worker process since it was attached, and what is open now.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerFigures {
    /// The plugin.
    pub plugin: u32,
    /// Which of its workers.
    pub worker: u16,
    /// Whether a process is attached.
    pub is_attached: bool,
    /// Questions sent.
    pub asked: u64,
    /// Questions answered in time.
    pub answered: u64,
    /// Questions whose deadline passed.
    pub late: u64,
    /// Questions that got the configured answer because nobody was there, too many waited, the
    /// process had answered nothing for a whole deadline, or the message that it answered with is too
    /// large.
    pub failed: u64,
    /// Notices sent.
    pub told: u64,
    /// Notices left out.
    pub dropped: u64,
    /// Questions that wait for an answer.
    pub open: u64,
}
