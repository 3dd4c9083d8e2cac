//! Stems inside others: a move of one is a move of a part of the bus that contains it.

use super::alone::alone_in_every_host;
use super::desk::{Audio, Desk, Manner, RATE, measure, song};
use hosttests::Library;
use hosttests::viewer::Viewer;
use link::InstanceId;
use link::summary::{Forecast, SessionSummary};
use std::collections::BTreeMap;
use units::{Db, Lufs};

const SECONDS: usize = 10;

fn all() -> std::ops::Range<usize> {
    0..SECONDS * RATE as usize
}

fn add(to: &mut Audio, from: &Audio, gain: f32) {
    to.iter_mut().zip(from).for_each(|(to, from)| to.iter_mut().zip(from).for_each(|(a, b)| *a += gain * b));
}

fn silence() -> Audio {
    vec![vec![0.0; all().end]; 2]
}

/// A bus with a Stem.
#[derive(Clone)]
struct Node {
    /// The bus that it is routed to, which comes later; `None`: the mix.
    to: Option<usize>,
    /// Fader behind its Stem.
    gain: f32,
    /// Tracks on it that have no Stem.
    own: Audio,
}

fn track(seed: u64, to: Option<usize>, gain: f32) -> Node {
    Node { to, gain, own: song(seed, SECONDS) }
}

fn bus(to: Option<usize>, gain: f32) -> Node {
    Node { to, gain, own: silence() }
}

/// Input of every bus, with a linear gain behind each Stem beside its fader.
fn songs(nodes: &[Node], moves: &[f32]) -> Vec<Audio> {
    let mut songs: Vec<Audio> = nodes.iter().map(|node| node.own.clone()).collect();
    for (n, node) in nodes.iter().enumerate() {
        if let Some(to) = node.to {
            let from = songs[n].clone();
            add(&mut songs[to], &from, node.gain * moves[n]);
        }
    }
    songs
}

fn loudness(audio: &Audio) -> Lufs {
    measure(audio).integrated.expect("sounds")
}

fn inside(summary: &SessionSummary) -> BTreeMap<InstanceId, InstanceId> {
    summary.findings().filter_map(|stem| Some((stem.stem, stem.inside?))).collect()
}

struct Nest {
    viewer: Viewer,
    desk: Desk,
    nodes: Vec<Node>,
    master: InstanceId,
    stems: Vec<InstanceId>,
    mix: Audio,
}

impl Nest {
    /// A session of `nodes` that was heard once. `extra`: a track without a Stem beside them.
    fn new(nodes: Vec<Node>, extra: Option<Audio>, prepare: impl FnOnce(&mut Desk)) -> Self {
        let viewer = Viewer::new();
        let faders: Vec<[f32; 2]> =
            nodes.iter().map(|node| if node.to.is_none() { [node.gain; 2] } else { [0.0; 2] }).collect();
        let mut desk = Desk::new(&Library::open(), songs(&nodes, &vec![1.0; nodes.len()]), &faders);
        desk.extra = extra;
        prepare(&mut desk);
        let (master, stems) = (desk.master_id(), desk.ids());
        viewer.find(master);
        let mix = desk.play_at(4.0, all());
        // the last hop waits for what follows
        desk.play(0..RATE as usize / 2, Manner::USUAL);
        Self { viewer, desk, nodes, master, stems, mix }
    }

    /// Waits until the session is heard and it is known what is inside what.
    fn wait(&self) -> SessionSummary {
        let pairs = self.nodes.iter().enumerate().filter_map(|(n, node)| Some((n, node.to?)));
        let expected: BTreeMap<_, _> = pairs.map(|(n, to)| (self.stems[n], self.stems[to])).collect();
        self.viewer.summary(self.master, |summary| {
            summary.heard > SECONDS as f64 - 0.25 && inside(summary) == expected
        })
    }

    fn ask(&self, stem: usize, gain: Db) -> Forecast {
        let asked = self.viewer.requester().request_prediction(self.master, self.stems[stem], gain);
        let counter = asked.expect("it is there");
        let is = |summary: &SessionSummary| summary.forecast.is_some_and(|one| one.counter == counter);
        self.viewer.summary(self.master, is).forecast.expect("answered")
    }

    /// Loudness of the mix with a move behind a Stem.
    fn truth(&mut self, stem: usize, gain: Db) -> Lufs {
        let mut moves = vec![1.0; self.nodes.len()];
        moves[stem] = gain.gain() as f32;
        let (moved, before) = (songs(&self.nodes, &moves), self.nodes.iter().map(|node| node.gain));
        let before: Vec<f32> = before.collect();
        for ((bus, song), (gain, factor)) in
            self.desk.buses.iter_mut().zip(moved).zip(before.iter().zip(&moves))
        {
            bus.song = song;
            if bus.gains != [0.0; 2] {
                bus.gains = [gain * factor; 2];
            }
        }
        let mix = self.desk.play(all(), Manner::USUAL).0;
        loudness(&mix)
    }

    /// Asks for the moves, and renders each: all answers hold, and are exact if `exact` says so. Returns the widest
    /// half-width, LU.
    fn check(&mut self, moves: &[(usize, Db)], exact: bool) -> f64 {
        let now = loudness(&self.mix);
        let answers: Vec<Forecast> = moves.iter().map(|&(stem, gain)| self.ask(stem, gain)).collect();
        let mut widest = 0.0f64;
        for (&(stem, gain), forecast) in moves.iter().zip(&answers) {
            let [before, after] = forecast.into_master.expect("sounds");
            let truth = self.truth(stem, gain);
            let width = forecast.half_width.0;
            assert!((before - now).0.abs() < 0.01, "{stem}: {before:?} {now:?}");
            assert!((after - truth).0.abs() < width.max(0.01), "{stem}: {truth:?} is rendered, {forecast:?}");
            assert!((truth - now).0.abs() > 0.1, "{stem}: it is heard");
            if exact {
                assert!(width == 0.0 && forecast.heard > SECONDS as f64 - 0.25, "{stem}: {forecast:?}");
            }
            widest = widest.max(width);
        }
        widest
    }
}

