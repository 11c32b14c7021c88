//! Other nodes of the cluster: who they are goes down, how it stands with them comes up.

use std::net::ToSocketAddrs;

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rookery_node::cluster::{ClusterPeer, PartnerStatus, PeerStatus};

use crate::config::{Object, get};
use crate::error::native;
use crate::rows::{Row, row};

/// `ClusterPeer`; a name in its address is looked up here.
pub(crate) fn peer(o: Object<'_, '_>) -> PyResult<ClusterPeer> {
    let (name, incarnation, text): (String, u64, String) =
        (get(o, "name")?, get(o, "incarnation")?, get(o, "address")?);
    let found = o.py().detach(|| text.to_socket_addrs().map(|mut found| found.next()));
    match found {
        Ok(Some(address)) => Ok(ClusterPeer { name, incarnation, address }),
        Ok(None) => Err(wrong(&name, &text, "it has no address")),
        Err(error) => Err(wrong(&name, &text, &error.to_string())),
    }
}

fn wrong(name: &str, address: &str, why: &str) -> PyErr {
    native("config", format!("node {name}: the address {address:?} cannot be used: {why}"))
}

/// `PartnerStatusRow`.
pub(crate) fn partner(py: Python<'_>, s: PartnerStatus) -> Row<'_> {
    row!(py; s.name, s.is_whole, s.since_ms, s.lag, s.lag_bytes, s.unconfirmed, s.restarts, s.last_error)
}

/// `PeerStatusRow`.
pub(crate) fn status(py: Python<'_>, s: PeerStatus) -> Row<'_> {
    row!(py; s.name, s.incarnation, s.is_connected, s.since_ms, s.routes, s.sent, s.received,
        s.resent, s.dropped, s.queued_bytes, s.last_error)
}
