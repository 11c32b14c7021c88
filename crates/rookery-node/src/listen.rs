//! Listening sockets.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rookery_core::effects::ConnMeta;
use rookery_core::limiter::ClientRates;
use rookery_core::metrics::Metrics;

use crate::api::{ListenerConfig, ListenerInfo, ListenerKind, NodeError, WebSocketConfig};
use crate::bind::{Bind, ListenSocket};
use crate::guard::Guard;
use crate::socket::Socket;
use crate::tls::server::{Reloaded, TlsServer};

/// Both ends of a connection through a UNIX socket, which has no addresses.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Clients turned away in a row before others get their turn; epoll tells of the rest again.
const REFUSALS_MAX: usize = 64;

/// A listener that stands. Its `id` is compared by address: the same name started anew is
/// another listener.
pub(crate) struct Listener {
    pub(crate) socket: Arc<ListenSocket>,
    pub(crate) id: Arc<str>,
    pub(crate) tls: Option<Arc<TlsServer>>,
    kind: &'static str,
    hot: RwLock<Arc<Hot>>,
    standing: Arc<Standing>,
    /// Freed for a moment when descriptors run out, so that a client can be turned away.
    reserve: Mutex<Option<std::fs::File>>,
}

/// Settings that hold for the next connection, without a new start.
pub(crate) struct Hot {
    mountpoint: Arc<str>,
    zone: u16,
    pub(crate) websocket: Option<Arc<WebSocketConfig>>,
    pub(crate) guard: Arc<Guard>,
    /// How long a PROXY header may take; none = there is none.
    pub(crate) proxy_timeout_ms: Option<u64>,
    enable_authn: bool,
    quick_deny_anonymous: bool,
    rates: Option<Arc<ClientRates>>,
    max_connections: usize,
}

impl Hot {
    fn new(config: &ListenerConfig, zone: u16) -> Result<Self, NodeError> {
        let failed = |setting: &str, detail| NodeError::Config {
            path: format!("listeners.{}.{setting}", config.id.replace(':', ".")),
            detail,
        };
        let guard = Guard::new(config, 0).map_err(|(setting, detail)| failed(setting, detail))?;
        if config.proxy_protocol && config.trusted_proxies.is_empty() {
            let detail = "proxy_protocol is on and no balancer is listed whose header counts";
            return Err(failed("trusted_proxies", detail.into()));
        }
        Ok(Self {
            mountpoint: config.mountpoint.as_str().into(),
            zone,
            websocket: match &config.kind {
                ListenerKind::Tcp => None,
                ListenerKind::WebSocket(ws) => Some(Arc::new(ws.clone())),
            },
            guard: Arc::new(guard),
            proxy_timeout_ms: config.proxy_protocol.then_some(config.proxy_protocol_timeout_ms),
            enable_authn: config.enable_authn,
            quick_deny_anonymous: config.quick_deny_anonymous,
            rates: config.client_rates().map(Arc::new),
            max_connections: config.max_connections,
        })
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
    pub(crate) socket: Socket,
    pub(crate) meta: Arc<ConnMeta>,
    pub(crate) member: Membership,
    /// What the connection speaks below MQTT.
    pub(crate) hot: Arc<Hot>,
}

/// What accepting came to.
pub(crate) enum Next {
    /// A client.
    Client(Accepted),
    /// None waits.
    Nobody,
    /// No more may be taken for this long.
    Wait(Duration),
}

impl Listener {
    /// Reads the certificates, binds and listens.
    ///
    /// # Errors
    ///
    /// The address is taken or not ours, or a rule or a file of the TLS settings is no good.
    pub(crate) fn bind(config: &ListenerConfig, zone: u16) -> Result<Self, NodeError> {
        let tls = read_tls(config)?;
        let hot = Hot::new(config, zone)?;
        let socket = ListenSocket::open(config).map_err(|source| NodeError::Bind {
            listener: config.id.clone(),
            bind: config.bind.clone(),
            source,
        })?;
        Ok(Self::on(Arc::new(socket), tls, config, hot))
    }

    /// The listener anew, on the same socket: clients that connect meanwhile wait in its queue.
    ///
    /// # Errors
    ///
    /// A rule or a file of the TLS settings is no good.
    pub(crate) fn renew(&self, config: &ListenerConfig, zone: u16) -> Result<Self, NodeError> {
        let (tls, hot) = (read_tls(config)?, Hot::new(config, zone)?);
        self.apply_options(config)?;
        Ok(Self::on(self.socket.clone(), tls, config, hot))
    }

    fn on(
        socket: Arc<ListenSocket>,
        tls: Option<Arc<TlsServer>>,
        config: &ListenerConfig,
        hot: Hot,
    ) -> Self {
        Self {
            socket,
            id: config.id.as_str().into(),
            tls,
            kind: config.kind_name(),
            hot: RwLock::new(Arc::new(hot)),
            standing: Arc::new(Standing {
                connections: AtomicUsize::new(0),
                is_open: AtomicBool::new(true),
            }),
            reserve: Mutex::new(std::fs::File::open("/dev/null").ok()),
        }
    }

