//! Folders as they come: what is not read is named, what was faulty stays so, and names and lists of any kind are taken.

use std::fs;
use std::path::Path;
use std::process::Command;

use audiofile::wav::StoredFormat;

use super::tool::*;

/// Every command over a folder of stems that ends with exit code 0 where nothing is wrong, into `out`.
fn commands<'a>(dir: &'a str, out: &'a str) -> Vec<Vec<&'a str>> {
    vec![
        vec!["measure", dir],
        vec!["init", dir, "--force"],
        vec!["what-if", dir, "--move", "Drums=+1"],
        vec!["solve", dir, "--target", "spotify"],
        vec!["master", dir, "--out", out, "--force"],
        vec!["deliver", dir, "--out", out, "--make", "instrumental", "--force"],
    ]
}

fn without_session(dir: &Path) {
    let _ = fs::remove_file(dir.join("session.toml"));
}

#[test]
fn files_that_look_like_audio_and_are_not_read_are_named_by_every_command() {
    let folder = temporary();
    let dir = folder.path().join("Song");
    song(&dir, 3.0, 1.0);
    let wave = fs::read(dir.join("01_Drums_Stem.wav")).unwrap();
    // Audio whose header says ADPCM.
    let mut adpcm = wave.clone();
    let format = adpcm.windows(4).position(|bytes| bytes == b"fmt ").unwrap() + 8;
    adpcm[format..format + 2].copy_from_slice(&[2, 0]);
    let cases: [(&str, &[u8], &str); 6] = [
        ("04_Organ_Stem.wav", &adpcm, "ffmpeg -i "),
        ("04_Keys_Stem.opus", b"OggS", "ffmpeg -i "),
        ("05_Gtr_Stem.wav.part", &wave[..5000], "unfinished download"),
        ("06_Choir_Stem.wav", b"", "0 bytes"),
        ("07_Strings_Stem", &wave, "rename it to end in .wav"),
        ("Unconfirmed 99.crdownload", b"x", "unfinished download"),
    ];
    for (name, bytes, word) in cases {
        let file = dir.join(name);
        fs::write(&file, bytes).unwrap();
        let out = folder.path().join("out");
        for args in commands(text(&dir), text(&out)) {
            let run = stems(&args);
            assert_eq!(run.code, 1, "{args:?} {}", run.err);
            let named: Vec<&str> = run.err.lines().filter(|line| line.contains(name)).collect();
            assert!(named.len() == 1 && named[0].contains(word), "{args:?} {}", run.err);
            without_session(&dir);
            let _ = fs::remove_dir_all(&out);
        }
        let answer = json(1, &["check", text(&dir)]);
        let fault = &answer["faults"][0];
        assert_eq!((fault["check"].as_str(), fault["severity"].as_str()), (Some("readable"), Some("fault")));
        assert_eq!(fault["file"], name);
        let organized = folder.path().join("organized");
        let answer = json(1, &["organize", text(&dir), "--out", text(&organized)]);
        let faults = answer["faults"].to_string();
        assert!(faults.contains(name) && faults.contains(word), "{faults}");
        assert_eq!(answer["files"].as_array().unwrap().len(), 3);
        fs::remove_dir_all(&organized).unwrap();
        fs::remove_file(&file).unwrap();
    }
    assert_eq!(stems(&["master", text(&dir), "--out", text(&folder.path().join("fine"))]).code, 0);
}

#[test]
#[cfg(unix)]
fn a_link_to_nothing_is_named() {
    let folder = temporary();
    let dir = folder.path().join("Song");
    song(&dir, 2.0, 1.0);
    std::os::unix::fs::symlink("/nowhere/Keys.wav", dir.join("04_Keys_Stem.wav")).unwrap();
    let run = stems(&["measure", text(&dir)]);
    assert!(run.code == 1 && run.err.contains("is a link to /nowhere/Keys.wav"), "{}", run.err);
    assert!(json(1, &["check", text(&dir)])["faults"].to_string().contains("04_Keys_Stem.wav"));
}

