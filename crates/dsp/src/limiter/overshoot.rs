//! True-peak detector of the limiter: overshoot of the peak around each sample over the ceiling.
//!
//! True peak as in ITU-R BS.1770-5, Annex 2 (the largest magnitude of the interpolated waveform), on a grid of eighths instead
//! of quarters where it matters, with a parabola through the three highest points.

use crate::Ramp;
use crate::decibels::levels;
use crate::delay::RUN;
use crate::oversample::{Interpolator, PHASES, TAPS};
use crate::primitives::history::HistoryBuffer;
use simd::{Registers, Simd, Vector};

/// Largest ratio of a peak to the quarters beside it: 1 / cos(pi / 8) for any signal below half the sampling rate
/// (BS.1770-5, Annex 2, Attachment 1: under-read of an oversampled peak), and a margin for the interpolator.
const QUARTER_PEAK_RATIO: f64 = 1.1;

/// The same for halves: 1 / cos(pi / 4), and a margin.
const HALF_PEAK_RATIO: f64 = 1.5;

/// Magnitude to which samples are clamped: far beyond [`MAX_OVERSHOOT`], and its square is finite.
const MAX_MAGNITUDE: f64 = 1e12;

/// Largest overshoot in dB, and so the largest reduction.
const MAX_OVERSHOOT: f64 = 160.0;

/// Frames examined together: skipped where they and those around them are quiet.
const STRETCH: usize = 32;

/// Overshoot of up to [`RUN`] frames in dB, zero below the ceiling.
pub(super) type OvershootBlock = [f64; RUN];

/// Overshoot detector of one channel.
#[derive(Clone, Debug)]
pub(super) struct OvershootDetector {
    samples: HistoryBuffer<f64>,
    /// The same in single precision.
    singles: HistoryBuffer<f32>,
    levels: Box<OvershootBlock>,
    /// True if any of them is not zero.
    any: bool,
    overshoots: Box<Overshoots>,
}

impl OvershootDetector {
    pub(super) fn new() -> Self {
        let overshoots = Box::new(Overshoots { found: [1.0; RUN + 1], at: [0; RUN + 1], count: 0 });
        Self {
            samples: HistoryBuffer::new(TAPS),
            singles: HistoryBuffer::new(TAPS),
            levels: Box::new([0.0; RUN]),
            any: false,
            overshoots,
        }
    }

    pub(super) fn reset(&mut self) {
        self.samples.reset();
        self.singles.reset();
        self.levels.fill(0.0);
        self.any = false;
    }

    /// Overshoot of the last frames in dB; undefined behind them.
    pub(super) fn levels(&self) -> &OvershootBlock {
        &self.levels
    }

    /// Finds the overshoots over `ceiling` (linear) of `audio` times `drive`. True if there are any.
    #[inline(always)]
    pub(super) fn detect<S: Simd>(
        &mut self,
        simd: S,
        interpolator: &Interpolator,
        audio: &[f64],
        drive: &Ramp,
        ceiling: f64,
    ) -> bool {
        self.take(audio, drive);
        if self.any {
            self.levels.fill(0.0);
        }
        let known = TAPS + audio.len();
        let (samples, singles, overshoots) =
            (self.samples.recent(known), self.singles.recent(known), &mut *self.overshoots);
        overshoots.count = 0;
        let loudest = loudest(simd, singles, known);
        for from in (0..audio.len()).step_by(STRETCH) {
            let around = &loudest[from / BLOCK..][..(TAPS + STRETCH) / BLOCK];
            let most = around.iter().fold(0.0, |most, &x| if x > most { x } else { most });
            if f64::from(most) * interpolator.bound() > ceiling {
                let end = TAPS + audio.len().min(from + STRETCH);
                overshoots.find(simd, interpolator, &samples[from..end], &singles[from..], from, ceiling);
            }
        }
        self.any = overshoots.count > 0;
        if !self.any {
            return false;
        }
        // Whole registers of them.
        let squares = &mut overshoots.found[..overshoots.count.next_multiple_of(8).min(RUN)];
        levels(simd, squares);
        for (level, at) in squares[..overshoots.count].iter().zip(overshoots.at) {
            self.levels[at] = if *level < MAX_OVERSHOOT { *level } else { MAX_OVERSHOOT };
        }
        true
    }

    /// Appends `audio` times `drive` to the history; samples that are not finite become zero.
    #[inline(always)]
    fn take(&mut self, audio: &[f64], drive: &Ramp) {
        let driven = self.samples.grow(audio.len());
        match drive.resting() {
            Some(drive) => {
                for (driven, sample) in driven.iter_mut().zip(audio) {
                    *driven = sample * drive;
                }
            }
            None => {
                for (i, (driven, sample)) in driven.iter_mut().zip(audio).enumerate() {
                    *driven = sample * drive.at(i);
                }
            }
        }
        for (driven, single) in driven.iter_mut().zip(self.singles.grow(audio.len())) {
            let finite = if driven.abs() < f64::INFINITY { *driven } else { 0.0 };
            let below = if finite < MAX_MAGNITUDE { finite } else { MAX_MAGNITUDE };
            *driven = if below > -MAX_MAGNITUDE { below } else { -MAX_MAGNITUDE };
            *single = *driven as f32;
        }
    }
}

