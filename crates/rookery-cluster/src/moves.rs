//! Frames about sessions that move between nodes, and the questions that are open.
//!
//! These frames are not kept for a new connection as batches of messages are: whoever waits for an
//! answer [asks again](Asks::open_for) when one stands, and what was confirmed is found out by
//! comparing what both nodes have.

use std::collections::HashMap;

use rookery_codec::Fields;

use crate::frame::put_text;

/// Kinds of these frames.
pub const KIND_FIRST: u8 = 40;
/// The last one.
pub const KIND_LAST: u8 = 59;

/// Bytes of a session in one frame.
pub const PART_BYTES: usize = 1 << 20;

mod kind {
    pub(super) const ASK: u8 = 40;
    pub(super) const NOTHING: u8 = 41;
    pub(super) const REFUSED: u8 = 42;
    pub(super) const COMING: u8 = 43;
    pub(super) const COPY: u8 = 44;
    pub(super) const GIVE_UP: u8 = 45;
    pub(super) const TAKEN: u8 = 46;
    pub(super) const FORGOTTEN: u8 = 47;
    pub(super) const HELD: u8 = 48;
    pub(super) const LIST: u8 = 49;
    pub(super) const OFFER: u8 = 50;
}

/// What is said about a session. `ask` is a number of the node that asked; 0: no client waits.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum MoveFrame<'a> {
    /// Who has the session of this client?
    Ask {
        /// The number.
        ask: u64,
        /// Of two claims the higher one stands.
        epoch: u64,
        /// It shall end instead of coming.
        is_clean: bool,
        /// The client.
        client_id: &'a str,
    },
    /// Not here.
    Nothing {
        /// The number.
        ask: u64,
    },
    /// The same client connects here, with a higher epoch.
    Refused {
        /// The number.
        ask: u64,
        /// The client.
        client_id: &'a str,
    },
    /// Here, and it comes.
    Coming {
        /// The number.
        ask: u64,
    },
    /// A part of the session.
    Copy {
        /// The number.
        ask: u64,
        /// It is complete with that.
        is_last: bool,
        /// The client.
        client_id: &'a str,
        /// In a form that only its receiver knows.
        part: &'a [u8],
    },
    /// It is not wanted any more.
    GiveUp {
        /// The number.
        ask: u64,
        /// The client.
        client_id: &'a str,
    },
    /// It is stored.
    Taken {
        /// The epoch that it has now.
        epoch: u64,
        /// The client.
        client_id: &'a str,
    },
    /// It is forgotten.
    Forgotten {
        /// The client.
        client_id: &'a str,
    },
    /// Sessions that there are.
    Held {
        /// A number of the sender, for [`MoveFrame::List`].
        shard: u16,
        /// Where to go on; none: nothing more.
        next: Option<u32>,
        /// [`held`] takes it apart.
        items: &'a [u8],
    },
    /// Go on.
    List {
        /// With this number.
        shard: u16,
        /// From here.
        from: u32,
    },
    /// The session of a client that is away may come to the receiver, which asks for it.
    Offer {
        /// The client.
        client_id: &'a str,
    },
}

impl<'a> MoveFrame<'a> {
    #[allow(clippy::option_option)] // well-formed, then known
    pub(crate) fn read(kind: u8, r: &mut Fields<'a>) -> Option<Option<Self>> {
        Some(Some(match kind {
            kind::ASK => Self::Ask {
                ask: r.u64()?,
                epoch: r.u64()?,
                is_clean: r.u8()? == 1,
                client_id: r.short_text()?,
            },
            kind::NOTHING => Self::Nothing { ask: r.u64()? },
            kind::REFUSED => Self::Refused { ask: r.u64()?, client_id: r.short_text()? },
            kind::COMING => Self::Coming { ask: r.u64()? },
            kind::COPY => Self::Copy {
                ask: r.u64()?,
                is_last: r.u8()? == 1,
                client_id: r.short_text()?,
                part: r.rest(),
            },
            kind::GIVE_UP => Self::GiveUp { ask: r.u64()?, client_id: r.short_text()? },
            kind::TAKEN => Self::Taken { epoch: r.u64()?, client_id: r.short_text()? },
            kind::FORGOTTEN => Self::Forgotten { client_id: r.short_text()? },
            kind::HELD => {
                let (shard, has_next, next) = (r.u16()?, r.u8()?, r.u32()?);
                Self::Held { shard, next: (has_next == 1).then_some(next), items: r.rest() }
            }
            kind::LIST => Self::List { shard: r.u16()?, from: r.u32()? },
            kind::OFFER => Self::Offer { client_id: r.short_text()? },
            _ => return Some(None),
        }))
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ask { ask, epoch, is_clean, client_id } => {
                out.extend_from_slice(&ask.to_le_bytes());
                out.extend_from_slice(&epoch.to_le_bytes());
                out.push(u8::from(*is_clean));
                put_text(out, client_id);
            }
            Self::Nothing { ask } | Self::Coming { ask } => {
                out.extend_from_slice(&ask.to_le_bytes());
            }
            Self::Refused { ask: word, client_id }
            | Self::GiveUp { ask: word, client_id }
            | Self::Taken { epoch: word, client_id } => {
                out.extend_from_slice(&word.to_le_bytes());
                put_text(out, client_id);
            }
            Self::Copy { ask, is_last, client_id, part } => {
                out.extend_from_slice(&ask.to_le_bytes());
                out.push(u8::from(*is_last));
                put_text(out, client_id);
                out.extend_from_slice(part);
            }
            Self::Forgotten { client_id } | Self::Offer { client_id } => put_text(out, client_id),
            Self::Held { shard, next, items } => {
                out.extend_from_slice(&shard.to_le_bytes());
                out.push(u8::from(next.is_some()));
                out.extend_from_slice(&next.unwrap_or_default().to_le_bytes());
                out.extend_from_slice(items);
            }
            Self::List { shard, from } => {
                out.extend_from_slice(&shard.to_le_bytes());
                out.extend_from_slice(&from.to_le_bytes());
            }
        }
    }

    pub(crate) const fn kind(&self) -> u8 {
        match self {
            Self::Ask { .. } => kind::ASK,
            Self::Nothing { .. } => kind::NOTHING,
            Self::Refused { .. } => kind::REFUSED,
            Self::Coming { .. } => kind::COMING,
            Self::Copy { .. } => kind::COPY,
            Self::GiveUp { .. } => kind::GIVE_UP,
            Self::Taken { .. } => kind::TAKEN,
            Self::Forgotten { .. } => kind::FORGOTTEN,
            Self::Held { .. } => kind::HELD,
            Self::List { .. } => kind::LIST,
            Self::Offer { .. } => kind::OFFER,
        }
    }
}

