//! Moves in time: predictions against renders, and against masters of the session that holds the moves.

use std::f64::consts::PI;
use std::path::{Path, PathBuf};

use audiofile::wav::StoredFormat;
use serde_json::Value;
use units::Db;

use super::maths::same_reading;
use super::tool::*;

const RATE: f64 = 48_000.0;
const NAMES: [&str; 3] = ["Drums", "Lead @ Home=1", "Keys"];

/// A move: stem, gain, range and fade in seconds.
struct Asked {
    stem: usize,
    gain: f64,
    range: Option<[f64; 2]>,
    fade: f64,
}

impl Asked {
    fn argument(&self) -> String {
        let range = self.range.map_or(String::new(), |[from, to]| format!("@{from}-{to}"));
        format!("--move={}={}{range}", NAMES[self.stem], self.gain)
    }

    /// The linear gain at a frame.
    fn gain(&self, frame: usize) -> f64 {
        let Some(range) = self.range else { return Db(self.gain).gain() };
        let [from, to] = range.map(|time| (time * RATE).round());
        let (time, fade) = (frame as f64 + 0.5, (self.fade * RATE).min((to - from) / 2.0));
        if time < from || time > to {
            return 1.0;
        }
        let begun = if from == 0.0 { f64::INFINITY } else { time - from };
        let part = (begun.min(to - time) / fade.max(1e-9)).min(1.0);
        Db(self.gain * 0.5 * (1.0 - (PI * part).cos())).gain()
    }
}

/// Writes three stems of different lengths and kinds.
fn bundle(dir: &Path, seconds: f64) -> Vec<PathBuf> {
    let write = |(i, name): (usize, &str)| {
        let path = dir.join(format!("{:02}_{name}.wav", i + 1));
        let audio = part(100 + i as u64, RATE, seconds - i as f64 * 0.3, 2 - i % 2, 0.1);
        write(&path, RATE, StoredFormat::Float32, &audio);
        path
    };
    // a name is what the session says: file names have no such characters everywhere
    let files: Vec<PathBuf> = ["Drums", "Lead", "Keys"].into_iter().enumerate().map(write).collect();
    let stems: Vec<String> = files
        .iter()
        .zip(NAMES)
        .map(|(file, name)| {
            let file = file.file_name().unwrap().to_string_lossy();
            format!("[[stems]]\nfile = \"{file}\"\nname = \"{name}\"\n")
        })
        .collect();
    let text = format!("schema = \"stemlink.session/1\"\n[master]\nloudness = \"as-is\"\n{}", stems.concat());
    std::fs::write(dir.join("session.toml"), text).unwrap();
    files
}

/// The reading of the stems summed with their moves.
fn rendered(files: &[PathBuf], moves: &[Asked]) -> Value {
    let mut sum = vec![Vec::new(); 2];
    for (stem, file) in files.iter().enumerate() {
        let audio = read(file);
        for (side, sum) in sum.iter_mut().enumerate() {
            let plane = audio.get(side).unwrap_or(&audio[0]);
            sum.resize(plane.len().max(sum.len()), 0.0);
            for (frame, (sum, x)) in sum.iter_mut().zip(plane).enumerate() {
                let own = moves.iter().filter(|one| one.stem == stem);
                *sum += x * own.map(|one| one.gain(frame)).product::<f64>();
            }
        }
    }
    let folder = temporary();
    let path = folder.path().join("render.wav");
    write(&path, RATE, StoredFormat::Float32, &sum);
    reading(&path)
}

fn random_moves(random: &mut Random, seconds: f64) -> Vec<Asked> {
    let fade = [0.0, 0.05, random.between(0.001, 2.0)][random.bits() as usize % 3];
    let count = 1 + random.bits() as usize % 3;
    let one = |_| {
        let from = random.between(-0.5, seconds - 0.3).max(0.0);
        // hardly ever on the grid of hops
        let to = from + random.between(0.02, 1.2 * (seconds - from));
        let range = (!random.bits().is_multiple_of(5))
            .then_some([from, to].map(|time| (time * 1000.0).round() / 1000.0));
        let gain = (random.between(-24.0, 12.0) * 10.0).round() / 10.0;
        Asked { stem: random.bits() as usize % 3, gain, range, fade }
    };
    (0..count).map(one).collect()
}

