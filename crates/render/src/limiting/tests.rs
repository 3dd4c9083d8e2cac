//! Laws of the analysis over small songs.

use std::path::Path;

use super::*;
use crate::progress::Silent;
use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
use testkit::noise;

pub(super) const RATE: Hz = Hz(48_000.0);

/// Bursts of low-passed noise, another one for each seed.
pub(super) fn bursts(seed: u64, frames: usize, gain: f64) -> [Vec<f64>; 2] {
    let loud = noise(seed + 500, frames / 2400 + 1, 1.0);
    [0, 1].map(|side| {
        let mut low = 0.0;
        noise(seed + side, frames, 1.0)
            .iter()
            .enumerate()
            .map(|(n, x)| {
                low += 0.08 * (x - low);
                3.0 * gain * low * loud[n / 2400].abs().powi(2)
            })
            .collect()
    })
}

pub(super) fn write(dir: &Path, name: &str, audio: &[Vec<f64>; 2]) {
    let path = dir.join(name);
    let mut writer =
        WavWriter::create(&path, WavSpec::new(RATE, 2, StoredFormat::Float32), true).expect("opens");
    writer.write_planar(audio).expect("writes");
    writer.finish().expect("finishes");
}

pub(super) fn analysed(dir: &Path, session: &str) -> Limiting {
    std::fs::write(dir.join("session.toml"), format!("schema = \"stemlink.session/1\"\n{session}"))
        .expect("writes");
    let mut bundle = Bundle::open(dir, None).expect("opens");
    let (session, _) = Session::open(&mut bundle, None).expect("reads");
    let job = LimitingJob { bundle: &bundle, session: &session, target: None };
    analyse_limiting(&job, &mut Silent).expect("is analysed")
}

fn three(dir: &Path, gain: f64) {
    for (n, name) in ["Drums.wav", "Bass.wav", "Keys.wav"].into_iter().enumerate() {
        write(dir, name, &bundle_part(n as u64, gain));
    }
}

fn bundle_part(n: u64, gain: f64) -> [Vec<f64>; 2] {
    bursts(10 * n + 1, 3 * 48_000, gain)
}

#[test]
fn parts_sum_to_one_and_rows_to_all_through_every_unit() {
    let folder = tempfile::tempdir().expect("a folder");
    three(folder.path(), 2.5);
    let chains = [
        "",
        "comp_on = true\ncomp_threshold = -24\ncomp_ratio = 3\ncomp_hp = 120\ncomp_cap = 12\n",
        "eq1_on = true\neq1_shape = \"low shelf\"\neq1_gain = 3\neq1_range = -9\neq1_threshold = -40\nsat_on = true\n\
         sat_drive = 6\nwidth = 1.3\nlevel = 2\nlim_on = true\nlim_drive = 3\nlim_link = 0.2\n",
    ];
    for chain in chains {
        let text = format!("[master]\nloudness = \"as-is\"\n[master.chain]\n{chain}");
        let limiting = analysed(folder.path(), &text);
        assert!(!limiting.events.is_empty(), "{chain}");
        assert_eq!(limiting.rows.len(), if chain.contains("sat_on") { 4 } else { 3 });
        for event in &limiting.events {
            assert!((event.parts.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{chain}: {event:?}");
            assert!(event.depth.0 >= 0.1 && (event.from..event.to).contains(&event.at));
        }
        for stage in [Some(&limiting.limiter), limiting.compressor.as_ref()].into_iter().flatten() {
            let rows: f64 = stage.rows.iter().map(|row| row.decibel_seconds).sum();
            assert!((rows - stage.decibel_seconds).abs() < 1e-9 * stage.decibel_seconds, "{chain}");
            assert!(stage.deepest.0 > 0.1);
        }
        assert_eq!(limiting.compressor.is_some(), chain.contains("comp_on"));
    }
}

#[test]
fn the_deepest_reduction_is_the_one_that_the_master_reports() {
    let folder = tempfile::tempdir().expect("a folder");
    three(folder.path(), 1.0);
    for session in ["", "[master]\nloudness = \"spotify\"\n[master.chain]\neq1_on = true\neq1_gain = 4\n"] {
        let limiting = analysed(folder.path(), session);
        let mut bundle = Bundle::open(folder.path(), None).expect("opens");
        let (session, _) = Session::open(&mut bundle, None).expect("reads");
        let job = LimitingJob { bundle: &bundle, session: &session, target: None };
        let planned = plan(&job, &mut Silent).expect("is planned");
        assert!(planned.gain.reduction.0 > 0.5);
        let [got, wanted] = [limiting.limiter.deepest.0, planned.gain.reduction.0];
        assert!(
            (got - wanted).abs() < 1e-4,
            "{got} at {} {wanted} at {}",
            limiting.limiter.deepest_at,
            planned.gain.reduction_at
        );
        assert!(limiting.limiter.deepest_at.abs_diff(planned.gain.reduction_at) < 3);
    }
}

#[test]
fn the_stem_with_the_peaks_owns_the_limiting() {
    let folder = tempfile::tempdir().expect("a folder");
    let frames = 9 * 48_000;
    let mut clicks = [vec![0.0; frames], vec![0.0; frames]];
    for at in (10_000..frames).step_by(144_000) {
        clicks.iter_mut().for_each(|side| (0..40).for_each(|n| side[at + n] = 1.8 * (n as f64 * 0.3).sin()));
    }
    write(folder.path(), "Kick.wav", &clicks);
    write(folder.path(), "Pad.wav", &bursts(5, frames, 0.1));
    let limiting = analysed(folder.path(), "[master]\nloudness = \"as-is\"\n");
    let share = limiting.limiter.rows[0].share.expect("something is limited");
    assert!((0.9..1.1).contains(&share), "{share}");
    assert_eq!(limiting.events.len(), 3);
    let worst = limiting.worst(2);
    assert!(worst.len() == 2 && worst[0].depth.0 >= worst[1].depth.0);
    // nothing to limit
    let quiet = tempfile::tempdir().expect("a folder");
    write(quiet.path(), "Pad.wav", &bursts(5, frames, 0.1));
    let limiting = analysed(quiet.path(), "[master]\nloudness = \"as-is\"\n");
    assert!(limiting.events.is_empty() && limiting.limiter.rows[0].share.is_none());
    assert_eq!(limiting.limiter.decibel_seconds, 0.0);
}
