//! Noise reduction against a Wiener filter that knows signal and noise apart, and bands that it leaves alone.

use testkit::{Complex, Stereo, from_spectrum, noise, spectrum};
use units::{Db, Hz};

use crate::denoise_rig::{denoised, hiss, learned, level, power_of, print_of_hiss, with_print};
use crate::figure::{Figure, hold};

const RATE: Hz = Hz(48_000.0);

/// Frames of the oracle's windows, and how many overlap: as the unit has them.
const SIZE: usize = 2048;
const OVERLAP: usize = 4;

/// Noise of `power` in both channels: white, or pink from 20 Hz on.
fn steady(pink: bool, seed: u64, frames: usize, power: f64) -> Stereo {
    let one = |seed| {
        let white = noise(seed, frames, 1.0);
        let mut shaped = if pink {
            let mut bins = spectrum(&white);
            for (i, bin) in bins.iter_mut().enumerate() {
                let frequency = i as f64 * RATE.0 / frames as f64;
                *bin *= if frequency < 20.0 { 0.0 } else { frequency.sqrt().recip() };
            }
            from_spectrum(bins, frames)
        } else {
            white
        };
        let scale = (power / power_of(&shaped)).sqrt();
        shaped.iter_mut().for_each(|x| *x *= scale);
        shaped
    };
    Stereo { left: one(seed), right: one(seed + 1) }
}

fn window(i: usize) -> f64 {
    0.5 - 0.5 * (core::f64::consts::TAU * i as f64 / SIZE as f64).cos()
}

/// `signal + noise` through the gain `|S|² / (|S|² + |N|²)` of each bin, on the same frames that the unit uses.
fn oracle(signal: &[f64], noise: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; signal.len()];
    let bins = |x: &[f64], at: usize| {
        let part: Vec<f64> = (0..SIZE).map(|i| window(i) * x[at + i]).collect();
        spectrum(&part)
    };
    for at in (0..=signal.len() - SIZE).step_by(SIZE / OVERLAP) {
        let (s, n) = (bins(signal, at), bins(noise, at));
        let filtered = s.iter().zip(&n).map(|(s, n)| {
            let (ps, pn) = (s.norm_sqr(), n.norm_sqr());
            if ps > 0.0 { (s + n) * (ps / (ps + pn)) } else { Complex::default() }
        });
        for (i, x) in from_spectrum(filtered.collect(), SIZE).into_iter().enumerate() {
            out[at + i] += x * window(i) / 1.5;
        }
    }
    out
}

/// Ratio of signal to noise of `estimate` in dB, away from the edges.
fn ratio(signal: &Stereo, estimate: [&[f64]; 2]) -> f64 {
    let inner = SIZE..signal.left.len() - SIZE;
    let error: f64 = [&signal.left, &signal.right]
        .into_iter()
        .zip(estimate)
        .map(|(s, e)| inner.clone().map(|i| (s[i] - e[i]).powi(2)).sum::<f64>())
        .sum();
    let power: f64 = [&signal.left, &signal.right]
        .into_iter()
        .map(|s| inner.clone().map(|i| s[i] * s[i]).sum::<f64>())
        .sum();
    10.0 * (power / error).log10()
}

/// Improvements in dB, ours and the oracle's, on `stem` at 10 dB over steady noise; the print is learned from other
/// noise of the same kind.
fn improvements(stem: &Stereo, pink: bool) -> (f64, f64) {
    let frames = stem.left.len();
    let power = 0.5 * (power_of(&stem.left) + power_of(&stem.right)) / 10.0;
    let added = steady(pink, 71, frames, power);
    let print = learned(RATE, &steady(pink, 81, frames, power));
    let mix = |s: &[f64], n: &[f64]| s.iter().zip(n).map(|(s, n)| s + n).collect::<Vec<f64>>();
    let noisy = Stereo { left: mix(&stem.left, &added.left), right: mix(&stem.right, &added.right) };
    let before = ratio(stem, [&noisy.left, &noisy.right]);
    let ours = denoised(RATE, &with_print(print, 24.0), &noisy);
    let best = [oracle(&stem.left, &added.left), oracle(&stem.right, &added.right)];
    (ratio(stem, [&ours.left, &ours.right]) - before, ratio(stem, [&best[0], &best[1]]) - before)
}

