//! `stems live` among instances of other processes.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use link::ipc::{Bridge, InstanceSource, Intervals, Membership};
use link::records::{BlockStatus, InstanceInfo, InstanceKind, PluginFormat, StemReadings};
use link::remote_trim::RemoteTrim;
use link::request::PeerRequest;
use link::summary::{Forecast, MasterPlacement, SessionSummary, StemFinding};
use link::text::Text;
use link::{InstanceId, Roster, SessionId};
use meter::Reading;
use serde_json::Value;
use session::role::Role;
use session::session_report::StemState;
use units::{Db, Dbtp, Hz, Lu, Lufs};

use super::tool::*;

/// An instance without a plugin around it.
struct Puppet {
    label: InstanceInfo,
    figures: StemReadings,
    summary: Mutex<SessionSummary>,
    /// Answer to every question; `None`: no answer.
    answer: Option<Answer>,
}

impl InstanceSource for Puppet {
    fn info(&self) -> InstanceInfo {
        self.label
    }

    fn readings(&self) -> StemReadings {
        self.figures
    }

    fn summary(&self) -> SessionSummary {
        *self.summary.lock().unwrap()
    }

    fn handle_request(&self, sender: InstanceId, request: &PeerRequest) {
        let Some(Answer { into, half_width, out_of }) = self.answer else { return };
        self.summary.lock().unwrap().forecast = Some(Forecast {
            sender,
            counter: request.counter,
            stem: request.predicted_stem.unwrap(),
            gain: request.gain,
            into_master: into.map(|pair| pair.map(Lufs)),
            peak: [Some(Dbtp(-3.0)), Some(Dbtp(-2.5))],
            half_width: Lu(half_width),
            returns_not_included: half_width > 0.0,
            out_of_master: out_of.map(|pair| pair.map(Lufs)),
            simulated_half_width: Lu(0.06),
            simulated_seconds: if out_of.is_some() { 20.0 } else { 0.0 },
            heard: 92.5,
            length: 92.5,
            coverage: Some(0.9998),
            whole: None,
        });
    }
}

/// Findings of a Master.
#[derive(Clone, Copy)]
struct Answer {
    into: Option<[f64; 2]>,
    half_width: f64,
    out_of: Option<[f64; 2]>,
}

fn loudness(integrated: f64) -> Reading {
    Reading {
        integrated: Some(Lufs(integrated)),
        short_term: Some(Lufs(integrated + 1.0)),
        true_peak: Some(Dbtp(-3.0)),
        ..Reading::default()
    }
}

/// One process of instances.
struct Process {
    bridge: &'static Bridge,
    members: Vec<(Membership, Arc<Puppet>)>,
}

