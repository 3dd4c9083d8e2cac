//! What the Master predicts of a move is what a meter reads when it is made.

use super::desk::{Audio, Desk, Manner, RATE, measure, song};
use super::viewer::{Viewer, alone};
use hosttests::Library;
use stemlink::link::request::Verdict;
use stemlink::units::Db;

#[test]
fn a_move_that_is_predicted_then_asked_for_reads_as_predicted() {
    alone("link::moves::a_move_that_is_predicted_then_asked_for_reads_as_predicted", || {
        const SECONDS: usize = 6;
        const MOVE: Db = Db(3.0);
        let loudness = |mix: &Audio| measure(mix).integrated.expect("sounds");
        let all = 0..SECONDS * RATE as usize;
        let (viewer, library) = (Viewer::new(), Library::open());
        let songs = (0..5).map(|n| song(n + 20, SECONDS)).collect();
        // faders and pans
        let gains = [[0.5, 1.2], [1.1, 0.3], [0.8, 0.8], [1.5, 0.9], [0.2, 0.6]];
        let mut desk = Desk::new(&library, songs, &gains);
        let (master, stems) = (desk.master_id(), desk.ids());
        viewer.find(master);
        let (mix, _) = desk.play(all.clone(), Manner::USUAL);
        let before = loudness(&mix);
        // back to the beginning: the last hop waits for what follows, which says whether it was an audition
        desk.play(0..RATE as usize / 2, Manner::USUAL);
        let whole = |heard: f64| heard > SECONDS as f64 - 0.05;
        viewer.summary(master, |summary| whole(summary.heard));

        let moved = stems[3];
        let counter = viewer.desk().ask_to_predict(master, moved, MOVE).expect("it is there");
        let answered = viewer
            .summary(master, |summary| summary.forecast.is_some_and(|forecast| forecast.counter == counter));
        let forecast = answered.forecast.expect("answered");
        assert_eq!((forecast.stem, forecast.gain, forecast.half_width.0), (moved, MOVE, 0.0));
        let [now, then] = forecast.into.expect("sounds");
        assert!((now - before).0.abs() < 0.01, "{now:?} {before:?}");

        // asked for by one who has seen an older trim it is refused, then done
        let stem = viewer.find(moved);
        let trim = || stem.figures().expect("it is there").trim;
        let answer = |counter: u64| {
            super::viewer::eventually("the Stem answers", || {
                trim().answer.filter(|answer| answer.counter == counter).map(|answer| answer.verdict)
            })
        };
        let base = trim().revision;
        let stale = viewer.desk().ask(moved, base.wrapping_add(1), MOVE).expect("it is there");
        assert_eq!((answer(stale), trim().offset), (Verdict::Stale, Db(0.0)));
        let asked = viewer.desk().ask(moved, base, MOVE).expect("it is there");
        assert_eq!((answer(asked), trim().offset), (Verdict::Accepted, MOVE));

        // half a second of the trimmed song tells the Master all: what it has heard is rescaled
        desk.play(0..RATE as usize / 2, Manner::USUAL);
        let rescaled = viewer.summary(master, |summary| {
            summary.mix.integrated.is_some_and(|integrated| (integrated - then).0.abs() < 0.01)
        });
        assert!(whole(rescaled.heard), "nothing is old");

        let (mix, _) = desk.play(all, Manner::USUAL);
        let after = loudness(&mix);
        assert!((after - before).0.abs() > 0.2, "the move is heard");
        assert!((then - after).0.abs() < 0.01, "predicted {then:?}, measured {after:?}");
        assert!((viewer.summary(master, |_| true).mix.integrated.expect("sounds") - after).0.abs() < 0.01);
    });
}
