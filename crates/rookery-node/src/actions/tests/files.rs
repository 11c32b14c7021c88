//! Items on disk: through a real thread, and files that are not as they were written.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;

use super::*;

const COUNT: u64 = 3000;

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(dir).expect("dir").map(|entry| entry.expect("entry").path()).collect();
    paths.sort();
    paths
}

fn fill(buffer: &ActionBuffer, rule: &Arc<RuleTally>) {
    for name in 0..COUNT {
        buffer.offer(1, &mut vec![item(rule, name % 5 + 1, name, 100)]);
        if name % 100 == 0 {
            buffer.turn();
        }
    }
    while buffer.turn() {}
}

/// Everything that still comes.
fn drain(buffer: &ActionBuffer) -> Vec<u64> {
    let mut came = Vec::new();
    loop {
        let batch = buffer.take(1, 100, 1 << 20);
        came.extend(names(&batch));
        buffer.settle(&numbers(&batch), Outcome::Success);
        let wants_turn = buffer.turn();
        if batch.items.is_empty() && !wants_turn && !buffer.take(1, 0, 0).has_more {
            return came;
        }
    }
}

#[test]
fn what_goes_to_disk_comes_back_in_order() {
    let (scratch, actions, rule) = (Scratch::new(), actions(), rule());
    std::fs::create_dir_all(scratch.path()).expect("dir");
    std::fs::write(scratch.path().join("00000007.items"), b"of an earlier run").expect("write");
    let spec = spilling(10_000, scratch.path(), 1 << 30);
    let buffer = actions.open("http:a", spec).expect("opens");
    assert_eq!(files(scratch.path()), [] as [PathBuf; 0]);
    for name in 0..COUNT {
        actions.sink("http:a").expect("open").offer(1, &mut vec![item(&rule, 1, name, 100)]);
    }
    let mut came = Vec::new();
    while came.len() < COUNT as usize {
        let batch = buffer.take(1, 64, 1 << 20);
        came.extend(names(&batch));
        buffer.settle(&numbers(&batch), Outcome::Success);
        if batch.items.is_empty() {
            assert!(is_readable(&actions, Duration::from_secs(20)), "nothing comes");
            assert_eq!(actions.ready(), [buffer.number()]);
        }
    }
    assert!(came.is_sorted() && came.iter().copied().eq(0..COUNT));
    let counters = check_sum(&buffer);
    assert_eq!((counters.success, counters.queuing), (COUNT, 0));
    actions.close(&buffer);
    assert!(!scratch.path().exists());
    assert_eq!(buffer.counters().spilled_bytes, 0);
}

#[test]
fn closing_counts_what_lies_on_disk() {
    let (scratch, rule) = (Scratch::new(), rule());
    let buffer = alone(spilling(10_000, scratch.path(), 1 << 30));
    fill(&buffer, &rule);
    assert!(buffer.counters().spilled_bytes > 100_000);
    buffer.close();
    assert!(!scratch.path().exists());
    assert_eq!(check_sum(&buffer).dropped_resource_stopped, COUNT);
    assert_eq!(rule.counts().out_of_service, COUNT);
}

#[test]
fn a_damaged_file_costs_its_rest_and_is_counted() {
    for cut in [false, true] {
        let (scratch, rule) = (Scratch::new(), rule());
        let buffer = alone(spilling(10_000, scratch.path(), 1 << 20));
        fill(&buffer, &rule);
        let files = files(scratch.path());
        assert!(files.len() > 2, "{files:?}");
        let second = OpenOptions::new().write(true).open(files.get(1).expect("second"));
        let second = second.expect("open");
        if cut {
            second.set_len(20_000).expect("cut");
        } else {
            second.write_all_at(b"??", 20_000).expect("write");
        }
        let came = drain(&buffer);
        assert!(came.len() as u64 > COUNT / 2 && (came.len() as u64) < COUNT, "{}", came.len());
        let counters = check_sum(&buffer);
        assert_eq!(counters.dropped_other, COUNT - came.len() as u64);
        assert_eq!((counters.queuing, counters.spilled_bytes), (0, 0));
        assert_eq!(rule.counts().discarded, counters.dropped_other);
        for key in 1..=5 {
            let of_one: Vec<_> = came.iter().filter(|name| *name % 5 + 1 == key).collect();
            assert!(of_one.is_sorted(), "the order of client {key}");
        }
    }
}

#[test]
fn a_disk_that_takes_nothing_is_a_full_queue() {
    let (scratch, rule) = (Scratch::new(), rule());
    let buffer = alone(spilling(10_000, scratch.path(), 1 << 30));
    std::fs::remove_dir_all(scratch.path()).expect("remove");
    fill(&buffer, &rule);
    let counters = check_sum(&buffer);
    assert!(counters.dropped_queue_full > COUNT / 2);
    assert_eq!(counters.spilled_bytes, 0);
    // It comes back.
    std::fs::create_dir_all(scratch.path()).expect("dir");
    fill(&buffer, &rule);
    assert!(buffer.counters().spilled_bytes > 100_000);
}

#[test]
fn a_full_disk_limit_refuses_what_is_new() {
    let (scratch, rule) = (Scratch::new(), rule());
    let buffer = alone(spilling(10_000, scratch.path(), 100_000));
    fill(&buffer, &rule);
    let counters = check_sum(&buffer);
    assert!(counters.spilled_bytes <= 100_100, "{counters:?}");
    assert_eq!(counters.dropped_queue_full + counters.queuing, COUNT);
    let came = drain(&buffer);
    assert!(came.iter().copied().eq(0..counters.queuing), "the oldest are kept");
}
