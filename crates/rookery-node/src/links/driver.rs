//! The thread of the links.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender as Reply;

use rookery_core::access::LinkCounters;
use rookery_core::effects::{ForLinks, UpEvent};
use rookery_core::ids::Now;
use rookery_core::router::{Feed, Weight};
use rookery_core::shared::Shared;
use rookery_links::sender::{LocalRoute, LocalRoutes};
use rustix::event::{PollFd, PollFlags, Timespec};

use super::control::OfNode;
use super::deletions::Journal;
use super::link::Link;
use super::reason::Reason;
use super::{LinkConfig, LinkOutlet, LinkStatus, Me, ToLinks};
use crate::inbox::{Inbox, Item};
use crate::up::Upstream;
use crate::worker::Clock;

/// The longest sleep: actors of other clusters are looked after.
const SLEEP_MS: u64 = 1000;

/// A link that is switched on, as the thread is told of it.
pub(crate) struct Wanted {
    pub(crate) config: LinkConfig,
    pub(crate) number: u16,
    pub(crate) came: Arc<LinkCounters>,
}

/// What the thread is asked for.
pub(crate) enum Order {
    /// Makes the links those of the list.
    Apply(Me, Vec<Wanted>, Reply<()>),
    /// How it stands with each.
    Status(Reply<Vec<LinkStatus>>),
    /// Sets the counters of one to zero.
    Reset(String),
    /// Ends all connections; what comes from now on is kept, where anything is.
    Leave(Reply<()>),
    /// Ends the thread.
    Stop,
}

/// A link that cannot be begun: what it was made of does not fit.
struct Broken {
    config: LinkConfig,
    reason: Reason,
    since_ms: u64,
}

pub(super) struct Driver {
    outlet: Arc<LinkOutlet>,
    shared: Arc<Shared>,
    inboxes: Arc<[Inbox]>,
    up: Arc<Upstream>,
    clock: Clock,
    /// Where links keep messages; none: nowhere.
    dir: Option<PathBuf>,
    me: Option<Me>,
    /// That of the link that began last: each is an actor of its own.
    incarnation: u64,
    links: Vec<Link>,
    broken: Vec<Broken>,
    local: LocalRoutes,
    /// The link of a number.
    numbers: HashMap<u16, usize>,
    /// The same for what other nodes of the cluster told, and the version of it that is known.
    copies: (HashMap<u16, usize>, u64),
    /// Links that the message at hand was given to.
    reached: Vec<usize>,
    chance: u64,
    scratch: Vec<u8>,
    is_collecting: bool,
    /// Deletions of what is retained; none: they are not written.
    journal: Option<Journal>,
    /// Links were put in place.
    is_changed: bool,
    /// The management plane was told to ask how it stands, and has not asked.
    is_told: bool,
    /// The node ends, and nothing is sent any more.
    is_leaving: bool,
}

impl Driver {
    pub(super) fn new(of_node: &OfNode, outlet: Arc<LinkOutlet>) -> Self {
        let OfNode { shared, inboxes, up, clock, dir } = of_node.clone();
        Self {
            outlet,
            shared,
            inboxes,
            up,
            clock,
            dir,
            journal: None,
            is_changed: false,
            is_told: false,
            is_leaving: false,
            me: None,
            incarnation: 0,
            links: Vec::new(),
            broken: Vec::new(),
            local: LocalRoutes::default(),
            numbers: HashMap::new(),
            copies: (HashMap::new(), 0),
            reached: Vec::new(),
            chance: clock.now().unix_ms | 1,
            scratch: Vec::new(),
            is_collecting: false,
        }
    }

    pub(super) fn run(mut self) {
        self.find_routes();
        loop {
            let ready = self.wait();
            let now = self.clock.now();
            let taken = self.outlet.take();
            self.note_routes();
            self.note_copies();
            for (link, line) in ready {
                if let Some(link) = self.links.get_mut(link) {
                    link.serve(line, now.mono_ms);
                }
            }
            self.take_sent(taken.sent, now);
            for order in taken.orders {
                if !self.obey(order) {
                    self.close(now);
                    return;
                }
            }
            if self.is_leaving {
                continue;
            }
            self.is_collecting = self.shared.links.collect(&self.shared.router, now.mono_ms);
            self.note_arrivals(now.mono_ms);
            self.write_deletions();
            let mut is_news = std::mem::take(&mut self.is_changed);
            for link in &mut self.links {
                link.go_on_telling(&self.shared.retained, now);
                link.keep(&self.shared, now);
                link.tick(now.mono_ms, &self.local, &mut self.scratch);
                is_news |= link.look(now.unix_ms);
            }
            self.shared.links.set_keeps(self.links.iter().any(Link::keeps));
            // Told once until somebody has asked how it stands.
            if is_news && !self.is_told {
                self.is_told = true;
                self.up.push_all([UpEvent::Links]);
            }
        }
    }

