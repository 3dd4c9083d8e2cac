//! Commands of a window to its plugin, and the link that the plugin runs them with.

use super::session_view::{ExportResult, StemCard};
use session::audition::{Audition, AuditionEffect};
use session::record::StemId;
use units::Db;

/// One thing that a window asks of its plugin. Parameters, monitor modes and what is saved are not among them: those are
/// set where they are.
#[derive(Clone, Debug, PartialEq)]
pub enum UiCommand {
    /// Predicts a move; `None` forgets the last one. Nothing that is heard changes.
    Predict(Option<Proposal>),
    /// Asks a Stem for another trim.
    RequestTrim(TrimRequest),
    /// Asks Stems for other trims: those that still have the ones that they are changed from.
    RequestTrims(Vec<TrimChange>),
    /// Has a stem heard otherwise, or no more; `None`: the mix as it is.
    Audition(Option<(StemId, Audition)>),
    /// A stem's absence from the mix is meant.
    ConfirmMute(StemId),
    /// The rest of the mix is made of this stem's sound, or of none's.
    Follow(Option<StemId>),
    /// The saved songs have changed.
    SongsChanged,
    /// Writes the session into a file.
    ExportSession,
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
    /// Revision of the trim that the person saw.
    pub base: u64,
    /// The trim that is wanted.
    pub trim: Db,
}

/// One Stem's trim, before and after a step of several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrimChange {
    /// Which Stem.
    pub stem: StemId,
    /// From.
    pub before: Db,
    /// To.
    pub after: Db,
}

impl TrimChange {
    /// Trims closer than this are the same, dB.
    const SAME: f64 = 0.005;

    /// The same in the other direction.
    pub fn reversed(self) -> Self {
        Self { before: self.after, after: self.before, ..self }
    }

    /// The request that makes the change in one of `stems`; `None` if its Stem is not there, has another trim than that
    /// before, or has the one after already.
    pub fn request(self, stems: &[StemCard]) -> Option<TrimRequest> {
        let are_same = |a: Db, b: Db| (a.0 - b.0).abs() < Self::SAME;
        let has = |stem: &&StemCard| stem.id == self.stem && are_same(stem.trim, self.before);
        let stem = stems.iter().find(has).filter(|_| !are_same(self.before, self.after))?;
        Some(TrimRequest { stem: stem.id, base: stem.revision, trim: self.after })
    }
}

/// Order of a Master about the way in which a Stem is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenRequest {
    /// Which Stem.
    pub stem: StemId,
    /// Number under which it may be heard otherwise.
    pub base: u64,
    /// The way.
    pub effect: AuditionEffect,
}

/// Commands to a Master's analysis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AnalysisCommand {
    /// Predicts a move, or forgets the one that was asked for last.
    Predict(Option<Proposal>),
    /// A stem's absence from the mix is meant.
    ConfirmMute(StemId),
    /// Looks at everything again: songs or followers have changed.
    Refresh,
}

/// A plugin's end of the link, for the commands of its window. Called by any thread but an audio thread; nothing in it
/// waits for one.
pub trait SessionLink: Send + Sync {
    /// Returns the Stems in reach. Changes nothing.
    fn stems(&self) -> Vec<StemCard>;

    /// Returns whether another Master of the session sits last.
    fn has_final(&self) -> bool;

    /// Takes note of who is there and of answers. A few times a second, and before [`Self::stems`].
    fn update(&self);

    /// Asks a Stem for a trim.
    fn request_trim(&self, request: TrimRequest);

    /// Wants Stems heard so, and all others as they are, until the next call.
    fn set_auditions(&self, requests: &[ListenRequest]);

    /// Hands a command to the analysis.
    fn send_analysis_command(&self, command: AnalysisCommand);

    /// Writes the session into a file.
    fn export(&self) -> ExportResult;
}
