//! Mastering a bundle: stems through their chains, the sum through the master chain, at its loudness and under its
//! ceiling, written, and measured again by two meters.
//!
//! Everything up to the master's level is rendered once, into a nameless spool file in the output folder. What follows
//! (level, limiter, dither) runs over the spool as often as the search for the gain takes.

mod as_heard;
mod file;
mod final_stage;
mod find_gain;
mod gain;
mod job;
mod mastered;
mod plan;
mod remarks;
mod spool;

use crate::ceiling::peak_limit;
use crate::output::check_free;
use crate::progress::Progress;
use audiofile::error::Result;
use plan::{Prepared, prepare, warnings_of};
use project::session::MasterLoudness;
use units::Dbtp;

pub use final_stage::chain_after;
pub use gain::{GainReason, MasterGain};
pub use job::{MasterJob, is_dialogue_gated, target_loudness};
pub use mastered::{Mastered, Unlimited};
pub use plan::{MasterPlan, plan_master};
pub(crate) use remarks::is_heard;

/// Masters a bundle.
///
/// # Errors
/// Before any work if the output exists or is an input; else if a stem cannot be read, the output cannot be written,
/// a target cannot be reached at all (silence), or the listener stops it. Nothing is left behind then.
pub fn master(job: &MasterJob<'_>, progress: &mut dyn Progress) -> Result<Mastered> {
    let output = &job.output;
    for path in [Some(output), job.unlimited.as_ref()].into_iter().flatten() {
        check_free(path, job.bundle, job.overwrite, "choose another output folder")?;
    }
    if job.target.is_none() && job.session.loudness == MasterLoudness::AsHeard {
        return as_heard::master(job, progress);
    }
    let mut prepared = prepare(job, progress)?;
    let kept = file::write(&mut prepared, job, progress)?;
    let Prepared { spool, before, stage, found, faults, mut warnings, .. } = prepared;
    let (measured, as_rendered) =
        file::read_back(&job.output, &kept.reading, kept.second, spool.frames(), progress)?;
    let verified = as_rendered && kept.strict <= peak_limit(stage.ceiling) && is_heard(&before);
    let unlimited = match &job.unlimited {
        Some(path) => Some(file::write_unlimited(&stage, &spool, found.level, path, job, progress)?),
        None => None,
    };
    let gain = found.with_run(&kept.run);
    warnings.extend(warnings_of(&gain, &measured.reading, stage.ceiling, stage.rate));
    Ok(Mastered {
        path: output.clone(),
        measured,
        verified,
        unlimited,
        ceiling: stage.ceiling,
        strict_peak: Dbtp::from_amplitude(kept.strict),
        gain,
        before,
        faults,
        warnings,
    })
}
