//! Whom and what a check is about.

use std::net::IpAddr;

use rookery_codec::{ParsedFilter, parse_filter};

use crate::conn::Action;

/// A client as rules see it.
#[derive(Copy, Clone, Debug)]
pub struct Subject<'a> {
    /// Client identifier.
    pub client_id: &'a str,
    /// User name.
    pub username: Option<&'a str>,
    /// Address.
    pub peer: Option<IpAddr>,
    /// Listener, such as `ssl:default`.
    pub listener: &'a str,
    /// Zone of the listener.
    pub zone: &'a str,
    /// Common Name of its certificate.
    pub cert_common_name: Option<&'a str>,
    /// Attributes that authentication gave it.
    pub attrs: &'a [(Box<str>, Box<str>)],
    /// Authentication was asked about it and let it in.
    pub is_authenticated: bool,
    /// Authentication said that nothing is denied to it.
    pub is_superuser: bool,
    /// A client of this machine, see `ConnMeta::is_local`.
    pub is_local: bool,
}

impl<'a> Subject<'a> {
    /// One of its attributes.
    #[must_use]
    pub fn attr(&self, name: &str) -> Option<&'a str> {
        self.attrs.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }
}

/// The topic that rules look at: what a delayed PUBLISH is for, what a shared or exclusive
/// subscription reads.
#[must_use]
pub fn checked_topic(action: Action, topic: &str, is_delayed_enabled: bool) -> &str {
    match action {
        Action::Publish(..) if is_delayed_enabled => delayed_part(topic).unwrap_or(topic),
        Action::Publish(..) => topic,
        Action::Subscribe(_) => {
            parse_filter(topic).map_or(topic, |parsed: ParsedFilter<'_>| parsed.filter())
        }
    }
}

/// `t` of `$delayed/<seconds>/t`.
fn delayed_part(topic: &str) -> Option<&str> {
    let (seconds, rest) = topic.strip_prefix("$delayed/")?.split_once('/')?;
    let is_number = !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit());
    (is_number && !rest.is_empty()).then_some(rest)
}
