//! The page for the mix engineer, and repairing what comes instead.

use std::fs;
use std::path::Path;

use audiofile::AudioReader;
use audiofile::wav::{Bext, StoredFormat, WavSpec, WavWriter};
use serde_json::{Value, json as value};
use units::Hz;

use super::tool::*;

/// Writes audio that starts at `reference`, a sample of the day.
fn at(path: &Path, rate: f64, format: StoredFormat, audio: &[Vec<f64>], reference: u64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let bext = Bext { time_reference: reference, ..Bext::default() };
    let spec = WavSpec { bext: Some(bext), ..WavSpec::new(Hz(rate), audio.len(), format) };
    let mut writer = WavWriter::create(path, spec, true).unwrap();
    writer.write_planar(audio).unwrap();
    writer.finish().unwrap();
}

fn cut(audio: &[Vec<f64>], from: usize, to: usize) -> Audio {
    audio.iter().map(|plane| plane[from..to].to_vec()).collect()
}

/// On the 24-bit grid.
fn rounded(audio: Audio) -> Audio {
    let round = |x: f64| (x * 8_388_608.0).round() / 8_388_608.0;
    audio.into_iter().map(|plane| plane.into_iter().map(round).collect()).collect()
}

const HOUR: u64 = 3600 * 48_000;

/// Three stems as they come: one cut at its start, one as two mono files in a folder, one whole; and the mix.
fn came(dir: &Path) -> [Audio; 3] {
    let stems = [1, 2, 3].map(|seed| rounded(part(seed, 48_000.0, 4.0, 2, 0.2)));
    let [drums, bass, vocals] = &stems;
    at(&dir.join("Kit print.wav"), 48_000.0, StoredFormat::Int24, drums, HOUR);
    // The first 4800 samples are silent, so that nothing is lost with them.
    let mut late = bass.clone();
    late.iter_mut().for_each(|plane| plane[..4800].fill(0.0));
    at(&dir.join("BASS DI v2.wav"), 48_000.0, StoredFormat::Int24, &cut(&late, 4800, 150_000), HOUR + 4800);
    for (side, word) in vocals.iter().zip(["L", "R"]) {
        let path = dir.join("Lead Vox").join(format!("Audio 1.{word}.wav"));
        at(&path, 48_000.0, StoredFormat::Int24, std::slice::from_ref(side), HOUR);
    }
    late.iter_mut().for_each(|plane| plane[150_000..].fill(0.0));
    let sum = |side: usize| (0..192_000).map(|i| drums[side][i] + late[side][i] + vocals[side][i]).collect();
    at(&dir.join("Song MIX.wav"), 48_000.0, StoredFormat::Int24, &[sum(0), sum(1)], HOUR);
    [drums.clone(), late, vocals.clone()]
}

#[test]
fn what_came_becomes_stems_that_null_against_the_mix() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("came"), folder.path().join("out/stems"));
    let stems_of = came(&dir);
    let before = names(&dir);
    let answer = json(0, &["organize", text(&dir), "--out", text(&out)]);
    let files =
        ["00_Mix.wav", "01_Kit_print_Stem.wav", "02_BASS_DI_v2_Stem.wav", "03_Lead_Vox_Audio_1_Stem.wav"];
    let made: Vec<&str> =
        answer["files"].as_array().unwrap().iter().map(|f| f["file"].as_str().unwrap()).collect();
    assert_eq!(made, files);
    assert_eq!(names(&out), [&files[..], &["organized.json"]].concat());
    assert_eq!(names(&dir), before);
    for (file, audio) in files[1..].iter().zip(&stems_of) {
        assert!(read(&out.join(file)) == *audio, "{file} is there to the bit");
        let bext = AudioReader::open(out.join(file)).unwrap().info().bext.clone().unwrap();
        assert_eq!(bext.time_reference, HOUR);
    }
    let roles: Vec<&Value> = answer["files"].as_array().unwrap().iter().map(|f| &f["role"]).collect();
    assert_eq!(roles, [&Value::Null, &value!("drums"), &value!("bass"), &value!("vocals")]);
    let of = |i: usize| answer["files"][i]["changes"].to_string();
    assert!(
        of(2).contains("moved 4800 samples later") && of(2).contains("42000 samples of silence"),
        "{}",
        of(2)
    );
    assert!(of(3).contains("two mono files joined"), "{}", of(3));
    let page: Value = serde_json::from_slice(&fs::read(out.join("organized.json")).unwrap()).unwrap();
    assert_eq!(page, answer);
    let checked = json(0, &["check", text(&out)]);
    assert_eq!(checked["null"]["verdict"], "PASS", "{checked}");
}

