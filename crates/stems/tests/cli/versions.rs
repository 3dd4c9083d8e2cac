//! Versions of the user's own, names with tempo, key and code, FLAC beside WAV, and tags as other programs read them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use audiofile::wav::{Chunk, Place, StoredFormat, WavReader, WavSpec, WavWriter};
use serde_json::Value;
use testkit::is_thorough;
use units::Hz;

use super::tool::*;

/// Gains that move, filters, limiting; nothing that a sum of parts cannot hold.
const MASTER: &str = "eq1_on = true\neq1_shape = \"low shelf\"\neq1_freq = 200\neq1_gain = 3\neq1_range = -9\neq1_threshold = -40\n\
    comp_on = true\ncomp_threshold = -30\ncomp_ratio = 3\ncomp_cap = 12\ncomp_makeup = 4\nwidth = 1.2\n";

/// A song of four stems, whose session has `deliver` in its `[deliver]`.
fn four(dir: &Path, seconds: f64, deliver: &str) {
    song(dir, seconds, 1.0);
    write_plain(&dir.join("04_Choir_Stem.wav"), &part(44, 48_000.0, seconds, 1, 0.1));
    session(dir, deliver, "");
}

fn session(dir: &Path, deliver: &str, stems: &str) {
    let text =
        format!("schema = \"stemlink.session/1\"\n[master.chain]\n{MASTER}\n{stems}\n[deliver]\n{deliver}\n");
    fs::write(dir.join("session.toml"), text).unwrap();
}

fn files(manifest: &Value) -> &Vec<Value> {
    manifest["deliverables"].as_array().unwrap()
}

/// The samples of a delivered file without its static gain.
fn untrimmed(out: &Path, file: &Value) -> Audio {
    let gain = 10f64.powf(-number(&file["trim_db"]) / 20.0);
    let audio = read(&out.join(file["path"].as_str().unwrap()));
    audio.into_iter().map(|plane| plane.into_iter().map(|x| x * gain).collect()).collect()
}

/// The largest sample of `whole` less `parts`.
fn rest(whole: &Audio, parts: &[&Audio]) -> f64 {
    let mut most = 0.0_f64;
    for (side, plane) in whole.iter().enumerate() {
        for (i, x) in plane.iter().enumerate() {
            most = most.max((x - parts.iter().map(|part| part[side][i]).sum::<f64>()).abs());
        }
    }
    most
}

/// The law: whatever stems a version has, it is their mastered stems' sum, and with the version of all others the master.
#[test]
fn a_version_of_any_stems_is_the_sum_of_these_stems_in_the_master() {
    let folder = temporary();
    let dir = folder.path().join("song");
    let names = ["Drums", "Bass", "Vocals", "Choir"];
    let mut random = Random::new(19);
    for round in 0..if is_thorough() { 25 } else { 1 } {
        let sets: Vec<usize> = (0..6).map(|_| 1 + (random.between(0.0, 14.0) as usize).min(13)).collect();
        let list =
            |set: usize| -> Vec<&str> { (0..4).filter(|i| set >> i & 1 == 1).map(|i| names[i]).collect() };
        let tables: String = (sets.iter().enumerate())
            .map(|(n, set)| {
                // Every other one by what it leaves out.
                let (key, set) = if n % 2 == 0 { ("stems", *set) } else { ("without", 15 - *set) };
                format!("[[deliver.versions]]\nname = \"V{n}\"\n{key} = {:?}\n", list(set))
            })
            .collect();
        let others: String = (sets.iter().enumerate())
            .map(|(n, set)| {
                format!("[[deliver.versions]]\nname = \"Not V{n}\"\nstems = {:?}\n", list(15 - set))
            })
            .collect();
        four(
            &dir,
            1.0,
            &format!(
                "float = true\nmake = [\"stems\", \"instrumental\"{}]\n{tables}{others}",
                (0..6).map(|n| format!(", \"V{n}\", \"Not V{n}\"")).collect::<String>()
            ),
        );
        let out = folder.path().join(format!("out{round}"));
        let manifest = json(0, &["deliver", text(&dir), "--out", text(&out), "--target", "spotify-loud"]);
        let file = |kind: &str, name: &str| {
            let found =
                files(&manifest).iter().find(|file| {
                    file["kind"] == kind
                        && [&file["version"], &file["stems"][0], &Value::Null]
                            .contains(&&if name.is_empty() { Value::Null } else { name.into() })
                });
            untrimmed(&out, found.unwrap_or_else(|| panic!("{kind} {name}")))
        };
        let stems: Vec<Audio> = names.iter().map(|name| file("stem", name)).collect();
        let master = file("master", "");
        for (n, set) in sets.iter().enumerate() {
            let parts: Vec<&Audio> = (0..4).filter(|i| set >> i & 1 == 1).map(|i| &stems[i]).collect();
            let [version, other] = [file("version", &format!("V{n}")), file("version", &format!("Not V{n}"))];
            let left = rest(&version, &parts);
            assert!(left < 1e-6, "{round}: V{n} {:?}: {left:e}", list(*set));
            let left = rest(&master, &[&version, &other]);
            assert!(left < 1e-6, "{round}: V{n} and its rest: {left:e}");
        }
        fs::remove_dir_all(&out).unwrap();
        fs::remove_dir_all(&dir).unwrap();
    }
}

