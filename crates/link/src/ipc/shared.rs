//! State that a bridge shares with its worker, its memberships and their requesters.

use super::intervals::Intervals;
use super::member::LocalMember;
use crate::roster::Roster;
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::Thread;

/// State of the connection to other processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BridgeState {
    /// Folder in which processes exchange files; `None` while the exchange does not work.
    pub folder: Option<PathBuf>,
    /// Reason why the exchange does not work, or not completely, with its cure; empty if there is none.
    pub fault: String,
    /// Protocol versions of instances that speak another one, one entry for each instance.
    pub incompatible: Vec<u64>,
}

/// Shared part of a bridge.
#[derive(Debug)]
pub(super) struct BridgeShared {
    pub(super) roster: &'static Roster,
    pub(super) intervals: Intervals,
    pub(super) members: Mutex<Vec<Arc<LocalMember>>>,
    pub(super) state: Mutex<BridgeState>,
    /// The worker's thread, to wake it.
    pub(super) worker_thread: Mutex<Option<Thread>>,
}

impl BridgeShared {
    pub(super) const fn new(roster: &'static Roster, intervals: Intervals) -> Self {
        let state = BridgeState { folder: None, fault: String::new(), incompatible: Vec::new() };
        Self {
            roster,
            intervals,
            members: Mutex::new(Vec::new()),
            state: Mutex::new(state),
            worker_thread: Mutex::new(None),
        }
    }

    /// Starts the worker's next round at once.
    pub(super) fn wake_worker(&self) {
        if let Some(thread) = self.worker_thread.lock().as_ref() {
            thread.unpark();
        }
    }
}
