//! Packets in words, for traces. Passwords and authentication data never appear.

use std::fmt::Write;

use rookery_codec::{Ack, Connect, Packet, Publish, Version, decode, parse_header};

/// Topic filters named in one line.
const FILTERS_SHOWN_MAX: usize = 32;

/// A packet from its first byte and its body; its payload is not part of the words.
#[must_use]
pub fn describe(first: u8, body: &[u8], version: Version) -> String {
    match decode(first, body, version) {
        Ok(packet) => of_packet(&packet, first),
        Err(_) => format!("UNDECODABLE(Type={}, Length={})", first >> 4, body.len()),
    }
}

/// A packet as it stands in an outbox.
pub(crate) fn describe_encoded(bytes: &[u8], version: Version) -> Option<String> {
    let header = parse_header(bytes).ok()??;
    let body = bytes.get(header.header_len..header.header_len + header.remaining)?;
    Some(describe(header.first, body, version))
}

/// A CONNECT that is decoded already.
pub(crate) fn describe_connect(connect: &Connect<'_>) -> String {
    format!("CONNECT({})", of_connect(connect))
}

fn of_packet(packet: &Packet<'_>, first: u8) -> String {
    let (name, more) = match packet {
        Packet::Connect(connect) => ("CONNECT", of_connect(connect)),
        Packet::ConnAck(connack) => {
            let flag = u8::from(connack.session_present);
            ("CONNACK", format!("AckFlags={flag}, ReasonCode={}", connack.reason.0))
        }
        Packet::Publish(publish) => ("PUBLISH", of_publish(publish)),
        Packet::PubAck(ack) => ("PUBACK", of_ack(ack)),
        Packet::PubRec(ack) => ("PUBREC", of_ack(ack)),
        Packet::PubRel(ack) => ("PUBREL", of_ack(ack)),
        Packet::PubComp(ack) => ("PUBCOMP", of_ack(ack)),
        Packet::Subscribe(subscribe) => {
            let mut text = format!("PacketId={}, TopicFilters=[", subscribe.packet_id);
            for (at, wanted) in subscribe.filters().take(FILTERS_SHOWN_MAX).enumerate() {
                let gap = if at == 0 { "" } else { ", " };
                let options = wanted.options;
                let _ = write!(
                    text,
                    "{gap}{}(Q{}, NL{}, RAP{}, RH{})",
                    wanted.filter,
                    options.qos as u8,
                    u8::from(options.no_local),
                    u8::from(options.retain_as_published),
                    options.retain_handling,
                );
            }
            text.push(']');
            ("SUBSCRIBE", text)
        }
        Packet::SubAck(suback) => {
            let codes = suback.codes;
            ("SUBACK", format!("PacketId={}, ReasonCodes={codes:?}", suback.packet_id))
        }
        Packet::Unsubscribe(unsubscribe) => {
            let shown: Vec<&str> = unsubscribe.filters().take(FILTERS_SHOWN_MAX).collect();
            let filters = shown.join(", ");
            ("UNSUBSCRIBE", format!("PacketId={}, TopicFilters=[{filters}]", unsubscribe.packet_id))
        }
        Packet::UnsubAck(unsuback) => (
            "UNSUBACK",
            format!("PacketId={}, ReasonCodes={:?}", unsuback.packet_id, unsuback.codes),
        ),
        Packet::PingReq => ("PINGREQ", String::new()),
        Packet::PingResp => ("PINGRESP", String::new()),
        Packet::Disconnect(disconnect) => {
            ("DISCONNECT", format!("ReasonCode={}", disconnect.reason.0))
        }
        Packet::Auth(auth) => {
            let method = auth.method.unwrap_or("");
            ("AUTH", format!("ReasonCode={}, Method={method}", auth.reason.0))
        }
    };
    let (qos, retain, dup) = (first >> 1 & 3, first & 1, first >> 3 & 1);
    let flags =
        if first >> 4 == 3 { format!("Q{qos}, R{retain}, D{dup}, ") } else { String::new() };
    format!("{name}({flags}{more})")
}

fn of_connect(connect: &Connect<'_>) -> String {
    let mut text = format!(
        "ClientId={}, ProtoName={}, ProtoVsn={}, CleanStart={}, KeepAlive={}, Username={}",
        connect.client_id,
        if connect.version == Version::V31 { "MQIsdp" } else { "MQTT" },
        connect.version as u8,
        connect.clean_start,
        connect.keep_alive_s,
        connect.username.unwrap_or("undefined"),
    );
    if connect.password.is_some() {
        text.push_str(", Password=******");
    }
    if let Some(will) = &connect.will {
        let _ = write!(
            text,
            ", Will(Q{}, R{}, Topic={}, PayloadLength={})",
            will.qos as u8,
            u8::from(will.retain),
            will.topic,
            will.payload.len(),
        );
    }
    text
}

fn of_publish(publish: &Publish<'_>) -> String {
    let mut text = format!("Topic={}", publish.topic);
    if publish.packet_id != 0 {
        let _ = write!(text, ", PacketId={}", publish.packet_id);
    }
    if let Some(alias) = publish.properties.topic_alias {
        let _ = write!(text, ", TopicAlias={alias}");
    }
    let _ = write!(text, ", PayloadLength={}", publish.payload.len());
    text
}

fn of_ack(ack: &Ack<'_>) -> String {
    format!("PacketId={}, ReasonCode={}", ack.packet_id, ack.reason.0)
}

#[cfg(test)]
mod tests {
    use rookery_codec::{Connect, Version};

    use super::describe_encoded;

    #[test]
    fn a_connect_is_told_without_its_password() {
        let connect = Connect {
            username: Some("me"),
            password: Some(b"secret-word"),
            ..Connect::new(Version::V5, "c1")
        };
        let mut bytes = Vec::new();
        connect.encode(&mut bytes);
        let text = describe_encoded(&bytes, Version::V5).unwrap();
        assert!(text.starts_with("CONNECT(ClientId=c1, ProtoName=MQTT, ProtoVsn=5,"), "{text}");
        assert!(text.contains("Username=me, Password=******"), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn bytes_that_are_no_packet_are_told_as_such() {
        let bytes = [0x82, 1, 0];
        assert_eq!(
            describe_encoded(&bytes, Version::V311).unwrap(),
            "UNDECODABLE(Type=8, Length=1)"
        );
        assert_eq!(describe_encoded(&[0x82], Version::V311), None);
    }
}