fn what_if(dir: &Path, moves: &[Asked], more: &[&str]) -> Value {
    let fade = format!("--fade={}", moves[0].fade);
    let moves: Vec<String> = moves.iter().map(Asked::argument).collect();
    let mut args = vec!["what-if", text(dir), &fade];
    args.extend(moves.iter().map(String::as_str));
    args.extend(more);
    json(0, &args)
}

#[test]
fn fifty_random_moves_in_time_are_what_a_render_measures() {
    const SECONDS: f64 = 6.1;
    let folder = temporary();
    let files = bundle(folder.path(), SECONDS);
    let mut random = Random::new(50);
    for _ in 0..50 {
        let moves = random_moves(&mut random, SECONDS);
        let answer = what_if(folder.path(), &moves, &[]);
        assert_eq!(answer["exact"], true);
        same_reading(&answer["after"], &rendered(&files, &moves), 0.01);
        let said = answer["moves"].as_array().unwrap();
        for (said, asked) in said.iter().zip(&moves) {
            assert_eq!(said["stem"], NAMES[asked.stem]);
            assert_eq!(
                [said["from_s"].as_f64(), said["to_s"].as_f64()].map(|time| time.is_some()),
                [asked.range.is_some(); 2]
            );
        }
    }
}

#[test]
fn a_saved_session_masters_and_delivers_what_was_asked() {
    const SECONDS: f64 = 6.1;
    let (folder, out) = (temporary(), temporary());
    let files = bundle(folder.path(), SECONDS);
    let mut random = Random::new(51);
    let saved = out.path().join("moved.toml");
    for case in 0..4 {
        let moves = random_moves(&mut random, SECONDS);
        let answer = what_if(folder.path(), &moves, &["--save", text(&saved), "--force"]);
        assert_eq!(answer["saved"], text(&saved));
        let again =
            json(0, &["what-if", text(folder.path()), "--session", text(&saved), "--move", "Drums=0"]);
        same_reading(&answer["after"], &again["before"], 1e-6);
        let masters = out.path().join(format!("{case}"));
        let master = json(
            0,
            &["master", text(folder.path()), "--session", text(&saved), "--pad", "--out", text(&masters)],
        );
        same_reading(&answer["after"], &master["deliverables"][0]["reading"], 0.01);
    }
    let moves = [Asked { stem: 1, gain: 4.0, range: Some([1.033, 3.777]), fade: 0.05 }];
    let asked = what_if(folder.path(), &moves, &["--save", text(&saved), "--force"]);
    let delivered = out.path().join("delivered");
    let args =
        ["deliver", text(folder.path()), "--session", text(&saved), "--pad", "--out", text(&delivered)];
    let manifest = json(0, &args);
    let master = &manifest["deliverables"][0];
    same_reading(&asked["after"], &master["reading"], 0.01);
    same_reading(&rendered(&files, &moves), &master["reading"], 0.01);
    assert_eq!(stems(&["verify", text(&delivered)]).code, 0, "its stems sum to the master");
}

#[test]
fn a_move_in_time_is_in_its_place_behind_a_chain_that_delays() {
    let folder = temporary();
    song(folder.path(), 4.0, 0.5);
    let dir = text(folder.path());
    let chain = "[[stems]]\nfile = \"01_Drums_Stem.wav\"\nlatency = \"linear_denoise\"\n[stems.chain]\n\
        lim_on = true\nsat_on = true\n";
    std::fs::write(folder.path().join("session.toml"), format!("schema = \"stemlink.session/1\"\n{chain}"))
        .unwrap();
    let saved = folder.path().join("moved.toml");
    let asked = json(0, &["what-if", dir, "--move", "Drums=-12@0.5-1.9", "--fade=0", "--save", text(&saved)]);
    let again = json(0, &["what-if", dir, "--session", text(&saved), "--move", "Drums=0"]);
    same_reading(&asked["after"], &again["before"], 1e-6);
    assert!(number(&asked["after"]["integrated_lufs"]) < number(&asked["before"]["integrated_lufs"]) - 0.02);
}

