//! The load generator's reactor: one thread, one epoll, all connections.
//!
//! Owns: connections, phases, counters. Set-up is in `set_up`, arriving bytes
//! in `inbound`, sending in `outbound`. Invariant: a turn handles a bounded
//! batch of events and only then sends, so that whatever arrived together
//! leaves together.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use crate::config::{BenchConfig, Mode, ProtocolVersion};
use crate::error::BenchError;
use crate::histogram::Histogram;
use crate::ledger::{Audience, Ledger};
use crate::net::{Link, LinkState, Role, Target, ensure_files, resolve};
use crate::packet::{DISCONNECT, PINGREQ};
use crate::publisher::Publisher;
use crate::report::{GeneratorUse, Phase, Progress, Report, WatchedUse};
use crate::watch::{ProcessSample, now_ns, sample_process, thread_cpu_ns, thread_user_system_s};

/// Events taken from the kernel at once.
const EVENTS: usize = 512;
/// Read buffer shared by all connections.
const SCRATCH_BYTES: usize = 256 * 1024;
/// Longest time between two looks at clock, caller and stalled windows.
const TICK_NS: u64 = 50_000_000;
const PROGRESS_NS: u64 = 200_000_000;
const STALL_NS: u64 = 1_000_000_000;
/// Event data of the timer; connections use their index.
const TIMER: u64 = u64::MAX;

/// Called with the state of the run; `false` ends it.
pub(crate) type Observer<'a> = &'a mut dyn FnMut(Progress) -> bool;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counters {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) errors: u64,
    pub(crate) disconnects: u64,
    pub(crate) stalls: u64,
    pub(crate) skipped: u64,
}

/// Counters and clocks at the two ends of the measurement.
#[derive(Default)]
struct Mark {
    time_ns: u64,
    cpu_ns: u64,
    user_system_s: (f64, f64),
    counters: Counters,
    watched: Option<ProcessSample>,
}

pub(crate) struct Engine<'a> {
    pub(crate) config: &'a BenchConfig,
    pub(crate) is_v5: bool,
    pub(crate) client_id_prefix: String,
    pub(crate) targets: Vec<Target>,
    pub(crate) epoll: OwnedFd,
    timer: OwnedFd,
    armed_for_ns: u64,
    pub(crate) links: Vec<Link>,
    pub(crate) ready: usize,
    pub(crate) publishers: Vec<Publisher>,
    pub(crate) ledger: Ledger,
    pub(crate) dirty: Vec<u32>,
    pub(crate) scratch: Vec<u8>,
    pub(crate) acks: Vec<u8>,
    pub(crate) out: Vec<u8>,
    pub(crate) counters: Counters,
    pub(crate) latency: Histogram,
    pub(crate) lag: Histogram,
    pub(crate) is_sending: bool,
    pub(crate) is_measuring: bool,
    pub(crate) paced_from_ns: u64,
    pub(crate) paced_sent: u64,
    /// Messages still to be sent.
    pub(crate) remaining: u64,
    pub(crate) subscriptions: u64,
    began_ns: u64,
    last_progress_ns: u64,
    last_stall_look_ns: u64,
    last_ping_ns: u64,
    pub(crate) is_stopped: bool,
}

impl<'a> Engine<'a> {
    fn new(config: &'a BenchConfig) -> Result<Engine<'a>, BenchError> {
        let publishers = config.publishing() as usize;
        let receivers = config.receiving() as usize;
        ensure_files((publishers + receivers) as u64 + u64::from(config.idle_connections))?;
        let audience = match config.mode {
            Mode::Fanout => Audience::All,
            Mode::Shared => Audience::Group,
            _ => Audience::One,
        };
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(BenchError::io("epoll"))?;
        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )
        .map_err(BenchError::io("timerfd"))?;
        epoll::add(
            &epoll,
            &timer,
            epoll::EventData::new_u64(TIMER),
            epoll::EventFlags::IN | epoll::EventFlags::ET,
        )
        .map_err(BenchError::io("epoll"))?;
        let began_ns = now_ns();
        Ok(Engine {
            config,
            is_v5: config.protocol == ProtocolVersion::V5,
            client_id_prefix: client_id_prefix(config, began_ns),
            targets: resolve(&config.addresses)?,
            epoll,
            timer,
            armed_for_ns: 0,
            links: Vec::new(),
            ready: 0,
            publishers: Vec::new(),
            ledger: Ledger::new(audience, publishers, receivers, config.window.max(1)),
            dirty: Vec::new(),
            scratch: vec![0; SCRATCH_BYTES],
            acks: Vec::with_capacity(4096),
            out: Vec::with_capacity(SCRATCH_BYTES),
            counters: Counters::default(),
            latency: Histogram::new(),
            lag: Histogram::new(),
            is_sending: false,
            is_measuring: false,
            paced_from_ns: 0,
            paced_sent: 0,
            remaining: if config.messages == 0 {
                u64::MAX
            } else {
                config.messages
            },
            subscriptions: 0,
            began_ns,
            last_progress_ns: 0,
            last_stall_look_ns: began_ns,
            last_ping_ns: began_ns,
            is_stopped: false,
        })
    }

