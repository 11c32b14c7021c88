//! Connecting and subscribing before the load starts.

use std::borrow::Cow;

use rustix::event::epoll;
use rustix::net::sockopt;

use crate::config::{BenchConfig, Mode};
use crate::engine::{Engine, Observer, worker_roles};
use crate::error::BenchError;
use crate::net::{Link, LinkState, Role, start_connect};
use crate::packet::{
    ConnectFields, connack, connack_meaning, put_connect, put_subscribe, suback_codes,
};
use crate::publisher::{Publisher, topic_name};
use crate::report::Phase;
use crate::watch::now_ns;

/// Connections under way at once: below the listen backlog of every known broker.
const PENDING_MAX: usize = 64;
/// Filters in one SUBSCRIBE.
const FILTERS_PER_PACKET: u32 = 100;
/// Filters sent ahead of their SUBACK on one connection.
const FILTERS_AHEAD: u32 = 1000;

/// Number of filters of a connection.
fn filter_count(config: &BenchConfig, role: Role) -> u32 {
    match role {
        Role::Publisher(_) => 0,
        Role::Idle(index) => {
            let (all, links) = (config.idle_subscriptions, config.idle_connections.max(1));
            all / links + u32::from(index < all % links)
        }
        Role::Receiver(_) => match config.mode {
            Mode::Sub | Mode::Shared => 1,
            _ if config.subscribe_wildcard => topic_owners(config),
            _ => topic_owners(config) * config.topics_per_publisher(),
        },
    }
}

/// Publishers that one receiver listens to.
fn topic_owners(config: &BenchConfig) -> u32 {
    if config.mode == Mode::Fanout { config.publishers } else { 1 }
}

/// Filter `number` of a connection.
fn filter(config: &BenchConfig, role: Role, number: u32) -> String {
    let prefix = &config.topic_prefix;
    match (role, config.mode) {
        (Role::Idle(index), _) => format!("{prefix}-idle/{index}/{}/{number}", number / 1000),
        (_, Mode::Shared) => format!("$share/{}/{prefix}/#", config.share_name),
        (Role::Receiver(index), mode) if mode != Mode::Sub => {
            let topics = config.topics_per_publisher();
            let each = if config.subscribe_wildcard { 1 } else { topics };
            let owner = if mode == Mode::Fanout { number / each } else { index };
            if config.subscribe_wildcard && topics > 1 {
                format!("{prefix}/{owner}/#")
            } else {
                topic_name(config, owner, number % each)
            }
        }
        _ => format!("{prefix}/#"),
    }
}

