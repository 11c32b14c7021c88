//! CRC-32C (Castagnoli), RFC 3720 appendix B.4. Bit by bit: a header has a few hundred bytes and
//! comes once per connection.

const POLYNOMIAL: u32 = 0x82F6_3B78;

/// The checksum of the parts in a row.
pub(super) fn crc32c(parts: [&[u8]; 3]) -> u32 {
    let mut crc = u32::MAX;
    for byte in parts.into_iter().flatten() {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let mask = (crc & 1).wrapping_neg();
            crc = (crc >> 1) ^ (POLYNOMIAL & mask);
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    #[test]
    fn known_checksums() {
        assert_eq!(crc32c([b"1234", b"56", b"789"]), 0xE306_9283);
        // RFC 3720 appendix B.4: 32 bytes of zeros.
        assert_eq!(crc32c([&[0; 32], &[], &[]]), 0x8A91_36AA);
    }
}
