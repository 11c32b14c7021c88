//! Orders of the management plane about one client or message.

use std::sync::Arc;

use rookery_codec::{ReasonCode, SubscriptionOptions};

use super::Shard;
use super::timers::Timer;
use crate::effects::SubscriptionInfo;
use crate::ids::Now;
use crate::inflight::Stage;
use crate::operation::{KeptAnswer, MessagePlace, MessageSlice, Operation, WaitingMessage};
use crate::session::{Queued, Session};

impl Shard {
    /// Carries out an order.
    pub(super) fn operate(&mut self, now: Now, operation: Operation) {
        match operation {
            Operation::View { client_id, reply } => drop(reply.send(self.view_of(&client_id))),
            Operation::Subscribe { client_id, filters, reply } => {
                let _ = reply.send(self.subscribe_for(now, &client_id, &filters));
            }
            Operation::Unsubscribe { client_id, filters, reply } => {
                let _ = reply.send(self.unsubscribe_for(now, &client_id, &filters));
            }
            Operation::KeepAlive { client_id, interval_s, reply } => {
                let _ = reply.send(self.set_keep_alive(now, &client_id, interval_s).is_some());
            }
            Operation::Messages { client_id, in_flight, after, limit, reply } => {
                let session = self.clients.get(&*client_id).and_then(|s| self.sessions.get(*s));
                let slice = session.map(|session| messages_of(session, in_flight, after, limit));
                let _ = reply.send(slice);
            }
            Operation::AclCache { client_id, reply } => {
                let _ = reply.send(self.kept_answers(now, &client_id));
            }
            Operation::RemoveRetained { messages, reply } => {
                let removed = messages.iter().filter(|m| self.remove_retained(now, m)).count();
                let _ = reply.send(removed);
            }
            Operation::Retain { messages, reply } => {
                let kept = messages.iter().filter(|m| self.retain_silently(now, m)).count();
                let _ = reply.send(kept);
            }
            Operation::RemoveDelayed { messages, reply } => {
                let removed =
                    messages.iter().filter(|(due, m)| self.remove_delayed(now, *due, m)).count();
                let _ = reply.send(removed);
            }
            Operation::CountTopics { topics, reply } => {
                self.topics = topics;
                let _ = reply.send(());
            }
        }
    }

    fn subscribe_for(
        &mut self,
        now: Now,
        client_id: &str,
        filters: &[(Box<str>, SubscriptionOptions)],
    ) -> Option<Vec<Result<SubscriptionInfo, ReasonCode>>> {
        let slot = *self.clients.get(client_id)?;
        let mut replays = Vec::new();
        let results = filters
            .iter()
            .map(|(filter, options)| {
                let done = self.subscribe_one(now, slot, filter, *options, 0, true, &mut replays);
                let qos = done.map_err(|fault| fault.code)??;
                let topic = self.rewrite_filter(slot, filter).map_or(filter.clone(), Into::into);
                Ok(SubscriptionInfo {
                    topic,
                    qos: qos as u8,
                    nl: options.no_local,
                    rap: options.retain_as_published,
                    rh: options.retain_handling,
                })
            })
            .collect();
        if let Some(key) = self.sessions.get(slot).and_then(|session| session.conn) {
            self.start_replays(key, replays);
        }
        Some(results)
    }

    fn unsubscribe_for(
        &mut self,
        now: Now,
        client_id: &str,
        filters: &[Box<str>],
    ) -> Option<Vec<ReasonCode>> {
        let slot = *self.clients.get(client_id)?;
        let mut one = |filter: &str| {
            let rewritten = self.rewrite_filter(slot, filter);
            self.unsubscribe_one(now, slot, rewritten.as_deref().unwrap_or(filter))
        };
        Some(filters.iter().map(|filter| one(filter)).collect())
    }

