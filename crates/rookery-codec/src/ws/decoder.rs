//! Frames in, MQTT bytes out.

use std::ops::Range;

use super::deflate::Inflater;
use super::frame::{
    CloseCode, FrameError, HEADER_BYTES_MAX, Header, Opcode, encode_close, parse_header,
    put_control, unmask,
};

/// After so many MQTT bytes [`Decoder::decode_into`] lets its caller handle them first.
pub const INFLATED_STEP: usize = 64 * 1024;

/// The receiving half of one WebSocket. Bytes may come in pieces of any size.
#[derive(Debug)]
pub struct Decoder {
    frame_bytes_max: u64,
    phase: Phase,
    /// A binary message has begun and its last frame has not.
    is_in_message: bool,
    mask: [u8; 4],
    /// The beginning of a header that came in two pieces.
    header: [u8; HEADER_BYTES_MAX],
    header_len: u8,
    /// The payload of an unfinished control frame, at most 125 bytes.
    control: Vec<u8>,
    /// Compressed messages, when that was agreed on.
    inflater: Option<Box<Inflater>>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Header,
    Data { left: u64 },
    Control { opcode: Opcode, left: usize },
    Closed,
}

/// What [`Decoder::decode`] made of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoded {
    /// So many MQTT bytes are at the front of the input.
    pub data_len: usize,
    /// The connection ends when they are handled and the replies are sent. Said once.
    pub end: Option<End>,
}

/// Why a WebSocket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The client closed, with its code if it gave one.
    Closed(Option<CloseCode>),
    /// The client broke a rule.
    Broken(FrameError),
}

/// What [`Decoder::decode_into`] made of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// So many bytes of the input are done with; call again with the rest.
    pub consumed: usize,
    /// The connection ends when the data is handled and the replies are sent. Said once.
    pub end: Option<End>,
}

/// How far one call of [`Decoder::next`] came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// So many bytes of the input are done with, one at least unless the input was empty.
    pub consumed: usize,
    /// What they meant; `None` is a header, or a part of something.
    pub event: Option<Event>,
}

/// What arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// MQTT bytes at this range of the input, unmasked there.
    Data(Range<usize>),
    /// A compressed message is whole; it has to be taken before the next step.
    Compressed,
    /// A pong was appended to the replies.
    Ping,
    /// The client closed, with its code if it gave one; the closing frame was appended to the
    /// replies. Everything after it is ignored.
    Close(Option<CloseCode>),
}

impl Decoder {
    /// The decoder after a handshake. A frame may have `frame_bytes_max` bytes of payload.
    #[must_use]
    pub const fn new(frame_bytes_max: u64) -> Self {
        Self {
            frame_bytes_max,
            phase: Phase::Header,
            is_in_message: false,
            mask: [0; 4],
            header: [0; HEADER_BYTES_MAX],
            header_len: 0,
            control: Vec::new(),
            inflater: None,
        }
    }

    /// The decoder after a handshake that agreed on compression: [`Decoder::decode_into`] is to be
    /// used. A compressed message may hold `message_bytes_max` bytes.
    #[must_use]
    pub fn with_deflate(frame_bytes_max: u64, message_bytes_max: usize) -> Self {
        let inflater = Some(Box::new(Inflater::new(message_bytes_max)));
        Self { inflater, ..Self::new(frame_bytes_max) }
    }

    /// Whether compression was agreed on.
    #[must_use]
    pub const fn is_deflating(&self) -> bool {
        self.inflater.is_some()
    }

    /// Bytes kept of a message that is not whole.
    #[must_use]
    pub fn held(&self) -> usize {
        self.inflater.as_ref().map_or(0, |inflater| inflater.held())
    }

