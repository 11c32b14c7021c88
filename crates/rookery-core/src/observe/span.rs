//! Spans of messages, for OpenTelemetry: the context travels in the User Property `traceparent`
//! (W3C Trace Context), so that it goes with the message from shard to shard and on to receivers.

use std::sync::Arc;

use rookery_codec::{UserProperties, UserPropertiesBuf};

const NAME: &str = "traceparent";
/// `00-<32 hex>-<16 hex>-<2 hex>`.
const LENGTH: usize = 55;
const SAMPLED: u8 = 1;

/// Which messages get spans.
#[derive(Copy, Clone, Debug)]
pub struct SpanConfig {
    /// Those without a context too, not only those whose sender wants it.
    pub trace_all: bool,
    /// How many of those: of 2^32.
    pub share: u64,
}

/// The context that a message carries.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct TraceParent {
    /// Of the whole trace.
    pub trace_id: u128,
    /// Of the span that is the parent of what follows.
    pub span_id: u64,
    /// Whether the sender records it.
    pub is_sampled: bool,
}

impl TraceParent {
    /// Reads one; none when it is not well formed (W3C Trace Context section 3.2.2).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex =
            |part: &str| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let (head, rest) = text.split_at_checked(LENGTH)?;
        let mut parts = head.split('-');
        let (version, trace_id) = (parts.next()?, parts.next()?);
        let (span_id, flags) = (parts.next()?, parts.next()?);
        let lengths = [version, trace_id, span_id, flags].map(str::len);
        let all_hex = [version, trace_id, span_id, flags].into_iter().all(is_hex);
        // A later version may say more behind a further dash.
        let is_whole = rest.is_empty() || (version != "00" && rest.starts_with('-'));
        if lengths != [2, 32, 16, 2] || !all_hex || version == "ff" || !is_whole {
            return None;
        }
        let trace_id = u128::from_str_radix(trace_id, 16).ok().filter(|id| *id != 0)?;
        let span_id = u64::from_str_radix(span_id, 16).ok().filter(|id| *id != 0)?;
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Some(Self { trace_id, span_id, is_sampled: flags & SAMPLED != 0 })
    }

    /// The one in an encoded list of properties.
    #[must_use]
    pub fn find(properties: &[u8]) -> Option<Self> {
        if properties.is_empty() {
            return None;
        }
        let properties = UserProperties::from_encoded(properties).ok()?;
        let mut named = properties.iter().filter(|(name, _)| *name == NAME);
        named.find_map(|(_, value)| Self::parse(value))
    }

    /// Puts this one into an encoded list of properties, in the place of the one there.
    pub fn put(&self, properties: &mut Vec<u8>) {
        let flags = u8::from(self.is_sampled);
        let text = format!("00-{:032x}-{:016x}-{flags:02x}", self.trace_id, self.span_id);
        let mut own = UserPropertiesBuf::new();
        own.push(NAME, &text);
        let own = own.as_encoded();
        // Name and value stand behind their lengths; one of ours is as long as any well-formed one.
        let head = own.get(..own.len() - LENGTH).unwrap_or_default();
        let at = properties.windows(head.len()).position(|window| window == head);
        let there = at.map(|at| at..at + own.len()).filter(|there| there.end <= properties.len());
        match there.filter(|_| Self::find(properties).is_some()) {
            Some(there) => drop(properties.splice(there, own.iter().copied())),
            None => properties.extend_from_slice(own),
        }
    }
}

/// A span that ended.
#[derive(Clone, Debug)]
pub struct SpanEvent {
    /// Of the whole trace.
    pub trace_id: u128,
    /// Its own.
    pub span_id: u64,
    /// Of its parent; 0 = it has none.
    pub parent_id: u64,
    /// `mqtt.publish` (a message came in) or `mqtt.deliver` (it went to a client).
    pub name: &'static str,
    /// Milliseconds since 1970.
    pub start_ms: u64,
    /// Microseconds since 1970; the driver sets it.
    pub end_us: u64,
    /// The client it came from or went to.
    pub client_id: Arc<str>,
    /// Topic name.
    pub topic: Box<str>,
    /// QoS of this leg.
    pub qos: u8,
    /// RETAIN flag of this leg.
    pub retain: bool,
    /// Bytes of the payload.
    pub payload_len: usize,
    /// Identity of the message.
    pub message_id: u128,
}

#[cfg(test)]
mod tests {
    use rookery_codec::UserPropertiesBuf;

    use super::TraceParent;

    const TEXT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_well_formed_context_is_read_and_written() {
        let parent = TraceParent::parse(TEXT).unwrap();
        assert_eq!(parent.trace_id, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        assert_eq!(parent.span_id, 0xb7ad_6b71_6920_3331);
        assert!(parent.is_sampled);
        assert!(!TraceParent::parse(&TEXT.replace("-01", "-00")).unwrap().is_sampled);
        let later = format!("{}-more", TEXT.replacen("00", "01", 1));
        assert!(TraceParent::parse(&later).is_some());
    }

    #[test]
    fn what_is_no_context_is_none() {
        let zero_trace = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
        let zero_span = "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01";
        let cases = [
            "",
            "00",
            zero_trace,
            zero_span,
            &TEXT.to_uppercase(),
            &TEXT.replacen("00", "ff", 1),
            &format!("{TEXT}-more"),
            &TEXT.replace('-', "_"),
            &"é".repeat(40),
        ];
        for text in cases {
            assert_eq!(TraceParent::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_context_takes_the_place_of_the_one_before() {
        let mut list = UserPropertiesBuf::new();
        list.push("a", "1");
        list.push("traceparent", TEXT);
        list.push("b", "2");
        let mut properties = list.as_encoded().to_vec();
        let length = properties.len();
        let ours = TraceParent { trace_id: 7, span_id: 9, is_sampled: true };
        ours.put(&mut properties);
        assert_eq!(TraceParent::find(&properties), Some(ours));
        assert_eq!(properties.len(), length);
        let mut empty = Vec::new();
        ours.put(&mut empty);
        assert_eq!(TraceParent::find(&empty), Some(ours));
    }
}
