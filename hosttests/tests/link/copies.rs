//! Stems that are the same, or nearly: the Master says the same of them at any speed.

use super::alone::alone;
use super::desk::{Audio, Desk, Manner, RATE, song};
use hosttests::viewer::Viewer;
use hosttests::{Library, noise};
use units::Db;

const SECONDS: usize = 10;
/// Speeds in multiples of the song's.
const SPEEDS: [f64; 3] = [1.0, 5.0, 20.0];
const GAINS: [[f32; 2]; 3] = [[0.9, 0.7], [0.6, 0.8], [0.7, 0.7]];
const MOVE: Db = Db(3.0);

/// Verdict of the Master on a Stem: whether it sums it, or what contains it, and how sure it is of a move.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Verdict {
    is_summed: bool,
    inside: Option<usize>,
    /// `None` without an answer.
    half_width: Option<f64>,
    is_whole: bool,
}

/// Verdicts on all stems of a session that was played once.
fn verdicts(songs: &[Audio], speed: f64) -> Vec<Verdict> {
    let viewer = Viewer::new();
    let mut desk = Desk::new(&Library::open(), songs.to_vec(), &GAINS);
    let (master, ids) = (desk.master_id(), desk.ids());
    viewer.find(master);
    desk.play_at(speed, 0..SECONDS * RATE as usize);
    desk.play(0..RATE as usize / 2, Manner::USUAL);
    let mut verdicts = Vec::new();
    for id in &ids {
        let counter = viewer.requester().request_prediction(master, *id, MOVE).expect("it is there");
        let answered = viewer
            .summary(master, |summary| summary.forecast.is_some_and(|forecast| forecast.counter == counter));
        let forecast = answered.forecast.expect("answered");
        let found = answered.findings().find(|one| one.stem == *id);
        verdicts.push(Verdict {
            is_summed: found.is_some_and(|one| one.inside.is_none()),
            inside: found.and_then(|one| ids.iter().position(|id| Some(*id) == one.inside)),
            half_width: forecast.into_master.map(|_| forecast.half_width.0),
            is_whole: forecast.part().is_whole(),
        });
    }
    verdicts
}

/// Holds the verdicts at all speeds to each other: all stems are summed, and answers are as sure. Returns their
/// half-widths, LU.
fn are_steady(songs: &[Audio]) -> Vec<f64> {
    let all = SPEEDS.map(|speed| verdicts(songs, speed));
    let widths = |verdicts: &[Verdict]| -> Vec<f64> {
        verdicts
            .iter()
            .map(|verdict| {
                assert!(verdict.is_summed && verdict.is_whole, "{all:#?}");
                verdict.half_width.unwrap_or_else(|| panic!("no answer: {all:#?}"))
            })
            .collect()
    };
    let first = widths(&all[0]);
    for other in &all[1..] {
        let is_alike = |(a, b): (&f64, f64)| (*a == 0.0) == (b == 0.0) && (a - b).abs() <= 0.05 * a;
        assert!(first.iter().zip(widths(other)).all(is_alike), "{all:#?}");
    }
    first
}

#[test]
fn two_stems_that_are_the_same_are_judged_alike_at_any_speed() {
    alone("link::copies::two_stems_that_are_the_same_are_judged_alike_at_any_speed", || {
        let first = song(500, SECONDS);
        let widths = are_steady(&[first.clone(), first, song(501, SECONDS)]);
        // nobody can know what each of them brings
        assert!(widths[0] > 1.0 && widths[1] > 1.0 && widths[2] < 0.05, "{widths:?}");
    });
}

/// The same with noise on the second one.
fn are_steady_with_noise(peak: f32) -> Vec<f64> {
    let first = song(510, SECONDS);
    let mut near = first.clone();
    let own = noise(512, 2, SECONDS * RATE as usize, peak);
    near.iter_mut().flatten().zip(own.iter().flatten()).for_each(|(x, own)| *x += own);
    are_steady(&[first, near, song(511, SECONDS)])
}

#[test]
fn two_stems_that_differ_by_a_trace_are_judged_alike_at_any_speed() {
    alone("link::copies::two_stems_that_differ_by_a_trace_are_judged_alike_at_any_speed", || {
        // too little to tell them apart: never that one is inside the other, and exact
        let widths = are_steady_with_noise(3e-5);
        assert!(widths[0] > 1.0 && widths[1] > 1.0 && widths[2] < 0.05, "{widths:?}");
    });
}

#[test]
fn two_stems_that_are_nearly_the_same_are_judged_alike_at_any_speed() {
    alone("link::copies::two_stems_that_are_nearly_the_same_are_judged_alike_at_any_speed", || {
        assert_eq!(are_steady_with_noise(1e-3), [0.0; 3]);
    });
}