#[test]
fn a_folder_of_nothing_but_unread_files_says_why_it_holds_no_stems() {
    let folder = temporary();
    fs::write(folder.path().join("Vox.wma"), "x").unwrap();
    let line = fails(&["master", text(folder.path()), "--out", "none"], &["Vox.wma", "Windows Media Audio"]);
    assert!(line.contains("ffmpeg -i"), "{line}");
}

/// Encodes a file by ffmpeg.
fn encode(from: &Path, how: &[&str], to: &Path) {
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-i"])
        .arg(from)
        .args(how)
        .arg(to)
        .status()
        .unwrap();
    assert!(status.success(), "{how:?}");
}

#[test]
fn compressed_stems_are_in_time_and_lossy_ones_are_remarked() {
    if !present("ffmpeg", &["-version"]) {
        return;
    }
    let folder = temporary();
    let (dir, lossless) = (folder.path().join("Song"), folder.path().join("Same"));
    song(&dir, 4.0, 1.0);
    song(&lossless, 4.0, 1.0);
    let bass = dir.join("02_Bass_Stem.wav");
    encode(&bass, &["-c:a", "alac"], &dir.join("02_Bass_Stem.m4a"));
    fs::remove_file(&bass).unwrap();
    let reading = |dir: &Path| json(0, &["what-if", text(dir), "--move", "Bass=+2"])["mix"].to_string();
    assert_eq!(reading(&dir), reading(&lossless), "ALAC is the same song");
    let vocals = dir.join("03_Vocals_Stem.wav");
    encode(&vocals, &["-c:a", "libmp3lame", "-b:a", "320k"], &dir.join("03_Vocals_Stem.mp3"));
    fs::remove_file(&vocals).unwrap();
    let answer = json(0, &["check", text(&dir)]);
    let faults = answer["faults"].as_array().unwrap();
    assert!(faults.iter().any(|fault| fault["fault"].as_str().unwrap().starts_with("is MP3")), "{answer}");
    assert!(faults.iter().all(|fault| fault["severity"] == "advice"), "{answer}");
    let run = stems(&["master", text(&dir), "--out", text(&folder.path().join("out"))]);
    assert!(run.code == 0 && run.err.contains("03_Vocals_Stem.mp3: is MP3"), "{}", run.err);
    // What is made of it remembers, and says so.
    let run = stems(&["measure", text(&folder.path().join("out/Song_Master.wav"))]);
    assert!(run.code == 0 && run.err.contains("was made from MP3"), "{}", run.err);
    let run = stems(&["measure", text(&dir.join("03_Vocals_Stem.mp3"))]);
    assert!(run.code == 0 && run.err.contains("is MP3"), "{}", run.err);
    let delivered = folder.path().join("delivered");
    let answer = json(0, &["deliver", text(&dir), "--out", text(&delivered), "--make", "instrumental"]);
    assert!(answer["warnings"].to_string().contains("03_Vocals_Stem.mp3 is MP3"), "{answer}");
    // One that says nothing of its delay is no stem.
    encode(&lossless.join("03_Vocals_Stem.wav"), &["-write_xing", "0"], &dir.join("04_Choir_Stem.mp3"));
    let run = stems(&["master", text(&dir), "--out", text(&folder.path().join("out 2"))]);
    assert!(run.code == 1 && run.err.contains("04_Choir_Stem.mp3: does not say"), "{}", run.err);
    assert!(run.out.contains("3 stems"), "{}", run.out);
    assert!(json(1, &["check", text(&dir)])["faults"][0].to_string().contains("04_Choir_Stem.mp3"));
}

