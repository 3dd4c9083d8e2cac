//! Albums.

use std::path::{Path, PathBuf};

use audiofile::wav::StoredFormat;
use serde_json::{Value, json as value};

use super::tool::*;

#[test]
fn an_album_is_its_tracks_as_one_programme() {
    let folder = temporary();
    let at = |name: &str| folder.path().join(name);
    let three = at("three");
    for (name, seconds, gain) in [("one.wav", 8.0, 0.3), ("two.wav", 5.0, 0.1)] {
        write(&at(name), 48_000.0, StoredFormat::Float32, &part(seconds as u64, 48_000.0, seconds, 2, gain));
    }
    song(&three, 6.0, 2.0);
    let parts: Vec<_> = names(&three).into_iter().map(|name| three.join(name)).collect();
    render(&parts, &[0.0; 3], 48_000.0, &at("three.wav"));
    let mut whole = read(&at("one.wav"));
    for file in ["two.wav", "three.wav"] {
        whole.iter_mut().zip(read(&at(file))).for_each(|(plane, more)| plane.extend(more));
    }
    write(&at("whole.wav"), 48_000.0, StoredFormat::Float32, &whole);

    let answer = json(0, &["album", text(&at("one.wav")), text(&at("two.wav")), text(&three)]);
    let album = &answer["album"];
    let expected = reading(&at("whole.wav"));
    for (key, tolerance) in [("integrated_lufs", 0.01), ("loudness_range_lu", 0.05), ("true_peak_dbtp", 0.01)]
    {
        let (a, b) = (number(&album[key]), number(&expected[key]));
        assert!((a - b).abs() <= tolerance, "{key}: {a} against {b}");
    }
    let tracks = answer["tracks"].as_array().unwrap();
    assert_eq!(tracks[2]["track"], "three");
    let loudness = |i: usize| number(&tracks[i]["reading"]["integrated_lufs"]);
    let summed = number(&reading(&at("three.wav"))["integrated_lufs"]);
    assert!((loudness(2) - summed).abs() < 1e-4, "{} against {summed}", loudness(2));
    assert_eq!(tracks[0]["step_lu"], value!(null));
    assert!((number(&tracks[1]["step_lu"]) - (loudness(1) - loudness(0))).abs() < 1e-9);
    let over = number(&tracks[1]["over_album_lu"]);
    assert!((over - (loudness(1) - number(&album["integrated_lufs"]))).abs() < 1e-9);

    // Down by the whole difference: the loudest tracks by themselves, all by the same in album mode.
    let target =
        |id: &str| answer["targets"].as_array().unwrap().iter().find(|t| t["id"] == id).unwrap().clone();
    let quiet = target("spotify-quiet");
    let track = number(&quiet["track_gains_db"][2]);
    assert!(loudness(2) > -19.0 && (track - (-19.0 - loudness(2))).abs() < 1e-9, "{track}");
    let gain = number(&quiet["album_gain_db"]);
    assert!((gain - (-19.0 - number(&album["integrated_lufs"]))).abs() < 1e-9, "{gain}");
    assert_eq!(target("youtube")["album_gain_db"], value!(null), "YouTube has no album mode");

    let shown = stems(&["album", text(&at("one.wav")), text(&three), "--target", "spotify"]);
    assert!(
        shown.code == 0 && shown.out.contains("album mode") && shown.out.contains("three"),
        "{}",
        shown.out
    );
    fails(&["album", text(&at("none.wav"))], &["none.wav", "check the path"]);
    fails(&["album", text(&three), "--target", "nowhere"], &["nowhere"]);
    std::fs::create_dir(at("empty")).unwrap();
    fails(&["album", text(&at("empty"))], &["holds no stems"]);
}

/// Three songs of different levels, the second in mono, the third as stems.
fn three_songs(folder: &Path) -> Vec<PathBuf> {
    let at = |name: &str| folder.join(name);
    write(&at("01 One.wav"), 48_000.0, StoredFormat::Float32, &part(1, 48_000.0, 8.0, 2, 0.3));
    write(&at("02 Two.wav"), 48_000.0, StoredFormat::Int24, &part(2, 48_000.0, 6.0, 1, 0.05));
    song(&at("03 Three"), 7.0, 0.3);
    std::fs::write(
        at("03 Three").join("session.toml"),
        "schema = \"stemlink.session/1\"\n[deliver]\nisrc = { master = \"DE-A1B-26-00003\" }\n",
    )
    .unwrap();
    ["01 One.wav", "02 Two.wav", "03 Three"].map(at).to_vec()
}

fn album(paths: &[PathBuf], code: i32, more: &[&str]) -> Value {
    let mut args = vec!["album"];
    args.extend(paths.iter().map(|path| text(path)));
    args.extend(more);
    json(code, &args)
}

