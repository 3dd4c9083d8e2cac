//! Polyphase interpolator for values between samples.

use super::kaiser::{kaiser, sinc};
use simd::{F32Vector, F64Vector, Simd, Vector};

/// Grid points per sample.
pub const PHASES: usize = 8;

/// Samples that a point between samples is computed from.
pub const TAPS: usize = 48;

/// Values of a band-limited signal between its samples, on a grid of eighths.
///
/// A windowed sinc: cut off at half the sampling rate, Kaiser window of [`TAPS`] samples. Its transition band is
/// 0.067 of the rate wide (Kaiser's formula at 54 dB), less than from 20 kHz to the first image of 20 kHz at
/// 44.1 kHz: up to there every point between samples is right within 0.01 dB, and most of what lies above is
/// followed too. Every phase sums to one.
#[derive(Clone, Debug)]
pub struct Interpolator {
    phases: [[f64; TAPS]; PHASES],
    /// The phases 1/4 and 3/4 are mirror images: their sum and difference, and the phase 1/2, folded about the
    /// middle, halve the multiplications.
    even: [f32; TAPS / 2],
    odd: [f32; TAPS / 2],
    half: [f32; TAPS / 2],
    bound: f64,
}

/// Points of a signal at the quarters between up to `N` samples and their successors.
#[derive(Clone, Debug)]
pub struct Quarters<const N: usize> {
    /// At 1/4, 1/2 and 3/4.
    pub at: [[f32; N]; 3],
}

impl Interpolator {
    /// Shape of the Kaiser window.
    const KAISER_BETA: f64 = 5.0;

    /// Interpolator with its coefficients computed.
    pub fn new() -> Self {
        let mut phases = [[0.0; TAPS]; PHASES];
        for (k, phase) in phases.iter_mut().enumerate() {
            for (t, tap) in phase.iter_mut().enumerate() {
                let distance = k as f64 / PHASES as f64 - (t as f64 - (TAPS / 2 - 1) as f64);
                *tap = sinc(distance) * kaiser(distance / (TAPS / 2) as f64, Self::KAISER_BETA);
            }
            let sum: f64 = phase.iter().sum();
            phase.iter_mut().for_each(|tap| *tap /= sum);
        }
        let folded = |a: &[f64; TAPS], sign: f64| {
            core::array::from_fn(|t| (0.5 * (a[t] + sign * a[TAPS - 1 - t])) as f32)
        };
        let (quarter, half) = (&phases[PHASES / 4], &phases[PHASES / 2]);
        let (even, odd, half) = (folded(quarter, 1.0), folded(quarter, -1.0), folded(half, 1.0));
        let sums = phases.iter().map(|phase| phase.iter().map(|tap| tap.abs()).sum());
        let bound = sums.fold(0.0f64, f64::max);
        Self { phases, even, odd, half, bound }
    }

    /// Largest ratio of an interpolated value to the largest sample that it is computed from.
    pub fn bound(&self) -> f64 {
        self.bound
    }

    /// Weights of the samples in the value `phase` eighths after the one before the middle.
    pub fn taps(&self, phase: usize) -> &[f64; TAPS] {
        &self.phases[phase]
    }

    /// Value `phase` eighths after sample `TAPS / 2 - 1` of `window`, which has [`TAPS`] samples.
    #[inline(always)]
    pub fn eighth<S: Simd>(&self, simd: S, phase: usize, window: &[f64]) -> f64 {
        let lanes = F64Vector::<S>::LANES;
        let (taps, window) = (&self.phases[phase], &window[..TAPS]);
        let zero: F64Vector<S> = simd.splat(0.0);
        let mut sums = [zero; 2];
        for t in (0..TAPS).step_by(2 * lanes) {
            sums[0] = simd.load(&window[t..]).mul_add(simd.load(&taps[t..]), sums[0]);
            sums[1] = simd.load(&window[t + lanes..]).mul_add(simd.load(&taps[t + lanes..]), sums[1]);
        }
        let mut numbers = [0.0; 8];
        (sums[0] + sums[1]).store(&mut numbers);
        numbers[..lanes].iter().sum()
    }

