//! Analysis of a Master: a thread that runs while the host has the plugin active.
//!
//! The audio thread's [`StemAligner`](link::stem_aligner::StemAligner) sends finished hops. This thread finds which
//! Stems belong to the mix and how late they arrive (`stem_routing`); until that is decided it holds the hops and
//! keeps the audio (`backlog`), from which it makes those anew that were made with other delays (`remake`). It records
//! and fits them ([`Recorder`]), names the causes of a residual, and publishes the results to the window
//! ([`PluginShared`]) and to the link ([`AnalysisShared`]). Audio never depends on it.
//!
//! [`PluginShared`]: plugin_core::shared::PluginShared

mod backlog;
mod excerpt;
mod history;
mod hops;
mod intake;
mod landing;
mod publish;
mod remake;
mod rest;
mod simulation;
mod stem_routing;
mod worker;

pub use parking_lot::Mutex;
pub use worker::AnalysisWorker;

use backlog::Backlog;
use chain::LatencyClass;
use crossbeam_queue::SegQueue;
use history::ReductionHistory;
use hops::SettingSteadiness;
use intake::HopIntake;
use link::hop_queue::HopReceiver;
use link::identity::InstanceId;
use link::records::BlockStatus;
use link::request::PeerRequest;
use link::routing::RoutingTable;
use link::summary::SessionSummary;
use link::{PeerView, ROSTER};
use plugin_core::Output;
use plugin_core::command::{AnalysisCommand, Proposal};
use plugin_core::context::PluginContext;
use plugin_core::landing::{Landing, LandingFault, LandingRequest};
use publish::ReportedSession;
use rest::RestWatch;
use session::record::{Recorder, StemId};
use session::target::{NormalizationTarget, builtin};
use simulation::CapturedWindows;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::Thread;
use std::time::{Duration, Instant};
use stem_routing::StemRouting;
use units::{Db, Hz};

/// Minimum time between two reports.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);
/// Minimum time between two reports, in multiples of the time that the last one took: long songs cost more.
const REPORT_COST_FACTOR: u32 = 8;

/// State shared by a Master's analysis thread, the link's thread and the window's commands.
#[derive(Debug, Default)]
pub struct AnalysisShared {
    summary: Mutex<SessionSummary>,
    queries: Mutex<Vec<PredictionQuery>>,
    foreign_stems: Mutex<ForeignStems>,
    /// Commands of the window, in order.
    commands: SegQueue<AnalysisCommand>,
    /// The analysis thread, to wake it; `None` while it does not run.
    thread: Mutex<Option<Thread>>,
}

/// Request for the prediction of one move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PredictionQuery {
    pub(crate) sender: InstanceId,
    pub(crate) counter: u64,
    pub(crate) stem: InstanceId,
    pub(crate) gain: Db,
    /// Time at which it arrived.
    pub(crate) arrived: Instant,
}

/// Routing results that decide which remote Stems send their audio.
#[derive(Debug, Default)]
struct ForeignStems {
    /// The Master and the sampling rate that its Stems must have.
    master: Option<(PeerView, Hz)>,
    /// Stems that are not in the mix.
    left_out: Vec<InstanceId>,
    /// Pairs of a nested Stem and the Stem that contains it.
    nested: Vec<(StemId, StemId)>,
}

/// Maximum distance between Stem and Master on the timeline, seconds, for a Stem that may belong to the mix.
const MAX_DISTANCE_SECONDS: f64 = 10.0;

/// Maximum number of waiting queries.
const MAX_QUERIES: usize = 16;
/// Time between a query of another instance and its answer: what was changed before it was asked has arrived by then,
/// and a transport that has stopped is known to stand.
const ANSWER_DELAY: Duration = Duration::from_millis(450);
/// The same while the Master listens: nothing is known before it has placed the stems.
const MAX_ANSWER_DELAY: Duration = Duration::from_secs(4);
/// Time for which an answer stays published: askers poll a few times a second, later through the bridge.
const ANSWER_DURATION: Duration = Duration::from_millis(600);

impl AnalysisShared {
    /// Returns the session summary for other instances.
    pub fn summary(&self) -> SessionSummary {
        *self.summary.lock()
    }

    /// Returns true if the Master needs the audio of `stem`, which lives in another process.
    pub fn wants_audio_of(&self, stem: &PeerView) -> bool {
        let foreign_stems = self.foreign_stems.lock();
        let (Some((master, rate)), Some(status)) = (foreign_stems.master, stem.block_status()) else {
            return false;
        };
        if status.rate != rate {
            return false;
        }
        if stem.id().is_some_and(|id| !foreign_stems.left_out.contains(&id)) {
            return true;
        }
        // a Stem that was left out may belong by now if it plays near the Master's position
        let position_of = |status: BlockStatus| status.position.filter(|_| status.playing);
        let places = position_of(status).zip(master.block_status().and_then(position_of));
        places.is_some_and(|(stem, master)| stem.abs_diff(master) as f64 <= MAX_DISTANCE_SECONDS * rate.0)
    }

