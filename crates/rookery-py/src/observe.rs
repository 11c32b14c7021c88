//! What is looked at closer: settings down, traces, spans and slow subscriptions up.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use rookery_core::observe::{
    ObserveConfig, SlowRow, SlowStats, SlowSubsConfig, SpanConfig, SpanEvent, TraceConfig,
    TraceEvent, TraceMatch,
};

use crate::config::{Object, get, get_each, read, word};
use crate::rows::{Row, row};

/// Spans of 2^32 messages.
const WHOLE: f64 = 4_294_967_296.0;

/// `ObserveConfig`.
pub(crate) fn config(o: Object<'_, '_>) -> PyResult<ObserveConfig> {
    let slow_subs = o.getattr("slow_subs")?;
    let spans = o.getattr("spans")?;
    Ok(ObserveConfig {
        traces: get_each(o, "traces", trace)?,
        slow_subs: (!slow_subs.is_none()).then(|| slow(&slow_subs)).transpose()?,
        spans: (!spans.is_none()).then(|| span(&spans)).transpose()?,
    })
}

fn trace(o: Object<'_, '_>) -> PyResult<TraceConfig> {
    let value: String = get(o, "value")?;
    let of = match get::<String>(o, "of")?.as_str() {
        "clientid" => TraceMatch::ClientId(value.into()),
        "topic" => {
            rookery_codec::check_topic_filter(&value)
                .map_err(|error| PyValueError::new_err(format!("value: {error}")))?;
            TraceMatch::Topic(value.into())
        }
        "ip_address" => TraceMatch::IpAddress(
            value.parse().map_err(|_| PyValueError::new_err(format!("value: {value:?}")))?,
        ),
        other => return Err(PyValueError::new_err(format!("of: {other:?}"))),
    };
    Ok(TraceConfig { id: get(o, "id")?, of })
}

fn slow(o: Object<'_, '_>) -> PyResult<SlowSubsConfig> {
    let kinds = [
        ("whole", SlowStats::Whole),
        ("internal", SlowStats::Internal),
        ("response", SlowStats::Response),
    ];
    read! { o => SlowSubsConfig {
        threshold_ms, expire_interval_ms, top_k_num; stats_type: word(o, "stats_type", &kinds)?
    } }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn span(o: Object<'_, '_>) -> PyResult<SpanConfig> {
    let ratio: f64 = get(o, "sample_ratio")?;
    read! { o => SpanConfig { trace_all; share: (ratio.clamp(0.0, 1.0) * WHOLE) as u64 } }
}

/// `SlowRow`.
pub(crate) fn slow_row<'py>(py: Python<'py>, r: &SlowRow) -> Row<'py> {
    row![py; &*r.client_id, &*r.topic, r.latency_ms, r.last_update_ms]
}

/// `TraceRow`.
pub(crate) fn trace_row<'py>(py: Python<'py>, e: &TraceEvent) -> Row<'py> {
    let payload = e.payload.as_deref().map(|payload| PyBytes::new(py, payload));
    row![py;
        "trace", PyTuple::new(py, e.traces.iter())?, e.at_us, e.tag, e.msg, &*e.client_id,
        e.username.as_deref(), e.peer.map(|peer| peer.to_string()), e.topic.as_deref(), &*e.detail,
        payload, e.payload_len,
    ]
}

/// `SpanRow`.
pub(crate) fn span_row<'py>(py: Python<'py>, e: &SpanEvent) -> Row<'py> {
    row![py;
        "span", e.trace_id, e.span_id, e.parent_id, e.name, e.start_ms, e.end_us, &*e.client_id,
        &*e.topic, e.qos, e.retain, e.payload_len, e.message_id,
    ]
}
