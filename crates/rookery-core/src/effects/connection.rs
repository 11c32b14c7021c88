//! What is known of a transport connection, and why one ends.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rookery_codec::ReasonCode;

/// Who and where a transport connection is, known before CONNECT.
#[derive(Clone, Debug)]
pub struct ConnMeta {
    /// Address of the client, as the operating system or a trusted proxy header tells it.
    pub peer: SocketAddr,
    /// Address it connected to.
    pub local: SocketAddr,
    /// Listener id such as `tcp:default`.
    pub listener: Arc<str>,
    /// Index into `BrokerConfig::zones`.
    pub zone: u16,
    /// Prefix of every topic of this client; empty = none.
    pub mountpoint: Arc<str>,
    /// Loopback TCP without proxy header, forwarded header or the `Origin` of a page; a UNIX socket.
    pub is_local: bool,
    /// Whether authentication is asked for; without it everybody is admitted.
    pub enable_authn: bool,
    /// A client without user name and certificate is refused before anybody is asked.
    pub quick_deny_anonymous: bool,
    /// How fast the client may send; none = as fast as it likes.
    pub rates: Option<Arc<crate::limiter::ClientRates>>,
    /// The client's certificate, as TLS or a trusted PROXY header tells it.
    pub cert: Option<Arc<PeerCertificate>>,
    /// It comes from another shard, admitted already.
    pub handover: Option<Arc<crate::conn::Handover>>,
}

impl ConnMeta {
    /// Stands for an address that is not known: that of a session whose record an older version wrote.
    pub const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

    /// Address of the client, if it is known.
    #[must_use]
    pub fn known_peer(&self) -> Option<SocketAddr> {
        Some(self.peer).filter(|peer| *peer != Self::NOWHERE)
    }

    /// Address it connected to, if it is known.
    #[must_use]
    pub fn known_local(&self) -> Option<SocketAddr> {
        Some(self.local).filter(|local| *local != Self::NOWHERE)
    }
}

/// A client's certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerCertificate {
    /// Common Name of its subject.
    pub common_name: Option<Box<str>>,
    /// Its subject.
    pub subject_dn: Option<Box<str>>,
    /// The certificate; forgotten once the client is admitted, absent when a proxy tells of it.
    pub der: Option<Box<[u8]>>,
    /// A PROXY header told it: whoever wrote that header has verified it.
    pub from_proxy: bool,
}

/// Why a connection ended. Shown to users as EMQX's `reason`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum CloseCause {
    /// DISCONNECT from the client.
    Normal,
    /// The peer closed the socket.
    TcpClosed,
    /// A socket error.
    TcpError,
    /// Nothing heard for the keep alive.
    KeepaliveTimeout,
    /// No CONNECT in time.
    IdleTimeout,
    /// Another connection took the session.
    TakenOver,
    /// Another connection discarded the session.
    Discarded,
    /// An administrator ended it.
    Kicked,
    /// It was sent to another node.
    Moved,
    /// CONNECT was refused.
    NotAuthorized,
    /// It did what it may not, and `authorization.deny_action` is `disconnect`.
    DeniedAction,
    /// It is banned.
    Banned,
    /// What its authentication granted is over.
    Expired,
    /// The client broke the protocol; the reason code says how.
    Protocol(ReasonCode),
    /// It took no bytes for `send_timeout`.
    SendTimeout,
    /// The node is stopping.
    ServerShutdown,
    /// The node has no room.
    Overload,
    /// Its listener was stopped or restarted.
    ListenerStopped,
    /// The certificate it came with is revoked or signed by nobody trusted any more.
    CertificateRevoked,
}

impl CloseCause {
    /// EMQX's word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::TcpClosed => "tcp_closed",
            Self::TcpError => "tcp_error",
            Self::KeepaliveTimeout => "keepalive_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::TakenOver => "takenover",
            Self::Discarded => "discarded",
            Self::Kicked => "kicked",
            Self::Moved => "use_another_server",
            Self::NotAuthorized => "not_authorized",
            Self::DeniedAction => "not_authorized",
            Self::Banned => "banned",
            Self::Expired => "expired",
            Self::Protocol(code) => code.name(),
            Self::SendTimeout => "send_timeout",
            Self::ServerShutdown => "server_shutting_down",
            Self::Overload => "overload",
            Self::ListenerStopped => "listener_stopped",
            Self::CertificateRevoked => "certificate_revoked",
        }
    }
}

impl CloseCause {
    /// The inverse of [`CloseCause::name`], as far as names tell.
    #[must_use]
    pub fn by_name(name: &str) -> Self {
        const NAMED: [CloseCause; 18] = [
            CloseCause::Normal,
            CloseCause::TcpClosed,
            CloseCause::TcpError,
            CloseCause::KeepaliveTimeout,
            CloseCause::IdleTimeout,
            CloseCause::TakenOver,
            CloseCause::Discarded,
            CloseCause::Kicked,
            CloseCause::Moved,
            CloseCause::NotAuthorized,
            CloseCause::Banned,
            CloseCause::Expired,
            CloseCause::SendTimeout,
            CloseCause::ServerShutdown,
            CloseCause::Overload,
            CloseCause::ListenerStopped,
            CloseCause::CertificateRevoked,
            CloseCause::DeniedAction,
        ];
        let named = NAMED.into_iter().find(|cause| cause.name() == name);
        named.unwrap_or_else(|| {
            let code = (0..=u8::MAX).map(ReasonCode).find(|code| code.name() == name);
            Self::Protocol(code.unwrap_or(ReasonCode::UNSPECIFIED_ERROR))
        })
    }
}
