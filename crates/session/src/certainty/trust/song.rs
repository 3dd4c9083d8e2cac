//! Random songs: stems that play together as instruments do.

use core::f64::consts::TAU;

use crate::joint::tests::StereoAudio;
use testkit::{Random, noise};

pub(super) const RATE: f64 = 8_000.0;

/// Random numbers of one session.
pub(super) struct Dice(Random);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(Random::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bf0_3635))
    }

    /// Uniform between `low` and `high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0.between(low, high)
    }

    /// Uniform integer from `low` to `high`, both included.
    pub(super) fn whole(&mut self, low: usize, high: usize) -> usize {
        low + (self.0.bits() % (high - low + 1) as u64) as usize
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.between(0.0, 1.0) < probability
    }

    pub(super) fn seed(&mut self) -> u64 {
        self.0.bits()
    }
}

/// Frame of a song: tempo, chords, sections.
pub(super) struct Score {
    pub(super) frames: usize,
    beat: usize,
    /// Root of each bar, hertz.
    roots: Vec<f64>,
    /// Level of each eight-bar section, dB.
    sections: Vec<f64>,
}

impl Score {
    pub(super) fn new(dice: &mut Dice) -> Self {
        // 20 to 120 s, short ones more often
        let frames = (20.0 * 6f64.powf(dice.between(0.0, 1.0).powi(2)) * RATE) as usize;
        let beat = (60.0 / dice.between(80.0, 160.0) * RATE) as usize;
        let bars = frames / (4 * beat) + 1;
        let tonic = dice.between(45.0, 75.0);
        let roots = (0..bars).map(|_| tonic * [1.0, 1.189, 1.335, 1.498, 1.782][dice.whole(0, 4)]).collect();
        let sections = (0..bars / 4 + 1).map(|_| dice.between(-8.0, 0.0)).collect();
        Self { frames, beat, roots, sections }
    }

    fn root(&self, frame: usize) -> f64 {
        self.roots[(frame / (4 * self.beat)).min(self.roots.len() - 1)]
    }

    fn section(&self, frame: usize) -> f64 {
        let section = (frame / (16 * self.beat)).min(self.sections.len() - 1);
        units::linear(self.sections[section])
    }
}

/// Audio of a random instrument that plays `score`.
pub(super) fn instrument(score: &Score, dice: &mut Dice) -> StereoAudio {
    let mono = match dice.whole(0, 4) {
        0 => drums(score, dice),
        1 => notes(score, dice, 1.0, 1, 0.4),  // bass
        2 => notes(score, dice, 4.0, 2, 0.25), // plucked
        3 => pad(score, dice),
        _ => voice(score, dice),
    };
    let wide = dice.between(0.0, 0.5) * f64::from(u8::from(dice.chance(0.6)));
    let delay = dice.whole(20, 200);
    let balance = dice.between(0.5, 1.0);
    let sides = if dice.chance(0.5) { [1.0, balance] } else { [balance, 1.0] };
    let loudness = dice.between(0.5, 1.6);
    let rms = (mono.iter().map(|x| x * x).sum::<f64>() / mono.len() as f64).sqrt().max(1e-9);
    let side = |n: usize| if n >= delay { wide * mono[n - delay] } else { 0.0 };
    [0, 1].map(|c| {
        let sign = if c == 0 { 1.0 } else { -1.0 };
        let scale = 0.1 * loudness * sides[c] / rms;
        (0..score.frames).map(|n| (mono[n] + sign * side(n)) * scale).collect()
    })
}

fn drums(score: &Score, dice: &mut Dice) -> Vec<f64> {
    let raw = noise(dice.seed(), score.frames, 1.0);
    let mut out = vec![0.0; score.frames];
    let step = score.beat / [1, 2, 4][dice.whole(0, 2)];
    let (decay, color) = (dice.between(0.02, 0.15) * RATE, dice.between(0.1, 0.9));
    let mut low = 0.0;
    for start in (0..score.frames).step_by(step.max(1)) {
        if dice.chance(0.25) {
            continue;
        }
        let velocity = units::linear(dice.between(-12.0, 0.0)) * score.section(start);
        for n in start..score.frames.min(start + 4 * decay as usize) {
            low += color * (raw[n] - low);
            out[n] += velocity * low * (-((n - start) as f64) / decay).exp();
        }
    }
    out
}

fn tone(out: &mut [f64], start: usize, frames: usize, hertz: f64, level: f64, decay: f64, dice: &mut Dice) {
    let end = out.len().min(start + frames);
    let bright = dice.between(0.3, 0.8);
    for partial in 1..=6 {
        let w = TAU * hertz * f64::from(partial) / RATE;
        if w > 2.8 {
            break;
        }
        let (phase, level) = (dice.between(0.0, TAU), level * bright.powi(partial - 1));
        // A rotating phasor that decays.
        let (turn, shrink) = (w.sin_cos(), (-1.0 / decay).exp());
        let (mut sine, mut cosine) = phase.sin_cos();
        for n in start..end {
            let attack = ((n - start) as f64 / 40.0).min(1.0);
            let release = ((end - n) as f64 / 80.0).min(1.0);
            out[n] += level * attack * release * sine;
            (sine, cosine) =
                (shrink * (sine * turn.1 + cosine * turn.0), shrink * (cosine * turn.1 - sine * turn.0));
        }
    }
}

fn notes(score: &Score, dice: &mut Dice, octave: f64, per_beat: usize, seconds: f64) -> Vec<f64> {
    let mut out = vec![0.0; score.frames];
    let step = score.beat / per_beat;
    for start in (0..score.frames).step_by(step.max(1)) {
        if dice.chance(0.2) {
            continue;
        }
        let interval = [1.0, 1.189, 1.498, 2.0][dice.whole(0, 3)];
        let level = units::linear(dice.between(-9.0, 0.0)) * score.section(start);
        let length = (step as f64 * dice.between(0.6, 1.5)) as usize;
        tone(&mut out, start, length, score.root(start) * octave * interval, level, seconds * RATE, dice);
    }
    out
}

fn pad(score: &Score, dice: &mut Dice) -> Vec<f64> {
    let mut out = vec![0.0; score.frames];
    let bar = 4 * score.beat;
    for start in (0..score.frames).step_by(bar) {
        let level = units::linear(dice.between(-4.0, 0.0)) * score.section(start);
        for interval in [1.0, 1.26, 1.498] {
            tone(&mut out, start, bar, score.root(start) * 4.0 * interval, level, 10.0 * RATE, dice);
        }
    }
    out
}

fn voice(score: &Score, dice: &mut Dice) -> Vec<f64> {
    let mut out = vec![0.0; score.frames];
    let breath = noise(dice.seed(), score.frames, 1.0);
    let mut start = 0;
    while start < score.frames {
        if dice.chance(0.15) {
            start += (dice.between(0.5, 3.0) * RATE) as usize; // between phrases
            continue;
        }
        let length = (dice.between(0.12, 0.6) * RATE) as usize;
        let level = units::linear(dice.between(-12.0, 0.0));
        let interval = [1.0, 1.122, 1.26, 1.498][dice.whole(0, 3)];
        tone(&mut out, start, length, score.root(start) * 4.0 * interval, level, RATE, dice);
        for n in start..score.frames.min(start + length / 6) {
            out[n] += 0.3 * level * breath[n];
        }
        start += length + (dice.between(0.0, 0.15) * RATE) as usize;
    }
    out
}
