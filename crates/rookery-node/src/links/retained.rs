//! Tells the other cluster what is retained here, when it comes.

use std::sync::Arc;

use rookery_core::message::Message;
use rookery_core::retained::{Retained, RetainedCursor};

/// Messages that are read in one step.
const SLICE: usize = 256;
/// No more are read while so many wait to be sent.
pub(super) const WAITING_MAX: usize = 1024;

/// How far it is told.
#[derive(Default)]
pub(super) struct Telling {
    /// Topic filters that are left, the last one first.
    topics: Vec<Box<str>>,
    cursor: RetainedCursor,
}

impl Telling {
    /// Begins with these topic filters, from the beginning if it was about something before.
    pub(super) fn begin(&mut self, mut topics: Vec<Box<str>>) {
        topics.reverse();
        (self.topics, self.cursor) = (topics, RetainedCursor::default());
    }

    pub(super) const fn is_over(&self) -> bool {
        self.topics.is_empty()
    }

    /// The next messages, none that came over a link: every pair of clusters has one of its own.
    pub(super) fn read(&mut self, retained: &Retained<Message>, unix_ms: u64) -> Vec<Arc<Message>> {
        let mut found = Vec::new();
        if let Some(filter) = self.topics.last()
            && !retained.scan(filter, &mut self.cursor, SLICE, &mut found)
        {
            self.topics.pop();
            self.cursor = RetainedCursor::default();
        }
        found.retain(|message| {
            let is_over = message.expires_at_ms != 0 && message.expires_at_ms <= unix_ms;
            let is_own = message.origin.as_ref().is_none_or(|origin| origin.link.is_none());
            is_own && !is_over && !message.sys
        });
        found
    }
}
