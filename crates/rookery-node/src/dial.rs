//! Connections that this node opens without waiting for them.

use std::net::{SocketAddr, TcpStream};

use rustix::io::Errno;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Begins to connect; the socket, and whether that still goes on.
pub(crate) fn begin(address: SocketAddr) -> std::io::Result<(TcpStream, bool)> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    let is_connecting = match socket.connect(&address.into()) {
        Ok(()) => false,
        Err(error) if error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error()) => true,
        Err(error) => return Err(error),
    };
    Ok((socket.into(), is_connecting))
}

/// Whether an attempt to connect is over.
pub(crate) fn is_connected(stream: &TcpStream) -> std::io::Result<bool> {
    match SockRef::from(stream).take_error()? {
        None => Ok(stream.peer_addr().is_ok()),
        Some(error) => Err(error),
    }
}
