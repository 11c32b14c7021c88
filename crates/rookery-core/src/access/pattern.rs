//! Topic filters of rules, taken apart once so that most topics are told apart by a comparison of
//! their beginning.

use smallvec::SmallVec;

use super::{AccessError, AclTopic, Subject};

/// A topic filter of a rule, ready to use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum TopicPattern {
    /// The text itself: `eq`, or a filter without wildcard.
    Text(Box<str>),
    /// `#`: everything without `$` in front.
    Plain,
    /// `text/#`: the text, and what lies below it.
    Below(Box<str>),
    /// Wildcards elsewhere: the beginning without one, ending behind a `/`, the rest, and the end
    /// of the rest behind its last wildcard, by which most topics are told apart.
    Wild { head: Box<str>, rest: Box<str>, tail: Box<str> },
    /// Holds placeholders; `head` is what stands before the first of them or of the wildcards.
    Template { head: Box<str>, parts: Box<[Part]>, is_literal: bool },
}

/// A piece of a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Text(Box<str>),
    Username,
    ClientId,
    CertCommonName,
    Zone,
    ClientAttr(Box<str>),
}

impl Part {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "username" => Self::Username,
            "clientid" => Self::ClientId,
            "cert_common_name" => Self::CertCommonName,
            "zone" => Self::Zone,
            _ => Self::ClientAttr(name.strip_prefix("client_attrs.")?.into()),
        })
    }

    /// Its text for a client; `None` when the client has none or one that would change the
    /// meaning of the filter.
    fn value<'a>(&'a self, subject: &Subject<'a>) -> Option<&'a str> {
        let value = match self {
            Self::Text(text) => return Some(text),
            Self::Username => subject.username?,
            Self::ClientId => subject.client_id,
            Self::CertCommonName => subject.cert_common_name?,
            Self::Zone => subject.zone,
            Self::ClientAttr(name) => subject.attr(name)?,
        };
        let is_level = !value.is_empty() && !value.contains(['+', '#', '/', '\0']);
        is_level.then_some(value)
    }
}

/// How a requested topic is compared with the filter of a rule.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Strictness {
    /// `+` takes one level that is not `#`: the filter covers all that the request can reach.
    Covers,
    /// `+` takes any level, as text: what a denial has to stop.
    Touches,
}

impl TopicPattern {
    /// Takes a filter apart.
    ///
    /// # Errors
    ///
    /// It is no topic filter.
    pub(super) fn compile(topic: &AclTopic) -> Result<Self, AccessError> {
        let parts = split(&topic.text);
        if parts.iter().any(|part| !matches!(part, Part::Text(_))) {
            // Up to a wildcard: what stands before the first placeholder may hold some.
            let head: Box<str> = match parts.first() {
                Some(Part::Text(text)) => text.split(['+', '#']).next().unwrap_or("").into(),
                _ => "".into(),
            };
            // A value is one level or a part of one: any letter shows whether the rest is right.
            let sample: String = parts.iter().map(|part| part.sample()).collect();
            check(topic, &sample)?;
            return Ok(Self::Template { head, parts: parts.into(), is_literal: topic.is_literal });
        }
        check(topic, &topic.text)?;
        if topic.is_literal {
            Ok(Self::Text(topic.text.as_str().into()))
        } else {
            Ok(Self::filter(&topic.text))
        }
    }

    fn filter(text: &str) -> Self {
        if text == "#" {
            return Self::Plain;
        }
        let first_wild = text.split('/').position(|level| level == "+" || level == "#");
        let Some(levels) = first_wild else { return Self::Text(text.into()) };
        if text.ends_with("/#") && levels + 1 == text.split('/').count() {
            return Self::Below(text.strip_suffix("/#").unwrap_or(text).into());
        }
        let at: usize = text.split('/').take(levels).map(|level| level.len() + 1).sum();
        let (head, rest) = text.split_at(at);
        let tail = if rest.ends_with('#') { "" } else { rest.rsplit('+').next().unwrap_or("") };
        Self::Wild { head: head.into(), rest: rest.into(), tail: tail.into() }
    }

    /// Whether it names topics that begin with `$`, instead of taking them with all others.
    pub(super) fn names_dollar(&self) -> bool {
        match self {
            Self::Text(text) | Self::Below(text) => text.starts_with('$'),
            Self::Wild { head, .. } | Self::Template { head, .. } => head.starts_with('$'),
            Self::Plain => false,
        }
    }

    /// Whether a topic name, or a topic filter taken as text, fits.
    #[inline]
    pub(super) fn matches(
        &self,
        topic: &str,
        subject: &Subject<'_>,
        strictness: Strictness,
    ) -> bool {
        match self {
            Self::Text(text) => **text == *topic,
            // MQTT-5.0 [MQTT-4.7.2-1].
            Self::Plain => !topic.starts_with('$'),
            Self::Below(text) => topic
                .strip_prefix(&**text)
                .is_some_and(|below| below.is_empty() || below.starts_with('/')),
            Self::Wild { tail, .. } if !topic.ends_with(&**tail) => false,
            Self::Wild { head, rest, .. } => match topic.strip_prefix(&**head) {
                Some(tail) if head.is_empty() && tail.starts_with('$') => false,
                Some(tail) => levels_match(rest, tail, strictness),
                // `a/+/#` has the head `a/`; nothing shorter fits, for `+` wants a level.
                None => false,
            },
            Self::Template { head, parts, is_literal } => {
                topic.starts_with(&**head)
                    && render(parts, subject).is_some_and(|filter| {
                        let filter = std::str::from_utf8(&filter).unwrap_or_default();
                        if *is_literal {
                            filter == topic
                        } else {
                            filter_matches(filter, topic, strictness)
                        }
                    })
            }
        }
    }
}

impl Part {
    fn sample(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "x",
        }
    }
}

fn check(topic: &AclTopic, text: &str) -> Result<(), AccessError> {
    // `eq` may compare with anything that a client can ask for, prefixes included.
    rookery_codec::check_topic_filter(text)
        .map_err(|error| AccessError::new(format!("topic {:?}: {error}", topic.text)))
}

/// Text and placeholders in order. What looks like a placeholder and is none stays text.
fn split(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let known = after.split_once('}').and_then(|(name, tail)| Some((Part::of(name)?, tail)));
        literal.push_str(before);
        let Some((part, tail)) = known else {
            literal.push_str("${");
            rest = after;
            continue;
        };
        if !literal.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut literal).into()));
        }
        parts.push(part);
        rest = tail;
    }
    literal.push_str(rest);
    if !literal.is_empty() || parts.is_empty() {
        parts.push(Part::Text(literal.into()));
    }
    parts
}

fn render(parts: &[Part], subject: &Subject<'_>) -> Option<SmallVec<[u8; 128]>> {
    let mut out = SmallVec::new();
    for part in parts {
        out.extend_from_slice(part.value(subject)?.as_bytes());
    }
    Some(out)
}

/// As [`rookery_codec::filter_matches`], for a name that may be a filter itself.
fn filter_matches(filter: &str, topic: &str, strictness: Strictness) -> bool {
    if topic.starts_with('$') && filter.starts_with(['#', '+']) {
        return false;
    }
    levels_match(filter, topic, strictness)
}

fn levels_match(filter: &str, topic: &str, strictness: Strictness) -> bool {
    let mut have = topic.split('/');
    for want in filter.split('/') {
        match (want, have.next()) {
            ("#", _) => return true,
            ("+", Some("#")) if strictness == Strictness::Covers => return false,
            ("+", Some(_)) => {}
            (want, Some(level)) if want == level => {}
            _ => return false,
        }
    }
    have.next().is_none()
}
