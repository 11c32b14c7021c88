//! TLS between equals: each side shows a certificate and checks the other's against one CA.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};

use super::load;
use crate::api::{NodeError, TlsConfig, TlsVerify, TlsVersion};

/// Where a node has its certificate, and who signs those of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutualTlsConfig {
    /// Chain, PEM, our certificate first.
    pub certfile: PathBuf,
    /// Its key, PEM.
    pub keyfile: PathBuf,
    /// The CA of all of them.
    pub cacertfile: PathBuf,
}

/// What connections are made with, in both directions.
pub(crate) struct MutualTls {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl MutualTls {
    /// Reads the files; `who` is named in errors.
    pub(crate) fn load(config: &MutualTlsConfig, who: &str) -> Result<Self, NodeError> {
        let settings = TlsConfig {
            certfile: config.certfile.clone(),
            keyfile: config.keyfile.clone(),
            cacertfile: Some(config.cacertfile.clone()),
            password: None,
            verify: TlsVerify::Peer,
            fail_if_no_peer_cert: true,
            depth: load::DEPTH_MAX,
            versions: vec![TlsVersion::V13],
            ciphers: Vec::new(),
            crlfile: None,
            handshake_timeout_ms: 0,
            sni: Vec::new(),
            session_tickets: false,
        };
        let material = load::load(&settings, None).map_err(|problem| problem.of(who))?;
        let client = load::load_client(&settings).map_err(|problem| problem.of(who))?;
        Ok(Self { client, server: material.config.clone() })
    }

    /// Of a connection that somebody else made.
    pub(crate) fn accept(&self) -> Result<Box<Connection>, rustls::Error> {
        Ok(Box::new(Connection::Server(ServerConnection::new(self.server.clone())?)))
    }

    /// Of a connection to that host; its certificate has to be for it.
    pub(crate) fn connect(&self, host: &str) -> Result<Box<Connection>, rustls::Error> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        Ok(Box::new(Connection::Client(ClientConnection::new(self.client.clone(), name)?)))
    }
}
