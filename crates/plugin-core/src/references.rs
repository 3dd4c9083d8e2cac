//! Songs that a mix is compared with, as a Master's window shows them.

use session::reference::{MatchedGain, match_gain};
use units::{Dbtp, Lufs, Ms};

/// The most references of a project.
pub const MAX_REFERENCES: usize = 8;

/// The references, and how they are heard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReferenceList {
    /// Each of them, in the order in which they were added.
    pub kept: Vec<Reference>,
    /// They follow the host's transport, else their loudest 20 s are played again and again.
    pub along: bool,
    /// The one that is heard now, by its place in the list.
    pub heard: Option<usize>,
    /// The one that is to be heard, and is being read.
    pub awaited: Option<usize>,
    /// The one that was heard last.
    pub last: Option<usize>,
    /// Loudness of the mix so far, which they are matched to.
    pub mix: Option<Lufs>,
    /// A folder to choose files from, once a person has asked for one.
    pub listing: Option<FolderListing>,
}

impl ReferenceList {
    /// How the reference at `index` is played; `None` while it cannot be.
    pub fn matched_gain(&self, index: usize) -> Option<MatchedGain> {
        match &self.kept.get(index)?.state {
            ReferenceState::Ready(figures) => match_gain(self.mix, figures.integrated, figures.true_peak),
            _ => None,
        }
    }

    /// The one to switch to: the one that was heard last, else the first that can be heard.
    pub fn next_playable(&self) -> Option<usize> {
        let can = |index: &usize| self.matched_gain(*index).is_some();
        self.last.filter(can).or_else(|| (0..self.kept.len()).find(can))
    }
}

/// A song to compare with.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The file.
    pub path: String,
    /// What is known of it.
    pub state: ReferenceState,
}

impl Reference {
    /// What it is called: the file without its folder.
    pub fn name(&self) -> &str {
        file_name(&self.path)
    }
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(path)
}

/// What is known of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ReferenceState {
    /// It is being measured.
    #[default]
    Reading,
    /// It was measured.
    Ready(ReferenceReadings),
    /// It cannot be used: file, fault, cure.
    Broken(String),
}

/// A file's figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReferenceReadings {
    /// Loudness of the whole; `None` when nothing passes the gates.
    pub integrated: Option<Lufs>,
    /// Its true peak; `None` of silence.
    pub true_peak: Option<Dbtp>,
    /// How long it is.
    pub length: Ms,
    /// Its loudest 20 s, or all of a shorter one: from, to.
    pub loudest: (Ms, Ms),
}

/// What is in a folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FolderListing {
    /// The folder.
    pub folder: String,
    /// The one that it is in, unless it is the highest.
    pub above: Option<String>,
    /// Folders in it, whole paths.
    pub folders: Vec<String>,
    /// Audio files in it, whole paths.
    pub files: Vec<String>,
    /// Why it could not be read: one line; empty if it could.
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
