//! What a node and the worker process of a plugin say to each other: frames behind each other.
//!
//! A frame is a length (`u32`, of what follows) and a kind (`u8`): numbers below 64 are hookpoints
//! of [`super::hook`], going down to the worker; [`ANSWER`] comes up. Numbers are little-endian.
//! Both ends are of one version: a worker runs the interpreter and the package of its node.

use std::sync::Arc;

use rookery_codec::{Fields, ReasonCode};
use rookery_core::effects::{
    Admittance, Answer, AskId, AuthDetail, ClientInfo, CloseCause, FilterVerdict, PeerCertificate,
    Question, SessionEvent, SubscriptionInfo, UpEvent, Verdict,
};
use rookery_core::ids::ConnKey;
use rookery_core::message::Message;

use super::hook::{self, HookNumber, hook_of};

/// Kind of a frame with an [`Answer`].
pub const ANSWER: u8 = 64;
/// Largest frame: a message of MQTT's size and what stands around it.
pub const FRAME_BYTES_MAX: usize = 300 << 20;
const HEAD_BYTES: usize = 4;
const NO_TEXT: u32 = u32::MAX;

/// Bytes that are no frame of ours: the other end is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no frame")]
pub struct BrokenFrame;

/// What goes down to a worker.
#[derive(Debug)]
pub enum Down {
    /// Something that the core tells or asks.
    Event(Box<UpEvent>),
    /// Something that the management plane tells: the hookpoint and a JSON object.
    Told(HookNumber, Box<str>),
}

/// Kind, body and whole length of a frame.
pub type Frame<'a> = (u8, &'a [u8], usize);

/// Takes the next frame off `buffer`.
///
/// # Errors
///
/// It claims to be larger than a frame may be.
pub fn next_frame(buffer: &[u8]) -> Result<Option<Frame<'_>>, BrokenFrame> {
    let Some((head, rest)) = buffer.split_first_chunk::<HEAD_BYTES>() else { return Ok(None) };
    let len = u32::from_le_bytes(*head) as usize;
    if len == 0 || len > FRAME_BYTES_MAX {
        return Err(BrokenFrame);
    }
    let Some(frame) = rest.get(..len) else { return Ok(None) };
    let (kind, body) = frame.split_first().ok_or(BrokenFrame)?;
    Ok(Some((*kind, body, HEAD_BYTES + len)))
}

#[allow(clippy::cast_possible_truncation)] // a frame is bounded by what MQTT can carry
fn frame(out: &mut Vec<u8>, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD_BYTES]);
    out.push(kind);
    body(out);
    let len = (out.len() - start - HEAD_BYTES) as u32;
    if let Some(head) = out.get_mut(start..start + HEAD_BYTES) {
        head.copy_from_slice(&len.to_le_bytes());
    }
}

/// Appends an event that plugins can be told; others are left out.
pub fn put_event(out: &mut Vec<u8>, event: &UpEvent) {
    let Some(hook) = hook_of(event) else { return };
    frame(out, hook, |out| match event {
        UpEvent::Ask(id, question) => {
            put_id(out, *id);
            put_question(out, question);
        }
        UpEvent::Connect(client) | UpEvent::Connected(client) | UpEvent::Session(_, client) => {
            put_client(out, client);
        }
        UpEvent::ConnAck { client_id, peer, listener, reason } => {
            put_text(out, Some(client_id));
            put_text(out, Some(&peer.to_string()));
            put_text(out, Some(listener));
            out.push(reason.0);
        }
        UpEvent::Disconnected(client, cause) => {
            put_client(out, client);
            put_text(out, Some(cause.name()));
        }
        UpEvent::Subscribed(client_id, item) => {
            put_text(out, Some(client_id));
            put_subscription(out, item);
        }
        UpEvent::Unsubscribed(client_id, filter) => {
            put_text(out, Some(client_id));
            put_text(out, Some(filter));
        }
        UpEvent::Delivered { client_id, message, qos } => {
            put_text(out, Some(client_id));
            out.push(*qos);
            message.encode_into(out);
        }
        UpEvent::PubAck { client_id, message, reason } => {
            put_text(out, Some(client_id));
            out.push(reason.0);
            message.encode_into(out);
        }
        UpEvent::Acked { client_id, message } => {
            put_text(out, Some(client_id));
            message.encode_into(out);
        }
        UpEvent::Dropped { message, reason } => {
            put_text(out, Some(reason));
            message.encode_into(out);
        }
        UpEvent::DeliveryDropped { client_id, message, reason } => {
            put_text(out, Some(client_id));
            put_text(out, Some(reason));
            message.encode_into(out);
        }
        _ => {}
    });
}

