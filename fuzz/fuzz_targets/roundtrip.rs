//! What was decoded is encoded, and decodes as the same packet. The first byte chooses the version.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_codec::{Packet, Version, decode, parse_header};
use rookery_fuzz::each_packet;

const VERSIONS: [Version; 3] = [Version::V5, Version::V311, Version::V31];

fuzz_target!(|data: &[u8]| {
    let Some((choice, stream)) = data.split_first() else {
        return;
    };
    let version = VERSIONS[usize::from(*choice) % VERSIONS.len()];
    each_packet(stream, version, |packet| check(packet, version));
});

fn check(packet: &Packet<'_>, version: Version) {
    let mut bytes = Vec::new();
    packet.encode(version, &mut bytes);
    let header = parse_header(&bytes)
        .expect("a header")
        .expect("a whole header");
    assert_eq!(header.total_len(), bytes.len());
    let again = decode(header.first, &bytes[header.header_len..], version).expect("a packet");
    assert_eq!(again, *packet);
    let mut bytes_again = Vec::new();
    again.encode(version, &mut bytes_again);
    assert_eq!(bytes_again, bytes);
}
