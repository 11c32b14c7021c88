//! CONNECT: who may come in, which session it gets, and the CONNACK.

use std::net::SocketAddr;
use std::sync::Arc;

use rookery_codec::{ConnAck, ConnAckProperties, Connect, QoS, ReasonCode, Version};

use super::gate::Held;
use super::publish::DELAYED;
use super::timers::Timer;
use super::{Fault, Shard, Step};
use crate::access::is_reserved;
use crate::config::MqttConfig;
use crate::conn::{Aliases, ConnAccess, ConnState, ConnectRequest, Grant};
use crate::effects::{CloseCause, SessionEvent, UpEvent};
use crate::ids::{ConnKey, Now, SessionKey};
use crate::inflight::{Inflight, Stage};
use crate::message::{Message, MessageParts, Publisher};
use crate::mqueue::MessageQueue;
use crate::observe::describe_connect;
use crate::persist;
use crate::rewrite::fill;
use crate::session::{Session, Will};
use crate::store_port::Op;

/// What a generated client identifier begins with.
const GENERATED_PREFIX: &str = "rk";

impl Shard {
    /// MQTT-5.0 section 3.1.
    pub(super) fn handle_connect(
        &mut self,
        now: Now,
        key: ConnKey,
        connect: &Connect<'_>,
    ) -> Result<Step, Fault> {
        let Some(conn) = self.conns.get_mut(key.slot) else { return Ok(Step::End) };
        conn.version = connect.version;
        conn.problem_information = connect.properties.request_problem_information.unwrap_or(true);
        conn.packet_size_max = connect.properties.maximum_packet_size.unwrap_or(0);
        if self.is_stopping {
            return Ok(self.refuse(
                now,
                key,
                ReasonCode::SERVER_SHUTTING_DOWN,
                CloseCause::ServerShutdown,
                "the node is stopping",
            ));
        }
        if let Some(reason) = self.config.redirect.as_ref().map(|redirect| redirect.reason) {
            let detail = "the node takes no clients for now: connect to another one";
            return Ok(self.refuse(now, key, reason, CloseCause::Moved, detail));
        }
        let names = self.certificate_names(key);
        let connect = &Connect {
            username: names.username.as_deref().or(connect.username),
            client_id: names.client_id.as_deref().unwrap_or(connect.client_id),
            ..*connect
        };
        if let Some((reason, detail)) = self.objection(now, key, connect) {
            return Ok(self.refuse(now, key, reason, CloseCause::Protocol(reason), detail));
        }
        let (client_id, is_assigned) = self.final_client_id(key, connect);
        let owner = self.shared.shard_of(&client_id);
        if owner != self.index {
            self.effects.migrate.push((key, owner));
            return Ok(Step::Hold);
        }
        self.metrics().connect_received.inc();
        if self.observer.is_tracing {
            self.trace_connect(key, &client_id, describe_connect(connect));
        }
        if let Some((reason, cause, detail)) = self.bar(now, key, &client_id, connect.username) {
            return Ok(self.refuse_as(now, key, &client_id, reason, cause, detail));
        }
        let request = match self.connect_request(now, key, connect, client_id, is_assigned) {
            Ok(request) => request,
            Err((reason, detail)) => {
                return Ok(self.refuse(now, key, reason, CloseCause::Protocol(reason), detail));
            }
        };
        self.tell_connect(now, key, &request);
        self.admit_or_ask(now, key, request, connect)
    }

