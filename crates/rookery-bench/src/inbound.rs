//! Bytes that arrive: framing, acknowledgements, counting.

use std::mem;

use rustix::event::epoll;
use rustix::io::Errno;

use crate::engine::Engine;
use crate::error::BenchError;
use crate::net::{LinkState, Role, Sent};
use crate::packet::{Frame, ack_code, next_frame, publish_parts, read_header};
use crate::watch::now_ns;

/// Largest packet taken from a broker: the protocol's own limit and its fixed header.
const PACKET_BYTES_MAX: usize = 268_435_460;

impl Engine<'_> {
    /// One read from a connection and everything that follows from it.
    pub(crate) fn on_readable(&mut self, index: usize) -> Result<(), BenchError> {
        let mut scratch = mem::take(&mut self.scratch);
        let result = self.read_into(index, &mut scratch);
        self.scratch = scratch;
        let has_acks = !self.acks.is_empty();
        if has_acks {
            let mut acks = mem::take(&mut self.acks);
            self.write(index, &acks);
            acks.clear();
            self.acks = acks;
        }
        result
    }

    fn read_into(&mut self, index: usize, scratch: &mut Vec<u8>) -> Result<(), BenchError> {
        let Some(link) = self.links.get_mut(index) else {
            return Ok(());
        };
        if link.state == LinkState::Closed {
            return Ok(());
        }
        let held = link.inbox.len();
        if held > 0 {
            if held * 2 > scratch.len() && scratch.len() < PACKET_BYTES_MAX {
                scratch.resize(scratch.len() * 2, 0);
            }
            scratch[..held].copy_from_slice(&link.inbox);
            link.inbox.clear();
        }
        let was_blocked = link.is_blocked();
        let read = match link.read(&mut scratch[held..], &mut self.wire) {
            Ok(0) => return self.on_closed(index),
            Ok(read) => read,
            Err(Errno::AGAIN | Errno::INTR) => 0,
            Err(_) => return self.on_closed(index),
        };
        if link.layers.is_some() {
            let is_new = link.state == LinkState::Handshaking && link.is_established();
            let must_rearm = link.is_blocked() != was_blocked;
            if is_new {
                self.say_hello(index)?;
            }
            if must_rearm {
                self.rearm(index)?;
            }
        }
        let bytes = &scratch[..held + read];
        let used = self.on_bytes(index, bytes)?;
        if used < bytes.len()
            && let Some(link) = self.links.get_mut(index)
        {
            link.inbox.extend_from_slice(&bytes[used..]);
        }
        Ok(())
    }

    /// Handles every whole packet in `bytes`; returns how far it got.
    fn on_bytes(&mut self, index: usize, bytes: &[u8]) -> Result<usize, BenchError> {
        let now = now_ns();
        let mut used = 0;
        let receiver = match self.links.get(index).map(|link| link.role) {
            Some(Role::Receiver(receiver)) => Some(receiver as usize),
            _ => None,
        };
        while let Some(rest) = bytes.get(used..) {
            let frame = match next_frame(rest) {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(()) => {
                    self.counters.errors += 1;
                    self.close(index);
                    return Ok(bytes.len());
                }
            };
            used += frame.total;
            if let (0x30, Some(receiver)) = (frame.first & 0xF0, receiver) {
                self.on_publish(receiver, &frame, now);
            } else {
                self.on_other(index, &frame)?;
            }
        }
        Ok(used)
    }

    #[inline]
    fn on_publish(&mut self, receiver: usize, frame: &Frame<'_>, now: u64) {
        let Some((packet_id, payload)) = publish_parts(frame.first, frame.body, self.is_v5) else {
            self.counters.errors += 1;
            return;
        };
        match frame.first & 0x06 {
            0 => {}
            2 => self.acks.extend_from_slice(&[0x40, 2, packet_id[0], packet_id[1]]),
            _ => self.acks.extend_from_slice(&[0x50, 2, packet_id[0], packet_id[1]]),
        }
        self.counters.received += 1;
        let Some((time_ns, publisher, sequence)) = read_header(payload) else {
            return;
        };
        if self.is_measuring {
            self.latency.record(now.saturating_sub(time_ns));
        }
        if publisher as usize >= self.publishers.len() {
            return;
        }
        let complete = self.ledger.arrive(receiver, publisher as usize, sequence);
        if complete > 0 && !self.config.counts_acknowledgements() {
            self.give_credit(publisher, complete);
        }
    }

    fn on_other(&mut self, index: usize, frame: &Frame<'_>) -> Result<(), BenchError> {
        let Some(link) = self.links.get(index) else {
            return Ok(());
        };
        let packet_id = match frame.body.first_chunk::<2>() {
            Some(id) => *id,
            None => [0; 2],
        };
        let failed = ack_code(frame.body) >= 0x80;
        match (frame.first >> 4, link.role) {
            // Refused, and to be tried again: what else came does not count.
            _ if link.state == LinkState::Closed => {}
            (2, _) if link.state == LinkState::AwaitingConnAck => {
                return self.on_connack(index, frame.body);
            }
            (9, _) => return self.on_suback(index, frame.body),
            (4 | 7, Role::Publisher(publisher)) => self.on_flow_ended(publisher, failed),
            (5, Role::Publisher(publisher)) if failed => self.on_flow_ended(publisher, true),
            (5, Role::Publisher(_)) => {
                self.acks.extend_from_slice(&[0x62, 2, packet_id[0], packet_id[1]]);
            }
            (6, Role::Receiver(_)) => {
                self.acks.extend_from_slice(&[0x70, 2, packet_id[0], packet_id[1]]);
            }
            // PINGRESP, and the DISCONNECT that comes before the connection closes.
            (13 | 14, _) => {}
            _ => self.counters.errors += 1,
        }
        Ok(())
    }

    /// The last acknowledgement of a QoS 1 or 2 message.
    fn on_flow_ended(&mut self, number: u32, failed: bool) {
        self.counters.errors += u64::from(failed);
        let is_complete = self.config.counts_acknowledgements();
        let Some(publisher) = self.publishers.get_mut(number as usize) else {
            return;
        };
        let was_full = publisher.inflight_room() == 0;
        publisher.inflight = publisher.inflight.saturating_sub(1);
        if is_complete {
            self.give_credit(number, 1);
        } else if was_full {
            self.mark_dirty(number);
        }
    }

    fn on_closed(&mut self, index: usize) -> Result<(), BenchError> {
        let is_ready = self.links.get(index).is_some_and(|link| link.state == LinkState::Ready);
        if !is_ready && self.try_again(index) {
            return Ok(());
        }
        if !is_ready {
            if let Some(why) = self.links.get(index).and_then(crate::net::Link::failure) {
                return Err(BenchError::Handshake { address: self.address_of(index), why });
            }
            return Err(BenchError::ClosedDuringSetUp {
                address: self.address_of(index),
                connection: index,
            });
        }
        self.close(index);
        Ok(())
    }

    /// Takes a connection out of the run after the broker ended it.
    pub(crate) fn close(&mut self, index: usize) {
        let Some(link) = self.links.get_mut(index) else {
            return;
        };
        if link.state == LinkState::Closed {
            return;
        }
        if link.state == LinkState::Ready {
            self.ready -= 1;
        }
        link.state = LinkState::Closed;
        self.counters.disconnects += 1;
        // Only fails for a descriptor that is not registered, which is the aim.
        let _ = epoll::delete(&self.epoll, &link.socket);
    }

    /// Writes to a connection and watches for room when not all of it went out.
    pub(crate) fn write(&mut self, index: usize, bytes: &[u8]) {
        let Some(link) = self.links.get_mut(index) else {
            return;
        };
        let was_blocked = link.is_blocked();
        let sent = link.write(bytes);
        if sent == Sent::Partly && !was_blocked && self.rearm(index).is_err() {
            self.close(index);
        }
        self.after_write(index, sent);
    }

    pub(crate) fn after_write(&mut self, index: usize, sent: Sent) {
        let is_ready = self.links.get(index).is_some_and(|link| link.state == LinkState::Ready);
        // During set-up the read side reports the end, with the right error.
        if sent == Sent::Closed && is_ready {
            self.close(index);
        }
    }
}
