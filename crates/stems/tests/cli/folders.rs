//! Folders as people send them: nothing is dropped in silence, and nothing is called verified that destroys a song.

use std::fs;
use std::path::Path;

use audiofile::wav::StoredFormat;
use serde_json::Value;

use super::tool::*;

fn has_line(answer: &Value, key: &str, words: &[&str]) -> bool {
    let lines = answer[key].as_array().into_iter().flatten().filter_map(Value::as_str);
    lines.clone().any(|line| words.iter().all(|word| line.contains(word)))
}

#[track_caller]
fn assert_line(answer: &Value, key: &str, words: &[&str]) {
    assert!(has_line(answer, key, words), "{words:?} in {key} of {answer}");
}

/// Three parts as 32-bit float, the first changed.
fn float_song(dir: &Path, seconds: f64, change: impl Fn(&mut Audio)) {
    fs::create_dir_all(dir).unwrap();
    for (i, name) in ["01_Drums_Stem.wav", "02_Bass_Stem.wav", "03_Keys_Stem.wav"].iter().enumerate() {
        let mut audio = part(7 + i as u64, 48_000.0, seconds, 2, 0.2);
        if i == 0 {
            change(&mut audio);
        }
        write(&dir.join(name), 48_000.0, StoredFormat::Float32, &audio);
    }
}

fn fill(audio: &mut Audio, at: usize, frames: usize, value: f64) {
    audio.iter_mut().for_each(|plane| plane[at..at + frames].fill(value));
}

fn integrated(file: &Path) -> f64 {
    number(&reading(file)["integrated_lufs"])
}

#[test]
fn samples_that_no_audio_has_do_not_decide_the_level_of_a_song() {
    let folder = temporary();
    let (clean, dirty) = (folder.path().join("clean"), folder.path().join("dirty"));
    float_song(&clean, 6.0, |_| ());
    float_song(&dirty, 6.0, |audio| fill(audio, 110, 10, 3e34));
    let out = |name: &str| folder.path().join(name);

    let answer = json(1, &["check", text(&dirty)]);
    let first = &answer["faults"][0];
    assert_eq!(first["check"], "implausible", "{answer}");
    assert!(first["fault"].as_str().unwrap().contains("20 samples"), "{first}");
    assert!(!answer.to_string().contains("nothing is lost"), "{answer}");

    let answer = json(1, &["organize", text(&dirty), "--out", text(&out("o"))]);
    assert_line(&answer, "faults", &["01_Drums_Stem.wav", "20 samples beyond +24 dBFS", "0:00.002"]);
    assert_eq!(answer["gain_db"], 0.0);
    json(0, &["organize", text(&clean), "--out", text(&out("oc"))]);
    let file = "01_Drums_Stem.wav";
    let difference = integrated(&out("o").join(file)) - integrated(&out("oc").join(file));
    assert!(difference.abs() < 0.05, "{difference}");

    let answer = json(1, &["master", text(&dirty), "--out", text(&out("m"))]);
    assert_line(&answer, "faults", &["01_Drums_Stem.wav", "20 samples beyond +24 dBFS"]);
    assert_line(&answer, "warnings", &["20 samples beyond +24 dBFS"]);
    let whole = json(0, &["master", text(&clean), "--out", text(&out("mc"))]);
    let loudness = |answer: &Value| number(&answer["deliverables"][0]["reading"]["integrated_lufs"]);
    assert!((loudness(&answer) - loudness(&whole)).abs() < 0.05, "{answer}");

    let answer = json(1, &["deliver", text(&dirty), "--out", text(&out("d"))]);
    assert_line(&answer, "faults", &["20 samples beyond +24 dBFS"]);
}

#[test]
fn a_file_of_integers_written_as_float_is_refused_and_nothing_is_left() {
    let folder = temporary();
    let dir = folder.path().join("came");
    float_song(&dir, 3.0, |audio| audio.iter_mut().flatten().for_each(|x| *x *= 32_768.0));
    for command in ["organize", "master", "deliver"] {
        let out = folder.path().join(command);
        fails(
            &[command, text(&dir), "--out", text(&out)],
            &["01_Drums_Stem.wav", "integers written as float"],
        );
        assert!(!out.exists(), "{command}");
    }
}

