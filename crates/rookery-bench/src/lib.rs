//! MQTT load generator: many connections, one thread, little CPU per message.
//!
//! [`run`] makes one run against a broker and returns a [`Report`]. It blocks
//! the calling thread and touches nothing else. The generator knows only the
//! packets it needs and writes them itself, so that it is cheaper than the
//! broker under test and shares no codec with it.
#![forbid(unsafe_code)]

mod churn;
mod config;
mod engine;
mod error;
mod histogram;
mod inbound;
mod layers;
mod ledger;
mod measure;
mod net;
mod outbound;
mod packet;
mod publisher;
mod report;
mod set_up;
mod tls;
mod watch;
mod websocket;

pub use config::{BenchConfig, Mode, ProtocolVersion, TlsVersion};
pub use error::BenchError;
pub use histogram::Percentiles;
pub use report::{GeneratorUse, Phase, Progress, Report, WatchedUse};
pub use watch::ProcessSample;

/// Makes one run; `progress` is called several times a second and ends the run with `false`.
///
/// # Errors
/// A [`BenchError`] when the configuration is impossible, a broker cannot be
/// reached or refuses, or the system runs out of something. What goes wrong
/// after the load has started is counted in the report instead.
pub fn run(
    config: &BenchConfig,
    progress: &mut dyn FnMut(Progress) -> bool,
) -> Result<Report, BenchError> {
    config.validate()?;
    match config.mode {
        Mode::Churn | Mode::Handshake => churn::run(config, progress),
        _ => measure::run(config, progress),
    }
}
