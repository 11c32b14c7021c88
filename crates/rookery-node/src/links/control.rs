//! The links of a node: what they are goes down to workers and thread, how they stand comes up.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rookery_codec::check_topic_filter;
use rookery_core::access::{LinkAccept, LinkCounters, LinkEntry, LinkGate};
use rookery_core::router::{Feed, LINK_COPIES_FROM, LINKS_FROM};
use rookery_core::shared::Shared;

use super::driver::{Driver, Order, Wanted};
use super::keeping::dir_of;
use super::{LinkConfig, LinkOutlet, LinkStatus, Me, probe};
use crate::api::NodeError;
use crate::inbox::{Inbox, Item};
use crate::up::Upstream;
use crate::worker::Clock;

/// How long an order may take: the thread never waits for anything but its descriptors.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);
/// Links of a cluster.
const LINKS_MAX: usize = 256;

/// The thread, while there are links.
struct Running {
    outlet: Arc<LinkOutlet>,
    thread: JoinHandle<()>,
}

/// What is kept of a link while it is in the list.
struct Known {
    config: LinkConfig,
    number: u16,
    came: Arc<LinkCounters>,
    since_ms: u64,
}

#[derive(Default)]
struct State {
    running: Option<Running>,
    known: BTreeMap<String, Known>,
    /// As it was applied last.
    me: Option<Me>,
}

/// What links need of their node.
#[derive(Clone)]
pub(crate) struct OfNode {
    pub(crate) shared: Arc<Shared>,
    pub(crate) inboxes: Arc<[Inbox]>,
    pub(crate) up: Arc<Upstream>,
    pub(crate) clock: Clock,
    /// Where links keep messages that wait; none: nowhere.
    pub(crate) dir: Option<PathBuf>,
}

/// The links of a node.
pub struct Links {
    of_node: OfNode,
    state: Mutex<State>,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Links").finish_non_exhaustive()
    }
}

fn wrong(path: String, detail: impl Into<String>) -> NodeError {
    NodeError::Config { path, detail: detail.into() }
}

/// What no list of links may hold.
fn check(cluster: &str, links: &[LinkConfig]) -> Result<(), NodeError> {
    if links.len() > LINKS_MAX {
        return Err(wrong("cluster.links".into(), format!("more than {LINKS_MAX} links")));
    }
    for (at, link) in links.iter().enumerate() {
        let path = |field: &str| format!("cluster.links.{at}.{field}");
        if link.name.is_empty() || link.name.len() > 254 || link.name.contains(['/', '+', '#']) {
            return Err(wrong(path("name"), format!("{:?} is no name of a cluster", link.name)));
        }
        if link.name == cluster {
            return Err(wrong(path("name"), "a cluster cannot be linked to itself"));
        }
        if links.iter().take(at).any(|other| other.name == link.name) {
            return Err(wrong(path("name"), format!("the name {:?} stands twice", link.name)));
        }
        if link.servers.is_empty() {
            return Err(wrong(path("server"), "a link needs a server"));
        }
        for topic in &link.topics {
            check_topic_filter(topic)
                .map_err(|error| wrong(path("topics"), format!("{topic:?}: {error}")))?;
        }
    }
    Ok(())
}

