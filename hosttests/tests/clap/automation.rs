//! Parameters that move while audio runs.

use super::{PLUGINS, RATE, scrambled};
use hosttests::{Call, Change, Event, Library, Plugin, Random, STEM, noise};

#[test]
fn automation_is_sample_accurate_whatever_the_blocks() {
    let library = Library::open();
    let input = noise(9, 2, 12_000, 0.7);
    let run = |sizes: &[usize]| {
        let mut plugin = Plugin::new(&library, STEM);
        let mut changes = vec![
            plugin.typed(1000, "Level", "-12"),
            plugin.typed(1001, "EQ 3 On", "on"),
            plugin.typed(3333, "EQ 3 Gain", "6"),
            plugin.typed(7777, "Level", "3"),
            plugin.typed(9001, "Bypass", "on"),
        ];
        changes.sort_by_key(|change| change.at);
        plugin.activate(RATE, 4096);
        let mut output = input.clone();
        plugin.run(&mut output, None, sizes, &changes);
        output
    };
    let reference = run(&[4096]);
    assert!(reference != input);
    for sizes in [&[1000][..], &[64], &[333, 1, 77]] {
        assert!(run(sizes) == reference, "{sizes:?}");
    }
}

#[test]
fn a_storm_on_single_parameters_leaves_finite_audio() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        let rows = plugin.rows();
        plugin.activate(RATE, 512);
        let mut random = Random::new(77);
        let mut changes: Vec<Change> = (0..2000)
            .map(|_| {
                let row = &rows[random.below(rows.len())];
                let at = random.below(48_000) as u32;
                Change { at, id: row.id, value: row.at(random.unit()) }
            })
            .collect();
        changes.sort_by_key(|change| change.at);
        let mut audio = noise(6, 2, 48_000, 0.5);
        plugin.run(&mut audio, None, &[512], &changes);
        assert!(audio.iter().flatten().all(|x| x.is_finite()), "{id}");
    }
}

#[test]
fn any_values_at_all_leave_finite_audio() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        for extreme in [false, true] {
            let mut plugin = Plugin::new(&library, id);
            plugin.activate(44_100.0, 512);
            for seed in 0..50 {
                let mut changes = scrambled(&mut plugin, seed, extreme);
                for _ in 0..5 {
                    let mut audio = noise(seed, 2, 512, 1.0);
                    plugin.block(&mut audio, None, &changes, false);
                    changes.clear();
                    let good = |x: &f32| x.is_finite() && (*x == 0.0 || x.is_normal());
                    assert!(audio.iter().flatten().all(good), "{id} {seed} extreme: {extreme}");
                }
                if plugin.restarts() > seed as u32 {
                    plugin.deactivate();
                    plugin.activate(44_100.0, 512);
                }
            }
        }
    }
}

#[test]
fn every_parameter_every_ten_frames_leaves_finite_audio() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        for interval in [1000, 100, 10] {
            let mut plugin = Plugin::new(&library, id);
            plugin.activate(RATE, 512);
            let mut next = 0;
            for block in 0..(interval * 4usize).div_ceil(512) {
                let mut events = Vec::new();
                while next < 512 {
                    let changes = scrambled(&mut plugin, (block * 512 + next) as u64, false);
                    events.extend(changes.into_iter().map(|c| Event::Value(Change { at: next as u32, ..c })));
                    next += interval;
                }
                next -= 512;
                let mut audio = noise(block as u64, 2, 512, 1.0);
                plugin.call(&mut audio, Call { events: &events, ..Call::default() });
                assert!(audio.iter().flatten().all(|x| x.is_finite()), "{id} {interval}");
            }
        }
    }
}

#[test]
fn modulation_and_automation_at_random_frames_leave_finite_audio() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        let rows = plugin.rows();
        plugin.activate(RATE, 512);
        let mut random = Random::new(1);
        for block in 0..60 {
            let mut frames: Vec<u32> = (0..40).map(|_| random.below(512) as u32).collect();
            frames.sort_unstable();
            let events: Vec<Event> = frames
                .into_iter()
                .map(|at| {
                    let row = &rows[random.below(rows.len())];
                    let (min, max, _) = row.range;
                    if random.below(2) == 0 {
                        Event::Value(Change { at, id: row.id, value: row.at(random.unit()) })
                    } else {
                        let value = (max - min) * (random.unit() * 2.0 - 1.0);
                        Event::Modulation(Change { at, id: row.id, value })
                    }
                })
                .collect();
            let mut audio = noise(block, 2, 512, 1.0);
            plugin.call(&mut audio, Call { events: &events, ..Call::default() });
            assert!(audio.iter().flatten().all(|x| x.is_finite()), "{id}");
        }
    }
}