/// Appends what the management plane tells.
pub fn put_told(out: &mut Vec<u8>, hook: HookNumber, json: &str) {
    frame(out, hook, |out| put_text(out, Some(json)));
}

fn put_question(out: &mut Vec<u8>, question: &Question) {
    match question {
        Question::Authenticate { client, password, detail, .. } => {
            put_client(out, client);
            put_bytes(out, password.as_deref());
            put_detail(out, detail);
        }
        // Steps of enhanced authentication belong to what is configured.
        Question::AuthContinue { client, detail } => {
            put_client(out, client);
            put_bytes(out, None);
            put_detail(out, detail);
        }
        Question::Authorize { source, client, publish, topic, qos, retain, .. } => {
            put_client(out, client);
            put_text(out, source.as_deref());
            out.extend_from_slice(&[u8::from(*publish), *qos, u8::from(*retain)]);
            put_text(out, Some(topic));
        }
        Question::Publish { message } => message.encode_into(out),
        Question::Subscribe { client_id, wanted } => {
            put_text(out, Some(client_id));
            put_u32(out, wanted.len());
            wanted.iter().for_each(|item| put_subscription(out, item));
        }
        Question::Unsubscribe { client_id, filters } => {
            put_text(out, Some(client_id));
            put_u32(out, filters.len());
            filters.iter().for_each(|filter| put_text(out, Some(filter)));
        }
    }
}

/// The inverse of [`put_event`] and [`put_told`].
///
/// # Errors
///
/// The bytes are nothing that these write.
pub fn take_down(kind: u8, body: &[u8]) -> Result<Down, BrokenFrame> {
    let mut r = Fields(body);
    let event = event_of(kind, &mut r);
    match event {
        Some(event) => Ok(Down::Event(Box::new(event))),
        None if kind == hook::ALARM_ACTIVATED || kind == hook::ALARM_DEACTIVATED => {
            let text = Fields(body).text().flatten().ok_or(BrokenFrame)?;
            Ok(Down::Told(kind, text.into()))
        }
        None => Err(BrokenFrame),
    }
}

/// The question and the message of a frame of `message.publish`: what [`Message::from_bytes`] takes.
///
/// # Errors
///
/// It is too short for one.
pub fn split_publish(body: &[u8]) -> Result<(AskId, &[u8]), BrokenFrame> {
    let mut r = Fields(body);
    let id = r.id().ok_or(BrokenFrame)?;
    Ok((id, r.0))
}

fn question_of(kind: u8, r: &mut Fields<'_>) -> Option<UpEvent> {
    Some(match kind {
        hook::AUTHENTICATE => {
            let id = r.id()?;
            let client = Box::new(r.client()?);
            let password = r.bytes()?.map(Box::from);
            let detail = r.detail()?;
            let is_first = true;
            UpEvent::Ask(id, Question::Authenticate { is_first, client, password, detail })
        }
        hook::AUTHORIZE => {
            let id = r.id()?;
            let client = Box::new(r.client()?);
            let source = r.text()?.map(Box::from);
            let (publish, qos, retain) = (r.u8()? != 0, r.u8()?, r.u8()? != 0);
            UpEvent::Ask(
                id,
                Question::Authorize {
                    source,
                    client_id: client.client_id.clone(),
                    username: client.username.clone(),
                    client,
                    publish,
                    topic: r.text()??.into(),
                    qos,
                    retain,
                },
            )
        }
        hook::PUBLISH => UpEvent::Ask(r.id()?, Question::Publish { message: r.message()? }),
        hook::SUBSCRIBE => {
            let (id, client_id, count) = (r.id()?, r.text()??.into(), r.u32()?);
            let wanted = (0..count).map(|_| r.subscription()).collect::<Option<_>>()?;
            UpEvent::Ask(id, Question::Subscribe { client_id, wanted })
        }
        hook::UNSUBSCRIBE => {
            let (id, client_id, count) = (r.id()?, r.text()??.into(), r.u32()?);
            let filters = (0..count).map(|_| Some(r.text()??.into())).collect::<Option<_>>()?;
            UpEvent::Ask(id, Question::Unsubscribe { client_id, filters })
        }
        _ => return None,
    })
}

