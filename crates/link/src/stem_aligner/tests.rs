#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use super::*;
use crate::hop_queue::{HopMessage, HopReceiver, hop_queue};
use crate::records::BlockStatus;
use crate::records::tests::info;
use crate::roster::{AudioWriter, ControlWriter};
use session::hop_builder::FinishedHop;
use testkit::noise;
use units::Db;

const RATE: Hz = Hz(8000.0);
const HOP: usize = 800;

/// A Stem that plays a song.
struct PlayingStem {
    audio_writer: AudioWriter,
    _control_writer: ControlWriter,
    transport: TransportTracker,
    audio: [Vec<f64>; 2],
    gain: f64,
}

impl PlayingStem {
    fn new(roster: &'static Roster, n: u64, seconds: usize) -> Self {
        let info = info(&format!("Stem {n}"), n);
        let (mut audio_writer, control_writer) =
            roster.join(Origin::Local, InstanceId::new(n + 1), &info).unwrap();
        audio_writer.prepare_ring(RATE);
        audio_writer.publish_status(&BlockStatus { rate: RATE, ..BlockStatus::default() });
        let side = |seed: u64| {
            let samples = noise(seed, seconds * RATE.0 as usize, 0.3);
            samples.into_iter().map(|x| f64::from(x as f32)).collect()
        };
        Self {
            audio_writer,
            _control_writer: control_writer,
            transport: TransportTracker::default(),
            audio: [side(n), side(n + 100)],
            gain: 1.0,
        }
    }

    /// Frames `range` of its output.
    fn output(&self, side: usize, range: core::ops::Range<usize>) -> Vec<f64> {
        self.audio[side][range].iter().map(|x| f64::from((x * self.gain) as f32)).collect()
    }

    fn process(&mut self, range: core::ops::Range<usize>) {
        let place = self.transport.locate(Some(range.start as i64), range.len());
        let output = [self.output(0, range.clone()), self.output(1, range.clone())];
        let input = [&self.audio[0][range.clone()], &self.audio[1][range.clone()]];
        self.audio_writer.write_block(place, input, [&output[0], &output[1]]);
    }
}

/// Stems and a Master that play together.
struct AlignmentRig {
    stems: Vec<PlayingStem>,
    aligner: StemAligner,
    routing: Arc<RoutingTable>,
    receiver: HopReceiver,
    /// Delay of each Stem in the mix, frames.
    delays: Vec<usize>,
}

impl AlignmentRig {
    fn new(roster: &'static Roster, stems: u64, seconds: usize) -> Self {
        let (sender, receiver) = hop_queue();
        let routing = Arc::new(RoutingTable::default());
        Self {
            stems: (0..stems).map(|n| PlayingStem::new(roster, n, seconds)).collect(),
            aligner: StemAligner::new(roster, RATE, Arc::clone(&routing), sender),
            routing,
            receiver,
            delays: vec![0; stems as usize],
        }
    }

    fn mix(&self, range: core::ops::Range<usize>) -> [Vec<f64>; 2] {
        [0, 1].map(|side| {
            let mut mix = vec![0.0; range.len()];
            for (stem, &delay) in self.stems.iter().zip(&self.delays) {
                for (n, mix) in mix.iter_mut().enumerate() {
                    if let Some(at) = (range.start + n).checked_sub(delay) {
                        *mix += stem.audio[side][at] * stem.gain;
                    }
                }
            }
            mix
        })
    }

    fn master(&mut self, range: core::ops::Range<usize>) {
        let mix = self.mix(range.clone());
        self.aligner.process_block(Some(range.start as i64), [&mix[0], &mix[1]]);
    }

    /// All run through `range` in step, in blocks of sizes that `size` gives.
    fn play(&mut self, range: core::ops::Range<usize>, mut size: impl FnMut() -> usize) {
        let mut at = range.start;
        while at < range.end {
            let end = range.end.min(at + size());
            self.stems.iter_mut().for_each(|stem| stem.process(at..end));
            self.master(at..end);
            at = end;
        }
    }