    /// What in a CONNECT makes it impossible, whoever sends it.
    fn objection(
        &self,
        now: Now,
        key: ConnKey,
        connect: &Connect<'_>,
    ) -> Option<(ReasonCode, &'static str)> {
        let conn = self.conns.get(key.slot)?;
        let mqtt = self.mqtt(conn.meta.zone);
        let method = connect.properties.authentication_method;
        if method.is_some_and(|method| !self.config.auth_methods.iter().any(|m| m == method)) {
            return Some((
                ReasonCode::BAD_AUTHENTICATION_METHOD,
                "the method of enhanced authentication is not configured",
            ));
        }
        if connect.properties.user_properties.len() > self.config.limits.user_properties {
            return Some((
                ReasonCode::QUOTA_EXCEEDED,
                "more User Properties than limits.user_properties",
            ));
        }
        if connect.client_id.len() > mqtt.max_clientid_len {
            return Some((
                ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
                "client identifier longer than mqtt.max_clientid_len",
            ));
        }
        // MQTT-3.1.1 [MQTT-3.1.3-8]; MQTT 3.1 has no empty client identifier at all.
        let may_be_empty = match connect.version {
            Version::V5 => true,
            Version::V311 => connect.clean_start,
            Version::V31 => false,
        };
        let has_template = mqtt.use_username_as_clientid || !mqtt.clientid_override.is_empty();
        if connect.client_id.is_empty() && !may_be_empty && !has_template {
            return Some((
                ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
                "empty client identifier without a clean session",
            ));
        }
        if mqtt.strict_mode
            && connect.version == Version::V31
            && connect.client_id.chars().count() > 23
        {
            // MQTT 3.1 section 3.1; the usual brokers take longer ones, so only on demand.
            return Some((
                ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
                "MQTT 3.1 client identifier longer than 23 characters",
            ));
        }
        self.objection_to_will(now, mqtt, connect.will.as_ref()?)
    }

    fn objection_to_will(
        &self,
        now: Now,
        mqtt: &MqttConfig,
        will: &rookery_codec::Will<'_>,
    ) -> Option<(ReasonCode, &'static str)> {
        if will.qos as u8 > mqtt.max_qos_allowed {
            return Some((ReasonCode::QOS_NOT_SUPPORTED, "will QoS above mqtt.max_qos_allowed"));
        }
        if will.retain && !mqtt.retain_available {
            return Some((
                ReasonCode::RETAIN_NOT_SUPPORTED,
                "retained will while mqtt.retain_available is false",
            ));
        }
        if rookery_codec::levels(will.topic) > mqtt.max_topic_levels {
            return Some((
                ReasonCode::TOPIC_NAME_INVALID,
                "will topic deeper than mqtt.max_topic_levels",
            ));
        }
        if is_reserved(will.topic) {
            return Some((ReasonCode::NOT_AUTHORIZED, "a will to a $-topic of the server"));
        }
        if will.topic.starts_with(DELAYED)
            && let Err(reason) = self.delayed_of(now, will.topic)
        {
            return Some((
                reason,
                "a will to $delayed/ that would never be sent: wrong or too far away, or delayed.enable is false",
            ));
        }
        None
    }

    fn final_client_id(&mut self, key: ConnKey, connect: &Connect<'_>) -> (Arc<str>, bool) {
        let Some(conn) = self.conns.get(key.slot) else { return (connect.client_id.into(), false) };
        let mqtt = self.mqtt(conn.meta.zone);
        if !mqtt.clientid_override.is_empty() {
            let host = conn.meta.peer.ip().to_string();
            let values = [
                ("clientid", connect.client_id),
                ("username", connect.username.unwrap_or("")),
                ("peerhost", &host),
            ];
            let id = fill(&mqtt.clientid_override, &values);
            if !id.is_empty() {
                let differs = id != connect.client_id;
                return (id.into(), differs);
            }
        }
        if let (true, Some(username)) = (mqtt.use_username_as_clientid, connect.username) {
            return (username.into(), username != connect.client_id);
        }
        if !connect.client_id.is_empty() {
            return (connect.client_id.into(), false);
        }
        // An identifier that hashes to this shard saves the client a hand-over.
        loop {
            self.messages_made += 1;
            let random = std::hash::BuildHasher::hash_one(
                &std::hash::RandomState::new(),
                self.messages_made,
            );
            let id = format!("{GENERATED_PREFIX}-{:04x}{random:016x}", self.index);
            if self.shared.shard_of(&id) == self.index {
                return (id.into(), true);
            }
        }
    }

