//! ExportResult sessions: a file each in the user's documents. Written when the user exports, never on the audio thread.

use super::presets::tidy_name;
use super::write;
use plugin_core::session_export::SessionExport;
use plugin_core::session_view::ExportResult;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Largest number of sessions of one name.
const MAX_SAME_NAME: usize = 9999;

/// Folder of exported sessions: `Stemlink` in the user's documents as the system knows them, or in the home folder if there are none; `None`
/// without a home folder.
pub fn folder() -> Option<PathBuf> {
    let documents = dirs::document_dir().filter(|documents| documents.is_dir());
    Some(documents.or_else(dirs::home_dir)?.join("Stemlink"))
}

/// Writes `sheet` into a file of its own.
pub fn export(sheet: &SessionExport) -> ExportResult {
    let path = match folder() {
        None => Err("There is no home folder to write into".into()),
        Some(folder) => save(&folder, &sheet.name, &sheet.write())
            .map(|path| path.display().to_string())
            .map_err(|error| format!("{}: {error}", folder.display())),
    };
    ExportResult { path, remarks: sheet.remarks() }
}

/// Saves `text` atomically in a new file named after the Master; nothing is ever replaced. Returns the path.
///
/// # Errors
/// Errors of the file system.
pub fn save(folder: &Path, master: &str, text: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let name = tidy_name(master).unwrap_or_else(|| "Master".into());
    let path = reserve(folder, &name)?;
    // over the empty file that holds the name
    let done = write(&path, text);
    if done.is_err() {
        let _ = fs::remove_file(&path);
    }
    done.map(|()| path)
}

/// Creates an empty file of an unused name.
fn reserve(folder: &Path, name: &str) -> io::Result<PathBuf> {
    for number in 1..=MAX_SAME_NAME {
        let number = if number == 1 { String::new() } else { format!(" {number}") };
        let path = folder.join(format!("{name} session{number}.toml"));
        match fs::File::create_new(&path) {
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many sessions of this name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_export_is_a_file_of_its_own_within_the_folder() {
        let folder = std::env::temp_dir().join(format!("stemlink-sessions-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        for (master, text, expected) in [
            ("Mix", "1", "Mix session.toml"),
            ("Mix", "2", "Mix session 2.toml"),
            ("../Mix", "3", "Mix session 3.toml"),
            ("", "4", "Master session.toml"),
        ] {
            let path = save(&folder, master, text).expect("saved");
            assert_eq!(path, folder.join(expected));
            assert_eq!(fs::read_to_string(path).expect("reads"), text);
        }
        assert_eq!(fs::read_to_string(folder.join("Mix session.toml")).expect("is there"), "1");
        assert_eq!(fs::read_dir(&folder).expect("is there").count(), 4, "nothing else is left");
        fs::remove_dir_all(&folder).expect("cleaned");
        fs::write(&folder, "no folder").expect("written");
        assert!(save(&folder, "Mix", "5").is_err());
        fs::remove_file(&folder).expect("cleaned");
    }
}