#[test]
fn a_move_in_time_of_a_given_mix_is_added_to_it() {
    let (folder, elsewhere) = (temporary(), temporary());
    let files = bundle(folder.path(), 6.1);
    let mix = elsewhere.path().join("mix.wav");
    let faders = [-3.0, 2.0, 0.0];
    render(&files, &faders, RATE, &mix);
    let moves = [Asked { stem: 0, gain: 5.0, range: Some([1.033, 3.777]), fade: 0.3 }];
    let answer = what_if(folder.path(), &moves, &["--mix", text(&mix)]);
    let whole = |(stem, gain): (usize, &f64)| Asked { stem, gain: *gain, range: None, fade: 0.0 };
    let all: Vec<Asked> = faders.iter().enumerate().map(whole).chain(moves).collect();
    same_reading(&answer["after"], &rendered(&files, &all), 0.01);
}

#[test]
fn what_cannot_be_moved_in_time_is_one_line() {
    let folder = temporary();
    song(folder.path(), 2.0, 0.5);
    let dir = text(folder.path());
    fails(&["what-if", dir, "--move", "Bass=1@0:02-0:03"], &["Bass", "0:02.000", "inside"]);
    fails(&["what-if", dir, "--move", "Bass=1@3-2"], &["ends before", "--help"]);
    fails(&["what-if", dir, "--move", "Bass=1@1:x-2"], &["write a time", "--help"]);
    fails(&["what-if", dir, "--move", "Bass=1@0-1", "--fade", "61"], &["0 to 60", "--help"]);
    let file = folder.path().join("session.toml");
    for (lines, words) in [
        ("stem = \"Choir\"\ngain = 1", ["Choir", "Drums, Bass, Vocals"]),
        ("stem = \"Bass\"\ngain = 1\nfrom = 2", ["half a range", "from and to"]),
        ("stem = \"Bass\"\ngain = 1\nfrom = 2\nto = 3", ["song is 2.000 s", "inside"]),
        ("stem = \"Bass\"\ngain = 99", ["Bass: gain", "-60 to 60"]),
    ] {
        std::fs::write(&file, format!("schema = \"stemlink.session/1\"\n[[moves]]\n{lines}\n")).unwrap();
        fails(&["what-if", dir, "--move", "Bass=1"], &[words[0], words[1], "session.toml"]);
    }
    std::fs::remove_file(&file).unwrap();
    let there = folder.path().join("there.toml");
    std::fs::write(&there, "mine").unwrap();
    fails(&["what-if", dir, "--move", "Bass=1", "--save", text(&there)], &["there.toml", "--force"]);
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "mine");
}

#[test]
fn a_sum_that_was_left_out_stays_out_of_the_session_that_is_saved() {
    let folder = temporary();
    song(folder.path(), 4.0, 0.5);
    let files: Vec<PathBuf> = names(folder.path()).iter().map(|name| folder.path().join(name)).collect();
    render(&files[..2], &[0.0; 2], RATE, &folder.path().join("04_Rhythm_Stem.wav"));
    let saved = folder.path().join("moved.toml");
    let dir = text(folder.path());
    let answer = json(0, &["what-if", dir, "--move", "Vocals=2@1-2", "--save", text(&saved)]);
    assert_eq!(answer["stems"].as_array().unwrap().len(), 3, "{answer}");
    let again = json(0, &["what-if", dir, "--session", text(&saved), "--move", "Bass=0"]);
    same_reading(&answer["after"], &again["before"], 1e-6);
}
