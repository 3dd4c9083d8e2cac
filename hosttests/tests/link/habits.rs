//! Habits of people in a session: the history stays right, and the window says what goes on.

use super::alone::alone;
use super::desk::{Audio, Desk, Manner, RATE, measure, song};
use hosttests::Library;
use hosttests::host::is_worst;
use hosttests::viewer::{Viewer, eventually};
use link::InstanceId;
use link::summary::SessionSummary;
use session::session_report::StemState;
use std::collections::BTreeSet;
use units::Db;

const SECONDS: usize = 10;
const GAINS: [[f32; 2]; 3] = [[0.9, 0.7], [0.8, 0.8], [0.6, 1.0]];

/// Frames of the song.
fn frames(from: f64, to: f64) -> std::ops::Range<usize> {
    (from * RATE) as usize..(to * RATE) as usize
}

fn all() -> std::ops::Range<usize> {
    frames(0.0, SECONDS as f64)
}

/// A session that has been heard once from beginning to end, and what a meter reads of its mix.
struct Session {
    viewer: Viewer,
    desk: Desk,
    master: InstanceId,
    stems: Vec<InstanceId>,
    integrated: f64,
}

fn integrated(mix: &Audio) -> f64 {
    measure(mix).integrated.expect("sounds").0
}

impl Session {
    fn new(seed: u64) -> Self {
        Self::of((0..3).map(|n| song(seed + n, SECONDS)).collect())
    }

    fn of(songs: Vec<Audio>) -> Self {
        let viewer = Viewer::new();
        let mut desk = Desk::new(&Library::open(), songs, &GAINS);
        let (master, stems) = (desk.master_id(), desk.ids());
        viewer.find(master);
        let mix = desk.play(all(), Manner::USUAL).0;
        let mut session = Self { viewer, desk, master, stems, integrated: integrated(&mix) };
        session.nudge();
        session.is_right();
        session
    }

    /// Plays the beginning: the last hop waits for what follows, which says whether it was an audition.
    fn nudge(&mut self) {
        self.desk.play(frames(0.0, 0.5), Manner::USUAL);
    }

    /// Waits for the Master to know all of the song as it is, and nothing else.
    fn is_right(&self) -> SessionSummary {
        let whole = |summary: &SessionSummary| summary.heard > SECONDS as f64 - 0.05;
        let same = |summary: &SessionSummary| {
            summary.mix.integrated.is_some_and(|found| (found.0 - self.integrated).abs() < 0.01)
        };
        let explained = |summary: &SessionSummary| summary.coverage.is_some_and(|coverage| coverage > 0.9999);
        self.summary(|summary| whole(summary) && same(summary) && explained(summary))
    }

    fn summary(&self, is: impl Fn(&SessionSummary) -> bool) -> SessionSummary {
        self.viewer.summary(self.master, is)
    }

    fn state(&self, summary: &SessionSummary, stem: usize) -> Option<StemState> {
        summary.stems().find(|known| known.stem == self.stems[stem]).map(|known| known.state)
    }

    /// Mutes all stems but one; `None`: none.
    fn solo(&mut self, only: Option<usize>) {
        for (stem, bus) in self.desk.buses.iter_mut().enumerate() {
            bus.gains = if only.is_none_or(|only| only == stem) { GAINS[stem] } else { [0.0; 2] };
        }
    }
}

#[test]
fn a_soloed_chorus_is_not_recorded_and_is_over_with_the_solo() {
    alone("link::habits::a_soloed_chorus_is_not_recorded_and_is_over_with_the_solo", || {
        let mut session = Session::new(100);
        session.solo(Some(0));
        session.desk.play(frames(2.0, 5.5), Manner::USUAL);
        session.summary(|summary| {
            [1, 2].iter().all(|&stem| session.state(summary, stem) == Some(StemState::Missing))
                && session.state(summary, 0) == Some(StemState::InTheMix)
        });
        session.is_right();
        session.solo(None);
        session.desk.play(frames(2.0, 5.5), Manner::USUAL);
        session
            .summary(|summary| (0..3).all(|stem| session.state(summary, stem) == Some(StemState::InTheMix)));
        session.is_right();
    });
}

