//! A viewer, as the command line tool is one: it sees the plugins through the bridge, and asks them.

use crate::Plugin;
use link::ipc::{InstanceSource, Membership, Requester};
use link::records::{InstanceInfo, InstanceKind, StemReadings};
use link::summary::SessionSummary;
use link::{BRIDGE, InstanceId, PeerView, ROSTER};
use std::sync::Arc;
use std::time::{Duration, Instant};

struct Nobody;

impl InstanceSource for Nobody {
    fn info(&self) -> InstanceInfo {
        InstanceInfo { kind: InstanceKind::Viewer, ..InstanceInfo::default() }
    }

    fn readings(&self) -> StemReadings {
        StemReadings::default()
    }
}

/// A viewer in this process, beside the plugins' library and not of it.
pub struct Viewer(Membership);

#[expect(clippy::missing_panics_doc, reason = "a host of tests fails by panicking")]
impl Viewer {
    /// One that has joined.
    #[expect(clippy::new_without_default, reason = "it takes a place among the plugins")]
    pub fn new() -> Self {
        Self(BRIDGE.join(None, Arc::new(Nobody)).expect("there is room"))
    }

    /// Under which it asks.
    pub fn id(&self) -> InstanceId {
        self.0.audio_writer.id().expect("it is there")
    }

    /// Desk that it asks from.
    pub fn requester(&self) -> Requester {
        self.0.requester()
    }

    /// View of a plugin, as soon as it is in the roster.
    pub fn find(&self, id: InstanceId) -> PeerView {
        eventually("the plugin is seen", || ROSTER.find(id))
    }

    /// SessionSummary of a Master, as soon as it satisfies `is`.
    pub fn summary(&self, master: InstanceId, is: impl Fn(&SessionSummary) -> bool) -> SessionSummary {
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

/// Waits until something is so, and returns it.
///
/// # Panics
/// If it is not within a minute.
pub fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
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
pub fn saved(plugin: &mut Plugin, key: &str) -> Option<u64> {
    let state = plugin.save();
    let text = String::from_utf8_lossy(&state[8..]).into_owned();
    let start = format!("\\\"{key}\\\":\\\"");
    let at = text.find(&start)? + start.len();
    u64::from_str_radix(&text[at..at + 16], 16).ok()
}

/// The id of an instance that was activated.
///
/// # Panics
/// If it was not.
pub fn id(plugin: &mut Plugin) -> InstanceId {
    saved(plugin, "instance").and_then(InstanceId::new).expect("it has been activated")
}
