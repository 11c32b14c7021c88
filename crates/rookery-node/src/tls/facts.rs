//! What stands in a certificate.

use std::sync::Arc;

use rookery_core::effects::PeerCertificate;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_cert::certificate::{CertificateInner, Raw, Version};
use x509_cert::crl::CertificateList;
use x509_cert::der::{Decode, Tagged};

/// sha1WithRSAEncryption, dsa-with-sha1, ecdsa-with-SHA1.
const SHA1_SIGNATURES: [&str; 3] =
    ["1.2.840.113549.1.1.5", "1.2.840.10040.4.3", "1.2.840.10045.4.1"];
/// Common Name, X.520.
const COMMON_NAME: &str = "2.5.4.3";

/// A certificate as far as we look into it.
pub(super) struct Facts {
    pub(super) subject: String,
    pub(super) issuer: String,
    pub(super) common_name: Option<String>,
    pub(super) is_v1: bool,
    pub(super) is_sha1: bool,
    pub(super) not_before_unix_s: i64,
    pub(super) not_after_unix_s: i64,
}

impl Facts {
    /// Reads a certificate; none when it is not one.
    pub(super) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let certificate = CertificateInner::<Raw>::from_der(der).ok()?;
        let body = certificate.tbs_certificate();
        let algorithm = certificate.signature_algorithm().oid.to_string();
        let common_name = body
            .subject()
            .iter()
            .find(|attribute| attribute.oid.to_string() == COMMON_NAME)
            .map(|attribute| text_of(attribute.value.tag(), attribute.value.value()));
        Some(Self {
            subject: body.subject().to_string(),
            issuer: body.issuer().to_string(),
            common_name,
            is_v1: body.version() == Version::V1,
            is_sha1: SHA1_SIGNATURES.contains(&algorithm.as_str()),
            not_before_unix_s: seconds(body.validity().not_before),
            not_after_unix_s: seconds(body.validity().not_after),
        })
    }
}

/// Who issued a revocation list, and until when it is the newest one there is.
pub(super) struct ListFacts {
    pub(super) issuer: String,
    pub(super) next_update_unix_s: i64,
}

impl ListFacts {
    /// Reads a revocation list; none when it is not one, or does not say when the next one comes
    /// (RFC 5280 section 5.1.2.5 demands it): the verifier refuses such a list itself.
    pub(super) fn read(der: &CertificateRevocationListDer<'_>) -> Option<Self> {
        let list = CertificateList::<Raw>::from_der(der).ok()?.tbs_cert_list;
        Some(Self {
            issuer: list.issuer.to_string(),
            next_update_unix_s: seconds(list.next_update?),
        })
    }
}

fn seconds(time: x509_cert::time::Time) -> i64 {
    i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
}

/// The text of a DirectoryString (RFC 5280 section 4.1.2.4).
fn text_of(tag: x509_cert::der::Tag, bytes: &[u8]) -> String {
    use x509_cert::der::Tag;
    match tag {
        Tag::BmpString => {
            let units = bytes.chunks_exact(2).map(|pair| {
                u16::from_be_bytes([
                    pair.first().copied().unwrap_or(0),
                    pair.last().copied().unwrap_or(0),
                ])
            });
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        // Teletex strings are Latin-1 wherever they are still found.
        Tag::TeletexString => bytes.iter().copied().map(char::from).collect(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// What the broker's core learns about a client's certificate.
pub(super) fn peer(der: &CertificateDer<'_>) -> Arc<PeerCertificate> {
    let facts = Facts::read(der);
    Arc::new(PeerCertificate {
        common_name: facts.as_ref().and_then(|f| f.common_name.as_deref()).map(Box::from),
        subject_dn: facts.as_ref().map(|f| f.subject.as_str().into()),
        der: Some(der.as_ref().into()),
        from_proxy: false,
    })
}
