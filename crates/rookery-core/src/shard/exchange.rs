//! Enhanced authentication, MQTT-5.0 section 4.12: AUTH at CONNECT and while connected.

use rookery_codec::{Auth, Packet, ReasonCode, UserProperties, Version, decode};

use super::timers::Timer;
use super::{Fault, Shard, Step};
use crate::conn::{ConnState, ConnectRequest, Deferred, Exchange};
use crate::effects::{Admittance, AskId, CloseCause, Question, Verdict};
use crate::ids::{ConnKey, Now};

/// AUTH packets that a client may send in one exchange. SCRAM takes one, Kerberos a few.
const STEPS_MAX: u8 = 16;

const AUTH_TOO_LARGE: &str = "AUTH is larger than the client's Maximum Packet Size";

fn auth_too_large() -> Fault {
    Fault::new(ReasonCode::PACKET_TOO_LARGE, AUTH_TOO_LARGE)
}

impl Shard {
    /// The server wants a further step before it answers CONNECT.
    pub(super) fn exchange_on(
        &mut self,
        now: Now,
        key: ConnKey,
        request: Box<ConnectRequest>,
        asked: u32,
        data: &[u8],
        reason_string: Option<&str>,
    ) {
        let Some(method) = request.method.clone() else {
            let reason = ReasonCode::SERVER_UNAVAILABLE;
            let detail = "authentication wants a further step of a client without a method";
            self.refuse_login(now, key, &request, reason, detail);
            return;
        };
        let reason = ReasonCode::CONTINUE_AUTHENTICATION;
        if !self.send_auth(key, reason, &method, Some(data), reason_string) {
            let reason = ReasonCode::PACKET_TOO_LARGE;
            self.refuse_login(now, key, &request, reason, AUTH_TOO_LARGE);
            return;
        }
        let is_first = request.auth_steps == 0;
        let Some(conn) = self.conns.get_mut(key.slot) else { return };
        let zone = conn.meta.zone;
        conn.state = ConnState::Exchanging;
        conn.deferred =
            Some(Box::new(Deferred { connect: Some(request), asked, ..Deferred::default() }));
        if is_first {
            let deadline_ms = now.mono_ms + self.mqtt(zone).idle_timeout_ms;
            self.wheel.arm(deadline_ms, Timer::Exchange(key));
        }
        self.resume(key);
    }

    /// What a client sends between CONNECT and CONNACK: AUTH or DISCONNECT,
    /// MQTT-5.0 [MQTT-3.1.2-30].
    pub(super) fn exchange_packet(
        &mut self,
        now: Now,
        key: ConnKey,
        first: u8,
        body: &[u8],
    ) -> Result<Step, Fault> {
        let wrong = Fault::new(
            ReasonCode::PROTOCOL_ERROR,
            "only AUTH and DISCONNECT may be sent before CONNACK",
        );
        match decode(first, body, Version::V5)? {
            Packet::Auth(auth) => {
                self.metrics().auth_received.inc();
                Ok(self.next_step(now, key, &auth))
            }
            Packet::Disconnect(_) => {
                self.metrics().disconnect_received.inc();
                self.report_refused(
                    key,
                    "",
                    CloseCause::Normal,
                    "the client gave up authentication",
                );
                self.end_connection(now, key, CloseCause::Normal, true);
                Ok(Step::End)
            }
            _ => Err(wrong),
        }
    }

    fn next_step(&mut self, now: Now, key: ConnKey, auth: &Auth<'_>) -> Step {
        let Some(conn) = self.conns.get_mut(key.slot) else { return Step::End };
        let asked = conn.deferred.as_ref().map_or(0, |deferred| deferred.asked);
        let request = conn.deferred.take().and_then(|deferred| deferred.connect);
        let Some(mut request) = request else { return Step::End };
        request.auth_steps += 1;
        let objection = if auth.reason != ReasonCode::CONTINUE_AUTHENTICATION {
            Some((ReasonCode::PROTOCOL_ERROR, "AUTH before CONNACK with a reason other than 0x18"))
        } else if auth.method != request.method.as_deref() {
            // MQTT-5.0 [MQTT-4.12.0-5].
            Some((ReasonCode::BAD_AUTHENTICATION_METHOD, "AUTH with another method than CONNECT"))
        } else if request.auth_steps > STEPS_MAX {
            Some((ReasonCode::NOT_AUTHORIZED, "too many steps of enhanced authentication"))
        } else {
            None
        };
        if let Some((reason, detail)) = objection {
            self.refuse_login(now, key, &request, reason, detail);
            return Step::End;
        }
        let detail = self.auth_detail(key, &request.method, auth.data);
        let Some(conn) = self.conns.get(key.slot) else { return Step::End };
        let client = Box::new(self.connecting_info(now, conn, &request));
        let id = AskId { shard: self.index, conn: key, number: asked + 1 };
        let Some(conn) = self.conns.get_mut(key.slot) else { return Step::End };
        conn.state = ConnState::Deciding;
        conn.is_paused = true;
        conn.deferred = Some(Box::new(Deferred {
            connect: Some(request),
            asked: asked + 1,
            ..Deferred::default()
        }));
        self.ask(now, id, Question::AuthContinue { client, detail });
        Step::Next
    }

