//! Faults between Stems and Master are found and named.

use super::alone::alone;
use super::desk::{Audio, Desk, MASTER_LATENCY, RATE, song};
use hosttests::host::is_worst;
use hosttests::viewer::Viewer;
use hosttests::{Library, Random};
use link::summary::SessionSummary;
use std::time::{Duration, Instant};

const SECONDS: usize = 10;

/// Plays the song again and again until the Master says what is waited for.
fn until(desk: &mut Desk, viewer: &Viewer, is: impl Fn(&SessionSummary) -> bool) -> SessionSummary {
    let (master, start) = (desk.master_id(), Instant::now());
    loop {
        desk.play_at(4.0, 0..SECONDS * RATE as usize);
        let summary = viewer.summary(master, |_| true);
        if is(&summary) {
            return summary;
        }
        assert!(start.elapsed() < Duration::from_secs(240), "never: {summary:?}");
    }
}

fn desk(library: &Library, seed: u64) -> Desk {
    let songs = (0..3).map(|n| song(seed + n, SECONDS)).collect();
    let mut desk = Desk::new(library, songs, &[[0.9, 0.7], [0.8, 0.8], [0.6, 1.0]]);
    // where a host compensates by another time for each Stem, nobody can tell which is late
    desk.buses.iter_mut().for_each(|bus| bus.ahead = if is_worst() { MASTER_LATENCY } else { 0 });
    desk
}

#[test]
fn a_stem_that_is_late_is_named_and_summed_where_it_is() {
    alone("link::causes::a_stem_that_is_late_is_named_and_summed_where_it_is", || {
        let (viewer, library) = (Viewer::new(), Library::open());
        let mut desk = desk(&library, 70);
        desk.buses[1].late = vec![[0.0; 2]; 64];
        let (late, ahead) = (desk.ids()[1], desk.buses[1].ahead);
        let summary = until(&mut desk, &viewer, |summary| {
            let found = summary.stems().find(|stem| stem.stem == late).and_then(|stem| stem.delay);
            found == Some(64 - ahead)
                && summary.cause.as_str() == "Bus 1 arrives 64 samples late."
                && summary.coverage.is_some_and(|coverage| coverage > 0.9999)
        });
        assert_eq!(summary.stems().count(), 3);
    });
}

#[test]
fn an_unlinked_track_is_named_and_makes_estimates_of_predictions() {
    alone("link::causes::an_unlinked_track_is_named_and_makes_estimates_of_predictions", || {
        let (viewer, library) = (Viewer::new(), Library::open());
        let mut desk = desk(&library, 80);
        desk.extra = Some(song(99, SECONDS));
        let summary = until(&mut desk, &viewer, |summary| !summary.cause.as_str().is_empty());
        assert!(summary.cause.as_str().starts_with("An unlinked track: "), "{}", summary.cause);
        assert!(summary.coverage.is_some_and(|coverage| (0.3..0.99).contains(&coverage)), "{summary:?}");
        assert!(summary.half_width.is_some_and(|width| width.0 > 0.01), "{summary:?}");
        assert_eq!(summary.stems().count(), 3);
    });
}

/// The song of a bus as it comes back from somewhere else: `taps` are delays in frames with gains.
fn again(song: &Audio, taps: &[(usize, f32)]) -> Audio {
    let mut back = vec![vec![0.0; song[0].len()]; 2];
    for (back, song) in back.iter_mut().zip(song) {
        for &(delay, gain) in taps {
            back[delay..].iter_mut().zip(song).for_each(|(back, x)| *back += gain * x);
        }
    }
    back
}

#[test]
fn a_stem_that_is_there_twice_is_named_with_its_delay() {
    alone("link::causes::a_stem_that_is_there_twice_is_named_with_its_delay", || {
        let (viewer, library) = (Viewer::new(), Library::open());
        let mut desk = desk(&library, 83);
        let [left, right] = desk.buses[1].gains;
        assert_eq!(left, right, "so that the extra track need not know of pans");
        desk.extra = Some(again(&desk.buses[1].song, &[(300, 0.5 * left)]));
        let summary = until(&mut desk, &viewer, |summary| !summary.cause.as_str().is_empty());
        let expected = "Bus 1 is doubled: again 300 samples late, at -6.0 dB.";
        assert_eq!(summary.cause.as_str(), expected, "{summary:?}");
    });
}

#[test]
fn a_stem_that_is_there_twice_without_delay_is_a_fader_or_double_routing() {
    alone("link::causes::a_stem_that_is_there_twice_without_delay_is_a_fader_or_double_routing", || {
        let (viewer, library) = (Viewer::new(), Library::open());
        let mut desk = desk(&library, 86);
        for bus in &mut desk.buses {
            bus.gains = [1.0; 2];
        }
        desk.extra = Some(again(&desk.buses[2].song, &[(0, 1.0)]));
        let summary = until(&mut desk, &viewer, |summary| !summary.cause.as_str().is_empty());
        assert_eq!(summary.cause.as_str(), "Bus 2 arrives 6.0 dB louder: fader or double routing.");
        assert!(summary.coverage.is_some_and(|coverage| coverage > 0.9999), "{summary:?}");
    });
}

#[test]
fn a_reverb_on_a_send_is_called_returns() {
    alone("link::causes::a_reverb_on_a_send_is_called_returns", || {
        let (viewer, library) = (Viewer::new(), Library::open());
        let mut desk = desk(&library, 89);
        // a room of random reflections that falls by 60 dB in a second
        let mut random = Random::new(7);
        let taps: Vec<(usize, f32)> = (0..400)
            .map(|_| {
                let time = 0.01 + random.unit();
                let delay = (time * RATE) as usize;
                (delay, 0.08 * (random.unit() as f32 * 2.0 - 1.0) * 10f32.powf(-3.0 * time as f32))
            })
            .collect();
        desk.extra = Some(again(&desk.buses[0].song, &taps));
        let is = |summary: &SessionSummary| {
            summary.cause.as_str().starts_with("Returns of Bus 0 (reverb or echo): ")
        };
        let summary = until(&mut desk, &viewer, is);
        assert!(summary.half_width.is_some_and(|width| width.0 > 0.0), "{summary:?}");
    });
}

#[test]
fn a_stem_too_dull_and_quiet_to_be_searched_for_arrives_when_the_others_do() {
    alone("link::causes::a_stem_too_dull_and_quiet_to_be_searched_for_arrives_when_the_others_do", || {
        let (viewer, library) = (Viewer::new(), Library::open());
        let mut desk = desk(&library, 95);
        // nothing above the bass, 35 dB below the rest
        for side in &mut desk.buses[2].song {
            let (mut low, mut lower) = (0.0f32, 0.0f32);
            for x in side.iter_mut() {
                low += 0.004 * (*x - low);
                lower += 0.004 * (low - lower);
                *x = 0.8 * lower;
            }
        }
        // a host that brings everything later than its timeline says
        for bus in &mut desk.buses {
            bus.late = vec![[0.0; 2]; 7500];
        }
        let ahead = desk.buses[0].ahead;
        until(&mut desk, &viewer, |summary| {
            let found = summary.stems().filter(|stem| stem.delay == Some(7500 - ahead)).count();
            // all alike is not late
            let clear = summary.coverage.is_some_and(|coverage| coverage > 0.9999);
            found == 3 && clear && summary.cause.as_str().is_empty()
        });
    });
}
