//! Checking clients' certificates.
//!
//! What rustls' verifier has no switch for is added here: the depth of the chain, and revocation as
//! OpenSSL does it: the client's own certificate must be covered by a list, those above it are
//! looked up in the lists that there are.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};

/// A verifier for one listener.
#[derive(Debug)]
pub(super) struct ClientVerifier {
    inner: Arc<dyn ClientCertVerifier>,
    /// Looks at the whole chain where `inner` looks at the client's certificate alone.
    chain: Option<Arc<dyn ClientCertVerifier>>,
    depth: usize,
    is_mandatory: bool,
}

impl ClientVerifier {
    pub(super) fn new(
        roots: RootCertStore,
        crls: Vec<CertificateRevocationListDer<'static>>,
        depth: usize,
        is_mandatory: bool,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<Self>, String> {
        let roots = Arc::new(roots);
        let builder =
            || WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone());
        let text = |error: rustls::server::VerifierBuilderError| error.to_string();
        let (inner, chain) = if crls.is_empty() {
            (builder().build().map_err(text)?, None)
        } else {
            let own = builder().with_crls(crls.clone()).only_check_end_entity_revocation();
            let all = builder().with_crls(crls).allow_unknown_revocation_status();
            (own.build().map_err(text)?, Some(all.build().map_err(text)?))
        };
        Ok(Arc::new(Self { inner, chain, depth, is_mandatory }))
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.is_mandatory
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        // A path can only be as long as the certificates to build it from.
        let intermediates = intermediates.get(..self.depth).unwrap_or(intermediates);
        if let Some(chain) = &self.chain {
            chain.verify_client_cert(end_entity, intermediates, now)?;
        }
        self.inner.verify_client_cert(end_entity, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
