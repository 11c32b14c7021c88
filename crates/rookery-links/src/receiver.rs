//! Takes what other clusters tell: who may, what is answered, when the connection has to end.
//!
//! The driver has checked that the client may speak for the cluster that the topic names. An actor
//! introduces itself on each connection before it tells anything else there.

use std::collections::BTreeMap;

use crate::operation::{Actor, Operation, PROTOCOL, PayloadError, Reception, Wishes, read, unpack};
use crate::sender::OwnWishes;
use crate::table::{ActorError, RouteTable};

/// Why a connection has to end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// What came is not of the protocol.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// The actor may not tell that.
    #[error(transparent)]
    Actor(#[from] ActorError),
    /// Something else came first on this connection, or for another actor.
    #[error("the actor has not introduced itself on this connection")]
    NotIntroduced,
    /// The link was taken away or switched off meanwhile.
    #[error("the link is gone or disabled")]
    Gone,
}

/// Errors that an actor is answered with.
pub mod error {
    /// There is no link to a cluster of that name.
    pub const UNKNOWN_CLUSTER: &str = "unknown_cluster";
    /// The other side takes this cluster for another one.
    pub const BAD_NAME: &str = "bad_remote_cluster_link_name";
    /// The link is switched off here.
    pub const DISABLED: &str = "cluster_link_disabled";
    /// Another version of the protocol.
    pub const PROTOCOL: &str = "unsupported_protocol_version";
}

/// The actor of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    cluster: Box<str>,
    actor: Box<str>,
    incarnation: u64,
}

impl Session {
    /// The cluster that it speaks for.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.cluster
    }
}

/// A link as the receiving side sees it.
#[derive(Debug)]
struct Link {
    is_enabled: bool,
    /// By which the driver knows it.
    number: u16,
    table: RouteTable,
    /// What this side would have beyond the protocol, of these topics.
    wishes: OwnWishes,
    topics: Vec<Box<str>>,
    /// The other side waits for what is retained here, of these topics.
    waiting: Option<Vec<Box<str>>>,
    /// An actor of the other side came.
    has_arrived: bool,
}

/// What all the other clusters told.
#[derive(Debug, Default)]
pub struct Receiver {
    name: Box<str>,
    links: BTreeMap<Box<str>, Link>,
    is_one_of_many: bool,
}

impl Receiver {
    /// This cluster's name.
    pub fn set_name(&mut self, name: &str) {
        self.name = name.into();
    }

    /// Whether other nodes of this cluster take the same actors:
    /// [`RouteTable::set_is_one_of_many`].
    pub fn set_is_one_of_many(&mut self, is: bool) {
        self.is_one_of_many = is;
        self.links.values_mut().for_each(|link| link.table.set_is_one_of_many(is));
    }

    /// Makes a link known, or changes it; one that is switched off forgets what was told.
    pub fn set_link(&mut self, cluster: &str, number: u16, is_enabled: bool) {
        match self.links.get_mut(cluster) {
            Some(link) => {
                link.number = number;
                link.is_enabled = is_enabled;
                if !is_enabled {
                    link.table = RouteTable::default();
                }
            }
            None => {
                let link = Link {
                    is_enabled,
                    number,
                    table: RouteTable::default(),
                    wishes: OwnWishes::default(),
                    topics: Vec::new(),
                    waiting: None,
                    has_arrived: false,
                };
                self.links.insert(cluster.into(), link);
            }
        }
        if let Some(link) = self.links.get_mut(cluster) {
            link.table.set_is_one_of_many(self.is_one_of_many);
        }
    }

    /// What this side would have of a link beyond the protocol, and of which topics.
    pub fn set_wishes(&mut self, cluster: &str, wishes: OwnWishes, topics: Vec<Box<str>>) {
        if let Some(link) = self.links.get_mut(cluster) {
            (link.wishes, link.topics) = (wishes, topics);
        }
    }

    /// Links whose other side waits for what is retained here, of which topics: each is told once.
    pub fn take_waiting(&mut self) -> Vec<(u16, Vec<Box<str>>)> {
        let links = self.links.values_mut();
        links.filter_map(|link| Some((link.number, link.waiting.take()?))).collect()
    }