    fn close(&mut self, now: Now) {
        let shared = &self.shared;
        self.links.iter_mut().for_each(|link| link.close(shared, now));
        shared.links.set_keeps(false);
        self.write_deletions();
        self.shared.links.deletions.set(false);
    }

    /// Waits for something to do; connections on which something came, by link.
    fn wait(&self) -> Vec<(usize, usize)> {
        let has_work = || {
            self.is_collecting
                || self.shared.links.has_news()
                || self.shared.router.has_route_changes(Feed::Links)
        };
        let may_sleep = self.outlet.fall_asleep() && (self.is_leaving || !has_work());
        let now_ms = self.clock.now().mono_ms;
        let links = self.links.iter().filter(|_| !self.is_leaving);
        let due_ms = links.map(Link::due_ms).min().unwrap_or(u64::MAX);
        let wait_ms = if may_sleep { due_ms.saturating_sub(now_ms).min(SLEEP_MS) } else { 0 };
        let mut fds = vec![PollFd::from_borrowed_fd(self.outlet.fd(), PollFlags::IN)];
        let mut places = vec![None];
        for (at, link) in self.links.iter().enumerate() {
            for (number, line) in link.lines() {
                if let Some(client) = line.client() {
                    fds.push(PollFd::from_borrowed_fd(client.fd(), client.interest()));
                    places.push(Some((at, number)));
                }
            }
        }
        #[allow(clippy::cast_possible_wrap)] // at most a second
        let timeout = Timespec {
            tv_sec: (wait_ms / 1000) as i64,
            tv_nsec: (wait_ms % 1000) as i64 * 1_000_000,
        };
        // An interrupted wait is an empty turn.
        let _ = rustix::event::poll(&mut fds, Some(&timeout));
        let ready = fds.iter().zip(places).filter(|(fd, _)| !fd.revents().is_empty());
        ready.filter_map(|(_, place)| place).collect()
    }

    /// Takes what workers have for links, and tells them when it is kept.
    fn take_sent(&mut self, sent: Vec<ToLinks>, now: Now) {
        let mut kept: Vec<(u16, u64)> = Vec::new();
        for of_turn in sent {
            of_turn.messages.iter().for_each(|item| self.send(item, now));
            if of_turn.ticket != 0 {
                kept.push((of_turn.worker, of_turn.ticket));
            }
        }
        if kept.is_empty() {
            return;
        }
        self.links.iter_mut().for_each(Link::write);
        for (worker, ticket) in kept {
            if let Some(inbox) = self.inboxes.get(usize::from(worker)) {
                inbox.push(Item::Kept(ticket));
            }
        }
    }

    fn send(&mut self, item: &ForLinks, now: Now) {
        let range = item.range.0 as usize..item.range.1 as usize;
        self.reached.clear();
        for target in item.matched.targets.get(range).unwrap_or_default() {
            let number = u16::try_from(target.key.slot).unwrap_or(0);
            let known = self.numbers.get(&number).or_else(|| self.copies.0.get(&number));
            // What one cluster wants may have come to several nodes here: it gets one copy.
            let Some(at) = known.copied().filter(|at| !self.reached.contains(at)) else { continue };
            self.reached.push(at);
            if let Some(link) = self.links.get_mut(at) {
                link.take(&item.message, now);
            }
        }
    }

    /// Linked clusters that came, and what of what is retained here they want to know.
    fn note_arrivals(&mut self, now_ms: u64) {
        if !self.shared.links.take_news() {
            return;
        }
        let (came, waiting) = {
            let mut receiver = self.shared.links.lock();
            (receiver.take_arrivals(), receiver.take_waiting())
        };
        for number in came {
            if let Some(link) = self.link_of(number) {
                link.hurry(now_ms);
            }
        }
        let shared = self.shared.clone();
        for (number, topics) in waiting {
            if let Some(link) = self.link_of(number) {
                link.tell_retained(topics, &shared.links.deletions);
            }
        }
    }

    fn write_deletions(&mut self) {
        if let Some(journal) = &mut self.journal {
            // What is not written holds until the node ends.
            let _ = journal.write(&self.shared.links.deletions);
        }
    }

    /// Deletions of what is retained are noted while some link brings it over.
    fn note_deletions(&mut self, wanted: &[Wanted]) {
        let deletions = &self.shared.links.deletions;
        let is_wanted = wanted.iter().any(|wanted| wanted.config.sync_retained);
        deletions.set(is_wanted);
        let dir = self.dir.as_deref().filter(|_| is_wanted);
        if self.journal.is_some() != dir.is_some() {
            let now = self.clock.now().unix_ms;
            self.journal = dir.map(|dir| Journal::open(dir, deletions, now));
        }
    }

    fn link_of(&mut self, number: u16) -> Option<&mut Link> {
        self.links.get_mut(*self.numbers.get(&number)?)
    }

