//! Frames go through bytes unchanged, and no bytes do harm.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail like tests")]

use proptest::prelude::*;
use rookery_cluster::frame::{
    self, Frame, FrameError, Hello, Identity, Item, Refusal, Route, items, next, put_item,
    put_route, routes,
};
use rookery_cluster::replica::{Bits, ReplicaFrame, Space, entries};
use rookery_cluster::shadow::ShadowFrame;

fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z+#/ä$ ]{1,12}", Just("x".repeat(65_535)), "\\PC{0,20}"]
}

fn frames(bytes: &'static [u8]) -> Vec<Frame<'static>> {
    let from = Identity { name: "rookery@10.0.0.1", incarnation: u64::MAX };
    let to = Identity { name: "n", incarnation: 0 };
    vec![
        Frame::Hello(Hello {
            protocol: 1,
            from,
            to,
            lane: 1,
            lanes: 2,
            stream: 3,
            taken: 4,
            nonce: [9; 32],
        }),
        Frame::Challenge { nonce: [1; 32], proof: [2; 32] },
        Frame::Proof([3; 32]),
        Frame::Welcome {
            taken: 5,
            routes: Some(0),
            has_replica: true,
            has_shadow: true,
            has_links: false,
            knows_shadows: true,
        },
        Frame::Welcome {
            taken: 0,
            routes: None,
            has_replica: false,
            has_shadow: false,
            has_links: true,
            knows_shadows: false,
        },
        Frame::Shadow(ShadowFrame::Kept { stream: 9, number: 7 }),
        Frame::Shadow(ShadowFrame::Unable { stream: 9 }),
        Frame::Shadow(ShadowFrame::Partner { name: "b@n" }),
        Frame::Shadow(ShadowFrame::Adopted { name: "a@n", incarnation: 3 }),
        Frame::Shadow(ShadowFrame::Store { id: u64::MAX }),
        Frame::Shadow(ShadowFrame::Settled { name: "a@n", incarnation: 3 }),
        Frame::Refused(Refusal::NotMe),
        Frame::Refused(Refusal::Other(77)),
        Frame::Batch { seq: 6, items: bytes },
        Frame::Taken(7),
        Frame::Ping,
        Frame::Pong,
        Frame::RoutesBegin,
        Frame::Routes { version: 8, items: bytes },
        Frame::RoutesEnd,
        Frame::RoutesDigest { version: 1, digest: 2, count: 3 },
        Frame::RoutesWanted,
        Frame::Links(bytes),
        Frame::LinksWanted,
        Frame::Replica(Space::Retained, ReplicaFrame::Digest(&[7; 2048])),
        Frame::Replica(Space::Retained, ReplicaFrame::Leaves { group: 255, sums: &[8; 2048] }),
        Frame::Replica(Space::Retained, ReplicaFrame::Entries { number: 9, items: bytes }),
        Frame::Replica(
            Space::Retained,
            ReplicaFrame::Differ { purged: 1, groups: Bits::default() },
        ),
        Frame::Replica(
            Space::Retained,
            ReplicaFrame::Has { group: 0, leaves: Bits::default(), items: bytes },
        ),
        Frame::Replica(Space::Pledges, ReplicaFrame::Kept(u64::MAX)),
    ]
}

#[test]
fn every_frame_comes_back_and_never_before_it_is_whole() {
    for frame in frames(b"anything") {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        for end in 0..bytes.len() {
            assert_eq!(next(&bytes[..end], 1 << 20), Ok(None), "{frame:?}");
        }
        let len = bytes.len();
        bytes.extend_from_slice(b"more");
        assert_eq!(next(&bytes, 1 << 20), Ok(Some((frame, len))));
        assert_eq!(frame::length(&bytes), Some(len));
    }
}

#[test]
fn a_length_that_may_not_be_is_refused_before_the_bytes_are_there() {
    let head = [0xff, 0xff, 0xff, 0x7f];
    assert_eq!(next(&head, 1024), Err(FrameError::TooLarge(0x7fff_ffff)));
    assert_eq!(next(&[1, 0, 0, 0, 99], 1024), Err(FrameError::Kind(99)));
    assert_eq!(next(&[0, 0, 0, 0], 1024), Err(FrameError::Malformed(0)));
}

proptest! {
    #[test]
    fn messages_of_a_batch_come_back(
        messages in prop::collection::vec(
            (prop::option::of((texts(), texts())), prop::collection::vec(any::<u8>(), 0..200)), 0..8,
        ),
        seq in any::<u64>(),
    ) {
        let mut bytes = Vec::new();
        frame::begin_batch(&mut bytes);
        for (shared, message) in &messages {
            let shared = shared.as_ref().map(|(group, filter)| (group.as_str(), filter.as_str()));
            put_item(&mut bytes, shared, |out| out.extend_from_slice(message));
        }
        frame::end_batch(&mut bytes, seq);
        let (found, len) = next(&bytes, 1 << 24).unwrap().unwrap();
        prop_assert_eq!(len, bytes.len());
        let Frame::Batch { seq: got, items: body } = found else { panic!("{found:?}") };
        prop_assert_eq!(got, seq);
        let expected: Vec<_> = messages.iter().map(|(shared, message)| Ok(Item {
            shared: shared.as_ref().map(|(group, filter)| (group.as_str(), filter.as_str())),
            message: message.as_slice(),
        })).collect();
        prop_assert_eq!(items(body).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn routes_come_back(filters in prop::collection::vec("[a-zä/]{1,9}", 1..9), weight: u32) {
        let mut body = Vec::new();
        let listed: Vec<_> = filters.iter().enumerate().map(|(at, filter)| Route {
            group: (at % 2 == 0).then_some("g"), filter, weight,
        }).collect();
        listed.iter().for_each(|route| put_route(&mut body, *route));
        prop_assert_eq!(routes(&body).collect::<Result<Vec<_>, _>>(), Ok(listed));
    }

    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0u8..80) {
        let _ = next(&bytes, 1024);
        let mut framed = vec![0; 4];
        framed.push(kind);
        framed.extend_from_slice(&bytes);
        let len = u32::try_from(framed.len() - 4).unwrap();
        framed[..4].copy_from_slice(&len.to_le_bytes());
        let _ = next(&framed, 1024);
        prop_assert!(items(&bytes).count() <= bytes.len());
        prop_assert!(routes(&bytes).count() <= bytes.len());
        prop_assert!(entries(&bytes).count() <= bytes.len());
    }
}
