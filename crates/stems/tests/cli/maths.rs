//! Predictions against the measurements of a render.

use std::path::{Path, PathBuf};

use audiofile::wav::StoredFormat;
use serde_json::Value;

use super::tool::*;

/// Both readings are the same within `tolerance`, value by value, or do not exist.
#[track_caller]
pub(crate) fn same_reading(promised: &Value, measured: &Value, tolerance: f64) {
    for (key, value) in promised.as_object().unwrap() {
        match (value.as_f64(), measured[key].as_f64()) {
            (None, None) => {}
            (Some(a), Some(b)) if (a - b).abs() <= tolerance => {}
            (a, b) => panic!("{key}: promised {a:?}, measured {b:?}"),
        }
    }
}

#[track_caller]
fn shares_sum_to_one(answer: &Value) {
    let sum: f64 = answer["stems"].as_array().unwrap().iter().map(|stem| number(&stem["share"])).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
}

/// The others change by what playback does, on every platform.
#[track_caller]
fn others_follow_playback(answer: &Value) {
    for target in answer["targets"].as_array().unwrap() {
        let figure = |key: &str| target[key].as_f64();
        match (
            figure("playback_gain_before_db"),
            figure("playback_gain_after_db"),
            figure("others_change_db"),
        ) {
            (Some(before), Some(after), Some(others)) => {
                assert!((after - before - others).abs() < 1e-9, "{target}");
            }
            (_, _, others) => assert!(others.is_none(), "{target}"),
        }
    }
}

struct Bundle {
    folder: tempfile::TempDir,
    files: Vec<PathBuf>,
    rate: f64,
}

const NAMES: [&str; 5] = ["Drums", "Bass", "Keys", "Vocals", "FX"];

impl Bundle {
    fn new(seed: u64, rate: f64, format: StoredFormat, channels: &[usize]) -> Self {
        let folder = temporary();
        let mut files = Vec::new();
        for (i, &channels) in channels.iter().enumerate() {
            let path = folder.path().join(format!("{:02}_{}_Stem.wav", i + 1, NAMES[i]));
            write(&path, rate, format, &part(seed * 31 + i as u64, rate, 4.3, channels, 0.4));
            files.push(path);
        }
        Self { folder, files, rate }
    }

    fn dir(&self) -> &str {
        text(self.folder.path())
    }

    /// The reading of the stems summed with gains, and of what else lies in `beside`.
    fn rendered(&self, gains: &[f64], beside: Option<(&Path, f64)>) -> Value {
        let elsewhere = temporary();
        let path = elsewhere.path().join("render.wav");
        let (mut files, mut gains) = (self.files.clone(), gains.to_vec());
        if let Some((other, gain)) = beside {
            files.push(other.to_owned());
            gains.push(gain);
        }
        render(&files, &gains, self.rate, &path);
        reading(&path)
    }

    fn what_if(&self, gains: &[f64], more: &[&str]) -> Value {
        let moves: Vec<String> = gains
            .iter()
            .enumerate()
            .filter(|(_, gain)| **gain != 0.0)
            .map(|(i, gain)| format!("--move={}={gain}", NAMES[i]))
            .collect();
        let mut args = vec!["what-if", self.dir()];
        args.extend(moves.iter().map(String::as_str));
        args.extend(more);
        json(0, &args)
    }
}

#[test]
fn what_if_promises_what_a_render_measures() {
    use StoredFormat::{Float32, Int16, Int24};
    let cases = [
        (44_100.0, Int16, &[2, 2, 1][..]),
        (48_000.0, Int24, &[1, 2, 2, 1]),
        (96_000.0, Float32, &[2, 1]),
        (48_000.0, Float32, &[1]),
        (44_100.0, Int24, &[1, 1, 2, 2, 2]),
    ];
    for (case, (rate, format, channels)) in cases.into_iter().enumerate() {
        let bundle = Bundle::new(case as u64 + 1, rate, format, channels);
        let mut random = Random::new(case as u64);
        let still = bundle.rendered(&vec![0.0; channels.len()], None);
        for _ in 0..3 {
            let gains: Vec<f64> =
                channels.iter().map(|_| (random.between(-15.0, 9.0) * 10.0).round() / 10.0).collect();
            let answer = bundle.what_if(&gains, &[]);
            same_reading(&answer["before"], &still, 0.01);
            same_reading(&answer["after"], &bundle.rendered(&gains, None), 0.01);
            assert_eq!(answer["exact"], true);
            shares_sum_to_one(&answer);
            others_follow_playback(&answer);
        }
    }
}

