//! Cross-correlation of a stem with a residual over all delays, at a reduced sampling rate.

use fourier::Complex;
use fourier::{ComplexToReal, RealToComplex};
use std::sync::Arc;
use units::Hz;

/// Least sampling rate of a scan.
const MIN_RATE: f64 = 22_050.0;
/// Share of the stem's greatest energy that is added to its energy at every delay: where it hardly sounds, it
/// explains nothing.
const ENERGY_FLOOR: f64 = 0.02;
/// Distance between two peaks, seconds.
const GUARD_SECONDS: f64 = 0.003;

/// Plan of all scans of a scene.
pub(super) struct ScanPlan {
    /// Frames of the scene per frame of the scan.
    pub(super) step: usize,
    frames: usize,
    reach: usize,
    guard: usize,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
}

/// A stem, prepared for scans: spectrum of both sides, and energy within the scene at every delay.
pub(super) struct ScanStem {
    spectra: [Vec<Complex<f32>>; 2],
    energies: [Vec<f32>; 2],
}

/// Result of a scan: energy that the stem explains at every delay from `-reach` to `reach`.
pub(super) struct Scan {
    explained: Vec<f32>,
    reach: usize,
    guard: usize,
}

impl ScanPlan {
    pub(super) fn new(rate: Hz, frames: usize, reach: usize) -> Self {
        let step = ((rate.0 / MIN_RATE) as usize).max(1);
        let (frames, reach) = (frames / step, reach / step);
        let length = fft_length(frames + 2 * reach + 1);
        Self {
            step,
            frames,
            reach,
            guard: (GUARD_SECONDS * rate.0) as usize / step,
            forward: fourier::forward(length),
            inverse: fourier::inverse(length),
        }
    }

    /// Means of `step` frames each.
    fn reduce(&self, samples: &[f32], frames: usize) -> Vec<f32> {
        let mut time = self.forward.make_input_vec();
        let scale = 1.0 / self.step as f32;
        for (reduced, part) in time.iter_mut().zip(samples.chunks_exact(self.step)).take(frames) {
            *reduced = part.iter().sum::<f32>() * scale;
        }
        time
    }

    fn spectrum(&self, mut time: Vec<f32>) -> Vec<Complex<f32>> {
        let mut spectrum = self.forward.make_output_vec();
        self.forward.process(&mut time, &mut spectrum).expect("buffers were made by the plan");
        spectrum
    }

    /// Prepares a stem: audio of the scene with `reach` frames on either side.
    pub(super) fn prepare(&self, audio: &[Vec<f32>; 2]) -> ScanStem {
        let sides = audio.each_ref().map(|side| {
            let time = self.reduce(side, self.frames + 2 * self.reach);
            // energy of the frames that meet the scene, by their first frame
            let mut sum: f64 = time[..self.frames].iter().map(|x| f64::from(x * x)).sum();
            let energies: Vec<f32> = (0..=2 * self.reach)
                .map(|first| {
                    let here = sum.max(0.0) as f32;
                    sum += f64::from(time[first + self.frames]).powi(2) - f64::from(time[first]).powi(2);
                    here
                })
                .collect();
            (self.spectrum(time), energies)
        });
        let [(left, left_energies), (right, right_energies)] = sides;
        ScanStem { spectra: [left, right], energies: [left_energies, right_energies] }
    }

    /// Returns the spectra of a residual, both sides.
    pub(super) fn residual(&self, residual: &[Vec<f32>; 2]) -> [Vec<Complex<f32>>; 2] {
        residual.each_ref().map(|side| self.spectrum(self.reduce(side, self.frames)))
    }

    /// Scans `stem` in a residual.
    pub(super) fn scan(&self, stem: &ScanStem, residual: &[Vec<Complex<f32>>; 2]) -> Scan {
        let mut explained = vec![0.0f32; 2 * self.reach + 1];
        let scale = 1.0 / self.forward.len() as f32;
        let greatest = stem.energies.iter().flatten().fold(0.0f32, |most, energy| most.max(*energy));
        for side in 0..2 {
            let products = residual[side].iter().zip(&stem.spectra[side]);
            let mut spectrum: Vec<Complex<f32>> = products.map(|(r, y)| r.conj() * y).collect();
            spectrum[0].im = 0.0;
            if let Some(nyquist) = spectrum.last_mut().filter(|_| self.forward.len().is_multiple_of(2)) {
                nyquist.im = 0.0;
            }
            let mut time = self.inverse.make_output_vec();
            self.inverse.process(&mut spectrum, &mut time).expect("buffers were made by the plan");
            let floor = ENERGY_FLOOR as f32 * greatest + f32::MIN_POSITIVE;
            // the stem's first frame that meets the scene is `reach - delay`
            for (k, explained) in explained.iter_mut().rev().enumerate() {
                let correlation = time[k] * scale;
                *explained += correlation * correlation / (stem.energies[side][k] + floor);
            }
        }
        Scan { explained, reach: self.reach, guard: self.guard }
    }
}

impl Scan {
    /// Delay with the most energy, in frames of the scan, and that energy.
    pub(super) fn best(&self) -> (i64, f64) {
        self.best_outside(&[])
    }

    /// The same at a distance from `taken`.
    pub(super) fn best_outside(&self, taken: &[i64]) -> (i64, f64) {
        let free = |delay: i64| taken.iter().all(|other| other.abs_diff(delay) as usize > self.guard);
        let delays = self.explained.iter().enumerate().map(|(i, x)| (i as i64 - self.reach as i64, *x));
        let best = delays.filter(|(delay, _)| free(*delay)).max_by(|a, b| a.1.total_cmp(&b.1));
        best.map_or((0, 0.0), |(delay, x)| (delay, f64::from(x)))
    }

    /// Most energy near `delay`, frames of the scan.
    pub(super) fn near(&self, delay: i64) -> f64 {
        let at = |delay: i64| {
            let index = usize::try_from(delay + self.reach as i64).ok()?;
            self.explained.get(index).map(|x| f64::from(*x))
        };
        (delay - 1..=delay + 1).filter_map(at).fold(0.0, f64::max)
    }

    /// Median energy over all delays: chance.
    pub(super) fn chance(&self) -> f64 {
        let mut sorted = self.explained.clone();
        let middle = sorted.len() / 2;
        f64::from(*sorted.select_nth_unstable_by(middle, f32::total_cmp).1)
    }
}

/// Next length with small prime factors.
fn fft_length(least: usize) -> usize {
    let smooth = |mut n: usize| {
        for factor in [2, 3, 5] {
            while n.is_multiple_of(factor) {
                n /= factor;
            }
        }
        n == 1
    };
    (least..).find(|n| n.is_multiple_of(2) && smooth(*n)).unwrap_or(least)
}
