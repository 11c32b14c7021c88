//! Reads the frames of a segment in order and finds the next one behind a damaged stretch.

use std::io;

use crate::disk::DiskFile;
use crate::format::{
    FRAME_BYTES_MAX, FRAME_CRC_FROM, FRAME_HEADER_BYTES, FRAMES_FROM, FrameHeader, FrameKind,
    Header, frame_crc,
};

/// Read at once; a larger frame is read whole.
const WINDOW_BYTES: u64 = 512 << 10;

/// What stands next in a segment.
pub(crate) enum Item<'a> {
    Frame { offset: u64, kind: FrameKind, lsn: u64, body: &'a [u8] },
    Gap(Gap),
}

/// Bytes that are no frame.
#[derive(Debug, Clone)]
pub(crate) struct Gap {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) detail: &'static str,
    /// Looks like a write that was cut short, at the end of what was scanned.
    pub(crate) is_torn: bool,
}

/// Why there is no frame at some offset.
#[derive(Clone, Copy)]
enum Fault {
    /// The frame would end behind the file's end.
    Short,
    Bad(&'static str),
}

pub(crate) struct Scanner<'f> {
    file: &'f dyn DiskFile,
    header: Header,
    at: u64,
    end: u64,
    window: Vec<u8>,
    window_at: u64,
}

impl<'f> Scanner<'f> {
    /// Scans `file` up to `end`.
    pub(crate) fn new(file: &'f dyn DiskFile, header: Header, end: u64) -> Self {
        Self { file, header, at: FRAMES_FROM, end, window: Vec::new(), window_at: 0 }
    }

    /// The next frame or gap; `None` at the end.
    pub(crate) fn next_item(&mut self) -> io::Result<Option<Item<'_>>> {
        if self.at >= self.end {
            return Ok(None);
        }
        let offset = self.at;
        match self.frame_at(offset)? {
            Ok((kind, header)) => {
                let body_at = offset + FRAME_HEADER_BYTES as u64;
                self.at = body_at + u64::from(header.body_bytes);
                let body = self.bytes(body_at, header.body_bytes as usize)?;
                Ok(Some(Item::Frame { offset, kind, lsn: header.lsn, body }))
            }
            Err(fault) => {
                let next = self.find_frame(offset + 1)?;
                self.at = next.unwrap_or(self.end);
                let detail = match fault {
                    Fault::Short => "the frame does not end in the file",
                    Fault::Bad(detail) => detail,
                };
                let is_short = matches!(fault, Fault::Short);
                let is_torn = next.is_none() && (is_short || self.is_zero(offset)?);
                let bytes = self.at - offset;
                Ok(Some(Item::Gap(Gap { offset, bytes, detail, is_torn })))
            }
        }
    }

    /// Checks for a frame at `offset` and leaves it in the window.
    fn frame_at(&mut self, offset: u64) -> io::Result<Result<(FrameKind, FrameHeader), Fault>> {
        let left = self.end - offset;
        if left < FRAME_HEADER_BYTES as u64 {
            let mark = self.header.mark.to_le_bytes();
            let rest = self.bytes(offset, left as usize)?;
            let is_start = rest.iter().zip(mark).all(|(have, want)| *have == want);
            return Ok(Err(if is_start { Fault::Short } else { Fault::Bad("no frame mark") }));
        }
        let bytes = self.bytes(offset, FRAME_HEADER_BYTES)?;
        let Some(header) = FrameHeader::decode(bytes) else { return Ok(Err(Fault::Short)) };
        if header.mark != self.header.mark {
            return Ok(Err(Fault::Bad("no frame mark")));
        }
        let size = FRAME_HEADER_BYTES as u64 + u64::from(header.body_bytes);
        if size > FRAME_BYTES_MAX {
            return Ok(Err(Fault::Bad("impossible frame length")));
        }
        if size > left {
            return Ok(Err(Fault::Short));
        }
        let seed = self.header.seed;
        let frame = self.bytes(offset, size as usize)?;
        if frame_crc(seed, frame.get(FRAME_CRC_FROM..).unwrap_or_default()) != header.crc {
            return Ok(Err(Fault::Bad("checksum mismatch")));
        }
        Ok(header.kind.map(|kind| (kind, header)).ok_or(Fault::Bad("unknown frame kind")))
    }

    fn find_frame(&mut self, from: u64) -> io::Result<Option<u64>> {
        let mark = self.header.mark.to_le_bytes();
        let mut at = from;
        while at + FRAME_HEADER_BYTES as u64 <= self.end {
            let size = WINDOW_BYTES.min(self.end - at) as usize;
            let window = self.bytes(at, size)?;
            let Some(found) = window.windows(mark.len()).position(|bytes| bytes == mark) else {
                at += (size - (mark.len() - 1)) as u64;
                continue;
            };
            let candidate = at + found as u64;
            if self.frame_at(candidate)?.is_ok() {
                return Ok(Some(candidate));
            }
            at = candidate + 1;
        }
        Ok(None)
    }

    fn is_zero(&mut self, from: u64) -> io::Result<bool> {
        let mut at = from;
        while at < self.end {
            let size = WINDOW_BYTES.min(self.end - at);
            if self.bytes(at, size as usize)?.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            at += size;
        }
        Ok(true)
    }

    /// `size` bytes at `offset`, both inside the scanned part.
    fn bytes(&mut self, offset: u64, size: usize) -> io::Result<&[u8]> {
        let window_end = self.window_at + self.window.len() as u64;
        if offset < self.window_at || offset + size as u64 > window_end {
            let wanted = (size as u64).max(WINDOW_BYTES).min(self.end - offset);
            self.window.resize(wanted as usize, 0);
            self.window_at = offset;
            let result = self.file.read_at(&mut self.window, offset);
            if let Err(error) = result {
                self.window.clear();
                return Err(error);
            }
        }
        let start = (offset - self.window_at) as usize;
        self.window
            .get(start..start + size)
            .ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
    }
}
