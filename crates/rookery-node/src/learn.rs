//! What proxies say about the clients they speak for.
//!
//! Only called for connections of trusted proxies: whom to believe was decided when they were
//! accepted.

use std::net::SocketAddr;
use std::sync::Arc;

use rookery_codec::proxy::{Endpoints, ProxyError, ProxyHeader};
use rookery_core::effects::{CloseCause, ConnMeta, LogLevel, PeerCertificate};
use rookery_core::ids::{ConnKey, Now};

use crate::guard::Guard;
use crate::transport::Handshake;
use crate::worker::Worker;

impl Worker {
    /// A PROXY header came; false when its client is not let in.
    pub(crate) fn learn_from_proxy(
        &mut self,
        key: ConnKey,
        header: &ProxyHeader,
        guard: &Guard,
    ) -> bool {
        let Some(meta) = self.shard.meta(key) else { return false };
        let mut meta = ConnMeta { is_local: false, ..(*meta).clone() };
        match header.endpoints {
            Endpoints::Inet { source, destination } => {
                meta.peer = canonical(source);
                meta.local = canonical(destination);
            }
            Endpoints::Local => self.shard.counters().proxy_local.inc(),
            Endpoints::Unspecified | Endpoints::Unix { .. } => {}
        }
        let name = header.values.ssl.as_ref().and_then(|ssl| ssl.verified_common_name());
        if let Some(name) = name {
            meta.cert = Some(Arc::new(PeerCertificate {
                common_name: Some(name.into()),
                from_proxy: true,
                ..PeerCertificate::default()
            }));
        }
        let is_proxy_itself = matches!(header.endpoints, Endpoints::Local);
        let address = meta.peer.ip();
        if !is_proxy_itself && !guard.allows(address) {
            self.shard.counters().refused_access_rules.inc();
            return false;
        }
        let Some(transport) = self.transport(key) else { return false };
        let mut deadline_ms = None;
        if let Some(wrap) = transport.wrap.as_deref_mut() {
            if let Some(ws) = wrap.ws.as_deref_mut() {
                ws.peer = address;
            }
            deadline_ms = wrap.deadline_ms();
            if wrap.is_done() {
                transport.wrap = None;
            }
        }
        if let Some(deadline_ms) = deadline_ms {
            self.layers_due.arm(deadline_ms, key);
        }
        self.shard.set_meta(key, Arc::new(meta));
        true
    }

    /// A WebSocket handshake is over.
    pub(crate) fn learn_from_handshake(&mut self, key: ConnKey, handshake: &Handshake) {
        if !handshake.is_foreign {
            return;
        }
        let Some(meta) = self.shard.meta(key) else { return };
        let peer = match handshake.client {
            // Without a port of its own the client keeps that of the proxy's connection, which
            // tells connections of one address apart.
            Some(client) if client.port() == 0 => SocketAddr::new(client.ip(), meta.peer.port()),
            Some(client) => client,
            None => meta.peer,
        };
        self.shard.set_meta(key, Arc::new(ConnMeta { peer, is_local: false, ..(*meta).clone() }));
    }

    /// A connection began with something else than a PROXY header.
    pub(crate) fn refuse_proxy(&mut self, now: Now, key: ConnKey, error: ProxyError) {
        self.shard.counters().proxy_refused.inc();
        self.complain(key, LogLevel::Info, "PROXY header refused", &error.to_string());
        self.drop_connection(now, key, CloseCause::TcpError);
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
