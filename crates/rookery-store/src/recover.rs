//! Opening: reads every segment in order and rebuilds the index.
//!
//! What cannot be read is copied aside and fenced off, so that the next start finds a whole
//! file; what follows it is kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::disk::{Disk, DiskFile};
use crate::error::StoreError;
use crate::format::{
    FRAME_CRC_FROM, FRAME_HEADER_BYTES, FrameKind, HEADER_BYTES, Header, HeaderError, VERSION,
    begin_frame, end_frame, frame_crc,
};
use crate::index::{Index, Segment, SegmentState};
use crate::options::StoreOptions;
use crate::record::Records;
use crate::report::{Corruption, RecoveryReport, TruncatedTail};
use crate::scan::{Gap, Item, Scanner};
use crate::writer::apply_frame;

/// Copied aside in pieces of this size.
const COPY_BYTES: u64 = 1 << 20;

/// An empty file that says that the directory held a log: without it an empty directory is new.
pub(crate) const USED_MARK: &str = "in-use";

/// Written by a clean stop and removed by the next start: number and size of the newest segment. A
/// segment that is shorter then was cut by somebody else, not by a crash.
pub(crate) const STOPPED_MARK: &str = "stopped";

/// What [`STOPPED_MARK`] holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped {
    pub(crate) ordinal: u64,
    pub(crate) bytes: u64,
}

impl Stopped {
    pub(crate) fn encode(self) -> [u8; 16] {
        let mut out = [0; 16];
        let (ordinal, bytes) = out.split_at_mut(8);
        ordinal.copy_from_slice(&self.ordinal.to_le_bytes());
        bytes.copy_from_slice(&self.bytes.to_le_bytes());
        out
    }

    /// Reads the mark and removes it; one that makes no sense says nothing.
    fn take(disk: &dyn Disk, path: &Path) -> std::io::Result<Option<Self>> {
        let file = disk.open(path)?;
        let mut bytes = [0; 16];
        let is_whole = file.len()? == 16 && file.read_at(&mut bytes, 0).is_ok();
        disk.remove(path)?;
        // Segments get shorter when they are compacted: the mark must not come back.
        if let Some(dir) = path.parent() {
            disk.sync_dir(dir)?;
        }
        let word = |at: usize| {
            let word = bytes.get(at..at + 8).and_then(|word| word.try_into().ok());
            word.map(u64::from_le_bytes)
        };
        let mark = word(0).zip(word(8)).map(|(ordinal, bytes)| Self { ordinal, bytes });
        Ok(mark.filter(|_| is_whole))
    }
}

/// What was found.
pub(crate) struct Found {
    /// [`USED_MARK`] is there.
    pub(crate) is_marked: bool,
    pub(crate) index: Index,
    pub(crate) next_seq: u64,
    pub(crate) report: RecoveryReport,
    /// The newest segment, when it can be written on.
    pub(crate) last: Option<(Arc<Segment>, Header, u64)>,
    pub(crate) bytes_on_disk: u64,
}

struct Recovery<'a> {
    disk: &'a dyn Disk,
    options: &'a StoreOptions,
    found: Found,
    /// Segments up to here were replaced by a compacted one.
    replaced_up_to: Option<u64>,
    /// There is one segment, in a directory that was used before: it cannot be a half-made first one.
    is_all: bool,
}

fn io(action: &'static str, path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    move |error| StoreError::io(format!("{action} {}", path.display()), &error)
}

