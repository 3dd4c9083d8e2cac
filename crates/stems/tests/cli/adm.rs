//! The Atmos file: what MediaInfo and the EBU renderer say of it, and that it never takes what it should not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
#[cfg(unix)]
use std::process::{Child, Stdio};
#[cfg(unix)]
use std::time::Duration;

use audiofile::wav::StoredFormat;
use serde_json::Value;

use super::tool::*;

/// Verdicts of MediaInfo and the EBU renderer; none where they are not installed.
fn judged(file: &Path, folder: &Path) -> Option<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = || {
        let mut command = Command::new("python3");
        command.env("PYTHONPATH", root.join("../../target/oracles/adm"));
        command
    };
    if !testkit::is_present(&mut python(), &["-W", "ignore", "-c", "import ear, pymediainfo"]) {
        return None; // .ci/run installs them
    }
    let script = root.join("tests/oracle/adm.py");
    let output = python().arg(script).arg(file).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Five roles, one of them mono, all of odd names.
fn five(dir: &Path, rate: f64, gain: f64) {
    fs::create_dir_all(dir).unwrap();
    for (i, name) in ["Drums", "Bass <&> \"x\"", "Kéys", "Vocals", "FX"].iter().enumerate() {
        let channels = if *name == "Vocals" { 1 } else { 2 };
        let audio = part(20 + i as u64, rate, 5.0, channels, 0.2 * gain);
        write(&dir.join(format!("0{}_{name}.wav", i + 1)), rate, StoredFormat::Int24, &audio);
    }
}

#[track_caller]
fn near(what: &str, ours: &Value, theirs: &Value, tolerance: f64) {
    assert!((number(ours) - number(theirs)).abs() <= tolerance, "{what}: {ours} against {theirs}");
}

#[test]
fn others_take_it_for_what_it_is_and_hear_what_we_say() {
    for &(rate, gain) in testkit::cases(&[(48_000.0, 1.0), (44_100.0, 0.1), (96_000.0, 2.0)], 1) {
        let folder = temporary();
        let (dir, out) = (folder.path().join("song"), folder.path().join("song.wav"));
        five(&dir, rate, gain);
        let answer = json(0, &["adm", text(&dir), "--out", text(&out)]);
        assert_eq!((&answer["bed_channels"], &answer["objects"]), (&10.into(), &5.into()));
        assert_eq!(answer["verified"], true);
        assert!(number(&answer["reading"]["integrated_lufs"]) <= -18.0);
        assert!(number(&answer["strict_peak_dbtp"]) <= -1.0);
        let bytes = fs::read(&out).unwrap();
        let says = |words: &str| bytes.windows(words.len()).any(|w| w.eq_ignore_ascii_case(words.as_bytes()));
        assert!(!says("created using dolby") && !says("certified") && says("Created with Stemlink"));
        let page: Value = serde_json::from_slice(&fs::read(beside(&out)).unwrap()).unwrap();
        assert_eq!(page, answer, "the page is what was said");
        let Some(others) = judged(&out, folder.path()) else { continue };
        assert_eq!(others["profile"], "Dolby Atmos Master, Version 1");
        assert_eq!(others["faults"], serde_json::json!([]));
        assert!(others["tool"].as_str().unwrap().starts_with("Stemlink"), "{}", others["tool"]);
        let render = |layout: &str| reading(Path::new(others["renders"][layout].as_str().unwrap()));
        let five_one = render("0+5+0");
        near("loudness", &answer["reading"]["integrated_lufs"], &five_one["integrated_lufs"], 0.02);
        near("true peak", &answer["reading"]["true_peak_dbtp"], &five_one["true_peak_dbtp"], 0.02);
        near("range", &answer["reading"]["loudness_range_lu"], &five_one["loudness_range_lu"], 0.1);
        for layout in ["0+2+0", "4+7+0"] {
            near(layout, &answer["reading"]["integrated_lufs"], &render(layout)["integrated_lufs"], 2.0);
        }
    }
}

#[test]
fn a_broken_file_would_be_found_by_the_judges() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("song.wav"));
    five(&dir, 48_000.0, 1.0);
    json(0, &["adm", text(&dir), "--out", text(&out)]);
    let mut bytes = fs::read(&out).unwrap();
    let reference = b"<audioPackFormatIDRef>AP_00031001</audioPackFormatIDRef>";
    let at = bytes.windows(reference.len()).position(|w| w == reference).unwrap();
    bytes[at..at + reference.len()].fill(b' ');
    let broken = folder.path().join("broken.wav");
    fs::write(&broken, bytes).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if judged(&out, folder.path()).is_none() {
        return;
    }
    let output = Command::new("python3")
        .env("PYTHONPATH", root.join("../../target/oracles/adm"))
        .arg(root.join("tests/oracle/adm.py"))
        .args([text(&broken), text(folder.path()), "profile"])
        .output()
        .unwrap();
    let others: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(others["faults"], serde_json::json!(["errors: 1"]));
}

