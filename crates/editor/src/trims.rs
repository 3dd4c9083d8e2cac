//! Trims of a session, saved with a Master's settings A to D and asked of the Stems when a slot is recalled.

use plugin_core::command::TrimChange;
use plugin_core::document::Store;
use plugin_core::session_view::StemCard;

/// Saves the trims of `stems` with the settings of `slot`.
pub(super) fn save_trims(store: &Store, stems: &[StemCard], slot: usize) {
    let linked = stems.iter().filter(|stem| stem.status.is_linked());
    store.keep_trims(slot, &linked.map(|stem| (stem.id, stem.trim)).collect::<Vec<_>>());
}

/// Saves the trims with the settings in use, and returns the changes to those saved with `slot`. Called before `slot` is
/// recalled; Stems that were absent when it was saved keep their trims.
pub(super) fn switch_trims(store: &Store, stems: &[StemCard], slot: usize) -> Vec<TrimChange> {
    let (now, _) = store.slots();
    if now == slot {
        return Vec::new();
    }
    let kept = store.trims(slot);
    save_trims(store, stems, now);
    let change = |stem: &StemCard| {
        let (_, after) = kept.iter().find(|(id, _)| *id == stem.id)?;
        Some(TrimChange { stem: stem.id, before: stem.trim, after: *after })
    };
    let linked = stems.iter().filter(|stem| stem.status.is_linked());
    linked.filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::ChainKind;
    use plugin_core::control::Changes;
    use plugin_core::document::ParameterSnapshot;
    use session::record::StemId;
    use session::stem_status::StemStatus;
    use units::Db;

    fn stem(id: u64, trim: f64) -> StemCard {
        StemCard { trim: Db(trim), ..StemCard::new(StemId(id), "") }
    }

    fn trims(stems: &[StemCard]) -> Vec<f64> {
        stems.iter().map(|stem| stem.trim.0).collect()
    }

    #[test]
    fn settings_bring_the_trims_of_the_whole_session_with_them() {
        let mut stems = vec![stem(1, 0.0), stem(2, -1.5), stem(3, 2.0)];
        let store = Store::new(ChainKind::Master, Changes::default());
        // stems that agree to everything they are asked for
        let choose = |stems: &mut Vec<StemCard>, slot| {
            for request in switch_trims(&store, stems, slot)
                .iter()
                .filter_map(|change| change.request(stems))
                .collect::<Vec<_>>()
            {
                let stem = stems.iter_mut().find(|stem| stem.id == request.stem).expect("it is there");
                stem.trim = request.trim;
            }
            store.switch_slot(slot, ParameterSnapshot::default());
        };
        choose(&mut stems, 1);
        assert_eq!(trims(&stems), [0.0, -1.5, 2.0], "never used: as it is");
        for (stem, trim) in stems.iter_mut().zip([3.0, -1.5, 0.0]) {
            stem.trim = Db(trim);
        }
        choose(&mut stems, 0);
        assert_eq!(trims(&stems), [0.0, -1.5, 2.0]);
        choose(&mut stems, 0);
        choose(&mut stems, 1);
        assert_eq!(trims(&stems), [3.0, -1.5, 0.0]);
        save_trims(&store, &stems, 3);
        choose(&mut stems, 0);
        // one has gone, another has come since
        stems[0].status = StemStatus::Gone;
        stems.push(stem(4, 5.0));
        choose(&mut stems, 3);
        assert_eq!(trims(&stems), [0.0, -1.5, 0.0, 5.0]);
    }
}
