//! Signals and measurements that tests share, written apart from what they measure.

pub mod hostile;
mod oracle;
mod random;
mod stereo;
pub mod trust;
mod wait;

pub use fourier::Complex;
pub use oracle::{is_present, skip_or_fail};
pub use random::{Random, noise};
pub use stereo::{Stereo, difference, stems, sum};
pub use wait::eventually;

use core::f64::consts::{PI, TAU};

/// True where tests run whole matrices: with `STEMLINK_TEST_ALL=1`, which `cargo xtask test --all` sets.
pub fn is_thorough() -> bool {
    std::env::var("STEMLINK_TEST_ALL").is_ok_and(|value| value == "1")
}

/// All of `cases` in a thorough run, otherwise the first `few` of them.
pub fn cases<T>(cases: &[T], few: usize) -> &[T] {
    if is_thorough() { cases } else { &cases[..few.min(cases.len())] }
}

/// True peak, linear, by a polyphase interpolation of its own: 16 phases of 64 taps, Kaiser window.
pub fn true_peak(signal: &[f64]) -> f64 {
    const PHASES: usize = 16;
    const TAPS: usize = 64;
    let bessel = |x: f64| {
        (1..60).fold((1.0, 1.0), |(term, sum), k| {
            let term: f64 = term * (x / 2.0 / f64::from(k)).powi(2);
            (term, sum + term)
        })
    };
    let window = |u: f64| bessel(8.0 * (1.0 - u * u).max(0.0).sqrt()).1 / bessel(8.0).1;
    let mut padded = vec![0.0; TAPS];
    padded.extend_from_slice(signal);
    padded.extend([0.0; TAPS]);
    let mut peak = 0.0f64;
    for phase in 0..PHASES {
        let fraction = phase as f64 / PHASES as f64;
        let taps: Vec<f64> = (0..TAPS)
            .map(|i| {
                let d = i as f64 - (TAPS / 2 - 1) as f64 - fraction;
                let sinc = if d == 0.0 { 1.0 } else { (PI * d).sin() / (PI * d) };
                sinc * window(d / (TAPS / 2) as f64)
            })
            .collect();
        for x in padded.chunks_exact(8).enumerate().map(|(i, _)| &padded[8 * i..]) {
            if x.len() < TAPS + 8 {
                break;
            }
            let mut sums = [0.0; 8];
            for (t, tap) in taps.iter().enumerate() {
                for lane in 0..8 {
                    sums[lane] += tap * x[t + lane];
                }
            }
            peak = sums.iter().fold(peak, |m, y| m.max(y.abs()));
        }
    }
    peak
}

/// Sine of amplitude 1: `frequency` and `rate` in Hz, `phase` in radians.
pub fn sine(frequency: f64, phase: f64, rate: f64, frames: usize) -> Vec<f64> {
    (0..frames).map(|i| (TAU * frequency * i as f64 / rate + phase).sin()).collect()
}

/// Bins of a real signal's spectrum, 0 to Nyquist, unscaled.
pub fn spectrum(signal: &[f64]) -> Vec<Complex<f64>> {
    let transform = fourier::forward(signal.len());
    let mut bins = transform.make_output_vec();
    transform.process(&mut signal.to_vec(), &mut bins).expect("lengths agree");
    bins
}

/// Signal of `frames` samples with this [`spectrum`].
pub fn from_spectrum(mut bins: Vec<Complex<f64>>, frames: usize) -> Vec<f64> {
    bins[0].im = 0.0;
    if let Some(nyquist) = bins.last_mut() {
        nyquist.im = 0.0;
    }
    let mut output = vec![0.0; frames];
    let transform = fourier::inverse(frames);
    transform.process(&mut bins, &mut output).expect("lengths agree");
    output.iter_mut().for_each(|x| *x /= frames as f64);
    output
}

/// `signal` without what is above `cutoff` (Hz, as is `rate`), faded in and out over 5 ms.
pub fn below(signal: &[f64], cutoff: f64, rate: f64) -> Vec<f64> {
    let frames = signal.len();
    let mut bins = spectrum(signal);
    let first = (cutoff * frames as f64 / rate).ceil() as usize;
    let keep = first.min(bins.len());
    bins[keep..].fill(Default::default());
    let mut output = from_spectrum(bins, frames);
    let edge = (0.005 * rate) as usize;
    for i in 0..edge {
        let fade = 0.5 - 0.5 * (PI * i as f64 / edge as f64).cos();
        output[i] *= fade;
        output[frames - 1 - i] *= fade;
    }
    output
}

/// `signal` with its true peak at `peak`, linear.
pub fn scaled(mut signal: Vec<f64>, peak: f64) -> Vec<f64> {
    let factor = peak / true_peak(&signal);
    signal.iter_mut().for_each(|x| *x *= factor);
    signal
}

/// Song-like signal: bass, chord and drums every quarter second; band-limited to 20 kHz, true peak 1.
pub fn music(seed: u64, rate: f64, frames: usize) -> Vec<f64> {
    let hiss = noise(seed, frames, 1.0);
    let signal: Vec<f64> = (0..frames)
        .map(|i| {
            let t = i as f64 / rate;
            let beat = t % 0.25;
            let kick =
                (TAU * (50.0 * beat + 3.0 * (1.0 - (-beat * 40.0).exp()))).sin() * (-beat * 18.0).exp();
            let snare = hiss[i] * (-((t + 0.125) % 0.5) * 30.0).exp();
            let chord: f64 = [220.0, 277.2, 329.6, 880.3].iter().map(|f| (TAU * f * t).sin()).sum();
            0.9 * kick + 0.6 * snare + 0.12 * chord + 0.25 * (TAU * 55.0 * t).sin()
        })
        .collect();
    scaled(below(&signal, 20_000.0, rate), 1.0)
}
