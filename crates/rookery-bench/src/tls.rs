//! The client's side of TLS: what is trusted, what is shown, whether sessions are resumed.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedProtocolVersion,
    version,
};

use crate::config::{BenchConfig, TlsVersion};
use crate::error::BenchError;

/// Sessions kept for resumption: servers hand out several tickets per connection.
const SESSIONS_MAX: usize = 4096;

fn failed(field: &str, file: &str, why: impl std::fmt::Display) -> BenchError {
    BenchError::Config(format!("{field}: {file}: {why}"))
}

/// Makes what every connection of the run shares.
pub(crate) fn client_config(config: &BenchConfig) -> Result<Arc<ClientConfig>, BenchError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions: &[&'static SupportedProtocolVersion] = match config.tls_version {
        TlsVersion::Any => &[&version::TLS13, &version::TLS12],
        TlsVersion::V12 => &[&version::TLS12],
        TlsVersion::V13 => &[&version::TLS13],
    };
    let refuse = |error: rustls::Error| BenchError::Config(format!("tls: {error}"));
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(refuse)?
        .dangerous()
        .with_custom_certificate_verifier(verifier(config, &provider)?);
    let mut client = match &config.tls_cert_file {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let chain = certificates("tls_cert_file", file)?;
            let key_file = config.tls_key_file.as_ref().unwrap_or(file);
            let key = PrivateKeyDer::from_pem_file(key_file)
                .map_err(|error| failed("tls_key_file", key_file, error))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| failed("tls_cert_file", file, error))?
        }
    };
    client.resumption = if config.tls_session_tickets {
        Resumption::in_memory_sessions(SESSIONS_MAX)
    } else {
        Resumption::disabled()
    };
    Ok(Arc::new(client))
}

fn certificates(field: &str, file: &str) -> Result<Vec<CertificateDer<'static>>, BenchError> {
    let read = CertificateDer::pem_file_iter(file).map_err(|error| failed(field, file, error))?;
    let chain: Result<Vec<_>, _> = read.collect();
    let chain = chain.map_err(|error| failed(field, file, error))?;
    if chain.is_empty() {
        return Err(failed(field, file, "no certificate in it"));
    }
    Ok(chain)
}

fn verifier(
    config: &BenchConfig,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, BenchError> {
    let file = match &config.tls_ca_file {
        Some(file) if !config.tls_insecure => file,
        _ => return Ok(Arc::new(TrustsAnyone(Arc::clone(provider)))),
    };
    let mut roots = RootCertStore::empty();
    let (taken, _) = roots.add_parsable_certificates(certificates("tls_ca_file", file)?);
    if taken == 0 {
        return Err(failed("tls_ca_file", file, "no usable CA certificate in it"));
    }
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .build()
            .map_err(|error| failed("tls_ca_file", file, error))?;
    Ok(verifier)
}

/// The name that the certificate of `address` (`host:port`) must bear.
pub(crate) fn server_name(
    config: &BenchConfig,
    address: &str,
) -> Result<ServerName<'static>, BenchError> {
    let name = if config.tls_server_name.is_empty() {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        host.trim_start_matches('[').trim_end_matches(']')
    } else {
        &config.tls_server_name
    };
    ServerName::try_from(name.to_owned())
        .map_err(|error| BenchError::Config(format!("tls_server_name: {name}: {error}")))
}

/// Takes any certificate; signatures of the handshake are still verified, so that
/// a handshake costs the generator what it costs a client.
#[derive(Debug)]
struct TrustsAnyone(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustsAnyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
