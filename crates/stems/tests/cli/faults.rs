//! Bad input: one line that names file, fault and cure; the right exit code; nothing lost, nothing left.

use std::fs;
use std::path::{Path, PathBuf};

use audiofile::wav::{StoredFormat, WavSpec, WavWriter};
use units::Hz;

use super::tool::*;

/// Every command on a folder of stems that one bad file makes unusable: each fails with one line that has `words`.
#[track_caller]
fn every_command_refuses(dir: &Path, words: &[&str]) {
    let out = dir.join("out");
    for args in [
        &["what-if", text(dir), "--move", "Drums=3"][..],
        &["solve", text(dir), "--target", "spotify"],
        &["master", text(dir), "--out", text(&out)],
        &["init", text(dir)],
    ] {
        fails(args, words);
        assert!(!out.exists() && !dir.join("session.toml").exists(), "{args:?} left something");
    }
}

/// A folder with one good stem and `bytes` as another.
fn with_broken(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = temporary();
    write_plain(&folder.path().join("01_Drums_Stem.wav"), &part(1, 48_000.0, 1.0, 2, 0.3));
    let bad = folder.path().join("02_Bass_Stem.wav");
    fs::write(&bad, bytes).unwrap();
    (folder, bad)
}

/// A RIFF file of 16-bit stereo that says it holds `declared` bytes of audio.
fn wav(declared: u32, rate: u32, audio: &[u8]) -> Vec<u8> {
    let mut bytes = b"RIFF".to_vec();
    bytes.extend(declared.saturating_add(36).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate * 4).to_le_bytes());
    bytes.extend(b"\x04\0\x10\0data");
    bytes.extend(declared.to_le_bytes());
    bytes.extend(audio);
    bytes
}

#[test]
fn what_is_no_audio_is_named_by_every_command() {
    for (bytes, words) in [
        (&b"These are my lyrics, not a stem."[..], &["no audio file"][..]),
        (b"ID3\x04\0\0\0\0\0\0 and so on, it is long enough", &["no audio file"]),
        (b"OggS\0\x02 and so on, it is long enough", &["Ogg"]),
        (b"RIFF\x10\0\0\0AVI LIST", &["no audio file"]),
        (b"fLaC and then nothing like it", &["02_Bass"]),
        (b"FORM\0\0\0\x04AIFF", &["02_Bass"]),
        (b"RIFF", &["02_Bass"]),
    ] {
        let (folder, bad) = with_broken(bytes);
        let words = [&["02_Bass_Stem.wav"][..], words].concat();
        fails(&["measure", text(&bad)], &words);
        every_command_refuses(folder.path(), &words);
    }
}

#[test]
fn one_broken_file_does_not_keep_the_others_from_being_measured() {
    let (folder, _) = with_broken(b"not audio");
    let answer = json(2, &["measure", text(folder.path()), "nowhere.wav"]);
    assert_eq!(answer["files"].as_array().unwrap().len(), 1);
    let run = stems(&["measure", text(folder.path()), "nowhere.wav"]);
    // One line for each of them, and one for what a second of audio has no reading of.
    assert_eq!((run.code, run.err.lines().count()), (2, 3), "{}", run.err);
    assert!(run.out.contains("01_Drums_Stem.wav"));
}