impl Links {
    pub(crate) fn new(of_node: OfNode) -> Self {
        Self { of_node, state: Mutex::default() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the links those of the list. `tell` gives the workers what they have to know, before
    /// the first link connects.
    ///
    /// # Errors
    ///
    /// A link that cannot be; then nothing changes. Or what `tell` failed with.
    pub(crate) fn apply(
        &self,
        cluster: &str,
        node: &str,
        incarnation: u64,
        links: Vec<LinkConfig>,
        tell: impl FnOnce(LinkGate) -> Result<(), NodeError>,
    ) -> Result<(), NodeError> {
        check(cluster, &links)?;
        let mut state = self.lock();
        let known = self.number(&mut state, links);
        let gone: Vec<Known> = {
            let before = std::mem::replace(&mut state.known, known);
            let is_gone = |(name, old): &(String, Known)| {
                let new = state.known.get(name);
                !new.is_some_and(|new| new.number == old.number && new.config.enable)
            };
            before.into_iter().filter(is_gone).map(|(_, old)| old).collect()
        };
        self.tell_receiver(cluster, &state, &gone);
        tell(gate(&state))?;
        let me = Me { cluster: cluster.into(), node: node.into(), incarnation };
        state.me = Some(me.clone());
        self.tell_driver(&mut state, me)?;
        self.forget_deleted(&state);
        Ok(())
    }

    /// What links kept that are not in the list any more.
    fn forget_deleted(&self, state: &State) {
        let Some(entries) = self.of_node.dir.as_ref().and_then(|dir| std::fs::read_dir(dir).ok())
        else {
            return;
        };
        let known: Vec<String> = state.known.keys().map(|name| dir_of(name)).collect();
        let of_links = entries.flatten().filter(|entry| entry.path().is_dir());
        for entry in of_links {
            if !known.iter().any(|name| entry.file_name() == name.as_str()) {
                // What cannot be removed is tried again with the next change.
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }

    /// The list with a number for each; who was there keeps its own.
    fn number(&self, state: &mut State, links: Vec<LinkConfig>) -> BTreeMap<String, Known> {
        let mut used: Vec<u16> = state.known.values().map(|known| known.number).collect();
        let mut known = BTreeMap::new();
        for config in links {
            let before = state.known.get(&config.name);
            let number = before.map_or_else(
                || {
                    let mut free = (LINKS_FROM..LINK_COPIES_FROM).filter(|n| !used.contains(n));
                    free.next().unwrap_or(LINKS_FROM)
                },
                |before| before.number,
            );
            used.push(number);
            let came = before.map(|before| before.came.clone()).unwrap_or_default();
            let same = before.filter(|before| before.config.enable == config.enable);
            let since_ms =
                same.map_or_else(|| self.of_node.clock.now().unix_ms, |same| same.since_ms);
            known.insert(config.name.clone(), Known { config, number, came, since_ms });
        }
        known
    }

    fn tell_receiver(&self, cluster: &str, state: &State, gone: &[Known]) {
        {
            let mut receiver = self.of_node.shared.links.lock();
            receiver.set_name(cluster);
            for known in gone {
                receiver.remove_link(&known.config.name);
            }
            for known in state.known.values() {
                let config = &known.config;
                receiver.set_link(&config.name, known.number, config.enable);
                let topics = config.topics.iter().map(|topic| topic.as_str().into()).collect();
                receiver.set_wishes(&config.name, config.wishes(), topics);
            }
        }
        let gone: Vec<u16> = gone.iter().map(|known| known.number).collect();
        self.of_node.shared.links.clear(&self.of_node.shared.router, &gone);
    }

    fn tell_driver(&self, state: &mut State, me: Me) -> Result<(), NodeError> {
        let enabled = state.known.values().filter(|known| known.config.enable);
        let wanted: Vec<Wanted> = enabled
            .map(|known| Wanted {
                config: known.config.clone(),
                number: known.number,
                came: known.came.clone(),
            })
            .collect();
        if wanted.is_empty() {
            self.stop(state);
            return Ok(());
        }
        let outlet = match &state.running {
            Some(running) => running.outlet.clone(),
            None => self.start(state)?,
        };
        let (reply, done) = channel();
        outlet.order(Order::Apply(me, wanted, reply));
        let _ = done.recv_timeout(REPLY_TIMEOUT);
        Ok(())
    }

    fn start(&self, state: &mut State) -> Result<Arc<LinkOutlet>, NodeError> {
        let io = |source| NodeError::Io { what: "start the thread of the links", source };
        let outlet = Arc::new(LinkOutlet::new().map_err(io)?);
        let driver = Driver::new(&self.of_node, outlet.clone());
        let thread = std::thread::Builder::new()
            .name("links".into())
            .stack_size(1 << 20)
            .spawn(move || driver.run())
            .map_err(io)?;
        for inbox in self.of_node.inboxes.iter() {
            inbox.push(Item::Links(Some(outlet.clone())));
        }
        state.running = Some(Running { outlet: outlet.clone(), thread });
        Ok(outlet)
    }

    fn stop(&self, state: &mut State) {
        let Some(running) = state.running.take() else { return };
        for inbox in self.of_node.inboxes.iter() {
            inbox.push(Item::Links(None));
        }
        running.outlet.order(Order::Stop);
        // A thread that panicked has been reported on stderr.
        let _ = running.thread.join();
        self.of_node.shared.router.untrack_routes(Feed::Links);
    }

    /// The node ends: connections end before the clients go, so that linked clusters keep what these
    /// want, and what clients publish until then is kept for linked clusters.
    pub(crate) fn leave(&self) {
        if let Some(running) = &self.lock().running {
            let (reply, done) = channel();
            running.outlet.order(Order::Leave(reply));
            let _ = done.recv_timeout(REPLY_TIMEOUT);
        }
    }

    /// Ends every link. May be called twice.
    pub(crate) fn close(&self) {
        self.stop(&mut self.lock());
    }

    /// How it stands with each link of the list, by name.
    pub(crate) fn status(&self) -> Vec<LinkStatus> {
        let state = self.lock();
        let mut found: BTreeMap<String, LinkStatus> = BTreeMap::new();
        if let Some(running) = &state.running {
            let (reply, status) = channel();
            running.outlet.order(Order::Status(reply));
            let status = status.recv_timeout(REPLY_TIMEOUT).unwrap_or_default();
            found.extend(status.into_iter().map(|status| (status.name.clone(), status)));
        }
        let of = |known: &Known| {
            found.remove(&known.config.name).unwrap_or_else(|| LinkStatus {
                name: known.config.name.clone(),
                status: "disconnected",
                reason: Some("disabled: the link is switched off here".to_owned()),
                since_ms: known.since_ms,
                replication: "disconnected",
                ..LinkStatus::default()
            })
        };
        state.known.values().map(of).collect()
    }

    /// Sets the counters of a link to zero; false if there is none.
    pub(crate) fn reset(&self, name: &str) -> bool {
        let state = self.lock();
        if !state.known.contains_key(name) {
            return false;
        }
        if let Some(running) = &state.running {
            running.outlet.order(Order::Reset(name.to_owned()));
        }
        true
    }

    /// Tries a link once; the reason if it would not stand.
    ///
    /// # Errors
    ///
    /// Nobody said yet what this cluster and this node are called, or the link cannot be.
    pub(crate) fn probe(&self, config: &LinkConfig) -> Result<Option<String>, NodeError> {
        let me = self.lock().me.clone().ok_or_else(|| {
            wrong("cluster.links".into(), "links were not applied before, not even none")
        })?;
        check(&me.cluster, std::slice::from_ref(config))?;
        let io = |source| NodeError::Io { what: "create an eventfd", source };
        let outlet = Arc::new(LinkOutlet::new().map_err(io)?);
        Ok(probe::run(config, &me, &outlet, self.of_node.clock)
            .err()
            .map(|reason| reason.to_string()))
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        self.close();
    }
}

/// What workers have to know.
fn gate(state: &State) -> LinkGate {
    let text = |text: &Option<String>| text.as_deref().map(Into::into);
    let entry = |known: &Known| {
        let config = &known.config;
        Arc::new(LinkEntry {
            name: config.name.as_str().into(),
            number: known.number,
            is_enabled: config.enable,
            topics: config.topics.iter().map(|topic| topic.as_str().into()).collect(),
            accept: LinkAccept {
                username: text(&config.accept_username),
                cert_common_name: text(&config.accept_cert_cn),
                client_id_prefix: text(&config.accept_clientid_prefix),
            },
            is_shown: config.show_to_rules,
            keeps_retained: config.sync_retained,
            counters: known.came.clone(),
        })
    };
    LinkGate(state.known.values().map(entry).collect())
}
