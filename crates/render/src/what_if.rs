//! The price of a move: the bundle analysed once, and the mix after moves, predicted and rendered.

use std::path::{Path, PathBuf};

use crate::compensated::Compensated;
use crate::mixdown::{Mixdown, StemStream, master_chain};
use crate::progress::{Progress, advance};
use audiofile::AudioReader;
use audiofile::error::{Error, Result};
use chain::LatencyClass;
use meter::layout::Layout;
use meter::{Meter, Reading};
use project::bundle::Bundle;
use project::session::{Session, StemSession};
use project::timed_move::{GainAutomation, StemMove, TimedMove};
use session::certainty::FittedRange;
use session::coverage::coverage;
use session::fit::StemArrival;
use session::gram::Hops;
use session::joint::GramMeter;
use session::playback::{Playback, others_change, playback};
use session::predict::{Certainty, Move, gains};
use session::role::Role;
use session::shares::shares;
use session::surprise::{SurprisingSign, surprising_change, surprising_sign};
use session::target::NormalizationTarget;
use units::{Db, Lu};

/// A bundle, analysed: everything that moves are predicted from.
pub struct Analysis {
    sources: Sources,
    /// Reading of every stem as it is summed.
    pub stems: Vec<Reading>,
    /// The part of the mix that the stems account for.
    pub coverage: f64,
    /// The mix: the given one, or the sum of the stems; out of the master chain.
    pub before: Reading,
    /// The stem with the most of the mix's highest peak.
    pub loudest_peak: Option<usize>,
    /// A line for each file with samples that are no audio and were read as silence.
    pub faults: Vec<String>,
    mix: Option<PathBuf>,
}

/// The stems as they sum, or as they arrive in a given mix.
enum Sources {
    Sum(Hops),
    Mix(Box<FittedRange>),
}

/// The mix after moves.
#[derive(Clone, Debug)]
pub struct WhatIf {
    /// Exact, or an estimate and how far off.
    pub certainty: Certainty,
    /// The moves.
    pub moves: Vec<StemMove>,
    /// Share of every source in the mix before the moves; `None` when nothing passes the gates.
    pub shares: Option<Vec<f64>>,
    /// Reason if the loudness into the master changes against the sign of the moves.
    pub surprise: Option<SurprisingSign>,
    /// The mix after the moves, rendered and measured.
    pub after: Reading,
    /// The stem with the most of its highest peak.
    pub loudest_peak: Option<usize>,
}

/// Playback on a platform before and after the moves.
#[derive(Clone, Copy, Debug)]
pub struct Effect {
    /// On the mix before.
    pub before: Option<Playback>,
    /// On the mix after.
    pub after: Option<Playback>,
    /// The change in playback of every stem that was not moved.
    pub others: Option<Db>,
}

/// The playback on `target` before and after a change.
pub fn effect(before: &Reading, after: &Reading, target: &NormalizationTarget) -> Effect {
    Effect {
        before: playback(before, target),
        after: playback(after, target),
        others: others_change(before, after, target),
    }
}

/// Reads all stems through their chains once. With `mix`, the stems are fitted to it and what they do not account for
/// is a source of its own; without, the mix is their sum.
///
/// # Errors
/// If a file cannot be read or is scaled wrongly as a whole, rates differ, or the listener stops it.
pub fn analyse(
    bundle: &Bundle,
    session: &Session,
    mix: Option<&Path>,
    progress: &mut dyn Progress,
) -> Result<Analysis> {
    let rate = bundle.rate()?;
    let mut streams = Streams::open(bundle, session, mix, &[])?;
    let layout = Layout::stereo();
    let mut gram = GramMeter::new(rate, bundle.stems.len() + usize::from(mix.is_some()));
    let mut meters = vec![Meter::new(rate, &layout); bundle.stems.len()];
    let mut out = MasterOut::new(session, rate);
    progress.begin("analysing", streams.stems.frames());
    let unity = vec![StemArrival::UNITY.gains; bundle.stems.len()];
    let as_it_is = if mix.is_some() { vec![[[0.0; 2]; 2]; bundle.stems.len()] } else { unity.clone() };
    loop {
        let frames = streams.read(&as_it_is)?;
        if frames == 0 {
            break;
        }
        for (meter, stem) in meters.iter_mut().zip(&streams.stems.stems) {
            meter.process(&stem.audio());
        }
        gram.process(frames, |source, side| match streams.stems.stems.get(source) {
            Some(stem) => stem.audio()[side],
            None => &streams.sum[side],
        });
        out.process(&mut streams, &unity);
        advance(progress, frames as u64, &bundle.dir)?;
    }
    let faults = streams.faults()?;
    let (before, loudest_peak) = out.finish();
    let raw = gram.finish();
    let sources = match mix {
        Some(_) => Sources::Mix(Box::new(FittedRange::new(&raw.row(), bundle.stems.len()))),
        None => Sources::Sum(raw.as_sources()),
    };
    let coverage = match &sources {
        Sources::Mix(ground) => coverage(&ground.sources).unwrap_or(1.0),
        Sources::Sum(_) => 1.0,
    };
    Ok(Analysis {
        sources,
        stems: meters.iter().map(Meter::reading).collect(),
        coverage,
        before,
        loudest_peak,
        faults,
        mix: mix.map(Path::to_owned),
    })
}

