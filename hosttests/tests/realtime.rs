//! Ten minutes of audio and random automation: nothing in `process` allocates, locks or calls the system. `cargo xtask
//! test` says with which features; without them the test proves less and is left out.

#![cfg(any(feature = "alloc-guard", feature = "rtsan"))]
#![allow(clippy::print_stdout, reason = "what is measured, and never judged, is printed")]

use hosttests::{Call, Change, Event, Library, MASTER, Plugin, Random, STEM, noise};
use std::time::Instant;

const RATE: f64 = 48_000.0;
/// Longest block.
const LONGEST: usize = 1024;

/// So many seconds of audio with something changed several times in each block; returns how often.
fn storm(library: &Library, id: &str, seconds: f64) -> u64 {
    let mut plugin = Plugin::new(library, id);
    let rows = plugin.rows();
    let mut random = Random::new(1);
    let programme = noise(2, 2, 1 << 16, 0.8);
    plugin.activate(RATE, LONGEST as u32);
    let (mut done, mut changes) = (0.0, 0);
    while done < seconds * RATE {
        let frames = 1 + random.below(LONGEST);
        let mut at: Vec<u32> = (0..random.below(4)).map(|_| random.below(frames) as u32).collect();
        at.sort_unstable();
        let events: Vec<Event> = at
            .into_iter()
            .map(|at| {
                let row = &rows[random.below(rows.len())];
                let change = Change { at, id: row.id, value: row.at(random.unit()) };
                if random.below(8) == 0 { Event::Modulation(change) } else { Event::Value(change) }
            })
            .collect();
        let start = random.below(programme[0].len() - frames);
        let cut = || programme.iter().map(|c| c[start..start + frames].to_vec()).collect::<Vec<_>>();
        let (mut audio, key) = (cut(), cut());
        let mono = audio.len() > plugin.ports().0[0] as usize;
        assert!(!mono);
        plugin.call(&mut audio, Call { key: Some(&key), events: &events, ..Call::default() });
        assert!(audio.iter().flatten().all(|x| x.is_finite()));
        done += frames as f64;
        changes += events.len() as u64;
        match random.below(400) {
            0 => plugin.reset(),
            1 => {
                plugin.deactivate();
                plugin.activate(RATE, LONGEST as u32);
            }
            2 => {
                let state = plugin.save();
                assert!(plugin.load(&state));
            }
            _ => {}
        }
    }
    changes
}

#[test]
fn nothing_in_process_allocates_or_waits() {
    let library = Library::open();
    for id in [STEM, MASTER] {
        let start = Instant::now();
        let changes = storm(&library, id, 300.0);
        println!("{id}: five minutes with {changes} changes in {:.0} s", start.elapsed().as_secs_f64());
        assert!(changes > 10_000);
    }
}
