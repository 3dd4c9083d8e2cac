//! A master to be made, and the loudness it aims at.

use std::path::{Path, PathBuf};

use crate::tags::FileTags;
use audiofile::error::{Error, Result};
use project::bundle::Bundle;
use project::session::{MasterLoudness, Session};
use session::target::{NormalizationTarget, TargetUse};
use units::Lufs;

/// The loudness of a master without target, as far as little limiting allows.
const AUTO_LOUDNESS: Lufs = Lufs(-14.0);

/// A master to be made.
pub struct MasterJob<'a> {
    /// The stems.
    pub bundle: &'a Bundle,
    /// Their settings.
    pub session: &'a Session,
    /// The file to write.
    pub output: PathBuf,
    /// The file for the same master before its limiter, 32-bit float; none: not written.
    pub unlimited: Option<PathBuf>,
    /// Replace what is there.
    pub overwrite: bool,
    /// The target named by the session or the command line, if any.
    pub target: Option<NormalizationTarget>,
    /// Tags of the file.
    pub tags: FileTags,
}

/// The target's loudness, where it can be mastered to.
///
/// # Errors
/// If the target publishes no loudness.
pub fn target_loudness(target: &NormalizationTarget, output: &Path) -> Result<Lufs> {
    target.loudness.ok_or_else(|| Error::Bundle {
        path: output.to_owned(),
        fault: format!("{} publishes no target loudness", target.name),
        cure: "choose another target, see stems targets".into(),
    })
}

/// True if a target is a dialogue-gated programme specification, which a whole-programme meter only approximates.
pub fn is_dialogue_gated(target: &NormalizationTarget) -> bool {
    matches!(target.usage, TargetUse::Delivery { .. }) && target.mode.contains("dialogue")
}

/// The loudness that the job aims at.
///
/// # Errors
/// If its target publishes no loudness.
pub(super) fn goal(job: &MasterJob<'_>) -> Result<Goal> {
    match (&job.target, &job.session.loudness) {
        (Some(target), _) => Ok(Goal::Exactly(target_loudness(target, &job.output)?)),
        (None, MasterLoudness::AsIs | MasterLoudness::AsHeard) => Ok(Goal::AsIs),
        (None, _) => Ok(Goal::Toward(AUTO_LOUDNESS)),
    }
}

/// The loudness aimed at.
pub(super) enum Goal {
    /// No gain.
    AsIs,
    /// This loudness, whatever limiting it takes.
    Exactly(Lufs),
    /// Up to this loudness as far as little limiting allows.
    Toward(Lufs),
}
