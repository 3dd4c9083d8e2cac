//! Laws of the noise reduction; how near it comes to an oracle is in `tests/sound`.

use dsp::denoise::{BANDS, CURVE_POINTS, Denoise, DenoiseSettings, NoisePrint};
use dsp::{Block, GainLog, Process};
use testkit::{Random, Stereo, sine, spectrum};
use units::{Db, Hz, Ms, Samples};

use crate::denoise_rig::{denoised, hiss, learned, level, print_of_hiss, with_print};
use crate::rig::contract::obeys_contract;
use crate::rig::parts::parts_add_up;
use crate::rig::run::RunUnit;

const RATE: Hz = Hz(48_000.0);

#[test]
fn stems_that_follow_add_up_to_the_sum_as_far_as_single_precision_goes() {
    let on =
        DenoiseSettings { on: true, reduction: Db(24.0), threshold: Db(12.0), ..DenoiseSettings::default() };
    parts_add_up(|| Denoise::new(Hz(8000.0)), &[(0, on)], 3e-7);
}

#[test]
fn obeys() {
    let loud = NoisePrint::new(&[-50.0; BANDS]).expect("as many as bands");
    let tracking = DenoiseSettings { on: true, reduction: Db(12.0), ..DenoiseSettings::default() };
    let busy = [
        with_print(loud, 12.0),
        tracking,
        DenoiseSettings { threshold: Db(-6.0), smoothing: Ms(500.0), ..with_print(loud, 24.0) },
    ];
    obeys_contract(|| Denoise::new(RATE), &DenoiseSettings::default(), &busy);
    obeys_contract(|| Denoise::new(Hz(8000.0)), &DenoiseSettings::default(), &busy);
    obeys_contract(|| Denoise::new(RATE), &with_print(loud, 0.0), &busy[..1]);
}

#[test]
fn the_window_is_the_latency() {
    for (rate, window) in
        [(8000.0, 512), (44_100.0, 2048), (48_000.0, 2048), (96_000.0, 4096), (192_000.0, 8192)]
    {
        assert_eq!(Denoise::new(Hz(rate)).latency(), Samples(window), "{rate}");
    }
}

#[test]
fn a_print_is_the_noise_per_hertz_at_every_rate() {
    for rate in [44_100.0, 48_000.0, 96_000.0] {
        let print = learned(Hz(rate), &hiss(3, 10 * rate as usize));
        let expected = -60.0 - 10.0 * (rate / 2.0).log10();
        for (band, level) in print.levels().iter().enumerate().skip(1) {
            if NoisePrint::frequency(band) < 0.49 * rate {
                assert!((f64::from(*level) - expected).abs() < 0.6, "{rate} {band}: {level}");
            }
        }
        let mean = print.levels()[1..80].iter().sum::<f32>() / 79.0;
        assert!((f64::from(mean) - expected).abs() < 0.1, "{rate}: {mean} {expected}");
    }
}

#[test]
fn nothing_is_learned_from_silence_or_too_little() {
    let mut unit = Denoise::new(RATE);
    assert_eq!(unit.learned_print(), None);
    unit.set_learning(true);
    Stereo::silence(48_000).run(&mut unit, 0..48_000);
    assert_eq!(unit.learned_print(), None);
}

#[test]
fn learning_forgets_what_came_before() {
    let mut unit = Denoise::new(RATE);
    hiss(3, 40_000).run(&mut unit, 0..40_000);
    unit.set_learning(true);
    let mut quiet = Stereo::noise(4, 96_000, 1e-5);
    quiet.run(&mut unit, 0..96_000);
    unit.set_learning(false);
    hiss(5, 40_000).run(&mut unit, 0..40_000);
    let print = unit.learned_print().expect("heard");
    assert!(print.levels().iter().all(|level| *level < -140.0));
}

#[test]
fn what_is_tracked_is_the_noise() {
    let mut unit = Denoise::new(RATE);
    unit.set(&DenoiseSettings { on: true, ..DenoiseSettings::default() });
    hiss(6, 400_000).run(&mut unit, 0..400_000);
    let mean = unit.noise_print().levels()[4..80].iter().sum::<f32>() / 76.0;
    assert!((mean + 103.8).abs() < 1.0, "{mean}");
    // A held tone in a wide band is not taken for noise.
    let tone = sine(6000.0 / 48_000.0, 0.0, 1.0, 400_000);
    let mut signal = hiss(7, 400_000);
    for side in [&mut signal.left, &mut signal.right] {
        side.iter_mut().zip(&tone).for_each(|(x, t)| *x += 0.1 * t);
    }
    unit.reset();
    signal.run(&mut unit, 0..400_000);
    let off = |band: &usize| (NoisePrint::frequency(*band) - 6000.0).abs();
    let band = (0..BANDS).min_by(|a, b| off(a).total_cmp(&off(b))).expect("there are bands");
    let found = unit.noise_print().levels()[band];
    assert!((found + 103.8).abs() < 3.0, "{found}");
}

/// Mean powers of the spectra of `signal`, per bin.
fn spectra(signal: &[f64], size: usize) -> Vec<Vec<f64>> {
    let window = |i: usize| 0.5 - 0.5 * (core::f64::consts::TAU * i as f64 / size as f64).cos();
    (0..(signal.len() - size) / (size / 2))
        .map(|frame| {
            let part: Vec<f64> = (0..size).map(|i| window(i) * signal[frame * size / 2 + i]).collect();
            spectrum(&part).iter().map(|bin| bin.norm_sqr()).collect()
        })
        .collect()
}

