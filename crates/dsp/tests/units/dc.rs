//! Laws of the DC filter.

use core::f64::consts::PI;

use dsp::Process;
use dsp::dc::{DcFilter, DcSettings};
use testkit::Stereo;
use units::{Hz, decibels};

use crate::rig::contract::obeys_contract;
use crate::rig::run::RunUnit;

fn on(on: bool) -> DcSettings {
    DcSettings { on }
}

#[test]
fn obeys() {
    obeys_contract(|| DcFilter::new(Hz(48_000.0)), &on(false), &[on(true)]);
}

#[test]
fn a_constant_dies_away_and_the_corner_is_three_decibels_down() {
    for rate in [44_100.0, 96_000.0, 192_000.0] {
        let mut filter = DcFilter::new(Hz(rate));
        filter.set(&on(true));
        let frames = (rate * 3.0) as usize;
        let mut signal = Stereo {
            left: vec![0.5; frames],
            right: (0..frames).map(|i| (2.0 * PI * 5.0 * i as f64 / rate).sin()).collect(),
        };
        signal.run(&mut filter, 0..frames);
        assert!(signal.left[frames - 1].abs() < 1e-12);
        let last = &signal.right[frames - (rate / 5.0) as usize..];
        let rms = (last.iter().map(|x| x * x).sum::<f64>() / last.len() as f64).sqrt();
        assert!((decibels(rms * 2f64.sqrt()) + 3.0103).abs() < 1e-3, "{}", decibels(rms * 2f64.sqrt()));
    }
}

#[test]
fn switching_makes_no_step() {
    let mut filter = DcFilter::new(Hz(48_000.0));
    filter.set(&on(true));
    let mut signal = Stereo { left: vec![0.5; 96_000], right: vec![-0.5; 96_000] };
    signal.run(&mut filter, 0..48_000);
    filter.set(&on(false));
    signal.run(&mut filter, 48_000..60_000);
    assert!(filter.is_neutral());
    filter.set(&on(true));
    signal.run(&mut filter, 60_000..96_000);
    let largest = signal.left[1..].windows(2).fold(0.0f64, |m, w| m.max((w[1] - w[0]).abs()));
    assert!(largest < 1e-3, "{largest}");
}
