//! The end of the master chain, run over the spool: level, limiter, dither.

use super::job::MasterJob;
use super::spool::{Spool, SpoolReader};
use crate::bursts::Burst;
use crate::ceiling::{StrictPeak, peak_limit};
use crate::compensated::Compensated;
use crate::progress::{Progress, advance};
use audiofile::error::Result;
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::Process;
use dsp::dither::Dither;
use dsp::limiter::LimiterSettings;
use meter::layout::Layout;
use meter::{Meter, Reading};
use units::{Db, Dbtp, Hz};

/// The chain after the level of the master: level and limiter, latency compensated.
pub fn chain_after(settings: &ChainSettings, rate: Hz) -> Compensated {
    let mut chain = Chain::new(ChainKind::Master, LatencyClass::Lookahead, rate);
    chain.set(settings);
    Compensated::new(Some(chain))
}

/// Runs after which a ceiling that does not hold is left as it is.
const MAX_RUNS: usize = 6;

/// The end of the master chain: level, limiter, dither.
pub(super) struct FinalStage {
    pub(super) settings: ChainSettings,
    pub(super) rate: Hz,
    /// The ceiling asked for.
    pub(super) ceiling: Dbtp,
}

/// The result of one run over the spool.
pub(super) struct Run {
    /// The reading of what came out.
    pub(super) reading: Reading,
    /// The deepest gain reduction of the limiter.
    pub(super) reduction: Db,
    /// The frame where it is.
    pub(super) reduction_at: u64,
}

impl FinalStage {
    /// The stage of `job`: its limiter is on, its ceiling within what its target asks of masters that land on it, its dither at least 24 bit.
    pub(super) fn new(job: &MasterJob<'_>, rate: Hz) -> Self {
        let own = &job.session.master;
        let mut limiter = if own.limiter.on { own.limiter.clone() } else { LimiterSettings::default() };
        limiter.on = true;
        if !own.limiter.on {
            // A ceiling set in the session counts even if the limiter was left off.
            limiter.ceiling = own.limiter.ceiling;
        }
        if let Some(limit) =
            job.target.as_ref().and_then(|t| t.loudness.map_or(t.peak_limit, |aim| t.peak_limit_at(aim)))
        {
            limiter.ceiling = Dbtp(limiter.ceiling.0.min(limit.0));
        }
        let ceiling = limiter.ceiling;
        let dither = if own.dither == Dither::Off { Dither::Bits24 } else { own.dither };
        let settings = ChainSettings { limiter, dither, ..ChainSettings::default() };
        Self { settings, rate, ceiling }
    }

    /// The same stage with its limiter off and nothing dithered.
    pub(super) fn without_limiter(&self) -> Self {
        let limiter = LimiterSettings { on: false, ..self.settings.limiter.clone() };
        let settings = ChainSettings { limiter, dither: Dither::Off, ..self.settings.clone() };
        Self { settings, ..*self }
    }

    /// Runs the whole spool with `level` before the limiter; `each` gets every block, latency compensated.
    pub(super) fn run(
        &mut self,
        spool: &Spool,
        level: Db,
        progress: &mut dyn Progress,
        each: impl FnMut(&[f64], &[f64]) -> Result<()>,
    ) -> Result<Run> {
        self.run_over(spool.read()?, spool, level, progress, each)
    }

    /// As [`Self::run`], with `bursts` turned down to the level of everything else.
    pub(super) fn run_without(
        &mut self,
        spool: &Spool,
        bursts: &[Burst],
        level: Db,
        progress: &mut dyn Progress,
    ) -> Result<Run> {
        self.run_over(spool.read_without(bursts)?, spool, level, progress, |_, _| Ok(()))
    }

    fn run_over(
        &mut self,
        mut reader: SpoolReader<'_>,
        spool: &Spool,
        level: Db,
        progress: &mut dyn Progress,
        mut each: impl FnMut(&[f64], &[f64]) -> Result<()>,
    ) -> Result<Run> {
        // `level` as a parameter ends at 12 dB; what is beyond is the same gain at the input.
        let parameter = Db(level.0.clamp(-24.0, 12.0));
        self.settings.level = parameter;
        self.settings.input.gain = level - parameter;
        let mut chain = chain_after(&self.settings, self.rate);
        let mut meter = Meter::new(self.rate, &Layout::stereo());
        let mut sum = [Vec::new(), Vec::new()];
        loop {
            let frames = reader.next(&mut sum)?;
            if frames == 0 && !chain.silence(&mut sum) {
                break;
            }
            let [left, right] = chain.process(&mut sum);
            meter.process(&[left, right]);
            each(left, right)?;
            advance(progress, frames as u64, spool.output())?;
        }
        let (reduction, reduction_at) = chain.chain().map_or((Db(0.0), 0), Chain::max_limiter_reduction);
        Ok(Run { reading: meter.reading(), reduction, reduction_at })
    }

    /// As [`Self::run`]; gives the strict peak too, linear.
    fn run_strictly(
        &mut self,
        spool: &Spool,
        level: Db,
        progress: &mut dyn Progress,
        mut each: impl FnMut(&[f64], &[f64]) -> Result<()>,
    ) -> Result<(Run, f64)> {
        let mut peak = StrictPeak::new(self.ceiling);
        let run = self.run(spool, level, progress, |left, right| {
            peak.process([left, right]);
            each(left, right)
        })?;
        let strict = peak.finish_with(&run.reading);
        Ok((run, strict))
    }

    /// Runs strictly into what `start` makes, with the limiter's ceiling lowered and from the start again until the
    /// ceiling holds. Gives what was made, its run, and its strict peak, linear.
    pub(super) fn hold<T>(
        &mut self,
        spool: &Spool,
        level: Db,
        phase: &'static str,
        progress: &mut dyn Progress,
        start: impl Fn() -> Result<T>,
        each: impl Fn(&mut T, [&[f64]; 2]) -> Result<()>,
    ) -> Result<(T, Run, f64)> {
        let mut attempt = 1;
        loop {
            let mut into = start()?;
            progress.begin(phase, spool.frames());
            let (run, strict) =
                self.run_strictly(spool, level, progress, |left, right| each(&mut into, [left, right]))?;
            if strict <= peak_limit(self.ceiling) || attempt == MAX_RUNS {
                return Ok((into, run, strict));
            }
            self.lower_ceiling(strict);
            attempt += 1;
        }
    }

    /// Makes the limiter aim lower by as much as `strict` is over the ceiling.
    fn lower_ceiling(&mut self, strict: f64) {
        let over = Db::from_gain(strict) - Db(self.ceiling.0);
        self.settings.limiter.ceiling = self.settings.limiter.ceiling + -over;
    }
}
