//! Messages of a link that is down, in files, until the other side has them.
//!
//! Files are written at the end and read from the beginning; a record is named by its [`Place`]. What
//! was read is under way until it is [settled](Spool::settle); everything before the first record that
//! is not settled is gone for good, and where that is stands in a file of its own, so that after a
//! crash little is sent twice and nothing is missed. What is pushed reaches the system with
//! [`Spool::write`], before it is promised, and the disk when the system pleases: it outlives the
//! process, not a loss of power.
//!
//! **Bounds.** Octets of all files: the oldest file gives way to what is new, and what was in it is
//! counted as dropped. Age: what is older is dropped when its turn comes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rookery_core::message::Message;
use rookery_core::rules::record::{Framed, put_framed, read_framed};

const FILE_HEAD: [u8; 8] = *b"RKLINK\x00\x01";
const SUFFIX: &str = "messages";
const POSITION: &str = "position";
const AGREED: &str = "agreed";
const FILE_BYTES_MIN: u64 = 64 << 10;
const FILE_BYTES_MAX: u64 = 8 << 20;
/// Octets that are read at once.
const CHUNK_BYTES: usize = 256 << 10;
/// A time and a message.
const BODY_BYTES_MIN: usize = 8;
const BODY_BYTES_MAX: usize = 512 << 20;
/// Between two times that it is noted how far everything is settled.
const NOTE_MS: u64 = 100;

/// Where a record begins: number of the file, octets from its beginning.
pub(super) type Place = (u64, u64);

struct Segment {
    number: u64,
    bytes: u64,
    /// Records that are neither settled nor dropped.
    records: u64,
}

/// Reads one file.
struct Reader {
    number: u64,
    file: File,
    buffer: Vec<u8>,
    /// Of the beginning of `buffer`.
    offset: u64,
}

/// What was pushed and not written.
#[derive(Default)]
struct Unwritten {
    bytes: Vec<u8>,
    /// Where that begins.
    from: Option<Place>,
    /// Messages that are nowhere else.
    only_here: u64,
}

/// The files of one link.
pub(super) struct Spool {
    dir: PathBuf,
    bytes_max: u64,
    age_ms: u64,
    files: VecDeque<Segment>,
    writer: Option<File>,
    reader: Option<Reader>,
    /// What is read next.
    read_at: Place,
    /// Read and not settled, with the time at which each was pushed.
    under_way: BTreeMap<Place, u64>,
    /// When what is read next was pushed, or earlier.
    unread_ms: u64,
    /// Settled, behind others that are not.
    settled: BTreeSet<Place>,
    noted: Place,
    note_at_ms: u64,
    last_number: u64,
    /// Topics that the other side wants, once it has agreed.
    agreed: Option<Vec<Box<str>>>,
    dropped: u64,
    unwritten: Unwritten,
}

