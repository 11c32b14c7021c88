//! One worker process at the end of its socket.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use hashbrown::HashMap;
use rookery_core::effects::{Answer, AskId, FilterVerdict, Question, SubscriptionInfo, UpEvent};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use super::hook::{HookNumber, QUESTIONS};
use super::route::WorkerFigures;
use super::trust::Trust;
use super::wire;

/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;
/// A buffer that grew beyond this is given back when it is empty.
const KEEP_BYTES: usize = 1 << 20;

/// A question on its way through the plugins.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: AskId,
    /// As the next plugin gets it.
    pub(super) question: Question,
    /// A plugin put another message in place of the client's.
    pub(super) is_replaced: bool,
    /// What plugins made of the filters so far, a place for each of the client's.
    pub(super) filters: Option<Vec<FilterVerdict>>,
    /// The plugin that was asked last.
    pub(super) asked: u32,
    /// When it was.
    pub(super) asked_ms: u64,
    pub(super) hook: HookNumber,
}

impl Pending {
    /// Puts what a plugin said of the filters that it was asked about in their places, and makes
    /// those that are left the question to the next one; false when none is left.
    pub(super) fn merge(&mut self, said: Vec<FilterVerdict>) -> bool {
        let mut said = said.into_iter();
        let before = self.filters.take().unwrap_or_else(|| self.asked_about());
        let merged: Vec<_> = before
            .into_iter()
            .map(|known| match known {
                FilterVerdict::Take(_) => said.next().unwrap_or(known),
                FilterVerdict::Refuse(_) => known,
            })
            .collect();
        let left = merged.iter().filter_map(|known| match known {
            FilterVerdict::Take(info) => Some(info.clone()),
            FilterVerdict::Refuse(_) => None,
        });
        let is_left = match &mut self.question {
            Question::Subscribe { wanted, .. } => {
                *wanted = left.collect();
                !wanted.is_empty()
            }
            Question::Unsubscribe { filters, .. } => {
                *filters = left.map(|info| info.topic).collect();
                !filters.is_empty()
            }
            _ => false,
        };
        self.filters = Some(merged);
        is_left
    }

