//! State shared by a plugin and its window beside parameters and meters: the snapshot, the command queue with its one
//! owner, and the cells of the audio thread.

use super::command::{AnalysisCommand, ListenRequest, SessionLink, UiCommand};
use super::monitor::MonitorControl;
use super::reference_clip::ClipExchange;
use super::session_view::{
    AnalysisResult, BandMark, ExportResult, FaultSource, LinkedMaster, MasterLink, SessionFault,
    SessionSnapshot, StemCard,
};
use super::transport::TransportCell;
use crossbeam_queue::SegQueue;
use parking_lot::Mutex;
use session::audition::{Audition, Auditions};
use session::record::StemId;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// Time between two publications of Stems while a window is open.
const ROW_INTERVAL: Duration = Duration::from_millis(33);

/// Shared state. The snapshot is written only through this type, and never by an audio thread.
#[derive(Debug, Default)]
pub struct PluginShared {
    /// Monitor mode, one word for the audio thread.
    pub monitor: MonitorControl,
    /// Reference clips on their way to the audio thread and back.
    pub references: ClipExchange,
    /// Position of the host's transport.
    pub transport: TransportCell,
    snapshot: Mutex<Arc<SessionSnapshot>>,
    commands: SegQueue<UiCommand>,
    owner: Mutex<CommandOwner>,
    /// The owner's thread, while a window is open.
    worker: Mutex<Option<CommandThread>>,
}

/// Replaces `place` by `value`; returns true if they differed.
fn replace<T: PartialEq>(place: &mut T, value: T) -> bool {
    let is_new = *place != value;
    *place = value;
    is_new
}

/// Snapshot methods, for any thread but an audio thread.
impl PluginShared {
    /// Returns the current snapshot.
    pub fn snapshot(&self) -> Arc<SessionSnapshot> {
        Arc::clone(&self.snapshot.lock())
    }

    /// Changes the snapshot by `change`, which returns true if it has changed anything; the revision then grows. The
    /// only place that writes a snapshot.
    fn publish(&self, change: impl FnOnce(&mut SessionSnapshot) -> bool) {
        let mut current = self.snapshot.lock();
        // in place if no reader holds it, else in a copy
        let next = Arc::make_mut(&mut current);
        if change(next) {
            next.revision += 1;
        }
    }

    /// Publishes a new revision after a change of parameters or meters.
    pub fn publish_revision(&self) {
        self.publish(|_| true);
    }

    /// Publishes the summary of the Master that sums this Stem; `None` without one.
    pub fn set_master(&self, linked: Option<LinkedMaster>) {
        self.publish(|next| {
            let master = match (linked, &next.master) {
                (Some(linked), _) => MasterLink::Linked(linked),
                (None, MasterLink::Waiting) => MasterLink::Waiting,
                (None, _) => MasterLink::Lost,
            };
            replace(&mut next.master, master)
        });
    }

    /// Publishes or removes the band in which another stem covers this one.
    pub fn set_mark(&self, mark: Option<BandMark>) {
        self.publish(|next| replace(&mut next.mark, mark));
    }

    /// Publishes the result of this Master's analysis.
    pub fn set_analysis(&self, result: AnalysisResult) {
        self.publish(|next| {
            next.analysis = Some(Arc::new(result));
            true
        });
    }

    /// Publishes or clears the fault of one source; those of other sources stay.
    pub fn set_fault(&self, source: FaultSource, text: Option<String>) {
        self.publish(|next| {
            let mut faults = next.faults.clone();
            faults.retain(|fault| fault.source != source);
            faults.extend(text.map(|text| SessionFault { source, text }));
            faults.sort_by_key(|fault| fault.source);
            replace(&mut next.faults, faults)
        });
    }
}

/// Command methods.
impl PluginShared {
    /// Sends a command and wakes the owner's thread. Without one (no window, or none could be started) the command
    /// runs on the caller's thread.
    pub fn send_command(&self, command: UiCommand) {
        self.commands.push(command);
        let is_awake = self.worker.lock().as_ref().is_some_and(CommandThread::wake);
        if !is_awake {
            self.run_commands();
        }
    }

    /// Runs the waiting commands.
    pub fn run_commands(&self) {
        self.owner.lock().run_all(self);
    }