#[test]
fn several_moves_of_one_stem_add_up() {
    let bundle = Bundle::new(3, 48_000.0, StoredFormat::Int24, &[2, 2]);
    let twice = json(0, &["what-if", bundle.dir(), "--move", "Drums=2", "--move", "drums=-3.5"]);
    let once = json(0, &["what-if", bundle.dir(), "--move", "Drums=-1.5"]);
    same_reading(&twice["after"], &once["after"], 1e-6);
}

#[test]
fn a_complete_mix_is_exact_with_any_fader() {
    let bundle = Bundle::new(5, 48_000.0, StoredFormat::Int24, &[2, 2, 1]);
    let elsewhere = temporary();
    for (case, faders) in [[0.0, 0.0, 0.0], [-6.0, 2.5, 0.0]].into_iter().enumerate() {
        let mix = elsewhere.path().join(format!("{case}.wav"));
        render(&bundle.files, &faders, 48_000.0, &mix);
        let gains = [0.0, 4.0, -7.0];
        let answer = bundle.what_if(&gains, &["--mix", text(&mix)]);
        assert_eq!(answer["exact"], true, "{answer}");
        assert!(number(&answer["coverage"]) > 0.9999);
        shares_sum_to_one(&answer);
        others_follow_playback(&answer);
        let sum: Vec<f64> = gains.iter().zip(faders).map(|(a, b)| a + b).collect();
        same_reading(&answer["before"], &bundle.rendered(&faders, None), 0.01);
        same_reading(&answer["after"], &bundle.rendered(&sum, None), 0.01);
    }
}

#[test]
fn what_the_stems_do_not_account_for_is_unlinked() {
    let bundle = Bundle::new(8, 48_000.0, StoredFormat::Int24, &[2, 2]);
    let elsewhere = temporary();
    let [strings, mix] = ["strings.wav", "mix.wav"].map(|name| elsewhere.path().join(name));
    write_plain(&strings, &part(99, 48_000.0, 4.3, 2, 0.2));
    let all = [bundle.files.clone(), vec![strings.clone()]].concat();
    render(&all, &[0.0; 3], 48_000.0, &mix);
    let gains = [3.0, -2.0];
    let answer = bundle.what_if(&gains, &["--mix", text(&mix)]);
    let coverage = number(&answer["coverage"]);
    assert!((0.5..0.99).contains(&coverage), "{coverage}");
    assert_eq!(answer["exact"], false);
    let uncertainty = number(&answer["uncertainty_lu"]);
    assert!(uncertainty > 0.0);
    let last = answer["stems"].as_array().unwrap().last().unwrap();
    assert_eq!(last["stem"], "Unlinked");
    assert!(last["reading"].is_null() && number(&last["share"]) > 0.01);
    shares_sum_to_one(&answer);
    let miss = number(&answer["after"]["integrated_lufs"])
        - number(&bundle.rendered(&gains, Some((&strings, 0.0)))["integrated_lufs"]);
    assert!(miss.abs() <= uncertainty, "{miss} is more than ±{uncertainty}");
    let table = stems(&["what-if", bundle.dir(), "--move", "Bass=1", "--mix", text(&mix)]).out;
    assert!(table.contains("estimate ±") && table.contains("Unlinked"), "{table}");
}

#[test]
fn a_mix_of_another_rate_or_unreadable_is_refused() {
    let bundle = Bundle::new(8, 48_000.0, StoredFormat::Int24, &[2, 2]);
    let elsewhere = temporary();
    let mix = elsewhere.path().join("mix.wav");
    write(&mix, 44_100.0, StoredFormat::Int24, &part(1, 44_100.0, 1.0, 2, 0.1));
    fails(
        &["what-if", bundle.dir(), "--move", "Bass=1", "--mix", text(&mix)],
        &["mix.wav", "44100 Hz", "48000 Hz"],
    );
    fails(&["what-if", bundle.dir(), "--move", "Bass=1", "--mix", "none.wav"], &["none.wav", "no such file"]);
}

