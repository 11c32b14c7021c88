//! Any text is a document or an error; a document's JSON means itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_hocon::{NoIncludes, parse};

fuzz_target!(|text: &str| {
    if let Ok(document) = parse(text, "fuzz", &mut NoIncludes) {
        let json = document.to_json();
        match parse(&json, "json", &mut NoIncludes) {
            Ok(again) => assert_eq!(again.to_json(), json),
            Err(error) => panic!("own JSON is refused: {error}"),
        }
    }
});
