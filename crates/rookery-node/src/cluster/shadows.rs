//! Sessions of other nodes that this one keeps as well, each node's in a store of its own: its *shadow*.
//!
//! On one thread, which may wait for the disk. A shadow that is not whole does not replace one that is.
//! When its node is lost, the sessions in it go on here: they are read, handed to the workers some at a
//! time, and the shadow is removed when they are stored.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rookery_cluster::shadow::{Chunk, Part};
use rookery_core::effects::{LogLevel, ShardMessage, UpEvent};
use rookery_core::inflight::Stage;
use rookery_core::message::Message;
use rookery_core::moving::copy::{CopiedMessage, SessionCopy};
use rookery_core::shadow::{Adopted, ShadowMessage};
use rookery_core::shard::{RestoredMessage, RestoredSession};
use rookery_core::shared::Shared;
use rookery_core::store_port::{MessageRef, Op};
use rookery_store::{
    Batch, CommitError, Completion, ReadResult, SmallVec, Store, StoreOptions, decode_ops,
};

use super::Outlet;
use super::control::Order;
use crate::inbox::{Inbox, Item};
use crate::recover;
use crate::up::Upstream;

/// Sessions on their way to workers and not stored there.
const ADOPTED_MAX: usize = 64;
/// How long a worker may take to store one.
const STORED_WAIT: Duration = Duration::from_secs(30);
/// How long a node that stops waits for what is under way here.
const STOP_WAIT: Duration = Duration::from_secs(5);
/// Where they are, in the directory of the node's own store.
const FOLDER: &str = "shadows";

/// What there is to do.
enum Task {
    /// A chunk of a node's stream: its name, that of its start, the chunk.
    Take(Arc<str>, u64, Vec<u8>),
    /// Another node keeps these by now.
    Forget(Arc<str>),
    /// The node is lost.
    Adopt(Arc<str>, u64),
    Stop,
}

/// The handle on the thread.
pub(super) struct Shadows {
    tasks: Sender<Task>,
    thread: Option<JoinHandle<()>>,
    /// What was not begun is left.
    is_stopping: Arc<AtomicBool>,
    /// Closed by the thread when it ends.
    ended: Receiver<()>,
    up: Arc<Upstream>,
}

impl Shadows {
    /// `options` are those of the node's own store. What an earlier start kept is removed: its nodes
    /// have begun new streams.
    pub(super) fn start(
        options: &StoreOptions,
        outlet: Arc<Outlet>,
        inboxes: Arc<[Inbox]>,
        shared: Arc<Shared>,
        up: Arc<Upstream>,
    ) -> std::io::Result<Self> {
        let folder = options.dir.join(FOLDER);
        let (tasks, todo) = channel();
        let options = options.clone();
        let (is_stopping, stops) = (Arc::new(AtomicBool::new(false)), up.clone());
        let (open, ended) = channel();
        let keeper = Keeper {
            folder,
            options,
            outlet,
            inboxes,
            shared,
            up,
            nodes: HashMap::new(),
            is_stopping: is_stopping.clone(),
        };
        let thread = std::thread::Builder::new().name("shadows".into()).stack_size(1 << 20).spawn(
            move || {
                let _open = open;
                keeper.run(&todo);
            },
        )?;
        Ok(Self { tasks, thread: Some(thread), is_stopping, ended, up: stops })
    }

    pub(super) fn take(&self, node: &str, incarnation: u64, chunk: Vec<u8>) {
        self.give(Task::Take(node.into(), incarnation, chunk));
    }

    pub(super) fn forget(&self, node: &str) {
        self.give(Task::Forget(node.into()));
    }

    pub(super) fn adopt(&self, node: &str, incarnation: u64) {
        self.give(Task::Adopt(node.into(), incarnation));
    }

    /// A thread that panicked takes nothing any more; that was reported on stderr.
    fn give(&self, task: Task) {
        let _ = self.tasks.send(task);
    }
}