impl Process {
    fn new(folder: &Path) -> Self {
        let place: &str = Box::leak(folder.to_str().unwrap().to_owned().into_boxed_str());
        let places: &'static [&'static str] = Box::leak(Box::new([place]));
        static ROSTERS: [Roster; 20] = [const { Roster::new() }; 20];
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let roster = &ROSTERS[NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)];
        let bridge = Box::leak(Box::new(Bridge::with_folders(roster, Some(places), Intervals::DEFAULT)));
        Self { bridge, members: Vec::new() }
    }

    fn join(&mut self, label: InstanceInfo, answer: Option<Answer>) -> InstanceId {
        let mut figures = StemReadings { trim: RemoteTrim::new(Db(-1.5)), ..StemReadings::default() };
        figures.reading = loudness(-20.0);
        let puppet = Arc::new(Puppet { label, figures, summary: Mutex::default(), answer });
        let member = self.bridge.join(None, Arc::clone(&puppet) as _).unwrap();
        let id = member.audio_writer.id().unwrap();
        self.members.push((member, puppet));
        id
    }

    fn stem(&mut self, name: &str) -> InstanceId {
        let (name, role) = (Text::new(name), Role::guess(name));
        self.join(
            InstanceInfo {
                kind: InstanceKind::Stem,
                format: PluginFormat::Vst3,
                role,
                name,
                ..InstanceInfo::default()
            },
            None,
        )
    }

    /// A Master that sums `stems`.
    fn master(&mut self, stems: &[InstanceId], answer: Option<Answer>) -> InstanceId {
        let session = Some(SessionId::mint());
        let name = Text::new("Mix bus");
        let id = self.join(
            InstanceInfo {
                kind: InstanceKind::Master,
                format: PluginFormat::Clap,
                name,
                session,
                ..InstanceInfo::default()
            },
            answer,
        );
        let mut summary = SessionSummary {
            placement: MasterPlacement::Mix,
            mix: loudness(-16.0),
            loudest_peak: stems.first().copied(),
            coverage: Some(0.9998),
            cause: Text::new("An unlinked track: 0.1 % of the mix follows no stem."),
            unlinked_share: Some(0.001),
            half_width: Some(Lu(0.25)),
            heard: 92.5,
            ..SessionSummary::default()
        };
        for &stem in stems {
            summary.push_stem(StemFinding {
                stem,
                inside: None,
                state: StemState::InTheMix,
                share: Some(0.375),
                gain: Some(Db(-2.5)),
                matrix: None,
                delay: Some(64),
                chain_cost: Some(Lu(0.5)),
                mute_waits: false,
            });
        }
        *self.members.last().unwrap().1.summary.lock().unwrap() = summary;
        id
    }

    /// Has all of them process a block, at one second into the song.
    fn play(&mut self, blocks: u64) {
        for (member, _) in &mut self.members {
            member.audio_writer.publish_status(&BlockStatus {
                blocks,
                rate: Hz(48_000.0),
                latency: 240,
                playing: true,
                position: Some(48_000),
                momentary: Some(Lufs(-18.5)),
                short_term: Some(Lufs(-19.5)),
                compressor_reduction: Db(2.0),
                limiter_reduction: Db(0.5),
                ..BlockStatus::default()
            });
        }
    }
}

/// Link folder of a test's processes.
fn meeting() -> (tempfile::TempDir, PathBuf) {
    let folder = temporary();
    let place = folder.path().join("stemlink-1");
    (folder, place)
}

/// `stems live --json` in that folder: with keys that the documentation explains.
fn live(folder: &Path, more: &[&str]) -> Value {
    let mut args = vec!["live", "--folder", text(folder)];
    args.extend(more);
    let answer = json(0, &args);
    explained(&answer);
    answer
}

#[track_caller]
fn explained(value: &Value) {
    const PAGE: &str = include_str!("../../../../docs/json.md");
    let (_, page) = PAGE.split_once("## live: `stemlink.live/1`").unwrap();
    let (page, _) = page.split_once("\n## ").unwrap();
    // a reading's keys stand at the top of the page
    match value {
        Value::Object(map) if map.contains_key("plr_lu") => {}
        Value::Object(map) => {
            for key in map.keys().filter(|key| *key != "schema") {
                assert!(page.contains(&format!("`{key}`")), "{key} is in docs/json.md");
            }
            map.values().for_each(explained);
        }
        Value::Array(list) => list.iter().for_each(explained),
        _ => {}
    }
}

/// The same as soon as there are so many instances.
fn once_there_are(count: usize, folder: &Path) -> Value {
    let start = Instant::now();
    loop {
        let seen = live(folder, &[]);
        if seen["instances"].as_array().unwrap().len() == count {
            return seen;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "never {count}: {seen:#}");
    }
}

