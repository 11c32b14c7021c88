//! One connection of a link with what comes before it: names are looked up, addresses and servers
//! are tried in turn.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ClientConfig;

use super::client::{Client, Event, Hello};
use super::reason::Reason;
use super::resolve::Lookup;
use super::scout::Scout;
use super::{LinkOutlet, LinkTls, tls};

/// To whom connections of a link go.
pub(super) struct Destination {
    pub(super) servers: Vec<(String, u16)>,
    pub(super) tls: Option<(LinkTls, Arc<ClientConfig>)>,
    pub(super) outlet: Arc<LinkOutlet>,
}

enum State {
    Idle,
    Looking(Lookup),
    Standing(Box<Client>),
}

pub(super) struct Line {
    hello: Hello,
    state: State,
    /// The server in use.
    server: usize,
    /// Servers that this attempt has tried, the one in use included.
    tried: usize,
    /// Addresses of the server that were not tried.
    addresses: Vec<SocketAddr>,
    /// The server that it belongs to, so that those of a pool spread.
    home: usize,
    scout: Scout,
}

impl Line {
    /// A line that belongs to one of the servers.
    pub(super) fn new(hello: Hello, home: usize) -> Self {
        Self {
            hello,
            state: State::Idle,
            server: home,
            tried: 0,
            addresses: Vec::new(),
            home,
            scout: Scout::default(),
        }
    }

    /// Whether the server that it belongs to answers again while another one is in use; asked for
    /// now and then, it looks every `every_ms`.
    pub(super) fn may_go_home(&mut self, to: &Destination, now_ms: u64, every_ms: u64) -> bool {
        if !self.is_ready() || self.server == self.home {
            self.scout = Scout::default();
            return false;
        }
        let Some((host, port)) = to.servers.get(self.home) else { return false };
        self.scout.look(host, *port, to, now_ms, every_ms)
    }

    /// Ends the connection; the next attempt begins with the server that it belongs to.
    pub(super) fn go_home(&mut self) {
        self.close();
        self.server = self.home;
        self.scout = Scout::default();
    }

    pub(super) fn client(&self) -> Option<&Client> {
        if let State::Standing(client) = &self.state { Some(client) } else { None }
    }

    /// The client once it may publish.
    pub(super) fn ready(&mut self) -> Option<&mut Client> {
        match &mut self.state {
            State::Standing(client) if client.is_ready() => Some(client),
            _ => None,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.client().is_some_and(Client::is_ready)
    }

    /// Octets that the other side has not taken.
    pub(super) fn unsent(&self) -> usize {
        self.client().map_or(0, Client::unsent)
    }

    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// The server in use, or tried.
    pub(super) fn server<'a>(&self, to: &'a Destination) -> Option<&'a (String, u16)> {
        to.servers.get(self.server)
    }

    /// Begins an attempt, with the server that was used last.
    pub(super) fn begin(&mut self, to: &Destination, now_ms: u64) -> Result<(), Reason> {
        self.tried = 1;
        self.look_up(to, now_ms)
    }

    fn look_up(&mut self, to: &Destination, now_ms: u64) -> Result<(), Reason> {
        self.addresses.clear();
        let Some((host, port)) = to.servers.get(self.server) else {
            self.server = 0;
            return Err(Reason::new("refused", "the link has no server"));
        };
        match Lookup::begin(host, *port, &to.outlet) {
            Ok(lookup) => {
                self.state = State::Looking(lookup);
                self.found(to, now_ms)
            }
            Err(reason) => self.next(to, now_ms, reason),
        }
    }

    /// Goes on when the name is looked up.
    fn found(&mut self, to: &Destination, now_ms: u64) -> Result<(), Reason> {
        let State::Looking(lookup) = &mut self.state else { return Ok(()) };
        match lookup.poll() {
            None => Ok(()),
            Some(Ok(mut addresses)) => {
                addresses.reverse();
                self.addresses = addresses;
                self.next(to, now_ms, Reason::new("name_not_resolved", "it has no address"))
            }
            Some(Err(reason)) => self.next(to, now_ms, reason),
        }
    }

    /// Tries what comes next after a failure; the failure if there is nothing left.
    fn next(&mut self, to: &Destination, now_ms: u64, mut reason: Reason) -> Result<(), Reason> {
        self.state = State::Idle;
        while let Some(address) = self.addresses.pop() {
            match self.dial(to, address, now_ms) {
                Ok(client) => {
                    self.state = State::Standing(Box::new(client));
                    return Ok(());
                }
                Err(failed) => reason = failed,
            }
        }
        if self.tried >= to.servers.len() {
            return Err(reason);
        }
        self.tried += 1;
        self.server = (self.server + 1) % to.servers.len();
        // At most as deep as there are servers.
        self.look_up(to, now_ms)
    }

    fn dial(&self, to: &Destination, address: SocketAddr, now_ms: u64) -> Result<Client, Reason> {
        let host = to.servers.get(self.server).map_or("", |(host, _)| host);
        let tls = match &to.tls {
            None => None,
            Some((settings, config)) => Some((config.clone(), tls::server_name(settings, host)?)),
        };
        Client::dial(address, tls, &self.hello, now_ms)
    }

    /// Takes what came; an error when the connection is lost, or could not be made with anybody.
    pub(super) fn serve(
        &mut self,
        to: &Destination,
        now_ms: u64,
        events: &mut Vec<Event>,
    ) -> Result<(), Reason> {
        let result = match &mut self.state {
            State::Idle => return Ok(()),
            State::Looking(_) => return self.found(to, now_ms),
            State::Standing(client) => client.serve(&self.hello, now_ms, events),
        };
        self.settle(to, now_ms, result)
    }

    /// Looks after what takes too long.
    pub(super) fn watch(&mut self, to: &Destination, now_ms: u64) -> Result<(), Reason> {
        let result = match &mut self.state {
            State::Idle => return Ok(()),
            State::Looking(_) => return self.found(to, now_ms),
            State::Standing(client) => client.watch(now_ms),
        };
        self.settle(to, now_ms, result)
    }

    pub(super) fn flush(&mut self, to: &Destination, now_ms: u64) -> Result<(), Reason> {
        let result = match &mut self.state {
            State::Standing(client) => client.flush(),
            _ => return Ok(()),
        };
        self.settle(to, now_ms, result)
    }

    fn settle(
        &mut self,
        to: &Destination,
        now_ms: u64,
        result: Result<(), Reason>,
    ) -> Result<(), Reason> {
        let Err(reason) = result else { return Ok(()) };
        if self.is_ready() {
            self.state = State::Idle;
            return Err(reason);
        }
        self.next(to, now_ms, reason)
    }

    /// Ends the connection.
    pub(super) fn close(&mut self) {
        if let State::Standing(client) = std::mem::replace(&mut self.state, State::Idle) {
            client.close();
        }
    }

    pub(super) fn due_ms(&self) -> u64 {
        self.client().map_or(u64::MAX, Client::due_ms)
    }
}
