//! The files that `stems measure` was given: folders opened, pipes read to their end.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use audiofile::Error;
use audiofile::error::shown;
use project::bundle::{audio_files, holds_stems};
use project::unread::unread_files;
use tempfile::TempPath;

use crate::common::left_out;
use crate::failure::{Failure, fault};

/// A file to be measured.
pub(super) struct Input {
    /// The name that it is called by.
    pub(super) name: PathBuf,
    /// The file that is read.
    pub(super) path: PathBuf,
    /// It was found in a folder, not named by itself.
    pub(super) in_folder: bool,
    /// The temporary file of what came through a pipe, which goes with it.
    spool: Option<TempPath>,
}

impl Input {
    fn of(path: &Path, in_folder: bool) -> Self {
        Self { name: path.to_owned(), path: path.to_owned(), in_folder, spool: None }
    }

    /// True for what came through a pipe, whose writer cannot know its length beforehand.
    pub(super) fn is_pipe(&self) -> bool {
        self.spool.is_some()
    }

    /// A failure to read it, by the name that it is called by.
    pub(super) fn failure(&self, error: Error) -> Failure {
        Failure::new(error.to_string().replace(&shown(&self.path), &shown(&self.name)))
    }
}

/// The inputs, and whether one of them could not be had.
pub(super) struct Inputs {
    pub(super) files: Vec<Input>,
    pub(super) failed: bool,
}

impl Inputs {
    /// Opens folders and reads pipes; says what cannot be.
    pub(super) fn open(paths: &[PathBuf]) -> Self {
        let mut inputs = Self { files: Vec::new(), failed: false };
        for path in paths {
            match input(path) {
                Ok(files) => inputs.files.extend(files),
                Err(failure) => {
                    failure.print();
                    inputs.failed = true;
                }
            }
        }
        inputs
    }
}

fn input(path: &Path) -> Result<Vec<Input>, Failure> {
    if path == Path::new("-") {
        return Ok(vec![spool(io::stdin().lock(), Path::new("standard input"))?]);
    }
    if holds_stems(path) {
        return folder(path);
    }
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Ok(vec![spool(File::open(path).map_err(Error::open(path))?, path)?]);
    }
    Ok(vec![Input::of(path, false)])
}

fn folder(path: &Path) -> Result<Vec<Input>, Failure> {
    let found = audio_files(path)?;
    let unread = unread_files(path)?;
    unread.iter().for_each(|file| fault(&left_out(file)));
    if found.is_empty() {
        let line = format!("{}: holds no audio files; give a folder of WAV, FLAC or AIFF files", shown(path));
        return Err(Failure::new(line));
    }
    Ok(found.iter().map(|path| Input::of(path, true)).collect())
}

/// Reads a pipe to its end into a temporary file.
fn spool(mut from: impl Read, name: &Path) -> Result<Input, Failure> {
    let temporary = tempfile::NamedTempFile::new().map_err(Error::write(&std::env::temp_dir()))?;
    let (mut file, spool) = temporary.into_parts();
    io::copy(&mut from, &mut file).map_err(Error::read(name))?;
    Ok(Input { name: name.to_owned(), path: spool.to_path_buf(), in_folder: false, spool: Some(spool) })
}
