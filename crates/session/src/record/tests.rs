//! Habits: what people do in a session, and what must stay right.

use super::super::heard::Places;
use super::super::joint::tests::{measured, mix, sources};
use super::super::predict::{Move, gains};
use super::super::prediction::predict_moves;
use super::super::view::{Session, StemState};
use super::super::watch::{HopBuilder, StemBlock};
use super::*;
use units::Hz;

type Audio = [Vec<f64>; 2];

const RATE: f64 = 8_000.0;
const HOP: usize = 800;
const SECOND: usize = 8_000;

/// A song on a desk, with the Master's watch and recorder.
struct Room {
    stems: Vec<Audio>,
    watch: HopBuilder,
    recorder: Recorder,
    members: Vec<Member>,
    /// Per stem, the gain of its chain before the level.
    chains: Vec<f64>,
    block: usize,
}

impl Room {
    fn new(seed: u64, stems: usize, seconds: usize) -> Self {
        let members: Vec<Member> =
            (0..stems as u64).map(|i| Member { id: StemId(100 + i), setting: Setting::default() }).collect();
        let mut room = Self {
            stems: sources(seed, stems, seconds * SECOND),
            watch: HopBuilder::new(Hz(RATE)),
            recorder: Recorder::default(),
            members,
            chains: vec![1.0; stems],
            block: 512,
        };
        room.enter();
        room
    }

    /// All stems are linked anew.
    fn enter(&mut self) {
        self.watch.set_stems(1, self.members.len());
        self.recorder.set_stems(1, &self.members);
    }

    fn frames(&self) -> usize {
        self.stems[0][0].len()
    }

    /// Plays `range` of the song with these faders; `there`: who is had, by frame.
    fn play_with(
        &mut self,
        range: std::ops::Range<usize>,
        faders: impl Fn(usize, usize) -> f64,
        there: impl Fn(usize, usize) -> bool,
    ) {
        let mut at = range.start;
        while at < range.end {
            let part = at..range.end.min(at + self.block);
            let levels: Vec<f64> = self.members.iter().map(|member| member.setting.level.gain()).collect();
            // What leaves each Stem, at its level, and what the desk makes of it.
            let out = |stem: usize, side: usize| -> Vec<f64> {
                self.stems[stem][side][part.clone()].iter().map(|x| levels[stem] * x).collect()
            };
            let audio: Vec<Audio> = (0..self.stems.len()).map(|stem| [out(stem, 0), out(stem, 1)]).collect();
            let inputs: Vec<Audio> = (audio.iter().zip(&self.chains))
                .map(|(audio, gain)| audio.clone().map(|side| side.iter().map(|x| x / gain).collect()))
                .collect();
            let sum = [0, 1].map(|side: usize| -> Vec<f64> {
                (0..part.len())
                    .map(|n| {
                        audio.iter().enumerate().map(|(i, a)| faders(i, part.start + n) * a[side][n]).sum()
                    })
                    .collect()
            });
            let blocks: Vec<StemBlock<'_>> = audio[..self.members.len()]
                .iter()
                .enumerate()
                .map(|(i, a)| StemBlock {
                    output: there(i, part.start).then_some([&a[0][..], &a[1][..]]),
                    input: (self.chains[i] != 1.0).then_some([&inputs[i][0][..], &inputs[i][1][..]]),
                    continues: true,
                })
                .collect();
            self.watch.process(Some(part.start as i64), [&sum[0], &sum[1]], &blocks);
            while self.watch.take(|hop| self.recorder.take(hop)) {}
            at = part.end;
        }
        self.recorder.refit();
    }

    /// Plays and stops.
    fn play(&mut self, range: std::ops::Range<usize>, faders: &[f64]) {
        self.play_with(range, |stem, _| faders[stem], |_, _| true);
        self.stop();
    }

    /// The transport stops, and silence goes on.
    fn stop(&mut self) {
        let silence = [0.0; 3 * HOP];
        let silent = StemBlock { output: Some([&silence, &silence]), input: None, continues: true };
        self.watch.process(None, [&silence, &silence], &vec![silent; self.members.len()]);
        while self.watch.take(|hop| self.recorder.take(hop)) {}
        self.recorder.refit();
    }

