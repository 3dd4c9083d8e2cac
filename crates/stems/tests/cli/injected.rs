//! The system fails in the middle: every kind of call that writes, syncs or names a file, at many of its occurrences.
//! `strace` makes the calls fail.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;

use render::hash::sha256;
use render::progress::Silent;
use serde_json::Value;

use super::tool::*;

/// The calls, and what they fail with.
const CALLS: [(&str, &str); 6] = [
    ("write", "ENOSPC"),
    ("fsync", "EIO"),
    ("rename", "EIO"),
    ("renameat2", "EIO"),
    ("linkat", "EIO"),
    ("mkdir", "EACCES"),
];

/// `stems` under strace, with `more` about what fails.
fn traced(args: &[&str], log: &Path, more: &[&str]) -> Run {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", text(log)]).args(more).arg(env!("CARGO_BIN_EXE_stems")).args(args);
    judge(&command.env("XDG_CONFIG_HOME", env!("CARGO_TARGET_TMPDIR")).output().unwrap())
}

/// Lets `stems ARGS --force` fail at up to `most` occurrences of every call, each time over what an earlier run left in `out`
/// of another song: before every run a stem of `dir` changes. `is_true` judges the folder after each: whatever speaks for files
/// there, speaks the truth.
fn fails_anywhere(args: &[&str], [dir, out]: [&Path; 2], most: usize, is_true: impl Fn(&Path)) {
    if !present("strace", &["-qq", "-o", "/dev/null", "true"]) {
        return;
    }
    let log = out.with_extension("log");
    let args = [args, &["--force", "--quiet"]].concat();
    let seed = std::cell::Cell::new(100);
    let traced = |more: &[&str]| {
        seed.set(seed.get() + 1);
        write_plain(&dir.join("02_Bass_Stem.wav"), &part(seed.get(), 48_000.0, 0.6, 2, 0.2));
        traced(&args, &log, more)
    };
    assert!(traced(&["-e", "trace=none"]).code <= 1);
    is_true(out);
    let mut failed = 0;
    for (call, error) in CALLS {
        traced(&["-e", &format!("trace={call}")]);
        let seen = fs::read_to_string(&log).unwrap();
        // Results are written to standard output: that fails too, but after all is done.
        let count = seen.lines().filter(|line| line.contains(&format!(" {call}("))).count();
        for n in 0..count.min(most) {
            let when = 1 + if count <= most { n } else { n * (count - 1) / (most - 1) };
            let inject = format!("inject={call}:error={error}:when={when}");
            let run = traced(&["-e", &format!("trace={call}"), "-e", &inject]);
            failed += usize::from(run.code == 2);
            assert!(run.code == 2 || !run.err.contains("writing failed"), "{inject}: {}", run.err);
            if run.code == 2 {
                let last = run.err.lines().last().unwrap_or_default();
                assert!(last.contains(": ") && last.contains("; "), "{inject}: no cure in {}", run.err);
            }
            is_true(out);
            let left: Vec<String> =
                every_name(out).into_iter().filter(|name| name.starts_with('.')).collect();
            assert!(left.is_empty(), "{inject}: {left:?} are left");
        }
    }
    assert!(failed >= 6, "only {failed} runs failed");
    assert!(traced(&["-e", "trace=none"]).code <= 1, "and then it works again");
    is_true(out);
}

/// The names of all files below a folder.
fn every_name(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for name in names(folder) {
        if folder.join(&name).is_dir() {
            all.extend(every_name(&folder.join(&name)));
        }
        all.push(name);
    }
    all
}

fn page(path: &Path) -> Option<Value> {
    fs::read(path).ok().map(|bytes| serde_json::from_slice(&bytes).expect("a page is whole"))
}

/// Every file of the list is there, with its hash.
fn is_there(folder: &Path, file: &Value, path: &str) {
    let path = folder.join(file[path].as_str().unwrap());
    assert_eq!(file["sha256"], sha256(&path, &mut Silent).unwrap(), "{path:?}");
}

#[test]
fn a_delivery_that_fails_has_no_manifest_that_claims_otherwise() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    song(&dir, 0.6, 1.0);
    let args = ["deliver", text(&dir), "--out", text(&out), "--make", "stems,instrumental", "--cd"];
    fails_anywhere(&args, [&dir, &out], 6, |out| {
        if let Some(manifest) = page(&out.join("manifest.json")) {
            manifest["deliverables"].as_array().unwrap().iter().for_each(|file| is_there(out, file, "path"));
        }
    });
}

#[test]
fn an_atmos_file_that_fails_has_no_page_that_claims_otherwise() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    song(&dir, 0.6, 1.0);
    fs::create_dir(&out).unwrap();
    let file = out.join("song.wav");
    let args = ["adm", text(&dir), "--out", text(&file)];
    fails_anywhere(&args, [&dir, &out], 4, |out| {
        if let Some(page) = page(&out.join("song.wav.json")) {
            is_there(out, &page, "file");
        }
    });
}

