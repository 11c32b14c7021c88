//! Tells the other cluster what is retained here, and what was deleted, when it comes.

use std::collections::VecDeque;
use std::sync::Arc;

use rookery_codec::QoS;
use rookery_core::links::{Deletion, Deletions};
use rookery_core::message::{Message, MessageParts, Publisher};
use rookery_core::retained::{Retained, RetainedCursor};

/// Messages that are read in one step.
const SLICE: usize = 256;
/// No more are read while so many wait to be sent.
pub(super) const WAITING_MAX: usize = 1024;
/// Who publishes that something was deleted.
const DELETER: &str = "$link";

/// How far it is told.
#[derive(Default)]
pub(super) struct Telling {
    /// Topic filters that are left, the last one first.
    topics: Vec<Box<str>>,
    cursor: RetainedCursor,
    /// Deletions that are left.
    deleted: VecDeque<Deletion>,
}

impl Telling {
    /// Begins with these topic filters, from the beginning if it was about something before.
    pub(super) fn begin(&mut self, mut topics: Vec<Box<str>>, deletions: &Deletions) {
        self.deleted = deletions.matching(&topics).into();
        topics.reverse();
        (self.topics, self.cursor) = (topics, RetainedCursor::default());
    }

    pub(super) fn is_over(&self) -> bool {
        self.topics.is_empty() && self.deleted.is_empty()
    }

    /// The next messages, none that came over a link: every pair of clusters has one of its own.
    pub(super) fn read(&mut self, retained: &Retained<Message>, unix_ms: u64) -> Vec<Arc<Message>> {
        if !self.deleted.is_empty() {
            let slice = self.deleted.drain(..self.deleted.len().min(SLICE));
            let is_gone = |deletion: &Deletion| retained.get(&deletion.topic).is_none();
            return slice.filter(is_gone).map(|deletion| message_of(&deletion)).collect();
        }
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

/// A deletion as it is published.
fn message_of(deletion: &Deletion) -> Arc<Message> {
    let parts = MessageParts {
        id: deletion.age.1,
        timestamp_ms: deletion.age.0,
        expires_at_ms: 0,
        seq: 0,
        qos: QoS::AtLeastOnce,
        retain: true,
        sys: false,
        topic: &deletion.topic,
        properties: &[],
        payload: &[],
    };
    let from = Publisher { client_id: DELETER.into(), username: None };
    Arc::new(Message::new(&parts, Arc::new(from), None))
}
