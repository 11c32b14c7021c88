//! A PUBLISH on its way to one client, from parts to bytes in its outbox.

use std::sync::Arc;

use rookery_codec::{PublishHead, QoS, Version, encode_publish_head, publish_len};

use crate::conn::{ALIAS_BYTES_OUT_MAX, Aliases, Conn};
use crate::ids::Now;
use crate::message::Message;
use crate::outbox::BufferPool;

/// What a PUBLISH to one client looks like, before it is bytes.
pub(super) struct Outgoing<'a> {
    pub(super) topic: &'a str,
    pub(super) properties: &'a [u8],
    pub(super) payload: &'a [u8],
    pub(super) expires_at_ms: u64,
    pub(super) qos: QoS,
    pub(super) dup: bool,
    pub(super) retain: bool,
    pub(super) packet_id: u16,
    pub(super) sub_ids: &'a [u32],
    pub(super) by_reference: Option<Arc<Message>>,
}

/// Encodes into the outbox; `None` when the client's Maximum Packet Size forbids it.
#[inline]
pub(super) fn write_publish(
    conn: &mut Conn,
    pool: &mut BufferPool,
    now: Now,
    outgoing: Outgoing<'_>,
) -> Option<usize> {
    let is_v5 = conn.version == Version::V5;
    let mut head = PublishHead {
        version: conn.version,
        dup: outgoing.dup,
        qos: outgoing.qos,
        retain: outgoing.retain,
        topic: outgoing.topic,
        packet_id: outgoing.packet_id,
        topic_alias: None,
        message_expiry_interval_s: None,
        subscription_identifiers: &[],
        properties: &[],
    };
    let len = outgoing.payload.len();
    if is_v5 {
        head.properties = outgoing.properties;
        head.subscription_identifiers = outgoing.sub_ids;
        if outgoing.expires_at_ms != 0 {
            let left_ms = outgoing.expires_at_ms.saturating_sub(now.unix_ms);
            head.message_expiry_interval_s =
                Some(u32::try_from(left_ms.div_ceil(1000)).unwrap_or(u32::MAX));
        }
        let max =
            if conn.packet_size_max == 0 { usize::MAX } else { conn.packet_size_max as usize };
        if let Some(aliases) = conn.aliases.as_mut().filter(|a| a.outbound_max > 0) {
            alias_out(aliases, &mut head, len, max);
        }
        if max != usize::MAX && publish_len(&head, len) > max {
            conn.traffic.dropped_too_large();
            return None;
        }
    }
    conn.traffic.sent_message(outgoing.qos);
    let out = conn.out.writer(pool);
    let before = out.len();
    encode_publish_head(&head, len, out);
    let written = out.len() - before + len;
    match outgoing.by_reference {
        Some(message) => conn.out.push_payload(message),
        None => out.extend_from_slice(outgoing.payload),
    }
    Some(written)
}

/// Uses or sets an outbound topic alias, MQTT-5.0 section 3.3.2.3.4.
fn alias_out(aliases: &mut Aliases, head: &mut PublishHead<'_>, len: usize, max: usize) {
    if let Some(&alias) = aliases.outbound.get(head.topic) {
        head.topic_alias = Some(alias);
        head.topic = "";
        return;
    }
    let next = u16::try_from(aliases.outbound.len()).map_or(u16::MAX, |n| n.saturating_add(1));
    let bytes = aliases.outbound_bytes + head.topic.len();
    if next <= aliases.outbound_max && bytes <= ALIAS_BYTES_OUT_MAX {
        head.topic_alias = Some(next);
        if max != usize::MAX && publish_len(head, len) > max {
            // It fits only without, or not at all: then the client never learns the alias.
            head.topic_alias = None;
            return;
        }
        aliases.outbound.insert(head.topic.into(), next);
        aliases.outbound_bytes = bytes;
    }
}
