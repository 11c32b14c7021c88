//! TLS of one connection, on rustls' unbuffered interface: ciphertext is opened and sealed in
//! buffers of the thread, an idle connection owns nothing but its keys.

use std::sync::Arc;

use rookery_core::effects::PeerCertificate;
use rustls::HandshakeKind;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError,
    UnbufferedStatus, WriteTraffic,
};

use super::facts;
use super::load::Material;
use super::server::TlsServer;

/// Most bytes read at once, and the largest message of a handshake.
pub(crate) const READ_BYTES_MAX: usize = 64 * 1024;
/// More than a record adds to what it carries, for records of 16 KiB.
const RECORD_OVERHEAD_BYTES: usize = 256;
const RECORD_BYTES: usize = 16 * 1024;
/// Records that may wait to be sent when a connection fails.
const ALERT_STEPS_MAX: usize = 4;

/// One TLS connection.
pub(crate) struct TlsSession {
    connection: UnbufferedServerConnection,
    /// Ciphertext of a record that is not complete.
    held: Vec<u8>,
    deadline_ms: u64,
    server: Arc<TlsServer>,
    /// What the handshake was begun with, until it is over.
    material: Option<Arc<Material>>,
    /// The handshake is over and the worker was told.
    is_announced: bool,
    has_said_goodbye: bool,
}

/// What became of ciphertext.
pub(crate) struct Opened {
    /// So many bytes stand at the front of the room.
    pub(crate) len: usize,
    /// Why nothing more comes.
    pub(crate) end: Option<TlsEnd>,
}

/// Why a TLS connection ends.
pub(crate) enum TlsEnd {
    /// The peer closed it as it should.
    Closed,
    /// It cannot go on.
    Failed(rustls::Error),
}

impl TlsSession {
    pub(super) fn new(
        connection: UnbufferedServerConnection,
        server: Arc<TlsServer>,
        material: Arc<Material>,
        deadline_ms: u64,
    ) -> Self {
        Self {
            connection,
            held: Vec::new(),
            deadline_ms,
            server,
            material: Some(material),
            is_announced: false,
            has_said_goodbye: false,
        }
    }

    /// Whether no application data can flow yet.
    pub(crate) fn is_handshaking(&self) -> bool {
        !self.is_announced && self.connection.is_handshaking()
    }

    /// When the handshake has to be over.
    pub(crate) fn deadline_ms(&self) -> u64 {
        self.deadline_ms
    }

    /// Whether the handshake is over and the worker does not know yet.
    pub(crate) fn is_just_established(&self) -> bool {
        !self.is_announced && !self.connection.is_handshaking()
    }

    /// The worker learns that the handshake is over; false when the client may not stay: who comes
    /// back with a ticket was not checked, and whom is trusted may have changed meanwhile.
    pub(crate) fn announce(&mut self) -> bool {
        self.is_announced = true;
        let is_checked = self.material.take().is_some_and(|m| self.server.trusts_as(&m));
        let is_resumed = self.connection.handshake_kind() == Some(HandshakeKind::Resumed);
        (is_checked && !is_resumed) || self.is_admissible()
    }

    /// Whether the client would be admitted by what the listener's files hold now.
    pub(crate) fn is_admissible(&self) -> bool {
        self.server.admits(self.connection.peer_certificates())
    }

    /// The certificate that the client proved to own; none when it showed none.
    pub(crate) fn peer(&self) -> Option<Arc<PeerCertificate>> {
        self.connection.peer_certificates()?.first().map(facts::peer)
    }

    /// Bytes kept.
    pub(crate) fn held(&self) -> usize {
        self.held.capacity()
    }

    /// Puts what is held to the front of `input`, a buffer of the thread; how much that is.
    pub(crate) fn begin_read(&mut self, input: &mut Vec<u8>) -> usize {
        if input.len() < READ_BYTES_MAX {
            input.resize(READ_BYTES_MAX, 0);
        }
        let held = self.held.len();
        if let Some(front) = input.get_mut(..held) {
            front.copy_from_slice(&self.held);
        }
        held
    }

    /// Nothing was read.
    pub(crate) fn end_read(&mut self, rest: &[u8]) {
        if rest.is_empty() {
            self.held = Vec::new();
        } else if self.held.as_slice() != rest {
            self.held.clear();
            self.held.extend_from_slice(rest);
        }
    }