    /// Connects the owner to the link, weakly: a window may outlive its plugin.
    pub fn connect_link(&self, link: &Arc<dyn SessionLink>) {
        self.owner.lock().link = Some(Arc::downgrade(link));
    }

    /// Runs waiting commands, updates auditions, and publishes the Stems in reach.
    pub fn tick(&self) {
        let mut owner = self.owner.lock();
        owner.run_all(self);
        let link = owner.link();
        if let Some(link) = &link {
            link.update();
        }
        let (stems, has_final) =
            link.as_ref().map_or_else(Default::default, |link| (link.stems(), link.has_final()));
        owner.reconcile_auditions(self, &stems);
        self.publish(|next| replace(&mut next.stems, stems) | replace(&mut next.has_final, has_final));
    }

    /// Ends monitor mode and auditions, here and at the Stems, before it returns.
    pub fn end_listening(&self) {
        self.monitor.end_all();
        self.owner.lock().follow_monitor(self);
    }

    /// Ends monitor mode and auditions at activation; `renders` disables them during an offline render.
    pub fn restart_listening(&self, renders: bool) {
        self.monitor.restart(renders);
        self.owner.lock().follow_monitor(self);
    }

    /// Runs `tick` on a thread until it returns false or the window closes.
    pub(super) fn open_window(&self, tick: impl FnMut() -> bool + Send + 'static) {
        let last = self.worker.lock().take();
        drop(last);
        *self.worker.lock() = CommandThread::spawn(tick);
    }

    /// Stops the thread and ends what the window had selected, before it returns; nothing is published any more.
    pub(super) fn close_window(&self) {
        let worker = self.worker.lock().take();
        drop(worker);
        self.monitor.clear_mode();
        self.commands.push(UiCommand::Audition(None));
        self.run_commands();
    }
}

/// Executor of commands, one after the other.
#[derive(Default)]
struct CommandOwner {
    /// `None` before the plugin has joined the link.
    link: Option<Weak<dyn SessionLink>>,
    auditions: Auditions,
    /// Audition orders in force.
    ordered: Vec<ListenRequest>,
    /// Monitor revision at the start of the auditions; they end with it.
    monitor_revision: u64,
}

impl std::fmt::Debug for CommandOwner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CommandOwner").field("auditions", &self.auditions).finish_non_exhaustive()
    }
}

impl CommandOwner {
    fn link(&self) -> Option<Arc<dyn SessionLink>> {
        self.link.as_ref()?.upgrade()
    }

    fn stems(&self) -> Vec<StemCard> {
        self.link().map_or_else(Vec::new, |link| link.stems())
    }

    fn run_all(&mut self, shared: &PluginShared) {
        while let Some(command) = shared.commands.pop() {
            self.run(shared, command);
        }
    }

    fn run(&mut self, shared: &PluginShared, command: UiCommand) {
        let analyse = |owner: &Self, command| {
            if let Some(link) = owner.link() {
                link.send_analysis_command(command);
            }
        };
        match command {
            UiCommand::Predict(proposal) => analyse(self, AnalysisCommand::Predict(proposal)),
            UiCommand::Land(request) => analyse(self, AnalysisCommand::Land(request)),
            UiCommand::ConfirmMute(stem) => analyse(self, AnalysisCommand::ConfirmMute(stem)),
            UiCommand::Restart => analyse(self, AnalysisCommand::Restart),
            UiCommand::SongsChanged => analyse(self, AnalysisCommand::Refresh),
            UiCommand::Follow(stem) => {
                shared.publish(|next| replace(&mut next.follows, stem));
                analyse(self, AnalysisCommand::Refresh);
            }
            UiCommand::RequestTrim(request) => {
                if let Some(link) = self.link() {
                    link.request_trim(request);
                }
            }
            UiCommand::RequestTrims(changes) => {
                let Some(link) = self.link() else { return };
                let stems = link.stems();
                changes
                    .iter()
                    .filter_map(|change| change.request(&stems))
                    .for_each(|request| link.request_trim(request));
            }
            UiCommand::MarkBand(stem, mark) => {
                if let Some(link) = self.link() {
                    link.mark_band(stem, mark);
                }
            }
            UiCommand::ResetStems => {
                let Some(link) = self.link() else { return };
                let linked = link.stems().into_iter().filter(|stem| stem.status.is_linked());
                linked.for_each(|stem| link.reset_meters(stem.id));
            }
            UiCommand::Audition(audition) => self.audition(shared, audition),
            UiCommand::ExportSession => {
                let exported = self.link().map_or_else(not_active, |link| link.export());
                shared.publish(|next| {
                    next.exported = Some(exported);
                    true
                });
            }
        }
    }