#[test]
fn an_isolated_burst_is_told_with_its_time_and_does_not_set_the_level() {
    let folder = temporary();
    let (clean, dirty) = (folder.path().join("clean"), folder.path().join("dirty"));
    float_song(&clean, 8.0, |_| ());
    float_song(&dirty, 8.0, |audio| fill(audio, 192_000, 100, 12.0));
    let out = |name: &str| folder.path().join(name);
    let answer = json(1, &["check", text(&dirty)]);
    assert_eq!(answer["faults"][0]["check"], "burst", "{answer}");
    assert!(answer["faults"][0]["fault"].as_str().unwrap().contains("0:04.000"), "{answer}");

    let answer = json(1, &["organize", text(&dirty), "--out", text(&out("o"))]);
    assert_line(&answer, "faults", &["isolated burst at 0:04.000", "cut off at full scale"]);
    assert_eq!(answer["gain_db"], 0.0);

    let answer = json(0, &["master", text(&dirty), "--out", text(&out("m"))]);
    assert_line(&answer, "warnings", &["isolated burst at 0:04.000"]);
    let whole = json(0, &["master", text(&clean), "--out", text(&out("mc"))]);
    let difference = number(&answer["gain_db"]) - number(&whole["gain_db"]);
    assert!(difference.abs() < 0.1, "{difference}");
    assert!(number(&answer["limiting_db"]) > 15.0, "the limiting told is that of the file: {answer}");
}

#[test]
fn silence_and_stems_that_cancel_are_not_verified() {
    let folder = temporary();
    let (silent, cancel) = (folder.path().join("silent"), folder.path().join("cancel"));
    for dir in [&silent, &cancel] {
        fs::create_dir(dir).unwrap();
    }
    let audio = part(3, 48_000.0, 4.0, 2, 0.2);
    let inverted: Audio = audio.iter().map(|plane| plane.iter().map(|x| -x).collect()).collect();
    for (i, name) in ["Drums.wav", "Bass.wav"].iter().enumerate() {
        write_plain(&silent.join(name), &vec![vec![0.0; 192_000]; 2]);
        write_plain(&cancel.join(name), if i == 0 { &audio } else { &inverted });
    }
    for (dir, why) in [(&silent, "every stem is silent"), (&cancel, "the stems cancel each other")] {
        for command in ["master", "deliver"] {
            let out = folder.path().join(format!("{command} {}", dir.file_name().unwrap().to_string_lossy()));
            let answer = json(1, &[command, text(dir), "--out", text(&out)]);
            assert_line(&answer, "faults", &["nothing can be heard", why]);
            assert_eq!(answer["deliverables"][0]["verified"], false, "{answer}");
        }
        let out = folder.path().join(format!("{why}.wav"));
        json(1, &["adm", text(dir), "--out", text(&out)]);
    }
}

/// Stems of the given names, each a part of its own.
fn folder_of(dir: &Path, names: &[&str]) -> Vec<Audio> {
    fs::create_dir_all(dir).unwrap();
    let parts: Vec<Audio> = (0..names.len()).map(|n| part(20 + n as u64, 48_000.0, 6.0, 2, 0.1)).collect();
    for (name, audio) in names.iter().zip(&parts) {
        write_plain(&dir.join(name), audio);
    }
    parts
}

fn sum_of(parts: &[Audio]) -> Audio {
    (0..2)
        .map(|side| (0..parts[0][0].len()).map(|n| parts.iter().map(|p| p[side][n]).sum()).collect())
        .collect()
}

fn stem_names(answer: &Value) -> Vec<&str> {
    answer["files"].as_array().unwrap().iter().map(|file| file["file"].as_str().unwrap()).collect()
}

