//! Settings, from the frozen dataclasses of `rookery.native.config`. Field names are the same on
//! both sides; a setting missing here does not compile, one missing there fails a contract test.

use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rookery_core::config::{
    Acknowledge, Admission, AutoSubscribe, BrokerConfig, DelayedConfig, HookSwitches, LimitsConfig,
    MqttConfig, NoticeConfig, RetainerConfig, RewriteAction, RewriteRule, SharedStrategy,
    Unconfirmed, ZoneConfig,
};
use rookery_node::api::{
    DurabilityConfig, Keepalive, ListenerConfig, ListenerKind, NodeConfig, SniCertificate,
    SyncPolicy, TlsConfig, TlsVerify, TlsVersion, WebSocketConfig,
};

use crate::access;

pub(crate) type Object<'a, 'py> = &'a Bound<'py, PyAny>;

/// Reads the attribute `name`; the error names it.
pub(crate) fn get<'py, T>(object: Object<'_, 'py>, name: &str) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py, Error: Into<PyErr>>,
{
    let value = object.getattr(name)?;
    value.extract::<T>().map_err(|error| {
        let error: PyErr = error.into();
        PyValueError::new_err(format!("{name}: {error}"))
    })
}

/// Reads the attribute `name` with a function of ours.
fn get_with<'py, T>(
    object: Object<'_, 'py>,
    name: &str,
    read: impl Fn(Object<'_, 'py>) -> PyResult<T>,
) -> PyResult<T> {
    read(&object.getattr(name)?)
}

/// Reads a tuple attribute, item by item.
pub(crate) fn get_each<'py, T>(
    object: Object<'_, 'py>,
    name: &str,
    read: impl Fn(Object<'_, 'py>) -> PyResult<T>,
) -> PyResult<Vec<T>> {
    object.getattr(name)?.try_iter()?.map(|item| read(&item?)).collect()
}

/// Reads a struct whose listed fields are plain attributes; the rest is written out.
macro_rules! read {
    ($object:expr => $type:ident { $($field:ident),* $(; $($other:ident: $value:expr),*)? $(,)? }) => {
        Ok($type { $($field: $crate::config::get($object, stringify!($field))?,)* $($($other: $value,)*)? })
    };
}
pub(crate) use read;

fn unknown(what: &str, word: &str) -> PyErr {
    PyValueError::new_err(format!("{what}: {word:?} is none of its values"))
}

/// Reads a word and looks it up.
pub(crate) fn word<T>(object: Object<'_, '_>, name: &str, known: &[(&str, T)]) -> PyResult<T>
where
    T: Clone,
{
    let text: String = get(object, name)?;
    let found = known.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| value.clone()).ok_or_else(|| unknown(name, &text))
}

fn mqtt(o: Object<'_, '_>) -> PyResult<MqttConfig> {
    read! { o => MqttConfig {
        idle_timeout_ms, max_packet_size, max_clientid_len, max_topic_levels, max_topic_alias,
        max_qos_allowed, retain_available, wildcard_subscription, shared_subscription,
        exclusive_subscription, ignore_loop_deliver, strict_mode, response_information,
        server_keepalive_s, keepalive_multiplier, use_username_as_clientid,
        session_expiry_interval_s, max_session_expiry_interval_s, message_expiry_interval_s,
        max_awaiting_rel, await_rel_timeout_ms, mqueue_store_qos0, max_mqueue_len,
        mqueue_priorities, mqueue_default_lowest, max_inflight, max_subscriptions, upgrade_qos,
        retry_interval_ms, clientid_override;
        peer_cert_as_username: access::peer_cert_field(o, "peer_cert_as_username")?,
        peer_cert_as_clientid: access::peer_cert_field(o, "peer_cert_as_clientid")?,
    } }
}

fn zone(o: Object<'_, '_>) -> PyResult<ZoneConfig> {
    read! { o => ZoneConfig { name; mqtt: get_with(o, "mqtt", mqtt)? } }
}

fn retainer(o: Object<'_, '_>) -> PyResult<RetainerConfig> {
    read! { o => RetainerConfig {
        enable, msg_expiry_interval_s, max_payload_size, max_retained_messages,
        stop_publish_clear_msg, max_bytes, ack_timeout_ms, deletion_expiry_s
    } }
}

