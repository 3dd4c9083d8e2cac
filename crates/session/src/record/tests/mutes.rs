//! Mutes that are part of the mix, and solos that never are.

use super::*;
use crate::heard_part::HeardPart;
use crate::predict::Certainty;

const FADERS: [f64; 4] = [1.0, 0.7, 0.9, 1.1];

/// Plays all with `muted` missing over a stretch; begins and ends in mid-hop.
fn play_muted(rig: &mut PlaybackRig, muted: &[usize], hops: std::ops::Range<usize>) {
    let stretch = hops.start * HOP + 250..hops.end * HOP + 470;
    let fader = |stem: usize, n: usize| {
        if muted.contains(&stem) && stretch.contains(&n) { 0.0 } else { FADERS[stem] }
    };
    rig.play_with(0..rig.frames(), fader, |_, _| true);
    rig.stop();
}

fn heard(rig: &PlaybackRig, hops: std::ops::Range<usize>) -> usize {
    rig.statuses(hops).iter().filter(|status| **status == HopStatus::Heard).count()
}

#[test]
fn a_mute_at_the_same_place_in_two_passes_is_part_of_the_mix() {
    let mut rig = PlaybackRig::new(50, 4, 16);
    play_muted(&mut rig, &[1], 62..104);
    assert!(heard(&rig, 63..104) <= 10, "only where it is silent itself");
    assert_eq!(rig.recorder.unconfirmed_mutes(), [StemId(101)], "a person may say so");
    assert!(!HeardPart::from(rig.recorder.report(rig.whole()).progress).is_whole());
    play_muted(&mut rig, &[1], 62..104);
    assert!(heard(&rig, 63..104) >= 40 && heard(&rig, 0..160) >= 155, "{}", heard(&rig, 0..160));
    assert_eq!(rig.recorder.unconfirmed_mutes(), []);
    // what was heard is exact: hop by hop, and a move of the muted stem does nothing while it is muted
    let report = rig.recorder.report(rig.whole());
    let moves = [Move { source: 1, gain: Db(4.0) }];
    let answer = predict_moves(&report, &moves, &[], &[], |stem| format!("S{stem}"));
    assert_eq!(answer.certainty, Certainty::Exact);
    let faded = |stem: usize, gain: f64| {
        let stretch = 62 * HOP + 250..104 * HOP + 470;
        let gain = FADERS[stem] * if stem == 1 { gain } else { 1.0 };
        let at = |n: usize| if stem == 1 && stretch.contains(&n) { 0.0 } else { gain };
        rig.stems[stem]
            .clone()
            .map(|side| side.iter().enumerate().map(|(n, x)| at(n) * x).collect::<Vec<f64>>())
    };
    let rendered = |gain: f64| mix(&[0, 1, 2, 3].map(|stem| faded(stem, gain)), &[1.0; 4]);
    let truth = measured(&rendered(Db(4.0).gain()), RATE);
    let moved = report.fitted_range.sources.powers(&gains(5, &moves));
    for (hop, (power, truth)) in moved.iter().zip(truth.history().powers()).enumerate() {
        assert!(
            power.0.is_nan() || (power.0 - truth.0).abs() <= 1e-6 * truth.0 + 1e-12,
            "{hop}: {power:?} {truth:?}"
        );
    }
    let after = truth.reading().integrated.expect("sounds");
    let whole = answer.whole.expect("the edges of the mute were not heard");
    let change = (after - measured(&rendered(1.0), RATE).reading().integrated.expect("sounds")).0;
    assert!((whole.change[0].0..=whole.change[1].0).contains(&change), "{whole:?} {change}");
    assert!((whole.after[0].0..=whole.after[1].0).contains(&after.0), "{whole:?} {after:?}");
}

#[test]
fn a_mute_at_another_place_or_from_beginning_to_end_is_not() {
    let mut rig = PlaybackRig::new(51, 4, 16);
    rig.play(0..rig.frames(), &FADERS);
    let before = rig.loudness();
    play_muted(&mut rig, &[1], 42..70);
    play_muted(&mut rig, &[1], 50..90);
    for _ in 0..3 {
        rig.play(0..rig.frames(), &[1.0, 0.0, 0.9, 1.1]);
    }
    assert!((rig.loudness() - before).abs() < 1e-6);
}

#[test]
fn a_solo_never_counts() {
    let mut rig = PlaybackRig::new(52, 4, 16);
    for _ in 0..2 {
        (0..2).for_each(|_| play_muted(&mut rig, &[0, 1], 40..90));
        (0..2).for_each(|_| play_muted(&mut rig, &[0, 1, 3], 40..90));
    }
    assert!(heard(&rig, 42..89) <= 12, "{}", heard(&rig, 42..89));
    assert_eq!(rig.recorder.unconfirmed_mutes(), []);
}

#[test]
fn a_mute_that_is_confirmed_afterwards_counts_for_what_was_played() {
    let mut rig = PlaybackRig::new(53, 4, 16);
    play_muted(&mut rig, &[2], 70..110);
    assert_eq!(rig.recorder.unconfirmed_mutes(), [StemId(102)]);
    rig.recorder.confirm_mute(StemId(102));
    assert!(heard(&rig, 0..160) >= 155, "{}", heard(&rig, 0..160));
    assert_eq!(rig.recorder.unconfirmed_mutes(), []);
}