impl Analysis {
    /// Gram hops of the sources: the stems as they arrive in the mix, and last, with a mix, what is left of it.
    pub fn sources(&self) -> &Hops {
        match &self.sources {
            Sources::Sum(sources) => sources,
            Sources::Mix(ground) => &ground.sources,
        }
    }

    /// The mix after `moves`, rendered from the files again: the filters of the meter hear every fade of a move in time.
    ///
    /// # Errors
    /// As [`analyse`].
    pub fn what_if(
        &self,
        bundle: &Bundle,
        session: &Session,
        moves: &[StemMove],
        progress: &mut dyn Progress,
    ) -> Result<WhatIf> {
        let (stems, rate) = (bundle.stems.len(), bundle.rate()?);
        let whole: Vec<Move> = moves.iter().filter_map(StemMove::whole).collect();
        let is_timed = whole.len() < moves.len();
        let moved = gains(stems, &whole);
        // What is added to a given mix is the change of each stem as it arrives there.
        let arrives: Vec<[[f64; 2]; 2]> = match &self.sources {
            Sources::Sum(_) => vec![StemArrival::UNITY.gains; stems],
            Sources::Mix(ground) => (0..stems)
                .map(|stem| ground.fit.mean_gains(stem).unwrap_or(StemArrival::UNITY.gains))
                .collect(),
        };
        let times = |factor: &dyn Fn(usize) -> f64| -> Vec<[[f64; 2]; 2]> {
            let stems = arrives.iter().enumerate();
            stems.map(|(stem, gains)| gains.map(|side| side.map(|gain| gain * factor(stem)))).collect()
        };
        let mut arriving = times(&|stem| moved[stem]);
        let mut change = if self.mix.is_some() { times(&|stem| moved[stem] - 1.0) } else { arriving.clone() };
        for one in moves.iter().filter(|one| one.change.span.is_some()) {
            // its gains follow block by block
            (arriving[one.stem], change[one.stem]) = (arrives[one.stem], arrives[one.stem]);
        }
        let mut streams = Streams::open(bundle, session, self.mix.as_deref(), moves)?;
        let mut out = MasterOut::new(session, rate);
        let mut sum = is_timed.then(|| GramMeter::new(rate, 1));
        progress.begin("rendering the moves", streams.stems.frames());
        loop {
            let frames = streams.read(&change)?;
            if frames == 0 {
                break;
            }
            if let Some(sum) = &mut sum {
                sum.process(frames, |_, side| &streams.sum[side]);
            }
            out.process(&mut streams, &arriving);
            advance(progress, frames as u64, &bundle.dir)?;
        }
        let (after, loudest_peak) = out.finish();
        Ok(WhatIf {
            certainty: self.certainty(moves),
            moves: moves.to_vec(),
            shares: self.shares(),
            surprise: match sum {
                None => surprising_sign(self.sources(), &whole),
                Some(sum) => {
                    let before = self.sources().powers(&vec![1.0; self.sources().sources()]);
                    let after = sum.finish().as_sources().powers(&[1.0]);
                    surprising_change(&before, &after, moves.iter().map(|one| one.change.gain))
                }
            },
            after,
            loudest_peak,
        })
    }

    /// The certainty of the moves: exact for a sum of stems; with a mix, as far as it is accounted for. A move of a range of
    /// the song counts with the interval of the same move of the whole song, which changes more; these add up.
    pub fn certainty(&self, moves: &[StemMove]) -> Certainty {
        let Sources::Mix(ground) = &self.sources else { return Certainty::Exact };
        let whole: Vec<Move> = moves.iter().filter_map(StemMove::whole).collect();
        let timed = moves.iter().filter(|one| one.change.span.is_some());
        let alone = timed.map(|one| vec![Move { source: one.stem, gain: one.change.gain }]);
        alone.chain([whole]).map(|moves| ground.certainty(&moves)).fold(
            Certainty::Exact,
            |sum, one| match sum.half_width().0 + one.half_width().0 {
                0.0 => Certainty::Exact,
                half_width => Certainty::Estimate(Lu(half_width)),
            },
        )
    }

    /// Share of every source.
    pub fn shares(&self) -> Option<Vec<f64>> {
        shares(self.sources(), &vec![1.0; self.sources().sources()])
    }
}

/// The stems in step, the mix beside them, and the sum of what is asked for.
struct Streams {
    stems: Mixdown,
    mix: Option<StemStream>,
    sum: [Vec<f64>; 2],
    /// Gains of stems with moves in time, and the last block's values.
    moved: Vec<Option<(GainAutomation, Vec<f64>)>>,
    /// Frame of the song that is read next.
    position: u64,
}