    fn connect_request(
        &mut self,
        now: Now,
        key: ConnKey,
        connect: &Connect<'_>,
        client_id: Arc<str>,
        is_assigned: bool,
    ) -> Result<Box<ConnectRequest>, (ReasonCode, &'static str)> {
        let overloaded = (ReasonCode::QUOTA_EXCEEDED, "the connection is gone");
        let conn = self.conns.get(key.slot).ok_or(overloaded)?;
        let zone = conn.meta.zone;
        let mqtt = self.mqtt(zone);
        let properties = &connect.properties;
        let expiry_s = match connect.version {
            Version::V5 => properties
                .session_expiry_interval_s
                .unwrap_or(0)
                .min(mqtt.max_session_expiry_interval_s),
            _ if connect.clean_start => 0,
            _ => mqtt.session_expiry_interval_s,
        };
        let max_inflight = mqtt.max_inflight;
        let publisher = Arc::new(Publisher {
            client_id: client_id.clone(),
            username: connect.username.map(Arc::from),
        });
        let will = connect.will.as_ref().map(|will| self.will_of(now, will, &publisher));
        Ok(Box::new(ConnectRequest {
            version: connect.version,
            client_id,
            is_assigned,
            username: publisher.username.clone(),
            clean_start: connect.clean_start,
            keep_alive_s: connect.keep_alive_s,
            expiry_s,
            receive_maximum: properties
                .receive_maximum
                .unwrap_or(u16::MAX)
                .min(max_inflight.max(1)),
            packet_size_max: properties.maximum_packet_size.unwrap_or(0),
            topic_alias_maximum: properties.topic_alias_maximum.unwrap_or(0),
            request_response_information: properties.request_response_information.unwrap_or(false),
            request_problem_information: properties.request_problem_information.unwrap_or(true),
            will,
            is_will_asked: false,
            is_superuser: false,
            is_authenticated: false,
            publisher,
            grant: Grant::default(),
            method: properties.authentication_method.map(Box::from),
            auth_data: None,
            auth_steps: 0,
            is_hook_asked: false,
            password: None,
            copy: None,
            user_properties: self.properties_to_keep(properties.user_properties),
        }))
    }

    /// The will message and its delay.
    fn will_of(
        &mut self,
        now: Now,
        will: &rookery_codec::Will<'_>,
        publisher: &Arc<Publisher>,
    ) -> (Message, u32) {
        let mut forwardable = Vec::new();
        will.properties.forward_into(&mut forwardable);
        let parts = MessageParts {
            id: self.message_id(now),
            timestamp_ms: now.unix_ms,
            expires_at_ms: 0,
            seq: 0,
            qos: will.qos,
            retain: will.retain,
            sys: false,
            topic: will.topic,
            properties: &forwardable,
            payload: will.payload,
        };
        // The Message Expiry Interval counts from publication; it rides in the timestamp's place until then.
        let mut message = Message::new(&parts, publisher.clone(), None);
        message.expires_at_ms =
            u64::from(will.properties.message_expiry_interval_s.unwrap_or(0)) * 1000;
        (message, will.delay_interval_s)
    }

    /// Gives the client its session and answers with CONNACK.
    pub(super) fn admit(&mut self, now: Now, key: ConnKey, mut request: ConnectRequest) -> Step {
        if let Some(step) = self.refuse_untellable(now, key, &request) {
            return step;
        }
        let limit = self.config.limits.sessions;
        let known = self.clients.get(&request.client_id).copied();
        if limit != 0
            && known.is_none()
            && self.shared.sessions.load(std::sync::atomic::Ordering::Relaxed) >= limit
        {
            let (code, cause) = (ReasonCode::QUOTA_EXCEEDED, CloseCause::Overload);
            return self.refuse_as(
                now,
                key,
                &request.client_id.clone(),
                code,
                cause,
                "the limit on sessions is reached",
            );
        }
        if let Err((code, cause, detail)) = self.take_place(&request.client_id) {
            return self.refuse_as(now, key, &request.client_id, code, cause, detail);
        }
        self.metrics().authentication_success.inc();
        let before = self.effects.store_ops.len();
        if request.username.is_none() {
            self.metrics().client_auth_anonymous.inc();
        }
        let before_this =
            known.and_then(|slot| self.sessions.get(slot)).map_or(0, |s| s.generation);
        let before_this = before_this.max(request.copy.as_ref().map_or(0, |copy| copy.generation));
        let generation = self.next_generation(now, before_this);
        let mut present = None;
        if let Some(slot) = known {
            self.take_over(now, slot, request.clean_start);
            present = self.clients.get(&request.client_id).copied();
        }
        let will = request.will.take();
        let is_new = present.is_none();
        if let (true, Some(copy)) = (is_new, request.copy.take()) {
            present = Some(self.import(now, key, &request, *copy));
        }
        let slot = match present {
            Some(slot) => slot,
            None => {
                self.metrics().session_created.inc();
                self.new_session(now, key, &request)
            }
        };
        self.bind(now, key, slot, &request, generation);
        if self.observer.is_tracing {
            let client_id = request.client_id.clone();
            self.trace_admitted(key, &client_id, request.is_superuser);
        }
        self.bind_access(now, key, &mut request);
        self.keep_will(now, slot, will);
        self.send_connack(key, &request, present.is_some());
        self.hold_connack(key, slot, before, is_new);
        self.after_connack(now, key, slot, present.is_some());
        Step::Next
    }