    /// What other nodes of the cluster told of links.
    fn note_copies(&mut self) {
        let version = self.shared.links.copies.version();
        if self.copies.1 != version {
            let place = |name: &str| self.links.iter().position(|link| link.config.name == name);
            let all = self.shared.links.copies.all().into_iter();
            let known = all.filter_map(|(number, copy)| Some((number, place(&copy.cluster)?)));
            self.copies = (known.collect(), version);
        }
    }

    /// Everything that is subscribed here.
    fn find_routes(&mut self) {
        self.local.clear();
        let local = &mut self.local;
        self.shared.router.track_routes(Feed::Links, |group, filter, weight| {
            set(local, group, filter, weight);
        });
    }

    /// What changed of it.
    fn note_routes(&mut self) {
        if !self.shared.router.has_route_changes(Feed::Links) {
            return;
        }
        let taken = self.shared.router.take_route_changes(Feed::Links);
        if taken.is_lost {
            self.find_routes();
            for link in &mut self.links {
                link.restart(&self.local);
            }
            return;
        }
        for change in taken.changes {
            let is_there = !change.is.is_none();
            let route = LocalRoute { filter: change.filter, group: change.group };
            if self.local.set(&route, is_there) {
                self.links.iter_mut().for_each(|link| link.changed(&route, is_there));
            }
        }
    }

    fn obey(&mut self, order: Order) -> bool {
        match order {
            Order::Apply(me, wanted, reply) => {
                self.apply(me, wanted);
                // Who asked may have given up.
                let _ = reply.send(());
            }
            Order::Status(reply) => {
                self.is_told = false;
                let _ = reply.send(self.status());
            }
            Order::Reset(name) => {
                let named = |link: &&mut Link| link.config.name == name;
                self.links.iter_mut().filter(named).for_each(Link::reset);
            }
            Order::Leave(reply) => {
                let now = self.clock.now();
                self.links.iter_mut().for_each(|link| link.leave(now));
                self.is_leaving = true;
                let _ = reply.send(());
            }
            Order::Stop => return false,
        }
        true
    }

    /// Links that are as they were go on, the others begin anew.
    fn apply(&mut self, me: Me, wanted: Vec<Wanted>) {
        self.note_deletions(&wanted);
        let is_same_me = self.me.as_ref() == Some(&me);
        let is_same = |link: &Link, wanted: &Wanted| {
            is_same_me && link.config == wanted.config && link.number == wanted.number
        };
        let stays = |link: &Link| wanted.iter().any(|wanted| is_same(link, wanted));
        let (mut before, mut gone): (Vec<Link>, Vec<Link>) =
            std::mem::take(&mut self.links).into_iter().partition(stays);
        // Before another one of the name begins: what it keeps on disk is that one's.
        gone.iter_mut().for_each(|link| link.close(&self.shared, self.clock.now()));
        self.broken.clear();
        for wanted in wanted {
            if let Some(at) = before.iter().position(|link| is_same(link, &wanted)) {
                self.links.push(before.swap_remove(at));
                continue;
            }
            self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let config = wanted.config.clone();
            let number = (wanted.number, wanted.came);
            // A later one than before: what the link lets through may be something else.
            let started = self.clock.now().unix_ms.max(me.incarnation);
            self.incarnation = started.max(self.incarnation + 1);
            let actor = Me { incarnation: self.incarnation, ..me.clone() };
            match Link::new(
                wanted.config,
                number,
                &actor,
                (&self.outlet, self.dir.as_deref()),
                &self.local,
                self.chance >> 8,
            ) {
                Ok(link) => self.links.push(link),
                Err(reason) => {
                    let since_ms = self.clock.now().unix_ms;
                    self.broken.push(Broken { config, reason, since_ms });
                }
            }
        }
        let numbers = self.links.iter().enumerate().map(|(at, link)| (link.number, at));
        self.numbers = numbers.collect();
        // Found anew with the next turn.
        self.copies = (HashMap::new(), u64::MAX);
        self.me = Some(me);
        self.is_changed = true;
    }

    fn status(&self) -> Vec<LinkStatus> {
        let links = &self.shared.links;
        let receiver = links.lock();
        let routes = |name: &str| {
            receiver.table(name).map_or(0, |table| table.len()) + links.copies.routes(name)
        };
        let broken = self.broken.iter().map(|broken| LinkStatus {
            name: broken.config.name.clone(),
            status: "disconnected",
            reason: Some(broken.reason.to_string()),
            since_ms: broken.since_ms,
            replication: "disconnected",
            routes: routes(&broken.config.name),
            ..LinkStatus::default()
        });
        let links = self.links.iter().map(|link| link.status(routes(&link.config.name)));
        links.chain(broken).collect()
    }
}

fn set(local: &mut LocalRoutes, group: Option<&str>, filter: &str, weight: Weight) {
    let route = LocalRoute { filter: filter.into(), group: group.map(Into::into) };
    local.set(&route, !weight.is_none());
}
