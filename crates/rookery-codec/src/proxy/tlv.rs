//! The values of version 2 that a broker has a use for.

use super::{ProxyError, crc32c::crc32c};

const AUTHORITY: u8 = 0x02;
const CRC32C: u8 = 0x03;
const SSL: u8 = 0x20;
const SSL_VERSION: u8 = 0x21;
const SSL_CN: u8 = 0x22;

/// Bits of the `client` field: there was TLS; a certificate came over this connection, or earlier
/// in the TLS session.
const CLIENT_SSL: u8 = 0x01;
const CLIENT_CERT: u8 = 0x02 | 0x04;

/// What version 2 may add to the addresses. Other values are skipped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values {
    /// The host name that the client asked for (SNI).
    pub authority: Option<Box<str>>,
    /// The TLS connection between client and proxy.
    pub ssl: Option<Ssl>,
    /// A checksum was there, and right.
    pub has_checksum: bool,
}

/// The TLS connection between client and proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssl {
    /// Bits as sent: 1 TLS, 2 certificate in this connection, 4 certificate in this session.
    pub client: u8,
    /// 0 when the certificate was verified.
    pub verify: u32,
    /// `TLSv1.3` and the like.
    pub version: Option<Box<str>>,
    /// The common name of the client's certificate, as the proxy read it.
    pub common_name: Option<Box<str>>,
}

impl Ssl {
    /// Whether the client spoke TLS to the proxy.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.client & CLIENT_SSL != 0
    }

    /// The common name, if the proxy has seen the certificate and verified it.
    #[must_use]
    pub fn verified_common_name(&self) -> Option<&str> {
        let is_verified = self.is_tls() && self.client & CLIENT_CERT != 0 && self.verify == 0;
        self.common_name.as_deref().filter(|_| is_verified)
    }
}

/// Reads the values of `header`, which begin at `start` and go to its end.
pub(super) fn read_values(header: &[u8], start: usize) -> Result<Values, ProxyError> {
    let mut values = Values::default();
    let mut rest = header.get(start..).unwrap_or_default();
    while !rest.is_empty() {
        let (kind, value, behind) = split_value(rest)?;
        match kind {
            AUTHORITY => values.authority = Some(text(value)?),
            SSL => values.ssl = Some(read_ssl(value)?),
            CRC32C => {
                let stands_at = header.len() - behind.len() - value.len();
                check(header, stands_at, value)?;
                values.has_checksum = true;
            }
            _ => {}
        }
        rest = behind;
    }
    Ok(values)
}

fn split_value(input: &[u8]) -> Result<(u8, &[u8], &[u8]), ProxyError> {
    let short = ProxyError::Malformed("a value is cut off");
    let (&[kind, high, low], rest) = input.split_first_chunk::<3>().ok_or(short)?;
    let len = usize::from(u16::from_be_bytes([high, low]));
    let (value, behind) = rest.split_at_checked(len).ok_or(short)?;
    Ok((kind, value, behind))
}

fn text(value: &[u8]) -> Result<Box<str>, ProxyError> {
    str::from_utf8(value).map(Box::from).map_err(|_| ProxyError::Malformed("a value is not UTF-8"))
}

fn read_ssl(value: &[u8]) -> Result<Ssl, ProxyError> {
    let short = ProxyError::Malformed("SSL value is cut off");
    let (&client, rest) = value.split_first().ok_or(short)?;
    let (verify, mut rest) = rest.split_first_chunk::<4>().ok_or(short)?;
    let verify = u32::from_be_bytes(*verify);
    let mut ssl = Ssl { client, verify, version: None, common_name: None };
    while !rest.is_empty() {
        let (kind, value, behind) = split_value(rest)?;
        match kind {
            SSL_VERSION => ssl.version = Some(text(value)?),
            SSL_CN => ssl.common_name = Some(text(value)?),
            _ => {}
        }
        rest = behind;
    }
    Ok(ssl)
}

/// The checksum is made over the whole header with its own four bytes as zeros.
fn check(header: &[u8], stands_at: usize, value: &[u8]) -> Result<(), ProxyError> {
    let sent: [u8; 4] =
        value.try_into().map_err(|_| ProxyError::Malformed("checksum is not four bytes"))?;
    let before = header.get(..stands_at).unwrap_or_default();
    let behind = header.get(stands_at + 4..).unwrap_or_default();
    let found = crc32c([before, &[0; 4], behind]);
    if found == u32::from_be_bytes(sent) { Ok(()) } else { Err(ProxyError::Checksum) }
}
