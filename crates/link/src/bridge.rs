//! The way to other processes: sandboxed hosts, and the CLAP and the VST3 build side by side.
//!
//! Every process has one worker thread while it has instances, and never before. It keeps a file for each of its own
//! instances in a folder of the user's ([`folder`]), and a slot in the roster for each instance of others that it
//! finds there. Files are read and written at positions, never mapped, so that nothing a stranger does to a file can
//! do more than make it unreadable. Audio crosses only while a Master elsewhere listens.
//!
//! Audio threads do not know of any of this. When the bridge cannot work (no folder, no room), instances here still
//! see each other, and [`Bridge::state`] says what is wrong.

mod export;
pub mod folder;
mod format;
mod import;
mod lock;
mod names;
pub mod onlooker;
mod pace;
mod process;
mod worker;

pub use format::VERSION;
pub use pace::Intervals;

use super::identity::{InstanceId, ProcessIdentity, now, unique};
use super::order::{Order, Orders};
use super::request::Request;
use super::roster::{AudioWriter, ControlWriter, PeerView, Roster};
use super::slot::Origin;
use super::snapshot::{InstanceInfo, StemReadings};
use super::summary::Summary;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{JoinHandle, Thread};
use units::Db;

#[cfg(test)]
mod tests;

/// An instance, as the bridge asks it on its own thread a few times a second. None of it may wait for an audio thread, and
/// but for [`Self::housekeep`], [`Self::hear`] and [`Self::consider`] it changes nothing.
pub trait InstanceSource: Send + Sync {
    /// Brings up to date what the other methods return. Called first in every round.
    fn housekeep(&self) {}

    /// What the instance is called and so on. Host, process and birth are filled in by the bridge.
    fn label(&self) -> InstanceInfo;

    /// Readings, spectrum, and the trim as it is.
    fn figures(&self) -> StemReadings;

    /// What a Master has found out.
    fn summary(&self) -> Summary {
        Summary::default()
    }

    /// Whether a Master wants the audio of this foreign stem.
    fn listens(&self, _stem: &PeerView) -> bool {
        false
    }

    /// How a Master wants the instance heard at the moment; `None`: as it is. Called in every round.
    fn hear(&self, _order: Option<&Order>) {}

    /// A Master asks for a trim: to be taken or refused by [`super::snapshot::Trim::consider`]. A Master is asked to
    /// predict what its answer in [`Self::summary`] then says.
    fn consider(&self, _sender: InstanceId, _request: &Request) {}
}

/// What is to be known about the bridge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Where processes meet; `None` while the bridge does not work.
    pub folder: Option<PathBuf>,
    /// Why it does not, or not fully, in words; empty if all is well.
    pub trouble: String,
    /// Versions of instances that are there but speak another protocol, one entry each.
    pub incompatible: Vec<u64>,
}

/// The bridge of a process: made to be a `static` beside the roster it serves.
#[derive(Debug)]
pub struct Bridge {
    roster: &'static Roster,
    pace: Intervals,
    /// Where to meet; `None`: where everybody does.
    places: Option<&'static [&'static str]>,
    process: OnceLock<ProcessIdentity>,
    members: Mutex<Vec<Arc<Member>>>,
    state: Mutex<State>,
    /// The worker while it runs; locked also while it starts and ends.
    worker: Mutex<Option<JoinHandle<()>>>,
    /// To wake it.
    thread: Mutex<Option<Thread>>,
}