    /// Samples that [`quarters`](Self::quarters), [`halves`](Self::halves) and [`sides`](Self::sides) may read beyond
    /// those they need.
    pub const ROOM: usize = 32;

    /// Writes the quarters after sample `i + TAPS / 2 - 1` of `samples` for every `i < frames`; `samples` has
    /// `frames + TAPS - 1` and [`ROOM`](Self::ROOM) more. In single precision: right within a ten-thousandth of a
    /// decibel. A value's bits do not depend on how many are computed at once. Values beyond `frames` are undefined.
    #[inline(always)]
    pub fn quarters<S: Simd, const N: usize>(
        &self,
        simd: S,
        samples: &[f32],
        frames: usize,
        out: &mut Quarters<N>,
    ) {
        let lanes = F32Vector::<S>::LANES;
        let [first, middle, last] = &mut out.at;
        self.halves(simd, samples, frames, middle);
        for at in (0..frames).step_by(lanes) {
            self.sides::<S, 1>(simd, &samples[at..], &mut first[at..], &mut last[at..]);
        }
    }

    /// Writes the middle ones of the [`quarters`](Self::quarters).
    #[inline(always)]
    pub fn halves<S: Simd>(&self, simd: S, samples: &[f32], frames: usize, out: &mut [f32]) {
        let lanes = F32Vector::<S>::LANES;
        let mut at = 0;
        while at < frames {
            if at + 3 * lanes < frames {
                self.some_halves::<S, 4>(simd, &samples[at..], &mut out[at..]);
                at += 4 * lanes;
            } else {
                self.some_halves::<S, 1>(simd, &samples[at..], &mut out[at..]);
                at += lanes;
            }
        }
    }

    /// Writes `V` vectors of [`halves`](Self::halves).
    #[inline(always)]
    fn some_halves<S: Simd, const V: usize>(&self, simd: S, x: &[f32], out: &mut [f32]) {
        let lanes = F32Vector::<S>::LANES;
        let x = &x[..V * lanes + TAPS - 1];
        let mut sums: [F32Vector<S>; V] = [simd.splat(0.0f32); V];
        // In fours: a loop costs as much as a vector.
        for (four, taps) in self.half.as_chunks::<4>().0.iter().enumerate() {
            for (t, tap) in taps.iter().enumerate().map(|(i, tap)| (4 * four + i, simd.splat(*tap))) {
                for v in 0..V {
                    let front: F32Vector<S> = simd.load(&x[v * lanes + t..]);
                    let back = simd.load(&x[v * lanes + TAPS - 1 - t..]);
                    sums[v] = (front + back).mul_add(tap, sums[v]);
                }
            }
        }
        for v in 0..V {
            sums[v].store(&mut out[v * lanes..]);
        }
    }

    /// Writes the outer ones, at 1/4 and 3/4, of the first `V` vectors of [`quarters`](Self::quarters).
    #[inline(always)]
    pub fn sides<S: Simd, const V: usize>(
        &self,
        simd: S,
        samples: &[f32],
        first: &mut [f32],
        last: &mut [f32],
    ) {
        let lanes = F32Vector::<S>::LANES;
        let x = &samples[..V * lanes + TAPS - 1];
        let zero: F32Vector<S> = simd.splat(0.0f32);
        let (mut even, mut odd) = ([zero; V], [zero; V]);
        for t in 0..TAPS / 2 {
            let (tap_even, tap_odd) = (simd.splat(self.even[t]), simd.splat(self.odd[t]));
            for v in 0..V {
                let front: F32Vector<S> = simd.load(&x[v * lanes + t..]);
                let back = simd.load(&x[v * lanes + TAPS - 1 - t..]);
                even[v] = (front + back).mul_add(tap_even, even[v]);
                odd[v] = (front - back).mul_add(tap_odd, odd[v]);
            }
        }
        for v in 0..V {
            (even[v] + odd[v]).store(&mut first[v * lanes..]);
            (even[v] - odd[v]).store(&mut last[v * lanes..]);
        }
    }
}

impl Default for Interpolator {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::f64::consts::PI;
    use simd::{Isa, Kernel};
    use testkit::noise;

    /// [`Interpolator::eighth`] as a kernel.
    struct Eighth<'a>(&'a Interpolator, usize, &'a [f64]);

