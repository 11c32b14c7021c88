//! The thread of the lanes.

use std::collections::VecDeque;
use std::mem;
use std::net::TcpListener;
use std::sync::Arc;

use rookery_cluster::auth::Secret;
use rookery_cluster::frame::{Frame, Route};
use rookery_cluster::lane::LaneReceiver;
use rookery_cluster::moves::Asks;
use rookery_cluster::replica::Space;
use rookery_cluster::routes::RouteSource;
use rookery_core::effects::{LogLevel, PledgeMessage, ReplicaMessage, ShardMessage, UpEvent};
use rookery_core::message::Message;
use rookery_core::message_pool::MessagePool;
use rookery_core::router::{Feed, Matched, Weight};
use rookery_core::shadow::ShadowMessage;
use rookery_core::shared::Shared;
use rustix::event::{PollFd, PollFlags, Timespec};

use super::adopted::{AdoptedBy, Adoptions, tell_adopted};
use super::control::Order;
use super::expected::Expected;
use super::incoming::{ForWorkers, Outcome, Stranger};
use super::linked::{self, LinkNumbers};
use super::numbers::Numbers;
use super::orphans::Orphan;
use super::partner::{Kept, Partner};
use super::peer::{Heard, Lane, Peer, silence};
use super::replicated::{self, PLEDGES, REPLICA};
use super::shadows::Shadows;
use super::socket::{Broken, UNSENT_MAX};
use super::stored::Here;
use super::turns::Turn;
use super::{ClusterPeer, DIGEST_MS, Outlet, PING_MS, SILENCE_MS, Sent, WAIT_MS};
use crate::inbox::{Inbox, Item};
use crate::tls::mutual::MutualTls;
use crate::up::Upstream;
use crate::worker::Clock;

/// Places of the trie told in one slice.
const SLICE: usize = 4096;
/// How long the thread waits while a worker's inbox is overfull.
const PAUSE_MS: u64 = 1;
/// Nodes that left of which it is known what came from them.
const DEPARTED_MAX: usize = 64;
/// Reads of one connection in one turn.
const READS_MAX: usize = 8;

/// Who this node is to the others.
pub(super) struct Me {
    pub(super) name: String,
    pub(super) incarnation: u64,
    pub(super) secret: Secret,
    pub(super) tls: Option<MutualTls>,
}

pub(super) struct Carrier {
    pub(super) me: Me,
    pub(super) outlet: Arc<Outlet>,
    pub(super) inboxes: Arc<[Inbox]>,
    pub(super) up: Arc<Upstream>,
    pub(super) shared: Arc<Shared>,
    listener: TcpListener,
    clock: Clock,
    pub(super) source: RouteSource,
    pub(super) numbers: Numbers,
    /// What linked clusters told this node.
    pub(super) link_source: RouteSource,
    link_numbers: LinkNumbers,
    pub(super) peers: Vec<Peer>,
    /// Who is asked about sessions.
    pub(super) asks: Asks,
    pub(super) takeover_ms: u64,
    strangers: Vec<Stranger>,
    /// By worker.
    pub(super) turns: Vec<VecDeque<Turn>>,
    pub(super) for_workers: Vec<Vec<Item>>,
    /// What one worker does for all.
    pub(super) for_first: Vec<ReplicaMessage>,
    pub(super) warned_at_ms: u64,
    /// Nodes that died, and when it was last looked for what they were to publish.
    pub(super) lost: Vec<String>,
    pub(super) adopted_at_ms: u64,
    /// Who else keeps the sessions of this node.
    pub(super) partner: Partner,
    /// Sessions of others that this one keeps; none without a store.
    pub(super) shadows: Option<Shadows>,
    pub(super) orphans: Vec<Orphan>,
    pub(super) adopted: Vec<AdoptedBy>,
    pub(super) adoptions: Adoptions,
    pub(super) expected: Expected,
    pub(super) here: Here,
    /// What came from nodes that are no members at the moment.
    departed: VecDeque<(String, u64, Vec<LaneReceiver>)>,
    pub(super) peers_made: u64,
    chance: u64,
    scratch: Vec<u8>,
    pub(super) encoded: Vec<u8>,
    /// Room of messages that went, for those that come.
    messages: MessagePool,
    /// Nodes that a message was put on lanes for.
    reached: Vec<u64>,
    pub(super) now_ms: u64,
    pub(super) unix_ms: u64,
}

