//! The plugins in a CLAP host.

use hosttests::reference::{TYPED, settings};
use hosttests::{Change, Library, MASTER, Plugin, STEM, noise, reference};
use stemlink::chain::parameters::{PARAMETERS, Value};
use stemlink::chain::{ChainSettings, LatencyClass, Seat};

const RATE: f64 = 48_000.0;
const PLUGINS: [(&str, Seat); 2] = [(STEM, Seat::Stem), (MASTER, Seat::Master)];

fn through_chain(
    seat: Seat,
    class: LatencyClass,
    settings: &ChainSettings,
    main: &[Vec<f32>],
    key: Option<&[Vec<f32>]>,
) -> Vec<Vec<f32>> {
    reference::through_chain((seat, class, RATE), settings, main, key)
}

fn typed(plugin: &mut Plugin) -> Vec<Change> {
    TYPED.iter().map(|(name, text, _, _)| plugin.typed(0, name, text)).collect()
}

#[test]
fn the_library_has_both_plugins_with_their_features() {
    let found = Library::open().descriptors();
    let names: Vec<(&str, &str)> = found.iter().map(|(id, name, _)| (id.as_str(), name.as_str())).collect();
    assert_eq!(names, [(STEM, "Stemlink Stem"), (MASTER, "Stemlink Master")]);
    for (_, _, features) in &found {
        for feature in ["audio-effect", "stereo", "mastering", "analyzer"] {
            assert!(features.iter().any(|f| f == feature), "{feature} in {features:?}");
        }
    }
}

#[test]
fn a_stem_has_a_sidechain_and_a_master_has_none() {
    let library = Library::open();
    assert_eq!(Plugin::new(&library, STEM).ports(), (vec![2, 2], vec![2]));
    assert_eq!(Plugin::new(&library, MASTER).ports(), (vec![2], vec![2]));
}

#[test]
fn every_parameter_says_what_the_table_says() {
    let library = Library::open();
    for (id, seat) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        let rows = plugin.rows();
        let modules: Vec<&str> =
            rows.iter().skip(1).map(|row| row.module.rsplit('/').next().unwrap_or_default()).collect();
        let table: Vec<&str> = PARAMETERS.of(seat).map(|p| p.group.as_str()).collect();
        assert_eq!(modules, table);
        for row in &rows {
            let (min, max, default) = row.range;
            assert!(min <= default && default <= max && plugin.value(row.id) == default, "{}", row.name);
            // any value as text, and back, is the same text
            for i in 0..=20 {
                let value = min + (max - min) * f64::from(i) / 20.0;
                let text = plugin.text(row.id, value);
                let again = plugin.parse(row.id, &text).unwrap_or_else(|| panic!("{}: {text}", row.name));
                assert_eq!(plugin.text(row.id, again), text, "{}", row.name);
            }
            let automatable = row.flags.bits() & (1 << 10) != 0;
            assert_eq!(automatable, row.name != "Latency", "{}", row.name);
        }
    }
}

#[test]
fn at_its_defaults_a_plugin_changes_no_bit() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        plugin.activate(RATE, 1024);
        let latency = plugin.latency() as usize;
        let input = noise(1, 2, 9000, 0.9);
        let mut output = input.clone();
        plugin.run(&mut output, None, &[512, 1, 1023, 64], &[]);
        for (i, o) in input.iter().zip(&output) {
            assert_eq!(o[latency..], i[..9000 - latency], "{id}");
        }
    }
}

#[test]
fn latency_is_that_of_the_class_and_a_new_class_asks_for_a_restart_once() {
    let library = Library::open();
    let mut plugin = Plugin::new(&library, STEM);
    plugin.activate(RATE, 512);
    assert_eq!(plugin.latency(), 0);
    let lookahead = plugin.typed(0, "Latency", "Lookahead");
    let mut audio = noise(1, 2, 512, 0.5);
    plugin.block(&mut audio, None, &[lookahead], false);
    plugin.block(&mut audio, None, &[], false);
    assert_eq!((plugin.latency(), plugin.restarts()), (0, 1));
    plugin.deactivate();
    plugin.activate(RATE, 512);
    assert_eq!(plugin.latency(), 240 + 96);
}

#[test]
fn the_output_is_the_chain_s_bit_for_bit_however_the_host_cuts_it() {
    let library = Library::open();
    for (id, seat) in PLUGINS {
        let class = seat.default_class();
        let input = noise(7, 2, 20_000, 0.9);
        let expected = through_chain(seat, class, &settings(), &input, None);
        for sizes in [&[512][..], &[1], &[4096], &[37, 512, 1, 4095, 3]] {
            let mut plugin = Plugin::new(&library, id);
            let changes = typed(&mut plugin);
            plugin.flush(&changes);
            plugin.activate(RATE, 4096);
            let mut output = input.clone();
            plugin.run(&mut output, None, sizes, &[]);
            assert!(output == expected, "{id} in blocks of {sizes:?}");
        }
    }
}

