//! Version 1: one line of text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Endpoints, ProxyError, ProxyHeader, Values};

pub(super) const SIGNATURE: &[u8] = b"PROXY ";

/// The longest line that the specification allows, CRLF included.
const LINE_BYTES_MAX: usize = 107;

pub(super) fn parse(input: &[u8]) -> Result<Option<(ProxyHeader, usize)>, ProxyError> {
    let window = input.get(..LINE_BYTES_MAX).unwrap_or(input);
    // The first line feed decides, so that a header means the same in one piece and in several.
    let Some(end) = window.iter().position(|byte| *byte == b'\n') else {
        if input.len() >= LINE_BYTES_MAX {
            return Err(ProxyError::Malformed("no end of line within 107 bytes"));
        }
        return Ok(None);
    };
    let line = window.split_at(end).0;
    let line = line
        .strip_suffix(b"\r")
        .ok_or(ProxyError::Malformed("line ends without carriage return"))?;
    let text = line.strip_prefix(SIGNATURE).and_then(|rest| str::from_utf8(rest).ok());
    let text = text.ok_or(ProxyError::Malformed("line is not ASCII"))?;
    let endpoints = parse_endpoints(text)?;
    Ok(Some((ProxyHeader { version: 1, endpoints, values: Values::default() }, end + 1)))
}

fn parse_endpoints(text: &str) -> Result<Endpoints, ProxyError> {
    let mut words = text.split(' ');
    let is_v6 = match words.next() {
        Some("TCP4") => false,
        Some("TCP6") => true,
        // What follows UNKNOWN is to be ignored.
        Some("UNKNOWN") => return Ok(Endpoints::Unspecified),
        _ => return Err(ProxyError::Malformed("protocol is not TCP4, TCP6 or UNKNOWN")),
    };
    let bad_address = ProxyError::Malformed("bad address");
    let mut address = || parse_address(words.next()?, is_v6);
    let source = address().ok_or(bad_address)?;
    let destination = address().ok_or(bad_address)?;
    let bad_port = ProxyError::Malformed("bad port");
    let mut port = || parse_port(words.next()?);
    let source_port = port().ok_or(bad_port)?;
    let destination_port = port().ok_or(bad_port)?;
    if words.next().is_some() {
        return Err(ProxyError::Malformed("more than two addresses and two ports"));
    }
    Ok(Endpoints::Inet {
        source: SocketAddr::new(source, source_port),
        destination: SocketAddr::new(destination, destination_port),
    })
}

fn parse_address(word: &str, is_v6: bool) -> Option<IpAddr> {
    if is_v6 {
        word.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    } else {
        word.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
    }
}

/// A decimal number without sign or leading zeros.
fn parse_port(word: &str) -> Option<u16> {
    let is_plain = word.bytes().all(|b| b.is_ascii_digit());
    let has_zeros = word.len() > 1 && word.starts_with('0');
    if is_plain && !has_zeros { word.parse().ok() } else { None }
}