#[test]
fn stems_rendered_through_the_master_one_by_one_leave_the_history_alone() {
    alone("link::habits::stems_rendered_through_the_master_one_by_one_leave_the_history_alone", || {
        let mut session = Session::new(110);
        for stem in 0..3 {
            session.solo(Some(stem));
            // to where all of them sound
            session.desk.play(frames(0.0, 9.5), Manner::USUAL);
            let others = (0..3).filter(|&other| other != stem);
            session.summary(|summary| {
                others.clone().all(|other| session.state(summary, other) == Some(StemState::Missing))
            });
            session.is_right();
        }
        session.solo(None);
        session.nudge();
        let summary = session.is_right();
        assert!(summary.half_width.is_some_and(|width| width.0 == 0.0), "{summary:?}");
    });
}

#[test]
fn a_muted_stem_is_missing_and_the_history_waits_until_somebody_says_that_it_is_meant() {
    alone(
        "link::habits::a_muted_stem_is_missing_and_the_history_waits_until_somebody_says_that_it_is_meant",
        || {
            let mut session = Session::new(120);
            session.desk.buses[1].gains = [0.0; 2];
            for _ in 0..3 {
                session.desk.play(frames(0.0, 9.0), Manner::USUAL);
            }
            session.summary(|summary| session.state(summary, 1) == Some(StemState::Missing));
            let summary = session.is_right();
            // it is still one of the session: unmuted, it is worth what it was
            assert_eq!(summary.stems().count(), 3);
        },
    );
}

#[test]
fn a_fader_that_is_ridden_is_how_the_song_is_and_makes_an_estimate_that_holds() {
    alone("link::habits::a_fader_that_is_ridden_is_how_the_song_is_and_makes_an_estimate_that_holds", || {
        const RIDDEN: usize = 1;
        let mut session = Session::new(130);
        // 6 dB down over two seconds in the middle, in steps of a block
        let ride = |session: &mut Session, trim: Db| {
            let mut mix = vec![Vec::new(); 2];
            for at in all().step_by(Manner::USUAL.block) {
                let fall = ((at as f64 / RATE - 4.0) / 2.0).clamp(0.0, 1.0);
                let gain = (trim + Db(-6.0 * fall)).gain() as f32;
                session.desk.buses[RIDDEN].gains = GAINS[RIDDEN].map(|usual| usual * gain);
                let end = all().end.min(at + Manner::USUAL.block);
                let (part, _) = session.desk.play(at..end, Manner::USUAL);
                mix.iter_mut().zip(part).for_each(|(mix, part)| mix.extend(part));
            }
            integrated(&mix)
        };
        session.integrated = ride(&mut session, Db(0.0));
        let ridden = |summary: &SessionSummary| {
            summary.heard > SECONDS as f64 - 0.25
                && summary.mix.integrated.is_some_and(|found| (found.0 - session.integrated).abs() < 0.03)
                && summary.coverage.is_some_and(|coverage| coverage > 0.995)
        };
        session.summary(ridden);

        const MOVE: Db = Db(3.0);
        let counter = session
            .viewer
            .requester()
            .request_prediction(session.master, session.stems[RIDDEN], MOVE)
            .expect("there");
        let answer = session
            .summary(|summary| summary.forecast.is_some_and(|forecast| forecast.counter == counter))
            .forecast
            .expect("answered");
        let [before, after] = answer.into_master.expect("sounds");
        let made = ride(&mut session, MOVE) - session.integrated;
        let off = ((after - before).0 - made).abs();
        assert!(off <= answer.half_width.0 + 0.01, "off by {off}: {answer:?}");
        // an automatic rider, which answers moves, would look the same
        assert!(answer.half_width < after - before, "the sign is sure: {answer:?}");
    });
}

