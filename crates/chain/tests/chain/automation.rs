//! Every continuous parameter under automation: no zipper noise.

use core::f64::consts::TAU;

use chain::parameters::{PARAMETERS, Parameter, ParameterKind, Skew};
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::compressor::CompressorSettings;
use dsp::equalizer::{BandSettings, DynamicSettings, Equalizer, EqualizerSettings, Shape};
use dsp::limiter::LimiterSettings;
use dsp::width::WidthSettings;
use dsp::{Block, KeySource, Process};
use units::{Db, Hz, Ms};

const RATE: Hz = Hz(48_000.0);
const FRAMES: usize = 96_000;

/// A chain in which every unit does something to a bass note.
fn working() -> ChainSettings {
    let mut settings = ChainSettings::default();
    settings.align.delay = Ms(1.5);
    settings.dc.on = true;
    settings.equalizer.bands[0] = BandSettings {
        on: true,
        frequency: Hz(150.0),
        gain: Db(4.0),
        dynamic: DynamicSettings {
            range: Db(-6.0),
            threshold: Db(-30.0),
            key: KeySource::Own,
            ..Default::default()
        },
        ..BandSettings::default()
    };
    settings.equalizer.bands[1] =
        BandSettings { on: true, shape: Shape::HighShelf, frequency: Hz(200.0), ..BandSettings::default() };
    settings.compressor = CompressorSettings { on: true, ratio: 2.0, ..CompressorSettings::default() };
    settings.width = WidthSettings { width: 1.2, mono_below: Some(Hz(60.0)) };
    settings.limiter = LimiterSettings { on: true, drive: Db(3.0), ..LimiterSettings::default() };
    settings
}

/// A note of 100 Hz, left and right a little apart.
fn note() -> [Vec<f64>; 2] {
    [0.0, 0.4].map(|phase| {
        (0..FRAMES).map(|i| 0.4 * (TAU * 100.0 * i as f64 / RATE.0 + phase).sin()).collect::<Vec<f64>>()
    })
}

/// The loudest of what is above 3 kHz after the first fifth of a second, in dBFS, while `parameter` goes from one end to
/// the other and back in two seconds, as a host's automation moves it: every 64 frames.
fn noise_above(chain_kind: ChainKind, parameter: Option<&Parameter>) -> f64 {
    let mut chain = Chain::new(chain_kind, LatencyClass::Lookahead, RATE);
    let mut settings = working();
    let [mut left, mut right] = note();
    for start in (0..FRAMES).step_by(64) {
        if let Some(parameter) = parameter {
            let way = 1.0 - (start as f64 / FRAMES as f64 * 2.0 - 1.0).abs();
            parameter.set(&mut settings, parameter.at_fraction(way));
        }
        chain.set(&settings);
        let end = (start + 64).min(FRAMES);
        chain.process(&mut Block::new(&mut left[start..end], &mut right[start..end]));
    }
    let mut above = Equalizer::new(RATE);
    let mut cuts = EqualizerSettings::default();
    for band in &mut cuts.bands[..3] {
        *band = BandSettings {
            on: true,
            shape: Shape::LowCut,
            frequency: Hz(3000.0),
            slope: 48,
            ..BandSettings::default()
        };
    }
    above.set(&cuts);
    above.process(&mut Block::new(&mut left, &mut right));
    let loudest = left[9600..].iter().chain(&right[9600..]).fold(0.0f64, |m, x| m.max(x.abs()));
    units::decibels(loudest)
}

#[test]
fn automation_makes_no_zipper_noise() {
    let still = noise_above(ChainKind::Stem, None);
    assert!(still < -130.0, "{still}");
    let mut swept = 0;
    for parameter in PARAMETERS.for_kind(ChainKind::Stem) {
        let continuous =
            matches!(parameter.kind, ParameterKind::Number { skew, .. } if !matches!(skew, Skew::Steps(_)));
        let repeated = (3..=8).any(|n| parameter.id.starts_with(&format!("eq{n}_")));
        if continuous && !repeated {
            swept += 1;
            let noise = noise_above(ChainKind::Stem, Some(parameter));
            assert!(noise < -85.0, "{}: {noise} dBFS", parameter.id);
        }
    }
    assert!(swept > 30, "{swept}");
}
