//! One connection between two nodes: bytes out, frames in.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use rookery_cluster::frame::{self, Frame, FrameError};
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use crate::dial;

use crate::tls::mutual::MutualTls;

/// Bytes read at once.
const READ_BYTES: usize = 256 << 10;
/// A buffer that grew beyond this is given back when it is empty.
const KEEP_BYTES: usize = 1 << 20;
/// Unsent bytes from which no further batches are added.
pub(super) const UNSENT_MAX: usize = 256 << 10;

/// Why a connection ends, as [`super::PeerStatus::last_error`] says it.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) code: &'static str,
    pub(super) detail: String,
}

impl Broken {
    pub(super) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    fn of(error: std::io::Error) -> Self {
        let errno = Errno::from_io_error(&error);
        errno.map_or_else(|| Self::new("unreachable", error.to_string()), Self::io)
    }

    fn io(error: Errno) -> Self {
        let code = match error {
            Errno::CONNREFUSED => "connect_refused",
            Errno::CONNRESET | Errno::PIPE => "closed",
            Errno::TIMEDOUT => "connect_timeout",
            _ => "unreachable",
        };
        Self::new(code, std::io::Error::from(error).to_string())
    }
}

impl Broken {
    fn tls(error: std::io::Error) -> Self {
        Self::new("tls", error.to_string())
    }

    fn stream(error: &std::io::Error) -> Self {
        Errno::from_io_error(error)
            .map_or_else(|| Self::new("unreachable", error.to_string()), Self::io)
    }
}

impl From<FrameError> for Broken {
    fn from(error: FrameError) -> Self {
        Self::new("protocol", error.to_string())
    }
}

pub(super) struct Connection {
    stream: TcpStream,
    tls: Option<Box<rustls::Connection>>,
    is_connecting: bool,
    out: Vec<u8>,
    sent: usize,
    input: Vec<u8>,
    taken: usize,
    /// The largest frame that is taken.
    max: usize,
    pub(super) heard_at_ms: u64,
    pub(super) asked_at_ms: u64,
    pub(super) began_at_ms: u64,
}

