//! Lists of topic filters, retained and delayed messages for the management plane.
//!
//! They are filtered and sorted by the thread that asks: what workers share is read a part at a time
//! under its lock, what a worker has alone comes a slice at a time.

use std::cmp::Ordering;
use std::sync::Arc;

use rookery_core::message::Message;
use rookery_core::retained::RetainedCursor;

use super::Node;
use super::queries::{Page, directed, keep_sorted};
use super::top::Cut;
use crate::api::NodeError;
use crate::scan::{Delayed, What};

/// Filters or retained messages read under one hold of a lock.
const BATCH: usize = 256;

/// Which topic filters are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicQuery {
    /// A part of the filter.
    pub like: Option<Box<str>>,
    /// Whether they are sorted; otherwise they come as they lie in memory.
    pub is_sorted: bool,
    /// Whether the order is reversed.
    pub is_descending: bool,
}

/// Which messages are wanted; what is not set is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageQuery {
    /// Whose topic this filter matches.
    pub filter: Option<Box<str>>,
    /// A part of the topic.
    pub like_topic: Option<Box<str>>,
    /// A part of the identifier of the client that published it.
    pub like_client_id: Option<Box<str>>,
    /// Published with this QoS.
    pub qos: Option<u8>,
    /// The order; none = the one that the list has by itself.
    pub sort: Option<MessageSort>,
    /// Whether the order is reversed.
    pub is_descending: bool,
}

/// What messages can be sorted by.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum MessageSort {
    /// Topic name.
    Topic,
    /// QoS as published.
    Qos,
    /// Who published it.
    ClientId,
    /// The user name of that client.
    Username,
    /// When it was taken.
    PublishedAt,
    /// When it goes out; a message that is not delayed has no such time.
    DueAt,
}

impl MessageSort {
    /// Which of two stands first, each with the time at which it goes out.
    fn compare(self, a: (u64, &Message), b: (u64, &Message)) -> Ordering {
        let ((a_due, a), (b_due, b)) = (a, b);
        let by_this = match self {
            Self::Topic => a.topic().cmp(b.topic()),
            Self::Qos => (a.qos as u8).cmp(&(b.qos as u8)),
            Self::ClientId => a.from.client_id.cmp(&b.from.client_id),
            Self::Username => a.from.username.cmp(&b.from.username),
            Self::PublishedAt => a.timestamp_ms.cmp(&b.timestamp_ms),
            Self::DueAt => a_due.cmp(&b_due),
        };
        by_this.then_with(|| a.topic().cmp(b.topic())).then_with(|| a.id.cmp(&b.id))
    }
}

impl MessageQuery {
    /// Whether a message is wanted, whatever its topic is matched by.
    fn accepts(&self, message: &Message) -> bool {
        let holds = |part: &Option<Box<str>>, text: &str| {
            part.as_deref().is_none_or(|part| text.contains(part))
        };
        self.qos.is_none_or(|qos| message.qos as u8 == qos)
            && holds(&self.like_topic, message.topic())
            && holds(&self.like_client_id, &message.from.client_id)
    }

    /// Whether messages are counted without a look at each.
    fn takes_all(&self) -> bool {
        *self == Self::default()
    }
}

impl Node {
    /// Topic filters that somebody subscribed to, `limit` of them behind `offset`.
    ///
    /// # Errors
    ///
    /// Too many lists are being made.
    pub fn topics_page(
        &self,
        query: &TopicQuery,
        offset: usize,
        limit: usize,
    ) -> Result<Page<String>, NodeError> {
        let _turn = self.scans.begin()?;
        let order = |a: &String, b: &String| directed(a.cmp(b), query.is_descending);
        let mut cut = Cut::new(offset, limit, query.is_sorted.then_some(order));
        let mut from = None;
        loop {
            let page = self.shared.router.list_filters(from, BATCH);
            for (filter, _) in page.filters {
                if query.like.as_deref().is_none_or(|part| filter.contains(part)) {
                    cut.push(filter);
                }
            }
            from = page.next;
            let is_enough = query.like.is_none() && cut.is_full();
            if from.is_none() || is_enough {
                let (rows, seen) = cut.into_page(offset);
                let count = if is_enough { self.shared.router.topics().max(seen) } else { seen };
                return Ok(Page { rows, count });
            }
        }
    }

