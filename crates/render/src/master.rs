//! Mastering a bundle: stems through their chains, the sum through the master chain, landed on a loudness with the
//! ceiling held, written, and measured again by two meters.
//!
//! Everything up to the master's level is rendered once, into a nameless spool file in the output folder. What follows
//! (level, limiter, dither) runs over the spool as often as landing takes.

mod as_heard;
mod land;
mod spool;

use std::path::{Path, PathBuf};

use crate::compensated::Compensated;
use crate::measure::{Measured, measure};
use crate::mixdown::Mixdown;
use crate::progress::{Progress, advance};
use crate::verify::agree;
use audiofile::error::{Error, Result};
use audiofile::wav::{self, Bext, StoredFormat, WavSpec, WavWriter};
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::Process;
use dsp::dither::Dither;
use dsp::limiter::LimiterSettings;
use land::Found;
pub use land::{Landing, Stop};
use meter::layout::Layout;
use meter::peak_check::PeakCheck;
use meter::{Meter, Reading};
use project::bundle::Bundle;
use project::session_file::{Loudness, Session};
use session::target::{NormalizationTarget, Use};
use spool::{Spool, SpoolWriter};
use units::{Db, Dbtp, Hz, Lufs};

/// The strict true peak may exceed the ceiling by this much.
pub const CEILING_TOLERANCE: Db = Db(0.05);
/// Gain reduction from which a warning is due.
pub const HEAVY_REDUCTION: Db = Db(6.0);

/// What to master, and where to.
pub struct Job<'a> {
    /// The stems.
    pub bundle: &'a Bundle,
    /// Their settings.
    pub session: &'a Session,
    /// The file to write.
    pub output: PathBuf,
    /// Replace what is there.
    pub overwrite: bool,
    /// The target named by the session or the command line, if any.
    pub target: Option<NormalizationTarget>,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Mastered {
    /// The file written.
    pub path: PathBuf,
    /// The file as read back and measured by both meters.
    pub measured: Measured,
    /// Both meters agree on the file, it is what was rendered, and its ceiling holds.
    pub verified: bool,
    /// The ceiling.
    pub ceiling: Dbtp,
    /// The strict true peak of the file (16x, 96 taps per phase).
    pub strict_peak: Option<Dbtp>,
    /// How loudness was landed.
    pub landing: Landing,
    /// The sum's reading before the level: after the master chain's EQ, compressor and width. As heard: as it enters
    /// the master chain.
    pub before: Reading,
    /// What the listener should know.
    pub warnings: Vec<String>,
}

/// Masters a bundle.
///
/// # Errors
/// Before any work if the output exists or is an input; else if a stem cannot be read, the output cannot be written,
/// a target cannot be reached at all (silence), or the listener stops it. Nothing is left behind then.
pub fn master(job: &Job<'_>, progress: &mut dyn Progress) -> Result<Mastered> {
    let output = &job.output;
    if let Some(stem) = job.bundle.stems.iter().find(|stem| wav::same_file(&stem.path, output)) {
        return Err(Error::Bundle {
            path: output.clone(),
            fault: format!("is the stem {}", stem.name),
            cure: "choose another output folder".into(),
        });
    }
    if output.symlink_metadata().is_ok() && !job.overwrite {
        return Err(Error::Exists { path: output.clone() });
    }
    if job.target.is_none() && job.session.loudness == Loudness::AsHeard {
        return as_heard::master(job, progress);
    }
    let Prepared { spool, before, mut post, found, mut warnings } = prepare(job, progress)?;
    let (run, strict_peak) = write(&mut post, &spool, found.level, job, progress)?;
    let (measured, as_rendered) = read_back(&job.output, &run.reading, spool.frames(), progress)?;
    let verified = as_rendered && strict_peak <= limit(post.ceiling);
    let landing = found.landed(&run);
    warnings.extend(warn(&landing, &measured.reading, post.ceiling, post.rate));
    Ok(Mastered {
        path: output.clone(),
        measured,
        verified,
        ceiling: post.ceiling,
        strict_peak: Dbtp::from_amplitude(strict_peak),
        landing,
        before,
        warnings,
    })
}

/// A master that is rendered up to its level, which is found.
struct Prepared {
    spool: Spool,
    before: Reading,
    post: PostMaster,
    found: Found,
    warnings: Vec<String>,
}

fn prepare(job: &Job<'_>, progress: &mut dyn Progress) -> Result<Prepared> {
    let rate = job.bundle.rate()?;
    let mut warnings = Vec::new();
    let (spool, before) = render_before_level(job, rate, progress, &mut warnings)?;
    let mut post = PostMaster::new(job, rate);
    let found = land::land(&mut post, &spool, &before, job, progress)?;
    Ok(Prepared { spool, before, post, found, warnings })
}

