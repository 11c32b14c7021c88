//! Who may come in: bans, back-off, quota, the question to Python and its answer.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rookery_codec::{Connect, ReasonCode};

use super::timers::Timer;
use super::{Fault, Shard, Step};
use crate::access::{RuleTable, field_of};
use crate::config::Admission;
use crate::conn::{ConnState, ConnectRequest, Deferred, Grant, Handover};
use crate::effects::{
    Admittance, AskId, AuthDetail, ClientInfo, CloseCause, ConnMeta, LogLevel, Question, UpEvent,
    Verdict,
};
use crate::ids::{ConnKey, Now};
use crate::message::{Message, Publisher};
use crate::rewrite::fill;

/// Why a CONNECT is refused: code, cause for those who watch, and words.
pub(super) type Refusal = (ReasonCode, CloseCause, &'static str);

/// User name and client identifier as a certificate gives them.
#[derive(Default)]
pub(super) struct CertificateNames {
    pub(super) username: Option<String>,
    pub(super) client_id: Option<String>,
}

/// Told to a client of this machine that is not counted as one.
const FOREIGN_ON_LOOPBACK: &str = "no authentication is configured, and a browser page (Origin header) or a proxy \
     (forwarded or PROXY header) does not count as a client of this machine; configure authentication or set \
     `access.anonymous = everyone`";

impl Shard {
    /// The names that the zone takes from the client's certificate.
    pub(super) fn certificate_names(&self, key: ConnKey) -> CertificateNames {
        let Some(conn) = self.conns.get(key.slot) else { return CertificateNames::default() };
        let Some(cert) = &conn.meta.cert else { return CertificateNames::default() };
        let mqtt = self.mqtt(conn.meta.zone);
        CertificateNames {
            username: field_of(cert, mqtt.peer_cert_as_username),
            client_id: field_of(cert, mqtt.peer_cert_as_clientid),
        }
    }

    /// Why a client cannot come in whatever it shows. Nobody is asked.
    pub(super) fn bar(
        &self,
        now: Now,
        key: ConnKey,
        client_id: &str,
        username: Option<&str>,
    ) -> Option<Refusal> {
        let peer = self.conns.get(key.slot)?.meta.peer.ip();
        if !self.bans.is_empty() && self.bans.bans(now.unix_ms, client_id, username, peer) {
            self.metrics().banned_refused.inc();
            return Some((ReasonCode::BANNED, CloseCause::Banned, "banned"));
        }
        if self.shared.backoff.is_blocked(now.mono_ms, peer, username) {
            self.metrics().backoff_refused.inc();
            let detail = "too many logins of this address or user name failed; try again later";
            return Some((ReasonCode::SERVER_BUSY, CloseCause::NotAuthorized, detail));
        }
        let max = self.config.max_connections;
        let is_full = max != 0
            && self.shared.connected.load(Ordering::Relaxed) >= max
            && !self.is_connected(client_id);
        is_full.then(|| self.over_quota())
    }

    fn over_quota(&self) -> Refusal {
        self.metrics().quota_refused.inc();
        let detail = "the node has as many clients as max_connections allows";
        (ReasonCode::QUOTA_EXCEEDED, CloseCause::Overload, detail)
    }

    fn is_connected(&self, client_id: &str) -> bool {
        let session = self.clients.get(client_id).and_then(|slot| self.sessions.get(*slot));
        session.is_some_and(|session| session.conn.is_some())
    }

    /// Takes one of the places of the node. Who takes over its own connection has one.
    pub(super) fn take_place(&mut self, client_id: &str) -> Result<(), Refusal> {
        let max = self.config.max_connections;
        let before = self.shared.connected.fetch_add(1, Ordering::SeqCst);
        if max != 0 && before >= max && !self.is_connected(client_id) {
            self.shared.connected.fetch_sub(1, Ordering::SeqCst);
            return Err(self.over_quota());
        }
        self.tell_crowd();
        Ok(())
    }

    /// Gives a place back.
    pub(super) fn leave_place(&mut self) {
        self.shared.connected.fetch_sub(1, Ordering::SeqCst);
        self.tell_crowd();
    }

    /// Tells when the number of clients, or what is said about it, passes a watermark.
    pub(super) fn tell_crowd(&mut self) {
        let (high, low) = (self.config.crowded_from, self.config.crowded_until);
        let connected = || self.shared.connected.load(Ordering::SeqCst);
        while let Some(turn) = self.shared.crowd.turn(high, low, connected) {
            let max = self.config.max_connections;
            self.effects.up.push(UpEvent::Crowded { turn, connected: connected(), max });
        }
    }

    pub(super) fn admit_or_ask(
        &mut self,
        now: Now,
        key: ConnKey,
        request: Box<ConnectRequest>,
        connect: &Connect<'_>,
    ) -> Result<Step, Fault> {
        let Some(meta) = self.conns.get(key.slot).map(|c| c.meta.clone()) else {
            return Ok(Step::End);
        };
        let is_exchange = request.method.is_some();
        let is_anonymous = request.username.is_none() && meta.cert.is_none() && !is_exchange;
        if meta.enable_authn && meta.quick_deny_anonymous && is_anonymous {
            return Ok(self.deny_anonymous(now, key, &request));
        }
        if self.config.hooks.authenticate && meta.enable_authn && !is_exchange {
            self.ask_authenticate(now, key, request, connect.password, None, true);
            return Ok(Step::Next);
        }
        let data = connect.properties.authentication_data;
        Ok(self.admit_as_configured(now, key, request, connect.password, data))
    }

    /// What `admission` says about a client that no hook decided about.
    fn admit_as_configured(
        &mut self,
        now: Now,
        key: ConnKey,
        request: Box<ConnectRequest>,
        password: Option<&[u8]>,
        data: Option<&[u8]>,
    ) -> Step {
        let Some(meta) = self.conns.get(key.slot).map(|c| c.meta.clone()) else {
            return Step::End;
        };
        let is_exchange = request.method.is_some();
        match self.config.admission {
            _ if !meta.enable_authn && !is_exchange => {}
            Admission::LoopbackOnly if !meta.is_local => {
                self.note_authenticated(key, &request, ReasonCode::NOT_AUTHORIZED);
                self.metrics().authentication_failure.inc();
                self.metrics().connack_auth_error.inc();
                let detail = if meta.peer.ip().to_canonical().is_loopback() {
                    // A page of any origin can make a browser on this machine connect.
                    FOREIGN_ON_LOOPBACK
                } else {
                    "no authentication is configured, only clients of this machine are admitted; \
                     open it with `rookery up --lan` or `access.anonymous = everyone`"
                };
                let client_id = request.client_id.clone();
                return self.refuse_as(
                    now,
                    key,
                    &client_id,
                    ReasonCode::NOT_AUTHORIZED,
                    CloseCause::NotAuthorized,
                    detail,
                );
            }
            Admission::Ask => {
                self.ask_authenticate(now, key, request, password, data, false);
                return Step::Next;
            }
            _ if is_exchange => {
                self.ask_authenticate(now, key, request, password, data, false);
                return Step::Next;
            }
            _ => {}
        }
        let asked = u32::from(request.is_hook_asked);
        self.admit_or_ask_will(now, key, request, asked)
    }

    /// A client that names nobody, at a listener that does not even ask about such.
    fn deny_anonymous(&mut self, now: Now, key: ConnKey, request: &ConnectRequest) -> Step {
        self.note_authenticated(key, request, ReasonCode::NOT_AUTHORIZED);
        self.metrics().authentication_failure.inc();
        self.metrics().connack_auth_error.inc();
        let detail = "no user name, and the listener has enable_authn = quick_deny_anonymous";
        let (reason, cause) = (ReasonCode::NOT_AUTHORIZED, CloseCause::NotAuthorized);
        self.refuse_as(now, key, &request.client_id, reason, cause, detail)
    }

    /// `is_first`: hooks are asked that may leave it to what is configured.
    fn ask_authenticate(
        &mut self,
        now: Now,
        key: ConnKey,
        mut request: Box<ConnectRequest>,
        password: Option<&[u8]>,
        data: Option<&[u8]>,
        is_first: bool,
    ) {
        // Later questions of the connection count on from here: a late answer must not fit one of them.
        let number = u32::from(request.is_hook_asked);
        let id = AskId { shard: self.index, conn: key, number };
        let Some(conn) = self.conns.get(key.slot) else { return };
        let client = Box::new(self.connecting_info(now, conn, &request));
        let detail = self.auth_detail(key, &request.method, data);
        let Some(conn) = self.conns.get_mut(key.slot) else { return };
        conn.state = ConnState::Deciding;
        conn.is_paused = true;
        if is_first {
            request.is_hook_asked = true;
            request.password = password.map(Box::from);
        }
        let deferred = Deferred { connect: Some(request), asked: number, ..Deferred::default() };
        conn.deferred = Some(Box::new(deferred));
        let password = password.map(Box::from);
        self.ask(now, id, Question::Authenticate { is_first, client, password, detail });
    }

    pub(super) fn auth_detail(
        &self,
        key: ConnKey,
        method: &Option<Box<str>>,
        data: Option<&[u8]>,
    ) -> AuthDetail {
        let meta = self.conns.get(key.slot).map(|conn| &conn.meta);
        AuthDetail {
            local_port: meta.map_or(0, |meta| meta.local.port()),
            cert: meta.and_then(|meta| meta.cert.clone()),
            method: method.clone(),
            data: data.map(Box::from),
        }
    }

    /// A client's row before it has a session.
    pub(super) fn connecting_info(
        &self,
        now: Now,
        conn: &crate::conn::Conn,
        request: &ConnectRequest,
    ) -> ClientInfo {
        ClientInfo {
            client_id: request.client_id.clone(),
            username: request.username.clone(),
            connected: false,
            peer: Some(conn.meta.peer),
            listener: Some(conn.meta.listener.clone()),
            proto_ver: request.version as u8,
            keepalive_s: Some(request.keep_alive_s),
            clean_start: Some(request.clean_start),
            expiry_interval_s: request.expiry_s,
            created_at_ms: now.unix_ms,
            connected_at_ms: 0,
            disconnected_at_ms: 0,
            generation: 0,
            subscriptions: 0,
            inflight: 0,
            mqueue: 0,
            mqueue_dropped: 0,
            awaiting_rel: 0,
            durable: false,
            cert: conn.meta.cert.clone(),
            client_attrs: request.grant.attrs.clone(),
            is_superuser: request.is_superuser,
            zone: Some(self.zone_name(conn.meta.zone).into()),
            mountpoint: conn.meta.mountpoint.clone(),
        }
    }

    /// An answer about a CONNECT came. `is_given`: somebody said so.
    pub(super) fn decided(&mut self, now: Now, key: ConnKey, verdict: Verdict, is_given: bool) {
        let Some(conn) = self.conns.get_mut(key.slot) else { return };
        let asked = conn.deferred.as_ref().map_or(0, |d| d.asked);
        let Some(mut request) = conn.deferred.take().and_then(|d| d.connect) else { return };
        if request.is_will_asked {
            if !self.allows(&verdict) {
                self.drop_will(&mut request);
            }
            self.let_in(now, key, request);
            return;
        }
        request.is_authenticated |= is_given;
        match verdict {
            Verdict::Allow => self.grant(now, key, request, Admittance::default(), asked),
            Verdict::AllowSuperuser => {
                let admittance = Admittance { is_superuser: true, ..Admittance::default() };
                self.grant(now, key, request, admittance, asked);
            }
            Verdict::Admit(admittance) => self.grant(now, key, request, *admittance, asked),
            Verdict::Continue { data, reason_string } => {
                self.exchange_on(now, key, request, asked, &data, reason_string.as_deref());
            }
            Verdict::Deny(reason) => {
                if is_given {
                    self.note_failed_login(now, key, &request, reason);
                }
                self.refuse_login(now, key, &request, reason, "refused by authentication");
            }
            Verdict::Ignore if asked == 0 && request.is_hook_asked => {
                if let Some(conn) = self.conns.get_mut(key.slot) {
                    conn.state = ConnState::New;
                }
                let password = request.password.take();
                self.admit_as_configured(now, key, request, password.as_deref(), None);
            }
            Verdict::Replace(_) | Verdict::Drop | Verdict::Filters(_) | Verdict::Ignore => {
                let reason = ReasonCode::SERVER_UNAVAILABLE;
                let detail = "authentication answered something else";
                self.refuse_login(now, key, &request, reason, detail);
            }
        }
    }

    pub(super) fn refuse_login(
        &mut self,
        now: Now,
        key: ConnKey,
        request: &ConnectRequest,
        reason: ReasonCode,
        detail: &'static str,
    ) {
        self.note_authenticated(key, request, reason);
        self.metrics().authentication_failure.inc();
        self.metrics().connack_auth_error.inc();
        let cause = CloseCause::NotAuthorized;
        self.refuse_as(now, key, &request.client_id, reason, cause, detail);
    }

    /// Counts what somebody refused; a busy or missing service is no fault of the client.
    fn note_failed_login(
        &mut self,
        now: Now,
        key: ConnKey,
        request: &ConnectRequest,
        reason: ReasonCode,
    ) {
        let is_fault_of_client = matches!(
            reason,
            ReasonCode::BAD_USER_NAME_OR_PASSWORD
                | ReasonCode::NOT_AUTHORIZED
                | ReasonCode::CLIENT_IDENTIFIER_NOT_VALID
        );
        let Some(conn) = self.conns.get(key.slot).filter(|_| is_fault_of_client) else { return };
        let (peer, config) = (conn.meta.peer.ip(), &self.config.login_backoff);
        let username = request.username.as_deref();
        if self.shared.backoff.note_failure(config, now.mono_ms, peer, username) {
            self.metrics().backoff_blocks.inc();
        }
    }

    /// Somebody admitted the client.
    fn grant(
        &mut self,
        now: Now,
        key: ConnKey,
        mut request: Box<ConnectRequest>,
        admittance: Admittance,
        asked: u32,
    ) {
        let Some(peer) = self.conns.get(key.slot).map(|c| c.meta.peer.ip()) else { return };
        let client_id = admittance.client_id.clone();
        request.is_superuser = admittance.is_superuser;
        request.auth_data.clone_from(&admittance.auth_data);
        request.grant = match self.compile_grant(now, &request.client_id, admittance) {
            Ok(grant) => grant,
            Err(detail) => {
                self.refuse_login(now, key, &request, ReasonCode::NOT_AUTHORIZED, detail);
                return;
            }
        };
        self.shared.backoff.note_success(peer, request.username.as_deref());
        let Some(client_id) = client_id.filter(|id| **id != *request.client_id) else {
            self.admit_or_ask_will(now, key, request, asked);
            return;
        };
        let zone = self.conns.get(key.slot).map_or(0, |c| c.meta.zone);
        if client_id.is_empty() || client_id.len() > self.mqtt(zone).max_clientid_len {
            let reason = ReasonCode::CLIENT_IDENTIFIER_NOT_VALID;
            let detail = "the client identifier that authentication gave is empty or too long";
            self.refuse_login(now, key, &request, reason, detail);
            return;
        }
        rename(&mut request, &client_id);
        let username = request.username.clone();
        if let Some((reason, cause, detail)) = self.bar(now, key, &client_id, username.as_deref()) {
            self.refuse_as(now, key, &client_id, reason, cause, detail);
            return;
        }
        self.admit_on_its_shard(now, key, request, asked);
    }

    /// The client got another identifier: its session may belong to another shard.
    fn admit_on_its_shard(
        &mut self,
        now: Now,
        key: ConnKey,
        request: Box<ConnectRequest>,
        asked: u32,
    ) {
        let owner = self.shared.shard_of(&request.client_id);
        if owner == self.index {
            self.admit_or_ask_will(now, key, request, asked);
            return;
        }
        let Some(conn) = self.conns.get_mut(key.slot) else { return };
        let handover = Some(Arc::new(Handover::new(request)));
        conn.meta = Arc::new(ConnMeta { handover, ..(*conn.meta).clone() });
        self.effects.migrate.push((key, owner));
    }

    /// Goes on with clients that another shard admitted.
    pub(super) fn admit_handed(&mut self, now: Now) {
        for (key, request) in std::mem::take(&mut self.handed) {
            let is_there = self.conns.get_checked(key.slot, key.generation).is_some();
            if is_there {
                self.admit_or_ask_will(now, key, request, 0);
            }
        }
    }

    /// What authentication grants, ready to use.
    pub(super) fn compile_grant(
        &mut self,
        now: Now,
        client_id: &str,
        admittance: Admittance,
    ) -> Result<Grant, &'static str> {
        if admittance.expire_at_ms.is_some_and(|at| at <= now.unix_ms) {
            return Err("what authentication grants has expired already");
        }
        let acl = admittance.acl.map(|rules| RuleTable::compile("client_acl", &rules)).transpose();
        let acl = match acl {
            Ok(acl) => acl,
            Err(error) => {
                let text = format!("client {client_id:?}: rules of its authentication: {error}");
                self.effects.up.push(UpEvent::Log(LogLevel::Warning, text.into()));
                return Err("the rules that came with the authentication cannot be used");
            }
        };
        let expire_at_ms = admittance.expire_at_ms;
        Ok(Grant { attrs: admittance.client_attrs, acl, expire_at_ms })
    }

    /// A will is a PUBLISH of later: whether the client may make it is known before it is kept.
    pub(super) fn admit_or_ask_will(
        &mut self,
        now: Now,
        key: ConnKey,
        mut request: Box<ConnectRequest>,
        asked: u32,
    ) -> Step {
        self.note_authenticated(key, &request, ReasonCode::SUCCESS);
        let question = match self.rule_will(now, key, &request) {
            Ok(is_allowed) => {
                if !is_allowed {
                    self.drop_will(&mut request);
                }
                return self.let_in(now, key, request);
            }
            Err(question) => question,
        };
        let id = AskId { shard: self.index, conn: key, number: asked + 1 };
        let Some(conn) = self.conns.get_mut(key.slot) else { return Step::End };
        request.is_will_asked = true;
        conn.state = ConnState::Deciding;
        conn.is_paused = true;
        conn.deferred = Some(Box::new(Deferred {
            connect: Some(request),
            asked: asked + 1,
            ..Deferred::default()
        }));
        self.ask(now, id, question);
        Step::Next
    }

    /// As a PUBLISH that is denied: the client stays, the message goes nowhere.
    fn drop_will(&mut self, request: &mut ConnectRequest) {
        self.metrics().authorization_deny.inc();
        request.will = None;
    }

    fn let_in(&mut self, now: Now, key: ConnKey, mut request: Box<ConnectRequest>) -> Step {
        let Some(conn) = self.conns.get_mut(key.slot) else { return Step::End };
        conn.state = ConnState::New;
        if !self.mount(key, &mut request) {
            let detail =
                "client identifier, user name or an attribute cannot be part of the mountpoint";
            let reason = ReasonCode::CLIENT_IDENTIFIER_NOT_VALID;
            let cause = CloseCause::Protocol(reason);
            return self.refuse_as(now, key, &request.client_id, reason, cause, detail);
        }
        if self.must_ask_nodes(&request) {
            self.ask_nodes(now, key, request);
            return Step::Next;
        }
        let step = self.admit(now, key, *request);
        self.resume(key);
        step
    }

    /// Fills the placeholders of the listener's mountpoint and puts it before the will's topic;
    /// false when a value is no part of a topic name.
    fn mount(&mut self, key: ConnKey, request: &mut ConnectRequest) -> bool {
        let Some(meta) = self.conns.get(key.slot).map(|conn| conn.meta.clone()) else {
            return true;
        };
        let mut mountpoint = Cow::Borrowed(&*meta.mountpoint);
        if mountpoint.contains("${") {
            let attrs: Vec<(String, &str)> = request
                .grant
                .attrs
                .iter()
                .map(|(name, value)| (format!("client_attrs.{name}"), &**value))
                .collect();
            let mut values = vec![
                ("clientid", &*request.client_id),
                ("username", request.username.as_deref().unwrap_or("")),
                ("zone", self.zone_name(meta.zone)),
            ];
            values.extend(attrs.iter().map(|(name, value)| (name.as_str(), *value)));
            let filled = fill(&mountpoint, &values);
            if rookery_codec::check_topic_name(&filled).is_err() {
                return false;
            }
            mountpoint = Cow::Owned(filled);
        }
        if let (false, Some((will, _))) = (mountpoint.is_empty(), &mut request.will) {
            let topic = format!("{mountpoint}{}", will.topic());
            *will = will.with(&topic, will.retain, 0);
        }
        self.settle_meta(key, &meta, &mountpoint);
        true
    }

    /// What only CONNECT needed is forgotten: a certificate is larger than all else of a client.
    fn settle_meta(&mut self, key: ConnKey, meta: &ConnMeta, mountpoint: &str) {
        let has_der = meta.cert.as_ref().is_some_and(|cert| cert.der.is_some());
        if *meta.mountpoint == *mountpoint && !has_der && meta.handover.is_none() {
            return;
        }
        let cert = meta.cert.as_ref().map(|cert| {
            Arc::new(crate::effects::PeerCertificate { der: None, ..(**cert).clone() })
        });
        if let Some(conn) = self.conns.get_mut(key.slot) {
            let mountpoint = mountpoint.into();
            conn.meta = Arc::new(ConnMeta { mountpoint, cert, handover: None, ..meta.clone() });
        }
    }

    /// Ends the connection when what was granted is over. EMQX's reason code.
    pub(super) fn expire_due(&mut self, now: Now, key: ConnKey) {
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return };
        if conn.state != ConnState::Connected {
            return;
        }
        let Some(at_ms) = conn.access.as_ref().and_then(|a| a.grant.expire_at_ms) else { return };
        if at_ms > now.unix_ms {
            self.arm_expiry(now, key, at_ms);
            return;
        }
        self.metrics().client_expired.inc();
        self.send_disconnect(
            key,
            ReasonCode::NOT_AUTHORIZED,
            Some("the authentication has expired"),
        );
        self.end_connection(now, key, CloseCause::Expired, true);
    }

    pub(super) fn arm_expiry(&mut self, now: Now, key: ConnKey, at_ms: u64) {
        let left_ms = at_ms.saturating_sub(now.unix_ms);
        self.wheel.arm(now.mono_ms.saturating_add(left_ms), Timer::Expire(key));
    }

    /// Ends connected clients that a ban fits, a slice per call; true when more are left.
    pub(super) fn sweep_banned(&mut self, now: Now) -> bool {
        /// Connections looked at in one turn.
        const SLICE: u32 = 4096;
        let Some(from) = self.ban_sweep else { return false };
        let end = self.conns.slots().min(from.saturating_add(SLICE));
        for slot in from..end {
            let Some(conn) = self.conns.get(slot).filter(|c| c.state == ConnState::Connected)
            else {
                continue;
            };
            let Some(session) = self.sessions.get(conn.session) else { continue };
            let publisher = &session.publisher;
            let (username, peer) = (publisher.username.as_deref(), conn.meta.peer.ip());
            if !self.bans.bans(now.unix_ms, &publisher.client_id, username, peer) {
                continue;
            }
            let key = ConnKey { slot, generation: self.conns.generation(slot) };
            self.metrics().banned_disconnected.inc();
            // MQTT-5.0 table 3-10 has no 0x8A for DISCONNECT.
            self.send_disconnect(key, ReasonCode::ADMINISTRATIVE_ACTION, Some("banned"));
            self.end_connection(now, key, CloseCause::Banned, true);
        }
        self.ban_sweep = (end < self.conns.slots()).then_some(end);
        self.ban_sweep.is_some()
    }
}

/// The client and its will get another client identifier.
fn rename(request: &mut ConnectRequest, client_id: &str) {
    request.client_id = client_id.into();
    request.is_assigned = true;
    let publisher =
        Publisher { client_id: request.client_id.clone(), username: request.username.clone() };
    request.publisher = Arc::new(publisher);
    if let Some((will, _)) = &mut request.will {
        let mut renamed: Message = will.with(will.topic(), will.retain, will.seq);
        renamed.from = request.publisher.clone();
        *will = renamed;
    }
}
