//! Cost of routing and of retained messages: prints CPU nanoseconds and bytes per operation, and
//! the longest time on the wall that one of a sample of operations took.
//!
//! `cargo run --release -p rookery-core --example router_bench [million]`

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rookery_core::ids::SessionKey;
use rookery_core::retained::{Retained, RetainedCursor, RetainedEntry};
use rookery_core::router::{MatchCache, Router, Subscriber};

/// Counts the bytes asked for.
struct Counting;

static BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        BYTES.fetch_add(size, Ordering::Relaxed);
        BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Entry {
    topic: Box<str>,
}

impl RetainedEntry for Entry {
    fn topic(&self) -> &str {
        &self.topic
    }

    fn size(&self) -> usize {
        self.topic.len()
    }
}

fn subscriber(slot: u32) -> Subscriber {
    let key = SessionKey { shard: 0, generation: 0, slot };
    Subscriber { key, ..Subscriber::default() }
}

/// CPU time of this thread in ns, which other load on the machine does not add to; elsewhere than
/// on Linux the clock on the wall.
fn cpu_ns(origin: Instant) -> u64 {
    let wall = || u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX);
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|line| line.split(' ').next()?.parse().ok())
        .unwrap_or_else(wall)
}

/// Runs an operation `count` times and prints what one takes.
fn time(what: &str, count: u32, mut operation: impl FnMut(u32)) {
    let origin = Instant::now();
    let start = cpu_ns(origin);
    let mut longest = 0;
    for n in 0..count {
        let before = if n % 16 == 0 { Some(Instant::now()) } else { None };
        operation(n);
        if let Some(before) = before {
            longest = longest.max(before.elapsed().as_micros());
        }
    }
    let each = (cpu_ns(origin) - start) as f64 / f64::from(count);
    println!("{what:<58} {each:>9.1} ns   (longest of a sample {longest} µs)");
}

fn text(buffer: &mut String, parts: std::fmt::Arguments<'_>) {
    buffer.clear();
    let _ = buffer.write_fmt(parts);
}

fn matching(router: &Router, label: &str) {
    let mut buffer = String::new();
    let pairs = (0..100).map(|n| format!("pair/{n}")).collect::<Vec<_>>();
    for (slot, topic) in (0..).zip(&pairs) {
        router.subscribe(topic, subscriber(slot));
    }
    let mut cache = MatchCache::new(16_384, 1 << 20);
    time(&format!("match hit, 100 topics in turn, {label}"), 5_000_000, |n| {
        black_box(cache.matches(router, &pairs[n as usize % 100]).targets.len());
    });
    let mut cache = MatchCache::new(64, 1 << 20);
    time(&format!("match miss, 1 subscriber, {label}"), 1_000_000, |n| {
        black_box(cache.matches(router, &pairs[n as usize % 100]).targets.len());
    });
    time(&format!("match miss, nobody, unknown last level, {label}"), 1_000_000, |n| {
        text(&mut buffer, format_args!("pair/x{n}"));
        black_box(cache.matches(router, &buffer).targets.len());
    });
    time(&format!("match miss, known levels, no such path, {label}"), 1_000_000, |n| {
        text(&mut buffer, format_args!("dev/{}/pair", n % 1000));
        black_box(cache.matches(router, &buffer).targets.len());
    });
    let mut cache = MatchCache::new(16_384, 1 << 20);
    time(&format!("subscribe, match (stale), unsubscribe, {label}"), 300_000, |n| {
        router.subscribe("pair/+", subscriber(n));
        black_box(cache.matches(router, "pair/7").targets.len());
        router.unsubscribe("pair/+", subscriber(n).key);
    });
    for (slot, topic) in (0..).zip(&pairs) {
        router.unsubscribe(topic, subscriber(slot).key);
    }
}

