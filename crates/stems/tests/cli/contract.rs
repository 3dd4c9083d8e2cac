//! Contract with programs: JSON to the key, CSV, exit codes, and what goes to which stream.

use std::process::Stdio;

use super::tool::*;

const READING: [&str; 7] = [
    "integrated_lufs",
    "loudness_range_lu",
    "momentary_max_lufs",
    "short_term_max_lufs",
    "true_peak_dbtp",
    "sample_peak_dbfs",
    "plr_lu",
];
const MAXIMA: [&str; 3] = ["momentary_max_at_s", "short_term_max_at_s", "true_peak_at_s"];
const WHAT_IF_TARGET: [&str; 5] =
    ["id", "playback_gain_before_db", "playback_gain_after_db", "others_change_db", "bound_by"];

#[test]
fn measure_answers_to_the_key() {
    let folder = temporary();
    song(folder.path(), 4.0, 1.0);
    let answer = json(0, &["measure", text(folder.path())]);
    assert_eq!(keys(&answer), ["schema", "files"]);
    assert_eq!(answer["schema"], "stemlink.measure/1");
    let files = answer["files"].as_array().unwrap();
    assert_eq!(files.len(), 3);
    for file in files {
        let own = ["path", "rate_hz", "channels", "frames", "reading", "maxima", "from_s", "dual_mono"];
        assert_eq!(keys(file), own);
        assert_eq!(keys(&file["maxima"]), MAXIMA);
        assert_eq!(keys(&file["reading"]), READING);
        assert!(file["reading"].as_object().unwrap().values().all(|v| v.is_number()), "{file}");
        assert_eq!((file["rate_hz"].as_f64(), file["channels"].as_u64()), (Some(48_000.0), Some(2)));
        assert_eq!(file["frames"], 192_000);
    }
    let verified = json(0, &["measure", "--verify", text(folder.path())]);
    assert_eq!(verified["files"][2]["second"]["agrees"], true);
}

#[test]
fn what_does_not_exist_is_null_and_a_dash() {
    let folder = temporary();
    let [silence, blip] = ["silence.wav", "blip.wav"].map(|name| folder.path().join(name));
    write_plain(&silence, &vec![vec![0.0; 96_000]; 2]);
    write_plain(&blip, &sine(1000.0, 48_000.0, 0.3, 1, 0.5));
    let nothing = reading(&silence);
    assert!(nothing.as_object().unwrap().values().all(|v| v.is_null()), "{nothing}");
    let short = reading(&blip);
    assert!(short["integrated_lufs"].is_null() && short["plr_lu"].is_null());
    assert!((number(&short["true_peak_dbtp"]) + 6.02).abs() < 0.2);
    let table = stems(&["measure", text(&silence)]).out;
    let row = table.lines().find(|line| line.contains("silence.wav")).unwrap();
    assert_eq!(row.split_whitespace().filter(|cell| *cell == "-").count(), 10, "{row}");
    let csv = stems(&["measure", "--csv", text(&silence)]).out;
    assert!(csv.lines().nth(1).unwrap().ends_with(",96000,,,,,,,,,,"), "{csv}");
}

#[test]
fn measure_prints_rows_for_spreadsheets() {
    let folder = temporary();
    let file = folder.path().join("a, \"b\".wav");
    write_plain(&file, &sine(1000.0, 48_000.0, 4.0, 2, 0.1));
    let run = stems(&["measure", "--csv", text(&file)]);
    let mut lines = run.out.lines();
    let file = ["path", "rate_hz", "channels", "frames"];
    let header = file.into_iter().chain(READING).chain(MAXIMA).collect::<Vec<_>>();
    assert_eq!(lines.next().unwrap(), header.join(","));
    let row = lines.next().unwrap();
    assert!(
        row.starts_with(&format!("\"{}/a, \"\"b\"\".wav\",48000.0,2,192000,-19.9", folder.path().display()))
    );
    assert!(lines.next().is_none() && run.err.is_empty());
}

