//! Files that appear complete under their name or not at all.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::error::{Error, Result};

/// Checks that a file may be written: no folder has the path, and nothing has it unless `overwrite` is set.
///
/// # Errors
/// If it may not.
pub fn check_output(path: &Path, overwrite: bool) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Err(Error::write(path)(io::ErrorKind::IsADirectory.into())),
        Ok(_) if !overwrite => Err(Error::Exists { path: path.to_owned() }),
        _ => Ok(()),
    }
}

/// A file being written under a temporary name in the folder of its path.
///
/// Dropped before [`finish`](Self::finish) it leaves nothing behind.
pub struct PendingFile {
    temporary: TempPath,
    path: PathBuf,
    overwrite: bool,
}

impl PendingFile {
    /// Starts the file.
    ///
    /// # Errors
    /// If [`check_output`] fails, or the folder cannot be written to.
    pub fn create(path: &Path, overwrite: bool) -> Result<(File, Self)> {
        check_output(path, overwrite)?;
        let (file, temporary) =
            temporary_in(folder(path)).map_err(|error| Error::write(path)(plain(error)))?;
        Ok((file, Self { temporary, path: path.to_owned(), overwrite }))
    }

    /// Brings the bytes to the disk and gives the file its name.
    ///
    /// # Errors
    /// If the system fails, or something has taken the name meanwhile and may not be replaced.
    pub fn finish(self, file: File) -> Result<()> {
        let Self { temporary, path, overwrite } = self;
        let failed = |error| Error::write(&path)(plain(error));
        file.sync_all().map_err(failed)?;
        drop(file);
        let persisted = if overwrite { temporary.persist(&path) } else { temporary.persist_noclobber(&path) };
        if let Err(error) = persisted {
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
pub fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.and_then(|()| sync_folder(folder(path))).map_err(Error::write(path)),
    }
}

/// True if both paths lead to one existing file, through whatever links.
pub fn same_file(a: &Path, b: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        match (fs::metadata(a), fs::metadata(b)) {
            (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
            _ => false,
        }
    }
    #[cfg(not(unix))]
    match (fs::canonicalize(a), fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// The folder of a file that is to be: `.` for a bare name.
pub fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A new file with the permissions of any other new file, not those of a temporary one.
fn temporary_in(folder: &Path) -> io::Result<(File, TempPath)> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".stems-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666)); // less the umask
    }
    builder.tempfile_in(folder).map(tempfile::NamedTempFile::into_parts)
}

/// The error without the temporary name, which would only puzzle.
pub(super) fn plain(error: io::Error) -> io::Error {
    if error.get_ref().is_some() { error.kind().into() } else { error }
}

/// Brings a rename to the disk, where folders can be synced at all.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(folder)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        result => result,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_same_file_is_known_through_links() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let [a, b, hard, soft, none] =
            ["a", "b", "hard", "soft", "none"].map(|name| folder.path().join(name));
        fs::write(&a, "x").expect("writes");
        fs::write(&b, "x").expect("writes");
        fs::hard_link(&a, &hard).expect("links");
        std::os::unix::fs::symlink(&a, &soft).expect("links");
        assert!(same_file(&a, &a) && same_file(&a, &hard) && same_file(&soft, &a));
        assert!(same_file(
            &a,
            &folder.path().join("../").join(folder.path().file_name().expect("named")).join("a")
        ));
        assert!(!same_file(&a, &b) && !same_file(&a, &none) && !same_file(&none, &none));
    }
}
