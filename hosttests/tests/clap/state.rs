//! States that the plugins save, and their answer to any state they are given to load.

use super::{PLUGINS, scrambled};
use chain::parameters::{PARAMETERS, Value};
use chain::{ChainKind, ChainSettings, LatencyClass};
use dsp::denoise::NoisePrint;
use hosttests::reference::through_chain;
use hosttests::{Library, MASTER, Plugin, Random, STEM, edited, noise, with_noise, without_identity};

/// Every parameter somewhere, the same for the same seed.
fn scramble(plugin: &mut Plugin, seed: u64) {
    let changes = scrambled(plugin, seed, false);
    plugin.flush(&changes);
}

#[test]
fn a_thousand_states_make_the_same_plugin_again() {
    let library = Library::open();
    let input = noise(1, 2, 300, 0.5);
    for (id, _) in PLUGINS {
        let mut other = Plugin::new(&library, id);
        let mut rescans = 0;
        for seed in 0..500 {
            let mut plugin = Plugin::new(&library, id);
            scramble(&mut plugin, seed);
            let state = plugin.save();
            assert!(other.load(&state));
            other.idle();
            assert!(other.rescans() > rescans, "the host is told that values have changed");
            rescans = other.rescans();
            assert_eq!(plugin.values(), other.values());
            // a living instance keeps its id
            assert_eq!(without_identity(&other.save()), without_identity(&state), "{id} {seed}");
            let sound = |plugin: &mut Plugin| {
                plugin.activate(44_100.0, 512);
                let mut output = input.clone();
                plugin.run(&mut output, None, &[300], &[]);
                plugin.deactivate();
                output
            };
            assert!(sound(&mut plugin) == sound(&mut other), "{id} {seed}");
        }
    }
}

#[test]
fn streams_may_give_and_take_a_few_bytes_at_a_time() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        scramble(&mut plugin, 8);
        let state = plugin.save();
        assert!(plugin.save_in(23) == state);
        let mut other = Plugin::new(&library, id);
        assert!(other.load_in(&state, 17) && other.save() == state, "{id}");
    }
}

#[test]
fn a_state_cut_at_any_byte_changes_nothing_and_is_said_to_have_failed() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        scramble(&mut plugin, 1);
        let before = plugin.save();
        let mut other = Plugin::new(&library, id);
        scramble(&mut other, 2);
        let good = other.save();
        for length in 0..good.len() {
            assert!(!plugin.load(&good[..length]), "{id}: {length} of {} bytes", good.len());
            assert!(length % 16 != 0 || plugin.save() == before, "{id}: {length} bytes");
            // cut, and the length says so
            let cut = good[8.min(length)..length].to_vec();
            assert!(!plugin.load(&[&(cut.len() as u64).to_le_bytes(), &cut[..]].concat()));
        }
        assert!(plugin.save() == before);
        assert!(plugin.load(&good) && plugin.save() == good);
    }
}

#[test]
fn a_bad_state_changes_nothing() {
    let library = Library::open();
    let mut plugin = Plugin::new(&library, STEM);
    scramble(&mut plugin, 1);
    let (before, state) = (plugin.values(), plugin.save());
    let mut other = Plugin::new(&library, STEM);
    scramble(&mut other, 2);
    let good = other.save();
    let mut master = Plugin::new(&library, MASTER);
    let mut random = Random::new(3);
    let mut megabyte = |_| (0..1 << 17).flat_map(|_| random.bits().to_le_bytes()).collect::<Vec<u8>>();

    let unreadable: Vec<Vec<u8>> = [Vec::new(), vec![0; 8], vec![255; 8], vec![b'{'; 1 << 20]]
        .into_iter()
        .chain((0..3).map(&mut megabyte))
        .chain([
            edited(&good, |_| "{}".into()),
            edited(&good, |_| "null".into()),
            edited(&good, |json| json.replacen("\"f32\":", "\"f32\":1e999,\"x\":", 1)),
        ])
        .collect();
    for (i, bytes) in unreadable.iter().enumerate() {
        assert!(!plugin.load(bytes), "{i}");
        assert!(plugin.values() == before && plugin.save() == state, "{i}");
    }

    // these can be read, but not meant: the framework says that it has loaded them, and nothing has changed
    let trim = |value: &str| {
        edited(&good, |mut json| {
            let key = "\"in_trim\":{\"f32\":";
            let start = json.find(key).expect("the state has the trim") + key.len();
            let end = start + json[start..].find('}').expect("closed");
            json.replace_range(start..end, value);
            json
        })
    };
    let refused = [
        master.save(),
        edited(&good, |json| json.replace("stemlink.stem/1", "stemlink.stem/9")),
        edited(&good, |json| json.replace("\"bool\":true", "\"i32\":7")),
        edited(&good, |json| json.replacen("\"fields\":{", "\"fields\":{\"x\":\"\"},\"y\":{", 1)),
        trim("1e39"),
        trim("-0.001"),
        trim("1.001"),
    ];
    for (i, bytes) in refused.iter().enumerate() {
        plugin.load(bytes);
        assert!(plugin.values() == before && plugin.save() == state, "{i}");
    }
    assert!(plugin.load(&good));
    assert!(plugin.save() == good);
}

