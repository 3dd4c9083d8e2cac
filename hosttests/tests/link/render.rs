//! However a host goes about it, the Master finds the same: to the bit, where nothing has to be made anew.

use super::alone::alone;
use super::desk::{Desk, Manner, RATE, song};
use hosttests::Library;
use hosttests::host::is_worst;
use hosttests::viewer::Viewer;
use link::summary::SessionSummary;
use std::time::Duration;

const SECONDS: usize = 6;
const STEMS: usize = 8;

/// Numbers of the Master once it has heard the whole session, as bits.
fn found(viewer: &Viewer, library: &Library, states: &mut Vec<Vec<u8>>, manner: Manner) -> Vec<Option<u64>> {
    let gains: Vec<[f32; 2]> = (0..STEMS).map(|n| [1.0 - 0.08 * n as f32, 0.4 + 0.07 * n as f32]).collect();
    let songs = (0..STEMS as u64).map(|n| song(n, SECONDS)).collect();
    let mut desk = Desk::restored(library, songs, &gains, states);
    // the same stems again: sums are in the order of their ids
    *states = desk.buses.iter_mut().map(|bus| bus.plugin.save()).collect();
    let (master, stems) = (desk.master_id(), desk.ids());
    let ahead: Vec<i64> = desk.buses.iter().map(|bus| bus.ahead).collect();
    viewer.find(master);
    desk.play(0..SECONDS * RATE as usize, manner);
    // back to the beginning: the last hop waits for what follows, which says whether it was an audition
    desk.play(0..RATE as usize / 2, manner);
    let whole = |heard: f64| heard > SECONDS as f64 - 0.05;
    let complete = |summary: &SessionSummary| whole(summary.heard) && summary.stems().count() == STEMS;
    // and the Master has taken in what it has heard again
    let mut summary = viewer.summary(master, complete);
    loop {
        std::thread::sleep(Duration::from_millis(1500));
        let now = viewer.summary(master, complete);
        if now == summary {
            break;
        }
        summary = now;
    }
    assert_eq!(summary.half_width.map(|width| width.0), Some(0.0), "{manner:?}: {summary:?}");
    assert!(summary.coverage.is_some_and(|coverage| coverage > 0.999_999), "{manner:?}: {summary:?}");
    let mix = summary.mix;
    let mut bits = vec![mix.integrated.map(|x| x.0), mix.range.map(|x| x.0), mix.true_peak.map(|x| x.0)];
    bits.extend([summary.coverage, mix.momentary_max.map(|x| x.0), mix.short_term_max.map(|x| x.0)]);
    for (n, id) in stems.into_iter().enumerate() {
        let stem = summary.stems().find(|stem| stem.stem == id).expect("every stem is there");
        let gain = stem.gain.expect("it is found").gain();
        let [left, right] = gains[n].map(f64::from);
        assert!((gain - (0.5 * (left * left + right * right)).sqrt()).abs() < 1e-4, "{n}: {gain}");
        assert_eq!(stem.delay, Some(-ahead[n]));
        bits.extend([stem.share, Some(gain), stem.chain_cost.map(|cost| cost.0)]);
    }
    bits.into_iter().map(|number| number.map(f64::to_bits)).collect()
}

#[test]
fn in_any_blocks_from_any_threads_and_with_a_bus_ahead_the_master_finds_the_same() {
    alone(
        "link::render::in_any_blocks_from_any_threads_and_with_a_bus_ahead_the_master_finds_the_same",
        || {
            let (viewer, library) = (Viewer::new(), Library::open());
            let mut states = Vec::new();
            let usual = found(&viewer, &library, &mut states, Manner::USUAL);
            // 200 ms
            let ahead = Manner { block: 480, ahead: 20, ..Manner::USUAL };
            for manner in
                [Manner { block: 64, ..Manner::USUAL }, Manner { threads: true, ..Manner::USUAL }, ahead]
            {
                let now = found(&viewer, &library, &mut states, manner);
                // In the worst host stems are stamped ahead, and hops made before they were placed are made anew. How many
                // depends on the machine, and the weighting filters of those that follow begin 100 ms before them: what was
                // before is 1e-9 of an amplitude by then, (1 + wt) exp(-wt) of a double pole at 38 Hz.
                let is_same = |now: &Option<u64>, then: &Option<u64>| {
                    let values = now.zip(*then).map(|(a, b)| [a, b].map(f64::from_bits));
                    now == then || (is_worst() && values.is_some_and(|[a, b]| (a - b).abs() < 1e-8 * b.abs()))
                };
                let differ =
                    now.iter().zip(&usual).enumerate().filter(|(_, (now, then))| !is_same(now, then));
                let differ: Vec<_> =
                    differ.map(|(n, (a, b))| (n, a.map(f64::from_bits), b.map(f64::from_bits))).collect();
                assert!(differ.is_empty(), "{manner:?}: {differ:?}");
            }
        },
    );
}
