//! A panic inside the built library: the host lives, the audio is muted, then dry. `cargo xtask test` builds the library
//! that panics on a certain sample and a certain state.

#![cfg(all(feature = "injected-panic", not(feature = "alloc-guard")))]

use hosttests::{Call, Library, MASTER, Plugin, STEM, noise, without_identity};
use stemlink::engine::INJECTED_PANIC;

#[test]
fn after_a_panic_in_the_signal_path_the_input_passes_until_reset() {
    let library = Library::open();
    for id in [STEM, MASTER] {
        let mut plugin = Plugin::new(&library, id);
        let quieter = plugin.typed(0, "Level", "-6 dB");
        plugin.flush(&[quieter]);
        plugin.activate(48_000.0, 512);
        let latency = plugin.latency() as usize;
        let input = noise(1, 2, 4096, 0.5);
        let mut before = input.clone();
        plugin.run(&mut before, None, &[512], &[]);
        assert!(before[0][latency..] != input[0][..4096 - latency], "{id}");

        // within its very block the audio is muted
        let mut audio = noise(2, 2, 512, 0.5);
        audio[0][0] = INJECTED_PANIC;
        plugin.call(&mut audio, Call::default());
        assert!(audio.iter().flatten().all(|x| *x == 0.0), "{id}");

        // from the next on it is dry, as late as before
        let mut after = input.clone();
        plugin.run(&mut after, None, &[512, 1, 77], &[]);
        assert_eq!(after[0][latency..], input[0][..4096 - latency], "{id}");

        // the host goes on: states, parameters, and a reset that brings the chain back
        let state = plugin.save();
        assert!(plugin.load(&state));
        plugin.reset();
        let mut again = input.clone();
        plugin.run(&mut again, None, &[512], &[]);
        assert!(again == before, "{id}");
    }
}

#[test]
fn a_panic_while_a_state_is_read_changes_nothing() {
    let library = Library::open();
    for id in [STEM, MASTER] {
        let mut plugin = Plugin::new(&library, id);
        let untouched = plugin.save();
        let quieter = plugin.typed(0, "Level", "-6 dB");
        let mut other = Plugin::new(&library, id);
        other.flush(&[quieter]);
        let state = other.save();
        let json = String::from_utf8_lossy(&state[8..]).replace("\"0.1.0\"", "\"injected panic\"");
        let state = [&(json.len() as u64).to_le_bytes(), json.as_bytes()].concat();
        plugin.activate(48_000.0, 512);
        plugin.load(&state);
        plugin.idle();
        assert_eq!(without_identity(&plugin.save()), without_identity(&untouched), "{id}");
        let input = noise(1, 2, 4096, 0.5);
        let (mut output, latency) = (input.clone(), plugin.latency() as usize);
        plugin.run(&mut output, None, &[512], &[]);
        assert_eq!(output[0][latency..], input[0][..4096 - latency], "{id}");
    }
}