fn event_of(kind: u8, r: &mut Fields<'_>) -> Option<UpEvent> {
    Some(match kind {
        hook::AUTHENTICATE..=hook::UNSUBSCRIBE => question_of(kind, r)?,
        hook::CONNECT => UpEvent::Connect(Box::new(r.client()?)),
        hook::CONNACK => UpEvent::ConnAck {
            client_id: r.text()??.into(),
            peer: r.text()??.parse().ok()?,
            listener: r.text()??.into(),
            reason: ReasonCode(r.u8()?),
        },
        hook::CONNECTED => UpEvent::Connected(Box::new(r.client()?)),
        hook::DISCONNECTED => {
            let client = Box::new(r.client()?);
            UpEvent::Disconnected(client, CloseCause::by_name(r.text()??))
        }
        hook::SESSION_CREATED..=hook::SESSION_TERMINATED => {
            let event = match kind {
                hook::SESSION_CREATED => SessionEvent::Created,
                hook::SESSION_RESUMED => SessionEvent::Resumed,
                hook::SESSION_DISCARDED => SessionEvent::Discarded,
                hook::SESSION_TAKENOVER => SessionEvent::TakenOver,
                _ => SessionEvent::Terminated,
            };
            UpEvent::Session(event, Box::new(r.client()?))
        }
        hook::SUBSCRIBED => UpEvent::Subscribed(r.text()??.into(), r.subscription()?),
        hook::UNSUBSCRIBED => UpEvent::Unsubscribed(r.text()??.into(), r.text()??.into()),
        hook::PUBACK => {
            let (client_id, reason) = (r.text()??.into(), ReasonCode(r.u8()?));
            UpEvent::PubAck { client_id, reason, message: r.message()? }
        }
        hook::DELIVERED => {
            let (client_id, qos) = (r.text()??.into(), r.u8()?);
            UpEvent::Delivered { client_id, qos, message: r.message()? }
        }
        hook::ACKED => UpEvent::Acked { client_id: r.text()??.into(), message: r.message()? },
        hook::DROPPED => UpEvent::Dropped { reason: word_of(r.text()??), message: r.message()? },
        hook::DELIVERY_DROPPED => UpEvent::DeliveryDropped {
            client_id: r.text()??.into(),
            reason: word_of(r.text()??),
            message: r.message()?,
        },
        _ => return None,
    })
}

/// The reasons for which messages are dropped.
const REASONS: [&str; 7] = [
    "no_subscribers",
    "blocked_by_hook",
    "no_local",
    "qos0_msg",
    "queue_full",
    "expired",
    "too_large",
];

fn word_of(text: &str) -> &'static str {
    REASONS.into_iter().find(|known| *known == text).unwrap_or("unknown")
}

/// Appends an answer. What only a provider of authentication can say is left out.
pub fn put_answer(out: &mut Vec<u8>, answer: &Answer) {
    frame(out, ANSWER, |out| {
        put_id(out, answer.id);
        match &answer.verdict {
            Verdict::Allow => out.push(0),
            Verdict::AllowSuperuser => out.push(1),
            Verdict::Deny(reason) => out.extend_from_slice(&[2, reason.0]),
            Verdict::Drop => out.push(3),
            Verdict::Replace(message) => {
                out.push(4);
                message.encode_into(out);
            }
            Verdict::Admit(admittance) => {
                out.extend_from_slice(&[5, u8::from(admittance.is_superuser)]);
                out.extend_from_slice(&admittance.expire_at_ms.unwrap_or(0).to_le_bytes());
                put_attrs(out, &admittance.client_attrs);
            }
            Verdict::Ignore | Verdict::Continue { .. } => out.push(6),
            Verdict::Filters(filters) => {
                out.push(7);
                put_u32(out, filters.len());
                for filter in filters {
                    match filter {
                        FilterVerdict::Take(item) => {
                            out.push(0);
                            put_subscription(out, item);
                        }
                        FilterVerdict::Refuse(reason) => out.extend_from_slice(&[1, reason.0]),
                    }
                }
            }
        }
    });
}