    /// From the next connection on, these settings hold; what that means for certificates.
    ///
    /// # Errors
    ///
    /// A rule that is none, or a file of the TLS settings that is no good; then nothing changes.
    pub(crate) fn change(&self, config: &ListenerConfig, zone: u16) -> Result<Reloaded, NodeError> {
        let hot = Arc::new(Hot::new(config, zone)?);
        let reloaded = match (&self.tls, &config.tls) {
            (Some(tls), Some(settings)) if tls.settings() != *settings => {
                tls.reload(Some(settings)).map_err(|problem| problem.of(&config.id))?
            }
            _ => Reloaded::Unchanged,
        };
        self.apply_options(config)?;
        *self.hot.write().unwrap_or_else(PoisonError::into_inner) = hot;
        Ok(reloaded)
    }

    /// Which zone new connections belong to.
    pub(crate) fn zone(&self) -> u16 {
        self.hot().zone
    }

    fn apply_options(&self, config: &ListenerConfig) -> Result<(), NodeError> {
        self.socket
            .apply(config)
            .map_err(|source| NodeError::Io { what: "set the options of a listener", source })
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
            bind: self.socket.bind.clone(),
            connections: self.standing.connections.load(Ordering::Relaxed),
            max_connections: self.hot().max_connections,
            kind: self.kind,
            error: None,
        }
    }

    /// Takes the next client.
    pub(crate) fn accept(&self, now_ms: u64, counters: &Metrics) -> Next {
        for _ in 0..REFUSALS_MAX {
            let hot = self.hot();
            let wait = hot.guard.wait(now_ms);
            if !wait.is_zero() {
                counters.delayed_max_conn_rate.inc();
                return Next::Wait(wait);
            }
            let (socket, peer) = match self.socket.socket.accept() {
                Ok(accepted) => accepted,
                Err(e) => match e.raw_os_error() {
                    // EMFILE, ENFILE: without this the listener would stay readable and spin.
                    Some(23 | 24) => {
                        self.turn_away();
                        return Next::Nobody;
                    }
                    _ if e.kind() == std::io::ErrorKind::ConnectionAborted => continue,
                    _ => return Next::Nobody,
                },
            };
            if let Some(accepted) = self.admit(hot, socket, peer.as_socket(), counters) {
                return Next::Client(accepted);
            }
        }
        Next::Nobody
    }

    /// What the address alone decides. A connection that is not let in is just closed: an answer
    /// would cost more than the attempt.
    fn admit(
        &self,
        hot: Arc<Hot>,
        socket: socket2::Socket,
        peer: Option<SocketAddr>,
        counters: &Metrics,
    ) -> Option<Accepted> {
        let peer = peer.map_or(NOWHERE, |p| SocketAddr::new(p.ip().to_canonical(), p.port()));
        let is_trusted = hot.guard.trusts(peer.ip());
        if hot.proxy_timeout_ms.is_some() && !is_trusted {
            counters.proxy_untrusted.inc();
            return None;
        }
        // A proxy will tell for whom it speaks; the rules are about those.
        let speaks_for_others =
            is_trusted && (hot.proxy_timeout_ms.is_some() || hot.websocket.is_some());
        if !speaks_for_others && !hot.guard.allows(peer.ip()) {
            counters.refused_access_rules.inc();
            return None;
        }
        hot.guard.count();
        let before = self.standing.connections.fetch_add(1, Ordering::Relaxed);
        let member = Membership(self.standing.clone());
        if hot.max_connections != 0 && before >= hot.max_connections {
            counters.refused_max_connections.inc();
            return None;
        }
        socket.set_nonblocking(true).ok()?;
        let local = match &self.socket.bind {
            Bind::Inet(bind) => {
                socket.local_addr().ok().and_then(|a| a.as_socket()).unwrap_or(*bind)
            }
            Bind::Unix(_) => NOWHERE,
        };
        let meta = Arc::new(ConnMeta {
            peer,
            local: SocketAddr::new(local.ip().to_canonical(), local.port()),
            listener: self.id.clone(),
            zone: hot.zone,
            mountpoint: hot.mountpoint.clone(),
            is_local: peer.ip().is_loopback(),
            enable_authn: hot.enable_authn,
            quick_deny_anonymous: hot.quick_deny_anonymous,
            rates: hot.rates.clone(),
            cert: None,
            handover: None,
        });
        Some(Accepted { socket: socket.into(), meta, member, hot })
    }

    fn turn_away(&self) {
        let mut reserve = self.reserve.lock().unwrap_or_else(PoisonError::into_inner);
        *reserve = None;
        drop(self.socket.socket.accept());
        *reserve = std::fs::File::open("/dev/null").ok();
    }
}

fn read_tls(config: &ListenerConfig) -> Result<Option<Arc<TlsServer>>, NodeError> {
    let Some(settings) = &config.tls else { return Ok(None) };
    TlsServer::new(settings).map(|tls| Some(Arc::new(tls))).map_err(|p| p.of(&config.id))
}
