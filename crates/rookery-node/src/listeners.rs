//! The listeners of a node while it runs: starting, changing and stopping single ones, and reading
//! their certificates again. The others do not notice.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rookery_core::config::BrokerConfig;
use rookery_core::effects::{LogLevel, UpEvent};

use crate::api::{
    CertificateInfo, CertificateOutcome, ListenerConfig, ListenerInfo, ListenerKind,
    ListenerOutcome, NodeError,
};
use crate::inbox::{Inbox, Item};
use crate::listen::Listener;
use crate::tls::server::Reloaded;
use crate::up::Upstream;
use crate::worker::LISTENERS_MAX;

/// How long stopping a listener waits for its clients to be told.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// The listeners of a node.
pub(crate) struct Listeners {
    places: Mutex<Places>,
    inboxes: Arc<[Inbox]>,
    up: Arc<Upstream>,
    /// Names of the zones, in the order of the broker's settings.
    zones: RwLock<Vec<String>>,
}

#[derive(Default)]
struct Places {
    /// Whether the workers take clients in; until then they wait in the backlog of the system.
    is_accepting: bool,
    /// In the order of the configuration.
    entries: Vec<Entry>,
    /// Which numbers name a listener at the reactors.
    taken: HashSet<u16>,
}

/// A listener that is wanted.
struct Entry {
    config: ListenerConfig,
    state: State,
    /// The complaint about its certificates that was told last.
    complaint: Option<String>,
}

enum State {
    Stands(u16, Arc<Listener>),
    /// It is tried again when its files change.
    Failed(String),
}

impl Listeners {
    pub(crate) fn new(broker: &BrokerConfig, inboxes: Arc<[Inbox]>, up: Arc<Upstream>) -> Self {
        let listeners = Self { places: Mutex::default(), inboxes, up, zones: RwLock::default() };
        listeners.set_zones(broker);
        listeners
    }

