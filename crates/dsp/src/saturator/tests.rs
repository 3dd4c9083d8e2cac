use super::super::contract::parts_add_up;
use super::super::contract::{Stereo, noise, obeys_contract};
use super::*;
use testkit::figure::{Figure, hold};
use testkit::{music, sine, spectrum};

const RATE: Hz = Hz(48_000.0);

pub(crate) fn driven(curve: Curve, drive: f64) -> SaturatorSettings {
    SaturatorSettings { on: true, drive: Db(drive), curve, mix: 1.0 }
}

fn both(signal: Vec<f64>) -> Stereo {
    Stereo { right: signal.clone(), left: signal }
}

fn saturated(settings: &SaturatorSettings, signal: &[f64]) -> Vec<f64> {
    let mut unit = Saturator::new(RATE);
    unit.set(settings);
    let mut stereo = both(signal.to_vec());
    stereo.run(&mut unit, 0..signal.len());
    assert!(stereo.left == stereo.right);
    stereo.left
}

#[test]
fn stems_and_what_was_added_to_their_sum_add_up() {
    let changes = [
        (0, driven(Curve::Clip, 6.0)),
        (6000, driven(Curve::Soft, 12.0)),
        (12_000, driven(Curve::Soft, 0.0)),
    ];
    parts_add_up(|| Saturator::new(RATE), &changes, 1e-14);
}

#[test]
fn obeys() {
    let busy = [
        driven(Curve::Soft, 12.0),
        SaturatorSettings { mix: 0.3, ..driven(Curve::Clip, 6.0) },
        driven(Curve::Clip, 24.0),
    ];
    obeys_contract(|| Saturator::new(RATE), &SaturatorSettings::default(), &busy);
    obeys_contract(|| Saturator::new(RATE), &driven(Curve::Soft, 0.0), &busy);
    let dry = SaturatorSettings { mix: 0.0, ..driven(Curve::Clip, 24.0) };
    obeys_contract(|| Saturator::new(RATE), &dry, &busy);
}

/// The spectrum of a saturated full-scale sine near `frequency` in cycles per sample, 1 for full scale, and the bin of
/// the sine.
pub(crate) fn saturated_sine(frequency: f64, settings: &SaturatorSettings) -> (Vec<f64>, usize) {
    const FRAMES: usize = 1 << 15;
    let bin = (frequency * FRAMES as f64) as usize | 1;
    let tone = sine(bin as f64 / FRAMES as f64, 0.3, 1.0, FRAMES + 1000);
    let out = saturated(settings, &tone);
    let bins = spectrum(&out[1000..]);
    (bins.iter().map(|bin| bin.norm() / (FRAMES / 2) as f64).collect(), bin)
}

/// Its largest component that is not one of its harmonics, in dBFS.
fn aliases(frequency: f64, settings: &SaturatorSettings) -> f64 {
    let (bins, tone) = saturated_sine(frequency, settings);
    let foreign = bins.iter().enumerate().filter(|(i, _)| i % tone != 0).map(|(_, bin)| *bin);
    20.0 * foreign.fold(0.0, f64::max).log10()
}

/// The largest of `aliases` for sines of `frequency` in Hz, in dBFS, and where it is.
fn worst(
    frequency: f64,
    rates: &[f64],
    curves: &[Curve],
    drives: &[f64],
) -> (f64, Option<(f64, Curve, f64)>) {
    let mut worst = (f64::NEG_INFINITY, None);
    for &rate in rates {
        for &curve in curves {
            for &drive in drives {
                let found = aliases(frequency / rate, &driven(curve, drive));
                if found > worst.0 {
                    worst = (found, Some((rate, curve, drive)));
                }
            }
        }
    }
    worst
}

/// Aliases of full-scale sines.
pub(crate) fn figures() -> Vec<Figure> {
    const LOW: [f64; 2] = [44_100.0, 48_000.0];
    let mut figures = Vec::new();
    for (name, curve, limit) in [("clip", Curve::Clip, -96.0), ("soft", Curve::Soft, -130.0)] {
        let worst = worst(5000.0, &LOW, &[curve], &[6.0]);
        let what = format!("aliases of 5 kHz at 6 dB of drive, {name}, at 44.1 and 48 kHz");
        figures.push(Figure::at_most(what, worst.0, "dBFS", limit).digits(1).found(&worst));
    }
    for (frequency, rates, limit) in [
        (1000.0, &LOW[..], -120.0),
        (7000.0, &LOW, -93.0),
        (10_000.0, &LOW, -88.0),
        (15_000.0, &LOW, -78.0),
        (5000.0, &[96_000.0], -110.0),
        (10_000.0, &[96_000.0], -95.0),
        (15_000.0, &[96_000.0], -95.0),
    ] {
        let worst = worst(frequency, rates, &[Curve::Soft, Curve::Clip], &[3.0, 6.0, 12.0, 24.0]);
        let rates = if rates == LOW { "44.1 and 48" } else { "96" };
        let what = format!("aliases of {} kHz at any drive, at {rates} kHz", frequency / 1000.0);
        figures.push(Figure::at_most(what, worst.0, "dBFS", limit).digits(1).found(&worst));
    }
    figures
}

