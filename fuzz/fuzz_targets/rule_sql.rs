//! Any text is a rule or an error with a place in it.
//!
//! Nothing runs here, so that many texts are tried; `rule_eval` runs them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_rules::compile;

fuzz_target!(|sql: &str| {
    match compile(sql) {
        Ok(rule) => {
            let selected = rule.filters().len() + rule.events().len() + rule.sources().len();
            assert!(selected > 0, "a rule on nothing");
        }
        Err(error) => {
            let line = sql.split('\n').nth(error.line as usize - 1).expect("a line of the text");
            assert!(error.column as usize <= line.chars().count() + 1, "{error}");
        }
    }
});
