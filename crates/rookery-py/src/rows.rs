//! What goes up, as plain tuples. The order of their items is the contract of `_native.pyi`.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use rookery_core::effects::{
    AskId, AuthDetail, ClientInfo, LogLevel, PeerCertificate, Question, SessionEvent,
    SubscriptionInfo, UpEvent,
};
use rookery_core::message::Message;
use rookery_node::api::{
    CertificateInfo, CertificateOutcome, ListenerInfo, ListenerOutcome, NodeError, RecoveryInfo,
};

use rookery_node::plugins::hook::NAMES;

pub(crate) type Row<'py> = PyResult<Bound<'py, PyTuple>>;

/// A tuple of any length from values that Python has an equal of.
macro_rules! row {
    ($py:expr; $($value:expr),* $(,)?) => {
        PyTuple::new($py, [$($value.into_bound_py_any($py)?),*])
    };
}

pub(crate) use row;

/// A time; none when it is not known.
pub(crate) fn known(ms: u64) -> Option<u64> {
    (ms != 0).then_some(ms)
}

/// `ClientRow`.
pub(crate) fn client<'py>(py: Python<'py>, c: &ClientInfo) -> Row<'py> {
    let cert = c.cert.as_deref();
    let attrs: Vec<(&str, &str)> = c.client_attrs.iter().map(|(n, v)| (&**n, &**v)).collect();
    row![py;
        &*c.client_id, c.username.as_deref(), c.connected, c.peer.map(|peer| peer.to_string()),
        c.listener.as_deref(), c.proto_ver, c.keepalive_s, c.clean_start, c.expiry_interval_s,
        c.created_at_ms, known(c.connected_at_ms), c.disconnected_at_ms, c.generation, c.subscriptions,
        c.inflight, c.mqueue, c.mqueue_dropped, c.awaiting_rel, c.durable,
        cert.and_then(|cert| cert.common_name.as_deref()),
        cert.and_then(|cert| cert.subject_dn.as_deref()),
        attrs, c.is_superuser, c.zone.as_deref(), &*c.mountpoint,
    ]
}

/// `SubscriptionRow`.
pub(crate) fn subscription<'py>(py: Python<'py>, s: &SubscriptionInfo) -> Row<'py> {
    row![py; &*s.topic, s.qos, s.nl, s.rap, s.rh]
}

/// `MessageRow`.
pub(crate) fn message<'py>(py: Python<'py>, m: &Message) -> Row<'py> {
    let origin = m.origin.as_deref();
    row![py;
        m.id.0, m.timestamp_ms, m.expires_at_ms, m.qos as u8, m.retain, m.sys, m.topic(),
        PyBytes::new(py, m.payload()), PyBytes::new(py, m.properties()), &*m.from.client_id,
        m.from.username.as_deref(), origin.and_then(|origin| origin.node.as_deref()),
        origin.and_then(|origin| origin.link.as_deref()),
    ]
}

/// `ListenerRow`.
pub(crate) fn listener<'py>(py: Python<'py>, l: &ListenerInfo) -> Row<'py> {
    row![py; &*l.id, l.bind.to_string(), l.connections, l.max_connections, l.kind, l.error.as_deref()]
}

/// `ListenerOutcomeRow`.
pub(crate) fn listener_outcome<'py>(
    py: Python<'py>,
    id: &str,
    outcome: &ListenerOutcome,
) -> Row<'py> {
    let (word, error) = match outcome {
        ListenerOutcome::Unchanged => ("unchanged", None),
        ListenerOutcome::Started => ("started", None),
        ListenerOutcome::Stopped => ("stopped", None),
        ListenerOutcome::Restarted => ("restarted", None),
        ListenerOutcome::Changed => ("changed", None),
        ListenerOutcome::Failed(error) => ("failed", Some(error)),
    };
    let taken = match error {
        Some(NodeError::Bind { bind, source, .. })
            if source.kind() == std::io::ErrorKind::AddrInUse =>
        {
            Some(bind.to_string())
        }
        _ => None,
    };
    row![py; id, word, error.map(ToString::to_string), taken]
}

/// `CertificateOutcomeRow`.
pub(crate) fn certificate_outcome<'py>(
    py: Python<'py>,
    id: &str,
    outcome: &CertificateOutcome,
) -> Row<'py> {
    let (is_new, error) = match outcome {
        CertificateOutcome::Unchanged => (false, None),
        CertificateOutcome::Taken => (true, None),
        CertificateOutcome::Failed(error) => (false, Some(error.to_string())),
    };
    row![py; id, is_new, error]
}

/// `CertificateInfoRow`.
pub(crate) fn certificate_info<'py>(py: Python<'py>, c: &CertificateInfo) -> Row<'py> {
    row![py;
        &*c.listener, c.file.to_string_lossy().into_owned(), &*c.field, &*c.subject,
        c.not_after_unix_s,
    ]
}

/// `RecoveryRow`.
pub(crate) fn recovery<'py>(py: Python<'py>, r: &RecoveryInfo) -> Row<'py> {
    row![py; r.sessions, r.retained, r.messages, r.problems.clone(), r.elapsed.as_secs_f64()]
}

/// `AskId`.
fn ask_id<'py>(py: Python<'py>, id: AskId) -> Row<'py> {
    row![py; id.shard, id.conn.slot, id.conn.generation, id.number]
}

/// `CertificateRow`.
fn peer_certificate<'py>(py: Python<'py>, c: &PeerCertificate) -> Row<'py> {
    let der = c.der.as_deref().map(|der| PyBytes::new(py, der));
    row![py; c.common_name.as_deref(), c.subject_dn.as_deref(), der, c.from_proxy]
}

