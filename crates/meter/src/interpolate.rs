//! Interpolator of the true-peak meter, and the search for its largest value.
//!
//! Works on interleaved channels: the taps of a channel lie `channels` samples apart, and only the largest value of
//! all channels is needed, so one kernel serves every layout. Spans that cannot contain a new maximum are not
//! interpolated ([`OvershootBound`]); the others are, in the precision of the samples; and any apparent new maximum
//! is computed again in `f64`. So skipping and precision change the cost, never the result.

use core::array;

use super::overshoot_bound::OvershootBound;
use simd::{Isa, Kernel, Registers, Simd, Vector};

const OVERSAMPLING: usize = 4;
const TAPS: usize = 48;
/// Frames that a value is computed from.
const REACH: usize = TAPS / OVERSAMPLING;
/// Frames of silence behind the last sample after which no value depends on it any more.
pub(super) const RUN_OUT: usize = REACH - 1;
/// Samples that are searched together.
pub(super) const SPAN: usize = 32;
/// Bound on the rounding error of a value computed in `f32`, as a factor: `REACH + 3` roundings of 2^-24 each, times
/// the sum of the coefficients' magnitudes, is 1.5e-6 of the largest sample, which the peak is not below.
const ROUNDING: f64 = 2e-6;

/// Coefficients of the interpolating phases between samples, newest sample first. The phase on the samples is the
/// sample itself: all its taps except the centre are zeros of the sinc.
pub(super) fn phases() -> [[f64; REACH]; OVERSAMPLING - 1] {
    let tap = |j: usize| {
        let window = 0.5 * (1.0 - (2.0 * core::f64::consts::PI * j as f64 / TAPS as f64).cos());
        let x = (j as f64 - TAPS as f64 / 2.0) * core::f64::consts::PI / OVERSAMPLING as f64;
        if x == 0.0 { window } else { window * x.sin() / x }
    };
    array::from_fn(|phase| array::from_fn(|k| tap(k * OVERSAMPLING + phase + 1)))
}

/// Number type of the samples.
pub(super) trait Real: Copy + Default + PartialOrd + Into<f64> {
    /// The nearest number of this type.
    fn nearest(value: f64) -> Self;

    /// Runs a search with vectors of this type.
    fn search<S: Simd>(simd: S, search: Search<'_, Self>);
}

impl Real for f64 {
    fn nearest(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn search<S: Simd>(simd: S, search: Search<'_, Self>) {
        search.scan(simd);
    }
}

impl Real for f32 {
    fn nearest(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn search<S: Simd>(simd: S, search: Search<'_, Self>) {
        search.scan(simd);
    }
}

/// The phases, folded about the middle of the filter: 1/4 and 3/4 are mirror images, so the larger of their
/// magnitudes is `|even| + |odd|` of the sums and differences of opposite samples; 1/2 is its own mirror image.
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
            even: array::from_fn(|k| T::nearest(0.5 * (quarter[k] + mirror(k)))),
            odd: array::from_fn(|k| T::nearest(0.5 * (quarter[k] - mirror(k)))),
            half: array::from_fn(|k| T::nearest(half[k])),
        }
    }

    /// Largest magnitude of the phases after each of the last [`SPAN`] samples of `reach`. The bits of a value do not
    /// depend on its position.
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

/// Search for the largest true peak and sample peak of interleaved channels.
#[derive(Clone, Debug)]
pub(super) struct PeakSearch<T> {
    isa: Isa,
    channels: usize,
    folded: Folded<T>,
    exact: Folded<f64>,
    bound: OvershootBound,
    peak: f64,
    sample_peak: f64,
    /// Sample of the last search at which the true peak rose last, within a span; none if it did not rise.
    rise: Option<usize>,
    /// A span and its history in `f64`, to compute values again.
    wide: Vec<f64>,
}

impl<T: Real> PeakSearch<T> {
    /// Returns a search in `channels` interleaved channels.
    pub(super) fn new(isa: Isa, channels: usize) -> Self {
        Self {
            isa,
            channels,
            folded: Folded::new(),
            exact: Folded::new(),
            bound: OvershootBound::new(phases().iter().map(|phase| &phase[..])),
            peak: 0.0,
            sample_peak: 0.0,
            rise: None,
            wide: vec![0.0; (REACH - 1) * channels + SPAN],
        }
    }

