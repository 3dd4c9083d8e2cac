//! Laws of the saturator; how much it aliases is in `tests/sound`.

use dsp::Process;
use dsp::saturator::{SaturationCurve, Saturator, SaturatorSettings};
use testkit::{Random, Stereo, music, noise, sine};
use units::{Db, Hz};

use crate::rig::contract::obeys_contract;
use crate::rig::parts::parts_add_up;
use crate::rig::run::RunUnit;

const RATE: Hz = Hz(48_000.0);

fn driven(curve: SaturationCurve, drive: f64) -> SaturatorSettings {
    SaturatorSettings { on: true, drive: Db(drive), curve, mix: 1.0 }
}

fn saturated(settings: &SaturatorSettings, signal: &[f64]) -> Vec<f64> {
    let mut unit = Saturator::new(RATE);
    unit.set(settings);
    let mut stereo = Stereo::mono(signal.to_vec());
    stereo.run(&mut unit, 0..signal.len());
    assert!(stereo.left == stereo.right);
    stereo.left
}

#[test]
fn stems_and_what_was_added_to_their_sum_add_up() {
    let changes = [
        (0, driven(SaturationCurve::Clip, 6.0)),
        (6000, driven(SaturationCurve::Soft, 12.0)),
        (12_000, driven(SaturationCurve::Soft, 0.0)),
    ];
    parts_add_up(|| Saturator::new(RATE), &changes, 1e-14);
}

#[test]
fn obeys() {
    let busy = [
        driven(SaturationCurve::Soft, 12.0),
        SaturatorSettings { mix: 0.3, ..driven(SaturationCurve::Clip, 6.0) },
        driven(SaturationCurve::Clip, 24.0),
    ];
    obeys_contract(|| Saturator::new(RATE), &SaturatorSettings::default(), &busy);
    obeys_contract(|| Saturator::new(RATE), &driven(SaturationCurve::Soft, 0.0), &busy);
    let dry = SaturatorSettings { mix: 0.0, ..driven(SaturationCurve::Clip, 24.0) };
    obeys_contract(|| Saturator::new(RATE), &dry, &busy);
}

#[test]
fn a_full_scale_peak_is_pressed_down_by_the_drive() {
    // Slow enough that the band limit does not matter, long enough to settle.
    for curve in [SaturationCurve::Soft, SaturationCurve::Clip] {
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
    let out = saturated(&driven(SaturationCurve::Soft, 12.0), &tone);
    for i in 2000..9600 {
        let expected = root(tone[i - 64], Db(12.0).gain());
        assert!((out[i] - expected).abs() < 1e-5, "{i}: {} {expected}", out[i]);
    }
}

#[test]
fn quiet_sounds_keep_their_level() {
    let tone = sine(1000.0 / 48_000.0, 0.0, 1.0, 9600);
    let quiet: Vec<f64> = tone.iter().map(|x| x * 1e-3).collect();
    let out = saturated(&driven(SaturationCurve::Soft, 6.0), &quiet);
    assert!((200..9600).all(|i| (out[i] - quiet[i - 64]).abs() < 2e-9));
    // What the clipper does not reach, it does not touch, whatever is between the samples.
    let below: Vec<f64> = noise(5, 9600, Db(-18.0).gain()).into_iter().collect();
    let out = saturated(&driven(SaturationCurve::Clip, 6.0), &below);
    assert!((64..9600).all(|i| out[i].to_bits() == below[i - 64].to_bits()));
}

#[test]
fn mix_is_the_share_of_the_change() {
    let song = music(2, 48_000.0, 24_000);
    let whole = saturated(&driven(SaturationCurve::Soft, 12.0), &song);
    let half = saturated(&SaturatorSettings { mix: 0.5, ..driven(SaturationCurve::Soft, 12.0) }, &song);
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
        driven(SaturationCurve::Clip, 12.0),
        driven(SaturationCurve::Soft, 12.0),
        SaturatorSettings::default(),
        driven(SaturationCurve::Soft, 24.0),
        SaturatorSettings { mix: 0.2, ..driven(SaturationCurve::Soft, 24.0) },
        driven(SaturationCurve::Soft, 0.0),
        SaturatorSettings { mix: 0.2, ..driven(SaturationCurve::Clip, 6.0) },
        SaturatorSettings::default(),
    ];
    let steady = settings.iter().map(|s| roughness(&saturated(s, &tone)[1000..])).fold(0.0, f64::max);
    let mut unit = Saturator::new(RATE);
    let mut signal = Stereo::mono(tone);
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
    let mut random = Random::new(9);
    let mut unit = Saturator::new(RATE);
    let song = music(4, 48_000.0, 480_000);
    for _ in 0..6 {
        let mut signal = Stereo::mono(song.clone());
        for start in (0..480_000).step_by(160) {
            unit.set(&SaturatorSettings {
                on: random.chance(0.9),
                drive: Db(random.between(0.0, 24.0)),
                curve: random.one_of(&[SaturationCurve::Soft, SaturationCurve::Clip]),
                mix: random.unit(),
            });
            signal.run(&mut unit, start..start + 160);
        }
        assert!(signal.peak() < Db(1.0).gain(), "{}", signal.peak());
    }
}