/// [`improvements`] on ten seconds of each of the demo's stems, with its name and the kind of noise.
pub(super) fn on_the_demo() -> Vec<(String, &'static str, (f64, f64))> {
    use demo_song::{DemoStem, SongPart};
    let mut all = Vec::new();
    for role in SongPart::ALL {
        let song = DemoStem::render(role, RATE);
        let part = 8 * 48_000..18 * 48_000;
        let stem = Stereo { left: song.left[part.clone()].to_vec(), right: song.right[part].to_vec() };
        for (kind, pink) in [("white", false), ("pink", true)] {
            all.push((song.name.to_string(), kind, improvements(&stem, pink)));
        }
    }
    all
}

/// Figures of [`on_the_demo`].
pub(super) fn figures(found: &[(String, &'static str, (f64, f64))]) -> Vec<Figure> {
    let parts = found.iter().map(|(name, kind, (ours, best))| {
        let what = format!("part of an oracle's improvement: {name} in {kind} noise");
        Figure::at_least(what, 100.0 * ours / best, "%", 60.0).digits(0)
    });
    let vocals = found.iter().filter(|(name, kind, _)| name.contains("Vocals") && *kind == "white");
    let vocals = vocals
        .map(|(.., (ours, _))| Figure::at_least("improvement of vocals in white noise", *ours, "dB", 6.0));
    let figures: Vec<Figure> = parts.chain(vocals).collect();
    assert_eq!(figures.len(), 11, "five stems in two noises, and the vocals");
    figures
}

#[test]
fn reaches_three_fifths_of_an_oracle_on_five_stems() {
    hold(&figures(&on_the_demo()));
}

/// Largest change, in dB, of noise in a band no narrower than a spectral line is, `above` decibels above the print within
/// it, on top of the print's own noise; both in step and different in the channels.
fn change_of_bands(above: f64) -> (f64, Option<(f64, bool)>) {
    let mut worst = (0.0f64, None);
    for (centre, half) in [(200.0, 1.5), (1000.0, 1.122), (5000.0, 1.122), (12_000.0, 1.122)] {
        for wide in [false, true] {
            let frames = 1 << 18;
            let (low, high) = (centre / half, centre * half);
            let mut signal = hiss(21, frames);
            let band = |seed| {
                let loud = Db(above).gain();
                let source = noise(seed, frames, loud * 1e-3 * 3f64.sqrt());
                between(&source, low / RATE.0, high / RATE.0)
            };
            let (left, right) = (band(31), band(if wide { 32 } else { 31 }));
            signal.left.iter_mut().zip(&left).for_each(|(x, b)| *x += b);
            signal.right.iter_mut().zip(&right).for_each(|(x, b)| *x += b);
            let out = denoised(RATE, &with_print(print_of_hiss(), 24.0), &signal);
            let inside = |x: &[f64]| {
                level(&between(x, low * 1.03 / RATE.0, high / 1.03 / RATE.0)[8192..frames - 8192])
            };
            let change = (inside(&out.left[..frames]) - inside(&signal.left)).abs();
            if change > worst.0 || change.is_nan() {
                worst = (change, Some((centre, wide)));
            }
        }
    }
    worst
}

/// Figures of bands above the print.
pub(super) fn band_figures() -> Vec<Figure> {
    let limits = [(10.0, 0.5), (20.0, 0.2)];
    let figure = |(above, limit)| {
        let worst = change_of_bands(above);
        let what = format!("change of bands {above} dB above the print, 24 dB of reduction");
        Figure::at_most(what, worst.0, "dB", limit).found(&worst)
    };
    limits.into_iter().map(figure).collect()
}

#[test]
fn bands_ten_decibels_above_the_print_stay() {
    hold(&band_figures());
}

/// `signal` between two frequencies, in cycles per sample.
fn between(signal: &[f64], low: f64, high: f64) -> Vec<f64> {
    let frames = signal.len();
    let mut bins = spectrum(signal);
    for (i, bin) in bins.iter_mut().enumerate() {
        let frequency = i as f64 / frames as f64;
        if frequency < low || frequency > high {
            *bin = Complex::default();
        }
    }
    from_spectrum(bins, frames)
}
