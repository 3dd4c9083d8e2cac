//! Reference songs as a Master's window shows them.

use session::reference::{MatchedGain, match_gain};
use units::{Dbtp, Lufs, Ms};

/// Maximum number of references in a project.
pub const MAX_REFERENCES: usize = 8;

/// List of references with the state of playback.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReferenceList {
    /// The references, in the order in which they were added.
    pub kept: Vec<Reference>,
    /// True if they follow the host's transport; else their loudest 20 s loop.
    pub along: bool,
    /// Index of the reference that is heard.
    pub heard: Option<usize>,
    /// Index of the reference that will be heard once it is read.
    pub awaited: Option<usize>,
    /// Index of the reference heard last.
    pub last: Option<usize>,
    /// Loudness of the mix so far, to which references are matched.
    pub mix: Option<Lufs>,
    /// Folder listing for the choice of files, once the user has opened it.
    pub listing: Option<FolderListing>,
}

impl ReferenceList {
    /// Returns the playback gain of the reference at `index`; `None` while it cannot be matched.
    pub fn matched_gain(&self, index: usize) -> Option<MatchedGain> {
        match &self.kept.get(index)?.state {
            ReferenceState::Ready(figures) => match_gain(self.mix, figures.integrated, figures.true_peak),
            _ => None,
        }
    }

    /// Returns the index to switch to: the reference heard last, else the first playable one.
    pub fn next_playable(&self) -> Option<usize> {
        let can = |index: &usize| self.matched_gain(*index).is_some();
        self.last.filter(can).or_else(|| (0..self.kept.len()).find(can))
    }
}

/// A reference song.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// Path of the file.
    pub path: String,
    /// State of its measurement.
    pub state: ReferenceState,
}

impl Reference {
    /// Returns the file name without its folder.
    pub fn name(&self) -> &str {
        file_name(&self.path)
    }
}

/// Returns the last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(path)
}

/// State of a reference's measurement.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ReferenceState {
    /// Measurement runs.
    #[default]
    Reading,
    /// Measurement is complete.
    Ready(ReferenceReadings),
    /// The file cannot be used: file, fault, remedy.
    Broken(String),
}

/// Readings of a reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReferenceReadings {
    /// Integrated loudness; `None` if nothing passes the gates.
    pub integrated: Option<Lufs>,
    /// True peak; `None` for silence.
    pub true_peak: Option<Dbtp>,
    /// Length of the song.
    pub length: Ms,
    /// Start and end of the loudest 20 s, or of all of a shorter song.
    pub loudest: (Ms, Ms),
}

/// Contents of a folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FolderListing {
    /// Path of the folder.
    pub folder: String,
    /// Path of its parent; `None` for a root.
    pub above: Option<String>,
    /// Paths of its folders.
    pub folders: Vec<String>,
    /// Paths of its audio files.
    pub files: Vec<String>,
    /// Reason for which it could not be read, one line; empty if it could.
    pub fault: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_to_switch_to_is_the_last_that_was_heard_if_it_can_be_heard_still() {
        let figures = ReferenceReadings {
            integrated: Some(Lufs(-9.0)),
            true_peak: Some(Dbtp(-1.0)),
            length: Ms(1000.0),
            loudest: (Ms(0.0), Ms(1000.0)),
        };
        let of = |state| Reference { path: "/music/a.wav".into(), state };
        let mut all = ReferenceList {
            kept: vec![
                of(ReferenceState::Reading),
                of(ReferenceState::Ready(figures)),
                of(ReferenceState::Ready(figures)),
            ],
            ..ReferenceList::default()
        };
        assert_eq!(all.next_playable(), None, "nothing of the mix was heard");
        all.mix = Some(Lufs(-12.0));
        assert_eq!(all.next_playable(), Some(1));
        all.last = Some(2);
        assert_eq!(all.next_playable(), Some(2));
        all.kept[2].state = ReferenceState::Broken("gone".into());
        assert_eq!(all.next_playable(), Some(1));
    }

    #[test]
    fn names_are_files_without_folders_of_any_system() {
        assert_eq!(file_name("/music/a b.wav"), "a b.wav");
        assert_eq!(file_name("C:\\Music\\c.flac"), "c.flac");
        assert_eq!((file_name("plain.wav"), file_name("/")), ("plain.wav", "/"));
    }
}
