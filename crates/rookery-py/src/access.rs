//! Rules, bans and what is asked about them, from the dataclasses of `rookery.native.config`.

use std::net::IpAddr;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rookery_core::access::{
    AclAction, AclRule, AclSource, AclSourceKind, AclTopic, AclWho, AclWhoKind,
    AuthorizationConfig, Ban, BanKind, BanTable, DenyAction, Explanation, FlappingConfig,
    LoginBackoffConfig, PeerCertField, Permission,
};
use rookery_core::conn::Action;
use rookery_node::AclSubject;

use crate::config::{Object, get, get_each, read, word};

/// Why a text is no regular expression of rules and bans; `None` when it is one.
#[pyfunction]
pub(crate) fn check_regex(text: String) -> Option<String> {
    let place = format!("{}: regular expression {text:?}: ", BanKind::UsernameRe);
    let ban = Ban { kind: BanKind::UsernameRe, who: text, until_ms: None, reason: String::new() };
    let detail = BanTable::compile(&[ban]).err()?.detail;
    Some(detail.strip_prefix(&place).unwrap_or(&detail).to_owned())
}

fn permission(o: Object<'_, '_>, name: &str) -> PyResult<Permission> {
    word(o, name, &[("allow", Permission::Allow), ("deny", Permission::Deny)])
}

fn topic(o: Object<'_, '_>) -> PyResult<AclTopic> {
    read! { o => AclTopic { text, is_literal } }
}

fn who(o: Object<'_, '_>) -> PyResult<AclWho> {
    let kinds = [
        ("all", AclWhoKind::All),
        ("ipaddr", AclWhoKind::IpAddr),
        ("username", AclWhoKind::Username),
        ("clientid", AclWhoKind::ClientId),
        ("client_attr", AclWhoKind::ClientAttr),
        ("zone", AclWhoKind::Zone),
        ("listener", AclWhoKind::Listener),
        ("and", AclWhoKind::And),
        ("or", AclWhoKind::Or),
    ];
    read! { o => AclWho {
        values, is_regex, attr; kind: word(o, "kind", &kinds)?, members: get_each(o, "members", who)?
    } }
}

/// `AclRule`.
pub(crate) fn rule(o: Object<'_, '_>) -> PyResult<AclRule> {
    let actions = [
        ("publish", AclAction::Publish),
        ("subscribe", AclAction::Subscribe),
        ("all", AclAction::All),
    ];
    // As numbers: a `Vec<u8>` would want bytes.
    let qos: Vec<u16> = get(o, "qos")?;
    let qos = qos.into_iter().map(u8::try_from).collect::<Result<_, _>>();
    read! { o => AclRule {
        retain, all_topics, line;
        permission: permission(o, "permission")?,
        who: who(&o.getattr("who")?)?,
        action: word(o, "action", &actions)?,
        qos: qos.map_err(|_| PyValueError::new_err("qos is 0, 1 or 2"))?,
        topics: get_each(o, "topics", topic)?,
    } }
}

fn source(o: Object<'_, '_>) -> PyResult<AclSource> {
    let kinds = [("rules", AclSourceKind::Rules), ("ask", AclSourceKind::Ask)];
    read! { o => AclSource {
        name; kind: word(o, "kind", &kinds)?, rules: get_each(o, "rules", rule)?
    } }
}

/// `AuthorizationConfig`.
pub(crate) fn authorization(o: Object<'_, '_>) -> PyResult<Arc<AuthorizationConfig>> {
    let denials = [("ignore", DenyAction::Ignore), ("disconnect", DenyAction::Disconnect)];
    let config: PyResult<_> = read! { o => AuthorizationConfig {
        cache_enable, cache_max_size, cache_ttl_ms, cache_excludes;
        sources: get_each(o, "sources", source)?,
        no_match: permission(o, "no_match")?,
        deny_action: word(o, "deny_action", &denials)?,
    } };
    config.map(Arc::new)
}

/// `Ban`.
pub(crate) fn ban(o: Object<'_, '_>) -> PyResult<Ban> {
    let kinds = [
        ("clientid", BanKind::ClientId),
        ("username", BanKind::Username),
        ("peerhost", BanKind::PeerHost),
        ("peerhost_net", BanKind::PeerHostNet),
        ("clientid_re", BanKind::ClientIdRe),
        ("username_re", BanKind::UsernameRe),
    ];
    read! { o => Ban { who, until_ms, reason; kind: word(o, "kind", &kinds)? } }
}

/// `FlappingConfig`.
pub(crate) fn flapping(o: Object<'_, '_>) -> PyResult<FlappingConfig> {
    read! { o => FlappingConfig { enable, window_ms, max_count, ban_ms } }
}

/// `LoginBackoffConfig`.
pub(crate) fn login_backoff(o: Object<'_, '_>) -> PyResult<LoginBackoffConfig> {
    read! { o => LoginBackoffConfig { enable, failures, window_ms, block_ms, block_max_ms } }
}

/// A word that names a part of a certificate.
pub(crate) fn peer_cert_field(o: Object<'_, '_>, name: &str) -> PyResult<PeerCertField> {
    let fields = [
        ("disabled", PeerCertField::Disabled),
        ("cn", PeerCertField::Cn),
        ("dn", PeerCertField::Dn),
        ("crt", PeerCertField::Crt),
        ("pem", PeerCertField::Pem),
        ("md5", PeerCertField::Md5),
    ];
    word(o, name, &fields)
}

/// `AclSubject`.
pub(crate) fn subject(o: Object<'_, '_>) -> PyResult<AclSubject> {
    let peerhost: Option<String> = get(o, "peerhost")?;
    let peerhost = peerhost.map(|text| text.parse::<IpAddr>()).transpose();
    let attrs: Vec<(String, String)> = get(o, "client_attrs")?;
    read! { o => AclSubject {
        client_id, username, listener, zone, cert_common_name, is_superuser;
        peerhost: peerhost.map_err(|_| PyValueError::new_err("peerhost is no address"))?,
        client_attrs: attrs.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
    } }
}

/// What somebody would do, from the arguments of a check.
pub(crate) fn action(word: &str, qos: u8, retain: bool) -> PyResult<Action> {
    match word {
        "publish" => Ok(Action::Publish(qos.min(2), retain)),
        "subscribe" => Ok(Action::Subscribe(qos.min(2))),
        other => Err(PyValueError::new_err(format!("action: {other:?} is none of its values"))),
    }
}

/// `AclDecisionRow`.
pub(crate) fn decision<'py>(py: Python<'py>, e: &Explanation) -> PyResult<Bound<'py, PyTuple>> {
    (e.verdict, &*e.source, e.line).into_pyobject(py)
}
