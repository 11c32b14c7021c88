//! WebSocket: what a handshake gets, what frames mean, and that pieces of any size mean the same.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a failed test")]

#[path = "support/masked.rs"]
mod masked;

use masked::masked;
use proptest::{collection::vec, prelude::*};
use rookery_codec::ws::{
    CloseCode, Decoder, Deflater, End, FrameError, HEAD_BYTES_MAX, HandshakeRules, INFLATED_STEP,
    encode_close, encode_header, parse_handshake,
};

type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

/// The request of RFC 6455 section 1.3, with MQTT's sub-protocol; `extra` replaces or adds lines.
fn request(line: &str, changes: Changes<'_>) -> String {
    let mut fields = vec![
        ("Host", "server.example.com"),
        ("Upgrade", "websocket"),
        ("Connection", "keep-alive, Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Protocol", "mqtt"),
        ("Sec-WebSocket-Version", "13"),
    ];
    for (name, value) in changes {
        fields.retain(|(field, _)| field != name);
        fields.extend(value.map(|value| (*name, value)));
    }
    let fields: String =
        fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{line}\r\n{fields}\r\n")
}

const GET: &str = "GET /mqtt HTTP/1.1";

fn status(line: &str, changes: Changes<'_>) -> u16 {
    let text = request(line, changes);
    match parse_handshake(text.as_bytes(), &HandshakeRules::default()) {
        Ok(Some(_)) => 101,
        Ok(None) => 0,
        Err(refused) => {
            let head = format!("HTTP/1.1 {} ", refused.status);
            assert!(refused.response.starts_with(head.as_bytes()));
            refused.status
        }
    }
}

#[test]
fn the_handshake_of_the_standard_is_accepted() {
    let text = request(GET, &[("Origin", Some("http://x")), ("X-Forwarded-For", Some("::1"))]);
    let input = [text.as_bytes(), b"\x82\x80"].concat();
    let accepted = parse_handshake(&input, &HandshakeRules::default()).unwrap().unwrap();
    assert_eq!(
        String::from_utf8(accepted.response.clone()).unwrap(),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    );
    assert_eq!(accepted.head_len, text.len());
    assert_eq!(accepted.subprotocol.as_deref(), Some("mqtt"));
    assert_eq!(accepted.origin(), Some("http://x"));
    assert_eq!(accepted.forwarded_for(), Some("::1"));
    assert_eq!(accepted.forwarded_port(), None);
    assert_eq!(accepted.header("HOST"), Some("server.example.com"));
}

