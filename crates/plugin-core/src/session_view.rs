//! A session as windows show it: one immutable value, published in one place ([`PluginShared`]) and drawn as it is.
//!
//! [`PluginShared`]: super::shared::PluginShared

use super::command::Proposal;
use meter::Reading;
use session::audition::Auditions;
use session::prediction::{MovePrediction, PlatformChange};
use session::record::{HopStatus, StemId};
use session::role::Role;
use session::session_report::{SessionReport, StemReport};
use session::stem_status::StemStatus;
use std::sync::Arc;
use units::{Db, Lufs, Ms};

/// Length of a hop of a session.
pub const HOP_LENGTH: Ms = Ms(100.0);

/// Third-octave bands of a stem's spectrum, 20 Hz to 20 kHz.
pub const STEM_SPECTRUM_BANDS: usize = 31;

/// Everything that a window shows and that does not come from the plugin's own parameters and meters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionSnapshot {
    /// Grows with every change, of this or of what the plugin itself shows: a window that has drawn it shows what there is.
    pub revision: u64,
    /// Every Stem that is known, in the order in which they came, those that have gone last. At frame rate, and only
    /// while a window is open.
    pub stems: Vec<StemCard>,
    /// Another Master of the session sits last, so that what leaves this one is not what is heard in the end.
    pub has_final: bool,
    /// Result of a Master's analysis; `None` before anything was heard.
    pub analysis: Option<Arc<AnalysisResult>>,
    /// Stems that a person hears otherwise for a moment.
    pub auditions: Auditions,
    /// Stem whose sound the rest of the mix is said to follow.
    pub follows: Option<StemId>,
    /// The Master that sees this Stem.
    pub master: MasterLink,
    /// Faults, at most one of each source, the worst first.
    pub faults: Vec<SessionFault>,
    /// Result of the last export.
    pub exported: Option<ExportResult>,
}

impl SessionSnapshot {
    /// The Stem `id`.
    pub fn stem(&self, id: StemId) -> Option<&StemCard> {
        self.stems.iter().find(|stem| stem.id == id)
    }

    /// Name of the Stem `id`.
    pub fn name(&self, id: StemId) -> &str {
        self.stem(id).map_or("a stem", StemCard::name)
    }

    /// The session as the analysis knows it.
    pub fn session(&self) -> Option<&SessionReport> {
        self.analysis.as_deref().map(|analysis| &analysis.session)
    }

    /// The analysis of the Stem `id`.
    pub fn found(&self, id: StemId) -> Option<&StemReport> {
        self.session()?.stems.iter().find(|stem| stem.id == id)
    }

    /// How much of the range was heard.
    pub fn heard(&self) -> Ms {
        Ms(self.session().map_or(0, |session| session.progress.heard) as f64 * HOP_LENGTH.0)
    }

    /// Stems that make up the mix: linked, of this session, not inside another.
    pub fn summed(&self) -> impl Iterator<Item = &StemCard> {
        self.stems.iter().filter(|stem| stem.inside.is_none() && stem.status.is_linked())
    }

    /// The session over the project's timeline; `None` before anything was heard.
    pub fn timeline(&self) -> Option<&SessionTimeline> {
        self.analysis.as_deref().map(|analysis| &analysis.timeline)
    }
}

/// Result of a Master's analysis.
#[derive(Clone, Debug, PartialEq)]
pub struct AnalysisResult {
    /// The session over everything that was heard.
    pub session: SessionReport,
    /// Names of its stems, in its order.
    pub names: Vec<String>,
    /// The last move that was asked for, into the Master.
    pub prediction: Option<MovePrediction>,
    /// Loudness out of the Master without and with that move, and over how much of the song it was simulated.
    pub simulated: Option<([Lufs; 2], Ms)>,
    /// The session over the project's timeline.
    pub timeline: SessionTimeline,
}

/// Link of a Stem to a Master.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum MasterLink {
    /// No Master has been seen.
    #[default]
    Waiting,
    /// A Master sees this Stem.
    Linked(LinkedMaster),
    /// A Master was there and has gone.
    Lost,
}

/// A Master's summary of one Stem.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkedMaster {
    /// Stems in the session, this one included.
    pub stems: usize,
    /// This stem's share of the mix's loudness, 0 to 1, and below 0 when it cancels others; `None` before it is known.
    pub share: Option<f64>,
    /// Length of the programme that the share is of.
    pub heard: Ms,
    /// The share follows from the links exactly, else it is an estimate.
    pub exact: bool,
}

/// A fault that keeps a plugin from seeing all of its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFault {
    /// Its origin: each keeps one fault of its own.
    pub source: FaultSource,
    /// The fault in a line, with a cure where there is one.
    pub text: String,
}

/// Origin of a [`SessionFault`], the worst first.
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
    /// The consequence of such a fault, in sentences.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Analysis => {
                "What is said of the session is no longer brought up to date; the sound is as set."
            }
            Self::Link => "Instances in other processes are not seen; those in this one are.",
            Self::DoubleSession => {
                "The Master that was opened first asks Stems for trims; this one only shows."
            }
            Self::OtherVersion => {
                "They are in another process and cannot be understood: they are neither seen nor summed. Use one version everywhere, and start the hosts anew."
            }
        }
    }
}

