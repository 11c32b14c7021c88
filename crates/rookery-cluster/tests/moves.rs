//! Frames about sessions that move, and questions about them.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rookery_cluster::frame::{FRAME_BYTES_MAX, Frame, FrameError, next};
use rookery_cluster::moves::{Asks, KIND_LAST, MoveFrame, Question, Settled, held, put_held};

fn frames(client_id: &str, word: u64, bytes: &[u8]) -> Vec<Vec<u8>> {
    let all = [
        MoveFrame::Ask { ask: word, epoch: !word, is_clean: word % 2 == 1, client_id },
        MoveFrame::Nothing { ask: word },
        MoveFrame::Refused { ask: word, client_id },
        MoveFrame::Coming { ask: word },
        MoveFrame::Copy { ask: word, is_last: word.is_multiple_of(2), client_id, part: bytes },
        MoveFrame::GiveUp { ask: word, client_id },
        MoveFrame::Taken { epoch: word, client_id },
        MoveFrame::Forgotten { client_id },
        MoveFrame::Held { shard: 3, next: word.is_multiple_of(3).then_some(7), items: bytes },
        MoveFrame::List { shard: 9, from: 1 },
        MoveFrame::Offer { client_id },
    ];
    let encode = |frame: MoveFrame<'_>| {
        let mut out = Vec::new();
        Frame::Move(frame).encode(&mut out);
        let (decoded, len) = next(&out, FRAME_BYTES_MAX).unwrap().unwrap();
        assert_eq!((decoded, len), (Frame::Move(frame), out.len()));
        out
    };
    all.into_iter().map(encode).collect()
}

proptest! {
    #[test]
    fn a_frame_is_read_as_it_was_written(
        client_id in "\\PC{0,40}", word in any::<u64>(), bytes in prop::collection::vec(any::<u8>(), 0..99),
    ) {
        frames(&client_id, word, &bytes);
    }

    #[test]
    fn a_frame_that_is_cut_is_none(client_id in "[a-z]{1,9}", word in any::<u64>(), cut in 1_usize..20) {
        for frame in frames(&client_id, word, &[]) {
            let len = frame.len().saturating_sub(cut).max(5);
            let mut cut = frame[..len].to_vec();
            if len == frame.len() {
                continue;
            }
            cut[..4].copy_from_slice(&u32::try_from(len - 4).unwrap().to_le_bytes());
            prop_assert!(matches!(next(&cut, FRAME_BYTES_MAX), Err(FrameError::Malformed(_))));
        }
    }

    #[test]
    fn a_list_of_sessions_is_read_as_it_was_written(
        sessions in prop::collection::vec(("\\PC{0,20}", any::<u64>()), 0..20),
    ) {
        let mut out = Vec::new();
        sessions.iter().for_each(|(id, epoch)| put_held(&mut out, id, *epoch));
        let found: Vec<(String, u64)> =
            held(&out).unwrap().into_iter().map(|(id, epoch)| (id.to_owned(), epoch)).collect();
        prop_assert_eq!(found, sessions);
    }
}

#[test]
fn a_kind_that_is_not_known_is_said_to_be_so() {
    let bytes = [1, 0, 0, 0, KIND_LAST];
    assert_eq!(next(&bytes, FRAME_BYTES_MAX), Err(FrameError::Kind(KIND_LAST)));
}

fn question(ask: u64) -> Question {
    Question { ask, epoch: 5, is_clean: false, client_id: "c".into() }
}

fn settled(ask: u64, silent: &[u64]) -> Option<Settled> {
    Some(Settled { question: question(ask), silent: silent.to_vec() })
}

#[test]
fn everybody_answers_before_a_question_is_settled() {
    let mut asks = Asks::default();
    assert_eq!(asks.ask(question(1), vec![], 100), settled(1, &[]));
    assert_eq!(asks.ask(question(2), vec![7, 8], 100), None);
    assert_eq!(asks.answered(2, 7, false, |_| true), None);
    assert_eq!(asks.answered(2, 7, false, |_| true), None, "the same one again");
    assert_eq!(asks.open_for(8).count(), 1);
    assert_eq!(asks.answered(2, 8, false, |_| true), settled(2, &[]));
    assert_eq!(asks.answered(2, 8, false, |_| true), None, "it is settled");
}

#[test]
fn a_node_that_cannot_be_reached_is_waited_for_unless_another_one_has_the_session() {
    let mut asks = Asks::default();
    assert_eq!(asks.ask(question(1), vec![7, 8], 100), None);
    assert_eq!(asks.answered(1, 7, false, |node| node == 7), None);
    assert_eq!(asks.due(99, |_| true), []);
    assert_eq!(asks.due_ms(), Some(100));
    asks.prolong(1, 150);
    assert_eq!(asks.due(149, |_| true), []);
    assert_eq!(asks.due(150, |_| true), [1]);
    assert_eq!(asks.due(0, |node| node != 8), [1], "a node that has left");
    assert_eq!(asks.close(1), settled(1, &[8]));
    assert_eq!(asks.ask(question(2), vec![7, 8], 100), None);
    assert_eq!(asks.answered(2, 7, true, |node| node == 7), settled(2, &[8]));
}
