//! Who is subscribed and how.

use rookery_codec::QoS;

use super::keyed_list::Keyed;
use crate::ids::SessionKey;

/// Subscription options in one byte: QoS in bits 0–1, No Local 2, Retain As Published 3,
/// Retain Handling 4–5 (MQTT-5.0 §3.8.3.1), QoS upgrade 6 (`mqtt.upgrade_qos`).
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct SubOpts(u8);

impl SubOpts {
    const NO_LOCAL: u8 = 1 << 2;
    const RETAIN_AS_PUBLISHED: u8 = 1 << 3;
    const UPGRADE_QOS: u8 = 1 << 6;

    /// Packs the options; of `retain_handling` the low two bits count.
    #[must_use]
    pub const fn new(
        qos: QoS,
        no_local: bool,
        retain_as_published: bool,
        retain_handling: u8,
    ) -> Self {
        Self(
            qos as u8
                | (no_local as u8) << 2
                | (retain_as_published as u8) << 3
                | (retain_handling & 3) << 4,
        )
    }

    /// The same options, with or without QoS upgrade.
    #[must_use]
    pub const fn upgrading(self, upgrades: bool) -> Self {
        Self(self.0 & !Self::UPGRADE_QOS | (upgrades as u8) << 6)
    }

    /// The packed byte, for storage.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The inverse of [`SubOpts::bits`].
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0x7f)
    }

    /// Maximum QoS of the subscription.
    #[must_use]
    pub const fn qos(self) -> QoS {
        match self.0 & 3 {
            0 => QoS::AtMostOnce,
            1 => QoS::AtLeastOnce,
            _ => QoS::ExactlyOnce,
        }
    }

    /// The QoS with which a message is delivered: the lower one of message and subscription, with
    /// `mqtt.upgrade_qos` the higher one.
    #[inline]
    #[must_use]
    pub fn delivery_qos(self, published: QoS) -> QoS {
        if self.0 & Self::UPGRADE_QOS == 0 {
            published.min(self.qos())
        } else {
            published.max(self.qos())
        }
    }

    /// Messages of the subscriber itself are not for it.
    #[must_use]
    pub const fn no_local(self) -> bool {
        self.0 & Self::NO_LOCAL != 0
    }

    /// The RETAIN flag is kept as the publisher set it.
    #[must_use]
    pub const fn retain_as_published(self) -> bool {
        self.0 & Self::RETAIN_AS_PUBLISHED != 0
    }

    /// When retained messages are sent on subscribing: 0 always, 1 if the subscription is new,
    /// 2 never.
    #[must_use]
    pub const fn retain_handling(self) -> u8 {
        (self.0 >> 4) & 3
    }

    /// The options of one delivery that two subscriptions of a session ask for: the higher QoS,
    /// No Local only if both have it, Retain As Published if one has it.
    #[must_use]
    pub const fn merged(self, other: Self) -> Self {
        let qos = if self.0 & 3 >= other.0 & 3 { self.0 & 3 } else { other.0 & 3 };
        Self(
            qos | self.0 & other.0 & Self::NO_LOCAL
                | (self.0 | other.0) & (Self::RETAIN_AS_PUBLISHED | Self::UPGRADE_QOS)
                | self.0 & 0x30,
        )
    }
}

/// One subscription of a session, without its filter.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// The subscribing session.
    pub key: SessionKey,
    /// Identity of the session in the durable store; 0 if it is not durable.
    pub durable_id: u64,
    /// Subscription Identifier; 0 if there is none. At most 268,435,455 (MQTT-5.0 §3.8.2.1.2).
    pub sub_id: u32,
    /// Options of the subscription.
    pub opts: SubOpts,
}

impl Default for Subscriber {
    fn default() -> Self {
        Self {
            key: SessionKey { shard: 0, generation: 0, slot: 0 },
            durable_id: 0,
            sub_id: 0,
            opts: SubOpts::default(),
        }
    }
}

impl Keyed for Subscriber {
    type Key = SessionKey;
    fn key(&self) -> &SessionKey {
        &self.key
    }
}

/// A session key as one word, in the order of [`SessionKey`].
pub(super) const fn key_word(key: SessionKey) -> u64 {
    (key.shard as u64) << 48 | (key.generation as u64) << 32 | key.slot as u64
}