/// Octets nobody can guess.
pub(super) fn random() -> Result<[u8; 32], Broken> {
    let mut octets = [0; 32];
    let fill = rustix::rand::getrandom(&mut octets, rustix::rand::GetRandomFlags::empty());
    match fill {
        Ok(32) => Ok(octets),
        _ => Err(Broken::new("no_randomness", "the system gives no random octets")),
    }
}

/// A route of this node as it is told.
pub(super) fn route<'a>(group: Option<&'a str>, filter: &'a str, weight: Weight) -> Route<'a> {
    Route { group, filter, weight: weight.bits() }
}

/// What there is to do after waiting.
#[derive(Clone, Copy)]
enum Place {
    Listener,
    Stranger(usize),
    Lane(usize, usize),
    Incoming(usize, usize),
}

impl Carrier {
    pub(super) fn new(
        (me, shadows, store_id): (Me, Option<Shadows>, Option<u64>),
        takeover_ms: u64,
        (outlet, inboxes, up, shared): (Arc<Outlet>, Arc<[Inbox]>, Arc<Upstream>, Arc<Shared>),
        listener: TcpListener,
        source: RouteSource,
        clock: Clock,
    ) -> Self {
        let workers = inboxes.len();
        Self {
            chance: me.incarnation | 1,
            me,
            asks: Asks::default(),
            takeover_ms,
            outlet,
            up,
            numbers: Numbers::new(shared.clone()),
            link_source: linked::found(&shared),
            link_numbers: LinkNumbers::new(shared.clone()),
            shared,
            listener,
            clock,
            source,
            peers: Vec::new(),
            strangers: Vec::new(),
            turns: (0..workers).map(|_| VecDeque::new()).collect(),
            for_workers: (0..workers).map(|_| Vec::new()).collect(),
            for_first: Vec::new(),
            warned_at_ms: 0,
            lost: Vec::new(),
            adopted_at_ms: 0,
            partner: Partner::new(workers, store_id),
            shadows,
            orphans: Vec::new(),
            adopted: Vec::new(),
            adoptions: Adoptions::default(),
            expected: Expected::default(),
            here: Here::default(),
            inboxes,
            departed: VecDeque::new(),
            peers_made: 0,
            scratch: Vec::new(),
            encoded: Vec::new(),
            messages: MessagePool::default(),
            reached: Vec::new(),
            now_ms: 0,
            unix_ms: 0,
        }
    }

    /// Until it is told to stop; what is left to end when nobody waits for the lanes any more.
    pub(super) fn run(mut self) -> Option<Shadows> {
        let mut is_busy = true;
        loop {
            let is_held = self.inboxes.iter().any(Inbox::is_overfull);
            let ready = self.wait(is_busy, is_held);
            let now = self.clock.now();
            (self.now_ms, self.unix_ms) = (now.mono_ms, now.unix_ms);
            self.numbers.now_ms = self.now_ms;
            let taken = self.outlet.take();
            self.note_routes();
            self.note_link_routes();
            for place in ready {
                self.serve(place, is_held);
            }
            for sent in taken.sent {
                self.send(sent);
            }
            for order in taken.orders {
                if !self.obey(order) {
                    self.numbers.clear();
                    self.link_numbers.clear();
                    return self.shadows.take();
                }
            }
            self.watch(is_held);
            is_busy = self.finish();
        }
    }

