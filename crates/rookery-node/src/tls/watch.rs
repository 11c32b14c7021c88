//! Notices that certificate files change: one thread, woken by the kernel.
//!
//! Directories are watched, not files: most tools replace a file by renaming another one over it,
//! and secrets are often links that are turned to a new directory.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;

use crate::listeners::Listeners;

/// A certificate and its key are seldom written in the same moment: wait for this much silence.
const QUIET: Duration = Duration::from_millis(300);
/// But no longer than this.
const PATIENCE: Duration = Duration::from_secs(3);
/// Names in which secrets of an orchestrator are turned around begin with this.
const TURNED_AROUND: &[u8] = b"..";

/// The thread; dropping it ends it.
pub(crate) struct Watcher {
    control: Arc<Control>,
    thread: Option<JoinHandle<()>>,
}

struct Control {
    wake: OwnedFd,
    is_stopping: AtomicBool,
}

impl Control {
    fn wake(&self) {
        // A full counter means that it is readable already.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }
}

impl Watcher {
    /// Starts watching the files of these listeners.
    pub(crate) fn start(listeners: Arc<Listeners>) -> std::io::Result<Self> {
        let wake = rustix::event::eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        let control = Arc::new(Control { wake, is_stopping: AtomicBool::new(false) });
        let flags = inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC;
        let mut watch = Watch {
            inotify: inotify::init(flags)?,
            directories: HashMap::new(),
            names: HashSet::new(),
        };
        watch.look_at(&listeners.certificate_files());
        let theirs = control.clone();
        let thread = std::thread::Builder::new()
            .name("rookery-certs".into())
            .stack_size(512 * 1024)
            .spawn(move || watch.run(&theirs, &listeners))?;
        Ok(Self { control, thread: Some(thread) })
    }

    /// The listeners changed: other files may have to be watched.
    pub(crate) fn look_again(&self) {
        self.control.wake();
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.control.is_stopping.store(true, Ordering::Release);
        self.control.wake();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported on stderr.
            let _ = thread.join();
        }
    }
}

struct Watch {
    inotify: OwnedFd,
    /// By watch descriptor.
    directories: HashMap<i32, PathBuf>,
    /// Names of files whose change counts.
    names: HashSet<OsString>,
}

impl Watch {
    fn run(mut self, control: &Control, listeners: &Listeners) {
        // When the first change of a batch came, and when the last.
        let mut changes: Option<(Instant, Instant)> = None;
        loop {
            let timeout = changes.map(|(first, last)| {
                (last + QUIET).min(first + PATIENCE).saturating_duration_since(Instant::now())
            });
            let is_due = timeout == Some(Duration::ZERO);
            if is_due {
                changes = None;
                // Before, so that no later change is missed; after, because links may lead elsewhere.
                self.look_at(&listeners.certificate_files());
                let _ = listeners.reload_certificates();
                self.look_at(&listeners.certificate_files());
                continue;
            }
            let timeout = timeout.and_then(|left| Timespec::try_from(left).ok());
            let mut fds = [
                PollFd::from_borrowed_fd(rustix::fd::AsFd::as_fd(&self.inotify), PollFlags::IN),
                PollFd::from_borrowed_fd(rustix::fd::AsFd::as_fd(&control.wake), PollFlags::IN),
            ];
            if poll(&mut fds, timeout.as_ref()).is_err() {
                continue;
            }
            if control.is_stopping.load(Ordering::Acquire) {
                return;
            }
            let mut count = [0; 8];
            if rustix::io::read(&control.wake, &mut count).is_ok() {
                self.look_at(&listeners.certificate_files());
            }
            if self.has_changes() {
                let now = Instant::now();
                changes = Some((changes.map_or(now, |(first, _)| first), now));
            }
        }
    }

    /// Watches the directories of these files, and no others.
    fn look_at(&mut self, files: &[PathBuf]) {
        let mut wanted = HashSet::new();
        self.names.clear();
        for file in files {
            // The file as it is named, and what it points to.
            for path in [Some(file.clone()), std::fs::canonicalize(file).ok()].into_iter().flatten()
            {
                wanted.extend(self.nearest_directory(&path));
            }
        }
        self.directories.retain(|watch, directory| {
            let stays = wanted.remove(directory.as_path());
            if !stays {
                let _ = inotify::remove_watch(&self.inotify, *watch);
            }
            stays
        });
        let flags = inotify::WatchFlags::CLOSE_WRITE
            | inotify::WatchFlags::MOVED_TO
            | inotify::WatchFlags::CREATE
            | inotify::WatchFlags::ONLYDIR;
        for directory in wanted {
            if let Ok(watch) = inotify::add_watch(&self.inotify, &directory, flags) {
                self.directories.insert(watch, directory);
            }
        }
    }

    /// The directory of a file, or the nearest above it that is there; the name of what is to appear
    /// in it is noted.
    fn nearest_directory(&mut self, path: &Path) -> Option<PathBuf> {
        for (below, directory) in path.ancestors().zip(path.ancestors().skip(1)) {
            let here = if directory == Path::new("") { Path::new(".") } else { directory };
            if here.is_dir() {
                self.names.insert(below.file_name()?.to_owned());
                return Some(here.to_owned());
            }
        }
        None
    }

    /// Takes what the kernel noticed; whether it can concern one of the files.
    fn has_changes(&mut self) -> bool {
        let mut buffer = [MaybeUninit::<u8>::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.inotify, &mut buffer);
        let mut found = false;
        let mut lost = Vec::new();
        while let Ok(event) = reader.next() {
            if event.events().contains(inotify::ReadFlags::IGNORED) {
                lost.push(event.wd());
                found = true;
            }
            found |= event.events().contains(inotify::ReadFlags::QUEUE_OVERFLOW);
            if let Some(name) = event.file_name() {
                let name = OsString::from_vec(name.to_bytes().to_vec());
                let is_ours =
                    name.as_bytes().starts_with(TURNED_AROUND) || self.names.contains(&name);
                // A file that was just made is still being written; a link or a directory is complete.
                let is_made = event.events().contains(inotify::ReadFlags::CREATE);
                let is_file = || {
                    let made = self.directories.get(&event.wd()).map(|d| d.join(&name));
                    made.and_then(|path| path.symlink_metadata().ok()).is_none_or(|m| m.is_file())
                };
                found |= is_ours && !(is_made && is_file());
            }
        }
        for watch in lost {
            self.directories.remove(&watch);
        }
        found
    }
}
