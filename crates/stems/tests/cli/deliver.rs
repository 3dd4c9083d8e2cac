//! Deliveries: stems that sum to the master, versions that can be cut against it, and a manifest that is true.

use std::fs;
use std::path::{Path, PathBuf};

use audiofile::AudioReader;
use render::hash::sha256;
use render::progress::Silent;
use serde_json::Value;

use super::tool::*;

/// Every unit of the master at work, a different way for each class.
const MASTER: &str = "eq1_on = true\neq1_shape = \"low shelf\"\neq1_freq = 200\neq1_gain = 3\neq1_range = -9\neq1_threshold = -40\n\
    comp_on = true\ncomp_threshold = -30\ncomp_ratio = 3\ncomp_cap = 12\ncomp_makeup = 4\ncomp_mix = 0.8\ncomp_link = 0.7\n\
    comp_lookahead = 2\nwidth = 1.2\nmono_below = 90\nlevel = 3\ndc_on = true\n";

/// Writes a session for a song of [`song`]: `head` before, `master` in the master's chain, `stems` behind.
fn session(dir: &Path, head: &str, master: &str, stems: &str) {
    let text = format!("schema = \"stemlink.session/1\"\n{head}\n[master.chain]\n{master}\n{stems}");
    fs::write(dir.join("session.toml"), text).unwrap();
}

/// A song of four stems: drums, bass, a lead that is silent in the second half, and backing.
fn four(dir: &Path, seconds: f64) {
    song(dir, seconds, 1.0);
    let lead = dir.join("03_Vocals_Stem.wav");
    let mut audio = read(&lead);
    for plane in &mut audio {
        let half = plane.len() / 2;
        plane[half..].fill(0.0);
    }
    write_plain(&lead, &audio);
    write_plain(&dir.join("04_Choir_Stem.wav"), &part(44, 48_000.0, seconds, 1, 0.1));
}

fn files(manifest: &Value) -> &Vec<Value> {
    manifest["deliverables"].as_array().unwrap()
}

/// The files of one kind.
fn of_kind(manifest: &Value, kind: &str) -> Vec<PathBuf> {
    let files = files(manifest).iter().filter(|file| file["kind"] == kind);
    files.map(|file| PathBuf::from(file["path"].as_str().unwrap())).collect()
}

fn the(manifest: &Value, kind: &str) -> PathBuf {
    let [one] = &of_kind(manifest, kind)[..] else { panic!("one {kind} in {manifest}") };
    one.clone()
}

/// The largest sample of the first less the others, each at a gain.
fn rest(whole: &Path, parts: &[PathBuf], gain: f64) -> f64 {
    let mut rest = read(whole);
    for part in parts {
        for (rest, part) in rest.iter_mut().zip(read(part)) {
            assert_eq!(rest.len(), part.len(), "all start and end together");
            rest.iter_mut().zip(part).for_each(|(rest, x)| *rest -= gain * x);
        }
    }
    rest.iter().flatten().fold(0.0, |most, x| most.max(x.abs()))
}

fn parts_of(out: &Path, manifest: &Value) -> Vec<PathBuf> {
    let parts = [of_kind(manifest, "stem"), of_kind(manifest, "residual")].concat();
    parts.iter().map(|part| out.join(part)).collect()
}