    fn marks(&self, range: std::ops::Range<usize>) -> Vec<Mark> {
        range.map(|place| self.recorder.mark(place as Place)).collect()
    }

    fn whole(&self) -> Places {
        0..(self.frames() / HOP) as Place
    }

    /// The integrated loudness of what was heard, by the recorder.
    fn loudness(&self) -> f64 {
        self.recorder.heard(self.whole()).reading().integrated.expect("sounds").0
    }

    /// The loudness of the song on the desk, measured.
    fn truth(&self, faders: &[f64]) -> f64 {
        measured(&mix(&self.stems, faders), RATE).reading().integrated.expect("sounds").0
    }

    fn session(&self) -> Session {
        let heard = self.recorder.heard(self.whole());
        let targets = super::super::target::builtin();
        Session::new(&self.recorder, &heard, &[], Vec::new(), &targets, |id| format!("Stem {}", id.0))
    }
}

fn all_are(marks: &[Mark], mark: Mark) -> bool {
    marks.iter().all(|m| *m == mark)
}

#[test]
fn a_song_played_once_is_known_and_moves_are_exact() {
    let mut room = Room::new(1, 4, 16);
    let faders = [0.5, 1.2, 0.8, 1.0];
    room.play(0..room.frames(), &faders);
    let heard = room.recorder.heard(room.whole());
    assert_eq!((heard.progress.heard, heard.progress.all), (160, 160));
    let moves = [Move { source: 2, gain: Db(4.0) }];
    let targets = super::super::target::builtin();
    let answer = predict_moves(&heard, &moves, &[], &targets, |stem| format!("S{stem}"));
    let moved: Vec<f64> = gains(4, &moves).iter().zip(&faders).map(|(g, f)| g * f).collect();
    let truth = room.truth(&moved);
    assert!((answer.after.integrated.expect("sounds").0 - truth).abs() < 0.01);
    assert_eq!(answer.certainty, crate::predict::Certainty::Exact);
    assert!(!answer.returns_not_included);
    // The peak is in its bracket.
    let peak = measured(&mix(&room.stems, &moved), RATE).reading().true_peak.expect("sounds");
    assert!(answer.peak.low.expect("low") <= peak && peak <= answer.peak.high.expect("high"), "{answer:?}");
    let spotify = &answer.exchanges[0];
    let change = answer.after.integrated.expect("sounds") - answer.before.integrated.expect("sounds");
    assert!(spotify.sentence.as_ref().expect("known").starts_with("While normalized: S2 +4 dB = "));
    assert!(spotify.others.is_some() && change.0 > 0.0);
}

#[test]
fn what_is_shown_fits_together() {
    let mut room = Room::new(2, 3, 12);
    room.play(0..room.frames(), &[1.0, 0.5, 2.0]);
    let session = room.session();
    let shares: f64 = session.stems.iter().map(|stem| stem.share.expect("sounds")).sum();
    assert!((shares + session.unlinked_share.expect("sounds") - 1.0).abs() < 1e-9);
    assert!(session.is_trusted() && session.coverage.expect("sounds") > 0.999_999);
    assert!((session.stems[1].gain.expect("fitted").0 + 6.02).abs() < 0.01);
    assert_eq!(
        session.stems[0].chain_cost.map(|cost| cost.0.abs() < 1e-9),
        Some(true),
        "no chain costs nothing"
    );
    assert!(
        session.stems.iter().all(|stem| stem.state == StemState::InTheMix || stem.state == StemState::Silent)
    );
    let mix = measured(&mix(&room.stems, &[1.0, 0.5, 2.0]), RATE).reading();
    let peak = session.mix.true_peak.expect("sounds") - mix.true_peak.expect("sounds");
    assert!(peak.0.abs() < 1e-9 && session.loudest_peak.is_some(), "{peak:?}");
    assert!(!session.platforms.is_empty() && session.platforms.iter().all(|row| !row.sentence.is_empty()));
}

#[test]
fn what_a_chain_costs_is_the_mix_with_it_less_that_without() {
    let mut room = Room::new(16, 3, 12);
    room.chains[1] = 2.5;
    let faders = [1.0, 0.6, 0.8];
    room.play(0..room.frames(), &faders);
    let cost = room.recorder.heard(room.whole()).chain_cost(1).expect("known").0;
    let truth = room.truth(&faders) - room.truth(&[1.0, 0.6 / 2.5, 0.8]);
    assert!((cost - truth).abs() < 1e-6 && cost > 0.5, "{cost} {truth}");
}

