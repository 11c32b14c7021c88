//! Version 2: a binary header of 16 bytes, addresses, and values.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::tlv::read_values;
use super::{Endpoints, HEADER_BYTES_MAX, ProxyError, ProxyHeader, Values};

pub(super) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Signature, version and command, family and transport, length.
const HEAD_BYTES: usize = 16;
/// The room of one path of a UNIX socket.
const UNIX_PATH_BYTES: usize = 108;

pub(super) fn parse(input: &[u8]) -> Result<Option<(ProxyHeader, usize)>, ProxyError> {
    // What one byte tells is refused before the rest is there.
    let is_local = match input.get(12) {
        Some(0x20) => true,
        None | Some(0x21) => false,
        Some(_) => return Err(ProxyError::Malformed("unknown version or command")),
    };
    let family = input.get(13).copied();
    if family.is_some_and(|family| !matches!(family, 0 | 0x11 | 0x12 | 0x21 | 0x22 | 0x31 | 0x32)) {
        return Err(ProxyError::Malformed("unknown address family or transport"));
    }
    let (Some(family), Some([high, low, ..])) = (family, input.get(14..)) else { return Ok(None) };
    let total = HEAD_BYTES + usize::from(u16::from_be_bytes([*high, *low]));
    if total > HEADER_BYTES_MAX {
        return Err(ProxyError::TooLong(total));
    }
    let Some(header) = input.get(..total) else { return Ok(None) };
    let payload = header.get(HEAD_BYTES..).unwrap_or_default();
    if is_local {
        // Whatever stands there is to be skipped.
        let header =
            ProxyHeader { version: 2, endpoints: Endpoints::Local, values: Values::default() };
        return Ok(Some((header, total)));
    }
    let (endpoints, rest) = split_endpoints(family, payload)
        .ok_or(ProxyError::Malformed("too short for its addresses"))?;
    let values = read_values(header, total - rest.len())?;
    Ok(Some((ProxyHeader { version: 2, endpoints, values }, total)))
}

fn split_endpoints(family: u8, payload: &[u8]) -> Option<(Endpoints, &[u8])> {
    match family >> 4 {
        1 => {
            let (source, rest) = payload.split_first_chunk::<4>()?;
            let (destination, rest) = rest.split_first_chunk::<4>()?;
            let (source, destination) = (Ipv4Addr::from(*source), Ipv4Addr::from(*destination));
            inet(source.into(), destination.into(), rest)
        }
        2 => {
            let (source, rest) = payload.split_first_chunk::<16>()?;
            let (destination, rest) = rest.split_first_chunk::<16>()?;
            let (source, destination) = (Ipv6Addr::from(*source), Ipv6Addr::from(*destination));
            inet(source.into(), destination.into(), rest)
        }
        3 => {
            let (source, rest) = payload.split_at_checked(UNIX_PATH_BYTES)?;
            let (destination, rest) = rest.split_at_checked(UNIX_PATH_BYTES)?;
            let endpoints =
                Endpoints::Unix { source: path_of(source), destination: path_of(destination) };
            Some((endpoints, rest))
        }
        _ => Some((Endpoints::Unspecified, payload)),
    }
}

fn inet(
    source: std::net::IpAddr,
    destination: std::net::IpAddr,
    rest: &[u8],
) -> Option<(Endpoints, &[u8])> {
    let (source_port, rest) = rest.split_first_chunk::<2>()?;
    let (destination_port, rest) = rest.split_first_chunk::<2>()?;
    let endpoints = Endpoints::Inet {
        source: SocketAddr::new(source, u16::from_be_bytes(*source_port)),
        destination: SocketAddr::new(destination, u16::from_be_bytes(*destination_port)),
    };
    Some((endpoints, rest))
}

fn path_of(padded: &[u8]) -> Box<[u8]> {
    padded.split(|byte| *byte == 0).next().unwrap_or_default().into()
}