    /// A number for a connect, above every one that this client identifier had before: also above
    /// those of sessions that have ended, and of earlier runs as long as the wall clock rises.
    pub(super) fn next_generation(&mut self, now: Now, before: u64) -> u64 {
        // Microseconds stay exact in a JSON number (2^53) for the next two centuries.
        let by_clock = now.unix_ms.saturating_mul(1000);
        self.generation = by_clock.max(self.generation + 1).max(before + 1);
        self.generation
    }

    pub(super) fn new_session(&mut self, now: Now, key: ConnKey, request: &ConnectRequest) -> u32 {
        let (slot, generation) = self.sessions.next_key();
        let meta = self.conns.get(key.slot).map(|c| c.meta.clone());
        let durable_id =
            if self.is_durable(request.expiry_s) { self.shared.next_durable_id() } else { 0 };
        let Some(meta) = meta else { return slot };
        #[allow(clippy::cast_possible_truncation)]
        let session = Session {
            key: SessionKey { shard: self.index, generation: generation as u16, slot },
            publisher: request.publisher.clone(),
            durable_id,
            expiry_s: request.expiry_s,
            conn: None,
            meta,
            proto_ver: request.version as u8,
            clean_start: request.clean_start,
            keep_alive_s: 0,
            subscriptions: hashbrown::HashMap::new(),
            inflight: Inflight::default(),
            queue: MessageQueue::default(),
            awaiting_rel: None,
            will: None,
            replays: None,
            generation: 0,
            created_at_ms: now.unix_ms,
            connected_at_ms: 0,
            disconnected_at_ms: 0,
            dropped: 0,
            unstored: 0,
            subscribed_ticket: 0,
            is_recorded: false,
            is_fetching: false,
            timer_ms: 0,
            moves: self.first_moves(request),
        };
        self.sessions.insert(session);
        self.clients.insert(request.client_id.clone(), slot);
        self.shared.sessions.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        slot
    }