    fn hops(&mut self) -> Vec<(FinishedHop, Vec<HopSettings>)> {
        let hops = self.receiver.by_ref().filter_map(|message| match message {
            HopMessage::Hop(hop, settings) => Some((hop, settings)),
            HopMessage::Set { .. } => None,
        });
        hops.collect()
    }
}

fn sizes(seed: u64) -> impl FnMut() -> usize {
    let mut numbers = noise(seed, 100_000, 1.0).into_iter();
    move || 1 + (numbers.next().unwrap().abs() * 700.0) as usize
}

/// Text of the hops without their segment numbers, for comparison to the bit.
fn bits(hops: &[(FinishedHop, Vec<HopSettings>)]) -> String {
    hops.iter()
        .map(|(hop, settings)| format!("{:?} {settings:?}\n", FinishedHop { segment: 0, ..hop.clone() }))
        .collect()
}

#[test]
fn hops_are_the_same_bits_in_step_in_other_blocks_ahead_behind_and_from_threads() {
    const FRAMES: usize = 5 * 8000;
    let steady = {
        static ROSTER: Roster = Roster::new();
        let mut rig = AlignmentRig::new(&ROSTER, 4, 5);
        rig.play(0..FRAMES, || 512);
        rig.hops()
    };
    assert_eq!(steady.len(), 50);
    assert!(steady.iter().all(|(hop, _)| hop.heard == 0b1111 && hop.stems == 4 && hop.has_chain == 0));
    assert_eq!(
        steady.iter().map(|(hop, _)| hop.index.unwrap()).collect::<Vec<_>>(),
        (0..50).collect::<Vec<_>>()
    );

    let odd = {
        static ROSTER: Roster = Roster::new();
        let mut rig = AlignmentRig::new(&ROSTER, 4, 5);
        rig.play(0..FRAMES, sizes(3));
        rig.hops()
    };
    assert!(bits(&odd) == bits(&steady));

    // one bus is rendered 200 ms ahead, one 100 ms behind the master
    let apart = {
        static ROSTER: Roster = Roster::new();
        let mut rig = AlignmentRig::new(&ROSTER, 4, 5);
        let (ahead, behind, block) = (1600, 800, 400);
        rig.stems[2].process(0..ahead);
        for at in (0..FRAMES).step_by(block) {
            for n in [0, 1] {
                rig.stems[n].process(at..at + block);
            }
            rig.stems[2].process((at + ahead).min(FRAMES)..(at + ahead + block).min(FRAMES));
            if at >= behind {
                rig.stems[3].process(at - behind..at - behind + block);
            }
            rig.master(at..at + block);
        }
        rig.hops()
    };
    assert_eq!(apart.len(), 49, "the last hop waits for the stem that is behind");
    assert!(bits(&apart) == bits(&steady[..49]));

    let threads = {
        static ROSTER: Roster = Roster::new();
        let mut rig = AlignmentRig::new(&ROSTER, 4, 5);
        for at in (0..FRAMES).step_by(160) {
            std::thread::scope(|scope| {
                for stem in &mut rig.stems {
                    scope.spawn(|| stem.process(at..at + 160));
                }
            });
            rig.master(at..at + 160);
        }
        rig.hops()
    };
    assert!(bits(&threads) == bits(&steady));
}

#[test]
fn a_stem_that_is_not_called_is_silent_and_returns_in_place() {
    static ROSTER: Roster = Roster::new();
    let mut rig = AlignmentRig::new(&ROSTER, 2, 20);
    let mark = |rig: &mut AlignmentRig| {
        let stems = rig.stems.iter_mut();
        stems.for_each(|stem| stem.audio_writer.mark_settings(7, Db(-1.0), Db(0.0)));
    };
    mark(&mut rig);
    rig.play(0..16_000, || 400);
    // silence: the host stops calling the second
    rig.stems[1].audio.iter_mut().for_each(|side| side[16_000..80_000].fill(0.0));
    for at in (16_000..80_000).step_by(400) {
        rig.stems[0].process(at..at + 400);
        rig.master(at..at + 400);
    }
    rig.play(80_000..120_000, || 400);
    let hops = rig.hops();
    assert_eq!(hops.len(), 150);
    assert!(hops.iter().all(|(hop, _)| hop.heard == 0b11), "never missing");

    static AWAKE: Roster = Roster::new();
    let mut awake = AlignmentRig::new(&AWAKE, 2, 20);
    mark(&mut awake);
    awake.stems[1].audio.iter_mut().for_each(|side| side[16_000..80_000].fill(0.0));
    awake.play(0..120_000, || 400);
    let (awake, hops) = (awake.hops(), bits(&hops));
    assert!(bits(&awake) == hops, "as if it had been called");
}