/// Result of an export.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportResult {
    /// Path of the file; else the reason why there is none.
    pub path: Result<String, String>,
    /// Differences to the project, a sentence each.
    pub remarks: Vec<String>,
}

/// Where on the master bus a Master sits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BusPosition {
    /// First: it relates stems to what enters it.
    #[default]
    Mix,
    /// Last, or in a monitoring slot: what it puts out is what is heard.
    Final,
}

impl BusPosition {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mix, Self::Final];

    /// The word for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mix => "Mix",
            Self::Final => "Final",
        }
    }
}

/// What a Stem shows to its Master.
#[derive(Clone, Debug, PartialEq)]
pub struct StemCard {
    /// Which Stem.
    pub id: StemId,
    /// The track's name; empty if its host has not said.
    pub name: String,
    /// The track's colour, if its host has said.
    pub colour: Option<[u8; 3]>,
    /// Its role.
    pub role: Role,
    /// Whether it takes part, and if not, why.
    pub status: StemStatus,
    /// The Stem whose sound it is part of: it is metered, not summed.
    pub inside: Option<StemId>,
    /// Its reading as it leaves its Stem.
    pub reading: Reading,
    /// What its compressor and limiter take away at this moment, never negative.
    pub reduction: Db,
    /// The trim that Masters have asked for.
    pub trim: Db,
    /// The revision of that trim: a request names the one that the person saw.
    pub revision: u64,
    /// What has become of this Master's last request.
    pub request: TrimRequestState,
    /// Its chain is bypassed.
    pub bypassed: bool,
    /// Something else is heard of it than its output.
    pub listens: bool,
    /// The number under which it may be heard otherwise: a wish names the one that the person saw.
    pub audition: u64,
    /// Level of each third-octave band, dB; `None` where there is nothing.
    pub spectrum: [Option<Db>; STEM_SPECTRUM_BANDS],
}

impl StemCard {
    /// A Stem that is there, and of which no more is known than its name.
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

    /// What it is called.
    pub fn name(&self) -> &str {
        if self.name.is_empty() { self.role.name() } else { &self.name }
    }
}

/// What has become of a request for a trim.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum TrimRequestState {
    /// None is on its way.
    #[default]
    None,
    /// It is on its way.
    Asked(Db),
    /// The Stem had been changed meanwhile: nothing was done.
    Refused,
    /// The Stem has not answered.
    Unanswered,
}

/// The answer to a [`Proposal`].
#[derive(Clone, Debug, PartialEq)]
pub struct MoveAnswer {
    /// To what.
    pub of: Proposal,
    /// What enters the Master.
    pub into: MovePrediction,
    /// What leaves it.
    pub out: MasterOutcome,
}

impl MoveAnswer {
    /// What platforms make of it: of what leaves the Master where that is known, else of what enters it.
    pub fn exchanges(&self) -> &[PlatformChange] {
        match &self.out {
            MasterOutcome::Simulated(simulated) => &simulated.exchanges,
            _ => &self.into.platform_changes,
        }
    }
}

/// What leaves a Master after a move.
#[derive(Clone, Debug, PartialEq)]
pub enum MasterOutcome {
    /// The Master's chain does nothing: as it entered.
    AsItEntered,
    /// The Master's chain ran over captured stems.
    Simulated(Box<SimulatedOutput>),
    /// Nothing was captured yet, or something else than this plugin comes after.
    Unknown,
}

/// A Master's chain over captured stems, without and with a move.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedOutput {
    /// Over how much.
    pub length: Ms,
    /// Without the move.
    pub before: Reading,
    /// With it.
    pub after: Reading,
    /// What platforms make of it.
    pub exchanges: Vec<PlatformChange>,
}

/// A session over the project's timeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionTimeline {
    /// Where it begins.
    pub start: Ms,
    /// Length of a point.
    pub step: Ms,
    /// One after the other.
    pub points: Vec<TimelinePoint>,
    /// The songs, as they were divided when this was made.
    pub songs: Vec<TimelineSong>,
    /// The loudest 20 s: from, to.
    pub loudest: Option<(Ms, Ms)>,
}

impl SessionTimeline {
    /// Where it ends.
    pub fn end(&self) -> Ms {
        Ms(self.start.0 + self.step.0 * self.points.len() as f64)
    }
}

/// A point of a [`SessionTimeline`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimelinePoint {
    /// Whether and how it was heard.
    pub mark: HopStatus,
    /// The mix's short-term loudness there.
    pub short_term: Option<Lufs>,
    /// Integrated loudness of the song so far.
    pub integrated: Option<Lufs>,
    /// Gain reduction of the Master there, never negative.
    pub reduction: Option<Db>,
}

/// A range of the timeline that is one song.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineSong {
    /// Its name.
    pub name: String,
    /// From.
    pub start: Ms,
    /// To.
    pub end: Ms,
    /// Its loudness over what was heard of it.
    pub integrated: Option<Lufs>,
    /// How much of it was heard.
    pub heard: Ms,
}