#[test]
fn the_session_places_stems() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("song.wav"));
    song(&dir, 3.0, 1.0);
    stems(&["init", text(&dir)]);
    let session = dir.join("session.toml");
    let text_of = fs::read_to_string(&session).unwrap();
    let placed = text_of
        .replace("# aim = -18.5", "aim = -20")
        .replacen(
            "[stems.adm]\n",
            "[stems.adm]\nplace = \"object\"\nleft = [-0.5, -1, 0.25]\nlfe = \"off\"\n",
            1,
        )
        .replace("03_Vocals_Stem.wav\"\n", "03_Vocals_Stem.wav\"\nmute = true\n");
    fs::write(&session, placed).unwrap();
    let answer = json(0, &["adm", text(&dir), "--out", text(&out)]);
    let of = answer["stems"].as_array().unwrap();
    assert_eq!(of.len(), 2, "the muted one has no tracks");
    assert_eq!(of[0]["place"], "object");
    assert_eq!(of[0]["positions"], serde_json::json!([[-0.5, -1.0, 0.25], [1.0, 1.0, 0.0]]));
    assert_eq!((&of[0]["lfe_db"], &of[0]["tracks"]), (&Value::Null, &serde_json::json!([11, 12])));
    assert_eq!(of[1]["lfe_db"], -20.0);
    assert!((number(&answer["reading"]["integrated_lufs"]) + 20.0).abs() < 0.05);
    fs::write(&session, text_of.replacen("[stems.adm]\n", "[stems.adm]\nplace = \"roof\"\n", 1)).unwrap();
    fails(&["adm", text(&dir), "--out", text(&out), "--force"], &["01_Drums_Stem.wav", "roof", "tops"]);
}

fn beside(file: &Path) -> PathBuf {
    PathBuf::from(format!("{}.json", text(file)))
}

#[test]
fn nothing_is_overwritten_without_force_and_no_stem_ever() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("song.wav"));
    song(&dir, 1.0, 1.0);
    for taken in [out.clone(), beside(&out)] {
        fs::write(&taken, "mine").unwrap();
        let name = taken.file_name().unwrap().to_string_lossy().into_owned();
        fails(&["adm", text(&dir), "--out", text(&out)], &[&name, "already exists", "--force"]);
        assert_eq!(fs::read(&taken).unwrap(), b"mine");
        fs::remove_file(&taken).unwrap();
    }
    let stem = dir.join("01_Drums_Stem.wav");
    let before = fs::read(&stem).unwrap();
    fails(&["adm", text(&dir), "--out", text(&stem), "--force"], &["is the stem Drums"]);
    assert_eq!(fs::read(&stem).unwrap(), before);
    assert_eq!(names(&dir).len(), 3);

    fs::write(&out, "old").unwrap();
    fs::write(beside(&out), "old").unwrap();
    json(0, &["adm", text(&dir), "--out", text(&out), "--force"]);
    let page: Value = serde_json::from_slice(&fs::read(beside(&out)).unwrap()).unwrap();
    assert_eq!(number(&page["bytes"]) as u64, fs::metadata(&out).unwrap().len());
    let sum = Command::new("sha256sum").arg(&out).output().unwrap();
    assert!(String::from_utf8_lossy(&sum.stdout).starts_with(page["sha256"].as_str().unwrap()));
    assert_eq!(names(folder.path()), ["song", "song.wav", "song.wav.json"]);
    fails(
        &["adm", text(&dir), "--out", text(&folder.path().join("no/x.wav"))],
        &["no/x.wav", "check the path"],
    );
    write_plain(&dir.join("04_FX.wav"), &part(3, 48_000.0, 0.5, 2, 0.1));
    fails(&["adm", text(&dir), "--out", text(&out), "--force"], &["--pad"]);
    json(0, &["adm", text(&dir), "--out", text(&out), "--force", "--pad"]);
}

#[test]
#[cfg(unix)]
fn stopped_or_killed_it_leaves_the_old_file_with_its_page() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("song.wav"));
    fs::create_dir(&dir).unwrap();
    let first = dir.join("00_Drums.wav");
    write_plain(&first, &part(1, 48_000.0, 30.0, 2, 0.02));
    for i in 1..60 {
        fs::hard_link(&first, dir.join(format!("{i:02}_Drums.wav"))).unwrap();
    }
    fs::write(&out, "old").unwrap();
    fs::write(beside(&out), "its page").unwrap();
    let start = || -> Child {
        let mut child = command(&["adm", text(&dir), "--out", text(&out), "--force"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(400));
        assert!(child.try_wait().unwrap().is_none(), "it was done before it could be stopped");
        child
    };
    for signal in ["-INT", "-KILL"] {
        let child = start();
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        if signal == "-INT" {
            let run = judge(&output);
            assert!(run.code == 2 && run.err.contains("interrupted"), "{}", run.err);
        }
        assert_eq!(fs::read(&out).unwrap(), b"old");
        assert_eq!(fs::read(beside(&out)).unwrap(), b"its page");
        let visible: Vec<String> = names(folder.path()).into_iter().filter(|n| !n.starts_with('.')).collect();
        assert_eq!(visible, ["song", "song.wav", "song.wav.json"]);
    }
}