#[test]
fn a_version_of_the_same_stems_as_a_built_in_one_is_the_same_and_says_so() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    four(
        &dir,
        1.0,
        "float = true\nmake = [\"instrumental\", \"underscore\"]\ncutdowns = [{ length = 1, at = 0, of = \"UNDERSCORE\", fade_in = 0, fade_out = 0 }]\n\
         versions = [{ name = \"Underscore\", without = [\"Vocals\", \"choir\"] }, { name = \"Alt\", stems = [\"Bass\"] }]",
    );
    let manifest = json(0, &["deliver", text(&dir), "--out", text(&out)]);
    assert_eq!(
        names(&out),
        [
            "manifest.json",
            "song_Instrumental.wav",
            "song_Master.wav",
            "song_Underscore 1s.wav",
            "song_Underscore.wav"
        ]
    );
    assert!(read(&out.join("song_Instrumental.wav")) == read(&out.join("song_Underscore.wav")));
    assert!(read(&out.join("song_Underscore 1s.wav")) == read(&out.join("song_Underscore.wav")));
    let own = files(&manifest).iter().find(|file| file["kind"] == "version").unwrap();
    assert_eq!((&own["version"], &own["title"]), (&"Underscore".into(), &"song (Underscore)".into()));
    assert_eq!(own["stems"].to_string(), r#"["Drums","Bass"]"#);
    let warnings = manifest["warnings"].to_string();
    assert!(warnings.contains("Underscore holds the same stems as the Instrumental"), "{warnings}");
    assert!(warnings.contains("no Alt: make does not list it"), "{warnings}");
    json(0, &["verify", text(&out)]);
}

#[test]
fn names_hold_tempo_key_and_code_and_what_is_missing_is_refused_before_any_work() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    let versions = "versions = [{ name = \"CON\", stems = [\"Drums\"], isrc = \"DEA1B2600003\" }]";
    let names_of = |template: &str| format!("names = \"{template}\"\nmake = [\"stems\", \"CON\"]\n");
    let codes = "isrc = { master = \"DEA1B2600001\" }\n";
    let refuse = |deliver: &str, more: &[&str], words: &[&str]| {
        if dir.exists() {
            session(&dir, deliver, "");
        } else {
            four(&dir, 0.5, deliver);
        }
        let before = names(folder.path());
        fails(&[&["deliver", text(&dir), "--out", text(&out)], more].concat(), words);
        assert_eq!(names(folder.path()), before, "nothing was made");
    };
    let template = names_of("{bpm} {key} {isrc} {version}");
    let asked = format!("{template}{versions}");
    refuse(&asked, &[], &["session.toml", "{bpm}, which is not set", "bpm = 120", "--bpm"]);
    refuse(&asked, &["--bpm", "120"], &["{key}, which is not set", "--key"]);
    refuse(&asked, &["--bpm", "120", "--key", "a minor"], &["{isrc} of the master", "isrc = { master"]);
    let without = format!("{template}{codes}versions = [{{ name = \"CON\", stems = [\"Drums\"] }}]");
    refuse(
        &without,
        &["--bpm", "120", "--key", "Am"],
        &["{isrc} of the version CON", "[[deliver.versions]]"],
    );
    let instrumental = format!("names = \"{{isrc}} {{version}}\"\n{codes}");
    refuse(&instrumental, &[], &["{isrc} of the Instrumental", "isrc = { instrumental"]);
    refuse(&names_of("{artist} {version}"), &[], &["\"CON\" cannot be made", "[[deliver.versions]]"]);
    refuse("names = \"{artist} {version}\"", &[], &["{artist}, which is not set", "--artist"]);
    refuse("names = \"{engineer} {version}\"", &[], &["{engineer}, which is not set", "engineer = "]);
    refuse("flac = true", &["--float"], &["FLAC cannot hold 32-bit float"]);
    refuse("", &["--key", "H"], &["no key", "Am"]);
    refuse("", &["--bpm", "fast"], &["120"]);
    refuse("", &["--make", "karaoke"], &["session.toml", "\"karaoke\" cannot be made", "tv-mix"]);
    let twice =
        "versions = [{ name = \"Alt\", stems = [\"Bass\"] }, { name = \"ALT.\", stems = [\"Drums\"] }]";
    refuse(twice, &[], &["session.toml", "two are called \"Alt\" and \"ALT.\"", "rename"]);
    // All there: a template of nothing but the version has its reserved name freed.
    session(&dir, &format!("{template}{codes}{versions}"), "");
    let manifest =
        json(0, &["deliver", text(&dir), "--out", text(&out), "--bpm", "92.50", "--key", "f# minor"]);
    assert!(out.join("92.5 F#m DEA1B2600001 Master.wav").is_file(), "{:?}", names(&out));
    assert!(out.join("92.5 F#m DEA1B2600003 CON.wav").is_file(), "{:?}", names(&out));
    // Stems have no code of their own: it is left out with its separator.
    assert!(out.join("Stems/92.5 F#m 01_Drums_Stem.wav").is_file(), "{:?}", names(&out.join("Stems")));
    assert!(
        files(&manifest).iter().all(|file| file["tags"]["key"] == "F#m" && file["tags"]["bpm"] == "92.5")
    );
    let bare = folder.path().join("bare");
    session(&dir, &format!("{}{codes}{versions}", names_of("{version}")), "");
    json(0, &["deliver", text(&dir), "--out", text(&bare)]);
    assert!(bare.join("CON_.wav").is_file(), "{:?}", names(&bare));
}

