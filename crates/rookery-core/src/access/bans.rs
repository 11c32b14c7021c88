//! Who may not connect.

use std::net::IpAddr;

use hashbrown::HashMap;
use regex::Regex;

use super::error::{AccessError, regex};
use super::network::{Network, bits_of};
use super::{Ban, BanKind};

/// Bans, found without looking at each.
#[derive(Debug, Default)]
pub struct BanTable {
    client_ids: HashMap<Box<str>, Until>,
    usernames: HashMap<Box<str>, Until>,
    addresses: HashMap<u128, Until>,
    networks: Vec<(Network, Until)>,
    client_id_patterns: Vec<(Regex, Until)>,
    username_patterns: Vec<(Regex, Until)>,
}

/// End of a ban, ms since 1970.
type Until = u64;

impl BanTable {
    /// Makes bans ready. Of several about the same the longest counts.
    ///
    /// # Errors
    ///
    /// The first one whose address, network or regular expression is none.
    pub fn compile(bans: &[Ban]) -> Result<Self, AccessError> {
        let mut table = Self::default();
        for (number, ban) in bans.iter().enumerate() {
            table.add(ban).map_err(|error| AccessError {
                path: format!("banned.{}", number + 1),
                detail: format!("{}: {}", ban.kind, error.detail),
            })?;
        }
        Ok(table)
    }

    fn add(&mut self, ban: &Ban) -> Result<(), AccessError> {
        let until = ban.until_ms.unwrap_or(Until::MAX);
        let longest = |known: &mut Until| *known = (*known).max(until);
        match ban.kind {
            BanKind::ClientId => longest(self.client_ids.entry_ref(&*ban.who).or_default()),
            BanKind::Username => longest(self.usernames.entry_ref(&*ban.who).or_default()),
            BanKind::PeerHost => {
                let address: IpAddr = ban
                    .who
                    .parse()
                    .map_err(|_| AccessError::new(format!("{:?} is no address", ban.who)))?;
                longest(self.addresses.entry(bits_of(address)).or_default());
            }
            BanKind::PeerHostNet => {
                let network = Network::parse(&ban.who)
                    .ok_or_else(|| AccessError::new(format!("{:?} is no CIDR", ban.who)))?;
                self.networks.push((network, until));
            }
            BanKind::ClientIdRe => self.client_id_patterns.push((regex(&ban.who)?, until)),
            BanKind::UsernameRe => self.username_patterns.push((regex(&ban.who)?, until)),
        }
        Ok(())
    }

    /// Whether there is none.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.client_ids.is_empty()
            && self.usernames.is_empty()
            && !self.has_addresses()
            && self.client_id_patterns.is_empty()
            && self.username_patterns.is_empty()
    }

    fn has_addresses(&self) -> bool {
        !(self.addresses.is_empty() && self.networks.is_empty())
    }

    /// Whether an address is banned.
    #[must_use]
    pub fn bans_address(&self, unix_ms: u64, address: IpAddr) -> bool {
        let holds = |until: &Until| *until > unix_ms;
        self.has_addresses()
            && (self.addresses.get(&bits_of(address)).is_some_and(holds)
                || self.networks.iter().any(|(net, until)| holds(until) && net.contains(address)))
    }

    /// Whether a client is banned, by whatever is known of it.
    #[must_use]
    pub fn bans(
        &self,
        unix_ms: u64,
        client_id: &str,
        username: Option<&str>,
        address: IpAddr,
    ) -> bool {
        let holds = |until: &Until| *until > unix_ms;
        let searched = |patterns: &[(Regex, Until)], name: &str| {
            patterns.iter().any(|(re, until)| holds(until) && re.is_match(name))
        };
        self.client_ids.get(client_id).is_some_and(holds)
            || username.is_some_and(|name| {
                self.usernames.get(name).is_some_and(holds)
                    || searched(&self.username_patterns, name)
            })
            || searched(&self.client_id_patterns, client_id)
            || self.bans_address(unix_ms, address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(bans: &[(BanKind, &str, Option<u64>)]) -> Result<BanTable, AccessError> {
        let bans: Vec<Ban> = bans
            .iter()
            .map(|(kind, who, until_ms)| Ban {
                kind: *kind,
                who: (*who).into(),
                until_ms: *until_ms,
                reason: String::new(),
            })
            .collect();
        BanTable::compile(&bans)
    }

    #[test]
    fn whom_a_ban_fits() {
        use BanKind::{ClientId, ClientIdRe, PeerHost, PeerHostNet, Username, UsernameRe};
        let cases = [
            (ClientId, "c1", true),
            (ClientId, "c", false),
            (ClientIdRe, "^c", true),
            (ClientIdRe, "1", true),
            (ClientIdRe, "^1", false),
            (Username, "u1", true),
            (UsernameRe, "^(u|v)", true),
            (UsernameRe, "^c", false),
            (PeerHost, "192.0.2.7", true),
            (PeerHost, "::ffff:192.0.2.7", true),
            (PeerHost, "192.0.2.8", false),
            (PeerHostNet, "192.0.2.0/24", true),
            (PeerHostNet, "192.0.3.0/24", false),
        ];
        let address = "192.0.2.7".parse().unwrap();
        for (kind, who, want) in cases {
            let table = table(&[(kind, who, None)]).unwrap();
            assert_eq!(table.bans(1, "c1", Some("u1"), address), want, "{kind} {who}");
        }
        let named = table(&[(Username, "u1", None)]).unwrap();
        assert!(!named.bans(1, "c1", None, address));
        assert!(BanTable::default().is_empty() && !named.is_empty());
    }

    #[test]
    fn a_ban_ends() {
        use BanKind::{ClientId, PeerHostNet};
        let address = "192.0.2.7".parse().unwrap();
        let bans = table(&[
            (ClientId, "c", Some(100)),
            (ClientId, "c", Some(50)),
            (PeerHostNet, "::/0", Some(60)),
        ]);
        let bans = bans.unwrap();
        assert!(bans.bans(99, "c", None, address) && bans.bans(59, "d", None, address));
        assert!(!bans.bans(100, "c", None, address) && !bans.bans(60, "d", None, address));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = [
            (BanKind::PeerHost, "host", "banned.1: peerhost: \"host\" is no address"),
            (
                BanKind::PeerHostNet,
                "10.0.0.0/40",
                "banned.1: peerhost_net: \"10.0.0.0/40\" is no CIDR",
            ),
        ];
        for (kind, who, want) in wrong {
            assert_eq!(table(&[(kind, who, None)]).unwrap_err().to_string(), want);
        }
        let error = table(&[(BanKind::ClientId, "c", None), (BanKind::ClientIdRe, "(?=a)", None)]);
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("banned.2: clientid_re: regular expression \"(?=a)\""),
            "{error}"
        );
        assert!(error.contains("look-around"), "{error}");
    }
}
