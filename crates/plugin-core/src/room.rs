//! What a Master's window shows of its session, as plain values, and what a person may ask of it.

use super::references::References;
use meter::Reading;
use session::audition::{Auditions, Hearing};
use session::prediction::{Exchange, Prediction};
use session::record::{Mark, StemId};
use session::role::Role;
use session::target::NormalizationTarget;
use session::view::{PlatformView, Session, StemView};
use units::{Db, Lufs, Ms};

/// The trouble of a Master whose session an earlier one has: a project that was saved under another name and is open twice.
pub const OPEN_TWICE: &str = "This session is open twice";

/// The trouble of whoever has plugins of another version beside it.
pub const OTHER_VERSION: &str = "Plugins of another version are open";

/// How long a hop of a session is.
pub const HOP: Ms = Ms(100.0);

/// Third-octave bands of a stem's spectrum, 20 Hz to 20 kHz.
pub const BANDS: usize = 31;

/// What a Master knows of its session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionFacts {
    /// Where it sits.
    pub placement: Placement,
    /// Another Master of the session sits last, so that what leaves this one is not what is heard in the end.
    pub has_final: bool,
    /// Every Stem that is known, in the order in which they came; those of other sessions last.
    pub stems: Vec<StemCard>,
    /// What has been found out over the range that is shown; `None` before anything was heard.
    pub session: Option<Session>,
    /// What platforms do with what leaves this Master; empty without loudness.
    pub platforms: Vec<PlatformView>,
    /// The platforms' rules.
    pub targets: Vec<NormalizationTarget>,
    /// The last move that was asked for.
    pub answer: Option<Answer>,
    /// Whose sound the rest of the mix is said to follow.
    pub follows: Option<StemId>,
    /// What was heard of the timeline.
    pub history: History,
    /// Why other processes' instances are not seen, with a cure; empty if all is well.
    pub trouble: String,
    /// What became of the last export.
    pub exported: Option<Exported>,
    /// Songs to compare with.
    pub references: References,
    /// Stems that a person hears otherwise for a moment.
    pub auditions: Auditions,
}

/// What became of an export.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// Where the file is; else why there is none.
    pub path: Result<String, String>,
    /// What could not be had, or is otherwise than in the project.
    pub remarks: Vec<String>,
}

impl SessionFacts {
    /// The Stem `id`.
    pub fn stem(&self, id: StemId) -> Option<&StemCard> {
        self.stems.iter().find(|stem| stem.id == id)
    }

    /// What the Stem `id` is called.
    pub fn name(&self, id: StemId) -> &str {
        self.stem(id).map_or("a stem", StemCard::name)
    }

    /// What has been found out about the Stem `id`.
    pub fn found(&self, id: StemId) -> Option<&StemView> {
        self.session.as_ref()?.stems.iter().find(|stem| stem.id == id)
    }

    /// How much of the range was heard.
    pub fn heard(&self) -> Ms {
        Ms(self.session.as_ref().map_or(0, |session| session.progress.heard) as f64 * HOP.0)
    }

    /// The rule of a platform.
    pub fn target(&self, id: &str) -> Option<&NormalizationTarget> {
        self.targets.iter().find(|target| target.id == id)
    }

    /// Stems that make up the mix: linked, of this session, not inside another.
    pub fn summed(&self) -> impl Iterator<Item = &StemCard> {
        self.stems.iter().filter(|stem| stem.inside.is_none() && stem.presence.is_linked())
    }
}

/// Where on the master bus a Master sits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// First: it relates stems to what enters it.
    #[default]
    Mix,
    /// Last, or in a monitoring slot: what it puts out is what is heard.
    Final,
}

impl Placement {
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
    /// Whether and how it is there.
    pub presence: Presence,
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
    pub request: Request,
    /// Its chain is bypassed.
    pub bypassed: bool,
    /// Something else is heard of it than its output.
    pub listens: bool,
    /// The number under which it may be heard otherwise: a wish names the one that the person saw.
    pub audition: u64,
    /// Level of each third-octave band, dB; `None` where there is nothing.
    pub spectrum: [Option<Db>; BANDS],
}

