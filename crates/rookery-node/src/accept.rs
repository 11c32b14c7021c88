//! A worker's side of taking clients in.

use std::sync::Arc;
use std::time::Duration;

use rookery_core::ids::Now;
use rustix::event::epoll;

use crate::listen::{Accepted, Listener, Next};
use crate::transport::{ProxyStage, Transport, WebSocket, Wrap};
use crate::worker::Worker;

/// Clients accepted per listener and turn.
const ACCEPTS_MAX: usize = 64;

/// A compressed WebSocket message may hold as much as the largest packet, and this in any case.
const MESSAGE_BYTES_MIN: usize = 64 * 1024;

/// A listener that takes nobody for a while: its clients wait in the queue of the system. Closing
/// them at once would only make them come back at once.
pub(crate) struct Resting {
    until_ms: u64,
    token: u16,
    listener: Arc<Listener>,
}

impl Worker {
    /// Clients wait at a listener.
    pub(crate) fn accept(&mut self, now: Now, token: u16) {
        let Some(Some(listener)) = self.listeners.get(usize::from(token)).cloned() else { return };
        for _ in 0..ACCEPTS_MAX {
            match listener.accept(now.mono_ms, self.shard.counters()) {
                Next::Nobody => return,
                Next::Wait(wait) => {
                    self.rest(now, token, listener, wait);
                    return;
                }
                Next::Client(accepted) => self.welcome(now, &listener, accepted),
            }
        }
    }

    fn welcome(&mut self, now: Now, listener: &Listener, accepted: Accepted) {
        let Accepted { socket, meta, member, hot } = accepted;
        let message_bytes_max = self.shard.max_packet_size(meta.zone).max(MESSAGE_BYTES_MIN);
        let ws = hot.websocket.clone().map(|config| {
            let ends = (meta.peer.ip(), meta.local.port());
            Box::new(WebSocket::new(
                config,
                hot.guard.clone(),
                ends,
                message_bytes_max,
                now.mono_ms,
            ))
        });
        let tls = match listener.tls.as_ref().map(|tls| tls.accept(now.mono_ms)) {
            Some(None) => return,
            tls => tls.flatten(),
        };
        let proxy = hot.proxy_timeout_ms.map(|timeout_ms| {
            let deadline_ms = now.mono_ms.saturating_add(timeout_ms);
            Box::new(ProxyStage::new(deadline_ms, hot.guard.clone()))
        });
        let transport = Transport::new(socket, Wrap::new(proxy, tls, ws), member);
        self.take_connection(now, Box::new(transport), meta);
    }

    fn rest(&mut self, now: Now, token: u16, listener: Arc<Listener>, wait: Duration) {
        let _ = epoll::delete(&self.epoll, &*listener.socket);
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.resting.push(Resting {
            until_ms: now.mono_ms.saturating_add(wait_ms),
            token,
            listener,
        });
    }

    /// Listeners whose rest is over take clients in again.
    pub(crate) fn end_rests(&mut self, now: Now) {
        let is_over = |resting: &mut Resting| resting.until_ms <= now.mono_ms;
        let over: Vec<Resting> = self.resting.extract_if(.., is_over).collect();
        for Resting { token, listener, .. } in over {
            let standing = self.listeners.get(usize::from(token)).and_then(Option::as_ref);
            // It may have been stopped, or its place taken by another one, meanwhile.
            if standing.is_some_and(|standing| Arc::ptr_eq(standing, &listener)) {
                self.listen(token, listener);
            }
        }
    }
}
