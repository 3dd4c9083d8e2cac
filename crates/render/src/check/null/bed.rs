//! Stems and mix side by side: what is left of the mix when stems are taken away.

use super::super::measure::SEGMENT;
use super::super::solve::{InnerProducts, dot};
use super::super::subject::Subject;
use super::super::track::SampleTrack;
use super::residual::ResidualAudio;
use crate::progress::{Progress, advance};
use audiofile::BLOCK;
use audiofile::error::Result;
use core::ops::Range;
use units::Hz;

/// Terms whose gains follow from the products of each with each, the effort of which grows with the square; the gains of
/// more are approached.
const MAX_DIRECT: usize = 32;
/// Steps of that approach at most.
const MAX_STEPS: usize = 40;
/// The approach ends where a step takes no more than this part of what is left.
const MIN_GAIN_OF_STEP: f64 = 1e-6;
/// Or this part of the mix: -150 dB.
const MIN_SHARE_OF_STEP: f64 = 1e-15;

/// A stem in the mix: when and how loud. One stem may be there more than once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Term {
    pub(super) stem: usize,
    /// Frames later than in the stem.
    pub(super) delay: i64,
    /// Linear; negative is inverted.
    pub(super) gain: f64,
}

/// Isolated bursts in what is compared.
#[derive(Clone, Copy)]
enum Bursts {
    /// As they are: nothing is left out of a null.
    Left,
    /// Silent: no instant decides a gain.
    Muted,
}

/// The files of a null test.
pub(super) struct Bed<'a> {
    pub(super) stems: &'a [&'a Subject],
    pub(super) mix: &'a Subject,
    /// Frames that are compared.
    pub(super) frames: u64,
    pub(super) channels: usize,
    pub(super) rate: Hz,
}

/// The residual of the mix.
#[derive(Clone, Debug, Default)]
pub(super) struct Left {
    pub(super) peak: f64,
    /// Frame of the peak.
    pub(super) at: u64,
    /// Sum of squares of each channel.
    pub(super) energy: Vec<f64>,
    /// Sum of squares of the mix, all channels.
    pub(super) mix_energy: f64,
    /// Sum of squares of every segment, all channels.
    pub(super) segments: Vec<f64>,
    /// Samples compared, all channels.
    pub(super) samples: u64,
}

impl Left {
    pub(super) fn total(&self) -> f64 {
        self.energy.iter().sum()
    }

    /// Root mean square.
    pub(super) fn rms(&self) -> f64 {
        (self.total() / self.samples.max(1) as f64).sqrt()
    }
}

