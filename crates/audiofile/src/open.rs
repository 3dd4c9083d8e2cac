//! Opening of files to read.

use std::fs::{self, File};
use std::path::Path;

use super::error::{Error, Result};

/// Opens a regular file; a pipe would block or could not be sought.
pub(crate) fn open_file(path: &Path) -> Result<File> {
    let found = fs::metadata(path).map_err(Error::open(path))?;
    if found.is_dir() {
        return Err(Error::open(path)(std::io::ErrorKind::IsADirectory.into()));
    }
    if !found.is_file() {
        return Err(Error::not_audio(path, "it is no regular file"));
    }
    File::open(path).map_err(Error::open(path))
}
