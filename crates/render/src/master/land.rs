//! Landing: the one constant gain that puts the master where it should be.

use super::{Goal, Job, PostMaster, Run, Spool, goal};
use crate::progress::Progress;
use audiofile::error::{Error, Result};
use meter::Reading;
use units::{Db, Lufs};

/// Where a master without target goes, as far as little limiting allows.
pub(super) const AUTO_LOUDNESS: Lufs = Lufs(-14.0);
/// The limiting at which a master without target stops.
const GENTLE: Db = Db(2.0);
/// A target is reached within this; the promise is 0.1 LU.
const ON_TARGET: f64 = 0.02;
/// A gain that moves the master less than this is no better.
const FINE: f64 = 0.005;
const MOST_RUNS: usize = 16;
/// No gain beyond these is tried; the input and level of a chain together reach them.
const HIGHEST: f64 = 36.0;
const LOWEST: f64 = -48.0;

/// Why the gain is what it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stop {
    /// The loudness aimed at is reached.
    Reached,
    /// More gain would limit by more than 2 dB.
    Peak,
    /// The sum is as loud already; it is not turned down for loudness.
    LouderAlready,
    /// As it is, by request.
    AsIs,
    /// No gain reaches the target; this one comes nearest.
    OutOfReach,
    /// There is nothing to hear.
    Silence,
}

/// How the master was landed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landing {
    /// The constant gain before the limiter, on top of the session's own level.
    pub gain: Db,
    /// That and the session's level.
    pub level: Db,
    /// The loudness aimed at.
    pub aim: Option<Lufs>,
    /// Why it is what it is.
    pub stop: Stop,
    /// The most the limiter takes away at any instant.
    pub reduction: Db,
    /// Where it does, a frame of the song.
    pub reduction_at: u64,
}

/// The gain that was found.
pub(super) struct Found {
    gain: Db,
    pub(super) level: Db,
    aim: Option<Lufs>,
    stop: Stop,
    /// The run that found it, if one was needed.
    run: Option<Run>,
}

impl Found {
    /// The landing; `last` is the run that was written.
    pub(super) fn landed(&self, last: &Run) -> Landing {
        let Self { gain, level, aim, stop, run } = self;
        let Run { reduction, reduction_at, .. } = *run.as_ref().unwrap_or(last);
        Landing { gain: *gain, level: *level, aim: *aim, stop: *stop, reduction, reduction_at }
    }
}

/// Finds the gain for `job` by running the end of the chain over the spool, as often as that takes: not at all where
/// no gain is asked for.
pub(super) fn land(
    post: &mut PostMaster,
    spool: &Spool,
    before: &Reading,
    job: &Job<'_>,
    progress: &mut dyn Progress,
) -> Result<Found> {
    let own = job.session.master.level;
    let mut run = |gain: f64| {
        progress.begin("landing", spool.frames());
        post.run(spool, own + Db(gain), progress, |_, _| Ok(()))
    };
    let found = |gain: f64, run, aim, stop| Found { gain: Db(gain), level: own + Db(gain), aim, stop, run };
    let goal = goal(job)?;
    let Some(now) = before.integrated.map(|loudness| loudness + own) else {
        if let Goal::Exactly(_) = goal {
            return Err(Error::Bundle {
                path: job.bundle.dir.clone(),
                fault: "has no loudness to land on a target (silence, or shorter than 400 ms)".into(),
                cure: "check the stems with stems check".into(),
            });
        }
        if let Goal::AsIs = goal {
            return Ok(found(0.0, None, None, Stop::AsIs));
        }
        return gentle(&mut run, 0.0).map(|(gain, at)| found(gain, Some(at), None, Stop::Silence));
    };
    match goal {
        Goal::AsIs => Ok(found(0.0, None, None, Stop::AsIs)),
        Goal::Toward(aim) => {
            let wanted = (aim - now).0.max(0.0);
            let (gain, at) = gentle(&mut run, wanted)?;
            let stop = match () {
                () if gain < wanted - FINE || gain < 0.0 => Stop::Peak,
                () if wanted == 0.0 => Stop::LouderAlready,
                () => Stop::Reached,
            };
            Ok(found(gain, Some(at), Some(aim), stop))
        }
        Goal::Exactly(aim) => {
            let (gain, at, on_target) = exactly(&mut run, (aim - now).0, aim)?;
            let stop = if on_target { Stop::Reached } else { Stop::OutOfReach };
            Ok(found(gain, Some(at), Some(aim), stop))
        }
    }
}

/// The largest gain up to `wanted` with which the limiter takes away no more than 2 dB.
///
/// Reduction rises with gain, dB by dB where it is deepest, so stepping back by the excess converges at once.
fn gentle(run: &mut impl FnMut(f64) -> Result<Run>, wanted: f64) -> Result<(f64, Run)> {
    let mut gain = wanted;
    let mut at = run(gain)?;
    for _ in 0..MOST_RUNS {
        let excess = at.reduction.0 - GENTLE.0;
        if excess <= 0.0 {
            break;
        }
        gain = (gain - excess - 1e-4).max(LOWEST);
        at = run(gain)?;
    }
    Ok((gain, at))
}

/// The gain that lands on `aim`: false interpolation between a gain that is too quiet and one that is too loud.
fn exactly(run: &mut impl FnMut(f64) -> Result<Run>, first: f64, aim: Lufs) -> Result<(f64, Run, bool)> {
    let mut gain = first.clamp(LOWEST, HIGHEST);
    // Gain and miss of the nearest run below and above the aim.
    let [mut quiet, mut loud]: [Option<(f64, f64)>; 2] = [None; 2];
    let mut best: Option<(f64, Run, f64)> = None;
    for attempt in 0..MOST_RUNS {
        let at = run(gain)?;
        let miss = at.reading.integrated.map_or(f64::NEG_INFINITY, |loudness| (loudness - aim).0);
        if best.as_ref().is_none_or(|(_, _, least)| miss.abs() < least.abs()) {
            best = Some((gain, at, miss));
        }
        if miss.abs() <= ON_TARGET {
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
        let next = next.clamp(LOWEST, HIGHEST);
        if (next - gain).abs() < FINE * 0.1 {
            break;
        }
        gain = next;
    }
    let (gain, at, miss) = best.expect("at least one run was made");
    Ok((gain, at, miss.abs() <= 0.1))
}
