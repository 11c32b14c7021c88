//! Members that may run, of a node that has just started: it has not heard of them yet, and they may have
//! the sessions of its clients.

use super::carrier::Carrier;

/// Who was not heard within this does not run.
const HEARD_MS: u64 = 5000;

#[derive(Default)]
pub(super) struct Expected {
    /// As if a peer had their sessions, see [`Peer::id`](super::peer::Peer::id); 0: nobody is expected.
    id: u64,
    names: Vec<String>,
    until_ms: u64,
    /// Who is a member from now on is not expected: it is heard when it comes.
    is_over: bool,
}

impl Expected {
    pub(super) const fn len(&self) -> usize {
        self.names.len()
    }

    /// Whom clients wait for meanwhile.
    pub(super) fn id(&self) -> Option<u64> {
        (self.id != 0).then_some(self.id)
    }

    pub(super) fn due_ms(&self) -> Option<u64> {
        self.id().map(|_| self.until_ms)
    }
}

impl Carrier {
    /// These may run, at the start; later: of these nothing was heard yet.
    pub(super) fn expect(&mut self, names: Vec<String>) {
        if self.expected.id().is_some() {
            self.expected.names.retain(|name| names.contains(name));
        } else if !self.expected.is_over && !names.is_empty() {
            self.peers_made += 1;
            let (id, until_ms) = (self.peers_made, self.now_ms + HEARD_MS);
            self.expected = Expected { id, names, until_ms, is_over: true };
        }
        self.expected.is_over = true;
        self.note_peers();
    }

    /// One of them does: whoever waits for them waits for it.
    pub(super) fn note_heard(&mut self, name: &str, peer: u64) {
        self.expected.names.retain(|expected| expected != name);
        if let Some(id) = self.expected.id() {
            self.asks.join(id, peer);
        }
    }

    /// Lets clients go on when all were heard, or were waited for long enough.
    pub(super) fn watch_expected(&mut self) {
        let Some(id) = self.expected.id() else { return };
        if self.expected.names.is_empty() || self.now_ms >= self.expected.until_ms {
            self.expected = Expected { is_over: true, ..Expected::default() };
            self.note_peers();
            self.ask_instead(id, None);
        }
    }
}
