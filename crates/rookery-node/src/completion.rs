//! The store's answers, put into the workers' inboxes.

use std::sync::Arc;

use rookery_core::effects::{LogLevel, UpEvent};
use rookery_core::ids::SessionKey;
use rookery_store::{CommitError, Completion, Outcome, ReadResult, StoreError};

use crate::inbox::{Inbox, Item};
use crate::up::Upstream;

/// Where the store reports to.
pub(crate) struct ToInboxes {
    pub(crate) inboxes: Arc<[Inbox]>,
    pub(crate) up: Arc<Upstream>,
}

impl Completion for ToInboxes {
    fn committed(&self, shard: u16, ticket: u64, result: Result<(), CommitError>) {
        let outcome = result.map_or_else(CommitError::outcome, |()| Outcome::Stored);
        if let Some(inbox) = self.inboxes.get(usize::from(shard)) {
            inbox.push(Item::Committed(ticket, outcome));
        }
    }

    fn refusing(&self, error: CommitError) {
        let text = format!("the durable log refuses writes: {error}");
        let event = UpEvent::Store { accepts: false, detail: error.to_string().into() };
        self.up.push_all([UpEvent::Log(LogLevel::Error, text.into()), event]);
    }

    fn accepting(&self) {
        let text = "the durable log takes writes again";
        let event = UpEvent::Store { accepts: true, detail: "".into() };
        self.up.push_all([UpEvent::Log(LogLevel::Warning, text.into()), event]);
    }

    fn read_done(&self, shard: u16, token: u64, messages: Vec<(u64, ReadResult)>) {
        let key = key_of(shard, token);
        let bodies =
            messages.into_iter().map(|(seq, result)| (seq, result.ok().flatten())).collect();
        if let Some(inbox) = self.inboxes.get(usize::from(shard)) {
            inbox.push(Item::Bodies(key, bodies));
        }
    }

    fn degraded(&self, error: StoreError) {
        let text = format!("the durable log is degraded: {error}");
        self.up.push_all([UpEvent::Log(LogLevel::Error, text.into())]);
    }
}

/// A session key as the token of a read.
pub(crate) fn token_of(key: SessionKey) -> u64 {
    u64::from(key.generation) << 32 | u64::from(key.slot)
}

#[allow(clippy::cast_possible_truncation)]
fn key_of(shard: u16, token: u64) -> SessionKey {
    SessionKey { shard, generation: (token >> 32) as u16, slot: token as u32 }
}
