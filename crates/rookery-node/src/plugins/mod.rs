//! Worker processes of plugins: a thread of its own carries questions and notices to them.
//!
//! A plugin has one worker process or several, each at the end of a stream socket. The thread
//! takes what the core asks and tells in batches, frames it ([`wire`]), and brings answers back.
//! Nothing of it passes an event loop of Python in the node's process.
//!
//! **Bounds.** A worker has at most [`PluginRoute::open_max`] questions open and
//! [`PluginRoute::bytes_max`] bytes unsent; what comes on top gets the configured answer (questions) or
//! is left out (notices), and is counted. A question that is not answered within
//! [`PluginRoute::deadline_ms`] gets the configured answer too; a worker that answered nothing for so
//! long gets one question at a time until it does. Nothing a worker does or does not do stops the
//! thread.

mod bridge;
pub mod hook;
mod route;
mod trust;
pub mod wire;
mod worker;

pub use bridge::PluginBridge;
pub use route::{Failure, PluginRoute, WorkerFigures};