/// The samples of a file as ffmpeg decodes them, 32-bit integers, interleaved.
fn decoded(path: &Path) -> Vec<u8> {
    let args = ["-nostdin", "-v", "error", "-i", text(path), "-f", "s32le", "-c:a", "pcm_s32le", "-"];
    let output = Command::new("ffmpeg").args(args).output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// A WAV file beside `wav` with nothing but its ID3: programs such as ffmpeg leave that aside where there is INFO.
fn id3_alone(wav: &Path, folder: &Path) -> PathBuf {
    let bytes = WavReader::open(wav).unwrap().chunk(b"id3 ").unwrap().expect("has ID3");
    let chunks = vec![Chunk { id: *b"id3 ", bytes, place: Place::AfterData }];
    let spec = WavSpec { chunks, ..WavSpec::new(Hz(48_000.0), 1, StoredFormat::Int16) };
    let path = folder.join("id3.wav");
    let mut writer = WavWriter::create(&path, spec, true).unwrap();
    writer.write_planar(&[[0.5; 480]]).unwrap();
    writer.finish().unwrap();
    path
}

/// Tags as ffprobe reads them, names in capitals.
fn probed(path: &Path) -> Vec<(String, String)> {
    let args = ["-v", "error", "-show_entries", "format_tags", "-of", "json", text(path)];
    let output = Command::new("ffprobe").args(args).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tags = document["format"]["tags"].as_object().unwrap();
    tags.iter().map(|(name, text)| (name.to_uppercase(), text.as_str().unwrap().to_owned())).collect()
}

/// The FLAC files of a delivery, each with its WAV.
fn flacs(out: &Path, manifest: &Value) -> Vec<(PathBuf, PathBuf, Value)> {
    let of = |file: &Value| {
        let at = |path: &Value| out.join(path.as_str().unwrap());
        (at(&file["path"]), at(&file["flac"]["path"]), file.clone())
    };
    files(manifest).iter().map(of).collect()
}

#[test]
fn flac_has_the_samples_of_wav_and_both_have_their_tags_in_other_programs() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    let deliver = "title = \"Blå\"\nartist = \"The Ärzte\"\nbpm = 92.5\nkey = \"F# minor\"\nupc = \"614141007349\"\nflac = true\ncd = true\n\
        isrc = { master = \"DE-A1B-26-00001\" }\nversions = [{ name = \"Underscore\", without = [\"Vocals\"], isrc = \"DEA1B2600002\" }]";
    four(&dir, 1.5, deliver);
    let manifest = json(0, &["deliver", text(&dir), "--out", text(&out), "--cutdown", "1@0:00.2"]);
    let pairs = flacs(&out, &manifest);
    assert!(pairs.len() > 12);
    for (wav, flac, file) in &pairs {
        assert_eq!(file["verified"], true, "{file}");
        assert_eq!(file["flac"]["bytes"], fs::metadata(flac).unwrap().len());
        assert!(read(wav) == read(flac), "{flac:?}");
        let in_stems = flac.parent().unwrap().ends_with("FLAC");
        assert_eq!(in_stems, matches!(file["kind"].as_str(), Some("stem" | "clean-stem")), "{flac:?}");
    }
    // A folder of stems still holds each of them once.
    let check = json(0, &["check", text(&out.join("Stems")), "--mix", text(&out.join("Blå_Master.wav"))]);
    assert_eq!(check["null"]["verdict"], "PASS");
    json(0, &["verify", text(&out)]);
    // The same goes in, the same comes out.
    let again = json(0, &["deliver", text(&dir), "--out", text(&out), "--cutdown", "1@0:00.2", "--force"]);
    assert_eq!(again, manifest);
    if !present("ffprobe", &["-version"]) || !present("ffmpeg", &["-version"]) {
        eprintln!("skipped: ffmpeg is not installed");
        return;
    }
    for (wav, flac, file) in &pairs {
        assert!(decoded(wav) == decoded(flac), "{flac:?}");
        for (path, names) in [
            (&id3_alone(wav, folder.path()), ["TITLE", "ARTIST", "TSRC", "TBPM", "TKEY", "UPC"]),
            (flac, ["TITLE", "ARTIST", "ISRC", "BPM", "KEY", "UPC"]),
        ] {
            let tags = probed(path);
            for (name, key) in names.into_iter().zip(["title", "artist", "isrc", "bpm", "key", "upc"]) {
                let found = tags.iter().find(|(other, _)| other == name).map(|(_, text)| text.as_str());
                assert_eq!(found, file["tags"][key].as_str(), "{name} of {path:?}: {tags:?}");
            }
        }
    }
}

