//! Ladder: three steps of oversampling by two, up to eight times the rate, and back.

use super::super::CONTROL_INTERVAL;
use super::super::kaiser::{kaiser, sinc};

/// Delay of a ladder up and down again, in samples, with half a step for the average between two samples at the top.
pub(super) const LATENCY: usize = 64;

/// Frames after which an input has no more effect.
pub(super) const MEMORY: usize = 2 * LATENCY + 2;

/// Samples at the top per frame.
pub(super) const FACTOR: usize = 8;

/// Samples on each side from which a step up computes what lies between two samples. The first decides which
/// images remain: below -90 dB from 0.6 of the rate on, so of tones up to 0.4.
const UP: [usize; 3] = [16, 6, 4];

/// Taps of the steps down. The last decides what is aliased: it stops at half the rate, not about it as a half-band
/// filter would, and passes up to 0.42 of the rate.
const DOWN: [usize; 3] = [16, 23, 169];

/// Edges of the steps down, halfway between pass and stop, as a fraction of their input's rate.
const EDGES: [f64; 3] = [0.25, 0.25, 0.23];

/// Shape of the Kaiser windows: images and aliases are 90 and 100 dB down.
const BETA_UP: f64 = 9.0;
const BETA_DOWN: f64 = 10.0;

/// Outputs computed side by side, so that the compiler keeps them in vector registers.
const OUTPUTS_AT_ONCE: usize = 8;

/// Coefficients of all steps.
#[derive(Clone, Debug)]
pub(super) struct Taps {
    up: [Vec<f64>; 3],
    /// For each step the taps that meet the earlier and the later sample of each pair, oldest first.
    down: [[Vec<f64>; 2]; 3],
}

impl Taps {
    pub(super) fn new() -> Self {
        let up = UP.map(|sides| {
            let tap = |i: usize| {
                let distance = i as f64 + 0.5 - sides as f64;
                sinc(distance) * kaiser(distance / sides as f64, BETA_UP)
            };
            scaled((0..2 * sides).map(tap).collect())
        });
        let down = core::array::from_fn(|step| {
            let (count, edge) = (DOWN[step], EDGES[step]);
            let middle = (count - 1) as f64 / 2.0;
            let tap = |i: usize| {
                let distance = i as f64 - middle;
                sinc(2.0 * edge * distance) * kaiser(distance / (middle + 1.0), BETA_DOWN)
            };
            let taps = scaled((0..count).map(tap).collect());
            // The newest sample is the later of its pair.
            let phase = |first: usize| taps.iter().skip(first).step_by(2).rev().copied().collect();
            [phase(1), phase(0)]
        });
        Self { up, down }
    }
}

/// Taps scaled to a sum of one.
fn scaled(mut taps: Vec<f64>) -> Vec<f64> {
    let sum: f64 = taps.iter().sum();
    taps.iter_mut().for_each(|tap| *tap /= sum);
    taps
}

/// Samples of a block with those before them.
#[derive(Clone, Debug)]
struct SampleHistory {
    samples: Vec<f64>,
    past: usize,
}

impl SampleHistory {
    fn new(past: usize, most: usize) -> Self {
        Self { samples: vec![0.0; past + most], past }
    }

    fn fresh(&mut self, count: usize) -> &mut [f64] {
        &mut self.samples[self.past..self.past + count]
    }

    /// Makes room for the next, after `count`.
    fn advance(&mut self, count: usize) {
        self.samples.copy_within(count..count + self.past, 0);
    }
}

/// Ladder of one channel.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    /// Before each step up, then the top.
    up: [SampleHistory; 4],
    /// Before each step down: the earlier and the later sample of each pair.
    down: [[SampleHistory; 2]; 3],
}

impl Ladder {
    pub(super) fn new() -> Self {
        let most = |step: usize| CONTROL_INTERVAL << step;
        let down = |step: usize| {
            let pairs = CONTROL_INTERVAL << (2 - step);
            [DOWN[step] / 2, DOWN[step].div_ceil(2)].map(|taps| SampleHistory::new(taps - 1, pairs))
        };
        Self {
            up: [
                SampleHistory::new(2 * UP[0] - 1, most(0)),
                SampleHistory::new(2 * UP[1] - 1, most(1)),
                SampleHistory::new(2 * UP[2] - 1, most(2)),
                SampleHistory::new(1, most(3)),
            ],
            down: core::array::from_fn(down),
        }
    }

    pub(super) fn reset(&mut self) {
        for line in self.up.iter_mut().chain(self.down.iter_mut().flatten()) {
            line.samples.fill(0.0);
        }
    }

