//! Sockets: addresses, descriptors, one connection's bytes in and out.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, bind, connect, recv,
    send, shutdown, socket_with, sockopt,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::BenchError;
use crate::layers::Layers;

/// Descriptors besides the connections: standard streams, epoll, timer, some to spare.
const FILES_SPARE: u64 = 64;

/// A broker's address, as given and resolved.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
}

pub(crate) fn resolve(addresses: &[String]) -> Result<Vec<Target>, BenchError> {
    addresses
        .iter()
        .map(|name| {
            let fail = |source| BenchError::Resolve { address: name.clone(), source };
            let address = name
                .to_socket_addrs()
                .map_err(fail)?
                .next()
                .ok_or_else(|| fail(std::io::ErrorKind::NotFound.into()))?;
            Ok(Target { name: name.clone(), address })
        })
        .collect()
}

/// Raises the soft limit of open files so that `connections` fit.
pub(crate) fn ensure_files(connections: u64) -> Result<(), BenchError> {
    let needed = connections + FILES_SPARE;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let refuse = BenchError::FileLimit { needed, limit: limit.maximum.unwrap_or(u64::MAX) };
    if limit.maximum.is_some_and(|maximum| maximum < needed) {
        return Err(refuse);
    }
    let raised = Rlimit { current: limit.maximum.or(Some(needed)), maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).map_err(|_| refuse)
}

/// Starts a non-blocking connection; writable means finished or failed.
pub(crate) fn start_connect(
    target: &Target,
    source: Option<IpAddr>,
) -> Result<OwnedFd, BenchError> {
    let fail =
        |errno: Errno| BenchError::Connect { address: target.name.clone(), source: errno.into() };
    let family = match target.address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::STREAM, flags, None).map_err(fail)?;
    sockopt::set_tcp_nodelay(&socket, true).map_err(fail)?;
    if let Some(address) = source {
        bind(&socket, &SocketAddr::new(address, 0)).map_err(fail)?;
    }
    match connect(&socket, &target.address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(errno) => Err(fail(errno)),
    }
}

/// Life of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkState {
    Connecting,
    /// TCP stands; TLS or WebSocket are being agreed on.
    Handshaking,
    AwaitingConnAck,
    Subscribing,
    Ready,
    Closed,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Idle(u32),
    Receiver(u32),
    Publisher(u32),
}

/// One connection: its socket and the bytes that wait on either side.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) socket: OwnedFd,
    pub(crate) state: LinkState,
    pub(crate) role: Role,
    pub(crate) target: u32,
    /// Start of a packet whose rest has not come yet.
    pub(crate) inbox: Vec<u8>,
    /// Bytes the system would not take; empty almost always.
    outbox: Vec<u8>,
    out_from: usize,
    /// TLS and WebSocket; `None` for plain TCP.
    pub(crate) layers: Option<Box<Layers>>,
    /// Filters sent and filters acknowledged.
    pub(crate) filters_sent: u32,
    pub(crate) filters_acknowledged: u32,
}

/// How a write went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    All,
    /// Some bytes wait for the socket.
    Partly,
    Closed,
}

impl Link {
    pub(crate) fn new(
        socket: OwnedFd,
        role: Role,
        target: u32,
        layers: Option<Box<Layers>>,
    ) -> Link {
        Link {
            socket,
            state: LinkState::Connecting,
            role,
            target,
            inbox: Vec::new(),
            outbox: Vec::new(),
            out_from: 0,
            layers,
            filters_sent: 0,
            filters_acknowledged: 0,
        }
    }

