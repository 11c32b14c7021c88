//! One seed: who is there, what happens, and what has to hold at the end.

use rookery_codec::{QoS, ReasonCode, SubscriptionOptions, Version};
use rookery_core::config::{Admission, BrokerConfig, MqttConfig, ZoneConfig};

use super::client::{Client, News, Outbound};
use super::ledger::Ledger;
use super::rng::Rng;
use super::world::World;

const TOPICS: [&str; 5] = ["t/0", "t/1", "t/2", "t/0/x", "t/1/x"];
const FILTERS: [&str; 6] = ["t/#", "t/+", "t/0", "t/1", "t/+/x", "+/0/#"];
const SHARED: &str = "$share/g/t/#";
/// Clients 0 to 2 keep plain subscriptions, 3 to 5 share one, 6 and 7 publish, 8 and 9 do as they like.
const MEMBERS: [usize; 3] = [3, 4, 5];
const CLIENTS: usize = 10;

/// What a seed decides.
pub struct Plan {
    seed: u64,
    shards: u16,
    crashes: bool,
    refusals: usize,
    steps: usize,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let shards = u16::try_from(seed % 3).unwrap() + 1;
        let refusals = if seed % 10 == 9 { 15 } else { 0 };
        Self {
            seed,
            shards,
            crashes: !seed.is_multiple_of(4) && refusals == 0,
            refusals,
            steps: 500,
        }
    }
}

pub struct Run {
    plan: Plan,
    rng: Rng,
    world: World,
    clients: Vec<Client>,
    ledger: Ledger,
    next_number: u64,
}

impl Run {
    pub fn new(plan: Plan) -> Self {
        let mut rng = Rng::new(plan.seed);
        let mqtt = MqttConfig {
            max_inflight: 1 + u16::try_from(rng.below(20)).unwrap(),
            max_mqueue_len: 0,
            session_expiry_interval_s: 1_000_000,
            ..MqttConfig::default()
        };
        let config = BrokerConfig {
            zones: vec![ZoneConfig { name: "default".into(), mqtt }],
            admission: Admission::Everyone,
            durable: true,
            ..BrokerConfig::default()
        };
        let mut world = World::new(plan.shards, config);
        world.refusals = plan.refusals;
        let context = format!("seed {}", plan.seed);
        let clients = (0..CLIENTS).map(|i| {
            let version = if rng.chance(50) { Version::V5 } else { Version::V311 };
            let mut client = Client::new(
                &format!("c{i}"),
                version,
                i < 7,
                1 + u16::try_from(rng.below(8)).unwrap(),
            );
            client.alias_max = u16::try_from(rng.below(3)).unwrap();
            client.context.clone_from(&context);
            client.may_be_refused = plan.refusals > 0;
            client
        });
        let clients = clients.collect();
        let ledger = Ledger::new(context, plan.refusals > 0);
        Self { plan, rng, world, clients, ledger, next_number: 1 }
    }

    /// Runs to the end; the number of acknowledged messages that somebody had to get.
    pub fn finish(mut self) -> usize {
        for _ in 0..self.plan.steps {
            self.step();
        }
        self.world.refusals = 0;
        self.drain();
        self.ledger.check_all_came(&MEMBERS);
        self.end_all();
        self.ledger.acked_count()
    }

    fn step(&mut self) {
        let i = self.rng.below(CLIENTS);
        match self.rng.below(100) {
            0..=9 => self.connect(i),
            10..=17 => self.subscribe(i),
            18..=47 => self.publish(i),
            48..=67 => self.acknowledge(i),
            68..=70 => self.lose(i),
            71..=72 => self.say_goodbye(i),
            73..=82 => {
                self.world.commit();
            }
            83 if self.plan.crashes && self.rng.chance(30) => self.crash(),
            84..=86 => self.world.advance(if self.rng.chance(5) { 3_600_000 } else { 100 }),
            87..=89 => self.world.flush_all(),
            _ => {
                let shard = self.rng.below(usize::from(self.plan.shards));
                self.world.turn(shard, Some(&mut self.rng));
            }
        }
        self.poll();
    }

