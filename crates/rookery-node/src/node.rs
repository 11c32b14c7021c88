//! A running node: start, stop, and what the management plane may ask of it.

mod access;
mod cluster;
mod links;
mod messages;
mod observe;
mod operations;
mod queries;
mod rules;
mod top;

pub use access::AclSubject;
pub use messages::{MessageQuery, MessageSort, TopicQuery};
pub use operations::{MessagePage, MessageRow, MessageWindow};
pub use queries::Page;
pub use rules::{OutputSpec, RuleSpec};

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rookery_codec::{QoS, check_topic_filter, check_topic_name};
use rookery_core::config::{BrokerConfig, HookSwitches};
use rookery_core::effects::{
    Answer, ClientInfo, Command, LogLevel, ShardMessage, SubscriptionInfo, UpEvent,
};
use rookery_core::ids::{MessageId, SessionKey};
use rookery_core::message::{Message, MessageParts, Publisher};
use rookery_core::router::{SubOpts, Subscriber};
use rookery_core::rules::RuleSet;
use rookery_core::shard::Shard;
use rookery_core::shared::Shared;
use rookery_core::slab::Slab;
use rookery_core::topic_counts::TopicTable;
use rookery_store::{Store, StoreOptions};

use crate::actions::Actions;
use crate::api::{
    CertificateInfo, CertificateOutcome, DurabilityConfig, ListenerConfig, ListenerInfo,
    ListenerOutcome, NodeConfig, NodeError, PublishOutcome, PublishRequest, RecoveryInfo,
    SyncPolicy,
};
use crate::cluster::Cluster;
use crate::completion::ToInboxes;
use crate::inbox::{Inbox, Item};
use crate::links::{Links, OfNode};
use crate::listeners::Listeners;
use crate::peer::{HookPeer, Hookpoint, Peers, answer};
use crate::plugins::PluginBridge;
use crate::recover;
use crate::tls::watch::Watcher;
use crate::up::Upstream;
use crate::worker::{Clock, Parts, Worker};

/// How long a worker may take to answer the management plane.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);
/// The Remaining Length of MQTT (268,435,455) less what a head may take.
const MESSAGE_BYTES_MAX: usize = 268_435_455 - 1024;
/// A worker needs little stack: nothing recurses.
const STACK_BYTES: usize = 1 << 20;

/// A running broker node. Dropping it stops it at once.
pub struct Node {
    shared: Arc<Shared>,
    listeners: Arc<Listeners>,
    watcher: Mutex<Option<Watcher>>,
    inboxes: Arc<[Inbox]>,
    up: Arc<Upstream>,
    peers: Arc<Peers>,
    actions: Arc<Actions>,
    store: Mutex<Option<Store>>,
    store_id: u64,
    threads: Mutex<Vec<JoinHandle<()>>>,
    config: RwLock<BrokerConfig>,
    recovery: RecoveryInfo,
    locals: Mutex<Slab<String>>,
    clock: Clock,
    scans: queries::Scans,
    topics: Mutex<Arc<TopicTable>>,
    rules: Mutex<Arc<RuleSet>>,
    messages_made: AtomicU64,
    cluster: Mutex<Option<Arc<Cluster>>>,
    links: Links,
    is_stopped: AtomicBool,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("workers", &self.inboxes.len()).finish_non_exhaustive()
    }
}

impl Node {
    /// Starts a node and lets clients in.
    ///
    /// # Errors
    ///
    /// What stands in the way; nothing is left half started.
    pub fn start(config: NodeConfig) -> Result<Self, NodeError> {
        let node = Self::open(config)?;
        node.accept();
        Ok(node)
    }

