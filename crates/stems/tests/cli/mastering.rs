//! The master: where it lands, what its peaks are, and that other meters agree.

use std::path::{Path, PathBuf};
use std::process::Command;

use audiofile::wav::StoredFormat;
use serde_json::Value;

use super::tool::*;

/// Masters `dir` and returns the answer and the file.
#[track_caller]
fn master(dir: &Path, out: &Path, more: &[&str]) -> (Value, PathBuf) {
    let mut args = vec!["master", text(dir), "--out", text(out)];
    args.extend(more);
    let answer = json(0, &args);
    let path = PathBuf::from(answer["deliverables"][0]["path"].as_str().unwrap());
    assert_eq!(answer["deliverables"][0]["verified"], true);
    (answer, path)
}

fn loudness(answer: &Value) -> f64 {
    number(&answer["deliverables"][0]["reading"]["integrated_lufs"])
}

/// A stem of short bursts with high peaks over a quiet bed: loud only through a limiter.
fn peaky(dir: &Path, gain: f64) {
    std::fs::create_dir_all(dir).unwrap();
    let mut audio = part(4, 48_000.0, 6.0, 2, 0.05 * gain);
    for plane in &mut audio {
        for start in (24_000..280_000).step_by(48_000) {
            for (i, x) in plane[start..start + 200].iter_mut().enumerate() {
                *x += 0.9 * gain * (i as f64 * 0.4).sin() * (1.0 - i as f64 / 200.0);
            }
        }
    }
    write_plain(&dir.join("Perc.wav"), &audio);
    write_plain(&dir.join("Pad.wav"), &part(6, 48_000.0, 6.0, 2, 0.1 * gain));
}

