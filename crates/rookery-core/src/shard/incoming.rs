//! Connections and their bytes on the way in: packets are cut out, and given to who handles them.

use std::sync::Arc;

use rookery_codec::{AckKind, Packet, ReasonCode, Version, decode, decode_ack, parse_header};

use super::timers::Timer;
use super::{Fault, Shard, Step};
use crate::conn::{Conn, ConnState};
use crate::effects::ConnMeta;
use crate::ids::{ConnKey, Now};

/// A connection whose unsent bytes exceed this many high-water marks is not read.
const OUTBOX_PAUSE_FACTOR: usize = 2;

impl Shard {
    /// A transport connection was accepted; `None` when there is no room for it.
    pub fn accept(&mut self, now: Now, meta: Arc<ConnMeta>) -> Option<ConnKey> {
        if self.is_stopping || !self.make_room(now) {
            self.metrics().overload_unauthenticated.inc();
            return None;
        }
        if self.bans.bans_address(now.unix_ms, meta.peer.ip()) {
            self.metrics().banned_refused.inc();
            return None;
        }
        let idle = self.mqtt(meta.zone).idle_timeout_ms;
        let handed = meta.handover.as_ref().and_then(|handover| handover.take());
        let (slot, generation) = self.conns.insert(Conn::new(meta, now.mono_ms));
        let key = ConnKey { slot, generation };
        if let (Some(request), Some(conn)) = (handed, self.conns.get_mut(slot)) {
            conn.state = ConnState::Deciding;
            conn.is_paused = true;
            conn.version = request.version;
            conn.problem_information = request.request_problem_information;
            conn.packet_size_max = request.packet_size_max;
            self.handed.push((key, request));
        }
        self.unauthenticated += 1;
        self.metrics().unauthenticated.set(self.unauthenticated as u64);
        self.metrics().connections.set(self.conns.len() as u64);
        self.wheel.arm(now.mono_ms + idle, Timer::Idle(key));
        self.enter_lobby(key);
        Some(key)
    }

    /// Takes bytes of a connection; returns how many were consumed. The rest has to be
    /// offered again, together with what follows it.
    #[inline]
    pub fn receive(&mut self, now: Now, key: ConnKey, bytes: &[u8]) -> usize {
        let Some(conn) = self.conns.get_checked(key.slot, key.generation) else {
            return bytes.len();
        };
        if conn.state == ConnState::Closing {
            return bytes.len();
        }
        if conn.out.len() > OUTBOX_PAUSE_FACTOR * self.config.limits.outbox_high_water_bytes {
            // Answers (PINGRESP, SUBACK …) cannot be dropped: who does not read is not read.
            conn.is_paused = true;
            return 0;
        }
        let zone = conn.meta.zone;
        let has_limiter = conn.limiter.is_some();
        conn.heard_at_ms = now.mono_ms;
        let max = self.mqtt(zone).max_packet_size as usize;
        self.metrics().bytes_received.add(bytes.len() as u64);
        let mut rest = bytes;
        let mut packets = 0;
        let end = loop {
            let header = match parse_header(rest) {
                Ok(Some(header)) => header,
                Ok(None) => break Step::Next,
                Err(error) => break self.fault(now, key, error.into()),
            };
            let total = header.header_len + header.remaining;
            if total > max {
                break self.fault(
                    now,
                    key,
                    Fault::new(
                        ReasonCode::PACKET_TOO_LARGE,
                        "packet larger than mqtt.max_packet_size",
                    ),
                );
            }
            let Some(body) = rest.get(header.header_len..total) else {
                break self.early_check(now, key, header.first);
            };
            if !header.is_minimal()
                && let Some(step) = self.refuse_padded(now, key, header.first, body)
            {
                break step;
            }
            if has_limiter && !self.has_tokens(now, key, header.first, total) {
                break Step::Hold;
            }
            packets += 1;
            match self.packet(now, key, header.first, body) {
                Ok(Step::Next) => {}
                Ok(step) => break step,
                Err(fault) => {
                    self.count_fault(header.first);
                    break self.fault(now, key, fault);
                }
            }
            rest = rest.get(total..).unwrap_or_default();
        };
        self.metrics().packets_received.add(packets);
        let taken = if end == Step::End { bytes.len() } else { bytes.len() - rest.len() };
        if let Some(conn) = self.conns.get_checked(key.slot, key.generation) {
            conn.traffic.received(taken, packets as usize);
        }
        taken
    }

    /// Refuses what can be refused before a packet is complete: nothing but CONNECT comes first.
    pub(super) fn early_check(&mut self, now: Now, key: ConnKey, first: u8) -> Step {
        let is_new = self.conns.get(key.slot).is_some_and(|c| c.state == ConnState::New);
        if is_new && first != 0x10 {
            return self.fault(
                now,
                key,
                Fault::new(ReasonCode::PROTOCOL_ERROR, "the first packet is not CONNECT"),
            );
        }
        Step::Next
    }

