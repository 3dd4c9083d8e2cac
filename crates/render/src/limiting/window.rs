//! Windows of a song around its limiting, kept to run the limiter over them again.

use super::cure::{BESIDE, Cure, CureBell};
use super::{Limiting, LimitingEvent, LimitingJob};
use crate::mixdown::master_chain;
use chain::ChainSettings;
use dsp::compressor::CompressorSettings;
use dsp::gain_stage::GainComputer;
use dsp::limiter::{Limiter, LimiterGain, LimiterSettings};
use project::timed_move::{DEFAULT_FADE, TimeSpan};
use units::{Db, Hz};

/// Releases of every unit that a window holds before what is asked about.
const RELEASES: f64 = 8.0;
/// Longest time that is kept before it, seconds: a slow compressor asks for more.
const LONGEST_BEFORE: f64 = 20.0;
/// Time that is kept after it, for latency and lookahead, seconds.
const AFTER: f64 = 0.3;

/// Figure that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// The deepest reduction, dB.
    Depth,
    /// Reduction times its duration, dB s.
    DecibelSeconds,
}

/// Windows of one question, with the sum and the stems that are tried.
pub(super) struct Windows {
    rate: Hz,
    stems: Vec<usize>,
    windows: Vec<Window>,
}

/// A part of the song, as it enters the master chain.
struct Window {
    event: LimitingEvent,
    /// Frames of the song: the first, and the first after it.
    start: u64,
    end: u64,
    sum: [Vec<f32>; 2],
    stems: Vec<[Vec<f32>; 2]>,
}

impl Windows {
    /// Empty windows around events, for the sum and some stems.
    pub(super) fn new(limiting: &Limiting, events: &[LimitingEvent], stems: Vec<usize>) -> Self {
        let rate = limiting.rate;
        let before =
            (seconds_before(&limiting.plan.before_level, &limiting.plan.after.limiter) * rate.0) as u64;
        let window = |event: &LimitingEvent| Window {
            event: event.clone(),
            start: event.from.saturating_sub(before),
            end: event.to + (AFTER * rate.0) as u64,
            sum: Default::default(),
            stems: vec![Default::default(); stems.len()],
        };
        Self { rate, windows: events.iter().map(window).collect(), stems }
    }

    /// The stems that are tried.
    pub(super) fn stems(&self) -> &[usize] {
        &self.stems
    }

    /// Takes a block of the song that begins at `position`.
    pub(super) fn push<'a>(
        &mut self,
        position: u64,
        sum: &[Vec<f64>; 2],
        stem: impl Fn(usize) -> [&'a [f64]; 2],
    ) {
        let end = position + sum[0].len() as u64;
        for window in &mut self.windows {
            let [from, to] =
                [window.start, window.end].map(|frame| (frame.clamp(position, end) - position) as usize);
            let keep = |to: &mut [Vec<f32>; 2], audio: [&[f64]; 2], range: std::ops::Range<usize>| {
                for (to, side) in to.iter_mut().zip(audio) {
                    to.extend(side[range.clone()].iter().map(|x| *x as f32));
                }
            };
            if from < to {
                keep(&mut window.sum, [&sum[0], &sum[1]], from..to);
                for (kept, &index) in window.stems.iter_mut().zip(&self.stems) {
                    keep(kept, stem(index), from..to);
                }
            }
        }
    }

    /// Ranges of trims in time: the events with room for the fades, in milliseconds; those that meet are one.
    pub(super) fn spans(&self) -> Vec<TimeSpan> {
        let mut ranges: Vec<[f64; 2]> = Vec::new();
        for event in self.windows.iter().map(|window| &window.event) {
            let from = (event.from as f64 / self.rate.0 - BESIDE).max(0.0);
            let to = event.to as f64 / self.rate.0 + BESIDE;
            let range = [(from * 1e3).floor() / 1e3, (to * 1e3).ceil() / 1e3];
            match ranges.last_mut() {
                Some(last) if range[0] <= last[1] => last[1] = range[1],
                _ => ranges.push(range),
            }
        }
        ranges.into_iter().filter_map(|[from, to]| TimeSpan::new(from, to, DEFAULT_FADE)).collect()
    }

    /// The bell for a stem, by its place among those that are tried: where it has most around the deepest moment, moving from 24 dB
    /// below its level there.
    pub(super) fn bell(&self, slot: usize) -> CureBell {
        let deepest =
            self.windows.iter().max_by(|a, b| a.event.depth.0.total_cmp(&b.event.depth.0)).map(|window| {
                let half = (0.02 * self.rate.0) as usize;
                let at = (window.event.at - window.start) as usize;
                let audio = &window.stems[slot];
                let range = at.saturating_sub(half)..audio[0].len().min(at + half);
                audio[0][range.clone()]
                    .iter()
                    .zip(&audio[1][range])
                    .map(|(left, right)| 0.5 * (f64::from(*left) + f64::from(*right)))
                    .collect::<Vec<f64>>()
            });
        let audio = deepest.unwrap_or_default();
        let top = 16_000.0f64.min(0.4 * self.rate.0);
        let frequencies = (0..).map(|n| 40.0 * 2.0f64.powf(f64::from(n) / 6.0)).take_while(|f| *f <= top);
        let amplitude = |frequency: f64| amplitude(&audio, frequency / self.rate.0);
        let (frequency, level) = frequencies
            .map(|frequency| (frequency, amplitude(frequency)))
            // a bell is as wide as its frequency is high
            .max_by(|a, b| (a.1 * a.1 * a.0).total_cmp(&(b.1 * b.1 * b.0)))
            .unwrap_or((1000.0, 1.0));
        let threshold = (Db::from_gain(level.max(1e-4)).0 - 24.0).round().max(-80.0);
        CureBell { frequency: Hz(frequency.round()), threshold: Db(threshold) }
    }

