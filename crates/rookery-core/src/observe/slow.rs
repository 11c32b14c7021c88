//! The slowest subscriptions: how long messages take to reach clients, by client and topic.

use std::sync::Arc;

use hashbrown::HashMap;

/// Which part of a message's way is measured.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum SlowStats {
    /// From its arrival until the client has it: QoS 0 when it is sent, QoS 1 when PUBACK comes,
    /// QoS 2 when PUBREC comes.
    #[default]
    Whole,
    /// From its arrival until it is sent.
    Internal,
    /// From sending until the client has it; nothing for QoS 0.
    Response,
}

/// `slow_subs.*`.
#[derive(Copy, Clone, Debug)]
pub struct SlowSubsConfig {
    /// Messages that take longer than this are kept.
    pub threshold_ms: u64,
    /// A row that was not renewed for this long is forgotten.
    pub expire_interval_ms: u64,
    /// Most rows.
    pub top_k_num: usize,
    /// What is measured.
    pub stats_type: SlowStats,
}

/// One slow subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowRow {
    /// The client.
    pub client_id: Arc<str>,
    /// The topic, mountpoint included.
    pub topic: Arc<str>,
    /// The longest time it took, ms.
    pub latency_ms: u64,
    /// When a message was slow last, ms since 1970.
    pub last_update_ms: u64,
}

/// Client and topic.
type Pair = (Arc<str>, Arc<str>);

/// The rows of one shard: never more than `top_k_num`.
#[derive(Debug, Default)]
pub struct SlowTable {
    rows: HashMap<Pair, (u64, u64)>,
    max: usize,
    expire_ms: u64,
    /// With all places taken: what is not slower than this has no place.
    floor_ms: u64,
}

impl SlowTable {
    /// Takes other bounds.
    pub fn set(&mut self, config: &SlowSubsConfig) {
        self.max = config.top_k_num;
        self.expire_ms = config.expire_interval_ms;
        self.floor_ms = 0;
        while self.rows.len() > self.max {
            self.drop_quickest();
        }
    }

    /// Forgets every row.
    pub fn clear(&mut self) {
        self.rows = HashMap::new();
        self.floor_ms = 0;
    }

    /// Notes a message that was slow.
    pub fn note(&mut self, unix_ms: u64, client_id: &Arc<str>, topic: &str, latency_ms: u64) {
        let key = (client_id.clone(), Arc::<str>::from(topic));
        if let Some((highest, at_ms)) = self.rows.get_mut(&key) {
            *highest = latency_ms.max(*highest);
            *at_ms = unix_ms;
            return;
        }
        if self.rows.len() >= self.max {
            if latency_ms <= self.floor_ms {
                return;
            }
            self.expire(unix_ms);
        }
        if self.rows.len() >= self.max {
            self.floor_ms = self.quickest().map_or(0, |(_, latency)| latency);
            if latency_ms <= self.floor_ms {
                return;
            }
            self.drop_quickest();
        }
        self.rows.insert(key, (latency_ms, unix_ms));
    }

    /// Every row that has not expired, the slowest first.
    pub fn rows(&mut self, unix_ms: u64) -> Vec<SlowRow> {
        self.expire(unix_ms);
        let row =
            |((client_id, topic), (latency_ms, last_update_ms)): (&(_, _), &(_, _))| SlowRow {
                client_id: Arc::clone(client_id),
                topic: Arc::clone(topic),
                latency_ms: *latency_ms,
                last_update_ms: *last_update_ms,
            };
        let mut rows: Vec<SlowRow> = self.rows.iter().map(row).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.latency_ms));
        rows
    }

    fn expire(&mut self, unix_ms: u64) {
        let before = self.rows.len();
        let expire_ms = self.expire_ms;
        self.rows.retain(|_, (_, at_ms)| unix_ms.saturating_sub(*at_ms) < expire_ms);
        if self.rows.len() < before {
            self.floor_ms = 0;
        }
    }

    fn quickest(&self) -> Option<(Pair, u64)> {
        let quickest = self.rows.iter().min_by_key(|(_, (latency_ms, _))| *latency_ms);
        quickest.map(|(key, (latency_ms, _))| (key.clone(), *latency_ms))
    }

    fn drop_quickest(&mut self) {
        if let Some((key, _)) = self.quickest() {
            self.rows.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{SlowStats, SlowSubsConfig, SlowTable};

    fn table(top_k_num: usize) -> SlowTable {
        let mut table = SlowTable::default();
        table.set(&SlowSubsConfig {
            threshold_ms: 500,
            expire_interval_ms: 1000,
            top_k_num,
            stats_type: SlowStats::Whole,
        });
        table
    }

    fn note(table: &mut SlowTable, at_ms: u64, client: &str, latency_ms: u64) {
        table.note(at_ms, &Arc::from(client), "t", latency_ms);
    }

    fn seen(table: &mut SlowTable, at_ms: u64) -> Vec<(String, u64)> {
        let rows = table.rows(at_ms);
        rows.iter().map(|row| (row.client_id.to_string(), row.latency_ms)).collect()
    }

    #[test]
    fn the_slowest_stay_however_many_come() {
        let mut table = table(3);
        for n in 0..1000_u64 {
            note(&mut table, 0, &format!("c{n}"), (n * 7919) % 1000);
        }
        let slowest = seen(&mut table, 0);
        assert_eq!(slowest.iter().map(|(_, ms)| *ms).collect::<Vec<_>>(), [999, 998, 997]);
    }

    #[test]
    fn a_row_keeps_its_longest_time_and_is_renewed_by_each() {
        let mut table = table(3);
        note(&mut table, 0, "a", 700);
        note(&mut table, 900, "a", 600);
        note(&mut table, 0, "b", 800);
        assert_eq!(seen(&mut table, 1500), [("a".to_owned(), 700)]);
        assert_eq!(seen(&mut table, 1900), []);
    }

    #[test]
    fn what_expired_makes_room() {
        let mut table = table(1);
        note(&mut table, 0, "a", 900);
        note(&mut table, 10, "b", 600);
        note(&mut table, 2000, "c", 950);
        assert_eq!(seen(&mut table, 2000), [("c".to_owned(), 950)]);
    }

    #[test]
    fn fewer_places_keep_the_slowest() {
        let mut table = table(3);
        for (client, latency_ms) in [("a", 600), ("b", 800), ("c", 700)] {
            note(&mut table, 0, client, latency_ms);
        }
        let mut config = SlowSubsConfig {
            threshold_ms: 500,
            expire_interval_ms: 1000,
            top_k_num: 1,
            stats_type: SlowStats::Whole,
        };
        table.set(&config);
        assert_eq!(seen(&mut table, 0), [("b".to_owned(), 800)]);
        config.top_k_num = 2;
        table.set(&config);
        note(&mut table, 0, "d", 501);
        assert_eq!(seen(&mut table, 0), [("b".to_owned(), 800), ("d".to_owned(), 501)]);
    }
}
