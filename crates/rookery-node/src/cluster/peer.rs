//! Another node: the lanes to it, what comes from it, and its routes.

use std::sync::Arc;

use rookery_cluster::frame::{Frame, Hello, Identity, PROTOCOL, Refusal};
use rookery_cluster::lane::{LaneLimits, LaneReceiver, LaneSender};
use rookery_cluster::routes::{RouteMirror, RouteSender};
use rookery_core::message::{Origin, Publisher};

use super::carrier::Me;
use super::linked::Linked;
use super::replicated::Tellers;
use super::socket::{Broken, Connection, UNSENT_MAX};
use super::stored::Unstored;
use super::{ClusterPeer, HANDSHAKE_MS, LANES, PING_MS, PeerStatus, SILENCE_MS, STALL_MS};

/// The longest and shortest pause before a lane is tried again.
const RETRY_MAX_MS: u64 = 2000;
const RETRY_MIN_MS: u64 = 50;
/// A node that does not know of this one yet will soon.
const RETRY_UNKNOWN_MS: u64 = 100;

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Stage {
    Away,
    Greeting,
    Proving,
    Open,
}

/// One lane to another node.
pub(super) struct Lane {
    pub(super) number: u16,
    pub(super) sender: LaneSender,
    pub(super) connection: Option<Connection>,
    stage: Stage,
    /// Of the batches since this node has known the other one.
    stream: u64,
    /// What the Hello of this connection said.
    said_taken: u64,
    nonce: [u8; 32],
    retry_at_ms: u64,
    failures: u32,
}

/// What a frame on a lane asks of the rest.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Nothing,
    /// The lane stands.
    Open {
        /// The version of this node's routes that is known there.
        routes: Option<u64>,
        /// The other node keeps retained messages of all nodes.
        has_replica: bool,
        /// It can keep sessions of this one as well.
        has_shadow: bool,
        /// The other node wants to know what linked clusters told this one.
        has_links: bool,
        /// It understands what is said about shadows.
        knows_shadows: bool,
    },
    RoutesWanted,
    LinksWanted,
}

impl Lane {
    fn new(number: u16) -> Self {
        Self {
            number,
            sender: LaneSender::new(LaneLimits::default()),
            connection: None,
            stage: Stage::Away,
            stream: 0,
            said_taken: 0,
            nonce: [0; 32],
            retry_at_ms: 0,
            failures: 0,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    fn hello<'a>(&self, me: &'a Me, peer: &'a ClusterPeer) -> Hello<'a> {
        Hello {
            protocol: PROTOCOL,
            from: Identity { name: &me.name, incarnation: me.incarnation },
            to: Identity { name: &peer.name, incarnation: peer.incarnation },
            lane: self.number,
            lanes: LANES,
            stream: self.stream,
            taken: self.said_taken,
            nonce: self.nonce,
        }
    }

    /// Begins to connect if it is time to.
    pub(super) fn open(&mut self, me: &Me, peer: &ClusterPeer, now_ms: u64) -> Result<(), Broken> {
        if self.connection.is_some() || now_ms < self.retry_at_ms {
            return Ok(());
        }
        self.nonce = super::carrier::random()?;
        if self.stream == 0 {
            let octets = super::carrier::random()?;
            self.stream = octets.first_chunk().map_or(1, |eight| u64::from_le_bytes(*eight) | 1);
        }
        self.said_taken = self.sender.taken();
        let host = peer.name.rsplit_once('@').map_or(peer.name.as_str(), |(_, host)| host);
        let mut connection = Connection::open(peer.address, host, me.tls.as_ref(), now_ms)?;
        connection.put(&Frame::Hello(self.hello(me, peer)));
        self.connection = Some(connection);
        self.stage = Stage::Greeting;
        Ok(())
    }

    /// Takes what the other node says on this lane.
    pub(super) fn hear(
        &mut self,
        me: &Me,
        peer: &ClusterPeer,
        frame: Frame<'_>,
    ) -> Result<(Heard, Option<Frame<'static>>), Broken> {
        let lane =
            |error: rookery_cluster::lane::LaneError| Broken::new("protocol", error.to_string());
        match (self.stage, frame) {
            (Stage::Greeting, Frame::Challenge { nonce, proof }) => {
                let answer = me.secret.prove(&self.hello(me, peer), &nonce, &proof);
                let Some(answer) = answer else {
                    let detail =
                        "the other node has another secret: both need the same node.cookie";
                    return Err(Broken::new("authentication_failed", detail));
                };
                self.stage = Stage::Proving;
                Ok((Heard::Nothing, Some(answer)))
            }
            (
                Stage::Proving,
                Frame::Welcome { taken, routes, has_replica, has_shadow, has_links, knows_shadows },
            ) => {
                self.sender.connected(taken).map_err(lane)?;
                self.stage = Stage::Open;
                self.failures = 0;
                let open =
                    Heard::Open { routes, has_replica, has_shadow, has_links, knows_shadows };
                Ok((open, None))
            }
            (Stage::Greeting | Stage::Proving, Frame::Refused(refusal)) => Err(refused(refusal)),
            (Stage::Open, Frame::Taken(seq)) => {
                self.sender.took(seq).map_err(lane)?;
                Ok((Heard::Nothing, None))
            }
            (Stage::Open, Frame::Pong) => Ok((Heard::Nothing, None)),
            (Stage::Open, Frame::RoutesWanted) => Ok((Heard::RoutesWanted, None)),
            (Stage::Open, Frame::LinksWanted) => Ok((Heard::LinksWanted, None)),
            _ => Err(Broken::new("protocol", "a frame that does not belong here")),
        }
    }

    /// The connection is gone; tried again after a pause that grows, with some chance in it.
    pub(super) fn fail(&mut self, broken: &Broken, now_ms: u64, chance: u64) {
        self.connection = None;
        self.stage = Stage::Away;
        self.sender.disconnected();
        let longest = if broken.code == "unknown_there" {
            RETRY_UNKNOWN_MS
        } else {
            (RETRY_MIN_MS << self.failures.min(6)).min(RETRY_MAX_MS)
        };
        self.failures = self.failures.saturating_add(1);
        self.retry_at_ms = now_ms + longest / 2 + chance % (longest / 2 + 1);
    }

    /// Moves batches to the connection and sends what it takes.
    pub(super) fn pump(&mut self) -> Result<(), Broken> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        loop {
            if self.stage == Stage::Open {
                while connection.unsent() < UNSENT_MAX
                    && let Some(batch) = self.sender.next_batch()
                {
                    connection.put_bytes(batch);
                }
            }
            if connection.unsent() == 0 {
                return Ok(());
            }
            connection.send()?;
            if connection.unsent() > 0 {
                return Ok(());
            }
        }
    }

    /// Asks whether the other node is there, and finds out that it is not.
    pub(super) fn watch(&mut self, now_ms: u64) -> Result<(), Broken> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        if self.stage != Stage::Open {
            if now_ms >= connection.began_at_ms + HANDSHAKE_MS {
                let code = if connection.is_connecting() {
                    "connect_timeout"
                } else {
                    "handshake_timeout"
                };
                return Err(Broken::new(code, "no answer within three seconds"));
            }
            return Ok(());
        }
        silence(connection, now_ms)?;
        if now_ms >= connection.heard_at_ms.max(connection.asked_at_ms) + PING_MS {
            connection.asked_at_ms = now_ms;
            connection.put(&Frame::Ping);
        }
        Ok(())
    }