/// What the listener should know of a landing that gave a master of `reading`.
fn warn(landing: &Landing, reading: &Reading, ceiling: Dbtp, rate: Hz) -> Vec<String> {
    let mut warnings = Vec::new();
    if landing.reduction.0 > HEAVY_REDUCTION.0 {
        warnings.push(format!(
            "limiting reaches {:.1} dB at {}: above {:.0} dB it is heard; lower the target or the peaks of the stems",
            landing.reduction.0,
            crate::clock::clock(landing.reduction_at, rate),
            HEAVY_REDUCTION.0
        ));
    }
    if let (Stop::OutOfReach, Some(aim), Some(there)) = (landing.stop, landing.aim, reading.integrated) {
        warnings.push(format!(
            "{:.1} LUFS is out of reach under a ceiling of {:.1} dBTP, {:.1} LUFS comes nearest; raise the ceiling or choose another target",
            aim.0, ceiling.0, there.0
        ));
    }
    warnings
}

/// How a master is made, without a file made of it.
#[derive(Clone, Debug)]
pub struct MasterPlan {
    /// The master chain up to its level.
    pub before_level: ChainSettings,
    /// Level and limiter; not dithered.
    pub after: ChainSettings,
    /// The ceiling that the limiter holds with them.
    pub ceiling: Dbtp,
    /// How loudness was landed.
    pub landing: Landing,
    /// What the listener should know.
    pub warnings: Vec<String>,
}

