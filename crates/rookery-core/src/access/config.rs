//! Access control as it is configured: plain values, compiled by [`super::AccessTable`].

use std::fmt;

/// Whether a rule, or the end of all rules, lets a client do something.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Permission {
    /// It may.
    #[default]
    Allow,
    /// It may not.
    Deny,
}

/// What a rule is about.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum AclAction {
    /// PUBLISH, wills included.
    Publish,
    /// SUBSCRIBE.
    Subscribe,
    /// Both.
    #[default]
    All,
}

/// What an [`AclWho`] compares.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum AclWhoKind {
    /// Everybody.
    #[default]
    All,
    /// The address of the client; addresses or CIDRs.
    IpAddr,
    /// The user name.
    Username,
    /// The client identifier.
    ClientId,
    /// An attribute that authentication gave the client.
    ClientAttr,
    /// The zone of the listener.
    Zone,
    /// The listener, such as `ssl:default`.
    Listener,
    /// All of the members.
    And,
    /// One of the members.
    Or,
}

/// Whom a rule is about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AclWho {
    /// What is compared.
    pub kind: AclWhoKind,
    /// With what; one of them suffices.
    pub values: Vec<String>,
    /// The values are regular expressions, searched and not anchored.
    pub is_regex: bool,
    /// Name of the attribute.
    pub attr: String,
    /// Parts of `And` and `Or`.
    pub members: Vec<AclWho>,
}

/// A topic filter of a rule.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AclTopic {
    /// The filter; may hold placeholders.
    pub text: String,
    /// Compared as text (EMQX: `eq`).
    pub is_literal: bool,
}

/// One rule; the first that fits decides.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AclRule {
    /// What it says.
    pub permission: Permission,
    /// Whom it is about.
    pub who: AclWho,
    /// What it is about.
    pub action: AclAction,
    /// Only for these.
    pub qos: Vec<u8>,
    /// Only for PUBLISH with this RETAIN.
    pub retain: Option<bool>,
    /// Only for these topics.
    pub topics: Vec<AclTopic>,
    /// For every topic, those with `$` in front included.
    pub all_topics: bool,
    /// Where it stands in its source.
    pub line: u32,
}

/// How a source decides.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum AclSourceKind {
    /// By its rules, here.
    #[default]
    Rules,
    /// Python is asked; what comes after it is asked there as well.
    Ask,
}

/// Rules of one origin.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AclSource {
    /// Name for `explain` and for the continuation behind it.
    pub name: String,
    /// How it decides.
    pub kind: AclSourceKind,
    /// Its rules, in order.
    pub rules: Vec<AclRule>,
}

/// What becomes of a client that did what it may not.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum DenyAction {
    /// It is told as far as its version can, and stays.
    #[default]
    Ignore,
    /// Its connection ends (0x87).
    Disconnect,
}

/// `authorization.*`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthorizationConfig {
    /// In the order they are looked at.
    pub sources: Vec<AclSource>,
    /// What holds when no source fits.
    pub no_match: Permission,
    /// What a denial does.
    pub deny_action: DenyAction,
    /// Whether answers of Python are kept per connection.
    pub cache_enable: bool,
    /// Most answers kept for one connection.
    pub cache_max_size: usize,
    /// How long an answer is kept.
    pub cache_ttl_ms: u64,
    /// Answers about topics that match one of these are not kept.
    pub cache_excludes: Vec<String>,
}

impl Default for AuthorizationConfig {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            no_match: Permission::Allow,
            deny_action: DenyAction::Ignore,
            cache_enable: true,
            cache_max_size: 32,
            cache_ttl_ms: 60_000,
            cache_excludes: Vec::new(),
        }
    }
}

/// What a ban is about.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum BanKind {
    /// A client identifier.
    ClientId,
    /// A user name.
    Username,
    /// An address.
    PeerHost,
    /// A network, as CIDR.
    PeerHostNet,
    /// Client identifiers by regular expression.
    ClientIdRe,
    /// User names by regular expression.
    UsernameRe,
}

/// Somebody who may not connect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ban {
    /// What `who` is.
    pub kind: BanKind,
    /// Whom it is about.
    pub who: String,
    /// When it ends, ms since 1970; none = never.
    pub until_ms: Option<u64>,
    /// For people.
    pub reason: String,
}

/// `flapping_detect.*`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlappingConfig {
    /// Whether disconnects are counted.
    pub enable: bool,
    /// In which time.
    pub window_ms: u64,
    /// How many are too many.
    pub max_count: u32,
    /// How long Python bans such a client; of no use here.
    pub ban_ms: u64,
}

impl Default for FlappingConfig {
    fn default() -> Self {
        Self { enable: false, window_ms: 60_000, max_count: 15, ban_ms: 300_000 }
    }
}

/// Refusal of logins without asking, after too many that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoginBackoffConfig {
    /// Whether failures are counted.
    pub enable: bool,
    /// How many are too many.
    pub failures: u32,
    /// In which time.
    pub window_ms: u64,
    /// How long the first block is; each further one is twice as long.
    pub block_ms: u64,
    /// The longest block.
    pub block_max_ms: u64,
}

impl Default for LoginBackoffConfig {
    fn default() -> Self {
        Self {
            enable: true,
            failures: 10,
            window_ms: 60_000,
            block_ms: 10_000,
            block_max_ms: 600_000,
        }
    }
}

/// Which part of a client certificate stands for a user name or client identifier.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum PeerCertField {
    /// None.
    #[default]
    Disabled,
    /// Common Name of the subject.
    Cn,
    /// The subject.
    Dn,
    /// The certificate: its DER, base64 on one line.
    Crt,
    /// The certificate as PEM.
    Pem,
    /// MD5 of the DER, in hexadecimal digits.
    Md5,
}

impl fmt::Display for BanKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientId => "clientid",
            Self::Username => "username",
            Self::PeerHost => "peerhost",
            Self::PeerHostNet => "peerhost_net",
            Self::ClientIdRe => "clientid_re",
            Self::UsernameRe => "username_re",
        })
    }
}
