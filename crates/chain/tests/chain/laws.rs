//! Contract of the chain, its latency, bypass, level, sidechain and output protection.

use chain::parameters::{PARAMETERS, Value};
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::compressor::CompressorSettings;
use dsp::denoise::DenoiseSettings;
use dsp::equalizer::{BandSettings, DynamicSettings, Shape};
use dsp::limiter::LimiterSettings;
use dsp::saturator::SaturatorSettings;
use dsp::{Block, KeySource, Process};
use testkit::{Random, Stereo};
use units::{Db, Hz, Ms};

use crate::rig::contract::obeys_contract;
use crate::rig::run::RunUnit;

const RATE: Hz = Hz(48_000.0);

fn busy() -> ChainSettings {
    let mut settings = ChainSettings { level: Db(-2.0), ..ChainSettings::default() };
    settings.input.gain = Db(3.0);
    settings.denoise = DenoiseSettings { on: true, ..DenoiseSettings::default() };
    settings.align.delay = Ms(1.234);
    settings.equalizer.bands[2] =
        BandSettings { on: true, gain: Db(4.0), shape: Shape::HighShelf, ..BandSettings::default() };
    settings.compressor = CompressorSettings { on: true, ratio: 3.0, ..CompressorSettings::default() };
    settings.saturator = SaturatorSettings { on: true, drive: Db(6.0), ..SaturatorSettings::default() };
    settings.width.width = 1.3;
    settings.limiter = LimiterSettings { on: true, drive: Db(6.0), ..LimiterSettings::default() };
    settings
}

fn chains() -> [Chain; 6] {
    [ChainKind::Stem, ChainKind::Master]
        .map(|chain_kind| LatencyClass::ALL.map(|class| (chain_kind, class)))
        .as_flattened()
        .iter()
        .map(|&(chain_kind, class)| Chain::new(chain_kind, class, RATE))
        .collect::<Vec<_>>()
        .try_into()
        .unwrap_or_else(|_| unreachable!("two kinds, three classes"))
}

#[test]
fn obeys() {
    for chain_kind in [ChainKind::Stem, ChainKind::Master] {
        for class in LatencyClass::ALL {
            let bypassed = ChainSettings { bypass: true, ..busy() };
            // At 8 kHz the longest latency is well within the contract's signals.
            let rate = if class == LatencyClass::LinearDenoise { Hz(8000.0) } else { RATE };
            let make = || Chain::new(chain_kind, class, rate);
            obeys_contract(make, &ChainSettings::default(), &[busy(), bypassed]);
        }
    }
}

#[test]
fn bypass_is_the_delayed_input_to_the_bit() {
    for mut chain in chains() {
        chain.set(&ChainSettings { bypass: true, ..busy() });
        let mut signal = Stereo::noise(4, 12_000, 0.9);
        let input = signal.clone();
        signal.run(&mut chain, 0..12_000);
        let latency = chain.latency().0;
        assert_eq!(signal.left[latency..], input.left[..12_000 - latency]);
    }
}

#[test]
fn latency_is_that_of_the_class() {
    let latencies = chains().map(|chain| chain.latency().0);
    let (stem, master, front) = (240 + 64 + 96, 240 + 64 + 240, 2048 + 5120);
    assert_eq!(latencies, [0, stem, front + stem, 0, master, front + master]);
}

#[test]
fn a_stem_s_level_is_an_exact_gain_of_what_leaves_it() {
    let run = |level: f64| {
        let mut chain = Chain::new(ChainKind::Stem, LatencyClass::Lookahead, RATE);
        chain.set(&ChainSettings { level: Db(level), ..busy() });
        let mut signal = Stereo::noise(8, 5000, 0.9);
        signal.run(&mut chain, 0..5000);
        signal.left
    };
    let (flat, raised) = (run(0.0), run(3.0));
    let gain = Db(3.0).gain();
    assert!(flat.iter().zip(&raised).all(|(a, b)| (a * gain - b).abs() <= 1e-15 + b.abs() * 1e-12));
}

#[test]
fn a_master_has_no_sidechain_and_is_keyed_by_itself() {
    let run = |chain_kind, key, with_key: bool| {
        let mut settings = busy();
        settings.compressor.key = key;
        settings.equalizer.bands[2].dynamic =
            DynamicSettings { range: Db(-9.0), key, ..DynamicSettings::default() };
        let mut chain = Chain::new(chain_kind, LatencyClass::Zero, RATE);
        chain.set(&settings);
        let mut signal = Stereo::noise(8, 5000, 0.9);
        if with_key {
            signal.run(&mut chain, 0..5000);
        } else {
            chain.process(&mut Block::new(&mut signal.left, &mut signal.right));
        }
        (signal, chain.band_movements()[2])
    };
    let (own, sidechain) = (KeySource::Own, KeySource::Sidechain);
    assert!(run(ChainKind::Master, sidechain, true) == run(ChainKind::Master, own, true));
    assert!(run(ChainKind::Stem, sidechain, true) != run(ChainKind::Stem, own, true));
    assert!(run(ChainKind::Stem, own, true).1 < Db(-1.0));
    assert_eq!(run(ChainKind::Stem, sidechain, false).1, Db(0.0), "a Stem without a key hears nothing");
}

#[test]
fn non_finite_input_is_counted_and_silenced() {
    let mut chain = Chain::new(ChainKind::Stem, LatencyClass::Zero, RATE);
    let mut signal = Stereo::noise(8, 100, 0.9);
    signal.left[10] = f64::NAN;
    signal.right[11] = f64::INFINITY;
    signal.run(&mut chain, 0..100);
    assert_eq!((chain.sanitized(), signal.left[10], signal.right[11]), (2, 0.0, 0.0));
}

#[test]
fn every_parameter_swept_at_random_keeps_the_output_finite_and_bounded() {
    let table = PARAMETERS.all();
    for (seed, chain_kind) in [ChainKind::Stem, ChainKind::Master].into_iter().enumerate() {
        let mut chain = Chain::new(chain_kind, LatencyClass::Lookahead, RATE);
        let mut settings = ChainSettings::default();
        let mut random = Random::new(seed as u64 + 50);
        let mut signal = Stereo::noise(3, 96_000, 0.5);
        for start in (0..96_000).step_by(256) {
            for _ in 0..3 {
                let parameter = &table[random.below(table.len())];
                let value = parameter.at_fraction(random.unit());
                parameter.set(&mut settings, value);
            }
            chain.set(&settings);
            signal.run(&mut chain, start..start + 256);
        }
        assert!(signal.is_finite());
        // Trim, level, makeup, EQ and drive can each add their maximum; more than all of them is instability.
        let most = Db(24.0 + 8.0 * 18.0 + 24.0 + 24.0 + 12.0 + 12.0).gain();
        assert!(signal.peak() < most, "{}", signal.peak());
        assert_eq!(chain.faults(), 0);
    }
}

#[test]
fn the_default_of_every_parameter_is_the_default_of_the_chain() {
    let mut settings = ChainSettings::default();
    for parameter in PARAMETERS.all() {
        assert_eq!(parameter.get(&settings), parameter.default, "{}", parameter.id);
        parameter.set(&mut settings, parameter.default);
    }
    assert_eq!(settings, ChainSettings::default());
    assert_eq!(PARAMETERS.find("bypass").map(|p| p.default), Some(Value::Switch(false)));
}
