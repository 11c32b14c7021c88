//! Reason codes, MQTT-5.0 section 2.4, and what older versions make of them.

/// A reason code as it stands on the wire; below 0x80 is success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ReasonCode(pub u8);

impl ReasonCode {
    /// The request was carried out (also *granted QoS 0* in SUBACK).
    pub const SUCCESS: Self = Self(0x00);
    /// Close the connection; do not send the will.
    pub const NORMAL_DISCONNECTION: Self = Self(0x00);
    /// The subscription is accepted at QoS 0.
    pub const GRANTED_QOS_0: Self = Self(0x00);
    /// The subscription is accepted at QoS 1.
    pub const GRANTED_QOS_1: Self = Self(0x01);
    /// The subscription is accepted at QoS 2.
    pub const GRANTED_QOS_2: Self = Self(0x02);
    /// Close the connection and send the will.
    pub const DISCONNECT_WITH_WILL: Self = Self(0x04);
    /// Accepted, and nobody wanted it.
    pub const NO_MATCHING_SUBSCRIBERS: Self = Self(0x10);
    /// There was nothing to unsubscribe.
    pub const NO_SUBSCRIPTION_EXISTED: Self = Self(0x11);
    /// The authentication exchange goes on.
    pub const CONTINUE_AUTHENTICATION: Self = Self(0x18);
    /// Start to authenticate again.
    pub const RE_AUTHENTICATE: Self = Self(0x19);
    /// A reason that is not told or fits no other code.
    pub const UNSPECIFIED_ERROR: Self = Self(0x80);
    /// The bytes could not be parsed.
    pub const MALFORMED_PACKET: Self = Self(0x81);
    /// A packet that is not allowed here or now.
    pub const PROTOCOL_ERROR: Self = Self(0x82);
    /// Valid, but not processed by this receiver.
    pub const IMPLEMENTATION_SPECIFIC_ERROR: Self = Self(0x83);
    /// The server does not speak this version.
    pub const UNSUPPORTED_PROTOCOL_VERSION: Self = Self(0x84);
    /// The client identifier is not allowed.
    pub const CLIENT_IDENTIFIER_NOT_VALID: Self = Self(0x85);
    /// The user name or password is not accepted.
    pub const BAD_USER_NAME_OR_PASSWORD: Self = Self(0x86);
    /// The client may not do that.
    pub const NOT_AUTHORIZED: Self = Self(0x87);
    /// The server cannot serve.
    pub const SERVER_UNAVAILABLE: Self = Self(0x88);
    /// Try again later.
    pub const SERVER_BUSY: Self = Self(0x89);
    /// The client is banned.
    pub const BANNED: Self = Self(0x8A);
    /// The server is shutting down.
    pub const SERVER_SHUTTING_DOWN: Self = Self(0x8B);
    /// The authentication method is not supported or not the current one.
    pub const BAD_AUTHENTICATION_METHOD: Self = Self(0x8C);
    /// Nothing was received for 1.5 times the keep alive.
    pub const KEEP_ALIVE_TIMEOUT: Self = Self(0x8D);
    /// Another connection uses this client identifier.
    pub const SESSION_TAKEN_OVER: Self = Self(0x8E);
    /// Well formed, but not accepted as a topic filter.
    pub const TOPIC_FILTER_INVALID: Self = Self(0x8F);
    /// Well formed, but not accepted as a topic name.
    pub const TOPIC_NAME_INVALID: Self = Self(0x90);
    /// The packet identifier is in use.
    pub const PACKET_IDENTIFIER_IN_USE: Self = Self(0x91);
    /// The packet identifier is not known.
    pub const PACKET_IDENTIFIER_NOT_FOUND: Self = Self(0x92);
    /// More unacknowledged messages than allowed.
    pub const RECEIVE_MAXIMUM_EXCEEDED: Self = Self(0x93);
    /// The topic alias is zero or above the maximum.
    pub const TOPIC_ALIAS_INVALID: Self = Self(0x94);
    /// The packet is larger than the maximum packet size.
    pub const PACKET_TOO_LARGE: Self = Self(0x95);
    /// Data arrives too fast.
    pub const MESSAGE_RATE_TOO_HIGH: Self = Self(0x96);
    /// A limit of the implementation or the administrator is reached.
    pub const QUOTA_EXCEEDED: Self = Self(0x97);
    /// An operator closed the connection.
    pub const ADMINISTRATIVE_ACTION: Self = Self(0x98);
    /// The payload is not what its format indicator says.
    pub const PAYLOAD_FORMAT_INVALID: Self = Self(0x99);
    /// The server keeps no retained messages.
    pub const RETAIN_NOT_SUPPORTED: Self = Self(0x9A);
    /// The QoS is above the server's maximum.
    pub const QOS_NOT_SUPPORTED: Self = Self(0x9B);
    /// For the time being, use another server.
    pub const USE_ANOTHER_SERVER: Self = Self(0x9C);
    /// Use another server from here on.
    pub const SERVER_MOVED: Self = Self(0x9D);
    /// The server has no shared subscriptions.
    pub const SHARED_SUBSCRIPTIONS_NOT_SUPPORTED: Self = Self(0x9E);
    /// Too many new connections.
    pub const CONNECTION_RATE_EXCEEDED: Self = Self(0x9F);
    /// The time granted for this connection is over.
    pub const MAXIMUM_CONNECT_TIME: Self = Self(0xA0);
    /// The server has no subscription identifiers.
    pub const SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED: Self = Self(0xA1);
    /// The server has no wildcard subscriptions.
    pub const WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED: Self = Self(0xA2);

