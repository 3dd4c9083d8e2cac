//! Levels that hosts automate and that people change, while the transport runs and while it stands.

use super::*;
use crate::predict::Certainty;

/// Level of stem 1 at frame `n`: steps, then a ride.
fn automation(stem: usize, n: usize) -> Db {
    match (stem, n / HOP) {
        (1, 0..30) => Db(0.0),
        (1, 30..55) => Db(-5.0),
        (1, 55..90) => Db(2.5),
        (1, _) => Db(2.5 - 6.0 * ((n - 90 * HOP) as f64 / (40 * HOP) as f64).min(1.0)),
        _ => Db(0.0),
    }
}

/// Measured loudness of the song with these faders and the levels of `ride`.
fn truth_with(rig: &PlaybackRig, faders: &[f64], ride: fn(usize, usize) -> Db) -> f64 {
    let ridden: Vec<StereoAudio> = (rig.stems.iter().enumerate())
        .map(|(stem, audio)| {
            let gains =
                |side: &Vec<f64>| side.iter().enumerate().map(|(n, x)| x * ride(stem, n).gain()).collect();
            [gains(&audio[0]), gains(&audio[1])]
        })
        .collect();
    measured(&mix(&ridden, faders), RATE).reading().integrated.expect("sounds").0
}

/// The answer for a move of stem 1 by 3 dB.
fn answer(rig: &PlaybackRig) -> (Option<f64>, Certainty) {
    let report = rig.recorder.report(rig.whole());
    let moves = [Move { source: 1, gain: Db(3.0) }];
    let answer = predict_moves(&report, &moves, &[], &[], |stem| format!("S{stem}"));
    (answer.after.integrated.map(|loudness| loudness.0), answer.certainty)
}

fn is_exact(rig: &PlaybackRig, faders: &[f64], ride: fn(usize, usize) -> Db) {
    assert!(all_are(&rig.statuses(0..159), HopStatus::Heard));
    let moved = [faders[0], faders[1] * Db(3.0).gain(), faders[2]];
    let (after, certainty) = answer(rig);
    let truth = truth_with(rig, &moved, ride);
    assert!((after.expect("sounds") - truth).abs() < 0.01, "{after:?} {truth}");
    assert_eq!(certainty, Certainty::Exact);
}

/// Number of hops that count, those in which stem 1 is silent aside.
fn sounding_hops(rig: &PlaybackRig) -> usize {
    let is_silent = |hop: i64| rig.recorder.store.get(hop).is_none_or(|record| record.is_silent(1));
    (0..160).filter(|hop| !is_silent(*hop) && rig.recorder.status(*hop) == HopStatus::Heard).count()
}

#[test]
fn an_automated_level_counts_as_it_was_heard_and_a_trim_for_the_whole_song() {
    for seed in 40..44 {
        let mut rig = PlaybackRig::new(seed, 3, 16);
        let faders = [1.0, 0.8, 0.6];
        rig.ride = automation;
        rig.play(0..rig.frames(), &faders);
        is_exact(&rig, &faders, automation);
        // a second pass is no contradiction
        rig.play(20 * HOP..120 * HOP, &faders);
        is_exact(&rig, &faders, automation);
        // a trim counts at once, and for all of it
        let setting = StemSetting { trim: Db(-4.0), ..rig.members[1].setting };
        rig.recorder.set_present(StemId(101), setting);
        let trimmed = [1.0, 0.8 * Db(-4.0).gain(), 0.6];
        is_exact(&rig, &trimmed, automation);
        // hops from before it that come late are rescaled, too
        rig.play(40 * HOP..60 * HOP, &faders);
        is_exact(&rig, &trimmed, automation);
        rig.members[1].setting = setting;
        rig.play(30 * HOP..100 * HOP, &faders);
        is_exact(&rig, &trimmed, automation);
    }
}