#[test]
fn other_rates_formats_and_levels_become_one() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("came"), folder.path().join("out"));
    fs::create_dir(&dir).unwrap();
    let tone = |rate: f64, gain: f64| sine(440.0, rate, 2.0, 1, gain);
    write(&dir.join("Bass.wav"), 44_100.0, StoredFormat::Float32, &tone(44_100.0, 0.5));
    write(&dir.join("Keys.wav"), 48_000.0, StoredFormat::Int16, &tone(48_000.0, 0.25));
    write(&dir.join("Drums.wav"), 48_000.0, StoredFormat::Float32, &tone(48_000.0, 2.0));
    let answer = json(0, &["organize", text(&dir), "--out", text(&out)]);
    assert_eq!(answer["rate_hz"], 48_000.0);
    let gain = number(&answer["gain_db"]);
    assert!((gain + 6.12).abs() < 0.01, "{gain}");
    let factor = 10.0_f64.powf(gain / 20.0);
    for (file, level) in [("01_Drums_Stem.wav", 2.0), ("02_Bass_Stem.wav", 0.5), ("03_Keys_Stem.wav", 0.25)] {
        let info = AudioReader::open(out.join(file)).unwrap().info().clone();
        assert_eq!((info.rate.0, info.frames, info.channels), (48_000.0, 96_000, 1), "{file}");
        let audio = read(&out.join(file));
        let worst = (20_000..70_000).map(|i| {
            let wanted = level * factor * (std::f64::consts::TAU * 440.0 * i as f64 / 48_000.0).sin();
            (audio[0][i] - wanted).abs()
        });
        // 16 bits, dither, and the resampler.
        assert!(worst.fold(0.0, f64::max) < 2e-5, "{file}");
    }
    assert!(answer["files"][1]["changes"].to_string().contains("44100 Hz to 48000 Hz"));
    let summed =
        json(0, &["organize", text(&dir), "--out", text(&folder.path().join("96")), "--rate", "96000"]);
    assert_eq!((&summed["rate_hz"], &summed["frames"]), (&value!(96_000.0), &value!(192_000)));
}

#[test]
fn files_of_one_role_can_become_one_stem() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("came"), folder.path().join("out"));
    fs::create_dir(&dir).unwrap();
    let parts = [1, 2, 3].map(|seed| rounded(part(seed, 48_000.0, 1.0, 2, 0.2)));
    for (name, audio) in ["Kick.wav", "Snare.wav", "Bass.wav"].iter().zip(&parts) {
        write_plain(&dir.join(name), audio);
    }
    let answer = json(0, &["organize", text(&dir), "--out", text(&out), "--sum"]);
    assert_eq!(names(&out), ["01_Drums_Stem.wav", "02_Bass_Stem.wav", "organized.json"]);
    assert_eq!(answer["files"][0]["sources"], value!(["Kick.wav", "Snare.wav"]));
    let drums = read(&out.join("01_Drums_Stem.wav"));
    let worst =
        (0..48_000).map(|i| (drums[0][i] - parts[0][0][i] - parts[1][0][i]).abs()).fold(0.0, f64::max);
    assert!(worst < 4e-7, "{worst}");
    assert!(read(&out.join("02_Bass_Stem.wav")) == parts[2]);
}