/// The inverse of [`put_answer`].
///
/// # Errors
///
/// The bytes are nothing that it writes.
pub fn take_answer(body: &[u8]) -> Result<Answer, BrokenFrame> {
    answer_of(&mut Fields(body)).ok_or(BrokenFrame)
}

fn answer_of(r: &mut Fields<'_>) -> Option<Answer> {
    let id = r.id()?;
    let verdict = match r.u8()? {
        0 => Verdict::Allow,
        1 => Verdict::AllowSuperuser,
        2 => Verdict::Deny(ReasonCode(r.u8()?)),
        3 => Verdict::Drop,
        4 => Verdict::Replace(r.message()?),
        5 => {
            let is_superuser = r.u8()? != 0;
            let expire_at_ms = Some(r.u64()?).filter(|at| *at != 0);
            let client_attrs = r.attrs()?;
            let admittance =
                Admittance { is_superuser, client_attrs, expire_at_ms, ..Admittance::default() };
            Verdict::Admit(Box::new(admittance))
        }
        6 => Verdict::Ignore,
        7 => {
            let count = r.u32()?;
            Verdict::Filters((0..count).map(|_| r.filter_verdict()).collect::<Option<_>>()?)
        }
        _ => return None,
    };
    Some(Answer { id, verdict })
}

// -- parts --------------------------------------------------------------------------------

#[allow(clippy::cast_possible_truncation)]
fn put_u32(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&(count as u32).to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => out.extend_from_slice(&NO_TEXT.to_le_bytes()),
        Some(bytes) => {
            put_u32(out, bytes.len());
            out.extend_from_slice(bytes);
        }
    }
}

fn put_text(out: &mut Vec<u8>, text: Option<&str>) {
    put_bytes(out, text.map(str::as_bytes));
}

fn put_id(out: &mut Vec<u8>, id: AskId) {
    out.extend_from_slice(&id.shard.to_le_bytes());
    out.extend_from_slice(&id.conn.slot.to_le_bytes());
    out.extend_from_slice(&id.conn.generation.to_le_bytes());
    out.extend_from_slice(&id.number.to_le_bytes());
}

fn put_attrs(out: &mut Vec<u8>, attrs: &[(Box<str>, Box<str>)]) {
    put_u32(out, attrs.len());
    for (name, value) in attrs {
        put_text(out, Some(name));
        put_text(out, Some(value));
    }
}

fn put_cert(out: &mut Vec<u8>, cert: Option<&PeerCertificate>) {
    let Some(cert) = cert else {
        out.push(0);
        return;
    };
    out.push(1);
    put_text(out, cert.common_name.as_deref());
    put_text(out, cert.subject_dn.as_deref());
    put_bytes(out, cert.der.as_deref());
    out.push(u8::from(cert.from_proxy));
}

fn put_detail(out: &mut Vec<u8>, detail: &AuthDetail) {
    out.extend_from_slice(&detail.local_port.to_le_bytes());
    put_cert(out, detail.cert.as_deref());
    put_text(out, detail.method.as_deref());
    put_bytes(out, detail.data.as_deref());
}

fn put_subscription(out: &mut Vec<u8>, item: &SubscriptionInfo) {
    put_text(out, Some(&item.topic));
    out.extend_from_slice(&[item.qos, u8::from(item.nl), u8::from(item.rap), item.rh]);
}

fn put_client(out: &mut Vec<u8>, c: &ClientInfo) {
    put_text(out, Some(&c.client_id));
    put_text(out, c.username.as_deref());
    put_text(out, c.peer.map(|peer| peer.to_string()).as_deref());
    put_text(out, c.listener.as_deref());
    put_text(out, c.zone.as_deref());
    put_text(out, Some(&c.mountpoint));
    let flags = u8::from(c.connected)
        | u8::from(c.clean_start == Some(true)) << 1
        | u8::from(c.durable) << 2
        | u8::from(c.is_superuser) << 3
        | u8::from(c.clean_start.is_some()) << 4
        | u8::from(c.keepalive_s.is_some()) << 5;
    out.extend_from_slice(&[flags, c.proto_ver]);
    out.extend_from_slice(&c.keepalive_s.unwrap_or(0).to_le_bytes());
    for number in [c.expiry_interval_s, c.subscriptions, c.inflight, c.mqueue, c.awaiting_rel] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    let wide =
        [c.created_at_ms, c.connected_at_ms, c.disconnected_at_ms, c.generation, c.mqueue_dropped];
    for number in wide {
        out.extend_from_slice(&number.to_le_bytes());
    }
    put_cert(out, c.cert.as_deref());
    put_attrs(out, &c.client_attrs);
}

