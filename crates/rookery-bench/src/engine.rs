//! The load generator's reactor: one thread, one epoll, all connections.
//!
//! Owns: connections, phases, counters. Set-up is in `set_up`, arriving bytes
//! in `inbound`, sending in `outbound`, the
//! course of a run in `measure`. Invariant: a turn handles a bounded
//! batch of events and only then sends, so that whatever arrived together
//! leaves together.

use std::collections::VecDeque;
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
use crate::layers::{Dialer, WIRE_BYTES};
use crate::ledger::{Audience, Ledger};
use crate::net::{Link, LinkState, Role, Target, ensure_files, resolve};
use crate::packet::{DISCONNECT, PINGREQ};
use crate::publisher::Publisher;
use crate::report::{Phase, Progress};
use crate::watch::now_ns;

/// Events taken from the kernel at once.
const EVENTS: usize = 512;
/// Read buffer shared by all connections.
const SCRATCH_BYTES: usize = 256 * 1024;
/// Longest time between two looks at clock, caller and stalled windows.
const TICK_NS: u64 = 50_000_000;
const PROGRESS_NS: u64 = 200_000_000;
const STALL_NS: u64 = 1_000_000_000;
/// Longest wait for the broker to close connections after DISCONNECT.
const GOODBYE_NS: u64 = 1_000_000_000;
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

pub(crate) struct Engine<'a> {
    pub(crate) config: &'a BenchConfig,
    pub(crate) is_v5: bool,
    pub(crate) client_id_prefix: String,
    pub(crate) targets: Vec<Target>,
    pub(crate) dialer: Dialer,
    pub(crate) epoll: OwnedFd,
    timer: OwnedFd,
    armed_for_ns: u64,
    pub(crate) links: Vec<Link>,
    pub(crate) ready: usize,
    pub(crate) publishers: Vec<Publisher>,
    pub(crate) ledger: Ledger,
    pub(crate) dirty: Vec<u32>,
    pub(crate) scratch: Vec<u8>,
    /// Ciphertext of the connection being read.
    pub(crate) wire: Vec<u8>,
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
    /// Connections to be tried again, by time, and how many there have been.
    pub(crate) retries: VecDeque<(u64, usize)>,
    pub(crate) refused: u64,
    began_ns: u64,
    last_progress_ns: u64,
    last_stall_look_ns: u64,
    last_ping_ns: u64,
    pub(crate) is_stopped: bool,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(config: &'a BenchConfig) -> Result<Engine<'a>, BenchError> {
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
        let targets = resolve(&config.addresses)?;
        let dialer = Dialer::new(config, &targets)?;
        Ok(Engine {
            config,
            is_v5: config.protocol == ProtocolVersion::V5,
            client_id_prefix: client_id_prefix(config, began_ns),
            targets,
            wire: vec![0; if config.tls { WIRE_BYTES } else { 0 }],
            dialer,
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
            remaining: if config.messages == 0 { u64::MAX } else { config.messages },
            subscriptions: 0,
            retries: VecDeque::new(),
            refused: 0,
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
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
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
            if self.links.get(index).is_some_and(|link| link.state == LinkState::Ready) {
                self.write(index, &PINGREQ);
            }
        }
    }

    /// Runs turns for `seconds`; ends early when the caller stops or nothing is connected.
    pub(crate) fn phase(
        &mut self,
        phase: Phase,
        seconds: f64,
        observer: Observer<'_>,
    ) -> Result<(), BenchError> {
        let from = now_ns();
        let length = ((seconds * 1e9) as u64).max(1);
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
    pub(crate) fn drain(&mut self, observer: Observer<'_>) -> Result<(), BenchError> {
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
    pub(crate) fn is_done(&self) -> bool {
        self.remaining == 0 && self.publishers.iter().all(|publisher| publisher.inflight == 0)
    }

    pub(crate) fn lost(&self) -> u64 {
        if self.config.receiving() == 0 || self.config.mode == Mode::Sub {
            return 0;
        }
        let next: Vec<u32> = self.publishers.iter().map(Publisher::next_sequence).collect();
        self.ledger.lost(&next)
    }

    /// Disconnects and waits a little for the broker to close too, so that the
    /// next run does not meet this one's sessions.
    pub(crate) fn say_goodbye(&mut self) -> Result<(), BenchError> {
        for link in &mut self.links {
            if link.state == LinkState::Ready {
                // Fails only on a connection that is gone already.
                let _ = link.write(&DISCONNECT);
                link.finish();
            }
        }
        let until = now_ns() + GOODBYE_NS;
        loop {
            let now = now_ns();
            if now >= until || self.ready == 0 {
                return Ok(());
            }
            self.turn(now, until)?;
        }
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

/// Which connection indexes belong to a role, for set-up.
pub(crate) fn worker_roles(config: &BenchConfig) -> impl Iterator<Item = Role> {
    (0..config.receiving()).map(Role::Receiver).chain((0..config.publishing()).map(Role::Publisher))
}