#[test]
fn what_cannot_be_repaired_is_said_and_the_rest_is_made() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("came"), folder.path().join("out"));
    let audio = part(1, 48_000.0, 1.0, 2, 0.2);
    at(&dir.join("Drums.wav"), 48_000.0, StoredFormat::Int24, &audio, HOUR);
    at(&dir.join("Bass.wav"), 48_000.0, StoredFormat::Int24, &audio, 2 * HOUR);
    write_plain(&dir.join("Surround.wav"), &part(1, 48_000.0, 1.0, 6, 0.2));
    let answer = json(1, &["organize", text(&dir), "--out", text(&out)]);
    let faults = answer["faults"].to_string();
    assert!(faults.contains("Surround.wav: has 6 channels") && faults.contains("3600.0 s apart"), "{faults}");
    assert_eq!(names(&out), ["01_Drums_Stem.wav", "02_Bass_Stem.wav", "organized.json"]);
    let run = stems(&["organize", text(&dir), "--out", text(&folder.path().join("again"))]);
    assert_eq!((run.code, run.err.lines().count()), (1, 2), "{}", run.err);
}

#[test]
fn nothing_is_lost_and_nothing_is_written_elsewhere() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("came"), folder.path().join("out"));
    song(&dir, 1.0, 1.0);
    fs::rename(dir.join("02_Bass_Stem.wav"), dir.join("x..\\..\\Bass \u{202e}\u{7}.wav")).unwrap();
    let before = names(&dir);
    fails(&["organize", text(&dir), "--out", text(&dir)], &["is the folder that came"]);
    fs::create_dir(&out).unwrap();
    let mine = out.join("mine.wav");
    fs::write(&mine, "mine").unwrap();
    fails(&["organize", text(&dir), "--out", text(&out), "--force"], &["mine.wav", "choose an empty folder"]);
    fs::rename(&mine, out.join("01_Drums_Stem.wav")).unwrap();
    fails(&["organize", text(&dir), "--out", text(&out)], &["01_Drums_Stem.wav", "--force"]);
    assert_eq!(names(&out), ["01_Drums_Stem.wav"]);
    json(0, &["organize", text(&dir), "--out", text(&out), "--force"]);
    let made = ["01_Drums_Stem.wav", "02_x_Bass_Stem.wav", "03_Vocals_Stem.wav", "organized.json"];
    assert_eq!(names(&out), made);
    assert_eq!(names(&dir), before);
    let mut all = names(folder.path());
    all.sort();
    assert_eq!(all, ["came", "out"]);
    fails(
        &["organize", text(&folder.path().join("no")), "--out", text(&folder.path().join("x"))],
        &["no such file"],
    );
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    fails(&["organize", text(&empty), "--out", text(&folder.path().join("x"))], &["holds no audio files"]);
    fs::write(empty.join("a.wav"), "no audio").unwrap();
    fails(&["organize", text(&empty), "--out", text(&folder.path().join("x"))], &["a.wav"]);
    assert!(!folder.path().join("x").exists());
}

#[test]
fn the_page_for_the_engineer_is_printed_or_written() {
    let folder = temporary();
    let file = folder.path().join("brief.md");
    let run = stems(&["brief", "--song", "Night Train"]);
    assert!(run.code == 0 && run.err.is_empty());
    for word in ["Night Train", "*Reaper*", "*Bitwig*", "*Live*", "01_Drums_Stem.wav", "24 bit", "same place"]
    {
        assert!(run.out.contains(word), "{word}");
    }
    assert!(!stems(&["brief", "--daw", "reaper"]).out.contains("*Live*"));
    assert_eq!(stems(&["brief", "--out", text(&file), "--daw", "live", "--atmos"]).code, 0);
    assert!(fs::read_to_string(&file).unwrap().contains("48 kHz"));
    fails(&["brief", "--out", text(&file)], &["brief.md", "already exists", "--force"]);
    assert_eq!(stems(&["brief", "--out", text(&file), "--force"]).code, 0);
    fails(&["brief", "--daw", "cubase"], &["reaper"]);
}
