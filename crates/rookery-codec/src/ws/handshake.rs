//! The opening handshake, RFC 6455 section 4.2.

use base64::{Engine, prelude::BASE64_STANDARD};
use sha1::{Digest, Sha1};

use super::deflate::DeflateParams;

/// A request head that is longer is refused: it is read before anybody is known.
pub const HEAD_BYTES_MAX: usize = 8_192;

/// A request with more header fields is refused.
pub const HEADERS_MAX: usize = 64;

/// The sub-protocols that stand for MQTT by default: what is registered, and what is in use.
pub const SUBPROTOCOLS: [&str; 4] = ["mqtt", "mqtt-v3", "mqtt-v3.1.1", "mqtt-v5"];

/// RFC 6455 section 1.3.
const ACCEPT_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What a listener asks of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandshakeRules<'r> {
    /// The path of the resource, without a query.
    pub path: &'r str,
    /// The first one that the client offers and that is listed here is taken.
    pub subprotocols: &'r [&'r str],
    /// Refuse a client that offers none (MQTT-5.0 [MQTT-6.0.0-3] makes it offer `mqtt`).
    pub fail_if_no_subprotocol: bool,
    /// Agree to permessage-deflate when the client offers it.
    pub deflate: bool,
}

impl Default for HandshakeRules<'_> {
    fn default() -> Self {
        Self {
            path: "/mqtt",
            subprotocols: &SUBPROTOCOLS,
            fail_if_no_subprotocol: true,
            deflate: false,
        }
    }
}

/// A handshake that succeeds once `response` is sent, unless the caller refuses it for its
/// `Origin` or its address. Frames begin at `head_len` in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted<'a> {
    /// Bytes of the request head.
    pub head_len: usize,
    /// The 101 response.
    pub response: Vec<u8>,
    /// What `response` agrees to.
    pub subprotocol: Option<String>,
    /// The compression that `response` agrees to.
    pub deflate: Option<DeflateParams>,
    head: &'a [u8],
}

/// A handshake that failed. The connection is closed once `response` is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// For the log; it is in the body too.
    pub reason: &'static str,
    /// The whole response.
    pub response: Vec<u8>,
}

impl Refused {
    /// A refusal, also for what the caller refuses by itself (403 for a foreign `Origin`).
    #[must_use]
    pub fn new(status: u16, reason: &'static str) -> Self {
        let (title, extra) = match status {
            403 => ("Forbidden", ""),
            404 => ("Not Found", ""),
            405 => ("Method Not Allowed", "Allow: GET\r\n"),
            // RFC 6455 section 4.4 and RFC 9110 section 15.5.22.
            426 => ("Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
            431 => ("Request Header Fields Too Large", ""),
            503 => ("Service Unavailable", ""),
            _ => ("Bad Request", ""),
        };
        let connection = if status == 426 { "close, Upgrade" } else { "close" };
        let response = format!(
            "HTTP/1.1 {status} {title}\r\n{extra}Connection: {connection}\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n{reason}\n",
            reason.len() + 1,
        );
        Self { status, reason, response: response.into_bytes() }
    }
}

impl<'a> Accepted<'a> {
    /// The value of the first header field of this name, if it is ASCII or UTF-8.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut fields = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut fields);
        request.parse(self.head).ok()?;
        first(request.headers, name)
    }

    /// The values of all header fields of this name, in order; one that is no text is empty.
    #[must_use]
    pub fn headers(&self, name: &str) -> std::vec::IntoIter<&'a str> {
        let mut fields = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut fields);
        if request.parse(self.head).is_err() {
            return Vec::new().into_iter();
        }
        let fields = request.headers.iter().filter(|h| h.name.eq_ignore_ascii_case(name));
        let values = fields.map(|h| str::from_utf8(h.value).unwrap_or_default());
        values.collect::<Vec<_>>().into_iter()
    }

    /// Where the page comes from that opened the connection; only browsers send it.
    #[must_use]
    pub fn origin(&self) -> Option<&'a str> {
        self.header("origin")
    }

    /// The addresses that proxies name. To be believed only behind a proxy that sets it.
    #[must_use]
    pub fn forwarded_for(&self) -> Option<&'a str> {
        self.header("x-forwarded-for")
    }

    /// The port that a proxy names. To be believed only behind a proxy that sets it.
    #[must_use]
    pub fn forwarded_port(&self) -> Option<&'a str> {
        self.header("x-forwarded-port")
    }
}

