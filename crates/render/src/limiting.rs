//! Owners of a master's limiting: the parts of every stem in the reduction of limiter and compressor, and the events.
//!
//! The master is planned as `stems master` plans it. Then the sum runs through its chain once more, and every stem beside it
//! through an equal chain that follows ([`walk`]); what arrives at the compressor and at the limiter is what they are analysed with.

mod cure;
mod tally;
mod walk;
mod window;

use std::path::Path;

use crate::master::{MasterJob, MasterPlan, plan_master};
use crate::progress::Progress;
use crate::tags::FileTags;
use audiofile::error::Result;
pub use cure::{Cure, CureBell, CureFamily, Cures, LessLimiting, least_cures};
use dsp::compressor::parts::CompressorParts;
use dsp::limiter::Limiter;
use dsp::limiter::parts::LimiterParts;
use project::bundle::Bundle;
use project::session::Session;
use session::target::NormalizationTarget;
use tally::Tally;
pub use tally::{LimitingEvent, LimitingRow, StageLimiting};
use units::{Db, Dbtp, Hz};
use walk::Walk;

/// Name of the row of what a saturator adds to the sum.
pub const SATURATOR_ROW: &str = "Saturator";

/// A master whose limiting is to be told apart.
pub struct LimitingJob<'a> {
    /// The stems.
    pub bundle: &'a Bundle,
    /// Their settings.
    pub session: &'a Session,
    /// The target named by the session or the command line, if any.
    pub target: Option<NormalizationTarget>,
}

/// Limiting of a master, by its owners.
#[derive(Clone, Debug)]
pub struct Limiting {
    /// Sampling rate.
    pub rate: Hz,
    /// Length of the song in frames.
    pub frames: u64,
    /// Gain of the master before its limiter.
    pub gain: Db,
    /// Ceiling of the master.
    pub ceiling: Dbtp,
    /// Names of the rows: the stems, and what a saturator adds, if there is one.
    pub rows: Vec<String>,
    /// The limiter.
    pub limiter: StageLimiting,
    /// The compressor, if it is on.
    pub compressor: Option<StageLimiting>,
    /// Events of the limiter in the order of the song.
    pub events: Vec<LimitingEvent>,
    /// Faults of the song: samples silenced, nothing heard.
    pub faults: Vec<String>,
    /// Sentences for the user.
    pub warnings: Vec<String>,
    plan: MasterPlan,
}

/// Plan of the master of a job; its spool lies in the folder of temporary files.
fn plan(job: &LimitingJob<'_>, progress: &mut dyn Progress) -> Result<MasterPlan> {
    let master = MasterJob {
        bundle: job.bundle,
        session: job.session,
        output: std::env::temp_dir().join("limiting.wav"), // a plan writes no file
        unlimited: None,
        overwrite: false,
        target: job.target.clone(),
        tags: FileTags::default(),
    };
    plan_master(&master, progress)
}

/// Tells the limiting of a master apart.
///
/// # Errors
/// If a stem cannot be read, a target cannot be reached at all (silence), or the listener stops it.
pub fn analyse_limiting(job: &LimitingJob<'_>, progress: &mut dyn Progress) -> Result<Limiting> {
    let planned = plan(job, progress)?;
    let rate = job.bundle.rate()?;
    let mut walk = Walk::new(job, &planned)?;
    let rows = walk.rows().to_vec();
    let limiter = &planned.after.limiter;
    let mut parts = LimiterParts::new(rate, Limiter::MASTER, limiter, rows.len());
    let mut tally = Tally::new(rate, rows.len(), limiter.release);
    let compressor = &planned.before_level.compressor;
    let stems = job.bundle.stems.len();
    let mut compressor_parts = compressor.on.then(|| CompressorParts::new(rate, compressor, stems));
    let mut compressor_tally = Tally::new(rate, stems, compressor.release);
    let path: &Path = &job.bundle.dir;
    while let Some(step) = walk.step(path, progress)? {
        let at_limiter: Vec<[&[f64]; 2]> = step.rows.iter().map(sides).collect();
        parts.process(sides(step.sum), &at_limiter, |place, decibels| tally.push(place, decibels));
        if let Some(parts) = &mut compressor_parts {
            let keys: Vec<[&[f64]; 2]> = step.keys.iter().map(sides).collect();
            parts.process(&keys, |place, decibels| compressor_tally.push(place, decibels));
        }
    }
    // what is still inside the limiter's lookahead
    let silence = vec![0.0; Limiter::MASTER.samples(rate).0 + 64];
    let rows_of_silence = vec![[&silence[..], &silence[..]]; rows.len()];
    parts.process([&silence, &silence], &rows_of_silence, |place, decibels| tally.push(place, decibels));
    let (limiter, events) = tally.finish();
    Ok(Limiting {
        rate,
        frames: job.bundle.frames(),
        gain: planned.gain.level,
        ceiling: planned.ceiling,
        rows,
        limiter,
        compressor: compressor.on.then(|| compressor_tally.finish().0),
        events,
        faults: planned.faults.clone(),
        warnings: planned.warnings.clone(),
        plan: planned,
    })
}

/// Both sides as slices.
fn sides(planes: &[Vec<f64>; 2]) -> [&[f64]; 2] {
    [&planes[0], &planes[1]]
}

impl Limiting {
    /// The deepest events, deepest first.
    pub fn worst(&self, count: usize) -> Vec<&LimitingEvent> {
        let mut events: Vec<&LimitingEvent> = self.events.iter().collect();
        events.sort_by(|a, b| b.depth.0.total_cmp(&a.depth.0).then(a.at.cmp(&b.at)));
        events.truncate(count);
        events
    }
}

#[cfg(test)]
mod tests;
