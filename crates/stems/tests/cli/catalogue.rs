//! A catalogue in the hands of an engine for workflows: `examples/catalogue/Snakefile` with two local workers.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::tool::*;

/// Songs of the catalogue.
const SONGS: usize = 4;

/// Snakemake in `folder`, of the packages that `.ci/run` keeps apart.
fn snakemake(folder: &Path) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new("python3");
    command.args(["-m", "snakemake", "--cores", "2", "--nocolor", "--snakefile"]);
    command.arg(root.join("examples/catalogue/Snakefile")).current_dir(folder);
    command.arg("--config").arg(format!("stems={}", env!("CARGO_BIN_EXE_stems")));
    command.env("PYTHONPATH", root.join("target/oracles/snakemake")).env("HOME", folder);
    command.stdin(Stdio::null());
    command
}

/// Times of the manifests that are there, by song.
fn manifests(folder: &Path) -> BTreeMap<String, SystemTime> {
    let of = |song: String| {
        let time = fs::metadata(manifest(folder, &song)).ok()?.modified().ok()?;
        Some((song, time))
    };
    names(&folder.join("deliveries")).into_iter().filter_map(of).collect()
}

fn manifest(folder: &Path, song: &str) -> PathBuf {
    folder.join("deliveries").join(song).join("manifest.json")
}

/// Asserts that the files which a manifest lists are there as it says.
fn is_whole(folder: &Path, song: &str) {
    let path = manifest(folder, song);
    let listed: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let files = listed["deliverables"].as_array().unwrap();
    assert!(files.len() >= 4, "{song}: {listed}");
    for file in files {
        let name = file["path"].as_str().unwrap();
        let length = fs::metadata(path.with_file_name(name)).unwrap().len();
        assert_eq!(file["bytes"].as_u64(), Some(length), "{song}: {name}");
    }
}

#[test]
fn a_killed_workflow_goes_on_where_it_was_and_makes_nothing_twice() {
    let folder = temporary();
    let mut probe = snakemake(folder.path());
    let there = probe.arg("--version").output().is_ok_and(|out| out.status.success());
    let required = std::env::var("STEMLINK_REQUIRE_ORACLES").as_deref() == Ok("1");
    assert!(there || !required, "snakemake is missing, and STEMLINK_REQUIRE_ORACLES=1");
    if !there {
        eprintln!("skipped: snakemake is not installed; .ci/run does that");
        return;
    }
    for n in 0..SONGS {
        song(&folder.path().join(format!("songs/Song {n}")), 4.0, 0.5 + 0.1 * n as f64);
    }
    // killed with everything that it started, as soon as something is finished
    let mut child = snakemake(folder.path())
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while manifests(folder.path()).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(180), "nothing is ever finished");
        assert!(child.try_wait().unwrap().is_none(), "it ended before anything was finished");
        std::thread::sleep(Duration::from_millis(20));
    }
    let killed = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status().unwrap();
    assert!(killed.success());
    child.wait().unwrap();
    let finished = manifests(folder.path());
    assert!((1..SONGS).contains(&finished.len()), "{finished:?}");
    finished.keys().for_each(|song| is_whole(folder.path(), song));

    // a killed engine leaves its lock
    assert!(snakemake(folder.path()).arg("--unlock").output().unwrap().status.success());
    let resumed = snakemake(folder.path()).arg("--rerun-incomplete").output().unwrap();
    let said = String::from_utf8_lossy(&resumed.stderr).into_owned();
    assert!(resumed.status.success(), "{said}");
    let all = manifests(folder.path());
    assert_eq!(all.len(), SONGS, "{said}");
    all.keys().for_each(|song| is_whole(folder.path(), song));
    // what the engine knew to be finished was not made again; the one that finished while it died may have been
    let again = finished.iter().filter(|(song, time)| all[*song] != **time).count();
    assert!(again <= 1, "{finished:?} {all:?}");

    let idle = snakemake(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&idle.stderr).into_owned();
    assert!(idle.status.success() && said.contains("Nothing to be done"), "{said}");
    assert_eq!(manifests(folder.path()), all);
    let changed = folder.path().join("songs/Song 2/02_Bass_Stem.wav");
    write_plain(&changed, &part(50, 48_000.0, 4.0, 2, 0.1));
    assert!(snakemake(folder.path()).output().unwrap().status.success());
    let after = manifests(folder.path());
    let remade: Vec<&String> = all.keys().filter(|song| all[*song] != after[*song]).collect();
    assert_eq!(remade, ["Song 2"]);
}
