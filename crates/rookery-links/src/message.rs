//! How a message looks that crosses a link: the record `message` of EMQX, a tuple of ten.
//!
//! What the receiving side needs is read; headers that mean nothing here are passed over.

use std::borrow::Cow;

use rookery_codec::{PublishProperties, QoS, UserPropertiesBuf, check_topic_name};

use crate::operation::PayloadError;
use crate::term::{Atom, Limits, Term, decode, open};
use crate::write::Writer;

/// The user property of a packet with a message that is retained at the other side, told when the
/// link came up: between Rookery clusters alone.
pub const STATE: (&str, &str) = ("rookery-link", "retained");

/// Terms of a message: its headers with user properties.
const TERMS_MAX: usize = 8192;

/// Octets that a message may have beside what its packet has when it is decompressed.
const INFLATED_BYTES_MIN: usize = 16 << 20;

/// A message on its way between clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkMessage<'a> {
    /// Its identity.
    pub id: [u8; 16],
    /// QoS as published.
    pub qos: QoS,
    /// The client that published it; none if no client did.
    pub from: Option<&'a str>,
    /// The user name of that client.
    pub username: Option<&'a str>,
    /// RETAIN as published.
    pub retain: bool,
    /// Made by a node itself.
    pub sys: bool,
    /// Topic name.
    pub topic: &'a str,
    /// Payload.
    pub payload: &'a [u8],
    /// When it was published, ms since 1970.
    pub timestamp_ms: u64,
    /// Message Expiry Interval, from then on.
    pub expiry_interval_s: Option<u32>,
    /// The other properties that are passed on, encoded as MQTT does.
    pub properties: Cow<'a, [u8]>,
}

/// What a message may be, where packets may have so many octets.
#[must_use]
pub fn limits(packet_bytes_max: usize) -> Limits {
    Limits { bytes: packet_bytes_max.max(INFLATED_BYTES_MIN), terms: TERMS_MAX }
}

/// The octets of a payload, decompressed.
///
/// # Errors
///
/// It is no term, or larger than may be.
pub fn unpack(payload: &[u8], limits: Limits) -> Result<Cow<'_, [u8]>, PayloadError> {
    Ok(open(payload, limits)?)
}

/// Reads what [`unpack`] gave.
///
/// # Errors
///
/// It is no message.
pub fn read(plain: &[u8], limits: Limits) -> Result<LinkMessage<'_>, PayloadError> {
    let term = decode(plain, limits)?;
    let Term::Tuple(parts) = &term else { return Err(PayloadError::Shape("no message")) };
    let [Term::Atom(Atom::Message), id, qos, from, flags, headers, topic, payload, time, _] =
        parts.as_slice()
    else {
        return Err(PayloadError::Shape("no message"));
    };
    let whole = || {
        let Term::Binary(id) = id else { return None };
        let Term::Binary(payload) = payload else { return None };
        let flag = |atom| flags.get(&Term::Atom(atom)) == Some(&Term::Atom(Atom::True));
        let from = match from {
            Term::Binary(_) => Some(from.text()?),
            Term::Atom(_) => None,
            _ => return None,
        };
        let none = Term::Map(Vec::new());
        let properties = headers.get(&Term::Atom(Atom::Properties)).unwrap_or(&none);
        let expiry = properties.get(&Term::Atom(Atom::MessageExpiryInterval)).and_then(Term::int);
        Some(LinkMessage {
            id: (*id).try_into().ok()?,
            qos: QoS::from_u8(u8::try_from(qos.int()?).ok()?)?,
            from,
            username: headers.get(&Term::Atom(Atom::Username)).and_then(Term::text),
            retain: flag(Atom::Retain),
            sys: flag(Atom::Sys),
            topic: topic.text().filter(|topic| check_topic_name(topic).is_ok())?,
            payload,
            timestamp_ms: u64::try_from(time.int()?).ok()?,
            expiry_interval_s: expiry.and_then(|seconds| u32::try_from(seconds).ok()),
            properties: Cow::Owned(properties_of(properties)?),
        })
    };
    whole().ok_or(PayloadError::Shape("a message with a field that is none"))
}