    /// When [`Lane::watch`] or [`Lane::open`] has something to do.
    pub(super) fn due_ms(&self) -> u64 {
        match (&self.connection, self.stage) {
            (None, _) => self.retry_at_ms,
            (Some(connection), Stage::Open) => {
                connection.heard_at_ms.max(connection.asked_at_ms) + PING_MS
            }
            (Some(connection), _) => connection.began_at_ms + HANDSHAKE_MS,
        }
    }
}

/// Whether a connection is silent for too long.
pub(super) fn silence(connection: &Connection, now_ms: u64) -> Result<(), Broken> {
    if now_ms < connection.heard_at_ms + SILENCE_MS {
        return Ok(());
    }
    Err(Broken::new("silent", "the other node has said nothing for four seconds"))
}

fn refused(refusal: Refusal) -> Broken {
    match refusal {
        Refusal::NotMe => {
            Broken::new("another_node", "at this address is another node, or a later start of it")
        }
        Refusal::Unknown => {
            Broken::new("unknown_there", "the other node does not know of this one yet")
        }
        Refusal::Protocol => {
            Broken::new("protocol", "the other node speaks another version of the protocol")
        }
        Refusal::Other(code) => Broken::new("protocol", format!("refused with code {code}")),
    }
}

/// What comes from another node on one lane.
#[derive(Default)]
pub(super) struct Incoming {
    pub(super) receiver: LaneReceiver,
    pub(super) connection: Option<Connection>,
    /// The other node waits to hear what was taken.
    pub(super) is_ack_due: bool,
    /// Octets that were taken and not told.
    pub(super) untold: usize,
    pub(super) unstored: Unstored,
    /// What was told as taken.
    pub(super) told: u64,
    /// A session that comes, as far as it is here.
    pub(super) parts: Vec<u8>,
    /// Who published the latest message.
    pub(super) publisher: Option<Arc<Publisher>>,
}