#[test]
fn solve_lands_where_it_says() {
    let bundle = Bundle::new(12, 48_000.0, StoredFormat::Int24, &[2, 1, 2]);
    for (target, aim) in [("spotify", -14.0), ("ebu-r128", -23.0), ("apple-music", -16.0)] {
        let answer = json(0, &["solve", bundle.dir(), "--target", target]);
        let trim = number(&answer["moves"][0]["gain_db"]);
        assert_eq!(answer["moves"].as_array().unwrap().len(), 3, "all stems by the same amount");
        let rendered = bundle.rendered(&[trim; 3], None);
        assert!((number(&rendered["integrated_lufs"]) - aim).abs() < 0.02, "{target}: {rendered}");
        same_reading(&answer["after"], &rendered, 0.01);
        shares_sum_to_one(&answer);
    }
    let loudest = json(0, &["what-if", bundle.dir(), "--move", "Drums=4"]);
    let aim = number(&loudest["after"]["integrated_lufs"]);
    let folder = temporary();
    let own = folder.path().join("targets.toml");
    std::fs::write(&own, format!("[[targets]]\nid = \"mine\"\ntarget_lufs = {aim}\n")).unwrap();
    let answer = json(
        0,
        &["solve", bundle.dir(), "--target", "mine", "--stem", "drums", "--targets-file", text(&own)],
    );
    let trim = number(&answer["moves"][0]["gain_db"]);
    let landed = number(&bundle.rendered(&[trim, 0.0, 0.0], None)["integrated_lufs"]);
    assert!((landed - aim).abs() < 0.02 && trim.abs() <= 4.01, "{landed} {trim}");
}

#[test]
fn a_target_out_of_reach_says_why_and_what_comes_nearest() {
    let folder = temporary();
    write_plain(&folder.path().join("Loud.wav"), &part(1, 48_000.0, 4.0, 2, 0.9));
    write_plain(&folder.path().join("Quiet.wav"), &part(2, 48_000.0, 4.0, 2, 0.001));
    let answer = json(1, &["solve", text(folder.path()), "--target", "netflix", "--stem", "Quiet"]);
    assert_eq!(answer["reached"], false);
    let reason = answer["reason"].as_str().unwrap();
    assert!(reason.contains("Quiet") && reason.contains("louder") && reason.contains("-27.0"), "{reason}");
    assert!(number(&answer["miss_lu"]) > 1.0);
    let run = stems(&["solve", text(folder.path()), "--target", "netflix", "--stem", "Quiet"]);
    assert!(run.code == 1 && run.out.contains(reason), "{}", run.out);
    fails(&["solve", text(folder.path()), "--target", "qobuz"], &["qobuz", "publishes no target"]);
    fails(&["solve", text(folder.path()), "--target", "spotfy"], &["spotfy", "spotify-loud"]);
    fails(&["solve", text(folder.path()), "--target", "spotify", "--stem", "Voc"], &["Voc", "Loud, Quiet"]);
}

#[test]
fn a_move_on_a_silent_stem_changes_nothing() {
    let folder = temporary();
    song(folder.path(), 4.0, 1.0);
    write_plain(&folder.path().join("04_FX_Stem.wav"), &vec![vec![0.0; 192_000]; 2]);
    let answer = json(0, &["what-if", text(folder.path()), "--move", "FX=12"]);
    assert_eq!(answer["before"], answer["after"]);
    assert_eq!(number(&answer["stems"][3]["share"]), 0.0);
    shares_sum_to_one(&answer);
    let answer = json(1, &["solve", text(folder.path()), "--target", "spotify", "--stem", "FX"]);
    assert_eq!(answer["reached"], false);
}

#[test]
fn silence_and_stems_too_short_for_loudness_have_none() {
    let folder = temporary();
    for (name, audio) in [
        ("silent", vec![vec![0.0; 96_000]; 2]),
        ("short", sine(500.0, 48_000.0, 0.39, 2, 0.2)),
        ("one", vec![vec![0.5]; 2]),
    ] {
        let dir = folder.path().join(name);
        std::fs::create_dir(&dir).unwrap();
        for stem in ["A.wav", "B.wav"] {
            write_plain(&dir.join(stem), &audio);
        }
        let answer = json(0, &["what-if", text(&dir), "--move", "A=3"]);
        assert!(answer["after"]["integrated_lufs"].is_null() && answer["stems"][0]["share"].is_null());
        assert!(answer["targets"][0]["others_change_db"].is_null());
        assert_eq!(stems(&["what-if", text(&dir), "--move", "A=3"]).code, 0);
        fails(&["solve", text(&dir), "--target", "spotify"], &[name, "no loudness"]);
        let out = folder.path().join("out");
        fails(&["master", text(&dir), "--out", text(&out), "--target", "spotify"], &[name, "no loudness"]);
        assert!(!out.exists(), "what was made is taken back");
        // What cannot be heard is not verified.
        let heard = name != "silent";
        let master = json(i32::from(!heard), &["master", text(&dir), "--out", text(&out)]);
        assert_eq!(master["stopped_by"], "silence");
        assert_eq!(master["deliverables"][0]["verified"], heard, "{master}");
        std::fs::remove_dir_all(&out).unwrap();
    }
}
