//! What of a client certificate stands for a user name or a client identifier.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use super::PeerCertField;
use crate::effects::PeerCertificate;

/// Characters on a line of PEM, RFC 7468 section 2.
const PEM_LINE: usize = 64;

/// The part of `cert` that `field` names; `None` when it is disabled or the certificate has no
/// such part (a PROXY header tells names only).
#[must_use]
pub fn field_of(cert: &PeerCertificate, field: PeerCertField) -> Option<String> {
    let name =
        |text: &Option<Box<str>>| text.as_deref().filter(|t| !t.is_empty()).map(str::to_owned);
    match field {
        PeerCertField::Disabled => None,
        PeerCertField::Cn => name(&cert.common_name),
        PeerCertField::Dn => name(&cert.subject_dn),
        PeerCertField::Crt => cert.der.as_deref().map(|der| STANDARD.encode(der)),
        PeerCertField::Pem => cert.der.as_deref().map(pem),
        PeerCertField::Md5 => cert.der.as_deref().map(md5_hex),
    }
}

fn pem(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(PEM_LINE));
        out.push_str(line);
        out.push('\n');
        rest = tail;
    }
    out.push_str("-----END CERTIFICATE-----\n");
    out
}

fn md5_hex(der: &[u8]) -> String {
    Md5::digest(der).iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_certificate() {
        let cert = PeerCertificate {
            common_name: Some("device-7".into()),
            subject_dn: Some("CN=device-7,O=Plant".into()),
            der: Some(b"abc".as_slice().into()),
            from_proxy: false,
        };
        let cases = [
            (PeerCertField::Disabled, None),
            (PeerCertField::Cn, Some("device-7")),
            (PeerCertField::Dn, Some("CN=device-7,O=Plant")),
            (PeerCertField::Crt, Some("YWJj")),
            // RFC 1321, appendix A.5.
            (PeerCertField::Md5, Some("900150983cd24fb0d6963f7d28e17f72")),
            (
                PeerCertField::Pem,
                Some("-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n"),
            ),
        ];
        for (field, want) in cases {
            assert_eq!(field_of(&cert, field).as_deref(), want, "{field:?}");
        }
        let by_proxy = PeerCertificate { der: None, from_proxy: true, ..cert };
        assert_eq!(field_of(&by_proxy, PeerCertField::Md5), None);
        assert_eq!(field_of(&by_proxy, PeerCertField::Cn).as_deref(), Some("device-7"));
    }

    #[test]
    fn a_line_of_pem_has_64_characters() {
        let text = pem(&[0; 100]);
        let longest = text.lines().map(str::len).max();
        assert_eq!((longest, text.lines().count()), (Some(64), 5));
    }
}