fn delayed(o: Object<'_, '_>) -> PyResult<DelayedConfig> {
    read! { o => DelayedConfig { enable, max_delayed_messages } }
}

fn rewrite_rule(o: Object<'_, '_>) -> PyResult<RewriteRule> {
    let actions = [
        ("publish", RewriteAction::Publish),
        ("subscribe", RewriteAction::Subscribe),
        ("all", RewriteAction::All),
    ];
    read! { o => RewriteRule { source_topic, re, dest_topic; action: word(o, "action", &actions)? } }
}

fn auto_subscribe(o: Object<'_, '_>) -> PyResult<AutoSubscribe> {
    read! { o => AutoSubscribe { topic, qos, rh, rap, nl } }
}

fn limits(o: Object<'_, '_>) -> PyResult<LimitsConfig> {
    read! { o => LimitsConfig {
        outbox_high_water_bytes, outbox_total_bytes, send_timeout_ms, unauthenticated_connections,
        unauthenticated_bytes, queued_total_bytes, deferred_packets, filters_per_packet,
        user_properties, sessions
    } }
}

/// `HookSwitches`.
pub(crate) fn hooks(o: Object<'_, '_>) -> PyResult<HookSwitches> {
    read! { o => HookSwitches {
        authenticate, authorize, publish, client_events, subscription_events, connect_events,
        session_events, subscribe, unsubscribe, puback, delivered, acked, dropped, unanswered_allows,
        deadline_ms
    } }
}

fn notices(o: Object<'_, '_>) -> PyResult<NoticeConfig> {
    read! { o => NoticeConfig { connected, disconnected, subscribed, unsubscribed } }
}

fn shared_strategy(o: Object<'_, '_>) -> PyResult<SharedStrategy> {
    let strategies = [
        ("round_robin", SharedStrategy::RoundRobin),
        ("random", SharedStrategy::Random),
        ("sticky", SharedStrategy::Sticky),
        ("local", SharedStrategy::Local),
        ("hash_clientid", SharedStrategy::HashClientId),
        ("hash_topic", SharedStrategy::HashTopic),
    ];
    word(o, "shared_strategy", &strategies)
}

fn acknowledge(o: Object<'_, '_>) -> PyResult<Acknowledge> {
    word(o, "acknowledge", &[("durable", Acknowledge::Durable), ("memory", Acknowledge::Memory)])
}

fn unconfirmed(o: Object<'_, '_>) -> PyResult<Unconfirmed> {
    let answers = [("keep_locally", Unconfirmed::KeepLocally), ("refuse", Unconfirmed::Refuse)];
    word(o, "unconfirmed", &answers)
}

fn admission(o: Object<'_, '_>) -> PyResult<Admission> {
    let admissions = [
        ("loopback", Admission::LoopbackOnly),
        ("everyone", Admission::Everyone),
        ("ask", Admission::Ask),
    ];
    word(o, "admission", &admissions)
}

/// `BrokerConfig`: what can be changed while the node runs.
pub(crate) fn broker(o: Object<'_, '_>) -> PyResult<BrokerConfig> {
    let node_name: String = get(o, "node_name")?;
    read! { o => BrokerConfig {
        durable, sys_topics_open, max_connections, crowded_from, crowded_until, auth_methods;
        observe: Arc::default(),
        links: Default::default(),
        redirect: None,
        authorization: get_with(o, "authorization", access::authorization)?,
        bans: get_each(o, "bans", access::ban)?.into(),
        flapping: get_with(o, "flapping", access::flapping)?,
        login_backoff: get_with(o, "login_backoff", access::login_backoff)?,
        node_name: Arc::from(node_name),
        zones: get_each(o, "zones", zone)?,
        shared_strategy: shared_strategy(o)?,
        retainer: get_with(o, "retainer", retainer)?,
        delayed: get_with(o, "delayed", delayed)?,
        rewrite: get_each(o, "rewrite", rewrite_rule)?,
        auto_subscribe: get_each(o, "auto_subscribe", auto_subscribe)?,
        limits: get_with(o, "limits", limits)?,
        admission: admission(o)?,
        acknowledge: acknowledge(o)?,
        unconfirmed: unconfirmed(o)?,
        hooks: get_with(o, "hooks", hooks)?,
        notices: get_with(o, "notices", notices)?
    } }
}

