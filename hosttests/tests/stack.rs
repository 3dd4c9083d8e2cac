//! The plugins on a thread with little stack. Hosts call them on threads of theirs: Ardour activates a VST3 on a JACK
//! thread of 512 KiB, which it has used in part, macOS gives secondary threads 512 KiB.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a skipped test says why, a measured one what")]

mod stack {
    mod frames;
}

use hosttests::host::{Screen, Server, on_a_small_stack};
use hosttests::{Library, MASTER, Plugin, STEM, Vst3, noise};
use std::process::Command;

/// One life of an instance, with every call that a host makes; `window` opens and closes one meanwhile.
fn live(library: &Library, id: &str, class: &str, window: &dyn Fn(&mut Plugin)) {
    let mut plugin = Plugin::new(library, id);
    plugin.activate(48_000.0, 1024);
    let choice = plugin.typed(0, "Latency", class);
    plugin.flush(&[choice]);
    let state = plugin.save();
    assert!(plugin.load(&state));
    plugin.run(&mut noise(1, 2, 6000, 0.5), None, &[1024, 77], &[]);
    plugin.deactivate();
    plugin.activate(48_000.0, 1024);
    let changes: Vec<_> =
        hosttests::reference::TYPED.iter().map(|(name, text, _, _)| plugin.typed(0, name, text)).collect();
    let key = noise(3, 2, 6000, 0.5);
    let key = plugin.ports().0.get(1).map(|_| &key[..]);
    plugin.run(&mut noise(2, 2, 6000, 0.9), key, &[1024, 77], &changes);
    window(&mut plugin);
    plugin.reset();
    plugin.idle();
    plugin.pages();
    plugin.run(&mut noise(2, 2, 6000, 0.9), None, &[512], &[]);
}

const CLASSES: [&str; 3] = ["Zero", "Lookahead", "Linear & Denoise"];

#[test]
fn every_call_of_a_host_fits_into_a_small_stack() {
    // another host's thread has loaded the library
    let library = Library::open();
    for id in [STEM, MASTER] {
        for class in CLASSES {
            on_a_small_stack(|| live(&library, id, class, &|_| ()));
        }
    }
    for name in ["Stemlink Stem", "Stemlink Master"] {
        on_a_small_stack(|| {
            let mut plugin = Vst3::new(name, 48_000.0, 1024);
            for n in 0..10 {
                plugin.play(&mut noise(1, 2, 1024, 0.5), n * 1024);
            }
        });
    }
}

/// Runs the test below where there is an X server.
#[test]
fn a_window_opens_and_closes_on_a_small_stack() {
    let Some(server) = Server::start() else {
        return hosttests::skip_or_fail("there is no Xvfb to open windows in");
    };
    let folder = std::env::temp_dir().join(format!("stemlink-stack-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let child = Command::new(std::env::current_exe().expect("a test has a path"))
        .args(["windows_on_a_small_stack", "--exact", "--ignored", "--nocapture"])
        .env("DISPLAY", &server.display)
        .env("XDG_CONFIG_HOME", &folder)
        .env("XDG_RUNTIME_DIR", &folder)
        .output()
        .expect("the test runs itself");
    // nothing depends on it
    let _ = std::fs::remove_dir_all(&folder);
    let (said, errors) = (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(said.contains("1 passed"), "{}\n{said}{errors}", child.status);
}

#[test]
#[ignore = "a_window_opens_and_closes_on_a_small_stack runs it where there is an X server"]
fn windows_on_a_small_stack() {
    let library = Library::open();
    for id in [STEM, MASTER] {
        on_a_small_stack(|| {
            let screen = Screen::connect();
            live(&library, id, "Lookahead", &|plugin| {
                let mut window = screen.open(plugin, (0, 0));
                window.wait(|_, picture| picture.colours() > 20).expect("the window is drawn");
            });
        });
    }
}
