//! The user's own presets: a plain text file each.

use super::{read, write};
use chain::ChainKind;
use plugin_core::presets::{self, Preset, Values};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The longest name, in characters.
const LONGEST: usize = 60;
/// The most presets that are read.
const MOST: usize = 500;
const ENDING: &str = "preset.toml";

/// The folder of presets for `chain_kind`; `None` where a user has no configuration folder.
pub fn folder(chain_kind: ChainKind) -> Option<PathBuf> {
    let chain_kind = match chain_kind {
        ChainKind::Stem => "stem",
        ChainKind::Master => "master",
    };
    Some(super::folder()?.join("presets").join(chain_kind))
}

/// A name as a file can have it: letters, figures, spaces and `-_+&,()'`; `None` if nothing is left.
pub fn tidy_name(name: &str) -> Option<String> {
    let kept: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() || " -_+&,()'".contains(c) { c } else { ' ' })
        .take(LONGEST)
        .collect();
    let tidy = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    (!tidy.is_empty()).then_some(tidy)
}

/// The presets in `folder`, by name; what cannot be read is left out and counted.
pub fn read_all(folder: &Path, chain_kind: ChainKind) -> (Vec<Preset>, usize) {
    let Ok(entries) = fs::read_dir(folder) else { return (Vec::new(), 0) };
    let mut bad = 0;
    let mut found: Vec<Preset> = entries
        .flatten()
        .filter_map(|entry| {
            let file = entry.file_name();
            let name = file.to_str()?.strip_suffix(ENDING)?.strip_suffix('.')?.to_owned();
            let values = read(&entry.path()).ok().and_then(|text| presets::read(chain_kind, &text).ok());
            bad += usize::from(values.is_none());
            Some(Preset { name, values: values? })
        })
        .take(MOST)
        .collect();
    found.sort_by_key(|preset| preset.name.to_lowercase());
    (found, bad)
}

/// Keeps a preset under a tidy name, in place of one that is there; whole or not at all.
///
/// # Errors
/// What the file system says.
pub fn save(folder: &Path, name: &str, values: &Values) -> io::Result<()> {
    write(&folder.join(format!("{name}.{ENDING}")), &presets::write(values))
}

/// Removes a preset.
///
/// # Errors
/// What the file system says.
pub fn remove(folder: &Path, name: &str) -> io::Result<()> {
    fs::remove_file(folder.join(format!("{name}.{ENDING}")))
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
        assert_eq!(tidy_name(&"x".repeat(300)).map(|name| name.len()), Some(LONGEST));
    }
}