    /// As [`Decoder::decode`], but appends the MQTT bytes to `out`, which compressed data needs.
    /// Stops early once `out` has gained [`INFLATED_STEP`] bytes: how much a few bytes become must
    /// not decide how much is in memory at once.
    pub fn decode_into(
        &mut self,
        input: &mut [u8],
        out: &mut Vec<u8>,
        replies: &mut Vec<u8>,
    ) -> Taken {
        let before = out.len();
        let mut taken = Taken { consumed: 0, end: None };
        while let Some(rest) = input.get_mut(taken.consumed..)
            && !rest.is_empty()
            && out.len() - before < INFLATED_STEP
        {
            let step = self.next(rest, replies).and_then(|progress| {
                match &progress.event {
                    Some(Event::Data(range)) => {
                        out.extend_from_slice(rest.get(range.clone()).unwrap_or_default());
                    }
                    Some(Event::Compressed) => self.inflate(out)?,
                    Some(Event::Close(code)) => taken.end = Some(End::Closed(*code)),
                    Some(Event::Ping) | None => {}
                }
                Ok(progress.consumed)
            });
            match step {
                Ok(consumed) => taken.consumed += consumed,
                Err(error) => {
                    self.phase = Phase::Closed;
                    encode_close(error.close_code(), replies);
                    return Taken { consumed: input.len(), end: Some(End::Broken(error)) };
                }
            }
        }
        taken
    }

    fn inflate(&mut self, out: &mut Vec<u8>) -> Result<(), FrameError> {
        self.inflater.as_mut().map_or(Ok(()), |inflater| inflater.finish(out))
    }

    /// Moves all MQTT bytes in `input` to its front, without the framing, and takes in what was
    /// not data: what answers it is appended to `replies`, the closing frame included when the
    /// connection ends. MQTT bytes before the end are to be handled still.
    pub fn decode(&mut self, input: &mut [u8], replies: &mut Vec<u8>) -> Decoded {
        let mut decoded = Decoded { data_len: 0, end: None };
        let mut at = 0;
        while let Some(rest) = input.get_mut(at..)
            && !rest.is_empty()
        {
            let progress = match self.next(rest, replies) {
                Ok(progress) => progress,
                Err(error) => {
                    encode_close(error.close_code(), replies);
                    decoded.end = Some(End::Broken(error));
                    return decoded;
                }
            };
            match progress.event {
                Some(Event::Data(range)) => {
                    input.copy_within(at + range.start..at + range.end, decoded.data_len);
                    decoded.data_len += range.len();
                }
                Some(Event::Close(code)) => decoded.end = Some(End::Closed(code)),
                Some(Event::Compressed | Event::Ping) | None => {}
            }
            at += progress.consumed;
        }
        decoded
    }

    /// Takes the next step over `input`: call it with what is left until nothing is.
    ///
    /// # Errors
    ///
    /// The first rule that a frame breaks. All further input is ignored.
    pub fn next(
        &mut self,
        input: &mut [u8],
        replies: &mut Vec<u8>,
    ) -> Result<Progress, FrameError> {
        let progress = match self.phase {
            Phase::Header => self.take_header(input, replies),
            Phase::Data { left } => Ok(self.take_data(input, left, 0)),
            Phase::Control { opcode, left } => self.take_control(input, opcode, left, 0, replies),
            Phase::Closed => Ok(Progress { consumed: input.len(), event: None }),
        };
        if progress.is_err() {
            self.phase = Phase::Closed;
        }
        progress
    }

    fn take_header(
        &mut self,
        input: &mut [u8],
        replies: &mut Vec<u8>,
    ) -> Result<Progress, FrameError> {
        let found =
            if self.header_len == 0 { parse_header(input, self.is_deflating())? } else { None };
        let (header, consumed) = match found {
            Some(found) => found,
            None => match self.collect_header(input)? {
                (Some(header), consumed) => (header, consumed),
                (None, consumed) => {
                    return Ok(Progress { consumed, event: None });
                }
            },
        };
        self.header_len = 0;
        self.begin_frame(&header)?;
        match self.phase {
            Phase::Data { left } => Ok(self.take_data(input, left, consumed)),
            Phase::Control { opcode, left } => {
                self.take_control(input, opcode, left, consumed, replies)
            }
            _ => Ok(Progress { consumed, event: self.end_of_compressed() }),
        }
    }

    /// Says that a compressed message is whole, at the end of its last frame.
    fn end_of_compressed(&self) -> Option<Event> {
        let is_compressed = self.inflater.as_ref().is_some_and(|inflater| inflater.is_open());
        (is_compressed && !self.is_in_message).then_some(Event::Compressed)
    }

