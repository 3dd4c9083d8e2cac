//! Laws of the monitor: every mode is what it says, and leaves no bit behind.

use chain::monitor::MonitorMode;
use chain::{Chain, ChainKind, ChainSettings, LatencyClass};
use dsp::Process;
use dsp::denoise::{BANDS, DenoiseSettings, NoisePrint};
use dsp::equalizer::{BandSettings, Shape};
use testkit::Stereo;
use units::{Db, Hz};

use crate::rig::run::RunUnit;

fn sine(frequency: f64, frames: usize) -> Vec<f64> {
    testkit::sine(frequency, 0.0, RATE.0, frames)
}

const RATE: Hz = Hz(48_000.0);
const FRAMES: usize = 24_000;

fn settings() -> ChainSettings {
    let mut settings = ChainSettings { level: Db(-3.0), ..ChainSettings::default() };
    settings.equalizer.bands[1] =
        BandSettings { on: true, gain: Db(6.0), shape: Shape::LowShelf, ..BandSettings::default() };
    settings.width.width = 1.5;
    settings
}

const MODES: [MonitorMode; 10] = [
    MonitorMode::Delta,
    MonitorMode::Bypass(Db(-4.0)),
    MonitorMode::Gain(Db(-7.0)),
    MonitorMode::Unity(Db(-5.0)),
    MonitorMode::Mono,
    MonitorMode::Side,
    MonitorMode::Left,
    MonitorMode::Right,
    MonitorMode::Removed,
    MonitorMode::Off,
];

fn chain(class: LatencyClass) -> Chain {
    let mut chain = Chain::new(ChainKind::Stem, class, RATE);
    chain.set(&settings());
    chain
}

#[test]
fn every_mode_is_what_it_says() {
    for class in LatencyClass::ALL {
        let input = Stereo::noise(4, FRAMES, 0.5);
        let (mut output, mut plain) = (input.clone(), chain(class));
        output.run(&mut plain, 0..FRAMES);
        let latency = plain.latency().0;
        for mode in MODES {
            let mut listening = chain(class);
            listening.set_monitor_mode(mode);
            assert_eq!(listening.monitor_mode(), mode);
            let mut heard = input.clone();
            heard.run(&mut listening, 0..FRAMES);
            for i in latency.max(2000)..FRAMES {
                let (dry, wet) =
                    ([input.left[i - latency], input.right[i - latency]], [output.left[i], output.right[i]]);
                let expected = match mode {
                    MonitorMode::Delta => [wet[0] - dry[0], wet[1] - dry[1]],
                    MonitorMode::Bypass(gain) => dry.map(|x| x * gain.gain()),
                    MonitorMode::Gain(gain) | MonitorMode::Unity(gain) => wet.map(|x| x * gain.gain()),
                    MonitorMode::Mono => [0.5 * (wet[0] + wet[1]); 2],
                    MonitorMode::Side => [0.5 * (wet[0] - wet[1]); 2],
                    MonitorMode::Left => [wet[0]; 2],
                    MonitorMode::Right => [wet[1]; 2],
                    MonitorMode::Removed => [0.0; 2],
                    _ => wet,
                };
                assert_eq!([heard.left[i], heard.right[i]], expected, "{class:?} {mode:?} {i}");
            }
        }
    }
}

#[test]
fn having_listened_leaves_no_bit_behind() {
    for class in LatencyClass::ALL {
        let input = Stereo::noise(5, FRAMES, 0.5);
        let (mut output, mut plain) = (input.clone(), chain(class));
        output.run(&mut plain, 0..FRAMES);
        let (mut heard, mut listening) = (input, chain(class));
        for (i, mode) in
            [MonitorMode::Delta, MonitorMode::Side, MonitorMode::Bypass(Db(2.0)), MonitorMode::Off]
                .into_iter()
                .enumerate()
        {
            listening.set_monitor_mode(mode);
            heard.run(&mut listening, 4000 * i..4000 * (i + 1));
        }
        heard.run(&mut listening, 16_000..FRAMES);
        assert!(heard.left[16_000..] == output.left[16_000..], "{class:?}");
        assert!(heard.right[16_000..] == output.right[16_000..], "{class:?}");
        assert!(heard.left[..16_000] != output.left[..16_000], "{class:?}");
    }
}