    fn asked_about(&self) -> Vec<FilterVerdict> {
        match &self.question {
            Question::Subscribe { wanted, .. } => {
                wanted.iter().cloned().map(FilterVerdict::Take).collect()
            }
            Question::Unsubscribe { filters, .. } => {
                filters.iter().map(|filter| FilterVerdict::Take(named(filter))).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// A Topic Filter to take back: nothing else of a subscription counts.
fn named(filter: &str) -> SubscriptionInfo {
    SubscriptionInfo { topic: filter.into(), qos: 0, nl: false, rap: false, rh: 0 }
}

/// What became of the socket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    /// The process is gone or broken.
    Lost,
}

/// Questions and bytes that wait while new code of a plugin takes the place of old code.
#[derive(Default)]
struct Held {
    out: Vec<u8>,
    open: HashMap<AskId, Pending>,
    /// Notices among the bytes.
    told: u64,
}

#[derive(Default)]
pub(super) struct Worker {
    fd: Option<OwnedFd>,
    /// The process has said that it can be asked.
    is_ready: bool,
    out: Vec<u8>,
    sent: usize,
    input: Vec<u8>,
    open: HashMap<AskId, Pending>,
    held: Option<Held>,
    /// In order of time: every question of a plugin has the same deadline.
    deadlines: VecDeque<(u64, AskId)>,
    /// At each hookpoint that is a question.
    trust: [Trust; QUESTIONS],
    pub(super) figures: WorkerFigures,
}

impl Worker {
    /// Gives it a new process, which is asked when it is ready. Questions that the one before left
    /// without an answer are given back.
    pub(super) fn attach(&mut self, fd: OwnedFd) -> Vec<Pending> {
        let left = self.lose();
        self.fd = Some(fd);
        // What waits for the new process is asked of it and told to it.
        let held = self.held.as_ref();
        self.figures = WorkerFigures {
            plugin: self.figures.plugin,
            worker: self.figures.worker,
            asked: held.map_or(0, |held| held.open.len() as u64),
            told: held.map_or(0, |held| held.told),
            ..WorkerFigures::default()
        };
        left
    }

    /// The process can be asked; it gets what waited for it.
    pub(super) fn begin(&mut self, now_ms: u64) {
        self.trust = [Trust::since(now_ms); QUESTIONS];
        self.is_ready = self.fd.is_some();
        self.figures.is_attached = self.is_ready;
        let held = self.held.take().filter(|_| self.is_ready).unwrap_or_default();
        self.out.extend_from_slice(&held.out);
        self.open.extend(held.open);
    }

    /// Keeps what comes from now on for the next process.
    pub(super) fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Closes the socket; questions that nobody will answer are given back.
    pub(super) fn lose(&mut self) -> Vec<Pending> {
        self.fd = None;
        self.is_ready = false;
        self.figures.is_attached = false;
        self.out = Vec::new();
        self.sent = 0;
        self.input = Vec::new();
        self.open.drain().map(|(_, pending)| pending).collect()
    }

    /// The same, and keeps nothing for a next process.
    pub(super) fn detach(&mut self) -> Vec<Pending> {
        let mut left = self.lose();
        let held = self.held.take().unwrap_or_default();
        left.extend(held.open.into_values());
        self.deadlines.clear();
        left
    }

    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd)
    }

    pub(super) fn has_unsent(&self) -> bool {
        self.out.len() > self.sent
    }

    /// Whether a question or notice may be added.
    pub(super) fn has_room(&self, open_max: usize, bytes_max: usize) -> bool {
        match &self.held {
            Some(held) => held.open.len() < open_max && held.out.len() < bytes_max,
            None => {
                self.is_ready
                    && self.open.len() < open_max
                    && self.out.len() - self.sent < bytes_max
            }
        }
    }

    /// The same for a question at this hookpoint.
    pub(super) fn may_be_asked(
        &self,
        hook: HookNumber,
        now_ms: u64,
        open_max: usize,
        bytes_max: usize,
    ) -> bool {
        let trust = self.trust.get(usize::from(hook)).filter(|_| self.held.is_none());
        trust.is_none_or(|trust| trust.allows(now_ms)) && self.has_room(open_max, bytes_max)
    }

    pub(super) fn ask(&mut self, pending: Pending, deadline_ms: u64) {
        let (out, open) = match &mut self.held {
            Some(held) => (&mut held.out, &mut held.open),
            None => (&mut self.out, &mut self.open),
        };
        let Pending { id, question, .. } = &pending;
        wire::put_event(out, &UpEvent::Ask(*id, question.clone()));
        self.figures.asked += 1;
        self.deadlines.push_back((deadline_ms, *id));
        if let Some(trust) = self.trust.get_mut(usize::from(pending.hook)) {
            trust.asked(*id, pending.asked_ms, deadline_ms);
        }
        open.insert(*id, pending);
    }

    pub(super) fn tell(&mut self, event: &UpEvent) {
        wire::put_event(self.notices(), event);
    }

    pub(super) fn tell_json(&mut self, hook: HookNumber, json: &str) {
        wire::put_told(self.notices(), hook, json);
    }

    /// Where the next notice goes, which is counted.
    fn notices(&mut self) -> &mut Vec<u8> {
        self.figures.told += 1;
        match &mut self.held {
            Some(held) => {
                held.told += 1;
                &mut held.out
            }
            None => &mut self.out,
        }
    }

    /// The question that an answer is about; none when nobody waits for it any more.
    pub(super) fn answered(&mut self, id: AskId, now_ms: u64) -> Option<Pending> {
        let Some(pending) = self.open.remove(&id) else {
            self.trust.iter_mut().for_each(|trust| trust.answered_late(id, now_ms));
            return None;
        };
        if let Some(trust) = self.trust.get_mut(usize::from(pending.hook)) {
            trust.answered(now_ms);
        }
        self.figures.answered += 1;
        Some(pending)
    }

    /// Questions that nobody waits for any longer.
    pub(super) fn expire(&mut self, now_ms: u64, late: &mut Vec<Pending>) {
        self.expire_probes(now_ms, late);
        while let Some((deadline_ms, id)) = self.deadlines.front().copied() {
            let is_held = self.held.as_ref().is_some_and(|held| held.open.contains_key(&id));
            if (is_held || self.open.contains_key(&id)) && deadline_ms > now_ms {
                return;
            }
            self.deadlines.pop_front();
            if let Some(pending) = self.held.as_mut().and_then(|held| held.open.remove(&id)) {
                self.figures.late += 1;
                late.push(pending);
            } else if let Some(pending) = self.open.remove(&id) {
                self.figures.late += 1;
                let (hook, asked_ms) = (pending.hook, pending.asked_ms);
                late.push(pending);
                let trust = self.trust.get_mut(usize::from(hook));
                if trust.is_some_and(|trust| trust.missed(asked_ms)) {
                    self.give_up(hook, late);
                }
            }
        }
    }

    /// What waits for a worker that answers nothing waits no longer.
    fn give_up(&mut self, hook: HookNumber, late: &mut Vec<Pending>) {
        let before = late.len();
        late.extend(self.open.extract_if(|_, pending| pending.hook == hook).map(|(_, one)| one));
        let given_up = late.get_mut(before..).unwrap_or_default();
        given_up.sort_by_key(|pending| pending.asked_ms);
        self.figures.failed += given_up.len() as u64;
    }

    fn expire_probes(&mut self, now_ms: u64, late: &mut Vec<Pending>) {
        for (id, _) in self.probes().into_iter().flatten().filter(|(_, until)| *until <= now_ms) {
            if let Some(pending) = self.open.remove(&id) {
                self.figures.failed += 1;
                late.push(pending);
            }
        }
    }

    /// Questions to a worker that is doubted, with the time until which somebody waits for them.
    fn probes(&self) -> [Option<(AskId, u64)>; QUESTIONS] {
        self.trust.map(|trust| trust.probe().filter(|(id, _)| self.open.contains_key(id)))
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        let deadline_ms = self.deadlines.front().map(|(deadline_ms, _)| *deadline_ms);
        let probes = self.probes().into_iter().flatten().map(|(_, until_ms)| until_ms);
        probes.chain(deadline_ms).min()
    }

    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    /// Sends as much as the process takes.
    pub(super) fn send(&mut self) -> State {
        let Some(fd) = &self.fd else { return State::Open };
        while let Some(unsent) = self.out.get(self.sent..).filter(|unsent| !unsent.is_empty()) {
            match rustix::net::send(fd, unsent, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(0) => return State::Lost,
                Ok(n) => self.sent += n,
                Err(Errno::AGAIN) => return State::Open,
                Err(Errno::INTR) => {}
                Err(_) => return State::Lost,
            }
        }
        self.sent = 0;
        self.out.clear();
        if self.out.capacity() > KEEP_BYTES {
            self.out = Vec::new();
        }
        State::Open
    }

    /// Reads what is there and takes the answers in it.
    pub(super) fn receive(&mut self, answers: &mut Vec<Answer>) -> State {
        let Some(fd) = &self.fd else { return State::Open };
        let mut chunk = [0; READ_BYTES];
        loop {
            match rustix::net::recv(fd, &mut chunk[..], RecvFlags::DONTWAIT) {
                Ok((_, 0)) => return State::Lost,
                Ok((_, n)) => {
                    self.input.extend_from_slice(chunk.get(..n).unwrap_or_default());
                    if n < READ_BYTES {
                        break;
                    }
                }
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(_) => return State::Lost,
            }
        }
        let mut taken = 0;
        while let Some(rest) = self.input.get(taken..) {
            match wire::next_frame(rest) {
                Ok(Some((wire::ANSWER, body, len))) => {
                    let Ok(answer) = wire::take_answer(body) else { return State::Lost };
                    answers.push(answer);
                    taken += len;
                }
                Ok(None) => break,
                Ok(Some(_)) | Err(_) => return State::Lost,
            }
        }
        self.input.drain(..taken);
        if self.input.is_empty() && self.input.capacity() > KEEP_BYTES {
            self.input = Vec::new();
        }
        State::Open
    }
}