    /// The time runs from the last packet; the timer that runs counts no more.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn set_keep_alive(&mut self, now: Now, client_id: &str, interval_s: u16) -> Option<()> {
        let session = self.clients.get(client_id).and_then(|slot| self.sessions.get_mut(*slot))?;
        let key = session.conn?;
        session.keep_alive_s = interval_s;
        let multiplier = self.mqtt(self.conns.get(key.slot)?.meta.zone).keepalive_multiplier;
        let conn = self.conns.get_mut(key.slot)?;
        conn.keep_alive_ms = (f64::from(interval_s) * 1000.0 * multiplier.max(1.0)) as u32;
        conn.keep_alive_round = conn.keep_alive_round.wrapping_add(1);
        if conn.keep_alive_ms > 0 {
            let due_ms = conn.heard_at_ms + u64::from(conn.keep_alive_ms);
            let timer = Timer::KeepAlive(key, conn.keep_alive_round);
            self.wheel.arm(due_ms.max(now.mono_ms), timer);
        }
        Some(())
    }

    fn kept_answers(&self, now: Now, client_id: &str) -> Option<Vec<KeptAnswer>> {
        let session = self.clients.get(client_id).and_then(|slot| self.sessions.get(*slot))?;
        let conn = session.conn.and_then(|key| self.conns.get(key.slot));
        let Some(deferred) = conn.and_then(|conn| conn.deferred.as_ref()) else {
            return Some(Vec::new());
        };
        let ttl_ms = self.rules.cache_ttl_ms;
        let answers = deferred.answers.iter(self.answers_epoch);
        let answers = answers.filter(|(.., until_ms)| *until_ms > now.mono_ms);
        Some(
            answers
                .map(|(action, topic, is_allowed, until_ms)| KeptAnswer {
                    action,
                    topic: topic.into(),
                    is_allowed,
                    at_ms: (now.unix_ms + until_ms).saturating_sub(now.mono_ms + ttl_ms),
                })
                .collect(),
        )
    }
}

/// A slice of what is in flight or queued, behind a message that was shown before. If that one is
/// gone everything in front of it is gone as well.
#[allow(clippy::cast_possible_truncation)] // a session holds fewer messages
fn messages_of(
    session: &Session,
    in_flight: bool,
    after: Option<MessagePlace>,
    limit: usize,
) -> MessageSlice {
    if !in_flight {
        let len = session.queue.len();
        let id_at = |index| session.queue.get(index).map(|(_, item)| id_of(item));
        let from = start_behind(after, len, id_at);
        let part = session.queue.iter_from(from).take(limit).zip(from..);
        let messages = part.map(|((priority, item), index)| waiting(item, index, priority));
        return MessageSlice { messages: messages.collect(), has_more: from + limit < len };
    }
    let window = session.inflight.entries();
    let is_shown = |stage: Stage| !matches!(stage, Stage::Settled | Stage::Released);
    let id_at = |index| window.get(index).map(|entry| u128::from(entry.packet_id));
    let from = start_behind(after, window.len(), id_at);
    let mut rest = window.iter().enumerate().skip(from).filter(|(_, e)| is_shown(e.stage));
    let part = rest.by_ref().take(limit).map(|(index, entry)| {
        let mut shown = waiting(&entry.item, index, 0);
        shown.place.id = u128::from(entry.packet_id);
        shown
    });
    let messages = part.collect();
    MessageSlice { messages, has_more: rest.next().is_some() }
}

/// The index behind a place, whose message can only have moved forwards.
fn start_behind(
    after: Option<MessagePlace>,
    len: usize,
    id_at: impl Fn(usize) -> Option<u128>,
) -> usize {
    let Some(place) = after else { return 0 };
    let last = (place.index as usize + 1).min(len);
    (0..last).rev().find(|index| id_at(*index) == Some(place.id)).map_or(0, |index| index + 1)
}

/// What names a queued message while it waits.
fn id_of(item: &Queued) -> u128 {
    match item.seq {
        0 => item.message.as_ref().map_or(0, |message| message.id.0),
        seq => u128::from(seq),
    }
}

#[allow(clippy::cast_possible_truncation)]
fn waiting(item: &Queued, index: usize, priority: u8) -> WaitingMessage {
    WaitingMessage {
        message: item.message.as_ref().map(Arc::clone),
        seq: item.seq,
        qos: item.qos,
        place: MessagePlace { index: index as u32, id: id_of(item) },
        priority,
    }
}