/// Reads the directory, which this process owns.
pub(crate) fn recover(disk: &dyn Disk, options: &StoreOptions) -> Result<Found, StoreError> {
    let mut segments: Vec<(u64, PathBuf)> = Vec::new();
    let (mut is_marked, mut stopped) = (false, None);
    for path in disk.list(&options.dir).map_err(io("list", &options.dir))? {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("tmp") => disk.remove(&path).map_err(io("remove", &path))?,
            Some("log") => segments.extend(ordinal(&path).map(|ordinal| (ordinal, path))),
            _ if path.file_name().is_some_and(|name| name == STOPPED_MARK) => {
                stopped = Stopped::take(disk, &path).map_err(io("take", &path))?;
            }
            _ => is_marked |= path.file_name().is_some_and(|name| name == USED_MARK),
        }
    }
    segments.sort();
    let found = Found {
        is_marked,
        index: Index::new(),
        next_seq: 1,
        report: RecoveryReport { clean_shutdown: segments.is_empty(), ..Default::default() },
        last: None,
        bytes_on_disk: 0,
    };
    let count = segments.len();
    let is_all = is_marked && count == 1;
    let mut recovery = Recovery { disk, options, found, replaced_up_to: None, is_all };
    if is_marked && count == 0 {
        recovery.corrupt(&options.dir, 0, 0, "all log files: the directory held some");
        recovery.found.report.clean_shutdown = false;
    }
    for (at, (ordinal, path)) in segments.iter().enumerate() {
        let is_last = at + 1 == count;
        let size_before = recovery.found.report.bytes;
        recovery.segment(*ordinal, path, is_last)?;
        if let Some(stopped) = stopped.filter(|s| is_last && s.ordinal == *ordinal) {
            recovery.compare(path, recovery.found.report.bytes - size_before, stopped);
        }
    }
    let Recovery { mut found, .. } = recovery;
    while found.index.sweep(usize::MAX) {}
    if !found.report.clean_shutdown {
        // What a killed process left in the system's cache counts as stored from here on.
        for state in found.index.segments.values() {
            state.segment.file.sync_data().map_err(io("sync", &state.segment.path))?;
        }
    }
    Ok(found)
}

fn ordinal(path: &Path) -> Option<u64> {
    u64::from_str_radix(path.file_stem()?.to_str()?, 16).ok()
}

