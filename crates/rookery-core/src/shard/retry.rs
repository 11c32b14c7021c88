//! `mqtt.retry_interval`: PUBLISH and PUBREL again on the same connection, for MQTT 3.1 and 3.1.1.
//!
//! MQTT 5 forbids it (MQTT-5.0 [MQTT-4.4.0-1]), MQTT 3.1.1 leaves it to the server (section 4.4).
//! A connection that wants it owns one timer, whatever is in flight: every look makes what is in
//! flight one look older.

use rookery_codec::{AckKind, ReasonCode, Version};

use super::Shard;
use super::gate::GateAction;
use super::timers::Timer;
use crate::conn::ConnState;
use crate::ids::{ConnKey, Now};
use crate::inflight::Stage;
use crate::store_port::Op;

/// Looks per interval: a packet goes out again after the interval and at most a quarter more.
const LOOKS: u8 = 4;
/// Packets sent again at one look.
const AGAIN_MAX: usize = 256;

impl Shard {
    /// Begins to look after what an admitted client does not acknowledge.
    pub(super) fn arm_retry(&mut self, now: Now, key: ConnKey) {
        let Some(conn) = self.conns.get(key.slot).filter(|c| c.version != Version::V5) else {
            return;
        };
        let interval_ms = self.mqtt(conn.meta.zone).retry_interval_ms;
        if interval_ms > 0 {
            let look_ms = interval_ms.div_ceil(u64::from(LOOKS));
            self.wheel.arm(now.mono_ms + look_ms, Timer::Retry(key));
        }
    }

    pub(super) fn retry_due(&mut self, now: Now, key: ConnKey) {
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return };
        if conn.state != ConnState::Connected {
            return;
        }
        // While the peer takes nothing, the first copy may still be here.
        let may_send = conn.blocked_since_ms == 0;
        let slot = conn.session;
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let durable_id = session.durable_id;
        let mut again = Vec::new();
        for entry in session.inflight.iter_mut() {
            let is_sent = match entry.stage {
                Stage::Sent => entry.item.message.is_some(),
                Stage::Released => true,
                Stage::Gated | Stage::Unsent | Stage::Resend | Stage::Settled => false,
            };
            if !is_sent || entry.age < LOOKS {
                entry.age = entry.age.saturating_add(1);
            } else if may_send && again.len() < AGAIN_MAX {
                entry.age = 1;
                again.push((entry.packet_id, entry.stage, entry.item.clone()));
            }
        }
        for (packet_id, stage, item) in again {
            if stage == Stage::Released {
                self.repeat_pubrel(now, key, durable_id, packet_id, item.seq);
            } else {
                // MQTT-3.1.1 [MQTT-3.3.1-1]: DUP is set on it.
                self.send_publish(now, key, &item, packet_id, true);
            }
        }
        self.arm_retry(now, key);
    }

    /// PUBREL again. Its write too: whether that of the PUBREC before is on disk is not known,
    /// and PUBREL lets the client forget the identifier.
    pub(super) fn repeat_pubrel(
        &mut self,
        now: Now,
        key: ConnKey,
        durable_id: u64,
        packet_id: u16,
        seq: u64,
    ) {
        let before = self.effects.store_ops.len();
        if seq != 0 {
            self.effects.store_ops.push(Op::Release { session: durable_id, seq });
        }
        let ticket = self.ticket_since(before);
        let action =
            GateAction::Ack { kind: AckKind::PubRel, packet_id, reason: ReasonCode::SUCCESS };
        self.gate(now, key, ticket, action);
    }
}