    /// Queues a query for the effect of a move of `stem`. It replaces an unanswered query of the same sender.
    pub fn queue_query(&self, sender: InstanceId, request: &PeerRequest, stem: InstanceId) {
        let mut queries = self.queries.lock();
        let (counter, gain) = (request.counter, request.gain);
        // one that is asked again keeps its turn
        let has_room = queries.len() < MAX_QUERIES;
        match queries.iter_mut().find(|query| query.sender == sender) {
            Some(query) if (query.stem, query.gain) == (stem, gain) => query.counter = counter,
            Some(query) => *query = PredictionQuery { sender, counter, stem, gain, arrived: Instant::now() },
            None if has_room => {
                queries.push(PredictionQuery { sender, counter, stem, gain, arrived: Instant::now() });
            }
            None => {}
        }
        drop(queries);
        self.wake_thread();
    }

    /// Queues a command of the window.
    pub fn send_command(&self, command: AnalysisCommand) {
        self.commands.push(command);
        self.wake_thread();
    }

    /// Returns the Stem that contains `stem`: a nested Stem is metered, not summed.
    pub fn enclosing_stem(&self, stem: StemId) -> Option<StemId> {
        self.foreign_stems.lock().nested.iter().find(|(inner, _)| *inner == stem).map(|(_, outer)| *outer)
    }

    fn wake_thread(&self) {
        if let Some(thread) = &*self.thread.lock() {
            thread.unpark();
        }
    }
}

/// Recorder, routing and results of one Master. Outlives its thread: recorded hops stay while the plugin is inactive.
pub struct MasterAnalysis<O: Output> {
    /// The Master itself; its ring holds the mix.
    view: PeerView,
    analysis_shared: Arc<AnalysisShared>,
    context: Arc<PluginContext<O>>,
    rate: Hz,
    class: LatencyClass,
    /// Set when the thread is to end.
    stop: Arc<AtomicBool>,
    windows: CapturedWindows,
    receiver: Option<HopReceiver>,
    recorder: Recorder,
    /// Gain reduction of the Master along the timeline.
    reductions: ReductionHistory,
    /// The stems of the recorder's set, each with the one that contains it, and the set's number.
    stems: Vec<(InstanceId, Option<InstanceId>)>,
    set: u64,
    steadiness: Vec<SettingSteadiness>,
    rest: RestWatch,
    /// The move that the window considers, predicted with every report.
    proposal: Option<Proposal>,
    /// Request of the window to land on a loudness, not answered yet, and the last answer.
    landing_request: Option<LandingRequest>,
    landing: Option<Result<Landing, LandingFault>>,
    stem_routing: StemRouting,
    backlog: Backlog,
    intake: HopIntake,
    targets: Vec<NormalizationTarget>,
    /// True if something has arrived since the last report.
    has_news: bool,
    /// The last report, if the next question is likely to be answered from it.
    reported: Option<ReportedSession>,
    /// Count of loaded states at the last round: songs come with a state.
    loads: u64,
    next_report: Instant,
    /// Time before which the last answer stays published.
    next_answer: Instant,
}

impl<O: Output> std::fmt::Debug for MasterAnalysis<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MasterAnalysis").field("stems", &self.stems).finish_non_exhaustive()
    }
}

impl<O: Output> MasterAnalysis<O> {
    /// Creates the analysis of the Master `view`; `context` has its settings and songs and receives its results.
    pub fn new(view: PeerView, analysis_shared: Arc<AnalysisShared>, context: Arc<PluginContext<O>>) -> Self {
        Self {
            view,
            analysis_shared,
            context,
            class: LatencyClass::Zero,
            stop: Arc::default(),
            windows: CapturedWindows::default(),
            rate: Hz(0.0),
            receiver: None,
            recorder: Recorder::default(),
            reductions: ReductionHistory::default(),
            stems: Vec::new(),
            set: 0,
            steadiness: Vec::new(),
            rest: RestWatch::default(),
            proposal: None,
            landing_request: None,
            landing: None,
            stem_routing: StemRouting::default(),
            backlog: Backlog::default(),
            intake: HopIntake::default(),
            targets: builtin(),
            has_news: false,
            reported: None,
            loads: 0,
            next_report: Instant::now(),
            next_answer: Instant::now(),
        }
    }

