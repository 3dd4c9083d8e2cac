//! Looking for audio files: what is in a folder, for a person to choose from. A dialog of the system's own would hold the
//! host's thread, or need a library of its own.

use audiofile::error::shown;
use plugin_core::references::FolderListing;
use std::fs;
use std::path::{Path, PathBuf};

/// The most entries of a folder that are shown.
const MOST: usize = 2000;
/// What audio files' names end in.
const ENDINGS: [&str; 8] = ["wav", "wave", "bwf", "rf64", "aif", "aiff", "aifc", "flac"];

/// What is in `folder`, by name; hidden entries and names that are no text are left out. `None`: the folder for music, else
/// the user's home.
pub fn list(folder: Option<PathBuf>) -> FolderListing {
    let Some(folder) = folder.or_else(start) else {
        return FolderListing {
            fault: "There is no home folder; type a path".into(),
            ..FolderListing::default()
        };
    };
    let text = |path: &Path| path.to_str().map(str::to_owned);
    let mut listing = FolderListing {
        folder: shown(&folder),
        above: folder.parent().and_then(text),
        ..FolderListing::default()
    };
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) => {
            listing.fault = format!("{}: cannot be looked into, {error}; choose another", shown(&folder));
            return listing;
        }
    };
    for entry in entries.flatten().take(MOST) {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let Some(name) = text(&path).filter(|_| !hidden) else { continue };
        // links lead where they lead
        let is_folder = fs::metadata(&path).is_ok_and(|found| found.is_dir());
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        if is_folder {
            listing.folders.push(name);
        } else if ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) {
            listing.files.push(name);
        }
    }
    for names in [&mut listing.folders, &mut listing.files] {
        names.sort_by_key(|name| name.to_lowercase());
    }
    listing
}

fn start() -> Option<PathBuf> {
    let home = etcetera::home_dir().ok()?;
    let music = home.join("Music");
    Some(if music.is_dir() { music } else { home })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_s_audio_files_and_folders_are_listed_by_name_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("stemlink-choose-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("sub")).expect("made");
        fs::create_dir_all(folder.join(".hidden")).expect("made");
        for name in ["b.wav", "A.FLAC", "c.aiff", "notes.txt", ".d.wav", "wav"] {
            fs::write(folder.join(name), "x").expect("written");
        }
        let listing = list(Some(folder.clone()));
        let names = |paths: &[String]| {
            paths.iter().map(|path| plugin_core::references::file_name(path).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&listing.files), ["A.FLAC", "b.wav", "c.aiff"]);
        assert_eq!(names(&listing.folders), ["sub"]);
        assert!(listing.fault.is_empty() && listing.folder.ends_with(&std::process::id().to_string()));
        assert_eq!(
            listing.above,
            std::env::temp_dir().to_str().map(|path| path.trim_end_matches('/').into())
        );
        fs::remove_dir_all(&folder).expect("cleaned");
        let gone = list(Some(folder));
        assert!(gone.fault.contains("cannot be looked into") && gone.fault.lines().count() == 1);
        assert!(gone.above.is_some(), "there is a way back");
    }
}
