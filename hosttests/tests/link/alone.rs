//! Tests that are a process of their own, and meet others in a folder of their own.

use hosttests::host::{WORST_HOST, is_worst, on_a_small_stack};
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

/// Runs `body`, the whole of the test called `name`, in a process of its own, which meets others in a folder of its own;
/// in a thorough run once more in the worst host.
pub(crate) fn alone(name: &str, body: impl FnOnce() + Send) {
    in_hosts(name, if testkit::is_thorough() { &[false, true] } else { &[false] }, body);
}

/// The same, always in both hosts.
pub(crate) fn alone_in_every_host(name: &str, body: impl FnOnce() + Send) {
    in_hosts(name, &[false, true], body);
}

fn in_hosts(name: &str, worst: &[bool], body: impl FnOnce() + Send) {
    if is_child(name) {
        return run(body);
    }
    for &worst in worst {
        let folder = Folder::new();
        run_child(name, Some(folder.0.clone()), worst);
    }
}

/// The same with that runtime folder, or none, and in the usual host alone.
pub(crate) fn alone_in(name: &str, runtime: Option<PathBuf>, body: impl FnOnce() + Send) {
    if is_child(name) {
        return run(body);
    }
    run_child(name, runtime, false);
}

fn is_child(name: &str) -> bool {
    std::env::var(ALONE).is_ok_and(|test| test == name)
}

/// Runs the body as the host's main thread.
fn run(body: impl FnOnce() + Send) {
    if is_worst() { on_a_small_stack(body) } else { body() }
}

#[allow(clippy::print_stdout, reason = "what the process has said is shown like the test's own words")]
fn run_child(name: &str, runtime: Option<PathBuf>, worst: bool) {
    let mut command = Command::new(std::env::current_exe().expect("a test has a path"));
    command
        .args([name, "--exact", "--nocapture", "--include-ignored"])
        .env(ALONE, name)
        .env(WORST_HOST, if worst { "1" } else { "0" })
        .env_remove("XDG_RUNTIME_DIR");
    if let Some(runtime) = runtime {
        command.env("XDG_RUNTIME_DIR", runtime);
    }
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let output = command.output().expect("the test starts");
    drop(turn);
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    let host = if worst { "the worst host" } else { "the usual host" };
    assert!(said.contains("1 passed"), "in {host}: {said}\n{}", String::from_utf8_lossy(&output.stderr));
}
