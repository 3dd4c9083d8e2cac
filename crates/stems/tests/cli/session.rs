//! Settings of session.toml.

use std::path::Path;

use serde_json::Value;

use super::tool::*;

const START: &str = "schema = \"stemlink.session/1\"\n";
const DRUMS: &str = "[[stems]]\nfile = \"01_Drums_Stem.wav\"\n";

/// Writes session.toml and masters `dir` as it leaves it.
#[track_caller]
fn as_is(dir: &Path, session: &str) -> Value {
    master(dir, &format!("{START}[master]\nloudness = \"as-is\"\n{session}"))
}

#[track_caller]
fn master(dir: &Path, session: &str) -> Value {
    std::fs::write(dir.join("session.toml"), session).unwrap();
    let out = dir.join("out");
    let answer = json(0, &["master", text(dir), "--out", text(&out), "--force"]);
    assert_eq!(answer["deliverables"][0]["verified"], true, "{answer}");
    answer
}

fn loudness(answer: &Value) -> f64 {
    number(&answer["deliverables"][0]["reading"]["integrated_lufs"])
}

fn without_session(dir: &Path, gains: &[f64]) -> f64 {
    let files: Vec<_> = names(dir).iter().filter(|n| n.ends_with(".wav")).map(|n| dir.join(n)).collect();
    let elsewhere = temporary();
    let path = elsewhere.path().join("render.wav");
    render(&files, gains, 48_000.0, &path);
    number(&reading(&path)["integrated_lufs"])
}

#[test]
fn levels_mutes_and_as_is_do_what_they_say() {
    let folder = temporary();
    let dir = folder.path();
    song(dir, 4.5, 0.5);
    let near = |a: f64, b: f64| assert!((a - b).abs() < 0.01, "{a} {b}");
    let plain = as_is(dir, "");
    assert_eq!((number(&plain["gain_db"]), plain["stopped_by"].as_str().unwrap()), (0.0, "as_is"));
    near(loudness(&plain), without_session(dir, &[0.0; 3]));
    let level = as_is(dir, &format!("{DRUMS}[stems.chain]\nlevel = -6\n"));
    near(loudness(&level), without_session(dir, &[-6.0, 0.0, 0.0]));
    let mute = as_is(dir, &format!("{DRUMS}mute = true\n"));
    near(loudness(&mute), without_session(dir, &[-200.0, 0.0, 0.0]));
    let own = as_is(dir, "[master.chain]\nlevel = -3\n");
    near(loudness(&own), loudness(&plain) - 3.0);
    let bass = "[[stems]]\nfile = \"02_Bass_Stem.wav\"\nname = \"Low End\"\nrole = \"bass\"\n";
    std::fs::write(dir.join("session.toml"), format!("{START}targets = [\"youtube\"]\n{bass}")).unwrap();
    let answer = json(0, &["what-if", text(dir), "--move", "low end=2"]);
    assert_eq!(answer["moves"][0]["stem"], "Low End");
    assert_eq!(answer["targets"].as_array().unwrap().len(), 1, "the session's targets");
}

#[test]
fn the_equalizer_and_the_compressor_are_in_the_path() {
    let folder = temporary();
    let dir = folder.path();
    write_plain(&dir.join("Tone.wav"), &sine(1000.0, 48_000.0, 4.0, 2, 0.25));
    let plain = loudness(&as_is(dir, ""));
    let tone = "[[stems]]\nfile = \"Tone.wav\"\n[stems.chain]\n";
    let bell =
        as_is(dir, &format!("{tone}eq5_on = true\neq5_shape = \"bell\"\neq5_freq = 1000\neq5_gain = -6\n"));
    assert!((loudness(&bell) - plain + 6.0).abs() < 0.05, "{} {plain}", loudness(&bell));
    let squeeze = "comp_on = true\ncomp_threshold = -24\ncomp_ratio = 4\ncomp_knee = 0\ncomp_cap = 24\ncomp_detector = \"peak\"\n";
    // 12 dB over the threshold at 4:1 takes 9 dB away.
    let compressed = as_is(dir, &format!("{tone}{squeeze}"));
    assert!((loudness(&compressed) - plain + 9.0).abs() < 0.6, "{} {plain}", loudness(&compressed));
    let on_master = as_is(dir, &format!("[master.chain]\n{squeeze}"));
    assert!((loudness(&on_master) - loudness(&compressed)).abs() < 0.05);
    // What-if goes through the same chains.
    std::fs::write(dir.join("session.toml"), format!("{START}[master.chain]\n{squeeze}")).unwrap();
    let answer = json(0, &["what-if", text(dir), "--move", "Tone=4"]);
    let cost = number(&answer["after"]["integrated_lufs"]) - number(&answer["before"]["integrated_lufs"]);
    assert!((cost - 1.0).abs() < 0.1, "behind 4:1, 4 dB are 1 dB: {cost}");
}

