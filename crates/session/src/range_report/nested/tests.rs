//! Moves of nested stems against renders.

use crate::hop_builder::FinishedHop;
use crate::joint::tests::{StereoAudio, joint_of, measured, mix, sources};
use crate::predict::{Certainty, Move};
use crate::prediction::{MovePrediction, predict_moves};
use crate::record::{HopStatus, NestedMember, Recorder, SessionMember, StemId, StemSetting};
use units::{Db, linear};

const RATE: f64 = 8_000.0;
const SECONDS: usize = 24;

/// Chain of a bus.
#[derive(Clone, Copy)]
enum BusChain {
    Gain(f64),
    /// Threshold relative to the bus's level, and ratio.
    Compressor(f64, f64),
    /// One pole, mixed with the dry signal.
    Filter(f64),
}

impl BusChain {
    /// `level`: root mean square of the bus before any move.
    fn process(self, audio: &StereoAudio, level: f64) -> StereoAudio {
        let mut out = audio.clone();
        match self {
            Self::Gain(gain) => out.iter_mut().flatten().for_each(|x| *x *= gain),
            Self::Compressor(threshold, ratio) => {
                let mut power = 0.0;
                for n in 0..out[0].len() {
                    let now = f64::midpoint(out[0][n].powi(2), out[1][n].powi(2));
                    power += if now > power { 0.01 } else { 0.0005 } * (now - power);
                    let over = power.sqrt() / (threshold * level);
                    let gain = if over > 1.0 { over.powf(1.0 / ratio - 1.0) } else { 1.0 };
                    out.iter_mut().for_each(|side| side[n] *= gain);
                }
            }
            Self::Filter(wet) => {
                for side in &mut out {
                    let mut low = 0.0;
                    for x in side {
                        low += 0.2 * (*x - low);
                        *x += wet * low;
                    }
                }
            }
        }
        out
    }
}

fn level(audio: &StereoAudio) -> f64 {
    (audio.iter().flatten().map(|x| x * x).sum::<f64>() / (2 * audio[0].len()) as f64).sqrt()
}

/// Drums with Kick and Snare inside, of which Snare has Top and Bottom inside; Bass and Keys beside them. Tracks: top,
/// bottom, kick, hat, bass, keys; the hat has no Stem, and may be silent.
struct Song {
    tracks: Vec<StereoAudio>,
    snare: BusChain,
    drums: BusChain,
    hat: f64,
}

const SUMMED: [u64; 3] = [10, 20, 30];
const KICK: StemId = StemId(11);
const SNARE: StemId = StemId(12);
const TOP: StemId = StemId(13);
const BOTTOM: StemId = StemId(14);

impl Song {
    fn new(seed: u64, drums: BusChain) -> Self {
        let tracks = sources(seed, 6, SECONDS * RATE as usize);
        Self { tracks, snare: BusChain::Gain(1.0), drums, hat: 0.0 }
    }

    /// Outputs of Drums, Bass, Keys, Kick, Snare, Top, Bottom, and the mix, with a move of Top and of Kick.
    fn play(&self, top: f64, kick: f64) -> Vec<StereoAudio> {
        let [t, b, k, h, bass, keys] = [0, 1, 2, 3, 4, 5].map(|n| self.tracks[n].clone());
        let snare_in = |top: f64| mix(&[t.clone(), b.clone()], &[0.9 * top, 0.5]);
        let snare = |top: f64| self.snare.process(&snare_in(top), level(&snare_in(1.0)));
        let drums_in =
            |top: f64, kick: f64| mix(&[snare(top), k.clone(), h.clone()], &[0.8, 1.1 * kick, self.hat]);
        let drums = self.drums.process(&drums_in(top, kick), level(&drums_in(1.0, 1.0)));
        let whole = mix(&[drums.clone(), bass.clone(), keys.clone()], &[0.7, 0.9, 0.4]);
        let moved = |audio: &StereoAudio, gain: f64| mix(std::slice::from_ref(audio), &[gain]);
        vec![drums, bass, keys, moved(&k, kick), snare(top), moved(&t, top), b.clone(), whole]
    }

    fn members() -> (Vec<SessionMember>, Vec<NestedMember>) {
        let member = |id: StemId| SessionMember { id, setting: StemSetting::default() };
        let nested = [(KICK, StemId(10)), (SNARE, StemId(10)), (TOP, SNARE), (BOTTOM, SNARE)];
        let nested = nested.map(|(id, inside)| NestedMember { member: member(id), inside });
        (SUMMED.map(|id| member(StemId(id))).into(), nested.into())
    }

    /// The song, heard once; `heard`: mask of the stems of a hop that are there.
    fn record(&self, heard: impl Fn(usize) -> u32) -> Recorder {
        let joint = joint_of(&self.play(1.0, 1.0), RATE);
        let mut recorder = Recorder::default();
        let (members, nested) = Self::members();
        recorder.set_stems(1, &members);
        recorder.set_nested(&nested);
        for (index, packed) in joint.row().into_iter().flatten().enumerate() {
            let hop = FinishedHop {
                index: Some(index as i64),
                set: 1,
                stems: 7,
                heard: heard(index),
                joint: packed.to_vec(),
                chains: vec![Default::default(); 7],
                peaks: vec![1.0; 8],
                ..FinishedHop::default()
            };
            recorder.push_hop(&hop.of_stems(&[0, 1, 2], &[3, 4, 5, 6]));
        }
        recorder.finish_row();
        recorder
    }

    fn loudness(&self, top: f64, kick: f64) -> f64 {
        measured(self.play(top, kick).last().expect("the mix"), RATE).reading().integrated.expect("sounds").0
    }
}

