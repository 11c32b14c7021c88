//! The store on real files: kill -9 under load, the directory's lock and modes.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rookery_store::{
    Batch, CommitError, Completion, MessageRef, Op, ReadResult, Store, StoreError, StoreOptions,
    SyncPolicy, Table, smallvec,
};

const CHILD_DIR: &str = "ROOKERY_STORE_TEST_CHILD_DIR";
const ROUNDS: usize = 12;

/// A directory of this test, removed at the end.
struct TempDir(PathBuf);

impl TempDir {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("rookery-store-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        Self(dir)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Prints tickets as they are completed.
struct Printer(Mutex<u64>);

impl Completion for Printer {
    fn committed(&self, _shard: u16, ticket: u64, result: Result<(), CommitError>) {
        assert_eq!(result, Ok(()));
        let mut last = self.0.lock().unwrap();
        let mut out = std::io::stdout().lock();
        for ticket in *last + 1..=ticket {
            // The parent may be gone already; then this process ends soon, too.
            let _ = writeln!(out, "acked {ticket}");
        }
        let _ = out.flush();
        *last = ticket;
    }

    fn read_done(&self, _shard: u16, _token: u64, _messages: Vec<(u64, ReadResult)>) {}
}

fn options(dir: &Path) -> StoreOptions {
    let mut options = StoreOptions::new(dir);
    options.sync = SyncPolicy::Interval(Duration::from_millis(1));
    options.segment_bytes = 64 << 10;
    options
}

fn message(ticket: u64) -> Arc<[u8]> {
    (0..ticket % 900).map(|at| (ticket + at) as u8).collect()
}

/// Not a test of its own: the process that is killed. Writes until then; every third message
/// and every second key goes again, so that compaction has work.
#[test]
fn child() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    let printer = Arc::new(Printer(Mutex::new(0)));
    let (store, mut recovered) = Store::open(options(Path::new(&dir)), printer.clone()).unwrap();
    let mut first = 0;
    recovered
        .for_each(|_, key, _| first = first.max(u64::from_le_bytes(key.try_into().unwrap())))
        .unwrap();
    drop(recovered);
    *printer.0.lock().unwrap() = first;
    for ticket in first + 1.. {
        let seq = store.next_seq();
        let refs = smallvec![MessageRef { session: ticket % 7, flags: 1, meta: ticket as u32 }];
        let key = Box::from(ticket.to_le_bytes());
        let mut ops = vec![
            Op::Publish { seq, message: message(ticket), refs, is_moved: false },
            Op::Put { table: Table(2), key, value: Box::from(seq.to_le_bytes()) },
        ];
        if ticket % 3 == 0 {
            ops.push(Op::Ack { session: ticket % 7, seq });
        }
        store.submit(0, ticket, Batch { epoch: 1, ops });
        while store.backlog_bytes() > 64 << 10 {
            std::thread::yield_now();
        }
    }
}

#[test]
fn nothing_completed_is_lost_when_the_process_is_killed() {
    let dir = TempDir::new("kill");
    let mut acked = 0;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture"])
            .env(CHILD_DIR, &dir.0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut left = 50 + round * 137;
        for line in lines {
            let line = line.unwrap();
            if let Some(ticket) = line.rsplit_once("acked ").map(|(_, ticket)| ticket) {
                acked = ticket.parse().unwrap();
                left -= 1;
                if left == 0 {
                    child.kill().unwrap();
                    left = usize::MAX; // read what it printed before it died
                }
            }
        }
        child.wait().unwrap();
        check(&dir.0, acked);
    }
}

fn check(dir: &Path, acked: u64) {
    let printer = Arc::new(Printer(Mutex::new(0)));
    let (store, mut recovered) = Store::open(options(dir), printer).unwrap();
    assert_eq!(recovered.report.corrupt, vec![]);
    let mut seqs = Vec::new();
    recovered
        .for_each(|_, key, value| {
            let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
            seqs.push((number(key), number(value)));
        })
        .unwrap();
    seqs.sort_unstable();
    assert!(seqs.len() as u64 >= acked, "{} keys, {acked} acknowledged", seqs.len());
    let held: HashSet<u64> = recovered.sessions.values().flatten().map(|one| one.seq).collect();
    for (at, (ticket, seq)) in seqs.into_iter().enumerate() {
        assert_eq!(ticket, at as u64 + 1, "no hole");
        let is_held = ticket % 3 != 0;
        assert_eq!(held.contains(&seq), is_held, "ticket {ticket}");
        assert_eq!(store.read(seq).unwrap(), is_held.then(|| message(ticket)));
    }
}

#[test]
fn a_directory_has_one_owner_and_is_private() {
    let dir = TempDir::new("lock");
    let printer = || Arc::new(Printer(Mutex::new(0)));
    let (store, recovered) = Store::open(options(&dir.0), printer()).unwrap();
    drop(recovered);
    let error = Store::open(options(&dir.0), printer()).err();
    let pid = Some(std::process::id());
    assert_eq!(error, Some(StoreError::Locked { dir: dir.0.clone(), pid }));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir.0), 0o700);
    for entry in fs::read_dir(&dir.0).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    store.close().unwrap();
    let (_store, recovered) = Store::open(options(&dir.0), printer()).unwrap();
    assert!(recovered.report.clean_shutdown);
}
