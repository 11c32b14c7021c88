//! WebSocket: the handshake, and frames that mean the same whole and in pieces. The first byte
//! says how long the pieces are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_codec::ws::{Decoder, End, HandshakeRules, parse_handshake};

fuzz_target!(|data: &[u8]| {
    let Some((piece_len, input)) = data.split_first() else {
        return;
    };
    if let Ok(Some(accepted)) = parse_handshake(input, &HandshakeRules::default()) {
        assert!(accepted.head_len <= input.len());
        let _ = (
            accepted.origin(),
            accepted.forwarded_for(),
            accepted.forwarded_port(),
        );
        assert!(accepted.response.ends_with(b"\r\n\r\n"));
    }
    let whole = run(input, input.len().max(1));
    assert_eq!(run(input, usize::from(*piece_len).max(1)), whole);
    // Nothing grows by being decoded, but for the closing frame of four bytes.
    assert!(whole.data.len() + whole.replies.len() <= input.len() + 4);
});

#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    data: Vec<u8>,
    replies: Vec<u8>,
    end: Option<End>,
}

fn run(input: &[u8], piece_len: usize) -> Outcome {
    let mut decoder = Decoder::new(1_000);
    let mut outcome = Outcome::default();
    for piece in input.to_vec().chunks_mut(piece_len) {
        let decoded = decoder.decode(piece, &mut outcome.replies);
        outcome.data.extend_from_slice(&piece[..decoded.data_len]);
        outcome.end = outcome.end.or(decoded.end);
    }
    outcome
}