impl Drop for Shadows {
    /// Workers must not wait for the lanes any more: it is they who store sessions that are handed over.
    fn drop(&mut self) {
        self.is_stopping.store(true, Ordering::Release);
        self.give(Task::Stop);
        let Some(thread) = self.thread.take() else { return };
        if self.ended.recv_timeout(STOP_WAIT) == Err(RecvTimeoutError::Timeout) {
            let text = "the node stops while copies of other nodes' sessions are being written or taken \
                        over; it does not wait for that any longer";
            self.up.push_all([UpEvent::Log(LogLevel::Warning, text.into())]);
            return;
        }
        let _ = thread.join();
    }
}

/// One copy of a node's sessions.
struct Shadow {
    stream: u64,
    /// Which store of the node it is a copy of.
    of: [u8; 8],
    incarnation: u64,
    store: Store,
    dir: PathBuf,
    /// While sessions are being listed: who claims a message, for it is listed once for each. Compaction
    /// looks for claims in the latest record of a message alone.
    claims: HashMap<u64, SmallVec<[MessageRef; 1]>>,
}

/// Copies of one node's sessions.
#[derive(Default)]
struct OfNode {
    whole: Option<Shadow>,
    next: Option<Shadow>,
}

struct Keeper {
    folder: PathBuf,
    options: StoreOptions,
    outlet: Arc<Outlet>,
    inboxes: Arc<[Inbox]>,
    shared: Arc<Shared>,
    up: Arc<Upstream>,
    nodes: HashMap<Arc<str>, OfNode>,
    is_stopping: Arc<AtomicBool>,
}

/// Tells the lanes what a shadow's store has.
struct Report {
    node: Arc<str>,
    stream: u64,
    outlet: Arc<Outlet>,
}

impl Completion for Report {
    fn committed(&self, _: u16, ticket: u64, result: Result<(), CommitError>) {
        let (node, stream) = (self.node.clone(), self.stream);
        let number = result.is_ok().then_some(ticket);
        self.outlet.order(Order::Kept { node, stream, number });
    }

    /// Bodies are read without this.
    fn read_done(&self, _: u16, _: u64, _: Vec<(u64, ReadResult)>) {}
}

fn remove(dir: &Path) {
    // What is left is removed at the next start.
    let _ = std::fs::remove_dir_all(dir);
}

impl Shadow {
    fn remove(self) {
        // It is removed, whatever state it is in.
        let _ = self.store.close();
        remove(&self.dir);
    }

    fn write(&mut self, number: u64, mut ops: Vec<Op>, is_whole: bool) {
        if !is_whole {
            ops.iter_mut().for_each(|op| self.gather(op));
        }
        self.store.submit(0, number, Batch { epoch: 0, ops });
    }

    fn gather(&mut self, op: &mut Op) {
        match op {
            Op::Publish { seq, refs, .. } => {
                let known = self.claims.entry(*seq).or_default();
                for claim in refs.iter() {
                    if !known.iter().any(|one| one.session == claim.session) {
                        known.push(*claim);
                    }
                }
                refs.clone_from(&*known);
            }
            Op::Ack { session, seq } => {
                if let Some(known) = self.claims.get_mut(seq) {
                    known.retain(|claim| claim.session != *session);
                }
            }
            Op::DropSession { session } => {
                for known in self.claims.values_mut() {
                    known.retain(|claim| claim.session != *session);
                }
            }
            _ => {}
        }
    }
}

impl Keeper {
    fn run(mut self, todo: &Receiver<Task>) {
        remove(&self.folder);
        while let Ok(task) = todo.recv()
            && !self.is_stopping.load(Ordering::Acquire)
        {
            match task {
                Task::Take(node, incarnation, bytes) => self.take(&node, incarnation, &bytes),
                Task::Forget(node) => {
                    let of_node = self.nodes.remove(&node).unwrap_or_default();
                    of_node.whole.into_iter().chain(of_node.next).for_each(Shadow::remove);
                }
                Task::Adopt(node, incarnation) => self.adopt(&node, incarnation),
                Task::Stop => break,
            }
        }
    }