#[test]
fn nothing_is_overwritten_by_flac() {
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    four(&dir, 0.5, "make = []");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("song_Master.flac"), "somebody's").unwrap();
    fails(
        &["deliver", text(&dir), "--out", text(&out), "--flac"],
        &["song_Master.flac", "already exists", "--force"],
    );
    assert_eq!(names(&out), ["song_Master.flac"]);
    json(0, &["deliver", text(&dir), "--out", text(&out), "--flac", "--force"]);
    assert_eq!(names(&out), ["manifest.json", "song_Master.flac", "song_Master.wav"]);
}

/// No single byte of a FLAC file changes unseen, nor of the WAV beside it. 60 changes here, 3,000 in a thorough run.
#[test]
fn every_change_of_a_flac_file_is_found_and_named() {
    use render::deliver::prove;
    use render::progress::Silent;
    let folder = temporary();
    let (dir, out) = (folder.path().join("song"), folder.path().join("out"));
    four(&dir, 0.3, "make = [\"Alt\"]\nflac = true\nversions = [{ name = \"Alt\", stems = [\"Bass\"] }]");
    let manifest = json(0, &["deliver", text(&dir), "--out", text(&out)]);
    let paths: Vec<PathBuf> =
        flacs(&out, &manifest).into_iter().flat_map(|(wav, flac, _)| [wav, flac]).collect();
    let mut random = testkit::Random::new(72);
    for change in 0..if is_thorough() { 3000 } else { 60 } {
        let path = &paths[random.below(paths.len())];
        let original = fs::read(path).unwrap();
        let mut bytes = original.clone();
        let at = random.below(bytes.len());
        bytes[at] ^= 1 + random.below(255) as u8;
        fs::write(path, &bytes).unwrap();
        let proof = prove(&out, &mut Silent).unwrap();
        let name = text(path.strip_prefix(&out).unwrap());
        for file in &proof.files {
            assert_eq!(
                file.path == name,
                !file.findings.is_empty(),
                "{change}: byte {at} of {name}: {proof:?}"
            );
        }
        fs::write(path, &original).unwrap();
    }
    // Tags that another program rewrote are named, and so is a file that is gone.
    let flac = &paths[1];
    if present("ffmpeg", &["-version"]) {
        let other = folder.path().join("x.flac");
        let args = [
            "-nostdin",
            "-v",
            "error",
            "-i",
            text(flac),
            "-c",
            "copy",
            "-metadata",
            "title=Other",
            text(&other),
        ];
        assert!(Command::new("ffmpeg").args(args).status().unwrap().success());
        let original = fs::read(flac).unwrap();
        fs::copy(&other, flac).unwrap();
        let told = prove(&out, &mut Silent).unwrap().files[1].findings.join("; ");
        assert!(told.contains("has the title \"Other\" in its comments, \"song\" was delivered"), "{told}");
        assert!(!told.contains("other samples"), "{told}");
        fs::write(flac, original).unwrap();
    }
    assert!(prove(&out, &mut Silent).unwrap().is_proven(), "all is as before");
    fs::remove_file(flac).unwrap();
    assert_eq!(prove(&out, &mut Silent).unwrap().files[1].findings, ["is missing"]);
}
