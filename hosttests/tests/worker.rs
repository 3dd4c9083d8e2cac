//! The framework's worker thread, which all VST3 instances of a class share on Linux, in a host that releases instances
//! while tasks of theirs are on their way. Alone in its process: what goes wrong there ends it.

#![cfg(target_os = "linux")]

use hosttests::{Vst3, noise};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Names of both plugins.
const NAMES: [&str; 2] = ["Stemlink Stem", "Stemlink Master"];

/// Blocks of a plugin that is played after another one has gone.
fn sounds(plugin: &mut Vst3) {
    for n in 0..4 {
        let mut audio = noise(n, 2, 256, 0.5);
        plugin.play(&mut audio, 256 * n as i64);
        assert!(audio.iter().flatten().all(|x| x.is_finite()));
    }
}

#[test]
fn an_instance_may_go_while_its_tasks_are_on_their_way() {
    for name in NAMES {
        for round in 0..40 {
            let mut plugin = Vst3::new(name, 48_000.0, 256);
            sounds(&mut plugin);
            plugin.deactivate();
            // the host's own panel is still open: more tasks for the worker
            plugin.set_parameters(f64::from(round % 2));
            drop(plugin);
        }
        let mut plugin = Vst3::new(name, 48_000.0, 256);
        sounds(&mut plugin);
        plugin.deactivate();
        plugin.activate();
        sounds(&mut plugin);
    }
}

#[test]
fn a_window_opens_after_the_tasks_that_are_on_their_way() {
    for name in NAMES {
        let mut plugin = Vst3::new(name, 48_000.0, 256);
        let mut audio = noise(1, 2, 256, 0.5);
        // another latency class: it asks for a restart, which keeps the worker busy
        let restarted = plugin.play_with_slow_restart(&mut audio, Duration::from_millis(60));
        let (width, height) = plugin.window_size();
        assert!(width > 0 && height > 0);
        assert!(restarted.load(Ordering::Relaxed), "{name}: the worker is through before a window is opened");
    }
}
