//! Failed handshakes in words that say what to do.

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

/// What an operator reads about a handshake that failed.
pub(crate) fn handshake(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => certificate(error),
        Error::NoCertificatesPresented => {
            "the client showed no certificate and fail_if_no_peer_cert is true".into()
        }
        Error::AlertReceived(alert) => alert_text(*alert),
        Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::Tls13RequiredForQuic
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => "the client offers no TLS version that `versions` allows (1.1 and older are not supported)".into(),
        Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon) => {
            "no cipher suite in common (pre-shared keys and suites without forward secrecy are not supported)".into()
        }
        Error::InvalidMessage(_) => format!("this is no TLS handshake: {error}"),
        _ => error.to_string(),
    }
}

fn certificate(error: &CertificateError) -> String {
    let text = match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the client's certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the client's certificate is not valid yet; are the clocks right?"
        }
        CertificateError::Revoked => "the client's certificate is revoked",
        CertificateError::UnknownIssuer => {
            "the client's certificate is signed by no CA of cacertfile (or over more intermediates than depth)"
        }
        CertificateError::UnknownRevocationStatus => {
            "crlfile holds no list of the CA that signed the client's certificate"
        }
        CertificateError::BadSignature => "the signature of the client's certificate is wrong",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the client's certificate is not for client authentication (extendedKeyUsage)"
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "the client's certificate is signed with an algorithm that is not supported; SHA-1 is too \
             weak, sign it again with `openssl x509 -req -sha256 …`"
        }
        CertificateError::Other(other) => {
            let text = other.to_string();
            if text.contains("UnsupportedCertVersion") {
                return "the client's certificate is X.509 version 1; issue it again as version 3 with \
                        `openssl x509 -req -sha256 -extfile <(echo basicConstraints=CA:FALSE) …`"
                    .into();
            }
            return format!("the client's certificate is refused: {text}");
        }
        _ => return format!("the client's certificate is refused: {error}"),
    };
    text.into()
}

fn alert_text(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::UnknownCA => {
            "the client does not trust the CA of our certificate (alert unknown_ca)".into()
        }
        AlertDescription::BadCertificate | AlertDescription::CertificateUnknown => {
            "the client refuses our certificate; does it carry the name that the client connects to?"
                .into()
        }
        AlertDescription::CertificateExpired => "the client says that our certificate has expired".into(),
        other => format!("the client sent the alert {other:?}"),
    }
}

/// What an operator reads about a handshake with a server that failed.
pub(crate) fn of_server(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => server_certificate(error),
        Error::AlertReceived(alert) => match alert {
            AlertDescription::CertificateRequired | AlertDescription::HandshakeFailure => {
                "the server wants a certificate of this client, or has no cipher suite in common"
                    .into()
            }
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown => {
                format!("the server refuses the certificate of this client (alert {alert:?})")
            }
            other => format!("the server sent the alert {other:?}"),
        },
        Error::InvalidMessage(_) => format!("the server does not speak TLS: {error}"),
        _ => error.to_string(),
    }
}

fn server_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            "the server's certificate is signed by no CA of cacertfile".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate does not carry the name that is connected to; set \
             server_name_indication to one that it carries"
                .into()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet; are the clocks right?".into()
        }
        _ => format!("the server's certificate is refused: {error}"),
    }
}
