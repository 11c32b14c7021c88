//! PROXY headers: what they mean, what is refused, and that pieces of any size mean the same.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a failed test")]

use std::net::{IpAddr, SocketAddr};

use proptest::{collection::vec, prelude::*};
use rookery_codec::proxy::{Endpoints, ProxyError, ProxyHeader, parse_proxy_header};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn inet(source: &str, destination: &str) -> Endpoints {
    Endpoints::Inet { source: source.parse().unwrap(), destination: destination.parse().unwrap() }
}

fn whole(input: &[u8]) -> ProxyHeader {
    let (header, len) = parse_proxy_header(input).unwrap().unwrap();
    assert_eq!(len, input.len());
    header
}

fn value(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    [&[kind], &len[..], bytes].concat()
}

fn v2(command: u8, family: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [SIGNATURE, &[0x20 | command, family], &len[..], payload].concat()
}

fn v4_addresses() -> Vec<u8> {
    vec![192, 0, 2, 1, 198, 51, 100, 7, 0xC0, 0x01, 0x07, 0x5B]
}

/// A header with a right checksum in its last value.
fn with_checksum(mut payload: Vec<u8>) -> Vec<u8> {
    payload.extend(value(3, &[0; 4]));
    let mut header = v2(1, 0x11, &payload);
    let at = header.len() - 4;
    let sum = crc32c(&header);
    header[at..].copy_from_slice(&sum.to_be_bytes());
    header
}

fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82F6_3B78 } else { crc >> 1 };
        }
    }
    !crc
}

#[test]
fn version_1_lines() {
    let header = whole(b"PROXY TCP4 192.0.2.1 198.51.100.7 49153 1883\r\n");
    assert_eq!(header.version, 1);
    assert_eq!(header.endpoints, inet("192.0.2.1:49153", "198.51.100.7:1883"));
    let header = whole(b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n");
    assert_eq!(header.endpoints, inet("[2001:db8::1]:1", "[::1]:65535"));
    for unknown in ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::f ffff::f 65535 65535\r\n"] {
        assert_eq!(whole(unknown.as_bytes()).endpoints, Endpoints::Unspecified);
    }
}

#[test]
fn what_follows_the_header_stays() {
    let input = b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n\x10\x0c";
    let (_, len) = parse_proxy_header(input).unwrap().unwrap();
    assert_eq!(&input[len..], b"\x10\x0c");
}

#[test]
fn bad_lines_of_version_1() {
    for line in [
        "PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
        "PROXY TCP4 1.2.3.4\r\n",
        "PROXY \r\n",
        "PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY UNKNOWN\n",
        // Found by fuzzing: refused when it came in pieces, taken in one.
        "PROXY UNKNOWN a\r3\n1\r\n",
    ] {
        let result = parse_proxy_header(line.as_bytes());
        assert!(matches!(result, Err(ProxyError::Malformed(_))), "{line:?}: {result:?}");
    }
    let long = format!("PROXY UNKNOWN {}", "x".repeat(200));
    assert!(parse_proxy_header(&long.as_bytes()[..106]).unwrap().is_none());
    assert!(parse_proxy_header(long.as_bytes()).is_err());
}

#[test]
fn anything_else_is_refused_at_the_first_byte_that_differs() {
    assert_eq!(parse_proxy_header(b"\x10"), Err(ProxyError::Absent));
    assert_eq!(parse_proxy_header(b"\r\n\r\n\0\r\nQUIX"), Err(ProxyError::Absent));
    assert_eq!(parse_proxy_header(b"PROXi"), Err(ProxyError::Absent));
    assert_eq!(parse_proxy_header(b""), Ok(None));
    assert_eq!(parse_proxy_header(b"PR"), Ok(None));
}

#[test]
fn version_2_addresses() {
    let header = whole(&v2(1, 0x11, &v4_addresses()));
    assert_eq!(header.version, 2);
    assert_eq!(header.endpoints, inet("192.0.2.1:49153", "198.51.100.7:1883"));
    let mut payload = vec![0; 36];
    payload[15] = 1;
    payload[31] = 2;
    payload[33] = 9;
    assert_eq!(whole(&v2(1, 0x21, &payload)).endpoints, inet("[::1]:9", "[::2]:0"));
    let mut payload = vec![0; 216];
    payload[..3].copy_from_slice(b"/a\0");
    payload[108..111].copy_from_slice(b"/bc");
    let endpoints = Endpoints::Unix { source: (*b"/a").into(), destination: (*b"/bc").into() };
    assert_eq!(whole(&v2(1, 0x31, &payload)).endpoints, endpoints);
    assert_eq!(whole(&v2(1, 0, &value(4, b"pad"))).endpoints, Endpoints::Unspecified);
    // LOCAL: whatever comes along is skipped.
    assert_eq!(whole(&v2(0, 0, b"")).endpoints, Endpoints::Local);
    assert_eq!(whole(&v2(0, 0x11, b"\xFF\xFF")).endpoints, Endpoints::Local);
}

#[test]
fn version_2_values() {
    let ssl = [
        &[0x01 | 0x02][..],
        &[0; 4],
        &value(0x21, b"TLSv1.3"),
        &value(0x23, b"ECDHE-RSA-AES128-GCM-SHA256"),
        &value(0x22, "sensor-7 ☂".as_bytes()),
    ]
    .concat();
    let payload =
        [v4_addresses(), value(2, b"mqtt.example.com"), value(0x20, &ssl), value(0xEE, b"own")]
            .concat();
    let header = whole(&with_checksum(payload));
    assert_eq!(header.values.authority.as_deref(), Some("mqtt.example.com"));
    assert!(header.values.has_checksum);
    let ssl = header.values.ssl.unwrap();
    assert_eq!(ssl.version.as_deref(), Some("TLSv1.3"));
    assert_eq!(ssl.verified_common_name(), Some("sensor-7 ☂"));
}

