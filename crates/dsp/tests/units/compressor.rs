//! Laws of the compressor.

use dsp::compressor::{Compressor, CompressorGain, CompressorSettings};
use dsp::detector::Detector;
use dsp::gain_stage::GainComputer;
use dsp::{Block, Key, KeySource, Process};
use proptest::prelude::*;
use testkit::{Stereo, sine};
use units::{Db, Hz, Ms, Samples, decibels, linear};

use crate::compressor_rig::plain;
use crate::rig::contract::obeys_contract;
use crate::rig::parts::parts_add_up;
use crate::rig::run::RunUnit;

const RATE: Hz = Hz(48_000.0);
const ZERO: Ms = Ms(0.0);

/// The reduction curve in dB for a key, left and right, with settings changed at frames.
fn reductions(max_lookahead: Ms, changes: &[(usize, &CompressorSettings)], key: &Stereo) -> Stereo {
    let mut computer = CompressorGain::new(RATE, max_lookahead);
    let frames = key.left.len();
    let mut gain = Stereo::mono(vec![0.0; frames]);
    let ends = changes.iter().map(|(at, _)| *at).skip(1).chain([frames]);
    for ((at, settings), end) in changes.iter().zip(ends) {
        computer.set(settings);
        let key = [&key.left[*at..end], &key.right[*at..end]];
        computer.compute(key, None, [&mut gain.left[*at..end], &mut gain.right[*at..end]]);
    }
    gain.left.iter_mut().chain(&mut gain.right).for_each(|gain| *gain = -decibels(*gain));
    gain
}

fn reduction(settings: &CompressorSettings, key: Vec<f64>) -> Vec<f64> {
    reductions(ZERO, &[(0, settings)], &Stereo::mono(key)).left
}

/// `quiet` frames of silence, then a level for `loud`, then silence again for `after`.
fn burst(quiet: usize, level_db: f64, loud: usize, after: usize) -> Vec<f64> {
    let mut signal = vec![0.0; quiet];
    signal.extend(vec![linear(level_db); loud]);
    signal.extend(vec![0.0; after]);
    signal
}

#[test]
fn stems_that_follow_add_up_to_the_compressed_sum() {
    let squeeze = |mix, link, lookahead| CompressorSettings {
        on: true,
        threshold: Db(-30.0),
        ratio: 6.0,
        cap: Db(24.0),
        makeup: Db(6.0),
        mix,
        link,
        lookahead: Ms(lookahead),
        ..CompressorSettings::default()
    };
    let changes = [(0, squeeze(0.6, 0.5, 3.0)), (7000, squeeze(1.0, 1.0, 0.0))];
    parts_add_up(|| Compressor::new(RATE, Compressor::LOOKAHEAD), &changes, 1e-14);
}

#[test]
fn obeys() {
    let busy = [
        plain(),
        CompressorSettings {
            detector: Detector::Rms,
            key: KeySource::Sidechain,
            key_highpass: Some(Hz(90.0)),
            mix: 0.5,
            makeup: Db(3.0),
            lookahead: Ms(2.0),
            auto_release: true,
            knee: Db(12.0),
            ..plain()
        },
        CompressorSettings { key_highpass: Some(Hz(400.0)), link: 0.3, lookahead: Ms(5.0), ..plain() },
    ];
    for max_lookahead in [ZERO, Compressor::LOOKAHEAD] {
        obeys_contract(|| Compressor::new(RATE, max_lookahead), &CompressorSettings::default(), &busy);
        let dry = CompressorSettings { mix: 0.0, ..plain() };
        obeys_contract(|| Compressor::new(RATE, max_lookahead), &dry, &busy[..1]);
    }
}

#[test]
fn four_to_one_with_twelve_over_reduces_nine() {
    let end = *reduction(&plain(), burst(0, -8.0, 48_000, 0)).last().expect("frames");
    assert!((end - 9.0).abs() < 1e-6, "{end}");
    let rms = CompressorSettings { detector: Detector::Rms, ..plain() };
    let amplitude = linear(-8.0) * core::f64::consts::SQRT_2;
    let tone = sine(1000.0, 0.0, 48_000.0, 96_000).into_iter().map(|x| x * amplitude).collect();
    let end = *reduction(&rms, tone).last().expect("frames");
    assert!((end - 9.0).abs() < 0.05, "{end}");
}

#[test]
fn a_tone_reads_its_peak() {
    let tone = sine(1000.0, 0.0, 48_000.0, 48_000).into_iter().map(|x| x * linear(-8.0)).collect();
    let end = *reduction(&plain(), tone).last().expect("frames");
    assert!((end - 9.0).abs() < 0.01, "{end}");
}

