//! One worker thread: a reactor around one shard.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rookery_core::effects::{CloseCause, ShardMessage, UpEvent};
use rookery_core::ids::{ConnKey, Now};
use rookery_core::shard::Shard;
use rookery_core::store_port::{Batch, Op, Outcome};
use rookery_core::wheel::Wheel;
use rookery_store::Store;
use rustix::event::{Timespec, epoll};

use crate::accept::Resting;
use crate::cluster::{Outlet, Sent};
use crate::completion::token_of;
use crate::inbox::{Inbox, Item};
use crate::layers::{COMPLAINTS_MAX, HANDSHAKES_PER_TURN};
use crate::linger::Lingering;
use crate::links::{LinkOutlet, ToLinks};
use crate::listen::Listener;
use crate::peer::Peers;
use crate::scan::Scan;
use crate::shipping::Shipping;
use crate::standing::Walk;
use crate::transport::{Incoming, Transport, Wire};

/// Longest sleep: the precision of timers.
const TICK_MS: u64 = 256;
/// Read buffer of the thread; also the most taken from one connection per turn.
const SCRATCH_BYTES: usize = 64 * 1024;
/// A partial packet larger than this is read in place instead of being copied to the scratch buffer.
const IN_PLACE_MIN: usize = 16 * 1024;
/// Event data of the inbox; listeners count down from it.
pub(crate) const INBOX_TOKEN: u64 = u64::MAX;
pub(crate) const LISTENERS_MAX: u64 = 4096;
/// How long a worker holds back while another one's inbox is overfull.
const BACK_PRESSURE_NS: i64 = 1_000_000;
const MAINTENANCE_MS: u64 = 1000;
const HEARTBEAT_MS: u64 = 10_000;

/// What a worker is made of.
pub(crate) struct Worker {
    pub(crate) index: u16,
    pub(crate) shard: Shard,
    pub(crate) epoll: std::os::fd::OwnedFd,
    /// By the number that names them at the reactor.
    pub(crate) listeners: Vec<Option<Arc<Listener>>>,
    /// Walks over all connections that are taken a slice at a time.
    pub(crate) walks: VecDeque<Walk>,
    /// Looks through sessions for the management plane; the node bounds how many.
    pub(crate) scans: VecDeque<Scan>,
    pub(crate) inboxes: Arc<[Inbox]>,
    /// Where messages to other nodes go; none = this node is alone.
    pub(crate) lanes: Option<Arc<Outlet>>,
    /// Writes that another node has to keep before they are promised.
    pub(crate) shipping: Shipping,
    /// Where messages to linked clusters go; none = there are no links.
    pub(crate) links: Option<Arc<LinkOutlet>>,
    pub(crate) up: Arc<Peers>,
    pub(crate) store: Option<Store>,
    pub(crate) epoch: u64,
    pub(crate) transports: Vec<Option<Box<Transport>>>,
    pub(crate) scratch: Vec<u8>,
    /// Buffers between the layers of connections that have some.
    pub(crate) wire: Wire,
    /// When the layers of a connection have to be through.
    pub(crate) layers_due: Wheel<ConnKey>,
    /// Listeners that take nobody for a while.
    pub(crate) resting: Vec<Resting>,
    /// Connections with input in their layers that this turn did not come to.
    pub(crate) unread: Vec<ConnKey>,
    /// Steps of handshakes that this turn may still take.
    pub(crate) handshakes_left: usize,
    /// Lines about failed handshakes that this second may still bring.
    pub(crate) complaints_left: u32,
    pub(crate) items: Vec<Item>,
    pub(crate) lingering: Lingering,
    pub(crate) clock: Clock,
    pub(crate) last_tick_ms: u64,
    pub(crate) last_maintenance_ms: u64,
    pub(crate) last_heartbeat_ms: u64,
    pub(crate) is_stopping: bool,
    /// Reads that wait for a ticket.
    pub(crate) reads: VecDeque<(u64, rookery_core::ids::SessionKey, Vec<u64>)>,
    /// Event data of what is being handled: whom a panic is blamed on.
    pub(crate) busy: u64,
    /// Bytes held for connections that have not been admitted.
    pub(crate) unadmitted_bytes: usize,
}

