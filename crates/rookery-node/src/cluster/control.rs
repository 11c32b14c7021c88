//! Opening and closing the lanes, and orders to their thread.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rookery_cluster::auth::{SECRET_BYTES_MIN, Secret};
use rookery_cluster::frame::NAME_BYTES_MAX;
use rookery_cluster::routes::RouteSource;
use rookery_core::effects::{LogLevel, ShardMessage, UpEvent};
use rookery_core::router::Feed;
use rookery_core::shared::Shared;
use rookery_store::Store;

use super::carrier::{Carrier, Me, route};
use super::shadows::Shadows;
use super::{ClusterConfig, ClusterPeer, Outlet, PartnerStatus, PeerStatus};
use crate::api::NodeError;
use crate::inbox::{Inbox, Item};
use crate::tls::mutual::MutualTls;
use crate::up::Upstream;
use crate::worker::Clock;

/// How long an order may take: the thread never waits for anything but its descriptors.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) enum Order {
    SetPeers(Vec<ClusterPeer>, Sender<()>),
    /// Members that may run and were not heard yet.
    Expect(Vec<String>, Sender<()>),
    /// Who died, whether this node may speak for the cluster, and whether it is its only member.
    SetLost(Vec<String>, bool, bool),
    /// Sessions of clients that are away are to go on at that node, at most so many.
    Leave(Arc<str>, u32),
    Status(Sender<Vec<PeerStatus>>),
    Partner(Sender<PartnerStatus>),
    /// How far the shadow of a node is stored; none: it cannot be.
    Kept {
        node: Arc<str>,
        stream: u64,
        number: Option<u64>,
    },
    /// The sessions of a lost node go on here, if there `is_any` copy of them.
    Adopted {
        node: Arc<str>,
        incarnation: u64,
        is_any: bool,
    },
    Stop,
}

/// The lanes of a node.
pub struct Cluster {
    outlet: Arc<Outlet>,
    inboxes: Arc<[Inbox]>,
    shared: Arc<Shared>,
    port: u16,
    thread: Mutex<Option<JoinHandle<Option<Shadows>>>>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("port", &self.port).finish_non_exhaustive()
    }
}

fn wrong(path: &str, detail: impl Into<String>) -> NodeError {
    NodeError::Config { path: path.to_owned(), detail: detail.into() }
}

impl Cluster {
    pub(crate) fn open(
        config: &ClusterConfig,
        shared: Arc<Shared>,
        inboxes: Arc<[Inbox]>,
        up: Arc<Upstream>,
        clock: Clock,
        store: Option<(&Store, u64)>,
    ) -> Result<Self, NodeError> {
        if config.name.is_empty() || config.name.len() > NAME_BYTES_MAX {
            return Err(wrong("cluster.name", "a name of a node has 1 to 255 octets"));
        }
        let secret = Secret::new(&config.secret).ok_or_else(|| {
            let detail = format!("the secret of a cluster has {SECRET_BYTES_MIN} octets or more");
            wrong("cluster.secret", detail)
        })?;
        let tls = config.tls.as_ref();
        let tls = tls.map(|tls| MutualTls::load(tls, "cluster:lanes")).transpose()?;
        let bind: SocketAddr = config.bind.parse().map_err(|_| {
            let detail = format!("{:?} is no address like 127.0.0.1:0", config.bind);
            wrong("cluster.bind", detail)
        })?;
        let io = |source| NodeError::Io { what: "open the listener of the cluster", source };
        let listener = TcpListener::bind(bind).map_err(io)?;
        listener.set_nonblocking(true).map_err(io)?;
        let port = listener.local_addr().map_err(io)?.port();
        let outlet = Arc::new(Outlet::new().map_err(io)?);
        let mut source = RouteSource::default();
        shared.router.track_routes(Feed::Nodes, |group, filter, weight| {
            source.found(route(group, filter, weight));
        });
        let me = Me { name: config.name.clone(), incarnation: config.incarnation, secret, tls };
        shared.is_clustered.store(true, Ordering::Relaxed);
        let store_id = store.map(|(_, id)| id);
        let shadows = store.map(|(store, _)| {
            let options = store.options();
            Shadows::start(options, outlet.clone(), inboxes.clone(), shared.clone(), up.clone())
        });
        let shadows = shadows.transpose().map_err(io)?;
        let carrier = Carrier::new(
            (me, shadows, store_id),
            u64::try_from(config.takeover.as_millis()).unwrap_or(u64::MAX),
            (outlet.clone(), inboxes.clone(), up.clone(), shared.clone()),
            listener,
            source,
            clock,
        );
        let undo = CloseOnPanic { inboxes: inboxes.clone(), shared: shared.clone(), up };
        let thread = std::thread::Builder::new()
            .name("lanes".into())
            .stack_size(1 << 20)
            .spawn(move || {
                let undo = undo;
                let shadows = carrier.run();
                std::mem::forget(undo);
                shadows
            })
            .map_err(io)?;
        for inbox in inboxes.iter() {
            inbox.push(Item::Lanes(Some(outlet.clone())));
        }
        Ok(Self { outlet, inboxes, shared, port, thread: Mutex::new(Some(thread)) })
    }