/// MQTT's encoding of the properties that are passed on; none if one is not what it has to be.
fn properties_of(map: &Term<'_>) -> Option<Vec<u8>> {
    let at = |atom| map.get(&Term::Atom(atom));
    let binary = |atom| match at(atom) {
        Some(Term::Binary(bytes)) if bytes.len() <= usize::from(u16::MAX) => Some(Some(*bytes)),
        None | Some(Term::Atom(Atom::Undefined)) => Some(None),
        _ => None,
    };
    let text = |atom| match binary(atom)? {
        Some(bytes) => std::str::from_utf8(bytes).ok().map(Some),
        None => Some(None),
    };
    let mut user = UserPropertiesBuf::new();
    if let Some(Term::List(pairs)) = at(Atom::UserProperty) {
        for pair in pairs {
            let Term::Tuple(pair) = pair else { return None };
            let [name, value] = pair.as_slice() else { return None };
            user.push(name.text()?, value.text()?);
        }
    }
    let indicator = at(Atom::PayloadFormatIndicator).and_then(Term::int);
    let properties = PublishProperties {
        payload_format_indicator: indicator.and_then(|n| u8::try_from(n).ok()).filter(|n| *n < 2),
        response_topic: text(Atom::ResponseTopic)?,
        correlation_data: binary(Atom::CorrelationData)?,
        content_type: text(Atom::ContentType)?,
        user_properties: user.as_ref(),
        ..PublishProperties::default()
    };
    let mut out = Vec::new();
    properties.forward_into(&mut out);
    // What a text may hold in MQTT, Erlang did not check.
    PublishProperties::from_list(&out).ok()?;
    Some(out)
}

