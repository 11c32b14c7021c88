//! The will of a CONNECT, MQTT-5.0 sections 3.1.2.5 and 3.1.3.2 to 3.1.3.4.

use crate::{
    DecodeError, PublishProperties, QoS, Version,
    encode::{put_binary, put_str, with_length},
    property::{PropertyWriter, WILL_DELAY_INTERVAL},
    reader::{Reader, check_topic},
};

/// The message that a server publishes when the connection ends without a good-bye.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Will<'a> {
    /// A topic name, not empty.
    pub topic: &'a str,
    /// The payload.
    pub payload: &'a [u8],
    /// The QoS to publish with.
    pub qos: QoS,
    /// The retain flag to publish with.
    pub retain: bool,
    /// How long to wait for the session to come back.
    pub delay_interval_s: u32,
    /// Without topic alias and subscription identifiers.
    pub properties: PublishProperties<'a>,
}

impl<'a> Will<'a> {
    /// Reads the will from the payload of CONNECT; QoS and retain are in its flags.
    pub(crate) fn decode(
        reader: &mut Reader<'a>,
        version: Version,
        qos: QoS,
        retain: bool,
    ) -> Result<Self, DecodeError> {
        let mut delay_interval_s = 0;
        let mut properties = PublishProperties::default();
        if version.is_v5() {
            let list = reader.property_list()?;
            properties = PublishProperties::decode(list, Some(&mut delay_interval_s))?;
        }
        let topic = check_topic(reader.binary()?)?;
        if topic.is_empty() {
            // MQTT-5.0 [MQTT-4.7.3-1].
            return Err(DecodeError::TopicName("empty"));
        }
        let payload = reader.binary()?;
        Ok(Self { topic, payload, qos, retain, delay_interval_s, properties })
    }

    pub(crate) fn encode(&self, version: Version, out: &mut Vec<u8>) {
        if version.is_v5() {
            with_length(out, |out| {
                let delay_s = (self.delay_interval_s != 0).then_some(self.delay_interval_s);
                PropertyWriter(out).four(WILL_DELAY_INTERVAL, delay_s);
                self.properties.encode(out);
            });
        }
        put_str(self.topic, out);
        put_binary(self.payload, out);
    }
}