/// A local instance, as the worker knows it.
struct Member {
    /// Tells one life of an instance from every other.
    key: u64,
    /// What the bridge fills into its label.
    stamp: InstanceInfo,
    card: Mutex<ControlWriter>,
    informant: Arc<dyn InstanceSource>,
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Member").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Member {
    fn card(&self) -> MutexGuard<'_, ControlWriter> {
        lock(&self.card)
    }

    /// The instance's label with what the bridge knows better.
    fn label(&self) -> InstanceInfo {
        let InstanceInfo { host, process, born, .. } = self.stamp;
        InstanceInfo { host, process, born, ..self.informant.label() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // whoever panicked left plain values behind
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bridge {
    /// The bridge between `roster` and the rosters of all processes of this user.
    pub const fn new(roster: &'static Roster) -> Self {
        Self::between(roster, None, Intervals::DEFAULT)
    }

    /// A bridge that meets others in the first of `places` that works, at its own pace: for tests.
    pub const fn between(
        roster: &'static Roster,
        places: Option<&'static [&'static str]>,
        pace: Intervals,
    ) -> Self {
        Self {
            roster,
            pace,
            places,
            process: OnceLock::new(),
            members: Mutex::new(Vec::new()),
            state: Mutex::new(State { folder: None, trouble: String::new(), incompatible: Vec::new() }),
            worker: Mutex::new(None),
            thread: Mutex::new(None),
        }
    }

    /// Brings an instance in, under `wanted` if nobody here has that id, and starts the worker if this is the first.
    /// `None` if the roster is full. For the host's activation: it allocates and may start a thread.
    pub fn join(
        &'static self,
        wanted: Option<InstanceId>,
        informant: Arc<dyn InstanceSource>,
    ) -> Option<Membership> {
        let mut worker = lock(&self.worker);
        let process = *self.process.get_or_init(process::identity);
        let stamp = InstanceInfo { host: process::host(), process, born: now(), ..InstanceInfo::default() };
        let label = InstanceInfo { host: stamp.host, process, born: stamp.born, ..informant.label() };
        let (outlet, card) = self.roster.join(Origin::Here, wanted, &label)?;
        let member = Arc::new(Member { key: unique().get(), stamp, card: Mutex::new(card), informant });
        lock(&self.members).push(Arc::clone(&member));
        if worker.as_ref().is_none_or(JoinHandle::is_finished) {
            let places = self.places();
            let run = move || worker::run(self, process, places);
            match std::thread::Builder::new().name("stemlink link".into()).spawn(run) {
                Ok(handle) => {
                    *lock(&self.thread) = Some(handle.thread().clone());
                    *worker = Some(handle);
                }
                Err(error) => lock(&self.state).trouble = format!("no thread for the link: {error}"),
            }
        }
        drop(worker);
        self.wake();
        Some(Membership { outlet, member, bridge: self })
    }

    /// How the bridge is.
    pub fn state(&self) -> State {
        lock(&self.state).clone()
    }

    /// The instances in reach.
    pub fn roster(&self) -> &'static Roster {
        self.roster
    }

    /// Has the worker look at once: something has been asked for.
    pub fn wake(&self) {
        if let Some(thread) = lock(&self.thread).as_ref() {
            thread.unpark();
        }
    }

    fn places(&self) -> Vec<PathBuf> {
        match self.places {
            Some(places) => places.iter().map(PathBuf::from).collect(),
            None => folder::places(),
        }
    }

    fn leave(&self, member: &Arc<Member>) {
        let mut worker = lock(&self.worker);
        let is_last = {
            let mut members = lock(&self.members);
            members.retain(|other| !Arc::ptr_eq(other, member));
            members.is_empty()
        };
        self.wake();
        if is_last && let Some(handle) = worker.take() {
            // it ends when nobody is left; it has no reason to panic, and if it did there is nobody to tell
            drop(handle.join());
            *lock(&self.thread) = None;
        }
    }
}

/// An instance's place at the table, until it is dropped. With the last one the worker ends and its files go.
#[derive(Debug)]
pub struct Membership {
    /// What the audio thread writes.
    pub outlet: AudioWriter,
    member: Arc<Member>,
    bridge: &'static Bridge,
}

impl Membership {
    /// The instance as others see it.
    pub fn peer(&self) -> PeerView {
        self.member.card().peer()
    }

    /// The half for windows: asks others for trims.
    pub fn desk(&self) -> Desk {
        Desk { member: Arc::downgrade(&self.member), bridge: self.bridge }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.bridge.leave(&self.member);
    }
}

/// From where a person asks other instances for something. It may outlive its instance; then nothing happens.
#[derive(Clone, Debug)]
pub struct Desk {
    member: std::sync::Weak<Member>,
    bridge: &'static Bridge,
}

impl Desk {
    /// Asks `target` for a trim, for a person who saw the trim's revision `base`. The counter returned is that of the
    /// answer, which comes with the target's figures.
    pub fn ask(&self, target: InstanceId, base: u64, trim: Db) -> Option<u64> {
        let counter = self.member.upgrade()?.card().ask(target, base, trim);
        self.bridge.wake();
        Some(counter)
    }

    /// Wants Stems heard so, and all others as they are, until this is called again or the instance goes.
    pub fn order(&self, orders: Orders) {
        if let Some(member) = self.member.upgrade() {
            member.card().order(orders);
            self.bridge.wake();
        }
    }

    /// Asks `master` what a move of `stem` by `gain` would change. The counter returned is that of the answer, which
    /// comes with the Master's summary.
    pub fn ask_to_predict(&self, master: InstanceId, stem: InstanceId, gain: Db) -> Option<u64> {
        let counter = self.member.upgrade()?.card().ask_to_predict(master, stem, gain);
        self.bridge.wake();
        Some(counter)
    }
}
