//! Which messages arrived: duplicates, losses, order, and when a window may move on.

/// Sequence numbers seen on one stream, with a memory of the last 64.
#[derive(Debug, Clone, Copy, Default)]
struct Stream {
    next: u32,
    /// Bit `n` is set when `next - 1 - n` arrived.
    recent: u64,
}

/// What one arrival means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    InOrder,
    /// Skipped this many.
    Gap(u32),
    Late,
    Duplicate,
}

impl Stream {
    #[inline]
    fn arrive(&mut self, sequence: u32) -> Arrival {
        if sequence == self.next {
            self.next = self.next.wrapping_add(1);
            self.recent = (self.recent << 1) | 1;
            return Arrival::InOrder;
        }
        let ahead = sequence.wrapping_sub(self.next);
        if ahead < 1 << 31 {
            self.next = sequence.wrapping_add(1);
            self.recent = self.recent.checked_shl(ahead + 1).unwrap_or(0) | 1;
            return Arrival::Gap(ahead);
        }
        let back = self.next.wrapping_sub(1).wrapping_sub(sequence);
        // Older than the memory: taken for late, so that a duplicate is never invented.
        if back >= 64 {
            return Arrival::Late;
        }
        if self.recent & (1 << back) != 0 {
            return Arrival::Duplicate;
        }
        self.recent |= 1 << back;
        Arrival::Late
    }
}

/// Who receives what a publisher sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// One receiver: what a gap skipped will hardly come any more.
    One,
    /// Any one of a group: order between its members means nothing.
    Group,
    /// Every receiver.
    All,
}

/// Bookkeeping of all streams of a run.
pub(crate) struct Ledger {
    audience: Audience,
    publishers: usize,
    receivers: u32,
    streams: Vec<Stream>,
    /// Arrivals of each outstanding message (audience `All`), `ring` slots per publisher.
    arrivals: Vec<u32>,
    ring: usize,
    missing: u64,
    pub(crate) duplicates: u64,
    pub(crate) late: u64,
}

impl Ledger {
    pub(crate) fn new(
        audience: Audience,
        publishers: usize,
        receivers: usize,
        window: u32,
    ) -> Ledger {
        let (streams, ring) = match audience {
            Audience::One | Audience::Group => (publishers, 0),
            // Twice the window: a slot is free again before its number comes round.
            Audience::All => (publishers * receivers, (window as usize * 2).next_power_of_two()),
        };
        Ledger {
            audience,
            publishers,
            receivers: receivers as u32,
            streams: vec![Stream::default(); streams],
            arrivals: vec![0; ring * publishers],
            ring,
            missing: 0,
            duplicates: 0,
            late: 0,
        }
    }

    /// Notes an arrival; returns how many messages of the publisher are thereby complete.
    #[inline]
    pub(crate) fn arrive(&mut self, receiver: usize, publisher: usize, sequence: u32) -> u32 {
        let index = match self.audience {
            Audience::One | Audience::Group => publisher,
            Audience::All => receiver * self.publishers + publisher,
        };
        let Some(stream) = self.streams.get_mut(index) else {
            return 0;
        };
        let credit = match stream.arrive(sequence) {
            Arrival::InOrder => 1,
            Arrival::Gap(skipped) => {
                self.missing += u64::from(skipped);
                1 + skipped
            }
            Arrival::Late => {
                self.missing = self.missing.saturating_sub(1);
                self.late += 1;
                0
            }
            Arrival::Duplicate => {
                self.duplicates += 1;
                return 0;
            }
        };
        match self.audience {
            Audience::One => credit,
            Audience::Group => 1,
            Audience::All => self.count_arrival(publisher, sequence),
        }
    }

    #[inline]
    fn count_arrival(&mut self, publisher: usize, sequence: u32) -> u32 {
        let slot = publisher * self.ring + (sequence as usize & (self.ring - 1));
        let Some(count) = self.arrivals.get_mut(slot) else {
            return 0;
        };
        *count += 1;
        if *count < self.receivers {
            return 0;
        }
        *count = 0;
        1
    }

    /// Forgets the outstanding messages of a publisher whose window is stuck after losses.
    pub(crate) fn forget_outstanding(&mut self, publisher: usize) {
        let from = publisher * self.ring;
        if let Some(slots) = self.arrivals.get_mut(from..from + self.ring) {
            slots.fill(0);
        }
    }

    /// Messages that did not arrive, given the next sequence number of each publisher.
    pub(crate) fn lost(&self, next: &[u32]) -> u64 {
        if self.publishers == 0 {
            return 0;
        }
        let unseen: u64 = self
            .streams
            .iter()
            .enumerate()
            .map(|(index, stream)| {
                let sent = next.get(index % self.publishers).copied().unwrap_or(stream.next);
                let behind = sent.wrapping_sub(stream.next);
                if behind < 1 << 31 { u64::from(behind) } else { 0 }
            })
            .sum();
        self.missing + unseen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_gaps_late_arrivals_and_duplicates_are_told_apart() {
        let mut stream = Stream::default();
        let cases = [
            (0, Arrival::InOrder),
            (1, Arrival::InOrder),
            (4, Arrival::Gap(2)),
            (2, Arrival::Late),
            (2, Arrival::Duplicate),
            (4, Arrival::Duplicate),
            (3, Arrival::Late),
            (5, Arrival::InOrder),
            (200, Arrival::Gap(194)),
            (3, Arrival::Late),
        ];
        for (sequence, expected) in cases {
            assert_eq!(stream.arrive(sequence), expected, "{sequence}");
        }
    }

    #[test]
    fn sequence_numbers_wrap() {
        let mut stream = Stream { next: u32::MAX, recent: 0 };
        assert_eq!(stream.arrive(u32::MAX), Arrival::InOrder);
        assert_eq!(stream.arrive(0), Arrival::InOrder);
        assert_eq!(stream.arrive(u32::MAX), Arrival::Duplicate);
    }

    #[test]
    fn a_fan_out_message_is_complete_when_all_have_it() {
        let mut ledger = Ledger::new(Audience::All, 2, 3, 4);
        assert_eq!(ledger.arrive(0, 1, 0), 0);
        assert_eq!(ledger.arrive(1, 1, 0), 0);
        assert_eq!(ledger.arrive(1, 1, 0), 0);
        assert_eq!(ledger.arrive(2, 1, 0), 1);
        assert_eq!(ledger.duplicates, 1);
        assert_eq!(ledger.lost(&[0, 1]), 0);
        assert_eq!(ledger.lost(&[1, 1]), 3);
    }

    #[test]
    fn a_gap_gives_its_credit_back_and_counts_as_lost() {
        let mut ledger = Ledger::new(Audience::One, 1, 1, 4);
        assert_eq!(ledger.arrive(0, 0, 0), 1);
        assert_eq!(ledger.arrive(0, 0, 3), 3);
        assert_eq!(ledger.lost(&[4]), 2);
        assert_eq!(ledger.arrive(0, 0, 2), 0);
        assert_eq!(ledger.lost(&[4]), 1);
    }
}
