//! The limiter's laws.

use proptest::prelude::*;

use super::*;
use crate::gain_stage::GainStage;
use crate::limiter_rig::{limited, on};
use crate::rig::contract::obeys_contract;
use crate::rig::parts::parts_add_up;
use crate::rig::run::RunUnit;
use crate::{CONTROL_INTERVAL, Process};
use testkit::{Stereo, below, noise, scaled, sine, true_peak};
use units::decibels;

const RATE: Hz = Hz(48_000.0);
const RATES: [f64; 5] = [44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0];

fn both(signal: Vec<f64>) -> Stereo {
    Stereo { right: signal.clone(), left: signal }
}

/// The gain curve of a limiter fed `signal`, with settings changed at frames.
fn curve(latency: Ms, changes: &[(usize, LimiterSettings)], signal: &Stereo) -> Stereo {
    let mut computer = LimiterGain::new(RATE, latency);
    let frames = signal.left.len();
    let mut gain = both(vec![1.0; frames]);
    let ends = changes.iter().map(|(at, _)| *at).skip(1).chain([frames]);
    for ((at, settings), end) in changes.iter().zip(ends) {
        computer.set(settings);
        let audio = [&signal.left[*at..end], &signal.right[*at..end]];
        computer.compute(audio, None, [&mut gain.left[*at..end], &mut gain.right[*at..end]]);
    }
    gain
}

#[test]
fn stems_that_follow_add_up_to_the_limited_sum() {
    let limit =
        |drive, link| LimiterSettings { on: true, drive: Db(drive), link, ..LimiterSettings::default() };
    parts_add_up(
        || Limiter::new(RATE, Limiter::MASTER),
        &[(0, limit(12.0, 0.3)), (7000, limit(3.0, 1.0))],
        1e-14,
    );
}

#[test]
fn obeys() {
    let busy = [
        on(12.0),
        LimiterSettings { ceiling: Dbtp(-3.0), lookahead: Ms(0.3), release: Ms(30.0), link: 0.0, ..on(6.0) },
        on(0.0),
    ];
    for latency in [Limiter::STEM, Limiter::MASTER] {
        obeys_contract(|| Limiter::new(RATE, latency), &LimiterSettings::default(), &busy);
    }
}

#[test]
fn latency_is_the_given_time_detector_included() {
    for rate in RATES {
        for latency in [Limiter::STEM, Limiter::MASTER] {
            assert_eq!(Limiter::new(Hz(rate), latency).latency(), latency.samples(Hz(rate)));
        }
    }
    assert!(Limiter::new(Hz(44_100.0), Limiter::STEM).longest_lookahead().0 > 1.4);
}

fn settings() -> impl Strategy<Value = LimiterSettings> {
    (0.0..24.0, -12.0..0.0, -1.0..0.7, 1.0..3.0, 0.0..1.0).prop_map(
        |(drive, ceiling, lookahead, release, link)| LimiterSettings {
            on: true,
            drive: Db(drive),
            ceiling: Dbtp(ceiling),
            lookahead: Ms(10f64.powf(lookahead)),
            release: Ms(10f64.powf(release)),
            link,
        },
    )
}