    /// Binds the listeners of a node; clients are taken in from [`Listeners::accept`] on. One whose
    /// certificates are no good does not keep the others from standing, unless there are no others.
    ///
    /// # Errors
    ///
    /// An address that cannot be bound, a zone that is not there; then none stands.
    pub(crate) fn start(&self, configs: Vec<ListenerConfig>) -> Result<(), NodeError> {
        let mut bound = Vec::with_capacity(configs.len());
        let mut first_failure = None;
        for config in configs {
            match self.zone_of(&config).and_then(|zone| Listener::bind(&config, zone)) {
                Ok(listener) => bound.push((config, Ok(listener))),
                Err(error @ NodeError::Tls { .. }) => {
                    bound.push((config, Err(error.to_string())));
                    first_failure.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(error) = first_failure
            && bound.iter().all(|(_, listener)| listener.is_err())
        {
            return Err(error);
        }
        let mut places = self.places();
        for (config, listener) in bound {
            match listener {
                Ok(listener) => self.put(&mut places, config, Arc::new(listener))?,
                Err(text) => self.put_failed(&mut places, config, text),
            }
        }
        Ok(())
    }

    /// Lets clients in. May be called twice.
    pub(crate) fn accept(&self) {
        let mut places = self.places();
        if places.is_accepting {
            return;
        }
        places.is_accepting = true;
        for entry in &places.entries {
            if let State::Stands(token, listener) = &entry.state {
                self.show(*token, listener);
            }
        }
    }

    /// What they look like now.
    pub(crate) fn infos(&self) -> Vec<ListenerInfo> {
        self.places().entries.iter().map(Entry::info).collect()
    }

    /// Connections of all of them.
    pub(crate) fn connections(&self) -> u64 {
        self.infos().iter().map(|info| info.connections as u64).sum()
    }

    /// Zones were named anew: new connections belong to them.
    pub(crate) fn set_zones(&self, broker: &BrokerConfig) {
        let names = broker.zones.iter().map(|zone| zone.name.clone()).collect();
        *self.zones.write().unwrap_or_else(PoisonError::into_inner) = names;
        for entry in &self.places().entries {
            if let (State::Stands(_, listener), Ok(zone)) =
                (&entry.state, self.zone_of(&entry.config))
                && zone != listener.zone()
            {
                // The rules were read before, so this cannot fail.
                let _ = listener.change(&entry.config, zone);
            }
        }
    }

    /// Makes the listeners those of `wanted`; what became of each, those that are gone last.
    ///
    /// # Errors
    ///
    /// An id that stands twice in `wanted`; then nothing changes.
    pub(crate) fn apply(
        &self,
        wanted: Vec<ListenerConfig>,
    ) -> Result<Vec<(String, ListenerOutcome)>, NodeError> {
        let mut ids = HashSet::new();
        if let Some(twice) = wanted.iter().find(|config| !ids.insert(config.id.clone())) {
            return Err(NodeError::Config {
                path: format!("listeners.{}", twice.id.replace(':', ".")),
                detail: "stands twice".into(),
            });
        }
        let mut places = self.places();
        let mut stopped = Vec::new();
        // Addresses of listeners that go are free for those that come.
        let (stay, gone): (Vec<Entry>, Vec<Entry>) =
            places.entries.drain(..).partition(|entry| ids.contains(&entry.config.id));
        let mut before = stay;
        for entry in gone {
            let id = entry.config.id.clone();
            self.stop(&mut places, entry);
            stopped.push((id, ListenerOutcome::Stopped));
        }
        let mut outcomes = Vec::with_capacity(wanted.len());
        for config in wanted {
            let id = config.id.clone();
            let at = before.iter().position(|entry| entry.config.id == id);
            let old = at.map(|at| before.swap_remove(at));
            let outcome = self.make(&mut places, old, config);
            outcomes.push((id, outcome));
        }
        outcomes.append(&mut stopped);
        Ok(outcomes)
    }

    /// Ends the clients of a listener and reads its files again. The others do not notice.
    ///
    /// # Errors
    ///
    /// There is none of this name, or it cannot stand; one that stood goes on as it was.
    pub(crate) fn restart(&self, id: &str) -> Result<(), NodeError> {
        let mut places = self.places();
        let at = places.entries.iter().position(|entry| entry.config.id == id);
        let Some(at) = at else { return Err(NodeError::NoListener(id.to_owned())) };
        let old = places.entries.remove(at);
        let config = old.config.clone();
        let outcome = match old.state {
            State::Stands(..) => self.renew(&mut places, old, config),
            State::Failed(_) => self.make(&mut places, Some(old), config),
        };
        // It was put at the end; its place is where it was.
        if let Some(entry) = places.entries.pop() {
            places.entries.insert(at, entry);
        }
        match outcome {
            ListenerOutcome::Failed(error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Makes one listener what `config` says; its entry goes to the end of the list.
    fn make(
        &self,
        places: &mut Places,
        old: Option<Entry>,
        config: ListenerConfig,
    ) -> ListenerOutcome {
        let Some(old) = old else { return self.begin(places, config) };
        let State::Stands(_, listener) = &old.state else { return self.begin(places, config) };
        if old.config == config {
            places.entries.push(old);
            return ListenerOutcome::Unchanged;
        }
        if !is_hot(&old.config, &config) {
            return self.renew(places, old, config);
        }
        let changed = self.zone_of(&config).and_then(|zone| listener.change(&config, zone));
        if matches!(changed, Ok(Reloaded::TrustChanged)) {
            self.recheck(listener);
        }
        match changed {
            Ok(_) => {
                places.entries.push(Entry { config, complaint: None, ..old });
                ListenerOutcome::Changed
            }
            Err(error) => {
                places.entries.push(old);
                ListenerOutcome::Failed(error)
            }
        }
    }

    /// Starts a listener that does not stand.
    fn begin(&self, places: &mut Places, config: ListenerConfig) -> ListenerOutcome {
        let bound = self.zone_of(&config).and_then(|zone| Listener::bind(&config, zone));
        match bound {
            Ok(listener) => match self.put(places, config, Arc::new(listener)) {
                Ok(()) => ListenerOutcome::Started,
                Err(error) => ListenerOutcome::Failed(error),
            },
            Err(error) => {
                let text = error.to_string();
                places.entries.push(Entry { config, state: State::Failed(text), complaint: None });
                ListenerOutcome::Failed(error)
            }
        }
    }

    /// Puts a listener in the place of one that stands; on the same socket if the address stays.
    fn renew(&self, places: &mut Places, old: Entry, config: ListenerConfig) -> ListenerOutcome {
        let State::Stands(_, listener) = &old.state else { return self.begin(places, config) };
        let is_same_socket = old.config.bind == config.bind;
        let renewed = self.zone_of(&config).and_then(|zone| {
            if is_same_socket {
                listener.renew(&config, zone)
            } else {
                Listener::bind(&config, zone)
            }
        });
        match renewed {
            Ok(listener) => {
                self.stop(places, old);
                match self.put(places, config, Arc::new(listener)) {
                    Ok(()) => ListenerOutcome::Restarted,
                    Err(error) => ListenerOutcome::Failed(error),
                }
            }
            Err(error) => {
                places.entries.push(old);
                ListenerOutcome::Failed(error)
            }
        }
    }

    /// Gives a listener its number and, once clients are let in, shows it to the workers.
    fn put(
        &self,
        places: &mut Places,
        config: ListenerConfig,
        listener: Arc<Listener>,
    ) -> Result<(), NodeError> {
        let highest = u16::try_from(LISTENERS_MAX - 2).unwrap_or(u16::MAX);
        let token = (0..highest).find(|token| !places.taken.contains(token)).ok_or_else(|| {
            NodeError::Config { path: "listeners".into(), detail: "there are too many".into() }
        })?;
        places.taken.insert(token);
        if places.is_accepting {
            self.show(token, &listener);
        }
        places.entries.push(Entry {
            config,
            state: State::Stands(token, listener),
            complaint: None,
        });
        Ok(())
    }

    /// Gives the workers a listener to accept from.
    fn show(&self, token: u16, listener: &Arc<Listener>) {
        for inbox in self.inboxes.iter() {
            inbox.push(Item::Listen(token, listener.clone()));
        }
    }

    fn put_failed(&self, places: &mut Places, config: ListenerConfig, text: String) {
        self.up.push_all([UpEvent::Log(LogLevel::Error, text.as_str().into())]);
        places.entries.push(Entry { config, state: State::Failed(text), complaint: None });
    }

    /// Closes a listener and its clients; returns when they were told.
    fn stop(&self, places: &mut Places, entry: Entry) {
        let State::Stands(token, listener) = entry.state else { return };
        listener.close();
        let (reply, told) = channel();
        for inbox in self.inboxes.iter() {
            inbox.push(Item::Unlisten(token, reply.clone()));
        }
        drop(reply);
        let deadline = Instant::now() + STOP_TIMEOUT;
        for _ in 0..self.inboxes.len() {
            let left = deadline.saturating_duration_since(Instant::now());
            if told.recv_timeout(left).is_err() {
                break;
            }
        }
        places.taken.remove(&token);
    }

    /// Reads all certificates again; what became of those of each listener that has some.
    pub(crate) fn reload_certificates(&self) -> Vec<(String, CertificateOutcome)> {
        let mut places = self.places();
        let mut outcomes = Vec::new();
        let mut at = 0;
        while let Some(entry) = places.entries.get_mut(at) {
            let id = entry.config.id.clone();
            let outcome = match &entry.state {
                State::Stands(_, listener) => match &listener.tls {
                    Some(tls) => {
                        let reloaded = tls.reload(None).map_err(|p| p.of(&id));
                        if matches!(reloaded, Ok(Reloaded::TrustChanged)) {
                            self.recheck(listener);
                        }
                        self.tell_reload(entry, reloaded)
                    }
                    None => None,
                },
                State::Failed(_) if entry.config.tls.is_some() => self.retry(&mut places, at),
                State::Failed(_) => None,
            };
            outcomes.extend(outcome.map(|outcome| (id, outcome)));
            at += 1;
        }
        outcomes
    }

    /// Says up what became of a reload, a failure once.
    fn tell_reload(
        &self,
        entry: &mut Entry,
        reloaded: Result<Reloaded, NodeError>,
    ) -> Option<CertificateOutcome> {
        let listener: Arc<str> = entry.config.id.as_str().into();
        match reloaded {
            Ok(Reloaded::Unchanged) => {
                entry.complaint = None;
                Some(CertificateOutcome::Unchanged)
            }
            Ok(Reloaded::Taken | Reloaded::TrustChanged) => {
                entry.complaint = None;
                let detail = format!("certificates of {listener} were read again and are in use");
                self.up.push_all([UpEvent::Certificates {
                    listener,
                    is_taken: true,
                    detail: detail.into(),
                }]);
                Some(CertificateOutcome::Taken)
            }
            Err(error) => {
                let text = error.to_string();
                if entry.complaint.as_ref() != Some(&text) {
                    let detail = format!("{text}; the old certificates stay in use");
                    self.up.push_all([UpEvent::Certificates {
                        listener,
                        is_taken: false,
                        detail: detail.into(),
                    }]);
                    entry.complaint = Some(text);
                }
                Some(CertificateOutcome::Failed(error))
            }
        }
    }

    /// Tries again to start a listener whose certificates were no good.
    fn retry(&self, places: &mut Places, at: usize) -> Option<CertificateOutcome> {
        let config = places.entries.get(at)?.config.clone();
        let listener: Arc<str> = config.id.as_str().into();
        let outcome = self.begin(places, config);
        let entry = places.entries.pop()?;
        *places.entries.get_mut(at)? = entry;
        Some(match outcome {
            ListenerOutcome::Failed(error) => CertificateOutcome::Failed(error),
            _ => {
                let detail = format!("{listener} was started: its certificates are good now");
                self.up.push_all([UpEvent::Certificates {
                    listener,
                    is_taken: true,
                    detail: detail.into(),
                }]);
                CertificateOutcome::Taken
            }
        })
    }

    fn recheck(&self, listener: &Listener) {
        for inbox in self.inboxes.iter() {
            inbox.push(Item::Recheck(listener.id.clone()));
        }
    }

    /// Every certificate of every listener.
    pub(crate) fn certificates(&self) -> Vec<CertificateInfo> {
        let places = self.places();
        let standing = places.entries.iter().filter_map(|entry| match &entry.state {
            State::Stands(_, listener) => Some((entry, listener.tls.as_ref()?)),
            State::Failed(_) => None,
        });
        let rows = standing.flat_map(|(entry, tls)| {
            tls.certificates().into_iter().map(|certificate| CertificateInfo {
                listener: entry.config.id.clone(),
                file: certificate.file,
                field: certificate.field,
                subject: certificate.subject,
                not_after_unix_s: certificate.not_after_unix_s,
            })
        });
        rows.collect()
    }

    /// Every file that certificates, keys and lists are read from.
    pub(crate) fn certificate_files(&self) -> Vec<PathBuf> {
        let places = self.places();
        let tls = places.entries.iter().filter_map(|entry| entry.config.tls.as_ref());
        tls.flat_map(|tls| {
            let named = [&tls.certfile, &tls.keyfile];
            let maybe = [tls.cacertfile.as_ref(), tls.crlfile.as_ref()];
            let sni = tls.sni.iter().flat_map(|entry| [&entry.certfile, &entry.keyfile]);
            named.into_iter().chain(maybe.into_iter().flatten()).chain(sni).cloned()
        })
        .collect()
    }

    fn zone_of(&self, config: &ListenerConfig) -> Result<u16, NodeError> {
        let zones = self.zones.read().unwrap_or_else(PoisonError::into_inner);
        let index = zones.iter().position(|name| *name == config.zone);
        index.and_then(|index| u16::try_from(index).ok()).ok_or_else(|| NodeError::Config {
            path: format!("listeners.{}.zone", config.id.replace(':', ".")),
            detail: format!("there is no zone {:?}", config.zone),
        })
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn info(&self) -> ListenerInfo {
        match &self.state {
            State::Stands(_, listener) => listener.info(),
            State::Failed(text) => ListenerInfo {
                id: self.config.id.clone(),
                bind: self.config.bind.clone(),
                connections: 0,
                max_connections: self.config.max_connections,
                kind: self.config.kind_name(),
                error: Some(text.clone()),
            },
        }
    }
}

/// Whether the way from `old` to `new` needs no new start: connections that stand go on as they
/// are, new ones are made by the new settings.
fn is_hot(old: &ListenerConfig, new: &ListenerConfig) -> bool {
    let is_ws = |config: &ListenerConfig| matches!(config.kind, ListenerKind::WebSocket(_));
    old.bind == new.bind && is_ws(old) == is_ws(new) && old.tls.is_some() == new.tls.is_some()
}