    fn audition(&mut self, shared: &PluginShared, audition: Option<(StemId, Audition)>) {
        self.forget_ended(shared);
        match audition {
            Some((stem, audition)) => self.auditions.toggle(stem, audition),
            None => self.auditions = Auditions::default(),
        }
        let stems = self.stems();
        self.reconcile_auditions(shared, &stems);
    }

    /// Ends auditions that are over.
    fn follow_monitor(&mut self, shared: &PluginShared) {
        let stems = if self.is_idle() { Vec::new() } else { self.stems() };
        self.reconcile_auditions(shared, &stems);
    }

    /// Forgets auditions that the host has ended by activation or a loaded state.
    fn forget_ended(&mut self, shared: &PluginShared) {
        let monitor_revision = shared.monitor.revision();
        if self.monitor_revision != monitor_revision {
            (self.auditions, self.monitor_revision) = (Auditions::default(), monitor_revision);
        }
    }

    fn is_idle(&self) -> bool {
        self.auditions.is_empty() && self.ordered.is_empty()
    }

    /// Updates the audition orders for `stems`, including Stems that have joined since; Stems that have ended an
    /// audition themselves get none.
    fn reconcile_auditions(&mut self, shared: &PluginShared, stems: &[StemCard]) {
        self.forget_ended(shared);
        if !self.is_idle() {
            for ordered in &self.ordered {
                match stems.iter().find(|stem| stem.id == ordered.stem && stem.status.is_linked()) {
                    None => self.auditions.remove(ordered.stem),
                    Some(stem) if stem.audition != ordered.base => self.auditions.withdraw(ordered.stem),
                    Some(_) => {}
                }
            }
            let outer = |id| stems.iter().find(|stem| stem.id == id).and_then(|stem| stem.inside);
            let request = |stem: &StemCard| {
                let effect = self.auditions.effect(stem.id, outer)?;
                Some(ListenRequest { stem: stem.id, base: stem.audition, effect })
            };
            let linked = stems.iter().filter(|stem| stem.status.is_linked());
            let requests: Vec<ListenRequest> = linked.filter_map(request).collect();
            if requests != self.ordered {
                if let Some(link) = self.link() {
                    link.set_auditions(&requests);
                }
                self.ordered = requests;
            }
        }
        shared.publish(|next| replace(&mut next.auditions, self.auditions.clone()));
    }
}

/// Export result before the plugin has joined the link.
fn not_active() -> ExportResult {
    let why = "The host has not activated the plugin yet: play the song".into();
    ExportResult { path: Err(why), remarks: Vec::new() }
}

/// Thread that runs a function at frame rate and when it is woken. Dropping it joins the thread.
#[derive(Debug)]
struct CommandThread {
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl CommandThread {
    /// Starts the thread; `None` if the system refuses.
    fn spawn(mut tick: impl FnMut() -> bool + Send + 'static) -> Option<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let run = move || {
            while !stopped.load(Ordering::Acquire) {
                if !catch_unwind(AssertUnwindSafe(&mut tick)).unwrap_or(false) {
                    break;
                }
                std::thread::park_timeout(ROW_INTERVAL);
            }
        };
        let thread = std::thread::Builder::new().name("stemlink session".into()).spawn(run).ok()?;
        Some(Self { thread: Some(thread), stop })
    }

    /// Wakes the thread; returns false if it has ended.
    fn wake(&self) -> bool {
        let Some(thread) = self.thread.as_ref().filter(|thread| !thread.is_finished()) else { return false };
        thread.thread().unpark();
        true
    }
}

impl Drop for CommandThread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else { return };
        thread.thread().unpark();
        // the thread itself may drop the last reference
        if thread.thread().id() != std::thread::current().id() {
            // the thread contains its panics
            drop(thread.join());
        }
    }
}
