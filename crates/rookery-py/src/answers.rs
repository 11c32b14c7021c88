//! What comes down as plain tuples: answers of hooks and messages to publish.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::PyTuple;
use rookery_codec::{QoS, ReasonCode, check_topic_name};
use rookery_core::effects::{Admittance, Answer, AskId, FilterVerdict, SubscriptionInfo, Verdict};
use rookery_core::ids::{ConnKey, MessageId};
use rookery_core::message::{Message, MessageParts, Origin, Publisher};
use rookery_node::api::PublishRequest;

use crate::access;

/// `PublishRow`: topic, payload, QoS, retain, properties, expiry, client id, sys.
pub(crate) type PublishRow =
    (PyBackedStr, PyBackedBytes, u8, bool, PyBackedBytes, Option<u32>, PyBackedStr, bool);

/// `AnswerRow`: shard, slot, generation, number; then the verdict and what belongs to it.
pub(crate) type AnswerRow<'py> = ((u16, u32, u32, u32), PyBackedStr, Option<Bound<'py, PyAny>>);

/// The request that a `PublishRow` stands for.
pub(crate) fn publish_request(row: &PublishRow) -> PublishRequest {
    let (topic, payload, qos, retain, properties, expiry_s, client_id, sys) = row;
    PublishRequest {
        topic: topic.to_string(),
        payload: payload.to_vec(),
        qos: *qos,
        retain: *retain,
        properties: properties.to_vec(),
        expiry_s: *expiry_s,
        client_id: client_id.to_string(),
        sys: *sys,
    }
}

fn field<'py, T>(row: &Bound<'py, PyTuple>, index: usize) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py, Error: Into<PyErr>>,
{
    let item = row.get_item(index).map_err(|_| PyValueError::new_err("the row is too short"))?;
    item.extract().map_err(Into::into)
}

/// The message that a `MessageRow` stands for; a number in the durable log it does not have.
pub(crate) fn message(row: &Bound<'_, PyTuple>) -> PyResult<Message> {
    let qos = QoS::from_u8(field(row, 3)?).ok_or_else(|| PyValueError::new_err("qos"))?;
    let topic: PyBackedStr = field(row, 6)?;
    check_topic_name(&topic).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let payload: PyBackedBytes = field(row, 7)?;
    let properties: PyBackedBytes = field(row, 8)?;
    let parts = MessageParts {
        id: MessageId(field(row, 0)?),
        timestamp_ms: field(row, 1)?,
        expires_at_ms: field(row, 2)?,
        seq: 0,
        qos,
        retain: field(row, 4)?,
        sys: field(row, 5)?,
        topic: &topic,
        properties: &properties,
        payload: &payload,
    };
    Ok(Message::new(&parts, publisher(row)?, origin(row)?))
}

fn text(row: &Bound<'_, PyTuple>, index: usize) -> PyResult<Option<Arc<str>>> {
    Ok(field::<Option<PyBackedStr>>(row, index)?.map(|text| Arc::from(&*text)))
}

fn publisher(row: &Bound<'_, PyTuple>) -> PyResult<Arc<Publisher>> {
    let client_id = text(row, 9)?.unwrap_or_default();
    Ok(Arc::new(Publisher { client_id, username: text(row, 10)? }))
}

fn origin(row: &Bound<'_, PyTuple>) -> PyResult<Option<Arc<Origin>>> {
    let (node, link) = (text(row, 11)?, text(row, 12)?);
    let is_known = node.is_some() || link.is_some();
    Ok(is_known.then(|| Arc::new(Origin { rules: Box::default(), node, link })))
}

/// What an `AdmitRow` stands for.
fn admittance(row: &Bound<'_, PyTuple>) -> PyResult<Admittance> {
    let attrs: Vec<(String, String)> = field(row, 1)?;
    let rules: Option<Vec<Bound<'_, PyAny>>> = field(row, 3)?;
    let acl = rules.map(|rules| rules.iter().map(access::rule).collect()).transpose()?;
    let auth_data: Option<PyBackedBytes> = field(row, 5)?;
    Ok(Admittance {
        is_superuser: field(row, 0)?,
        client_attrs: attrs.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        expire_at_ms: field(row, 2)?,
        acl,
        client_id: field::<Option<String>>(row, 4)?.map(Into::into),
        auth_data: auth_data.map(|data| Box::from(&*data)),
    })
}

/// The verdict that a `ContinueRow` stands for.
fn go_on(row: &Bound<'_, PyTuple>) -> PyResult<Verdict> {
    let data: PyBackedBytes = field(row, 0)?;
    let reason_string = field::<Option<String>>(row, 1)?.map(Into::into);
    Ok(Verdict::Continue { data: Box::from(&*data), reason_string })
}

/// What `FilterRow`s stand for.
fn filters(rows: &Bound<'_, PyAny>) -> PyResult<Vec<FilterVerdict>> {
    let rows: Vec<Bound<'_, PyAny>> = rows.extract()?;
    let filter = |row: &Bound<'_, PyAny>| {
        if let Ok(code) = row.extract() {
            return Ok(FilterVerdict::Refuse(ReasonCode(code)));
        }
        let (topic, qos, nl, rap, rh): (String, u8, bool, bool, u8) = row.extract()?;
        if qos > 2 || rh > 2 {
            return Err(PyValueError::new_err("qos and retain_handling are 0 to 2"));
        }
        // What is no Topic Filter is answered as such by the core.
        Ok(FilterVerdict::Take(SubscriptionInfo { topic: topic.into(), qos, nl, rap, rh }))
    };
    rows.iter().map(filter).collect()
}

fn verdict(word: &str, with: Option<&Bound<'_, PyAny>>) -> PyResult<Verdict> {
    match (word, with) {
        ("allow", None) => Ok(Verdict::Allow),
        ("allow_superuser", None) => Ok(Verdict::AllowSuperuser),
        ("drop", None) => Ok(Verdict::Drop),
        ("ignore", None) => Ok(Verdict::Ignore),
        ("deny", Some(code)) => Ok(Verdict::Deny(ReasonCode(code.extract()?))),
        ("admit", Some(row)) => Ok(Verdict::Admit(Box::new(admittance(row.cast()?)?))),
        ("continue", Some(row)) => go_on(row.cast()?),
        ("filters", Some(rows)) => Ok(Verdict::Filters(filters(rows)?)),
        ("replace", Some(row)) => Ok(Verdict::Replace(Arc::new(message(row.cast()?)?))),
        _ => Err(PyValueError::new_err(format!("{word:?} is no verdict"))),
    }
}

/// The answer that an `AnswerRow` stands for.
pub(crate) fn answer(row: &AnswerRow<'_>) -> PyResult<Answer> {
    let ((shard, slot, generation, number), word, with) = row;
    let id = AskId {
        shard: *shard,
        conn: ConnKey { slot: *slot, generation: *generation },
        number: *number,
    };
    Ok(Answer { id, verdict: verdict(word, with.as_ref())? })
}
