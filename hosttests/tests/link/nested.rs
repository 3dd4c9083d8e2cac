//! Stems inside others: a move of one is a move of a part of the bus that contains it.

use super::alone::alone;
use super::desk::{Audio, Desk, Manner, RATE, measure, song};
use hosttests::Library;
use hosttests::viewer::{Viewer, eventually};
use link::InstanceId;
use link::summary::{Forecast, SessionSummary};
use std::collections::BTreeMap;
use units::{Db, Lufs};

const SECONDS: usize = 8;
const KICK: usize = 0;
const SNARE: usize = 1;
const DRUMS: usize = 2;

fn all() -> std::ops::Range<usize> {
    0..SECONDS * RATE as usize
}

fn add(to: &mut Audio, from: &Audio, gain: f32) {
    to.iter_mut().zip(from).for_each(|(to, from)| to.iter_mut().zip(from).for_each(|(a, b)| *a += gain * b));
}

/// Songs of Kick, Snare, Drums, Bass. Snare and Kick are all of Drums. `moves`: of Kick and Snare, linear.
fn songs(moves: [f32; 2]) -> Vec<Audio> {
    let times = |mut audio: Audio, gain: f32| {
        audio.iter_mut().flatten().for_each(|x| *x *= gain);
        audio
    };
    let silence = || vec![vec![0.0; all().end]; 2];
    let (kick, snare) = (times(song(400, SECONDS), moves[KICK]), times(song(401, SECONDS), moves[SNARE]));
    let mut drums = silence();
    add(&mut drums, &kick, 0.8);
    add(&mut drums, &snare, 1.2);
    vec![kick, snare, drums, song(404, SECONDS)]
}

/// Only Drums and Bass have faders to the mix.
const GAINS: [[f32; 2]; 4] = [[0.0; 2], [0.0; 2], [0.7, 0.9], [0.8, 0.6]];

fn loudness(audio: &Audio) -> Lufs {
    measure(audio).integrated.expect("sounds")
}

fn inside(summary: &SessionSummary) -> BTreeMap<InstanceId, InstanceId> {
    summary.findings().filter_map(|stem| Some((stem.stem, stem.inside?))).collect()
}

struct Nest {
    viewer: Viewer,
    desk: Desk,
    master: InstanceId,
    stems: Vec<InstanceId>,
    mix: Audio,
}

impl Nest {
    /// A session that was heard once, and knows which stem is inside which.
    fn new(prepare: impl FnOnce(&mut Desk)) -> Self {
        let viewer = Viewer::new();
        let mut desk = Desk::new(&Library::open(), songs([1.0; 2]), &GAINS);
        prepare(&mut desk);
        let (master, stems) = (desk.master_id(), desk.ids());
        viewer.find(master);
        let expected: BTreeMap<_, _> =
            [(KICK, DRUMS), (SNARE, DRUMS)].map(|(a, b)| (stems[a], stems[b])).into();
        let mut mix = Vec::new();
        eventually("it is known what is inside what", || {
            mix = desk.play_at(8.0, all());
            let summary = viewer.summary(master, |summary| summary.heard > SECONDS as f64 - 0.25);
            (inside(&summary) == expected).then_some(())
        });
        // the last hop waits for what follows
        desk.play(0..RATE as usize / 2, Manner::USUAL);
        Self { viewer, desk, master, stems, mix }
    }

    fn ask(&self, stem: usize, gain: Db) -> Forecast {
        let asked = self.viewer.requester().request_prediction(self.master, self.stems[stem], gain);
        let counter = asked.expect("it is there");
        let is = |summary: &SessionSummary| summary.forecast.is_some_and(|one| one.counter == counter);
        self.viewer.summary(self.master, is).forecast.expect("answered")
    }

    /// Loudness of the mix with a move inside.
    fn truth(&mut self, stem: usize, gain: Db) -> Lufs {
        let before: Vec<Audio> = self.desk.buses.iter().map(|bus| bus.song.clone()).collect();
        let mut moves = [1.0; 2];
        moves[stem] = gain.gain() as f32;
        let moved = songs(moves);
        self.desk.buses.iter_mut().zip(moved).for_each(|(bus, song)| bus.song = song);
        let mix = self.desk.play(all(), Manner::USUAL).0;
        self.desk.buses.iter_mut().zip(before).for_each(|(bus, song)| bus.song = song);
        loudness(&mix)
    }
}

#[test]
fn a_move_of_a_stem_inside_another_is_answered_and_the_answer_holds() {
    alone("link::nested::a_move_of_a_stem_inside_another_is_answered_and_the_answer_holds", || {
        let mut nest = Nest::new(|desk| {
            // the level of what contains it is counted
            let plugin = &mut desk.buses[DRUMS].plugin;
            let change = plugin.typed(0, "Level", "-2 dB");
            plugin.flush(&[change]);
        });
        let now = loudness(&nest.mix);
        for (stem, gain) in [(KICK, Db(4.0)), (SNARE, Db(-6.0))] {
            let forecast = nest.ask(stem, gain);
            let [before, after] = forecast.into_master.expect("sounds");
            let truth = nest.truth(stem, gain);
            let width = forecast.half_width.0.max(0.01);
            assert!(width < 0.25, "{stem}: {forecast:?}");
            assert!((before - now).0.abs() < 0.01, "{stem}: {before:?} {now:?}");
            assert!((after - truth).0.abs() < width, "{stem}: {after:?} within {width}, rendered {truth:?}");
            assert!((after - before).0.abs() > 0.1, "{stem}: it is heard");
            // the song again as it was
            nest.desk.play(all(), Manner::USUAL);
            nest.desk.play(0..RATE as usize / 2, Manner::USUAL);
            nest.viewer.summary(nest.master, |summary| {
                summary.mix.integrated.is_some_and(|found| (found - now).0.abs() < 0.01)
            });
        }
        let shares: f64 = nest.viewer.summary(nest.master, |_| true).stems().filter_map(|s| s.share).sum();
        assert!((shares - 1.0).abs() < 1e-3, "what is inside is counted once: {shares}");
    });
}