/// Does all of [`master`] but the writing: where it lands, and with which settings its ceiling holds.
///
/// # Errors
/// As [`master`].
pub fn settle(job: &Job<'_>, progress: &mut dyn Progress) -> Result<MasterPlan> {
    let Prepared { spool, mut post, found, mut warnings, .. } = prepare(job, progress)?;
    let ((), run, _) =
        post.hold(&spool, found.level, "holding the ceiling", progress, || Ok(()), |(), _| Ok(()))?;
    let landing = found.landed(&run);
    warnings.extend(warn(&landing, &run.reading, post.ceiling, post.rate));
    let after = ChainSettings { dither: Dither::Off, ..post.settings };
    Ok(MasterPlan {
        before_level: before_level(job.session),
        after,
        ceiling: post.ceiling,
        landing,
        warnings,
    })
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

/// The chain that runs [`MasterPlan::after`].
pub(super) fn chain_after(settings: &ChainSettings, rate: Hz) -> Chain {
    let mut chain = Chain::new(ChainKind::Master, LatencyClass::Lookahead, rate);
    chain.set(settings);
    chain
}

/// How often a ceiling that does not hold is lowered.
const ATTEMPTS: usize = 6;

/// Sums the stems, runs the master chain up to its level into a spool, and measures that.
fn render_before_level(
    job: &Job<'_>,
    rate: Hz,
    progress: &mut dyn Progress,
    warnings: &mut Vec<String>,
) -> Result<(Spool, Reading)> {
    let mut mixdown = Mixdown::open(job.bundle, job.session)?;
    let folder = job.output.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut spool = SpoolWriter::create(folder, &job.output)?;
    let settings = before_level(job.session);
    let mut chain = Compensated::new(crate::mixdown::chain(
        &settings,
        ChainKind::Master,
        job.session.master_latency,
        rate,
    ));
    let mut meter = Meter::new(rate, &Layout::stereo());
    let mut sum = [Vec::new(), Vec::new()];
    progress.begin("rendering", mixdown.frames());
    while let Some((frames, [left, right])) = mixdown.next(&mut chain, &mut sum, |_| ())? {
        meter.process(&[left, right]);
        spool.push(left, right)?;
        advance(progress, frames, &job.output)?;
    }
    warnings.extend(silenced(&mixdown));
    Ok((spool.finish()?, meter.reading()))
}

/// Which stems had samples that are not numbers.
fn silenced(mixdown: &Mixdown) -> impl Iterator<Item = String> {
    mixdown.stems.iter().filter(|stem| stem.non_finite() > 0).map(|stem| {
        format!(
            "{}: {} samples are not numbers and were silenced; export the stem again",
            audiofile::error::shown(stem.path()),
            stem.non_finite()
        )
    })
}

/// The end of the master chain: level, limiter, dither.
struct PostMaster {
    settings: ChainSettings,
    rate: Hz,
    /// The ceiling asked for.
    ceiling: Dbtp,
}

/// What one run over the spool gave.
struct Run {
    reading: Reading,
    reduction: Db,
    reduction_at: u64,
}

impl PostMaster {
    fn new(job: &Job<'_>, rate: Hz) -> Self {
        let own = &job.session.master;
        let mut limiter = if own.limiter.on { own.limiter.clone() } else { LimiterSettings::default() };
        limiter.on = true;
        if !own.limiter.on {
            // A ceiling set in the session counts even if the limiter was left off.
            limiter.ceiling = own.limiter.ceiling;
        }
        if let Some(limit) = job.target.as_ref().and_then(|t| t.peak_limit) {
            limiter.ceiling = Dbtp(limiter.ceiling.0.min(limit.0));
        }
        let ceiling = limiter.ceiling;
        let dither = if own.dither == Dither::Off { Dither::Bits24 } else { own.dither };
        let settings = ChainSettings { limiter, dither, ..ChainSettings::default() };
        Self { settings, rate, ceiling }
    }

    /// Runs the whole spool with `level` before the limiter; `each` gets every block, latency compensated.
    fn run(
        &mut self,
        spool: &Spool,
        level: Db,
        progress: &mut dyn Progress,
        mut each: impl FnMut(&[f64], &[f64]) -> Result<()>,
    ) -> Result<Run> {
        // `level` as a parameter ends at 12 dB; what is beyond is the same gain at the input.
        let parameter = Db(level.0.clamp(-24.0, 12.0));
        self.settings.level = parameter;
        self.settings.input.gain = level - parameter;
        let mut chain = Compensated::new(Some(chain_after(&self.settings, self.rate)));
        let mut meter = Meter::new(self.rate, &Layout::stereo());
        let mut reader = spool.read()?;
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
        let (reduction, reduction_at) = chain.chain().map_or((Db(0.0), 0), Chain::most_limiter_reduction);
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
        let mut checks = [PeakCheck::new(), PeakCheck::new()];
        let run = self.run(spool, level, progress, |left, right| {
            checks[0].process(left);
            checks[1].process(right);
            each(left, right)
        })?;
        checks.iter_mut().for_each(PeakCheck::finish);
        // Our own meter may read dense noise higher than the strict one: no meter is to find the ceiling exceeded.
        let metered = run.reading.true_peak.map_or(0.0, Dbtp::amplitude);
        let strict = checks[0].peak().max(checks[1].peak()).max(metered);
        Ok((run, strict))
    }

    /// Runs strictly into what `start` makes, with the limiter's ceiling lowered and from the start again until the
    /// ceiling holds. Gives what was made, its run, and its strict peak, linear.
    fn hold<T>(
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
            if strict <= limit(self.ceiling) || attempt == ATTEMPTS {
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

/// Writes the master, measures the strict peak while at it, lowers the limiter's ceiling and writes again until it
/// holds. Gives the run that was written and its strict peak, linear.
fn write(
    post: &mut PostMaster,
    spool: &Spool,
    level: Db,
    job: &Job<'_>,
    progress: &mut dyn Progress,
) -> Result<(Run, f64)> {
    let format = match post.settings.dither {
        Dither::Bits16 | Dither::Bits16Shaped => StoredFormat::Int16,
        Dither::Off | Dither::Bits24 => StoredFormat::Int24,
    };
    let rate = post.rate;
    let start = || {
        let spec = WavSpec { bext: Some(bext(job)), ..WavSpec::new(rate, 2, format) };
        WavWriter::create(&job.output, spec, job.overwrite)
    };
    // Dropped unfinished, a writer leaves nothing behind.
    let (mut writer, run, strict) =
        post.hold(spool, level, "writing", progress, start, |writer, out| writer.write_planar(&out))?;
    writer.set_loudness(loudness(&run.reading));
    writer.finish()?;
    Ok((run, strict))
}

/// The highest strict peak that keeps to a ceiling, linear.
fn limit(ceiling: Dbtp) -> f64 {
    (ceiling + CEILING_TOLERANCE).amplitude()
}

/// Measures what was written; true if both meters agree on it, and it is what was rendered.
fn read_back(
    path: &Path,
    rendered: &Reading,
    frames: u64,
    progress: &mut dyn Progress,
) -> Result<(Measured, bool)> {
    let measured = measure(path, true, "verifying", progress)?;
    let agrees = measured.second.is_some_and(|second| agree(&measured.reading, &second));
    let as_rendered = measured.reading.integrated == rendered.integrated
        && measured.reading.true_peak == rendered.true_peak
        && measured.frames == frames;
    Ok((measured, agrees && as_rendered))
}

fn loudness(reading: &Reading) -> wav::Loudness {
    wav::Loudness {
        integrated: reading.integrated,
        range: reading.range,
        max_true_peak: reading.true_peak,
        max_momentary: reading.momentary_max,
        max_short_term: reading.short_term_max,
    }
}

fn bext(job: &Job<'_>) -> Bext {
    Bext {
        description: format!(
            "Master of {}",
            audiofile::error::shown(job.bundle.dir.file_name().map_or(&job.bundle.dir, Path::new))
        ),
        originator: "Stemlink".into(),
        version: 2,
        coding_history: format!("A=PCM,T=Stemlink {}\r\n", env!("CARGO_PKG_VERSION")),
        ..Bext::default()
    }
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
    matches!(target.usage, Use::Delivery { .. }) && target.mode.contains("dialogue")
}

/// Which loudness the job lands on.
fn goal(job: &Job<'_>) -> Result<Goal> {
    match (&job.target, &job.session.loudness) {
        (Some(target), _) => Ok(Goal::Exactly(target_loudness(target, &job.output)?)),
        (None, Loudness::AsIs | Loudness::AsHeard) => Ok(Goal::AsIs),
        (None, _) => Ok(Goal::Toward(land::AUTO_LOUDNESS)),
    }
}

/// What landing aims at.
enum Goal {
    /// No gain.
    AsIs,
    /// This loudness, whatever it takes.
    Exactly(Lufs),
    /// Up to this loudness as far as little limiting allows.
    Toward(Lufs),
}
