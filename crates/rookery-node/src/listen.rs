//! Listening sockets.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rookery_core::effects::ConnMeta;
use socket2::{Domain, Protocol, Socket, Type};

use crate::api::{ListenerConfig, ListenerInfo, ListenerKind, NodeError, WebSocketConfig};

/// A listener that stands.
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    id: Arc<str>,
    mountpoint: Arc<str>,
    zone: u16,
    local: SocketAddr,
    pub(crate) websocket: Option<Arc<WebSocketConfig>>,
    nodelay: bool,
    enable_authn: bool,
    max_connections: usize,
    connections: Arc<AtomicUsize>,
    /// Freed for a moment when descriptors run out, so that a client can be turned away.
    reserve: Mutex<Option<std::fs::File>>,
}

/// One connection of a listener; dropping it counts it off.
pub(crate) struct ConnectionCount(Arc<AtomicUsize>);

impl Drop for ConnectionCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A client that was let in as far as the socket goes.
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    pub(crate) meta: Arc<ConnMeta>,
    pub(crate) count: ConnectionCount,
}

impl Listener {
    /// Binds and listens.
    ///
    /// # Errors
    ///
    /// The address is taken or not ours.
    pub(crate) fn bind(config: &ListenerConfig, zone: u16) -> Result<Self, NodeError> {
        let failed =
            |source| NodeError::Bind { listener: config.id.clone(), bind: config.bind, source };
        let socket = open(config).map_err(failed)?;
        let local = socket.local_addr().map_err(failed)?;
        let websocket = match &config.kind {
            ListenerKind::Tcp => None,
            ListenerKind::WebSocket(ws) => Some(Arc::new(ws.clone())),
        };
        Ok(Self {
            socket,
            id: config.id.as_str().into(),
            mountpoint: config.mountpoint.as_str().into(),
            zone,
            local,
            websocket,
            nodelay: config.nodelay,
            enable_authn: config.enable_authn,
            max_connections: config.max_connections,
            connections: Arc::new(AtomicUsize::new(0)),
            reserve: Mutex::new(std::fs::File::open("/dev/null").ok()),
        })
    }

    /// What it looks like now.
    pub(crate) fn info(&self) -> ListenerInfo {
        ListenerInfo {
            id: self.id.to_string(),
            bind: self.local,
            connections: self.connections.load(Ordering::Relaxed),
            max_connections: self.max_connections,
        }
    }

    /// Takes the next client; `None` when none waits.
    pub(crate) fn accept(&self) -> Option<Accepted> {
        loop {
            let (stream, peer) = match self.socket.accept() {
                Ok(accepted) => accepted,
                Err(e) => match e.raw_os_error() {
                    // EMFILE, ENFILE: without this the listener would stay readable and spin.
                    Some(23 | 24) => {
                        self.turn_away();
                        return None;
                    }
                    _ if e.kind() == std::io::ErrorKind::ConnectionAborted => continue,
                    _ => return None,
                },
            };
            let before = self.connections.fetch_add(1, Ordering::Relaxed);
            let count = ConnectionCount(self.connections.clone());
            if self.max_connections != 0 && before >= self.max_connections {
                continue;
            }
            if stream.set_nonblocking(true).is_err() {
                continue;
            }
            if self.nodelay {
                let _ = stream.set_nodelay(true);
            }
            let local = stream.local_addr().unwrap_or(self.local);
            let meta = Arc::new(ConnMeta {
                peer,
                local,
                listener: self.id.clone(),
                zone: self.zone,
                mountpoint: self.mountpoint.clone(),
                is_local: peer.ip().to_canonical().is_loopback(),
                enable_authn: self.enable_authn,
                cert: None,
                handover: None,
            });
            return Some(Accepted { stream, meta, count });
        }
    }

    fn turn_away(&self) {
        let mut reserve = self.reserve.lock().unwrap_or_else(PoisonError::into_inner);
        *reserve = None;
        drop(self.socket.accept());
        *reserve = std::fs::File::open("/dev/null").ok();
    }
}

fn open(config: &ListenerConfig) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(config.bind), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if config.bind.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&config.bind.into())?;
    socket.listen(config.backlog)?;
    Ok(socket.into())
}
