//! Exact answers of the Master: levels automated and changed at rest, trims, mutes, parts of a song. The truth is a render
//! with the move made.

use super::alone::alone;
use super::desk::{Audio, Bus, Desk, LONGEST, Manner, RATE, measure, song};
use hosttests::viewer::{Viewer, eventually};
use hosttests::{Library, Plugin, Random, STEM};
use link::InstanceId;
use link::summary::Forecast;
use units::Db;

const SECONDS: usize = 12;
const FRAMES: usize = SECONDS * RATE as usize;
const GAINS: [[f32; 2]; 4] = [[0.9, 0.7], [0.8, 0.8], [0.6, 1.0], [0.7, 0.7]];
/// Frames between two values of an automation: no whole number of hops.
const STEP: usize = 2400;
/// Error of what is exact, LU.
const EXACT: f64 = 0.01;

/// Level of a Stem by frame.
type Automation<'a> = &'a dyn Fn(usize) -> Db;

struct Session {
    viewer: Viewer,
    desk: Desk,
    master: InstanceId,
    stems: Vec<InstanceId>,
    /// Level that each Stem was last given.
    levels: Vec<Db>,
}

fn integrated(mix: &Audio) -> f64 {
    measure(mix).integrated.expect("sounds").0
}

impl Session {
    fn new(seed: u64, stems: usize) -> Self {
        let viewer = Viewer::new();
        let songs = (0..stems as u64).map(|n| song(seed + n, SECONDS)).collect();
        let mut desk = Desk::new(&Library::open(), songs, &GAINS[..stems]);
        let (master, ids) = (desk.master_id(), desk.ids());
        viewer.find(master);
        Self { viewer, desk, master, levels: vec![Db(0.0); stems], stems: ids }
    }

    /// The host sets a Stem's level.
    fn set_level(&mut self, stem: usize, level: Db) {
        if self.levels[stem] != level {
            self.levels[stem] = level;
            let plugin = &mut self.desk.buses[stem].plugin;
            let id = plugin.row("Level").id;
            let value = plugin.parse(id, &format!("{:.6}", level.0)).expect("a level");
            plugin.flush(&[hosttests::Change { at: 0, id, value }]);
        }
    }