    fn take(&mut self, node: &Arc<str>, incarnation: u64, bytes: &[u8]) {
        let Some(chunk) = Chunk::read(bytes) else { return };
        if chunk.part == Part::Begin {
            let Ok(of) = chunk.ops.try_into() else { return };
            // It has another store: what is here is all that there is.
            let whole = self.nodes.get(node).and_then(|of_node| of_node.whole.as_ref());
            if let Some(whole) = whole.filter(|whole| whole.of != of) {
                let incarnation = whole.incarnation;
                self.adopt(node, incarnation);
            }
            let opened = self.open(node, incarnation, chunk.stream, of);
            let of_node = self.nodes.entry(node.clone()).or_default();
            if let Some(older) = of_node.next.take() {
                older.remove();
            }
            match opened {
                Ok(shadow) => of_node.next = Some(shadow),
                Err(error) => self.refuse(node, chunk.stream, &error),
            }
            return;
        }
        let Some(ops) = decode_ops(chunk.ops) else {
            return self.refuse(node, chunk.stream, "what it sent is no list of changes");
        };
        let Some(of_node) = self.nodes.get_mut(node) else { return };
        if let Some(shadow) = of_node.whole.as_mut().filter(|one| one.stream == chunk.stream) {
            shadow.write(chunk.number, ops, true);
            return;
        }
        let Some(mut next) = of_node.next.take_if(|one| one.stream == chunk.stream) else { return };
        next.write(chunk.number, ops, false);
        if chunk.part == Part::Ops {
            of_node.next = Some(next);
            return;
        }
        next.claims = HashMap::new();
        if let Some(older) = of_node.whole.replace(next) {
            older.remove();
        }
    }

    fn open(
        &self,
        node: &Arc<str>,
        incarnation: u64,
        stream: u64,
        of: [u8; 8],
    ) -> Result<Shadow, String> {
        // Names of nodes are no names of files.
        let dir = self.folder.join(format!("{incarnation:x}-{stream:016x}"));
        let options = self.options_of(&dir);
        let report = Report { node: node.clone(), stream, outlet: self.outlet.clone() };
        let (store, _) =
            std::fs::create_dir_all(&self.folder)
                .map_err(|error| error.to_string())
                .and_then(|()| Store::open(options, Arc::new(report)).map_err(|e| e.to_string()))?;
        Ok(Shadow { stream, of, incarnation, store, dir, claims: HashMap::new() })
    }

    fn options_of(&self, dir: &Path) -> StoreOptions {
        let mut options = self.options.clone();
        options.dir = dir.to_owned();
        options
    }

    fn refuse(&self, node: &Arc<str>, stream: u64, why: &str) {
        let text = format!("the sessions of node {node} are not kept here as well: {why}");
        self.log(LogLevel::Error, text);
        self.outlet.order(Order::Kept { node: node.clone(), stream, number: None });
    }

    fn log(&self, level: LogLevel, text: String) {
        self.up.push_all([UpEvent::Log(level, text.into())]);
    }

    /// Sessions of a lost node go on here: those of that start of it, or of an earlier one.
    fn adopt(&mut self, node: &Arc<str>, incarnation: u64) {
        let is_meant = |shadow: &mut Shadow| shadow.incarnation <= incarnation;
        let of_node = self.nodes.entry(node.clone()).or_default();
        let (whole, next) = (of_node.whole.take_if(is_meant), of_node.next.take_if(is_meant));
        let is_any = whole.is_some();
        if let Some(shadow) = whole {
            let (dir, stream) = (shadow.dir.clone(), shadow.stream);
            match self.hand_over(node, shadow) {
                Ok((count, left)) => {
                    let text = format!(
                        "node {node} is lost: {count} of its sessions go on here, {left} messages \
                         of them could not be read"
                    );
                    self.log(LogLevel::Warning, text);
                    remove(&dir);
                }
                Err(error) => {
                    let text = format!(
                        "the sessions of the lost node {node} do not all go on here ({error}); \
                         stream {stream:x} stays in {}",
                        dir.display()
                    );
                    self.log(LogLevel::Error, text);
                }
            }
        }
        if let Some(next) = next {
            next.remove();
        }
        self.outlet.order(Order::Adopted { node: node.clone(), incarnation, is_any });
    }

