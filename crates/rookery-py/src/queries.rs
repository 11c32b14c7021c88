//! Lists and operations of the management plane: queries down, rows up. The order of a row's items
//! is the contract of `rookery.native.lists`.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::PyTuple;
use rookery_codec::{QoS, ReasonCode, SubscriptionOptions};
use rookery_core::conn::Action;
use rookery_core::effects::SubscriptionInfo;
use rookery_core::message::Message;
use rookery_core::operation::{KeptAnswer, MessagePlace};
use rookery_core::query::{
    ClientQuery, ClientSort, ClientView, SubscriptionQuery, SubscriptionSort, SubscriptionView,
};
use rookery_core::topic_counts::TopicSample;
use rookery_node::{MessageQuery, MessageRow, MessageSort, MessageWindow, TopicQuery};

use crate::config::get;
use crate::rows;

type Row<'py> = PyResult<Bound<'py, PyTuple>>;

/// Rows of a list.
pub(crate) type Rows<'py> = Vec<Bound<'py, PyTuple>>;
/// Topic filter, QoS, no local, retain as published, retain handling.
pub(crate) type FilterRow = (PyBackedStr, u8, bool, bool, u8);

/// A tuple of any length from values that Python has an equal of.
macro_rules! row {
    ($py:expr; $($value:expr),* $(,)?) => {
        PyTuple::new($py, [$($value.into_bound_py_any($py)?),*])
    };
}

/// A row of each.
pub(crate) fn each<'py, T>(all: &[T], row: impl FnMut(&T) -> Row<'py>) -> PyResult<Rows<'py>> {
    all.iter().map(row).collect()
}

