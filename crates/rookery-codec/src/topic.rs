//! Topic names and topic filters, MQTT-5.0 section 4.7, and the prefixes that change what a
//! filter means.
//!
//! [`filter_matches`] is the reference: the routing table must agree with it.

/// A UTF-8 Encoded String holds no more. MQTT-5.0 [MQTT-4.7.3-3].
pub const TOPIC_BYTES_MAX: usize = 65_535;

/// The rule that a topic name or a topic filter breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TopicError {
    /// MQTT-5.0 [MQTT-4.7.3-1].
    #[error("topic is empty")]
    Empty,
    /// MQTT-5.0 [MQTT-4.7.3-3].
    #[error("topic has {0} bytes, more than {TOPIC_BYTES_MAX}")]
    TooLong(usize),
    /// MQTT-5.0 [MQTT-4.7.3-2].
    #[error("topic contains U+0000")]
    Null,
    /// MQTT-5.0 [MQTT-4.7.0-1], [MQTT-4.7.1-1], [MQTT-4.7.1-2].
    #[error("wildcard `{0}` is not allowed there")]
    Wildcard(char),
    /// MQTT-5.0 [MQTT-4.8.2-1], [MQTT-4.8.2-2].
    #[error("share name is empty or contains `/`, `+` or `#`")]
    ShareName,
    /// A prefix without the filter it applies to, or a prefix behind another.
    #[error("no topic filter after the prefix")]
    Prefix,
}

/// Checks what a PUBLISH may carry.
///
/// # Errors
///
/// The first rule that `name` breaks.
pub fn check_topic_name(name: &str) -> Result<(), TopicError> {
    check_text(name)?;
    reject_wildcards(name)
}

/// Checks what may be subscribed to, without regard to prefixes such as `$share`.
///
/// # Errors
///
/// The first rule that `filter` breaks.
pub fn check_topic_filter(filter: &str) -> Result<(), TopicError> {
    check_text(filter)?;
    let mut rest = filter.split('/').peekable();
    while let Some(level) = rest.next() {
        match level {
            "+" => {}
            "#" if rest.peek().is_none() => {}
            _ => reject_wildcards(level)?,
        }
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), TopicError> {
    if text.is_empty() {
        return Err(TopicError::Empty);
    }
    if text.len() > TOPIC_BYTES_MAX {
        return Err(TopicError::TooLong(text.len()));
    }
    if text.contains('\0') {
        return Err(TopicError::Null);
    }
    Ok(())
}

fn reject_wildcards(text: &str) -> Result<(), TopicError> {
    match text.chars().find(|c| matches!(c, '+' | '#')) {
        Some(wildcard) => Err(TopicError::Wildcard(wildcard)),
        None => Ok(()),
    }
}

/// A topic filter without its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParsedFilter<'a> {
    /// No prefix.
    Plain(&'a str),
    /// `$share/group/filter`, or `$queue/filter` whose group is `$queue`.
    Shared {
        /// The share name.
        group: &'a str,
        /// What the group subscribes to.
        filter: &'a str,
    },
    /// `$exclusive/filter`: one subscriber at a time.
    Exclusive(&'a str),
}

const SHARE: &str = "$share/";
const QUEUE: &str = "$queue/";
const EXCLUSIVE: &str = "$exclusive/";

impl<'a> ParsedFilter<'a> {
    /// The topic filter that messages are matched against.
    #[must_use]
    pub const fn filter(&self) -> &'a str {
        match self {
            Self::Plain(filter) | Self::Exclusive(filter) | Self::Shared { filter, .. } => filter,
        }
    }
}

/// Takes the prefix off and checks the rest. The share name `$queue` is one that `$share/…`
/// gives too: both spell the same group.
///
/// # Errors
///
/// The first rule that `filter` breaks.
pub fn parse_filter(filter: &str) -> Result<ParsedFilter<'_>, TopicError> {
    check_text(filter)?;
    if let Some(rest) = filter.strip_prefix(SHARE) {
        let (group, filter) = rest.split_once('/').ok_or(TopicError::Prefix)?;
        // MQTT-5.0 [MQTT-4.8.2-1], [MQTT-4.8.2-2].
        if group.is_empty() || group.contains(['+', '#']) {
            return Err(TopicError::ShareName);
        }
        check_inner(filter)?;
        return Ok(ParsedFilter::Shared { group, filter });
    }
    if let Some(filter) = filter.strip_prefix(QUEUE) {
        check_inner(filter)?;
        return Ok(ParsedFilter::Shared { group: "$queue", filter });
    }
    if let Some(filter) = filter.strip_prefix(EXCLUSIVE) {
        check_inner(filter)?;
        return Ok(ParsedFilter::Exclusive(filter));
    }
    check_topic_filter(filter)?;
    Ok(ParsedFilter::Plain(filter))
}

fn check_inner(filter: &str) -> Result<(), TopicError> {
    if filter.is_empty() || [SHARE, QUEUE, EXCLUSIVE].iter().any(|p| filter.starts_with(p)) {
        return Err(TopicError::Prefix);
    }
    check_topic_filter(filter)
}

/// Whether a message published to `topic` reaches `filter`; both well formed, without prefix.
#[must_use]
pub fn filter_matches(filter: &str, topic: &str) -> bool {
    // MQTT-5.0 [MQTT-4.7.2-1]: a leading wildcard must not reach `$SYS` and its like.
    if topic.starts_with('$') && filter.starts_with(['#', '+']) {
        return false;
    }
    let mut have = topic.split('/');
    for want in filter.split('/') {
        match (want, have.next()) {
            // The parent too: `a/#` takes `a`. MQTT-5.0 section 4.7.1.2.
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (want, Some(level)) if want == level => {}
            _ => return false,
        }
    }
    have.next().is_none()
}

