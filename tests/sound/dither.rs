//! Spectra of the noise of dither.

use dsp::Process;
use dsp::dither::{Dither, Quantizer};
use testkit::{sine, spectrum};
use units::Hz;

use crate::figure::{Figure, hold};
use crate::rig::run::RunUnit;
use testkit::Stereo;

/// Published error feedback for 44.1 kHz (Lipshitz, Vanderkooy & Wannamaker, "Minimally Audible Noise Shaping", JAES
/// 39(11), 1991): the noise is what white noise is after 1 - sum of `SHAPE[k] z^-(k+1)`.
const SHAPE: [f64; 5] = [2.033, -2.165, 1.959, -1.590, 0.6149];

/// Error feedback for higher rates, (1 - z^-1)^2.
const HIGH_RATE_SHAPE: [f64; 5] = [2.0, -1.0, 0.0, 0.0, 0.0];

/// Errors of a quantized sine, in steps.
fn errors(rate: f64, dither: Dither, frames: usize) -> Vec<f64> {
    let steps = if dither == Dither::Bits24 { f64::from(1 << 23) } else { f64::from(1 << 15) };
    let tone: Vec<f64> = sine(997.0, 0.4, rate, frames).iter().map(|x| 0.3 * x).collect();
    let mut quantizer = Quantizer::new(Hz(rate));
    quantizer.set(&dither);
    let mut output = Stereo::mono(tone.clone());
    output.run(&mut quantizer, 0..frames);
    output.left.iter().zip(&tone).map(|(y, x)| (y - x) * steps).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Mean power of the error per bin, in parts of a step squared: that of white noise is its variance.
pub(super) fn error_spectrum(rate: f64, dither: Dither) -> Vec<f64> {
    const FRAMES: usize = 1 << 17;
    let errors = errors(rate, dither, FRAMES);
    let turn = core::f64::consts::TAU / FRAMES as f64;
    let window = |i: usize| (1.0 - (turn * i as f64).cos()) / 1.5f64.sqrt();
    let windowed: Vec<f64> = errors.iter().enumerate().map(|(i, e)| e * window(i)).collect();
    spectrum(&windowed).iter().map(|bin| bin.norm_sqr() / FRAMES as f64).collect()
}

/// Mean of `values` over a thousand hertz from `from` on, in dB.
pub(super) fn over_a_kilohertz(values: &[f64], rate: f64, from: f64) -> f64 {
    let bin = |hertz: f64| (hertz / (0.5 * rate) * (values.len() - 1) as f64) as usize;
    10.0 * mean(&values[bin(from)..bin(from + 1000.0)]).log10()
}

/// Power spectrum that shaped noise should have, per bin as [`error_spectrum`].
fn published(shape: &[f64; 5], bins: usize) -> Vec<f64> {
    let response = |k: usize, part: fn(f64) -> f64| {
        let w = core::f64::consts::PI * k as f64 / (bins - 1) as f64;
        shape.iter().enumerate().map(|(i, c)| c * part((i + 1) as f64 * w)).sum::<f64>()
    };
    (0..bins)
        .map(|k| 0.25 * ((1.0 - response(k, f64::cos)).powi(2) + response(k, f64::sin).powi(2)))
        .collect()
}

pub(super) fn figures() -> Vec<Figure> {
    let mut figures = Vec::new();
    for (bits, dither) in [(24, Dither::Bits24), (16, Dither::Bits16)] {
        let off = [44_100.0, 96_000.0].map(|rate| {
            let bins = error_spectrum(rate, dither);
            let places = [500.0, 2500.0, 3500.0, 8000.0, 16_000.0];
            places.map(|from| (over_a_kilohertz(&bins, rate, from) - 10.0 * 0.25f64.log10()).abs())
        });
        let worst = off.iter().flatten().copied().fold(0.0, f64::max);
        let what = format!("noise of {bits} bits: off a quarter of a step squared, at any frequency");
        figures.push(Figure::at_most(what, worst, "dB", 0.5));
    }
    for (rate, shape) in [(44_100.0, SHAPE), (96_000.0, HIGH_RATE_SHAPE)] {
        let bins = error_spectrum(rate, Dither::Bits16Shaped);
        let wanted = published(&shape, bins.len());
        let off = [500.0, 2500.0, 3500.0, 8000.0, 16_000.0]
            .map(|from| (over_a_kilohertz(&bins, rate, from) - over_a_kilohertz(&wanted, rate, from)).abs());
        let kilohertz = rate / 1000.0;
        let what = format!("shaped noise of 16 bits at {kilohertz} kHz: off the published shape");
        figures.push(Figure::at_most(what, off.into_iter().fold(0.0, f64::max), "dB", 0.5));
        let lower = over_a_kilohertz(&bins, rate, 3500.0) - 10.0 * 0.25f64.log10();
        let what = format!("shaped noise of 16 bits at {kilohertz} kHz: at 3.5 to 4.5 kHz, against unshaped");
        figures.push(Figure::at_most(what, lower, "dB", -15.0).digits(1));
    }
    figures
}

#[test]
fn noise_is_white_or_shaped_as_published() {
    hold(&figures());
    for (rate, shape) in [(44_100.0, SHAPE), (96_000.0, HIGH_RATE_SHAPE)] {
        let errors = errors(rate, Dither::Bits16Shaped, 1 << 17);
        let power = errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64;
        let gain = 1.0 + shape.iter().map(|c| c * c).sum::<f64>();
        assert!((power / (0.25 * gain) - 1.0).abs() < 0.03);
    }
}
