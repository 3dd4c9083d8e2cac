//! The files of the songs that a Master's mix is compared with, as they are saved: where they are, not what is in them.

use super::Store;
use crate::references::MOST;

/// The longest path, bytes.
const LONGEST: usize = 4096;

/// True if these are references that can be kept.
pub(super) fn are_good(paths: &[String]) -> bool {
    let is_good =
        |path: &String| !path.is_empty() && path.len() <= LONGEST && !path.chars().any(char::is_control);
    paths.len() <= MOST && paths.iter().all(is_good)
}

impl Store {
    /// The files of a Master's references.
    pub fn references(&self) -> Vec<String> {
        self.lock().document.references.clone()
    }

    /// Keeps the files of a Master's references; without effect if they cannot be kept.
    pub fn keep_references(&self, paths: &[String]) {
        if are_good(paths) {
            self.lock().document.references = paths.to_vec();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Changes, Document};
    use super::*;
    use chain::ChainKind;

    #[test]
    fn what_is_kept_is_saved_and_what_cannot_be_is_not_kept() {
        let store = Store::new(ChainKind::Master, Changes::default());
        assert!(!serde_json::to_string(&store.document()).expect("plain").contains("references"));
        let paths = vec!["/music/a.flac".to_owned(), "C:\\b.wav".to_owned()];
        store.keep_references(&paths);
        let text = serde_json::to_string(&store.document()).expect("plain");
        let read: Document = serde_json::from_str(&text).expect("its own");
        assert_eq!((read.references, store.references()), (paths.clone(), paths.clone()));
        for bad in [
            vec![String::new()],
            vec!["a\nb".into()],
            vec!["x".repeat(LONGEST + 1)],
            vec!["a".into(); MOST + 1],
        ] {
            store.keep_references(&bad);
            assert_eq!(store.references(), paths);
        }
    }
}
