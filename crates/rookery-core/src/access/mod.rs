//! Addresses and networks.

mod network;

pub use network::Network;
