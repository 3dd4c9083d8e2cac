//! The library comes and goes. Alone in its process, so that what it leaves can be seen.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "what is measured, and never judged, is printed")]

use hosttests::{Library, MASTER, Plugin, STEM, noise};
use std::fs;
use std::time::{Duration, Instant};

/// Threads of this process once they are as many as `wanted`, or after a while: threads end a moment after they
/// are waited for.
fn threads(wanted: usize) -> usize {
    let count = || fs::read_dir("/proc/self/task").expect("Linux has it").count();
    let start = Instant::now();
    while count() != wanted && start.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(2));
    }
    count()
}

/// Resident memory in KiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux says it");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number")
}

#[test]
fn the_library_is_loaded_and_unloaded_a_hundred_times() {
    let before = threads(0);
    let mut settled = 0;
    for round in 0..100 {
        // on a thread of its own, as hosts do: what is kept for a thread goes with it
        let host = std::thread::spawn(move || {
            let library = Library::open();
            for id in [STEM, MASTER] {
                let mut plugin = Plugin::new(&library, id);
                if round % 2 == 0 {
                    plugin.activate(48_000.0, 256);
                    plugin.run(&mut noise(round, 2, 1024, 0.5), None, &[256], &[]);
                }
                let state = plugin.save();
                assert!(plugin.load(&state));
            }
        });
        host.join().expect("no panic");
        assert_eq!(threads(before), before, "round {round}: a thread was left");
        if round == 20 {
            settled = resident();
        }
    }
    let grown = resident().saturating_sub(settled);
    println!("80 more rounds took {grown} KiB");
    assert!(grown < 8 * 1024, "{grown} KiB more after 80 rounds");

    // Threads that unload it while others end: what a thread has kept for the library is cleaned up when it ends, by
    // code that must still be there.
    for round in 0..1500 {
        let scanners = [STEM, MASTER, STEM, MASTER].map(|id| {
            std::thread::spawn(move || {
                let library = Library::open();
                Plugin::new(&library, id).save().len()
            })
        });
        for scanner in scanners {
            assert!(scanner.join().expect("no panic") > 0, "{round}");
        }
    }
    assert_eq!(threads(before), before);
}
