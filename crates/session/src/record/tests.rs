//! Sessions as users play them: solos, mutes, rides, loops, jumps, changed settings.

use super::super::hop_builder::{HopBuilder, StemBlock};
use super::super::joint::tests::{StereoAudio, measured, mix, sources};
use super::super::predict::{Move, gains};
use super::super::prediction::predict_moves;
use super::super::range_report::HopRange;
use super::super::session_report::{SessionReport, StemState};
use super::*;
use units::Hz;

mod levels;
mod mutes;

const RATE: f64 = 8_000.0;
const HOP: usize = 800;
const SECOND: usize = 8_000;

/// Song on a mixing desk, with the Master's hop builder and recorder.
struct PlaybackRig {
    stems: Vec<StereoAudio>,
    builder: HopBuilder,
    recorder: Recorder,
    members: Vec<SessionMember>,
    /// Gain of each stem's chain before the level, linear.
    chains: Vec<f64>,
    /// Levels that the host automates: stem and frame to level.
    ride: fn(usize, usize) -> Db,
    block: usize,
}

impl PlaybackRig {
    fn new(seed: u64, stems: usize, seconds: usize) -> Self {
        let members: Vec<SessionMember> = (0..stems as u64)
            .map(|i| SessionMember { id: StemId(100 + i), setting: StemSetting::default() })
            .collect();
        let mut rig = Self {
            stems: sources(seed, stems, seconds * SECOND),
            builder: HopBuilder::new(Hz(RATE)),
            recorder: Recorder::default(),
            members,
            chains: vec![1.0; stems],
            ride: |_, _| Db(0.0),
            block: 512,
        };
        rig.enter();
        rig
    }

    /// Links all stems anew.
    fn enter(&mut self) {
        self.builder.set_stems(1, self.members.len());
        self.recorder.set_stems(1, &self.members);
    }

    fn frames(&self) -> usize {
        self.stems[0][0].len()
    }

