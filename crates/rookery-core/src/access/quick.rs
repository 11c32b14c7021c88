//! Telling apart most topics by a few bytes of their beginning and their end, without a look at
//! the rule.

use super::pattern::TopicPattern;

/// Bytes of a topic, compared at once. Topics hold no U+0000, which fills what is missing.
#[derive(Copy, Clone, Debug)]
pub(super) struct Fingerprint {
    head: u128,
    tail: u64,
}

impl Fingerprint {
    /// The first 16 and the last 8 bytes.
    #[inline]
    pub(super) fn of(topic: &str) -> Self {
        let bytes = topic.as_bytes();
        let mut head = [0; 16];
        for (to, from) in head.iter_mut().zip(bytes) {
            *to = *from;
        }
        let mut tail = [0; 8];
        for (to, from) in tail.iter_mut().rev().zip(bytes.iter().rev()) {
            *to = *from;
        }
        Self { head: u128::from_le_bytes(head), tail: u64::from_be_bytes(tail) }
    }
}

/// What the bytes of a topic must be for a pattern to fit. More may be needed.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Needs {
    head: u128,
    head_mask: u128,
    tail: u64,
    tail_mask: u64,
}

impl Needs {
    pub(super) fn of(pattern: &TopicPattern) -> Self {
        match pattern {
            TopicPattern::Plain => Self::default(),
            TopicPattern::Text(text) => {
                let whole = Fingerprint::of(text);
                Self {
                    head: whole.head,
                    head_mask: u128::MAX,
                    tail: whole.tail,
                    tail_mask: u64::MAX,
                }
            }
            TopicPattern::Below(head) | TopicPattern::Template { head, .. } => Self::begin(head),
            TopicPattern::Wild { head, tail, .. } => Self::begin(head).end(tail),
        }
    }

    fn begin(head: &str) -> Self {
        let bits = 8 * u32::try_from(head.len().min(16)).unwrap_or(0);
        let head_mask = if bits == 128 { u128::MAX } else { (1 << bits) - 1 };
        Self { head: Fingerprint::of(head).head & head_mask, head_mask, ..Self::default() }
    }

    fn end(self, tail: &str) -> Self {
        let bits = 8 * u32::try_from(tail.len().min(8)).unwrap_or(0);
        let tail_mask = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
        Self { tail: Fingerprint::of(tail).tail & tail_mask, tail_mask, ..self }
    }

    /// Whether a topic may fit.
    #[inline]
    pub(super) fn admit(&self, topic: Fingerprint) -> bool {
        (topic.head ^ self.head) & self.head_mask == 0
            && (topic.tail ^ self.tail) & self.tail_mask == 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::AclTopic;
    use super::*;

    #[test]
    fn what_a_pattern_needs() {
        let cases = [
            ("a/b", "a/b", true),
            ("a/b", "a/bc", false),
            ("a/b", "a/c", false),
            ("a/very/long/topic/with/an/end", "a/very/long/topic/with/an/end", true),
            ("a/very/long/topic/with/an/end", "a/very/long/topic/with/an/END", false),
            ("a/very/long/topic/with/an/end", "a/very/long/topic/has/with/an/end", true),
            ("#", "anything", true),
            ("a/#", "a", true),
            ("a/#", "a/b", true),
            ("a/#", "b/a", false),
            ("+/status/7", "x/status/7", true),
            ("+/status/7", "x/status/8", false),
            ("plant/7/+/state", "plant/7/x/state", true),
            ("plant/7/+/state", "plant/8/x/state", false),
            ("plant/7/+/state", "plant/7/x/other", false),
            ("sixteen/bytes/of/+/x", "sixteen/bytes/of/a/x", true),
            ("d/${clientid}", "d/1", true),
            ("d/${clientid}", "e/1", false),
            ("+/${clientid}", "e/1", true),
        ];
        for (filter, topic, want) in cases {
            let pattern = AclTopic { text: filter.into(), is_literal: false };
            let needs = Needs::of(&TopicPattern::compile(&pattern).unwrap());
            assert_eq!(needs.admit(Fingerprint::of(topic)), want, "{filter} {topic}");
        }
        assert!(Needs::default().admit(Fingerprint::of("")));
    }
}
