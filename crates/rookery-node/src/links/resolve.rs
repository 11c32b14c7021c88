//! Looking up names without waiting: each on a thread of its own that ends with the answer.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use super::LinkOutlet;
use super::reason::Reason;

/// A look-up that goes on, or its answer.
pub(super) enum Lookup {
    Known(Vec<SocketAddr>),
    Asked(Receiver<Result<Vec<SocketAddr>, Reason>>),
}

impl Lookup {
    /// Begins; `outlet` is woken when the answer is there.
    pub(super) fn begin(host: &str, port: u16, outlet: &Arc<LinkOutlet>) -> Result<Self, Reason> {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return Ok(Self::Known(vec![SocketAddr::new(ip, port)]));
        }
        let (reply, answer) = channel();
        let (host, outlet) = (host.to_owned(), outlet.clone());
        let ask = move || {
            // Who asked may have gone on to something else.
            let _ = reply.send(resolve(&host, port));
            outlet.wake();
        };
        let thread = std::thread::Builder::new().name("links-name".into()).spawn(ask);
        thread.map_err(|error| Reason::new("name_not_resolved", error.to_string()))?;
        Ok(Self::Asked(answer))
    }

    /// The addresses, once they are known.
    pub(super) fn poll(&mut self) -> Option<Result<Vec<SocketAddr>, Reason>> {
        match self {
            Self::Known(addresses) => Some(Ok(std::mem::take(addresses))),
            Self::Asked(answer) => match answer.try_recv() {
                Ok(found) => Some(found),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => {
                    Some(Err(Reason::new("name_not_resolved", "the look-up ended without answer")))
                }
            },
        }
    }
}

fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Reason> {
    let wrong = |why: String| Reason::new("name_not_resolved", format!("{host}: {why}"));
    let found: Vec<SocketAddr> =
        (host, port).to_socket_addrs().map_err(|error| wrong(error.to_string()))?.collect();
    if found.is_empty() { Err(wrong("it has no address".to_owned())) } else { Ok(found) }
}