    /// A short name for logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SUCCESS => "success",
            Self::GRANTED_QOS_1 => "granted_qos1",
            Self::GRANTED_QOS_2 => "granted_qos2",
            Self::DISCONNECT_WITH_WILL => "disconnect_with_will_message",
            Self::NO_MATCHING_SUBSCRIBERS => "no_matching_subscribers",
            Self::NO_SUBSCRIPTION_EXISTED => "no_subscription_existed",
            Self::CONTINUE_AUTHENTICATION => "continue_authentication",
            Self::RE_AUTHENTICATE => "re_authenticate",
            Self::UNSPECIFIED_ERROR => "unspecified_error",
            Self::MALFORMED_PACKET => "malformed_packet",
            Self::PROTOCOL_ERROR => "protocol_error",
            Self::IMPLEMENTATION_SPECIFIC_ERROR => "implementation_specific_error",
            Self::UNSUPPORTED_PROTOCOL_VERSION => "unsupported_protocol_version",
            Self::CLIENT_IDENTIFIER_NOT_VALID => "client_identifier_not_valid",
            Self::BAD_USER_NAME_OR_PASSWORD => "bad_username_or_password",
            Self::NOT_AUTHORIZED => "not_authorized",
            Self::SERVER_UNAVAILABLE => "server_unavailable",
            Self::SERVER_BUSY => "server_busy",
            Self::BANNED => "banned",
            Self::SERVER_SHUTTING_DOWN => "server_shutting_down",
            Self::BAD_AUTHENTICATION_METHOD => "bad_authentication_method",
            Self::KEEP_ALIVE_TIMEOUT => "keepalive_timeout",
            Self::SESSION_TAKEN_OVER => "session_taken_over",
            Self::TOPIC_FILTER_INVALID => "topic_filter_invalid",
            Self::TOPIC_NAME_INVALID => "topic_name_invalid",
            Self::PACKET_IDENTIFIER_IN_USE => "packet_identifier_in_use",
            Self::PACKET_IDENTIFIER_NOT_FOUND => "packet_identifier_not_found",
            Self::RECEIVE_MAXIMUM_EXCEEDED => "receive_maximum_exceeded",
            Self::TOPIC_ALIAS_INVALID => "topic_alias_invalid",
            Self::PACKET_TOO_LARGE => "packet_too_large",
            Self::MESSAGE_RATE_TOO_HIGH => "message_rate_too_high",
            Self::QUOTA_EXCEEDED => "quota_exceeded",
            Self::ADMINISTRATIVE_ACTION => "administrative_action",
            Self::PAYLOAD_FORMAT_INVALID => "payload_format_invalid",
            Self::RETAIN_NOT_SUPPORTED => "retain_not_supported",
            Self::QOS_NOT_SUPPORTED => "qos_not_supported",
            Self::USE_ANOTHER_SERVER => "use_another_server",
            Self::SERVER_MOVED => "server_moved",
            Self::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED => "shared_subscriptions_not_supported",
            Self::CONNECTION_RATE_EXCEEDED => "connection_rate_exceeded",
            Self::MAXIMUM_CONNECT_TIME => "maximum_connect_time",
            Self::SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED => {
                "subscription_identifiers_not_supported"
            }
            Self::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED => "wildcard_subscriptions_not_supported",
            _ => "unknown",
        }
    }

    /// Whether the code says that something failed.
    #[must_use]
    #[inline]
    pub const fn is_error(self) -> bool {
        self.0 >= 0x80
    }

    /// The return code of a 3.1 or 3.1.1 CONNACK that says this best (MQTT-3.1.1 table 3.1).
    #[must_use]
    pub const fn connack_v3(self) -> u8 {
        match self {
            Self::SUCCESS => 0,
            Self::UNSUPPORTED_PROTOCOL_VERSION => 1,
            Self::CLIENT_IDENTIFIER_NOT_VALID => 2,
            Self::BAD_USER_NAME_OR_PASSWORD | Self::BAD_AUTHENTICATION_METHOD => 4,
            Self::NOT_AUTHORIZED | Self::BANNED => 5,
            _ => 3,
        }
    }

    /// What a 3.1 or 3.1.1 CONNACK return code means, if it is one of the six.
    #[must_use]
    pub const fn from_connack_v3(return_code: u8) -> Option<Self> {
        match return_code {
            0 => Some(Self::SUCCESS),
            1 => Some(Self::UNSUPPORTED_PROTOCOL_VERSION),
            2 => Some(Self::CLIENT_IDENTIFIER_NOT_VALID),
            3 => Some(Self::SERVER_UNAVAILABLE),
            4 => Some(Self::BAD_USER_NAME_OR_PASSWORD),
            5 => Some(Self::NOT_AUTHORIZED),
            _ => None,
        }
    }
}

impl std::fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (0x{:02X})", self.name(), self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::ReasonCode;

    #[test]
    fn return_codes_of_connack_keep_their_meaning() {
        for return_code in 0..6 {
            let reason = ReasonCode::from_connack_v3(return_code).unwrap();
            assert_eq!(reason.connack_v3(), return_code);
        }
        assert_eq!(ReasonCode::from_connack_v3(6), None);
        assert!((0x80..=0xFF).all(|code| ReasonCode(code).connack_v3() != 0));
    }

    #[test]
    fn codes_have_names() {
        assert_eq!(ReasonCode::NORMAL_DISCONNECTION, ReasonCode::SUCCESS);
        assert_eq!(ReasonCode::QUOTA_EXCEEDED.to_string(), "quota_exceeded (0x97)");
        assert_eq!(ReasonCode(0x7F).name(), "unknown");
        assert!(ReasonCode::UNSPECIFIED_ERROR.is_error() && !ReasonCode(0x10).is_error());
    }
}
