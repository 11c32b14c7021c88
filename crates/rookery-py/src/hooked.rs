//! The way of a PUBLISH through the hook of a worker process.
//!
//! A message is made into values only as far as the hook looks at it, and what the hook says is
//! written down here: most messages cost Python one call.

use std::sync::{Arc, OnceLock};

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple, PyType};
use rookery_codec::{QoS, check_topic_name};
use rookery_core::effects::{Answer, AskId, Verdict};
use rookery_core::message::{Message, MessageParts};
use rookery_node::plugins::wire;

use crate::error::native;

/// A message as it came down; `rookery.native.lazy.LazyMessage` gets its attributes from it.
#[pyclass(frozen, module = "rookery._native")]
pub(crate) struct SourceMessage {
    bytes: Box<[u8]>,
    parsed: OnceLock<Option<Arc<Message>>>,
}

impl SourceMessage {
    fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.into(), parsed: OnceLock::new() }
    }

    fn message(&self) -> PyResult<&Arc<Message>> {
        let parsed =
            self.parsed.get_or_init(|| Message::from_bytes(&self.bytes).map(Arc::new)).as_ref();
        parsed.ok_or_else(|| native("internal", wire::BrokenFrame.to_string()))
    }
}

#[pymethods]
impl SourceMessage {
    /// An attribute of `Message`; `properties` are encoded.
    fn get<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let m = self.message()?;
        let origin = m.origin.as_deref();
        let found = match name {
            "topic" => m.topic().into_pyobject(py)?.into_any(),
            "payload" => PyBytes::new(py, m.payload()).into_any(),
            "qos" => (m.qos as u8).into_pyobject(py)?.into_any(),
            "retain" => m.retain.into_pyobject(py)?.to_owned().into_any(),
            "client_id" => (&*m.from.client_id).into_pyobject(py)?.into_any(),
            "username" => m.from.username.as_deref().into_pyobject(py)?.into_any(),
            "properties" => PyBytes::new(py, m.properties()).into_any(),
            "id" => m.id.0.into_pyobject(py)?.into_any(),
            "timestamp_ms" => m.timestamp_ms.into_pyobject(py)?.into_any(),
            "expires_at_ms" => {
                Some(m.expires_at_ms).filter(|at| *at != 0).into_pyobject(py)?.into_any()
            }
            "is_sys" => m.sys.into_pyobject(py)?.to_owned().into_any(),
            "origin_node" => origin.and_then(|o| o.node.as_deref()).into_pyobject(py)?.into_any(),
            "origin_link" => origin.and_then(|o| o.link.as_deref()).into_pyobject(py)?.into_any(),
            _ => return Err(PyAttributeError::new_err(format!("a message has no {name}"))),
        };
        Ok(found)
    }

    /// The source of a message with other attributes; none where more than topic, payload, QoS and
    /// RETAIN is to be another, or something is none: the slow way finds that out, and says so.
    fn changed(&self, changes: &Bound<'_, PyDict>) -> PyResult<Option<Self>> {
        let m = self.message()?;
        let (mut topic, mut payload, mut qos, mut retain) = (None, None, m.qos, m.retain);
        for (name, value) in changes {
            let name = name.cast_into::<PyString>()?;
            let is_taken = match &*name.to_cow()? {
                "topic" => match value.cast_into::<PyString>() {
                    Ok(text) if text.to_cow().is_ok_and(|text| check_topic_name(&text).is_ok()) => {
                        topic = Some(text);
                        true
                    }
                    _ => false,
                },
                "payload" => {
                    payload = value.cast_into::<PyBytes>().ok();
                    payload.is_some()
                }
                "qos" => match value.extract().ok().and_then(QoS::from_u8) {
                    Some(value) => {
                        qos = value;
                        true
                    }
                    None => false,
                },
                "retain" => match value.extract() {
                    Ok(value) => {
                        retain = value;
                        true
                    }
                    Err(_) => false,
                },
                _ => false,
            };
            if !is_taken {
                return Ok(None);
            }
        }
        let topic = topic.as_ref().map(|topic| topic.to_cow()).transpose()?;
        let parts = MessageParts {
            id: m.id,
            timestamp_ms: m.timestamp_ms,
            expires_at_ms: m.expires_at_ms,
            seq: 0,
            qos,
            retain,
            sys: m.sys,
            topic: topic.as_deref().unwrap_or_else(|| m.topic()),
            properties: m.properties(),
            payload: payload.as_ref().map_or_else(|| m.payload(), |payload| payload.as_bytes()),
        };
        let made = Message::new(&parts, m.from.clone(), m.origin.clone());
        let parsed = OnceLock::from(Some(Arc::new(made)));
        Ok(Some(Self { bytes: Box::default(), parsed }))
    }
}

