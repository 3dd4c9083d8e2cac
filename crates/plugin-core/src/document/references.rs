//! Paths of a Master's reference files in the saved document; the audio is not saved.

use super::Store;
use crate::references::MAX_REFERENCES;

/// Maximum length of a path, bytes.
const MAX_PATH_LENGTH: usize = 4096;

/// Returns true if the paths can be saved.
pub(super) fn are_valid(paths: &[String]) -> bool {
    let is_valid = |path: &String| {
        !path.is_empty() && path.len() <= MAX_PATH_LENGTH && !path.chars().any(char::is_control)
    };
    paths.len() <= MAX_REFERENCES && paths.iter().all(is_valid)
}

impl Store {
    /// Returns the paths of a Master's references.
    pub fn references(&self) -> Vec<String> {
        self.lock().document.references.clone()
    }

    /// Sets the paths of a Master's references; no effect if they are invalid.
    pub fn set_references(&self, paths: &[String]) {
        if are_valid(paths) {
            self.lock().document.references = paths.to_vec();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Changes, SavedDocument};
    use super::*;
    use chain::ChainKind;

    #[test]
    fn what_is_kept_is_saved_and_what_cannot_be_is_not_kept() {
        let store = Store::new(ChainKind::Master, Changes::default());
        assert!(!serde_json::to_string(&store.document()).expect("plain").contains("references"));
        let paths = vec!["/music/a.flac".to_owned(), "C:\\b.wav".to_owned()];
        store.set_references(&paths);
        let text = serde_json::to_string(&store.document()).expect("plain");
        let read: SavedDocument = serde_json::from_str(&text).expect("its own");
        assert_eq!((read.references, store.references()), (paths.clone(), paths.clone()));
        for bad in [
            vec![String::new()],
            vec!["a\nb".into()],
            vec!["x".repeat(MAX_PATH_LENGTH + 1)],
            vec!["a".into(); MAX_REFERENCES + 1],
        ] {
            store.set_references(&bad);
            assert_eq!(store.references(), paths);
        }
    }
}
