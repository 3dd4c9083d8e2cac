//! A file under test.

use super::measure::FileMeasurements;
use audiofile::AudioInfo;
use audiofile::error::shown;
use std::path::{Path, PathBuf};

/// A file that could be read to its end, and what was found in it.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) path: PathBuf,
    /// Its file name as it may be shown.
    pub(super) file: String,
    /// The stem's name.
    pub(super) name: String,
    pub(super) info: AudioInfo,
    pub(super) measured: FileMeasurements,
}

impl Subject {
    /// True if it has frames and one of them sounds.
    pub(super) fn sounds(&self) -> bool {
        self.measured.total() > 0.0
    }
}

/// The file name of a path as it may be shown.
pub(super) fn file_name(path: &Path) -> String {
    shown(path.file_name().map_or(path, Path::new))
}