    /// Opens records; plaintext comes to the front of `room`, what TLS answers is appended to `out`.
    pub(crate) fn open(&mut self, input: &mut [u8], room: &mut [u8], out: &mut Vec<u8>) -> Opened {
        let mut at = 0;
        let mut len = 0;
        let end = loop {
            let rest = input.get_mut(at..).unwrap_or_default();
            let UnbufferedStatus { discard, state } = self.connection.process_tls_records(rest);
            at += discard;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        at += record.discard;
                        let payload = record.payload;
                        // Plaintext is shorter than its ciphertext, so there is room.
                        if let Some(to) = room.get_mut(len..len + payload.len()) {
                            to.copy_from_slice(payload);
                            len += payload.len();
                        }
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, out),
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_)) => {
                    break None;
                }
                // Early data is not offered, so nothing but an end remains.
                Ok(_) => break Some(TlsEnd::Closed),
                Err(error) => {
                    self.encode_alert(input.get_mut(at..).unwrap_or_default(), out);
                    break Some(TlsEnd::Failed(error));
                }
            }
        };
        self.end_read(input.get(at..).unwrap_or_default());
        Opened { len, end }
    }

    /// After an error there may be an alert to send. rustls must not look at `input` again: it
    /// would fail once more.
    fn encode_alert(&mut self, input: &mut [u8], out: &mut Vec<u8>) {
        for _ in 0..ALERT_STEPS_MAX {
            if !self.connection.wants_write() {
                return;
            }
            if let Ok(ConnectionState::EncodeTlsData(mut data)) =
                self.connection.process_tls_records(input).state
            {
                encode(&mut data, out);
            }
        }
    }

    /// Seals `plain` into records behind what is in `out`.
    pub(crate) fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), ()> {
        let mut sealed = Err(());
        self.with_traffic(out, |traffic, out| sealed = seal_with(traffic, plain, out));
        sealed
    }

    /// Appends the alert that ends the connection as it should.
    pub(crate) fn seal_end(&mut self, out: &mut Vec<u8>) {
        if self.has_said_goodbye || self.connection.is_handshaking() {
            return;
        }
        self.has_said_goodbye = true;
        self.with_traffic(out, |traffic, out| {
            let _ =
                grow(out, RECORD_OVERHEAD_BYTES, |room| match traffic.queue_close_notify(room) {
                    Err(EncryptError::InsufficientSize(needed)) => Err(Some(needed)),
                    Err(_) => Err(None),
                    Ok(n) => Ok(n),
                });
        });
    }

    /// Calls `act` when application data may be sent; what TLS itself has to send goes before it.
    fn with_traffic(
        &mut self,
        out: &mut Vec<u8>,
        act: impl FnOnce(&mut WriteTraffic<'_, rustls::server::ServerConnectionData>, &mut Vec<u8>),
    ) {
        // rustls counts from the front of what it has not discarded, so it is shown again.
        let UnbufferedStatus { discard, state } =
            self.connection.process_tls_records(&mut self.held);
        match state {
            Ok(ConnectionState::WriteTraffic(mut traffic)) => act(&mut traffic, out),
            Ok(ConnectionState::EncodeTlsData(mut data)) => {
                encode(&mut data, out);
                drop(data);
                self.drop_held(discard);
                if let Ok(ConnectionState::TransmitTlsData(mut data)) =
                    self.connection.process_tls_records(&mut self.held).state
                {
                    if let Some(mut traffic) = data.may_encrypt_app_data() {
                        act(&mut traffic, out);
                    }
                    data.done();
                }
                return;
            }
            _ => {}
        }
        self.drop_held(discard);
    }

    fn drop_held(&mut self, discard: usize) {
        if discard > 0 {
            self.held.drain(..discard.min(self.held.len()));
        }
    }
}

fn encode<Data>(data: &mut EncodeTlsData<'_, Data>, out: &mut Vec<u8>) {
    let _ = grow(out, 0, |room| match data.encode(room) {
        Err(EncodeError::InsufficientSize(needed)) => Err(Some(needed)),
        Err(_) => Err(None),
        Ok(n) => Ok(n),
    });
}

fn seal_with<Data>(
    traffic: &mut WriteTraffic<'_, Data>,
    plain: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), ()> {
    let records = plain.len() / RECORD_BYTES + 1;
    grow(out, plain.len() + records * RECORD_OVERHEAD_BYTES, |room| {
        match traffic.encrypt(plain, room) {
            Err(EncryptError::InsufficientSize(needed)) => Err(Some(needed)),
            Err(_) => Err(None),
            Ok(n) => Ok(n),
        }
    })
}

/// Lets `fill` write behind what is in `out`, with more room when it asks for it.
fn grow(
    out: &mut Vec<u8>,
    guess: usize,
    mut fill: impl FnMut(&mut [u8]) -> Result<usize, Option<InsufficientSizeError>>,
) -> Result<(), ()> {
    let at = out.len();
    let mut room = guess;
    for _ in 0..2 {
        out.resize(at + room, 0);
        match fill(out.get_mut(at..).unwrap_or_default()) {
            Ok(n) => {
                out.truncate(at + n);
                return Ok(());
            }
            Err(Some(needed)) => room = needed.required_size,
            Err(None) => break,
        }
    }
    out.truncate(at);
    Err(())
}
