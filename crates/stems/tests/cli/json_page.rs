//! Keys of every JSON document that the tool prints: all are explained in docs/json.md.

use std::path::Path;
use std::process::Command;

fn keys(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, inner) in map {
                found.push(key.clone());
                keys(inner, found);
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|inner| keys(inner, found)),
        _ => {}
    }
}

fn stems(arguments: &[&str], folder: &Path) -> Vec<u8> {
    let output =
        Command::new(env!("CARGO_BIN_EXE_stems")).args(arguments).current_dir(folder).output().expect("runs");
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

#[test]
fn every_key_is_explained() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let page = include_str!("../../../../docs/json.md");
    std::fs::write(dir.path().join("list"), "Demo Song\n").expect("writes");
    for arguments in [
        &["demo", "--out", ".", "--json"][..],
        &["measure", "Demo Song", "--verify", "--json"],
        &["init", "Demo Song", "--json"],
        &["check", "Demo Song", "--mix", "Masters/Demo Song_Master.wav", "--json"],
        &["check", "Demo Song", "--advise", "--atmos", "--sync", "--json"],
        &["what-if", "Demo Song", "--move", "Vocals=+2", "--json"],
        &["solve", "Demo Song", "--target", "spotify", "--json"],
        &["master", "Demo Song", "--out", "Again", "--json"],
        &["brief", "--json"],
        &["album", "Demo Song", "Masters/Demo Song_Master.wav", "--json"],
        &[
            "album",
            "Demo Song",
            "Masters/Demo Song_Master.wav",
            "--match",
            "short-term",
            "--out",
            "Album",
            "--json",
        ],
        &["limiting", "Demo Song", "--target", "spotify-loud", "--less", "1", "--json"],
        &["report", "Demo Song", "--out", "r.html", "--master", "Masters/Demo Song_Master.wav", "--json"],
        &["organize", "Demo Song", "--out", "Organized", "--json"],
        &["adm", "Demo Song", "--out", "atmos.wav", "--json"],
        &["deliver", "Demo Song", "--out", "Delivered", "--json"],
        &["verify", "Delivered", "--json"],
        &["batch", "list", "--out", "Batch"],
        &["targets", "--json"],
    ] {
        let printed = stems(arguments, dir.path());
        let value: serde_json::Value = serde_json::from_slice(&printed).expect("prints JSON");
        let schema = value["schema"].as_str().expect("names its schema");
        assert!(page.contains(&format!("`{schema}`")), "{schema} is in docs/json.md");
        let mut found = Vec::new();
        keys(&value, &mut found);
        for key in found {
            assert!(page.contains(&format!("`{key}`")), "{key} of {arguments:?} is in docs/json.md");
        }
    }
}
