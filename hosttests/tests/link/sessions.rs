//! Two projects in one host: each Master sums its own Stems.

use super::alone::alone;
use super::desk::{Desk, Manner, RATE, measure, song};
use hosttests::Library;
use hosttests::viewer::{Viewer, eventually, saved};
use std::collections::BTreeSet;

#[test]
fn two_sessions_in_one_process_do_not_take_each_other_s_stems() {
    alone("link::sessions::two_sessions_in_one_process_do_not_take_each_other_s_stems", || {
        const SECONDS: usize = 5;
        let all = 0..SECONDS * RATE as usize;
        let (viewer, library) = (Viewer::new(), Library::open());
        let desk = |seed: u64| {
            let songs = (0..3).map(|n| song(seed + n, SECONDS)).collect();
            Desk::new(&library, songs, &[[0.7, 0.9], [1.0, 0.5], [0.8, 0.8]])
        };
        let mut desks = [desk(40), desk(50)];
        let masters = desks.each_mut().map(Desk::master_id);
        let stems = desks.each_mut().map(|desk| desk.ids().into_iter().collect::<BTreeSet<_>>());
        for master in masters {
            viewer.find(master);
        }
        assert_ne!(saved(&mut desks[0].master, "session"), saved(&mut desks[1].master, "session"));

        // both play at the same place of their timelines, again and again, until each knows its own
        let start = std::time::Instant::now();
        let own = |n: usize| {
            let summary = viewer.summary(masters[n], |_| true);
            summary.stems().map(|stem| stem.stem).collect::<BTreeSet<_>>() == stems[n]
        };
        let mut mixes = desks.each_mut().map(|desk| desk.play(all.clone(), Manner::USUAL).0);
        while !(own(0) && own(1)) {
            assert!(start.elapsed().as_secs() < 60, "they never part");
            mixes = desks.each_mut().map(|desk| desk.play(all.clone(), Manner::USUAL).0);
        }
        for _ in 0..2 {
            mixes = desks.each_mut().map(|desk| desk.play(all.clone(), Manner::USUAL).0);
        }
        for n in 0..2 {
            let summary = viewer.summary(masters[n], |summary| summary.heard > SECONDS as f64 - 0.05);
            let integrated = summary.mix.integrated.expect("sounds");
            let measured = measure(&mixes[n]).integrated.expect("sounds");
            assert!((integrated - measured).0.abs() < 0.01, "{integrated:?} {measured:?}");
            assert!(summary.coverage.is_some_and(|coverage| coverage > 0.9999), "{summary:?}");
            let shares: f64 = summary.stems().filter_map(|stem| stem.share).sum();
            assert!((shares - 1.0).abs() < 1e-3, "{shares}");
            // and the Stems keep whose they are
            let session = saved(&mut desks[n].master, "session");
            let mut buses = desks[n].buses.iter_mut();
            let belongs = |bus: &mut super::desk::Bus| saved(&mut bus.plugin, "session") == session;
            assert!(buses.all(|bus| eventually("it belongs", || belongs(bus).then_some(true))));
        }
    });
}
