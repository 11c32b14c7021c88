//! Room set aside for the time when the disk is full.
//!
//! Removals are what makes room again, but they are records too, and giving back a segment takes
//! a new one to go on in. A disk without a free block would take neither, so nothing on it could
//! ever be freed. A file of zeros holds enough for them; it is let go when a removal finds no
//! room, and made again before anything else is written.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::disk::Disk;
use crate::inner::Inner;

const FILE_NAME: &str = "reserve";
/// Of a segment's size: 2 MiB of 64.
const PART: u64 = 32;
/// A new segment's header and some thousand removals at least.
const BYTES_MIN: u64 = 16 << 10;
/// Written at once.
const RETRY: Duration = Duration::from_secs(1);
const PIECE: usize = 64 << 10;

/// The file, as far as the disk has room for it.
pub(crate) struct Reserve {
    path: PathBuf,
    bytes: u64,
    is_there: bool,
    /// It was let go, and when it was last tried to make it again.
    spent: Option<Instant>,
}

impl Reserve {
    pub(crate) fn new(inner: &Inner) -> Self {
        let bytes = (inner.options.segment_bytes / PART).max(BYTES_MIN);
        let mut reserve =
            Self { path: inner.options.dir.join(FILE_NAME), bytes, is_there: false, spent: None };
        reserve.is_there = reserve.is_whole(&*inner.disk).unwrap_or(false);
        reserve.set_aside(&*inner.disk);
        reserve
    }

    fn is_whole(&self, disk: &dyn Disk) -> io::Result<bool> {
        Ok(disk.open(&self.path)?.len()? == self.bytes)
    }

    /// Makes the file if it is not there; without room for all of it there is none.
    fn set_aside(&mut self, disk: &dyn Disk) {
        if self.is_there {
            return;
        }
        let write = || -> io::Result<()> {
            let file = disk.create(&self.path)?;
            let zeros = vec![0; PIECE];
            let mut at = 0;
            while at < self.bytes {
                let piece = zeros.get(..(self.bytes - at).min(PIECE as u64) as usize);
                let piece = piece.unwrap_or_default();
                file.write_at(piece, at)?;
                at += piece.len() as u64;
            }
            // A file system may find out only now that it has no room.
            file.sync_data()
        };
        self.is_there = write().is_ok();
        if !self.is_there {
            let _ = disk.remove(&self.path);
        }
    }

    /// Whether what only fills the disk has to be refused: the room that was set aside is in use,
    /// and there is no other.
    pub(crate) fn is_spent(&mut self, disk: &dyn Disk) -> bool {
        let Some(tried) = self.spent else { return false };
        if tried.elapsed() >= RETRY {
            self.set_aside(disk);
            self.spent = (!self.is_there).then(Instant::now);
        }
        self.spent.is_some()
    }

    /// Lets the file go; false when there is none.
    pub(crate) fn release(&mut self, disk: &dyn Disk) -> bool {
        let was_there = std::mem::take(&mut self.is_there);
        let is_gone = was_there && disk.remove(&self.path).is_ok();
        if is_gone {
            self.spent = Some(Instant::now());
        }
        is_gone
    }
}