    /// Takes one batch of events; waits at most until `until_ns` or the next tick.
    pub(crate) fn turn(&mut self, now: u64, until_ns: u64) -> Result<(), BenchError> {
        let mut wait_ns = until_ns.saturating_sub(now).min(TICK_NS);
        if self.is_sending && self.config.rate > 0.0 {
            let due = self.next_due_ns();
            if due <= now || self.config.busy_poll {
                wait_ns = 0;
            } else if due < now + wait_ns {
                self.arm_timer(due)?;
            }
        } else if !self.dirty.is_empty() {
            wait_ns = 0;
        }
        let timeout = Timespec {
            tv_sec: (wait_ns / 1_000_000_000) as i64,
            tv_nsec: (wait_ns % 1_000_000_000) as i64,
        };
        let mut buffer = [MaybeUninit::uninit(); EVENTS];
        match epoll::wait(&self.epoll, &mut buffer, Some(&timeout)) {
            Ok((events, _)) => {
                for event in events.iter() {
                    let token = event.data.u64();
                    if token != TIMER {
                        self.on_event(token as usize, event.flags)?;
                    }
                }
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(BenchError::io("epoll_wait")(errno)),
        }
        if self.is_sending {
            self.send_all();
        }
        Ok(())
    }

    /// Sets the timer for `due_ns`; it has no slack, unlike the timeout of `epoll_wait`.
    fn arm_timer(&mut self, due_ns: u64) -> Result<(), BenchError> {
        if self.armed_for_ns == due_ns {
            return Ok(());
        }
        self.armed_for_ns = due_ns;
        let zero = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let value = Itimerspec {
            it_interval: zero,
            it_value: Timespec {
                tv_sec: (due_ns / 1_000_000_000) as i64,
                tv_nsec: (due_ns % 1_000_000_000) as i64,
            },
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &value)
            .map_err(BenchError::io("timerfd"))?;
        Ok(())
    }

    fn on_event(&mut self, index: usize, flags: epoll::EventFlags) -> Result<(), BenchError> {
        let Some(link) = self.links.get_mut(index) else {
            return Ok(());
        };
        if link.state == LinkState::Connecting {
            return self.on_connected(index);
        }
        if flags.contains(epoll::EventFlags::OUT) && link.is_blocked() {
            let sent = link.write_waiting();
            self.after_write(index, sent);
            if sent == crate::net::Sent::All {
                self.rearm(index)?;
                self.mark_publisher_of(index);
            }
        }
        if flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR)
        {
            self.on_readable(index)?;
        }
        Ok(())
    }

    pub(crate) fn rearm(&mut self, index: usize) -> Result<(), BenchError> {
        let Some(link) = self.links.get(index) else {
            return Ok(());
        };
        epoll::modify(
            &self.epoll,
            &link.socket,
            epoll::EventData::new_u64(index as u64),
            link.interest(),
        )
        .map_err(BenchError::io("epoll_ctl"))
    }

    /// Looks that need not be made every turn; false when the caller wants to stop.
    pub(crate) fn tick(&mut self, phase: Phase, share: f64, observer: Observer<'_>) -> bool {
        let now = now_ns();
        if now - self.last_progress_ns >= PROGRESS_NS || share >= 1.0 {
            self.last_progress_ns = now;
            let wants_more = observer(Progress {
                phase,
                elapsed_s: (now - self.began_ns) as f64 / 1e9,
                share: share.clamp(0.0, 1.0),
                connected: self.ready as u64,
                sent: self.counters.sent,
                received: self.counters.received,
            });
            self.is_stopped |= !wants_more;
        }
        if now - self.last_stall_look_ns >= STALL_NS {
            self.last_stall_look_ns = now;
            self.reopen_stalled_windows();
        }
        self.ping(now);
        !self.is_stopped
    }

