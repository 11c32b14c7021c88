//! Buffers against what they promise: nothing lost or twice, in order, bounded, counted.

mod files;
mod model;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rookery_core::rules::fields::{FieldValue, decode};
use rookery_core::rules::sink::{ActionItem, ActionSink as _, Outcome, RuleTally};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::hub::Hub;
use super::*;
use crate::up::Upstream;

/// A directory of its own, gone at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("rookery-actions-{}-{count}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn memory(max_buffer_bytes: u64) -> BufferSpec {
    BufferSpec { max_buffer_bytes, spill_dir: None, max_spill_bytes: 0, request_ttl_ms: 0 }
}

fn spilling(max_buffer_bytes: u64, dir: &Path, max_spill_bytes: u64) -> BufferSpec {
    let spill_dir = Some(dir.to_owned());
    BufferSpec { max_buffer_bytes, spill_dir, max_spill_bytes, request_ttl_ms: 0 }
}

/// A buffer whose files have no thread: [`ActionBuffer::turn`] is called by hand.
fn alone(spec: BufferSpec) -> Arc<ActionBuffer> {
    let up = Arc::new(Upstream::new().expect("eventfd"));
    let buffer = ActionBuffer::new(1, "http:a", Arc::new(Hub::new(up).expect("eventfd")));
    buffer.open(spec).expect("opens");
    buffer
}

fn actions() -> Actions {
    Actions::new(Arc::new(Upstream::new().expect("eventfd"))).expect("eventfd")
}

/// An item whose only field is a text that names it, with `padding` more octets.
fn item(rule: &Arc<RuleTally>, key: u64, name: u64, padding: usize) -> ActionItem {
    let mut text = name.to_string();
    text.extend(std::iter::repeat_n('.', padding));
    let mut fields = vec![6];
    fields.extend_from_slice(&u32::try_from(text.len()).expect("short").to_le_bytes());
    fields.extend_from_slice(text.as_bytes());
    ActionItem { key, rule: rule.clone(), fields: fields.into() }
}

fn name_of(taken: &Taken) -> u64 {
    let Some(FieldValue::Text(text)) = decode(taken.fields()).next() else { panic!("no text") };
    let text = std::str::from_utf8(text).expect("UTF-8");
    text.trim_end_matches('.').parse().expect("a number")
}

fn names(batch: &Batch) -> Vec<u64> {
    batch.items.iter().map(name_of).collect()
}

fn numbers(batch: &Batch) -> Vec<u64> {
    batch.items.iter().map(|taken| taken.number()).collect()
}

fn offer(buffer: &ActionBuffer, rule: &Arc<RuleTally>, keys_and_names: &[(u64, u64)]) {
    let mut items =
        keys_and_names.iter().map(|(key, name)| item(rule, *key, *name, 0)).collect::<Vec<_>>();
    buffer.offer(1000, &mut items);
    assert!(items.is_empty(), "a sink takes everything");
}

fn rule() -> Arc<RuleTally> {
    Arc::new(RuleTally::new("r1"))
}

fn check_sum(buffer: &ActionBuffer) -> Counters {
    let c = buffer.counters();
    let sum = c.success + c.failed + c.dropped() + c.queuing + c.inflight;
    assert_eq!(c.matched, sum, "{c:?}");
    c
}

#[test]
fn items_of_a_client_go_one_batch_after_the_other() {
    let (buffer, rule) = (alone(memory(1 << 20)), rule());
    offer(&buffer, &rule, &[(7, 1), (8, 2), (7, 3), (0, 4), (7, 5), (0, 6)]);
    let first = buffer.take(1000, 1, 1000);
    assert_eq!(names(&first), [1]);
    assert!(first.has_more);
    let second = buffer.take(1000, 10, 1000);
    assert_eq!(names(&second), [2, 4, 6], "those of client 7 wait for its first");
    assert!(!second.has_more);
    buffer.settle(&numbers(&first), Outcome::Success);
    let third = buffer.take(1000, 10, 1000);
    assert_eq!(names(&third), [3, 5], "together, in order");
    buffer.give_back(&numbers(&third));
    buffer.settle(&numbers(&second), Outcome::Failed);
    offer(&buffer, &rule, &[(7, 7), (9, 8)]);
    assert_eq!(names(&buffer.take(1000, 10, 1000)), [3, 5, 7, 8]);
    let counters = check_sum(&buffer);
    assert_eq!((counters.success, counters.failed, counters.inflight), (1, 3, 4));
    assert_eq!((rule.counts().success, rule.counts().unknown), (1, 3));
}

