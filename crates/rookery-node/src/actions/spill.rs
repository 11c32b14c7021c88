//! Items that have no room in memory, in files.
//!
//! Files are written and read by one thread for all buffers of a node (see [`super::hub`]), with no
//! lock held that a shard waits for: a disk that hangs delays items on disk and nothing else. What
//! shards hand over to that thread is bounded, so a disk that is too slow costs items, counted as
//! `queue_full`, and no memory.
//!
//! Files are gone after a restart (`volatile_offload`). The first is read while the last is
//! written; one that was read to its end is removed. What cannot be read back is lost to the end of
//! its file, and is counted.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rookery_core::rules::record::{FILE_HEAD, RECORD_BYTES, Read, Record, read};
use rookery_core::rules::sink::RuleTally;

use super::keys::{Entry, cost_of};

const SUFFIX: &str = "items";
const FILE_BYTES_MIN: u64 = 64 << 10;
const FILE_BYTES_MAX: u64 = 8 << 20;
/// Octets that are written or read at once.
const CHUNK_BYTES: usize = 256 << 10;
/// Rules whose items stand in one file.
const RULES_MAX: usize = 4096;

/// Octets that an item takes on disk.
pub(super) fn bytes_on_disk(entry: &Entry) -> u64 {
    (entry.fields.len() + RECORD_BYTES) as u64
}

/// So many items of a rule.
pub(super) type Share = (Arc<RuleTally>, u64);

/// The files of one buffer.
#[derive(Debug)]
pub(super) struct Spill {
    dir: PathBuf,
    files: VecDeque<Segment>,
    /// Writes to the last of the files.
    writer: Option<File>,
    /// Reads the first of the files.
    reader: Option<Reader>,
    file_bytes_max: u64,
    files_made: u64,
}

#[derive(Debug)]
struct Segment {
    path: PathBuf,
    bytes: u64,
    /// Items that were not read yet.
    items: u64,
    /// The rules that records name by their place here, with their items that were not read yet.
    rules: Vec<Share>,
}

#[derive(Debug)]
struct Reader {
    file: File,
    buffer: Vec<u8>,
    at: usize,
}

/// What a read brought back.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) entries: Vec<Entry>,
    /// What cannot be read any more.
    pub(super) lost: Vec<Share>,
    /// Why.
    pub(super) problem: Option<String>,
}