#[test]
fn organized_stems_that_fail_have_no_page_that_claims_otherwise() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("came"), folder.path().join("out"));
    song(&dir, 0.6, 1.0);
    let args = ["organize", text(&dir), "--out", text(&out)];
    fails_anywhere(&args, [&dir, &out], 4, |out| {
        if let Some(page) = page(&out.join("organized.json")) {
            let written = |name: &str| fs::metadata(out.join(name)).unwrap().modified().unwrap();
            for file in page["files"].as_array().unwrap() {
                let file = file["file"].as_str().unwrap();
                assert!(
                    written(file) <= written("organized.json"),
                    "{file} is not the one that the page is of"
                );
            }
        }
    });
}

#[test]
fn a_report_that_fails_has_no_page_without_what_lies_beside_it() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    song(&dir, 0.6, 1.0);
    fs::create_dir(&out).unwrap();
    let html = out.join("song.html");
    let args = ["report", text(&dir), "--out", text(&html)];
    fails_anywhere(&args, [&dir, &out], 4, |out| {
        if out.join("song.html").exists() {
            let report = page(&out.join("song.json")).expect("lies beside it");
            assert!(fs::read_to_string(out.join("song.csv")).unwrap().contains("Drums"));
            let html = fs::read_to_string(out.join("song.html")).unwrap();
            assert!(
                html.contains("</html>") && html.contains(report["files"][0]["sha256"].as_str().unwrap())
            );
        }
    });
}

/// Calls that commands make which write nothing of their own, and what they fail with. What is written goes to other programs,
/// to files that have no name for long, or is the answer itself.
const READING: [(&str, &str); 4] =
    [("read", "EIO"), ("pread64", "EIO"), ("write", "ENOSPC"), ("mkdir", "EACCES")];

/// Lets `stems ARGS --json` fail at up to `most` occurrences of every call: it gives its answer, or a line with fault and cure and
/// no answer, and leaves nothing in the folder for temporary files.
fn answers_truly_or_not_at_all(args: &[&str], folder: &Path, most: usize) {
    if !present("strace", &["-qq", "-o", "/dev/null", "true"]) {
        return;
    }
    let (log, temporary) = (folder.join("log"), folder.join("temporary"));
    fs::create_dir(&temporary).unwrap();
    let args = [args, &["--json"]].concat();
    let traced = |more: &[&str]| {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", text(&log)]).args(more).arg(env!("CARGO_BIN_EXE_stems")).args(&args);
        command.env("XDG_CONFIG_HOME", env!("CARGO_TARGET_TMPDIR")).env("TMPDIR", &temporary);
        command.output().unwrap()
    };
    let usual = judge(&traced(&["-e", "trace=none"]));
    assert!(usual.code <= 1, "{}", usual.err);
    let mut failed = 0;
    for (call, error) in READING {
        traced(&["-e", &format!("trace={call}")]);
        let seen = fs::read_to_string(&log).unwrap();
        let own = seen.split_whitespace().next().unwrap_or_default().to_owned();
        // every process counts its own
        let count =
            seen.lines().filter(|line| line.starts_with(&own) && line.contains(&format!(" {call}("))).count();
        for n in 0..count.min(most) {
            let when = 1 + if count <= most { n } else { n * (count - 1) / (most - 1) };
            let inject = format!("inject={call}:error={error}:when={when}");
            let output = traced(&["-e", &format!("trace={call}"), "-e", &inject]);
            assert!(names(&temporary).is_empty(), "{inject}: {:?} are left", names(&temporary));
            // before it has begun the loader may end it, in words of its own
            if output.status.code() == Some(127) {
                continue;
            }
            let run = judge(&output);
            failed += usize::from(run.code == 2);
            if run.code == 2 {
                // what cannot be written at all is not said either
                let last = run.err.lines().last().unwrap_or_default();
                let unsaid = call == "write" && last.is_empty();
                assert!(
                    unsaid || last.contains(": ") && last.contains("; "),
                    "{inject}: no cure in {}",
                    run.err
                );
            } else {
                assert!(run.out == usual.out && run.code == usual.code, "{inject}: {}{}", run.out, run.err);
            }
        }
    }
    assert!(failed >= 4, "only {failed} runs failed");
}

#[test]
fn a_codec_preview_that_fails_says_so_and_leaves_nothing() {
    if !present("ffmpeg", &["-version"]) {
        return;
    }
    let folder = temporary();
    let file = folder.path().join("song.wav");
    write_plain(&file, &part(1, 48_000.0, 0.6, 2, 0.3));
    answers_truly_or_not_at_all(&["codec", text(&file)], folder.path(), 4);
}

#[test]
fn an_album_that_cannot_be_read_has_no_figures() {
    let folder = temporary();
    let (file, dir) = (folder.path().join("one.wav"), folder.path().join("two"));
    write_plain(&file, &part(1, 48_000.0, 0.6, 2, 0.3));
    song(&dir, 0.6, 1.0);
    answers_truly_or_not_at_all(&["album", text(&file), text(&dir)], folder.path(), 6);
}
