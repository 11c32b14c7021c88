//! What the management plane does to clients and messages.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, PoisonError};

use rookery_codec::{ReasonCode, SubscriptionOptions};
use rookery_core::config::{BrokerConfig, Redirect};
use rookery_core::effects::{Command, SubscriptionInfo};
use rookery_core::ids::Now;
use rookery_core::message::Message;
use rookery_core::operation::{KeptAnswer, MessagePlace, Operation, WaitingMessage};
use rookery_core::query::ClientView;
use rookery_core::retained::RetainedCursor;
use rookery_core::topic_counts::{TopicSample, TopicTable};

use super::{Node, lock};
use crate::api::{NodeError, PublishOutcome, PublishRequest};
use crate::scan::Delayed;

/// Filters that a worker takes in one turn.
const FILTERS_PER_TURN: usize = 256;
/// Clients that are ended in one turn.
const KICKS_PER_TURN: usize = 64;
/// Messages that a worker takes from the management plane in one turn.
const MESSAGES_PER_TURN: usize = 256;

/// Messages on their way to a client.
#[derive(Clone, Debug, Default)]
pub struct MessagePage {
    /// The messages, next first, each with the QoS of its delivery, its place and its priority.
    pub rows: Vec<MessageRow>,
    /// Where to go on; none at the end.
    pub next: Option<MessagePlace>,
}

/// One message on its way to a client.
#[derive(Clone, Debug)]
pub struct MessageRow {
    /// The message.
    pub message: Arc<Message>,
    /// QoS of the delivery.
    pub qos: u8,
    /// Where it lies.
    pub place: MessagePlace,
    /// Its priority in the queue.
    pub priority: u8,
}

/// Which messages on their way to a client are wanted.
#[derive(Copy, Clone, Debug)]
pub struct MessageWindow {
    /// Those in flight, else those queued.
    pub in_flight: bool,
    /// The message behind which to go on.
    pub after: Option<MessagePlace>,
    /// Most messages.
    pub limit: usize,
    /// Most bytes of payloads; the first message comes in any case.
    pub bytes_max: usize,
}