    /// Hands every session to its worker; how many there were, and messages that cannot be read.
    fn hand_over(&self, node: &Arc<str>, shadow: Shadow) -> Result<(usize, usize), String> {
        let Shadow { stream, store, dir, .. } = shadow;
        store.close().map_err(|error| error.to_string())?;
        let options = self.options_of(&dir);
        let report = Report { node: node.clone(), stream, outlet: self.outlet.clone() };
        let (store, recovered) =
            Store::open(options, Arc::new(report)).map_err(|error| error.to_string())?;
        let mut found = recover::read(recovered).map_err(|error| error.to_string())?;
        let (stored, done) = channel();
        let late = |_| "a worker did not store one within thirty seconds".to_owned();
        let (mut open, mut left, mut count) = (0, 0, 0);
        for restored in found.take_sessions() {
            if open == ADOPTED_MAX {
                done.recv_timeout(STORED_WAIT).map_err(late)?;
                open -= 1;
            }
            let record = restored.record.clone();
            let copy = copy_of(restored, &store, &mut left);
            let worker = usize::from(self.shared.shard_of(&copy.client_id));
            let (node, stored) = (node.clone(), stored.clone());
            let adopted = Box::new(Adopted { node, record, copy, stored });
            let Some(inbox) = self.inboxes.get(worker) else { continue };
            let adopt = Box::new(ShadowMessage::Adopt(adopted));
            inbox.push(Item::Shard(ShardMessage::Shadow(adopt)));
            (open, count) = (open + 1, count + 1);
        }
        for _ in 0..open {
            done.recv_timeout(STORED_WAIT).map_err(late)?;
        }
        store.close().map_err(|error| error.to_string())?;
        Ok((count, left))
    }
}

/// The session as its node would have given it away.
fn copy_of(restored: RestoredSession, store: &Store, left: &mut usize) -> SessionCopy {
    let RestoredSession { record, subscriptions, messages, awaiting_rel, .. } = restored;
    let mut copy = SessionCopy {
        client_id: record.client_id.as_str().into(),
        generation: record.generation,
        took: record.took,
        created_at_ms: record.created_at_ms,
        subscriptions: subscriptions.into_iter().map(|(f, s)| (f.into(), s)).collect(),
        awaiting_rel,
        ..SessionCopy::default()
    };
    let mut waiting = VecDeque::new();
    for claim in messages {
        let Some(message) = copied(&claim, store) else {
            *left += 1;
            continue;
        };
        match claim.packet_id {
            Some(id) => {
                let stage = if claim.released { Stage::Released } else { Stage::Sent };
                copy.inflight.push((id, stage, message));
            }
            None => waiting.push_back((0, message)),
        }
    }
    copy.queue = waiting.into();
    copy.next_id = copy.inflight.last().map_or(1, |(id, ..)| id.wrapping_add(1).max(1));
    copy
}

fn copied(claim: &RestoredMessage, store: &Store) -> Option<CopiedMessage> {
    let mut copied = CopiedMessage {
        message: None,
        qos: claim.flags & 3,
        retain: claim.flags & 4 != 0,
        ..CopiedMessage::default()
    };
    if !claim.released {
        let mut message = Message::from_bytes(&store.read(claim.seq).ok()??)?;
        // Its number in the other node's log means nothing here.
        message.seq = 0;
        copied.message = Some(Arc::new(message));
    }
    Some(copied)
}
