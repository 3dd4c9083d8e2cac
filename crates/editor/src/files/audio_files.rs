//! FolderListing of audio files in a folder, for the file chooser. A system dialog would block the host's thread, or need a
//! library of its own.

use audiofile::error::shown;
use plugin_core::references::FolderListing;
use std::fs;
use std::path::{Path, PathBuf};

/// Largest number of entries shown of a folder.
const MAX_ENTRIES: usize = 2000;
/// Suffixes of audio files.
const AUDIO_SUFFIXES: [&str; 14] =
    ["wav", "wave", "bwf", "rf64", "w64", "aif", "aiff", "aifc", "flac", "caf", "mp3", "m4a", "ogg", "oga"];

/// Path that lists the drives, in place of a folder; above each drive of Windows.
const DRIVES: &str = "";

/// Lists `folder` by name, without hidden entries and names that are not Unicode. `None`: the music folder, else the
/// user's home. An empty path lists the drives of Windows.
pub fn list_folder(folder: Option<PathBuf>) -> FolderListing {
    if cfg!(windows) && folder.as_deref().is_some_and(|folder| folder.as_os_str() == DRIVES) {
        return FolderListing {
            folder: "Drives".into(),
            folders: drives(|drive| drive.is_dir()),
            ..FolderListing::default()
        };
    }
    let Some(folder) = folder.or_else(start) else {
        return FolderListing {
            fault: "There is no home folder; type a path".into(),
            ..FolderListing::default()
        };
    };
    let text = |path: &Path| path.to_str().map(str::to_owned);
    let mut listing = FolderListing {
        folder: shown(&folder),
        above: folder.parent().and_then(text).or_else(|| cfg!(windows).then(|| DRIVES.into())),
        ..FolderListing::default()
    };
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) => {
            listing.fault = format!("{}: cannot be looked into, {error}; choose another", shown(&folder));
            return listing;
        }
    };
    for entry in entries.flatten().take(MAX_ENTRIES) {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let Some(name) = text(&path).filter(|_| !hidden) else { continue };
        // links lead where they lead
        let is_folder = fs::metadata(&path).is_ok_and(|found| found.is_dir());
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        if is_folder {
            listing.folders.push(name);
        } else if ending.is_some_and(|ending| AUDIO_SUFFIXES.contains(&ending.as_str())) {
            listing.files.push(name);
        }
    }
    for names in [&mut listing.folders, &mut listing.files] {
        names.sort_by_key(|name| name.to_lowercase());
    }
    listing
}

/// Returns the drives that `is_there` finds: `C:\`, `D:\` ...
fn drives(is_there: impl Fn(&Path) -> bool) -> Vec<String> {
    ('A'..='Z').map(|letter| format!("{letter}:\\")).filter(|drive| is_there(Path::new(drive))).collect()
}

/// The user's music folder as the system knows it, which may lie in a synchronized folder; else the home folder.
fn start() -> Option<PathBuf> {
    dirs::audio_dir().filter(|music| music.is_dir()).or_else(dirs::home_dir)
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
        let listing = list_folder(Some(folder.clone()));
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
        assert_eq!(
            drives(|drive| drive == Path::new("D:\\") || drive == Path::new("C:\\")),
            ["C:\\", "D:\\"]
        );
        fs::remove_dir_all(&folder).expect("cleaned");
        let gone = list_folder(Some(folder));
        assert!(gone.fault.contains("cannot be looked into") && gone.fault.lines().count() == 1);
        assert!(gone.above.is_some(), "there is a way back");
    }
}
