//! From the store's tables to sessions in shards.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Instant;

use rookery_core::ids::Now;
use rookery_core::message::Message;
use rookery_core::persist::{self, SessionRecord};
use rookery_core::retained::Past;
use rookery_core::session::{Subscription, Will};
use rookery_core::shard::{RestoredMessage, RestoredSession, Shard};
use rookery_core::shared::Shared;
use rookery_core::store_port::Op;
use rookery_store::{Recovered, RecoveryReport};

use crate::api::{NodeError, RecoveryInfo};

/// Durable state between the store and the shards.
#[derive(Default)]
pub(crate) struct Found {
    sessions: HashMap<u64, SessionRecord>,
    subscriptions: HashMap<u64, Vec<(String, Subscription)>>,
    awaiting_rel: HashMap<u64, Vec<u16>>,
    wills: HashMap<String, Will>,
    delayed: Vec<(u64, Message)>,
    retained: Vec<Message>,
    /// Versions of retained messages, if the node was one of a cluster.
    past: Past,
    messages: HashMap<u64, Vec<RestoredMessage>>,
    alive_at_ms: u64,
    pub(crate) next_seq: u64,
    pub(crate) next_durable_id: u64,
    /// No other store has this number; 0: there is none.
    pub(crate) store_id: u64,
    has_store_id: bool,
    pub(crate) epoch: u64,
    unreadable: usize,
    pub(crate) info: RecoveryInfo,
}

/// What no other store has. From the system: what a process draws by itself is the same in all that were forked
/// from one.
fn fresh_id() -> Result<u64, NodeError> {
    let mut octets = [0; 8];
    let fill = rustix::rand::getrandom(&mut octets, rustix::rand::GetRandomFlags::empty());
    match fill {
        Ok(8) => Ok(u64::from_le_bytes(octets) | 1),
        _ => Err(NodeError::Store("the system gives no random octets".into())),
    }
}

/// Reads everything the store has.
pub(crate) fn read(mut recovered: Recovered) -> Result<Found, NodeError> {
    let start = Instant::now();
    let mut found =
        Found { next_seq: recovered.next_seq, epoch: recovered.epoch, ..Found::default() };
    recovered
        .for_each(|table, key, value| {
            if found.take(table, key, value).is_none() {
                found.unreadable += 1;
            }
        })
        .map_err(|e| NodeError::Store(e.to_string()))?;
    if !found.has_store_id {
        found.store_id = fresh_id()?;
    }
    let messages = std::mem::take(&mut recovered.sessions);
    found.messages = messages
        .into_iter()
        .map(|(session, refs)| {
            let refs = refs.into_iter().map(|r| RestoredMessage {
                seq: r.seq,
                flags: r.flags,
                packet_id: r.packet_id,
                released: r.released,
                group: r.meta,
            });
            (session, refs.collect())
        })
        .collect();
    // Above every number ever used: what is left of an unknown session must not become a new one's.
    let used = found.sessions.keys().chain(found.messages.keys());
    let used = used.chain(found.subscriptions.keys()).chain(found.awaiting_rel.keys());
    found.next_durable_id = used.max().map_or(1, |id| id + 1);
    found.info = RecoveryInfo {
        sessions: found.sessions.len(),
        retained: found.retained.len(),
        messages: found.messages.values().map(Vec::len).sum(),
        problems: problems(&recovered.report, found.unreadable),
        elapsed: recovered.report.elapsed + start.elapsed(),
    };
    Ok(found)
}

fn problems(report: &RecoveryReport, unreadable: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(tail) = &report.truncated_tail {
        let (file, bytes, offset) = (tail.file.display(), tail.bytes, tail.offset);
        lines
            .push(format!("{file}: {bytes} bytes of an unfinished write at {offset} were cut off"));
    }
    for damage in &report.corrupt {
        let (file, bytes, offset) = (damage.file.display(), damage.bytes_skipped, damage.offset);
        lines.push(format!(
            "{file}: {bytes} bytes at {offset} are damaged ({}); the file is kept as *.damaged",
            damage.detail
        ));
    }
    if unreadable > 0 {
        lines.push(format!("{unreadable} records are of a form that this version does not know"));
    }
    lines
}

