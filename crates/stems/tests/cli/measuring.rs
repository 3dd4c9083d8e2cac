//! `stems measure`: ends of files, times of maxima, ranges, history, dual mono, pipes, and reasons.

use std::fs::{self, File};
use std::path::Path;

use audiofile::wav::StoredFormat;
use serde_json::Value;

use super::tool::*;

fn file(code: i32, args: &[&str]) -> Value {
    json(code, &[&["measure"], args].concat())["files"][0].take()
}

/// A tone of 0.5 s at `at` seconds over a quiet one, 12 s.
fn burst(path: &Path, at: f64) {
    let mut audio = sine(997.0, 48_000.0, 12.0, 2, 0.01);
    let from = (at * 48_000.0) as usize;
    for plane in &mut audio {
        for (n, x) in plane[from..from + 24_000].iter_mut().enumerate() {
            *x = 0.5 * (std::f64::consts::TAU * 997.0 * n as f64 / 48_000.0).sin();
        }
        plane[from + 12_000] = 0.9;
    }
    write_plain(path, &audio);
}

#[test]
fn an_end_at_full_scale_has_a_true_peak_behind_it_and_both_meters_see_it() {
    let folder = temporary();
    let path = folder.path().join("01_Keys_Stem.wav");
    let mut audio = sine(440.0, 48_000.0, 4.0, 2, 0.1);
    for plane in &mut audio {
        let end = plane.len();
        plane[end - 2..].fill(0.85);
    }
    write_plain(&path, &audio);
    for options in [&[][..], &["--verify"]] {
        let measured = file(0, &[&[text(&path)], options].concat());
        let peak = number(&measured["reading"]["true_peak_dbtp"]);
        assert!((0.3..1.2).contains(&peak), "{options:?} {peak}");
        assert!(number(&measured["maxima"]["true_peak_at_s"]) > 3.99);
    }
    assert!(json(1, &["check", text(folder.path())])["faults"].to_string().contains("true-peak"));
}

#[test]
fn maxima_have_times_in_both_ways_of_measuring() {
    let folder = temporary();
    let path = folder.path().join("a.wav");
    burst(&path, 7.25);
    for options in [&[][..], &["--verify"], &["--from", "2"], &["--from", "0:05.000", "--to", "11,5"]] {
        let maxima = &file(0, &[&[text(&path)], options].concat())["maxima"];
        let near = |key: &str, from: f64, to: f64| {
            let at = number(&maxima[key]);
            assert!((from..=to).contains(&at), "{options:?} {key} {at}");
        };
        near("true_peak_at_s", 7.499, 7.501);
        near("momentary_max_at_s", 7.65, 7.75);
        near("short_term_max_at_s", 7.7, 10.3);
    }
    let run = stems(&["measure", text(&path)]);
    assert!(run.out.contains("TP at") && run.out.contains("0:07.5"), "{}", run.out);
}

#[test]
fn a_range_is_measured_as_a_file_of_its_own_is() {
    let folder = temporary();
    let (whole, piece) = (folder.path().join("whole.wav"), folder.path().join("piece.wav"));
    let audio = part(3, 48_000.0, 10.0, 2, 0.3);
    write_plain(&whole, &audio);
    let cut: Audio = audio.iter().map(|plane| plane[2 * 48_000..7 * 48_000].to_vec()).collect();
    write_plain(&piece, &cut);
    let ranged = file(0, &[text(&whole), "--from", "2", "--to", "0:07"]);
    let own = file(0, &[text(&piece)]);
    assert_eq!(ranged["frames"], own["frames"]);
    for key in keys(&own["reading"]) {
        let difference = number(&ranged["reading"][key]) - number(&own["reading"][key]);
        assert!(difference.abs() < 1e-6, "{key}: {difference}");
    }
    assert_eq!(ranged["from_s"], 2.0);
    fails(&["measure", text(&whole), "--from", "20"], &["whole.wav", "it is 0:10.000 long"]);
}

#[test]
fn history_has_ten_rows_a_second() {
    let folder = temporary();
    let (path, csv) = (folder.path().join("a.wav"), folder.path().join("a.csv"));
    write_plain(&path, &sine(997.0, 48_000.0, 5.0, 2, 0.1));
    assert_eq!(stems(&["measure", text(&path), "--history", text(&csv)]).code, 0);
    let table = fs::read_to_string(&csv).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["path", "time_s", "momentary_lufs", "short_term_lufs"]);
    assert_eq!((rows.len(), rows[1][1], rows[1][3]), (1 + 47, "0.4", ""));
    let last = rows.last().unwrap();
    assert_eq!(last[1], "5.0");
    for value in [last[2], last[3]] {
        assert!((value.parse::<f64>().unwrap() + 20.0).abs() < 0.05, "{value}");
    }
    fails(&["measure", text(&path), "--history", text(&csv)], &["already exists"]);
}

