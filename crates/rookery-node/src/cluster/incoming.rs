//! Connections from other nodes: who is there, then messages and routes.

use std::net::TcpListener;
use std::sync::Arc;

use rookery_cluster::frame::{self, Frame, Hello, Identity, PROTOCOL, Refusal};
use rookery_cluster::shadow::{ORPHAN, SHADOW, ShadowFrame};
use rookery_core::effects::ShardMessage;
use rookery_core::message::{Encoded, Origin, Publisher};
use rookery_core::message_pool::MessagePool;
use rookery_core::moving::MoveStep;
use rookery_core::shadow::Mark;
use rookery_core::shared::Shared;

use super::carrier::{Me, random};
use super::linked::LinkNumbers;
use super::moves::{FOR_CLIENT, read_following, received};
use super::numbers::Numbers;
use super::orphans::{HeardShadow, give_orphan};
use super::peer::{Incoming, Peer};
use super::replicated;
use super::socket::{Broken, Connection};
use super::{HANDSHAKE_MS, LANES, STRANGERS_MAX};
use crate::inbox::Item;
use crate::tls::mutual::MutualTls;

/// Octets that are taken before that is told at the latest.
const UNTOLD_MAX: usize = 512 << 10;

/// A connection whose other side has not shown who it is.
pub(super) struct Stranger {
    pub(super) connection: Connection,
    /// Its Hello, as it came.
    hello: Vec<u8>,
    nonce: [u8; 32],
    /// It is closed at the end of the turn.
    pub(super) is_gone: bool,
}

/// Where a connection belongs.
pub(super) struct Proven {
    pub(super) peer: usize,
    pub(super) lane: usize,
    stream: u64,
    taken: u64,
}

/// What became of a stranger.
pub(super) enum Outcome {
    Wait,
    Proven(Proven),
    /// It is told so, then it is gone.
    Refused(Refusal),
    Gone,
}

impl Stranger {
    /// Takes in who calls, as far as there is room.
    pub(super) fn accept(
        listener: &TcpListener,
        tls: Option<&MutualTls>,
        strangers: &mut Vec<Self>,
        now_ms: u64,
    ) {
        while strangers.len() < STRANGERS_MAX {
            let Ok((stream, _)) = listener.accept() else { return };
            if let Ok(connection) = Connection::accepted(stream, tls, now_ms) {
                strangers.push(Self {
                    connection,
                    hello: Vec::new(),
                    nonce: [0; 32],
                    is_gone: false,
                });
            }
        }
    }

    pub(super) fn is_late(&self, now_ms: u64) -> bool {
        self.is_gone || now_ms >= self.connection.began_at_ms + HANDSHAKE_MS
    }

    /// Takes what it said.
    pub(super) fn hear(&mut self, me: &Me, peers: &[Peer]) -> Outcome {
        loop {
            let outcome = match self.connection.next() {
                Ok(Some(Frame::Hello(hello))) if self.hello.is_empty() => {
                    if let Some(refusal) = objection(me, &hello) {
                        Outcome::Refused(refusal)
                    } else if let Ok(nonce) = random() {
                        Frame::Hello(hello).encode(&mut self.hello);
                        self.nonce = nonce;
                        let challenge = me.secret.challenge(&hello, nonce);
                        self.connection.put(&challenge);
                        Outcome::Wait
                    } else {
                        Outcome::Gone
                    }
                }
                Ok(Some(Frame::Proof(shown))) => return self.prove(me, peers, &shown),
                Ok(None) => return Outcome::Wait,
                Ok(Some(_)) | Err(_) => Outcome::Gone,
            };
            if !matches!(outcome, Outcome::Wait) {
                return outcome;
            }
        }
    }

    fn prove(&self, me: &Me, peers: &[Peer], shown: &[u8; 32]) -> Outcome {
        let Ok(Some((Frame::Hello(hello), _))) =
            frame::next(&self.hello, frame::HANDSHAKE_BYTES_MAX)
        else {
            return Outcome::Gone;
        };
        if !me.secret.is_proven(&hello, &self.nonce, shown) {
            return Outcome::Gone;
        }
        let Identity { name, incarnation } = hello.from;
        let is_it = |peer: &Peer| peer.is.name == name && peer.is.incarnation == incarnation;
        match peers.iter().position(is_it) {
            Some(peer) => {
                let Hello { lane, stream, taken, .. } = hello;
                Outcome::Proven(Proven { peer, lane: lane.into(), stream, taken })
            }
            None => Outcome::Refused(Refusal::Unknown),
        }
    }
}

