//! The low-pass of the LFE channel: linear in phase, so that what it sends stays in step with the speakers.

use std::sync::Arc;

use fourier::Complex;
use fourier::{ComplexToReal, RealToComplex};

use dsp::kaiser::{kaiser, sinc};
use units::Hz;

/// Taps of the filter. Windowed by Kaiser with [`BETA`] it falls by 80 dB within 60 Hz at 48 kHz.
const TAPS: usize = 4097;
/// Kaiser's shape parameter, for 80 dB.
const BETA: f64 = 7.9;
/// Frames processed at once.
pub(super) const BLOCK: usize = 4096;
/// A block and the tail of the filter.
const SIZE: usize = BLOCK + TAPS - 1;
/// Frames by which the output is late.
pub(super) const LATENCY: usize = (TAPS - 1) / 2;

/// A linear-phase low-pass, -6 dB at its corner, by overlap-add. Latency: [`LATENCY`].
pub(super) struct LowPass {
    forward: Arc<dyn RealToComplex<f64>>,
    backward: Arc<dyn ComplexToReal<f64>>,
    response: Vec<Complex<f64>>,
    time: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    tail: Vec<f64>,
}

impl LowPass {
    /// A filter at its start.
    pub(super) fn new(corner: Hz, rate: Hz) -> Self {
        let forward = fourier::forward(SIZE);
        let backward = fourier::inverse(SIZE);
        let mut time = forward.make_input_vec();
        let mut response = forward.make_output_vec();
        time[..TAPS].copy_from_slice(&taps(corner.0 / rate.0));
        forward.process(&mut time, &mut response).expect("buffers are the plan's own");
        response.iter_mut().for_each(|bin| *bin /= SIZE as f64);
        let spectrum = forward.make_output_vec();
        Self { forward, backward, response, time, spectrum, tail: vec![0.0; TAPS - 1] }
    }

    /// The next [`BLOCK`] frames, in place.
    pub(super) fn process(&mut self, block: &mut [f64]) {
        assert_eq!(block.len(), BLOCK, "whole blocks");
        self.time[..BLOCK].copy_from_slice(block);
        self.time[BLOCK..].fill(0.0);
        self.forward.process(&mut self.time, &mut self.spectrum).expect("buffers are the plan's own");
        self.spectrum.iter_mut().zip(&self.response).for_each(|(bin, r)| *bin *= r);
        // Without imaginary parts where a real signal has none; the transform insists.
        self.spectrum[0].im = 0.0;
        if let Some(last) = self.spectrum.last_mut() {
            last.im = 0.0;
        }
        self.backward.process(&mut self.spectrum, &mut self.time).expect("buffers are the plan's own");
        for (out, (x, tail)) in block.iter_mut().zip(self.time.iter().zip(&self.tail)) {
            *out = x + tail;
        }
        self.tail.copy_from_slice(&self.time[BLOCK..]);
    }
}

/// The windowed sinc, one in sum; `corner` is a part of the sampling rate.
fn taps(corner: f64) -> Vec<f64> {
    let middle = LATENCY as f64;
    let mut taps: Vec<f64> = (0..TAPS)
        .map(|i| {
            let x = i as f64 - middle;
            2.0 * corner * sinc(2.0 * corner * x) * kaiser(x / middle, BETA)
        })
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.iter_mut().for_each(|tap| *tap /= sum);
    taps
}

#[cfg(test)]
mod tests {
    use super::*;
    use units::decibels;

    /// Gain of a tone in phase and in quadrature, relative to the ideal delay.
    fn response(frequency: f64) -> (f64, f64) {
        let mut filter = LowPass::new(Hz(120.0), Hz(48_000.0));
        let step = std::f64::consts::TAU * frequency / 48_000.0;
        let mut audio: Vec<f64> = (0..20 * BLOCK).map(|i| (step * i as f64).cos()).collect();
        audio.chunks_mut(BLOCK).for_each(|block| filter.process(block));
        // Whole periods of every whole frequency, well inside.
        let start = 24_000;
        let (mut re, mut im) = (0.0, 0.0);
        for i in start..start + 48_000 {
            let phase = step * (i as f64 - LATENCY as f64);
            re += audio[i] * phase.cos() / 24_000.0;
            im += audio[i] * phase.sin() / 24_000.0;
        }
        (re, im)
    }

    #[test]
    fn lows_pass_in_step_and_highs_do_not() {
        for frequency in [20.0, 40.0, 60.0, 80.0] {
            let (re, im) = response(frequency);
            assert!((re - 1.0).abs() < 1e-3 && im.abs() < 1e-9, "{frequency} Hz: {re} {im}");
        }
        let (at_corner, _) = response(120.0);
        assert!((decibels(at_corner) + 6.02).abs() < 0.05, "{at_corner}");
        for frequency in [155.0, 200.0, 1000.0, 12_000.0] {
            let (re, im) = response(frequency);
            assert!(re.hypot(im) < 1.2e-4, "{frequency} Hz: {re} {im}");
        }
    }
}
