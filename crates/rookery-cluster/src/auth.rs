//! How two nodes that share a secret find out that they do, without telling it.
//!
//! Caller and called each choose 32 random octets and show HMAC-SHA256 over everything both said,
//! under a key made of the secret, with their part in front: what one shows is of no use as the
//! other's. The called one shows first, so a caller tells nobody but a member anything but names.
//!
//! What follows on the connection is not protected by this: who can change bytes between the
//! nodes can still do so.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::frame::{Frame, Hello};

type HmacSha256 = Hmac<Sha256>;

/// The shortest secret that may be.
pub const SECRET_BYTES_MIN: usize = 16;

/// The secret of a cluster. It has no text form.
#[derive(Clone)]
pub struct Secret(HmacSha256);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Who shows that it knows the secret.
#[derive(Copy, Clone)]
enum Part {
    Caller,
    Called,
}

impl Secret {
    /// Of the octets that every node of the cluster has; none if they are too few.
    #[must_use]
    pub fn new(octets: &[u8]) -> Option<Self> {
        if octets.len() < SECRET_BYTES_MIN {
            return None;
        }
        let mut root = HmacSha256::new_from_slice(octets).ok()?;
        root.update(b"rookery lanes 1");
        let key = root.finalize().into_bytes();
        HmacSha256::new_from_slice(&key).ok().map(Self)
    }

    fn over(&self, part: Part, hello: &Hello<'_>, nonce: &[u8; 32]) -> HmacSha256 {
        let mut mac = self.0.clone();
        mac.update(match part {
            Part::Caller => b"caller",
            Part::Called => b"called",
        });
        let mut said = Vec::new();
        Frame::Hello(*hello).encode(&mut said);
        mac.update(&said);
        mac.update(nonce);
        mac
    }

    fn show(&self, part: Part, hello: &Hello<'_>, nonce: &[u8; 32]) -> [u8; 32] {
        self.over(part, hello, nonce).finalize().into_bytes().into()
    }

    /// Compares in constant time.
    fn check(&self, part: Part, hello: &Hello<'_>, nonce: &[u8; 32], shown: &[u8; 32]) -> bool {
        self.over(part, hello, nonce).verify_slice(shown).is_ok()
    }

    /// What the called one answers to a Hello.
    #[must_use]
    pub fn challenge(&self, hello: &Hello<'_>, nonce: [u8; 32]) -> Frame<'static> {
        Frame::Challenge { nonce, proof: self.show(Part::Called, hello, &nonce) }
    }

    /// What the caller answers to that; none if the other one does not know the secret.
    #[must_use]
    pub fn prove(
        &self,
        hello: &Hello<'_>,
        nonce: &[u8; 32],
        shown: &[u8; 32],
    ) -> Option<Frame<'static>> {
        self.check(Part::Called, hello, nonce, shown)
            .then(|| Frame::Proof(self.show(Part::Caller, hello, nonce)))
    }

    /// Whether the caller knows the secret.
    #[must_use]
    pub fn is_proven(&self, hello: &Hello<'_>, nonce: &[u8; 32], shown: &[u8; 32]) -> bool {
        self.check(Part::Caller, hello, nonce, shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Identity;

    fn hello(nonce: u8) -> Hello<'static> {
        Hello {
            protocol: 1,
            from: Identity { name: "a@h", incarnation: 7 },
            to: Identity { name: "b@h", incarnation: 9 },
            lane: 0,
            lanes: 2,
            stream: 3,
            taken: 0,
            nonce: [nonce; 32],
        }
    }

    fn parts(frame: Frame<'_>) -> ([u8; 32], [u8; 32]) {
        match frame {
            Frame::Challenge { nonce, proof } => (nonce, proof),
            Frame::Proof(proof) => ([0; 32], proof),
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn only_who_knows_the_secret_gets_through_and_only_once() {
        let secret = Secret::new(b"0123456789abcdef").unwrap();
        let stranger = Secret::new(b"0123456789abcdeF").unwrap();
        let said = hello(1);
        let (nonce, shown) = parts(secret.challenge(&said, [2; 32]));
        assert!(stranger.prove(&said, &nonce, &shown).is_none());
        let (_, proof) = parts(secret.prove(&said, &nonce, &shown).unwrap());
        assert!(secret.is_proven(&said, &nonce, &proof));
        assert!(!stranger.is_proven(&said, &nonce, &proof));
        // What was shown once, or by the other side, or for another lane or name, proves nothing.
        assert!(!secret.is_proven(&said, &[3; 32], &proof));
        assert!(!secret.is_proven(&said, &nonce, &shown));
        assert!(!secret.is_proven(&hello(4), &nonce, &proof));
        assert!(!secret.is_proven(&Hello { lane: 1, ..said }, &nonce, &proof));
        let renamed = Hello { from: Identity { name: "c@h", incarnation: 7 }, ..said };
        assert!(!secret.is_proven(&renamed, &nonce, &proof));
        let restarted = Hello { to: Identity { name: "b@h", incarnation: 10 }, ..said };
        assert!(!secret.is_proven(&restarted, &nonce, &proof));
    }

    #[test]
    fn a_short_secret_is_none_and_none_is_ever_shown() {
        assert!(Secret::new(b"short").is_none());
        assert_eq!(format!("{:?}", Secret::new(&[7; 32]).unwrap()), "***");
    }
}
