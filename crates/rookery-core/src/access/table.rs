//! All sources of a node, compiled, and what they say.

use std::sync::Arc;

use super::pattern::{Strictness, TopicPattern};
use super::rules::{Hit, RuleTable};
use super::{
    AccessError, AclSourceKind, AclTopic, AuthorizationConfig, DenyAction, Permission, Subject,
};
use crate::conn::Action;

/// The sources of `authorization`, ready to use.
#[derive(Debug)]
pub struct AccessTable {
    sources: Box<[Source]>,
    /// What holds when nothing fits.
    pub no_match: Permission,
    /// What a denial does.
    pub deny_action: DenyAction,
    /// Answers of Python kept per connection: how many, for how long; 0 = none.
    pub cache_max: usize,
    /// … for how long.
    pub cache_ttl_ms: u64,
    cache_excludes: Box<[TopicPattern]>,
}

#[derive(Debug)]
struct Source {
    name: Arc<str>,
    /// None: Python is asked.
    rules: Option<RuleTable>,
}

/// What the rules say.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// A rule fitted.
    Decided {
        /// Where it stands.
        origin: Origin,
        /// The rule.
        hit: Hit,
    },
    /// The source of this number has to be asked; nothing before it fitted.
    Ask(u16),
    /// Nothing fitted.
    NoMatch,
}

/// What made a decision.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The client is a superuser.
    Superuser,
    /// Rules that came with its authentication.
    ClientAcl,
    /// `$SYS` is closed, see `BrokerConfig::sys_topics_open`.
    SysTopics,
    /// A topic of the broker itself.
    Reserved,
    /// `accept` of a cluster link.
    Link,
    /// The source of this number.
    Source(u16),
    /// Nothing fitted.
    NoMatch,
}

/// A decision in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// `allow`, `deny` or `ask`.
    pub verdict: &'static str,
    /// The source, or what else decided.
    pub source: Arc<str>,
    /// The line of the rule; 0 = none.
    pub line: u32,
}

impl Default for AccessTable {
    fn default() -> Self {
        Self {
            sources: Box::default(),
            no_match: Permission::Allow,
            deny_action: DenyAction::Ignore,
            cache_max: 0,
            cache_ttl_ms: 0,
            cache_excludes: Box::default(),
        }
    }
}

impl AccessTable {
    /// Makes sources ready.
    ///
    /// # Errors
    ///
    /// The first rule that cannot be used.
    pub fn compile(config: &AuthorizationConfig) -> Result<Self, AccessError> {
        let sources = config.sources.iter().map(|source| {
            let rules = match source.kind {
                AclSourceKind::Rules => Some(RuleTable::compile(&source.name, &source.rules)?),
                AclSourceKind::Ask => None,
            };
            Ok(Source { name: source.name.as_str().into(), rules })
        });
        let excludes = config.cache_excludes.iter().map(|text| {
            let topic = AclTopic { text: text.clone(), is_literal: false };
            TopicPattern::compile(&topic).map_err(|error| AccessError {
                path: "authorization.cache.excludes".into(),
                detail: error.detail,
            })
        });
        Ok(Self {
            sources: sources.collect::<Result<_, AccessError>>()?,
            no_match: config.no_match,
            deny_action: config.deny_action,
            cache_max: if config.cache_enable { config.cache_max_size } else { 0 },
            cache_ttl_ms: config.cache_ttl_ms,
            cache_excludes: excludes.collect::<Result<_, _>>()?,
        })
    }

    /// Whether everybody may do everything that is not reserved.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.sources.is_empty() && self.no_match == Permission::Allow
    }

    /// What the sources from number `from` on say.
    #[inline]
    #[must_use]
    pub fn check(
        &self,
        from: usize,
        subject: &Subject<'_>,
        action: Action,
        topic: &str,
    ) -> Outcome {
        for (number, source) in (0_u16..).zip(&self.sources).skip(from) {
            let Some(rules) = &source.rules else { return Outcome::Ask(number) };
            if let Some(hit) = rules.check(subject, action, topic) {
                return Outcome::Decided { origin: Origin::Source(number), hit };
            }
        }
        Outcome::NoMatch
    }

    /// The number behind the source of this name.
    #[must_use]
    pub fn behind(&self, name: &str) -> Option<usize> {
        self.sources.iter().position(|source| *source.name == *name).map(|at| at + 1)
    }

    /// The name of a source.
    #[must_use]
    pub fn name(&self, number: u16) -> Arc<str> {
        let source = self.sources.get(usize::from(number));
        source.map_or_else(|| "".into(), |source| source.name.clone())
    }

    /// Whether answers about a topic are not kept.
    #[must_use]
    pub fn is_excluded(&self, subject: &Subject<'_>, topic: &str) -> bool {
        let mut excludes = self.cache_excludes.iter();
        excludes.any(|pattern| pattern.matches(topic, subject, Strictness::Touches))
    }
}
