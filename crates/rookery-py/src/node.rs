//! The class `Node`: each method converts, calls and converts back.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};
use rookery_codec::ReasonCode;
use rookery_core::config::Redirect;
use rookery_node::api::NodeError;
use rookery_node::cluster::{ClusterConfig, MutualTlsConfig};

use crate::actions::{ActionHub, MadeOf};
use crate::answers::{self, AnswerRow, PublishRow};
use crate::error::{from_node, native};
use crate::plugins::PluginBridge;
use crate::queries::{self, FilterRow, Rows};
use crate::rules::{self, AroundRow, ColumnRow, RuleRow};
use crate::{access, cluster, config, links, observe, rows};

/// A broker node of this process.
#[pyclass(frozen, module = "rookery._native")]
pub(crate) struct Node {
    /// `None` only while it is dropped.
    inner: Option<rookery_node::Node>,
    /// The process that owns the threads.
    pid: u32,
}

impl Node {
    /// The node, unless this process is a fork of the one that started it: its threads are not
    /// here, a call would wait for them for ever.
    fn inner(&self) -> PyResult<&rookery_node::Node> {
        let here = std::process::id();
        if here != self.pid {
            let text =
                format!("this node belongs to process {}, a fork ({here}) cannot use it", self.pid);
            return Err(native("forked", text));
        }
        self.inner.as_ref().ok_or_else(|| native("stopping", "the node is gone".into()))
    }

    /// Calls the node without holding the interpreter.
    fn call<T: Send>(
        &self,
        py: Python<'_>,
        what: impl FnOnce(&rookery_node::Node) -> Result<T, NodeError> + Send,
    ) -> PyResult<T> {
        let inner = self.inner()?;
        py.detach(|| what(inner)).map_err(from_node)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Stopping joins threads; in a fork they do not exist and the join would never end.
        if std::process::id() != self.pid {
            std::mem::forget(self.inner.take());
        }
    }
}

#[pymethods]
impl Node {
    /// Opens the store, recovers it, binds every listener and starts the worker threads.
    #[staticmethod]
    fn open(py: Python<'_>, config: &Bound<'_, PyAny>) -> PyResult<Self> {
        let config = config::node(config)?;
        let inner = py.detach(|| rookery_node::Node::open(config)).map_err(from_node)?;
        Ok(Self { inner: Some(inner), pid: std::process::id() })
    }

    /// Lets clients in; may be called twice.
    fn accept(&self, py: Python<'_>) -> PyResult<()> {
        self.call(py, |node| {
            node.accept();
            Ok(())
        })
    }

    /// Tells clients, closes connections, writes queues; may be called twice.
    fn stop(&self, py: Python<'_>, grace_s: f64) -> PyResult<()> {
        let grace = Duration::try_from_secs_f64(grace_s)
            .map_err(|error| native("config", format!("grace_s: {error}")))?;
        self.call(py, |node| node.stop(grace))
    }

