//! Where workers put what other nodes get.

use rookery_core::effects::ShardMessage;

use super::control::Order;
use crate::outlet::Load;

/// What a worker has for other nodes from one turn.
pub(crate) struct Sent {
    pub(crate) worker: u16,
    /// The number under which the worker wants to know that it was taken.
    pub(crate) turn: Option<u64>,
    pub(crate) messages: Vec<ShardMessage>,
}

impl Load for Sent {
    /// Nothing but news of routes is none.
    fn load(&self) -> Option<usize> {
        let is_something = !self.messages.is_empty() || self.turn.is_some();
        is_something.then(|| self.messages.iter().map(ShardMessage::bytes).sum())
    }
}

/// The inbox of the lanes' thread.
pub(crate) type Outlet = crate::outlet::Outlet<Sent, Order>;
