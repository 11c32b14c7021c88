//! A sender against a receiver, with a clock of their own.

use proptest::prelude::*;

use super::*;
use crate::receiver::{Receiver, Session};
use crate::table::TTL_MS;

fn route(filter: &str) -> LocalRoute {
    LocalRoute { filter: filter.into(), group: None }
}

fn identity(target: &str, topics: &[&str]) -> Identity {
    Identity {
        target: target.into(),
        actor: "n@eu".into(),
        incarnation: 1,
        topics: topics.iter().map(|topic| Box::from(*topic)).collect(),
        wishes: OwnWishes::default(),
    }
}

/// Two clusters and what is between them.
struct World {
    local: LocalRoutes,
    sender: Sender,
    receiver: Receiver,
    session: Option<Session>,
    now_ms: u64,
    /// What the other side's router holds.
    wanted: BTreeSet<String>,
    connects: usize,
    reason: Option<String>,
    is_cut: bool,
}

impl World {
    fn new(target: &str, topics: &[&str]) -> Self {
        let mut receiver = Receiver::default();
        receiver.set_name("us");
        receiver.set_link("eu", 1, true);
        let local = LocalRoutes::default();
        Self {
            sender: Sender::new(identity(target, topics), &local, 7),
            local,
            receiver,
            session: None,
            now_ms: 1,
            wanted: BTreeSet::new(),
            connects: 0,
            reason: None,
            is_cut: false,
        }
    }

    fn set(&mut self, route: &LocalRoute, is_there: bool) {
        if self.local.set(route, is_there) {
            self.sender.changed(route, is_there);
        }
    }

    fn lose(&mut self) {
        self.session = None;
        self.sender.lost(self.now_ms);
    }