/// Kick and Snare in Drums, and Bass.
fn one_deep() -> Vec<Node> {
    vec![track(400, Some(2), 0.8), track(401, Some(2), 1.2), bus(None, 0.7), track(404, None, 0.8)]
}

/// Top and Bottom in Snare, Snare and Kick in Drums, and Bass.
fn two_deep() -> Vec<Node> {
    vec![
        track(410, Some(2), 0.8),
        track(411, Some(2), 1.2),
        bus(Some(4), 0.9),
        track(412, Some(4), 1.1),
        bus(None, 0.7),
        track(414, None, 0.8),
    ]
}

const ONE_DEEP_MOVES: [(usize, Db); 3] = [(0, Db(4.0)), (1, Db(-6.0)), (2, Db(3.0))];
const TWO_DEEP_MOVES: [(usize, Db); 4] = [(0, Db(4.0)), (1, Db(-6.0)), (2, Db(3.0)), (3, Db(-4.0))];

#[test]
fn a_move_of_a_stem_inside_a_neutral_one_is_exact_at_any_depth() {
    alone_in_every_host("link::nested::a_move_of_a_stem_inside_a_neutral_one_is_exact_at_any_depth", || {
        for (nodes, moves) in [(one_deep(), &ONE_DEEP_MOVES[..]), (two_deep(), &TWO_DEEP_MOVES[..])] {
            let mut nest = Nest::new(nodes, None, |_| {});
            let summary = nest.wait();
            let shares: f64 = summary.stems().filter_map(|stem| stem.share).sum();
            assert!((shares - 1.0).abs() < 1e-3, "what is inside is counted once: {shares}");
            assert!(summary.coverage.is_some_and(|coverage| coverage > 0.9999), "{summary:?}");
            nest.check(moves, true);
        }
    });
}

#[test]
fn a_nested_stem_beside_a_track_without_one_is_answered_with_a_width_that_holds() {
    alone_in_every_host(
        "link::nested::a_nested_stem_beside_a_track_without_one_is_answered_with_a_width_that_holds",
        || {
            // a hat on the Drums' bus
            let mut hat = one_deep();
            hat[2].own = song(405, SECONDS);
            let mut deep = two_deep();
            deep[4].own = song(415, SECONDS);
            for (nodes, moves) in [(hat, &ONE_DEEP_MOVES[..]), (deep, &TWO_DEEP_MOVES[..])] {
                let mut nest = Nest::new(nodes, None, |_| {});
                nest.wait();
                let widest = nest.check(moves, false);
                assert!(widest < 1.0, "{widest} LU say nothing");
            }
            // and one beside all of them
            let mut nest = Nest::new(two_deep(), Some(song(416, SECONDS)), |_| {});
            nest.wait();
            let widest = nest.check(&TWO_DEEP_MOVES, false);
            assert!(widest < 1.0, "{widest} LU say nothing");
        },
    );
}

#[test]
fn a_stem_inside_one_whose_chain_works_is_answered_with_a_width_that_holds() {
    alone_in_every_host(
        "link::nested::a_stem_inside_one_whose_chain_works_is_answered_with_a_width_that_holds",
        || {
            for settings in [
                &[("Level", "-2 dB")][..],
                &[("Compressor On", "on"), ("Compressor Threshold", "-30 dB"), ("Compressor Ratio", "3")],
            ] {
                let mut nest = Nest::new(one_deep(), None, |desk| {
                    let plugin = &mut desk.buses[2].plugin;
                    for (name, text) in settings {
                        let change = plugin.typed(0, name, text);
                        plugin.flush(&[change]);
                    }
                });
                nest.wait();
                let widest = nest.check(&ONE_DEEP_MOVES, false);
                assert!(widest < 3.0, "{widest} LU say nothing");
            }
        },
    );
}

#[test]
fn the_master_says_a_verdict_after_five_seconds_and_names_a_stem_that_is_found_nowhere() {
    alone_in_every_host(
        "link::nested::the_master_says_a_verdict_after_five_seconds_and_names_a_stem_that_is_found_nowhere",
        || {
            // its bus is muted, and it pauses
            let nodes = vec![track(420, None, 0.8), track(421, None, 0.7), track(422, None, 0.0)];
            let viewer = Viewer::new();
            let faders: Vec<[f32; 2]> = nodes.iter().map(|node| [node.gain; 2]).collect();
            let mut desk = Desk::new(&Library::open(), songs(&nodes, &[1.0; 3]), &faders);
            let (master, stems) = (desk.master_id(), desk.ids());
            viewer.find(master);
            desk.play_at(1.0, 0..5 * RATE as usize);
            let summary = viewer.summary(master, |summary| summary.coverage.is_some());
            desk.play_at(1.0, 5 * RATE as usize..7 * RATE as usize);
            assert!(summary.coverage.is_some_and(|coverage| coverage > 0.9999), "{summary:?}");
            let summary = viewer.summary(master, |summary| !summary.cause.as_str().is_empty());
            assert!(summary.cause.as_str().starts_with("Bus 2 sounds, but is not found"), "{summary:?}");
            assert!(summary.findings().all(|stem| stem.stem != stems[2]), "{summary:?}");
        },
    );
}
