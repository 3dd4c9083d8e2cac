//! What is wrong between Stems and Master is found and named.

use super::desk::{Desk, RATE, song};
use super::viewer::{Viewer, alone};
use hosttests::Library;
use std::time::{Duration, Instant};
use stemlink::link::summary::Summary;

const SECONDS: usize = 10;

/// Plays the song again and again until the Master says what is waited for.
fn until(desk: &mut Desk, viewer: &Viewer, is: impl Fn(&Summary) -> bool) -> Summary {
    let (master, start) = (desk.master_id(), Instant::now());
    loop {
        desk.play_at(4.0, 0..SECONDS * RATE as usize);
        let summary = viewer.summary(master, |_| true);
        if is(&summary) {
            return summary;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "never: {summary:?}");
    }
}

fn desk(library: &Library, seed: u64) -> Desk {
    let songs = (0..3).map(|n| song(seed + n, SECONDS)).collect();
    Desk::new(library, songs, &[[0.9, 0.7], [0.8, 0.8], [0.6, 1.0]])
}

#[test]
fn a_stem_that_is_late_is_named_and_summed_where_it_is() {
    alone("link::causes::a_stem_that_is_late_is_named_and_summed_where_it_is", || {
        let (viewer, library) = (Viewer::new(), Library::open());
        let mut desk = desk(&library, 70);
        desk.buses[1].late = vec![[0.0; 2]; 64];
        let late = desk.ids()[1];
        let summary = until(&mut desk, &viewer, |summary| {
            let found = summary.stems().find(|stem| stem.stem == late).and_then(|stem| stem.delay);
            found == Some(64)
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
