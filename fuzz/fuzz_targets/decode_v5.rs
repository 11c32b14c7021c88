//! A stream of version 5 packets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_codec::Version;
use rookery_fuzz::{each_packet, walk};

fuzz_target!(|data: &[u8]| each_packet(data, Version::V5, walk));