    /// Whether somebody subscribed to a topic filter.
    #[must_use]
    pub fn has_topic(&self, filter: &str) -> bool {
        self.shared.router.has_filter(filter)
    }

    /// Retained messages that are wanted, `limit` of them behind `offset`.
    ///
    /// # Errors
    ///
    /// Too many lists are being made.
    pub fn retained_page(
        &self,
        query: &MessageQuery,
        offset: usize,
        limit: usize,
    ) -> Result<Page<Arc<Message>>, NodeError> {
        let _turn = self.scans.begin()?;
        let order = query.sort.map(|sort| {
            move |a: &Arc<Message>, b: &Arc<Message>| {
                directed(sort.compare((0, a), (0, b)), query.is_descending)
            }
        });
        let mut cut = Cut::new(offset, limit, order);
        let unix_ms = self.clock.now().unix_ms;
        let mut cursor = RetainedCursor::default();
        let mut found = Vec::new();
        loop {
            let more = self.scan_retained(query.filter.as_deref(), &mut cursor, &mut found);
            for message in found.drain(..).filter(|m| !m.is_expired(unix_ms)) {
                if query.accepts(&message) {
                    cut.push(message);
                }
            }
            let is_enough = more && query.takes_all() && cut.is_full();
            if !more || is_enough {
                let (rows, seen) = cut.into_page(offset);
                let count = if is_enough { self.shared.retained.len().max(seen) } else { seen };
                return Ok(Page { rows, count });
            }
        }
    }

    pub(super) fn scan_retained(
        &self,
        filter: Option<&str>,
        cursor: &mut RetainedCursor,
        found: &mut Vec<Arc<Message>>,
    ) -> bool {
        match filter {
            Some(filter) => self.shared.retained.scan(filter, cursor, BATCH, found),
            None => self.shared.retained.scan_all(cursor, BATCH, found),
        }
    }

    /// The retained message of a topic.
    #[must_use]
    pub fn retained(&self, topic: &str) -> Option<Arc<Message>> {
        let unix_ms = self.clock.now().unix_ms;
        self.shared.retained.get(topic).filter(|message| !message.is_expired(unix_ms))
    }

    /// Delayed messages that are wanted, the next one first unless another order is: `limit` of
    /// them behind `offset`, each with its time in ms since 1970. `query.filter` is not looked at.
    ///
    /// # Errors
    ///
    /// As for [`Node::clients_page`].
    pub fn delayed_page(
        &self,
        query: &MessageQuery,
        offset: usize,
        limit: usize,
    ) -> Result<Page<Delayed>, NodeError> {
        let mut waiting = Vec::new();
        for (now, found) in self.all_delayed()? {
            let to_unix = |due_ms: u64| (now.unix_ms + due_ms).saturating_sub(now.mono_ms);
            let wanted = found.into_iter().filter(|(_, message)| query.accepts(message));
            waiting.extend(wanted.map(|(due_ms, message)| (to_unix(due_ms), message)));
        }
        waiting.sort_unstable_by_key(|(due_ms, message)| (*due_ms, message.id));
        // A heap moves while it is looked through: one may have been seen twice.
        waiting.dedup_by_key(|(_, message)| message.id);
        let count = waiting.len();
        if query.sort.is_some() || query.is_descending {
            let sort = query.sort.unwrap_or(MessageSort::DueAt);
            keep_sorted(&mut waiting, offset, limit, |a: &Delayed, b: &Delayed| {
                directed(sort.compare((a.0, &a.1), (b.0, &b.1)), query.is_descending)
            });
        }
        Ok(Page { rows: waiting.into_iter().skip(offset).take(limit).collect(), count })
    }

    pub(super) fn all_delayed(
        &self,
    ) -> Result<Vec<(rookery_core::ids::Now, Vec<Delayed>)>, NodeError> {
        let turn = self.scans.begin()?;
        self.ask_all(&turn, |reply| What::Delayed { next: 0, found: Vec::new(), reply })
    }
}