#[test]
fn noise_alone_is_lowered_by_the_reduction_and_stays_noise() {
    for reduction in [6.0, 12.0, 18.0] {
        let noise = hiss(11, 480_000);
        let out = denoised(RATE, &with_print(print_of_hiss(), reduction), &noise);
        let lowered = level(&noise.left[48_000..]) - level(&out.left[48_000..]);
        assert!((lowered - reduction).abs() < 1.0, "{reduction}: {lowered}");
        // Musical noise is bins that stand out for a moment.
        let (before, after) = (spectra(&noise.left[48_000..], 2048), spectra(&out.left[48_000..], 2048));
        let factor = Db(-reduction + 6.0).gain().powi(2);
        let pairs = before.iter().flatten().zip(after.iter().flatten());
        let strong = pairs.clone().filter(|(b, _)| **b > 1e-4).count();
        let outstanding = pairs.filter(|(b, a)| **b > 1e-4 && **a > factor * **b).count();
        assert!(outstanding * 50 < strong, "{reduction}: {outstanding} of {strong}");
    }
}

#[test]
fn what_is_removed_and_what_remains_are_the_input() {
    let mut unit = Denoise::new(RATE);
    unit.set(&with_print(print_of_hiss(), 12.0));
    let input = hiss(8, 20_000);
    let mut out = input.clone();
    let mut removed = Stereo::silence(20_000);
    for start in (0..20_000).step_by(500) {
        let range = start..start + 500;
        let mut block = Block::new(&mut out.left[range.clone()], &mut out.right[range.clone()]);
        unit.process_split(
            &mut block,
            [&mut removed.left[range.clone()], &mut removed.right[range]],
            &mut GainLog::Off,
        );
    }
    for i in 2048..20_000 {
        assert!((out.left[i] + removed.left[i] - input.left[i - 2048]).abs() < 1e-15);
    }
    assert!(level(&removed.right[10_000..]) > -63.0);
}

#[test]
fn the_stereo_image_stands_still() {
    let mut signal = hiss(9, 96_000);
    signal.right = signal.left.iter().map(|x| 0.25 * x).collect();
    let out = denoised(RATE, &with_print(print_of_hiss(), 24.0), &signal);
    assert!(out.left.iter().zip(&out.right).all(|(l, r)| (0.25 * l - r).abs() < 1e-9));
}

#[test]
fn thresholds_move_the_print() {
    let noise = hiss(12, 200_000);
    let run = |settings: DenoiseSettings| {
        let out = denoised(RATE, &settings, &noise);
        level(&noise.left[48_000..]) - level(&out.left[48_000..200_000])
    };
    // The noise is 12 dB above the moved print: nearly all stays.
    assert!(run(DenoiseSettings { threshold: Db(-12.0), ..with_print(print_of_hiss(), 24.0) }) < 0.5);
    let mut curve = [Db(-24.0); CURVE_POINTS];
    let lowered = |curve| run(DenoiseSettings { curve, ..with_print(print_of_hiss(), 24.0) });
    assert!(lowered(curve) < 0.1);
    // Only the octaves from 8 kHz on, two thirds of the power.
    (curve[7], curve[8]) = (Db(0.0), Db(0.0));
    let part = lowered(curve);
    assert!((3.0..6.5).contains(&part), "{part}");
}

#[test]
fn no_change_of_settings_clicks() {
    let tone: Vec<f64> = sine(100.0 / 48_000.0, 0.0, 1.0, 120_000).iter().map(|x| 0.01 * x).collect();
    let mut signal = Stereo { left: tone.clone(), right: tone };
    let loud = NoisePrint::new(&[-50.0; BANDS]).expect("as many as bands");
    let changes = [
        DenoiseSettings::default(),
        with_print(loud, 24.0),
        with_print(loud, 3.0),
        DenoiseSettings::default(),
        with_print(loud, 24.0),
        with_print(print_of_hiss(), 24.0),
    ];
    let mut unit = Denoise::new(RATE);
    for (i, settings) in changes.iter().enumerate() {
        unit.set(settings);
        signal.run(&mut unit, i * 20_000..(i + 1) * 20_000);
    }
    let second = |w: &[f64]| (w[2] - 2.0 * w[1] + w[0]).abs();
    let rough = signal.left[4000..].windows(3).map(second).fold(0.0, f64::max);
    let plain = 0.01 * (core::f64::consts::TAU * 100.0 / 48_000.0).powi(2);
    assert!(rough < 1.2 * plain, "{rough} {plain}");
}

#[test]
fn a_random_sweep_of_a_minute_never_adds() {
    let mut random = Random::new(13);
    let mut unit = Denoise::new(RATE);
    for _ in 0..6 {
        let mut signal = Stereo::noise(14, 480_000, 0.01);
        for start in (0..480_000).step_by(480) {
            unit.set(&DenoiseSettings {
                on: random.chance(0.9),
                reduction: Db(random.between(0.0, 24.0)),
                threshold: Db(random.between(-12.0, 12.0)),
                smoothing: Ms(random.between(20.0, 920.0)),
                print: random
                    .chance(0.9)
                    .then(|| NoisePrint::new(&[random.between(-100.0, -80.0) as f32; BANDS]).expect("fits")),
                ..DenoiseSettings::default()
            });
            signal.run(&mut unit, start..start + 480);
        }
        assert!(signal.peak() < 0.02, "{}", signal.peak());
    }
}
