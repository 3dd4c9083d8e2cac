//! Ports: stereo and mono, with a sidechain as wide.

use super::{PLUGINS, RATE, typed};
use chain::parameters::{PARAMETERS, Value};
use chain::{ChainKind, LatencyClass};
use hosttests::reference::settings;
use hosttests::{Library, MASTER, Plugin, STEM, noise};

#[test]
fn a_stem_has_a_sidechain_and_a_master_has_none() {
    let library = Library::open();
    assert_eq!(Plugin::new(&library, STEM).ports(), (vec![2, 2], vec![2]));
    assert_eq!(Plugin::new(&library, MASTER).ports(), (vec![2], vec![2]));
}

#[test]
fn a_mono_stem_is_the_chain_fed_with_two_equal_channels() {
    let library = Library::open();
    let mut plugin = Plugin::new(&library, STEM);
    assert_eq!(plugin.layouts(), ["Stereo", "Mono"]);
    plugin.choose_layout("Mono");
    assert_eq!(plugin.ports(), (vec![1, 1], vec![1]));
    let mut changes = typed(&mut plugin);
    changes.push(plugin.typed(0, "Compressor Key Sidechain", "Sidechain"));
    plugin.flush(&changes);
    plugin.activate(RATE, 512);
    let (input, key) = (noise(1, 1, 16_000, 0.3), noise(2, 1, 16_000, 0.9));
    let mut output = input.clone();
    plugin.run(&mut output, Some(&key), &[512, 77], &[]);
    let mut settings = settings();
    PARAMETERS.find("comp_key").expect("exists").set(&mut settings, Value::Choice(1));
    let expected = super::through_chain(ChainKind::Stem, LatencyClass::Zero, &settings, &input, Some(&key));
    assert!(output[0] == expected[0]);
}

#[test]
fn every_layout_processes_in_place_and_back_again() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let mut plugin = Plugin::new(&library, id);
        let layouts = plugin.layouts();
        for layout in layouts.iter().chain(&layouts) {
            plugin.choose_layout(layout);
            let channels = plugin.ports().0[0] as usize;
            plugin.activate(RATE, 4096);
            let latency = plugin.latency() as usize;
            let input = noise(3, channels, 4096, 0.5);
            let mut output = input.clone();
            plugin.block(&mut output, None, &[], true);
            assert_eq!(output[0][latency..], input[0][..4096 - latency], "{id} {layout}");
            plugin.deactivate();
        }
    }
}