#[test]
fn mastered_stems_sum_to_the_master() {
    let folder = temporary();
    let dir = folder.path().join("song");
    four(&dir, 3.0);
    let saturated = format!("{MASTER}sat_on = true\nsat_drive = 6\nsat_curve = \"clip\"\n");
    let denoised = format!("{saturated}dn_on = true\ndn_reduction = 12\neq2_on = true\neq2_gain = -4\n");
    let linear = "[master]\nlatency = \"linear_denoise\"";
    let stem = "[[stems]]\nfile = \"01_Drums_Stem.wav\"\n[stems.chain]\ncomp_on = true\n";
    for (i, (head, master)) in
        [("", ""), ("", MASTER), ("", &saturated), (linear, &denoised)].into_iter().enumerate()
    {
        session(&dir, head, master, stem);
        for float in [false, true] {
            let out = folder.path().join(format!("out{i}{float}"));
            let mut args = vec!["deliver", text(&dir), "--out", text(&out), "--make", "stems"];
            args.extend(["--target", "spotify-loud"]);
            if float {
                args.push("--float");
            }
            let manifest = json(0, &args);
            let parts = parts_of(&out, &manifest);
            assert_eq!(parts.len(), 4 + usize::from(i >= 2), "what saturates leaves a residual");
            let gain = 10f64.powf(-number(&manifest["stems_gain_db"]) / 20.0);
            let left = rest(&out.join(the(&manifest, "master")), &parts, gain);
            // STANDARDS: 1.5 LSB for each file that is rounded with dither; -120 dBFS as float.
            let bound = if float { 1e-6 } else { (1.0 + parts.len() as f64 * gain) * 1.5 / 8_388_608.0 };
            assert!(left <= bound, "{i} {float}: {left:e} over {bound:e}");
            let told = manifest["null_dbfs"].as_f64().map_or(0.0, |db| 10f64.powf(db / 20.0));
            assert!((told - left).abs() <= 1e-3 * left, "{told:e} is told, {left:e} is left");
            if !float {
                let plain = folder.path().join(format!("plain{i}"));
                let args = ["master", text(&dir), "--out", text(&plain), "--target", "spotify-loud"];
                assert_eq!(stems(&args).code, 0);
                let same = read(&plain.join("song_Master.wav")) == read(&out.join(the(&manifest, "master")));
                assert!(same, "{i}: the master is that of stems master");
            }
        }
    }
}

#[test]
fn stems_sum_to_the_master_whatever_the_session() {
    let folder = temporary();
    let dir = folder.path().join("song");
    song(&dir, 1.0, 1.0);
    let mut random = Random::new(77);
    for round in 0..12 {
        let mut chain = String::new();
        let mut add =
            |key: &str, low: f64, high: f64| chain += &format!("{key} = {}\n", random.between(low, high));
        add("in_trim", -12.0, 12.0);
        add("eq1_gain", -15.0, 15.0);
        add("eq1_freq", 30.0, 15_000.0);
        add("eq1_range", -15.0, 15.0);
        add("eq1_threshold", -60.0, -10.0);
        add("eq2_gain", -15.0, 15.0);
        add("eq2_freq", 30.0, 15_000.0);
        add("comp_threshold", -60.0, -10.0);
        add("comp_ratio", 1.0, 10.0);
        add("comp_attack", 0.05, 50.0);
        add("comp_mix", 0.0, 1.0);
        add("comp_link", 0.0, 1.0);
        add("comp_makeup", -6.0, 18.0);
        add("width", 0.0, 2.0);
        add("level", -12.0, 12.0);
        add("sat_drive", 0.0, 18.0);
        add("dn_reduction", 0.0, 24.0);
        add("lim_drive", 0.0, 12.0);
        let on = "eq1_on = true\neq2_on = true\ncomp_on = true\nlim_on = true\n";
        let head = ["zero", "lookahead", "linear_denoise"][round % 3];
        let units = ["", "sat_on = true\n", "sat_on = true\ndn_on = true\n"][round % 3];
        session(
            &dir,
            &format!("[master]\nlatency = \"{head}\"\nloudness = \"as-is\""),
            &format!("{on}{units}{chain}"),
            "",
        );
        let out = folder.path().join(format!("out{round}"));
        let args = ["deliver", text(&dir), "--out", text(&out), "--make", "stems", "--float"];
        let manifest = json(0, &args);
        let left = rest(&out.join(the(&manifest, "master")), &parts_of(&out, &manifest), 1.0);
        assert!(left <= 1e-6, "{round}: {left:e}\n{chain}");
        fs::remove_dir_all(&out).unwrap();
    }
}

