//! Plugins that a host activates anew in the middle of a song: what is known and what is on its way stays.

use super::alone::alone_in_every_host;
use super::desk::{Desk, LONGEST, Manner, RATE, measure, song};
use hosttests::Library;
use hosttests::viewer::Viewer;
use link::ROSTER;
use std::time::{Duration, Instant};

/// Length of the songs, seconds.
const SECONDS: usize = 9;
/// Frames between two activations: the first ones come before all stems are placed.
const INTERVAL: usize = 33_600;
/// Time after the end of the song within which all of it is reported.
const LIMIT: Duration = Duration::from_secs(10);

/// Plays a song once, at a multiple of its speed, with the Stems stamped `ahead` of the Master; from time to time
/// `activate` does something to the desk in mid-play. All of the song is heard, exact, and no cause is named.
fn play_through(ahead: [i64; 3], speed: f64, mut activate: impl FnMut(&mut Desk, usize)) {
    let (viewer, library) = (Viewer::new(), Library::open());
    let songs = (0..3).map(|n| song(400 + n, SECONDS)).collect();
    let mut desk = Desk::new(&library, songs, &[[0.9, 0.7], [0.8, 0.8], [0.6, 1.0]]);
    desk.buses.iter_mut().zip(ahead).for_each(|(bus, ahead)| bus.ahead = ahead);
    let master = desk.master_id();
    viewer.find(master);
    let (start, mut mix) = (Instant::now(), vec![Vec::new(); 2]);
    const STEP: usize = 2400;
    for at in (0..SECONDS * RATE as usize).step_by(STEP) {
        if at > 0 && at % INTERVAL == 0 {
            activate(&mut desk, at / INTERVAL);
        }
        let (part, _) = desk.play(at..at + STEP, Manner::USUAL);
        mix.iter_mut().zip(part).for_each(|(mix, part)| mix.extend(part));
        let due = Duration::from_secs_f64((at + STEP) as f64 / RATE / speed);
        std::thread::sleep(due.saturating_sub(start.elapsed()));
        let summary = ROSTER.find(master).and_then(|peer| peer.summary());
        let cause = summary.map(|summary| summary.cause).unwrap_or_default();
        assert!(cause.as_str().is_empty(), "{at}: {cause}");
    }
    let truth = measure(&mix).integrated.expect("sounds").0;
    let stopped = Instant::now();
    loop {
        let summary = ROSTER.find(master).and_then(|peer| peer.summary()).expect("it is there");
        let is_whole = summary.heard >= SECONDS as f64 - 1e-6;
        let is_explained = summary.coverage.is_some_and(|coverage| coverage > 0.9999);
        let is_exact = summary.half_width.is_some_and(|off| off.0 == 0.0);
        let is_true = summary.mix.integrated.is_some_and(|found| (found.0 - truth).abs() < 0.01);
        if is_whole && is_explained && is_exact && is_true && summary.cause.as_str().is_empty() {
            return;
        }
        assert!(stopped.elapsed() < LIMIT, "{ahead:?} at {speed}x, {truth} LUFS: {summary:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_master_that_is_activated_anew_in_mid_play_hears_the_whole_song() {
    let name = "link::reactivation::a_master_that_is_activated_anew_in_mid_play_hears_the_whole_song";
    alone_in_every_host(name, || {
        for (ahead, speed) in [([0; 3], 4.0), ([544, 7712, 0], 20.0)] {
            play_through(ahead, speed, |desk, _| desk.master.freewheel(false, RATE, LONGEST));
        }
    });
}

#[test]
fn a_stem_that_is_activated_anew_in_mid_play_is_heard_as_before() {
    let name = "link::reactivation::a_stem_that_is_activated_anew_in_mid_play_is_heard_as_before";
    alone_in_every_host(name, || {
        play_through([544, 7712, 0], 4.0, |desk, number| {
            desk.buses[number % 3].plugin.freewheel(false, RATE, LONGEST);
        });
    });
}

#[test]
fn a_session_that_freewheels_and_comes_back_in_mid_play_is_heard_whole() {
    let name = "link::reactivation::a_session_that_freewheels_and_comes_back_in_mid_play_is_heard_whole";
    alone_in_every_host(name, || {
        for (ahead, speed) in [([544; 3], 4.0), ([0, 1031, 544], 20.0)] {
            play_through(ahead, speed, |desk, number| desk.freewheel(number % 2 == 1));
        }
    });
}