#[test]
fn removed_noise_and_output_are_the_input() {
    let print = NoisePrint::new(&[-100.0; BANDS]).expect("as many as bands");
    let denoise = DenoiseSettings { on: true, print: Some(print), ..DenoiseSettings::default() };
    let settings = ChainSettings { denoise, ..ChainSettings::default() };
    let run = |mode| {
        let mut chain = Chain::new(ChainKind::Master, LatencyClass::LinearDenoise, RATE);
        chain.set(&settings);
        chain.set_monitor_mode(mode);
        let mut signal = Stereo::noise(6, 60_000, 2e-3);
        signal.run(&mut chain, 0..60_000);
        (signal.left, chain.latency().0)
    };
    let ((output, latency), (removed, _)) = (run(MonitorMode::Off), run(MonitorMode::Removed));
    let input = Stereo::noise(6, 60_000, 2e-3).left;
    let mut power = 0.0;
    for i in latency + 4000..60_000 {
        assert!((output[i] + removed[i] - input[i - latency]).abs() < 1e-12, "{i}");
        power += removed[i] * removed[i];
    }
    assert!(power > 1e-3, "{power}");
}

#[test]
fn a_band_is_heard_alone_and_its_key() {
    // 100 Hz and 8 kHz; the band is at 8 kHz.
    let mut settings = ChainSettings::default();
    settings.equalizer.bands[6] =
        BandSettings { on: true, frequency: Hz(8000.0), q: 2.0, gain: Db(0.0), ..BandSettings::default() };
    let (low, high) = (sine(100.0, FRAMES), sine(8000.0, FRAMES));
    let mixed: Vec<f64> = low.iter().zip(&high).map(|(l, h)| 0.5 * l + 0.1 * h).collect();
    for class in LatencyClass::ALL {
        for mode in [MonitorMode::Band(6), MonitorMode::Key(6)] {
            let mut chain = Chain::new(ChainKind::Stem, class, RATE);
            chain.set(&settings);
            chain.set_monitor_mode(mode);
            let mut signal = Stereo { left: mixed.clone(), right: mixed.clone() };
            signal.run(&mut chain, 0..FRAMES);
            let end = &signal.left[FRAMES - 4800..];
            let part = |frequency: f64| {
                let (mut re, mut im) = (0.0, 0.0);
                for (i, x) in end.iter().enumerate() {
                    let (sin, cos) = (core::f64::consts::TAU * frequency * i as f64 / 48_000.0).sin_cos();
                    (re, im) = (re + x * cos, im + x * sin);
                }
                2.0 * f64::hypot(re, im) / end.len() as f64
            };
            let heard = (part(8000.0), part(100.0));
            // The key of a band is what the test's sidechain is not: the band listens to itself.
            assert!((heard.0 - 0.1).abs() < 0.02 && heard.1 < 0.01, "{class:?} {mode:?}: {heard:?}");
        }
    }
}

#[test]
fn switching_does_not_click() {
    let tone = sine(100.0, 104_000);
    let rough = |x: &[f64]| x.windows(3).map(|w| (w[2] - 2.0 * w[1] + w[0]).abs()).fold(0.0, f64::max);
    let mut signal = Stereo { left: tone.clone(), right: tone.iter().map(|x| -0.5 * x).collect() };
    let mut chain = chain(LatencyClass::LinearDenoise);
    let modes = [MonitorMode::Off, MonitorMode::Mono].into_iter().chain(MODES).chain([MonitorMode::Delta]);
    for (i, mode) in modes.enumerate() {
        chain.set_monitor_mode(mode);
        signal.run(&mut chain, 8000 * i..8000 * (i + 1));
    }
    // The loudest mode is the shelf's 6 dB on a widened side.
    assert!(
        rough(&signal.left[8100..]) < 4.0 * rough(&tone[1..]),
        "{}",
        rough(&signal.left) / rough(&tone[1..])
    );
}

#[test]
fn it_ends_at_reset() {
    let mut chain = chain(LatencyClass::Lookahead);
    for mode in [MonitorMode::Mono, MonitorMode::Band(2)] {
        chain.set_monitor_mode(mode);
        Stereo::noise(1, 4000, 0.5).run(&mut chain, 0..4000);
        chain.reset();
        assert_eq!(chain.monitor_mode(), MonitorMode::Off);
        chain.set(&settings());
        let mut fresh = self::chain(LatencyClass::Lookahead);
        let (mut a, mut b) = (Stereo::noise(2, 4000, 0.5), Stereo::noise(2, 4000, 0.5));
        a.run(&mut chain, 0..4000);
        b.run(&mut fresh, 0..4000);
        assert!(a == b);
    }
}