#[test]
fn a_mix_among_the_stems_is_not_summed_with_them() {
    let folder = temporary();
    // By its name, and by what it holds.
    for name in ["mixture.wav", "Song42.wav"] {
        let dir = folder.path().join(name);
        let parts = folder_of(&dir, &["drums.wav", "bass.wav", "other.wav", "vocals.wav"]);
        let out = folder.path().join(format!("{name} out"));
        let alone = json(0, &["master", text(&dir), "--out", text(&out)]);
        write_plain(&dir.join(name), &sum_of(&parts));
        let checked = json(0, &["check", text(&dir)]);
        assert_eq!(checked["null"]["verdict"], "PASS", "{checked}");
        let run = stems(&["master", text(&dir), "--out", text(&out), "--force"]);
        assert!(run.code == 0 && run.err.contains(&format!("{name} is left out")), "{}", run.err);
        let both = json(0, &["master", text(&dir), "--out", text(&out), "--force"]);
        assert_eq!(both["deliverables"], alone["deliverables"]);
        let organized = folder.path().join(format!("{name} organized"));
        let answer = json(0, &["organize", text(&dir), "--out", text(&organized)]);
        assert_eq!(stem_names(&answer)[0], "00_Mix.wav", "{answer}");
        assert_eq!(stem_names(&answer).len(), 5);
    }
}

#[test]
fn a_bus_beside_its_tracks_is_left_out() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("came"), folder.path().join("out"));
    let parts = folder_of(&dir, &["Kick.wav", "Snare.wav", "Bass.wav", "Vox.wav"]);
    write_plain(&dir.join("Drum Bus.wav"), &sum_of(&parts[..2]));
    let answer = json(1, &["check", text(&dir)]);
    assert!(answer["faults"].to_string().contains("is the sum of Kick and Snare"), "{answer}");
    let run = stems(&["master", text(&dir), "--out", text(&out)]);
    assert!(
        run.code == 0 && run.err.contains("Drum Bus.wav is left out: it is the sum of Kick and Snare"),
        "{}",
        run.err
    );
    assert!(run.out.contains("4 stems"), "{}", run.out);
    let answer = json(1, &["organize", text(&dir), "--out", text(&folder.path().join("o"))]);
    assert_line(&answer, "faults", &["Drum Bus.wav", "is the sum of Kick and Snare"]);
}

#[test]
fn a_title_that_says_mix_makes_no_stem_a_mix() {
    let folder = temporary();
    let (dir, one) = (folder.path().join("club"), folder.path().join("one"));
    let names = ["Drums", "Bass", "Vocals", "Keys"].map(|name| format!("Sunset (Extended Mix) - {name}.wav"));
    folder_of(&dir, &names.each_ref().map(String::as_str));
    let out = folder.path().join("out");
    json(0, &["check", text(&dir)]);
    let run = stems(&["master", text(&dir), "--out", text(&out)]);
    assert!(run.code == 0 && run.out.contains("4 stems") && run.err.is_empty(), "{}{}", run.out, run.err);
    let answer = json(0, &["organize", text(&dir), "--out", text(&folder.path().join("o"))]);
    let roles: Vec<&Value> = answer["files"].as_array().unwrap().iter().map(|file| &file["role"]).collect();
    assert_eq!(roles, ["drums", "bass", "keys", "vocals"]);
    let titled = folder.path().join("titled");
    folder_of(
        &titled,
        &["Vocal Science - Drums.wav", "Vocal Science - Bass.wav", "Vocal Science - Thing.wav"],
    );
    let answer = json(0, &["organize", text(&titled), "--out", text(&folder.path().join("q"))]);
    let roles: Vec<&Value> = answer["files"].as_array().unwrap().iter().map(|file| &file["role"]).collect();
    assert_eq!(roles, ["drums", "bass", "other"]);
    folder_of(&one, &["Drums.wav", "Bass.wav", "Vocals.wav", "Pad Mix.wav"]);
    let run = stems(&["master", text(&one), "--out", text(&folder.path().join("p"))]);
    assert!(run.code == 0 && run.out.contains("4 stems"), "{}{}", run.out, run.err);
}