#[test]
fn a_sine_leaves_few_aliases() {
    hold(&figures());
}

#[test]
fn a_full_scale_peak_is_pressed_down_by_the_drive() {
    // Slow enough that the band limit does not matter, long enough to settle.
    for curve in [Curve::Soft, Curve::Clip] {
        for drive in [1.0, 6.0, 24.0] {
            let out = saturated(&driven(curve, drive), &[1.0; 400]);
            let level = 20.0 * out[399].log10();
            assert!((level + drive).abs() < 1e-9, "{curve:?} {drive}: {level}");
        }
    }
}

#[test]
fn a_slow_sine_follows_the_curve() {
    let tone = sine(100.0 / 48_000.0, 0.0, 1.0, 9600);
    let root = |x: f64, drive: f64| x / (1.0 + (drive * drive - 1.0) * x * x).sqrt();
    let out = saturated(&driven(Curve::Soft, 12.0), &tone);
    for i in 2000..9600 {
        let expected = root(tone[i - 64], Db(12.0).gain());
        assert!((out[i] - expected).abs() < 1e-5, "{i}: {} {expected}", out[i]);
    }
}

#[test]
fn quiet_sounds_keep_their_level() {
    let tone = sine(1000.0 / 48_000.0, 0.0, 1.0, 9600);
    let quiet: Vec<f64> = tone.iter().map(|x| x * 1e-3).collect();
    let out = saturated(&driven(Curve::Soft, 6.0), &quiet);
    assert!((200..9600).all(|i| (out[i] - quiet[i - 64]).abs() < 2e-9));
    // What the clipper does not reach, it does not touch, whatever is between the samples.
    let below: Vec<f64> = noise(5, 9600, Db(-18.0).gain()).into_iter().collect();
    let out = saturated(&driven(Curve::Clip, 6.0), &below);
    assert!((64..9600).all(|i| out[i].to_bits() == below[i - 64].to_bits()));
}

#[test]
fn mix_is_the_share_of_the_change() {
    let song = music(2, 48_000.0, 24_000);
    let whole = saturated(&driven(Curve::Soft, 12.0), &song);
    let half = saturated(&SaturatorSettings { mix: 0.5, ..driven(Curve::Soft, 12.0) }, &song);
    for i in 64..24_000 {
        assert!((half[i] - 0.5 * (whole[i] + song[i - 64])).abs() < 1e-12);
    }
}

/// The largest second difference: a click is a large one.
fn roughness(signal: &[f64]) -> f64 {
    signal.windows(3).map(|w| (w[2] - 2.0 * w[1] + w[0]).abs()).fold(0.0, f64::max)
}

#[test]
fn no_change_of_settings_clicks() {
    let tone: Vec<f64> = sine(100.0 / 48_000.0, 0.0, 1.0, 96_000);
    let settings = [
        driven(Curve::Clip, 12.0),
        driven(Curve::Soft, 12.0),
        SaturatorSettings::default(),
        driven(Curve::Soft, 24.0),
        SaturatorSettings { mix: 0.2, ..driven(Curve::Soft, 24.0) },
        driven(Curve::Soft, 0.0),
        SaturatorSettings { mix: 0.2, ..driven(Curve::Clip, 6.0) },
        SaturatorSettings::default(),
    ];
    let steady = settings.iter().map(|s| roughness(&saturated(s, &tone)[1000..])).fold(0.0, f64::max);
    let mut unit = Saturator::new(RATE);
    let mut signal = both(tone);
    for (i, settings) in settings.iter().enumerate() {
        unit.set(settings);
        signal.run(&mut unit, i * 12_000..(i + 1) * 12_000);
    }
    let moving = roughness(&signal.left[1000..]);
    assert!(moving < 1.05 * steady, "{moving} against {steady}");
}

#[test]
fn a_random_sweep_of_a_minute_stays_within_the_input() {
    // Both curves lie below the straight line: what leaves is no larger than what came, but for the band limit.
    let mut random = noise(9, 100_000, 0.5).into_iter().map(|x| x + 0.5);
    let mut next = || random.next().expect("enough");
    let mut unit = Saturator::new(RATE);
    let song = music(4, 48_000.0, 480_000);
    for _ in 0..6 {
        let mut signal = both(song.clone());
        for start in (0..480_000).step_by(160) {
            unit.set(&SaturatorSettings {
                on: next() < 0.9,
                drive: Db(24.0 * next()),
                curve: if next() < 0.5 { Curve::Soft } else { Curve::Clip },
                mix: next(),
            });
            signal.run(&mut unit, start..start + 160);
        }
        let loudest = signal.left.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        assert!(loudest < Db(1.0).gain(), "{loudest}");
    }
}
