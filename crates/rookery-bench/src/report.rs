//! What a run found out, and what it says while it goes on.

use serde::Serialize;

use crate::config::BenchConfig;
use crate::histogram::Percentiles;
use crate::watch::ProcessSample;

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Connecting and subscribing.
    SetUp,
    /// Load that is not counted.
    WarmUp,
    /// Load that is counted.
    Measure,
    /// Waiting for messages under way.
    Drain,
}

/// State of a run, given to the caller several times a second.
#[derive(Debug, Clone, Serialize)]
pub struct Progress {
    /// Where the run is.
    pub phase: Phase,
    /// Seconds since the run began.
    pub elapsed_s: f64,
    /// Share of the present phase that is done, 0 to 1.
    pub share: f64,
    /// Connections that are ready (cycles done in mode churn).
    pub connected: u64,
    /// Messages sent so far, warm-up included.
    pub sent: u64,
    /// Messages received so far, warm-up included.
    pub received: u64,
}

/// What the generator itself used while it counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GeneratorUse {
    /// CPU seconds.
    pub cpu_s: f64,
    /// Part of them in user mode, to 10 ms.
    pub user_s: f64,
    /// Part of them in the kernel, to 10 ms.
    pub system_s: f64,
    /// CPU as a share of one core.
    pub core_share: f64,
    /// CPU per message received (sent, when nothing receives).
    pub us_per_message: f64,
}

/// What the watched process used while the generator counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct WatchedUse {
    /// CPU seconds of all threads.
    pub cpu_s: f64,
    /// CPU as a share of one core.
    pub core_share: f64,
    /// CPU per message received (sent, when nothing receives; per cycle in mode churn).
    pub us_per_message: f64,
    /// State before the first connection.
    pub before: ProcessSample,
    /// State when counting ended, connections still open.
    pub after: ProcessSample,
    /// CPU from the first connection to the last acknowledged subscription.
    pub set_up_cpu_s: f64,
}

/// The result of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What was asked for.
    pub config: BenchConfig,
    /// Version of the generator.
    pub version: &'static str,
    /// Seconds that were counted.
    pub measured_s: f64,
    /// Connections that were ready.
    pub connected: u64,
    /// Seconds to make connections and subscriptions, the quiet ones first.
    pub set_up_s: f64,
    /// Part of it for quiet connections and their subscriptions.
    pub idle_set_up_s: f64,
    /// Refused or lost connections that were tried again (set-up) or counted (mode churn).
    pub refused: u64,
    /// Subscriptions made.
    pub subscriptions: u64,
    /// Messages sent while counting.
    pub sent: u64,
    /// Messages received while counting.
    pub received: u64,
    /// Messages sent per second.
    pub sent_per_s: f64,
    /// Messages received per second.
    pub received_per_s: f64,
    /// Connect-subscribe-disconnect cycles while counting (mode churn).
    pub cycles: u64,
    /// Cycles whose TLS session was resumed (mode churn, mode handshake).
    pub resumed: u64,
    /// Cycles per second.
    pub cycles_per_s: f64,
    /// From intended sending to receipt; a whole cycle, refused ones too, in mode churn.
    /// Microseconds.
    pub latency_us: Percentiles,
    /// How late the generator sent in the open loop. Microseconds.
    pub lag_us: Percentiles,
    /// Acknowledgements with an error code and packets that made no sense.
    pub errors: u64,
    /// Connections that the broker closed.
    pub disconnects: u64,
    /// Messages that arrived twice.
    pub duplicates: u64,
    /// Messages that arrived out of order.
    pub out_of_order: u64,
    /// Messages that had not arrived when the run ended.
    pub lost: u64,
    /// Times a closed-loop window was opened again because nothing came for a second.
    pub stalls: u64,
    /// Open-loop messages given up because a connection could not take them.
    pub skipped: u64,
    /// True when the caller ended the run before its time.
    pub stopped_early: bool,
    /// The generator's own use.
    pub generator: GeneratorUse,
    /// The watched process' use.
    pub watched: Option<WatchedUse>,
}

impl Report {
    /// A report of nothing.
    pub(crate) fn empty(config: &BenchConfig) -> Report {
        Report {
            // Reports are kept and passed on: the password is not part of them.
            config: BenchConfig { password: None, ..config.clone() },
            version: env!("CARGO_PKG_VERSION"),
            measured_s: 0.0,
            connected: 0,
            set_up_s: 0.0,
            idle_set_up_s: 0.0,
            refused: 0,
            subscriptions: 0,
            sent: 0,
            received: 0,
            sent_per_s: 0.0,
            received_per_s: 0.0,
            cycles: 0,
            resumed: 0,
            cycles_per_s: 0.0,
            latency_us: Percentiles::default(),
            lag_us: Percentiles::default(),
            errors: 0,
            disconnects: 0,
            duplicates: 0,
            out_of_order: 0,
            lost: 0,
            stalls: 0,
            skipped: 0,
            stopped_early: false,
            generator: GeneratorUse::default(),
            watched: None,
        }
    }

    /// The report as one JSON object.
    pub fn to_json(&self) -> String {
        // Numbers, strings and plain structs always serialise.
        serde_json::to_string(self).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"))
    }
}