/// Why a Hello is refused before anything is shown.
fn objection(me: &Me, hello: &Hello<'_>) -> Option<Refusal> {
    if hello.protocol != PROTOCOL || hello.lanes != LANES || hello.lane >= LANES {
        return Some(Refusal::Protocol);
    }
    let is_me = hello.to.name == me.name && hello.to.incarnation == me.incarnation;
    (!is_me).then_some(Refusal::NotMe)
}

/// Where the messages of a turn are gathered, by worker.
pub(super) struct ForWorkers<'a> {
    pub(super) shared: &'a Shared,
    pub(super) items: &'a mut Vec<Vec<Item>>,
    /// Room for them.
    pub(super) messages: &'a mut MessagePool,
    /// What was said about sessions.
    pub(super) moves: &'a mut Vec<MoveStep>,
    /// What was said about shadows.
    pub(super) shadows: &'a mut Vec<HeardShadow>,
    /// Workers that got something that is promised.
    pub(super) promised: Vec<u16>,
    /// What they get is stored.
    pub(super) is_durable: bool,
}

impl Peer {
    /// A lane of the other node stands: it is told where to go on.
    pub(super) fn welcome(
        &mut self,
        proven: &Proven,
        mut connection: Connection,
        has_shadow: bool,
    ) {
        connection.trust();
        let lane = proven.lane;
        let routes = if lane == 0 { self.mirror.version() } else { None };
        let Some(incoming) = self.incoming.get_mut(lane) else { return };
        incoming.receiver.connected(proven.stream, proven.taken);
        let (taken, has_replica) = (incoming.stored(), true);
        incoming.told = taken;
        let (has_links, knows_shadows) = (true, true);
        connection.put(&Frame::Welcome {
            taken,
            routes,
            has_replica,
            has_shadow,
            has_links,
            knows_shadows,
        });
        if let (0, Some((stream, number))) = (lane, self.shadow_kept) {
            connection.put(&Frame::Shadow(ShadowFrame::Kept { stream, number }));
        }
        incoming.connection = Some(connection);
        incoming.parts = Vec::new();
        incoming.is_ack_due = false;
        incoming.untold = 0;
    }

    /// Takes the frames of a connection that were read.
    pub(super) fn hear(
        &mut self,
        lane: usize,
        (numbers, link_numbers): (&mut Numbers, &mut LinkNumbers),
        workers: &mut ForWorkers<'_>,
    ) -> Result<(), Broken> {
        let Some(incoming) = self.incoming.get_mut(lane) else { return Ok(()) };
        let Some(mut connection) = incoming.connection.take() else { return Ok(()) };
        let (mut answers, mut replies) = (Vec::new(), Vec::new());
        let number = u16::try_from(lane).unwrap_or_default();
        while let Some(frame) = connection.next()? {
            match frame {
                Frame::Batch { seq, items } => {
                    let new = incoming.receiver.batch(seq);
                    if new.map_err(|error| Broken::new("protocol", error.to_string()))? {
                        self.received += take(incoming, &self.origin, items, workers)?;
                        let mark = Mark { peer: self.id, lane: number, seq };
                        workers.mark(incoming, mark);
                    } else {
                        incoming.is_ack_due = true;
                    }
                }
                Frame::Ping => {
                    incoming.is_ack_due |= incoming.untold > 0;
                    answers.push(Frame::Pong);
                }
                Frame::RoutesBegin
                | Frame::Routes { .. }
                | Frame::RoutesEnd
                | Frame::RoutesDigest { .. }
                    if lane == 0 =>
                {
                    if self.mirror.take(frame, &mut numbers.of(self.id))? {
                        answers.push(Frame::RoutesWanted);
                    }
                }
                Frame::Links(frames) if lane == 0 => {
                    if self.linked.take(frames, link_numbers)? {
                        answers.push(Frame::LinksWanted);
                    }
                }
                Frame::Replica(space, frame) if lane == 0 => {
                    let told = (space, frame);
                    replicated::take(self.id, &self.origin, told, workers, &mut replies)?;
                }
                Frame::Move(frame) if lane == 0 => workers.moves.push(received(incoming, frame)?),
                Frame::Shadow(frame) if lane == 0 => workers.shadows.extend(HeardShadow::of(frame)),
                _ => return Err(Broken::new("protocol", "a frame that does not belong here")),
            }
        }
        answers.iter().for_each(|frame| connection.put(frame));
        connection.put_bytes(&replies);
        incoming.connection = Some(connection);
        Ok(())
    }

    /// A connection of the other node is gone.
    pub(super) fn lose(
        &mut self,
        lane: usize,
        (numbers, link_numbers): (&mut Numbers, &mut LinkNumbers),
    ) {
        if let Some(incoming) = self.incoming.get_mut(lane) {
            incoming.connection = None;
        }
        if lane == 0 {
            self.mirror.disconnected(&mut numbers.of(self.id));
            self.linked.lost(link_numbers);
        }
    }
}

