//! What HTTP proxies say about the client of a WebSocket.

use std::net::{IpAddr, SocketAddr};

/// The client that proxies name: each appends the address that it saw, so the last one that is
/// not a trusted proxy itself is whom the last trusted proxy spoke with. What stands before it
/// was written by that client.
pub(crate) fn forwarded_client<'a>(
    fields: impl DoubleEndedIterator<Item = &'a str>,
    port: Option<u16>,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Option<SocketAddr> {
    let mut found = None;
    for word in fields.rev().flat_map(|field| field.rsplit(',')) {
        // A word that is no address hides everything before it.
        let Some(client) = parse_address(word.trim()) else { break };
        found = Some(client);
        if !is_trusted(client.ip()) {
            break;
        }
    }
    let mut client = found?;
    if let (0, Some(port)) = (client.port(), port) {
        client.set_port(port);
    }
    Some(client)
}

/// An address, with or without port; port 0 stands for none.
fn parse_address(word: &str) -> Option<SocketAddr> {
    let word = word.trim_matches('"');
    let bare = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).unwrap_or(word);
    let address = match bare.parse::<IpAddr>() {
        Ok(ip) => SocketAddr::new(ip, 0),
        Err(_) => word.parse().ok()?,
    };
    Some(SocketAddr::new(address.ip().to_canonical(), address.port()))
}

/// Whether a page of this origin may connect.
pub(crate) fn is_origin_listed(listed: &[String], origin: &str) -> bool {
    // RFC 6454 section 6.2: scheme and host are without case, there is no path.
    let plain = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    let origin = plain(origin);
    listed.iter().any(|known| plain(known) == origin)
}

/// Whether an origin is this machine at the port that the connection came to. No page is served
/// there, and no name that somebody else could point at this machine counts: it is a program whose
/// library sends the header by itself.
pub(crate) fn is_origin_here(origin: &str, port: u16) -> bool {
    let origin = origin.to_ascii_lowercase();
    let (rest, default) = match origin.split_once("://") {
        Some(("http", rest)) => (rest, 80),
        Some(("https", rest)) => (rest, 443),
        _ => return false,
    };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| match rest.strip_prefix(host) {
        Some("") => port == default,
        Some(named) => named.strip_prefix(':').is_some_and(|named| named == port.to_string()),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(fields: &[&str], port: Option<u16>) -> Option<String> {
        let is_trusted = |ip: IpAddr| ip.to_string().starts_with("10.");
        forwarded_client(fields.iter().copied(), port, is_trusted).map(|client| client.to_string())
    }

    #[test]
    fn the_last_address_that_is_no_proxy_is_the_client() {
        for (fields, want) in [
            (&["203.0.113.9"][..], Some("203.0.113.9:7")),
            (&["203.0.113.9, 10.0.0.2"], Some("203.0.113.9:7")),
            // Whatever the client wrote itself does not count.
            (&["1.1.1.1, 203.0.113.9"], Some("203.0.113.9:7")),
            (&["1.1.1.1", "203.0.113.9,10.0.0.2"], Some("203.0.113.9:7")),
            (&["10.0.0.1, 10.0.0.2"], Some("10.0.0.1:7")),
            (&["unknown, 10.0.0.2"], Some("10.0.0.2:7")),
            (&["203.0.113.9:4711"], Some("203.0.113.9:4711")),
            (&["2001:db8::1"], Some("[2001:db8::1]:7")),
            (&["\"[2001:db8::1]:4711\""], Some("[2001:db8::1]:4711")),
            (&["[2001:db8::1]"], Some("[2001:db8::1]:7")),
            (&["::ffff:203.0.113.9"], Some("203.0.113.9:7")),
            (&["garbage"], None),
            (&[""], None),
            (&[], None),
        ] {
            assert_eq!(client(fields, Some(7)).as_deref(), want, "{fields:?}");
        }
        assert_eq!(client(&["203.0.113.9"], None).as_deref(), Some("203.0.113.9:0"));
    }

    #[test]
    fn origins_are_compared_whole() {
        let listed = ["https://Example.com".to_owned(), "http://localhost:3000/".to_owned()];
        for (origin, want) in [
            ("https://example.com", true),
            ("HTTPS://EXAMPLE.COM", true),
            ("http://localhost:3000", true),
            ("https://example.com.evil.org", false),
            ("https://evil-example.com", false),
            ("http://example.com", false),
            ("null", false),
        ] {
            assert_eq!(is_origin_listed(&listed, origin), want, "{origin}");
        }
    }

    #[test]
    fn only_a_loopback_literal_with_the_very_port_is_here() {
        for (origin, want) in [
            ("http://127.0.0.1:8083", true),
            ("https://localhost:8083", true),
            ("HTTP://LOCALHOST:8083", true),
            ("http://[::1]:8083", true),
            ("http://127.0.0.1", false),
            ("http://127.0.0.1:8084", false),
            ("http://127.0.0.1:08083", false),
            ("http://127.0.0.1:80831", false),
            ("http://127.0.0.1:8083/", false),
            ("http://127.0.0.1:8083@evil.example.com", false),
            ("http://127.0.0.1.evil.example.com:8083", false),
            ("http://localhost.evil.example.com:8083", false),
            ("http://evil.example.com:8083", false),
            ("http://127.0.0.2:8083", false),
            ("ws://127.0.0.1:8083", false),
            ("127.0.0.1:8083", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(is_origin_here(origin, 8083), want, "{origin}");
        }
        // What stands for the usual port is left out.
        assert!(is_origin_here("http://localhost", 80) && is_origin_here("https://[::1]", 443));
        assert!(!is_origin_here("https://localhost", 80));
    }
}
