//! From files to something that handshakes: everything that can be wrong with them is found here.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, NoServerSessionStorage, ProducesTickets, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, InconsistentKeys, RootCertStore, ServerConfig, SignatureScheme,
    SupportedProtocolVersion,
};

use super::facts::{Facts, ListFacts};
use super::files::{File, Problem};
use super::verify::ClientVerifier;
use super::{keys, suites};
use crate::api::{TlsConfig, TlsVerify, TlsVersion};

/// Intermediates that rustls builds a path over.
pub(crate) const DEPTH_MAX: u32 = 6;
/// Certificates of one file.
const CERTIFICATES_MAX: usize = 10_000;
/// Tickets sent after a full handshake: one is what a device comes back with.
const TICKETS: usize = 1;

/// What a listener's handshakes are made with.
pub(crate) struct Material {
    pub(super) config: Arc<ServerConfig>,
    pub(super) verifier: Option<Arc<ClientVerifier>>,
    /// Every certificate that can expire under us.
    pub(super) certificates: Vec<Certificate>,
    /// The files as they were read.
    pub(super) files: Vec<File>,
    /// Stands for whom clients' certificates are checked against.
    trust: Vec<u8>,
}

/// A certificate of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    pub(crate) field: String,
    pub(crate) file: PathBuf,
    pub(crate) subject: String,
    pub(crate) not_after_unix_s: i64,
}

impl std::fmt::Debug for Material {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Material").field("certificates", &self.certificates).finish_non_exhaustive()
    }
}

impl Material {
    /// Whether clients that this one admitted could be refused by `other`.
    pub(super) fn trusts_as(&self, other: &Self) -> bool {
        self.trust == other.trust
    }

    /// Whether the files that `other` was read from hold the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.files.len() == other.files.len()
            && self
                .files
                .iter()
                .zip(&other.files)
                .all(|(a, b)| a.path == b.path && a.bytes == b.bytes)
    }
}

/// Collects while files are read.
struct Loader<'a> {
    settings: &'a TlsConfig,
    provider: Arc<CryptoProvider>,
    now_unix_s: i64,
    files: Vec<File>,
    certificates: Vec<Certificate>,
}

/// Reads everything that `settings` names. Ticket keys of `before` are kept as long as the same
/// clients are trusted.
pub(super) fn load(settings: &TlsConfig, before: Option<&Material>) -> Result<Material, Problem> {
    check(settings)?;
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.cipher_suites = suites::select(&provider, &settings.ciphers)?;
    let mut loader = Loader {
        settings,
        provider: Arc::new(provider),
        now_unix_s: i64::try_from(unix.as_secs()).unwrap_or(i64::MAX),
        files: Vec::new(),
        certificates: Vec::new(),
    };
    let default = loader.pair("certfile", &settings.certfile, "keyfile", &settings.keyfile)?;
    let mut by_name = HashMap::new();
    for entry in &settings.sni {
        let name = &entry.server_name;
        let (certfile, keyfile) = (format!("sni.{name}.certfile"), format!("sni.{name}.keyfile"));
        let pair = loader.pair(&certfile, &entry.certfile, &keyfile, &entry.keyfile)?;
        by_name.insert(entry.server_name.to_ascii_lowercase(), pair);
    }
    let (verifier, trust) = loader.verifier(&default)?;
    let failed = |error: rustls::Error| Problem {
        field: "ssl_options".into(),
        file: None,
        detail: error.to_string(),
    };
    let versions = loader.versions()?;
    let builder = ServerConfig::builder_with_provider(loader.provider.clone())
        .with_protocol_versions(&versions)
        .map_err(failed)?;
    let builder = match verifier.clone() {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(ByName { default, by_name }));
    // Tickets carry the session to the client; nothing is kept here for clients that may return.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    if settings.session_tickets {
        config.send_tls13_tickets = TICKETS;
        config.ticketer = match before.filter(|b| b.trust == trust && b.config.ticketer.enabled()) {
            Some(before) => before.config.ticketer.clone(),
            None => new_ticketer().map_err(failed)?,
        };
    }
    Ok(Material {
        config: Arc::new(config),
        verifier,
        certificates: loader.certificates,
        files: loader.files,
        trust,
    })
}

