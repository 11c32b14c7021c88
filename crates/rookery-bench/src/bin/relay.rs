//! `rookery-relay [PORT]`: the floor under any broker's cost.
//!
//! Answers CONNECT and SUBSCRIBE just enough to learn which subscribers belong
//! to the publisher of `…/<n>`; from a publisher's first PUBLISH on it moves
//! bytes unparsed, one read and one write per receiver. Acknowledgements of a
//! single subscriber flow back to its publisher in the same way. It is a
//! measuring tool: it trusts the load generator and must never face a network.

use std::collections::HashMap;
use std::mem::{self, MaybeUninit};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::ExitCode;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketFlags, accept_with, recv, send, sockopt};

const LISTENER: u64 = u64::MAX;
const BUFFER_BYTES: usize = 256 * 1024;
/// Bytes kept for a receiver that does not read; beyond this the relay gives up.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// One connection.
struct Peer {
    socket: OwnedFd,
    /// Where its bytes go once it is raw.
    receivers: Vec<usize>,
    is_raw: bool,
    is_v5: bool,
    /// Handshake bytes that are not a whole packet yet.
    held: Vec<u8>,
    /// Bytes that its socket would not take.
    waiting: Vec<u8>,
}

/// Subscribers of one topic number.
#[derive(Default)]
struct Topic {
    subscribers: Vec<usize>,
}

struct Relay {
    epoll: OwnedFd,
    peers: Vec<Option<Peer>>,
    topics: HashMap<u32, Topic>,
}

/// The number in `prefix/<n>` or `prefix/<n>/more`.
fn topic_number(topic: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(topic).ok()?;
    text.split('/').nth(1)?.parse().ok()
}

/// First byte, body and length of the first whole packet.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (first, rest) = bytes.split_first()?;
    let mut length = 0;
    for (index, byte) in rest.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            let from = index + 1;
            return Some((*first, rest.get(from..from + length)?, 1 + from + length));
        }
    }
    None
}

fn text_at(body: &[u8], at: usize) -> Option<&[u8]> {
    let length = body.get(at..)?.first_chunk::<2>()?;
    body.get(at + 2..at + 2 + usize::from(u16::from_be_bytes(*length)))
}

impl Relay {
    fn add(&mut self, socket: OwnedFd) -> Result<(), Errno> {
        sockopt::set_tcp_nodelay(&socket, true)?;
        let free = self.peers.iter().position(Option::is_none).filter(|_| self.peers.len() > 4096);
        let index = free.unwrap_or(self.peers.len());
        epoll::add(&self.epoll, &socket, EventData::new_u64(index as u64), EventFlags::IN)?;
        let peer = Some(Peer {
            socket,
            receivers: Vec::new(),
            is_raw: false,
            is_v5: false,
            held: Vec::new(),
            waiting: Vec::new(),
        });
        match self.peers.get_mut(index) {
            Some(place) => *place = peer,
            None => self.peers.push(peer),
        }
        Ok(())
    }

    fn remove(&mut self, index: usize) {
        if let Some(place) = self.peers.get_mut(index) {
            *place = None;
        }
        for topic in self.topics.values_mut() {
            topic.subscribers.retain(|subscriber| *subscriber != index);
        }
        for peer in self.peers.iter_mut().flatten() {
            peer.receivers.retain(|receiver| *receiver != index);
        }
    }

    fn write(&mut self, index: usize, bytes: &[u8]) {
        let Some(Some(peer)) = self.peers.get_mut(index) else {
            return;
        };
        let mut written = 0;
        if peer.waiting.is_empty() {
            match send(&peer.socket, bytes, SendFlags::NOSIGNAL) {
                Ok(count) if count == bytes.len() => return,
                Ok(count) => written = count,
                Err(Errno::AGAIN) => {}
                Err(_) => return,
            }
            let flags = EventFlags::IN | EventFlags::OUT;
            // A failure shows as a stalled run, which the generator reports.
            let _ =
                epoll::modify(&self.epoll, &peer.socket, EventData::new_u64(index as u64), flags);
        }
        if peer.waiting.len() < WAITING_BYTES_MAX {
            peer.waiting.extend_from_slice(bytes.get(written..).unwrap_or_default());
        }
    }

    fn write_waiting(&mut self, index: usize) {
        let Some(Some(peer)) = self.peers.get_mut(index) else {
            return;
        };
        if peer.waiting.is_empty() {
            return;
        }
        if let Ok(written) = send(&peer.socket, &peer.waiting, SendFlags::NOSIGNAL) {
            peer.waiting.drain(..written);
        }
        if peer.waiting.is_empty() {
            let data = EventData::new_u64(index as u64);
            // As above.
            let _ = epoll::modify(&self.epoll, &peer.socket, data, EventFlags::IN);
        }
    }

