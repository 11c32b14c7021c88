//! What lies between a socket and MQTT: TLS, WebSocket, both or (mostly) nothing.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use crate::config::BenchConfig;
use crate::error::BenchError;
use crate::net::Target;
use crate::tls::{client_config, server_name};
use crate::websocket::WebSocket;

/// Ciphertext taken from a socket at once; the plaintext buffer must hold that and a record more.
pub(crate) const WIRE_BYTES: usize = 64 * 1024;

/// Makes the layers of new connections.
pub(crate) struct Dialer {
    tls: Option<Arc<ClientConfig>>,
    /// By target: the name its certificate must bear, and its `Host` header.
    names: Vec<Option<ServerName<'static>>>,
    hosts: Vec<String>,
    websocket_path: Option<String>,
}

impl Dialer {
    pub(crate) fn new(config: &BenchConfig, targets: &[Target]) -> Result<Dialer, BenchError> {
        let tls = config.tls.then(|| client_config(config)).transpose()?;
        let name =
            |target: &Target| config.tls.then(|| server_name(config, &target.name)).transpose();
        Ok(Dialer {
            names: targets.iter().map(name).collect::<Result<_, _>>()?,
            hosts: targets.iter().map(|target| target.name.clone()).collect(),
            websocket_path: config.websocket.then(|| config.websocket_path.clone()),
            tls,
        })
    }

    /// Whether connections are plain TCP.
    pub(crate) fn is_plain(&self) -> bool {
        self.tls.is_none() && self.websocket_path.is_none()
    }

    /// The layers of a new connection to target `at`; `None` for plain TCP.
    pub(crate) fn layers(&self, at: usize) -> Result<Option<Box<Layers>>, BenchError> {
        if self.is_plain() {
            return Ok(None);
        }
        let name = self.names.get(at).cloned().flatten();
        let tls = match (&self.tls, name) {
            (Some(config), Some(name)) => {
                let made = ClientConnection::new(Arc::clone(config), name);
                let mut tls = made.map_err(|error| BenchError::Config(format!("tls: {error}")))?;
                // What is written goes out at once; a burst larger than the default must fit.
                tls.set_buffer_limit(None);
                Some(tls)
            }
            _ => None,
        };
        let request = self.websocket_path.as_ref().map(|path| {
            let mut request = Vec::new();
            let host = self.hosts.get(at).map_or("", String::as_str);
            WebSocket::put_request(&mut request, host, path);
            request
        });
        let websocket = request.is_some().then(WebSocket::default);
        Ok(Some(Box::new(Layers { tls, websocket, request, sealed: Vec::new(), failure: None })))
    }
}

/// The layers of one connection.
#[derive(Debug)]
pub(crate) struct Layers {
    tls: Option<ClientConnection>,
    websocket: Option<WebSocket>,
    /// The WebSocket request, until it has gone out.
    request: Option<Vec<u8>>,
    /// Bytes for the socket.
    pub(crate) sealed: Vec<u8>,
    /// Why the connection cannot go on.
    pub(crate) failure: Option<String>,
}

impl Layers {
    /// Whether MQTT may begin.
    pub(crate) fn is_established(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| !tls.is_handshaking())
            && self.websocket.as_ref().is_none_or(WebSocket::is_open)
    }

    /// Whether a session was resumed; `None` without TLS or before its handshake.
    pub(crate) fn is_resumed(&self) -> Option<bool> {
        let kind = self.tls.as_ref()?.handshake_kind()?;
        Some(kind == rustls::HandshakeKind::Resumed)
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Puts whatever the layers have to say by themselves into `sealed`.
    pub(crate) fn advance(&mut self) {
        let tls_is_ready = self.tls.as_ref().is_none_or(|tls| !tls.is_handshaking());
        if tls_is_ready && let Some(request) = self.request.take() {
            self.encrypt(&request);
        }
        self.flush_tls();
    }

    /// Puts whole control packets into `sealed`.
    pub(crate) fn seal(&mut self, packets: &[u8]) {
        if self.websocket.is_none() {
            return self.encrypt(packets);
        }
        let mut framed = Vec::new();
        WebSocket::put_packets(packets, &mut framed);
        self.encrypt(&framed);
    }

    /// Puts the end of the TLS stream into `sealed`.
    pub(crate) fn seal_end(&mut self) {
        if let Some(tls) = self.tls.as_mut() {
            tls.send_close_notify();
        }
        self.flush_tls();
    }

    fn encrypt(&mut self, bytes: &[u8]) {
        match self.tls.as_mut() {
            None => self.sealed.extend_from_slice(bytes),
            Some(tls) => {
                if let Err(error) = tls.writer().write_all(bytes) {
                    self.failure.get_or_insert_with(|| error.to_string());
                }
                self.flush_tls();
            }
        }
    }

    fn flush_tls(&mut self) {
        let Some(tls) = self.tls.as_mut() else {
            return;
        };
        while tls.wants_write() {
            if let Err(error) = tls.write_tls(&mut self.sealed) {
                self.failure.get_or_insert_with(|| error.to_string());
                return;
            }
        }
    }

    /// Opens `wire`, the ciphertext that came; writes MQTT bytes to `into`, returns how many.
    /// `Err` when the connection cannot go on (`failure` says why, unless the peer just closed).
    pub(crate) fn open(&mut self, wire: &[u8], into: &mut [u8]) -> Result<usize, ()> {
        let length = self.decrypt(wire, into);
        // An alert is for the peer even when nothing can be read any more.
        self.advance();
        length.and_then(|length| self.open_frames(into, length))
    }

    /// Turns `length` bytes of `into` into the MQTT bytes they carry.
    pub(crate) fn open_frames(&mut self, into: &mut [u8], length: usize) -> Result<usize, ()> {
        let Some(websocket) = self.websocket.as_mut() else {
            return Ok(length);
        };
        let mut replies = Vec::new();
        let taken = websocket.take(into, length, &mut replies);
        if !replies.is_empty() {
            self.encrypt(&replies);
        }
        taken.map_err(|why| {
            self.failure.get_or_insert(why);
        })
    }

    fn decrypt(&mut self, mut wire: &[u8], into: &mut [u8]) -> Result<usize, ()> {
        let Some(tls) = self.tls.as_mut() else {
            return Err(());
        };
        let mut filled = 0;
        while !wire.is_empty() {
            let read = tls.read_tls(&mut wire).map_err(|error| error.to_string());
            let done = read.and_then(|_| tls.process_new_packets().map_err(|e| e.to_string()));
            if let Err(why) = done {
                self.failure.get_or_insert(format!("TLS: {why}"));
                return Err(());
            }
            while let Some(room) = into.get_mut(filled..).filter(|room| !room.is_empty()) {
                match tls.reader().read(room) {
                    // close_notify.
                    Ok(0) => return if filled > 0 { Ok(filled) } else { Err(()) },
                    Ok(read) => filled += read,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => {
                        self.failure.get_or_insert(format!("TLS: {error}"));
                        return Err(());
                    }
                }
            }
        }
        Ok(filled)
    }
}