#[test]
fn what_is_alive_is_listed_with_all_that_it_tells() {
    let (_folder, place) = meeting();
    let mut process = Process::new(&place);
    let [drums, vocals, alone] = ["Drums", "Lead Vocals", "Foley"].map(|name| process.stem(name));
    let master = process.master(&[drums, vocals], None);
    process.play(1);
    let seen = once_there_are(4, &place);
    assert_eq!(keys(&seen), ["schema", "sessions", "instances"]);
    assert_eq!(seen["schema"], "stemlink.live/1");
    let [session] = seen["sessions"].as_array().unwrap().as_slice() else { panic!("{seen:#}") };
    assert_eq!((&session["master"], &session["heard_s"]), (&master.to_string().into(), &92.5.into()));
    assert_eq!((&session["coverage"], &session["exact"]), (&0.9998.into(), &false.into()));
    assert_eq!(session["uncertainty_lu"], 0.25);
    assert_eq!(session["cause"], "An unlinked track: 0.1 % of the mix follows no stem.");
    assert_eq!((number(&session["mix"]["integrated_lufs"]), session["last_master"].is_null()), (-16.0, true));
    assert_eq!(session["stems"], serde_json::json!([drums.to_string(), vocals.to_string()]));
    let targets = session["targets"].as_array().unwrap();
    let spotify = targets.iter().find(|target| target["id"] == "spotify").unwrap();
    // the Master's output reads -20 LUFS and -3 dBTP, the platform goes up to -1
    assert_eq!((number(&spotify["playback_gain_db"]), &spotify["bound_by"]), (2.0, &"peak".into()));

    let find = |id: InstanceId| {
        let all = seen["instances"].as_array().unwrap();
        all.iter().find(|one| one["id"] == id.to_string()).unwrap()
    };
    let one = find(vocals);
    for (key, value) in [
        ("state", Value::from("live")),
        ("kind", "stem".into()),
        ("name", "Lead Vocals".into()),
        ("role", "vocals".into()),
        ("format", "VST3".into()),
        ("pid", std::process::id().into()),
        ("rate_hz", 48_000.0.into()),
        ("latency_samples", 240.into()),
        ("playing", true.into()),
        ("position_s", 1.0.into()),
        ("momentary_lufs", (-18.5).into()),
        ("short_term_lufs", (-19.5).into()),
        ("compressor_reduction_db", 2.0.into()),
        ("limiter_reduction_db", 0.5.into()),
        ("trim_db", (-1.5).into()),
        ("session", session["session"].clone()),
        ("in_mix", "in_the_mix".into()),
        ("share", 0.375.into()),
        ("gain_db", (-2.5).into()),
        ("delay_samples", 64.into()),
        ("chain_cost_lu", 0.5.into()),
    ] {
        assert_eq!(one[key], value, "{key}");
    }
    assert!(one["host"].as_str().unwrap().starts_with("cli"), "{one}");
    assert_eq!(number(&one["reading"]["integrated_lufs"]), -20.0);
    assert!(find(alone)["session"].is_null() && find(alone)["share"].is_null());
    assert_eq!((&find(master)["kind"], &find(master)["format"]), (&"master".into(), &"CLAP".into()));
    assert!(find(master)["role"].is_null() && find(master)["trim_db"].is_null());

    let page = stems(&["live", "--folder", text(&place), "--target", "spotify"]);
    assert_eq!((page.code, page.err.as_str()), (0, ""));
    let [before, after] = page.out.split("Summed by no Master").collect::<Vec<_>>()[..] else {
        panic!("{}", page.out)
    };
    for words in [
        "Mix bus in cli",
        "estimate ±0.25 LU, 1:33 heard",
        "99.98 % of the mix",
        "estimate ±0.25 LU",
        "Lead Vocals",
        "An unlinked track",
        "Spotify Normal: could rise 6.0 dB; stops at 2.0 dB (peak: Drums).",
        "37.5",
        "-2.50",
    ] {
        assert!(before.contains(words), "{words:?} is not in\n{before}");
    }
    assert!(!before.contains("Foley") && after.contains("Foley"), "{after}");
    // what cannot be known stands where the word stands
    const FOOTNOTE: &str = "* if no device behind the Stem begins to react";
    assert!(!page.out.contains(FOOTNOTE) && session["footnote"].is_null(), "{}", page.out);
    process.members.last().unwrap().1.summary.lock().unwrap().half_width = Some(Lu(0.0));
    let start = Instant::now();
    let exact = loop {
        let page = stems(&["live", "--folder", text(&place)]);
        if page.out.contains("exact*, 1:33 heard") {
            break page;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{}", page.out);
    };
    assert!(exact.out.contains(FOOTNOTE), "{}", exact.out);
    let footnote = &live(&place, &[])["sessions"][0]["footnote"];
    assert!(footnote.as_str().unwrap().starts_with(FOOTNOTE), "{footnote}");

    // a while without a block, though the process lives
    std::thread::sleep(Duration::from_millis(1500));
    let asleep = live(&place, &[]);
    assert!(asleep["instances"].as_array().unwrap().iter().all(|one| one["state"] == "asleep"), "{asleep:#}");
    assert!(names(&place).len() == 5, "it leaves nothing: {:?}", names(&place));
}

#[test]
fn a_move_is_predicted_by_the_master_that_sums_the_stem() {
    let (_folder, place) = meeting();
    let mut process = Process::new(&place);
    let [drums, vocals, bass] = ["Drums", "Vocals", "Bass"].map(|name| process.stem(name));
    let exact = Answer { into: Some([-16.0, -15.0]), half_width: 0.0, out_of: None };
    let simulated = Answer { half_width: 0.2, out_of: Some([-14.0, -13.75]), ..exact };
    process.master(&[drums, vocals], Some(exact));
    let other = process.master(&[bass], Some(simulated));
    once_there_are(5, &place);

    let seen = live(&place, &["--move", "vocals=+3", "--target", "youtube", "apple-music"]);
    let answer = &seen["what_if"];
    assert_eq!((&answer["exact"], number(&answer["uncertainty_lu"])), (&true.into(), 0.0));
    assert_eq!((number(&answer["heard_s"]), number(&answer["coverage"])), (92.5, 0.9998));
    assert_eq!((number(&answer["length_s"]), &answer["whole"]), (92.5, &Value::Null));
    assert!(answer["footnote"].as_str().unwrap().starts_with("* if no device"), "{answer}");
    assert_eq!(number(&answer["before"]["integrated_lufs"]), -16.0);
    assert_eq!(number(&answer["after"]["integrated_lufs"]), -15.0);
    assert_eq!(number(&answer["after"]["true_peak_dbtp"]), -2.5);
    assert_eq!((&answer["returns_not_included"], &answer["simulation"]), (&false.into(), &Value::Null));
    // the move arrives as it was typed
    let moves =
        serde_json::json!([{"stem": "Vocals", "id": vocals.to_string(), "gain_db": 3.0, "inside": null}]);
    assert_eq!(answer["moves"], moves);
    let ids: Vec<_> = answer["targets"].as_array().unwrap().iter().map(|target| &target["id"]).collect();
    assert_eq!(ids, ["youtube", "apple-music"]);

    let page = stems(&["live", "--folder", text(&place), "--move", "Bass=+3", "--target", "spotify"]);
    assert_eq!((page.code, page.err.as_str()), (0, ""));
    for words in [
        "What if: Bass +3 dB",
        "asked of Mix bus in cli",
        "estimate ±0.20 LU, 1:33 heard: the stems account for 99.98 % of the mix",
        "returns not included",
        "Into the master",
        "Simulated out of the master: 20 s of the song through its chain, ±0.06 LU",
        "While normalized: Bass +3 dB = everything else 0.2 dB lower (Spotify Normal)",
    ] {
        assert!(page.out.contains(words), "{words:?} is not in\n{}", page.out);
    }
    // what cannot be known stands where the word stands
    const FOOTNOTE: &str = "* if no device behind the Stem begins to react";
    assert!(!page.out.contains(FOOTNOTE), "{}", page.out);
    let page = stems(&["live", "--folder", text(&place), "--move", "vocals=+3"]);
    assert_eq!((page.code, page.err.as_str()), (0, ""));
    assert!(page.out.contains("exact*, 1:33 heard") && page.out.contains(FOOTNOTE), "{}", page.out);
    let folder = text(&place);
    fails(&["live", "--folder", folder, "--confirm-mute", "Bass"], &["\"Bass\"", "no mute of it waits"]);
    let seen = live(&place, &["--move", &format!("{bass}=1")]);
    let answer = &seen["what_if"];
    assert_eq!((&answer["master"], &answer["exact"]), (&other.to_string().into(), &false.into()));
    assert_eq!(number(&answer["simulation"]["heard_s"]), 20.0);
    assert_eq!(number(&answer["simulation"]["after"]["integrated_lufs"]), -13.75);
}

#[test]
fn what_cannot_be_answered_is_one_line() {
    let (_folder, place) = meeting();
    let ask = |one: &str, what: &[&str]| {
        fails(&["live", "--folder", text(&place), "--wait", "1", "--move", one], what);
    };
    let nobody = stems(&["live", "--folder", text(&place)]);
    assert_eq!((nobody.code, nobody.out.as_str()), (0, "No Stemlink plugin is alive on this machine.\n"));
    ask("Drums=1", &["no session is alive", "put Stemlink Master on the master bus"]);

    let mut process = Process::new(&place);
    let [drums, bass, other] = ["Drums", "Bass", "Drums"].map(|name| process.stem(name));
    process.master(&[], None);
    once_there_are(4, &place);
    ask("Drums=1", &["\"Drums\"", "no Master sums any stem yet"]);
    let silent = process.master(&[drums, bass], None);
    process.master(&[other], Some(Answer { into: None, half_width: 0.0, out_of: None }));
    once_there_are(6, &place);
    ask("Vocals=1", &["\"Vocals\"", "there are Bass, Drums"]);
    ask("Drums=1", &["2 stems are called that", &drums.to_string(), &other.to_string()]);
    ask(&format!("{bass}=1"), &["Mix bus", "has not answered in 1 s", "--wait"]);
    ask(&format!("{other}=1"), &["cannot predict a move of Drums", "press play"]);
    let is_there = live(&place, &[]).to_string().contains(&silent.to_string());
    assert!(is_there, "a Master that does not answer is a Master");
}

#[test]
fn a_folder_that_cannot_be_looked_into_is_a_remark() {
    let folder = temporary();
    let place = folder.path().join("stemlink-1");
    std::fs::write(&place, "no folder").unwrap();
    let run = stems(&["live", "--folder", text(&place)]);
    assert_eq!(run.code, 0);
    let remark = run.err.trim_end();
    assert!(remark.contains(text(&place)) && remark.contains("cannot be looked into"), "{remark}");
}

/// Names of the variables that tell a child where to meet.
const PLACE: &str = "STEMLINK_TEST_PLACE";

/// In a process that a test starts: one stem, until it is killed.
#[test]
fn child() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let mut process = Process::new(Path::new(&place));
    process.stem("Mortal");
    for blocks in 1.. {
        process.play(blocks);
        std::thread::sleep(Duration::from_millis(10));
    }
}