fn texts(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<Box<str>>> {
    let texts: Vec<String> = get(object, name)?;
    Ok(texts.into_iter().map(String::into_boxed_str).collect())
}

fn text(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Option<Box<str>>> {
    Ok(get::<Option<String>>(object, name)?.map(String::into_boxed_str))
}

fn sort(name: &str) -> PyResult<ClientSort> {
    Ok(match name {
        "clientid" => ClientSort::ClientId,
        "username" => ClientSort::Username,
        "created_at" => ClientSort::CreatedAt,
        "connected_at" => ClientSort::ConnectedAt,
        "disconnected_at" => ClientSort::DisconnectedAt,
        "mqueue_len" => ClientSort::Queued,
        "mqueue_dropped" => ClientSort::Dropped,
        "inflight_cnt" => ClientSort::Inflight,
        "subscriptions_cnt" => ClientSort::Subscriptions,
        "keepalive" => ClientSort::KeepAlive,
        "proto_ver" => ClientSort::ProtocolVersion,
        other => return Err(PyValueError::new_err(format!("clients have no order by {other:?}"))),
    })
}

/// `rookery.native.lists.ClientQuery`.
pub(crate) fn client_query(object: &Bound<'_, PyAny>) -> PyResult<ClientQuery> {
    let ip: Option<String> = get(object, "ip")?;
    let ip = ip.map(|ip| ip.parse::<std::net::IpAddr>().map(|ip| ip.to_canonical())).transpose();
    let order: Option<String> = get(object, "sort")?;
    Ok(ClientQuery {
        client_ids: texts(object, "client_ids")?,
        usernames: texts(object, "usernames")?,
        like_client_id: text(object, "like_client_id")?,
        like_username: text(object, "like_username")?,
        ip: ip.map_err(|error| PyValueError::new_err(format!("ip: {error}")))?,
        is_connected: get(object, "is_connected")?,
        clean_start: get(object, "clean_start")?,
        proto_ver: get(object, "protocol_version")?,
        created_ms: get(object, "created_ms")?,
        connected_ms: get(object, "connected_ms")?,
        sort: order.as_deref().map(sort).transpose()?,
        is_descending: get(object, "is_descending")?,
    })
}

/// `rookery.native.lists.SubscriptionQuery`.
pub(crate) fn subscription_query(object: &Bound<'_, PyAny>) -> PyResult<SubscriptionQuery> {
    Ok(SubscriptionQuery {
        client_id: text(object, "client_id")?,
        qos: get(object, "qos")?,
        topic: text(object, "topic")?,
        match_topic: text(object, "match_topic")?,
        share_group: text(object, "share_group")?,
        is_durable: get(object, "is_durable")?,
        sort: get::<Option<String>>(object, "sort")?
            .as_deref()
            .map(subscription_sort)
            .transpose()?,
        is_descending: get(object, "is_descending")?,
    })
}

fn subscription_sort(name: &str) -> PyResult<SubscriptionSort> {
    Ok(match name {
        "clientid" => SubscriptionSort::ClientId,
        "topic" => SubscriptionSort::Topic,
        "qos" => SubscriptionSort::Qos,
        "nl" => SubscriptionSort::NoLocal,
        "rap" => SubscriptionSort::RetainAsPublished,
        "rh" => SubscriptionSort::RetainHandling,
        other => {
            let text = format!("subscriptions have no order by {other:?}");
            return Err(PyValueError::new_err(text));
        }
    })
}

/// `rookery.native.lists.TopicQuery`.
pub(crate) fn topic_query(object: &Bound<'_, PyAny>) -> PyResult<TopicQuery> {
    Ok(TopicQuery {
        like: text(object, "like")?,
        is_sorted: get(object, "is_sorted")?,
        is_descending: get(object, "is_descending")?,
    })
}

/// `rookery.native.lists.MessageQuery`.
pub(crate) fn message_query(object: &Bound<'_, PyAny>) -> PyResult<MessageQuery> {
    Ok(MessageQuery {
        filter: text(object, "topic_filter")?,
        like_topic: text(object, "like_topic")?,
        like_client_id: text(object, "like_client_id")?,
        qos: get(object, "qos")?,
        sort: get::<Option<String>>(object, "sort")?.as_deref().map(message_sort).transpose()?,
        is_descending: get(object, "is_descending")?,
    })
}

fn message_sort(name: &str) -> PyResult<MessageSort> {
    Ok(match name {
        "topic" => MessageSort::Topic,
        "qos" => MessageSort::Qos,
        "from_clientid" => MessageSort::ClientId,
        "from_username" => MessageSort::Username,
        "publish_at" => MessageSort::PublishedAt,
        "expected_at" => MessageSort::DueAt,
        other => return Err(PyValueError::new_err(format!("messages have no order by {other:?}"))),
    })
}

/// `ClientView`.
pub(crate) fn client_view<'py>(py: Python<'py>, view: &ClientView) -> Row<'py> {
    let (c, t) = (&view.info, &view.traffic);
    let cert = c.cert.as_deref();
    let attrs: Vec<(&str, &str)> = c.client_attrs.iter().map(|(n, v)| (&**n, &**v)).collect();
    let [received_qos0, received_qos1, received_qos2] = t.messages_received;
    let [sent_qos0, sent_qos1, sent_qos2] = t.messages_sent;
    row![py;
        &*c.client_id, c.username.as_deref(), c.connected,
        c.peer.map(|peer| peer.ip().to_canonical().to_string()), c.peer.map(|peer| peer.port()),
        c.listener.as_deref(), c.proto_ver, c.keepalive_s, c.clean_start, c.expiry_interval_s,
        c.created_at_ms, rows::known(c.connected_at_ms), c.disconnected_at_ms, c.generation, c.subscriptions,
        view.subscriptions_max, c.inflight, view.inflight_max, c.mqueue, view.mqueue_max,
        c.mqueue_dropped, c.awaiting_rel, view.awaiting_rel_max, c.durable,
        cert.and_then(|cert| cert.common_name.as_deref()),
        cert.and_then(|cert| cert.subject_dn.as_deref()),
        attrs, c.is_superuser, c.zone.as_deref(), &*c.mountpoint,
        t.reads, t.bytes_received, t.packets_received, received_qos0, received_qos1, received_qos2,
        t.messages_refused, t.writes, t.bytes_sent, t.packets_sent, sent_qos0, sent_qos1,
        sent_qos2, t.dropped_expired, t.dropped_too_large,
    ]
}

