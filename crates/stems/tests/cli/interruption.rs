//! Ctrl-C and worse in the middle of long work.
#![cfg(unix)]

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::tool::*;

/// A bundle that takes seconds to master and little disk: many stems, one file.
fn long_song(dir: &Path) {
    std::fs::create_dir(dir).unwrap();
    let first = dir.join("00.wav");
    write_plain(&first, &part(1, 48_000.0, 30.0, 2, 0.02));
    let mut session = String::from("schema = \"stemlink.session/1\"\n");
    for i in 0..60 {
        if i > 0 {
            std::fs::hard_link(&first, dir.join(format!("{i:02}.wav"))).unwrap();
        }
        session += &format!(
            "[[stems]]\nfile = \"{i:02}.wav\"\n[stems.chain]\ncomp_on = true\neq1_on = true\neq1_gain = 1\n"
        );
    }
    std::fs::write(dir.join("session.toml"), session).unwrap();
}

/// Starts a long master, and gives it time to be in the middle of it.
fn in_the_middle(dir: &Path, out: &Path, more: &[&str]) -> Child {
    let mut args = vec!["master", text(dir), "--out", text(out)];
    args.extend(more);
    let mut child = command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(250));
    assert!(child.try_wait().unwrap().is_none(), "it was done before it could be stopped");
    child
}

fn signal(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
}

#[test]
fn interrupted_and_killed_masters_leave_nothing_that_looks_finished() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    long_song(&dir);
    for stop in ["-INT", "-TERM"] {
        let child = in_the_middle(&dir, &out, &[]);
        signal(&child, stop);
        let run = judge(&child.wait_with_output().unwrap());
        assert_eq!(run.code, 2, "{}", run.err);
        let last = run.err.lines().last().unwrap();
        assert!(last.contains("interrupted, nothing was written") && last.contains("run it again"), "{last}");
        assert!(run.out.is_empty() && !out.exists(), "{:?}", names(&out));
    }

    std::fs::create_dir(&out).unwrap();
    let file = out.join("song_Master.wav");
    std::fs::write(&file, "my only copy").unwrap();
    let child = in_the_middle(&dir, &out, &["--force"]);
    signal(&child, "-INT");
    assert_eq!(judge(&child.wait_with_output().unwrap()).code, 2);
    assert_eq!(std::fs::read(&file).unwrap(), b"my only copy");
    assert_eq!(names(&out), ["song_Master.wav"]);

    let mut child = in_the_middle(&dir, &out, &["--force"]);
    signal(&child, "-KILL");
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert_eq!(std::fs::read(&file).unwrap(), b"my only copy");
    assert!(
        names(&out).iter().all(|name| name == "song_Master.wav" || name.starts_with('.')),
        "{:?}",
        names(&out)
    );
}

#[test]
fn an_interrupted_measurement_says_so() {
    let folder = temporary();
    let dir = folder.path().join("song");
    long_song(&dir);
    let mut child = command(&["what-if", text(&dir), "--move", "00=1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(250));
    assert!(child.try_wait().unwrap().is_none(), "it was done before it could be stopped");
    signal(&child, "-INT");
    let run = judge(&child.wait_with_output().unwrap());
    assert!(run.code == 2 && run.out.is_empty(), "{} {}", run.code, run.err);
    assert!(run.err.lines().last().unwrap().contains("interrupted"), "{}", run.err);
}
