//! Nodes that are linked, each a cluster of one or one of several.

use std::collections::BTreeSet;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rookery_codec::{Connect, Packet, QoS, Version};
use rookery_core::config::{Admission, BrokerConfig};
use rookery_core::effects::{Answer, Question, UpEvent, Verdict};
use rookery_node::Node;
use rookery_node::api::{Bind, ListenerConfig, TlsConfig};
use rookery_node::cluster::{ClusterConfig, ClusterPeer};
use rookery_node::links::{LinkConfig, LinkStatus};
use rustix::event::{PollFd, PollFlags, Timespec};

use super::pki::{address, listener};
use super::{Client, DEADLINE, config, start_on, until};

/// The listener that links reach.
const FOR_LINKS: &str = "tcp:links";

pub const PASSWORD: &[u8] = b"secret";

/// A cluster of one node. Whoever comes with the password is admitted, everybody else as well if
/// they name nobody: ordinary clients.
pub struct Cluster {
    pub name: &'static str,
    pub node: Arc<Node>,
    /// The node's name in its cluster.
    node_name: String,
    /// How other nodes of its cluster reach it.
    pub peer: Option<ClusterPeer>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

fn answer(node: &Node, is_over: &AtomicBool) {
    // SAFETY: the node lives as long as its thread, which is joined before it.
    #[allow(unsafe_code)]
    let fd = unsafe { BorrowedFd::borrow_raw(node.up_fd()) };
    while !is_over.load(Ordering::Relaxed) {
        let timeout = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
        let _ =
            rustix::event::poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)], Some(&timeout));
        let answers = node.drain(1000).into_iter().filter_map(|event| {
            let UpEvent::Ask(id, question) = event else { return None };
            let verdict = match question {
                Question::Authenticate { client, password, .. } => {
                    let is_right = password.as_deref() == Some(PASSWORD);
                    if client.username.is_none() || is_right {
                        Verdict::Allow
                    } else {
                        Verdict::Deny(rookery_codec::ReasonCode::BAD_USER_NAME_OR_PASSWORD)
                    }
                }
                _ => Verdict::Allow,
            };
            Some(Answer { id, verdict })
        });
        node.answer(answers.collect());
    }
}

impl Cluster {
    pub fn new(name: &'static str) -> Self {
        Self::with(name, 0, None)
    }

    pub fn with(name: &'static str, port: u16, tls: Option<TlsConfig>) -> Self {
        Self::on_disk(name, port, tls, None)
    }

    /// A cluster whose node keeps what it has in a directory.
    pub fn on_disk(
        name: &'static str,
        port: u16,
        tls: Option<TlsConfig>,
        dir: Option<&Path>,
    ) -> Self {
        let broker = BrokerConfig { admission: Admission::Ask, ..config() };
        let plain = listener("tcp:plain", None);
        let listener = ListenerConfig {
            bind: Bind::Inet(([127, 0, 0, 1], port).into()),
            ..listener(FOR_LINKS, tls)
        };
        let node = Arc::new(start_on(broker, vec![plain, listener], 2, dir));
        let is_over = Arc::new(AtomicBool::new(false));
        let (of_thread, until) = (node.clone(), is_over.clone());
        let thread = std::thread::spawn(move || answer(&of_thread, &until));
        let node_name = format!("n@{name}");
        Self { name, node, node_name, peer: None, is_over, thread: Some(thread) }
    }

    /// Nodes of one cluster, with lanes between each other.
    pub fn nodes<const N: usize>(name: &'static str) -> [Self; N] {
        Self::nodes_with(name, || None)
    }

    /// The same with TLS for clients.
    pub fn nodes_with<const N: usize>(
        name: &'static str,
        tls: impl Fn() -> Option<TlsConfig>,
    ) -> [Self; N] {
        let nodes: [Self; N] = std::array::from_fn(|at| {
            let mut node = Self::with(name, 0, tls());
            node.node_name = format!("n{at}@127.0.0.1");
            node.peer = Some(node.open());
            node
        });
        let peers: Vec<ClusterPeer> = nodes.iter().filter_map(|node| node.peer.clone()).collect();
        for node in &nodes {
            node.meet(&peers);
        }
        for node in &nodes {
            until("the lanes stand", || {
                node.node.cluster_status().iter().filter(|peer| peer.is_connected).count() == N - 1
            });
        }
        nodes
    }

