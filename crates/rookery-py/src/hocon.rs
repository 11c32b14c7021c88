//! `parse_hocon`: configuration text to a tree in which every value knows its file and line.

use std::collections::HashMap;

use pyo3::prelude::*;
use rookery_hocon::FileIncludes;

use crate::error::native;

/// The document as JSON, see `Document::to_json_with_origins`; `include` reads files beside
/// `source`, `${NAME}` falls back to `environ`.
#[pyfunction]
pub(crate) fn parse_hocon(
    py: Python<'_>,
    text: &str,
    source: &str,
    environ: HashMap<String, String>,
) -> PyResult<String> {
    let parsed = py.detach(|| {
        let document = rookery_hocon::parse(text, source, &mut FileIncludes::new(environ))?;
        Ok(document.to_json_with_origins())
    });
    parsed.map_err(|error: rookery_hocon::HoconError| native("config", error.to_string()))
}