#[test]
fn a_stem_that_the_host_lets_sleep_is_silent_not_gone() {
    alone("link::habits::a_stem_that_the_host_lets_sleep_is_silent_not_gone", || {
        const SLEEPER: usize = 2;
        const LONG: usize = 70;
        let mut songs: Vec<Audio> = (0..3).map(|n| song(140 + n, LONG)).collect();
        // a minute of silence
        let silence = frames(4.0, 65.0);
        songs[SLEEPER].iter_mut().for_each(|side| side[silence.clone()].fill(0.0));
        let viewer = Viewer::new();
        let mut desk = Desk::new(&Library::open(), songs, &GAINS);
        let (master, stems) = (desk.master_id(), desk.ids());
        viewer.find(master);
        let mut mix = desk.play(frames(0.0, 5.0), Manner::USUAL).0;
        desk.buses[SLEEPER].sleeps = true;
        // slow enough that the link's clock, which is the wall's, takes it for asleep
        let slept = desk.play_at(12.0, frames(5.0, 64.0));
        let known = |summary: &SessionSummary| summary.stems().any(|stem| stem.stem == stems[SLEEPER]);
        viewer.summary(master, |summary| summary.heard > 60.0 && known(summary));
        desk.buses[SLEEPER].sleeps = false;
        let woken = desk.play(frames(64.0, 70.0), Manner::USUAL).0;
        for part in [slept, woken] {
            mix.iter_mut().zip(part).for_each(|(mix, part)| mix.extend(part));
        }
        desk.play(frames(0.0, 0.5), Manner::USUAL);
        let truth = integrated(&mix);
        // the transport of the worst host stands twice on the way: each time the next hop is lost, and, for a stem that the
        // host does not call any more, the one after it
        let lost = if is_worst() { 0.45 } else { 0.25 };
        viewer.summary(master, |summary| {
            summary.heard > LONG as f64 - lost
                && summary.mix.integrated.is_some_and(|found| (found.0 - truth).abs() < 0.01)
                && summary.coverage.is_some_and(|coverage| coverage > 0.9999)
                && known(summary)
        });
    });
}

#[test]
fn a_stem_inside_a_group_is_metered_and_the_group_is_summed() {
    alone("link::habits::a_stem_inside_a_group_is_metered_and_the_group_is_summed", || {
        let mut songs: Vec<Audio> = (0..3).map(|n| song(150 + n, SECONDS)).collect();
        // bus 2 is a group: bus 0 goes through it, beside something of its own
        let inner = songs[0].clone();
        for (group, inner) in songs[2].iter_mut().zip(&inner) {
            group.iter_mut().zip(inner).for_each(|(group, inner)| *group += 0.8 * inner);
        }
        let viewer = Viewer::new();
        let mut desk = Desk::new(&Library::open(), songs, &[[0.0; 2], GAINS[1], GAINS[2]]);
        let (master, stems) = (desk.master_id(), desk.ids());
        viewer.find(master);
        let summed = BTreeSet::from([stems[1], stems[2]]);
        let summary = eventually("the group is summed and what is inside is not", || {
            desk.play_at(8.0, all());
            let summary = viewer.summary(master, |_| true);
            let known: BTreeSet<InstanceId> = summary.stems().map(|stem| stem.stem).collect();
            let whole = summary.heard > SECONDS as f64 - 0.25;
            let explained = summary.coverage.is_some_and(|coverage| coverage > 0.9999);
            (known == summed && whole && explained).then_some(summary)
        });
        let shares: f64 = summary.stems().filter_map(|stem| stem.share).sum();
        assert!((shares - 1.0).abs() < 1e-3, "{shares}");
    });
}

#[test]
fn loops_and_jumps_fill_the_places_they_play() {
    alone("link::habits::loops_and_jumps_fill_the_places_they_play", || {
        let (viewer, library) = (Viewer::new(), Library::open());
        let songs = (0..3).map(|n| song(160 + n, SECONDS)).collect();
        let mut desk = Desk::new(&library, songs, &GAINS);
        let master = desk.master_id();
        viewer.find(master);
        for _ in 0..3 {
            desk.play(frames(1.0, 3.0), Manner::USUAL);
        }
        desk.play(frames(6.3, 8.7), Manner::USUAL);
        desk.play(frames(1.0, 1.5), Manner::USUAL);
        // of each stretch at most the 100 ms after a jump and a hop's rests are missing
        let heard = viewer.summary(master, |summary| summary.heard > 3.8).heard;
        assert!(heard < 4.4 + 1e-6, "{heard} s");
        let mix = desk.play(all(), Manner::USUAL).0;
        desk.play(frames(0.0, 0.5), Manner::USUAL);
        let truth = integrated(&mix);
        viewer.summary(master, |summary| {
            summary.heard > SECONDS as f64 - 0.05
                && summary.mix.integrated.is_some_and(|found| (found.0 - truth).abs() < 0.01)
        });
    });
}