/// Reads both clocks once per turn.
#[derive(Copy, Clone)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now() }
    }

    /// The wall clock as it is now, not as it was when the turn began.
    #[allow(clippy::cast_possible_truncation)]
    fn unix_us() -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64
    }

    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn now(&self) -> Now {
        // One second ahead, so that 0 can stand for "never".
        let mono = self.start.elapsed() + Duration::from_secs(1);
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { mono_ms: mono.as_millis() as u64, unix_ms: unix.as_millis() as u64 }
    }
}

/// What a worker starts with.
pub(crate) struct Parts {
    pub(crate) index: u16,
    pub(crate) shard: Shard,
    pub(crate) inboxes: Arc<[Inbox]>,
    pub(crate) up: Arc<Peers>,
    pub(crate) store: Option<Store>,
    pub(crate) epoch: u64,
    pub(crate) clock: Clock,
}

impl Worker {
    /// Registers the inbox; listeners come through it.
    ///
    /// # Errors
    ///
    /// The operating system has no descriptor left.
    pub(crate) fn new(parts: Parts) -> std::io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        if let Some(inbox) = parts.inboxes.get(usize::from(parts.index)) {
            // Edge-triggered: each wake-up is one event and the counter need not be read back.
            epoll::add(
                &epoll,
                inbox.fd(),
                epoll::EventData::new_u64(INBOX_TOKEN),
                epoll::EventFlags::IN | epoll::EventFlags::ET,
            )?;
        }
        Ok(Self {
            index: parts.index,
            shard: parts.shard,
            epoll,
            listeners: Vec::new(),
            walks: VecDeque::new(),
            scans: VecDeque::new(),
            inboxes: parts.inboxes,
            lanes: None,
            shipping: Shipping::default(),
            links: None,
            up: parts.up,
            store: parts.store,
            epoch: parts.epoch,
            transports: Vec::new(),
            scratch: vec![0; SCRATCH_BYTES],
            wire: Wire::default(),
            layers_due: Wheel::new(parts.clock.now().mono_ms),
            resting: Vec::new(),
            unread: Vec::new(),
            handshakes_left: 0,
            complaints_left: COMPLAINTS_MAX,
            items: Vec::new(),
            lingering: Lingering::default(),
            clock: parts.clock,
            last_tick_ms: 0,
            last_maintenance_ms: 0,
            last_heartbeat_ms: 0,
            is_stopping: false,
            reads: VecDeque::new(),
            busy: INBOX_TOKEN,
            unadmitted_bytes: 0,
        })
    }

    /// Runs until it is told to stop.
    pub(crate) fn run(mut self) {
        let mut events = Vec::with_capacity(1024);
        let mut has_work = false;
        // What restoring left to do (wills of clients that went down with the node) goes first.
        let now = self.clock.now();
        self.finish_turn(now);
        loop {
            let now = self.wait(&mut events, has_work);
            self.handshakes_left = HANDSHAKES_PER_TURN;
            let mut todo = events.drain(..);
            while !self.guarded(now, |worker| {
                // One guard for the whole batch costs nothing per event; it is taken up again
                // behind the event that failed.
                for event in todo.by_ref() {
                    worker.busy = event.data.u64();
                    worker.dispatch(now, event);
                }
            }) {}
            drop(todo);
            self.busy = INBOX_TOKEN;
            self.drain_inbox(now);
            self.guarded(now, |worker| {
                worker.read_on(now);
                if now.mono_ms >= worker.last_tick_ms + TICK_MS {
                    worker.last_tick_ms = now.mono_ms;
                    worker.shard.tick(now);
                    worker.lingering.sweep(now.mono_ms);
                    worker.end_late_layers(now);
                    worker.end_rests(now);
                    worker.maintain(now);
                }
                has_work = worker.shard.work(now) | worker.walk_on(now) | worker.scan_on(now);
            });
            self.guarded(now, |worker| worker.finish_turn(now));
            has_work |= self.shard.has_effects() || !self.unread.is_empty();
            if self.is_stopping {
                return;
            }
        }
    }

    /// Runs a part of a turn. A panic there ends the connection it was about, not the node, and is
    /// counted; false when there was one.
    fn guarded(&mut self, now: Now, part: impl FnOnce(&mut Self)) -> bool {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| part(self)));
        if result.is_ok() {
            return true;
        }
        self.scratch.resize(SCRATCH_BYTES, 0);
        self.shard.count_panic();
        let text =
            "a defect in the broker ended a connection; please report the panic message on stderr";
        self.up.push_all([UpEvent::Log(rookery_core::effects::LogLevel::Error, text.into())]);
        if self.busy <= INBOX_TOKEN - LISTENERS_MAX {
            let key = ConnKey::from_u64(self.busy);
            let end = std::panic::AssertUnwindSafe(|| {
                self.drop_connection(now, key, CloseCause::TcpError)
            });
            if std::panic::catch_unwind(end).is_err()
                && let Some(place) = self.transports.get_mut(key.slot as usize)
            {
                *place = None;
            }
        }
        self.busy = INBOX_TOKEN;
        false
    }

    fn wait(&mut self, events: &mut Vec<epoll::Event>, has_work: bool) -> Now {
        let inbox = self.inboxes.get(usize::from(self.index));
        if self.inboxes.iter().any(Inbox::is_overfull)
            || self.lanes.as_ref().is_some_and(|lanes| lanes.is_overfull())
            || self.links.as_ref().is_some_and(|links| links.is_overfull())
        {
            self.shard.count_held_back();
            // Another worker does not keep up with what this one sends it: take nothing new from
            // clients for a moment, only from the other workers (who may be waiting for us).
            if let Some(inbox) = inbox {
                let mut fds = [rustix::event::PollFd::from_borrowed_fd(
                    inbox.fd(),
                    rustix::event::PollFlags::IN,
                )];
                let pause = Timespec { tv_sec: 0, tv_nsec: BACK_PRESSURE_NS };
                if inbox.fall_asleep() {
                    let _ = rustix::event::poll(&mut fds, Some(&pause));
                }
                inbox.clear_wake();
            }
            return self.clock.now();
        }
        let may_sleep = !has_work && inbox.is_none_or(Inbox::fall_asleep);
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: if may_sleep { i64::try_from(TICK_MS * 1_000_000).unwrap_or(0) } else { 0 },
        };
        // An interrupted wait is an empty turn.
        let _ = epoll::wait(&self.epoll, rustix::buffer::spare_capacity(events), Some(&timeout));
        self.clock.now()
    }

    fn maintain(&mut self, now: Now) {
        if now.mono_ms < self.last_maintenance_ms + MAINTENANCE_MS {
            return;
        }
        self.last_maintenance_ms = now.mono_ms;
        self.complaints_left = COMPLAINTS_MAX;
        self.shard.publish_gauges();
        self.shard.trim();
        if self.index == 0 {
            self.shard.sweep_retained(now);
        }
        // At once at the start: a crash before the first one would count as down since 1970.
        if self.last_heartbeat_ms == 0 || now.mono_ms >= self.last_heartbeat_ms + HEARTBEAT_MS {
            self.last_heartbeat_ms = now.mono_ms;
            self.shard.expire_awaiting_rel(now);
            if self.index == 0 && self.store.is_some() {
                self.shard.heartbeat(now);
            }
        }
    }

    #[inline]
    fn dispatch(&mut self, now: Now, event: epoll::Event) {
        let token = event.data.u64();
        if token == INBOX_TOKEN {
            return;
        }
        if token > INBOX_TOKEN - LISTENERS_MAX {
            self.accept(now, (INBOX_TOKEN - 1 - token) as u16);
            return;
        }
        let key = ConnKey::from_u64(token);
        let flags = event.flags;
        if flags.contains(epoll::EventFlags::OUT) {
            self.flush(now, key);
        }
        let is_over = flags.intersects(epoll::EventFlags::HUP | epoll::EventFlags::ERR);
        if is_over && self.transport(key).is_some_and(|t| t.is_closing || t.is_paused) {
            self.hung_up(now, key);
        } else if is_over || flags.contains(epoll::EventFlags::IN) {
            self.read(now, key);
        }
    }

    /// The peer is gone while its input is not read. These events cannot be switched off, so a
    /// paused connection leaves epoll until its input may be read to the end.
    fn hung_up(&mut self, now: Now, key: ConnKey) {
        let Some(Some(transport)) = self.transports.get_mut(key.slot as usize) else { return };
        if transport.is_closing {
            self.drop_connection(now, key, CloseCause::TcpClosed);
        } else if !transport.is_detached {
            transport.is_detached = true;
            let _ = epoll::delete(&self.epoll, &transport.socket);
        }
    }

    /// A connection that was accepted here or comes from another worker.
    pub(crate) fn take_connection(
        &mut self,
        now: Now,
        mut transport: Box<Transport>,
        meta: Arc<rookery_core::effects::ConnMeta>,
    ) {
        if !transport.member.is_open() {
            // Its listener was stopped while it was on its way here.
            return;
        }
        let Some(key) = self.shard.accept(now, meta) else { return };
        transport.generation = key.generation;
        // It may come from another worker: here nothing is armed yet.
        transport.wants_write = false;
        transport.is_paused = false;
        transport.unadmitted = 0;
        if let Some(deadline_ms) = transport.wrap.as_ref().and_then(|wrap| wrap.deadline_ms()) {
            self.layers_due.arm(deadline_ms, key);
        }
        let flags = epoll::EventFlags::IN | epoll::EventFlags::RDHUP;
        let data = epoll::EventData::new_u64(key.to_u64());
        if epoll::add(&self.epoll, &transport.socket, data, flags).is_err() {
            self.shard.closed(now, key, CloseCause::TcpError);
            return;
        }
        let slot = key.slot as usize;
        if self.transports.len() <= slot {
            let missing = slot + 1 - self.transports.len();
            if self.transports.capacity() <= slot {
                self.transports.reserve_exact(missing.max(self.transports.len() / 8).max(64));
            }
            self.transports.resize_with(slot + 1, || None);
        }
        let has_input = !transport.partial.is_empty();
        if let Some(place) = self.transports.get_mut(slot) {
            *place = Some(transport);
        }
        if has_input {
            self.offer_partial(now, key);
        }
        self.note_unread(key);
        if self.transport(key).is_some_and(|t| t.has_output()) {
            self.flush(now, key);
        }
    }

    pub(crate) fn transport(&mut self, key: ConnKey) -> Option<&mut Box<Transport>> {
        let transport = self.transports.get_mut(key.slot as usize)?.as_mut()?;
        (transport.generation == key.generation).then_some(transport)
    }

    pub(crate) fn read(&mut self, now: Now, key: ConnKey) {
        let mut scratch = mem::take(&mut self.scratch);
        self.read_with(now, key, &mut scratch);
        self.scratch = scratch;
    }

    #[inline]
    fn read_with(&mut self, now: Now, key: ConnKey, scratch: &mut [u8]) {
        let Some(transport) = self.transport(key) else { return };
        if transport.is_closing || transport.is_paused {
            // Input of a closing or paused connection only matters as its end.
            self.probe_end(now, key);
            return;
        }
        let is_wrapped = transport.wrap.is_some();
        if is_wrapped && !self.may_read_wrapped(key) {
            return;
        }
        let Some(transport) = self.transport(key) else { return };
        if transport.partial.len() >= IN_PLACE_MIN {
            self.read_in_place(now, key);
            return;
        }
        let held = transport.partial.len();
        if let Some(front) = scratch.get_mut(..held) {
            front.copy_from_slice(&transport.partial);
        }
        let incoming = if is_wrapped {
            self.read_wrapped(now, key, scratch, held)
        } else {
            transport.read_bare(scratch, held)
        };
        match incoming {
            Incoming::Data(n) => {
                let bytes = scratch.get(..held + n).unwrap_or_default();
                let consumed = self.shard.receive(now, key, bytes);
                let rest = bytes.get(consumed..).unwrap_or_default();
                if held != 0 || !rest.is_empty() {
                    self.keep_rest(key, rest);
                    self.check_held(now, key);
                }
                if is_wrapped {
                    self.answer_layers(now, key);
                }
            }
            other => self.no_data(now, key, other),
        }
    }

    fn keep_rest(&mut self, key: ConnKey, rest: &[u8]) {
        let Some(transport) = self.transport(key) else { return };
        if rest.is_empty() {
            transport.partial = Vec::new();
        } else {
            transport.partial.clear();
            transport.partial.extend_from_slice(rest);
        }
    }

    /// Holds back reading where the shard wants it, and bounds what is kept for connections that
    /// have not been admitted.
    pub(crate) fn check_held(&mut self, now: Now, key: ConnKey) {
        let is_paused = self.shard.is_paused(key);
        let is_new = self.shard.is_unadmitted(key);
        let limit = self.shard.unadmitted_bytes_max();
        let Some(transport) = self.transport(key) else { return };
        let must_pause = is_paused && !transport.is_paused;
        let before = transport.unadmitted;
        let held = if is_new { transport.held() } else { 0 };
        transport.unadmitted = held;
        self.unadmitted_bytes = (self.unadmitted_bytes + held).saturating_sub(before);
        if held > before && self.unadmitted_bytes > limit {
            self.drop_connection(now, key, CloseCause::Overload);
        } else if must_pause {
            self.set_interest(key);
        }
    }

    /// A large packet grows where it lies.
    fn read_in_place(&mut self, now: Now, key: ConnKey) {
        let Some(transport) = self.transport(key) else { return };
        let mut partial = mem::take(&mut transport.partial);
        let held = partial.len();
        partial.resize(held + SCRATCH_BYTES, 0);
        let incoming = self.read_wrapped(now, key, &mut partial, held);
        let Incoming::Data(n) = incoming else {
            partial.truncate(held);
            if let Some(transport) = self.transport(key) {
                partial.append(&mut transport.partial);
                transport.partial = partial;
            }
            self.no_data(now, key, incoming);
            return;
        };
        partial.truncate(held + n);
        let consumed = self.shard.receive(now, key, &partial);
        partial.drain(..consumed);
        if partial.is_empty() {
            partial = Vec::new();
        }
        if let Some(transport) = self.transport(key) {
            transport.partial = partial;
        }
        self.check_held(now, key);
        self.answer_layers(now, key);
    }

    fn no_data(&mut self, now: Now, key: ConnKey, incoming: Incoming) {
        match incoming {
            Incoming::Closed => self.drop_connection(now, key, CloseCause::TcpClosed),
            Incoming::Failed => self.drop_connection(now, key, CloseCause::TcpError),
            Incoming::Refused(reason) => self.refuse(now, key, reason),
            Incoming::TlsFailed(error) => {
                self.tls_failed(now, key, &error);
                return;
            }
            Incoming::Kept => self.take_kept(now, key),
            Incoming::ProxyRefused(error) => self.refuse_proxy(now, key, error),
            Incoming::Data(_) | Incoming::Nothing => {}
        }
        self.answer_layers(now, key);
    }

    fn probe_end(&mut self, now: Now, key: ConnKey) {
        let Some(transport) = self.transport(key) else { return };
        if transport.socket.is_at_end() {
            self.drop_connection(now, key, CloseCause::TcpClosed);
        } else {
            self.set_interest(key);
        }
    }

    /// Offers bytes again that could not be handled before.
    pub(crate) fn offer_partial(&mut self, now: Now, key: ConnKey) {
        let Some(transport) = self.transport(key) else { return };
        let partial = mem::take(&mut transport.partial);
        let consumed = self.shard.receive(now, key, &partial);
        self.keep_rest(key, partial.get(consumed..).unwrap_or_default());
        self.check_held(now, key);
    }

    pub(crate) fn drop_connection(&mut self, now: Now, key: ConnKey, cause: CloseCause) {
        if self.transport(key).is_none() {
            return;
        }
        self.shard.closed(now, key, cause);
        // Dropping the stream takes it out of epoll.
        drop(self.take_transport(key));
    }

    pub(crate) fn take_transport(&mut self, key: ConnKey) -> Option<Box<Transport>> {
        let mut taken = self.transports.get_mut(key.slot as usize).and_then(Option::take)?;
        self.unadmitted_bytes =
            self.unadmitted_bytes.saturating_sub(std::mem::take(&mut taken.unadmitted));
        Some(taken)
    }

    fn drain_inbox(&mut self, now: Now) {
        let mut items = mem::take(&mut self.items);
        if let Some(inbox) = self.inboxes.get(usize::from(self.index)) {
            inbox.take(&mut items);
        }
        let mut todo = items.drain(..);
        while !self.guarded(now, |worker| {
            for item in todo.by_ref() {
                worker.handle(now, item);
            }
        }) {}
        drop(todo);
        if items.capacity() > 4096 {
            items = Vec::new();
        }
        self.items = items;
    }

    #[inline]
    fn handle(&mut self, now: Now, item: Item) {
        match item {
            Item::Shard(message) => self.shard.inbox(now, message),
            Item::Connection(transport, meta) => self.take_connection(now, transport, meta),
            Item::Committed(ticket, outcome) => {
                self.stored(now, ticket, outcome);
                self.read_bodies(ticket);
            }
            Item::Shipped(ticket) => self.shipped(now, ticket),
            Item::Unconfirmed(ticket) => {
                self.shard.left_unconfirmed(ticket);
                self.shipped(now, ticket);
            }
            Item::Kept(ticket) => self.kept_by_links(now, ticket),
            Item::Bodies(key, bodies) => self.shard.bodies(now, key, bodies),
            Item::Listen(token, listener) => self.listen(token, listener),
            Item::Unlisten(token, reply) => self.unlisten(token, reply),
            Item::Recheck(listener) => self.walks.push_back(Walk::recheck(listener)),
            Item::Scan(scan) => self.scans.push_back(*scan),
            Item::Lanes(lanes) => self.take_lanes(now, lanes),
            Item::Links(links) => self.take_links(now, links),
            // Whoever waited may have given up.
            Item::Fence(reply) => drop(reply.send(())),
            Item::Stop => self.is_stopping = true,
        }
    }

    /// Carries out what the shard decided. Resuming may cause more, so it comes first.
    fn finish_turn(&mut self, now: Now) {
        while !self.shard.effects.resume.is_empty() {
            for key in mem::take(&mut self.shard.effects.resume) {
                if let Some(transport) = self.transport(key) {
                    transport.is_paused = false;
                    self.set_interest(key);
                    self.offer_partial(now, key);
                    self.note_unread(key);
                }
            }
        }
        self.hand_over();
        // Durable writes are submitted before anything refers to them elsewhere.
        self.submit();
        self.send_to_others();
        self.send_to_nodes();
        self.send_to_links();
        self.shard.offer_actions(now);
        if !self.shard.effects.up.is_empty() {
            if self.shard.is_observing() {
                let unix_us = Clock::unix_us();
                self.shard.effects.up.iter_mut().for_each(|event| event.set_time(unix_us));
            }
            self.up.push_all(self.shard.effects.up.drain(..));
        }
        let mut dirty = mem::take(&mut self.shard.effects.dirty);
        for key in dirty.drain(..) {
            self.flush(now, key);
        }
        // Flushing may have made room for more: then there is a new list.
        if self.shard.effects.dirty.is_empty() {
            self.shard.effects.dirty = dirty;
        }
        for (key, after_flush) in mem::take(&mut self.shard.effects.close) {
            self.close(now, key, after_flush);
        }
        if !self.shard.effects.dirty.is_empty() {
            let mut dirty = mem::take(&mut self.shard.effects.dirty);
            for key in dirty.drain(..) {
                self.flush(now, key);
            }
        }
    }

    fn hand_over(&mut self) {
        for (key, to) in mem::take(&mut self.shard.effects.migrate) {
            let meta = self.shard.meta(key);
            self.shard.migrated(key);
            let taken = self.take_transport(key);
            let (Some(transport), Some(meta)) = (taken, meta) else { continue };
            let _ = epoll::delete(&self.epoll, &transport.socket);
            if let Some(inbox) = self.inboxes.get(usize::from(to)) {
                inbox.push(Item::Connection(transport, meta));
            }
        }
    }

    fn submit(&mut self) {
        let turn = self.shard.end_turn();
        let ops = turn.as_ref().map_or(&[][..], |(_, ops)| ops);
        let shipped = self.ship(turn.as_ref().map_or(0, |(ticket, _)| *ticket), ops);
        self.store_turn(turn);
        // Before anything that refers to it goes to another worker.
        if let (Some(shipped), Some(lanes)) = (shipped, &self.lanes) {
            let (worker, messages) = (self.index, Vec::new());
            lanes.push(Sent { worker, turn: None, messages, shipped: Some(shipped) });
        }
    }

    fn store_turn(&mut self, turn: Option<(u64, Vec<Op>)>) {
        let Some((ticket, ops)) = turn else { return };
        // What is to be read may be in a batch that any worker submitted before this one.
        let reads = mem::take(&mut self.shard.effects.store_reads);
        self.reads.extend(reads.into_iter().map(|(key, seqs)| (ticket, key, seqs)));
        match &self.store {
            Some(store) => store.submit(self.index, ticket, Batch { epoch: self.epoch, ops }),
            None => {
                if let Some(inbox) = self.inboxes.get(usize::from(self.index)) {
                    inbox.push(Item::Committed(ticket, Outcome::Stored));
                }
            }
        }
    }

    /// Asks for the messages whose turn came: everything up to `ticket` is in the log.
    fn read_bodies(&mut self, ticket: u64) {
        while self.reads.front().is_some_and(|(needed, ..)| *needed <= ticket) {
            let (Some((_, key, seqs)), Some(store)) = (self.reads.pop_front(), &self.store) else {
                return;
            };
            store.read_async(self.index, token_of(key), seqs);
        }
    }

    /// Hands over what other nodes of the cluster get of this turn.
    fn send_to_nodes(&mut self) {
        let Some(lanes) = &self.lanes else {
            if !self.shard.effects.to_nodes.is_empty() {
                // The lanes were closed meanwhile: nobody is waited for.
                self.shard.effects.to_nodes.clear();
                let _ = self.shard.end_turn_for_nodes();
            }
            return;
        };
        let messages = mem::take(&mut self.shard.effects.to_nodes);
        let turn = self.shard.end_turn_for_nodes();
        if !messages.is_empty() || turn.is_some() || self.shard.has_route_changes() {
            lanes.push(Sent { worker: self.index, turn, messages, shipped: None });
        }
    }

    /// Hands over what linked clusters get of this turn, and tells of subscriptions.
    fn send_to_links(&mut self) {
        let ticket = mem::take(&mut self.shard.effects.links_ticket);
        let Some(links) = &self.links else {
            self.shard.effects.to_links.clear();
            return;
        };
        let messages = mem::take(&mut self.shard.effects.to_links);
        self.shipping.wait_for_links(ticket);
        if !messages.is_empty() || self.shard.has_route_changes_for_links() {
            links.push(ToLinks { worker: self.index, ticket, messages });
        }
    }

    fn send_to_others(&mut self) {
        let shards = self.inboxes.len();
        for (to, messages) in self.shard.effects.to_shards.iter_mut().enumerate() {
            if messages.is_empty() {
                continue;
            }
            match self.inboxes.get(to) {
                Some(inbox) => inbox.push_all(messages.drain(..).map(Item::Shard)),
                None if to == shards => self.up.push_all(messages.drain(..).flat_map(deliveries)),
                None => messages.clear(),
            }
            if messages.capacity() > 4096 {
                *messages = Vec::new();
            }
        }
    }
}

/// What a forwarded message means to in-process subscribers.
fn deliveries(message: ShardMessage) -> Vec<UpEvent> {
    match message {
        ShardMessage::Deliver { message, matched, range } => {
            let targets =
                matched.targets.get(range.0 as usize..range.1 as usize).unwrap_or_default();
            targets
                .iter()
                .map(|t| UpEvent::Delivery {
                    slot: t.key.slot,
                    message: message.clone(),
                    qos: (message.qos as u8).min(t.opts.qos() as u8),
                })
                .collect()
        }
        ShardMessage::DeliverShared { message, member, .. } => {
            let qos = (message.qos as u8).min(member.opts.qos() as u8);
            vec![UpEvent::Delivery { slot: member.key.slot, message, qos }]
        }
        _ => Vec::new(),
    }
}