#[test]
fn a_batch_is_bounded_in_octets_but_never_empty_for_that() {
    let (buffer, rule) = (alone(memory(1 << 20)), rule());
    let mut items: Vec<_> = (1..=3).map(|name| item(&rule, 0, name, 100)).collect();
    buffer.offer(1000, &mut items);
    assert_eq!(names(&buffer.take(1000, 10, 1)), [1]);
    assert_eq!(names(&buffer.take(1000, 10, 1000)), [2, 3]);
}

#[test]
fn what_is_too_old_is_dropped_when_it_is_taken_or_in_the_way() {
    let rule = rule();
    let buffer = alone(BufferSpec { request_ttl_ms: 100, ..memory(250) });
    offer(&buffer, &rule, &[(7, 1), (7, 2)]);
    buffer.offer(1050, &mut vec![item(&rule, 0, 3, 0)]);
    assert_eq!(buffer.counters().dropped_queue_full, 1, "there is room for two");
    buffer.offer(1101, &mut vec![item(&rule, 0, 4, 0)]);
    assert_eq!(names(&buffer.take(1101, 10, 1000)), [4]);
    let counters = check_sum(&buffer);
    assert_eq!((counters.dropped_expired, counters.dropped_queue_full), (2, 1));
    assert_eq!(rule.counts().discarded, 3);
    offer(&buffer, &rule, &[(0, 5)]);
    assert_eq!(buffer.expire(1000), 0);
    assert_eq!(buffer.expire(2000), 1, "nobody has to take it");
}

#[test]
fn an_action_that_is_stopped_or_closed_refuses_and_a_sink_stays_good() {
    let (actions, rule) = (actions(), rule());
    let buffer = actions.open("http:a", memory(1 << 20)).expect("opens");
    let sink = actions.sink("http:a").expect("is open");
    sink.offer(1, &mut vec![item(&rule, 0, 1, 0)]);
    buffer.pause(true);
    sink.offer(1, &mut vec![item(&rule, 0, 2, 0)]);
    buffer.pause(false);
    assert_eq!(names(&buffer.take(1, 10, 1000)), [1]);
    actions.close(&buffer);
    assert!(actions.sink("http:a").is_none());
    sink.offer(1, &mut vec![item(&rule, 0, 3, 0)]);
    let counters = check_sum(&buffer);
    assert_eq!((counters.dropped_resource_stopped, counters.dropped_resource_not_found), (2, 1));
    assert_eq!(rule.counts().out_of_service, 3);
    let again = actions.open("http:a", memory(1 << 20)).expect("opens");
    sink.offer(1, &mut vec![item(&rule, 0, 4, 0)]);
    assert_eq!(names(&again.take(1, 10, 1000)), [4], "what was in flight is gone");
    assert_eq!(check_sum(&again).matched, 1);
}

#[test]
fn new_limits_keep_the_items_and_bring_back_what_was_in_flight() {
    let (actions, rule) = (actions(), rule());
    let buffer = actions.open("http:a", memory(1 << 20)).expect("opens");
    offer(&buffer, &rule, &[(1, 1), (1, 2)]);
    assert_eq!(names(&buffer.take(1000, 1, 1000)), [1]);
    let changed = actions.open("http:a", memory(2 << 20)).expect("opens");
    assert_eq!(changed.number(), buffer.number());
    assert_eq!(names(&changed.take(1000, 10, 1000)), [1, 2]);
    assert!(actions.open("http:a", memory(0)).is_err());
}