    /// Waits for something to do; tells what is ready.
    fn wait(&self, is_busy: bool, is_held: bool) -> Vec<Place> {
        let is_asleep = !is_busy && self.outlet.fall_asleep();
        let has_changes = self.shared.router.has_route_changes(Feed::Nodes);
        let may_sleep = is_asleep && !has_changes && !self.shared.links.has_changes();
        let wait_ms = match (may_sleep, is_held) {
            (false, _) => 0,
            (true, true) => PAUSE_MS,
            (true, false) => self.due_ms().saturating_sub(self.clock.now().mono_ms).min(60_000),
        };
        let mut fds = vec![PollFd::from_borrowed_fd(self.outlet.fd(), PollFlags::IN)];
        let mut places = vec![None];
        if self.strangers.len() < super::STRANGERS_MAX {
            fds.push(PollFd::new(&self.listener, PollFlags::IN));
            places.push(Some(Place::Listener));
        }
        for (at, stranger) in self.strangers.iter().enumerate() {
            let connection = &stranger.connection;
            fds.push(PollFd::from_borrowed_fd(connection.fd(), connection.interest(true)));
            places.push(Some(Place::Stranger(at)));
        }
        for (at, peer) in self.peers.iter().enumerate() {
            for (number, lane) in peer.lanes.iter().enumerate() {
                if let Some(connection) = &lane.connection {
                    fds.push(PollFd::from_borrowed_fd(connection.fd(), connection.interest(true)));
                    places.push(Some(Place::Lane(at, number)));
                }
            }
            for (number, incoming) in peer.incoming.iter().enumerate() {
                if let Some(connection) = &incoming.connection {
                    let interest = connection.interest(!is_held);
                    fds.push(PollFd::from_borrowed_fd(connection.fd(), interest));
                    places.push(Some(Place::Incoming(at, number)));
                }
            }
        }
        #[allow(clippy::cast_possible_wrap)]
        let timeout = Timespec {
            tv_sec: (wait_ms / 1000) as i64,
            tv_nsec: (wait_ms % 1000) as i64 * 1_000_000,
        };
        // An interrupted wait is an empty turn.
        let _ = rustix::event::poll(&mut fds, Some(&timeout));
        let ready = fds.iter().zip(places).filter(|(fd, _)| !fd.revents().is_empty());
        ready.filter_map(|(_, place)| place).collect()
    }

    /// When something is due that nobody will wake this thread for.
    fn due_ms(&self) -> u64 {
        let lanes = self.peers.iter().flat_map(|peer| &peer.lanes).map(Lane::due_ms);
        let told = self.peers.iter().filter(|peer| peer.lanes.first().is_some_and(Lane::is_open));
        let digests = told.map(|peer| peer.digest_at_ms + DIGEST_MS);
        let silences = self.peers.iter().flat_map(|peer| &peer.incoming).filter_map(|incoming| {
            incoming.connection.as_ref().map(|connection| connection.heard_at_ms + SILENCE_MS)
        });
        let handshakes = self
            .strangers
            .iter()
            .map(|stranger| stranger.connection.began_at_ms + super::HANDSHAKE_MS);
        let comparisons = self.peers.iter().filter_map(|peer| peer.tellers.due_ms());
        let adoptions = (!self.lost.is_empty()).then_some(self.adopted_at_ms + DIGEST_MS);
        let turns =
            self.turns.iter().filter_map(|turns| turns.front()).map(|turn| turn.deadline_ms);
        let due = lanes
            .chain(digests)
            .chain(comparisons)
            .chain(adoptions)
            .chain(silences)
            .chain(handshakes)
            .chain(turns)
            .chain(self.asks.due_ms())
            .chain(self.partner.due_ms())
            .chain(self.orphans_due_ms())
            .chain(self.expected.due_ms())
            .min();
        due.map_or(u64::MAX, |due| due.max(self.now_ms + 1))
    }

    /// Notes what changed of the routes of this node.
    fn note_routes(&mut self) {
        if !self.shared.router.has_route_changes(Feed::Nodes) {
            return;
        }
        let taken = self.shared.router.take_route_changes(Feed::Nodes);
        for change in &taken.changes {
            let group = change.group.as_deref();
            self.source.change(route(group, &change.filter, change.is), change.was.bits());
        }
        if taken.is_lost {
            self.source.restart();
            let source = &mut self.source;
            self.shared.router.track_routes(Feed::Nodes, |group, filter, weight| {
                source.found(route(group, filter, weight));
            });
        }
    }

    fn serve(&mut self, place: Place, is_held: bool) {
        match place {
            Place::Listener => {
                let tls = self.me.tls.as_ref();
                Stranger::accept(&self.listener, tls, &mut self.strangers, self.now_ms);
            }
            Place::Stranger(at) => self.serve_stranger(at),
            Place::Lane(peer, lane) => self.serve_lane(peer, lane),
            Place::Incoming(peer, lane) => self.serve_incoming(peer, lane, is_held),
        }
    }

