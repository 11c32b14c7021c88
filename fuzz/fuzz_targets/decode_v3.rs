//! A stream of 3.1 or 3.1.1 packets, by the lowest bit of the first byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_codec::Version;
use rookery_fuzz::{each_packet, walk};

fuzz_target!(|data: &[u8]| {
    let Some((choice, stream)) = data.split_first() else {
        return;
    };
    let version = if choice & 1 == 0 {
        Version::V311
    } else {
        Version::V31
    };
    each_packet(stream, version, walk);
});