/// Who connects as one of several equals: shows what `certfile` holds, trusts `cacertfile`.
pub(super) fn load_client(settings: &TlsConfig) -> Result<Arc<ClientConfig>, Problem> {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut loader = Loader {
        settings,
        provider: Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
        now_unix_s: i64::try_from(unix.as_secs()).unwrap_or(i64::MAX),
        files: Vec::new(),
        certificates: Vec::new(),
    };
    let pair = loader.pair("certfile", &settings.certfile, "keyfile", &settings.keyfile)?;
    let failed = |detail: String| Problem { field: "ssl_options".into(), file: None, detail };
    let path = settings.cacertfile.as_deref();
    let path = path.ok_or_else(|| failed("cacertfile is needed".into()))?;
    let roots = loader.roots(&File::read("cacertfile", path)?)?;
    let config = ClientConfig::builder_with_provider(loader.provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| failed(error.to_string()))?
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(Own(pair)));
    Ok(Arc::new(config))
}

/// The one certificate of a node.
#[derive(Debug)]
struct Own(Arc<CertifiedKey>);

impl ResolvesClientCert for Own {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn new_ticketer() -> Result<Arc<dyn ProducesTickets>, rustls::Error> {
    rustls::crypto::aws_lc_rs::Ticketer::new()
}

/// Settings that cannot be, whatever the files hold.
fn check(settings: &TlsConfig) -> Result<(), Problem> {
    let problem = |field: &str, detail: &str| {
        Err(Problem { field: field.into(), file: None, detail: detail.into() })
    };
    if settings.depth > DEPTH_MAX {
        return problem("depth", "more than 6 intermediate certificates are not supported");
    }
    if settings.versions.is_empty() {
        return problem("versions", "no version is left; tlsv1.2 and tlsv1.3 are supported");
    }
    if settings.verify == TlsVerify::Peer && settings.cacertfile.is_none() {
        return problem("cacertfile", "verify_peer needs the CA that signs clients' certificates");
    }
    if settings.verify == TlsVerify::None && settings.crlfile.is_some() {
        return problem("crlfile", "has no meaning without verify = verify_peer");
    }
    if settings.verify == TlsVerify::None && settings.fail_if_no_peer_cert {
        return problem("fail_if_no_peer_cert", "has no meaning without verify = verify_peer");
    }
    Ok(())
}

impl Loader<'_> {
    /// The versions that there is a cipher suite for: a client must not be held to another one.
    fn versions(&self) -> Result<Vec<&'static SupportedProtocolVersion>, Problem> {
        let wanted = self.settings.versions.iter().map(|version| version.rustls());
        let suites = &self.provider.cipher_suites;
        let usable = |version: &&'static SupportedProtocolVersion| {
            suites.iter().any(|suite| suite.version().version == version.version)
        };
        let versions: Vec<_> = wanted.filter(usable).collect();
        if versions.is_empty() {
            let detail = "none of them is for one of `versions`".to_owned();
            return Err(Problem { field: "ciphers".into(), file: None, detail });
        }
        Ok(versions)
    }

    /// A certificate chain and its key.
    fn pair(
        &mut self,
        certfile_field: &str,
        certfile: &std::path::Path,
        keyfile_field: &str,
        keyfile: &std::path::Path,
    ) -> Result<Arc<CertifiedKey>, Problem> {
        let file = File::read(certfile_field, certfile)?;
        let chain = certificates(&file)?;
        self.check_chain(&file, &chain)?;
        let key_file = File::read(keyfile_field, keyfile)?;
        let password = self.settings.password.as_deref();
        let key = keys::read(&key_file, password, &self.provider)?;
        let pair = CertifiedKey::new(chain, key);
        match pair.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(rustls::Error::InconsistentKeys(_)) => {
                let detail =
                    format!("does not belong to the certificate in {}", certfile.display());
                return Err(key_file.problem(detail));
            }
            Err(error) => return Err(file.problem(error.to_string())),
        }
        self.files.extend([file, key_file]);
        Ok(Arc::new(pair))
    }

    fn check_chain(&mut self, file: &File, chain: &[CertificateDer<'_>]) -> Result<(), Problem> {
        let path = file.path.display();
        for (index, der) in chain.iter().enumerate() {
            let facts = Facts::read(der)
                .ok_or_else(|| file.problem(format!("certificate {} is damaged", index + 1)))?;
            let subject = &facts.subject;
            // The root of a chain is known to clients already: what it looks like does not matter.
            let is_root = index > 0 && facts.subject == facts.issuer;
            if facts.is_v1 && !is_root {
                return Err(file.problem(format!(
                    "{subject} is X.509 version 1; issue it again as version 3 with `openssl x509 -req \
                     -sha256 -extfile <(echo basicConstraints=CA:FALSE) -in REQUEST -CA CA -CAkey CA_KEY \
                     -out {path}`"
                )));
            }
            if facts.is_sha1 && !is_root {
                return Err(file.problem(format!(
                    "{subject} is signed with SHA-1, which clients refuse; sign it again with `openssl x509 \
                     -req -sha256 -copy_extensions copy -in REQUEST -CA CA -CAkey CA_KEY -out {path}`"
                )));
            }
            if index == 0 && facts.not_after_unix_s <= self.now_unix_s {
                let date = date(facts.not_after_unix_s);
                return Err(file.problem(format!("{subject} has expired on {date}")));
            }
            if index == 0 && facts.not_before_unix_s > self.now_unix_s {
                let date = date(facts.not_before_unix_s);
                return Err(file.problem(format!("{subject} is not valid before {date}")));
            }
            self.note(file, &facts);
        }
        Ok(())
    }

    fn note(&mut self, file: &File, facts: &Facts) {
        self.certificates.push(Certificate {
            field: file.field.clone(),
            file: file.path.clone(),
            subject: facts.subject.clone(),
            not_after_unix_s: facts.not_after_unix_s,
        });
    }

    /// The verifier of clients' certificates, and what stands for its trust.
    fn verifier(
        &mut self,
        own: &CertifiedKey,
    ) -> Result<(Option<Arc<ClientVerifier>>, Vec<u8>), Problem> {
        let settings = self.settings;
        let is_wanted = settings.verify == TlsVerify::Peer;
        let mut trust = vec![u8::from(is_wanted), u8::from(settings.fail_if_no_peer_cert)];
        trust.extend(settings.depth.to_le_bytes());
        let Some(path) = &settings.cacertfile else { return Ok((None, trust)) };
        let file = File::read("cacertfile", path)?;
        let roots = self.roots(&file)?;
        trust.extend_from_slice(&file.bytes);
        if !is_wanted {
            // With verify_none the file has one purpose: to name who signed our certificate.
            self.check_signed(&file, own, &roots)?;
            self.files.push(file);
            return Ok((None, trust));
        }
        let mut crls = Vec::new();
        let mut crl_file = None;
        if let Some(path) = &settings.crlfile {
            let file = File::read("crlfile", path)?;
            crls = revocation_lists(&file)?;
            self.check_lists(&file, &crls)?;
            trust.extend_from_slice(&file.bytes);
            crl_file = Some(file);
        }
        let depth = usize::try_from(settings.depth).unwrap_or(usize::MAX);
        let provider = &self.provider;
        let is_mandatory = settings.fail_if_no_peer_cert;
        let verifier = ClientVerifier::new(roots, crls, depth, is_mandatory, provider)
            .map_err(|text| crl_file.as_ref().unwrap_or(&file).problem(text))?;
        self.files.push(file);
        self.files.extend(crl_file);
        Ok((Some(verifier), trust))
    }

    /// A list that has ended says nothing about who was revoked since. One that ends while it is in
    /// use stays in use: an alarm tells, and clients are not locked out by a late file.
    fn check_lists(
        &mut self,
        file: &File,
        lists: &[CertificateRevocationListDer<'_>],
    ) -> Result<(), Problem> {
        for facts in lists.iter().filter_map(ListFacts::read) {
            let ListFacts { issuer, next_update_unix_s } = facts;
            if next_update_unix_s <= self.now_unix_s {
                let date = date(next_update_unix_s);
                return Err(file.problem(format!(
                    "the revocation list of {issuer} has expired on {date}; fetch the new one from the CA"
                )));
            }
            self.certificates.push(Certificate {
                field: file.field.clone(),
                file: file.path.clone(),
                subject: issuer,
                not_after_unix_s: next_update_unix_s,
            });
        }
        Ok(())
    }

    fn roots(&mut self, file: &File) -> Result<RootCertStore, Problem> {
        let mut roots = RootCertStore::empty();
        for (index, der) in certificates(file)?.into_iter().enumerate() {
            let facts = Facts::read(&der)
                .ok_or_else(|| file.problem(format!("certificate {} is damaged", index + 1)))?;
            self.note(file, &facts);
            roots.add(der).map_err(|error| {
                file.problem(format!("{} cannot be trusted: {error}", facts.subject))
            })?;
        }
        Ok(roots)
    }

    /// Whether the CA signed our certificate.
    fn check_signed(
        &self,
        file: &File,
        own: &CertifiedKey,
        roots: &RootCertStore,
    ) -> Result<(), Problem> {
        let Some((first, rest)) = own.cert.split_first() else { return Ok(()) };
        let is_itself = certificates(file)?.contains(first);
        let parsed = webpki::EndEntityCert::try_from(first);
        let Ok(end_entity) = parsed else { return Ok(()) };
        let result = end_entity.verify_for_usage(
            self.provider.signature_verification_algorithms.all,
            &roots.roots,
            rest,
            UnixTime::since_unix_epoch(std::time::Duration::from_secs(
                u64::try_from(self.now_unix_s).unwrap_or(0),
            )),
            webpki::KeyUsage::server_auth(),
            None,
            None,
        );
        let is_foreign = matches!(
            result,
            Err(webpki::Error::UnknownIssuer | webpki::Error::InvalidSignatureForPublicKey)
        );
        if is_foreign && !is_itself {
            let certfile = self.settings.certfile.display();
            return Err(file.problem(format!(
                "does not sign the certificate in {certfile}; leave cacertfile out or name the CA that does"
            )));
        }
        Ok(())
    }
}

/// The certificates in a PEM file.
fn certificates(file: &File) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let read: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(&file.bytes).take(CERTIFICATES_MAX).collect();
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) if file.has_section("PRIVATE KEY") || file.has_section("RSA PRIVATE KEY") => {
            Err(file.problem("holds a private key but no certificate; are certfile and keyfile swapped?"))
        }
        Ok(_) => Err(file.problem(format!(
            "holds no certificate in PEM format; if it is DER, convert it with `openssl x509 -inform DER \
             -in {0} -out {0}.pem`",
            file.path.display()
        ))),
        Err(_) => Err(file.problem("is damaged: a PEM section cannot be read")),
    }
}