#[test]
fn what_is_heard_at_the_moment_needs_no_timeline() {
    let mut room = Room::new(18, 3, 6);
    room.play_with(0..room.frames(), |stem, _| [0.5, 1.0, 0.25][stem], |_, _| true);
    let live = room.recorder.live();
    let gain = live.ground.fit.mean(2).expect("fitted")[0][0];
    assert!((gain - 0.25).abs() < 1e-6 && live.progress.heard == 60, "{gain} {:?}", live.progress);
    // In a solo it is the solo that is heard.
    room.play_with(0..52 * HOP, |stem, _| [0.0, 1.0, 0.0][stem], |_, _| true);
    assert!(room.recorder.live().ground.fit.mean(0).expect("fitted")[0][0].abs() < 1e-6);
    let session = room.session();
    assert_eq!(session.stems.iter().filter(|stem| stem.state == StemState::Missing).count(), 2);
}

#[test]
fn songs_of_an_album_are_ranges_of_one_timeline() {
    let mut room = Room::new(17, 3, 16);
    room.play(0..room.frames(), &[1.0, 0.6, 0.8]);
    let sum = mix(&room.stems, &[1.0, 0.6, 0.8]);
    for range in [0..70, 90..160] {
        let heard = room.recorder.heard(range.clone());
        let frames = range.start as usize * HOP..range.end as usize * HOP;
        let song = [0, 1].map(|side: usize| sum[side][frames.clone()].to_vec());
        let truth = measured(&song, RATE).reading().integrated.expect("sounds");
        assert!((heard.reading().integrated.expect("sounds") - truth).0.abs() < 0.01);
        assert_eq!((heard.progress.heard, heard.progress.all), (70, 70));
    }
    assert_eq!(room.recorder.heard(150..200).progress.heard, 10);
}

#[test]
fn a_soloed_chorus_is_not_recorded_and_hurts_nothing() {
    let mut room = Room::new(3, 4, 16);
    let faders = [1.0, 0.7, 0.9, 1.1];
    room.play(0..room.frames(), &faders);
    let before = room.loudness();
    // Over what is known: nothing is overwritten.
    room.play(40 * HOP..90 * HOP, &[0.0, 0.0, 0.9, 0.0]);
    assert_eq!(room.loudness(), before);
    assert!(all_are(&room.marks(1..158), Mark::Heard));
    // Unsolo, with another fader: now it is.
    room.play(60 * HOP..80 * HOP, &[0.5, 0.7, 0.9, 1.1]);
    assert!(room.loudness() < before);
}

#[test]
fn a_solo_that_begins_in_mid_hop_leaves_no_half_hop() {
    let mut room = Room::new(4, 3, 12);
    let (first, last) = (30 * HOP + 300, 60 * HOP + 500);
    let fader = |stem: usize, n: usize| if (first..last).contains(&n) && stem != 1 { 0.0 } else { 1.0 };
    room.play_with(0..room.frames(), fader, |_, _| true);
    let marks = room.marks(0..119);
    assert!(all_are(&marks[..29], Mark::Heard) && all_are(&marks[62..], Mark::Heard), "{marks:?}");
    assert!(all_are(&marks[30..=60], Mark::Auditioned));
    let heard = room.recorder.heard(room.whole());
    for hop in (0..119).filter(|hop| marks[*hop as usize] == Mark::Heard) {
        let arrival = heard.ground.fit.arrivals(hop as usize)[0];
        assert!(!arrival.fitted[0] || (arrival.gains[0][0] - 1.0).abs() < 1e-3, "{hop}: {arrival:?}");
    }
}

#[test]
fn a_stem_printed_through_the_master_is_an_audition() {
    let mut room = Room::new(5, 3, 8);
    room.play(0..room.frames(), &[1.0, 0.0, 0.0]);
    assert!(all_are(&room.marks(1..78), Mark::Auditioned));
    let session = room.session();
    assert_eq!(session.mix.integrated, None);
    assert_eq!((session.progress.heard, session.progress.auditioned), (0, 80));
}

