//! One connection of a link: octets in and out, plain or TLS.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustix::event::PollFlags;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::reason::Reason;
use crate::dial;
use crate::tls::explain;

/// Octets read at once.
const READ_BYTES: usize = 64 << 10;
/// Octets read in one turn: others want to be served.
const TURN_BYTES: usize = 512 << 10;
/// A buffer that grew beyond this is given back when it is empty.
const KEEP_BYTES: usize = 1 << 20;

/// With what a TLS connection is begun.
pub(super) type TlsParts = (Arc<ClientConfig>, ServerName<'static>);

pub(super) struct Socket {
    stream: TcpStream,
    is_connecting: bool,
    tls: Option<Box<ClientConnection>>,
    out: Vec<u8>,
    sent: usize,
}

fn closed() -> Reason {
    Reason::new("closed", "the other side closed the connection")
}

impl Socket {
    pub(super) fn open(address: SocketAddr, tls: Option<TlsParts>) -> Result<Self, Reason> {
        let (stream, is_connecting) =
            dial::begin(address).map_err(|error| Reason::of_io(&error))?;
        let tls = match tls {
            None => None,
            Some((config, name)) => {
                let connection = ClientConnection::new(config, name);
                Some(Box::new(connection.map_err(|error| tls_failed(&error))?))
            }
        };
        Ok(Self { stream, is_connecting, tls, out: Vec::new(), sent: 0 })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// What to wait for.
    pub(super) fn interest(&self) -> PollFlags {
        if self.is_connecting {
            return PollFlags::OUT;
        }
        let wants_write = match &self.tls {
            // What is not encrypted yet waits for the handshake, not for the socket.
            Some(tls) => tls.wants_write() || (!tls.is_handshaking() && self.unsent() > 0),
            None => self.unsent() > 0,
        };
        let mut flags = PollFlags::IN;
        flags.set(PollFlags::OUT, wants_write);
        flags
    }

    /// Octets that were not given to the system.
    pub(super) fn unsent(&self) -> usize {
        self.out.len() - self.sent
    }

    /// Where to append what goes out.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Whether the connection stands; with TLS the handshake may still go on.
    pub(super) fn is_open(&mut self) -> Result<bool, Reason> {
        if self.is_connecting {
            let is_connected =
                dial::is_connected(&self.stream).map_err(|error| Reason::of_io(&error))?;
            self.is_connecting = !is_connected;
        }
        Ok(!self.is_connecting)
    }

    /// Sends as much as the other side takes.
    pub(super) fn flush(&mut self) -> Result<(), Reason> {
        if self.is_connecting {
            return Ok(());
        }
        let Self { stream, tls, out, sent, .. } = self;
        loop {
            let unsent = out.get(*sent..).unwrap_or_default();
            let written = match tls {
                None if unsent.is_empty() => break,
                None => stream.write(unsent),
                Some(tls) => {
                    if !unsent.is_empty() && !tls.is_handshaking() && !tls.wants_write() {
                        *sent += tls.writer().write(unsent).unwrap_or(0);
                    }
                    if !tls.wants_write() {
                        break;
                    }
                    tls.write_tls(stream).map(|_| 0)
                }
            };
            match written {
                Ok(n) => *sent += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Reason::of_io(&error)),
            }
        }
        if self.sent == self.out.len() {
            self.sent = 0;
            self.out.clear();
            if self.out.capacity() > KEEP_BYTES {
                self.out = Vec::new();
            }
        } else if self.sent > KEEP_BYTES {
            self.out.drain(..std::mem::take(&mut self.sent));
        }
        Ok(())
    }

    /// Appends what came; whether something did.
    pub(super) fn read(&mut self, input: &mut Vec<u8>) -> Result<bool, Reason> {
        if self.is_connecting {
            return Ok(false);
        }
        let before = input.len();
        while input.len() - before < TURN_BYTES {
            let end = match &mut self.tls {
                None => read_plain(&mut self.stream, input)?,
                Some(tls) => read_tls(tls, &mut self.stream, input)?,
            };
            if end {
                break;
            }
        }
        Ok(input.len() > before)
    }
}

/// Reads once; whether there is no more.
fn read_plain(stream: &mut TcpStream, input: &mut Vec<u8>) -> Result<bool, Reason> {
    let start = input.len();
    input.resize(start + READ_BYTES, 0);
    let read = stream.read(input.get_mut(start..).unwrap_or_default());
    input.truncate(start + read.as_ref().map_or(0, |n| *n));
    match read {
        Ok(0) => Err(closed()),
        Ok(n) => Ok(n < READ_BYTES),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(true),
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(false),
        Err(error) => Err(Reason::of_io(&error)),
    }
}

fn read_tls(
    tls: &mut ClientConnection,
    stream: &mut TcpStream,
    input: &mut Vec<u8>,
) -> Result<bool, Reason> {
    let is_over = match tls.read_tls(stream) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
        Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(false),
        Err(error) => return Err(Reason::of_io(&error)),
    };
    let state = match tls.process_new_packets() {
        Ok(state) => state,
        Err(error) => {
            // The other side learns why, if it listens.
            let _ = tls.write_tls(stream);
            return Err(tls_failed(&error));
        }
    };
    let start = input.len();
    input.resize(start + state.plaintext_bytes_to_read(), 0);
    let read = tls.reader().read(input.get_mut(start..).unwrap_or_default()).unwrap_or(0);
    input.truncate(start + read);
    if is_over || state.peer_has_closed() { Err(closed()) } else { Ok(false) }
}

fn tls_failed(error: &rustls::Error) -> Reason {
    Reason::new("tls", explain::of_server(error))
}
