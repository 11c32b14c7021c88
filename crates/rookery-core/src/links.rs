//! What linked clusters want, for all shards of a node.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rookery_links::receiver::{Receiver, Session, Violation};

use crate::router::{Router, Weight};

/// Places of the trie looked at in one slice.
const SLICE: usize = 1024;

/// What linked clusters told, and what of it stands in the router.
///
/// The lock is held while both are changed, so that they say the same.
#[derive(Debug, Default)]
pub struct Links(Mutex<Receiver>);

impl Links {
    /// What was told.
    pub fn lock(&self) -> MutexGuard<'_, Receiver> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a payload of a cluster's route topic: [`Receiver::take`].
    ///
    /// # Errors
    ///
    /// The connection has to end.
    pub fn take(
        &self,
        router: &Router,
        cluster: &str,
        session: &mut Option<Session>,
        payload: &[u8],
        now_ms: u64,
    ) -> Result<Option<Vec<u8>>, Violation> {
        let mut changes: Vec<(u16, String, bool)> = Vec::new();
        let mut receiver = self.lock();
        let answer =
            receiver.take(cluster, session, payload, now_ms, |link, topic, is_there| {
                changes.push((link, topic.to_owned(), is_there));
            })?;
        for of_link in changes.chunk_by(|a, b| a.0 == b.0) {
            let Some((link, ..)) = of_link.first() else { continue };
            let items = of_link.iter().map(|(_, topic, is_there)| {
                (None, topic.as_str(), if *is_there { Weight::SOME } else { Weight::NONE })
            });
            router.set_routes(*link, items, |_, _, _, _| {});
        }
        Ok(answer)
    }

    /// Forgets actors of whom nothing was heard, a slice at a time; whether there is more to do.
    pub fn collect(&self, router: &Router, now_ms: u64) -> bool {
        let mut gone: Vec<(u16, String)> = Vec::new();
        let mut receiver = self.lock();
        let is_busy =
            receiver.collect(now_ms, SLICE, |link, topic| gone.push((link, topic.to_owned())));
        for (link, topic) in &gone {
            let item = (None, topic.as_str(), Weight::NONE);
            router.set_routes(*link, [item], |_, _, _, _| {});
        }
        is_busy
    }

    /// Takes everything that a link wants out of the router, a slice at a time.
    pub fn clear(router: &Router, link: u16) {
        let mut from = Some(0);
        while let Some(at) = from {
            from = router.clear_routes(link, at, SLICE);
        }
    }
}
