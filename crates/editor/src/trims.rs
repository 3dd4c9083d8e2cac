//! The trims of a whole session: several stems asked in one step, and kept with a Master's settings A to D.

use super::edits::TrimChange;
use plugin_core::board::Board;
use plugin_core::document::Store;
use plugin_core::room::{StemCard, TrimRequest};
use units::Db;

/// Trims closer than this are the same, dB.
const SAME: f64 = 0.005;

fn are_same(a: Db, b: Db) -> bool {
    (a.0 - b.0).abs() < SAME
}

/// Asks those stems that still have the trims that they are to be changed from.
pub(super) fn ask(board: &Board, changes: &[TrimChange]) {
    let (stems, _) = board.look();
    for change in changes {
        let has = |stem: &&StemCard| stem.id == change.stem && are_same(stem.trim, change.before);
        if let Some(stem) = stems.iter().find(has).filter(|_| !are_same(change.before, change.after)) {
            board.ask(TrimRequest { stem: stem.id, base: stem.revision, trim: change.after });
        }
    }
}

/// Keeps the trims that stems have with the settings of `slot`.
pub(super) fn keep(store: &Store, board: &Board, slot: usize) {
    let (stems, _) = board.look();
    let linked = stems.iter().filter(|stem| stem.presence.is_linked());
    store.keep_trims(slot, &linked.map(|stem| (stem.id, stem.trim)).collect::<Vec<_>>());
}

/// Keeps them with the settings in use, and asks for those that were kept with the settings of `slot`, before these come into use.
/// Stems that were not there then stay as they are.
pub(super) fn switch(store: &Store, board: &Board, slot: usize) {
    let (now, _) = store.slots();
    if now == slot {
        return;
    }
    let (kept, (stems, _)) = (store.trims(slot), board.look());
    keep(store, board, now);
    let change = |stem: &StemCard| {
        let (_, after) = kept.iter().find(|(id, _)| *id == stem.id)?;
        Some(TrimChange { stem: stem.id, before: stem.trim, after: *after })
    };
    let linked = stems.iter().filter(|stem| stem.presence.is_linked());
    ask(board, &linked.filter_map(change).collect::<Vec<_>>());
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::ChainKind;
    use plugin_core::control::Changes;
    use plugin_core::document::Snapshot;
    use plugin_core::room::Presence;
    use session::record::StemId;
    use std::sync::{Arc, Mutex};

    /// Stems that agree to everything they are asked for by who has seen how they are.
    fn session(trims: &[f64]) -> (Board, Arc<Mutex<Vec<StemCard>>>) {
        let card = |(id, trim): (u64, &f64)| StemCard {
            trim: Db(*trim),
            revision: 10 * id,
            ..StemCard::new(StemId(id), "")
        };
        let stems: Arc<Mutex<Vec<StemCard>>> = Arc::new(Mutex::new((1..).zip(trims).map(card).collect()));
        let (board, seen, asked) = (Board::default(), Arc::clone(&stems), Arc::clone(&stems));
        board.look_by(move || (seen.lock().expect("plain").clone(), false));
        board.post_to(move |wish| {
            let mut stems = asked.lock().expect("plain");
            let stem = stems.iter_mut().find(|stem| stem.id == wish.stem).expect("it is there");
            assert_eq!(wish.base, stem.revision);
            (stem.trim, stem.revision) = (wish.trim, stem.revision + 1);
        });
        (board, stems)
    }

    fn trims(stems: &Mutex<Vec<StemCard>>) -> Vec<f64> {
        stems.lock().expect("plain").iter().map(|stem| stem.trim.0).collect()
    }

    #[test]
    fn settings_bring_the_trims_of_the_whole_session_with_them() {
        let (board, stems) = session(&[0.0, -1.5, 2.0]);
        let store = Store::new(ChainKind::Master, Changes::default());
        let choose = |slot| {
            switch(&store, &board, slot);
            store.switch_to(slot, Snapshot::default());
        };
        choose(1);
        assert_eq!(trims(&stems), [0.0, -1.5, 2.0], "never used: as it is");
        for (stem, trim) in stems.lock().expect("plain").iter_mut().zip([3.0, -1.5, 0.0]) {
            stem.trim = Db(trim);
        }
        choose(0);
        assert_eq!(trims(&stems), [0.0, -1.5, 2.0]);
        choose(0);
        choose(1);
        assert_eq!(trims(&stems), [3.0, -1.5, 0.0]);
        keep(&store, &board, 3);
        choose(0);
        // one has gone, another has come since
        stems.lock().expect("plain")[0].presence = Presence::Gone;
        stems.lock().expect("plain").push(StemCard { trim: Db(5.0), ..StemCard::new(StemId(4), "") });
        choose(3);
        assert_eq!(trims(&stems), [0.0, -1.5, 0.0, 5.0]);
    }

    #[test]
    fn a_stem_that_has_changed_meanwhile_is_left_alone() {
        let (board, stems) = session(&[1.0, 2.0]);
        let change =
            |stem, before, after| TrimChange { stem: StemId(stem), before: Db(before), after: Db(after) };
        ask(&board, &[change(1, 1.0, 0.0), change(2, 1.0, 0.0), change(3, 0.0, 1.0)]);
        assert_eq!(trims(&stems), [0.0, 2.0]);
    }
}
