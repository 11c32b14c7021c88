//! What one connection received and sent, for the management plane.
//!
//! A connection that only stays connected pays for six small counters; those of messages come with
//! its first PUBLISH. What a small counter loses when it wraps is carried over into the large ones.

use rookery_codec::QoS;

/// Everything that is counted of a connection.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct TrafficCounts {
    /// Times input was taken in.
    pub reads: u64,
    /// Bytes of packets received.
    pub bytes_received: u64,
    /// Packets received.
    pub packets_received: u64,
    /// PUBLISH packets received, by QoS.
    pub messages_received: [u64; 3],
    /// Of them, not taken.
    pub messages_refused: u64,
    /// Times output was handed to the transport.
    pub writes: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Packets sent.
    pub packets_sent: u64,
    /// PUBLISH packets sent, by QoS.
    pub messages_sent: [u64; 3],
    /// Messages not sent because they had expired.
    pub dropped_expired: u64,
    /// Messages not sent because they are larger than the client takes.
    pub dropped_too_large: u64,
}

/// The counters of one connection.
#[derive(Debug, Default)]
pub struct Traffic {
    reads: u32,
    bytes_received: u32,
    packets_received: u32,
    writes: u32,
    bytes_sent: u32,
    packets_sent: u32,
    more: Option<Box<TrafficCounts>>,
}

/// What one wrap of a small counter is worth.
const WRAP: u64 = 1 << 32;

/// Adds to a small counter; true when it wrapped. Nothing that is added at once is near 4 GiB.
#[inline]
#[allow(clippy::cast_possible_truncation)]
fn bump(counter: &mut u32, n: usize) -> bool {
    let (sum, has_wrapped) = counter.overflowing_add(n as u32);
    *counter = sum;
    has_wrapped
}

#[inline]
fn by_qos(counters: &mut [u64; 3], qos: QoS) {
    let [qos0, qos1, qos2] = counters;
    match qos {
        QoS::AtMostOnce => *qos0 += 1,
        QoS::AtLeastOnce => *qos1 += 1,
        QoS::ExactlyOnce => *qos2 += 1,
    }
}

impl Traffic {
    fn more(&mut self) -> &mut TrafficCounts {
        self.more.get_or_insert_default()
    }

    /// Input was taken in.
    #[inline]
    pub fn received(&mut self, bytes: usize, packets: usize) {
        if bump(&mut self.reads, 1) {
            self.more().reads += WRAP;
        }
        if bump(&mut self.bytes_received, bytes) {
            self.more().bytes_received += WRAP;
        }
        if bump(&mut self.packets_received, packets) {
            self.more().packets_received += WRAP;
        }
    }

    /// A PUBLISH came.
    #[inline]
    pub fn received_message(&mut self, qos: QoS) {
        by_qos(&mut self.more().messages_received, qos);
    }

    /// A PUBLISH was not taken.
    pub fn refused_message(&mut self) {
        self.more().messages_refused += 1;
    }

    /// Output was handed to the transport.
    #[inline]
    pub fn sent(&mut self, bytes: usize) {
        if bump(&mut self.writes, 1) {
            self.more().writes += WRAP;
        }
        if bump(&mut self.bytes_sent, bytes) {
            self.more().bytes_sent += WRAP;
        }
    }

    /// A packet was written.
    #[inline]
    pub fn sent_packet(&mut self) {
        if bump(&mut self.packets_sent, 1) {
            self.more().packets_sent += WRAP;
        }
    }

    /// A PUBLISH was written.
    #[inline]
    pub fn sent_message(&mut self, qos: QoS) {
        self.sent_packet();
        by_qos(&mut self.more().messages_sent, qos);
    }

    /// A message expired before it could be sent.
    pub fn dropped_expired(&mut self) {
        self.more().dropped_expired += 1;
    }

    /// A message is larger than the client takes.
    pub fn dropped_too_large(&mut self) {
        self.more().dropped_too_large += 1;
    }

    /// All of them.
    #[must_use]
    pub fn counts(&self) -> TrafficCounts {
        let mut counts = self.more.as_deref().copied().unwrap_or_default();
        counts.reads += u64::from(self.reads);
        counts.bytes_received += u64::from(self.bytes_received);
        counts.packets_received += u64::from(self.packets_received);
        counts.writes += u64::from(self.writes);
        counts.bytes_sent += u64::from(self.bytes_sent);
        counts.packets_sent += u64::from(self.packets_sent);
        counts
    }
}

#[cfg(test)]
mod tests {
    use rookery_codec::QoS;

    use super::Traffic;

    #[test]
    fn nothing_is_lost_when_a_small_counter_wraps() {
        let mut traffic = Traffic { bytes_sent: u32::MAX - 1, ..Traffic::default() };
        traffic.sent(10);
        assert_eq!(traffic.counts().bytes_sent, u64::from(u32::MAX) + 9);
        assert_eq!(traffic.counts().writes, 1);
    }

    #[test]
    fn a_connection_without_messages_holds_nothing_more() {
        let mut traffic = Traffic::default();
        traffic.received(2, 1);
        traffic.sent_packet();
        assert!(traffic.more.is_none());
        traffic.sent_message(QoS::AtLeastOnce);
        assert_eq!(traffic.counts().messages_sent, [0, 1, 0]);
        assert_eq!(traffic.counts().packets_sent, 2);
        assert!(size_of::<Traffic>() <= 32);
    }
}
