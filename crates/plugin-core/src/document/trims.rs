//! Trims of a Master's stems in its slots A to D. The Stems own their trims; these are requested again when a slot is
//! selected.

use super::hex::Hex;
use super::{SLOT_COUNT, Store};
use serde::{Deserialize, Serialize};
use session::record::StemId;
use session::solve::MAX_TRIM;
use std::num::NonZeroU64;
use units::Db;

/// Maximum number of stems in a slot: the maximum number of instances.
const MAX_KEPT_TRIMS: usize = 128;

/// Trims by stem, dB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct KeptTrims(Vec<(Hex, f64)>);

impl KeptTrims {
    /// Returns true if the trims can be saved.
    pub(super) fn are_valid(&self) -> bool {
        self.0.len() <= MAX_KEPT_TRIMS && self.0.iter().all(|(_, trim)| trim.abs() <= MAX_TRIM.0)
    }
}

impl Store {
    /// Stores the trims of the stems in `slot`.
    pub fn keep_trims(&self, slot: usize, trims: &[(StemId, Db)]) {
        let kept = trims.iter().take(MAX_KEPT_TRIMS).filter_map(|(stem, trim)| {
            let trim = trim.0.clamp(-MAX_TRIM.0, MAX_TRIM.0);
            Some((Hex(NonZeroU64::new(stem.0)?), trim))
        });
        if slot < SLOT_COUNT {
            self.lock().document.trims[slot] = KeptTrims(kept.collect());
        }
    }

    /// Returns the trims stored in `slot`; empty if it was never used.
    pub fn trims(&self, slot: usize) -> Vec<(StemId, Db)> {
        let inner = self.lock();
        let kept = inner.document.trims.get(slot).map_or(&[][..], |kept| &kept.0);
        kept.iter().map(|(Hex(stem), trim)| (StemId(stem.get()), Db(*trim))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Changes, SavedDocument};
    use super::*;
    use chain::ChainKind;

    #[test]
    fn trims_are_kept_per_slot_and_saved_and_none_is_beyond_its_range() {
        let store = Store::new(ChainKind::Master, Changes::default());
        assert!(!serde_json::to_string(&store.document()).expect("plain").contains("trims"));
        let trims = [(StemId(u64::MAX), Db(-1.5)), (StemId(2), Db(0.0))];
        store.keep_trims(1, &trims);
        store.keep_trims(3, &[(StemId(0), Db(1.0)), (StemId(7), Db(99.0))]);
        store.keep_trims(SLOT_COUNT, &trims);
        let text = serde_json::to_string(&store.document()).expect("plain");
        let read: SavedDocument = serde_json::from_str(&text).expect("its own");
        assert_eq!(read, store.document());
        assert_eq!((store.trims(1), store.trims(0)), (trims.to_vec(), vec![]));
        assert_eq!(store.trims(3), [(StemId(7), MAX_TRIM)], "an id is not zero");
        assert!(read.trims.iter().all(KeptTrims::are_valid));
        assert!(!KeptTrims(vec![(Hex(NonZeroU64::MIN), 24.5)]).are_valid());
        assert!(!KeptTrims(vec![(Hex(NonZeroU64::MIN), f64::NAN)]).are_valid());
        assert!(!KeptTrims(vec![(Hex(NonZeroU64::MIN), 0.0); MAX_KEPT_TRIMS + 1]).are_valid());
    }
}
