//! The sum through the master chain with its stems beside it, block by block.

use std::path::Path;

use super::window::limiter_drive;
use super::{LimitingJob, SATURATOR_ROW};
use crate::compensated::Compensated;
use crate::master::MasterPlan;
use crate::mixdown::{Mixdown, master_chain};
use crate::parallel::each_in_parallel;
use crate::progress::{Progress, advance};
use audiofile::error::Result;
use chain::ChainSettings;
use dsp::compressor::CompressorSettings;
use dsp::saturator::SaturatorSettings;
use dsp::width::WidthSettings;
use dsp::{GainLog, RecordGain, Share};

/// Two planes.
pub(super) type Planes = [Vec<f64>; 2];

/// A chain over the sum, and equal chains over its terms that follow it.
struct Followed {
    lead: Compensated,
    followers: Vec<Follower>,
    tape: Vec<f64>,
    sum: Planes,
}

struct Follower {
    chain: Compensated,
    planes: Planes,
}

/// Runs a chain over a block, which becomes what belongs to the song.
fn run(chain: &mut Compensated, planes: &mut Planes, gain_log: &mut GainLog<'_>) {
    let skip = chain.run(planes, |chain, block| RecordGain::run(chain, block, gain_log));
    planes.iter_mut().for_each(|plane| drop(plane.drain(..skip)));
}

impl Followed {
    fn new(settings: &ChainSettings, job: &LimitingJob<'_>) -> Result<Self> {
        let rate = job.bundle.rate()?;
        let chain = || master_chain(settings, job.session, rate);
        let follower = |_| Follower { chain: chain(), planes: Planes::default() };
        Ok(Self {
            lead: chain(),
            followers: (0..job.bundle.stems.len()).map(follower).collect(),
            tape: Vec::new(),
            sum: Planes::default(),
        })
    }

    /// Runs a block of the sum and its terms, or silence after the song.
    fn run(&mut self, sum: &Planes, terms: &[[&[f64]; 2]]) -> Result<()> {
        self.sum.clone_from(sum);
        self.tape.clear();
        run(&mut self.lead, &mut self.sum, &mut GainLog::Record(&mut self.tape));
        let (tape, frames) = (&self.tape, sum[0].len());
        let mut work: Vec<(&mut Follower, Option<&[&[f64]; 2]>)> = self
            .followers
            .iter_mut()
            .enumerate()
            .map(|(term, follower)| (follower, terms.get(term)))
            .collect();
        each_in_parallel(&mut work, |(follower, term)| {
            for (side, plane) in follower.planes.iter_mut().enumerate() {
                plane.clear();
                match term {
                    Some(term) => plane.extend_from_slice(term[side]),
                    None => plane.resize(frames, 0.0),
                }
            }
            run(&mut follower.chain, &mut follower.planes, &mut GainLog::follow(tape, Share::Stem));
            Ok(())
        })
    }
}

/// The song, block by block, as it arrives at the compressor and at the limiter of the master.
pub(super) struct Walk {
    mixdown: Mixdown,
    /// Up to the level.
    before: Followed,
    /// Up to the compressor, if that is on.
    key: Option<Followed>,
    /// Gain from the end of `before` to the limiter's detector, linear.
    gain: f64,
    rows: Vec<String>,
    saturates: bool,
    input: Planes,
    sum: Planes,
    terms: Vec<Planes>,
    keys: Vec<Planes>,
    begun: bool,
}

/// A block of the song.
pub(super) struct WalkStep<'a> {
    /// The sum at the limiter, its drive included.
    pub(super) sum: &'a Planes,
    /// The rows there; they add up to the sum.
    pub(super) rows: &'a [Planes],
    /// The stems at the compressor.
    pub(super) keys: &'a [Planes],
}

impl Walk {
    /// At the start of the song.
    pub(super) fn new(job: &LimitingJob<'_>, planned: &MasterPlan) -> Result<Self> {
        let settings = &planned.before_level;
        let to_compressor = ChainSettings {
            compressor: CompressorSettings::default(),
            saturator: SaturatorSettings::default(),
            width: WidthSettings::default(),
            ..settings.clone()
        };
        let key = settings.compressor.on.then(|| Followed::new(&to_compressor, job)).transpose()?;
        let saturates = settings.saturator.acts();
        let mut rows: Vec<String> = job.bundle.stems.iter().map(|stem| stem.name.clone()).collect();
        rows.extend(saturates.then(|| SATURATOR_ROW.to_owned()));
        Ok(Self {
            mixdown: Mixdown::open(job.bundle, job.session)?,
            before: Followed::new(settings, job)?,
            key,
            gain: limiter_drive(planned).gain(),
            terms: vec![Planes::default(); rows.len()],
            keys: Vec::new(),
            rows,
            saturates,
            input: Planes::default(),
            sum: Planes::default(),
            begun: false,
        })
    }

    /// Names of the rows.
    pub(super) fn rows(&self) -> &[String] {
        &self.rows
    }

    /// Moves on by a block; none at the end.
    pub(super) fn step(&mut self, path: &Path, progress: &mut dyn Progress) -> Result<Option<WalkStep<'_>>> {
        if !self.begun {
            progress.begin("telling apart", self.mixdown.frames());
            self.begun = true;
        }
        let frames = self.mixdown.read_sum(&mut self.input)?;
        if frames == 0 {
            self.mixdown.refuse_misscaled()?;
            let more = self.before.lead.silence(&mut self.input);
            if !more {
                return Ok(None);
            }
        }
        advance(progress, frames as u64, path)?;
        let audio: Vec<[&[f64]; 2]> = if frames > 0 {
            self.mixdown.stems.iter().map(|stem| stem.audio()).collect()
        } else {
            Vec::new()
        };
        self.before.run(&self.input, &audio)?;
        if let Some(key) = &mut self.key {
            key.run(&self.input, &audio)?;
            self.keys.resize(key.followers.len(), Planes::default());
            for (to, from) in self.keys.iter_mut().zip(&key.followers) {
                to.clone_from(&from.planes);
            }
        }
        let gain = self.gain;
        let scaled = |to: &mut Planes, from: &Planes| {
            for (to, from) in to.iter_mut().zip(from) {
                to.clear();
                to.extend(from.iter().map(|x| gain * x));
            }
        };
        scaled(&mut self.sum, &self.before.sum);
        for (to, from) in self.terms.iter_mut().zip(&self.before.followers) {
            scaled(to, &from.planes);
        }
        if self.saturates
            && let Some((rest, stems)) = self.terms.split_last_mut()
        {
            rest.clone_from(&self.sum);
            for stem in stems {
                for (rest, stem) in rest.iter_mut().zip(stem) {
                    rest.iter_mut().zip(&*stem).for_each(|(rest, x)| *rest -= x);
                }
            }
        }
        Ok(Some(WalkStep { sum: &self.sum, rows: &self.terms, keys: &self.keys }))
    }
}
