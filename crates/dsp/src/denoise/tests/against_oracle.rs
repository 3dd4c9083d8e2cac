//! How near it comes to a Wiener filter that knows signal and noise apart.

use super::*;

const SIZE: usize = 2048;

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
            back(bins, frames)
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
        for (i, x) in back(filtered.collect(), SIZE).into_iter().enumerate() {
            out[at + i] += x * window(i) / 1.5;
        }
    }
    out
}

/// Signal to noise of `estimate` in dB, away from the edges.
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

/// On ten seconds of the demo's stems: name, kind of noise, and [`improvements`].
pub(crate) fn on_the_demo() -> Vec<(String, &'static str, (f64, f64))> {
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

pub(crate) fn figures(found: &[(String, &'static str, (f64, f64))]) -> Vec<Figure> {
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

/// By hand, on any stems: `STEMLINK_STEMS=a.wav:b.wav cargo test ... -- --ignored a_report_on_given_stems`.
#[test]
#[ignore = "needs stems of one's own"]
fn a_report_on_given_stems() {
    use audiofile::AudioReader;
    let stems = std::env::var("STEMLINK_STEMS").expect("paths of stems, separated by :");
    let mut report = String::new();
    for path in stems.split(':') {
        let mut reader = AudioReader::open(path).expect("a stem");
        let frames = reader.info().frames as usize;
        let mut planes = vec![Vec::new(); reader.info().channels];
        reader.read_planar(&mut planes, frames).expect("a stem");
        let start = (frames / 3).min(20 * 48_000);
        let end = (start + 15 * 48_000).min(frames);
        let side = |plane: &Vec<f64>| plane[start..end.min(plane.len())].to_vec();
        let stem = Stereo { left: side(&planes[0]), right: side(planes.last().expect("a channel")) };
        for pink in [false, true] {
            let (ours, best) = improvements(&stem, pink);
            report += &format!("{:.2} {path} pink {pink}: {ours:.1} of {best:.1} dB\n", ours / best);
        }
    }
    panic!("{report}");
}