    fn publish(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let wanted = &mut self.wanted;
        let each = |_: u16, topic: &str, is_there: bool| {
            if is_there {
                wanted.insert(topic.to_owned())
            } else {
                wanted.remove(topic)
            };
        };
        match self.receiver.take("eu", &mut self.session, payload, self.now_ms, each) {
            Ok(answer) => answer,
            Err(violation) => {
                self.reason = Some(violation.to_string());
                self.lose();
                None
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Connect => {
                self.connects += 1;
                if self.is_cut {
                    return self.lose();
                }
                let introduction = self.sender.connected(self.now_ms);
                self.carry_out(introduction);
            }
            Effect::Introduce { payload, correlation } => {
                let Some(answer) = self.publish(&payload) else { return };
                let correlation = Some(correlation.as_bytes());
                if let Err(why) = self.sender.answered(self.now_ms, correlation, &answer) {
                    self.reason = Some(why);
                    self.lose();
                }
            }
            Effect::Tell(payload) => {
                self.publish(&payload);
                self.sender.acknowledged(self.now_ms, true);
            }
            Effect::Beat(payload) => drop(self.publish(&payload)),
            Effect::GiveUp => self.lose(),
        }
    }

    fn collect(&mut self) {
        let wanted = &mut self.wanted;
        let now_ms = self.now_ms;
        while self.receiver.collect(now_ms, 8, |_, topic| {
            wanted.remove(topic);
        }) {}
    }

    /// Lets time pass, with everything that falls due in it.
    fn pass(&mut self, ms: u64) {
        let until = self.now_ms + ms;
        loop {
            while let Some(effect) = self.sender.poll(self.now_ms, &self.local) {
                self.carry_out(effect);
            }
            self.collect();
            if self.now_ms >= until {
                return;
            }
            let due = self.sender.due_ms().max(self.now_ms + 1);
            self.now_ms = due.min(self.receiver.due_ms().unwrap_or(u64::MAX).max(self.now_ms + 1));
            self.now_ms = self.now_ms.min(until);
        }
    }

    fn check(&self) {
        let topics = &self.sender.is.topics;
        let all = self.local.0.iter().flat_map(|route| intersections(&route.filter, topics));
        assert_eq!(self.wanted, all.collect::<BTreeSet<_>>());
        assert_eq!(self.sender.told(), self.receiver.table("eu").unwrap().len());
    }
}

#[test]
fn what_is_subscribed_is_told_and_taken_back() {
    let mut world = World::new("us", &["t/#", "x"]);
    world.set(&route("t/1"), true);
    world.set(&route("other"), true);
    world.set(&route("#"), true);
    world.pass(1000);
    assert_eq!(world.sender.state(), State::Online);
    world.check();
    assert_eq!(world.wanted.iter().collect::<Vec<_>>(), ["t/#", "t/1", "x"]);
    world.set(&route("#"), false);
    world.set(&LocalRoute { filter: "x".into(), group: Some("g".into()) }, true);
    world.pass(1000);
    world.check();
    assert_eq!(world.wanted.iter().collect::<Vec<_>>(), ["t/1", "x"]);
}

#[test]
fn many_routes_go_in_payloads_of_bounded_size() {
    let mut world = World::new("us", &["t/#"]);
    for n in 0..3 * BATCH {
        world.set(&route(&format!("t/{n}")), true);
    }
    world.pass(100);
    world.check();
    assert_eq!(world.wanted.len(), 3 * BATCH);
}

#[test]
fn a_cut_that_is_short_costs_only_what_changed_meanwhile() {
    let mut world = World::new("us", &["t/#"]);
    world.set(&route("t/1"), true);
    world.set(&route("t/2"), true);
    world.pass(100);
    world.lose();
    world.set(&route("t/2"), false);
    world.set(&route("t/3"), true);
    world.pass(6000);
    assert_eq!(world.sender.state(), State::Online);
    world.check();
}

#[test]
fn routes_of_a_peer_that_vanished_go_and_come_back() {
    let mut world = World::new("us", &["t/#"]);
    world.set(&route("t/1"), true);
    world.pass(100);
    world.is_cut = true;
    world.lose();
    world.set(&route("t/2"), true);
    world.pass(TTL_MS + 1);
    assert!(world.wanted.is_empty(), "the actor is not believed any more");
    world.is_cut = false;
    world.pass(10_000);
    world.check();
    assert_eq!(world.wanted.len(), 2);
}

/// EMQX #15067: a wrong name, or a link that is switched off there, is no storm of connections.
#[test]
fn what_is_refused_is_tried_again_at_most_every_five_seconds() {
    for (target, is_enabled, why) in [
        ("usa", true, crate::receiver::error::BAD_NAME),
        ("us", false, crate::receiver::error::DISABLED),
    ] {
        let mut world = World::new(target, &["t/#"]);
        world.receiver.set_link("eu", 1, is_enabled);
        world.pass(60_000);
        assert_eq!(world.reason.as_deref(), Some(why));
        assert!((10..=13).contains(&world.connects), "{}", world.connects);
    }
    let mut world = World::new("us", &["t/#"]);
    world.is_cut = true;
    world.pass(60_000);
    assert!((10..=13).contains(&world.connects), "{}", world.connects);
}

#[test]
fn an_idle_actor_is_still_believed() {
    let mut world = World::new("us", &["t/#"]);
    world.set(&route("t/1"), true);
    world.pass(86_400_000);
    assert_eq!((world.connects, world.reason.as_deref()), (1, None));
    world.check();
    assert_eq!(world.wanted.len(), 1);
}

#[test]
fn an_introduction_that_nobody_answers_is_given_up() {
    let local = LocalRoutes::default();
    let mut sender = Sender::new(identity("us", &["t"]), &local, 1);
    assert_eq!(sender.poll(0, &local), Some(Effect::Connect));
    assert!(matches!(sender.connected(100), Effect::Introduce { .. }));
    assert_eq!(sender.state(), State::Handshaking);
    // Answers to something else, and nothing is told before the right one.
    assert_eq!(sender.answered(200, Some(b"other"), b"x"), Ok(()));
    assert_eq!(sender.poll(100 + HANDSHAKE_MS - 1, &local), None);
    assert_eq!(sender.poll(100 + HANDSHAKE_MS, &local), Some(Effect::GiveUp));
    sender.lost(100 + HANDSHAKE_MS);
    assert_eq!(sender.state(), State::Disconnected);
}

#[test]
fn routes_that_were_refused_are_told_again() {
    let mut world = World::new("us", &["t/#"]);
    world.pass(100);
    world.set(&route("t/1"), true);
    world.now_ms += SYNC_MS;
    let Some(Effect::Tell(_)) = world.sender.poll(world.now_ms, &world.local) else { panic!() };
    world.sender.acknowledged(world.now_ms, false);
    world.pass(RETRY_MS - 1);
    assert!(world.wanted.is_empty());
    world.pass(1);
    world.check();
}

#[test]
fn a_flood_while_away_is_told_from_the_beginning() {
    let mut world = World::new("us", &["t/#"]);
    world.set(&route("t/gone"), true);
    world.pass(100);
    world.lose();
    world.set(&route("t/gone"), false);
    for n in 0..=WAITING_MAX {
        world.set(&route(&format!("t/{n}")), true);
    }
    assert!(world.sender.waiting.len() < 10);
    world.pass(20_000);
    world.check();
    assert_eq!(world.wanted.len(), WAITING_MAX + 1);
}

#[derive(Clone, Debug)]
enum Step {
    Set(usize, bool),
    Lose,
    Cut(bool),
    Restart,
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..6_usize, any::<bool>()).prop_map(|(at, is_there)| Step::Set(at, is_there)),
        1 => Just(Step::Lose),
        1 => any::<bool>().prop_map(Step::Cut),
        1 => Just(Step::Restart),
        4 => (0..40_000_u64).prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn after_healing_the_other_side_knows_what_is_subscribed(steps in steps()) {
        let filters = ["t/1", "t/+", "t/#", "#", "x", "y"];
        let mut world = World::new("us", &["t/1", "t/+/a", "x/#"]);
        for step in steps {
            match step {
                Step::Set(at, is_there) => world.set(&route(filters[at]), is_there),
                Step::Lose if world.sender.state() != State::Disconnected => world.lose(),
                Step::Lose => {}
                Step::Cut(is_cut) => {
                    world.is_cut = is_cut;
                    if is_cut && world.sender.state() != State::Disconnected {
                        world.lose();
                    }
                }
                Step::Restart => world.sender.restart(&world.local),
                Step::Pass(ms) => world.pass(ms),
            }
        }
        world.is_cut = false;
        world.pass(20_000);
        prop_assert_eq!(world.sender.state(), State::Online);
        world.check();
    }
}
