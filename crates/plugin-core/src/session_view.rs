//! Snapshot of a session for windows: one immutable value, published by [`PluginShared`].
//!
//! [`PluginShared`]: super::shared::PluginShared

use super::command::Proposal;
use super::landing::{Landing, LandingFault};
use meter::Reading;
use session::audition::Auditions;
use session::heard_part::HeardPart;
use session::prediction::{MovePrediction, PlatformChange};
use session::record::{HopStatus, StemId};
use session::role::Role;
use session::session_report::{SessionReport, StemReport};
use session::stem_status::StemStatus;
use std::sync::Arc;
use units::{Db, Lu, Lufs, Ms};

/// Length of a hop of a session.
pub const HOP_LENGTH: Ms = Ms(100.0);

/// Third-octave bands of a stem's spectrum, 20 Hz to 20 kHz.
pub const STEM_SPECTRUM_BANDS: usize = 31;

/// Everything that a window shows beside the plugin's own parameters and meters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionSnapshot {
    /// Grows with every change of the snapshot, parameters or meters: a window redraws only when it has.
    pub revision: u64,
    /// All known Stems in the order of their creation, gone ones last. Updated at frame rate while a window is open.
    pub stems: Vec<StemCard>,
    /// True if another Master of the session is last on the bus, so that this one's output is not the final one.
    pub has_final: bool,
    /// Result of a Master's analysis; `None` before anything was heard.
    pub analysis: Option<Arc<AnalysisResult>>,
    /// Stems that the user has put on solo, mute or bypass.
    pub auditions: Auditions,
    /// Stem that the unlinked part of the mix follows, as the user has declared.
    pub follows: Option<StemId>,
    /// Link of a Stem to its Master.
    pub master: MasterLink,
    /// Faults, at most one of each source, the worst first.
    pub faults: Vec<SessionFault>,
    /// Result of the last export.
    pub exported: Option<ExportResult>,
    /// Band in which another stem covers this Stem, as a Master's user has marked it.
    pub mark: Option<BandMark>,
}

impl SessionSnapshot {
    /// Returns the Stem `id`.
    pub fn stem(&self, id: StemId) -> Option<&StemCard> {
        self.stems.iter().find(|stem| stem.id == id)
    }

    /// Returns the name of the Stem `id`.
    pub fn name(&self, id: StemId) -> &str {
        self.stem(id).map_or("a stem", StemCard::name)
    }

    /// Returns the session report of the analysis.
    pub fn session(&self) -> Option<&SessionReport> {
        self.analysis.as_deref().map(|analysis| &analysis.session)
    }

    /// Returns the report of the Stem `id`.
    pub fn stem_report(&self, id: StemId) -> Option<&StemReport> {
        self.session()?.stems.iter().find(|stem| stem.id == id)
    }

    /// Returns the Stems that contain the Stem `id`, the innermost first.
    pub fn outer_stems(&self, id: StemId) -> impl Iterator<Item = StemId> {
        let outer = |id: StemId| self.stem(id).and_then(|stem| stem.inside);
        std::iter::successors(outer(id), move |id| outer(*id)).take(self.stems.len())
    }

    /// Returns true if `inner` is the Stem `outer`, or inside it.
    pub fn is_within(&self, inner: StemId, outer: StemId) -> bool {
        inner == outer || self.outer_stems(inner).any(|id| id == outer)
    }

    /// Returns the name of the Stem `id`, with that of the Stem that contains it.
    pub fn full_name(&self, id: StemId) -> String {
        match self.stem(id).and_then(|stem| stem.inside) {
            Some(outer) => format!("{} (inside {})", self.name(id), self.name(outer)),
            None => self.name(id).into(),
        }
    }

    /// Returns true if the nested Stem `id` was not heard in any recorded hop, so that no move of it is predicted.
    pub fn is_nested_unheard(&self, id: StemId) -> bool {
        let nested = self.session().and_then(|session| session.nested.iter().find(|nested| nested.id == id));
        nested.is_some_and(|nested| nested.heard == 0)
    }

    /// Returns the length of the recorded programme.
    pub fn heard_length(&self) -> Ms {
        Ms(self.session().map_or(0, |session| session.progress.heard) as f64 * HOP_LENGTH.0)
    }

    /// Returns the Stems of the mix: linked, of this session, not nested.
    pub fn summed_stems(&self) -> impl Iterator<Item = &StemCard> {
        self.stems.iter().filter(|stem| stem.inside.is_none() && stem.status.is_linked())
    }