/// `on_publish` of a plugin, and how a message for it is made.
pub(crate) struct MessageHook {
    callback: Py<PyAny>,
    kind: Py<PyType>,
    make: Py<PyAny>,
    set_source: Py<PyAny>,
    source_of: Py<PyAny>,
}

/// What became of a question.
pub(crate) enum Told<'py> {
    /// The answer is written.
    Answered,
    /// The hook said something else, or raised: id, message, what it said, whether it raised it.
    Open(Bound<'py, PyTuple>),
}

impl MessageHook {
    /// `kind` is `LazyMessage`: a class whose slot `_source` is ours.
    pub(crate) fn new(callback: &Bound<'_, PyAny>, kind: &Bound<'_, PyType>) -> PyResult<Self> {
        let slot = |name: &str, method: &str| {
            Ok::<_, PyErr>(kind.getattr(name)?.getattr(method)?.unbind())
        };
        Ok(Self {
            callback: callback.clone().unbind(),
            kind: kind.clone().unbind(),
            make: kind.getattr("__new__")?.unbind(),
            set_source: slot("_source", "__set__")?,
            source_of: slot("_source", "__get__")?,
        })
    }

    /// Asks the hook about a message; `body` is that of the frame.
    pub(crate) fn ask<'py>(
        &self,
        py: Python<'py>,
        body: &[u8],
        answers: &mut Vec<u8>,
    ) -> PyResult<Told<'py>> {
        let broken = |error: wire::BrokenFrame| native("internal", error.to_string());
        let (id, bytes) = wire::split_publish(body).map_err(broken)?;
        let source = Bound::new(py, SourceMessage::new(bytes))?;
        let message = self.make.bind(py).call1((&self.kind,))?;
        self.set_source.bind(py).call1((&message, &source))?;
        let (result, raised) = match self.callback.bind(py).call1((&message,)) {
            Ok(result) => (result, false),
            Err(error) => (error.into_value(py).into_bound(py).into_any(), true),
        };
        let verdict = if raised {
            None
        } else if result.is(&message) {
            Some(Verdict::Allow)
        } else if result.is_none() {
            Some(Verdict::Drop)
        } else if result.get_type().is(self.kind.bind(py)) {
            self.replaced(&result).ok()
        } else {
            None
        };
        match verdict {
            Some(verdict) => {
                wire::put_answer(answers, &Answer { id, verdict });
                Ok(Told::Answered)
            }
            None => Ok(Told::Open((ask_id(id), message, result, raised).into_pyobject(py)?)),
        }
    }

    /// What `LazyMessage.replace` made.
    fn replaced(&self, result: &Bound<'_, PyAny>) -> PyResult<Verdict> {
        let source = self.source_of.bind(result.py()).call1((result,))?;
        Ok(Verdict::Replace(source.cast::<SourceMessage>()?.get().message()?.clone()))
    }
}

fn ask_id(id: AskId) -> (u16, u32, u32, u32) {
    (id.shard, id.conn.slot, id.conn.generation, id.number)
}