    /// A PINGREQ on every connection each half Keep Alive (MQTT-3.1.1 [MQTT-3.1.2-23]).
    fn ping(&mut self, now: u64) {
        let every_ns = u64::from(self.config.keep_alive_s) * 500_000_000;
        if every_ns == 0 || now - self.last_ping_ns < every_ns {
            return;
        }
        self.last_ping_ns = now;
        for index in 0..self.links.len() {
            if self
                .links
                .get(index)
                .is_some_and(|link| link.state == LinkState::Ready)
            {
                self.write(index, &PINGREQ);
            }
        }
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

    /// Runs turns for `seconds`; ends early when the caller stops or nothing is connected.
    fn phase(
        &mut self,
        phase: Phase,
        seconds: f64,
        observer: Observer<'_>,
    ) -> Result<(), BenchError> {
        let from = now_ns();
        let length = (seconds * 1e9) as u64;
        let mut next_tick = from;
        loop {
            let now = now_ns();
            if now >= from + length || self.is_stopped || self.ready == 0 || self.is_done() {
                return Ok(());
            }
            if now >= next_tick {
                next_tick = now + TICK_NS;
                self.tick(phase, (now - from) as f64 / length as f64, observer);
            }
            self.turn(now, from + length)?;
        }
    }

    /// Waits for messages under way.
    fn drain(&mut self, observer: Observer<'_>) -> Result<(), BenchError> {
        let until = now_ns() + (self.config.drain_s * 1e9) as u64;
        let mut next_tick = 0;
        loop {
            let now = now_ns();
            if now >= until || self.is_stopped || self.ready == 0 || self.lost() == 0 {
                return Ok(());
            }
            if now >= next_tick {
                next_tick = now + TICK_NS;
                self.tick(Phase::Drain, 0.0, observer);
            }
            self.turn(now, until)?;
        }
    }

    /// Whether everything that was to be sent is sent and acknowledged.
    fn is_done(&self) -> bool {
        self.remaining == 0
            && self
                .publishers
                .iter()
                .all(|publisher| publisher.inflight == 0)
    }

    fn lost(&self) -> u64 {
        if self.config.receiving() == 0 || self.config.mode == Mode::Sub {
            return 0;
        }
        let next: Vec<u32> = self
            .publishers
            .iter()
            .map(Publisher::next_sequence)
            .collect();
        self.ledger.lost(&next)
    }

    fn say_goodbye(&mut self) {
        for link in &mut self.links {
            if link.state == LinkState::Ready {
                // The process is done with the connection either way.
                let _ = link.write(&DISCONNECT);
            }
        }
    }

    fn execute(&mut self, observer: Observer<'_>) -> Result<Report, BenchError> {
        let watched_before = self.watch(true);
        let idle_set_up_s = self.set_up_idle(observer)?;
        let set_up_s = idle_set_up_s + self.set_up_workers(observer)?;
        let watched_ready = self.watch(false);
        self.is_sending = !self.publishers.is_empty();
        self.paced_from_ns = now_ns();
        self.dirty = self.mark_all();
        if self.config.mode != Mode::Conn {
            self.phase(Phase::WarmUp, self.config.warm_up_s, observer)?;
        }
        let start = self.mark();
        self.is_measuring = true;
        self.phase(Phase::Measure, self.config.duration_s, observer)?;
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
        if let (Some(use_), Some(before), Some(ready), Some(after)) = (
            report.watched.as_mut(),
            watched_before,
            watched_ready,
            watched_after,
        ) {
            use_.before = before;
            use_.after = after;
            use_.set_up_cpu_s = ready.cpu_ns.saturating_sub(before.cpu_ns) as f64 / 1e9;
        }
        self.say_goodbye();
        Ok(report)
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
        let messages = if self.config.receiving() > 0 {
            received
        } else {
            sent
        };
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
    if messages == 0 {
        0.0
    } else {
        cpu_s * 1e6 / messages as f64
    }
}

/// The configured prefix, or one that no other process of this machine uses now.
pub(crate) fn client_id_prefix(config: &BenchConfig, began_ns: u64) -> String {
    if !config.client_id_prefix.is_empty() {
        return config.client_id_prefix.clone();
    }
    let since = Duration::from_nanos(began_ns).as_millis() as u32 & 0xFFFF;
    format!("b{:x}-{since:x}", std::process::id())
}

/// Runs everything but mode churn.
pub(crate) fn run(config: &BenchConfig, observer: Observer<'_>) -> Result<Report, BenchError> {
    Engine::new(config)?.execute(observer)
}

/// Which connection indexes belong to a role, for set-up.
pub(crate) fn worker_roles(config: &BenchConfig) -> impl Iterator<Item = Role> {
    (0..config.receiving())
        .map(Role::Receiver)
        .chain((0..config.publishing()).map(Role::Publisher))
}
