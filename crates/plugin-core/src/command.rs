//! Commands from a window to its plugin, and the link that executes them.

use super::landing::LandingRequest;
use super::session_view::{BandMark, ExportResult, StemCard};
use session::audition::{Audition, AuditionEffect};
use session::record::StemId;
use units::Db;

/// Command of a window. Parameters, monitor mode and saved state are set directly instead.
#[derive(Clone, Debug, PartialEq)]
pub enum UiCommand {
    /// Predicts a move, or withdraws the last one. Changes no audio.
    Predict(Option<Proposal>),
    /// Estimates the level that lands on a loudness, or withdraws the last estimate. Changes no audio.
    Land(Option<LandingRequest>),
    /// Requests another trim from a Stem.
    RequestTrim(TrimRequest),
    /// Requests other trims from several Stems: only those that still have the trim before the change.
    RequestTrims(Vec<TrimChange>),
    /// Toggles solo, mute or bypass of a stem in the monitor path; `None` ends all of them.
    Audition(Option<(StemId, Audition)>),
    /// Confirms that a stem's absence from the mix is intended.
    ConfirmMute(StemId),
    /// Declares that the unlinked part of the mix follows a stem, or none.
    Follow(Option<StemId>),
    /// Tells the analysis that the saved songs have changed.
    SongsChanged,
    /// Forgets what was heard: the session begins anew.
    Restart,
    /// Resets the meters of all Stems.
    ResetStems,
    /// Has a Stem show a band in which another one covers it.
    MarkBand(StemId, BandMark),
    /// Exports the session to a file.
    ExportSession,
}

/// Gain change of one Stem, to be predicted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proposal {
    /// The Stem.
    pub stem: StemId,
    /// Gain on top of the present one.
    pub gain: Db,
}

/// Request for a Stem's trim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrimRequest {
    /// The Stem.
    pub stem: StemId,
    /// Revision of the trim that was displayed: the Stem refuses if it has changed since.
    pub base: u64,
    /// The requested trim.
    pub trim: Db,
}

/// Trim change of one Stem within a step of several, for undo and slots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrimChange {
    /// The Stem.
    pub stem: StemId,
    /// Trim before the change.
    pub before: Db,
    /// Trim after the change.
    pub after: Db,
}

impl TrimChange {
    /// Difference below which trims count as equal, dB.
    const EQUAL_TRIM_TOLERANCE: f64 = 0.005;

    /// Returns the inverse change.
    pub fn reversed(self) -> Self {
        Self { before: self.after, after: self.before, ..self }
    }

    /// Returns the request that makes this change; `None` if the Stem is not among `stems`, its trim is not the one
    /// before, or nothing would change.
    pub fn request(self, stems: &[StemCard]) -> Option<TrimRequest> {
        let are_equal = |a: Db, b: Db| (a.0 - b.0).abs() < Self::EQUAL_TRIM_TOLERANCE;
        let has = |stem: &&StemCard| stem.id == self.stem && are_equal(stem.trim, self.before);
        let stem = stems.iter().find(has).filter(|_| !are_equal(self.before, self.after))?;
        Some(TrimRequest { stem: stem.id, base: stem.revision, trim: self.after })
    }
}

/// Audition order of a Master to a Stem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenRequest {
    /// The Stem.
    pub stem: StemId,
    /// Monitor revision of the Stem that was displayed: the order ends with it.
    pub base: u64,
    /// Mute or bypass.
    pub effect: AuditionEffect,
}

/// Command to a Master's analysis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AnalysisCommand {
    /// Predicts a move, or withdraws the last one.
    Predict(Option<Proposal>),
    /// Estimates the level that lands on a loudness, or withdraws the last estimate.
    Land(Option<LandingRequest>),
    /// Confirms that a stem's absence from the mix is intended.
    ConfirmMute(StemId),
    /// Reports again: songs or followers have changed.
    Refresh,
    /// Forgets what was heard.
    Restart,
}

/// Access to the link for the commands of a window. Not for the audio thread, and never waits for one.
pub trait SessionLink: Send + Sync {
    /// Returns the Stems in reach. No side effects.
    fn stems(&self) -> Vec<StemCard>;

    /// Returns true if another Master of the session is last on the bus.
    fn has_final(&self) -> bool;

    /// Updates the memory of seen Stems and answers. Call a few times a second, and before [`Self::stems`].
    fn update(&self);

    /// Requests a trim from a Stem.
    fn request_trim(&self, request: TrimRequest);

    /// Asks a Stem to reset its meters.
    fn reset_meters(&self, stem: StemId);

    /// Asks a Stem to show a band in which another one covers it.
    fn mark_band(&self, stem: StemId, mark: BandMark);

    /// Replaces the auditions of all Stems; a Stem without an order plays normally.
    fn set_auditions(&self, requests: &[ListenRequest]);

    /// Passes a command to the analysis.
    fn send_analysis_command(&self, command: AnalysisCommand);

    /// Exports the session to a file.
    fn export(&self) -> ExportResult;
}