#[test]
fn a_deliberate_mute_is_confirmed_once() {
    let mut room = Room::new(6, 3, 12);
    room.play(0..60 * HOP, &[1.0; 3]);
    assert_eq!(room.recorder.asks(), []);
    room.play(0..60 * HOP, &[1.0, 0.0, 1.0]);
    assert_eq!(room.recorder.asks(), [StemId(101)]);
    let with = room.loudness();
    room.recorder.confirm_mute(StemId(101));
    room.play(0..60 * HOP, &[1.0, 0.0, 1.0]);
    assert_eq!(room.recorder.asks(), []);
    assert!((room.loudness() - with).abs() > 0.1, "now it is recorded without the stem");
    let heard = room.recorder.heard(10..50);
    assert!(heard.ground.fit.arrivals(10)[1].gains[0][0].abs() < 1e-3);
    // It is back: the next mute is asked about again.
    room.play(0..60 * HOP, &[1.0; 3]);
    room.play(0..60 * HOP, &[1.0, 0.0, 1.0]);
    assert_eq!(room.recorder.asks(), [StemId(101)]);
}

#[test]
fn a_fader_ridden_by_6_db_is_no_fault() {
    let mut room = Room::new(7, 3, 16);
    let ride = |n: usize| units::linear(-6.0 * (n as f64 / (4 * SECOND) as f64).sin().abs());
    room.play_with(0..room.frames(), |stem, n| if stem == 1 { ride(n) } else { 1.0 }, |_, _| true);
    assert!(all_are(&room.marks(0..159), Mark::Heard));
    let session = room.session();
    assert!(session.coverage.expect("sounds") > 0.999, "{:?}", session.coverage);
    let spread = session.stems[1].gain_spread.0;
    assert!((4.0..8.0).contains(&spread), "{spread}");
    assert!((session.stems[0].gain.expect("fitted").0).abs() < 0.1);
}

#[test]
fn a_stem_that_is_not_processed_for_a_minute_stops_the_recording_only() {
    let mut room = Room::new(8, 3, 90);
    let away = 20 * SECOND..80 * SECOND;
    room.play_with(0..room.frames(), |_, _| 1.0, |stem, n| stem != 2 || !away.contains(&n));
    let marks = room.marks(0..899);
    assert!(all_are(&marks[..198], Mark::Heard) && all_are(&marks[803..], Mark::Heard));
    assert!(all_are(&marks[201..800], Mark::Unheard));
    room.play_with(0..10 * SECOND, |_, _| 1.0, |stem, _| stem != 2);
    assert_eq!(room.session().stems[2].state, StemState::Away);
    assert!(all_are(&room.marks(0..198), Mark::Heard), "nothing is lost");
}

#[test]
fn a_loop_is_heard_again_and_again() {
    let mut room = Room::new(9, 2, 8);
    for pass in 0..4 {
        room.play(10 * HOP..50 * HOP, &[1.0, 0.5 + 0.1 * f64::from(pass)]);
    }
    let marks = room.marks(0..80);
    // The first hop of every pass has not 100 ms before it.
    assert!(all_are(&marks[11..50], Mark::Heard) && all_are(&marks[..11], Mark::Unheard));
    let heard = room.recorder.heard(11..50);
    let gain = heard.ground.fit.mean(1).expect("fitted")[0][0];
    assert!((gain - 0.8).abs() < 1e-6, "the last pass counts: {gain}");
}

#[test]
fn a_jump_joins_what_was_heard_at_its_places() {
    let mut room = Room::new(10, 3, 16);
    let faders = [1.0, 0.6, 0.8];
    room.play(100 * HOP..150 * HOP, &faders);
    room.play(20 * HOP + 123..60 * HOP, &faders);
    let heard = room.recorder.heard(room.whole());
    assert_eq!(heard.progress.heard, 49 + 38, "hop 21 has not 100 ms before it");
    let sum = mix(&room.stems, &faders);
    let meter = measured(&sum, RATE);
    let powers = heard.ground.sources.powers(&[1.0; 4]);
    for (hop, (power, truth)) in powers.iter().zip(meter.history().powers()).enumerate() {
        assert!(
            power.0.is_nan() || (power.0 - truth.0).abs() <= 1e-6 * truth.0,
            "{hop}: {power:?} {truth:?}"
        );
    }
}