impl Bed<'_> {
    /// Every stem at unity, in time.
    pub(super) fn unity(&self) -> Vec<Term> {
        (0..self.stems.len()).map(|stem| Term { stem, delay: 0, gain: 1.0 }).collect()
    }

    /// A stem for a search, without its isolated bursts.
    pub(super) fn open_stem(&self, stem: usize) -> Result<SampleTrack> {
        SampleTrack::without_bursts(self.stems[stem], self.channels)
    }

    /// The mix for a search, without its isolated bursts.
    pub(super) fn open_mix(&self) -> Result<SampleTrack> {
        SampleTrack::without_bursts(self.mix, self.channels)
    }

    /// The frames of the mix for which every term has audio; all if delays are too long for that.
    pub(super) fn inside(&self, terms: &[Term]) -> Range<u64> {
        let delays = || terms.iter().map(|term| term.delay);
        let late = delays().max().unwrap_or(0).max(0) as u64;
        let early = delays().min().unwrap_or(0).min(0).unsigned_abs();
        if late + early < self.frames / 2 { late..self.frames - early } else { 0..self.frames }
    }

    /// Reads everything in step: hands `take` the audio of the terms and, last, of the mix, `audio[source][channel]`,
    /// and the frame at which it starts.
    fn pass(
        &self,
        what: &str,
        terms: &[Term],
        range: Range<u64>,
        bursts: Bursts,
        progress: &mut dyn Progress,
        mut take: impl FnMut(u64, &[Vec<Vec<f64>>]),
    ) -> Result<()> {
        progress.begin(what, range.end - range.start);
        let mut tracks = Vec::new();
        for source in terms.iter().map(|term| self.stems[term.stem]).chain([self.mix]) {
            tracks.push(match bursts {
                Bursts::Left => SampleTrack::open(&source.path, self.channels)?,
                Bursts::Muted => SampleTrack::without_bursts(source, self.channels)?,
            });
        }
        let mut audio = vec![vec![Vec::new(); self.channels]; tracks.len()];
        let mut at = range.start;
        while at < range.end {
            // Blocks end on a fixed grid, so that a segment's energy is that of whole blocks.
            let frames = (BLOCK as u64 - at % BLOCK as u64).min(range.end - at) as usize;
            for (source, (track, audio)) in tracks.iter_mut().zip(&mut audio).enumerate() {
                let delay = terms.get(source).map_or(0, |term| term.delay);
                track.read(at as i64 - delay, frames, audio)?;
            }
            take(at, &audio);
            at += frames as u64;
            advance(progress, frames as u64, &self.mix.path)?;
        }
        Ok(())
    }

    /// The mix less the terms.
    pub(super) fn left(
        &self,
        terms: &[Term],
        range: Range<u64>,
        progress: &mut dyn Progress,
    ) -> Result<Left> {
        let mut left = Left {
            energy: vec![0.0; self.channels],
            segments: vec![0.0; (self.frames / SEGMENT as u64) as usize + 1],
            ..Left::default()
        };
        self.pass("null test", terms, range, Bursts::Left, progress, |at, audio| {
            for channel in 0..self.channels {
                let mix = &audio[terms.len()][channel];
                let mut rest = mix.clone();
                for (term, stem) in terms.iter().zip(audio) {
                    rest.iter_mut().zip(&stem[channel]).for_each(|(rest, x)| *rest -= term.gain * x);
                }
                for (n, x) in rest.iter().enumerate() {
                    if x.abs() > left.peak {
                        (left.peak, left.at) = (x.abs(), at + n as u64);
                    }
                }
                let energy = dot(&rest, &rest);
                left.energy[channel] += energy;
                left.segments[(at / SEGMENT as u64) as usize] += energy;
                left.mix_energy += dot(mix, mix);
                left.samples += mix.len() as u64;
            }
        })?;
        Ok(left)
    }

    /// Gives the terms the gains with which they best sum to the mix; second terms of a stem are not expected.
    pub(super) fn fit_gains(
        &self,
        terms: &mut [Term],
        range: Range<u64>,
        progress: &mut dyn Progress,
    ) -> Result<Vec<f64>> {
        if terms.len() > MAX_DIRECT {
            return self.approach_gains(terms, range, progress);
        }
        let mut products = InnerProducts::new(terms.len());
        self.pass("fitting gains", terms, range, Bursts::Muted, progress, |_, audio| {
            for channel in 0..self.channels {
                products.add(|source| &audio[source][channel]);
            }
        })?;
        let prior: Vec<f64> = (0..terms.len()).map(|i| f64::from(u8::from(i < self.stems.len()))).collect();
        let gains = products.solve(&prior);
        terms.iter_mut().zip(gains).for_each(|(term, gain)| term.gain = gain);
        Ok((0..terms.len()).map(|i| products.at(i, i)).collect())
    }

    /// Does the same at a cost that grows with the number of terms, not its square, from the gains that they have.
    ///
    /// Conjugate gradients on the normal equations, every term scaled to one power (Å. Björck, "Numerical Methods for
    /// Least Squares Problems", 1996, section 7.4): one pass over the audio for each step, and few steps, because stems
    /// have little in common.
    fn approach_gains(
        &self,
        terms: &mut [Term],
        range: Range<u64>,
        progress: &mut dyn Progress,
    ) -> Result<Vec<f64>> {
        let count = terms.len();
        let (mut energy, mut slope) = (vec![0.0; count], vec![0.0; count]);
        let (mut left, mut mix_energy) = (0.0, 0.0);
        self.pass("fitting gains", terms, range.clone(), Bursts::Muted, progress, |_, audio| {
            for channel in 0..self.channels {
                let mix = &audio[count][channel];
                let mut rest = mix.clone();
                for (term, stem) in terms.iter().zip(audio) {
                    add_scaled(&mut rest, &stem[channel], -term.gain);
                }
                mix_energy += dot(mix, mix);
                left += dot(&rest, &rest);
                for (n, stem) in audio[..count].iter().enumerate() {
                    energy[n] += dot(&stem[channel], &stem[channel]);
                    slope[n] += dot(&stem[channel], &rest);
                }
            }
        })?;
        let scale: Vec<f64> =
            energy.iter().map(|energy| if *energy > 0.0 { 1.0 / energy.sqrt() } else { 0.0 }).collect();
        slope.iter_mut().zip(&scale).for_each(|(slope, scale)| *slope *= scale);
        let mut direction = slope.clone();
        let mut steepness = dot(&slope, &slope);
        for _ in 0..MAX_STEPS {
            // No step can take more away than this.
            if steepness <= (MIN_GAIN_OF_STEP * left).max(MIN_SHARE_OF_STEP * mix_energy) {
                break;
            }
            let weights: Vec<f64> = direction.iter().zip(&scale).map(|(x, scale)| x * scale).collect();
            let (mut own, mut products) = (0.0, vec![0.0; count]);
            self.pass("fitting gains", terms, range.clone(), Bursts::Muted, progress, |_, audio| {
                for channel in 0..self.channels {
                    let mut sum = vec![0.0; audio[count][channel].len()];
                    for (weight, stem) in weights.iter().zip(audio) {
                        add_scaled(&mut sum, &stem[channel], *weight);
                    }
                    own += dot(&sum, &sum);
                    for (product, stem) in products.iter_mut().zip(audio) {
                        *product += dot(&stem[channel], &sum);
                    }
                }
            })?;
            if own <= 0.0 {
                break;
            }
            let step = steepness / own;
            terms.iter_mut().zip(&weights).for_each(|(term, weight)| term.gain += step * weight);
            for ((slope, product), scale) in slope.iter_mut().zip(&products).zip(&scale) {
                *slope -= step * product * scale;
            }
            left = (left - step * steepness).max(0.0);
            let before = steepness;
            steepness = dot(&slope, &slope);
            let turn = steepness / before;
            direction.iter_mut().zip(&slope).for_each(|(x, slope)| *x = slope + turn * *x);
        }
        Ok(energy)
    }

    /// Remainder of the whole mix without the terms, in memory, isolated bursts left out.
    pub(super) fn residual_audio(
        &self,
        terms: &[Term],
        progress: &mut dyn Progress,
    ) -> Result<ResidualAudio> {
        let mut residual = ResidualAudio::new(self.channels);
        let range = 0..self.mix.info.frames;
        self.pass("looking for delays", terms, range, Bursts::Muted, progress, |_, audio| {
            for channel in 0..self.channels {
                let mut rest = audio[terms.len()][channel].clone();
                for (term, stem) in terms.iter().zip(audio) {
                    add_scaled(&mut rest, &stem[channel], -term.gain);
                }
                residual.push(channel, &rest);
            }
        })?;
        Ok(residual)
    }
}

/// Adds samples with a gain.
fn add_scaled(sum: &mut [f64], samples: &[f64], gain: f64) {
    sum.iter_mut().zip(samples).for_each(|(sum, x)| *sum += gain * x);
}
