//! `run_bench`: the load generator, in this process.

use pyo3::prelude::*;
use rookery_bench::{BenchConfig, BenchError, Phase, Progress, Report};

use crate::error::native;

fn failed(error: &BenchError) -> PyErr {
    let kind = if matches!(error, BenchError::Config(_)) { "config" } else { "io" };
    native(kind, error.to_string())
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::SetUp => "set_up",
        Phase::WarmUp => "warm_up",
        Phase::Measure => "measure",
        Phase::Drain => "drain",
    }
}

/// Tells Python how far it is; false ends the run. A pending signal ends it as well.
fn report(progress: &Bound<'_, PyAny>, now: Progress) -> PyResult<bool> {
    progress.py().check_signals()?;
    let counted = (now.connected, now.sent, now.received);
    progress.call1((phase(now.phase), now.elapsed_s, now.share, counted))?.extract()
}

/// Makes one run; configuration and report are JSON.
#[pyfunction]
pub(crate) fn run_bench(
    py: Python<'_>,
    config_json: &str,
    progress: Py<PyAny>,
) -> PyResult<String> {
    let config = BenchConfig::from_json(config_json).map_err(|error| failed(&error))?;
    let mut interrupted = None;
    let mut tell = |now| {
        let answer = Python::attach(|py| report(progress.bind(py), now));
        answer.unwrap_or_else(|error| {
            interrupted = Some(error);
            false
        })
    };
    let result = py.detach(|| rookery_bench::run(&config, &mut tell));
    interrupted.map_or_else(|| finished(result), Err)
}

fn finished(result: Result<Report, BenchError>) -> PyResult<String> {
    result.map(|report| report.to_json()).map_err(|error| failed(&error))
}
