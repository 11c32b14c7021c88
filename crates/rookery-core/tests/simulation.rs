//! Seeded simulation: clients that keep the rules against shards that crash, stall and refuse.
//!
//! `ROOKERY_SIM_SEED=n` runs one seed, `ROOKERY_SIM_SEEDS=n` runs that many. A failing seed is
//! in the panic message.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod simulation {
    pub mod client;
    pub mod ledger;
    pub mod rng;
    pub mod run;
    pub mod store;
    pub mod world;
}

use simulation::run::{Plan, Run};

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn promises_hold_whatever_happens() {
    let seeds = match from_env("ROOKERY_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..from_env("ROOKERY_SIM_SEEDS").unwrap_or(200),
    };
    let count = seeds.end - seeds.start;
    let mut acked = 0;
    for seed in seeds {
        // Named before it runs: a panic shows the last line of the captured output.
        println!("seed {seed}");
        acked += Run::new(Plan::of(seed)).finish();
    }
    assert!(count < 50 || acked > 1000, "the simulation hardly publishes: {acked}");
}
