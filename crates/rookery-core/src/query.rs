//! What the management plane asks of sessions and subscriptions: who is wanted, in which order,
//! and the rows that come back. A shard looks through its sessions in slices, see `shard/query.rs`.

use std::net::IpAddr;
use std::sync::Arc;

use rookery_codec::{ParsedFilter, filter_matches, parse_filter};

use crate::effects::{ClientInfo, SubscriptionInfo};
use crate::session::{Session, Subscription};
use crate::shard::info_of;
use crate::sorting::SortBy;
use crate::traffic::TrafficCounts;

/// Which clients are wanted; what is not set is not looked at. What is not known of a client is not what
/// was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientQuery {
    /// One of these client identifiers; empty = any.
    pub client_ids: Vec<Box<str>>,
    /// One of these user names; empty = any.
    pub usernames: Vec<Box<str>>,
    /// A part of the client identifier.
    pub like_client_id: Option<Box<str>>,
    /// A part of the user name.
    pub like_username: Option<Box<str>>,
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// Whether a connection stands.
    pub is_connected: Option<bool>,
    /// Clean Start of the latest connection.
    pub clean_start: Option<bool>,
    /// Protocol level.
    pub proto_ver: Option<u8>,
    /// When the session was made, ms since 1970: first and last.
    pub created_ms: (Option<u64>, Option<u64>),
    /// When the latest connection was admitted, ms since 1970: first and last.
    pub connected_ms: (Option<u64>, Option<u64>),
    /// The order; none = as they lie in memory.
    pub sort: Option<ClientSort>,
    /// Whether the order is reversed.
    pub is_descending: bool,
}

/// What clients can be sorted by.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ClientSort {
    /// Client identifier.
    ClientId,
    /// User name.
    Username,
    /// When the session was made.
    CreatedAt,
    /// When the latest connection was admitted.
    ConnectedAt,
    /// When the connection was lost.
    DisconnectedAt,
    /// Messages queued.
    Queued,
    /// Messages dropped from the queue.
    Dropped,
    /// Messages in flight.
    Inflight,
    /// Number of subscriptions.
    Subscriptions,
    /// Keep Alive.
    KeepAlive,
    /// Protocol level.
    ProtocolVersion,
}

/// A client that is wanted.
#[derive(Copy, Clone, Debug)]
pub struct ClientHit {
    /// The slot of its session.
    pub slot: u32,
    /// The slot's generation.
    pub generation: u32,
}

impl ClientQuery {
    /// Whether every client is wanted.
    #[must_use]
    pub fn takes_all(&self) -> bool {
        *self == Self { sort: self.sort, is_descending: self.is_descending, ..Self::default() }
    }

    /// Whether a session is wanted.
    #[must_use]
    pub fn accepts(&self, session: &Session) -> bool {
        let is_between = |(first, last): (Option<u64>, Option<u64>), at: u64| {
            first.is_none_or(|first| at >= first) && last.is_none_or(|last| at <= last)
        };
        let latest = session.latest();
        self.is_connected.is_none_or(|wanted| session.conn.is_some() == wanted)
            && self.clean_start.is_none_or(|wanted| latest.is_some_and(|l| l.clean_start == wanted))
            && self.proto_ver.is_none_or(|wanted| session.proto_ver == wanted)
            && is_between(self.created_ms, session.created_at_ms)
            && (self.connected_ms == (None, None)
                || latest.is_some_and(|l| is_between(self.connected_ms, l.connected_at_ms)))
            && self.ip.is_none_or(|ip| {
                session.meta.known_peer().is_some_and(|peer| peer.ip().to_canonical() == ip)
            })
            && self
                .accepts_names(&session.publisher.client_id, session.publisher.username.as_deref())
    }

    fn accepts_names(&self, client_id: &str, username: Option<&str>) -> bool {
        let is_named =
            |name: Option<&str>| self.usernames.iter().any(|wanted| Some(&**wanted) == name);
        (self.client_ids.is_empty() || self.client_ids.iter().any(|id| **id == *client_id))
            && (self.usernames.is_empty() || is_named(username))
            && self.like_client_id.as_deref().is_none_or(|part| client_id.contains(part))
            && self
                .like_username
                .as_deref()
                .is_none_or(|part| username.is_some_and(|name| name.contains(part)))
    }

    /// Whether client identifiers or user names are looked at.
    #[must_use]
    pub fn looks_at_names(&self) -> bool {
        matches!(self.sort, Some(ClientSort::ClientId | ClientSort::Username))
            || !self.client_ids.is_empty()
            || !self.usernames.is_empty()
            || self.like_client_id.is_some()
            || self.like_username.is_some()
    }
}