#[test]
fn a_step_reaches_63_percent_after_attack_and_after_release() {
    for (attack, release) in [(10.0, 100.0), (0.5, 20.0), (200.0, 2000.0)] {
        let settings = CompressorSettings { attack: Ms(attack), release: Ms(release), ..plain() };
        let frames = |ms: f64| (ms * 48.0) as usize;
        let loud = frames(30.0 * attack);
        let curve = reduction(&settings, burst(1000, -8.0, loud, frames(3.0 * release) + 1000));
        let way = 1.0 - (-1f64).exp();
        let attacked = curve[1000 + frames(attack) - 1];
        assert!((attacked - 9.0 * way).abs() < 1e-6, "{attack}: {attacked}");
        // The peak detector holds for 5 ms.
        let released = curve[1000 + loud + 240 - 1 + frames(release)];
        assert!((released - 9.0 * (1.0 - way)).abs() < 1e-2, "{release}: {released}");
    }
}

#[test]
fn auto_release_is_slower_after_long_reduction() {
    let auto = CompressorSettings { auto_release: true, ..plain() };
    let left = |settings: &CompressorSettings, loud: usize| {
        let curve = reduction(settings, burst(0, -8.0, loud, 48_000));
        curve[loud + 240 + 4800] / curve[loud - 1]
    };
    assert!((left(&plain(), 2400) - 0.368).abs() < 0.01);
    assert!((left(&plain(), 144_000) - 0.368).abs() < 0.01);
    assert!(left(&auto, 2400) < 0.47, "{}", left(&auto, 2400));
    assert!(left(&auto, 144_000) > 0.75, "{}", left(&auto, 144_000));
}

#[test]
fn never_takes_more_than_the_cap() {
    let settings = CompressorSettings { cap: Db(3.0), ratio: 10.0, ..plain() };
    let end = *reduction(&settings, burst(0, 0.0, 48_000, 0)).last().expect("frames");
    assert!((end - 3.0).abs() < 1e-9, "{end}");
}

#[test]
fn link_draws_the_quiet_side_along() {
    for link in [0.0, 0.5, 1.0] {
        let settings = CompressorSettings { link, ..plain() };
        let key = Stereo { left: vec![linear(-8.0); 24_000], right: vec![linear(-40.0); 24_000] };
        let curve = reductions(ZERO, &[(0, &settings)], &key);
        assert!((curve.left[23_999] - 9.0).abs() < 1e-6);
        assert!((curve.right[23_999] - 9.0 * link).abs() < 1e-6);
    }
}

#[test]
fn lookahead_anticipates_within_a_constant_latency() {
    for (lookahead, samples) in [(0.0, 0), (2.0, 96), (5.0, 240)] {
        let settings = CompressorSettings { lookahead: Ms(lookahead), ..plain() };
        let key = Stereo::mono(burst(1000, -8.0, 4000, 0));
        let curve = reductions(Compressor::LOOKAHEAD, &[(0, &settings)], &key).left;
        // The step leaves at 1000 + 240; the gain moves `samples` before.
        let first = curve.iter().position(|&x| x > 0.0).expect("it compresses");
        assert_eq!(first, 1000 + 240 - samples);
        let mut compressor = Compressor::new(RATE, Compressor::LOOKAHEAD);
        compressor.set(&settings);
        assert_eq!(compressor.latency(), Samples(240));
    }
    let none = CompressorSettings { lookahead: Ms(5.0), ..plain() };
    let curve = reduction(&none, burst(1000, -8.0, 4000, 0));
    assert_eq!(curve.iter().position(|&x| x > 0.0), Some(1000), "no effect in the zero class");
}

#[test]
fn makeup_and_mix_apply_to_the_compressed_share() {
    let makeup = CompressorSettings { makeup: Db(9.0), ..plain() };
    let end = *reduction(&makeup, burst(0, -8.0, 48_000, 0)).last().expect("frames");
    assert!(end.abs() < 1e-6, "{end}");
    let half = CompressorSettings { mix: 0.25, ..plain() };
    let end = *reduction(&half, burst(0, -8.0, 48_000, 0)).last().expect("frames");
    assert!((linear(-end) - (0.75 + 0.25 * linear(-9.0))).abs() < 1e-7);
    let mut compressor = Compressor::new(RATE, ZERO);
    compressor.set(&half);
    let mut signal = Stereo::mono(burst(0, -8.0, 48_000, 0));
    signal.run(&mut compressor, 0..48_000);
    assert!((compressor.gain_reduction().0 - end).abs() < 1e-6);
}

