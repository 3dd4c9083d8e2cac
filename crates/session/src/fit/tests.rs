use super::super::joint::JointHops;
use super::super::joint::tests::{StereoAudio, joint_of, mix, sources};
use super::*;
use testkit::noise;

const RATE: f64 = 8_000.0;

/// Hops of stems and of their mix, plus an unlinked part.
fn hops(stems: &[StereoAudio], mut sum: StereoAudio, unlinked: f64) -> JointHops {
    for (c, channel) in sum.iter_mut().enumerate() {
        let extra = noise(900 + c as u64, channel.len(), unlinked);
        channel.iter_mut().zip(extra).for_each(|(m, x)| *m += x);
    }
    let all: Vec<StereoAudio> = stems.iter().cloned().chain([sum]).collect();
    joint_of(&all, RATE)
}

fn session(seed: u64, gains: &[f64], unlinked: f64) -> JointHops {
    let stems = sources(seed, gains.len(), 8_000 * 12);
    let sum = mix(&stems, gains);
    hops(&stems, sum, unlinked)
}

fn left_gain(fit: &Fit, hop: usize, stem: usize) -> f64 {
    fit.arrivals(hop)[stem].gains[0][0]
}

fn level(hops: &Hops, source: usize) -> f64 {
    let sum = |powers: Vec<units::Power>| powers.iter().map(|p| p.0).sum::<f64>();
    sum(hops.powers_of(source)) / sum(hops.powers(&vec![1.0; hops.sources()]))
}

#[test]
fn gains_are_found_exactly_when_everything_is_linked() {
    let gains = [0.5, 2.0, -1.0, 0.8];
    let raw = session(1, &gains, 0.0);
    let fit = fit(&raw.row(), 4);
    for hop in 0..raw.len() {
        for (stem, gain) in gains.iter().enumerate() {
            assert!((left_gain(&fit, hop, stem) - gain).abs() < 1e-6, "{hop} {stem}");
        }
    }
    assert!((0..4).all(|stem| fit.gain_spread(stem).0 < 0.001));
}

#[test]
fn an_unlinked_track_does_not_shake_the_gains() {
    let gains = [1.0, 0.7, 1.3];
    let raw = session(2, &gains, 0.05);
    let fit = fit(&raw.row(), 3);
    for (stem, gain) in gains.iter().enumerate() {
        let mean = fit.mean_gains(stem).expect("fitted")[0][0];
        assert!((mean / gain - 1.0).abs() < 0.02, "{stem}: {mean}");
        assert!(fit.gain_spread(stem).0 < 0.5, "{stem}: {:?}", fit.gain_spread(stem));
    }
}

#[test]
fn resolved_sources_sum_to_the_mix() {
    let raw = session(3, &[1.0, 0.7, 1.3], 0.1);
    let resolved = resolve(&raw.row(), &fit(&raw.row(), 3));
    let total = resolved.powers(&[1.0; 4]);
    let mix = raw.as_sources().powers_of(3);
    for (a, b) in total.iter().zip(&mix) {
        assert!((a.0 - b.0).abs() <= 1e-9 * b.0.max(1e-9));
    }
}

#[test]
fn identical_stems_are_named_and_only_their_sum_is_fitted() {
    let mut stems = sources(4, 2, 40_000);
    stems.push(stems[0].clone());
    let raw = hops(&stems, mix(&stems, &[0.5, 1.7, 0.9]), 0.0);
    let fit = fit(&raw.row(), 3);
    assert_eq!(fit.inseparable(), Some((0, 2)));
    let (a, b) = (left_gain(&fit, 10, 0), left_gain(&fit, 10, 2));
    assert!((a + b - 1.4).abs() < 1e-6 && (a - b).abs() < 1e-3, "{a} {b}");
    assert!((left_gain(&fit, 10, 1) - 1.7).abs() < 1e-6, "the others are not touched");
    assert!(level(&resolve(&raw.row(), &fit), 3) < 1e-9);
}

#[test]
fn all_copies_are_known_as_inseparable() {
    let mut stems = sources(4, 3, 40_000);
    // two more of the first, one more of the second
    stems.extend([stems[0].clone(), stems[0].clone(), stems[1].clone()]);
    let raw = hops(&stems, mix(&stems, &[0.5, 1.7, 0.9, 0.7, 1.1, 0.6]), 0.0);
    let fit = fit(&raw.row(), 6);
    let inseparable: Vec<bool> = (0..6).map(|stem| fit.is_inseparable(stem)).collect();
    assert_eq!(inseparable, [true, true, false, true, true, true]);
    assert!((left_gain(&fit, 10, 2) - 0.9).abs() < 1e-6, "the others are not touched");
}