#[test]
fn a_stem_file_goes_through_the_commands_of_a_folder() {
    if !present("ffmpeg", &["-version"]) {
        return;
    }
    let folder = temporary();
    let dir = folder.path().join("Song");
    song(&dir, 4.0, 0.7);
    let files = ["01_Drums_Stem.wav", "02_Bass_Stem.wav", "03_Vocals_Stem.wav"].map(|name| dir.join(name));
    let mix = folder.path().join("mix.wav");
    render(&files, &[0.0; 3], 48_000.0, &mix);
    let stem_file = folder.path().join("Song.stem.mp4");
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y", "-i"]).arg(&mix);
    files.iter().for_each(|file| {
        command.arg("-i").arg(file);
    });
    command.args(["-map", "0", "-map", "1", "-map", "2", "-map", "3", "-c:a", "alac"]);
    assert!(command.arg(&stem_file).status().unwrap().success());
    let answer = json(0, &["check", text(&stem_file)]);
    assert!(
        answer["null"]["verdict"] == "PASS" && answer["null"]["stems"].as_array().unwrap().len() == 3,
        "{answer}"
    );
    assert_eq!(json(0, &["measure", text(&stem_file)])["files"].as_array().unwrap().len(), 4);
    let out = folder.path().join("out");
    assert_eq!(stems(&["master", text(&stem_file), "--out", text(&out)]).code, 0);
    assert_eq!(names(&out), ["Song_Master.wav"]);
    assert_eq!(
        stems(&["deliver", text(&stem_file), "--out", text(&folder.path().join("all")), "--make", "stems"])
            .code,
        0
    );
    let organized = folder.path().join("organized");
    let answer = json(0, &["organize", text(&stem_file), "--out", text(&organized)]);
    assert_eq!(answer["files"].as_array().unwrap().len(), 4);
    // In a folder it is named, and organize takes it apart.
    fs::rename(&stem_file, dir.join("Song.stem.mp4")).unwrap();
    assert!(json(1, &["check", text(&dir)])["faults"][0].to_string().contains("stem file"));
}

#[test]
fn a_stem_that_was_cut_off_stays_a_fault_in_what_is_made_of_it() {
    let folder = temporary();
    let dir = folder.path().join("Song");
    song(&dir, 4.0, 1.0);
    let cut = dir.join("03_Vocals_Stem.wav");
    let whole = fs::read(&cut).unwrap();
    fs::write(&cut, &whole[..whole.len() / 3]).unwrap();
    let organized = folder.path().join("organized");
    let answer = json(1, &["organize", text(&dir), "--out", text(&organized)]);
    assert!(answer["faults"].to_string().contains("03_Vocals_Stem.wav: is cut off"), "{answer}");
    let answer = json(1, &["check", text(&organized)]);
    let readable: Vec<_> =
        answer["faults"].as_array().unwrap().iter().filter(|fault| fault["check"] == "readable").collect();
    assert_eq!(readable.len(), 1, "{answer}");
    assert!(readable[0]["fault"].as_str().unwrap().contains("03_Vocals_Stem.wav is cut off"), "{answer}");
    let run = stems(&["master", text(&organized), "--out", text(&folder.path().join("out"))]);
    assert!(run.code == 1 && run.err.contains("03_Vocals_Stem.wav is cut off"), "{}", run.err);
    let answer = json(1, &["master", text(&dir), "--pad", "--out", text(&folder.path().join("padded"))]);
    assert!(answer["faults"].to_string().contains("03_Vocals_Stem.wav is cut off"), "{answer}");
    let delivered = folder.path().join("delivered");
    let answer = json(1, &["deliver", text(&organized), "--out", text(&delivered), "--make", "instrumental"]);
    assert!(answer["faults"].to_string().contains("03_Vocals_Stem.wav is cut off"), "{answer}");
    let master = folder.path().join("out/organized_Master.wav");
    let run = stems(&["measure", text(&master)]);
    assert!(run.code == 1 && run.err.contains("03_Vocals_Stem.wav is cut off"), "{}", run.err);
    assert_eq!(run.err.matches("was made from a faulty file").count(), 1, "{}", run.err);
    // A copy of the copy remembers too.
    let again = folder.path().join("again");
    assert!(
        json(1, &["organize", text(&organized), "--out", text(&again)])["faults"]
            .to_string()
            .contains("cut off")
    );
}

#[test]
fn as_many_frames_at_another_rate_are_a_wrong_header() {
    let folder = temporary();
    let dir = folder.path().join("Song");
    song(&dir, 3.0, 1.0);
    let vocals = dir.join("03_Vocals_Stem.wav");
    write(&vocals, 44_100.0, StoredFormat::Int24, &read(&vocals));
    let answer = json(1, &["check", text(&dir)]);
    assert!(answer["faults"].to_string().contains("most likely gives the wrong rate"), "{answer}");
    let answer = json(1, &["organize", text(&dir), "--out", text(&folder.path().join("out"))]);
    assert!(answer["faults"].to_string().contains("correct the header to 48000 Hz"), "{answer}");
}

