//! Access control of a running node: rules and bans are checked before they are handed down, and
//! anybody may ask what the rules say.

use std::net::IpAddr;
use std::sync::PoisonError;
use std::sync::mpsc::channel;

use rookery_core::access::{AccessError, Ban, Explanation, Judge, Subject, checked_topic};
use rookery_core::config::BrokerConfig;
use rookery_core::conn::Action;
use rookery_core::effects::Command;
use rookery_core::rewrite::Rewriter;
use rookery_core::shard::SettingsError;
use rookery_core::shared::Shared;

use super::Node;
use crate::api::NodeError;

/// Whom [`Node::check_acl`] is about.
#[derive(Clone, Debug, Default)]
pub struct AclSubject {
    /// Client identifier.
    pub client_id: String,
    /// User name.
    pub username: Option<String>,
    /// Address.
    pub peerhost: Option<IpAddr>,
    /// Listener, such as `ssl:default`.
    pub listener: String,
    /// Zone.
    pub zone: String,
    /// Common Name of its certificate.
    pub cert_common_name: Option<String>,
    /// Attributes that authentication gave it.
    pub client_attrs: Vec<(Box<str>, Box<str>)>,
    /// Nothing is denied to it.
    pub is_superuser: bool,
}

/// What only the core can judge, before any worker sees it.
pub(super) fn check_settings(shared: &Shared, broker: &BrokerConfig) -> Result<(), NodeError> {
    let check = || -> Result<(), SettingsError> {
        Rewriter::new(&broker.rewrite)?;
        shared.compiled.rules(&broker.authorization)?;
        shared.compiled.bans(&broker.bans)?;
        Ok(())
    };
    check().map_err(refused)
}

/// The error for a setting that the core refuses.
pub(super) fn refused(error: SettingsError) -> NodeError {
    match error {
        SettingsError::Rewrite(error) => NodeError::Config {
            path: format!("rewrite.{}.re", error.index),
            detail: error.source.to_string(),
        },
        SettingsError::Access(AccessError { path, detail }) => NodeError::Config { path, detail },
        other => NodeError::Config { path: String::new(), detail: other.to_string() },
    }
}

impl Node {
    /// Replaces the bans alone, which change oftener than all else; whoever they fit is
    /// disconnected.
    ///
    /// # Errors
    ///
    /// A ban whose address, network or regular expression is none; then nothing changes.
    pub fn apply_bans(&self, bans: Vec<Ban>) -> Result<(), NodeError> {
        self.change_config(|current| BrokerConfig { bans: bans.into(), ..current.clone() })
    }

    /// What the rules say about somebody, connected or not. `after` goes on behind the source of
    /// that name, which was asked and knows nothing.
    ///
    /// # Errors
    ///
    /// The topic breaks a rule of MQTT, or no source has that name.
    pub fn check_acl(
        &self,
        subject: &AclSubject,
        action: Action,
        topic: &str,
        after: Option<&str>,
    ) -> Result<Explanation, NodeError> {
        check_topic(action, topic)?;
        let (authorization, is_sys_open, is_delayed_enabled, links) = {
            let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
            let authorization = config.authorization.clone();
            let links = config.links.clone();
            (authorization, config.sys_topics_open, config.delayed.enable, links)
        };
        let table =
            self.shared.compiled.rules(&authorization).map_err(|error| refused(error.into()))?;
        let from = match after {
            None => 0,
            Some(name) => table.behind(name).ok_or_else(|| NodeError::Config {
                path: "after".into(),
                detail: format!("there is no source {name:?}"),
            })?,
        };
        let judge =
            Judge { table: &table, own: None, is_sys_open, has_hooks: false, links: &links };
        let who = Subject {
            client_id: &subject.client_id,
            username: subject.username.as_deref(),
            peer: subject.peerhost,
            listener: &subject.listener,
            zone: &subject.zone,
            cert_common_name: subject.cert_common_name.as_deref(),
            attrs: &subject.client_attrs,
            is_authenticated: true,
            is_superuser: subject.is_superuser,
            is_local: subject.peerhost.is_some_and(|peer| peer.to_canonical().is_loopback()),
        };
        Ok(judge.explain(from, &who, action, checked_topic(action, topic, is_delayed_enabled)))
    }

    /// The same for a connected client as it is, rules of its authentication included; none when
    /// it is not connected.
    ///
    /// # Errors
    ///
    /// The topic breaks a rule of MQTT, or the node is stopping.
    pub fn check_client_acl(
        &self,
        client_id: &str,
        action: Action,
        topic: &str,
    ) -> Result<Option<Explanation>, NodeError> {
        check_topic(action, topic)?;
        let (reply, answer) = channel();
        let owner = self.shared.shard_of(client_id);
        let (client_id, topic) = (client_id.into(), topic.into());
        self.command(owner, Command::CheckAcl { client_id, action, topic, reply })?;
        self.wait(&answer)
    }

    /// Most connected clients; 0 = no bound.
    pub(super) fn quota_max(&self) -> u64 {
        self.config.read().unwrap_or_else(PoisonError::into_inner).max_connections as u64
    }

    /// Forgets answers about a client's topics, or about those of all clients.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn purge_acl_cache(&self, client_id: Option<&str>) -> Result<(), NodeError> {
        let shards = match client_id {
            Some(client_id) => {
                let owner = self.shared.shard_of(client_id);
                owner..owner + 1
            }
            None => 0..self.shared.shards(),
        };
        for shard in shards {
            self.command(shard, Command::PurgeAclCache { client_id: client_id.map(Box::from) })?;
        }
        Ok(())
    }
}

fn check_topic(action: Action, topic: &str) -> Result<(), NodeError> {
    let checked = match action {
        Action::Publish(..) => rookery_codec::check_topic_name(topic),
        Action::Subscribe(_) => rookery_codec::parse_filter(topic).map(|_| ()),
    };
    checked.map_err(|error| NodeError::Topic(error.to_string()))
}
