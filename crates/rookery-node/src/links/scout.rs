//! Looks whether a server takes connections again, beside the connection that is in use.

use std::net::TcpStream;

use super::line::Destination;
use super::resolve::Lookup;
use crate::dial;

/// How long an attempt may take.
const ATTEMPT_MS: u64 = 3000;

#[derive(Default)]
enum Step {
    #[default]
    Rest,
    Looking(Lookup),
    Dialling(TcpStream),
}

/// One look after the other.
#[derive(Default)]
pub(super) struct Scout {
    step: Step,
    /// When the present step has to be over; 0: none was begun.
    until_ms: u64,
}

impl Scout {
    /// Goes on with the look that is under way, or begins one every `every_ms`; whether the server
    /// took a connection.
    pub(super) fn look(
        &mut self,
        host: &str,
        port: u16,
        to: &Destination,
        now_ms: u64,
        every_ms: u64,
    ) -> bool {
        if self.until_ms == 0 {
            self.until_ms = now_ms + every_ms;
        }
        if now_ms >= self.until_ms {
            let is_resting = matches!(self.step, Step::Rest);
            let lookup = if is_resting { Lookup::begin(host, port, &to.outlet).ok() } else { None };
            (self.step, self.until_ms) = match lookup {
                Some(lookup) => (Step::Looking(lookup), now_ms + ATTEMPT_MS),
                None => (Step::Rest, now_ms + every_ms),
            };
        }
        if let Step::Looking(lookup) = &mut self.step {
            let Some(found) = lookup.poll() else { return false };
            let address = found.ok().and_then(|addresses| addresses.into_iter().next());
            self.step = match address.map(dial::begin) {
                Some(Ok((stream, _))) => Step::Dialling(stream),
                _ => Step::Rest,
            };
        }
        let Step::Dialling(stream) = &self.step else { return false };
        let connected = dial::is_connected(stream);
        if connected.is_err() {
            self.step = Step::Rest;
        }
        connected.unwrap_or(false)
    }
}