#[test]
fn near_duplicates_are_told_apart() {
    let mut stems = sources(4, 2, 40_000);
    let other = noise(77, 40_000, 0.001);
    stems.push(stems[0].clone().map(|side| side.iter().zip(&other).map(|(x, y)| x + y).collect()));
    let fit = fit(&hops(&stems, mix(&stems, &[0.5, 1.7, 0.9]), 0.0).row(), 3);
    assert_eq!(fit.inseparable(), None);
    let (a, b) = (left_gain(&fit, 10, 0), left_gain(&fit, 10, 2));
    assert!((a - 0.5).abs() < 1e-3 && (b - 0.9).abs() < 1e-3, "{a} {b}");
}

#[test]
fn a_silent_stem_keeps_its_gain() {
    let mut stems = sources(5, 2, 40_000);
    stems.push([vec![0.0; 40_000], vec![0.0; 40_000]]);
    let fit = fit(&hops(&stems, mix(&stems, &[0.5; 3]), 0.0).row(), 3);
    assert_eq!(fit.mean_gains(2), None);
    assert_eq!(left_gain(&fit, 3, 2), 1.0);
}

#[test]
fn a_stem_that_falls_silent_holds_its_last_gain() {
    let mut stems = sources(5, 2, 80_000);
    stems[1].iter_mut().for_each(|side| side[40_000..].fill(0.0));
    let fit = fit(&hops(&stems, mix(&stems, &[0.5, 0.25]), 0.0).row(), 2);
    assert!((left_gain(&fit, 90, 1) - 0.25).abs() < 1e-6);
    assert!(!fit.arrivals(90)[1].fitted[0] && fit.arrivals(90)[0].fitted[0]);
}

#[test]
fn pan_and_width_are_seen() {
    let stems = sources(6, 3, 8_000 * 12);
    let mut sum = mix(&stems, &[1.0, 0.0, 1.0]);
    // Stem 1 is rotated: part of its left side goes right.
    let matrix = [[0.7, 0.1], [0.4, 0.9]];
    for to in 0..2 {
        for n in 0..sum[to].len() {
            sum[to][n] += (0..2).map(|from| matrix[to][from] * stems[1][from][n]).sum::<f64>();
        }
    }
    let raw = hops(&stems, sum, 0.0);
    let fit = fit(&raw.row(), 3);
    let mean = fit.mean_gains(1).expect("fitted");
    for to in 0..2 {
        for from in 0..2 {
            assert!((mean[to][from] - matrix[to][from]).abs() < 1e-6, "{mean:?}");
        }
    }
    assert!(level(&resolve(&raw.row(), &fit), 3) < 1e-9);
    assert_eq!(fit.mean_gains(0).expect("fitted")[0][1], 0.0, "what does not cross is not crossed");
}

#[test]
fn a_fader_ride_is_followed() {
    let stems = sources(7, 3, 8_000 * 20);
    let ride = |n: usize| 1.0 + 0.5 * (n as f64 / 8_000.0 * 0.9).sin();
    let mut sum = mix(&stems, &[1.0, 0.0, 0.6]);
    for (sum, stem) in sum.iter_mut().zip(&stems[1]) {
        sum.iter_mut().zip(stem).enumerate().for_each(|(n, (m, x))| *m += ride(n) * x);
    }
    let raw = hops(&stems, sum, 0.0);
    let fit = fit(&raw.row(), 3);
    for hop in 10..raw.len() - 10 {
        // Where the stem pauses, the rest of the window decides.
        let around = |n: usize| ride((hop + n) * 800) - ride((hop + n) * 800 - 4_000);
        let slack = (0..10).map(|n| around(n).abs()).fold(0.02, f64::max);
        let arrival = fit.arrivals(hop)[1];
        if arrival.fitted[0] {
            assert!((arrival.gains[0][0] - ride(hop * 800 + 400)).abs() < slack, "{hop}: {arrival:?}");
        }
    }
    assert!(level(&resolve(&raw.row(), &fit), 3) < 1e-3);
}

#[test]
fn hops_that_were_not_heard_are_left_out() {
    let raw = session(8, &[0.5, 2.0], 0.0);
    let mut row = raw.row();
    row[20..40].fill(None);
    let fit = fit(&row, 2);
    let resolved = resolve(&row, &fit);
    assert!((0..raw.len()).all(|hop| resolved.is_heard(hop) != (20..40).contains(&hop)));
    assert!((left_gain(&fit, 45, 1) - 2.0).abs() < 1e-6);
}