#[test]
fn folders_that_are_missing_empty_or_no_folders_are_named() {
    let folder = temporary();
    let (missing, empty, file) =
        (folder.path().join("missing"), folder.path().join("empty"), folder.path().join("f.wav"));
    fs::create_dir(&empty).unwrap();
    fs::create_dir(empty.join("Drums.wav")).unwrap(); // a folder, whatever it is called
    write_plain(&file, &part(1, 48_000.0, 1.0, 2, 0.3));
    for args in [
        &["measure", text(&missing)][..],
        &["what-if", text(&missing), "--move", "A=1"],
        &["solve", text(&missing), "--target", "spotify"],
        &["master", text(&missing), "--out", text(folder.path())],
        &["init", text(&missing)],
    ] {
        fails(args, &["missing", "no such file or folder"]);
    }
    fails(&["measure", text(&empty)], &["empty", "no audio files"]);
    for args in [
        &["what-if", text(&empty), "--move", "A=1"][..],
        &["solve", text(&empty), "--target", "spotify"],
        &["master", text(&empty), "--out", text(folder.path())],
        &["init", text(&empty)],
    ] {
        fails(args, &["empty", "holds no stems"]);
    }
    for args in
        [&["what-if", text(&file), "--move", "f=1"][..], &["solve", text(&file), "--target", "spotify"]]
    {
        fails(args, &["f.wav", "not a folder"]);
    }
    assert_eq!(names(folder.path()), ["empty", "f.wav"]);
}

#[test]
fn a_file_cut_anywhere_never_surprises() {
    let folder = temporary();
    let whole = folder.path().join("whole.wav");
    write(&whole, 48_000.0, StoredFormat::Int24, &part(1, 48_000.0, 0.6, 2, 0.3));
    let bytes = fs::read(&whole).unwrap();
    let dir = folder.path().join("cut");
    fs::create_dir(&dir).unwrap();
    write_plain(&dir.join("Good.wav"), &part(2, 48_000.0, 0.6, 2, 0.3));
    let mut random = Random::new(5);
    let near_start = (0..30).map(|_| random.between(0.0, 700.0) as usize).collect::<Vec<_>>();
    let anywhere = (0..10).map(|_| random.between(0.0, bytes.len() as f64) as usize).collect::<Vec<_>>();
    for (i, length) in near_start.into_iter().chain(anywhere).enumerate() {
        fs::write(dir.join("Cut.wav"), &bytes[..length.min(bytes.len())]).unwrap();
        let run = stems(&["measure", text(&dir.join("Cut.wav"))]);
        assert!(
            run.code == 2 || run.code == 1 && run.out.contains("Cut.wav"),
            "{length}: {} {}",
            run.code,
            run.err
        );
        assert_eq!(run.err.lines().count(), 1, "{length}: {}", run.err);
        if i % 5 == 0 {
            stems(&["what-if", text(&dir), "--move", "Cut=3"]);
            stems(&["solve", text(&dir), "--target", "spotify"]);
            stems(&["master", text(&dir), "--out", text(&dir.join("out")), "--force"]);
        }
    }
}

#[test]
fn damaged_bytes_never_surprise() {
    let folder = temporary();
    let file = folder.path().join("Damaged.wav");
    write(&file, 48_000.0, StoredFormat::Int16, &part(1, 48_000.0, 0.2, 2, 0.3));
    let bytes = fs::read(&file).unwrap();
    let mut random = Random::new(11);
    for _ in 0..40 {
        let mut damaged = bytes.clone();
        for _ in 0..3 {
            let at = random.between(0.0, 120.0) as usize;
            damaged[at] = random.bits() as u8;
        }
        fs::write(&file, damaged).unwrap();
        stems(&["measure", "--verify", text(&file)]);
        stems(&["master", text(&file), "--out", text(&folder.path().join("out")), "--force"]);
    }
}

#[test]
fn a_file_may_claim_what_it_likes() {
    // Two gigabytes and more declared in a kilobyte, as RIFF, as streamed RIFF, and as RF64 with 10 GB.
    let mut rf64 = b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0".to_vec();
    for size in [10_000_000_080_u64, 10_000_000_000, 2_500_000_000] {
        rf64.extend(size.to_le_bytes());
    }
    rf64.extend([0; 4]);
    rf64.extend(&wav(u32::MAX, 48_000, &[1; 1000])[12..]);
    for bytes in [wav(0x8000_0000, 48_000, &[1; 1000]), wav(u32::MAX, 48_000, &[1; 1000]), rf64] {
        let (folder, bad) = with_broken(&bytes);
        let run = stems(&["measure", "--json", text(&bad)]);
        let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!(answer["files"][0]["frames"], 250, "{}", run.err);
        assert!(run.code <= 1, "{}", run.err);
        let out = folder.path().join("out");
        fails(
            &["master", text(folder.path()), "--out", text(&out)].map(String::from),
            &["250 frames", "--pad"],
        );
    }
}