impl Recovery<'_> {
    fn segment(&mut self, ordinal: u64, path: &Path, is_last: bool) -> Result<(), StoreError> {
        if self.replaced_up_to.is_some_and(|last| ordinal <= last) {
            return self.disk.remove(path).map_err(io("remove", path));
        }
        let file = self.disk.open(path).map_err(io("open", path))?;
        let size = file.len().map_err(io("read the size of", path))?;
        self.found.report.segments += 1;
        self.found.report.bytes += size;
        let Some(header) = self.header(&*file, path, size, is_last)? else { return Ok(()) };
        // Copies of the header that were cut off have been written again.
        let size = file.len().map_err(io("read the size of", path))?;
        if header.ordinal_last > ordinal {
            self.replaced_up_to = Some(header.ordinal_last);
        }
        if size >= FRAME_BYTES_TOTAL_MAX {
            return Err(StoreError::Io {
                action: format!("read {}", path.display()),
                detail: "the file is larger than a segment can be".to_owned(),
                errno: None,
            });
        }
        let index = &mut self.found.index;
        index.lsn = index.lsn.max(header.lsn).max(header.rewritten_at);
        index.epoch = index.epoch.max(header.epoch);
        self.found.next_seq = self.found.next_seq.max(header.next_seq);
        let segment = Arc::new(Segment {
            slot: index.slot(),
            path: path.to_owned(),
            file,
            is_dirty: AtomicBool::new(false),
            is_poisoned: AtomicBool::new(false),
        });
        let mut state = SegmentState::new(Arc::clone(&segment), header);
        state.is_sealed = true;
        index.push_segment(state);
        let gaps = self.replay(&segment, header, size)?;
        let end = self.mend(&segment, header, size, gaps, is_last)?;
        if let Some(state) = self.found.index.segments.get_mut(&segment.slot) {
            state.bytes = end;
        }
        self.found.bytes_on_disk += end;
        let may_grow = is_last && end < self.options.segment_bytes / 2;
        self.found.last = may_grow.then_some((segment, header, end));
        Ok(())
    }

    /// Reads the header; `None` when the file holds nothing that can be used.
    fn header(
        &mut self,
        file: &dyn DiskFile,
        path: &Path,
        size: u64,
        is_last: bool,
    ) -> Result<Option<Header>, StoreError> {
        let mut region = vec![0; HEADER_BYTES.min(size) as usize];
        file.read_at(&mut region, 0).map_err(io("read", path))?;
        let named = ordinal(path);
        let decoded = Header::decode(&region).and_then(|(header, is_half)| {
            // Under another name its records would be replayed in the wrong place.
            let is_named = named == Some(header.ordinal);
            is_named.then_some((header, is_half)).ok_or(HeaderError::Damaged)
        });
        match decoded {
            Ok((header, false)) => Ok(Some(header)),
            Ok((header, true)) => {
                self.corrupt(path, 0, HEADER_BYTES.min(size), "a copy of the header");
                self.copy_aside(file, path, size)?;
                file.write_at(&header.encode(), 0).map_err(io("write", path))?;
                file.sync_data().map_err(io("sync", path))?;
                Ok(Some(header))
            }
            Err(HeaderError::Future(found)) => {
                Err(StoreError::FutureVersion { file: path.to_owned(), found, supported: VERSION })
            }
            Err(HeaderError::Damaged) => {
                let is_empty = size <= HEADER_BYTES && region.iter().all(|byte| *byte == 0);
                if is_last && is_empty && !self.is_all {
                    let file = path.to_owned();
                    self.found.report.truncated_tail =
                        Some(TruncatedTail { file, offset: 0, bytes: size });
                    self.disk.remove(path).map_err(io("remove", path))?;
                } else {
                    self.corrupt(path, 0, size, "every copy of the header");
                    let aside = self.free_name(path)?;
                    self.disk.rename(path, &aside).map_err(io("rename", path))?;
                }
                self.disk.sync_dir(&self.options.dir).map_err(io("sync", &self.options.dir))?;
                Ok(None)
            }
        }
    }

    /// Applies the segment's frames; returns the stretches that are none.
    fn replay(
        &mut self,
        segment: &Segment,
        header: Header,
        size: u64,
    ) -> Result<Vec<Gap>, StoreError> {
        let Found { index, next_seq, report, .. } = &mut self.found;
        let mut scanner = Scanner::new(&*segment.file, header, size);
        let mut gaps = Vec::new();
        report.clean_shutdown = false;
        while let Some(item) = scanner.next_item().map_err(io("read", &segment.path))? {
            match item {
                Item::Frame { kind: FrameKind::Batch, offset, lsn, body } => {
                    let body_at = offset + FRAME_HEADER_BYTES as u64;
                    for placed in Records::new(body) {
                        if let crate::record::Record::Publish { seq, .. } = placed.record {
                            *next_seq = (*next_seq).max(seq + 1);
                        }
                    }
                    let (records, is_sound) =
                        apply_frame(index, body, segment.slot, body_at, lsn, true);
                    report.records += records;
                    report.clean_shutdown = false;
                    if !is_sound {
                        report.corrupt.push(Corruption {
                            file: segment.path.clone(),
                            offset,
                            bytes_skipped: body.len() as u64,
                            detail: "unknown record behind a correct checksum".to_owned(),
                        });
                    }
                }
                Item::Frame { kind: FrameKind::Clean, lsn, .. } => {
                    index.lsn = index.lsn.max(lsn);
                    report.clean_shutdown = true;
                }
                Item::Frame { kind: FrameKind::Filler, .. } => report.clean_shutdown = false,
                Item::Gap(gap) => {
                    report.clean_shutdown = false;
                    gaps.push(gap);
                }
            }
        }
        Ok(gaps)
    }

    /// Reports the gaps and makes the file whole; returns its size then.
    fn mend(
        &mut self,
        segment: &Segment,
        header: Header,
        size: u64,
        gaps: Vec<Gap>,
        is_last: bool,
    ) -> Result<u64, StoreError> {
        let (file, path) = (&*segment.file, &*segment.path);
        let mut end = size;
        let mut is_aside = false;
        for gap in &gaps {
            let is_end = gap.offset + gap.bytes == size;
            if is_last && gap.is_torn {
                let (offset, bytes) = (gap.offset, gap.bytes);
                self.found.report.truncated_tail =
                    Some(TruncatedTail { file: path.to_owned(), offset, bytes });
            } else {
                self.corrupt(path, gap.offset, gap.bytes, gap.detail);
                if !is_aside {
                    self.copy_aside(file, path, size)?;
                    is_aside = true;
                }
            }
            if is_end {
                end = gap.offset;
                file.set_len(end).map_err(io("cut", path))?;
            } else {
                fence_off(file, header, gap).map_err(io("write", path))?;
            }
        }
        if !gaps.is_empty() {
            file.sync_data().map_err(io("sync", path))?;
        }
        Ok(end)
    }

    /// After a clean stop nothing is unfinished: what is missing was taken away.
    fn compare(&mut self, path: &Path, size: u64, stopped: Stopped) {
        if size < stopped.bytes {
            self.found.report.truncated_tail = None;
            self.corrupt(path, size, stopped.bytes - size, "cut after a clean stop");
        }
    }

    fn corrupt(&mut self, path: &Path, offset: u64, bytes_skipped: u64, detail: &str) {
        let (file, detail) = (path.to_owned(), detail.to_owned());
        self.found.report.corrupt.push(Corruption { file, offset, bytes_skipped, detail });
    }

    /// `<segment>.damaged`, or with a number when there is one from earlier.
    fn free_name(&self, path: &Path) -> Result<PathBuf, StoreError> {
        let files = self.disk.list(&self.options.dir).map_err(io("list", &self.options.dir))?;
        let name = |number: usize| match number {
            0 => path.with_extension("damaged"),
            _ => path.with_extension(format!("{number}.damaged")),
        };
        let free = (0..=files.len()).map(name).find(|name| !files.contains(name));
        Ok(free.unwrap_or_else(|| name(files.len())))
    }

    fn copy_aside(&self, file: &dyn DiskFile, path: &Path, size: u64) -> Result<(), StoreError> {
        let aside = self.free_name(path)?;
        let copy = || {
            let to = self.disk.create(&aside)?;
            let mut at = 0;
            while at < size {
                let mut piece = vec![0; COPY_BYTES.min(size - at) as usize];
                file.read_at(&mut piece, at)?;
                to.write_at(&piece, at)?;
                at += piece.len() as u64;
            }
            to.sync_data()?;
            self.disk.sync_dir(&self.options.dir)
        };
        copy().map_err(io("copy aside", path))
    }
}

/// Offsets in a segment are 32 bits wide.
const FRAME_BYTES_TOTAL_MAX: u64 = u32::MAX as u64;

/// Puts a frame header in front of damaged bytes, so that the file is readable throughout.
fn fence_off(file: &dyn DiskFile, header: Header, gap: &Gap) -> std::io::Result<()> {
    if gap.bytes < FRAME_HEADER_BYTES as u64 {
        return Ok(()); // too short for a fence; found again at each start until compacted
    }
    let mut stretch = vec![0; gap.bytes as usize];
    file.read_at(&mut stretch, gap.offset)?;
    let mut fence = Vec::new();
    let start = begin_frame(&mut fence);
    fence.extend_from_slice(stretch.get(FRAME_HEADER_BYTES..).unwrap_or_default());
    end_frame(&mut fence, start, &header, FrameKind::Filler, 0);
    debug_assert_eq!(
        fence.get(4..8),
        Some(
            &frame_crc(header.seed, fence.get(FRAME_CRC_FROM..).unwrap_or_default()).to_le_bytes()
                [..]
        )
    );
    file.write_at(fence.get(..FRAME_HEADER_BYTES).unwrap_or_default(), gap.offset)
}