    #[inline]
    pub(super) fn packet(
        &mut self,
        now: Now,
        key: ConnKey,
        first: u8,
        body: &[u8],
    ) -> Result<Step, Fault> {
        if self.observer.is_tracing {
            self.trace_received(key, first, body);
        }
        let Some(conn) = self.conns.get(key.slot) else { return Ok(Step::End) };
        match conn.state {
            ConnState::Connected if conn.deferred.is_none() => self.handle(now, key, first, body),
            ConnState::Connected => self.defer_or_handle(now, key, first, body),
            ConnState::New => self.first_packet(now, key, first, body),
            ConnState::Deciding => Ok(Step::Hold),
            ConnState::Exchanging => self.exchange_packet(now, key, first, body),
            ConnState::Closing => Ok(Step::End),
        }
    }

    pub(super) fn first_packet(
        &mut self,
        now: Now,
        key: ConnKey,
        first: u8,
        body: &[u8],
    ) -> Result<Step, Fault> {
        // MQTT-5.0 [MQTT-3.1.0-1], MQTT-3.1.1 [MQTT-3.1.0-1].
        if first != 0x10 {
            return Err(Fault::new(ReasonCode::PROTOCOL_ERROR, "the first packet is not CONNECT"));
        }
        match decode(first, body, Version::V311) {
            Ok(Packet::Connect(connect)) => self.handle_connect(now, key, &connect),
            Ok(_) => Err(Fault::new(ReasonCode::PROTOCOL_ERROR, "the first packet is not CONNECT")),
            Err(error) => Ok(self.refuse_undecodable(now, key, body, &error)),
        }
    }

    /// Handles a packet of an admitted client.
    #[inline]
    pub(super) fn handle(
        &mut self,
        now: Now,
        key: ConnKey,
        first: u8,
        body: &[u8],
    ) -> Result<Step, Fault> {
        if first >> 4 == 3 {
            if first & 0x06 == 0x04 && self.has_to_wait(now, key, first, body)? {
                return Ok(Step::Next);
            }
            return self.handle_publish(now, key, first, body);
        }
        let Some(conn) = self.conns.get(key.slot) else { return Ok(Step::End) };
        let version = conn.version;
        if first == AckKind::PubAck as u8 {
            let ack = decode_ack(AckKind::PubAck, body, version)?;
            self.handle_puback(now, key, &ack);
            return Ok(Step::Next);
        }
        match decode(first, body, version)? {
            // In MQTT 3.1 with flags that are not used.
            Packet::PubAck(ack) => self.handle_puback(now, key, &ack),
            Packet::PubRec(ack) => self.handle_pubrec(now, key, &ack),
            Packet::PubRel(ack) => self.handle_pubrel(now, key, &ack),
            Packet::PubComp(ack) => self.handle_pubcomp(now, key, &ack),
            packet @ (Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::Disconnect(_)) => {
                return self.handle_noted(now, key, first, body, &packet);
            }
            Packet::PingReq => {
                self.metrics().pingreq_received.inc();
                self.note_ping(key);
                if self.write(key, |out, _| rookery_codec::encode_pingresp(out)) {
                    self.metrics().pingresp_sent.inc();
                }
            }
            Packet::Auth(auth) => return self.handle_auth(now, key, &auth),
            Packet::Connect(_) => {
                return Err(Fault::new(ReasonCode::PROTOCOL_ERROR, "second CONNECT"));
            }
            _ => {
                return Err(Fault::new(
                    ReasonCode::PROTOCOL_ERROR,
                    "packet that only a server sends",
                ));
            }
        }
        Ok(Step::Next)
    }

    /// More became known of a connection before its CONNECT: a proxy told whom it speaks for.
    pub fn set_meta(&mut self, key: ConnKey, meta: Arc<ConnMeta>) {
        if let Some(conn) = self.conns.get_checked(key.slot, key.generation)
            && conn.state == ConnState::New
        {
            conn.meta = meta;
        }
    }

    /// Whether the driver has to hold back reading.
    #[must_use]
    pub fn is_paused(&self, key: ConnKey) -> bool {
        self.conns.get(key.slot).is_some_and(|c| c.is_paused)
            && self.conns.generation(key.slot) == key.generation
    }

    /// Whether a connection has not been admitted yet.
    #[must_use]
    pub fn is_unadmitted(&self, key: ConnKey) -> bool {
        let conn =
            self.conns.get(key.slot).filter(|_| self.conns.generation(key.slot) == key.generation);
        conn.is_some_and(|c| c.state.is_before_admission())
    }

    /// Most bytes to hold for connections that have not been admitted: this shard's share.
    #[must_use]
    pub fn unadmitted_bytes_max(&self) -> usize {
        self.config.limits.unauthenticated_bytes / usize::from(self.shared.shards()).max(1)
    }
}