#[test]
fn what_a_stem_plays_while_the_transport_stands_does_not_make_its_silence_missing() {
    static ROSTER: Roster = Roster::new();
    let mut rig = AlignmentRig::new(&ROSTER, 2, 4);
    rig.play(0..16_000, || 400);
    for at in (16_000..24_000).step_by(400) {
        rig.stems[0].process(at..at + 400);
        rig.master(at..at + 400);
    }
    // the transport stands, and the host calls all of them
    let silence = vec![0.0; 400];
    for _ in 0..20 {
        for stem in &mut rig.stems {
            let place = stem.transport.locate(None, 400);
            stem.audio_writer.write_block(place, [&silence, &silence], [&silence, &silence]);
        }
        rig.aligner.process_block(None, [&silence, &silence]);
    }
    let hops = rig.hops();
    assert_eq!(hops.len(), 30);
    assert!(
        hops.iter().all(|(hop, _)| hop.heard == 0b11),
        "{:?}",
        hops.iter().map(|(hop, _)| hop.heard).collect::<Vec<_>>()
    );
}

#[test]
fn a_stem_that_never_ran_is_silent() {
    static ROSTER: Roster = Roster::new();
    let mut rig = AlignmentRig::new(&ROSTER, 2, 3);
    for at in (0..16_000).step_by(500) {
        rig.stems[0].process(at..at + 500);
        rig.master(at..at + 500);
    }
    let hops = rig.hops();
    assert_eq!(hops.len(), 15, "it might still come: the last half second waits");
    assert!(hops.iter().all(|(hop, _)| hop.heard == 0b11));
}

#[test]
fn a_stem_that_plays_elsewhere_is_missing_not_silent() {
    static ROSTER: Roster = Roster::new();
    let mut rig = AlignmentRig::new(&ROSTER, 2, 7);
    for at in (0..24_000).step_by(500) {
        rig.stems[0].process(at..at + 500);
        rig.stems[1].process(at + 30_000..at + 30_500);
        rig.master(at..at + 500);
    }
    let hops = rig.hops();
    assert!(hops.len() >= 24);
    assert!(hops.iter().skip(1).all(|(hop, _)| hop.heard == 0b01), "{}", hops[3].0.heard);
}

#[test]
fn every_pass_of_a_loop_is_read_with_its_settings() {
    static ROSTER: Roster = Roster::new();
    let mut rig = AlignmentRig::new(&ROSTER, 1, 3);
    for pass in 0..3 {
        rig.stems[0].gain = 1.0 / f64::from(1 << pass);
        let level = Db::from_gain(rig.stems[0].gain);
        rig.stems[0].audio_writer.mark_settings(7, level, Db(0.0));
        rig.play(8000..16_000, || 320);
    }
    let hops = rig.hops();
    let (power, mix): (Vec<_>, Vec<_>) =
        hops.iter().map(|(hop, _)| (hop.joint[0], *hop.joint.last().unwrap())).unzip();
    assert_eq!(hops.len(), 27, "the first hop of a pass lacks the 100 ms before it");
    for (n, (hop, settings)) in hops.iter().enumerate() {
        let pass = n / 9;
        assert_eq!(hop.index, Some(11 + n as i64 % 9));
        assert!((power[n] / power[n % 9] - 0.25f64.powi(pass as i32)).abs() < 1e-6);
        assert!((mix[n] / mix[n % 9] - 0.25f64.powi(pass as i32)).abs() < 1e-6);
        assert_eq!(
            settings[0],
            HopSettings {
                revision: 7,
                delay: 0,
                level: Db::from_gain(0.5f64.powi(pass as i32)),
                ..HopSettings::default()
            }
        );
        assert_eq!(hop.has_chain == 1, pass > 0, "only a chain that does something counts");
    }
}

