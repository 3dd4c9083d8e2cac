//! Laws of the input trim.

use dsp::Process;
use dsp::trim::{Polarity, Trim, TrimSettings};
use testkit::Stereo;
use units::{Db, Hz};

use crate::rig::contract::obeys_contract;
use crate::rig::run::RunUnit;

fn gain(gain: f64, polarity: Polarity) -> TrimSettings {
    TrimSettings { gain: Db(gain), polarity }
}

#[test]
fn obeys() {
    let busy = [gain(-6.0, Polarity::Left), gain(12.0, Polarity::None), gain(0.0, Polarity::Both)];
    obeys_contract(|| Trim::new(Hz(48_000.0)), &TrimSettings::default(), &busy);
}

#[test]
fn a_gain_multiplies_and_polarity_inverts_one_side() {
    let mut trim = Trim::new(Hz(48_000.0));
    trim.set(&gain(-6.0, Polarity::Right));
    let mut signal = Stereo::noise(3, 100, 1.0);
    let input = signal.clone();
    signal.run(&mut trim, 0..100);
    let factor = Db(-6.0).gain();
    for i in 0..100 {
        assert_eq!(signal.left[i], input.left[i] * factor);
        assert_eq!(signal.right[i], input.right[i] * -factor);
    }
}

#[test]
fn a_change_arrives_in_twenty_milliseconds_without_a_step() {
    let rate = Hz(48_000.0);
    let mut trim = Trim::new(rate);
    trim.set(&gain(0.0, Polarity::None));
    let mut signal = Stereo { left: vec![1.0; 2000], right: vec![1.0; 2000] };
    signal.run(&mut trim, 0..100);
    trim.set(&gain(-12.0, Polarity::None));
    signal.run(&mut trim, 100..2000);
    let largest = signal.left.windows(2).fold(0.0f64, |m, w| m.max((w[1] - w[0]).abs()));
    assert!(largest < 2e-3, "{largest}");
    assert_eq!(signal.left[100 + 960 + 64], Db(-12.0).gain());
}