    /// Where lanes are taken.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn wake(&self) {
        self.outlet.wake();
    }

    /// Makes the other nodes those of the list.
    pub fn set_peers(&self, peers: Vec<ClusterPeer>) {
        let (reply, done) = channel();
        self.outlet.order(Order::SetPeers(peers, reply));
        let _ = done.recv_timeout(REPLY_TIMEOUT);
    }

    /// Says which members may run of which nothing was heard yet.
    pub fn expect(&self, names: Vec<String>) {
        let (reply, done) = channel();
        self.shared.other_nodes.fetch_max(names.len(), Ordering::Relaxed);
        self.outlet.order(Order::Expect(names, reply));
        let _ = done.recv_timeout(REPLY_TIMEOUT);
    }

    /// Makes the nodes that died those of the list.
    pub fn set_lost(&self, names: Vec<String>, may_adopt: bool, is_alone: bool) {
        self.outlet.order(Order::SetLost(names, may_adopt, is_alone));
    }

    /// Offers sessions of clients that are away to a node.
    pub fn leave_for(&self, node: &str, most: u32) {
        self.outlet.order(Order::Leave(node.into(), most));
    }

    /// Who else keeps the sessions of this node.
    #[must_use]
    pub fn partner(&self) -> PartnerStatus {
        let (reply, status) = channel();
        self.outlet.order(Order::Partner(reply));
        status.recv_timeout(REPLY_TIMEOUT).unwrap_or_default()
    }

    /// How it stands with each of them.
    #[must_use]
    pub fn status(&self) -> Vec<PeerStatus> {
        let (reply, status) = channel();
        self.outlet.order(Order::Status(reply));
        status.recv_timeout(REPLY_TIMEOUT).unwrap_or_default()
    }

    /// Closes every lane and forgets the other nodes. May be called twice.
    pub fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        self.outlet.order(Order::Stop);
        // A thread that panicked has been reported on stderr.
        let shadows = thread.join().ok().flatten();
        release(&self.inboxes, &self.shared);
        drop(shadows);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.close();
    }
}

/// The workers send nothing more, and nobody waits for other nodes.
fn release(inboxes: &[Inbox], shared: &Shared) {
    shared.router.untrack_routes(Feed::Nodes);
    shared.links.untrack();
    shared.is_clustered.store(false, Ordering::Relaxed);
    shared.other_nodes.store(0, Ordering::Relaxed);
    for inbox in inboxes {
        inbox.push_all([Item::Lanes(None), Item::Shard(ShardMessage::NodesTook(u64::MAX))]);
    }
}

/// A defect of the lanes must not hold publishers back for ever.
struct CloseOnPanic {
    inboxes: Arc<[Inbox]>,
    shared: Arc<Shared>,
    up: Arc<Upstream>,
}

impl Drop for CloseOnPanic {
    fn drop(&mut self) {
        release(&self.inboxes, &self.shared);
        let text = "a defect in the broker closed the lanes to other nodes; please report the panic message on stderr and restart the node";
        self.up.push_all([UpEvent::Log(LogLevel::Error, text.into())]);
    }
}