impl Engine<'_> {
    /// Makes the quiet connections; returns the seconds it took.
    pub(crate) fn set_up_idle(&mut self, observer: Observer<'_>) -> Result<f64, BenchError> {
        let roles: Vec<Role> = (0..self.config.idle_connections).map(Role::Idle).collect();
        self.set_up(&roles, observer)
    }

    /// Makes the connections that carry the load; returns the seconds it took.
    pub(crate) fn set_up_workers(&mut self, observer: Observer<'_>) -> Result<f64, BenchError> {
        let roles: Vec<Role> = worker_roles(self.config).collect();
        for (at, role) in roles.iter().enumerate() {
            if let Role::Publisher(index) = role {
                let link = self.links.len() + at;
                self.publishers.push(Publisher::new(self.config, *index, link));
            }
        }
        self.set_up(&roles, observer)
    }

    fn set_up(&mut self, roles: &[Role], observer: Observer<'_>) -> Result<f64, BenchError> {
        let from = now_ns();
        let until = from + (self.config.set_up_timeout_s * 1e9) as u64;
        let wanted = self.ready + roles.len();
        let mut waiting = roles.iter();
        while self.ready < wanted {
            let now = now_ns();
            let share = self.ready as f64 / wanted as f64;
            if !self.tick(Phase::SetUp, share, observer) {
                break;
            }
            if now >= until {
                return Err(BenchError::SetUpTimeout {
                    ready: self.ready,
                    wanted,
                    seconds: self.config.set_up_timeout_s,
                });
            }
            let allowed = self.connects_allowed(from, now, wanted - roles.len());
            for role in waiting.by_ref().take(allowed) {
                self.open(*role)?;
            }
            self.open_again(now)?;
            let wait_ns = if self.config.connect_rate > 0.0 { 1_000_000 } else { 20_000_000 };
            self.turn(now, now + wait_ns)?;
        }
        Ok((now_ns() - from) as f64 / 1e9)
    }

    /// How many more connections may be started now.
    fn connects_allowed(&self, from: u64, now: u64, before: usize) -> usize {
        let opened = self.links.len();
        let pending = PENDING_MAX.saturating_sub(opened - self.ready);
        if self.config.connect_rate <= 0.0 {
            return pending;
        }
        let due = ((now - from) as f64 / 1e9 * self.config.connect_rate) as usize + 1;
        // A fixed rate must not slow down with the broker, only with the descriptors.
        (before + due).saturating_sub(opened)
    }

    fn open(&mut self, role: Role) -> Result<(), BenchError> {
        let link = self.dial(self.links.len(), role)?;
        self.links.extend(link);
        Ok(())
    }

    /// Whether a connection that failed during set-up will be tried again.
    pub(crate) fn try_again(&mut self, index: usize) -> bool {
        let retry_s = self.config.retry_s;
        let Some(link) = self.links.get_mut(index).filter(|_| retry_s > 0.0) else {
            return false;
        };
        if link.state != LinkState::Closed {
            link.state = LinkState::Closed;
            // Only fails for a descriptor that is not registered, which is the aim.
            let _ = epoll::delete(&self.epoll, &link.socket);
            self.refused += 1;
            self.retries.push_back((now_ns() + (retry_s * 1e9) as u64, index));
        }
        true
    }

    /// Tries connections again whose time has come.
    fn open_again(&mut self, now: u64) -> Result<(), BenchError> {
        while self.retries.front().is_some_and(|(due, _)| *due <= now) {
            let Some((_, index)) = self.retries.pop_front() else {
                break;
            };
            let Some(role) = self.links.get(index).map(|link| link.role) else {
                continue;
            };
            let link = self.dial(index, role)?;
            if let (Some(place), Some(link)) = (self.links.get_mut(index), link) {
                *place = link;
            }
        }
        Ok(())
    }

    /// Starts connection `index`.
    fn dial(&self, index: usize, role: Role) -> Result<Option<Link>, BenchError> {
        let at = index % self.targets.len();
        let Some(target) = self.targets.get(at) else {
            return Ok(None);
        };
        let sources = &self.config.source_addresses;
        let source = sources.get(index % sources.len().max(1)).copied();
        let layers = self.dialer.layers(at)?;
        let link = Link::new(start_connect(target, source)?, role, at as u32, layers);
        let flags = link.interest();
        epoll::add(&self.epoll, &link.socket, epoll::EventData::new_u64(index as u64), flags)
            .map_err(BenchError::io("epoll_ctl"))?;
        Ok(Some(link))
    }

    /// Name of the broker that connection `index` goes to.
    pub(crate) fn address_of(&self, index: usize) -> String {
        self.links
            .get(index)
            .and_then(|link| self.targets.get(link.target as usize))
            .map(|target| target.name.clone())
            .unwrap_or_default()
    }

    pub(crate) fn on_connected(&mut self, index: usize) -> Result<(), BenchError> {
        let address = self.address_of(index);
        let Some(link) = self.links.get_mut(index) else {
            return Ok(());
        };
        let outcome = sockopt::socket_error(&link.socket).map_err(BenchError::io("SO_ERROR"))?;
        if let Err(errno) = outcome {
            if self.try_again(index) {
                return Ok(());
            }
            return Err(BenchError::Connect { address, source: errno.into() });
        }
        if link.layers.is_some() {
            link.state = LinkState::Handshaking;
            // A failure shows on the read side, with its reason.
            link.begin_layers();
            return self.rearm(index);
        }
        self.say_hello(index)?;
        self.rearm(index)
    }

    /// Sends CONNECT.
    pub(crate) fn say_hello(&mut self, index: usize) -> Result<(), BenchError> {
        let Some(link) = self.links.get_mut(index) else {
            return Ok(());
        };
        let role = link.role;
        link.state = LinkState::AwaitingConnAck;
        let mut out = Vec::with_capacity(64);
        let client_id = client_id(&self.client_id_prefix, role);
        let (Role::Idle(number) | Role::Receiver(number) | Role::Publisher(number)) = role;
        let credentials = Credentials::new(self.config, number);
        put_connect(&mut out, &connect_fields(self.config, &client_id, &credentials));
        self.write(index, &out);
        Ok(())
    }

    pub(crate) fn on_connack(&mut self, index: usize, body: &[u8]) -> Result<(), BenchError> {
        let (code, receive_maximum) = connack(body, self.is_v5).unwrap_or((0xFF, 0));
        if code != 0 && self.try_again(index) {
            return Ok(());
        }
        if code != 0 {
            return Err(BenchError::Refused {
                address: self.address_of(index),
                code,
                meaning: connack_meaning(code),
            });
        }
        let Some(link) = self.links.get_mut(index) else {
            return Ok(());
        };
        link.state = LinkState::Subscribing;
        if let Role::Publisher(number) = link.role
            && let Some(publisher) = self.publishers.get_mut(number as usize)
        {
            publisher.inflight_max = publisher.inflight_max.min(u32::from(receive_maximum));
        }
        self.subscribe_more(index);
        Ok(())
    }

    /// Sends the next SUBSCRIBE packets of a connection, or makes it ready.
    fn subscribe_more(&mut self, index: usize) {
        let Some(link) = self.links.get_mut(index) else {
            return;
        };
        let (role, wanted) = (link.role, filter_count(self.config, link.role));
        if link.filters_acknowledged >= wanted {
            link.state = LinkState::Ready;
            self.ready += 1;
            return;
        }
        let mut out = Vec::new();
        while link.filters_sent < wanted
            && link.filters_sent - link.filters_acknowledged < FILTERS_AHEAD
        {
            let from = link.filters_sent;
            let to = wanted.min(from + FILTERS_PER_PACKET);
            let filters: Vec<String> =
                (from..to).map(|number| filter(self.config, role, number)).collect();
            let packet_id = (from / FILTERS_PER_PACKET % 65_535 + 1) as u16;
            let names = filters.iter().map(String::as_str);
            put_subscribe(&mut out, packet_id, names, self.config.qos, self.is_v5);
            link.filters_sent = to;
        }
        if !out.is_empty() {
            self.write(index, &out);
        }
    }

    pub(crate) fn on_suback(&mut self, index: usize, body: &[u8]) -> Result<(), BenchError> {
        let codes = suback_codes(body, self.is_v5).unwrap_or_default();
        if let Some(code) = codes.iter().find(|code| **code >= 0x80) {
            return Err(BenchError::SubscribeRefused {
                address: self.address_of(index),
                code: *code,
            });
        }
        if let Some(link) = self.links.get_mut(index) {
            link.filters_acknowledged += codes.len() as u32;
            self.subscriptions += codes.len() as u64;
            if link.state == LinkState::Subscribing {
                self.subscribe_more(index);
            }
        }
        Ok(())
    }
}