    /// Number of samples before those that are searched: whole spans, at least the reach of the filter.
    pub(super) fn history(&self) -> usize {
        ((REACH - 1) * self.channels).next_multiple_of(SPAN)
    }

    /// Linear true peak and sample peak since the last [`Self::take`].
    pub(super) fn peaks(&self) -> (f64, f64) {
        (self.peak, self.sample_peak)
    }

    /// Returns [`Self::peaks`] and restarts the maximum.
    pub(super) fn take(&mut self) -> (f64, f64) {
        let peaks = self.peaks();
        (self.peak, self.sample_peak) = (0.0, 0.0);
        peaks
    }

    /// Searches `samples` finite samples, which lie in `row` after [`Self::history`]. Behind them there must be room
    /// for [`SPAN`] more, which are set to zero. Returns the frame, counted from the first of them, at which the true peak rose
    /// last, if it rose: within a span and half the filter.
    pub(super) fn search(&mut self, row: &mut [T], samples: usize) -> Option<usize> {
        let end = self.history() + samples;
        row[end..end + SPAN].fill(T::default());
        let isa = self.isa;
        self.rise = None;
        isa.run(Search { state: self, row: &row[..end + SPAN], samples });
        self.rise.map(|sample| sample / self.channels)
    }
}

/// Search of one row.
pub(super) struct Search<'a, T> {
    state: &'a mut PeakSearch<T>,
    /// History, samples, a span of zeros.
    row: &'a [T],
    samples: usize,
}

/// Thresholds of the search, in all lanes.
#[derive(Clone, Copy)]
struct Thresholds<V> {
    /// Samples up to this yield no new maximum, neither of values nor of samples.
    quiet: V,
    /// Samples up to this are no new maximum.
    sample: V,
    /// Values up to this are no new maximum.
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
    fn scan<S: Simd + Registers<T>>(self, simd: S) {
        let Self { state, row, samples } = self;
        let history = state.history();
        let reach = (REACH - 1) * state.channels;
        let mut thresholds = state.thresholds(simd);
        // Number of following spans that a loud span reaches.
        let mut nearest = 0;
        for start in (0..history + samples).step_by(SPAN) {
            let span: &[T; SPAN] = row[start..].first_chunk().expect("a span of zeros follows");
            let loudest_samples = loudest(simd, span);
            if loudest_samples.any_above(thresholds.quiet) {
                nearest = history / SPAN + 1;
            }
            if start >= history && nearest > 0 {
                if loudest_samples.any_above(thresholds.sample) {
                    state.take_samples(span, start - history);
                    thresholds = state.thresholds(simd);
                }
                let within = &row[start - reach..start + SPAN];
                if state.upper_bound(simd, within) > state.peak * (1.0 - ROUNDING) {
                    let values = state.folded.magnitudes(simd, within, state.channels);
                    if loudest(simd, &values).any_above(thresholds.peak) {
                        state.recompute_exactly(within, start - history, samples);
                        thresholds = state.thresholds(simd);
                    }
                }
            }
            nearest = nearest.saturating_sub(1);
        }
    }
}

impl<T: Real> PeakSearch<T> {
    #[inline(always)]
    fn thresholds<S: Registers<T>>(&self, simd: S) -> Thresholds<S::Vector> {
        let quiet = (self.peak / self.bound.samples * (1.0 - ROUNDING)).min(self.sample_peak);
        Thresholds {
            quiet: simd.splat(T::nearest(quiet)),
            sample: simd.splat(T::nearest(self.sample_peak)),
            peak: simd.splat(T::nearest(self.peak * (1.0 - ROUNDING))),
        }
    }

