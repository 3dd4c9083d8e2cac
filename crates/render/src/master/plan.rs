//! Everything up to the master's level, rendered once; the gain found; the ceiling held.

use super::final_stage::{FinalStage, KeptRun};
use super::find_gain::{FoundGain, find_gain};
use super::gain::{GainReason, MasterGain};
use super::job::MasterJob;
use super::remarks;
use super::spool::{Spool, SpoolWriter};
use crate::bursts::{Burst, BurstDetector};
use crate::clock::clock;
use crate::mixdown::{Mixdown, master_chain};
use crate::progress::{Progress, advance};
use crate::side_thread::SideThread;
use audiofile::error::Result;
use audiofile::output::folder;
use chain::ChainSettings;
use dsp::dither::Dither;
use dsp::limiter::LimiterSettings;
use meter::layout::Layout;
use meter::{Meter, Reading};
use project::session::Session;
use units::{Db, Dbtp, Hz, Lu};

/// Gain reduction from which a warning is due.
const HEAVY_REDUCTION: Db = Db(6.0);

/// Settings of a master, without a file made of it.
#[derive(Clone, Debug)]
pub struct MasterPlan {
    /// The master chain up to its level.
    pub before_level: ChainSettings,
    /// Level and limiter; not dithered.
    pub after: ChainSettings,
    /// The ceiling that the limiter holds with them.
    pub ceiling: Dbtp,
    /// The gain and its limiting.
    pub gain: MasterGain,
    /// Faults of the song: samples silenced, nothing heard.
    pub faults: Vec<String>,
    /// Sentences for the user.
    pub warnings: Vec<String>,
}

/// Plans a master: finds its gain, and the settings with which its ceiling holds, without writing a file.
///
/// # Errors
/// If a stem cannot be read, the spool cannot be written, a target cannot be reached at all (silence), or the listener
/// stops it.
pub fn plan_master(job: &MasterJob<'_>, progress: &mut dyn Progress) -> Result<MasterPlan> {
    let mut prepared = prepare(job, progress)?;
    let ((), kept) = prepared.render(job, "holding the ceiling", progress, || Ok(()), |(), _| Ok(()))?;
    let Prepared { stage, found, faults, mut warnings, .. } = prepared;
    let gain = found.with_run(&kept.run);
    warnings.extend(warnings_of(&gain, &kept.reading, stage.ceiling, stage.rate));
    let after = ChainSettings { dither: Dither::Off, ..stage.settings };
    let before_level = before_level(job.session);
    Ok(MasterPlan { before_level, after, ceiling: stage.ceiling, gain, faults, warnings })
}

/// Times that a master is landed again after its ceiling was lowered.
const LANDINGS: usize = 3;

impl Prepared {
    /// Runs into what `start` makes, as [`FinalStage::hold`], and finds the gain again where the ceiling had to be
    /// lowered so far that the target is missed.
    pub(super) fn render<T>(
        &mut self,
        job: &MasterJob<'_>,
        phase: &'static str,
        progress: &mut dyn Progress,
        start: impl Fn() -> Result<T>,
        each: impl Fn(&mut T, [&[f64]; 2]) -> Result<()>,
    ) -> Result<(T, KeptRun)> {
        for attempt in 0.. {
            let rendered = self.stage.hold(&self.spool, self.found.level, phase, progress, &start, &each)?;
            if attempt == LANDINGS || !self.found.is_missed_by(&rendered.1.run) {
                return Ok(rendered);
            }
            drop(rendered); // unfinished, a writer leaves nothing behind
            self.found = find_gain(&mut self.stage, &self.spool, &self.before, &self.bursts, job, progress)?;
        }
        unreachable!("the last attempt returns")
    }
}

