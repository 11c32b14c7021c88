//! Lists of topic filters, retained and delayed messages for the management plane.
//!
//! They are filtered and sorted by the thread that asks: what workers share is read a part at a time
//! under its lock, what a worker has alone comes a slice at a time.

use std::sync::Arc;

use rookery_core::message::Message;
use rookery_core::retained::RetainedCursor;
use rookery_core::sorting::SortBy;

use super::Node;
use super::queries::Page;
use super::top::{Cut, Top};
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
    /// Where a message stands, with the time at which it goes out.
    fn sort_by(self, due_ms: u64, message: &Message) -> SortBy<'_> {
        let (topic, id) = (message.topic(), message.id.0);
        let number = match self {
            Self::Topic => return SortBy::texts(topic, "", id),
            Self::ClientId => return SortBy::texts(&message.from.client_id, topic, id),
            Self::Username => return SortBy::name(message.from.username.as_deref(), topic, id),
            Self::Qos => u64::from(message.qos as u8),
            Self::PublishedAt => message.timestamp_ms,
            Self::DueAt => due_ms,
        };
        SortBy::number(number, topic, "", id)
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
        if query.is_sorted {
            let mut top = Top::new(offset, limit, query.is_descending);
            self.walk_filters(query, |filter| {
                top.push(&SortBy::texts(&filter, "", 0), || ());
                false
            });
            let (rows, count) = top.into_page(offset, |by, ()| by.first.to_owned());
            return Ok(Page { rows, count });
        }
        let (mut rows, mut seen) = (Vec::new(), 0);
        let is_whole = self.walk_filters(query, |filter| {
            if seen >= offset && rows.len() < limit {
                rows.push(filter);
            }
            seen += 1;
            query.like.is_none() && rows.len() >= limit
        });
        let count = if is_whole { seen } else { self.shared.router.topics().max(seen) };
        Ok(Page { rows, count })
    }

    /// Calls for each filter that is wanted, until it says that it is enough; whether that was all.
    fn walk_filters(&self, query: &TopicQuery, mut is_enough: impl FnMut(String) -> bool) -> bool {
        let is_wanted =
            |filter: &String| query.like.as_deref().is_none_or(|part| filter.contains(part));
        let mut from = None;
        loop {
            let page = self.shared.router.list_filters(from, BATCH);
            let mut is_over = false;
            for filter in page.filters.into_iter().map(|(filter, _)| filter).filter(is_wanted) {
                is_over |= is_enough(filter);
            }
            from = page.next;
            if from.is_none() {
                return true;
            }
            if is_over {
                return false;
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
        let mut cut = Cut::new(offset, limit, query.sort.map(|_| query.is_descending));
        let unix_ms = self.clock.now().unix_ms;
        let mut cursor = RetainedCursor::default();
        let mut found = Vec::new();
        loop {
            let more = self.scan_retained(query.filter.as_deref(), &mut cursor, &mut found);
            for message in found.drain(..).filter(|m| !m.is_expired(unix_ms)) {
                if query.accepts(&message) {
                    let by = query.sort.map(|sort| sort.sort_by(0, &message));
                    cut.push(&by.unwrap_or_default(), || message.clone());
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
        if query.sort.is_some() || query.is_descending {
            let sort = query.sort.unwrap_or(MessageSort::DueAt);
            let mut top = Top::new(offset, limit, query.is_descending);
            for delayed in &waiting {
                top.push(&sort.sort_by(delayed.0, &delayed.1), || delayed.clone());
            }
            let (rows, count) = top.into_page(offset, |_, delayed| delayed);
            return Ok(Page { rows, count });
        }
        let count = waiting.len();
        Ok(Page { rows: waiting.into_iter().skip(offset).take(limit).collect(), count })
    }

    pub(super) fn all_delayed(
        &self,
    ) -> Result<Vec<(rookery_core::ids::Now, Vec<Delayed>)>, NodeError> {
        let turn = self.scans.begin()?;
        self.ask_all(&turn, |reply| What::Delayed { next: 0, found: Vec::new(), reply })
    }
}