struct Mortal(Child);

impl Drop for Mortal {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn mortal(place: &Path) -> Mortal {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["cli::live::child", "--exact", "--nocapture"])
        .env(PLACE, place)
        .stdout(Stdio::null())
        .spawn();
    Mortal(child.unwrap())
}

#[test]
fn a_process_that_stands_still_is_dim_and_a_killed_one_is_gone() {
    let (_folder, place) = meeting();
    let mut process = mortal(&place);
    let seen = once_there_are(1, &place);
    assert_eq!(
        (&seen["instances"][0]["state"], &seen["instances"][0]["name"]),
        (&"live".into(), &"Mortal".into())
    );
    let pid = process.0.id();
    assert_eq!(seen["instances"][0]["pid"], pid);
    assert!(Command::new("kill").args(["-STOP", &pid.to_string()]).status().unwrap().success());
    // a single look is long enough to see that its heart does not beat
    assert_eq!(live(&place, &[])["instances"][0]["state"], "dim");
    assert!(Command::new("kill").args(["-CONT", &pid.to_string()]).status().unwrap().success());
    process.0.kill().unwrap();
    let killed = Instant::now();
    process.0.wait().unwrap();
    assert_eq!(live(&place, &[])["instances"], serde_json::json!([]), "at the first look");
    assert!(killed.elapsed() < Duration::from_secs(3), "{:?}", killed.elapsed());
}

#[test]
fn on_a_terminal_it_is_drawn_again_until_interrupted() {
    if !present("script", &["--version"]) {
        return;
    }
    let (folder, place) = meeting();
    let mut process = Process::new(&place);
    process.stem("Drums");
    let record = folder.path().join("record");
    // `exec`: a shell that waits would be interrupted, too
    let run = format!("exec {} live --folder {}", env!("CARGO_BIN_EXE_stems"), place.display());
    let mut child = Command::new("script")
        .args(["-qefc", &run, text(&record)])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let drawn = |what: &str| {
        let start = Instant::now();
        while !std::fs::read(&record).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(what)) {
            assert!(start.elapsed() < Duration::from_secs(30), "never: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    drawn("Drums");
    process.stem("Latecomer");
    drawn("Latecomer");
    // what a terminal sends for Ctrl-C
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), &[3]).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(0));
    let record = std::fs::read_to_string(&record).unwrap();
    let at = |what: &str| record.rfind(what).unwrap_or_else(|| panic!("{what:?} is not in {record:?}"));
    assert!(at("\x1b[?1049h") < at("\x1b[?1049l"), "the screen is given back");
    assert!(record.contains("\x1b[?25h") && record.contains("\x1b[?7h"));
}
