//! Every failure crosses as one exception; `rookery.native` turns its kind into our error tree.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rookery_node::api::NodeError;
use rookery_rules::messages::{Part, Said};

use crate::rows::{Row, row};

pyo3::create_exception!(_native, NativeError, PyException, "A call into the native core failed.");

/// Adds the exception; its attributes exist on the class so that the stub can promise them.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let class = module.py().get_type::<NativeError>();
    class.setattr("kind", "internal")?;
    class.setattr("message", "")?;
    class.setattr("listener", module.py().None())?;
    class.setattr("address", module.py().None())?;
    class.setattr("errno", module.py().None())?;
    class.setattr("rule", module.py().None())?;
    class.setattr("place", module.py().None())?;
    class.setattr("said", module.py().None())?;
    module.add("NativeError", class)
}

/// An exception of this kind.
pub(crate) fn native(kind: &str, message: String) -> PyErr {
    Python::attach(|py| build(py, kind, message, None))
}

/// Which listener cannot stand, and where it could not bind.
struct BindPlace {
    listener: String,
    address: Option<String>,
    errno: Option<i32>,
}

fn build(py: Python<'_>, kind: &str, message: String, place: Option<BindPlace>) -> PyErr {
    let error = NativeError::new_err((kind.to_owned(), message.clone()));
    let value = error.value(py);
    let filled = (|| {
        value.setattr("kind", kind)?;
        value.setattr("message", message)?;
        if let Some(place) = place {
            value.setattr("listener", place.listener)?;
            value.setattr("address", place.address)?;
            value.setattr("errno", place.errno)?;
        }
        Ok::<(), PyErr>(())
    })();
    filled.err().unwrap_or(error)
}

/// An exception about a rule, with line and column in its SQL where that is known.
fn wrong_rule(id: String, place: Option<(u32, u32)>, message: String) -> PyErr {
    Python::attach(|py| {
        let error = build(py, "rule", message, None);
        let value = error.value(py);
        let filled = value.setattr("rule", id).and_then(|()| value.setattr("place", place));
        filled.err().unwrap_or(error)
    })
}

/// An exception about SQL, with what is wrong as key and values.
pub(crate) fn wrong_sql(said: &Said, place: Option<(u32, u32)>) -> PyErr {
    Python::attach(|py| {
        let error = build(py, "rule", said.to_string(), None);
        let value = error.value(py);
        let filled = said_row(py, said)
            .and_then(|row| value.setattr("said", row))
            .and_then(|()| value.setattr("place", place));
        filled.err().unwrap_or(error)
    })
}

/// `SaidRow`: the key, the English text, and the values by name; a value may be a row itself.
fn said_row<'py>(py: Python<'py>, said: &Said) -> Row<'py> {
    let mut values = Vec::with_capacity(said.values().len());
    for (name, part) in said.values() {
        values.push(match part {
            Part::Plain(text) => row![py; *name, &**text]?,
            Part::Said(said) => row![py; *name, said_row(py, said)?]?,
        });
    }
    row![py; said.key(), said.to_string(), values]
}

/// The exception for what the node reports.
pub(crate) fn from_node(error: NodeError) -> PyErr {
    let message = error.to_string();
    if let NodeError::Rule(problem) = error {
        return wrong_rule(problem.id, problem.place, message);
    }
    let (kind, place) = match error {
        NodeError::Bind { listener, bind, source } => {
            let errno = source.raw_os_error();
            ("bind", Some(BindPlace { listener, address: Some(bind.to_string()), errno }))
        }
        NodeError::Tls { listener, .. } => {
            ("tls", Some(BindPlace { listener, address: None, errno: None }))
        }
        NodeError::NoListener(_) | NodeError::NoRule(_) => ("not_found", None),
        NodeError::Config { .. } => ("config", None),
        NodeError::Store(_) => ("store", None),
        NodeError::Topic(_) => ("topic", None),
        NodeError::Io { .. } => ("io", None),
        NodeError::Busy => ("busy", None),
        NodeError::Late => ("late", None),
        NodeError::Stopping => ("stopping", None),
        _ => ("internal", None),
    };
    Python::attach(|py| build(py, kind, message, place))
}
