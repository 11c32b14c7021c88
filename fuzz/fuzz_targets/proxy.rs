//! PROXY headers: whole, waited for, or refused; what is waited for can still become either.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_codec::proxy::{HEADER_BYTES_MAX, parse_proxy_header};

fuzz_target!(|data: &[u8]| {
    let Ok(Some((header, len))) = parse_proxy_header(data) else {
        if parse_proxy_header(data).is_ok() {
            assert!(data.len() < HEADER_BYTES_MAX, "waits for ever");
        }
        return;
    };
    assert!(len <= data.len() && len <= HEADER_BYTES_MAX);
    // Its bytes alone mean the same, and fewer are waited for.
    assert_eq!(
        parse_proxy_header(&data[..len]),
        Ok(Some((header.clone(), len)))
    );
    for cut in [1, len / 2, len - 1] {
        assert_eq!(parse_proxy_header(&data[..cut]), Ok(None));
    }
    if let Some(ssl) = header.values.ssl {
        assert!(ssl.verified_common_name().is_none() || ssl.verify == 0);
    }
});
