//! The link between real processes that the tests start, run at several speeds, stop and kill.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use link::identity::unique_id;
use link::ipc::{Bridge, InstanceSource, Intervals, Membership};
use link::records::{BlockStatus, InstanceInfo, InstanceKind, StemReadings};
use link::text::Text;
use link::{BRIDGE, PeerView, Roster};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use testkit::eventually;
use units::{Db, Hz};

#[path = "processes/child.rs"]
mod child;
#[path = "processes/full_disk.rs"]
mod full_disk;
#[path = "processes/kill.rs"]
mod kill;
#[path = "processes/speed.rs"]
mod speed;

const RATE: Hz = Hz(48_000.0);

/// Returns a lock for tests that need the machine for themselves.
fn lock_machine() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sample of the song that every Stem plays, by position, exact in `f32`.
fn song(position: i64) -> f64 {
    let mixed = position.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    mixed as f64 / f64::from(1 << 24) - 0.5
}

/// An instance without a plugin, which as a Master listens to every Stem.
struct SilentSource {
    kind: InstanceKind,
    name: String,
}

impl InstanceSource for SilentSource {
    fn info(&self) -> InstanceInfo {
        InstanceInfo { kind: self.kind, name: Text::new(&self.name), ..InstanceInfo::default() }
    }

    fn readings(&self) -> StemReadings {
        StemReadings::default()
    }

    fn wants_audio(&self, _: &PeerView) -> bool {
        true
    }
}

fn join(bridge: &'static Bridge, kind: InstanceKind, name: &str) -> Membership {
    bridge.join(None, Arc::new(SilentSource { kind, name: name.into() })).unwrap()
}

/// A runtime folder of its own for each test, removed at the end.
struct TestRuntime(PathBuf);

impl TestRuntime {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("stemlink-test-{}", unique_id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn folder(&self) -> PathBuf {
        self.0.join("stemlink-1")
    }

    /// A bridge in this process that uses the folder.
    fn bridge(&self) -> &'static Bridge {
        self.bridge_with(Intervals::DEFAULT)
    }

    /// A bridge with these intervals.
    fn bridge_with(&self, intervals: Intervals) -> &'static Bridge {
        static ROSTERS: [Roster; 20] = [const { Roster::new() }; 20];
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let roster = &ROSTERS[NEXT.fetch_add(1, Ordering::Relaxed)];
        let folder: &str = Box::leak(self.folder().to_str().unwrap().to_owned().into_boxed_str());
        let folders: &'static [&'static str] = Box::leak(Box::new([folder]));
        Box::leak(Box::new(Bridge::with_folders(roster, Some(folders), intervals)))
    }

    /// Starts a process with a role of [`child`].
    fn start(&self, role: &str, name: &str) -> ChildProcess {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["child::child", "--exact", "--nocapture"])
            .env("XDG_RUNTIME_DIR", &self.0)
            .env(child::ROLE, role)
            .env(child::NAME, name)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        ChildProcess(child)
    }
}

impl Drop for TestRuntime {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A child process, killed when dropped.
struct ChildProcess(Child);

impl ChildProcess {
    /// Kills the process (SIGKILL).
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Returns the instance of that name, as soon as there is one.
#[track_caller]
fn find_named(bridge: &'static Bridge, name: &str) -> PeerView {
    let named = |peer: &PeerView| peer.info().is_some_and(|info| info.name == Text::new(name));
    eventually(name, || bridge.roster().peers().find(named))
}

/// Names of the files in the folder.
fn file_names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}
