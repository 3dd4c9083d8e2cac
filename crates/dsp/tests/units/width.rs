//! Laws of the stereo width.

use core::f64::consts::PI;

use dsp::Process;
use dsp::width::{Width, WidthSettings};
use testkit::Stereo;
use units::Hz;

use crate::rig::contract::obeys_contract;
use crate::rig::run::RunUnit;

const RATE: Hz = Hz(48_000.0);

fn width(width: f64, mono_below: Option<f64>) -> WidthSettings {
    WidthSettings { width, mono_below: mono_below.map(Hz) }
}

#[test]
fn obeys() {
    let busy = [width(0.0, None), width(1.0, Some(120.0)), width(1.7, Some(300.0)), width(2.0, None)];
    obeys_contract(|| Width::new(RATE), &WidthSettings::default(), &busy);
}

#[test]
fn no_width_is_mono_and_double_width_doubles_the_side() {
    for factor in [0.0, 0.5, 2.0] {
        let mut unit = Width::new(RATE);
        unit.set(&width(factor, None));
        let mut signal = Stereo::noise(3, 500, 0.5);
        let input = signal.clone();
        signal.run(&mut unit, 0..500);
        for i in 0..500 {
            let (mid, side) = (signal.left[i] + signal.right[i], signal.left[i] - signal.right[i]);
            assert!((mid - input.left[i] - input.right[i]).abs() < 1e-15);
            assert!((side - factor * (input.left[i] - input.right[i])).abs() < 1e-15);
            assert!(factor != 0.0 || signal.left[i] == signal.right[i]);
        }
    }
}

#[test]
fn mono_below_removes_the_side_at_twelve_decibels_per_octave_and_leaves_the_mid() {
    let side_at = |frequency: f64| {
        let mut unit = Width::new(RATE);
        unit.set(&width(1.0, Some(200.0)));
        let tone = |i: usize| (2.0 * PI * frequency * i as f64 / RATE.0).sin();
        let mut signal = Stereo {
            left: (0..96_000).map(|i| tone(i) + 0.25).collect(),
            right: (0..96_000).map(|i| 0.25 - tone(i)).collect(),
        };
        signal.run(&mut unit, 0..96_000);
        let sides = (48_000..96_000).map(|i| {
            assert!((signal.left[i] + signal.right[i] - 0.5).abs() < 1e-15);
            (0.5 * (signal.left[i] - signal.right[i])).powi(2)
        });
        10.0 * (sides.sum::<f64>() / 24_000.0).log10()
    };
    assert!((side_at(200.0) + 3.0103).abs() < 0.01);
    assert!((side_at(25.0) - side_at(50.0) + 12.04).abs() < 0.05);
    assert!(side_at(4000.0).abs() < 0.01);
}

#[test]
fn changes_make_no_step() {
    let mut unit = Width::new(RATE);
    let tone = |phase: f64, i: usize| 0.5 * (2.0 * PI * 50.0 * i as f64 / RATE.0 + phase).sin();
    let mut signal = Stereo {
        left: (0..48_000).map(|i| tone(0.0, i)).collect(),
        right: (0..48_000).map(|i| tone(2.0, i)).collect(),
    };
    let changes = [width(1.0, None), width(1.0, Some(250.0)), width(2.0, Some(30.0)), width(0.0, None)];
    for (i, settings) in changes.iter().enumerate() {
        unit.set(settings);
        signal.run(&mut unit, i * 12_000..(i + 1) * 12_000);
    }
    let second = |w: &[f64]| (w[2] - 2.0 * w[1] + w[0]).abs();
    let largest = signal.left.windows(3).fold(0.0f64, |m, w| m.max(second(w)));
    assert!(largest < 3e-3, "{largest}");
}