#[test]
fn at_another_sample_rate_the_history_begins_anew() {
    alone("link::habits::at_another_sample_rate_the_history_begins_anew", || {
        let mut session = Session::new(170);
        session.desk.set_rate(44_100.0);
        // the same samples are another song now: longer; of the old one nothing is left
        let half = frames(0.0, SECONDS as f64 / 2.0);
        let mix = session.desk.play(half, Manner::USUAL).0;
        session.nudge();
        let length = SECONDS as f64 / 2.0 * RATE / 44_100.0;
        let truth = super::desk::measure_at(44_100.0, &mix).integrated.expect("sounds").0;
        let summary = session.summary(|summary| {
            (summary.heard - length).abs() < 0.25
                && summary.mix.integrated.is_some_and(|found| (found.0 - truth).abs() < 0.01)
        });
        assert!(summary.coverage.is_some_and(|coverage| coverage > 0.9999), "{summary:?}");
    });
}

#[test]
fn a_project_that_is_open_twice_has_two_masters_that_sum_their_own_stems() {
    alone("link::habits::a_project_that_is_open_twice_has_two_masters_that_sum_their_own_stems", || {
        let mut first = Session::new(180);
        let states: Vec<Vec<u8>> = first.desk.buses.iter_mut().map(|bus| bus.plugin.save()).collect();
        let state = first.desk.master.save();
        // the copy was worked on: it has other songs
        let songs = (0..3).map(|n| song(190 + n, SECONDS)).collect();
        let mut copy = Desk::reopened(&Library::open(), songs, &GAINS, &states, &state);
        let (master, stems) = (copy.master_id(), copy.ids());
        assert!(stems.iter().all(|id| !first.stems.contains(id)) && master != first.master);
        first.viewer.find(master);
        let own: BTreeSet<InstanceId> = stems.into_iter().collect();
        eventually("each sums its own", || {
            let truth = integrated(&copy.play_at(8.0, all()));
            first.desk.play_at(8.0, all());
            let summary = first.viewer.summary(master, |_| true);
            let known: BTreeSet<InstanceId> = summary.stems().map(|stem| stem.stem).collect();
            let right = summary.mix.integrated.is_some_and(|found| (found.0 - truth).abs() < 0.01);
            (known == own && right && summary.heard > SECONDS as f64 - 0.25).then_some(())
        });
        let summary = first.is_right();
        let known: BTreeSet<InstanceId> = summary.stems().map(|stem| stem.stem).collect();
        assert_eq!(known, first.stems.iter().copied().collect());
    });
}

/// Memory of this process, bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages: usize = status.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * 4096
}

#[test]
#[allow(clippy::print_stdout, reason = "what is measured is printed")]
#[ignore = "an hour of eight Stems: minutes; cargo test -p hosttests --test link an_hour -- --ignored"]
fn an_hour_of_eight_stems_stays_within_its_memory() {
    alone("link::habits::an_hour_of_eight_stems_stays_within_its_memory", || {
        const MINUTE: usize = 60;
        let viewer = Viewer::new();
        let songs = (0..8).map(|n| song(200 + n, MINUTE)).collect();
        let mut desk = Desk::new(&Library::open(), songs, &[[0.5, 0.4]; 8]);
        let master = desk.master_id();
        viewer.find(master);
        let minute = frames(0.0, MINUTE as f64);
        desk.play(minute.clone(), Manner::USUAL);
        let (before, start) = (resident(), std::time::Instant::now());
        for number in 1..60 {
            desk.begin = number * minute.end;
            desk.play(minute.clone(), Manner::USUAL);
            // what waits for the analysis is not what it keeps
            viewer.summary(master, |summary| summary.heard > (MINUTE * number) as f64);
        }
        let grown = resident().saturating_sub(before);
        println!("an hour of eight Stems: {} MiB more, {:?}", grown >> 20, start.elapsed());
        // hops of the session, windows for simulations, and the meters' hops
        assert!(grown < (256 + 128 + 32) << 20, "{} MiB", grown >> 20);
    });
}
