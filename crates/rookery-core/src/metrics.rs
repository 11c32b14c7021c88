//! Counters of one shard, written by it alone and read by anybody.
//!
//! Names are EMQX's metric names. Relaxed atomics: a reader sees each counter by itself.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! metrics {
    ($($(#[$doc:meta])* $field:ident = $name:literal,)*) => {
        /// Counters and gauges of one shard.
        #[derive(Default, Debug)]
        #[repr(align(128))]
        pub struct Metrics { $($(#[$doc])* pub $field: Counter,)* }

        impl Metrics {
            /// Every metric with its EMQX name.
            pub fn each(&self, mut visit: impl FnMut(&'static str, u64)) {
                $(visit($name, self.$field.get());)*
            }
        }
    };
}

/// A counter or gauge with one writer.
#[derive(Default, Debug)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    #[inline]
    pub fn inc(&self) {
        self.add(1);
    }
    /// Adds `n`. One writer, so a load and a store suffice: no locked instruction on the message path.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }
    /// Takes `n` off a gauge.
    #[inline]
    pub fn sub(&self, n: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).saturating_sub(n), Ordering::Relaxed);
    }
    /// Sets a gauge.
    #[inline]
    pub fn set(&self, n: u64) {
        self.0.store(n, Ordering::Relaxed);
    }
    /// Reads it.
    #[inline]
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

metrics! {
    /// Events for rules that found no room.
    rule_events_dropped = "rules.events_dropped",
    /// Bytes received.
    bytes_received = "bytes.received",
    /// Bytes sent.
    bytes_sent = "bytes.sent",
    /// Turns in which a worker took nothing from clients because another one does not keep up.
    overload_inbox_full = "overload_protection.inbox_full",
    /// Events of traces and spans that the bound per second left out.
    observe_dropped = "observe.events.dropped",
    /// Acknowledgements of retained messages that left before other nodes had confirmed them.
    retained_unconfirmed = "retained.unconfirmed",
    /// Panics caught: defects of the broker that ended a connection.
    panics = "overload_protection.panics",
    /// Packets received.
    packets_received = "packets.received",
    /// Packets sent.
    packets_sent = "packets.sent",
    /// CONNECT.
    connect_received = "packets.connect.received",
    /// CONNACK.
    connack_sent = "packets.connack.sent",
    /// CONNACK with an error.
    connack_error = "packets.connack.error",
    /// CONNACK that refuses for authentication.
    connack_auth_error = "packets.connack.auth_error",
    /// PUBLISH in.
    publish_received = "packets.publish.received",
    /// PUBLISH out.
    publish_sent = "packets.publish.sent",
    /// PUBLISH that broke a rule.
    publish_error = "packets.publish.error",
    /// PUBLISH not authorized.
    publish_auth_error = "packets.publish.auth_error",
    /// PUBLISH dropped.
    publish_dropped = "packets.publish.dropped",
    /// PUBACK in.
    puback_received = "packets.puback.received",
    /// PUBACK out.
    puback_sent = "packets.puback.sent",
    /// PUBACK for nothing in flight.
    puback_missed = "packets.puback.missed",
    /// PUBREC in.
    pubrec_received = "packets.pubrec.received",
    /// PUBREC out.
    pubrec_sent = "packets.pubrec.sent",
    /// PUBREC for nothing in flight.
    pubrec_missed = "packets.pubrec.missed",
    /// PUBREL in.
    pubrel_received = "packets.pubrel.received",
    /// PUBREL out.
    pubrel_sent = "packets.pubrel.sent",
    /// PUBREL for an unknown packet identifier.
    pubrel_missed = "packets.pubrel.missed",
    /// PUBCOMP in.
    pubcomp_received = "packets.pubcomp.received",
    /// PUBCOMP out.
    pubcomp_sent = "packets.pubcomp.sent",
    /// PUBCOMP for nothing in flight.
    pubcomp_missed = "packets.pubcomp.missed",
    /// SUBSCRIBE in.
    subscribe_received = "packets.subscribe.received",
    /// Filters refused as not authorized.
    subscribe_auth_error = "packets.subscribe.auth_error",
    /// SUBACK out.
    suback_sent = "packets.suback.sent",
    /// UNSUBSCRIBE in.
    unsubscribe_received = "packets.unsubscribe.received",
    /// UNSUBACK out.
    unsuback_sent = "packets.unsuback.sent",
    /// PINGREQ in.
    pingreq_received = "packets.pingreq.received",
    /// PINGRESP out.
    pingresp_sent = "packets.pingresp.sent",
    /// DISCONNECT in.
    disconnect_received = "packets.disconnect.received",
    /// DISCONNECT out.
    disconnect_sent = "packets.disconnect.sent",
    /// AUTH in.
    auth_received = "packets.auth.received",
    /// AUTH out.
    auth_sent = "packets.auth.sent",
    /// Packets that are malformed or break the protocol.
    packets_error = "packets.error",
    /// Messages in.
    messages_received = "messages.received",
    /// Messages out.
    messages_sent = "messages.sent",
    /// QoS 0 in.
    qos0_received = "messages.qos0.received",
    /// QoS 1 in.
    qos1_received = "messages.qos1.received",
    /// QoS 2 in.
    qos2_received = "messages.qos2.received",
    /// QoS 0 out.
    qos0_sent = "messages.qos0.sent",
    /// QoS 1 out.
    qos1_sent = "messages.qos1.sent",
    /// QoS 2 out.
    qos2_sent = "messages.qos2.sent",
    /// Messages taken for routing.
    messages_publish = "messages.publish",
    /// Messages acknowledged by receivers.
    messages_acked = "messages.acked",
    /// Messages dropped before delivery.
    messages_dropped = "messages.dropped",
    /// … for a PUBREL that never came.
    messages_dropped_await_pubrel_timeout = "messages.dropped.await_pubrel_timeout",
    /// … because nobody subscribed.
    messages_dropped_no_subscribers = "messages.dropped.no_subscribers",
    /// … because the store refused.
    messages_dropped_quota_exceeded = "messages.dropped.quota_exceeded",
    /// … beyond Receive Maximum.
    messages_dropped_receive_maximum = "messages.dropped.receive_maximum",
    /// Messages handed to other shards.
    messages_forward = "messages.forward",
    /// Delayed messages taken.
    messages_delayed = "messages.delayed",
    /// Messages written to the durable log.
    messages_persisted = "messages.persisted",
    /// Deliveries to sessions.
    messages_delivered = "messages.delivered",
    /// Deliveries dropped.
    delivery_dropped = "delivery.dropped",
    /// … for No Local.
    delivery_dropped_no_local = "delivery.dropped.no_local",
    /// … larger than the client's Maximum Packet Size.
    delivery_dropped_too_large = "delivery.dropped.too_large",
    /// … QoS 0 while the outbox was full or the client away.
    delivery_dropped_qos0_msg = "delivery.dropped.qos0_msg",
    /// … for a full queue.
    delivery_dropped_queue_full = "delivery.dropped.queue_full",
    /// … for expiry.
    delivery_dropped_expired = "delivery.dropped.expired",
    /// Clients admitted.
    client_connected = "client.connected",
    /// Admitted clients gone.
    client_disconnected = "client.disconnected",
    /// Clients admitted without a name.
    client_auth_anonymous = "client.auth.anonymous",
    /// Refused at authentication.
    authentication_failure = "authentication.failure",
    /// Admitted at authentication.
    authentication_success = "authentication.success",
    /// Allowed actions.
    authorization_allow = "authorization.allow",
    /// Denied actions.
    authorization_deny = "authorization.deny",
    /// Actions about which a kept answer of Python was used.
    authorization_cache_hit = "authorization.cache_hit",
    /// Actions about which Python had to be asked.
    authorization_cache_miss = "authorization.cache_miss",
    /// Logins refused without asking because too many had failed.
    backoff_refused = "authentication.backoff.refused",
    /// Blocks begun because too many logins had failed.
    backoff_blocks = "authentication.backoff.blocks",
    /// Connections and logins refused for a ban.
    banned_refused = "banned.refused",
    /// Connected clients that a ban ended.
    banned_disconnected = "banned.disconnected",
    /// Clients that came and went too often.
    flapping_detected = "flapping.detected",
    /// Clients whose authentication expired while they were connected.
    client_expired = "client.expired",
    /// Clients refused because the node has as many as it may.
    quota_refused = "connections.quota.refused",
    /// Sessions made.
    session_created = "session.created",
    /// Sessions resumed.
    session_resumed = "session.resumed",
    /// Sessions taken over.
    session_takenover = "session.takenover",
    /// Sessions discarded.
    session_discarded = "session.discarded",
    /// Sessions ended.
    session_terminated = "session.terminated",
    /// Connections closed because they took no bytes.
    overload_send_timeout = "overload_protection.send_timeout",
    /// Connections closed before CONNECT for want of room.
    overload_unauthenticated = "overload_protection.unauthenticated",
    /// Half-open connections that gave way to newer ones.
    overload_evicted = "overload_protection.evicted",
    /// Connections closed at once for `access_rules`.
    refused_access_rules = "connections.refused.access_rules",
    /// Connections closed at once for `max_connections` of their listener.
    refused_max_connections = "connections.refused.max_connections",
    /// Times new connections were left waiting for `max_conn_rate`.
    delayed_max_conn_rate = "connections.delayed.max_conn_rate",
    /// Connections whose PROXY header was absent or wrong.
    proxy_refused = "proxy_protocol.refused",
    /// Connections of addresses that are no trusted proxy.
    proxy_untrusted = "proxy_protocol.untrusted",
    /// Connections whose PROXY header did not come in time.
    proxy_timeout = "proxy_protocol.timeout",
    /// PROXY headers for connections of the proxy itself: health checks.
    proxy_local = "proxy_protocol.local",
    /// WebSocket handshakes that were refused.
    websocket_refused = "websocket.handshake.refused",
    /// WebSockets closed because nothing came any more.
    websocket_idle = "websocket.idle_timeout",
    /// Times a client above its rate was held back.
    limiter_paused = "limiter.paused",
    /// TLS handshakes that ended well.
    tls_handshake_ok = "tls.handshake.ok",
    /// TLS handshakes that failed.
    tls_handshake_failed = "tls.handshake.failed",
    /// TLS handshakes that were not finished in time.
    tls_handshake_timeout = "tls.handshake.timeout",
    /// Clients disconnected because their certificate does not hold any more.
    tls_clients_revoked = "tls.clients.revoked",
    /// Questions that nobody answered in time.
    hook_timeouts = "hooks.timeouts",
    /// Gauge: connections.
    connections = "connections.count",
    /// Gauge: sessions.
    sessions = "sessions.count",
    /// Gauge: bytes waiting in outboxes.
    outbox_bytes = "outbox.bytes",
    /// Gauge: bytes of messages queued for sessions.
    queued_bytes = "mqueue.bytes",
    /// Gauge: delayed messages waiting.
    delayed = "delayed.count",
    /// Gauge: connections before CONNECT.
    unauthenticated = "unauthenticated.count",
    // What is counted in errors only stands last, away from what each message counts.
    /// PUBLISH with a packet identifier that is in use.
    publish_inuse = "packets.publish.inuse",
    /// PUBACK for what is in flight and does not wait for PUBACK.
    puback_inuse = "packets.puback.inuse",
    /// PUBREC for what is in flight and does not wait for PUBREC.
    pubrec_inuse = "packets.pubrec.inuse",
    /// PUBCOMP for what is in flight and does not wait for PUBCOMP.
    pubcomp_inuse = "packets.pubcomp.inuse",
    /// SUBSCRIBE that broke a rule, or with a filter refused other than for authorization.
    subscribe_error = "packets.subscribe.error",
    /// UNSUBSCRIBE that broke a rule, or with a filter that is none.
    unsubscribe_error = "packets.unsubscribe.error",
    /// Gauge: subscriptions of sessions that survive the node.
    durable_subscriptions = "durable_subscriptions.count",
}
