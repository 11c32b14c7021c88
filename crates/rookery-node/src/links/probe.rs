//! Trying a link: one connection that introduces itself and ends.

use std::sync::Arc;

use rookery_codec::{PublishProperties, QoS};
use rookery_links::sender::{Effect, LocalRoutes, Sender, State};
use rookery_links::topics;
use rustix::event::{PollFd, PollFlags, Timespec};

use super::client::Event;
use super::line::Line;
use super::link::{destination, identity, route_hello};
use super::reason::Reason;
use super::{LinkConfig, LinkOutlet, Me};
use crate::worker::Clock;

/// The longest wait between looks.
const LOOK_MS: u64 = 200;

/// Connects, introduces itself, ends; waits for as long as that may take.
pub(super) fn run(
    config: &LinkConfig,
    me: &Me,
    outlet: &Arc<LinkOutlet>,
    clock: Clock,
) -> Result<(), Reason> {
    let to = destination(config, outlet)?;
    // Beside a link that stands: another client, another actor.
    let me = Me { node: format!("probe:{}", me.node).into(), ..me.clone() };
    let mut line = Line::new(route_hello(config, &me), 0);
    let local = LocalRoutes::default();
    let mut sender = Sender::new(identity(config, &me), &local, clock.now().unix_ms);
    line.begin(&to, clock.now().mono_ms)?;
    loop {
        wait(&line, outlet);
        let now_ms = clock.now().mono_ms;
        let mut events = Vec::new();
        let served = line.serve(&to, now_ms, &mut events);
        for event in events {
            match event {
                Event::Ready => introduce(&mut line, sender.connected(now_ms), &me),
                Event::Acknowledged { reason, .. } if reason.is_error() => {
                    return Err(Reason::not_authorized());
                }
                Event::Acknowledged { .. } => {}
                Event::Message { correlation, payload } => {
                    let said = sender.answered(now_ms, correlation.as_deref(), &payload);
                    said.map_err(|said| Reason::of_answer(&said))?;
                }
            }
        }
        served?;
        line.watch(&to, now_ms)?;
        if matches!(sender.state(), State::Bootstrapping | State::Online) {
            line.close();
            return Ok(());
        }
        if sender.poll(now_ms, &local) == Some(Effect::GiveUp) {
            return Err(Reason::new("timed_out", "the other side does not answer"));
        }
        line.flush(&to, now_ms)?;
    }
}

fn introduce(line: &mut Line, effect: Effect, me: &Me) {
    let (Effect::Introduce { payload, correlation }, Some(client)) = (effect, line.ready()) else {
        return;
    };
    let response = topics::response(&me.cluster, &me.node);
    let mut properties = Vec::new();
    PublishProperties {
        response_topic: Some(&response),
        correlation_data: Some(correlation.as_bytes()),
        ..PublishProperties::default()
    }
    .forward_into(&mut properties);
    client.publish(QoS::AtLeastOnce, &topics::route(&me.cluster), &properties, &payload);
}

fn wait(line: &Line, outlet: &LinkOutlet) {
    let mut fds = vec![PollFd::from_borrowed_fd(outlet.fd(), PollFlags::IN)];
    if let Some(client) = line.client() {
        fds.push(PollFd::from_borrowed_fd(client.fd(), client.interest()));
    }
    #[allow(clippy::cast_possible_wrap)] // a fifth of a second
    let timeout = Timespec { tv_sec: 0, tv_nsec: LOOK_MS as i64 * 1_000_000 };
    // An interrupted wait is an empty turn.
    let _ = rustix::event::poll(&mut fds, Some(&timeout));
}