fn figures(list: &Value, key: &str) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|one| number(&one["reading"][key])).collect()
}

#[test]
fn tracks_are_matched_with_one_gain_each_and_written_so() {
    let folder = temporary();
    let songs = three_songs(folder.path());
    let mut sum = read(&songs[0]);
    let stems: Vec<Audio> =
        names(&songs[2]).iter().filter(|n| n.ends_with(".wav")).map(|n| read(&songs[2].join(n))).collect();
    for (measure, key) in [
        ("integrated", "integrated_lufs"),
        ("short-term", "short_term_max_lufs"),
        ("loudest-track", "integrated_lufs"),
    ] {
        let out = folder.path().join(measure);
        let asked =
            ["--match", measure, "--to", "-22", "--out", text(&out), "--gap", "0,1.5", "--artist", "X"];
        let answer = album(&songs, 0, &asked);
        let (matched, written) = (&answer["match"], &answer["written"]);
        assert_eq!((matched["by"].as_str().unwrap(), number(&matched["down_db"])), (measure, 0.0));
        let before = figures(&answer["tracks"], key);
        let after = figures(&written["files"], key);
        let trims: Vec<f64> = matched["trims_db"].as_array().unwrap().iter().map(number).collect();
        for ((before, after), trim) in before.iter().zip(&after).zip(&trims) {
            assert!((after - before - trim).abs() < 0.01, "{measure}: {before} {after} {trim}");
            if measure != "loudest-track" {
                assert!((after + 22.0).abs() < 0.01, "{measure}: {after}");
            }
        }
        if measure == "loudest-track" {
            let loudest = after.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            assert!((loudest + 22.0).abs() < 0.01 && trims.iter().all(|trim| *trim == trims[0]), "{after:?}");
        }
        // what was written is the song times its gain, but for the dither
        let files = written["files"].as_array().unwrap();
        assert!(files.iter().all(|file| file["verified"] == true && number(&file["limiting_db"]) == 0.0));
        for (n, audio) in [(0, vec![read(&songs[0])]), (1, vec![read(&songs[1])]), (2, stems.clone())] {
            let gain = units::Db(trims[n]).gain();
            let written = read(Path::new(files[n]["path"].as_str().unwrap()));
            for (side, plane) in written.iter().enumerate() {
                sum[0].clear();
                for part in &audio {
                    let from = part.get(side).unwrap_or(&part[0]);
                    sum[0].resize(from.len(), 0.0);
                    sum[0].iter_mut().zip(from).for_each(|(sum, x)| *sum += x);
                }
                assert_eq!(plane.len(), sum[0].len());
                assert!(plane.iter().zip(&sum[0]).all(|(y, x)| (y - gain * x).abs() < 3e-7), "{measure} {n}");
            }
        }
        assert_eq!(names(&out), ["01 One.wav", "02 Two.wav", "03 Three.wav", &format!("{measure}.cue")]);
        let sheet = std::fs::read_to_string(out.join(format!("{measure}.cue"))).unwrap();
        let track = |n: usize, title: &str, more: &str| {
            format!(
                "FILE \"{n:02} {title}.wav\" WAVE\n  TRACK {n:02} AUDIO\n    TITLE \"{title}\"\n    \
                 PERFORMER \"X\"\n{more}    INDEX 01 00:00:00\n"
            )
        };
        let tracks = [
            track(1, "One", ""),
            track(2, "Two", ""),
            track(3, "Three", "    ISRC DEA1B2600003\n    PREGAP 00:01:38\n"),
        ];
        let expected = format!("PERFORMER \"X\"\nTITLE \"{measure}\"\n{}", tracks.concat());
        assert_eq!(sheet.replace("\r\n", "\n"), expected);
    }
}

#[test]
fn a_track_of_stems_is_titled_as_its_session_says() {
    let folder = temporary();
    let songs = three_songs(folder.path());
    let session = "schema = \"stemlink.session/1\"\n[deliver]\ntitle = \"C/D\"\n";
    std::fs::write(songs[2].join("session.toml"), session).unwrap();
    let out = folder.path().join("out");
    let answer = album(&songs, 0, &["--match", "integrated", "--to", "-22", "--out", text(&out)]);
    assert_eq!(answer["written"]["files"][2]["title"], "C/D");
    assert_eq!(names(&out)[..3], ["01 One.wav", "02 Two.wav", "03 C_D.wav"]);
}