#[test]
#[rustfmt::skip] // one line for each case
fn handshakes_are_answered() {
    let cases: [(&str, Changes<'_>, u16); 21] = [
        (GET, &[], 101),
        ("GET /mqtt/ HTTP/1.1", &[], 101),
        ("GET /mqtt?token=1 HTTP/1.1", &[], 101),
        (GET, &[("Upgrade", Some("WebSocket"))], 101),
        (GET, &[("Sec-WebSocket-Protocol", Some("wamp, mqtt-v5"))], 101),
        ("GET / HTTP/1.1", &[], 404),
        ("GET /mqtt2 HTTP/1.1", &[], 404),
        ("POST /mqtt HTTP/1.1", &[], 405),
        ("GET /mqtt HTTP/1.0", &[], 400),
        (GET, &[("Host", None)], 400),
        (GET, &[("Upgrade", None)], 426),
        (GET, &[("Upgrade", Some("h2c"))], 426),
        (GET, &[("Connection", Some("close"))], 426),
        (GET, &[("Sec-WebSocket-Version", Some("8"))], 426),
        (GET, &[("Sec-WebSocket-Version", None)], 426),
        (GET, &[("Sec-WebSocket-Key", None)], 400),
        (GET, &[("Sec-WebSocket-Key", Some("c2hvcnQ="))], 400),
        (GET, &[("Sec-WebSocket-Key", Some("not base64"))], 400),
        (GET, &[("Sec-WebSocket-Protocol", None)], 400),
        (GET, &[("Sec-WebSocket-Protocol", Some("wamp"))], 400),
        ("\x10\x0c\x00\x04MQTT", &[], 400),
    ];
    for (line, changes, want) in cases {
        assert_eq!(status(line, changes), want, "{line} {changes:?}");
    }
}

#[test]
fn a_client_may_offer_no_subprotocol_where_that_is_configured() {
    let rules = HandshakeRules { fail_if_no_subprotocol: false, ..HandshakeRules::default() };
    let text = request(GET, &[("Sec-WebSocket-Protocol", None)]);
    let accepted = parse_handshake(text.as_bytes(), &rules).unwrap().unwrap();
    assert_eq!(accepted.subprotocol, None);
    assert!(!String::from_utf8(accepted.response).unwrap().contains("Protocol:"));
}

#[test]
fn a_handshake_is_read_at_every_split_and_bounded() {
    let text = request(GET, &[]);
    for split in 0..text.len() {
        let part = &text.as_bytes()[..split];
        assert_eq!(parse_handshake(part, &HandshakeRules::default()), Ok(None));
    }
    let endless = format!("{GET}\r\nX: {}", "x".repeat(HEAD_BYTES_MAX));
    let refused = parse_handshake(endless.as_bytes(), &HandshakeRules::default()).unwrap_err();
    assert_eq!(refused.status, 431);
    let many = format!("{GET}\r\n{}\r\n", "X: y\r\n".repeat(65));
    let refused = parse_handshake(many.as_bytes(), &HandshakeRules::default()).unwrap_err();
    assert_eq!(refused.status, 431);
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    data: Vec<u8>,
    replies: Vec<u8>,
    end: Option<End>,
}

/// Decodes `input` cut at `cuts`, which are sorted.
fn run(input: &[u8], cuts: &[usize], frame_bytes_max: u64) -> Outcome {
    let mut decoder = Decoder::new(frame_bytes_max);
    let mut outcome = Outcome::default();
    let mut start = 0;
    for end in cuts.iter().copied().chain([input.len()]) {
        let mut piece = input[start..end].to_vec();
        start = end;
        let decoded = decoder.decode(&mut piece, &mut outcome.replies);
        outcome.data.extend_from_slice(&piece[..decoded.data_len]);
        outcome.end = outcome.end.or(decoded.end);
    }
    outcome
}

fn error(input: &[u8]) -> Option<FrameError> {
    match run(input, &[], 1_000_000).end {
        Some(End::Broken(error)) => Some(error),
        _ => None,
    }
}

#[test]
fn frames_are_one_stream_at_every_split() {
    let input = [
        masked(0x82, b"one"),
        masked(0x82, b""),
        masked(0x02, b"two, in three frames: "),
        masked(0x89, b"are you there"),
        masked(0x00, &[b'x'; 300]),
        masked(0x8A, b"unasked"),
        masked(0x80, b"end"),
        masked(0x88, b"\x03\xe8bye"),
        b"ignored".to_vec(),
    ]
    .concat();
    let whole = run(&input, &[], 1_000_000);
    let data = [b"onetwo, in three frames: ", [b'x'; 300].as_slice(), b"end"].concat();
    assert_eq!(whole.data, data);
    assert_eq!(whole.replies, b"\x8a\x0dare you there\x88\x02\x03\xe8");
    assert_eq!(whole.end, Some(End::Closed(Some(CloseCode::NORMAL))));
    for first in 0..input.len() {
        for second in [first, first + 1, first + 7, input.len()] {
            let cuts = [first, second.min(input.len())];
            assert_eq!(run(&input, &cuts, 1_000_000), whole, "{cuts:?}");
        }
    }
    let every_byte: Vec<usize> = (0..input.len()).collect();
    assert_eq!(run(&input, &every_byte, 1_000_000), whole);
}

#[test]
fn broken_frames_are_refused() {
    let big = masked(0x82, &[0; 100]);
    let cases = [
        (masked(0x81, b"text"), FrameError::Text, 1003),
        (vec![0x82, 0x01, 0x00], FrameError::Unmasked, 1002),
        (masked(0xC2, b""), FrameError::ReservedBits, 1002),
        (masked(0x83, b""), FrameError::Opcode(3), 1002),
        (masked(0x8B, b""), FrameError::Opcode(11), 1002),
        (masked(0x09, b""), FrameError::Control, 1002),
        (masked(0x89, &[0; 126]), FrameError::Control, 1002),
        (masked(0x80, b"x"), FrameError::Fragment, 1002),
        ([masked(0x02, b"x"), masked(0x82, b"y")].concat(), FrameError::Fragment, 1002),
        (vec![0x82, 0xFE, 0x00, 0x7D], FrameError::Length, 1002),
        (vec![0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], FrameError::Length, 1002),
        (vec![0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], FrameError::Length, 1002),
        (masked(0x88, b"\x03"), FrameError::CloseStatus, 1002),
        (masked(0x88, b"\x03\xed"), FrameError::CloseStatus, 1002),
        (masked(0x88, b"\x03\xe8\xff"), FrameError::CloseReason, 1007),
    ];
    for (input, want, code) in cases {
        assert_eq!(error(&input), Some(want), "{input:02x?}");
        assert_eq!(want.close_code(), CloseCode(code));
    }
    assert_eq!(run(&big, &[], 100).end, None);
    let refused = run(&big, &[], 99);
    assert_eq!(refused.end, Some(End::Broken(FrameError::TooBig(100))));
    assert_eq!(refused.replies, b"\x88\x02\x03\xf1");
}

#[test]
fn data_before_the_end_is_not_lost() {
    for end in [masked(0x88, b""), masked(0x81, b"text")] {
        let input = [masked(0x82, b"\xe0\0"), end, masked(0x82, b"late")].concat();
        let outcome = run(&input, &[], 1_000);
        assert_eq!(outcome.data, b"\xe0\0");
        assert!(outcome.end.is_some());
    }
}

#[test]
fn closing_frames_are_answered_with_their_code() {
    assert_eq!(run(&masked(0x88, b""), &[], 9).replies, b"\x88\x02\x03\xe8");
    assert_eq!(run(&masked(0x88, b"\x0f\xa0"), &[], 9).replies, b"\x88\x02\x0f\xa0");
    let mut out = Vec::new();
    encode_close(CloseCode(1006), &mut out);
    assert_eq!(out, [0x88, 0]);
}

#[test]
fn headers_have_the_shortest_length() {
    let cases: [(usize, &[u8]); 5] = [
        (0, &[0x82, 0]),
        (125, &[0x82, 125]),
        (126, &[0x82, 126, 0, 126]),
        (65_535, &[0x82, 126, 0xFF, 0xFF]),
        (65_536, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ];
    for (len, want) in cases {
        let mut out = Vec::new();
        encode_header(len, &mut out);
        assert_eq!(out, want);
    }
}

fn cuts(input: &[u8], indexes: &[prop::sample::Index]) -> Vec<usize> {
    let mut cuts: Vec<usize> = indexes.iter().map(|index| index.index(input.len() + 1)).collect();
    cuts.sort_unstable();
    cuts
}

proptest! {
    #[test]
    fn any_fragments_give_the_stream_back(
        messages in vec(vec(vec(any::<u8>(), 0..200), 1..4), 0..5),
        indexes in vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut input = Vec::new();
        for message in &messages {
            for (index, payload) in message.iter().enumerate() {
                let opcode = if index == 0 { 2 } else { 0 };
                let last = if index + 1 == message.len() { 0x80 } else { 0 };
                input.extend(masked(last | opcode, payload));
            }
        }
        let outcome = run(&input, &cuts(&input, &indexes), 1_000);
        prop_assert_eq!(outcome.data, messages.concat().concat());
        prop_assert_eq!(outcome.end, None);
    }

    #[test]
    fn any_bytes_mean_the_same_in_pieces(
        bytes in vec(any::<u8>(), 0..60),
        head in prop::sample::select(&[0x82_u8, 0x02, 0x89, 0x88, 0x80][..]),
        indexes in vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let input = [&[head, 0x80 | (bytes.len() as u8)], &bytes[..]].concat();
        let whole = run(&input, &[], 100);
        prop_assert_eq!(run(&input, &cuts(&input, &indexes), 100), whole);
        let _ = parse_handshake(&bytes, &HandshakeRules::default());
    }
}

// -- permessage-deflate ----------------------------------------------------------------------

const DEFLATE: HandshakeRules<'_> = HandshakeRules {
    path: "/mqtt",
    subprotocols: &["mqtt"],
    fail_if_no_subprotocol: true,
    deflate: true,
};

/// What the response says to offers of extensions; none when it agrees to none.
fn agreed(offers: &str) -> Option<String> {
    let text = request(GET, &[("Sec-WebSocket-Extensions", Some(offers))]);
    let accepted = parse_handshake(text.as_bytes(), &DEFLATE).unwrap().unwrap();
    let response = String::from_utf8(accepted.response).unwrap();
    let line = response.lines().find_map(|l| l.strip_prefix("Sec-WebSocket-Extensions: "));
    assert_eq!(line.is_some(), accepted.deflate.is_some());
    line.map(str::to_owned)
}

#[test]
fn compression_is_agreed_on_without_context_takeover() {
    let plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    for offer in [
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=10; server_no_context_takeover",
        "x-unknown, Permessage-Deflate",
        "permessage-deflate; server_max_window_bits=7, permessage-deflate",
        "permessage-deflate; what=1, permessage-deflate;client_no_context_takeover",
    ] {
        assert_eq!(agreed(offer).as_deref(), Some(plain), "{offer}");
    }
    let bounded = agreed("permessage-deflate; server_max_window_bits=\"9\"").unwrap();
    assert_eq!(bounded, format!("{plain}; server_max_window_bits=9"));
}

#[test]
fn offers_that_cannot_be_kept_are_declined() {
    for offer in [
        "x-webkit-deflate-frame",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=09",
        "permessage-deflate; client_max_window_bits=99",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; unknown",
    ] {
        assert_eq!(agreed(offer), None, "{offer}");
    }
    let text = request(GET, &[("Sec-WebSocket-Extensions", Some("permessage-deflate"))]);
    let accepted = parse_handshake(text.as_bytes(), &HandshakeRules::default()).unwrap().unwrap();
    assert_eq!(accepted.deflate, None);
}

#[derive(Debug, Default, PartialEq)]
struct Inflated {
    data: Vec<u8>,
    replies: Vec<u8>,
    end: Option<End>,
    /// Most MQTT bytes that one call produced.
    peak: usize,
}

fn inflate_in_pieces(input: &[u8], piece_len: usize, max: usize) -> Inflated {
    let mut decoder = Decoder::with_deflate(u64::MAX, max);
    let mut got = Inflated::default();
    for piece in input.to_vec().chunks_mut(piece_len.max(1)) {
        let mut at = 0;
        while at < piece.len() {
            let before = got.data.len();
            let taken = decoder.decode_into(&mut piece[at..], &mut got.data, &mut got.replies);
            got.peak = got.peak.max(got.data.len() - before);
            got.end = got.end.or(taken.end);
            at += taken.consumed;
        }
    }
    got
}

/// The bytes on the wire of what a server sends for `payload`, as frame bytes without mask.
fn sent(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Deflater::default().encode(payload, &mut out);
    out
}

/// The payload of an unmasked frame.
fn payload_of(frame: &[u8]) -> (u8, &[u8]) {
    let skip = match frame[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    (frame[0], &frame[skip..])
}

#[test]
fn the_examples_of_the_standard_are_inflated() {
    // RFC 7692 sections 7.2.3.1 to 7.2.3.5.
    let hello: [&[u8]; 4] = [
        &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
        &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
        &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
        &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
    ];
    for compressed in hello {
        let got = inflate_in_pieces(&masked(0xC2, compressed), 3, 1000);
        assert_eq!(got.data, b"Hello", "{compressed:x?}");
        assert_eq!(got.end, None);
    }
    // In two frames, with a ping between them, then a message that is not compressed.
    let input = [
        masked(0x42, &hello[0][..3]),
        masked(0x89, b"?"),
        masked(0x80, &hello[0][3..]),
        masked(0x82, b"!"),
        masked(0xC2, &[]),
    ]
    .concat();
    let got = inflate_in_pieces(&input, 1, 1000);
    assert_eq!((got.data.as_slice(), got.replies.as_slice()), (&b"Hello!"[..], &b"\x8A\x01?"[..]));
}

#[test]
fn a_bomb_is_refused_before_it_is_large() {
    let (first, compressed) = (0xC2, sent(&vec![0; 32_768]));
    let (_, compressed) = (first, payload_of(&compressed).1.to_vec());
    assert!(compressed.len() < 300);
    let got = inflate_in_pieces(&masked(first, &compressed), 9, 32_768);
    assert_eq!((got.data.len(), got.end), (32_768, None));
    let got = inflate_in_pieces(&masked(first, &compressed), 9, 32_767);
    assert_eq!(got.data.len(), 0);
    assert_eq!(got.end, Some(End::Broken(FrameError::Inflated(32_767))));
    assert_eq!(got.replies, [0x88, 2, 0x03, 0xF1]);
    // Many in one piece: each call gives back a bounded part.
    let many = masked(first, &compressed).repeat(200);
    let got = inflate_in_pieces(&many, many.len(), 32_768);
    assert_eq!(got.data.len(), 200 * 32_768);
    assert!(got.peak <= INFLATED_STEP + 32_768);
    // Compressed bytes that never end are not kept for ever.
    let endless = [masked(0x42, &[0; 900]), masked(0x00, &[0; 900]).repeat(9)].concat();
    let got = inflate_in_pieces(&endless, 100, 1000);
    assert_eq!(got.end, Some(End::Broken(FrameError::Inflated(1000))));
}

#[test]
fn the_compression_bit_stands_where_it_may() {
    let broken = |input: Vec<u8>| inflate_in_pieces(&input, 1, 1000).end;
    let bits = Some(End::Broken(FrameError::ReservedBits));
    assert_eq!(broken(masked(0xC9, b"")), bits); // a compressed ping
    assert_eq!(broken([masked(0x42, b"\xf2"), masked(0xC0, b"\x48")].concat()), bits);
    assert_eq!(broken(masked(0xA2, b"")), bits);
    let deflate = Some(End::Broken(FrameError::Deflate));
    assert_eq!(broken(masked(0xC2, &[0xFF; 20])), deflate);
    let mut plain = Decoder::new(1000);
    let mut input = masked(0xC2, b"\xf2");
    assert_eq!(plain.decode(&mut input, &mut Vec::new()).end, bits);
}

#[test]
fn messages_that_would_grow_are_sent_as_they_are() {
    assert_eq!(sent(b"short"), b"\x82\x05short");
    let noise: Vec<u8> =
        (0_u32..300).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    assert_eq!(payload_of(&sent(&noise)), (0x82, noise.as_slice()));
    assert_eq!(payload_of(&sent(&[7; 300])).0, 0xC2);
}

proptest! {
    /// What one side compresses the other one inflates, in frames and pieces of any size.
    #[test]
    fn compressed_messages_come_back(
        messages in vec((vec(0_u8..4, 0..2000), 1_usize..500), 1..6),
        piece_len in 1_usize..400,
    ) {
        let mut deflater = Deflater::default();
        let mut input = Vec::new();
        let mut wanted = Vec::new();
        for (message, frame_len) in &messages {
            let mut frame = Vec::new();
            deflater.encode(message, &mut frame);
            let (first, payload) = payload_of(&frame);
            let mut parts = payload.chunks(*frame_len).peekable();
            let mut first = first & 0x7F;
            while let Some(part) = parts.next() {
                let last = if parts.peek().is_none() { 0x80 } else { 0 };
                input.extend(masked(first | last, part));
                first = 0;
            }
            wanted.extend(message);
        }
        let got = inflate_in_pieces(&input, piece_len, 4000);
        prop_assert_eq!(got.data, wanted);
        prop_assert_eq!(got.end, None);
    }

    #[test]
    fn no_compressed_bytes_make_it_panic(payload in vec(any::<u8>(), 0..400), len in 1_usize..90) {
        let got = inflate_in_pieces(&masked(0xC2, &payload), len, 5000);
        prop_assert!(got.data.len() <= 5000);
    }

    /// Distances stay within the window that the client asked for.
    #[test]
    fn short_messages_need_no_window(bits in 8_u8..16, seed in vec(0_u8..3, 64)) {
        let text = request(
            GET,
            &[("Sec-WebSocket-Extensions", Some(&format!("permessage-deflate; server_max_window_bits={bits}")))],
        );
        let accepted = parse_handshake(text.as_bytes(), &DEFLATE).unwrap().unwrap();
        let max = accepted.deflate.unwrap().message_bytes_max();
        prop_assert_eq!(max, 1 << bits);
        let message: Vec<u8> = seed.iter().cycle().copied().take(max).collect();
        let got = inflate_in_pieces(&masked(payload_of(&sent(&message)).0, payload_of(&sent(&message)).1), 99, max);
        prop_assert_eq!(got.data, message);
    }
}
