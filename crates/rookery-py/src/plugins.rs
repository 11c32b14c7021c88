//! The way to the worker processes of plugins, and what such a process needs at its end.

use std::os::fd::IntoRawFd;
use std::time::{Duration, Instant};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple, PyType};
use rookery_node::plugins::hook::{PUBLISH, bit, number_of};
use rookery_node::plugins::wire::{self, Down};
use rookery_node::plugins::{Failure, PluginBridge as Bridge, PluginRoute, WorkerFigures};

use crate::answers::{self, AnswerRow};
use crate::config::{Object, get, read, word};
use crate::error::native;
use crate::hooked::{MessageHook, Told};
use crate::rows;

/// Events that are taken in one turn; what stands behind is decoded by the next call.
const ROWS_MAX: usize = 4096;

fn hook_number(name: &str) -> PyResult<u8> {
    number_of(name).ok_or_else(|| PyValueError::new_err(format!("{name:?} is no hookpoint")))
}

fn failure(o: Object<'_, '_>, name: &str) -> PyResult<Failure> {
    let words = [("deny", Failure::Deny), ("ignore", Failure::Ignore), ("allow", Failure::Allow)];
    word(o, name, &words)
}

fn route(o: Object<'_, '_>) -> PyResult<PluginRoute> {
    let names: Vec<String> = get(o, "hooks")?;
    let hooks =
        names.iter().try_fold(0, |mask, name| Ok::<_, PyErr>(mask | bit(hook_number(name)?)));
    read! { o => PluginRoute {
        id, name, topics, workers, deadline_ms, open_max, bytes_max;
        hooks: hooks?,
        failure: [
            failure(o, "authenticate_failure")?,
            failure(o, "authorize_failure")?,
            failure(o, "publish_failure")?,
            failure(o, "subscribe_failure")?,
            failure(o, "unsubscribe_failure")?,
        ],
    } }
}

/// The way to the worker processes of plugins.
#[pyclass(frozen, module = "rookery._native")]
pub(crate) struct PluginBridge(pub(crate) Bridge);

#[pymethods]
impl PluginBridge {
    /// Makes the plugins those of the list, in the order in which they are asked.
    fn set_plugins(&self, py: Python<'_>, plugins: Vec<Bound<'_, PyAny>>) -> PyResult<()> {
        let routes = plugins.iter().map(route).collect::<PyResult<_>>()?;
        py.detach(|| self.0.set_routes(routes));
        Ok(())
    }

    /// A new socket for a worker process; the number of the descriptor for its end.
    fn attach(&self, py: Python<'_>, plugin: u32, worker: u16) -> PyResult<i32> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()
            .map_err(|error| native("io", format!("socketpair: {error}")))?;
        py.detach(|| self.0.attach(plugin, worker, ours.into()));
        Ok(theirs.into_raw_fd())
    }

    /// The worker process is ready: it is asked from now on.
    fn begin(&self, py: Python<'_>, plugin: u32, worker: u16) {
        py.detach(|| self.0.begin(plugin, worker));
    }

    /// Keeps what a plugin would be asked and told for its next processes.
    fn hold(&self, py: Python<'_>, plugin: u32) {
        py.detach(|| self.0.hold(plugin));
    }

    /// Closes the socket of a worker process.
    fn detach(&self, py: Python<'_>, plugin: u32, worker: u16) {
        py.detach(|| self.0.detach(plugin, worker));
    }

    /// Tells every plugin that has this hookpoint.
    fn tell(&self, hookpoint: &str, json: &str) -> PyResult<()> {
        self.0.tell(hook_number(hookpoint)?, json);
        Ok(())
    }

    /// `WorkerRow` of each worker process.
    fn workers<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let figures = py.detach(|| self.0.figures());
        figures.iter().map(|figures| row(py, figures)).collect()
    }

    /// Gives every hookpoint back.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.0.close());
    }
}

fn row<'py>(py: Python<'py>, f: &WorkerFigures) -> PyResult<Bound<'py, PyTuple>> {
    let counters = (f.asked, f.answered, f.late, f.failed, f.told, f.dropped, f.open);
    (f.plugin, f.worker, f.is_attached, counters).into_pyobject(py)
}

/// How long hooks are called before what they answered goes out.
const TURN: Duration = Duration::from_millis(2);

/// Takes what comes down to a worker process apart, and asks its hook about messages.
#[pyclass(module = "rookery._native")]
pub(crate) struct PluginDecoder {
    buffer: Vec<u8>,
    on_publish: Option<MessageHook>,
}

/// Answers as bytes, questions without one, rows of everything else, and whether more is whole.
type Turn<'py> = (Bound<'py, PyBytes>, Vec<Bound<'py, PyTuple>>, Vec<Bound<'py, PyTuple>>, bool);

#[pymethods]
impl PluginDecoder {
    #[new]
    #[pyo3(signature = (on_publish=None, message_type=None))]
    fn new(
        on_publish: Option<Bound<'_, PyAny>>,
        message_type: Option<Bound<'_, PyType>>,
    ) -> PyResult<Self> {
        let on_publish = match (&on_publish, &message_type) {
            (Some(callback), Some(kind)) => Some(MessageHook::new(callback, kind)?),
            _ => None,
        };
        Ok(Self { buffer: Vec::new(), on_publish })
    }

    /// Adds bytes, asks `on_publish` about messages, and gives the rest as rows.
    fn feed<'py>(&mut self, py: Python<'py>, bytes: &[u8]) -> PyResult<Turn<'py>> {
        self.buffer.extend_from_slice(bytes);
        let began = Instant::now();
        let (mut answers, mut open, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        let (mut taken, mut count) = (0, 0);
        let mut has_more = true;
        while count < ROWS_MAX && began.elapsed() < TURN {
            let rest = self.buffer.get(taken..).unwrap_or_default();
            let Some((kind, body, len)) = wire::next_frame(rest).map_err(broken)? else {
                has_more = false;
                break;
            };
            match (&self.on_publish, kind) {
                (Some(hook), PUBLISH) => match hook.ask(py, body, &mut answers)? {
                    Told::Answered => {}
                    Told::Open(question) => open.push(question),
                },
                _ => rows.push(match wire::take_down(kind, body).map_err(broken)? {
                    Down::Event(event) => rows::event(py, &event)?,
                    Down::Told(hook, json) => rows::told(py, hook, &json)?,
                }),
            }
            taken += len;
            count += 1;
        }
        self.buffer.drain(..taken);
        Ok((PyBytes::new(py, &answers), open, rows, has_more))
    }
}

fn broken(error: wire::BrokenFrame) -> PyErr {
    native("internal", error.to_string())
}

/// The bytes with which a worker process answers.
#[pyfunction]
pub(crate) fn encode_answers<'py>(
    py: Python<'py>,
    answers: Vec<AnswerRow<'py>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut out = Vec::with_capacity(24 * answers.len());
    for row in &answers {
        wire::put_answer(&mut out, &answers::answer(row)?);
    }
    Ok(PyBytes::new(py, &out))
}
