//! Clients that come and go too often, and logins that fail too often: counters in bounded memory.
//!
//! Names are kept as keyed hashes: a name costs the same however long it is, and nobody can make
//! two names meet.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use hashbrown::HashMap;

use super::network::bits_of;
use super::{FlappingConfig, LoginBackoffConfig};

/// Most client identifiers whose disconnects one shard counts.
const FLAPPING_MAX: usize = 65_536;
/// Most addresses and user names whose failed logins a node counts.
const BACKOFF_MAX: usize = 65_536;
/// An address may stand for many clients (a balancer, a provider's NAT): so many times more
/// failures are taken from it than from a user name.
const ADDRESS_FACTOR: u32 = 10;

/// Disconnects per client identifier.
#[derive(Debug, Default)]
pub struct FlappingTable {
    hasher: RandomState,
    /// Number of disconnects, and since when (mono ms).
    counts: HashMap<u64, (u32, u64)>,
}

impl FlappingTable {
    /// Counts a disconnect; whether it is the one too many. Then counting begins anew.
    pub fn note(&mut self, config: &FlappingConfig, now_ms: u64, client_id: &str) -> bool {
        let key = self.hasher.hash_one(client_id);
        if self.counts.len() >= FLAPPING_MAX && !self.counts.contains_key(&key) {
            self.counts.retain(|_, (_, since)| *since + config.window_ms > now_ms);
            if self.counts.len() >= FLAPPING_MAX {
                return false;
            }
        }
        let (count, since) = self.counts.entry(key).or_insert((0, now_ms));
        if *since + config.window_ms <= now_ms {
            (*count, *since) = (0, now_ms);
        }
        *count += 1;
        let is_too_many = *count >= config.max_count.max(1);
        if is_too_many {
            self.counts.remove(&key);
        }
        is_too_many
    }

    /// Number of client identifiers counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether none is counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

/// Failed logins of a node.
#[derive(Debug, Default)]
pub struct LoginBackoff {
    hasher: RandomState,
    failed: Mutex<HashMap<u64, Failures>>,
    /// Entries of `failed`: most nodes have none, and then nobody takes the lock.
    len: AtomicUsize,
}

#[derive(Copy, Clone, Debug)]
struct Failures {
    count: u32,
    since_ms: u64,
    blocked_until_ms: u64,
    /// How long the next block will be.
    block_ms: u64,
}

impl LoginBackoff {
    fn keys(&self, peer: IpAddr, username: Option<&str>) -> [Option<(u64, u32)>; 2] {
        // Of an IPv6 address the network counts: a host has as many addresses there as it wants.
        let bits = bits_of(peer);
        let place = if peer.to_canonical().is_ipv4() { bits } else { bits >> 64 };
        [
            Some((self.hasher.hash_one((0_u8, place)), ADDRESS_FACTOR)),
            username.map(|name| (self.hasher.hash_one((1_u8, name)), 1)),
        ]
    }

    /// Whether a login is to be refused without asking anybody.
    #[must_use]
    pub fn is_blocked(&self, now_ms: u64, peer: IpAddr, username: Option<&str>) -> bool {
        if self.len.load(Ordering::Relaxed) == 0 || peer.to_canonical().is_loopback() {
            return false;
        }
        let failed = self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut keys = self.keys(peer, username).into_iter().flatten();
        keys.any(|(key, _)| failed.get(&key).is_some_and(|f| f.blocked_until_ms > now_ms))
    }

    /// A login failed; whether that began a block.
    pub fn note_failure(
        &self,
        config: &LoginBackoffConfig,
        now_ms: u64,
        peer: IpAddr,
        username: Option<&str>,
    ) -> bool {
        if !config.enable || peer.to_canonical().is_loopback() {
            return false;
        }
        let mut failed = self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut has_begun = false;
        for (key, factor) in self.keys(peer, username).into_iter().flatten() {
            if failed.len() >= BACKOFF_MAX && !failed.contains_key(&key) {
                failed.retain(|_, f| !f.is_over(config, now_ms));
                if failed.len() >= BACKOFF_MAX {
                    continue;
                }
            }
            let entry = failed.entry(key).or_insert(Failures {
                count: 0,
                since_ms: now_ms,
                blocked_until_ms: 0,
                block_ms: config.block_ms,
            });
            has_begun |= entry.add(config, now_ms, factor);
        }
        self.len.store(failed.len(), Ordering::Relaxed);
        has_begun
    }