    /// Binds every listener, opens the store, takes back what it holds, and starts the workers.
    /// Clients wait in the backlog of the system until [`Node::accept`].
    ///
    /// # Errors
    ///
    /// What stands in the way; nothing is left half started.
    pub fn open(config: NodeConfig) -> Result<Self, NodeError> {
        let io = |what| move |source| NodeError::Io { what, source };
        access::check_settings(&Shared::new(1, 1, 1), &config.broker)?;
        let workers = match config.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        };
        let workers = u16::try_from(workers.min(256)).unwrap_or(256);
        let inboxes: Result<Vec<Inbox>, _> = (0..workers).map(|_| Inbox::new()).collect();
        let inboxes: Arc<[Inbox]> = inboxes.map_err(io("create an eventfd"))?.into();
        let up = Arc::new(Upstream::new().map_err(io("create an eventfd"))?);
        let actions = Arc::new(Actions::new(up.clone()).map_err(io("create an eventfd"))?);
        // Before the store is opened: an address that is taken must not cost a recovery.
        let listeners = Listeners::new(&config.broker, inboxes.clone(), up.clone());
        listeners.start(config.listeners)?;
        let (store, found) = open_store(&config.durability, &inboxes, &up)?;
        let mut broker = config.broker;
        broker.durable = store.is_some();
        let clock = Clock::new();
        let now = clock.now();
        let shared = Arc::new(Shared::new(workers, found.next_seq, found.next_durable_id));
        let snapshot = Arc::new(broker.clone());
        let mut shards = Vec::with_capacity(usize::from(workers));
        for index in 0..workers {
            let shard = Shard::new(index, shared.clone(), snapshot.clone(), now)
                .map_err(access::refused)?;
            shards.push(shard);
        }
        let (epoch, store_id) = (found.epoch, found.store_id);
        let recovery = found.distribute(now, &shared, &mut shards);
        let node = Self {
            links: Links::new(OfNode {
                shared: shared.clone(),
                inboxes: inboxes.clone(),
                up: up.clone(),
                clock,
                dir: config.durability.dir.as_ref().map(|dir| dir.join("links")),
            }),
            shared,
            listeners: Arc::new(listeners),
            watcher: Mutex::default(),
            peers: Arc::new(Peers::new(up.clone(), inboxes.clone(), &broker)),
            inboxes,
            up,
            actions,
            store: Mutex::new(store),
            store_id,
            threads: Mutex::default(),
            config: RwLock::new(broker),
            recovery,
            locals: Mutex::default(),
            clock,
            scans: queries::Scans::default(),
            topics: Mutex::default(),
            rules: Mutex::default(),
            messages_made: AtomicU64::new(0),
            cluster: Mutex::default(),
            is_stopped: AtomicBool::new(false),
        };
        node.start_workers(shards, epoch).map_err(io("start a worker"))?;
        node.watch();
        Ok(node)
    }

    fn start_workers(&self, shards: Vec<Shard>, epoch: u64) -> std::io::Result<()> {
        let store = lock(&self.store).clone();
        for (index, shard) in (0_u16..).zip(shards) {
            let worker = Worker::new(Parts {
                index,
                shard,
                inboxes: self.inboxes.clone(),
                up: self.peers.clone(),
                store: store.clone(),
                epoch,
                clock: self.clock,
            })?;
            let thread = std::thread::Builder::new()
                .name(format!("rookery-{index}"))
                .stack_size(STACK_BYTES)
                .spawn(move || worker.run())?;
            lock(&self.threads).push(thread);
        }
        Ok(())
    }

    /// Lets clients in, once who answers about them is there. May be called twice.
    pub fn accept(&self) {
        self.listeners.accept();
    }

    /// The listeners with the addresses they got.
    #[must_use]
    pub fn listeners(&self) -> Vec<ListenerInfo> {
        self.listeners.infos()
    }

    /// Makes the listeners those of this list: new ones start, missing ones stop and end their
    /// clients, changed ones take the new settings for new connections or, where that is not
    /// possible, start anew. One that fails goes on as it was.
    ///
    /// # Errors
    ///
    /// An id stands twice in the list, or the node is stopping; then nothing changes.
    pub fn apply_listeners(
        &self,
        wanted: Vec<ListenerConfig>,
    ) -> Result<Vec<(String, ListenerOutcome)>, NodeError> {
        self.check_running()?;
        let outcomes = self.listeners.apply(wanted)?;
        self.watch();
        Ok(outcomes)
    }

    /// Disconnects the clients of a listener and starts it anew.
    ///
    /// # Errors
    ///
    /// There is none of this name, or it cannot stand; one that stood goes on as it was.
    pub fn restart_listener(&self, id: &str) -> Result<(), NodeError> {
        self.check_running()?;
        self.listeners.restart(id)
    }

    /// Reads certificates and keys again, for every listener that has some.
    #[must_use]
    pub fn reload_certificates(&self) -> Vec<(String, CertificateOutcome)> {
        self.listeners.reload_certificates()
    }

    /// Every certificate of every listener, those of its CAs included.
    #[must_use]
    pub fn certificates(&self) -> Vec<CertificateInfo> {
        self.listeners.certificates()
    }

    /// Sees to it that a change of a certificate's file is noticed.
    fn watch(&self) {
        let mut watcher = lock(&self.watcher);
        match watcher.as_ref() {
            Some(watcher) => watcher.look_again(),
            None if self.listeners.certificate_files().is_empty() => {}
            None => match Watcher::start(self.listeners.clone()) {
                Ok(started) => *watcher = Some(started),
                Err(error) => {
                    let text = format!(
                        "changes of certificate files are not noticed, only on command: {error}"
                    );
                    self.up.push_all([UpEvent::Log(LogLevel::Warning, text.into())]);
                }
            },
        }
    }

    fn check_running(&self) -> Result<(), NodeError> {
        if self.is_stopped.load(Ordering::Acquire) { Err(NodeError::Stopping) } else { Ok(()) }
    }

    /// What was found in the data directory.
    #[must_use]
    pub fn recovery(&self) -> &RecoveryInfo {
        &self.recovery
    }

    /// Publishes a message of the management plane.
    ///
    /// # Errors
    ///
    /// The topic is not a topic name, or the node is stopping.
    pub fn publish(&self, request: PublishRequest) -> Result<PublishOutcome, NodeError> {
        let message = self.message(&request)?;
        let id = message.id.0;
        let (reply, answer) = channel();
        let owner = self.shared.shard_of(&request.client_id);
        self.command(owner, Command::Publish { message: Box::new(message), reply: Some(reply) })?;
        Ok(PublishOutcome { id, matched: self.wait(&answer)? })
    }

    /// Publishes messages whose fate nobody asks for (`$SYS`).
    ///
    /// # Errors
    ///
    /// A topic is not a topic name, or the node is stopping.
    pub fn publish_many(&self, requests: Vec<PublishRequest>) -> Result<(), NodeError> {
        for request in requests {
            let message = Box::new(self.message(&request)?);
            let owner = self.shared.shard_of(&request.client_id);
            self.command(owner, Command::Publish { message, reply: None })?;
        }
        Ok(())
    }

    fn message(&self, request: &PublishRequest) -> Result<Message, NodeError> {
        check_topic_name(&request.topic).map_err(|e| NodeError::Topic(e.to_string()))?;
        let qos =
            QoS::from_u8(request.qos).ok_or_else(|| NodeError::Topic("QoS is 0, 1 or 2".into()))?;
        let size = request.topic.len() + request.properties.len() + request.payload.len();
        if size > MESSAGE_BYTES_MAX {
            let text = format!("a message of {size} bytes is larger than MQTT can carry");
            return Err(NodeError::Topic(text));
        }
        let now = self.clock.now();
        let counter = self.messages_made.fetch_add(1, Ordering::Relaxed);
        let parts = MessageParts {
            id: MessageId::new(now.unix_ms, self.shared.shards(), counter),
            timestamp_ms: now.unix_ms,
            expires_at_ms: request.expiry_s.map_or(0, |s| now.unix_ms + u64::from(s) * 1000),
            seq: 0,
            qos,
            retain: request.retain,
            sys: request.sys,
            topic: &request.topic,
            properties: &request.properties,
            payload: &request.payload,
        };
        let publisher = Publisher { client_id: request.client_id.as_str().into(), username: None };
        Ok(Message::new(&parts, Arc::new(publisher), None))
    }

    /// Subscribes inside the process; deliveries come up as events with the returned slot.
    /// Retained messages that match come first.
    ///
    /// # Errors
    ///
    /// The filter is not one.
    pub fn subscribe(&self, filter: &str, qos: u8) -> Result<u32, NodeError> {
        check_topic_filter(filter).map_err(|e| NodeError::Topic(e.to_string()))?;
        if ["$share/", "$queue/", "$exclusive/"].iter().any(|prefix| filter.starts_with(prefix)) {
            let text =
                "shared and exclusive subscriptions are for clients, not for in-process ones";
            return Err(NodeError::Topic(text.into()));
        }
        let qos = QoS::from_u8(qos).ok_or_else(|| NodeError::Topic("QoS is 0, 1 or 2".into()))?;
        let (slot, generation) = lock(&self.locals).insert(filter.to_owned());
        let key = self.local_key(slot, generation);
        let opts = SubOpts::new(qos, false, true, 0);
        self.shared.router.subscribe(filter, Subscriber { key, durable_id: 0, sub_id: 0, opts });
        self.tell_cluster();
        self.send_retained(filter, slot, qos);
        Ok(slot)
    }

    fn send_retained(&self, filter: &str, slot: u32, qos: QoS) {
        let mut cursor = rookery_core::retained::RetainedCursor::default();
        let mut found = Vec::new();
        let unix_ms = self.clock.now().unix_ms;
        loop {
            let more = self.shared.retained.scan(filter, &mut cursor, 256, &mut found);
            let live = found.drain(..).filter(|m| !m.is_expired(unix_ms));
            self.up.push_all(live.map(|message| UpEvent::Delivery {
                slot,
                qos: (message.qos as u8).min(qos as u8),
                message,
            }));
            if !more {
                return;
            }
        }
    }

    #[allow(clippy::cast_possible_truncation)]
    fn local_key(&self, slot: u32, generation: u32) -> SessionKey {
        SessionKey { shard: self.shared.shards(), generation: generation as u16, slot }
    }

    /// Ends an in-process subscription; an unknown slot is no error.
    pub fn unsubscribe(&self, slot: u32) {
        let mut locals = lock(&self.locals);
        let key = self.local_key(slot, locals.generation(slot));
        if let Some(filter) = locals.remove(slot) {
            self.shared.router.unsubscribe(&filter, key);
        }
        drop(locals);
        self.tell_cluster();
    }

    /// Ends a client's connection and session; false when there is no such client.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn kick(&self, client_id: &str) -> Result<bool, NodeError> {
        let (reply, answer) = channel();
        self.command(
            self.shared.shard_of(client_id),
            Command::Kick { client_id: client_id.into(), reply },
        )?;
        self.wait(&answer)
    }

    /// A page of clients and the cursor of the next one (0 = the end). Order is arbitrary but
    /// stable; clients that come or go meanwhile may be missed.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    #[allow(clippy::cast_possible_truncation)]
    pub fn clients(&self, cursor: u64, limit: usize) -> Result<(Vec<ClientInfo>, u64), NodeError> {
        let mut shard = (cursor >> 32) as u16;
        let mut from_slot = cursor as u32;
        let mut rows = Vec::new();
        while shard < self.shared.shards() {
            // One more is looked for: a cursor is given where there is somebody to be found with it.
            let is_full = rows.len() >= limit;
            let most = limit.saturating_sub(rows.len()).max(1);
            let (reply, answer) = channel();
            self.command(shard, Command::Clients { from_slot, limit: most, reply })?;
            let (mut page, next) = self.wait(&answer)?;
            if is_full && !page.is_empty() {
                return Ok((rows, (u64::from(shard) << 32) | u64::from(from_slot)));
            }
            rows.append(&mut page);
            match next {
                Some(slot) => from_slot = slot,
                None => {
                    shard += 1;
                    from_slot = 0;
                }
            }
        }
        Ok((rows, 0))
    }

    /// One client.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn client(&self, client_id: &str) -> Result<Option<ClientInfo>, NodeError> {
        let (reply, answer) = channel();
        self.command(
            self.shared.shard_of(client_id),
            Command::Client { client_id: client_id.into(), reply },
        )?;
        self.wait(&answer)
    }

    /// A client's subscriptions; `None` when there is no such client.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn subscriptions(
        &self,
        client_id: &str,
    ) -> Result<Option<Vec<SubscriptionInfo>>, NodeError> {
        let (reply, answer) = channel();
        self.command(
            self.shared.shard_of(client_id),
            Command::Subscriptions { client_id: client_id.into(), reply },
        )?;
        self.wait(&answer)
    }

    /// Every counter, summed over the workers, under EMQX's names.
    #[must_use]
    pub fn metrics(&self) -> Vec<(&'static str, u64)> {
        let mut sums: Vec<(&'static str, u64)> = Vec::new();
        for (i, metrics) in self.shared.metrics.iter().enumerate() {
            let mut at = 0;
            metrics.each(|name, value| {
                if i == 0 {
                    sums.push((name, value));
                } else if let Some(sum) = sums.get_mut(at) {
                    sum.1 += value;
                }
                at += 1;
            });
        }
        sums.retain(|(name, _)| {
            !name.ends_with(".count") && !name.ends_with("mqueue.bytes") && *name != "outbox.bytes"
        });
        sums.push(("events.dropped", self.up.dropped()));
        sums.push(("management.lists.refused", self.scans.refused()));
        sums
    }

    /// Gauges: what there is now.
    #[must_use]
    pub fn stats(&self) -> Vec<(&'static str, u64)> {
        let gauge =
            |pick: fn(&rookery_core::metrics::Metrics) -> &rookery_core::metrics::Counter| {
                self.shared.metrics.iter().map(|m| pick(m).get()).sum::<u64>()
            };
        let connected = self.listeners.connections();
        let router = &self.shared.router;
        let mut stats = vec![
            ("connections.count", connected),
            (
                "live_connections.count",
                gauge(|m| &m.connections).saturating_sub(gauge(|m| &m.unauthenticated)),
            ),
            ("unauthenticated.count", gauge(|m| &m.unauthenticated)),
            ("connections.quota.used", self.shared.connected.load(Ordering::Relaxed) as u64),
            ("connections.quota.max", self.quota_max()),
            ("sessions.count", self.shared.sessions.load(Ordering::Relaxed) as u64),
            ("subscriptions.count", router.subscriptions() as u64),
            ("subscriptions.shared.count", router.shared_subscriptions() as u64),
            ("durable_subscriptions.count", gauge(|m| &m.durable_subscriptions)),
            ("topics.count", router.topics() as u64),
            ("router.bytes", router.memory_bytes() as u64),
            ("retained.count", self.shared.retained.len() as u64),
            ("pledges.count", self.shared.pledges.get().map_or(0, |all| all.count() as u64)),
            ("retained.bytes", self.shared.retained.bytes() as u64),
            ("delayed.count", self.shared.delayed.load(Ordering::Relaxed) as u64),
            ("outbox.bytes", gauge(|m| &m.outbox_bytes)),
            ("mqueue.bytes", gauge(|m| &m.queued_bytes)),
        ];
        if let Some(store) = lock(&self.store).as_ref() {
            let s = store.stats();
            stats.extend([
                ("store.bytes_on_disk", s.bytes_on_disk),
                ("store.live_bytes", s.live_bytes),
                ("store.segments", s.segments as u64),
                ("store.messages", s.messages as u64),
                ("store.keys", s.keys as u64),
                ("store.backlog_bytes", s.backlog_bytes as u64),
                ("store.commits", s.commits),
                ("store.writes", s.writes),
                ("store.syncs", s.syncs),
            ]);
        }
        stats
    }

    /// Replaces the settings of the broker core, at once and whole. Every worker has them when
    /// this returns.
    ///
    /// # Errors
    ///
    /// A rewrite rule, an authorization rule or a ban that cannot be used; then nothing changes.
    /// Or the node stops meanwhile.
    pub fn apply_config(&self, broker: BrokerConfig) -> Result<(), NodeError> {
        // What is looked at closer, links, and where clients go to have their own orders.
        self.change_config(|current| BrokerConfig {
            observe: current.observe.clone(),
            links: current.links.clone(),
            redirect: current.redirect.clone(),
            ..broker
        })
    }

    /// Makes new settings of the present ones: nobody else changes them between.
    fn change_config(
        &self,
        make: impl FnOnce(&BrokerConfig) -> BrokerConfig,
    ) -> Result<(), NodeError> {
        let (reply, applied) = channel();
        {
            let mut current = self.config.write().unwrap_or_else(PoisonError::into_inner);
            let mut broker = make(&current);
            access::check_settings(&self.shared, &broker)?;
            broker.durable = current.durable;
            broker.node_name = current.node_name.clone();
            *current = broker;
            let snapshot = Arc::new(current.clone());
            for inbox in self.inboxes.iter() {
                let settings = Item::Shard(ShardMessage::Config(snapshot.clone()));
                inbox.push_all([settings, Item::Fence(reply.clone())]);
            }
            self.listeners.set_zones(&snapshot);
            self.peers.bound(&snapshot);
        }
        if self.is_stopped.load(Ordering::Acquire) {
            return Ok(());
        }
        self.inboxes.iter().try_for_each(|_| self.wait(&applied))
    }

    /// Tells the core which hooks somebody registered for.
    ///
    /// # Errors
    ///
    /// The node stops meanwhile.
    pub fn set_hooks(&self, hooks: HookSwitches) -> Result<(), NodeError> {
        self.change_config(|current| BrokerConfig { hooks, ..current.clone() })
    }

    /// Descriptor that is readable while [`Node::drain`] has something.
    #[must_use]
    pub fn up_fd(&self) -> RawFd {
        self.up.fd()
    }

    /// Takes up to `max` events.
    #[must_use]
    pub fn drain(&self, max: usize) -> Vec<UpEvent> {
        self.up.drain(max)
    }

    /// Answers questions. Unknown or late ones are ignored.
    pub fn answer(&self, answers: Vec<Answer>) {
        answer(&self.inboxes, answers);
    }

    /// A new peer for questions of hooks: any thread, or a bridge to another process.
    ///
    /// # Errors
    ///
    /// No descriptor is left.
    pub fn attach_peer(&self) -> Result<HookPeer, NodeError> {
        self.peers.attach().map_err(|source| NodeError::Io { what: "create an eventfd", source })
    }

    /// Gives a hookpoint to a peer, or back to the management plane.
    pub fn give_hookpoint(&self, hookpoint: Hookpoint, peer: Option<&HookPeer>) {
        self.peers.give(hookpoint, peer);
    }

    /// Opens the way to the worker processes of plugins.
    ///
    /// # Errors
    ///
    /// No descriptor or thread is left.
    pub fn open_plugins(&self) -> Result<PluginBridge, NodeError> {
        let io = |source| NodeError::Io { what: "open the way to plugins", source };
        let peer = self.attach_peer()?;
        PluginBridge::open(self.peers.clone(), peer).map_err(io)
    }

    /// The buffers between rules and actions.
    #[must_use]
    pub const fn actions(&self) -> &Arc<Actions> {
        &self.actions
    }

    /// What a worker answers.
    fn wait<T>(&self, answer: &Receiver<T>) -> Result<T, NodeError> {
        answer
            .recv_timeout(REPLY_TIMEOUT)
            .map_err(|why| unanswered(why, self.is_stopped.load(Ordering::Acquire)))
    }

    fn command(&self, shard: u16, command: Command) -> Result<(), NodeError> {
        self.check_running()?;
        let inbox = self.inboxes.get(usize::from(shard)).ok_or(NodeError::Stopping)?;
        inbox.push(Item::Shard(ShardMessage::Command(command)));
        Ok(())
    }

    /// Tells clients goodbye, writes what is left, and ends the threads. May be called twice.
    ///
    /// # Errors
    ///
    /// The last write or sync of the store failed.
    pub fn stop(&self, grace: Duration) -> Result<(), NodeError> {
        if self.is_stopped.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        // Joined here: it must not start a listener behind our back.
        drop(lock(&self.watcher).take());
        self.links.leave();
        let deadline = Instant::now() + grace.max(Duration::from_millis(100));
        let (reply, answers) = channel();
        for inbox in self.inboxes.iter() {
            inbox.push(Item::Shard(ShardMessage::Command(Command::Shutdown {
                reply: reply.clone(),
            })));
        }
        drop(reply);
        for _ in 0..self.inboxes.len() {
            let left = deadline.saturating_duration_since(Instant::now());
            if answers.recv_timeout(left).is_err() {
                break;
            }
        }
        self.links.close();
        self.cluster_close();
        for inbox in self.inboxes.iter() {
            inbox.push(Item::Stop);
        }
        for thread in std::mem::take(&mut *lock(&self.threads)) {
            // A worker that panicked has already been reported on stderr.
            let _ = thread.join();
        }
        match lock(&self.store).take() {
            Some(store) => store.close().map_err(|e| NodeError::Store(e.to_string())),
            None => Ok(()),
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.stop(Duration::ZERO);
        self.actions.stop();
    }
}

fn open_store(
    config: &DurabilityConfig,
    inboxes: &Arc<[Inbox]>,
    up: &Arc<Upstream>,
) -> Result<(Option<Store>, recover::Found), NodeError> {
    let Some(dir) = &config.dir else { return Ok((None, recover::Found::default())) };
    let mut options = StoreOptions::new(dir);
    options.sync = match config.sync {
        SyncPolicy::Always => rookery_store::SyncPolicy::Always,
        SyncPolicy::Interval(interval) => rookery_store::SyncPolicy::Interval(interval),
        SyncPolicy::Never => rookery_store::SyncPolicy::Never,
    };
    options.bytes_max = config.max_disk_bytes;
    if options.bytes_max > 0 {
        // Only closed segments are compacted: with few of them a full store would stay full.
        options.segment_bytes = (options.bytes_max / 8).clamp(1 << 20, options.segment_bytes);
    }
    let completion = Arc::new(ToInboxes { inboxes: inboxes.clone(), up: up.clone() });
    let (store, recovered) =
        Store::open(options, completion).map_err(|e| NodeError::Store(e.to_string()))?;
    let found = recover::read(recovered)?;
    Ok((Some(store), found))
}

/// What it means that a worker did not answer. Of one that has ended nobody takes the question any
/// more, so that it stays unanswered.
const fn unanswered(why: RecvTimeoutError, is_stopped: bool) -> NodeError {
    match why {
        RecvTimeoutError::Timeout if !is_stopped => NodeError::Late,
        _ => NodeError::Stopping,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_is_late_is_no_end_of_the_node() {
        let late = RecvTimeoutError::Timeout;
        assert!(matches!(unanswered(late, false), NodeError::Late));
        assert!(matches!(unanswered(late, true), NodeError::Stopping));
        assert!(matches!(unanswered(RecvTimeoutError::Disconnected, false), NodeError::Stopping));
    }
}
