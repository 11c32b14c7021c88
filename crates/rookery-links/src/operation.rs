//! What the route topic and the response topic carry: maps with the key `'$op'` and integer keys.

use rookery_codec::check_topic_filter;

use crate::term::{Atom, Limits, Term, TermError, decode, open};
use crate::write::{Writer, compressed};

/// The version of the protocol.
pub const PROTOCOL: i64 = 1;

/// Most changes that are sent in one payload.
pub const BATCH: usize = 4000;

/// What a payload may be: several batches as long as EMQX sends them, with long topics.
pub const LIMITS: Limits = Limits { bytes: 16 << 20, terms: 16 * BATCH };

/// The longest name of a cluster, of an actor, and of an error.
pub const NAME_BYTES_MAX: usize = 255;

/// The longest name of a route: two texts of MQTT and what stands between.
const ROUTE_BYTES_MAX: usize = 2 * 65_535 + 8;

mod key {
    pub(super) const ACTOR: i64 = 10;
    pub(super) const INCARNATION: i64 = 11;
    pub(super) const ROUTES: i64 = 12;
    pub(super) const TARGET: i64 = 13;
    pub(super) const PROTOCOL: i64 = 14;
    pub(super) const RESULT: i64 = 15;
    pub(super) const NEED_BOOTSTRAP: i64 = 16;
    /// Ours: words of [`super::Wishes`], and topic filters.
    pub(super) const WISHES: i64 = 100;
    pub(super) const TOPICS: i64 = 101;
}

const DELETE: i64 = 100;

/// Who tells routes: a node at one time, or a store that outlives nodes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Actor<'a> {
    /// Its name.
    pub name: &'a str,
    /// Rises with every start.
    pub incarnation: u64,
}

/// One change of what a cluster wants.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// The topic filter it wants, as the link lets it through.
    pub topic: &'a str,
    /// The name under which it wants it: the filter that was subscribed.
    pub route: &'a str,
    /// It wants it, or does not any more.
    pub is_there: bool,
}

/// What a cluster would have beyond the protocol. Who does not know of it passes over it and answers
/// none; what both sides wish holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes<'a> {
    /// Messages with QoS 1 and 2 are kept on disk while the link is down.
    pub store: bool,
    /// Retained messages are told when the link comes up, and kept.
    pub retained: bool,
    /// What it wants of the other cluster.
    pub topics: Vec<&'a str>,
}

const STORE: &str = "store";
const RETAINED: &str = "retained";

/// How an actor was received.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Reception<'a> {
    /// It may go on; whether it has to tell everything.
    Ok {
        /// Nothing of it is known.
        need_bootstrap: bool,
    },
    /// It may not, and why.
    Error(&'a str),
}

/// One payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation<'a> {
    /// Who is there, and whom it takes us for.
    Init {
        /// Version of the protocol.
        protocol: i64,
        /// The name it has for the cluster it speaks to.
        target: &'a str,
        /// Who it is.
        actor: Actor<'a>,
        /// What it would have beyond the protocol.
        wishes: Option<Wishes<'a>>,
    },
    /// The answer.
    Ack {
        /// Version of the protocol.
        protocol: i64,
        /// The actor that is meant.
        actor: &'a str,
        /// How it was received.
        reception: Reception<'a>,
        /// What this side would have beyond the protocol.
        wishes: Option<Wishes<'a>>,
    },
    /// Changes of routes.
    Routes {
        /// Whose.
        actor: Actor<'a>,
        /// In order.
        changes: Vec<Change<'a>>,
    },
    /// The actor is still there.
    Heartbeat {
        /// Who.
        actor: Actor<'a>,
    },
}

