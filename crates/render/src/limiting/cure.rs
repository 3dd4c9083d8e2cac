//! The least cure: the smallest change of one stem that makes the limiter take less, by one amount.
//!
//! Three families: a trim in time, a trim of the whole song, one dynamic bell. Each amount is found by bisection, and what it does
//! is predicted by running chain and limiter again over stored windows of the song (eight releases and the lookahead before what
//! is asked about), never from the parts: these only choose the stems. The master's gain stays as it is.

use super::window::{Measure, Windows};
use super::{Limiting, LimitingEvent, LimitingJob};
use crate::mixdown::Mixdown;
use crate::parallel::{each_in_parallel, each_with_progress};
use crate::progress::{Progress, advance};
use audiofile::error::Result;
use dsp::equalizer::{BandSettings, DynamicSettings, Equalizer, EqualizerSettings};
use dsp::{Block, Process};
use meter::loudness::integrated;
use project::timed_move::{DEFAULT_FADE, GainAutomation, TimeSpan, TimedMove};
use session::gram::Hops;
use session::joint::GramMeter;
use units::{Db, Hz, Lu, Ms, Power};

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CureFamily {
    /// A trim of the ranges in which the limiter works.
    Time,
    /// A trim of the whole song.
    Trim,
    /// A dynamic bell that gets out of the way.
    Bell,
}

/// Bell of a cure; its range is the amount.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CureBell {
    /// Frequency.
    pub frequency: Hz,
    /// Level of the band from which it moves.
    pub threshold: Db,
}

impl CureBell {
    /// Quality factor.
    pub const Q: f64 = 1.0;
    /// Time constants: as fast as the band goes, and its default.
    pub const ATTACK: Ms = Ms(0.1);
    /// See [`Self::ATTACK`].
    pub const RELEASE: Ms = Ms(120.0);

    /// Equalizer with this bell alone.
    fn settings(self, amount: Db) -> EqualizerSettings {
        let dynamic = DynamicSettings {
            range: -amount,
            threshold: self.threshold,
            attack: Self::ATTACK,
            release: Self::RELEASE,
            ..DynamicSettings::default()
        };
        let mut settings = EqualizerSettings::default();
        settings.bands[0] = BandSettings {
            on: true,
            frequency: self.frequency,
            gain: Db(0.0),
            q: Self::Q,
            dynamic,
            ..BandSettings::default()
        };
        settings
    }
}

/// A change of one stem.
#[derive(Clone, Debug, PartialEq)]
pub struct Cure {
    /// The kind.
    pub family: CureFamily,
    /// Index of the stem.
    pub stem: usize,
    /// Decibels down, a multiple of 0.01.
    pub amount: Db,
    /// Ranges of a trim in time.
    pub ranges: Vec<TimeSpan>,
    /// The bell.
    pub bell: Option<CureBell>,
    /// Figure is left: depth of the event in dB, or dB s of all events.
    pub predicted: f64,
    /// Change of the integrated loudness of the sum into the master; none without loudness.
    pub loudness_change: Option<Lu>,
}

/// Cures of one question, the one that changes the loudness least first.
#[derive(Clone, Debug)]
pub struct Cures {
    /// The event; none: all of the song.
    pub event: Option<LimitingEvent>,
    /// Depth in dB or dB s before.
    pub before: f64,
    /// Depth in dB or dB s wanted.
    pub goal: f64,
    /// The best of each family that reaches the goal.
    pub cures: Vec<Cure>,
}

/// A wish for less limiting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LessLimiting {
    /// So many decibels less at each of the deepest events.
    Events {
        /// Events.
        count: usize,
        /// Decibels.
        less: Db,
    },
    /// So many percent less of the dB s of all events.
    Song {
        /// Percent, 0 to 100.
        percent: f64,
    },
}

/// Stems that are tried for each question: those with the largest parts.
const TRIED_STEMS: usize = 2;
/// Largest amounts of a trim and of a bell.
const LARGEST_TRIM: Db = Db(24.0);
/// See [`LARGEST_TRIM`].
const LARGEST_BELL: Db = Db(18.0);
/// Amounts are found and told in steps of this, dB.
const STEP: f64 = 0.01;