#[test]
fn a_version_is_the_master_where_the_stems_left_out_are_silent() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    four(&dir, 4.0);
    session(&dir, "", &format!("{MASTER}sat_on = true\nsat_drive = 9\n"), "");
    let args = ["deliver", text(&dir), "--out", text(&out), "--float"];
    let manifest = json(0, &args);
    let names_of = |kind: &str| {
        let file = files(&manifest).iter().find(|file| file["kind"] == kind).unwrap();
        file["stems"].to_string()
    };
    assert_eq!(names_of("instrumental"), r#"["Drums","Bass"]"#);
    assert_eq!(names_of("a-cappella"), r#"["Vocals","Choir"]"#);
    assert_eq!(names_of("tv-mix"), r#"["Drums","Bass","Choir"]"#);
    let master = read(&out.join(the(&manifest, "master")));
    let tv = read(&out.join(the(&manifest, "tv-mix")));
    let trim = files(&manifest).iter().find(|file| file["kind"] == "tv-mix").unwrap()["trim_db"].clone();
    let gain = 10f64.powf(-number(&trim) / 20.0);
    let frames = master[0].len();
    assert_eq!(tv[0].len(), frames, "versions are locked to the master");
    let apart = |from: usize, to: usize| {
        let sides = master.iter().zip(&tv).flat_map(|(m, t)| m[from..to].iter().zip(&t[from..to]));
        sides.fold(0.0f64, |most, (m, t)| most.max((m - gain * t).abs()))
    };
    // A quarter of a second after the lead has ended its echoes in filters have too.
    assert!(apart(frames / 2 + 12_000, frames) < 1e-6, "{:e}", apart(frames / 2 + 12_000, frames));
    assert!(apart(0, frames / 2) > 1e-2, "where the lead sings they differ");
    // Clean stems are what the chains leave: with neutral chains, the stems.
    let clean = of_kind(&manifest, "clean-stem");
    assert_eq!(clean.len(), 4);
    assert!(read(&out.join(&clean[0])) == read(&dir.join("01_Drums_Stem.wav")));
}

#[test]
fn a_duck_that_a_version_does_not_explain_is_told_with_its_cure() {
    let folder = temporary();
    let dir = folder.path().join("song");
    song(&dir, 3.0, 0.4);
    write_plain(&dir.join("03_Vocals_Stem.wav"), &part(9, 48_000.0, 3.0, 2, 2.0));
    session(
        &dir,
        "",
        "comp_on = true\ncomp_threshold = -30\ncomp_ratio = 8\ncomp_cap = 12\ncomp_attack = 1\n",
        "",
    );
    let out = folder.path().join("out");
    let base = ["deliver", text(&dir), "--make", "instrumental", "--out"];
    let manifest = json(0, &[&base[..], &[text(&out)]].concat());
    let file = files(&manifest).iter().find(|file| file["kind"] == "instrumental").unwrap();
    let lost = number(&file["unexplained_db"]);
    assert!(lost > 3.0, "{lost}");
    let warning = manifest["warnings"].to_string();
    assert!(warning.contains(&format!("{lost:.1} dB")) && warning.contains("--own-gain"), "{warning}");
    let own = folder.path().join("own");
    let alone = json(0, &[&base[..], &[text(&own), "--own-gain"]].concat());
    assert!(!alone["warnings"].to_string().contains("--own-gain"), "{}", alone["warnings"]);
    let louder = |manifest: &Value| {
        let file = files(manifest).iter().find(|file| file["kind"] == "instrumental").unwrap().clone();
        number(&file["reading"]["integrated_lufs"]) - number(&file["trim_db"])
    };
    assert!(louder(&alone) > louder(&manifest) + 1.0);
}

#[test]
fn stems_that_would_clip_and_versions_over_the_ceiling_are_turned_down_and_told() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    fs::create_dir(&dir).unwrap();
    // Two stems that cancel: each is far above the master.
    let audio = part(3, 48_000.0, 2.0, 2, 0.8);
    let other: Audio = audio.iter().map(|plane| plane.iter().map(|x| -0.9 * x).collect()).collect();
    write_plain(&dir.join("01_Keys_Stem.wav"), &audio);
    write_plain(&dir.join("02_Vocals_Stem.wav"), &other);
    let args = ["deliver", text(&dir), "--out", text(&out), "--target", "spotify"];
    let manifest = json(0, &args);
    let lower = number(&manifest["stems_gain_db"]);
    assert!(lower < -6.0, "{lower}");
    for file in files(&manifest) {
        let peak = number(&file["reading"]["sample_peak_dbfs"]);
        assert!(peak <= 0.0, "{file}");
        if matches!(file["kind"].as_str(), Some("instrumental" | "a-cappella")) {
            assert!(
                number(&file["trim_db"]) < -6.0 && number(&file["reading"]["true_peak_dbtp"]) <= -0.95,
                "{file}"
            );
        }
    }
    let warnings = manifest["warnings"].to_string();
    assert!(warnings.contains("all stems are") && warnings.contains("over the ceiling"), "{warnings}");
    let float =
        json(0, &["deliver", text(&dir), "--out", text(&out), "--target", "spotify", "--float", "--force"]);
    assert_eq!(number(&float["stems_gain_db"]), 0.0);
    assert!(files(&float).iter().any(|file| number(&file["reading"]["sample_peak_dbfs"]) > 3.0));
}

#[test]
fn pieces_begin_where_they_should_with_fades() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    song(&dir, 8.0, 1.0);
    let cut = "[deliver]\ncutdowns = [{ length = 4, at = \"0:02.5\", of = \"instrumental\", fade_in = 0.5, fade_out = 1 }, { length = 2, at = 0 }]";
    session(&dir, cut, MASTER, "");
    let manifest = json(0, &["deliver", text(&dir), "--out", text(&out), "--make", "instrumental", "--cd"]);
    let pieces = of_kind(&manifest, "cutdown");
    assert_eq!(pieces.len(), 4, "each at 44.1 kHz too");
    let (whole, piece) = (read(&out.join("song_Instrumental.wav")), read(&out.join(&pieces[0])));
    assert_eq!(pieces[0], Path::new("song_Instrumental 4s.wav"));
    assert_eq!(piece[0].len(), 192_000);
    let step = 2.5 / 8_388_608.0;
    for at in (24_000..144_000).step_by(100) {
        assert!((piece[0][at] - whole[0][120_000 + at]).abs() < step, "in step with the version");
    }
    assert!(piece[0][0].abs() < step && piece[0][191_999].abs() < step);
    assert!((piece[1][12_000] - 0.5 * whole[1][132_000]).abs() < step);
    for file in files(&manifest).iter().filter(|file| number(&file["rate_hz"]) == 44_100.0) {
        assert_eq!(
            (file["format"].as_str(), file["verified"].as_bool()),
            (Some("16 bit"), Some(true)),
            "{file}"
        );
        assert!(number(&file["reading"]["true_peak_dbtp"]) <= -0.95);
        let seconds = match file["kind"].as_str() {
            Some("cutdown") => number(&file["frames"]) / 44_100.0,
            _ => 8.0,
        };
        assert_eq!(number(&file["frames"]), (seconds * 44_100.0).round());
    }
    let late = ["deliver", text(&dir), "--out", text(&out), "--force", "--cutdown", "30@0:07"];
    fails(&late, &["30 s at 0:07.000 ends at 0:37.000", "begin earlier"]);
}

