//! Time from a question to its answer, for a song of five minutes with eight stems: `cargo bench --package session`.
//!
//! A ghost fader that is moved asks a question. The report on the song is made once; what devices do is fitted for the
//! first question of each stem; all others only predict.

#![allow(clippy::print_stdout, reason = "its figures are what it is run for")]

use session::hop_builder::FinishedHop;
use session::joint::{GramMeter, JointHops};
use session::predict::Move;
use session::prediction::predict_moves;
use session::record::{Recorder, SessionMember, StemId, StemSetting};
use session::session_report::SessionReport;
use session::target::builtin;
use std::time::{Duration, Instant};
use testkit::noise;
use units::{Db, Hz};

const STEMS: usize = 8;
const SECONDS: usize = 300;
/// Rate of the material, low so that it is made soon: the hops are as many and as large as at any other.
const RATE: usize = 8000;
/// Rounds, of which the quickest counts.
const ROUNDS: usize = 5;

/// Hops of stems that swell, through faders, the first of them through one that is ridden, beside a track without a Stem.
fn hops() -> JointHops {
    let mut meter = GramMeter::new(Hz(RATE as f64), STEMS + 1);
    for second in 0..SECONDS {
        let level = |stem: usize, n: usize| {
            let time = second as f64 + n as f64 / RATE as f64;
            0.1 + 0.09 * (time * (0.3 + 0.11 * stem as f64)).sin()
        };
        let side = |stem: usize, side: usize| -> Vec<f64> {
            let seed = ((second * (STEMS + 1) + stem) * 2 + side) as u64;
            noise(seed, RATE, 1.0).into_iter().enumerate().map(|(n, x)| level(stem, n) * x).collect()
        };
        let mut audio: Vec<[Vec<f64>; 2]> = (0..=STEMS).map(|stem| [side(stem, 0), side(stem, 1)]).collect();
        let extra = audio.pop().expect("one more than stems");
        let mix = [0, 1].map(|side| {
            let sum = |n: usize| {
                let ride = 1.0 + 0.2 * (0.7 * (second as f64 + n as f64 / RATE as f64)).sin();
                let stems = audio.iter().enumerate().map(|(stem, audio)| {
                    let gain = if stem == 0 { ride } else { 0.5 + 0.1 * stem as f64 };
                    gain * audio[side][n]
                });
                stems.sum::<f64>() + 0.1 * extra[side][n]
            };
            (0..RATE).map(sum).collect::<Vec<f64>>()
        });
        audio.push(mix);
        meter.process(RATE, |source, side| &audio[source][side]);
    }
    meter.finish()
}

/// Milliseconds of the quickest round.
fn quickest(mut round: impl FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        round();
        start.elapsed()
    };
    (0..ROUNDS).map(time).min().unwrap_or(Duration::ZERO).as_secs_f64() * 1e3
}

fn main() {
    let hops = hops();
    let mut recorder = Recorder::default();
    let members =
        (0..STEMS as u64).map(|id| SessionMember { id: StemId(id), setting: StemSetting::default() });
    recorder.set_stems(1, &members.collect::<Vec<_>>());
    for (index, joint) in hops.row().into_iter().flatten().enumerate() {
        recorder.push_hop(&FinishedHop {
            index: Some(index as i64),
            set: 1,
            stems: STEMS,
            heard: u32::MAX,
            joint: joint.to_vec(),
            peaks: vec![1.0; STEMS + 1],
            ..FinishedHop::default()
        });
    }
    recorder.finish_row();
    let all = 0..hops.len() as i64;
    let targets = builtin();
    let name = |stem: usize| format!("Stem {stem}");
    let ask = |report: &_, stem: usize, gain: f64| {
        predict_moves(report, &[Move { source: stem, gain: Db(gain) }], &[], &targets, name)
    };
    let report = recorder.report(all.clone());
    let made = quickest(|| drop(recorder.report(all.clone())));
    let shown = quickest(|| {
        let delays = [0; STEMS];
        drop(SessionReport::new(&recorder, &report, &delays, Vec::new(), &targets, |_| String::new()));
    });
    let first = quickest(|| drop(ask(&recorder.report(all.clone()), 0, 3.0)));
    let mut gain = 0.0;
    let next = quickest(|| {
        gain += 0.1;
        drop(ask(&report, 0, gain));
    });
    let other = quickest(|| drop(ask(&report, 1, 3.0)));
    println!(
        "{SECONDS} s of {STEMS} stems: report {made:.1} ms, its figures {shown:.1} ms; first question, report included \
         {first:.1} ms; the next of that stem {next:.2} ms, of another one {other:.2} ms"
    );
}
