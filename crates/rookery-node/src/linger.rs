//! Sockets whose last words are on the way.
//!
//! Closing a socket with unread input makes the kernel send a reset, which can destroy what
//! was just written (CONNACK with a reason, DISCONNECT). So the sending side is shut down
//! first and input is thrown away until the peer has closed or a second has passed.

use std::collections::VecDeque;

use crate::socket::Socket;

const LINGER_MS: u64 = 1000;
const LINGERING_MAX: usize = 1024;

/// Sockets being closed gently.
#[derive(Default)]
pub(crate) struct Lingering {
    sockets: VecDeque<(u64, Socket)>,
}

impl Lingering {
    /// Takes over a socket; when there are too many the oldest is closed at once.
    pub(crate) fn push(&mut self, now_ms: u64, socket: Socket) {
        if socket.shutdown_write().is_err() {
            return;
        }
        if self.sockets.len() >= LINGERING_MAX {
            self.sockets.pop_front();
        }
        self.sockets.push_back((now_ms + LINGER_MS, socket));
    }

    /// Drops sockets whose peer has closed or whose time is over.
    pub(crate) fn sweep(&mut self, now_ms: u64) {
        self.sockets.retain(|(deadline_ms, socket)| *deadline_ms > now_ms && is_open(socket));
    }
}

fn is_open(socket: &Socket) -> bool {
    let mut waste = [0; 4096];
    for _ in 0..16 {
        match socket.read(&mut waste) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(e) => return e.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
    true
}
