//! What a Master makes of what it hears: a thread of its own, from activation to deactivation.
//!
//! The audio thread's [`StemAligner`](link::stem_aligner::StemAligner) sends finished hops; here they are recorded and
//! fitted ([`Recorder`]), Stems are told apart from those of other sessions and found where they arrive late
//! (`stem_routing`), what is left over gets its name, and what is known is published to the window ([`PluginShared`]) and to others
//! ([`AnalysisShared`]). Whatever this thread does, and however late, audio does not depend on it.
//!
//! [`PluginShared`]: plugin_core::shared::PluginShared

mod excerpt;
mod history;
mod hops;
mod publish;
mod simulation;
mod stem_routing;
mod worker;

pub use parking_lot::Mutex;
pub use worker::AnalysisWorker;

use chain::LatencyClass;
use crossbeam_queue::SegQueue;
use history::ReductionHistory;
use hops::SettingSteadiness;
use link::hop_queue::{HopMessage, HopReceiver};
use link::identity::InstanceId;
use link::records::BlockStatus;
use link::request::PeerRequest;
use link::routing::RoutingTable;
use link::summary::SessionSummary;
use link::{PeerView, ROSTER};
use plugin_core::Output;
use plugin_core::command::{AnalysisCommand, Proposal};
use plugin_core::context::PluginContext;
use session::record::{Recorder, StemId};
use session::target::{NormalizationTarget, builtin};
use simulation::CapturedWindows;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::Thread;
use std::time::{Duration, Instant};
use stem_routing::StemRouting;
use units::{Db, Hz};

/// Deliveries that are taken at once, lest a thread that is to end goes on.
const MAX_MESSAGES_PER_ROUND: usize = 100;
/// Between two looks at all that is known, at the least.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);
/// And so many times what the last look took: a long song costs more.
const REPORT_COST_FACTOR: u32 = 8;

/// What a Master's analysis and the link's thread tell each other.
#[derive(Debug, Default)]
pub struct AnalysisShared {
    summary: Mutex<SessionSummary>,
    queries: Mutex<Vec<PredictionQuery>>,
    foreign_stems: Mutex<ForeignStems>,
    /// Commands from the window, in order.
    commands: SegQueue<AnalysisCommand>,
    /// To wake the analysis.
    thread: Mutex<Option<Thread>>,
}

/// What somebody wants to know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PredictionQuery {
    pub(crate) sender: InstanceId,
    pub(crate) counter: u64,
    pub(crate) stem: InstanceId,
    pub(crate) gain: Db,
}

/// What decides whose audio is wanted of other processes.
#[derive(Debug, Default)]
struct ForeignStems {
    /// The Master, and the rate that Stems must have.
    master: Option<(PeerView, Hz)>,
    /// Those that are not summed.
    left_out: Vec<InstanceId>,
    /// Stems that sit inside others, each with the one that it is inside.
    nested: Vec<(StemId, StemId)>,
}

/// A Stem that plays this near to the Master on the timeline may belong to it, seconds.
const MAX_DISTANCE_SECONDS: f64 = 10.0;

/// Questions that wait at most.
const MAX_QUERIES: usize = 16;
/// An answer stands for so long before the next one takes its place: who asks looks a few times a second, through the
/// bridge a little later.
const ANSWER_DURATION: Duration = Duration::from_millis(600);

impl AnalysisShared {
    /// What is to be told of the session.
    pub fn summary(&self) -> SessionSummary {
        *self.summary.lock()
    }

    /// Whether the audio of this Stem of another process is wanted.
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
        // one that was not found before may be by now, if it plays where the Master does
        let position_of = |status: BlockStatus| status.position.filter(|_| status.playing);
        let places = position_of(status).zip(master.block_status().and_then(position_of));
        places.is_some_and(|(stem, master)| stem.abs_diff(master) as f64 <= MAX_DISTANCE_SECONDS * rate.0)
    }

    /// Somebody asks what a move of `stem` would change. It takes the place of what he queries before and was not told yet.
    pub fn queue_query(&self, sender: InstanceId, request: &PeerRequest, stem: InstanceId) {
        let mut queries = self.queries.lock();
        queries.retain(|query| query.sender != sender);
        if queries.len() < MAX_QUERIES {
            queries.push(PredictionQuery { sender, counter: request.counter, stem, gain: request.gain });
        }
        drop(queries);
        self.wake_thread();
    }

    /// A person at the window asks for something.
    pub fn send_command(&self, command: AnalysisCommand) {
        self.commands.push(command);
        self.wake_thread();
    }

    /// The Stem that `stem` sits inside: it is metered, not summed.
    pub fn enclosing_stem(&self, stem: StemId) -> Option<StemId> {
        self.foreign_stems.lock().nested.iter().find(|(inner, _)| *inner == stem).map(|(_, outer)| *outer)
    }

    fn wake_thread(&self) {
        if let Some(thread) = &*self.thread.lock() {
            thread.unpark();
        }
    }
}