#[test]
fn what_if_answers_to_the_key() {
    let folder = temporary();
    song(folder.path(), 4.0, 1.0);
    let dir = text(folder.path());
    let answer = json(0, &["what-if", dir, "--move", "Vocals=+3", "--move", "bass=-1.5 dB"]);
    let expected = [
        "schema",
        "exact",
        "uncertainty_lu",
        "coverage",
        "before",
        "after",
        "moves",
        "stems",
        "targets",
        "surprise",
        "faults",
    ];
    assert_eq!(keys(&answer), expected);
    assert_eq!(answer["faults"], serde_json::json!([]));
    assert_eq!(answer["schema"], "stemlink.what-if/1");
    assert_eq!(answer["exact"], true);
    assert!(answer["surprise"].is_null());
    assert_eq!((number(&answer["uncertainty_lu"]), number(&answer["coverage"])), (0.0, 1.0));
    assert_eq!((keys(&answer["before"]), keys(&answer["after"])), (READING.to_vec(), READING.to_vec()));
    assert_eq!(
        answer["moves"],
        serde_json::json!([{"stem": "Vocals", "gain_db": 3.0}, {"stem": "Bass", "gain_db": -1.5}])
    );
    for stem in answer["stems"].as_array().unwrap() {
        assert_eq!(keys(stem), ["stem", "share", "reading"]);
        assert_eq!(keys(&stem["reading"]), READING);
    }
    let table = json(0, &["targets"]);
    let ids = |of: &serde_json::Value| -> Vec<String> {
        of["targets"].as_array().unwrap().iter().map(|t| t["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&answer), ids(&table), "without --target, all of them");
    for target in answer["targets"].as_array().unwrap() {
        assert_eq!(keys(target), WHAT_IF_TARGET);
    }
    let two = json(0, &["what-if", dir, "--move", "Vocals=3", "--target", "youtube", "qobuz", "netflix"]);
    assert_eq!(ids(&two), ["youtube", "qobuz", "netflix"]);
    assert_eq!(two["targets"][0]["bound_by"], "no_turn_up");
    assert!(two["targets"][1]["others_change_db"].is_null(), "its rule is not published");
    assert!(two["targets"][2]["playback_gain_after_db"].is_null(), "a delivery target plays nothing");
}

#[test]
fn solve_answers_to_the_key() {
    let folder = temporary();
    song(folder.path(), 4.0, 1.0);
    let answer = json(0, &["solve", text(folder.path()), "--target", "spotify", "--stem", "Vocals"]);
    let expected = [
        "schema",
        "target",
        "target_lufs",
        "reached",
        "miss_lu",
        "reason",
        "exact",
        "uncertainty_lu",
        "coverage",
        "before",
        "after",
        "moves",
        "stems",
        "targets",
        "faults",
    ];
    assert_eq!(keys(&answer), expected);
    assert_eq!((&answer["schema"], &answer["reached"]), (&"stemlink.solve/1".into(), &true.into()));
    assert!(answer["reason"].is_null());
    assert_eq!(answer["moves"][0]["stem"], "Vocals");
    assert_eq!(keys(&answer["targets"][0]), WHAT_IF_TARGET);
}

#[test]
fn master_answers_to_the_key() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("My Song"), folder.path().join("out"));
    song(&dir, 4.0, 1.0);
    let answer = json(0, &["master", text(&dir), "--out", text(&out)]);
    let expected = [
        "schema",
        "deliverables",
        "null_dbfs",
        "null_pass_dbfs",
        "gain_db",
        "stopped_by",
        "limiting_db",
        "limiting_at_s",
        "ceiling_dbtp",
        "strict_peak_dbtp",
        "faults",
        "warnings",
    ];
    assert_eq!(keys(&answer), expected);
    assert_eq!(answer["schema"], "stemlink.master/1");
    assert!(answer["null_dbfs"].is_null() && answer["null_pass_dbfs"].is_null());
    let [master] = answer["deliverables"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    assert_eq!(keys(master), ["kind", "path", "reading", "verified"]);
    assert_eq!((&master["kind"], &master["verified"]), (&"master".into(), &true.into()));
    assert_eq!(keys(&master["reading"]), READING);
    assert_eq!(master["path"].as_str().unwrap(), text(&out.join("My Song_Master.wav")));
    assert_eq!(names(&out), ["My Song_Master.wav"]);
    // the meter of files sums in another order than the one that runs along
    let measured = reading(&out.join("My Song_Master.wav"));
    for key in READING {
        let figures = [&measured[key], &master["reading"][key]].map(|figure| figure.as_f64().unwrap());
        assert!((figures[0] - figures[1]).abs() < 1e-9, "{key}: {figures:?}");
    }
}

#[test]
fn targets_answer_to_the_key_with_source_date_and_status() {
    let answer = json(0, &["targets"]);
    assert_eq!(answer["schema"], "stemlink.targets/1");
    let rows = answer["targets"].as_array().unwrap();
    let ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    for id in ["spotify", "spotify-loud", "apple-music", "youtube", "netflix", "ebu-r128", "atmos-music"] {
        assert!(ids.contains(&id), "{id}");
    }
    for row in rows {
        assert!(
            ["source", "date", "status"].iter().all(|key| !row[*key].as_str().unwrap().is_empty()),
            "{row}"
        );
    }
    let csv = stems(&["targets", "--csv"]).out;
    assert_eq!(csv.lines().count(), rows.len() + 1);
    assert_eq!(csv.lines().next().unwrap(), keys(&rows[0]).join(","));
    assert_eq!(stems(&["targets"]).out.lines().count(), rows.len() + 3);
}

#[test]
fn your_own_targets_join_the_table() {
    let folder = temporary();
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, "[[targets]]\nid = \"club\"\ntarget_lufs = -8\nturns_up = \"no\"\n").unwrap();
    let answer = json(0, &["targets", "--targets-file", text(&file)]);
    assert_eq!(answer["targets"].as_array().unwrap().last().unwrap()["id"], "club");
    std::fs::write(&file, "[[targets]]\nid = \"club\"\nlufs = -8\n").unwrap();
    fails(&["targets", "--targets-file", text(&file)], &["mine.toml", "lufs"]);
    fails(&["targets", "--targets-file", "nowhere.toml"], &["nowhere.toml", "no such file"]);
}

#[test]
fn init_answers_to_the_key_and_its_file_changes_nothing() {
    let folder = temporary();
    song(folder.path(), 4.0, 1.0);
    let dir = text(folder.path());
    let before = json(0, &["what-if", dir, "--move", "Bass=1"]);
    let answer = json(0, &["init", dir]);
    assert_eq!(keys(&answer), ["schema", "path", "stems"]);
    assert_eq!(answer["schema"], "stemlink.init/1");
    let bass = serde_json::json!({"stem": "Bass", "file": "02_Bass_Stem.wav", "role": "bass"});
    assert_eq!(answer["stems"][1], bass);
    fails(&["init", dir], &["session.toml", "already exists", "--force"]);
    json(0, &["init", dir, "--force"]);
    assert_eq!(json(0, &["what-if", dir, "--move", "Bass=1"]), before);
    assert_eq!(names(folder.path()).len(), 4, "nothing else is left");
}

#[test]
fn demo_does_the_whole_job() {
    let folder = temporary();
    let out = folder.path().join("demo");
    let answer = json(0, &["demo", "--out", text(&out)]);
    assert_eq!(keys(&answer), ["schema", "measure", "check", "what_if", "master"]);
    assert_eq!(answer["schema"], "stemlink.demo/1");
    for (part, schema) in
        [("measure", "measure"), ("check", "check"), ("what_if", "what-if"), ("master", "master")]
    {
        assert_eq!(answer[part]["schema"], format!("stemlink.{schema}/1"));
    }
    assert_eq!(answer["master"]["deliverables"][0]["verified"], true);
    assert_eq!(names(&out), ["Demo Song", "Masters"]);
    fails(&["demo", "--out", text(&out)], &["01_Drums_Stem.wav", "already exists", "--force"]);

    // Random moves on real material: what is promised is what a render measures.
    let stems = out.join("Demo Song");
    let files: Vec<_> = names(&stems).iter().map(|name| stems.join(name)).collect();
    let gains = [-4.5, 3.0, 0.0, 1.5, -20.0];
    let moves: Vec<String> = ["Drums", "Bass", "Keys", "Vocals", "FX"]
        .iter()
        .zip(gains)
        .map(|(n, g)| format!("--move={n}={g}"))
        .collect();
    let mut args = vec!["what-if", text(&stems)];
    args.extend(moves.iter().map(String::as_str));
    let promised = json(0, &args);
    let render_path = folder.path().join("render.wav");
    render(&files, &gains, 48_000.0, &render_path);
    super::maths::same_reading(&promised["after"], &reading(&render_path), 0.01);
}

#[test]
fn every_command_has_help_on_standard_output() {
    for command in ["demo", "measure", "check", "init", "what-if", "solve", "master", "targets"] {
        let run = stems(&[command, "--help"]);
        assert!(run.code == 0 && run.err.is_empty());
        assert!(run.out.contains("Usage: stems") && run.out.contains("--json"), "{}", run.out);
    }
    let help = stems(&["--help"]).out;
    assert!(help.contains("Exit codes: 0") && help.contains("what-if"), "{help}");
    assert!(stems(&["--version"]).out.starts_with("stems "));
}

#[test]
fn a_wrong_command_line_is_one_line_and_says_what_is_right() {
    for (args, words) in [
        (&["frobnicate"][..], &["frobnicate", "stems --help"][..]),
        (&["measure"], &["PATH", "stems measure --help"]),
        (&["measure", "--jsn", "a.wav"], &["--jsn", "--json"]),
        (&["what-if", "a"], &["--move"]),
        (&["what-if", "a", "--move", "Vocals"], &["Vocals", "Vocals=+3"]),
        (&["what-if", "a", "--move", "Vocals=loud"], &["loud", "dB"]),
        (&["what-if", "a", "--move", "Vocals=99"], &["60 dB"]),
        (&["master", "a"], &["--out"]),
        (&["solve", "a", "--target", "spotify", "--csv"], &["--csv", "--json"]),
        (&["measure", "--json", "--csv", "a"], &["--json", "--csv"]),
    ] {
        fails(args, words);
    }
}

#[test]
fn data_goes_to_standard_output_and_remarks_to_standard_error() {
    let folder = temporary();
    song(folder.path(), 4.0, 1.0);
    write_plain(&folder.path().join("Mix.wav"), &sine(100.0, 48_000.0, 1.0, 2, 0.1));
    json(0, &["init", text(folder.path())]);
    let run = stems(&["what-if", text(folder.path()), "--move", "Bass=1", "--json"]);
    assert!(serde_json::from_str::<serde_json::Value>(&run.out).is_ok(), "{}", run.out);
    assert_eq!(run.err.lines().count(), 2, "{}", run.err);
    assert!(run.err.contains("Mix.wav") && run.err.contains("session.toml"), "{}", run.err);
}

#[test]
fn no_escape_codes_reach_a_pipe() {
    let folder = temporary();
    song(folder.path(), 4.0, 1.0);
    for colour in [None, Some("1")] {
        let mut run = command(&["what-if", text(folder.path()), "--move", "Bass=1"]);
        if let Some(colour) = colour {
            run.env("NO_COLOR", colour);
        }
        assert!(!judge(&run.output().unwrap()).out.contains('\u{1b}'));
    }
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    let folder = temporary();
    song(folder.path(), 4.0, 1.0);
    let dir = text(folder.path());
    for args in
        [&["targets"][..], &["targets", "--csv"], &["measure", dir, "--json"], &["measure", dir], &["--help"]]
    {
        let mut child = command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take()); // closed before anything is written
        let run = judge(&child.wait_with_output().unwrap());
        assert!(run.code == 0 && run.err.is_empty(), "{args:?}: {} {}", run.code, run.err);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_standard_output_is_one_line() {
    for args in [&["targets"][..], &["targets", "--csv"], &["targets", "--json"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let run = judge(&command(args).stdout(full).stderr(Stdio::piped()).output().unwrap());
        assert_eq!(run.code, 2);
        assert_eq!(run.err.lines().count(), 1);
        assert!(run.err.contains("standard output") && run.err.contains("full"), "{}", run.err);
    }
}
