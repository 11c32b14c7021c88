//! Listeners, reactor threads and wiring of a Rookery node.
