//! Whom a rule is about, ready to compare.

use std::collections::HashSet;

use regex::Regex;

use super::error::{AccessError, regex};
use super::network::Network;
use super::{AclWho, AclWhoKind, Subject};

/// Whom a rule is about.
#[derive(Clone, Debug)]
pub(super) enum Who {
    All,
    Address(Box<[Network]>),
    Username(Names),
    ClientId(Names),
    ClientAttr(Box<str>, Names),
    Zone(Names),
    Listener(Names),
    And(Box<[Who]>),
    Or(Box<[Who]>),
}

/// Names or regular expressions; one of them suffices.
#[derive(Clone, Debug)]
pub(super) enum Names {
    One(Box<str>),
    Any(HashSet<Box<str>>),
    Regex(Box<[Regex]>),
}

/// How deeply `and` and `or` may lie in each other.
const DEPTH_MAX: usize = 16;

impl Who {
    pub(super) fn compile(who: &AclWho) -> Result<Self, AccessError> {
        Self::compile_at(who, 0)
    }

    fn compile_at(who: &AclWho, depth: usize) -> Result<Self, AccessError> {
        if depth > DEPTH_MAX {
            return Err(AccessError::new(format!("conditions lie more than {DEPTH_MAX} deep")));
        }
        let members = || -> Result<Box<[Self]>, AccessError> {
            who.members.iter().map(|member| Self::compile_at(member, depth + 1)).collect()
        };
        Ok(match who.kind {
            AclWhoKind::All => Self::All,
            AclWhoKind::IpAddr => Self::Address(networks(&who.values)?),
            AclWhoKind::Username => Self::Username(Names::compile(who)?),
            AclWhoKind::ClientId => Self::ClientId(Names::compile(who)?),
            AclWhoKind::ClientAttr => {
                Self::ClientAttr(who.attr.as_str().into(), Names::compile(who)?)
            }
            AclWhoKind::Zone => Self::Zone(Names::compile(who)?),
            AclWhoKind::Listener => Self::Listener(Names::compile(who)?),
            AclWhoKind::And => Self::And(members()?),
            AclWhoKind::Or => Self::Or(members()?),
        })
    }

    /// Whether a client is meant. A property that it does not have fits nothing.
    #[inline]
    pub(super) fn fits(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Username(names) => subject.username.is_some_and(|name| names.have(name)),
            Self::ClientId(names) => names.have(subject.client_id),
            Self::Address(networks) => {
                subject.peer.is_some_and(|peer| networks.iter().any(|net| net.contains(peer)))
            }
            Self::ClientAttr(name, names) => {
                subject.attr(name).is_some_and(|value| names.have(value))
            }
            Self::Zone(names) => names.have(subject.zone),
            Self::Listener(names) => names.have(subject.listener),
            Self::And(members) => members.iter().all(|member| member.fits(subject)),
            Self::Or(members) => members.iter().any(|member| member.fits(subject)),
        }
    }

    /// Whether a regular expression has to be searched for.
    pub(super) fn is_costly(&self) -> bool {
        match self {
            Self::All | Self::Address(_) => false,
            Self::Username(names)
            | Self::ClientId(names)
            | Self::ClientAttr(_, names)
            | Self::Zone(names)
            | Self::Listener(names) => matches!(names, Names::Regex(_)),
            Self::And(members) | Self::Or(members) => members.iter().any(Self::is_costly),
        }
    }

    /// User names or client identifiers of which the client must have one, if it can be said.
    pub(super) fn index_key(&self) -> Option<IndexKey<'_>> {
        match self {
            Self::Username(names) => names.exact().map(IndexKey::Username),
            Self::ClientId(names) => names.exact().map(IndexKey::ClientId),
            Self::And(members) => members.iter().find_map(Self::index_key),
            _ => None,
        }
    }
}

/// By what a rule is found.
pub(super) enum IndexKey<'a> {
    Username(Vec<&'a str>),
    ClientId(Vec<&'a str>),
}

impl Names {
    fn compile(who: &AclWho) -> Result<Self, AccessError> {
        if who.is_regex {
            let all: Result<_, _> = who.values.iter().map(|text| regex(text)).collect();
            return all.map(Self::Regex);
        }
        Ok(match who.values.as_slice() {
            [only] => Self::One(only.as_str().into()),
            many => Self::Any(many.iter().map(|value| value.as_str().into()).collect()),
        })
    }

    #[inline]
    fn have(&self, name: &str) -> bool {
        match self {
            Self::One(only) => **only == *name,
            Self::Any(many) => many.contains(name),
            Self::Regex(all) => all.iter().any(|one| one.is_match(name)),
        }
    }

    fn exact(&self) -> Option<Vec<&str>> {
        match self {
            Self::One(only) => Some(vec![only]),
            Self::Any(many) => Some(many.iter().map(|name| &**name).collect()),
            Self::Regex(_) => None,
        }
    }
}

fn networks(values: &[String]) -> Result<Box<[Network]>, AccessError> {
    let parse = |text: &String| {
        Network::parse(text)
            .ok_or_else(|| AccessError::new(format!("{text:?} is no address and no CIDR")))
    };
    values.iter().map(parse).collect()
}