/// A master that is rendered up to its level, and the gain that was found for it.
pub(super) struct Prepared {
    pub(super) spool: Spool,
    pub(super) before: Reading,
    pub(super) bursts: Vec<Burst>,
    pub(super) stage: FinalStage,
    pub(super) found: FoundGain,
    /// Faults of the song.
    pub(super) faults: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// Renders up to the level and finds the gain.
pub(super) fn prepare(job: &MasterJob<'_>, progress: &mut dyn Progress) -> Result<Prepared> {
    let rate = job.bundle.rate()?;
    let Rendered { spool, before, bursts, faults, warnings } = render_before_level(job, rate, progress)?;
    let mut stage = FinalStage::new(job, rate);
    let found = find_gain(&mut stage, &spool, &before, &bursts, job, progress)?;
    Ok(Prepared { spool, before, bursts, stage, found, faults, warnings })
}

/// A peak that keeps a master this far below its aim is rarely music.
const FAR_FROM_AIM: Lu = Lu(6.0);

/// Warnings about a gain that gave a master of `reading`.
pub(super) fn warnings_of(gain: &MasterGain, reading: &Reading, ceiling: Dbtp, rate: Hz) -> Vec<String> {
    let mut warnings = Vec::new();
    if gain.reduction.0 > HEAVY_REDUCTION.0 {
        warnings.push(format!(
            "limiting reaches {:.1} dB at {}: above {:.0} dB it is heard; lower the target or the peaks of the stems",
            gain.reduction.0,
            clock(gain.reduction_at, rate),
            HEAVY_REDUCTION.0
        ));
    }
    if let (GainReason::Peak, Some(aim), Some(there)) = (gain.reason, gain.aim, reading.integrated)
        && aim.0 - there.0 > FAR_FROM_AIM.0
    {
        warnings.push(format!(
            "the peak at {} alone keeps it {:.1} LU below {:.1} LUFS; listen there, repair the stem or cut it off, and master again",
            clock(gain.stopped_at, rate),
            aim.0 - there.0,
            aim.0
        ));
    }
    if let (GainReason::OutOfReach, Some(aim), Some(there)) = (gain.reason, gain.aim, reading.integrated) {
        warnings.push(format!(
            "{:.1} LUFS is out of reach under a ceiling of {:.1} dBTP, {:.1} LUFS comes nearest; raise the ceiling or choose another target",
            aim.0, ceiling.0, there.0
        ));
    }
    warnings
}

/// The master chain up to its level.
fn before_level(session: &Session) -> ChainSettings {
    ChainSettings {
        level: Db(0.0),
        limiter: LimiterSettings::default(),
        dither: Dither::Off,
        ..session.master.clone()
    }
}

/// The sum as it stands before the master's level.
struct Rendered {
    spool: Spool,
    before: Reading,
    bursts: Vec<Burst>,
    faults: Vec<String>,
    warnings: Vec<String>,
}

/// All that takes the sum as it stands before the master's level.
struct SumListeners {
    spool: SpoolWriter,
    meter: Meter,
    bursts: BurstDetector,
}

/// Sums the stems, runs the master chain up to its level into a spool, and measures that.
fn render_before_level(job: &MasterJob<'_>, rate: Hz, progress: &mut dyn Progress) -> Result<Rendered> {
    let mut mixdown = Mixdown::open(job.bundle, job.session)?;
    let mut chain = master_chain(&before_level(job.session), job.session, rate);
    let listeners = SumListeners {
        spool: SpoolWriter::create(folder(&job.output), &job.output)?,
        meter: Meter::new(rate, &Layout::stereo()),
        bursts: BurstDetector::new(rate),
    };
    let mut listeners = SideThread::new(listeners, |listeners, planes| {
        listeners.meter.process(planes);
        listeners.bursts.process(planes);
        listeners.spool.push(planes[0], planes[1])
    });
    let mut sum = [Vec::new(), Vec::new()];
    progress.begin("rendering", mixdown.frames());
    while let Some((frames, [left, right])) = mixdown.next(&mut chain, &mut sum, |_| ())? {
        listeners.push(&[left, right])?;
        advance(progress, frames, &job.output)?;
    }
    mixdown.refuse_misscaled()?;
    let SumListeners { spool, meter, bursts } = listeners.finish()?;
    let before = meter.reading();
    let bursts = bursts.bursts();
    let faults = mixdown.faults().chain(remarks::nothing_heard(&mixdown, &before)).collect();
    let mut warnings = remarks::of_sum(&mixdown, &before, rate);
    warnings.extend(remarks::of_bursts(&bursts, rate));
    Ok(Rendered { spool: spool.finish()?, before, bursts, faults, warnings })
}