    /// Starts or continues a session at `rate`; returns the routing table for the audio thread. With the `receiver` of
    /// a new queue, hops and audio on their way are forgotten, otherwise everything goes on. Another rate clears the
    /// recorder.
    fn activate(
        &mut self,
        rate: Hz,
        class: LatencyClass,
        receiver: Option<HopReceiver>,
    ) -> Arc<RoutingTable> {
        if rate != self.rate {
            self.recorder.clear();
            self.windows.clear();
            self.reductions = ReductionHistory::default();
            self.rate = rate;
        }
        self.reported = None;
        self.class = class;
        if receiver.is_some() {
            self.receiver = receiver;
            self.backlog.clear();
            self.intake = HopIntake::default();
            self.stem_routing.forget_looks();
        }
        self.stem_routing.schedule_review();
        self.publish_foreign_stems();
        self.stem_routing.routing_table()
    }

    /// Takes what has arrived before the thread ends: it stays shown while the plugin is inactive.
    fn finish(&mut self) {
        self.take_hops();
        self.has_news |= self.recorder.is_row_open();
        self.recorder.finish_row();
        if self.has_news {
            self.publish_results(None);
        }
    }

    /// Runs one round: hops, commands, queries, captures, looks at the routing and report, each if due.
    fn run_round(&mut self) {
        self.take_hops();
        self.watch_settings();
        self.reductions.record(self.view.block_status(), self.rate);
        let loads = self.context.params.store.load_count();
        self.has_news |= std::mem::replace(&mut self.loads, loads) != loads;
        let has_proposal = self.apply_commands();
        // no number while it is open what a changed level means
        let is_decided = !self.rest.is_undecided();
        let listens = self.is_playing() && (self.stem_routing.is_listening() || self.intake.is_waiting());
        let query = if is_decided { self.next_query(Instant::now(), listens) } else { None };
        let stem_routing = &self.stem_routing;
        self.windows.capture(&ROSTER, self.view, self.rate, &self.recorder, |stem| stem_routing.delay(stem));
        self.route_stems();
        let now = Instant::now();
        if self.reported.as_ref().is_some_and(|reported| reported.is_idle(now)) {
            self.reported = None;
        }
        if (self.has_news && is_decided && now >= self.next_report) || has_proposal || query.is_some() {
            self.publish_results(query.as_ref());
            self.next_report = Instant::now() + REPORT_INTERVAL.max(REPORT_COST_FACTOR * now.elapsed());
        }
    }

    /// Removes and returns the next waiting query of another instance; `listens`: stems are being placed. One at a time: the summary holds one answer.
    fn next_query(&mut self, now: Instant, listens: bool) -> Option<PredictionQuery> {
        let delay = if listens { MAX_ANSWER_DELAY } else { ANSWER_DELAY };
        let mut waiting = self.analysis_shared.queries.lock();
        if now < self.next_answer || waiting.first().is_none_or(|query| now < query.arrived + delay) {
            return None;
        }
        self.next_answer = now + ANSWER_DURATION;
        Some(waiting.remove(0))
    }

    /// Applies the window's commands; returns true if there is another move or landing to predict.
    fn apply_commands(&mut self) -> bool {
        let mut has_proposal = false;
        while let Some(command) = self.analysis_shared.commands.pop() {
            match command {
                AnalysisCommand::Predict(proposal) => {
                    has_proposal |= proposal.is_some();
                    self.proposal = proposal;
                }
                AnalysisCommand::Land(request) => {
                    (self.landing_request, self.landing) = (request, None);
                    has_proposal |= request.is_some();
                    self.has_news = true;
                }
                AnalysisCommand::ConfirmMute(stem) => {
                    self.recorder.confirm_mute(stem);
                    self.has_news = true;
                }
                AnalysisCommand::Refresh => self.has_news = true,
                AnalysisCommand::Restart => self.forget_heard(),
            }
        }
        has_proposal
    }

    /// Forgets the hops that were recorded; where the stems arrive stays known.
    fn forget_heard(&mut self) {
        self.recorder.forget_heard();
        self.windows.clear();
        self.reductions = ReductionHistory::default();
        self.has_news = true;
    }

    fn publish_foreign_stems(&self) {
        let stem = |id: InstanceId| StemId(id.get());
        let nested = self.stem_routing.nested().into_iter().map(|(inner, outer)| (stem(inner), stem(outer)));
        *self.analysis_shared.foreign_stems.lock() = ForeignStems {
            master: Some((self.view, self.rate)),
            left_out: self.stem_routing.left_out(),
            nested: nested.collect(),
        };
    }

    /// Returns the name of a stem for messages.
    fn stem_name(id: StemId) -> String {
        let info = InstanceId::new(id.0).and_then(|id| ROSTER.find(id)).and_then(|view| view.info());
        let Some(info) = info else { return "Removed stem".into() };
        match info.name.as_str() {
            "" => info.role.name().into(),
            name => name.into(),
        }
    }
}
