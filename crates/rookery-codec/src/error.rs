//! Why bytes are not a packet.

use crate::ReasonCode;

/// The rule that the bytes of one packet break. The connection is closed after any of them
/// (MQTT-5.0 [MQTT-4.13.1-1]); a version 5 client may be told [`DecodeError::reason_code`] first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes cannot be parsed.
    #[error("malformed packet: {0}")]
    Malformed(&'static str),
    /// The bytes can be parsed and say something that is not allowed.
    #[error("protocol error: {0}")]
    Protocol(&'static str),
    /// CONNECT names another protocol. MQTT-5.0 [MQTT-3.1.2-1].
    #[error("unsupported protocol name")]
    UnsupportedProtocolName,
    /// CONNECT has a protocol level that is not known. MQTT-5.0 [MQTT-3.1.2-2].
    #[error("unsupported protocol level {0}")]
    UnsupportedProtocolVersion(u8),
    /// The topic name of a PUBLISH or of a will is empty or has a wildcard. MQTT-5.0
    /// [MQTT-3.3.2-2], [MQTT-4.7.3-1]. Reason code 0x90 is for a name that *is* well formed.
    #[error("invalid topic name: {0}")]
    TopicName(&'static str),
    /// The topic alias is zero. MQTT-5.0 [MQTT-3.3.2-8].
    #[error("topic alias is zero")]
    TopicAlias,
}

impl DecodeError {
    /// The reason code that tells the sender.
    #[must_use]
    pub const fn reason_code(&self) -> ReasonCode {
        match self {
            Self::Malformed(_) | Self::TopicName(_) => ReasonCode::MALFORMED_PACKET,
            Self::Protocol(_) => ReasonCode::PROTOCOL_ERROR,
            Self::UnsupportedProtocolName | Self::UnsupportedProtocolVersion(_) => {
                ReasonCode::UNSUPPORTED_PROTOCOL_VERSION
            }
            Self::TopicAlias => ReasonCode::TOPIC_ALIAS_INVALID,
        }
    }
}
