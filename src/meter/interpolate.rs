//! The interpolation of the true-peak meter and the search for its largest value.
//!
//! Works on interleaved channels: the taps of a channel lie `channels` samples apart, and the largest value of all
//! channels is what is wanted, so one kernel serves every layout. Spans whose samples cannot yield a new maximum, by
//! the sum of the coefficients' magnitudes, are not interpolated; the others are, in the precision of the samples; and
//! what then looks like a new maximum is computed again in `f64`. So skipping and precision change the cost, never the
//! result.

use core::array;

use crate::dsp::simd::{Isa, Kernel, Registers, Simd, Vector};

const FACTOR: usize = 4;
const TAPS: usize = 48;
/// Frames that a value is computed from.
const REACH: usize = TAPS / FACTOR;
/// Samples looked at together.
pub(super) const SPAN: usize = 32;
/// More than rounding can add to a value computed in `f32`, as a factor: `REACH + 3` roundings of 2^-24 each, times the
/// sum of the coefficients' magnitudes, is 1.5e-6 of the largest sample, which the peak is not below.
const ROUNDING: f64 = 2e-6;

/// The interpolating phases between samples, newest sample first. The phase that falls on the samples is the sample
/// itself: all its taps but the centre are zeros of the sinc.
pub(super) fn phases() -> [[f64; REACH]; FACTOR - 1] {
    let tap = |j: usize| {
        let window = 0.5 * (1.0 - (2.0 * core::f64::consts::PI * j as f64 / TAPS as f64).cos());
        let x = (j as f64 - TAPS as f64 / 2.0) * core::f64::consts::PI / FACTOR as f64;
        if x == 0.0 { window } else { window * x.sin() / x }
    };
    array::from_fn(|phase| array::from_fn(|k| tap(k * FACTOR + phase + 1)))
}

/// Numbers that are searched.
pub(super) trait Real: Copy + Default + PartialOrd + Into<f64> {
    /// The nearest.
    fn near(value: f64) -> Self;

    /// Searches with vectors of these numbers.
    fn search<S: Simd>(simd: S, search: Search<'_, Self>);
}

impl Real for f64 {
    fn near(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn search<S: Simd>(simd: S, search: Search<'_, Self>) {
        search.among(simd);
    }
}

impl Real for f32 {
    fn near(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn search<S: Simd>(simd: S, search: Search<'_, Self>) {
        search.among(simd);
    }
}

/// The phases, folded about the middle of the filter: 1/4 and 3/4 are mirror images, so with the sums and differences
/// of opposite samples their larger magnitude is `|even| + |odd|`; 1/2 is its own mirror image.
#[derive(Clone, Copy, Debug)]
struct Folded<T> {
    even: [T; REACH / 2],
    odd: [T; REACH / 2],
    half: [T; REACH / 2],
}

impl<T: Real> Folded<T> {
    fn new() -> Self {
        let [quarter, half, _] = phases();
        let mirror = |k: usize| quarter[REACH - 1 - k];
        Self {
            even: array::from_fn(|k| T::near(0.5 * (quarter[k] + mirror(k)))),
            odd: array::from_fn(|k| T::near(0.5 * (quarter[k] - mirror(k)))),
            half: array::from_fn(|k| T::near(half[k])),
        }
    }

    /// The largest magnitude of the phases after each of the last [`SPAN`] samples of `reach`. A value's bits do not
    /// depend on its place.
    #[inline(always)]
    fn magnitudes<S: Registers<T>>(&self, simd: S, reach: &[T], channels: usize) -> [T; SPAN] {
        let delayed = |k: usize| -> &[T; SPAN] {
            reach[(REACH - 1 - k) * channels..].first_chunk().expect("a span and its history")
        };
        let newer: [_; REACH / 2] = array::from_fn(delayed);
        let older: [_; REACH / 2] = array::from_fn(|k| delayed(REACH - 1 - k));
        let zero = simd.splat(T::default());
        let mut out = [T::default(); SPAN];
        let lanes = S::Vector::LANES;
        for at in (0..SPAN).step_by(2 * lanes) {
            let (mut even, mut odd, mut half) = ([zero; 2], [zero; 2], [zero; 2]);
            for k in 0..REACH / 2 {
                for v in 0..2 {
                    let place = at + v * lanes;
                    let (x, y) = (simd.load(&newer[k][place..]), simd.load(&older[k][place..]));
                    let (sum, difference) = (x + y, x - y);
                    even[v] = sum.mul_add(simd.splat(self.even[k]), even[v]);
                    odd[v] = difference.mul_add(simd.splat(self.odd[k]), odd[v]);
                    half[v] = sum.mul_add(simd.splat(self.half[k]), half[v]);
                }
            }
            for v in 0..2 {
                let quarters = even[v].abs() + odd[v].abs();
                quarters.max(half[v].abs()).store(&mut out[at + v * lanes..]);
            }
        }
        out
    }
}

/// The largest true peak and sample so far of interleaved channels, and what it takes to find them.
#[derive(Clone, Debug)]
pub(super) struct PeakSearch<T> {
    isa: Isa,
    channels: usize,
    folded: Folded<T>,
    exact: Folded<f64>,
    /// No value exceeds the largest sample in reach by more than this factor.
    bound: f64,
    peak: f64,
    sample_peak: f64,
    /// A span and what it depends on, for a second look.
    wide: Vec<f64>,
}

impl<T: Real> PeakSearch<T> {
    /// A search in `channels` interleaved channels.
    pub(super) fn new(isa: Isa, channels: usize) -> Self {
        let sum = |phase: &[f64; REACH]| phase.iter().map(|c| c.abs()).sum::<f64>();
        Self {
            isa,
            channels,
            folded: Folded::new(),
            exact: Folded::new(),
            bound: phases().iter().map(sum).fold(1.0, f64::max) * (1.0 + 1e-12),
            peak: 0.0,
            sample_peak: 0.0,
            wide: vec![0.0; (REACH - 1) * channels + SPAN],
        }
    }

