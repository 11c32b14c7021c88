//! A payload is JSON to rules when it is to another decoder, and means the same when written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_rules::{Invalid, decode_json, encode_json};
use serde_json::Value as Json;

fuzz_target!(|bytes: &[u8]| {
    let other = serde_json::from_slice::<Json>(bytes).ok();
    let ours = decode_json(bytes);
    assert_eq!(ours.is_some(), other.is_some());
    let (Some(ours), Some(other)) = (ours, other) else { return };
    let mut written = Vec::new();
    // What was JSON is text: nothing has to be replaced.
    encode_json(&ours, Invalid::Refuse, 1 << 20, &mut written).expect("text within its bounds");
    assert_eq!(serde_json::from_slice::<Json>(&written).expect("own JSON"), other);
    let again = decode_json(&written).expect("own JSON");
    let mut twice = Vec::new();
    encode_json(&again, Invalid::Refuse, 1 << 20, &mut twice).expect("the same");
    assert_eq!(twice, written);
});
