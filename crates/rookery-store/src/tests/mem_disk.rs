//! A disk in memory that knows what a power failure would leave and fails when told to.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::disk::{Disk, DiskFile};
use crate::queue::lock;

#[derive(Default, Clone)]
struct Contents {
    current: Vec<u8>,
    synced: Vec<u8>,
}

type File = Arc<Mutex<Contents>>;

/// What comes after the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crash {
    /// The process is killed: everything written is there.
    Kill,
    /// The power fails: only what was synced is there, contents and names.
    PowerLoss,
}

#[derive(Default)]
struct State {
    live: BTreeMap<PathBuf, File>,
    durable: BTreeMap<PathBuf, File>,
    /// Changing operations so far.
    changes: u64,
    /// From this change on every one fails; a write there is done by half.
    dead_from: Option<u64>,
    is_sync_failing: bool,
    is_write_failing: bool,
    is_cut_failing: bool,
    bytes_max: Option<u64>,
}

impl State {
    fn change(&mut self) -> io::Result<()> {
        self.changes += 1;
        if self.dead_from.is_some_and(|from| self.changes > from) {
            return Err(io::Error::other("injected"));
        }
        Ok(())
    }

    fn used(&self) -> u64 {
        self.live.values().map(|file| lock(file).current.len() as u64).sum()
    }
}

#[derive(Default, Clone)]
pub(super) struct MemDisk(Arc<Mutex<State>>);

impl MemDisk {
    /// The disk as the next process finds it.
    pub(super) fn after(&self, crash: Crash) -> Self {
        let state = lock(&self.0);
        let names = match crash {
            Crash::Kill => &state.live,
            Crash::PowerLoss => &state.durable,
        };
        let copy = |file: &File| {
            let contents = lock(file);
            let bytes = match crash {
                Crash::Kill => contents.current.clone(),
                Crash::PowerLoss => contents.synced.clone(),
            };
            Arc::new(Mutex::new(Contents { current: bytes.clone(), synced: bytes }))
        };
        let live: BTreeMap<_, _> =
            names.iter().map(|(path, file)| (path.clone(), copy(file))).collect();
        Self(Arc::new(Mutex::new(State { durable: live.clone(), live, ..State::default() })))
    }

    pub(super) fn die_after(&self, changes: u64) {
        let mut state = lock(&self.0);
        state.dead_from = Some(state.changes + changes);
    }

    pub(super) fn is_dead(&self) -> bool {
        let state = lock(&self.0);
        state.dead_from.is_some_and(|from| state.changes > from)
    }

    pub(super) fn fail_syncs(&self, is_failing: bool) {
        lock(&self.0).is_sync_failing = is_failing;
    }

    pub(super) fn fail_writes(&self, is_failing: bool) {
        lock(&self.0).is_write_failing = is_failing;
    }

    pub(super) fn fail_cuts(&self, is_failing: bool) {
        lock(&self.0).is_cut_failing = is_failing;
    }

    /// Room for this many bytes more.
    pub(super) fn leave(&self, bytes: Option<u64>) {
        let mut state = lock(&self.0);
        state.bytes_max = bytes.map(|bytes| state.used() + bytes);
    }

    pub(super) fn files(&self, extension: &str) -> Vec<PathBuf> {
        let state = lock(&self.0);
        let has = |path: &&PathBuf| path.extension().is_some_and(|have| have == extension);
        state.live.keys().filter(has).cloned().collect()
    }

    pub(super) fn bytes(&self, path: &Path) -> Vec<u8> {
        lock(&lock(&self.0).live[path]).current.clone()
    }

    pub(super) fn set_bytes(&self, path: &Path, bytes: Vec<u8>) {
        let state = lock(&self.0);
        *lock(&state.live[path]) = Contents { current: bytes.clone(), synced: bytes };
    }
}

struct MemFile(MemDisk, File);

impl Disk for MemDisk {
    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, _dir: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(lock(&self.0).live.keys().cloned().collect())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = lock(&self.0);
        state.change()?;
        let file = File::default();
        state.live.insert(path.to_owned(), Arc::clone(&file));
        Ok(Arc::new(MemFile(self.clone(), file)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let state = lock(&self.0);
        let file = state.live.get(path).ok_or(ErrorKind::NotFound)?;
        Ok(Arc::new(MemFile(self.clone(), Arc::clone(file))))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = lock(&self.0);
        state.change()?;
        let file = state.live.remove(from).ok_or(ErrorKind::NotFound)?;
        state.live.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = lock(&self.0);
        state.change()?;
        state.live.remove(path).ok_or(ErrorKind::NotFound)?;
        Ok(())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        let mut state = lock(&self.0);
        state.change()?;
        state.durable = state.live.clone();
        Ok(())
    }
}

impl DiskFile for MemFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let contents = lock(&self.1);
        let start = offset as usize;
        let bytes = contents.current.get(start..start + buffer.len());
        buffer.copy_from_slice(bytes.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = lock(&self.0.0);
        let alive = state.change();
        let room = state.bytes_max.map_or(u64::MAX, |max| max.saturating_sub(state.used()));
        let grows =
            (offset + bytes.len() as u64).saturating_sub(lock(&self.1).current.len() as u64);
        let (count, result) = if alive.is_err() {
            (if state.dead_from == Some(state.changes - 1) { bytes.len() / 2 } else { 0 }, alive)
        } else if state.is_write_failing {
            (bytes.len() / 2, Err(io::Error::from_raw_os_error(5)))
        } else if grows > room {
            (room.min(bytes.len() as u64) as usize, Err(ErrorKind::StorageFull.into()))
        } else {
            (bytes.len(), Ok(()))
        };
        let mut contents = lock(&self.1);
        let end = offset as usize + count;
        if contents.current.len() < end {
            contents.current.resize(end, 0);
        }
        contents.current[offset as usize..end].copy_from_slice(&bytes[..count]);
        result
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = lock(&self.0.0);
        state.change()?;
        if state.is_sync_failing {
            return Err(io::Error::from_raw_os_error(5));
        }
        let mut contents = lock(&self.1);
        contents.synced = contents.current.clone();
        Ok(())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        let mut state = lock(&self.0.0);
        state.change()?;
        if state.is_cut_failing {
            return Err(io::Error::from_raw_os_error(5));
        }
        lock(&self.1).current.resize(bytes as usize, 0);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(lock(&self.1).current.len() as u64)
    }
}
