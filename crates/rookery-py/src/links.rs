//! Links to other clusters: what they are goes down, how it stands with them comes up.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rookery_node::links::{LinkConfig, LinkStatus, LinkTls};

use crate::config::{Object, read};
use crate::rows::{Row, row};

/// `Link`.
pub(crate) fn link(o: Object<'_, '_>) -> PyResult<LinkConfig> {
    let tls = o.getattr("tls")?;
    let tls = if tls.is_none() { None } else { Some(link_tls(&tls)?) };
    read! { o => LinkConfig {
        name, enable, servers, client_id, username, password, topics, pool_size,
        retry_interval_ms, max_inflight, buffer_bytes_max, request_ttl_ms, connect_timeout_ms,
        health_check_interval_ms, order_by_client, accept_username, accept_cert_cn,
        accept_clientid_prefix, show_to_rules, sync_retained, store_bytes_max, store_age_ms;
        tls: tls
    } }
}

fn link_tls(o: Object<'_, '_>) -> PyResult<LinkTls> {
    read! { o => LinkTls { ca_pem, cert_pem, key_pem, verify, server_name } }
}

/// `LinkStatusRow`.
pub(crate) fn status(py: Python<'_>, s: LinkStatus) -> Row<'_> {
    row!(py; s.name, s.status, s.reason, s.since_ms, s.replication, s.server, s.pool_connected,
        s.routes, s.sent_routes, s.matched, s.success, s.failed, s.dropped, s.retried, s.queuing,
        s.inflight, s.queued_bytes, s.received, s.refused, s.stored, s.store,
        s.stored_bytes, s.stored_since_ms)
}
