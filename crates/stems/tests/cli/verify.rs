//! Deliveries proved again: what changed is found and named, whatever it is.

use std::fs;
use std::path::{Path, PathBuf};

use render::deliver::{ManifestState, prove};
use render::progress::Silent;
use testkit::{Random, is_thorough};

use super::tool::*;

/// A delivery of a short song of three stems; gives its folder.
fn delivery(folder: &Path, seconds: f64, more: &[&str]) -> PathBuf {
    let (dir, out) = (folder.join("Song"), folder.join("Delivered"));
    song(&dir, seconds, 1.0);
    let mut args = vec!["deliver", text(&dir), "--out", text(&out), "--artist", "The Artist"];
    args.extend(more);
    json(0, &args);
    out
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// All that a proof says of a delivery that has been tampered with; exit code 1.
fn said(out: &Path) -> String {
    let run = command(&["verify", text(out)]).output().unwrap();
    assert_eq!(run.status.code(), Some(1), "{}", String::from_utf8_lossy(&run.stdout));
    String::from_utf8(run.stdout).unwrap()
}

#[test]
fn a_delivery_as_it_was_written_is_proven() {
    let folder = temporary();
    let out = delivery(folder.path(), 3.0, &["--cd", "--cutdown", "1@0:01"]);
    let answer = json(0, &["verify", text(&out)]);
    assert_eq!((&answer["proven"], &answer["manifest"]), (&true.into(), &"unchanged".into()));
    assert!(number(&answer["null_dbfs"]) <= number(&answer["null_pass_dbfs"]));
    assert_eq!(answer["files"].as_array().unwrap().len() + 1, files_below(&out).len());
    // Nor does a copy elsewhere change anything.
    let copy = folder.path().join("elsewhere");
    fs::rename(&out, &copy).unwrap();
    json(0, &["verify", text(&copy)]);
}

/// The law: no single byte of a delivery changes unseen. 200 changes here, 10,000 in a thorough run.
#[test]
fn every_change_of_one_byte_is_found_and_named() {
    let folder = temporary();
    let out = delivery(folder.path(), 0.5, &["--make", "stems"]);
    let files = files_below(&out);
    assert!(files.len() >= 5);
    let mut random = Random::new(71);
    for change in 0..if is_thorough() { 10_000 } else { 200 } {
        let path = &files[random.below(files.len())];
        let original = fs::read(path).unwrap();
        let mut bytes = original.clone();
        let at = random.below(bytes.len());
        bytes[at] ^= 1 + random.below(255) as u8;
        fs::write(path, &bytes).unwrap();
        let proof = prove(&out, &mut Silent).unwrap();
        let name = text(path.strip_prefix(&out).unwrap()).replace('\\', "/");
        let what = format!("{change}: byte {at} of {name}: {proof:?}");
        assert!(!proof.is_proven(), "{what}");
        if name == "manifest.json" {
            assert_ne!(proof.manifest, ManifestState::Unchanged, "{what}");
            assert!(proof.findings.iter().any(|finding| finding.starts_with("manifest.json")), "{what}");
        } else {
            let file = proof.files.iter().find(|file| file.path == name).expect("is listed");
            assert!(!file.findings.is_empty(), "{what}");
            let others = proof.files.iter().filter(|file| file.path != name);
            assert!(others.clone().all(|file| file.findings.is_empty()), "only that one: {what}");
        }
        fs::write(path, &original).unwrap();
    }
    assert!(prove(&out, &mut Silent).unwrap().is_proven(), "all is as before");
}

#[test]
fn what_is_missing_added_or_swapped_is_named() {
    let folder = temporary();
    let out = delivery(folder.path(), 1.0, &["--make", "stems"]);
    fs::write(out.join("Stems").join("notes.txt"), "louder!").unwrap();
    let told = said(&out);
    assert!(
        told.contains("Stems/notes.txt: is not in the manifest") && told.contains("NOT proven: 1 finding")
    );
    fs::remove_file(out.join("Stems").join("notes.txt")).unwrap();
    let files = files_below(&out);
    let stems: Vec<&PathBuf> =
        files.iter().filter(|path| path.parent().unwrap().ends_with("Stems")).collect();
    // Two stems change places: each is a sound file, and neither is what the manifest says.
    let aside = folder.path().join("aside.wav");
    fs::rename(stems[0], &aside).unwrap();
    fs::rename(stems[1], stems[0]).unwrap();
    fs::rename(&aside, stems[1]).unwrap();
    let told = said(&out);
    for stem in &stems[..2] {
        let name = text(stem.strip_prefix(&out).unwrap()).replace('\\', "/");
        assert!(told.contains(&format!("{name}: has changed since it was delivered")), "{told}");
        assert!(told.contains("integrated_lufs reads") && told.contains("has the title"), "{told}");
    }
    fs::remove_file(stems[0]).unwrap();
    let told = said(&out);
    assert!(told.contains(": is missing") && told.contains("the master less its stems cannot be measured"));
}

/// A manifest that has been rewritten, hash and all, does not turn a false delivery into a true one.
#[test]
fn a_manifest_made_to_fit_is_not_believed_where_it_can_be_measured() {
    let folder = temporary();
    let out = delivery(folder.path(), 1.0, &["--make", "stems"]);
    let manifest = out.join("manifest.json");
    let text_of = fs::read_to_string(&manifest).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&text_of).unwrap();
    let rewritten = |document: &serde_json::Value| {
        let mut document = document.clone();
        document["manifest_sha256"] = "0".repeat(64).into();
        let zeros = format!("{document:#}\n");
        zeros.replacen(&"0".repeat(64), &render::hash::sha256_of(&zeros), 1)
    };
    // The rewriting itself is sound.
    fs::write(&manifest, rewritten(&document)).unwrap();
    json(0, &["verify", text(&out)]);
    document["ceiling_dbtp"] = (-30.0).into();
    document["deliverables"][0]["reading"]["integrated_lufs"] = (-9.0).into();
    document["deliverables"][1]["path"] = "../aside.wav".into();
    fs::write(&manifest, rewritten(&document)).unwrap();
    let told = said(&out);
    for words in
        ["over the ceiling of -30.00", "-9.00 was delivered", "../aside.wav: lies outside the delivery"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn without_a_manifest_it_is_measured_not_proven() {
    let folder = temporary();
    let out = delivery(folder.path(), 1.0, &["--make", "stems"]);
    fs::remove_file(out.join("manifest.json")).unwrap();
    assert!(said(&out).contains("measured, not proven: there is no manifest.json"));
    fs::write(out.join("manifest.json"), "{").unwrap();
    assert!(said(&out).contains("measured, not proven: the manifest cannot be read"));
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    fails(&["verify", text(&empty)], &["empty", "no manifest"]);
    fails(&["verify", text(&folder.path().join("nowhere"))], &["nowhere"]);
}