    /// Returns the session's timeline; `None` before anything was heard.
    pub fn timeline(&self) -> Option<&SessionTimeline> {
        self.analysis.as_deref().map(|analysis| &analysis.timeline)
    }
}

/// Third-octave band in which a stem covers another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BandMark {
    /// The stem that covers.
    pub by: StemId,
    /// Index of the band, below [`STEM_SPECTRUM_BANDS`].
    pub band: usize,
}

/// Result of a Master's analysis.
#[derive(Clone, Debug, PartialEq)]
pub struct AnalysisResult {
    /// Report on everything that was heard.
    pub session: SessionReport,
    /// True while stems that sound are being located: nothing is said of the mix until they are.
    pub listening: bool,
    /// Names of the stems, in the report's order.
    pub names: Vec<String>,
    /// Last proposed move that was predicted.
    pub proposal: Option<Proposal>,
    /// Its prediction, at the Master's input.
    pub prediction: Option<MovePrediction>,
    /// The same move, simulated out of the Master.
    pub simulated: Option<SimulatedLoudness>,
    /// Answer to the last request to land on a loudness.
    pub landing: Option<Result<Landing, LandingFault>>,
    /// The session over the project's timeline.
    pub timeline: SessionTimeline,
}

/// Link of a Stem to a Master.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum MasterLink {
    /// No Master has been seen yet.
    #[default]
    Waiting,
    /// A Master sees this Stem.
    Linked(LinkedMaster),
    /// The Master has gone.
    Lost,
}

/// A Master's summary of one Stem.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkedMaster {
    /// Stems in the session, this one included.
    pub stems: usize,
    /// Share of this stem in the mix's loudness, 0 to 1, below 0 if it cancels others; `None` before it is known, and
    /// of a nested stem.
    pub share: Option<f64>,
    /// Name of the stem whose bus contains this one.
    pub inside: Option<String>,
    /// Part of the song that the share covers.
    pub part: HeardPart,
    /// True if the share is exact for that part, false if it is an estimate.
    pub exact: bool,
}

/// A fault that keeps a plugin from seeing all of its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFault {
    /// Its source; each source has at most one fault.
    pub source: FaultSource,
    /// Message of one line, with a remedy if there is one.
    pub text: String,
}

/// Source of a [`SessionFault`], the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultSource {
    /// The thread of a Master's analysis.
    Analysis,
    /// The link to other processes.
    Link,
    /// A project that was saved under another name and is open twice.
    DoubleSession,
    /// Plugins of another version.
    OtherVersion,
}

impl FaultSource {
    /// Returns the consequence of such a fault, for the user.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Analysis => "Session results are no longer updated; the sound is unaffected.",
            Self::Link => "Instances in other processes are not seen; those in this process are.",
            Self::DoubleSession => {
                "Only the Master that was opened first can request trims; this one only displays."
            }
            Self::OtherVersion => {
                "They run in another process and are neither shown nor summed. Use the same version everywhere and restart the hosts."
            }
        }
    }
}

/// Result of an export.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportResult {
    /// Path of the file; else the reason for the failure.
    pub path: Result<String, String>,
    /// Differences from the project, one sentence each.
    pub remarks: Vec<String>,
}

/// Position of a Master on the master bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BusPosition {
    /// First: its input is the sum of the stems.
    #[default]
    Mix,
    /// Last, or in a monitoring slot: its output is the final one.
    Final,
}

impl BusPosition {
    /// All positions.
    pub const ALL: [Self; 2] = [Self::Mix, Self::Final];

    /// Returns the name for the user.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mix => "Mix",
            Self::Final => "Final",
        }
    }
}

/// Row of a Stem in its Master's table.
#[derive(Clone, Debug, PartialEq)]
pub struct StemCard {
    /// Id of the Stem.
    pub id: StemId,
    /// Name of the track; empty if the host gives none.
    pub name: String,
    /// Colour of the track, red, green, blue, if the host gives one.
    pub colour: Option<[u8; 3]>,
    /// Role of the stem.
    pub role: Role,
    /// Liveness and link state.
    pub status: StemStatus,
    /// The Stem that contains this one: it is metered, not summed.
    pub inside: Option<StemId>,
    /// Readings of its output.
    pub reading: Reading,
    /// Gain reduction of its compressor and limiter, never negative.
    pub reduction: Db,
    /// Trim that Masters have requested.
    pub trim: Db,
    /// Revision of the trim; a request names it.
    pub revision: u64,
    /// State of this Master's last trim request.
    pub request: TrimRequestState,
    /// True if its chain is bypassed.
    pub bypassed: bool,
    /// True if its user listens to something else than its output.
    pub listens: bool,
    /// Monitor revision of the Stem; an audition order names it.
    pub audition: u64,
    /// Level of each third-octave band, dB; `None` for silence.
    pub spectrum: [Option<Db>; STEM_SPECTRUM_BANDS],
}