#[test]
fn the_sidechain_is_heard_instead_and_silence_when_there_is_none() {
    let settings = CompressorSettings { key: KeySource::Sidechain, ..plain() };
    let mut compressor = Compressor::new(RATE, ZERO);
    compressor.set(&settings);
    let (mut left, mut right) = (vec![0.9; 9600], vec![0.9; 9600]);
    compressor.process(&mut Block::new(&mut left, &mut right));
    assert_eq!(compressor.gain_reduction(), Db(0.0));
    assert!(left.iter().all(|&x| x == 0.9));
    let loud = vec![linear(-8.0); 9600];
    let (mut left, mut right) = (vec![0.001; 9600], vec![0.001; 9600]);
    let key = Key { left: &loud, right: &loud };
    compressor.process(&mut Block::new(&mut left, &mut right).with_key(key));
    assert!((compressor.gain_reduction().0 - 9.0).abs() < 1e-3);
    assert!((left[9599] - 0.001 * linear(-9.0)).abs() < 1e-6);
}

#[test]
fn the_key_highpass_makes_it_deaf_to_bass() {
    let deaf = CompressorSettings { key_highpass: Some(Hz(500.0)), ..plain() };
    let bass: Vec<f64> = sine(40.0, 0.0, 48_000.0, 24_000);
    assert!(reduction(&deaf, bass.clone())[12_000..].iter().all(|&x| x == 0.0));
    assert!(reduction(&plain(), bass)[23_999] > 9.0);
}

#[test]
fn every_change_of_settings_is_free_of_clicks() {
    let loud = Stereo::mono(sine(3000.0, 0.0, 48_000.0, 20_000));
    let off = CompressorSettings { on: false, ..plain() };
    for to in [
        CompressorSettings { makeup: Db(12.0), ..plain() },
        CompressorSettings { mix: 0.0, ..plain() },
        CompressorSettings { threshold: Db(-40.0), ..plain() },
        CompressorSettings { detector: Detector::Rms, ..plain() },
        CompressorSettings { key_highpass: Some(Hz(500.0)), ..plain() },
        CompressorSettings { lookahead: Ms(5.0), ..plain() },
        CompressorSettings { link: 0.0, cap: Db(1.0), ..plain() },
        off,
    ] {
        for (from, to) in [(&plain(), &to), (&to, &plain())] {
            let curve = reductions(Compressor::LOOKAHEAD, &[(0, from), (10_007, to)], &loud).left;
            let largest = curve[9000..].windows(2).fold(0.0f64, |m, w| m.max((w[1] - w[0]).abs()));
            assert!(largest < 0.06, "{from:?} to {to:?}: {largest} dB in one sample");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reduction_lies_between_nothing_and_the_cap(
        (threshold, ratio, knee) in (-60.0..0.0, 1.0..10.0, 0.0..24.0),
        (attack, release, cap, lookahead) in (0.05..200.0, 10.0..2000.0, 1.0..24.0, 0.0..5.0),
        (auto_release, rms, link) in (any::<bool>(), any::<bool>(), 0.0..1.0),
        seed in any::<u32>(),
    ) {
        let settings = CompressorSettings {
            threshold: Db(threshold),
            ratio,
            knee: Db(knee),
            attack: Ms(attack),
            release: Ms(release),
            auto_release,
            cap: Db(cap),
            detector: if rms { Detector::Rms } else { Detector::Peak },
            lookahead: Ms(lookahead),
            link,
            ..plain()
        };
        let key = Stereo::noise(u64::from(seed), 4000, 1.0);
        let curve = reductions(Compressor::LOOKAHEAD, &[(0, &settings)], &key);
        prop_assert!(curve.left.iter().chain(&curve.right).all(|&x| x >= 0.0 && x <= cap + 1e-9));
    }
}

#[test]
fn settings_that_are_no_numbers_or_out_of_range_are_clamped() {
    let wild = CompressorSettings {
        threshold: Db(f64::NAN),
        ratio: 0.0,
        attack: Ms(-1.0),
        release: Ms(f64::INFINITY),
        cap: Db(1e9),
        lookahead: Ms(f64::NAN),
        key_highpass: Some(Hz(f64::NAN)),
        link: 7.0,
        ..plain()
    };
    let curve = reductions(Compressor::LOOKAHEAD, &[(0, &wild)], &Stereo::noise(1, 4000, 1.0));
    assert!(curve.is_finite());
}
