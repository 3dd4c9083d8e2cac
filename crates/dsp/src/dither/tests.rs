use super::super::contract::{Stereo, noise as random, obeys_contract};
use super::*;
use testkit::figure::{Figure, hold};
use testkit::{sine, spectrum};

const RATE: Hz = Hz(48_000.0);
const ALL: [Dither; 3] = [Dither::Bits24, Dither::Bits16, Dither::Bits16Shaped];

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
        output.iter_mut().zip(input).for_each(|(y, x)| *y = (*y - x) * dither.steps());
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
fn the_noise_is_triangular() {
    let draws: Vec<f64> = (1..=400_000u64).map(|n| triangular(SPLITMIX_STEP.wrapping_mul(n))).collect();
    assert!(draws.iter().all(|x| x.abs() <= 1.0));
    assert!(mean(&draws).abs() < 0.003, "{}", mean(&draws));
    assert!((power(&draws) - 1.0 / 6.0).abs() < 0.002, "{}", power(&draws));
    // P(|x| < 1/2) of a triangle is 3/4.
    let inner = draws.iter().filter(|x| x.abs() < 0.5).count() as f64 / draws.len() as f64;
    assert!((inner - 0.75).abs() < 0.004, "{inner}");
    let products: Vec<f64> = draws.windows(2).map(|w| w[0] * w[1]).collect();
    assert!(mean(&products).abs() < 0.002, "neighbours are independent");
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
        let steps = dither.steps();
        let output = quantized(RATE, dither, &loud);
        for y in output.left.iter().chain(&output.right) {
            assert_eq!((y * steps).fract(), 0.0);
            assert!(*y >= -1.0 && *y <= 1.0 - 1.0 / steps);
        }
        assert_eq!((output.left[2], output.left[3]), (1.0 - 1.0 / steps, -1.0));
    }
}

/// Mean power of the error per bin, in parts of a step squared: that of white noise is its variance.
pub(crate) fn error_spectrum(rate: f64, dither: Dither) -> Vec<f64> {
    const FRAMES: usize = 1 << 17;
    let errors = errors(Hz(rate), dither, FRAMES);
    let turn = core::f64::consts::TAU / FRAMES as f64;
    let window = |i: usize| (1.0 - (turn * i as f64).cos()) / 1.5f64.sqrt();
    let windowed: Vec<f64> = errors.left.iter().enumerate().map(|(i, e)| e * window(i)).collect();
    spectrum(&windowed).iter().map(|bin| bin.norm_sqr() / FRAMES as f64).collect()
}

/// The mean of `values` over a thousand hertz from `from` on, dB.
pub(crate) fn over_a_kilohertz(values: &[f64], rate: f64, from: f64) -> f64 {
    let bin = |hertz: f64| (hertz / (0.5 * rate) * (values.len() - 1) as f64) as usize;
    10.0 * mean(&values[bin(from)..bin(from + 1000.0)]).log10()
}

/// What shaped noise should be, per bin as [`error_spectrum`].
fn published(shape: &[f64; 5], bins: usize) -> Vec<f64> {
    let response = |k: usize, part: fn(f64) -> f64| {
        let w = core::f64::consts::PI * k as f64 / (bins - 1) as f64;
        shape.iter().enumerate().map(|(i, c)| c * part((i + 1) as f64 * w)).sum::<f64>()
    };
    (0..bins)
        .map(|k| 0.25 * ((1.0 - response(k, f64::cos)).powi(2) + response(k, f64::sin).powi(2)))
        .collect()
}

pub(crate) fn figures() -> Vec<Figure> {
    let mut figures = Vec::new();
    for (bits, dither) in [(24, Dither::Bits24), (16, Dither::Bits16)] {
        let off = [44_100.0, 96_000.0].map(|rate| {
            let bins = error_spectrum(rate, dither);
            let places = [500.0, 2500.0, 3500.0, 8000.0, 16_000.0];
            places.map(|from| (over_a_kilohertz(&bins, rate, from) - 10.0 * 0.25f64.log10()).abs())
        });
        let worst = off.iter().flatten().copied().fold(0.0, f64::max);
        let what = format!("noise of {bits} bits: off a quarter of a step squared, at any frequency");
        figures.push(Figure::at_most(what, worst, "dB", 0.5));
    }
    for (rate, shape) in [(44_100.0, SHAPE), (96_000.0, HIGH_RATE_SHAPE)] {
        let bins = error_spectrum(rate, Dither::Bits16Shaped);
        let wanted = published(&shape, bins.len());
        let off = [500.0, 2500.0, 3500.0, 8000.0, 16_000.0]
            .map(|from| (over_a_kilohertz(&bins, rate, from) - over_a_kilohertz(&wanted, rate, from)).abs());
        let kilohertz = rate / 1000.0;
        let what = format!("shaped noise of 16 bits at {kilohertz} kHz: off the published shape");
        figures.push(Figure::at_most(what, off.into_iter().fold(0.0, f64::max), "dB", 0.5));
        let lower = over_a_kilohertz(&bins, rate, 3500.0) - 10.0 * 0.25f64.log10();
        let what = format!("shaped noise of 16 bits at {kilohertz} kHz: at 3.5 to 4.5 kHz, against unshaped");
        figures.push(Figure::at_most(what, lower, "dB", -15.0).digits(1));
    }
    figures
}

#[test]
fn noise_is_white_or_shaped_as_published() {
    hold(&figures());
    for (rate, shape) in [(44_100.0, SHAPE), (96_000.0, HIGH_RATE_SHAPE)] {
        let errors = errors(Hz(rate), Dither::Bits16Shaped, 1 << 17);
        let gain = 1.0 + shape.iter().map(|c| c * c).sum::<f64>();
        assert!((power(&errors.left) / (0.25 * gain) - 1.0).abs() < 0.03);
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

#[test]
fn every_machine_rounds_alike() {
    for dither in [Dither::Bits24, Dither::Bits16, Dither::Bits16Shaped] {
        let mut outputs = Isa::all().map(|isa| {
            let mut quantizer = Quantizer { isa, ..Quantizer::new(RATE) };
            quantizer.set(&dither);
            let [mut left, mut right] = [random(1, 1001, 1.2), random(2, 1001, 0.001)];
            (left[500], right[3]) = (f64::NAN, f64::INFINITY);
            quantizer.process(&mut Block::new(&mut left, &mut right));
            [left, right]
        });
        let first = outputs.next().expect("there is one");
        assert!(outputs.all(|output| output == first), "{dither:?}");
    }
}