/// All that a Master knows. It outlives its thread: what was heard stays while the host has the plugin inactive.
pub struct MasterAnalysis<O: Output> {
    /// The Master itself: the mix is in its ring.
    view: PeerView,
    analysis_shared: Arc<AnalysisShared>,
    context: Arc<PluginContext<O>>,
    rate: Hz,
    class: LatencyClass,
    /// The thread is to end.
    stop: Arc<AtomicBool>,
    windows: CapturedWindows,
    receiver: Option<HopReceiver>,
    recorder: Recorder,
    /// What the Master took away along the timeline.
    reductions: ReductionHistory,
    /// The stems of the present set.
    stems: Vec<InstanceId>,
    steadiness: Vec<SettingSteadiness>,
    stem_routing: StemRouting,
    targets: Vec<NormalizationTarget>,
    /// Something has come since the last look.
    has_news: bool,
    /// States that had been loaded then: songs come with them.
    loads: u64,
    next_report: Instant,
    /// Before that the last answer stands.
    next_answer: Instant,
}

impl<O: Output> std::fmt::Debug for MasterAnalysis<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MasterAnalysis").field("stems", &self.stems).finish_non_exhaustive()
    }
}

impl<O: Output> MasterAnalysis<O> {
    /// The analysis of the Master `me`, whose settings and songs `context` has, and which publishes there.
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
            steadiness: Vec::new(),
            stem_routing: StemRouting::default(),
            targets: builtin(),
            has_news: false,
            loads: 0,
            next_report: Instant::now(),
            next_answer: Instant::now(),
        }
    }

    /// The host activates at `rate`; hops come by `receiver`. Returns where advice for the audio thread appears.
    fn activate(&mut self, rate: Hz, class: LatencyClass, receiver: HopReceiver) -> Arc<RoutingTable> {
        if rate != self.rate {
            self.recorder.clear();
            self.windows.clear();
            self.reductions = ReductionHistory::default();
            self.rate = rate;
        }
        (self.class, self.receiver) = (class, Some(receiver));
        // sets are counted anew
        self.recorder.set_stems(u64::MAX, &[]);
        (self.stems, self.steadiness) = (Vec::new(), Vec::new());
        self.stem_routing.activate(&ROSTER, self.view);
        self.publish_foreign_stems();
        self.stem_routing.routing_table()
    }

    /// Does what there is to do.
    fn run_round(&mut self) {
        self.take_hop_messages();
        self.reductions.record(self.view.block_status(), self.rate);
        let loads = self.context.params.store.load_count();
        self.has_news |= std::mem::replace(&mut self.loads, loads) != loads;
        let mut queries: Vec<PredictionQuery> = self.apply_commands().into_iter().collect();
        queries.extend(self.next_query(Instant::now()));
        let stem_routing = &self.stem_routing;
        self.windows.capture(&ROSTER, self.view, self.rate, &self.recorder, |stem| stem_routing.delay(stem));
        let now = Instant::now();
        if self.stem_routing.is_due(now) {
            self.stem_routing.review(&ROSTER, self.view, self.rate, &self.recorder);
            self.publish_foreign_stems();
        }
        if (self.has_news && now >= self.next_report) || !queries.is_empty() {
            self.has_news = false;
            self.publish_results(&queries);
            self.next_report = Instant::now() + REPORT_INTERVAL.max(REPORT_COST_FACTOR * now.elapsed());
        }
    }

    /// The query of others whose turn it is: one at a time, for there is room for one answer.
    fn next_query(&mut self, now: Instant) -> Option<PredictionQuery> {
        let mut waiting = self.analysis_shared.queries.lock();
        if waiting.is_empty() || now < self.next_answer {
            return None;
        }
        self.next_answer = now + ANSWER_DURATION;
        Some(waiting.remove(0))
    }

    /// Does what a person at the window asks; returns the last move to be predicted, unless it was forgotten.
    fn apply_commands(&mut self) -> Option<PredictionQuery> {
        let mut queries = None;
        while let Some(command) = self.analysis_shared.commands.pop() {
            match command {
                AnalysisCommand::Predict(proposal) => queries = proposal,
                AnalysisCommand::ConfirmMute(stem) => {
                    self.recorder.confirm_mute(stem);
                    self.has_news = true;
                }
                AnalysisCommand::Refresh => self.has_news = true,
            }
        }
        let Proposal { stem, gain } = queries?;
        Some(PredictionQuery { sender: self.view.id()?, counter: 0, stem: InstanceId::new(stem.0)?, gain })
    }

    fn take_hop_messages(&mut self) {
        for _ in 0..MAX_MESSAGES_PER_ROUND {
            match self.receiver.as_mut().and_then(Iterator::next) {
                Some(HopMessage::Set { set, stems }) => self.set_stems(set, stems),
                Some(HopMessage::Hop(hop, made_with)) => self.record(hop, &made_with),
                None => break,
            }
        }
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

    /// What a stem is called.
    fn stem_name(id: StemId) -> String {
        let info = InstanceId::new(id.0).and_then(|id| ROSTER.find(id)).and_then(|view| view.info());
        let Some(info) = info else { return "A stem that has gone".into() };
        match info.name.as_str() {
            "" => info.role.name().into(),
            name => name.into(),
        }
    }
}
