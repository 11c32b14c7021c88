//! Modes churn and handshake: connect, subscribe, disconnect, over and over; or only as far as
//! TLS and WebSocket stand.
//!
//! A cycle ends when the broker has closed its side, so that a broker which
//! leaves work for later is not credited for it, and no port stays in TIME_WAIT.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::sockopt;
use rustix::time::Timespec;

use crate::config::{BenchConfig, Mode, ProtocolVersion};
use crate::engine::{Observer, client_id_prefix};
use crate::error::BenchError;
use crate::histogram::Histogram;
use crate::layers::{Dialer, WIRE_BYTES};
use crate::measure::per_message;
use crate::net::{Link, LinkState, Role, Sent, Target, ensure_files, resolve, start_connect};
use crate::packet::{
    DISCONNECT, connack, connack_meaning, next_frame, put_connect, put_subscribe, suback_codes,
};
use crate::report::{GeneratorUse, Phase, Progress, Report, WatchedUse};
use crate::set_up::{Credentials, connect_fields};
use crate::watch::{ProcessSample, now_ns, sample_process, thread_cpu_ns, thread_user_system_s};

const TICK_NS: u64 = 100_000_000;
/// Holds the plaintext of all that one read may bring.
const REPLY_BYTES: usize = 2 * WIRE_BYTES;

struct Slot {
    link: Link,
    began_ns: u64,
}

#[derive(Clone, Copy, Default)]
struct Mark {
    time_ns: u64,
    cpu_ns: u64,
    user_system_s: (f64, f64),
    cycles: u64,
    resumed: u64,
    refused: u64,
    watched: Option<ProcessSample>,
}

struct Churn<'a> {
    config: &'a BenchConfig,
    is_v5: bool,
    prefix: String,
    targets: Vec<Target>,
    dialer: Dialer,
    reply: Vec<u8>,
    wire: Vec<u8>,
    epoll: OwnedFd,
    slots: Vec<Option<Slot>>,
    /// Cycles started: the number in the client id, so that every client is new.
    started: u64,
    cycles: u64,
    resumed: u64,
    refused: u64,
    /// Slots that wait for their time (`connect_rate`).
    waiting: Vec<usize>,
    errors: u64,
    latency: Histogram,
    is_measuring: bool,
    began_ns: u64,
}

