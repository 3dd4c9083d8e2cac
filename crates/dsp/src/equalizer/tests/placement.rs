//! Placement of bands in the stereo field.

use super::*;

fn run(placement: Placement) -> (Stereo, Stereo) {
    let mut equalizer = Equalizer::new(RATE);
    equalizer.set(&only(BandSettings { placement, ..band(Shape::Bell, 2000.0, 12.0, 1.0) }));
    let input = Stereo::noise(11, 4000, 0.5);
    let mut output = input.clone();
    output.run(&mut equalizer, 0..4000);
    (input, output)
}

fn alone(channel: &[f64]) -> Vec<f64> {
    let mut equalizer = Equalizer::new(RATE);
    equalizer.set(&only(band(Shape::Bell, 2000.0, 12.0, 1.0)));
    let mut signal = Stereo { left: channel.to_vec(), right: channel.to_vec() };
    signal.run(&mut equalizer, 0..channel.len());
    signal.left
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0f64, |m, (a, b)| m.max((a - b).abs()))
}

fn mid_and_side(signal: &Stereo) -> (Vec<f64>, Vec<f64>) {
    let pairs = || signal.left.iter().zip(&signal.right);
    (pairs().map(|(l, r)| 0.5 * (l + r)).collect(), pairs().map(|(l, r)| 0.5 * (l - r)).collect())
}

#[test]
fn mid_bands_leave_the_side_and_side_bands_the_mid() {
    let (input, output) = run(Placement::Mid);
    let ((mid, side), (new_mid, new_side)) = (mid_and_side(&input), mid_and_side(&output));
    assert!(difference(&side, &new_side) < 1e-15);
    assert!(difference(&alone(&mid), &new_mid) < 1e-14);
    let (input, output) = run(Placement::Side);
    let ((mid, side), (new_mid, new_side)) = (mid_and_side(&input), mid_and_side(&output));
    assert!(difference(&mid, &new_mid) < 1e-15);
    assert!(difference(&alone(&side), &new_side) < 1e-14);
}

#[test]
fn a_side_band_leaves_mono_alone_to_the_bit() {
    let mut equalizer = Equalizer::new(RATE);
    equalizer.set(&only(BandSettings { placement: Placement::Side, ..cut(Shape::HighCut, 500.0, 1.0, 48) }));
    let mut signal = Stereo::noise(12, 1000, 0.5);
    signal.right.clone_from(&signal.left);
    let input = signal.clone();
    signal.run(&mut equalizer, 0..1000);
    assert!(signal == input);
}

#[test]
fn left_and_right_bands_leave_the_other_channel_to_the_bit() {
    let (input, output) = run(Placement::Left);
    assert!(input.right == output.right && difference(&alone(&input.left), &output.left) < 1e-14);
    let (input, output) = run(Placement::Right);
    assert!(input.left == output.left && difference(&alone(&input.right), &output.right) < 1e-14);
    let (input, output) = run(Placement::Stereo);
    assert!(alone(&input.left) == output.left && alone(&input.right) == output.right);
}
