//! The buffers of actions: batches come up as finished objects, in one call.
//!
//! Nothing here lets the interpreter go where it does not wait: a queue's lock is held by shards
//! for the time of some moves, and no shard ever waits for the interpreter.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyList, PyNone, PyString, PyTuple, PyType};
use rookery_core::rules::fields::{ActionFields, Field, FieldValue, decode};
use rookery_core::rules::sink::{DropReason, Outcome, RuleTally};
use rookery_node::actions::{self, ActionBuffer as Buffer, Actions, BufferSpec};
use rookery_rules::{Template, Value, decode_json};

use crate::config::{Object, get, read, word};
use crate::error::from_node;

/// What items are made of in Python.
pub(crate) struct MadeOf {
    item: Py<PyType>,
    /// `tuple.__new__`, which makes an item of a tuple without a call of Python.
    make: Py<PyAny>,
    json_text: Py<PyType>,
    undefined: Py<PyAny>,
}

impl MadeOf {
    pub(crate) fn new(
        item: &Bound<'_, PyType>,
        json_text: &Bound<'_, PyType>,
        undefined: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let make = item.py().get_type::<PyTuple>().getattr("__new__")?;
        Ok(Self {
            item: item.clone().unbind(),
            make: make.unbind(),
            json_text: json_text.clone().unbind(),
            undefined: undefined.clone().unbind(),
        })
    }

    fn item<'py>(
        &self,
        py: Python<'py>,
        taken: &actions::Taken,
        rule: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let values: Vec<Bound<'py, PyAny>> =
            decode(taken.fields()).map(|value| self.value(py, value)).collect::<PyResult<_>>()?;
        let fields = PyTuple::new(py, values)?;
        let row = (taken.number(), rule, taken.key(), taken.made_at_ms(), fields);
        self.make.bind(py).call1((self.item.bind(py), row))
    }

    fn value<'py>(&self, py: Python<'py>, value: FieldValue<'_>) -> PyResult<Bound<'py, PyAny>> {
        Ok(match value {
            FieldValue::Undefined => self.undefined.bind(py).clone(),
            FieldValue::Null => PyNone::get(py).to_owned().into_any(),
            FieldValue::Bool(value) => PyBool::new(py, value).to_owned().into_any(),
            FieldValue::Int(value) => value.into_pyobject(py)?.into_any(),
            FieldValue::Float(value) => PyFloat::new(py, value).into_any(),
            FieldValue::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => PyString::new(py, text).into_any(),
                Err(_) => PyBytes::new(py, bytes).into_any(),
            },
            FieldValue::Json(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                match text.parse::<i128>() {
                    Ok(number) => number.into_pyobject(py)?.into_any(),
                    Err(_) => self.json_text.bind(py).call1((text,))?,
                }
            }
        })
    }
}

/// The buffers of all actions of a node.
#[pyclass(frozen, module = "rookery._native")]
pub(crate) struct ActionHub {
    actions: Arc<Actions>,
    made_of: Arc<MadeOf>,
}

impl ActionHub {
    pub(crate) fn new(actions: Arc<Actions>, made_of: MadeOf) -> Self {
        Self { actions, made_of: Arc::new(made_of) }
    }
}

#[pymethods]
impl ActionHub {
    /// Opens a buffer, or changes the limits of an open one.
    fn open(
        &self,
        py: Python<'_>,
        action_id: &str,
        spec: Bound<'_, PyAny>,
    ) -> PyResult<ActionBuffer> {
        let spec = buffer_spec(&spec)?;
        let opened = py.detach(|| self.actions.open(action_id, spec)).map_err(from_node)?;
        let (actions, made_of) = (self.actions.clone(), self.made_of.clone());
        Ok(ActionBuffer { buffer: opened, actions, made_of })
    }

    /// A descriptor that is readable while `ready` has something.
    fn fileno(&self) -> i32 {
        self.actions.fd()
    }

    /// Numbers of buffers that have something.
    fn ready(&self) -> Vec<u32> {
        self.actions.ready()
    }
}

fn buffer_spec(o: Object<'_, '_>) -> PyResult<BufferSpec> {
    let spills = word(o, "mode", &[("memory_only", false), ("volatile_offload", true)])?;
    let dir: Option<std::path::PathBuf> = get(o, "spill_dir")?;
    if spills && dir.is_none() {
        return Err(PyValueError::new_err("spill_dir: volatile_offload needs a directory"));
    }
    read! { o => BufferSpec {
        max_buffer_bytes, max_spill_bytes, request_ttl_ms;
        spill_dir: dir.filter(|_| spills),
    } }
}

/// The queue of one action.
#[pyclass(frozen, module = "rookery._native")]
pub(crate) struct ActionBuffer {
    buffer: Arc<Buffer>,
    actions: Arc<Actions>,
    made_of: Arc<MadeOf>,
}

#[pymethods]
impl ActionBuffer {
    /// Its number among the buffers of the node.
    #[getter]
    fn number(&self) -> u32 {
        self.buffer.number()
    }