impl Spill {
    /// Makes the directory if there is none, and removes what an earlier run left.
    pub(super) fn open(dir: &Path, bytes_max: u64) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == SUFFIX) {
                fs::remove_file(path)?;
            }
        }
        let mut spill = Self {
            dir: dir.to_owned(),
            files: VecDeque::new(),
            writer: None,
            reader: None,
            file_bytes_max: 0,
            files_made: 0,
        };
        spill.limit(bytes_max);
        Ok(spill)
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Room on disk comes back a file at a time: there should be several.
    pub(super) fn limit(&mut self, bytes_max: u64) {
        self.file_bytes_max = (bytes_max / 16).clamp(FILE_BYTES_MIN, FILE_BYTES_MAX);
    }

    /// Octets of all files.
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Writes items behind those that are there; takes those that it wrote.
    pub(super) fn write(&mut self, entries: &mut VecDeque<Entry>) -> io::Result<()> {
        let mut chunk = Vec::new();
        while !entries.is_empty() {
            self.writable()?;
            let (Some(file), Some(segment)) = (self.writer.as_mut(), self.files.back_mut()) else {
                return Err(io::ErrorKind::NotFound.into());
            };
            chunk.clear();
            let mut count = 0;
            for entry in entries.iter() {
                let Some(rule) = place_of(&mut segment.rules, &entry.rule) else { break };
                let record = Record {
                    key: entry.key,
                    made_at_ms: entry.made_at_ms,
                    rule,
                    fields: &entry.fields,
                };
                if !record.encode(&mut chunk) {
                    return Err(io::ErrorKind::FileTooLarge.into());
                }
                count += 1;
                if chunk.len() >= CHUNK_BYTES {
                    break;
                }
            }
            if let Err(error) = file.write_all(&chunk) {
                // Part of it may be there: nothing may follow it in this file.
                self.writer = None;
                self.remove_empty();
                return Err(error);
            }
            segment.bytes += chunk.len() as u64;
            segment.items += count;
            for entry in entries.drain(..usize::try_from(count).unwrap_or(0)) {
                if let Some(share) = segment.rules.iter_mut().find(|s| is_same(&s.0, &entry.rule)) {
                    share.1 += 1;
                }
            }
        }
        Ok(())
    }

    /// A file that has room for more, as the last one.
    fn writable(&mut self) -> io::Result<()> {
        let limit = self.file_bytes_max;
        let has_room = |file: &Segment| file.bytes < limit && file.rules.len() < RULES_MAX;
        if self.writer.is_some() && self.files.back().is_some_and(has_room) {
            return Ok(());
        }
        self.writer = None;
        self.files_made += 1;
        let path = self.dir.join(format!("{:08}.{SUFFIX}", self.files_made));
        // Payloads of clients: for nobody else.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        if let Err(error) = file.write_all(&FILE_HEAD) {
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        self.writer = Some(file);
        let bytes = FILE_HEAD.len() as u64;
        self.files.push_back(Segment { path, bytes, items: 0, rules: Vec::new() });
        Ok(())
    }

    /// Reads the oldest items, up to `room` octets of memory; the first one in any case if
    /// `must`.
    pub(super) fn read(&mut self, room: u64, must: bool) -> Found {
        let mut found = Found::default();
        let mut left = room;
        while let Some(segment) = self.files.front_mut() {
            if segment.items == 0 {
                self.remove_first();
                continue;
            }
            if self.files.len() == 1 {
                self.writer = None;
            }
            match self.read_one(left, must && found.entries.is_empty()) {
                Ok(Some(entry)) => {
                    left = left.saturating_sub(entry.cost());
                    found.entries.push(entry);
                    if room.saturating_sub(left) >= CHUNK_BYTES as u64 {
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    if let Some(segment) = self.files.front_mut() {
                        let path = segment.path.display();
                        found.problem = Some(format!("{path} cannot be read back: {error}"));
                        found.lost.append(&mut segment.rules);
                        segment.items = 0;
                    }
                }
            }
        }
        self.remove_empty();
        found
    }

    /// The next item of the first file; none when it is larger than `room` and need not be read.
    fn read_one(&mut self, room: u64, must: bool) -> io::Result<Option<Entry>> {
        let broken = || io::Error::from(io::ErrorKind::InvalidData);
        let segment = self.files.front_mut().ok_or_else(broken)?;
        let reader = match &mut self.reader {
            Some(reader) => reader,
            None => self.reader.insert(Reader::open(&segment.path)?),
        };
        loop {
            let rest = reader.buffer.get(reader.at..).unwrap_or_default();
            match read(rest) {
                // The body of a record that is there is not longer than its file.
                Read::More(needed) if needed as u64 > segment.bytes => return Err(broken()),
                Read::More(needed) => reader.fill(needed)?,
                Read::Broken => return Err(broken()),
                Read::Record(record, _) if cost_of(record.fields) > room && !must => {
                    return Ok(None);
                }
                Read::Record(record, length) => {
                    let entry = Entry {
                        number: 0,
                        key: record.key,
                        made_at_ms: record.made_at_ms,
                        rule: take_share(&mut segment.rules, record.rule).ok_or_else(broken)?,
                        fields: record.fields.into(),
                    };
                    reader.at += length;
                    segment.items = segment.items.saturating_sub(1);
                    return Ok(Some(entry));
                }
            }
        }
    }

    /// Removes every file; what was in them.
    pub(super) fn clear(&mut self) -> Vec<Share> {
        self.writer = None;
        let mut lost = Vec::new();
        while let Some(mut segment) = self.files.pop_front() {
            lost.append(&mut segment.rules);
            segment.items = 0;
            let _ = fs::remove_file(&segment.path);
        }
        self.reader = None;
        lost
    }

    /// Removes every file and the directory, if nothing else is in it; what was in the files.
    pub(super) fn close(mut self) -> Vec<Share> {
        let lost = self.clear();
        let _ = fs::remove_dir(&self.dir);
        lost
    }

    /// Removes files of which nothing is left to read.
    fn remove_empty(&mut self) {
        while self.files.front().is_some_and(|file| file.items == 0)
            && (self.files.len() > 1 || self.writer.is_none())
        {
            self.remove_first();
        }
    }

    fn remove_first(&mut self) {
        if self.files.len() == 1 {
            self.writer = None;
        }
        self.reader = None;
        if let Some(segment) = self.files.pop_front() {
            // What cannot be removed is removed at the next start.
            let _ = fs::remove_file(segment.path);
        }
    }
}

impl Reader {
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut head = [0; FILE_HEAD.len()];
        file.read_exact(&mut head)?;
        if head != FILE_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Self { file, buffer: Vec::new(), at: 0 })
    }

    /// Reads on until `needed` octets are there.
    fn fill(&mut self, needed: usize) -> io::Result<()> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let want = needed.max(CHUNK_BYTES).saturating_sub(self.buffer.len());
        let got = (&mut self.file).take(want as u64).read_to_end(&mut self.buffer)?;
        let is_enough = self.buffer.len() >= needed;
        if got == 0 || !is_enough { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

fn is_same(one: &Arc<RuleTally>, other: &Arc<RuleTally>) -> bool {
    Arc::ptr_eq(one, other)
}

/// The place of `rule` in the table of a file, where it is put if there is room.
fn place_of(rules: &mut Vec<Share>, rule: &Arc<RuleTally>) -> Option<u32> {
    let place = rules.iter().position(|share| is_same(&share.0, rule));
    if place.is_none() {
        if rules.len() >= RULES_MAX {
            return None;
        }
        rules.push((rule.clone(), 0));
    }
    u32::try_from(place.unwrap_or(rules.len() - 1)).ok()
}

fn take_share(rules: &mut [Share], place: u32) -> Option<Arc<RuleTally>> {
    let share = rules.get_mut(usize::try_from(place).ok()?)?;
    share.1 = share.1.checked_sub(1)?;
    Some(share.0.clone())
}
