//! Notices about clients under `$SYS/brokers/<node>/clients/…`, made where the facts are.
//!
//! They follow the successful CONNACK and carry `generation`, which rises with every connect of
//! that client identifier: a consumer can order *connected* and *disconnected* however they travel.
//! A *disconnected* carries the generation of the *connected* that it ends.

use std::fmt::Write;
use std::sync::Arc;

use super::Shard;
use super::deliver::Source;
use crate::effects::CloseCause;
use crate::ids::{ConnKey, MessageId, Now};
use crate::message::{MessageParts, Publisher};
use crate::rules::happening::quoted;
use crate::session::{Session, Subscription};

impl Shard {
    pub(super) fn notice_connected(&mut self, now: Now, slot: u32, key: ConnKey) {
        if !self.config.notices.connected {
            return;
        }
        self.notice(now, slot, Some(key), "connected", |shard, session, json| {
            let _ = write!(
                json,
                ",\"connected_at\":{},\"keepalive\":{},\"clean_start\":{},\"expiry_interval\":{}",
                session.connected_at_ms,
                session.keep_alive_s,
                session.clean_start,
                session.expiry_s,
            );
            let Some(conn) = shard.conns.get(key.slot) else { return };
            let _ = write!(json, ",\"receive_maximum\":{},\"conn_props\":{{", conn.window);
            if session.proto_ver == 5 {
                let _ = write!(
                    json,
                    "\"Session-Expiry-Interval\":{},\"Receive-Maximum\":{}",
                    session.expiry_s, conn.window
                );
                if conn.packet_size_max != 0 {
                    let _ = write!(json, ",\"Maximum-Packet-Size\":{}", conn.packet_size_max);
                }
            }
            json.push('}');
        });
    }

    pub(super) fn notice_disconnected(
        &mut self,
        now: Now,
        slot: u32,
        key: Option<ConnKey>,
        cause: CloseCause,
    ) {
        if !self.config.notices.disconnected {
            return;
        }
        self.notice(now, slot, key, "disconnected", |_, session, json| {
            let _ = write!(
                json,
                ",\"reason\":\"{}\",\"connected_at\":{},\"disconnected_at\":{},\"disconn_props\":{{}}",
                cause.name(),
                or_null(session.latest().map(|latest| latest.connected_at_ms)),
                now.unix_ms,
            );
        });
    }

    /// A subscription was made (with whether it is new) or ended.
    pub(super) fn notice_subscription(
        &mut self,
        now: Now,
        slot: u32,
        topic: &str,
        made: Option<(Subscription, bool)>,
    ) {
        let notices = self.config.notices;
        match made {
            Some((subscription, is_new)) if notices.subscribed => {
                self.notice(now, slot, None, "subscribed", |_, _, json| {
                    let opts = subscription.opts;
                    let _ = write!(
                        json,
                        ",\"topic\":{},\"subopts\":{{\"qos\":{},\"nl\":{},\"rap\":{},\"rh\":{},\
                         \"is_new\":{is_new},\"sub_props\":{{",
                        quoted(topic),
                        opts.qos() as u8,
                        u8::from(opts.no_local()),
                        u8::from(opts.retain_as_published()),
                        opts.retain_handling(),
                    );
                    if subscription.sub_id != 0 {
                        let _ = write!(json, "\"Subscription-Identifier\":{}", subscription.sub_id);
                    }
                    json.push_str("}}");
                })
            }
            None if notices.unsubscribed => {
                self.notice(now, slot, None, "unsubscribed", |_, _, json| {
                    let _ = write!(json, ",\"topic\":{}", quoted(topic));
                })
            }
            _ => {}
        }
    }

    /// Builds and publishes a notice, if anybody listens: most nodes have no such subscriber.
    fn notice(
        &mut self,
        now: Now,
        slot: u32,
        key: Option<ConnKey>,
        event: &str,
        more: impl FnOnce(&Self, &Session, &mut String),
    ) {
        let Some(session) = self.sessions.get(slot) else { return };
        let client_id = &session.publisher.client_id;
        let topic = topic_of(&self.config.node_name, client_id, event);
        // Not by the cache: each of these topics is seen once or twice.
        let matched = self.shared.router.matches(&topic);
        if matched.is_empty() && matched.rules.is_empty() {
            return;
        }
        let mut json = String::with_capacity(512);
        let username =
            session.publisher.username.as_deref().map_or_else(|| "null".to_owned(), quoted);
        let _ = write!(
            json,
            "{{\"clientid\":{},\"username\":{username},\"ipaddress\":{},\"sockport\":{},\"protocol\":\"mqtt\",\
             \"proto_name\":\"{}\",\"proto_ver\":{},\"generation\":{},\"ts\":{}",
            quoted(client_id),
            or_null(session.meta.known_peer().map(|peer| format!("\"{}\"", peer.ip()))),
            or_null(session.meta.known_local().map(|local| local.port())),
            if session.proto_ver == 3 { "MQIsdp" } else { "MQTT" },
            session.proto_ver,
            session.generation,
            now.unix_ms,
        );
        more(self, session, &mut json);
        if let Some(conn) = key.and_then(|key| self.conns.get(key.slot)) {
            json.push_str(",\"client_attrs\":{");
            let attrs = conn.access.as_ref().map_or(&[][..], |access| &access.grant.attrs);
            for (at, (name, value)) in attrs.iter().enumerate() {
                let gap = if at == 0 { "" } else { "," };
                let _ = write!(json, "{gap}{}:{}", quoted(name), quoted(value));
            }
            json.push('}');
        }
        json.push('}');
        let publisher =
            Arc::new(Publisher { client_id: self.config.node_name.clone(), username: None });
        let mut source = Source {
            parts: MessageParts {
                id: MessageId::default(),
                timestamp_ms: now.unix_ms,
                expires_at_ms: 0,
                seq: 0,
                qos: rookery_codec::QoS::AtMostOnce,
                retain: false,
                sys: true,
                topic: &topic,
                properties: &[],
                payload: json.as_bytes(),
            },
            publisher: &publisher,
            origin: None,
            kept: None,
            is_last: false,
        };
        source.parts.id = self.message_id(now);
        if !matched.rules.is_empty() {
            self.run_rules(now, &source, None, &matched.rules);
        }
        if !matched.is_empty() {
            self.route_to(now, &mut source, None, &Arc::new(matched));
        }
    }
}

fn or_null(known: Option<impl ToString>) -> String {
    known.map_or_else(|| "null".to_owned(), |known| known.to_string())
}

/// A client identifier is not a topic: what would be a level or a wildcard there is replaced.
fn topic_of(node_name: &str, client_id: &str, event: &str) -> String {
    let mut topic = String::with_capacity(node_name.len() + client_id.len() + 40);
    topic.push_str("$SYS/brokers/");
    topic.push_str(node_name);
    topic.push_str("/clients/");
    topic.extend(client_id.chars().map(|c| if "+#/\0".contains(c) { '_' } else { c }));
    topic.push('/');
    topic.push_str(event);
    topic
}