/// Samples that share a maximum.
const BLOCK: usize = 16;

/// Largest magnitude of each [`BLOCK`] of the last [`TAPS`] samples and those of a run.
type Loudest = [f32; (TAPS + RUN) / BLOCK];

/// The [`Loudest`] of `count` samples; those behind them up to the end of a block may count, too.
#[inline(always)]
fn loudest<S: Simd>(simd: S, samples: &[f32], count: usize) -> Loudest {
    let lanes = <S as Registers<f32>>::Vector::LANES;
    let mut loudest = [0.0; (TAPS + RUN) / BLOCK];
    let blocks = samples.as_chunks::<BLOCK>().0;
    for (loudest, block) in loudest.iter_mut().zip(&blocks[..count.div_ceil(BLOCK)]) {
        let mut most: <S as Registers<f32>>::Vector = simd.splat(0.0f32);
        for part in block.chunks_exact(lanes) {
            most = simd.load(part).abs().max(most);
        }
        *loudest = most.largest();
    }
    loudest
}

/// Overshoots of a run; undefined behind `count`.
#[derive(Clone, Debug)]
struct Overshoots {
    /// Squares of the peaks relative to the ceiling.
    found: [f64; RUN + 1],
    /// Their frames.
    at: [usize; RUN + 1],
    count: usize,
}

impl Overshoots {
    /// Interpolates halves everywhere, quarters where a peak may exceed the ceiling, eighths beside such a peak. `samples` are
    /// [`TAPS`] past ones, then up to [`STRETCH`] whose first is frame `from`; `singles` the same, and more.
    #[inline(always)]
    fn find<S: Simd>(
        &mut self,
        simd: S,
        interpolator: &Interpolator,
        samples: &[f64],
        singles: &[f32],
        from: usize,
        ceiling: f64,
    ) {
        let frames = samples.len() - TAPS;
        let lanes = <S as Registers<f32>>::Vector::LANES;
        let mut halves = [0.0f32; STRETCH];
        interpolator.halves(simd, &singles[1..], frames, &mut halves);
        // A little lower, for single precision.
        let limit = |ratio: f64| (ceiling * (0.9999 / ratio)) as f32;
        let (low, high) = (limit(HALF_PEAK_RATIO), limit(QUARTER_PEAK_RATIO));
        let (half, quarter): (<S as Registers<f32>>::Vector, _) = (simd.splat(low), simd.splat(high));
        let own = singles[TAPS / 2..].chunks_exact(lanes).zip(singles[TAPS / 2 + 1..].chunks_exact(lanes));
        let groups = own.zip(halves.chunks_exact(lanes)).zip((0..frames).step_by(lanes));
        for (((own, next), middle), at) in groups {
            let points = simd.load(own).abs().max(simd.load(middle).abs());
            let around = points.max(simd.load(next).abs());
            if !around.any_above(half) {
                continue;
            }
            let (mut first, mut last) = ([0.0; 16], [0.0; 16]);
            interpolator.sides::<S, 1>(simd, &singles[1 + at..], &mut first, &mut last);
            let points = points.max(simd.load(&first).abs()).max(simd.load(&last).abs());
            if !points.any_above(quarter) {
                continue;
            }
            let (mut highest, mut halfway) = ([0.0f32; 16], [0.0f32; 16]);
            points.store(&mut highest);
            around.store(&mut halfway);
            for i in 0..lanes.min(frames - at) {
                // Each by its own points: its neighbours in the register must not matter.
                if !(highest[i] > high && halfway[i] > low) {
                    continue;
                }
                let window = &samples[at + i..at + i + 1 + TAPS];
                let sides = [window[TAPS / 2], window[TAPS / 2 + 1]];
                let points = [sides[0], first[i].into(), middle[i].into(), last[i].into(), sides[1]];
                let peak = true_peak(simd, interpolator, window, &points, ceiling);
                // Written always, kept if it counts.
                self.found[self.count] = (peak / ceiling).powi(2);
                self.at[self.count] = from + at + i;
                self.count += usize::from(peak > ceiling);
            }
        }
    }
}