#[test]
fn the_manifest_is_true_and_files_say_what_they_are() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    song(&dir, 2.0, 1.0);
    let head = "[deliver]\ntitle = \"Blå\"\nartist = \"The Ärzte\"\nengineer = \"xy1\"\nnames = \"academy\"\n\
        isrc = { master = \"DE-A1B-26-00001\" }";
    session(&dir, head, "", "");
    let manifest = json(0, &["deliver", text(&dir), "--out", text(&out)]);
    let on_disk: Value = serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(on_disk, manifest);
    assert!(out.join("TAe_Bla_Xy1_Master_48k24.wav").is_file(), "{:?}", names(&out));
    for file in files(&manifest) {
        let path = out.join(file["path"].as_str().unwrap());
        assert_eq!(file["sha256"], sha256(&path, &mut Silent).unwrap());
        assert_eq!(file["bytes"], fs::metadata(&path).unwrap().len());
        let bext = AudioReader::open(&path).unwrap().info().bext.clone().unwrap();
        assert_eq!(bext.version, 2);
        assert!(bext.description.starts_with("The ?rzte - Bl?"), "{}", bext.description);
        let told = bext.loudness.integrated.unwrap().0;
        assert!((told - number(&file["reading"]["integrated_lufs"])).abs() < 0.006);
        let bytes = fs::read(&path).unwrap();
        let holds = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
        assert!(holds("INAM".as_bytes()) && holds("The Ärzte\0".as_bytes()));
        assert_eq!(holds(b"ISRC:DEA1B2600001"), file["kind"] == "master", "{path:?}");
    }
    // The stems of a delivery are stems, and null.
    let dir = out.join("Stems");
    let check = json(0, &["check", text(&dir), "--mix", text(&out.join("TAe_Bla_Xy1_Master_48k24.wav"))]);
    assert_eq!(check["null"]["verdict"], "PASS");
}