/// Why a payload is not taken.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// It is no term.
    #[error(transparent)]
    Term(#[from] TermError),
    /// It is a term, but not one that this topic carries.
    #[error("the payload is not one of the link protocol: {0}")]
    Shape(&'static str),
}

/// Reads what [`open`] gave.
///
/// # Errors
///
/// It is none of the operations.
pub fn read(plain: &[u8]) -> Result<Operation<'_>, PayloadError> {
    let term = decode(plain, LIMITS)?;
    let shape = PayloadError::Shape;
    let op = term.get(&Term::Atom(Atom::Op)).and_then(Term::text);
    let at = |key: i64| term.get(&Term::Int(key));
    let name = |key: i64| at(key).and_then(Term::text).filter(|name| is_name(name));
    let protocol = || at(key::PROTOCOL).and_then(Term::int).ok_or(shape("no version"));
    let actor = || {
        let name = name(key::ACTOR).ok_or(shape("no name of the actor"))?;
        let incarnation = at(key::INCARNATION).and_then(Term::int);
        let incarnation = incarnation.and_then(|number| u64::try_from(number).ok());
        let incarnation = incarnation.ok_or(shape("no incarnation"))?;
        Ok::<_, PayloadError>(Actor { name, incarnation })
    };
    let wishes = || wishes(at(key::WISHES), at(key::TOPICS));
    match op {
        Some("actor_init") => {
            let target = name(key::TARGET).ok_or(shape("no target cluster"))?;
            let (protocol, actor, wishes) = (protocol()?, actor()?, wishes());
            Ok(Operation::Init { protocol, target, actor, wishes })
        }
        Some("actor_init_ack") => {
            let reception = reception(at(key::RESULT), at(key::NEED_BOOTSTRAP));
            let reception = reception.ok_or(shape("no result"))?;
            let actor = name(key::ACTOR).ok_or(shape("no name of the actor"))?;
            Ok(Operation::Ack { protocol: protocol()?, actor, reception, wishes: wishes() })
        }
        Some("route") => {
            let Some(Term::List(routes)) = at(key::ROUTES) else {
                return Err(shape("no list of routes"));
            };
            let changes: Option<_> = routes.iter().map(change).collect();
            Ok(Operation::Routes {
                actor: actor()?,
                changes: changes.ok_or(shape("a route that is none"))?,
            })
        }
        Some("heartbeat") => Ok(Operation::Heartbeat { actor: actor()? }),
        Some(_) => Err(shape("an operation that is not known")),
        None => Err(shape("no operation")),
    }
}

/// The octets of a payload, decompressed.
///
/// # Errors
///
/// It is no term, or larger than may be.
pub fn unpack(payload: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>, PayloadError> {
    Ok(open(payload, LIMITS)?)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES_MAX
}

/// None where there are none, or where they are not as they should be: they are no reason to refuse
/// a link.
fn wishes<'a>(words: Option<&Term<'a>>, topics: Option<&Term<'a>>) -> Option<Wishes<'a>> {
    let words = words?.text()?;
    let has = |wanted: &str| words.split(',').any(|word| word == wanted);
    let Some(Term::List(topics)) = topics else { return None };
    let topics =
        topics.iter().map(|topic| topic.text().filter(|topic| check_topic_filter(topic).is_ok()));
    Some(Wishes {
        store: has(STORE),
        retained: has(RETAINED),
        topics: topics.collect::<Option<_>>()?,
    })
}

fn write_wishes(out: &mut Writer<'_>, wishes: Option<&Wishes<'_>>) {
    let Some(wishes) = wishes else { return };
    let words = [(wishes.store, STORE), (wishes.retained, RETAINED)];
    let words: Vec<&str> = words.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
    out.int(key::WISHES);
    out.text(&words.join(","));
    out.int(key::TOPICS);
    if !wishes.topics.is_empty() {
        out.list(wishes.topics.len());
        wishes.topics.iter().for_each(|topic| out.text(topic));
    }
    out.nil();
}

/// Entries of a map that [`write_wishes`] adds.
fn more(wishes: Option<&Wishes<'_>>) -> usize {
    if wishes.is_some() { 2 } else { 0 }
}

fn reception<'a>(result: Option<&Term<'a>>, needs: Option<&Term<'a>>) -> Option<Reception<'a>> {
    match result? {
        Term::Atom(Atom::Ok) => match needs? {
            Term::Atom(Atom::True) => Some(Reception::Ok { need_bootstrap: true }),
            Term::Atom(Atom::False) => Some(Reception::Ok { need_bootstrap: false }),
            _ => None,
        },
        Term::Tuple(parts) => match parts.as_slice() {
            [Term::Atom(Atom::Error), reason] => {
                reason.text().filter(|text| is_name(text)).map(Reception::Error)
            }
            _ => None,
        },
        _ => None,
    }
}

fn change<'a>(term: &Term<'a>) -> Option<Change<'a>> {
    let Term::Tuple(parts) = term else { return None };
    let (topic, route, is_there) = match parts.as_slice() {
        [topic, route] => (topic.text()?, route.text()?, true),
        [Term::Int(DELETE), topic, route] => (topic.text()?, route.text()?, false),
        _ => return None,
    };
    let is_route = !route.is_empty() && route.len() <= ROUTE_BYTES_MAX;
    (is_route && check_topic_filter(topic).is_ok()).then_some(Change { topic, route, is_there })
}