#[test]
fn a_level_that_stood_still_and_is_changed_in_place_counts_for_the_whole_song() {
    let mut rig = PlaybackRig::new(45, 3, 16);
    let faders = [0.7, 1.0, 0.9];
    rig.play(0..rig.frames(), &faders);
    assert_eq!(rig.recorder.last_level(StemId(101)), Some(Db(0.0)));
    for (level, ride) in [
        (Db(4.0), (|stem, _| Db(if stem == 1 { 4.0 } else { 0.0 })) as fn(usize, usize) -> Db),
        (Db(0.0), |_, _| Db(0.0)),
    ] {
        rig.recorder.change_level_at_rest(StemId(101), level, Some(163), false);
        is_exact(&rig, &faders, ride);
        rig.ride = ride;
        rig.play(50 * HOP..80 * HOP, &faders);
        is_exact(&rig, &faders, ride);
    }
    // and trims go on counting
    rig.recorder.change_level_at_rest(StemId(101), Db(4.0), Some(163), false);
    rig.recorder.set_present(StemId(101), StemSetting { trim: Db(-1.0), ..StemSetting::default() });
    is_exact(&rig, &faders, |stem, _| Db(if stem == 1 { 3.0 } else { 0.0 }));
}

#[test]
fn a_level_that_changes_with_a_jump_is_no_number_until_it_is_explained_or_played() {
    let mut rig = PlaybackRig::new(46, 3, 16);
    let faders = [0.7, 1.0, 0.9];
    rig.play(0..100 * HOP, &faders);
    rig.recorder.change_level_at_rest(StemId(101), Db(-6.0), Some(120), true);
    assert_eq!(sounding_hops(&rig), 0);
    // the host goes back to where the level was as it is heard there
    rig.recorder.change_level_at_rest(StemId(101), Db(0.0), Some(50), true);
    assert_eq!(rig.recorder.report(0..100).progress.heard, 100);
    // what is played at the other level is heard, and nothing else before it is played again
    rig.recorder.change_level_at_rest(StemId(101), Db(-6.0), Some(120), true);
    rig.ride = |stem, n| Db(if stem == 1 && n >= 110 * HOP { -6.0 } else { 0.0 });
    rig.play(110 * HOP..160 * HOP, &faders);
    assert!(sounding_hops(&rig) < 50, "{}", sounding_hops(&rig));
    rig.play(0..112 * HOP, &faders);
    is_exact(&rig, &faders, rig.ride);
}

#[test]
fn an_automated_level_that_a_person_changes_at_rest_is_no_number() {
    let mut rig = PlaybackRig::new(47, 3, 16);
    let faders = [0.7, 1.0, 0.9];
    rig.ride = automation;
    rig.play(0..rig.frames(), &faders);
    rig.recorder.change_level_at_rest(StemId(101), Db(7.0), Some(160), false);
    assert_eq!(sounding_hops(&rig), 0);
    // automation on locate is none
    rig.play(0..rig.frames(), &faders);
    for (place, level) in [(10, 0.0), (40, -5.0), (70, 2.5)] {
        rig.recorder.change_level_at_rest(StemId(101), Db(level), Some(place), true);
        is_exact(&rig, &faders, automation);
    }
}

#[test]
fn a_level_that_contradicts_what_was_heard_needs_the_song_again() {
    let mut rig = PlaybackRig::new(48, 3, 16);
    let faders = [0.7, 1.0, 0.9];
    rig.play(0..rig.frames(), &faders);
    rig.ride = |stem, n| Db(if stem == 1 && n >= 60 * HOP { 3.0 } else { 0.0 });
    rig.play(0..rig.frames(), &faders);
    let known = sounding_hops(&rig);
    assert!(known <= 100, "{known}");
    assert!((60..159).all(|hop| rig.recorder.status(hop) == HopStatus::Heard));
    rig.play(0..rig.frames(), &faders);
    is_exact(&rig, &faders, rig.ride);
}