#[test]
fn a_stem_that_arrives_late_is_read_where_it_arrives() {
    static ROSTER: Roster = Roster::new();
    let mut rig = AlignmentRig::new(&ROSTER, 2, 5);
    rig.delays = vec![0, 64];
    let late = rig.stems[1].audio_writer.id().unwrap();
    rig.routing.set_routes(&[(late, StemRoute::At { delay: 64 })]);
    rig.play(0..32_000, || 512);
    let hops = rig.hops();
    assert_eq!(hops.len(), 40);
    for (hop, settings) in hops {
        assert_eq!((hop.heard, settings[1].delay), (0b11, 64), "from the first frame on: {:?}", hop.index);
        // left of the mix is the sum of both lefts: m^2 = a^2 + 2ab + b^2
        let at = |i: usize, j: usize| hop.joint[i * 6 - i * (i + 1) / 2 + j];
        let sum = at(0, 0) + 2.0 * at(0, 2) + at(2, 2);
        assert!((sum / at(4, 4) - 1.0).abs() < 1e-6, "{sum} {}", at(4, 4));
    }
}

#[test]
fn stems_join_leave_and_are_left_out() {
    static ROSTER: Roster = Roster::new();
    let mut rig = AlignmentRig::new(&ROSTER, 3, 6);
    rig.play(0..8000, || 512);
    rig.routing.set_routes(&[(rig.stems[1].audio_writer.id().unwrap(), StemRoute::LeaveOut)]);
    rig.play(8000..16_000, || 512);
    let gone = rig.stems.pop();
    drop(gone);
    rig.delays.pop();
    rig.play(16_000..24_000, || 512);
    let mut sets = Vec::new();
    let mut hops = Vec::new();
    for message in rig.receiver.by_ref() {
        match message {
            HopMessage::Set { set, stems } => {
                sets.push((set, stems.iter().map(|id| id.get()).collect::<Vec<_>>()));
            }
            HopMessage::Hop(hop, _) => hops.push((hop.set, hop.stems)),
        }
    }
    assert_eq!(sets, [(1, vec![1, 2, 3]), (2, vec![1, 3]), (3, vec![1])]);
    assert!(hops.iter().all(|&(set, stems)| stems == [3, 2, 1][set as usize - 1]));
    assert!((1..=3).all(|set| hops.iter().filter(|hop| hop.0 == set).count() >= 7));
}

#[test]
fn without_a_position_nothing_is_sent() {
    static ROSTER: Roster = Roster::new();
    let mut rig = AlignmentRig::new(&ROSTER, 1, 3);
    let mix = rig.mix(0..HOP);
    for _ in 0..20 {
        rig.aligner.process_block(None, [&mix[0], &mix[1]]);
    }
    assert!(rig.hops().is_empty());
    rig.play(0..16_000, || 512);
    assert_eq!(rig.hops().len(), 20);
}

#[test]
fn wild_positions_and_sizes_are_survived() {
    static ROSTER: Roster = Roster::new();
    let mut rig = AlignmentRig::new(&ROSTER, 2, 2);
    let mix = rig.mix(0..16_000);
    let mut size = sizes(9);
    for (n, position) in noise(5, 3000, 1.0).into_iter().enumerate() {
        let host = match n % 5 {
            0 => None,
            1 => Some(i64::MAX),
            2 => Some(i64::MIN),
            _ => Some((position * 10_000.0) as i64),
        };
        let frames = if n % 97 == 0 { 16_000 } else { size() };
        if let Some(host) = host.filter(|host| (0..8000).contains(host)) {
            rig.stems[n % 2].process(host as usize..host as usize + frames.min(8000));
        }
        rig.aligner.process_block(host, mix.each_ref().map(|side| &side[..frames]));
        assert!(
            rig.aligner.written - rig.aligner.cursor
                <= max_wait_frames(Origin::Bridged, rig.aligner.rate) + CHUNK_FRAMES as u64
        );
    }
}
