//! The buffers of all actions of a node: one descriptor to wait on, one thread for their files.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread::JoinHandle;

use rookery_core::effects::{LogLevel, UpEvent};
use rookery_core::rules::sink::ActionSink;
use rustix::event::EventfdFlags;

use super::BufferSpec;
use super::buffer::ActionBuffer;
use crate::api::NodeError;
use crate::up::Upstream;

/// What buffers share.
pub(super) struct Hub {
    wake: OwnedFd,
    /// Buffers that have something; each is here once at most.
    ready: Mutex<Vec<u32>>,
    /// To the thread that has the files; a buffer has one message on its way at most.
    jobs: OnceLock<Sender<Job>>,
    up: Arc<Upstream>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("ready", &self.ready).finish_non_exhaustive()
    }
}

/// What the thread that has the files is asked for.
#[derive(Debug)]
enum Job {
    Turn(Arc<ActionBuffer>),
    Stop,
}

impl Hub {
    pub(super) fn new(up: Arc<Upstream>) -> std::io::Result<Self> {
        let wake = rustix::event::eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Self { wake, ready: Mutex::default(), jobs: OnceLock::new(), up })
    }

    /// A buffer has something that a take has not seen.
    pub(super) fn tell(&self, number: u32) {
        let mut ready = lock(&self.ready);
        // It was taken from without being asked for by name: it is told of already.
        if ready.contains(&number) {
            return;
        }
        ready.push(number);
        if ready.len() == 1 {
            let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
        }
    }

    fn take_ready(&self) -> Vec<u32> {
        let mut ready = lock(&self.ready);
        let _ = rustix::io::read(&self.wake, &mut [0; 8]);
        std::mem::take(&mut ready)
    }

    /// Asks for a turn of the thread that has the files; false when there is none any more.
    pub(super) fn ask_turn(&self, buffer: Arc<ActionBuffer>) -> bool {
        self.jobs.get().is_some_and(|jobs| jobs.send(Job::Turn(buffer)).is_ok())
    }

    pub(super) fn warn(&self, text: String) {
        self.up.push_all([UpEvent::Log(LogLevel::Warning, text.into())]);
    }
}

/// The buffers of a node's actions, by the ids of the actions.
#[derive(Debug)]
pub struct Actions {
    hub: Arc<Hub>,
    known: Mutex<Known>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Known {
    open: HashMap<Box<str>, Arc<ActionBuffer>>,
    /// Closed, but rules may have them still: they are opened again, not made anew.
    closed: HashMap<Box<str>, Weak<ActionBuffer>>,
    made: u32,
    is_stopped: bool,
}

impl Actions {
    pub(crate) fn new(up: Arc<Upstream>) -> std::io::Result<Self> {
        let hub = Arc::new(Hub::new(up)?);
        Ok(Self { hub, known: Mutex::default(), thread: Mutex::default() })
    }

    /// Opens the buffer of an action, or changes the limits of an open one: it keeps its items, and
    /// those that were in flight wait again.
    ///
    /// # Errors
    ///
    /// A limit is none, the directory cannot be used, or the node is stopping; then nothing changes.
    pub fn open(&self, id: &str, spec: BufferSpec) -> Result<Arc<ActionBuffer>, NodeError> {
        spec.check(id)?;
        if spec.spill_dir.is_some() {
            self.start_thread()?;
        }
        let mut known = lock(&self.known);
        if known.is_stopped {
            return Err(NodeError::Stopping);
        }
        known.closed.retain(|_, buffer| buffer.strong_count() > 0);
        let there = known.open.get(id).cloned();
        let there = there.or_else(|| known.closed.get(id).and_then(Weak::upgrade));
        let buffer = there.unwrap_or_else(|| {
            known.made += 1;
            ActionBuffer::new(known.made, id, self.hub.clone())
        });
        buffer.open(spec)?;
        known.closed.remove(id);
        known.open.insert(id.into(), buffer.clone());
        Ok(buffer)
    }

    /// Closes a buffer: drops and counts what is in it, and gives memory and disk back.
    ///
    /// Rules that have it still find it closed, and count that.
    pub fn close(&self, buffer: &Arc<ActionBuffer>) {
        {
            let mut known = lock(&self.known);
            if known.open.get(buffer.id()).is_some_and(|open| Arc::ptr_eq(open, buffer)) {
                known.open.remove(buffer.id());
                known.closed.insert(buffer.id().into(), Arc::downgrade(buffer));
            }
        }
        buffer.close();
    }

    /// Where rules put what they have for an action; none when it is not open.
    ///
    /// It stays good when the action is closed and opened again.
    #[must_use]
    pub fn sink(&self, id: &str) -> Option<Arc<dyn ActionSink>> {
        let buffer = lock(&self.known).open.get(id).cloned();
        buffer.map(|buffer| buffer as Arc<dyn ActionSink>)
    }

    /// A descriptor that is readable while [`Self::ready`] has something.
    #[must_use]
    pub fn fd(&self) -> RawFd {
        self.hub.wake.as_raw_fd()
    }

    /// Numbers of buffers that have something since a take of them found everything taken.
    #[must_use]
    pub fn ready(&self) -> Vec<u32> {
        self.hub.take_ready()
    }

    /// Closes every buffer and ends the thread. May be called twice.
    pub(crate) fn stop(&self) {
        let buffers: Vec<_> = {
            let mut known = lock(&self.known);
            known.is_stopped = true;
            known.open.drain().map(|(_, buffer)| buffer).collect()
        };
        for buffer in buffers {
            buffer.close();
        }
        if let Some(jobs) = self.hub.jobs.get() {
            let _ = jobs.send(Job::Stop);
        }
        if let Some(thread) = lock(&self.thread).take() {
            // One that panicked has been reported on stderr.
            let _ = thread.join();
        }
    }

    fn start_thread(&self) -> Result<(), NodeError> {
        let mut thread = lock(&self.thread);
        if thread.is_some() || self.hub.jobs.get().is_some() {
            return Ok(());
        }
        let (jobs, turns) = channel();
        let started = std::thread::Builder::new()
            .name("rookery-spill".into())
            .spawn(move || run(&turns))
            .map_err(|source| NodeError::Io {
                what: "start the thread for spilled items",
                source,
            })?;
        *thread = Some(started);
        let _ = self.hub.jobs.set(jobs);
        Ok(())
    }
}

impl AsFd for Actions {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.hub.wake.as_fd()
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        self.stop();
    }
}

/// One turn of one buffer after the other, so that none waits for all of another's files.
fn run(turns: &Receiver<Job>) {
    let mut again: VecDeque<Arc<ActionBuffer>> = VecDeque::new();
    loop {
        let next = match again.front() {
            None => turns.recv().ok(),
            Some(_) => turns.try_recv().ok().or_else(|| again.pop_front().map(Job::Turn)),
        };
        match next {
            Some(Job::Turn(buffer)) => {
                if buffer.turn() {
                    again.push_back(buffer);
                }
            }
            Some(Job::Stop) | None => return,
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
