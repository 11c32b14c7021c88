//! The store against a naive model, on a disk that can fail, be cut off and lose power.

mod behaviour;
mod compaction;
mod damage;
mod faults;
mod harness;
mod mem_disk;
mod random;
