//! Memory of a master run does not grow with the song.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::tool::*;

/// Eight stems of so many seconds, each with a chain; one file on the disk.
fn eight_stems(dir: &Path, seconds: f64) {
    std::fs::create_dir(dir).unwrap();
    let first = dir.join("0.wav");
    write_plain(&first, &part(1, 48_000.0, seconds, 2, 0.05));
    let mut session = String::from("schema = \"stemlink.session/1\"\n");
    for i in 0..8 {
        if i > 0 {
            std::fs::hard_link(&first, dir.join(format!("{i}.wav"))).unwrap();
        }
        session += &format!(
            "[[stems]]\nfile = \"{i}.wav\"\n[stems.chain]\ncomp_on = true\neq1_on = true\neq1_gain = {i}\n"
        );
    }
    std::fs::write(dir.join("session.toml"), session).unwrap();
}

/// The most memory that mastering `dir` ever had, MiB: its high-water mark, as often as it can be asked.
fn peak_of_a_master(dir: &Path) -> f64 {
    let out = dir.with_extension("out");
    let mut master = command(&["master", text(dir), "--out", text(&out)]);
    let mut child = master.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0f64;
    while child.try_wait().unwrap().is_none() {
        let now = std::fs::read_to_string(&status).unwrap_or_default();
        let line = now.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        peak = peak.max(kib.unwrap_or(0.0) / 1024.0);
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(names(&out).len(), 1);
    peak
}

#[test]
fn a_master_of_eight_stems_takes_no_more_than_64_mib_however_long_they_are() {
    let folder = temporary();
    let [short, long] = [5.0, 30.0].map(|seconds| {
        let dir = folder.path().join(format!("song{seconds}"));
        eight_stems(&dir, seconds);
        peak_of_a_master(&dir)
    });
    assert!(short > 2.0, "it was asked while it ran: {short} MiB");
    assert!(long <= 64.0, "{long} MiB");
    // what the hops of twenty-five seconds take, and what an allocator may leave lying
    assert!(long - short <= 4.0, "{short} to {long} MiB");
}