impl Incoming {
    /// Who published a message: mostly who published the one before it.
    fn publisher_of(&mut self, message: &Encoded<'_>) -> Arc<Publisher> {
        match &self.publisher {
            Some(publisher) if message.is_from(publisher) => publisher.clone(),
            _ => self.publisher.insert(Arc::new(message.publisher())).clone(),
        }
    }
}

/// Hands the messages of a batch on; how many there were.
fn take(
    incoming: &mut Incoming,
    origin: &Arc<Origin>,
    items: &[u8],
    workers: &mut ForWorkers<'_>,
) -> Result<u64, Broken> {
    let mut count = 0;
    for item in frame::items(items) {
        let item = item?;
        if let Some((SHADOW, _)) = item.shared {
            workers.shadows.push(HeardShadow::Chunk(item.message.to_vec()));
            continue;
        }
        count += 1;
        if let Some((FOR_CLIENT, client_id)) = item.shared {
            follow(incoming, (origin, client_id), item.message, workers)?;
            continue;
        }
        let Some(mut encoded) = Encoded::read(item.message) else {
            return Err(Broken::new("protocol", "a message that is none"));
        };
        // Its number in the other node's log means nothing here.
        encoded.parts.seq = 0;
        let from = incoming.publisher_of(&encoded);
        let known = encoded.origin();
        if let Some((ORPHAN, node)) = item.shared {
            let origin = known.unwrap_or_else(|| origin.clone());
            let message = workers.messages.make(&encoded.parts, from, Some(origin));
            incoming.is_ack_due = true;
            give_orphan(workers.items, &message, &node.into());
            workers.promise_all();
            continue;
        }
        let origin = match known.as_deref() {
            Some(known) if known.link.is_some() || !known.rules.is_empty() => {
                Arc::new(Origin { node: origin.node.clone(), ..known.clone() })
            }
            _ => origin.clone(),
        };
        let shard = workers.shared.shard_of(&from.client_id);
        if encoded.parts.qos != rookery_codec::QoS::AtMostOnce {
            incoming.is_ack_due = true;
            workers.promise(shard);
        }
        let group = item.shared.map(|(name, filter)| Box::new((name.into(), filter.into())));
        let message = workers.messages.make(&encoded.parts, from, Some(origin));
        if let Some(items) = workers.items.get_mut(usize::from(shard)) {
            items.push(Item::Shard(ShardMessage::FromNode { message, group }));
        }
    }
    incoming.untold += items.len();
    incoming.is_ack_due |= incoming.untold > UNTOLD_MAX;
    Ok(count)
}

/// Hands a message on that is for the session of one client.
fn follow(
    incoming: &mut Incoming,
    (origin, client_id): (&Arc<Origin>, &str),
    bytes: &[u8],
    workers: &mut ForWorkers<'_>,
) -> Result<(), Broken> {
    let mut copied = read_following(bytes)?;
    let shard = workers.shared.shard_of(client_id);
    if let Some(message) = copied.message.as_mut().and_then(Arc::get_mut) {
        message.origin.get_or_insert_with(|| origin.clone());
        if message.qos != rookery_codec::QoS::AtMostOnce {
            incoming.is_ack_due = true;
            workers.promise(shard);
        }
    }
    if let Some(items) = workers.items.get_mut(usize::from(shard)) {
        let (client_id, message) = (client_id.into(), Box::new(copied));
        items.push(Item::Shard(ShardMessage::Follow { client_id, message }));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rookery_codec::QoS;
    use rookery_core::ids::MessageId;
    use rookery_core::message::{Message, MessageParts};

    use super::*;

    #[test]
    fn each_message_is_from_who_published_it() {
        let parts = MessageParts {
            id: MessageId(1),
            timestamp_ms: 0,
            expires_at_ms: 0,
            seq: 0,
            qos: QoS::AtMostOnce,
            retain: false,
            sys: false,
            topic: "t",
            properties: &[],
            payload: b"",
        };
        let mut incoming = Incoming::default();
        let one = ("one", None);
        for (client_id, username) in [one, one, ("two", None), ("two", Some("u")), one] {
            let username: Option<Arc<str>> = username.map(Arc::from);
            let from = Publisher { client_id: client_id.into(), username };
            let bytes = Message::new(&parts, Arc::new(from), None).to_bytes();
            let encoded = Encoded::read(&bytes).unwrap();
            let found = incoming.publisher_of(&encoded);
            assert_eq!(*found, encoded.publisher());
            assert_eq!(&*found.client_id, client_id);
        }
    }
}
