//! Any text is a template or an error; it renders within its bound, twice the same, and only appends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_fuzz::parts;
use rookery_rules::{EvalError, Map, Parts, Template, Value, decode_json};

const BYTES_MAX: usize = 4096;
const BEFORE: &[u8] = b"before";

fuzz_target!(|data: &[u8]| {
    let [text, row] = parts(data);
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(template) = Template::parse(text) else {
        assert!(text.contains("${"), "plain text is a template");
        return;
    };
    let empty = Map::default();
    let decoded = decode_json(row);
    let row = match &decoded {
        Some(Value::Map(row)) => row.as_ref(),
        _ => &empty,
    };
    let (ended, rendered) = render(&template, row);
    assert_eq!((ended.clone(), rendered.clone()), render(&template, row), "the same twice");
    assert!(rendered.starts_with(BEFORE));
    if ended.is_ok() {
        assert!(rendered.len() <= BEFORE.len() + BYTES_MAX);
    }
    if template.is_plain() {
        let plain = text.replace("$${", "${");
        match ended {
            Ok(()) => assert_eq!(&rendered[BEFORE.len()..], plain.as_bytes()),
            Err(error) => assert_eq!(error, EvalError::TooLarge(BYTES_MAX)),
        }
    } else {
        let _ = template.value(&Parts::alone(), row);
    }
});

fn render(template: &Template, row: &Map<'_>) -> (Result<(), EvalError>, Vec<u8>) {
    let mut out = BEFORE.to_vec();
    let ended = template.render(row, BYTES_MAX, &mut out);
    (ended, out)
}
