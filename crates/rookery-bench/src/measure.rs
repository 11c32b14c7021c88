//! The course of a run: set up, warm up, count, drain, report.

use crate::config::{BenchConfig, Mode};
use crate::engine::{Counters, Engine, Observer};
use crate::error::BenchError;
use crate::report::{GeneratorUse, Phase, Report, WatchedUse};
use crate::watch::{ProcessSample, now_ns, sample_process, thread_cpu_ns, thread_user_system_s};

/// Counters and clocks at the two ends of the measurement.
#[derive(Default)]
struct Mark {
    time_ns: u64,
    cpu_ns: u64,
    user_system_s: (f64, f64),
    counters: Counters,
    watched: Option<ProcessSample>,
}

impl Engine<'_> {
    fn execute(&mut self, observer: Observer<'_>) -> Result<Report, BenchError> {
        let watched_before = self.watch(true);
        let idle_set_up_s = self.set_up_idle(observer)?;
        let set_up_s = idle_set_up_s + self.set_up_workers(observer)?;
        let watched_ready = self.watch(false);
        self.is_sending = !self.publishers.is_empty();
        self.paced_from_ns = now_ns();
        self.dirty = self.mark_all();
        if self.config.mode != Mode::Conn && self.config.messages == 0 {
            self.phase(Phase::WarmUp, self.config.warm_up_s, observer)?;
        }
        let start = self.mark();
        self.is_measuring = true;
        self.phase(Phase::Measure, self.config.duration_s, observer)?;
        if self.is_done() {
            // The last ones were sent, which at QoS 0 says nothing of their arrival: they count too.
            self.drain(observer)?;
        }
        self.is_measuring = false;
        let end = self.mark();
        let watched_after = self.watch(true);
        self.is_sending = false;
        if self.config.mode != Mode::Conn {
            self.drain(observer)?;
        }
        let mut report = self.report(&start, &end);
        report.set_up_s = set_up_s;
        report.idle_set_up_s = idle_set_up_s;
        if let (Some(use_), Some(before), Some(ready), Some(after)) =
            (report.watched.as_mut(), watched_before, watched_ready, watched_after)
        {
            use_.before = before;
            use_.after = after;
            use_.set_up_cpu_s = ready.cpu_ns.saturating_sub(before.cpu_ns) as f64 / 1e9;
        }
        self.say_goodbye()?;
        Ok(report)
    }

    fn mark(&self) -> Mark {
        Mark {
            time_ns: now_ns(),
            cpu_ns: thread_cpu_ns(),
            user_system_s: thread_user_system_s(),
            counters: self.counters,
            watched: self.watch(false),
        }
    }

    fn watch(&self, with_memory: bool) -> Option<ProcessSample> {
        match self.config.watch_pid {
            0 => None,
            pid => sample_process(pid, with_memory),
        }
    }

    fn mark_all(&mut self) -> Vec<u32> {
        for publisher in &mut self.publishers {
            publisher.is_dirty = true;
        }
        (0..self.publishers.len() as u32).collect()
    }

    fn report(&self, start: &Mark, end: &Mark) -> Report {
        let measured_s = ((end.time_ns - start.time_ns) as f64 / 1e9).max(1e-9);
        let sent = end.counters.sent - start.counters.sent;
        let received = end.counters.received - start.counters.received;
        let messages = if self.config.receiving() > 0 { received } else { sent };
        let cpu_s = (end.cpu_ns - start.cpu_ns) as f64 / 1e9;
        let watched = start.watched.zip(end.watched).map(|(before, after)| {
            let cpu_s = after.cpu_ns.saturating_sub(before.cpu_ns) as f64 / 1e9;
            WatchedUse {
                cpu_s,
                core_share: cpu_s / measured_s,
                us_per_message: per_message(cpu_s, messages),
                ..WatchedUse::default()
            }
        });
        Report {
            measured_s,
            connected: self.ready as u64,
            refused: self.refused,
            subscriptions: self.subscriptions,
            sent,
            received,
            sent_per_s: sent as f64 / measured_s,
            received_per_s: received as f64 / measured_s,
            latency_us: self.latency.percentiles(),
            lag_us: self.lag.percentiles(),
            errors: self.counters.errors,
            disconnects: self.counters.disconnects,
            duplicates: self.ledger.duplicates,
            out_of_order: self.ledger.late,
            lost: self.lost(),
            stalls: self.counters.stalls,
            skipped: self.counters.skipped,
            stopped_early: self.is_stopped,
            generator: GeneratorUse {
                cpu_s,
                user_s: end.user_system_s.0 - start.user_system_s.0,
                system_s: end.user_system_s.1 - start.user_system_s.1,
                core_share: cpu_s / measured_s,
                us_per_message: per_message(cpu_s, messages),
            },
            watched,
            ..Report::empty(self.config)
        }
    }
}

pub(crate) fn per_message(cpu_s: f64, messages: u64) -> f64 {
    if messages == 0 { 0.0 } else { cpu_s * 1e6 / messages as f64 }
}

/// Runs everything but mode churn.
pub(crate) fn run(config: &BenchConfig, observer: Observer<'_>) -> Result<Report, BenchError> {
    Engine::new(config)?.execute(observer)
}
