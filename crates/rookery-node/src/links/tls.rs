//! TLS of links: what the other side has to show, and what is shown to it.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::LinkTls;
use super::reason::Reason;

/// Where systems keep the CAs that they trust.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

fn wrong(text: impl Into<String>) -> Reason {
    Reason::new("tls", text)
}

/// What connections of a link are made with.
pub(super) fn config(settings: &LinkTls) -> Result<Arc<ClientConfig>, Reason> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let failed = |error: Error| wrong(error.to_string());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let builder = if settings.verify {
        builder.with_root_certificates(roots(settings.ca_pem.as_deref())?)
    } else {
        let verifier = Arc::new(AnyServer(provider));
        builder.dangerous().with_custom_certificate_verifier(verifier)
    };
    let config = match (&settings.cert_pem, &settings.key_pem) {
        (Some(cert), Some(key)) => {
            let chain = certificates(cert)?;
            let key = PrivateKeyDer::from_pem_slice(key)
                .map_err(|_| wrong("the key of the link's certificate is no private key in PEM"))?;
            builder.with_client_auth_cert(chain, key).map_err(failed)?
        }
        (None, None) => builder.with_no_client_auth(),
        _ => return Err(wrong("the link has a certificate without a key, or a key without it")),
    };
    Ok(Arc::new(config))
}

/// The name that the other side's certificate has to carry.
pub(super) fn server_name(settings: &LinkTls, host: &str) -> Result<ServerName<'static>, Reason> {
    let name = settings.server_name.as_deref().unwrap_or(host);
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    ServerName::try_from(bare.to_owned())
        .map_err(|_| wrong(format!("{name:?} is no name that a certificate can carry")))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Reason> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(wrong("what should be a certificate in PEM is none")),
    }
}

fn roots(pem: Option<&[u8]>) -> Result<RootCertStore, Reason> {
    let mut roots = RootCertStore::empty();
    match pem {
        Some(pem) => {
            for certificate in certificates(pem)? {
                roots.add(certificate).map_err(|error| wrong(format!("cacertfile: {error}")))?;
            }
        }
        None => {
            let own = std::env::var_os("SSL_CERT_FILE").map(std::path::PathBuf::from);
            let mut files = own.into_iter().chain(SYSTEM_ROOTS.map(Into::into));
            let found = files.find_map(|file| std::fs::read(file).ok()).unwrap_or_default();
            // A system's list may hold some that rustls does not take.
            roots.add_parsable_certificates(
                CertificateDer::pem_slice_iter(&found).filter_map(Result::ok),
            );
        }
    }
    if roots.is_empty() {
        return Err(wrong("no CA is known; give the link a `cacertfile`"));
    }
    Ok(roots)
}

/// `verify_none`: whoever answers is the other cluster.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
