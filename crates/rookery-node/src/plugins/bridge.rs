//! The thread between the core and the worker processes of plugins.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rookery_codec::ReasonCode;
use rookery_core::effects::{Answer, LogLevel, Question, UpEvent, Verdict};
use rookery_core::message::Message;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec};

use super::hook::{self, HookNumber, hook_of};
use super::route::{Failure, PluginRoute, WorkerFigures};
use super::worker::{Pending, State, Worker};
use crate::peer::{HookPeer, Hookpoint, Peers};

/// Events taken from the core in one turn.
const BATCH_MAX: usize = 4096;
/// How long an order may take: the thread never waits for anything but its descriptors.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);

enum Order {
    SetRoutes(Vec<PluginRoute>, Sender<()>),
    Attach(u32, u16, OwnedFd, Sender<()>),
    Begin(u32, u16, Sender<()>),
    Hold(u32, Sender<()>),
    Detach(u32, u16, Sender<()>),
    Tell(HookNumber, Box<str>),
    Figures(Sender<Vec<WorkerFigures>>),
    Stop,
}

struct Orders {
    waiting: Mutex<Vec<Order>>,
    wake: OwnedFd,
}

impl Orders {
    fn push(&self, order: Order) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(order);
        // A full counter means that it is readable already.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }
}

/// The way to the worker processes of plugins. Dropping it gives every hookpoint back.
pub struct PluginBridge {
    orders: Arc<Orders>,
    peers: Arc<Peers>,
    peer: HookPeer,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for PluginBridge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginBridge").finish_non_exhaustive()
    }
}

impl PluginBridge {
    pub(crate) fn open(peers: Arc<Peers>, peer: HookPeer) -> std::io::Result<Self> {
        let wake = rustix::event::eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        let orders = Arc::new(Orders { waiting: Mutex::default(), wake });
        let mut carrier = Carrier {
            orders: orders.clone(),
            peers: peers.clone(),
            peer: peer.clone(),
            plugins: Vec::new(),
            began: Instant::now(),
            answers: Vec::new(),
        };
        let thread = std::thread::Builder::new()
            .name("plugins".into())
            .stack_size(1 << 20)
            .spawn(move || carrier.run())?;
        Ok(Self { orders, peers, peer, thread: Mutex::new(Some(thread)) })
    }

    /// Makes the plugins those of the list, in the order in which they are asked. Workers of those
    /// that are gone are detached.
    pub fn set_routes(&self, routes: Vec<PluginRoute>) {
        let mask = routes.iter().fold(0, |mask, route| mask | route.hooks);
        let (reply, done) = channel();
        self.orders.push(Order::SetRoutes(routes, reply));
        let _ = done.recv_timeout(REPLY_TIMEOUT);
        for (number, hookpoint) in [
            (hook::AUTHENTICATE, Hookpoint::FirstAuthenticate),
            (hook::AUTHORIZE, Hookpoint::Authorize),
            (hook::PUBLISH, Hookpoint::Publish),
            (hook::SUBSCRIBE, Hookpoint::Subscribe),
            (hook::UNSUBSCRIBE, Hookpoint::Unsubscribe),
        ] {
            let is_wanted = mask & hook::bit(number) != 0;
            self.peers.give(hookpoint, is_wanted.then_some(&self.peer));
        }
        self.peers.tell(&self.peer, mask & !((1 << hook::QUESTIONS) - 1));
    }

    /// Gives a worker process its socket.
    pub fn attach(&self, plugin: u32, worker: u16, socket: OwnedFd) {
        let (reply, done) = channel();
        self.orders.push(Order::Attach(plugin, worker, socket, reply));
        let _ = done.recv_timeout(REPLY_TIMEOUT);
    }

    /// The worker process is ready: it is asked from now on, first what was held for it.
    pub fn begin(&self, plugin: u32, worker: u16) {
        let (reply, done) = channel();
        self.orders.push(Order::Begin(plugin, worker, reply));
        let _ = done.recv_timeout(REPLY_TIMEOUT);
    }