#[test]
fn the_members_of_each_version_are_said_before_it_is_written() {
    let folder = temporary();
    let (band, two) = (folder.path().join("band"), folder.path().join("two"));
    folder_of(&band, &["Drums.wav", "Bass.wav", "Lead Guitar.wav", "Lead Vox.wav", "BGV.wav"]);
    let run = stems(&["deliver", text(&band), "--out", text(&folder.path().join("b"))]);
    for line in [
        "Instrumental: Bass, Drums, Lead Guitar",
        "A Cappella: BGV, Lead Vox",
        "TV Mix: Bass, BGV, Drums, Lead Guitar",
    ] {
        assert!(run.err.contains(line), "{line} in {}", run.err);
    }
    folder_of(&two, &["vocals.wav", "no_vocals.wav"]);
    let run = stems(&["deliver", text(&two), "--out", text(&folder.path().join("t"))]);
    assert!(run.code == 0, "{}", run.err);
    for line in ["Instrumental: no vocals", "A Cappella: vocals"] {
        assert!(run.err.contains(line), "{line} in {}", run.err);
    }
}

#[test]
fn a_folder_of_songs_is_tracks_in_natural_order() {
    let folder = temporary();
    let dir = folder.path().join("album");
    fs::create_dir(&dir).unwrap();
    for number in [10_u64, 2, 1] {
        let audio = part(number, 48_000.0, 5.0, 2, 0.1 + 0.01 * number as f64);
        write_plain(&dir.join(format!("{number} - Song {number}.wav")), &audio);
    }
    let tracks = |answer: &Value| -> Vec<String> {
        answer["tracks"].as_array().unwrap().iter().map(|t| t["track"].as_str().unwrap().to_owned()).collect()
    };
    let answer = json(0, &["album", text(&dir)]);
    assert_eq!(tracks(&answer), ["1 - Song 1", "2 - Song 2", "10 - Song 10"]);
    assert_eq!(answer["folders"][0]["taken_for"], "songs");
    let run = stems(&["album", text(&dir)]);
    assert!(run.err.contains("taken for songs") && run.err.contains("--as stems"), "{}", run.err);
    assert_eq!(tracks(&json(0, &["album", text(&dir), "--as", "stems"])), ["album"]);
    // Stems stay stems, and can be songs.
    let stems_of = folder.path().join("song");
    song(&stems_of, 5.0, 1.0);
    let answer = json(0, &["album", text(&stems_of)]);
    assert_eq!((tracks(&answer).len(), &answer["folders"][0]["taken_for"]), (1, &"stems".into()));
    assert_eq!(tracks(&json(0, &["album", text(&stems_of), "--as", "songs"])).len(), 3);

    // AES TD1008: all by what brings the loudest to -14.
    let answer = json(0, &["album", text(&dir), "--target", "aes-td1008"]);
    let loudest =
        answer["tracks"].as_array().unwrap().iter().map(|t| number(&t["reading"]["integrated_lufs"]));
    let loudest = loudest.fold(f64::NEG_INFINITY, f64::max);
    let gain = &answer["targets"][0]["album_gain_db"];
    if loudest > -14.0 {
        assert!((number(gain) - (-14.0 - loudest)).abs() < 1e-9, "{answer}");
    } else {
        assert!(gain.is_null(), "how far it turns up is not published: {answer}");
    }
    let loud = folder.path().join("loud");
    fs::create_dir(&loud).unwrap();
    for (n, level) in [(1_u64, 0.2), (2, 3.0)] {
        let audio = part(n, 48_000.0, 5.0, 2, level);
        write(&loud.join(format!("{n} Song {n}.wav")), 48_000.0, StoredFormat::Float32, &audio);
    }
    let answer = json(0, &["album", text(&loud), "--target", "aes-td1008"]);
    let second = number(&answer["tracks"][1]["reading"]["integrated_lufs"]);
    assert!(second > -14.0, "{second}");
    assert!((number(&answer["targets"][0]["album_gain_db"]) - (-14.0 - second)).abs() < 1e-9, "{answer}");
}

#[test]
fn limiting_is_told_where_it_is_heard() {
    let folder = temporary();
    let dir = folder.path().join("click");
    fs::create_dir(&dir).unwrap();
    let mut audio = part(5, 48_000.0, 6.0, 2, 0.1);
    fill(&mut audio, 240_000, 1, 0.8);
    write_plain(&dir.join("Keys.wav"), &audio);
    let answer = json(0, &["master", text(&dir), "--out", text(&folder.path().join("m"))]);
    let at = number(&answer["limiting_at_s"]);
    assert!(number(&answer["limiting_db"]) > 1.0 && (at - 5.0).abs() < 1e-3, "{answer}");
}

