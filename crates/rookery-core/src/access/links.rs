//! Who may speak for a linked cluster: the gate before `$LINK/#`.
//!
//! A client may if it is authenticated, by what it knows or by its certificate, its topic names a cluster whose link is not switched off, and either that link's `accept`
//! fits the client or an authorization rule names `$LINK` itself. That nothing is denied to a client,
//! or that a rule allows everything, does not suffice.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rookery_links::topics::{Purpose, parse};

use super::Subject;
use crate::conn::Action;

/// Whom a link accepts; all that is given has to fit. Nothing given: nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkAccept {
    /// The user name.
    pub username: Option<Box<str>>,
    /// The Common Name of the certificate.
    pub cert_common_name: Option<Box<str>>,
    /// What the client identifier begins with.
    pub client_id_prefix: Option<Box<str>>,
}

impl LinkAccept {
    fn fits(&self, subject: &Subject<'_>) -> bool {
        let is = |wanted: &Option<Box<str>>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        let prefix = self.client_id_prefix.as_deref();
        let is_given =
            prefix.is_some() || self.username.is_some() || self.cert_common_name.is_some();
        // A name that nobody asked about is anybody's.
        let is_name_proven = self.username.is_none() || subject.is_authenticated;
        is_given
            && is_name_proven
            && is(&self.username, subject.username)
            && is(&self.cert_common_name, subject.cert_common_name)
            && prefix.is_none_or(|prefix| subject.client_id.starts_with(prefix))
    }
}

/// What came over a link.
#[derive(Debug, Default)]
pub struct LinkCounters {
    /// Messages that were taken.
    pub received: AtomicU64,
    /// Messages that were not: no topic of the link, or nothing that is one.
    pub refused: AtomicU64,
}

/// A link as workers see it.
#[derive(Clone, Debug)]
pub struct LinkEntry {
    /// The name of the other cluster.
    pub name: Arc<str>,
    /// Under which its routes stand in the router.
    pub number: u16,
    /// Whether it is switched on.
    pub is_enabled: bool,
    /// What this cluster wants of the other one.
    pub topics: Vec<Box<str>>,
    /// Who may speak for the other cluster.
    pub accept: LinkAccept,
    /// Rules and `message.publish` hooks see what comes over it.
    pub is_shown: bool,
    /// What comes over it with RETAIN is retained here as well.
    pub keeps_retained: bool,
    /// What came over it.
    pub counters: Arc<LinkCounters>,
}

/// All links.
#[derive(Clone, Debug, Default)]
pub struct LinkGate(pub Arc<[Arc<LinkEntry>]>);

impl LinkGate {
    /// The link to a cluster.
    #[must_use]
    pub fn get(&self, cluster: &str) -> Option<&Arc<LinkEntry>> {
        self.0.iter().find(|entry| *entry.name == *cluster)
    }

    /// Whether a client speaks for the cluster that a topic names, as far as `accept` knows; none
    /// if nobody may do that with the topic.
    pub(super) fn accepts(
        &self,
        subject: &Subject<'_>,
        action: Action,
        topic: &str,
    ) -> Option<bool> {
        let (purpose, cluster) = parse(topic)?;
        let is_publish = matches!(action, Action::Publish(..));
        let is_known = subject.is_authenticated || subject.cert_common_name.is_some();
        if is_publish == (purpose == Purpose::Response) || !is_known {
            return None;
        }
        match self.get(cluster) {
            // What is switched off is closed, whatever rules say.
            Some(entry) if !entry.is_enabled => None,
            entry => Some(entry.is_some_and(|entry| entry.accept.fits(subject))),
        }
    }
}