/// Reads the request head at the start of `input`; `Ok(None)` means that more bytes are needed.
///
/// # Errors
///
/// The response that says why there is no WebSocket.
pub fn parse_handshake<'a>(
    input: &'a [u8],
    rules: &HandshakeRules<'_>,
) -> Result<Option<Accepted<'a>>, Refused> {
    let window = input.get(..HEAD_BYTES_MAX).unwrap_or(input);
    let mut fields = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    let head_len = match request.parse(window) {
        Ok(httparse::Status::Complete(head_len)) => head_len,
        Ok(httparse::Status::Partial) if input.len() < HEAD_BYTES_MAX => return Ok(None),
        Ok(httparse::Status::Partial) => return Err(Refused::new(431, "request head too long")),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Refused::new(431, "too many header fields"));
        }
        Err(_) => return Err(Refused::new(400, "not an HTTP request")),
    };
    check_request(&request, rules)?;
    let headers: &[httparse::Header<'a>] = request.headers;
    let key = check_upgrade(headers)?;
    let subprotocol = choose_subprotocol(headers, rules)?;
    let deflate = if rules.deflate { choose_deflate(headers) } else { None };
    Ok(Some(Accepted {
        head_len,
        response: response(key, subprotocol, deflate.as_ref()),
        subprotocol: subprotocol.map(str::to_owned),
        deflate,
        head: input.split_at(head_len).0,
    }))
}

fn check_request(
    request: &httparse::Request<'_, '_>,
    rules: &HandshakeRules<'_>,
) -> Result<(), Refused> {
    if request.method != Some("GET") {
        return Err(Refused::new(405, "a WebSocket begins with GET"));
    }
    if request.version != Some(1) {
        return Err(Refused::new(400, "a WebSocket needs HTTP/1.1"));
    }
    let target = request.path.unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    if path != rules.path && path.strip_suffix('/') != Some(rules.path) {
        return Err(Refused::new(404, "no WebSocket at this path"));
    }
    Ok(())
}

/// The rules of RFC 6455 section 4.2.1; the key is what the response must prove to have read.
fn check_upgrade<'a>(headers: &[httparse::Header<'a>]) -> Result<&'a str, Refused> {
    if !has_token(headers, "upgrade", "websocket") || !has_token(headers, "connection", "upgrade") {
        return Err(Refused::new(426, "this is a WebSocket endpoint"));
    }
    if first(headers, "host").is_none() {
        return Err(Refused::new(400, "no Host"));
    }
    if first(headers, "sec-websocket-version") != Some("13") {
        return Err(Refused::new(426, "WebSocket version 13 is needed"));
    }
    let key = first(headers, "sec-websocket-key").unwrap_or_default();
    match BASE64_STANDARD.decode(key) {
        Ok(nonce) if nonce.len() == 16 => Ok(key),
        _ => Err(Refused::new(400, "bad Sec-WebSocket-Key")),
    }
}

fn choose_subprotocol<'r>(
    headers: &[httparse::Header<'_>],
    rules: &HandshakeRules<'r>,
) -> Result<Option<&'r str>, Refused> {
    let mut is_offered = false;
    for offer in tokens(headers, "sec-websocket-protocol") {
        is_offered = true;
        if let Some(known) = rules.subprotocols.iter().find(|known| **known == offer) {
            return Ok(Some(known));
        }
    }
    if is_offered || rules.fail_if_no_subprotocol {
        return Err(Refused::new(400, "no supported sub-protocol"));
    }
    Ok(None)
}

/// The first offer that can be kept; an extension that is not agreed on is simply not used.
fn choose_deflate(headers: &[httparse::Header<'_>]) -> Option<DeflateParams> {
    tokens(headers, "sec-websocket-extensions").find_map(DeflateParams::parse)
}

fn first<'a>(headers: &[httparse::Header<'a>], name: &str) -> Option<&'a str> {
    let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
    str::from_utf8(header.value).ok().map(str::trim)
}

/// The comma-separated values of every header field of this name.
fn tokens<'a>(headers: &[httparse::Header<'a>], name: &str) -> impl Iterator<Item = &'a str> {
    headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name))
        .filter_map(|header| str::from_utf8(header.value).ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

fn has_token(headers: &[httparse::Header<'_>], name: &str, token: &str) -> bool {
    tokens(headers, name).any(|value| value.eq_ignore_ascii_case(token))
}

fn response(key: &str, subprotocol: Option<&str>, deflate: Option<&DeflateParams>) -> Vec<u8> {
    let digest = Sha1::new().chain_update(key).chain_update(ACCEPT_SUFFIX).finalize();
    let accept = BASE64_STANDARD.encode(digest);
    let protocol = match subprotocol {
        Some(name) => format!("Sec-WebSocket-Protocol: {name}\r\n"),
        None => String::new(),
    };
    let extensions = match deflate {
        Some(params) => format!("Sec-WebSocket-Extensions: {}\r\n", params.response()),
        None => String::new(),
    };
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{protocol}{extensions}\r\n"
    )
    .into_bytes()
}