#[test]
fn moves_take_a_file_name_and_a_master_its_form_without_limiter() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    song(&dir, 4.0, 1.0);
    let by_name = json(0, &["what-if", text(&dir), "--move", "Bass=2"]);
    let path = dir.join("02_Bass_Stem.wav");
    for name in ["02_Bass_Stem.wav", "02_bass_stem", text(&path)] {
        assert_eq!(json(0, &["what-if", text(&dir), "--move", &format!("{name}=2")]), by_name, "{name}");
    }
    json(0, &["solve", text(&dir), "--target", "spotify", "--stem", "02_Bass_Stem.wav"]);
    let answer =
        json(0, &["master", text(&dir), "--out", text(&out), "--target", "spotify-loud", "--limiter", "off"]);
    assert_eq!(names(&out), ["song_Master.wav", "song_Master_Unlimited.wav"]);
    let open = &answer["deliverables"][1];
    assert_eq!((&open["kind"], &open["verified"]), (&"unlimited".into(), &true.into()));
    let (limited, free) = (read(&out.join("song_Master.wav")), read(&out.join("song_Master_Unlimited.wav")));
    assert_eq!(limited[0].len(), free[0].len());
    let peak = |audio: &Audio| audio.iter().flatten().fold(0.0, |peak: f64, x| peak.max(x.abs()));
    assert!(peak(&free) > 1.3 * peak(&limited), "{} {}", peak(&free), peak(&limited));
}

#[test]
fn an_odd_rate_is_told_and_cured() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("odd"), folder.path().join("out"));
    fs::create_dir(&dir).unwrap();
    for (n, name) in ["Drums.wav", "Bass.wav", "Keys.wav"].iter().enumerate() {
        let audio = part(n as u64 + 3, 44_117.0, 3.0, 2, 0.1);
        write(&dir.join(name), 44_117.0, StoredFormat::Int24, &audio);
    }
    let answer = json(1, &["check", text(&dir)]);
    assert!(answer["faults"].to_string().contains("44117 Hz, which no distributor takes"), "{answer}");
    let run = stems(&["master", text(&dir), "--out", text(&folder.path().join("m"))]);
    assert!(run.err.contains("44117 Hz is a rate that no distributor takes"), "{}", run.err);
    assert_eq!(json(0, &["organize", text(&dir), "--out", text(&out)])["rate_hz"], 44_100.0);
}

#[test]
fn a_stem_that_drifts_is_told_with_its_rate_and_cured() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("came"), folder.path().join("out"));
    fs::create_dir(&dir).unwrap();
    let parts: Vec<Audio> = (0..3).map(|n| part(40 + n, 48_000.0, 16.0, 2, 0.1)).collect();
    write_plain(&dir.join("Mix.wav"), &sum_of(&parts));
    // The third runs 100 ppm too fast: linear interpolation is enough, there is little above 2 kHz.
    let fast: Audio = parts[2]
        .iter()
        .map(|plane| {
            let at = |n: usize| {
                let place = n as f64 * 1.0001;
                let (whole, part) = (place as usize, place.fract());
                let x = |n: usize| plane.get(n).copied().unwrap_or(0.0);
                x(whole) * (1.0 - part) + x(whole + 1) * part
            };
            (0..plane.len()).map(at).collect()
        })
        .collect();
    for (name, audio) in ["Drums.wav", "Bass.wav", "Keys.wav"].iter().zip([&parts[0], &parts[1], &fast]) {
        write_plain(&dir.join(name), audio);
    }
    let answer = json(1, &["check", text(&dir)]);
    let drift = answer["faults"].as_array().unwrap().iter().find(|fault| fault["check"] == "drift");
    let drift = drift.unwrap_or_else(|| panic!("{answer}"));
    assert_eq!(drift["file"], "Keys.wav");
    let said = drift["fault"].as_str().unwrap();
    let ppm: f64 = said.split("it runs ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((ppm - 100.0).abs() < 2.0 && said.contains("faster"), "{said}");

    let made = json(0, &["organize", text(&dir), "--out", text(&out)]);
    assert!(made.to_string().contains("ppm against the mix taken out"), "{made}");
    let cured = json(1, &["check", text(&out)]);
    assert!(!cured["faults"].to_string().contains("\"drift\""), "{cured}");
    let rms = |answer: &Value| number(&answer["null"]["residual_rms_dbfs"]);
    assert!(rms(&cured) < rms(&answer) - 20.0, "{} against {}", rms(&cured), rms(&answer));
}