    /// Replaces `samples`, at most a control interval, by what `change` makes of two neighbouring samples at the
    /// top in this frame; [`LATENCY`] frames later.
    #[inline]
    pub(super) fn run(&mut self, taps: &Taps, samples: &mut [f64], change: impl Fn(usize, f64, f64) -> f64) {
        let frames = samples.len();
        // What is not finite would stay as long as the filters remember it.
        for (to, &from) in self.up[0].fresh(frames).iter_mut().zip(&*samples) {
            *to = if from.is_finite() { from } else { 0.0 };
        }
        for step in 0..3 {
            let count = frames << step;
            let (before, after) = self.up.split_at_mut(step + 1);
            let (line, next) = (&mut before[step], &mut after[0]);
            let mut between = [0.0; CONTROL_INTERVAL << 2];
            filter(&taps.up[step], &line.samples, &mut between[..count]);
            let centre = UP[step];
            for (i, pair) in next.fresh(2 * count).chunks_exact_mut(2).enumerate() {
                pair[0] = between[i];
                pair[1] = line.samples[i + centre];
            }
            line.advance(count);
        }
        let top = &self.up[3].samples;
        let [earlier, later] = &mut self.down[0];
        for (i, (earlier, later)) in
            earlier.fresh(4 * frames).iter_mut().zip(later.fresh(4 * frames)).enumerate()
        {
            *earlier = change(i / 4, top[2 * i], top[2 * i + 1]);
            *later = change(i / 4, top[2 * i + 1], top[2 * i + 2]);
        }
        self.up[3].advance(FACTOR * frames);
        for step in 0..3 {
            let count = frames << (2 - step);
            let mut out = [0.0; CONTROL_INTERVAL << 2];
            let out = &mut out[..count];
            for (line, taps) in self.down[step].iter_mut().zip(&taps.down[step]) {
                filter(taps, &line.samples, out);
                line.advance(count);
            }
            match self.down.get_mut(step + 1) {
                None => samples.copy_from_slice(out),
                Some([earlier, later]) => {
                    let (earlier, later) = (earlier.fresh(count / 2), later.fresh(count / 2));
                    for (i, pair) in out.chunks_exact(2).enumerate() {
                        (earlier[i], later[i]) = (pair[0], pair[1]);
                    }
                }
            }
        }
    }
}

/// Adds to `out[i]` the sum of `taps[t] * samples[i + t]`. A value's bits do not depend on how many are computed
/// at once.
#[inline]
fn filter(taps: &[f64], samples: &[f64], out: &mut [f64]) {
    let mut at = 0;
    while at < out.len() {
        let width = if out.len() - at >= OUTPUTS_AT_ONCE { OUTPUTS_AT_ONCE } else { 1 };
        match width {
            OUTPUTS_AT_ONCE => {
                filter_some::<OUTPUTS_AT_ONCE>(taps, &samples[at..], &mut out[at..at + OUTPUTS_AT_ONCE]);
            }
            _ => filter_some::<1>(taps, &samples[at..], &mut out[at..=at]),
        }
        at += width;
    }
}

#[inline]
fn filter_some<const W: usize>(taps: &[f64], samples: &[f64], out: &mut [f64]) {
    let mut sums = [0.0; W];
    for (window, tap) in samples.windows(W).zip(taps) {
        for i in 0..W {
            sums[i] += tap * window[i];
        }
    }
    for i in 0..W {
        out[i] += sums[i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;
    use testkit::{sine, spectrum};

    /// Up and down with nothing but the average at the top, in steps of `size`.
    fn through(signal: &[f64], size: usize) -> Vec<f64> {
        let (taps, mut ladder) = (Taps::new(), Ladder::new());
        let mut out = signal.to_vec();
        for part in out.chunks_mut(size) {
            ladder.run(&taps, part, |_, a, b| 0.5 * (a + b));
        }
        out
    }

    #[test]
    fn is_a_delay_of_its_latency_where_it_passes() {
        for frequency in [0.01, 0.1, 0.3, 0.4] {
            let tone = sine(frequency, 0.3, 1.0, 4000);
            let out = through(&tone, 32);
            // The average of neighbours at the top is a gain a little below one.
            let droop = (core::f64::consts::PI * frequency / 8.0).cos();
            let error = (1000..4000).map(|i| (out[i] - droop * tone[i - LATENCY]).abs()).fold(0.0, f64::max);
            assert!(error < 3e-4, "{frequency}: {error}");
        }
    }

    #[test]
    fn forgets_within_its_memory() {
        let mut impulse = vec![0.0; 400];
        impulse[0] = 1.0;
        let out = through(&impulse, 32);
        assert!(out[..MEMORY].iter().any(|&x| x != 0.0) && out[MEMORY..].iter().all(|&x| x == 0.0));
        let largest = out.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).expect("not empty");
        assert_eq!(largest.0, LATENCY);
    }

    #[test]
    fn the_bits_do_not_depend_on_the_steps() {
        let signal = noise(3, 1000, 1.0);
        let whole = through(&signal, 32);
        for size in [1, 3, 8, 31] {
            assert_eq!(through(&signal, size), whole, "{size}");
        }
    }

    #[test]
    fn nothing_is_left_of_what_would_alias() {
        // What the top adds beyond half the rate must not come back down: modulate it there.
        let (taps, mut ladder) = (Taps::new(), Ladder::new());
        let mut out = sine(0.25, 0.0, 1.0, 1 << 14);
        let steps = std::cell::Cell::new(0u32);
        for part in out.chunks_mut(32) {
            ladder.run(&taps, part, |_, _, b| {
                steps.set(steps.get() + 1);
                // 0.25 times a carrier of 0.76 of the rate: 0.51 and 1.01.
                b * (core::f64::consts::TAU * 0.76 * f64::from(steps.get()) / 8.0).cos()
            });
        }
        let bins = spectrum(&out[1 << 13..]);
        let worst = bins.iter().map(|bin| bin.norm()).fold(0.0, f64::max) / f64::from(1 << 12);
        assert!(20.0 * worst.log10() < -90.0, "{}", 20.0 * worst.log10());
    }
}