    /// A login succeeded: what failed before was a mistake.
    pub fn note_success(&self, peer: IpAddr, username: Option<&str>) {
        if self.len.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut failed = self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (key, _) in self.keys(peer, username).into_iter().flatten() {
            failed.remove(&key);
        }
        self.len.store(failed.len(), Ordering::Relaxed);
    }
}

impl Failures {
    /// Counts one more; whether that begins a block.
    fn add(&mut self, config: &LoginBackoffConfig, now_ms: u64, factor: u32) -> bool {
        if self.since_ms + config.window_ms <= now_ms {
            if self.is_over(config, now_ms) {
                self.block_ms = config.block_ms;
            }
            (self.count, self.since_ms) = (0, now_ms);
        }
        self.count += 1;
        if self.count < config.failures.max(1).saturating_mul(factor) {
            return false;
        }
        self.blocked_until_ms = now_ms + self.block_ms;
        self.block_ms = self.block_ms.saturating_mul(2).min(config.block_max_ms);
        (self.count, self.since_ms) = (0, now_ms);
        true
    }

    /// Whether it can be forgotten: no block holds, and for a while nothing failed.
    fn is_over(&self, config: &LoginBackoffConfig, now_ms: u64) -> bool {
        let quiet_since = self.since_ms.max(self.blocked_until_ms);
        quiet_since + config.window_ms.max(self.block_ms) <= now_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff() -> LoginBackoffConfig {
        LoginBackoffConfig {
            failures: 3,
            window_ms: 1000,
            block_ms: 500,
            block_max_ms: 1500,
            ..LoginBackoffConfig::default()
        }
    }

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn fail(table: &LoginBackoff, now_ms: u64, times: usize) -> bool {
        (0..times).fold(false, |_, _| table.note_failure(&backoff(), now_ms, PEER, Some("u")))
    }

    #[test]
    fn flapping_is_told_once_per_series() {
        let config = FlappingConfig { enable: true, window_ms: 100, max_count: 3, ban_ms: 0 };
        let mut table = FlappingTable::default();
        let told: Vec<bool> =
            [0, 1, 2, 3, 4, 200, 201].map(|now| table.note(&config, now, "c")).into();
        assert_eq!(told, [false, false, true, false, false, false, false]);
        assert!(table.note(&config, 202, "c"));
        assert!(!table.note(&config, 202, "d"));
    }

    #[test]
    fn the_memory_of_flapping_is_bounded() {
        let config = FlappingConfig { enable: true, window_ms: 100, max_count: 1000, ban_ms: 0 };
        let mut table = FlappingTable::default();
        for n in 0..FLAPPING_MAX + 100 {
            table.note(&config, 0, &n.to_string());
        }
        assert_eq!(table.len(), FLAPPING_MAX);
        table.note(&config, 100, "later");
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn each_block_is_twice_as_long_up_to_the_longest() {
        let table = LoginBackoff::default();
        assert!(!fail(&table, 0, 2) && !table.is_blocked(0, PEER, Some("u")));
        assert!(fail(&table, 0, 1));
        let mut now = 0;
        for length in [500, 1000, 1500, 1500] {
            assert!(table.is_blocked(now + length - 1, PEER, Some("u")), "{length}");
            assert!(!table.is_blocked(now + length, PEER, Some("u")), "{length}");
            now += length;
            assert!(fail(&table, now, 3), "{length}");
        }
    }

    #[test]
    fn others_of_the_address_are_let_in_until_it_failed_much_oftener() {
        let table = LoginBackoff::default();
        fail(&table, 0, 3);
        assert!(!table.is_blocked(0, PEER, Some("other")) && !table.is_blocked(0, PEER, None));
        let other: IpAddr = "198.51.100.1".parse().unwrap();
        assert!(table.is_blocked(0, other, Some("u")), "the user name is blocked everywhere");
        fail(&table, 0, 27);
        assert!(table.is_blocked(0, PEER, Some("other")) && table.is_blocked(0, PEER, None));
    }

    #[test]
    fn a_success_and_time_make_failures_good() {
        let table = LoginBackoff::default();
        fail(&table, 0, 2);
        table.note_success(PEER, Some("u"));
        assert!(!fail(&table, 1, 2));
        assert!(!fail(&table, 1001, 2), "the window is over");
        assert!(fail(&table, 1001, 1));
    }

    #[test]
    fn loopback_is_exempt() {
        let table = LoginBackoff::default();
        let here: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        for _ in 0..100 {
            table.note_failure(&backoff(), 0, here, Some("u"));
        }
        assert!(!table.is_blocked(0, here, Some("u")) && !table.is_blocked(0, PEER, Some("u")));
    }
}