fn revocation_lists(file: &File) -> Result<Vec<CertificateRevocationListDer<'static>>, Problem> {
    let read: Result<Vec<_>, _> =
        CertificateRevocationListDer::pem_slice_iter(&file.bytes).take(CERTIFICATES_MAX).collect();
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(file.problem("holds no revocation list in PEM format")),
        Err(_) => Err(file.problem("is damaged: a PEM section cannot be read")),
    }
}

/// A day as people write it, UTC.
fn date(unix_s: i64) -> String {
    // Days to civil date, proleptic Gregorian (Howard Hinnant's algorithm).
    let days = unix_s.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

impl TlsVersion {
    fn rustls(self) -> &'static SupportedProtocolVersion {
        match self {
            Self::V12 => &rustls::version::TLS12,
            Self::V13 => &rustls::version::TLS13,
        }
    }
}

/// Chooses the certificate by the name that the client asks for.
#[derive(Debug)]
struct ByName {
    default: Arc<CertifiedKey>,
    by_name: HashMap<String, Arc<CertifiedKey>>,
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let found = hello.server_name().filter(|_| !self.by_name.is_empty()).and_then(|name| {
            let name = name.to_ascii_lowercase();
            self.by_name.get(&name).or_else(|| {
                // RFC 6125 section 6.4.3: the wildcard stands for one label.
                let (_, parent) = name.split_once('.')?;
                self.by_name.get(&format!("*.{parent}"))
            })
        });
        Some(found.unwrap_or(&self.default).clone())
    }
}

/// Whether a chain that was admitted once would be admitted now.
pub(super) fn still_holds(verifier: &ClientVerifier, chain: &[CertificateDer<'_>]) -> bool {
    let Some((first, rest)) = chain.split_first() else { return true };
    verifier.verify_client_cert(first, rest, UnixTime::now()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_are_civil() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(951_782_400), "2000-02-29");
        assert_eq!(date(4_102_444_799), "2099-12-31");
        assert_eq!(date(-1), "1969-12-31");
    }
}
