//! Private keys from PEM.

use std::sync::Arc;

use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::der::{Decode, SecretDocument};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;

use super::files::{File, Problem};

const ENCRYPTED_BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const ENCRYPTED_END: &str = "-----END ENCRYPTED PRIVATE KEY-----";
const SUPPORTED: &str =
    "the key is none of RSA (2048 bits or more), EC (P-256, P-384, P-521), Ed25519";

/// The key in a file.
pub(super) fn read(
    file: &File,
    password: Option<&str>,
    provider: &CryptoProvider,
) -> Result<Arc<dyn SigningKey>, Problem> {
    let der = parse(file, password)?;
    provider.key_provider.load_private_key(der).map_err(|_| file.problem(SUPPORTED))
}

fn parse(file: &File, password: Option<&str>) -> Result<PrivateKeyDer<'static>, Problem> {
    let text = String::from_utf8_lossy(&file.bytes);
    if let Some(from) = text.find(ENCRYPTED_BEGIN) {
        let rest = text.get(from..).unwrap_or_default();
        let until = rest.find(ENCRYPTED_END).map_or(rest.len(), |at| at + ENCRYPTED_END.len());
        return decrypt(file, rest.get(..until).unwrap_or_default(), password);
    }
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        let path = file.path.display();
        return Err(file.problem(format!(
            "encrypted in the old OpenSSL format, which is too weak to be read; convert it with \
             `openssl pkcs8 -topk8 -v2 aes-256-cbc -in {path} -out {path}.new`"
        )));
    }
    PrivateKeyDer::from_pem_slice(&file.bytes).map_err(|_| {
        file.problem(if file.has_section("CERTIFICATE") {
            "holds a certificate but no private key; are certfile and keyfile swapped?"
        } else {
            "holds no private key in PEM format"
        })
    })
}

/// PKCS #8 with PBES2 (RFC 8018).
fn decrypt(
    file: &File,
    pem: &str,
    password: Option<&str>,
) -> Result<PrivateKeyDer<'static>, Problem> {
    let password = password
        .filter(|password| !password.is_empty())
        .ok_or_else(|| file.problem("the key is encrypted and `password` is not set"))?;
    let (_, document) = SecretDocument::from_pem(pem)
        .map_err(|_| file.problem("the encrypted key is not valid PEM"))?;
    let info = EncryptedPrivateKeyInfoRef::from_der(document.as_bytes()).map_err(|_| {
        let path = file.path.display();
        file.problem(format!(
            "encrypted with an algorithm that is not supported (PBES2 with AES or 3DES is); convert it \
             with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in {path} -out {path}.new`"
        ))
    })?;
    let plain = info
        .decrypt(password)
        .map_err(|_| file.problem("the key cannot be decrypted; is `password` right?"))?;
    Ok(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(plain.as_bytes().to_vec())))
}