/// The least cures of a master's limiting.
///
/// # Errors
/// If a stem cannot be read, or the listener stops it.
pub fn least_cures(
    job: &LimitingJob<'_>,
    limiting: &Limiting,
    wish: LessLimiting,
    progress: &mut dyn Progress,
) -> Result<Vec<Cures>> {
    let stems = job.bundle.stems.len();
    let mut questions: Vec<Question> = match wish {
        LessLimiting::Events { count, less } => limiting
            .worst(count)
            .into_iter()
            .map(|event| Question {
                windows: Windows::new(limiting, std::slice::from_ref(event), tried(&event.parts[..stems])),
                measure: Measure::Depth,
                before: event.depth.0,
                goal: (event.depth.0 - less.0).max(0.0),
                event: Some(event.clone()),
                found: Vec::new(),
            })
            .collect(),
        LessLimiting::Song { percent } if !limiting.events.is_empty() => {
            let before: f64 = limiting.events.iter().map(|event| event.decibel_seconds).sum();
            let owned: Vec<f64> =
                limiting.limiter.rows[..stems].iter().map(|row| row.decibel_seconds).collect();
            vec![Question {
                windows: Windows::new(limiting, &limiting.events, tried(&owned)),
                measure: Measure::DecibelSeconds,
                before,
                goal: before * (1.0 - percent / 100.0),
                event: None,
                found: Vec::new(),
            }]
        }
        LessLimiting::Song { .. } => Vec::new(),
    };
    let hops = collect(job, &mut questions, progress)?;
    progress.begin("finding cures", questions.len() as u64);
    each_with_progress(&mut questions, progress, |question, progress| {
        question.solve(job, limiting);
        advance(progress, 1, &job.bundle.dir)
    })?;
    weigh(job, limiting, &hops, &mut questions, progress)?;
    Ok(questions.into_iter().map(|question| question.ranked()).collect())
}

/// Stems with the largest parts, those that have one.
fn tried(parts: &[f64]) -> Vec<usize> {
    let mut stems: Vec<usize> = (0..parts.len()).filter(|&stem| parts[stem] > 0.0).collect();
    stems.sort_by(|&a, &b| parts[b].total_cmp(&parts[a]));
    stems.truncate(TRIED_STEMS);
    stems
}

/// Wish for one event or the song, and its answers.
struct Question {
    windows: Windows,
    measure: Measure,
    before: f64,
    goal: f64,
    event: Option<LimitingEvent>,
    found: Vec<Cure>,
}

/// Fills the windows of all questions; gives the hops of the stems.
fn collect(job: &LimitingJob<'_>, questions: &mut [Question], progress: &mut dyn Progress) -> Result<Hops> {
    let mut mixdown = Mixdown::open(job.bundle, job.session)?;
    let mut gram = GramMeter::new(job.bundle.rate()?, job.bundle.stems.len());
    let mut sum = [Vec::new(), Vec::new()];
    let mut position = 0;
    progress.begin("keeping windows", mixdown.frames());
    loop {
        let frames = mixdown.read_sum(&mut sum)?;
        if frames == 0 {
            return Ok(gram.finish().as_sources());
        }
        gram.process(frames, |stem, side| mixdown.stems[stem].audio()[side]);
        for question in &mut *questions {
            question.windows.push(position, &sum, |stem| mixdown.stems[stem].audio());
        }
        position += frames as u64;
        advance(progress, frames as u64, &job.bundle.dir)?;
    }
}

impl Question {
    /// Finds the least amount of each family for each stem that is tried.
    fn solve(&mut self, job: &LimitingJob<'_>, limiting: &Limiting) {
        let spans = self.windows.spans();
        for (slot, &stem) in self.windows.stems().iter().enumerate() {
            for family in [CureFamily::Time, CureFamily::Trim, CureFamily::Bell] {
                let bell = (family == CureFamily::Bell).then(|| self.windows.bell(slot));
                let ranges = if family == CureFamily::Time { spans.clone() } else { Vec::new() };
                let cure = |amount: Db, predicted: f64| Cure {
                    family,
                    stem,
                    amount,
                    ranges: ranges.clone(),
                    bell,
                    predicted,
                    loudness_change: None,
                };
                let predict = |steps: u32| {
                    let change = cure(Db(f64::from(steps) * STEP), 0.0);
                    self.windows.predict(job, limiting, self.measure, slot, &change)
                };
                let largest = if family == CureFamily::Bell { LARGEST_BELL } else { LARGEST_TRIM };
                let (mut low, mut high) = (0, (largest.0 / STEP) as u32);
                let mut reached = predict(high);
                if reached > self.goal {
                    continue;
                }
                while high - low > 1 {
                    let middle = (low + high) / 2;
                    let there = predict(middle);
                    if there <= self.goal {
                        (high, reached) = (middle, there);
                    } else {
                        low = middle;
                    }
                }
                self.found.push(cure(Db(f64::from(high) * STEP), reached));
            }
        }
    }

    /// The best of each family, least change of loudness first; ties by family.
    fn ranked(self) -> Cures {
        let size = |cure: &Cure| cure.loudness_change.map_or(f64::INFINITY, |change| change.0.abs());
        let mut cures = self.found;
        cures.sort_by(|a, b| size(a).total_cmp(&size(b)).then(a.family.cmp(&b.family)));
        let mut seen = Vec::new();
        cures.retain(|cure| {
            let is_new = !seen.contains(&cure.family);
            seen.push(cure.family);
            is_new
        });
        Cures { event: self.event, before: self.before, goal: self.goal, cures }
    }
}

