//! Packets that break a rule end their connection.

use std::sync::Arc;

use rookery_codec::{
    ConnectProperties, DecodeError, Disconnect, Packet, ReasonCode, UserProperties, Version,
    decode, varint,
};

use super::{Fault, Shard, Step, detail_of};
use crate::config::Redirect;
use crate::conn::ConnState;
use crate::effects::CloseCause;
use crate::ids::{ConnKey, Now};

/// Whether the body of a CONNECT says that it is MQTT 5.
fn claims_v5(body: &[u8]) -> bool {
    body.get(..7).is_some_and(|head| head == [0, 4, b'M', b'Q', b'T', b'T', 5])
}

/// The properties of an MQTT 5 CONNECT in whose payload something is wrong: as those of one
/// without a will and a name.
fn with_properties_of<T>(body: &[u8], read: impl FnOnce(&ConnectProperties<'_>) -> T) -> Option<T> {
    const FLAGS_AT: usize = 7;
    const PROPERTIES_AT: usize = 10;
    let (length, taken) = varint::decode(body.get(PROPERTIES_AT..)?).ok()??;
    let mut head = body.get(..PROPERTIES_AT + taken + length as usize)?.to_vec();
    *head.get_mut(FLAGS_AT)? = 2;
    head.extend_from_slice(&[0, 0]);
    match decode(0x10, &head, Version::V5).ok()? {
        Packet::Connect(connect) => Some(read(&connect.properties)),
        _ => None,
    }
}

impl Shard {
    /// Refuses a CONNECT that cannot be decoded, in the words of the version it claims.
    pub(super) fn refuse_undecodable(
        &mut self,
        now: Now,
        key: ConnKey,
        body: &[u8],
        error: &DecodeError,
    ) -> Step {
        let reason = error.reason_code();
        if reason == ReasonCode::UNSUPPORTED_PROTOCOL_VERSION {
            // MQTT-5.0 [MQTT-3.1.2-2], MQTT-3.1.1 [MQTT-3.1.2-2]: answer, then close.
            return self.refuse(now, key, reason, CloseCause::Protocol(reason), detail_of(error));
        }
        // A v5 client may be told (MQTT-5.0 [MQTT-3.1.4-1]); 3.1.1 wants silence.
        if claims_v5(body) {
            let limits = with_properties_of(body, |properties| {
                let problem_information = properties.request_problem_information.unwrap_or(true);
                (properties.maximum_packet_size.unwrap_or(0), problem_information)
            });
            if let Some(conn) = self.conns.get_mut(key.slot) {
                conn.version = Version::V5;
                if let Some((packet_size_max, problem_information)) = limits {
                    conn.packet_size_max = packet_size_max;
                    conn.problem_information = problem_information;
                }
            }
            return self.refuse(now, key, reason, CloseCause::Protocol(reason), detail_of(error));
        }
        self.fault(now, key, Fault::new(reason, detail_of(error)))
    }

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