impl Found {
    fn take(&mut self, table: rookery_store::Table, key: &[u8], value: &[u8]) -> Option<()> {
        match table {
            persist::META => {
                if key == persist::META_STORE {
                    self.store_id = u64::from_le_bytes(value.try_into().ok()?);
                    self.has_store_id = true;
                } else if key == persist::META_ALIVE {
                    self.alive_at_ms = u64::from_le_bytes(value.try_into().ok()?);
                } else {
                    persist::read_retained_meta(key, value, &mut self.past)?;
                }
            }
            persist::SESSIONS => {
                let record = persist::read_session(key, value)?;
                self.sessions.insert(record.durable_id, record);
            }
            persist::SUBSCRIPTIONS => {
                let (id, filter, subscription) = persist::read_subscription(key, value)?;
                self.subscriptions.entry(id).or_default().push((filter, subscription));
            }
            persist::RETAINED => {
                let (message, version) = persist::read_retained(value)?;
                if let Some(version) = version {
                    let known = (message.id, version);
                    self.past.versions.insert(message.topic().into(), known);
                }
                self.retained.push(message);
            }
            persist::RETAINED_DELETIONS => {
                self.past.deleted.push(persist::read_retained_deletion(key, value)?);
            }
            persist::WILLS => {
                let (client_id, will) = persist::read_will(key, value)?;
                self.wills.insert(client_id, will);
            }
            persist::DELAYED => self.delayed.push(persist::read_delayed(value)?),
            persist::AWAITING_REL => {
                let (id, packet_id) = persist::read_awaiting_rel(key)?;
                self.awaiting_rel.entry(id).or_default().push(packet_id);
            }
            _ => return None,
        }
        Some(())
    }

    /// Takes the sessions out, with what belongs to them.
    pub(crate) fn take_sessions(&mut self) -> Vec<RestoredSession> {
        let sessions = std::mem::take(&mut self.sessions);
        let whole = sessions.into_iter().map(|(id, record)| RestoredSession {
            subscriptions: self.subscriptions.remove(&id).unwrap_or_default(),
            messages: self.messages.remove(&id).unwrap_or_default(),
            awaiting_rel: self.awaiting_rel.remove(&id).unwrap_or_default(),
            will: self.wills.remove(&record.client_id),
            record,
        });
        whole.collect()
    }

    /// Gives every shard what is its own.
    pub(crate) fn distribute(
        mut self,
        now: Now,
        shared: &Shared,
        shards: &mut [Shard],
    ) -> RecoveryInfo {
        let sessions = self.take_sessions();
        for message in self.retained {
            if !message.is_expired(now.unix_ms) {
                shared.retained.insert(std::sync::Arc::new(message));
            }
        }
        *shared.past.lock().unwrap_or_else(PoisonError::into_inner) = self.past;
        for restored in sessions {
            let owner = usize::from(shared.shard_of(&restored.record.client_id));
            if let Some(shard) = shards.get_mut(owner) {
                shard.restore_session(now, restored, self.alive_at_ms);
            }
        }
        let Some(first) = shards.first_mut() else { return self.info };
        if self.store_id != 0 && !self.has_store_id {
            first.effects.store_ops.push(persist::put_store_id(self.store_id));
        }
        // Messages whose session is unknown: nobody will ever acknowledge them.
        for session in self.messages.into_keys() {
            first.effects.store_ops.push(Op::DropSession { session });
        }
        for (session, filters) in self.subscriptions {
            let delete = |(filter, _): &(String, _)| persist::delete_subscription(session, filter);
            first.effects.store_ops.extend(filters.iter().map(delete));
        }
        for (session, packet_ids) in self.awaiting_rel {
            let delete = |id: &u16| persist::delete_awaiting_rel(session, *id);
            first.effects.store_ops.extend(packet_ids.iter().map(delete));
        }
        for (due_at_ms, message) in self.delayed {
            first.restore_delayed(now, due_at_ms, message);
        }
        for (client_id, will) in self.wills {
            first.restore_will(now, &client_id, &will);
        }
        self.info
    }
}
