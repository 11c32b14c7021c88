//! Where a listener stands: making listening sockets of either family.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use socket2::{Domain, Protocol, SockAddr, Socket, TcpKeepalive, Type};

use crate::api::ListenerConfig;

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bind {
    /// Address and port; port 0 takes a free one. `[::]` takes IPv4 as well.
    Inet(SocketAddr),
    /// A path, reachable only by the user that runs the node.
    Unix(PathBuf),
}

impl Bind {
    /// The address, unless it is a path.
    #[must_use]
    pub const fn inet(&self) -> Option<SocketAddr> {
        match self {
            Self::Inet(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl From<SocketAddr> for Bind {
    fn from(address: SocketAddr) -> Self {
        Self::Inet(address)
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for Bind {
    type Err = std::net::AddrParseError;

    /// Reads `address:port`, `[address]:port` or `unix:/path`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("unix:") {
            Some(path) if !path.is_empty() => Ok(Self::Unix(path.into())),
            _ => text.parse().map(Self::Inet),
        }
    }
}

impl ToSocketAddrs for Bind {
    type Iter = std::option::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        Ok(self.inet().into_iter())
    }
}

/// TCP keep-alive (`tcp_options.keepalive`): how a peer that went without a word is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// Silence before the first probe, seconds.
    pub idle_s: u32,
    /// Time between probes, seconds.
    pub interval_s: u32,
    /// Probes without an answer until the connection counts as lost.
    pub probes: u32,
}

/// A listening socket; a path goes with it.
#[derive(Debug)]
pub(crate) struct ListenSocket {
    pub(crate) socket: Socket,
    /// Where it stands, with the port it got.
    pub(crate) bind: Bind,
    /// Device and inode of the path.
    path_id: Option<(u64, u64)>,
}

impl AsFd for ListenSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for ListenSocket {
    fn drop(&mut self) {
        // Another node may have taken the path meanwhile.
        if let Bind::Unix(path) = &self.bind
            && path_id(path).ok() == self.path_id
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl ListenSocket {
    /// Binds and listens.
    ///
    /// # Errors
    ///
    /// The address or path is taken or not ours.
    pub(crate) fn open(config: &ListenerConfig) -> io::Result<Self> {
        match &config.bind {
            Bind::Inet(address) => open_inet(config, *address),
            Bind::Unix(path) => open_unix(config, path),
        }
    }

    /// Options of connections to come. The queue is set anew with them.
    ///
    /// # Errors
    ///
    /// The system refuses one of them.
    pub(crate) fn apply(&self, config: &ListenerConfig) -> io::Result<()> {
        if self.bind.inet().is_some() {
            set_tcp_options(config, &self.socket)?;
        }
        set_buffers(config, &self.socket)?;
        self.socket.listen(config.backlog)
    }
}

fn open_inet(config: &ListenerConfig, address: SocketAddr) -> io::Result<ListenSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // Accepted sockets inherit all of these; the buffers have to be known before the handshake.
    set_tcp_options(config, &socket)?;
    set_buffers(config, &socket)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(config.backlog)?;
    let local = socket.local_addr()?.as_socket().unwrap_or(address);
    Ok(ListenSocket { socket, bind: Bind::Inet(local), path_id: None })
}

fn set_tcp_options(config: &ListenerConfig, socket: &Socket) -> io::Result<()> {
    socket.set_tcp_nodelay(config.nodelay)?;
    let Some(keepalive) = config.keepalive else { return socket.set_keepalive(false) };
    let seconds = |s: u32| std::time::Duration::from_secs(u64::from(s.max(1)));
    let keepalive = TcpKeepalive::new()
        .with_time(seconds(keepalive.idle_s))
        .with_interval(seconds(keepalive.interval_s))
        .with_retries(keepalive.probes.max(1));
    socket.set_tcp_keepalive(&keepalive)
}

fn set_buffers(config: &ListenerConfig, socket: &Socket) -> io::Result<()> {
    if config.recv_buffer_bytes != 0 {
        socket.set_recv_buffer_size(config.recv_buffer_bytes)?;
    }
    if config.send_buffer_bytes != 0 {
        socket.set_send_buffer_size(config.send_buffer_bytes)?;
    }
    Ok(())
}

/// Binds under another name first: when the path appears, it is reachable by its owner only, and
/// one that a dead node left behind is replaced at once.
fn open_unix(config: &ListenerConfig, path: &Path) -> io::Result<ListenSocket> {
    refuse_unless_stale(path)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    set_buffers(config, &socket)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(&beside)?)?;
    // Nobody can connect before it listens.
    std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o600))?;
    socket.listen(config.backlog)?;
    std::fs::rename(&beside, path)?;
    let path_id = Some(path_id(path)?);
    Ok(ListenSocket { socket, bind: Bind::Unix(path.to_owned()), path_id })
}

/// A path may be taken over when nobody answers there, and only if it is a socket.
fn refuse_unless_stale(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            let text = "the path exists and is not a socket";
            return Err(io::Error::new(ErrorKind::AlreadyExists, text));
        }
        Ok(_) => {}
    }
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    probe.set_nonblocking(true)?;
    match probe.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        // Also when it is too busy to answer now.
        _ => Err(io::Error::new(ErrorKind::AddrInUse, "another process listens on this path")),
    }
}

fn path_id(path: &Path) -> io::Result<(u64, u64)> {
    let found = std::fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}