    /// Samples that must lie before those that are searched: whole spans, at least the reach of the filter.
    pub(super) fn history(&self) -> usize {
        ((REACH - 1) * self.channels).next_multiple_of(SPAN)
    }

    /// The linear true peak and sample peak since the last [`Self::take`].
    pub(super) fn peaks(&self) -> (f64, f64) {
        (self.peak, self.sample_peak)
    }

    /// Returns [`Self::peaks`] and starts anew.
    pub(super) fn take(&mut self) -> (f64, f64) {
        let peaks = self.peaks();
        (self.peak, self.sample_peak) = (0.0, 0.0);
        peaks
    }

    /// Searches `samples` finite samples that lie in `row` after [`Self::history`]. Behind them must be room for
    /// [`SPAN`] more, which are made zero.
    pub(super) fn search(&mut self, row: &mut [T], samples: usize) {
        let end = self.history() + samples;
        row[end..end + SPAN].fill(T::default());
        let isa = self.isa;
        isa.run(Search { state: self, row: &row[..end + SPAN], samples });
    }
}

/// One row to be searched.
pub(super) struct Search<'a, T> {
    state: &'a mut PeakSearch<T>,
    /// History, samples, a span of zeros.
    row: &'a [T],
    samples: usize,
}

/// What is too little to matter.
#[derive(Clone, Copy)]
struct Bars<V> {
    /// Samples up to here yield no new maximum, of values or of samples.
    quiet: V,
    /// Values up to here are none.
    peak: V,
}

impl<T: Real> Kernel for Search<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        T::search(simd, self);
    }
}

impl<T: Real> Search<'_, T> {
    #[inline(always)]
    fn among<S: Simd + Registers<T>>(self, simd: S) {
        let Self { state, row, samples } = self;
        let history = state.history();
        let reach = (REACH - 1) * state.channels;
        let mut bars = state.bars(simd);
        // Spans yet to come that a loud one reaches.
        let mut near = 0;
        for start in (0..history + samples).step_by(SPAN) {
            let span: &[T; SPAN] = row[start..].first_chunk().expect("a span of zeros follows");
            let loud = loudest(simd, span).any_above(bars.quiet);
            near = if loud { history / SPAN + 1 } else { near };
            if start >= history && near > 0 {
                if loud {
                    state.take_samples(span);
                    bars = state.bars(simd);
                }
                let values = state.folded.magnitudes(simd, &row[start - reach..], state.channels);
                if loudest(simd, &values).any_above(bars.peak) {
                    state.look_closely(&row[start - reach..start + SPAN], history + samples - start);
                    bars = state.bars(simd);
                }
            }
            near = near.saturating_sub(1);
        }
    }
}

impl<T: Real> PeakSearch<T> {
    #[inline(always)]
    fn bars<S: Registers<T>>(&self, simd: S) -> Bars<S::Vector> {
        let quiet = (self.peak / self.bound * (1.0 - ROUNDING)).min(self.sample_peak);
        Bars { quiet: simd.splat(T::near(quiet)), peak: simd.splat(T::near(self.peak * (1.0 - ROUNDING))) }
    }

    fn take_samples(&mut self, span: &[T; SPAN]) {
        self.sample_peak = span.iter().fold(self.sample_peak, |m, &x| f64::max(m, x.into().abs()));
        // The samples are interpolated points too, half the filter later.
        self.peak = self.peak.max(self.sample_peak);
    }

    /// The values after the first `samples` samples of the span at the end of `reach`, in `f64`.
    #[cold]
    fn look_closely(&mut self, reach: &[T], samples: usize) {
        for (wide, &sample) in self.wide.iter_mut().zip(reach) {
            *wide = sample.into();
        }
        let values = self.isa.run(Closely { exact: &self.exact, reach: &self.wide, channels: self.channels });
        self.peak = values.iter().take(samples).fold(self.peak, |m, &y| m.max(y));
    }
}

/// [`Folded::magnitudes`] as a kernel.
struct Closely<'a> {
    exact: &'a Folded<f64>,
    reach: &'a [f64],
    channels: usize,
}

impl Kernel for Closely<'_> {
    type Output = [f64; SPAN];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [f64; SPAN] {
        self.exact.magnitudes(simd, self.reach, self.channels)
    }
}

/// The largest magnitudes of a span, lane by lane.
#[inline(always)]
fn loudest<S: Registers<T>, T: Real>(simd: S, span: &[T; SPAN]) -> S::Vector {
    let lanes = S::Vector::LANES;
    let first = simd.load(span).abs();
    (lanes..SPAN).step_by(lanes).fold(first, |m, at| m.max(simd.load(&span[at..]).abs()))
}