#[test]
fn a_common_name_counts_only_when_the_proxy_verified_the_certificate() {
    let name_of = |client: u8, verify: u32| {
        let ssl = [&[client][..], &verify.to_be_bytes(), &value(0x22, b"cn")].concat();
        let header = whole(&v2(1, 0x11, &[v4_addresses(), value(0x20, &ssl)].concat()));
        let ssl = header.values.ssl.unwrap();
        assert_eq!(ssl.common_name.as_deref(), Some("cn"));
        ssl.verified_common_name().map(str::to_owned)
    };
    assert_eq!(name_of(3, 0).as_deref(), Some("cn"));
    assert_eq!(name_of(5, 0).as_deref(), Some("cn"));
    for (client, verify) in [(3, 1), (1, 0), (2, 0), (0, 0), (7, u32::MAX)] {
        assert_eq!(name_of(client, verify), None);
    }
}

#[test]
fn bad_headers_of_version_2() {
    let malformed = |input: Vec<u8>| {
        let result = parse_proxy_header(&input);
        assert!(matches!(result, Err(ProxyError::Malformed(_))), "{input:?}: {result:?}");
    };
    malformed([SIGNATURE, &[0x11]].concat()); // version 1 in a header of version 2
    malformed([SIGNATURE, &[0x22]].concat()); // unknown command
    malformed([SIGNATURE, &[0x21, 0x41]].concat()); // unknown family
    malformed([SIGNATURE, &[0x21, 0x13]].concat()); // unknown transport
    malformed(v2(1, 0x11, &v4_addresses()[..11]));
    malformed(v2(1, 0x21, &[0; 35]));
    malformed(v2(1, 0x31, &[0; 215]));
    let with = |rest: &[u8]| v2(1, 0x11, &[&v4_addresses(), rest].concat());
    malformed(with(&[1]));
    malformed(with(&[1, 0, 2, 0]));
    malformed(with(&value(2, b"\xFF")));
    malformed(with(&value(3, b"abc")));
    malformed(with(&value(0x20, &[1, 0, 0, 0])));
    malformed(with(&value(0x20, &[1, 0, 0, 0, 0, 0x22])));
    let long = [SIGNATURE, &[0x21, 0x11, 0xFF, 0xFF]].concat();
    assert_eq!(parse_proxy_header(&long), Err(ProxyError::TooLong(65_551)));
    let mut header = with_checksum(v4_addresses());
    header[16] ^= 1;
    assert_eq!(parse_proxy_header(&header), Err(ProxyError::Checksum));
}

fn address() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip, port))
}

fn encode(source: SocketAddr, destination: SocketAddr, values: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    let family = match (source.ip(), destination.ip()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            payload.extend([a.octets(), b.octets()].concat());
            0x11
        }
        (a, b) => {
            let wide = |ip: IpAddr| match ip {
                IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                IpAddr::V6(ip) => ip.octets(),
            };
            payload.extend([wide(a), wide(b)].concat());
            0x21
        }
    };
    payload.extend(source.port().to_be_bytes());
    payload.extend(destination.port().to_be_bytes());
    payload.extend(values);
    v2(1, family, &payload)
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(input in vec(any::<u8>(), 0..300)) {
        let _ = parse_proxy_header(&input);
        let _ = parse_proxy_header(&[SIGNATURE, &input].concat());
        let _ = parse_proxy_header(&[b"PROXY ", &input[..]].concat());
        let _ = parse_proxy_header(&v2(1, 0x11, &[v4_addresses(), input].concat()));
    }

    /// Cut anywhere, a header is waited for; whole, it means what was written.
    #[test]
    fn headers_come_in_pieces(source in address(), destination in address(), pad in 0_usize..64) {
        let header = encode(source, destination, &value(4, &vec![0; pad]));
        for len in 0..header.len() {
            prop_assert_eq!(parse_proxy_header(&header[..len]), Ok(None));
        }
        let Endpoints::Inet { source: found, destination: other } = whole(&header).endpoints else {
            panic!("no addresses");
        };
        prop_assert_eq!(found.ip().to_canonical(), source.ip().to_canonical());
        prop_assert_eq!(other.ip().to_canonical(), destination.ip().to_canonical());
        prop_assert_eq!((found.port(), other.port()), (source.port(), destination.port()));
    }

    #[test]
    fn lines_come_in_pieces(source in address(), port in any::<u16>()) {
        let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
        let line = format!("PROXY {family} {} {} {} {port}\r\n", source.ip(), source.ip(), source.port());
        for len in 0..line.len() {
            prop_assert_eq!(parse_proxy_header(&line.as_bytes()[..len]), Ok(None));
        }
        let destination = SocketAddr::new(source.ip(), port);
        prop_assert_eq!(whole(line.as_bytes()).endpoints, Endpoints::Inet { source, destination });
    }

    /// A header with one byte changed is refused, or skipped as a value that nobody reads.
    #[test]
    fn a_checksum_finds_what_changed(at in 16_usize..40, bit in 0_u8..8) {
        let mut header = with_checksum([v4_addresses(), value(0xEE, &[7; 16])].concat());
        prop_assume!(at < header.len());
        header[at] ^= 1 << bit;
        // A change of a kind or length may hide the checksum itself; its value may not change.
        if !(28..31).contains(&at) {
            prop_assert!(parse_proxy_header(&header).is_err());
        }
    }
}
