//! Overlapping spectra of a stream, and overlap-add back.

use fourier::Complex;
use fourier::{ComplexToReal, RealToComplex};
use std::sync::Arc;

/// SpectrumBin of a spectrum, in single precision; see [`super::Denoise`] for its error.
pub(super) type SpectrumBin = Complex<f32>;

/// Hops per window.
pub(super) const OVERLAP: usize = 4;

/// Transforms and windows that both channels share.
pub(super) struct Transforms {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    scratch: Vec<SpectrumBin>,
    work: Vec<f32>,
    /// Periodic Hann.
    analysis: Vec<f32>,
    /// Periodic Hann, scaled so that four overlapping squares and the transforms give one.
    synthesis: Vec<f32>,
}

impl Transforms {
    pub(super) fn new(size: usize) -> Self {
        let (forward, inverse) = (fourier::forward(size), fourier::inverse(size));
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        let hann = |i: usize| 0.5 - 0.5 * (core::f64::consts::TAU * i as f64 / size as f64).cos();
        let unity = 1.0 / (1.5 * size as f64);
        Self {
            forward,
            inverse,
            scratch: vec![SpectrumBin::default(); scratch],
            work: vec![0.0; size],
            analysis: (0..size).map(|i| hann(i) as f32).collect(),
            synthesis: (0..size).map(|i| (hann(i) * unity) as f32).collect(),
        }
    }

    /// Sum of the squares of the analysis window: the power of a bin in white noise of power one.
    pub(super) fn noise_gain(&self) -> f64 {
        self.analysis.iter().map(|w| f64::from(w * w)).sum()
    }
}

/// One channel: the last window of input, its spectrum, and the overlap-add of the processed spectra.
pub(super) struct OverlapAdd {
    input: Vec<f32>,
    output: Vec<f32>,
    pub(super) spectrum: Vec<SpectrumBin>,
}

impl OverlapAdd {
    pub(super) fn new(size: usize) -> Self {
        Self {
            input: vec![0.0; size],
            output: vec![0.0; size],
            spectrum: vec![SpectrumBin::default(); size / 2 + 1],
        }
    }

    pub(super) fn reset(&mut self) {
        self.input.fill(0.0);
        self.output.fill(0.0);
    }

    fn hop(&self) -> usize {
        self.input.len() / OVERLAP
    }

    /// Takes samples `at` frames after the last hop.
    pub(super) fn push(&mut self, at: usize, samples: &[f64]) {
        let start = self.input.len() - self.hop() + at;
        for (to, &sample) in self.input[start..start + samples.len()].iter_mut().zip(samples) {
            // Beyond this squares would overflow; NaN is kept out, too.
            *to = if sample.abs() < 1e9 { sample as f32 } else { 0.0 };
        }
    }

    /// Output for the samples one window before those pushed at the same place.
    pub(super) fn output(&self, at: usize, count: usize) -> &[f32] {
        &self.output[at..at + count]
    }

    /// Transforms the last window.
    pub(super) fn analyse(&mut self, transforms: &mut Transforms) {
        let Transforms { forward, scratch, work, analysis, .. } = transforms;
        for ((work, sample), window) in work.iter_mut().zip(&self.input).zip(&*analysis) {
            *work = sample * window;
        }
        if forward.process_with_scratch(work, &mut self.spectrum, scratch).is_err() {
            self.spectrum.fill(SpectrumBin::default()); // cannot be: all lengths are the plan's
        }
    }

    /// Adds the spectrum to the output.
    pub(super) fn synthesize(&mut self, transforms: &mut Transforms) {
        let Transforms { inverse, scratch, work, synthesis, .. } = transforms;
        // The first and the last bin of a real signal are real.
        let last = self.spectrum.len() - 1;
        (self.spectrum[0].im, self.spectrum[last].im) = (0.0, 0.0);
        if inverse.process_with_scratch(&mut self.spectrum, work, scratch).is_err() {
            return; // cannot be: all lengths are the plan's
        }
        for ((sum, sample), window) in self.output.iter_mut().zip(&*work).zip(&*synthesis) {
            *sum += sample * window;
        }
    }

    /// Removes the oldest hop of the output.
    pub(super) fn advance_output(&mut self) {
        let (size, hop) = (self.output.len(), self.hop());
        self.output.copy_within(hop.., 0);
        self.output[size - hop..].fill(0.0);
    }

    /// Makes room for the next hop of input.
    pub(super) fn advance_input(&mut self) {
        let hop = self.hop();
        self.input.copy_within(hop.., 0);
    }
}
