//! Wills on their way out: published when their time has come, after hooks were asked about them.
//!
//! A will has no connection any more, so its question stands alone: nothing waits behind it. The
//! store keeps it until it is decided, so that a stop in between loses none.

use std::sync::Arc;

use super::Shard;
use super::deliver::Source;
use crate::effects::{AskId, Question, Verdict};
use crate::ids::{ConnKey, Now};
use crate::message::Message;
use crate::persist;
use crate::session::Will;

/// Stands for no connection in the number of a question.
const NOBODY: ConnKey = ConnKey { slot: u32::MAX, generation: 0 };

/// Whether a question is about a will that waits to be published.
pub(super) fn is_of_will(id: AskId) -> bool {
    id.conn == NOBODY
}

impl Shard {
    /// Publishes the will, or asks hooks whether to, and forgets it.
    pub(super) fn publish_will(&mut self, now: Now, slot: u32) {
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let Some(will) = session.will.take() else { return };
        self.publish_will_message(now, &will);
    }

    /// The same for a will without a session.
    pub(super) fn publish_will_message(&mut self, now: Now, will: &Will) {
        let mut message = will.message.with(will.message.topic(), will.message.retain, 0);
        if message.expires_at_ms != 0 {
            // It held the interval until now.
            message.expires_at_ms += now.unix_ms;
        }
        message.timestamp_ms = now.unix_ms;
        let message = Arc::new(message);
        if self.config.hooks.publish {
            self.ask_about_will(now, message);
        } else {
            self.forget_will_of(now, &message);
            self.publish_kept(now, &message);
        }
    }

    fn ask_about_will(&mut self, now: Now, message: Arc<Message>) {
        self.wills_asked = self.wills_asked.wrapping_add(1);
        let id = AskId { shard: self.index, conn: NOBODY, number: self.wills_asked };
        self.open_wills.insert(id.number, message.clone());
        self.ask(now, id, Question::Publish { message });
    }

    pub(super) fn is_will_open(&self, id: AskId) -> bool {
        self.open_wills.contains_key(&id.number)
    }

    /// What hooks say about a will; no answer is one too.
    pub(super) fn will_decided(&mut self, now: Now, id: AskId, verdict: Verdict) {
        let Some(message) = self.open_wills.remove(&id.number) else { return };
        self.forget_will_of(now, &message);
        match verdict {
            Verdict::Drop | Verdict::Deny(_) => {
                self.metrics().messages_dropped.inc();
                self.tell_hook_dropped_will(&message);
            }
            Verdict::Replace(replacement) => self.publish_kept(now, &replacement),
            _ => self.publish_kept(now, &message),
        }
    }

    /// The store forgets it, unless the client has come back with another one, which stands in its place.
    fn forget_will_of(&mut self, now: Now, message: &Message) {
        let client_id = &message.from.client_id;
        let slot = self.clients.get(client_id);
        let session = slot.and_then(|slot| self.sessions.get(*slot));
        if session.is_some_and(|session| session.will.is_some()) {
            return;
        }
        if self.config.durable {
            self.effects.store_ops.push(persist::delete_will(client_id));
        }
        self.release_will(now, client_id, true);
    }

    /// A message that the store has held until now, as a will or a delayed message: even a full
    /// store lets it go on to those who wait for it.
    pub(super) fn publish_kept(&mut self, now: Now, message: &Arc<Message>) {
        self.is_moving = true;
        self.take_message(now, &mut Source::of(message), None);
        self.is_moving = false;
    }
}
