//! The client's side of WebSocket (RFC 6455), as far as MQTT needs it.
//!
//! Owns: the opening handshake and the framing. Every control packet goes out in a binary frame of
//! its own, as client libraries send it. Reading takes any split (MQTT-5.0 [MQTT-6.0.0-2]).

use crate::packet::next_frame;

/// The key of RFC 6455, 1.3: the same for every connection, so that the answer is known.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const ANSWER_BYTES_MAX: usize = 8 * 1024;
const CONTROL_BYTES_MAX: usize = 125;
const HEAD_BYTES_MAX: usize = 10;

const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
/// Any key but zero: a server might leave out the work for that one.
const MASK: [u8; 4] = [0x5A, 0xC3, 0x17, 0xE9];

/// Reading state of one connection.
#[derive(Debug, Default)]
pub(crate) struct WebSocket {
    is_open: bool,
    /// The server's answer, then the head or the control frame that is not complete.
    held: Vec<u8>,
    /// Payload of the present data frame that has not come yet.
    left: u64,
}

/// What ends a connection, in words.
pub(crate) type Failure = String;

impl WebSocket {
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// The request that opens the connection.
    pub(crate) fn put_request(out: &mut Vec<u8>, host: &str, path: &str) {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Protocol: mqtt\r\n\r\n"
        );
        out.extend_from_slice(request.as_bytes());
    }

    /// Appends whole control packets, each in a masked frame.
    pub(crate) fn put_packets(packets: &[u8], out: &mut Vec<u8>) {
        let mut rest = packets;
        while !rest.is_empty() {
            let total = match next_frame(rest) {
                Ok(Some(frame)) => frame.total,
                _ => rest.len(),
            };
            let (packet, after) = rest.split_at(total.min(rest.len()));
            put_frame(BINARY, packet, out);
            rest = after;
        }
    }

    /// Turns the first `length` bytes of `buffer` into the MQTT bytes they carry, in place;
    /// returns how many those are. Replies to the server are appended to `replies`.
    pub(crate) fn take(
        &mut self,
        buffer: &mut [u8],
        length: usize,
        replies: &mut Vec<u8>,
    ) -> Result<usize, Failure> {
        let (mut from, mut to) = (0, 0);
        if !self.is_open {
            from = self.take_answer(buffer.get(..length).unwrap_or_default())?;
        }
        while from < length {
            if self.left > 0 {
                let step = usize::try_from(self.left).unwrap_or(usize::MAX).min(length - from);
                buffer.copy_within(from..from + step, to);
                (from, to) = (from + step, to + step);
                self.left -= step as u64;
                continue;
            }
            if let Some(byte) = buffer.get(from) {
                self.held.push(*byte);
                from += 1;
            }
            self.on_head(replies)?;
        }
        Ok(to)
    }

    /// Reads the answer to the request; returns how many of `bytes` belong to it.
    fn take_answer(&mut self, bytes: &[u8]) -> Result<usize, Failure> {
        let before = self.held.len();
        self.held.extend_from_slice(bytes);
        let Some(end) = self.held.windows(4).position(|window| window == b"\r\n\r\n") else {
            if self.held.len() > ANSWER_BYTES_MAX {
                return Err("the answer to the WebSocket request does not end".to_owned());
            }
            return Ok(bytes.len());
        };
        let text = String::from_utf8_lossy(self.held.get(..end).unwrap_or_default()).into_owned();
        let first = text.lines().next().unwrap_or_default();
        if first.split_ascii_whitespace().nth(1) != Some("101") {
            return Err(format!("WebSocket refused: {first}"));
        }
        let header = |name: &str| {
            text.lines().skip(1).filter_map(|line| line.split_once(':')).find_map(|(key, value)| {
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        if header("sec-websocket-accept").as_deref() != Some(ACCEPT) {
            return Err("WebSocket answer with a wrong Sec-WebSocket-Accept".to_owned());
        }
        if header("sec-websocket-protocol").as_deref() != Some("mqtt") {
            return Err("WebSocket answer without the sub-protocol mqtt".to_owned());
        }
        self.held = Vec::new();
        self.is_open = true;
        Ok(end + 4 - before)
    }

    /// Looks at the head (and at the payload of a control frame) gathered in `held`.
    fn on_head(&mut self, replies: &mut Vec<u8>) -> Result<(), Failure> {
        let [first, second, rest @ ..] = self.held.as_slice() else {
            return Ok(());
        };
        let (short, opcode) = (usize::from(second & 0x7F), first & 0x0F);
        if second & 0x80 != 0 {
            return Err("a masked frame from the server".to_owned());
        }
        if opcode >= CLOSE {
            if short > CONTROL_BYTES_MAX {
                return Err("a control frame that is too long".to_owned());
            }
            if rest.len() < short {
                return Ok(());
            }
            match opcode {
                PING => put_frame(0x80 | PONG, rest, replies),
                CLOSE => return Err("the server closed the WebSocket".to_owned()),
                _ => {}
            }
        } else {
            let length = match (short, rest) {
                (126, [a, b, ..]) => u64::from(u16::from_be_bytes([*a, *b])),
                (127, [a, b, c, d, e, f, g, h, ..]) => {
                    u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h])
                }
                (126 | 127, _) => return Ok(()),
                _ => short as u64,
            };
            self.left = length;
        }
        self.held.clear();
        Ok(())
    }
}

