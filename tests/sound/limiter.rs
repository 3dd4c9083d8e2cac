//! True peaks above the ceiling of the limiter, and its distortion of a bass.

use core::f64::consts::PI;

use dsp::Process;
use dsp::dither::{Dither, Quantizer};
use dsp::limiter::{Limiter, LimiterSettings};
use testkit::{Stereo, below, music, noise, scaled, sine, spectrum, true_peak};
use units::{Dbtp, Hz, Ms, decibels};

use crate::figure::{Figure, hold};
use crate::limiter_rig::{limited, on};
use crate::rig::run::RunUnit;

const RATES: [f64; 5] = [44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0];

/// True peak at +18 dB of drive above the ceiling, in dB.
fn over(rate: f64, latency: Ms, signal: Vec<f64>) -> f64 {
    let settings = on(18.0);
    let output = limited(rate, latency, &settings, &Stereo::mono(signal));
    decibels(true_peak(&output.left)) - settings.ceiling.0
}

fn clipped_white(frames: usize) -> Vec<f64> {
    noise(2, frames, 4.0).iter().map(|x| x.clamp(-1.0, 1.0)).collect()
}

fn square(frequency: f64, rate: f64, frames: usize) -> Vec<f64> {
    sine(frequency, 0.1, rate, frames).iter().map(|x| x.signum()).collect()
}

fn content(rate: f64, signal: &[f64]) -> Vec<f64> {
    scaled(below(signal, 20_000.0, rate), 1.0)
}

/// Materials with a peak of full scale: name, limit of the excess at 18 dB of drive in dB, samples.
fn materials(rate: f64) -> Vec<(&'static str, f64, Vec<f64>)> {
    let frames = (0.2 * rate) as usize;
    let tone = |frequency: f64, phase| content(rate, &sine(frequency, phase, rate, frames));
    let mut all = vec![
        (NOISE, 0.05, content(rate, &noise(1, frames, 1.0))),
        (CLICKS, 0.05, {
            let clicks: Vec<f64> = (0..frames).map(|i| f64::from(u8::from(i % 997 == 5))).collect();
            content(rate, &clicks)
        }),
        (MUSIC, 0.05, music(3, rate, frames)),
        (SINES, 0.05, tone(997.0, 0.3)),
        (WHITE, 0.2, clipped_white(frames)),
    ];
    all.extend([15_013.0, 17_000.0, 19_990.0].map(|f| (HIGH_SINES, 0.05, tone(f, 0.3))));
    all.extend([100.0, 441.7, 3001.0, 7371.0, 8173.0].map(|f| (SQUARES, 0.1, square(f, rate, frames))));
    // Whole divisors of the rate put every crest between the samples, or none.
    for divisor in [2.4, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0] {
        let frequency: f64 = rate / divisor;
        for phase in (0..8).map(|k| f64::from(k) * PI / 8.0).filter(|_| frequency < 20_000.0) {
            let short = sine(frequency, phase, rate, (0.06 * rate) as usize);
            all.push((AWKWARD, 0.05, content(rate, &short)));
        }
    }
    all
}

const NOISE: &str = "noise to 20 kHz";

const CLICKS: &str = "clicks to 20 kHz";

const MUSIC: &str = "music to 20 kHz";

const SINES: &str = "a sine of 997 Hz";

const HIGH_SINES: &str = "sines of 15 to 20 kHz";

const AWKWARD: &str = "sines whose crests lie between the samples";

const SQUARES: &str = "naive squares of 100 Hz to 8.2 kHz";

const WHITE: &str = "clipped full-band white noise";

const MATERIALS: [&str; 8] = [NOISE, CLICKS, MUSIC, SINES, HIGH_SINES, AWKWARD, SQUARES, WHITE];

