//! Frames of versions that are out there: their bytes are read, and written as they were.
//!
//! A node of the previous minor version is in the same cluster. What stands here is never changed; a
//! release adds its own.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use rookery_cluster::frame::{Frame, next};

/// Bytes of a frame without its length: kind and body.
fn framed(parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut bytes = (body.len() as u32).to_le_bytes().to_vec();
    bytes.extend_from_slice(&body);
    bytes
}

const ONE: [u8; 8] = [1, 0, 0, 0, 0, 0, 0, 0];
const TWO: [u8; 8] = [2, 0, 0, 0, 0, 0, 0, 0];

/// What nodes of 0.1 say.
fn of_0_1() -> Vec<(&'static str, Vec<u8>)> {
    let hello = framed(&[
        &[1, 1, 0], // PROTOCOL 1
        &[3, 0],
        b"a@n",
        &ONE,
        &[3, 0],
        b"b@n",
        &TWO,
        &[0, 0, 4, 0], // lane 0 of 4
        &ONE,
        &TWO,
        &[9; 32],
    ]);
    vec![
        ("Hello", hello),
        ("Challenge", framed(&[&[2], &[1; 32], &[2; 32]])),
        ("Proof", framed(&[&[3], &[3; 32]])),
        ("Welcome, no routes", framed(&[&[4], &ONE, &[0], &[0; 8]])),
        ("Welcome, routes", framed(&[&[4], &ONE, &[1], &TWO])),
        ("Welcome, routes and what all hold", framed(&[&[4], &ONE, &[3], &TWO])),
        ("Refused: not me", framed(&[&[5, 1]])),
        ("Refused: unknown", framed(&[&[5, 2]])),
        ("Refused: protocol", framed(&[&[5, 3]])),
        ("Batch", framed(&[&[10], &ONE, b"items"])),
        ("Taken", framed(&[&[11], &ONE])),
        ("Ping", framed(&[&[12]])),
        ("Pong", framed(&[&[13]])),
        ("RoutesBegin", framed(&[&[20]])),
        ("Routes", framed(&[&[21], &ONE, b"items"])),
        ("RoutesEnd", framed(&[&[22]])),
        ("RoutesDigest", framed(&[&[23], &ONE, &TWO, &ONE])),
        ("RoutesWanted", framed(&[&[24]])),
    ]
}

#[test]
fn what_an_earlier_node_says_is_read_and_would_be_said_alike() {
    for (name, bytes) in of_0_1() {
        let (frame, len) = next(&bytes, 1024).unwrap().unwrap();
        assert_eq!(len, bytes.len(), "{name}");
        let mut again = Vec::new();
        frame.encode(&mut again);
        assert_eq!(again, bytes, "{name}");
    }
}

#[test]
fn a_welcome_with_flags_of_a_later_version_is_a_welcome() {
    let bytes = framed(&[&[4], &ONE, &[0xff], &TWO]);
    let (frame, _) = next(&bytes, 1024).unwrap().unwrap();
    assert!(matches!(frame, Frame::Welcome { taken: 1, routes: Some(2), has_replica: true, .. }));
}