    /// Upper bound of all values computed from the samples `within`.
    #[inline(always)]
    fn upper_bound<S: Registers<T>>(&self, simd: S, within: &[T]) -> f64 {
        let lanes = S::Vector::LANES;
        let bends = within.len() - 2 * self.channels;
        let (newer, middle, older) = (&within[2 * self.channels..], &within[self.channels..], within);
        let (mut sample, mut bend) = (simd.splat(T::default()), simd.splat(T::default()));
        let minus_two = simd.splat(T::nearest(-2.0));
        let mut at = 0;
        while at < bends {
            // The last vector may repeat some samples.
            let place = at.min(bends - lanes);
            let (new, old) = (simd.load(&newer[place..]), simd.load(&older[place..]));
            bend = bend.max(simd.load(&middle[place..]).mul_add(minus_two, new + old).abs());
            sample = sample.max(new.abs()).max(old.abs());
            at += lanes;
        }
        self.bound.line * sample.largest().into() + self.bound.bend * bend.largest().into()
    }

    /// Takes the samples of the span that begins `at` samples after the first.
    fn take_samples(&mut self, span: &[T; SPAN], at: usize) {
        self.sample_peak = span.iter().fold(self.sample_peak, |m, &x| f64::max(m, x.into().abs()));
        // The samples are interpolated points too, half the filter later.
        self.raise(self.sample_peak, at);
    }

    fn raise(&mut self, peak: f64, at: usize) {
        if peak > self.peak {
            self.peak = peak;
            self.rise = Some(at);
        }
    }

    /// Computes the values of the span at the end of `reach` again, in `f64`. It begins `at` samples after the first of
    /// `samples`, and what lies beyond these does not count.
    #[cold]
    fn recompute_exactly(&mut self, reach: &[T], at: usize, samples: usize) {
        for (wide, &sample) in self.wide.iter_mut().zip(reach) {
            *wide = sample.into();
        }
        let values =
            self.isa.run(ExactMagnitudes { exact: &self.exact, reach: &self.wide, channels: self.channels });
        self.raise(values.iter().take(samples - at).fold(0.0, |m, &y| m.max(y)), at);
    }
}

/// Kernel of [`Folded::magnitudes`].
struct ExactMagnitudes<'a> {
    exact: &'a Folded<f64>,
    reach: &'a [f64],
    channels: usize,
}

impl Kernel for ExactMagnitudes<'_> {
    type Output = [f64; SPAN];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [f64; SPAN] {
        self.exact.magnitudes(simd, self.reach, self.channels)
    }
}

/// Largest magnitudes of a span, per lane.
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

    /// Value of `phase` from twelve samples, newest first.
    fn value(phase: &[f64; REACH], samples: &[f64]) -> f64 {
        phase.iter().zip(samples).map(|(tap, x)| tap * x).sum()
    }

    #[test]
    fn folded_phases_are_the_phases() {
        let samples = noise(1, 11 + SPAN, 1.0);
        for isa in Isa::all() {
            let exact = Folded::new();
            let values = isa.run(ExactMagnitudes { exact: &exact, reach: &samples, channels: 1 });
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
        let bound = OvershootBound::new(phases().iter().map(|phase| &phase[..]));
        let (mut upper_bound, mut closest) = (0.0f64, 0.0f64);
        let mut check = |samples: &[f64]| {
            let largest = samples.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            let bends = samples.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs());
            let close = bound.line * largest + bound.bend * bends.fold(0.0, f64::max);
            for phase in phases() {
                let y = value(&phase, samples).abs();
                assert!(y <= bound.samples * largest && y <= close, "{samples:?}");
                (upper_bound, closest) =
                    (upper_bound.max(y / (bound.samples * largest)), closest.max(y / close));
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
        assert!(upper_bound > 1.0 - 1e-9, "the first bound is sharp: {upper_bound}");
        assert!(closest > 0.99, "a constant nearly reaches the second: {closest}");
        // At twice this bound, dense programme would be interpolated from end to end.
        assert!(bound.line < 1.01 && bound.bend < 0.4, "{bound:?}");
    }
}
