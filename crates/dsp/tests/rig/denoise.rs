//! Noise, its print, and what the noise reduction makes of a signal.

use dsp::Process;
use dsp::denoise::{BANDS, Denoise, DenoiseSettings, NoisePrint};
use testkit::Stereo;
use units::{Db, Hz, decibels};

use crate::rig::run::RunUnit;

pub(crate) fn with_print(print: NoisePrint, reduction: f64) -> DenoiseSettings {
    DenoiseSettings { on: true, reduction: Db(reduction), print: Some(print), ..DenoiseSettings::default() }
}

/// White noise of -60 dBFS and its print.
pub(crate) fn hiss(seed: u64, frames: usize) -> Stereo {
    Stereo::noise(seed, frames, 1e-3 * 3f64.sqrt())
}

pub(crate) fn print_of_hiss() -> NoisePrint {
    NoisePrint::new(&[-103.8; BANDS]).expect("as many as bands")
}

pub(crate) fn learned(rate: Hz, noise: &Stereo) -> NoisePrint {
    let mut unit = Denoise::new(rate);
    unit.set_learning(true);
    let mut heard = noise.clone();
    heard.run(&mut unit, 0..noise.left.len());
    unit.set_learning(false);
    unit.learned_print().expect("enough was heard")
}

/// Output for `signal`, latency taken out.
pub(crate) fn denoised(rate: Hz, settings: &DenoiseSettings, signal: &Stereo) -> Stereo {
    let mut unit = Denoise::new(rate);
    unit.set(settings);
    let (latency, frames) = (unit.latency().0, signal.left.len());
    let mut out = signal.clone();
    for side in [&mut out.left, &mut out.right] {
        side.resize(frames + latency, 0.0);
    }
    out.run(&mut unit, 0..frames + latency);
    Stereo { left: out.left.split_off(latency), right: out.right.split_off(latency) }
}

pub(crate) fn power_of(signal: &[f64]) -> f64 {
    signal.iter().map(|x| x * x).sum::<f64>() / signal.len() as f64
}

pub(crate) fn level(signal: &[f64]) -> f64 {
    0.5 * decibels(power_of(signal))
}
