//! Many deliveries: each in its folder, one line each, resumable after the worst.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::tool::*;

/// Folders of short songs, and a list of them.
fn catalogue(folder: &Path, count: usize, seconds: f64) -> std::path::PathBuf {
    let mut list = String::from("# a catalogue\n");
    for n in 0..count {
        song(&folder.join(format!("songs/Song {n}")), seconds, 0.5 + 0.1 * n as f64);
        list += &format!("songs/Song {n}\n");
    }
    fs::write(folder.join("list"), list).unwrap();
    folder.join("list")
}

/// Runs a batch that should end with `code`: its lines by name of the bundle.
#[track_caller]
fn lines(code: i32, args: &[&str]) -> Vec<Value> {
    let run = stems(args);
    assert_eq!(run.code, code, "{}{}", run.out, run.err);
    let mut lines: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.sort_by_key(|line| line["bundle"].as_str().unwrap().to_owned());
    lines
}

fn statuses(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["status"].as_str().unwrap()).collect()
}

#[test]
fn a_catalogue_is_delivered_once_and_again_only_where_something_changed() {
    let folder = temporary();
    let list = catalogue(folder.path(), 3, 0.6);
    let out = folder.path().join("out");
    let args = ["batch", text(&list), "--out", text(&out), "--make", "stems,instrumental", "--jobs", "2"];
    let first = lines(0, &args);
    assert_eq!(statuses(&first), ["done"; 3]);
    assert_eq!(names(&out), ["Song 0", "Song 1", "Song 2"]);
    assert!(first.iter().all(|line| number(&line["null_dbfs"]) <= number(&line["null_pass_dbfs"])));
    assert!(first.iter().all(|line| line["files"] == 5 && line["reading"]["integrated_lufs"].is_number()));
    let single = folder.path().join("single");
    let song = folder.path().join("songs/Song 1");
    stems(&["deliver", text(&song), "--out", text(&single), "--make", "stems,instrumental"]);
    let manifest = |folder: &Path| fs::read(folder.join("manifest.json")).unwrap();
    assert_eq!(manifest(&single), manifest(&out.join("Song 1")), "each is what stems deliver makes");

    let before = fs::metadata(out.join("Song 0/manifest.json")).unwrap().modified().unwrap();
    assert_eq!(statuses(&lines(0, &args)), ["finished_before"; 3]);
    assert_eq!(fs::metadata(out.join("Song 0/manifest.json")).unwrap().modified().unwrap(), before);

    // Another stem, a file that is gone, a manifest that is gone.
    write_plain(&folder.path().join("songs/Song 0/02_Bass_Stem.wav"), &part(50, 48_000.0, 0.6, 2, 0.1));
    fs::remove_file(out.join("Song 1/Stems/01_Drums_Stem.wav")).unwrap();
    assert_eq!(statuses(&lines(0, &args)), ["done", "done", "finished_before"]);
    assert_eq!(manifest(&single), manifest(&out.join("Song 1")));

    // Something else is wanted: of all, then of one.
    let wanted = [&args[..], &["--float", "--artist", "Somebody"]].concat();
    assert_eq!(statuses(&lines(0, &wanted)), ["done"; 3]);
    assert_eq!(statuses(&lines(0, &wanted)), ["finished_before"; 3]);
    let text_of_list = fs::read_to_string(&list).unwrap();
    let louder =
        text_of_list.replace("songs/Song 2", "{\"dir\": \"songs/Song 2\", \"target\": \"spotify-loud\"}");
    fs::write(&list, louder).unwrap();
    assert_eq!(statuses(&lines(0, &wanted)), ["finished_before", "finished_before", "done"]);
    // And another session.
    let session = folder.path().join("songs/Song 0/session.toml");
    fs::write(&session, "schema = \"stemlink.session/1\"\n").unwrap();
    assert_eq!(statuses(&lines(0, &wanted)), ["done", "finished_before", "finished_before"]);
}

#[test]
fn one_that_fails_does_not_stop_the_others() {
    let folder = temporary();
    let list = catalogue(folder.path(), 2, 0.6);
    fs::write(folder.path().join("songs/Song 0/02_Bass_Stem.wav"), "no audio").unwrap();
    let more =
        "songs/missing\n{\"dir\": \"songs/Song 1\", \"name\": \"../Loud\", \"target\": \"spotify-loud\"}\n";
    fs::write(&list, fs::read_to_string(&list).unwrap() + more).unwrap();
    let out = folder.path().join("out");
    fs::create_dir_all(out.join("Song 1")).unwrap();
    fs::write(out.join("Song 1/Song 1_Master.wav"), "my only copy").unwrap();
    let made = lines(2, &["batch", text(&list), "--out", text(&out), "--make", "stems"]);
    assert_eq!(statuses(&made), ["failed", "failed", "done", "failed"]);
    let errors: Vec<String> = made.iter().map(|line| line["error"].to_string()).collect();
    assert!(errors[0].contains("02_Bass_Stem.wav") && errors[3].contains("missing"), "{errors:?}");
    assert!(errors[1].contains("already exists") && errors[1].contains("--force"), "{errors:?}");
    assert_eq!(fs::read(out.join("Song 1/Song 1_Master.wav")).unwrap(), b"my only copy");
    assert_eq!(names(&out), ["Song 1", "_Loud"]);
    assert_eq!(names(&out.join("Song 1")), ["Song 1_Master.wav"]);
    assert!((number(&made[2]["reading"]["integrated_lufs"]) + 11.0).abs() < 0.1);
}

#[test]
fn a_killed_batch_goes_on_where_it_was() {
    let folder = temporary();
    let list = catalogue(folder.path(), 5, 3.0);
    let out = folder.path().join("out");
    let args = ["batch", text(&list), "--out", text(&out), "--make", "stems,instrumental", "--jobs", "2"];
    for _ in 0..4 {
        let mut child = command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(400));
        let _ = Command::new("kill").args(["-KILL", &child.id().to_string()]).status();
        child.wait().unwrap();
        for song in names(&out) {
            if let Ok(bytes) = fs::read(out.join(&song).join("manifest.json")) {
                let manifest: Value = serde_json::from_slice(&bytes).unwrap();
                for file in manifest["deliverables"].as_array().unwrap() {
                    let path = out.join(&song).join(file["path"].as_str().unwrap());
                    assert_eq!(file["bytes"], fs::metadata(&path).unwrap().len(), "{path:?}");
                }
            }
        }
    }
    let made = lines(0, &args);
    assert_eq!(made.len(), 5);
    assert!(
        made.iter().all(|line| matches!(line["status"].as_str(), Some("done" | "finished_before"))),
        "{made:?}"
    );
    // killed after its last file, before it had said so
    fs::write(out.join("Song 0").join(".stems-batch"), "").unwrap();
    assert_eq!(statuses(&lines(0, &args)), ["finished_before"; 5]);
    for song in names(&out) {
        let left: Vec<String> =
            names(&out.join(&song)).into_iter().filter(|name| name == ".stems-batch").collect();
        assert!(left.is_empty(), "{song}: {left:?}");
    }
}