#[test]
fn the_ceiling_and_the_target_of_the_session_hold() {
    let folder = temporary();
    let dir = folder.path();
    song(dir, 5.0, 1.0);
    let under = |ceiling: i32, target: &str| {
        format!("{START}[master]\nloudness = \"{target}\"\n[master.chain]\nlim_ceiling = {ceiling}\n")
    };
    let lower = master(dir, &under(-4, "spotify"));
    assert!((loudness(&lower) + 14.0).abs() <= 0.1);
    assert_eq!(number(&lower["ceiling_dbtp"]), -4.0);
    assert!(number(&lower["strict_peak_dbtp"]) <= -3.95);
    // Louder than a ceiling allows: as near as can be, held, and said.
    std::fs::write(dir.join("session.toml"), under(-12, "spotify-loud")).unwrap();
    let nearest = json(1, &["master", text(dir), "--out", text(&dir.join("out")), "--force"]);
    assert_eq!(
        (&nearest["stopped_by"], &nearest["deliverables"][0]["verified"]),
        (&"out_of_reach".into(), &true.into())
    );
    assert!(number(&nearest["strict_peak_dbtp"]) <= -11.95);
    let warning = nearest["warnings"].as_array().unwrap().last().unwrap().as_str().unwrap();
    assert!(warning.contains("-11.0 LUFS is out of reach") && warning.contains("-12.0 dBTP"), "{warning}");
    // The command line overrules the session.
    let out = dir.join("out");
    let other = json(0, &["master", text(dir), "--out", text(&out), "--force", "--target", "ebu-r128"]);
    assert!((loudness(&other) + 23.0).abs() <= 0.1);
    std::fs::write(dir.join("session.toml"), format!("{START}[master]\nloudness = \"spotfy\"\n")).unwrap();
    fails(&["master", text(dir), "--out", text(&dir.join("new"))], &["spotfy", "spotify-loud"]);
    assert!(!dir.join("new").exists());
}

#[test]
fn a_session_from_elsewhere_is_taken_and_a_bad_one_refused() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    song(&dir, 4.0, 1.0);
    let session = folder.path().join("other.toml");
    let moves = ["what-if", text(&dir), "--move", "Bass=1", "--session", text(&session)];
    let master = ["master", text(&dir), "--out", text(&out), "--session", text(&session)];
    let solve = ["solve", text(&dir), "--target", "spotify", "--session", text(&session)];
    std::fs::write(&session, format!("{START}[master.chain]\nlevel = -5\n")).unwrap();
    json(0, &moves);
    let stem = format!("{START}{DRUMS}");
    for (text, words) in [
        (String::new(), &["schema"][..]),
        ("schema = 3".into(), &["line 1", "a string"]),
        (format!("{START}colour = \"red\"\n"), &["line 2", "colour"]),
        (format!("{START}[master.chain]\nlevl = 3\n"), &["levl", "level"]),
        (format!("{START}[master.chain]\nlevel = 300\n"), &["level", "300", "12 dB"]),
        (format!("{START}[master.chain]\nlevel = nan\n"), &["level", "nan"]),
        (format!("{stem}mut = true\n"), &["mut"]),
        (format!("{stem}role = \"hero\"\n"), &["hero", "drums"]),
        (format!("{START}[[stems]]\nfile = \"../x.wav\"\n"), &["../x.wav", "not in"]),
        (format!("{START}[[stems]]\nfile = \"04_Horns.wav\"\n"), &["04_Horns.wav", "not in"]),
        (format!("{stem}{DRUMS}"), &["twice"]),
        (format!("{stem}name = \"Bass\"\n"), &["Bass", "rename"]),
        ("\u{0}\u{1}".into(), &["line 1"]),
    ] {
        std::fs::write(&session, text).unwrap();
        for args in [&moves[..], &master, &solve] {
            fails(args, &[&["other.toml"][..], words].concat());
        }
    }
    std::fs::write(&session, [0xff, 0xfe, 0x80]).unwrap();
    fails(&moves, &["other.toml"]);
    std::fs::remove_file(&session).unwrap();
    fails(&master, &["other.toml", "no such file"]);
    assert!(!out.exists());
}
