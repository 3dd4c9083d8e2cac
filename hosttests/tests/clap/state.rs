//! What the plugins save, and what they make of what they are given to load.

use hosttests::{Change, Library, MASTER, Plugin, STEM, noise};

/// Every parameter somewhere, the same for the same seed.
fn scramble(plugin: &mut Plugin, seed: u64) {
    let rows = plugin.rows();
    let random = noise(seed, 1, rows.len(), 0.5).swap_remove(0);
    let changes: Vec<Change> = rows
        .iter()
        .zip(random)
        .map(|(row, x)| {
            let (min, max, _) = row.range;
            let value = min + (max - min) * (f64::from(x) + 0.5);
            // a stepped parameter takes whole values
            Change {
                at: 0,
                id: row.id,
                value: if max - min > 1.0 || row.flags.bits() & 1 != 0 { value.round() } else { value },
            }
        })
        .collect();
    plugin.flush(&changes);
}

fn values(plugin: &mut Plugin) -> Vec<f64> {
    plugin.rows().iter().map(|row| plugin.value(row.id)).collect()
}

/// A saved state with its JSON changed.
fn edited(bytes: &[u8], edit: impl Fn(String) -> String) -> Vec<u8> {
    let json = edit(String::from_utf8(bytes[8..].to_vec()).expect("the state is text"));
    [&(json.len() as u64).to_le_bytes(), json.as_bytes()].concat()
}

#[test]
fn a_state_makes_the_same_plugin_again() {
    let library = Library::open();
    for (id, rounds) in [(STEM, 60), (MASTER, 60)] {
        for seed in 0..rounds {
            let mut plugin = Plugin::new(&library, id);
            scramble(&mut plugin, seed);
            let state = plugin.save();
            let mut other = Plugin::new(&library, id);
            assert!(other.load(&state));
            assert_eq!(values(&mut plugin), values(&mut other));
            assert!(other.save() == state, "{id} {seed}");
            let input = noise(1, 2, 2000, 0.5);
            let sound = |plugin: &mut Plugin| {
                plugin.activate(44_100.0, 512);
                let mut output = input.clone();
                plugin.run(&mut output, None, &[300], &[]);
                output
            };
            assert!(sound(&mut plugin) == sound(&mut other), "{id} {seed}");
        }
    }
}

#[test]
fn a_bad_state_changes_nothing() {
    let library = Library::open();
    let mut plugin = Plugin::new(&library, STEM);
    scramble(&mut plugin, 1);
    let (before, state) = (values(&mut plugin), plugin.save());
    let mut other = Plugin::new(&library, STEM);
    scramble(&mut other, 2);
    let good = other.save();
    let mut master = Plugin::new(&library, MASTER);

    let mut bad: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![0; 8],
        vec![255; 8],
        noise(3, 1, 1 << 18, 1.0)[0].iter().flat_map(|x| x.to_le_bytes()).collect(),
        master.save(),
        edited(&good, |_| "{}".into()),
        edited(&good, |_| "null".into()),
        edited(&good, |json| json.replace("stemlink.stem/1", "stemlink.stem/9")),
        edited(&good, |json| json.replace("\"bool\":true", "\"i32\":7")),
        edited(&good, |json| json.replacen("\"f32\":", "\"f32\":1e39,\"x\":", 1)),
    ];
    // somewhere in the middle a number becomes one that no float holds
    let at = |json: &str| json.find("\"in_trim\":{\"f32\":").map(|at| at + "\"in_trim\":{\"f32\":".len());
    bad.push(edited(&good, |mut json| {
        let start = at(&json).expect("the state has the trim");
        let end = start + json[start..].find('}').expect("closed");
        json.replace_range(start..end, "1e39");
        json
    }));
    bad.extend((0..good.len()).step_by(97).map(|length| good[..length].to_vec()));
    for (i, bytes) in bad.iter().enumerate() {
        plugin.load(bytes);
        assert_eq!(values(&mut plugin), before, "{i}");
        assert!(plugin.save() == state, "{i}");
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
