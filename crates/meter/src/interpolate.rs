//! The interpolation of the true-peak meter and the search for its largest value.
//!
//! Works on interleaved channels: the taps of a channel lie `channels` samples apart, and the largest value of all
//! channels is what is wanted, so one kernel serves every layout. Spans that cannot yield a new maximum are not
//! interpolated ([`Bound`]); the others are, in the precision of the samples; and what then looks like a new maximum is
//! computed again in `f64`. So skipping and precision change the cost, never the result.

use core::array;

use simd::{Isa, Kernel, Registers, Simd, Vector};

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

/// How far a value can rise above the samples it is computed from.
///
/// First, by the sum of the coefficients' magnitudes: a factor of the largest sample, reached by noise at its worst.
/// Second, closer for all that is smooth: each phase is a straight line between its two middle samples, of the same sum
/// and slope, and a filter of second differences, because what is left has neither sum nor slope.
#[derive(Clone, Copy, Debug)]
struct Bound {
    /// No value exceeds the largest sample by more than this factor.
    samples: f64,
    /// Nor this times the largest sample,
    line: f64,
    /// and this times the largest second difference.
    bend: f64,
}

impl Bound {
    fn new() -> Self {
        const MIDDLE: usize = REACH / 2 - 1;
        let up = 1.0 + 1e-12; // roundings of this computation
        let magnitude = |taps: &[f64]| taps.iter().map(|tap| tap.abs()).sum::<f64>();
        let mut bound = Self { samples: 1.0, line: 1.0, bend: 0.0 };
        for phase in phases() {
            let sum: f64 = phase.iter().sum();
            let moment: f64 = phase.iter().enumerate().map(|(k, tap)| k as f64 * tap).sum();
            let line = [sum * (MIDDLE + 1) as f64 - moment, moment - sum * MIDDLE as f64];
            let mut rest = phase;
            (rest[MIDDLE], rest[MIDDLE + 1]) = (rest[MIDDLE] - line[0], rest[MIDDLE + 1] - line[1]);
            // Summed twice, the rest is what second differences are filtered with.
            for _ in 0..2 {
                rest = array::from_fn(|k| rest[..=k].iter().sum());
            }
            bound.samples = bound.samples.max(magnitude(&phase) * up);
            bound.line = bound.line.max(magnitude(&line) * up);
            bound.bend = bound.bend.max(magnitude(&rest) * up);
        }
        bound
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
    bound: Bound,
    peak: f64,
    sample_peak: f64,
    /// A span and what it depends on, for a second look.
    wide: Vec<f64>,
}

impl<T: Real> PeakSearch<T> {
    /// A search in `channels` interleaved channels.
    pub(super) fn new(isa: Isa, channels: usize) -> Self {
        Self {
            isa,
            channels,
            folded: Folded::new(),
            exact: Folded::new(),
            bound: Bound::new(),
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
    /// Samples up to here are no new maximum.
    sample: V,
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
            let loudest_samples = loudest(simd, span);
            if loudest_samples.any_above(bars.quiet) {
                near = history / SPAN + 1;
            }
            if start >= history && near > 0 {
                if loudest_samples.any_above(bars.sample) {
                    state.take_samples(span);
                    bars = state.bars(simd);
                }
                let within = &row[start - reach..start + SPAN];
                if state.most(simd, within) > state.peak * (1.0 - ROUNDING) {
                    let values = state.folded.magnitudes(simd, within, state.channels);
                    if loudest(simd, &values).any_above(bars.peak) {
                        state.look_closely(within, history + samples - start);
                        bars = state.bars(simd);
                    }
                }
            }
            near = near.saturating_sub(1);
        }
    }
}

impl<T: Real> PeakSearch<T> {
    #[inline(always)]
    fn bars<S: Registers<T>>(&self, simd: S) -> Bars<S::Vector> {
        let quiet = (self.peak / self.bound.samples * (1.0 - ROUNDING)).min(self.sample_peak);
        Bars {
            quiet: simd.splat(T::near(quiet)),
            sample: simd.splat(T::near(self.sample_peak)),
            peak: simd.splat(T::near(self.peak * (1.0 - ROUNDING))),
        }
    }

    /// No value computed from the samples `within` is larger.
    #[inline(always)]
    fn most<S: Registers<T>>(&self, simd: S, within: &[T]) -> f64 {
        let lanes = S::Vector::LANES;
        let bends = within.len() - 2 * self.channels;
        let (newer, middle, older) = (&within[2 * self.channels..], &within[self.channels..], within);
        let (mut sample, mut bend) = (simd.splat(T::default()), simd.splat(T::default()));
        let minus_two = simd.splat(T::near(-2.0));
        let mut at = 0;
        while at < bends {
            // The last vector may take some a second time.
            let place = at.min(bends - lanes);
            let (new, old) = (simd.load(&newer[place..]), simd.load(&older[place..]));
            bend = bend.max(simd.load(&middle[place..]).mul_add(minus_two, new + old).abs());
            sample = sample.max(new.abs()).max(old.abs());
            at += lanes;
        }
        self.bound.line * sample.largest().into() + self.bound.bend * bend.largest().into()
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

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::noise;

    /// The value of `phase` from twelve samples, newest first.
    fn value(phase: &[f64; REACH], samples: &[f64]) -> f64 {
        phase.iter().zip(samples).map(|(tap, x)| tap * x).sum()
    }

    #[test]
    fn folded_phases_are_the_phases() {
        let samples = noise(1, 11 + SPAN, 1.0);
        for isa in Isa::all() {
            let exact = Folded::new();
            let values = isa.run(Closely { exact: &exact, reach: &samples, channels: 1 });
            for (n, magnitude) in values.iter().enumerate() {
                let newest_first: Vec<f64> = samples[n..n + REACH].iter().rev().copied().collect();
                let expected =
                    phases().iter().map(|phase| value(phase, &newest_first).abs()).fold(0.0, f64::max);
                assert!((magnitude - expected).abs() < 1e-15, "{isa:?} {n}");
            }
        }
    }

    #[test]
    fn no_value_exceeds_a_bound_and_the_worst_reach_them() {
        let bound = Bound::new();
        let (mut most, mut closest) = (0.0f64, 0.0f64);
        let mut check = |samples: &[f64]| {
            let largest = samples.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            let bends = samples.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs());
            let close = bound.line * largest + bound.bend * bends.fold(0.0, f64::max);
            for phase in phases() {
                let y = value(&phase, samples).abs();
                assert!(y <= bound.samples * largest && y <= close, "{samples:?}");
                (most, closest) = (most.max(y / (bound.samples * largest)), closest.max(y / close));
            }
        };
        for phase in phases() {
            check(&phase.map(f64::signum));
        }
        for seed in 0..2000 {
            let mut samples = noise(seed, REACH, 1.0);
            let colour = noise(seed ^ 77, 1, 1.0)[0];
            for n in 1..REACH {
                samples[n] += colour * samples[n - 1];
            }
            check(&samples);
        }
        check(&[1.0; REACH]);
        assert!(most > 1.0 - 1e-9, "the first bound is sharp: {most}");
        assert!(closest > 0.99, "a constant nearly reaches the second: {closest}");
        // Twice as high, and dense programme would be interpolated from end to end.
        assert!(bound.line < 1.01 && bound.bend < 0.4, "{bound:?}");
    }
}