    /// Keeps what a plugin would be asked and told for its next processes. The deadline of a
    /// question counts on.
    pub fn hold(&self, plugin: u32) {
        let (reply, done) = channel();
        self.orders.push(Order::Hold(plugin, reply));
        let _ = done.recv_timeout(REPLY_TIMEOUT);
    }

    /// Closes the socket of a worker process: what it was asked gets the configured answer.
    pub fn detach(&self, plugin: u32, worker: u16) {
        let (reply, done) = channel();
        self.orders.push(Order::Detach(plugin, worker, reply));
        let _ = done.recv_timeout(REPLY_TIMEOUT);
    }

    /// Tells every plugin that has this hookpoint; `json` is an object.
    pub fn tell(&self, hook: HookNumber, json: &str) {
        self.orders.push(Order::Tell(hook, json.into()));
    }

    /// What every worker process was asked and told.
    #[must_use]
    pub fn figures(&self) -> Vec<WorkerFigures> {
        let (reply, figures) = channel();
        self.orders.push(Order::Figures(reply));
        figures.recv_timeout(REPLY_TIMEOUT).unwrap_or_default()
    }

    /// Gives every hookpoint back and ends the thread. May be called twice.
    pub fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        self.set_routes(Vec::new());
        self.orders.push(Order::Stop);
        // A thread that panicked has been reported on stderr.
        let _ = thread.join();
    }
}

impl Drop for PluginBridge {
    fn drop(&mut self) {
        self.close();
    }
}

struct Plugin {
    route: PluginRoute,
    workers: Vec<Worker>,
}

impl Plugin {
    /// The worker that sees everything about a client, so that it sees it in order.
    fn place_of(&self, client_id: &str) -> usize {
        let count = self.workers.len();
        if count <= 1 {
            return 0;
        }
        let mut hasher = DefaultHasher::new();
        client_id.hash(&mut hasher);
        #[allow(clippy::cast_possible_truncation)]
        let at = (hasher.finish() % count as u64) as usize;
        at
    }
}

struct Carrier {
    orders: Arc<Orders>,
    peers: Arc<Peers>,
    peer: HookPeer,
    plugins: Vec<Plugin>,
    began: Instant,
    answers: Vec<Answer>,
}

/// What to wait for.
struct Ready {
    is_ordered: bool,
    is_asked: bool,
    /// Plugin and worker, readable, writable.
    workers: Vec<(usize, usize, bool, bool)>,
}

impl Carrier {
    fn run(&mut self) {
        loop {
            let ready = self.wait();
            if ready.is_ordered && !self.obey() {
                return;
            }
            for (plugin, worker, can_read, can_write) in ready.workers {
                self.serve(plugin, worker, can_read, can_write);
            }
            if ready.is_asked {
                for event in self.peer.drain(BATCH_MAX) {
                    self.take(event);
                }
            }
            self.expire();
            self.send_all();
            if !self.answers.is_empty() {
                self.peer.answer(std::mem::take(&mut self.answers));
            }
        }
    }

