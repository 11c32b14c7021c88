//! Deletions of retained messages in a file, so that a cluster that was away is told them by the next
//! run as well.
//!
//! Each is written at the end; when most of the file is outdated it is written anew.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rookery_core::ids::MessageId;
use rookery_core::links::{AGE_MS, Deletion, Deletions};
use rookery_core::rules::record::{Framed, put_framed, read_framed};

use super::spool::replace;

/// The file, beside what links keep.
const FILE: &str = "deleted";
const HEAD: [u8; 8] = *b"RKGONE\x00\x01";
/// Time, identifier.
const BODY_BYTES_MIN: usize = 24;
const BODY_BYTES_MAX: usize = BODY_BYTES_MIN + rookery_codec::TOPIC_BYTES_MAX;
/// A file with no more records than that is not written anew.
const RECORDS_MIN: usize = 1000;

/// The file of a node.
pub(super) struct Journal {
    path: PathBuf,
    file: Option<File>,
    records: usize,
}

impl Journal {
    /// Takes in what an earlier run wrote.
    pub(super) fn open(dir: &Path, deletions: &Deletions, unix_ms: u64) -> Self {
        let path = dir.join(FILE);
        let found = read(&fs::read(&path).unwrap_or_default());
        let records = found.len();
        deletions.restore(found.into_iter().filter(|found| found.age.0 + AGE_MS > unix_ms));
        Self { path, file: None, records }
    }

    /// Writes what came meanwhile.
    ///
    /// # Errors
    ///
    /// The system does not take it: it is tried again with the next one, as a whole.
    pub(super) fn write(&mut self, deletions: &Deletions) -> io::Result<()> {
        let new = deletions.take_unwritten();
        if new.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::new();
        new.iter().for_each(|deletion| put(deletion, &mut bytes));
        self.records += new.len();
        let is_short = self.records < RECORDS_MIN.max(2 * deletions.len());
        let written = match self.file.as_mut().filter(|_| is_short) {
            Some(file) => file.write_all(&bytes),
            None => self.begin(&deletions.all()),
        };
        if written.is_err() {
            self.file = None;
        }
        written
    }

    /// Writes the file anew.
    fn begin(&mut self, all: &[Deletion]) -> io::Result<()> {
        if let Some(dir) = self.path.parent() {
            fs::create_dir_all(dir)?;
        }
        let mut bytes = HEAD.to_vec();
        all.iter().for_each(|deletion| put(deletion, &mut bytes));
        replace(&self.path, &bytes)?;
        self.records = all.len();
        self.file = Some(OpenOptions::new().append(true).open(&self.path)?);
        Ok(())
    }
}

fn put(deletion: &Deletion, bytes: &mut Vec<u8>) {
    put_framed(bytes, |out| {
        out.extend_from_slice(&deletion.age.0.to_le_bytes());
        out.extend_from_slice(&deletion.age.1.0.to_le_bytes());
        out.extend_from_slice(deletion.topic.as_bytes());
    });
}

/// What can be read, up to the first record that is none.
fn read(bytes: &[u8]) -> Vec<Deletion> {
    let Some(mut rest) = bytes.strip_prefix(&HEAD) else { return Vec::new() };
    let mut found = Vec::new();
    while let Framed::Body(body, taken) = read_framed(rest, BODY_BYTES_MIN..=BODY_BYTES_MAX) {
        found.extend(deletion(body));
        rest = rest.get(taken..).unwrap_or_default();
    }
    found
}

fn deletion(body: &[u8]) -> Option<Deletion> {
    let (time, rest) = body.split_first_chunk()?;
    let (id, topic) = rest.split_first_chunk()?;
    let topic = std::str::from_utf8(topic).ok()?;
    rookery_codec::check_topic_name(topic).ok()?;
    let age = (u64::from_le_bytes(*time), MessageId(u128::from_le_bytes(*id)));
    Some(Deletion { topic: topic.into(), age })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_run_knows_what_this_one_wrote() {
        let dir = std::env::temp_dir().join(format!("rookery-deleted-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let deletions = Deletions::default();
        deletions.set(true);
        let mut journal = Journal::open(&dir, &deletions, 0);
        // Far more than are left, so that it is written anew.
        for n in 0..5000_u64 {
            deletions.note(&format!("t/{}", n % 100), (n, MessageId(n.into())));
            if n % 10 == 0 {
                journal.write(&deletions).unwrap();
            }
        }
        journal.write(&deletions).unwrap();
        let file = dir.join(FILE);
        assert!(fs::metadata(&file).unwrap().len() < 100_000);
        // It died in the middle of a record.
        let mut bytes = fs::read(&file).unwrap();
        bytes.extend_from_slice(&[9; 5]);
        fs::write(&file, bytes).unwrap();
        let again = Deletions::default();
        again.set(true);
        drop(Journal::open(&dir, &again, 0));
        assert_eq!(again.all(), deletions.all());
        let late = Deletions::default();
        late.set(true);
        drop(Journal::open(&dir, &late, AGE_MS + 4950));
        assert_eq!(late.all().len(), 49);
        fs::remove_dir_all(&dir).unwrap();
    }
}