    /// Plays a range; `automation`: a stem and its level, `muted`: a stem and where it is muted behind its plugin.
    fn play(
        &mut self,
        range: std::ops::Range<usize>,
        automation: Option<(usize, Automation<'_>)>,
        muted: Option<(&[usize], std::ops::Range<usize>)>,
    ) -> Audio {
        let mut mix = vec![Vec::new(); 2];
        let gains: Vec<[f32; 2]> = self.desk.buses.iter().map(|bus| bus.gains).collect();
        for at in range.clone().step_by(STEP) {
            let end = range.end.min(at + STEP);
            if let Some((stem, level)) = automation {
                self.set_level(stem, level(at));
            }
            if let Some((stems, place)) = &muted {
                for &stem in *stems {
                    self.desk.buses[stem].gains = if place.contains(&at) { [0.0; 2] } else { gains[stem] };
                }
            }
            let part = self.desk.play(at..end, Manner::USUAL).0;
            mix.iter_mut().zip(part).for_each(|(mix, part)| mix.extend(part));
        }
        self.desk.buses.iter_mut().zip(gains).for_each(|(bus, gains)| bus.gains = gains);
        mix
    }

    /// The answer of the Master while the host does `meanwhile`.
    fn ask(&mut self, stem: usize, gain: Db, mut meanwhile: impl FnMut(&mut Desk)) -> Forecast {
        let counter = self.viewer.requester().request_prediction(self.master, self.stems[stem], gain);
        eventually("the Master answers", || {
            meanwhile(&mut self.desk);
            let summary = self.viewer.find(self.master).summary()?;
            summary.forecast.filter(|forecast| Some(forecast.counter) == counter)
        })
    }

    /// The answer to a move that is played once more with the move made; returns the truth, too.
    fn answer_and_truth(
        &mut self,
        (stem, gain): (usize, Db),
        meanwhile: impl FnMut(&mut Desk),
        play: impl FnOnce(&mut Self) -> Audio,
    ) -> (Forecast, f64) {
        let forecast = self.ask(stem, gain, meanwhile);
        let before = self.desk.buses[stem].gains;
        self.desk.buses[stem].gains = before.map(|usual| usual * gain.gain() as f32);
        let truth = integrated(&play(self));
        self.desk.buses[stem].gains = before;
        (forecast, truth)
    }

    /// Loudness with a move made; then the song is played as it was.
    fn truth(&mut self, stem: usize, gain: Db) -> f64 {
        let before = self.desk.buses[stem].gains;
        self.desk.buses[stem].gains = before.map(|usual| usual * gain.gain() as f32);
        let truth = integrated(&self.play(0..FRAMES, None, None));
        self.desk.buses[stem].gains = before;
        self.play(0..FRAMES, None, None);
        truth
    }

    /// Waits until so many seconds were heard.
    fn has_heard(&self, seconds: f64) {
        self.viewer.summary(self.master, |summary| summary.heard > seconds);
    }
}

/// Holds an answer to what it says.
#[track_caller]
fn holds(forecast: &Forecast, truth: f64) {
    let after = forecast.into_master.expect("it sounds")[1].0;
    match forecast.whole {
        Some(whole) => {
            let [low, high] = whole.after.map(|end| end.0);
            assert!((low..=high).contains(&truth), "{truth} is not in {whole:?}: {forecast:?}");
        }
        None => {
            let off = (after - truth).abs();
            assert!(off <= forecast.half_width.0 + EXACT, "off by {off}: {forecast:?}");
        }
    }
}

/// The same for one that has to be exact for all of the song.
#[track_caller]
fn is_exact(forecast: &Forecast, truth: f64) {
    assert_eq!((forecast.half_width.0, forecast.whole), (0.0, None), "{forecast:?}");
    assert!(forecast.part().is_whole() && forecast.heard > SECONDS as f64 - 0.05, "{forecast:?}");
    holds(forecast, truth);
}

/// Steps, and a ride at the end.
fn automation(random: &mut Random) -> impl Fn(usize) -> Db + use<> {
    let steps: Vec<f64> = (0..4).map(|_| (9.0 * random.unit()).round() - 4.5).collect();
    move |frame| {
        let second = frame as f64 / RATE;
        match second {
            0.0..8.0 => Db(steps[(second / 2.0) as usize]),
            _ => Db(steps[3] - 1.5 * (second - 8.0)),
        }
    }
}

#[test]
fn a_level_that_is_automated_counts_as_it_was_heard_and_a_trim_at_once() {
    alone("link::exact::a_level_that_is_automated_counts_as_it_was_heard_and_a_trim_at_once", || {
        for seed in [200, 210] {
            let mut random = Random::new(seed);
            let level = automation(&mut random);
            let mut session = Session::new(seed, 3);
            session.play(0..FRAMES, Some((1, &level)), None);
            session.play(0..FRAMES / 4, Some((1, &level)), None);
            session.has_heard(SECONDS as f64 - 0.05);
            for stem in [1, 2] {
                let again = |session: &mut Session| session.play(0..FRAMES, Some((1, &level)), None);
                let (forecast, truth) = session.answer_and_truth((stem, Db(3.0)), |_| {}, again);
                is_exact(&forecast, truth);
                session.play(0..FRAMES, Some((1, &level)), None);
            }
            // the Stem's own trim counts for all of it, before a note of it is played
            let stem = session.stems[1];
            let mut asked = None;
            eventually("it is done", || {
                let trim = session.viewer.find(stem).stem_readings()?.trim;
                // a state that was loaded a moment ago has made the request stale
                if asked.is_none_or(|revision| revision != trim.revision) && trim.offset != Db(-4.0) {
                    session.viewer.requester().request_trim(stem, trim.revision, Db(-4.0));
                    asked = Some(trim.revision);
                }
                (trim.offset == Db(-4.0)).then_some(())
            });
            let again = |session: &mut Session| session.play(0..FRAMES, Some((1, &level)), None);
            let (forecast, truth) = session.answer_and_truth((1, Db(2.0)), |_| {}, again);
            is_exact(&forecast, truth);
        }
    });
}

#[test]
fn a_level_changed_at_rest_counts_at_once_or_says_play_again() {
    alone("link::exact::a_level_changed_at_rest_counts_at_once_or_says_play_again", || {
        let stand_at = |at: usize| move |desk: &mut Desk| desk.stand(at);
        let mut session = Session::new(220, 3);
        session.play(0..FRAMES, None, None);
        stand_at(FRAMES)(&mut session.desk);
        session.has_heard(SECONDS as f64 - 0.05);
        // in place: at once, twice
        for level in [Db(3.5), Db(-2.0)] {
            session.set_level(1, level);
            let forecast = session.ask(1, Db(2.0), stand_at(FRAMES));
            is_exact(&forecast, session.truth(1, Db(2.0)));
            stand_at(FRAMES)(&mut session.desk);
        }
        // the position jumps and the level is another one: no number is exact
        stand_at(0)(&mut session.desk);
        session.set_level(1, Db(4.0));
        let forecast = session.ask(1, Db(2.0), stand_at(0));
        assert!(forecast.into_master.is_none() || !forecast.part().is_whole(), "{forecast:?}");
        // back where it was heard so
        session.set_level(1, Db(-2.0));
        let forecast = session.ask(1, Db(2.0), stand_at(0));
        is_exact(&forecast, session.truth(1, Db(2.0)));
        // nobody processes: nobody knows whether the position has jumped
        std::thread::sleep(std::time::Duration::from_millis(400));
        session.set_level(1, Db(1.0));
        let forecast = session.ask(1, Db(2.0), |_| {});
        assert!(forecast.into_master.is_none() || !forecast.part().is_whole(), "{forecast:?}");
        // an equalizer at rest: all of it is old at once
        session.play(0..FRAMES, None, None);
        session.has_heard(SECONDS as f64 - 0.05);
        let plugin = &mut session.desk.buses[1].plugin;
        let change = plugin.typed(0, "Input", "-2 dB");
        plugin.flush(&[change]);
        let forecast = session.ask(1, Db(2.0), stand_at(FRAMES));
        assert!(forecast.into_master.is_none() || !forecast.part().is_whole(), "{forecast:?}");
    });
}

#[test]
fn a_mute_in_two_passes_is_part_of_the_mix_and_a_solo_never() {
    alone("link::exact::a_mute_in_two_passes_is_part_of_the_mix_and_a_solo_never", || {
        let place = 4 * 48_000..7 * 48_000;
        let mut session = Session::new(230, 4);
        let muted = |session: &mut Session, stems: &[usize]| {
            let mix = session.play(0..FRAMES, None, Some((stems, place.clone())));
            session.desk.stand(FRAMES);
            mix
        };
        muted(&mut session, &[1]);
        session.viewer.summary(session.master, |summary| {
            summary.length > SECONDS as f64 - 0.05 && summary.stems().any(|stem| stem.mute_waits)
        });
        let (forecast, truth) =
            session.answer_and_truth((1, Db(4.0)), |_| {}, |session| muted(session, &[1]));
        assert!(forecast.whole.is_some() && !forecast.part().is_whole(), "{forecast:?}");
        holds(&forecast, truth);
        // that was the second pass; now without the move
        muted(&mut session, &[1]);
        muted(&mut session, &[1]);
        session.has_heard(SECONDS as f64 - 0.6);
        let (forecast, truth) =
            session.answer_and_truth((1, Db(4.0)), |_| {}, |session| muted(session, &[1]));
        assert_eq!(forecast.half_width.0, 0.0, "{forecast:?}");
        holds(&forecast, truth);

        // a solo at the same place, twice and more
        let mut session = Session::new(240, 4);
        (0..3).for_each(|_| drop(muted(&mut session, &[0, 1, 2])));
        let summary = session.viewer.summary(session.master, |summary| summary.heard > 8.0);
        assert!(summary.heard < 9.6 && summary.stems().all(|stem| !stem.mute_waits), "{summary:?}");
    });
}

#[test]
fn a_mute_counts_once_a_person_confirms_it() {
    alone("link::exact::a_mute_counts_once_a_person_confirms_it", || {
        let place = 3 * 48_000..8 * 48_000;
        let mut session = Session::new(250, 3);
        let muted = |session: &mut Session| {
            let mix = session.play(0..FRAMES, None, Some((&[2], place.clone())));
            session.desk.stand(FRAMES);
            mix
        };
        muted(&mut session);
        let waits = |waits: bool| {
            move |summary: &link::summary::SessionSummary| {
                summary.stems().any(|stem| stem.mute_waits) == waits
            }
        };
        session.viewer.summary(session.master, waits(true));
        session.viewer.requester().confirm_mute(session.master, session.stems[2]);
        session.viewer.summary(session.master, waits(false));
        session.has_heard(SECONDS as f64 - 0.6);
        let (forecast, truth) = session.answer_and_truth((2, Db(-5.0)), |_| {}, muted);
        assert_eq!(forecast.half_width.0, 0.0, "{forecast:?}");
        holds(&forecast, truth);
    });
}

#[test]
fn a_stem_that_joins_late_leaves_a_part_that_was_not_heard() {
    alone("link::exact::a_stem_that_joins_late_leaves_a_part_that_was_not_heard", || {
        const JOINS: usize = 5 * 48_000;
        let mut session = Session::new(260, 2);
        // until then its track has no Stem
        let late = song(262, SECONDS);
        let heard = |side: (&Vec<f32>, f32)| side.0.iter().map(|x| side.1 * x).collect();
        session.desk.extra = Some(late.iter().zip(GAINS[2]).map(heard).collect());
        session.play(0..JOINS, None, None);
        session.desk.extra = None;
        let mut plugin = Plugin::on_track(&Library::open(), STEM, "Late").expect("the library has it");
        plugin.open(None, RATE, LONGEST);
        session.desk.buses.push(Bus {
            plugin,
            song: late,
            gains: GAINS[2],
            sleeps: false,
            late: Vec::new(),
            ahead: 0,
        });
        session.levels.push(Db(0.0));
        session.play(JOINS..FRAMES, None, None);
        session.desk.stand(FRAMES);
        session.viewer.summary(session.master, |summary| summary.stems().count() == 3 && summary.heard > 5.0);
        let again = |session: &mut Session| session.play(0..FRAMES, None, None);
        let (forecast, truth) = session.answer_and_truth((0, Db(4.0)), |_| {}, again);
        assert!(forecast.whole.is_some() && !forecast.part().is_whole(), "{forecast:?}");
        holds(&forecast, truth);
    });
}