impl Churn<'_> {
    fn open(&mut self, at: usize) -> Result<(), BenchError> {
        let number = self.started as usize;
        let Some(target) = self.targets.get(number % self.targets.len()) else {
            return Ok(());
        };
        let sources = &self.config.source_addresses;
        let source = sources.get(number % sources.len().max(1)).copied();
        let began_ns = now_ns();
        let socket = start_connect(target, source)?;
        let role = Role::Idle(self.started as u32);
        let at_target = number % self.targets.len();
        let layers = self.dialer.layers(at_target)?;
        let link = Link::new(socket, role, at_target as u32, layers);
        epoll::add(
            &self.epoll,
            &link.socket,
            epoll::EventData::new_u64(at as u64),
            link.interest(),
        )
        .map_err(BenchError::io("epoll_ctl"))?;
        self.started += 1;
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Some(Slot { link, began_ns });
        }
        Ok(())
    }

    fn on_event(&mut self, at: usize) -> Result<(), BenchError> {
        let Some(Some(slot)) = self.slots.get_mut(at) else {
            return Ok(());
        };
        if slot.link.state == LinkState::Connecting {
            return self.on_connected(at);
        }
        if slot.link.is_blocked() {
            slot.link.write_waiting();
        }
        let read = match slot.link.read(&mut self.reply, &mut self.wire) {
            Ok(read) => read,
            Err(Errno::AGAIN | Errno::INTR) => return self.on_layers(at),
            Err(_) => 0,
        };
        if read == 0 {
            return self.on_end(at);
        }
        slot.link.inbox.extend_from_slice(self.reply.get(..read).unwrap_or_default());
        let bytes = std::mem::take(&mut slot.link.inbox);
        let mut used = 0;
        while let Some(Ok(Some(frame))) = bytes.get(used..).map(next_frame) {
            used += frame.total;
            self.on_frame(at, frame.first >> 4, frame.body)?;
        }
        if let Some(Some(slot)) = self.slots.get_mut(at) {
            slot.link.inbox.extend_from_slice(bytes.get(used..).unwrap_or_default());
        }
        Ok(())
    }

    /// No packet came, but perhaps TLS or WebSocket got further.
    fn on_layers(&mut self, at: usize) -> Result<(), BenchError> {
        let Some(Some(slot)) = self.slots.get_mut(at) else {
            return Ok(());
        };
        if slot.link.state == LinkState::Handshaking && slot.link.is_established() {
            if self.config.mode == Mode::Handshake {
                slot.link.state = LinkState::Ready;
                slot.link.ask_to_close();
            } else {
                self.say_hello(at);
            }
        }
        self.rearm(at)
    }

    fn rearm(&self, at: usize) -> Result<(), BenchError> {
        let Some(Some(slot)) = self.slots.get(at) else {
            return Ok(());
        };
        let data = epoll::EventData::new_u64(at as u64);
        epoll::modify(&self.epoll, &slot.link.socket, data, slot.link.interest())
            .map_err(BenchError::io("epoll_ctl"))
    }

    fn target_name(&self, at: usize) -> String {
        let target = self.slots.get(at).and_then(|slot| Some(slot.as_ref()?.link.target as usize));
        target
            .and_then(|target| self.targets.get(target))
            .map(|target| target.name.clone())
            .unwrap_or_default()
    }

    fn on_connected(&mut self, at: usize) -> Result<(), BenchError> {
        let address = self.target_name(at);
        let Some(Some(slot)) = self.slots.get_mut(at) else {
            return Ok(());
        };
        let outcome =
            sockopt::socket_error(&slot.link.socket).map_err(BenchError::io("SO_ERROR"))?;
        outcome.map_err(|errno| BenchError::Connect { address, source: errno.into() })?;
        if slot.link.layers.is_some() {
            slot.link.state = LinkState::Handshaking;
            // A failure shows on the read side, with its reason.
            slot.link.begin_layers();
        } else {
            self.say_hello(at);
        }
        self.rearm(at)
    }

    /// Sends CONNECT.
    fn say_hello(&mut self, at: usize) {
        let Some(Some(slot)) = self.slots.get_mut(at) else {
            return;
        };
        slot.link.state = LinkState::AwaitingConnAck;
        let Role::Idle(number) = slot.link.role else {
            return;
        };
        let client_id = format!("{}-c{number}", self.prefix);
        let mut out = Vec::with_capacity(64);
        let credentials = Credentials::new(self.config, number);
        put_connect(&mut out, &connect_fields(self.config, &client_id, &credentials));
        self.errors += u64::from(slot.link.write(&out) != Sent::All);
    }

    fn on_frame(&mut self, at: usize, kind: u8, body: &[u8]) -> Result<(), BenchError> {
        let address = self.target_name(at);
        let Some(Some(slot)) = self.slots.get_mut(at) else {
            return Ok(());
        };
        let mut out = Vec::new();
        match (kind, slot.link.state) {
            (2, LinkState::AwaitingConnAck) => {
                let (code, _) = connack(body, self.is_v5).unwrap_or((0xFF, 0));
                if code != 0 && self.config.tolerates_refusals {
                    // The broker closes now; that ends the cycle.
                    slot.link.state = LinkState::Closed;
                    return Ok(());
                }
                if code != 0 {
                    return Err(BenchError::Refused {
                        address,
                        code,
                        meaning: connack_meaning(code),
                    });
                }
                slot.link.state = LinkState::Subscribing;
                let Role::Idle(number) = slot.link.role else {
                    return Ok(());
                };
                let filter = format!("{}/{number}", self.config.topic_prefix);
                put_subscribe(
                    &mut out,
                    1,
                    [filter.as_str()].into_iter(),
                    self.config.qos,
                    self.is_v5,
                );
            }
            (9, LinkState::Subscribing) => {
                let codes = suback_codes(body, self.is_v5).unwrap_or_default();
                if let Some(code) = codes.iter().find(|code| **code >= 0x80) {
                    return Err(BenchError::SubscribeRefused { address, code: *code });
                }
                slot.link.state = LinkState::Ready;
                out.extend_from_slice(&DISCONNECT);
            }
            _ => self.errors += 1,
        }
        if !out.is_empty() {
            self.errors += u64::from(slot.link.write(&out) != Sent::All);
        }
        Ok(())
    }

    /// The broker has closed: right after DISCONNECT, an error before.
    fn on_end(&mut self, at: usize) -> Result<(), BenchError> {
        let Some(slot) = self.slots.get_mut(at).and_then(Option::take) else {
            return Ok(());
        };
        let is_refused = self.config.tolerates_refusals && slot.link.state != LinkState::Ready;
        if slot.link.state == LinkState::Ready || is_refused {
            self.cycles += u64::from(!is_refused);
            self.refused += u64::from(is_refused);
            let resumed = slot.link.layers.as_ref().and_then(|layers| layers.is_resumed());
            self.resumed += u64::from(resumed == Some(true));
            if self.is_measuring {
                self.latency.record(now_ns() - slot.began_ns);
            }
        } else if self.cycles == 0 {
            let name =
                self.targets.get(slot.link.target as usize).map(|target| target.name.clone());
            let address = name.unwrap_or_default();
            return Err(match slot.link.failure() {
                Some(why) => BenchError::Handshake { address, why },
                None => BenchError::ClosedDuringSetUp { address, connection: at },
            });
        } else {
            self.errors += 1;
        }
        drop(slot);
        if self.config.connect_rate > 0.0 {
            self.waiting.push(at);
            return Ok(());
        }
        self.open(at)
    }

    /// Starts the cycles that are due.
    fn open_due(&mut self, now: u64) -> Result<(), BenchError> {
        if self.config.connect_rate <= 0.0 {
            return Ok(());
        }
        let elapsed_s = now.saturating_sub(self.began_ns) as f64 / 1e9;
        let due = (elapsed_s * self.config.connect_rate) as u64;
        while self.started < due {
            let Some(at) = self.waiting.pop() else {
                return Ok(());
            };
            self.open(at)?;
        }
        Ok(())
    }

    /// Runs for `seconds`; false when the caller wants to stop.
    fn phase(
        &mut self,
        phase: Phase,
        seconds: f64,
        observer: Observer<'_>,
    ) -> Result<bool, BenchError> {
        let from = now_ns();
        let length = ((seconds * 1e9) as u64).max(1);
        let mut next_tick = from;
        loop {
            let now = now_ns();
            let is_done = self.config.messages > 0 && self.cycles >= self.config.messages;
            if now >= from + length || is_done {
                return Ok(true);
            }
            if now >= next_tick {
                next_tick = now + TICK_NS;
                let progress = Progress {
                    phase,
                    elapsed_s: (now - self.began_ns) as f64 / 1e9,
                    share: (now - from) as f64 / length as f64,
                    connected: self.cycles,
                    sent: 0,
                    received: 0,
                };
                if !observer(progress) {
                    return Ok(false);
                }
            }
            self.open_due(now)?;
            let tv_nsec = if self.config.connect_rate > 0.0 { 1_000_000 } else { 20_000_000 };
            let timeout = Timespec { tv_sec: 0, tv_nsec };
            let mut buffer = [MaybeUninit::uninit(); 256];
            match epoll::wait(&self.epoll, &mut buffer, Some(&timeout)) {
                Ok((events, _)) => {
                    for event in events.iter() {
                        self.on_event(event.data.u64() as usize)?;
                    }
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(BenchError::io("epoll_wait")(errno)),
            }
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            time_ns: now_ns(),
            cpu_ns: thread_cpu_ns(),
            user_system_s: thread_user_system_s(),
            cycles: self.cycles,
            resumed: self.resumed,
            refused: self.refused,
            watched: match self.config.watch_pid {
                0 => None,
                pid => sample_process(pid, true),
            },
        }
    }
}

