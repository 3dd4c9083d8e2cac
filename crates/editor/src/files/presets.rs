//! User presets: a plain text file each.

use super::{read, write};
use chain::ChainKind;
use plugin_core::presets::{self, Preset, Values};
use project::reserved::unreserved_name;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Longest name, characters.
const MAX_NAME_CHARS: usize = 60;
/// Largest number of presets read.
const MAX_PRESETS: usize = 500;
const FILE_SUFFIX: &str = "preset.toml";

/// Returns the folder of presets for `chain_kind`; `None` without a configuration folder.
pub fn folder(chain_kind: ChainKind) -> Option<PathBuf> {
    let chain_kind = match chain_kind {
        ChainKind::Stem => "stem",
        ChainKind::Master => "master",
    };
    Some(super::folder()?.join("presets").join(chain_kind))
}

/// Reduces a name to what a file name can hold: letters, figures, spaces and `-_+&,()'`, with an
/// underscore behind a name that Windows reserves; `None` if nothing is left.
pub fn tidy_name(name: &str) -> Option<String> {
    let kept: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() || " -_+&,()'".contains(c) { c } else { ' ' })
        .take(MAX_NAME_CHARS)
        .collect();
    let tidy = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    (!tidy.is_empty()).then(|| unreserved_name(&tidy))
}

/// Reads the presets in `folder`, by name; the number is of those that cannot be read.
pub fn read_all(folder: &Path, chain_kind: ChainKind) -> (Vec<Preset>, usize) {
    let Ok(entries) = fs::read_dir(folder) else { return (Vec::new(), 0) };
    let mut bad = 0;
    let mut found: Vec<Preset> = entries
        .flatten()
        .filter_map(|entry| {
            let file = entry.file_name();
            let name = file.to_str()?.strip_suffix(FILE_SUFFIX)?.strip_suffix('.')?.to_owned();
            let values = read(&entry.path()).ok().and_then(|text| presets::read(chain_kind, &text).ok());
            bad += usize::from(values.is_none());
            Some(Preset { name, values: values? })
        })
        .take(MAX_PRESETS)
        .collect();
    found.sort_by_key(|preset| preset.name.to_lowercase());
    (found, bad)
}

/// Saves a preset under a tidy name and replaces an existing one, atomically.
///
/// # Errors
/// Errors of the file system.
pub fn save(folder: &Path, name: &str, values: &Values) -> io::Result<()> {
    write(&folder.join(format!("{name}.{FILE_SUFFIX}")), &presets::write(values))
}

/// Removes a preset.
///
/// # Errors
/// Errors of the file system.
pub fn remove(folder: &Path, name: &str) -> io::Result<()> {
    fs::remove_file(folder.join(format!("{name}.{FILE_SUFFIX}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::role::Role;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("stemlink-presets-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn a_preset_is_kept_read_replaced_and_removed() {
        let folder = scratch("kept");
        assert_eq!(read_all(&folder, ChainKind::Stem), (Vec::new(), 0), "no folder is no preset");
        let mut all = presets::factory(ChainKind::Stem, Role::Vocals);
        save(&folder, "b mine", &all[1].values).expect("saved");
        save(&folder, "A mine", &all[2].values).expect("saved");
        save(&folder, "b mine", &all[3].values).expect("replaced");
        let (read, bad) = read_all(&folder, ChainKind::Stem);
        assert_eq!((read.len(), bad), (2, 0));
        assert_eq!((read[0].name.as_str(), &read[0].values), ("A mine", &all.remove(2).values));
        assert_eq!((read[1].name.as_str(), &read[1].values), ("b mine", &all.remove(2).values));
        remove(&folder, "A mine").expect("removed");
        assert_eq!(read_all(&folder, ChainKind::Stem).0.len(), 1);
        fs::remove_dir_all(folder).expect("cleaned");
    }

    #[test]
    fn what_cannot_be_read_is_left_out_and_counted() {
        let folder = scratch("bad");
        fs::create_dir_all(&folder).expect("made");
        fs::write(folder.join("a.preset.toml"), "comp_ratio = \"high\"").expect("written");
        fs::write(folder.join("b.preset.toml"), [0xFF, 0xFE]).expect("written");
        fs::write(folder.join("notes.txt"), "not ours").expect("written");
        assert_eq!(read_all(&folder, ChainKind::Stem), (Vec::new(), 2));
        fs::remove_dir_all(folder).expect("cleaned");
    }

    #[test]
    fn names_cannot_leave_the_folder() {
        assert_eq!(tidy_name("../../etc/passwd"), Some("etc passwd".into()));
        assert_eq!(tidy_name("  Lead:  bright\n"), Some("Lead bright".into()));
        assert_eq!((tidy_name("/.."), tidy_name("")), (None, None));
        assert_eq!(
            (tidy_name("nul"), tidy_name("COM\u{b9}.")),
            (Some("nul_".into()), Some("COM\u{b9}_".into()))
        );
        assert_eq!(tidy_name(&"x".repeat(300)).map(|name| name.len()), Some(MAX_NAME_CHARS));
    }
}