impl LinkMessage<'_> {
    /// Appends it as it goes out. It is not compressed: payloads seldom gain by it, and it would
    /// cost more than all the rest.
    #[allow(clippy::cast_possible_wrap)] // ms since 1970
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        out.reserve(self.payload.len() + self.topic.len() + self.properties.len() + 256);
        let mut out = Writer(out);
        out.version();
        out.tuple(10);
        out.atom(Atom::Message);
        out.binary(&self.id);
        out.int(self.qos as i64);
        match self.from {
            Some(from) => out.text(from),
            None => out.atom(Atom::Undefined),
        }
        out.map(if self.sys { 3 } else { 2 });
        out.atom(Atom::Dup);
        out.flag(false);
        out.atom(Atom::Retain);
        out.flag(self.retain);
        if self.sys {
            out.atom(Atom::Sys);
            out.flag(true);
        }
        self.write_headers(&mut out);
        out.text(self.topic);
        out.binary(self.payload);
        out.int(self.timestamp_ms as i64);
        out.map(0);
    }

    fn write_headers(&self, out: &mut Writer<'_>) {
        out.map(4);
        out.atom(Atom::Protocol);
        out.atom(Atom::Mqtt);
        out.atom(Atom::ProtoVer);
        out.int(5);
        out.atom(Atom::Username);
        match self.username {
            Some(name) => out.text(name),
            None => out.atom(Atom::Undefined),
        }
        out.atom(Atom::Properties);
        // Encoded by the codec from a list that it had checked.
        let list = PublishProperties::from_list(&self.properties).unwrap_or_default();
        let users = list.user_properties.len();
        let expiry = self.expiry_interval_s.map(i64::from);
        let numbers = [
            (Atom::PayloadFormatIndicator, list.payload_format_indicator.map(i64::from)),
            (Atom::MessageExpiryInterval, expiry),
        ];
        let binaries = [
            (Atom::ContentType, list.content_type.map(str::as_bytes)),
            (Atom::ResponseTopic, list.response_topic.map(str::as_bytes)),
            (Atom::CorrelationData, list.correlation_data),
        ];
        let count = numbers.iter().filter(|(_, value)| value.is_some()).count()
            + binaries.iter().filter(|(_, value)| value.is_some()).count();
        out.map(count + usize::from(users > 0));
        for (atom, value) in numbers {
            if let Some(value) = value {
                out.atom(atom);
                out.int(value);
            }
        }
        for (atom, value) in binaries {
            if let Some(value) = value {
                out.atom(atom);
                out.binary(value);
            }
        }
        if users > 0 {
            out.atom(Atom::UserProperty);
            out.list(users);
            for (name, value) in list.user_properties {
                out.tuple(2);
                out.text(name);
                out.text(value);
            }
            out.nil();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> LinkMessage<'static> {
        LinkMessage {
            id: *b"0123456789abcdef",
            qos: QoS::AtLeastOnce,
            from: Some("device-7"),
            username: Some("u"),
            retain: true,
            sys: false,
            topic: "plant/7/state",
            payload: b"on",
            timestamp_ms: 1_754_557_200_000,
            expiry_interval_s: Some(60),
            properties: Cow::Borrowed(&[]),
        }
    }

    fn encoded(message: &LinkMessage<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        message.encode_into(&mut out);
        out
    }

    fn there_and_back(message: &LinkMessage<'_>) {
        let bytes = encoded(message);
        let plain = unpack(&bytes, limits(0)).unwrap();
        assert_eq!(read(&plain, limits(0)).as_ref(), Ok(message));
    }

    /// A message as EMQX writes it, with headers that mean nothing here.
    fn from_emqx() -> Term<'static> {
        let text = |text: &'static str| Term::Binary(text.as_bytes());
        let atom = Term::Atom;
        Term::Tuple(vec![
            atom(Atom::Message),
            text("0123456789abcdef"),
            Term::Int(1),
            text("device-7"),
            Term::Map(vec![
                (atom(Atom::Dup), atom(Atom::False)),
                (atom(Atom::Retain), atom(Atom::True)),
            ]),
            Term::Map(vec![
                (atom(Atom::Username), text("u")),
                (
                    atom(Atom::Other),
                    Term::Tuple(vec![
                        Term::Tuple([10, 0, 0, 1].map(Term::Int).into()),
                        Term::Int(1883),
                    ]),
                ),
                (
                    atom(Atom::Properties),
                    Term::Map(vec![(atom(Atom::MessageExpiryInterval), Term::Int(60))]),
                ),
            ]),
            text("plant/7/state"),
            text("on"),
            Term::Int(1_754_557_200_000),
            Term::Map(vec![]),
        ])
    }

    #[test]
    fn a_message_of_emqx_is_read() {
        for bytes in [from_emqx().encode(), from_emqx().encode_compressed()] {
            let plain = unpack(&bytes, limits(0)).unwrap();
            assert_eq!(read(&plain, limits(0)), Ok(sample()));
        }
    }

    #[test]
    fn messages_come_as_they_went() {
        let mut properties = Vec::new();
        let mut user = UserPropertiesBuf::new();
        user.push("a", "1");
        user.push("a", "2");
        PublishProperties {
            payload_format_indicator: Some(1),
            response_topic: Some("r"),
            correlation_data: Some(&[0, 255]),
            content_type: Some("text/plain"),
            user_properties: user.as_ref(),
            ..PublishProperties::default()
        }
        .forward_into(&mut properties);
        let none = LinkMessage { from: None, username: None, expiry_interval_s: None, ..sample() };
        for message in [
            sample(),
            LinkMessage { retain: false, sys: true, qos: QoS::ExactlyOnce, ..none },
            LinkMessage { properties: properties.into(), payload: &[0; 70_000], ..sample() },
        ] {
            there_and_back(&message);
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let change = |at: usize, term: Term<'static>| {
            let Term::Tuple(mut parts) = from_emqx() else { return Term::Int(0) };
            parts[at] = term;
            Term::Tuple(parts)
        };
        for term in [
            Term::Int(1),
            change(0, Term::Atom(Atom::Ok)),
            change(1, Term::Binary(b"short")),
            change(2, Term::Int(3)),
            change(3, Term::Int(3)),
            change(6, Term::Binary(b"a/#")),
            change(6, Term::Binary(b"")),
            change(7, Term::Int(3)),
            change(8, Term::Int(-1)),
        ] {
            let bytes = term.encode();
            assert!(read(&unpack(&bytes, limits(0)).unwrap(), limits(0)).is_err(), "{term:?}");
        }
    }

    proptest! {
        #[test]
        fn any_message_comes_as_it_went(
            id in any::<[u8; 16]>(),
            qos in 0_u8..3,
            from in proptest::option::of("[a-z0-9]{0,30}"),
            retain in any::<bool>(),
            topic in "[a-z/]{1,40}",
            payload in proptest::collection::vec(any::<u8>(), 0..400),
            timestamp_ms in 0_u64..1 << 62,
            expiry_interval_s in proptest::option::of(any::<u32>()),
        ) {
            there_and_back(&LinkMessage {
                id,
                qos: QoS::from_u8(qos).unwrap(),
                from: from.as_deref(),
                username: None,
                retain,
                sys: false,
                topic: &topic,
                payload: &payload,
                timestamp_ms,
                expiry_interval_s,
                properties: Cow::Borrowed(&[]),
            });
        }
    }
}