#[test]
fn dual_mono_is_three_units_louder_and_a_mono_file_says_so() {
    let folder = temporary();
    let path = folder.path().join("a.wav");
    write_plain(&path, &sine(997.0, 48_000.0, 4.0, 1, 0.1));
    let integrated = |options: &[&str]| {
        let measured = file(0, &[&[text(&path)], options].concat());
        number(&measured["reading"]["integrated_lufs"])
    };
    let louder = 10.0 * 2f64.log10();
    assert!((integrated(&["--dual-mono"]) - integrated(&[]) - louder).abs() < 1e-9);
    integrated(&["--dual-mono", "--verify"]); // exit code 0: the second meter agrees
    let run = stems(&["measure", text(&path)]);
    assert!(run.err.contains("3.0 LU louder"), "{}", run.err);
    assert!(!stems(&["measure", "--dual-mono", text(&path)]).err.contains("louder"));
}

#[test]
fn what_comes_through_a_pipe_is_measured_as_the_file_is() {
    let folder = temporary();
    let path = folder.path().join("a.wav");
    write_plain(&path, &part(1, 48_000.0, 4.0, 2, 0.3));
    let direct = file(0, &[text(&path)]);
    let mut piped = command(&["measure", "-", "--json"]);
    piped.stdin(File::open(&path).unwrap());
    let run = judge(&piped.output().unwrap());
    assert_eq!(run.code, 0, "{}", run.err);
    let answer: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(answer["files"][0]["reading"], direct["reading"]);
    assert_eq!(answer["files"][0]["path"], "standard input");
    let mut words = command(&["measure", "-"]);
    let text_file = folder.path().join("text");
    fs::write(&text_file, "only words").unwrap();
    words.stdin(File::open(&text_file).unwrap());
    let run = judge(&words.output().unwrap());
    assert!(run.code == 2 && run.err.contains("standard input: is no audio file"), "{}", run.err);
}

#[test]
fn values_that_do_not_exist_have_a_reason() {
    let folder = temporary();
    let path = folder.path().join("a.wav");
    for (audio, word) in [
        (part(1, 48_000.0, 0.1, 2, 0.3), "loudness needs 0.4 s"),
        (part(1, 48_000.0, 1.0, 2, 0.3), "need 3 s"),
        (sine(997.0, 48_000.0, 4.0, 2, 1e-5), "never rises above -70 LUFS"),
        (vec![vec![0.0; 200_000]; 2], "is silent"),
    ] {
        write_plain(&path, &audio);
        let run = stems(&["measure", text(&path)]);
        assert!(run.code == 0 && run.err.contains(word), "{word}: {}", run.err);
    }
}

#[test]
fn denormal_samples_and_low_rates_are_no_disagreement() {
    let folder = temporary();
    let path = folder.path().join("a.wav");
    write(&path, 48_000.0, StoredFormat::Float32, &vec![vec![1e-40; 240_000]; 2]);
    let measured = file(0, &[text(&path), "--verify"]);
    assert!(measured["reading"].as_object().unwrap().values().all(|value| value.is_null()), "{measured}");
    write(&path, 6_000.0, StoredFormat::Int24, &part(2, 6_000.0, 4.0, 2, 0.3));
    let run = stems(&["measure", text(&path), "--verify"]);
    assert!(run.code == 0 && !run.err.contains("disagrees"), "{}", run.err);
}

#[test]
fn an_aiff_file_with_half_of_its_frames_declared_is_read_whole_and_said() {
    let folder = temporary();
    let path = folder.path().join("a.aif");
    let chunk = |id: &[u8], content: &[u8]| [id, &(content.len() as u32).to_be_bytes(), content].concat();
    for declared in [0u32, 48_000] {
        let samples: Vec<u8> =
            (0..96_000).flat_map(|n: i32| ((n % 200 * 100) as i16).to_be_bytes()).collect();
        let rate = [0x40, 0x0e, 0xbb, 0x80, 0, 0, 0, 0, 0, 0];
        let common = [&1u16.to_be_bytes()[..], &declared.to_be_bytes(), &16u16.to_be_bytes(), &rate].concat();
        let body =
            [b"AIFF".to_vec(), chunk(b"COMM", &common), chunk(b"SSND", &[&[0; 8][..], &samples].concat())];
        fs::write(&path, chunk(b"FORM", &body.concat())).unwrap();
        assert_eq!(file(1, &[text(&path)])["frames"], 96_000);
    }
}

#[test]
fn samples_that_no_audio_has_are_counted_and_placed() {
    let folder = temporary();
    let path = folder.path().join("a.wav");
    let mut audio = sine(440.0, 48_000.0, 4.0, 2, 0.1);
    (audio[0][96_000], audio[1][96_100], audio[1][5]) = (1e30, -15.9, 15.8);
    write(&path, 48_000.0, StoredFormat::Float32, &audio);
    let line = "2 samples lie beyond +24 dBFS, the first at 0:02.000: no audio; export it again";
    for options in [&[][..], &["--verify"], &["--from", "1"]] {
        let run = stems(&[&["measure", text(&path)], options].concat());
        assert!(run.code == 1 && run.err.contains(line), "{options:?} {}", run.err);
    }
    let run = stems(&["measure", text(&path), "--to", "1"]);
    assert!(run.code == 0 && !run.err.contains("beyond"), "{}", run.err);
}