    /// AUTH of a connected client, MQTT-5.0 section 4.12.1.
    pub(super) fn handle_auth(
        &mut self,
        now: Now,
        key: ConnKey,
        auth: &Auth<'_>,
    ) -> Result<Step, Fault> {
        self.metrics().auth_received.inc();
        let Some(conn) = self.conns.get(key.slot) else { return Ok(Step::End) };
        let access = conn.access.as_ref();
        let (zone, slot) = (conn.meta.zone, conn.session);
        let exchange = access.and_then(|access| access.exchange);
        let Some(method) = access.and_then(|access| access.method.clone()) else {
            // MQTT-5.0 [MQTT-4.12.0-7]: no Authentication Method was agreed on.
            return Err(Fault::new(
                ReasonCode::PROTOCOL_ERROR,
                "AUTH without an authentication method",
            ));
        };
        if auth.method != Some(&*method) {
            // MQTT-5.0 [MQTT-4.12.1-1]; table 3-10 has no 0x8C for DISCONNECT.
            return Err(Fault::new(
                ReasonCode::PROTOCOL_ERROR,
                "AUTH with another method than CONNECT",
            ));
        }
        let is_begin = auth.reason == ReasonCode::RE_AUTHENTICATE && exchange.is_none();
        let is_next = auth.reason == ReasonCode::CONTINUE_AUTHENTICATION
            && exchange.is_some_and(|exchange| exchange.asked.is_none());
        if !is_begin && !is_next {
            return Err(Fault::new(ReasonCode::PROTOCOL_ERROR, "AUTH at a wrong moment"));
        }
        let steps = exchange.map_or(0, |exchange| exchange.steps) + 1;
        if steps > STEPS_MAX {
            return Err(Fault::new(
                ReasonCode::NOT_AUTHORIZED,
                "too many steps of enhanced authentication",
            ));
        }
        let deadline_ms = exchange.map_or_else(
            || now.mono_ms + self.mqtt(zone).idle_timeout_ms,
            |exchange| exchange.deadline_ms,
        );
        let Some(client) = self.client_info(slot).map(Box::new) else { return Ok(Step::End) };
        let detail = self.auth_detail(key, &Some(method), auth.data);
        let id = self.next_ask(key);
        if let Some(access) = self.conns.get_mut(key.slot).and_then(|c| c.access.as_mut()) {
            access.exchange = Some(Exchange { asked: Some(id.number), steps, deadline_ms });
        }
        if is_begin {
            self.wheel.arm(deadline_ms, Timer::Exchange(key));
            self.ask(
                now,
                id,
                Question::Authenticate { is_first: false, client, password: None, detail },
            );
        } else {
            self.ask(now, id, Question::AuthContinue { client, detail });
        }
        Ok(Step::Next)
    }

    /// An answer about a client that authenticates again came.
    pub(super) fn re_authenticated(&mut self, now: Now, key: ConnKey, verdict: Verdict) {
        let Some(access) = self.conns.get_mut(key.slot).and_then(|c| c.access.as_mut()) else {
            return;
        };
        let Some(method) = access.method.clone() else { return };
        match verdict {
            Verdict::Continue { data, reason_string } => {
                if let Some(exchange) = &mut access.exchange {
                    exchange.asked = None;
                }
                let reason = ReasonCode::CONTINUE_AUTHENTICATION;
                let words = reason_string.as_deref();
                if !self.send_auth(key, reason, &method, Some(&data), words) {
                    self.fault(now, key, auth_too_large());
                }
            }
            Verdict::Admit(admittance) => self.grant_anew(now, key, &method, *admittance),
            Verdict::Allow => self.grant_anew(now, key, &method, Admittance::default()),
            Verdict::AllowSuperuser => {
                let admittance = Admittance { is_superuser: true, ..Admittance::default() };
                self.grant_anew(now, key, &method, admittance);
            }
            Verdict::Deny(_)
            | Verdict::Replace(_)
            | Verdict::Drop
            | Verdict::Filters(_)
            | Verdict::Ignore => {
                self.fail_again(now, key, "authentication failed");
            }
        }
    }