/// Largest magnitude of the waveform from a sample to just before the next, given the quarters from the sample to the next:
/// eighths around the largest quarter, and the vertex of the parabola through the highest three. `window`: the samples that the
/// eighths of the sample before (from its first) and of this one (from its second) are computed from.
#[inline(always)]
fn true_peak<S: Simd>(
    simd: S,
    interpolator: &Interpolator,
    window: &[f64],
    points: &[f64; 5],
    ceiling: f64,
) -> f64 {
    let mut highest = 0.0f64;
    for k in 0..4 {
        let (middle, right) = (points[k], points[k + 1]);
        let size = middle.abs();
        if size > highest {
            highest = size;
        }
        if size <= right.abs() || size * QUARTER_PEAK_RATIO <= ceiling {
            continue;
        }
        let left = match k {
            0 => interpolator.eighth(simd, PHASES - 2, &window[..TAPS]),
            _ => points[k - 1],
        };
        if size < left.abs() {
            continue;
        }
        let sign = middle.signum();
        let earlier = match k {
            0 => interpolator.eighth(simd, PHASES - 1, &window[..TAPS]),
            _ => interpolator.eighth(simd, 2 * k - 1, &window[1..]),
        };
        let later = interpolator.eighth(simd, 2 * k + 1, &window[1..]);
        let y = [left * sign, earlier * sign, middle * sign, later * sign, right * sign];
        let top = if y[1] > y[2] && y[1] >= y[3] {
            1
        } else if y[3] > y[2] {
            3
        } else {
            2
        };
        let (slope, bend) = (y[top + 1] - y[top - 1], 2.0 * y[top] - y[top + 1] - y[top - 1]);
        let vertex = if bend > 0.0 { y[top] + slope * slope / (8.0 * bend) } else { y[top] };
        if vertex > highest {
            highest = vertex;
        }
    }
    highest
}

#[cfg(test)]
mod tests {
    use super::*;
    use simd::{Isa, Kernel};
    use testkit::noise;
    use testkit::{below, scaled, sine};
    use units::decibels;

    struct Detect<'a>(&'a mut OvershootDetector, &'a Interpolator, &'a [f64], f64);

    impl Kernel for Detect<'_> {
        type Output = bool;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> bool {
            self.0.detect(simd, self.1, self.2, &Ramp::new(1.0), self.3)
        }
    }

    /// Every peak, wherever it is, in double precision.
    struct Plainly<'a>(&'a Interpolator, &'a [f64], f64);

    impl Kernel for Plainly<'_> {
        type Output = f64;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> f64 {
            let Self(interpolator, window, ceiling) = self;
            let quarter = |k: usize| interpolator.eighth(simd, 2 * k, &window[1..]);
            let points = [window[TAPS / 2], quarter(1), quarter(2), quarter(3), window[TAPS / 2 + 1]];
            true_peak(simd, interpolator, window, &points, ceiling)
        }
    }

    #[test]
    fn no_peak_is_missed_for_what_is_not_looked_at() {
        let interpolator = Interpolator::new();
        let ceiling = 0.5;
        let square =
            |frequency| sine(frequency, 0.1, 48_000.0, 6000).iter().map(|x| x.signum()).collect::<Vec<f64>>();
        let signals = [
            scaled(below(&noise(1, 6000, 1.0), 20_000.0, 48_000.0), 1.0),
            scaled(below(&noise(2, 6000, 1.0), 20_000.0, 48_000.0), 0.55),
            sine(12_000.0, core::f64::consts::FRAC_PI_4, 48_000.0, 6000).iter().map(|x| 0.51 * x).collect(),
            sine(40.0, 0.0, 48_000.0, 6000),
            square(997.0).iter().map(|x| 0.48 * x).collect(),
        ];
        for signal in &signals {
            let mut padded = vec![0.0; TAPS];
            padded.extend(signal);
            for isa in Isa::all() {
                let plain: Vec<f64> = (0..signal.len())
                    .map(|i| {
                        decibels(isa.run(Plainly(&interpolator, &padded[i..=i + TAPS], ceiling)) / ceiling)
                    })
                    .collect();
                for cut in [RUN, 32, 5] {
                    let mut detector = OvershootDetector::new();
                    let mut found = Vec::new();
                    for part in signal.chunks(cut) {
                        let any = isa.run(Detect(&mut detector, &interpolator, part, ceiling));
                        let levels = &detector.levels()[..part.len()];
                        assert_eq!(any, levels.iter().any(|&level| level > 0.0));
                        found.extend_from_slice(levels);
                    }
                    assert!(found.iter().any(|&level| level > 0.0));
                    for (i, (found, plain)) in found.iter().zip(&plain).enumerate() {
                        let missed = plain.max(0.0) - found;
                        assert!(missed.abs() < 1e-4, "{isa:?}, frame {i}: {found} for {plain} dB");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_number_is_silence_and_what_is_huge_is_the_deepest() {
        let interpolator = Interpolator::new();
        for (sample, wanted) in
            [(f64::NAN, 0.0), (f64::INFINITY, 0.0), (1e300, MAX_OVERSHOOT), (-1e39, MAX_OVERSHOOT)]
        {
            let mut detector = OvershootDetector::new();
            let mut most = 0.0f64;
            for part in [[sample; 3], [0.0; 3], [0.0; 3]].concat().chunks(3).chain([&[0.0; 60][..]]) {
                Isa::widest().run(Detect(&mut detector, &interpolator, part, 0.9));
                most = detector.levels()[..part.len()].iter().copied().fold(most, f64::max);
            }
            assert_eq!(most, wanted, "{sample}");
        }
    }
}