/// What frames are made of.
trait Parts {
    fn id(&mut self) -> Option<AskId>;
    fn message(&mut self) -> Option<Arc<Message>>;
    fn attrs(&mut self) -> Option<Vec<(Box<str>, Box<str>)>>;
    fn cert(&mut self) -> Option<Option<Arc<PeerCertificate>>>;
    fn detail(&mut self) -> Option<AuthDetail>;
    fn subscription(&mut self) -> Option<SubscriptionInfo>;
    fn filter_verdict(&mut self) -> Option<FilterVerdict>;
    fn client(&mut self) -> Option<ClientInfo>;
}

impl Parts for Fields<'_> {
    fn id(&mut self) -> Option<AskId> {
        let shard = self.u16()?;
        let conn = ConnKey { slot: self.u32()?, generation: self.u32()? };
        Some(AskId { shard, conn, number: self.u32()? })
    }
    /// The rest of the frame.
    fn message(&mut self) -> Option<Arc<Message>> {
        Message::from_bytes(self.rest()).map(Arc::new)
    }
    fn attrs(&mut self) -> Option<Vec<(Box<str>, Box<str>)>> {
        let count = self.u32()?;
        (0..count).map(|_| Some((self.text()??.into(), self.text()??.into()))).collect()
    }
    fn cert(&mut self) -> Option<Option<Arc<PeerCertificate>>> {
        if self.u8()? == 0 {
            return Some(None);
        }
        Some(Some(Arc::new(PeerCertificate {
            common_name: self.text()?.map(Box::from),
            subject_dn: self.text()?.map(Box::from),
            der: self.bytes()?.map(Box::from),
            from_proxy: self.u8()? != 0,
        })))
    }
    fn detail(&mut self) -> Option<AuthDetail> {
        Some(AuthDetail {
            local_port: self.u16()?,
            cert: self.cert()?,
            method: self.text()?.map(Box::from),
            data: self.bytes()?.map(Box::from),
        })
    }
    fn subscription(&mut self) -> Option<SubscriptionInfo> {
        let topic = self.text()??.into();
        let (qos, nl, rap, rh) = (self.u8()?, self.u8()? != 0, self.u8()? != 0, self.u8()?);
        Some(SubscriptionInfo { topic, qos, nl, rap, rh })
    }
    fn filter_verdict(&mut self) -> Option<FilterVerdict> {
        Some(match self.u8()? {
            0 => FilterVerdict::Take(self.subscription()?),
            1 => FilterVerdict::Refuse(ReasonCode(self.u8()?)),
            _ => return None,
        })
    }
    fn client(&mut self) -> Option<ClientInfo> {
        let client_id = self.text()??.into();
        let username = self.text()?.map(Arc::from);
        let peer = match self.text()? {
            Some(text) => Some(text.parse().ok()?),
            None => None,
        };
        let listener = self.text()?.map(Arc::from);
        let zone = self.text()?.map(Arc::from);
        let mountpoint = self.text()??.into();
        let (flags, proto_ver, keepalive_s) = (self.u8()?, self.u8()?, self.u16()?);
        Some(ClientInfo {
            client_id,
            username,
            peer,
            listener,
            zone,
            mountpoint,
            connected: flags & 1 != 0,
            clean_start: (flags & 16 != 0).then_some(flags & 2 != 0),
            durable: flags & 4 != 0,
            is_superuser: flags & 8 != 0,
            proto_ver,
            keepalive_s: (flags & 32 != 0).then_some(keepalive_s),
            expiry_interval_s: self.u32()?,
            subscriptions: self.u32()?,
            inflight: self.u32()?,
            mqueue: self.u32()?,
            awaiting_rel: self.u32()?,
            created_at_ms: self.u64()?,
            connected_at_ms: self.u64()?,
            disconnected_at_ms: self.u64()?,
            generation: self.u64()?,
            mqueue_dropped: self.u64()?,
            cert: self.cert()?,
            client_attrs: self.attrs()?,
        })
    }
}
