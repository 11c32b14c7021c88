//! Arbitrary packets: random parts, and a packet of each kind and version built from them.
//! A packet carries only what its version can, so that decoding gives back exactly it.

use proptest::{collection::vec, prelude::*};
use rookery_codec::{
    Ack, Auth, ConnAck, ConnAckProperties, Connect, ConnectProperties, Disconnect, Packet, Publish,
    PublishProperties, QoS, ReasonCode, SubAck, SubIds, Subscribe, SubscribeFiltersBuf,
    SubscriptionOptions, UnsubAck, Unsubscribe, UnsubscribeFiltersBuf, UserProperties,
    UserPropertiesBuf, Version, Will,
};

pub const VERSIONS: [Version; 3] = [Version::V31, Version::V311, Version::V5];

#[derive(Debug)]
pub struct Parts {
    kind: u8,
    version: Version,
    /// One bit for each thing that may be there or not.
    present: u32,
    packet_id: u16,
    code: usize,
    qos: QoS,
    word: u16,
    number: u32,
    texts: Vec<String>,
    topic: String,
    binary: Vec<u8>,
    payload: Vec<u8>,
    codes: Vec<u8>,
    identifiers: Vec<u32>,
    user: UserPropertiesBuf,
    subscribe: SubscribeFiltersBuf,
    unsubscribe: UnsubscribeFiltersBuf,
}

pub fn parts() -> impl Strategy<Value = Parts> {
    let text = "[^\\p{C}]{0,12}";
    let scalars = (1..=15_u8, 0..3_usize, any::<u32>(), 1..=u16::MAX, any::<usize>(), 0..3_u8);
    let numbers = (1..=u16::MAX, 1..=u32::MAX, vec(1..=268_435_455_u32, 0..4));
    let texts = (vec(text, 8), "[^\\p{C}+#]{1,20}", vec((text, text), 0..4));
    let bytes = (vec(any::<u8>(), 0..40), vec(any::<u8>(), 0..300), vec(0..3_u8, 1..9));
    let filters = vec((text, 0..3_u8, any::<(bool, bool)>(), 0..3_u8), 1..6);
    (scalars, numbers, texts, bytes, filters).prop_map(build_parts)
}

type Scalars = (u8, usize, u32, u16, usize, u8);
type Numbers = (u16, u32, Vec<u32>);
type Bytes = (Vec<u8>, Vec<u8>, Vec<u8>);
type Texts = (Vec<String>, String, Vec<(String, String)>);
type Filters = Vec<(String, u8, (bool, bool), u8)>;

fn build_parts(
    (scalars, numbers, texts, bytes, filters): (Scalars, Numbers, Texts, Bytes, Filters),
) -> Parts {
    let (kind, version, present, packet_id, code, qos) = scalars;
    let version = if kind == 15 { Version::V5 } else { VERSIONS[version] };
    let mut user = UserPropertiesBuf::new();
    for (key, value) in &texts.2 {
        user.push(key, value);
    }
    let mut subscribe = SubscribeFiltersBuf::new();
    let mut unsubscribe = UnsubscribeFiltersBuf::new();
    for (filter, qos, (no_local, retain_as_published), retain_handling) in filters {
        unsubscribe.push(&filter);
        let qos = QoS::from_u8(qos).unwrap();
        let options = match version {
            Version::V5 => {
                SubscriptionOptions { qos, no_local, retain_as_published, retain_handling }
            }
            _ => SubscriptionOptions { qos, ..SubscriptionOptions::default() },
        };
        subscribe.push(&filter, options);
    }
    Parts {
        kind,
        version,
        present,
        packet_id,
        code,
        qos: QoS::from_u8(qos).unwrap(),
        word: numbers.0,
        number: numbers.1,
        texts: texts.0,
        topic: texts.1,
        binary: bytes.0,
        payload: bytes.1,
        codes: bytes.2,
        identifiers: numbers.2,
        user,
        subscribe,
        unsubscribe,
    }
}

