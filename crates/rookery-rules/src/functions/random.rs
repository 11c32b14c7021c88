//! Chance, from the seed that the node gives.

use super::{Call, Function, Out, differs, encode};
use crate::value::Value;

const SEEDED: &str = "from a seed that the node gives for each message";

pub(super) const TABLE: &[Function] = &[
    differs(
        "random",
        (0, 0),
        random,
        &[("random() >= 0", "true"), ("random() < 1", "true")],
        SEEDED,
    ),
    differs(
        "uuid_v4",
        (0, 0),
        uuid_v4,
        &[("strlen(uuid_v4())", "36"), ("substr(uuid_v4(), 14, 1)", "\"4\"")],
        SEEDED,
    ),
    differs(
        "uuid_v4_no_hyphen",
        (0, 0),
        uuid_v4_no_hyphen,
        &[("strlen(uuid_v4_no_hyphen())", "32")],
        SEEDED,
    ),
];

fn random<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    // The 53 bits that a float holds, so that 1 is never reached.
    let number = (c.context.random() >> 11) as f64 / (1_u64 << 53) as f64;
    Ok(Value::Float(number))
}

/// RFC 9562 section 5.4.
fn digits(c: &Call<'_, '_, '_>) -> String {
    let high = c.context.random() & 0xffff_ffff_ffff_0fff | 0x4000;
    let low = c.context.random() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000;
    let mut bytes = [0; 16];
    let (first, second) = bytes.split_at_mut(8);
    first.copy_from_slice(&high.to_be_bytes());
    second.copy_from_slice(&low.to_be_bytes());
    encode::hexadecimal(&bytes, false)
}

fn uuid_v4<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    let mut text = digits(c);
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    c.make(text)
}

fn uuid_v4_no_hyphen<'a>(c: &Call<'_, 'a, '_>) -> Out<'a> {
    c.make(digits(c))
}