#[allow(clippy::cast_possible_wrap)] // ms since 1970, or a counter
fn write_actor(out: &mut Writer<'_>, actor: Actor<'_>) {
    out.int(key::ACTOR);
    out.text(actor.name);
    out.int(key::INCARNATION);
    out.int(actor.incarnation as i64);
}

fn write_op(out: &mut Writer<'_>, op: &str) {
    out.atom(Atom::Op);
    out.text(op);
}

impl Operation<'_> {
    /// As it goes out.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut out = Writer(&mut bytes);
        out.version();
        match self {
            Self::Init { protocol, target, actor, wishes } => {
                out.map(5 + more(wishes.as_ref()));
                write_actor(&mut out, *actor);
                out.int(key::TARGET);
                out.text(target);
                out.int(key::PROTOCOL);
                out.int(*protocol);
                write_wishes(&mut out, wishes.as_ref());
                write_op(&mut out, "actor_init");
            }
            Self::Ack { protocol, actor, reception, wishes } => {
                out.map(5 + more(wishes.as_ref()));
                out.int(key::ACTOR);
                out.text(actor);
                out.int(key::PROTOCOL);
                out.int(*protocol);
                write_reception(&mut out, reception);
                write_wishes(&mut out, wishes.as_ref());
                write_op(&mut out, "actor_init_ack");
            }
            Self::Routes { actor, changes } => {
                out.map(4);
                write_actor(&mut out, *actor);
                out.int(key::ROUTES);
                write_changes(&mut out, changes);
                write_op(&mut out, "route");
            }
            Self::Heartbeat { actor } => {
                out.map(3);
                write_actor(&mut out, *actor);
                write_op(&mut out, "heartbeat");
            }
        }
        compressed(bytes)
    }
}

fn write_reception(out: &mut Writer<'_>, reception: &Reception<'_>) {
    out.int(key::RESULT);
    match reception {
        Reception::Ok { need_bootstrap } => {
            out.atom(Atom::Ok);
            out.int(key::NEED_BOOTSTRAP);
            out.flag(*need_bootstrap);
        }
        Reception::Error(reason) => {
            out.tuple(2);
            out.atom(Atom::Error);
            out.text(reason);
            out.int(key::NEED_BOOTSTRAP);
            out.atom(Atom::Undefined);
        }
    }
}