impl Streams {
    fn open(bundle: &Bundle, session: &Session, mix: Option<&Path>, moves: &[StemMove]) -> Result<Self> {
        let stems = Mixdown::open(bundle, session)?;
        let mix = mix.map(|path| open_mix(path, bundle)).transpose()?;
        let rate = bundle.rate()?;
        let moved = |stem: usize| {
            let own: Vec<TimedMove> =
                moves.iter().filter(|one| one.stem == stem).map(|one| one.change).collect();
            let is_timed = own.iter().any(|one| one.span.is_some());
            is_timed.then(|| (GainAutomation::new(&own, rate), Vec::new()))
        };
        let moved = (0..bundle.stems.len()).map(moved).collect();
        Ok(Self { stems, mix, sum: [Vec::new(), Vec::new()], moved, position: 0 })
    }

    /// A line for each file with samples that are no audio and were read as silence.
    ///
    /// # Errors
    /// If that is most of a file.
    fn faults(&self) -> Result<Vec<String>> {
        self.stems.refuse_misscaled()?;
        self.mix.as_ref().map_or(Ok(()), StemStream::refuse_misscaled)?;
        Ok(self.stems.faults().chain(self.mix.iter().filter_map(StemStream::fault)).collect())
    }

    /// Reads a block; the sum is `gains` (`[to][from]`) of the stems, on top of the mix if there is one. A stem with moves in
    /// time arrives with its gains times these moves; on top of a mix, with what they change.
    fn read(&mut self, gains: &[[[f64; 2]; 2]]) -> Result<usize> {
        let frames = self.stems.read()?;
        if let Some(mix) = &mut self.mix {
            mix.read(frames)?;
        }
        for (automation, block) in self.moved.iter_mut().flatten() {
            block.resize(frames, 1.0);
            automation.fill(self.position, block);
        }
        self.position += frames as u64;
        let there = if self.mix.is_some() { 1.0 } else { 0.0 };
        for (side, sum) in self.sum.iter_mut().enumerate() {
            sum.clear();
            match &self.mix {
                Some(mix) => sum.extend_from_slice(mix.audio()[side]),
                None => sum.resize(frames, 0.0),
            }
            for ((stem, gains), moved) in self.stems.stems.iter().zip(gains).zip(&self.moved) {
                for (audio, gain) in stem.audio().iter().zip(gains[side]).filter(|(_, gain)| *gain != 0.0) {
                    match moved {
                        None => sum.iter_mut().zip(*audio).for_each(|(sum, x)| *sum += gain * x),
                        Some((_, block)) => {
                            let moved = audio.iter().zip(block).map(|(x, by)| gain * (by - there) * x);
                            sum.iter_mut().zip(moved).for_each(|(sum, x)| *sum += x);
                        }
                    }
                }
            }
        }
        Ok(frames)
    }
}

/// A mix as a stream in step with stems.
fn open_mix(path: &Path, bundle: &Bundle) -> Result<StemStream> {
    let info = AudioReader::open(path)?.info().clone();
    let rate = bundle.rate()?;
    if info.rate != rate {
        return Err(Error::Bundle {
            path: path.to_owned(),
            fault: format!("{} Hz, the stems are {} Hz", info.rate.0, rate.0),
            cure: "export the mix at the stems' rate".into(),
        });
    }
    StemStream::open(
        path,
        &StemSession { latency: LatencyClass::Zero, ..StemSession::neutral(Role::Other, "") },
    )
}

/// The master chain and the meter after it.
struct MasterOut {
    chain: Compensated,
    meter: Meter,
    highest: f64,
    loudest_peak: Option<usize>,
}

impl MasterOut {
    fn new(session: &Session, rate: units::Hz) -> Self {
        Self {
            chain: master_chain(&session.master, session, rate),
            meter: Meter::new(rate, &Layout::stereo()),
            highest: 0.0,
            loudest_peak: None,
        }
    }

    /// `arriving`: the gains (`[to][from]`) of every stem in the sum, without its moves in time.
    fn process(&mut self, streams: &mut Streams, arriving: &[[[f64; 2]; 2]]) {
        self.find_peak(streams, arriving);
        self.meter.process(&self.chain.process(&mut streams.sum));
    }

    /// Finds the stem that adds most to the highest sample of the sum.
    fn find_peak(&mut self, streams: &Streams, arriving: &[[[f64; 2]; 2]]) {
        for (side, sum) in streams.sum.iter().enumerate() {
            for (frame, &value) in sum.iter().enumerate() {
                if value.abs() > self.highest {
                    self.highest = value.abs();
                    let part = |stem: usize| -> f64 {
                        let audio = streams.stems.stems[stem].audio();
                        let moved = streams.moved[stem].as_ref().map_or(1.0, |(_, block)| block[frame]);
                        let sides = audio.iter().zip(arriving[stem][side]);
                        sides.map(|(audio, gain)| audio[frame] * gain * moved * value.signum()).sum()
                    };
                    self.loudest_peak = (0..arriving.len()).max_by(|&a, &b| part(a).total_cmp(&part(b)));
                }
            }
        }
    }

    fn finish(mut self) -> (Reading, Option<usize>) {
        let mut block = [Vec::new(), Vec::new()];
        while self.chain.silence(&mut block) {
            self.meter.process(&self.chain.process(&mut block));
        }
        (self.meter.reading(), self.loudest_peak)
    }
}