#[test]
fn the_album_comes_down_alike_for_its_ceiling_unless_a_limiter_is_asked_for() {
    let folder = temporary();
    let songs = three_songs(folder.path());
    let wanted = album(&songs, 0, &["--match", "integrated", "--to=-8", "--ceiling", "0"]);
    assert!(number(&wanted["match"]["down_db"]) > 3.0, "{}", wanted["match"]);
    let out = folder.path().join("down");
    let answer = album(&songs, 0, &["--match", "integrated", "--to=-8", "--ceiling=-2", "--out", text(&out)]);
    let down = number(&answer["match"]["down_db"]);
    assert!((down - number(&wanted["match"]["down_db"]) - 2.0).abs() < 0.15, "{down}");
    let files = &answer["written"]["files"];
    let peaks: Vec<f64> = files.as_array().unwrap().iter().map(|f| number(&f["strict_peak_dbtp"])).collect();
    let highest = peaks.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert!((highest + 2.0).abs() < 0.05, "the loudest peak is at the ceiling: {peaks:?}");
    assert!(files.as_array().unwrap().iter().all(|file| number(&file["limiting_db"]) < 0.06), "{files}");
    for loudness in figures(files, "integrated_lufs") {
        assert!((loudness - (-8.0 - down)).abs() < 0.02, "{loudness} {down}");
    }

    let out = folder.path().join("limited");
    let asked = ["--match", "integrated", "--to=-8", "--ceiling=-2", "--limiter", "--out", text(&out)];
    let answer = album(&songs, 0, &asked);
    assert_eq!((number(&answer["match"]["down_db"]), &answer["match"]["bound_by"]), (0.0, &value!(null)));
    let files = answer["written"]["files"].as_array().unwrap();
    assert!(files.iter().all(|file| number(&file["strict_peak_dbtp"]) <= -1.95 && file["verified"] == true));
    assert!(files.iter().any(|file| number(&file["limiting_db"]) > 3.0), "{files:?}");
}

#[test]
fn without_a_loudness_the_median_or_that_of_the_standard_is_matched() {
    let folder = temporary();
    let songs = three_songs(folder.path());
    let answer = album(&songs, 0, &["--match", "short-term"]);
    let mut there = figures(&answer["tracks"], "short_term_max_lufs");
    there.sort_by(f64::total_cmp);
    assert!((number(&answer["match"]["aim_lufs"]) - there[1]).abs() < 1e-9);
    assert_eq!(answer["written"], value!(null));
    let standard = album(&songs, 0, &["--match", "loudest-track", "--limiter"]);
    assert_eq!(number(&standard["match"]["aim_lufs"]), -14.0, "AES TD1008");
}

#[test]
fn nothing_of_an_album_is_overwritten_or_guessed() {
    let folder = temporary();
    let songs = three_songs(folder.path());
    let all: Vec<&str> = songs.iter().map(|path| text(path)).collect();
    let fails_with = |more: &[&str], what: &[&str]| {
        let args: Vec<&str> = ["album", "--as", "stems"]
            .into_iter()
            .chain(all.iter().copied())
            .chain(more.iter().copied())
            .collect();
        fails(&args, what)
    };
    let out = folder.path().join("out");
    let into = ["--match", "integrated", "--out", text(&out)];
    fails_with(&[&into[..], &["--gap", "1,2,3"]].concat(), &["--gap", "3 gaps", "have 2"]);
    fails_with(&[&into[..], &["--isrc", "DEA1B2600001"]].concat(), &["--isrc", "3 tracks"]);
    fails_with(&[&into[..], &["--isrc", "DEA1B2600001,-,DEA1B26"]].concat(), &["DEA1B26", "no ISRC"]);
    fails_with(
        &[&into[..], &["--isrc", "DEA1B2600001,-,DE-A1B-26-00001"]].concat(),
        &["DEA1B2600001", "twice"],
    );
    fails_with(&["--to=-14"], &["--match"]);
    fails_with(&["--match", "integrated", "--to", "3"], &["-50 to 0"]);
    // the first file that it would write is the first track
    let here = ["--match", "integrated", "--out", text(folder.path())];
    fails_with(&[&here[..], &["--force"]].concat(), &["01 One.wav", "is the track", "another"]);
    assert!(!out.exists(), "nothing was made");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("out.cue"), "mine").unwrap();
    fails_with(&into, &["out.cue", "--force"]);
    assert_eq!(names(&out), ["out.cue"]);
    assert_eq!(std::fs::read_to_string(out.join("out.cue")).unwrap(), "mine");
    album(&songs, 0, &[&into[..], &["--force"]].concat());
    assert_eq!(names(&out).len(), 4);
    write_plain(&folder.path().join("silence.wav"), &vec![vec![0.0; 48_000]; 2]);
    fails(
        &["album", text(&folder.path().join("silence.wav")), "--match", "integrated"],
        &["silence.wav", "no loudness"],
    );
}
