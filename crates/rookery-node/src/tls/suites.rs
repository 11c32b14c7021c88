//! Cipher suites by the names that configurations use.

use rustls::SupportedCipherSuite;
use rustls::crypto::CryptoProvider;

use super::files::Problem;

/// OpenSSL's names of the suites of TLS 1.2 that rustls has; those of 1.3 are named alike everywhere.
const OPENSSL_NAMES: [(&str, &str); 6] = [
    ("ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    ("ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    ("ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    ("ECDHE-RSA-CHACHA20-POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
];

/// The suites of these names, in their order; all when none are named. Names of suites that are not
/// supported are passed over as long as another is left, as OpenSSL does.
pub(super) fn select(
    provider: &CryptoProvider,
    names: &[String],
) -> Result<Vec<SupportedCipherSuite>, Problem> {
    if names.is_empty() {
        return Ok(provider.cipher_suites.clone());
    }
    let problem = |detail: String| Problem { field: "ciphers".into(), file: None, detail };
    if let Some(psk) = names.iter().find(|name| name.to_ascii_uppercase().contains("PSK")) {
        return Err(problem(format!(
            "{psk}: pre-shared keys are not supported, the TLS library has none; use certificates"
        )));
    }
    let mut found: Vec<SupportedCipherSuite> = Vec::new();
    for name in names {
        let suite = by_name(provider, name);
        found.extend(suite.filter(|suite| !found.contains(suite)));
    }
    if found.is_empty() {
        let known: Vec<String> = provider.cipher_suites.iter().map(iana_name).collect();
        return Err(problem(format!(
            "none of these is supported; those that are: {}",
            known.join(", ")
        )));
    }
    Ok(found)
}

fn by_name(provider: &CryptoProvider, name: &str) -> Option<SupportedCipherSuite> {
    let name = name.to_ascii_uppercase();
    let known = OPENSSL_NAMES.iter().find(|(openssl, _)| *openssl == name);
    let iana = known.map_or(name.as_str(), |(_, iana)| *iana);
    provider.cipher_suites.iter().copied().find(|suite| iana_name(suite) == iana)
}

fn iana_name(suite: &SupportedCipherSuite) -> String {
    // rustls marks what belongs to 1.3 in the name; IANA does not.
    format!("{:?}", suite.suite()).replacen("TLS13_", "TLS_", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select_names(names: &[&str]) -> Result<Vec<String>, Problem> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Ok(select(&provider, &names)?.iter().map(iana_name).collect())
    }

    #[test]
    fn suites_go_by_either_name_and_in_the_order_given() {
        let found = select_names(&[
            "ECDHE-RSA-AES128-GCM-SHA256",
            "AES256-SHA",
            "TLS_AES_128_GCM_SHA256",
            "tls_ecdhe_rsa_with_aes_128_gcm_sha256",
        ]);
        assert_eq!(
            found,
            Ok(vec![
                "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".to_owned(),
                "TLS_AES_128_GCM_SHA256".to_owned()
            ])
        );
    }

    #[test]
    fn every_openssl_name_is_a_suite_that_there_is() {
        for (openssl, iana) in OPENSSL_NAMES {
            assert_eq!(select_names(&[openssl]), Ok(vec![iana.to_owned()]));
        }
    }

    #[test]
    fn pre_shared_keys_and_nothing_at_all_are_refused() {
        let psk = select_names(&["RSA-PSK-AES256-GCM-SHA384"]).map_err(|p| p.detail);
        assert!(psk.is_err_and(|text| text.contains("pre-shared keys are not supported")));
        let none = select_names(&["AES256-SHA"]).map_err(|p| p.detail);
        assert!(none.is_err_and(|text| text.contains("TLS_AES_256_GCM_SHA384")));
    }
}
