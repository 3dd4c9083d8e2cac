//! A viewer, as the command line tool is one: it sees the plugins through the bridge, and asks them.

use crate::Plugin;
use link::ipc::{InstanceSource, Membership, Requester};
use link::records::{InstanceInfo, InstanceKind, StemReadings};
use link::summary::SessionSummary;
use link::{BRIDGE, InstanceId, PeerView, ROSTER};
use std::fmt;
use std::sync::Arc;

pub use testkit::eventually;

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
        let last = || ROSTER.find(master).and_then(|peer| peer.summary());
        let what = fmt::from_fn(|f| write!(f, "the Master last said {:?}", last()));
        eventually(what, || last().filter(|summary| is(summary)))
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
