//! Factory presets as hosts load them from `.vstpreset` files, and how parameters are shown.

use super::PLUGINS;
use chain::parameters::{PARAMETERS, ParameterKind};
use hosttests::{Library, Plugin, STEM};
use std::fs;
use std::path::{Path, PathBuf};

fn folder(plugin: &str) -> PathBuf {
    let packaging = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/vst3/presets/Stemlink");
    packaging.join(plugin)
}

/// The state in a preset's file, as CLAP hosts keep states.
fn state(file: &Path) -> Vec<u8> {
    let bytes = fs::read(file).expect("it can be read");
    // the state is the last chunk
    let start = bytes.windows(10).position(|part| part == b"{\"version\"").expect("a state");
    let json = &bytes[start..];
    [&(json.len() as u64).to_le_bytes(), json].concat()
}

#[test]
fn a_preset_sets_the_chain_and_leaves_level_latency_and_bypass() {
    let library = Library::open();
    for (id, name) in [(STEM, "Stemlink Stem"), (hosttests::MASTER, "Stemlink Master")] {
        for entry in fs::read_dir(folder(name)).expect("there are presets") {
            let file = entry.expect("an entry").path();
            let mut plugin = Plugin::new(&library, id);
            let kept = [("Level", "-6.0 dB"), ("Bypass", "On"), ("Latency", "Linear & Denoise")];
            let changes: Vec<_> = kept.iter().map(|(row, text)| plugin.typed(0, row, text)).collect();
            let compressor = plugin.typed(0, "Compressor Ratio", "9:1");
            plugin.flush(&changes);
            plugin.flush(&[compressor]);
            assert!(plugin.load(&state(&file)), "{}", file.display());
            let mut shown = |row: &str| {
                let row = plugin.row(row);
                let value = plugin.value(row.id);
                plugin.text(row.id, value)
            };
            for (row, text) in kept {
                assert_eq!(shown(row), text, "{}", file.display());
            }
            assert_ne!(shown("Compressor Ratio"), "9:1", "{}", file.display());
            let is_drums = file.to_string_lossy().contains("Drums");
            assert!(!is_drums || (shown("Compressor On") == "On" && shown("Compressor Ratio") == "1.5:1"));
        }
        // what the plugin saves after that is a state of its own, with its document
        let mut plugin = Plugin::new(&library, id);
        let before = plugin.save();
        assert!(plugin.load(&state(&folder(name).join("Neutral.vstpreset"))));
        assert_eq!(plugin.save(), before, "{name}: neutral is how it starts");
    }
}

#[test]
fn a_preset_of_the_other_plugin_changes_nothing() {
    let library = Library::open();
    let mut plugin = Plugin::new(&library, STEM);
    let before = plugin.values();
    let foreign = fs::read_dir(folder("Stemlink Master")).expect("there are presets");
    for entry in foreign {
        plugin.load(&state(&entry.expect("an entry").path()));
        assert_eq!(plugin.values(), before);
    }
}

#[test]
fn texts_have_their_unit_once_and_choices_of_two_say_what_on_means() {
    let library = Library::open();
    for (id, chain_kind) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        let rows = plugin.rows();
        for (parameter, row) in PARAMETERS.for_kind(chain_kind).zip(&rows[1..]) {
            let text = plugin.text(row.id, row.at(0.6));
            match parameter.kind {
                ParameterKind::Number { unit, .. } if !unit.is_empty() => {
                    assert_eq!(text.matches(unit).count(), 1, "{}: {text}", row.name);
                    assert!(text.ends_with(unit), "{}: {text}", row.name);
                }
                ParameterKind::Choice([_, on]) => assert!(row.name.ends_with(on), "{}", row.name),
                _ => {}
            }
            let expected = if parameter.group.starts_with("EQ ") {
                format!("Equalizer/{}", parameter.group)
            } else {
                parameter.group.clone()
            };
            assert_eq!(row.module, expected, "{}", row.name);
        }
        assert!(rows.iter().any(|row| row.name == "Compressor Detector RMS"));
    }
}