    fn open(&self) -> ClusterPeer {
        let config = ClusterConfig {
            name: self.node_name.clone(),
            incarnation: 1,
            bind: "127.0.0.1:0".into(),
            secret: b"a secret of sixteen octets or more".to_vec(),
            takeover: std::time::Duration::from_secs(1),
            tls: None,
        };
        let port = self.node.cluster_open(&config).unwrap();
        let address = ([127, 0, 0, 1], port).into();
        ClusterPeer { name: self.node_name.clone(), incarnation: 1, address }
    }

    /// The nodes of the cluster that run.
    pub fn meet(&self, peers: &[ClusterPeer]) {
        let others = peers.iter().filter(|peer| peer.name != self.node_name);
        self.node.cluster_peers(others.cloned().collect()).unwrap();
    }

    pub fn port(&self) -> u16 {
        address(&self.node, FOR_LINKS).port()
    }

    pub fn apply(&self, links: Vec<LinkConfig>) {
        self.node.apply_links(self.name, &self.node_name, 1, links).unwrap();
    }

    pub fn status(&self, name: &str) -> LinkStatus {
        let found = self.node.links_status().into_iter().find(|status| status.name == name);
        found.unwrap_or_else(|| panic!("no link {name}"))
    }

    pub fn wait(&self, name: &str, what: &str, is_so: impl Fn(&LinkStatus) -> bool) {
        let mut last = self.status(name);
        let begun = std::time::Instant::now();
        while !is_so(&last) {
            assert!(begun.elapsed() < DEADLINE, "{what}: {last:?}");
            std::thread::yield_now();
            last = self.status(name);
        }
    }

    /// Until exactly these topic filters of the other cluster are known.
    pub fn wait_for_routes(&self, name: &str, routes: &[&str]) {
        let wanted: BTreeSet<Box<str>> = routes.iter().map(|route| Box::from(*route)).collect();
        let begun = std::time::Instant::now();
        loop {
            let found = self.node.links_routes(name);
            if found == wanted {
                return;
            }
            assert!(begun.elapsed() < DEADLINE, "{found:?} of {wanted:?}");
            std::thread::yield_now();
        }
    }

    pub fn client(&self, id: &str) -> Client {
        Client::connect(&self.node, &Connect::new(Version::V5, id)).0
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The link of `from` to the cluster `to` on these ports, for these topics.
pub fn link(from: &str, to: &str, ports: &[u16], topics: &[&str]) -> LinkConfig {
    LinkConfig {
        name: to.into(),
        enable: true,
        servers: ports.iter().map(|port| ("127.0.0.1".to_owned(), *port)).collect(),
        client_id: from.into(),
        username: Some(format!("link-{from}")),
        password: Some(PASSWORD.to_vec()),
        tls: None,
        topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
        pool_size: 2,
        retry_interval_ms: 15_000,
        max_inflight: 32,
        buffer_bytes_max: 1 << 20,
        request_ttl_ms: Some(45_000),
        connect_timeout_ms: 5000,
        health_check_interval_ms: 15_000,
        order_by_client: true,
        accept_username: Some(format!("link-{to}")),
        accept_cert_cn: None,
        accept_clientid_prefix: None,
        show_to_rules: false,
        sync_retained: false,
        store_bytes_max: 0,
        store_age_ms: 86_400_000,
    }
}

pub fn join(a: &Cluster, b: &Cluster, topics: &[&str]) {
    a.apply(vec![link(a.name, b.name, &[b.port()], topics)]);
    b.apply(vec![link(b.name, a.name, &[a.port()], topics)]);
    connected(a, b);
}

pub fn connected(a: &Cluster, b: &Cluster) {
    for (from, to) in [(a, b), (b, a)] {
        from.wait(to.name, "it stands", |s| s.status == "connected" && s.replication == "online");
    }
}

pub fn subscribe(client: &mut Client, filter: &str) {
    assert_eq!(client.subscribe(&[filter.to_owned()], QoS::AtLeastOnce), [1]);
}

/// The next message: topic, payload, QoS.
pub fn next(client: &mut Client) -> (String, Vec<u8>, u8) {
    let frame = client.read().expect("a message");
    let Packet::Publish(publish) = frame.packet() else { panic!("{:?}", frame.packet()) };
    let found = (publish.topic.to_owned(), publish.payload.to_vec(), publish.qos as u8);
    if publish.packet_id != 0 {
        client.ack(rookery_codec::AckKind::PubAck, publish.packet_id);
    }
    found
}

/// Publishes with QoS 1 and waits for the acknowledgement.
pub fn tell(writer: &mut Client, topic: &str, payload: &[u8]) {
    writer.publish(topic, QoS::AtLeastOnce, 1, payload);
    let frame = writer.read().expect("PUBACK");
    assert!(matches!(frame.packet(), Packet::PubAck(_)), "{:?}", frame.packet());
}