#[test]
fn the_descriptor_tells_once_until_everything_was_taken() {
    let (actions, rule) = (actions(), rule());
    let buffer = actions.open("http:a", memory(1 << 20)).expect("opens");
    let is_readable = || is_readable(&actions, Duration::ZERO);
    assert!(!is_readable());
    offer(&buffer, &rule, &[(1, 1), (1, 2)]);
    offer(&buffer, &rule, &[(1, 3)]);
    assert!(is_readable());
    assert_eq!(actions.ready(), [buffer.number()]);
    assert!(!is_readable());
    let batch = buffer.take(1000, 1, 1000);
    offer(&buffer, &rule, &[(2, 4)]);
    assert!(!is_readable(), "it is known that there is more");
    assert_eq!(names(&buffer.take(1000, 10, 1000)), [4]);
    assert!(!is_readable());
    buffer.settle(&numbers(&batch), Outcome::Success);
    assert_eq!(actions.ready(), [buffer.number()], "client 1 may go on");
    assert_eq!(names(&buffer.take(1000, 10, 1000)), [2, 3]);
}

#[test]
fn rows_are_offered_like_results_of_rules() {
    let buffer = alone(memory(1 << 20));
    let template = rookery_rules::Template::parse("${a}/${b}").expect("template");
    let fields = rookery_core::rules::fields::ActionFields {
        fields: vec![rookery_core::rules::fields::Field::Text(template)],
    };
    let rows = [r#"{"a":1,"b":"x"}"#, "[]", "{"];
    assert_eq!(buffer.offer_rows(5, &rows, &fields, "r9", 0), 1);
    let batch = buffer.take(5, 10, 1000);
    let taken = batch.items.first().expect("one");
    assert_eq!(decode(taken.fields()).collect::<Vec<_>>(), [FieldValue::Text(b"1/x")]);
    assert_eq!((taken.rule().id(), taken.made_at_ms()), ("r9", 5));
    assert_eq!(check_sum(&buffer).dropped_other, 2);
    buffer.reset_counters();
    let counters = check_sum(&buffer);
    assert_eq!((counters.matched, counters.inflight, counters.dropped()), (1, 1, 0));
}

#[test]
fn threads_lose_nothing_and_keep_the_order_of_each_client() {
    const EACH: u64 = 5000;
    let (actions, rule) = (actions(), rule());
    let buffer = actions.open("http:a", memory(64 << 20)).expect("opens");
    std::thread::scope(|scope| {
        for shard in 0..3_u64 {
            let (buffer, rule) = (&buffer, &rule);
            scope.spawn(move || {
                for turn in 0..EACH / 50 {
                    let items = (0..50).map(|n| turn * 50 + n);
                    let mut items: Vec<_> = items
                        .map(|n| item(rule, 1 + shard * 4 + n % 4, shard * EACH + n, 0))
                        .collect();
                    buffer.offer(1, &mut items);
                }
            });
        }
        let mut last = std::collections::HashMap::new();
        let mut count = 0;
        while count < 3 * EACH {
            let batch = buffer.take(1, 64, 1 << 20);
            if batch.items.is_empty() {
                assert!(is_readable(&actions, Duration::from_secs(20)), "nothing comes");
                assert_eq!(actions.ready(), [buffer.number()]);
                continue;
            }
            for taken in &batch.items {
                let name = name_of(taken);
                assert!(last.insert(taken.key(), name).is_none_or(|last| last < name));
                count += 1;
            }
            buffer.settle(&numbers(&batch), Outcome::Success);
        }
    });
    assert_eq!(check_sum(&buffer).success, 3 * EACH);
    assert_eq!(rule.counts().success, 3 * EACH);
}

/// Whether the descriptor becomes readable within `wait`.
fn is_readable(actions: &Actions, wait: Duration) -> bool {
    let timeout = Timespec::try_from(wait).expect("short");
    let mut fds = [PollFd::new(actions, PollFlags::IN)];
    poll(&mut fds, Some(&timeout)).expect("poll") == 1
}