#[test]
fn a_file_without_a_frame_is_measured_as_nothing() {
    let (folder, bad) = with_broken(&wav(0, 48_000, &[]));
    let run = stems(&["measure", "--json", text(&bad)]);
    let answer: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(answer["files"][0]["frames"], 0);
    assert!(answer["files"][0]["reading"]["true_peak_dbtp"].is_null());
    let out = folder.path().join("out");
    fails(&["master", text(folder.path()), "--out", text(&out)], &["02_Bass_Stem.wav", "0 frames", "--pad"]);
    fs::remove_file(folder.path().join("01_Drums_Stem.wav")).unwrap();
    fails(&["solve", text(folder.path()), "--target", "spotify"], &["no loudness"]);
    assert_eq!(
        stems(&["what-if", text(folder.path()), "--move", "Bass=1"]).code,
        1,
        "an empty stem is a fault"
    );
    stems(&["master", text(folder.path()), "--out", text(&out)]);
}

#[test]
fn samples_that_are_not_numbers_are_counted_and_silenced() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    song(&dir, 4.0, 0.5);
    let clean = json(0, &["master", text(&dir), "--out", text(&folder.path().join("clean"))]);
    let path = dir.join("04_FX_Stem.wav");
    let mut writer =
        WavWriter::create(&path, WavSpec::new(Hz(48_000.0), 1, StoredFormat::Float32), false).unwrap();
    writer.write_planar(&[vec![0.0; 192_000]]).unwrap();
    writer.finish().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len();
    for (i, value) in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -f32::NAN].into_iter().enumerate() {
        bytes[end - 4000 - 4 * i..][..4].copy_from_slice(&value.to_le_bytes());
    }
    fs::write(&path, bytes).unwrap();
    let run = stems(&["measure", text(&path)]);
    assert!(run.code == 1 && run.err.contains("4 samples are not numbers"), "{}", run.err);
    let answer = json(1, &["master", text(&dir), "--out", text(&out)]);
    let warning = answer["warnings"][0].as_str().unwrap();
    assert!(warning.contains("04_FX_Stem.wav") && warning.contains("4 samples"), "{warning}");
    assert_eq!(answer["deliverables"][0]["reading"], clean["deliverables"][0]["reading"]);
    let answer = json(1, &["what-if", text(&dir), "--move", "FX=6"]);
    let fault = answer["faults"][0].as_str().unwrap();
    assert!(fault.contains("04_FX_Stem.wav") && fault.contains("4 samples"), "{fault}");
}

#[test]
fn stems_in_surround_are_refused_by_name() {
    let folder = temporary();
    song(folder.path(), 1.0, 1.0);
    write_plain(&folder.path().join("04_Room_Stem.wav"), &part(1, 48_000.0, 1.0, 6, 0.1));
    let dir = text(folder.path());
    let out = folder.path().join("out");
    for args in [
        &["what-if", dir, "--move", "Room=1"][..],
        &["solve", dir, "--target", "spotify"],
        &["master", dir, "--out", text(&out)],
    ] {
        fails(args, &["04_Room_Stem.wav", "6 channels", "mono or stereo"]);
    }
    assert!(!out.exists());
}

