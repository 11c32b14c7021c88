//! The other nodes of the cluster.

use std::sync::Arc;
use std::sync::mpsc::channel;

use rookery_core::effects::{PledgeMessage, ShardMessage};
use rookery_core::pledges::Pledges;
use rookery_core::retained::Replicated;

use rookery_core::router::Feed;

use super::{Node, lock};
use crate::api::NodeError;
use crate::cluster::{Cluster, ClusterConfig, ClusterPeer, PartnerStatus, PeerStatus};
use crate::inbox::Item;

impl Node {
    /// Opens the lanes to other nodes; the port where they are taken. Once per process.
    ///
    /// # Errors
    ///
    /// They were open before, a value is no good, or the address is taken.
    pub fn cluster_open(&self, config: &ClusterConfig) -> Result<u16, NodeError> {
        self.check_running()?;
        let mut cluster = lock(&self.cluster);
        if cluster.is_some() {
            let detail = "the lanes of this node were opened before".to_owned();
            return Err(NodeError::Config { path: "cluster".to_owned(), detail });
        }
        let opened = Cluster::open(
            config,
            self.shared.clone(),
            self.inboxes.clone(),
            self.up.clone(),
            self.clock,
            lock(&self.store).as_ref().map(|store| (store, self.store_id)),
        )?;
        let port = opened.port();
        *cluster = Some(Arc::new(opened));
        self.give_versions(&config.name)?;
        Ok(port)
    }

    /// From here on changes of retained messages have versions and go to the other nodes.
    fn give_versions(&self, name: &str) -> Result<(), NodeError> {
        let mut past = std::mem::take(&mut *lock(&self.shared.past));
        // Behind the lanes, so that every worker knows them by then.
        self.fence()?;
        let replicated = self.shared.replicated.get_or_init(|| Replicated::new(name, &past));
        // What a worker was about to change without a version is changed by then.
        self.fence()?;
        replicated.adopt(&self.shared.retained, &mut past, self.clock.now().unix_ms);
        self.shared.pledges.get_or_init(|| Pledges::new(name));
        for inbox in self.inboxes.iter() {
            let open = ShardMessage::Pledge(Box::new(PledgeMessage::Open));
            inbox.push(Item::Shard(open));
        }
        self.fence()
    }

    /// Waits until every worker has taken in what it was told.
    fn fence(&self) -> Result<(), NodeError> {
        let (reply, passed) = channel();
        for inbox in self.inboxes.iter() {
            inbox.push(Item::Fence(reply.clone()));
        }
        self.inboxes.iter().try_for_each(|_| self.wait(&passed))
    }

    /// Makes the other nodes those of the list: all that run. One that is missing is forgotten with
    /// its routes and what waits for it; one with a higher incarnation begins anew.
    ///
    /// # Errors
    ///
    /// The lanes are not open.
    pub fn cluster_peers(&self, peers: Vec<ClusterPeer>) -> Result<(), NodeError> {
        let cluster = self.cluster()?;
        cluster.set_peers(peers);
        Ok(())
    }

    /// Says which members may run of which nothing was heard yet. For those of the first call clients that want
    /// their sessions wait, five seconds at most.
    ///
    /// # Errors
    ///
    /// The lanes are not open.
    pub fn cluster_expect(&self, names: Vec<String>) -> Result<(), NodeError> {
        self.cluster()?.expect(names);
        Ok(())
    }

    /// Makes the nodes that died those of the list: all members that were not heard of, as far as those
    /// who run may speak for the cluster. What these were to publish is published by others; their sessions
    /// go on at others only where more than half of the cluster runs, which `may_adopt` says. `is_alone`:
    /// there is no other member, so nobody is waited for.
    ///
    /// # Errors
    ///
    /// The lanes are not open.
    pub fn cluster_lost(
        &self,
        names: Vec<String>,
        may_adopt: bool,
        is_alone: bool,
    ) -> Result<(), NodeError> {
        self.cluster()?.set_lost(names, may_adopt, is_alone);
        Ok(())
    }

    /// Offers sessions of clients that are away to another node that runs, at most that many. It takes
    /// those that it can have; they stay here until it has stored them.
    ///
    /// # Errors
    ///
    /// The lanes are not open.
    pub fn cluster_leave_for(&self, node: &str, most: u32) -> Result<(), NodeError> {
        self.cluster()?.leave_for(node, most);
        Ok(())
    }

    /// Who else keeps the sessions of this node; nobody where there is no cluster.
    #[must_use]
    pub fn cluster_partner(&self) -> PartnerStatus {
        self.cluster().map(|cluster| cluster.partner()).unwrap_or_default()
    }

    /// How it stands with each of the other nodes; nothing where there is no cluster.
    #[must_use]
    pub fn cluster_status(&self) -> Vec<PeerStatus> {
        self.cluster().map(|cluster| cluster.status()).unwrap_or_default()
    }

    /// Closes the lanes for good. May be called twice.
    pub fn cluster_close(&self) {
        if let Ok(cluster) = self.cluster() {
            cluster.close();
        }
    }

    fn cluster(&self) -> Result<Arc<Cluster>, NodeError> {
        lock(&self.cluster).clone().ok_or_else(|| NodeError::Config {
            path: "cluster".to_owned(),
            detail: "the lanes of this node are not open".to_owned(),
        })
    }

    /// Subscriptions changed outside of a worker's turn.
    pub(super) fn tell_cluster(&self) {
        if self.shared.router.has_route_changes(Feed::Nodes)
            && let Ok(cluster) = self.cluster()
        {
            cluster.wake();
        }
    }
}