impl StemCard {
    /// Creates a live Stem with nothing but a name.
    pub fn new(id: StemId, name: &str) -> Self {
        Self {
            id,
            name: name.into(),
            colour: None,
            role: Role::Other,
            status: StemStatus::Live,
            inside: None,
            reading: Reading::default(),
            reduction: Db(0.0),
            trim: Db(0.0),
            revision: 0,
            request: TrimRequestState::None,
            bypassed: false,
            listens: false,
            audition: 0,
            spectrum: [None; STEM_SPECTRUM_BANDS],
        }
    }

    /// Returns the name for the user: the track's, else the role's.
    pub fn name(&self) -> &str {
        if self.name.is_empty() { self.role.name() } else { &self.name }
    }
}

/// State of a trim request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum TrimRequestState {
    /// No request is pending.
    #[default]
    None,
    /// Sent, and not answered yet.
    Asked(Db),
    /// Refused: the Stem's trim had changed meanwhile.
    Refused,
    /// Not answered in time.
    Unanswered,
}

/// Result of a [`Proposal`].
#[derive(Clone, Debug, PartialEq)]
pub struct MoveAnswer {
    /// The proposed move.
    pub proposal: Proposal,
    /// Prediction at the Master's input.
    pub input: MovePrediction,
    /// Prediction at the Master's output.
    pub output: MasterOutcome,
}

impl MoveAnswer {
    /// Returns the changes on each platform: of the Master's output if it is known, else of its input.
    pub fn platform_changes(&self) -> &[PlatformChange] {
        match &self.output {
            MasterOutcome::Simulated(simulated) => &simulated.platform_changes,
            _ => &self.input.platform_changes,
        }
    }
}

/// Output of a Master after a move.
#[derive(Clone, Debug, PartialEq)]
pub enum MasterOutcome {
    /// The Master's chain is neutral: output equals input.
    AsItEntered,
    /// Result of a simulation of the Master's chain.
    Simulated(Box<SimulatedOutput>),
    /// Nothing was captured yet, or another plugin follows.
    Unknown,
}

/// Loudness out of a Master's chain, run over captured windows of the song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimulatedLoudness {
    /// Without and with the move.
    pub ends: [Lufs; 2],
    /// Largest error of the loudness with the move; infinite if it is unknown.
    pub half_width: Lu,
    /// Length of the simulated audio.
    pub length: Ms,
}

/// Simulation of a Master's chain over captured stems.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedOutput {
    /// Length of the simulated audio.
    pub length: Ms,
    /// Largest error of the loudness with the move; infinite if it is unknown.
    pub half_width: Lu,
    /// Reading without the move.
    pub before: Reading,
    /// Reading with the move.
    pub after: Reading,
    /// Changes on each platform.
    pub platform_changes: Vec<PlatformChange>,
}

/// Timeline of a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionTimeline {
    /// Start on the project's timeline.
    pub start: Ms,
    /// Distance of the points.
    pub step: Ms,
    /// The points, in order.
    pub points: Vec<TimelinePoint>,
    /// The songs at the time of the report.
    pub songs: Vec<TimelineSong>,
    /// Start and end of the loudest 20 s.
    pub loudest: Option<(Ms, Ms)>,
}

impl SessionTimeline {
    /// Returns the end on the project's timeline.
    pub fn end(&self) -> Ms {
        Ms(self.start.0 + self.step.0 * self.points.len() as f64)
    }
}

/// A point of a [`SessionTimeline`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimelinePoint {
    /// Recording state of the hop.
    pub mark: HopStatus,
    /// Short-term loudness of the mix.
    pub short_term: Option<Lufs>,
    /// Integrated loudness of the song so far.
    pub integrated: Option<Lufs>,
    /// Gain reduction of the Master, never negative.
    pub reduction: Option<Db>,
}

/// Song on the timeline, with its loudness.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineSong {
    /// Name of the song.
    pub name: String,
    /// Start on the timeline.
    pub start: Ms,
    /// End on the timeline.
    pub end: Ms,
    /// Integrated loudness of the heard part.
    pub integrated: Option<Lufs>,
    /// Length of the heard part.
    pub heard: Ms,
}
