//! The plugins' windows, really opened: in an X server of their own (Debian's `xvfb`, drawn by `libgl1-mesa-dri`).
//!
//! Without it the test says so and passes, unless `STEMLINK_REQUIRE_ORACLES=1`. Pictures of the windows are left in the
//! folder `windows` beside the test's binary.

#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr, reason = "a skipped test says why")]

mod window {
    mod cost;
    mod live;
    mod plain;
    mod reference;

    pub(crate) mod band;
    pub(crate) mod reader;
}

use crate::window::reader::SessionBus;
use hosttests::host::{Picture, Screen, Server, Window};
use hosttests::{Call, Change, Library, MASTER, Plugin, STEM, noise};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Runs the tests below, which need `DISPLAY`, in a process of their own: what goes wrong there (a graphics driver,
/// say) is a failure here and no more.
#[test]
fn windows_work_in_an_x_server() {
    let Some(server) = Server::start() else {
        return hosttests::skip_or_fail("there is no Xvfb to open windows in");
    };
    let (passed, said) =
        in_a_child(&server, &["--skip", "cost", "--skip", "without_", "--skip", "over_at_spi"], &[]);
    assert!(passed && said.contains("10 passed"), "{said}");
    let (passed, said) = in_a_child(&server, &["without_opengl"], &[EGL, GLX]);
    assert!(passed && said.contains("2 passed"), "{said}");
    let (passed, said) = in_a_child(&server, &["without_a_screen"], &["DISPLAY"]);
    assert!(passed && said.contains("1 passed"), "{said}");
}

#[test]
fn windows_are_read_and_worked_by_assistive_technology() {
    let (Some(server), Some(bus)) = (Server::start(), SessionBus::start()) else {
        return hosttests::skip_or_fail("there is no Xvfb, dbus-daemon or at-spi2-core");
    };
    let (passed, said) = on_a_bus(&server, &bus.address, &["over_at_spi"], &[]);
    assert!(passed && said.contains("2 passed"), "{said}");
}

/// Search paths of OpenGL drivers.
const EGL: &str = "__EGL_VENDOR_LIBRARY_DIRS";
const GLX: &str = "LIBGL_DRIVERS_PATH";

/// Runs the ignored tests that `which` names, in a process that has `server` for a screen and folders of its own for the
/// link and for what windows remember, no session bus, and does not find what lies where `hidden` say.
fn in_a_child(server: &Server, which: &[&str], hidden: &[&str]) -> (bool, String) {
    on_a_bus(server, "unix:path=/nowhere", which, hidden)
}

/// The same, with a session bus.
fn on_a_bus(server: &Server, bus: &str, which: &[&str], hidden: &[&str]) -> (bool, String) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("stemlink-windows-{}-{count}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let child = Command::new(std::env::current_exe().expect("a test has a path"))
        .args(["--ignored", "--test-threads=1", "--nocapture"])
        .args(which)
        .env("DISPLAY", &server.display)
        .envs(hidden.iter().map(|name| (name, "/nowhere")))
        .env("DBUS_SESSION_BUS_ADDRESS", bus)
        .env_remove("AT_SPI_BUS_ADDRESS")
        .env("XDG_CONFIG_HOME", &folder)
        .env("XDG_RUNTIME_DIR", &folder)
        .output()
        .expect("the test runs itself");
    std::fs::remove_dir_all(&folder).expect("the folder goes");
    let (said, errors) = (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    (child.status.success(), format!("{}\n{said}{errors}", child.status))
}

/// The folder of these tests' own, which goes when they are through.
fn folder() -> PathBuf {
    PathBuf::from(std::env::var("XDG_CONFIG_HOME").expect("a folder of its own"))
}

/// File in which windows remember their looks.
fn remembered() -> PathBuf {
    folder().join("stemlink/window.toml")
}

/// Library and screen for a test whose windows open as usual, whatever was left by others.
fn stage() -> (Library, Screen) {
    // there may be none
    let _ = std::fs::remove_file(remembered());
    (Library::open(), Screen::connect())
}

/// Opens the plugin's window in the screen's corner, and waits until it is drawn.
fn opened<'a>(screen: &'a Screen, plugin: &'a mut Plugin) -> Window<'a> {
    let mut window = screen.open(plugin, (0, 0));
    window.wait(is_drawn).expect("the window is drawn");
    window
}

/// True once there is more than an empty window, and all of it: the host's own window is black.
fn is_drawn(_: &mut Plugin, picture: &Picture) -> bool {
    picture.colours() > 20 && !picture.pixels.ends_with(&[0; 3])
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

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn both_windows_are_drawn_and_move_with_the_sound() {
    let (library, screen) = stage();
    for (id, name) in [(STEM, "stem"), (MASTER, "master")] {
        let mut plugin = Plugin::new(&library, id);
        let mut window = opened(&screen, &mut plugin);
        window.pass(Duration::from_millis(500));
        let before = window.picture();
        keep(&before, name);
        sound(window.plugin);
        let after = window.wait(|_, picture| picture.differs(&before) > 200);
        keep(&after.expect("the meters move"), &format!("{name}-sound"));
    }
}

/// Waits until nothing moves any more and returns the picture.
fn at_rest(window: &mut Window<'_>) -> Picture {
    let mut last = window.picture();
    for _ in 0..20 {
        window.pass(Duration::from_millis(1200));
        let now = window.picture();
        if now == last {
            return now;
        }
        last = now;
    }
    panic!("the window never rests");
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn a_window_that_moves_with_the_sound_is_drawn_at_most_thirty_times_a_second() {
    let (library, screen) = stage();
    for id in [STEM, MASTER] {
        let mut plugin = Plugin::new(&library, id);
        plugin.activate(48_000.0, 512);
        // in blocks of a usual host, and of one that sends fewer than there are frames
        for blocks in [1, 8] {
            let mut window = opened(&screen, &mut plugin);
            // the first frames after opening belong to the opening
            window.pass(Duration::from_secs(1));
            let (mut frames, start) = (window.frames(), Instant::now());
            while start.elapsed() < Duration::from_secs(5) {
                for _ in 0..blocks {
                    window.plugin.call(&mut noise(1, 2, 512, 0.3), Call::default());
                }
                window.pass(Duration::from_millis(10 * blocks));
            }
            // the sound wakes it with two; however busy the machine is, it moves
            let (count, most) = (frames.count() as f64, 30.5 * start.elapsed().as_secs_f64() + 3.0);
            assert!((5.0..=most).contains(&count), "{count} in {:?}", start.elapsed());
        }
    }
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn a_window_with_nothing_new_to_show_is_not_drawn() {
    let (library, screen) = stage();
    // each sees the other, and has been played to
    let (mut stem, mut master) = (Plugin::new(&library, STEM), Plugin::new(&library, MASTER));
    sound(&mut stem);
    sound(&mut master);
    for plugin in [&mut stem, &mut master] {
        let mut window = screen.open(plugin, (0, 0));
        window.wait(is_drawn).expect("the window is drawn");
        at_rest(&mut window);
        let mut frames = window.frames();
        window.pass(Duration::from_secs(6));
        // drawn twice a second it would be twelve
        assert!(frames.count() <= 3, "{} frames", frames.count());
    }
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn windows_open_and_close_two_hundred_times_and_two_at_once() {
    let (library, screen) = stage();
    let (mut stem, mut master) = (Plugin::new(&library, STEM), Plugin::new(&library, MASTER));
    for round in 0..200 {
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
        let mut right = screen.open(&mut master, (1200, 0));
        assert!(left.wait(is_drawn).is_some() && right.wait(is_drawn).is_some());
        drop(right);
        left.pass(Duration::from_millis(50));
        assert!(left.wait(is_drawn).is_some());
    }
}

/// Time limit of an attempt that is repeated if it fails.
const SOON: Duration = Duration::from_secs(3);

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn a_value_is_dragged_turned_and_reset_by_mouse_and_typed() {
    let (library, screen) = stage();
    let mut plugin = Plugin::new(&library, STEM);
    let rows = plugin.rows();
    let mut window = opened(&screen, &mut plugin);

    // wherever it is: from the bottom up, a place where the wheel turns a value that has no steps
    let (width, height) = window.size();
    let places =
        (1..9).flat_map(|y| (1..width as i16 / 35).map(move |x| (x * 35, height as i16 - 20 - y * 16)));
    let mut done = false;
    for place in places {
        let before = window.plugin.values();
        window.wheel(place, 1);
        window.pass(Duration::from_millis(80));
        let after = window.plugin.values();
        let Some(turned) = (0..rows.len()).find(|&i| before[i] != after[i]) else { continue };
        let row = &rows[turned];
        if (row.at(0.123) - row.at(0.456)).abs() == 0.0 || row.at(0.123).fract() == 0.0 {
            window.wheel(place, -1);
            continue;
        }
        // it may have been the place before, which took its time
        window.wheel(place, 1);
        if window.wait_for(SOON, |plugin, _| plugin.value(row.id) != after[turned]).is_none() {
            continue;
        }
        let is =
            |value: f64| move |plugin: &mut Plugin, _: &Picture| (plugin.value(row.id) - value).abs() < 1e-6;
        window.wheel(place, -2);
        assert!(window.wait(is(before[turned])).is_some(), "{}: two notches and two back", row.name);

        // taking hold changes nothing, dragging does; a double click is the default
        let (x, y) = place;
        window.press(place);
        window.pass(Duration::from_millis(200));
        let held = window.plugin.value(row.id);
        assert!((held - before[turned]).abs() < 1e-6, "{}: held, it is {held}", row.name);
        for step in 1..=6 {
            window.point((x + step * 10, y - step * 5), true);
        }
        window.release((x + 60, y - 30));
        let dragged = window.wait(|plugin, _| plugin.value(row.id) != held);
        assert!(dragged.is_some(), "{} cannot be dragged", row.name);
        // on a slow machine the second click may come too late to be one of two
        let reset = (0..10).any(|_| {
            window.click(place, 2);
            window.wait_for(SOON, is(row.range.2)).is_some()
        });
        assert!(reset, "{}: a double click is not the default", row.name);

        // a click, a figure, Return (key codes of any PC keyboard in X)
        window.pass(Duration::from_millis(600));
        window.click(place, 1);
        window.pass(Duration::from_millis(400));
        window.key(15); // 6
        window.pass(Duration::from_millis(200));
        window.key(36); // Return
        let is_typed = |plugin: &mut Plugin, _: &Picture| {
            let now = plugin.value(row.id);
            plugin.text(row.id, now).starts_with('6')
        };
        done = window.wait_for(SOON, is_typed).is_some();
        if done {
            break;
        }
        // not every control can be typed into; back to where it was
        window.plugin.flush(&[Change { at: 0, id: row.id, value: before[turned] }]);
    }
    assert!(done, "no value can be turned, dragged, reset and typed");
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn a_window_of_any_size_is_drawn_and_a_host_s_changes_show() {
    let (library, screen) = stage();
    for (id, name) in [(STEM, "stem"), (MASTER, "master")] {
        let mut plugin = Plugin::new(&library, id);
        let bypass = plugin.typed(0, "Bypass", "on");
        let mut window = opened(&screen, &mut plugin);
        window.pass(Duration::from_millis(500));
        let before = window.picture();
        window.plugin.flush(&[bypass]);
        // the one control that both windows show whatever tab is open: a sign of 13 by 15 points
        let changed = window.wait(|_, picture| picture.differs(&before) > 20);
        assert!(changed.is_some(), "{name}: the new value shows");
        for (width, height) in [(300, 200), (1300, 900)] {
            window.resize(width, height);
            assert!(window.wait(is_drawn).is_some(), "{name}: {width} x {height}");
        }
        keep(&window.picture(), &format!("{name}-large"));
    }
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn windows_open_as_they_were_left() {
    let (library, screen) = stage();
    let file = remembered();
    let (mut stem, mut master) = (Plugin::new(&library, STEM), Plugin::new(&library, MASTER));
    let mut window = opened(&screen, &mut stem);
    assert_eq!(window.size(), (1000, 640));
    window.resize(1200, 800);
    window.wait(is_drawn).expect("the window is drawn");
    drop(window);
    // another instance, too; a Master's window is another
    let mut other = Plugin::new(&library, STEM);
    assert_eq!(screen.open(&mut other, (0, 0)).size(), (1200, 800));
    assert_eq!(screen.open(&mut master, (0, 0)).size(), (1000, 640));

    // what a person has chosen: large and light
    std::fs::write(&file, "scale = 1.5\nappearance = \"light\"\nstem = [900, 600]\n").expect("written");
    for _ in 0..3 {
        let window = opened(&screen, &mut stem);
        assert_eq!(window.size(), (1350, 900), "however often it is opened");
        let picture = window.picture();
        let bright = picture.pixels.iter().filter(|value| **value > 180).count();
        assert!(bright > picture.pixels.len() / 2, "{bright} of {}", picture.pixels.len());
    }
    let text = std::fs::read_to_string(&file).expect("it is there");
    assert!(text.contains("900"), "opening and closing changes nothing: {text}");

    // too small for its scale: everything is drawn smaller, and nothing is asked of the host
    let mut window = opened(&screen, &mut stem);
    window.resize(800, 520);
    window.wait(is_drawn).expect("the window is drawn");
    window.pass(Duration::from_millis(1500));
    assert_eq!(window.plugin.window_size(), (800, 520));
    keep(&window.picture(), "stem-too-small-for-its-scale");
    drop(window);
    std::fs::remove_file(&file).expect("it was there");
}
