//! Who may reach a listener at all: access rules, trusted proxies, rate of new connections.
//!
//! Owns what is known from an address alone. It does **not** own bans and authentication: those
//! know the client and answer it, here a connection is just closed.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rookery_core::access::Network;
use rookery_core::limiter::TokenBucket;

use crate::api::ListenerConfig;

/// One entry of `access_rules`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AccessRule {
    allows: bool,
    /// None: every address.
    network: Option<Network>,
}

impl AccessRule {
    /// Reads `allow 10.0.0.0/8`, `deny all`.
    fn parse(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is not \"allow\" or \"deny\" with \"all\" or an address");
        let mut words = text.split_ascii_whitespace();
        let allows = match words.next() {
            Some("allow") => true,
            Some("deny") => false,
            _ => return Err(bad()),
        };
        let network = match words.next() {
            Some("all") => None,
            Some(network) => Some(Network::parse(network).ok_or_else(bad)?),
            None => return Err(bad()),
        };
        if words.next().is_some() { Err(bad()) } else { Ok(Self { allows, network }) }
    }
}

/// What a listener knows about addresses.
#[derive(Debug)]
pub(crate) struct Guard {
    rules: Vec<AccessRule>,
    trusted: Vec<Network>,
    /// New connections; none without a bound. Shared by the workers.
    rate: Option<Mutex<TokenBucket>>,
}

impl Guard {
    /// Reads the rules of a listener.
    ///
    /// # Errors
    ///
    /// The setting (`access_rules` or `trusted_proxies`) and what is wrong with it.
    pub(crate) fn new(
        config: &ListenerConfig,
        now_ms: u64,
    ) -> Result<Self, (&'static str, String)> {
        let rules: Result<_, _> =
            config.access_rules.iter().map(|text| AccessRule::parse(text)).collect();
        let trusted: Result<_, _> = config
            .trusted_proxies
            .iter()
            .map(|text| Network::parse(text).ok_or_else(|| format!("{text:?} is no network")))
            .collect();
        let has_rate = config.max_conn_rate > 0.0;
        let bucket =
            || TokenBucket::new(config.max_conn_rate, u64::from(config.max_conn_burst), now_ms);
        Ok(Self {
            rules: rules.map_err(|detail| ("access_rules", detail))?,
            trusted: trusted.map_err(|detail| ("trusted_proxies", detail))?,
            rate: has_rate.then(|| Mutex::new(bucket())),
        })
    }

    /// Whether a client of this address is let in: the first rule that fits decides. Who is not
    /// mentioned is let in by a list that only denies, and by no other.
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        let fits = |rule: &&AccessRule| rule.network.is_none_or(|n| n.contains(address));
        match self.rules.iter().find(fits) {
            Some(rule) => rule.allows,
            None => !self.rules.iter().any(|rule| rule.allows),
        }
    }

    /// Whether what this address says about other addresses is believed.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// How long no new connection is to be taken; zero when one may come now.
    pub(crate) fn wait(&self, now_ms: u64) -> Duration {
        let Some(rate) = &self.rate else { return Duration::ZERO };
        rate.lock().unwrap_or_else(PoisonError::into_inner).wait(now_ms)
    }

    /// Counts a new connection.
    pub(crate) fn count(&self) {
        if let Some(rate) = &self.rate {
            rate.lock().unwrap_or_else(PoisonError::into_inner).take(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AccessRule;
    use super::Guard;

    fn guard(rules: &[&str], trusted: &[&str]) -> Guard {
        let config = crate::api::ListenerConfig {
            access_rules: rules.iter().map(|r| (*r).to_owned()).collect(),
            trusted_proxies: trusted.iter().map(|r| (*r).to_owned()).collect(),
            max_conn_rate: 2.0,
            ..crate::api::ListenerConfig::default()
        };
        Guard::new(&config, 0).unwrap_or_else(|e| panic!("{e:?}"))
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let allows = |rules: &[&str], address: &str| {
            address.parse().is_ok_and(|address| guard(rules, &[]).allows(address))
        };
        let office = ["deny 10.1.0.0/16", "allow 10.0.0.0/8", "allow ::1", "deny all"];
        for (address, want) in [
            ("10.0.0.1", true),
            ("10.1.0.1", false),
            ("::ffff:10.2.0.1", true),
            ("192.168.0.1", false),
            ("::1", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(allows(&office, address), want, "{address}");
        }
        assert!(allows(&["allow all"], "2001:db8::1"));
        assert!(!allows(&["allow 10.0.0.0/8"], "11.0.0.1"));
        assert!(allows(&["deny 10.0.0.0/8"], "11.0.0.1"));
        assert!(allows(&[], "127.0.0.1"));
    }

    #[test]
    fn rules_that_are_none() {
        for text in ["", "allow", "permit all", "allow 10.0.0.0/33", "allow all all", "deny host"] {
            assert!(AccessRule::parse(text).is_err(), "{text:?}");
        }
        assert!(AccessRule::parse("  deny   10.0.0.0/8 ").is_ok());
    }

    #[test]
    fn proxies_are_trusted_by_list_only() {
        let trusts = |address: &str| {
            address.parse().is_ok_and(|a| guard(&[], &["10.0.0.7", "fd00::/8"]).trusts(a))
        };
        assert!(trusts("10.0.0.7") && trusts("::ffff:10.0.0.7") && trusts("fd12::1"));
        assert!(!trusts("10.0.0.8") && !trusts("127.0.0.1"));
    }

    #[test]
    fn connections_above_the_rate_wait() {
        let guard = guard(&["allow all"], &[]);
        for _ in 0..2 {
            assert!(guard.wait(0).is_zero());
            guard.count();
        }
        assert_eq!(guard.wait(0).as_millis(), 500);
        assert!(guard.wait(500).is_zero());
    }
}