impl ClientSort {
    /// Where a session stands.
    #[must_use]
    pub fn sort_by(self, session: &Session) -> SortBy<'_> {
        let (publisher, key) = (&session.publisher, session.key);
        let tie = (u128::from(key.shard) << 32) | u128::from(key.slot);
        let number = match self {
            ClientSort::ClientId => return SortBy::texts(&publisher.client_id, "", tie),
            ClientSort::Username => return SortBy::name(publisher.username.as_deref(), "", tie),
            ClientSort::CreatedAt => session.created_at_ms,
            ClientSort::ConnectedAt => {
                let at_ms = session.latest().map(|latest| latest.connected_at_ms);
                return SortBy::maybe(at_ms, "", "", tie);
            }
            ClientSort::DisconnectedAt => session.disconnected_at_ms,
            ClientSort::Queued => session.queue.len() as u64,
            ClientSort::Dropped => session.dropped,
            ClientSort::Inflight => session.inflight.len() as u64,
            ClientSort::Subscriptions => session.subscriptions.len() as u64,
            ClientSort::KeepAlive => {
                let keep_alive_s = session.latest().map(|latest| latest.keep_alive_s.into());
                return SortBy::maybe(keep_alive_s, "", "", tie);
            }
            ClientSort::ProtocolVersion => u64::from(session.proto_ver),
        };
        SortBy::number(number, "", "", tie)
    }
}

/// All that management may show of a client.
#[derive(Clone, Debug)]
pub struct ClientView {
    /// Who it is and how it stands.
    pub info: ClientInfo,
    /// What its connection received and sent; zero while it is away.
    pub traffic: TrafficCounts,
    /// Most messages in flight to it.
    pub inflight_max: u16,
    /// Most messages queued; 0 = no bound.
    pub mqueue_max: usize,
    /// Most QoS 2 packets waiting for PUBREL; 0 = no bound.
    pub awaiting_rel_max: usize,
    /// Most subscriptions; 0 = no bound.
    pub subscriptions_max: usize,
}

/// Which subscriptions are wanted; what is not set is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionQuery {
    /// Of this client.
    pub client_id: Option<Box<str>>,
    /// With this granted QoS.
    pub qos: Option<u8>,
    /// With this topic filter, as the client wrote it.
    pub topic: Option<Box<str>>,
    /// Whose topic filter this filter matches, or that get messages of this topic.
    pub match_topic: Option<Box<str>>,
    /// Of this shared group.
    pub share_group: Option<Box<str>>,
    /// Whether they are on disk.
    pub is_durable: Option<bool>,
    /// The order; none = as they lie in memory.
    pub sort: Option<SubscriptionSort>,
    /// Whether the order is reversed.
    pub is_descending: bool,
}

/// What subscriptions can be sorted by.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionSort {
    /// Client identifier.
    ClientId,
    /// Topic filter, as the client wrote it.
    Topic,
    /// Granted QoS.
    Qos,
    /// No Local.
    NoLocal,
    /// Retain As Published.
    RetainAsPublished,
    /// Retain Handling.
    RetainHandling,
}

impl SubscriptionSort {
    /// Where a subscription stands; no two of a node are equal.
    #[must_use]
    pub fn sort_by<'a>(
        self,
        client_id: &'a str,
        text: &'a str,
        subscription: Subscription,
    ) -> SortBy<'a> {
        let opts = subscription.opts;
        let number = match self {
            Self::ClientId => return SortBy::texts(client_id, text, 0),
            Self::Topic => return SortBy::texts(text, client_id, 0),
            Self::Qos => opts.qos() as u8,
            Self::NoLocal => u8::from(opts.no_local()),
            Self::RetainAsPublished => u8::from(opts.retain_as_published()),
            Self::RetainHandling => opts.retain_handling(),
        };
        SortBy::number(number.into(), text, client_id, 0)
    }

    /// The subscription that stands there.
    #[must_use]
    pub fn view(self, by: &SortBy<'_>, rest: SubscriptionRest) -> SubscriptionView {
        let (client_id, text) = match self {
            Self::ClientId => (by.first, by.second),
            _ => (by.second, by.first),
        };
        SubscriptionView::new(client_id.into(), text, rest)
    }
}

impl SubscriptionQuery {
    /// Whether a session can have subscriptions that are wanted.
    #[must_use]
    pub fn accepts_session(&self, session: &Session) -> bool {
        self.is_durable.is_none_or(|wanted| (session.durable_id != 0) == wanted)
            && self.client_id.as_deref().is_none_or(|id| *session.publisher.client_id == *id)
    }

    /// Whether every subscription of a session is wanted.
    #[must_use]
    pub fn takes_all_of_session(&self) -> bool {
        self.qos.is_none()
            && self.topic.is_none()
            && self.match_topic.is_none()
            && self.share_group.is_none()
    }