#[test]
fn a_state_without_a_parameter_gives_it_its_default() {
    let library = Library::open();
    let mut plugin = Plugin::new(&library, STEM);
    scramble(&mut plugin, 5);
    let older = edited(&plugin.save(), |mut json| {
        let start = json.find("\"in_trim\":").expect("the trim");
        let end = start + json[start..].find("},").expect("closed") + 2;
        json.replace_range(start..end, "");
        json
    });
    assert!(plugin.load(&older));
    let trim = plugin.row("Input");
    assert_eq!(plugin.value(trim.id), trim.range.2);
}

#[test]
fn a_saved_noise_print_is_what_the_chain_is_given() {
    let library = Library::open();
    let mut plugin = Plugin::new(&library, STEM);
    let linear = plugin.typed(0, "Latency", "Linear & Denoise");
    let on = plugin.typed(0, "Denoise On", "on");
    plugin.flush(&[linear, on]);
    let levels = [-95.5_f32; 96];
    let state = with_noise(&plugin.save(), &levels);
    let mut other = Plugin::new(&library, STEM);
    assert!(other.load(&state));
    let input = noise(1, 2, 20_000, 0.01);
    let mut settings = ChainSettings::default();
    PARAMETERS.find("dn_on").expect("exists").set(&mut settings, Value::Switch(true));
    let sound = |plugin: &mut Plugin| {
        plugin.activate(48_000.0, 512);
        let mut output = input.clone();
        plugin.run(&mut output, None, &[512], &[]);
        output
    };
    let chain = |settings: &ChainSettings| {
        through_chain((ChainKind::Stem, LatencyClass::LinearDenoise, 48_000.0), settings, &input, None)
    };
    assert!(sound(&mut plugin) == chain(&settings), "tracked");
    let tracked = chain(&settings);
    settings.denoise.print = NoisePrint::new(&levels);
    assert!(chain(&settings) != tracked);
    assert!(sound(&mut other) == chain(&settings), "learned");
    assert_eq!(without_identity(&other.save()), without_identity(&state));
}

#[test]
fn a_state_loaded_while_processing_is_heard_without_a_click() {
    let library = Library::open();
    let mut loud = Plugin::new(&library, STEM);
    let mut quiet = Plugin::new(&library, STEM);
    let change = quiet.typed(0, "Level", "-24 dB");
    quiet.flush(&[change]);
    let state = quiet.save();
    loud.activate(48_000.0, 512);
    let mut audio = vec![vec![0.5; 512]; 2];
    loud.block(&mut audio, None, &[], false);
    assert!(loud.load(&state));
    let mut last = audio[0][511];
    let mut all = Vec::new();
    for _ in 0..20 {
        let mut audio = vec![vec![0.5; 512]; 2];
        loud.block(&mut audio, None, &[], false);
        all.extend_from_slice(&audio[0]);
    }
    for &x in &all {
        assert!((x - last).abs() < 0.005, "a step of {}", x - last);
        last = x;
    }
    assert!((last - 0.5 * 10f32.powf(-24.0 / 20.0)).abs() < 1e-5);
}
