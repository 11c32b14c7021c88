//! `rookery._native`: the only crate that knows Python. It converts, calls and converts back.
//!
//! **Invariant:** no thread of the node ever waits for the interpreter. Python is told through an
//! event descriptor that something is there and takes whole batches; see `_native.pyi` for what
//! crosses and in which shape.
#![forbid(unsafe_code)]

mod access;
mod actions;
mod answers;
mod bench;
mod cluster;
mod config;
mod error;
mod hocon;
mod hooked;
mod links;
mod node;
mod observe;
mod plugins;
mod queries;
mod rows;
mod rules;

use pyo3::prelude::*;

/// The version of the native core, which is the version of the distribution.
#[pyfunction]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    error::add_to(module)?;
    module.add_class::<node::Node>()?;
    module.add_class::<actions::ActionHub>()?;
    module.add_class::<actions::ActionBuffer>()?;
    module.add_class::<plugins::PluginBridge>()?;
    module.add_class::<plugins::PluginDecoder>()?;
    module.add_class::<hooked::SourceMessage>()?;
    module.add_function(wrap_pyfunction!(actions::render_template, module)?)?;
    module.add_function(wrap_pyfunction!(plugins::encode_answers, module)?)?;
    module.add_function(wrap_pyfunction!(access::check_regex, module)?)?;
    module.add_function(wrap_pyfunction!(hocon::parse_hocon, module)?)?;
    module.add_function(wrap_pyfunction!(bench::run_bench, module)?)?;
    module.add_function(wrap_pyfunction!(rules::compile_rule, module)?)?;
    module.add_function(wrap_pyfunction!(rules::try_rule, module)?)?;
    module.add_function(wrap_pyfunction!(rules::republish_problem, module)?)?;
    module.add_function(wrap_pyfunction!(rules::rule_events, module)?)?;
    module.add_function(wrap_pyfunction!(rules::rule_functions, module)?)?;
    module.add_function(wrap_pyfunction!(rules::rule_messages, module)?)?;
    module.add_function(wrap_pyfunction!(version, module)?)
}