    /// Whether a subscription is wanted.
    #[must_use]
    pub fn accepts(&self, text: &str, subscription: Subscription) -> bool {
        self.qos.is_none_or(|qos| subscription.opts.qos() as u8 == qos)
            && self.topic.as_deref().is_none_or(|topic| topic == text)
            && (self.share_group.is_none() && self.match_topic.is_none() || self.accepts_text(text))
    }

    fn accepts_text(&self, text: &str) -> bool {
        // What has no prefix was checked when somebody subscribed.
        let parsed = if text.starts_with('$') {
            let Ok(parsed) = parse_filter(text) else { return false };
            parsed
        } else {
            ParsedFilter::Plain(text)
        };
        let is_of_group =
            |wanted: &str| matches!(parsed, ParsedFilter::Shared { group, .. } if group == wanted);
        self.share_group.as_deref().is_none_or(is_of_group)
            && self.match_topic.as_deref().is_none_or(|wanted| fits(wanted, parsed.filter()))
    }
}

/// As in EMQX the filter is matched as if it were a topic; a topic name without wildcards also finds
/// the wildcard filters that take it.
fn fits(wanted: &str, filter: &str) -> bool {
    let has_wildcard = |text: &str| text.bytes().any(|byte| matches!(byte, b'+' | b'#'));
    if has_wildcard(wanted) {
        return filter_matches(wanted, filter);
    }
    wanted == filter || (has_wildcard(filter) && filter_matches(filter, wanted))
}

/// Where a look through subscriptions stands.
#[derive(Copy, Clone, Debug, Default)]
pub struct SubscriptionCursor {
    /// The session's slot.
    pub slot: u32,
    /// Subscriptions of it that were looked at.
    pub seen: usize,
}

/// A session with subscriptions that are wanted.
#[derive(Copy, Clone, Debug)]
pub struct SubscriptionHit {
    /// Its slot.
    pub slot: u32,
    /// The slot's generation.
    pub generation: u32,
    /// How many of its subscriptions are wanted.
    pub count: u32,
}

/// What a subscription is apart from its client and its topic filter.
#[derive(Copy, Clone, Debug)]
pub struct SubscriptionRest {
    /// Its options.
    pub subscription: Subscription,
    /// Whether it is on disk.
    pub is_durable: bool,
}

/// A subscription with its client.
#[derive(Clone, Debug)]
pub struct SubscriptionView {
    /// The client.
    pub client_id: Arc<str>,
    /// The subscription.
    pub info: SubscriptionInfo,
    /// Whether it is on disk.
    pub is_durable: bool,
}

impl SubscriptionView {
    /// All of it.
    #[must_use]
    pub fn new(client_id: Arc<str>, text: &str, rest: SubscriptionRest) -> Self {
        let info = info_of(text, rest.subscription);
        Self { client_id, info, is_durable: rest.is_durable }
    }
}

#[cfg(test)]
mod tests {
    use rookery_codec::QoS;

    use super::SubscriptionQuery;
    use crate::router::SubOpts;
    use crate::session::Subscription;

    fn is_found(query: &SubscriptionQuery, text: &str) -> bool {
        let opts = SubOpts::new(QoS::AtLeastOnce, false, false, 0);
        query.accepts(text, Subscription { opts, sub_id: 0 })
    }

    #[test]
    fn a_filter_or_a_topic_finds_subscriptions() {
        let by = |text: &str| SubscriptionQuery {
            match_topic: Some(text.into()),
            ..SubscriptionQuery::default()
        };
        for (wanted, text, is_wanted) in [
            ("t/#", "t/1", true),
            ("t/#", "t/+", true),
            ("t/#", "$share/g/t/1", true),
            ("t/1", "t/+", true),
            ("t/1", "t/2", false),
            ("t/+", "t/#", true),
            ("t/+", "t/1/#", false),
            ("t/1", "t/1", true),
            ("t/1", "$share/g/t/1", true),
            ("t/1", "$share/g/t/+", true),
            ("t/1", "$exclusive/t/1", true),
            ("$SYS/1", "#", false),
            ("$SYS/1", "$SYS/#", true),
            ("t", "t/#", true),
        ] {
            assert_eq!(is_found(&by(wanted), text), is_wanted, "{wanted} {text}");
        }
    }

    #[test]
    fn a_group_finds_its_members_only() {
        let query = SubscriptionQuery { share_group: Some("g".into()), ..Default::default() };
        assert!(is_found(&query, "$share/g/t"));
        assert!(!is_found(&query, "$share/other/t"));
        assert!(!is_found(&query, "t"));
    }
}
