//! Which reason codes each packet may carry, MQTT-5.0 table 2.6.

use crate::{DecodeError, ReasonCode};

/// A set of reason codes as a bit map: the table costs 32 bytes and one shift.
pub(crate) struct ReasonSet([u64; 4]);

impl ReasonSet {
    const fn of(codes: &[u8]) -> Self {
        let mut low = 0_u64;
        let mut high = [0_u64; 2];
        let mut rest = codes;
        while let [code, tail @ ..] = rest {
            match *code {
                0..64 => low |= 1 << *code,
                128..192 => high[0] |= 1 << (*code - 128),
                _ => {}
            }
            rest = tail;
        }
        Self([low, 0, high[0], high[1]])
    }

    /// The code, if this packet may carry it.
    pub(crate) fn check(&self, code: u8) -> Result<ReasonCode, DecodeError> {
        let bits = self.0.get(usize::from(code >> 6)).copied().unwrap_or(0);
        if bits >> (code & 63) & 1 == 1 {
            Ok(ReasonCode(code))
        } else {
            Err(DecodeError::Protocol("reason code not allowed in this packet"))
        }
    }
}

pub(crate) const CONNACK: ReasonSet = ReasonSet::of(&[
    0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97,
    0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F,
]);
/// PUBACK and PUBREC.
pub(crate) const PUBACK: ReasonSet =
    ReasonSet::of(&[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]);
/// PUBREL and PUBCOMP.
pub(crate) const PUBREL: ReasonSet = ReasonSet::of(&[0x00, 0x92]);
pub(crate) const SUBACK: ReasonSet =
    ReasonSet::of(&[0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2]);
/// SUBACK of 3.1 and 3.1.1.
pub(crate) const SUBACK_V3: ReasonSet = ReasonSet::of(&[0x00, 0x01, 0x02, 0x80]);
pub(crate) const UNSUBACK: ReasonSet = ReasonSet::of(&[0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91]);
/// Both directions: what only a server may send is not told apart here.
pub(crate) const DISCONNECT: ReasonSet = ReasonSet::of(&[
    0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95,
    0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
]);
pub(crate) const AUTH: ReasonSet = ReasonSet::of(&[0x00, 0x18, 0x19]);