    impl Kernel for Eighth<'_> {
        type Output = f64;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> f64 {
            self.0.eighth(simd, self.1, self.2)
        }
    }

    /// [`Interpolator::quarters`] as a kernel.
    struct QuartersKernel<'a>(&'a Interpolator, &'a [f32], usize);

    impl Kernel for QuartersKernel<'_> {
        type Output = Quarters<32>;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Quarters<32> {
            let mut out = Quarters { at: [[0.0; 32]; 3] };
            self.0.quarters(simd, self.1, self.2, &mut out);
            out
        }
    }

    fn eighth(interpolator: &Interpolator, phase: usize, window: &[f64]) -> f64 {
        Isa::widest().run(Eighth(interpolator, phase, window))
    }

    fn tone(frequency: f64, phase: f64, frames: usize) -> Vec<f64> {
        (0..frames).map(|i| (2.0 * PI * frequency * i as f64 + phase).cos()).collect()
    }

    /// The largest error against the tone itself, over all phases, in dB of full scale.
    fn error(frequency: f64) -> f64 {
        let interpolator = Interpolator::new();
        let mut worst = 0.0f64;
        for phase in 0..PHASES {
            for step in 0..50 {
                let start = f64::from(step) * 0.1257;
                let window = tone(frequency, start, TAPS);
                let at = (TAPS / 2 - 1) as f64 + phase as f64 / PHASES as f64;
                let truth = (2.0 * PI * frequency * at + start).cos();
                worst = worst.max((eighth(&interpolator, phase, &window) - truth).abs());
            }
        }
        20.0 * worst.log10()
    }

    #[test]
    fn follows_tones_to_twenty_kilohertz_at_every_rate() {
        for (frequency, limit) in [(0.01, -65.0), (0.25, -73.0), (20.0 / 48.0, -66.0), (20.0 / 44.1, -72.0)] {
            assert!(error(frequency) < limit, "{frequency}: {} dB", error(frequency));
        }
    }

    #[test]
    fn passes_the_samples_themselves_and_constants() {
        let interpolator = Interpolator::new();
        let window = noise(1, TAPS, 1.0);
        assert!((eighth(&interpolator, 0, &window) - window[TAPS / 2 - 1]).abs() < 1e-15);
        for phase in 0..PHASES {
            assert!((eighth(&interpolator, phase, &[0.7; TAPS]) - 0.7).abs() < 1e-15);
        }
    }

    #[test]
    fn folded_quarters_equal_the_plain_phases_whatever_the_count() {
        let interpolator = Interpolator::new();
        let samples = noise(2, 32 + TAPS - 1 + Interpolator::ROOM, 1.0);
        let singles: Vec<f32> = samples.iter().map(|&x| x as f32).collect();
        for isa in Isa::all() {
            let whole = isa.run(QuartersKernel(&interpolator, &singles, 32));
            for i in 0..32 {
                let few = isa.run(QuartersKernel(&interpolator, &singles[i..], 1 + i % 3));
                for quarter in 0..3 {
                    let plain = isa.run(Eighth(&interpolator, 2 * (quarter + 1), &samples[i..]));
                    assert!((f64::from(whole.at[quarter][i]) - plain).abs() < 2e-6, "{isa:?}");
                    assert_eq!(whole.at[quarter][i], few.at[quarter][0], "{isa:?}");
                }
            }
            for phase in 0..PHASES {
                let taps = &interpolator.phases[phase];
                let plain: f64 = taps.iter().zip(&samples).map(|(tap, x)| tap * x).sum();
                let got = isa.run(Eighth(&interpolator, phase, &samples));
                assert!((got - plain).abs() < 1e-14, "{isa:?}: {got} {plain}");
            }
        }
    }

    #[test]
    fn nothing_exceeds_the_bound() {
        let interpolator = Interpolator::new();
        for phase in 0..PHASES {
            let worst: Vec<f64> = interpolator.phases[phase].iter().map(|tap| tap.signum()).collect();
            assert!(eighth(&interpolator, phase, &worst) <= interpolator.bound() * (1.0 + 1e-12));
        }
        assert!(interpolator.bound() > 1.0 && interpolator.bound() < 4.0, "{}", interpolator.bound());
    }
}
