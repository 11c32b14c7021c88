//! What a shard asks of those who decide about clients, and what they answer.

use std::sync::Arc;

use rookery_codec::ReasonCode;

use super::{ClientInfo, PeerCertificate, SubscriptionInfo};
use crate::ids::ConnKey;
use crate::message::Message;

/// Number of a question; names the shard, the connection and the order.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct AskId {
    /// The shard that asks.
    pub shard: u16,
    /// The connection it asks for.
    pub conn: ConnKey,
    /// Rises per connection.
    pub number: u32,
}

/// A question that only Python (or another attached process) can answer.
#[derive(Clone, Debug)]
pub enum Question {
    /// `client.authenticate`.
    Authenticate {
        /// Hooks are asked that may leave the decision to what is configured
        /// ([`Verdict::Ignore`]), not the providers.
        is_first: bool,
        /// The client as CONNECT describes it.
        client: Box<ClientInfo>,
        /// Its password.
        password: Option<Box<[u8]>>,
        /// What else it showed.
        detail: AuthDetail,
    },
    /// The next step of enhanced authentication, MQTT-5.0 section 4.12.
    AuthContinue {
        /// The client.
        client: Box<ClientInfo>,
        /// What it showed.
        detail: AuthDetail,
    },
    /// `client.authorize`.
    Authorize {
        /// The source that was reached; none = no source fitted.
        source: Option<Box<str>>,
        /// All that is known of the client.
        client: Box<ClientInfo>,
        /// The client.
        client_id: Arc<str>,
        /// Its user name.
        username: Option<Arc<str>>,
        /// PUBLISH (true) or SUBSCRIBE.
        publish: bool,
        /// Topic name or filter.
        topic: Box<str>,
        /// QoS asked for.
        qos: u8,
        /// Retain flag of a PUBLISH.
        retain: bool,
    },
    /// `message.publish`.
    Publish {
        /// The message as received.
        message: Arc<Message>,
    },
    /// `client.subscribe`.
    Subscribe {
        /// The client.
        client_id: Arc<str>,
        /// What it wants, as it wrote it.
        wanted: Vec<SubscriptionInfo>,
    },
    /// `client.unsubscribe`.
    Unsubscribe {
        /// The client.
        client_id: Arc<str>,
        /// Topic Filters as it wrote them.
        filters: Vec<Box<str>>,
    },
}

/// What hooks say about one filter of a SUBSCRIBE or UNSUBSCRIBE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterVerdict {
    /// This one, in the place of the client's; of UNSUBSCRIBE only the Topic Filter counts.
    Take(SubscriptionInfo),
    /// None: its place gets this reason code.
    Refuse(ReasonCode),
}

/// What a client shows to be admitted, besides user name and password.
#[derive(Clone, Default)]
pub struct AuthDetail {
    /// Port it connected to.
    pub local_port: u16,
    /// Its certificate.
    pub cert: Option<Arc<PeerCertificate>>,
    /// Authentication Method.
    pub method: Option<Box<str>>,
    /// Authentication Data.
    pub data: Option<Box<[u8]>>,
}

impl std::fmt::Debug for AuthDetail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthDetail").field("method", &self.method).finish_non_exhaustive()
    }
}

/// The answer to a [`Question`].
#[derive(Debug)]
pub struct Answer {
    /// Which question.
    pub id: AskId,
    /// What was decided.
    pub verdict: Verdict,
}

/// What a hook decided.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// Go on.
    Allow,
    /// Go on as a superuser (authenticate only).
    AllowSuperuser,
    /// Refuse with this reason code.
    Deny(ReasonCode),
    /// Go on with this message instead (publish only).
    Replace(Arc<Message>),
    /// Take it, deliver to nobody (publish only).
    Drop,
    /// Go on with these filters, one in the place of each of the client's (subscribe and
    /// unsubscribe only).
    Filters(Vec<FilterVerdict>),
    /// Nobody has an opinion: what is configured decides.
    Ignore,
    /// Go on, with what authentication found out (authenticate only).
    Admit(Box<Admittance>),
    /// Ask the client for the next step (authenticate only).
    Continue {
        /// Authentication Data.
        data: Box<[u8]>,
        /// For people.
        reason_string: Option<Box<str>>,
    },
}

/// What authentication found out about a client.
#[derive(Debug, Clone, Default)]
pub struct Admittance {
    /// Nothing is denied to it.
    pub is_superuser: bool,
    /// Attributes, for rules and templates.
    pub client_attrs: Vec<(Box<str>, Box<str>)>,
    /// When its connection ends, ms since 1970.
    pub expire_at_ms: Option<u64>,
    /// Rules of its own, looked at before every source.
    pub acl: Option<Vec<crate::access::AclRule>>,
    /// The client identifier it gets instead of its own.
    pub client_id: Option<Box<str>>,
    /// Last Authentication Data.
    pub auth_data: Option<Box<[u8]>>,
}