/// Noise in bursts and three tones, each side its own.
fn anything(seed: u64, tones: [f64; 3], frames: usize) -> Stereo {
    let side = |seed: u64, shift: f64| {
        let bursts = noise(seed ^ 0xb0, frames / 256 + 1, 1.0);
        let hiss = noise(seed, frames, 1.0);
        let tones = tones.map(|f| sine(f, shift, 48_000.0, frames));
        let mixed = (0..frames)
            .map(|i| {
                hiss[i] * bursts[i / 256].max(0.0).powi(4) + 0.3 * tones.iter().map(|t| t[i]).sum::<f64>()
            })
            .collect::<Vec<f64>>();
        scaled(below(&mixed, 20_000.0, 48_000.0), 1.0)
    };
    Stereo { left: side(seed, 0.2), right: side(seed + 1, 1.7) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_to_twenty_kilohertz_stays_under_any_ceiling(
        settings in settings(),
        seed in any::<u32>(),
        tones in [20.0..20_000.0, 20.0..2000.0, 5000.0..20_000.0],
    ) {
        let signal = anything(u64::from(seed), tones, 9600);
        let output = limited(48_000.0, Limiter::MASTER, &settings, &signal);
        for side in [output.left, output.right] {
            let over = decibels(true_peak(&side)) - settings.ceiling.0;
            prop_assert!(over <= 0.05, "{over:+.3} dB");
        }
    }

    #[test]
    fn reduction_is_never_negative(settings in settings(), seed in any::<u32>()) {
        let signal = Stereo::noise(u64::from(seed), 3000, 1.0);
        let gain = curve(Limiter::STEM, &[(0, settings.clone())], &signal);
        let drive = settings.drive.gain();
        prop_assert!(gain.left.iter().chain(&gain.right).all(|&g| g > 0.0 && g <= drive));
    }
}

#[test]
fn below_the_ceiling_it_is_a_plain_delay_to_the_bit() {
    let signal = scaled(below(&noise(8, 20_000, 1.0), 20_000.0, 48_000.0), Db(-1.03).gain());
    let output = limited(48_000.0, Limiter::STEM, &on(0.0), &both(signal.clone()));
    assert!(output.left == signal && output.right == signal);
}

#[test]
fn the_gain_is_down_when_the_peak_comes_and_begins_a_lookahead_before() {
    for (lookahead, samples) in [(1.5, 72), (0.5, 24), (5.0, 216)] {
        let mut signal = vec![0.0; 2000];
        signal[1000] = 1.0;
        let settings = LimiterSettings { lookahead: Ms(lookahead), ceiling: Dbtp(-6.0), ..on(0.0) };
        let gain = curve(Limiter::MASTER, &[(0, settings)], &both(signal));
        let peak = 1000 + 240;
        let need = Dbtp(-6.0).amplitude();
        assert!((peak - 1..=peak + 1).all(|i| gain.left[i] <= need && gain.left[i] > need * 0.99));
        assert!(gain.left[..peak - samples - 1].iter().all(|&g| g == 1.0), "{lookahead}");
        assert!(gain.left[peak - samples + 3] < 1.0, "{lookahead}");
        let steepest = gain.left.windows(2).fold(0.0f64, |m, w| m.max((w[1] - w[0]).abs()));
        assert!(steepest < 1.3 / samples as f64, "{lookahead}: {steepest}");
    }
}

/// The reduction in dB, counted from the last frame over the ceiling of a tone that jumps up for `frames`.
fn reduction_after(frames: usize) -> Vec<f64> {
    let mut signal = sine(1000.0, 0.0, 48_000.0, 96_000);
    for (i, x) in signal.iter_mut().enumerate() {
        *x *= if (1000..1000 + frames).contains(&i) { 1.0 } else { 0.4 };
    }
    let settings = LimiterSettings { ceiling: Dbtp(-6.0), ..on(0.0) };
    let gain = curve(Limiter::STEM, &[(0, settings)], &both(signal));
    gain.left[1000 + frames + 96..].iter().map(|&gain| -decibels(gain)).collect()
}

#[test]
fn transients_are_over_in_an_eighth_and_sustained_reduction_in_the_release() {
    let transient = reduction_after(48);
    assert!(transient[48 * 50] < 0.37 * transient[0], "{} of {}", transient[48 * 50], transient[0]);
    let sustained = reduction_after(24_000);
    let (start, later) = (sustained[48 * 20], sustained[48 * 220]);
    assert!((later / start - (-1f64).exp()).abs() < 0.01, "{start} {later}");
    assert!(start > 0.95 * sustained[0]);
}

#[test]
fn link_draws_the_quiet_side_along() {
    for link in [0.0, 0.75, 1.0] {
        let tone = sine(1000.0, 0.0, 48_000.0, 24_000);
        let signal = Stereo { right: tone.iter().map(|x| 0.1 * x).collect(), left: tone };
        let settings = LimiterSettings { link, ..on(6.0) };
        let gain = curve(Limiter::STEM, &[(0, settings)], &signal);
        let reduction = |gain: &[f64]| 6.0 - decibels(gain[23_999]);
        let (left, right) = (reduction(&gain.left), reduction(&gain.right));
        assert!((left - 7.0 - MARGIN.0).abs() < 0.01, "{left}");
        assert!((right - link * left).abs() < 1e-6, "{link}: {right}");
    }
}

#[test]
fn every_change_of_settings_is_free_of_clicks() {
    let loud = both(sine(3000.0, 0.0, 48_000.0, 20_000));
    let off = LimiterSettings { on: false, ..on(12.0) };
    let short = LimiterSettings { lookahead: Ms(0.1), ..on(12.0) };
    let low = LimiterSettings { ceiling: Dbtp(-12.0), ..on(12.0) };
    for (from, to) in [(&off, on(12.0)), (&on(12.0), on(24.0)), (&on(12.0), short), (&on(12.0), low)] {
        for (from, to) in [(from, &to), (&to, from)] {
            let gain = curve(Limiter::STEM, &[(0, from.clone()), (10_007, to.clone())], &loud);
            let steps = gain.left[9000..].windows(2).map(|w| decibels(w[1] / w[0]).abs());
            let largest = steps.fold(0.0, f64::max);
            assert!(largest < 0.1, "{from:?} to {to:?}: {largest} dB in one sample");
        }
    }
}

#[test]
fn drive_comes_a_latency_later_and_stays_exactly() {
    let silence = Stereo::silence(30_000);
    let changes = [(0, on(3.0)), (4_001, on(12.0)), (4_500, on(6.0)), (11_000, on(0.0)), (11_333, on(9.0))];
    let [stem, master] =
        [Limiter::STEM, Limiter::MASTER].map(|latency| curve(latency, &changes, &silence).left);
    assert!(master[240..] == stem[96..30_000 - 144], "only the latency differs");
    assert!(stem[..4_001 + 96].iter().all(|&gain| gain == Db(3.0).gain()));
    assert!(stem[4_001 + 96 + CONTROL_INTERVAL] > Db(3.0).gain());
    assert!(stem[9_000..11_000 + 96].iter().all(|&gain| gain == Db(6.0).gain()));
    assert!(stem[14_000..].iter().all(|&gain| gain == Db(9.0).gain()));
    let steepest = stem.windows(2).map(|w| decibels(w[1] / w[0]).abs()).fold(0.0, f64::max);
    assert!(steepest < 0.02, "{steepest}");
}

#[test]
fn every_instruction_set_computes_the_same_gain() {
    let signal = anything(11, [300.0, 90.0, 9000.0], 20_000);
    let gains = |isa| {
        let mut computer = LimiterGain::new(RATE, Limiter::STEM);
        computer.isa = isa;
        computer.set(&on(12.0));
        let mut gain = both(vec![1.0; 20_000]);
        computer.compute([&signal.left, &signal.right], None, [&mut gain.left, &mut gain.right]);
        gain
    };
    let plainly = gains(Isa::portable());
    assert!(plainly.left.iter().any(|&gain| gain < Db(6.0).gain()), "it limits");
    for isa in Isa::all() {
        let gain = gains(isa);
        let pairs = gain.left.iter().zip(&plainly.left).chain(gain.right.iter().zip(&plainly.right));
        let most = pairs.map(|(a, b)| decibels(a / b).abs()).fold(0.0, f64::max);
        // The quarters are in single precision.
        assert!(most < 1e-4, "{isa:?}: {most:e} dB");
    }
}

#[test]
fn what_is_skipped_in_quiet_stretches_depends_on_no_block() {
    let settings = LimiterSettings { release: Ms(10.0), ..on(0.0) };
    let mut signal = Stereo::noise(5, 40_000, 0.1);
    for (i, loud) in noise(6, 1000, 3.0).into_iter().enumerate() {
        signal.left[i] = loud;
        signal.right[30_011 + i] = loud;
    }
    signal.left[39_001] = 1e5;
    let whole = curve(Limiter::STEM, &[(0, settings.clone())], &signal);
    assert!(whole.left[20_000..29_000].iter().all(|&gain| gain == 1.0), "it comes to rest");
    for block in [1, 17, 500] {
        let cuts: Vec<_> = (0..40_000).step_by(block).map(|at| (at, settings.clone())).collect();
        assert!(curve(Limiter::STEM, &cuts, &signal) == whole, "blocks of {block} give the same bits");
    }
}

#[test]
fn tells_the_deepest_reduction_and_where() {
    let mut limiter = Limiter::new(RATE, Limiter::STEM);
    limiter.set(&on(0.0));
    let mut signal = both(vec![0.0; 9000]);
    signal.left[3000] = 1.5;
    signal.right[5000] = -2.0;
    signal.left[7000] = 1.7;
    signal.run(&mut limiter, 0..9000);
    let expected = decibels(2.0) + 1.0 + MARGIN.0;
    assert!((limiter.max_gain_reduction().0 - expected).abs() < 1e-3, "{:?}", limiter.max_gain_reduction());
    assert!(limiter.max_gain_reduction_at().abs_diff(5000) <= 2, "{}", limiter.max_gain_reduction_at());
    let mut silence = Stereo::silence(48_000);
    silence.run(&mut limiter, 0..48_000);
    silence.run(&mut limiter, 47_000..48_000);
    assert!(limiter.gain_reduction().0 >= 0.0 && limiter.gain_reduction().0 < 0.1);
    limiter.reset();
    assert_eq!((limiter.max_gain_reduction(), limiter.max_gain_reduction_at()), (Db(0.0), 0));
}

#[test]
fn one_gain_on_two_stems_is_the_limited_sum() {
    let (one, other) = (Stereo::noise(1, 6000, 0.8), Stereo::noise(2, 6000, 0.8));
    let add = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<f64>>();
    let sum = Stereo { left: add(&one.left, &other.left), right: add(&one.right, &other.right) };
    let gain = curve(Limiter::MASTER, &[(0, on(6.0))], &sum);
    let mut limiter = Limiter::new(RATE, Limiter::MASTER);
    limiter.set(&on(6.0));
    let mut whole = sum.clone();
    whole.run(&mut limiter, 0..6000);
    let mut stems = [one, other];
    for stem in &mut stems {
        let channels = [&mut stem.left[..], &mut stem.right[..]];
        GainStage::new(limiter.latency()).apply(channels, [&gain.left, &gain.right]);
    }
    let left = add(&stems[0].left, &stems[1].left);
    assert!(left.iter().zip(&whole.left).all(|(a, b)| (a - b).abs() < 1e-14));
}
