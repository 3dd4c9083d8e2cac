use super::super::{BandSettings, DynamicSettings, Equalizer, Shape, analogue_response};
use super::*;
use crate::rig::contract::obeys_contract;
use crate::rig::run::RunUnit;
use testkit::{Stereo, noise, sine, spectrum};
use units::{Db, decibels};

const RATE: Hz = Hz(48_000.0);

fn band(shape: Shape, frequency: f64, gain: f64, q: f64) -> BandSettings {
    BandSettings { on: true, shape, frequency: Hz(frequency), gain: Db(gain), q, ..BandSettings::default() }
}

fn cut(frequency: f64, slope: u32) -> BandSettings {
    BandSettings { slope, ..band(Shape::LowCut, frequency, 0.0, 1.0) }
}

fn with(bands: &[BandSettings]) -> EqualizerSettings {
    let mut settings = EqualizerSettings::default();
    settings.bands[..bands.len()].copy_from_slice(bands);
    settings
}

fn busy() -> [EqualizerSettings; 3] {
    let side = BandSettings { placement: Placement::Side, ..band(Shape::HighShelf, 2000.0, 4.0, 0.7) };
    let right = BandSettings { placement: Placement::Right, ..band(Shape::Notch, 1000.0, 0.0, 2.0) };
    [
        with(&[band(Shape::Bell, 500.0, 6.0, 1.0)]),
        with(&[side, cut(80.0, 24), right]),
        with(&[right, band(Shape::Tilt, 700.0, -3.0, 1.0)]),
    ]
}

#[test]
fn obeys() {
    obeys_contract(|| LinearEqualizer::new(Hz(8000.0)), &EqualizerSettings::default(), &busy());
    let flat = with(&[band(Shape::Bell, 500.0, 0.0, 1.0)]);
    obeys_contract(|| LinearEqualizer::new(Hz(8000.0)), &flat, &busy()[..1]);
}

#[test]
fn latency_is_half_the_response_and_a_partition() {
    for (rate, latency) in [(8000.0, 1280), (44_100.0, 5120), (48_000.0, 5120), (96_000.0, 10_240)] {
        assert_eq!(LinearEqualizer::new(Hz(rate)).latency(), Samples(latency), "{rate}");
    }
}

/// Response to an impulse in the left channel, with the latency in the middle of 32 768 frames.
fn response(settings: &EqualizerSettings, rate: Hz) -> Stereo {
    let mut unit = LinearEqualizer::new(rate);
    unit.set(settings);
    let mut signal = Stereo::silence(1 << 15);
    signal.left[(1 << 14) - unit.latency().0] = 1.0;
    signal.run(&mut unit, 0..1 << 15);
    signal
}

#[test]
fn the_response_is_symmetrical_about_the_latency() {
    for settings in busy() {
        let Stereo { left, right } = response(&settings, RATE);
        let middle = 1 << 14;
        for side in [left, right] {
            for i in 1..5000 {
                assert!((side[middle - i] - side[middle + i]).abs() < 1e-15, "{i}");
            }
        }
    }
}

/// The largest error against the prototypes from `from` Hz to Nyquist, where they are above -24 dB, and where.
fn worst(bands: &[BandSettings], rate: Hz, from: f64) -> (f64, f64) {
    let bins = spectrum(&response(&with(bands), rate).left);
    let mut worst = (0.0f64, 0.0);
    for (i, bin) in bins.iter().enumerate().skip(1) {
        let frequency = i as f64 * rate.0 / (1 << 15) as f64;
        let wanted: f64 = bands.iter().map(|band| analogue_response(band, Hz(frequency)).0).sum();
        let error = (decibels(bin.norm()) - wanted).abs();
        if frequency >= from && wanted > -24.0 && error > worst.0 {
            worst = (error, frequency);
        }
    }
    worst
}

#[test]
fn gains_are_those_of_the_analogue_prototypes() {
    let cases = [
        (band(Shape::Bell, 60.0, 6.0, 1.0), 0.1),
        (band(Shape::Bell, 60.0, -6.0, 1.0), 0.1),
        (band(Shape::LowShelf, 80.0, 6.0, 0.71), 0.05),
        (band(Shape::HighShelf, 8000.0, -6.0, 0.71), 0.01),
        (band(Shape::Bell, 30.0, 6.0, 1.0), 0.25),
        (band(Shape::Bell, 1000.0, 12.0, 10.0), 0.1),
        (band(Shape::Bell, 16_000.0, 12.0, 1.0), 0.01),
        (band(Shape::Tilt, 700.0, 6.0, 1.0), 0.02),
        (cut(25.0, 12), 0.15),
        (cut(25.0, 24), 0.4),
        (cut(100.0, 24), 0.2),
        (BandSettings { slope: 24, ..band(Shape::HighCut, 18_000.0, 0.0, 1.0) }, 0.01),
    ];
    for rate in [44_100.0, 48_000.0, 96_000.0] {
        for (band, limit) in &cases {
            let (error, at) = worst(&[*band], Hz(rate), 20.0);
            assert!(error < *limit, "{rate} {band:?}: {error} dB at {at} Hz");
        }
    }
}

#[test]
fn bands_multiply() {
    let bands = [
        band(Shape::Bell, 200.0, 4.0, 1.0),
        band(Shape::HighShelf, 4000.0, -3.0, 0.7),
        band(Shape::Bell, 210.0, -2.0, 2.0),
    ];
    let (error, at) = worst(&bands, RATE, 20.0);
    assert!(error < 0.05, "{error} dB at {at} Hz");
}