    /// One that becomes known is moved, one that is refused is told; both leave an empty place that
    /// [`Carrier::watch`] takes out.
    fn serve_stranger(&mut self, at: usize) {
        let Some(stranger) = self.strangers.get_mut(at) else { return };
        let read = stranger.connection.receive(self.now_ms, &mut self.scratch);
        let outcome = match read {
            Ok(_) => stranger.hear(&self.me, &self.peers),
            Err(_) => Outcome::Gone,
        };
        // Its place in the list stays until the turn is over.
        match outcome {
            Outcome::Wait => {
                stranger.is_gone = stranger.connection.send().is_err();
            }
            Outcome::Refused(refusal) => {
                stranger.connection.put(&Frame::Refused(refusal));
                // What a fresh socket does not take is not worth waiting for.
                let _ = stranger.connection.send();
                stranger.is_gone = true;
            }
            Outcome::Gone => stranger.is_gone = true,
            Outcome::Proven(proven) => {
                let stranger = self.strangers.swap_remove(at);
                let now_ms = self.now_ms;
                if let Some(peer) = self.peers.get_mut(proven.peer) {
                    // A second connection of a lane: the first one is a leftover.
                    peer.lose(proven.lane, (&mut self.numbers, &mut self.link_numbers));
                    let mut connection = stranger.connection;
                    connection.heard_at_ms = now_ms;
                    peer.welcome(&proven, connection, self.shadows.is_some());
                    if proven.lane == 0 {
                        self.ask_again(proven.peer);
                    }
                }
            }
        }
    }

    fn serve_lane(&mut self, at: usize, number: usize) {
        if let Err(broken) = self.read_lane(at, number) {
            self.fail_lane(at, number, &broken);
        }
    }

    fn read_lane(&mut self, at: usize, number: usize) -> Result<(), Broken> {
        let Some(peer) = self.peers.get_mut(at) else { return Ok(()) };
        let Some(lane) = peer.lanes.get_mut(number) else { return Ok(()) };
        let Some(mut connection) = lane.connection.take() else { return Ok(()) };
        if !connection.finish_connecting()? {
            lane.connection = Some(connection);
            return Ok(());
        }
        let (mut answers, mut shadow) = (Vec::new(), Vec::new());
        let mut is_new = false;
        connection.receive(self.now_ms, &mut self.scratch)?;
        while let Some(frame) = connection.next()? {
            if let Frame::Replica(space, frame) = frame
                && lane.is_open()
                && number == 0
            {
                let tellers = (&mut peer.tellers, &*peer.is.name);
                let todo = replicated::hear(tellers, space, frame, &self.shared)?;
                self.for_first.extend(todo);
                continue;
            }
            if let Frame::Shadow(frame) = frame
                && lane.is_open()
            {
                shadow.extend(Kept::of(frame));
                continue;
            }
            let (heard, answer) = lane.hear(&self.me, &peer.is, frame)?;
            answers.extend(answer);
            match heard {
                Heard::Nothing => {}
                Heard::Open { routes, has_replica, has_shadow, has_links, knows_shadows } => {
                    if number == 0 {
                        is_new = true;
                        peer.has_shadow = has_shadow;
                        peer.knows_shadows = knows_shadows;
                        if knows_shadows {
                            connection.put(&self.partner.store_frame());
                            connection.put(&self.partner.frame());
                            peer.unsettled =
                                tell_adopted(&self.adopted, &self.me.name, &mut connection);
                        }
                        peer.routes.connected(&self.source, routes);
                        peer.digest_at_ms = self.now_ms;
                        if has_replica {
                            peer.tellers.connected(self.now_ms);
                        }
                        if has_links {
                            peer.linked.connected(&self.link_source, self.now_ms);
                        }
                    }
                }
                Heard::RoutesWanted => peer.routes.wanted(),
                Heard::LinksWanted => peer.linked.wanted(),
            }
        }
        if lane.is_open() {
            connection.trust();
        }
        answers.iter().for_each(|frame| connection.put(frame));
        lane.connection = Some(connection);
        shadow.into_iter().for_each(|kept| self.hear_partner(kept));
        if is_new {
            self.greet(at);
        }
        Ok(())
    }

    fn fail_lane(&mut self, at: usize, number: usize, broken: &Broken) {
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let Some(peer) = self.peers.get_mut(at) else { return };
        if let Some(lane) = peer.lanes.get_mut(number) {
            lane.fail(broken, self.now_ms, self.chance >> 33);
        }
        if number == 0 {
            peer.routes.disconnected();
            peer.tellers.disconnected();
            peer.linked.disconnected();
        }
        peer.last_error = format!("{}: {}", broken.code, broken.detail);
    }