    fn poll(&mut self) {
        for i in 0..self.clients.len() {
            let mut news = News::default();
            self.clients[i].poll(&mut self.world, &mut news);
            let (is_durable, is_shared) = (self.clients[i].is_durable, MEMBERS.contains(&i));
            for (filter, qos) in news.subscribed {
                if is_durable {
                    self.ledger.subscribed(i, filter, qos);
                }
            }
            for number in news.resent {
                self.ledger.resent(number);
            }
            for number in news.acked {
                self.ledger.acked(number, &self.world);
            }
            for taken in &news.taken {
                self.ledger.taken(i, is_durable, is_shared, taken);
            }
        }
    }

    fn connect(&mut self, i: usize) {
        // Taking over one's own session is as good as coming back.
        if self.clients[i].is_connected && !self.rng.chance(20) {
            return;
        }
        let will = self.rng.chance(20).then(|| u32::try_from(self.rng.below(2) * 5).unwrap());
        let (client, world) = (&mut self.clients[i], &mut self.world);
        client.connect(world, &mut self.rng, will);
    }

    fn subscribe(&mut self, i: usize) {
        if !self.clients[i].is_connected {
            return;
        }
        let is_member = MEMBERS.contains(&i);
        if i == 6 || (is_member && self.rng.chance(50)) {
            return;
        }
        let filter = if is_member { SHARED } else { *self.rng.pick(&FILTERS) };
        if i > 6 && self.rng.chance(40) {
            self.clients[i].unsubscribe(&mut self.world, filter);
            return;
        }
        // What is owed is worked out from the newest subscription, so its QoS stays what it was.
        let qos = QoS::from_u8(u8::try_from((i + filter.len()) % 3).unwrap()).unwrap();
        let is_v5 = self.clients[i].version == Version::V5;
        let options = SubscriptionOptions {
            qos: if is_member { QoS::ExactlyOnce } else { qos },
            no_local: i > 6 && is_v5 && self.rng.chance(30),
            retain_as_published: i > 6 && is_v5 && self.rng.chance(30),
            retain_handling: if is_v5 { u8::try_from(self.rng.below(3)).unwrap() } else { 0 },
        };
        let sub_id = self.rng.chance(30).then_some(7);
        self.clients[i].subscribe(&mut self.world, filter, options, sub_id);
    }

    fn publish(&mut self, i: usize) {
        for _ in 0..=self.rng.below(4) {
            // Within any Receive Maximum the broker may have told.
            if !self.clients[i].is_connected
                || !self.clients[i].outbound.is_empty() && self.clients[i].version == Version::V5
            {
                return;
            }
            if self.clients[i].outbound.len() > 30 {
                return;
            }
            let topic = *self.rng.pick(&TOPICS);
            let is_delayed = self.rng.chance(4);
            let number = self.next_number;
            self.next_number += 1;
            let message = Outbound {
                number,
                topic: if is_delayed { format!("$delayed/2/{topic}") } else { topic.into() },
                qos: QoS::from_u8(u8::try_from(self.rng.below(3)).unwrap()).unwrap(),
                retain: self.rng.chance(5),
                is_released: false,
            };
            self.ledger.published(number, i, topic, message.qos, is_delayed);
            self.clients[i].publish(&mut self.world, &mut self.rng, message);
        }
    }

    fn acknowledge(&mut self, i: usize) {
        for _ in 0..self.rng.below(6) {
            let waiting = self.clients[i].acks.len();
            let index = if self.rng.chance(70) { 0 } else { self.rng.below(waiting) };
            self.clients[i].ack(&mut self.world, index);
        }
    }

    fn lose(&mut self, i: usize) {
        if let Some(socket) = self.clients[i].socket {
            self.world.break_off(socket);
            self.clients[i].lose();
        }
    }

