//! What a Master makes of what it hears: a thread of its own, from activation to deactivation.
//!
//! The audio thread's [`StemAligner`](link::stem_aligner::StemAligner) sends finished hops; here they are recorded and
//! fitted ([`Recorder`]), Stems are told apart from those of other sessions and found where they arrive late
//! (`seating`), what is left over gets its name, and what is known is published to the window ([`PluginShared`]) and to others
//! ([`AnalysisShared`]). Whatever this thread does, and however late, audio does not depend on it.
//!
//! [`PluginShared`]: plugin_core::shared::PluginShared

mod excerpt;
mod history;
mod hops;
mod seating;
mod simulation;
mod telling;
mod worker;

pub use worker::Worker;

use chain::LatencyClass;
use crossbeam_queue::SegQueue;
use history::Reductions;
use hops::Steadiness;
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
use seating::StemRouting;
use session::record::{Recorder, StemId};
use session::target::{NormalizationTarget, builtin};
use simulation::Windows;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};
use units::{Db, Hz};

/// Deliveries that are taken at once, lest a thread that is to end goes on.
const AT_ONCE: usize = 100;
/// Between two looks at all that is known, at the least.
const PAUSE: Duration = Duration::from_millis(500);
/// And so many times what the last look took: a long song costs more.
const EASE: u32 = 8;

/// What a Master's analysis and the link's thread tell each other.
#[derive(Debug, Default)]
pub struct AnalysisShared {
    summary: Mutex<SessionSummary>,
    questions: Mutex<Vec<Question>>,
    strangers: Mutex<ForeignStems>,
    /// Commands from the window, in order.
    commands: SegQueue<AnalysisCommand>,
    /// To wake the analysis.
    thread: Mutex<Option<Thread>>,
}

/// What somebody wants to know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Question {
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
const NEAR: f64 = 10.0;

/// Questions that wait at most.
const QUESTIONS: usize = 16;
/// An answer stands for so long before the next one takes its place: who asks looks a few times a second, through the
/// bridge a little later.
const STANDS: Duration = Duration::from_millis(600);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // plain values: whoever panicked left them whole
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AnalysisShared {
    /// What is to be told of the session.
    pub fn summary(&self) -> SessionSummary {
        *lock(&self.summary)
    }

    /// Whether the audio of this Stem of another process is wanted.
    pub fn listens(&self, stem: &PeerView) -> bool {
        let strangers = lock(&self.strangers);
        let (Some((master, rate)), Some(pulse)) = (strangers.master, stem.block_status()) else {
            return false;
        };
        if pulse.rate != rate {
            return false;
        }
        if stem.id().is_some_and(|id| !strangers.left_out.contains(&id)) {
            return true;
        }
        // one that was not found before may be by now, if it plays where the Master does
        let plays = |pulse: BlockStatus| pulse.position.filter(|_| pulse.playing);
        let places = plays(pulse).zip(master.block_status().and_then(plays));
        places.is_some_and(|(one, other)| one.abs_diff(other) as f64 <= NEAR * rate.0)
    }

    /// Somebody asks what a move of `stem` would change. It takes the place of what he asked before and was not told yet.
    pub fn ask(&self, sender: InstanceId, request: &PeerRequest, stem: InstanceId) {
        let mut questions = lock(&self.questions);
        questions.retain(|question| question.sender != sender);
        if questions.len() < QUESTIONS {
            questions.push(Question { sender, counter: request.counter, stem, gain: request.gain });
        }
        drop(questions);
        self.wake();
    }

    /// A person at the window asks for something.
    pub fn command(&self, command: AnalysisCommand) {
        self.commands.push(command);
        self.wake();
    }

    /// The Stem that `stem` sits inside: it is metered, not summed.
    pub fn outer(&self, stem: StemId) -> Option<StemId> {
        lock(&self.strangers).nested.iter().find(|(inner, _)| *inner == stem).map(|(_, outer)| *outer)
    }

    fn wake(&self) {
        if let Some(thread) = &*lock(&self.thread) {
            thread.unpark();
        }
    }
}

/// All that a Master knows. It outlives its thread: what was heard stays while the host has the plugin inactive.
pub struct Analysis<O: Output> {
    /// The Master itself: the mix is in its ring.
    me: PeerView,
    studio: Arc<AnalysisShared>,
    context: Arc<PluginContext<O>>,
    rate: Hz,
    class: LatencyClass,
    /// The thread is to end.
    stop: Arc<AtomicBool>,
    windows: Windows,
    receiver: Option<HopReceiver>,
    recorder: Recorder,
    /// What the Master took away along the timeline.
    reductions: Reductions,
    /// The stems of the present set.
    stems: Vec<InstanceId>,
    steadiness: Vec<Steadiness>,
    seating: StemRouting,
    targets: Vec<NormalizationTarget>,
    /// Something has come since the last look.
    fresh: bool,
    /// States that had been loaded then: songs come with them.
    loads: u64,
    next_look: Instant,
    /// Before that the last answer stands.
    next_answer: Instant,
}

