//! CPU and memory of processes, read from `/proc`.

use std::fs;

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// Nanoseconds of the system-wide monotonic clock: comparable between processes.
#[inline]
pub(crate) fn now_ns() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    (time.tv_sec as u64) * 1_000_000_000 + time.tv_nsec as u64
}

/// CPU time of the calling thread in nanoseconds.
pub(crate) fn thread_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    (time.tv_sec as u64) * 1_000_000_000 + time.tv_nsec as u64
}

/// User and system seconds of the calling thread, in ticks of 10 ms.
pub(crate) fn thread_user_system_s() -> (f64, f64) {
    let read = || {
        let text = fs::read_to_string("/proc/thread-self/stat").ok()?;
        // The name in parentheses may hold spaces; fields are counted behind it.
        let rest = text.rsplit_once(')')?.1;
        let mut fields = rest.split_ascii_whitespace().skip(11);
        let user: f64 = fields.next()?.parse().ok()?;
        let system: f64 = fields.next()?.parse().ok()?;
        Some((user / 100.0, system / 100.0))
    };
    read().unwrap_or_default()
}

/// What a watched process has used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ProcessSample {
    /// CPU of all its threads, user and system, in nanoseconds.
    pub cpu_ns: u64,
    /// Proportional set size in bytes.
    pub pss_bytes: u64,
    /// Number of threads.
    pub threads: u32,
}

/// Samples the process `pid`; `None` when it is gone or may not be read.
pub(crate) fn sample_process(pid: u32, with_memory: bool) -> Option<ProcessSample> {
    let mut sample = ProcessSample::default();
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let path = task.ok()?.path().join("schedstat");
        // A thread may end between listing and reading.
        let Ok(text) = fs::read_to_string(path) else {
            continue;
        };
        sample.cpu_ns += text.split_ascii_whitespace().next()?.parse::<u64>().ok()?;
        sample.threads += 1;
    }
    if with_memory {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let line = text.lines().find(|line| line.starts_with("Pss:"))?;
        let kilobytes: u64 = line.split_ascii_whitespace().nth(1)?.parse().ok()?;
        sample.pss_bytes = kilobytes * 1024;
    }
    Some(sample)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_process_has_threads_and_memory() {
        let sample = sample_process(std::process::id(), true).unwrap();
        assert!(sample.threads >= 1 && sample.pss_bytes > 0);
        assert!(sample_process(u32::MAX, false).is_none());
    }
}