    #[inline]
    pub(crate) fn is_blocked(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Reads MQTT bytes; `Ok(0)` is the end, `AGAIN` that none have come. `wire` is scratch.
    #[inline]
    pub(crate) fn read(&mut self, into: &mut [u8], wire: &mut [u8]) -> Result<usize, Errno> {
        if self.layers.is_some() {
            return self.read_layered(into, wire);
        }
        recv(&self.socket, into, RecvFlags::empty()).map(|(read, _)| read)
    }

    fn read_layered(&mut self, into: &mut [u8], wire: &mut [u8]) -> Result<usize, Errno> {
        let Some(layers) = self.layers.as_deref_mut() else {
            return Err(Errno::AGAIN);
        };
        let opened = if layers.is_tls() {
            let (read, _) = recv(&self.socket, &mut *wire, RecvFlags::empty())?;
            if read == 0 {
                return Ok(0);
            }
            layers.open(wire.get(..read).unwrap_or_default(), into)
        } else {
            let (read, _) = recv(&self.socket, &mut *into, RecvFlags::empty())?;
            if read == 0 {
                return Ok(0);
            }
            layers.open_frames(into, read)
        };
        let sent = self.flush_layers();
        match opened {
            Err(()) => Ok(0),
            Ok(_) if sent == Sent::Closed => Ok(0),
            Ok(0) => Err(Errno::AGAIN),
            Ok(read) => Ok(read),
        }
    }

    /// Starts what lies between the socket and MQTT.
    pub(crate) fn begin_layers(&mut self) -> Sent {
        if let Some(layers) = self.layers.as_deref_mut() {
            layers.advance();
        }
        self.flush_layers()
    }

    /// Whether MQTT may begin.
    #[inline]
    pub(crate) fn is_established(&self) -> bool {
        self.layers.as_deref().is_none_or(Layers::is_established)
    }

    /// Ends the TLS stream, if there is one, and the sending side.
    pub(crate) fn finish(&mut self) {
        if let Some(layers) = self.layers.as_deref_mut() {
            layers.seal_end();
            self.flush_layers();
        }
        // Fails only on a connection that is gone already.
        let _ = shutdown(&self.socket, Shutdown::Write);
    }

    /// Asks the peer to close, without MQTT: by the end of the TLS stream, else of the sending side.
    pub(crate) fn ask_to_close(&mut self) {
        match self.layers.as_deref_mut() {
            // Who closes TCP first keeps the port for a minute: that should be the broker.
            Some(layers) if layers.is_tls() => {
                layers.seal_end();
                self.flush_layers();
            }
            _ => self.finish(),
        }
    }

    /// Why the layers gave up; for the error that ends the run.
    pub(crate) fn failure(&self) -> Option<String> {
        self.layers.as_deref()?.failure.clone()
    }

    /// Sends what the layers have sealed.
    fn flush_layers(&mut self) -> Sent {
        let Some(layers) = self.layers.as_deref_mut() else {
            return Sent::All;
        };
        if layers.sealed.is_empty() {
            return Sent::All;
        }
        let mut sealed = std::mem::take(&mut layers.sealed);
        let sent = self.write_wire(&sealed);
        sealed.clear();
        if let Some(layers) = self.layers.as_deref_mut() {
            layers.sealed = sealed;
        }
        sent
    }

    /// Writes whole control packets now or keeps what does not fit.
    #[inline]
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Sent {
        if let Some(layers) = self.layers.as_deref_mut() {
            layers.seal(bytes);
            return self.flush_layers();
        }
        self.write_wire(bytes)
    }

    #[inline]
    fn write_wire(&mut self, bytes: &[u8]) -> Sent {
        if self.is_blocked() {
            self.outbox.extend_from_slice(bytes);
            return Sent::Partly;
        }
        match send(&self.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(written) if written == bytes.len() => Sent::All,
            Ok(written) => {
                self.outbox.extend_from_slice(bytes.get(written..).unwrap_or_default());
                Sent::Partly
            }
            Err(Errno::AGAIN | Errno::INTR) => {
                self.outbox.extend_from_slice(bytes);
                Sent::Partly
            }
            Err(_) => Sent::Closed,
        }
    }

    /// Writes what waited.
    pub(crate) fn write_waiting(&mut self) -> Sent {
        while let Some(rest) = self.outbox.get(self.out_from..).filter(|rest| !rest.is_empty()) {
            match send(&self.socket, rest, SendFlags::NOSIGNAL) {
                Ok(written) => self.out_from += written,
                Err(Errno::AGAIN | Errno::INTR) => return Sent::Partly,
                Err(_) => return Sent::Closed,
            }
        }
        self.outbox.clear();
        self.out_from = 0;
        Sent::All
    }

    pub(crate) fn interest(&self) -> epoll::EventFlags {
        let mut flags = epoll::EventFlags::IN;
        if self.is_blocked() || self.state == LinkState::Connecting {
            flags |= epoll::EventFlags::OUT;
        }
        flags
    }
}
