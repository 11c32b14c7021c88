//! Notices about clients under `$SYS/brokers/<node>/clients/…`, made where the facts are.
//!
//! They follow the successful CONNACK and carry `generation`, the number of connects of that
//! client identifier: a consumer can order *connected* and *disconnected* however they travel.

use std::fmt::Write;

use super::Shard;
use crate::effects::CloseCause;
use crate::ids::Now;
use crate::session::{Session, Subscription};

impl Shard {
    pub(super) fn notice_connected(&mut self, now: Now, slot: u32) {
        if !self.config.notices.connected {
            return;
        }
        self.notice(now, slot, "connected", |session, json| {
            let _ = write!(
                json,
                ",\"connected_at\":{},\"keepalive\":{},\"clean_start\":{},\"expiry_interval\":{}",
                session.connected_at_ms,
                session.keep_alive_s,
                session.clean_start,
                session.expiry_s,
            );
        });
    }

    pub(super) fn notice_disconnected(&mut self, now: Now, slot: u32, cause: CloseCause) {
        if !self.config.notices.disconnected {
            return;
        }
        self.notice(now, slot, "disconnected", |session, json| {
            let _ = write!(
                json,
                ",\"reason\":\"{}\",\"connected_at\":{},\"disconnected_at\":{}",
                cause.name(),
                session.connected_at_ms,
                now.unix_ms,
            );
        });
    }

    pub(super) fn notice_subscription(
        &mut self,
        now: Now,
        slot: u32,
        topic: &str,
        made: Option<Subscription>,
    ) {
        let notices = self.config.notices;
        match made {
            Some(subscription) if notices.subscribed => {
                self.notice(now, slot, "subscribed", |_, json| {
                    let opts = subscription.opts;
                    let _ = write!(
                        json,
                        ",\"topic\":{},\"subopts\":{{\"qos\":{},\"nl\":{},\"rap\":{},\"rh\":{}}}",
                        quoted(topic),
                        opts.qos() as u8,
                        u8::from(opts.no_local()),
                        u8::from(opts.retain_as_published()),
                        opts.retain_handling(),
                    );
                })
            }
            None if notices.unsubscribed => self.notice(now, slot, "unsubscribed", |_, json| {
                let _ = write!(json, ",\"topic\":{}", quoted(topic));
            }),
            _ => {}
        }
    }

    /// Builds and publishes a notice, if anybody listens: most nodes have no such subscriber.
    fn notice(
        &mut self,
        now: Now,
        slot: u32,
        event: &str,
        more: impl FnOnce(&Session, &mut String),
    ) {
        let Some(session) = self.sessions.get(slot) else { return };
        let client_id = &session.publisher.client_id;
        // A client identifier is not a topic: what would be a level or wildcard there is replaced.
        let level: String =
            client_id.chars().map(|c| if "+#/\0".contains(c) { '_' } else { c }).collect();
        let topic = format!("$SYS/brokers/{}/clients/{level}/{event}", self.config.node_name);
        if self.shared.router.matches(&topic).is_empty() {
            return;
        }
        let mut json = String::with_capacity(256);
        let username =
            session.publisher.username.as_deref().map_or_else(|| "null".to_owned(), quoted);
        let _ = write!(
            json,
            "{{\"clientid\":{},\"username\":{username},\"ipaddress\":\"{}\",\"sockport\":{},\"protocol\":\"mqtt\",\
             \"proto_name\":\"{}\",\"proto_ver\":{},\"generation\":{},\"ts\":{}",
            quoted(client_id),
            session.meta.peer.ip(),
            session.meta.local.port(),
            if session.proto_ver == 3 { "MQIsdp" } else { "MQTT" },
            session.proto_ver,
            session.connects,
            now.unix_ms,
        );
        more(session, &mut json);
        json.push('}');
        self.publish_sys(now, &topic, json.as_bytes());
    }
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