/// Appends a session to a list of them.
pub fn put_held(out: &mut Vec<u8>, client_id: &str, epoch: u64) {
    put_text(out, client_id);
    out.extend_from_slice(&epoch.to_le_bytes());
}

/// The sessions of a list; none when it is not well-formed.
#[must_use]
pub fn held(items: &[u8]) -> Option<Vec<(&str, u64)>> {
    let mut r = Fields(items);
    let mut found = Vec::new();
    while !r.0.is_empty() {
        found.push((r.short_text()?, r.u64()?));
    }
    Some(found)
}

/// A question to other nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its number.
    pub ask: u64,
    /// The epoch of the connect.
    pub epoch: u64,
    /// The session shall end instead of coming.
    pub is_clean: bool,
    /// The client.
    pub client_id: std::sync::Arc<str>,
}

#[derive(Debug)]
struct Open {
    question: Question,
    /// Who has not answered.
    waiting: Vec<u64>,
    has_copy: bool,
    deadline_ms: u64,
}

/// A question to which there is no more to be said.
#[derive(Debug, PartialEq, Eq)]
pub struct Settled {
    /// The question.
    pub question: Question,
    /// Who did not answer.
    pub silent: Vec<u64>,
}

/// Questions that are open, and who has to answer them until when.
#[derive(Debug, Default)]
pub struct Asks {
    open: HashMap<u64, Open>,
}

impl Asks {
    /// Asks these nodes; without any nobody is waited for.
    pub fn ask(
        &mut self,
        question: Question,
        waiting: Vec<u64>,
        deadline_ms: u64,
    ) -> Option<Settled> {
        if waiting.is_empty() {
            return Some(Settled { question, silent: Vec::new() });
        }
        let open = Open { question, waiting, has_copy: false, deadline_ms };
        self.open.insert(open.question.ask, open);
        None
    }

    /// A node has no more to say about a question. `is_copy`: it gave the session. Then nodes that
    /// cannot be reached are not waited for: who could have the session has it.
    pub fn answered(
        &mut self,
        ask: u64,
        node: u64,
        is_copy: bool,
        is_reachable: impl Fn(u64) -> bool,
    ) -> Option<Settled> {
        let open = self.open.get_mut(&ask)?;
        open.waiting.retain(|one| *one != node);
        open.has_copy |= is_copy;
        let is_over = open.waiting.is_empty()
            || (open.has_copy && open.waiting.iter().all(|one| !is_reachable(*one)));
        if is_over { self.close(ask) } else { None }
    }

    /// A node gives what was asked for, bit by bit: it is waited for.
    pub fn prolong(&mut self, ask: u64, deadline_ms: u64) {
        if let Some(open) = self.open.get_mut(&ask) {
            open.deadline_ms = open.deadline_ms.max(deadline_ms);
        }
    }

    /// A question is not asked any more, or it is answered.
    pub fn close(&mut self, ask: u64) -> Option<Settled> {
        let open = self.open.remove(&ask)?;
        Some(Settled { question: open.question, silent: open.waiting })
    }

    /// The number of every question that is waited for too long, or that this node will not answer.
    #[must_use]
    pub fn due(&self, now_ms: u64, is_known: impl Fn(u64) -> bool) -> Vec<u64> {
        let is_due = |open: &&Open| {
            open.deadline_ms <= now_ms || open.waiting.iter().all(|node| !is_known(*node))
        };
        self.open.values().filter(is_due).map(|open| open.question.ask).collect()
    }

    /// When the next one is waited for too long.
    #[must_use]
    pub fn due_ms(&self) -> Option<u64> {
        self.open.values().map(|open| open.deadline_ms).min()
    }

    /// Another node answers in the place of one that is lost; the questions that it has to be asked.
    pub fn replace(&mut self, lost: u64, by: u64) -> Vec<Question> {
        let mut questions = Vec::new();
        for open in self.open.values_mut().filter(|open| open.waiting.contains(&lost)) {
            open.waiting.retain(|one| *one != lost && *one != by);
            open.waiting.push(by);
            questions.push(open.question.clone());
        }
        questions
    }

    /// Whatever waits for `with` waits for another node as well.
    pub fn join(&mut self, with: u64, node: u64) {
        for open in self.open.values_mut().filter(|open| open.waiting.contains(&with)) {
            open.waiting.push(node);
        }
    }

    /// What a node is to be asked again on a new connection.
    pub fn open_for(&self, node: u64) -> impl Iterator<Item = &Question> {
        let open = self.open.values().filter(move |open| open.waiting.contains(&node));
        open.map(|open| &open.question)
    }
}