/// Runs modes churn and handshake.
pub(crate) fn run(config: &BenchConfig, observer: Observer<'_>) -> Result<Report, BenchError> {
    ensure_files(u64::from(config.publishers))?;
    let targets = resolve(&config.addresses)?;
    let mut churn = Churn {
        config,
        is_v5: config.protocol == ProtocolVersion::V5,
        prefix: client_id_prefix(config, now_ns()),
        dialer: Dialer::new(config, &targets)?,
        targets,
        reply: vec![0; REPLY_BYTES],
        wire: vec![0; WIRE_BYTES],
        epoll: epoll::create(epoll::CreateFlags::CLOEXEC).map_err(BenchError::io("epoll"))?,
        slots: (0..config.publishers).map(|_| None).collect(),
        started: 0,
        cycles: 0,
        resumed: 0,
        refused: 0,
        waiting: Vec::new(),
        errors: 0,
        latency: Histogram::new(),
        is_measuring: false,
        began_ns: now_ns(),
    };
    churn.waiting = (0..churn.slots.len()).rev().collect();
    while config.connect_rate <= 0.0
        && let Some(at) = churn.waiting.pop()
    {
        churn.open(at)?;
    }
    let mut goes_on =
        config.messages > 0 || churn.phase(Phase::WarmUp, config.warm_up_s, observer)?;
    let start = churn.mark();
    churn.is_measuring = true;
    goes_on = goes_on && churn.phase(Phase::Measure, config.duration_s, observer)?;
    let end = churn.mark();
    Ok(report(&churn, &start, &end, goes_on))
}

fn report(churn: &Churn<'_>, start: &Mark, end: &Mark, goes_on: bool) -> Report {
    let measured_s = ((end.time_ns - start.time_ns) as f64 / 1e9).max(1e-9);
    let cycles = end.cycles - start.cycles;
    let cpu_s = (end.cpu_ns - start.cpu_ns) as f64 / 1e9;
    let watched = start.watched.zip(end.watched).map(|(before, after)| {
        let cpu_s = after.cpu_ns.saturating_sub(before.cpu_ns) as f64 / 1e9;
        WatchedUse {
            cpu_s,
            core_share: cpu_s / measured_s,
            us_per_message: per_message(cpu_s, cycles),
            before,
            after,
            set_up_cpu_s: 0.0,
        }
    });
    Report {
        measured_s,
        connected: end.cycles,
        cycles,
        resumed: end.resumed - start.resumed,
        refused: end.refused - start.refused,
        cycles_per_s: cycles as f64 / measured_s,
        latency_us: churn.latency.percentiles(),
        errors: churn.errors,
        stopped_early: !goes_on,
        generator: GeneratorUse {
            cpu_s,
            user_s: end.user_system_s.0 - start.user_system_s.0,
            system_s: end.user_system_s.1 - start.user_system_s.1,
            core_share: cpu_s / measured_s,
            us_per_message: per_message(cpu_s, cycles),
        },
        watched,
        ..Report::empty(churn.config)
    }
}