impl StemCard {
    /// A Stem that is there, and of which no more is known than its name.
    pub fn new(id: StemId, name: &str) -> Self {
        Self {
            id,
            name: name.into(),
            colour: None,
            role: Role::Other,
            presence: Presence::Live,
            inside: None,
            reading: Reading::default(),
            reduction: Db(0.0),
            trim: Db(0.0),
            revision: 0,
            request: Request::None,
            bypassed: false,
            listens: false,
            audition: 0,
            spectrum: [None; BANDS],
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        if self.name.is_empty() { self.role.name() } else { &self.name }
    }
}

/// Whether and how a Stem is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// It is there.
    #[default]
    Live,
    /// Its host does not call it: it is silent.
    Asleep,
    /// It has said nothing for a second.
    Dim,
    /// It was closed, or its process is dead.
    Gone,
    /// Its sampling rate is not the Master's.
    Incompatible,
    /// It belongs to another Master.
    OtherSession,
}

impl Presence {
    /// True if it takes part in this session.
    pub fn is_linked(self) -> bool {
        matches!(self, Self::Live | Self::Asleep | Self::Dim)
    }

    /// The words beside a name; empty for what is usual.
    pub fn words(self) -> &'static str {
        match self {
            Self::Live => "",
            Self::Asleep => "asleep",
            Self::Dim => "not responding",
            Self::Gone => "gone",
            Self::Incompatible => "other sampling rate",
            Self::OtherSession => "other session",
        }
    }

    /// What that means, and what can be done.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Live => "It is heard and seen.",
            Self::Asleep => {
                "Its host does not call it, as hosts do with silent tracks. It counts as silence."
            }
            Self::Dim => "It has said nothing for a second: its host is busy, or has stopped.",
            Self::Gone => {
                "It was closed, or its process is dead. The sound is what is in the project; only the link is gone."
            }
            Self::Incompatible => {
                "Its host runs at another sampling rate than the Master's: it is seen, but not summed."
            }
            Self::OtherSession => {
                "Its sound is not in this mix: it belongs to another Master, or is not routed here."
            }
        }
    }
}

/// What has become of a request for a trim.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Request {
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

/// A move that a person considers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proposal {
    /// Which Stem.
    pub stem: StemId,
    /// Gain on top of what it has.
    pub gain: Db,
}

/// A trim that a person asks of a Stem.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrimRequest {
    /// Which Stem.
    pub stem: StemId,
    /// The revision of the trim that the person saw.
    pub base: u64,
    /// The trim that is wanted.
    pub trim: Db,
}

/// How a person at a Master wants a Stem heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenRequest {
    /// Which Stem.
    pub stem: StemId,
    /// The number under which it may be heard otherwise.
    pub base: u64,
    /// How.
    pub hearing: Hearing,
}

/// The answer to a [`Proposal`].
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// To what.
    pub of: Proposal,
    /// What enters the Master.
    pub into: Prediction,
    /// What leaves it.
    pub out: Outcome,
}

impl Answer {
    /// What platforms make of it: of what leaves the Master where that is known, else of what enters it.
    pub fn exchanges(&self) -> &[Exchange] {
        match &self.out {
            Outcome::Simulated(simulated) => &simulated.exchanges,
            _ => &self.into.exchanges,
        }
    }
}

/// What leaves a Master after a move.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The Master's chain does nothing: as it entered.
    AsItEntered,
    /// The Master's chain ran over captured stems.
    Simulated(Box<Simulated>),
    /// Nothing was captured yet, or something else than this plugin comes after.
    Unknown,
}

/// A Master's chain over captured stems, without and with a move.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulated {
    /// Over how much.
    pub length: Ms,
    /// Without the move.
    pub before: Reading,
    /// With it.
    pub after: Reading,
    /// What platforms make of it.
    pub exchanges: Vec<Exchange>,
}

/// A session over the project's timeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Where it begins.
    pub start: Ms,
    /// How long a point is.
    pub step: Ms,
    /// One after the other.
    pub points: Vec<Moment>,
    /// The songs.
    pub songs: Vec<Song>,
    /// Where the transport is.
    pub playhead: Option<Ms>,
    /// What the host loops.
    pub looped: Option<(Ms, Ms)>,
    /// The loudest 20 s: from, to.
    pub loudest: Option<(Ms, Ms)>,
}

impl History {
    /// Where it ends.
    pub fn end(&self) -> Ms {
        Ms(self.start.0 + self.step.0 * self.points.len() as f64)
    }
}

/// A point of a [`History`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Whether and how it was heard.
    pub mark: Mark,
    /// The mix's short-term loudness there.
    pub short_term: Option<Lufs>,
    /// Integrated loudness of the song so far.
    pub integrated: Option<Lufs>,
    /// What the Master took away there, never negative.
    pub reduction: Option<Db>,
}

/// A range of the timeline that is one song.
#[derive(Clone, Debug, PartialEq)]
pub struct Song {
    /// What it is called.
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
