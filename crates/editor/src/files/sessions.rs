//! Exported sessions: a file each in the user's documents. Written when a person exports, never by the audio thread.

use super::presets::tidy_name;
use super::write;
use plugin_core::session_export::SessionExport;
use plugin_core::session_view::ExportResult;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The most sessions of one name.
const MOST: usize = 9999;

/// Where sessions go: the folder `Stemlink` in the user's documents, or in the home folder where there are none;
/// `None` where a user has no home.
pub fn folder() -> Option<PathBuf> {
    let home = etcetera::home_dir().ok()?;
    let documents = home.join("Documents");
    Some(if documents.is_dir() { documents } else { home }.join("Stemlink"))
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

/// Keeps `text` as a file of a name of its own, made of the Master's: nothing is ever replaced, and the file is there
/// whole or not at all. Returns where it is.
///
/// # Errors
/// What the file system says.
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

/// An empty file of a name that nobody has.
fn reserve(folder: &Path, name: &str) -> io::Result<PathBuf> {
    for number in 1..=MOST {
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
