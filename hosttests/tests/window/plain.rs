//! Without OpenGL: a page of text, and the host's own list of parameters.

use crate::{keep, remembered, sound, stage};
use hosttests::host::Picture;
use hosttests::{Change, MASTER, Plugin, STEM};
use std::time::Duration;

/// Pixels of text: what is unlike the corner.
fn written(picture: &Picture) -> usize {
    let corner = &picture.pixels[..3];
    picture.pixels.chunks_exact(3).filter(|pixel| pixel != &corner).count()
}

fn is_written(_: &mut Plugin, picture: &Picture) -> bool {
    written(picture) > 2000
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn without_opengl_a_window_says_so_and_every_parameter_is_the_host_s() {
    let (library, screen) = stage();
    for (id, name) in [(STEM, "stem"), (MASTER, "master")] {
        let (mut plugin, mut other) = (Plugin::new(&library, id), Plugin::new(&library, STEM));
        let mut window = screen.open(&mut plugin, (0, 0));
        assert_eq!(window.size(), (1000, 640));
        let picture = window.wait(is_written).expect("the page is there");
        keep(&picture, &format!("{name}-without-opengl"));
        assert_eq!(picture.pixels[..3], [0x12, 0x14, 0x18], "as dark as any other window");
        assert!(written(&picture) < 30_000, "text and nothing else");

        for fraction in [0.3, 0.8] {
            let rows = window.plugin.rows();
            let changes: Vec<Change> =
                rows.iter().map(|row| Change { at: 0, id: row.id, value: row.at(fraction) }).collect();
            window.plugin.flush(&changes);
            for (row, change) in rows.iter().zip(&changes) {
                let (value, range) = (window.plugin.value(row.id), row.range.1 - row.range.0);
                assert!((value - change.value).abs() <= 0.01 * range, "{}: {value}", row.name);
            }
        }
        sound(window.plugin);

        // covered by another one and uncovered again
        let mut above = screen.open(&mut other, (200, 200));
        above.wait(is_written).expect("the page is there");
        drop(above);
        let again = window.wait(|_, now| *now == picture);
        assert!(again.is_some(), "{name}: uncovered, it is as it was");

        window.resize(800, 520);
        let resized =
            window.wait(|plugin, now| is_written(plugin, now) && plugin.window_size() == (800, 520));
        assert!(resized.is_some(), "{name}: smaller, the page is there");
        keep(&window.picture(), &format!("{name}-without-opengl-small"));
    }
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn without_opengl_windows_open_and_close_as_often_as_others_and_look_like_them() {
    let (library, screen) = stage();
    let mut plugin = Plugin::new(&library, STEM);
    for round in 0..20 {
        let mut window = screen.open(&mut plugin, (0, 0));
        // often enough closed before anything is painted
        if round % 2 == 0 {
            window.wait(is_written).expect("the page is there");
        } else {
            window.pass(Duration::from_millis(round % 7 * 5));
        }
    }
    let text = "scale = 1.5\nappearance = \"light\"\nstem = [900, 600]\n";
    std::fs::create_dir_all(remembered().parent().expect("it lies in a folder")).expect("a folder");
    std::fs::write(remembered(), text).expect("written");
    let mut window = screen.open(&mut plugin, (0, 0));
    assert_eq!(window.size(), (1350, 900));
    let picture = window.wait(is_written).expect("the page is there");
    assert_eq!(picture.pixels[..3], [0xE4, 0xE7, 0xEC], "light");
    keep(&picture, "stem-without-opengl-light");
    drop(window);
    assert_eq!(
        std::fs::read_to_string(remembered()).expect("it is there"),
        text,
        "nothing is remembered of it"
    );
    std::fs::remove_file(remembered()).expect("it was there");
}

#[test]
#[ignore = "windows_work_in_an_x_server runs it where there is an X server"]
fn without_a_screen_a_window_is_refused_and_the_plugin_goes_on() {
    let library = hosttests::Library::open();
    let mut plugin = Plugin::new(&library, STEM);
    for _ in 0..3 {
        assert!(plugin.window_is_refused());
    }
    sound(&mut plugin);
    let bypass = plugin.typed(0, "Bypass", "on");
    plugin.flush(&[bypass]);
    assert_eq!(plugin.value(bypass.id), bypass.value, "a host's own list of parameters");
}