fn put_frame(first: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.reserve(payload.len() + HEAD_BYTES_MAX + MASK.len());
    out.push(first);
    match payload.len() {
        length @ 0..=125 => out.push(0x80 | length as u8),
        length @ 126..=0xFFFF => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    let mask = u64::from_ne_bytes([
        MASK[0], MASK[1], MASK[2], MASK[3], MASK[0], MASK[1], MASK[2], MASK[3],
    ]);
    let (words, tail) = payload.as_chunks::<8>();
    for word in words {
        out.extend_from_slice(&(u64::from_ne_bytes(*word) ^ mask).to_ne_bytes());
    }
    out.extend(tail.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
        Sec-WebSocket-Protocol: mqtt\r\n\r\n";

    /// Feeds `wire` in pieces of `size` bytes; the MQTT bytes and the replies.
    fn fed(wire: &[u8], size: usize) -> Result<(Vec<u8>, Vec<u8>), Failure> {
        let (mut socket, mut got, mut replies) = (WebSocket::default(), Vec::new(), Vec::new());
        for piece in wire.chunks(size) {
            let mut buffer = piece.to_vec();
            let length = socket.take(&mut buffer, piece.len(), &mut replies)?;
            got.extend_from_slice(&buffer[..length]);
        }
        Ok((got, replies))
    }

    #[test]
    fn every_split_gives_the_same_bytes() {
        let long = vec![7; 300];
        let mut wire = ANSWER.as_bytes().to_vec();
        wire.extend([0x82, 3, 1, 2, 3, 0x89, 2, b'h', b'i', 0x02, 1, 4, 0x80, 126, 1, 44]);
        wire.extend(&long);
        let expected: Vec<u8> = [1, 2, 3, 4].into_iter().chain(long).collect();
        for size in 1..wire.len() {
            let (got, replies) = fed(&wire, size).unwrap();
            assert_eq!(got, expected, "pieces of {size}");
            let pong = [0x8A, 0x82, 0x5A, 0xC3, 0x17, 0xE9, b'h' ^ 0x5A, b'i' ^ 0xC3];
            assert_eq!(replies, pong);
        }
    }

    #[test]
    fn refusals_say_what_the_server_said() {
        let refused = fed(b"HTTP/1.1 404 Not Found\r\n\r\n", 9).unwrap_err();
        assert!(refused.contains("404 Not Found"), "{refused}");
        let wrong = ANSWER.replace("s3pP", "xxxx");
        assert!(fed(wrong.as_bytes(), 50).unwrap_err().contains("Accept"));
        let other = ANSWER.replace("mqtt", "chat");
        assert!(fed(other.as_bytes(), 50).unwrap_err().contains("mqtt"));
        let closed = [ANSWER.as_bytes(), &[0x88, 2, 3, 232]].concat();
        assert!(fed(&closed, 7).is_err());
        let masked = [ANSWER.as_bytes(), &[0x82, 0x81, 0, 0, 0, 0, 1]].concat();
        assert!(fed(&masked, 7).is_err());
    }

    #[test]
    fn each_packet_is_a_masked_frame() {
        let mut out = Vec::new();
        WebSocket::put_packets(&[0xC0, 0, 0x40, 2, 0, 1], &mut out);
        let expected = [
            [0x82, 0x82, 0x5A, 0xC3, 0x17, 0xE9, 0xC0 ^ 0x5A, 0xC3].as_slice(),
            &[0x82, 0x84, 0x5A, 0xC3, 0x17, 0xE9, 0x40 ^ 0x5A, 2 ^ 0xC3, 0x17, 1 ^ 0xE9],
        ]
        .concat();
        assert_eq!(out, expected);
        for length in [126usize, 65_535, 65_536] {
            out.clear();
            put_frame(BINARY, &vec![9; length], &mut out);
            let head = if length < 65_536 { 8 } else { 14 };
            assert_eq!(out.len(), length + head);
            assert!(out[head..].iter().zip(MASK.iter().cycle()).all(|(byte, key)| byte ^ key == 9));
        }
    }
}
