//! Search for the one constant gain that puts a master at its loudness.

use super::final_stage::{FinalStage, Run};
use super::gain::{GainReason, MasterGain};
use super::job::{Goal, MasterJob, goal};
use super::spool::Spool;
use crate::bursts::Burst;
use crate::progress::Progress;
use audiofile::error::{Error, Result};
use meter::layout::Layout;
use meter::{Meter, Reading};
use units::{Db, Hz, Lufs};

/// The limiting at which a master without target stops.
const MAX_GENTLE_REDUCTION: Db = Db(2.0);
/// A target is reached within this; the promise is 0.1 LU.
const TARGET_TOLERANCE: f64 = 0.02;
/// A master that has this much less or more than its target is landed again; the promise is 0.1 LU.
const MAX_MISS: f64 = 0.05;
/// A master without target that is limited this much more than it should be, dB, is landed again.
const MAX_EXCESS: f64 = 0.005;
/// A gain that moves the master less than this is no better.
const MIN_STEP: f64 = 0.005;
/// Runs over the spool after which the best gain so far is taken.
const MAX_RUNS: usize = 16;
/// No gain beyond these is tried, but for a sum so quiet that it takes more to reach the target: then [`MORE_GAIN`] beyond that.
const MAX_GAIN: f64 = 36.0;
const MORE_GAIN: f64 = 24.0;
const MIN_GAIN: f64 = -48.0;

/// The gain that was found.
pub(super) struct FoundGain {
    gain: Db,
    pub(super) level: Db,
    aim: Option<Lufs>,
    reason: GainReason,
    /// The frame of the song where the run that found it, if one was needed, limits most.
    stopped_at: Option<u64>,
    /// The aim is a target, not a direction.
    on_target: bool,
    /// The limiting of all of the audio keeps it below an aim that is a direction.
    is_gentle: bool,
}

impl FoundGain {
    /// The gain with the limiting of `written`, the run that was written: its ceiling may have been lowered after the search, and
    /// bursts are in it.
    pub(super) fn with_run(&self, written: &Run) -> MasterGain {
        MasterGain {
            gain: self.gain,
            level: self.level,
            aim: self.aim,
            reason: self.reason,
            stopped_at: self.stopped_at.unwrap_or(written.reduction_at),
            reduction: written.reduction,
            reduction_at: written.reduction_at,
        }
    }
}

impl FoundGain {
    /// True if a run is not what was searched for, because its ceiling was lowered after the gain was found: it misses its target,
    /// or is limited more than a master without target.
    pub(super) fn is_missed_by(&self, run: &Run) -> bool {
        let miss = run.integrated.zip(self.aim).map_or(0.0, |(loudness, aim)| (loudness - aim).0);
        let misses = self.on_target && self.reason == GainReason::Reached && miss.abs() > MAX_MISS;
        misses || self.is_gentle && run.reduction.0 > MAX_GENTLE_REDUCTION.0 + MAX_EXCESS
    }
}

/// Finds the gain for `job` by running the end of the chain over the spool, as often as that takes: not at all where
/// no gain is asked for. `bursts` decide nothing: loudness and limiting are those of the song without them.
pub(super) fn find_gain(
    post: &mut FinalStage,
    spool: &Spool,
    before: &Reading,
    bursts: &[Burst],
    job: &MasterJob<'_>,
    progress: &mut dyn Progress,
) -> Result<FoundGain> {
    let own = job.session.master.level;
    let goal = goal(job)?;
    let without_bursts = !bursts.is_empty() && !matches!(goal, Goal::Exactly(_));
    let integrated =
        if bursts.is_empty() { before.integrated } else { loudness_without(bursts, spool, post.rate)? };
    let mut run = |gain: f64| {
        progress.begin("landing", spool.frames());
        // On a target counts what is in the file, where the limiter has taken the bursts.
        let bursts = if without_bursts { bursts } else { &[] };
        post.run_without(spool, bursts, own + Db(gain), progress)
    };
    let found = |gain: f64, run: Option<Run>, aim, reason| FoundGain {
        gain: Db(gain),
        level: own + Db(gain),
        aim,
        reason,
        stopped_at: run.map(|run| run.reduction_at),
        on_target: matches!(goal, Goal::Exactly(_)),
        is_gentle: matches!(goal, Goal::Toward(_)) && !without_bursts,
    };
    let Some(now) = integrated.map(|loudness| loudness + own) else {
        if let Goal::Exactly(_) = goal {
            return Err(Error::Bundle {
                path: job.bundle.dir.clone(),
                fault: "has no loudness to land on a target (silence, or shorter than 400 ms)".into(),
                cure: "check the stems with stems check".into(),
            });
        }
        if let Goal::AsIs = goal {
            return Ok(found(0.0, None, None, GainReason::AsIs));
        }
        return gentle(&mut run, 0.0).map(|(gain, at)| found(gain, Some(at), None, GainReason::Silence));
    };
    match goal {
        Goal::AsIs => Ok(found(0.0, None, None, GainReason::AsIs)),
        Goal::Toward(aim) => {
            let wanted = (aim - now).0.max(0.0);
            let (gain, at) = gentle(&mut run, wanted)?;
            let reason = match () {
                () if gain < wanted - MIN_STEP || gain < 0.0 => GainReason::Peak,
                () if wanted == 0.0 => GainReason::LouderAlready,
                () => GainReason::Reached,
            };
            Ok(found(gain, Some(at), Some(aim), reason))
        }
        Goal::Exactly(aim) => {
            let (gain, at, on_target) = exactly(&mut run, (aim - now).0, aim)?;
            let reason = if on_target { GainReason::Reached } else { GainReason::OutOfReach };
            Ok(found(gain, Some(at), Some(aim), reason))
        }
    }
}

