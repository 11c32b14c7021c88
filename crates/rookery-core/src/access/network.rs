//! Addresses and networks, compared without regard to how an IPv4 address is written.

use std::net::IpAddr;

/// Addresses with a common beginning.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Network {
    /// The beginning, as an IPv6 address; IPv4 lies in `::ffff:0:0/96`.
    base: u128,
    /// Bits that count.
    mask: u128,
}

/// An address as a number of 128 bits; an IPv4 address and its mapped form are the same.
#[must_use]
pub fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_ipv6_mapped()),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32` or a single address. Bits behind the prefix are ignored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().ok()?;
        let own: u32 = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
            Some(_) => return None,
            None => own,
        };
        if length > own {
            return None;
        }
        // An IPv4 prefix counts behind the 96 bits of the mapped form.
        let ignored = own - length;
        let mask = u128::MAX.checked_shl(ignored).unwrap_or(0);
        Some(Self { base: bits_of(address) & mask, mask })
    }

    /// Whether `address` lies in it.
    #[inline]
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        bits_of(address) & self.mask == self.base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let cases = [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.1.2.3/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "203.0.113.9", true),
            ("2001:db8::/32", "2001:db8:5::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::1", "::1", true),
        ];
        for (network, address, want) in cases {
            let network = Network::parse(network).unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), want, "{network:?} {address}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/+8", "host"] {
            assert_eq!(Network::parse(text), None, "{text:?}");
        }
    }
}
