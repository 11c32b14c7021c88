//! Bytes on disk: the segment header, the frame around a batch, the records inside it.
//!
//! All integers are little-endian. Each segment draws its own frame mark and checksum seed,
//! so bytes that a client publishes cannot pass for a frame when recovery has to search for
//! the next one behind a damaged stretch.

use std::hash::{BuildHasher, RandomState};

/// Where the first frame of a segment may begin: two copies of the header stand before it.
pub(crate) const FRAMES_FROM: u64 = 4096;
/// What a new segment begins with: the third copy of its header is a frame of its own behind the
/// others, in a block that does not fail with theirs.
pub(crate) const HEADER_BYTES: u64 = FRAMES_FROM + (FRAME_HEADER_BYTES + HEADER_COPY_BYTES) as u64;
/// Where the second copy of the header is.
const HEADER_COPY_AT: usize = 2048;
/// Where the third copy is, inside its frame.
const HEADER_THIRD_AT: usize = FRAMES_FROM as usize + FRAME_HEADER_BYTES;
const HEADER_COPY_BYTES: usize = 76;
const HEADER_MAGIC: [u8; 8] = *b"RKSTORE\0";
/// The version this program writes and the newest it reads.
pub(crate) const VERSION: u8 = 1;

/// A frame before its body: mark, checksum, length, kind, log sequence number.
pub(crate) const FRAME_HEADER_BYTES: usize = 24;
/// The largest frame. Offsets inside a segment are 32 bits wide.
pub(crate) const FRAME_BYTES_MAX: u64 = 1 << 30;

/// A little-endian reader over bytes that may end early.
#[derive(Clone, Copy)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

/// What a segment says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Begins every frame of this segment.
    pub(crate) mark: u32,
    /// Begins every checksum of this segment.
    pub(crate) seed: u32,
    /// Place in the order of segments, and the file's name.
    pub(crate) ordinal: u64,
    /// A compacted segment replaces the segments `ordinal..=ordinal_last`.
    pub(crate) ordinal_last: u64,
    /// The highest epoch when the segment was made.
    pub(crate) epoch: u64,
    /// Every message in this segment's predecessors has a lower sequence number.
    pub(crate) next_seq: u64,
    /// Every frame in this segment's predecessors has at most this log sequence number.
    pub(crate) lsn: u64,
    /// Compaction has worked everything up to this log sequence number into the records
    /// kept here; 0 when the segment is as it was written.
    pub(crate) rewritten_at: u64,
    /// There is a third copy; segments of earlier versions have two.
    pub(crate) has_third: bool,
}

/// Why a header cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    Future(u8),
    Damaged,
}

impl Header {
    /// A header with its own random mark and seed.
    pub(crate) fn fresh(ordinal: u64) -> Self {
        let random = RandomState::new().hash_one(ordinal).to_le_bytes();
        let [a, b, c, d, e, f, g, h] = random;
        Self {
            mark: u32::from_le_bytes([a, b, c, d]),
            seed: u32::from_le_bytes([e, f, g, h]),
            ordinal,
            ordinal_last: ordinal,
            epoch: 0,
            next_seq: 0,
            lsn: 0,
            rewritten_at: 0,
            has_third: true,
        }
    }