    /// Adds bytes to the header kept until it is whole or the input ends.
    fn collect_header(&mut self, input: &[u8]) -> Result<(Option<Header>, usize), FrameError> {
        for (index, byte) in input.iter().enumerate() {
            let len = usize::from(self.header_len);
            if let Some(slot) = self.header.get_mut(len) {
                *slot = *byte;
                self.header_len += 1;
            }
            let kept = self.header.split_at(usize::from(self.header_len)).0;
            if let Some((header, _)) = parse_header(kept, self.inflater.is_some())? {
                return Ok((Some(header), index + 1));
            }
        }
        Ok((None, input.len()))
    }

    fn begin_frame(&mut self, header: &Header) -> Result<(), FrameError> {
        self.mask = header.mask;
        if header.opcode.is_control() {
            // Control frames may come between the frames of a message.
            let left = header.payload_len as usize;
            self.phase = Phase::Control { opcode: header.opcode, left };
            return Ok(());
        }
        if self.is_in_message != (header.opcode == Opcode::Continuation) {
            return Err(FrameError::Fragment);
        }
        if header.payload_len > self.frame_bytes_max {
            return Err(FrameError::TooBig(header.payload_len));
        }
        self.is_in_message = !header.is_final;
        if let Some(inflater) = self.inflater.as_mut() {
            if header.opcode == Opcode::Binary {
                inflater.begin(header.is_compressed);
            }
            inflater.expect(header.payload_len)?;
        }
        if header.payload_len != 0 {
            self.phase = Phase::Data { left: header.payload_len };
        }
        Ok(())
    }

    fn take_data(&mut self, input: &mut [u8], left: u64, start: usize) -> Progress {
        let here = input.get_mut(start..).unwrap_or_default();
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(here.len());
        self.mask = unmask(here.split_at_mut(len).0, self.mask);
        let left = left - len as u64;
        self.phase = if left == 0 { Phase::Header } else { Phase::Data { left } };
        let end = start + len;
        if let Some(inflater) = self.inflater.as_mut().filter(|inflater| inflater.is_open()) {
            inflater.push(input.get(start..end).unwrap_or_default());
            let event = if left == 0 { self.end_of_compressed() } else { None };
            return Progress { consumed: end, event };
        }
        Progress { consumed: end, event: (len != 0).then_some(Event::Data(start..end)) }
    }

    fn take_control(
        &mut self,
        input: &mut [u8],
        opcode: Opcode,
        left: usize,
        start: usize,
        replies: &mut Vec<u8>,
    ) -> Result<Progress, FrameError> {
        let here = input.get_mut(start..).unwrap_or_default();
        let len = left.min(here.len());
        let here = here.split_at_mut(len).0;
        self.mask = unmask(here, self.mask);
        self.control.extend_from_slice(here);
        let consumed = start + len;
        if len < left {
            self.phase = Phase::Control { opcode, left: left - len };
            return Ok(Progress { consumed, event: None });
        }
        self.phase = Phase::Header;
        // The buffer is given back: an idle connection owns none.
        let payload = std::mem::take(&mut self.control);
        let event = match opcode {
            Opcode::Ping => {
                put_control(Opcode::Pong, &payload, replies);
                Some(Event::Ping)
            }
            Opcode::Close => {
                let code = parse_close(&payload)?;
                self.phase = Phase::Closed;
                encode_close(code.unwrap_or(CloseCode::NORMAL), replies);
                Some(Event::Close(code))
            }
            // RFC 6455 section 5.5.3: a pong that nobody asked for is not answered.
            _ => None,
        };
        Ok(Progress { consumed, event })
    }
}

/// RFC 6455 section 5.5.1.
fn parse_close(payload: &[u8]) -> Result<Option<CloseCode>, FrameError> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() { Ok(None) } else { Err(FrameError::CloseStatus) };
    };
    let code = CloseCode(u16::from_be_bytes(*code));
    if !code.is_sendable() {
        return Err(FrameError::CloseStatus);
    }
    if str::from_utf8(reason).is_err() {
        return Err(FrameError::CloseReason);
    }
    Ok(Some(code))
}