    #[allow(clippy::cast_possible_truncation)]
    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    fn wait(&self) -> Ready {
        let now_ms = self.now_ms();
        let deadlines = self.plugins.iter().flat_map(|plugin| &plugin.workers);
        let next = deadlines.filter_map(Worker::next_deadline).min();
        let timeout = next.map(|at| {
            let left_ms = at.saturating_sub(now_ms).min(3_600_000) + 1;
            #[allow(clippy::cast_possible_wrap)]
            Timespec {
                tv_sec: (left_ms / 1000) as i64,
                tv_nsec: (left_ms % 1000) as i64 * 1_000_000,
            }
        });
        let peer_fd = self.peer.descriptor();
        let mut fds = vec![
            PollFd::new(&self.orders.wake, PollFlags::IN),
            PollFd::from_borrowed_fd(peer_fd, PollFlags::IN),
        ];
        let mut places = Vec::new();
        for (at, plugin) in self.plugins.iter().enumerate() {
            for (number, worker) in plugin.workers.iter().enumerate() {
                if let Some(fd) = worker.fd() {
                    let wanted =
                        if worker.has_unsent() { PollFlags::OUT } else { PollFlags::empty() };
                    fds.push(PollFd::from_borrowed_fd(fd, PollFlags::IN | wanted));
                    places.push((at, number));
                }
            }
        }
        let mut ready = Ready { is_ordered: false, is_asked: false, workers: Vec::new() };
        if rustix::event::poll(&mut fds, timeout.as_ref()).is_err() {
            return ready; // interrupted
        }
        let mut found = fds.iter().map(PollFd::revents);
        ready.is_ordered = found.next().is_some_and(|flags| !flags.is_empty());
        ready.is_asked = found.next().is_some_and(|flags| !flags.is_empty());
        for ((plugin, worker), flags) in places.into_iter().zip(found) {
            let can_write = flags.contains(PollFlags::OUT);
            let can_read = flags.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR);
            if can_read || can_write {
                ready.workers.push((plugin, worker, can_read, can_write));
            }
        }
        ready
    }

    /// Does what was ordered; false ends the thread.
    fn obey(&mut self) -> bool {
        let mut count = [0; 8];
        let _ = rustix::io::read(&self.orders.wake, &mut count);
        let orders = std::mem::take(
            &mut *self.orders.waiting.lock().unwrap_or_else(PoisonError::into_inner),
        );
        let now_ms = self.now_ms();
        for order in orders {
            match order {
                Order::SetRoutes(routes, done) => {
                    self.set_routes(routes);
                    let _ = done.send(());
                }
                Order::Attach(plugin, worker, socket, done) => {
                    let left = self.worker(plugin, worker).map(|worker| worker.attach(socket));
                    self.fail_all(left.unwrap_or_default());
                    let _ = done.send(());
                }
                Order::Begin(plugin, worker, done) => {
                    if let Some(worker) = self.worker(plugin, worker) {
                        worker.begin(now_ms);
                    }
                    let _ = done.send(());
                }
                Order::Hold(plugin, done) => {
                    let found = self.plugins.iter_mut().find(|known| known.route.id == plugin);
                    for worker in found.into_iter().flat_map(|plugin| &mut plugin.workers) {
                        worker.hold();
                    }
                    let _ = done.send(());
                }
                Order::Detach(plugin, worker, done) => {
                    let left = self.worker(plugin, worker).map(Worker::detach);
                    self.fail_all(left.unwrap_or_default());
                    let _ = done.send(());
                }
                Order::Tell(hook, json) => self.tell_json(hook, &json),
                Order::Figures(reply) => {
                    let _ = reply.send(self.figures());
                }
                Order::Stop => return false,
            }
        }
        true
    }

    fn worker(&mut self, plugin: u32, worker: u16) -> Option<&mut Worker> {
        let plugin = self.plugins.iter_mut().find(|known| known.route.id == plugin)?;
        plugin.workers.get_mut(usize::from(worker))
    }

    fn set_routes(&mut self, routes: Vec<PluginRoute>) {
        let mut before = std::mem::take(&mut self.plugins);
        let mut left = Vec::new();
        for route in routes {
            let known = before.iter().position(|plugin| plugin.route.id == route.id);
            let mut workers = known.map_or_else(Vec::new, |at| before.swap_remove(at).workers);
            while workers.len() > usize::from(route.workers) {
                left.extend(workers.pop().map(|mut worker| worker.detach()).unwrap_or_default());
            }
            for number in workers.len()..usize::from(route.workers) {
                let mut worker = Worker::default();
                worker.figures.plugin = route.id;
                worker.figures.worker = u16::try_from(number).unwrap_or_default();
                workers.push(worker);
            }
            self.plugins.push(Plugin { route, workers });
        }
        for mut plugin in before {
            left.extend(plugin.workers.iter_mut().flat_map(Worker::detach));
        }
        self.fail_all(left);
    }

    fn figures(&self) -> Vec<WorkerFigures> {
        let workers = self.plugins.iter().flat_map(|plugin| &plugin.workers);
        workers
            .map(|worker| WorkerFigures { open: worker.open() as u64, ..worker.figures })
            .collect()
    }

    // -- the way down --------------------------------------------------------------------------

    fn take(&mut self, event: UpEvent) {
        let Some(hook) = hook_of(&event) else { return };
        match event {
            UpEvent::Ask(id, question) => {
                self.advance(
                    Pending {
                        id,
                        question,
                        is_replaced: false,
                        filters: None,
                        asked: 0,
                        asked_ms: 0,
                        hook,
                    },
                    true,
                );
            }
            event => self.tell(hook, &event),
        }
    }

    /// Asks the next plugin that wants it, or answers when there is none. `is_new`: nobody was
    /// asked yet.
    fn advance(&mut self, mut pending: Pending, is_new: bool) {
        let now_ms = self.now_ms();
        let from = if is_new {
            0
        } else {
            let place = self.plugins.iter().position(|plugin| plugin.route.id == pending.asked);
            place.map_or(usize::MAX, |at| at + 1)
        };
        for plugin in self.plugins.iter_mut().skip(from) {
            let (client_id, topic) = about(&pending.question);
            if !plugin.route.wants(pending.hook, topic) {
                continue;
            }
            pending.asked = plugin.route.id;
            pending.asked_ms = now_ms;
            let (open_max, bytes_max) = (plugin.route.open_max, plugin.route.bytes_max);
            let deadline_ms = now_ms + plugin.route.deadline_ms.max(1);
            let failure = plugin.route.failure.get(usize::from(pending.hook)).copied();
            let at = plugin.place_of(client_id);
            let Some(worker) = plugin.workers.get_mut(at) else { continue };
            if worker.may_be_asked(pending.hook, now_ms, open_max, bytes_max) {
                worker.ask(pending, deadline_ms);
                return;
            }
            worker.figures.failed += 1;
            match failure.unwrap_or(Failure::Deny) {
                Failure::Ignore => {}
                failure => {
                    let verdict = verdict_of(failure, &pending);
                    self.answers.push(Answer { id: pending.id, verdict });
                    return;
                }
            }
        }
        let verdict = end_of(&pending);
        self.answers.push(Answer { id: pending.id, verdict });
    }

    fn tell(&mut self, hook: HookNumber, event: &UpEvent) {
        let (client_id, topic) = told_about(event);
        for plugin in &mut self.plugins {
            if !plugin.route.wants(hook, topic) {
                continue;
            }
            let (open_max, bytes_max) = (plugin.route.open_max, plugin.route.bytes_max);
            let at = plugin.place_of(client_id);
            let Some(worker) = plugin.workers.get_mut(at) else { continue };
            if worker.has_room(open_max.saturating_mul(2), bytes_max) {
                worker.tell(event);
            } else {
                worker.figures.dropped += 1;
            }
        }
    }

    fn tell_json(&mut self, hook: HookNumber, json: &str) {
        for plugin in &mut self.plugins {
            if !plugin.route.has(hook) {
                continue;
            }
            let (open_max, bytes_max) = (plugin.route.open_max, plugin.route.bytes_max);
            let Some(worker) = plugin.workers.first_mut() else { continue };
            if worker.has_room(open_max.saturating_mul(2), bytes_max) {
                worker.tell_json(hook, json);
            } else {
                worker.figures.dropped += 1;
            }
        }
    }

    fn send_all(&mut self) {
        for plugin in 0..self.plugins.len() {
            let count = self.plugins.get(plugin).map_or(0, |plugin| plugin.workers.len());
            for worker in 0..count {
                let Some(found) = self.at(plugin, worker) else { continue };
                if found.has_unsent() && found.send() == State::Lost {
                    let left = found.lose();
                    self.fail_all(left);
                }
            }
        }
    }

    fn at(&mut self, plugin: usize, worker: usize) -> Option<&mut Worker> {
        self.plugins.get_mut(plugin)?.workers.get_mut(worker)
    }

    // -- the way up ----------------------------------------------------------------------------

    fn serve(&mut self, plugin: usize, worker: usize, can_read: bool, can_write: bool) {
        let mut answers = Vec::new();
        let mut questions = Vec::new();
        let mut left = Vec::new();
        let now_ms = self.now_ms();
        let Some(found) = self.at(plugin, worker) else { return };
        let mut state = State::Open;
        if can_read {
            state = found.receive(&mut answers);
            for Answer { id, verdict } in answers {
                questions.extend(found.answered(id, now_ms).map(|pending| (pending, verdict)));
            }
        }
        if state == State::Open && can_write {
            state = found.send();
        }
        if state == State::Lost {
            left = found.lose();
        }
        for (pending, verdict) in questions {
            self.decide(pending, verdict);
        }
        self.fail_all(left);
    }

    fn decide(&mut self, mut pending: Pending, verdict: Verdict) {
        let id = pending.id;
        match (pending.hook, verdict) {
            (hook::PUBLISH, Verdict::Replace(message)) if self.is_too_large(&pending, &message) => {
                self.fail_large(pending, &message);
            }
            (hook::PUBLISH, Verdict::Replace(message)) => {
                pending.question = Question::Publish { message };
                pending.is_replaced = true;
                self.advance(pending, false);
            }
            (hook::PUBLISH, verdict @ (Verdict::Deny(_) | Verdict::Drop)) => {
                self.answers.push(Answer { id, verdict });
            }
            (hook::SUBSCRIBE | hook::UNSUBSCRIBE, Verdict::Filters(filters)) => {
                if pending.merge(filters) {
                    self.advance(pending, false);
                } else {
                    self.answers.push(Answer { id, verdict: end_of(&pending) });
                }
            }
            (hook::SUBSCRIBE | hook::UNSUBSCRIBE, Verdict::Deny(reason)) => {
                self.answers.push(Answer { id, verdict: Verdict::Deny(reason) });
            }
            (hook::PUBLISH | hook::SUBSCRIBE | hook::UNSUBSCRIBE, _) | (_, Verdict::Ignore) => {
                self.advance(pending, false)
            }
            (_, verdict) => self.answers.push(Answer { id, verdict }),
        }
    }

    /// Whether a plugin put a message there that nobody could have sent.
    fn is_too_large(&self, pending: &Pending, message: &Message) -> bool {
        let bytes = bytes_of(message);
        bytes > self.peers.message_bytes_max()
            && match &pending.question {
                // Its topic may have come as an alias: what was let in may go on.
                Question::Publish { message } => bytes > bytes_of(message),
                _ => true,
            }
    }

    /// Such an answer is none.
    fn fail_large(&mut self, pending: Pending, message: &Message) {
        let (client_id, _) = about(&pending.question);
        let found = self.plugins.iter_mut().find(|plugin| plugin.route.id == pending.asked);
        if let Some(plugin) = found {
            let at = plugin.place_of(client_id);
            if let Some(worker) = plugin.workers.get_mut(at) {
                worker.figures.answered = worker.figures.answered.saturating_sub(1);
                worker.figures.failed += 1;
            }
            let text = format!(
                "plugin {}: the answer of message.publish is a message of {} bytes, more than \
                 mqtt.max_packet_size ({}); what is configured for a failure holds",
                plugin.route.name,
                bytes_of(message),
                self.peers.message_bytes_max(),
            );
            self.peers.main.push_all([UpEvent::Log(LogLevel::Warning, text.into())]);
        }
        self.fail_all(vec![pending]);
    }

    fn expire(&mut self) {
        let now_ms = self.now_ms();
        let mut late = Vec::new();
        for worker in self.plugins.iter_mut().flat_map(|plugin| &mut plugin.workers) {
            worker.expire(now_ms, &mut late);
        }
        self.fail_all(late);
    }

    /// Gives questions that nobody answers what is configured for it.
    fn fail_all(&mut self, questions: Vec<Pending>) {
        for pending in questions {
            let route = self.plugins.iter().map(|plugin| &plugin.route);
            let failure = route
                .filter(|route| route.id == pending.asked)
                .find_map(|route| route.failure.get(usize::from(pending.hook)).copied());
            match failure {
                // The plugin was stopped: what it would have said is nobody's to say.
                None if is_passing(pending.hook) => self.advance(pending, false),
                Some(Failure::Ignore) => self.advance(pending, false),
                failure => {
                    let verdict = verdict_of(failure.unwrap_or(Failure::Deny), &pending);
                    self.answers.push(Answer { id: pending.id, verdict });
                }
            }
        }
    }
}

