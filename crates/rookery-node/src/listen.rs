//! Listening sockets.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rookery_core::effects::ConnMeta;
use socket2::{Domain, Protocol, Socket, Type};

use crate::api::{ListenerConfig, ListenerInfo, ListenerKind, NodeError, WebSocketConfig};
use crate::tls::server::TlsServer;

/// A listener that stands. Its `id` is compared by address: the same name started anew is
/// another listener.
pub(crate) struct Listener {
    pub(crate) socket: Arc<TcpListener>,
    pub(crate) id: Arc<str>,
    pub(crate) tls: Option<Arc<TlsServer>>,
    kind: &'static str,
    local: SocketAddr,
    hot: RwLock<Arc<Hot>>,
    standing: Arc<Standing>,
    /// Freed for a moment when descriptors run out, so that a client can be turned away.
    reserve: Mutex<Option<std::fs::File>>,
}

/// Settings that hold for the next connection, without a new start.
struct Hot {
    mountpoint: Arc<str>,
    zone: u16,
    websocket: Option<Arc<WebSocketConfig>>,
    nodelay: bool,
    enable_authn: bool,
    max_connections: usize,
}

impl Hot {
    fn new(config: &ListenerConfig, zone: u16) -> Self {
        Self {
            mountpoint: config.mountpoint.as_str().into(),
            zone,
            websocket: match &config.kind {
                ListenerKind::Tcp => None,
                ListenerKind::WebSocket(ws) => Some(Arc::new(ws.clone())),
            },
            nodelay: config.nodelay,
            enable_authn: config.enable_authn,
            max_connections: config.max_connections,
        }
    }
}

/// What connections share with their listener.
struct Standing {
    connections: AtomicUsize,
    is_open: AtomicBool,
}

/// One connection of a listener; dropping it counts it off.
pub(crate) struct Membership(Arc<Standing>);

impl Membership {
    /// Whether the listener still stands.
    pub(crate) fn is_open(&self) -> bool {
        self.0.is_open.load(Ordering::Acquire)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A client that was let in as far as the socket goes.
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    pub(crate) meta: Arc<ConnMeta>,
    pub(crate) member: Membership,
    /// What the connection speaks below MQTT.
    pub(crate) websocket: Option<Arc<WebSocketConfig>>,
}

impl Listener {
    /// Reads the certificates, binds and listens.
    ///
    /// # Errors
    ///
    /// The address is taken or not ours, or a file of the TLS settings is no good.
    pub(crate) fn bind(config: &ListenerConfig, zone: u16) -> Result<Self, NodeError> {
        let tls = read_tls(config)?;
        let failed =
            |source| NodeError::Bind { listener: config.id.clone(), bind: config.bind, source };
        let socket = Arc::new(open(config).map_err(failed)?);
        let local = socket.local_addr().map_err(failed)?;
        Ok(Self::on(socket, local, tls, config, zone))
    }

    /// The listener anew, on the same socket: clients that connect meanwhile wait in its queue.
    ///
    /// # Errors
    ///
    /// A file of the TLS settings is no good.
    pub(crate) fn renew(&self, config: &ListenerConfig, zone: u16) -> Result<Self, NodeError> {
        let tls = read_tls(config)?;
        Ok(Self::on(self.socket.clone(), self.local, tls, config, zone))
    }

    fn on(
        socket: Arc<TcpListener>,
        local: SocketAddr,
        tls: Option<Arc<TlsServer>>,
        config: &ListenerConfig,
        zone: u16,
    ) -> Self {
        Self {
            socket,
            id: config.id.as_str().into(),
            tls,
            kind: config.kind_name(),
            local,
            hot: RwLock::new(Arc::new(Hot::new(config, zone))),
            standing: Arc::new(Standing {
                connections: AtomicUsize::new(0),
                is_open: AtomicBool::new(true),
            }),
            reserve: Mutex::new(std::fs::File::open("/dev/null").ok()),
        }
    }

    /// From the next connection on, these settings hold.
    pub(crate) fn change(&self, config: &ListenerConfig, zone: u16) {
        *self.hot.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(Hot::new(config, zone));
    }

    fn hot(&self) -> Arc<Hot> {
        self.hot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// It takes nobody in any more.
    pub(crate) fn close(&self) {
        self.standing.is_open.store(false, Ordering::Release);
    }

    /// What it looks like now.
    pub(crate) fn info(&self) -> ListenerInfo {
        ListenerInfo {
            id: self.id.to_string(),
            bind: self.local,
            connections: self.standing.connections.load(Ordering::Relaxed),
            max_connections: self.hot().max_connections,
            kind: self.kind,
            error: None,
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
            let hot = self.hot();
            let before = self.standing.connections.fetch_add(1, Ordering::Relaxed);
            let member = Membership(self.standing.clone());
            if hot.max_connections != 0 && before >= hot.max_connections {
                continue;
            }
            if stream.set_nonblocking(true).is_err() {
                continue;
            }
            if hot.nodelay {
                let _ = stream.set_nodelay(true);
            }
            let local = stream.local_addr().unwrap_or(self.local);
            let meta = Arc::new(ConnMeta {
                peer,
                local,
                listener: self.id.clone(),
                zone: hot.zone,
                mountpoint: hot.mountpoint.clone(),
                is_local: peer.ip().to_canonical().is_loopback(),
                enable_authn: hot.enable_authn,
                cert: None,
                handover: None,
            });
            return Some(Accepted { stream, meta, member, websocket: hot.websocket.clone() });
        }
    }

    fn turn_away(&self) {
        let mut reserve = self.reserve.lock().unwrap_or_else(PoisonError::into_inner);
        *reserve = None;
        drop(self.socket.accept());
        *reserve = std::fs::File::open("/dev/null").ok();
    }
}

fn read_tls(config: &ListenerConfig) -> Result<Option<Arc<TlsServer>>, NodeError> {
    let Some(settings) = &config.tls else { return Ok(None) };
    TlsServer::new(settings).map(|tls| Some(Arc::new(tls))).map_err(|p| p.of(&config.id))
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