fn websocket(o: Object<'_, '_>) -> PyResult<WebSocketConfig> {
    read! { o => WebSocketConfig {
        path, subprotocols, require_subprotocol, max_frame_size, compress, idle_timeout_ms,
        check_origins, allow_origin_absence, proxy_address_header, proxy_port_header
    } }
}

fn listener_kind(o: Object<'_, '_>) -> PyResult<ListenerKind> {
    match get::<String>(o, "kind")?.as_str() {
        "tcp" | "ssl" => Ok(ListenerKind::Tcp),
        "ws" | "wss" => Ok(ListenerKind::WebSocket(get_with(o, "websocket", websocket)?)),
        other => Err(unknown("kind", other)),
    }
}

fn tls_version(o: Object<'_, '_>) -> PyResult<TlsVersion> {
    match o.extract::<String>()?.as_str() {
        "tlsv1.2" => Ok(TlsVersion::V12),
        "tlsv1.3" => Ok(TlsVersion::V13),
        other => Err(unknown("versions", other)),
    }
}

fn sni(o: Object<'_, '_>) -> PyResult<SniCertificate> {
    let (server_name, certfile, keyfile) = o.extract()?;
    Ok(SniCertificate { server_name, certfile, keyfile })
}

fn tls(o: Object<'_, '_>) -> PyResult<TlsConfig> {
    let verify = [("verify_none", TlsVerify::None), ("verify_peer", TlsVerify::Peer)];
    read! { o => TlsConfig {
        certfile, keyfile, cacertfile, password, fail_if_no_peer_cert, depth, ciphers, crlfile,
        handshake_timeout_ms, session_tickets;
        verify: word(o, "verify", &verify)?,
        versions: get_each(o, "versions", tls_version)?,
        sni: get_each(o, "sni", sni)?
    } }
}

/// Exactly the kinds that speak TLS have settings for it.
fn listener_tls(o: Object<'_, '_>) -> PyResult<Option<TlsConfig>> {
    match get::<String>(o, "kind")?.as_str() {
        "ssl" | "wss" => get_with(o, "tls", tls).map(Some),
        _ => Ok(None),
    }
}

fn keepalive(o: Object<'_, '_>) -> PyResult<Option<Keepalive>> {
    let of = |(idle_s, interval_s, probes)| Keepalive { idle_s, interval_s, probes };
    Ok(get::<Option<(u32, u32, u32)>>(o, "keepalive")?.map(of))
}

/// `ListenerConfig`.
pub(crate) fn listener(o: Object<'_, '_>) -> PyResult<ListenerConfig> {
    let bind: String = get(o, "bind")?;
    let bind = bind.parse().map_err(|_| PyValueError::new_err(format!("bind: {bind:?}")))?;
    read! { o => ListenerConfig {
        id, zone, mountpoint, max_connections, backlog, nodelay, recv_buffer_bytes,
        send_buffer_bytes, enable_authn, quick_deny_anonymous, access_rules, proxy_protocol,
        proxy_protocol_timeout_ms, trusted_proxies, max_conn_rate, max_conn_burst, messages_rate,
        messages_burst, bytes_rate, bytes_burst;
        kind: listener_kind(o)?,
        bind: bind,
        keepalive: keepalive(o)?,
        tls: listener_tls(o)?
    } }
}

fn durability(o: Object<'_, '_>) -> PyResult<DurabilityConfig> {
    let interval = Duration::from_millis(get(o, "sync_interval_ms")?);
    let policies = [
        ("always", SyncPolicy::Always),
        ("interval", SyncPolicy::Interval(interval)),
        ("never", SyncPolicy::Never),
    ];
    read! { o => DurabilityConfig { dir, max_disk_bytes; sync: word(o, "sync", &policies)? } }
}

/// `NodeConfig`: everything a node starts with.
pub(crate) fn node(o: Object<'_, '_>) -> PyResult<NodeConfig> {
    read! { o => NodeConfig {
        workers;
        broker: get_with(o, "broker", broker)?,
        listeners: get_each(o, "listeners", listener)?,
        durability: get_with(o, "durability", durability)?
    } }
}
