//! The end of the master chain, run over the spool: level, limiter, dither.

use super::job::MasterJob;
use super::spool::{Spool, SpoolReader};
use crate::bursts::Burst;
use crate::ceiling::{StrictPeak, peak_limit};
use crate::compensated::Compensated;
use crate::measure::comparable;
use crate::progress::{Progress, advance};
use crate::side_thread::SideThread;
use crate::verify::{SecondMeter, SecondReading};
use audiofile::error::Result;
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::Process;
use dsp::dither::Dither;
use dsp::limiter::LimiterSettings;
use meter::layout::Layout;
use meter::loudness::{HopMeter, MIN_RATE, integrated};
use meter::{Meter, Reading};
use units::{Db, Dbtp, Hz, Lufs, Power};

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
    /// Integrated loudness of what came out.
    pub(super) integrated: Option<Lufs>,
    /// The deepest gain reduction of the limiter.
    pub(super) reduction: Db,
    /// The frame where it is.
    pub(super) reduction_at: u64,
}

/// A run whose output is kept, and all that was measured of it meanwhile.
pub(super) struct KeptRun {
    pub(super) run: Run,
    pub(super) reading: Reading,
    /// The second meter's reading, where there is one.
    pub(super) second: Option<SecondReading>,
    /// The strict true peak, linear.
    pub(super) strict: f64,
}

/// Integrated loudness alone.
struct Loudness {
    meter: HopMeter,
    powers: Vec<Power>,
}

impl Loudness {
    fn new(rate: Hz) -> Self {
        Self { meter: HopMeter::new(rate, &Layout::stereo()), powers: Vec::new() }
    }

    fn process(&mut self, planes: &[&[f64]]) {
        let (frames, mut at) = (planes[0].len(), 0);
        while at < frames {
            let end = frames.min(at + self.meter.frames_to_hop());
            self.powers.extend(self.meter.process(planes, at..end));
            at = end;
        }
    }
}

/// All that is measured of a run that is kept.
struct RunMeters {
    meter: Meter,
    second: Option<SecondMeter>,
    strict: StrictPeak,
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

    /// Runs the whole spool with `level` before the limiter; `each` gets every block, latency compensated. Gives the
    /// limiter's deepest gain reduction and its frame.
    pub(super) fn run(
        &mut self,
        spool: &Spool,
        level: Db,
        progress: &mut dyn Progress,
        each: impl FnMut(&[f64], &[f64]) -> Result<()>,
    ) -> Result<(Db, u64)> {
        self.run_over(spool.read()?, spool, level, progress, each)
    }

    /// As [`Self::run`], with `bursts` turned down to the level of everything else, for loudness and gain reduction.
    pub(super) fn run_without(
        &mut self,
        spool: &Spool,
        bursts: &[Burst],
        level: Db,
        progress: &mut dyn Progress,
    ) -> Result<Run> {
        let mut loudness = SideThread::new(Loudness::new(self.rate), |loudness, planes| {
            loudness.process(planes);
            Ok(())
        });
        let reader = spool.read_without(bursts)?;
        let (reduction, reduction_at) =
            self.run_over(reader, spool, level, progress, |left, right| loudness.push(&[left, right]))?;
        let powers = loudness.finish()?.powers;
        let audible = self.rate.0 >= MIN_RATE.0;
        let integrated = if audible { integrated(&powers) } else { None };
        Ok(Run { integrated, reduction, reduction_at })
    }

    fn run_over(
        &mut self,
        mut reader: SpoolReader<'_>,
        spool: &Spool,
        level: Db,
        progress: &mut dyn Progress,
        mut each: impl FnMut(&[f64], &[f64]) -> Result<()>,
    ) -> Result<(Db, u64)> {
        // `level` as a parameter ends at 12 dB; what is beyond is the same gain at the input.
        let parameter = Db(level.0.clamp(-24.0, 12.0));
        self.settings.level = parameter;
        self.settings.input.gain = level - parameter;
        let mut chain = chain_after(&self.settings, self.rate);
        let mut sum = [Vec::new(), Vec::new()];
        loop {
            let frames = reader.next(&mut sum)?;
            if frames == 0 && !chain.silence(&mut sum) {
                break;
            }
            let [left, right] = chain.process(&mut sum);
            each(left, right)?;
            advance(progress, frames as u64, spool.output())?;
        }
        Ok(chain.chain().map_or((Db(0.0), 0), Chain::max_limiter_reduction))
    }

    /// As [`Self::run`], with all that is measured of a master.
    fn run_measured(
        &mut self,
        spool: &Spool,
        level: Db,
        progress: &mut dyn Progress,
        mut each: impl FnMut(&[f64], &[f64]) -> Result<()>,
    ) -> Result<KeptRun> {
        let meters = RunMeters {
            meter: Meter::new(self.rate, &Layout::stereo()),
            second: SecondMeter::new(self.rate, &Layout::stereo()),
            strict: StrictPeak::new(self.ceiling),
        };
        let mut meters = SideThread::new(meters, |meters, planes| {
            meters.meter.process(planes);
            if let Some(second) = &mut meters.second {
                second.process(planes);
            }
            meters.strict.process([planes[0], planes[1]]);
            Ok(())
        });
        let (reduction, reduction_at) = self.run(spool, level, progress, |left, right| {
            meters.push(&[left, right])?;
            each(left, right)
        })?;
        let RunMeters { meter, second, strict } = meters.finish()?;
        let reading = meter.reading();
        Ok(KeptRun {
            run: Run { integrated: reading.integrated, reduction, reduction_at },
            strict: strict.finish_with(&reading),
            second: second.map(|second| comparable(second.reading(), self.rate)),
            reading,
        })
    }

    /// Runs into what `start` makes, with the limiter's ceiling lowered and from the start again until the ceiling holds by the
    /// strict true peak. Gives what was made, and its run.
    pub(super) fn hold<T>(
        &mut self,
        spool: &Spool,
        level: Db,
        phase: &'static str,
        progress: &mut dyn Progress,
        start: impl Fn() -> Result<T>,
        each: impl Fn(&mut T, [&[f64]; 2]) -> Result<()>,
    ) -> Result<(T, KeptRun)> {
        let mut attempt = 1;
        loop {
            let mut into = start()?;
            progress.begin(phase, spool.frames());
            let kept =
                self.run_measured(spool, level, progress, |left, right| each(&mut into, [left, right]))?;
            if kept.strict <= peak_limit(self.ceiling) || attempt == MAX_RUNS {
                return Ok((into, kept));
            }
            self.lower_ceiling(kept.strict);
            attempt += 1;
        }
    }

    /// Makes the limiter aim lower by as much as `strict` is over the ceiling.
    fn lower_ceiling(&mut self, strict: f64) {
        let over = Db::from_gain(strict) - Db(self.ceiling.0);
        self.settings.limiter.ceiling = self.settings.limiter.ceiling + -over;
    }
}