#[test]
fn nothing_is_overwritten_and_nothing_lies_outside() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("deep/out"));
    song(&dir, 1.0, 1.0);
    let evil = "[deliver]\ntitle = \"../../Title\"\nartist = \"/etc\"\n";
    let stems_of = "[[stems]]\nfile = \"01_Drums_Stem.wav\"\nname = \"../../../Drums\"\n\
        [[stems]]\nfile = \"02_Bass_Stem.wav\"\nname = \"..\"\n[[stems]]\nfile = \"03_Vocals_Stem.wav\"\nname = \"a/b\\\\c\"\nrole = \"vocals\"\n";
    session(&dir, evil, "", stems_of);
    let manifest = json(0, &["deliver", text(&dir), "--out", text(&out)]);
    assert_eq!(names(folder.path()), ["deep", "song"]);
    assert_eq!(names(&folder.path().join("deep")), ["out"]);
    for file in files(&manifest) {
        let path = PathBuf::from(file["path"].as_str().unwrap());
        assert!(path.components().all(|part| matches!(part, std::path::Component::Normal(_))), "{path:?}");
    }
    let args = ["deliver", text(&dir), "--out", text(&out)];
    let before = fs::read(out.join("manifest.json")).unwrap();
    fails(&args, &["already exists", "--force"]);
    fs::remove_file(out.join("manifest.json")).unwrap();
    fails(&args, &["already exists", "--force"]);
    assert!(!out.join("manifest.json").exists());
    let again = json(0, &[&args[..], &["--force"]].concat());
    assert_eq!(again, manifest, "the same goes in, the same comes out");
    assert_eq!(fs::read(out.join("manifest.json")).unwrap(), before);
}

#[test]
fn what_cannot_be_delivered_is_refused_before_any_work() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    song(&dir, 1.0, 1.0);
    session(&dir, "", "sat_on = true\nsat_drive = 6\n", "");
    let base = ["deliver", text(&dir), "--out", text(&out)];
    let refuse = |more: &[&str], words: &[&str]| {
        fails(&[&base[..], more].concat(), words);
        assert!(!out.exists());
    };
    refuse(&["--strict"], &["saturates the sum", "sat_on = false"]);
    refuse(&["--make", "karaoke"], &["karaoke", "tv-mix"]);
    refuse(&["--names", "{title}"], &["one name", "{version}"]);
    refuse(&["--cutdown", "soon"], &["30@1:02.5"]);
    session(&dir, "[deliver]\nisrc = { master = \"12\" }", "", "");
    refuse(&[], &["session.toml", "no ISRC"]);
    session(
        &dir,
        "",
        "",
        "[[stems]]\nfile = \"01_Drums_Stem.wav\"\n[stems.deliver]\nversions = [\"karaoke\"]\n",
    );
    refuse(&[], &["session.toml", "karaoke"]);
    // Without voices there is nothing to leave out: said, not refused.
    fs::remove_file(dir.join("session.toml")).unwrap();
    fs::remove_file(dir.join("03_Vocals_Stem.wav")).unwrap();
    let manifest = json(0, &base);
    assert!(manifest["warnings"].to_string().contains("no A Cappella: it would hold no stem"));
    assert!(of_kind(&manifest, "instrumental").is_empty() && of_kind(&manifest, "stem").len() == 2);
}
