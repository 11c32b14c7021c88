//! A file of items that wait for an action: any octets are records, their beginning, or broken.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_core::rules::fields;
use rookery_core::rules::record::{Read, Record, read};

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    loop {
        match read(rest) {
            Read::Record(record, taken) => {
                assert!(taken <= rest.len());
                check(&record, &rest[..taken]);
                rest = &rest[taken..];
            }
            Read::More(needed) => {
                assert!(needed > rest.len(), "waits for what is there");
                break;
            }
            Read::Broken => break,
        }
    }
    // Few random octets have their checksum: the same as fields of a record that was written.
    let record = Record { key: 1, made_at_ms: 2, rule: 3, fields: data };
    let mut written = Vec::new();
    assert!(record.encode(&mut written));
    match read(&written) {
        Read::Record(read, taken) => {
            assert!(fields::is_whole(data));
            assert_eq!((read, taken), (record, written.len()));
            check(&read, &written);
        }
        _ => assert!(!fields::is_whole(data)),
    }
});

fn check(record: &Record<'_>, bytes: &[u8]) {
    let mut again = Vec::new();
    assert!(record.encode(&mut again));
    assert_eq!(again, bytes);
    for cut in [0, bytes.len() / 2, bytes.len() - 1] {
        assert!(matches!(read(&bytes[..cut]), Read::More(_)));
    }
    assert!(fields::decode(record.fields).count() <= record.fields.len());
}
