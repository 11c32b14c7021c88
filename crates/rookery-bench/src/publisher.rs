//! One publisher's state: its packet, its window, its packet ids.

use std::collections::VecDeque;

use crate::config::{BenchConfig, ProtocolVersion};
use crate::packet::PublishTemplate;

/// Packet ids in use at most, well under 65,535 so that none comes round too early.
const INFLIGHT_MAX: u32 = 32_768;
/// Open-loop messages that may wait for one publisher's connection.
const DEFERRED_MAX: usize = 65_536;

/// Sends messages on one connection.
pub(crate) struct Publisher {
    pub(crate) link: usize,
    index: u32,
    template: PublishTemplate,
    qos: u8,
    topics: u32,
    topic_digits: usize,
    topic_next: u32,
    next_sequence: u32,
    next_packet_id: u16,
    /// Messages the window lets out (closed loop).
    pub(crate) credit: u32,
    /// QoS 1 and 2 messages without their last acknowledgement.
    pub(crate) inflight: u32,
    pub(crate) inflight_max: u32,
    /// Intended times of open-loop messages that wait (open loop).
    pub(crate) deferred: VecDeque<u64>,
    pub(crate) is_dirty: bool,
    /// Completions since the last look for stalled windows.
    pub(crate) progress: u32,
}

/// Name of topic `number` of `publisher`; fixed width, so that a packet's length never changes.
pub(crate) fn topic_name(config: &BenchConfig, publisher: u32, number: u32) -> String {
    let topics = config.topics_per_publisher();
    let prefix = &config.topic_prefix;
    if topics == 1 {
        return format!("{prefix}/{publisher}");
    }
    format!("{prefix}/{publisher}/{number:0width$}", width = digits(topics))
}

fn digits(topics: u32) -> usize {
    (topics - 1).max(1).ilog10() as usize + 1
}

impl Publisher {
    pub(crate) fn new(config: &BenchConfig, index: u32, link: usize) -> Publisher {
        let topics = config.topics_per_publisher();
        let mut template = PublishTemplate::new(
            &topic_name(config, index, 0),
            config.qos,
            config.payload_bytes,
            config.protocol == ProtocolVersion::V5,
        );
        if let Some(first) = template.bytes.first_mut() {
            *first |= u8::from(config.retain);
        }
        Publisher {
            link,
            index,
            template,
            qos: config.qos,
            topics,
            topic_digits: if topics == 1 { 0 } else { digits(topics) },
            // Publishers start at different topics, so that they do not walk in step.
            topic_next: index % topics,
            next_sequence: 0,
            next_packet_id: 0,
            credit: config.window,
            inflight: 0,
            inflight_max: INFLIGHT_MAX,
            deferred: VecDeque::new(),
            is_dirty: false,
            progress: 0,
        }
    }

    pub(crate) fn next_sequence(&self) -> u32 {
        self.next_sequence
    }

    pub(crate) fn packet_bytes(&self) -> usize {
        self.template.bytes.len()
    }

    /// Messages that acknowledgements still allow.
    #[inline]
    pub(crate) fn inflight_room(&self) -> u32 {
        if self.qos == 0 {
            return u32::MAX;
        }
        self.inflight_max.saturating_sub(self.inflight)
    }

    /// Keeps an open-loop message for later; false when too many wait.
    pub(crate) fn defer(&mut self, intended_ns: u64) -> bool {
        if self.deferred.len() >= DEFERRED_MAX {
            return false;
        }
        self.deferred.push_back(intended_ns);
        true
    }

    /// Appends the next PUBLISH, stamped `time_ns`.
    #[inline]
    pub(crate) fn put_next(&mut self, out: &mut Vec<u8>, time_ns: u64) {
        let start = out.len();
        out.extend_from_slice(&self.template.bytes);
        let packet = &mut out[start..];
        let mut header = [0; 16];
        header[..8].copy_from_slice(&time_ns.to_le_bytes());
        header[8..12].copy_from_slice(&self.index.to_le_bytes());
        header[12..].copy_from_slice(&self.next_sequence.to_le_bytes());
        self.next_sequence = self.next_sequence.wrapping_add(1);
        let at = self.template.header_at;
        packet[at..at + 16].copy_from_slice(&header);
        if self.qos > 0 {
            self.next_packet_id =
                if self.next_packet_id == u16::MAX { 1 } else { self.next_packet_id + 1 };
            let at = self.template.packet_id_at;
            packet[at..at + 2].copy_from_slice(&self.next_packet_id.to_be_bytes());
            self.inflight += 1;
        }
        if self.topic_digits > 0 {
            let end = self.template.topic_end;
            let mut rest = self.topic_next;
            for byte in packet[end - self.topic_digits..end].iter_mut().rev() {
                *byte = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
            self.topic_next = (self.topic_next + 1) % self.topics;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{next_frame, publish_parts, read_header};

    #[test]
    fn messages_count_up_and_walk_through_the_topics() {
        let config = BenchConfig { publishers: 2, topics: 24, qos: 1, ..BenchConfig::default() };
        let mut publisher = Publisher::new(&config, 1, 0);
        let mut out = Vec::new();
        for sequence in 0..13u32 {
            out.clear();
            publisher.put_next(&mut out, 77);
            assert_eq!(out.len(), publisher.packet_bytes());
            let frame = next_frame(&out).unwrap().unwrap();
            let topic = format!("bench/1/{:02}", (sequence + 1) % 12);
            assert_eq!(&frame.body[2..2 + topic.len()], topic.as_bytes());
            let (packet_id, payload) = publish_parts(frame.first, frame.body, false).unwrap();
            assert_eq!(packet_id, (sequence as u16 + 1).to_be_bytes());
            assert_eq!(read_header(payload), Some((77, 1, sequence)));
        }
        assert_eq!(publisher.inflight, 13);
    }

    #[test]
    fn topic_width_is_that_of_the_largest_number() {
        for (topics, width) in [(2, 1), (10, 1), (11, 2), (100, 2), (1000, 3), (1001, 4)] {
            assert_eq!(digits(topics), width, "{topics}");
        }
    }
}
