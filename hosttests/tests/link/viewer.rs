//! A viewer, as the command line tool is one: it sees the plugins through the bridge, and asks them.

use hosttests::Plugin;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use stemlink::link::bridge::{Desk, Informant, Membership};
use stemlink::link::identity::unique;
use stemlink::link::snapshot::{Figures, Kind, Label};
use stemlink::link::summary::Summary;
use stemlink::link::{BRIDGE, InstanceId, Peer, ROSTER};

/// The variable that tells a process which test it is.
const ALONE: &str = "STEMLINK_TEST_ALONE";

/// Some tests play in real time: none shares the machine with another one.
static TURN: Mutex<()> = Mutex::new(());

/// A folder that is removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("stemlink-host-{}", unique()));
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

struct Nobody;

impl Informant for Nobody {
    fn label(&self) -> Label {
        Label { kind: Kind::Viewer, ..Label::default() }
    }

    fn figures(&self) -> Figures {
        Figures::default()
    }
}

/// A viewer in this process, beside the plugins' library and not of it.
pub(crate) struct Viewer(Membership);

impl Viewer {
    pub(crate) fn new() -> Self {
        Self(BRIDGE.join(None, Arc::new(Nobody)).expect("there is room"))
    }

    /// Under which it asks.
    pub(crate) fn id(&self) -> InstanceId {
        self.0.outlet.id().expect("it is there")
    }

    pub(crate) fn desk(&self) -> Desk {
        self.0.desk()
    }

    /// Who a plugin is, as soon as it can be seen.
    pub(crate) fn find(&self, id: InstanceId) -> Peer {
        eventually("the plugin is seen", || ROSTER.find(id))
    }

    /// What a Master says, as soon as it is what is waited for.
    pub(crate) fn summary(&self, master: InstanceId, is: impl Fn(&Summary) -> bool) -> Summary {
        let mut last = None;
        eventually_or(
            || {
                last = ROSTER.find(master).and_then(|peer| peer.summary());
                last.filter(|summary| is(summary))
            },
            || format!("the Master last said {:?}", ROSTER.find(master).and_then(|peer| peer.summary())),
        )
    }
}

/// Waits until something is so.
pub(crate) fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    eventually_or(look, || what.to_owned())
}

fn eventually_or<T>(mut look: impl FnMut() -> Option<T>, what: impl Fn() -> String) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(240), "never: {}", what());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A number that a plugin's state has under `key`, as 16 hexadecimal digits.
pub(crate) fn saved(plugin: &mut Plugin, key: &str) -> Option<u64> {
    let state = plugin.save();
    let text = String::from_utf8_lossy(&state[8..]).into_owned();
    let start = format!("\\\"{key}\\\":\\\"");
    let at = text.find(&start)? + start.len();
    u64::from_str_radix(&text[at..at + 16], 16).ok()
}

/// The id of an instance that was activated.
pub(crate) fn id(plugin: &mut Plugin) -> InstanceId {
    saved(plugin, "instance").and_then(InstanceId::new).expect("it has been activated")
}
