//! Laws of the class Linear & Denoise: constant latency, sidechain in step, noise learned.

use chain::parameters::{PARAMETERS, Value};
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::compressor::CompressorSettings;
use dsp::{Block, Key, KeySource, Process};
use testkit::Stereo;
use units::{Db, Hz};

use crate::rig::run::RunUnit;

const RATE: Hz = Hz(48_000.0);

/// Settings in which the switch `id` does something.
fn switched(id: &str) -> ChainSettings {
    let mut settings = ChainSettings::default();
    settings.equalizer.bands[0].gain = Db(6.0);
    settings.compressor.threshold = Db(-40.0);
    settings.saturator.drive = Db(12.0);
    settings.limiter.ceiling.0 = -12.0;
    settings.limiter.drive = Db(12.0);
    PARAMETERS.find(id).expect("exists").set(&mut settings, Value::Switch(true));
    settings
}

#[test]
fn no_switch_changes_the_latency_nor_leaves_anything_behind() {
    let frames = 150_000;
    let signal = Stereo::noise(6, frames, 0.5);
    for class in LatencyClass::ALL {
        for id in ["dn_on", "eq1_on", "comp_on", "sat_on", "lim_on", "dc_on", "bypass"] {
            let mut chain = Chain::new(ChainKind::Stem, class, RATE);
            let latency = chain.latency().0;
            let mut out = signal.clone();
            chain.set(&ChainSettings::default());
            out.run(&mut chain, 0..50_000);
            chain.set(&switched(id));
            out.run(&mut chain, 50_000..100_000);
            assert_eq!(chain.latency().0, latency);
            chain.set(&ChainSettings::default());
            out.run(&mut chain, 100_000..frames);
            let same = |i: usize| {
                out.left[i].to_bits() == signal.left[i - latency].to_bits()
                    && out.right[i].to_bits() == signal.right[i - latency].to_bits()
            };
            assert!((latency..50_000).all(same), "{class:?} {id}: neutral before");
            assert!((135_000..frames).all(same), "{class:?} {id}: neutral after");
            let parameter = PARAMETERS.find(id).expect("exists");
            let acts = !(60_000..100_000).all(same);
            // Tracked noise reduction has noise to track here; bypass shows nothing of a neutral chain.
            assert_eq!(acts, parameter.needs() <= class && id != "bypass", "{class:?} {id}");
        }
    }
}

#[test]
fn the_sidechain_stays_in_step_with_the_audio() {
    // A keyed compressor does the same to the same frames, however late the class is.
    let run = |class: LatencyClass| {
        let mut chain = Chain::new(ChainKind::Stem, class, RATE);
        let compressor = CompressorSettings {
            on: true,
            key: KeySource::Sidechain,
            threshold: Db(-40.0),
            ratio: 4.0,
            ..CompressorSettings::default()
        };
        chain.set(&ChainSettings { compressor, ..ChainSettings::default() });
        let latency = chain.latency().0;
        let frames = 40_000;
        let mut signal = Stereo::noise(7, frames, 0.5);
        let mut key = vec![0.0; frames];
        key[10_000..15_000].fill(0.8);
        for start in (0..frames).step_by(400) {
            let range = start..start + 400;
            let key = Key { left: &key[range.clone()], right: &key[range.clone()] };
            let (left, right) = (&mut signal.left[range.clone()], &mut signal.right[range]);
            chain.process(&mut Block::new(left, right).with_key(key));
        }
        signal.left.split_off(latency)
    };
    let (early, late) = (run(LatencyClass::Lookahead), run(LatencyClass::LinearDenoise));
    assert!(early[..late.len()] == late[..]);
    assert!(early[12_000].abs() > 0.0 && late[12_000] != Stereo::noise(7, 40_000, 0.5).left[12_000]);
}

#[test]
fn noise_is_learned_behind_the_trim() {
    let mut chain = Chain::new(ChainKind::Stem, LatencyClass::LinearDenoise, RATE);
    let mut settings = ChainSettings::default();
    settings.input.gain = Db(6.0);
    chain.set(&settings);
    chain.set_noise_learning(true);
    let mut hiss = Stereo::noise(3, 200_000, 1e-3 * 3f64.sqrt());
    hiss.run(&mut chain, 0..200_000);
    let print = chain.learned_noise().expect("heard");
    let mean = print.levels()[4..80].iter().sum::<f32>() / 76.0;
    assert!((mean + 103.8 - 6.0).abs() < 0.2, "{mean}");
    let mut zero = Chain::new(ChainKind::Stem, LatencyClass::Zero, RATE);
    zero.set_noise_learning(true);
    Stereo::noise(3, 20_000, 0.1).run(&mut zero, 0..20_000);
    assert!(zero.learned_noise().is_none() && zero.noise_print().is_none());
}