    /// Links of which an actor came: the other side is there and lets this one speak, most likely.
    /// Each is told once.
    pub fn take_arrivals(&mut self) -> Vec<u16> {
        let came = |link: &mut Link| std::mem::take(&mut link.has_arrived).then_some(link.number);
        self.links.values_mut().filter_map(came).collect()
    }

    /// Forgets a link.
    pub fn remove_link(&mut self, cluster: &str) {
        self.links.remove(cluster);
    }

    /// Every link with its number.
    pub fn links(&self) -> impl Iterator<Item = (&str, u16)> {
        self.links.iter().map(|(name, link)| (&**name, link.number))
    }

    /// What a cluster told.
    #[must_use]
    pub fn table(&self, cluster: &str) -> Option<&RouteTable> {
        self.links.get(cluster).map(|link| &link.table)
    }

    /// Takes a payload of `cluster`'s route topic; what to answer on the response topic. `each`
    /// learns which topics the link of a number wants now, or does not any more.
    ///
    /// # Errors
    ///
    /// The connection has to end.
    pub fn take(
        &mut self,
        cluster: &str,
        session: &mut Option<Session>,
        payload: &[u8],
        now_ms: u64,
        mut each: impl FnMut(u16, &str, bool),
    ) -> Result<Option<Vec<u8>>, Violation> {
        let plain = unpack(payload)?;
        match read(&plain)? {
            Operation::Init { protocol, target, actor, wishes } => {
                let reception = self.receive(cluster, protocol, target, actor, now_ms)?;
                let is_received = matches!(reception, Reception::Ok { .. });
                if let (true, Some(wishes)) = (is_received, &wishes) {
                    self.note_wishes(cluster, wishes);
                }
                *session = is_received.then(|| Session {
                    cluster: cluster.into(),
                    actor: actor.name.into(),
                    incarnation: actor.incarnation,
                });
                // Who did not say what it wishes does not understand an answer either.
                let link = self.links.get(cluster).filter(|_| is_received && wishes.is_some());
                let wishes = link.and_then(|link| link.wishes.of(&link.topics));
                let (protocol, actor) = (PROTOCOL, actor.name);
                let ack = Operation::Ack { protocol, actor, reception, wishes };
                Ok(Some(ack.encode()))
            }
            Operation::Routes { actor, changes } => {
                let link = self.link_of(cluster, session.as_ref(), actor)?;
                let number = link.number;
                link.table.apply(actor, now_ms, &changes, |topic, is_there| {
                    each(number, topic, is_there);
                })?;
                Ok(None)
            }
            Operation::Heartbeat { actor } => {
                self.link_of(cluster, session.as_ref(), actor)?.table.renew(actor, now_ms)?;
                Ok(None)
            }
            Operation::Ack { .. } => {
                Err(PayloadError::Shape("an answer where none was asked for").into())
            }
        }
    }

    fn note_wishes(&mut self, cluster: &str, wishes: &Wishes<'_>) {
        if let Some(link) = self.links.get_mut(cluster)
            && wishes.retained
            && link.wishes.retained
        {
            link.waiting = Some(wishes.topics.iter().map(|topic| Box::from(*topic)).collect());
        }
    }

