//! The first play of a session: right, complete and without a false word, however the host stamps the Stems.

use super::alone::alone;
use super::desk::{Audio, Desk, Manner, RATE, measure, song};
use hosttests::viewer::Viewer;
use hosttests::{Library, Random};
use link::ROSTER;
use link::summary::SessionSummary;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Length of the songs, seconds.
const SECONDS: usize = 14;
/// Song and wall time, the later of which is the limit, seconds.
const SONG_LIMIT: f64 = 5.0;
const WALL_LIMIT: f64 = 3.0;
/// Time on top of it: the report's interval, the link's, and a hop that waits for the next one.
const REPORT_SLACK: f64 = 2.0;

/// The demo song at the desk's rate.
fn demo_song() -> Vec<Audio> {
    let narrow = |side: &[f64]| side.iter().take(SECONDS * RATE as usize).map(|x| *x as f32).collect();
    let stems = demo_song::render(units::Hz(RATE));
    stems.iter().map(|stem| vec![narrow(&stem.left), narrow(&stem.right)]).collect()
}

fn noise_songs(seed: u64, count: u64) -> Vec<Audio> {
    (0..count).map(|n| song(seed + n, SECONDS)).collect()
}

/// Material that repeats every half second.
fn loops(seed: u64, count: u64) -> Vec<Audio> {
    let mut songs = noise_songs(seed, count);
    for side in songs.iter_mut().flatten() {
        let part: Vec<f32> = side[24_000..48_000].to_vec();
        side.iter_mut().enumerate().for_each(|(n, x)| *x = part[n % part.len()]);
    }
    songs
}

/// Plays `songs` once, with the stems stamped `ahead` of the Master, at a multiple of the song's speed.
fn first_play(songs: Vec<Audio>, ahead: &[i64], speed: f64) {
    let (viewer, library) = (Viewer::new(), Library::open());
    let gains: Vec<[f32; 2]> =
        (0..songs.len()).map(|n| [0.9 - 0.08 * n as f32, 0.6 + 0.07 * n as f32]).collect();
    let onset = |song: &Audio| {
        let first = song.iter().filter_map(|side| side.iter().position(|x| x.abs() > 1e-4)).min();
        first.map_or(f64::INFINITY, |first| first as f64 / RATE)
    };
    let onsets: Vec<f64> = songs.iter().map(onset).collect();
    let mut desk = Desk::new(&library, songs, &gains);
    for (bus, ahead) in desk.buses.iter_mut().zip(ahead) {
        bus.ahead = *ahead;
    }
    let (master, ids) = (desk.master_id(), desk.ids());
    viewer.find(master);
    let are_compensated = ahead.iter().all(|one| *one >= 0);
    let (start, mut mix) = (Instant::now(), vec![Vec::new(); 2]);
    const STEP: usize = 4800;
    let mut right_since: Option<f64> = None;
    let frames = SECONDS * RATE as usize;
    let is_right = |summary: &SessionSummary, song: f64, lag: f64| {
        let placed = ids.iter().zip(ahead).all(|(id, ahead)| {
            let found = summary.stems().find(|stem| stem.stem == *id);
            // a stem that has not sounded yet has no delay
            found.is_some_and(|stem| stem.delay.is_none_or(|delay| delay == -ahead))
        });
        let covered = summary.coverage.is_some_and(|coverage| coverage > 0.9999);
        placed && covered && summary.half_width.is_some_and(|off| off.0 == 0.0) && summary.heard >= song - lag
    };
    for at in (0..frames).step_by(STEP) {
        let (part, _) = desk.play(at..at + STEP, Manner::USUAL);
        mix.iter_mut().zip(part).for_each(|(mix, part)| mix.extend(part));
        let due = Duration::from_secs_f64((at + STEP) as f64 / RATE / speed);
        std::thread::sleep(due.saturating_sub(start.elapsed()));
        let (song, wall) = ((at + STEP) as f64 / RATE, start.elapsed().as_secs_f64());
        let Some(summary) = ROSTER.find(master).and_then(|peer| peer.summary()) else { continue };
        let cause = summary.cause.as_str();
        assert!(cause.is_empty() || (!are_compensated && cause.contains(" arrives ")), "{song} s: {cause}");
        let lag = REPORT_SLACK * speed.max(1.0);
        right_since = if is_right(&summary, song, lag) { right_since.or(Some(song)) } else { None };
        let is_due = |onset: &f64| !(song - SONG_LIMIT - lag..=song).contains(onset);
        if right_since.is_none() && onsets.iter().all(is_due) && wall >= WALL_LIMIT + REPORT_SLACK {
            panic!("{ahead:?} at {speed}x after {song} s of song, {wall} s: {summary:?}");
        }
    }
    // from the first sample to the last
    let truth = measure(&mix).integrated.expect("sounds").0;
    let (stopped, limit) = (Instant::now(), Duration::from_secs_f64(WALL_LIMIT + 4.0 * REPORT_SLACK));
    let summary = loop {
        let summary = ROSTER.find(master).and_then(|peer| peer.summary()).expect("it is there");
        if is_right(&summary, SECONDS as f64, 1e-6) {
            break summary;
        }
        assert!(stopped.elapsed() < limit, "{ahead:?} at {speed}x, right since {right_since:?}: {summary:?}");
        std::thread::sleep(Duration::from_millis(20));
    };
    let found = summary.mix.integrated.expect("heard").0;
    assert!((found - truth).abs() < 0.01, "{found} {truth}");
}

