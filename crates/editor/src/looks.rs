//! Appearance and displays that all open windows of this process share: a change in one reaches the others.

use super::display::DisplaySettings;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Settings that are the same in every window.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Looks {
    /// Dark or light.
    pub(super) dark: bool,
    /// Display of meters and spectra.
    pub(super) display: DisplaySettings,
}

/// The looks chosen last in this process; `None` before a choice.
static CHOSEN: Mutex<Option<Looks>> = Mutex::new(None);
/// Number of choices so far.
static REVISION: AtomicU64 = AtomicU64::new(0);

/// Returns the number of choices so far: windows follow when it has grown.
pub(super) fn revision() -> u64 {
    REVISION.load(Ordering::Acquire)
}

/// Publishes looks that the user has chosen; returns the number of choices.
pub(super) fn choose(looks: Looks) -> u64 {
    *CHOSEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(looks);
    REVISION.fetch_add(1, Ordering::Release) + 1
}

/// Returns the looks chosen last.
pub(super) fn chosen() -> Option<Looks> {
    CHOSEN.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_counted_and_read_by_every_window() {
        let before = revision();
        let looks = Looks { dark: true, ..Looks::default() };
        let after = choose(looks.clone());
        assert!(after > before && revision() >= after);
        assert_eq!(chosen(), Some(looks));
    }
}