    fn receive(
        &mut self,
        cluster: &str,
        protocol: i64,
        target: &str,
        actor: Actor<'_>,
        now_ms: u64,
    ) -> Result<Reception<'static>, Violation> {
        let Some(link) = self.links.get_mut(cluster) else {
            return Ok(Reception::Error(error::UNKNOWN_CLUSTER));
        };
        if target != &*self.name {
            return Ok(Reception::Error(error::BAD_NAME));
        }
        if !link.is_enabled {
            return Ok(Reception::Error(error::DISABLED));
        }
        if protocol != PROTOCOL {
            return Ok(Reception::Error(error::PROTOCOL));
        }
        let need_bootstrap = link.table.introduce(actor, now_ms)?;
        link.has_arrived = true;
        Ok(Reception::Ok { need_bootstrap })
    }

    fn link_of(
        &mut self,
        cluster: &str,
        session: Option<&Session>,
        actor: Actor<'_>,
    ) -> Result<&mut Link, Violation> {
        let is_known = session.is_some_and(|session| {
            &*session.cluster == cluster
                && &*session.actor == actor.name
                && session.incarnation == actor.incarnation
        });
        if !is_known {
            return Err(Violation::NotIntroduced);
        }
        self.links.get_mut(cluster).filter(|link| link.is_enabled).ok_or(Violation::Gone)
    }

    /// Forgets actors of whom nothing was heard, a slice at a time: [`RouteTable::collect`].
    pub fn collect(&mut self, now_ms: u64, visits: usize, mut each: impl FnMut(u16, &str)) -> bool {
        let mut is_busy = false;
        for link in self.links.values_mut() {
            let number = link.number;
            is_busy |= link.table.collect(now_ms, visits, |topic| each(number, topic));
        }
        is_busy
    }

    /// When somebody has to be forgotten, if nothing is heard of them.
    #[must_use]
    pub fn due_ms(&self) -> Option<u64> {
        self.links.values().filter_map(|link| link.table.due_ms()).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Change;
    use crate::table::TTL_MS;

    const ACTOR: Actor<'_> = Actor { name: "n@eu", incarnation: 5 };

    fn stage() -> Receiver {
        let mut receiver = Receiver::default();
        receiver.set_name("us");
        receiver.set_link("eu", 1, true);
        receiver.set_link("off", 2, false);
        receiver
    }

    fn init(target: &str, protocol: i64) -> Operation<'_> {
        Operation::Init { protocol, target, actor: ACTOR, wishes: None }
    }

    fn routes<'a>(topics: &[&'a str]) -> Operation<'a> {
        let change = |topic: &&'a str| Change { topic, route: topic, is_there: true };
        Operation::Routes { actor: ACTOR, changes: topics.iter().map(change).collect() }
    }

    type Changes = Vec<(u16, String, bool)>;

    fn take(
        receiver: &mut Receiver,
        session: &mut Option<Session>,
        cluster: &str,
        operation: &Operation<'_>,
        now_ms: u64,
    ) -> Result<(Option<Vec<u8>>, Changes), Violation> {
        let mut changes = Vec::new();
        let answer =
            receiver.take(cluster, session, &operation.encode(), now_ms, |n, topic, is| {
                changes.push((n, topic.to_owned(), is));
            })?;
        Ok((answer, changes))
    }

    fn answered(cluster: &str, operation: &Operation<'_>) -> String {
        let (answer, _) = take(&mut stage(), &mut None, cluster, operation, 0).unwrap();
        match read(&unpack(&answer.unwrap()).unwrap()).unwrap() {
            Operation::Ack { actor: "n@eu", reception: Reception::Error(why), .. } => why.into(),
            Operation::Ack { reception: Reception::Ok { need_bootstrap }, .. } => {
                format!("ok {need_bootstrap}")
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_actor_is_told_why_it_may_not() {
        for (cluster, operation, answer) in [
            ("eu", init("us", 1), "ok true"),
            ("asia", init("us", 1), error::UNKNOWN_CLUSTER),
            ("eu", init("usa", 1), error::BAD_NAME),
            ("off", init("us", 1), error::DISABLED),
            ("eu", init("us", 2), error::PROTOCOL),
        ] {
            assert_eq!(answered(cluster, &operation), answer);
        }
    }

    #[test]
    fn routes_are_taken_behind_an_introduction() {
        let mut receiver = stage();
        let mut session = None;
        take(&mut receiver, &mut session, "eu", &init("us", 1), 0).unwrap();
        let (answer, changes) =
            take(&mut receiver, &mut session, "eu", &routes(&["a", "b", "a"]), 0).unwrap();
        assert_eq!(answer, None);
        assert_eq!(changes, [(1, "a".to_owned(), true), (1, "b".to_owned(), true)]);
        assert_eq!(receiver.table("eu").unwrap().len(), 2);
    }

    /// EMQX #16393 and what is near: a heartbeat before the introduction ends the connection.
    #[test]
    fn nothing_is_taken_before_an_introduction() {
        let heartbeat = Operation::Heartbeat { actor: ACTOR };
        let mut receiver = stage();
        for operation in [&heartbeat, &routes(&["a"])] {
            let found = take(&mut receiver, &mut None, "eu", operation, 0);
            assert_eq!(found, Err(Violation::NotIntroduced));
        }
        let mut session = None;
        take(&mut receiver, &mut session, "eu", &init("us", 1), 0).unwrap();
        assert_eq!(take(&mut receiver, &mut session, "eu", &heartbeat, 0), Ok((None, vec![])));
        // Another connection did not introduce it, another cluster has no such actor.
        assert_eq!(
            take(&mut receiver, &mut None, "eu", &heartbeat, 0),
            Err(Violation::NotIntroduced)
        );
        assert_eq!(
            take(&mut receiver, &mut session, "off", &heartbeat, 0),
            Err(Violation::NotIntroduced)
        );
        let reception = Reception::Error("x");
        let ack = Operation::Ack { protocol: 1, actor: "n@eu", reception, wishes: None };
        assert!(take(&mut receiver, &mut session, "eu", &ack, 0).is_err());
        assert!(receiver.take("eu", &mut session, b"garbage", 0, |_, _, _| {}).is_err());
    }

    #[test]
    fn an_introduction_that_failed_opens_nothing() {
        let mut receiver = stage();
        let mut session = None;
        take(&mut receiver, &mut session, "eu", &init("us", 1), 0).unwrap();
        take(&mut receiver, &mut session, "eu", &init("other", 1), 0).unwrap();
        let found = take(&mut receiver, &mut session, "eu", &routes(&["a"]), 0);
        assert_eq!(found, Err(Violation::NotIntroduced));
    }

    #[test]
    fn a_link_that_is_switched_off_takes_nothing_and_forgets() {
        let mut receiver = stage();
        let mut session = None;
        take(&mut receiver, &mut session, "eu", &init("us", 1), 0).unwrap();
        take(&mut receiver, &mut session, "eu", &routes(&["a"]), 0).unwrap();
        receiver.set_link("eu", 1, false);
        assert!(receiver.table("eu").unwrap().is_empty());
        let found = take(&mut receiver, &mut session, "eu", &routes(&["b"]), 0);
        assert_eq!(found, Err(Violation::Gone));
    }

    #[test]
    fn what_both_sides_wish_holds() {
        let mut receiver = stage();
        let wishes = Wishes { store: true, retained: true, topics: vec!["a/#"] };
        let asks =
            |wishes| Operation::Init { protocol: PROTOCOL, target: "us", actor: ACTOR, wishes };
        let answer = |receiver: &mut Receiver, wishes| {
            let (answer, _) = take(receiver, &mut None, "eu", &asks(wishes), 0).unwrap();
            let answer = answer.unwrap();
            let plain = unpack(&answer).unwrap();
            let Operation::Ack { wishes, .. } = read(&plain).unwrap() else { panic!() };
            wishes.map(|w| (w.store, w.retained, w.topics.concat()))
        };
        assert_eq!(answer(&mut receiver, Some(wishes.clone())), None);
        assert!(receiver.take_waiting().is_empty());
        let own = OwnWishes { store: true, retained: true };
        receiver.set_wishes("eu", own, vec!["b".into()]);
        assert_eq!(answer(&mut receiver, None), None, "one that knows nothing of it");
        let told = Some((true, true, "b".to_owned()));
        assert_eq!(answer(&mut receiver, Some(wishes)), told);
        assert_eq!(receiver.take_waiting(), [(1, vec!["a/#".into()])]);
        assert!(receiver.take_waiting().is_empty());
    }

    /// EMQX #16317: what is forgotten of one link leaves the others alone.
    #[test]
    fn forgetting_the_actors_of_one_link_leaves_the_others_alone() {
        let mut receiver = stage();
        receiver.set_link("asia", 3, true);
        let (mut eu, mut asia) = (None, None);
        take(&mut receiver, &mut eu, "eu", &init("us", 1), 0).unwrap();
        take(&mut receiver, &mut asia, "asia", &init("us", 1), 20_000).unwrap();
        take(&mut receiver, &mut eu, "eu", &routes(&["a"]), 0).unwrap();
        take(&mut receiver, &mut asia, "asia", &routes(&["a", "b"]), 20_000).unwrap();
        assert_eq!(receiver.due_ms(), Some(TTL_MS));
        let mut gone = Vec::new();
        while receiver.collect(TTL_MS, 16, |number, topic| gone.push((number, topic.to_owned()))) {}
        assert_eq!(gone, [(1, "a".to_owned())]);
        assert_eq!(receiver.table("asia").unwrap().len(), 2);
        // And it may come back: then it tells everything anew.
        let (answer, _) = take(&mut receiver, &mut eu, "eu", &init("us", 1), TTL_MS).unwrap();
        assert!(answer.is_some());
    }
}