fn verdict_of(failure: Failure, pending: &Pending) -> Verdict {
    match failure {
        Failure::Deny if is_passing(pending.hook) => {
            Verdict::Deny(ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR)
        }
        Failure::Deny if pending.hook == hook::AUTHENTICATE => {
            Verdict::Deny(ReasonCode::SERVER_UNAVAILABLE)
        }
        Failure::Deny => Verdict::Deny(ReasonCode::NOT_AUTHORIZED),
        Failure::Allow if !is_passing(pending.hook) => Verdict::Allow,
        Failure::Allow | Failure::Ignore => end_of(pending),
    }
}

/// What a message has to carry, without the head of its packet.
fn bytes_of(message: &Message) -> usize {
    message.topic().len() + message.properties().len() + message.payload().len()
}

/// Hookpoints at which something goes on as it is when nobody says otherwise.
fn is_passing(hook: HookNumber) -> bool {
    matches!(hook, hook::PUBLISH | hook::SUBSCRIBE | hook::UNSUBSCRIBE)
}

/// What holds when every plugin was asked and none decided.
fn end_of(pending: &Pending) -> Verdict {
    match &pending.question {
        Question::Publish { message } if pending.is_replaced => Verdict::Replace(message.clone()),
        Question::Publish { .. } => Verdict::Allow,
        Question::Subscribe { .. } | Question::Unsubscribe { .. } => {
            pending.filters.clone().map_or(Verdict::Allow, Verdict::Filters)
        }
        _ => Verdict::Ignore,
    }
}