impl Node {
    /// A client, connected or not.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn client_view(&self, client_id: &str) -> Result<Option<ClientView>, NodeError> {
        self.operate(client_id, |client_id, reply| Operation::View { client_id, reply })
    }

    /// Ends connections and sessions of clients; how many were there.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn kick_all(&self, client_ids: &[String]) -> Result<usize, NodeError> {
        self.end_all(client_ids, |client_id, reply| Command::Kick { client_id, reply })
    }

    /// Sends clients that connect from now on elsewhere, or takes them again.
    ///
    /// # Errors
    ///
    /// The node stops meanwhile.
    pub fn set_redirect(&self, redirect: Option<Redirect>) -> Result<(), NodeError> {
        let redirect = redirect.map(Arc::new);
        self.change_config(|current| BrokerConfig { redirect, ..current.clone() })
    }

    /// Ends connections of clients as [`Node::set_redirect`] says; how many were connected. Sessions
    /// stay as when a connection breaks.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn move_all(&self, client_ids: &[String]) -> Result<usize, NodeError> {
        self.end_all(client_ids, |client_id, reply| Command::Move { client_id, reply })
    }

    fn end_all(
        &self,
        client_ids: &[String],
        command: impl Fn(Box<str>, Sender<bool>) -> Command,
    ) -> Result<usize, NodeError> {
        let (reply, answers) = channel();
        let mut ended = 0;
        for part in client_ids.chunks(KICKS_PER_TURN) {
            for client_id in part {
                let command = command(client_id.as_str().into(), reply.clone());
                self.command(self.shared.shard_of(client_id), command)?;
            }
            for _ in part {
                ended += usize::from(self.wait(&answers)?);
            }
        }
        Ok(ended)
    }

    /// Subscribes for a client; what became of each filter. `None`: there is no such client.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn subscribe_client(
        &self,
        client_id: &str,
        filters: Vec<(Box<str>, SubscriptionOptions)>,
    ) -> Result<Option<Vec<Result<SubscriptionInfo, ReasonCode>>>, NodeError> {
        let mut done = Vec::with_capacity(filters.len());
        for part in filters.chunks(FILTERS_PER_TURN) {
            let made = self.operate(client_id, |client_id, reply| Operation::Subscribe {
                client_id,
                filters: part.to_vec(),
                reply,
            })?;
            let Some(made) = made else { return Ok(None) };
            done.extend(made);
        }
        Ok(Some(done))
    }

    /// Unsubscribes for a client; what became of each filter. `None`: there is no such client.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn unsubscribe_client(
        &self,
        client_id: &str,
        filters: Vec<Box<str>>,
    ) -> Result<Option<Vec<ReasonCode>>, NodeError> {
        let mut done = Vec::with_capacity(filters.len());
        for part in filters.chunks(FILTERS_PER_TURN) {
            let ended = self.operate(client_id, |client_id, reply| Operation::Unsubscribe {
                client_id,
                filters: part.to_vec(),
                reply,
            })?;
            let Some(ended) = ended else { return Ok(None) };
            done.extend(ended);
        }
        Ok(Some(done))
    }

    /// Gives a connected client another Keep Alive; false when it is not connected.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn set_keep_alive(&self, client_id: &str, interval_s: u16) -> Result<bool, NodeError> {
        self.operate(client_id, |client_id, reply| Operation::KeepAlive {
            client_id,
            interval_s,
            reply,
        })
    }

    /// Answers about a client's topics that are kept. `None`: there is no such client.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn acl_cache(&self, client_id: &str) -> Result<Option<Vec<KeptAnswer>>, NodeError> {
        self.operate(client_id, |client_id, reply| Operation::AclCache { client_id, reply })
    }

    /// Messages on their way to a client. `None`: there is no such client. One whose bytes cannot
    /// be read from the log is left out.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn client_messages(
        &self,
        client_id: &str,
        window: MessageWindow,
    ) -> Result<Option<MessagePage>, NodeError> {
        let MessageWindow { in_flight, after, limit, bytes_max } = window;
        let slice = self.operate(client_id, |client_id, reply| Operation::Messages {
            client_id,
            in_flight,
            after,
            limit,
            reply,
        })?;
        let Some(slice) = slice else { return Ok(None) };
        let store = lock(&self.store).clone();
        let mut page = MessagePage::default();
        let (mut bytes, mut is_cut, mut last) = (0, false, None);
        for waiting in slice.messages {
            let (place, qos, priority) = (waiting.place, waiting.qos, waiting.priority);
            let Some(message) = body_of(waiting, store.as_ref()) else { continue };
            bytes += message.payload().len();
            if bytes > bytes_max && !page.rows.is_empty() {
                is_cut = true;
                break;
            }
            page.rows.push(MessageRow { message, qos, place, priority });
            last = Some(place);
        }
        page.next = last.filter(|_| is_cut || slice.has_more);
        Ok(Some(page))
    }

    /// Publishes messages; what became of each, in their order.
    ///
    /// # Errors
    ///
    /// A topic is no topic name or a message is too large: then none is sent. Or the node is
    /// stopping.
    pub fn publish_all(
        &self,
        requests: &[PublishRequest],
    ) -> Result<Vec<PublishOutcome>, NodeError> {
        let messages: Result<Vec<_>, _> = requests.iter().map(|r| self.message(r)).collect();
        let mut messages = messages?.into_iter();
        let mut outcomes = Vec::with_capacity(requests.len());
        for part in requests.chunks(MESSAGES_PER_TURN) {
            let mut sent = Vec::with_capacity(part.len());
            for (request, message) in part.iter().zip(messages.by_ref()) {
                let (reply, answer) = channel();
                sent.push((message.id.0, answer));
                let owner = self.shared.shard_of(&request.client_id);
                let (message, reply) = (Box::new(message), Some(reply));
                self.command(owner, Command::Publish { message, reply })?;
            }
            for (id, answer) in sent {
                outcomes.push(PublishOutcome { id, matched: self.wait(&answer)? });
            }
        }
        Ok(outcomes)
    }

    /// Forgets the retained messages whose topic matches a filter (none: all); how many.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn remove_retained(&self, filter: Option<&str>) -> Result<usize, NodeError> {
        let mut cursor = RetainedCursor::default();
        let mut removed = 0;
        loop {
            let mut messages = Vec::new();
            let more = self.scan_retained(filter, &mut cursor, &mut messages);
            if !messages.is_empty() {
                let (reply, answer) = channel();
                self.order(0, Operation::RemoveRetained { messages, reply })?;
                removed += self.wait(&answer)?;
            }
            if !more {
                return Ok(removed);
            }
        }
    }

    /// Keeps messages as the retained ones of their topics, with the bounds of the retainer, and
    /// tells no subscriber; how many there was room for.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn retain(&self, messages: &[Arc<Message>]) -> Result<usize, NodeError> {
        let mut kept = 0;
        for part in messages.chunks(MESSAGES_PER_TURN) {
            let (reply, answer) = channel();
            self.order(0, Operation::Retain { messages: part.to_vec(), reply })?;
            kept += self.wait(&answer)?;
        }
        Ok(kept)
    }

    /// A delayed message and its time in ms since 1970.
    ///
    /// # Errors
    ///
    /// The node is stopping, or too many lists are being made.
    pub fn delayed(&self, id: u128) -> Result<Option<Delayed>, NodeError> {
        for (now, found) in self.all_delayed()? {
            if let Some((due_ms, message)) = found.into_iter().find(|(_, m)| m.id.0 == id) {
                let due_ms = (now.unix_ms + due_ms).saturating_sub(now.mono_ms);
                return Ok(Some((due_ms, message)));
            }
        }
        Ok(None)
    }

    /// Forgets a delayed message; whether it was still waiting.
    ///
    /// # Errors
    ///
    /// As for [`Node::delayed`].
    pub fn remove_delayed(&self, id: u128) -> Result<bool, NodeError> {
        Ok(self.remove_delayed_if(|message| message.id.0 == id)? > 0)
    }

    /// Forgets the delayed messages for a topic name; how many were still waiting.
    ///
    /// # Errors
    ///
    /// As for [`Node::delayed`].
    pub fn remove_delayed_to(&self, topic: &str) -> Result<usize, NodeError> {
        self.remove_delayed_if(|message| message.topic() == topic)
    }

    fn remove_delayed_if(&self, is_meant: impl Fn(&Message) -> bool) -> Result<usize, NodeError> {
        let all: Vec<(Now, Vec<Delayed>)> = self.all_delayed()?;
        let mut removed = 0;
        for (shard, (_, found)) in (0..).zip(all) {
            let meant: Vec<Delayed> = found.into_iter().filter(|(_, m)| is_meant(m)).collect();
            for part in meant.chunks(FILTERS_PER_TURN) {
                let (reply, answer) = channel();
                self.order(shard, Operation::RemoveDelayed { messages: part.to_vec(), reply })?;
                removed += self.wait(&answer)?;
            }
        }
        Ok(removed)
    }

    /// Counts messages of exactly these topics from now on; those that were counted go on.
    ///
    /// # Errors
    ///
    /// The node is stopping.
    pub fn count_topics(&self, topics: &[String]) -> Result<(), NodeError> {
        let (reply, answers) = channel();
        {
            let mut table = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
            *table = Arc::new(TopicTable::of(topics, &table));
            for shard in 0..self.shared.shards() {
                let topics = (!table.is_empty()).then(|| table.clone());
                self.order(shard, Operation::CountTopics { topics, reply: reply.clone() })?;
            }
        }
        (0..self.shared.shards()).try_for_each(|_| self.wait(&answers))
    }

    /// What was counted of every topic that is counted.
    #[must_use]
    pub fn topic_counts(&self) -> Vec<(String, TopicSample)> {
        let table = self.topics.lock().unwrap_or_else(PoisonError::into_inner).clone();
        table.samples()
    }

    /// Lets the shard of a client carry out an order; its answer.
    fn operate<T>(
        &self,
        client_id: &str,
        make: impl FnOnce(Box<str>, Sender<T>) -> Operation,
    ) -> Result<T, NodeError> {
        let (reply, answer) = channel();
        self.order(self.shared.shard_of(client_id), make(client_id.into(), reply))?;
        self.wait(&answer)
    }

    fn order(&self, shard: u16, operation: Operation) -> Result<(), NodeError> {
        self.command(shard, Command::Operate(Box::new(operation)))
    }
}

/// The message, read from the log when memory does not have it.
fn body_of(waiting: WaitingMessage, store: Option<&rookery_store::Store>) -> Option<Arc<Message>> {
    if waiting.message.is_some() {
        return waiting.message;
    }
    let bytes = store?.read(waiting.seq).ok()??;
    Message::from_bytes(&bytes).map(Arc::new)
}
