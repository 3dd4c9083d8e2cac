//! Checks of the files that a job is to write, before any work.

use std::path::Path;

use audiofile::error::{Error, Result};
use audiofile::output::{check_output, same_file};
use project::bundle::Bundle;

/// Checks that `path` may be written: it is none of the stems, and is free or may be replaced.
///
/// # Errors
/// If it may not; `cure` says what to do about an output that is an input.
pub(super) fn check_free(path: &Path, bundle: &Bundle, overwrite: bool, cure: &str) -> Result<()> {
    if let Some(stem) = bundle.stems.iter().find(|stem| same_file(&stem.path, path)) {
        return Err(is_input(path, format!("is the stem {}", stem.name), cure));
    }
    check_output(path, overwrite)
}

/// The error of an output that is an input.
pub(super) fn is_input(path: &Path, fault: String, cure: &str) -> Error {
    Error::Bundle { path: path.to_owned(), fault, cure: cure.into() }
}