fn routing(count: u32) {
    let router = Router::new();
    let mut buffer = String::new();
    for n in 0..1000 {
        router.subscribe(&format!("dev/{n}/temp"), subscriber(n));
    }
    matching(&router, "1,000 others");
    let before = BYTES.load(Ordering::Relaxed);
    time(&format!("subscribe dev/<n>/temp, {count} times"), count, |n| {
        text(&mut buffer, format_args!("dev/{}/temp", n + 1000));
        router.subscribe(&buffer, subscriber(n));
    });
    let each = (BYTES.load(Ordering::Relaxed) - before) as f64 / f64::from(count);
    let own = router.memory_bytes() as f64 / f64::from(count + 1000);
    println!("bytes per subscription: {each:.1} allocated, {own:.1} by the router's own account");
    matching(&router, &format!("{count} others"));
    let topics = (0..100_000u32).map(|n| format!("dev/{}/temp", n * 7)).collect::<Vec<_>>();
    let mut cache = MatchCache::new(131_072, 1 << 20);
    let before = BYTES.load(Ordering::Relaxed);
    for _ in 0..2 {
        time("match, 100,000 topics in turn, cache of 131,072", 1_000_000, |n| {
            black_box(cache.matches(&router, &topics[n as usize % topics.len()]).targets.len());
        });
    }
    let each = (BYTES.load(Ordering::Relaxed) - before) as f64 / 1e5;
    println!("bytes per cached topic with 1 subscriber: {each:.1}");
    let mut cache = MatchCache::new(16_384, 1 << 20);
    time("match, 100,000 topics in turn, cache of 16,384", 1_000_000, |n| {
        black_box(cache.matches(&router, &topics[n as usize % topics.len()]).targets.len());
    });
    time(&format!("unsubscribe, {count} times"), count, |n| {
        text(&mut buffer, format_args!("dev/{}/temp", n + 1000));
        router.unsubscribe(&buffer, subscriber(n).key);
    });
}

fn fan_out() {
    let router = Router::new();
    let mut cache = MatchCache::new(16_384, 1 << 20);
    time("100,000 subscribers of one filter", 100_000, |n| {
        router.subscribe("all", subscriber(n.wrapping_mul(2_654_435_761) >> 8));
    });
    time("match miss with 100,000 targets", 50, |n| {
        router.subscribe("all", subscriber(n << 25));
        black_box(cache.matches(&router, "all").targets.len());
    });
    time("unsubscribe one of 100,000", 100_000, |n| {
        router.unsubscribe("all", subscriber(n.wrapping_mul(2_654_435_761) >> 8).key);
    });
}

fn scan_all(retained: &Retained<Entry>, filter: &str) {
    let (mut cursor, mut out) = (RetainedCursor::default(), Vec::new());
    let (mut slices, mut found, mut longest) = (0, 0, 0);
    let origin = Instant::now();
    let start = cpu_ns(origin);
    loop {
        let slice = Instant::now();
        let more = retained.scan(filter, &mut cursor, 200, &mut out);
        longest = longest.max(slice.elapsed().as_micros());
        slices += 1;
        found += out.len();
        out.clear();
        if !more {
            break;
        }
    }
    let ms = (cpu_ns(origin) - start) as f64 / 1e6;
    println!(
        "scan {filter:<20} {found:>8} found, {slices} slices, {ms:.2} ms, longest {longest} µs"
    );
}

fn retaining(count: u32) {
    let retained = Retained::new();
    let topic = |n: u32| format!("dev/{}/{}", n / 10, ["temp", "hum", "state"][n as usize % 3]);
    let entry = |n: u32| Arc::new(Entry { topic: format!("{}/{n}", topic(n)).into() });
    let shuffled = |n: u32| (u64::from(n) * 7_919 % u64::from(count)) as u32;
    let entries = (0..count).map(|n| entry(shuffled(n))).collect::<Vec<_>>();
    let before = BYTES.load(Ordering::Relaxed);
    time(&format!("retain, {count} times, any order"), count, |n| {
        retained.insert(Arc::clone(&entries[n as usize]));
    });
    let each = (BYTES.load(Ordering::Relaxed) - before) as f64 / f64::from(count);
    println!("bytes per retained message beside itself: {each:.1}");
    time("retain again", count, |n| {
        retained.insert(Arc::clone(&entries[n as usize]));
    });
    time("get", count, |n| {
        black_box(retained.get(&entries[n as usize].topic));
    });
    for filter in ["#", "dev/5/#", "dev/+/temp/77", "+/77/+/+", "dev/+/none", "none/#"] {
        scan_all(&retained, filter);
    }
    time("remove", count, |n| {
        retained.remove(&entries[n as usize].topic);
    });
}

fn main() {
    let count = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    routing(count);
    fan_out();
    retaining(count);
}