/// Largest excess over the ceiling at any rate, of each material and after dither; distortion of a bass.
pub(super) fn figures() -> Vec<Figure> {
    let mut worst = MATERIALS.map(|name| (name, f64::NEG_INFINITY, 0.0, 0.0));
    for rate in RATES {
        for (i, (name, most, signal)) in materials(rate).into_iter().enumerate() {
            let latencies =
                if i % 2 == 0 { [Limiter::STEM, Limiter::MASTER] } else { [Limiter::MASTER, Limiter::STEM] };
            // where much may happen, at both latencies
            for latency in latencies.into_iter().take(if most > 0.05 { 2 } else { 1 }) {
                let over = over(rate, latency, signal.clone());
                assert!(over > -0.1 || most > 0.05, "{name} at {rate} needlessly low: {over:+.3} dB");
                let worst = worst.iter_mut().find(|(other, ..)| *other == name).expect("all are named");
                if over > worst.1 {
                    *worst = (name, over, most, rate);
                }
            }
        }
    }
    let overs = worst.map(|(name, over, most, rate)| {
        Figure::at_most(format!("over the ceiling: {name}"), over, "dB", most).digits(3).found(&rate)
    });
    overs.into_iter().chain(dithered()).chain(distortions()).collect()
}

/// Largest excess after dither.
fn dithered() -> impl Iterator<Item = Figure> {
    let limits = [("content", 0.05), ("squares", 0.2), ("white", 2.0)];
    let mut worst = limits.map(|_| (f64::NEG_INFINITY, 0.0, Dither::Off));
    for rate in [44_100.0, 48_000.0] {
        let frames = (0.2 * rate) as usize;
        let signals = [
            (0, music(4, rate, frames)),
            (0, content(rate, &noise(3, frames, 1.0))),
            (0, content(rate, &sine(rate / 4.0, PI / 4.0, rate, frames))),
            (1, square(997.0, rate, frames)),
            (2, clipped_white(frames)),
        ];
        for (material, signal) in signals {
            let settings = on(18.0);
            let limited = limited(rate, Limiter::MASTER, &settings, &Stereo::mono(signal));
            for dither in [Dither::Bits24, Dither::Bits16, Dither::Bits16Shaped] {
                let mut quantizer = Quantizer::new(Hz(rate));
                quantizer.set(&dither);
                let mut output = limited.clone();
                output.run(&mut quantizer, 0..frames);
                assert!(output != limited, "it quantizes");
                let over = decibels(true_peak(&output.left)) - settings.ceiling.0;
                if over > worst[material].0 {
                    worst[material] = (over, rate, dither);
                }
            }
        }
    }
    let rows = limits.into_iter().zip(worst);
    rows.map(|((name, most), worst)| {
        let what = format!("over the ceiling after dither of 24 and 16 bits: {name}");
        Figure::at_most(what, worst.0, "dB", most).digits(3).found(&worst)
    })
}

/// THD+N of a sine of `frequency` Hz at 3 dB of reduction, in dB, over a second at 48 kHz; `release` in milliseconds.
pub(super) fn distortion(frequency: usize, release: f64, latency: Ms) -> f64 {
    let settings = LimiterSettings { ceiling: Dbtp(-3.0), release: Ms(release), ..on(0.0) };
    let tone = sine(frequency as f64, 0.0, 48_000.0, 96_000);
    let output = limited(48_000.0, latency, &settings, &Stereo::mono(tone));
    let bins = spectrum(&output.left[48_000..]);
    let rest = bins.iter().enumerate().skip(1).filter(|(k, _)| *k != frequency);
    10.0 * (rest.map(|(_, bin)| bin.norm_sqr()).sum::<f64>() / bins[frequency].norm_sqr()).log10()
}

/// Distortion of a bass.
fn distortions() -> impl Iterator<Item = Figure> {
    let runs = [(200.0, Limiter::STEM), (10.0, Limiter::STEM), (1000.0, Limiter::MASTER)];
    runs.into_iter().map(|(release, latency)| {
        let what =
            format!("THD+N of 50 Hz at 3 dB of reduction, release {release} ms, latency {} ms", latency.0);
        Figure::at_most(what, distortion(50, release, latency), "dB", -60.0).digits(0)
    })
}

#[test]
fn what_leaves_stays_under_the_ceiling_and_the_bass_is_not_distorted() {
    hold(&figures());
}