    /// Items that are in flight from now on, and whether there may be more at once.
    fn take<'py>(
        &self,
        py: Python<'py>,
        max_items: usize,
        max_bytes: usize,
    ) -> PyResult<(Bound<'py, PyList>, bool)> {
        let batch = self.buffer.take(actions::unix_ms(), max_items, max_bytes);
        let mut rule: Option<(&Arc<RuleTally>, Bound<'py, PyString>)> = None;
        let items = PyList::empty(py);
        for taken in &batch.items {
            let name = match rule.take() {
                Some((tally, name)) if Arc::ptr_eq(tally, taken.rule()) => name,
                _ => PyString::new(py, taken.rule().id()),
            };
            let item = self.made_of.item(py, taken, &name);
            rule = Some((taken.rule(), name));
            match item {
                Ok(item) => items.append(item)?,
                Err(error) => {
                    // Nobody would ever settle them.
                    let numbers: Vec<u64> = batch.items.iter().map(|t| t.number()).collect();
                    self.buffer.give_back(&numbers);
                    return Err(error);
                }
            }
        }
        Ok((items, batch.has_more))
    }

    /// Says how items ended.
    fn settle(&self, numbers: Vec<u64>, outcome: &str) -> PyResult<()> {
        self.buffer.settle(&numbers, outcome_of(outcome)?);
        Ok(())
    }

    /// Puts items in flight back to where they were.
    fn give_back(&self, numbers: Vec<u64>) {
        self.buffer.give_back(&numbers);
    }

    /// Drops what waited too long, a bounded part of it.
    fn expire(&self) -> usize {
        self.buffer.expire(actions::unix_ms())
    }

    /// Refuses what comes from now on, or takes it again.
    fn pause(&self, is_paused: bool) {
        self.buffer.pause(is_paused);
    }

    /// Offers rows, which are JSON objects; how many were offered.
    fn offer_rows(
        &self,
        py: Python<'_>,
        rows: Vec<String>,
        fields: Vec<(String, String)>,
        rule: &str,
        key: u64,
    ) -> PyResult<usize> {
        let fields = action_fields(&fields)?;
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        Ok(py.detach(|| self.buffer.offer_rows(actions::unix_ms(), &rows, &fields, rule, key)))
    }

    /// Counts what only the sender knows.
    fn count(&self, retried: u64, received: u64) {
        self.buffer.count(retried, received);
    }

    /// Counters in the order of `ActionCounters`.
    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let c = self.buffer.counters();
        let ended = [c.matched, c.success, c.failed, c.dropped()];
        let dropped = [
            c.dropped_queue_full,
            c.dropped_expired,
            c.dropped_resource_not_found,
            c.dropped_resource_stopped,
            c.dropped_other,
        ];
        let here = [c.queuing, c.inflight];
        let rest = [c.retried, c.received, c.queuing_bytes, c.spilled_bytes];
        PyTuple::new(py, [&ended[..], &dropped, &here, &rest].concat())
    }

    /// Counts from zero.
    fn reset_counters(&self) {
        self.buffer.reset_counters();
    }

    /// Drops everything and gives memory and disk back.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.actions.close(&self.buffer));
    }
}

fn outcome_of(word: &str) -> PyResult<Outcome> {
    Ok(match word {
        "success" => Outcome::Success,
        "failed" => Outcome::Failed,
        "dropped.expired" => Outcome::Dropped(DropReason::Expired),
        "dropped.queue_full" => Outcome::Dropped(DropReason::QueueFull),
        "dropped.resource_not_found" => Outcome::Dropped(DropReason::ResourceNotFound),
        "dropped.resource_stopped" => Outcome::Dropped(DropReason::ResourceStopped),
        "dropped.other" => Outcome::Dropped(DropReason::Other),
        _ => return Err(PyValueError::new_err(format!("{word:?} is no outcome"))),
    })
}

/// The parts of a row that an action wants: pairs of kind and template.
pub(crate) fn action_fields(fields: &[(String, String)]) -> PyResult<ActionFields> {
    let fields = fields.iter().map(|(kind, template)| {
        let parsed = || {
            let refused = |error| PyValueError::new_err(format!("{template:?}: {error}"));
            Template::parse(template).map_err(refused)
        };
        match kind.as_str() {
            "text" => parsed().map(Field::Text),
            "value" => parsed().map(Field::Value),
            "row" => Ok(Field::Row),
            _ => Err(PyValueError::new_err(format!("{kind:?} is no kind of field"))),
        }
    });
    Ok(ActionFields { fields: fields.collect::<PyResult<_>>()? })
}

/// Most octets of a text that a template makes here.
const RENDERED_BYTES_MAX: usize = actions::ITEM_BYTES_MAX;

/// The text that a template makes of a row, which is a JSON object.
#[pyfunction]
pub(crate) fn render_template(py: Python<'_>, template: &str, row: &str) -> PyResult<String> {
    let refused = |what: String| PyValueError::new_err(what);
    py.detach(|| {
        let parsed =
            Template::parse(template).map_err(|e| refused(format!("{template:?}: {e}")))?;
        let Some(Value::Map(row)) = decode_json(row.as_bytes()) else {
            return Err(refused("the row is no JSON object".into()));
        };
        let mut out = Vec::new();
        parsed.render(&row, RENDERED_BYTES_MAX, &mut out).map_err(|e| refused(e.to_string()))?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    })
}