const WHOLE: std::ops::Range<i64> = 0..10 * SECONDS as i64;

fn predicted(recorder: &Recorder, id: StemId, gain: Db) -> MovePrediction {
    predicted_through(recorder, id, gain, false)
}

/// The same with a bus that is known to react to levels.
fn predicted_through(recorder: &Recorder, id: StemId, gain: Db, reacts: bool) -> MovePrediction {
    let report = recorder.nested_report(WHOLE, id).expect("nested");
    let source = report.members().iter().position(|member| member.id == id).expect("is in it");
    let mut answer = predict_moves(&report, &[Move { source, gain }], &[], &[], |_| String::new());
    if report.is_bus_processing() {
        answer.allow_bus_processing();
    }
    if reacts {
        let is_nested = |source: &usize| !SUMMED.contains(&report.members()[*source].id.0);
        answer.allow_reaction(&report, &(0..report.members().len()).filter(is_nested).collect::<Vec<_>>());
    }
    answer
}

/// Loudness after the move, and the distance from what a render has.
fn error(song: &Song, answer: &MovePrediction, top: f64, kick: f64) -> f64 {
    (answer.after.integrated.expect("sounds").0 - song.loudness(top, kick)).abs()
}

#[test]
fn a_move_inside_a_bus_that_only_sums_is_exact_at_any_depth() {
    let mut song = Song::new(1, BusChain::Gain(1.3));
    song.snare = BusChain::Gain(0.7);
    let recorder = song.record(|_| u32::MAX);
    for (id, gain) in [(KICK, Db(4.0)), (KICK, Db(-9.0)), (TOP, Db(6.0)), (TOP, Db(-3.0))] {
        let answer = predicted(&recorder, id, gain);
        let (top, kick) = if id == TOP { (gain.gain(), 1.0) } else { (1.0, gain.gain()) };
        assert_eq!((answer.certainty, answer.progress.heard), (Certainty::Exact, 10 * SECONDS), "{id:?}");
        let effect = answer.after.integrated.expect("sounds") - answer.before.integrated.expect("sounds");
        assert!(error(&song, &answer, top, kick) < 0.01 && effect.0.abs() > 0.05, "{id:?} {effect:?}");
    }
    // the sources are the mix, whatever is taken apart
    assert_eq!(recorder.outer_stems(TOP), [StemId(10), SNARE]);
    let whole = recorder.report(WHOLE).reading();
    for id in [KICK, SNARE, TOP, BOTTOM] {
        let reading = recorder.nested_report(WHOLE, id).expect("nested").reading();
        assert!((reading.integrated.expect("sounds") - whole.integrated.expect("sounds")).0.abs() < 1e-9);
    }
    assert!(recorder.nested_report(WHOLE, StemId(20)).is_none(), "it is summed");
    assert!(recorder.nested_report(WHOLE, StemId(99)).is_none(), "nobody knows it");
}

#[test]
fn a_move_inside_a_bus_that_does_more_is_an_estimate_that_holds() {
    let chain = |seed: u64| match seed % 4 {
        0 => BusChain::Compressor(linear(-6.0), 4.0),
        1 => BusChain::Filter(1.5),
        2 => BusChain::Compressor(linear(3.0), 2.0),
        _ => BusChain::Gain(0.9),
    };
    let (mut answers, mut held) = (0, 0);
    for seed in 0..12 {
        let mut song = Song::new(100 + seed, chain(seed));
        song.hat = if seed % 4 == 3 { 0.6 } else { 0.0 };
        let recorder = song.record(|_| u32::MAX);
        for (id, gain) in [(KICK, Db(4.0)), (TOP, Db(-6.0)), (KICK, Db(-5.0))] {
            let answer = predicted_through(&recorder, id, gain, seed % 2 == 0);
            let (top, kick) = if id == TOP { (gain.gain(), 1.0) } else { (1.0, gain.gain()) };
            let (off, width) = (error(&song, &answer, top, kick), answer.certainty.half_width().0);
            assert!(
                answer.certainty != Certainty::Exact || off < 0.01,
                "{seed} {id:?}: exact, but off by {off}"
            );
            answers += 1;
            held += usize::from(off <= width.max(0.01));
            assert!(width < 5.0, "{seed} {id:?}: {width} LU says nothing");
        }
    }
    assert!(held * 100 >= answers * 95, "{held} of {answers} hold");
}

#[test]
fn hops_without_the_nested_stem_count_for_the_mix_only() {
    let song = Song::new(2, BusChain::Gain(1.0));
    // Top is away for five seconds, and Bottom for five others
    let mut recorder = song.record(|hop| match hop {
        50..100 => !(1 << 5),
        150..200 => !(1 << 6),
        _ => u32::MAX,
    });
    assert_eq!(recorder.report(WHOLE).progress.heard, 10 * SECONDS);
    assert_eq!(recorder.nested_report(WHOLE, TOP).expect("nested").progress.heard, 10 * SECONDS - 50);
    assert_eq!(recorder.nested_report(WHOLE, KICK).expect("nested").progress.heard, 10 * SECONDS);
    let answer = predicted(&recorder, TOP, Db(3.0));
    assert!(answer.certainty != Certainty::Exact, "Bottom is not in all of it");
    // with another setting of what is inside, the bus was another one
    recorder.set_setting(TOP, StemSetting { revision: 0, level: Some(Db(1.0)), trim: Db(0.0) });
    assert_eq!(recorder.status(20), HopStatus::OldSettings);
    assert_eq!(recorder.status(70), HopStatus::Heard, "it was away");
}