/// True peaks by an independent 16x measurement; none without the oracle.
fn true_peaks(files: &[PathBuf]) -> Option<Vec<f64>> {
    if !present("python3", &["-c", "import numpy, scipy, soundfile"]) {
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/true_peak.py");
    let output = Command::new("python3").arg(script).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    Some(files.iter().map(|file| number(&answer[text(file)])).collect())
}

#[test]
fn a_target_is_landed_on_from_below_and_above_with_the_ceiling_held() {
    let folder = temporary();
    let mut files = Vec::new();
    let targets = [
        ("spotify", -14.0, -1.0),
        ("youtube", -14.0, -1.0),
        ("apple-music", -16.0, -1.0),
        ("ebu-r128", -23.0, -1.0),
        ("netflix", -27.0, -2.0),
        ("spotify-loud", -11.0, -2.0),
    ];
    for (name, gain) in [("quiet", 0.1), ("loud", 3.0)] {
        let dir = folder.path().join(name);
        song(&dir, 5.0, gain);
        for (target, aim, ceiling) in targets {
            let (answer, file) = master(&dir, &folder.path().join(target), &["--target", target]);
            assert!((loudness(&answer) - aim).abs() <= 0.1, "{name} {target}: {}", loudness(&answer));
            assert_eq!(answer["stopped_by"], "reached");
            let limit = number(&answer["ceiling_dbtp"]);
            assert!(limit <= ceiling, "{target}: {limit}");
            assert!(number(&answer["strict_peak_dbtp"]) <= limit + 0.05);
            files.push((file, limit));
        }
    }
    let paths: Vec<PathBuf> = files.iter().map(|(file, _)| file.clone()).collect();
    for ((file, limit), peak) in files.iter().zip(true_peaks(&paths).unwrap_or_default()) {
        assert!(peak <= limit + 0.05, "{}: {peak} dBTP over {limit}", file.display());
    }
}

#[test]
fn heavy_limiting_lands_is_held_and_warns() {
    let folder = temporary();
    let dir = folder.path().join("peaky");
    peaky(&dir, 1.0);
    let (answer, file) = master(&dir, &folder.path().join("out"), &["--target", "spotify-loud"]);
    assert!((loudness(&answer) + 11.0).abs() <= 0.1, "{}", loudness(&answer));
    assert!(number(&answer["limiting_db"]) > 6.0);
    let warning = answer["warnings"][0].as_str().unwrap();
    assert!(warning.contains("limiting reaches") && warning.contains("6 dB"), "{warning}");
    if let Some(peaks) = true_peaks(std::slice::from_ref(&file)) {
        assert!(peaks[0] <= number(&answer["ceiling_dbtp"]) + 0.05, "{}", peaks[0]);
    }
    let run =
        stems(&["master", text(&dir), "--out", text(&folder.path().join("o2")), "--target", "spotify-loud"]);
    assert!(run.code == 0 && run.err.contains("limiting reaches"), "{}", run.err);
}

#[test]
fn without_a_target_it_rises_toward_fourteen_and_no_further() {
    let folder = temporary();
    let dir = folder.path().join("quiet");
    song(&dir, 5.0, 0.3);
    let (answer, _) = master(&dir, &folder.path().join("out"), &[]);
    let (gain, limiting) = (number(&answer["gain_db"]), number(&answer["limiting_db"]));
    assert!(gain > 0.0 && limiting <= 2.01);
    match answer["stopped_by"].as_str().unwrap() {
        "reached" => assert!((loudness(&answer) + 14.0).abs() < 0.1),
        "peak" => assert!(limiting > 1.9 && loudness(&answer) < -14.0),
        other => panic!("{other}"),
    }
}

#[test]
fn without_a_target_the_loudness_that_is_said_is_that_of_the_file() {
    let folder = temporary();
    let dir = folder.path().join("song");
    std::fs::create_dir(&dir).unwrap();
    // Hits of noise, which the limiter takes a little of: less than 2 dB, and some of the loudness.
    let mut hits = vec![vec![0.0; 288_000]; 2];
    let hit = testkit::noise(5, 900, 0.5);
    for plane in &mut hits {
        (0..288_000).step_by(13_000).for_each(|at| plane[at..at + 900].copy_from_slice(&hit));
    }
    write_plain(&dir.join("Perc.wav"), &hits);
    write_plain(&dir.join("Pad.wav"), &part(6, 48_000.0, 6.0, 2, 0.01));
    let (answer, _) = master(&dir, &folder.path().join("out"), &[]);
    let there = loudness(&answer);
    assert_eq!(answer["stopped_by"], "reached", "{answer}");
    assert!((-15.3..-14.1).contains(&there), "{answer}");
    let run = stems(&["master", text(&dir), "--out", text(&folder.path().join("again"))]);
    assert!(run.out.contains(&format!("reaches {there:.1} LUFS; it aims at -14.0 LUFS, and")), "{}", run.out);
}

#[test]
fn without_a_target_it_stops_at_two_decibels_of_limiting_and_says_where() {
    let folder = temporary();
    let dir = folder.path().join("peaky");
    peaky(&dir, 0.5);
    let (answer, _) = master(&dir, &folder.path().join("out"), &[]);
    assert_eq!(answer["stopped_by"], "peak");
    let (limiting, gain) = (number(&answer["limiting_db"]), number(&answer["gain_db"]));
    assert!((1.9..=2.01).contains(&limiting) && gain > 0.0, "{limiting} {gain}");
    assert!(loudness(&answer) < -14.1);
    let at = number(&answer["limiting_at_s"]);
    assert!((0.5..0.51).contains(&at.fract()), "a burst every second at .5: {at}");
    let said = stems(&["master", text(&dir), "--out", text(&folder.path().join("o2"))]).out;
    assert!(said.contains("stops short of -14.0 LUFS; the peak at 0:0"), "{said}");
}

#[test]
fn without_a_target_it_is_never_turned_down_for_loudness_only_for_its_peak() {
    let folder = temporary();
    let dir = folder.path().join("loud");
    std::fs::create_dir(&dir).unwrap();
    // Steady tones: loud without peaks over the ceiling.
    write_plain(&dir.join("A.wav"), &sine(400.0, 48_000.0, 5.0, 2, 0.4));
    write_plain(&dir.join("B.wav"), &sine(700.0, 48_000.0, 5.0, 2, 0.3));
    let (answer, _) = master(&dir, &folder.path().join("out"), &[]);
    assert_eq!((number(&answer["gain_db"]), answer["stopped_by"].as_str().unwrap()), (0.0, "louder_already"));
    assert!(loudness(&answer) > -10.0);
    assert_eq!(number(&answer["limiting_db"]), 0.0);

    let dir = folder.path().join("over");
    peaky(&dir, 4.0);
    let (answer, file) = master(&dir, &folder.path().join("out"), &[]);
    assert_eq!(answer["stopped_by"], "peak");
    assert!(number(&answer["gain_db"]) < -1.0 && number(&answer["limiting_db"]) <= 2.01);
    assert!(number(&reading(&file)["true_peak_dbtp"]) <= -0.95);
    let said = stems(&["master", text(&dir), "--out", text(&folder.path().join("o2"))]).out;
    assert!(said.contains("turned down for -1.0 dBTP only") && said.contains("the peak at 0:0"), "{said}");
}

#[test]
fn ffmpeg_and_libsndfile_read_the_master_as_we_do() {
    let folder = temporary();
    let dir = folder.path().join("song");
    song(&dir, 8.0, 1.0);
    let (answer, file) = master(&dir, &folder.path().join("out"), &[]);
    let head = std::fs::read(&file).unwrap();
    assert!(head.windows(4).take(800).any(|id| id == b"bext"));
    assert_eq!(names(&folder.path().join("out")), ["song_Master.wav"]);
    if !present("ffmpeg", &["-version"]) {
        return;
    }
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostats", "-i", text(&file)])
        .args(["-af", "ebur128=peak=true:framelog=verbose", "-f", "null", "-"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("pcm_s24le") && said.contains("48000 Hz"), "{said}");
    let summary = said.rsplit("Summary:").next().unwrap();
    let figure = |label: &str| -> f64 {
        let line = summary.lines().find(|line| line.trim().starts_with(label)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let ours = |key: &str| number(&answer["deliverables"][0]["reading"][key]);
    assert!((figure("I:") - ours("integrated_lufs")).abs() <= 0.1, "{summary}");
    assert!((figure("Peak:") - ours("true_peak_dbtp")).abs() <= 0.2, "{summary}");
}

#[test]
fn single_files_are_mastered_too() {
    let folder = temporary();
    for (name, channels) in [("Stereo Mix.wav", 2), ("Mono.wav", 1)] {
        let file = folder.path().join(name);
        write_plain(&file, &part(3, 48_000.0, 5.0, channels, 0.3));
        let (answer, master) = master(&file, &folder.path().join("out"), &["--target", "youtube"]);
        assert!((loudness(&answer) + 14.0).abs() <= 0.1);
        assert!(text(&master).ends_with(&name.replace(".wav", "_Master.wav")));
        assert_eq!(read(&master).len(), 2, "mono on both sides");
    }
    let surround = folder.path().join("Surround.wav");
    write_plain(&surround, &part(3, 48_000.0, 1.0, 6, 0.3));
    let out = folder.path().join("none");
    fails(
        &["master", text(&surround), "--out", text(&out)],
        &["Surround.wav", "6 channels", "mono or stereo"],
    );
    assert!(!out.exists());
}

#[test]
fn two_runs_give_the_same_bytes_and_the_length_is_kept() {
    let folder = temporary();
    let dir = folder.path().join("song");
    song(&dir, 5.0, 1.0);
    let [a, b] =
        ["a", "b"].map(|out| master(&dir, &folder.path().join(out), &["--target", "spotify-loud"]).1);
    assert!(std::fs::read(&a).unwrap() == std::fs::read(b).unwrap());
    assert_eq!(read(&a)[0].len(), 240_000);
}

#[test]
fn rates_from_44_to_192_kilohertz_and_every_format_are_mastered() {
    let folder = temporary();
    for (rate, format) in
        [(44_100.0, StoredFormat::Int16), (96_000.0, StoredFormat::Float32), (192_000.0, StoredFormat::Int24)]
    {
        let dir = folder.path().join(format!("{rate}"));
        std::fs::create_dir(&dir).unwrap();
        write(&dir.join("A.wav"), rate, format, &part(1, rate, 3.5, 2, 0.3));
        write(&dir.join("B.wav"), rate, format, &part(2, rate, 3.5, 1, 0.3));
        let (answer, file) = master(&dir, &folder.path().join("out"), &["--target", "apple-music"]);
        assert!((loudness(&answer) + 16.0).abs() <= 0.1);
        let measured = json(0, &["measure", "--verify", text(&file)]);
        assert_eq!(measured["files"][0]["rate_hz"].as_f64(), Some(rate));
        assert_eq!(measured["files"][0]["second"]["agrees"], true);
    }
}

#[test]
fn stems_of_different_lengths_need_permission() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    song(&dir, 5.0, 1.0);
    write_plain(&dir.join("04_FX_Stem.wav"), &part(5, 48_000.0, 2.0, 2, 0.1));
    fails(
        &["master", text(&dir), "--out", text(&out)],
        &["04_FX_Stem.wav", "96000 frames", "240000", "--pad"],
    );
    assert!(!out.exists());
    let (_, file) = master(&dir, &out, &["--pad"]);
    assert_eq!(read(&file)[0].len(), 240_000);
    json(0, &["what-if", text(&dir), "--move", "FX=1"]);
}

#[test]
fn stems_of_different_rates_are_refused() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    song(&dir, 5.0, 1.0);
    write(&dir.join("04_FX_Stem.wav"), 44_100.0, StoredFormat::Int16, &part(5, 48_000.0, 5.0, 2, 0.1));
    for args in [
        &["master", text(&dir), "--out", text(&out)][..],
        &["what-if", text(&dir), "--move", "FX=1"],
        &["solve", text(&dir), "--target", "spotify"],
    ] {
        fails(args, &["04_FX_Stem.wav", "44100 Hz", "48000 Hz"]);
    }
    assert!(!out.exists());
}

#[test]
fn the_meaning_of_a_dialogue_target_is_said() {
    let folder = temporary();
    let dir = folder.path().join("song");
    song(&dir, 5.0, 1.0);
    let run =
        stems(&["master", text(&dir), "--out", text(&folder.path().join("out")), "--target", "netflix"]);
    assert!(run.code == 0 && run.err.contains("dialogue"), "{}", run.err);
}