/// Another node.
pub(super) struct Peer {
    /// Never used again for another start of any node.
    pub(super) id: u64,
    pub(super) is: ClusterPeer,
    pub(super) lanes: Vec<Lane>,
    pub(super) incoming: Vec<Incoming>,
    pub(super) routes: RouteSender,
    pub(super) mirror: RouteMirror,
    /// What linked clusters told here and there.
    pub(super) linked: Linked,
    /// Tell it of what all nodes have.
    pub(super) tellers: Tellers,
    /// It can keep sessions of this node.
    pub(super) has_shadow: bool,
    /// It understands what is said about shadows.
    pub(super) knows_shadows: bool,
    /// Who keeps its sessions, as it says.
    pub(super) partner: Option<String>,
    /// Which store it has, as it says.
    pub(super) store: Option<u64>,
    /// Lost nodes whose sessions go on here, until it has been told all routes of these.
    pub(super) unsettled: Vec<(String, u64)>,
    /// How far its own are stored here: stream, chunk.
    pub(super) shadow_kept: Option<(u64, u64)>,
    /// What messages from there say of where they entered.
    pub(super) origin: Arc<Origin>,
    pub(super) received: u64,
    pub(super) digest_at_ms: u64,
    /// Since when a lane is full; 0 = none is.
    full_since_ms: u64,
    is_connected: bool,
    since_ms: u64,
    pub(super) last_error: String,
}

impl Peer {
    /// `known` is what came from it before it was forgotten, `in_step` the time until when it had
    /// all that is retained here.
    pub(super) fn new(
        id: u64,
        is: ClusterPeer,
        unix_ms: u64,
        known: &[LaneReceiver],
        in_step: u64,
    ) -> Self {
        let node = Some(is.name.as_str().into());
        Self {
            id,
            lanes: (0..LANES).map(Lane::new).collect(),
            incoming: (0..usize::from(LANES))
                .map(|lane| Incoming {
                    receiver: known.get(lane).cloned().unwrap_or_default(),
                    ..Incoming::default()
                })
                .collect(),
            routes: RouteSender::default(),
            mirror: RouteMirror::default(),
            linked: Linked::default(),
            tellers: Tellers::new(in_step),
            has_shadow: false,
            knows_shadows: false,
            partner: None,
            store: None,
            unsettled: Vec::new(),
            shadow_kept: None,
            origin: Arc::new(Origin { node, link: None, rules: Box::default() }),
            received: 0,
            digest_at_ms: 0,
            full_since_ms: 0,
            is_connected: false,
            since_ms: unix_ms,
            last_error: String::new(),
            is,
        }
    }

    /// Tells it something on the first lane, if that stands; whether it does.
    pub(super) fn tell_on_lane(&mut self, frame: &Frame<'_>) -> bool {
        if matches!(frame, Frame::Shadow(_)) && !self.knows_shadows {
            return false;
        }
        let Some(lane) = self.lanes.first_mut().filter(|lane| lane.is_open()) else { return false };
        let Some(connection) = lane.connection.as_mut() else { return false };
        connection.put(frame);
        true
    }

    /// Answers it on its own first lane, if that stands.
    pub(super) fn put_back(&mut self, frame: &Frame<'_>) {
        let incoming = self.incoming.first_mut();
        if let Some(connection) = incoming.and_then(|incoming| incoming.connection.as_mut()) {
            connection.put(frame);
        }
    }

    /// Notes whether every lane stands; `Some` when that changed.
    pub(super) fn look(&mut self, unix_ms: u64) -> Option<bool> {
        let is_connected = self.lanes.iter().all(Lane::is_open)
            && self.incoming.iter().all(|incoming| incoming.connection.is_some());
        if is_connected == self.is_connected {
            return None;
        }
        self.is_connected = is_connected;
        self.since_ms = unix_ms;
        if is_connected {
            self.last_error.clear();
        }
        Some(is_connected)
    }

    /// Notes whether a lane is full; whether publishers have to wait for that.
    pub(super) fn holds(&mut self, now_ms: u64) -> bool {
        if !self.lanes.iter().any(|lane| lane.sender.is_full()) {
            self.full_since_ms = 0;
            return false;
        }
        if self.full_since_ms == 0 {
            self.full_since_ms = now_ms;
        }
        now_ms < self.full_since_ms + STALL_MS
    }

    /// Whether publishers have waited long enough for a full lane.
    pub(super) fn is_given_up(&self, now_ms: u64) -> bool {
        self.full_since_ms != 0 && now_ms >= self.full_since_ms + STALL_MS
    }

    pub(super) fn status(&self) -> PeerStatus {
        let mut status = PeerStatus {
            name: self.is.name.clone(),
            incarnation: self.is.incarnation,
            is_connected: self.is_connected,
            since_ms: self.since_ms,
            routes: self.mirror.count(),
            received: self.received,
            last_error: self.last_error.clone(),
            ..PeerStatus::default()
        };
        for lane in &self.lanes {
            let counts = lane.sender.counts();
            status.sent += counts.sent;
            status.resent += counts.resent;
            status.dropped += counts.dropped;
            status.queued_bytes += lane.sender.queued_bytes() as u64;
        }
        status
    }
}