fn write_changes(out: &mut Writer<'_>, changes: &[Change<'_>]) {
    if !changes.is_empty() {
        out.list(changes.len());
    }
    for change in changes {
        if change.is_there {
            out.tuple(2);
        } else {
            out.tuple(3);
            out.int(DELETE);
        }
        out.text(change.topic);
        out.text(change.route);
    }
    out.nil();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by Erlang/OTP 25.
    const HEARTBEAT: &str = "837400000003610a6d000000036e4068610b6e06008036c2839801640003246f706d00000009686561727462656174";
    const INIT: &str = "837400000005610a6d0000000d656d71784031302e302e302e31610b6e06008036c2839801610d6d00000009636c75737465722d62610e6101640003246f706d0000000a6163746f725f696e6974";
    const ACK: &str = "837400000005610a6d0000000d656d71784031302e302e302e31610e6101610f6400026f6b611064000474727565640003246f706d0000000e6163746f725f696e69745f61636b";

    const STARTED: u64 = 1_754_557_200_000;

    fn octets(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2);
        digits.map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap()).collect()
    }

    fn check(bytes: &[u8], want: &Operation<'_>) {
        let plain = unpack(bytes).unwrap();
        assert_eq!(read(&plain).as_ref(), Ok(want));
    }

    fn there_and_back(operation: &Operation<'_>) {
        check(&operation.encode(), operation);
    }

    #[test]
    fn what_erlang_wrote_is_read_and_written_alike() {
        let actor = Actor { name: "n@h", incarnation: STARTED };
        let emqx = Actor { name: "emqx@10.0.0.1", incarnation: STARTED };
        let reception = Reception::Ok { need_bootstrap: true };
        for (hex, operation) in [
            (HEARTBEAT, Operation::Heartbeat { actor }),
            (INIT, Operation::Init { protocol: 1, target: "cluster-b", actor: emqx, wishes: None }),
            (ACK, Operation::Ack { protocol: 1, actor: emqx.name, reception, wishes: None }),
        ] {
            check(&octets(hex), &operation);
            // Erlang/OTP 26 writes atoms as ours are: one octet of length in the place of two.
            let (old, new) = (octets(hex), operation.encode());
            let count = |bytes: &[u8], tag: &[u8]| bytes.windows(3).filter(|w| *w == tag).count();
            assert_eq!(
                new.len()
                    + count(&old, b"d\0\x03")
                    + count(&old, b"d\0\x02")
                    + count(&old, b"d\0\x04"),
                old.len()
            );
            there_and_back(&operation);
        }
    }

    #[test]
    fn operations_come_as_they_went() {
        let actor = Actor { name: "a@b", incarnation: 7 };
        let change = |topic, route, is_there| Change { topic, route, is_there };
        let many: Vec<String> = (0..BATCH).map(|n| format!("plant/{n}/state")).collect();
        let changes = many.iter().map(|topic| change(topic, topic, true)).collect();
        for operation in [
            Operation::Routes { actor, changes: vec![] },
            Operation::Routes {
                actor,
                changes: vec![change("t/1", "t/#", true), change("t/+", "$s/g/t/+", false)],
            },
            Operation::Routes { actor, changes },
            Operation::Ack {
                protocol: 1,
                actor: "x",
                reception: Reception::Error("unknown_cluster"),
                wishes: None,
            },
            Operation::Ack {
                protocol: 1,
                actor: "x",
                reception: Reception::Ok { need_bootstrap: false },
                wishes: Some(Wishes { store: true, retained: true, topics: vec!["a/#", "b"] }),
            },
            Operation::Init {
                protocol: 1,
                target: "x",
                actor,
                wishes: Some(Wishes { store: false, retained: true, topics: vec![] }),
            },
        ] {
            there_and_back(&operation);
        }
    }

    #[test]
    fn what_means_nothing_is_refused() {
        let text = |text: &'static str| Term::Binary(text.as_bytes());
        let op = |op| (Term::Atom(Atom::Op), text(op));
        let actor = || (Term::Int(10), text("n@h"));
        let incarnation = || (Term::Int(11), Term::Int(5));
        let routes = |route| (Term::Int(12), Term::List(vec![Term::Tuple(route)]));
        for (pairs, why) in [
            (vec![], "no operation"),
            (vec![op("other")], "an operation that is not known"),
            (vec![op("heartbeat")], "no name of the actor"),
            (vec![op("heartbeat"), actor()], "no incarnation"),
            (vec![op("heartbeat"), actor(), (Term::Int(11), Term::Int(-1))], "no incarnation"),
            (
                vec![op("heartbeat"), (Term::Int(10), text("")), incarnation()],
                "no name of the actor",
            ),
            (vec![op("route"), actor(), incarnation()], "no list of routes"),
            (
                vec![op("route"), actor(), incarnation(), routes(vec![text("a/#/b"), text("x")])],
                "a route that is none",
            ),
            (
                vec![
                    op("route"),
                    actor(),
                    incarnation(),
                    routes(vec![Term::Int(1), text("a"), text("x")]),
                ],
                "a route that is none",
            ),
            (vec![op("actor_init"), actor(), incarnation()], "no target cluster"),
            (vec![op("actor_init_ack"), actor()], "no result"),
        ] {
            let bytes = Term::Map(pairs).encode();
            assert_eq!(read(&unpack(&bytes).unwrap()), Err(PayloadError::Shape(why)));
        }
        assert!(unpack(b"").is_err() && unpack(b"{}").is_err());
    }
}