    fn serve_incoming(&mut self, at: usize, number: usize, is_held: bool) {
        for _ in 0..READS_MAX {
            let Some(peer) = self.peers.get_mut(at) else { return };
            let Some(connection) =
                peer.incoming.get_mut(number).and_then(|incoming| incoming.connection.as_mut())
            else {
                return;
            };
            let read = match is_held {
                true => Ok(false),
                false => connection.receive(self.now_ms, &mut self.scratch),
            };
            let (mut moves, mut shadows) = (Vec::new(), Vec::new());
            let mut workers = ForWorkers {
                shared: &self.shared,
                items: &mut self.for_workers,
                messages: &mut self.messages,
                moves: &mut moves,
                shadows: &mut shadows,
                promised: Vec::new(),
                is_durable: self.shadows.is_some(),
            };
            let more = match read {
                Ok(true) => {
                    let numbers = (&mut self.numbers, &mut self.link_numbers);
                    peer.hear(number, numbers, &mut workers).map(|()| true)
                }
                other => other,
            };
            if let Err(broken) = &more {
                peer.last_error = format!("{}: {}", broken.code, broken.detail);
                peer.lose(number, (&mut self.numbers, &mut self.link_numbers));
            }
            // First: who has lost its disk says so before it asks for a session.
            shadows.into_iter().for_each(|heard| self.hear_shadow(at, heard));
            moves.into_iter().for_each(|step| self.take_move(at, step));
            if !matches!(more, Ok(true)) {
                return;
            }
        }
    }

    /// Puts what a worker has for other nodes on their lanes.
    fn send(&mut self, sent: Sent) {
        if let Some(shipped) = sent.shipped {
            self.ship(sent.worker, shipped);
        }
        let mut needs = Vec::new();
        let mut wait_ms = 0;
        for message in sent.messages {
            match message {
                ShardMessage::Deliver { message, matched, range } => {
                    self.put_for_all(message, &matched, range, &mut needs);
                }
                ShardMessage::DeliverShared { message, member, group } => {
                    let shared = Some((group.name(), group.filter()));
                    if let Some(id) = self.peer_of(member.key.slot) {
                        self.encode(&message);
                        self.put_for(id, shared, &message, &mut needs);
                    }
                    self.messages.give_back(message);
                }
                ShardMessage::Replica(message) => match *message {
                    ReplicaMessage::Changed { key, wait_ms: wait } => {
                        let needed = wait.is_some().then_some(&mut needs);
                        self.tell_change(REPLICA, key, needed);
                        wait_ms = wait_ms.max(wait.map_or(0, u64::from));
                    }
                    ReplicaMessage::Kept { peer, number } => {
                        self.tell_kept(Space::Retained, peer, number);
                    }
                    _ => {}
                },
                ShardMessage::Pledge(message) => match *message {
                    PledgeMessage::Changed { key, wait_ms: wait } => {
                        let needed = wait.is_some().then_some(&mut needs);
                        self.tell_change(PLEDGES, key, needed);
                        wait_ms = wait_ms.max(wait.map_or(0, u64::from));
                    }
                    PledgeMessage::Kept { peer, number } => {
                        self.tell_kept(Space::Pledges, peer, number);
                    }
                    _ => {}
                },
                ShardMessage::Move(step) => self.send_move(*step),
                ShardMessage::Shadow(message) => {
                    if let ShadowMessage::Mark(mark) = *message {
                        self.note_stored(mark);
                    }
                }
                ShardMessage::Following(following) => self.send_following(&following, &mut needs),
                _ => {}
            }
        }
        let (Some(number), Some(turns)) = (sent.turn, self.turns.get_mut(usize::from(sent.worker)))
        else {
            return;
        };
        if needs.iter().any(|(_, lane, _)| *lane < PLEDGES) {
            wait_ms = wait_ms.max(WAIT_MS);
        }
        turns.push_back(Turn { number, deadline_ms: self.now_ms + wait_ms, needs });
    }

    /// Puts a message on the lane of each node that has somebody for it.
    fn put_for_all(
        &mut self,
        message: Arc<Message>,
        matched: &Matched,
        range: (u32, u32),
        needs: &mut Vec<(u64, u16, u64)>,
    ) {
        self.encode(&message);
        let mut reached = mem::take(&mut self.reached);
        reached.clear();
        let range = range.0 as usize..range.1 as usize;
        for target in matched.targets.get(range).unwrap_or_default() {
            let peer = self.peer_of(target.key.slot);
            // While its routes are told anew a node has two numbers.
            if let Some(id) = peer.filter(|id| !reached.contains(id)) {
                reached.push(id);
                self.put_for(id, None, &message, needs);
            }
        }
        self.reached = reached;
        self.messages.give_back(message);
    }