/// `AuthDetailRow`.
fn auth_detail<'py>(py: Python<'py>, d: &AuthDetail) -> Row<'py> {
    let cert = d.cert.as_deref().map(|cert| peer_certificate(py, cert)).transpose()?;
    let data = d.data.as_deref().map(|data| PyBytes::new(py, data));
    row![py; d.local_port, cert, d.method.as_deref(), data]
}

fn question<'py>(py: Python<'py>, id: AskId, question: &Question) -> Row<'py> {
    let id = ask_id(py, id)?;
    match question {
        Question::Authenticate { is_first, client: who, password, detail } => {
            let password = password.as_deref().map(|password| PyBytes::new(py, password));
            let detail = auth_detail(py, detail)?;
            let kind = if *is_first { "first_authenticate" } else { "authenticate" };
            row![py; "ask", id, kind, client(py, who)?, password, detail]
        }
        Question::AuthContinue { client: who, detail } => {
            let detail = auth_detail(py, detail)?;
            row![py; "ask", id, "auth_continue", client(py, who)?, py.None(), detail]
        }
        Question::Authorize {
            source,
            client: who,
            client_id,
            username,
            publish,
            topic,
            qos,
            retain,
        } => {
            let asked = row![py;
                &**client_id, username.as_deref(), *publish, &**topic, *qos, *retain,
                source.as_deref(), client(py, who)?,
            ]?;
            row![py; "ask", id, "authorize", asked, py.None()]
        }
        Question::Publish { message: m } => {
            row![py; "ask", id, "publish", message(py, m)?, py.None()]
        }
        Question::Subscribe { client_id, wanted } => {
            let wanted = wanted.iter().map(|item| subscription(py, item));
            let asked = row![py; &**client_id, wanted.collect::<PyResult<Vec<_>>>()?]?;
            row![py; "ask", id, "subscribe", asked, py.None()]
        }
        Question::Unsubscribe { client_id, filters } => {
            let filters: Vec<&str> = filters.iter().map(|filter| &**filter).collect();
            let asked = row![py; &**client_id, filters]?;
            row![py; "ask", id, "unsubscribe", asked, py.None()]
        }
    }
}

/// What the management plane tells a plugin.
pub(crate) fn told<'py>(py: Python<'py>, hook: u8, json: &str) -> Row<'py> {
    let name = NAMES.get(usize::from(hook)).copied().unwrap_or_default().replace('.', "_");
    row![py; name, json]
}

fn session_event(event: SessionEvent) -> &'static str {
    match event {
        SessionEvent::Created => "session_created",
        SessionEvent::Resumed => "session_resumed",
        SessionEvent::Discarded => "session_discarded",
        SessionEvent::TakenOver => "session_takenover",
        SessionEvent::Terminated => "session_terminated",
    }
}

/// EMQX's word for a level.
fn level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warning => "warning",
        LogLevel::Error => "error",
    }
}

/// `EventRow`: the kind, then what belongs to it.
pub(crate) fn event<'py>(py: Python<'py>, event: &UpEvent) -> Row<'py> {
    match event {
        UpEvent::Connected(who) => row![py; "connected", client(py, who)?],
        UpEvent::Disconnected(who, cause) => {
            row![py; "disconnected", client(py, who)?, cause.name()]
        }
        UpEvent::Refused { peer, listener, client_id, cause, detail } => row![py;
            "refused", peer.to_string(), &**listener, &**client_id, cause.name(), *detail,
        ],
        UpEvent::Flapping { client_id, username, peer } => {
            row![py; "flapping", &**client_id, username.as_deref(), peer.to_string()]
        }
        UpEvent::Crowded { turn, connected, max } => {
            row![py; "crowded", *turn, rookery_core::access::is_crowded(*turn), *connected, *max]
        }
        UpEvent::Subscribed(who, made) => row![py; "subscribed", &**who, subscription(py, made)?],
        UpEvent::Unsubscribed(who, topic) => row![py; "unsubscribed", &**who, &**topic],
        UpEvent::Delivery { slot, message: m, qos } => {
            row![py; "delivery", *slot, message(py, m)?, *qos]
        }
        UpEvent::Ask(id, asked) => question(py, *id, asked),
        UpEvent::Connect(who) => row![py; "connect", client(py, who)?],
        UpEvent::ConnAck { client_id, peer, listener, reason } => row![py;
            "connack", &**client_id, peer.to_string(), &**listener, reason.0,
        ],
        UpEvent::Session(what, who) => row![py; session_event(*what), client(py, who)?],
        UpEvent::PubAck { client_id, message: m, reason } => {
            row![py; "puback", &**client_id, message(py, m)?, reason.0]
        }
        UpEvent::Delivered { client_id, message: m, qos } => {
            row![py; "delivered", &**client_id, message(py, m)?, *qos]
        }
        UpEvent::Acked { client_id, message: m } => {
            row![py; "acked", &**client_id, message(py, m)?]
        }
        UpEvent::Dropped { message: m, reason } => row![py; "dropped", message(py, m)?, *reason],
        UpEvent::DeliveryDropped { client_id, message: m, reason } => {
            row![py; "delivery_dropped", &**client_id, message(py, m)?, *reason]
        }
        UpEvent::Certificates { listener, is_taken, detail } => {
            row![py; "certificate", &**listener, (!is_taken).then_some(&**detail), &**detail]
        }
        UpEvent::Trace(event) => crate::observe::trace_row(py, event),
        UpEvent::Span(event) => crate::observe::span_row(py, event),
        UpEvent::Log(at, text) => row![py; "log", level(*at), &**text],
        UpEvent::Links => row![py; "links"],
        UpEvent::Store { accepts, detail } => row![py; "store", *accepts, &**detail],
    }
}
