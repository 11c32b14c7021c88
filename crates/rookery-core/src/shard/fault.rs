//! Packets that break a rule end their connection.

use std::sync::Arc;

use rookery_codec::{DecodeError, Disconnect, ReasonCode, UserProperties, Version};

use super::connect::claims_v5;
use super::{Fault, Shard, Step};
use crate::config::Redirect;
use crate::conn::ConnState;
use crate::effects::CloseCause;
use crate::ids::{ConnKey, Now};

impl Shard {
    /// A remaining length that is longer than it need be: MQTT 5 forbids it, [MQTT-1.5.5-1]; in
    /// MQTT 3.1.1 no statement does, so it is read as it is meant.
    #[cold]
    pub(super) fn refuse_padded(
        &mut self,
        now: Now,
        key: ConnKey,
        first: u8,
        body: &[u8],
    ) -> Option<Step> {
        let conn = self.conns.get(key.slot)?;
        let error = DecodeError::Malformed("remaining length is not minimal");
        match conn.state {
            ConnState::New if first == 0x10 && claims_v5(body) => {
                Some(self.refuse_undecodable(now, key, body, &error))
            }
            ConnState::Connected | ConnState::Exchanging if conn.version == Version::V5 => {
                self.count_fault(first);
                Some(self.fault(now, key, error.into()))
            }
            _ => None,
        }
    }

    /// Counts a packet that broke a rule by its kind, where EMQX does.
    #[cold]
    pub(super) fn count_fault(&self, first: u8) {
        let metrics = self.metrics();
        match first >> 4 {
            3 => metrics.publish_error.inc(),
            8 => metrics.subscribe_error.inc(),
            10 => metrics.unsubscribe_error.inc(),
            _ => {}
        }
    }

    /// Ends a connection that broke a rule: DISCONNECT with the reason for v5, then close.
    pub(super) fn fault(&mut self, now: Now, key: ConnKey, fault: Fault) -> Step {
        self.metrics().packets_error.inc();
        let Some(conn) = self.conns.get(key.slot) else { return Step::End };
        let was_connected = conn.state == ConnState::Connected;
        if was_connected {
            self.send_disconnect(key, fault.code, Some(fault.detail));
        } else {
            self.report_refused(key, "", CloseCause::Protocol(fault.code), fault.detail);
        }
        self.end_connection(now, key, CloseCause::Protocol(fault.code), true);
        Step::End
    }

    /// Tells a v5 client why its connection ends; 3.x has no such packet from the server.
    pub(super) fn send_disconnect(
        &mut self,
        key: ConnKey,
        reason: ReasonCode,
        detail: Option<&str>,
    ) {
        let redirect = self.redirect_for(reason);
        let Some(conn) = self.conns.get(key.slot) else { return };
        if conn.version != Version::V5 || conn.state != ConnState::Connected {
            return;
        }
        let disconnect = Disconnect {
            reason,
            session_expiry_interval_s: None,
            reason_string: if conn.problem_information { detail } else { None },
            server_reference: redirect.as_deref().and_then(|to| to.server_reference.as_deref()),
            user_properties: UserProperties::default(),
        };
        // MQTT-5.0 [MQTT-3.14.2-3]: rather without the words than not at all.
        let short = Disconnect { reason_string: None, server_reference: None, ..disconnect };
        if self.write(key, |out, version| disconnect.encode(version, out))
            || self.write(key, |out, version| short.encode(version, out))
        {
            self.metrics().disconnect_sent.inc();
        }
    }

    /// Where clients go to that are told so for that reason.
    pub(super) fn redirect_for(&self, reason: ReasonCode) -> Option<Arc<Redirect>> {
        self.config.redirect.clone().filter(|redirect| redirect.reason == reason)
    }
}
