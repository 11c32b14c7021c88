//! What another cluster sends over a link: a term is read as it is written, or refused; whatever is
//! an operation or a message means the same when it is written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_links::message::{self, limits};
use rookery_links::operation::{self, unpack};
use rookery_links::receiver::Receiver;
use rookery_links::term::{Limits, decode, open};

const LIMITS: Limits = Limits { bytes: 1 << 20, terms: 10_000 };

fuzz_target!(|data: &[u8]| {
    check_term(data);
    if let Ok(plain) = unpack(data)
        && let Ok(found) = operation::read(&plain)
    {
        let again = found.encode();
        let plain = unpack(&again).expect("what was written is a term");
        assert_eq!(operation::read(&plain).as_ref(), Ok(&found));
    }
    if let Ok(plain) = message::unpack(data, limits(0))
        && let Ok(found) = message::read(&plain, limits(0))
    {
        let mut again = Vec::new();
        found.encode_into(&mut again);
        let plain = message::unpack(&again, limits(0)).expect("what was written is a term");
        assert_eq!(message::read(&plain, limits(0)).as_ref(), Ok(&found));
    }
    let mut receiver = Receiver::default();
    receiver.set_name("cluster-b");
    receiver.set_link("eu", 1, true);
    let mut session = None;
    for now_ms in [0, 1] {
        let _ = receiver.take("eu", &mut session, data, now_ms, |_, _, _| {});
    }
});

fn check_term(data: &[u8]) {
    let Ok(plain) = open(data, LIMITS) else { return };
    assert!(plain.len() <= LIMITS.bytes);
    let Ok(term) = decode(&plain, LIMITS) else { return };
    for bytes in [term.encode(), term.encode_compressed()] {
        let plain = open(&bytes, LIMITS).expect("what was written is a term");
        let again = decode(&plain, LIMITS).expect("what was written is a term");
        // Not compared as values: a float may be none.
        assert_eq!(again.encode(), term.encode());
    }
}
