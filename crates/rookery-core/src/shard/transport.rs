//! What the driver learns about transports and tells their connections.

use std::sync::Arc;

use rookery_codec::ReasonCode;

use super::Shard;
use crate::conn::ConnState;
use crate::effects::{CloseCause, ConnMeta, PeerCertificate};
use crate::ids::{ConnKey, Now};
use crate::metrics::Metrics;

impl Shard {
    /// The counters of this shard; the driver counts in them what the shard does not see.
    #[must_use]
    pub fn counters(&self) -> &Metrics {
        self.metrics()
    }

    /// Largest packet that clients of a zone may send.
    #[must_use]
    pub fn max_packet_size(&self, zone: u16) -> usize {
        self.mqtt(zone).max_packet_size as usize
    }

    /// The client showed a certificate that holds. Comes before its CONNECT.
    pub fn set_certificate(&mut self, key: ConnKey, certificate: Arc<PeerCertificate>) {
        if let Some(conn) = self.conns.get_checked(key.slot, key.generation) {
            let meta = ConnMeta { cert: Some(certificate), ..(*conn.meta).clone() };
            conn.meta = Arc::new(meta);
        }
    }

    /// Ends a connection for a reason outside MQTT: DISCONNECT 0x98 for v5, then close. The session
    /// stays as after any lost connection.
    pub fn end(&mut self, now: Now, key: ConnKey, cause: CloseCause) {
        if self.conns.get_checked(key.slot, key.generation).is_some() {
            self.send_disconnect(key, ReasonCode::ADMINISTRATIVE_ACTION, None);
            self.end_connection(now, key, cause, true);
        }
    }

    /// Connections of a listener among `count` slots from `from_slot` on, and where to go on; none at the
    /// end. A listener that was started anew under the same id is another one.
    #[must_use]
    pub fn of_listener(
        &self,
        listener: &Arc<str>,
        from_slot: u32,
        count: u32,
    ) -> (Vec<ConnKey>, Option<u32>) {
        let until = from_slot.saturating_add(count).min(self.conns.slots());
        let keys = (from_slot..until).filter_map(|slot| {
            let conn = self.conns.get(slot)?;
            let is_its = Arc::ptr_eq(&conn.meta.listener, listener);
            (is_its && conn.state != ConnState::Closing)
                .then(|| ConnKey { slot, generation: self.conns.generation(slot) })
        });
        (keys.collect(), (until < self.conns.slots()).then_some(until))
    }
}