/// Integrated loudness of the spool with `bursts` turned down to the level of everything else.
fn loudness_without(bursts: &[Burst], spool: &Spool, rate: Hz) -> Result<Option<Lufs>> {
    let mut meter = Meter::new(rate, &Layout::stereo());
    let mut reader = spool.read_without(bursts)?;
    let mut sum = [Vec::new(), Vec::new()];
    while reader.next(&mut sum)? > 0 {
        meter.process(&[&sum[0], &sum[1]]);
    }
    Ok(meter.reading().integrated)
}

/// The largest gain up to `wanted` with which the limiter takes away no more than 2 dB.
///
/// Reduction rises with gain, dB by dB where it is deepest, so stepping back by the excess converges at once.
fn gentle(run: &mut impl FnMut(f64) -> Result<Run>, wanted: f64) -> Result<(f64, Run)> {
    let mut gain = wanted;
    let mut at = run(gain)?;
    for _ in 0..MAX_RUNS {
        let excess = at.reduction.0 - MAX_GENTLE_REDUCTION.0;
        if excess <= 0.0 {
            break;
        }
        gain = (gain - excess - 1e-4).max(MIN_GAIN);
        at = run(gain)?;
    }
    Ok((gain, at))
}

/// The gain that reaches `aim`: false interpolation between a gain that is too quiet and one that is too loud.
fn exactly(run: &mut impl FnMut(f64) -> Result<Run>, first: f64, aim: Lufs) -> Result<(f64, Run, bool)> {
    let most = MAX_GAIN.max(first + MORE_GAIN);
    let mut gain = first.clamp(MIN_GAIN, most);
    // Gain and miss of the nearest run below and above the aim.
    let [mut quiet, mut loud]: [Option<(f64, f64)>; 2] = [None; 2];
    let mut best: Option<(f64, Run, f64)> = None;
    for attempt in 0..MAX_RUNS {
        let at = run(gain)?;
        let miss = at.integrated.map_or(f64::NEG_INFINITY, |loudness| (loudness - aim).0);
        if best.as_ref().is_none_or(|(_, _, least)| miss.abs() < least.abs()) {
            best = Some((gain, at, miss));
        }
        if miss.abs() <= TARGET_TOLERANCE {
            break;
        }
        *(if miss < 0.0 { &mut quiet } else { &mut loud }) = Some((gain, miss));
        let next = match (quiet, loud) {
            (Some((low, below)), Some((high, above))) if below.is_finite() => {
                // Between the two, a little inside the ends so that both close in.
                let way = (-below / (above - below)).clamp(0.1, 0.9);
                low + (high - low) * way
            }
            (Some((low, _)), Some((high, _))) => (low + high) / 2.0,
            // Limiting gives less than it is fed: step further each time until the target is passed.
            _ => gain - miss.clamp(-12.0, 12.0) * 1.3_f64.powi(attempt as i32),
        };
        let next = next.clamp(MIN_GAIN, most);
        if (next - gain).abs() < MIN_STEP * 0.1 {
            break;
        }
        gain = next;
    }
    let (gain, at, miss) = best.expect("at least one run was made");
    Ok((gain, at, miss.abs() <= 0.1))
}
