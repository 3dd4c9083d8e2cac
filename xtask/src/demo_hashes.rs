//! Hashes of what `stems` makes of the demo song: equal on all systems of one processor family.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::steps;

/// Has `stems` make the demo song, its master and its delivery, and writes a line for each audio file: hash, path.
pub(crate) fn write(root: &Path, to: &Path) -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("stemlink-demo-{}", std::process::id()));
    let made = make(root, &folder).and_then(|()| lines(&folder));
    let removed = fs::remove_dir_all(&folder);
    let text = made?;
    removed.map_err(|error| format!("{}: {error}", folder.display()))?;
    fs::write(to, &text).map_err(|error| format!("{}: {error}", to.display()))?;
    println!("{}: {} files", to.display(), text.lines().count());
    Ok(())
}

fn make(root: &Path, folder: &Path) -> Result<(), String> {
    let stems = |arguments: &[&str]| {
        let mut command = steps::cargo(root);
        command.args(["run", "--quiet", "--release", "--locked", "--package", "stems", "--"]).args(arguments);
        match command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("stems {}: {status}", arguments.join(" "))),
            Err(error) => Err(format!("cargo: {error}")),
        }
    };
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    stems(&["demo", "--quiet", "--out", &path("demo")])?;
    stems(&["deliver", "--quiet", &path("demo/Demo Song"), "--out", &path("delivery"), "--cd"])
}

/// A line for each audio file below `folder`, by path.
fn lines(folder: &Path) -> Result<String, String> {
    let mut files = Vec::new();
    find(folder, &mut files)?;
    files.sort();
    let mut text = String::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "wav")) {
        let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let name = file.strip_prefix(folder).expect("it lies below").to_string_lossy().replace('\\', "/");
        text += &format!("{hash}  {name}\n");
    }
    if text.is_empty() { Err("the demo made no audio".into()) } else { Ok(text) }
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_is_listed_by_path_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("stemlink-hashes-{}", std::process::id()));
        fs::create_dir_all(folder.join("b")).expect("made");
        for (name, bytes) in [("b/two.wav", &b"2"[..]), ("a.wav", b"1"), ("a.json", b"{}")] {
            fs::write(folder.join(name), bytes).expect("written");
        }
        let text = lines(&folder).expect("there is audio");
        let names: Vec<&str> = text.lines().filter_map(|line| line.split("  ").nth(1)).collect();
        assert_eq!(names, ["a.wav", "b/two.wav"]);
        // SHA-256 of "1", by sha256sum
        assert!(
            text.starts_with("6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"),
            "{text}"
        );
        fs::remove_dir_all(folder).expect("cleaned");
    }
}
