//! What the broker knows about a client's certificate.

/// A certificate that a client proved to own in its TLS handshake, or that a trusted balancer
/// vouches for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerCertificate {
    /// Common Name of the subject.
    pub common_name: Option<Box<str>>,
    /// Distinguished name of the subject as in RFC 4514, such as `CN=pump-7,O=Example`.
    pub subject: Box<str>,
    /// The certificate itself; empty when only a balancer has seen it.
    pub der: Box<[u8]>,
    /// End of its validity, seconds since 1970; 0 when unknown.
    pub not_after_unix_s: i64,
}

impl PeerCertificate {
    /// The certificate as PEM; none when only a balancer has seen it.
    #[must_use]
    pub fn pem(&self) -> Option<String> {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const LINE_BYTES: usize = 48;
        if self.der.is_empty() {
            return None;
        }
        let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
        for line in self.der.chunks(LINE_BYTES) {
            for group in line.chunks(3) {
                let byte = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
                let word = byte(0) << 16 | byte(1) << 8 | byte(2);
                for i in 0..4_usize {
                    let index = (word >> (18 - 6 * i)) & 0x3f;
                    let letter = ALPHABET.get(index as usize).copied().unwrap_or(b'=');
                    text.push(if i <= group.len() { char::from(letter) } else { '=' });
                }
            }
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem_of(der: &[u8]) -> Option<String> {
        PeerCertificate { der: der.into(), ..PeerCertificate::default() }.pem()
    }

    #[test]
    fn pem_is_base64_in_lines_of_64() {
        let text = pem_of(&[0xff; 50]).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "-----BEGIN CERTIFICATE-----");
        assert_eq!(lines[1], "/".repeat(64));
        assert_eq!(lines[2], "//8=");
        assert_eq!(lines[3], "-----END CERTIFICATE-----");
        assert!(pem_of(b"M").is_some_and(|text| text.contains("TQ==")));
        assert!(pem_of(b"Man").is_some_and(|text| text.contains("TWFu")));
    }

    #[test]
    fn without_the_certificate_there_is_no_pem() {
        assert_eq!(pem_of(&[]), None);
    }
}
