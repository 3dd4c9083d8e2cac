//! Stems that live elsewhere: a second copy of the library, as where a host loads CLAP and VST3 side by side. It has a
//! roster of its own, and what it knows comes over the bridge.

use super::alone::{Folder, alone};
use super::desk::{Desk, RATE, measure, song};
use hosttests::Library;
use hosttests::viewer::Viewer;
use std::time::Instant;

#[test]
fn a_master_sums_the_stems_of_another_copy_of_the_library() {
    alone("link::bridged::a_master_sums_the_stems_of_another_copy_of_the_library", || {
        const SECONDS: usize = 4;
        const SPEED: f64 = 2.0;
        let (viewer, folder) = (Viewer::new(), Folder::new());
        let copy = folder.0.join("copy.clap");
        std::fs::copy(Library::path(), &copy).expect("copied");
        let (here, there) = (Library::open(), Library::open_at(&copy));
        let songs = (0..4).map(|n| song(n + 60, SECONDS)).collect();
        let gains = [[0.7, 0.9], [1.0, 0.5], [0.8, 0.8], [0.6, 1.1]];
        let mut desk = Desk::spread([&here, &here, &there, &there], songs, &gains);
        let (master, stems) = (desk.master_id(), desk.ids());
        viewer.find(master);
        let start = Instant::now();
        loop {
            let mix = desk.play_at(SPEED, 0..SECONDS * RATE as usize);
            let summary = viewer.summary(master, |_| true);
            let complete = summary.heard > SECONDS as f64 - 0.05
                && stems.iter().all(|id| summary.stems().any(|stem| stem.stem == *id));
            if complete && summary.coverage.is_some_and(|coverage| coverage > 0.9999) {
                let integrated = summary.mix.integrated.expect("sounds");
                let measured = measure(&mix).integrated.expect("sounds");
                assert!((integrated - measured).0.abs() < 0.01, "{integrated:?} {measured:?}");
                for (id, [left, right]) in stems.iter().zip(gains) {
                    let stem = summary.stems().find(|stem| stem.stem == *id).expect("it is there");
                    let gain = (0.5 * f64::from(left * left + right * right)).sqrt();
                    assert!((stem.gain.expect("it is found").gain() - gain).abs() < 1e-4, "{stem:?}");
                }
                return;
            }
            assert!(start.elapsed().as_secs() < 60, "never complete: {summary:?}");
        }
    });
}