#[test]
fn a_level_rescales_exactly_and_other_settings_are_hatched() {
    let mut room = Room::new(11, 3, 12);
    let faders = [1.0, 0.6, 0.8];
    room.play(0..room.frames(), &faders);
    room.members[1].setting.level = Db(3.0);
    room.recorder.set(StemId(101), room.members[1].setting);
    assert!(all_are(&room.marks(0..119), Mark::Heard));
    let truth = room.truth(&[1.0, 0.6 * Db(3.0).gain(), 0.8]);
    assert!((room.loudness() - truth).abs() < 0.01, "{} {truth}", room.loudness());
    assert_eq!(room.session().mix.true_peak, None, "peaks do not rescale");
    // Half of it is heard again, at the new level.
    room.play(0..60 * HOP, &faders);
    assert!((room.loudness() - truth).abs() < 0.01);
    room.members[1].setting.revision = 1;
    room.recorder.set(StemId(101), room.members[1].setting);
    // but where it is silent: there it does not matter how it is set
    let is_silent = |hop: i64| [3, 8].contains(&(hop / 12));
    let marks = room.marks(0..119);
    let of = |hop: i64| marks[hop as usize];
    assert!((0..119).all(|hop| of(hop) == Mark::OldSettings || (is_silent(hop) && of(hop) == Mark::Heard)));
    assert!(marks.iter().filter(|mark| **mark == Mark::Heard).count() >= 22, "but for what rings out");
    room.play(0..60 * HOP, &faders);
    let quiet = marks[60..].iter().filter(|mark| **mark == Mark::Heard).count();
    assert_eq!(room.session().progress.heard, 60 + quiet);
    assert_eq!(room.session().progress.old, 60 - quiet);
}

#[test]
fn a_stem_that_joins_or_leaves_keeps_the_others_history() {
    let mut room = Room::new(12, 3, 12);
    let all = room.members.clone();
    room.play(0..room.frames(), &[1.0; 3]);
    let before = room.loudness();
    // One leaves: it becomes part of what is unlinked, and the mix is what it was.
    room.members.remove(1);
    room.recorder.set_stems(2, &room.members);
    assert!((room.loudness() - before).abs() < 1e-9);
    let session = room.session();
    assert_eq!(session.stems.len(), 2);
    assert!(session.unlinked_share.expect("sounds") > 0.01);
    // A new one was not there: what was heard is old.
    room.members = all;
    room.members.push(Member { id: StemId(999), setting: Setting::default() });
    room.recorder.set_stems(3, &room.members);
    assert!(all_are(&room.marks(0..119), Mark::OldSettings));
}

#[test]
fn another_rate_forgets() {
    let mut room = Room::new(13, 2, 4);
    room.play(0..room.frames(), &[1.0; 2]);
    room.recorder.forget();
    assert_eq!((room.recorder.extent(), room.recorder.bytes()), (None, 0));
    assert!(all_are(&room.marks(0..40), Mark::Unheard));
}

#[test]
fn memory_is_bounded_and_the_oldest_makes_room() {
    let mut room = Room::new(14, 3, 12);
    let budget = 40_000;
    room.recorder = Recorder::new(budget);
    room.enter();
    room.play(0..room.frames(), &[1.0; 3]);
    assert!(room.recorder.bytes() <= budget && room.recorder.bytes() > budget / 2);
    let marks = room.marks(0..120);
    let kept = marks.iter().filter(|mark| **mark == Mark::Heard).count();
    assert!(all_are(&marks[..120 - kept], Mark::Dropped) && all_are(&marks[120 - kept..], Mark::Heard));
    assert!((30..60).contains(&kept), "{kept}");
    // Loops do not grow anything.
    for _ in 0..20 {
        room.play(0..30 * HOP, &[1.0; 3]);
    }
    assert!(room.recorder.bytes() <= budget);
}

#[test]
fn blocks_do_not_matter_to_what_is_known() {
    let known = |block: usize| {
        let mut room = Room::new(15, 3, 8);
        room.block = block;
        room.play(0..room.frames(), &[1.0, 0.5, 0.7]);
        room.loudness().to_bits()
    };
    let whole = known(4096);
    for block in [64, 333, 800] {
        assert_eq!(known(block), whole, "{block}");
    }
}
