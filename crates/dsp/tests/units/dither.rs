//! Laws of the quantizer; spectra of its noise are in `tests/sound`.

use dsp::Process;
use dsp::dither::{Dither, Quantizer};
use testkit::{Stereo, sine, spectrum};
use units::Hz;

use crate::rig::contract::obeys_contract;
use crate::rig::run::RunUnit;

const RATE: Hz = Hz(48_000.0);
const ALL: [Dither; 3] = [Dither::Bits24, Dither::Bits16, Dither::Bits16Shaped];

/// Steps from zero to full scale.
fn steps(dither: Dither) -> f64 {
    if dither == Dither::Bits24 { f64::from(1 << 23) } else { f64::from(1 << 15) }
}

fn quantized(rate: Hz, dither: Dither, signal: &Stereo) -> Stereo {
    let mut quantizer = Quantizer::new(rate);
    quantizer.set(&dither);
    let mut output = signal.clone();
    let frames = output.left.len();
    output.run(&mut quantizer, 0..frames);
    output
}

/// The errors in steps of a signal that no step knows of.
fn errors(rate: Hz, dither: Dither, frames: usize) -> Stereo {
    let tone = sine(997.0, 0.4, rate.0, frames);
    let signal = Stereo { left: tone.iter().map(|x| 0.3 * x).collect(), right: tone };
    let signal = Stereo { right: signal.right.iter().map(|x| 0.1 * x).collect(), ..signal };
    let mut output = quantized(rate, dither, &signal);
    for (output, input) in [(&mut output.left, &signal.left), (&mut output.right, &signal.right)] {
        output.iter_mut().zip(input).for_each(|(y, x)| *y = (*y - x) * steps(dither));
    }
    output
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn power(values: &[f64]) -> f64 {
    values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64
}

#[test]
fn obeys() {
    obeys_contract(|| Quantizer::new(RATE), &Dither::Off, &ALL);
    obeys_contract(|| Quantizer::new(Hz(96_000.0)), &Dither::Off, &ALL);
}

#[test]
fn files_of_different_names_have_independent_noise() {
    let frames = 50_000;
    let noise = |name: &str| {
        let mut quantizer = Quantizer::named(RATE, name);
        quantizer.set(&Dither::Bits24);
        let mut output = Stereo { left: vec![0.25; frames], right: vec![0.25; frames] };
        output.run(&mut quantizer, 0..frames);
        [output.left, output.right].map(|side| side.iter().map(|y| y - 0.25).collect::<Vec<_>>())
    };
    let names = ["01_Drums_Stem.wav", "02_Bass_Stem.wav", "03_Vocals_Stem.wav", "1", "2"];
    let noises: Vec<Vec<f64>> = names.iter().flat_map(|name| noise(name)).collect();
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    for (i, a) in noises.iter().enumerate() {
        for b in &noises[..i] {
            let likeness = product(a, b) / (product(a, a) * product(b, b)).sqrt();
            assert!(likeness.abs() < 0.02, "{likeness}");
        }
    }
    assert!(noise(names[0]) == noises[..2], "the same every time");
}

#[test]
fn the_error_is_a_quarter_step_squared_and_never_above_one_and_a_half_steps() {
    for dither in [Dither::Bits24, Dither::Bits16] {
        let errors = errors(RATE, dither, 200_000);
        for side in [&errors.left, &errors.right] {
            assert!(side.iter().all(|e| e.abs() <= 1.5 + 1e-6));
            assert!(mean(side).abs() < 0.005, "{}", mean(side));
            assert!((power(side) - 0.25).abs() < 0.005, "{}", power(side));
        }
        let products: Vec<f64> = errors.left.iter().zip(&errors.right).map(|(a, b)| a * b).collect();
        assert!(mean(&products).abs() < 0.003, "channels are independent");
    }
}

#[test]
fn output_is_whole_steps_within_the_integer_range() {
    let mut loud = Stereo::noise(3, 20_000, 1.5);
    loud.left[..4].copy_from_slice(&[1.0, -1.0, 1e300, -1e300]);
    for dither in ALL {
        let steps = steps(dither);
        let output = quantized(RATE, dither, &loud);
        for y in output.left.iter().chain(&output.right) {
            assert_eq!((y * steps).fract(), 0.0);
            assert!(*y >= -1.0 && *y <= 1.0 - 1.0 / steps);
        }
        assert_eq!((output.left[2], output.left[3]), (1.0 - 1.0 / steps, -1.0));
    }
}

#[test]
fn a_tone_below_one_step_survives() {
    let tone: Vec<f64> = sine(1000.0, 0.0, 48_000.0, 96_000).iter().map(|x| x * 0.3 / 32_768.0).collect();
    let output = quantized(RATE, Dither::Bits16, &Stereo { right: tone.clone(), left: tone });
    let bins = spectrum(&output.left);
    let amplitude = bins[2000].norm() / 48_000.0 * 32_768.0;
    assert!((amplitude - 0.3).abs() < 0.01, "{amplitude}");
    assert!(bins[6000].norm() / 48_000.0 * 32_768.0 < 0.01, "no harmonics");
}

#[test]
fn dither_ends_half_a_second_after_the_music() {
    let mut signal = Stereo::silence(60_000);
    signal.left[10_000] = 0.5;
    for dither in ALL {
        let output = quantized(RATE, dither, &signal);
        assert!(output.left[..10_000].iter().all(|&x| x == 0.0));
        assert!(output.left[10_001..34_000].iter().any(|&x| x != 0.0));
        assert!(output.left[33_000..34_000].iter().any(|&x| x != 0.0));
        assert!(output.left[34_001..].iter().all(|&x| x == 0.0));
        assert!(output.right.iter().all(|&x| x == 0.0), "the other side never began");
    }
}
