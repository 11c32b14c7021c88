//! TLS of one listener: what it handshakes with now, and how that is replaced.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::pki_types::CertificateDer;
use rustls::server::UnbufferedServerConnection;

use super::files::Problem;
use super::load::{Certificate, Material, load, still_holds};
use super::session::TlsSession;
use crate::api::TlsConfig;

/// TLS of one listener.
#[derive(Debug)]
pub(crate) struct TlsServer {
    current: RwLock<Current>,
    /// One reload at a time.
    reload: Mutex<()>,
}

#[derive(Debug)]
struct Current {
    settings: TlsConfig,
    material: Arc<Material>,
}

/// What became of a reload that did not fail.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Reloaded {
    /// The files hold what they held.
    Unchanged,
    /// New handshakes use what the files hold now.
    Taken,
    /// As `Taken`, and clients have to be checked again.
    TrustChanged,
}

impl TlsServer {
    /// Reads the files.
    pub(crate) fn new(settings: &TlsConfig) -> Result<Self, Problem> {
        let material = Arc::new(load(settings, None)?);
        let current = Current { settings: settings.clone(), material };
        Ok(Self { current: RwLock::new(current), reload: Mutex::new(()) })
    }

    /// Begins the handshake of a connection accepted at `now_ms`; none when memory fails rustls.
    pub(crate) fn accept(self: &Arc<Self>, now_ms: u64) -> Option<Box<TlsSession>> {
        let (material, timeout_ms) = {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            (current.material.clone(), current.settings.handshake_timeout_ms)
        };
        let connection = UnbufferedServerConnection::new(material.config.clone()).ok()?;
        let deadline_ms = now_ms.saturating_add(timeout_ms);
        Some(Box::new(TlsSession::new(connection, self.clone(), material, deadline_ms)))
    }

    /// Reads the files of `settings` (those of now when none are given) and uses them from the next
    /// handshake on. When something is wrong with them, nothing changes.
    pub(crate) fn reload(&self, settings: Option<&TlsConfig>) -> Result<Reloaded, Problem> {
        let _one_at_a_time = self.reload.lock().unwrap_or_else(PoisonError::into_inner);
        let (settings, before) = {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            (settings.unwrap_or(&current.settings).clone(), current.material.clone())
        };
        let is_same_settings = settings == self.settings();
        let material = load(&settings, Some(&before))?;
        if is_same_settings && material.is_same(&before) {
            return Ok(Reloaded::Unchanged);
        }
        let is_trust_same = material.trusts_as(&before);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Current { settings, material: Arc::new(material) };
        Ok(if is_trust_same { Reloaded::Taken } else { Reloaded::TrustChanged })
    }

    /// The settings of now.
    pub(crate) fn settings(&self) -> TlsConfig {
        self.current.read().unwrap_or_else(PoisonError::into_inner).settings.clone()
    }

    fn material(&self) -> Arc<Material> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).material.clone()
    }

    /// Whether clients are checked as they were with `before`.
    pub(super) fn trusts_as(&self, before: &Material) -> bool {
        self.material().trusts_as(before)
    }

    /// Every certificate of the files.
    pub(crate) fn certificates(&self) -> Vec<Certificate> {
        self.material().certificates.clone()
    }

    /// Whether a client that came with this chain (or with none) would be admitted now.
    pub(crate) fn admits(&self, chain: Option<&[CertificateDer<'_>]>) -> bool {
        let material = self.material();
        match (&material.verifier, chain) {
            (Some(verifier), Some(chain)) => still_holds(verifier, chain),
            (Some(_), None) => !self.settings().fail_if_no_peer_cert,
            (None, _) => true,
        }
    }
}