    /// `ListenerRow` of each listener.
    fn listeners<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let listeners = self.inner()?.listeners();
        listeners.iter().map(|listener| rows::listener(py, listener)).collect()
    }

    /// Makes the listeners those of the list; `ListenerOutcomeRow` of each.
    fn apply_listeners<'py>(
        &self,
        py: Python<'py>,
        listeners: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let wanted = listeners.iter().map(config::listener).collect::<PyResult<_>>()?;
        let outcomes = self.call(py, |node| node.apply_listeners(wanted))?;
        outcomes.iter().map(|(id, outcome)| rows::listener_outcome(py, id, outcome)).collect()
    }

    /// Disconnects the clients of a listener and starts it anew.
    fn restart_listener(&self, py: Python<'_>, listener_id: &str) -> PyResult<()> {
        self.call(py, |node| node.restart_listener(listener_id))
    }

    /// Reads certificates again; `CertificateOutcomeRow` of each listener that has some.
    fn reload_certificates<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let outcomes = self.call(py, |node| Ok(node.reload_certificates()))?;
        outcomes.iter().map(|(id, outcome)| rows::certificate_outcome(py, id, outcome)).collect()
    }

    /// `CertificateRow` of each certificate in use.
    fn certificates<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let certificates = self.call(py, |node| Ok(node.certificates()))?;
        certificates.iter().map(|certificate| rows::certificate_info(py, certificate)).collect()
    }

    /// `RecoveryRow`.
    fn recovery<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        rows::recovery(py, self.inner()?.recovery())
    }

    /// Publishes; the message's id and the number of sessions it went to.
    fn publish(&self, py: Python<'_>, request: PublishRow) -> PyResult<(u128, usize)> {
        let request = answers::publish_request(&request);
        let outcome = self.call(py, |node| node.publish(request))?;
        Ok((outcome.id, outcome.matched))
    }

    /// Publishes without an answer.
    fn publish_many(&self, py: Python<'_>, requests: Vec<PublishRow>) -> PyResult<()> {
        let requests = requests.iter().map(answers::publish_request).collect();
        self.call(py, |node| node.publish_many(requests))
    }

    /// Subscribes this process; deliveries carry the slot returned.
    fn subscribe(&self, py: Python<'_>, topic_filter: &str, qos: u8) -> PyResult<u32> {
        self.call(py, |node| node.subscribe(topic_filter, qos))
    }

    /// Ends a subscription of this process.
    fn unsubscribe(&self, py: Python<'_>, slot: u32) -> PyResult<()> {
        self.call(py, |node| {
            node.unsubscribe(slot);
            Ok(())
        })
    }

    /// Ends a client's connection and session; whether it was there.
    fn kick(&self, py: Python<'_>, client_id: &str) -> PyResult<bool> {
        self.call(py, |node| node.kick(client_id))
    }

    /// A page of `ClientRow`s and the cursor of the next one, 0 at the end.
    fn clients<'py>(
        &self,
        py: Python<'py>,
        cursor: u64,
        limit: usize,
    ) -> PyResult<(Vec<Bound<'py, PyTuple>>, u64)> {
        let (page, next) = self.call(py, |node| node.clients(cursor, limit))?;
        let page: PyResult<_> = page.iter().map(|client| rows::client(py, client)).collect();
        Ok((page?, next))
    }

    /// `ClientRow` of one client.
    fn client<'py>(
        &self,
        py: Python<'py>,
        client_id: &str,
    ) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let found = self.call(py, |node| node.client(client_id))?;
        found.map(|client| rows::client(py, &client)).transpose()
    }

    /// `SubscriptionRow`s of one client.
    fn subscriptions<'py>(
        &self,
        py: Python<'py>,
        client_id: &str,
    ) -> PyResult<Option<Vec<Bound<'py, PyTuple>>>> {
        let found = self.call(py, |node| node.subscriptions(client_id))?;
        let all = |subs: Vec<_>| subs.iter().map(|sub| rows::subscription(py, sub)).collect();
        found.map(all).transpose()
    }

    /// Counters by EMQX's metric names.
    fn metrics(&self, py: Python<'_>) -> PyResult<Vec<(&'static str, u64)>> {
        self.call(py, |node| Ok(node.metrics()))
    }

    /// Gauges by EMQX's stats names.
    fn stats(&self, py: Python<'_>) -> PyResult<Vec<(&'static str, u64)>> {
        self.call(py, |node| Ok(node.stats()))
    }

    /// Replaces the settings that can change while the node runs.
    fn apply_config(&self, py: Python<'_>, broker: &Bound<'_, PyAny>) -> PyResult<()> {
        let broker = config::broker(broker)?;
        self.call(py, |node| node.apply_config(broker))
    }

    /// Replaces what is asked and told.
    fn set_hooks(&self, py: Python<'_>, hooks: &Bound<'_, PyAny>) -> PyResult<()> {
        let hooks = config::hooks(hooks)?;
        self.call(py, |node| node.set_hooks(hooks))
    }

    /// The buffers of actions; items that come out of them are made of the types given.
    fn actions(
        &self,
        item: Bound<'_, PyType>,
        json_text: Bound<'_, PyType>,
        undefined: Bound<'_, PyAny>,
    ) -> PyResult<ActionHub> {
        let made_of = MadeOf::new(&item, &json_text, &undefined)?;
        Ok(ActionHub::new(self.inner()?.actions().clone(), made_of))
    }

    /// Opens the way to the worker processes of plugins.
    fn open_plugins(&self, py: Python<'_>) -> PyResult<PluginBridge> {
        self.call(py, rookery_node::Node::open_plugins).map(PluginBridge)
    }

    /// Opens the lanes to other nodes; the port where they are taken.
    #[allow(clippy::too_many_arguments)]
    fn cluster_open(
        &self,
        py: Python<'_>,
        name: String,
        incarnation: u64,
        bind: String,
        secret: Vec<u8>,
        takeover_timeout_ms: u64,
        tls: Option<(PathBuf, PathBuf, PathBuf)>,
    ) -> PyResult<u16> {
        let takeover = std::time::Duration::from_millis(takeover_timeout_ms);
        let tls = tls.map(|(certfile, keyfile, cacertfile)| MutualTlsConfig {
            certfile,
            keyfile,
            cacertfile,
        });
        let config = ClusterConfig { name, incarnation, bind, secret, takeover, tls };
        self.call(py, |node| node.cluster_open(&config))
    }

    /// Makes the other nodes those of the list.
    fn cluster_peers(&self, py: Python<'_>, peers: Vec<Bound<'_, PyAny>>) -> PyResult<()> {
        let peers: Vec<_> = peers.iter().map(cluster::peer).collect::<PyResult<_>>()?;
        self.call(py, |node| node.cluster_peers(peers))
    }

    /// Says which members may run of which nothing was heard yet.
    fn cluster_expect(&self, py: Python<'_>, names: Vec<String>) -> PyResult<()> {
        self.call(py, |node| node.cluster_expect(names))
    }

    /// Makes the nodes that died those of the list.
    fn cluster_lost(
        &self,
        py: Python<'_>,
        names: Vec<String>,
        may_adopt: bool,
        is_alone: bool,
    ) -> PyResult<()> {
        self.call(py, |node| node.cluster_lost(names, may_adopt, is_alone))
    }

    /// Offers sessions of clients that are away to another node.
    fn cluster_leave_for(&self, py: Python<'_>, name: &str, most: u32) -> PyResult<()> {
        self.call(py, |node| node.cluster_leave_for(name, most))
    }

    /// `PeerStatusRow` of each of them.
    fn cluster_status<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let rows = self.call(py, |node| Ok(node.cluster_status()))?;
        rows.into_iter().map(|status| cluster::status(py, status)).collect()
    }

    /// `PartnerStatusRow`.
    fn cluster_partner<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        cluster::partner(py, self.call(py, |node| Ok(node.cluster_partner()))?)
    }

    /// Closes the lanes for good.
    fn cluster_close(&self, py: Python<'_>) -> PyResult<()> {
        self.call(py, |node| {
            node.cluster_close();
            Ok(())
        })
    }

    /// Makes the links to other clusters those of the list.
    fn apply_links(
        &self,
        py: Python<'_>,
        cluster_name: &str,
        node_name: &str,
        incarnation: u64,
        links: Vec<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let links: Vec<_> = links.iter().map(links::link).collect::<PyResult<_>>()?;
        self.call(py, |node| node.apply_links(cluster_name, node_name, incarnation, links))
    }

    /// `LinkStatusRow` of each of them.
    fn links_status<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let rows = self.call(py, |node| Ok(node.links_status()))?;
        rows.into_iter().map(|status| links::status(py, status)).collect()
    }

    /// Sets the counters of a link to zero.
    fn links_reset(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.call(py, |node| node.links_reset(name))
    }

    /// Tries a link once; the reason if it does not work.
    fn links_probe(&self, py: Python<'_>, link: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
        let link = links::link(link)?;
        self.call(py, |node| node.links_probe(&link))
    }

    /// Replaces the bans alone.
    fn apply_bans(&self, py: Python<'_>, bans: Vec<Bound<'_, PyAny>>) -> PyResult<()> {
        let bans = bans.iter().map(access::ban).collect::<PyResult<_>>()?;
        self.call(py, |node| node.apply_bans(bans))
    }

    /// `AclDecisionRow` of what the rules say about somebody.
    #[allow(clippy::too_many_arguments)]
    fn check_acl<'py>(
        &self,
        py: Python<'py>,
        subject: &Bound<'py, PyAny>,
        action: &str,
        topic: &str,
        qos: u8,
        retain: bool,
        after: Option<&str>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let subject = access::subject(subject)?;
        let action = access::action(action, qos, retain)?;
        let decision = self.call(py, |node| node.check_acl(&subject, action, topic, after))?;
        access::decision(py, &decision)
    }

    /// The same for a connected client.
    fn check_client_acl<'py>(
        &self,
        py: Python<'py>,
        client_id: &str,
        action: &str,
        topic: &str,
        qos: u8,
        retain: bool,
    ) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let action = access::action(action, qos, retain)?;
        let decision = self.call(py, |node| node.check_client_acl(client_id, action, topic))?;
        decision.map(|decision| access::decision(py, &decision)).transpose()
    }

    /// Forgets answers about a client's topics, or about those of all clients.
    fn purge_acl_cache(&self, py: Python<'_>, client_id: Option<&str>) -> PyResult<()> {
        self.call(py, |node| node.purge_acl_cache(client_id))
    }

    /// Replaces what is looked at closer.
    fn set_observe(&self, py: Python<'_>, observe: &Bound<'_, PyAny>) -> PyResult<()> {
        let observe = observe::config(observe)?;
        self.call(py, |node| node.set_observe(observe))
    }

    /// `SlowRow` of each of the slowest subscriptions; `forget` empties the list.
    fn slow_subs<'py>(&self, py: Python<'py>, forget: bool) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let found = self.call(py, |node| node.slow_subs(forget))?;
        found.iter().map(|found| observe::slow_row(py, found)).collect()
    }

    /// Replaces all rules.
    fn put_rules(
        &self,
        py: Python<'_>,
        wanted: Vec<RuleRow<'_>>,
        around: AroundRow,
    ) -> PyResult<()> {
        let wanted = wanted.into_iter().map(rules::spec).collect::<PyResult<_>>()?;
        self.call(py, |node| node.put_rules(wanted, rules::around(around)))
    }

    /// `RuleCountsRow` of each rule.
    fn rule_counters<'py>(&self, py: Python<'py>) -> PyResult<Rows<'py>> {
        let counters = self.call(py, |node| Ok(node.rule_counters()))?;
        queries::each(&counters, |(id, counts)| rules::counts(py, id, counts))
    }

    /// Lets a rule count from zero again.
    fn reset_rule_counters(&self, py: Python<'_>, rule_id: &str) -> PyResult<()> {
        self.call(py, |node| node.reset_rule_counters(rule_id))
    }

    /// Gives rules what a source brought in; how many took it.
    fn rule_ingest(
        &self,
        py: Python<'_>,
        source_id: &str,
        columns: Vec<ColumnRow<'_>>,
        json: Vec<(String, String)>,
    ) -> PyResult<usize> {
        let what = rules::from_source(source_id, &columns, &json)?;
        self.call(py, |node| node.happen(what))
    }

    /// Tells rules of an event outside the core; how many took it.
    fn rule_event(
        &self,
        py: Python<'_>,
        name: &str,
        columns: Vec<ColumnRow<'_>>,
        json: Vec<(String, String)>,
    ) -> PyResult<usize> {
        let what = rules::event(name, &columns, &json)?;
        self.call(py, |node| node.happen(what))
    }

    // Lists and operations of the management plane.

    /// `ClientViewRow` of a page of clients, and how many are wanted in all.
    fn clients_page<'py>(
        &self,
        py: Python<'py>,
        query: &Bound<'_, PyAny>,
        offset: usize,
        limit: usize,
    ) -> PyResult<(Rows<'py>, usize)> {
        let query = queries::client_query(query)?;
        let page = self.call(py, |node| node.clients_page(query, offset, limit))?;
        Ok((queries::each(&page.rows, |view| queries::client_view(py, view))?, page.count))
    }

    /// `ClientViewRow` of the clients from a cursor on, and the next cursor.
    fn clients_after<'py>(
        &self,
        py: Python<'py>,
        query: &Bound<'_, PyAny>,
        cursor: u64,
        limit: usize,
    ) -> PyResult<(Rows<'py>, u64)> {
        let query = queries::client_query(query)?;
        let (found, next) = self.call(py, |node| node.clients_after(query, cursor, limit))?;
        Ok((queries::each(&found, |view| queries::client_view(py, view))?, next))
    }

    /// `ClientViewRow` of one client.
    fn client_view<'py>(
        &self,
        py: Python<'py>,
        client_id: &str,
    ) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let found = self.call(py, |node| node.client_view(client_id))?;
        found.map(|view| queries::client_view(py, &view)).transpose()
    }

    /// `SubscriptionViewRow` of a page of subscriptions, and how many are wanted in all.
    fn subscriptions_page<'py>(
        &self,
        py: Python<'py>,
        query: &Bound<'_, PyAny>,
        offset: usize,
        limit: usize,
    ) -> PyResult<(Rows<'py>, usize)> {
        let query = queries::subscription_query(query)?;
        let page = self.call(py, |node| node.subscriptions_page(query, offset, limit))?;
        Ok((queries::each(&page.rows, |view| queries::subscription_view(py, view))?, page.count))
    }

    /// A page of topic filters, and how many there are.
    fn topics_page(
        &self,
        py: Python<'_>,
        query: &Bound<'_, PyAny>,
        offset: usize,
        limit: usize,
    ) -> PyResult<(Vec<String>, usize)> {
        let query = queries::topic_query(query)?;
        let page = self.call(py, |node| node.topics_page(&query, offset, limit))?;
        Ok((page.rows, page.count))
    }

    /// Whether somebody subscribed to a filter.
    fn has_topic(&self, topic_filter: &str) -> PyResult<bool> {
        Ok(self.inner()?.has_topic(topic_filter))
    }

    /// `MessageHeadRow` of a page of retained messages, and how many match.
    fn retained_page<'py>(
        &self,
        py: Python<'py>,
        query: &Bound<'_, PyAny>,
        offset: usize,
        limit: usize,
    ) -> PyResult<(Rows<'py>, usize)> {
        let query = queries::message_query(query)?;
        let page = self.call(py, |node| node.retained_page(&query, offset, limit))?;
        Ok((queries::each(&page.rows, |m| queries::message_head(py, m))?, page.count))
    }

    /// `MessageRow` of the retained message of a topic.
    fn retained<'py>(&self, py: Python<'py>, topic: &str) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let found = self.inner()?.retained(topic);
        found.map(|message| rows::message(py, &message)).transpose()
    }

    /// Keeps the messages of `MessageRow`s as retained ones; how many there was room for.
    fn retain(&self, py: Python<'_>, rows: Vec<Bound<'_, PyTuple>>) -> PyResult<usize> {
        let messages: PyResult<Vec<_>> =
            rows.iter().map(|row| answers::message(row).map(Arc::new)).collect();
        let messages = messages?;
        self.call(py, |node| node.retain(&messages))
    }

    /// Forgets retained messages; how many.
    fn remove_retained(&self, py: Python<'_>, topic_filter: Option<&str>) -> PyResult<usize> {
        self.call(py, |node| node.remove_retained(topic_filter))
    }

    /// Time and `MessageHeadRow` of a page of delayed messages, and how many wait.
    fn delayed_page<'py>(
        &self,
        py: Python<'py>,
        query: &Bound<'_, PyAny>,
        offset: usize,
        limit: usize,
    ) -> PyResult<(Rows<'py>, usize)> {
        let query = queries::message_query(query)?;
        let page = self.call(py, |node| node.delayed_page(&query, offset, limit))?;
        Ok((queries::each(&page.rows, |item| queries::delayed_head(py, item))?, page.count))
    }

    /// Time and `MessageRow` of a delayed message.
    fn delayed<'py>(&self, py: Python<'py>, id: u128) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let found = self.call(py, |node| node.delayed(id))?;
        found.map(|item| queries::delayed(py, &item)).transpose()
    }

    /// Forgets a delayed message; whether it waited.
    fn remove_delayed(&self, py: Python<'_>, id: u128) -> PyResult<bool> {
        self.call(py, |node| node.remove_delayed(id))
    }

    /// Forgets the delayed messages for a topic; how many waited.
    fn remove_delayed_to(&self, py: Python<'_>, topic: &str) -> PyResult<usize> {
        self.call(py, |node| node.remove_delayed_to(topic))
    }

    /// Publishes messages; id and number of sessions of each.
    fn publish_all(
        &self,
        py: Python<'_>,
        requests: Vec<PublishRow>,
    ) -> PyResult<Vec<(u128, usize)>> {
        let requests: Vec<_> = requests.iter().map(answers::publish_request).collect();
        let outcomes = self.call(py, |node| node.publish_all(&requests))?;
        Ok(outcomes.iter().map(|outcome| (outcome.id, outcome.matched)).collect())
    }

    /// Ends connections and sessions; how many were there.
    fn kick_all(&self, py: Python<'_>, client_ids: Vec<String>) -> PyResult<usize> {
        self.call(py, |node| node.kick_all(&client_ids))
    }

    /// Ends connections as `set_redirect` says; how many were there.
    fn move_all(&self, py: Python<'_>, client_ids: Vec<String>) -> PyResult<usize> {
        self.call(py, |node| node.move_all(&client_ids))
    }

    /// Sends clients that connect elsewhere, for a while or for good, or takes them again.
    fn set_redirect(
        &self,
        py: Python<'_>,
        is_on: bool,
        for_good: bool,
        server_reference: Option<String>,
    ) -> PyResult<()> {
        let reason =
            if for_good { ReasonCode::SERVER_MOVED } else { ReasonCode::USE_ANOTHER_SERVER };
        let server_reference = server_reference.map(String::into_boxed_str);
        let redirect = is_on.then_some(Redirect { reason, server_reference });
        self.call(py, |node| node.set_redirect(redirect))
    }

    /// Subscribes for a client; `SubscriptionRow` or reason code of each filter.
    fn subscribe_client<'py>(
        &self,
        py: Python<'py>,
        client_id: &str,
        filters: Vec<FilterRow>,
    ) -> PyResult<Option<Rows<'py>>> {
        let filters = filters.iter().map(queries::filter).collect::<PyResult<_>>()?;
        let made = self.call(py, |node| node.subscribe_client(client_id, filters))?;
        made.map(|made| queries::each(&made, |one| queries::subscribed(py, one))).transpose()
    }

    /// Unsubscribes for a client; the reason code of each filter.
    fn unsubscribe_client(
        &self,
        py: Python<'_>,
        client_id: &str,
        filters: Vec<String>,
    ) -> PyResult<Option<Vec<u8>>> {
        let filters = filters.into_iter().map(String::into_boxed_str).collect();
        let ended = self.call(py, |node| node.unsubscribe_client(client_id, filters))?;
        Ok(ended.map(|codes| codes.iter().map(|code| code.0).collect()))
    }

    /// Gives a connected client another Keep Alive; whether it is connected.
    fn set_keep_alive(&self, py: Python<'_>, client_id: &str, interval_s: u16) -> PyResult<bool> {
        self.call(py, |node| node.set_keep_alive(client_id, interval_s))
    }

    /// `KeptAnswerRow` of the answers that are kept about a client's topics.
    fn acl_cache<'py>(&self, py: Python<'py>, client_id: &str) -> PyResult<Option<Rows<'py>>> {
        let found = self.call(py, |node| node.acl_cache(client_id))?;
        found.map(|all| queries::each(&all, |kept| queries::kept_answer(py, kept))).transpose()
    }

    /// `WaitingMessageRow` of messages on their way to a client, and where to go on.
    #[allow(clippy::type_complexity)]
    fn client_messages<'py>(
        &self,
        py: Python<'py>,
        client_id: &str,
        in_flight: bool,
        after: Option<(u32, u128)>,
        limit: usize,
        bytes_max: usize,
    ) -> PyResult<Option<(Rows<'py>, Option<(u32, u128)>)>> {
        let window = queries::window(in_flight, after, limit, bytes_max);
        let Some(page) = self.call(py, |node| node.client_messages(client_id, window))? else {
            return Ok(None);
        };
        let rows = queries::each(&page.rows, |row| queries::waiting_message(py, row))?;
        Ok(Some((rows, page.next.map(|place| (place.index, place.id)))))
    }

    /// Counts messages of these topics from now on.
    fn count_topics(&self, py: Python<'_>, topics: Vec<String>) -> PyResult<()> {
        self.call(py, |node| node.count_topics(&topics))
    }

    /// `TopicCountsRow` of each topic that is counted.
    fn topic_counts<'py>(&self, py: Python<'py>) -> PyResult<Rows<'py>> {
        let counts = self.inner()?.topic_counts();
        queries::each(&counts, |(topic, sample)| queries::topic_counts(py, topic, sample))
    }

    /// A descriptor that is readable while `drain` has something.
    fn fileno(&self) -> PyResult<i32> {
        Ok(self.inner()?.up_fd())
    }

    /// Takes at most `max` events, without waiting.
    fn drain<'py>(&self, py: Python<'py>, max: usize) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let events = self.inner()?.drain(max);
        events.iter().map(|event| rows::event(py, event)).collect()
    }

    /// Answers questions taken from `drain`.
    fn answer(&self, py: Python<'_>, answers: Vec<AnswerRow<'_>>) -> PyResult<()> {
        let answers = answers.iter().map(answers::answer).collect::<PyResult<_>>()?;
        self.call(py, |node| {
            node.answer(answers);
            Ok(())
        })
    }
}