impl Parts {
    pub fn version(&self) -> Version {
        self.version
    }

    fn has(&self, bit: u32) -> bool {
        self.present >> bit & 1 == 1
    }

    fn if_has<T>(&self, bit: u32, value: T) -> Option<T> {
        self.has(bit).then_some(value)
    }

    fn if_v5<T: Default>(&self, value: T) -> T {
        if self.version.is_v5() { value } else { T::default() }
    }

    fn reason(&self, v5: &[u8]) -> ReasonCode {
        ReasonCode(if self.version.is_v5() { v5[self.code % v5.len()] } else { 0 })
    }

    fn user(&self) -> UserProperties<'_> {
        if self.has(31) { self.user.as_ref() } else { UserProperties::default() }
    }

    fn reason_string(&self) -> Option<&str> {
        self.if_v5(self.if_has(30, self.texts[7].as_str()))
    }

    pub fn packet(&self) -> Packet<'_> {
        match self.kind {
            1 => Packet::Connect(self.connect()),
            2 => Packet::ConnAck(self.connack()),
            3 => Packet::Publish(self.publish()),
            4 => Packet::PubAck(self.ack(&[0x00, 0x10, 0x87, 0x97, 0x99])),
            5 => Packet::PubRec(self.ack(&[0x00, 0x10, 0x80, 0x90, 0x91])),
            6 => Packet::PubRel(self.ack(&[0x00, 0x92])),
            7 => Packet::PubComp(self.ack(&[0x00, 0x92])),
            8 => Packet::Subscribe(self.subscribe()),
            9 => Packet::SubAck(SubAck {
                packet_id: self.packet_id,
                reason_string: self.reason_string(),
                user_properties: self.if_v5(self.user()),
                codes: &self.codes,
            }),
            10 => {
                let mut packet = Unsubscribe::new(self.packet_id, &self.unsubscribe);
                packet.user_properties = self.if_v5(self.user());
                Packet::Unsubscribe(packet)
            }
            11 => Packet::UnsubAck(UnsubAck {
                packet_id: self.packet_id,
                reason_string: self.reason_string(),
                user_properties: self.if_v5(self.user()),
                codes: self.if_v5(&[0x00, 0x11, 0x8F]),
            }),
            12 => Packet::PingReq,
            13 => Packet::PingResp,
            14 => Packet::Disconnect(Disconnect {
                reason: self.reason(&[0x00, 0x04, 0x8B, 0x8E, 0x9D, 0xA2]),
                session_expiry_interval_s: self.if_v5(self.if_has(0, self.number)),
                reason_string: self.reason_string(),
                server_reference: self.if_v5(self.if_has(1, self.texts[0].as_str())),
                user_properties: self.if_v5(self.user()),
            }),
            _ => Packet::Auth(Auth {
                reason: self.reason(&[0x00, 0x18, 0x19]),
                method: self.if_has(0, self.texts[0].as_str()),
                data: self.if_has(1, self.binary.as_slice()),
                reason_string: self.reason_string(),
                user_properties: self.user(),
            }),
        }
    }

    fn connect(&self) -> Connect<'_> {
        let username = self.if_has(2, self.texts[0].as_str());
        let may_have_password = self.version.is_v5() || username.is_some();
        let method = self.if_has(13, self.texts[3].as_str());
        Connect {
            version: self.version,
            bridge: !self.version.is_v5() && self.has(0),
            clean_start: self.has(1),
            keep_alive_s: self.word,
            client_id: &self.texts[1],
            username,
            password: self.if_has(3, self.binary.as_slice()).filter(|_| may_have_password),
            will: self.if_has(4, self.will()),
            properties: self.if_v5(ConnectProperties {
                session_expiry_interval_s: self.if_has(5, self.number),
                receive_maximum: self.if_has(6, self.word),
                maximum_packet_size: self.if_has(7, self.number),
                topic_alias_maximum: self.if_has(8, self.word),
                request_response_information: self.if_has(9, self.has(10)),
                request_problem_information: self.if_has(11, self.has(12)),
                authentication_method: method,
                authentication_data: self
                    .if_has(14, &self.payload[..])
                    .filter(|_| method.is_some()),
                user_properties: self.user(),
            }),
        }
    }

    fn will(&self) -> Will<'_> {
        let mut properties = self.if_v5(self.properties());
        properties.topic_alias = None;
        properties.subscription_identifiers = SubIds::default();
        Will {
            topic: &self.topic,
            payload: &self.payload,
            qos: self.qos,
            retain: self.has(29),
            delay_interval_s: self.if_v5(self.number),
            properties,
        }
    }

    fn properties(&self) -> PublishProperties<'_> {
        PublishProperties {
            raw: &[],
            payload_format_indicator: self.if_has(15, u8::from(self.has(16))),
            message_expiry_interval_s: self.if_has(17, self.number),
            topic_alias: self.if_has(18, self.word),
            response_topic: self.if_has(19, self.topic.as_str()),
            correlation_data: self.if_has(20, self.binary.as_slice()),
            content_type: self.if_has(21, self.texts[2].as_str()),
            subscription_identifiers: SubIds::from_slice(&self.identifiers),
            user_properties: self.user(),
        }
    }

    fn publish(&self) -> Publish<'_> {
        let properties = self.if_v5(self.properties());
        let is_aliased = properties.topic_alias.is_some() && self.has(22);
        Publish {
            dup: self.qos != QoS::AtMostOnce && self.has(23),
            qos: self.qos,
            retain: self.has(24),
            topic: if is_aliased { "" } else { &self.topic },
            packet_id: if self.qos == QoS::AtMostOnce { 0 } else { self.packet_id },
            properties,
            payload: &self.payload,
        }
    }

    fn ack(&self, codes: &[u8]) -> Ack<'_> {
        Ack {
            packet_id: self.packet_id,
            reason: self.reason(codes),
            reason_string: self.reason_string(),
            user_properties: self.if_v5(self.user()),
        }
    }

    fn subscribe(&self) -> Subscribe<'_> {
        let mut packet = Subscribe::new(self.packet_id, &self.subscribe);
        packet.subscription_identifier =
            self.if_v5(self.identifiers.first().copied().filter(|_| self.has(25)));
        packet.user_properties = self.if_v5(self.user());
        packet
    }

    fn connack(&self) -> ConnAck<'_> {
        let reason = match self.version {
            Version::V5 => self.reason(&[0x00, 0x80, 0x84, 0x8A, 0x9F]),
            _ => ReasonCode::from_connack_v3((self.code % 6) as u8).unwrap(),
        };
        let text = |bit: u32| self.if_has(bit, self.texts[bit as usize].as_str());
        let properties = self.if_v5(ConnAckProperties {
            session_expiry_interval_s: self.if_has(5, self.number),
            receive_maximum: self.if_has(6, self.word),
            maximum_qos: self.if_has(8, QoS::from_u8(u8::from(self.has(9))).unwrap()),
            retain_available: self.if_has(10, self.has(11)),
            maximum_packet_size: self.if_has(12, self.number),
            assigned_client_identifier: text(0),
            topic_alias_maximum: self.if_has(13, self.word),
            reason_string: text(1),
            user_properties: self.user(),
            wildcard_subscription_available: self.if_has(14, self.has(15)),
            subscription_identifiers_available: self.if_has(16, self.has(17)),
            shared_subscription_available: self.if_has(18, self.has(19)),
            server_keep_alive_s: self.if_has(20, self.word),
            response_information: text(2),
            server_reference: text(3),
            authentication_method: text(4),
            authentication_data: self.if_has(21, self.binary.as_slice()),
        });
        let may_be_present = self.version != Version::V31 && !reason.is_error();
        ConnAck { session_present: may_be_present && self.has(22), reason, properties }
    }
}