#[test]
fn a_song_at_60_db_below_its_target_is_landed() {
    let folder = temporary();
    let dir = folder.path().join("song");
    float_song(&dir, 5.0, |_| ());
    for name in names(&dir) {
        let mut audio = read(&dir.join(&name));
        audio.iter_mut().flatten().for_each(|x| *x *= 0.004);
        write(&dir.join(&name), 48_000.0, StoredFormat::Float32, &audio);
    }
    let out = folder.path().join("out");
    let answer = json(0, &["master", text(&dir), "--out", text(&out), "--target", "spotify"]);
    let loudness = number(&answer["deliverables"][0]["reading"]["integrated_lufs"]);
    assert!((loudness + 14.0).abs() <= 0.1 && number(&answer["gain_db"]) > 45.0, "{answer}");
}

#[test]
fn every_command_tells_of_samples_that_it_silenced() {
    let folder = temporary();
    let (clean, dirty) = (folder.path().join("clean"), folder.path().join("dirty"));
    float_song(&clean, 6.0, |_| ());
    float_song(&dirty, 6.0, |audio| fill(audio, 96_000, 1, 3e34));
    let page = folder.path().join("page.html");
    for command in [
        &["what-if", "--move", "Bass=-3"][..],
        &["solve", "--target", "spotify"],
        &["album", "--as", "stems"],
        &["album", "--as", "songs"],
        &["report", "--force", "--out", text(&page)],
    ] {
        let with = |dir| [&command[..1], &[text(dir)], &command[1..]].concat();
        assert_eq!(json(0, &with(&clean))["faults"], Value::Array(Vec::new()), "{command:?}");
        let answer = json(1, &with(&dirty));
        let words = ["01_Drums_Stem.wav", "2 samples beyond +24 dBFS, the first at 0:02.000"];
        assert_line(&answer, "faults", &words);
        let run = stems(&with(&dirty));
        let told = run.err.lines().filter(|line| words.iter().all(|word| line.contains(word)));
        assert!(run.code == 1 && told.count() == 1, "{command:?}: {}", run.err);
    }
}

#[test]
fn unset_memory_in_front_of_a_song_does_not_set_its_level() {
    let folder = temporary();
    let (clean, dirty) = (folder.path().join("clean"), folder.path().join("dirty"));
    let begin = |audio: &mut Audio| fill(audio, 0, 4800, 0.0);
    float_song(&clean, 6.0, begin);
    // Of what was never set only one value is none of audio, another nearly full scale.
    float_song(&dirty, 6.0, |audio| {
        begin(audio);
        (audio[0][117], audio[1][127], audio[0][124]) = (0.98, f64::NAN, -2.6e-26);
    });
    let out = |name: &str| folder.path().join(name);
    let whole = json(0, &["master", text(&clean), "--out", text(&out("mc"))]);
    let answer = json(1, &["master", text(&dirty), "--out", text(&out("m"))]);
    assert_line(&answer, "faults", &["1 sample without a number, the first at 0:00.003", "2 others beside"]);
    assert_eq!(answer["gain_db"], whole["gain_db"]);
}

