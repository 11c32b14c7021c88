//! What a link keeps on disk while it is down, and how that comes to the other side.
//!
//! Both sides have to agree, which the answer to an introduction says; that is remembered over a
//! restart. From then on every message with QoS 1 and 2 goes to the end of the [`Spool`], and leaves it
//! when the other side has it. While the link stands it is sent at once; from the moment a connection for
//! messages is lost until everything was read back, it waits there alone. So each publisher's order is
//! kept. Publishers get their acknowledgement when the message is written.
//!
//! After a while a link that is down has forgotten what the other side subscribed to: then everything is
//! kept that the link is about.

use std::io;
use std::path::Path;

use rookery_core::message::Message;
use rookery_core::router::Weight;
use rookery_core::shared::Shared;
use rookery_links::sender::Agreed;

use super::LinkConfig;
use super::spool::{Place, Spool};

/// How long routes are sure to be known that a cluster told before it went.
const ROUTES_MS: u64 = 10_000;
/// How long a cluster that is back may take to tell its routes.
const TELLING_MS: u64 = 5000;

/// One link's part.
pub(super) struct Keeping {
    spool: Spool,
    /// Why something could not be kept.
    failed: Option<String>,
    /// Since when what comes goes to disk.
    since_ms: Option<u64>,
    /// The number under which everything stands that the link is about.
    standin: Option<u16>,
    /// Since when the other side is back.
    back_ms: u64,
}

impl Keeping {
    /// What is kept of a link; none if nothing is to be.
    ///
    /// # Errors
    ///
    /// The disk does not do what it should, in words.
    pub(super) fn open(config: &LinkConfig, dir: Option<&Path>) -> Result<Option<Self>, String> {
        let Some(dir) = dir.filter(|_| config.store_bytes_max > 0) else { return Ok(None) };
        let dir = dir.join(dir_of(&config.name));
        let spool = Spool::open(&dir, config.store_bytes_max, config.store_age_ms);
        let spool = spool.map_err(|error| format!("{}: {error}", dir.display()))?;
        let is_on = spool.agreed().is_some() || spool.len() > 0;
        let since_ms = is_on.then_some(0);
        Ok(Some(Self { spool, failed: None, since_ms, standin: None, back_ms: 0 }))
    }

    /// How it stands, in a word.
    pub(super) fn state(&self) -> String {
        match &self.failed {
            Some(why) => format!("failed: {why}"),
            None if self.is_agreed() => "agreed".to_owned(),
            None => "not_agreed".to_owned(),
        }
    }

    /// Whether the other side has agreed.
    pub(super) fn is_agreed(&self) -> bool {
        self.spool.agreed().is_some()
    }

    /// Whether what comes goes to disk.
    pub(super) const fn is_on(&self) -> bool {
        self.since_ms.is_some()
    }

    /// Takes in what the other side said.
    pub(super) fn agree(&mut self, agreed: &Agreed) {
        let topics = agreed.store.then_some(&*agreed.topics);
        // What is not noted holds until the node ends.
        let _ = self.spool.agree(topics);
    }

    /// A connection is lost, or there is no more room in memory.
    pub(super) fn begin(&mut self, now_ms: u64) {
        self.since_ms.get_or_insert(now_ms);
    }

    /// What was read did not arrive.
    pub(super) fn rewind(&mut self) {
        self.spool.rewind();
    }

    /// Keeps a message.
    pub(super) fn push(&mut self, message: &Message, unix_ms: u64) {
        let pushed = self.spool.push(message, unix_ms);
        self.note_failure(&pushed);
    }

    /// Keeps a message that is sent now; its place, none if it could not be kept.
    pub(super) fn push_sent(&mut self, message: &Message, unix_ms: u64) -> Option<Place> {
        let pushed = self.spool.push_read(message, unix_ms);
        self.note_failure(&pushed);
        pushed.ok()
    }

    /// Lets the system have what was pushed: it outlives the process then.
    pub(super) fn write(&mut self) {
        let written = self.spool.write();
        if written.is_err() {
            self.note_failure(&written);
        }
    }

    fn note_failure<T>(&mut self, result: &io::Result<T>) {
        self.failed = result.as_ref().err().map(ToString::to_string);
    }

    /// The next message to send; when there is none, what comes goes to disk no more.
    pub(super) fn read(&mut self, unix_ms: u64) -> Option<(Place, Message)> {
        let found = self.spool.read(unix_ms);
        if found.is_none() {
            self.since_ms = None;
        }
        found
    }

    pub(super) fn settle(&mut self, places: impl Iterator<Item = Place>) {
        places.for_each(|place| self.spool.settle(place));
    }

    /// Messages and octets on disk.
    pub(super) fn kept(&self) -> (u64, u64) {
        (self.spool.len(), self.spool.bytes())
    }

    /// When the oldest of them came; none: there is none.
    pub(super) fn oldest_ms(&self) -> Option<u64> {
        self.spool.oldest_ms()
    }

    pub(super) fn take_dropped(&mut self) -> u64 {
        self.spool.take_dropped()
    }

    /// Notes how far the other side has everything.
    pub(super) fn note(&mut self, now_ms: u64) {
        // After a crash more is sent twice.
        let _ = self.spool.note(now_ms);
    }

    /// Whether everything is wanted that the link is about: while nobody knows better.
    pub(super) fn look(&mut self, name: &str, is_back: bool, shared: &Shared, now_ms: u64) {
        if !is_back {
            self.back_ms = 0;
        } else if self.back_ms == 0 {
            self.back_ms = now_ms;
        }
        let is_away = self.since_ms.is_some_and(|since_ms| {
            self.is_agreed() && !is_back && (since_ms == 0 || now_ms >= since_ms + ROUTES_MS)
        });
        let is_told = is_back && now_ms >= self.back_ms + TELLING_MS;
        match self.standin {
            None if is_away => self.stand_in(name, shared),
            Some(number) if is_told || !self.is_agreed() => {
                self.standin = None;
                shared.links.clear(&shared.router, &[number]);
                shared.links.copies.end(number);
            }
            _ => {}
        }
    }

    fn stand_in(&mut self, name: &str, shared: &Shared) {
        let Some(number) = shared.links.copies.begin(name) else { return };
        let topics = self.spool.agreed().unwrap_or_default().iter();
        let items = topics.map(|topic| (None, &**topic, Weight::SOME));
        shared.router.set_routes(number, items, |_, _, _, _| {});
        shared.links.copies.count(number, self.spool.agreed().map_or(0, <[_]>::len));
        self.standin = Some(number);
    }

    /// The link ends here; what is kept stays.
    pub(super) fn close(&mut self, shared: &Shared) {
        self.write();
        self.note(u64::MAX);
        if let Some(number) = self.standin.take() {
            shared.links.clear(&shared.router, &[number]);
            shared.links.copies.end(number);
        }
    }
}

/// The directory of a link, whatever it is called.
pub(super) fn dir_of(name: &str) -> String {
    format!("to-{name}")
}
