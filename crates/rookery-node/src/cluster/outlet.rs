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
    /// Writes that a second node keeps as well.
    pub(crate) shipped: Option<Shipped>,
}

/// Writes of one turn of a worker, for the node that keeps its sessions as well.
#[derive(Default)]
pub(crate) struct Shipped {
    /// The worker waits until that node has them, under this number; 0: it does not.
    pub(crate) ticket: u64,
    /// Whoever published is refused if that node does not confirm.
    pub(crate) is_strict: bool,
    /// They follow each other.
    pub(crate) bytes: Vec<u8>,
    /// The worker ships from here on.
    pub(crate) is_open: bool,
    /// Some sessions are among them: where to go on, none: nowhere.
    pub(crate) listed: Option<Option<u32>>,
}

impl Load for Sent {
    /// Nothing but news of routes is none.
    fn load(&self) -> Option<usize> {
        let is_something =
            !self.messages.is_empty() || self.turn.is_some() || self.shipped.is_some();
        let shipped = self.shipped.as_ref().map_or(0, |shipped| shipped.bytes.len());
        let bytes = || self.messages.iter().map(ShardMessage::bytes).sum::<usize>() + shipped;
        is_something.then(bytes)
    }
}

/// The inbox of the lanes' thread.
pub(crate) type Outlet = crate::outlet::Outlet<Sent, Order>;
