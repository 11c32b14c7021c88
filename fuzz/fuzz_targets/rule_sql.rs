//! Any text is a rule or an error with a place in it; a rule runs on a message without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rookery_rules::{Context, Event, World, compile};

fuzz_target!(|sql: &str| {
    match compile(sql) {
        Ok(rule) => {
            let message = Event::MessagePublish.example(0);
            let context = Context::new(&message, World::at(1_700_000_000_000_000_000, 1));
            let _ = rule.evaluate(&context);
        }
        Err(error) => {
            let line = sql.lines().nth(error.line as usize - 1).unwrap_or_default();
            assert!(error.column as usize <= line.chars().count() + 1, "{error}");
        }
    }
});