    fn on_readable(&mut self, index: usize, buffer: &mut [u8]) {
        let Some(Some(peer)) = self.peers.get_mut(index) else {
            return;
        };
        let read = match recv(&peer.socket, &mut *buffer, RecvFlags::empty()) {
            Ok((_, 0)) => return self.remove(index),
            Ok((_, read)) => read,
            Err(Errno::AGAIN) => return,
            Err(_) => return self.remove(index),
        };
        let bytes = &buffer[..read];
        if peer.is_raw {
            self.pass_on(index, bytes);
            return;
        }
        peer.held.extend_from_slice(bytes);
        let held = mem::take(&mut peer.held);
        let used = self.handshake(index, &held);
        if let Some(Some(peer)) = self.peers.get_mut(index) {
            peer.held = held.get(used..).unwrap_or_default().to_vec();
        }
    }

    #[inline]
    fn pass_on(&mut self, index: usize, bytes: &[u8]) {
        let Some(Some(peer)) = self.peers.get_mut(index) else {
            return;
        };
        if let [receiver] = peer.receivers[..] {
            return self.write(receiver, bytes);
        }
        let receivers = mem::take(&mut peer.receivers);
        for receiver in &receivers {
            self.write(*receiver, bytes);
        }
        if let Some(Some(peer)) = self.peers.get_mut(index) {
            peer.receivers = receivers;
        }
    }

    /// Answers packets until a PUBLISH makes the connection raw; returns the bytes used.
    fn handshake(&mut self, index: usize, bytes: &[u8]) -> usize {
        let mut used = 0;
        while let Some((first, body, total)) = bytes.get(used..).and_then(packet) {
            match first >> 4 {
                1 => {
                    let is_v5 = body.get(6) == Some(&5);
                    if let Some(Some(peer)) = self.peers.get_mut(index) {
                        peer.is_v5 = is_v5;
                    }
                    let answer: &[u8] = if is_v5 { &[0x20, 3, 0, 0, 0] } else { &[0x20, 2, 0, 0] };
                    self.write(index, answer);
                }
                3 => {
                    self.start_raw(index, body);
                    self.pass_on(index, bytes.get(used..).unwrap_or_default());
                    return bytes.len();
                }
                8 => self.on_subscribe(index, body),
                12 => self.write(index, &[0xD0, 0]),
                14 => {
                    self.remove(index);
                    return bytes.len();
                }
                _ => {}
            }
            used += total;
        }
        used
    }

    fn on_subscribe(&mut self, index: usize, body: &[u8]) {
        let is_v5 = matches!(self.peers.get(index), Some(Some(peer)) if peer.is_v5);
        let mut answer = body.get(..2).unwrap_or_default().to_vec();
        let mut at = 2;
        if is_v5 {
            answer.push(0);
            at += 1;
        }
        while let Some(filter) = text_at(body, at) {
            if let Some(number) = topic_number(filter) {
                let subscribers = &mut self.topics.entry(number).or_default().subscribers;
                if !subscribers.contains(&index) {
                    subscribers.push(index);
                }
            }
            at += 2 + filter.len();
            answer.push(body.get(at).copied().unwrap_or(0) & 3);
            at += 1;
        }
        let mut packet = vec![0x90];
        let mut length = answer.len();
        while length > 127 {
            packet.push((length & 0x7F) as u8 | 0x80);
            length >>= 7;
        }
        packet.push(length as u8);
        packet.extend_from_slice(&answer);
        self.write(index, &packet);
    }

    /// Joins a publisher with its subscribers, for good.
    fn start_raw(&mut self, index: usize, body: &[u8]) {
        let number = text_at(body, 0).and_then(topic_number);
        let topic = number.and_then(|number| self.topics.get(&number));
        let subscribers = topic.map(|topic| topic.subscribers.clone()).unwrap_or_default();
        if let [subscriber] = subscribers[..]
            && let Some(Some(peer)) = self.peers.get_mut(subscriber)
        {
            peer.is_raw = true;
            peer.receivers = vec![index];
        }
        if let Some(Some(peer)) = self.peers.get_mut(index) {
            peer.is_raw = true;
            peer.receivers = subscribers;
        }
    }
}

fn serve(port: u16) -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    rustix::net::listen(&listener, 4096)?;
    listener.set_nonblocking(true)?;
    println!("{}", listener.local_addr()?);
    let mut relay = Relay {
        epoll: epoll::create(CreateFlags::CLOEXEC)?,
        peers: Vec::new(),
        topics: HashMap::new(),
    };
    epoll::add(&relay.epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let mut events = [MaybeUninit::uninit(); 512];
        let ready = match epoll::wait(&relay.epoll, &mut events, None) {
            Ok((ready, _)) => ready,
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        for event in ready.iter() {
            let (token, flags) = (event.data.u64(), event.flags);
            if token == LISTENER {
                while let Ok(socket) =
                    accept_with(&listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)
                {
                    relay.add(socket)?;
                }
                continue;
            }
            if flags.contains(EventFlags::OUT) {
                relay.write_waiting(token as usize);
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                relay.on_readable(token as usize, &mut buffer);
            }
        }
    }
}

fn main() -> ExitCode {
    let port = std::env::args().nth(1).map_or(Ok(0), |text| text.parse());
    let Ok(port) = port else {
        eprintln!("usage: rookery-relay [PORT]");
        return ExitCode::from(2);
    };
    match serve(port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rookery-relay: {error}");
            ExitCode::FAILURE
        }
    }
}
