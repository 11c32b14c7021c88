//! A condition that is false costs no allocation.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use rookery_rules::{Column, Context, Event, Outcome, Record, World, compile};

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_condition_that_is_false_allocates_nothing() {
    let message = Record::new(Event::MessagePublish)
        .with(Column::ClientId, "c1")
        .with(Column::Topic, "line/3/press")
        .with(Column::Payload, r#"{"t": 70, "who": {"name": "press"}}"#);
    let context = Context::new(&message, World::at(0, 1));
    let conditions = [
        "clientid = 'c2'",
        "topic =~ 'line/4/#'",
        "payload.t > 80 and payload.who.name = 'press'",
        "t > 80",
        "payload.who.name in ('a', 'b')",
        "regex_match(clientid, '^x')",
    ];
    for condition in conditions {
        let sql =
            format!("SELECT payload.t AS t, upper(clientid) AS c FROM \"#\" WHERE {condition}");
        let rule = compile(&sql).expect("rule");
        // The first look decodes the payload, for all rules; a regular expression makes its cache.
        assert!(matches!(rule.evaluate(&context), Ok(Outcome::NoMatch)), "{condition}");
        let before = COUNT.with(Cell::get);
        let outcome = rule.evaluate(&context);
        let made = COUNT.with(Cell::get) - before;
        assert!(matches!(outcome, Ok(Outcome::NoMatch)));
        assert_eq!(made, 0, "{condition}");
    }
}
