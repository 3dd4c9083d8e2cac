//! Bridge of a process: its memberships, and the worker thread that exists as long as there are any.

use super::checked_dir;
use super::intervals::Intervals;
use super::member::{LocalMember, complete_info};
use super::process;
use super::requester::Requester;
use super::shared::{BridgeShared, BridgeState};
use super::source::InstanceSource;
use super::worker;
use crate::identity::{InstanceId, ProcessIdentity, unique_id, unix_nanoseconds};
use crate::records::InstanceInfo;
use crate::roster::{AudioWriter, PeerView, Roster};
use crate::slot::Origin;
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

/// Connection of one roster to those of other processes, meant for a `static` beside the roster.
#[derive(Debug)]
pub struct Bridge {
    shared: BridgeShared,
    /// Folders to meet in; `None` for the usual ones.
    folders: Option<&'static [&'static str]>,
    pub(super) process: OnceLock<ProcessIdentity>,
    /// The worker while it runs; locked also while it starts and ends.
    pub(super) worker: Mutex<Option<JoinHandle<()>>>,
}

impl Bridge {
    /// Connects `roster` to the rosters of all processes of this user.
    pub const fn new(roster: &'static Roster) -> Self {
        Self::with_folders(roster, None, Intervals::DEFAULT)
    }

    /// Connects `roster` to those that meet in the first of `folders` that works; `None` for the usual ones.
    pub const fn with_folders(
        roster: &'static Roster,
        folders: Option<&'static [&'static str]>,
        intervals: Intervals,
    ) -> Self {
        Self {
            shared: BridgeShared::new(roster, intervals),
            folders,
            process: OnceLock::new(),
            worker: Mutex::new(None),
        }
    }

    /// Adds an instance, under `wanted` unless another in this process has that id, and starts the worker with the
    /// first one. Returns `None` if the roster is full. For the host's activation: allocates and may start a thread.
    pub fn join(
        &'static self,
        wanted: Option<InstanceId>,
        source: Arc<dyn InstanceSource>,
    ) -> Option<Membership> {
        let mut worker = self.worker.lock();
        let process = *self.process.get_or_init(process::current_process);
        let host = process::host_program();
        let origin = InstanceInfo { host, process, born: unix_nanoseconds(), ..InstanceInfo::default() };
        let info = complete_info(source.info(), &origin);
        let (audio_writer, control_writer) = self.shared.roster.join(Origin::Local, wanted, &info)?;
        let control_writer = Mutex::new(control_writer);
        let member = Arc::new(LocalMember { key: unique_id().get(), origin, control_writer, source });
        self.shared.members.lock().push(Arc::clone(&member));
        if worker.as_ref().is_none_or(JoinHandle::is_finished) {
            let folders = self.folders();
            let run = move || worker::run(&self.shared, process, folders);
            match std::thread::Builder::new().name("stemlink link".into()).spawn(run) {
                Ok(handle) => {
                    *self.shared.worker_thread.lock() = Some(handle.thread().clone());
                    *worker = Some(handle);
                }
                Err(error) => self.shared.state.lock().fault = format!("no thread for the link: {error}"),
            }
        }
        drop(worker);
        self.wake_worker();
        Some(Membership { audio_writer, member, bridge: self })
    }

    /// State of the connection. Takes a lock and allocates.
    pub fn state(&self) -> BridgeState {
        self.shared.state.lock().clone()
    }

    /// The roster with all instances in reach.
    pub fn roster(&self) -> &'static Roster {
        self.shared.roster
    }

    /// Starts the worker's next round at once.
    pub fn wake_worker(&self) {
        self.shared.wake_worker();
    }

    fn folders(&self) -> Vec<PathBuf> {
        match self.folders {
            Some(folders) => folders.iter().map(PathBuf::from).collect(),
            None => checked_dir::folders(),
        }
    }

    fn leave(&self, member: &Arc<LocalMember>) {
        let mut worker = self.worker.lock();
        let is_last = {
            let mut members = self.shared.members.lock();
            members.retain(|other| !Arc::ptr_eq(other, member));
            members.is_empty()
        };
        self.wake_worker();
        if is_last && let Some(handle) = worker.take() {
            // the worker ends without members; a panic of it is in the state already
            drop(handle.join());
            *self.shared.worker_thread.lock() = None;
        }
    }
}

/// Membership of an instance in the link, until it is dropped. Dropping the last one ends the worker and removes its
/// files.
#[derive(Debug)]
pub struct Membership {
    /// Writer for the audio thread.
    pub audio_writer: AudioWriter,
    member: Arc<LocalMember>,
    bridge: &'static Bridge,
}

impl Membership {
    /// View of the instance, as others have it.
    pub fn view(&self) -> PeerView {
        self.member.control_writer.lock().view()
    }

    /// Sender of requests to other instances, for windows.
    pub fn requester(&self) -> Requester {
        Requester { member: Arc::downgrade(&self.member), shared: &self.bridge.shared }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.bridge.leave(&self.member);
    }
}