    fn grant_anew(&mut self, now: Now, key: ConnKey, method: &str, admittance: Admittance) {
        let slot = self.conns.get(key.slot).map(|conn| conn.session);
        let session = slot.and_then(|slot| self.sessions.get(slot));
        let Some(client_id) = session.map(|s| s.publisher.client_id.clone()) else { return };
        let (is_superuser, data) = (admittance.is_superuser, admittance.auth_data.clone());
        let grant = match self.compile_grant(now, &client_id, admittance) {
            Ok(grant) => grant,
            Err(detail) => return self.fail_again(now, key, detail),
        };
        let expire_at_ms = grant.expire_at_ms;
        self.has_own_rules |= grant.acl.is_some();
        self.is_guarding = self.must_guard();
        let Some(conn) = self.conns.get_mut(key.slot) else { return };
        conn.is_superuser = is_superuser;
        if let Some(access) = &mut conn.access {
            access.grant = grant;
            access.exchange = None;
        }
        // Answers were given for what the client was before.
        if let Some(deferred) = &mut conn.deferred {
            deferred.answers.clear();
        }
        if let Some(at_ms) = expire_at_ms {
            self.arm_expiry(now, key, at_ms);
        }
        if !self.send_auth(key, ReasonCode::SUCCESS, method, data.as_deref(), None) {
            self.fault(now, key, auth_too_large());
        }
    }

    /// MQTT-5.0 section 4.12.1: a re-authentication that fails ends the connection.
    fn fail_again(&mut self, now: Now, key: ConnKey, detail: &'static str) {
        self.metrics().authentication_failure.inc();
        self.send_disconnect(key, ReasonCode::NOT_AUTHORIZED, Some(detail));
        self.end_connection(now, key, CloseCause::NotAuthorized, true);
    }

    /// An exchange takes too long.
    pub(super) fn exchange_due(&mut self, now: Now, key: ConnKey) {
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else { return };
        let detail = "enhanced authentication took longer than mqtt.idle_timeout";
        match conn.state {
            ConnState::Exchanging | ConnState::Deciding => {
                let request = conn.deferred.as_ref().and_then(|d| d.connect.as_ref());
                // It may be through and wait for an answer about its will.
                if request.is_none_or(|r| r.method.is_none() || r.is_will_asked) {
                    return;
                }
                let request = conn.deferred.take().and_then(|deferred| deferred.connect);
                let Some(request) = request else { return };
                self.refuse_login(now, key, &request, ReasonCode::NOT_AUTHORIZED, detail);
            }
            ConnState::Connected => {
                let exchange = conn.access.as_ref().and_then(|access| access.exchange);
                if exchange.is_some_and(|exchange| exchange.deadline_ms <= now.mono_ms) {
                    self.fail_again(now, key, detail);
                }
            }
            ConnState::New | ConnState::Closing => {}
        }
    }

    /// False when the client takes no packet of that size, even without the words.
    fn send_auth(
        &mut self,
        key: ConnKey,
        reason: ReasonCode,
        method: &str,
        data: Option<&[u8]>,
        reason_string: Option<&str>,
    ) -> bool {
        let Some(conn) = self.conns.get(key.slot) else { return true };
        let auth = Auth {
            reason,
            method: Some(method),
            data,
            reason_string: reason_string.filter(|_| conn.problem_information),
            user_properties: UserProperties::default(),
        };
        // MQTT-5.0 [MQTT-3.15.2-2]: rather without the words than not at all.
        let short = Auth { reason_string: None, ..auth };
        let is_sent = self.write(key, |out, _| auth.encode(out))
            || self.write(key, |out, _| short.encode(out));
        if is_sent {
            self.metrics().auth_sent.inc();
        }
        is_sent
    }
}
