//! The plugins' windows, really opened: in an X server of their own (Debian's `xvfb`, drawn by `libgl1-mesa-dri`).
//!
//! Without it the test says so and passes, unless `STEMLINK_REQUIRE_ORACLES=1`. Pictures of the windows are left in the
//! folder `windows` beside the test's binary.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, reason = "a skipped test says why")]

use hosttests::host::{Picture, Screen, Server, Window};
use hosttests::{Call, Library, MASTER, Plugin, STEM, noise};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Runs the tests below, which need `DISPLAY`, in a process of their own: what goes wrong there (a graphics driver,
/// say) is a failure here and no more.
#[test]
fn windows_work_in_an_x_server() {
    let Some(server) = Server::start() else {
        assert!(
            std::env::var("STEMLINK_REQUIRE_ORACLES").as_deref() != Ok("1"),
            "there is no Xvfb, and STEMLINK_REQUIRE_ORACLES=1"
        );
        eprintln!("skipped: there is no Xvfb to open windows in");
        return;
    };
    let child = Command::new(std::env::current_exe().expect("a test has a path"))
        .args(["--ignored", "--test-threads=1", "--nocapture"])
        .env("DISPLAY", &server.display)
        .output()
        .expect("the test runs itself");
    let (said, errors) = (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success() && said.contains("4 passed"), "{}\n{said}{errors}", child.status);
}

/// True once there is more than an empty window.
fn is_drawn(_: &mut Plugin, picture: &Picture) -> bool {
    picture.colours() > 20
}

fn keep(picture: &Picture, name: &str) {
    let test = std::env::current_exe().expect("a test has a path");
    let folder: PathBuf = test.parent().expect("a test lies in a folder").join("windows");
    std::fs::create_dir_all(&folder).expect("a folder");
    picture.write(&folder.join(format!("{name}.ppm")));
}

/// Two seconds of audio that has something broken in it.
fn sound(plugin: &mut Plugin) {
    plugin.activate(48_000.0, 512);
    let mut audio = noise(1, 2, 96_000, 0.3);
    audio[0][10] = f32::NAN;
    for at in (0..96_000).step_by(512) {
        let end = (at + 512).min(96_000);
        let mut block: Vec<Vec<f32>> = audio.iter().map(|c| c[at..end].to_vec()).collect();
        plugin.call(&mut block, Call::default());
    }
}

/// Chooses the group of parameters in a line of the list, and lets it be drawn.
fn choose(window: &mut Window<'_>, line: i16) {
    window.click((60, LIST + line * LINE), 1);
    window.pass(Duration::from_millis(200));
}

/// Where the list of groups begins, how high a line of it is, where the first bar is; pixels at scale 1.
const LIST: i16 = 142;
const LINE: i16 = 23;
const BAR: (i16, i16) = (300, 168);

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn both_windows_show_their_parameters_and_meters() {
    let (library, screen) = (Library::open(), Screen::connect());
    for (id, name) in [(STEM, "stem"), (MASTER, "master")] {
        let mut plugin = Plugin::new(&library, id);
        sound(&mut plugin);
        let mut window = screen.open(&mut plugin, (0, 0));
        let first = window.wait(is_drawn).expect("the window is drawn");
        window.pass(Duration::from_millis(500));
        keep(&window.picture(), name);
        for (line, group) in [(1, "eq"), (9, "compressor")] {
            choose(&mut window, line);
            let picture = window.picture();
            keep(&picture, &format!("{name}-{group}"));
            assert!(picture.differs(&first) > 500, "{name} {group}");
        }
    }
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn windows_open_and_close_a_hundred_times_and_two_at_once() {
    let (library, screen) = (Library::open(), Screen::connect());
    let (mut stem, mut master) = (Plugin::new(&library, STEM), Plugin::new(&library, MASTER));
    for round in 0..100 {
        let mut window = screen.open(&mut stem, (0, 0));
        // often enough closed before anything is drawn
        if round % 10 == 0 {
            window.wait(is_drawn).expect("the window is drawn");
        } else {
            window.pass(Duration::from_millis(round % 7 * 5));
        }
    }
    for _ in 0..5 {
        // the first opened is the last closed: each waits for its own threads
        let mut left = screen.open(&mut stem, (0, 0));
        let mut right = screen.open(&mut master, (700, 0));
        assert!(left.wait(is_drawn).is_some() && right.wait(is_drawn).is_some());
        drop(right);
        left.pass(Duration::from_millis(50));
        assert!(left.wait(is_drawn).is_some());
    }
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn a_value_is_dragged_turned_and_reset_by_mouse_and_typed() {
    let (library, screen) = (Library::open(), Screen::connect());
    let mut plugin = Plugin::new(&library, STEM);
    let trim = plugin.row("Input");
    let value = move |plugin: &mut Plugin| {
        let text = plugin.value(trim.id);
        plugin.text(trim.id, text)
    };
    let default = value(&mut plugin);
    assert_eq!(default, "0 dB");
    let mut window = screen.open(&mut plugin, (0, 0));
    window.wait(is_drawn).expect("the window is drawn");

    // taking hold changes nothing, dragging does, by as much as the hand moves
    let (x, y) = BAR;
    window.press((x, y));
    window.point((x + 2, y), true);
    assert_eq!(value(window.plugin), default);
    for step in 1..=11 {
        window.point((x + step * 10, y), true);
    }
    window.release((x + 110, y));
    let dragged = value(window.plugin);
    let far: f64 = dragged.trim_end_matches(" dB").parse().expect("a number");
    // half of 48 dB
    assert!((20.0..=24.0).contains(&far), "{dragged}");

    window.click((x, y), 2);
    assert!(window.wait(move |plugin, _| value(plugin) == "0 dB").is_some(), "double click");
    window.wheel((x, y), 2);
    let turned = window.wait(move |plugin, _| value(plugin) == "0.96 dB");
    assert!(turned.is_some(), "two notches: {}", value(window.plugin));
    window.wheel((x, y), -2);
    assert!(window.wait(move |plugin, _| value(plugin) == "0 dB").is_some(), "two notches back");

    // the value, clicked, can be typed: 6, Return (key codes of any PC keyboard in X)
    window.click((x + 180, y), 1);
    window.pass(Duration::from_millis(200));
    for code in [22; 8] {
        window.key(code); // backspace
    }
    window.key(15);
    window.key(36);
    let typed = window.wait(move |plugin, _| value(plugin) == "6 dB");
    assert!(typed.is_some(), "typed: {}", value(window.plugin));
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn a_window_of_any_size_is_drawn_and_a_host_s_changes_show() {
    let (library, screen) = (Library::open(), Screen::connect());
    let mut plugin = Plugin::new(&library, MASTER);
    let quieter = plugin.typed(0, "Input", "-12");
    let mut window = screen.open(&mut plugin, (0, 0));
    window.wait(is_drawn).expect("the window is drawn");
    window.pass(Duration::from_millis(500));
    let before = window.picture();
    window.plugin.flush(&[quieter]);
    let changed = window.wait(|_, picture| picture.differs(&before) > 20);
    assert!(changed.is_some(), "the new value shows");
    for (width, height) in [(600, 320), (1200, 900)] {
        window.resize(width, height);
        assert!(window.wait(is_drawn).is_some(), "{width} x {height}");
    }
    keep(&window.picture(), "master-large");
}
