//! The link between processes: real ones, started by the tests, running at any speed, stopped and killed.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use link::bridge::{Bridge, InstanceSource, Intervals, Membership};
use link::identity::unique;
use link::snapshot::{BlockStatus, InstanceInfo, Kind, StemReadings};
use link::words::Text;
use link::{BRIDGE, PeerView, Roster};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use units::{Db, Hz};

#[path = "link/child.rs"]
mod child;
#[path = "link/full_disk.rs"]
mod full_disk;
#[path = "link/kill.rs"]
mod kill;
#[path = "link/speed.rs"]
mod speed;

const RATE: Hz = Hz(48_000.0);

/// Held by tests that need the machine for themselves.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The song that every stem plays: a number for each position, exact in `f32`.
fn song(position: i64) -> f64 {
    let mixed = position.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    mixed as f64 / f64::from(1 << 24) - 0.5
}

/// An instance without a plugin around it: a Master listens to everybody.
struct Puppet {
    kind: Kind,
    name: String,
}

impl InstanceSource for Puppet {
    fn label(&self) -> InstanceInfo {
        InstanceInfo { kind: self.kind, name: Text::new(&self.name), ..InstanceInfo::default() }
    }

    fn figures(&self) -> StemReadings {
        StemReadings::default()
    }

    fn listens(&self, _: &PeerView) -> bool {
        true
    }
}

fn join(bridge: &'static Bridge, kind: Kind, name: &str) -> Membership {
    bridge.join(None, Arc::new(Puppet { kind, name: name.into() })).unwrap()
}

/// A runtime folder of its own for each test, removed at the end.
struct Runtime(PathBuf);

impl Runtime {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("stemlink-test-{}", unique()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn folder(&self) -> PathBuf {
        self.0.join("stemlink-1")
    }

    /// A bridge in this process that meets others there.
    fn bridge(&self) -> &'static Bridge {
        self.bridge_at(Intervals::DEFAULT)
    }

    /// One with a pace of its own.
    fn bridge_at(&self, pace: Intervals) -> &'static Bridge {
        static ROSTERS: [Roster; 20] = [const { Roster::new() }; 20];
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let roster = &ROSTERS[NEXT.fetch_add(1, Ordering::Relaxed)];
        let place: &str = Box::leak(self.folder().to_str().unwrap().to_owned().into_boxed_str());
        let places: &'static [&'static str] = Box::leak(Box::new([place]));
        Box::leak(Box::new(Bridge::between(roster, Some(places), pace)))
    }

    /// A process that is to play a part of [`child`].
    fn start(&self, part: &str, name: &str) -> Process {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["child::child", "--exact", "--nocapture"])
            .env("XDG_RUNTIME_DIR", &self.0)
            .env(child::PART, part)
            .env(child::NAME, name)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Process(child)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A process that is killed at the end, if not before.
struct Process(Child);

impl Process {
    /// SIGKILL: nothing of it runs any more.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Waits until something is so.
#[track_caller]
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The instance of that name, as soon as it is there.
#[track_caller]
fn meet(bridge: &'static Bridge, name: &str) -> PeerView {
    let named = |peer: &PeerView| peer.label().is_some_and(|label| label.name == Text::new(name));
    eventually(name, || bridge.roster().peers().find(named))
}

/// Names of the files in the folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}