    fn encode(&mut self, message: &Message) {
        self.encoded.clear();
        message.encode_into(&mut self.encoded);
    }

    /// Whether the thread goes on.
    fn obey(&mut self, order: Order) -> bool {
        match order {
            Order::SetPeers(peers, reply) => {
                self.set_peers(peers);
                // Whoever waited may have given up.
                let _ = reply.send(());
            }
            Order::Expect(names, reply) => {
                self.expect(names);
                let _ = reply.send(());
            }
            Order::SetLost(names, may_adopt, is_alone) => {
                self.note_alone(is_alone);
                self.judge_orphans(&names, may_adopt);
                self.lost = names;
                self.adopt();
            }
            Order::Kept { node, stream, number } => self.tell_shadow(&node, stream, number),
            Order::Adopted { node, incarnation, is_any } => {
                self.end_adoption(&node, incarnation, is_any);
            }
            Order::Leave(node, most) => self.leave_for(&node, most),
            Order::Partner(reply) => drop(reply.send(self.partner.status())),
            Order::Status(reply) => {
                let _ = reply.send(self.peers.iter().map(Peer::status).collect());
            }
            Order::Stop => return false,
        }
        true
    }

    fn set_peers(&mut self, wanted: Vec<ClusterPeer>) {
        let is_gone = |peer: &mut Peer| {
            let is_it = |one: &ClusterPeer| one.name == peer.is.name;
            !wanted.iter().any(|one| is_it(one) && one.incarnation <= peer.is.incarnation)
        };
        let gone: Vec<Peer> = self.peers.extract_if(.., is_gone).collect();
        for mut peer in gone {
            peer.linked.forget(&mut self.link_numbers);
            let known = peer.incoming.iter().map(|incoming| incoming.receiver.clone());
            let known = (peer.is.name.clone(), peer.is.incarnation, known.collect());
            self.departed.push_back(known);
            self.leave_orphan(peer);
        }
        while self.departed.len() > DEPARTED_MAX {
            self.departed.pop_front();
        }
        if !wanted.is_empty() {
            self.note_alone(false);
        }
        let me = self.me.name.clone();
        for one in wanted.into_iter().filter(|one| one.name != me) {
            match self.peers.iter_mut().find(|peer| peer.is.name == one.name) {
                // It is found elsewhere from the next connection on.
                Some(peer) => peer.is.address = one.address,
                None => {
                    self.peers_made += 1;
                    let is_it = |(name, incarnation, _): &(String, u64, Vec<LaneReceiver>)| {
                        *name == one.name && *incarnation == one.incarnation
                    };
                    let known = self.departed.iter().rfind(|departed| is_it(departed));
                    let known = known.map_or(&[][..], |(_, _, known)| known);
                    let replicated = self.shared.replicated.get();
                    let in_step = replicated.map_or(0, |replicated| replicated.in_step(&one.name));
                    let (made, unix_ms) = (self.peers_made, self.unix_ms);
                    let name = one.name.clone();
                    self.peers.push(Peer::new(made, one, unix_ms, known, in_step));
                    self.return_orphan(&name);
                    self.note_heard(&name, made);
                }
            }
        }
        self.note_peers();
    }

    /// Timers: who is late, silent, or to be tried again.
    fn watch(&mut self, is_held: bool) {
        let now_ms = self.now_ms;
        self.strangers.retain(|stranger| !stranger.is_late(now_ms));
        for at in 0..self.peers.len() {
            for number in 0..usize::from(super::LANES) {
                let Some(peer) = self.peers.get_mut(at) else { return };
                let Some(lane) = peer.lanes.get_mut(number) else { return };
                let done = lane.open(&self.me, &peer.is, now_ms).and_then(|()| lane.watch(now_ms));
                if let Err(broken) = done {
                    self.fail_lane(at, number, &broken);
                }
                self.watch_incoming(at, number, is_held);
            }
        }
        self.watch_expected();
        self.watch_asks();
        self.watch_partner();
        self.settle_orphans();
    }