#[test]
fn mixes_of_pairs_and_of_mono_files_are_found_by_sound() {
    let folder = temporary();
    let dir = folder.path().join("came");
    fs::create_dir_all(&dir).unwrap();
    let parts: Vec<Audio> = (0..3).map(|n| part(40 + n, 48_000.0, 6.0, 2, 0.1)).collect();
    let kick = part(50, 48_000.0, 6.0, 1, 0.1);
    for (name, audio) in ["Vox", "Gtr", "Piano"].iter().zip(&parts) {
        for (side, plane) in ["L", "R"].iter().zip(audio) {
            write_plain(&dir.join(format!("{name} {side}.wav")), std::slice::from_ref(plane));
        }
    }
    write_plain(&dir.join("Kick.wav"), &kick);
    let centre = vec![kick[0].clone(), kick[0].clone()];
    write_plain(&dir.join("Song42.wav"), &sum_of(&[parts.clone(), vec![centre.clone()]].concat()));
    let answer = json(0, &["organize", text(&dir), "--out", text(&folder.path().join("o"))]);
    assert_eq!(stem_names(&answer)[0], "00_Mix.wav", "{answer}");
    assert_eq!(stem_names(&answer).len(), 5, "{answer}");
    // A bus of two pairs.
    fs::remove_file(dir.join("Song42.wav")).unwrap();
    write_plain(&dir.join("Harmony.wav"), &sum_of(&parts[1..]));
    let answer = json(1, &["organize", text(&dir), "--out", text(&folder.path().join("p"))]);
    assert_line(&answer, "faults", &["Harmony.wav", "is the sum of Gtr and Piano"]);
    assert_eq!(stem_names(&answer).len(), 4, "{answer}");

    let mono = folder.path().join("mono");
    fs::create_dir_all(&mono).unwrap();
    write_plain(&mono.join("Kick.wav"), &kick);
    write_plain(&mono.join("Vox.wav"), &parts[0]);
    write_plain(&mono.join("Keys.wav"), &parts[1]);
    write_plain(&mono.join("Song42.wav"), &sum_of(&[parts[0].clone(), parts[1].clone(), centre]));
    let checked = json(0, &["check", text(&mono)]);
    assert_eq!(checked["null"]["verdict"], "PASS", "{checked}");
    let run = stems(&["master", text(&mono), "--out", text(&folder.path().join("m"))]);
    assert!(run.code == 0 && run.err.contains("Song42.wav is left out"), "{}", run.err);
}

#[test]
fn a_delivery_names_the_stems_of_the_versions_that_it_makes_only() {
    let folder = temporary();
    let dir = folder.path().join("came");
    folder_of(&dir, &["Kick.wav", "Bass.wav", "Piano.wav"]);
    let run = stems(&["deliver", text(&dir), "--out", text(&folder.path().join("o"))]);
    assert!(run.code == 0 && run.err.contains("no A Cappella: it would hold no stem"), "{}", run.err);
    assert!(!run.err.contains("stems: Instrumental:") && !run.err.contains("no stem\n"), "{}", run.err);
}

#[test]
fn what_a_codec_changed_is_no_missing_stem() {
    if !present("ffmpeg", &["-version"]) {
        eprintln!("skipped: ffmpeg is not installed");
        return;
    }
    let folder = temporary();
    let (dir, coded) = (folder.path().join("came"), folder.path().join("coded"));
    let parts = folder_of(&dir, &["Kick.wav", "Bass.wav", "Vox.wav"]);
    write_plain(&dir.join("Mix.wav"), &sum_of(&parts));
    fs::create_dir_all(&coded).unwrap();
    for name in names(&dir) {
        let to = coded.join(&name).with_extension("m4a");
        let args = [
            "-nostdin",
            "-v",
            "error",
            "-i",
            text(&dir.join(&name)),
            "-c:a",
            "aac",
            "-b:a",
            "192k",
            text(&to),
        ]
        .map(str::to_owned);
        assert!(std::process::Command::new("ffmpeg").args(args).status().unwrap().success());
    }
    let answer = json(0, &["check", text(&coded)]);
    let finding = answer["faults"].as_array().unwrap().iter().find(|fault| fault["check"] == "null").unwrap();
    assert!(finding["fault"].as_str().unwrap().contains("what AAC has changed"), "{answer}");
    // WAV files made of them remember.
    let out = folder.path().join("o");
    json(0, &["organize", text(&coded), "--out", text(&out)]);
    let answer = json(0, &["check", text(&out)]);
    assert!(answer["faults"].to_string().contains("was made from AAC"), "{answer}");
    // A stem that is missing is one nevertheless.
    fs::remove_file(coded.join("Bass.m4a")).unwrap();
    json(1, &["check", text(&coded)]);
}
