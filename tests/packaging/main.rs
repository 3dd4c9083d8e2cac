//! Files that are packed beside the built ones: `packaging/` has them, and they are as the code says.
//!
//! `UPDATE_DOCS=1 cargo test --test packaging` rewrites them.

#![allow(clippy::print_stderr, reason = "a skipped test says why")]

mod vst3_files;
mod workflows;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Every file below `folder`, by its path from `root`.
fn files_below(root: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_below(root, &path, found);
        } else {
            let name = path.strip_prefix(root).expect("it lies below").to_owned();
            found.insert(name, fs::read(&path).expect("it can be read"));
        }
    }
}

#[test]
fn the_files_of_the_vst3_convention_are_as_the_code_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/vst3");
    let mut wanted: BTreeMap<PathBuf, Vec<u8>> = vst3_files::preset_files()
        .into_iter()
        .map(|file| (Path::new("presets").join(file.path.iter().collect::<PathBuf>()), file.bytes))
        .collect();
    wanted.insert("moduleinfo.json".into(), vst3_files::module_info().into_bytes());
    if std::env::var("UPDATE_DOCS").as_deref() == Ok("1") {
        let _ = fs::remove_dir_all(&root);
        for (name, bytes) in &wanted {
            let path = root.join(name);
            fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("made");
            fs::write(path, bytes).expect("written");
        }
    }
    let mut found = BTreeMap::new();
    files_below(&root, &root, &mut found);
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&wanted));
    for (name, bytes) in &wanted {
        let cure = "UPDATE_DOCS=1 cargo test --test packaging rewrites it";
        assert!(found[name] == *bytes, "packaging/vst3/{} is not as the code says; {cure}", name.display());
    }
}