/// How many levels a topic name or filter has; 1 when there is no `/`.
#[must_use]
pub fn levels(topic: &str) -> usize {
    1 + topic.bytes().filter(|byte| *byte == b'/').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names() {
        let cases = [
            ("a", Ok(())),
            ("/", Ok(())),
            ("a//b", Ok(())),
            ("", Err(TopicError::Empty)),
            ("a/+", Err(TopicError::Wildcard('+'))),
            ("a#", Err(TopicError::Wildcard('#'))),
            ("a\0", Err(TopicError::Null)),
        ];
        for (name, want) in cases {
            assert_eq!(check_topic_name(name), want, "{name:?}");
        }
        let long = "a".repeat(TOPIC_BYTES_MAX + 1);
        assert_eq!(check_topic_name(&long), Err(TopicError::TooLong(long.len())));
        assert_eq!(check_topic_name(&long[1..]), Ok(()));
    }

    #[test]
    fn filters() {
        for filter in ["#", "+", "a/#", "+/+", "/+", "a/+/b", "+/", "$SYS/#", "a//+/#"] {
            assert_eq!(check_topic_filter(filter), Ok(()), "{filter:?}");
        }
        for filter in ["", "a#", "#/a", "a/#/b", "a+", "+a", "a/b+/c", "##", "a/\0"] {
            assert!(check_topic_filter(filter).is_err(), "{filter:?}");
        }
    }

    #[test]
    fn prefixes() {
        use ParsedFilter::{Exclusive, Plain, Shared};
        let cases = [
            ("a/b", Ok(Plain("a/b"))),
            ("$share", Ok(Plain("$share"))),
            ("$shared/a/b", Ok(Plain("$shared/a/b"))),
            ("$share/g/a/+", Ok(Shared { group: "g", filter: "a/+" })),
            ("$share/g//", Ok(Shared { group: "g", filter: "/" })),
            ("$queue/a", Ok(Shared { group: "$queue", filter: "a" })),
            ("$exclusive/a/b", Ok(Exclusive("a/b"))),
            ("$share//a", Err(TopicError::ShareName)),
            ("$share/g+/a", Err(TopicError::ShareName)),
            ("$share/#/a", Err(TopicError::ShareName)),
            ("$share/g", Err(TopicError::Prefix)),
            ("$share/g/", Err(TopicError::Prefix)),
            ("$share/", Err(TopicError::Prefix)),
            ("$queue/", Err(TopicError::Prefix)),
            ("$exclusive/", Err(TopicError::Prefix)),
            ("$share/g/$queue/a", Err(TopicError::Prefix)),
            ("$exclusive/$share/g/a", Err(TopicError::Prefix)),
            ("$share/g/a#", Err(TopicError::Wildcard('#'))),
            ("", Err(TopicError::Empty)),
        ];
        for (filter, want) in cases {
            assert_eq!(parse_filter(filter), want, "{filter:?}");
        }
    }

    #[test]
    fn matching() {
        let cases = [
            ("a/b", "a/b", true),
            ("a/b", "a/c", false),
            ("a/b", "a", false),
            ("a", "a/b", false),
            ("a/+", "a/b", true),
            ("a/+", "a/", true),
            ("a/+", "a", false),
            ("a/+", "a/b/c", false),
            ("+", "a", true),
            ("+", "/a", false),
            ("+/+", "/a", true),
            ("/+", "/a", true),
            ("#", "a/b/c", true),
            ("#", "/", true),
            ("a/#", "a", true),
            ("a/#", "a/", true),
            ("a/#", "a/b/c", true),
            ("a/#", "ab", false),
            ("+/#", "a", true),
            ("#", "$SYS/a", false),
            ("+/a", "$SYS/a", false),
            ("$SYS/#", "$SYS/a", true),
            ("$SYS/+", "$SYS/a", true),
            ("a/+", "a/$x", true),
            ("A", "a", false),
        ];
        for (filter, topic, want) in cases {
            assert_eq!(filter_matches(filter, topic), want, "{filter} {topic}");
        }
        assert_eq!([levels("a"), levels("/"), levels("a/b/c")], [1, 2, 3]);
    }

    proptest! {
        #[test]
        fn a_topic_matches_itself_with_any_level_made_a_wildcard(
            topic in "[a-c]{0,2}(/[a-c]{0,2}){0,4}",
            level: prop::sample::Index,
        ) {
            prop_assume!(!topic.is_empty());
            let count = levels(&topic);
            let mut filter: Vec<&str> = topic.split('/').collect();
            prop_assert!(filter_matches(&topic, &topic));
            filter[level.index(count)] = "+";
            prop_assert!(filter_matches(&filter.join("/"), &topic));
            filter.truncate(level.index(count));
            filter.push("#");
            let filter = filter.join("/");
            prop_assert_eq!(check_topic_filter(&filter), Ok(()));
            prop_assert!(filter_matches(&filter, &topic));
        }

        #[test]
        fn no_text_is_a_panic(filter: String, topic: String) {
            let _ = (parse_filter(&filter), filter_matches(&filter, &topic), levels(&topic));
        }
    }
}
