//! Tests that are a process of their own, and meet others in a folder of their own.

use link::identity::unique_id;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The variable that tells a process which test it is.
const ALONE: &str = "STEMLINK_TEST_ALONE";

/// Some tests play in real time: none shares the machine with another one.
static TURN: Mutex<()> = Mutex::new(());

/// A folder that is removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("stemlink-host-{}", unique_id()));
        std::fs::create_dir(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Runs `body`, the whole of the test called `name`, in a process of its own, which meets others in a folder of its own.
pub(crate) fn alone(name: &str, body: impl FnOnce()) {
    let folder = Folder::new();
    alone_in(name, Some(folder.0.clone()), body);
}

/// The same with that runtime folder, or none.
#[allow(clippy::print_stdout, reason = "what the process has said is shown like the test's own words")]
pub(crate) fn alone_in(name: &str, runtime: Option<PathBuf>, body: impl FnOnce()) {
    if std::env::var(ALONE).is_ok_and(|test| test == name) {
        return body();
    }
    let mut command = Command::new(std::env::current_exe().expect("a test has a path"));
    command
        .args([name, "--exact", "--nocapture", "--include-ignored"])
        .env(ALONE, name)
        .env_remove("XDG_RUNTIME_DIR");
    if let Some(runtime) = runtime {
        command.env("XDG_RUNTIME_DIR", runtime);
    }
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let output = command.output().expect("the test starts");
    drop(turn);
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(said.contains("1 passed"), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}