    /// Plays `range` of the song with these faders; `there`: stems that are available, by frame.
    fn play_with(
        &mut self,
        range: std::ops::Range<usize>,
        faders: impl Fn(usize, usize) -> f64,
        there: impl Fn(usize, usize) -> bool,
    ) {
        let mut at = range.start;
        while at < range.end {
            let part = at..range.end.min(at + self.block);
            let levels: Vec<Db> = self.members.iter().map(|member| member.setting.trim).collect();
            let level = |stem: usize, n: usize| levels[stem] + (self.ride)(stem, n);
            // Outputs of the Stems at their levels, and the mix of the desk.
            let out = |stem: usize, side: usize| -> Vec<f64> {
                part.clone().map(|n| level(stem, n).gain() * self.stems[stem][side][n]).collect()
            };
            let audio: Vec<StereoAudio> =
                (0..self.stems.len()).map(|stem| [out(stem, 0), out(stem, 1)]).collect();
            let inputs: Vec<StereoAudio> = (audio.iter().zip(&self.chains))
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
            self.builder.process(Some(part.start as i64), [&sum[0], &sum[1]], &blocks);
            let (recorder, members, ride) = (&mut self.recorder, &self.members, self.ride);
            while self.builder.take_hop(|hop| {
                let first = hop.index.expect("it plays") as usize * HOP;
                for (stem, member) in members.iter().enumerate() {
                    let ends = [first, first + HOP - 1].map(|n| ride(stem, n));
                    let level = Some(ends[0]).filter(|_| ends[0] == ends[1]);
                    recorder.set_setting(member.id, StemSetting { level, ..member.setting });
                }
                recorder.push_hop(hop);
            }) {}
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
        self.builder.process(None, [&silence, &silence], &vec![silent; self.members.len()]);
        while self.builder.take_hop(|hop| self.recorder.push_hop(hop)) {}
        self.recorder.refit();
    }

    fn statuses(&self, range: std::ops::Range<usize>) -> Vec<HopStatus> {
        range.map(|hop_index| self.recorder.status(hop_index as HopIndex)).collect()
    }

    fn whole(&self) -> HopRange {
        0..(self.frames() / HOP) as HopIndex
    }

    /// Integrated loudness of the recorded hops.
    fn loudness(&self) -> f64 {
        self.recorder.report(self.whole()).reading().integrated.expect("sounds").0
    }

    /// Measured loudness of the song on the desk.
    fn truth(&self, faders: &[f64]) -> f64 {
        measured(&mix(&self.stems, faders), RATE).reading().integrated.expect("sounds").0
    }

    fn session(&self) -> SessionReport {
        let report = self.recorder.report(self.whole());
        let targets = super::super::target::builtin();
        SessionReport::new(&self.recorder, &report, &[], Vec::new(), &targets, |id| format!("Stem {}", id.0))
    }
}

fn all_are(statuses: &[HopStatus], status: HopStatus) -> bool {
    statuses.iter().all(|m| *m == status)
}

#[test]
fn a_song_played_once_is_known_and_moves_are_exact() {
    let mut rig = PlaybackRig::new(1, 4, 16);
    let faders = [0.5, 1.2, 0.8, 1.0];
    rig.play(0..rig.frames(), &faders);
    let report = rig.recorder.report(rig.whole());
    assert_eq!((report.progress.heard, report.progress.all), (160, 160));
    let moves = [Move { source: 2, gain: Db(4.0) }];
    let targets = super::super::target::builtin();
    let answer = predict_moves(&report, &moves, &[], &targets, |stem| format!("S{stem}"));
    let moved: Vec<f64> = gains(4, &moves).iter().zip(&faders).map(|(g, f)| g * f).collect();
    let truth = rig.truth(&moved);
    assert!((answer.after.integrated.expect("sounds").0 - truth).abs() < 0.01);
    assert_eq!(answer.certainty, crate::predict::Certainty::Exact);
    assert!(!answer.returns_not_included);
    // The peak is in its bracket.
    let peak = measured(&mix(&rig.stems, &moved), RATE).reading().true_peak.expect("sounds");
    assert!(answer.peak.low.expect("low") <= peak && peak <= answer.peak.high.expect("high"), "{answer:?}");
    let spotify = &answer.platform_changes[0];
    let change = answer.after.integrated.expect("sounds") - answer.before.integrated.expect("sounds");
    assert!(spotify.sentence.as_ref().expect("known").starts_with("While normalized: S2 +4 dB = "));
    assert!(spotify.others.is_some() && change.0 > 0.0);
}

#[test]
fn what_is_shown_fits_together() {
    let mut rig = PlaybackRig::new(2, 3, 12);
    rig.play(0..rig.frames(), &[1.0, 0.5, 2.0]);
    let session = rig.session();
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
    let mix = measured(&mix(&rig.stems, &[1.0, 0.5, 2.0]), RATE).reading();
    let peak = session.mix.true_peak.expect("sounds") - mix.true_peak.expect("sounds");
    assert!(peak.0.abs() < 1e-9 && session.loudest_peak.is_some(), "{peak:?}");
    assert!(!session.platforms.is_empty() && session.platforms.iter().all(|row| !row.sentence.is_empty()));
}

#[test]
fn what_a_chain_costs_is_the_mix_with_it_less_that_without() {
    let mut rig = PlaybackRig::new(16, 3, 12);
    rig.chains[1] = 2.5;
    let faders = [1.0, 0.6, 0.8];
    rig.play(0..rig.frames(), &faders);
    let cost = rig.recorder.report(rig.whole()).chain_cost(1).expect("known").0;
    let truth = rig.truth(&faders) - rig.truth(&[1.0, 0.6 / 2.5, 0.8]);
    assert!((cost - truth).abs() < 1e-6 && cost > 0.5, "{cost} {truth}");
}

#[test]
fn what_is_heard_at_the_moment_needs_no_timeline() {
    let mut rig = PlaybackRig::new(18, 3, 6);
    rig.play_with(0..rig.frames(), |stem, _| [0.5, 1.0, 0.25][stem], |_, _| true);
    let report = rig.recorder.live_report();
    let gain = report.fitted_range.fit.mean_gains(2).expect("fitted")[0][0];
    assert!((gain - 0.25).abs() < 1e-6 && report.progress.heard == 60, "{gain} {:?}", report.progress);
    // In a solo it is the solo that is heard.
    rig.play_with(0..52 * HOP, |stem, _| [0.0, 1.0, 0.0][stem], |_, _| true);
    assert!(rig.recorder.live_report().fitted_range.fit.mean_gains(0).expect("fitted")[0][0].abs() < 1e-6);
    let session = rig.session();
    assert_eq!(session.stems.iter().filter(|stem| stem.state == StemState::Missing).count(), 2);
}

#[test]
fn songs_of_an_album_are_ranges_of_one_timeline() {
    let mut rig = PlaybackRig::new(17, 3, 16);
    rig.play(0..rig.frames(), &[1.0, 0.6, 0.8]);
    let sum = mix(&rig.stems, &[1.0, 0.6, 0.8]);
    for range in [0..70, 90..160] {
        let report = rig.recorder.report(range.clone());
        let frames = range.start as usize * HOP..range.end as usize * HOP;
        let song = [0, 1].map(|side: usize| sum[side][frames.clone()].to_vec());
        let truth = measured(&song, RATE).reading().integrated.expect("sounds");
        assert!((report.reading().integrated.expect("sounds") - truth).0.abs() < 0.01);
        assert_eq!((report.progress.heard, report.progress.all), (70, 70));
    }
    assert_eq!(rig.recorder.report(150..200).progress.heard, 10);
}

#[test]
fn a_soloed_chorus_is_not_recorded_and_hurts_nothing() {
    let mut rig = PlaybackRig::new(3, 4, 16);
    let faders = [1.0, 0.7, 0.9, 1.1];
    rig.play(0..rig.frames(), &faders);
    let before = rig.loudness();
    // Over what is known: nothing is overwritten.
    rig.play(40 * HOP..90 * HOP, &[0.0, 0.0, 0.9, 0.0]);
    assert_eq!(rig.loudness(), before);
    assert!(all_are(&rig.statuses(1..158), HopStatus::Heard));
    // Unsolo, with another fader: now it is.
    rig.play(60 * HOP..80 * HOP, &[0.5, 0.7, 0.9, 1.1]);
    assert!(rig.loudness() < before);
}

#[test]
fn a_solo_that_begins_in_mid_hop_leaves_no_half_hop() {
    let mut rig = PlaybackRig::new(4, 3, 12);
    let (first, last) = (30 * HOP + 300, 60 * HOP + 500);
    let fader = |stem: usize, n: usize| if (first..last).contains(&n) && stem != 1 { 0.0 } else { 1.0 };
    rig.play_with(0..rig.frames(), fader, |_, _| true);
    let statuses = rig.statuses(0..119);
    assert!(
        all_are(&statuses[..29], HopStatus::Heard) && all_are(&statuses[62..], HopStatus::Heard),
        "{statuses:?}"
    );
    assert!(all_are(&statuses[30..=60], HopStatus::Auditioned));
    let report = rig.recorder.report(rig.whole());
    for hop in (0..119).filter(|hop| statuses[*hop as usize] == HopStatus::Heard) {
        let arrival = report.fitted_range.fit.arrivals(hop as usize)[0];
        assert!(!arrival.fitted[0] || (arrival.gains[0][0] - 1.0).abs() < 1e-3, "{hop}: {arrival:?}");
    }
}

#[test]
fn a_stem_printed_through_the_master_is_an_audition() {
    let mut rig = PlaybackRig::new(5, 3, 8);
    rig.play(0..rig.frames(), &[1.0, 0.0, 0.0]);
    assert!(all_are(&rig.statuses(1..78), HopStatus::Auditioned));
    let session = rig.session();
    assert_eq!(session.mix.integrated, None);
    assert_eq!((session.progress.heard, session.progress.auditioned), (0, 80));
}

#[test]
fn a_deliberate_mute_is_confirmed_once() {
    let mut rig = PlaybackRig::new(6, 3, 12);
    rig.play(0..60 * HOP, &[1.0; 3]);
    assert_eq!(rig.recorder.unconfirmed_mutes(), []);
    rig.play(0..60 * HOP, &[1.0, 0.0, 1.0]);
    assert_eq!(rig.recorder.unconfirmed_mutes(), [StemId(101)]);
    let with = rig.loudness();
    rig.recorder.confirm_mute(StemId(101));
    rig.play(0..60 * HOP, &[1.0, 0.0, 1.0]);
    assert_eq!(rig.recorder.unconfirmed_mutes(), []);
    assert!((rig.loudness() - with).abs() > 0.1, "now it is recorded without the stem");
    let report = rig.recorder.report(10..50);
    assert!(report.fitted_range.sources.powers_of(1).iter().all(|power| power.0 == 0.0));
    // It is back: the next mute is asked about again.
    rig.play(0..60 * HOP, &[1.0; 3]);
    rig.play(0..60 * HOP, &[1.0, 0.0, 1.0]);
    assert_eq!(rig.recorder.unconfirmed_mutes(), [StemId(101)]);
}

#[test]
fn a_fader_ridden_by_6_db_is_no_fault() {
    let mut rig = PlaybackRig::new(7, 3, 16);
    let ride = |n: usize| units::linear(-6.0 * (n as f64 / (4 * SECOND) as f64).sin().abs());
    rig.play_with(0..rig.frames(), |stem, n| if stem == 1 { ride(n) } else { 1.0 }, |_, _| true);
    assert!(all_are(&rig.statuses(0..159), HopStatus::Heard));
    let session = rig.session();
    assert!(session.coverage.expect("sounds") > 0.999, "{:?}", session.coverage);
    let spread = session.stems[1].gain_spread.0;
    assert!((4.0..8.0).contains(&spread), "{spread}");
    assert!((session.stems[0].gain.expect("fitted").0).abs() < 0.1);
}

#[test]
fn a_stem_that_is_not_processed_for_a_minute_stops_the_recording_only() {
    let mut rig = PlaybackRig::new(8, 3, 90);
    let away = 20 * SECOND..80 * SECOND;
    rig.play_with(0..rig.frames(), |_, _| 1.0, |stem, n| stem != 2 || !away.contains(&n));
    let statuses = rig.statuses(0..899);
    assert!(all_are(&statuses[..198], HopStatus::Heard) && all_are(&statuses[803..], HopStatus::Heard));
    assert!(all_are(&statuses[201..800], HopStatus::Unheard));
    rig.play_with(0..10 * SECOND, |_, _| 1.0, |stem, _| stem != 2);
    assert_eq!(rig.session().stems[2].state, StemState::Away);
    assert!(all_are(&rig.statuses(0..198), HopStatus::Heard), "nothing is lost");
}

#[test]
fn a_loop_is_heard_again_and_again() {
    let mut rig = PlaybackRig::new(9, 2, 8);
    for pass in 0..4 {
        rig.play(10 * HOP..50 * HOP, &[1.0, 0.5 + 0.1 * f64::from(pass)]);
    }
    let statuses = rig.statuses(0..80);
    // The first hop of every pass has not 100 ms before it.
    assert!(all_are(&statuses[11..50], HopStatus::Heard) && all_are(&statuses[..11], HopStatus::Unheard));
    let report = rig.recorder.report(11..50);
    let gain = report.fitted_range.fit.mean_gains(1).expect("fitted")[0][0];
    assert!((gain - 0.8).abs() < 1e-6, "the last pass counts: {gain}");
}

#[test]
fn a_jump_joins_what_was_heard_at_its_places() {
    let mut rig = PlaybackRig::new(10, 3, 16);
    let faders = [1.0, 0.6, 0.8];
    rig.play(100 * HOP..150 * HOP, &faders);
    rig.play(20 * HOP + 123..60 * HOP, &faders);
    let report = rig.recorder.report(rig.whole());
    assert_eq!(report.progress.heard, 49 + 38, "hop 21 has not 100 ms before it");
    let sum = mix(&rig.stems, &faders);
    let meter = measured(&sum, RATE);
    let powers = report.fitted_range.sources.powers(&[1.0; 4]);
    for (hop, (power, truth)) in powers.iter().zip(meter.history().powers()).enumerate() {
        assert!(
            power.0.is_nan() || (power.0 - truth.0).abs() <= 1e-6 * truth.0,
            "{hop}: {power:?} {truth:?}"
        );
    }
}

#[test]
fn a_trim_rescales_exactly_and_other_settings_are_hatched() {
    let mut rig = PlaybackRig::new(11, 3, 12);
    let faders = [1.0, 0.6, 0.8];
    rig.play(0..rig.frames(), &faders);
    rig.members[1].setting.trim = Db(3.0);
    rig.recorder.set_present(StemId(101), rig.members[1].setting);
    assert!(all_are(&rig.statuses(0..119), HopStatus::Heard));
    let truth = rig.truth(&[1.0, 0.6 * Db(3.0).gain(), 0.8]);
    assert!((rig.loudness() - truth).abs() < 0.01, "{} {truth}", rig.loudness());
    assert_eq!(rig.session().mix.true_peak, None, "peaks do not rescale");
    // Half of it is heard again, at the new level.
    rig.play(0..60 * HOP, &faders);
    assert!((rig.loudness() - truth).abs() < 0.01);
    rig.members[1].setting.revision = 1;
    rig.recorder.set_present(StemId(101), rig.members[1].setting);
    // but where it is silent: there it does not matter how it is set
    let is_silent = |hop: i64| [3, 8].contains(&(hop / 12));
    let statuses = rig.statuses(0..119);
    let of = |hop: i64| statuses[hop as usize];
    assert!(
        (0..119)
            .all(|hop| of(hop) == HopStatus::OldSettings || (is_silent(hop) && of(hop) == HopStatus::Heard))
    );
    assert!(
        statuses.iter().filter(|status| **status == HopStatus::Heard).count() >= 22,
        "but for what rings out"
    );
    rig.play(0..60 * HOP, &faders);
    let quiet = statuses[60..].iter().filter(|status| **status == HopStatus::Heard).count();
    assert_eq!(rig.session().progress.heard, 60 + quiet);
    assert_eq!(rig.session().progress.old, 60 - quiet);
}

#[test]
fn a_stem_that_joins_or_leaves_keeps_the_others_history() {
    let mut rig = PlaybackRig::new(12, 3, 12);
    let all = rig.members.clone();
    rig.play(0..rig.frames(), &[1.0; 3]);
    let before = rig.loudness();
    // One leaves: it becomes part of what is unlinked, and the mix is what it was.
    rig.members.remove(1);
    rig.recorder.set_stems(2, &rig.members);
    assert!((rig.loudness() - before).abs() < 1e-9);
    let session = rig.session();
    assert_eq!(session.stems.len(), 2);
    assert!(session.unlinked_share.expect("sounds") > 0.01);
    // A new one was not there: what was heard is old.
    rig.members = all;
    rig.members.push(SessionMember { id: StemId(999), setting: StemSetting::default() });
    rig.recorder.set_stems(3, &rig.members);
    assert!(all_are(&rig.statuses(0..119), HopStatus::OldSettings));
}

#[test]
fn another_rate_forgets() {
    let mut rig = PlaybackRig::new(13, 2, 4);
    rig.play(0..rig.frames(), &[1.0; 2]);
    rig.recorder.clear();
    assert_eq!((rig.recorder.extent(), rig.recorder.bytes()), (None, 0));
    assert!(all_are(&rig.statuses(0..40), HopStatus::Unheard));
}

#[test]
fn memory_is_bounded_and_the_oldest_makes_room() {
    let mut rig = PlaybackRig::new(14, 3, 12);
    let budget = 40_000;
    rig.recorder = Recorder::new(budget);
    rig.enter();
    rig.play(0..rig.frames(), &[1.0; 3]);
    assert!(rig.recorder.bytes() <= budget && rig.recorder.bytes() > budget / 2);
    let statuses = rig.statuses(0..120);
    let kept = statuses.iter().filter(|status| **status == HopStatus::Heard).count();
    assert!(
        all_are(&statuses[..120 - kept], HopStatus::Dropped)
            && all_are(&statuses[120 - kept..], HopStatus::Heard)
    );
    assert!((30..60).contains(&kept), "{kept}");
    // Loops do not grow anything.
    for _ in 0..20 {
        rig.play(0..30 * HOP, &[1.0; 3]);
    }
    assert!(rig.recorder.bytes() <= budget);
}

#[test]
fn blocks_do_not_matter_to_what_is_known() {
    let known = |block: usize| {
        let mut rig = PlaybackRig::new(15, 3, 8);
        rig.block = block;
        rig.play(0..rig.frames(), &[1.0, 0.5, 0.7]);
        rig.loudness().to_bits()
    };
    let whole = known(4096);
    for block in [64, 333, 800] {
        assert_eq!(known(block), whole, "{block}");
    }
}