    /// All copies, as the segment begins with them.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let copy = self.encode_copy();
        let mut region = copy.clone();
        region.resize(HEADER_COPY_AT, 0);
        region.extend_from_slice(&copy);
        region.resize(FRAMES_FROM as usize, 0);
        if self.has_third {
            let start = begin_frame(&mut region);
            region.extend_from_slice(&copy);
            end_frame(&mut region, start, self, FrameKind::Filler, 0);
        }
        region
    }

    fn encode_copy(&self) -> Vec<u8> {
        let mut copy = Vec::with_capacity(HEADER_COPY_BYTES);
        copy.extend_from_slice(&HEADER_MAGIC);
        copy.extend_from_slice(&[VERSION, u8::from(self.has_third), 0, 0]);
        copy.extend_from_slice(&self.mark.to_le_bytes());
        copy.extend_from_slice(&self.seed.to_le_bytes());
        copy.extend_from_slice(&[0; 4]);
        for field in [
            self.ordinal,
            self.ordinal_last,
            self.epoch,
            self.next_seq,
            self.lsn,
            self.rewritten_at,
        ] {
            copy.extend_from_slice(&field.to_le_bytes());
        }
        let crc = crc32fast::hash(&copy);
        copy.extend_from_slice(&crc.to_le_bytes());
        copy
    }

    /// Reads the beginning of a segment; `true` when one of the header's copies is damaged.
    pub(crate) fn decode(region: &[u8]) -> Result<(Self, bool), HeaderError> {
        let [first, second, third] = [0, HEADER_COPY_AT, HEADER_THIRD_AT]
            .map(|at| region.get(at..at + HEADER_COPY_BYTES).unwrap_or_default());
        let near = [Self::decode_copy(first), Self::decode_copy(second)];
        let Some(header) = near.into_iter().flatten().next() else {
            if let Some(version) = [first, second].into_iter().find_map(Self::future_version) {
                return Err(HeaderError::Future(version));
            }
            let far = Self::decode_copy(third).filter(|header| header.has_third);
            return far.map(|header| (header, true)).ok_or(HeaderError::Damaged);
        };
        let frame_at = FRAMES_FROM as usize..;
        let is_third_whole =
            !header.has_third || region.get(frame_at.clone()) == header.encode().get(frame_at);
        Ok((header, near != [Some(header); 2] || !is_third_whole))
    }

    fn future_version(copy: &[u8]) -> Option<u8> {
        let mut bytes = Bytes(copy);
        let magic = bytes.take(8)?;
        let version = bytes.u8()?;
        (magic == HEADER_MAGIC && version > VERSION).then_some(version)
    }

    fn decode_copy(copy: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(copy);
        if bytes.take(8)? != HEADER_MAGIC || bytes.u8()? != VERSION {
            return None;
        }
        let has_third = bytes.u8()? == 1;
        bytes.take(2)?;
        let mark = bytes.u32()?;
        let seed = bytes.u32()?;
        bytes.take(4)?;
        let header = Self {
            mark,
            seed,
            ordinal: bytes.u64()?,
            ordinal_last: bytes.u64()?,
            epoch: bytes.u64()?,
            next_seq: bytes.u64()?,
            lsn: bytes.u64()?,
            rewritten_at: bytes.u64()?,
            has_third,
        };
        let covered = copy.len().checked_sub(bytes.0.len())?;
        (bytes.u32()? == crc32fast::hash(copy.get(..covered)?)).then_some(header)
    }
}

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// Records: one batch, or several that compaction put together.
    Batch = 1,
    /// The store was closed here. No body.
    Clean = 2,
    /// A damaged stretch that recovery fenced off.
    Filler = 3,
}

/// The fields of a frame header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameHeader {
    pub(crate) mark: u32,
    pub(crate) crc: u32,
    pub(crate) body_bytes: u32,
    pub(crate) kind: Option<FrameKind>,
    pub(crate) lsn: u64,
}

impl FrameHeader {
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        let mark = bytes.u32()?;
        let crc = bytes.u32()?;
        let body_bytes = bytes.u32()?;
        let kind = match bytes.u8()? {
            1 => Some(FrameKind::Batch),
            2 => Some(FrameKind::Clean),
            3 => Some(FrameKind::Filler),
            _ => None,
        };
        bytes.take(3)?;
        let lsn = bytes.u64()?;
        Some(Self { mark, crc, body_bytes, kind, lsn })
    }
}

/// The checksum of a frame: everything behind the checksum field.
pub(crate) fn frame_crc(seed: u32, covered: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(seed);
    hasher.update(covered);
    hasher.finalize()
}

/// Where the checksummed part of a frame begins.
pub(crate) const FRAME_CRC_FROM: usize = 8;

/// Opens a frame in `out`; the caller appends the body and calls [`end_frame`] with what
/// this returns.
pub(crate) fn begin_frame(out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.resize(start + FRAME_HEADER_BYTES, 0);
    start
}

/// Completes the frame that began at `start`.
pub(crate) fn end_frame(out: &mut [u8], start: usize, header: &Header, kind: FrameKind, lsn: u64) {
    let Some(frame) = out.get_mut(start..) else { return };
    let body_bytes = u32::try_from(frame.len() - FRAME_HEADER_BYTES).unwrap_or(u32::MAX);
    let mut fields = [0u8; FRAME_HEADER_BYTES];
    fields[..4].copy_from_slice(&header.mark.to_le_bytes());
    fields[8..12].copy_from_slice(&body_bytes.to_le_bytes());
    fields[12] = kind as u8;
    fields[16..].copy_from_slice(&lsn.to_le_bytes());
    frame[..FRAME_HEADER_BYTES].copy_from_slice(&fields);
    let crc = frame_crc(header.seed, &frame[FRAME_CRC_FROM..]);
    frame[4..8].copy_from_slice(&crc.to_le_bytes());
}