impl Spool {
    /// Opens what an earlier run left, or begins.
    pub(super) fn open(dir: &Path, bytes_max: u64, age_ms: u64) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let mut numbers = Vec::new();
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            let is_one = path.extension().is_some_and(|extension| extension == SUFFIX);
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            numbers.extend(stem.filter(|_| is_one).and_then(|stem| stem.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        let mut spool = Self {
            dir: dir.to_owned(),
            bytes_max,
            age_ms,
            files: VecDeque::new(),
            writer: None,
            reader: None,
            read_at: (0, 0),
            under_way: BTreeMap::new(),
            unread_ms: 0,
            settled: BTreeSet::new(),
            noted: (0, 0),
            note_at_ms: 0,
            last_number: numbers.last().copied().unwrap_or(0),
            agreed: read_agreed(&dir.join(AGREED)),
            dropped: 0,
            unwritten: Unwritten::default(),
        };
        let from = read_position(&dir.join(POSITION));
        for number in numbers {
            if number < from.0 {
                fs::remove_file(spool.path(number))?;
                continue;
            }
            let bytes = fs::metadata(spool.path(number))?.len();
            spool.files.push_back(Segment { number, bytes, records: 0 });
        }
        spool.count(from)?;
        Ok(spool)
    }

    /// Counts what is there from a place on, and begins to read there.
    fn count(&mut self, from: Place) -> io::Result<()> {
        self.read_at = from;
        let numbers: Vec<u64> = self.files.iter().map(|file| file.number).collect();
        for number in numbers {
            let mut records = 0;
            while let Some((_, body)) = self.next_in(number)? {
                if self.unread_ms == 0 {
                    self.unread_ms = time_of(&body);
                }
                records += 1;
            }
            if let Some(file) = self.files.iter_mut().find(|file| file.number == number) {
                file.records = records;
            }
        }
        self.reader = None;
        (self.read_at, self.noted) = (from, from);
        self.drop_files();
        Ok(())
    }

    fn path(&self, number: u64) -> PathBuf {
        self.dir.join(format!("{number:012}.{SUFFIX}"))
    }

    /// What the other side wants, once it has agreed that messages are kept for it.
    pub(super) fn agreed(&self) -> Option<&[Box<str>]> {
        self.agreed.as_deref()
    }

    /// The other side has agreed, or does not any more.
    pub(super) fn agree(&mut self, topics: Option<&[Box<str>]>) -> io::Result<()> {
        if self.agreed.as_deref() == topics {
            return Ok(());
        }
        self.agreed = topics.map(<[_]>::to_vec);
        let path = self.dir.join(AGREED);
        match topics {
            Some(topics) => replace(&path, topics.join("\n").as_bytes()),
            None => fs::remove_file(path),
        }
    }

    /// Messages that are kept.
    pub(super) fn len(&self) -> u64 {
        self.files.iter().map(|file| file.records).sum()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// When the oldest message was pushed; none: there is none.
    pub(super) fn oldest_ms(&self) -> Option<u64> {
        let first = self.under_way.first_key_value().map(|(_, pushed_ms)| *pushed_ms);
        (self.len() > 0).then(|| first.unwrap_or(self.unread_ms))
    }

    /// Messages that were dropped since it was last asked.
    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// Keeps a message behind the others.
    ///
    /// # Errors
    ///
    /// It could not be kept, which is counted.
    pub(super) fn push(&mut self, message: &Message, unix_ms: u64) -> io::Result<()> {
        if self.len() == self.under_way.len() as u64 {
            self.unread_ms = unix_ms;
        }
        if let Err(error) = self.writable() {
            self.dropped += 1;
            return Err(error);
        }
        self.unwritten.only_here += 1;
        self.append(message, unix_ms).map(drop)
    }

    /// The same when everything was read: it is under way at once, and its place is told.
    pub(super) fn push_read(&mut self, message: &Message, unix_ms: u64) -> io::Result<Place> {
        self.writable()?;
        let (place, behind) = self.append(message, unix_ms)?;
        self.under_way.insert(place, unix_ms);
        self.read_at = behind;
        Ok(place)
    }

    /// Where it begins and ends.
    fn append(&mut self, message: &Message, unix_ms: u64) -> io::Result<(Place, Place)> {
        let Some(segment) = self.files.back_mut() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let place = (segment.number, segment.bytes);
        let before = self.unwritten.bytes.len();
        put_framed(&mut self.unwritten.bytes, |out| {
            out.extend_from_slice(&unix_ms.to_le_bytes());
            message.encode_into(out);
        });
        self.unwritten.from.get_or_insert(place);
        segment.bytes += (self.unwritten.bytes.len() - before) as u64;
        segment.records += 1;
        let behind = (segment.number, segment.bytes);
        while self.bytes() > self.bytes_max && self.files.len() > 1 {
            self.drop_first();
        }
        Ok((place, behind))
    }

    /// Writes what was pushed.
    ///
    /// # Errors
    ///
    /// The system does not take it: it is not kept, and what nobody else has is counted as dropped.
    pub(super) fn write(&mut self) -> io::Result<()> {
        let Unwritten { bytes, from, only_here } = std::mem::take(&mut self.unwritten);
        let Some(from) = from else { return Ok(()) };
        let Some(file) = self.writer.as_mut() else { return Ok(()) };
        let written = file.write_all(&bytes);
        if written.is_err() {
            // Part of it may be there, and nothing may follow it in this file.
            let _ = file.set_len(from.1);
            self.writer = None;
            self.dropped += only_here;
            let gone = self.under_way.split_off(&from).len() as u64 + only_here;
            if let Some(file) = self.files.iter_mut().find(|file| file.number == from.0) {
                file.records = file.records.saturating_sub(gone);
                file.bytes = from.1;
            }
        }
        self.unwritten.bytes = bytes;
        self.unwritten.bytes.clear();
        written
    }

    fn writable(&mut self) -> io::Result<()> {
        let file_max = (self.bytes_max / 16).clamp(FILE_BYTES_MIN, FILE_BYTES_MAX);
        let has_room = self.files.back().is_some_and(|file| file.bytes < file_max);
        if !has_room || self.unwritten.bytes.len() >= CHUNK_BYTES {
            self.write()?;
        }
        if self.writer.is_some() && has_room {
            return Ok(());
        }
        self.writer = None;
        let number = self.last_number + 1;
        // Payloads of clients: for nobody else.
        let path = self.path(number);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&FILE_HEAD)?;
        self.last_number = number;
        self.writer = Some(file);
        self.files.push_back(Segment { number, bytes: FILE_HEAD.len() as u64, records: 0 });
        Ok(())
    }

    /// The oldest file gives way.
    fn drop_first(&mut self) {
        let Some(file) = self.files.pop_front() else { return };
        let behind = (file.number + 1, 0);
        self.read_at = self.read_at.max(behind);
        let later = self.under_way.split_off(&behind);
        // What is under way is in memory as well.
        let sent = std::mem::replace(&mut self.under_way, later).len() as u64;
        self.dropped += file.records.saturating_sub(sent);
        self.settled = self.settled.split_off(&behind);
        self.remove(file.number);
    }

    fn remove(&mut self, number: u64) {
        if self.reader.as_ref().is_some_and(|reader| reader.number == number) {
            self.reader = None;
        }
        // What cannot be removed is removed at the next start.
        let _ = fs::remove_file(self.path(number));
    }

    /// The next message, with its place; it is under way until it is settled. What is too old is passed
    /// over and counted.
    pub(super) fn read(&mut self, unix_ms: u64) -> Option<(Place, Message)> {
        // What could not be written is counted.
        let _ = self.write();
        let files = self.files.iter().map(|file| file.number);
        let numbers: Vec<u64> = files.filter(|number| *number >= self.read_at.0).collect();
        for number in numbers {
            // A file that cannot be read is one that ends.
            while let Some((place, body)) = self.next_in(number).unwrap_or(None) {
                if self.settled.contains(&place) {
                    continue;
                }
                let since_ms = time_of(&body);
                let bytes = body.get(BODY_BYTES_MIN..).unwrap_or_default();
                self.unread_ms = since_ms;
                let message = Message::from_bytes(bytes).filter(|message| {
                    let is_over = message.expires_at_ms != 0 && message.expires_at_ms <= unix_ms;
                    since_ms.saturating_add(self.age_ms) > unix_ms && !is_over
                });
                let Some(message) = message else {
                    self.forget(place);
                    self.dropped += 1;
                    continue;
                };
                self.under_way.insert(place, since_ms);
                return Some((place, message));
            }
        }
        None
    }

    /// The next record of a file, from where reading has come.
    fn next_in(&mut self, number: u64) -> io::Result<Option<(Place, Vec<u8>)>> {
        let from = if self.read_at.0 == number { self.read_at.1 } else { 0 };
        let from = from.max(FILE_HEAD.len() as u64);
        let is_there = |reader: &Reader| reader.number == number && reader.offset == from;
        if !self.reader.as_ref().is_some_and(is_there) {
            let mut file = File::open(self.path(number))?;
            file.seek(SeekFrom::Start(from))?;
            self.reader = Some(Reader { number, file, buffer: Vec::new(), offset: from });
        }
        let Some(reader) = self.reader.as_mut() else { return Ok(None) };
        loop {
            match read_framed(&reader.buffer, BODY_BYTES_MIN..=BODY_BYTES_MAX) {
                Framed::Body(body, taken) => {
                    let (place, body) = ((number, reader.offset), body.to_vec());
                    reader.buffer.drain(..taken);
                    reader.offset += taken as u64;
                    self.read_at = (number, reader.offset);
                    return Ok(Some((place, body)));
                }
                // A process that died left half of one.
                Framed::Broken => return Ok(None),
                Framed::More(needed) => {
                    let want = needed.max(CHUNK_BYTES).saturating_sub(reader.buffer.len());
                    let mut rest = (&mut reader.file).take(want as u64);
                    if rest.read_to_end(&mut reader.buffer)? == 0 {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// The other side has a message, or will never take it.
    pub(super) fn settle(&mut self, place: Place) {
        if self.under_way.remove(&place).is_some() {
            if self.under_way.first_key_value().is_some_and(|(first, _)| *first < place) {
                self.settled.insert(place);
            }
            self.forget(place);
        }
    }

    fn forget(&mut self, place: Place) {
        if let Some(file) = self.files.iter_mut().find(|file| file.number == place.0) {
            file.records = file.records.saturating_sub(1);
        }
        self.drop_files();
    }

    /// Removes files in front of which nothing is left.
    fn drop_files(&mut self) {
        while let Some(first) = self.files.front()
            && first.records == 0
            && (self.files.len() > 1 || self.writer.is_none())
        {
            let number = first.number;
            self.files.pop_front();
            self.remove(number);
            self.read_at = self.read_at.max((number + 1, 0));
        }
    }

    /// What is under way did not arrive: it is read again.
    pub(super) fn rewind(&mut self) {
        self.read_at = self.position();
        if let Some((_, pushed_ms)) = self.under_way.first_key_value() {
            self.unread_ms = *pushed_ms;
        }
        self.under_way.clear();
        self.reader = None;
    }

    /// Everything before it is settled.
    fn position(&self) -> Place {
        self.under_way.first_key_value().map_or(self.read_at, |(first, _)| *first)
    }

    /// Notes how far everything is settled, now and then.
    pub(super) fn note(&mut self, now_ms: u64) -> io::Result<()> {
        let position = self.position();
        if position == self.noted || now_ms < self.note_at_ms {
            return Ok(());
        }
        (self.noted, self.note_at_ms) = (position, now_ms.saturating_add(NOTE_MS));
        self.settled = self.settled.split_off(&position);
        let mut bytes = Vec::new();
        put_framed(&mut bytes, |out| {
            out.extend_from_slice(&position.0.to_le_bytes());
            out.extend_from_slice(&position.1.to_le_bytes());
        });
        replace(&self.dir.join(POSITION), &bytes)
    }
}

/// When a record was pushed.
fn time_of(body: &[u8]) -> u64 {
    body.first_chunk().map_or(0, |time| u64::from_le_bytes(*time))
}

/// Writes a file so that whoever reads it finds the old or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, bytes)?;
    fs::rename(new, path)
}

fn read_position(path: &Path) -> Place {
    let bytes = fs::read(path).unwrap_or_default();
    let Framed::Body(body, _) = read_framed(&bytes, 16..=16) else { return (0, 0) };
    let (number, offset) = body.split_at(8);
    let word = |bytes: &[u8]| bytes.first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight));
    (word(number), word(offset))
}

fn read_agreed(path: &Path) -> Option<Vec<Box<str>>> {
    let text = fs::read_to_string(path).ok()?;
    let is_filter = |line: &&str| rookery_codec::check_topic_filter(line).is_ok();
    Some(text.lines().filter(is_filter).map(Box::from).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rookery_codec::QoS;
    use rookery_core::ids::MessageId;
    use rookery_core::message::{MessageParts, Publisher};

    use super::*;

    const DAY_MS: u64 = 86_400_000;

    struct Dir(PathBuf);

    impl Dir {
        fn new(name: &str) -> Self {
            let dir =
                std::env::temp_dir().join(format!("rookery-spool-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&dir);
            Self(dir)
        }

        fn open(&self, bytes_max: u64) -> Spool {
            Spool::open(&self.0, bytes_max, DAY_MS).unwrap()
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn message(n: u32, bytes: usize) -> Message {
        let payload: Vec<u8> = n.to_le_bytes().into_iter().cycle().take(bytes.max(4)).collect();
        let parts = MessageParts {
            id: MessageId(n.into()),
            timestamp_ms: 1,
            expires_at_ms: 0,
            seq: 0,
            qos: QoS::AtLeastOnce,
            retain: false,
            sys: false,
            topic: "t",
            properties: &[],
            payload: &payload,
        };
        let from = Publisher { client_id: "c".into(), username: None };
        Message::new(&parts, Arc::new(from), None)
    }

    fn fill(spool: &mut Spool, numbers: std::ops::Range<u32>, bytes: usize) {
        numbers.for_each(|n| spool.push(&message(n, bytes), 1).unwrap());
    }

    fn number(message: &Message) -> u32 {
        u32::from_le_bytes(*message.payload().first_chunk().unwrap())
    }

    fn all(spool: &mut Spool) -> Vec<(Place, u32)> {
        std::iter::from_fn(|| spool.read(2)).map(|(place, m)| (place, number(&m))).collect()
    }

    fn numbers(found: &[(Place, u32)]) -> Vec<u32> {
        found.iter().map(|(_, n)| *n).collect()
    }

    #[test]
    fn messages_come_in_order_and_again_until_they_are_settled() {
        let dir = Dir::new("order");
        let mut spool = dir.open(1 << 30);
        fill(&mut spool, 0..10, 10);
        let found = all(&mut spool);
        assert_eq!(numbers(&found), (0..10).collect::<Vec<_>>());
        // Two are settled, one of them out of order; then the connection is gone.
        spool.settle(found[0].0);
        spool.settle(found[4].0);
        fill(&mut spool, 10..12, 10);
        spool.rewind();
        let again = all(&mut spool);
        assert_eq!(numbers(&again), [1, 2, 3, 5, 6, 7, 8, 9, 10, 11]);
        again.iter().for_each(|(place, _)| spool.settle(*place));
        assert_eq!(spool.len(), 0);
        fill(&mut spool, 12..13, 10);
        assert_eq!(numbers(&all(&mut spool)), [12]);
    }

    #[test]
    fn what_a_process_left_is_found_from_where_it_was() {
        let dir = Dir::new("crash");
        let mut spool = dir.open(1 << 20);
        fill(&mut spool, 0..200, 2000);
        assert!(spool.files.len() > 3);
        let found = all(&mut spool);
        found[..150].iter().for_each(|(place, _)| spool.settle(*place));
        spool.note(1000).unwrap();
        spool.agree(Some(&["a/#".into()])).unwrap();
        drop(spool);
        // It died in the middle of a record.
        let last = fs::read_dir(&dir.0).unwrap().map(|e| e.unwrap().path());
        let last =
            last.filter(|path| path.extension().unwrap_or_default() == SUFFIX).max().unwrap();
        let bytes = fs::read(&last).unwrap();
        fs::write(&last, &bytes[..bytes.len() - 7]).unwrap();
        let mut spool = dir.open(1 << 20);
        assert_eq!(spool.agreed(), Some(&["a/#".into()][..]));
        assert_eq!(spool.len(), 49);
        fill(&mut spool, 200..203, 10);
        let wanted: Vec<u32> = (150..199).chain(200..203).collect();
        assert_eq!(numbers(&all(&mut spool)), wanted);
    }

    #[test]
    fn what_is_sent_at_once_is_found_by_the_next_run_until_it_is_settled() {
        let dir = Dir::new("sent");
        let mut spool = dir.open(1 << 20);
        let places: Vec<Place> =
            (0..40).map(|n| spool.push_read(&message(n, 2000), 7).unwrap()).collect();
        assert_eq!((spool.len(), spool.oldest_ms()), (40, Some(7)));
        assert_eq!(all(&mut spool), []);
        places[..30].iter().for_each(|place| spool.settle(*place));
        // The connection is gone, and more comes behind them.
        spool.rewind();
        spool.push(&message(40, 10), 8).unwrap();
        assert_eq!(spool.oldest_ms(), Some(7));
        spool.write().unwrap();
        spool.note(1000).unwrap();
        drop(spool);
        let mut spool = dir.open(1 << 20);
        assert_eq!((spool.len(), spool.oldest_ms()), (11, Some(7)));
        let found = all(&mut spool);
        assert_eq!(numbers(&found), (30..41).collect::<Vec<_>>());
        found.iter().for_each(|(place, _)| spool.settle(*place));
        assert_eq!((spool.len(), spool.oldest_ms()), (0, None));
    }

    #[test]
    fn what_cannot_be_written_is_counted_unless_it_is_sent() {
        let dir = Dir::new("unwritable");
        let mut spool = dir.open(1 << 20);
        let first = spool.push_read(&message(0, 10), 1).unwrap();
        spool.write().unwrap();
        spool.writer = Some(File::open(spool.path(spool.last_number)).unwrap());
        let second = spool.push_read(&message(1, 10), 1).unwrap();
        fill(&mut spool, 2..4, 10);
        assert!(spool.write().is_err());
        assert_eq!((spool.take_dropped(), spool.len()), (2, 1));
        spool.settle(second);
        assert_eq!(spool.len(), 1);
        spool.settle(first);
        // And it goes on in another file.
        fill(&mut spool, 4..6, 10);
        assert_eq!(numbers(&all(&mut spool)), [4, 5]);
        assert_eq!((spool.take_dropped(), spool.len()), (0, 2));
    }

    #[test]
    fn the_oldest_gives_way_and_is_counted() {
        let dir = Dir::new("full");
        let mut spool = dir.open(1 << 20);
        fill(&mut spool, 0..1000, 4000);
        assert!(spool.bytes() <= 1 << 20);
        let (dropped, found) = (spool.take_dropped(), all(&mut spool));
        assert_eq!(dropped + found.len() as u64, 1000);
        assert_eq!(found.last().unwrap().1, 999);
        let first = found[0].1;
        assert_eq!(numbers(&found), (first..1000).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_too_old_is_passed_over_and_counted() {
        let dir = Dir::new("old");
        let mut spool = dir.open(1 << 20);
        fill(&mut spool, 0..3, 10);
        spool.push(&message(3, 10), DAY_MS).unwrap();
        let found = spool.read(DAY_MS + 1).map(|(_, m)| number(&m));
        assert_eq!((found, spool.take_dropped(), spool.len()), (Some(3), 3, 1));
    }
}
