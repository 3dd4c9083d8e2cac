//! A minute of automation of every unit: never louder, by more than a bound, than the loudest settings at rest.

use core::f64::consts::TAU;

use dsp::align::{Align, AlignSettings};
use dsp::compressor::{Compressor, CompressorSettings};
use dsp::dc::{DcFilter, DcSettings};
use dsp::detector::Detector;
use dsp::equalizer::{
    BandSettings, DynamicSettings, Equalizer, EqualizerSettings, Placement, Response, Shape,
};
use dsp::limiter::{Limiter, LimiterSettings};
use dsp::trim::{Polarity, Trim, TrimSettings};
use dsp::width::{Width, WidthSettings};
use dsp::{Block, Key, KeySource, Process};
use testkit::Random;
use units::{Db, Dbtp, Hz, Ms, decibels};

const RATE: Hz = Hz(48_000.0);
const MINUTE: usize = 60 * 48_000;

/// Feeds `unit` tones of amplitude 1 that change every fifth of a second, and a key in bursts, while `settings` change
/// every 1 to 40 ms. The loudest output in decibels.
fn loudest<P: Process>(unit: &mut P, seed: u64, mut settings: impl FnMut(&mut Random) -> P::Settings) -> f64 {
    let mut random = Random::new(seed);
    let (mut loudest, mut phase, mut frequency) = (0.0f64, 0.0f64, 100.0);
    let mut at = 0;
    let mut until_tone = 0;
    while at < MINUTE {
        unit.set(&settings(&mut random));
        let frames = random.log_between(48.0, 1920.0) as usize;
        if until_tone < frames {
            until_tone = 9600;
            frequency = random.log_between(20.0, 18_000.0);
        }
        until_tone -= frames;
        let key_level = random.one_of(&[0.0, 0.1, 1.0, 3.0]);
        // Left and right a quarter of a period apart: there is as much side as mid.
        let (mut left, mut right): (Vec<f64>, Vec<f64>) = (0..frames)
            .map(|_| {
                phase = (phase + frequency / RATE.0).fract();
                (TAU * phase).sin_cos()
            })
            .unzip();
        let key: Vec<f64> = left.iter().map(|x| x * key_level).collect();
        let key = Key { left: &key, right: &key };
        unit.process(&mut Block::new(&mut left, &mut right).with_key(key));
        loudest = left.iter().chain(&right).fold(loudest, |m, x| if x.abs() <= m { m } else { x.abs() });
        at += frames;
    }
    decibels(loudest)
}

/// The loudest that a band gets at any frequency.
fn top(band: &BandSettings) -> f64 {
    let still = Response::new(band, RATE);
    let near = (-60..=60).map(|i| band.frequency.0 * (1.0 + f64::from(i) / 60.0 / band.q.max(1.0)));
    let wide = (0..200).map(|i| 10.0 * 2350f64.powf(f64::from(i) / 199.0));
    near.chain(wide).filter(|f| *f > 0.0 && *f < 24_000.0).map(|f| still.at(Hz(f)).0).fold(0.0, f64::max)
}

fn only(band: BandSettings) -> EqualizerSettings {
    let mut settings = EqualizerSettings::default();
    settings.bands[0] = band;
    settings
}

#[test]
fn a_band_swept_in_frequency_stays_within_six_decibels_of_its_loudest() {
    for (i, shape) in
        [Shape::Bell, Shape::LowShelf, Shape::HighShelf, Shape::LowCut, Shape::Notch, Shape::Tilt]
            .into_iter()
            .enumerate()
    {
        let q = [0.7, 8.0][i % 2];
        let band = BandSettings { on: true, shape, gain: Db(12.0), q, slope: 24, ..BandSettings::default() };
        let most = [100.0, 1000.0, 10_000.0]
            .map(|f| top(&BandSettings { frequency: Hz(f), ..band }))
            .into_iter()
            .fold(0.0, f64::max);
        let got = loudest(&mut Equalizer::new(RATE), i as u64, |random| {
            only(BandSettings { frequency: Hz(random.log_between(10.0, 20_000.0)), ..band })
        });
        assert!(got < most + 6.0, "{shape:?}: {got} dB over {most}");
    }
}