impl Cure {
    /// The gain of a trim, in time or not, as moves.
    pub fn moves(&self) -> Vec<TimedMove> {
        match self.family {
            CureFamily::Trim => vec![TimedMove { gain: -self.amount, span: None }],
            CureFamily::Time => {
                self.ranges.iter().map(|span| TimedMove { gain: -self.amount, span: Some(*span) }).collect()
            }
            CureFamily::Bell => Vec::new(),
        }
    }

    /// Work on a stem's audio, block by block.
    pub(super) fn unit(&self, rate: Hz) -> CureUnit {
        match self.bell {
            None => CureUnit::Gain(GainAutomation::new(&self.moves(), rate), Vec::new()),
            Some(bell) => {
                let mut equalizer = Box::new(Equalizer::new(rate));
                equalizer.set(&bell.settings(self.amount));
                CureUnit::Bell(equalizer)
            }
        }
    }
}

/// A cure at work.
pub(super) enum CureUnit {
    Gain(GainAutomation, Vec<f64>),
    Bell(Box<Equalizer>),
}

impl CureUnit {
    /// Changes the frames of a stem from `position` of the song on.
    pub(super) fn process(&mut self, position: u64, audio: &mut [Vec<f64>; 2]) {
        let [left, right] = audio;
        match self {
            Self::Gain(automation, gains) => {
                gains.resize(left.len(), 1.0);
                automation.fill(position, gains);
                for side in [left, right] {
                    side.iter_mut().zip(&*gains).for_each(|(x, gain)| *x *= gain);
                }
            }
            Self::Bell(equalizer) => equalizer.process(&mut Block::new(left, right)),
        }
    }
}

/// Change of the loudness by each cure: of trims from the hops, of bells by reading the song once more.
fn weigh(
    job: &LimitingJob<'_>,
    limiting: &Limiting,
    hops: &Hops,
    questions: &mut [Question],
    progress: &mut dyn Progress,
) -> Result<()> {
    let rate = limiting.rate;
    let before = hops.powers(&vec![1.0; hops.sources()]);
    let change = |after: &[Power]| Some(integrated(after)? - integrated(&before)?);
    let hop_frames = rate.0 / 10.0;
    let mut bells = Vec::new();
    for cure in questions.iter_mut().flat_map(|question| &mut question.found) {
        let mut after = hops.clone();
        let gain = (-cure.amount).gain();
        let part = |hop: usize, span: &TimeSpan| {
            let [from, to] = [span.from(), span.to()].map(|time| time * rate.0 / hop_frames - hop as f64);
            (to.clamp(0.0, 1.0) - from.clamp(0.0, 1.0)).max(0.0)
        };
        match cure.family {
            CureFamily::Bell => {
                bells.push((GramMeter::new(rate, 1), cure.unit(rate), cure));
                continue;
            }
            _ => {
                for hop in 0..after.len() {
                    let inside: f64 = match cure.family {
                        CureFamily::Trim => 1.0,
                        _ => cure.ranges.iter().map(|span| part(hop, span)).sum(),
                    };
                    let mut gains = vec![1.0; hops.sources()];
                    gains[cure.stem] = 1.0 + (gain - 1.0) * inside;
                    after.rescale(hop, &gains);
                }
            }
        }
        cure.loudness_change = change(&after.powers(&vec![1.0; hops.sources()]));
    }
    if bells.is_empty() {
        return Ok(());
    }
    let mut mixdown = Mixdown::open(job.bundle, job.session)?;
    let mut sum = [Vec::new(), Vec::new()];
    let mut position = 0;
    progress.begin("weighing bells", mixdown.frames());
    loop {
        let frames = mixdown.read_sum(&mut sum)?;
        if frames == 0 {
            break;
        }
        let (stems, sum) = (&mixdown.stems, &sum);
        each_in_parallel(&mut bells, |(meter, unit, cure)| {
            let own = stems[cure.stem].audio();
            let mut changed = own.map(<[f64]>::to_vec);
            unit.process(position, &mut changed);
            for (side, changed) in changed.iter_mut().enumerate() {
                changed.iter_mut().zip(own[side]).zip(&sum[side]).for_each(|((y, x), sum)| *y += sum - x);
            }
            meter.process(frames, |_, side| &changed[side]);
            Ok(())
        })?;
        position += frames as u64;
        advance(progress, frames as u64, &job.bundle.dir)?;
    }
    for (meter, _, cure) in bells {
        cure.loudness_change = change(&meter.finish().as_sources().powers(&[1.0]));
    }
    Ok(())
}

/// Seconds beside an event that a trim in time takes in, for its fades.
pub(super) const BESIDE: f64 = DEFAULT_FADE;