#[test]
fn rates_from_8_to_384_kilohertz_are_measured_and_below_there_are_peaks_only() {
    let folder = temporary();
    for rate in [8_000.0, 11_025.0, 22_050.0, 176_400.0, 384_000.0] {
        let file = folder.path().join(format!("{rate}.wav"));
        write(&file, rate, StoredFormat::Int24, &sine(1000.0, rate, 2.0, 2, 0.1));
        let loudness = number(&reading(&file)["integrated_lufs"]);
        assert!((loudness + 20.0).abs() < 0.1, "{rate}: {loudness}");
    }
    let dir = folder.path().join("low");
    fs::create_dir(&dir).unwrap();
    write(&dir.join("Low.wav"), 4000.0, StoredFormat::Int24, &sine(200.0, 4000.0, 2.0, 2, 0.1));
    let run = stems(&["measure", text(&dir)]);
    assert!(run.code == 0 && run.err.contains("below 8 kHz"), "{} {}", run.code, run.err);
    let peaks = reading(&dir.join("Low.wav"));
    assert!(peaks["integrated_lufs"].is_null() && peaks["sample_peak_dbfs"].is_number());
    fails(&["solve", text(&dir), "--target", "spotify"], &["low", "no loudness"]);
    let out = folder.path().join("out");
    fails(&["master", text(&dir), "--out", text(&out), "--target", "spotify"], &["no loudness"]);
    stems(&["master", text(&dir), "--out", text(&out)]);
}

#[test]
fn a_7_1_4_file_is_weighted_by_its_mask() {
    let folder = temporary();
    // FL FR FC LFE BL BR SL SR TFL TFR TBL TBR
    let mask = 0x3 | 0x4 | 0x8 | 0x30 | 0x600 | 0x5000 | 0x2_8000;
    let tone = sine(997.0, 48_000.0, 3.0, 1, 0.1).remove(0);
    let measured = |channels: &[usize], name: &str| {
        let file = folder.path().join(name);
        let spec =
            WavSpec { channel_mask: Some(mask), ..WavSpec::new(Hz(48_000.0), 12, StoredFormat::Int24) };
        let mut writer = WavWriter::create(&file, spec, false).unwrap();
        let silence = vec![0.0; tone.len()];
        let planes: Vec<&Vec<f64>> =
            (0..12).map(|channel| if channels.contains(&channel) { &tone } else { &silence }).collect();
        writer.write_planar(&planes).unwrap();
        writer.finish().unwrap();
        let answer = json(0, &["measure", "--verify", text(&file)]);
        assert_eq!(answer["files"][0]["channels"], 12);
        answer["files"][0]["reading"]["integrated_lufs"].as_f64()
    };
    let near =
        |value: Option<f64>, expected: f64| assert!((value.unwrap() - expected).abs() < 0.03, "{value:?}");
    near(measured(&[0], "left.wav"), -23.01);
    near(measured(&[4], "rear.wav"), -23.01);
    near(measured(&[6], "side.wav"), -21.52);
    near(measured(&[8], "top.wav"), -23.01);
    assert_eq!(measured(&[3], "lfe.wav"), None, "the LFE does not count");
    let table = stems(&["measure", text(&folder.path().join("left.wav"))]).out;
    assert!(table.contains("7.1.4"), "{table}");
}

#[test]
fn unknown_names_say_which_there_are() {
    let folder = temporary();
    song(folder.path(), 1.0, 1.0);
    let dir = text(folder.path());
    let all = "Drums, Bass, Vocals";
    fails(&["what-if", dir, "--move", "Vox=1"], &["Vox", all]);
    fails(&["solve", dir, "--target", "spotify", "--stem", "Vox"], &["Vox", all]);
    fails(&["what-if", dir, "--move", "../Drums=1"], &["../Drums", all]);
    for args in [
        &["what-if", dir, "--move", "Bass=1", "--target", "spotfy"][..],
        &["solve", dir, "--target", "spotfy"],
        &["master", dir, "--out", "nowhere", "--target", "spotfy"],
    ] {
        fails(args, &["spotfy", "spotify, spotify-loud", "ebu-r128"]);
    }
    assert!(!Path::new("nowhere").exists());
}