#[test]
fn a_band_swept_in_everything_stays_within_six_decibels_of_the_loudest_it_was_told() {
    for dynamic in [false, true] {
        let mut most = 0.0f64;
        let got = loudest(&mut Equalizer::new(RATE), 20 + u64::from(dynamic), |random| {
            let shapes = [Shape::Bell, Shape::LowShelf, Shape::HighShelf, Shape::Tilt, Shape::Notch];
            let band = BandSettings {
                on: random.chance(0.9),
                shape: random.one_of(&shapes[..if dynamic { 3 } else { 5 }]),
                frequency: Hz(random.log_between(20.0, 10_000.0)),
                gain: Db(random.between(-9.0, 9.0)),
                q: random.log_between(0.1, 2.0),
                slope: 12,
                placement: random.one_of(&[
                    Placement::Stereo,
                    Placement::Mid,
                    Placement::Left,
                    Placement::Right,
                ]),
                dynamic: DynamicSettings {
                    range: Db(if dynamic { random.between(-9.0, 9.0) } else { 0.0 }),
                    threshold: Db(random.between(-80.0, 0.0)),
                    attack: Ms(random.log_between(0.1, 200.0)),
                    release: Ms(random.log_between(5.0, 2000.0)),
                    key: random.one_of(&[KeySource::Own, KeySource::Sidechain]),
                },
            };
            let raised = Db(band.gain.0.max(band.gain.0 + band.dynamic.range.0));
            most = most.max(top(&BandSettings { gain: raised, ..band }));
            only(band)
        });
        assert!(got < most + 6.0, "dynamic {dynamic}: {got} dB over {most}");
    }
}

#[test]
fn gains_delays_and_width_are_bounded_by_what_they_are_at_rest() {
    let got = loudest(&mut Trim::new(RATE), 1, |random| TrimSettings {
        gain: Db(random.between(-24.0, 12.0)),
        polarity: random.one_of(&[Polarity::None, Polarity::Left, Polarity::Right, Polarity::Both]),
    });
    assert!(got <= 12.0 + 1e-9, "trim: {got}");
    let got =
        loudest(&mut Align::new(RATE), 2, |random| AlignSettings { delay: Ms(20.0 * random.unit().powi(2)) });
    // An all-pass lets every tone through as it is, but not the corner where one gives way to another.
    assert!(got < 3.0, "align: {got}");
    let got = loudest(&mut DcFilter::new(RATE), 3, |random| DcSettings { on: random.chance(0.5) });
    assert!(got < 6.0, "DC filter: {got}");
    let got = loudest(&mut Width::new(RATE), 4, |random| WidthSettings {
        width: random.between(0.0, 2.0),
        mono_below: random.chance(0.5).then_some(Hz(random.log_between(20.0, 300.0))),
    });
    // Mid and twice the side: 1.5 of the one channel and 0.5 of the other.
    let most = decibels(1.5f64.hypot(0.5));
    assert!(got < most + 6.0, "width: {got} over {most}");
}

#[test]
fn dynamics_never_get_louder_than_their_makeup_and_their_ceiling() {
    let got = loudest(&mut Compressor::new(RATE, Compressor::LOOKAHEAD), 5, |random| CompressorSettings {
        on: random.chance(0.9),
        threshold: Db(random.between(-60.0, 0.0)),
        ratio: random.log_between(1.0, 10.0),
        knee: Db(random.between(0.0, 24.0)),
        attack: Ms(random.log_between(0.05, 200.0)),
        release: Ms(random.log_between(10.0, 2000.0)),
        auto_release: random.chance(0.5),
        cap: Db(random.between(1.0, 24.0)),
        detector: random.one_of(&[Detector::Peak, Detector::Rms]),
        lookahead: Ms(random.between(0.0, 5.0)),
        key_highpass: random.chance(0.5).then_some(Hz(random.log_between(20.0, 500.0))),
        key: random.one_of(&[KeySource::Own, KeySource::Sidechain]),
        link: random.unit(),
        mix: random.unit(),
        makeup: Db(random.between(-12.0, 6.0)),
    });
    assert!(got <= 6.0 + 1e-9, "compressor: {got}");
    let got = loudest(&mut Limiter::new(RATE, Limiter::MASTER), 6, |random| LimiterSettings {
        on: true,
        drive: Db(random.between(0.0, 24.0)),
        ceiling: Dbtp(random.between(-12.0, 0.0)),
        lookahead: Ms(random.log_between(0.1, 5.0)),
        release: Ms(random.log_between(10.0, 1000.0)),
        link: random.unit(),
    });
    assert!(got < 0.5, "limiter: {got}");
}
