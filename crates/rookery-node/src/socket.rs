//! A connected stream socket of whatever family.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{RecvFlags, SendFlags, Shutdown};

/// A connected, non-blocking stream socket.
pub(crate) struct Socket(OwnedFd);

impl From<socket2::Socket> for Socket {
    fn from(socket: socket2::Socket) -> Self {
        Self(socket.into())
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Socket {
    /// Reads what is there; 0 is the end.
    #[inline]
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        // Not read(2), which is for files and costs more before it comes to the socket.
        let (read, _) = rustix::net::recv(&self.0, buffer, RecvFlags::empty())?;
        Ok(read)
    }

    /// Looks at what is there and leaves it; 0 is the end.
    pub(crate) fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let (read, _) = rustix::net::recv(&self.0, buffer, RecvFlags::PEEK)?;
        Ok(read)
    }

    /// Writes what the kernel takes. A peer that is gone is an error, not a signal.
    #[inline]
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::net::send(&self.0, bytes, SendFlags::NOSIGNAL)?)
    }

    /// Writes several slices behind each other.
    #[inline]
    pub(crate) fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(rustix::io::writev(&self.0, slices)?)
    }

    /// Whether the peer sends nothing more: its end was read, or the socket failed.
    pub(crate) fn is_at_end(&self) -> bool {
        let mut byte = [0; 1];
        match rustix::net::recv(&self.0, &mut byte[..], RecvFlags::PEEK) {
            Ok((read, _)) => read == 0,
            Err(error) => error != rustix::io::Errno::WOULDBLOCK,
        }
    }

    /// Says that nothing more will be sent.
    pub(crate) fn shutdown_write(&self) -> io::Result<()> {
        Ok(rustix::net::shutdown(&self.0, Shutdown::Write)?)
    }
}
