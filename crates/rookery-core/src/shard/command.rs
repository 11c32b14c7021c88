//! Orders of the management plane.

use rookery_codec::ReasonCode;

use super::Shard;
use super::subscribe::info_of;
use crate::effects::{CloseCause, Command};
use crate::ids::Now;

impl Shard {
    /// Carries out an order. A reply nobody waits for any more is no error.
    pub(super) fn command(&mut self, now: Now, command: Command) {
        match command {
            Command::Kick { client_id, reply } => {
                let _ = reply.send(self.kick(now, &client_id));
            }
            Command::Move { client_id, reply } => {
                let _ = reply.send(self.send_away(now, &client_id));
            }
            Command::Clients { from_slot, limit, reply } => {
                let _ = reply.send(self.clients_page(from_slot, limit));
            }
            Command::Client { client_id, reply } => {
                let slot = self.clients.get(&*client_id).copied();
                let _ = reply.send(slot.and_then(|slot| self.client_info(slot)));
            }
            Command::Subscriptions { client_id, reply } => {
                let slot = self.clients.get(&*client_id).copied();
                let rows = slot.and_then(|s| self.sessions.get(s)).map(|session| {
                    session.subscriptions.iter().map(|(topic, s)| info_of(topic, *s)).collect()
                });
                let _ = reply.send(rows);
            }
            Command::CheckAcl { client_id, action, topic, reply } => {
                let _ = reply.send(self.explain(&client_id, action, &topic));
            }
            Command::PurgeAclCache { client_id } => self.purge_answers(client_id.as_deref()),
            Command::SlowSubs { forget, reply } => {
                let _ = reply.send(self.slow_rows(now));
                if forget {
                    self.observer.slow.clear();
                }
            }
            Command::Operate(operation) => self.operate(now, *operation),
            Command::Publish { message, reply } => {
                let reached = self.publish_message(now, *message, None);
                if let Some(reply) = reply {
                    let _ = reply.send(reached);
                }
            }
            Command::Happen { what, reply } => {
                let passed = self.happen(now, *what);
                if let Some(reply) = reply {
                    let _ = reply.send(passed);
                }
            }
            Command::Shutdown { reply } => {
                self.shut_down(now);
                let _ = reply.send(());
            }
        }
    }

    /// Ends a client's connection (0x98) and session.
    fn kick(&mut self, now: Now, client_id: &str) -> bool {
        let Some(&slot) = self.clients.get(client_id) else { return false };
        if let Some(key) = self.sessions.get(slot).and_then(|s| s.conn) {
            self.send_disconnect(key, ReasonCode::ADMINISTRATIVE_ACTION, None);
            self.end_connection(now, key, CloseCause::Kicked, true);
        }
        if self.clients.get(client_id) == Some(&slot) {
            self.end_session_in(now, slot);
        }
        true
    }

    /// Ends a client's connection so that it goes to another node (0x9C, 0x9D).
    fn send_away(&mut self, now: Now, client_id: &str) -> bool {
        let slot = self.clients.get(client_id).copied();
        let Some(key) = slot.and_then(|slot| self.sessions.get(slot)).and_then(|s| s.conn) else {
            return false;
        };
        let redirect = self.config.redirect.as_ref();
        let reason = redirect.map_or(ReasonCode::USE_ANOTHER_SERVER, |redirect| redirect.reason);
        self.send_disconnect(key, reason, None);
        self.end_connection(now, key, CloseCause::Moved, true);
        true
    }

    fn clients_page(
        &self,
        from_slot: u32,
        limit: usize,
    ) -> (Vec<crate::effects::ClientInfo>, Option<u32>) {
        let mut rows = Vec::new();
        for slot in from_slot..self.sessions.slots() {
            if rows.len() >= limit {
                return (rows, Some(slot));
            }
            if let Some(session) = self.sessions.get(slot) {
                rows.push(self.info(session, session.conn));
            }
        }
        (rows, None)
    }
}