    /// The figure with a cure of a stem, by its place among those that are tried.
    pub(super) fn predict(
        &self,
        job: &LimitingJob<'_>,
        limiting: &Limiting,
        measure: Measure,
        slot: usize,
        cure: &Cure,
    ) -> f64 {
        let figures = self.windows.iter().map(|window| window.figure(job, limiting, measure, slot, cure));
        match measure {
            Measure::Depth => figures.fold(0.0, f64::max),
            Measure::DecibelSeconds => figures.sum(),
        }
    }
}

impl Window {
    fn figure(
        &self,
        job: &LimitingJob<'_>,
        limiting: &Limiting,
        measure: Measure,
        slot: usize,
        cure: &Cure,
    ) -> f64 {
        let rate = limiting.rate;
        let kept = |audio: &[Vec<f32>; 2]| {
            audio.each_ref().map(|side| side.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>())
        };
        let (mut audio, own) = (kept(&self.sum), kept(&self.stems[slot]));
        let mut changed = own.clone();
        cure.unit(rate).process(self.start, &mut changed);
        for (side, sum) in audio.iter_mut().enumerate() {
            sum.iter_mut().zip(&changed[side]).zip(&own[side]).for_each(|((sum, y), x)| *sum += y - x);
            // what comes after the song
            sum.resize((self.end - self.start) as usize, 0.0);
        }
        let plan = &limiting.plan;
        let mut chain = master_chain(&plan.before_level, job.session, rate);
        let skip = chain.frames_to_skip().min(audio[0].len());
        let _ = chain.process(&mut audio);
        let gain = limiter_drive(plan).gain();
        let [left, right] = audio.map(|side| side[skip..].iter().map(|x| gain * x).collect::<Vec<f64>>());
        let mut limiter = LimiterGain::new(rate, Limiter::MASTER);
        limiter.set(&LimiterSettings { drive: Db(0.0), ..plan.after.limiter.clone() });
        let (mut first, mut second) = (vec![1.0; left.len()], vec![1.0; left.len()]);
        limiter.compute([&left, &right], None, [&mut first, &mut second]);
        let latency = limiter.latency().0;
        let [from, to] =
            [self.event.from, self.event.to].map(|frame| (frame - self.start) as usize + latency);
        let to = to.min(first.len());
        let gains = first[from.min(to)..to].iter().zip(&second[from.min(to)..to]).map(|(a, b)| a.min(*b));
        match measure {
            Measure::Depth => -Db::from_gain(gains.fold(1.0, f64::min)).0,
            Measure::DecibelSeconds => gains.map(|gain| -Db::from_gain(gain).0).sum::<f64>() / rate.0,
        }
    }
}

/// Gain from the end of the chain before the level to the limiter's detector.
pub(super) fn limiter_drive(plan: &crate::master::MasterPlan) -> Db {
    plan.after.level + plan.after.input.gain + plan.after.limiter.drive
}

/// Seconds after which what a window leaves out is forgotten.
fn seconds_before(before: &ChainSettings, limiter: &LimiterSettings) -> f64 {
    let CompressorSettings { on, release, auto_release, .. } = &before.compressor;
    let compressor = if *on { release.0 * if *auto_release { 4.0 } else { 1.0 } } else { 0.0 };
    let bands = before.equalizer.bands.iter().filter(|band| band.is_dynamic());
    let slowest = bands.map(|band| band.dynamic.release.0).fold(limiter.release.0.max(compressor), f64::max);
    (RELEASES * slowest / 1e3 + 0.1).min(LONGEST_BEFORE)
}

/// Amplitude of a frequency (of the rate) in some audio, a sine at full scale being one.
fn amplitude(audio: &[f64], frequency: f64) -> f64 {
    let step = std::f64::consts::TAU / audio.len().max(1) as f64;
    let (mut real, mut imaginary, mut sum) = (0.0, 0.0, 0.0);
    for (n, x) in audio.iter().enumerate() {
        let weight = 0.5 - 0.5 * (step * (n as f64 + 0.5)).cos();
        let (sine, cosine) = (std::f64::consts::TAU * frequency * n as f64).sin_cos();
        real += weight * x * cosine;
        imaginary += weight * x * sine;
        sum += weight;
    }
    if sum > 0.0 { 2.0 * f64::hypot(real, imaginary) / sum } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_amplitude_of_a_sine_is_its_own() {
        let audio: Vec<f64> = (0..1920).map(|n| 0.25 * (f64::from(n) * 0.1).cos()).collect();
        assert!((amplitude(&audio, 0.1 / std::f64::consts::TAU) - 0.25).abs() < 1e-3);
        assert!(amplitude(&audio, 0.2) < 1e-3);
        assert_eq!(amplitude(&[], 0.1), 0.0);
    }
}
