//! WebSocket: the handshake, and frames that mean the same whole and in pieces. The first byte
//! says how long the pieces are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_codec::ws::{Decoder, End, HandshakeRules, INFLATED_STEP, parse_handshake};

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
    let deflating = HandshakeRules {
        deflate: true,
        ..HandshakeRules::default()
    };
    let _ = parse_handshake(input, &deflating);
    assert_eq!(
        inflate(input, usize::from(*piece_len).max(1)),
        inflate(input, input.len().max(1))
    );
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

/// As `run`, for a connection that agreed to compression. What comes out is bounded.
fn inflate(input: &[u8], piece_len: usize) -> Outcome {
    const MESSAGE_MAX: usize = 2_000;
    let mut decoder = Decoder::with_deflate(1_000, MESSAGE_MAX);
    let mut outcome = Outcome::default();
    for piece in input.to_vec().chunks_mut(piece_len) {
        let mut at = 0;
        while at < piece.len() {
            let before = outcome.data.len();
            let taken =
                decoder.decode_into(&mut piece[at..], &mut outcome.data, &mut outcome.replies);
            assert!(taken.consumed > 0, "no progress");
            assert!(outcome.data.len() - before < INFLATED_STEP + MESSAGE_MAX.max(input.len()));
            outcome.end = outcome.end.or(taken.end);
            at += taken.consumed;
        }
    }
    assert!(decoder.held() <= 8 * MESSAGE_MAX);
    outcome
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