/// Whom a question is about, and which topic name `topics` of a plugin are compared with.
fn about(question: &Question) -> (&str, Option<&str>) {
    match question {
        Question::Authenticate { client, .. }
        | Question::AuthContinue { client, .. }
        | Question::Authorize { client, .. } => (&client.client_id, None),
        Question::Publish { message } => (&message.from.client_id, Some(message.topic())),
        Question::Subscribe { client_id, .. } | Question::Unsubscribe { client_id, .. } => {
            (client_id, None)
        }
    }
}

fn told_about(event: &UpEvent) -> (&str, Option<&str>) {
    match event {
        UpEvent::Connect(client)
        | UpEvent::Connected(client)
        | UpEvent::Disconnected(client, _)
        | UpEvent::Session(_, client) => (&client.client_id, None),
        UpEvent::ConnAck { client_id, .. } => (client_id, None),
        UpEvent::Subscribed(client_id, _) | UpEvent::Unsubscribed(client_id, _) => {
            (client_id, None)
        }
        UpEvent::Delivered { client_id, message, .. }
        | UpEvent::PubAck { client_id, message, .. }
        | UpEvent::Acked { client_id, message }
        | UpEvent::DeliveryDropped { client_id, message, .. } => (client_id, Some(message.topic())),
        UpEvent::Dropped { message, .. } => (&message.from.client_id, Some(message.topic())),
        _ => ("", None),
    }
}