#[test]
fn names_become_ascii_letters_and_digits_whatever_they_were() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("came"), folder.path().join("out"));
    fs::create_dir(&dir).unwrap();
    for (seed, name) in
        ["Gesang U\u{308}bung", "Gesang \u{dc}bung", "\u{5e2}\u{5d1}\u{5e8}\u{5d9}\u{5ea}"].iter().enumerate()
    {
        write_plain(&dir.join(format!("{name}.wav")), &part(seed as u64, 48_000.0, 1.0, 2, 0.2));
    }
    json(0, &["organize", text(&dir), "--out", text(&out)]);
    let made = names(&out);
    assert!(made.iter().all(|name| name.is_ascii()), "{made:?}");
    assert_eq!(made.iter().filter(|name| name.contains("Gesang_Uebung")).count(), 2, "{made:?}");
    let answer = json(0, &["check", text(&out)]);
    assert!(!answer.to_string().contains("file-name"), "{answer}");
}

#[test]
fn split_pairs_are_joined_however_their_sides_are_written() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("came"), folder.path().join("out"));
    fs::create_dir(&dir).unwrap();
    let sides = ["Pno.L", "Pno.R", "SynthL", "SynthR", "Tom 1L", "Tom 1R", "Str.Lt", "Str.Rt", "VocalR"];
    for (seed, name) in sides.iter().enumerate() {
        write_plain(&dir.join(format!("{name}.wav")), &part(seed as u64, 48_000.0, 1.0, 1, 0.2));
    }
    let answer = json(0, &["organize", text(&dir), "--out", text(&out)]);
    let files = answer["files"].as_array().unwrap();
    let joined = files.iter().filter(|file| file["changes"].to_string().contains("joined to stereo")).count();
    assert_eq!((files.len(), joined), (5, 4), "{answer}");
    let lone = files.iter().find(|file| file["sources"].to_string().contains("VocalR")).unwrap();
    assert!(lone["file"].as_str().unwrap().contains("VocalR"), "half a pair keeps its name: {lone}");
}

#[test]
fn text_files_of_any_encoding_and_decimal_commas_are_understood() {
    let folder = temporary();
    let dir = folder.path().join("Song");
    song(&dir, 1.0, 1.0);
    let session = folder.path().join("utf16.toml");
    let bytes: Vec<u8> = "\u{feff}schema = \"stemlink.session/1\"\r\n[[stems]]\r\nfile = \"01_Drums_Stem.wav\"\r\nname = \"K\u{fc}nstler\"\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::write(&session, bytes).unwrap();
    let run = stems(&["what-if", text(&dir), "--session", text(&session), "--move", "K\u{fc}nstler=-1,5"]);
    assert_eq!(run.code, 0, "{}", run.err);
    fs::write(
        &session,
        "schema = \"stemlink.session/1\"\n[[stems]]\nfile = \"01_Drums_Stem.wav\"\ntrim = -1,5\n",
    )
    .unwrap();
    fails(
        &["what-if", text(&dir), "--session", text(&session), "--move", "Bass=+1"],
        &["line 4", "write decimals with a point"],
    );
    fs::write(&session, b"caf\xe9").unwrap();
    fails(&["what-if", text(&dir), "--session", text(&session), "--move", "Bass=+1"], &["save it as UTF-8"]);
    let list = folder.path().join("list");
    fs::write(&list, b"\xef\xbb\xbfSong\r\n").unwrap();
    let run =
        stems(&["batch", text(&list), "--out", text(&folder.path().join("all")), "--make", "instrumental"]);
    assert!(run.code == 0 && run.out.contains("\"bundle\":\"Song\""), "{}{}", run.out, run.err);
    // A folder with something unread is a fault of its line.
    fs::write(dir.join("04_Keys_Stem.wma"), "x").unwrap();
    let out = folder.path().join("more");
    let run = stems(&["batch", text(&list), "--out", text(&out), "--make", "instrumental"]);
    assert!(run.code == 1 && run.out.contains("04_Keys_Stem.wma"), "{}{}", run.out, run.err);
}