fn random(seed: u64, count: usize) -> Vec<i64> {
    let mut random = Random::new(seed);
    (0..count).map(|_| (random.unit() * 0.03 * RATE) as i64).collect()
}

#[test]
fn all_stems_ahead_by_the_masters_latency_at_the_songs_speed() {
    alone("link::placement::all_stems_ahead_by_the_masters_latency_at_the_songs_speed", || {
        first_play(demo_song(), &[544; 5], 1.0);
    });
}

#[test]
fn all_stems_ahead_by_much_at_twenty_times_the_songs_speed() {
    alone("link::placement::all_stems_ahead_by_much_at_twenty_times_the_songs_speed", || {
        first_play(noise_songs(300, 4), &[7712; 4], 20.0);
    });
}

#[test]
fn all_stems_where_they_should_be() {
    alone("link::placement::all_stems_where_they_should_be", || {
        first_play(demo_song(), &[0; 5], 4.0);
    });
}

#[test]
fn every_stem_ahead_by_another_time() {
    alone("link::placement::every_stem_ahead_by_another_time", || {
        first_play(demo_song(), &random(1, 5), 2.0);
    });
}

#[test]
fn every_stem_late_by_another_time() {
    alone("link::placement::every_stem_late_by_another_time", || {
        let late: Vec<i64> = random(2, 5).iter().map(|ahead| -ahead).collect();
        first_play(noise_songs(310, 5), &late, 2.0);
    });
}

#[test]
fn loops_ahead_by_the_masters_latency() {
    alone("link::placement::loops_ahead_by_the_masters_latency", || {
        first_play(loops(320, 4), &[544; 4], 2.0);
    });
}

#[test]
fn a_busy_machine_only_takes_longer() {
    alone("link::placement::a_busy_machine_only_takes_longer", || {
        static OVER: AtomicBool = AtomicBool::new(false);
        let busy: Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(|| {
                    let mut x = 1u64;
                    while !OVER.load(Ordering::Relaxed) {
                        x = std::hint::black_box(x.wrapping_mul(3));
                    }
                })
            })
            .collect();
        first_play(demo_song(), &random(5, 5), 1.0);
        OVER.store(true, Ordering::Relaxed);
        busy.into_iter().for_each(|thread| thread.join().expect("it ends"));
    });
}

#[test]
fn a_latency_that_changes_in_mid_session_is_followed() {
    let name = "link::placement::a_latency_that_changes_in_mid_session_is_followed";
    super::alone::alone_in_every_host(name, || {
        let (viewer, library) = (Viewer::new(), Library::open());
        let mut desk = Desk::new(&library, noise_songs(330, 3), &[[0.9, 0.7], [0.8, 0.8], [0.6, 1.0]]);
        let (master, ids) = (desk.master_id(), desk.ids());
        viewer.find(master);
        let is_right = |summary: &SessionSummary, delays: [i64; 3]| {
            let placed = ids
                .iter()
                .zip(delays)
                .all(|(id, delay)| summary.stems().any(|stem| stem.stem == *id && stem.delay == Some(delay)));
            let covered = summary.coverage.is_some_and(|coverage| coverage > 0.9999);
            let exact = summary.half_width.is_some_and(|off| off.0 == 0.0);
            placed && covered && exact && summary.cause.as_str().is_empty()
        };
        // an insert is added behind the second bus, then taken away again; hosts activate anew for that, or do not
        for (ahead, activates) in [([0, 544, 0], false), ([0, 7712, 0], true), ([0, 1031, 0], false)] {
            desk.buses.iter_mut().zip(ahead).for_each(|(bus, ahead)| bus.ahead = ahead);
            if activates {
                desk.freewheel(false);
            }
            let started = Instant::now();
            loop {
                let mix = desk.play_at(4.0, 0..SECONDS * RATE as usize);
                desk.play(0..RATE as usize / 2, Manner::USUAL);
                let truth = measure(&mix).integrated.expect("sounds").0;
                let summary = viewer.summary(master, |_| true);
                let found = summary.mix.integrated.is_some_and(|found| (found.0 - truth).abs() < 0.01);
                if is_right(&summary, ahead.map(|ahead| -ahead))
                    && found
                    && summary.heard > SECONDS as f64 - 0.25
                {
                    break;
                }
                assert!(started.elapsed() < Duration::from_secs(60), "{ahead:?}: {summary:?}");
            }
        }
    });
}