    fn watch_incoming(&mut self, at: usize, number: usize, is_held: bool) {
        let now_ms = self.now_ms;
        let Some(peer) = self.peers.get_mut(at) else { return };
        let Some(connection) =
            peer.incoming.get_mut(number).and_then(|incoming| incoming.connection.as_mut())
        else {
            return;
        };
        if is_held {
            // Nothing is heard because nothing is read; the other node learns that all is well.
            connection.heard_at_ms = now_ms;
            if now_ms >= connection.asked_at_ms + PING_MS {
                connection.asked_at_ms = now_ms;
                connection.put(&Frame::Pong);
            }
        } else if let Err(broken) = silence(connection, now_ms) {
            peer.last_error = format!("{}: {}", broken.code, broken.detail);
            peer.lose(number, (&mut self.numbers, &mut self.link_numbers));
        }
    }

    /// Sends what there is; whether there is more to do at once.
    fn finish(&mut self) -> bool {
        // First, so that the other node hears of nothing as taken that is not in a worker's inbox.
        if let (Some(items), false) = (self.for_workers.first_mut(), self.for_first.is_empty()) {
            let messages = self
                .for_first
                .drain(..)
                .map(|message| Item::Shard(ShardMessage::Replica(Box::new(message))));
            items.extend(messages);
        }
        for (items, inbox) in self.for_workers.iter_mut().zip(self.inboxes.iter()) {
            if !items.is_empty() {
                inbox.push_all(items.drain(..));
            }
        }
        let mut is_busy = self.tell_routes();
        self.tell_settled();
        is_busy |= self.tell_link_routes();
        is_busy |= self.tell_replica();
        let mut is_full = self.orphans.iter().any(Orphan::is_full);
        for at in 0..self.peers.len() {
            for number in 0..usize::from(super::LANES) {
                if let Err(broken) = self.pump(at, number) {
                    self.fail_lane(at, number, &broken);
                }
            }
            let Some(peer) = self.peers.get_mut(at) else { continue };
            is_full |= peer.holds(self.now_ms);
            if let Some(is_connected) = peer.look(self.unix_ms) {
                let (level, text) = match is_connected {
                    true => (LogLevel::Info, format!("connected to node {}", peer.is.name)),
                    false => {
                        let (name, why) = (&peer.is.name, &peer.last_error);
                        (LogLevel::Warning, format!("connection to node {name} lost: {why}"))
                    }
                };
                self.up.push_all([UpEvent::Log(level, text.into())]);
            }
        }
        self.outlet.hold(is_full || self.partner.is_overfull());
        self.release_turns();
        if self.numbers.is_busy() || self.link_numbers.is_busy() {
            self.numbers.work();
            self.link_numbers.work();
            is_busy = true;
        }
        is_busy || !self.for_first.is_empty()
    }

    fn tell_routes(&mut self) -> bool {
        let mut is_busy = false;
        let shared = &self.shared;
        for peer in &mut self.peers {
            let Some(lane) = peer.lanes.first_mut().filter(|lane| lane.is_open()) else { continue };
            let Some(connection) = lane.connection.as_mut() else { continue };
            if peer.routes.has_news(&self.source) && connection.unsent() < UNSENT_MAX {
                peer.routes.tell(&self.source, connection.out(), |from, each| {
                    shared.router.local_routes(from, SLICE, |group, filter, weight| {
                        each(route(group, filter, weight));
                    })
                });
                is_busy |= peer.routes.has_news(&self.source);
            } else if self.now_ms >= peer.digest_at_ms + DIGEST_MS {
                peer.digest_at_ms = self.now_ms;
                peer.routes.check(&self.source, connection.out());
            }
        }
        is_busy
    }

    fn pump(&mut self, at: usize, number: usize) -> Result<(), Broken> {
        let Some(peer) = self.peers.get_mut(at) else { return Ok(()) };
        if let Some(incoming) = peer.incoming.get_mut(number)
            && incoming.connection.is_some()
            && let news = incoming.news()
            && let Some(connection) = &mut incoming.connection
        {
            if let Some(taken) = news {
                connection.put(&Frame::Taken(taken));
            }
            if let Err(broken) = connection.send() {
                peer.last_error = format!("{}: {}", broken.code, broken.detail);
                peer.lose(number, (&mut self.numbers, &mut self.link_numbers));
            }
        }
        let Some(lane) = peer.lanes.get_mut(number) else { return Ok(()) };
        lane.sender.seal();
        lane.pump()
    }
}