impl<O: Output> std::fmt::Debug for Analysis<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analysis").field("stems", &self.stems).finish_non_exhaustive()
    }
}

impl<O: Output> Analysis<O> {
    /// The analysis of the Master `me`, whose settings and songs `context` has, and which publishes there.
    pub fn new(me: PeerView, studio: Arc<AnalysisShared>, context: Arc<PluginContext<O>>) -> Self {
        Self {
            me,
            studio,
            context,
            class: LatencyClass::Zero,
            stop: Arc::default(),
            windows: Windows::default(),
            rate: Hz(0.0),
            receiver: None,
            recorder: Recorder::default(),
            reductions: Reductions::default(),
            stems: Vec::new(),
            steadiness: Vec::new(),
            seating: StemRouting::default(),
            targets: builtin(),
            fresh: false,
            loads: 0,
            next_look: Instant::now(),
            next_answer: Instant::now(),
        }
    }

    /// The host activates at `rate`; hops come by `receiver`. Returns where advice for the audio thread appears.
    fn begin(&mut self, rate: Hz, class: LatencyClass, receiver: HopReceiver) -> Arc<RoutingTable> {
        if rate != self.rate {
            self.recorder.clear();
            self.windows.forget();
            self.reductions = Reductions::default();
            self.rate = rate;
        }
        (self.class, self.receiver) = (class, Some(receiver));
        // sets are counted anew
        self.recorder.set_stems(u64::MAX, &[]);
        (self.stems, self.steadiness) = (Vec::new(), Vec::new());
        self.seating.begin(&ROSTER, self.me);
        self.tell_strangers();
        self.seating.advice()
    }

    /// Does what there is to do.
    fn round(&mut self) {
        self.take_deliveries();
        self.reductions.note(self.me.block_status(), self.rate);
        let loads = self.context.params.store.loads();
        self.fresh |= std::mem::replace(&mut self.loads, loads) != loads;
        let mut asked: Vec<Question> = self.apply_commands().into_iter().collect();
        asked.extend(self.next_question(Instant::now()));
        let seating = &self.seating;
        self.windows.capture(&ROSTER, self.me, self.rate, &self.recorder, |stem| seating.delay(stem));
        let now = Instant::now();
        if self.seating.is_due(now) {
            self.seating.review(&ROSTER, self.me, self.rate, &self.recorder);
            self.tell_strangers();
        }
        if (self.fresh && now >= self.next_look) || !asked.is_empty() {
            self.fresh = false;
            self.look(&asked);
            self.next_look = Instant::now() + PAUSE.max(EASE * now.elapsed());
        }
    }

    /// The question of others whose turn it is: one at a time, for there is room for one answer.
    fn next_question(&mut self, now: Instant) -> Option<Question> {
        let mut waiting = lock(&self.studio.questions);
        if waiting.is_empty() || now < self.next_answer {
            return None;
        }
        self.next_answer = now + STANDS;
        Some(waiting.remove(0))
    }

    /// Does what a person at the window asks; returns the last move to be predicted, unless it was forgotten.
    fn apply_commands(&mut self) -> Option<Question> {
        let mut asked = None;
        while let Some(command) = self.studio.commands.pop() {
            match command {
                AnalysisCommand::Predict(proposal) => asked = proposal,
                AnalysisCommand::ConfirmMute(stem) => {
                    self.recorder.confirm_mute(stem);
                    self.fresh = true;
                }
                AnalysisCommand::Refresh => self.fresh = true,
            }
        }
        let Proposal { stem, gain } = asked?;
        Some(Question { sender: self.me.id()?, counter: 0, stem: InstanceId::new(stem.0)?, gain })
    }

    fn take_deliveries(&mut self) {
        for _ in 0..AT_ONCE {
            match self.receiver.as_mut().and_then(Iterator::next) {
                Some(HopMessage::Set { set, stems }) => self.chain_kind(set, stems),
                Some(HopMessage::Hop(hop, made_with)) => self.record(hop, &made_with),
                None => break,
            }
        }
    }

    fn tell_strangers(&self) {
        let stem = |id: InstanceId| StemId(id.get());
        let nested = self.seating.nested().into_iter().map(|(inner, outer)| (stem(inner), stem(outer)));
        *lock(&self.studio.strangers) = ForeignStems {
            master: Some((self.me, self.rate)),
            left_out: self.seating.left_out(),
            nested: nested.collect(),
        };
    }

    /// What a stem is called.
    fn name(id: StemId) -> String {
        let label = InstanceId::new(id.0).and_then(|id| ROSTER.find(id)).and_then(|peer| peer.info());
        let Some(label) = label else { return "A stem that has gone".into() };
        match label.name.as_str() {
            "" => label.role.name().into(),
            name => name.into(),
        }
    }
}