    /// Ties connection and session together.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn bind(
        &mut self,
        now: Now,
        key: ConnKey,
        slot: u32,
        request: &ConnectRequest,
        generation: u64,
    ) {
        let zone = self.conns.get(key.slot).map_or(0, |c| c.meta.zone);
        let mqtt = self.mqtt(zone);
        let keep_alive_s = mqtt.server_keepalive_s.unwrap_or(request.keep_alive_s);
        let keep_alive_ms =
            (f64::from(keep_alive_s) * 1000.0 * mqtt.keepalive_multiplier.max(1.0)) as u32;
        let (Some(conn), Some(session)) =
            (self.conns.get_mut(key.slot), self.sessions.get_mut(slot))
        else {
            return;
        };
        conn.state = ConnState::Connected;
        conn.session = slot;
        conn.window = request.receive_maximum;
        conn.packet_size_max = request.packet_size_max;
        conn.keep_alive_ms = keep_alive_ms;
        conn.heard_at_ms = now.mono_ms;
        conn.deferred = None;
        conn.is_superuser = request.is_superuser;
        conn.is_authenticated = request.is_authenticated;
        conn.awaiting_before = session.awaiting_rel.as_ref().map_or(0, |ids| ids.len() as u16);
        if request.topic_alias_maximum > 0 {
            let outbound_max = request.topic_alias_maximum.min(crate::conn::ALIASES_OUT_MAX);
            conn.aliases = Some(Box::new(Aliases { outbound_max, ..Aliases::default() }));
        }
        session.conn = Some(key);
        session.meta = conn.meta.clone();
        session.publisher = request.publisher.clone();
        session.proto_ver = request.version as u8;
        session.clean_start = request.clean_start;
        session.keep_alive_s = keep_alive_s;
        session.expiry_s = request.expiry_s;
        session.generation = generation;
        session.connected_at_ms = now.unix_ms;
        session.disconnected_at_ms = 0;
        if session.durable_id != 0 {
            let zone = self.config.zones.get(usize::from(zone)).map_or("default", |z| &z.name);
            let op = persist::put_session(session, zone);
            self.effects.store_ops.push(op);
        }
        self.unauthenticated = self.unauthenticated.saturating_sub(1);
        self.metrics().unauthenticated.set(self.unauthenticated as u64);
        self.metrics().sessions.set(self.sessions.len() as u64);
        if keep_alive_ms > 0 {
            self.wheel.arm(now.mono_ms + u64::from(keep_alive_ms), Timer::KeepAlive(key, 0));
        }
        self.arm_retry(now, key);
    }

    /// Keeps what authentication said of the client; most get nothing.
    fn bind_access(&mut self, now: Now, key: ConnKey, request: &mut ConnectRequest) {
        let user_properties = std::mem::take(&mut request.user_properties);
        let has_properties = !user_properties.as_encoded().is_empty();
        if request.grant.is_empty() && request.method.is_none() && !has_properties {
            return;
        }
        let grant = std::mem::take(&mut request.grant);
        if let Some(at_ms) = grant.expire_at_ms {
            self.arm_expiry(now, key, at_ms);
        }
        if grant.acl.is_some() {
            self.has_own_rules = true;
            self.is_guarding = true;
        }
        let method = request.method.clone();
        let access = ConnAccess { grant, method, exchange: None, user_properties };
        if let Some(conn) = self.conns.get_mut(key.slot) {
            conn.access = Some(Box::new(access));
        }
    }

    fn keep_will(&mut self, now: Now, slot: u32, will: Option<(Message, u32)>) {
        let durable = self.config.durable;
        let Some(session) = self.sessions.get_mut(slot) else { return };
        let had_will = session.will.take().is_some();
        match will {
            Some((message, delay_s)) => {
                let will = Box::new(Will { message: Arc::new(message), delay_s, due_at_ms: 0 });
                if durable {
                    self.effects
                        .store_ops
                        .push(persist::put_will(&session.publisher.client_id, &will));
                }
                session.will = Some(will);
                self.pledge_will(now, slot);
            }
            None => {
                let client_id = session.publisher.client_id.clone();
                if had_will && durable {
                    self.effects.store_ops.push(persist::delete_will(&client_id));
                }
                // It may have been connected to another node with one.
                self.release_will(now, &client_id, false);
            }
        }
    }

    /// An accepted session and its will are promises like an acknowledged message: CONNACK, and
    /// all that follows it in the outbox, leaves when they are on disk.
    fn hold_connack(&mut self, key: ConnKey, slot: u32, before: usize, is_new: bool) {
        let ticket = self.ticket_since(before);
        if ticket <= self.committed {
            return;
        }
        let Some(session) = self.sessions.get(slot) else { return };
        if let Some(conn) = self.conns.get_mut(key.slot) {
            conn.is_held = true;
            let mut ops = self.effects.store_ops.iter().skip(before);
            let passes = ops.clone().all(Op::passes);
            // A session that is on disk is taken up again even if there is no room for its record
            // or its will: they are written when there is.
            let is_record =
                |op: &Op| matches!(op, Op::Put { table: persist::SESSIONS | persist::WILLS, .. });
            let may_go_on =
                session.is_recorded && !is_new && ops.all(|op| op.passes() || is_record(op));
            self.held.push_back(Held {
                ticket,
                conn: key,
                session: session.key,
                is_new,
                passes,
                may_go_on,
            });
        }
    }

    /// The store has no room for a session or its will: the client learns that instead of success.
    /// MQTT-5.0 section 3.2.2.2 (0x97), MQTT-3.1.1 table 3.1 (3).
    pub(super) fn refuse_session(&mut self, now: Now, key: ConnKey, is_new: bool) {
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return };
        conn.is_held = false;
        if conn.state != ConnState::Connected {
            return;
        }
        // Nothing of it has left: the success that was to come, and what followed it, is void.
        self.outbox_bytes = self.outbox_bytes.saturating_sub(conn.out.len());
        conn.out.clear(&mut self.pool);
        let slot = conn.session;
        let client_id = self.sessions.get(slot).map(|s| s.publisher.client_id.clone());
        // A client that was not let in has no will; the one it had before is not its own any more.
        self.discard_will(now, slot);
        let reason = ReasonCode::QUOTA_EXCEEDED;
        let detail = "the store takes no more";
        self.refuse_as(
            now,
            key,
            &client_id.unwrap_or_default(),
            reason,
            CloseCause::Overload,
            detail,
        );
        let is_same = self.sessions.get(slot).is_some_and(|s| s.conn.is_none());
        if is_new && is_same {
            self.end_session_in(now, slot);
        }
    }

    /// A client whose Maximum Packet Size is below the CONNACK that would let it in cannot be told
    /// what it has to keep to: it gets no session, and learns why if that much fits.
    fn refuse_untellable(
        &mut self,
        now: Now,
        key: ConnKey,
        request: &ConnectRequest,
    ) -> Option<Step> {
        if request.packet_size_max == 0 {
            return None;
        }
        let mut bytes = Vec::new();
        self.encode_connack(key, request, false, &mut bytes);
        if bytes.len() <= request.packet_size_max as usize {
            return None;
        }
        let reason = ReasonCode::PACKET_TOO_LARGE;
        let detail = "CONNACK is larger than the client's Maximum Packet Size";
        let cause = CloseCause::Protocol(reason);
        Some(self.refuse_as(now, key, &request.client_id, reason, cause, detail))
    }

    fn send_connack(&mut self, key: ConnKey, request: &ConnectRequest, session_present: bool) {
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        self.encode_connack(key, request, session_present, &mut bytes);
        self.metrics().connack_sent.inc();
        self.write(key, |out, _| out.extend_from_slice(&bytes));
        self.scratch = bytes;
        self.tell_connack(key, &request.client_id, ReasonCode::SUCCESS);
    }

    fn encode_connack(
        &self,
        key: ConnKey,
        request: &ConnectRequest,
        session_present: bool,
        out: &mut Vec<u8>,
    ) {
        let Some(conn) = self.conns.get(key.slot) else { return };
        let mqtt = self.mqtt(conn.meta.zone);
        let max_qos = (mqtt.max_qos_allowed < 2).then_some(mqtt.max_qos_allowed);
        let response_information = (request.request_response_information
            && !mqtt.response_information.is_empty())
        .then_some(&*mqtt.response_information);
        let properties = ConnAckProperties {
            receive_maximum: Some(mqtt.max_inflight.max(1)),
            maximum_qos: max_qos.and_then(QoS::from_u8),
            retain_available: (!mqtt.retain_available).then_some(false),
            maximum_packet_size: Some(mqtt.max_packet_size),
            assigned_client_identifier: request.is_assigned.then_some(&*request.client_id),
            topic_alias_maximum: (mqtt.max_topic_alias > 0).then_some(mqtt.max_topic_alias),
            wildcard_subscription_available: (!mqtt.wildcard_subscription).then_some(false),
            shared_subscription_available: (!mqtt.shared_subscription).then_some(false),
            server_keep_alive_s: mqtt.server_keepalive_s,
            // MQTT-5.0 section 3.2.2.3.17.
            authentication_method: request.method.as_deref(),
            authentication_data: request.auth_data.as_deref(),
            response_information,
            session_expiry_interval_s: (request.expiry_s == mqtt.max_session_expiry_interval_s
                && mqtt.max_session_expiry_interval_s != u32::MAX)
                .then_some(request.expiry_s),
            ..ConnAckProperties::default()
        };
        let connack = ConnAck { session_present, reason: ReasonCode::SUCCESS, properties };
        connack.encode(conn.version, out);
    }

    /// What follows a successful CONNACK: subscriptions made for the client, what it missed, notices.
    fn after_connack(&mut self, now: Now, key: ConnKey, slot: u32, resumed: bool) {
        let event = if resumed { SessionEvent::Resumed } else { SessionEvent::Created };
        self.tell_session(slot, event);
        if resumed {
            self.metrics().session_resumed.inc();
            self.set_shared_presence(slot, true);
            self.resend(now, key, slot);
        }
        self.auto_subscribe(now, slot);
        self.pump(now, slot);
        if !self.conns.get(key.slot).is_some_and(|conn| conn.is_held) {
            self.announce(now, key);
        }
    }

    /// Tells that a client is connected, once its CONNACK may leave.
    pub(super) fn announce(&mut self, now: Now, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key.slot) else { return };
        if conn.state != ConnState::Connected {
            return;
        }
        conn.is_announced = true;
        let slot = conn.session;
        self.metrics().client_connected.inc();
        if self.observer.is_tracing {
            self.trace_conn(key, ("CONNECTION", "client_connected"), None, String::new());
        }
        self.notice_connected(now, slot, key);
        self.note_connected(slot, key);
        if let Some(info) = self.client_info(slot) {
            self.effects.up.push(UpEvent::Connected(Box::new(info)));
        }
    }

    /// Marks what the client has not settled to go out again, in order, and repeats PUBREL,
    /// MQTT-5.0 [MQTT-4.4.0-1]. The window may take only a part of it now.
    fn resend(&mut self, now: Now, key: ConnKey, slot: u32) {
        let Some(session) = self.sessions.get_mut(slot) else { return };
        session.inflight.begin_resend();
        let released = session.inflight.iter_mut().filter(|e| e.stage == Stage::Released);
        let releases: Vec<(u16, u64)> = released.map(|e| (e.packet_id, e.item.seq)).collect();
        let durable_id = session.durable_id;
        self.pump(now, slot);
        for (packet_id, seq) in releases {
            self.repeat_pubrel(now, key, durable_id, packet_id, seq);
        }
    }

    pub(super) fn refuse(
        &mut self,
        now: Now,
        key: ConnKey,
        reason: ReasonCode,
        cause: CloseCause,
        detail: &'static str,
    ) -> Step {
        self.refuse_as(now, key, "", reason, cause, detail)
    }

    /// CONNACK with an error, then close. MQTT-5.0 [MQTT-3.2.2-7].
    pub(super) fn refuse_as(
        &mut self,
        now: Now,
        key: ConnKey,
        client_id: &str,
        reason: ReasonCode,
        cause: CloseCause,
        detail: &'static str,
    ) -> Step {
        self.report_refused(key, client_id, cause, detail);
        let problem_information = self.conns.get(key.slot).is_some_and(|c| c.problem_information);
        let redirect = self.redirect_for(reason);
        let properties = ConnAckProperties {
            reason_string: problem_information.then_some(detail),
            server_reference: redirect.as_deref().and_then(|to| to.server_reference.as_deref()),
            ..ConnAckProperties::default()
        };
        let connack = ConnAck { session_present: false, reason, properties };
        // MQTT-5.0 [MQTT-3.2.2-19]: rather without the words than not at all.
        let properties = ConnAckProperties::default();
        let short = ConnAck { session_present: false, reason, properties };
        if self.write(key, |out, version| connack.encode(version, out))
            || self.write(key, |out, version| short.encode(version, out))
        {
            self.metrics().connack_sent.inc();
            self.metrics().connack_error.inc();
            self.tell_connack(key, client_id, reason);
        }
        self.end_connection(now, key, cause, true);
        Step::End
    }

    /// The address of a session's client, for placeholders.
    pub(super) fn peer_of(&self, slot: u32) -> Option<SocketAddr> {
        self.sessions.get(slot).and_then(|s| s.meta.known_peer())
    }
}
