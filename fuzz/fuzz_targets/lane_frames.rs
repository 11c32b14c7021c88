//! What another node sends: frames are whole, waited for or refused, and mean what they were written as.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_cluster::frame::{self, Frame, items, length, next, put_item, put_route, routes};

const MAX: usize = 1 << 16;

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    while let Ok(Some((found, len))) = next(rest, MAX) {
        assert!(len <= rest.len() && length(rest) == Some(len));
        for cut in [0, 3, len / 2, len - 1] {
            assert_eq!(next(&rest[..cut.min(len - 1)], MAX), Ok(None));
        }
        let mut written = Vec::new();
        found.encode(&mut written);
        assert_eq!(next(&written, MAX), Ok(Some((found, written.len()))));
        match found {
            Frame::Batch { items: body, .. } => check_items(body),
            Frame::Routes { items: body, .. } => check_routes(body),
            _ => {}
        }
        rest = &rest[len..];
    }
    check_items(data);
    check_routes(data);
});

fn check_items(body: &[u8]) {
    let found: Result<Vec<_>, _> = items(body).collect();
    let Ok(found) = found else { return };
    let mut written = Vec::new();
    frame::begin_batch(&mut written);
    for item in &found {
        put_item(&mut written, item.shared, |out| out.extend_from_slice(item.message));
    }
    frame::end_batch(&mut written, 7);
    let batch = Frame::Batch { seq: 7, items: body };
    assert_eq!(next(&written, usize::MAX), Ok(Some((batch, written.len()))));
}

fn check_routes(body: &[u8]) {
    let found: Result<Vec<_>, _> = routes(body).collect();
    let Ok(found) = found else { return };
    let mut written = Vec::new();
    found.iter().for_each(|route| put_route(&mut written, *route));
    assert_eq!(written, body);
}
