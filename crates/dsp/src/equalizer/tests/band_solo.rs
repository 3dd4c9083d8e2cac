//! Solo of one band, or of its key.

use super::*;
use crate::{Key, KeySource};
use testkit::sine;

const FRAMES: usize = 24_000;

fn solo(target: SoloTarget, settings: BandSettings, signal: &Stereo, key: Option<&[f64]>) -> Stereo {
    let mut equalizer = Equalizer::new(RATE);
    let mut bands = EqualizerSettings::default();
    bands.bands[3] = settings;
    equalizer.set(&bands);
    equalizer.set_solo(Some(target));
    let mut output = signal.clone();
    let block = Block::new(&mut output.left, &mut output.right);
    match key {
        Some(key) => equalizer.process(&mut block.with_key(Key { left: key, right: key })),
        None => equalizer.process(&mut { block }),
    }
    output
}

fn loudest(samples: &[f64]) -> f64 {
    decibels(samples[FRAMES / 2..].iter().fold(1e-9f64, |m, x| m.max(x.abs())))
}

fn keyed(shape: Shape, frequency: f64, q: f64) -> BandSettings {
    let mut settings = band(shape, frequency, 0.0, q);
    settings.dynamic.key = KeySource::Sidechain;
    settings
}

#[test]
fn a_key_is_the_sidechain_in_the_band_and_nothing_else() {
    let signal = Stereo::noise(1, FRAMES, 1.0);
    // -3 dB where the band ends, 12 dB per octave on both sides of a bell and 24 beyond a shelf.
    let upper = 0.5f64.hypot(1.0) + 0.5; // of a bell of Q 1
    for (settings, tone, expected) in [
        (keyed(Shape::Bell, 1000.0, 1.0), 1000.0, 0.0),
        (keyed(Shape::Bell, 1000.0, 1.0), 1000.0 * upper, -3.01),
        (keyed(Shape::Bell, 1000.0, 1.0), 1000.0 / upper, -3.01),
        (keyed(Shape::Bell, 60.0, 1.0), 6000.0, -73.0),
        (keyed(Shape::LowShelf, 100.0, 1.0), 100.0, -3.01),
        (keyed(Shape::LowShelf, 100.0, 1.0), 20.0, 0.0),
        (keyed(Shape::LowShelf, 100.0, 1.0), 800.0, -72.2),
        (keyed(Shape::HighShelf, 4000.0, 1.0), 4000.0, -3.01),
        (keyed(Shape::HighShelf, 4000.0, 1.0), 500.0, -73.0),
    ] {
        let key = sine(tone, 0.0, RATE.0, FRAMES);
        let output = solo(SoloTarget::Key(3), settings, &signal, Some(&key));
        let got = loudest(&output.left);
        assert!(
            (got - expected).abs() < 0.5 && output.left[2000..] == output.right[2000..],
            "{settings:?} at {tone}: {got}"
        );
    }
    let silent = solo(SoloTarget::Key(3), keyed(Shape::Bell, 1000.0, 1.0), &signal, None);
    assert!(silent.left[2000..].iter().all(|&x| x == 0.0), "without a sidechain there is none");
}

#[test]
fn its_own_key_is_what_comes_to_the_band_and_the_band_is_what_leaves_it() {
    let tone = sine(1000.0, 0.0, RATE.0, FRAMES);
    let signal = Stereo { left: tone.clone(), right: tone.iter().map(|x| 0.5 * x).collect() };
    let settings = band(Shape::Bell, 1000.0, 6.0, 2.0);
    let key = solo(SoloTarget::Key(3), settings, &signal, None);
    assert!(loudest(&key.left).abs() < 0.01 && (loudest(&key.right) + 6.02).abs() < 0.01);
    let output = solo(SoloTarget::Band(3), settings, &signal, None);
    assert!((loudest(&output.left) - 6.0).abs() < 0.02, "{}", loudest(&output.left));
    let mid = solo(SoloTarget::Key(3), BandSettings { placement: Placement::Mid, ..settings }, &signal, None);
    assert!((loudest(&mid.left) - decibels(0.75)).abs() < 0.01 && mid.left[2000..] == mid.right[2000..]);
    let side =
        solo(SoloTarget::Key(3), BandSettings { placement: Placement::Side, ..settings }, &signal, None);
    assert!((loudest(&side.left) - decibels(0.25)).abs() < 0.01);
    assert!(side.left[2000..].iter().zip(&side.right[2000..]).all(|(l, r)| *l == -r));
}

#[test]
fn it_fades_in_and_out_and_leaves_no_trace() {
    let signal = Stereo { left: sine(80.0, 0.0, RATE.0, 40_000), right: sine(80.0, 0.0, RATE.0, 40_000) };
    for settings in [band(Shape::Bell, 90.0, 0.0, 2.0), band(Shape::LowShelf, 90.0, 6.0, 1.0)] {
        let (mut equalizer, mut plain) = (Equalizer::new(RATE), Equalizer::new(RATE));
        let (mut output, mut expected) = (signal.clone(), signal.clone());
        for unit in [&mut equalizer, &mut plain] {
            unit.set(&only(settings));
        }
        for (i, target) in
            [None, Some(SoloTarget::Band(0)), Some(SoloTarget::Key(0)), None].into_iter().enumerate()
        {
            equalizer.set_solo(target); // told nothing else: it is static until then
            assert_eq!(equalizer.solo(), target);
            output.run(&mut equalizer, i * 10_000..(i + 1) * 10_000);
            expected.run(&mut plain, i * 10_000..(i + 1) * 10_000);
        }
        assert!(output.left[..10_000] == expected.left[..10_000]);
        assert!(output.left[15_000] != expected.left[15_000] && output.left[25_000] != expected.left[25_000]);
        assert!(output.left[32_000..] == expected.left[32_000..], "the very output again");
        let third = |w: &[f64]| (w[3] - 3.0 * w[2] + 3.0 * w[1] - w[0]).abs();
        let worst = output.left[5000..].windows(4).fold(0.0f64, |m, w| m.max(third(w)));
        assert!(worst < 5e-3, "{worst}");
        equalizer.set_solo(Some(SoloTarget::Key(0)));
        equalizer.reset();
        assert_eq!(equalizer.solo(), None, "reset ends it");
    }
}
