//! Sending: windows of the closed loop, the clock of the open loop.

use std::mem;

use crate::engine::Engine;
use crate::net::{LinkState, Role};
use crate::watch::now_ns;

/// Bytes that one write may carry.
const WRITE_BYTES_MAX: usize = 256 * 1024;
/// Open-loop messages sent in one turn, so that arrivals are looked at in between.
const PACED_PER_TURN: u64 = 256;

impl Engine<'_> {
    #[inline]
    pub(crate) fn mark_dirty(&mut self, number: u32) {
        if let Some(publisher) = self.publishers.get_mut(number as usize)
            && !publisher.is_dirty
        {
            publisher.is_dirty = true;
            self.dirty.push(number);
        }
    }

    pub(crate) fn mark_publisher_of(&mut self, index: usize) {
        if let Some(Role::Publisher(number)) = self.links.get(index).map(|link| link.role) {
            self.mark_dirty(number);
        }
    }

    #[inline]
    pub(crate) fn give_credit(&mut self, number: u32, messages: u32) {
        if let Some(publisher) = self.publishers.get_mut(number as usize) {
            publisher.progress = publisher.progress.saturating_add(messages);
            publisher.credit = publisher.credit.saturating_add(messages);
            if !publisher.is_dirty {
                publisher.is_dirty = true;
                self.dirty.push(number);
            }
        }
    }

    /// Sends everything that may go out in this turn.
    pub(crate) fn send_all(&mut self) {
        if self.config.rate > 0.0 {
            self.send_deferred();
            self.send_paced();
            return;
        }
        let mut dirty = mem::take(&mut self.dirty);
        for number in dirty.drain(..) {
            self.send_window(number);
        }
        // Publishers that nothing holds back marked themselves again.
        if self.dirty.is_empty() {
            self.dirty = dirty;
        }
    }

    /// Fills one publisher's window with as few writes as possible.
    fn send_window(&mut self, number: u32) {
        let window = self.config.window;
        let is_unbounded = self.config.receiving() == 0 && self.config.qos == 0;
        let Some(publisher) = self.publishers.get_mut(number as usize) else {
            return;
        };
        publisher.is_dirty = false;
        let index = publisher.link;
        let can_send =
            |link: &crate::net::Link| link.state == LinkState::Ready && !link.is_blocked();
        if !self.links.get(index).is_some_and(can_send) {
            return;
        }
        let fits = (WRITE_BYTES_MAX / publisher.packet_bytes()).max(1) as u32;
        if publisher.credit < self.config.refill {
            return;
        }
        let messages = publisher.credit.min(publisher.inflight_room()).min(fits);
        let messages = self.remaining.min(u64::from(messages)) as u32;
        if messages == 0 {
            return;
        }
        self.remaining -= u64::from(messages);
        publisher.credit -= messages;
        if is_unbounded {
            publisher.credit = window;
        }
        let is_left = publisher.credit > 0 && publisher.inflight_room() > messages;
        let now = now_ns();
        let mut out = mem::take(&mut self.out);
        for _ in 0..messages {
            publisher.put_next(&mut out, now);
        }
        self.counters.sent += u64::from(messages);
        self.write(index, &out);
        out.clear();
        self.out = out;
        if is_left {
            self.mark_dirty(number);
        }
    }

    /// When the next open-loop message is due.
    pub(crate) fn next_due_ns(&self) -> u64 {
        self.paced_from_ns + (self.paced_sent as f64 * 1e9 / self.config.rate) as u64
    }

    fn send_paced(&mut self) {
        let publishers = self.publishers.len() as u64;
        for _ in 0..PACED_PER_TURN {
            let (due, now) = (self.next_due_ns(), now_ns());
            if due > now || publishers == 0 || self.remaining == 0 {
                return;
            }
            let number = (self.paced_sent % publishers) as u32;
            self.paced_sent += 1;
            self.remaining -= 1;
            if self.is_measuring {
                self.lag.record(now - due);
            }
            self.send_at(number, due);
        }
    }

    /// Sends one open-loop message, or keeps it when its connection cannot take it.
    fn send_at(&mut self, number: u32, due_ns: u64) {
        let Some(publisher) = self.publishers.get_mut(number as usize) else {
            return;
        };
        let index = publisher.link;
        let link = self.links.get(index);
        if link.is_none_or(|link| link.state != LinkState::Ready) {
            self.counters.skipped += 1;
            return;
        }
        if link.is_some_and(|link| link.is_blocked()) || publisher.inflight_room() == 0 {
            self.counters.skipped += u64::from(!publisher.defer(due_ns));
            return;
        }
        let mut out = mem::take(&mut self.out);
        publisher.put_next(&mut out, due_ns);
        self.counters.sent += 1;
        self.write(index, &out);
        out.clear();
        self.out = out;
    }

    /// Sends open-loop messages that had to wait and now may go.
    fn send_deferred(&mut self) {
        let mut dirty = mem::take(&mut self.dirty);
        for number in dirty.drain(..) {
            let Some(publisher) = self.publishers.get_mut(number as usize) else {
                continue;
            };
            publisher.is_dirty = false;
            for _ in 0..publisher.deferred.len() {
                let Some(publisher) = self.publishers.get_mut(number as usize) else {
                    break;
                };
                let is_blocked =
                    self.links.get(publisher.link).is_none_or(|link| link.is_blocked());
                if is_blocked || publisher.inflight_room() == 0 {
                    break;
                }
                let Some(due_ns) = publisher.deferred.pop_front() else {
                    break;
                };
                self.send_at(number, due_ns);
            }
        }
        self.dirty = dirty;
    }

    /// Opens windows again that lost messages have shut for good.
    pub(crate) fn reopen_stalled_windows(&mut self) {
        if !self.is_sending || self.config.rate > 0.0 {
            return;
        }
        for number in 0..self.publishers.len() {
            let Some(publisher) = self.publishers.get_mut(number) else {
                return;
            };
            let is_stuck = publisher.progress == 0
                && publisher.credit < self.config.refill
                && publisher.inflight == 0;
            publisher.progress = 0;
            if is_stuck {
                publisher.credit = self.config.window;
                self.counters.stalls += 1;
                self.ledger.forget_outstanding(number);
                self.mark_dirty(number as u32);
            }
        }
    }
}
