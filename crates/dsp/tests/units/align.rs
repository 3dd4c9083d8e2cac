//! Laws of the alignment delay.

use core::f64::consts::TAU;

use dsp::Process;
use dsp::align::{Align, AlignSettings};
use testkit::{Stereo, noise, sine};
use units::{Hz, Ms, decibels};

use crate::rig::contract::obeys_contract;
use crate::rig::run::RunUnit;

const RATE: Hz = Hz(48_000.0);

fn by(ms: f64) -> AlignSettings {
    AlignSettings { delay: Ms(ms) }
}

/// Samples at 44.1 kHz in milliseconds.
fn samples(delay: f64) -> AlignSettings {
    by(delay / 44.1)
}

/// The gain (dB) and the phase error (degrees) at `frequency` of a delay by `delay` samples, at 44.1 kHz, from the
/// impulse response.
fn errors(delay: f64, frequency: f64) -> (f64, f64) {
    let mut align = Align::new(Hz(44_100.0));
    align.set(&samples(delay));
    let mut signal = Stereo::silence(4000);
    signal.left[0] = 1.0;
    signal.run(&mut align, 0..4000);
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (i, x) in signal.left.iter().enumerate() {
        let angle = TAU * frequency / 44_100.0 * (i as f64 - delay);
        real += x * angle.cos();
        imaginary -= x * angle.sin();
    }
    (decibels(real.hypot(imaginary)), imaginary.atan2(real).to_degrees())
}

#[test]
fn obeys() {
    for busy in [
        vec![by(3.0), by(0.01), by(20.0)],
        vec![by(0.307), by(7.7701), by(1.0)],
        vec![by(0.62), by(0.66), by(0.0)],
    ] {
        obeys_contract(|| Align::new(RATE), &AlignSettings::default(), &busy);
    }
}

#[test]
fn whole_samples_are_exact() {
    for delay in [0, 1, 31, 32, 48, 333, 960] {
        let mut align = Align::new(RATE);
        align.set(&by(f64::from(delay) / 48.0));
        let mut signal = Stereo::noise(3, 3000, 0.9);
        let input = signal.clone();
        signal.run(&mut align, 0..3000);
        let delay = delay as usize;
        assert!(signal.left[..delay].iter().all(|&x| x == 0.0));
        assert!(signal.left[delay..] == input.left[..3000 - delay], "{delay}");
        assert!(signal.right[delay..] == input.right[..3000 - delay]);
    }
}

#[test]
fn long_delays_are_linear_in_phase_to_twenty_kilohertz() {
    for delay in [32.001, 32.5, 40.25, 99.9, 441.3, 881.7] {
        for frequency in [20.0, 150.0, 1000.0, 5000.0, 10_000.0, 15_000.0, 18_000.0, 19_000.0, 20_000.0] {
            let (gain, phase) = errors(delay, frequency);
            assert!(
                gain.abs() < 0.001 && phase.abs() < 0.003,
                "{delay} {frequency}: {gain} dB {phase} degrees"
            );
        }
    }
}

#[test]
fn short_delays_keep_the_magnitude_and_are_right_below() {
    for delay in [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 1.3, 1.5, 2.4, 3.0001, 3.5, 7.7, 16.5, 30.2, 31.5, 31.99] {
        for (frequency, most) in
            [(100.0, 0.1), (2000.0, 0.15), (5000.0, 1.0), (10_000.0, 3.0), (20_000.0, 11.4)]
        {
            let (gain, phase) = errors(delay, frequency);
            let late = phase.abs() / 360.0 / frequency * 1e6;
            assert!(gain.abs() < 1e-6, "{delay} {frequency}: {gain} dB");
            assert!(late < most, "{delay} {frequency}: {late} µs");
            assert!(delay < 3.0 || frequency > 10_000.0 || late < 0.2, "{delay} {frequency}: {late} µs");
        }
    }
}

#[test]
fn the_delay_is_the_same_in_time_at_every_rate() {
    for rate in [44_100.0, 48_000.0, 96_000.0, 192_000.0] {
        let mut align = Align::new(Hz(rate));
        align.set(&by(2.345));
        let frames = (0.2 * rate) as usize;
        let tone = sine(500.0, 0.0, rate, frames);
        let mut signal = Stereo { left: tone.clone(), right: tone };
        signal.run(&mut align, 0..frames);
        let expected = sine(500.0, -TAU * 500.0 * 0.002_345, rate, frames);
        let after = (0.1 * rate) as usize;
        assert!((after..frames).all(|i| (signal.left[i] - expected[i]).abs() < 1e-4), "{rate}");
    }
}

#[test]
fn a_sweep_never_clicks_and_never_gets_louder() {
    for tone in [60.0, 440.0] {
        let wave = sine(tone, 0.0, 48_000.0, 48_000);
        let mut signal = Stereo { left: wave.clone(), right: wave };
        let mut align = Align::new(RATE);
        let mut random = noise(8, 1000, 10.0).into_iter().map(|x| x + 10.0);
        for (i, start) in (0..48_000).step_by(100).enumerate() {
            // A sweep up, jumps, and nothing.
            let delay = match i {
                0..150 => i as f64 / 150.0 * 20.0,
                150..400 => random.next().expect("enough"),
                _ => 0.0,
            };
            align.set(&by(delay));
            signal.run(&mut align, start..start + 100);
        }
        let third = |w: &[f64]| (w[3] - 3.0 * w[2] + 3.0 * w[1] - w[0]).abs();
        let worst = signal.left.windows(4).fold(0.0f64, |m, w| m.max(third(w)));
        let own = (TAU * tone / 48_000.0).powi(3);
        assert!(worst < 2.0 * own + 2e-4, "{tone}: {worst} {own}");
        assert!(signal.left.iter().all(|x| x.abs() < 1.001));
        assert!(align.is_neutral(), "back at nothing");
    }
}

#[test]
fn settings_that_are_no_numbers_or_out_of_range_are_clamped() {
    for (wild, delay) in [(f64::NAN, 0), (-3.0, 0), (f64::INFINITY, 960), (99.0, 960)] {
        let mut align = Align::new(RATE);
        align.set(&by(wild));
        let mut signal = Stereo::silence(2000);
        signal.left[0] = 1.0;
        signal.run(&mut align, 0..2000);
        assert_eq!(signal.left.iter().position(|&x| x != 0.0), Some(delay), "{wild}");
    }
}

#[test]
fn a_short_delay_does_not_ring_when_it_begins() {
    for delay in [0.011, 0.05, 0.3, 1.6, 12.4] {
        for tone in [200.0, 2000.0] {
            let wave: Vec<f64> = sine(tone, 1.2, 48_000.0, 8000);
            let mut signal = Stereo { left: wave.clone(), right: wave };
            let mut align = Align::new(RATE);
            signal.run(&mut align, 0..4000);
            align.set(&by(delay / 48.0));
            signal.run(&mut align, 4000..8000);
            // What rings is at Nyquist, and the fourth difference makes 16 of it.
            let fourth = |w: &[f64]| (w[4] - 4.0 * w[3] + 6.0 * w[2] - 4.0 * w[1] + w[0]).abs();
            let worst = signal.left[3900..].windows(5).fold(0.0f64, |m, w| m.max(fourth(w)));
            let own = (TAU * tone / 48_000.0).powi(4);
            assert!(worst < 1.5 * own + 2e-4, "{delay} {tone}: {worst} {own}");
        }
    }
}