impl Connection {
    pub(super) fn accepted(
        stream: TcpStream,
        tls: Option<&MutualTls>,
        now_ms: u64,
    ) -> std::io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let tls = tls.map(MutualTls::accept).transpose().map_err(std::io::Error::other)?;
        Ok(Self::new(stream, tls, false, now_ms))
    }

    /// Begins to connect; `host` is whom the certificate has to be for.
    pub(super) fn open(
        address: SocketAddr,
        host: &str,
        tls: Option<&MutualTls>,
        now_ms: u64,
    ) -> Result<Self, Broken> {
        let tls = tls
            .map(|tls| tls.connect(host))
            .transpose()
            .map_err(|error| Broken::new("tls", format!("{host}: {error}")))?;
        let (stream, is_connecting) = dial::begin(address).map_err(Broken::of)?;
        Ok(Self::new(stream, tls, is_connecting, now_ms))
    }

    fn new(
        stream: TcpStream,
        tls: Option<Box<rustls::Connection>>,
        is_connecting: bool,
        now_ms: u64,
    ) -> Self {
        Self {
            stream,
            tls,
            is_connecting,
            out: Vec::new(),
            sent: 0,
            input: Vec::new(),
            taken: 0,
            max: frame::HANDSHAKE_BYTES_MAX,
            heard_at_ms: now_ms,
            asked_at_ms: 0,
            began_at_ms: now_ms,
        }
    }

    /// The other side has shown who it is.
    pub(super) fn trust(&mut self) {
        self.max = frame::FRAME_BYTES_MAX;
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// What to wait for.
    pub(super) fn interest(&self, may_read: bool) -> PollFlags {
        let is_sealed = self.tls.as_ref().is_some_and(|tls| tls.wants_write());
        // While TLS takes no more it has something to write itself, or waits for the other side.
        let write = self.is_connecting || is_sealed || (self.tls.is_none() && self.unsent() > 0);
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::OUT, write);
        flags.set(PollFlags::IN, may_read && !self.is_connecting);
        flags
    }

    /// Bytes that wait; what TLS itself has to say counts as one.
    pub(super) fn unsent(&self) -> usize {
        let is_sealed = self.tls.as_ref().is_some_and(|tls| tls.wants_write());
        self.out.len() - self.sent + usize::from(is_sealed)
    }

    pub(super) fn is_connecting(&self) -> bool {
        self.is_connecting
    }

    /// Whether the connection attempt is over.
    pub(super) fn finish_connecting(&mut self) -> Result<bool, Broken> {
        if !self.is_connecting {
            return Ok(true);
        }
        self.is_connecting = !dial::is_connected(&self.stream).map_err(Broken::of)?;
        Ok(!self.is_connecting)
    }

    pub(super) fn put(&mut self, frame: &Frame<'_>) {
        frame.encode(&mut self.out);
    }

    pub(super) fn put_bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Sends as much as the other side takes.
    pub(super) fn send(&mut self) -> Result<(), Broken> {
        if self.is_connecting {
            return Ok(());
        }
        if self.tls.is_some() {
            return self.send_sealed();
        }
        while let Some(unsent) = self.out.get(self.sent..).filter(|unsent| !unsent.is_empty()) {
            match rustix::net::send(&self.stream, unsent, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
            {
                Ok(n) => self.sent += n,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(Broken::io(error)),
            }
        }
        self.forget_sent();
        Ok(())
    }

    fn forget_sent(&mut self) {
        self.sent = 0;
        self.out.clear();
        if self.out.capacity() > KEEP_BYTES {
            self.out = Vec::new();
        }
    }

    /// The same through TLS, which buffers a little until its handshake is over.
    fn send_sealed(&mut self) -> Result<(), Broken> {
        let Some(tls) = self.tls.as_mut() else { return Ok(()) };
        loop {
            let unsent = self.out.get(self.sent..).unwrap_or_default();
            let taken = tls.writer().write(unsent).map_err(Broken::tls)?;
            self.sent += taken;
            if !tls.wants_write() {
                break;
            }
            match tls.write_tls(&mut &self.stream) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Broken::stream(&error)),
            }
        }
        if self.sent == self.out.len() {
            self.forget_sent();
        }
        Ok(())
    }

    /// Reads once what is there; whether there was something.
    pub(super) fn receive(&mut self, now_ms: u64, scratch: &mut Vec<u8>) -> Result<bool, Broken> {
        // Before it is trusted the buffer holds two frames of a handshake and no more.
        if self.tls.is_some() {
            return self.receive_sealed(now_ms);
        }
        let room = if self.max == frame::FRAME_BYTES_MAX { READ_BYTES } else { 2 * self.max };
        scratch.resize(READ_BYTES, 0);
        let chunk = scratch.get_mut(..room).unwrap_or_default();
        match rustix::net::recv(&self.stream, chunk, RecvFlags::DONTWAIT) {
            Ok((_, 0)) => Err(Broken::new("closed", "the other node closed the connection")),
            Ok((_, n)) => {
                self.heard_at_ms = now_ms;
                let bytes = scratch.get(..n).unwrap_or_default();
                self.input.drain(..std::mem::take(&mut self.taken));
                if self.input.is_empty() && self.input.capacity() > KEEP_BYTES {
                    self.input = Vec::new();
                }
                self.input.extend_from_slice(bytes);
                Ok(true)
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(error) => Err(Broken::io(error)),
        }
    }

    /// The same through TLS, at most what one read takes.
    fn receive_sealed(&mut self, now_ms: u64) -> Result<bool, Broken> {
        let Some(tls) = self.tls.as_mut() else { return Ok(false) };
        match tls.read_tls(&mut &self.stream) {
            Ok(0) => return Err(Broken::new("closed", "the other node closed the connection")),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(false),
            Err(error) => return Err(Broken::stream(&error)),
        }
        let state = match tls.process_new_packets() {
            Ok(state) => state,
            Err(error) => {
                // The other side is told why, if it still listens.
                let _ = tls.write_tls(&mut &self.stream);
                return Err(Broken::new("tls", error.to_string()));
            }
        };
        self.heard_at_ms = now_ms;
        self.input.drain(..std::mem::take(&mut self.taken));
        if self.input.is_empty() && self.input.capacity() > KEEP_BYTES {
            self.input = Vec::new();
        }
        let begin = self.input.len();
        self.input.resize(begin + state.plaintext_bytes_to_read(), 0);
        let room = self.input.get_mut(begin..).unwrap_or_default();
        tls.reader().read_exact(room).map_err(Broken::tls)?;
        Ok(true)
    }

    /// The next frame of what was read.
    pub(super) fn next(&mut self) -> Result<Option<Frame<'_>>, Broken> {
        let rest = self.input.get(self.taken..).unwrap_or_default();
        match frame::next(rest, self.max)? {
            Some((frame, len)) => {
                self.taken += len;
                Ok(Some(frame))
            }
            None => Ok(None),
        }
    }
}