    fn say_goodbye(&mut self, i: usize) {
        if self.clients[i].is_connected {
            let reason = if self.rng.chance(30) && self.clients[i].version == Version::V5 {
                ReasonCode::DISCONNECT_WITH_WILL
            } else {
                ReasonCode::NORMAL_DISCONNECTION
            };
            self.clients[i].disconnect(&mut self.world, None, reason);
        }
    }

    fn crash(&mut self) {
        self.world.crash();
        self.clients.iter_mut().for_each(Client::lose);
    }

    /// Everybody comes back and takes what is there.
    fn drain(&mut self) {
        self.world.partial_writes = false;
        for round in 0..400 {
            for i in 0..CLIENTS {
                if !self.clients[i].is_connected && self.clients[i].socket.is_none() {
                    self.clients[i].connect(&mut self.world, &mut self.rng, None);
                }
                while !self.clients[i].acks.is_empty() {
                    self.clients[i].ack(&mut self.world, 0);
                }
            }
            self.world.settle();
            self.poll();
            self.world.advance(500);
            let is_quiet = self
                .clients
                .iter()
                .all(|c| c.is_connected && c.acks.is_empty() && c.outbound.is_empty());
            if round > 10 && is_quiet {
                assert_eq!(
                    self.world.open_sockets(),
                    CLIENTS,
                    "{}: connections",
                    self.ledger.context
                );
                return;
            }
        }
        let stuck: Vec<_> = self
            .clients
            .iter()
            .map(|c| (&c.id, c.is_connected, c.acks.len(), c.outbound.len()))
            .collect();
        panic!("{}: the run does not come to rest: {stuck:?}", self.ledger.context);
    }

    /// All sessions end: nothing may be left of them.
    fn end_all(&mut self) {
        for i in 0..CLIENTS {
            let client = &mut self.clients[i];
            client.is_durable = false;
            client.has_promise = false;
            client.connect(&mut self.world, &mut self.rng, None);
        }
        self.world.settle();
        self.poll();
        for client in &mut self.clients {
            client.disconnect(&mut self.world, None, ReasonCode::NORMAL_DISCONNECTION);
        }
        self.world.settle();
        let context = &self.ledger.context;
        let shared = self.world.shared.clone();
        for (i, shard) in self.world.shards.iter_mut().enumerate() {
            shard.publish_gauges();
            let metrics = &shared.metrics[i];
            assert_eq!(metrics.sessions.get(), 0, "{context}: sessions");
            assert_eq!(metrics.outbox_bytes.get(), 0, "{context}: outbox bytes");
            assert_eq!(metrics.queued_bytes.get(), 0, "{context}: queued bytes");
            assert_eq!(metrics.connections.get(), 0, "{context}: connections");
            assert_eq!(metrics.unauthenticated.get(), 0, "{context}: unauthenticated");
            assert_eq!(metrics.durable_subscriptions.get(), 0, "{context}: durable subscriptions");
        }
        assert_eq!(self.world.open_sockets(), 0, "{context}: sockets");
        assert_eq!(shared.router.subscriptions(), 0, "{context}: subscriptions");
        assert_eq!(shared.router.topics(), 0, "{context}: trie");
        if self.plan.refusals == 0 {
            let stored = self.world.store.retained();
            assert_eq!(stored.len(), shared.retained.len(), "{context}: retained");
            for (topic, id) in stored {
                let kept = shared.retained.get(&topic).map(|m| m.id);
                assert_eq!(kept, Some(id), "{context}: retained for {topic}");
            }
        }
        // Also where the store refused: what frees is never lost.
        assert_eq!(self.world.store.claims(), [], "{context}: claims on stored messages");
        {
            for table in [
                rookery_core::persist::SESSIONS,
                rookery_core::persist::SUBSCRIPTIONS,
                rookery_core::persist::AWAITING_REL,
                rookery_core::persist::DELAYED,
            ] {
                assert_eq!(self.world.store.keys_of(table), 0, "{context}: keys of {table:?}");
            }
        }
    }
}
