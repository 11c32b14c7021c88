//! Links to other clusters.

use std::collections::BTreeSet;

use rookery_core::config::BrokerConfig;

use super::Node;
use crate::api::NodeError;
use crate::links::{LinkConfig, LinkStatus};

impl Node {
    /// Makes the links those of the list: what is gone is closed, what changed connects anew, what
    /// is the same goes on. `incarnation` rises with every start of the node.
    ///
    /// # Errors
    ///
    /// A link that cannot be, or the node is stopping; then nothing changes.
    pub fn apply_links(
        &self,
        cluster: &str,
        node: &str,
        incarnation: u64,
        links: Vec<LinkConfig>,
    ) -> Result<(), NodeError> {
        self.check_running()?;
        self.links.apply(cluster, node, incarnation, links, |gate| {
            self.change_config(|current| BrokerConfig { links: gate, ..current.clone() })
        })
    }

    /// How it stands with each link.
    #[must_use]
    pub fn links_status(&self) -> Vec<LinkStatus> {
        self.links.status()
    }

    /// The topic filters that the other cluster of a link wants, as far as they are known here.
    /// Looks at all subscriptions.
    #[must_use]
    pub fn links_routes(&self, name: &str) -> BTreeSet<Box<str>> {
        self.shared.links.routes(&self.shared.router, name)
    }

    /// Sets the counters of a link to zero.
    ///
    /// # Errors
    ///
    /// There is no such link.
    pub fn links_reset(&self, name: &str) -> Result<(), NodeError> {
        let found = self.links.reset(name);
        found.then_some(()).ok_or_else(|| NodeError::Config {
            path: "cluster.links".to_owned(),
            detail: format!("there is no link {name:?}"),
        })
    }

    /// Tries a link once, beside one that stands: the reason if it does not work. Waits for it.
    ///
    /// # Errors
    ///
    /// Links were not applied before, or the link cannot be.
    pub fn links_probe(&self, link: &LinkConfig) -> Result<Option<String>, NodeError> {
        self.check_running()?;
        self.links.probe(link)
    }
}
