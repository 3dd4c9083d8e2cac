//! Small files that appear complete or not at all: pages, tables, manifests.

use std::io::Write;
use std::path::{Path, PathBuf};

use audiofile::error::{Error, Result};
use audiofile::output::{PendingFile, check_output};

/// A file that was found free, or may be replaced, before long work begins.
pub struct SmallFile {
    path: PathBuf,
    overwrite: bool,
}

impl SmallFile {
    /// Checks that `path` can become a file.
    ///
    /// # Errors
    /// If it is a folder, or is there and `overwrite` is not set.
    pub fn claim(path: &Path, overwrite: bool) -> Result<Self> {
        check_output(path, overwrite)?;
        Ok(Self { path: path.to_owned(), overwrite })
    }

    /// Writes the content, brings it to the disk and gives it its name.
    ///
    /// # Errors
    /// If it cannot be written, or something has taken the name meanwhile. Nothing is left behind then.
    pub fn write(self, bytes: &[u8]) -> Result<()> {
        let (mut file, pending) = PendingFile::create(&self.path, self.overwrite)?;
        file.write_all(bytes).map_err(Error::write(&self.path))?;
        pending.finish(file)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use audiofile::output::remove_file;

    #[test]
    fn a_file_appears_whole_and_replaces_only_with_permission() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join("a.json");
        SmallFile::claim(&path, false).expect("is free").write(b"one").expect("writes");
        assert!(matches!(SmallFile::claim(&path, false), Err(Error::Exists { .. })));
        SmallFile::claim(&path, true).expect("may be replaced").write(b"two").expect("writes");
        assert_eq!(fs::read(&path).expect("reads"), b"two");
        assert_eq!(fs::read_dir(dir.path()).expect("lists").count(), 1);
        assert!(SmallFile::claim(dir.path(), true).is_err(), "a folder is no file");

        let late = SmallFile::claim(&dir.path().join("b"), false).expect("is free");
        fs::write(dir.path().join("b"), "someone else's").expect("writes");
        assert!(matches!(late.write(b"ours"), Err(Error::Exists { .. })));
        remove_file(&path).expect("removes");
        remove_file(&path).expect("nothing to remove is no fault");
        assert_eq!(fs::read_dir(dir.path()).expect("lists").count(), 1);
    }
}