/// `SubscriptionView`.
pub(crate) fn subscription_view<'py>(py: Python<'py>, view: &SubscriptionView) -> Row<'py> {
    let s = &view.info;
    row![py; &*view.client_id, &*s.topic, s.qos, s.nl, s.rap, s.rh, view.is_durable]
}

/// `MessageHead`: a message without properties and payload.
pub(crate) fn message_head<'py>(py: Python<'py>, m: &Message) -> Row<'py> {
    row![py;
        m.id.0, m.timestamp_ms, m.expires_at_ms, m.qos as u8, m.retain, m.topic(),
        m.payload().len(), &*m.from.client_id, m.from.username.as_deref(),
    ]
}

/// Time and `MessageHead`.
pub(crate) fn delayed_head<'py>(
    py: Python<'py>,
    (due_ms, message): &(u64, std::sync::Arc<Message>),
) -> Row<'py> {
    row![py; *due_ms, message_head(py, message)?]
}

/// Time and `MessageRow`.
pub(crate) fn delayed<'py>(
    py: Python<'py>,
    (due_ms, message): &(u64, std::sync::Arc<Message>),
) -> Row<'py> {
    row![py; *due_ms, rows::message(py, message)?]
}

/// A topic filter with the options of its subscription.
pub(crate) fn filter(row: &FilterRow) -> PyResult<(Box<str>, SubscriptionOptions)> {
    let (filter, qos, no_local, retain_as_published, retain_handling) = row;
    let qos = QoS::from_u8(*qos).ok_or_else(|| PyValueError::new_err("QoS is 0, 1 or 2"))?;
    let options = SubscriptionOptions {
        qos,
        no_local: *no_local,
        retain_as_published: *retain_as_published,
        retain_handling: *retain_handling,
    };
    Ok((filter.to_string().into_boxed_str(), options))
}

/// `SubscriptionRow` or none, and the reason code.
pub(crate) fn subscribed<'py>(
    py: Python<'py>,
    made: &Result<SubscriptionInfo, ReasonCode>,
) -> Row<'py> {
    match made {
        Ok(info) => row![py; rows::subscription(py, info)?, info.qos],
        Err(reason) => row![py; py.None(), reason.0],
    }
}

/// `KeptAnswer`.
pub(crate) fn kept_answer<'py>(py: Python<'py>, kept: &KeptAnswer) -> Row<'py> {
    let (action, qos, retain) = match kept.action {
        Action::Publish(qos, retain) => ("publish", qos, retain),
        Action::Subscribe(qos) => ("subscribe", qos, false),
    };
    row![py; action, qos, retain, &*kept.topic, kept.is_allowed, kept.at_ms]
}

/// Which messages on their way to a client are wanted.
pub(crate) fn window(
    in_flight: bool,
    after: Option<(u32, u128)>,
    limit: usize,
    bytes_max: usize,
) -> MessageWindow {
    let after = after.map(|(index, id)| MessagePlace { index, id });
    MessageWindow { in_flight, after, limit, bytes_max }
}

/// `MessageRow`, the QoS of the delivery, its priority, and where it lies.
pub(crate) fn waiting_message<'py>(py: Python<'py>, row: &MessageRow) -> Row<'py> {
    let place = (row.place.index, row.place.id);
    row![py; rows::message(py, &row.message)?, row.qos, row.priority, place]
}

/// `TopicCounts`.
pub(crate) fn topic_counts<'py>(py: Python<'py>, topic: &str, sample: &TopicSample) -> Row<'py> {
    let [received_qos0, received_qos1, received_qos2] = sample.received;
    let [sent_qos0, sent_qos1, sent_qos2] = sample.sent;
    row![py;
        topic, received_qos0, received_qos1, received_qos2, sent_qos0, sent_qos1, sent_qos2,
        sample.dropped,
    ]
}