#[test]
fn placements_act_where_the_minimum_phase_equalizer_does() {
    // Same powers per output channel and same sums of channels, for bands that do and do not commute.
    let placed = |placement, shape, gain| BandSettings { placement, ..band(shape, 1000.0, gain, 1.0) };
    for bands in [
        [placed(Placement::Mid, Shape::Bell, 6.0), placed(Placement::Side, Shape::LowShelf, -6.0)],
        [placed(Placement::Left, Shape::Bell, 6.0), placed(Placement::Right, Shape::HighShelf, -6.0)],
    ] {
        let linear = response(&with(&bands), RATE);
        let mut minimum = Stereo::silence(1 << 15);
        let mut unit = Equalizer::new(RATE);
        unit.set(&with(&bands));
        minimum.left[100] = 1.0;
        minimum.run(&mut unit, 0..1 << 15);
        let both = |signal: &Stereo, sign: f64| -> Vec<f64> {
            signal.left.iter().zip(&signal.right).map(|(l, r)| 0.5 * (l + sign * r)).collect()
        };
        for sign in [1.0, -1.0] {
            // In mid and side, and in left and right, each band is one filter.
            let pairs = if bands[0].placement == Placement::Mid {
                [both(&linear, sign), both(&minimum, sign)]
            } else {
                [linear.left.clone(), minimum.left.clone()]
            };
            let [linear, minimum] = pairs.map(|signal| spectrum(&signal));
            for i in (20..10_000).step_by(7) {
                let (a, b) = (decibels(linear[i].norm()), decibels(minimum[i].norm()));
                assert!((a - b).abs() < 0.1, "{i}: {a} {b}");
            }
        }
    }
    // Left after mid: not the same as mid after left.
    let (mid, left) = (placed(Placement::Mid, Shape::Bell, 12.0), placed(Placement::Left, Shape::Bell, 12.0));
    let gain = Db(12.0).gain();
    for (bands, expected) in [
        ([mid, left], [gain * 0.5 * (gain + 1.0), 0.5 * (gain - 1.0)]),
        ([left, mid], {
            let half = 0.5 * (gain - 1.0) * gain;
            [gain + half, half]
        }),
    ] {
        let out = response(&with(&bands), RATE);
        let bin = (1000.0 / 48_000.0 * f64::from(1 << 15)) as usize;
        for (side, expected) in [(&out.left, expected[0]), (&out.right, expected[1])] {
            let found = spectrum(side)[bin].norm();
            assert!((found / expected - 1.0).abs() < 0.01, "{found} {expected}");
        }
    }
}

#[test]
fn dynamic_bands_are_left_to_the_other_equalizer() {
    let dynamic = DynamicSettings { range: Db(-6.0), ..DynamicSettings::default() };
    let moving = BandSettings { dynamic, ..band(Shape::Bell, 500.0, 3.0, 1.0) };
    let settings = with(&[moving, band(Shape::Bell, 2000.0, 3.0, 1.0)]);
    let [linear, minimum] = LinearEqualizer::split(&settings);
    assert_eq!(linear.bands.map(|band| band.on)[..3], [false, true, false]);
    assert_eq!(minimum.bands.map(|band| band.on)[..3], [true, false, false]);
    let mut unit = LinearEqualizer::new(RATE);
    unit.set(&with(&[moving]));
    assert!(unit.is_neutral());
}

fn roughness(signal: &[f64]) -> f64 {
    signal.windows(3).map(|w| (w[2] - 2.0 * w[1] + w[0]).abs()).fold(0.0, f64::max)
}

#[test]
fn no_change_of_settings_clicks() {
    let tone: Vec<f64> = sine(100.0 / 48_000.0, 0.0, 1.0, 160_000);
    let mut signal = Stereo { left: tone.clone(), right: tone.clone() };
    let changes = [
        EqualizerSettings::default(),
        with(&[band(Shape::Bell, 100.0, 12.0, 1.0)]),
        with(&[band(Shape::Bell, 100.0, -12.0, 1.0)]),
        EqualizerSettings::default(),
        with(&[cut(200.0, 48)]),
        busy()[1].clone(),
        busy()[2].clone(),
        EqualizerSettings::default(),
    ];
    let mut unit = LinearEqualizer::new(RATE);
    for (i, settings) in changes.iter().enumerate() {
        unit.set(settings);
        signal.run(&mut unit, i * 20_000..(i + 1) * 20_000);
    }
    let limit = 1.1 * Db(12.0).gain() * roughness(&tone[1..]);
    let found = roughness(&signal.left[10_000..]);
    assert!(found < limit, "{found} {limit}");
    assert!(unit.is_neutral());
}

#[test]
fn a_random_sweep_of_a_minute_stays_within_the_static_response() {
    let mut random = noise(9, 100_000, 0.5).into_iter().map(|x| x + 0.5);
    let mut next = || random.next().expect("enough");
    let mut unit = LinearEqualizer::new(RATE);
    let mut loudest = 0.0f64;
    for _ in 0..12 {
        let tone = sine(1000.0 / 48_000.0, 0.0, 1.0, 240_000);
        let mut signal = Stereo { left: tone.clone(), right: tone };
        for start in (0..240_000).step_by(480) {
            let frequency = 200.0 * 20f64.powf(next());
            unit.set(&with(&[band(Shape::Bell, frequency, 12.0, 0.5 + 10.0 * next())]));
            signal.run(&mut unit, start..start + 480);
        }
        loudest = signal.left.iter().fold(loudest, |m, x| m.max(x.abs()));
    }
    // No bell of 12 dB raises a tone by more than 12 dB; a blend of two does neither.
    assert!(loudest > Db(6.0).gain() && loudest < Db(12.5).gain(), "{loudest}");
}