#[test]
fn parameters_set_by_event_or_by_flush_sound_the_same() {
    let library = Library::open();
    let input = noise(7, 2, 8000, 0.9);
    let run = |how: fn(&mut Plugin, &[Change]) -> Vec<Change>| {
        let mut plugin = Plugin::new(&library, STEM);
        let changes = typed(&mut plugin);
        plugin.activate(RATE, 512);
        let left = how(&mut plugin, &changes);
        let mut output = input.clone();
        plugin.run(&mut output, None, &[512], &left);
        output
    };
    let flushed = run(|plugin, changes| {
        plugin.flush(changes);
        Vec::new()
    });
    let sent = run(|_, changes| changes.to_vec());
    assert!(
        flushed == sent
            && flushed == through_chain(Seat::Stem, LatencyClass::Zero, &settings(), &input, None)
    );
}

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
fn the_sidechain_keys_the_compressor() {
    let library = Library::open();
    let (input, key) = (noise(1, 2, 16_000, 0.1), noise(2, 2, 16_000, 0.9));
    let mut plugin = Plugin::new(&library, STEM);
    let mut changes = typed(&mut plugin);
    changes.push(plugin.typed(0, "Compressor Key", "Sidechain"));
    plugin.flush(&changes);
    plugin.activate(RATE, 512);
    let mut output = input.clone();
    plugin.run(&mut output, Some(&key), &[500], &[]);
    let mut settings = settings();
    PARAMETERS.find("comp_key").expect("exists").set(&mut settings, Value::Choice(1));
    assert!(output == through_chain(Seat::Stem, LatencyClass::Zero, &settings, &input, Some(&key)));
    assert!(
        output
            != through_chain(
                Seat::Stem,
                LatencyClass::Zero,
                &settings,
                &input,
                Some(&noise(3, 2, 16_000, 0.01))
            )
    );
}

#[test]
fn in_place_and_out_of_place_sound_the_same_and_odd_blocks_do_no_harm() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let run = |in_place: bool| {
            let mut plugin = Plugin::new(&library, id);
            let changes = typed(&mut plugin);
            plugin.flush(&changes);
            plugin.activate(RATE, 8192);
            let mut all = Vec::new();
            for (seed, frames) in [0, 1, 2, 3, 511, 513, 0, 8191, 8192].into_iter().enumerate() {
                let mut audio = noise(seed as u64, 2, frames, 0.8);
                plugin.block(&mut audio, None, &[], in_place);
                all.push(audio);
            }
            all
        };
        assert!(run(true) == run(false), "{id}");
    }
}

#[test]
fn every_rate_gives_finite_audio_and_no_rate_at_all_is_refused() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        for rate in
            [8000.0, 11_025.0, 22_050.0, 44_100.0, 47_952.047, 96_000.0, 192_000.0, 384_000.0, 768_000.0]
        {
            let mut plugin = Plugin::new(&library, id);
            let changes = typed(&mut plugin);
            plugin.flush(&changes);
            plugin.activate(rate, 512);
            let mut audio = noise(5, 2, 20_000, 0.9);
            audio[0][100] = f32::NAN;
            audio[1][200] = f32::INFINITY;
            audio[1][300] = f32::MAX;
            audio[0][400] = 1e-42;
            plugin.run(&mut audio, None, &[512], &[]);
            assert!(
                audio.iter().flatten().all(|x| x.is_finite() && (*x == 0.0 || x.is_normal())),
                "{id} at {rate}"
            );
        }
        assert!(!Plugin::new(&library, id).try_activate(0.0, 512));
        assert!(!Plugin::new(&library, id).try_activate(f64::NAN, 512));
    }
}

#[test]
fn reset_and_reactivation_start_anew() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        let changes = typed(&mut plugin);
        plugin.flush(&changes);
        plugin.activate(RATE, 512);
        let input = noise(4, 2, 5000, 0.9);
        let mut pass = |prepare: fn(&mut Plugin)| {
            prepare(&mut plugin);
            let mut output = input.clone();
            plugin.run(&mut output, None, &[512], &[]);
            output
        };
        let first = pass(|_| {});
        assert!(pass(Plugin::reset) == first, "{id}: reset");
        let again = pass(|plugin| {
            plugin.deactivate();
            plugin.activate(RATE, 512);
        });
        assert!(again == first, "{id}: reactivation");
    }
}

#[test]
fn an_automation_storm_leaves_finite_audio() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        let rows = plugin.rows();
        plugin.activate(RATE, 512);
        let random = noise(77, 1, 4 * 2000, 1.0).swap_remove(0);
        let mut changes: Vec<Change> = random
            .chunks_exact(4)
            .map(|r| {
                let unit = |x: f32| f64::from(x) * 0.5 + 0.5;
                let row = &rows[((unit(r[0]) * rows.len() as f64) as usize).min(rows.len() - 1)];
                let (min, max, _) = row.range;
                Change {
                    at: (unit(r[1]) * 47_999.0) as u32,
                    id: row.id,
                    value: (min + (max - min) * unit(r[2])),
                }
            })
            .collect();
        changes.sort_by_key(|change| change.at);
        let mut audio = noise(6, 2, 48_000, 0.5);
        plugin.run(&mut audio, None, &[512], &changes);
        assert!(audio.iter().flatten().all(|x| x.is_finite()), "{id}");
    }
}

#[test]
fn a_hundred_instances_come_and_go() {
    let library = Library::open();
    for i in 0..100 {
        let mut plugin = Plugin::new(&library, if i % 2 == 0 { STEM } else { MASTER });
        if i % 3 == 0 {
            plugin.activate(RATE, 64);
            plugin.run(&mut noise(1, 2, 64, 0.5), None, &[64], &[]);
        }
    }
}