pub(crate) fn client_id(prefix: &str, role: Role) -> String {
    match role {
        Role::Idle(index) => format!("{prefix}-i{index}"),
        Role::Receiver(index) => format!("{prefix}-s{index}"),
        Role::Publisher(index) => format!("{prefix}-p{index}"),
    }
}

/// User name and password of one connection.
pub(crate) struct Credentials<'a> {
    username: Option<Cow<'a, str>>,
    password: Option<Cow<'a, str>>,
}

impl<'a> Credentials<'a> {
    pub(crate) fn new(config: &'a BenchConfig, number: u32) -> Credentials<'a> {
        let personal = |text: &'a String| match text.contains("%i") {
            true => Cow::Owned(text.replace("%i", &number.to_string())),
            false => Cow::Borrowed(text.as_str()),
        };
        Credentials {
            username: config.username.as_ref().map(personal),
            password: config.password.as_ref().map(personal),
        }
    }
}

pub(crate) fn connect_fields<'a>(
    config: &'a BenchConfig,
    client_id: &'a str,
    credentials: &'a Credentials<'_>,
) -> ConnectFields<'a> {
    ConnectFields {
        protocol: config.protocol,
        client_id,
        username: credentials.username.as_deref(),
        password: credentials.password.as_deref(),
        clean_start: config.clean_start,
        session_expiry_interval_s: config.session_expiry_interval_s,
        keep_alive_s: config.keep_alive_s,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_by_mode() {
        let config = |mode, topics, subscribe_wildcard| BenchConfig {
            mode,
            publishers: 2,
            subscribers: 2,
            topics,
            subscribe_wildcard,
            ..BenchConfig::default()
        };
        let cases = [
            (config(Mode::Pairs, 0, false), vec!["bench/1"]),
            (config(Mode::Pairs, 4, false), vec!["bench/1/0", "bench/1/1"]),
            (config(Mode::Pairs, 4, true), vec!["bench/1/#"]),
            (config(Mode::Fanout, 0, false), vec!["bench/0", "bench/1"]),
            (
                config(Mode::Fanout, 4, false),
                vec!["bench/0/0", "bench/0/1", "bench/1/0", "bench/1/1"],
            ),
            (config(Mode::Shared, 0, false), vec!["$share/bench/bench/#"]),
            (config(Mode::Sub, 0, false), vec!["bench/#"]),
        ];
        for (config, expected) in cases {
            let role = Role::Receiver(1);
            let filters: Vec<String> = (0..filter_count(&config, role))
                .map(|number| filter(&config, role, number))
                .collect();
            assert_eq!(filters, expected, "{:?}", config.mode);
        }
    }

    #[test]
    fn credentials_are_numbered() {
        let config = BenchConfig {
            username: Some("device-%i".to_owned()),
            password: Some("same".to_owned()),
            ..BenchConfig::default()
        };
        let credentials = Credentials::new(&config, 42);
        let fields = connect_fields(&config, "c", &credentials);
        assert_eq!((fields.username, fields.password), (Some("device-42"), Some("same")));
    }

    #[test]
    fn quiet_subscriptions_are_spread_and_distinct() {
        let config =
            BenchConfig { idle_connections: 3, idle_subscriptions: 10, ..BenchConfig::default() };
        let all: std::collections::HashSet<String> = (0..3)
            .flat_map(|index| {
                let role = Role::Idle(index);
                let config = &config;
                (0..filter_count(config, role)).map(move |number| filter(config, role, number))
            })
            .collect();
        assert_eq!(all.len(), 10);
    }
}
