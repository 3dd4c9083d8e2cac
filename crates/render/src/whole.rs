//! Small files that appear whole or not at all: pages, tables, manifests.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use audiofile::error::{Error, Result};
use audiofile::wav::{folder, plain, sync_folder, temporary_in};

/// A place for a file that has been found free (or may be replaced) before long work begins.
pub struct Whole {
    path: PathBuf,
    overwrite: bool,
}

impl Whole {
    /// Checks that `path` can become a file.
    ///
    /// # Errors
    /// If it is a folder, or is there and `overwrite` is not set.
    pub fn new(path: &Path, overwrite: bool) -> Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => Err(Error::write(path)(io::ErrorKind::IsADirectory.into())),
            Ok(_) if !overwrite => Err(Error::Exists { path: path.to_owned() }),
            _ => Ok(Self { path: path.to_owned(), overwrite }),
        }
    }

    /// Writes the content, brings it to the disk and gives it its name.
    ///
    /// # Errors
    /// If it cannot be written, or something has taken the name meanwhile. Nothing is left behind then.
    pub fn write(self, bytes: &[u8]) -> Result<()> {
        let Self { path, overwrite } = self;
        let failed = |error| Error::write(&path)(plain(error));
        let (mut file, temporary) = temporary_in(folder(&path)).map_err(failed)?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        drop(file);
        let kept = if overwrite { temporary.persist(&path) } else { temporary.persist_noclobber(&path) };
        if let Err(error) = kept {
            return Err(match error.error.kind() {
                io::ErrorKind::AlreadyExists => Error::Exists { path },
                _ => failed(error.error),
            });
        }
        sync_folder(folder(&path)).map_err(failed)
    }
}

/// Removes a file, if it is there, and brings that to the disk.
///
/// # Errors
/// If it is there and cannot be removed.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.and_then(|()| sync_folder(folder(path))).map_err(Error::write(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_and_replaces_only_with_permission() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join("a.json");
        Whole::new(&path, false).expect("is free").write(b"one").expect("writes");
        assert!(matches!(Whole::new(&path, false), Err(Error::Exists { .. })));
        Whole::new(&path, true).expect("may be replaced").write(b"two").expect("writes");
        assert_eq!(fs::read(&path).expect("reads"), b"two");
        assert_eq!(fs::read_dir(dir.path()).expect("lists").count(), 1);
        assert!(Whole::new(dir.path(), true).is_err(), "a folder is no file");

        let late = Whole::new(&dir.path().join("b"), false).expect("is free");
        fs::write(dir.path().join("b"), "someone else's").expect("writes");
        assert!(matches!(late.write(b"ours"), Err(Error::Exists { .. })));
        remove(&path).expect("removes");
        remove(&path).expect("nothing to remove is no fault");
        assert_eq!(fs::read_dir(dir.path()).expect("lists").count(), 1);
    }
}
